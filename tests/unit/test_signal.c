/* SPDX-License-Identifier: GPL-2.0-or-later */
/* env/signal: faults of generated code are handed to the hook, with the
 * registers and the FPU; the rest ends the program. */
#include <check.h>
#include <signal.h>
#include <string.h>

#include "child.h"
#include "env/map.h"
#include "env/signal.h"
#include "env/thread.h"

static u8 *rw, *rx;

static void code_put(size_t at, const void *bytes, size_t n)
{
	memcpy(rw + at, bytes, n);
}

static void setup(void)
{
	map_code(HOST_PAGE, &rw, &rx);
}

static u64 run(u64 arg)
{
	return ((u64(*)(u64))rx)(arg);
}

/* What the hook saw. */
static struct {
	int count, signo;
	void *addr;
	u64 pc, rdi, r9, eflags;
	u16 fpu_status;
} seen;

#define LANDING 128

static bool hook(int signo, void *addr, struct host_context *ctx)
{
	seen.count++;
	seen.signo = signo;
	seen.addr = addr;
	seen.pc = host_context_pc(ctx);
	seen.rdi = host_context_reg(ctx, 7);
	seen.r9 = host_context_reg(ctx, 9);
	seen.eflags = host_context_eflags(ctx);
	memcpy(&seen.fpu_status, host_context_fpu(ctx) + 2, 2);
	if (seen.pc - (u64)(uintptr_t)rx >= HOST_PAGE)
		return false;
	host_context_set_reg(ctx, 0, 1000 + (u64)seen.count);
	host_context_set_pc(ctx, (u64)(uintptr_t)rx + LANDING);
	return true;
}

/* mov r9d, 5; stc; mov [rdi], al; ud2 -- landing: ret */
static const u8 store[] = { 0x41, 0xb9, 5, 0, 0, 0, 0xf9, 0x88, 0x07,
			    0x0f, 0x0b };

START_TEST(hook_resumes_elsewhere)
{
	code_put(0, store, sizeof(store));
	code_put(LANDING, "\xc3", 1);
	signal_set_fault_hook(hook);
	for (int i = 1; i <= 3; i++) {
		ck_assert_uint_eq(run(0x123), 1000 + (u64)i);
		ck_assert_int_eq(seen.count, i);
	}
	ck_assert_int_eq(seen.signo, SIGSEGV);
	ck_assert_ptr_eq(seen.addr, (void *)0x123);
	ck_assert_uint_eq(seen.pc, (u64)(uintptr_t)rx + 7);
	ck_assert_uint_eq(seen.rdi, 0x123);
	ck_assert_uint_eq(seen.r9, 5);
	ck_assert_uint_eq(seen.eflags & 1, 1);
}
END_TEST

static void *run_store(void *arg)
{
	return (void *)(uintptr_t)run((u64)(uintptr_t)arg);
}

START_TEST(in_another_thread)
{
	struct thread t;

	code_put(0, store, sizeof(store));
	code_put(LANDING, "\xc3", 1);
	signal_set_fault_hook(hook);
	thread_create(&t, "faulty", run_store, (void *)0x456);
	ck_assert_uint_eq((u64)(uintptr_t)thread_join(&t), 1001);
	ck_assert_ptr_eq(seen.addr, (void *)0x456);
}
END_TEST

/* mov r10, rsp; xor esp, esp; push rax -- landing: mov rsp, r10; ret: the
 * stack pointer is the guest's, so that the handler needs its own. */
START_TEST(without_a_stack)
{
	static const u8 bad[] = { 0x49, 0x89, 0xe2, 0x31, 0xe4, 0x50 };
	static const u8 land[] = { 0x4c, 0x89, 0xd4, 0xc3 };

	code_put(0, bad, sizeof(bad));
	code_put(LANDING, land, sizeof(land));
	signal_set_fault_hook(hook);
	ck_assert_uint_eq(run(0), 1001);
}
END_TEST

/* fninit; push 0x37b (zero divide unmasked); fldcw [rsp]; pop rax; fld1; fldz;
 * fdivp; fwait -- landing: fnclex; fninit; ret */
