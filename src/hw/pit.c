/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/hw/pit.c - 8254 interval timer and port 61h. Intel 231164-005.
 *
 * Nothing ticks: a counter is the clock tick at which its count was loaded,
 * and whatever is asked for follows from the ticks since then. Only counter
 * 0 owns a timer, for the next rising edge of its output.
 *
 * Guests read counters and OUT 2 again and again to wait for a time, so the ports
 * take a lock of their own, not the BQL. Only a write that concerns counter 0, whose
 * output is an interrupt line, takes that, too, before this one. Port 61h is read
 * from a copy of what it depends on, under no lock.
 *
 * A late host loses no edges at first: they are made up for at up to twice
 * their rate, so that the guest can take each one. The arrears are bounded,
 * and so is the rate: no count makes the main loop busy.
 *
 * DIFF: a count is in effect at once, not with the next CLK pulse. DIFF: IRQ
 * 0 shows the falling edge of modes 2, 3 and 4 together with the rising one,
 * so that a slow host does not take a pending request away. */
#include "hw/pit.h"

#include <stdlib.h>
#include <string.h>

#include "env/clock.h"
#include "env/log.h"
#include "hw/ports.h"
#include "qemu/memory.h"
#include "qemu/timer.h"

enum { RW_LSB = 1, RW_MSB = 2, RW_BOTH = 3 };
enum { PORT61_GATE2 = 1, PORT61_WRITABLE = 0x0f, PORT61_REFRESH = 0x10,
       PORT61_OUT2 = 0x20 };

#define NEVER (~0ull)
#define MIN_GAP 24                   /* ticks between two IRQs: 20 us        */
#define MAX_ARREARS (PIT_HZ / 4)     /* ticks of lateness made up for        */
#define MAX_ARREARS_EDGES 16
#define REFRESH_TICKS 18             /* counter 1 as every BIOS sets it      */

/* Guards counters and port 61h, of the one PIT there is. */
static struct lock pit_lock = LOCK_INIT("pit", RANK_PIT);

struct counter {
	u8 control;              /* the low six bits of the control word     */
	bool gate;
	/* counting element */
	bool loaded;             /* false: waits for a count or a trigger    */
	bool held;               /* the gate stops it, `held_at` after start */
	u32 n;                   /* count of this period: 1 to 65536         */
	u64 start, held_at;      /* ticks                                    */
	/* count register */
	bool pending;            /* `next` is not in the counting element    */
	u32 next;
	u64 load_at;             /* modes 2, 3: when, in ticks after start   */
	/* the bus side */
	bool write_high, read_high;
	u8 write_low;
	u8 latched;              /* bytes of `latch` still to be read        */
	u16 latch;
	bool status_latched;
	u8 status;
};

/* What port 61h shows follows from this and the time. */
struct speaker { struct counter counter2; u8 port61; };
enum { SPEAKER_WORDS = (sizeof(struct speaker) + 7) / 8 };

struct pit {
	struct counter counter[3] GUARDED_BY(pit_lock);
	u8 port61 GUARDED_BY(pit_lock);
	/* a copy for readers without the lock; seq is odd during a change */
	u32 seq;                 /* _Atomic                                  */
	u64 speaker[SPEAKER_WORDS];                              /* _Atomic  */
	struct irq_line irq0;
	struct timer timer GUARDED_BY(bql);
	u64 edge GUARDED_BY(bql);/* the edge of counter 0 `timer` stands for */
};

static u64 ticks_now(void)
{
	return muldiv64(qemu_clock_get_ns(), PIT_HZ, NS_PER_SEC);
}

static s64 ticks_to_ns(u64 ticks)        /* the first ns of that tick        */
{
	return muldiv64(ticks, NS_PER_SEC, PIT_HZ) + 1;
}

/* -- what the control word says ------------------------------------------------ */

static int mode(const struct counter *c)
{
	int m = c->control >> 1 & 7;

	return m > 5 ? m & 3 : m;
}

static int rw(const struct counter *c) { return c->control >> 4 & 3; }
static bool bcd(const struct counter *c) { return c->control & 1; }
static bool periodic(const struct counter *c) { return (mode(c) & 2) != 0; }
/* Modes 1 and 5 start by a rising edge of the gate. */
static bool triggered(const struct counter *c) { return (mode(c) & 3) == 1; }

/* -- the counting element ------------------------------------------------------- */

static u32 high_half(u32 n) { return (n + 1) / 2; }     /* mode 3            */

static u64 elapsed(const struct counter *c, u64 now)
{
	return c->held ? c->held_at : now - c->start;
}

