/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/env/locktrace.h - what each thread did when, as a Chrome trace (a JSON file
 * that Perfetto and chrome://tracing show): -trace locks=FILE.
 *
 * Each thread writes spans and kicks into memory of its own, until that is full;
 * what comes then is counted by kind, and the file and a message say so. Hooks are
 * those of lockstat.h. Times are host time stamps until the file is written. */
#ifndef ENV_LOCKTRACE_H
#define ENV_LOCKTRACE_H

#include "env/types.h"

enum { TRACE_EVENTS = 1 << 19, TRACE_EVENTS_MAX = 1 << 24 };
/* A thread's room; before there are events. TRACE_EVENTS without this. */
void locktrace_set_room(u32 events);
u32 locktrace_room(void);

enum trace_kind {
	TRACE_GUEST,            /* in cpu_exec                               */
	TRACE_IDLE,             /* halted, or main in ppoll                  */
	TRACE_WAIT,             /* waiting for a lock or condition           */
	TRACE_HOLD,             /* holding the BQL                           */
	TRACE_STOP,             /* stopping the others for a section         */
	TRACE_SECTION,          /* in an exclusive section                   */
	TRACE_WORK,             /* running queued work                       */
	TRACE_KICK,             /* a kick was sent; start: its name          */
	TRACE_REACTION,         /* one was reacted to, in what comes next    */
	TRACE_REACTION_INSIDE,  /* ... in the span that is under way         */
	TRACE_KINDS,
};

/* [start, end) of the calling thread. `name` lives as long as the program. */
void locktrace_span(enum trace_kind kind, const char *name, u64 start, u64 end);
/* At `now`; `kick` is the time stamp of the kick, which is its name. */
void locktrace_point(enum trace_kind kind, u64 now, u64 kick);

/* Write what is there to fd, with times from time stamp `begin` on. Returns 0 or an
 * errno value; *dropped: events for which there was no room. */
int locktrace_write(int fd, u64 begin, u64 *dropped);

#endif
