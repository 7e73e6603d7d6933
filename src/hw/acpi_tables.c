/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/hw/acpi_tables.c - ACPI tables of this board. ACPI 6.4 chapter 5; HPET
 * table: IA-PC HPET 1.0a, section 3.2.4.
 *
 * Nothing is switchable: ACPI mode is always on (SMI_CMD 0), the addresses
 * are fixed. So the DSDT has names only, no method: processors, the ISA
 * devices with their ports and lines, and _S5. S5's SLP_TYP is 0, upstream's
 * value, since small kernels write it without reading the table. */
#include "hw/acpi_tables.h"

#include <string.h>

#include "hw/aml.h"

enum { RSDP_BYTES = 36, RSDP_V1_BYTES = 20,
       MAX_TABLES = 3 };
/* FADT, IA-PC boot architecture flags and feature flags. */
enum { BOOT_LEGACY_DEVICES = 1, BOOT_8042 = 2 };
enum { FADT_WBINVD = 1 << 0, FADT_PROC_C1 = 1 << 2, FADT_SLP_BUTTON = 1 << 5,
       FADT_FIX_RTC = 1 << 6, FADT_TMR_VAL_EXT = 1 << 8,
       FADT_RESET_REG_SUP = 1 << 10 };
enum { SPACE_MEMORY = 0, SPACE_IO = 1 };
enum { RESET_PORT = 0xcf9, RESET_VALUE = 0x0e, CMOS_CENTURY = 0x32 };
/* C2 and C3 latencies of which a kernel says: not there. */
enum { NO_C2 = 0xfff, NO_C3 = 0xfff };
enum { MADT_PCAT_COMPAT = 1, MADT_LAPIC = 0, MADT_IOAPIC = 1, MADT_ISO = 2,
       MADT_LAPIC_NMI = 4, ALL_PROCESSORS = 0xff, LINT1 = 1,
       FLAGS_CONFORM = 0, FLAGS_HIGH_LEVEL = 0xd };
enum { PIT_GSI = 2 };
/* Bits 0-31 of the HPET's capability register (hpet.c). */
#define HPET_BLOCK_ID 0x8086a201u
enum { HPET_MIN_TICK = 0x80, HPET_BYTES = 0x400 };

/* Where the tables go; `out` is also their AML writer. */
struct build {
	const struct board_info *b;
	struct aml out;
	u32 addr;                /* guest address of out.at                  */
	u32 table[MAX_TABLES];   /* what RSDT and XSDT list                  */
	int n_tables;
};

u8 table_checksum(const u8 *p, u32 n)
{
	u8 sum = 0;

	while (n--)
		sum += *p++;
	return -sum;
}

static void pad(struct aml *o, u32 n)
{
	while (n--)
		aml_byte(o, 0);
}

static void aml_u64(struct aml *o, u64 v)
{
	aml_u32(o, (u32)v);
	aml_u32(o, (u32)(v >> 32));
}

/* -- system description tables ------------------------------------------------- */

/* Returns where the table starts in the output. */
static u32 sdt_begin(struct build *w, const char *signature, u8 revision)
{
	struct aml *o = &w->out;
	u32 mark;

	pad(o, -o->used & 15);
	mark = o->used;
	aml_bytes(o, signature, 4);
	aml_u32(o, 0);                   /* length, set by sdt_end           */
	aml_byte(o, revision);
	aml_byte(o, 0);                  /* checksum                         */
	aml_bytes(o, "SMEW  SMEWPC  ", 14);
	aml_u32(o, 1);                   /* OEM revision                     */
	aml_bytes(o, "SMEW", 4);         /* creator and its revision         */
	aml_u32(o, 1);
	return mark;
}

