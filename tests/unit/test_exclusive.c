/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qemu/cpus-common: exclusive sections and queued work under threads that stand
 * for vCPUs but run no guest code, and so meet a thousand times as often. The
 * model of the same code is tests/model/exclusive.pml. row-07: what the list
 * lock, exclusive_cond, exclusive_resume and qemu_work_cond are for. */
#include <check.h>
#include <malloc.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "child.h"
#include "env/clock.h"
#include "env/poll.h"
#include "env/thread.h"
#include "qemu/cpus_accel.h"

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
enum { SANITIZED = 1, SLOWER = 20 };
#else
enum { SANITIZED = 0, SLOWER = 1 };
#endif
enum { N_CPUS = 4 };

static struct cpu *cpu[N_CPUS];

static void cpus_make(int n)
{
	for (int i = 0; i < n; i++) {
		cpu[i] = calloc(1, sizeof(*cpu[i]));
		ck_assert_ptr_nonnull(cpu[i]);
		cpu[i]->cpu_index = i;
		cpu[i]->created = true;
		lock_init(&cpu[i]->work_lock, "cpu_work", RANK_CPU_WORK);
		cpu[i]->halt_cond = calloc(1, sizeof(*cpu[i]->halt_cond));
		cpu_list_add(cpu[i]);
	}
}

static u64 load(const u64 *p) { return __atomic_load_n(p, __ATOMIC_SEQ_CST); }
static void add(u64 *p, s64 n) { __atomic_fetch_add(p, (u64)n, __ATOMIC_SEQ_CST); }

/* -- sections -------------------------------------------------------------------- */

static u64 inside, sections, had[N_CPUS], wrong;

static void in_guest(struct cpu *c)
{
	cpu_exec_start(c);
	add(&inside, 1);
	add(&wrong, (s64)load(&sections));
	add(&inside, -1);
	cpu_exec_end(c);
}

/* A section within the section counts. */
static void one_section(struct cpu *c)
{
	start_exclusive();
	add(&sections, 1);
	add(&wrong, load(&sections) != 1 || load(&inside) || !in_exclusive() ||
	    !cpu_in_exclusive_context(c));
	start_exclusive();
	end_exclusive();
	add(&wrong, load(&sections) != 1 || load(&inside) || !in_exclusive());
	add(&sections, -1);
	end_exclusive();
	add(&wrong, in_exclusive() || cpu_in_exclusive_context(c));
	add(&had[c->cpu_index], 1);
}

enum { ENOUGH = 3000 / SLOWER };

static bool all_had_enough(void)
{
	for (int i = 0; i < N_CPUS; i++)
		if (load(&had[i]) < ENOUGH)
			return false;
	return true;
}

/* Whoever has had its share goes on asking, in the way of the others. */
static void *asks_always(void *arg)
{
	current_cpu = arg;
	while (!all_had_enough()) {
		in_guest(arg);
		one_section(arg);
	}
	return NULL;
}

/* row-09, row-10: one at a time, nobody in guest code meanwhile; all get theirs */
START_TEST(row_09_10_all_ask)
{
	struct thread t[N_CPUS];

	cpus_make(N_CPUS);
	for (int i = 0; i < N_CPUS; i++)
		thread_create(&t[i], "asks", asks_always, cpu[i]);
	for (int i = 0; i < N_CPUS; i++)
		thread_join(&t[i]);
	ck_assert_uint_eq(wrong, 0);
	ck_assert_uint_eq(load(&inside), 0);
}
END_TEST

enum { MEETINGS = 10000000 / SLOWER };
static u64 guest_stop;

