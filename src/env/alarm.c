/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/env/alarm.c - timerfds in the main loop. */
#include "env/alarm.h"

#include <unistd.h>

#include "env/timerfd.h"

/* If not, it was set anew since poll. */
static void alarm_rings(void *opaque) REQUIRES(bql)
{
	struct alarm *a = opaque;

	if (timerfd_test_and_clear(a->fd))
		a->cb(a->opaque);
}

void alarm_init(struct alarm *a, poll_fn *cb, void *opaque)
{
	*a = (struct alarm){ timerfd_new(), cb, opaque };
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
	timerfd_set(a->fd, expire_ns);
}
