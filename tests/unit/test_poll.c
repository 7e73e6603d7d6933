/* SPDX-License-Identifier: GPL-2.0-or-later */
/* env/poll: order within a turn, timers, bottom halves, notification. row-35,
 * row-36, row-37. */
#include <check.h>
#include <string.h>

#include "child.h"
#include "env/clock.h"
#include "env/poll.h"
#include "env/thread.h"

static char trace[64];                 /* what ran, a letter each             */

static void mark(void *opaque)
{
	size_t n = strlen(trace);

	ck_assert(bql_held());
	if (n < sizeof(trace) - 1)
		trace[n] = *(const char *)opaque;
}

static void setup(void)
{
	memset(trace, 0, sizeof(trace));
	main_loop_init();
	bql_lock();
}

static void teardown(void)
{
	bql_unlock();
}

/* -- notifiers --------------------------------------------------------------- */

START_TEST(notifier_coalesces)
{
	struct event_notifier e;

	event_notifier_init(&e);
	ck_assert(!event_notifier_test_and_clear(&e));
	event_notifier_set(&e);
	event_notifier_set(&e);
	ck_assert(event_notifier_test_and_clear(&e));
	ck_assert(!event_notifier_test_and_clear(&e));
	event_notifier_cleanup(&e);
	ck_assert_int_eq(e.fd, -1);
}
END_TEST

START_TEST(notify_ends_the_wait)
{
	s64 start = clock_monotonic_ns();
	struct poll_timer t;

	poll_timer_init(&t, mark, "t");
	poll_timer_mod(&t, start + 20 * NS_PER_SEC);
	main_loop_notify();
	main_loop_wait();
	ck_assert_int_lt(clock_monotonic_ns() - start, 10 * NS_PER_SEC);
	ck_assert_str_eq(trace, "");
	poll_timer_del(&t);
}
END_TEST

/* Three threads schedule their bottom halves again and again: however the
 * notifications coalesce, what was scheduled last runs. */
struct sender { struct bottom_half bh; u32 sent, seen; };

#define ROUNDS 3000

static void receive(void *opaque)
{
	struct sender *s = opaque;

	s->seen = __atomic_load_n(&s->sent, __ATOMIC_ACQUIRE);
}

static void *send(void *opaque)
{
	struct sender *s = opaque;

	for (u32 i = 1; i <= ROUNDS; i++) {
		__atomic_store_n(&s->sent, i, __ATOMIC_RELEASE);
		bh_schedule(&s->bh);
	}
	return NULL;
}

START_TEST(no_notification_is_lost)
{
	static struct sender s[3];
	struct thread t[3];
	struct poll_timer limit;

	poll_timer_init(&limit, mark, "late");
	poll_timer_mod(&limit, clock_monotonic_ns() + 20 * NS_PER_SEC);
	for (int i = 0; i < 3; i++) {
		bh_init(&s[i].bh, receive, &s[i]);
		thread_create(&t[i], "sender", send, &s[i]);
	}
	while (s[0].seen < ROUNDS || s[1].seen < ROUNDS || s[2].seen < ROUNDS) {
		main_loop_wait();
		ck_assert_str_eq(trace, "");
	}
	for (int i = 0; i < 3; i++)
		thread_join(&t[i]);
	poll_timer_del(&limit);
}
END_TEST

/* -- timers ------------------------------------------------------------------ */

START_TEST(timers_fire_in_order)
{
	static const struct { const char *name; s64 at; } rows[] = {
		{ "c", 30 }, { "a", 10 }, { "d", 30 }, { "b", 20 }, { "e", 30 },
	};
	struct poll_timer t[ARRAY_SIZE(rows)];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		poll_timer_init(&t[i], mark, (void *)rows[i].name);
		ck_assert_int_eq(t[i].expire_ns, -1);
		poll_timer_mod(&t[i], rows[i].at);
	}
	main_loop_wait();
	ck_assert_str_eq(trace, "abcde");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		ck_assert_int_eq(t[i].expire_ns, -1);
}
END_TEST

START_TEST(mod_replaces_and_del_removes)
{
	struct poll_timer a, b;

	poll_timer_init(&a, mark, "a");
	poll_timer_init(&b, mark, "b");
	poll_timer_mod(&a, 1);
	poll_timer_mod(&b, 2);
	poll_timer_mod(&a, 3);
	main_loop_wait();
	ck_assert_str_eq(trace, "ba");
	poll_timer_mod(&a, 1);
	poll_timer_del(&a);
	poll_timer_del(&a);
	poll_timer_mod(&b, -7);        /* long past                          */
	main_loop_wait();
	ck_assert_str_eq(trace, "bab");
}
END_TEST

START_TEST(timer_is_not_early_nor_late)
{
	s64 end = clock_monotonic_ns() + 20 * NS_PER_MS;
	struct poll_timer t;

	poll_timer_init(&t, mark, "t");
	poll_timer_mod(&t, end);
	while (!trace[0])
		main_loop_wait();
	ck_assert_int_ge(clock_monotonic_ns(), end);
	ck_assert_int_lt(clock_monotonic_ns() - end, 500 * NS_PER_MS);
}
END_TEST

