/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/test_fpu.c - FNSTENV to FXRSTOR against the host's own images. The
 * host's x87 registers are the guest's here as in the program. */
#include <check.h>
#include <stdlib.h>

#include "fake_cpu.h"

enum { AT = 0x20000 };

/* A state with something in it: 3 registers, an exception flag, a compare. */
static void make_state(u16 fcw)
{
	static const u32 tiny = 1;       /* a denormal */

	__asm__ volatile("fninit\n\tfldpi\n\tfld1\n\tflds %0\n\tfcom %%st(1)\n\tfldcw %1"
			 : : "m"(tiny), "m"(fcw));
}

static void host_image(u8 *image)
{
	__asm__ volatile("fnsave %0\n\tfrstor %0" : "+m"(*(u8(*)[108])image));
}

static u16 get16(u32 at) { u16 v; memcpy(&v, ram + at, 2); return v; }

START_TEST(fnsave_32)
{
	u8 want[108];
	u16 fsw;

	enter_protected(0);
	make_state(0x37f);
	host_image(want);
	ck_assert_int_eq(run_helper(helper_fnsave, AT, 1, 0), NO_FAULT);
	__asm__ volatile("fnstsw %0" : "=m"(fsw));
	ck_assert_uint_eq(fsw, 0);                       /* as FNINIT */
	ck_assert_mem_eq(ram + AT, want, 12);
	ck_assert_mem_eq(ram + AT + 28, want + 28, 80);
}
END_TEST

START_TEST(frstor_of_both_sizes)
{
	for (u32 wide = 0; wide < 2; wide++) {
		u8 want[108], got[108];

		enter_protected(0);
		make_state(0x27f);
		host_image(want);
		run_helper(helper_fnsave, AT, wide, 0);
		ck_assert_int_eq(run_helper(helper_frstor, AT, wide, 0), NO_FAULT);
		host_image(got);
		ck_assert_mem_eq(got, want, 12);
		ck_assert_mem_eq(got + 28, want + 28, 80);
	}
}
END_TEST

/* What the guest loads it gets back: pointers, selectors, opcode. */
START_TEST(environment_round_trip)
{
	static const u32 env[7] = { 0xffff027f, 0xffff0000, 0xffffffff, 0x12345678,
		0x01230008, 0x9abcdef0, 0xffff0010 };

	enter_protected(0);
	memcpy(ram + AT, env, sizeof(env));
	__asm__ volatile("fninit");
	ck_assert_int_eq(run_helper(helper_fldenv, AT, 1, 0), NO_FAULT);
	ck_assert_int_eq(run_helper(helper_fnstenv, AT + 64, 1, 0), NO_FAULT);
	ck_assert_mem_eq(ram + AT + 64, env, sizeof(env));
	ck_assert_int_eq(run_helper(helper_fnstenv, AT + 128, 0, 0), NO_FAULT);
	ck_assert_uint_eq(get16(AT + 128), 0x27f);
	ck_assert_uint_eq(get16(AT + 128 + 6), 0x5678);
	ck_assert_uint_eq(get16(AT + 128 + 8), 0x0008);
	__asm__ volatile("fninit");
}
END_TEST

START_TEST(real_mode_layout)
{
	static const u16 env[7] = { 0x27f, 0, 0xffff, 0x5678, 0xa123, 0xdef0, 0xb000 };

	enter_protected(0);
	target_cpu_reset(cpu);
	memcpy(ram + AT, env, sizeof(env));
	ck_assert_int_eq(run_helper(helper_fldenv, AT, 0, 0), NO_FAULT);
	ck_assert_uint_eq(x->fpu_ip, 0xa5678);
	ck_assert_uint_eq(x->fpu_dp, 0xbdef0);
	ck_assert_int_eq(run_helper(helper_fnstenv, AT + 64, 0, 0), NO_FAULT);
	ck_assert_mem_eq(ram + AT + 64, env, sizeof(env));
	ck_assert_int_eq(run_helper(helper_fnstenv, AT + 64, 1, 0), NO_FAULT);
	ck_assert_uint_eq(get32(AT + 64 + 16), 0xa123);
}
END_TEST

