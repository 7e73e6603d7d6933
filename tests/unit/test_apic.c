/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hw/apic: several local APICs, seen from their registers: whom a message
 * reaches, priorities, timer, errors, modes; and what needs no lock. Rows 2, 4,
 * 49 and 50. */
#include "fake_apic.h"

#include <pthread.h>
#include <sched.h>

#include "child.h"
#include "env/clock.h"

enum { ID = 0x20, VERSION = 0x30, TPR = 0x80, PPR = 0xa0, EOI = 0xb0, LDR = 0xd0,
       DFR = 0xe0, SVR = 0xf0, ISR = 0x100, TMR = 0x180, IRR = 0x200, ESR = 0x280,
       ICR = 0x300, ICR2 = 0x310, TIMER = 0x320, LINT0 = 0x350, LINT1 = 0x360,
       ERROR = 0x370, INITIAL = 0x380, CURRENT = 0x390, DIVIDE = 0x3e0 };
enum { MASKED = 0x10000, PERIODIC = 0x20000, DEADLINE = 0x40000, BY_1 = 0xb };
enum { LOGICAL = 0x800, SELF = 0x40000, ALL = 0x80000, OTHERS = 0xc0000 };

static int bit(int cpu, u32 r, int v) { return reg(cpu, r + (v >> 5) * 16) >> (v & 31) & 1; }

/* -- whom a message reaches ------------------------------------------------------- */
static u32 reached(int vector)
{
	u32 who = 0;

	for (int i = 0; i < N_FAKE; i++)
		if (taken(i) == vector) {
			who |= 1u << i;
			set(i, EOI, 0);
		}
	return who;
}

static const struct { u32 dfr, dest, icr, who; } dests[] = {
	{ ~0u, 0, 0, 1 }, { ~0u, 2, 0, 4 }, { ~0u, 7, 0, 0 }, { ~0u, 0xff, 0, 0xf },
	{ ~0u, 0x01, LOGICAL, 1 }, { ~0u, 0x0a, LOGICAL, 0xa }, { ~0u, 0xff, LOGICAL, 0xf },
	{ ~0u, 0xf0, LOGICAL, 0 }, { ~0u, 0, LOGICAL, 0 },
	{ 0x0fffffff, 0x03, LOGICAL, 3 }, { 0x0fffffff, 0x12, LOGICAL, 0 },
	{ 0x0fffffff, 0xff, LOGICAL, 0xf },
	{ ~0u, 0, SELF, 2 }, { ~0u, 0, ALL, 0xf }, { ~0u, 0, OTHERS, 0xd },
};

START_TEST(row_49_destinations)
{
	fake_board();
	for (u32 k = 0; k < ARRAY_SIZE(dests); k++) {
		for (int i = 0; i < N_FAKE; i++) {
			set(i, DFR, dests[k].dfr);
			set(i, LDR, 1u << (24 + i));
		}
		set(1, ICR2, dests[k].dest << 24);
		set(1, ICR, dests[k].icr | 0x55);
		ck_assert_msg(reached(0x55) == dests[k].who, "row %u", k);
	}
}
END_TEST

/* 32-bit destinations; a processor in the other mode hears its ID. */
START_TEST(row_49_x2apic_destinations)
{
	static const struct { u64 icr; u32 who; } to[] = {
		{ 0, 1 }, { 3ull << 32, 8 }, { 0xffull << 32, 0 }, { 0xffffffffull << 32, 0xf },
		{ 5ull << 32 | LOGICAL, 5 }, { 0x10005ull << 32 | LOGICAL, 0 },
		{ OTHERS, 0xd },
	};

	fake_board();
	for (int i = 0; i < N_FAKE; i++) {
		current_cpu = &fake_cpus[i];
		ck_assert(cpu_set_apic_base(current_cpu, 0xfee00c00));
	}
	for (u32 k = 0; k < ARRAY_SIZE(to); k++) {
		u32 who = 0;

		current_cpu = &fake_cpus[1];
		ck_assert(apic_msr_write(current_cpu, 0x30, to[k].icr | 0x55));
		for (int i = 0; i < N_FAKE; i++)
			if (taken(i) == 0x55) {
				who |= 1u << i;
				ck_assert(apic_msr_write(&fake_cpus[i], 0xb, 0));
			}
		ck_assert_msg(who == to[k].who, "row %u", k);
	}
}
END_TEST

