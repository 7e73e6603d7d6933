/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/hw/ioapic.c - I/O APIC. Intel 290566 (82093AA); the EOI register as in
 * Intel 290687 (ICH). Upstream: hw/intc/ioapic.c.
 *
 * An edge goes out as a message at once, or is lost while its pin is masked. A
 * level goes out while the line is high and Remote IRR clear; the EOI clears
 * that, and it goes out again if the line still is high.
 *
 * DIFF: the polarity bit changes nothing, as in upstream: the board's lines are
 * active when high. */
#include "hw/ioapic.h"

#include <string.h>

#include "env/log.h"
#include "hw/apic.h"
#include "qemu/memory.h"

enum { REG_ID, REG_VERSION, REG_ARBITRATION, REG_TABLE = 0x10 };
enum { IOREGSEL = 0, IOWIN = 0x10, IOEOI = 0x40, WINDOW = 0x1000 };
enum { VERSION = 0x20 };
enum { ENT_STATUS = 1 << 12, ENT_REMOTE_IRR = 1 << 14, ENT_LEVEL = 1 << 15,
       ENT_MASKED = 1 << 16, ENT_LOGICAL = 1 << 11,
       ENT_WRITABLE = 0x1afff };         /* of the low half                  */

static struct ioapic {
	u8 select;
	u32 id;                  /* as its register: bits 27-24              */
	u32 lines;               /* inputs as they are now                   */
	struct { u32 lo, hi; } entry[IOAPIC_PINS];
} ioapic GUARDED_BY(bql);

static void send(int n) REQUIRES(bql)
{
	u32 lo = ioapic.entry[n].lo;
	struct apic_message m = {
		.dest = ioapic.entry[n].hi >> 24, .logical = lo & ENT_LOGICAL,
		.level = lo & ENT_LEVEL, .mode = lo >> 8 & 7, .vector = lo & 0xff,
	};

	apic_deliver(&m);
}

/* A level-triggered pin: tell whom it concerns, once until its EOI. */
static void service_level(int n) REQUIRES(bql)
{
	u32 *lo = &ioapic.entry[n].lo;

	if (!(ioapic.lines >> n & 1) ||
	    (*lo & (ENT_LEVEL | ENT_MASKED | ENT_REMOTE_IRR)) != ENT_LEVEL)
		return;
	if ((*lo >> 8 & 7) <= APIC_DM_LOWPRI)
		*lo |= ENT_REMOTE_IRR;
	send(n);
}

void ioapic_set_irq(void *unused, int n, int level)
{
	u32 bit = 1u << n, was = ioapic.lines & bit;

	(void)unused;
	ioapic.lines = level ? ioapic.lines | bit : ioapic.lines & ~bit;
	if (!level || was)
		return;
	if (ioapic.entry[n].lo & ENT_LEVEL)
		service_level(n);
	else if (!(ioapic.entry[n].lo & ENT_MASKED))
		send(n);
}

static void eoi(u8 vector) REQUIRES(bql)
{
	for (int n = 0; n < IOAPIC_PINS; n++) {
		u32 *lo = &ioapic.entry[n].lo;

		if (!(*lo & ENT_REMOTE_IRR) || (*lo & 0xff) != vector)
			continue;
		*lo &= ~(u32)ENT_REMOTE_IRR;
		service_level(n);
	}
}

UNCHECKED void ioapic_eoi_broadcast(u8 vector)
{
	bool locked = !bql_held();

	if (locked)
		bql_lock();
	eoi(vector);
	if (locked)
		bql_unlock();
}

/* -- registers ----------------------------------------------------------------- */
static u32 reg_read(void) REQUIRES(bql)
{
	unsigned i = ioapic.select - REG_TABLE;

	if (ioapic.select == REG_ID || ioapic.select == REG_ARBITRATION)
		return ioapic.id;
	if (ioapic.select == REG_VERSION)
		return VERSION | (IOAPIC_PINS - 1) << 16;
	if (i / 2 >= IOAPIC_PINS)
		return 0;
	return i & 1 ? ioapic.entry[i / 2].hi : ioapic.entry[i / 2].lo;
}

/* An entry that turns edge-triggered forgets its Remote IRR: kernels without an
 * EOI register end interrupts that way. */
static void write_low(int n, u32 v) REQUIRES(bql)
{
	u32 *lo = &ioapic.entry[n].lo;

	*lo = (*lo & (ENT_STATUS | ENT_REMOTE_IRR)) | (v & ENT_WRITABLE);
	if (!(*lo & ENT_LEVEL))
		*lo &= ~(u32)ENT_REMOTE_IRR;
	service_level(n);
}

static void reg_write(u32 v) REQUIRES(bql)
{
	unsigned i = ioapic.select - REG_TABLE;

	if (ioapic.select == REG_ID)
		ioapic.id = v & 0x0f000000;
	else if (i / 2 >= IOAPIC_PINS)
		log_item(LOG_GUEST_ERRORS, "ioapic: write to register %02x\n", ioapic.select);
	else if (i & 1)
		ioapic.entry[i / 2].hi = v & 0xff000000;
	else
		write_low((int)i / 2, v);
}

static u64 ioapic_read(void *opaque, gpa addr, unsigned size) REQUIRES(bql)
{
	(void)opaque, (void)size;
	if (addr == IOREGSEL)
		return ioapic.select;
	return addr == IOWIN && size == 4 ? reg_read() : 0;
}

static void ioapic_write(void *opaque, gpa addr, u64 v, unsigned size) REQUIRES(bql)
{
	(void)opaque;
	if (addr == IOREGSEL)
		ioapic.select = v & 0xff;
	else if (addr == IOWIN && size == 4)
		reg_write((u32)v);
	else if (addr == IOEOI && size == 4)
		eoi(v & 0xff);
}

/* -- life -------------------------------------------------------------------------- */
void ioapic_reset(void *unused)
{
	(void)unused;
	ioapic.id = 0;
	ioapic.select = 0;
	for (int n = 0; n < IOAPIC_PINS; n++) {
		ioapic.entry[n].lo = ENT_MASKED;
		ioapic.entry[n].hi = 0;
	}
}

void ioapic_new(struct memory_region *memory)
{
	static const struct memory_region_ops ops = { ioapic_read, ioapic_write, 1, 4 };
	static struct memory_region mr;

	ioapic_reset(NULL);
	memory_region_init_io(&mr, "ioapic", WINDOW, &ops, NULL);
	memory_region_add_subregion_overlap(memory, IOAPIC_ADDRESS, &mr, 1);
}
