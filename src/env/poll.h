/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/env/poll.h - the hand-rolled main loop: file descriptors, timers,
 * bottom halves, and one eventfd that any thread may signal.
 *
 * Upstream: os_host_main_loop_wait, EventNotifier, QEMUBH, QEMUTimerList.
 * main_loop_wait() runs with the BQL held and drops it only around poll(2).
 * Handlers, timers and bottom halves run in the main thread under the BQL. */
#ifndef ENV_POLL_H
#define ENV_POLL_H

#include "env/lock.h"

typedef void poll_fn(void *opaque);

/* -- event notifier ---------------------------------------------------- */
struct event_notifier { int fd; };
void event_notifier_init(struct event_notifier *e);
void event_notifier_set(struct event_notifier *e);    /* any thread       */
bool event_notifier_test_and_clear(struct event_notifier *e);
void event_notifier_cleanup(struct event_notifier *e);

/* -- timers, on CLOCK_MONOTONIC ---------------------------------------- */
struct poll_timer {
	poll_fn *cb;
	void *opaque;
	s64 expire_ns;                 /* -1: not armed                    */
	struct poll_timer *next;       /* sorted by expire_ns              */
};
void poll_timer_init(struct poll_timer *t, poll_fn *cb, void *opaque);
/* Fire once at `expire_ns`; replaces an earlier deadline. Another thread than
 * main does not wake the loop by it: that comes when it is due. */
void poll_timer_mod(struct poll_timer *t, s64 expire_ns) REQUIRES(bql);
void poll_timer_del(struct poll_timer *t) REQUIRES(bql);

/* -- bottom halves: run once, soon, in the main thread; any thread ------ */
struct bottom_half { poll_fn *cb; void *opaque; struct bottom_half *next; bool scheduled; };
void bh_init(struct bottom_half *b, poll_fn *cb, void *opaque);
void bh_schedule(struct bottom_half *b);
void bh_cancel(struct bottom_half *b);

/* -- the loop ----------------------------------------------------------- */
void main_loop_init(void);
/* Watch fd; a NULL callback is not watched for; both NULL removes fd. */
void main_loop_set_fd_handler(int fd, poll_fn *rd, poll_fn *wr, void *opaque)
	REQUIRES(bql);
void main_loop_wait(void) REQUIRES(bql);      /* one turn, blocking       */
void main_loop_notify(void);                  /* any thread: next turn    */

#endif
