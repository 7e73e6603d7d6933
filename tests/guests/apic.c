/* SPDX-License-Identifier: GPL-2.0-or-later */
/* row-49, row-50, row-02: the local APIC and the I/O APIC of one processor:
 * priorities, EOI, self-IPIs, errors, timer, edge and level lines, the 8259A's
 * virtual wire. Times are checked loosely: the host may be busy. */
#include "lapic.h"

static volatile u32 hits[256], order[32], n_order;

static void take(struct frame *f)
{
	hits[f->vector]++;
	if (n_order < N_ELEM(order))
		order[n_order++] = f->vector;
	apic_eoi();
}

static void listen(int first, int last)
{
	for (int v = first; v <= last; v++) {
		trap_handler[v] = take;
		hits[v] = 0;
	}
	n_order = 0;
}

static void self_ipi(u32 v) { wr(A_ICR, SELF | v); }

/* -- as a BIOS leaves it ------------------------------------------------------- */
static void hand_over(void)
{
	u32 r[4];

	CHECK_EQ("row-49-version", rd(A_VERSION) & 0xff, 0x14);
	CHECK("row-49-max-lvt", (rd(A_VERSION) >> 16 & 0xff) >= 4);
	CHECK_EQ("row-49-id", rd(A_ID), 0);
	CHECK_EQ("row-49-svr", rd(A_SVR), 0x1ff);
	CHECK_EQ("row-50-lint0", rd(A_LINT0) & 0x1a7ff, 0x8700);
	CHECK_EQ("row-50-lint1", rd(A_LINT1) & 0x1a7ff, 0x8400);
	CHECK_EQ("row-49-timer-masked", rd(A_TIMER) & MASKED, MASKED);
	CHECK_EQ("row-49-base", rdmsr(MSR_APIC_BASE), 0xfee00000 | BASE_BSP | BASE_ON);
	CHECK_EQ("row-49-dfr", rd(A_DFR), 0xffffffff);
	cpuid(1, 0, r);
	CHECK_EQ("row-49-cpuid-apic", r[3] >> 9 & 1, 1);
	CHECK_EQ("row-49-cpuid-id", r[1] >> 24, 0);
}

/* -- IPIs to oneself ------------------------------------------------------------- */
static volatile u32 in_isr, in_ppr, in_irr;

static void look(struct frame *f)
{
	in_isr = bit(A_ISR, f->vector);
	in_irr = bit(A_IRR, f->vector);
	in_ppr = rd(A_PPR);
	take(f);
}

static void self(void)
{
	listen(0x60, 0x60);
	trap_handler[0x60] = look;
	self_ipi(0x60);
	CHECK_EQ("row-49-irr", bit(A_IRR, 0x60), 1);
	CHECK_EQ("row-02-held-by-cli", hits[0x60], 0);
	window();
	CHECK_EQ("row-02-self-ipi", hits[0x60], 1);
	CHECK_EQ("row-49-isr-in-handler", in_isr, 1);
	CHECK_EQ("row-49-irr-in-handler", in_irr, 0);
	CHECK_EQ("row-49-ppr-in-handler", in_ppr, 0x60);
	CHECK_EQ("row-49-isr-after-eoi", bit(A_ISR, 0x60), 0);
	CHECK_EQ("row-49-ppr-after-eoi", rd(A_PPR), 0);
	self_ipi(0x60);
	self_ipi(0x60);
	window();
	CHECK_EQ("row-49-irr-holds-one", hits[0x60], 2);
}

