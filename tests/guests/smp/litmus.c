/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory ordering (SDM 3A 8.2.3), by the litmus tests of the literature: each
 * processor runs its few instructions on a pair of words, over and over with
 * fresh words, and every outcome is counted. Forbidden ones must not be seen;
 * that a store may pass a later load (SB) must be.
 *
 * run-counts: 2 4
 *
 * row-44: MP, SB, LB, IRIW, n6, plain and with locked instructions.
 * row-08: SB with locked instructions is what cpu_exec_start relies on. */
#include "smp.h"

enum { CELLS = 4096, STRIDE = 16 };       /* words of 64 bytes' distance       */

/* What cell i holds: x, y in lines of their own; each processor's results. The
 * two do not share the places of a translation cache: what it then does is as
 * good as a fence. */
#define X ((volatile u32 *)0x400000)
#define Y ((volatile u32 *)0x460000)
static u32 seen[4][CELLS][2];
/* How far each is in the batch. */
static volatile u32 go[4] __attribute__((aligned(64)));
static u32 players, batches;
static struct rendezvous meeting;
static u32 forbidden, allowed, rounds;

static const struct litmus {
	const char *name;
	u32 players;
	/* What processor `cpu` does with cell x, y; r: its two results. */
	void (*run)(u32 cpu, volatile u32 *x, volatile u32 *y, u32 *r);
	int (*bad)(u32 i);                /* the forbidden outcome             */
	int (*relaxed)(u32 i);            /* one that TSO allows, not SC       */
} *test;

#define LOAD(from) ({ u32 v_; __asm__ volatile("mov %1, %0" : "=r"(v_) : "m"(*(from)) : "memory"); v_; })
#define STORE(to, v) __asm__ volatile("movl %1, %0" : "=m"(*(to)) : "ri"((u32)(v)) : "memory")

/* -- MP: if the flag is seen, so is what was stored before it --------------------------- */
static void mp(u32 cpu, volatile u32 *x, volatile u32 *y, u32 *r)
{
	if (!cpu) {
		STORE(x, 1);
		STORE(y, 1);
		return;
	}
	r[0] = LOAD(y);
	r[1] = LOAD(x);
}
static void mp_locked(u32 cpu, volatile u32 *x, volatile u32 *y, u32 *r)
{
	if (!cpu) {
		xadd(x, 1);
		STORE(y, 1);
		return;
	}
	r[0] = LOAD(y);
	r[1] = xadd(x, 0);
}
static int mp_bad(u32 i) { return seen[1][i][0] && !seen[1][i][1]; }

/* -- SB: each stores, then loads what the other stored: both may see nothing ------------ */
static void sb(u32 cpu, volatile u32 *x, volatile u32 *y, u32 *r)
{
	if (!cpu) {
		STORE(x, 1);
		r[0] = LOAD(y);
	} else {
		STORE(y, 1);
		r[0] = LOAD(x);
	}
}
static void sb_fence(u32 cpu, volatile u32 *x, volatile u32 *y, u32 *r)
{
	if (!cpu) {
		STORE(x, 1);
		mfence();
		r[0] = LOAD(y);
	} else {
		STORE(y, 1);
		mfence();
		r[0] = LOAD(x);
	}
}
static void sb_xchg(u32 cpu, volatile u32 *x, volatile u32 *y, u32 *r)
{
	if (!cpu) {
		xchg(x, 1);
		r[0] = LOAD(y);
	} else {
		xchg(y, 1);
		r[0] = LOAD(x);
	}
}
static int sb_neither(u32 i) { return !seen[0][i][0] && !seen[1][i][0]; }

/* -- LB: each loads, then stores: nobody sees the future --------------------------------- */
static void lb(u32 cpu, volatile u32 *x, volatile u32 *y, u32 *r)
{
	if (!cpu) {
		r[0] = LOAD(y);
		STORE(x, 1);
	} else {
		r[0] = LOAD(x);
		STORE(y, 1);
	}
}
static void lb_locked(u32 cpu, volatile u32 *x, volatile u32 *y, u32 *r)
{
	if (!cpu) {
		r[0] = xadd(y, 0);
		STORE(x, 1);
	} else {
		r[0] = xadd(x, 0);
		STORE(y, 1);
	}
}
static int lb_bad(u32 i) { return seen[0][i][0] && seen[1][i][0]; }

/* -- n6: one sees its own store early, and the other's late -------------------------------- */
static void n6(u32 cpu, volatile u32 *x, volatile u32 *y, u32 *r)
{
	if (!cpu) {
		STORE(x, 1);
		r[0] = LOAD(x);
		r[1] = LOAD(y);
	} else {
		STORE(y, 2);
		STORE(x, 2);
	}
}
static void n6_locked(u32 cpu, volatile u32 *x, volatile u32 *y, u32 *r)
{
	if (!cpu) {
		xchg(x, 1);
		r[0] = LOAD(x);
		r[1] = LOAD(y);
	} else {
		STORE(y, 2);
		STORE(x, 2);
	}
}
static int n6_seen(u32 i)
{
	return seen[0][i][0] == 1 && !seen[0][i][1] && X[i * STRIDE] == 1;
}
/* One's own store is seen, or a later one. */
static int n6_bad(u32 i) { return !seen[0][i][0]; }

