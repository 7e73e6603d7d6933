/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How long a running vCPU takes to leave translated code after a kick: row-27. */
#include <sched.h>

#include "child.h"
#include "smp_board.h"

enum { KICKS = 400 };

static int smaller(const void *a, const void *b)
{
	s64 x = *(const s64 *)a, y = *(const s64 *)b;

	return x < y ? -1 : x > y;
}

static u64 kicks(struct cpu *cpu)
{
	return __atomic_load_n(&cpu->stat.kicks, __ATOMIC_RELAXED);
}

/* From the kick until the vCPU has counted it. It must be in guest code before:
 * between two runs of that a kick has nothing to end. */
static s64 kick_once(struct cpu *cpu)
{
	u64 before = kicks(cpu);
	u32 n = counter(0);
	s64 from, end;

	while (counter(0) == n)
		sched_yield();
	from = clock_monotonic_ns();
	end = from + 20 * NS_PER_SEC;
	qemu_cpu_kick(cpu);
	while (kicks(cpu) == before) {
		ck_assert_msg(clock_monotonic_ns() < end, "a kick was lost");
		if (clock_monotonic_ns() - from > 200000)
			sched_yield();
	}
	return clock_monotonic_ns() - from;
}

/* A loop of one block, which links to itself, and one of two blocks: each kick
 * ends it. A busy host delays nearly all; one in a hundred meets a vCPU that runs. (What
 * looks every ten milliseconds would take 100 us for one in a hundred.) */
START_TEST(row_27_latency)
{
	static s64 ns[KICKS];
	struct cpu *cpu;

	board_init(2, false);
	if (_i)
		CODE_AT(CODE, 0x67, 0xff, 0x03, 0xeb, 0x00, 0xeb, 0xf9);
	else
		CODE_AT(CODE, 0x67, 0xff, 0x03, 0xeb, 0xfb);
	cpu = board_cpu(0, CODE);
	resume_all_vcpus();
	board_run(20);
	for (int i = 0; i < KICKS; i++)
		ns[i] = kick_once(cpu);
	qsort(ns, KICKS, sizeof(ns[0]), smaller);
	printf("# kick: p10 %lld, p50 %lld, p99 %lld ns\n", (long long)ns[KICKS / 10],
	       (long long)ns[KICKS / 2], (long long)ns[KICKS * 99 / 100]);
#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
	ck_assert_int_lt(ns[KICKS / 100], 50000);
#endif
}
END_TEST

int main(void)
{
	Suite *s = suite_create("kicks");
	TCase *t = tcase_create("kicks");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, row_27_latency, 0, 2);
	suite_add_tcase(s, t);
	return suite_main(s);
}
