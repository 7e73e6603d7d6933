/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/qemu/chardev.c - stdio, files and nothing, behind serial ports and the
 * debug console. Upstream: chardev/char-stdio.c, char-file.c, char-mux.c.
 *
 * Output: bytes are collected to a line, or for a moment, and then written
 * without blocking; what the reader does not take waits in a queue that the
 * main loop empties. A reader that has stopped for good costs QUEUE_MAX bytes,
 * then output is lost, with one warning; the guest never waits.
 *
 * chardev_post() puts bytes into a box under a lock of its own. Who begins a line has
 * the main loop wait for a moment; who completes it, or fills the box, takes the
 * BQL and empties it.
 *
 * Input is read while there is room for it. "mon:" puts upstream's multiplexer
 * before it: Ctrl-A x ends the program, whether the guest reads or not; Ctrl-A c
 * turns input over to the monitor (hmp.c) and back. */
#include "qemu/chardev.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "env/clock.h"
#include "env/file.h"
#include "env/log.h"
#include "env/poll.h"
#include "env/socket.h"
#include "env/terminal.h"
#include "qemu/optparse.h"
#include "qemu/runstate.h"
#include "qemu/vl.h"

enum { LINE_BYTES = 256, INPUT_BYTES = 4096, ESCAPE = 1,
       EOT_TIMEOUT_MS = 2000, STDIN = 0, STDOUT = 1 };
#define LINGER_NS (1 * NS_PER_MS)
#define QUEUE_MAX (64u << 20)

/* Stands for the post_lock of any chardev. */
struct lock_class post_locks;

struct chardev {
	struct chardev *next;
	const char *name;
	int out, in;                     /* fds; -1: no output, no input     */
	int listener;                    /* where a client may connect; -1   */
	bool mux, in_escape;             /* Ctrl-A: handled; just seen       */
	bool deaf;                       /* _Atomic; output is lost: null, the
					  * reader failed, there is none     */
	bool typed;                      /* input is a terminal              */
	bool reading, writing;           /* watched by the main loop         */
	struct poll_timer linger;
	u8 *queue;                       /* [first, used) is to be written   */
	size_t first, used, room;
	struct lock post_lock;
	u8 post[LINE_BYTES] GUARDED_BY(post_locks);
	int n_post GUARDED_BY(post_locks);
	bool lingers GUARDED_BY(post_locks); /* main is told to wait for more */
	struct bottom_half post_bh;
	struct front {
		chr_can_read_fn *can_read;
		chr_read_fn *read;
		chr_open_fn *opened;
		void *opaque;
		u8 input[INPUT_BYTES];   /* [first, used) is to be read      */
		int first, used;
	} front[2];
	int focus;                       /* who gets input: 1: the monitor   */
};

static struct chardev *chardevs GUARDED_BY(bql);

/* -- output ---------------------------------------------------------------------- */

static bool is_deaf(const struct chardev *c)
{
	return __atomic_load_n(&c->deaf, __ATOMIC_RELAXED);
}

static void set_deaf(struct chardev *c, bool deaf) REQUIRES(bql)
{
	__atomic_store_n(&c->deaf, deaf, __ATOMIC_RELAXED);
}

static void output_broken(struct chardev *c, s64 err) REQUIRES(bql)
{
	c->first = c->used = 0;
	set_deaf(c, true);
	if (err != -EPIPE)
		error_report("cannot write %s: %s", c->name,
			     strerror((int)-err));
}

/* Write what goes without blocking; true if nothing is left. */
static bool output_push(struct chardev *c) REQUIRES(bql)
{
	while (c->first < c->used) {
		s64 n = file_write(c->out, c->queue + c->first,
				   c->used - c->first);

		if (n == -EAGAIN)
			return false;
		if (n < 0) {
			output_broken(c, n);
			return true;
		}
		c->first += (size_t)n;
	}
	c->first = c->used = 0;
	return true;
}

static void input_ready(void *opaque) REQUIRES(bql);
static void output_ready(void *opaque) REQUIRES(bql);

