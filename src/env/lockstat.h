/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/env/lockstat.h - what is counted and timed of locks, conditions, and other
 * waiting, when -lockstat asks for it.
 *
 * Each thread counts in memory of its own, under no lock; lockstat_merge() adds
 * up. Times are host time stamps until then. While nobody watches each hook is
 * one test of lock_watch, which does not change once there are threads. */
#ifndef ENV_LOCKSTAT_H
#define ENV_LOCKSTAT_H

#include "env/clock.h"
#include "env/lock.h"

/* What is asked for, or'ed together. */
enum { WATCH_STATS = 1, WATCH_TRACE = 2 };
extern u32 lock_watch;
#define lock_watched() __builtin_expect(lock_watch != 0, 0)
/* Before there are other threads, with no lock held. */
void lockstat_enable(u32 what);

/* Kinds of rows. */
enum lockstat_kind {
	STAT_NONE,
	STAT_LOCK,              /* a lock at a site: waited for, held        */
	STAT_COND,              /* a condition at a site: waited for         */
	STAT_IDLE,              /* the same where nothing is to be done      */
	STAT_SECTION,           /* an exclusive section: to stop all, held   */
	STAT_WORK,              /* queued work: its delay, its run           */
	STAT_KICK,              /* from a kick until its target reacted      */
	STAT_DEVICE,            /* an access to a device that takes the BQL  */
	STAT_EVENT,             /* what only happens: a kick, ...            */
};

/* -- hooks ------------------------------------------------------------------ */
/* Those of lock.c. start: when waiting began, 0: it was free. */
struct lock_hold { const char *name; const struct lock_site *site; u64 since, until; };
void lockstat_acquired(const struct lock *l, const struct lock_site *site, u64 start);
void lockstat_held(const struct lock_hold *h);
void lockstat_slept(const struct lock *l, const struct lock_site *site, u64 start);
void lockstat_span(enum lockstat_kind kind, const char *name, u64 start, u64 mid, u64 end);
void lockstat_ran(u32 cpu, u64 start);
void lockstat_kicked(u64 *kick);
void lockstat_reacted(u64 *kick, bool inside);
void lockstat_happened(enum lockstat_kind kind, const char *name, u32 index);

/* A time stamp; 0 when nobody watches. */
static inline u64 lockstat_now(void)
{
	return lock_watched() ? clock_stamp() : 0;
}
/* A section or an item of work ends now: it was asked for at `start`, began at
 * `mid`. `name` lives as long as the program. */
static inline void lockstat_done(enum lockstat_kind kind, const char *name, u64 start,
				 u64 mid)
{
	if (lock_watched() && start && mid)
		lockstat_span(kind, name, start, mid, clock_stamp());
}
/* An idle wait outside of conditions ends now. */
static inline void lockstat_idle(const char *name, u64 start)
{
	if (lock_watched() && start)
		lockstat_span(STAT_IDLE, name, start, clock_stamp(), 0);
}
/* The calling vCPU's thread has been in guest code since `start`. */
static inline void lockstat_guest(u32 cpu, u64 start)
{
	if (lock_watched())
		lockstat_ran(cpu, start);
}
/* A kick is sent; whoever is kicked reacts, `inside` guest code or not. *kick is the
 * time of one that nobody has reacted to, 0: there is none. _Atomic. */
static inline void lockstat_kick(u64 *kick)
{
	if (lock_watched())
		lockstat_kicked(kick);
}
static inline void lockstat_reaction(u64 *kick, bool inside)
{
	if (lock_watched() && __atomic_load_n(kick, __ATOMIC_RELAXED))
		lockstat_reacted(kick, inside);
}
/* `name` has happened, to number `index` of those it may happen to. */
static inline void lockstat_event(const char *name, u32 index)
{
	if (lock_watched())
		lockstat_happened(STAT_EVENT, name, index);
}
/* The device `name` is to be accessed under the BQL. */
static inline void lockstat_device(const char *name)
{
	if (lock_watched())
		lockstat_happened(STAT_DEVICE, name, 0);
}

/* -- the sums ----------------------------------------------------------------- */
struct lockstat_times { u64 n, total_ns, p99_ns, max_ns; };
struct lockstat_sum {
	enum lockstat_kind kind;
	const char *name;
	const struct lock_site *site; /* NULL: the name says it all          */
	u32 index;
	u64 n;
	struct lockstat_times wait;   /* of those that waited; p99: rounded up by
				       * a quarter at most                   */
	struct lockstat_times hold;   /* no p99                              */
};
/* Sums over all threads, as of now, by kind, then name, the most frequent first;
 * *n of them. *lost: what no row had room for. The caller frees them. */
struct lockstat_sum *lockstat_merge(size_t *n, u64 *lost);
/* Of one row's name and index; for tests and small reports. */
u64 lockstat_count(enum lockstat_kind kind, const char *name, u32 index);
/* Since lockstat_enable(); its time stamp. */
s64 lockstat_elapsed_ns(void);
u64 lockstat_begin(void);

#endif
