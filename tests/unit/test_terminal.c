/* SPDX-License-Identifier: GPL-2.0-or-later */
/* env/terminal: raw mode on a pseudo-terminal, and that every way to end
 * leaves the terminal as it was. */
#define _GNU_SOURCE
#include <check.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "child.h"
#include "env/clock.h"
#include "env/file.h"
#include "env/log.h"
#include "env/poll.h"
#include "env/signal.h"
#include "env/terminal.h"

static int master, slave;
static struct termios before;

static void setup(void)
{
	ck_assert_int_eq(openpty(&master, &slave, NULL, NULL, NULL), 0);
	ck_assert_int_eq(tcgetattr(slave, &before), 0);
}

/* Run fn with the pseudo-terminal as its stdin and controlling terminal. */
static int run(void (*fn)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		setsid();
		ioctl(slave, TIOCSCTTY, 0);
		dup2(slave, STDIN_FILENO);
		signal(SIGHUP, SIG_DFL);
		fn();
		exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

/* In the child: 42 if the terminal is not raw. */
static void must_be_raw(bool signals)
{
	struct termios t;

	tcgetattr(STDIN_FILENO, &t);
	if (t.c_lflag & (ICANON | ECHO) || t.c_iflag & ICRNL ||
	    !(t.c_oflag & OPOST) || !!(t.c_lflag & ISIG) != signals)
		_exit(42);
}

static void raw_mode(void)
{
	terminal_raw(false);
	must_be_raw(false);
	terminal_raw(true);
	must_be_raw(true);
	file_set_nonblock(STDIN_FILENO, true);
}

static void end_by_return(void)
{
	raw_mode();
}

static void end_by_env_exit(void)
{
	raw_mode();
	env_exit(3);
}

static void end_by_die(void)
{
	raw_mode();
	close(STDERR_FILENO);
	die("the end");
}

static void end_by_bug(void)
{
	raw_mode();
	close(STDERR_FILENO);
	bug("the end");
}

static void end_by_fault(void)
{
	raw_mode();
	close(STDERR_FILENO);
	fault_at(0x10);
}

static void end_by_term(void)
{
	raw_mode();
	raise(SIGTERM);
}

static void end_by_abort(void)
{
	raw_mode();
	abort();
}

static void (*const ends[])(void) = {
	end_by_return, end_by_env_exit, end_by_die, end_by_bug, end_by_fault,
	end_by_term, end_by_abort,
};

START_TEST(every_end_restores)
{
	struct termios after;
	int status = run(ends[_i]);

	ck_assert(!WIFEXITED(status) || WEXITSTATUS(status) != 42);
	ck_assert_int_eq(tcgetattr(slave, &after), 0);
	ck_assert_uint_eq(after.c_lflag, before.c_lflag);
	ck_assert_uint_eq(after.c_iflag, before.c_iflag);
	ck_assert_uint_eq(after.c_oflag, before.c_oflag);
	ck_assert_uint_eq(after.c_cflag, before.c_cflag);
	ck_assert_mem_eq(after.c_cc, before.c_cc, sizeof(before.c_cc));
	ck_assert(!(fcntl(slave, F_GETFL) & O_NONBLOCK));
}
END_TEST

static void not_a_terminal(void)
{
	close(STDIN_FILENO);
	terminal_raw(true);
	terminal_restore();
	open("/dev/null", O_RDONLY);
	terminal_raw(true);
	terminal_restore();
}

START_TEST(no_terminal_is_fine)
{
	child_exit(not_a_terminal, 0);
}
END_TEST

/* -- signals that ask us to end ---------------------------------------------- */

static void quit(int signo)
{
	env_exit(signo + 50);
}

static const int quit_signals[] = { SIGINT, SIGTERM, SIGHUP };
static int quit_signal;

static void too_late(void *opaque)
{
	(void)opaque;
	_exit(1);
}

static void wait_for_quit(void)
{
	struct poll_timer limit;

	main_loop_init();
	terminal_on_quit(quit);
	terminal_on_quit(quit);
	kill(getpid(), quit_signal);
	bql_lock();
	poll_timer_init(&limit, too_late, NULL);
	poll_timer_mod(&limit, clock_monotonic_ns() + 10 * NS_PER_SEC);
	for (;;)
		main_loop_wait();
}

START_TEST(quit_runs_in_the_main_loop)
{
	quit_signal = quit_signals[_i];
	child_exit(wait_for_quit, quit_signal + 50);
}
END_TEST

static void wait_for_key(void)
{
	main_loop_init();
	terminal_raw(true);
	terminal_on_quit(quit);
	bql_lock();
	main_loop_wait();
	main_loop_wait();
}

START_TEST(ctrl_c_quits)
{
	int status;

	if (fork() == 0) {
		usleep(100000);
		_exit(write(master, "\003", 1) != 1);
	}
	status = run(wait_for_key);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), SIGINT + 50);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("env/terminal");
	TCase *t = tcase_create("terminal");

	/* A bare chroot has none. */
	if (openpty(&master, &slave, NULL, NULL, NULL)) {
		puts("skip unit/terminal: no pseudo-terminals here");
		return 0;
	}
	close(master);
	close(slave);
	tcase_set_timeout(t, 30);
	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_loop_test(t, every_end_restores, 0, ARRAY_SIZE(ends));
	tcase_add_test(t, no_terminal_is_fine);
	tcase_add_loop_test(t, quit_runs_in_the_main_loop, 0,
			    ARRAY_SIZE(quit_signals));
	tcase_add_test(t, ctrl_c_quits);
	suite_add_tcase(s, t);
	return suite_main(s);
}
