/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/i386/helper.h - the C functions that translated code calls.
 *
 * u64 helper_NAME(struct cpu *cpu, u32 a, u32 b, u32 c). A helper that loads
 * a new EIP stores it in cpu->pc. `next` arguments are the EIP of the next
 * instruction; cpu->pc is not current inside a helper unless it says so
 * (cpu_restore_state makes it so when a fault is raised).
 * R/W: registers, r/w: arithmetic flags (cpu->cc), F: may fault, N: never
 * returns, X: touches the host's x87 state.
 * After a helper marked E the generator ends the TB with EXITLOOK or EXITMAIN. */
#ifndef I386_HELPER_H
#define I386_HELPER_H

#include "i386/cpu.h"

#define H_F IRH_FAULTS
#define H_R IRH_RREGS
#define H_W (IRH_RREGS | IRH_WREGS)
#define H_r IRH_RFLAGS
#define H_w (IRH_RFLAGS | IRH_WFLAGS)
#define H_N IRH_NORETURN
#define H_X IRH_FPU
#define H_SYS (H_F | H_W | H_w)          /* anything can change             */

/*      name           args flags  what it does */
#define HELPERS(_) \
	/* -- exceptions (excp.c) -- */ \
	_(raise,          2, H_F | H_R | H_r | H_N) /* a: vector; b: error code or ~0  */ \
	_(raise_int,      3, H_SYS)       /* INT n: a vector, b next, c: 0 INT n, 1 INT3/INTO, 2 ICEBP */ \
	_(into,           1, H_SYS)       /* #OF if OF; a: next                      */ \
	_(bound,          3, H_F)         /* a: index, b: lower bound, c: upper bound, all signed */ \
	_(align_check,    2, H_F)         /* #AC; a: linear address, b: alignment    */ \
	_(hlt,            1, H_SYS | H_N) /* a: next                                 */ \
	_(monitor_enter,  0, H_F | H_R)   /* before the address is looked at (monitor.c) */ \
	_(monitor,        1, H_F)         /* a: linear address                       */ \
	_(mwait,          1, H_SYS)       /* E a: next                               */ \
	_(pause,          1, H_SYS | H_N) /* thread=single; a: next                  */ \
	_(single_step,    1, H_SYS | H_N) /* #DB trap after an instruction; a: next  */ \
	_(code_imm,       1, 0)           /* 4 bytes of code as they are now; a: ram_addr */ \
	/* -- segments and control transfer (seg.c) -- */ \
	_(load_seg,       2, H_F | H_R)   /* E a: seg (not CS), b: selector; MOV/POP/LxS */ \
	_(load_seg_on,    3, H_F | H_R)   /* the same, not SS; a: seg | bytes popped << 4, c: next. Returns when the block may go on */ \
	_(seg_check,      2, H_F)         /* IR_GUARD: a offset, b: seg | size << 4 | write << 12 */ \
	_(ljmp,           3, H_SYS)       /* E a: selector, b: offset, c: next       */ \
	_(lcall,          3, H_SYS)       /* E a: selector, b: offset, c: next */ \
	_(lcall16,        3, H_SYS)       /* E same with 16-bit operand size         */ \
	_(lret,           2, H_SYS)       /* E a: 0/1 operand 16/32, b: immediate    */ \
	_(iret,           2, H_SYS)       /* E a: 0/1 operand 16/32, b: next         */ \
	_(sysenter,       0, H_SYS)       /* E */ \
	_(sysexit,        0, H_SYS)       /* E */ \
	_(lar,            1, H_F | H_w)   /* result: value; ZF; a: selector (caller keeps old value if !ZF) */ \
	_(lsl,            1, H_F | H_w) \
	_(verr,           1, H_F | H_w) \
	_(verw,           1, H_F | H_w) \
	_(select,         3, 0)           /* result: a ? b : c; LOOP, JCXZ in blocks of one instruction */ \
	_(arpl,           2, H_w)         /* a: dest, b: source; result: dest; ZF    */ \
	_(arpl_mem,       3, H_F | H_w)   /* a: offset, b: source, c: segment; ZF    */ \
	_(lldt,           1, H_F | H_R) \
	_(ltr,            1, H_F | H_R) \
	_(enter,          3, H_F | H_W)   /* a: alloc, b: level, c: operand size log2 */ \
	_(pusha,          1, H_F | H_W)   /* a: 1/2: 16/32 bit                       */ \
	_(popa,           1, H_F | H_W) \
	/* -- system registers (sys.c) -- */ \
	_(write_cr,       2, H_SYS)       /* E a: number, b: value                   */ \
	_(read_cr,        1, 0) \
	/* -- debug registers (debug.c) -- */ \
	_(exec_breakpoint,1, H_F)         /* a: linear address of an instruction     */ \
	_(write_dr,       2, H_F | H_R)   /* E a: number, b: value                   */ \
	_(read_dr,        1, H_F | H_R) \
	/* -- system registers (sys.c) -- */ \
	_(clts,           0, H_R)         /* E */ \
	_(lmsw,           1, H_SYS)       /* E */ \
	_(lgdt,           2, H_F)         /* a: base, b: limit                       */ \
	_(lidt,           2, H_F) \
	_(invlpg,         1, H_R)         /* E a: linear address                     */ \
	_(wbinvd,         0, 0) \
	/* -- time stamp counter, MSRs (msr.c) -- */ \
	_(rdtsc,          0, H_F | H_W)   /* EDX:EAX; #GP by CR4.TSD                 */ \
	_(rdtscp,         0, H_F | H_W)   /* and ECX                                 */ \
	_(rdpmc,          0, H_F | H_W) \
	_(rdmsr,          0, H_F | H_W) \
	_(wrmsr,          0, H_F | H_W) \
	/* -- CPUID (model.c) -- */ \
	_(cpuid,          0, H_W) \
	/* -- EFLAGS (sys.c) -- */ \
	_(sti,            2, H_F | H_R)   /* a: next; b 1: sets IF, returns when the block may go on, 0: E and the interrupt shadow */ \
	_(clac,           0, 0) \
	_(set_inhibit_irq,0, 0)           /* E MOV SS, POP SS                        */ \
	_(get_eflags,     0, H_r)         /* PUSHF: whole EFLAGS, RF VM cleared      */ \
	_(set_eflags,     2, H_F | H_w)   /* E POPF: a value, b: operand size log2; by CPL, IOPL */ \
	_(popf,           3, H_F | H_R | H_w) /* the same, not in v86 mode; c: next. Returns when the block may go on */ \
	_(smsw,           0, 0) \
	/* -- port I/O (io.c) -- */ \
	_(check_io,       2, H_F | H_R)   /* a: port, b: size in bytes; #GP by IOPL, TSS bitmap */ \
	_(in,             2, H_F)         /* a: port, b: size; result                */ \
	_(out,            3, H_F)         /* a: port, b: size, c: value              */ \
	/* -- strings (string.c): a: element size log2 | seg << 4 | addr32 << 8 | rep << 9 (0 none: one INS, \
	 *    OUTS; 1 REP/REPE, 2 REPNE) | one << 11 (single step: one round, nonzero while more is to do); \
	 *    update ECX ESI EDI; result nonzero: interrupted, run the instruction again -- */ \
	_(rep_movs,       1, H_F | H_W) \
	_(rep_stos,       1, H_F | H_W) \
	_(rep_lods,       1, H_F | H_W) \
	_(rep_scas,       1, H_F | H_W | H_w) \
	_(rep_cmps,       1, H_F | H_W | H_w) \
	_(rep_ins,        1, H_F | H_W) \
	_(rep_outs,       1, H_F | H_W) \
	/* -- arithmetic the host lacks in 64-bit mode (arith.c) -- */ \
	_(daa,            0, H_W | H_w) \
	_(das,            0, H_W | H_w) \
	_(aaa,            0, H_W | H_w) \
	_(aas,            0, H_W | H_w) \
	_(aam,            1, H_F | H_W | H_w) /* a: base; 0 is #DE                   */ \
	_(aad,            1, H_W | H_w) \
	/* -- x87 state (fpu.c); memory through the soft TLB -- */ \
	_(fnstenv,        2, H_F | H_X)   /* a: linear address, b: 0/1 16/32 bit     */ \
	_(fldenv,         2, H_F | H_X) \
	_(fnsave,         2, H_F | H_X) \
	_(frstor,         2, H_F | H_X) \
	_(fxsave,         1, H_F | H_X)   /* a: linear address                       */ \
	_(fxrstor,        1, H_F | H_X)   /* E */ \
	_(ldmxcsr,        1, H_F | H_X)   /* E a: value                              */ \
	/* -- XSAVE (xsave.c) -- */ \
	_(xgetbv,         0, H_F | H_W | H_X) \
	_(xsetbv,         0, H_F | H_R) \
	_(xsave_enter,    0, H_F)         /* #UD, #NM                                */ \
	_(xsave,          2, H_F | H_R | H_X) /* a: linear address, b: XSAVEOPT      */ \
	_(xrstor,         1, H_F | H_R | H_X) /* E */

#define HELPER_DECL(name, n, f) u64 helper_##name(struct cpu *, u32, u32, u32);
HELPERS(HELPER_DECL)
#undef HELPER_DECL

enum helper_id {
#define HELPER_ENUM(name, n, f) HELPER_##name,
	HELPERS(HELPER_ENUM)
#undef HELPER_ENUM
	N_HELPERS
};

#endif
