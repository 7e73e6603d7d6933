/* SPDX-License-Identifier: GPL-2.0-or-later */
/* image-base: 0x200000 */
/* A20 with paging: what the gate masks is the physical address, of data, code and
 * page tables. SDM 3A 8.7.13.4, 3B 20.1.1. */
#include "guest.h"

enum { LOW = 0x800000, HIGH = 0x900000, OTHER = 0xa00000, CR4_PSE = 0x10 };

static volatile u32 *word(u32 a) { return (volatile u32 *)a; }

static void map(u32 linear, u32 phys)
{
	*pte((void *)linear) = phys | PG_P | PG_W | PG_U;
	invlpg((void *)linear);
}

static u32 call(u32 a)
{
	u32 v;

	__asm__ volatile("call *%1" : "=a"(v) : "r"(a) : "memory");
	return v;
}

static void put_code(u32 at, u8 result)
{
	static const u8 code[] = { 0xb8, 0, 0, 0, 0, 0xc3 };   /* mov $n, %eax; ret */

	memcpy((void *)at, code, sizeof(code));
	*(volatile u8 *)(at + 1) = result;
}

static void data(void)
{
	CHECK_EQ("a20-off-read", *word(HIGH), 0x10);
	*word(HIGH + 4) = 0x77;
	CHECK_EQ("a20-off-write", *word(LOW + 4), 0x77);
	map(0x400000, HIGH);
	CHECK_EQ("a20-mapped-high", *word(0x400000), 0x10);
	map(0x500000, OTHER);                    /* the linear address is its own */
	CHECK_EQ("a20-linear-bit-20", *word(0x500000), 0x30);
	map(0x400000, 0x400000);
	map(0x500000, 0x500000);
}

/* The PDE says HIGH, the table is at LOW. */
static void tables(void)
{
	volatile u32 *table = word(LOW + 0x2000);

	for (u32 i = 0; i < 1024; i++)
		table[i] = OTHER | PG_P | PG_W | PG_U;
	page_dir[8] = (HIGH + 0x2000) | PG_P | PG_W | PG_U;
	CHECK_EQ("a20-table", *word(0x2000000), 0x30);
	CHECK_EQ("a20-table-a", table[0] & (PG_A | PG_D), PG_A);
	*word(0x2001000) = 0x30;
	CHECK_EQ("a20-table-d", table[1] & (PG_A | PG_D), PG_A | PG_D);
	set_cr4(get_cr4() | CR4_PSE);
	page_dir[9] = LOW | PG_P | PG_W | PG_U | PG_PS;
	CHECK_EQ("a20-large", *word(0x2400000 + 0x100000), 0x10);
}

void guest_main(void)
{
	paging_on();
	*word(LOW) = 0x10;
	*word(HIGH) = 0x20;
	*word(OTHER) = 0x30;
	put_code(LOW + 0x1000, 1);
	put_code(HIGH + 0x1000, 2);
	CHECK_EQ("a20-on-code", call(HIGH + 0x1000), 2);
	gate_a20(0);
	data();
	CHECK_EQ("a20-off-code", call(HIGH + 0x1000), 1);
	tables();
	gate_a20(1);
	CHECK_EQ("a20-on-read", *word(HIGH), 0x20);
	CHECK_EQ("a20-on-untouched", *word(HIGH + 4), 0);
	CHECK_EQ("a20-on-code-again", call(HIGH + 0x1000), 2);
	CHECK_EQ("a20-on-large", *word(0x2400000 + 0x100000), 0x20);
	paging_off();
}
