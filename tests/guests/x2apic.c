/* SPDX-License-Identifier: GPL-2.0-or-later */
/* row-49: the local APIC as MSRs (x2APIC), and its timer by the time stamp
 * counter; on a processor that has them. */
#include "lapic.h"

enum { X2 = 0x800, X_ID = X2 + 2, X_VERSION, X_TPR = X2 + 8, X_PPR = X2 + 0xa, X_EOI,
       X_LDR = X2 + 0xd, X_DFR, X_SVR, X_ISR = X2 + 0x10, X_IRR = X2 + 0x20,
       X_ESR = X2 + 0x28, X_ICR = X2 + 0x30, X_ICR2, X_TIMER, X_LINT0 = X2 + 0x35,
       X_ERROR = X2 + 0x37, X_INITIAL, X_CURRENT, X_DIVIDE = X2 + 0x3e, X_SELF_IPI,
       MSR_DEADLINE = 0x6e0 };

static volatile u32 hits;
static volatile u64 taken_at;

static void take(struct frame *f)
{
	(void)f;
	hits++;
	taken_at = tsc64();
	wrmsr(X_EOI, 0);
}

/* -- modes ---------------------------------------------------------------------- */
static void enter(void)
{
	u64 base = rdmsr(MSR_APIC_BASE);

	CHECK("row-49-x2apic-msr-outside", rdmsr_faults(X_ID));
	CHECK("row-49-x2apic-without-enable", wrmsr_faults(MSR_APIC_BASE,
		(base & ~(u64)BASE_ON) | BASE_X2));
	wrmsr(MSR_APIC_BASE, base | BASE_X2);
	CHECK_EQ("row-49-x2apic-base", rdmsr(MSR_APIC_BASE), base | BASE_X2);
	CHECK_EQ("row-49-x2apic-no-memory", rd(A_VERSION), 0xffffffff);
	CHECK("row-49-x2apic-no-way-back", wrmsr_faults(MSR_APIC_BASE, base));
}

static void leave(void)
{
	u64 base = rdmsr(MSR_APIC_BASE);

	wrmsr(MSR_APIC_BASE, base & ~(u64)(BASE_ON | BASE_X2));
	CHECK("row-49-off-to-x2apic", wrmsr_faults(MSR_APIC_BASE, base));
	wrmsr(MSR_APIC_BASE, base & ~(u64)BASE_X2);
	CHECK_EQ("row-49-xapic-again", rd(A_SVR), 0xff);
}

/* -- registers ------------------------------------------------------------------- */
static void registers(void)
{
	static const struct { const char *name; u32 nr, write; u64 v; } faults[] = {
		{ "row-49-x2-read-eoi", X_EOI, 0, 0 },
		{ "row-49-x2-read-self-ipi", X_SELF_IPI, 0, 0 },
		{ "row-49-x2-dfr", X_DFR, 0, 0 },
		{ "row-49-x2-icr2", X_ICR2, 0, 0 },
		{ "row-49-x2-nothing", X2 + 4, 0, 0 },
		{ "row-49-x2-write-id", X_ID, 1, 0 },
		{ "row-49-x2-write-ldr", X_LDR, 1, 0 },
		{ "row-49-x2-write-irr", X_IRR, 1, 0 },
		{ "row-49-x2-write-current", X_CURRENT, 1, 0 },
		{ "row-49-x2-eoi-not-0", X_EOI, 1, 1 },
		{ "row-49-x2-esr-not-0", X_ESR, 1, 1 },
		{ "row-49-x2-tpr-reserved", X_TPR, 1, 0x100 },
		{ "row-49-x2-svr-reserved", X_SVR, 1, 0x2ff },
		{ "row-49-x2-lvt-reserved", X_LINT0, 1, 0x100000 },
		{ "row-49-x2-high-half", X_TPR, 1, 1ull << 32 },
	};

	CHECK_EQ("row-49-x2-id", rdmsr(X_ID), 0);
	CHECK_EQ("row-49-x2-ldr", rdmsr(X_LDR), 1);
	CHECK_EQ("row-49-x2-version", rdmsr(X_VERSION) & 0xff, 0x14);
	CHECK_EQ("row-49-x2-svr", rdmsr(X_SVR), 0x1ff);
	for (u32 i = 0; i < N_ELEM(faults); i++)
		CHECK(faults[i].name, faults[i].write ?
		      wrmsr_faults(faults[i].nr, faults[i].v) : rdmsr_faults(faults[i].nr));
}

