/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/env/clock.h - host clocks, nanoseconds. */
#ifndef ENV_CLOCK_H
#define ENV_CLOCK_H

#include "env/types.h"

#define NS_PER_SEC 1000000000LL
#define NS_PER_MS 1000000LL

s64 clock_monotonic_ns(void);         /* since an arbitrary point, no jumps */
s64 clock_realtime_ns(void);          /* since 1970-01-01 UTC               */
u64 clock_host_tsc(void);             /* the host's time stamp counter      */
/* The same, cheaper: may be read some instructions too early. For measuring. */
static inline u64 clock_stamp(void)
{
	u32 lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (u64)hi << 32 | lo;
}
/* Its rate is measured from the first call of any of these on. */
void clock_tsc_start(void);
/* Ticks a second: what the first call finds is what all return, to 1 in 10^5 two milliseconds
 * after the start (it waits for these), to 1 in 10^7 half a second after it. */
u64 clock_tsc_hz(void);
/* Nanoseconds that `ticks` of it last, to about 1 in 10000; the first call may
 * take two milliseconds. */
s64 clock_tsc_to_ns(u64 ticks);

struct clock_date { int year, mon, mday, hour, min, sec, wday; };
/* Broken-down UTC (mon 0..11, wday 0 = Sunday) of `sec`; and back. */
void clock_date_from_unix(s64 sec, struct clock_date *d);
s64 clock_date_to_unix(const struct clock_date *d);
/* Seconds that local time is ahead of UTC at `sec`. */
s64 clock_local_offset(s64 sec);

#endif
