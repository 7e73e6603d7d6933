/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/qemu/cpu_timer.c - the timer of a vCPU: see cpu_timer.h.
 *
 * A setting while the vCPU runs brings the thread's alarm forward. Everything else is
 * found between its runs: that the timer is due, was set later, was set by another
 * thread, or that the machine was stopped meanwhile. */
#include "qemu/cpu_timer.h"

#include <stdlib.h>

#include "env/alarm.h"
#include "env/clock.h"
#include "env/log.h"
#include "qemu/cpus.h"
#include "qemu/icount.h"
#include "qemu/timer.h"

/* The thread's alarm takes a few microseconds, in which a guest that sets a timer in its
 * own interrupt gets no further. While the vCPU runs, the alarm is not nearer than this. */
enum { MIN_ALARM_NS = 50000 };

struct lock_class cpu_timers;

struct cpu_timer {
	struct lock lock;
	struct cpu *cpu;
	cpu_timer_fn *cb;
	s64 expire_ns;                   /* _Atomic; virtual clock, -1: not set */
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

static void fire(struct cpu_timer *t) REQUIRES(cpu_timers)
{
	set_expire(t, -1);
	t->cb(t->cpu);
}

/* When the alarm has to ring: never 0, which is "not at all". */
static s64 alarm_ns(const struct cpu_timer *t)
{
	s64 expire = __atomic_load_n(&t->expire_ns, __ATOMIC_RELAXED);

	return MAX(qemu_clock_to_host_ns(expire), (s64)1);
}

void cpu_timer_mod(struct cpu *cpu, s64 expire_ns)
{
	struct cpu_timer *t = cpu->timer;

	set_expire(t, MAX(expire_ns, 0));
	if (icount_enabled())
		icount_deadline_changed();
	else if (qemu_cpu_is_self(cpu) && qemu_clock_running())
		alarm_bring_forward(MAX(alarm_ns(t), clock_monotonic_ns() + MIN_ALARM_NS));
}

void cpu_timer_del(struct cpu *cpu)
{
	set_expire(cpu->timer, -1);
}

/* -- the thread's watch ------------------------------------------------------------- */
s64 cpu_timer_alarm_ns(struct cpu *cpu)
{
	if (!cpu->timer || cpu_timer_expire(cpu) < 0 || !qemu_clock_running())
		return 0;
	return alarm_ns(cpu->timer);
}

s64 cpu_timer_attend(struct cpu *cpu)
{
	s64 late;

	if (!cpu_timer_alarm_ns(cpu))
		return 0;
	cpu_timer_lock(cpu);
	late = qemu_clock_get_ns() - cpu->timer->expire_ns;
	if (cpu->timer->expire_ns >= 0 && late >= 0) {
		idle_late(&cpu->halt_cond->idle, late);
		fire(cpu->timer);
	}
	cpu_timer_unlock(cpu);
	return cpu_timer_alarm_ns(cpu);
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
	cpu->timer = t;
}

void cpu_timer_destroy(struct cpu *cpu)
{
	lock_destroy(&cpu->timer->lock);
	free(cpu->timer);
	cpu->timer = NULL;
}