static void watch(struct chardev *c) REQUIRES(bql)
{
	if (c->listener >= 0) {
		if (c->in >= 0)
			main_loop_set_fd_handler(c->in, c->reading ? input_ready : NULL,
						 c->writing ? output_ready : NULL, c);
		return;
	}
	if (c->in >= 0)
		main_loop_set_fd_handler(c->in, c->reading ? input_ready : NULL,
					 NULL, c);
	main_loop_set_fd_handler(c->out, NULL, c->writing ? output_ready : NULL,
				 c);
}

static void output_flush(struct chardev *c) REQUIRES(bql)
{
	bool writing = !output_push(c);

	poll_timer_del(&c->linger);
	if (writing == c->writing)
		return;
	c->writing = writing;
	watch(c);
}

/* Room for n more bytes; false: the reader is too far behind. */
static bool queue_grow(struct chardev *c, size_t n)
{
	size_t room = c->room ? c->room : 4096;

	if (c->used + n <= c->room)
		return true;
	if (c->first && c->first >= c->used / 2) { /* else growing is cheaper */
		memmove(c->queue, c->queue + c->first, c->used - c->first);
		c->used -= c->first;
		c->first = 0;
	}
	while (room < c->used + n)
		room *= 2;
	if (room > QUEUE_MAX)
		return false;
	if (room > c->room) {
		c->queue = realloc(c->queue, room);
		if (!c->queue)
			die("out of memory");
		c->room = room;
	}
	return true;
}

static void queue_add(struct chardev *c, const u8 *buf, int n) REQUIRES(bql)
{
	if (is_deaf(c) || n <= 0)
		return;
	if (!queue_grow(c, (size_t)n)) {
		warn("%s takes no output any more: some is lost", c->name);
		set_deaf(c, true);
		return;
	}
	memcpy(c->queue + c->used, buf, (size_t)n);
	c->used += (size_t)n;
}

static bool line_complete(const struct chardev *c)
{
	size_t n = c->used - c->first;

	return n >= LINE_BYTES || memchr(c->queue + c->first, '\n', n);
}

/* -- output without the BQL ------------------------------------------------------- */

/* The lock and the class that stands for it, for clang. */
static UNCHECKED void post_acquire(struct chardev *c) ACQUIRE(post_locks)
{
	lock_acquire(&c->post_lock);
}

static UNCHECKED void post_release(struct chardev *c) RELEASE(post_locks)
{
	lock_release(&c->post_lock);
}

enum post { POST_LIES, POST_BEGINS, POST_COMPLETE, POST_FULL };

/* Put n bytes into the box. What becomes of them: somebody will come for them; is to
 * be told to; is to come now; and they did not fit. */
static enum post post_put(struct chardev *c, const u8 *buf, int n)
	REQUIRES(post_locks)
{
	if (n > LINE_BYTES - c->n_post)
		return POST_FULL;
	memcpy(c->post + c->n_post, buf, (size_t)n);
	c->n_post += n;
	if (c->n_post == LINE_BYTES || memchr(buf, '\n', (size_t)n))
		return POST_COMPLETE;
	if (c->lingers)
		return POST_LIES;
	c->lingers = true;
	return POST_BEGINS;
}

/* From the box to the queue. */
static void post_empty(struct chardev *c) REQUIRES(bql)
{
	u8 buf[LINE_BYTES];
	int n;

	post_acquire(c);
	n = c->n_post;
	memcpy(buf, c->post, (size_t)n);
	c->n_post = 0;
	c->lingers = false;
	post_release(c);
	queue_add(c, buf, n);
}

static void linger_start(struct chardev *c) REQUIRES(bql)
{
	if (c->linger.expire_ns < 0)
		poll_timer_mod(&c->linger, clock_monotonic_ns() + LINGER_NS);
}

/* Unless it is complete by now. */
static void post_begins(void *opaque) REQUIRES(bql)
{
	struct chardev *c = opaque;
	bool lingers;

	post_acquire(c);
	lingers = c->lingers;
	post_release(c);
	if (lingers)
		linger_start(c);
}