START_TEST(fxsave_and_fxrstor)
{
	u8 want[108], got[108];

	enter_protected(0);
	memset(ram + AT, 0xcc, 512);
	make_state(0x37f);
	host_image(want);
	ck_assert_int_eq(run_helper(helper_fxsave, AT + 8, 0, 0), EXCP_GP);
	ck_assert_int_eq(run_helper(helper_fxsave, AT, 0, 0), NO_FAULT);
	ck_assert_uint_eq(ram[AT + 4], 0xe0);            /* abridged tags */
	ck_assert_uint_eq(ram[AT + 160], 0xcc);          /* no XMM area */
	__asm__ volatile("fninit");
	ck_assert_int_eq(run_helper(helper_fxrstor, AT, 0, 0), NO_FAULT);
	host_image(got);
	ck_assert_mem_eq(got, want, 12);
	ck_assert_mem_eq(got + 28, want + 28, 80);
	cpu_set_cr0(x, x->cr[0] | CR0_TS);
	ck_assert_int_eq(run_helper(helper_fxsave, AT, 0, 0), EXCP_NM);
}
END_TEST

/* An unmasked exception that is pending: FNSTENV and FNSAVE store it and do
 * not wait, FLDENV and FRSTOR report it first. */
START_TEST(pending_exception)
{
	static const u16 unmask = 0x37b;                 /* ZM clear */

	enter_protected(0);
	make_state(0x37f);
	__asm__ volatile("fclex\n\tfldz\n\tfld1\n\tfdivp %%st, %%st(1)\n\tfldz\n\t"
			 "fld1\n\tfdiv %%st(1), %%st\n\tfldcw %0" : : "m"(unmask));
	ck_assert_int_eq(run_helper(helper_fldenv, AT, 1, 0), EXCP_MF);
	ck_assert_int_eq(run_helper(helper_fxsave, AT, 0, 0), NO_FAULT);
	ck_assert_uint_eq(get16(AT + 2) & 0x84, 0x84);
	ck_assert_uint_eq(get16(AT), 0x37b);
	ck_assert_int_eq(run_helper(helper_fnstenv, AT, 1, 0), NO_FAULT);
	ck_assert_uint_eq(get16(AT + 4) & 0x84, 0x84);
	ck_assert_int_eq(run_helper(helper_fldenv, AT, 1, 0), NO_FAULT);
	ck_assert_int_eq(run_helper(helper_fnsave, AT, 1, 0), NO_FAULT);
	ck_assert_uint_eq(get16(AT + 4) & 0x84, 0x84);
}
END_TEST

/* The page after the first is absent: nothing is stored, the state stays. CR2
 * is the image's last byte, or its second page if the first word reaches it. */
START_TEST(fault_leaves_all_as_it_was)
{
	u8 want[108], got[108];

	enter_protected(0);
	enter_paging();
	set_pte(AT + 0x1000, 0);
	memset(ram + AT, 0, 0x1000);
	make_state(0x37f);
	host_image(want);
	ck_assert_int_eq(run_helper(helper_fnsave, AT + 0xfd0, 1, 0), EXCP_PF);
	ck_assert_uint_eq(x->cr[2], AT + 0xfd0 + 107);
	ck_assert_int_eq(run_helper(helper_fnsave, AT + 0xffd, 1, 0), EXCP_PF);
	ck_assert_uint_eq(x->cr[2], AT + 0x1000);
	host_image(got);
	/* The pointers, bytes 12 to 27: a host that saves them only with an
	 * exception pending loses them whenever it switches tasks. */
	ck_assert_mem_eq(got, want, 12);
	ck_assert_mem_eq(got + 28, want + 28, 80);
	ck_assert_uint_eq(get32(AT + 0xfd0), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("i386/fpu");
	TCase *t = tcase_create("environment");

	tcase_add_unchecked_fixture(t, fake_cpu_init, NULL);
	tcase_add_test(t, fnsave_32);
	tcase_add_test(t, frstor_of_both_sizes);
	tcase_add_test(t, environment_round_trip);
	tcase_add_test(t, real_mode_layout);
	tcase_add_test(t, fxsave_and_fxrstor);
	tcase_add_test(t, pending_exception);
	tcase_add_test(t, fault_leaves_all_as_it_was);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
