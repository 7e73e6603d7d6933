/* SPDX-License-Identifier: GPL-2.0-or-later */
/* run-options: -cpu core2duo */
/* MONITOR and MWAIT: what ends the wait, faults; gone with several processors.
 * SDM 2 MONITOR, MWAIT; 3A 8.10. */
#include "guest.h"

enum { UD = 6, GP = 13, PF = 14, MISC_ENABLE = 0x1a0 };

static volatile u32 line[16] __attribute__((aligned(64)));
static volatile u32 ticks, after;

static void on_tick(struct frame *f)
{
	(void)f;
	ticks++;
	after = f->eip;
	eoi(0);
}

static void monitor(const volatile void *p, u32 ecx)
{
	__asm__ volatile("monitor" :: "a"(p), "c"(ecx), "d"(0) : "memory");
}

static void mwait(u32 ecx)
{
	__asm__ volatile("mwait" :: "a"(0), "c"(ecx) : "memory");
}

/* One interrupt of the timer in about so many milliseconds. */
static void tick_in(u32 ms)
{
	u32 count = ms * 1193;

	outb(0x43, 0x30);
	outb(0x40, count);
	outb(0x40, count >> 8);
}

static void monitor_bad(void *p) { monitor(p, 1); }
static void monitor_at(void *p) { monitor(p, 0); }
static void mwait_bad(void *p) { (void)p; mwait(2); }
static void mwait_it(void *p) { (void)p; mwait(0); }
static void user_monitor(void) { monitor((void *)line, 0); }
static void user_mwait(void) { mwait(0); }

static void absent(void)
{
	CHECK_EQ("mwait-absent", trap_try(mwait_it, 0), UD);
	CHECK_EQ("monitor-absent", trap_try(monitor_at, (void *)line), UD);
}

/* If it waited here, it would for ever: interrupts are off. */
static void ends_at_once(void)
{
	if (upstream_lacks("mwait-at-once"))
		return;
	mwait(0);
	CHECK("mwait-unarmed", 1);
	monitor(line, 0);
	line[15] = 0x1234;
	mwait(0);
	CHECK("mwait-stored", 1);
	monitor((u8 *)line + 13, 0);             /* any byte of the line    */
	line[0]++;
	mwait(0);
	CHECK("mwait-stored-elsewhere", 1);
	mwait(0);
	CHECK("mwait-armed-once", 1);
}

static void ends_by_interrupt(void)
{
	extern u8 mwait_next[];

	irq_unmask(0, on_tick);
	ticks = 0;
	tick_in(20);
	monitor(line, 0);
	__asm__ volatile("sti; mwait\nmwait_next: cli" :: "a"(0), "c"(0) : "memory");
	CHECK_EQ("mwait-interrupt", ticks, 1);
	CHECK_EQ("mwait-interrupt-eip", after, (u32)mwait_next);
	if (!upstream_lacks("mwait-masked-interrupt")) {
		tick_in(20);
		monitor(line, 0);
		mwait(1);                        /* IF is clear             */
		CHECK_EQ("mwait-masked-interrupt", ticks, 1);
		__asm__ volatile("sti; nop; nop; cli");
		CHECK_EQ("mwait-interrupt-kept", ticks, 2);
	}
	ticks = 2;
	tick_in(20);
	line[3] = 0;
	monitor(line, 0);
	__asm__ volatile("sti; hlt; cli" ::: "memory");
	CHECK_EQ("hlt-with-monitor", ticks, 3);
	outb(0x21, inb(0x21) | 1);
}

static void faults(void)
{
	u8 *gone = (u8 *)0x900000;

	CHECK_EQ("monitor-ecx", trap_try(monitor_bad, (void *)line), GP);
	CHECK_EQ("mwait-ecx", trap_try(mwait_bad, 0), GP);
	CHECK_EQ("monitor-user", user_try(user_monitor), UD);
	CHECK_EQ("mwait-user", user_try(user_mwait), UD);
	paging_on();
	*pte(gone) = 0;
	invlpg(gone);
	CHECK_EQ("monitor-page", trap_try(monitor_at, gone + 5), PF);
	CHECK_EQ("monitor-page-error", trap_last.error, 0);
	CHECK_EQ("monitor-page-cr2", trap_last.cr2, (u32)gone + 5);
	paging_off();
}

static void switched_off(void)
{
	u64 old = rdmsr(MISC_ENABLE);
	u32 r[4];

	if (upstream_lacks("misc-off"))
		return;
	CHECK_EQ("misc-monitor", old >> 18 & 1, 1);
	wrmsr(MISC_ENABLE, old & ~(1ull << 18));
	cpuid(1, 0, r);
	CHECK_EQ("misc-off-cpuid", r[2] >> 3 & 1, 0);
	CHECK_EQ("misc-off-mwait", trap_try(mwait_it, 0), UD);
	CHECK_EQ("misc-off-monitor", trap_try(monitor_at, (void *)line), UD);
	wrmsr(MISC_ENABLE, old);
	cpuid(1, 0, r);
	CHECK_EQ("misc-on-cpuid", r[2] >> 3 & 1, 1);
}

void guest_main(void)
{
	u32 r[4];

	cpuid(1, 0, r);
	if (!(r[2] >> 3 & 1)) {
		absent();
		return;
	}
	cpuid(5, 0, r);
	CHECK("mwait-line", r[0] >= 16 && r[1] >= r[0] && r[0] <= 64);
	CHECK_EQ("mwait-extensions", r[2] & 3, 3);
	ends_at_once();
	ends_by_interrupt();
	faults();
	switched_off();
}
