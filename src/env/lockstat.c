/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/env/lockstat.c - counts and times of locks and other waiting.
 *
 * A thread has a table of rows, found by hashing what is counted. Only the thread
 * writes it, by relaxed stores, so that another may add up meanwhile. The memory
 * is bounded: ROWS rows a thread, MAX_THREADS threads; what finds no room is
 * counted as lost. Waiting times are put into classes, four to each power of two,
 * from which the 99th percentile is taken. */
#include "env/lockstat.h"

#include <stdlib.h>
#include <string.h>

#include "env/locktrace.h"
#include "env/log.h"
#include "env/map.h"

enum { ROWS = 256, CLASSES = 192, MAX_THREADS = 64 };

/* A cache line; what is seldom needed stands apart. */
struct row {
	u32 kind;                     /* _Atomic; last to be written, 0: free */
	u32 index;
	const char *name;
	const struct lock_site *site;
	u64 n, hold_n, hold_total, hold_max;
	struct wait *wait;
};
struct wait { u64 n, total, max; u32 class[CLASSES]; };

struct table {
	struct row row[ROWS];
	struct wait wait[ROWS];
	struct table *next;
	u64 lost;
};

u32 lock_watch;

static struct table *tables;          /* _Atomic                             */
static u32 n_tables;                  /* _Atomic                             */
static u64 lost_threads;              /* _Atomic; counts of threads without  */
static s64 enabled_ns;
static u64 enabled_at;
static _Thread_local struct table *mine;

#define ADD(x, v) __atomic_store_n(&(x), (x) + (v), __ATOMIC_RELAXED)
#define PUT(x, v) __atomic_store_n(&(x), (v), __ATOMIC_RELAXED)
#define GET(x) __atomic_load_n(&(x), __ATOMIC_RELAXED)

void lockstat_enable(u32 what)
{
	if (!enabled_ns) {
		enabled_ns = clock_monotonic_ns();
		enabled_at = clock_stamp();
	}
	clock_tsc_to_ns(0);           /* it measures from its first call     */
	lock_watch |= what;
}

s64 lockstat_elapsed_ns(void)
{
	return clock_monotonic_ns() - enabled_ns;
}

u64 lockstat_begin(void)
{
	return enabled_at;
}

static bool tracing(void)
{
	return lock_watch & WATCH_TRACE;
}

/* -- counting ------------------------------------------------------------------- */

static struct table *table_new(void)
{
	struct table *t;

	if (__atomic_add_fetch(&n_tables, 1, __ATOMIC_RELAXED) > MAX_THREADS)
		return NULL;
	t = map_anon(NULL, sizeof(*t), false);
	if (!t)
		return NULL;
	t->next = GET(tables);
	while (!__atomic_compare_exchange_n(&tables, &t->next, t, false, __ATOMIC_RELEASE,
					    __ATOMIC_RELAXED))
		;
	return t;
}

static u32 row_hash(enum lockstat_kind kind, const char *name,
		    const struct lock_site *site, u32 index)
{
	u64 key = (site ? (u64)(uintptr_t)site : (u64)(uintptr_t)name) + index * 64 + kind;

	return (u32)(key * 0x9e3779b97f4a7c15ull >> 56);
}

static bool row_is(const struct row *r, enum lockstat_kind kind, const char *name,
		   const struct lock_site *site, u32 index)
{
	return r->site == site && r->name == name && r->kind == kind && r->index == index;
}

/* Counts in vain when there is no room. */
static struct row *row_find(enum lockstat_kind kind, const char *name,
			    const struct lock_site *site, u32 index)
{
	u32 h = row_hash(kind, name, site, index);

	if (!mine)
		mine = table_new();
	if (!mine) {
		__atomic_fetch_add(&lost_threads, 1, __ATOMIC_RELAXED);
		return NULL;
	}
	for (u32 i = 0; i < ROWS; i++) {
		struct row *r = &mine->row[(h + i) % ROWS];

		if (row_is(r, kind, name, site, index))
			return r;
		if (r->kind)
			continue;
		r->name = name;
		r->site = site;
		r->index = index;
		r->wait = &mine->wait[r - mine->row];
		__atomic_store_n(&r->kind, kind, __ATOMIC_RELEASE);
		return r;
	}
	ADD(mine->lost, 1);
	return NULL;
}

static u32 class_of(u64 ticks)
{
	u32 top;

	if (ticks < 4)
		return (u32)ticks;
	top = 63 - (u32)__builtin_clzll(ticks);
	return MIN((top - 1) * 4 + (u32)(ticks >> (top - 2) & 3), (u32)CLASSES - 1);
}

