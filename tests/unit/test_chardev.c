/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qemu/chardev: order of output, slow and absent readers, input and the keys
 * of the multiplexer. Pipes stand for fds 0 and 1; the main loop is real. */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>

#include "child.h"
#include "env/clock.h"
#include "env/lockstat.h"
#include "env/poll.h"
#include "env/thread.h"
#include "qemu/chardev.h"
#include "qemu/runstate.h"
#include "qemu/vl.h"

#define FLOOD_BYTES (4u << 20)

void qemu_quit(int code)
{
	_exit(100 + code);
}

static int power_button;

void qemu_system_powerdown_request(void) { power_button++; }

static int to_stdin, from_stdout, real_stdout;

static void setup(void)
{
	int in[2], out[2];

	ck_assert_int_eq(pipe(in), 0);
	ck_assert_int_eq(pipe(out), 0);
	fflush(stdout);
	real_stdout = dup(1);
	dup2(in[0], 0);
	dup2(out[1], 1);
	close(in[0]);
	close(out[1]);
	to_stdin = in[1];
	from_stdout = out[0];
	main_loop_init();
	bql_lock();
}

static void teardown(void)
{
	dup2(real_stdout, 1);
}

static struct chardev *open_spec(const char *spec)
{
	const char *err;
	struct chardev *c = chardev_open(spec, &err);

	ck_assert_msg(err == NULL, "%s", err);
	return c;
}

static void nothing(void *opaque)
{
	(void)opaque;
}

static void turn(s64 ms)
{
	s64 until = clock_monotonic_ns() + ms * NS_PER_MS;
	struct poll_timer end;

	poll_timer_init(&end, nothing, NULL);
	poll_timer_mod(&end, until);
	while (clock_monotonic_ns() < until)
		main_loop_wait();
	poll_timer_del(&end);
}

/* -- output -------------------------------------------------------------------- */

static void reads(const char *text)
{
	char buf[100];
	ssize_t n = read(from_stdout, buf, sizeof(buf) - 1);

	ck_assert_int_ge(n, 0);
	buf[n] = 0;
	ck_assert_str_eq(buf, text);
}

START_TEST(a_line_goes_at_once)
{
	struct chardev *c = open_spec("stdio");

	for (const char *s = "one\n"; *s; s++)
		chardev_write(c, (const u8 *)s, 1);
	reads("one\n");
}
END_TEST

START_TEST(a_prompt_goes_soon)
{
	struct chardev *c = open_spec("stdio");

	chardev_write(c, (const u8 *)"$ ", 2);
	turn(10);
	reads("$ ");
	chardev_write(c, (const u8 *)"end", 3);
	chardev_flush_all();
	reads("end");
}
END_TEST

/* row-04: without the BQL, from several threads; nothing is lost, and each
 * one's bytes keep their order. */
enum { POSTERS = 3, POSTS = 20000 };
static u32 posters_left;
static struct chardev *posting;

static bool output_waits(void)
{
	struct pollfd p = { from_stdout, POLLIN, 0 };

	return poll(&p, 1, 0) == 1;
}

static void *poster(void *arg)
{
	for (int i = 0; i < POSTS; i++) {
		u8 b = (u8)((uintptr_t)arg << 6 | (i & 63));

		chardev_post(posting, &b, 1);
	}
	__atomic_fetch_sub(&posters_left, 1, __ATOMIC_SEQ_CST);
	main_loop_notify();
	return NULL;
}

START_TEST(posts_take_no_lock)
{
	struct thread t[POSTERS];
	u32 got[POSTERS] = { 0 }, all = 0;
	u8 buf[65536];

	posting = open_spec("stdio");
	posters_left = POSTERS;
	for (uintptr_t i = 0; i < POSTERS; i++)
		thread_create(&t[i], "poster", poster, (void *)i);
	while (all < POSTERS * POSTS) {
		ssize_t n;

		if (__atomic_load_n(&posters_left, __ATOMIC_SEQ_CST))
			main_loop_wait();
		else
			chardev_flush_all();
		while (all < POSTERS * POSTS && output_waits() &&
		       (n = read(from_stdout, buf, sizeof(buf))) > 0)
			for (ssize_t i = 0; i < n; i++, all++)
				ck_assert_uint_eq(got[buf[i] >> 6]++ & 63,
						  buf[i] & 63u);
	}
	for (int i = 0; i < POSTERS; i++) {
		ck_assert_uint_eq(got[i], POSTS);
		thread_join(&t[i]);
	}
}
END_TEST