static void load(struct counter *c, u64 start)
{
	c->n = c->next;
	c->start = start;
	c->loaded = true;
	c->pending = false;
}

/* Let a count written while modes 2, 3 run take its place, if it is time. In
 * mode 3 that is after a half period: the other half has the new length. */
static void settle(struct counter *c, u64 now)
{
	u64 at = c->start + c->load_at;

	if (!c->pending || !c->loaded || !periodic(c) ||
	    elapsed(c, now) < c->load_at)
		return;
	load(c, c->load_at < c->n ? at - high_half(c->next) : at);
}

static bool output(const struct counter *c, u64 now)
{
	u64 t = elapsed(c, now);

	if (!c->loaded)
		return mode(c) != 0;
	switch (mode(c)) {
	case 0: case 1:
		return t >= c->n;
	case 2:
		return c->held || t % c->n != c->n - 1;
	case 3:
		return c->held || t % c->n < high_half(c->n);
	default:
		return t != c->n;
	}
}

/* Mode 3 counts down by two, twice a period, from the even part of n. */
static u32 square_value(u32 n, u32 phase)
{
	if (phase >= high_half(n))
		phase -= high_half(n);
	return (n & ~1u) - 2 * phase;
}

static u16 to_bcd(u32 v)
{
	return v % 10 | v / 10 % 10 << 4 | v / 100 % 10 << 8 |
		v / 1000 % 10 << 12;
}

static u16 value(const struct counter *c, u64 now)
{
	u64 t = elapsed(c, now);
	u32 v, wrap = bcd(c) ? 10000 : 65536;

	if (!c->loaded)
		return 0;
	if (mode(c) == 3)
		v = square_value(c->n, t % c->n);
	else if (mode(c) == 2)
		v = c->n - t % c->n;
	else
		v = (c->n + wrap - t % wrap) % wrap;
	return bcd(c) ? to_bcd(v) : v;
}

/* The first rising edge of the output after the tick `after`. */
static u64 next_edge(const struct counter *c, u64 after)
{
	u64 t = NEVER;

	if (!c->loaded || c->held || triggered(c))
		return NEVER;
	if (!periodic(c))
		t = c->start + c->n + (mode(c) == 4);
	else if (!c->pending)
		return c->start + ((after - c->start) / c->n + 1) * c->n;
	else if (c->load_at < c->n)
		t = c->start + c->load_at - high_half(c->next) + c->next;
	else
		t = c->start + c->n;
	return t > after ? t : NEVER;
}

static void set_gate(struct counter *c, bool gate, u64 now)
{
	bool rises = gate && !c->gate;

	if (c->gate == gate)
		return;
	settle(c, now);
	c->gate = gate;
	if (rises && (triggered(c) || periodic(c))) {
		if (!c->pending && !c->loaded)
			return;
		if (!c->pending)
			c->next = c->n;
		c->held = false;
		load(c, now);
	} else if (rises && c->held) {
		c->held = false;
		c->start = now - c->held_at;
	} else if (!gate && !triggered(c) && !c->held) {
		c->held_at = c->loaded ? now - c->start : 0;
		c->held = true;
	}
}

/* -- what port 61h shows -------------------------------------------------------- */

/* After a change of counter 2 or of port 61h. */
static void speaker_publish(struct pit *p) REQUIRES(pit_lock)
{
	struct speaker s = { p->counter[2], p->port61 };
	u64 word[SPEAKER_WORDS] = { 0 };

	memcpy(word, &s, sizeof(s));
	__atomic_fetch_add(&p->seq, 1, __ATOMIC_ACQ_REL);
	for (int i = 0; i < SPEAKER_WORDS; i++)
		__atomic_store_n(&p->speaker[i], word[i], __ATOMIC_RELEASE);
	__atomic_fetch_add(&p->seq, 1, __ATOMIC_ACQ_REL);
}

/* Any thread. */
static struct speaker speaker_read(const struct pit *p)
{
	u64 word[SPEAKER_WORDS];
	struct speaker s;
	u32 seq;

	do {
		seq = __atomic_load_n(&p->seq, __ATOMIC_ACQUIRE);
		for (int i = 0; i < SPEAKER_WORDS; i++)
			word[i] = __atomic_load_n(&p->speaker[i], __ATOMIC_ACQUIRE);
	} while ((seq & 1) || seq != __atomic_load_n(&p->seq, __ATOMIC_RELAXED));
	memcpy(&s, word, sizeof(s));
	return s;
}

