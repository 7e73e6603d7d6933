/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One workload for each lock and protocol of an emulator, for tools/lockcmp: "NAME
 * n=COUNT" on the command line has every processor do COUNT operations of that kind
 * and prints "work NAME ops ALL kcycles TIME" (time stamps / 1024). Without a name
 * all are done a few times, and checked.
 *
 * "flush" is "new-code" in a code buffer that is too small for it (tb-size=1). */
#include "smp.h"

enum { PING = 0x60, PAGES = 64, SLOT = 16, SLOTS = PAGES * 4096 / SLOT };

static u32 n;
static volatile u32 shared __attribute__((aligned(64)));
static struct rendezvous ends;
static u64 started, ended;

/* -- devices ------------------------------------------------------------------- */

static void port(u32 cpu)
{
	(void)cpu;
	for (u32 i = n; i; i--)
		outb(0x80, (u8)i);
}

/* The I/O APIC's window; its index register reads as it was written. */
static void mmio(u32 cpu)
{
	volatile u32 *ioapic = (volatile u32 *)0xfec00000u;

	*ioapic = 1;
	for (u32 i = n; i; i--)
		if (*ioapic != 1)
			percpu_error(cpu, i, 1);
}

static void lapic_reads(u32 cpu)
{
	for (u32 i = n; i; i--)
		if (lapic_id() != apic_of[cpu])
			percpu_error(cpu, i, apic_of[cpu]);
}

/* -- instructions ---------------------------------------------------------------- */

static void pauses(u32 cpu)
{
	(void)cpu;
	for (u32 i = n; i; i--)
		pause();
}

static void rdtsc(u32 cpu)
{
	u64 last = 0;

	for (u32 i = n; i; i--) {
		u64 now = tsc64();

		if (now < last)
			percpu_error(cpu, (u32)now, (u32)last);
		last = now;
	}
}

/* Where the word lies: at its boundary, across cache lines, across pages. */
static u8 words[3 * 4096] __attribute__((aligned(4096)));

static void add_at(u8 *p)
{
	for (u32 i = n; i; i--)
		__asm__ volatile("lock incl %0" : "+m"(*(volatile u32 *)p) :: "memory", "cc");
}

static void add(u32 cpu) { (void)cpu; add_at(words + 128); }
static void add_misaligned(u32 cpu) { (void)cpu; add_at(words + 1024 + 62); }
static void add_split(u32 cpu) { (void)cpu; add_at(words + 2 * 4096 - 2); }

static u32 sum_at(u32 at) { return *(volatile u32 *)(words + at); }

static void adds_clear(void) { memset(words, 0, sizeof(words)); }

/* -- pages ------------------------------------------------------------------------ */

static void cr3(u32 cpu)
{
	if (cpu)
		cpu_paging(1);
	for (u32 i = n; i; i--) {
		set_cr3(get_cr3());
		percpu[cpu].count++;
	}
	cpu_paging(0);
}

/* -- code --------------------------------------------------------------------------- */

static u8 code[MAX_CPUS][PAGES * 4096] __attribute__((aligned(4096)));
static volatile u32 stop;

static u32 run(volatile u8 *p) { return ((u32 (*)(void))p)(); }

/* mov $imm, %eax; ret */
static void put_mov(volatile u8 *p, u32 imm)
{
	p[0] = 0xb8;
	*(volatile u32 *)(p + 1) = imm;
	p[5] = 0xc3;
}

/* Stores to a page from which all processors have run code. */
static void beside_code(u32 cpu)
{
	volatile u32 *word = (volatile u32 *)(code[0] + 2048 + 64 * cpu);

	put_mov(code[0] + 64 * cpu, cpu);
	if (run(code[0] + 64 * cpu) != cpu)
		percpu_error(cpu, 0, cpu);
	for (u32 i = n; i; i--)
		*word = i;
	if (run(code[0] + 64 * cpu) != cpu)
		percpu_error(cpu, 1, cpu);
}

static void change(u32 cpu, volatile u8 *p)
{
	put_mov(p, 0);
	for (u32 i = 1; i <= n; i++) {
		u32 got;

		*(volatile u32 *)(p + 1) = i;
		got = run(p);
		if (got != i)
			percpu_error(cpu, got, i);
	}
}

/* One changes a function, the others run it. The immediate is aligned: they see
 * the old or the new one. */
static void smc_one(u32 cpu)
{
	volatile u8 *p = code[0] + 3;

	if (!cpu) {
		change(cpu, p);
		stop = 1;
		return;
	}
	while (!stop) {
		u32 got = run(p);

		if (got > n)
			percpu_error(cpu, got, n);
		if (round_robin)
			pause();
	}
}