/* What was posted comes before what is written afterwards. */
START_TEST(posts_keep_their_place)
{
	struct chardev *c = open_spec("stdio");

	chardev_post(c, (const u8 *)"one ", 4);
	chardev_write(c, (const u8 *)"two ", 4);
	chardev_post(c, (const u8 *)"three", 5);
	chardev_flush_all();
	reads("one two three");
	chardev_post(NULL, (const u8 *)"x", 1);
}
END_TEST

static void post(const char *text)
{
	for (; *text; text++)
		chardev_post(posting, (const u8 *)text, 1);
}

static void *post_lines(void *arg)
{
	for (int i = 0; i < 100; i++)
		post("all of a line\n");
	return arg;
}

static void *post_word(void *arg)
{
	post("login: ");
	return arg;
}

static u64 taken_by_posters(void)
{
	size_t n;
	u64 lost, count = 0;
	struct lockstat_sum *s = lockstat_merge(&n, &lost);

	for (size_t i = 0; i < n; i++)
		if (s[i].kind == STAT_LOCK && !strcmp(s[i].name, "bql") &&
		    !strcmp(s[i].site->func, "chardev_post"))
			count += s[i].n;
	free(s);
	return count;
}

static void post_by(void *(*fn)(void *))
{
	struct thread t;

	bql_unlock();
	thread_create(&t, "poster", fn, NULL);
	thread_join(&t);
	bql_lock();
}

/* row-04: the BQL once a line; a line that is not complete goes after a moment, and its
 * poster does not take it. */
START_TEST(posts_are_lines)
{
	char buf[4096];

	lockstat_enable(WATCH_STATS);
	posting = open_spec("stdio");
	post_by(post_lines);
	ck_assert_uint_eq(taken_by_posters(), 100);
	ck_assert_int_eq(read(from_stdout, buf, sizeof(buf)), 100 * 14);
	post_by(post_word);
	ck_assert(!output_waits());
	turn(10);
	reads("login: ");
	ck_assert_uint_eq(taken_by_posters(), 100);
	posting = open_spec("null");
	post_by(post_lines);
	ck_assert_uint_eq(taken_by_posters(), 100);
}
END_TEST

START_TEST(a_slow_reader_gets_all_in_order)
{
	struct chardev *c = open_spec("stdio");
	static u8 buf[65536];
	u32 got = 0;
	s64 start = clock_monotonic_ns();

	for (u32 i = 0; i < FLOOD_BYTES; i += 4)
		chardev_write(c, (const u8 *)&i, 4);
	ck_assert_int_lt(clock_monotonic_ns() - start, 10 * NS_PER_SEC);
	fcntl(from_stdout, F_SETFL, O_NONBLOCK);
	while (got < FLOOD_BYTES) {
		ssize_t n = read(from_stdout, buf, sizeof(buf));

		for (ssize_t i = 0; i + 3 < n; i += 4) {
			ck_assert_uint_eq(*(u32 *)(void *)(buf + i), got);
			got += 4;
		}
		turn(1);
	}
}
END_TEST

START_TEST(a_reader_that_left_does_no_harm)
{
	struct chardev *c = open_spec("stdio");

	close(from_stdout);
	chardev_write(c, (const u8 *)"x\n", 2);
	chardev_write(c, (const u8 *)"y\n", 2);
	chardev_flush_all();
}
END_TEST

START_TEST(nothing_and_nowhere)
{
	ck_assert_ptr_null(open_spec("none"));
	chardev_write(NULL, (const u8 *)"x", 1);
	chardev_set_reader(NULL, NULL, NULL, NULL);
	chardev_accept_input(NULL);
	chardev_write(open_spec("null"), (const u8 *)"x\n", 2);
	chardev_flush_all();
}
END_TEST

