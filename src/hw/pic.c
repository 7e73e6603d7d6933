/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/hw/pic.c - pair of 8259A interrupt controllers. Intel 231468-003; the
 * edge/level registers at 4D0h, 4D1h as in Intel 290562 (PIIX4), section 4.2.
 *
 * A request travels: line rises -> IRR -> (not masked, above everything in
 * service) INT -> INTA cycle: IRR to ISR -> EOI clears ISR.
 *
 * As in the PIIX, ICW1's LTIM is ignored in favour of the edge/level
 * registers. DIFF: the 8085 mode of ICW4 (three-byte calls) is not modelled,
 * upstream has none either. DIFF: as in hardware, and not as in upstream, a
 * request goes away when an edge-triggered line falls before its INTA. */
#include "hw/pic.h"

#include <stdlib.h>

#include "env/log.h"
#include "hw/ports.h"

enum { ICW1_IC4 = 1, ICW1_SNGL = 2, ICW1_INIT = 0x10 };
enum { ICW4_AEOI = 2, ICW4_SFNM = 0x10 };
enum { OCW3_RIS = 1, OCW3_RR = 2, OCW3_POLL = 4, OCW3_SELECT = 8,
       OCW3_SMM = 0x20, OCW3_ESMM = 0x40 };
enum { CASCADE = 2 };

struct i8259 {
	u8 lines;                /* inputs as they are now                   */
	u8 irr, isr, imr;
	u8 elcr, elcr_mask;      /* 1: level triggered; bits that exist      */
	u8 base;                 /* ICW2: vector of line 0                   */
	u8 top;                  /* line that has the highest priority       */
	u8 icw_next;             /* ICW that port 1 expects, 0: none         */
	u8 icw1;
	bool sfnm, aeoi;         /* ICW4                                     */
	bool aeoi_rotates;       /* OCW2                                     */
	bool smm, read_isr, poll;/* OCW3                                     */
	bool out;                /* INT                                      */
	struct irq_line to;      /* who listens to INT                       */
};

struct pic { struct i8259 chip[2]; };

/* Place of the first set bit of `set` in the order of priority; 8: none. */
static int priority(const struct i8259 *c, u8 set)
{
	int p = 0;

	while (p < 8 && !(set >> ((c->top + p) & 7) & 1))
		p++;
	return p;
}

/* The line that INT would stand for; -1: none. */
static int request(const struct i8259 *c)
{
	u8 serving = c->isr;
	int p = priority(c, c->irr & ~c->imr);

	if (c->smm)
		serving &= ~c->imr;
	if (c->sfnm)
		serving &= ~(1 << CASCADE);
	if (p == 8 || p >= priority(c, serving))
		return -1;
	return (c->top + p) & 7;
}

static void update(struct i8259 *c) REQUIRES(bql)
{
	bool out = request(c) >= 0;

	if (out == c->out)
		return;
	c->out = out;
	irq_set(&c->to, out);
}

static void chip_set_irq(void *opaque, int n, int level) REQUIRES(bql)
{
	struct i8259 *c = opaque;
	u8 bit = 1 << (n & 7);
	bool was = c->lines & bit;

	if (was == !!level)
		return;
	c->lines ^= bit;
	if (level)
		c->irr |= bit;
	else
		c->irr &= ~bit;
	update(c);
}

void pic_set_irq(void *opaque, int n, int level)
{
	struct pic *pic = opaque;

	chip_set_irq(&pic->chip[n >> 3 & 1], n & 7, level);
}

/* INTA or a poll takes `line`. INT falls in any case: the other side sees a
 * new edge when the next request stands already. */
static void take(struct i8259 *c, int line) REQUIRES(bql)
{
	u8 bit = 1 << line;

	if (!c->aeoi)
		c->isr |= bit;
	else if (c->aeoi_rotates)
		c->top = (line + 1) & 7;
	if (!(c->elcr & bit))
		c->irr &= ~bit;
	c->out = false;
	irq_set(&c->to, 0);
	update(c);
}

int pic_acknowledge(struct pic *pic)
{
	struct i8259 *master = &pic->chip[0], *slave = &pic->chip[1];
	int line = request(master), sub;

	if (line < 0)
		return -1;
	take(master, line);
	if (line != CASCADE)
		return master->base + line;
	sub = request(slave);
	if (sub < 0)
		return slave->base + 7;     /* gone: the default request 7  */
	take(slave, sub);
	return slave->base + sub;
}

/* -- OCW2 ------------------------------------------------------------------ */

static void end_of_interrupt(struct i8259 *c, int line, bool rotate)
{
	c->isr &= ~(1 << line);
	if (rotate)
		c->top = (line + 1) & 7;
}

static void nonspecific_eoi(struct i8259 *c, bool rotate)
{
	u8 set = c->smm ? c->isr & ~c->imr : c->isr;
	int p = priority(c, set);

	if (p < 8)
		end_of_interrupt(c, (c->top + p) & 7, rotate);
}