static void output_ready(void *opaque)
{
	post_empty(opaque);
	output_flush(opaque);
}

static void linger_is_over(void *opaque) REQUIRES(bql)
{
	struct chardev *c = opaque;

	post_empty(c);
	if (!c->writing)
		output_flush(c);
}

void chardev_write(struct chardev *c, const u8 *buf, int n)
{
	if (!c || is_deaf(c))
		return;
	post_empty(c);
	queue_add(c, buf, n);
	if (c->first == c->used)
		return;
	if (!c->writing && line_complete(c))
		output_flush(c);
	else
		linger_start(c);
}

/* UNCHECKED: the lock is taken on a condition. */
UNCHECKED void chardev_post(struct chardev *c, const u8 *buf, int n)
{
	bool held = bql_held();
	enum post p;

	if (!c || is_deaf(c) || n <= 0)
		return;
	post_acquire(c);
	p = post_put(c, buf, n);
	post_release(c);
	if (p == POST_BEGINS)
		bh_schedule(&c->post_bh);
	if (p < POST_COMPLETE)
		return;
	if (!held)
		bql_lock();
	chardev_write(c, buf, p == POST_FULL ? n : 0);
	if (!held)
		bql_unlock();
}

/* At the end: a reader that is merely slow gets all. */
void chardev_flush_all(void)
{
	for (struct chardev *c = chardevs; c; c = c->next)
		chardev_write(c, NULL, 0);
	for (struct chardev *c = chardevs; c; c = c->next)
		while (!output_push(c))
			if (!file_wait_writable(c->out, EOT_TIMEOUT_MS))
				break;
}

/* -- the multiplexer's keys --------------------------------------------------------- */

/* On stderr: stdout is the guest's. */
static void help(void)
{
	error_report("Ctrl-A h  this help\r\n"
		     "smew: Ctrl-A x  end the program\r\n"
		     "smew: Ctrl-A p  press the power button\r\n"
		     "smew: Ctrl-A c  to the monitor and back\r\n"
		     "smew: Ctrl-A Ctrl-A  send Ctrl-A\r");
}

static void switch_focus(struct chardev *c) REQUIRES(bql)
{
	struct front *f;

	if (!c->front[1].read)
		return;
	c->focus = !c->focus;
	f = &c->front[c->focus];
	if (f->opened)
		f->opened(f->opaque);
}

/* The key after Ctrl-A; true if it is input. */
static bool escape_key(struct chardev *c, u8 key) REQUIRES(bql)
{
	switch (key) {
	case 'x':
		qemu_quit(0);
	case 'p':
		qemu_system_powerdown_request();
		return false;
	case 'c':
		switch_focus(c);
		return false;
	case 'h':
	case '?':
		help();
		return false;
	}
	return key == ESCAPE;
}

/* Give n bytes to those they are for, but the keys that are ours. Who has no room
 * loses his. */
static void input_take(struct chardev *c, const u8 *buf, int n) REQUIRES(bql)
{
	for (int i = 0; i < n; i++) {
		bool keep = !c->mux || buf[i] != ESCAPE;
		struct front *f;

		if (c->in_escape)
			keep = escape_key(c, buf[i]);
		c->in_escape = c->mux && !c->in_escape && buf[i] == ESCAPE;
		f = &c->front[c->focus];
		if (keep && f->used < INPUT_BYTES)
			f->input[f->used++] = buf[i];
	}
}

/* -- input -------------------------------------------------------------------------- */

static void front_deliver(struct front *f) REQUIRES(bql)
{
	while (f->read && f->first < f->used) {
		int n = MIN(f->can_read(f->opaque), f->used - f->first);

		if (n <= 0)
			return;
		f->first += n;
		f->read(f->opaque, f->input + f->first - n, n);
	}
	if (f->first == f->used)
		f->first = f->used = 0;
}

static void input_deliver(struct chardev *c) REQUIRES(bql)
{
	for (int i = 0; i < 2; i++)
		front_deliver(&c->front[i]);
}