static void *guest_only(void *arg)
{
	current_cpu = arg;
	for (u32 i = 0; i < MEETINGS; i++) {
		cpu_exec_start(arg);
		__atomic_store_n(&inside, 1, __ATOMIC_RELAXED);
		__atomic_store_n(&inside, 0, __ATOMIC_RELAXED);
		cpu_exec_end(arg);
	}
	__atomic_store_n(&guest_stop, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

/* row-08: ten million entries of guest code, against a thread that does nothing
 * but begin and end sections */
START_TEST(row_08_start_against_section)
{
	struct thread t;
	u64 n = 0;

	cpus_make(1);
	thread_create(&t, "guest", guest_only, cpu[0]);
	while (!load(&guest_stop)) {
		start_exclusive();
		for (int i = 0; i < 20; i++)
			ck_assert_uint_eq(__atomic_load_n(&inside, __ATOMIC_RELAXED), 0);
		end_exclusive();
		n++;
		sched_yield();
	}
	thread_join(&t);
	ck_assert_uint_gt(n, 0);
}
END_TEST

/* -- the fences ------------------------------------------------------------------------
 * cpu_exec_start stores `running` and loads pending_cpus, start_exclusive stores
 * pending_cpus and loads `running`. With plain stores a processor may do the load
 * first, and both miss the other: seen here on any x86. With the code's they do
 * not. Cells on cache lines of their own, walked by both threads at once. */
enum { CELLS = 512, TURNS = 2000 / SLOWER };
static struct cell { u64 v; u64 pad[7]; } x[CELLS], y[CELLS];
static u64 saw_x[CELLS], saw_y[CELLS], at_start[2], fenced;

static void meet(int me, u64 turn)
{
	__atomic_store_n(&at_start[me], turn, __ATOMIC_SEQ_CST);
	while (load(&at_start[!me]) < turn)
		if (load(&at_start[!me]) + 1 < turn)
			sched_yield();
}

static void walk(struct cell *mine, struct cell *other, u64 *saw)
{
	for (int i = 0; i < CELLS; i++) {
		if (fenced)
			__atomic_store_n(&mine[i].v, 1, __ATOMIC_SEQ_CST);
		else
			__atomic_store_n(&mine[i].v, 1, __ATOMIC_RELAXED);
		saw[i] = __atomic_load_n(&other[i].v, __ATOMIC_SEQ_CST);
	}
}

static void *walks_y(void *arg)
{
	(void)arg;
	for (u64 turn = 1; turn <= 2 * TURNS; turn += 2) {
		meet(1, turn);
		walk(y, x, saw_y);
		meet(1, turn + 1);
	}
	return NULL;
}

static u64 both_missed(bool with_fence)
{
	struct thread t;
	u64 n = 0;

	fenced = with_fence;
	at_start[0] = at_start[1] = 0;
	memset(x, 0, sizeof(x));
	memset(y, 0, sizeof(y));
	thread_create(&t, "walks", walks_y, NULL);
	for (u64 turn = 1; turn <= 2 * TURNS; turn += 2) {
		meet(0, turn);
		walk(x, y, saw_x);
		meet(0, turn + 1);
		for (int i = 0; i < CELLS; i++) {
			n += !saw_x[i] && !saw_y[i];
			x[i].v = y[i].v = 0;
		}
	}
	thread_join(&t);
	return n;
}

START_TEST(row_08_fences)
{
	u64 n = 0;

	for (int i = 0; i < 3 && !n; i++)
		n = both_missed(false);
	printf("# without fences both missed the other %llu times of %d%s\n",
	       (unsigned long long)n, TURNS * CELLS,
	       n ? "" : " (a busy host, or one processor)");
	ck_assert_uint_eq(both_missed(true), 0);
}
END_TEST

/* -- queued work ------------------------------------------------------------------------- */

enum { PRODUCERS = 3, ITEMS = 100000 / SLOWER };
static u64 next_of[PRODUCERS], taken, out_of_order;

static void take(struct cpu *c, void *data)
{
	u64 v = (u64)(uintptr_t)data;

	ck_assert(bql_held());
	ck_assert_ptr_eq(c, current_cpu);
	out_of_order += next_of[v % PRODUCERS]++ != v / PRODUCERS;
	taken++;
}

static void *produce(void *arg)
{
	u64 me = (u64)(uintptr_t)arg;

	for (u64 i = 0; i < ITEMS; i++)
		async_run_on_cpu(cpu[0], take, (void *)(uintptr_t)(i * PRODUCERS + me));
	return NULL;
}

/* Sleeps when there is nothing, as a halted vCPU does. */
static void *consume(void *arg)
{
	struct cpu *c = arg;

	current_cpu = c;
	while (taken < PRODUCERS * ITEMS) {
		halt_clear(c->halt_cond);
		if (cpu_work_list_empty(c))
			halt_sleep(c->halt_cond, 0);
		bql_lock();
		process_queued_cpu_work(c);
		bql_unlock();
	}
	return NULL;
}

/* row-14, row-32: nothing lost, nothing twice, in order; each kick that a sleeper
 * needs wakes it; memory is given back */
START_TEST(row_14_producers)
{
	struct thread t[PRODUCERS], consumer;
	size_t used;

	cpus_make(1);
	used = mallinfo2().uordblks;
	thread_create(&consumer, "consume", consume, cpu[0]);
	for (u64 i = 0; i < PRODUCERS; i++)
		thread_create(&t[i], "produce", produce, (void *)(uintptr_t)i);
	for (int i = 0; i < PRODUCERS; i++)
		thread_join(&t[i]);
	thread_join(&consumer);
	ck_assert_uint_eq(taken, PRODUCERS * ITEMS);
	ck_assert_uint_eq(out_of_order, 0);
	ck_assert(cpu_work_list_empty(cpu[0]));
	if (!SANITIZED)
		ck_assert_uint_lt(mallinfo2().uordblks, used + ITEMS);
}
END_TEST

static int safe_ran;

static void safe(struct cpu *c, void *data)
{
	(void)c, (void)data;
	ck_assert(in_exclusive());
	ck_assert(!bql_held());
	safe_ran++;
}

/* row-13: who is in a section has it run now; row-17: to itself, it is queued */
START_TEST(row_13_17_safe_work)
{
	cpus_make(2);
	current_cpu = cpu[0];
	async_safe_run_on_cpu(cpu[0], safe, NULL);
	ck_assert_int_eq(safe_ran, 0);
	bql_lock();
	process_queued_cpu_work(cpu[0]);
	ck_assert(bql_held());
	bql_unlock();
	ck_assert_int_eq(safe_ran, 1);
	start_exclusive();
	async_safe_run_on_cpu(cpu[1], safe, NULL);
	ck_assert_int_eq(safe_ran, 2);
	end_exclusive();
	ck_assert(cpu_work_list_empty(cpu[1]));
	ck_assert(!in_exclusive());
}
END_TEST

/* -- what must not be ----------------------------------------------------------------------- */

static void section_in_guest(void)
{
	cpus_make(1);
	current_cpu = cpu[0];
	cpu_exec_start(cpu[0]);
	start_exclusive();
}

static void nobody(struct cpu *c, void *data)
{
	(void)c, (void)data;
}

static void work_in_section(void)
{
	cpus_make(1);
	start_exclusive();
	bql_lock();
	run_on_cpu(cpu[0], nobody, NULL);
}

static void end_too_much(void)
{
	start_exclusive();
	end_exclusive();
	end_exclusive();
}

/* row-09: upstream 7.2 waits for itself here, for ever */
START_TEST(row_09_misuse)
{
	child_bug(section_in_guest, "start_exclusive between", "CPU 0");
	child_bug(work_in_section, "run_on_cpu in an exclusive section", "CPU 0");
	child_bug(end_too_much, "exclusive_depth", "cpus-common.c");
}
END_TEST

/* -- event notifier ---------------------------------------------------------------------------- */

enum { NOTIFIES = 200000 / SLOWER };
static struct event_notifier note;
static u64 noted;

static void *notify(void *arg)
{
	(void)arg;
	for (int i = 0; i < NOTIFIES; i++) {
		add(&noted, 1);
		event_notifier_set(&note);
	}
	return NULL;
}

/* row-36: the last one always shows, however many fall together */
START_TEST(row_36_notifier)
{
	struct thread t[PRODUCERS];
	u64 turns = 0;

	event_notifier_init(&note);
	for (int i = 0; i < PRODUCERS; i++)
		thread_create(&t[i], "notify", notify, NULL);
	while (load(&noted) < PRODUCERS * NOTIFIES) {
		struct pollfd p = { note.fd, POLLIN, 0 };

		ck_assert_int_eq(poll(&p, 1, 20000), 1);
		ck_assert(event_notifier_test_and_clear(&note));
		turns++;
	}
	for (int i = 0; i < PRODUCERS; i++)
		thread_join(&t[i]);
	ck_assert_uint_le(turns, PRODUCERS * NOTIFIES);
	event_notifier_test_and_clear(&note);
	ck_assert(!event_notifier_test_and_clear(&note));
	event_notifier_cleanup(&note);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("qemu/cpus-common");
	TCase *c = tcase_create("exclusive");

	tcase_set_timeout(c, 120);
	tcase_add_test(c, row_09_10_all_ask);
	tcase_add_test(c, row_08_start_against_section);
	tcase_add_test(c, row_08_fences);
	tcase_add_test(c, row_14_producers);
	tcase_add_test(c, row_13_17_safe_work);
	tcase_add_test(c, row_09_misuse);
	tcase_add_test(c, row_36_notifier);
	suite_add_tcase(s, c);
	return suite_main(s);
}
