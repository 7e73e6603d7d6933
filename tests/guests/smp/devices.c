/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ports, memory of devices and the local APICs, by all processors at once; the
 * time stamp counters; how a processor starts.
 *
 * row-03: devices that share a lock keep their state whole.
 * row-04: debug console, PM timer and one's own local APIC, which take none; HPET,
 * UART and PIT, which have their own.
 * row-34: the others wait for SIPI, and INIT brings them back to that. */
/* run-options: -debugcon null */
#include "smp.h"

enum { DEBUGCON = 0xe9, TICK = 0x60 };

static struct pace pace_of;
static struct spin cmos_lock, pit_lock;

/* -- ports -------------------------------------------------------------------------- */

/* Two accesses make one: a lock of the guest's keeps them together, and nobody
 * else's come between. Cells 40h on are plain memory. */
static void cmos_cell(u32 cpu, u32 turn)
{
	u8 got;

	spin_lock(&cmos_lock);
	cmos_set(0x40 + cpu % 16, turn);
	got = cmos(0x40 + cpu % 16);
	spin_unlock(&cmos_lock);
	if (got != (u8)turn)
		percpu_error(cpu, got, turn & 0xff);
}

/* The latched count of channel 2 falls, or starts again. */
static void pit_channel(u32 cpu)
{
	u32 low, high;

	spin_lock(&pit_lock);
	outb(0x43, 0x80);
	low = inb(0x42);
	high = inb(0x42);
	spin_unlock(&pit_lock);
	if ((low | high << 8) > 0x4000)
		percpu_error(cpu, low | high << 8, 0x4000);
}

static void ports(u32 cpu)
{
	struct pace mine = pace_of;

	while (pace_more(&mine)) {
		outb(0x80, mine.done);
		cmos_cell(cpu, mine.done);
		pit_channel(cpu);
		outb(DEBUGCON, 'a' + cpu % 26);
		/* The UART's scratch register is this processor's for a moment. */
		if (!cpu) {
			outb(0x3ff, mine.done);
			if (inb(0x3ff) != (u8)mine.done)
				percpu_error(cpu, inb(0x3ff), mine.done & 0xff);
		}
		percpu[cpu].count++;
	}
}

static void pit_prepare(void)
{
	outb(0x61, (inb(0x61) & ~3) | 1);
	outb(0x43, 0xb4);                 /* channel 2, mode 2, 4000h          */
	outb(0x42, 0);
	outb(0x42, 0x40);
}

/* -- devices with locks of their own ------------------------------------------------------ */

enum { UART_IER = 0x3f9, UART_IIR = 0x3fa, UART_LSR = 0x3fd };
static volatile u32 *const hpet_comparator = (volatile u32 *)0xfed00108;

/* A comparator is one processor's, the UART's interrupt is moved by all. */
static void own_locks(u32 cpu)
{
	struct pace mine = pace_of;

	while (pace_more(&mine)) {
		volatile u32 *comparator = hpet_comparator + cpu * 8;

		if (cpu < 3) {
			*comparator = mine.done;
			if (*comparator != mine.done)
				percpu_error(cpu, *comparator, mine.done);
		}
		outb(UART_IER, mine.done & 2);
		inb(UART_IIR);
		if ((inb(UART_LSR) & 0x60) != 0x60)
			percpu_error(cpu, inb(UART_LSR), 0x60);
		if ((inb(0x61) & 0x0f) != 1)
			percpu_error(cpu, inb(0x61), 1);
		percpu[cpu].count++;
	}
}

/* -- the text screen: bytes side by side, each its own ---------------------------------- */

static void screen(u32 cpu)
{
	volatile u8 *cell = (volatile u8 *)0xb8000 + cpu;
	struct pace mine = pace_of;

	while (pace_more(&mine)) {
		*cell = mine.done;
		if (*cell != (u8)mine.done)
			percpu_error(cpu, *cell, mine.done & 0xff);
	}
}

/* -- local APICs: the same address is another one for each ---------------------------------- */

