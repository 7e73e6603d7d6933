/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/hw/i8042.h - keyboard controller with a PS/2 keyboard at its first
 * port and no wires at its second one. */
#ifndef HW_I8042_H
#define HW_I8042_H

#include "hw/irq.h"

struct memory_region;
struct i8042;

struct i8042_lines {
	struct irq_line irq1;    /* a keyboard byte waits at port 60h        */
	struct irq_line a20;     /* output port bit 1                        */
	struct irq_line reset;   /* pulses high: the CPU's reset             */
};

/* A controller in its power-on state; ports 60h, 64h in `io`. */
struct i8042 *i8042_new(struct memory_region *io,
			const struct i8042_lines *lines) REQUIRES(bql);
/* A key goes down or up. `key` is its make code in set 1, plus 80h for the
 * keys whose codes begin with E0h (upstream's "qcode numbers"). */
void i8042_key(struct i8042 *k, u8 key, bool down) REQUIRES(bql);
void i8042_reset(void *i8042) REQUIRES(bql);

#endif