/* -- counter 0's interrupt -------------------------------------------------------- */

static void arm(struct pit *p, u64 after, u64 now) REQUIRES(bql, pit_lock)
{
	struct counter *c = &p->counter[0];
	u64 arrears = MIN((u64)c->n * MAX_ARREARS_EDGES, (u64)MAX_ARREARS);
	u64 fire;

	if (after + arrears < now)
		after = now - arrears;
	p->edge = next_edge(c, after);
	if (p->edge == NEVER) {
		timer_del(&p->timer);
		return;
	}
	fire = p->edge > now ? p->edge : now + c->n / 2;
	timer_mod_ns(&p->timer, ticks_to_ns(MAX(fire, now + MIN_GAP)));
}

static void edge_is_due(void *opaque) REQUIRES(bql)
{
	struct pit *p = opaque;
	struct counter *c = &p->counter[0];
	u64 now;

	lock_acquire(&pit_lock);
	now = ticks_now();
	settle(c, now);
	if (mode(c) != 0)
		irq_set(&p->irq0, 0);
	irq_set(&p->irq0, 1);
	arm(p, p->edge, now);
	lock_release(&pit_lock);
}

/* After a write: the level as it is now, and when it will rise. */
static void update_irq(struct pit *p, u64 now) REQUIRES(bql, pit_lock)
{
	struct counter *c = &p->counter[0];

	irq_set(&p->irq0, mode(c) != 0 || output(c, now));
	arm(p, now, now);
}

/* -- ports 40h-43h ------------------------------------------------------------------ */

static u32 from_bcd(u32 v)
{
	return (v & 15) + (v >> 4 & 15) * 10 + (v >> 8 & 15) * 100 +
		(v >> 12 & 15) * 1000;
}

static void write_count(struct counter *c, u32 v, u64 now)
{
	settle(c, now);
	c->next = bcd(c) ? from_bcd(v) : v;
	if (c->next == 0)
		c->next = bcd(c) ? 10000 : 65536;
	c->pending = true;
	if (triggered(c))
		return;
	if (periodic(c) && c->loaded) {
		u64 t = elapsed(c, now);

		c->start += t - t % c->n;
		if (c->held)
			c->held_at = t % c->n;
		t %= c->n;
		c->load_at = mode(c) == 3 && t < high_half(c->n) ?
			high_half(c->n) : c->n;
		return;
	}
	c->held = !c->gate;
	c->held_at = 0;
	load(c, now);
}

static void write_counter(struct counter *c, u8 val, u64 now)
{
	switch (rw(c)) {
	case RW_LSB:
		write_count(c, val, now);
		break;
	case RW_MSB:
		write_count(c, val << 8, now);
		break;
	default:
		c->write_high = !c->write_high;
		if (!c->write_high) {
			write_count(c, c->write_low | val << 8, now);
			break;
		}
		c->write_low = val;
		if (mode(c) == 0)             /* the first byte stops it     */
			c->loaded = false;
		break;
	}
}

static void latch_count(struct counter *c, u64 now)
{
	if (c->latched)
		return;
	settle(c, now);
	c->latch = value(c, now);
	if (rw(c) == RW_MSB)
		c->latch >>= 8;
	c->latched = rw(c) == RW_BOTH ? 2 : 1;
}

static void latch_status(struct counter *c, u64 now)
{
	if (c->status_latched)
		return;
	settle(c, now);
	c->status = output(c, now) << 7 | (!c->loaded || c->pending) << 6 |
		c->control;
	c->status_latched = true;
}

static void read_back(struct pit *p, u8 val, u64 now) REQUIRES(pit_lock)
{
	for (int i = 0; i < 3; i++) {
		if (!(val >> (i + 1) & 1))
			continue;
		if (!(val & 0x20))
			latch_count(&p->counter[i], now);
		if (!(val & 0x10))
			latch_status(&p->counter[i], now);
	}
}

/* The control word. */
static void write_control(struct pit *p, u8 val, u64 now) REQUIRES(pit_lock)
{
	struct counter *c = &p->counter[val >> 6 & 3];

	if (val >> 6 == 3)
		read_back(p, val, now);
	else if (!(val & 0x30))
		latch_count(c, now);
	else
		*c = (struct counter){ .control = val & 0x3f, .gate = c->gate,
				       .held = !c->gate, .n = 1 };
}

/* Is it more than a look at counter 0? */
static bool concerns_irq(unsigned port, u8 val)
{
	return port == 0 || (port == 3 && val >> 6 == 0 && val & 0x30);
}