/* Returns the table's guest address. */
static u32 sdt_end(struct build *w, u32 mark)
{
	struct aml *o = &w->out;
	u32 n = o->used - mark;
	u8 *t = o->at + mark;

	if (o->used <= o->room) {
		for (int i = 0; i < 4; i++)
			t[4 + i] = n >> 8 * i;
		t[9] = table_checksum(t, n);
	}
	return w->addr + mark;
}

static void listed(struct build *w, u32 table) { w->table[w->n_tables++] = table; }

static void generic_address(struct aml *o, u8 space, u8 bits, u32 addr)
{
	aml_byte(o, space);
	aml_byte(o, bits);
	aml_byte(o, 0);                  /* bit offset                       */
	aml_byte(o, 0);                  /* access size: as the register's   */
	aml_u64(o, addr);
}

/* -- DSDT -------------------------------------------------------------------------- */

static const struct isa_device {
	char name[5], id[8];
	struct { u16 port; u8 count; } io[2];
	int irq;                 /* -1: none                                 */
} isa_devices[] = {
	{ "PIC0", "PNP0000", { { 0x20, 2 }, { 0xa0, 2 } }, 2 },
	{ "TMR0", "PNP0100", { { 0x40, 4 }, { 0, 0 } }, 0 },
	{ "RTC0", "PNP0B00", { { 0x70, 2 }, { 0, 0 } }, 8 },
	{ "KBD0", "PNP0303", { { 0x60, 1 }, { 0x64, 1 } }, 1 },
	{ "SPK0", "PNP0800", { { 0x61, 1 }, { 0, 0 } }, -1 },
};

static void dsdt_processors(struct build *w)
{
	static const char hex[] = "0123456789ABCDEF";
	struct aml *o = &w->out;

	for (int i = 0; i < w->b->n_cpus; i++) {
		char name[] = { 'C', '0', hex[i >> 4], hex[i & 15], 0 };
		u32 dev = aml_device(o, name);

		aml_name(o, "_HID");
		aml_string(o, "ACPI0007");
		aml_name(o, "_UID");     /* the MADT's processor UID         */
		aml_int(o, i);
		aml_end(o, dev);
	}
}

static void dsdt_isa_device(struct aml *o, const struct isa_device *d, int uid)
{
	u32 dev = aml_device(o, d->name), res;

	aml_name(o, "_HID");
	aml_eisa_id(o, d->id);
	if (uid) {
		aml_name(o, "_UID");
		aml_int(o, uid);
	}
	res = aml_resources(o);
	for (int i = 0; i < 2; i++)
		if (d->io[i].count)
			aml_res_io(o, d->io[i].port, d->io[i].count);
	if (d->irq >= 0)
		aml_res_irq(o, d->irq);
	aml_resources_end(o, res);
	aml_end(o, dev);
}

static void dsdt_serial_ports(struct build *w)
{
	for (int i = 0; i < 4; i++) {
		struct isa_device d = {
			{ 'C', 'O', 'M', '1' + i, 0 }, "PNP0501",
			{ { w->b->com[i], 8 }, { 0, 0 } }, w->b->com_irq[i]
		};

		if (w->b->com[i])
			dsdt_isa_device(&w->out, &d, i + 1);
	}
}

static void dsdt_hpet(struct build *w)
{
	struct aml *o = &w->out;
	u32 dev, res;

	if (!w->b->hpet_base)
		return;
	dev = aml_device(o, "HPET");
	aml_name(o, "_HID");
	aml_eisa_id(o, "PNP0103");
	aml_name(o, "_UID");
	aml_int(o, 0);
	res = aml_resources(o);
	aml_res_memory(o, w->b->hpet_base, HPET_BYTES);
	aml_resources_end(o, res);
	aml_end(o, dev);
}

