/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Locked instructions of all processors on the same memory: every sum is
 * exact (SDM 3A 8.1.2.2, "regardless of alignment").
 *
 * row-45: each locked instruction, 8 to 64 bits, aligned and not.
 * row-11: operands that cross a page, which no host instruction can do.
 * row-42: operands on a page that holds code which all are running.
 * row-03: operands in a device's memory. */
#include "smp.h"

static u8 arena[3 * 4096] __attribute__((aligned(4096)));
static u8 code[4096] __attribute__((aligned(4096)));
static u8 *at;                            /* what they all change              */
static u32 rounds;
static int paged;
static void (*op)(u32 cpu, u8 *at, u32 n);

static void all_do(u32 cpu)
{
	if (paged)
		cpu_paging(1);
	op(cpu, at, rounds);
}

/* -- the instructions: n rounds, each adds 1 in its own way ------------------------- */

#define LOOP(name, type, body)                                             \
	static void name(u32 cpu, u8 *where, u32 n)                        \
	{                                                                  \
		volatile type *p = (volatile type *)where;                 \
		(void)cpu;                                                 \
		while (n--)                                                \
			body;                                              \
	}
#define ASM(text, ...) __asm__ volatile(text : "+m"(*p) __VA_ARGS__ : "memory", "cc")
LOOP(add8, u8, ASM("lock addb $1, %0", :))
LOOP(add16, u16, ASM("lock addw $1, %0", :))
LOOP(add32, u32, ASM("lock addl $1, %0", :))
LOOP(inc32, u32, ASM("lock incl %0", :))
LOOP(sub32, u32, ASM("lock subl $-1, %0", :))
LOOP(dec32, u32, ASM("lock decl %0", :))
LOOP(adc32, u32, ASM("stc; lock adcl $0, %0", :))
LOOP(sbb32, u32, ASM("stc; lock sbbl $-2, %0", :))
LOOP(xadd8, u8, { u8 v = 1; __asm__ volatile("lock xaddb %0, %1" : "+q"(v), "+m"(*p) :: "memory", "cc"); })
LOOP(xadd16, u16, { u16 v = 1; __asm__ volatile("lock xaddw %0, %1" : "+r"(v), "+m"(*p) :: "memory", "cc"); })
LOOP(xadd32, u32, xadd(p, 1))

static void cmpxchg32(u32 cpu, u8 *where, u32 n)
{
	volatile u32 *p = (volatile u32 *)where;

	(void)cpu;
	while (n--) {
		u32 old = *p, seen;

		while ((seen = cmpxchg(p, old, old + 1)) != old)
			old = seen;
	}
}

/* The low half counts; the high half must be its complement, always. */
static void cmpxchg64(u32 cpu, u8 *where, u32 n)
{
	volatile u64 *p = (volatile u64 *)where;
	u64 old = cmpxchg8b(p, 0, 0), seen;

	while (n--) {
		for (;;) {
			u32 low = old;

			if ((u32)(old >> 32) + low)
				percpu_error(cpu, old >> 32, -low);
			seen = cmpxchg8b(p, old, (u64)(-low - 1) << 32 | (low + 1));
			if (seen == old)
				break;
			old = seen;
		}
		old = cmpxchg8b(p, old, old);
	}
}

/* A lock made of an exchange; what it guards is counted plainly. */
static void by_xchg(u32 cpu, u8 *where, u32 n)
{
	volatile u32 *p = (volatile u32 *)where;
	static volatile u32 held;

	(void)cpu;
	while (n--) {
		while (xchg(&held, 1))
			pause();
		++*p;
		barrier();
		held = 0;
	}
}

/* Bit CPU of the word is ours: it must be as we left it, each time. */
static void bits(u32 cpu, u8 *where, u32 n)
{
	volatile u32 *p = (volatile u32 *)where;
	u8 was;

	for (u32 i = 0; i < n; i++) {
		if (i & 1)
			__asm__ volatile("lock btr %2, %1; setc %0" : "=q"(was), "+m"(*p) : "r"(cpu) : "memory", "cc");
		else if (i & 2)
			__asm__ volatile("lock btc %2, %1; setc %0" : "=q"(was), "+m"(*p) : "r"(cpu) : "memory", "cc");
		else
			__asm__ volatile("lock bts %2, %1; setc %0" : "=q"(was), "+m"(*p) : "r"(cpu) : "memory", "cc");
		if (was != (i & 1))
			percpu_error(cpu, was, i & 1);
	}
}

static void logic(u32 cpu, u8 *where, u32 n)
{
	volatile u32 *p = (volatile u32 *)where;
	u32 bit = 1u << cpu;

	for (u32 i = 0; i < n; i++) {
		switch (i & 3) {
		case 0: ASM("lock orl %1, %0", : "r"(bit)); break;
		case 1: ASM("lock andl %1, %0", : "r"(~bit)); break;
		case 2: ASM("lock xorl %1, %0", : "r"(bit)); break;
		case 3: ASM("lock xorl %1, %0", : "r"(bit)); break;
		}
		if (!!(*p & bit) != (0x5 >> (i & 3) & 1))
			percpu_error(cpu, *p, i);
	}
}

