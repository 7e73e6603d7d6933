/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/qemu/cpus-mttcg.c - thread=multi: a host thread for each vCPU.
 * Upstream: accel/tcg/tcg-accel-ops-mttcg.c.
 *
 * The thread takes the BQL only when somebody asks for something (stop, queued
 * work, the vCPU's removal): HLT and the wake-up from it, and an instruction
 * that runs alone, do without. */
#include "qemu/cpus_accel.h"

#include <stdio.h>

#include "env/alarm.h"
#include "env/signal.h"
#include "qemu/cpu_timer.h"

static void kicks_clear(struct cpu *cpu)
{
	halt_clear(cpu->halt_cond);
	__atomic_store_n(&cpu->leave, false, __ATOMIC_SEQ_CST);
}

/* The thread's alarm: in HLT, in guest code, anywhere. */
static SIGNAL_SAFE void timer_rings(void)
{
	event_set_own(&current_cpu->halt_cond->kicked);
	cpu_exit(current_cpu);
}

/* An alarm that rings too early is no harm: it is looked after then. */
static void watch_timer(struct cpu *cpu)
{
	s64 due = cpu_timer_alarm_ns(cpu);

	if (due && !alarm_rings_by(due))
		alarm_bring_forward(cpu_timer_attend(cpu));
}

/* A parked vCPU's timer stands still. */
static void idle_sleep(struct cpu *cpu)
{
	bool stopped = cpu_flag(&cpu->stopped);

	if (!stopped)
		watch_timer(cpu);
	if (!cpu_thread_is_idle(cpu))
		return;
	idle_sleeps(&cpu->halt_cond->idle);
	halt_sleep_until_due(cpu->halt_cond, stopped ? 0 : cpu_timer_alarm_ns(cpu));
	idle_woke(&cpu->halt_cond->idle);
}

/* Returns when there is something to do. */
static void qemu_wait_io_event(struct cpu *cpu)
{
	kicks_clear(cpu);
	while (cpu_thread_is_idle(cpu)) {
		idle_sleep(cpu);
		kicks_clear(cpu);
	}
}

static void run(struct cpu *cpu)
{
	watch_timer(cpu);
	cpu_run(cpu);
}

/* False: the vCPU is to go. */
static bool attend(struct cpu *cpu)
{
	bool stays;

	bql_lock();
	cpu_attend(cpu);
	stays = !cpu->unplug;
	if (!stays)
		cpu_set_created(cpu, false);
	bql_unlock();
	return stays;
}

static void *mttcg_cpu_thread_fn(void *arg)
{
	struct cpu *cpu = arg;

	bql_lock();
	current_cpu = cpu;
	cpu_set_created(cpu, true);
	bql_unlock();
	alarm_open(timer_rings);
	halt_awake(true);
	for (;;) {
		qemu_wait_io_event(cpu);
		if (!cpu_is_asked(cpu))
			run(cpu);
		else if (!attend(cpu))
			break;
	}
	halt_awake(false);
	idle_release(&cpu->own_halt.idle);
	alarm_close();
	return NULL;
}

static void mttcg_start_vcpu_thread(struct cpu *cpu) REQUIRES(bql)
{
	char name[16];

	cpu->halt_cond = &cpu->own_halt;
	cpu_list_add(cpu);
	snprintf(name, sizeof(name), "CPU %d/TCG", cpu->cpu_index);
	thread_create(&cpu->thread, name, mttcg_cpu_thread_fn, cpu);
}

static void mttcg_kick_vcpu_thread(struct cpu *cpu)
{
	cpu_exit(cpu);
}

static void mttcg_poke_vcpu_thread(struct cpu *cpu)
{
	cpu_ask_to_leave(cpu);
}

static void mttcg_join_vcpu_thread(struct cpu *cpu)
{
	thread_join(&cpu->thread);
}

const struct accel_ops mttcg_ops = {
	.create_vcpu_thread = mttcg_start_vcpu_thread,
	.kick_vcpu_thread = mttcg_kick_vcpu_thread,
	.poke_vcpu_thread = mttcg_poke_vcpu_thread,
	.join_vcpu_thread = mttcg_join_vcpu_thread,
};
