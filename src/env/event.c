/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/env/event.c - one thread's sleep, on a futex. */
#define _GNU_SOURCE
#include "env/event.h"

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "env/clock.h"

/* Of linux/futex.h, which musl does not bring. */
enum { FUTEX_WAKE_PRIVATE = 129, FUTEX_WAIT_BITSET_PRIVATE = 137 };


static u32 state(const struct wake_event *e)
{
	return __atomic_load_n(&e->state, __ATOMIC_SEQ_CST);
}

bool event_set(struct wake_event *e)
{
	u32 old = __atomic_exchange_n(&e->state, EVENT_SET, __ATOMIC_SEQ_CST);

	if (old == EVENT_ASLEEP)
		syscall(SYS_futex, &e->state, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	return old != EVENT_SET;
}

void event_reset(struct wake_event *e)
{
	__atomic_store_n(&e->state, EVENT_CLEAR, __ATOMIC_SEQ_CST);
}

bool event_is_set(const struct wake_event *e)
{
	return state(e) == EVENT_SET;
}

/* Returns when the state is no longer EVENT_ASLEEP, `until` (NULL: never) has come, or for no
 * reason. */
static void sleep_until(struct wake_event *e, const struct timespec *until)
{
	syscall(SYS_futex, &e->state, FUTEX_WAIT_BITSET_PRIVATE, EVENT_ASLEEP, until, NULL,
		~0u);
}

bool event_wait(struct wake_event *e, s64 until_ns)
{
	const struct timespec ts = { until_ns / NS_PER_SEC, until_ns % NS_PER_SEC };
	u32 clear = EVENT_CLEAR;

	if (!__atomic_compare_exchange_n(&e->state, &clear, EVENT_ASLEEP, false, __ATOMIC_SEQ_CST,
					 __ATOMIC_SEQ_CST))
		return true;
	do
		sleep_until(e, until_ns ? &ts : NULL);
	while (state(e) == EVENT_ASLEEP && (!until_ns || clock_monotonic_ns() < until_ns));
	clear = EVENT_ASLEEP;
	return !__atomic_compare_exchange_n(&e->state, &clear, EVENT_CLEAR, false, __ATOMIC_SEQ_CST,
					    __ATOMIC_SEQ_CST);
}
