/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/env/alarm.c - timerfds in the main loop. Linux: timerfd_create(2). */
#define _GNU_SOURCE
#include "env/alarm.h"

#include <sys/timerfd.h>
#include <unistd.h>

#include "env/clock.h"
#include "env/log.h"

/* Nothing to read: it was set anew since poll. */
static void alarm_rings(void *opaque) REQUIRES(bql)
{
	struct alarm *a = opaque;
	u64 times;

	if (read(a->fd, &times, sizeof(times)) == sizeof(times))
		a->cb(a->opaque);
}

void alarm_init(struct alarm *a, poll_fn *cb, void *opaque)
{
	*a = (struct alarm){
		.fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC),
		.cb = cb, .opaque = opaque,
	};
	if (a->fd < 0)
		die("cannot make a timer");
	main_loop_set_fd_handler(a->fd, alarm_rings, NULL, a);
}

void alarm_cleanup(struct alarm *a)
{
	main_loop_set_fd_handler(a->fd, NULL, NULL, NULL);
	close(a->fd);
	a->fd = -1;
}

void alarm_set(struct alarm *a, s64 expire_ns)
{
	const struct itimerspec at = {
		.it_value = { expire_ns / NS_PER_SEC, expire_ns % NS_PER_SEC },
	};

	if (timerfd_settime(a->fd, TFD_TIMER_ABSTIME, &at, NULL))
		bug("timerfd_settime(%lld)", (long long)expire_ns);
}
