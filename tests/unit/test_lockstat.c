/* SPDX-License-Identifier: GPL-2.0-or-later */
/* env/lockstat: each count against a count of the test's own; times against what
 * the test waited. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "env/lockstat.h"
#include "env/thread.h"
#include "qemu/cpus_accel.h"
#include "smp_board.h"

enum { THREADS = 4, ROUNDS = 20000, MS = 1000000 };

static struct lock a = LOCK_INIT("stat a", RANK_CPU_LIST);
static struct lock b = LOCK_INIT("stat b", RANK_PAGE);
static struct cond turned = COND_INIT;

/* The row of a site; NULL: there is none. Copied, to be looked at at leisure. */
static const struct lockstat_sum *row(enum lockstat_kind kind, const char *name,
				      const char *func)
{
	static struct lockstat_sum found;
	const struct lockstat_sum *ret = NULL;
	size_t n;
	u64 lost;
	struct lockstat_sum *s = lockstat_merge(&n, &lost);

	for (size_t i = 0; i < n; i++)
		if (s[i].kind == kind && !strcmp(s[i].name, name) &&
		    (!func || !strcmp(s[i].site->func, func))) {
			found = s[i];
			ret = &found;
		}
	free(s);
	return ret;
}

static u64 count(enum lockstat_kind kind, const char *name, const char *func)
{
	const struct lockstat_sum *s = row(kind, name, func);

	return s ? s->n : 0;
}

/* -- locks ---------------------------------------------------------------------- */

static struct shadow { u64 first, second, tried; } shadow[THREADS];

static void take_second(struct shadow *own)
{
	lock_acquire(&b);
	own->second++;
	lock_release(&b);
}

static void try_b(struct shadow *own)
{
	if (!lock_tryacquire(&b))
		return;
	own->tried++;
	lock_release(&b);
}

static void *take_some(void *arg)
{
	struct shadow *own = arg;
	u32 x = 1 + (u32)(own - shadow);

	for (int i = 0; i < ROUNDS; i++) {
		x = x * 1664525 + 1013904223;
		if (x >> 31) {
			lock_acquire(&a);
			own->first++;
			if (x >> 30 & 1)
				take_second(own);
			lock_release(&a);
		} else {
			try_b(own);
		}
	}
	return NULL;
}

START_TEST(acquisitions_by_site)
{
	struct thread t[THREADS];
	struct shadow all = { 0, 0, 0 };

	lockstat_enable(WATCH_STATS);
	for (int i = 0; i < THREADS; i++)
		thread_create(&t[i], "taker", take_some, &shadow[i]);
	for (int i = 0; i < THREADS; i++)
		thread_join(&t[i]);
	for (int i = 0; i < THREADS; i++) {
		all.first += shadow[i].first;
		all.second += shadow[i].second;
		all.tried += shadow[i].tried;
	}
	ck_assert_uint_gt(all.first, THREADS * ROUNDS / 3);
	ck_assert_uint_eq(count(STAT_LOCK, "stat a", "take_some"), all.first);
	ck_assert_uint_eq(count(STAT_LOCK, "stat b", "take_second"), all.second);
	ck_assert_uint_eq(count(STAT_LOCK, "stat b", "try_b"), all.tried);
	ck_assert_uint_eq(row(STAT_LOCK, "stat a", "take_some")->hold.n, all.first);
	ck_assert_uint_eq(row(STAT_LOCK, "stat b", "try_b")->wait.n, 0);
	ck_assert_uint_eq(lockstat_count(STAT_LOCK, "stat b", 0), all.second + all.tried);
}
END_TEST

START_TEST(nobody_watches)
{
	lock_acquire(&a);
	lock_release(&a);
	lockstat_event("event", 0);
	ck_assert_uint_eq(lockstat_now(), 0);
	ck_assert_uint_eq(lockstat_count(STAT_LOCK, "stat a", 0), 0);
	ck_assert_uint_eq(lockstat_count(STAT_EVENT, "event", 0), 0);
}
END_TEST

/* What is held while watching begins has no beginning. */
START_TEST(watched_while_held)
{
	lock_acquire(&a);
	lockstat_enable(WATCH_STATS);
	lock_release(&a);
	ck_assert_uint_eq(count(STAT_LOCK, "stat a", NULL), 0);
}
END_TEST

static u32 about_to_take;                        /* _Atomic */

