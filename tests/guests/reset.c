/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reset by the 8042, port 92h or CF9h, as the command line says. Without
 * "once" the machine starts again: a byte of CMOS memory tells, and the chips
 * must be as they were the first time. */
#include "guest.h"

enum { MARK = 0x4f, SET = 0x5a };

static void do_reset(void)
{
	if (option("8042"))
		outb(0x64, 0xfe);
	if (option("port92")) {
		outb(0x92, inb(0x92) & ~1);
		outb(0x92, inb(0x92) | 1);
	}
	if (option("cf9")) {
		outb(0xcf9, 2);
		outb(0xcf9, 6);
	}
	for (;;)
		__asm__ volatile("hlt");
}

void guest_main(void)
{
	if (cmos(MARK) == SET) {
		cmos_set(MARK, 0);
		CHECK_EQ("serial-is-reset", inb(0x3f8 + 7), 0);
		CHECK("memory-map-stands", *(volatile u32 *)0x200000 == 0 ||
		      *(volatile u32 *)0x200000 == 0x12345678);
		return;
	}
	outb(0x3f8 + 7, 0xa5);
	*(volatile u32 *)0x200000 = 0x12345678;
	if (!option("once"))
		cmos_set(MARK, SET);
	do_reset();
}