/* Lowest priority: exactly one, not one that is busier, all in turn. */
START_TEST(row_49_lowest_priority)
{
	u32 who = 0;

	fake_board();
	for (int i = 0; i < N_FAKE; i++)
		set(i, LDR, 1u << (24 + i));
	set(3, TPR, 0x80);
	for (int n = 0; n < 24; n++) {
		u32 one;

		set(0, ICR2, 0xffu << 24);
		set(0, ICR, LOGICAL | 0x100 | 0x90);
		one = reached(0x90);
		ck_assert_int_eq(__builtin_popcount(one), 1);
		who |= one;
	}
	ck_assert_uint_eq(who, 7);
	/* who has the vector already keeps it */
	set(0, ICR, LOGICAL | 0x100 | 0x90);
	set(0, ICR, LOGICAL | 0x100 | 0x90);
	ck_assert_int_eq(__builtin_popcount(reached(0x90)), 1);
}
END_TEST

START_TEST(row_49_requests)
{
	fake_board();
	set(0, ICR2, 2u << 24);
	set(0, ICR, 0x400);
	ck_assert_uint_eq(requests(2), CPU_INTERRUPT_NMI);
	fake_cpus[2].interrupt_request = 0;
	set(0, ICR, 0x4600 | 0x12);
	ck_assert_uint_eq(requests(2), CPU_INTERRUPT_SIPI);
	set(0, ICR, 0x4600 | 0x34);            /* the first one counts       */
	bql_lock();
	ck_assert_uint_eq(apic_sipi_vector(&fake_cpus[2]), 0x12);
	bql_unlock();
	set(0, ICR, 0x8500);                   /* level de-assert: nothing   */
	ck_assert_uint_eq(requests(2), CPU_INTERRUPT_SIPI);
	set(0, ICR, 0x4500);                   /* INIT takes the SIPI back   */
	ck_assert_uint_eq(requests(2), CPU_INTERRUPT_INIT);
	set(0, ICR, 0x4600 | 0x34);
	ck_assert_uint_eq(requests(2), CPU_INTERRUPT_INIT | CPU_INTERRUPT_SIPI);
	set(0, ICR, 0x200);                    /* SMI: nothing               */
	set(0, ICR, OTHERS | 0x4500);
	ck_assert_uint_eq(requests(0), 0);
	ck_assert_uint_eq(requests(1), CPU_INTERRUPT_INIT);
	ck_assert_uint_eq(requests(3), CPU_INTERRUPT_INIT);
}
END_TEST

START_TEST(row_49_msi)
{
	fake_board();
	current_cpu = NULL;                    /* a device                   */
	mem_write(0xfee00000 + (2 << 12), 0x66);
	ck_assert_uint_eq(reached(0x66), 4);
	current_cpu = NULL;
	mem_write(0xfee000f0, 0x67);           /* SVR's place                */
	ck_assert_uint_eq(reached(0x67), 1);
	current_cpu = NULL;
	mem_write(0xfee00000 + (1 << 12), 0x400);
	ck_assert_uint_eq(requests(1), CPU_INTERRUPT_NMI);
	current_cpu = NULL;
	ck_assert_uint_eq(mem_read(0xfee00030), 0xffffffff);
}
END_TEST

/* -- priorities --------------------------------------------------------------------- */
START_TEST(row_49_priorities)
{
	fake_board();
	set(0, ICR, SELF | 0x41);
	set(0, ICR, SELF | 0x52);
	set(0, ICR, SELF | 0x53);
	ck_assert_int_eq(taken(0), 0x53);
	ck_assert_uint_eq(reg(0, PPR), 0x50);
	ck_assert_int_eq(bit(0, ISR, 0x53), 1);
	ck_assert_int_eq(bit(0, IRR, 0x52), 1);
	ck_assert_int_eq(taken(0), -1);
	set(0, ICR, SELF | 0x60);
	ck_assert_int_eq(taken(0), 0x60);      /* nests                      */
	set(0, EOI, 0);
	ck_assert_int_eq(taken(0), -1);
	set(0, EOI, 0);
	ck_assert_int_eq(taken(0), 0x52);
	set(0, EOI, 0);
	set(0, TPR, 0x4f);
	ck_assert_uint_eq(reg(0, PPR), 0x4f);
	ck_assert_int_eq(taken(0), -1);
	set(0, TPR, 0x3f);
	ck_assert_int_eq(taken(0), 0x41);
	set(0, EOI, 0);
	set(0, EOI, 0);                        /* one too many               */
	ck_assert_uint_eq(reg(0, PPR), 0x3f);
}
END_TEST

