/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/qemu/cpus.c - vCPU threads, whichever way vCPUs share them: wake, park,
 * wait for work, come and go. Upstream: softmmu/cpus.c. */
#include "qemu/cpus_accel.h"

#include "env/affinity.h"
#include "env/lockstat.h"
#include "env/log.h"
#include "qemu/machine.h"
#include "qemu/target.h"

bool tcg_parallel, tcg_rr;

/* Who waits for a vCPU to be created, parked or gone. */
static struct cond cpu_cond = COND_INIT;
static bool cpus_paused GUARDED_BY(bql) = true;

static const struct accel_ops *ops(void)
{
	return tcg_rr ? &rr_ops : &mttcg_ops;
}

/* -- kicks -------------------------------------------------------------------------- */

/* `kicked` before `leave`: a thread that clears `leave` before it looks at
 * `kicked` (cpus-rr.c) loses neither. */
void qemu_cpu_kick(struct cpu *cpu)
{
	halt_wake(cpu->halt_cond);
	ops()->kick_vcpu_thread(cpu);
}

void cpu_poke(struct cpu *cpu)
{
	if (current_cpu == cpu) {
		cpu_ask_to_leave(cpu);
		return;
	}
	halt_wake(cpu->halt_cond);
	ops()->poke_vcpu_thread(cpu);
}

void cpu_interrupt(struct cpu *cpu, u32 mask)
{
	__atomic_fetch_or(&cpu->interrupt_request, mask, __ATOMIC_SEQ_CST);
	cpu_poke(cpu);
}

void cpu_reset_interrupt(struct cpu *cpu, u32 mask)
{
	__atomic_fetch_and(&cpu->interrupt_request, ~mask, __ATOMIC_SEQ_CST);
}

/* -- between runs --------------------------------------------------------------------- */

bool cpu_is_asked(struct cpu *cpu)
{
	return cpu_flag(&cpu->stop) || cpu_flag(&cpu->unplug) ||
	       !cpu_work_list_empty(cpu);
}

bool cpu_thread_is_idle(struct cpu *cpu)
{
	if (cpu_is_asked(cpu))
		return false;
	if (cpu_flag(&cpu->stopped))
		return true;
	return cpu->halted && !target_has_work(cpu);
}

void cpu_attend(struct cpu *cpu)
{
	process_queued_cpu_work(cpu);
	if (cpu->stop) {
		cpu_set_flag(&cpu->stop, false);
		cpu_set_flag(&cpu->stopped, true);
		cond_broadcast(&cpu_cond);
	}
}

int cpu_run(struct cpu *cpu)
{
	u64 start;
	int r;

	thread_role_enter(&vcpu_thread);
	cpu_exec_start(cpu);
	start = lockstat_now();
	r = cpu_exec(cpu);
	lockstat_guest((u32)cpu->cpu_index, start);
	cpu_exec_end(cpu);
	if (r == EXCP_ATOMIC)
		cpu_exec_step_atomic(cpu);
	thread_role_leave(&vcpu_thread);
	return r;
}

void cpu_set_created(struct cpu *cpu, bool created)
{
	cpu_set_flag(&cpu->created, created);
	cond_broadcast(&cpu_cond);
}

/* -- coming and going -------------------------------------------------------------------- */

static void host_processors_init(void)
{
	int n = affinity_init();

	halt_init(n);
	idle_init(n);
}

void qemu_init_vcpu(struct cpu *cpu)
{
	if (!first_cpu) {                        /* constant from then on    */
		tcg_rr = machine_config.tcg_single;
		tcg_parallel = !tcg_rr && machine_config.smp > 1;
		host_processors_init();
	}
	lock_init(&cpu->work_lock, "cpu_work", RANK_CPU_WORK);
	cpu->exception_index = EXCP_NONE;
	cpu->cflags_next_tb = ~0u;
	cpu->stopped = cpus_paused;
	ops()->create_vcpu_thread(cpu);
	while (!cpu->created)
		cond_wait(&cpu_cond, &bql);
}

/* Work that was queued after the thread's last look is nobody's any more. */
static void leave_list(struct cpu *cpu) EXCLUDES(bql)
{
	start_exclusive();
	bql_lock();
	process_queued_cpu_work(cpu);
	cpu_list_remove(cpu);
	cpu_apic_destroy(cpu);
	bql_unlock();
	cpu_free(cpu);
	end_exclusive();
}

void cpu_remove_sync(struct cpu *cpu)
{
	ASSERT(!current_cpu);
	cpu_set_flag(&cpu->unplug, true);
	qemu_cpu_kick(cpu);
	while (cpu->created)
		cond_wait(&cpu_cond, &bql);
	bql_unlock();
	ops()->join_vcpu_thread(cpu);
	leave_list(cpu);
	bql_lock();
}

/* -- all of them ---------------------------------------------------------------------------- */

static bool all_stopped(void) REQUIRES(bql)
{
	struct cpu *cpu;

	CPU_FOREACH(cpu)
		if (!cpu->stopped)
			return false;
	return true;
}

void pause_all_vcpus(void)
{
	struct cpu *cpu;

	ASSERT(!current_cpu);
	cpus_paused = true;
	CPU_FOREACH(cpu) {
		if (cpu->stopped)
			continue;
		cpu_set_flag(&cpu->stop, true);
		qemu_cpu_kick(cpu);
	}
	while (!all_stopped())
		cond_wait(&cpu_cond, &bql);
}

void resume_all_vcpus(void)
{
	struct cpu *cpu;

	cpus_paused = false;
	CPU_FOREACH(cpu) {
		cpu_set_flag(&cpu->stop, false);
		cpu_set_flag(&cpu->stopped, false);
		qemu_cpu_kick(cpu);
	}
}

void cpu_stop_current(void)
{
	if (!current_cpu)
		return;
	cpu_set_flag(&current_cpu->stop, true);
	qemu_cpu_kick(current_cpu);
}
