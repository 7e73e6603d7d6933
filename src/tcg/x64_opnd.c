/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/tcg/x64_opnd.c - operands of host instructions: high bytes, which
 * must not meet a REX prefix, and the byte forms of opcodes. */
#include "tcg/x64_gen.h"

int opnd(struct ir_insn *in, int which, int r)
{
	return in->part & which ? r + X_AH : r;
}

bool b_is_imm(const struct ir_insn *in)
{
	return in->b == IR_IMM;
}

/* Registers whose use asks for a REX prefix cannot meet a high byte. */
static bool wants_rex(int r)
{
	return r != X_NONE && !x_high(r) && r >= 4;
}

/* AH as an operand beside one that needs REX: turn its register by eight bits
 * around the operation (rorx keeps the flags). */
void gen_turn(struct gen *g, int high)
{
	x_rorx(&g->c, high - X_AH, high - X_AH, 8);
}

void gen_turn_back(struct gen *g, int high)
{
	x_rorx(&g->c, high - X_AH, high - X_AH, 24);
}

void gen_lock(struct gen *g, const struct ir_insn *in)
{
	if (in->xflags & IRX_LOCK)
		x_u8(&g->c, 0xf0);
}

u32 byte_op(u32 op, int size)          /* the 8-bit form stands before */
{
	return size == IRS_8 ? op - 1 : op;
}

/* op (its non-byte opcode) between register and r/m register. */
void gen_op_rr(struct gen *g, u32 op, int size, int reg, int rm)
{
	int high = x_high(reg) && wants_rex(rm) ? reg : x_high(rm) && wants_rex(reg) ? rm : X_NONE;

	if (high != X_NONE) {
		gen_turn(g, high);
		x_rr(&g->c, byte_op(op, size), size, high == reg ? high - X_AH : reg,
		     high == rm ? high - X_AH : rm);
		gen_turn_back(g, high);
		return;
	}
	x_rr(&g->c, byte_op(op, size), size, reg, rm);
}

void gen_op_rm(struct gen *g, u32 op, int size, int reg, struct xmem m)
{
	if (x_high(reg) && x_mem_rex(m)) {
		gen_turn(g, reg);
		x_rm(&g->c, byte_op(op, size), size, reg - X_AH, m);
		gen_turn_back(g, reg);
		return;
	}
	x_rm(&g->c, byte_op(op, size), size, reg, m);
}
