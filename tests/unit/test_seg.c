/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/test_seg.c - privilege checks, gates, returns, interrupt frames
 * and double faults of the guest processor's C side (SDM vol. 3A 5, 6). */
#include <check.h>
#include <stdlib.h>

#include "fake_cpu.h"

/* -- segment loads ------------------------------------------------------------ */
static const struct {
	const char *what;
	int cpl, seg;
	u16 sel;
	u32 access;                      /* of SEL_FREE's descriptor         */
	int fault;
	u32 err;
} loads[] = {
	{ "null DS", 3, R_DS, 0, 0, NO_FAULT, 0 },
	{ "null SS", 0, R_SS, 0, 0, EXCP_GP, 0 },
	{ "beyond the GDT", 0, R_DS, 0x88, 0, EXCP_GP, 0x88 },
	{ "no LDT", 0, R_DS, 0x0c, 0, EXCP_GP, 0x0c },
	{ "data", 0, R_DS, SEL_FREE, 0x92, NO_FAULT, 0 },
	{ "not present", 0, R_DS, SEL_FREE, 0x12, EXCP_NP, SEL_FREE },
	{ "SS not present", 0, R_SS, SEL_FREE, 0x12, EXCP_SS, SEL_FREE },
	{ "SS read-only", 0, R_SS, SEL_FREE, 0x90, EXCP_GP, SEL_FREE },
	{ "SS is code", 0, R_SS, SEL_FREE, 0x9a, EXCP_GP, SEL_FREE },
	{ "SS RPL", 0, R_SS, SEL_FREE | 3, 0x92, EXCP_GP, SEL_FREE },
	{ "DS inner", 3, R_DS, SEL_FREE | 3, 0x92, EXCP_GP, SEL_FREE },
	{ "DS RPL", 0, R_DS, SEL_FREE | 3, 0x92, EXCP_GP, SEL_FREE },
	{ "execute-only", 0, R_DS, SEL_FREE, 0x98, EXCP_GP, SEL_FREE },
	{ "readable code", 0, R_DS, SEL_FREE, 0x9a, NO_FAULT, 0 },
	{ "conforming code", 3, R_DS, SEL_FREE | 3, 0x9e, NO_FAULT, 0 },
	{ "system", 0, R_DS, SEL_FREE, 0x89, EXCP_GP, SEL_FREE },
};

START_TEST(segment_loads)
{
	int fault;

	enter_protected(loads[_i].cpl);
	put_desc(SEL_FREE, 0x1000, 0xff, loads[_i].access, 4);
	x->error_code = 0;
	fault = run_helper(helper_load_seg, loads[_i].seg, loads[_i].sel, 0);
	ck_assert_msg(fault == loads[_i].fault, "%s: fault %d", loads[_i].what, fault);
	if (fault != NO_FAULT)
		ck_assert_msg(x->error_code == loads[_i].err, "%s: error %x",
			      loads[_i].what, x->error_code);
	else if (loads[_i].sel)
		ck_assert_uint_eq(get32(GDT + SEL_FREE + 4) & DESC_A, DESC_A);
}
END_TEST

/* -- limits ---------------------------------------------------------------------- */
static const struct {
	u32 access, flags, limit, offset, size;
	bool write;
	int fault;
} limits[] = {
	{ 0x92, 4, 0xff, 0xfc, 4, true, NO_FAULT },
	{ 0x92, 4, 0xff, 0xfd, 4, false, EXCP_GP },
	{ 0x90, 4, 0xff, 0, 1, true, EXCP_GP },
	{ 0x96, 4, 0xff, 0xff, 1, false, EXCP_GP },        /* expand-down */
	{ 0x96, 4, 0xff, 0x100, 4, true, NO_FAULT },
	{ 0x96, 0, 0xff, 0xfffc, 4, true, NO_FAULT },
	{ 0x96, 0, 0xff, 0xfffd, 4, true, EXCP_GP },
	{ 0x9a, 4, 0xff, 0, 1, true, EXCP_GP },            /* code */
	{ 0x92, 0xc, 0xfffff, 0xfffffffc, 4, true, NO_FAULT },
	{ 0x92, 0xc, 0xfffff, 0xfffffffd, 4, true, EXCP_GP },  /* wraps */
	{ 0x90, 0xc, 0xfffff, 0xffffffff, 1, true, EXCP_GP },
};