static void *take_a(void *arg)
{
	__atomic_store_n(&about_to_take, 1, __ATOMIC_SEQ_CST);
	lock_acquire(&a);
	lock_release(&a);
	return arg;
}

/* Held for 30 ms, of which another thread waits for all but the moment that it
 * takes from its mark to the lock. */
START_TEST(waiting_and_holding)
{
	enum { TURNS = 5 };
	const struct lockstat_sum *s;
	struct thread t;

	lockstat_enable(WATCH_STATS);
	for (int i = 0; i < TURNS; i++) {
		about_to_take = 0;
		lock_acquire(&a);
		thread_create(&t, "taker", take_a, NULL);
		while (!__atomic_load_n(&about_to_take, __ATOMIC_SEQ_CST))
			usleep(100);
		usleep(30000);
		lock_release(&a);
		thread_join(&t);
	}
	s = row(STAT_LOCK, "stat a", "take_a");
	ck_assert_uint_eq(s->n, TURNS);
	ck_assert_uint_eq(s->wait.n, TURNS);
	ck_assert_uint_ge(s->wait.total_ns, TURNS * 10 * MS);
	ck_assert_uint_ge(s->wait.max_ns, s->wait.total_ns / TURNS);
	ck_assert_uint_le(s->wait.max_ns, s->wait.total_ns);
	ck_assert_uint_le(s->wait.p99_ns, s->wait.max_ns);
	ck_assert_uint_ge(s->wait.p99_ns, s->wait.total_ns / TURNS);
	s = row(STAT_LOCK, "stat a", __func__);
	ck_assert_uint_eq(s->wait.n, 0);
	ck_assert_uint_eq(s->hold.n, TURNS);
	ck_assert_uint_ge(s->hold.total_ns, TURNS * 29 * MS);
	ck_assert_uint_ge(s->hold.max_ns, 29 * MS);
}
END_TEST

/* -- conditions -------------------------------------------------------------------- */

static int turn GUARDED_BY(b);
static u64 slept[2];

static void *take_turns(void *arg)
{
	int me = *(int *)arg;

	lock_acquire(&b);
	for (int i = 0; i < 500; i++) {
		while (turn != me) {
			slept[me]++;
			cond_wait(&turned, &b);
		}
		turn = !me;
		cond_broadcast(&turned);
	}
	lock_release(&b);
	return NULL;
}

/* A sleep is neither an acquisition nor held. */
START_TEST(conditions)
{
	static int me[2] = { 0, 1 };
	struct thread t[2];

	lockstat_enable(WATCH_STATS);
	for (int i = 0; i < 2; i++)
		thread_create(&t[i], "turns", take_turns, &me[i]);
	for (int i = 0; i < 2; i++)
		thread_join(&t[i]);
	ck_assert_uint_gt(slept[0] + slept[1], 0);
	ck_assert_uint_eq(count(STAT_COND, "stat b", "take_turns"), slept[0] + slept[1]);
	ck_assert_uint_eq(count(STAT_LOCK, "stat b", "take_turns"), 2);
	ck_assert_str_eq(row(STAT_COND, "stat b", "take_turns")->site->what, "&turned");
	ck_assert_uint_eq(count(STAT_IDLE, "stat b", NULL), 0);
}
END_TEST

START_TEST(sleeping_is_not_holding)
{
	const struct lockstat_sum *s;

	lockstat_enable(WATCH_STATS);
	lock_acquire(&b);
	cond_timedwait(&turned, &b, 50 * MS);
	lock_release(&b);
	s = row(STAT_COND, "stat b", __func__);
	ck_assert_uint_eq(s->n, 1);
	ck_assert_uint_ge(s->wait.total_ns, 49 * MS);
	s = row(STAT_LOCK, "stat b", __func__);
	ck_assert_uint_eq(s->n, 1);
	ck_assert_uint_eq(s->hold.n, 2);         /* before and after          */
	ck_assert_uint_lt(s->hold.total_ns, 40 * MS);
}
END_TEST

/* -- sums ------------------------------------------------------------------------------ */

