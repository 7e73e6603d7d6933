/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/qemu/timer.c - the virtual clock and the timers on it. Upstream:
 * cpu_get_clock, cpu_enable_ticks, QEMUTimer.
 *
 * The clock is the host's monotonic one less the time for which the machine
 * was stopped. Its whole state is one word, so that any thread reads it
 * without a lock: running, the offset to the host's clock; stopped, the time
 * itself; times 2, plus 1 when running. */
#include "qemu/timer.h"

#include "env/clock.h"
#include "env/log.h"
#include "qemu/icount.h"

static s64 clock_state;                  /* _Atomic; written under the BQL   */
static struct timer *armed GUARDED_BY(bql);

static s64 clock_value(s64 state, s64 host_ns)
{
	return state & 1 ? host_ns + (state >> 1) : state >> 1;
}

static s64 host_clock_ns(void)
{
	s64 state = __atomic_load_n(&clock_state, __ATOMIC_RELAXED);

	return clock_value(state, state & 1 ? clock_monotonic_ns() : 0);
}

s64 qemu_clock_get_ns(void)
{
	if (icount_enabled())
		return icount_get_ns();
	return host_clock_ns();
}

u64 cpu_get_host_ticks(void)
{
	return icount_enabled() ? (u64)icount_get_ns() : clock_host_tsc();
}

s64 cpu_ticks_to_ns(u64 ticks)
{
	return icount_enabled() ? (s64)ticks : clock_tsc_to_ns(ticks);
}

u64 cpu_ticks_hz(void)
{
	return icount_enabled() ? (u64)NS_PER_SEC : clock_tsc_hz();
}

bool qemu_clock_running(void)
{
	return __atomic_load_n(&clock_state, __ATOMIC_RELAXED) & 1;
}

s64 qemu_clock_to_host_ns(s64 virtual_ns)
{
	return virtual_ns - (__atomic_load_n(&clock_state, __ATOMIC_RELAXED) >> 1);
}

static void host_timer_arm(struct timer *t) REQUIRES(bql)
{
	if (icount_enabled()) {
		icount_deadline_changed();
		return;
	}
	poll_timer_mod(&t->t, qemu_clock_to_host_ns(t->expire_ns));
}

void qemu_clock_enable(bool on)
{
	s64 host = clock_monotonic_ns();
	s64 now = clock_value(clock_state, host);

	if (on == qemu_clock_running())
		return;
	__atomic_store_n(&clock_state, on ? (now - host) * 2 + 1 : now * 2,
			 __ATOMIC_RELAXED);
	for (struct timer *t = armed; t; t = t->next)
		if (on)
			host_timer_arm(t);
		else
			poll_timer_del(&t->t);
}

static void unlink_timer(struct timer *t) REQUIRES(bql)
{
	struct timer **p = &armed;

	while (*p != t)
		p = &(*p)->next;
	*p = t->next;
	t->armed = false;
}

static struct timer *earliest(void) REQUIRES(bql)
{
	struct timer *first = NULL;

	for (struct timer *t = armed; t; t = t->next)
		if (!first || t->expire_ns < first->expire_ns ||
		    (t->expire_ns == first->expire_ns && t->order < first->order))
			first = t;
	return first;
}

s64 timers_deadline(void)
{
	const struct timer *t = qemu_clock_running() ? earliest() : NULL;

	return t ? MAX(t->expire_ns, 0) : -1;
}

void timers_run_expired(s64 now)
{
	struct timer *t = earliest();

	if (t && t->expire_ns <= now) {
		unlink_timer(t);
		t->cb(t->opaque);
	}
}

/* The callback may arm the timer again. */
static void timer_fires(void *opaque) REQUIRES(bql)
{
	struct timer *t = opaque;

	unlink_timer(t);
	t->cb(t->opaque);
}

void timer_init_ns(struct timer *t, poll_fn *cb, void *opaque)
{
	*t = (struct timer){ .cb = cb, .opaque = opaque };
	poll_timer_init(&t->t, timer_fires, t);
}

void timer_mod_ns(struct timer *t, s64 expire_ns)
{
	static u64 n GUARDED_BY(bql);

	t->expire_ns = expire_ns;
	t->order = n++;
	if (!t->armed) {
		t->armed = true;
		t->next = armed;
		armed = t;
	}
	if (qemu_clock_running())
		host_timer_arm(t);
}

void timer_del(struct timer *t)
{
	if (!t->armed)
		return;
	unlink_timer(t);
	poll_timer_del(&t->t);
}
