// SPDX-License-Identifier: GPL-2.0-or-later
/* Queued work and exclusive sections from several threads at once, while vCPUs
 * run. Each test runs in both thread modes (_i). What other threads find wrong is
 * a bug(): libcheck's own checks are slow there. */
#include "env/log.h"
#include "env/thread.h"
#include "smp_board.h"

enum { CPUS = 3, MODES = 2 };

/* pause; inc dword [ebx]; jmp: each counts, and lets others have their turn */
static void start(int mode)
{
	board_init(CPUS, mode == 1);
	CODE_AT(CODE, 0xf3, 0x90, 0x67, 0x66, 0xff, 0x03, 0xeb, 0xf8);
	board_cpus(CPUS, CODE);
	resume_all_vcpus();
}

static void each_moves(void)
{
	for (int i = 0; i < CPUS; i++) {
		u32 was = counter(i);

		BOARD_UNTIL(counter(i) != was);
	}
}

static void nothing(struct cpu *cpu, void *data)
{
	(void)cpu, (void)data;
}

/* Behind all that was queued on them before. */
static void let_queues_drain(void)
{
	for (int i = 0; i < CPUS; i++)
		run_on_cpu(qemu_get_cpu(i), nothing, NULL);
}

/* -- one queue, several producers ---------------------------------------------------- */
enum { PRODUCERS = 3, ITEMS = 1000 };

static struct producer { struct thread thread; u32 taken; } producers[PRODUCERS];
struct item { struct producer *from; u32 number; };

static void take_item(struct cpu *cpu, void *data)
{
	struct item *m = data;

	if (cpu != current_cpu || m->number != m->from->taken)
		bug("work out of order");
	m->from->taken++;
	free(m);
}

static void *produce(void *arg)
{
	for (u32 i = 0; i < ITEMS; i++) {
		struct item *m = malloc(sizeof(*m));

		*m = (struct item){ arg, i };
		async_run_on_cpu(qemu_get_cpu(0), take_item, m);
	}
	return NULL;
}

/* Each item once, those of a producer in their order. */
START_TEST(row_14_producers)
{
	start(_i);
	for (int i = 0; i < PRODUCERS; i++)
		thread_create(&producers[i].thread, "producer", produce, &producers[i]);
	bql_unlock();
	for (int i = 0; i < PRODUCERS; i++)
		thread_join(&producers[i].thread);
	bql_lock();
	let_queues_drain();
	for (int i = 0; i < PRODUCERS; i++)
		ck_assert_uint_eq(producers[i].taken, ITEMS);
	ck_assert(cpu_work_list_empty(qemu_get_cpu(0)));
	each_moves();
}
END_TEST

/* -- sections -------------------------------------------------------------------------- */
static int inside, sections;                     /* of the section's holder   */

/* Nobody executes guest code. (`running` may show for a moment in
 * cpu_exec_start.) */
static void alone(void)
{
	bool moved = false;
	u32 at[CPUS];
	int was = inside++;

	for (int i = 0; i < CPUS; i++)
		at[i] = counter(i);
	for (int turn = 0; turn < 100; turn++)
		for (int i = 0; i < CPUS; i++)
			moved |= counter(i) != at[i];
	sections++;
	inside--;
	if (moved || was)
		bug("not alone in a section");
}

static void set_true(struct cpu *cpu, void *data)
{
	(void)cpu;
	*(bool *)data = true;
}

static void safe_item(struct cpu *cpu, void *data)
{
	bool now = false;

	(void)data;
	async_safe_run_on_cpu(cpu, set_true, &now);
	start_exclusive();
	end_exclusive();                         /* counted: still in one    */
	if (!now || !in_exclusive() || bql_held())
		bug("nested section");
	alone();
}

START_TEST(row_13_within_a_section)
{
	start(_i);
	for (int turn = 0; turn < 20; turn++)
		for (int i = 0; i < CPUS; i++)
			async_safe_run_on_cpu(qemu_get_cpu(i), safe_item, NULL);
	let_queues_drain();
	ck_assert_int_eq(sections, 20 * CPUS);
	each_moves();
}
END_TEST

static void ask(struct cpu *cpu, void *data)
{
	async_safe_run_on_cpu(cpu, safe_item, NULL);
	*(int *)data = sections;
}

/* Of oneself: queued. */
START_TEST(row_17_of_oneself)
{
	int then = -1;

	start(_i);
	run_on_cpu(qemu_get_cpu(1), ask, &then);
	ck_assert_int_eq(then, 0);
	let_queues_drain();
	ck_assert_int_eq(sections, 1);
}
END_TEST

static void *outsider(void *arg)
{
	for (int i = 0; i < 200; i++) {
		start_exclusive();
		alone();
		end_exclusive();
		++*(int *)arg;
	}
	return NULL;
}

/* Threads that are no vCPUs, and vCPUs: each gets its sections, nobody starves. */
START_TEST(row_10_many_want_one)
{
	struct thread t[4];
	int done[4] = { 0 };

	start(_i);
	for (int i = 0; i < 4; i++)
		thread_create(&t[i], "outsider", outsider, &done[i]);
	for (int i = 0; i < 20 * CPUS; i++)
		async_safe_run_on_cpu(qemu_get_cpu(i % CPUS), safe_item, NULL);
	each_moves();
	bql_unlock();
	for (int i = 0; i < 4; i++)
		thread_join(&t[i]);
	bql_lock();
	let_queues_drain();
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(done[i], 200);
	ck_assert_int_eq(sections, 4 * 200 + 20 * CPUS);
	each_moves();
}
END_TEST

/* What was queued before the section of the step began comes first: a flush,
 * perhaps, whose sender has had a section since, and takes it for done. The BQL
 * keeps the vCPU's own thread from doing the work. */
START_TEST(row_11_work_before_the_step)
{
	struct cpu *cpu;

	board_init(2, false);
	CODE_AT(CODE, 0xf0, 0xff, 0x06, 0xff, 0x1f, 0xf4);    /* lock inc word [1fffh] */
	cpu = board_cpu(0, CODE);
	async_run_on_cpu(cpu, nothing, NULL);
	current_cpu = cpu;
	cpu_exec_step_atomic(cpu);
	ck_assert_uint_eq(cpu->pc, CODE);
	ck_assert_uint_eq(ram[0x1fff], 0);
	current_cpu = NULL;
	run_on_cpu(cpu, nothing, NULL);
	current_cpu = cpu;
	cpu_exec_step_atomic(cpu);
	ck_assert_uint_eq(cpu->pc, CODE + 5);
	ck_assert_uint_eq(ram[0x1fff], 1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("qemu/work");
	TCase *t = tcase_create("work");
	SRunner *r;
	int failed;

	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, row_14_producers, 0, MODES);
	tcase_add_loop_test(t, row_13_within_a_section, 0, MODES);
	tcase_add_loop_test(t, row_17_of_oneself, 0, MODES);
	tcase_add_loop_test(t, row_10_many_want_one, 0, MODES);
	tcase_add_test(t, row_11_work_before_the_step);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
