/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/hw/apic_timer.c - the local APIC's timer: one-shot, periodic, and by the
 * time stamp counter. Intel SDM vol. 3A 10.5.4. Upstream: apic.c apic_timer*.
 *
 * The count is computed from the clock when it is read. The vCPU's timer
 * (qemu/cpu_timer.h) stands for the next interrupt only, and for none while the LVT
 * entry masks it; no access takes the BQL. Its input clock (APIC_TIMER_HZ) is the virtual clock's unit.
 *
 * DIFF: as in upstream, a period is one tick longer than the initial count. A
 * period below MIN_PERIOD_NS gives an interrupt every so often only: the guest
 * gets on between two of them. */
#include "env/clock.h"
#include "hw/apic_regs.h"

enum { MIN_PERIOD_NS = 50000 };

/* The divide configuration's bits 3, 1, 0: 000 is by 2, 110 by 128, 111 by 1. */
static int shift_of(u32 divide)
{
	return ((divide & 3) + (divide >> 1 & 4) + 1) & 7;
}

static u64 ticks(const struct apic *s, s64 now)
{
	return (u64)(now - s->start_ns) >> shift_of(s->divide);
}

static bool runs(const struct apic *s, u64 done)
{
	return s->initial && (reg_get(&s->lvt[LVT_TIMER]) & LVT_PERIODIC || done < s->initial);
}

u32 apic_timer_current(const struct apic *s)
{
	u64 done = ticks(s, qemu_clock_get_ns());

	return runs(s, done) ? s->initial - (u32)(done % (s->initial + 1ull)) : 0;
}

static u64 deadline_get(const struct apic *s)
{
	return __atomic_load_n(&s->deadline, __ATOMIC_RELAXED);
}

static void deadline_put(struct apic *s, u64 v)
{
	__atomic_store_n(&s->deadline, v, __ATOMIC_RELAXED);
}

/* Nanoseconds from now to the deadline, rounded up; 0: it has passed. */
static s64 until_deadline(const struct apic *s)
{
	u64 left = deadline_get(s) - cpu_get_host_ticks();
	s64 ns;

	if ((s64)left <= 0)
		return 0;
	ns = cpu_ticks_to_ns(left) + 1;
	return MIN(MAX(ns, (s64)1), 3600 * NS_PER_SEC);
}

static void arm_count(struct apic *s, s64 now) REQUIRES(cpu_timers)
{
	u64 done = ticks(s, now), period = s->initial + 1ull;
	s64 next;

	if (!runs(s, done)) {
		cpu_timer_del(s->cpu);
		return;
	}
	if (!(reg_get(&s->lvt[LVT_TIMER]) & LVT_PERIODIC)) {
		next = s->start_ns + (s64)((u64)s->initial << shift_of(s->divide));
	} else {
		next = s->start_ns +
			(s64)((done / period + 1) * period << shift_of(s->divide));
		next = MAX(next, now + MIN_PERIOD_NS);
	}
	cpu_timer_mod(s->cpu, next);
}

/* Arm it for what its registers say at `now`, when what was due before has been
 * delivered. Each function reads the clock once: a count that ended between two
 * looks, the thread being off its processor, would be lost. */
static void update(struct apic *s, s64 now) REQUIRES(cpu_timers)
{
	u32 lvt = reg_get(&s->lvt[LVT_TIMER]);

	if (!(lvt & LVT_DEADLINE) && !(lvt & LVT_MASKED))
		arm_count(s, now);
	else if ((lvt & LVT_DEADLINE) && deadline_get(s))
		cpu_timer_mod(s->cpu, now + until_deadline(s));
	else
		cpu_timer_del(s->cpu);
}

/* A masked deadline passes too. */
static void expired(struct apic *s, s64 now) REQUIRES(cpu_timers)
{
	if (!(reg_get(&s->lvt[LVT_TIMER]) & LVT_DEADLINE)) {
		apic_local_deliver(s, LVT_TIMER);
	} else if (!until_deadline(s)) {
		deadline_put(s, 0);
		apic_local_deliver(s, LVT_TIMER);
	}
	update(s, now);
}

static void timer_fires(struct cpu *cpu) REQUIRES(cpu_timers)
{
	expired(cpu->apic, qemu_clock_get_ns());
}

/* Who keeps watch may be late: what has expired by now is not to be lost when the
 * timer is set anew. */
static void catch_up(struct apic *s, s64 now) REQUIRES(cpu_timers)
{
	s64 at = cpu_timer_expire(s->cpu);

	if (at < 0 || at > now)
		return;
	cpu_timer_del(s->cpu);
	expired(s, now);
}

/* -- the owner's writes -------------------------------------------------------------- */
static void stop(struct apic *s) REQUIRES(cpu_timers)
{
	s->initial = 0;
	deadline_put(s, 0);
}

void apic_timer_start(struct apic *s, u32 initial)
{
	cpu_timer_lock(s->cpu);
	if (!(reg_get(&s->lvt[LVT_TIMER]) & LVT_DEADLINE)) {
		s->initial = initial;
		s->start_ns = qemu_clock_get_ns();
		update(s, s->start_ns);
	}
	cpu_timer_unlock(s->cpu);
}

void apic_timer_set_divide(struct apic *s, u32 divide)
{
	s64 now;

	cpu_timer_lock(s->cpu);
	now = qemu_clock_get_ns();
	catch_up(s, now);
	s->divide = divide & 0xb;
	update(s, now);
	cpu_timer_unlock(s->cpu);
}

void apic_timer_set_lvt(struct apic *s, u32 lvt)
{
	s64 now;

	cpu_timer_lock(s->cpu);
	now = qemu_clock_get_ns();
	catch_up(s, now);
	if ((lvt ^ reg_get(&s->lvt[LVT_TIMER])) & LVT_DEADLINE)
		stop(s);
	reg_set(&s->lvt[LVT_TIMER], lvt);
	update(s, now);
	cpu_timer_unlock(s->cpu);
}

void apic_set_tsc_deadline(struct cpu *cpu, u64 host_tsc)
{
	struct apic *s = cpu->apic;

	if (!s || !(reg_get(&s->lvt[LVT_TIMER]) & LVT_DEADLINE))
		return;
	cpu_timer_lock(cpu);
	deadline_put(s, host_tsc);
	update(s, qemu_clock_get_ns());
	cpu_timer_unlock(cpu);
}

u64 apic_get_tsc_deadline(const struct cpu *cpu)
{
	return cpu->apic ? deadline_get(cpu->apic) : 0;
}

/* -- life ------------------------------------------------------------------------------ */
void apic_timer_reset(struct apic *s)
{
	cpu_timer_lock(s->cpu);
	stop(s);
	s->divide = 0;
	cpu_timer_del(s->cpu);
	cpu_timer_unlock(s->cpu);
}

void apic_timer_init(struct apic *s)
{
	cpu_timer_init(s->cpu, timer_fires);
}
