/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/hw/port92.c - system control port A. Intel 290562 (PIIX4), section
 * 4.2.6.3; IBM PS/2 Hardware Interface Technical Reference (1988). */
#include "hw/port92.h"

#include <stdlib.h>

#include "env/log.h"
#include "hw/ports.h"

enum { FAST_RESET = 1, FAST_A20 = 2 };

struct port92 {
	u8 val;
	struct irq_line a20, reset;
};

static u64 port92_read(void *opaque, gpa addr, unsigned size) REQUIRES(bql)
{
	struct port92 *p = opaque;

	(void)addr, (void)size;
	return p->val;
}

static void port92_write(void *opaque, gpa addr, u64 val, unsigned size)
	REQUIRES(bql)
{
	struct port92 *p = opaque;
	bool reset = val & ~p->val & FAST_RESET;

	(void)addr, (void)size;
	p->val = val & (FAST_RESET | FAST_A20);
	irq_set(&p->a20, (val & FAST_A20) != 0);
	if (reset) {
		irq_set(&p->reset, 1);
		irq_set(&p->reset, 0);
	}
}

static const struct memory_region_ops port92_ops = {
	port92_read, port92_write, 1, 1
};

void port92_reset(void *opaque)
{
	struct port92 *p = opaque;

	p->val = 0;
	irq_set(&p->a20, 0);
}

struct port92 *port92_new(struct memory_region *io, const struct irq_line *a20,
			  const struct irq_line *reset)
{
	struct port92 *p = calloc(1, sizeof(*p));

	if (!p)
		die("out of memory");
	p->a20 = *a20;
	p->reset = *reset;
	ports_map(io, "port92", 0x92, 1, &port92_ops, p);
	return p;
}