static u32 dsdt_build(struct build *w)
{
	struct aml *o = &w->out;
	u32 mark = sdt_begin(w, "DSDT", 2), part;

	part = aml_scope(o, "\\_SB_");
	dsdt_processors(w);
	for (unsigned i = 0; i < ARRAY_SIZE(isa_devices); i++)
		dsdt_isa_device(o, &isa_devices[i], 0);
	dsdt_serial_ports(w);
	dsdt_hpet(w);
	aml_end(o, part);
	aml_name(o, "_S5_");
	part = aml_package(o, 4);
	for (int i = 0; i < 4; i++)      /* SLP_TYPa, SLP_TYPb, reserved     */
		aml_int(o, 0);
	aml_end(o, part);
	return sdt_end(w, mark);
}

/* -- FADT ---------------------------------------------------------------------------- */

enum { PM_EVENT = 0, PM_CONTROL = 4, PM_TIMER = 8 };

/* ACPI 1.0's part of it. */
static void fadt_fixed(struct build *w, u32 dsdt)
{
	const struct board_info *b = w->b;
	struct aml *o = &w->out;

	aml_u32(o, b->facs);
	aml_u32(o, dsdt);
	aml_byte(o, 0);
	aml_byte(o, 0);                  /* profile: unspecified             */
	aml_u16(o, b->sci);
	pad(o, 4 + 4);                   /* SMI_CMD and its values           */
	aml_u32(o, b->pm_base + PM_EVENT);
	aml_u32(o, 0);
	aml_u32(o, b->pm_base + PM_CONTROL);
	pad(o, 4 + 4);                   /* PM1b, PM2                        */
	aml_u32(o, b->pm_base + PM_TIMER);
	pad(o, 4 + 4);                   /* GPE blocks                       */
	aml_byte(o, 4);                  /* lengths of the three             */
	aml_byte(o, 2);
	aml_byte(o, 0);
	aml_byte(o, 4);
	pad(o, 4);                       /* lengths of GPE blocks, CST_CNT   */
	aml_u16(o, NO_C2);
	aml_u16(o, NO_C3);
	pad(o, 2 + 2 + 1 + 1);           /* flush size, stride; duty cycle   */
	aml_byte(o, 0);                  /* no day alarm, no month alarm     */
	aml_byte(o, 0);
	aml_byte(o, CMOS_CENTURY);
	aml_u16(o, BOOT_LEGACY_DEVICES | BOOT_8042);
	aml_byte(o, 0);
	aml_u32(o, FADT_WBINVD | FADT_PROC_C1 | FADT_SLP_BUTTON | FADT_FIX_RTC |
		FADT_TMR_VAL_EXT | FADT_RESET_REG_SUP);
}

/* Its 64-bit part (revision 3). */
static void fadt_extended(struct build *w, u32 dsdt)
{
	const struct board_info *b = w->b;
	struct aml *o = &w->out;

	generic_address(o, SPACE_IO, 8, RESET_PORT);
	aml_byte(o, RESET_VALUE);
	pad(o, 3);
	aml_u64(o, 0);                   /* X_FIRMWARE_CTRL: the 32-bit one  */
	aml_u64(o, dsdt);
	generic_address(o, SPACE_IO, 32, b->pm_base + PM_EVENT);
	pad(o, 12);
	generic_address(o, SPACE_IO, 16, b->pm_base + PM_CONTROL);
	pad(o, 12 + 12);
	generic_address(o, SPACE_IO, 32, b->pm_base + PM_TIMER);
	pad(o, 12 + 12);
}

static void fadt_build(struct build *w, u32 dsdt)
{
	u32 mark = sdt_begin(w, "FACP", 3);

	fadt_fixed(w, dsdt);
	fadt_extended(w, dsdt);
	listed(w, sdt_end(w, mark));
}

void acpi_facs_build(u8 *to)
{
	memset(to, 0, FACS_BYTES);
	memcpy(to, "FACS", 4);
	to[4] = FACS_BYTES;
	to[32] = 1;                      /* version                          */
}

/* -- MADT ------------------------------------------------------------------------------ */

