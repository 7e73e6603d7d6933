/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/tcg/x64_alu.c - additions, logic, comparisons.
 *
 * Each leaves its flags in the host's, with a recipe (x64_flags.c) where the
 * operands allow one. */
#include "tcg/x64_gen.h"

static const s8 group1[IR_NOPS] = {
	[IR_ADD] = 0, [IR_OR] = 1, [IR_ADC] = 2, [IR_SBB] = 3,
	[IR_AND] = 4, [IR_SUB] = 5, [IR_XOR] = 6, [IR_CMP] = 7,
};

static bool is_incdec(const struct ir_insn *in)
{
	return (in->op == IR_ADD || in->op == IR_SUB) && !(in->fdef & IRF_C) &&
	       (in->fdef & IRF_NOT_C) && b_is_imm(in) && in->imm == 1;
}

/* ... of a whole guest register. */
static bool has_incdec_recipe(const struct ir_insn *in)
{
	return is_incdec(in) && in->d == in->a && !in->part && in->mem == IRM_NONE &&
	       !val_is_temp(in->d);
}

static bool commutes(int op)
{
	return op == IR_ADD || op == IR_AND || op == IR_OR || op == IR_XOR || op == IR_ADC;
}

/* For d = d op [ea]: `old` is a copy of d, or X_NONE. */
static struct recipe recipe_mem(struct ir_insn *in, int d, int old)
{
	bool logic = in->op == IR_AND || in->op == IR_OR || in->op == IR_XOR;
	struct recipe r = { .size = in->size, .a = (s8)d, .b = (s8)d, .op = in->op };

	if (x_high(d) || d == X_R8)
		return r;
	if (logic) {
		r.kind = REC_TEST;
	} else if (old != X_NONE && in->op == IR_ADD) {
		r.kind = REC_ADD;
		r.b = (s8)old;
	} else if (old != X_NONE) {
		r.kind = REC_LESS;
		r.a = (s8)old;
	}
	return r;
}

static void gen_alu_mem(struct gen *g, struct ir_insn *in, int n, u8 kills)
{
	int size = in->size, r, old = X_NONE;
	struct xcode *c = &g->c;
	struct xmem m = mem_operand(g, 1 << size, in->mem == IRM_DST);

	if (in->mem == IRM_SRC) {
		r = opnd(in, IRP_A, val_input(g, in->a));
		fl_before_op(g, kills);
		if (in->op == IR_ADC || in->op == IR_SBB)
			fl_load_carry(g);
		if (in->d != in->a) {
			int d = val_def(g, in->d, in->a);

			if (d != r)
				x_mov_rr(c, IRS_32, d, r);
			r = d;
		} else {
			val_inplace(g, in->d, r);
		}
		if (in->op == IR_ADD || in->op == IR_SUB)
			old = fl_copy_input(g, r);
		gen_op_rm(g, (u32)n * 8 + 3, size, r, m);
		mem_access_done(g);
		fl_after_op(g, kills, recipe_mem(in, r, old));
		return;
	}
	fl_before_op(g, kills);
	if (in->op == IR_ADC || in->op == IR_SBB)
		fl_load_carry(g);
	if (is_incdec(in)) {
		gen_lock(g, in);
		x_rm_load(c, byte_op(0xff, size), size, in->op == IR_SUB, m);
	} else if (b_is_imm(in)) {
		gen_lock(g, in);
		x_grp1_mi(c, n, size, m, in->imm);
	} else {
		r = opnd(in, IRP_B, val_input(g, in->b));
		if (x_high(r) && x_mem_rex(m)) {
			gen_turn(g, r);
			gen_lock(g, in);
			x_rm(c, (u32)n * 8, size, r - X_AH, m);
			gen_turn_back(g, r);
		} else {
			gen_lock(g, in);
			x_rm(c, (u32)n * 8 + (size != IRS_8), size, r, m);
		}
	}
	mem_access_done(g);
	fl_after_op(g, kills, no_recipe);
}

/* 32-bit additions whose flags nobody wants are address arithmetic. */
static bool gen_add_as_lea(struct gen *g, struct ir_insn *in)
{
	struct xmem m = { X_NONE, X_NONE, 0, 0 };
	s64 k = in->op == IR_SUB ? -in->imm : in->imm;

	if (in->size != IRS_32 || in->mem != IRM_NONE ||
	    (in->op != IR_ADD && !(in->op == IR_SUB && b_is_imm(in))) ||
	    (in->fdef & fl_needed_after(g)))
		return false;
	if (in->d == in->a && !(fl_needed_after(g) & ~in->fdef) && g->fl != FL_HOST)
		return false;                /* add is shorter              */
	m.base = (s8)val_input(g, in->a);
	if (b_is_imm(in))
		m.disp = (s32)k;
	else
		m.index = (s8)val_input(g, in->b);
	x_lea(&g->c, IRS_32, val_def(g, in->d, in->a), m);
	return true;
}

