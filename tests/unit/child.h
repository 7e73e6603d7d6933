/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/child.h - what a dying program says and how it ends. */
#ifndef TESTS_CHILD_H
#define TESTS_CHILD_H

#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define BUG_CODE 116                   /* bug()'s exit code, but in MODE=dbg */

struct child {
	int status;                    /* of waitpid                         */
	char text[4096];               /* stderr                             */
};

/* Run fn() in a process of its own until it ends (exit code 0 if it returns). */
static inline struct child child_run(void (*fn)(void))
{
	struct child c = { 0, "" };
	size_t used = 0;
	ssize_t n;
	int fd[2];
	pid_t pid;

	ck_assert_int_eq(pipe(fd), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		dup2(fd[1], STDERR_FILENO);
		close(fd[0]);
		close(fd[1]);
		fn();
		_exit(0);
	}
	close(fd[1]);
	while ((n = read(fd[0], c.text + used, sizeof(c.text) - 1 - used)) > 0)
		used += (size_t)n;
	close(fd[0]);
	ck_assert_int_eq(waitpid(pid, &c.status, 0), pid);
	return c;
}

/* Write to an address that nothing is mapped at. */
static inline void fault_at(uintptr_t addr)
{
	volatile uintptr_t a = addr;   /* the compiler is not to know        */

	*(volatile int *)a = 1;
}

/* fn() must end as bug() does, and its message hold each of the words. */
static inline void child_bug(void (*fn)(void), const char *word,
			     const char *other)
{
	struct child c = child_run(fn);

#ifdef LOCKDEP
	ck_assert_msg(WIFSIGNALED(c.status), "status %#x", c.status);
	ck_assert_int_eq(WTERMSIG(c.status), SIGABRT);
#else
	ck_assert_msg(WIFEXITED(c.status), "status %#x", c.status);
	ck_assert_int_eq(WEXITSTATUS(c.status), BUG_CODE);
#endif
	ck_assert_msg(strstr(c.text, "smew: internal error: ") == c.text,
		      "%s", c.text);
	ck_assert_msg(strstr(c.text, word) != NULL, "%s", c.text);
	ck_assert_msg(strstr(c.text, other) != NULL, "%s", c.text);
}

/* fn() must end with this exit code; returns what it said. */
static inline struct child child_exit(void (*fn)(void), int code)
{
	struct child c = child_run(fn);

	ck_assert_msg(WIFEXITED(c.status), "status %#x: %s", c.status, c.text);
	ck_assert_int_eq(WEXITSTATUS(c.status), code);
	return c;
}

static inline int suite_main(Suite *s)
{
	SRunner *r = srunner_create(s);
	int failed;

	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
