/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/hw/pc.c - the board: which chip sits where and which wire goes where.
 * Upstream: pc_piix.c, pc.c; src/qemu/machine.h is the door to it.
 *
 *   memory   0        RAM, all of it
 *            A0000    128 KB of VGA memory     } over the RAM
 *            C0000    256 KB of ROM: ACPI and MP tables at F0000
 *            FEC00000 I/O APIC; FED00000 HPET; FEE00000 local APICs, MSI
 *   ports    notes/devices.md has the table
 *   IRQ      0 PIT, 1 keyboard, 4 and 3 serial, 8 RTC, 9 ACPI; each goes to the
 *            PIC and to the I/O APIC pin of its number, IRQ 0 to pin 2; pins
 *            16-23 are free; master INT -> LINT0 of the local APICs
 *            HPET: 0 and 8 instead of PIT and RTC (legacy replacement)
 *   A20      8042 output port OR port 92h
 *   reset    8042, port 92h, CF9h -> qemu_system_reset_request
 *
 * There is no firmware: a reset leaves the chips as a BIOS would hand them
 * over, because kernels rely on it (a running PIT, a keyboard in set 1). */
#include "qemu/machine.h"

#include "env/clock.h"
#include "env/log.h"
#include "hw/acpi_pm.h"
#include "hw/acpi_tables.h"
#include "hw/apic.h"
#include "hw/debugport.h"
#include "hw/hpet.h"
#include "hw/i8042.h"
#include "hw/ioapic.h"
#include "hw/pciconf.h"
#include "hw/pic.h"
#include "hw/pit.h"
#include "hw/port92.h"
#include "hw/ports.h"
#include "hw/rtc.h"
#include "hw/serial.h"
#include "hw/vga_text.h"
#include "qemu/chardev.h"
#include "qemu/cpu.h"
#include "qemu/memory.h"
#include "qemu/ram_window.h"
#include "qemu/runstate.h"
#include "qemu/target.h"

#define KB 1024ull
#define MB (1024 * KB)
#define MAX_RAM (3584 * MB)              /* below the PCI and APIC windows   */
#define ROM_BASE 0xc0000
#define ROM_SIZE (256 * KB)
#define RTC_YEARS (100ll * 366 * 86400)  /* s64 ns hold more than twice that */

/* Where kernels look for tables. 64 KB of ROM; MACHINE_RSDP is its start. */
#define TABLES_BASE 0xf0000
#define MPTABLE_OFFSET 0x8000
#define TABLES_ROOM 0x8000
/* The FACS is written by the guest: RAM that the memory map reserves. */
#define FACS_BASE 0x9fc40

enum { IRQ_PIT = 0, IRQ_KBD = 1, IRQ_RTC = 8, IRQ_SCI = 9 };
enum { TIMER_PIT, TIMER_RTC };           /* what the HPET can stand in for   */
enum { A20_KBC, A20_PORT92 };

static struct board {
	struct memory_region ram, rom;
	struct pic *pic;
	struct rtc *rtc;
	u8 a20;                  /* inputs of the A20 gate that are high     */
	u8 serial_irq;           /* UARTs whose INTR is high                 */
	bool hpet_legacy;        /* the HPET has IRQ 0 and 8                 */
	u8 timer_level[2];       /* outputs of PIT and RTC                   */
} board GUARDED_BY(bql);

/* -- wires ------------------------------------------------------------------- */

/* Upstream: pic_irq_request. */
static void set_intr(void *opaque, int n, int level) REQUIRES(bql)
{
	(void)opaque, (void)n;
	apic_set_intr(level);
}

/* A line of the board, 0-23: ISA IRQs go to both controllers; the PIC's line 2 is
 * its cascade, the I/O APIC's pin 2 the PIT. Upstream: gsi_handler. */
static void set_gsi(void *opaque, int n, int level) REQUIRES(bql)
{
	(void)opaque;
	if (n < 16 && n != 2)
		pic_set_irq(board.pic, n, level);
	ioapic_set_irq(NULL, n == 0 ? 2 : n, level);
}

static struct irq_line gsi_line(int n)
{
	return (struct irq_line){ set_gsi, NULL, n };
}

static void set_a20(void *opaque, int n, int level) REQUIRES(bql)
{
	u8 was = board.a20;

	(void)opaque;
	board.a20 = level ? was | 1 << n : was & ~(1 << n);
	if (!was == !board.a20)
		return;
	target_set_a20(board.a20 != 0);
}

static void set_reset(void *opaque, int n, int level) REQUIRES(bql)
{
	(void)opaque, (void)n;
	if (level)
		qemu_system_reset_request();
}

/* COM1 and COM3 share IRQ 4, COM2 and COM4 IRQ 3. */
static void set_serial_irq(void *opaque, int n, int level) REQUIRES(bql)
{
	u8 bits = 0x5 << (n & 1), bit = 1 << n;

	(void)opaque;
	board.serial_irq = level ? board.serial_irq | bit :
		board.serial_irq & ~bit;
	set_gsi(NULL, 4 - (n & 1), (board.serial_irq & bits) != 0);
}

