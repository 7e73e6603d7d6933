/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qemu/cpus, cpus-mttcg, cpus-rr, cpu-exec: vCPU threads. Each test is a process
 * of its own. Loop tests run with _i 0: thread=multi, 1: thread=single. */
#include "env/poll.h"
#include "smp_board.h"
#include "child.h"

enum { MULTI, SINGLE, MODES };

/* inc dword [bx]: the counters are beyond 64 KB, so [ebx]. */
#define INC_COUNTER 0x67, 0x66, 0xff, 0x03
#define PAUSE 0xf3, 0x90
#define JMP_BACK(n) 0xeb, (u8)(-(n) - 2)

static void code_count(void) { CODE_AT(CODE, INC_COUNTER, JMP_BACK(4)); }
static void code_count_pause(void) { CODE_AT(CODE, INC_COUNTER, PAUSE, JMP_BACK(6)); }

static void board_start(int n, bool single)
{
	board_init(n, single);
	code_count();
	board_cpus(n, CODE);
}

static void sum_reaches(int n, u32 min)
{
	for (int i = 0; i < n; i++) {
		u32 from = counter(i);

		BOARD_UNTIL(counter(i) - from >= min);
	}
}

/* -- threads ------------------------------------------------------------------------- */

static int named(const char *name)
{
	char path[300], comm[32] = "";
	DIR *d = opendir("/proc/self/task");
	int n = 0;

	for (struct dirent *e; (e = readdir(d)); ) {
		FILE *f;

		snprintf(path, sizeof(path), "/proc/self/task/%s/comm", e->d_name);
		f = e->d_name[0] == '.' ? NULL : fopen(path, "r");
		if (!f)
			continue;
		if (fgets(comm, sizeof(comm), f))
			comm[strcspn(comm, "\n")] = 0;
		fclose(f);
		n += !strcmp(comm, name);
	}
	closedir(d);
	return n;
}

/* main and one a vCPU, or main and one for all */
START_TEST(row_23_threads)
{
	int before = thread_count();

	(void)before;
	board_start(4, _i);
	resume_all_vcpus();
	sum_reaches(4, 1000);
#ifndef __SANITIZE_THREAD__              /* which has a thread of its own    */
	ck_assert_int_eq(thread_count() - before, _i ? 1 : 4);
#endif
	ck_assert_int_eq(named("CPU 2/TCG"), !_i);
	ck_assert_int_eq(named("ALL CPUs/TCG"), _i);
}
END_TEST

/* Parked until resumed; parked again, nothing moves. */
START_TEST(row_33_stop)
{
	u32 was[4];

	board_start(4, _i);
	board_run(20);
	for (int round = 0; round < 20; round++) {
		struct cpu *cpu;

		for (int i = 0; i < 4; i++)
			was[i] = counter(i);
		board_run(2);
		for (int i = 0; i < 4; i++)
			ck_assert_uint_eq(counter(i), was[i]);
		resume_all_vcpus();
		sum_reaches(4, 1);
		pause_all_vcpus();
		CPU_FOREACH(cpu)
			ck_assert(cpu->stopped && !cpu->stop && cpu->pc >= CODE &&
				  cpu->pc <= CODE + 4);
	}
}
END_TEST

/* A loop of `side` conditional jumps, none taken, `nops` and one back, at `at`. */
static void code_loop(u32 at, int side, int nops)
{
	u8 code[64] = { INC_COUNTER, 0x85, 0xc9 }, *p = code + 6;  /* test cx, cx: no overflow */

	for (int i = 0; i < side; i++)
		*p++ = 0x70, *p++ = 0;                   /* jo                      */
	for (int i = 0; i < nops; i++)
		*p++ = 0x90;
	*p++ = 0x71;                                     /* jno                     */
	*p = (u8)(code - p - 1);
	put(at, code, (size_t)(p + 1 - code));
}

/* However many rounds of a loop its block has: each way around asks. */
START_TEST(row_33_stops_any_loop)
{
	enum { SIDE = 12, NOPS = 12, ROOM = 64 };
	struct cpu *cpu;

	board_init(1, _i);
	cpu = board_cpu(0, CODE);
	for (int i = 0; i < SIDE * NOPS; i++) {
		u32 at = (u32)(CODE + i * ROOM), was = counter(0);

		code_loop(at, i / NOPS, i % NOPS);
		cpu->pc = at;
		resume_all_vcpus();
		BOARD_UNTIL(counter(0) - was > 100);
		pause_all_vcpus();
	}
}
END_TEST

