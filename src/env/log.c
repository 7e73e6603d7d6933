/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/env/log.c - messages to the user, the -d log, one fatal-error path.
 *
 * Messages are one write(2) to stderr each, under no lock: they must come out
 * whatever state the program is in. The log is buffered when it is a file;
 * whatever way the program ends, env_exit or bug() write the rest. */
#define _GNU_SOURCE
#include "env/log.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "env/file.h"
#include "env/lock.h"
#include "env/terminal.h"
#include "env/thread.h"

#define BUFFER_BYTES (64u << 10)
#define LINE_BYTES 1024

u32 log_mask;

static struct lock log_lock = LOCK_INIT("log", RANK_LOG);
static int log_fd GUARDED_BY(log_lock) = STDERR_FILENO;
static const char *log_path GUARDED_BY(log_lock);
static char log_buffer[BUFFER_BYTES] GUARDED_BY(log_lock);
static size_t log_used GUARDED_BY(log_lock);

/* -- messages --------------------------------------------------------------- */

static void message(const char *prefix, const char *fmt, va_list ap)
{
	char text[LINE_BYTES];
	size_t n = (size_t)snprintf(text, sizeof(text), "%s", prefix);

	vsnprintf(text + n, sizeof(text) - n - 1, fmt, ap);
	n = strlen(text);
	text[n++] = '\n';
	file_write_all(STDERR_FILENO, text, n);
}

void warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	message("smew: warning: ", fmt, ap);
	va_end(ap);
}

void error_report(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	message("smew: ", fmt, ap);
	va_end(ap);
}

/* -- the log ---------------------------------------------------------------- */

/* Empty the buffer. Returns 0 or an errno value; the log is then closed, and
 * what it still held is lost. */
static int flush(void) REQUIRES(log_lock)
{
	int err = file_write_all(log_fd, log_buffer, log_used);

	log_used = 0;
	if (err) {
		error_report("cannot write the log %s: %s",
			     log_path ? log_path : "to stderr", strerror(err));
		log_mask = 0;
	}
	return err;
}

static int append(const char *text, size_t n) REQUIRES(log_lock)
{
	int err = 0;

	while (n && !err) {
		size_t part = MIN(n, BUFFER_BYTES - log_used);

		memcpy(log_buffer + log_used, text, part);
		log_used += part;
		text += part;
		n -= part;
		if (log_used == BUFFER_BYTES || log_fd == STDERR_FILENO)
			err = flush();
	}
	return err;
}

/* The log's reader is gone or its disk is full: a run whose log was asked for
 * and cannot be kept ends here. A closed stderr is nobody's log. */
static void log_text(const char *text, size_t n)
{
	int err;
	bool to_file;

	lock_acquire(&log_lock);
	err = append(text, n);
	to_file = log_fd != STDERR_FILENO;
	lock_release(&log_lock);
	if (err && to_file)
		env_exit(1);
}

void log_printf(const char *fmt, ...)
{
	char line[LINE_BYTES], *text = line;
	va_list ap, again;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	if (n >= (int)sizeof(line)) {
		text = malloc((size_t)n + 1);
		if (text)
			vsnprintf(text, (size_t)n + 1, fmt, again);
		else
			text = line, n = sizeof(line) - 1;
	}
	va_end(again);
	va_end(ap);
	if (n > 0)
		log_text(text, (size_t)n);
	if (text != line)
		free(text);
}

int log_open(const char *path)
{
	int fd = path ? file_create(path) : STDERR_FILENO;

	if (fd < 0)
		return -fd;
	log_close();
	lock_acquire(&log_lock);
	log_fd = fd;
	log_path = path;
	lock_release(&log_lock);
	return 0;
}

void log_close(void)
{
	lock_acquire(&log_lock);
	flush();
	if (log_fd != STDERR_FILENO)
		close(log_fd);
	log_fd = STDERR_FILENO;
	log_path = NULL;
	lock_release(&log_lock);
}

/* Flush on the way out. Another thread may hold the lock and never run again
 * (or it is ours, and the bug is in here): then do without. */
static UNCHECKED int flush_at_exit(void)
{
	const struct timespec ms = { 0, 1000000 };
	int err = 0;

	for (int i = 0; i < 100 && !lock_held(&log_lock); i++) {
		if (lock_tryacquire(&log_lock)) {
			err = flush();
			lock_release(&log_lock);
			break;
		}
		nanosleep(&ms, NULL);
	}
	return err;
}

/* -- the end ---------------------------------------------------------------- */

void env_exit(int code)
{
	static u32 ending;             /* _Atomic; thread that ends us        */
	u32 nobody = 0, self = thread_id();

	/* The first caller's code counts; the others wait to be ended. */
	if (!__atomic_compare_exchange_n(&ending, &nobody, self, false,
					 __ATOMIC_RELAXED, __ATOMIC_RELAXED) &&
	    nobody != self)
		for (;;)
			pause();
	if (nobody != self) {
		terminal_restore();
		fflush(stdout);
		if (flush_at_exit())
			code = 1;
	}
	_exit(code);
}

void die(const char *fmt, ...)
{
	va_list ap;

	terminal_restore();
	va_start(ap, fmt);
	message("smew: ", fmt, ap);
	va_end(ap);
	env_exit(1);
}

void bug(const char *fmt, ...)
{
	va_list ap;

	terminal_restore();
	va_start(ap, fmt);
	message("smew: internal error: ", fmt, ap);
	va_end(ap);
#ifdef LOCKDEP
	flush_at_exit();
	signal(SIGABRT, SIG_DFL);
	abort();
#else
	env_exit(116);
#endif
}