/* The largest value of a class. */
static u64 class_end(u32 c)
{
	return c < 4 ? c : ((u64)(c % 4 + 5) << (c / 4 - 1)) - 1;
}

static void row_wait(struct row *r, u64 ticks)
{
	struct wait *w = r->wait;
	u32 c = class_of(ticks);

	ADD(w->n, 1);
	ADD(w->total, ticks);
	if (ticks > w->max)
		PUT(w->max, ticks);
	ADD(w->class[c], 1);
}

static void row_hold(struct row *r, u64 ticks)
{
	ADD(r->hold_n, 1);
	ADD(r->hold_total, ticks);
	if (ticks > r->hold_max)
		PUT(r->hold_max, ticks);
}

/* Time stamps of two cores may differ by little. */
static u64 between(u64 start, u64 end)
{
	return end > start ? end - start : 0;
}

void lockstat_acquired(const struct lock *l, const struct lock_site *site, u64 start)
{
	struct row *r = row_find(STAT_LOCK, l->name, site, 0);

	if (start && tracing())
		locktrace_span(TRACE_WAIT, l->name, start, l->since);
	if (!r)
		return;
	ADD(r->n, 1);
	if (start)
		row_wait(r, between(start, l->since));
}

void lockstat_held(const struct lock_hold *h)
{
	struct row *r;

	if (!h->since)                /* taken before somebody watched       */
		return;
	if (tracing() && h->name == bql.name)
		locktrace_span(TRACE_HOLD, h->name, h->since, h->until);
	r = row_find(STAT_LOCK, h->name, h->site, 0);
	if (r)
		row_hold(r, between(h->since, h->until));
}

void lockstat_slept(const struct lock *l, const struct lock_site *site, u64 start)
{
	struct row *r = row_find(STAT_COND, l->name, site, 0);

	if (tracing())
		locktrace_span(TRACE_WAIT, site->what, start, l->since);
	if (!r)
		return;
	ADD(r->n, 1);
	row_wait(r, between(start, l->since));
}

static void trace(enum lockstat_kind kind, const char *name, u64 start, u64 mid, u64 end)
{
	if (kind == STAT_SECTION) {
		locktrace_span(TRACE_STOP, name, start, mid);
		locktrace_span(TRACE_SECTION, name, mid, end);
	} else if (kind == STAT_WORK) {
		locktrace_span(TRACE_WORK, name, mid, end);
	} else if (kind == STAT_IDLE) {
		locktrace_span(TRACE_IDLE, name, start, mid);
	}
}

void lockstat_span(enum lockstat_kind kind, const char *name, u64 start, u64 mid, u64 end)
{
	struct row *r = row_find(kind, name, NULL, 0);

	if (tracing())
		trace(kind, name, start, mid, end);
	if (!r)
		return;
	ADD(r->n, 1);
	row_wait(r, between(start, mid));
	if (end)
		row_hold(r, between(mid, end));
}

void lockstat_happened(enum lockstat_kind kind, const char *name, u32 index)
{
	struct row *r = row_find(kind, name, NULL, index);

	if (r)
		ADD(r->n, 1);
}

void lockstat_ran(u32 cpu, u64 start)
{
	if (tracing())
		locktrace_span(TRACE_GUEST, NULL, start, clock_stamp());
	lockstat_happened(STAT_EVENT, "left cpu_exec, vCPU", cpu);
}

/* An arrow's name: its time and its target. */
static u64 kick_name(const u64 *kick, u64 sent)
{
	return sent ^ (u64)(uintptr_t)kick << 32;
}

/* Needed: none is on its way already. */
void lockstat_kicked(u64 *kick)
{
	u64 now = clock_stamp(), none = 0;

	lockstat_happened(STAT_EVENT, "kick sent", 0);
	if (!__atomic_compare_exchange_n(kick, &none, now, false, __ATOMIC_RELAXED,
					 __ATOMIC_RELAXED))
		return;
	lockstat_happened(STAT_EVENT, "kick needed", 0);
	if (tracing())
		locktrace_point(TRACE_KICK, now, kick_name(kick, now));
}

void lockstat_reacted(u64 *kick, bool inside)
{
	u64 sent = __atomic_exchange_n(kick, 0, __ATOMIC_RELAXED), now = clock_stamp();

	if (!sent)
		return;
	now = MAX(now, sent);
	lockstat_span(STAT_KICK, "kick to reaction", sent, now, 0);
	if (tracing())
		locktrace_point(inside ? TRACE_REACTION_INSIDE : TRACE_REACTION, now,
				kick_name(kick, sent));
}

/* -- adding up -------------------------------------------------------------------- */