static void ipis(void)
{
	static const struct { const char *name; u64 icr; u32 want; } ipi[] = {
		{ "row-49-x2-physical", 0, 1 },
		{ "row-49-x2-physical-other", 1ull << 32, 0 },
		{ "row-49-x2-physical-ff", 0xffull << 32, 0 },
		{ "row-49-x2-broadcast", 0xffffffffull << 32, 1 },
		{ "row-49-x2-logical", 1ull << 32 | LOGICAL, 1 },
		{ "row-49-x2-logical-other", 2ull << 32 | LOGICAL, 0 },
		{ "row-49-x2-cluster-other", 0x10001ull << 32 | LOGICAL, 0 },
		{ "row-49-x2-self-shorthand", SELF, 1 },
	};

	trap_handler[0x70] = take;
	for (u32 i = 0; i < N_ELEM(ipi); i++) {
		hits = 0;
		wrmsr(X_ICR, ipi[i].icr | 0x70);
		window();
		CHECK_EQ(ipi[i].name, hits, ipi[i].want);
	}
	hits = 0;
	wrmsr(X_SELF_IPI, 0x70);
	CHECK_EQ("row-49-x2-irr", rdmsr(X_IRR + 3) >> 16 & 1, 1);
	window();
	CHECK_EQ("row-49-x2-self-ipi", hits, 1);
	wrmsr(X_TPR, 0x70);
	wrmsr(X_SELF_IPI, 0x70);
	window();
	CHECK_EQ("row-49-x2-tpr", hits, 1);
	wrmsr(X_TPR, 0);
	window();
	CHECK_EQ("row-02-x2-tpr-lowered", hits, 2);
}

static void timer(void)
{
	trap_handler[0xa0] = take;
	hits = 0;
	wrmsr(X_DIVIDE, BY_1);
	wrmsr(X_TIMER, 0xa0);
	wrmsr(X_INITIAL, 1000000);
	CHECK("row-49-x2-one-shot", wait_for(&hits, 1, 5000));
	wrmsr(X_TIMER, MASKED);
}

/* -- by the time stamp counter ------------------------------------------------------- */
static void deadline(void)
{
	u64 until, left;

	hits = 0;
	wrmsr(MSR_DEADLINE, tsc64() + 1000000);
	CHECK_EQ("row-49-deadline-other-mode", rdmsr(MSR_DEADLINE), 0);
	wrmsr(X_TIMER, DEADLINE | 0xa0);
	do {                              /* again if this took too long  */
		hits = 0;
		until = tsc64() + 20000000;
		wrmsr(MSR_DEADLINE, until);
		left = rdmsr(MSR_DEADLINE);
	} while (tsc64() >= until);
	CHECK("row-49-deadline-reads", left == until);
	CHECK("row-49-deadline", wait_for(&hits, 1, 5000));
	CHECK("row-49-deadline-not-early", taken_at >= until);
	CHECK_EQ("row-49-deadline-disarmed", rdmsr(MSR_DEADLINE), 0);
	wait_for(&hits, 2, 20);
	CHECK_EQ("row-49-deadline-once", hits, 1);
	wrmsr(MSR_DEADLINE, 1);
	CHECK("row-49-deadline-past", wait_for(&hits, 2, 5000));
	wrmsr(MSR_DEADLINE, tsc64() + 200000000);
	wrmsr(MSR_DEADLINE, 0);
	wait_for(&hits, 3, 200);
	CHECK_EQ("row-49-deadline-cancelled", hits, 2);
	wrmsr(MSR_DEADLINE, tsc64() + 200000000);
	wrmsr(X_TIMER, 0xa0);
	wait_for(&hits, 3, 200);
	CHECK_EQ("row-49-deadline-left", hits, 2);
	wrmsr(X_TIMER, MASKED);
}

void guest_main(void)
{
	u32 r[4];

	cpuid(1, 0, r);
	if (!(r[2] >> 21 & 1)) {
		say("skip row-49-x2apic: not in CPUID\n");
		return;
	}
	enter();
	registers();
	ipis();
	timer();
	if (r[2] >> 24 & 1)
		deadline();
	else
		say("skip row-49-deadline: not in CPUID\n");
	leave();
}
