/* SPDX-License-Identifier: GPL-2.0-or-later */
/* env/alarm, env/event: a thread's alarm interrupts it wherever it is; a sleep ends by
 * whoever sets the event, by the alarm, or by its time. */
#include <check.h>
#include <signal.h>
#include <unistd.h>

#include "child.h"
#include "env/alarm.h"
#include "env/clock.h"
#include "env/event.h"
#include "env/signal.h"
#include "env/thread.h"

enum { MS = 1000000 };

static struct wake_event event;
static u32 rung;

static SIGNAL_SAFE void rings(void)
{
	__atomic_fetch_add(&rung, 1, __ATOMIC_SEQ_CST);
	event_set_own(&event);
}

static u32 times(void) { return __atomic_load_n(&rung, __ATOMIC_SEQ_CST); }

static void in_thread(void *(*fn)(void *))
{
	struct thread t;

	rung = 0;
	event.state = EVENT_CLEAR;
	thread_create(&t, "alarm", fn, NULL);
	thread_join(&t);
}

/* Once, not before its time, and not at all when it was taken back. */
static void *runs(void *unused)
{
	s64 at = clock_monotonic_ns() + 5 * MS;

	(void)unused;
	alarm_open(rings);
	alarm_set(at);
	ck_assert_int_eq(alarm_at(), at);
	while (!times())
		;
	ck_assert_int_ge(clock_monotonic_ns(), at);
	ck_assert_int_eq(alarm_at(), 0);
	alarm_set(clock_monotonic_ns() + 5 * MS);
	alarm_set(0);
	for (at = clock_monotonic_ns(); clock_monotonic_ns() < at + 20 * MS; )
		;
	ck_assert_uint_eq(times(), 1);
	alarm_set(1);                            /* that has passed           */
	while (times() < 2)
		;
	alarm_close();
	return NULL;
}

START_TEST(interrupts_what_runs)
{
	in_thread(runs);
}
END_TEST

static void *sleeps(void *unused)
{
	s64 at;

	(void)unused;
	alarm_open(rings);
	for (u32 i = 1; i <= 200; i++) {
		event_reset(&event);
		alarm_set(i % 2 ? clock_monotonic_ns() + MS / 10 : 1);
		ck_assert(event_wait(&event, 0));
		ck_assert_uint_eq(times(), i);
	}
	event_reset(&event);
	at = clock_monotonic_ns() + 300 * MS;
	alarm_set(at + 3600 * NS_PER_SEC);
	alarm_bring_forward(at);
	alarm_bring_forward(at + MS);            /* it rings before that      */
	alarm_bring_forward(0);                  /* not at all: no change     */
	ck_assert_int_eq(alarm_at(), at);
	ck_assert(alarm_rings_by(at) && !alarm_rings_by(at - 1));
	ck_assert(event_wait(&event, 0));
	ck_assert_int_ge(clock_monotonic_ns(), at);
	alarm_close();
	return NULL;
}

START_TEST(ends_a_sleep)
{
	in_thread(sleeps);
}
END_TEST

START_TEST(main_has_none)
{
	alarm_bring_forward(1);
	ck_assert_int_eq(alarm_at(), 0);
}
END_TEST

/* From outside, and to threads that have an alarm, the signal does nothing. */
static void *is_signalled(void *unused)
{
	(void)unused;
	alarm_open(rings);
	kill(getpid(), SIGALRM);
	raise(SIGALRM);
	alarm_close();
	return NULL;
}

START_TEST(the_signal_alone)
{
	in_thread(is_signalled);
	ck_assert_uint_le(times(), 2);
}
END_TEST

/* -- events -------------------------------------------------------------------------- */
enum { ROUNDS = 20000 };
static struct wake_event there, back;
static u32 ball;

static void *returns(void *unused)
{
	(void)unused;
	for (u32 i = 0; i < ROUNDS; i++) {
		event_wait(&there, 0);
		event_reset(&there);
		ck_assert_uint_eq(__atomic_load_n(&ball, __ATOMIC_RELAXED), 2 * i + 1);
		__atomic_store_n(&ball, 2 * i + 2, __ATOMIC_RELAXED);
		event_set(&back);
	}
	return NULL;
}

/* No wake-up is lost, and none comes too early. */
START_TEST(ping_pong)
{
	struct thread t;

	thread_create(&t, "event", returns, NULL);
	for (u32 i = 0; i < ROUNDS; i++) {
		__atomic_store_n(&ball, 2 * i + 1, __ATOMIC_RELAXED);
		event_set(&there);
		event_wait(&back, 0);
		event_reset(&back);
		ck_assert_uint_eq(__atomic_load_n(&ball, __ATOMIC_RELAXED), 2 * i + 2);
	}
	thread_join(&t);
}
END_TEST

START_TEST(a_wait_has_an_end)
{
	struct wake_event e = { EVENT_CLEAR };
	s64 start = clock_monotonic_ns();

	ck_assert(!event_wait(&e, start + 5 * MS));
	ck_assert_int_ge(clock_monotonic_ns(), start + 5 * MS);
	ck_assert(!event_wait(&e, start));
	ck_assert(!event_is_set(&e));
	ck_assert(event_set(&e));
	ck_assert(!event_set(&e));
	ck_assert(event_wait(&e, 0));
	ck_assert(event_wait(&e, start));
	event_reset(&e);
	ck_assert(!event_is_set(&e));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("env/alarm");
	TCase *t = tcase_create("alarm"), *e = tcase_create("event");

	tcase_add_test(t, interrupts_what_runs);
	tcase_add_test(t, ends_a_sleep);
	tcase_add_test(t, main_has_none);
	tcase_add_test(t, the_signal_alone);
	tcase_add_test(e, ping_pong);
	tcase_add_test(e, a_wait_has_an_end);
	suite_add_tcase(s, t);
	suite_add_tcase(s, e);
	return suite_main(s);
}
