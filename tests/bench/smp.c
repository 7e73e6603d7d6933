/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest of tests/bench/smp: workloads of several processors, built with
 * the library of tests/guests. Command line: "cpus=2 size=1000 NAME". Prints
 * "NAME CYCLES RESULT": 1024 cycles by the time stamp counter, which is the host's
 * under smew and upstream, from when all are ready to when all have ended.
 */
#include "smp.h"

enum { PING = 0x60, PONG = 0x61 };

static u32 size;
static volatile u32 shared __attribute__((aligned(64)));
static struct rendezvous ends;
static u64 started, ended;
static u32 result;

/* -- add-shared, add-own: locked additions -------------------------------------- */

static void add_to(volatile u32 *word)
{
	for (u32 i = size * 1000; i; i--)
		__asm__ volatile("lock incl %0" : "+m"(*word) :: "memory", "cc");
}

static void add_shared(u32 cpu)
{
	(void)cpu;
	add_to(&shared);
}

static void add_own(u32 cpu)
{
	add_to(&percpu[cpu].count);
	xadd(&shared, percpu[cpu].count);
}

/* -- handover: what one guards goes to the next and back, spun for with PAUSE ------ */

static volatile u32 turn __attribute__((aligned(64)));

static void handover(u32 cpu)
{
	for (u32 i = size * 1000; i; i--) {
		while (turn != cpu)
			pause();
		shared++;
		barrier();
		turn = cpu + 1 == cpus ? 0 : cpu + 1;
	}
}

/* -- ipi-spin, ipi-hlt: there and back ------------------------------------------------ */

static void on_ball(struct frame *f)
{
	u32 self = smp_self();

	ipi_eoi();
	percpu[self].taken++;
	if (f->vector == PING)
		ipi(0, PONG);
}

/* The first sends, the second answers; the rest have no part in it. */
static void ipis(u32 cpu, int hlt)
{
	u32 n = size * 1000;

	if (cpu > 1)
		return;
	for (u32 i = 1; i <= n; i++) {
		if (!cpu)
			ipi(1, PING);
		while (percpu[cpu].taken < i) {
			if (hlt) {
				sti_hlt_cli();
			} else {
				sti();
				pause();
				cli();
			}
		}
	}
	xadd(&shared, percpu[cpu].taken);
}

static void ipi_spin(u32 cpu) { ipis(cpu, 0); }
static void ipi_hlt(u32 cpu) { ipis(cpu, 1); }

/* -- lapic, port, rdtsc: by all --------------------------------------------------------- */

static void lapic_reads(u32 cpu)
{
	u32 sum = 0;

	for (u32 i = size * 1000; i; i--)
		sum += lapic_id() == apic_of[cpu];
	xadd(&shared, sum);
}

static void port(u32 cpu)
{
	(void)cpu;
	for (u32 i = size * 1000; i; i--)
		outb(0x80, (u8)i);
	xadd(&shared, size);
}

static void rdtsc(u32 cpu)
{
	u64 last = 0;
	u32 good = 0;

	(void)cpu;
	for (u32 i = size * 1000; i; i--) {
		u64 now = tsc64();

		good += now >= last;
		last = now;
	}
	xadd(&shared, good);
}

/* -- sieve: primes below size * 65536, in segments that are handed out ----------------------- */

static u8 small[65536];                   /* not prime, below 65536            */
static volatile u32 segment;

static void sieve_small(void)
{
	for (u32 i = 2; i < 256; i++)
		for (u32 k = i * i; k < sizeof(small) && !small[i]; k += i)
			small[k] = 1;
}

static u32 sieve_segment(u32 start, u8 *composite)
{
	u32 n = 0;

	memset(composite, 0, 65536);
	for (u32 p = 2; p * p <= start + 65535 && p < 65536; p++) {
		if (small[p])
			continue;
		for (u32 k = (p - start % p) % p; k < 65536; k += p)
			composite[k] = 1;
	}
	for (u32 k = 0; k < 65536; k++)
		n += !composite[k];
	return n;
}

static void sieve(u32 cpu)
{
	u8 *mine = (u8 *)0x400000 + cpu * 0x11000;
	u32 i;

	while ((i = xadd(&segment, 1)) < size)
		xadd(&shared, sieve_segment((i + 1) << 16, mine));
}

/* -- one workload -------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	void (*run)(u32 cpu);
} works[] = {
	{ "sieve", sieve }, { "add-shared", add_shared },
	{ "add-own", add_own }, { "handover", handover },
	{ "ipi-spin", ipi_spin }, { "ipi-hlt", ipi_hlt },
	{ "lapic", lapic_reads }, { "port", port }, { "rdtsc", rdtsc },
}, *work;

static void timed(u32 cpu)
{
	meet(&ends, cpus);
	if (!cpu)
		started = tsc64();
	work->run(cpu);
	meet(&ends, cpus);
	if (!cpu)
		ended = tsc64();
}

void guest_main(void)
{
	smp_start();
	trap_handler[PING] = trap_handler[PONG] = on_ball;
	size = option_value("size", 1);
	sieve_small();
	for (u32 i = 0; i < N_ELEM(works); i++)
		if (option(works[i].name))
			work = &works[i];
	if (!work) {
		CHECK("workload", 0);
		return;
	}
	smp_run(cpus, timed);
	result = shared;
	say("%s %u %u\n", work->name, (u32)((ended - started) >> 10), result);
}
