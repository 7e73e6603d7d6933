/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/hw/pit.h - 8254 interval timer: counter 0 drives IRQ 0, counter 1 was
 * for memory refresh, counter 2 is gated and watched through port 61h. */
#ifndef HW_PIT_H
#define HW_PIT_H

#include "hw/irq.h"

#define PIT_HZ 1193182

struct memory_region;
struct pit;

/* A timer whose counters wait for their control words; ports 40h-43h, 61h in
 * `io`. `irq0` follows counter 0's output. */
struct pit *pit_new(struct memory_region *io, const struct irq_line *irq0)
	REQUIRES(bql);
void pit_reset(void *pit) REQUIRES(bql);

#endif
