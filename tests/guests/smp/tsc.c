/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Time stamps of all processors are one clock: who reads it later, by the order
 * that a lock makes, reads no less. RDTSC is taken as in order here, as on the
 * processors without LFENCE that the guest has; Linux turns its TSC clock off
 * when it sees less than that.
 *
 * row-04: so are the PM timer and the HPET's counter, which take no lock. */
#include "smp.h"

static struct spin lock;
static u64 last_tsc;
static u32 last_pm, last_hpet;
static struct pace turns;
static volatile u32 stop;

static void tsc_turns(u32 cpu)
{
	while (!stop) {
		u64 before, now;

		spin_lock(&lock);
		before = last_tsc;
		now = tsc64();
		last_tsc = now;
		if (!pace_more(&turns))
			stop = 1;
		spin_unlock(&lock);
		percpu[cpu].count++;
		if (now < before)
			percpu_error(cpu, (u32)now, (u32)before);
	}
}

/* 24 bits at least: no wrap within a turn. */
static void pm_turns(u32 cpu)
{
	while (!stop) {
		u32 before, now;

		spin_lock(&lock);
		before = last_pm;
		now = inl(0x608);
		last_pm = now;
		if (!pace_more(&turns))
			stop = 1;
		spin_unlock(&lock);
		percpu[cpu].count++;
		if (((now - before) & 0xffffff) > 0x800000)
			percpu_error(cpu, now, before);
	}
}

static void hpet_turns(u32 cpu)
{
	while (!stop) {
		u32 before, now;

		spin_lock(&lock);
		before = last_hpet;
		now = *(volatile u32 *)0xfed000f0;
		last_hpet = now;
		if (!pace_more(&turns))
			stop = 1;
		spin_unlock(&lock);
		percpu[cpu].count++;
		if ((int)(now - before) < 0)
			percpu_error(cpu, now, before);
	}
}

static void all(const char *name, void (*fn)(u32 cpu), u32 most)
{
	percpu_clear();
	stop = 0;
	turns = pace(most / 20, most, 1500);
	smp_run(cpus, fn);
	CHECK_PERCPU(name);
}

void guest_main(void)
{
	smp_start();
	last_tsc = tsc64();
	all("tsc-one-clock", tsc_turns, 1000000);
	last_pm = inl(0x608);
	all("pm-timer-one-clock", pm_turns, 200000);
	*(volatile u32 *)0xfed00010 = 1;
	last_hpet = *(volatile u32 *)0xfed000f0;
	all("hpet-one-clock", hpet_turns, 200000);
}
