/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/hw/hpet.c - high precision event timer. IA-PC HPET Specification 1.0a.
 * Upstream: hw/timer/hpet.c.
 *
 * The counter is the virtual clock plus an offset, or stands still; both are
 * published together (struct counter), so that its reads take no lock. A
 * comparator owns a timer for its next match while the counter runs.
 *
 * The registers have a lock of their own. Only what may move an interrupt line or
 * a timer takes the BQL before it, too: configuration, and the comparator of a timer
 * whose matches show. (Linux' driver writes one that does not in a loop.)
 *
 * A comparator that the counter has passed matches when the counter comes by
 * again, as in hardware: drivers look whether they were too late. Periods that
 * a late host missed are skipped; matches are at least 20 us apart, so that no
 * period makes the main loop busy.
 *
 * An edge is a fall and a rise, and the line stays high: an 8259 drops a
 * request whose line falls before it was taken.
 *
 * Left out: delivery by messages (upstream has it behind a property). */
#include "hw/hpet.h"

#include <stdlib.h>

#include "env/log.h"
#include "qemu/memory.h"
#include "qemu/timer.h"

enum { REG_ID = 0x00, REG_CONFIG = 0x10, REG_STATUS = 0x20, REG_COUNTER = 0xf0,
       REG_TIMERS = 0x100, TIMER_BYTES = 0x20, REG_T_CONFIG = 0x00,
       REG_T_COMPARATOR = 0x08 };
enum { CONFIG_ENABLE = 1, CONFIG_LEGACY = 2, CONFIG_WRITABLE = 3 };
enum { T_LEVEL = 1 << 1, T_ENABLE = 1 << 2, T_PERIODIC = 1 << 3,
       T_PERIODIC_CAP = 1 << 4, T_64BIT_CAP = 1 << 5, T_SET_VALUE = 1 << 6,
       T_32BIT = 1 << 8, T_ROUTE_SHIFT = 9, T_ROUTE = 31 << T_ROUTE_SHIFT,
       T_WRITABLE = T_LEVEL | T_ENABLE | T_PERIODIC | T_SET_VALUE | T_32BIT |
		    T_ROUTE };
/* 3 comparators, 64 bits, legacy routes, revision 1; period in fs. */
#define HPET_ID (10000000ull << 32 | 0x8086a201u)
#define MIN_GAP (20000 / HPET_TICK_NS)

/* Guards registers, of the one HPET there is. */
static struct lock hpet_lock = LOCK_INIT("hpet", RANK_HPET);

/* What a reader without the lock sees; `seq` is odd during a change. */
struct counter {
	u32 seq;                 /* _Atomic                                  */
	u32 running;             /* _Atomic                                  */
	u64 value;               /* _Atomic; running: minus the clock's tick */
};

struct comparator {
	struct hpet *hpet;
	int n;
	u32 config GUARDED_BY(hpet_lock);
	u64 value GUARDED_BY(hpet_lock), period GUARDED_BY(hpet_lock);
	/* counter's value `timer` stands for */
	u64 match GUARDED_BY(hpet_lock);
	struct timer timer GUARDED_BY(bql);
};

struct hpet {
	struct counter counter;
	u32 config GUARDED_BY(hpet_lock), status GUARDED_BY(hpet_lock);
	struct comparator comparator[HPET_TIMERS];
	struct hpet_lines lines;
	struct memory_region registers, counter_register;
};

/* -- the main counter ------------------------------------------------------------ */

static u64 clock_ticks(void) { return (u64)qemu_clock_get_ns() / HPET_TICK_NS; }

/* Any thread. */
static u64 counter_read(struct counter *c)
{
	u32 seq, running;
	u64 v;

	do {
		seq = __atomic_load_n(&c->seq, __ATOMIC_ACQUIRE);
		running = __atomic_load_n(&c->running, __ATOMIC_ACQUIRE);
		v = __atomic_load_n(&c->value, __ATOMIC_ACQUIRE);
	} while ((seq & 1) ||
		 seq != __atomic_load_n(&c->seq, __ATOMIC_RELAXED));
	return running ? v + clock_ticks() : v;
}

static void counter_set(struct counter *c, u64 v, bool running) REQUIRES(hpet_lock)
{
	__atomic_fetch_add(&c->seq, 1, __ATOMIC_ACQ_REL);
	__atomic_store_n(&c->running, running, __ATOMIC_RELEASE);
	__atomic_store_n(&c->value, running ? v - clock_ticks() : v,
			 __ATOMIC_RELEASE);
	__atomic_fetch_add(&c->seq, 1, __ATOMIC_ACQ_REL);
}

/* -- lines --------------------------------------------------------------------------- */

static void set_line(struct comparator *t, int level) REQUIRES(bql, hpet_lock)
{
	struct hpet *h = t->hpet;
	struct irq_line line = h->lines.gsi;

	line.n = (t->config & T_ROUTE) >> T_ROUTE_SHIFT;
	if ((h->config & CONFIG_LEGACY) && t->n < 2)
		line = t->n ? h->lines.irq8 : h->lines.irq0;
	else if (!(HPET_ROUTES >> line.n & 1))
		return;
	irq_set(&line, level);
}

static void raise_line(struct comparator *t) REQUIRES(bql, hpet_lock)
{
	if (t->config & T_LEVEL)
		t->hpet->status |= 1u << t->n;
	if (!(t->config & T_ENABLE))
		return;
	if (!(t->config & T_LEVEL))
		set_line(t, 0);
	set_line(t, 1);
}

/* After a change of routes: a level that the guest has not acknowledged. */
static void hold_line(struct comparator *t) REQUIRES(bql, hpet_lock)
{
	if ((t->config & T_LEVEL) && (t->config & T_ENABLE) &&
	    (t->hpet->status >> t->n & 1))
		set_line(t, 1);
}

/* -- comparators ------------------------------------------------------------------------ */

static u64 width(const struct comparator *t) REQUIRES(hpet_lock)
{
	return t->config & T_32BIT ? 0xffffffffull : ~0ull;
}

/* Does a match of it show, but for the value of a periodic one? */
static bool shows(const struct comparator *t) REQUIRES(hpet_lock)
{
	return t->config & (T_ENABLE | T_LEVEL);
}

/* The first match at or after the counter's value `from`: how far ahead it is. */
static u64 aim(struct comparator *t, u64 from) REQUIRES(hpet_lock)
{
	u64 ahead = (t->value - from) & width(t);

	t->match = from + ahead;
	return ahead;
}

/* Arm the timer for that, which lies not before `now`; but not for one that nobody
 * sees. */
static void arm(struct comparator *t, u64 from, u64 now) REQUIRES(bql, hpet_lock)
{
	u64 ahead = aim(t, from), wait = from + ahead - now;

	if (!shows(t) || ahead > INT64_MAX / HPET_TICK_NS / 2) {  /* 1400 years */
		timer_del(&t->timer);
		return;
	}
	timer_mod_ns(&t->timer, qemu_clock_get_ns() +
		     (s64)(wait + 1) * HPET_TICK_NS);
}

static void arm_now(struct comparator *t) REQUIRES(bql, hpet_lock)
{
	u64 now = counter_read(&t->hpet->counter);

	if (t->hpet->config & CONFIG_ENABLE)
		arm(t, now, now);
	else
		timer_del(&t->timer);
}

static bool repeats(const struct comparator *t) REQUIRES(hpet_lock)
{
	return (t->config & T_PERIODIC) && t->period;
}

/* A periodic comparator's next match, at or after the counter's value `from`. */
static void step(struct comparator *t, u64 from) REQUIRES(hpet_lock)
{
	u64 periods = from > t->match ?
		(from - t->match + t->period - 1) / t->period : 1;

	t->match += periods * t->period;
	t->value = t->match & width(t);
}

static void match_is_due(void *opaque) REQUIRES(bql)
{
	struct comparator *t = opaque;
	u64 now = counter_read(&t->hpet->counter);

	lock_acquire(&hpet_lock);
	raise_line(t);
	if (repeats(t)) {
		step(t, now + (t->period < MIN_GAP ? MIN_GAP : 1));
		arm(t, now + 1, now);
	} else {
		arm(t, MAX(now, t->match + 1), now);
	}
	lock_release(&hpet_lock);
}

/* The matches that nobody saw, before the registers are read or changed. */
static void catch_up(struct comparator *t) REQUIRES(hpet_lock)
{
	u64 now = counter_read(&t->hpet->counter);

	if (!shows(t) && repeats(t) && (t->hpet->config & CONFIG_ENABLE) && now > t->match)
		step(t, now);
}

/* -- registers ---------------------------------------------------------------------------- */

/* A 4-byte access at `addr` of an 8-byte register. */
static u32 half(u64 v, gpa addr) { return addr & 4 ? v >> 32 : v; }

static u64 with_half(u64 old, gpa addr, u32 v)
{
	return addr & 4 ? (u32)old | (u64)v << 32 : (old & ~0xffffffffull) | v;
}

static u64 timer_register(const struct comparator *t, gpa reg) REQUIRES(hpet_lock)
{
	if (reg == REG_T_CONFIG)
		return (u64)HPET_ROUTES << 32 | t->config | T_PERIODIC_CAP |
			T_64BIT_CAP;
	return reg == REG_T_COMPARATOR ? t->value : 0;
}

static struct comparator *timer_at(struct hpet *h, gpa addr)
{
	gpa n = (addr - REG_TIMERS) / TIMER_BYTES;

	return addr >= REG_TIMERS && n < HPET_TIMERS ? &h->comparator[n] : NULL;
}

static u64 read_timer(struct comparator *t, gpa addr) REQUIRES(hpet_lock)
{
	catch_up(t);
	return timer_register(t, addr % TIMER_BYTES & ~7ull);
}

static u64 read_register(struct hpet *h, gpa addr) REQUIRES(hpet_lock)
{
	struct comparator *t = timer_at(h, addr);

	if (t)
		return read_timer(t, addr);
	if ((addr & ~7ull) == REG_ID)
		return HPET_ID;
	if ((addr & ~7ull) == REG_CONFIG)
		return h->config;
	return (addr & ~7ull) == REG_STATUS ? h->status : 0;
}

static u64 hpet_read(void *opaque, gpa addr, unsigned size)
{
	u64 v;

	(void)size;
	lock_acquire(&hpet_lock);
	v = read_register(opaque, addr);
	lock_release(&hpet_lock);
	return half(v, addr);
}

static void write_config(struct hpet *h, u32 v) REQUIRES(bql, hpet_lock)
{
	u32 changed = (h->config ^ v) & CONFIG_WRITABLE;
	u64 now = counter_read(&h->counter);

	if (!changed)
		return;
	for (int i = 0; i < HPET_TIMERS; i++) {
		catch_up(&h->comparator[i]);
		set_line(&h->comparator[i], 0);
	}
	h->config = v & CONFIG_WRITABLE;
	if (changed & CONFIG_LEGACY)
		irq_set(&h->lines.legacy, (v & CONFIG_LEGACY) != 0);
	if (changed & CONFIG_ENABLE)
		counter_set(&h->counter, now, v & CONFIG_ENABLE);
	for (int i = 0; i < HPET_TIMERS; i++) {
		hold_line(&h->comparator[i]);
		arm_now(&h->comparator[i]);
	}
}

static void write_status(struct hpet *h, u32 v) REQUIRES(bql, hpet_lock)
{
	u32 cleared = h->status & v;

	h->status &= ~v;
	for (int i = 0; i < HPET_TIMERS; i++)
		if (cleared >> i & 1)
			set_line(&h->comparator[i], 0);
}

static void write_timer_config(struct comparator *t, u32 v) REQUIRES(bql, hpet_lock)
{
	catch_up(t);
	if ((t->config ^ v) & (T_ROUTE | T_LEVEL | T_ENABLE))
		set_line(t, 0);
	t->config = v & T_WRITABLE;
	t->value &= width(t);
	if (!(t->config & T_LEVEL))
		t->hpet->status &= ~(1u << t->n);
	hold_line(t);
	arm_now(t);
}

/* In periodic mode the value is the period, and, if asked for, the first match
 * as well. */
static void set_comparator(struct comparator *t, gpa addr, u32 v) REQUIRES(hpet_lock)
{
	bool periodic = t->config & T_PERIODIC;

	catch_up(t);
	if (!periodic || (t->config & T_SET_VALUE))
		t->value = with_half(t->value, addr, v) & width(t);
	if (periodic)
		t->period = with_half(t->period, addr, v) & width(t) >> 1;
	t->config &= ~T_SET_VALUE;
}

static bool is_comparator(const struct comparator *t, gpa addr)
{
	return t && (addr % TIMER_BYTES & ~7ull) == REG_T_COMPARATOR;
}

/* One whose matches nobody sees: its timer is not armed. False: it is another one. */
static bool write_unseen(struct hpet *h, gpa addr, u32 v) REQUIRES(hpet_lock)
{
	struct comparator *t = timer_at(h, addr);

	if (!is_comparator(t, addr) || shows(t))
		return false;
	set_comparator(t, addr, v);
	aim(t, counter_read(&h->counter));
	return true;
}

static void write_register(struct hpet *h, gpa addr, u32 v) REQUIRES(bql, hpet_lock)
{
	struct comparator *t = timer_at(h, addr);

	if (t && addr % TIMER_BYTES == REG_T_CONFIG) {
		write_timer_config(t, v);
	} else if (is_comparator(t, addr)) {
		set_comparator(t, addr, v);
		arm_now(t);
	} else if (!t && addr == REG_CONFIG) {
		write_config(h, v);
	} else if (!t && addr == REG_STATUS) {
		write_status(h, v);
	}
}

static void write_with_lines(struct hpet *h, gpa addr, u32 v) REQUIRES(bql)
{
	lock_acquire(&hpet_lock);
	write_register(h, addr, v);
	lock_release(&hpet_lock);
}

/* UNCHECKED: the BQL is taken on a condition, unless the access came with it. */
static UNCHECKED void hpet_write(void *opaque, gpa addr, u64 val, unsigned size)
{
	bool done, held = bql_held();

	(void)size;
	lock_acquire(&hpet_lock);
	done = write_unseen(opaque, addr, val);
	lock_release(&hpet_lock);
	if (done)
		return;
	if (!held)
		bql_lock();
	write_with_lines(opaque, addr, val);
	if (!held)
		bql_unlock();
}

/* No lock. */
static u64 counter_reg_read(void *opaque, gpa addr, unsigned size)
{
	struct hpet *h = opaque;

	(void)size;
	return half(counter_read(&h->counter), addr);
}

/* Only while it stands still; no timer runs then. */
static void counter_reg_write(void *opaque, gpa addr, u64 val, unsigned size)
{
	struct hpet *h = opaque;

	(void)size;
	lock_acquire(&hpet_lock);
	if (!(h->config & CONFIG_ENABLE))
		counter_set(&h->counter, with_half(counter_read(&h->counter),
						   addr, val), false);
	lock_release(&hpet_lock);
}

static const struct memory_region_ops hpet_ops = { hpet_read, hpet_write, 4, 4 };
static const struct memory_region_ops counter_ops = {
	counter_reg_read, counter_reg_write, 4, 4
};

/* -- life ------------------------------------------------------------------------------------ */

void hpet_reset(void *opaque)
{
	struct hpet *h = opaque;

	lock_acquire(&hpet_lock);
	write_config(h, 0);
	counter_set(&h->counter, 0, false);
	h->status = 0;
	for (int i = 0; i < HPET_TIMERS; i++) {
		struct comparator *t = &h->comparator[i];

		set_line(t, 0);
		t->config = 0;
		t->value = ~0ull;
		t->period = 0;
	}
	lock_release(&hpet_lock);
}

struct hpet *hpet_new(struct memory_region *memory,
		      const struct hpet_lines *lines)
{
	struct hpet *h = calloc(1, sizeof(*h));

	if (!h)
		die("out of memory");
	h->lines = *lines;
	for (int i = 0; i < HPET_TIMERS; i++) {
		h->comparator[i].hpet = h;
		h->comparator[i].n = i;
		timer_init_ns(&h->comparator[i].timer, match_is_due,
			      &h->comparator[i]);
	}
	memory_region_init_io(&h->registers, "hpet", HPET_SIZE, &hpet_ops, h);
	memory_region_init_io(&h->counter_register, "hpet-counter", 8,
			      &counter_ops, h);
	memory_region_clear_global_locking(&h->registers);
	memory_region_clear_global_locking(&h->counter_register);
	memory_region_add_subregion(memory, HPET_BASE, &h->registers);
	memory_region_add_subregion_overlap(memory, HPET_BASE + REG_COUNTER,
					    &h->counter_register, 1);
	hpet_reset(h);
	return h;
}