/* INC, DEC of a register whose flags only a fault would show: all but CF can be had
 * from the result, and CF from where it was. */
static bool gen_incdec_by_recipe(struct gen *g, struct ir_insn *in)
{
	s32 by = in->op == IR_ADD ? 1 : -1;
	bool host = g->fl == FL_HOST;
	struct recipe carry;
	int d;

	if (!has_incdec_recipe(in) || !fl_only_faults(g) || (in->flive | in->fuse))
		return false;
	d = val_input(g, in->d);
	if (!fl_carry_source(g, d, in->size, by, &carry)) {
		if (host)
			return false;
		fl_sync(g, fl_needed_after(g) & IRF_C);
	}
	g->fl = FL_MEM;                      /* what was noted is in `carry` */
	fl_write_reg(g, d);
	x_rd(&g->c, byte_op(0xff, in->size), in->size, in->op == IR_SUB, d);
	fl_by_recipe(g, fl_recipe(in, in->op == IR_ADD ? REC_INC : REC_DEC, d, X_NONE));
	g->carry = carry;
	if (host)
		g->fl = FL_HOST;
	return true;
}

/* INC, DEC of a register whose flags something reads. */
static bool gen_incdec(struct gen *g, struct ir_insn *in)
{
	bool again;
	struct recipe carry;
	int d;

	if (!has_incdec_recipe(in))
		return false;
	d = val_input(g, in->d);
	again = fl_carry_source(g, d, in->size, in->op == IR_ADD ? 1 : -1, &carry);
	fl_before_op(g, IRF_NOT_C);
	fl_write_reg(g, d);
	x_rd(&g->c, byte_op(0xff, in->size), in->size, in->op == IR_SUB, d);
	fl_after_op(g, IRF_NOT_C, no_recipe);
	if (!again || g->fl != FL_HOST)
		return true;
	g->rec = fl_recipe(in, in->op == IR_ADD ? REC_INC : REC_DEC, d, X_NONE);
	g->carry = carry;
	return true;
}

void op_alu(struct gen *g, struct ir_insn *in)
{
	int n = group1[in->op], size = in->size, a, b = X_NONE, d;
	u8 kills = is_incdec(in) ? IRF_NOT_C : IRF_ALL;
	struct recipe rec = no_recipe;
	struct xcode *c = &g->c;

	if (in->mem != IRM_NONE) {
		gen_alu_mem(g, in, n, kills);
		return;
	}
	if (gen_add_as_lea(g, in))
		return;
	if (gen_incdec_by_recipe(g, in) || gen_incdec(g, in))
		return;
	a = opnd(in, IRP_A, val_input(g, in->a));
	if (!b_is_imm(in))
		b = opnd(in, IRP_B, val_input(g, in->b));
	fl_before_op(g, kills);
	if (in->op == IR_ADC || in->op == IR_SBB)
		fl_load_carry(g);
	if (in->d == in->a) {
		d = a;
		val_inplace(g, in->d, d);
	} else if (!b_is_imm(in) && in->d == in->b && commutes(in->op) && !in->part) {
		d = b;
		b = a;
		val_inplace(g, in->d, d);
	} else if (!b_is_imm(in) && in->d == in->b) {
		x_mov_rr(c, IRS_64, X_R8, a);
		gen_op_rr(g, (u32)n * 8 + 3, size, X_R8, b);
		d = val_def(g, in->d, IR_NONE);
		x_mov_rr(c, size, d, X_R8);
		fl_after_op(g, kills, no_recipe);
		return;
	} else {
		d = opnd(in, IRP_D, size < IRS_32 ? val_def_merge(g, in->d) : val_def(g, in->d, in->a));
		if (d != a)
			gen_op_rr(g, 0x8b, size, d, a);
	}
	if (is_incdec(in))
		x_rd(c, byte_op(0xff, size), size, in->op == IR_SUB, d);
	else if (b_is_imm(in))
		x_grp1_ri(c, n, size, d, in->imm);
	else
		gen_op_rr(g, (u32)n * 8 + 3, size, d, b);
	if (d == X_R8 || b == X_R8 || kills != IRF_ALL)
		rec = no_recipe;
	else if (in->op == IR_AND || in->op == IR_OR || in->op == IR_XOR)
		rec = (struct recipe){ .kind = in->part ? REC_NONE : REC_TEST, .size = in->size,
				       .a = (s8)d, .b = (s8)d };
	else if ((in->op == IR_ADD || in->op == IR_SUB) && (b_is_imm(in) || b != d))
		rec = fl_recipe(in, in->op == IR_ADD ? REC_ADD : REC_SUB, d, b);
	fl_after_op(g, kills, rec);
}