/* From FFFFFFF0 on through 0, from where a jump leads forward to FFFFFFF0; with the last bytes
 * of a page before the wrap, too. */
START_TEST(row_33_stops_around_4g)
{
	static const u32 base[] = { CODE + 0x10, CODE + 0x1000 };
	static const u8 nops[12] = { [0 ... 11] = 0x90 };
	struct cpu *cpu;

	board_init(1, _i);
	cpu = board_cpu(0, CODE);
	for (unsigned i = 0; i < ARRAY_SIZE(base); i++) {
		u32 was = counter(0);

		CODE_AT(base[i] - 0x10, INC_COUNTER);
		put(base[i] - 12, nops, sizeof(nops));
		CODE_AT(base[i], 0x66, 0xeb, (u8)-0x13);
		cpu_load_seg_cache(x86(cpu), R_CS, 0, base[i], 0xffffffff, 0x00009b00);
		cpu->pc = 0xfffffff0;
		resume_all_vcpus();
		BOARD_UNTIL(counter(0) - was > 100);
		pause_all_vcpus();
	}
}
END_TEST

/* The loop's only stack accesses, whose check asks on the other way around, are jumped over. */
START_TEST(row_33_stops_beside_stack)
{
	struct cpu *cpu;
	u32 was;

	board_init(1, _i);
	cpu = board_cpu(0, CODE);
	CODE_AT(CODE, INC_COUNTER);
	CODE_AT(CODE + 4, 0x85, 0xc0, 0x74, 0x02, 0x50, 0x58, 0xeb, (u8)-12);
	cpu_load_seg_cache(x86(cpu), R_SS, 0, 0, 0xffffffff, 0x00cf9300);
	cpu->regs[R_ESP] = 0x8000;
	was = counter(0);
	resume_all_vcpus();
	BOARD_UNTIL(counter(0) - was > 100);
	pause_all_vcpus();
}
END_TEST

static void remember_self(struct cpu *cpu, void *data)
{
	ck_assert_ptr_eq(current_cpu, cpu);
	*(u32 *)data = thread_id();
}

/* current_cpu: NULL in main, the vCPU in its thread, changed at each turn. */
START_TEST(row_18_current_cpu)
{
	u32 thread[4] = { 0 };

	board_start(4, _i);
	resume_all_vcpus();
	for (int round = 0; round < 20; round++) {
		for (int i = 0; i < 4; i++)
			run_on_cpu(qemu_get_cpu(i), remember_self, &thread[i]);
		for (int i = 1; i < 4; i++)
			ck_assert_int_eq(thread[i] == thread[0], _i);
		ck_assert_uint_ne(thread[0], thread_id());
		ck_assert_ptr_null(current_cpu);
	}
	ck_assert_ptr_null(qemu_get_cpu(4));
}
END_TEST

/* -- queued work ------------------------------------------------------------------------ */

static void set_flag(struct cpu *cpu, void *data)
{
	ck_assert(bql_held());
	ck_assert(!cpu->running);
	*(bool *)data = true;
}

static void work_for_itself(struct cpu *cpu, void *data)
{
	run_on_cpu(cpu, set_flag, data);
}

static void work_for_next(struct cpu *cpu, void *data) UNCHECKED
{
	run_on_cpu(cpu->next, set_flag, data);
}

/* A vCPU itself, a running, a halted, a stopped one, another one of the same
 * thread. */
START_TEST(row_15_run_on_cpu)
{
	bool self = false, running = false, halted = false, stopped = false, next = false;

	board_init(3, _i);
	code_count();
	board_cpu(0, CODE);
	board_cpu(1, CODE);
	board_cpu(2, 0);
	run_on_cpu(qemu_get_cpu(0), set_flag, &stopped);
	resume_all_vcpus();
	run_on_cpu(qemu_get_cpu(0), work_for_itself, &self);
	run_on_cpu(qemu_get_cpu(1), set_flag, &running);
	run_on_cpu(qemu_get_cpu(2), set_flag, &halted);
	if (_i == SINGLE)
		run_on_cpu(qemu_get_cpu(0), work_for_next, &next);
	ck_assert(self && running && halted && stopped && next == (_i == SINGLE));
	ck_assert_uint_eq(counter(2), 0);
}
END_TEST