START_TEST(row_49_software_disable)
{
	fake_board();
	set(0, LINT1, 0x400);
	set(0, ICR, SELF | 0x70);
	set(0, SVR, 0xff);
	ck_assert_uint_eq(reg(0, LINT1), MASKED | 0x400);
	ck_assert_int_eq(taken(0), -1);
	ck_assert(!apic_has_interrupt(&fake_cpus[0]));
	set(0, ICR, SELF | 0x71);
	set(0, LINT1, 0x400);
	ck_assert_uint_eq(reg(0, LINT1), MASKED | 0x400);
	set(0, SVR, 0x1ff);
	ck_assert_int_eq(taken(0), 0x70);      /* held; 71h came too late    */
	set(0, EOI, 0);
	ck_assert_int_eq(taken(0), -1);
}
END_TEST

START_TEST(row_49_errors)
{
	fake_board();
	set(0, ERROR, 0xe0);
	set(0, ICR, SELF | 0x0f);
	ck_assert_uint_eq(reg(0, ESR), 0);
	ck_assert_int_eq(taken(0), 0xe0);
	set(0, EOI, 0);
	set(0, ICR, SELF | 0x0f);              /* known already              */
	ck_assert_int_eq(taken(0), -1);
	set(0, ESR, 0);
	ck_assert_uint_eq(reg(0, ESR), 0x20);
	set(0, ESR, 0);
	ck_assert_uint_eq(reg(0, ESR), 0);
	reg(0, 0x3f0);
	set(0, 0x40, 0);
	current_cpu = NULL;
	mem_write(0xfee00000 | 1 << 12, 9);
	set(0, ESR, 0);
	ck_assert_uint_eq(reg(0, ESR), 0x80);
	set(1, ESR, 0);
	ck_assert_uint_eq(reg(1, ESR), 0x40);
}
END_TEST

/* -- timer ---------------------------------------------------------------------------- */
START_TEST(row_49_one_shot)
{
	fake_board();
	set(0, DIVIDE, BY_1);
	set(0, TIMER, 0x60);
	set(0, INITIAL, 1000);
	fake_pass(400);
	ck_assert_uint_eq(reg(0, CURRENT), 600);
	ck_assert_int_eq(taken(0), -1);
	fake_pass(600);
	ck_assert_uint_eq(reg(0, CURRENT), 0);
	ck_assert_int_eq(taken(0), 0x60);
	set(0, EOI, 0);
	fake_pass(100000);
	ck_assert_int_eq(taken(0), -1);
	set(0, DIVIDE, 0);                     /* by 2                       */
	set(0, INITIAL, 1000);
	fake_pass(1999);
	ck_assert_int_eq(taken(0), -1);
	fake_pass(1);
	ck_assert_int_eq(taken(0), 0x60);
}
END_TEST

START_TEST(row_49_periodic)
{
	u32 n = 0;

	fake_board();
	set(0, DIVIDE, BY_1);
	set(0, TIMER, PERIODIC | 0x60);
	set(0, INITIAL, 99999);
	for (int i = 0; i < 100; i++) {
		fake_pass(50000);
		if (taken(0) == 0x60) {
			n++;
			set(0, EOI, 0);
		}
	}
	ck_assert_uint_eq(n, 50);
	fake_pass(30000);
	ck_assert_uint_eq(reg(0, CURRENT), 69999);
	/* a guest cannot keep the main loop busy */
	set(0, INITIAL, 1);
	fake_fired = 0;
	fake_pass(1000000);
	ck_assert_uint_le(fake_fired, 50);
	set(0, INITIAL, 0);
	taken(0);
	set(0, EOI, 0);
	fake_fired = 0;
	fake_pass(1000000);
	ck_assert_uint_eq(fake_fired, 0);
}
END_TEST

