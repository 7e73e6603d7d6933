/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/tcg/x64_mov.c - moves, conversions, addresses, conditional moves, exchanges. */
#include "tcg/x64_gen.h"

/* -- moves -------------------------------------------------------------------------- */

/* The indirect exit that the value loaded here goes to at once (but for a move
 * of ESP, as in RET); NULL: it is used otherwise. */
static const struct ir_insn *feeds_exit(const struct gen *g, const struct ir_insn *in)
{
	const struct ir_insn *end = &g->b->insn[g->b->n - 1];
	s32 step;

	if (!val_is_temp(in->d) || in->size != IRS_32 || end->op != IR_EXITIND || end->a != in->d ||
	    end->xflags & IRX_CALL)
		return NULL;
	return end == in + 1 || (end == in + 2 && mem_steps(in + 1, g->t->stack, &step)) ?
		end : NULL;
}

/* jmp [m], ret: the target goes straight to r8, where the exit wants it. */
static bool gen_load_target(struct gen *g, struct ir_insn *in)
{
	const struct ir_insn *exit = feeds_exit(g, in);
	struct xmem m;

	if (!exit)
		return false;
	g->loads_target = true;              /* a note is to be patched      */
	m = mem_operand(g, 4, false);
	g->loads_target = false;
	fl_leave(g, exit);
	x_ld(&g->c, IRS_32, X_R8, m);
	g->reg[in->d] = X_R8;
	return true;
}

void op_mov(struct gen *g, struct ir_insn *in)
{
	int size = in->size, d, s;
	struct xcode *c = &g->c;
	struct xmem m;

	if (in->mem == IRM_DST) {
		m = mem_operand(g, 1 << size, true);
		if (b_is_imm(in)) {
			x_rm_load(c, size == IRS_8 ? 0xc6 : 0xc7, size, 0, m);
			x_imm(c, size, in->imm);
		} else {
			s = opnd(in, IRP_B, val_input(g, in->b));
			gen_op_rm(g, 0x89, size, s, m);
		}
		mem_access_done(g);
		return;
	}
	if (in->mem == IRM_SRC) {
		if (gen_load_target(g, in))
			return;
		m = mem_operand(g, 1 << size, false);
		d = opnd(in, IRP_D, size < IRS_32 ? val_def_merge(g, in->d) : val_def(g, in->d, in->ea.base));
		if (size < IRS_32 && val_is_temp(in->d))
			x_rm_load(c, size == IRS_8 ? 0x0fb6 : 0x0fb7, IRS_32, d, m);
		else
			gen_op_rm(g, 0x8b, size, d, m);
		mem_access_done(g);
		return;
	}
	if (b_is_imm(in)) {
		if (val_is_temp(in->d) && size >= IRS_32 && g->reg[in->d] == X_NONE) {
			g->is_const[in->d] = true;
			g->value[in->d] = size == IRS_32 ? (u32)in->imm : (u64)in->imm;
			return;
		}
		if (size >= IRS_32) {
			d = val_def(g, in->d, IR_NONE);
			x_mov_ri(c, d, size == IRS_32 ? (u32)in->imm : (u64)in->imm);
		} else {
			d = opnd(in, IRP_D, val_def_merge(g, in->d));
			x_rd(c, size == IRS_8 ? 0xc6 : 0xc7, size, 0, d);
			x_imm(c, size, in->imm);
		}
		return;
	}
	s = opnd(in, IRP_B, val_input(g, in->b));
	d = opnd(in, IRP_D, size < IRS_32 ? val_def_merge(g, in->d) : val_def(g, in->d, in->b));
	if (s != d)
		gen_op_rr(g, 0x8b, size, d, s);
	else if (size == IRS_32 && val_is_temp(in->d))
		x_mov_rr(c, size, d, s);
}

void op_conv(struct gen *g, struct ir_insn *in)
{
	bool sign = in->op == IR_SX;
	u32 op = in->size == IRS_32 ? 0x63 : (sign ? 0x0fbe : 0x0fb6) + (in->size == IRS_16);
	int dsize = in->dsize, d, s;
	struct xcode *c = &g->c;

	if (!sign && in->size == IRS_32) {
		op = 0x8b;
		dsize = IRS_32;
	} else if (!sign && dsize == IRS_64) {
		dsize = IRS_32;
	}
	if (in->mem == IRM_SRC) {
		struct xmem m = mem_operand(g, 1 << in->size, false);

		d = dsize == IRS_16 ? val_def_merge(g, in->d) : val_def(g, in->d, in->ea.base);
		x_rm_load(c, op, dsize, d, m);
		mem_access_done(g);
		return;
	}
	s = opnd(in, IRP_B, val_input(g, in->b));
	d = dsize == IRS_16 ? val_def_merge(g, in->d) : val_def(g, in->d, in->b);
	if (x_high(s) && (d >= 8 || dsize == IRS_64)) {
		x_rorx(c, X_R8, s - X_AH, 8);
		s = X_R8;
	}
	x_rr_sized(c, op, dsize, d, s, in->size == IRS_8 && s >= 4 && s < 8);
}

void op_lea(struct gen *g, struct ir_insn *in)
{
	struct xmem m = mem_ea(g, &in->ea);
	int d;

	if (in->size == IRS_16) {
		d = val_def_merge(g, in->d);     /* may use r8 */
		x_lea(&g->c, IRS_32, X_R8, m);
		if (d != X_R8)
			x_mov_rr(&g->c, IRS_16, d, X_R8);
		return;
	}
	d = val_def(g, in->d, in->ea.base);
	if (in->d == in->ea.base && m.index == X_NONE && !m.disp && in->size == IRS_32)
		return;                              /* padding             */
	if (m.base == X_NONE && m.index == X_NONE)
		x_mov_ri(&g->c, d, in->size == IRS_32 ? (u32)m.disp : (u64)(s64)m.disp);
	else
		x_lea(&g->c, in->size, d, m);
}