static struct { u32 n; u32 sections; } async;

static void async_item(struct cpu *cpu, void *data)
{
	ck_assert(bql_held());
	ck_assert_ptr_eq(cpu, current_cpu);
	ck_assert_uint_eq((u32)(uintptr_t)data, async.n);
	__atomic_fetch_add(&async.n, 1, __ATOMIC_SEQ_CST);
}

static void safe_item(struct cpu *cpu, void *data)
{
	(void)data;
	ck_assert(cpu_in_exclusive_context(cpu) && in_exclusive() && !bql_held());
	__atomic_fetch_add(&async.sections, 1, __ATOMIC_SEQ_CST);
}

/* In order, before the next guest block; and those that run alone. */
START_TEST(row_16_17_async)
{
	struct cpu *cpu;

	board_start(4, _i);
	resume_all_vcpus();
	for (u32 i = 0; i < 1000; i++)
		async_run_on_cpu(qemu_get_cpu(1), async_item, (void *)(uintptr_t)i);
	CPU_FOREACH(cpu)
		for (int i = 0; i < 50; i++)
			async_safe_run_on_cpu(cpu, safe_item, NULL);
	BOARD_UNTIL(__atomic_load_n(&async.sections, __ATOMIC_SEQ_CST) == 200);
	BOARD_UNTIL(__atomic_load_n(&async.n, __ATOMIC_SEQ_CST) == 1000);
	sum_reaches(4, 1000);
}
END_TEST

/* -- sleep and wake-up ----------------------------------------------------------------------- */

static s64 cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ts.tv_sec * NS_PER_SEC + ts.tv_nsec;
}

static bool is_halted(int i)
{
	return __atomic_load_n(&qemu_get_cpu(i)->halted, __ATOMIC_RELAXED);
}

/* Halted vCPUs use no processor; work and NMI wake them. */
START_TEST(row_31_halt)
{
	bool done = false;
	s64 used;

	board_init(4, _i);
	CODE_AT(CODE, 0xf4, INC_COUNTER, JMP_BACK(5));
	CODE_AT(HANDLER, 0xcf);
	CODE_AT(2 * 4, HANDLER & 0xff, HANDLER >> 8, 0, 0);
	board_cpus(4, CODE);
	resume_all_vcpus();
	BOARD_UNTIL(is_halted(0) && is_halted(3));
	board_run(50);
	used = cpu_ns();
	board_run(500);
	ck_assert_int_lt(cpu_ns() - used, 5 * 1000000);      /* 1 %          */
	run_on_cpu(qemu_get_cpu(2), set_flag, &done);
	ck_assert(done);
	ck_assert_uint_eq(counter(2), 0);
	for (u32 n = 1; n <= 1000; n++) {
		u32 was = counter(n % 4);

		cpu_interrupt(qemu_get_cpu(n % 4), CPU_INTERRUPT_NMI);
		BOARD_UNTIL(counter(n % 4) == was + 1);
	}
}
END_TEST

static struct { struct cpu *cpu; u32 n; } kicker;

static void *kick_much(void *arg)
{
	(void)arg;
	for (int i = 0; i < 330000; i++)
		qemu_cpu_kick(kicker.cpu);
	return NULL;
}

static void count_item(struct cpu *cpu, void *data)
{
	(void)cpu, (void)data;
	__atomic_add_fetch(&kicker.n, 1, __ATOMIC_SEQ_CST);
}

static void *queue_much(void *arg)
{
	(void)arg;
	for (int i = 0; i < 10000; i++) {
		u32 n = __atomic_load_n(&kicker.n, __ATOMIC_SEQ_CST);

		async_run_on_cpu(kicker.cpu, count_item, NULL);
		while (__atomic_load_n(&kicker.n, __ATOMIC_SEQ_CST) == n)
			sched_yield();
	}
	return NULL;
}

/* A million kicks by three threads, none of which holds the BQL, while a fourth
 * waits each time until the halted vCPU has done something for it: a wake-up
 * that is lost would leave it waiting. */