START_TEST(segment_limits)
{
	struct seg_guard g;
	u32 what = R_DS | limits[_i].size << 4 | (u32)limits[_i].write << 12;
	int fault;

	enter_protected(0);
	put_desc(SEL_FREE, 0, limits[_i].limit, limits[_i].access, limits[_i].flags);
	ck_assert_int_eq(run_helper(helper_load_seg, R_DS, SEL_FREE, 0), NO_FAULT);
	fault = run_helper(helper_seg_check, limits[_i].offset, what, 0);
	ck_assert_int_eq(fault, limits[_i].fault);
	/* the guard never lets through what the check refuses */
	g = limits[_i].write ? x->seg[R_DS].wr : x->seg[R_DS].rd;
	if (fault != NO_FAULT)
		ck_assert(limits[_i].offset - g.lo >= g.n);
}
END_TEST

START_TEST(flat_segments_are_known)
{
	u32 flat = HF_CS_FLAT | HF_DS_FLAT | HF_ES_FLAT | HF_SS_FLAT | HF_FS_BIG | HF_GS_BIG;

	enter_protected(3);
	ck_assert_uint_eq(x->hflags & flat, flat);
	ck_assert_uint_eq(x->hflags & (HF_CPL | HF_CS32 | HF_SS32), 3 | HF_CS32 | HF_SS32);
	run_helper(helper_load_seg, R_DS, 0, 0);
	ck_assert_uint_eq(x->hflags & flat, flat & ~(u32)HF_DS_FLAT);
	put_desc(SEL_FREE, 16, 0xfffff, 0xf2, 0xc);
	run_helper(helper_load_seg, R_ES, SEL_FREE | 3, 0);
	ck_assert_uint_eq(x->hflags & HF_ES_FLAT, 0);
}
END_TEST

/* -- interrupts -------------------------------------------------------------------- */
START_TEST(trap_from_ring_3_switches_stacks)
{
	enter_protected(3);
	put_gate(0x80, SEL_CODE0, 0x123456, 0xee);
	cpu->pc = 0x5000;
	ck_assert_int_eq(run_helper(helper_raise_int, 0x80, 0x5002, 0), NO_FAULT);
	ck_assert_uint_eq(cpu_cpl(x), 0);
	ck_assert_uint_eq(cpu->pc, 0x123456);
	ck_assert_uint_eq(x->seg[R_SS].selector, SEL_DATA0);
	ck_assert_uint_eq(cpu->regs[R_ESP], 0x8000 - 20);
	ck_assert_uint_eq(get32(0x8000 - 20), 0x5002);
	ck_assert_uint_eq(get32(0x8000 - 16), SEL_CODE3);
	ck_assert_uint_eq(get32(0x8000 - 12), 0x202);
	ck_assert_uint_eq(get32(0x8000 - 8), 0x7000);
	ck_assert_uint_eq(get32(0x8000 - 4), SEL_DATA3);
	ck_assert_int_eq(run_helper(helper_iret, 1, 0, 0), NO_FAULT);
	ck_assert_uint_eq(cpu_cpl(x), 3);
	ck_assert_uint_eq(cpu->pc, 0x5002);
	ck_assert_uint_eq(cpu->regs[R_ESP], 0x7000);
	ck_assert_uint_eq(cpu_get_eflags(x), 0x202);
}
END_TEST

START_TEST(int_n_checks_the_gate)
{
	enter_protected(3);
	put_gate(0x80, SEL_CODE0, 0x1000, 0x8e);         /* DPL 0 */
	ck_assert_int_eq(run_helper(helper_raise_int, 0x80, 0x5002, 0), EXCP_GP);
	ck_assert_uint_eq(x->error_code, 0x80 * 8 + 2);
	enter_protected(3);
	ck_assert_int_eq(deliver_event(EXCP_UD, false, 0), EXCP_GP);
	ck_assert_uint_eq(x->error_code, EXCP_UD * 8 + 3);
	put_gate(EXCP_BR, SEL_CODE0, 0, 0x0e);           /* not present */
	enter_protected(0);
	put_gate(EXCP_BR, SEL_CODE0, 0, 0x0e);
	ck_assert_int_eq(deliver_event(EXCP_BR, false, 0), EXCP_NP);
}
END_TEST

START_TEST(faults_push_rf_and_an_error_code)
{
	enter_protected(0);
	put_gate(EXCP_GP, SEL_CODE0, 0x1000, 0x8f);
	cpu->pc = 0x5000;
	ck_assert_int_eq(deliver_event(EXCP_GP, true, 0x1234), NO_FAULT);
	ck_assert_uint_eq(cpu->regs[R_ESP], 0x7000 - 16);
	ck_assert_uint_eq(get32(0x7000 - 16), 0x1234);
	ck_assert_uint_eq(get32(0x7000 - 4), 2 | EFLAGS_RF);
}
END_TEST

