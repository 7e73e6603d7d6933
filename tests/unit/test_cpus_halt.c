/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qemu/cpus-halt: a thread whose sleeps were short looks for its kick before it sleeps,
 * unless there are more threads than processors. */
#define _GNU_SOURCE
#include <sys/resource.h>

#include "child.h"

#include "env/alarm.h"
#include "env/clock.h"
#include "env/signal.h"
#include "env/thread.h"
#include "qemu/cpus_accel.h"

enum { US = 1000, MS = 1000 * US, MANY = 10000, PROCESSORS = 2 };

static struct halt_cond h;

static SIGNAL_SAFE void rings(void)
{
	event_set_own(&h.kicked);
}

static void start(void)
{
	halt_init(PROCESSORS);
	alarm_open(rings);
	halt_awake(true);
}

/* Kicks a while after each time it is asked to, until `asked` is below 0. */
static int asked;                        /* _Atomic                           */
static bool by_vcpu = true;

static void *kick(void *after_ns)
{
	static struct cpu vcpu;

	current_cpu = by_vcpu ? &vcpu : NULL;
	for (int want; (want = __atomic_load_n(&asked, __ATOMIC_SEQ_CST)) >= 0; ) {
		s64 from = clock_monotonic_ns();

		if (!want)
			continue;
		__atomic_store_n(&asked, 0, __ATOMIC_SEQ_CST);
		while (clock_monotonic_ns() - from < __atomic_load_n((s64 *)after_ns, __ATOMIC_SEQ_CST))
			;
		halt_wake(&h);
	}
	return NULL;
}

/* How often the thread has given up its processor for as long as it sleeps: until `due`, or
 * until it is kicked. */
static long sleeps(s64 due)
{
	struct rusage before, after;

	halt_clear(&h);
	getrusage(RUSAGE_THREAD, &before);
	if (!due)
		__atomic_store_n(&asked, 1, __ATOMIC_SEQ_CST);
	halt_sleep_until_due(&h, due ? clock_monotonic_ns() + due : 0);
	getrusage(RUSAGE_THREAD, &after);
	return after.ru_nvcsw - before.ru_nvcsw;
}

START_TEST(short_sleeps_teach)
{
	s64 after = 20 * US;
	struct thread other;
	int looked = 0, n;

	start();
	thread_create(&other, "kick", kick, &after);
	ck_assert_int_gt(sleeps(20 * MS), 0);
	ck_assert_int_eq(h.look_us, 0);                  /* its timer teaches nothing */
	for (n = 0; n < MANY && looked < 100; n++)
		looked += sleeps(0) == 0 && h.look_us >= 20;
	ck_assert_int_eq(looked, 100);
	__atomic_store_n(&after, 5 * MS, __ATOMIC_SEQ_CST);
	h.look_us = 100;
	ck_assert_int_gt(sleeps(0), 0);
	ck_assert_int_eq(h.look_us, 0);
	__atomic_store_n(&asked, -1, __ATOMIC_SEQ_CST);
	thread_join(&other);
}
END_TEST

/* Main's kicks, as those of devices' timers, teach nothing, however soon. */
START_TEST(of_vcpus)
{
	s64 after = 20 * US;
	struct thread other;

	start();
	by_vcpu = false;
	thread_create(&other, "kick", kick, &after);
	for (int n = 0; n < 100; n++) {
		sleeps(0);
		ck_assert_int_eq(h.look_us, 0);
	}
	__atomic_store_n(&asked, -1, __ATOMIC_SEQ_CST);
	thread_join(&other);
}
END_TEST

static s64 cpu_ns(const struct rusage *r)
{
	return (r->ru_utime.tv_sec + r->ru_stime.tv_sec) * NS_PER_SEC +
	       (r->ru_utime.tv_usec + r->ru_stime.tv_usec) * US;
}

/* One more is awake than there are processors; or the processor is shared by intent. */
START_TEST(not_when_crowded)
{
	struct rusage before, after;

	start();
	h.look_us = UINT16_MAX;
	if (_i)
		h.idle.gathered = true;
	for (int n = 0; !_i && n < PROCESSORS; n++)
		halt_awake(true);
	getrusage(RUSAGE_THREAD, &before);
	halt_sleep_until_due(&h, clock_monotonic_ns() + 40 * MS);
	getrusage(RUSAGE_THREAD, &after);
	ck_assert_int_lt(cpu_ns(&after) - cpu_ns(&before), 20 * MS);
	ck_assert_int_eq(h.look_us, 0);
}
END_TEST

/* The host may have other work, so it has some attempts. */
START_TEST(a_kick_ends_the_look)
{
	s64 after = 2 * MS, from = 0;
	struct thread other;
	bool ends = false;

	start();
	thread_create(&other, "kick", kick, &after);
	for (int n = 0; n < 100 && !ends; n++) {
		h.look_us = UINT16_MAX;
		from = clock_monotonic_ns();
		ends = sleeps(0) == 0 && clock_monotonic_ns() - from < 40 * MS;
	}
	ck_assert(ends);
	__atomic_store_n(&asked, -1, __ATOMIC_SEQ_CST);
	thread_join(&other);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("qemu/cpus-halt");
	TCase *t = tcase_create("core");

	tcase_set_timeout(t, 30);
	tcase_add_test(t, short_sleeps_teach);
	tcase_add_test(t, of_vcpus);
	tcase_add_loop_test(t, not_when_crowded, 0, 2);
	tcase_add_test(t, a_kick_ends_the_look);
	suite_add_tcase(s, t);
	return suite_main(s);
}
