/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/hw/acpi_tables.h - what firmware would have left in memory for a kernel
 * to find processors, interrupt controllers, timers and the power switch. */
#ifndef HW_ACPI_TABLES_H
#define HW_ACPI_TABLES_H

#include "env/types.h"

/* What the tables say of the board. */
struct board_info {
	int n_cpus;              /* APIC ids 0 to n - 1; 0 boots             */
	u8 ioapic_id;
	u32 lapic_base, ioapic_base;
	u32 hpet_base;           /* 0: none                                  */
	u16 pm_base;             /* PM1 event and control blocks, PM timer   */
	u8 sci;                  /* ISA IRQ and GSI of ACPI events           */
	u32 facs;                /* RAM for the FACS, 64-byte aligned        */
	u16 com[4]; u8 com_irq[4];      /* 0: absent                         */
};

enum { FACS_BYTES = 64 };

/* Write RSDP, RSDT, XSDT, FADT, MADT, HPET and DSDT into `room` bytes at
 * `to`, which the guest sees at `addr`; both a multiple of 16. The RSDP comes
 * first. Returns how many bytes they take, 0 if `room` is too small. Upstream:
 * hw/i386/acpi-build.c. */
u32 acpi_tables_build(const struct board_info *b, u8 *to, u32 addr, u32 room);
/* The FACS as it is at power-on, FACS_BYTES of it. It lies in RAM because the
 * guest writes it (the global lock). */
void acpi_facs_build(u8 *to);
/* The same for the MP floating pointer structure, which comes first, and the
 * MP configuration table. Upstream: SeaBIOS' mptable_setup. */
u32 mptable_build(const struct board_info *b, u8 *to, u32 addr, u32 room);

/* The byte that makes the sum of `n` bytes 0. */
u8 table_checksum(const u8 *p, u32 n);

#endif
