/* SPDX-License-Identifier: GPL-2.0-or-later */
/* env/disas: the three modes, bytes that do not decode, the listing. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "child.h"
#include "env/disas.h"
#include "env/log.h"
#include "env/thread.h"

static const struct row {
	enum disas_mode mode;
	int len;
	u8 code[8];
	const char *text;
} rows[] = {
	{ DISAS_X86_32, 2, { 0x89, 0xd8 }, "mov eax, ebx" },
	{ DISAS_X86_16, 2, { 0x89, 0xd8 }, "mov ax, bx" },
	{ DISAS_X86_64, 3, { 0x48, 0x89, 0xd8 }, "mov rax, rbx" },
	{ DISAS_X86_32, 1, { 0xc3 }, "ret" },
	{ DISAS_X86_32, 2, { 0xeb, 0xfe }, "jmp 0x1000" },
	{ DISAS_X86_32, 2, { 0xd9, 0xc9 }, "fxch st(1)" },
	{ DISAS_X86_64, 5, { 0xe9, 0, 0, 0, 0 }, "jmp 0x1005" },
	{ DISAS_X86_32, 0, { 0x0f, 0x04 }, NULL },
};

START_TEST(one_instruction)
{
	const struct row *r = &rows[_i];
	char text[128] = "untouched";
	int len = disas_one(r->mode, r->code, sizeof(r->code), 0x1000, text,
			    sizeof(text));

	ck_assert_int_eq(len, r->len);
	ck_assert_str_eq(text, r->text ? r->text : "untouched");
}
END_TEST

START_TEST(a_small_buffer_is_enough)
{
	char text[4];

	ck_assert_int_eq(disas_one(DISAS_X86_32, rows[0].code, 2, 0, text,
				   sizeof(text)), 2);
	ck_assert_str_eq(text, "mov");
	ck_assert_int_eq(disas_one(DISAS_X86_32, rows[0].code, 2, 0, NULL, 0),
			 2);
	/* Cut off in the middle. */
	ck_assert_int_eq(disas_one(DISAS_X86_32, rows[0].code, 1, 0, text,
				   sizeof(text)), 0);
}
END_TEST

static const u8 some[] = { 0x89, 0xd8, 0x0f, 0x04, 0x90,
			   0xb8, 0x78, 0x56, 0x34, 0x12 };

START_TEST(count_skips_bad_bytes)
{
	ck_assert_int_eq(disas_count(DISAS_X86_32, some, sizeof(some)), 4);
	ck_assert_int_eq(disas_count(DISAS_X86_32, some, 0), 0);
}
END_TEST

static void list(void)
{
	disas_log(DISAS_X86_32, some, sizeof(some), 0x1000);
	disas_log(DISAS_X86_64, some, 2, 0xffffffff80000000u);
	disas_log(DISAS_X86_32, some, 0, 0);
}

START_TEST(listing)
{
	struct child c = child_exit(list, 0);

	ck_assert_str_eq(c.text,
		"0x00001000:  89 d8                   mov eax, ebx\n"
		"0x00001002:  0f                      .byte 0x0f\n"
		"0x00001003:  04 90                   add al, 0x90\n"
		"0x00001005:  b8 78 56 34 12          mov eax, 0x12345678\n"
		"0xffffffff80000000:  89 d8                   mov eax, ebx\n");
}
END_TEST

static void *disassemble(void *arg)
{
	char text[64];

	for (int i = 0; i < 2000; i++) {
		const struct row *r = &rows[i % (int)(ARRAY_SIZE(rows) - 1)];

		if (disas_one(r->mode, r->code, sizeof(r->code), 0x1000, text,
			      sizeof(text)) != r->len || strcmp(text, r->text))
			return NULL;
	}
	return arg;
}

START_TEST(threads_share_it)
{
	struct thread t[3];

	for (int i = 0; i < 3; i++)
		thread_create(&t[i], "disas", disassemble, &t[i]);
	for (int i = 0; i < 3; i++)
		ck_assert_ptr_eq(thread_join(&t[i]), &t[i]);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("env/disas");
	TCase *t = tcase_create("disas");

	tcase_add_loop_test(t, one_instruction, 0, ARRAY_SIZE(rows));
	tcase_add_test(t, a_small_buffer_is_enough);
	tcase_add_test(t, count_skips_bad_bytes);
	tcase_add_test(t, listing);
	tcase_add_test(t, threads_share_it);
	suite_add_tcase(s, t);
	return suite_main(s);
}
