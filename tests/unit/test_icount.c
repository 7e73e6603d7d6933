/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qemu/icount: instructions are counted exactly, timers run at their instruction.
 * That two runs are the same is shown by tests/guests/run icount. row-28 */
#include "env/poll.h"
#include "smp_board.h"
#include "child.h"
#include "qemu/icount.h"
#include "qemu/timer.h"

enum { SHIFT = 3 };

static void icount_init(int smp)
{
	machine_config.icount = true;
	machine_config.icount_shift = SHIFT;
	board_init(smp, true);
	CODE_AT(HANDLER, 0xf4);                              /* hlt          */
	CODE_AT(6 * 4, HANDLER & 0xff, HANDLER >> 8, 0, 0);
	CODE_AT(0 * 4, HANDLER & 0xff, HANDLER >> 8, 0, 0);
	qemu_clock_enable(true);
}

/* A vCPU that halts, and how many instructions it took. */
static u64 run_until_halt(void)
{
	struct cpu *cpu = board_cpu(0, CODE);

	resume_all_vcpus();
	BOARD_UNTIL(__atomic_load_n(&cpu->halted, __ATOMIC_RELAXED));
	pause_all_vcpus();
	return icount_get_raw();
}

/* Programs and their length: a loop; a fault in a block's middle, whose instruction
 * does not count; a division error, which the host finds; a repeated instruction,
 * which is one; side exits that are taken. */
static const struct { u8 code[32]; u64 n; } programs[] = {
	{ { 0xf4 }, 1 },
	{ { 0x90, 0x90, 0x90, 0xf4 }, 4 },
	/* mov cx,1000; 1: inc word [bx]; dec cx; jnz 1b; hlt */
	{ { 0xb9, 0xe8, 0x03, 0x67, 0xff, 0x03, 0x49, 0x75, 0xfa, 0xf4 }, 3002 },
	/* nop; nop; ud2; nop ... */
	{ { 0x90, 0x90, 0x0f, 0x0b, 0x90, 0x90, 0xf4 }, 3 },
	/* xor cx,cx; nop; div cx; nop; hlt */
	{ { 0x31, 0xc9, 0x90, 0xf7, 0xf1, 0x90, 0xf4 }, 3 },
	/* mov di,9000h; mov cx,300; rep stosb; hlt */
	{ { 0xbf, 0x00, 0x90, 0xb9, 0x2c, 0x01, 0xf3, 0xaa, 0xf4 }, 4 },
	/* mov cx,100; 1: test cl,1; jz 2f; nop; nop; 2: loop 1b; hlt */
	{ { 0xb9, 0x64, 0x00, 0xf6, 0xc1, 0x01, 0x74, 0x02, 0x90, 0x90, 0xe2, 0xf7,
	    0xf4 }, 1 + 100 * 3 + 50 * 2 + 1 },
	/* call 1f; hlt; 1: push ax; pop ax; ret */
	{ { 0xe8, 0x01, 0x00, 0xf4, 0x50, 0x58, 0xc3 }, 5 },
};

START_TEST(row_28_exact_count)
{
	icount_init(1);
	put(CODE, programs[_i].code, sizeof(programs[_i].code));
	ck_assert_uint_eq(run_until_halt(), programs[_i].n);
	ck_assert_int_eq(qemu_clock_get_ns(), (s64)programs[_i].n << SHIFT);
}
END_TEST

/* Within a block, too: rdtsc; mov si,ax; nop; nop; rdtsc; sub ax,si; store; hlt */
START_TEST(row_28_time_in_a_block)
{
	icount_init(1);
	CODE_AT(CODE, 0x0f, 0x31, 0x89, 0xc6, 0x90, 0x90, 0x0f, 0x31, 0x29, 0xf0,
		0xa3, 0x00, 0x90, 0xf4);
	ck_assert_uint_eq(run_until_halt(), 8);
	ck_assert_uint_eq(ram[0x9000], 4 << SHIFT);
}
END_TEST

static struct { struct timer t; u64 at[3]; int n; } timed;

