/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a chip's test puts in the place of the machine: a clock that goes only
 * when told, timers on it, ports called directly, a line that counts. A test
 * includes this once; the linker then leaves qemu/timer.c and hw/ports.c out. */
#ifndef FAKE_HW_H
#define FAKE_HW_H

#include <check.h>
#include <stdlib.h>

#include "env/clock.h"
#include "hw/irq.h"
#include "hw/ports.h"
#include "qemu/timer.h"

/* -- time -------------------------------------------------------------------- */
static s64 fake_now = 1000000007;
static s64 fake_step;                    /* passes at each look at the clock */
static struct timer *fake_timers;
static unsigned fake_fired;

s64 qemu_clock_get_ns(void) { return fake_now += fake_step; }
u64 cpu_get_host_ticks(void) { return clock_host_tsc(); }
s64 cpu_ticks_to_ns(u64 ticks) { return clock_tsc_to_ns(ticks); }

void timer_init_ns(struct timer *t, poll_fn *cb, void *opaque)
{
	*t = (struct timer){ .t = { .cb = cb, .opaque = opaque },
			     .next = fake_timers };
	fake_timers = t;
}

void timer_mod_ns(struct timer *t, s64 expire_ns)
{
	t->expire_ns = expire_ns;
	t->armed = true;
}

void timer_del(struct timer *t) { t->armed = false; }

/* Let `ns` pass; timers fire in order, at their time. */
static inline void fake_pass(s64 ns)
{
	s64 end = fake_now + ns;

	for (;;) {
		struct timer *first = NULL;

		for (struct timer *t = fake_timers; t; t = t->next)
			if (t->armed && t->expire_ns <= end &&
			    (!first || t->expire_ns < first->expire_ns))
				first = t;
		if (!first)
			break;
		fake_now = MAX(fake_now, first->expire_ns);
		first->armed = false;
		fake_fired++;
		first->t.cb(first->t.opaque);
	}
	fake_now = end;
}

/* -- ports ------------------------------------------------------------------- */
static struct fake_range {
	u16 first;
	unsigned count;
	const struct memory_region_ops *ops;
	void *opaque;
} fake_ranges[32];
static int fake_n_ranges;

struct memory_region *ports_map(struct memory_region *io, const char *name,
				u16 first, unsigned count,
				const struct memory_region_ops *ops,
				void *opaque)
{
	(void)io, (void)name;
	ck_assert_int_lt(fake_n_ranges, 32);
	fake_ranges[fake_n_ranges++] =
		(struct fake_range){ first, count, ops, opaque };
	return NULL;
}

static inline struct fake_range *fake_range(u16 port)
{
	for (int i = 0; i < fake_n_ranges; i++)
		if (port >= fake_ranges[i].first &&
		    port < fake_ranges[i].first + fake_ranges[i].count)
			return &fake_ranges[i];
	ck_abort_msg("nothing at port %x", port);
	return NULL;
}

static inline u8 inb(u16 port)
{
	struct fake_range *r = fake_range(port);

	return r->ops->read(r->opaque, port - r->first, 1);
}

static inline void outb(u16 port, u8 val)
{
	struct fake_range *r = fake_range(port);

	r->ops->write(r->opaque, port - r->first, val, 1);
}

/* -- an interrupt line ---------------------------------------------------------- */
struct fake_line { int level; unsigned rises; };

static inline void fake_line_set(void *opaque, int n, int level)
{
	struct fake_line *l = opaque;

	(void)n;
	l->rises += level && !l->level;
	l->level = !!level;
}

static inline struct irq_line fake_line(struct fake_line *l)
{
	return (struct irq_line){ fake_line_set, l, 0 };
}

#endif
