/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qemu/cpu_timer: a vCPU's own timer, by its thread's alarm: while it sleeps and while it
 * runs, but not while the machine is stopped. Row-31. Loop tests: 0 is thread=multi, 1
 * thread=single. */
#include "child.h"
#include "smp_board.h"

#include "qemu/cpu_timer.h"
#include "qemu/timer.h"

enum { MODES = 2, N = 4, MS = 1000000 };
enum { LOOP = CODE + 0x100 };

/* What the callbacks saw, by vCPU; written under its timer's lock. */
static struct { int n, early, own_thread; s64 expire; s64 period; } seen[N];

static void fires(struct cpu *cpu)
{
	__typeof__(&seen[0]) s = &seen[cpu->cpu_index];

	s->early += qemu_clock_get_ns() < s->expire;
	s->own_thread += qemu_cpu_is_self(cpu);
	if (s->period) {
		s->expire += s->period;
		cpu_timer_mod(cpu, s->expire);
	}
	__atomic_add_fetch(&s->n, 1, __ATOMIC_SEQ_CST);
}

static int fired(int i) { return __atomic_load_n(&seen[i].n, __ATOMIC_SEQ_CST); }

static int early(int i)
{
	struct cpu *cpu = qemu_get_cpu(i);
	int n;

	cpu_timer_lock(cpu);
	n = seen[i].early;
	cpu_timer_unlock(cpu);
	return n;
}

/* N vCPUs whose timers call fires(), the first `running` of them in a loop. An NMI
 * makes one of the others loop, too. */
static void board(bool single, int running)
{
	board_init(N, single);
	CODE_AT(LOOP, 0xeb, 0xfe);
	CODE_AT(2 * 4, LOOP & 0xff, LOOP >> 8, 0, 0);
	for (int i = 0; i < N; i++) {
		struct cpu *cpu = board_cpu(i, i < running ? LOOP : 0);

		cpu_timer_destroy(cpu);          /* its local APIC's         */
		cpu_timer_init(cpu, fires);
	}
	qemu_clock_enable(true);
}

/* As its own thread would. */
static void set_here(struct cpu *cpu, void *ns)
{
	s64 at = qemu_clock_get_ns() + *(s64 *)ns;

	cpu_timer_lock(cpu);
	seen[cpu->cpu_index].expire = at;
	cpu_timer_mod(cpu, at);
	cpu_timer_unlock(cpu);
}

static void set(int i, s64 ns)
{
	run_on_cpu(qemu_get_cpu(i), set_here, &ns);
}

START_TEST(row_31_asleep)
{
	board(_i, 0);
	resume_all_vcpus();
	for (int i = 0; i < N; i++)
		set(i, (10 + 5 * i) * MS);
	BOARD_UNTIL(fired(0) && fired(1) && fired(2) && fired(3));
	board_run(50);
	for (int i = 0; i < N; i++) {
		ck_assert_int_eq(fired(i), 1);
		ck_assert_int_eq(early(i), 0);
		ck_assert_int_eq(seen[i].own_thread, 1);
	}
}
END_TEST

START_TEST(running)
{
	board(_i, N);
	resume_all_vcpus();
	for (int i = 0; i < N; i++)
		set(i, (10 + 5 * i) * MS);
	BOARD_UNTIL(fired(0) && fired(1) && fired(2) && fired(3));
	for (int i = 0; i < N; i++) {
		ck_assert_int_eq(fired(i), 1);
		ck_assert_int_eq(early(i), 0);
		ck_assert_int_eq(seen[i].own_thread, 1);
	}
}
END_TEST

/* One that slept until its time is woken before it, and runs on. */
START_TEST(woken_before_its_time)
{
	board(_i, 0);
	resume_all_vcpus();
	set(1, 100 * MS);
	board_run(20);
	cpu_interrupt(qemu_get_cpu(1), CPU_INTERRUPT_NMI);
	BOARD_UNTIL(fired(1));
	ck_assert_int_eq(early(1), 0);
	ck_assert_int_eq(seen[1].own_thread, 1);
}
END_TEST

START_TEST(set_by_its_callback)
{
	board(_i, 1);                          /* one runs, the others sleep */
	resume_all_vcpus();
	for (int i = 0; i < N; i++) {
		seen[i].period = 2 * MS;
		set(i, 2 * MS);
	}
	BOARD_UNTIL(fired(0) >= 50 && fired(1) >= 50 && fired(2) >= 50 && fired(3) >= 50);
	for (int i = 0; i < N; i++)
		ck_assert_int_eq(early(i), 0);
}
END_TEST

START_TEST(taken_back)
{
	int before[N];                         /* 1: the host was slow      */

	board(_i, 2);
	resume_all_vcpus();
	for (int i = 0; i < N; i++)
		set(i, 30 * MS);
	board_run(5);
	pause_all_vcpus();
	for (int i = 0; i < N; i++) {
		cpu_timer_lock(qemu_get_cpu(i));
		cpu_timer_del(qemu_get_cpu(i));
		before[i] = fired(i);
		cpu_timer_unlock(qemu_get_cpu(i));
		ck_assert_int_eq(cpu_timer_expire(qemu_get_cpu(i)), -1);
	}
	resume_all_vcpus();
	board_run(60);
	for (int i = 0; i < N; i++)
		ck_assert_int_eq(fired(i), before[i]);
}
END_TEST

/* The virtual clock stands: so do the timers, and go on for what was left. */
START_TEST(stopped)
{
	int before[N];                         /* 1: the host was slow      */

	board(_i, 2);
	resume_all_vcpus();
	for (int i = 0; i < N; i++)
		set(i, 60 * MS);
	board_run(5);
	pause_all_vcpus();
	qemu_clock_enable(false);
	board_run(0);                          /* what rang meanwhile       */
	for (int i = 0; i < N; i++)
		before[i] = fired(i);
	board_run(150);
	for (int i = 0; i < N; i++)
		ck_assert_int_eq(fired(i), before[i]);
	qemu_clock_enable(true);
	resume_all_vcpus();
	for (int i = 0; i < N; i++) {
		BOARD_UNTIL(fired(i) == 1);
		ck_assert_int_eq(early(i), 0);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("qemu/cpu_timer");
	TCase *t = tcase_create("core");

	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, row_31_asleep, 0, MODES);
	tcase_add_loop_test(t, running, 0, MODES);
	tcase_add_loop_test(t, woken_before_its_time, 0, MODES);
	tcase_add_loop_test(t, set_by_its_callback, 0, MODES);
	tcase_add_loop_test(t, taken_back, 0, MODES);
	tcase_add_loop_test(t, stopped, 0, MODES);
	suite_add_tcase(s, t);
	return suite_main(s);
}