static void own_apic(u32 cpu)
{
	struct pace mine = pace_of;
	u32 id = apic_of[cpu];

	while (pace_more(&mine)) {
		u32 tpr = (mine.done + cpu) & 0xff;

		if (lapic_id() != id)
			percpu_error(cpu, lapic_id(), id);
		lapic_set(LAPIC_TPR, tpr);
		lapic_set(LAPIC_INITIAL, 0);
		lapic_set(LAPIC_DIVIDE, cpu & 3);
		if (lapic(LAPIC_TPR) != tpr)
			percpu_error(cpu, lapic(LAPIC_TPR), tpr);
		if (lapic(LAPIC_DIVIDE) != (cpu & 3))
			percpu_error(cpu, lapic(LAPIC_DIVIDE), cpu & 3);
		percpu[cpu].count++;
	}
	lapic_set(LAPIC_TPR, 0);
}

static void distinct_ids(void)
{
	int good = 1;

	for (u32 i = 0; i < cpus; i++)
		for (u32 k = 0; k < i; k++)
			good &= apic_of[i] != apic_of[k];
	CHECK("local-apic-ids", good);
}

/* Periodic on each, while all are in HLT between. */
static void on_tick(struct frame *f)
{
	(void)f;
	percpu[smp_self()].taken++;
	ipi_eoi();
}

static void ticks(u32 cpu)
{
	lapic_set(LAPIC_DIVIDE, 0xb);     /* by 1                              */
	lapic_set(LAPIC_LVT_TIMER, 1 << 17 | TICK);
	lapic_set(LAPIC_INITIAL, 1000000);
	while (percpu[cpu].taken < 30)
		sti_hlt_cli();
	lapic_set(LAPIC_LVT_TIMER, 1 << 16);
	lapic_set(LAPIC_INITIAL, 0);
	sti();
	cli();
	percpu[cpu].count = percpu[cpu].taken >= 30;
}

/* -- time stamp counters ----------------------------------------------------------------------- */

static volatile u64 latest __attribute__((aligned(64)));

/* No counter is behind what another has shown before it was read. */
static void counters(u32 cpu)
{
	struct pace mine = pace_of;
	u64 own = 0;

	while (pace_more(&mine)) {
		u64 before = cmpxchg8b(&latest, 0, 0), now = tsc64();

		if (now < before)
			percpu_error(cpu, (u32)(before - now), 0);
		if (now < own)
			percpu_error(cpu, (u32)(own - now), 0);
		own = now;
		cmpxchg8b(&latest, before, now);
		percpu[cpu].count++;
	}
}

/* -- INIT and SIPI ------------------------------------------------------------------------------- */

/* ap.S counts who passes its start, whatever the processor did before. */
extern u8 ap_start[], ap_arrivals[];

static u32 arrivals(void)
{
	return *(volatile u32 *)(0x8000 + (ap_arrivals - ap_start));
}

/* Is the number reached in time, and not exceeded a little later? */
static int arrive(u32 n)
{
	u64 end = tsc_in_ms(5000);

	while (arrivals() != n && tsc64() < end)
		pause();
	pit_wait(2000);
	return arrivals() == n;
}

/* From then on the others belong to nobody: ap.S counts them on, past those it
 * knows. So this is the last check. */
static void restarts(void)
{
	u32 n = arrivals(), others = cpus - 1;

	CHECK_EQ("row-34/each-started-once", n, others);
	ipi_others(ICR_SIPI | 8);
	pit_wait(5000);
	CHECK_EQ("row-34/sipi-needs-init", arrivals(), n);
	ipi_others(ICR_INIT);
	pit_wait(5000);
	CHECK_EQ("row-34/init-waits", arrivals(), n);
	ipi_others(ICR_SIPI | 8);
	CHECK("row-34/started-again", arrive(n + others));
}

static void check_run(const char *name, void (*fn)(u32))
{
	percpu_clear();
	smp_run(cpus, fn);
	CHECK_PERCPU(name);
}

void guest_main(void)
{
	smp_start();
	trap_handler[TICK] = on_tick;
	distinct_ids();
	pace_of = pace(100, 100000, 150);
	pit_prepare();
	check_run("row-03/ports", ports);
	check_run("row-03/screen", screen);
	check_run("row-04/own-locks", own_locks);
	outb(UART_IER, 0);
	check_run("row-04/own-local-apic", own_apic);
	check_run("tsc-never-behind", counters);
	percpu_clear();
	smp_run(cpus, ticks);
	CHECK_EQ("row-31/timers-of-all", percpu_count(), cpus);
	if (cpus > 1)
		restarts();
}
