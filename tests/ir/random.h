/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/ir/random.h - random programs and the states they start from. */
#ifndef TESTS_IR_RANDOM_H
#define TESTS_IR_RANDOM_H

#include "interp.h"

struct rng { u64 s; };
u32 rng_next(struct rng *g);                     /* xorshift64*             */

/* A program of about n instructions that obeys notes/ir.md; it ends with an
 * unconditional exit. */
void random_block(struct rng *g, struct ir_block *b, int n);
void random_state(struct rng *g, struct state *s);

#endif
