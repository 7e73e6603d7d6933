/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/tcg/x64.h - the x86-64 back end: from a block of IR to host code.
 *
 * Register use in translated code: globals where the target's table says (for
 * x86 guests EAX..EDI in rax rcx rdx rbx r12 rbp rsi rdi); r15 = struct cpu;
 * r13 = host minus guest address of the stack page; rsp = return stack; r11 = 12; r10, r14 hold
 * temporaries; r8, r9 are scratch (effective address, host address). */
#ifndef TCG_X64_H
#define TCG_X64_H

#include "tcg/ir.h"
#include "tcg/tb.h"

/* What a slow access wants to do; slow_probe's third argument has it in bits
 * 8 to 11, the mmu index in bits 4 to 7. LOCK: read, modify, write in one step. */
enum { ACCESS_READ, ACCESS_STORE, ACCESS_RMW, ACCESS_LOCK, N_ACCESS,
       ACCESS_ALIGNED = 1 << 12 };

/* Offsets in struct cpu and facts of the machine that the code depends on. */
struct tcg_layout {
	s32 stack_tag, stack_addend, cc, exit_request, host_pc, pc, regs, spill,
	    save, arg_c, bounce_size, exit_link, c_rsp, ret_sp, xmm, jc_now;
	s32 jc[8];                      /* jump caches: arrays of u32 pc ...  */
	s32 jc_host_ofs;                /* ... and u64 host code behind them  */
	s32 tlb[2][2];                  /* [mmu index][write]               */
	u32 jc_size;                    /* entries, a power of two          */
	s32 icount_left;                /* 0: instructions are not counted  */
	bool ram_low;                   /* guest RAM lies below 2 GB        */
	s32 window;                     /* guest-physical address 0 in the host, if
					* the window is open (qemu/ram_window.h) */
	s32 window_below;               /* so many bytes below it are no one's */
	s32 window_at;                  /* in struct cpu: the host's instruction that
					* found no memory there               */
	/* C side. slow_probe: host address for an access that missed, with
	 * bounce_size set when it is the bounce buffer. */
	u64 (*slow_probe)(struct cpu *, u32 addr, u32 size, u32 access);
	void (*write_back)(struct cpu *);          /* the bounce buffer     */
	/* Fill the soft TLB for a page that is about to be accessed; what
	 * cannot be done without a fault is not done. */
	void (*fill_page)(struct cpu *, u32 addr, u32 mmu);
	u64 (*lookup_tb_ptr)(struct cpu *);        /* code for cpu->pc, or 0 */
};
extern struct tcg_layout tcg_layout;

/* While C runs in a vCPU's thread the guest's XMM registers stay in the host's,
 * if the C library leaves them alone (env/xmm.c); else they are in cpu->xmm. */
#ifdef XMM_WRAP
enum { XMM_IN_HOST = true };
#else
enum { XMM_IN_HOST = false };
#endif

/* Why translated code came back (tcg_enter's value). */
enum tcg_exit { TCG_EXIT_MAIN,      /* cpu->pc is current                  */
		TCG_EXIT_LINK,      /* cpu->exit_link wants its TB          */
		TCG_EXIT_IRQ };     /* exit_request seen; cpu->pc is current */

/* Make prologue, epilogue and the slow-path stubs. Once, after tb_init. */
void tcg_prologue_init(const struct ir_target *target);
/* Run translated code. */
extern u64 (*tcg_enter)(struct cpu *cpu, u8 *code);

/* cpu->cc (upper half not 0) says how the flags are made from the guest's registers,
 * which are in struct cpu: have them there. */
extern void (*tcg_sync_flags)(struct cpu *cpu);

/* A return stack that has no frames holds this address at its top: a guest
 * return that finds it looks its target up. */
extern u8 *tcg_ret_empty;

/* Undefined flags are what the host makes of them: take from each fdef what
 * the host's instruction leaves alone. Before ir_optimize. */
void ir_use_host_flags(struct ir_block *b);
/* The same for one instruction: what is left of its fdef. */
u8 tcg_flags_written(const struct ir_insn *in);

/* Generate host code for the (optimised) block into r's region; fills tb's
 * code, map, links. False: the region is full (tb untouched). tb->pc, flags,
 * cflags, size, n_insns are set before. */
bool tcg_gen_code(struct ir_block *b, struct tb *tb, struct tcg_region *r);

#endif
