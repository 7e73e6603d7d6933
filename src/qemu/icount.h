/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/qemu/icount.h - guest time that is counted in instructions: for a given
 * guest and input, each run is the same to the bit.
 *
 * An instruction lasts 2^shift ns, one that repeats (REP) counts once. The thread
 * that runs all vCPUs also runs the timers, each exactly at its time: a vCPU gets
 * no more instructions than there are until the next deadline. When all are halted
 * the clock goes on to that deadline. Upstream: icount-common.c,
 * tcg-accel-ops-icount.c. */
#ifndef QEMU_ICOUNT_H
#define QEMU_ICOUNT_H

#include "qemu/cpu.h"
#include "qemu/machine.h"

static inline bool icount_enabled(void) { return machine_config.icount; }

/* Instructions executed so far; exact in the thread that executes them, for
 * others as of the last turn's end. */
u64 icount_get_raw(void);
/* The virtual clock. */
s64 icount_get_ns(void);

/* -- for the thread that runs the vCPUs --------------------------------------- */
/* Run the timers that are due. */
void icount_run_timers(void) REQUIRES(bql);
/* A turn of at most `max` instructions begins, and ends; the latter returns how
 * many were executed. */
void icount_begin_turn(struct cpu *cpu, u32 max) REQUIRES(bql);
u32 icount_end_turn(struct cpu *cpu);
/* Time until the next deadline while all vCPUs are halted, -1: there is none. */
s64 icount_until_deadline(void) REQUIRES(bql);
/* That much of it has passed. */
void icount_warp(s64 ns) REQUIRES(bql);
/* A timer was set: deadlines may be others now. */
void icount_deadline_changed(void);

#endif
