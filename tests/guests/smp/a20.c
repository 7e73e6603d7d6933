/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes of the memory map by one processor while the others use it: address
 * line 20 by port 92h. When the store to the port is done, nobody may see the
 * old map.
 *
 * row-20: no read that began after the change sees what was before it.
 * row-38: a change of A20 reaches every processor. */
#include "smp.h"

/* 5 MB is 4 MB when line 20 is off. The program lies at 2 MB, the page that the
 * others start from below 1 MB. */
#define EVEN ((volatile u32 *)0x400000)
#define ODD  ((volatile u32 *)0x500000)
enum { ON = 0x5050, OFF = 0x4040, CHANGING = 1 };

static volatile u32 now;                  /* bit 0: changing; bit 1: A20 on    */
static volatile u32 stop;
static struct pace pace_of;

static u32 run(volatile u32 *p) { return ((u32 (*)(void))(p + 8))(); }

static void put_code(volatile u32 *p, u32 v)
{
	volatile u8 *code = (volatile u8 *)(p + 8);

	code[0] = 0xb8;                   /* mov $v, %eax; ret                 */
	*(volatile u32 *)(code + 1) = v;
	code[5] = 0xc3;
}

static void look(u32 cpu, u32 turn)
{
	u32 before = now, got;

	barrier();
	got = turn & 1 ? run(ODD) : *ODD;
	barrier();
	if (now != before || (before & CHANGING))
		return;
	if (got != (before & 2 ? ON : OFF))
		percpu_error(cpu, got, before);
	percpu[cpu].count++;
}

static void change(void)
{
	struct pace mine = pace_of;

	while (pace_more(&mine)) {
		u32 on = mine.done & 1;

		now |= CHANGING;
		barrier();
		outb(0x92, on ? 2 : 0);
		barrier();
		now = mine.done << 2 | on << 1;
		for (u32 i = 0; i < 20; i++)
			look(0, i);
		if (round_robin)
			pause();
	}
	now |= CHANGING;
	outb(0x92, 2);
	stop = 1;
}

static void changing(u32 cpu)
{
	if (!cpu) {
		change();
		return;
	}
	for (u32 i = 0; !stop; i++) {
		look(cpu, i);
		if (round_robin && i % 32 == 0)
			pause();
	}
}

void guest_main(void)
{
	u32 looked;

	smp_start();
	outb(0x92, 2);
	while (inb(0x64) & 2)
		;
	outb(0x64, 0xdd);                 /* the 8042 lets go of line 20       */
	while (inb(0x64) & 2)
		;
	outb(0x92, 2);
	now = CHANGING;
	*EVEN = OFF;
	*ODD = ON;
	put_code(EVEN, OFF);
	put_code(ODD, ON);
	/* Upstream's line 20 is that of the first processor only. */
	if (cpus > 1 && upstream_lacks("row-20/map-changes"))
		return;
	percpu_clear();
	pace_of = pace(50, 20000, 300);
	smp_run(cpus, changing);
	looked = percpu_count();
	CHECK_PERCPU("row-20/map-changes");
	CHECK("row-38/looked-at", looked > 0);
	say("# %u changes, %u looks\n", now >> 2, looked);
}
