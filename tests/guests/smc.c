/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Code that changes: in its own block, in its own page, through another
 * mapping, by a string instruction; data beside code; a page given other
 * contents by its page table entry. SDM 3A 8.1.3: after a jump (and on these
 * processors at once) the new bytes run. */
#include "guest.h"

static u8 code[3 * 4096] __attribute__((aligned(4096)));

static u32 run(const void *p) { return ((u32 (*)(void))p)(); }

/* mov $imm, %eax; ret */
static void put_mov(volatile u8 *p, u32 imm)
{
	p[0] = 0xb8;
	*(volatile u32 *)(p + 1) = imm;
	p[5] = 0xc3;
}

/* The store changes the immediate of the very next instruction. */
static u32 own_block(u32 imm)
{
	u32 v;

	__asm__ volatile("	movl %1, 1f+1\n"
			 "1:	mov $0, %0\n" : "=a"(v) : "c"(imm) : "memory");
	return v;
}

/* A loop that patches its own increment each time round. */
static u32 own_loop(void)
{
	u32 sum = 0;

	__asm__ volatile("	mov $10, %%ecx\n"
			 "1:	mov %%ecx, 2f+2\n"
			 "2:	add $0x7fffffff, %0\n"
			 "	loop 1b\n"
			 : "+d"(sum) :: "ecx", "memory");
	return sum;
}

static void same_block(void)
{
	int good = 1;

	for (u32 i = 0; i < 100; i++)
		good &= own_block(i * 77) == i * 77;
	CHECK("own-block", good);
	good = 1;
	for (u32 i = 0; i < 20; i++)
		good &= own_loop() == 55;
	CHECK("own-loop", good);
}

static void same_page(void)
{
	int good = 1;

	for (u32 i = 0; i < 1000; i++) {
		put_mov(code + 128 * (i % 3), i);
		good &= run(code + 128 * (i % 3)) == i;
	}
	CHECK("same-page", good);
	put_mov(code, 1);
	put_mov(code + 64, 2);
	run(code);
	run(code + 64);
	code[1] = 9;
	CHECK_EQ("one-byte", run(code), 9);
	CHECK_EQ("neighbour", run(code + 64), 2);
	put_mov(code + 4093, 0x11111111);      /* over the page's end        */
	CHECK_EQ("crossing", run(code + 4093), 0x11111111);
	*(volatile u8 *)(code + 4097) = 0x22;
	CHECK_EQ("crossing-second-page", run(code + 4093), 0x22111111);
	*(volatile u8 *)(code + 4095) = 0x33;
	CHECK_EQ("crossing-first-page", run(code + 4093), 0x22113311);
}

static void string_store(void)
{
	static const u8 one[] = { 0xb8, 1, 0, 0, 0, 0xc3 };
	static const u8 two[] = { 0xb8, 2, 0, 0, 0, 0xc3 };
	u8 *to = code + 8192;
	int good = 1;

	for (int i = 0; i < 50; i++) {
		const u8 *from = i & 1 ? one : two;
		u8 *d = to;
		u32 n = 6;

		__asm__ volatile("rep movsb" : "+S"(from), "+D"(d), "+c"(n) :: "memory");
		good &= run(to) == (i & 1 ? 1 : 2);
	}
	CHECK("rep-movs", good);
}

/* Counters that lie between pieces of code: right values, and fast enough
 * that a million of them end. */
static void data_beside_code(void)
{
	volatile u32 *counter = (u32 *)(code + 64);
	u32 sum = 0;

	put_mov(code, 3);
	put_mov(code + 128, 4);
	*counter = 0;
	for (u32 i = 0; i < 200000; i++) {
		sum += run(code) + run(code + 128);
		*counter += 1;
	}
	CHECK_EQ("beside-sum", sum, 200000 * 7);
	CHECK_EQ("beside-count", *counter, 200000);
}

/* The same bytes at a second address, and other bytes at the same one. */
static void mappings(void)
{
	volatile u8 *other = (u8 *)0xc00000, *third = (u8 *)0xc01000;

	paging_on();
	put_mov(code, 10);
	run(code);
	*pte(other) = (u32)code | PG_P | PG_W | PG_U;
	invlpg(other);
	put_mov(other, 11);
	CHECK_EQ("second-mapping-write", run(code), 11);
	CHECK_EQ("second-mapping-run", run((void *)other), 11);
	put_mov(code, 12);
	CHECK_EQ("second-mapping-other-way", run((void *)other), 12);
	put_mov(third, 13);
	*pte(other) = (u32)third | PG_P | PG_W | PG_U;
	invlpg(other);
	CHECK_EQ("remapped", run((void *)other), 13);
	*pte(other) = (u32)code | PG_P | PG_W | PG_U;
	invlpg(other);
	CHECK_EQ("remapped-back", run((void *)other), 12);
	paging_off();
}