START_TEST(x87_faults_show_the_status)
{
	static const u8 divide[] = {
		0xdb, 0xe3, 0x68, 0x7b, 0x03, 0, 0, 0xd9, 0x2c, 0x24, 0x58,
		0xd9, 0xe8, 0xd9, 0xee, 0xde, 0xf9, 0x9b,
	};
	static const u8 land[] = { 0xdb, 0xe2, 0xdb, 0xe3, 0xc3 };

	code_put(0, divide, sizeof(divide));
	code_put(LANDING, land, sizeof(land));
	signal_set_fault_hook(hook);
	ck_assert_uint_eq(run(0), 1001);
	ck_assert_int_eq(seen.signo, SIGFPE);
	ck_assert_uint_eq(seen.fpu_status & 0x84, 0x84);   /* ES, ZE */
	ck_assert_uint_eq(seen.pc, (u64)(uintptr_t)rx + 17);
}
END_TEST

/* The handler's C code does not disturb the FPU: fninit; fldpi; ud2 --
 * landing: fldpi; fcompp; fnstsw ax; ret: C3 (equal) */
START_TEST(x87_state_survives)
{
	static const u8 load[] = { 0xdb, 0xe3, 0xd9, 0xeb, 0x0f, 0x0b };
	static const u8 land[] = { 0xd9, 0xeb, 0xde, 0xd9, 0xdf, 0xe0, 0xc3 };

	code_put(0, load, sizeof(load));
	code_put(LANDING, land, sizeof(land));
	signal_set_fault_hook(hook);
	ck_assert_uint_eq(run(0) & 0x4500, 0x4000);
	ck_assert_int_eq(seen.signo, SIGILL);
	ck_assert_uint_eq((seen.fpu_status >> 11) & 7, 7);
}
END_TEST

/* -- fatal ones -------------------------------------------------------------- */

static void fault_unhooked(void)
{
	signal_init();
	fault_at(0x10);
}

static void fault_refused(void)
{
	signal_set_fault_hook(hook);
	fault_at(0x10);
}

#ifndef __SANITIZE_THREAD__
static bool faulty_hook(int signo, void *addr, struct host_context *ctx)
{
	(void)signo;
	(void)addr;
	(void)ctx;
	fault_at(0x20);
	return true;
}

static void fault_in_hook(void)
{
	signal_set_fault_hook(faulty_hook);
	fault_at(0x10);
}
#endif

START_TEST(the_rest_is_fatal)
{
	child_bug(fault_unhooked, "signal 11", "address 0x10");
	child_bug(fault_refused, "signal 11", "address 0x10");
#ifndef __SANITIZE_THREAD__            /* which blocks signals in handlers */
	child_bug(fault_in_hook, "signal 11", "address 0x20");
#endif
}
END_TEST

static void term(void)
{
	signal_init();
	raise(SIGTERM);
}

static void hup_ignored(void)
{
	signal(SIGHUP, SIG_IGN);
	signal_init();
	raise(SIGHUP);
}

static void pipe_broken(void)
{
	int fd[2];

	signal_init();
	if (pipe(fd) == 0) {
		close(fd[0]);
		_exit(write(fd[1], "x", 1) < 0 ? 9 : 1);
	}
}

START_TEST(signals_of_others)
{
	struct child c = child_run(term);

	ck_assert(WIFSIGNALED(c.status) && WTERMSIG(c.status) == SIGTERM);
	child_exit(hup_ignored, 0);
	child_exit(pipe_broken, 9);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("env/signal");
	TCase *t = tcase_create("signal");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, hook_resumes_elsewhere);
	tcase_add_test(t, in_another_thread);
	tcase_add_test(t, without_a_stack);
	tcase_add_test(t, x87_faults_show_the_status);
	tcase_add_test(t, x87_state_survives);
	tcase_add_test(t, the_rest_is_fatal);
	tcase_add_test(t, signals_of_others);
	suite_add_tcase(s, t);
	return suite_main(s);
}
