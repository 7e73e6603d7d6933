/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs a program and says what it cost, by wait4(2).
 *
 * usage: measure SECONDS OUT ERR PROGRAM [ARGUMENT...]
 *
 * The program's stdin is /dev/null, its stdout and stderr go to the files OUT
 * and ERR; after SECONDS it is killed. Prints one line: user CPU, system CPU
 * and wall seconds, largest resident set in KB, exit status (128 + signal).
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t child;

static void on_alarm(int nr)
{
	(void)nr;
	kill(child, SIGKILL);
}

static void redirect(int fd, const char *path, int flags)
{
	int to = open(path, flags, 0666);

	if (to < 0 || dup2(to, fd) < 0) {
		perror(path);
		_exit(126);
	}
	close(to);
}

static void run(char **argv, const char *out, const char *err)
{
	redirect(0, "/dev/null", O_RDONLY);
	redirect(1, out, O_WRONLY | O_CREAT | O_TRUNC);
	redirect(2, err, O_WRONLY | O_CREAT | O_TRUNC);
	execvp(argv[0], argv);
	perror(argv[0]);
	_exit(127);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec * 1e-6;
}

int main(int argc, char **argv)
{
	struct rusage use;
	double start;
	int status;

	if (argc < 5) {
		fputs("usage: measure SECONDS OUT ERR PROGRAM ...\n", stderr);
		return 2;
	}
	start = now();
	child = fork();
	if (child < 0) {
		perror("fork");
		return 2;
	}
	if (!child)
		run(argv + 4, argv[2], argv[3]);
	signal(SIGALRM, on_alarm);
	alarm((unsigned)atoi(argv[1]));
	while (wait4(child, &status, 0, &use) < 0)
		;
	printf("%.6f %.6f %.6f %ld %d\n", seconds(use.ru_utime),
	       seconds(use.ru_stime), now() - start, use.ru_maxrss,
	       WIFEXITED(status) ? WEXITSTATUS(status)
				 : 128 + WTERMSIG(status));
	return 0;
}
