/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/hw/port92.h - system control port A: fast A20 gate, fast reset. */
#ifndef HW_PORT92_H
#define HW_PORT92_H

#include "hw/irq.h"

struct memory_region;
struct port92;

/* Port 92h in `io`. `a20` follows bit 1; `reset` pulses high when bit 0
 * rises. */
struct port92 *port92_new(struct memory_region *io, const struct irq_line *a20,
			  const struct irq_line *reset) REQUIRES(bql);
void port92_reset(void *port92) REQUIRES(bql);

#endif