/* PIT and RTC; unheard while the HPET takes their place. */
static void set_timer_irq(void *opaque, int n, int level) REQUIRES(bql)
{
	(void)opaque;
	board.timer_level[n] = level;
	if (!board.hpet_legacy)
		set_gsi(NULL, n == TIMER_PIT ? IRQ_PIT : IRQ_RTC, level);
}

static void set_hpet_legacy(void *opaque, int n, int level) REQUIRES(bql)
{
	(void)opaque, (void)n;
	board.hpet_legacy = level;
	set_gsi(NULL, IRQ_PIT, !level && board.timer_level[TIMER_PIT]);
	set_gsi(NULL, IRQ_RTC, !level && board.timer_level[TIMER_RTC]);
}

int pic_read_irq(void)
{
	return pic_acknowledge(board.pic);
}

/* -- memory -------------------------------------------------------------------- */

static const char *memory_new(u64 ram_size) REQUIRES(bql)
{
	const char *err;

	if (ram_size > MAX_RAM)
		return "this machine takes at most 3584 MB of RAM";
	err = ram_arena_init(ram_size + RAM_GAP);
	if (err)
		return err;
	ram_arena_gap();
	err = memory_region_init_ram(&board.ram, "pc.ram", ram_size);
	if (err)
		return err;
	memory_region_add_subregion(&system_memory, 0, &board.ram);
	memory_region_init_over(&board.rom, "pc.rom", ROM_SIZE, MR_ROM, &board.ram, ROM_BASE);
	memory_region_add_subregion_overlap(&system_memory, ROM_BASE, &board.rom, 1);
	ram_window_set(&board.ram);
	return NULL;
}

static void cmos_word(u8 addr, u64 val) REQUIRES(bql)
{
	val = MIN(val, 0xffffull);
	rtc_set_memory(board.rtc, addr, val & 0xff);
	rtc_set_memory(board.rtc, addr + 1, val >> 8);
}

static u64 beyond(u64 size, u64 start) { return size > start ? size - start : 0; }

/* -- tables ---------------------------------------------------------------------- */

static const u16 com_ports[MAX_SERIAL] = { 0x3f8, 0x2f8, 0x3e8, 0x2e8 };

/* Into the ROM: a guest cannot write them, a reset need not restore them. */
static void tables_new(void) REQUIRES(bql)
{
	struct board_info b = {
		.n_cpus = machine_config.smp, .lapic_base = APIC_DEFAULT_ADDRESS,
		.ioapic_base = IOAPIC_ADDRESS, .hpet_base = HPET_BASE,
		.pm_base = ACPI_PM_BASE, .sci = IRQ_SCI, .facs = FACS_BASE,
	};
	u8 *rom = memory_region_host(&board.rom) + (TABLES_BASE - ROM_BASE);

	for (int i = 0; i < MAX_SERIAL; i++) {
		b.com[i] = machine_config.serial[i] ? com_ports[i] : 0;
		b.com_irq[i] = 4 - (i & 1);
	}
	if (!acpi_tables_build(&b, rom, TABLES_BASE, TABLES_ROOM) ||
	    !mptable_build(&b, rom + MPTABLE_OFFSET,
			   TABLES_BASE + MPTABLE_OFFSET, TABLES_ROOM))
		bug("the firmware's tables do not fit");
}

static void facs_reset(void *opaque) REQUIRES(bql)
{
	u8 facs[FACS_BYTES];

	(void)opaque;
	acpi_facs_build(facs);
	address_space_write(&address_space_memory, FACS_BASE, facs, FACS_BYTES);
}

/* What a BIOS notes down of the machine it found. */
static void cmos_init(u64 ram_size) REQUIRES(bql)
{
	u64 extended_kb = beyond(ram_size, MB) / KB;

	rtc_set_memory(board.rtc, 0x14, 0x02);     /* an FPU, VGA            */
	cmos_word(0x15, MIN(ram_size / KB, 640ull));
	cmos_word(0x17, extended_kb);
	cmos_word(0x30, extended_kb);
	cmos_word(0x34, beyond(ram_size, 16 * MB) / (64 * KB));
}

/* -- after a reset ---------------------------------------------------------------- */

/* What upstream's BIOS leaves in the chips when it starts a kernel. */
static const struct { u16 port; u8 val; } handover[] = {
	{ 0x20, 0x11 }, { 0x21, 0x08 }, { 0x21, 0x04 }, { 0x21, 0x01 },
	{ 0xa0, 0x11 }, { 0xa1, 0x70 }, { 0xa1, 0x02 }, { 0xa1, 0x01 },
	{ 0x21, 0xb8 }, { 0xa1, 0x8e },
	{ 0x43, 0x34 }, { 0x40, 0x00 }, { 0x40, 0x00 },     /* 18.2 Hz       */
	{ 0x64, 0x60 }, { 0x60, 0x61 },         /* translation, IRQ 1        */
	{ 0x92, 0x02 },
	{ 0x70, 0x0a }, { 0x71, 0x26 },         /* the RESET pin leaves them */
	{ 0x70, 0x0b }, { 0x71, 0x02 }, { 0x70, 0x0d },
};