/* A store by PUSH, by a locked instruction, by XCHG, by the FPU's 10 bytes. */
static void odd_stores(void)
{
	put_mov(code, 20);
	run(code);
	__asm__ volatile("lock; addl $1, (%0)" :: "r"(code + 1) : "memory");
	CHECK_EQ("locked", run(code), 21);
	__asm__ volatile("xchg %0, (%1)" :: "r"(22), "r"(code + 1) : "memory");
	CHECK_EQ("xchg", run(code), 22);
	__asm__ volatile("mov %%esp, %%edx; lea 4(%0), %%esp; push $23; mov %%edx, %%esp"
			 :: "r"(code + 1) : "edx", "memory");
	CHECK_EQ("push", run(code), 23);
	__asm__ volatile("movl $24, (%0); fildl (%0); movl $0, (%0); fistpl (%0)"
			 :: "r"(code + 1) : "memory");
	CHECK_EQ("fist", run(code), 24);
}

/* -- an operand that keeps changing: in the end it is read each time -------------------------- */

/* Patch the operand of the MOV at p and run `at`, n times. */
static int patched(volatile u8 *p, const volatile u8 *at, u32 n, u32 step, u32 less)
{
	int good = 1;

	for (u32 i = 1; i <= n; i++) {
		*(volatile u32 *)(p + 1) = i * step;
		good &= run((const void *)at) == i * step - less;
	}
	return good;
}

/* What is stored, as the operand of the MOV at p, is INC or DEC EAX, RET. `at` is
 * the MOV, with or without a jump to its operand behind it, or the operand. */
static int operand_is_code(volatile u8 *p, const volatile u8 *at, int jump)
{
	int good = 1;

	for (u32 i = 0; i < 40; i++) {
		u32 v = i & 1 ? 0x9090c340 : 0x9090c348, got = 7, want = at == p ? v : 7;

		if (jump || at != p)
			want += i & 1 ? 1 : -1u;
		*(volatile u32 *)(p + 1) = v;
		__asm__ volatile("call *%1" : "+a"(got) : "r"(at) : "memory", "cc");
		good &= got == want;
	}
	return good;
}

static void operands(void)
{
	volatile u8 *p = code + 0x100, *cross = code + 0x200;
	volatile u8 *c = p + 0x400;

	put_mov(p, 0);
	CHECK("operand", patched(p, p, 200, 0x01010101, 0));
	p[4] = 0x77;                     /* one byte of it                   */
	CHECK_EQ("operand-byte", run((const void *)p), (200 * 0x01010101u & 0xffffff) | 0x77000000);
	*(volatile u32 *)p = 0x332211b8; /* the opcode with it               */
	CHECK_EQ("operand-and-opcode", run((const void *)p), 0x77332211);
	*(volatile u32 *)(p + 3) = 0xc3409988;   /* its end; INC EAX, RET    */
	CHECK_EQ("operand-and-next", run((const void *)p), 0x99882212);
	put_mov(p, 0);
	CHECK("operand-again", patched(p, p, 50, 3, 0));
	/* MOV, then SUB of an operand that stays */
	*(volatile u32 *)(cross) = 0xb8;
	cross[5] = 0x2d;
	*(volatile u32 *)(cross + 6) = 1000;
	cross[10] = 0xc3;
	CHECK("operand-of-first", patched(cross, cross, 50, 5, 1000));
	/* the same bytes as instructions, by themselves and behind a jump */
	put_mov(c, 0);
	CHECK("operand-not-run", operand_is_code(c, c, 0));
	CHECK("operand-run", operand_is_code(c, c + 1, 0));
	CHECK("operand-run-and-not", operand_is_code(c, c, 0));
	c[5] = 0xeb;
	c[6] = 0xfa;                     /* JMP to the operand               */
	CHECK("operand-jumped-to", operand_is_code(c, c, 1));
}

void guest_main(void)
{
	same_block();
	same_page();
	string_store();
	data_beside_code();
	mappings();
	odd_stores();
	operands();
}
