/* SPDX-License-Identifier: GPL-2.0-or-later */
/* env/file: what is refused and why; reads, writes, the non-blocking flag. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "child.h"
#include "env/file.h"
#include "env/thread.h"

static char dir[64], path[96];

static void setup(void)
{
	snprintf(dir, sizeof(dir), "/tmp/smew-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/file", dir);
}

static void teardown(void)
{
	unlink(path);
	rmdir(dir);
}

static void put(const char *text)
{
	int fd = file_create(path);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(file_write_all(fd, text, strlen(text)), 0);
	close(fd);
}

START_TEST(map_reads_a_file)
{
	struct file f;

	put("four");
	ck_assert_ptr_null(file_map(path, &f));
	ck_assert_uint_eq(f.size, 4);
	ck_assert_mem_eq(f.data, "four", 4);
	file_unmap(&f);
	ck_assert_ptr_null(f.data);
	file_unmap(&f);
}
END_TEST

static void refused(const char *name, const char *reason)
{
	struct file f;
	const char *why = file_map(name, &f);

	ck_assert_ptr_nonnull(why);
	ck_assert_str_eq(why, reason);
	ck_assert_ptr_null(f.data);
	ck_assert_uint_eq(f.size, 0);
	file_unmap(&f);
}

START_TEST(map_says_why_not)
{
	refused(path, "No such file or directory");
	refused("", "No such file or directory");
	refused(dir, "Is a directory");
	refused("/dev/null", "Not a regular file");
	put("");
	refused(path, "The file is empty");
	if (geteuid() != 0) {
		put("secret");
		chmod(path, 0);
		refused(path, "Permission denied");
	}
	unlink(path);
	/* Nobody writes to the pipe: it must not wait. */
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	refused(path, "Not a regular file");
}
END_TEST

START_TEST(create_truncates_or_says_why)
{
	struct file f;

	put("a longer text");
	put("short");
	ck_assert_ptr_null(file_map(path, &f));
	ck_assert_uint_eq(f.size, 5);
	file_unmap(&f);
	ck_assert_int_eq(file_create("/nonexistent/file"), -ENOENT);
	ck_assert_int_eq(file_create(dir), -EISDIR);
}
END_TEST

START_TEST(full_disk_is_an_error)
{
	int fd = file_create("/dev/full");

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(file_write_all(fd, "x", 1), ENOSPC);
	ck_assert_int_eq(file_write_all(fd, "x", 0), 0);
	close(fd);
	ck_assert_int_eq(file_write_all(fd, "x", 1), EBADF);
}
END_TEST

static void *drain(void *arg)
{
	static u8 buf[4096];
	s64 n, *total = arg;

	while ((n = file_read((int)*total, buf, sizeof(buf))) == -EAGAIN)
		usleep(100);
	for (*total = 0; n > 0; n = file_read(3, buf, sizeof(buf)))
		*total += n;
	return NULL;
}

/* Much more than a pipe holds, to a non-blocking descriptor. */
START_TEST(write_all_writes_all)
{
	static u8 buf[1 << 20];
	struct thread t;
	s64 total;
	int fd[2];

	ck_assert_int_eq(pipe(fd), 0);
	ck_assert_int_eq(dup2(fd[0], 3), 3);
	total = 3;
	file_set_nonblock(fd[1], true);
	thread_create(&t, "drain", drain, &total);
	ck_assert_int_eq(file_write_all(fd[1], buf, sizeof(buf)), 0);
	close(fd[1]);
	thread_join(&t);
	ck_assert_int_eq(total, sizeof(buf));
}
END_TEST

START_TEST(read_tells_nothing_from_end)
{
	char buf[8];
	int fd[2];

	ck_assert_int_eq(pipe(fd), 0);
	file_set_nonblock(fd[0], true);
	ck_assert_int_eq(file_read(fd[0], buf, sizeof(buf)), -EAGAIN);
	ck_assert_int_eq(file_write_all(fd[1], "abc", 3), 0);
	ck_assert_int_eq(file_read(fd[0], buf, 2), 2);
	ck_assert_int_eq(file_read(fd[0], buf, sizeof(buf)), 1);
	close(fd[1]);
	ck_assert_int_eq(file_read(fd[0], buf, sizeof(buf)), 0);
	close(fd[0]);
	ck_assert_int_eq(file_read(fd[0], buf, sizeof(buf)), -EBADF);
}
END_TEST

START_TEST(stdin_gets_its_flags_back)
{
	int fd[2], dup_of_0;

	ck_assert_int_eq(pipe(fd), 0);
	ck_assert_int_eq(dup2(fd[0], 0), 0);
	dup_of_0 = fd[0];
	file_set_nonblock(0, true);
	ck_assert(fcntl(dup_of_0, F_GETFL) & O_NONBLOCK);
	file_set_nonblock(0, true);
	file_restore_nonblock();
	ck_assert(!(fcntl(dup_of_0, F_GETFL) & O_NONBLOCK));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("env/file");
	TCase *t = tcase_create("file");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, map_reads_a_file);
	tcase_add_test(t, map_says_why_not);
	tcase_add_test(t, create_truncates_or_says_why);
	tcase_add_test(t, full_disk_is_an_error);
	tcase_add_test(t, write_all_writes_all);
	tcase_add_test(t, read_tells_nothing_from_end);
	tcase_add_test(t, stdin_gets_its_flags_back);
	suite_add_tcase(s, t);
	return suite_main(s);
}
