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
	/* A map that ends early denies what lies beyond its limit. */
	gdt[SEL_TSS / 8] = descriptor((u32)&tss, tss.io_base + 0x10, 0x89, 0);
	__asm__ volatile("ltr %w0" :: "r"(SEL_TSS));
	CHECK_EQ("within-short-map", user_try(in8), 0x30);
	CHECK_EQ("beyond-short-map", user_try(out_last), GP);
}
