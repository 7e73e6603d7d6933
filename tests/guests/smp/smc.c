/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Code that all processors change while all run it (SDM 3A 8.1.3).
 *
 * row-41: each changes its own function, all functions on one page; on pages
 * side by side, with functions that cross from one to the next; one changes,
 * the others run.
 * row-12, row-40: the code buffer is small (tb-size), so that it is full, and
 * flushed, while the others are in it.
 * row-21: one writes code by a string instruction, as a device would. */
/* run-accel: tb-size=1 */
#include "smp.h"

static u8 code[(MAX_CPUS + 2) * 4096] __attribute__((aligned(4096)));
static volatile u32 stop;
static struct pace pace_of;

static u32 run(volatile u8 *p) { return ((u32 (*)(void))p)(); }

/* mov $imm, %eax; ret */
static void put_mov(volatile u8 *p, u32 imm)
{
	p[0] = 0xb8;
	*(volatile u32 *)(p + 1) = imm;
	p[5] = 0xc3;
}

/* Each its own function: what it wrote last is what it runs. */
static void own_function(u32 cpu, volatile u8 *p, u32 also)
{
	struct pace mine = pace_of;

	put_mov(p, 0);
	while (pace_more(&mine)) {
		u32 imm = cpu << 24 | mine.done, got;

		*(volatile u32 *)(p + 1) = imm;
		for (u32 i = 0; i <= mine.done % 3; i++)
			if ((got = run(p)) != imm)
				percpu_error(cpu, got, imm);
		if (mine.done % also == 0)
			p[7] = mine.done;         /* data beside code          */
		percpu[cpu].count++;
	}
}

static void one_page(u32 cpu) { own_function(cpu, code + 64 * cpu, 3); }

static void pages_beside(u32 cpu)
{
	own_function(cpu, code + 4096 * cpu + 128, 2);
}

/* The first bytes on one page, the rest on the next one's first. */
static void across_pages(u32 cpu)
{
	own_function(cpu, code + 4096 * cpu + 4096 - 3, 1000000);
}

static void check_run(const char *name, void (*fn)(u32))
{
	percpu_clear();
	memset(code, 0xc3, sizeof(code));
	smp_run(cpus, fn);
	CHECK_PERCPU(name);
}

/* -- one changes, the others run: SDM 3A 8.1.3, cross-modifying code ------------------ */

static volatile u32 version, ran;

static void serialize(void)
{
	u32 a = 0, b, c, d;

	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(d) :: "memory");
}

static void writer(void)
{
	struct pace mine = pace_of;

	while (pace_more(&mine)) {
		ran = 0;
		if (mine.done & 1) {
			put_mov(code, mine.done);
		} else {
			static u8 source[6] = { 0xb8, 0, 0, 0, 0, 0xc3 };
			void *to = code, *from = source;
			u32 n = sizeof(source);

			*(volatile u32 *)(source + 1) = mine.done;
			__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n) :: "memory");
		}
		barrier();
		version = mine.done;
		while (ran != cpus - 1)
			pause();
	}
	stop = 1;
}

static void changed_by_one(u32 cpu)
{
	u32 last = 0;

	if (!cpu) {
		writer();
		return;
	}
	while (!stop) {
		u32 now = version, got;

		if (now == last) {
			pause();
			continue;
		}
		serialize();
		got = run(code);
		if (got != now)
			percpu_error(cpu, got, now);
		last = now;
		percpu[cpu].count++;
		xadd(&ran, 1);
	}
}

/* The same, not waited for: old or new, nothing in between. The immediate is
 * aligned, so that it changes at once. */
static void free_running(u32 cpu)
{
	volatile u8 *p = code + 3;
	struct pace mine = pace_of;
	u32 last = 0;

	if (!cpu) {
		while (pace_more(&mine))
			*(volatile u32 *)(p + 1) = mine.done;
		stop = 1;
		return;
	}
	while (!stop) {
		u32 got = run(p);

		if (got < last)
			percpu_error(cpu, got, last);
		last = got;
		percpu[cpu].count++;
		if (round_robin)
			pause();
	}
}

/* -- so much code that the buffer is full again and again ------------------------------ */

enum { FUNCTIONS = 400, BYTES = 32 };
static u8 heap[8][FUNCTIONS * BYTES] __attribute__((aligned(4096)));

/* add $i, %eax; xor $v, %eax; jmp next (a block each); the last returns. */
static void put_chain(volatile u8 *p, u32 v)
{
	for (u32 i = 0; i < FUNCTIONS; i++, p += BYTES) {
		p[0] = 0x05;
		*(volatile u32 *)(p + 1) = i;
		p[5] = 0x35;
		*(volatile u32 *)(p + 6) = v;
		p[10] = i == FUNCTIONS - 1 ? 0xc3 : 0xe9;
		*(volatile u32 *)(p + 11) = BYTES - 15;
	}
}

static u32 chain_result(u32 v)
{
	u32 eax = 0;

	for (u32 i = 0; i < FUNCTIONS; i++)
		eax = (eax + i) ^ v;
	return eax;
}

static u32 run_chain(volatile u8 *p)
{
	u32 v = 0;

	__asm__ volatile("call *%1" : "+a"(v) : "r"(p) : "memory", "cc");
	return v;
}

static void storm(u32 cpu)
{
	struct pace mine = pace_of;
	volatile u8 *p = heap[cpu % 8];

	while (pace_more(&mine)) {
		u32 v = mine.done * 0x01010101 + cpu, got;

		put_chain(p, v);
		got = run_chain(p);
		if (got != chain_result(v))
			percpu_error(cpu, got, chain_result(v));
		percpu[cpu].count++;
	}
}

void guest_main(void)
{
	smp_start();
	pace_of = pace(500, 20000, 150);
	check_run("row-41/one-page", one_page);
	check_run("row-41/pages-side-by-side", pages_beside);
	check_run("row-41/across-pages", across_pages);
	pace_of = pace(round_robin ? 100 : 20, 20000, 150);
	stop = version = 0;
	if (cpus > 1)
		check_run("row-41/changed-by-one", changed_by_one);
	stop = 0;
	pace_of = pace(500, 100000, 150);
	percpu_clear();
	put_mov(code + 3, 0);
	smp_run(cpus, free_running);
	CHECK_PERCPU("row-41/changed-while-run");
	pace_of = pace(10, 1000, 300);
	percpu_clear();
	smp_run(cpus < 8 ? cpus : 8, storm);
	CHECK_PERCPU("row-12/small-code-buffer");
	say("# %u chains of %u blocks\n", percpu_count(), FUNCTIONS);
}