/* The table of classes: first #NP, then what its delivery raises. */
START_TEST(two_contributory_faults_are_a_double_fault)
{
	enter_protected(0);
	put_gate(EXCP_NP, SEL_FREE, 0, 0x8e);            /* GP: not code */
	ck_assert_int_eq(deliver_event(EXCP_NP, true, 0), EXCP_DF);
	enter_protected(0);
	put_gate(EXCP_UD, SEL_FREE, 0, 0x8e);            /* benign first */
	ck_assert_int_eq(deliver_event(EXCP_UD, false, 0), EXCP_GP);
}
END_TEST

/* -- v86 ------------------------------------------------------------------------------- */
START_TEST(v86_and_back)
{
	static const u32 frame[] = { 0x10, 0x2000, EFLAGS_VM | EFLAGS_IOPL | 0x202, 0xfff0,
		0x3000, 0x4000, 0x5000, 0x6000, 0x7000 };

	enter_protected(0);
	cpu->regs[R_ESP] = 0x7000;
	memcpy(ram + 0x7000, frame, sizeof(frame));
	ck_assert_int_eq(run_helper(helper_iret, 1, 0, 0), NO_FAULT);
	ck_assert_uint_eq(x->hflags & (HF_CPL | HF_VM), 3 | HF_VM);
	ck_assert_uint_eq(x->seg[R_CS].base, 0x20000);
	ck_assert_uint_eq(x->seg[R_GS].base, 0x70000);
	ck_assert_uint_eq(x->hflags & HF_CS32, 0);
	put_gate(EXCP_GP, SEL_CODE0, 0x1000, 0x8e);
	ck_assert_int_eq(deliver_event(EXCP_GP, true, 0), NO_FAULT);
	ck_assert_uint_eq(cpu_cpl(x), 0);
	ck_assert_uint_eq(x->eflags & EFLAGS_VM, 0);
	ck_assert_uint_eq(cpu->regs[R_ESP], 0x8000 - 40);
	ck_assert_uint_eq(get32(0x8000 - 4), 0x7000);            /* GS */
	ck_assert_uint_eq(get32(0x8000 - 16), 0x4000);           /* ES */
	ck_assert_uint_eq(get32(0x8000 - 20), 0x3000);           /* SS */
	ck_assert_uint_eq(x->seg[R_DS].selector, 0);
}
END_TEST

/* -- gates, returns ------------------------------------------------------------------------ */
START_TEST(call_gate_copies_parameters)
{
	enter_protected(3);
	put32(GDT + SEL_FREE, 0x4444 | SEL_CODE0 << 16);
	put32(GDT + SEL_FREE + 4, 0xec02 | 0x00010000);          /* 2 dwords */
	cpu->regs[R_ESP] = 0x6ff8;
	put32(0x6ff8, 111), put32(0x6ffc, 222);
	ck_assert_int_eq(run_helper(helper_lcall, SEL_FREE | 3, 0, 0x5007), NO_FAULT);
	ck_assert_uint_eq(cpu->pc, 0x14444);
	ck_assert_uint_eq(cpu_cpl(x), 0);
	ck_assert_uint_eq(cpu->regs[R_ESP], 0x8000 - 24);
	ck_assert_uint_eq(get32(0x8000 - 24), 0x5007);
	ck_assert_uint_eq(get32(0x8000 - 16), 111);
	ck_assert_uint_eq(get32(0x8000 - 12), 222);
	ck_assert_uint_eq(get32(0x8000 - 8), 0x6ff8);
	run_helper(helper_load_seg, R_DS, SEL_DATA0, 0);
	ck_assert_int_eq(run_helper(helper_lret, 1, 8, 0), NO_FAULT);
	ck_assert_uint_eq(cpu_cpl(x), 3);
	ck_assert_uint_eq(cpu->regs[R_ESP], 0x7000);
	ck_assert_uint_eq(x->seg[R_DS].selector, 0);             /* was inner */
	ck_assert_uint_eq(x->seg[R_FS].selector, SEL_DATA3);
}
END_TEST