static const struct { const char *name; u32 dfr, ldr, dest, icr, want; } dests[] = {
	{ "row-49-physical", ~0u, 0, 0, 0, 1 },
	{ "row-49-physical-other", ~0u, 0, 5, 0, 0 },
	{ "row-49-physical-all", ~0u, 0, 0xff, 0, 1 },
	{ "row-49-flat", ~0u, 0x02, 0x06, LOGICAL, 1 },
	{ "row-49-flat-other", ~0u, 0x02, 0x05, LOGICAL, 0 },
	{ "row-49-flat-all", ~0u, 0x80, 0xff, LOGICAL, 1 },
	{ "row-49-cluster", 0x0fffffff, 0x32, 0x36, LOGICAL, 1 },
	{ "row-49-cluster-other", 0x0fffffff, 0x32, 0x22, LOGICAL, 0 },
	{ "row-49-cluster-member", 0x0fffffff, 0x32, 0x35, LOGICAL, 0 },
	{ "row-49-lowest", ~0u, 0x02, 0x06, LOGICAL | 0x100, 1 },
	{ "row-49-all-with-self", ~0u, 0, 0, ALL, 1 },
	{ "row-49-all-but-self", ~0u, 0, 0, OTHERS, 0 },
};

static void destinations(void)
{
	listen(0x70, 0x70);
	for (u32 i = 0; i < N_ELEM(dests); i++) {
		hits[0x70] = 0;
		wr(A_DFR, dests[i].dfr);
		wr(A_LDR, dests[i].ldr << 24);
		wr(A_ICR2, dests[i].dest << 24);
		wr(A_ICR, dests[i].icr | 0x70);
		window();
		CHECK_EQ(dests[i].name, hits[0x70], dests[i].want);
	}
	wr(A_DFR, ~0u);
	wr(A_LDR, 0);
	hits[0x70] = 0;
	*(volatile u32 *)0xfeeff000 = 0x70;
	window();
	CHECK_EQ("row-49-msi", hits[0x70], 1);
}

/* -- priorities ---------------------------------------------------------------------- */
static void priorities(void)
{
	static const u32 want[] = { 0xf1, 0x91, 0x81, 0x80, 0x41 };
	u32 same = 0;

	listen(0x40, 0xfe);
	self_ipi(0x80), self_ipi(0xf1), self_ipi(0x41), self_ipi(0x81), self_ipi(0x91);
	window();
	for (u32 i = 0; i < N_ELEM(want); i++)
		same += order[i] == want[i];
	CHECK_EQ("row-49-order", same, N_ELEM(want));
}

static volatile u32 nested_high, nested_same;

static void nest(struct frame *f)
{
	hits[f->vector]++;
	self_ipi(0x95);
	self_ipi(0x85);
	window();
	nested_high = hits[0x95];
	nested_same = hits[0x85];
	apic_eoi();
}

static void nesting(void)
{
	listen(0x80, 0x9f);
	trap_handler[0x82] = nest;
	self_ipi(0x82);
	window();
	CHECK_EQ("row-49-higher-class-nests", nested_high, 1);
	CHECK_EQ("row-49-same-class-waits", nested_same, 0);
	CHECK_EQ("row-49-same-class-after-eoi", hits[0x85], 1);
}

static void tpr(void)
{
	listen(0x60, 0x7f);
	wr(A_TPR, 0x61);
	CHECK_EQ("row-49-tpr", rd(A_TPR), 0x61);
	CHECK_EQ("row-49-ppr-is-tpr", rd(A_PPR), 0x61);
	self_ipi(0x6f);
	self_ipi(0x70);
	window();
	CHECK_EQ("row-49-tpr-lets-pass", hits[0x70], 1);
	CHECK_EQ("row-49-tpr-holds", hits[0x6f], 0);
	CHECK_EQ("row-49-tpr-keeps-irr", bit(A_IRR, 0x6f), 1);
	sti();
	wr(A_TPR, 0x5f);
	for (volatile int i = 0; i < 100; i++)
		;
	cli();
	CHECK_EQ("row-02-tpr-lowered", hits[0x6f], 1);
	wr(A_TPR, 0);
}

/* Two sources wait when IF is set: the instruction after STI comes first, then
 * the 8259A's, which the local APIC's priorities do not hold back, then its own. */
static volatile u32 shadow, shadow_seen;

static void on_pit(struct frame *f)
{
	shadow_seen = shadow;
	hits[f->vector]++;
	if (n_order < N_ELEM(order))
		order[n_order++] = f->vector;
	eoi(0);
}

static void pit_square(void)
{
	outb(0x43, 0x34);
	outb(0x40, 0x52), outb(0x40, 0x09);           /* 2386: 500 Hz       */
}

