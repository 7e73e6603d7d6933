/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/qemu/cpus-rr.c - thread=single: one host thread runs all vCPUs in turn.
 * Upstream: accel/tcg/tcg-accel-ops-rr.c.
 *
 * A vCPU's turn ends when it halts, yields (PAUSE), is kicked, or when the kick
 * timer, which the main thread runs while two or more vCPUs have something to
 * run, finds it running. The BQL is taken only when somebody asks for something,
 * not at each turn. Guest x87 registers live in the thread's: they are exchanged
 * when another vCPU has its turn. */
#include "qemu/cpus_accel.h"

#include "env/alarm.h"
#include "env/clock.h"
#include "env/log.h"
#include "env/poll.h"
#include "env/signal.h"
#include "qemu/cpu_timer.h"
#include "qemu/icount.h"
#include "qemu/target.h"

enum { KICK_PERIOD_NS = NS_PER_SEC / 100, ICOUNT_TURN = 50000 };

static struct {
	struct thread thread;
	struct halt_cond halt;
	/* The thread's own: whose turn it was last, whose x87 state is in the
	 * host's registers. */
	struct cpu *cursor, *loaded;
	u32 turn_left;                   /* icount: instructions of cursor's turn */
	s64 idle_since;                  /* icount: all are halted; 0: not   */
	struct cpu *current;             /* _Atomic; runs now, or is about to */
	bool contended;                  /* _Atomic; two or more want to run  */
	struct poll_timer timer GUARDED_BY(bql);
	bool timer_armed;                /* _Atomic; written under the BQL    */
} rr;

/* -- kicks ------------------------------------------------------------------------------ */

/* All of them, as one thread runs them all: which it runs now may be another
 * one by the time the kick gets there. */
static void rr_kick_vcpu_thread(struct cpu *unused)
{
	struct cpu *cpu;

	(void)unused;
	CPU_FOREACH(cpu)
		cpu_exit(cpu);
}

static struct cpu *rr_current_cpu(void)
{
	return __atomic_load_n(&rr.current, __ATOMIC_SEQ_CST);
}

/* Another vCPU than the one that runs is to look at its requests: it needs a
 * turn for that. */
static void rr_poke_vcpu_thread(struct cpu *cpu)
{
	cpu_ask_to_leave(cpu);
	if (rr_current_cpu() != cpu)
		rr_kick_vcpu_thread(cpu);
}

/* The running one; again if it has changed meanwhile. */
static void rr_kick_next_cpu(void) REQUIRES(bql)
{
	struct cpu *cpu, *now = rr_current_cpu();

	do {
		cpu = now;
		if (cpu)
			cpu_exit(cpu);
		now = rr_current_cpu();
	} while (cpu != now);
}

static void timer_arm(void) REQUIRES(bql)
{
	__atomic_store_n(&rr.timer_armed, true, __ATOMIC_SEQ_CST);
	poll_timer_mod(&rr.timer, clock_monotonic_ns() + KICK_PERIOD_NS);
}

static void rr_kick_thread(void *opaque) REQUIRES(bql)
{
	(void)opaque;
	__atomic_store_n(&rr.timer_armed, false, __ATOMIC_SEQ_CST);
	if (!__atomic_load_n(&rr.contended, __ATOMIC_SEQ_CST))
		return;
	timer_arm();
	rr_kick_next_cpu();
}

/* -- turns ------------------------------------------------------------------------------- */

static bool cpu_can_run(struct cpu *cpu)
{
	return cpu_flag(&cpu->created) && !cpu_is_asked(cpu) &&
	       !cpu_thread_is_idle(cpu);
}

/* Make it the vCPU this thread stands for. */
static void rr_load(struct cpu *cpu)
{
	current_cpu = cpu;
	if (rr.loaded == cpu)
		return;
	if (rr.loaded)
		target_cpu_exec_exit(rr.loaded);
	target_cpu_exec_enter(cpu);
	rr.loaded = cpu;
}

/* The next after the last one that can run; NULL: none can. */
static struct cpu *rr_next(void)
{
	struct cpu *start, *cpu, *next = NULL;

	lock_acquire(&qemu_cpu_list_lock);
	start = rr.cursor ? rr.cursor : cpu_first();
	for (cpu = start; cpu; ) {
		cpu = cpu_next(cpu) ? cpu_next(cpu) : cpu_first();
		if (cpu_can_run(cpu)) {
			next = cpu;
			break;
		}
		if (cpu == start)
			break;
	}
	lock_release(&qemu_cpu_list_lock);
	return next;
}

