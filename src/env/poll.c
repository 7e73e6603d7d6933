/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/env/poll.c - the main loop: file descriptors, timers, bottom halves.
 *
 * One turn: ppoll(2) without the BQL until a descriptor is ready, a timer is
 * due or somebody notifies; then, under the BQL, ready descriptors, due
 * timers and bottom halves, in this order. What a handler adds runs in the
 * next turn at the earliest, so that no handler can starve the others.
 *
 * Notification: `notified` is set by the first of several notifiers, who alone
 * writes to the eventfd, and cleared by the loop after it has read the eventfd
 * and before it looks for work. Whoever finds it set may thus rely on the loop
 * to look once more.
 *
 * A timer that another thread sets while the loop sleeps for longer needs no look:
 * `nearer`, a timerfd, ends the sleep when it is due. */
#define _GNU_SOURCE
#include "env/poll.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "env/clock.h"
#include "env/lockstat.h"
#include "env/log.h"
#include "env/signal.h"
#include "env/thread.h"
#include "env/timerfd.h"

static struct event_notifier notifier = { -1 };
static u32 notified;                     /* _Atomic; see above                */
static u32 main_thread;                  /* its id; set once                  */
static int nearer = -1;                  /* a timerfd                         */
static bool nearer_set GUARDED_BY(bql);

/* -- event notifier --------------------------------------------------------- */

void event_notifier_init(struct event_notifier *e)
{
	e->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (e->fd < 0)
		die("cannot make an eventfd");
}

/* The write can only fail because the counter is at its maximum: the reader
 * then wakes up all the same. */
void event_notifier_set(struct event_notifier *e)
{
	const u64 one = 1;
	ssize_t n;

	do
		n = write(e->fd, &one, sizeof(one));
	while (n < 0 && errno == EINTR);
}

bool event_notifier_test_and_clear(struct event_notifier *e)
{
	u64 count;

	return read(e->fd, &count, sizeof(count)) == sizeof(count);
}

void event_notifier_cleanup(struct event_notifier *e)
{
	close(e->fd);
	e->fd = -1;
}

void main_loop_notify(void)
{
	if (notifier.fd >= 0 &&
	    !__atomic_exchange_n(&notified, 1, __ATOMIC_SEQ_CST))
		event_notifier_set(&notifier);
}

static void notify_cleared(void)
{
	event_notifier_test_and_clear(&notifier);
	__atomic_store_n(&notified, 0, __ATOMIC_SEQ_CST);
}

/* -- timers -----------------------------------------------------------------
 * `armed` is sorted; equal deadlines fire in the order they were set. A turn
 * moves what is due to `due` first: a callback may then arm or delete any
 * timer, those still waiting in `due` included. */

static struct poll_timer *armed GUARDED_BY(bql);
static struct poll_timer *due GUARDED_BY(bql);

void poll_timer_init(struct poll_timer *t, poll_fn *cb, void *opaque)
{
	*t = (struct poll_timer){ cb, opaque, -1, NULL };
}

static bool timer_unlink(struct poll_timer **list, struct poll_timer *t)
{
	for (; *list; list = &(*list)->next)
		if (*list == t) {
			*list = t->next;
			return true;
		}
	return false;
}

static void timer_insert(struct poll_timer **list, struct poll_timer *t)
{
	while (*list && (*list)->expire_ns <= t->expire_ns)
		list = &(*list)->next;
	t->next = *list;
	*list = t;
}

void poll_timer_del(struct poll_timer *t)
{
	if (t->expire_ns < 0)
		return;
	if (!timer_unlink(&armed, t))
		timer_unlink(&due, t);
	t->expire_ns = -1;
}

void poll_timer_mod(struct poll_timer *t, s64 expire_ns)
{
	poll_timer_del(t);
	t->expire_ns = MAX(expire_ns, 0);
	timer_insert(&armed, t);
	if (armed == t && thread_id() != main_thread && nearer >= 0) {
		timerfd_set(nearer, MAX(t->expire_ns, 1));
		nearer_set = true;
	}
}

