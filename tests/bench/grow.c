/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest of tests/bench/grow: the same number of steps over more and more of
 * something. Built with the library of tests/guests. Command line: "code=N steps=S"
 * (N MB of code, S thousand calls), "spaces=N steps=S" (N address spaces, S
 * thousand switches). Prints "code N RESULT" or "spaces N RESULT".
 */
#include "smp.h"

enum { CODE_AT = 48 << 20 };             /* up to the end of memory            */
enum { FN_STEP = 512, FN_BYTES = 128 };  /* a function each so many bytes, of which it has */

/* -- code: functions that compute, called all over the place ------------------------ */

static u32 seed = 1;

static u32 random(void)
{
	return seed = seed * 1664525 + 1013904223;
}

/* One instruction on EAX or EDX; returns its length. */
static u32 put_insn(u8 *at)
{
	static const u8 ops[][2] = {
		{ 0x01, 0xd0 }, { 0x29, 0xd0 }, { 0x31, 0xc2 }, { 0x89, 0xc2 },
		{ 0x03, 0xd0 }, { 0x85, 0xc0 },
	};
	u32 r = random() >> 8, kind = r % 8;

	if (kind == 6) {                  /* rol eax, n                         */
		at[0] = 0xc1, at[1] = 0xc0, at[2] = (u8)(r >> 8) % 31 + 1;
		return 3;
	}
	if (kind == 7) {                  /* jns over the next two bytes; nop    */
		at[0] = 0x79, at[1] = 2, at[2] = 0x01, at[3] = 0xd0;
		return 4;
	}
	at[0] = ops[kind][0], at[1] = ops[kind][1];
	return 2;
}

static void put_function(u8 *at, u32 number)
{
	u32 n = 5;

	at[0] = 0x05;                     /* add eax, number                    */
	memcpy(at + 1, &number, 4);
	while (n < FN_BYTES - 8)
		n += put_insn(at + n);
	at[n] = 0xc3;
}

static u32 call(u32 at, u32 value)
{
	__asm__ volatile("call *%1" : "+a"(value) : "r"(at) : "edx", "cc", "memory");
	return value;
}

/* In an order that comes to each function equally often. */
static u32 code(u32 mb, u32 steps)
{
	u32 n = (mb << 20) / FN_STEP, sum = 0, i = 0;

	for (u32 k = 0; k < n; k++)
		put_function((u8 *)CODE_AT + k * FN_STEP, k);
	while (steps--) {
		sum = sum * 31 + call(CODE_AT + i * FN_STEP, sum);
		i = (i + 40503) & (n - 1);
	}
	return sum;
}

/* -- spaces: each maps a window to 32 pages of its own -------------------------------- */

enum { WINDOW = 0xc0000000, WINDOW_PAGES = 32, SPACE_BYTES = 2 * 4096 };

static u32 *space_dir(u32 i) { return (u32 *)CODE_AT + i * SPACE_BYTES / 4; }

static void space_make(u32 i, u32 pages)
{
	u32 *dir = space_dir(i), *table = dir + 1024;

	memcpy(dir, (void *)page_dir, 4096);
	memset(table, 0, 4096);
	dir[WINDOW >> 22] = (u32)table | PG_P | PG_W;
	for (u32 k = 0; k < WINDOW_PAGES; k++)
		table[k] = (pages + (i * WINDOW_PAGES + k) * 4096) | PG_P | PG_W;
}

static u32 spaces(u32 n, u32 steps)
{
	u32 sum = 0;

	paging_on();
	paging_off();                     /* page_dir is made               */
	for (u32 i = 0; i < n; i++)
		space_make(i, CODE_AT + n * SPACE_BYTES);
	paging_on();
	for (u32 s = 0; s < steps; s++) {
		set_cr3((u32)space_dir(s % n));
		for (u32 k = 0; k < WINDOW_PAGES; k++) {
			volatile u32 *p = (u32 *)(WINDOW + k * 4096 + (k << 6));

			sum += *p + 1;
			*p = s;
		}
	}
	set_cr3((u32)page_dir);
	paging_off();
	return sum;
}

void guest_main(void)
{
	u32 mb = option_value("code", 0), n = option_value("spaces", 0);
	u32 steps = option_value("steps", 1) * 1000;

	if (mb)
		say("code %u %x\n", mb, code(mb, steps));
	else if (n)
		say("spaces %u %x\n", n, spaces(n, steps));
	else
		CHECK("workload", 0);
}