static void timer_cb(void *opaque) REQUIRES(bql)
{
	(void)opaque;
	timed.at[timed.n++] = icount_get_raw();
	if (timed.n < 3)
		timer_mod_ns(&timed.t, qemu_clock_get_ns() + 777);
	else
		cpu_interrupt(first_cpu, CPU_INTERRUPT_NMI);
}

/* A timer fires at the first instruction at or after its time, whatever kicks the
 * vCPU meanwhile; the interrupt it raises is taken there. */
START_TEST(row_28_timer_is_exact)
{
	struct cpu *cpu;
	u32 loops;

	icount_init(1);
	/* 1: inc dword [ebx]; nop; jmp 1b */
	CODE_AT(CODE, 0x67, 0x66, 0xff, 0x03, 0x90, 0xeb, 0xf9);
	CODE_AT(2 * 4, HANDLER & 0xff, HANDLER >> 8, 0, 0);
	timer_init_ns(&timed.t, timer_cb, NULL);
	timer_mod_ns(&timed.t, 10000001);
	cpu = board_cpu(0, CODE);
	resume_all_vcpus();
	BOARD_UNTIL((qemu_cpu_kick(cpu), __atomic_load_n(&cpu->halted, __ATOMIC_RELAXED)));
	pause_all_vcpus();
	ck_assert_uint_eq(timed.at[0], 1250001);
	ck_assert_uint_eq(timed.at[1], 1250001 + 98);
	ck_assert_uint_eq(timed.at[2], 1250001 + 2 * 98);
	/* 1250197 instructions, the next would have been the second nop's */
	loops = (1250197 + 2) / 3;
	ck_assert_uint_eq(counter(0), loops);
	ck_assert_uint_eq(icount_get_raw(), 1250197 + 1);
}
END_TEST

/* All halted: the clock goes on to the deadline, at once. */
START_TEST(row_28_idle_warps)
{
	s64 start = clock_monotonic_ns();

	icount_init(2);
	CODE_AT(CODE, 0xf4, 0xf4);
	CODE_AT(2 * 4, HANDLER & 0xff, HANDLER >> 8, 0, 0);
	timer_init_ns(&timed.t, timer_cb, NULL);
	timed.n = 2;
	timer_mod_ns(&timed.t, 3600 * NS_PER_SEC);
	board_cpu(0, CODE);
	board_cpu(1, 0);
	resume_all_vcpus();
	BOARD_UNTIL(__atomic_load_n(&timed.n, __ATOMIC_RELAXED) == 3);
	ck_assert_int_ge(qemu_clock_get_ns(), 3600 * NS_PER_SEC);
	ck_assert_int_lt(clock_monotonic_ns() - start, 60 * NS_PER_SEC);
}
END_TEST

/* vCPUs change turns after the same number of instructions, kicked or not. */
START_TEST(row_28_turns)
{
	icount_init(3);
	CODE_AT(CODE, 0x67, 0x66, 0xff, 0x03, 0xeb, 0xfa);
	timer_init_ns(&timed.t, timer_cb, NULL);
	timed.n = 2;
	timer_mod_ns(&timed.t, 600000 << SHIFT);
	CODE_AT(2 * 4, HANDLER & 0xff, HANDLER >> 8, 0, 0);
	board_cpus(3, CODE);
	resume_all_vcpus();
	BOARD_UNTIL((qemu_cpu_kick(first_cpu),
		     __atomic_load_n(&first_cpu->halted, __ATOMIC_RELAXED)));
	pause_all_vcpus();
	/* 12 turns of 50000 instructions, 2 a loop, for three */
	ck_assert_uint_eq(counter(0), 100000);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("qemu/icount");
	TCase *t = tcase_create("icount");

	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, row_28_exact_count, 0, (int)ARRAY_SIZE(programs));
	tcase_add_test(t, row_28_time_in_a_block);
	tcase_add_test(t, row_28_timer_is_exact);
	tcase_add_test(t, row_28_idle_warps);
	tcase_add_test(t, row_28_turns);
	suite_add_tcase(s, t);
	return suite_main(s);
}