static void run_turn(struct cpu *cpu)
{
	rr_load(cpu);
	if (cpu_run(cpu) == EXCP_YIELD)
		rr.turn_left = 0;
}

/* A kick that came before `leave` is cleared shows in halt_kicked(). */
static void rr_turn(struct cpu *cpu)
{
	rr.cursor = cpu;
	__atomic_store_n(&cpu->leave, false, __ATOMIC_SEQ_CST);
	__atomic_store_n(&rr.current, cpu, __ATOMIC_SEQ_CST);
	if (!halt_kicked(&rr.halt))
		run_turn(cpu);
	__atomic_store_n(&rr.current, NULL, __ATOMIC_SEQ_CST);
}

/* -- turns, with icount ----------------------------------------------------------------
 * Whose turn it is depends on the guest alone: a kick from outside interrupts a
 * turn but does not end it, and when the one to run is asked for something it is
 * waited for. */

static bool has_code_to_run(struct cpu *cpu)
{
	return cpu->created && !cpu->stopped && (!cpu->halted || target_has_work(cpu));
}

static struct cpu *icount_next(void) REQUIRES(bql)
{
	struct cpu *cpu = rr.cursor ? rr.cursor : first_cpu, *start = cpu;

	if (rr.turn_left && has_code_to_run(cpu))
		return cpu;
	do {
		cpu = cpu->next ? cpu->next : first_cpu;
		if (has_code_to_run(cpu)) {
			rr.turn_left = ICOUNT_TURN;
			return cpu;
		}
	} while (cpu != start);
	return NULL;
}

/* All are halted. False: the thread is to sleep until something happens. With
 * sleep=on the time until the deadline passes outside, too. */
static bool icount_idle(s64 ns)
{
	s64 passed = 0;

	if (ns < 0)
		return false;
	if (machine_config.icount_sleep) {
		if (!rr.idle_since)
			rr.idle_since = clock_monotonic_ns();
		passed = clock_monotonic_ns() - rr.idle_since;
		if (passed < ns && halt_sleep(&rr.halt, rr.idle_since + ns))
			return true;
	}
	bql_lock();
	icount_warp(ns);
	rr.idle_since = 0;
	bql_unlock();
	return true;
}

/* Somebody outside has ended the idle time. */
static void icount_woken(void) REQUIRES(bql)
{
	s64 passed = clock_monotonic_ns() - rr.idle_since;

	icount_warp(MIN(passed, MAX(icount_until_deadline(), 0)));
	rr.idle_since = 0;
}

/* NULL: all are halted, for *idle_ns by their timers; -1: without end, or parked. */
static struct cpu *icount_begin(s64 *idle_ns)
{
	struct cpu *cpu;

	bql_lock();
	icount_run_timers();
	cpu = icount_next();
	*idle_ns = first_cpu->stopped ? -1 : icount_until_deadline();
	if (cpu && rr.idle_since)
		icount_woken();
	if (cpu && !cpu_is_asked(cpu))
		icount_begin_turn(cpu, rr.turn_left);
	bql_unlock();
	return cpu;
}

/* False: nobody had anything to run. */
static bool icount_turn(void)
{
	s64 idle_ns;
	u32 used;
	struct cpu *cpu = icount_begin(&idle_ns);

	if (!cpu)
		return icount_idle(idle_ns);
	rr.cursor = cpu;
	__atomic_store_n(&cpu->leave, false, __ATOMIC_SEQ_CST);
	__atomic_store_n(&rr.current, cpu, __ATOMIC_SEQ_CST);
	if (cpu->icount_budget && !halt_kicked(&rr.halt))
		run_turn(cpu);
	__atomic_store_n(&rr.current, NULL, __ATOMIC_SEQ_CST);
	used = icount_end_turn(cpu);
	rr.turn_left -= MIN(used, rr.turn_left); /* 0 after a PAUSE         */
	return true;
}

/* -- between turns ------------------------------------------------------------------------- */

static void rr_forget(struct cpu *cpu) REQUIRES(bql)
{
	if (rr.cursor == cpu)
		rr.cursor = NULL;
	rr.loaded = NULL;                        /* it is the loaded one     */
	current_cpu = NULL;
	cpu_set_created(cpu, false);
}