static void hand_over(void *opaque) REQUIRES(bql)
{
	(void)opaque;
	for (unsigned i = 0; i < ARRAY_SIZE(handover); i++)
		address_space_stb(&address_space_io, handover[i].port,
				  handover[i].val);
	apic_hand_over(first_cpu);
}

/* -- the board ----------------------------------------------------------------------- */

static s64 rtc_start_ns(void)
{
	s64 sec = machine_config.rtc_base;

	if (sec == -1)
		return clock_realtime_ns();
	return MAX(-RTC_YEARS, MIN(sec, RTC_YEARS)) * NS_PER_SEC;
}

static const char *serial_ports_new(void) REQUIRES(bql)
{
	const char *err = NULL;

	for (int i = 0; i < MAX_SERIAL; i++) {
		struct irq_line irq = { set_serial_irq, NULL, i };
		struct chardev *chr;

		if (!machine_config.serial[i])
			continue;
		chr = chardev_open(machine_config.serial[i], &err);
		if (err)
			return err;
		if (chr)
			qemu_register_reset(serial_reset,
				serial_new(&system_io, com_ports[i], &irq, chr));
	}
	return NULL;
}

static const char *debug_ports_new(void) REQUIRES(bql)
{
	const char *err = NULL;
	struct chardev *chr;

	post_port_new(&system_io);
	if (machine_config.debug_exit)
		debug_exit_new(&system_io, machine_config.debug_exit_iobase,
			       machine_config.debug_exit_iosize);
	if (!machine_config.debugcon)
		return NULL;
	chr = chardev_open(machine_config.debugcon, &err);
	if (!err)
		debugcon_new(&system_io, machine_config.debugcon_iobase, chr);
	return err;
}

static void chips_new(void) REQUIRES(bql)
{
	struct irq_line intr = { set_intr, NULL, 0 };
	struct irq_line irq0, irq8, reset = { set_reset, NULL, 0 };
	struct irq_line fast_a20 = { set_a20, NULL, A20_PORT92 };
	struct i8042_lines kbc = { .a20 = { set_a20, NULL, A20_KBC },
				   .reset = reset };

	board.a20 = 1 << A20_KBC;
	board.pic = pic_new(&system_io, &intr);
	irq0 = (struct irq_line){ set_timer_irq, NULL, TIMER_PIT };
	irq8 = (struct irq_line){ set_timer_irq, NULL, TIMER_RTC };
	kbc.irq1 = gsi_line(IRQ_KBD);
	board.rtc = rtc_new(&system_io, &irq8, rtc_start_ns());
	apic_init(&system_memory);
	ioapic_new(&system_memory);
	qemu_register_reset(ioapic_reset, NULL);
	qemu_register_reset(pic_reset, board.pic);
	qemu_register_reset(pit_reset, pit_new(&system_io, &irq0));
	qemu_register_reset(rtc_reset, board.rtc);
	qemu_register_reset(i8042_reset, i8042_new(&system_io, &kbc));
	qemu_register_reset(port92_reset,
			    port92_new(&system_io, &fast_a20, &reset));
	qemu_register_reset(pciconf_reset, pciconf_new(&system_io, &reset));
}

static void acpi_new(void) REQUIRES(bql)
{
	struct irq_line sci = gsi_line(IRQ_SCI);
	struct hpet_lines lines = {
		.gsi = { set_gsi, NULL, 0 },
		.irq0 = gsi_line(IRQ_PIT), .irq8 = gsi_line(IRQ_RTC),
		.legacy = { set_hpet_legacy, NULL, 0 },
	};

	struct acpi_pm *pm = acpi_pm_new(&system_io, ACPI_PM_BASE, &sci);

	qemu_register_reset(acpi_pm_reset, pm);
	qemu_register_powerdown(acpi_pm_power_button, pm);
	qemu_register_reset(hpet_reset, hpet_new(&system_memory, &lines));
	qemu_register_reset(facs_reset, NULL);
	tables_new();
}

const char *machine_init(void)
{
	const char *err = memory_new(machine_config.ram_size);
	struct vga *vga;

	if (err)
		return err;
	vga = vga_new(&system_memory, &system_io, &board.ram);
	qemu_register_reset(vga_reset, vga);
	chips_new();
	acpi_new();
	cmos_init(machine_config.ram_size);
	err = serial_ports_new();
	if (err)
		return err;
	err = debug_ports_new();
	if (err)
		return err;
	qemu_register_reset(hand_over, NULL);
	return NULL;
}