/* -- conditions --------------------------------------------------------------------------- */

void op_setcc(struct gen *g, struct ir_insn *in)
{
	struct xcode *c = &g->c;
	int d, cc;

	if (in->mem == IRM_DST) {
		struct xmem m = mem_operand(g, 1, true);

		cc = fl_cond(g, in->cc);
		x_rm_load(c, 0x0f90 | (u32)cc, IRS_32, 0, m);
		mem_access_done(g);
		return;
	}
	cc = fl_cond(g, in->cc);
	d = opnd(in, IRP_D, val_def_merge(g, in->d));
	x_rd(c, 0x0f90 | (u32)cc, IRS_8, 0, d);
}

void op_movcc(struct gen *g, struct ir_insn *in)
{
	struct xcode *c = &g->c;
	struct xmem m = { 0 };
	int d, s = X_NONE, cc;

	if (in->mem == IRM_SRC)
		m = mem_operand(g, 1 << in->size, false);
	else
		s = val_input(g, in->b);
	cc = fl_cond(g, in->cc);
	if (in->d != in->a && in->a != IR_NONE) {
		int a = val_input(g, in->a);

		if (in->d == in->b) {                /* d = cc ? d : a      */
			d = val_def(g, in->d, IR_NONE);
			x_rr(c, 0x0f40 | (u32)(cc ^ 1), in->size, d, a);
			return;
		}
		d = val_def(g, in->d, in->a);
		if (d != a)
			x_mov_rr(c, IRS_64, d, a);
	} else {
		d = val_def_merge(g, in->d);
	}
	if (in->mem == IRM_SRC)
		x_rm_load(c, 0x0f40 | (u32)cc, in->size, d, m);
	else
		x_rr(c, 0x0f40 | (u32)cc, in->size, d, s);
}

void op_flag(struct gen *g, struct ir_insn *in)
{
	static const u8 cf_op[3] = { 0xf8, 0xf9, 0xf5 };     /* clc stc cmc */
	struct xcode *c = &g->c;

	switch (in->op) {
	case IR_CF:
		fl_before_op(g, IRF_C);
		if (in->imm == 2)
			fl_load_carry(g);
		x_u8(c, cf_op[in->imm]);
		fl_after_op(g, IRF_C, no_recipe);
		break;
	case IR_LAHF:
		fl_load(g);
		fl_write_reg(g, X_RAX);
		x_u8(c, 0x9f);
		break;
	case IR_SAHF:
		fl_before_op(g, IRF_ALL & ~IRF_O);
		x_u8(c, 0x9e);
		fl_after_op(g, IRF_ALL & ~IRF_O, no_recipe);
		break;
	}
}

/* -- exchange ------------------------------------------------------------------------------- */

void op_xchg(struct gen *g, struct ir_insn *in)
{
	static const u32 opcode[IR_NOPS] = {
		[IR_XCHG] = 0x87, [IR_XADD] = 0x0fc1, [IR_CMPXCHG] = 0x0fb1,
	};
	u8 kills = in->op == IR_XCHG ? 0 : IRF_ALL;
	u32 op = opcode[in->op];
	int b, d;

	if (in->mem == IRM_DST) {
		struct xmem m = mem_operand(g, 1 << in->size, true);

		b = opnd(in, IRP_B, val_input(g, in->b));
		if (in->op == IR_CMPXCHG)
			fl_write_reg(g, X_RAX);
		else
			val_inplace(g, in->b, b);
		fl_before_op(g, kills);
		/* A high byte must not meet r9's REX; CMPXCHG's may be ah
		 * itself, so its operand goes through r8. */
		if (x_high(b) && in->op == IR_CMPXCHG) {
			x_rorx(&g->c, X_R8, b - X_AH, 8);
			b = X_R8;
		}
		if (x_high(b)) {
			gen_turn(g, b);
			gen_lock(g, in);
			x_rm(&g->c, op - 1, IRS_8, b - X_AH, m);
			gen_turn_back(g, b);
		} else {
			gen_lock(g, in);
			x_rm(&g->c, byte_op(op, in->size), in->size, b, m);
		}
		mem_access_done(g);
		fl_after_op(g, kills, no_recipe);
		return;
	}
	b = opnd(in, IRP_B, val_input(g, in->b));
	d = opnd(in, IRP_D, val_input(g, in->d));
	val_inplace(g, in->d, d);
	if (in->op == IR_CMPXCHG)
		fl_write_reg(g, X_RAX);
	else
		val_inplace(g, in->b, b);
	fl_before_op(g, kills);
	gen_op_rr(g, op, in->size, b, d);
	fl_after_op(g, kills, no_recipe);
}

void op_cmpxchg8(struct gen *g, struct ir_insn *in)
{
	struct xmem m = mem_operand(g, 8, true);

	fl_write_reg(g, X_RAX);
	fl_write_reg(g, X_RDX);
	fl_before_op(g, IRF_Z);
	gen_lock(g, in);
	x_rm_load(&g->c, 0x0fc7, IRS_32, 1, m);
	mem_access_done(g);
	fl_after_op(g, IRF_Z, no_recipe);
}
