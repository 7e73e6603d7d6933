/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/qemu/timer.h - guest time. The virtual clock stands still while the
 * machine is stopped; devices compute their counters from it. */
#ifndef QEMU_TIMER_H
#define QEMU_TIMER_H

#include "env/poll.h"

s64 qemu_clock_get_ns(void);         /* QEMU_CLOCK_VIRTUAL; any thread       */
void qemu_clock_enable(bool on) REQUIRES(bql);    /* vm_start / vm_stop      */

struct timer {
	struct poll_timer t;
	s64 expire_ns;                   /* on the virtual clock             */
	bool armed;
	struct timer *next;              /* armed ones                       */
	poll_fn *cb;
	void *opaque;
};
void timer_init_ns(struct timer *t, poll_fn *cb, void *opaque);
void timer_mod_ns(struct timer *t, s64 expire_ns) REQUIRES(bql);  /* virtual */
void timer_del(struct timer *t) REQUIRES(bql);
static inline bool timer_pending(const struct timer *t) { return t->armed; }

static inline u64 muldiv64(u64 a, u32 b, u32 c)   /* a * b / c, 96 bits inside */
{
	return (u64)((unsigned __int128)a * b / c);
}

#endif