START_TEST(row_32_kicks)
{
	struct thread t[4];

	board_init(2, _i);
	code_count();
	board_cpu(0, CODE);
	kicker.cpu = board_cpu(1, 0);
	resume_all_vcpus();
	for (int i = 0; i < 4; i++)
		thread_create(&t[i], "kicker", i < 3 ? kick_much : queue_much, NULL);
	BOARD_UNTIL(__atomic_load_n(&kicker.n, __ATOMIC_SEQ_CST) == 10000);
	bql_unlock();
	for (int i = 0; i < 4; i++)
		thread_join(&t[i]);
	bql_lock();
	sum_reaches(1, 1000);
}
END_TEST

static u64 kicks_of(int i)
{
	return __atomic_load_n(&qemu_get_cpu(i)->stat.kicks, __ATOMIC_RELAXED);
}

/* thread=multi: a kick makes its target leave guest code, and nobody else.
 * thread=single: the one that runs, whomever it is for. */
START_TEST(row_26_who_is_kicked)
{
	board_start(2, _i);
	resume_all_vcpus();
	sum_reaches(2, 1000);
	if (_i == MULTI) {
		u64 other = kicks_of(0);

		for (u64 n = kicks_of(1); kicks_of(1) < n + 100; board_run(1))
			qemu_cpu_kick(qemu_get_cpu(1));
		ck_assert_uint_eq(kicks_of(0), other);
		return;
	}
	for (u64 n = kicks_of(0); kicks_of(0) < n + 20; board_run(1))
		qemu_cpu_kick(qemu_get_cpu(1));
}
END_TEST

/* -- coming and going --------------------------------------------------------------------------- */

/* vCPUs come and go while the others run and the list is walked. */
START_TEST(row_19_hot_removal)
{
	int threads;

	board_init(4, _i);
	code_count_pause();
	board_cpus(2, CODE);
	threads = thread_count();
	resume_all_vcpus();
	for (int round = 0; round < 100; round++) {
		struct cpu *a = board_cpu(2, CODE), *b = board_cpu(3, round & 1 ? CODE : 0);
		int n = 0;
		struct cpu *cpu;

		ck_assert_ptr_eq(qemu_get_cpu(2), a);
		if (round & 2)
			sum_reaches(3, 1);
		CPU_FOREACH(cpu) {
			async_safe_run_on_cpu(cpu, safe_item, NULL);
			n++;
		}
		ck_assert_int_eq(n, 4);
		cpu_remove_sync(a);
		ck_assert_ptr_null(qemu_get_cpu(2));
		if (round & 4)
			pause_all_vcpus();
		cpu_remove_sync(b);
		resume_all_vcpus();
	}
	ck_assert_int_eq(thread_count(), threads);
	sum_reaches(2, 1000);
	BOARD_UNTIL(cpu_work_list_empty(qemu_get_cpu(0)) &&
		    cpu_work_list_empty(qemu_get_cpu(1)));
	ck_assert_uint_eq(async.sections, 400);
}
END_TEST

/* -- thread=single --------------------------------------------------------------------------------- */

/* Loops without end get equal time; a halted vCPU gets none and takes none. They
 * count in a register: how fast a loop through memory is differs from one vCPU to
 * the next by how the host forwards its stores. */
START_TEST(row_22_fair_turns)
{
	u32 lo, hi, got[4];
	int tries = 3;

	board_init(4, true);
	CODE_AT(CODE, 0x66, 0x40, JMP_BACK(2));          /* inc eax          */
	board_cpu(0, CODE);
	board_cpu(1, CODE);
	board_cpu(2, 0);
	board_cpu(3, CODE);
	do {
		for (int i = 0; i < 4; i++)
			got[i] = (u32)qemu_get_cpu(i)->regs[R_EAX];
		resume_all_vcpus();
		board_run(1500);
		pause_all_vcpus();
		for (int i = 0; i < 4; i++)
			got[i] = (u32)qemu_get_cpu(i)->regs[R_EAX] - got[i];
		ck_assert_uint_eq(got[2], 0);
		lo = MIN(MIN(got[0], got[1]), got[3]);
		hi = MAX(MAX(got[0], got[1]), got[3]);
	} while (hi / 2 > lo && --tries);
	ck_assert_uint_gt(lo, 0);
	ck_assert_uint_le(hi / 2, lo);
}
END_TEST

/* Who waits by PAUSE gives its turn away at once: two vCPUs that take turns do so
 * far more often than the timer would have them. */
