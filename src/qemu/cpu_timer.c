/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/qemu/cpu_timer.c - the timer of a vCPU: see cpu_timer.h.
 *
 * `watched` says that main's alarm is set. The vCPU's thread clears it when it goes
 * to sleep until then itself, main when the alarm has rung. An alarm that rings
 * too early (the machine was stopped meanwhile) is set again; one that rings while
 * the machine is stopped is not: cpu_timer_run() sets it when the vCPU runs on. */
#include "qemu/cpu_timer.h"

#include <stdlib.h>

#include "env/alarm.h"
#include "env/log.h"
#include "qemu/cpu.h"
#include "qemu/icount.h"
#include "qemu/timer.h"

struct lock_class cpu_timers;

struct cpu_timer {
	struct lock lock;
	struct cpu *cpu;
	cpu_timer_fn *cb;
	s64 expire_ns;                   /* _Atomic; virtual clock, -1: not set */
	bool watched;                    /* _Atomic                           */
	struct alarm alarm;
};

UNCHECKED void cpu_timer_lock(struct cpu *cpu)
{
	lock_acquire(&cpu->timer->lock);
}

UNCHECKED void cpu_timer_unlock(struct cpu *cpu)
{
	lock_release(&cpu->timer->lock);
}

s64 cpu_timer_expire(const struct cpu *cpu)
{
	return __atomic_load_n(&cpu->timer->expire_ns, __ATOMIC_RELAXED);
}

static void set_expire(struct cpu_timer *t, s64 ns) REQUIRES(cpu_timers)
{
	__atomic_store_n(&t->expire_ns, ns, __ATOMIC_RELAXED);
}

static bool watched(const struct cpu_timer *t)
{
	return __atomic_load_n(&t->watched, __ATOMIC_RELAXED);
}

static void watch(struct cpu_timer *t, bool on) REQUIRES(cpu_timers)
{
	alarm_set(&t->alarm, on ? qemu_clock_to_host_ns(t->expire_ns) : 0);
	__atomic_store_n(&t->watched, on, __ATOMIC_RELAXED);
}

static void fire(struct cpu_timer *t) REQUIRES(cpu_timers)
{
	set_expire(t, -1);
	t->cb(t->cpu);
}

void cpu_timer_mod(struct cpu *cpu, s64 expire_ns)
{
	struct cpu_timer *t = cpu->timer;

	set_expire(t, MAX(expire_ns, 0));
	if (icount_enabled())
		icount_deadline_changed();
	else if (qemu_clock_running())
		watch(t, true);
}

void cpu_timer_del(struct cpu *cpu)
{
	struct cpu_timer *t = cpu->timer;

	set_expire(t, -1);
	if (watched(t))
		watch(t, false);
}

/* -- who keeps watch ---------------------------------------------------------------- */
static void alarm_rings(void *opaque) REQUIRES(bql)
{
	struct cpu_timer *t = opaque;

	cpu_timer_lock(t->cpu);
	__atomic_store_n(&t->watched, false, __ATOMIC_RELAXED);
	if (t->expire_ns >= 0 && qemu_clock_running()) {
		if (t->expire_ns <= qemu_clock_get_ns())
			fire(t);
		else
			watch(t, true);
	}
	cpu_timer_unlock(t->cpu);
}

static s64 sleep_ns(struct cpu_timer *t) REQUIRES(cpu_timers)
{
	s64 left;

	if (t->expire_ns < 0 || !qemu_clock_running())
		return -1;
	left = t->expire_ns - qemu_clock_get_ns();
	if (left <= 0) {
		fire(t);
		return 0;
	}
	if (t->watched)
		watch(t, false);
	return left;
}

s64 cpu_timer_sleep(struct cpu *cpu)
{
	s64 ns;

	if (!cpu->timer || cpu_timer_expire(cpu) < 0)
		return -1;
	cpu_timer_lock(cpu);
	ns = sleep_ns(cpu->timer);
	cpu_timer_unlock(cpu);
	return ns;
}

void cpu_timer_run(struct cpu *cpu)
{
	struct cpu_timer *t = cpu->timer;

	if (!t || watched(t) || cpu_timer_expire(cpu) < 0 || icount_enabled())
		return;
	cpu_timer_lock(cpu);
	if (!t->watched && t->expire_ns >= 0 && qemu_clock_running())
		watch(t, true);
	cpu_timer_unlock(cpu);
}

/* -- icount -------------------------------------------------------------------------- */
static struct cpu *earliest(void) REQUIRES(bql)
{
	struct cpu *cpu, *first = NULL;

	CPU_FOREACH(cpu)
		if (cpu->timer && cpu_timer_expire(cpu) >= 0 &&
		    (!first || cpu_timer_expire(cpu) < cpu_timer_expire(first)))
			first = cpu;
	return first;
}

s64 cpu_timers_deadline(void)
{
	const struct cpu *cpu = qemu_clock_running() ? earliest() : NULL;

	return cpu ? cpu_timer_expire(cpu) : -1;
}

void cpu_timers_run_expired(s64 now)
{
	struct cpu *cpu = earliest();

	if (!cpu || cpu_timer_expire(cpu) > now)
		return;
	cpu_timer_lock(cpu);
	fire(cpu->timer);
	cpu_timer_unlock(cpu);
}

/* -- life ------------------------------------------------------------------------------ */
void cpu_timer_init(struct cpu *cpu, cpu_timer_fn *cb)
{
	struct cpu_timer *t = calloc(1, sizeof(*t));

	if (!t)
		die("out of memory");
	lock_init(&t->lock, "cpu_timer", RANK_CPU_TIMER);
	t->cpu = cpu;
	t->cb = cb;
	t->expire_ns = -1;
	alarm_init(&t->alarm, alarm_rings, t);
	cpu->timer = t;
}

void cpu_timer_destroy(struct cpu *cpu)
{
	alarm_cleanup(&cpu->timer->alarm);
	lock_destroy(&cpu->timer->lock);
	free(cpu->timer);
	cpu->timer = NULL;
}