static void timers_collect(s64 now) REQUIRES(bql)
{
	struct poll_timer **p = &armed, *rest;

	while (*p && (*p)->expire_ns <= now)
		p = &(*p)->next;
	if (p == &armed)
		return;
	rest = *p;
	*p = NULL;
	due = armed;
	armed = rest;
}

static void timers_run(void) REQUIRES(bql)
{
	if (armed)
		timers_collect(clock_monotonic_ns());
	while (due) {
		struct poll_timer *t = due;

		due = t->next;
		t->expire_ns = -1;
		t->cb(t->opaque);
	}
}

/* -- bottom halves ----------------------------------------------------------
 * In the order they were scheduled. A turn runs those of `pending` as it was
 * at its start, from `running`. */

struct bh_list { struct bottom_half *head, **tail; };

static struct lock bh_lock = LOCK_INIT("bottom halves", RANK_POLL);
static struct bh_list pending GUARDED_BY(bh_lock) = { NULL, NULL };
static struct bottom_half *running GUARDED_BY(bh_lock);

void bh_init(struct bottom_half *b, poll_fn *cb, void *opaque)
{
	*b = (struct bottom_half){ cb, opaque, NULL, false };
}

static void bh_append(struct bottom_half *b) REQUIRES(bh_lock)
{
	b->next = NULL;
	b->scheduled = true;
	if (pending.head)
		*pending.tail = b;
	else
		pending.head = b;
	pending.tail = &b->next;
}

void bh_schedule(struct bottom_half *b)
{
	bool was;

	lock_acquire(&bh_lock);
	was = b->scheduled;
	if (!was)
		bh_append(b);
	lock_release(&bh_lock);
	if (!was && thread_id() != main_thread)
		main_loop_notify();
}

static bool bh_unlink(struct bottom_half **list, struct bottom_half *b)
{
	for (; *list; list = &(*list)->next)
		if (*list == b) {
			*list = b->next;
			return true;
		}
	return false;
}

static void bh_fix_tail(void) REQUIRES(bh_lock)
{
	struct bottom_half **p = &pending.head;

	while (*p)
		p = &(*p)->next;
	pending.tail = p;
}

void bh_cancel(struct bottom_half *b)
{
	lock_acquire(&bh_lock);
	if (b->scheduled) {
		if (!bh_unlink(&running, b))
			bh_unlink(&pending.head, b);
		bh_fix_tail();
		b->scheduled = false;
	}
	lock_release(&bh_lock);
}

static bool bh_any(void)
{
	bool any;

	lock_acquire(&bh_lock);
	any = pending.head != NULL;
	lock_release(&bh_lock);
	return any;
}

/* A callback may free its bottom half: it is off the list by then. */
static struct bottom_half *bh_next(void) REQUIRES(bh_lock)
{
	struct bottom_half *b = running;

	if (b) {
		running = b->next;
		b->scheduled = false;
	}
	return b;
}

static void bhs_run(void) REQUIRES(bql)
{
	struct bottom_half *b;

	lock_acquire(&bh_lock);
	running = pending.head;
	pending.head = NULL;
	while ((b = bh_next())) {
		poll_fn *cb = b->cb;
		void *opaque = b->opaque;

		lock_release(&bh_lock);
		cb(opaque);
		lock_acquire(&bh_lock);
	}
	lock_release(&bh_lock);
}

/* -- file descriptors ------------------------------------------------------- */

struct watch {
	int fd;
	poll_fn *rd, *wr;
	void *opaque;
	bool fresh;                    /* set since the last ppoll            */
};

static struct watch *watches GUARDED_BY(bql);
static size_t nwatches GUARDED_BY(bql), room GUARDED_BY(bql);
/* [0] is the notifier, [1] is nearer, then the watches as they were before ppoll. Of the main
 * thread, which reads it without the BQL: */
enum { FIRST_WATCH = 2 };
static struct pollfd *pollfds;
static size_t pollfds_room;

static void *grow(void *array, size_t *n, size_t item_bytes)
{
	*n = *n ? *n * 2 : 16;
	array = realloc(array, *n * item_bytes);
	if (!array)
		die("no memory");
	return array;
}

static struct watch *watch_find(int fd) REQUIRES(bql)
{
	for (size_t i = 0; i < nwatches; i++)
		if (watches[i].fd == fd)
			return &watches[i];
	return NULL;
}

