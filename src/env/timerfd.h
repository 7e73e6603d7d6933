/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/env/timerfd.h - a host timer that is a descriptor: readable when its time has
 * come. Linux: timerfd_create(2). */
#ifndef ENV_TIMERFD_H
#define ENV_TIMERFD_H

#include "env/types.h"

/* A new one, not set. Ends the program when the host gives none. */
int timerfd_new(void);
/* Readable from `expire_ns` of CLOCK_MONOTONIC on, at once when that has passed;
 * until then, and for 0 for good, it is not. Any thread. */
void timerfd_set(int fd, s64 expire_ns);
/* Has it become readable? It is no more. */
bool timerfd_test_and_clear(int fd);

#endif
