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
#include <sys/signalfd.h>
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
static int quit_fd = -1;

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

static void quit_readable(void *opaque)
{
	struct signalfd_siginfo info;

	(void)opaque;
	while (read(quit_fd, &info, sizeof(info)) == sizeof(info))
		quit_fn((int)info.ssi_signo);
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
	sigset_t set;

	quit_fn = fn;
	if (quit_fd >= 0)
		return;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	quit_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (quit_fd < 0)
		return;          /* the signals keep their default: we end */
	sigprocmask(SIG_BLOCK, &set, NULL);
	watch(quit_fd);
}
