/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The I/O permission bitmap of the TSS, for each size; INS and OUTS. SDM 1
 * 19.5.2. */
#include "guest.h"

enum { GP = 13 };

static volatile u32 in_value;

static void in8(void) { __asm__ volatile("inb $0x61, %%al" ::: "eax"); }
static void in_status(void) { in_value = inb(0x3fd); }
static void in16(void) { __asm__ volatile("inw %%dx, %%ax" :: "d"(0x61) : "eax"); }
static void in32(void) { __asm__ volatile("inl %%dx, %%eax" :: "d"(0x60) : "eax"); }
static void out_last(void) { __asm__ volatile("outb %%al, %%dx" :: "a"(0), "d"(0xffff)); }
static void out_last16(void) { __asm__ volatile("outw %%ax, %%dx" :: "a"(0), "d"(0xffff)); }
static u8 buffer[16];
static void ins(void)
{
	u8 *to = buffer;
	u32 n = 4;

	__asm__ volatile("rep insb" : "+D"(to), "+c"(n) : "d"(0x3fd) : "memory");
}

static void allow(u16 port, int on)
{
	if (on)
		tss.io_map[port >> 3] &= ~(1 << (port & 7));
	else
		tss.io_map[port >> 3] |= 1 << (port & 7);
}

static const u8 bytes[4] = { 0x11, 0x22, 0x33, 0x44 };
static void outs(void)
{
	const u8 *from = bytes;
	u32 n = 4;

	__asm__ volatile("rep outsb" : "+S"(from), "+c"(n) : "d"(0x3ff) : "memory");
}

static void ins_nowhere(void)
{
	u32 n = 4;

	__asm__ volatile("mov $0, %%eax; mov %%eax, %%es; rep insb; mov %%ss, %%eax; mov %%eax, %%es"
			 : "+c"(n) : "d"(0x3f8), "D"(0) : "eax", "memory");
}

/* The scratch register of the UART keeps what strings write. */
static void strings(void)
{
	u8 *to = buffer;

	memset(buffer, 0, sizeof(buffer));
	outs();
	CHECK_EQ("outs", inb(0x3ff), 0x44);
	outb(0x3ff, 0x5a);
	__asm__ volatile("insb" : "+D"(to) : "d"(0x3ff) : "memory");
	CHECK_EQ("insb", buffer[0], 0x5a);
	CHECK_EQ("insb-moves", to - buffer, 1);
	to = buffer + 8;
	__asm__ volatile("std; rep insb; cld" : "+D"(to) : "d"(0x3ff), "c"(3) : "memory");
	CHECK_EQ("ins-down", buffer[6] << 8 | buffer[5], 0x5a00);
	CHECK_EQ("ins-down-end", buffer + 5 - to, 0);
	CHECK_EQ("outs-denied", user_try(outs), GP);
	allow(0x3ff, 1);
	CHECK_EQ("outs-allowed", user_try(outs), 0x30);
	allow(0x3f8, 1);
	if (!upstream_lacks("ins-null-segment"))
		CHECK_EQ("ins-null-segment", user_try(ins_nowhere), GP);
}

void guest_main(void)
{
	CHECK_EQ("no-map", user_try(in8), GP);
	memset(tss.io_map, 0xff, sizeof(tss.io_map));
	tss.io_base = (u32)tss.io_map - (u32)&tss;
	CHECK_EQ("denied", user_try(in8), GP);
	CHECK_EQ("denied-error", trap_last.error, 0);
	allow(0x61, 1);
	CHECK_EQ("allowed", user_try(in8), 0x30);
	CHECK_EQ("word-needs-both", user_try(in16), GP);
	allow(0x62, 1);
	CHECK_EQ("word-allowed", user_try(in16), 0x30);
	CHECK_EQ("dword-needs-four", user_try(in32), GP);
	allow(0x60, 1);
	allow(0x63, 1);
	CHECK_EQ("dword-allowed", user_try(in32), 0x30);
	allow(0x3fd, 1);
	CHECK_EQ("uart", user_try(in_status), 0x30);
	CHECK_EQ("uart-value", in_value & 0x60, 0x60);
	CHECK_EQ("ins", user_try(ins), 0x30);
	CHECK_EQ("ins-value", buffer[3] & 0x60, 0x60);
	allow(0x3fd, 0);
	CHECK_EQ("ins-denied", user_try(ins), GP);
	CHECK_EQ("last-port-denied", user_try(out_last), GP);
	allow(0xffff, 1);
	CHECK_EQ("last-port-allowed", user_try(out_last), 0x30);
	CHECK_EQ("word-over-the-end", user_try(out_last16), GP);
	strings();
	/* A map that ends early denies what lies beyond its limit. */
	gdt[SEL_TSS / 8] = descriptor((u32)&tss, tss.io_base + 0x10, 0x89, 0);
	__asm__ volatile("ltr %w0" :: "r"(SEL_TSS));
	CHECK_EQ("within-short-map", user_try(in8), 0x30);
	CHECK_EQ("beyond-short-map", user_try(out_last), GP);
}
