/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/hw/serial.h - 16550A UART between a guest and a character device. */
#ifndef HW_SERIAL_H
#define HW_SERIAL_H

#include "hw/irq.h"

struct chardev;
struct memory_region;
struct serial;

/* A UART with eight ports from `iobase` on in `io`; `irq` follows its INTR
 * pin; what the guest sends goes to `chr`, whose input it receives. */
struct serial *serial_new(struct memory_region *io, u16 iobase,
			  const struct irq_line *irq, struct chardev *chr)
	REQUIRES(bql);
void serial_reset(void *serial) REQUIRES(bql);

#endif
