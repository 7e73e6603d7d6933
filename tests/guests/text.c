/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text memory, VGA registers, and ports where nothing is. */
#include "guest.h"

static volatile u16 *const screen = (u16 *)0xb8000;

static u8 indexed(u16 port, u8 i) { outb(port, i); return inb(port + 1); }

static void retrace(void)
{
	u32 edges = 0;
	u8 last = inb(0x3da) & 8;

	for (u32 i = 0; i < 4000000 && edges < 4; i++) {
		u8 now = inb(0x3da) & 8;

		edges += now != last;
		last = now;
	}
	CHECK_EQ("retrace-toggles", edges, 4);
}

void guest_main(void)
{
	int same = 1;

	for (int i = 0; i < 2000; i++)
		screen[i] = 0x0700 | (i & 0xff);
	for (int i = 0; i < 2000; i++)
		same &= screen[i] == (0x0700 | (i & 0xff));
	CHECK("memory", same);
	CHECK_EQ("crtc-end-of-columns", indexed(0x3d4, 1), 79);
	outb(0x3d4, 0x0e);
	outb(0x3d5, 0x03);
	outb(0x3d4, 0x0f);
	outb(0x3d5, 0x45);
	CHECK_EQ("cursor-high", indexed(0x3d4, 0x0e), 0x03);
	CHECK_EQ("cursor-low", indexed(0x3d4, 0x0f), 0x45);
	CHECK_EQ("misc", inb(0x3cc), 0x67);
	inb(0x3da);
	outb(0x3c0, 0x10 | 0x20);
	CHECK_EQ("attribute-mode", inb(0x3c1), 0x0c);
	outb(0x3c8, 10);
	outb(0x3c9, 1);
	outb(0x3c9, 2);
	outb(0x3c9, 3);
	outb(0x3c7, 10);
	CHECK_EQ("palette-red", inb(0x3c9), 1);
	CHECK_EQ("palette-green", inb(0x3c9), 2);
	CHECK_EQ("palette-blue", inb(0x3c9), 3);
	retrace();
	CHECK_EQ("no-such-port", inb(0x9999), 0xff);
	CHECK_EQ("no-such-port-long", inl(0x9998), 0xffffffff);
	outl(0xcf8, 0x80000000 | 31 << 11);
	CHECK_EQ("no-pci-device", inl(0xcfc), 0xffffffff);
}
