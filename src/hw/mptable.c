/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/hw/mptable.c - the MP configuration table, for kernels that do not use
 * ACPI. Intel MultiProcessor Specification 1.4 (242016-006), chapter 4.
 *
 * One ISA bus; its lines go to the IOAPIC pins of the same number, but IRQ 0
 * to pin 2. IRQ 2 is the PICs' cascade and has none. */
#include <string.h>

#include "hw/acpi_tables.h"
#include "hw/aml.h"

enum { POINTER_BYTES = 16, HEADER_BYTES = 44, SPEC_REV = 4, ISA_BUS = 0 };
enum { ENTRY_CPU, ENTRY_BUS, ENTRY_IOAPIC, ENTRY_IRQ, ENTRY_LOCAL_IRQ };
enum { CPU_ENABLED = 1, CPU_BOOTS = 2, LAPIC_VERSION = 0x14,
       IOAPIC_VERSION = 0x20, IOAPIC_ENABLED = 1 };
enum { TYPE_INT, TYPE_NMI, TYPE_SMI, TYPE_EXTINT };
enum { IRQ_PIT = 0, IRQ_CASCADE = 2, PIT_PIN = 2, ALL_LAPICS = 0xff };
/* What the entries of a P6 say: family 6; FPU and APIC. Kernels ask CPUID. */
enum { CPU_SIGNATURE = 0x600, CPU_FEATURES = 0x201 };

static void cpu_entry(struct aml *o, int id)
{
	aml_byte(o, ENTRY_CPU);
	aml_byte(o, id);
	aml_byte(o, LAPIC_VERSION);
	aml_byte(o, id ? CPU_ENABLED : CPU_ENABLED | CPU_BOOTS);
	aml_u32(o, CPU_SIGNATURE);
	aml_u32(o, CPU_FEATURES);
	aml_u32(o, 0);
	aml_u32(o, 0);
}

/* An entry of either interrupt type: ISA `irq` to `pin` of the APIC `dest`. */
static void irq_entry(struct aml *o, u8 entry, u8 type, u8 irq, u8 dest, u8 pin)
{
	aml_byte(o, entry);
	aml_byte(o, type);
	aml_u16(o, 0);                   /* polarity, trigger: as the bus    */
	aml_byte(o, ISA_BUS);
	aml_byte(o, irq);
	aml_byte(o, dest);
	aml_byte(o, pin);
}

/* Returns how many entries it wrote. */
static u16 entries(struct aml *o, const struct board_info *b)
{
	u16 n = b->n_cpus + 4;

	for (int i = 0; i < b->n_cpus; i++)
		cpu_entry(o, i);
	aml_byte(o, ENTRY_BUS);
	aml_byte(o, ISA_BUS);
	aml_bytes(o, "ISA   ", 6);
	aml_byte(o, ENTRY_IOAPIC);
	aml_byte(o, b->ioapic_id);
	aml_byte(o, IOAPIC_VERSION);
	aml_byte(o, IOAPIC_ENABLED);
	aml_u32(o, b->ioapic_base);
	for (int irq = 0; irq < 16; irq++) {
		if (irq == IRQ_CASCADE)
			continue;
		irq_entry(o, ENTRY_IRQ, TYPE_INT, irq, b->ioapic_id,
			  irq == IRQ_PIT ? PIT_PIN : irq);
		n++;
	}
	irq_entry(o, ENTRY_LOCAL_IRQ, TYPE_EXTINT, 0, 0, 0);
	irq_entry(o, ENTRY_LOCAL_IRQ, TYPE_NMI, 0, ALL_LAPICS, 1);
	return n;
}

static void put_header(const struct board_info *b, u8 *to, u16 bytes, u16 n)
{
	struct aml o = { to, 0, HEADER_BYTES };

	aml_bytes(&o, "PCMP", 4);
	aml_u16(&o, bytes);
	aml_byte(&o, SPEC_REV);
	aml_byte(&o, 0);                 /* checksum                         */
	aml_bytes(&o, "SMEW    ", 8);
	aml_bytes(&o, "PC          ", 12);
	aml_u32(&o, 0);                  /* OEM table and its size           */
	aml_u16(&o, 0);
	aml_u16(&o, n);
	aml_u32(&o, b->lapic_base);
	aml_u32(&o, 0);                  /* no extended entries              */
	to[7] = table_checksum(to, bytes);
}

static void put_pointer(u8 *to, u32 table)
{
	struct aml o = { to, 0, POINTER_BYTES };

	memset(to, 0, POINTER_BYTES);
	aml_bytes(&o, "_MP_", 4);
	aml_u32(&o, table);
	aml_byte(&o, 1);                 /* length, in 16 bytes              */
	aml_byte(&o, SPEC_REV);
	to[10] = table_checksum(to, POINTER_BYTES);
}

u32 mptable_build(const struct board_info *b, u8 *to, u32 addr, u32 room)
{
	struct aml o = { to, POINTER_BYTES + HEADER_BYTES, room };
	u16 n = entries(&o, b);

	if (o.used > room)
		return 0;
	put_header(b, to + POINTER_BYTES, o.used - POINTER_BYTES, n);
	put_pointer(to, addr + POINTER_BYTES);
	return o.used;
}
