/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qemu/timer: the virtual clock stands still while the machine does, and its
 * timers with it. The main loop is the real one. */
#include "child.h"
#include "env/clock.h"
#include "qemu/timer.h"

static int fired;
static s64 fired_at;

static void fire(void *opaque)
{
	fired = fired * 10 + *(const int *)opaque;
	fired_at = qemu_clock_get_ns();
}

static void setup(void)
{
	main_loop_init();
	bql_lock();
}

static void nothing(void *opaque)
{
	(void)opaque;
}

/* Turn the loop for that long. */
static void turn(s64 ms)
{
	s64 until = clock_monotonic_ns() + ms * NS_PER_MS;
	struct poll_timer end;

	poll_timer_init(&end, nothing, NULL);
	poll_timer_mod(&end, until);
	while (clock_monotonic_ns() < until)
		main_loop_wait();
	poll_timer_del(&end);
}

START_TEST(stands_still_until_enabled)
{
	s64 a = qemu_clock_get_ns();

	turn(5);
	ck_assert_int_eq(qemu_clock_get_ns(), a);
	qemu_clock_enable(true);
	turn(5);
	a = qemu_clock_get_ns();
	ck_assert_int_ge(a, 5 * NS_PER_MS);
	qemu_clock_enable(false);
	a = qemu_clock_get_ns();
	turn(5);
	ck_assert_int_eq(qemu_clock_get_ns(), a);
	qemu_clock_enable(false);
	ck_assert_int_eq(qemu_clock_get_ns(), a);
	qemu_clock_enable(true);
	ck_assert_int_lt(qemu_clock_get_ns() - a, 5 * NS_PER_MS);
}
END_TEST

START_TEST(timers_wait_for_the_clock)
{
	struct timer t;
	int id = 1;

	timer_init_ns(&t, fire, &id);
	ck_assert(!timer_pending(&t));
	timer_mod_ns(&t, 10 * NS_PER_MS);
	ck_assert(timer_pending(&t));
	turn(15);
	ck_assert(timer_pending(&t));
	qemu_clock_enable(true);
	turn(4);
	qemu_clock_enable(false);
	turn(15);
	ck_assert(timer_pending(&t));
	qemu_clock_enable(true);
	turn(20);
	ck_assert(!timer_pending(&t));
	ck_assert_int_ge(fired_at, 10 * NS_PER_MS);
}
END_TEST

START_TEST(order_and_deletion)
{
	struct timer t[4];
	int id[4] = { 1, 2, 3, 4 };

	qemu_clock_enable(true);
	for (int i = 0; i < 4; i++) {
		timer_init_ns(&t[i], fire, &id[i]);
		timer_mod_ns(&t[i], (5 - i) * NS_PER_MS);
	}
	timer_del(&t[1]);
	timer_del(&t[1]);
	timer_mod_ns(&t[3], 20 * NS_PER_MS);
	turn(40);
	for (int i = 0; i < 4; i++)
		ck_assert(!timer_pending(&t[i]));
	ck_assert_int_eq(fired, 314);
}
END_TEST

START_TEST(multiply_and_divide)
{
	ck_assert_uint_eq(muldiv64(~0ull, 1000000000, 1000000000), ~0ull);
	ck_assert_uint_eq(muldiv64(3600ull * 1000000000, 1193182, 1000000000),
			  4295455200ull);
	for (u64 a = 1; a < 1ull << 62; a = a * 3 + (a >> 7)) {
		ck_assert_uint_eq(muldiv64(a, 1193182, 1000000000),
				  (u64)((unsigned __int128)a * 1193182 / 1000000000));
		ck_assert_uint_eq(muldiv64(a, ~0u, ~0u - 1),
				  (u64)((unsigned __int128)a * ~0u / (~0u - 1)));
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("qemu/timer");
	TCase *t = tcase_create("timer");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, stands_still_until_enabled);
	tcase_add_test(t, timers_wait_for_the_clock);
	tcase_add_test(t, order_and_deletion);
	tcase_add_test(t, multiply_and_divide);
	suite_add_tcase(s, t);
	return suite_main(s);
}