/* CMP, TEST of memory whose flags a later fault would show, too: compare a
 * copy in a free register, from which they can be had again. */
static bool gen_compare_loaded(struct gen *g, struct ir_insn *in, struct xmem m)
{
	bool test = in->op == IR_TEST;
	struct recipe rec = fl_recipe(in, test ? REC_TEST : REC_CMP, X_NONE, X_NONE);
	struct xcode *c = &g->c;
	int copy;

	if (!(in->fdef & in->ffault) || in->part || in->size < IRS_32)
		return false;
	copy = free_temp_reg(g);
	if (copy == X_NONE)
		return false;
	fl_write_reg(g, copy);
	x_ld(c, in->size, copy, m);
	rec.kind = test ? REC_TEST : REC_CMP;
	rec.a = (s8)copy;
	if (!b_is_imm(in)) {
		rec.b = (s8)val_input(g, in->b);
		if (rec.b == X_R8 || rec.b == copy)
			return false;
	}
	fl_emit_recipe(c, &rec, NULL);
	mem_access_done(g);
	fl_after_op(g, IRF_ALL, rec);
	return true;
}

/* CMP, TEST. */
void op_compare(struct gen *g, struct ir_insn *in)
{
	bool test = in->op == IR_TEST;
	int size = in->size, a, b = X_NONE;
	struct xcode *c = &g->c;
	struct xmem m;

	if (in->mem == IRM_NONE) {
		a = opnd(in, IRP_A, val_input(g, in->a));
		if (!b_is_imm(in))
			b = opnd(in, IRP_B, val_input(g, in->b));
		fl_before_op(g, IRF_ALL);
		if (!b_is_imm(in)) {
			gen_op_rr(g, test ? 0x85 : 0x39, size, b, a);
		} else if (test) {
			x_rd(c, byte_op(0xf7, size), size, 0, a);
			x_imm(c, size, in->imm);
		} else {
			x_grp1_ri(c, 7, size, a, in->imm);
		}
		fl_after_op(g, IRF_ALL, a == X_R8 || b == X_R8 ? no_recipe :
			    fl_recipe(in, test ? REC_TEST : REC_CMP, a, b));
		return;
	}
	m = mem_operand(g, 1 << size, false);
	fl_before_op(g, IRF_ALL);
	if (in->mem == IRM_LHS && gen_compare_loaded(g, in, m))
		return;
	if (in->mem == IRM_SRC) {                    /* a is a register     */
		a = opnd(in, IRP_A, val_input(g, in->a));
		gen_op_rm(g, test ? 0x85 : 0x3b, size, a, m);
	} else if (b_is_imm(in)) {
		if (test) {
			x_rm_load(c, byte_op(0xf7, size), size, 0, m);
			x_imm(c, size, in->imm);
		} else {
			x_grp1_mi(c, 7, size, m, in->imm);
		}
	} else {
		b = opnd(in, IRP_B, val_input(g, in->b));
		gen_op_rm(g, test ? 0x85 : 0x39, size, b, m);
	}
	mem_access_done(g);
	fl_after_op(g, IRF_ALL, no_recipe);
}

/* NOT, NEG. */
void op_unary(struct gen *g, struct ir_insn *in)
{
	u8 kills = in->op == IR_NEG ? IRF_ALL : 0;
	int n = in->op == IR_NEG ? 3 : 2, size = in->size, d, s;

	if (in->mem == IRM_DST) {
		struct xmem m = mem_operand(g, 1 << size, true);

		fl_before_op(g, kills);
		gen_lock(g, in);
		x_rm_load(&g->c, byte_op(0xf7, size), size, n, m);
		mem_access_done(g);
		fl_after_op(g, kills, no_recipe);
		return;
	}
	s = opnd(in, IRP_B, val_input(g, in->b));
	fl_before_op(g, kills);
	if (in->d == in->b) {
		d = s;
		val_inplace(g, in->d, d);
	} else {
		d = opnd(in, IRP_D, size < IRS_32 ? val_def_merge(g, in->d) : val_def(g, in->d, in->b));
		if (d != s)
			gen_op_rr(g, 0x8b, size, d, s);
	}
	x_rd(&g->c, byte_op(0xf7, size), size, n, d);
	fl_after_op(g, kills, no_recipe);
}