START_TEST(row_22_pause_yields)
{
	s64 start;

	board_init(2, true);
	/* until [COUNTERS] & 1 == cx: pause; then inc [COUNTERS] */
	CODE_AT(CODE, 0x67, 0x66, 0xa1, 0x00, 0x00, 0x02, 0x00,  /* mov eax,[] */
		0x83, 0xe0, 0x01,                                /* and ax, 1  */
		0x39, 0xc8,                                      /* cmp ax, cx */
		0x74, 0x04,                                      /* je  +4     */
		PAUSE, JMP_BACK(16),
		0x67, 0x66, 0xff, 0x05, 0x00, 0x00, 0x02, 0x00,  /* inc []     */
		JMP_BACK(26));
	board_cpus(2, CODE);
	resume_all_vcpus();
	start = clock_monotonic_ns();
	BOARD_UNTIL(counter(0) > 20000);
	/* the timer's 100 turns a second would need 200 s */
	ck_assert_int_lt(clock_monotonic_ns() - start, 50 * NS_PER_SEC);
}
END_TEST

/* x87 registers belong to the vCPU: each loads its own control word and number,
 * and sees no other. */
START_TEST(row_22_x87_is_switched)
{
	board_init(3, true);
	/* bx + 16: control word; bx + 20: number; fldcw [ebx+16]; fild dword
	 * [ebx+20]; loop: fnstcw [ebx+18]; fist dword [ebx+24]; compare both;
	 * inc [ebx]; pause; jmp loop. Wrong: inc [ebx+8], jmp $ */
	CODE_AT(CODE, 0x67, 0xd9, 0x6b, 0x10, 0x67, 0xdb, 0x43, 0x14,
		0x67, 0xd9, 0x7b, 0x12, 0x67, 0xdb, 0x53, 0x18,
		0x67, 0x8b, 0x43, 0x10, 0x67, 0x3b, 0x43, 0x12, 0x75, 0x10,
		0x67, 0x66, 0x8b, 0x43, 0x14, 0x67, 0x66, 0x3b, 0x43, 0x18, 0x75, 0x04,
		INC_COUNTER, JMP_BACK(34));
	CODE_AT(CODE + 8 + 10 + 8 + 10 + 6 + 2, 0xeb, 0xfe);
	for (int i = 0; i < 3; i++) {
		u16 cw = 0x037f | i << 10;
		u32 number = 1000 + i;

		put(COUNTERS + i * CTR_STEP + 16, &cw, 2);
		put(COUNTERS + i * CTR_STEP + 20, &number, 4);
	}
	board_cpus(3, CODE);
	resume_all_vcpus();
	for (int round = 0; round < 5; round++)
		sum_reaches(3, 10000);
}
END_TEST

/* -- why cpu_exec returns ------------------------------------------------------------------------------ */

static int run_here(struct cpu *cpu)
{
	int r;

	bql_unlock();
	cpu_exec_start(cpu);
	r = cpu_exec(cpu);
	cpu_exec_end(cpu);
	bql_lock();
	return r;
}

static void kick_self(void) { cpu_exit(current_cpu); }
static void ask_debug(void) { current_cpu->exception_index = EXCP_DEBUG; }
static void ask_atomic(void) { current_cpu->exception_index = EXCP_ATOMIC; }
static void halt_it(void) { current_cpu->halted = true; }

/* What runs, what was asked before, why it returns, where EIP then is. */
static const struct reason {
	u8 code[4];
	void (*before)(void);
	int reason;
	u32 ip;
	bool halted;
} reasons[] = {
	{ { 0xf4 }, NULL, EXCP_HLT, CODE + 1, true },
	{ { 0xeb, 0xfe }, kick_self, EXCP_INTERRUPT, CODE, false },
	{ { PAUSE, 0xf4 }, NULL, EXCP_YIELD, CODE + 2, false },
	{ { 0x90, 0xf4 }, NULL, EXCP_HLT, CODE + 2, true },
	{ { 0xf4 }, ask_debug, EXCP_DEBUG, CODE, false },
	{ { 0xf4 }, ask_atomic, EXCP_ATOMIC, CODE, false },
	{ { 0xf4 }, halt_it, EXCP_HALTED, CODE, true },
	/* #UD is the guest's: the handler halts */
	{ { 0x0f, 0x0b }, NULL, EXCP_HLT, HANDLER + 1, true },
};

