/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/env/lock.c - pthread locks with a name, a rank and an owner.
 *
 * The owner is kept in every build: it costs one store, and makes recursion
 * an error message instead of a silent hang. MODE=dbg (LOCKDEP) also keeps
 * each thread's held locks as a list (`held`, linked by lock->outer) and
 * checks a new lock against all of them: its rank must be the highest, and
 * among equal ranks its address. tryacquire cannot wait, hence cannot close a
 * cycle: it skips that check, as page_collection_lock relies on.
 *
 * The functions that implement the annotations are UNCHECKED: clang sees no
 * capability in a pthread mutex. */
#define _GNU_SOURCE
#include "env/lock.h"

#include <errno.h>
#include <time.h>

#include "env/clock.h"
#include "env/lockstat.h"
#include "env/log.h"
#include "env/thread.h"

struct lock bql = LOCK_INIT("bql", RANK_BQL);
struct thread_role vcpu_thread;

static _Thread_local struct thread_role *role;

/* -- who holds what --------------------------------------------------------- */

#ifdef LOCKDEP
static _Thread_local struct lock *held;

static bool ordered(const struct lock *outer, const struct lock *inner)
{
	if (outer->rank != inner->rank)
		return outer->rank < inner->rank;
	return outer < inner;
}

static void check_order(const struct lock *l, const struct lock_site *site)
{
	for (const struct lock *h = held; h; h = h->outer)
		if (!ordered(h, l))
			bug("lock order: %s (rank %d) taken at %s:%d while "
			    "holding %s (rank %d) taken at %s:%d",
			    l->name, l->rank, site->file, site->line,
			    h->name, h->rank, h->site->file, h->site->line);
}

static void held_push(struct lock *l)
{
	l->outer = held;
	held = l;
}

/* Locks need not be released in the order they were taken. */
static void held_remove(struct lock *l)
{
	struct lock **p = &held;

	while (*p != l)
		p = &(*p)->outer;
	*p = l->outer;
	l->outer = NULL;
}
#else
static void check_order(const struct lock *l, const struct lock_site *site)
{
	(void)l;
	(void)site;
}

static void held_push(struct lock *l)
{
	(void)l;
}

static void held_remove(struct lock *l)
{
	(void)l;
}
#endif

static void set_owner(struct lock *l, u32 owner)
{
	__atomic_store_n(&l->owner, owner, __ATOMIC_RELAXED);
}

/* Another thread may be changing the owner; it never becomes or ceases to be
 * this thread meanwhile, which is all that is asked. */
bool lock_held(const struct lock *l)
{
	return __atomic_load_n(&l->owner, __ATOMIC_RELAXED) == thread_id();
}

static void check_recursion(const struct lock *l, const struct lock_site *site)
{
	if (__builtin_expect(lock_held(l), 0))
		bug("lock %s taken again at %s:%d, already held since %s:%d",
		    l->name, site->file, site->line, l->site->file,
		    l->site->line);
}

static void acquired(struct lock *l, const struct lock_site *site)
{
	set_owner(l, thread_id());
	l->site = site;
	held_push(l);
}

static void releasing(struct lock *l)
{
	if (__builtin_expect(!lock_held(l), 0))
		bug("lock %s released by a thread that does not hold it",
		    l->name);
	held_remove(l);
	set_owner(l, 0);
}

/* -- locks ------------------------------------------------------------------ */

void lock_init(struct lock *l, const char *name, int rank)
{
	*l = (struct lock){ .name = name, .rank = rank };
	pthread_mutex_init(&l->mutex, NULL);
}

void lock_destroy(struct lock *l)
{
	ASSERT(!__atomic_load_n(&l->owner, __ATOMIC_RELAXED));
	pthread_mutex_destroy(&l->mutex);
}

/* While somebody watches (env/lockstat.h): one that has to be waited for is one
 * that could not be taken at once. */
static UNCHECKED void acquire_watched(struct lock *l, const struct lock_site *site)
{
	u64 start = 0;

	if (pthread_mutex_trylock(&l->mutex)) {
		start = clock_stamp();
		pthread_mutex_lock(&l->mutex);
	}
	l->since = clock_stamp();
	lockstat_acquired(l, site, start);
}

