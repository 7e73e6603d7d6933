/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/ir/interp.h - the reference interpreter of the IR, and the machine that
 * it and the back end run programs on: eight globals, MEM_SIZE bytes of guest
 * memory from address 0 on (any other access faults), a few bytes of struct
 * cpu for LDE, STE and GUARD, and helpers that try every declared effect. */
#ifndef TESTS_IR_INTERP_H
#define TESTS_IR_INTERP_H

#include <setjmp.h>

#include "qemu/cpu.h"
#include "tcg/ir.h"

#define N_GLOBALS 8
#define MEM_SIZE 0x10000
#define ENV_SIZE 64
#define GUARD_OFS 48               /* of the { lo, span } that programs use   */

enum end { END_NONE, END_EXIT, END_FAULT, END_MAIN, END_LOOK, END_STOP,
	   END_UNKNOWN };

/* What a program starts from and what it leaves. */
struct state {
	u64 global[N_GLOBALS];
	u8 flags;                  /* IRF_*                                  */
	u8 undef;                  /* of those, architecturally undefined    */
	u8 env[ENV_SIZE];
	u8 mem[MEM_SIZE];
	/* how it ended */
	enum end end;
	u32 pc;                    /* of the exit, or the faulting insn      */
	u8 live;                   /* flags that count at this end           */
	bool sloppy;               /* read a temporary or flag without value */
};

/* struct cpu with the bytes that LDE and STE reach. */
struct test_cpu {
	struct cpu c;
	u8 env[ENV_SIZE];
};

extern const struct ir_target test_target;
enum { TH_PURE, TH_RFLAGS, TH_WFLAGS, TH_RREGS, TH_WREGS, TH_FAULTS, TH_GUARD,
       TH_STOP, N_TEST_HELPERS };
/* What a helper does to leave: set by who runs the program. */
extern void (*test_raise)(struct cpu *cpu, enum end end);

u32 cc_of_flags(u8 flags);         /* IRF_* to EFLAGS bits, and back         */
u8 flags_of_cc(u32 cc);
/* Flags of i's fdef that the processor leaves undefined. */
u8 undefined_flags(const struct ir_insn *i);
/* Flags that a condition code looks at. */
u8 flags_of_cond(int cc);

/* Run the block on s, in place. */
void interp(const struct ir_block *b, struct state *s);

#endif
