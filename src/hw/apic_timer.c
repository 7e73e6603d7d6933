/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/hw/apic_timer.c - the local APIC's timer: one-shot, periodic, and by the
 * time stamp counter. Intel SDM vol. 3A 10.5.4. Upstream: apic.c apic_timer*.
 *
 * The count is computed from the clock when it is read. A timer of the main
 * loop stands for the next interrupt only, and for none while the LVT entry
 * masks it. The input clock is 1 GHz, as upstream's.
 *
 * DIFF: as in upstream, a period is one tick longer than the initial count. A
 * period below MIN_PERIOD_NS gives an interrupt every so often only: the guest
 * cannot make the main loop busy. */
#include "env/clock.h"
#include "hw/apic_regs.h"

enum { MIN_PERIOD_NS = 20000 };

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

static void arm_count(struct apic *s, s64 now) REQUIRES(bql)
{
	u64 done = ticks(s, now), period = s->initial + 1ull;
	s64 next;

	if (!runs(s, done)) {
		timer_del(&s->timer);
		return;
	}
	if (!(reg_get(&s->lvt[LVT_TIMER]) & LVT_PERIODIC)) {
		next = s->start_ns + (s64)((u64)s->initial << shift_of(s->divide));
	} else {
		next = s->start_ns +
			(s64)((done / period + 1) * period << shift_of(s->divide));
		next = MAX(next, now + MIN_PERIOD_NS);
	}
	timer_mod_ns(&s->timer, next);
}

void apic_timer_update(struct apic *s)
{
	u32 lvt = reg_get(&s->lvt[LVT_TIMER]);
	s64 now = qemu_clock_get_ns();

	if (!(lvt & LVT_DEADLINE) && !(lvt & LVT_MASKED))
		arm_count(s, now);
	else if ((lvt & LVT_DEADLINE) && deadline_get(s))
		timer_mod_ns(&s->timer, now + until_deadline(s));
	else
		timer_del(&s->timer);
}

/* A masked deadline passes too. */
static void timer_fires(void *opaque) REQUIRES(bql)
{
	struct apic *s = opaque;

	if (reg_get(&s->lvt[LVT_TIMER]) & LVT_DEADLINE) {
		if (until_deadline(s)) {
			apic_timer_update(s);
			return;
		}
		deadline_put(s, 0);
	}
	apic_local_deliver(s, LVT_TIMER);
	apic_timer_update(s);
}

/* The main loop may be late: what has expired by now is not to be lost when the
 * timer is set anew. */
static void catch_up(struct apic *s) REQUIRES(bql)
{
	if (!timer_pending(&s->timer) || s->timer.expire_ns > qemu_clock_get_ns())
		return;
	timer_del(&s->timer);
	timer_fires(s);
}

/* -- the owner's writes -------------------------------------------------------------- */
static void stop(struct apic *s) REQUIRES(bql)
{
	s->initial = 0;
	deadline_put(s, 0);
}

UNCHECKED void apic_timer_start(struct apic *s, u32 initial)
{
	bool locked = apic_lock();

	if (!(reg_get(&s->lvt[LVT_TIMER]) & LVT_DEADLINE)) {
		s->initial = initial;
		s->start_ns = qemu_clock_get_ns();
		apic_timer_update(s);
	}
	apic_unlock(locked);
}

UNCHECKED void apic_timer_set_divide(struct apic *s, u32 divide)
{
	bool locked = apic_lock();

	catch_up(s);
	s->divide = divide & 0xb;
	apic_timer_update(s);
	apic_unlock(locked);
}

UNCHECKED void apic_timer_set_lvt(struct apic *s, u32 lvt)
{
	bool locked = apic_lock();

	catch_up(s);
	if ((lvt ^ reg_get(&s->lvt[LVT_TIMER])) & LVT_DEADLINE)
		stop(s);
	reg_set(&s->lvt[LVT_TIMER], lvt);
	apic_timer_update(s);
	apic_unlock(locked);
}

UNCHECKED void apic_set_tsc_deadline(struct cpu *cpu, u64 host_tsc)
{
	struct apic *s = cpu->apic;
	bool locked;

	if (!s || !(reg_get(&s->lvt[LVT_TIMER]) & LVT_DEADLINE))
		return;
	locked = apic_lock();
	deadline_put(s, host_tsc);
	apic_timer_update(s);
	apic_unlock(locked);
}

u64 apic_get_tsc_deadline(const struct cpu *cpu)
{
	return cpu->apic ? deadline_get(cpu->apic) : 0;
}

/* -- life ------------------------------------------------------------------------------ */
void apic_timer_reset(struct apic *s)
{
	stop(s);
	s->divide = 0;
	timer_del(&s->timer);
}

void apic_timer_init(struct apic *s)
{
	timer_init_ns(&s->timer, timer_fires, s);
}
