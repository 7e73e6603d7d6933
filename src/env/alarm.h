/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/env/alarm.h - the calling thread's alarm: at a time of CLOCK_MONOTONIC a signal
 * interrupts it, whether it runs or sleeps (event_wait). It costs no wake-up of any other
 * thread and no descriptor. Linux: timer_create(2) with SIGEV_THREAD_ID, SIGALRM. */
#ifndef ENV_ALARM_H
#define ENV_ALARM_H

#include "env/types.h"

/* The calling thread, which thread_create() made, has one from now on until it ends. rings()
 * runs in the signal's handler: it is SIGNAL_SAFE. Ends the program when the host gives no
 * timer. */
void alarm_open(void (*rings)(void));
void alarm_close(void);
/* Ring once, at `expire_ns`, at once when that has passed; instead of an earlier setting. 0:
 * not at all. It may ring once more for what was set before. */
void alarm_set(s64 expire_ns);
/* The same, unless it rings by then anyway, or `expire_ns` is 0. A thread without an alarm:
 * nothing. */
void alarm_bring_forward(s64 expire_ns);
bool alarm_rings_by(s64 ns);
/* When it will ring; 0: not set, or it has rung. */
s64 alarm_at(void);

#endif