static void set_reading(struct chardev *c, bool on) REQUIRES(bql)
{
	if (c->in < 0 || c->reading == on)
		return;
	c->reading = on;
	watch(c);
}

static void client_comes(void *opaque) REQUIRES(bql);

static void client_gone(struct chardev *c) REQUIRES(bql)
{
	main_loop_set_fd_handler(c->in, NULL, NULL, NULL);
	socket_close(c->in);
	poll_timer_del(&c->linger);
	c->in = c->out = -1;
	c->reading = c->writing = false;
	set_deaf(c, true);
	post_empty(c);
	c->first = c->used = 0;
	c->front[c->focus].first = c->front[c->focus].used = 0;
	main_loop_set_fd_handler(c->listener, client_comes, NULL, c);
}

/* One at a time. */
static void client_comes(void *opaque)
{
	struct chardev *c = opaque;
	struct front *f = &c->front[c->focus];
	int fd = socket_accept(c->listener);

	if (fd < 0)
		return;
	c->in = c->out = fd;
	c->reading = true;
	set_deaf(c, false);
	main_loop_set_fd_handler(c->listener, NULL, NULL, NULL);
	watch(c);
	if (f->opened)
		f->opened(f->opaque);
}

/* Bytes that may come: as many as the one who gets them has room for. */
static int input_room(const struct chardev *c)
{
	return INPUT_BYTES - c->front[c->focus].used;
}

static void input_ready(void *opaque)
{
	struct chardev *c = opaque;
	int room = input_room(c);
	u8 buf[INPUT_BYTES];
	s64 n;

	/* typed ahead too far: only the multiplexer's keys still count */
	n = file_read(c->in, buf, room ? (size_t)room : sizeof(buf) / 16);
	if (n == -EAGAIN)
		return;
	if (n <= 0 && c->listener >= 0) {
		client_gone(c);
		return;
	}
	if (n <= 0) {                    /* the end; or the terminal is gone */
		set_reading(c, false);
		c->in = -1;
		return;
	}
	input_take(c, buf, (int)n);
	input_deliver(c);
	/* Ctrl-A x must work at any time; what is piped in must not get lost */
	if (!input_room(c) && !(c->mux && c->typed))
		set_reading(c, false);
}

void chardev_set_reader(struct chardev *c, chr_can_read_fn *can, chr_read_fn *rd,
			void *opaque)
{
	if (!c)
		return;
	c->front[0].can_read = can;
	c->front[0].read = rd;
	c->front[0].opaque = opaque;
	set_reading(c, true);
}

void chardev_set_monitor(struct chardev *c, chr_can_read_fn *can, chr_read_fn *rd,
			 chr_open_fn *opened, void *opaque)
{
	c->front[1].can_read = can;
	c->front[1].read = rd;
	c->front[1].opened = opened;
	c->front[1].opaque = opaque;
	if (c->mux)                      /* Ctrl-A c goes there              */
		return;
	c->focus = 1;
	set_reading(c, true);
	if (c->in >= 0)
		opened(opaque);
}

struct chardev *chardev_mux(void)
{
	struct chardev *c = chardevs;

	while (c && !c->mux)
		c = c->next;
	return c;
}

void chardev_accept_input(struct chardev *c)
{
	struct front *f = c ? &c->front[0] : NULL;

	if (!f || f->first == f->used)
		return;
	front_deliver(f);
	if (f->first) {
		memmove(f->input, f->input + f->first, (size_t)(f->used - f->first));
		f->used -= f->first;
		f->first = 0;
	}
	if (f->used < INPUT_BYTES)
		set_reading(c, true);
}

/* -- opening ------------------------------------------------------------------------- */

static struct chardev *chardev_new(const char *name, int out, int in)
	REQUIRES(bql)
{
	struct chardev *c = calloc(1, sizeof(*c));

	if (!c)
		die("out of memory");
	c->name = name;
	c->out = out;
	c->deaf = out < 0;
	c->in = in;
	c->listener = -1;
	poll_timer_init(&c->linger, linger_is_over, c);
	lock_init(&c->post_lock, "chardev", RANK_CHARDEV);
	bh_init(&c->post_bh, post_begins, c);
	c->next = chardevs;
	chardevs = c;
	return c;
}