/* A sum under way: times are ticks still. */
struct merged { struct lockstat_sum sum; u64 class[CLASSES]; };
struct merge { struct merged *m; size_t n, max; };

static bool same(const struct lockstat_sum *s, const struct row *r)
{
	return s->kind == r->kind && s->index == r->index && s->site == r->site &&
	       !strcmp(s->name, r->name);
}

static struct merged *merged_find(struct merge *all, const struct row *r)
{
	struct merged *m;

	for (m = all->m; m < all->m + all->n; m++)
		if (same(&m->sum, r))
			return m;
	if (all->n == all->max) {
		all->max = all->max ? 2 * all->max : 64;
		all->m = realloc(all->m, all->max * sizeof(*all->m));
		if (!all->m)
			die("out of memory");
	}
	m = &all->m[all->n++];
	*m = (struct merged){ .sum = { .kind = r->kind, .name = r->name, .site = r->site,
				       .index = r->index } };
	return m;
}

static void merge_row(struct merge *all, const struct row *r)
{
	struct merged *m = merged_find(all, r);
	struct lockstat_sum *s = &m->sum;

	s->n += GET(r->n);
	s->wait.n += GET(r->wait->n);
	s->wait.total_ns += GET(r->wait->total);
	s->wait.max_ns = MAX(s->wait.max_ns, GET(r->wait->max));
	s->hold.n += GET(r->hold_n);
	s->hold.total_ns += GET(r->hold_total);
	s->hold.max_ns = MAX(s->hold.max_ns, GET(r->hold_max));
	for (u32 c = 0; c < CLASSES; c++)
		m->class[c] += GET(r->wait->class[c]);
}

static u64 percentile(const struct merged *m)
{
	u64 all = 0, n = 0;

	for (u32 c = 0; c < CLASSES; c++)
		all += m->class[c];
	for (u32 c = 0; c < CLASSES; c++) {
		n += m->class[c];
		if (n && n >= all - all / 100)
			return MIN(class_end(c), m->sum.wait.max_ns);
	}
	return 0;
}

/* At one rate for all, as each measurement of it is a little different. */
static u64 scale(u64 ticks, u64 ns_per_2_30)
{
	return (u64)((unsigned __int128)ticks * ns_per_2_30 >> 30);
}

static void to_ns(struct lockstat_times *t, u64 rate)
{
	t->total_ns = scale(t->total_ns, rate);
	t->p99_ns = scale(t->p99_ns, rate);
	t->max_ns = scale(t->max_ns, rate);
}

static int by_kind(const void *x, const void *y)
{
	const struct lockstat_sum *a = x, *b = y;
	int d = (int)a->kind - (int)b->kind;

	if (!d && a->kind == STAT_EVENT)
		d = strcmp(a->name, b->name);
	if (!d && a->kind == STAT_EVENT)
		d = (a->index > b->index) - (a->index < b->index);
	if (!d)
		d = (a->n < b->n) - (a->n > b->n);
	return d ? d : strcmp(a->name, b->name);
}

static void merge_tables(struct merge *all, u64 *lost)
{
	*lost = GET(lost_threads);
	for (struct table *t = __atomic_load_n(&tables, __ATOMIC_ACQUIRE); t; t = t->next) {
		*lost += GET(t->lost);
		for (int i = 0; i < ROWS; i++)
			if (__atomic_load_n(&t->row[i].kind, __ATOMIC_ACQUIRE))
				merge_row(all, &t->row[i]);
	}
}

struct lockstat_sum *lockstat_merge(size_t *n, u64 *lost)
{
	u64 rate = (u64)clock_tsc_to_ns(1ull << 30);
	struct merge all = { NULL, 0, 0 };
	struct lockstat_sum *sums;

	merge_tables(&all, lost);
	sums = calloc(all.n + 1, sizeof(*sums));
	if (!sums)
		die("out of memory");
	for (size_t i = 0; i < all.n; i++) {
		all.m[i].sum.wait.p99_ns = percentile(&all.m[i]);
		sums[i] = all.m[i].sum;
		to_ns(&sums[i].wait, rate);
		to_ns(&sums[i].hold, rate);
	}
	*n = all.n;
	free(all.m);
	qsort(sums, *n, sizeof(*sums), by_kind);
	return sums;
}

u64 lockstat_count(enum lockstat_kind kind, const char *name, u32 index)
{
	size_t n;
	u64 lost, count = 0;
	struct lockstat_sum *s = lockstat_merge(&n, &lost);

	for (size_t i = 0; i < n; i++)
		if (s[i].kind == kind && s[i].index == index && !strcmp(s[i].name, name))
			count += s[i].n;
	free(s);
	return count;
}
