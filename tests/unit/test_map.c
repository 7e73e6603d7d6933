/* SPDX-License-Identifier: GPL-2.0-or-later */
/* env/map: plain and shared memory, the code buffer's two views, patterns. */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "child.h"
#include "env/map.h"
#include "env/signal.h"

#define MB (1u << 20)

START_TEST(anon_is_zero_and_discards)
{
	bool shared = _i;
	u8 *p = map_anon(NULL, 4 * MB, shared);

	ck_assert_ptr_nonnull(p);
	ck_assert_uint_eq(p[0], 0);
	ck_assert_uint_eq(p[4 * MB - 1], 0);
	memset(p, 0x5a, 4 * MB);
	map_discard(p + HOST_PAGE, HOST_PAGE);
	ck_assert_uint_eq(p[HOST_PAGE - 1], 0x5a);
	ck_assert_uint_eq(p[HOST_PAGE], 0);
	ck_assert_uint_eq(p[2 * HOST_PAGE - 1], 0);
	ck_assert_uint_eq(p[2 * HOST_PAGE], 0x5a);
	map_free(p, 4 * MB);
}
END_TEST

START_TEST(fixed_address_or_nothing)
{
	bool shared = _i;
	void *at = (void *)0x20000000;

	ck_assert_ptr_eq(map_anon(at, MB, shared), at);
	/* Occupied: no neighbour is thrown out, no other place taken. */
	ck_assert_ptr_null(map_anon(at, MB, shared));
	ck_assert_ptr_null(map_anon((u8 *)at - HOST_PAGE, 2 * HOST_PAGE,
				    shared));
	map_free(at, MB);
	ck_assert_ptr_eq(map_anon(at, MB, shared), at);
	map_free(at, MB);
}
END_TEST

START_TEST(absurd_size_fails)
{
	ck_assert_ptr_null(map_anon(NULL, (size_t)1 << 60, false));
	ck_assert_ptr_null(map_anon(NULL, (size_t)1 << 60, true));
}
END_TEST

/* mov eax, imm32; ret */
static void put_code(u8 *at, u32 imm)
{
	at[0] = 0xb8;
	memcpy(at + 1, &imm, sizeof(imm));
	at[5] = 0xc3;
}

START_TEST(code_has_two_views)
{
	u8 *rw, *rx;
	int (*fn)(void);

	map_code(MB, &rw, &rx);
	ck_assert_ptr_ne(rw, rx);
	put_code(rw + 64, 42);
	ck_assert_mem_eq(rx + 64, rw + 64, 6);
	fn = (int (*)(void))(rx + 64);
	ck_assert_int_eq(fn(), 42);
	put_code(rw + 64, 43);
	ck_assert_int_eq(fn(), 43);
}
END_TEST

static u8 *view;

static void write_executable(void)
{
	u8 *rw;

	signal_init();
	map_code(MB, &rw, &view);
	*(volatile u8 *)view = 0xc3;
}

static void run_writable(void)
{
	u8 *rx;

	signal_init();
	map_code(MB, &view, &rx);
	view[0] = 0xc3;
	((void (*)(void))view)();
}

START_TEST(never_both)
{
	child_bug(write_executable, "signal 11", "pc 0x");
	child_bug(run_writable, "signal 11", "pc 0x");
}
END_TEST

static size_t count_other(const u64 *p, size_t n, u64 pattern)
{
	size_t other = 0;

	for (size_t i = 0; i < n; i++)
		other += p[i] != pattern;
	return other;
}

START_TEST(pattern_is_everywhere)
{
	const size_t bytes = 5 * MB, n = bytes / sizeof(u64);
	const u64 one = 0x8000000000001234u, two = 77;
	u64 *p = map_anon(NULL, bytes, false);
	u64 *q = map_anon(NULL, bytes, false);

	map_pattern(p, bytes, one);
	map_pattern(q, bytes, one);
	ck_assert_uint_eq(count_other(p, n, one), 0);
	/* Writes are private to one page of one table. */
	p[0] = p[n - 1] = two;
	ck_assert_uint_eq(count_other(p, n, one), 2);
	ck_assert_uint_eq(count_other(q, n, one), 0);
	map_pattern_reset(p, bytes);
	ck_assert_uint_eq(count_other(p, n, one), 0);
	/* A part, with another pattern. */
	map_pattern((u8 *)p + MB, MB, two);
	ck_assert_uint_eq(count_other(p, n, one), MB / sizeof(u64));
	ck_assert_uint_eq(count_other(q, n, one), 0);
	map_free(p, bytes);
	map_free(q, bytes);
}
END_TEST

#ifndef __SANITIZE_THREAD__
/* Reading or resetting makes no private pages. */
static long resident_private_kb(void)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[128];
	long kb = -1;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "RssAnon: %ld", &kb) == 1)
			break;
	if (f)
		fclose(f);
	return kb;
}

START_TEST(pattern_is_lazy)
{
	const size_t bytes = 64 * MB, n = bytes / sizeof(u64);
	u64 *p = map_anon(NULL, bytes, false);
	long before;

	map_pattern(p, bytes, 5);
	before = resident_private_kb();
	ck_assert_uint_eq(count_other(p, n, 5), 0);
	p[n / 2] = 6;
	map_pattern_reset(p, bytes);
	ck_assert_int_lt(resident_private_kb() - before, 4096);
	map_free(p, bytes);
}
END_TEST
#endif

int main(void)
{
	Suite *s = suite_create("env/map");
	TCase *t = tcase_create("map");

	tcase_set_timeout(t, 30);
	tcase_add_loop_test(t, anon_is_zero_and_discards, 0, 2);
	tcase_add_loop_test(t, fixed_address_or_nothing, 0, 2);
	tcase_add_test(t, absurd_size_fails);
	tcase_add_test(t, code_has_two_views);
	tcase_add_test(t, never_both);
	tcase_add_test(t, pattern_is_everywhere);
#ifndef __SANITIZE_THREAD__            /* its shadow memory is private too */
	tcase_add_test(t, pattern_is_lazy);
#endif
	suite_add_tcase(s, t);
	return suite_main(s);
}