static void watch_set(struct watch w) REQUIRES(bql)
{
	struct watch *old = watch_find(w.fd);

	if (!old) {
		if (nwatches == room)
			watches = grow(watches, &room, sizeof(*watches));
		old = &watches[nwatches++];
	}
	*old = w;
}

static void watch_remove(int fd) REQUIRES(bql)
{
	struct watch *w = watch_find(fd);

	if (w)
		*w = watches[--nwatches];
}

void main_loop_set_fd_handler(int fd, poll_fn *rd, poll_fn *wr, void *opaque)
{
	if (rd || wr)
		watch_set((struct watch){ fd, rd, wr, opaque, true });
	else
		watch_remove(fd);
	if (thread_id() != main_thread)
		main_loop_notify();
}

static size_t watches_prepare(void) REQUIRES(bql)
{
	while (pollfds_room < nwatches + FIRST_WATCH)
		pollfds = grow(pollfds, &pollfds_room, sizeof(*pollfds));
	pollfds[0] = (struct pollfd){ notifier.fd, POLLIN, 0 };
	pollfds[1] = (struct pollfd){ nearer, POLLIN, 0 };
	for (size_t i = 0; i < nwatches; i++) {
		struct watch *w = &watches[i];

		w->fresh = false;
		pollfds[i + FIRST_WATCH] = (struct pollfd){
			.fd = w->fd,
			.events = (short)((w->rd ? POLLIN : 0) |
					  (w->wr ? POLLOUT : 0)),
		};
	}
	return nwatches + FIRST_WATCH;
}

/* An error or hang-up is told to the reader, whose read() will say it; to the
 * writer if there is no reader. A handler may change any watch: each ready
 * descriptor is looked up anew, and one set since is not taken for ready. */
static void watch_ready(int fd, short revents) REQUIRES(bql)
{
	const short bad = POLLERR | POLLHUP | POLLNVAL;
	struct watch *w = watch_find(fd);

	if (w && !w->fresh && w->rd && revents & (POLLIN | bad)) {
		w->rd(w->opaque);
		w = watch_find(fd);
	}
	if (w && !w->fresh && w->wr &&
	    revents & (w->rd ? POLLOUT : POLLOUT | bad))
		w->wr(w->opaque);
}

static void watches_run(size_t n) REQUIRES(bql)
{
	for (size_t i = FIRST_WATCH; i < n; i++)
		if (pollfds[i].revents)
			watch_ready(pollfds[i].fd, pollfds[i].revents);
}

/* -- one turn --------------------------------------------------------------- */

/* How long ppoll may sleep. Returns NULL: until something happens. */
static struct timespec *sleep_time(struct timespec *ts) REQUIRES(bql)
{
	s64 ns;

	if (bh_any())
		ns = 0;
	else if (armed)
		ns = MAX(armed->expire_ns - clock_monotonic_ns(), 0);
	else
		return NULL;
	*ts = (struct timespec){ ns / NS_PER_SEC, ns % NS_PER_SEC };
	return ts;
}

void main_loop_init(void)
{
	signal_init();
	if (notifier.fd < 0) {
		event_notifier_init(&notifier);
		nearer = timerfd_new();
	}
	main_thread = thread_id();
	/* The default, 50 us, would be added to every timer. */
	prctl(PR_SET_TIMERSLACK, 1);
}

void main_loop_wait(void)
{
	struct timespec ts, *timeout = sleep_time(&ts);
	size_t n = watches_prepare();
	u64 start;
	int ready;

	ASSERT(thread_id() == main_thread);      /* a vCPU never polls       */
	bql_unlock();
	start = lockstat_now();
	ready = ppoll(pollfds, n, timeout, NULL);
	lockstat_idle("ppoll", start);
	bql_lock();
	if (ready > 0 && pollfds[0].revents)
		notify_cleared();
	if (nearer_set) {                /* whether it ended this sleep or not */
		timerfd_set(nearer, 0);
		nearer_set = false;
	}
	if (ready > 0)
		watches_run(n);
	timers_run();
	bhs_run();
}