UNCHECKED void lock_acquire_at(struct lock *l, const struct lock_site *site)
{
	check_recursion(l, site);
	check_order(l, site);
	if (lock_watched())
		acquire_watched(l, site);
	else
		pthread_mutex_lock(&l->mutex);
	acquired(l, site);
}

UNCHECKED bool lock_tryacquire_at(struct lock *l, const struct lock_site *site)
{
	check_recursion(l, site);
	if (pthread_mutex_trylock(&l->mutex))
		return false;
	if (lock_watched()) {
		l->since = clock_stamp();
		lockstat_acquired(l, site, 0);
	}
	acquired(l, site);
	return true;
}

/* Once it is free the lock may be gone: what is to be counted is copied. */
static UNCHECKED void release_watched(struct lock *l)
{
	struct lock_hold h = { l->name, l->site, l->since, clock_stamp() };

	releasing(l);
	pthread_mutex_unlock(&l->mutex);
	lockstat_held(&h);
}

UNCHECKED void lock_release(struct lock *l)
{
	if (lock_watched()) {
		release_watched(l);
		return;
	}
	releasing(l);
	pthread_mutex_unlock(&l->mutex);
}

UNCHECKED void lock_assert_held(struct lock *l)
{
	if (!lock_held(l))
		bug("lock %s is not held", l->name);
}

/* -- condition variables ---------------------------------------------------- */

void cond_init(struct cond *c)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&c->c, &attr);
	pthread_condattr_destroy(&attr);
	__atomic_store_n(&c->ready, 1, __ATOMIC_RELEASE);
}

/* A static condition is initialised by its first waiter, who holds the lock.
 * A signaller that still sees it unready changed what is waited for before
 * the waiter took the lock, so that nobody can be asleep. */
static bool is_ready(struct cond *c)
{
	return __atomic_load_n(&c->ready, __ATOMIC_ACQUIRE);
}

/* The lock is not this thread's while it sleeps. */
struct sleep { const struct lock_site *taken, *at; u64 start; };

static void before_wait(struct sleep *s, struct cond *c, struct lock *l,
			const struct lock_site *at)
{
	*s = (struct sleep){ l->site, at, 0 };
	if (!is_ready(c))
		cond_init(c);
	if (lock_watched()) {
		s->start = clock_stamp();
		lockstat_held(&(struct lock_hold){ l->name, l->site, l->since, s->start });
	}
	releasing(l);
	check_order(l, l->site);
}

static void after_wait(const struct sleep *s, struct lock *l)
{
	if (lock_watched()) {
		l->since = clock_stamp();
		lockstat_slept(l, s->at, s->start);
	}
	acquired(l, s->taken);
}

void cond_wait_at(struct cond *c, struct lock *l, const struct lock_site *site)
{
	struct sleep s;

	before_wait(&s, c, l, site);
	pthread_cond_wait(&c->c, &l->mutex);
	after_wait(&s, l);
}

bool cond_timedwait_at(struct cond *c, struct lock *l, s64 ns,
		       const struct lock_site *site)
{
	s64 end = clock_monotonic_ns() + MAX(ns, 0);
	struct timespec ts = { end / NS_PER_SEC, end % NS_PER_SEC };
	struct sleep s;
	int err;

	before_wait(&s, c, l, site);
	err = pthread_cond_timedwait(&c->c, &l->mutex, &ts);
	after_wait(&s, l);
	return err != ETIMEDOUT;
}

void cond_signal(struct cond *c)
{
	if (is_ready(c))
		pthread_cond_signal(&c->c);
}

void cond_broadcast(struct cond *c)
{
	if (is_ready(c))
		pthread_cond_broadcast(&c->c);
}

/* -- thread roles ----------------------------------------------------------- */

UNCHECKED void thread_role_enter(struct thread_role *r)
{
	ASSERT(!role);
	role = r;
}

UNCHECKED void thread_role_leave(struct thread_role *r)
{
	ASSERT(role == r);
	role = NULL;
}

UNCHECKED void thread_role_assert(struct thread_role *r)
{
	if (role != r)
		bug("thread %s is not in the role this code needs",
		    thread_name());
}