/* Masked, it counts, but nothing is armed for it. */
START_TEST(row_49_masked_timer)
{
	fake_board();
	set(0, DIVIDE, BY_1);
	set(0, TIMER, MASKED | PERIODIC | 0x60);
	set(0, INITIAL, 1000000);
	fake_fired = 0;
	fake_pass(500000);
	ck_assert_uint_eq(reg(0, CURRENT), 500000);
	fake_pass(10000000);
	ck_assert_uint_eq(fake_fired, 0);
	set(0, TIMER, PERIODIC | 0x60);
	fake_pass(1000000);
	ck_assert_int_eq(taken(0), 0x60);
}
END_TEST

/* The main loop is late, the guest masks and unmasks: the interrupt has come. */
START_TEST(row_49_late_timer)
{
	fake_board();
	set(0, DIVIDE, BY_1);
	set(0, TIMER, 0x60);
	set(0, INITIAL, 1000);
	fake_now += 5000;
	set(0, TIMER, MASKED | 0x60);
	ck_assert_int_eq(taken(0), 0x60);
}
END_TEST

/* The thread is off its processor, at each look at the clock, for longer than the
 * count: Linux, whose ticks are one-shots, lost its timer for good. */
START_TEST(row_49_count_ends_while_it_is_set)
{
	fake_board();
	set(0, DIVIDE, BY_1);
	fake_step = 5000;
	set(0, TIMER, 0x60);
	set(0, INITIAL, 1000);
	fake_pass(7000);
	ck_assert_int_eq(taken(0), 0x60);
	set(0, EOI, 0);
	set(0, INITIAL, 7000);
	set(0, DIVIDE, BY_1);
	set(0, TIMER, 0x61);
	fake_pass(7000);
	ck_assert_int_ne(taken(0), -1);
	fake_step = 0;
}
END_TEST

START_TEST(row_49_deadline)
{
	struct cpu *cpu;

	fake_board();
	cpu = fake_cpus;
	apic_set_tsc_deadline(cpu, clock_host_tsc());
	ck_assert(!apic_get_tsc_deadline(cpu));        /* not in that mode  */
	set(0, TIMER, DEADLINE | 0x60);
	apic_set_tsc_deadline(cpu, clock_host_tsc() - 1);
	fake_pass(1);
	ck_assert_int_eq(taken(0), 0x60);
	ck_assert(!apic_get_tsc_deadline(cpu));
	set(0, EOI, 0);
	/* the host's time stamps count, not the clock */
	apic_set_tsc_deadline(cpu, clock_host_tsc() + (1ull << 50));
	fake_pass(4000 * NS_PER_SEC);
	ck_assert_int_eq(taken(0), -1);
	ck_assert(apic_get_tsc_deadline(cpu));
	set(0, TIMER, 0x60);
	ck_assert(!apic_get_tsc_deadline(cpu));
}
END_TEST

/* -- the 8259A's INT -------------------------------------------------------------------- */
static void intr(int level)
{
	bql_lock();
	apic_set_intr(level);
	bql_unlock();
}

START_TEST(row_50_virtual_wire)
{
	fake_board();
	intr(1);
	ck_assert_uint_eq(requests(0), 0);             /* LINT0 is masked   */
	set(0, LINT0, 0x700);
	ck_assert_uint_eq(requests(0), CPU_INTERRUPT_HARD);
	ck_assert_uint_eq(requests(1), 0);
	set(0, LINT0, MASKED | 0x700);
	ck_assert_uint_eq(requests(0), 0);
	set(1, LINT0, 0x700);
	ck_assert_uint_eq(requests(1), CPU_INTERRUPT_HARD);
	intr(0);
	ck_assert_uint_eq(requests(1), 0);
	set(1, LINT0, MASKED);
	set(0, LINT0, 0x44);                           /* fixed: an edge    */
	intr(1);
	ck_assert_int_eq(taken(0), 0x44);
	ck_assert_uint_eq(requests(0), 0);
	intr(0);
	set(0, LINT0, 0x400);                          /* NMI               */
	intr(1);
	ck_assert_uint_eq(requests(0), CPU_INTERRUPT_NMI);
}
END_TEST

