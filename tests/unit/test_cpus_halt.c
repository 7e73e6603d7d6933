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

/* How often the thread has given up its processor for as long as it sleeps; *took: ns. */
static long sleeps(s64 ns, s64 *took)
{
	struct rusage before, after;
	s64 from = clock_monotonic_ns();

	halt_clear(&h);
	getrusage(RUSAGE_THREAD, &before);
	halt_sleep_until_due(&h, ns ? from + ns : 0);
	getrusage(RUSAGE_THREAD, &after);
	*took = clock_monotonic_ns() - from;
	return after.ru_nvcsw - before.ru_nvcsw;
}

START_TEST(short_sleeps_teach)
{
	int slept = 0, n = 0;
	s64 took;

	start();
	ck_assert_int_gt(sleeps(20 * US, &took), 0);
	while (h.look_ns < 20 * US && n++ < MANY)
		sleeps(20 * US, &took);
	ck_assert_int_ge(h.look_ns, 20 * US);
	for (n = 0; n < 100; n++) {
		if (h.look_ns < 20 * US)                /* the host had other work */
			continue;
		slept += sleeps(20 * US, &took) > 0;
		ck_assert_int_ge(took, 20 * US);
	}
	ck_assert_int_lt(slept, 20);
	ck_assert_int_gt(sleeps(5 * MS, &took), 0);
	ck_assert_int_eq(h.look_ns, 0);
}
END_TEST

/* One more is awake than there are processors; or the processor is shared by intent. */
START_TEST(not_when_crowded)
{
	s64 took;

	start();
	h.look_ns = NS_PER_SEC;
	if (_i)
		h.idle.gathered = true;
	for (int n = 0; !_i && n < PROCESSORS; n++)
		halt_awake(true);
	ck_assert_int_gt(sleeps(2 * MS, &took), 0);
	h.look_ns = NS_PER_SEC;
	h.idle.gathered = false;
	if (!_i)
		halt_awake(false);
	ck_assert_int_eq(sleeps(2 * MS, &took), 0);
}
END_TEST

static void *kick(void *arg)
{
	s64 from = clock_monotonic_ns();

	(void)arg;
	while (clock_monotonic_ns() - from < 2 * MS)
		;
	halt_wake(&h);
	return NULL;
}

START_TEST(a_kick_ends_the_look)
{
	struct thread other;
	s64 took;

	start();
	h.look_ns = 20 * NS_PER_SEC;
	thread_create(&other, "kick", kick, NULL);
	ck_assert_int_eq(sleeps(0, &took), 0);
	ck_assert_int_lt(took, 10 * NS_PER_SEC);
	thread_join(&other);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("qemu/cpus-halt");
	TCase *t = tcase_create("core");

	tcase_set_timeout(t, 30);
	tcase_add_test(t, short_sleeps_teach);
	tcase_add_loop_test(t, not_when_crowded, 0, 2);
	tcase_add_test(t, a_kick_ends_the_look);
	suite_add_tcase(s, t);
	return suite_main(s);
}