START_TEST(task_switch_saves_and_loads)
{
	enum { TSS2 = 0x3000 };

	enter_protected(0);
	put_desc(SEL_FREE, TSS2, 0x67, 0x89, 0);
	put32(TSS2 + 32, 0x7777), put32(TSS2 + 36, 2), put32(TSS2 + 40, 0xaaaa);
	put32(TSS2 + 56, 0x9000);
	for (int i = 0; i < 6; i++)
		put32(TSS2 + 72 + 4 * (u32)i, i == 1 ? SEL_CODE0 : SEL_DATA0);
	cpu->regs[R_EAX] = 0x5555;
	ck_assert_int_eq(run_helper(helper_lcall, SEL_FREE, 0, 0x5007), NO_FAULT);
	ck_assert_uint_eq(cpu->pc, 0x7777);
	ck_assert_uint_eq(cpu->regs[R_EAX], 0xaaaa);
	ck_assert_uint_eq(cpu->regs[R_ESP], 0x9000);
	ck_assert_uint_eq(get32(TSS2) & 0xffff, SEL_TSS);
	ck_assert_uint_eq(get32(TSS + 32), 0x5007);
	ck_assert_uint_eq(get32(TSS + 40), 0x5555);
	ck_assert(x->eflags & EFLAGS_NT);
	ck_assert_int_eq(run_helper(helper_iret, 1, 0x7778, 0), NO_FAULT);
	ck_assert_uint_eq(cpu->pc, 0x5007);
	ck_assert_uint_eq(cpu->regs[R_EAX], 0x5555);
	ck_assert_uint_eq(x->eflags & EFLAGS_NT, 0);
	ck_assert_uint_eq(get32(GDT + SEL_FREE + 4) >> 8 & 15, TYPE_TSS32);
}
END_TEST

START_TEST(sysenter_and_sysexit)
{
	enter_protected(3);
	x->sysenter_cs = SEL_CODE0;
	x->sysenter_esp = 0x8000;
	x->sysenter_eip = 0x1234;
	ck_assert_int_eq(run_helper(helper_sysexit, 0, 0, 0), EXCP_GP);
	ck_assert_int_eq(run_helper(helper_sysenter, 0, 0, 0), NO_FAULT);
	ck_assert_uint_eq(cpu_cpl(x), 0);
	ck_assert_uint_eq(cpu->pc, 0x1234);
	cpu->regs[R_ECX] = 0x7000, cpu->regs[R_EDX] = 0x5000;
	ck_assert_int_eq(run_helper(helper_sysexit, 0, 0, 0), NO_FAULT);
	ck_assert_uint_eq(x->seg[R_SS].selector, SEL_CODE0 + 24 + 3);
	ck_assert_uint_eq(cpu->regs[R_ESP], 0x7000);
}
END_TEST

/* -- ports ------------------------------------------------------------------------------------ */
START_TEST(io_bitmap)
{
	enter_protected(3);
	put_desc(SEL_TSS, TSS, 0x67 + 0x21, 0x8b, 0);
	x->tr.limit = 0x67 + 0x21;
	memset(ram + TSS + 0x68, 0xff, 0x21);
	ram[TSS + 0x68 + 0x60 / 8] = 0xf0;               /* 60h-63h */
	ck_assert_int_eq(run_helper(helper_check_io, 0x60, 4, 0), NO_FAULT);
	ck_assert_int_eq(run_helper(helper_check_io, 0x61, 4, 0), EXCP_GP);
	ck_assert_int_eq(run_helper(helper_check_io, 0x64, 1, 0), EXCP_GP);
	ck_assert_int_eq(run_helper(helper_check_io, 0x3f8, 1, 0), EXCP_GP);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("i386/seg");
	TCase *t = tcase_create("protection");

	tcase_add_unchecked_fixture(t, fake_cpu_init, NULL);
	tcase_add_loop_test(t, segment_loads, 0, (int)ARRAY_SIZE(loads));
	tcase_add_loop_test(t, segment_limits, 0, (int)ARRAY_SIZE(limits));
	tcase_add_test(t, flat_segments_are_known);
	tcase_add_test(t, trap_from_ring_3_switches_stacks);
	tcase_add_test(t, int_n_checks_the_gate);
	tcase_add_test(t, faults_push_rf_and_an_error_code);
	tcase_add_test(t, two_contributory_faults_are_a_double_fault);
	tcase_add_test(t, v86_and_back);
	tcase_add_test(t, call_gate_copies_parameters);
	tcase_add_test(t, task_switch_saves_and_loads);
	tcase_add_test(t, sysenter_and_sysexit);
	tcase_add_test(t, io_bitmap);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