/* APICs that are off: INTR goes to the first processor. */
START_TEST(row_50_without_apic)
{
	fake_board();
	intr(1);
	current_cpu = &fake_cpus[1];
	ck_assert(cpu_set_apic_base(current_cpu, 0xfee00000));
	ck_assert_uint_eq(requests(1), 0);
	current_cpu = &fake_cpus[0];
	ck_assert(cpu_set_apic_base(current_cpu, 0xfee00000));
	ck_assert_uint_eq(requests(0), CPU_INTERRUPT_HARD);
	ck_assert_uint_eq(reg(0, VERSION), 0xffffffff);
	ck_assert(cpu_set_apic_base(current_cpu, 0xfee00800));
	ck_assert_uint_eq(requests(0), 0);
	ck_assert_uint_eq(reg(0, SVR), 0xff);
}
END_TEST

START_TEST(row_50_hand_over)
{
	fake_board();
	intr(1);
	bql_lock();
	apic_reset(&fake_cpus[0]);
	ck_assert_uint_eq(requests(0), 0);
	apic_hand_over(&fake_cpus[0]);
	bql_unlock();
	ck_assert_uint_eq(requests(0), CPU_INTERRUPT_HARD);
	ck_assert_uint_eq(reg(0, SVR), 0x1ff);
	ck_assert_uint_eq(reg(0, LINT0), 0x8700);
	ck_assert_uint_eq(reg(0, LINT1), 0x8400);
}
END_TEST

/* -- modes, reset ------------------------------------------------------------------------- */
START_TEST(row_49_base)
{
	static const struct { u64 v; bool good; } step[] = {
		{ 0xfee00800, true }, { 0xfee00c00, true }, { 0xfee00800, false },
		{ 0xfee00400, false }, { 0xfee00000, true }, { 0xfee00c00, false },
		{ 0xfee00800, true }, { 0xfee00801, false }, { 0xfee00a00, false },
		{ 0x1fee00800, false }, { 0xd0000800, true },
	};

	fake_board();
	ck_assert_uint_eq(cpu_get_apic_base(&fake_cpus[0]), 0xfee00900);
	ck_assert_uint_eq(cpu_get_apic_base(&fake_cpus[3]), 0xfee00800);
	for (u32 i = 0; i < ARRAY_SIZE(step); i++) {
		current_cpu = &fake_cpus[3];
		ck_assert_msg(cpu_set_apic_base(current_cpu, step[i].v) == step[i].good,
			      "step %u", i);
		if (step[i].good)
			ck_assert_uint_eq(cpu_get_apic_base(current_cpu), step[i].v);
	}
}
END_TEST

START_TEST(row_49_init)
{
	fake_board();
	set(1, ID, 9u << 24);
	set(1, TPR, 0x20);
	set(1, LDR, 0x55000000);
	set(1, LINT0, 0x700);
	set(1, TIMER, PERIODIC | 0x60);
	set(1, INITIAL, 1000000);
	set(1, ICR, SELF | 0x70);
	current_cpu = &fake_cpus[1];
	bql_lock();
	apic_init_reset(current_cpu);
	bql_unlock();
	ck_assert_uint_eq(reg(1, ID), 9u << 24);       /* kept              */
	ck_assert_uint_eq(reg(1, SVR), 0xff);
	ck_assert_uint_eq(reg(1, TPR), 0);
	ck_assert_uint_eq(reg(1, LDR), 0);
	ck_assert_uint_eq(reg(1, DFR), 0xffffffff);
	ck_assert_uint_eq(reg(1, LINT0), MASKED);
	ck_assert_uint_eq(reg(1, TIMER), MASKED);
	ck_assert_uint_eq(reg(1, INITIAL), 0);
	ck_assert_uint_eq(reg(1, IRR + 0x30), 0);
	ck_assert(!cpu_pending(current_cpu));
	bql_lock();
	apic_reset(current_cpu);
	bql_unlock();
	ck_assert_uint_eq(reg(1, ID), 1u << 24);
}
END_TEST

/* -- without the BQL -------------------------------------------------------------------------- */
static pthread_barrier_t held;

static void *hold_bql(void *arg)
{
	bql_lock();
	pthread_barrier_wait(&held);           /* it is held                 */
	pthread_barrier_wait(&held);           /* the test is through        */
	bql_unlock();
	return arg;
}