#define MANY 10000

static struct poll_timer many[MANY];
static int fired;
static s64 last_expire;

static void fire(void *opaque)
{
	s64 expire = *(s64 *)opaque;

	ck_assert_int_ge(expire, last_expire);
	last_expire = expire;
	fired++;
}

/* Deadlines in no order; every third is moved, every fifth deleted. */
START_TEST(ten_thousand_timers)
{
	static s64 expire[MANY];
	u32 seed = 1;
	int deleted = 0;

	for (int i = 0; i < MANY; i++) {
		poll_timer_init(&many[i], fire, &expire[i]);
		seed = seed * 1664525 + 1013904223;
		expire[i] = seed >> 8;
		poll_timer_mod(&many[i], expire[i]);
	}
	for (int i = 0; i < MANY; i += 3) {
		expire[i] = expire[i] * 7 % 100003;
		poll_timer_mod(&many[i], expire[i]);
	}
	for (int i = 0; i < MANY; i += 5, deleted++)
		poll_timer_del(&many[i]);
	while (fired < MANY - deleted)
		main_loop_wait();
	ck_assert_int_eq(fired, MANY - deleted);
	for (int i = 0; i < MANY; i++)
		ck_assert_int_eq(many[i].expire_ns, -1);
}
END_TEST

static struct poll_timer chain[2];

static void rearm_and_delete(void *opaque)
{
	mark(opaque);
	poll_timer_mod(&chain[0], 1);
	poll_timer_del(&chain[1]);
}

/* A callback may arm itself, even in the past, and delete one that is due. */
START_TEST(callbacks_change_timers)
{
	struct poll_timer last;

	poll_timer_init(&chain[0], rearm_and_delete, "a");
	poll_timer_init(&chain[1], mark, "b");
	poll_timer_init(&last, mark, "c");
	poll_timer_mod(&chain[0], 1);
	poll_timer_mod(&chain[1], 2);
	poll_timer_mod(&last, 3);
	main_loop_wait();
	ck_assert_str_eq(trace, "ac");
	main_loop_wait();
	ck_assert_str_eq(trace, "aca");
	poll_timer_del(&chain[0]);
}
END_TEST

static struct poll_timer remote;

static void *arm_remote(void *arg)
{
	(void)arg;
	bql_lock();
	poll_timer_mod(&remote, clock_monotonic_ns());
	bql_unlock();
	return NULL;
}

START_TEST(another_thread_arms)
{
	s64 start = clock_monotonic_ns();
	struct poll_timer far;
	struct thread t;

	poll_timer_init(&far, mark, "f");
	poll_timer_init(&remote, mark, "r");
	poll_timer_mod(&far, start + 20 * NS_PER_SEC);
	thread_create(&t, "arm", arm_remote, NULL);
	while (!trace[0])
		main_loop_wait();
	ck_assert_str_eq(trace, "r");
	thread_join(&t);
	poll_timer_del(&far);
}
END_TEST

/* -- bottom halves ----------------------------------------------------------- */

static struct bottom_half again, other;

static void reschedule(void *opaque)
{
	mark(opaque);
	bh_schedule(&again);
	bh_cancel(&other);
}

START_TEST(bottom_halves_run_once)
{
	struct bottom_half a, b, c;

	bh_init(&a, mark, "a");
	bh_init(&b, mark, "b");
	bh_init(&c, mark, "c");
	bh_schedule(&b);
	bh_schedule(&a);
	bh_schedule(&c);
	bh_schedule(&b);
	ck_assert(b.scheduled);
	bh_cancel(&c);
	bh_cancel(&c);
	main_loop_wait();
	ck_assert_str_eq(trace, "ba");
	ck_assert(!a.scheduled && !b.scheduled && !c.scheduled);
	bh_schedule(&c);
	main_loop_wait();
	ck_assert_str_eq(trace, "bac");
}
END_TEST

/* One that schedules itself runs in the next turn; one due may be cancelled. */
START_TEST(callbacks_change_bottom_halves)
{
	struct bottom_half last;

	bh_init(&again, reschedule, "a");
	bh_init(&other, mark, "o");
	bh_init(&last, mark, "l");
	bh_schedule(&again);
	bh_schedule(&other);
	bh_schedule(&last);
	main_loop_wait();
	ck_assert_str_eq(trace, "al");
	bh_schedule(&last);
	main_loop_wait();
	ck_assert_str_eq(trace, "alal");
	bh_cancel(&again);
	bh_schedule(&last);
	main_loop_wait();
	ck_assert_str_eq(trace, "alall");
}
END_TEST

/* -- descriptors ------------------------------------------------------------- */

