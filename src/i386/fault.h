/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/i386/fault.h - why the guest faults, kept for the triple fault report
 * and -d int. excp.c. */
#ifndef I386_FAULT_H
#define I386_FAULT_H

#include "i386/cpu.h"
#include "qemu/target.h"

/* Note the reason of the exception that is about to be raised: a printf
 * format for up to two u32. Formatted only when a report is made. */
void fault_why(struct x86_cpu *x, const char *fmt, u32 a, u32 b);

/* fault_why and raise_exception_err in one. */
void fault(struct x86_cpu *x, int vector, u32 err, const char *fmt, u32 a,
	   u32 b) __attribute__((noreturn));

/* An event that is no fault of the instruction under way: the state is the
 * guest's, EIP current. Leaves for the exec loop. */
void raise_trap(struct x86_cpu *x, int vector) __attribute__((noreturn));

/* Before a fault of a memory operand is raised: if the instruction under way
 * is an x87 one that waits and an x87 exception is pending, raises #MF instead
 * (fpu.c). */
void fpu_error_first(struct x86_cpu *x);

/* The registers as text, lines of at most 80 characters. */
int cpu_state_text(struct x86_cpu *x, char *buf, size_t size);

/* #AC if an access of `bytes` (a power of two) by user code at addr must be
 * aligned and is not. */
static inline void align_check(struct x86_cpu *x, u32 addr, u32 bytes)
{
	if (!(x->hflags & HF_AC) || !(addr & (bytes - 1)))
		return;
	fpu_error_first(x);
	if (addr + bytes - 1 < addr)
		target_access_wraps(&x->c, addr);
	fault(x, EXCP_AC, 0, "%08x is not aligned to %u bytes", addr, bytes);
}

#endif
