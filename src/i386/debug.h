/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/i386/debug.h - breakpoints, for the rest of src/i386. debug.c. All run on
 * the vCPU's own thread. */
#ifndef I386_DEBUG_H
#define I386_DEBUG_H

#include "i386/cpu.h"

/* DR0-DR3, DR7 or CR4.DE changed: bring hflags, watched pages and the port
 * breakpoints up to date. */
void debug_update(struct x86_cpu *x);
/* `size` ports from `port` on are about to be accessed: notes the trap. Does not
 * return when the instruction must be run alone first (cpu_run_alone). */
void debug_port(struct x86_cpu *x, u32 port, u32 size);
/* DR6's bits of the traps that wait, which no longer do. */
u32 debug_take_pending(struct x86_cpu *x);
/* #DB is delivered: DR7.GD is off in its handler (SDM vol. 3B 17.2.4). */
void debug_enter_handler(struct x86_cpu *x);
/* A task switch drops DR7's local enables (SDM vol. 3B 17.2.4). */
void debug_leave_task(struct x86_cpu *x);

#endif
