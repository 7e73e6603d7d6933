/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/qemu/cpu_timer.h - the timer of a vCPU: its local APIC's.
 *
 * A timer of the main loop (timer.h) costs two wake-ups: main's, and the vCPU's by
 * main. This one is the vCPU's own: its thread's alarm (env/alarm.h) interrupts it when it
 * runs, its sleep ends then, and it calls the callback itself. With -icount
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

/* Called when the timer was due, which it is no more; with the lock held, in the thread
 * that runs the vCPU. It may set the timer again. */
typedef void cpu_timer_fn(struct cpu *cpu);

void cpu_timer_init(struct cpu *cpu, cpu_timer_fn *cb) REQUIRES(bql);
/* The vCPU is off the list. */
void cpu_timer_destroy(struct cpu *cpu) REQUIRES(bql);
/* Due once, at that time of the virtual clock, which need not lie ahead; replaces an
 * earlier setting. While the vCPU runs on it is late by up to 50 microseconds if it was set
 * for less. The vCPU's own thread, or another while it is parked. */
void cpu_timer_mod(struct cpu *cpu, s64 expire_ns) REQUIRES(cpu_timers);
void cpu_timer_del(struct cpu *cpu) REQUIRES(cpu_timers);
/* When it is due; -1: never. */
s64 cpu_timer_expire(const struct cpu *cpu);

/* -- for the thread that runs the vCPU, between its runs --------------------------- */
/* Run the callback if it is due. Returns when the thread's alarm has to ring for it
 * (CLOCK_MONOTONIC); 0: need not, it is not set or the virtual clock stands. */
s64 cpu_timer_attend(struct cpu *cpu);
/* The same without a look at the clock, and without running anything. */
s64 cpu_timer_alarm_ns(struct cpu *cpu);

/* -- for icount.c -------------------------------------------------------------------- */
/* When the first of all vCPUs' timers is due, -1: none; run one that is due `now`. */
s64 cpu_timers_deadline(void) REQUIRES(bql);
void cpu_timers_run_expired(s64 now) REQUIRES(bql);

#endif