static void write_ocw2(struct i8259 *c, u8 val)
{
	int line = val & 7;

	switch (val >> 5) {
	case 0: case 4:
		c->aeoi_rotates = val >> 7;
		break;
	case 1: case 5:
		nonspecific_eoi(c, val >> 7);
		break;
	case 3: case 7:
		end_of_interrupt(c, line, val >> 7);
		break;
	case 6:
		c->top = (line + 1) & 7;
		break;
	}
}

/* -- registers --------------------------------------------------------------- */

static void write_icw1(struct i8259 *c, u8 val)
{
	c->irr = c->lines & c->elcr;  /* edges have to come anew             */
	c->isr = c->imr = 0;
	c->top = 0;
	c->sfnm = c->aeoi = c->aeoi_rotates = false;
	c->smm = c->read_isr = c->poll = false;
	c->icw1 = val;
	c->icw_next = 2;
}

static void write_ocw3(struct i8259 *c, u8 val)
{
	c->poll = val & OCW3_POLL;
	if (val & OCW3_RR)
		c->read_isr = val & OCW3_RIS;
	if (val & OCW3_ESMM)
		c->smm = val & OCW3_SMM;
}

static void write_data(struct i8259 *c, u8 val)
{
	u8 last = c->icw1 & ICW1_IC4 ? 4 : 0;

	switch (c->icw_next) {
	case 0:
		c->imr = val;
		break;
	case 2:
		c->base = val & 0xf8;
		c->icw_next = c->icw1 & ICW1_SNGL ? last : 3;
		break;
	case 3:                       /* the cascade is wired, not told      */
		c->icw_next = last;
		break;
	case 4:
		c->aeoi = val & ICW4_AEOI;
		c->sfnm = val & ICW4_SFNM;
		c->icw_next = 0;
		break;
	}
}

static void chip_write(void *opaque, gpa addr, u64 val, unsigned size)
	REQUIRES(bql)
{
	struct i8259 *c = opaque;

	(void)size;
	if (addr & 1)
		write_data(c, val);
	else if (val & ICW1_INIT)
		write_icw1(c, val);
	else if (val & OCW3_SELECT)
		write_ocw3(c, val);
	else
		write_ocw2(c, val);
	update(c);
}

static u8 poll_read(struct i8259 *c) REQUIRES(bql)
{
	int line = request(c);

	c->poll = false;
	if (line < 0)
		return 0;
	take(c, line);
	return 0x80 | line;
}

static u64 chip_read(void *opaque, gpa addr, unsigned size) REQUIRES(bql)
{
	struct i8259 *c = opaque;

	(void)size;
	if (c->poll)
		return poll_read(c);
	if (addr & 1)
		return c->imr;
	return c->read_isr ? c->isr : c->irr;
}

static u64 elcr_read(void *opaque, gpa addr, unsigned size) REQUIRES(bql)
{
	struct pic *pic = opaque;

	(void)size;
	return pic->chip[addr & 1].elcr;
}

static void elcr_write(void *opaque, gpa addr, u64 val, unsigned size)
	REQUIRES(bql)
{
	struct pic *pic = opaque;
	struct i8259 *c = &pic->chip[addr & 1];

	(void)size;
	c->elcr = val & c->elcr_mask;
	c->irr = (c->irr & ~c->elcr) | (c->lines & c->elcr);
	update(c);
}

static const struct memory_region_ops chip_ops = { chip_read, chip_write, 1, 1 };
static const struct memory_region_ops elcr_ops = { elcr_read, elcr_write, 1, 1 };

/* -- life -------------------------------------------------------------------- */

static void chip_reset(struct i8259 *c) REQUIRES(bql)
{
	c->elcr = c->base = 0;
	write_icw1(c, 0);
	c->icw_next = 0;
	update(c);
}

void pic_reset(void *opaque)
{
	struct pic *pic = opaque;

	chip_reset(&pic->chip[1]);
	chip_reset(&pic->chip[0]);
}

struct pic *pic_new(struct memory_region *io, const struct irq_line *intr)
{
	struct pic *pic = calloc(1, sizeof(*pic));

	if (!pic)
		die("out of memory");
	pic->chip[0].elcr_mask = 0xf8;
	pic->chip[1].elcr_mask = 0xde;
	pic->chip[0].to = *intr;
	pic->chip[1].to = (struct irq_line){ chip_set_irq, &pic->chip[0],
					     CASCADE };
	ports_map(io, "pic", 0x20, 2, &chip_ops, &pic->chip[0]);
	ports_map(io, "pic", 0xa0, 2, &chip_ops, &pic->chip[1]);
	ports_map(io, "elcr", 0x4d0, 2, &elcr_ops, pic);
	return pic;
}