START_TEST(descriptors_then_timers_then_bottom_halves)
{
	struct bottom_half b;
	struct poll_timer t;
	int fd[2];

	ck_assert_int_eq(pipe(fd), 0);
	bh_init(&b, mark, "b");
	poll_timer_init(&t, mark, "t");
	main_loop_set_fd_handler(fd[0], mark, NULL, "f");
	bh_schedule(&b);
	poll_timer_mod(&t, 1);
	ck_assert_int_eq(write(fd[1], "x", 1), 1);
	main_loop_wait();
	ck_assert_str_eq(trace, "ftb");
	main_loop_set_fd_handler(fd[0], NULL, NULL, NULL);
	bh_schedule(&b);
	main_loop_wait();
	ck_assert_str_eq(trace, "ftbb");
	close(fd[0]);
	close(fd[1]);
}
END_TEST

START_TEST(readers_and_writers)
{
	int fd[2];

	ck_assert_int_eq(pipe(fd), 0);
	main_loop_set_fd_handler(fd[0], mark, NULL, "r");
	main_loop_set_fd_handler(fd[1], NULL, mark, "w");
	main_loop_wait();
	ck_assert_str_eq(trace, "w");
	/* A hang-up makes the reader run: its read() will see the end. */
	main_loop_set_fd_handler(fd[1], NULL, NULL, NULL);
	close(fd[1]);
	main_loop_wait();
	ck_assert_str_eq(trace, "wr");
	main_loop_set_fd_handler(fd[0], NULL, NULL, NULL);
	close(fd[0]);
}
END_TEST

static int pair[2][2];

static void remove_both(void *opaque)
{
	mark(opaque);
	main_loop_set_fd_handler(pair[0][0], NULL, NULL, NULL);
	main_loop_set_fd_handler(pair[1][0], NULL, NULL, NULL);
}

/* Whichever of two ready ones runs first removes the other. */
START_TEST(a_removed_descriptor_is_not_called)
{
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(pipe(pair[i]), 0);
		ck_assert_int_eq(write(pair[i][1], "x", 1), 1);
		main_loop_set_fd_handler(pair[i][0], remove_both, NULL, "r");
	}
	main_loop_wait();
	ck_assert_str_eq(trace, "r");
	main_loop_notify();
	main_loop_wait();
	ck_assert_str_eq(trace, "r");
}
END_TEST

START_TEST(a_hundred_descriptors)
{
	int fd[100][2];

	for (int i = 0; i < 100; i++) {
		ck_assert_int_eq(pipe(fd[i]), 0);
		main_loop_set_fd_handler(fd[i][0], mark, NULL, "x");
	}
	for (int i = 0; i < 100; i += 10)
		ck_assert_int_eq(write(fd[i][1], "x", 1), 1);
	main_loop_wait();
	ck_assert_str_eq(trace, "xxxxxxxxxx");
}
END_TEST

/* -- the lock ---------------------------------------------------------------- */

static void *take_bql(void *arg)
{
	bql_lock();
	*(int *)arg = 1;
	bql_unlock();
	main_loop_notify();
	return NULL;
}

/* A vCPU's thread must run its guest: it never waits for the host. */
static void *poll_elsewhere(void *arg)
{
	bql_lock();
	main_loop_wait();
	return arg;
}

static void poll_in_two_threads(void)
{
	struct thread t;

	bql_unlock();
	thread_create(&t, "other", poll_elsewhere, NULL);
	thread_join(&t);
}

START_TEST(row_37_only_main_polls)
{
	child_bug(poll_in_two_threads, "main_thread", "poll.c");
}
END_TEST

START_TEST(the_wait_drops_the_bql)
{
	struct thread t;
	int done = 0;

	thread_create(&t, "taker", take_bql, &done);
	main_loop_wait();
	ck_assert(bql_held());
	ck_assert_int_eq(done, 1);
	thread_join(&t);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("env/poll");
	TCase *t = tcase_create("poll");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, notifier_coalesces);
	tcase_add_test(t, notify_ends_the_wait);
	tcase_add_test(t, no_notification_is_lost);
	tcase_add_test(t, timers_fire_in_order);
	tcase_add_test(t, mod_replaces_and_del_removes);
	tcase_add_test(t, timer_is_not_early_nor_late);
	tcase_add_test(t, ten_thousand_timers);
	tcase_add_test(t, callbacks_change_timers);
	tcase_add_test(t, another_thread_arms);
	tcase_add_test(t, bottom_halves_run_once);
	tcase_add_test(t, callbacks_change_bottom_halves);
	tcase_add_test(t, descriptors_then_timers_then_bottom_halves);
	tcase_add_test(t, readers_and_writers);
	tcase_add_test(t, a_removed_descriptor_is_not_called);
	tcase_add_test(t, a_hundred_descriptors);
	tcase_add_test(t, row_37_only_main_polls);
	tcase_add_test(t, the_wait_drops_the_bql);
	suite_add_tcase(s, t);
	return suite_main(s);
}
