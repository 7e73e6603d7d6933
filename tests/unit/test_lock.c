/* SPDX-License-Identifier: GPL-2.0-or-later */
/* env/lock: owners, recursion, order, conditions, roles. row-01: misuse stops
 * with both places. */
#include <check.h>
#include <string.h>

#include "child.h"
#include "env/clock.h"
#include "env/lock.h"
#include "env/thread.h"

/* The tests break the rules on purpose; clang need not see them. */
static struct lock outer = LOCK_INIT("outer", RANK_CPU_LIST);
static struct lock inner = LOCK_INIT("inner", RANK_PAGE);
static struct lock twins[2] = {
	LOCK_INIT("twin 0", RANK_PAGE), LOCK_INIT("twin 1", RANK_PAGE),
};

START_TEST(owner_is_recorded)
{
	ck_assert(!lock_held(&outer));
	lock_acquire(&outer);
	ck_assert(lock_held(&outer));
	ck_assert_uint_eq(outer.owner, thread_id());
	lock_assert_held(&outer);
	lock_release(&outer);
	ck_assert(!lock_held(&outer));
}
END_TEST

static void *try_outer(void *arg)
{
	bool *held = arg;
	bool got = lock_tryacquire(&outer);

	*held = lock_held(&outer);
	if (got)
		lock_release(&outer);
	return got ? arg : NULL;
}

START_TEST(another_thread_is_kept_out)
{
	struct thread t;
	bool held = true;

	lock_acquire(&outer);
	thread_create(&t, "other", try_outer, &held);
	ck_assert_ptr_null(thread_join(&t));
	ck_assert(!held);
	lock_release(&outer);
	thread_create(&t, "other", try_outer, &held);
	ck_assert_ptr_nonnull(thread_join(&t));
	ck_assert(held);
}
END_TEST

START_TEST(init_and_destroy)
{
	struct lock l;

	lock_init(&l, "local", RANK_TLB);
	ck_assert_str_eq(l.name, "local");
	ck_assert_int_eq(l.rank, RANK_TLB);
	lock_acquire(&l);
	lock_release(&l);
	lock_destroy(&l);
}
END_TEST

static int counter GUARDED_BY(outer);

static void *count_up(void *arg)
{
	(void)arg;
	for (int i = 0; i < 10000; i++) {
		lock_acquire(&outer);
		counter++;
		lock_release(&outer);
	}
	return NULL;
}

START_TEST(threads_exclude_each_other)
{
	struct thread t[3];

	for (int i = 0; i < 3; i++)
		thread_create(&t[i], "count", count_up, NULL);
	for (int i = 0; i < 3; i++)
		thread_join(&t[i]);
	lock_acquire(&outer);
	ck_assert_int_eq(counter, 30000);
	lock_release(&outer);
}
END_TEST

/* -- misuse ------------------------------------------------------------------ */

static void take_twice(void)
{
	lock_acquire(&outer);
	lock_acquire(&outer);
}

static void try_own(void)
{
	lock_acquire(&outer);
	lock_tryacquire(&outer);
}

static void release_free(void)
{
	lock_release(&outer);
}

static void assert_free(void)
{
	lock_assert_held(&inner);
}

static void wait_free(void)
{
	struct cond c = COND_INIT;

	cond_wait(&c, &inner);
}

START_TEST(misuse_is_fatal)
{
	child_bug(take_twice, "outer", "test_lock.c");
	child_bug(try_own, "outer", "test_lock.c");
	child_bug(release_free, "outer", "does not hold");
	child_bug(assert_free, "inner", "not held");
	child_bug(wait_free, "inner", "does not hold");
}
END_TEST

/* -- order (MODE=dbg) -------------------------------------------------------- */

static void in_order(void)
{
	lock_acquire(&outer);
	lock_acquire(&inner);
	lock_release(&outer);          /* not the innermost first            */
	lock_release(&inner);
	lock_acquire(&twins[0]);
	lock_acquire(&twins[1]);
	lock_release(&twins[0]);
	lock_release(&twins[1]);
	lock_acquire(&twins[1]);       /* trying may go against the order    */
	if (lock_tryacquire(&twins[0]))
		lock_release(&twins[0]);
	lock_release(&twins[1]);
}

START_TEST(right_order_passes)
{
	child_exit(in_order, 0);
}
END_TEST

#ifdef LOCKDEP
static void against_rank(void)
{
	lock_acquire(&inner);
	lock_acquire(&outer);
}

static void against_address(void)
{
	lock_acquire(&twins[1]);
	lock_acquire(&twins[0]);
}