/* One request of the PIT; the PIC has it on return. */
static void pit_once(void)
{
	outb(0x43, 0x30);
	outb(0x40, 1);
	outb(0x40, 0);
	outb(0x20, 0x0a);
	for (u32 i = 0; i < 20000 && !(inb(0x20) & 1); i++)
		pit_wait(MS);
}

static void two_sources(void)
{
	listen(0x60, 0x60);
	hits[0x20] = 0;
	irq_unmask(0, on_pit);
	pit_once();
	self_ipi(0x60);
	shadow = 0;
	__asm__ volatile("sti; movl $1, %0; nop; nop; cli" : "=m"(shadow) :: "memory");
	window();
	CHECK_EQ("row-02-sti-shadow", shadow_seen, 1);
	CHECK_EQ("row-02-both-taken", hits[0x60] + hits[0x20], 2);
	CHECK_EQ("row-02-pic-before-apic", order[0], 0x20);
	outb(0x21, 0xff);
}

/* A timer's interrupt comes at any moment, but never between STI and what follows
 * it, which here is the first to look at the stack's page. */
static u32 in_shadow, early;
static void on_timer(struct frame *f)
{
	early += f->eip == in_shadow;
	wr(A_INITIAL, 1000 + hits[f->vector] * 37 % 1024);
	take(f);
}

static void shadow_kept(void)
{
	enum { TIMES = 2000, ROUNDS = 1000 };

	listen(0xa4, 0xa4);
	trap_handler[0xa4] = on_timer;
	wr(A_DIVIDE, BY_1);
	wr(A_TIMER, 0xa4);
	wr(A_INITIAL, 1000);
	for (u32 i = 0; i < 20000 && hits[0xa4] < TIMES; i++) {
		u32 rounds = ROUNDS;

		__asm__ volatile("	movl $2f, %0; mov %%esp, %%ecx\n"
				 "1:	mov %%ecx, %%esp; sti\n"
				 "2:	push %%eax; pop %%eax; cli\n"
				 "	dec %1; jnz 1b"
				 : "=m"(in_shadow), "+r"(rounds)
				 :: "ecx", "memory");
	}
	wr(A_TIMER, MASKED | 0xa4);
	CHECK("row-02-sti-shadow-times", hits[0xa4] >= 10);
	CHECK_EQ("row-02-sti-shadow-kept", early, 0);
}

static volatile u32 nmis, nmi_again, nmis_inside;
static void on_nmi(struct frame *f)
{
	(void)f;
	nmis++;
	if (!nmi_again)
		return;
	nmi_again = 0;
	wr(A_ICR, 0x400);
	for (volatile int i = 0; i < 100; i++)
		;
	nmis_inside = nmis;
}

static void nmi(void)
{
	trap_handler[2] = on_nmi;
	__asm__ volatile("" ::: "memory");
	wr(A_ICR2, 0);
	wr(A_ICR, 0x400);
	for (volatile int i = 0; i < 100; i++)
		;
	CHECK_EQ("row-49-nmi-without-if", nmis, 1);
}

/* One that comes while the first is handled waits for its IRET, and no longer.
 * Several rounds: code that runs for the first time is interrupted anyway. */
static void nmi_in_nmi(void)
{
	u32 good = 0, nested = 0;

	for (u32 round = 0; round < 5; round++) {
		u32 before = nmis;

		nmi_again = 1;
		wr(A_ICR, 0x400);
		for (volatile int i = 0; i < 100; i++)
			;
		good += nmis == before + 2;
		nested += nmis_inside != before + 1;
	}
	CHECK_EQ("row-49-nmi-not-nested", nested, 0);
	CHECK_EQ("row-49-nmi-after-iret", good, 5);
}

