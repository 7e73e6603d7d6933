/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/env/clock.c - host clocks, and dates of the proleptic Gregorian
 * calendar in UTC. */
#define _GNU_SOURCE
#include "env/clock.h"

#include <time.h>

#include "env/lock.h"

#define SEC_PER_DAY 86400
#define DAYS_PER_ERA 146097            /* 400 years: the calendar repeats    */
#define EPOCH_DAYS 719468              /* 0000-03-01 to 1970-01-01           */

static s64 clock_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return ts.tv_sec * NS_PER_SEC + ts.tv_nsec;
}

s64 clock_monotonic_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

s64 clock_realtime_ns(void)
{
	return clock_ns(CLOCK_REALTIME);
}

/* Not before earlier loads: who learns from another thread that it has read the
 * counter must not get a smaller value. */
u64 clock_host_tsc(void)
{
	u32 lo, hi;

	__asm__ volatile("lfence; rdtsc" : "=a"(lo), "=d"(hi) :: "memory");
	return (u64)hi << 32 | lo;
}

/* The rate is measured against the monotonic clock since the first call. */
enum { TSC_SAMPLE_NS = 2000000, TSC_SAMPLES = 4 };
static s64 tsc_start_ns;               /* _Atomic; 0: not yet               */
static u64 tsc_start;                  /* _Atomic                           */

/* Both clocks at one moment: of some readings the one that took the shortest time. */
static s64 read_both(u64 *tsc)
{
	u64 least = ~0ull;
	s64 ns = 0;

	for (int i = 0; i < TSC_SAMPLES; i++) {
		u64 before = clock_host_tsc();
		s64 now = clock_monotonic_ns();
		u64 took = clock_host_tsc() - before;

		if (took >= least)
			continue;
		least = took;
		ns = now;
		*tsc = before + took / 2;
	}
	return ns;
}

void clock_tsc_start(void)
{
	static struct lock once = LOCK_INIT("tsc_sample", RANK_TSC);
	u64 tsc = 0;

	lock_acquire(&once);
	if (!__atomic_load_n(&tsc_start_ns, __ATOMIC_RELAXED)) {
		s64 ns = read_both(&tsc);

		__atomic_store_n(&tsc_start, tsc, __ATOMIC_RELAXED);
		__atomic_store_n(&tsc_start_ns, ns, __ATOMIC_RELEASE);
	}
	lock_release(&once);
}

u64 clock_tsc_hz(void)
{
	static u64 hz;                 /* _Atomic; 0: not yet               */
	u64 known = __atomic_load_n(&hz, __ATOMIC_RELAXED), tsc = 0, found;
	s64 ns;

	if (known)
		return known;
	clock_tsc_start();
	do
		ns = read_both(&tsc) - __atomic_load_n(&tsc_start_ns, __ATOMIC_RELAXED);
	while (ns < TSC_SAMPLE_NS);
	tsc -= __atomic_load_n(&tsc_start, __ATOMIC_RELAXED);
	found = (u64)((unsigned __int128)tsc * NS_PER_SEC / (u64)ns);
	return __atomic_compare_exchange_n(&hz, &known, found, false, __ATOMIC_RELAXED,
					   __ATOMIC_RELAXED) ? found : known;
}

s64 clock_tsc_to_ns(u64 ticks)
{
	s64 ns;
	u64 tsc;

	if (!__atomic_load_n(&tsc_start_ns, __ATOMIC_ACQUIRE))
		clock_tsc_start();
	do {
		ns = clock_monotonic_ns() - __atomic_load_n(&tsc_start_ns, __ATOMIC_RELAXED);
		tsc = clock_host_tsc() - __atomic_load_n(&tsc_start, __ATOMIC_RELAXED);
	} while (ns < TSC_SAMPLE_NS);
	return (s64)((unsigned __int128)ticks * (u64)ns / tsc);
}

/* -- dates ------------------------------------------------------------------
 * Years are counted from March, so that the leap day is a year's last. Then
 * month m (0 = March) begins on day (153 m + 2) / 5: the 31/30 pattern of
 * five months is 153 days. */

static s64 floor_div(s64 a, s64 b)
{
	return a / b - (a % b < 0);
}

static s64 days_before_year(s64 year)
{
	return year * 365 + floor_div(year, 4) - floor_div(year, 100) +
		floor_div(year, 400);
}

void clock_date_from_unix(s64 sec, struct clock_date *d)
{
	s64 days = floor_div(sec, SEC_PER_DAY);
	int rest = (int)(sec - days * SEC_PER_DAY);
	s64 since_march = days + EPOCH_DAYS;
	s64 year = floor_div(since_march * 400, DAYS_PER_ERA);
	int yday, mon;

	/* The quotient is off by at most one year near a year's end. */
	if (days_before_year(year + 1) <= since_march)
		year++;
	else if (days_before_year(year) > since_march)
		year--;
	yday = (int)(since_march - days_before_year(year));
	mon = (5 * yday + 2) / 153;
	d->mday = yday - (153 * mon + 2) / 5 + 1;
	d->mon = (mon + 2) % 12;
	d->year = (int)year + (mon >= 10);
	d->hour = rest / 3600;
	d->min = rest / 60 % 60;
	d->sec = rest % 60;
	d->wday = (int)(days + 4 - floor_div(days + 4, 7) * 7);
}

s64 clock_date_to_unix(const struct clock_date *d)
{
	int mon = (d->mon + 10) % 12;
	s64 year = d->year - (d->mon < 2);
	s64 days = days_before_year(year) + (153 * mon + 2) / 5 + d->mday - 1 -
		EPOCH_DAYS;

	return ((days * 24 + d->hour) * 60 + d->min) * 60 + d->sec;
}

s64 clock_local_offset(s64 sec)
{
	time_t t = (time_t)sec;
	struct tm tm;

	return localtime_r(&t, &tm) ? tm.tm_gmtoff : 0;
}
