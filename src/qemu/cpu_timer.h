/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/qemu/cpu_timer.h - the timer of a vCPU: its local APIC's.
 *
 * A timer of the main loop (timer.h) costs two wake-ups: main's, and the vCPU's by
 * main. This one is the vCPU's own: a vCPU that sleeps sleeps until it is due, and
 * runs the callback itself. Only while the vCPU runs the main thread waits for it,
 * by an alarm that is set without the BQL and without waking main. With -icount
 * the thread that runs the vCPUs looks at it as at all other timers. Upstream has
 * timers of the main loop only. */
#ifndef QEMU_CPU_TIMER_H
#define QEMU_CPU_TIMER_H

#include "env/lock.h"

struct cpu;

/* A vCPU's timer and what it is computed from; cpu_timer_lock() takes it. */
extern struct lock_class cpu_timers;
void cpu_timer_lock(struct cpu *cpu) ACQUIRE(cpu_timers);
void cpu_timer_unlock(struct cpu *cpu) RELEASE(cpu_timers);

/* Called when the timer was due, which it is no more; with the lock held, in the
 * vCPU's thread or in the main thread. It may set the timer again. */
typedef void cpu_timer_fn(struct cpu *cpu);

void cpu_timer_init(struct cpu *cpu, cpu_timer_fn *cb) REQUIRES(bql);
/* The vCPU is off the list. */
void cpu_timer_destroy(struct cpu *cpu) REQUIRES(bql);
/* Due once, at that time of the virtual clock, which need not lie ahead; replaces an
 * earlier setting. The vCPU's own thread, or another while it is parked. */
void cpu_timer_mod(struct cpu *cpu, s64 expire_ns) REQUIRES(cpu_timers);
void cpu_timer_del(struct cpu *cpu) REQUIRES(cpu_timers);
/* When it is due; -1: never. */
s64 cpu_timer_expire(const struct cpu *cpu);

/* -- for the vCPU's thread ------------------------------------------------------- */
/* It is about to sleep, and keeps watch itself: for how many ns; -1: without end.
 * 0: the timer was due, and its callback has run. */
s64 cpu_timer_sleep(struct cpu *cpu);
/* It is about to run guest code: main keeps watch. Main calls it, too, when it has
 * the vCPU run on. */
void cpu_timer_run(struct cpu *cpu);

/* -- for icount.c -------------------------------------------------------------------- */
/* When the first of all vCPUs' timers is due, -1: none; run one that is due `now`. */
s64 cpu_timers_deadline(void) REQUIRES(bql);
void cpu_timers_run_expired(s64 now) REQUIRES(bql);

#endif
