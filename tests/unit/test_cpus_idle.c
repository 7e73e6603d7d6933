/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qemu/cpus-idle: threads with nothing but ticks share a processor, until somebody kicks
 * them, they run for long, or their timer is late. */
#define _GNU_SOURCE
#include <sched.h>

#include "child.h"
#include "smp_board.h"

#include "env/affinity.h"
#include "env/clock.h"
#include "env/thread.h"
#include "qemu/cpus_accel.h"

enum { MANY = 100000, MS = 1000000 };

static cpu_set_t allowed(void)
{
	cpu_set_t set;

	ck_assert_int_eq(sched_getaffinity(0, sizeof(set), &set), 0);
	return set;
}

static bool is_gathered(struct idle *i)
{
	return __atomic_load_n(&i->gathered, __ATOMIC_SEQ_CST);
}

/* Short sleeps; the host may make one of them long. */
static void ticks(struct idle *i)
{
	for (int n = 0; n < MANY && !is_gathered(i); n++) {
		idle_woke(i);
		idle_sleeps(i);
	}
	ck_assert(is_gathered(i));
}

static void start(void)
{
	machine_config.smp = 2;
	idle_init(affinity_init());
}

static bool one_processor(void)
{
	cpu_set_t set = allowed();

	return CPU_COUNT(&set) < 2;
}

static void *another(void *idle)
{
	static cpu_set_t there;

	ticks(idle);
	there = allowed();
	return &there;
}

START_TEST(on_one_processor)
{
	static struct idle a, b;
	cpu_set_t all = allowed(), here, *there;
	struct thread t;

	if (one_processor())
		return;
	start();
	ticks(&a);
	here = allowed();
	ck_assert_int_eq(CPU_COUNT(&here), 1);
	thread_create(&t, "another", another, &b);
	there = thread_join(&t);
	ck_assert(CPU_EQUAL(&here, there));
	idle_release(&b);
	idle_release(&a);
	here = allowed();
	ck_assert(CPU_EQUAL(&here, &all));
}
END_TEST

START_TEST(not_for_long)
{
	static struct idle a;
	cpu_set_t all = allowed(), now;
	u64 from;

	if (one_processor())
		return;
	start();
	ticks(&a);
	idle_late(&a, 3 * MS);
	ck_assert(is_gathered(&a));
	idle_late(&a, 5 * MS);
	ck_assert(!is_gathered(&a));
	ticks(&a);
	idle_woke(&a);
	for (from = clock_stamp(); clock_stamp() < from + (1 << 21); )
		;
	idle_sleeps(&a);                         /* it had something to do    */
	ck_assert(!is_gathered(&a));
	now = allowed();
	ck_assert(CPU_EQUAL(&now, &all));
}
END_TEST

START_TEST(not_alone)
{
	static struct idle a;

	machine_config.smp = 1;
	idle_init(affinity_init());
	for (int n = 0; n < 1000; n++) {
		idle_woke(&a);
		idle_sleeps(&a);
	}
	ck_assert(!is_gathered(&a));
}
END_TEST

/* A kick, whoever sends it, releases before it wakes. */
START_TEST(a_kick_releases)
{
	struct cpu *cpu;

	board_init(2, false);
	board_cpus(2, 0);
	cpu = qemu_get_cpu(1);
	__atomic_store_n(&cpu->own_halt.idle.ticks, 1, __ATOMIC_SEQ_CST);
	__atomic_store_n(&cpu->own_halt.idle.gathered, true, __ATOMIC_SEQ_CST);
	qemu_cpu_kick(cpu);
	ck_assert(!is_gathered(&cpu->own_halt.idle));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("qemu/cpus-idle");
	TCase *t = tcase_create("core");

	tcase_add_test(t, on_one_processor);
	tcase_add_test(t, not_for_long);
	tcase_add_test(t, not_alone);
	tcase_add_test(t, a_kick_releases);
	suite_add_tcase(s, t);
	return suite_main(s);
}