static void smc_ready(void)
{
	stop = 0;
	put_mov(code[0] + 3, 0);
}

/* Each its own function, all on one page. */
static void smc_all(u32 cpu) { change(cpu, code[0] + 64 * cpu); }

/* A page is filled with functions, each of them is run once, then the next page. */
static void new_code(u32 cpu)
{
	for (u32 i = 0; i < n; i++) {
		u8 *p = code[cpu] + i % SLOTS * SLOT;
		u32 got;

		if ((u32)p % 4096 == 0)
			for (u32 at = 0; at < 4096; at += SLOT)
				put_mov(p + at, i + at / SLOT);
		got = run(p);
		if (got != i)
			percpu_error(cpu, got, i);
	}
}

/* -- interrupts between processors ----------------------------------------------------- */

static void on_ping(struct frame *f)
{
	(void)f;
	ipi_eoi();
	percpu[smp_self()].taken++;
}

/* To the next in the ring, spinning until it has come there; at the end until all
 * have come to their ends. */
static void ipis(u32 cpu)
{
	u32 next = (cpu + 1) % cpus;

	for (u32 i = 1; i <= n; i++) {
		ipi(next, ICR_FIXED | PING);
		while (percpu[next].taken < i) {
			sti();
			pause();
			cli();
		}
	}
	xadd(&shared, 1);
	sti();
	while (shared != cpus)
		pause();
	cli();
}

/* Handed on in the ring; who has nothing to do is halted. */
static void halts(u32 cpu)
{
	u32 next = (cpu + 1) % cpus;

	for (u32 i = 1; i <= n; i++) {
		if (!cpu)
			ipi(next, ICR_FIXED | PING);
		while (percpu[cpu].taken < i)
			sti_hlt_cli();
		if (cpu)
			ipi(next, ICR_FIXED | PING);
	}
}

/* -- all of them ---------------------------------------------------------------------------- */

static void nothing(void) { }

static const struct work {
	const char *name;
	void (*run)(u32 cpu);
	void (*ready)(void);
	int by_one;                       /* operations of the first only      */
} works[] = {
	{ "port", port, nothing, 0 }, { "mmio", mmio, nothing, 0 },
	{ "lapic", lapic_reads, nothing, 0 }, { "pause", pauses, nothing, 0 },
	{ "rdtsc", rdtsc, nothing, 0 }, { "add", add, adds_clear, 0 },
	{ "add-misaligned", add_misaligned, adds_clear, 0 },
	{ "add-split", add_split, adds_clear, 0 },
	{ "beside-code", beside_code, nothing, 0 }, { "cr3", cr3, smp_paging, 0 },
	{ "smc-one", smc_one, smc_ready, 1 }, { "smc-all", smc_all, nothing, 0 },
	{ "new-code", new_code, nothing, 0 }, { "ipi", ipis, nothing, 0 },
	{ "halt", halts, nothing, 0 },
}, *work;

static void timed(u32 cpu)
{
	meet(&ends, cpus);
	if (!cpu)
		started = tsc64();
	work->run(cpu);
	if (work->run == halts)           /* smp_run waits for them by HLT, too */
		return;
	meet(&ends, cpus);
	if (!cpu)
		ended = tsc64();
}

static void do_work(const struct work *w)
{
	work = w;
	percpu_clear();
	shared = 0;
	w->ready();
	smp_run(cpus, timed);
	if (w->run == halts)
		ended = tsc64();
}

static void check_all(void)
{
	for (u32 i = 0; i < N_ELEM(works); i++) {
		do_work(&works[i]);
		CHECK_PERCPU(works[i].name);
		if (works[i].run == add)
			CHECK_EQ("add/sum", sum_at(128), cpus * n);
		if (works[i].run == add_misaligned)
			CHECK_EQ("add-misaligned/sum", sum_at(1024 + 62), cpus * n);
		if (works[i].run == add_split)
			CHECK_EQ("add-split/sum", sum_at(2 * 4096 - 2), cpus * n);
	}
}

void guest_main(void)
{
	smp_start();
	trap_handler[PING] = on_ping;
	n = option_value("n", 300);
	for (u32 i = 0; i < N_ELEM(works); i++) {
		if (!option(works[i].name))
			continue;
		do_work(&works[i]);
		CHECK_PERCPU(works[i].name);
		say("work %s ops %u kcycles %u\n", works[i].name,
		    works[i].by_one ? n : n * cpus, (u32)((ended - started) >> 10));
		return;
	}
	check_all();
}
