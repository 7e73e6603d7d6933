/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/env/terminal.c - the host terminal in raw mode (termios(3)).
 *
 * Output processing stays on, so that our own messages keep their line ends.
 * Ctrl-Z and Ctrl-\ go to the guest in either mode: a stopped raw terminal is
 * of no use to the shell. A SIGTSTP sent by hand restores and comes back. */
#define _GNU_SOURCE
#include "env/terminal.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "env/file.h"
#include "env/lock.h"
#include "env/log.h"
#include "env/poll.h"
#include "env/signal.h"

static struct termios cooked, raw;     /* as found; as we set it             */
static bool found;                     /* `cooked` is valid                  */
static volatile sig_atomic_t is_raw;

static void (*quit_fn)(int signo);
static struct event_notifier quit = { -1 };
static u32 quit_signals;               /* _Atomic; a bit for each that came  */
static const int quits[] = { SIGINT, SIGTERM, SIGHUP };

static void apply(const struct termios *t)
{
	while (tcsetattr(STDIN_FILENO, TCSANOW, t) < 0 && errno == EINTR)
		continue;
}

bool terminal_is(int fd)
{
	return isatty(fd);
}

void terminal_restore(void)
{
	int saved = errno;

	if (is_raw) {
		is_raw = 0;
		apply(&cooked);
	}
	file_restore_nonblock();
	errno = saved;
}

static void on_stop(int signo)
{
	bool again = is_raw;

	(void)signo;
	terminal_restore();
	raise(SIGSTOP);
	if (again) {
		apply(&raw);
		is_raw = 1;
	}
}

/* Once: what is needed to give the terminal back. */
static void prepare(void)
{
	found = true;
	signal_init();
	signal(SIGTSTP, on_stop);
	/* Else giving the terminal back from the background would stop us. */
	signal(SIGTTOU, SIG_IGN);
	atexit(terminal_restore);
}

void terminal_raw(bool signals)
{
	if (!isatty(STDIN_FILENO) || tcgetpgrp(STDIN_FILENO) != getpgrp())
		return;
	if (!found) {
		if (tcgetattr(STDIN_FILENO, &cooked) < 0)
			return;
		prepare();
	}
	raw = cooked;
	cfmakeraw(&raw);
	raw.c_oflag |= OPOST;
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	if (signals) {
		raw.c_lflag |= ISIG;
		raw.c_cc[VSUSP] = _POSIX_VDISABLE;
		raw.c_cc[VQUIT] = _POSIX_VDISABLE;
	}
	is_raw = 1;
	apply(&raw);
}

/* -- signals that ask us to end --------------------------------------------- */

/* No signalfd: the kernel wakes who polls one at each signal of any thread (a vCPU's
 * alarm), to look. */
static void on_quit_signal(int signo)
{
	int saved = errno;

	__atomic_fetch_or(&quit_signals, 1u << signo, __ATOMIC_SEQ_CST);
	event_notifier_set(&quit);
	errno = saved;
}

static void quit_readable(void *opaque)
{
	u32 signals;

	(void)opaque;
	event_notifier_test_and_clear(&quit);
	signals = __atomic_exchange_n(&quit_signals, 0, __ATOMIC_SEQ_CST);
	for (unsigned i = 0; i < ARRAY_SIZE(quits); i++)
		if (signals & 1u << quits[i])
			quit_fn(quits[i]);
}

/* One that our parent had us ignore (nohup) stays ignored. */
static void catch_quit(int signo)
{
	struct sigaction sa = { .sa_handler = on_quit_signal,
				.sa_flags = SA_ONSTACK | SA_RESTART };
	struct sigaction old;

	if (!sigaction(signo, NULL, &old) && old.sa_handler != SIG_IGN)
		sigaction(signo, &sa, NULL);
}

/* UNCHECKED: takes the BQL only if the caller has not, which clang cannot
 * follow. */
static UNCHECKED void watch(int fd)
{
	bool mine = !bql_held();

	if (mine)
		bql_lock();
	main_loop_set_fd_handler(fd, quit_readable, NULL, NULL);
	if (mine)
		bql_unlock();
}

void terminal_on_quit(void (*fn)(int signo))
{
	quit_fn = fn;
	if (quit.fd >= 0)
		return;
	event_notifier_init(&quit);
	watch(quit.fd);
	for (unsigned i = 0; i < ARRAY_SIZE(quits); i++)
		catch_quit(quits[i]);
}
