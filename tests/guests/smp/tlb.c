/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TLB shootdown (SDM 3A 4.10.5): one processor changes a page table entry,
 * interrupts the others, they flush and acknowledge. From then on no processor
 * may use the old translation, neither to load nor to store nor to fetch.
 *
 * row-24: after the acknowledgement the unmapped page faults everywhere.
 * row-16: what another processor asked for is done before it goes on. */
#include "smp.h"

enum { SHOOT = 0x60 };
enum { GONE, FIRST, SECOND, READ_ONLY, CHANGING };   /* what the page is       */

/* The page that comes and goes, and the two frames it is mapped to. Each
 * holds its number at 0, and code that returns it at 16. */
static u8 window[4096] __attribute__((aligned(4096)));
static u8 frames[2][4096] __attribute__((aligned(4096)));
static volatile u32 now = CHANGING;       /* kind, and a number in bits 3-31   */
static volatile u32 acknowledged, stop;
static int by_cr3;
static struct pace pace_of;

/* -- an access that may fault ---------------------------------------------------------- */

extern u8 try_load_at[], try_store_at[], try_fixup[];
u32 try_load(const volatile void *p);     /* the value, or ~0 if it faulted    */
u32 try_store(volatile void *p, u32 v);   /* 0, or ~0                          */
u32 try_run(const volatile void *p);
__asm__(
"	.text\n"
"try_load:	mov 4(%esp), %edx\n"
"try_load_at:	mov (%edx), %eax\n"
"	ret\n"
"try_store:	mov 4(%esp), %edx\n"
"	mov 8(%esp), %ecx\n"
"	xor %eax, %eax\n"
"try_store_at:	mov %ecx, (%edx)\n"
"	ret\n"
"try_run:	mov 4(%esp), %edx\n"
"	call *%edx\n"
"	ret\n"
"try_run_fixup:	add $4, %esp\n"		/* the return address into try_run */
"try_fixup:	mov $-1, %eax\n"
"	ret\n");
extern u8 try_run_fixup[];

static void on_page_fault(struct frame *f)
{
	percpu[smp_self()].other++;
	if (f->eip == (u32)try_load_at || f->eip == (u32)try_store_at) {
		f->eip = (u32)try_fixup;
	} else if (f->eip - (u32)window < sizeof(window)) {
		/* There is no frame to return from: the stack has try_run's. */
		f->eip = (u32)try_run_fixup;
	} else {
		say("not ok trap: page fault at %x, cr2 %x\n", f->eip, f->cr2);
		finish();
	}
}

/* -- the ones that look ------------------------------------------------------------------- */

static void flush(void)
{
	if (by_cr3)
		set_cr3((u32)page_dir);
	else
		invlpg(window);
}

static void on_shoot(struct frame *f)
{
	(void)f;
	flush();
	percpu[smp_self()].taken++;
	xadd(&acknowledged, 1);
	ipi_eoi();
}

static u32 expected(u32 kind, int store)
{
	switch (kind) {
	case FIRST: return store ? 0 : 0x11;
	case SECOND: return store ? 0 : 0x22;
	case READ_ONLY: return store ? ~0u : 0x22;
	}
	return ~0u;
}

/* One access; it counts if the page was the same before and after. */
static void look(u32 cpu, u32 turn)
{
	u32 before = now, kind = before & 7, store = turn % 3 == 1, got;

	barrier();
	if (store)
		got = try_store(window + 64 + 4 * cpu, turn);
	else if (turn % 3 == 2)
		got = try_run(window + 16);
	else
		got = try_load(window);
	barrier();
	if (now != before || kind == CHANGING)
		return;
	percpu[cpu].count++;
	if (got != expected(kind, store))
		percpu_error(cpu, (got & 0xffff) | kind << 16 | turn % 3 << 24,
			     expected(kind, store));
}

/* -- the one that changes -------------------------------------------------------------------- */

static void shoot(u32 kind)
{
	static const struct { u32 frame, rights; } map[] = {
		[GONE] = { 0, 0 }, [FIRST] = { 0, PG_P | PG_W },
		[SECOND] = { 1, PG_P | PG_W }, [READ_ONLY] = { 1, PG_P },
	};
	u32 number = (now & ~7u) + 8;

	now = number | CHANGING;
	barrier();
	*pte(window) = map[kind].rights ?
		(u32)frames[map[kind].frame] | map[kind].rights : 0;
	flush();
	acknowledged = 0;
	barrier();
	ipi_others(SHOOT);
	while (acknowledged != cpus - 1)
		pause();
	now = number | kind;
}

static void change(void)
{
	static const u8 order[] = {
		FIRST, GONE, SECOND, READ_ONLY, FIRST, SECOND, GONE, READ_ONLY,
	};

	for (u32 i = 0; pace_more(&pace_of); i++) {
		by_cr3 = i >> 4 & 1;
		shoot(order[i % N_ELEM(order)]);
		for (u32 k = 0; k < 6; k++)
			look(0, i + k);
	}
	shoot(FIRST);
	stop = 1;
}

static void shooting(u32 cpu)
{
	cpu_paging(1);
	set_cr0(get_cr0() | 0x10000);     /* WP                                */
	xadd(&acknowledged, 1);
	if (!cpu) {
		while (acknowledged != cpus)
			pause();
		change();
		return;
	}
	sti();
	for (u32 turn = cpu; !stop; turn++) {
		look(cpu, turn);
		if (round_robin)
			pause();
	}
	cli();
}

/* -- all change tables of their own at the same time, and flush each other ----------------------- */

static u8 own[MAX_CPUS][4096] __attribute__((aligned(4096)));
static volatile u32 left;

static void pages_of_one(u32 cpu)
{
	struct pace mine = pace_of;
	volatile u32 *word = (volatile u32 *)own[cpu], *entry = pte(word);
	u32 home = *entry;

	sti();
	for (u32 i = 0; pace_more(&mine); i++) {
		u32 got;

		*entry = 0;
		invlpg(word);
		got = try_load(word);
		if (got != ~0u)
			percpu_error(cpu, got, ~0u);
		*entry = home;
		*word = i;
		got = try_load(word);
		if (got != i)
			percpu_error(cpu, got, i);
		if (cpus > 1 && i % 16 == cpu)
			ipi((cpu + 1) % cpus, SHOOT);
		percpu[cpu].count++;
	}
	xadd(&left, -1u);
	while (left)
		pause();
	cli();
}

static void prepare(void)
{
	for (u32 i = 0; i < 2; i++) {
		*(volatile u32 *)frames[i] = 0x11 * (i + 1);
		frames[i][16] = 0xb8;     /* mov $imm, %eax; ret               */
		*(volatile u32 *)(frames[i] + 17) = 0x11 * (i + 1);
		frames[i][21] = 0xc3;
	}
	trap_handler[14] = on_page_fault;
	trap_handler[SHOOT] = on_shoot;
}

void guest_main(void)
{
	u32 taken = 0;

	smp_start();
	prepare();
	smp_paging();
	pace_of = pace(400 / cpus, 1000000, 400);
	percpu_clear();
	smp_run(cpus, shooting);
	CHECK_PERCPU("row-24/faults-after-acknowledgement");
	for (u32 i = 0; i < cpus; i++)
		taken += percpu[i].taken;
	CHECK_EQ("row-16/flushes", taken, (now >> 3) * (cpus - 1));
	say("# %u rounds, %u looks\n", now >> 3, percpu_count());
	percpu_clear();
	left = cpus;
	pace_of = pace(100, 20000, 200);
	smp_run(cpus, pages_of_one);
	CHECK_PERCPU("row-24/own-pages");
}
