/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/env/event.h - what one thread sleeps on until somebody sets it: another thread, or
 * a signal handler of its own (env/alarm.h). No lock: the sleeper clears it, looks at
 * whatever could make it stay awake, and sleeps unless it has been set since. Linux:
 * futex(2). Upstream: QemuEvent. */
#ifndef ENV_EVENT_H
#define ENV_EVENT_H

#include "env/signal.h"

enum { EVENT_CLEAR, EVENT_SET, EVENT_ASLEEP };
struct wake_event { u32 state; };             /* _Atomic                           */

/* Wake who waits; he sees all that was stored before. Any thread. False: it was set
 * already. */
bool event_set(struct wake_event *e);
/* The same in a signal handler of the waiter's own thread, which ends his sleep anyway. */
SIGNAL_SAFE_INLINE void event_set_own(struct wake_event *e)
{
	__atomic_store_n(&e->state, EVENT_SET, __ATOMIC_SEQ_CST);
}
/* What is looked at after this is as new as the next event_set(). The waiter. */
void event_reset(struct wake_event *e);
bool event_is_set(const struct wake_event *e);
/* Sleep until it is set, or until `until_ns` of CLOCK_MONOTONIC; 0: without end. False: it
 * is not set. One thread at a time. */
bool event_wait(struct wake_event *e, s64 until_ns);

#endif