START_TEST(files_are_made_anew)
{
	char path[64], spec[80], buf[10];
	FILE *f;

	snprintf(path, sizeof(path), "/tmp/smew-chardev-%d", (int)getpid());
	snprintf(spec, sizeof(spec), "file:%s", path);
	f = fopen(path, "w");
	fputs("old text", f);
	fclose(f);
	chardev_write(open_spec(spec), (const u8 *)"new\n", 4);
	f = fopen(path, "r");
	ck_assert_uint_eq(fread(buf, 1, sizeof(buf), f), 4);
	fclose(f);
	unlink(path);
}
END_TEST

/* -- input --------------------------------------------------------------------- */
static u8 taken[20000];
static int n_taken, room;

static int can_read(void *opaque)
{
	(void)opaque;
	return room;
}

static void take(void *opaque, const u8 *buf, int n)
{
	(void)opaque;
	ck_assert_int_le(n, room);
	room -= n;
	memcpy(taken + n_taken, buf, (size_t)n);
	n_taken += n;
}

START_TEST(input_waits_for_room)
{
	struct chardev *c = open_spec("stdio");
	u8 buf[16384];

	for (size_t i = 0; i < sizeof(buf); i++)
		buf[i] = (u8)(i * 7 >> 3);
	ck_assert_int_eq(write(to_stdin, buf, sizeof(buf)), sizeof(buf));
	chardev_set_reader(c, can_read, take, NULL);
	turn(5);
	ck_assert_int_eq(n_taken, 0);
	while (n_taken < (int)sizeof(buf)) {
		room = 100;
		chardev_accept_input(c);
		main_loop_notify();
		main_loop_wait();
	}
	ck_assert_mem_eq(taken, buf, sizeof(buf));
	close(to_stdin);                 /* the end is no more than that     */
	turn(5);
}
END_TEST

START_TEST(multiplexer_keys)
{
	struct chardev *c = open_spec("mon:stdio");

	room = 100;
	chardev_set_reader(c, can_read, take, NULL);
	ck_assert_int_eq(write(to_stdin, "a\1\1b\1zc\1", 8), 8);
	turn(5);
	ck_assert_int_eq(write(to_stdin, "hd", 2), 2);
	turn(5);
	ck_assert_int_eq(n_taken, 5);
	ck_assert_mem_eq(taken, "a\1bcd", 5);
	ck_assert_int_eq(write(to_stdin, "\1p", 2), 2);
	turn(5);
	ck_assert_int_eq(power_button, 1);
	ck_assert_int_eq(n_taken, 5);
}
END_TEST

START_TEST(quit_key_needs_no_reader)
{
	open_spec("mon:stdio");
	ck_assert_int_eq(write(to_stdin, "\1x", 2), 2);
	turn(100);
	ck_abort_msg("still here");
}
END_TEST

/* -- specs ----------------------------------------------------------------------- */

START_TEST(wrong_specs)
{
	static const char *const specs[] = {
		"", "stdio,", "stdio,signal=x", "stdioo", "file:", "file:/no/x",
		"mon:null", "mon:stdio,x",
	};
	const char *err;

	for (size_t i = 0; i < ARRAY_SIZE(specs); i++) {
		ck_assert_ptr_null(chardev_open(specs[i], &err));
		ck_assert_ptr_nonnull(err);
		ck_assert(strstr(err, specs[i]) == err);
	}
	open_spec("stdio,signal=off");
	ck_assert_ptr_null(chardev_open("stdio", &err));
	ck_assert_ptr_nonnull(err);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("qemu/chardev");
	TCase *t = tcase_create("chardev");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, a_line_goes_at_once);
	tcase_add_test(t, a_prompt_goes_soon);
	tcase_add_test(t, posts_take_no_lock);
	tcase_add_test(t, posts_keep_their_place);
	tcase_add_test(t, posts_are_lines);
	tcase_add_test(t, a_slow_reader_gets_all_in_order);
	tcase_add_test(t, a_reader_that_left_does_no_harm);
	tcase_add_test(t, nothing_and_nowhere);
	tcase_add_test(t, files_are_made_anew);
	tcase_add_test(t, input_waits_for_room);
	tcase_add_test(t, multiplexer_keys);
	tcase_add_exit_test(t, quit_key_needs_no_reader, 100);
	tcase_add_test(t, wrong_specs);
	suite_add_tcase(s, t);
	return suite_main(s);
}
