/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random reads and writes of every size all over the port space: nothing but
 * those that end or reset the machine, or speak for this test, is spared. The
 * machine has to live on, and its timers to be usable again afterwards. row-48:
 * port 7Eh, where upstream's vapic would be, is among them. */
#include "guest.h"

static u32 seed = 1;

static u32 next(void)
{
	seed = seed * 1664525 + 1013904223;
	return seed >> 8;
}

static int spared(u32 port)
{
	static const struct { u16 first, last; } range[] = {
		{ 0x60, 0x64 },               /* reset, by a command         */
		{ 0x92, 0x92 }, { 0xcf8, 0xcff },
		{ 0xf4, 0xf7 },               /* isa-debug-exit              */
		{ 0x3f8, 0x3ff },             /* the text                    */
	};

	for (unsigned i = 0; i < N_ELEM(range); i++)
		if (port + 3 >= range[i].first && port <= range[i].last)
			return 1;
	return 0;
}

static void poke(u32 port, u32 what, u32 v)
{
	switch (what) {
	case 0: outb(port, v); break;
	case 1: outw(port, v); break;
	case 2: outl(port, v); break;
	case 3: inb(port); break;
	case 4: inl(port); break;
	default: __asm__ volatile("inw %%dx, %%ax" :: "d"(port) : "eax"); break;
	}
}

void guest_main(void)
{
	static const u16 often[] = { 0x20, 0x40, 0x43, 0x61, 0x70, 0xa0, 0x3c0,
				     0x3d0, 0x4d0 };

	if (upstream_lacks("random-ports"))
		return;
	for (u32 i = 0; i < 300000; i++) {
		u32 port = next() % 4 ? often[next() % N_ELEM(often)] + next() % 16 :
			next() & 0xffff;

		if (!spared(port))
			poke(port, next() % 6, next());
	}
	outb(0x43, 0x34);
	outb(0x40, 0xff);
	outb(0x40, 0xff);
	pit_wait(1000);
	CHECK("still-counts", pit_count() < 0xffff);
	cmos_set(0x0a, 0x26);
	cmos_set(0x0b, 0x02);
	CHECK_EQ("clock-is-back", cmos(0x0b), 0x02);
}