/* The last lock taken has a low rank; the check looks at all that are held. */
static void behind_try(void)
{
	static struct lock last = LOCK_INIT("last", RANK_TLB);

	lock_acquire(&last);
	if (lock_tryacquire(&outer))
		lock_acquire(&inner);
}

static void wait_inside(void)
{
	struct cond c = COND_INIT;

	lock_acquire(&outer);
	lock_acquire(&inner);
	cond_timedwait(&c, &outer, 1);
}

START_TEST(wrong_order_aborts)
{
	struct child c = child_run(against_rank);
	const char *site = strstr(c.text, "test_lock.c:");

	ck_assert_msg(site && strstr(site + 1, "test_lock.c:"), "%s", c.text);
	child_bug(against_rank, "outer (rank 20)", "inner (rank 40)");
	child_bug(against_address, "twin 0", "twin 1");
	child_bug(behind_try, "inner", "last");
	child_bug(wait_inside, "outer", "inner");
}
END_TEST
#endif

/* -- conditions -------------------------------------------------------------- */

static struct cond filled = COND_INIT, emptied = COND_INIT;
static int box GUARDED_BY(inner);

static void *producer(void *arg)
{
	for (int i = 1; i <= *(int *)arg; i++) {
		lock_acquire(&inner);
		while (box)
			cond_wait(&emptied, &inner);
		ck_assert(lock_held(&inner));
		box = i;
		cond_signal(&filled);
		lock_release(&inner);
	}
	return NULL;
}

START_TEST(wait_and_signal)
{
	struct thread t;
	int last = 1000;

	thread_create(&t, "producer", producer, &last);
	for (int i = 1; i <= last; i++) {
		lock_acquire(&inner);
		while (!box)
			cond_wait(&filled, &inner);
		ck_assert_int_eq(box, i);
		box = 0;
		cond_signal(&emptied);
		lock_release(&inner);
	}
	thread_join(&t);
}
END_TEST

/* Statically initialised or not, the time is that of CLOCK_MONOTONIC. */
START_TEST(timed_wait_times_out)
{
	struct cond fixed = COND_INIT, made, *conds[] = { &fixed, &made };
	s64 start;

	cond_init(&made);
	for (int i = 0; i < 2; i++) {
		lock_acquire(&inner);
		start = clock_monotonic_ns();
		while (cond_timedwait(conds[i], &inner, 20 * NS_PER_MS))
			continue;
		ck_assert_int_ge(clock_monotonic_ns() - start, 20 * NS_PER_MS);
		ck_assert(lock_held(&inner));
		ck_assert(!cond_timedwait(conds[i], &inner, -5));
		lock_release(&inner);
	}
}
END_TEST

static int go GUARDED_BY(inner);
static struct cond started = COND_INIT;

static void *sleeper(void *arg)
{
	(void)arg;
	lock_acquire(&inner);
	while (!go)
		cond_wait(&started, &inner);
	lock_release(&inner);
	return NULL;
}

START_TEST(broadcast_wakes_all)
{
	struct thread t[3];

	for (int i = 0; i < 3; i++)
		thread_create(&t[i], "sleeper", sleeper, NULL);
	lock_acquire(&inner);
	go = 1;
	cond_broadcast(&started);
	lock_release(&inner);
	for (int i = 0; i < 3; i++)
		thread_join(&t[i]);
}
END_TEST

/* -- roles ------------------------------------------------------------------- */

static void not_in_role(void)
{
	thread_role_assert(&vcpu_thread);
}

static void enter_twice(void)
{
	thread_role_enter(&vcpu_thread);
	thread_role_enter(&vcpu_thread);
}

START_TEST(roles_are_checked)
{
	child_bug(not_in_role, "role", "main");
	child_bug(enter_twice, "lock.c", "role");
	thread_role_enter(&vcpu_thread);
	thread_role_assert(&vcpu_thread);
	thread_role_leave(&vcpu_thread);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("env/lock");
	TCase *t = tcase_create("lock");

	tcase_add_test(t, owner_is_recorded);
	tcase_add_test(t, another_thread_is_kept_out);
	tcase_add_test(t, init_and_destroy);
	tcase_add_test(t, threads_exclude_each_other);
	tcase_add_test(t, misuse_is_fatal);
	tcase_add_test(t, right_order_passes);
#ifdef LOCKDEP
	tcase_add_test(t, wrong_order_aborts);
#endif
	tcase_add_test(t, wait_and_signal);
	tcase_add_test(t, timed_wait_times_out);
	tcase_add_test(t, broadcast_wakes_all);
	tcase_add_test(t, roles_are_checked);
	suite_add_tcase(s, t);
	return suite_main(s);
}