static void rr_attend(struct cpu *cpu) REQUIRES(bql)
{
	rr_load(cpu);
	cpu_attend(cpu);
	if (cpu->unplug)
		rr_forget(cpu);
}

/* What is asked of any; and: do several want to run? */
static bool look_around(void)
{
	bool asked = false;
	struct cpu *cpu;
	int n = 0;

	lock_acquire(&qemu_cpu_list_lock);
	CPU_FOREACH(cpu) {
		asked |= cpu_flag(&cpu->created) && cpu_is_asked(cpu);
		n += cpu_can_run(cpu) && !icount_enabled();
	}
	lock_release(&qemu_cpu_list_lock);
	__atomic_store_n(&rr.contended, n > 1, __ATOMIC_SEQ_CST);
	return asked || (n > 1 && !__atomic_load_n(&rr.timer_armed, __ATOMIC_SEQ_CST));
}

static void rr_wait_io_event(void)
{
	struct cpu *cpu;

	while (look_around()) {
		bql_lock();
		CPU_FOREACH(cpu)
			if (cpu->created && cpu_is_asked(cpu))
				rr_attend(cpu);
		if (__atomic_load_n(&rr.contended, __ATOMIC_SEQ_CST) && !rr.timer_armed)
			timer_arm();
		bql_unlock();
	}
}

/* -- the vCPUs' timers ---------------------------------------------------------------------
 * One alarm for all of them; it is set for the first. With icount there is none. */
static SIGNAL_SAFE void timer_rings(void)
{
	struct cpu *cpu = rr.current;

	event_set_own(&rr.halt.kicked);
	if (cpu)
		cpu_exit(cpu);
}

static s64 first_due(s64 (*due_ns)(struct cpu *cpu))
{
	s64 first = 0;
	struct cpu *cpu;

	lock_acquire(&qemu_cpu_list_lock);
	CPU_FOREACH(cpu) {
		s64 at = cpu_flag(&cpu->stopped) ? 0 : due_ns(cpu);

		if (at && (!first || at < first))
			first = at;
	}
	lock_release(&qemu_cpu_list_lock);
	return first;
}

static void watch_timers(void)
{
	alarm_bring_forward(first_due(cpu_timer_attend));
}

/* No sleep when kicked. */
static void rr_sleep(void)
{
	if (icount_enabled())
		halt_sleep(&rr.halt, 0);
	else
		halt_sleep_until_due(&rr.halt, first_due(cpu_timer_alarm_ns));
}

/* -- the thread ------------------------------------------------------------------------------ */

static void *rr_cpu_thread_fn(void *arg)
{
	struct cpu *cpu = arg;

	bql_lock();
	cpu_set_created(cpu, true);
	bql_unlock();
	if (!icount_enabled())
		alarm_open(timer_rings);
	halt_awake(true);
	for (;;) {
		halt_clear(&rr.halt);
		rr_wait_io_event();
		if (!icount_enabled())
			watch_timers();
		if (icount_enabled())
			while (!halt_kicked(&rr.halt) && icount_turn())
				;
		else
			while (!halt_kicked(&rr.halt) && (cpu = rr_next()))
				rr_turn(cpu);
		__atomic_store_n(&rr.contended, false, __ATOMIC_SEQ_CST);
		rr_sleep();
	}
	return NULL;
}

static void rr_start_vcpu_thread(struct cpu *cpu) REQUIRES(bql)
{
	static bool started;

	cpu->halt_cond = &rr.halt;
	if (started) {
		cpu_list_add(cpu);
		cpu_set_created(cpu, true);
		qemu_cpu_kick(cpu);
		return;
	}
	started = true;
	poll_timer_init(&rr.timer, rr_kick_thread, NULL);
	cpu_list_add(cpu);
	thread_create(&rr.thread, "ALL CPUs/TCG", rr_cpu_thread_fn, cpu);
}

/* The thread runs on for the others. */
static void rr_join_vcpu_thread(struct cpu *cpu)
{
	(void)cpu;
}

const struct accel_ops rr_ops = {
	.create_vcpu_thread = rr_start_vcpu_thread,
	.kick_vcpu_thread = rr_kick_vcpu_thread,
	.poke_vcpu_thread = rr_poke_vcpu_thread,
	.join_vcpu_thread = rr_join_vcpu_thread,
};
