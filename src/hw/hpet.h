/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/hw/hpet.h - high precision event timer: a 64-bit counter of 100 MHz and
 * three comparators. */
#ifndef HW_HPET_H
#define HW_HPET_H

#include "hw/irq.h"

#define HPET_BASE 0xfed00000u
enum { HPET_TIMERS = 3, HPET_SIZE = 1024, HPET_TICK_NS = 10 };
/* The GSIs a comparator may be routed to. */
#define HPET_ROUTES 0x00ff0104u

struct memory_region;
struct hpet;

/* Where it is wired to. `gsi` is a line whose n is set to the GSI; `legacy`
 * rises when comparators 0 and 1 take the place of the PIT at IRQ 0 and of the
 * RTC at IRQ 8, which `irq0` and `irq8` are then. */
struct hpet_lines { struct irq_line gsi, irq0, irq8, legacy; };

/* Registers at HPET_BASE in `memory`; reads of the main counter take no lock. */
struct hpet *hpet_new(struct memory_region *memory,
		      const struct hpet_lines *lines) REQUIRES(bql);
void hpet_reset(void *hpet) REQUIRES(bql);

#endif