/* -- errors ------------------------------------------------------------------------------ */
static void errors(void)
{
	listen(0xe0, 0xe0);
	if (upstream_lacks("row-49-esr"))
		return;
	wr(A_ERROR, 0xe0);
	wr(A_ESR, 0);
	wr(A_ESR, 0);
	CHECK_EQ("row-49-esr-clear", rd(A_ESR), 0);
	self_ipi(5);
	CHECK_EQ("row-49-esr-needs-write", rd(A_ESR), 0);
	window();
	CHECK_EQ("row-49-error-interrupt", hits[0xe0], 1);
	wr(A_ESR, 0);
	CHECK_EQ("row-49-esr-send-vector", rd(A_ESR), 0x20);
	rd(0x50);
	wr(A_ESR, 0);
	CHECK_EQ("row-49-esr-register", rd(A_ESR), 0x80);
	*(volatile u32 *)0xfeeff000 = 3;
	wr(A_ESR, 0);
	CHECK_EQ("row-49-esr-receive-vector", rd(A_ESR), 0x40);
	window();
	wr(A_ERROR, MASKED);
}

static void lvt_bits(void)
{
	static const struct { u32 reg, want; } lvt[] = {
		{ A_TIMER, 0x100ff }, { A_THERMAL, 0x107ff }, { A_PERF, 0x107ff },
		{ A_LINT0, 0x1a7ff }, { A_LINT1, 0x1a7ff }, { A_ERROR, 0x100ff },
	};
	u32 good = 0;

	if (upstream_lacks("row-49-lvt-bits"))
		return;
	for (u32 i = 0; i < N_ELEM(lvt); i++) {
		u32 old = rd(lvt[i].reg);

		wr(lvt[i].reg, lvt[i].reg == A_TIMER ? 0xfff9ffff : 0xffffffff);
		good += rd(lvt[i].reg) == lvt[i].want;
		wr(lvt[i].reg, old);
	}
	CHECK_EQ("row-49-lvt-bits", good, N_ELEM(lvt));
}

static void software_disable(void)
{
	u32 lint0 = rd(A_LINT0), lint1 = rd(A_LINT1);

	if (upstream_lacks("row-49-software-disable"))
		return;
	listen(0x60, 0x60);
	wr(A_SVR, 0xff);
	self_ipi(0x60);
	CHECK_EQ("row-49-disabled-masks", rd(A_LINT0) & MASKED, MASKED);
	wr(A_LINT0, lint0);
	CHECK_EQ("row-49-disabled-stays-masked", rd(A_LINT0) & MASKED, MASKED);
	wr(A_SVR, 0x1ff);
	window();
	CHECK_EQ("row-49-disabled-drops", hits[0x60], 0);
	CHECK_EQ("row-49-enabled-still-masked", rd(A_LINT0) & MASKED, MASKED);
	wr(A_LINT0, lint0);
	wr(A_LINT1, lint1);
}

/* -- timer ----------------------------------------------------------------------------------- */
static void one_shot(void)
{
	u32 a, b;

	listen(0xa0, 0xa0);
	wr(A_DIVIDE, BY_1);
	wr(A_TIMER, MASKED | 0xa0);
	wr(A_INITIAL, 0xffffffff);
	a = rd(A_CURRENT);
	pit_wait(MS);
	b = rd(A_CURRENT);
	CHECK("row-49-counts-down", b < a);
	CHECK("row-49-1-ghz", a - b >= 990000);
	wr(A_TIMER, 0xa0);
	wr(A_INITIAL, 2000000);
	CHECK_EQ("row-49-initial", rd(A_INITIAL), 2000000);
	CHECK("row-49-one-shot", wait_for(&hits[0xa0], 1, 5000));
	CHECK_EQ("row-49-one-shot-ends-at-0", rd(A_CURRENT), 0);
	wait_for(&hits[0xa0], 2, 10);
	CHECK_EQ("row-49-one-shot-once", hits[0xa0], 1);
	wr(A_INITIAL, 50000000);
	wr(A_INITIAL, 0);
	wait_for(&hits[0xa0], 2, 100);
	CHECK_EQ("row-49-zero-stops", hits[0xa0], 1);
}

static void divide(void)
{
	u32 a, b;

	wr(A_TIMER, MASKED | 0xa0);
	wr(A_DIVIDE, 0xa);                    /* by 128                     */
	wr(A_INITIAL, 0xffffffff);
	a = rd(A_CURRENT);
	pit_wait(10 * MS);
	b = rd(A_CURRENT);
	CHECK("row-49-divide-slower", a - b >= 77000 && a - b < 100000000);
	wr(A_DIVIDE, BY_1);
	wr(A_INITIAL, 0);
}