/* 1000 waits of 1 to 1000 million ticks: the class of the 990th. */
START_TEST(percentiles)
{
	const struct lockstat_sum *s;
	u64 want;

	lockstat_enable(WATCH_STATS);
	for (u64 i = 1; i <= 1000; i++)
		lockstat_span(STAT_WORK, "spans", 5, 5 + i * 1000000, 6 + i * 1000000);
	s = row(STAT_WORK, "spans", NULL);
	want = (u64)clock_tsc_to_ns(990 * 1000000ull);
	ck_assert_uint_eq(s->n, 1000);
	ck_assert_uint_eq(s->wait.n, 1000);
	ck_assert_uint_eq(s->hold.n, 1000);
	ck_assert_uint_ge(s->wait.p99_ns, want - want / 1000);
	ck_assert_uint_le(s->wait.p99_ns, want + want / 4);
	want = (u64)clock_tsc_to_ns(500500ull * 1000000);
	ck_assert_uint_ge(s->wait.total_ns, want - want / 1000);
	ck_assert_uint_le(s->wait.total_ns, want + want / 1000);
}
END_TEST

START_TEST(devices)
{
	lockstat_device("serial");
	lockstat_enable(WATCH_STATS);
	for (int i = 0; i < 3; i++)
		lockstat_device("serial");
	ck_assert_uint_eq(lockstat_count(STAT_DEVICE, "serial", 0), 3);
	ck_assert_uint_eq(lockstat_count(STAT_EVENT, "serial", 0), 0);
}
END_TEST

static void *many_names(void *arg)
{
	static char name[1000][16];

	for (int turn = 0; turn < 3; turn++)
		for (int i = 0; i < 1000; i++) {
			snprintf(name[i], sizeof(name[i]), "n%d", i);
			lockstat_event(name[i], 0);
		}
	return arg;
}

/* No event is both counted and lost, none neither. */
START_TEST(memory_is_bounded)
{
	struct thread t;
	u64 lost, found = 0;
	size_t n;
	struct lockstat_sum *s;

	lockstat_enable(WATCH_STATS);
	thread_create(&t, "names", many_names, NULL);
	thread_join(&t);
	s = lockstat_merge(&n, &lost);
	for (size_t i = 0; i < n; i++)
		found += s[i].n;
	free(s);
	ck_assert_uint_gt(lost, 0);
	ck_assert_uint_eq(found + lost, 3000);
}
END_TEST

static void *one_event(void *arg)
{
	lockstat_event("short", 7);
	return arg;
}

/* Threads beyond the last that gets a table are counted as lost. */
START_TEST(threads_are_bounded)
{
	enum { MANY = 100 };
	u64 lost, n;
	size_t rows;
	struct thread t;

	lockstat_enable(WATCH_STATS);
	for (int i = 0; i < MANY; i++) {
		thread_create(&t, "short", one_event, NULL);
		thread_join(&t);
	}
	free(lockstat_merge(&rows, &lost));
	n = lockstat_count(STAT_EVENT, "short", 7);
	ck_assert_uint_gt(lost, 0);
	ck_assert_uint_eq(n + lost, MANY);
}
END_TEST

/* -- vCPUs: sections, work, kicks ------------------------------------------------------- */
enum { CPUS = 3 };

static void nothing(struct cpu *cpu, void *data)
{
	(void)cpu, (void)data;
}

static void some_work(struct cpu *cpu, void *data)
{
	(void)cpu;
	++*(u64 *)data;
}

/* pause; inc dword [ebx]; jmp */
static void start(int mode)
{
	lockstat_enable(WATCH_STATS);
	board_init(CPUS, mode == 1);
	CODE_AT(CODE, 0xf3, 0x90, 0x67, 0x66, 0xff, 0x03, 0xeb, 0xf8);
	board_cpus(CPUS, CODE);
	resume_all_vcpus();
}

static void all_done(void)
{
	for (int i = 0; i < CPUS; i++)
		run_on_cpu(qemu_get_cpu(i), nothing, NULL);
}

/* Kinds of work by the name of their function; sections by that or by who began
 * them; each once, nested ones not. */