/* -- IRIW: two who look see two stores in the same order ------------------------------------ */
static void iriw(u32 cpu, volatile u32 *x, volatile u32 *y, u32 *r)
{
	switch (cpu) {
	case 0:
		STORE(x, 1);
		break;
	case 1:
		STORE(y, 1);
		break;
	case 2:
		r[0] = LOAD(x);
		r[1] = LOAD(y);
		break;
	case 3:
		r[0] = LOAD(y);
		r[1] = LOAD(x);
		break;
	}
}
static void iriw_locked(u32 cpu, volatile u32 *x, volatile u32 *y, u32 *r)
{
	switch (cpu) {
	case 0:
		xadd(x, 1);
		break;
	case 1:
		xchg(y, 1);
		break;
	case 2:
		r[0] = xadd(x, 0);
		r[1] = LOAD(y);
		break;
	case 3:
		r[0] = LOAD(y);
		r[1] = xadd(x, 0);
		break;
	}
}
static int iriw_bad(u32 i)
{
	return seen[2][i][0] && !seen[2][i][1] && seen[3][i][0] && !seen[3][i][1];
}

static const struct litmus tests[] = {
	{ "mp", 2, mp, mp_bad, 0 },
	{ "mp-locked", 2, mp_locked, mp_bad, 0 },
	{ "sb", 2, sb, 0, sb_neither },
	{ "sb-fence", 2, sb_fence, sb_neither, 0 },
	{ "sb-xchg", 2, sb_xchg, sb_neither, 0 },
	{ "lb", 2, lb, lb_bad, 0 },
	{ "lb-locked", 2, lb_locked, lb_bad, 0 },
	{ "n6", 2, n6, n6_bad, 0 },
	{ "n6-locked", 2, n6_locked, n6_seen, 0 },
	{ "iriw", 4, iriw, iriw_bad, 0 },
	{ "iriw-locked", 4, iriw_locked, iriw_bad, 0 },
};

/* -- running ------------------------------------------------------------------------------------ */

/* Both shall be at the same cell, give or take a few instructions: one waits
 * for the other, then for a time of its own that differs from cell to cell. Who
 * waits in vain, because the host runs the other at other times, waits less
 * long after that. */
struct tuning { u32 patience, random; };

static void together(u32 cpu, u32 i, struct tuning *t)
{
	volatile u32 *other = &go[cpu ^ 1];
	u32 n = 0;

	go[cpu] = i;
	while (n < t->patience && *other < i)
		n++;
	if (n == t->patience)
		t->patience = t->patience >> 1 | 31;
	else if (t->patience < 100000)
		t->patience <<= 1;
	t->random = t->random * 1664525 + 1013904223;
	for (n = t->random >> 16 & ((4u << i % 4 * 2) - 1); n; n--)
		barrier();
}

static void run_batch(u32 cpu)
{
	static u32 seed = 1;
	struct tuning tuning = { round_robin ? 1 : 100000, xadd(&seed, 77) };

	for (u32 i = 0; i < CELLS; i++) {
		u32 at = i * STRIDE;

		together(cpu, i + 1, &tuning);
		test->run(cpu, X + at, Y + at, seen[cpu][i]);
	}
}

/* Each clears the word that the other stores to in SB: so the line is not its
 * own when it does, and the store takes a while. */
static void clear(u32 cpu)
{
	if (cpu > 1)
		return;
	for (u32 i = 0; i < CELLS; i++)
		(cpu ? X : Y)[i * STRIDE] = 0;
	memset(seen[cpu], 0, sizeof(seen[0]));
	memset(seen[cpu + 2], 0, sizeof(seen[0]));
	go[cpu] = go[cpu + 2] = 0;
}

static void count(void)
{
	for (u32 i = 0; i < CELLS; i++) {
		forbidden += test->bad && test->bad(i);
		allowed += test->relaxed && test->relaxed(i);
	}
	rounds += CELLS;
}

static void batch(u32 cpu)
{
	for (u32 n = 0; n < batches; n++) {
		clear(cpu);
		meet(&meeting, players);
		run_batch(cpu);
		meet(&meeting, players);
		if (!cpu)
			count();
		meet(&meeting, players);
	}
}

static void run(u32 percent)
{
	players = test->players;
	forbidden = allowed = rounds = 0;
	batches = percent * 22 / 100 + 1;
	smp_run(players, batch);
}

/* A store can only be seen late by one that really runs beside: on a busy host
 * that may take some more rounds. */
static void look_for_allowed(void)
{
	u64 end = tsc_in_ms(20000);

	batches = 8;
	while (!allowed && tsc64() < end)
		smp_run(players, batch);
}

void guest_main(void)
{
	smp_start();
	for (u32 i = 0; i < N_ELEM(tests); i++) {
		test = &tests[i];
		/* Pairs need no more than two, and one run of them is enough. */
		if (test->players > cpus || (test->players < cpus && cpus > 2))
			continue;
		run(option_value("percent", 100));
		say("# %s: %u rounds, %u relaxed\n", test->name, rounds,
		    allowed);
		CHECK_EQ(test->name, forbidden, 0);
		if (!test->relaxed || round_robin || option("onecore"))
			continue;
		look_for_allowed();
		CHECK("sb-allowed-is-seen", allowed);
	}
}
