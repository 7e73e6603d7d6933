/* SPDX-License-Identifier: GPL-2.0-or-later */
/* env/log: messages, the log file, the ways to end. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "child.h"
#include "env/file.h"
#include "env/log.h"
#include "env/thread.h"

static char path[64];

static void setup(void)
{
	int fd;

	snprintf(path, sizeof(path), "/tmp/smew-test-XXXXXX");
	fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	close(fd);
}

static void teardown(void)
{
	unlink(path);
}

static void log_is(const char *text)
{
	struct file f;

	ck_assert_ptr_null(file_map(path, &f));
	ck_assert_uint_eq(f.size, strlen(text));
	ck_assert_mem_eq(f.data, text, f.size);
	file_unmap(&f);
}

static void say(void)
{
	warn("%d of %s", 3, "them");
	error_report("no such thing");
	log_printf("%s\n", "to stderr");
}

START_TEST(messages_go_to_stderr)
{
	struct child c = child_exit(say, 0);

	ck_assert_str_eq(c.text, "smew: warning: 3 of them\n"
				 "smew: no such thing\nto stderr\n");
}
END_TEST

static void say_much(void)
{
	static char text[5000];

	memset(text, 'x', sizeof(text) - 1);
	error_report("%s", text);
}

START_TEST(a_long_message_is_cut)
{
	struct child c = child_exit(say_much, 0);
	size_t n = strlen(c.text);

	ck_assert_uint_gt(n, 900);
	ck_assert_uint_lt(n, 1100);
	ck_assert_int_eq(c.text[n - 1], '\n');
}
END_TEST

START_TEST(items_are_switched)
{
	log_mask = LOG_INT;
	ck_assert_int_eq(log_open(path), 0);
	log_item(LOG_INT, "%s ", "shown");
	log_item(LOG_EXEC, "%s", "hidden");
	log_printf("%d", 7);
	log_close();
	log_is("shown 7");
}
END_TEST

START_TEST(long_text_is_whole)
{
	static char text[200001];

	memset(text, 'y', sizeof(text) - 1);
	ck_assert_int_eq(log_open(path), 0);
	log_printf("%s", text);
	log_close();
	log_is(text);
}
END_TEST

#define LINES 2000

static void *write_lines(void *arg)
{
	for (int i = 0; i < LINES; i++)
		log_printf("%s %d\n", (char *)arg, i);
	return NULL;
}

START_TEST(threads_do_not_mix_lines)
{
	struct thread t[2];
	char name, line[32];
	int number, next[2] = { 0, 0 };
	FILE *f;

	ck_assert_int_eq(log_open(path), 0);
	thread_create(&t[0], "a", write_lines, "a");
	thread_create(&t[1], "b", write_lines, "b");
	thread_join(&t[0]);
	thread_join(&t[1]);
	log_close();
	f = fopen(path, "r");
	ck_assert_ptr_nonnull(f);
	while (fgets(line, sizeof(line), f)) {
		ck_assert_int_eq(sscanf(line, "%c %d\n", &name, &number), 2);
		ck_assert(name == 'a' || name == 'b');
		ck_assert_int_eq(number, next[name - 'a']++);
	}
	fclose(f);
	ck_assert_int_eq(next[0], LINES);
	ck_assert_int_eq(next[1], LINES);
}
END_TEST

START_TEST(open_says_why_not)
{
	ck_assert_int_eq(log_open("/nonexistent/log"), ENOENT);
	ck_assert_int_eq(log_open("/tmp"), EISDIR);
}
END_TEST

/* -- ends -------------------------------------------------------------------- */

static void exit_with_log(void)
{
	log_open(path);
	log_printf("rest");
	env_exit(7);
}

static void die_with_log(void)
{
	log_open(path);
	log_printf("rest");
	die("no %s", "kernel");
}

static void bug_with_log(void)
{
	log_open(path);
	log_printf("rest");
	ASSERT(path[0] == 'x');
}

START_TEST(every_end_writes_the_log)
{
	struct child c = child_exit(exit_with_log, 7);

	ck_assert_str_eq(c.text, "");
	log_is("rest");
	c = child_exit(die_with_log, 1);
	ck_assert_str_eq(c.text, "smew: no kernel\n");
	log_is("rest");
	child_bug(bug_with_log, "test_log.c:", "path[0] == 'x'");
	log_is("rest");
}
END_TEST

static void fill_disk(void)
{
	log_open("/dev/full");
	for (;;)
		log_printf("one line\n");
}

static void full_at_exit(void)
{
	log_open("/dev/full");
	log_printf("one line\n");
	env_exit(0);
}

START_TEST(a_full_disk_ends_the_run)
{
	const char *said = "smew: cannot write the log /dev/full: "
			   "No space left on device\n";
	struct child c = child_exit(fill_disk, 1);

	ck_assert_str_eq(c.text, said);
	c = child_exit(full_at_exit, 1);
	ck_assert_str_eq(c.text, said);
}
END_TEST

static void *exit_3(void *arg)
{
	(void)arg;
	env_exit(3);
}

static void exit_from_threads(void)
{
	struct thread t[3];

	for (int i = 0; i < 3; i++)
		thread_create(&t[i], "exit", exit_3, NULL);
	for (;;)
		pause();
}

START_TEST(any_thread_may_end_it)
{
	child_exit(exit_from_threads, 3);
}
END_TEST

static void no_stderr(void)
{
	close(STDERR_FILENO);
	warn("nobody reads this");
	log_printf("nor this");
	env_exit(5);
}

START_TEST(a_closed_stderr_is_no_error)
{
	child_exit(no_stderr, 5);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("env/log");
	TCase *t = tcase_create("log");

	tcase_set_timeout(t, 30);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, messages_go_to_stderr);
	tcase_add_test(t, a_long_message_is_cut);
	tcase_add_test(t, items_are_switched);
	tcase_add_test(t, long_text_is_whole);
	tcase_add_test(t, threads_do_not_mix_lines);
	tcase_add_test(t, open_says_why_not);
	tcase_add_test(t, every_end_writes_the_log);
	tcase_add_test(t, a_full_disk_ends_the_run);
	tcase_add_test(t, any_thread_may_end_it);
	tcase_add_test(t, a_closed_stderr_is_no_error);
	suite_add_tcase(s, t);
	return suite_main(s);
}
