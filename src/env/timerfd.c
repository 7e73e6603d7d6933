/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/env/timerfd.c - host timers that are descriptors. */
#define _GNU_SOURCE
#include "env/timerfd.h"

#include <sys/timerfd.h>
#include <unistd.h>

#include "env/clock.h"
#include "env/log.h"

int timerfd_new(void)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);

	if (fd < 0)
		die("cannot make a timer");
	return fd;
}

void timerfd_set(int fd, s64 expire_ns)
{
	const struct itimerspec at = {
		.it_value = { expire_ns / NS_PER_SEC, expire_ns % NS_PER_SEC },
	};

	if (timerfd_settime(fd, TFD_TIMER_ABSTIME, &at, NULL))
		bug("timerfd_settime(%lld)", (long long)expire_ns);
}

bool timerfd_test_and_clear(int fd)
{
	u64 times;

	return read(fd, &times, sizeof(times)) == sizeof(times);
}
