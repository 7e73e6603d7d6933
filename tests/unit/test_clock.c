/* SPDX-License-Identifier: GPL-2.0-or-later */
/* env/clock: clocks go forward; dates against the C library's. */
#include <check.h>
#include <time.h>

#include "child.h"
#include "env/clock.h"

START_TEST(clocks_go_forward)
{
	s64 mono = clock_monotonic_ns(), real = clock_realtime_ns();
	u64 tsc = clock_host_tsc();

	for (int i = 0; i < 1000; i++) {
		s64 next = clock_monotonic_ns();

		ck_assert_int_ge(next, mono);
		mono = next;
	}
	ck_assert_uint_gt(clock_host_tsc(), tsc);
	/* Later than this was written, and within two seconds of time(2). */
	ck_assert_int_gt(real / NS_PER_SEC, 1700000000);
	ck_assert_int_le(llabs(real / NS_PER_SEC - time(NULL)), 2);
}
END_TEST

/* The rate is what ticks last, and does not change; the clock beside it is read apart,
 * so that the host may come between. */
START_TEST(tells_the_counters_rate)
{
	u64 hz = clock_tsc_hz(), want, off;
	int tries = 100;

	do {
		want = (u64)NS_PER_SEC * NS_PER_SEC / (u64)clock_tsc_to_ns(NS_PER_SEC);
		off = hz > want ? hz - want : want - hz;
	} while (off > want / 10000 && --tries);
	ck_assert_uint_le(off, want / 10000);
	ck_assert_uint_eq(clock_tsc_hz(), hz);
}
END_TEST

static void check_date(s64 sec)
{
	struct clock_date d;
	time_t t = sec;
	struct tm tm;

	ck_assert_ptr_nonnull(gmtime_r(&t, &tm));
	clock_date_from_unix(sec, &d);
	ck_assert_int_eq(d.year, tm.tm_year + 1900);
	ck_assert_int_eq(d.mon, tm.tm_mon);
	ck_assert_int_eq(d.mday, tm.tm_mday);
	ck_assert_int_eq(d.hour, tm.tm_hour);
	ck_assert_int_eq(d.min, tm.tm_min);
	ck_assert_int_eq(d.sec, tm.tm_sec);
	ck_assert_int_eq(d.wday, tm.tm_wday);
	ck_assert_int_eq(clock_date_to_unix(&d), sec);
}

/* First and last second of every day from 1580 to 2420. */
START_TEST(every_day_of_two_eras)
{
	const s64 day = 86400, first = -142440, last = 164359;

	for (s64 i = first; i <= last; i++) {
		check_date(i * day);
		check_date(i * day + day - 1);
	}
}
END_TEST

START_TEST(known_dates)
{
	static const struct { s64 sec; struct clock_date d; } rows[] = {
		{ 0, { 1970, 0, 1, 0, 0, 0, 4 } },
		{ -1, { 1969, 11, 31, 23, 59, 59, 3 } },
		{ 951782400, { 2000, 1, 29, 0, 0, 0, 2 } },
		{ 4107542399, { 2100, 1, 28, 23, 59, 59, 0 } },
		{ 2147483648, { 2038, 0, 19, 3, 14, 8, 2 } },
	};
	struct clock_date d;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		clock_date_from_unix(rows[i].sec, &d);
		ck_assert_mem_eq(&d, &rows[i].d, sizeof(d));
		ck_assert_int_eq(clock_date_to_unix(&d), rows[i].sec);
	}
}
END_TEST

/* The RTC sets one field at a time: a field past its end carries over. */
START_TEST(days_carry_over)
{
	struct clock_date d = { 2023, 1, 31, 0, 0, 0, 0 };
	struct clock_date march = { 2023, 2, 3, 0, 0, 0, 0 };

	ck_assert_int_eq(clock_date_to_unix(&d), clock_date_to_unix(&march));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("env/clock");
	TCase *t = tcase_create("clock");

	tcase_set_timeout(t, 30);
	tcase_add_test(t, clocks_go_forward);
	tcase_add_test(t, tells_the_counters_rate);
	tcase_add_test(t, every_day_of_two_eras);
	tcase_add_test(t, known_dates);
	tcase_add_test(t, days_carry_over);
	suite_add_tcase(s, t);
	return suite_main(s);
}
