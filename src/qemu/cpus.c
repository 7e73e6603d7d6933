/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/qemu/cpus.c - vCPU threads: start, park, wake, wait for work.
 * Upstream: softmmu/cpus.c, accel/tcg/tcg-accel-ops-mttcg.c. */
#include "qemu/cpus.h"

#include <stdlib.h>

#include "env/log.h"
#include "qemu/target.h"

/* Who waits for a vCPU to be created or parked. */
static struct cond cpu_cond = COND_INIT;
static bool cpus_paused GUARDED_BY(bql) = true;

bool tcg_parallel;

/* -- sleeping and waking ---------------------------------------------------------------
 * The sleeper clears `kicked`, then looks at everything that could end its
 * sleep, then sleeps until `kicked`. The waker changes one of those things, then
 * sets `kicked`. So a change that the sleeper's look missed came after the
 * clearing, and its kick is seen: no wake-up is lost, whatever locks the waker
 * holds. Who finds `kicked` set has nothing to do: the sleeper has not looked
 * since it was. */

static void halt_cond_init(struct halt_cond *h)
{
	lock_init(&h->lock, "halt_cond", RANK_HALT);
	cond_init(&h->cond);
}

static void halt_clear(struct halt_cond *h)
{
	__atomic_store_n(&h->kicked, 0, __ATOMIC_SEQ_CST);
}

static void halt_wake(struct halt_cond *h)
{
	if (__atomic_exchange_n(&h->kicked, 1, __ATOMIC_SEQ_CST))
		return;
	lock_acquire(&h->lock);
	cond_broadcast(&h->cond);
	lock_release(&h->lock);
}

static void halt_sleep(struct halt_cond *h) REQUIRES(bql)
{
	bql_unlock();
	lock_acquire(&h->lock);
	while (!__atomic_load_n(&h->kicked, __ATOMIC_SEQ_CST))
		cond_wait(&h->cond, &h->lock);
	lock_release(&h->lock);
	bql_lock();
}

/* -- kicks -------------------------------------------------------------------------- */

void cpu_exit(struct cpu *cpu)
{
	__atomic_store_n(&cpu->leave, true, __ATOMIC_SEQ_CST);
	__atomic_store_n(&cpu->exit_request, 1, __ATOMIC_SEQ_CST);
}

void qemu_cpu_kick(struct cpu *cpu)
{
	cpu_exit(cpu);
	halt_wake(cpu->halt_cond);
}

void cpu_poke(struct cpu *cpu)
{
	__atomic_store_n(&cpu->exit_request, 1, __ATOMIC_SEQ_CST);
	if (!qemu_cpu_is_self(cpu))
		halt_wake(cpu->halt_cond);
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

/* -- the thread ---------------------------------------------------------------------- */

static bool cpu_thread_is_idle(struct cpu *cpu) REQUIRES(bql)
{
	if (cpu->stop || !cpu_work_list_empty(cpu))
		return false;
	if (cpu->stopped)
		return true;
	return cpu->halted && !target_has_work(cpu);
}

/* From here on a kick counts: what came before is about to be looked at. */
static void kicks_clear(struct cpu *cpu)
{
	halt_clear(cpu->halt_cond);
	__atomic_store_n(&cpu->leave, false, __ATOMIC_SEQ_CST);
}

static void qemu_wait_io_event(struct cpu *cpu) REQUIRES(bql)
{
	kicks_clear(cpu);
	while (cpu_thread_is_idle(cpu)) {
		halt_sleep(cpu->halt_cond);
		kicks_clear(cpu);
	}
	process_queued_cpu_work(cpu);
	if (cpu->stop) {
		cpu->stop = false;
		cpu->stopped = true;
		cond_broadcast(&cpu_cond);
	}
}

static void *mttcg_cpu_thread_fn(void *arg)
{
	struct cpu *cpu = arg;

	bql_lock();
	current_cpu = cpu;
	cpu->created = true;
	cond_broadcast(&cpu_cond);
	for (;;) {
		if (!cpu->stop && !cpu->stopped && !cpu->unplug) {
			bql_unlock();
			thread_role_enter(&vcpu_thread);
			cpu_exec_start(cpu);
			cpu_exec(cpu);
			cpu_exec_end(cpu);
			thread_role_leave(&vcpu_thread);
			bql_lock();
		}
		if (cpu->unplug)
			break;
		qemu_wait_io_event(cpu);
	}
	cpu->created = false;
	cond_broadcast(&cpu_cond);
	bql_unlock();
	return NULL;
}

void qemu_init_vcpu(struct cpu *cpu)
{
	lock_init(&cpu->work_lock, "cpu_work", RANK_CPU_WORK);
	cpu->halt_cond = malloc(sizeof(*cpu->halt_cond));
	if (!cpu->halt_cond)
		die("out of memory");
	halt_cond_init(cpu->halt_cond);
	cpu->exception_index = EXCP_NONE;
	cpu->cflags_next_tb = ~0u;
	cpu->stopped = cpus_paused;
	cpu_list_add(cpu);
	thread_create(&cpu->thread, "CPU 0/TCG", mttcg_cpu_thread_fn, cpu);
	while (!cpu->created)
		cond_wait(&cpu_cond, &bql);
}

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

	cpus_paused = true;
	CPU_FOREACH(cpu) {
		if (cpu->stopped)
			continue;
		cpu->stop = true;
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
		cpu->stop = cpu->stopped = false;
		qemu_cpu_kick(cpu);
	}
}