static void madt_override(struct aml *o, u8 irq, u32 gsi, u16 flags)
{
	aml_byte(o, MADT_ISO);
	aml_byte(o, 10);
	aml_byte(o, 0);                  /* ISA                              */
	aml_byte(o, irq);
	aml_u32(o, gsi);
	aml_u16(o, flags);
}

static void madt_build(struct build *w)
{
	struct aml *o = &w->out;
	u32 mark = sdt_begin(w, "APIC", 3);

	aml_u32(o, w->b->lapic_base);
	aml_u32(o, MADT_PCAT_COMPAT);
	for (int i = 0; i < w->b->n_cpus; i++) {
		aml_byte(o, MADT_LAPIC);
		aml_byte(o, 8);
		aml_byte(o, i);          /* processor UID, APIC id           */
		aml_byte(o, i);
		aml_u32(o, 1);           /* enabled                          */
	}
	aml_byte(o, MADT_IOAPIC);
	aml_byte(o, 12);
	aml_byte(o, w->b->ioapic_id);
	aml_byte(o, 0);
	aml_u32(o, w->b->ioapic_base);
	aml_u32(o, 0);                   /* its first GSI                    */
	madt_override(o, 0, PIT_GSI, FLAGS_CONFORM);
	madt_override(o, w->b->sci, w->b->sci, FLAGS_HIGH_LEVEL);
	aml_byte(o, MADT_LAPIC_NMI);
	aml_byte(o, 6);
	aml_byte(o, ALL_PROCESSORS);
	aml_u16(o, FLAGS_CONFORM);
	aml_byte(o, LINT1);
	listed(w, sdt_end(w, mark));
}

/* -- the rest ----------------------------------------------------------------------------- */

static void hpet_build(struct build *w)
{
	struct aml *o = &w->out;
	u32 mark;

	if (!w->b->hpet_base)
		return;
	mark = sdt_begin(w, "HPET", 1);
	aml_u32(o, HPET_BLOCK_ID);
	generic_address(o, SPACE_MEMORY, 0, w->b->hpet_base);
	aml_byte(o, 0);                  /* HPET number                      */
	aml_u16(o, HPET_MIN_TICK);
	aml_byte(o, 0);                  /* page protection                  */
	listed(w, sdt_end(w, mark));
}

static u32 root_build(struct build *w, const char *signature, bool wide)
{
	u32 mark = sdt_begin(w, signature, 1);

	for (int i = 0; i < w->n_tables; i++)
		if (wide)
			aml_u64(&w->out, w->table[i]);
		else
			aml_u32(&w->out, w->table[i]);
	return sdt_end(w, mark);
}

static void rsdp_build(u8 *to, u32 rsdt, u32 xsdt)
{
	struct aml o = { to, 0, RSDP_BYTES };

	aml_bytes(&o, "RSD PTR ", 8);
	aml_byte(&o, 0);
	aml_bytes(&o, "SMEW  ", 6);
	aml_byte(&o, 2);                 /* revision                         */
	aml_u32(&o, rsdt);
	aml_u32(&o, RSDP_BYTES);
	aml_u64(&o, xsdt);
	pad(&o, 4);
	to[8] = table_checksum(to, RSDP_V1_BYTES);
	to[32] = table_checksum(to, RSDP_BYTES);
}

u32 acpi_tables_build(const struct board_info *b, u8 *to, u32 addr, u32 room)
{
	struct build w = { .b = b, .out = { to, 0, room }, .addr = addr };
	u32 dsdt, rsdt, xsdt;

	pad(&w.out, RSDP_BYTES);
	dsdt = dsdt_build(&w);
	fadt_build(&w, dsdt);
	madt_build(&w);
	hpet_build(&w);
	rsdt = root_build(&w, "RSDT", false);
	xsdt = root_build(&w, "XSDT", true);
	if (w.out.used > room)
		return 0;
	rsdp_build(to, rsdt, xsdt);
	return w.out.used;
}
