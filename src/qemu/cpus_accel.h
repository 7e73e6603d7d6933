/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/qemu/cpus_accel.h - between cpus.c and the two ways to put vCPUs on host
 * threads: one each (cpus-mttcg.c), one for all (cpus-rr.c). Upstream:
 * AccelOpsClass, tcg-accel-ops.h. */
#ifndef QEMU_CPUS_ACCEL_H
#define QEMU_CPUS_ACCEL_H

#include "qemu/cpus.h"

struct accel_ops {
	/* Put the vCPU on the list and have a thread run it; `created` is set
	 * then, at once or soon. With the BQL. */
	void (*create_vcpu_thread)(struct cpu *cpu);
	/* Make the thread that runs it leave cpu_exec. */
	void (*kick_vcpu_thread)(struct cpu *cpu);
	/* Have it go through cpu_handle_interrupt, soon. */
	void (*poke_vcpu_thread)(struct cpu *cpu);
	/* `created` has been cleared: wait for the end of its thread. Without
	 * the BQL. */
	void (*join_vcpu_thread)(struct cpu *cpu);
};
extern const struct accel_ops mttcg_ops, rr_ops;

/* `created`, `stop`, `stopped`, `unplug` are written under the BQL, each write
 * followed by a kick, and read without. */
static inline bool cpu_flag(const bool *flag)
{
	return __atomic_load_n(flag, __ATOMIC_SEQ_CST);
}

static inline void cpu_set_flag(bool *flag, bool on) REQUIRES(bql)
{
	__atomic_store_n(flag, on, __ATOMIC_SEQ_CST);
}

/* -- sleeping (cpus-halt.c) ---------------------------------------------------- */
/* Before there are vCPUs' threads. */
void halt_init(int host_processors);
/* A thread of vCPUs has begun, or ends: there is one more to count, or one less. */
void halt_awake(bool is);
/* End its sleep. Any thread. */
void halt_wake(struct halt_cond *h);
/* From here on a kick counts: look at what it may stand for after this. */
void halt_clear(struct halt_cond *h);
bool halt_kicked(const struct halt_cond *h);
/* Sleep until kicked since the last halt_clear(), or until `until_ns` (CLOCK_MONOTONIC; 0:
 * without end). False: nobody kicked. */
bool halt_sleep(struct halt_cond *h, s64 until_ns) EXCLUDES(bql);
/* The same until a timer is due, for a thread with an alarm. That is set for somewhat later:
 * when the thread has run on for that long after the sleep it looks at its timers again.
 * May look for a kick for a while before. */
void halt_sleep_until_due(struct halt_cond *h, s64 due_ns) EXCLUDES(bql);

/* -- idle vCPUs on one host processor (cpus-idle.c) -------------------------------- */
/* Before there are vCPUs' threads. */
void idle_init(int host_processors);
/* The vCPU's thread: it is about to sleep, it is awake again. */
void idle_sleeps(struct idle *i);
void idle_woke(struct idle *i);
/* Its thread may run anywhere. Any thread. */
void idle_release(struct idle *i);

/* -- what a vCPU's thread does between runs of cpu_exec -------------------------- */
/* Tell who waits in qemu_init_vcpu, cpu_remove_sync. */
void cpu_set_created(struct cpu *cpu, bool created) REQUIRES(bql);
/* Is there something for cpu_attend()? */
bool cpu_is_asked(struct cpu *cpu);
/* Nothing to do at all: neither that nor guest code. */
bool cpu_thread_is_idle(struct cpu *cpu);
/* Queued work, stop. Upstream: qemu_wait_io_event_common. */
void cpu_attend(struct cpu *cpu) REQUIRES(bql);
/* Run guest code until cpu_exec returns; an instruction that is to run alone is
 * run so. Upstream: tcg_cpus_exec. */
int cpu_run(struct cpu *cpu) EXCLUDES(bql);

#endif
