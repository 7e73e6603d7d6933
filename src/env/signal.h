/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/env/signal.h - fatal signals, and faults of generated code.
 *
 * Faults (SIGSEGV, SIGBUS, SIGFPE, SIGILL) run on an alternate stack that
 * every thread has. One hook may claim a fault and resume elsewhere; what it
 * does not claim ends the program with the terminal restored. The kernel saves
 * the thread's FPU state before the handler and loads it again after. */
#ifndef ENV_SIGNAL_H
#define ENV_SIGNAL_H

#include "env/types.h"

/* The interrupted thread's registers; valid during the hook only. */
struct host_context;

/* Returns true: handled, resume at the context as it now is; false: fatal. */
typedef bool fault_hook(int signo, void *fault_addr, struct host_context *ctx);

/* Install the handlers and the main thread's alternate stack; ignore SIGPIPE
 * (writes return EPIPE instead) and SIGTTIN (reads of the terminal from the
 * background return EIO). main() calls it first; again is harmless. */
void signal_init(void);

/* `fn` is asked about each fault, in the thread that made it; NULL: nobody.
 * Set before other threads start. Calls signal_init. */
void signal_set_fault_hook(fault_hook *fn);

/* Registers are numbered as in instruction encodings: 0 rax, 1 rcx, 2 rdx,
 * 3 rbx, 4 rsp, 5 rbp, 6 rsi, 7 rdi, 8..15 r8..r15. */
u64 host_context_pc(const struct host_context *ctx);
void host_context_set_pc(struct host_context *ctx, u64 pc);
u64 host_context_reg(const struct host_context *ctx, int reg);
void host_context_set_reg(struct host_context *ctx, int reg, u64 val);
u64 host_context_eflags(const struct host_context *ctx);
void host_context_set_eflags(struct host_context *ctx, u64 eflags);
/* The processor's exception vector (SDM vol. 3A 6.15). */
int host_context_trap(struct host_context *ctx);
/* The FXSAVE image (512 bytes, SDM 1 table 10-2) that will be loaded on
 * return, or NULL if the kernel gave none. May be changed. */
u8 *host_context_fpu(struct host_context *ctx);

/* For a function that the handler of an alarm calls (env/alarm.h), at any instruction of
 * the thread: it may only store. The thread sanitizer's own calls have no place there. */
#define SIGNAL_SAFE __attribute__((no_sanitize("thread")))
/* For one that a handler calls and others, too: it becomes part of its caller. */
#define SIGNAL_SAFE_INLINE static inline __attribute__((always_inline))

/* The alternate stack of a thread: for thread.c. signal_stack_leave takes
 * what signal_stack_enter returned. */
void *signal_stack_enter(void);
void signal_stack_leave(void *stack);

#endif