START_TEST(sections_and_work)
{
	u64 ran = 0, in_section = 0, last = 0, waited_for = 0;

	start(_i);
	for (u64 i = 0; i < 60; i++)
		async_run_on_cpu(qemu_get_cpu((int)i % CPUS), some_work, &ran);
	all_done();
	for (u64 i = 0; i < 20; i++)
		async_safe_run_on_cpu(qemu_get_cpu((int)i % CPUS), some_work, &in_section);
	all_done();
	ck_assert_uint_eq(in_section, 20);
	bql_unlock();
	for (u64 i = 0; i < 7; i++) {
		start_exclusive();
		start_exclusive();
		end_exclusive();
		end_exclusive();
	}
	bql_lock();
	ck_assert_uint_eq(lockstat_count(STAT_WORK, "some_work", 0), 80);
	ck_assert_uint_eq(lockstat_count(STAT_WORK, "nothing", 0), 2 * CPUS);
	ck_assert_uint_eq(lockstat_count(STAT_SECTION, "some_work", 0), 20);
	ck_assert_uint_eq(lockstat_count(STAT_SECTION, "sections_and_work_fn", 0), 7);
	ck_assert_uint_eq(row(STAT_SECTION, "some_work", NULL)->hold.n, 20);
	for (u32 i = 0; i < CPUS; i++) {
		waited_for += lockstat_count(STAT_EVENT, "section waits for vCPU", i);
		last += lockstat_count(STAT_EVENT, "last to leave is vCPU", i);
	}
	ck_assert_uint_le(last, 27);
	ck_assert_uint_ge(waited_for, last);
	if (_i == 0)                             /* they were running         */
		ck_assert_uint_ge(last, 1);
}
END_TEST

/* -- vCPUs that a thread of the test's stands for: each count is known ------------------ */

static struct played {
	struct thread thread;
	struct cpu *cpu;
	u32 place;                               /* in the order of leaving   */
	u64 waited_for, last, returns;           /* the shadow counts         */
} played[CPUS];
static u32 round_no, entered, turn_of, n_done;   /* _Atomic                   */
enum { OUTSIDE = ~0u, SECTIONS = 300, RETURNS = 2000 };

static u32 get(const u32 *p) { return __atomic_load_n(p, __ATOMIC_SEQ_CST); }
static void set(u32 *p, u32 v) { __atomic_store_n(p, v, __ATOMIC_SEQ_CST); }
static void add(u32 *p, u32 n) { __atomic_fetch_add(p, n, __ATOMIC_SEQ_CST); }

static void play(void *(*fn)(void *))
{
	lockstat_enable(WATCH_STATS);
	board_init(CPUS, false);
	CODE_AT(CODE, 0xf4, 0xeb, 0xfd);         /* hlt; jmp                  */
	board_cpus(CPUS, CODE);                  /* parked for all this time  */
	bql_unlock();
	for (int i = 0; i < CPUS; i++) {
		played[i].cpu = qemu_get_cpu(i);
		thread_create(&played[i].thread, "played", fn, &played[i]);
	}
}

static bool is_counted(struct cpu *cpu)
{
	bool counted;

	lock_acquire(&qemu_cpu_list_lock);
	counted = cpu->has_waiter;
	lock_release(&qemu_cpu_list_lock);
	return counted;
}

/* In each round: inside before the section is asked for, out when it is one's turn. */
static void *leave_in_turn(void *arg)
{
	struct played *p = arg;

	for (u32 r = 1; r <= SECTIONS; r++) {
		while (get(&round_no) != r)
			usleep(10);
		if (p->place != OUTSIDE) {
			cpu_exec_start(p->cpu);
			add(&entered, 1);
			while (get(&turn_of) != p->place || !is_counted(p->cpu))
				usleep(10);
			cpu_exec_end(p->cpu);
			add(&turn_of, 1);
		}
		add(&n_done, 1);
	}
	return NULL;
}

/* Who is inside, and in which order they leave, by chance; their number. */
static u32 choose_places(void)
{
	u32 n = 0, first = (u32)rand() % CPUS;

	for (u32 i = 0; i < CPUS; i++) {
		struct played *p = &played[(first + i) % CPUS];

		p->place = rand() & 1 ? n++ : OUTSIDE;
		p->waited_for += p->place != OUTSIDE;
	}
	for (u32 i = 0; n && i < CPUS; i++)
		played[i].last += played[i].place == n - 1;
	return n;
}

START_TEST(who_was_waited_for)
{
	srand(1);
	play(leave_in_turn);
	for (u32 r = 1; r <= SECTIONS; r++) {
		u32 n = choose_places();

		set(&entered, 0);
		set(&turn_of, 0);
		set(&n_done, 0);
		set(&round_no, r);
		while (get(&entered) != n)
			usleep(10);
		start_exclusive();
		end_exclusive();
		while (get(&n_done) != CPUS)
			usleep(10);
	}
	for (u32 i = 0; i < CPUS; i++) {
		thread_join(&played[i].thread);
		ck_assert_uint_eq(lockstat_count(STAT_EVENT, "section waits for vCPU", i),
				  played[i].waited_for);
		ck_assert_uint_eq(lockstat_count(STAT_EVENT, "last to leave is vCPU", i),
				  played[i].last);
	}
	ck_assert_uint_eq(lockstat_count(STAT_SECTION, "who_was_waited_for_fn", 0), SECTIONS);
}
END_TEST