static struct chardev *cannot_open(const char *spec, const char *why,
				   const char **err)
{
	static char text[256];

	snprintf(text, sizeof(text), "%.150s: %s", spec, why);
	*err = text;
	return NULL;
}

/* `rest` is what follows "stdio": nothing or ",signal=on|off". */
static struct chardev *open_stdio(const char *spec, bool mux, const char **err)
	REQUIRES(bql)
{
	static bool taken;
	const char *rest = strstr(spec, "stdio") + 5;
	bool signals = !mux;
	struct chardev *c;

	if (!strcmp(rest, ",signal=off"))
		signals = false;
	else if (!strcmp(rest, ",signal=on"))
		signals = true;
	else if (*rest)
		return cannot_open(spec, "stdio takes nothing but signal=on "
				   "and signal=off", err);
	if (taken)
		return cannot_open(spec, "stdio cannot be used twice; one "
				   "-serial mon:stdio serves both", err);
	taken = true;
	terminal_raw(signals);
	file_set_nonblock(STDIN, true);
	file_set_nonblock(STDOUT, true);
	c = chardev_new("stdout", STDOUT, STDIN);
	c->mux = mux;
	c->typed = terminal_is(STDIN);
	if (mux && c->typed)
		error_report("Ctrl-A x ends, Ctrl-A h helps\r");
	if (mux)                         /* its keys work with no reader too */
		set_reading(c, true);
	return c;
}

static struct chardev *open_file(const char *spec, const char **err)
	REQUIRES(bql)
{
	const char *path = spec + strlen("file:");
	int fd = file_create(path);

	return fd < 0 ? cannot_open(spec, strerror(-fd), err)
		: chardev_new(path, fd, -1);
}

/* "unix:PATH" and that it is the server, who does not wait for a client. */
static struct chardev *open_unix(const char *spec, const char **err) REQUIRES(bql)
{
	char *list = text_keep(spec + strlen("unix:")), *path, *key, *value;
	bool server = false, wait = true;
	struct chardev *c;
	int fd;

	if (!kv_next(&list, &path, &value) || value || !*path)
		return cannot_open(spec, "no path", err);
	while (kv_next(&list, &key, &value)) {
		if (!strcmp(key, "nowait") && !value)
			wait = false;
		else if (!strcmp(key, "server") && !value)
			server = true;
		else if (!((!strcmp(key, "server") && value && parse_on_off(value, &server)) ||
			   (!strcmp(key, "wait") && value && parse_on_off(value, &wait))))
			return cannot_open(spec, "not understood behind the path", err);
	}
	if (!server || wait)
		return cannot_open(spec, "only a server that does not wait is there: "
				   "server=on,wait=off", err);
	fd = socket_listen_unix(path);
	if (fd < 0)
		return cannot_open(spec, strerror(-fd), err);
	c = chardev_new(path, -1, -1);
	c->listener = fd;
	main_loop_set_fd_handler(fd, client_comes, NULL, c);
	return c;
}

struct chardev *chardev_open(const char *spec, const char **err)
{
	*err = NULL;
	if (!strcmp(spec, "none"))
		return NULL;
	if (!strcmp(spec, "null"))
		return chardev_new("null", -1, -1);
	if (!strncmp(spec, "stdio", 5))
		return open_stdio(spec, false, err);
	if (!strncmp(spec, "mon:stdio", 9))
		return open_stdio(spec, true, err);
	if (!strncmp(spec, "file:", 5) && spec[5])
		return open_file(spec, err);
	if (!strncmp(spec, "unix:", 5))
		return open_unix(spec, err);
	return cannot_open(spec, "none of stdio, mon:stdio, file:PATH, "
			   "unix:PATH,server=on,wait=off, null, none", err);
}
