/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/tcg/ir.c - the table of operations and a block under construction. */
#include "tcg/ir.h"

#include "env/log.h"

const struct ir_desc ir_desc[IR_NOPS] = {
#define IR_DESC(name, kind) [IR_##name] = { #name, IRK_##kind },
	IR_OPS(IR_DESC)
#undef IR_DESC
};

_Static_assert(IR_NOPS <= 256, "ops fit ir_insn.op");

void ir_reset(struct ir_block *b, const struct ir_target *t)
{
	b->target = t;
	b->n = 0;
	b->n_vals = IR_FIRST_TEMP;
	b->mmu_idx = 0;
	b->stack_cache = b->direct = b->window = false;
	b->n_granted = 0;
}

ir_val ir_temp(struct ir_block *b)
{
	if (b->n_vals == IR_MAX_TEMPS)
		bug("more than %d values in a block", IR_MAX_TEMPS);
	return (ir_val)b->n_vals++;
}

struct ir_insn *ir_add(struct ir_block *b, enum ir_op op, int size)
{
	if (b->n == IR_MAX_INSNS)
		bug("more than %d instructions in a block", IR_MAX_INSNS);
	struct ir_insn *i = &b->insn[b->n++];

	*i = (struct ir_insn){
		.op = (u8)op, .size = (u8)size,
		.d = IR_NONE, .a = IR_NONE, .b = IR_NONE, .c = IR_NONE,
		.ea = { .base = IR_NONE, .index = IR_NONE },
	};
	return i;
}