/* By HLT, or at once; each vCPU another number of times. The first one translates the
 * loop alone: a translation beside others may queue work, which the vCPU's own
 * thread, parked, would do in the middle of ours. */
static void *run_often(void *arg)
{
	struct played *p = arg;
	u32 x = p->cpu->cpu_index;

	current_cpu = p->cpu;
	while (x && !get(&n_done))
		usleep(10);
	for (u32 i = 0; i < RETURNS * (x + 1); i++) {
		if (!x && i == 4)
			set(&n_done, 1);
		p->cpu->halted = false;
		if (i & 1)
			cpu_exit(p->cpu);
		ck_assert_int_eq(cpu_run(p->cpu), i & 1 ? EXCP_INTERRUPT : EXCP_HLT);
		__atomic_store_n(&p->cpu->leave, false, __ATOMIC_SEQ_CST);
		p->returns++;
	}
	return NULL;
}

START_TEST(returns_from_cpu_exec)
{
	play(run_often);
	for (u32 i = 0; i < CPUS; i++)
		thread_join(&played[i].thread);
	for (u32 i = 0; i < CPUS; i++) {
		ck_assert_uint_eq(played[i].returns, RETURNS * (i + 1));
		ck_assert_uint_eq(lockstat_count(STAT_EVENT, "left cpu_exec, vCPU", i),
				  played[i].returns);
	}
}
END_TEST

/* A vCPU sleeps: the first kick is needed; those that come before it has looked are
 * not. It looks up to twice, then waits for the BQL, which we have, to do the work. */
START_TEST(kicks)
{
	u64 sent, needed;
	struct cpu *cpu;

	lockstat_enable(WATCH_STATS);
	board_init(1, false);
	board_cpus(1, 0);
	cpu = qemu_get_cpu(0);
	resume_all_vcpus();
	run_on_cpu(cpu, nothing, NULL);
	board_run(50);                           /* asleep by now             */
	sent = lockstat_count(STAT_EVENT, "kick sent", 0);
	needed = lockstat_count(STAT_EVENT, "kick needed", 0);
	for (int i = 0; i < 10; i++)
		async_run_on_cpu(cpu, nothing, NULL);
	ck_assert_uint_eq(lockstat_count(STAT_EVENT, "kick sent", 0), sent + 10);
	ck_assert_uint_ge(lockstat_count(STAT_EVENT, "kick needed", 0), needed + 1);
	ck_assert_uint_le(lockstat_count(STAT_EVENT, "kick needed", 0), needed + 3);
	run_on_cpu(cpu, nothing, NULL);
	needed = lockstat_count(STAT_EVENT, "kick needed", 0);
	ck_assert_uint_le(count(STAT_KICK, "kick to reaction", NULL), needed);
	ck_assert_uint_ge(count(STAT_KICK, "kick to reaction", NULL), needed - 1);
	ck_assert_uint_ge(count(STAT_IDLE, "halted", NULL), 1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("env/lockstat");
	TCase *locks = tcase_create("locks"), *cpus = tcase_create("cpus");
	SRunner *sr;
	int failed;

	tcase_add_test(locks, acquisitions_by_site);
	tcase_add_test(locks, nobody_watches);
	tcase_add_test(locks, watched_while_held);
	tcase_add_test(locks, waiting_and_holding);
	tcase_add_test(locks, conditions);
	tcase_add_test(locks, sleeping_is_not_holding);
	tcase_add_test(locks, percentiles);
	tcase_add_test(locks, devices);
	tcase_add_test(locks, memory_is_bounded);
	tcase_add_test(locks, threads_are_bounded);
	tcase_set_timeout(locks, 60);
	suite_add_tcase(s, locks);
	tcase_add_loop_test(cpus, sections_and_work, 0, 2);
	tcase_add_test(cpus, who_was_waited_for);
	tcase_add_test(cpus, returns_from_cpu_exec);
	tcase_add_test(cpus, kicks);
	tcase_set_timeout(cpus, 120);
	suite_add_tcase(s, cpus);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