/* Somebody holds the BQL all the time: what would take it never returns, and the
 * test's time is up. */
START_TEST(row_04_lock_free)
{
	pthread_t t;

	fake_board();
	ck_assert(!fake_window(0xfee00000)->mr->global_locking);
	ck_assert(fake_window(0xfec00000)->mr->global_locking);
	pthread_barrier_init(&held, NULL, 2);
	ck_assert_int_eq(pthread_create(&t, NULL, hold_bql, NULL), 0);
	pthread_barrier_wait(&held);
	for (u32 r = 0x20; r < 0x400; r += 0x10)
		reg(0, r);
	set(0, TPR, 0x10);
	set(0, LDR, 1u << 24);
	set(0, DFR, ~0u);
	set(0, SVR, 0x1fe);
	set(0, ESR, 0);
	set(0, LINT1, MASKED);
	set(0, ICR, SELF | 0x50);
	ck_assert_int_eq(taken(0), 0x50);
	set(0, EOI, 0);
	set(0, ICR2, 2u << 24);
	set(0, ICR, 0x51);
	ck_assert_uint_eq(fake_pokes[2], 1);
	ck_assert_int_eq(taken(2), 0x51);
	set(2, EOI, 0);
	set(0, ICR, OTHERS | 0x52);
	ck_assert_uint_eq(reached(0x52), 0xe);
	ck_assert(!apic_has_interrupt(&fake_cpus[0]));
	pthread_barrier_wait(&held);
	pthread_join(t, NULL);
}
END_TEST

/* Two senders, each waits until its message was taken. The receiver looks when
 * irq_poll says so and not otherwise: with one lost, this never ends. */
enum { ROUNDS = 20000 };
static u32 count[256];                   /* _Atomic                          */

static void *sender(void *arg)
{
	int me = (int)(intptr_t)arg;
	u32 vector = 0x50 + 0x10 * (u32)me;

	current_cpu = &fake_cpus[me];
	mem_write(0xfee00000 + ICR2, 0);
	for (u32 n = 1; n <= ROUNDS; n++) {
		mem_write(0xfee00000 + ICR, vector);
		while (__atomic_load_n(&count[vector], __ATOMIC_ACQUIRE) < n)
			sched_yield();
	}
	return NULL;
}

START_TEST(row_02_no_lost_interrupt)
{
	pthread_t t[2];
	u32 total = 0;

	fake_board();
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(pthread_create(&t[i], NULL, sender,
						(void *)(intptr_t)(i + 1)), 0);
	while (total < 2 * ROUNDS) {
		int v = taken(0);

		if (v < 0) {
			sched_yield();
			continue;
		}
		set(0, EOI, 0);
		total++;
		__atomic_fetch_add(&count[v], 1, __ATOMIC_RELEASE);
	}
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	ck_assert_uint_eq(count[0x60], ROUNDS);
	ck_assert_uint_eq(count[0x70], ROUNDS);
	ck_assert_int_eq(taken(0), -1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("hw/apic");
	TCase *tc = tcase_create("apic");

	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, row_49_destinations);
	tcase_add_test(tc, row_49_x2apic_destinations);
	tcase_add_test(tc, row_49_lowest_priority);
	tcase_add_test(tc, row_49_requests);
	tcase_add_test(tc, row_49_msi);
	tcase_add_test(tc, row_49_priorities);
	tcase_add_test(tc, row_49_software_disable);
	tcase_add_test(tc, row_49_errors);
	tcase_add_test(tc, row_49_one_shot);
	tcase_add_test(tc, row_49_periodic);
	tcase_add_test(tc, row_49_masked_timer);
	tcase_add_test(tc, row_49_late_timer);
	tcase_add_test(tc, row_49_count_ends_while_it_is_set);
	tcase_add_test(tc, row_49_deadline);
	tcase_add_test(tc, row_50_virtual_wire);
	tcase_add_test(tc, row_50_without_apic);
	tcase_add_test(tc, row_50_hand_over);
	tcase_add_test(tc, row_49_base);
	tcase_add_test(tc, row_49_init);
	tcase_add_test(tc, row_04_lock_free);
	tcase_add_test(tc, row_02_no_lost_interrupt);
	suite_add_tcase(s, tc);
	return suite_main(s);
}