START_TEST(row_29_reasons)
{
	const struct reason *r = &reasons[_i];
	struct cpu *cpu;

	board_init(2, true);
	put(CODE, r->code, sizeof(r->code));
	CODE_AT(HANDLER, 0xf4);
	CODE_AT(6 * 4, HANDLER & 0xff, HANDLER >> 8, 0, 0);
	cpu = board_cpu(0, CODE);
	current_cpu = cpu;
	if (r->before)
		r->before();
	ck_assert_int_eq(run_here(cpu), r->reason);
	ck_assert_uint_eq(cpu->pc, r->ip);
	ck_assert_int_eq(cpu->halted, r->halted);
	ck_assert_int_eq(cpu->exception_index, EXCP_NONE);
}
END_TEST

/* One instruction and no more, in a section of its own; one that changes itself
 * too. */
START_TEST(row_11_step_atomic)
{
	struct cpu *cpu;

	board_init(2, false);
	/* lock inc word [0x1fff]: across pages; then mov byte [ip of it], 0x90 */
	CODE_AT(CODE, 0xf0, 0xff, 0x06, 0xff, 0x1f, 0xc6, 0x06, 0x05, 0x80, 0xc6, 0xf4);
	cpu = board_cpu(0, CODE);
	current_cpu = cpu;
	bql_unlock();
	cpu_exec_step_atomic(cpu);
	ck_assert_uint_eq(cpu->pc, CODE + 5);
	ck_assert_uint_eq(ram[0x1fff], 1);
	cpu_exec_step_atomic(cpu);
	ck_assert_uint_eq(cpu->pc, CODE + 10);
	ck_assert(!cpu->running && !cpu_in_exclusive_context(cpu) && !in_exclusive());
	bql_lock();
	ck_assert_int_eq(run_here(cpu), EXCP_HLT);
}
END_TEST

/* What it raises is delivered by the next run. */
START_TEST(row_11_step_faults)
{
	struct cpu *cpu;

	board_init(2, false);
	CODE_AT(CODE, 0x0f, 0x0b);
	CODE_AT(HANDLER, 0xf4);
	CODE_AT(6 * 4, HANDLER & 0xff, HANDLER >> 8, 0, 0);
	cpu = board_cpu(0, CODE);
	current_cpu = cpu;
	bql_unlock();
	cpu_exec_step_atomic(cpu);
	ck_assert_uint_eq(cpu->pc, CODE);
	bql_lock();
	ck_assert_int_eq(run_here(cpu), EXCP_HLT);
	ck_assert_uint_eq(cpu->pc, HANDLER + 1);
}
END_TEST

/* A section cannot be begun by who would have to leave for it. */
static void begin_inside(void)
{
	struct cpu *cpu;

	board_init(2, false);
	code_count();
	cpu = board_cpu(0, CODE);
	current_cpu = cpu;
	bql_unlock();
	cpu_exec_start(cpu);
	start_exclusive();
}

START_TEST(row_09_begun_inside)
{
	child_bug(begin_inside, "would wait for itself", "cpu_exec_start");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("qemu/cpus");
	TCase *t = tcase_create("cpus");

	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, row_23_threads, 0, MODES);
	tcase_add_loop_test(t, row_33_stop, 0, MODES);
	tcase_add_loop_test(t, row_33_stops_any_loop, 0, MODES);
	tcase_add_loop_test(t, row_33_stops_around_4g, 0, MODES);
	tcase_add_loop_test(t, row_33_stops_beside_stack, 0, MODES);
	tcase_add_loop_test(t, row_18_current_cpu, 0, MODES);
	tcase_add_loop_test(t, row_15_run_on_cpu, 0, MODES);
	tcase_add_loop_test(t, row_16_17_async, 0, MODES);
	tcase_add_loop_test(t, row_31_halt, 0, MODES);
	tcase_add_loop_test(t, row_32_kicks, 0, MODES);
	tcase_add_loop_test(t, row_26_who_is_kicked, 0, MODES);
	tcase_add_loop_test(t, row_19_hot_removal, 0, MODES);
	tcase_add_test(t, row_22_fair_turns);
	tcase_add_test(t, row_22_pause_yields);
	tcase_add_test(t, row_22_x87_is_switched);
	tcase_add_loop_test(t, row_29_reasons, 0, (int)ARRAY_SIZE(reasons));
	tcase_add_test(t, row_11_step_atomic);
	tcase_add_test(t, row_11_step_faults);
	tcase_add_test(t, row_09_begun_inside);
	suite_add_tcase(s, t);
	return suite_main(s);
}