static void periodic(void)
{
	u32 t, n;

	listen(0xa1, 0xa1);
	wr(A_TIMER, PERIODIC | 0xa1);
	wr(A_INITIAL, 1000000);
	CHECK("row-49-periodic", wait_for(&hits[0xa1], 20, 20000));
	CHECK("row-49-periodic-counts", rd(A_CURRENT) <= 1000000);
	wr(A_TIMER, PERIODIC | MASKED | 0xa1);
	window();
	n = hits[0xa1];
	wait_for(&hits[0xa1], n + 1, 20);
	CHECK_EQ("row-49-masked-timer", hits[0xa1], n);
	/* HLT ends by it, soon enough to be by it */
	wr(A_TIMER, PERIODIC | 0xa1);
	t = hits[0xa1];
	for (int i = 0; i < 5; i++)
		__asm__ volatile("sti; hlt; cli" ::: "memory");
	CHECK("row-02-hlt-wakes", hits[0xa1] >= t + 5);
	wr(A_TIMER, MASKED);
	wr(A_INITIAL, 0);
	window();
}

/* -- I/O APIC ------------------------------------------------------------------------------------ */
enum { IO_MASKED = 0x10000, IO_LEVEL = 0x8000, IO_REMOTE = 0x4000 };

static u32 io_rd(u32 r)
{
	*(volatile u32 *)0xfec00000 = r;
	return *(volatile u32 *)0xfec00010;
}

static void io_wr(u32 r, u32 v)
{
	*(volatile u32 *)0xfec00000 = r;
	*(volatile u32 *)0xfec00010 = v;
}

static void io_pin(int n, u32 lo)
{
	io_wr(0x11 + 2 * n, 0);
	io_wr(0x10 + 2 * n, lo);
}

static void io_registers(void)
{
	u32 masked = 0;

	CHECK_EQ("row-49-io-version", io_rd(1), 0x170020);
	for (int n = 0; n < 24; n++)
		masked += io_rd(0x10 + 2 * n) >> 16 & 1;
	CHECK_EQ("row-49-io-masked", masked, 24);
	io_wr(0, 0xffffffff);
	CHECK_EQ("row-49-io-id", io_rd(0), 0x0f000000);
	io_wr(0, 0);
	if (!upstream_lacks("row-49-io-entry-bits")) {
		io_pin(23, 0xffffffff);
		CHECK_EQ("row-49-io-entry-bits", io_rd(0x10 + 46), 0x1afff);
	}
	io_pin(23, IO_MASKED);
}

static volatile u32 tmr_seen;

static void edge(struct frame *f)
{
	tmr_seen = bit(A_TMR, f->vector);
	take(f);
}

static void io_edge(void)
{
	u32 n;

	listen(0x90, 0x90);
	trap_handler[0x90] = edge;
	io_pin(2, 0x90);
	pit_square();
	CHECK("row-49-io-edge", wait_for(&hits[0x90], 10, 20000));
	CHECK_EQ("row-49-io-edge-tmr", tmr_seen, 0);
	io_pin(2, IO_MASKED | 0x90);
	window();
	n = hits[0x90];
	wait_for(&hits[0x90], n + 1, 20);
	CHECK_EQ("row-49-io-masked-pin", hits[0x90], n);
	outb(0x43, 0x30);
}

static volatile u32 level_times, remote_seen;

/* The line falls when register C is read: at the third time. */
static void level(struct frame *f)
{
	tmr_seen = bit(A_TMR, f->vector);
	remote_seen = io_rd(0x10 + 16) & IO_REMOTE;
	if (++level_times == 3) {
		cmos_set(0x0b, cmos(0x0b) & ~0x40);
		cmos(0x0c);
	}
	take(f);
}

static void rtc_periodic(void)
{
	cmos_set(0x0a, 0x26);
	cmos(0x0c);
	cmos_set(0x0b, cmos(0x0b) | 0x40);
}