/* Twice is nothing; one that is lost is seen. */
LOOP(not32, u32, { ASM("lock notl %0", :); ASM("lock notl %0", :); })
LOOP(neg32, u32, { ASM("lock negl %0", :); ASM("lock negl %0", :); })

static const struct {
	const char *name;
	void (*fn)(u32 cpu, u8 *at, u32 n);
	u32 bytes;
	s32 each;                         /* added in each round               */
	u32 start;
} ops[] = {
	{ "add8", add8, 1, 1, 0 }, { "add16", add16, 2, 1, 0 },
	{ "add32", add32, 4, 1, 0 }, { "inc32", inc32, 4, 1, 0 },
	{ "sub32", sub32, 4, 1, 0 }, { "dec32", dec32, 4, -1, 0 },
	{ "adc32", adc32, 4, 1, 0 }, { "sbb32", sbb32, 4, 1, 0 },
	{ "xadd8", xadd8, 1, 1, 0 }, { "xadd16", xadd16, 2, 1, 0 },
	{ "xadd32", xadd32, 4, 1, 0 }, { "cmpxchg32", cmpxchg32, 4, 1, 0 },
	{ "cmpxchg8b", cmpxchg64, 8, 1, 0 }, { "xchg", by_xchg, 4, 1, 0 },
	{ "bits", bits, 4, 0, 0 }, { "logic", logic, 4, 0, 0 },
	{ "not32", not32, 4, 0, 77 }, { "neg32", neg32, 4, 0, 77 },
};

/* Runs ops[i] at p: is the sum right, and nothing beside it touched? */
static void sum_up(u32 i, u8 *p, u32 n)
{
	u32 want = ops[i].start + (u32)ops[i].each * n * cpus, got = 0;

	memset(p - 4, 0, 16);
	*p = ops[i].start;
	p[-1] = 0xa5;
	p[ops[i].bytes] = 0x5a;
	at = p;
	op = ops[i].fn;
	rounds = n;
	smp_run(cpus, all_do);
	if (ops[i].bytes < 4)
		want &= (1u << 8 * ops[i].bytes) - 1;
	memcpy(&got, p, ops[i].bytes < 4 ? ops[i].bytes : 4);
	if (got == want && p[-1] == 0xa5 && p[ops[i].bytes] == 0x5a)
		return;
	percpu_error(0, got, want);
	say("# %s at %x\n", ops[i].name, (u32)p);
}

/* All of them; crossing: each starts so that it lies across p. */
static void each_op(const char *name, u8 *p, int crossing, u32 n)
{
	percpu_clear();
	for (u32 i = 0; i < N_ELEM(ops); i++) {
		if (crossing && ops[i].bytes == 1)
			continue;
		sum_up(i, p - (crossing ? (ops[i].bytes + 1) / 2 : 0), n);
	}
	CHECK_PERCPU(name);
}

/* -- on a page that holds code -------------------------------------------------------- */

/* code: n in ECX; 1: lock incl counter; loop 1b; ret, counter in the page. */
static void loop_in_page(u32 cpu)
{
	u32 n = rounds;

	(void)cpu;
	__asm__ volatile("call *%1" : "+c"(n) : "r"(code) : "memory", "cc");
}

static void code_page(void)
{
	static const u8 body[] = { 0xf0, 0xff, 0x05, 0, 0, 0, 0, 0xe2, 0xf7, 0xc3 };
	volatile u32 *counter = (volatile u32 *)(code + 2048);

	memcpy(code, body, sizeof(body));
	*(volatile u32 *)(code + 3) = (u32)counter;
	*counter = 0;
	rounds = option_value("percent", 100) * 20;
	smp_run(cpus, loop_in_page);
	CHECK_EQ("row-42/counter-beside-code", *counter, rounds * cpus);
}

/* -- pages that lie apart, a device's memory --------------------------------------------- */

static void apart(u32 n)
{
	volatile u32 *pages = pte(arena);
	u32 second = pages[1];

	smp_paging();
	pages[1] = pages[2];
	pages[2] = second;
	cpu_paging(1);
	paged = 1;
	each_op("row-11/pages-that-lie-apart", arena + 4096, 1, n);
}

/* The text screen. */
static void device_memory(u32 n)
{
	volatile u32 *cell = (volatile u32 *)0xb8000;

	*cell = 0x07200720;
	at = (u8 *)cell;
	op = add32;
	rounds = n;
	smp_run(cpus, all_do);
	CHECK_EQ("row-11/device-memory", *cell, 0x07200720 + n * cpus);
}

void guest_main(void)
{
	u32 percent, few;

	smp_start();
	percent = option_value("percent", 100);
	few = (percent / cpus + 1) * 4;
	each_op("row-45/aligned", arena + 64, 0, percent * 100);
	each_op("row-45/unaligned", arena + 64 + 3, 0, percent * 50);
	each_op("row-45/cache-lines", arena + 128, 1, percent * 20);
	each_op("row-11/pages", arena + 4096, 1, few);
	apart(few);
	device_memory(few);
	code_page();
}
