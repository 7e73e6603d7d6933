/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/hw/ioapic.h - the I/O APIC (82093AA, with the EOI register of version 20h):
 * 24 lines to messages for local APICs. Window of 4 KB at FEC00000h. */
#ifndef HW_IOAPIC_H
#define HW_IOAPIC_H

#include "hw/irq.h"

#define IOAPIC_ADDRESS 0xfec00000u
#define IOAPIC_PINS 24

struct memory_region;

/* The board's one I/O APIC, in its power-on state. */
void ioapic_new(struct memory_region *memory) REQUIRES(bql);
void ioapic_reset(void *unused) REQUIRES(bql);
/* Level of pin `n`; an irq_fn whose opaque is not used. High is active, whatever
 * the pin's polarity bit says (as upstream). */
void ioapic_set_irq(void *unused, int n, int level) REQUIRES(bql);
/* A local APIC ended a level-triggered interrupt of this vector. Any thread, with
 * or without the BQL. Upstream: ioapic_eoi_broadcast. */
void ioapic_eoi_broadcast(u8 vector);

#endif