static void io_level(void)
{
	listen(0x91, 0x91);
	trap_handler[0x91] = level;
	io_pin(8, IO_LEVEL | 0x91);
	rtc_periodic();
	CHECK("row-49-io-level", wait_for(&hits[0x91], 3, 20000));
	wait_for(&hits[0x91], 4, 20);
	CHECK_EQ("row-49-io-level-ends", hits[0x91], 3);
	CHECK_EQ("row-49-io-level-tmr", tmr_seen, 1);
	CHECK_EQ("row-49-io-remote-irr", remote_seen, IO_REMOTE);
	CHECK_EQ("row-49-io-remote-irr-cleared", io_rd(0x10 + 16) & IO_REMOTE, 0);
	io_pin(8, IO_MASKED);
}

/* EOI broadcasts off: the I/O APIC's own EOI register ends it. */
static void io_directed_eoi(void)
{
	if (upstream_lacks("row-49-io-directed-eoi"))
		return;
	CHECK_EQ("row-49-directed-eoi-offered", rd(A_VERSION) >> 24 & 1, 1);
	listen(0x92, 0x92);
	wr(A_SVR, 0x11ff);
	io_pin(8, IO_LEVEL | 0x92);
	rtc_periodic();
	wait_for(&hits[0x92], 1, 20000);
	wait_for(&hits[0x92], 2, 20);
	CHECK_EQ("row-49-io-no-broadcast", hits[0x92], 1);
	CHECK_EQ("row-49-io-remote-irr-stays", io_rd(0x10 + 16) & IO_REMOTE, IO_REMOTE);
	*(volatile u32 *)0xfec00040 = 0x92;
	CHECK("row-49-io-directed-eoi", wait_for(&hits[0x92], 2, 20000));
	cmos_set(0x0b, cmos(0x0b) & ~0x40);
	cmos(0x0c);
	*(volatile u32 *)0xfec00040 = 0x92;
	wr(A_SVR, 0x1ff);
	io_pin(8, IO_MASKED);
	window();
}

/* -- the 8259A's virtual wire ------------------------------------------------------------------------ */
static int pit_heard(void)
{
	u32 n = hits[0x20];

	return wait_for(&hits[0x20], n + 5, 200);
}

static int pit_silent(void)
{
	u32 n;

	window();
	n = hits[0x20];
	wait_for(&hits[0x20], n + 1, 20);
	return hits[0x20] == n;
}

static void virtual_wire(void)
{
	u32 r[4];

	pit_square();
	irq_unmask(0, on_pit);
	CHECK("row-50-lint0-extint", pit_heard());
	wr(A_LINT0, MASKED | 0x700);
	CHECK("row-50-lint0-masked", pit_silent());
	wr(A_LINT0, 0x700);
	CHECK("row-50-lint0-unmasked", pit_heard());
	listen(0xb0, 0xb0);
	eoi(0);
	wr(A_LINT0, 0xb0);
	outb(0x21, 0xff);
	outb(0x21, 0xfe);
	CHECK("row-50-lint0-fixed", wait_for(&hits[0xb0], 1, 5000));
	wr(A_LINT0, 0x700);
	eoi(0);
	window();
	CHECK("row-50-lint0-again", pit_heard());
	wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) & ~(u64)BASE_ON);
	CHECK("row-50-apic-off", pit_heard());
	cpuid(1, 0, r);
	CHECK_EQ("row-50-apic-off-cpuid", r[3] >> 9 & 1, 0);
	if (upstream_lacks("row-50-apic-on-again"))
		return;
	wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | BASE_ON);
	CHECK("row-50-apic-on-again", pit_silent());
	CHECK_EQ("row-50-apic-on-again-svr", rd(A_SVR), 0xff);
}

void guest_main(void)
{
	hand_over();
	self();
	destinations();
	priorities();
	nesting();
	tpr();
	two_sources();
	shadow_kept();
	nmi();
	nmi_in_nmi();
	errors();
	lvt_bits();
	software_disable();
	one_shot();
	divide();
	periodic();
	io_registers();
	io_edge();
	io_level();
	io_directed_eoi();
	virtual_wire();
}