/* May it change counter 2? */
static bool concerns_speaker(unsigned port, u8 val)
{
	return port == 2 || (port == 3 && val >> 6 >= 2);
}

static void write_port(struct pit *p, unsigned port, u8 val, u64 now) REQUIRES(pit_lock)
{
	if (port == 3)
		write_control(p, val, now);
	else
		write_counter(&p->counter[port], val, now);
	if (concerns_speaker(port, val))
		speaker_publish(p);
}

static void write_with_irq(struct pit *p, unsigned port, u8 val) REQUIRES(bql)
{
	u64 now;

	lock_acquire(&pit_lock);
	now = ticks_now();
	write_port(p, port, val, now);
	update_irq(p, now);
	lock_release(&pit_lock);
}

/* UNCHECKED: the BQL is taken on a condition, unless the access came with it. */
static UNCHECKED void pit_write(void *opaque, gpa addr, u64 val, unsigned size)
{
	struct pit *p = opaque;
	unsigned port = addr & 3;
	bool held = bql_held();

	(void)size;
	if (!concerns_irq(port, val)) {
		lock_acquire(&pit_lock);
		write_port(p, port, val, ticks_now());
		lock_release(&pit_lock);
		return;
	}
	if (!held)
		bql_lock();
	write_with_irq(p, port, val);
	if (!held)
		bql_unlock();
}

/* What is latched needs no clock, which is most of what a read costs. */
static u8 read_counter(struct counter *c)
{
	u64 now;
	u16 v;

	if (c->status_latched) {
		c->status_latched = false;
		return c->status;
	}
	if (c->latched) {
		v = c->latch;
		c->latch >>= 8;
		c->latched--;
		return v;
	}
	now = ticks_now();
	settle(c, now);
	v = value(c, now);
	if (rw(c) == RW_LSB)
		return v;
	if (rw(c) == RW_MSB)
		return v >> 8;
	c->read_high = !c->read_high;
	return c->read_high ? v : v >> 8;
}

static u64 pit_read(void *opaque, gpa addr, unsigned size)
{
	struct pit *p = opaque;
	unsigned i = addr & 3;
	u8 v;

	(void)size;
	if (i == 3)
		return 0xff;
	lock_acquire(&pit_lock);
	v = read_counter(&p->counter[i]);
	lock_release(&pit_lock);
	return v;
}

/* -- port 61h -------------------------------------------------------------------------- */

static u64 port61_read(void *opaque, gpa addr, unsigned size)
{
	struct speaker s = speaker_read(opaque);
	u64 now = ticks_now();
	u8 v = s.port61;

	(void)addr, (void)size;
	settle(&s.counter2, now);
	if (now / REFRESH_TICKS & 1)
		v |= PORT61_REFRESH;
	if (output(&s.counter2, now))
		v |= PORT61_OUT2;
	return v;
}

static void port61_write(void *opaque, gpa addr, u64 val, unsigned size)
{
	struct pit *p = opaque;

	(void)addr, (void)size;
	lock_acquire(&pit_lock);
	p->port61 = val & PORT61_WRITABLE;
	set_gate(&p->counter[2], val & PORT61_GATE2, ticks_now());
	speaker_publish(p);
	lock_release(&pit_lock);
}

static const struct memory_region_ops pit_ops = { pit_read, pit_write, 1, 1 };
static const struct memory_region_ops port61_ops = {
	port61_read, port61_write, 1, 1
};

/* -- life -------------------------------------------------------------------------------- */

/* The power-on state is undefined; here the counters stand, outputs high. */
void pit_reset(void *opaque)
{
	struct pit *p = opaque;

	lock_acquire(&pit_lock);
	for (int i = 0; i < 3; i++)
		p->counter[i] = (struct counter){ .control = RW_BOTH << 4 | 3 << 1,
						  .gate = i != 2, .n = 1,
						  .held = i == 2 };
	p->port61 = 0;
	speaker_publish(p);
	update_irq(p, ticks_now());
	lock_release(&pit_lock);
}

struct pit *pit_new(struct memory_region *io, const struct irq_line *irq0)
{
	struct pit *p = calloc(1, sizeof(*p));

	if (!p)
		die("out of memory");
	p->irq0 = *irq0;
	timer_init_ns(&p->timer, edge_is_due, p);
	memory_region_clear_global_locking(ports_map(io, "pit", 0x40, 4, &pit_ops, p));
	memory_region_clear_global_locking(ports_map(io, "port61", 0x61, 1, &port61_ops, p));
	pit_reset(p);
	return p;
}
