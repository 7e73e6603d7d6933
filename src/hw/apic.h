/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/hw/apic.h - local APICs, as the board's other chips see them. What the
 * guest processor calls is in qemu/machine.h. Intel SDM vol. 3A chapter 10. */
#ifndef HW_APIC_H
#define HW_APIC_H

#include "hw/irq.h"

#define APIC_DEFAULT_ADDRESS 0xfee00000u
#define APIC_SPACE_SIZE 0x100000u        /* registers, then MSI's messages   */

struct memory_region;
struct cpu;

/* Delivery modes, as ICR, LVT, redirection entries and MSI data have them. */
enum apic_mode { APIC_DM_FIXED, APIC_DM_LOWPRI, APIC_DM_SMI, APIC_DM_NMI = 4,
		 APIC_DM_INIT, APIC_DM_SIPI, APIC_DM_EXTINT };

/* An interrupt message on its way to local APICs. */
struct apic_message {
	u32 dest;                /* ID or logical destination                */
	bool wide;               /* dest has 32 bits (x2APIC), else 8        */
	bool logical;
	bool level;              /* trigger mode: the EOI is broadcast       */
	u8 mode;                 /* enum apic_mode                           */
	u8 vector;
};

/* The window at APIC_DEFAULT_ADDRESS in `memory`. It needs no BQL: each vCPU
 * finds its own local APIC there. */
void apic_init(struct memory_region *memory) REQUIRES(bql);
/* Send to all whom the destination names. Any thread; takes the BQL itself for
 * what is not an interrupt with a vector. Upstream: apic_deliver_irq. */
void apic_deliver(const struct apic_message *m);
/* A device's write of `data` to `addr` in the window. Upstream: apic_send_msi. */
void apic_send_msi(gpa addr, u32 data);
/* The pair of 8259A moves its INT, which is wired to LINT0 of each local APIC and
 * to INTR of the BSP when its APIC is off. Upstream: pic_irq_request. */
void apic_set_intr(int level) REQUIRES(bql);
/* What a BIOS does to the BSP's: enabled, the 8259A's virtual wire on LINT0, NMI
 * on LINT1 (MP specification 1.4, 3.6.2.2). The vCPU is parked. */
void apic_hand_over(struct cpu *bsp) REQUIRES(bql);

#endif
