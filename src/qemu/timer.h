/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/qemu/timer.h - guest time. The virtual clock stands still while the
 * machine is stopped; devices compute their counters from it. */
#ifndef QEMU_TIMER_H
#define QEMU_TIMER_H

#include "env/poll.h"

s64 qemu_clock_get_ns(void);         /* QEMU_CLOCK_VIRTUAL; any thread       */
void qemu_clock_enable(bool on) REQUIRES(bql);    /* vm_start / vm_stop      */
bool qemu_clock_running(void);                    /* any thread              */
/* The host's monotonic clock at that time, if the virtual one runs on. */
s64 qemu_clock_to_host_ns(s64 virtual_ns);

/* A counter that goes on with the virtual clock, fast: the host's time stamps, or
 * with -icount nanoseconds. And how long a number of its ticks lasts. */
u64 cpu_get_host_ticks(void);
s64 cpu_ticks_to_ns(u64 ticks);
u64 cpu_ticks_hz(void);              /* a second's; the same at each call       */

struct timer {
	struct poll_timer t;
	s64 expire_ns;                   /* on the virtual clock             */
	bool armed;
	u64 order;                       /* of those due at the same time    */
	struct timer *next;              /* armed ones                       */
	poll_fn *cb;
	void *opaque;
};
void timer_init_ns(struct timer *t, poll_fn *cb, void *opaque);
void timer_mod_ns(struct timer *t, s64 expire_ns) REQUIRES(bql);  /* virtual */
void timer_del(struct timer *t) REQUIRES(bql);
/* For icount.c: when the next one is due, -1: none, or the clock stands; run the
 * earliest one, if it is due at `now`. */
s64 timers_deadline(void) REQUIRES(bql);
void timers_run_expired(s64 now) REQUIRES(bql);
static inline bool timer_pending(const struct timer *t) { return t->armed; }

static inline u64 muldiv64(u64 a, u32 b, u32 c)   /* a * b / c, 96 bits inside */
{
	u64 low = (a & 0xffffffff) * b, high = (a >> 32) * b + (low >> 32);

	return ((high / c) << 32) + (high % c << 32 | (low & 0xffffffff)) / c;
}

#endif
