/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What CPUID tells of clocks' rates, against the clocks; the time stamp counter when it
 * is moved. SDM 2 CPUID (leaves 15h, 16h, 80000007h); 3B 17.17. */
#include "lapic.h"

enum { GP = 13, MSR_TSC = 0x10, MSR_ADJUST = 0x3b, MSR_DEADLINE = 0x6e0 };
static u32 invariant, has_adjust, has_deadline, has_apic;

/* Over a tenth of a second: ticks of the counter, of the local APIC's timer. */
static void measure(u32 *stamps, u32 *timer)
{
	u64 from;

	wr(A_DIVIDE, BY_1);
	wr(A_TIMER, MASKED);
	wr(A_INITIAL, ~0u);
	from = tsc64();
	pit_wait(100 * MS);
	*timer = ~0u - rd(A_CURRENT);
	*stamps = (u32)(tsc64() - from);
}

static int near(u32 v, u32 want, u32 part)
{
	return v >= want - want / part && v <= want + want / part;
}

/* A host that takes its processor away between two readings has another try. */
static void rates(void)
{
	u32 r[4], stamps = 0, timer = 0, khz, tries = 20, again[4];

	if (!invariant)
		return;
	cpuid(0x15, 0, r);
	CHECK("rates-told", r[0] && r[1] && r[2]);
	CHECK("rates-fit-linux", (u64)(r[2] / 1000) * r[1] >> 32 == 0);
	khz = (u32)((u64)(r[2] / 1000) * r[1]) / r[0];
	do
		measure(&stamps, &timer);
	while ((!near(stamps / 100, khz, 1000) || !near(timer / 100, r[2] / 1000, 1000)) &&
	       --tries);
	CHECK("rates-tsc", near(stamps / 100, khz, 1000));
	CHECK("rates-timer", near(timer / 100, r[2] / 1000, 1000));
	cpuid(0x15, 0, again);
	CHECK("rates-stay", again[0] == r[0] && again[1] == r[1] && again[2] == r[2]);
	cpuid(0x16, 0, r);
	CHECK("rates-mhz", near(r[0] * 1000, khz, 1000) && r[1] >= r[0] && r[2]);
}

/* Both are read and written by code that may be held up: less than a second of it. */
static int soon_after(u64 v, u64 since) { return v - since < 1ull << 33; }

static void moves(void)
{
	u64 adjust, now;

	if (!has_adjust) {
		CHECK("adjust-absent", rdmsr_faults(MSR_ADJUST) && wrmsr_faults(MSR_ADJUST, 0));
		return;
	}
	CHECK("adjust-reset", rdmsr(MSR_ADJUST) == 0);
	now = tsc64();
	wrmsr(MSR_ADJUST, 1ull << 40);
	CHECK("adjust-keeps", rdmsr(MSR_ADJUST) == 1ull << 40);
	CHECK("adjust-moves", soon_after(tsc64(), now + (1ull << 40)));
	now = tsc64();
	wrmsr(MSR_TSC, now + (1ull << 41));
	CHECK("write-moves", soon_after(tsc64(), now + (1ull << 41)));
	adjust = rdmsr(MSR_ADJUST);              /* less what the write took */
	CHECK("write-is-noted", soon_after((3ull << 40), adjust));
	wrmsr(MSR_ADJUST, 0);
	CHECK("adjust-back", rdmsr(MSR_ADJUST) == 0 && tsc64() < 1ull << 40);
}

static volatile u32 hits;
static void on_deadline(struct frame *f)
{
	(void)f;
	hits++;
	apic_eoi();
}

/* It is a value of the counter, wherever that is moved. */
static void deadline_stays(void)
{
	u64 until = tsc64() + (1ull << 44);

	if (!has_deadline || !has_adjust)
		return;
	trap_handler[0xa0] = on_deadline;
	wr(A_TIMER, DEADLINE | 0xa0);
	wrmsr(MSR_DEADLINE, until);
	wrmsr(MSR_ADJUST, 1ull << 40);
	CHECK("deadline-stays", rdmsr(MSR_DEADLINE) == until);
	CHECK("deadline-not-yet", !wait_for(&hits, 1, 5));
	wrmsr(MSR_ADJUST, 1ull << 45);
	CHECK("deadline-passed", wait_for(&hits, 1, 5000));
	wr(A_TIMER, MASKED);
	wrmsr(MSR_ADJUST, 0);
}

void guest_main(void)
{
	u32 r[4];

	cpuid(1, 0, r);
	has_apic = r[3] >> 9 & 1;
	has_deadline = r[2] >> 24 & 1;
	cpuid(0, 0, r);
	if (r[0] >= 7) {
		cpuid(7, 0, r);
		has_adjust = r[1] >> 1 & 1;
	}
	cpuid(0x80000000, 0, r);
	if (r[0] >> 31 && r[0] >= 0x80000007) {
		cpuid(0x80000007, 0, r);
		invariant = r[3] >> 8 & 1;
	}
	if (has_apic)
		wr(A_SVR, 0x1ff);
	rates();
	moves();
	deadline_stays();
}
