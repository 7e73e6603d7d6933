/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/tcg/opts.h - the optimisations that can be switched off, for tests: what
 * translated code does must not depend on them. `-accel tcg,opt=LIST`, irtest
 * -O LIST; notes/ir.md has the table for readers. */
#ifndef TCG_OPTS_H
#define TCG_OPTS_H

#include "env/types.h"

#define TCG_OPTS(_) \
	_(TRACE,  "trace")   /* blocks go on behind conditional jumps             */ \
	_(UNROLL, "unroll")  /* ... and behind jumps back to their own start      */ \
	_(JUMP,   "jump")    /* ... and short jumps forward are followed          */ \
	_(PEEK,   "peek")    /* flags that an exit's target overwrites are dropped */ \
	_(HOLE,   "hole")    /* operands that keep changing are read when it runs */ \
	_(FOLD,   "fold")    /* constants, copies, addresses (ir_optimize)        */ \
	_(DEAD,   "dead")    /* results and flags that nobody reads (ir_optimize) */ \
	_(STACK,  "stack")   /* accesses off the stack pointer share a check      */ \
	_(IRQ,    "irq")     /* ... which asks for interrupts, too                */ \
	_(GROUP,  "group")   /* accesses off other registers share checks         */ \
	_(DIRECT, "direct")  /* the stack's addend is tried for other accesses    */ \
	_(WINDOW, "window")  /* loads without paging go unchecked (x64_window.c)  */ \
	_(SHOW,   "show")    /* ... or at exits only noted, for a fault's frame   */ \
	_(RECIPE, "recipe")  /* flags are computed again rather than saved        */

enum tcg_opt {
#define TCG_OPT_ENUM(id, name) TCG_OPT_##id,
	TCG_OPTS(TCG_OPT_ENUM)
#undef TCG_OPT_ENUM
	N_TCG_OPTS
};

/* Bit n: optimisation n is on. Set before the first block is translated. */
extern u32 tcg_opts;

static inline bool tcg_opt(enum tcg_opt n)
{
	return tcg_opts >> n & 1;
}

/* Set tcg_opts from a list of words with ':' between, each done in its turn: all,
 * none, NAME, no-NAME. False: a word is unknown, tcg_opts is as before. */
bool tcg_opts_parse(const char *list);

#endif
