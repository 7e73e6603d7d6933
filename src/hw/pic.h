/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/hw/pic.h - the pair of 8259A interrupt controllers of a PC: lines 0-7
 * at the master (ports 20h, 21h), 8-15 at the slave (A0h, A1h), which hangs
 * at line 2 of the master. */
#ifndef HW_PIC_H
#define HW_PIC_H

#include "hw/irq.h"

struct memory_region;
struct pic;

/* A pair in its power-on state, with its registers in the port space `io`.
 * `intr` follows the master's INT output. */
struct pic *pic_new(struct memory_region *io, const struct irq_line *intr)
	REQUIRES(bql);
/* Level of input `n` (0-15, not 2); an irq_fn whose opaque is the pair. */
void pic_set_irq(void *pic, int n, int level) REQUIRES(bql);
/* The CPU's INTA cycle: the vector of the request of highest priority, which
 * is in service from now on; -1: there is none. Upstream: pic_read_irq. */
int pic_acknowledge(struct pic *pic) REQUIRES(bql);
void pic_reset(void *pic) REQUIRES(bql);

#endif
