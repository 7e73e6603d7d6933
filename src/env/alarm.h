/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/env/alarm.h - a host timer that any thread may set without waking the main
 * loop: a timerfd that the loop watches. For what is set often by threads other
 * than main, and seldom lives to its end; see poll_timer for the rest. */
#ifndef ENV_ALARM_H
#define ENV_ALARM_H

#include "env/poll.h"

struct alarm {
	int fd;
	poll_fn *cb;
	void *opaque;
};

/* cb(opaque) will run in the main thread, under the BQL. Ends the program when
 * the host gives no descriptor. */
void alarm_init(struct alarm *a, poll_fn *cb, void *opaque) REQUIRES(bql);
void alarm_cleanup(struct alarm *a) REQUIRES(bql);
/* Fire once at `expire_ns` of CLOCK_MONOTONIC, at once when that has passed;
 * replaces an earlier time; 0: not at all. Any thread, one at a time. A callback
 * for an earlier time may be under way, and may come once more. */
void alarm_set(struct alarm *a, s64 expire_ns);

#endif
