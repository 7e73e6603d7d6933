/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/tcg/x64_shift.c - shifts and rotates, multiplication, division, bits. */
#include "tcg/x64_gen.h"

/* -- shifts ------------------------------------------------------------------------------ */

const s8 shift_digit[IR_NOPS] = {
	[IR_ROL] = 0, [IR_ROR] = 1, [IR_RCL] = 2, [IR_RCR] = 3,
	[IR_SHL] = 4, [IR_SHR] = 5, [IR_SAR] = 7,
};

static bool is_double_shift(const struct ir_insn *in)
{
	return in->op == IR_SHLD || in->op == IR_SHRD;
}

static void shift_insn(struct gen *g, struct ir_insn *in, int d, const struct xmem *m, int src)
{
	struct xcode *c = &g->c;
	bool imm = b_is_imm(in);

	if (is_double_shift(in)) {
		u32 op = (in->op == IR_SHLD ? 0x0fa4 : 0x0fac) + !imm;

		if (m)
			x_rm(c, op, in->size, src, *m);
		else
			x_rr(c, op, in->size, src, d);
	} else {
		u32 op = byte_op(imm ? 0xc1 : 0xd3, in->size);
		int n = shift_digit[in->op];

		if (imm && in->imm == 1)
			op = byte_op(0xd1, in->size);
		if (m)
			x_rm_load(c, op, in->size, n, *m);
		else
			x_rd(c, op, in->size, n, d);
		if (imm && in->imm == 1)
			return;
	}
	if (imm)
		x_u8(c, (u8)in->imm);
}

static u8 shift_kills(const struct ir_insn *in)
{
	bool rotate = in->op == IR_ROL || in->op == IR_ROR || in->op == IR_RCL || in->op == IR_RCR;

	return rotate ? IRF_C | IRF_O : IRF_ALL;
}

/* By CL a count of 0 must leave the flags: unless they are in the host's, the
 * shift and the saving of its flags are jumped over. */
static void gen_shift_cl(struct gen *g, struct ir_insn *in, int d, const struct xmem *m, int src)
{
	u8 kills = shift_kills(in), need = fl_needed_after(g);
	bool carry = in->op == IR_RCL || in->op == IR_RCR;
	struct xcode *c = &g->c;
	u8 *over;

	if (!(in->fdef & need)) {
		fl_before_op(g, kills);
		if (carry)
			fl_load_carry(g);
		shift_insn(g, in, d, m, src);
		if (m)
			mem_access_done(g);
		fl_after_op(g, kills, no_recipe);
		return;
	}
	if (g->fl == FL_RECIPE) {
		fl_redo(g);
		g->fl = FL_HOST;
	}
	if (g->fl == FL_HOST) {
		shift_insn(g, in, d, m, src);
		if (m)
			mem_access_done(g);
		g->rec = no_recipe;
		return;
	}
	if (carry || kills != IRF_ALL)
		fl_sync_entry(g, in->fuse | (need & ~in->fdef));
	x_rd(c, 0xf6, IRS_8, 0, X_RCX);                      /* test cl, 31 */
	x_u8(c, 31);
	over = x_jcc8(c, CC_E);
	if (!carry && kills == IRF_ALL) {
		shift_insn(g, in, d, m, src);
		fl_emit_save(c, m ? X_R8 : X_R9);
	} else {
		if (carry)
			fl_load_carry(g);
		shift_insn(g, in, d, m, src);
		fl_emit_merge(c, IRF_C | IRF_O, m ? X_R8 : X_R9);
	}
	x_patch8(over, c->p);
	if (m)
		mem_access_done(g);
	if (in->size == IRS_32 && !m && !val_is_temp(in->d))
		x_mov_rr(c, IRS_32, d, d);
}

void op_shift(struct gen *g, struct ir_insn *in)
{
	struct xmem m, *mp = NULL;
	int d = X_NONE, a, src = X_NONE, copy = X_NONE;
	u8 kills = shift_kills(in);

	if (in->mem == IRM_DST) {
		m = mem_operand(g, 1 << in->size, true);
		mp = &m;
	}
	if (is_double_shift(in))
		src = val_input(g, in->c);
	if (!mp) {
		a = opnd(in, IRP_A, val_input(g, in->a));
		if (in->d == in->a) {
			d = a;
			val_inplace(g, in->d, d);
		} else {
			d = opnd(in, IRP_D, in->size < IRS_32 ? val_def_merge(g, in->d) :
				 val_def(g, in->d, in->a));
			if (d != a)
				gen_op_rr(g, 0x8b, in->size, d, a);
		}
	}
	if (!b_is_imm(in)) {
		gen_shift_cl(g, in, d, mp, src);
		return;
	}
	if (!(in->imm & 31)) {                       /* only the merge      */
		if (mp)
			mem_access_done(g);
		return;
	}
	fl_before_op(g, kills);
	if (in->op == IR_RCL || in->op == IR_RCR)
		fl_load_carry(g);
	if (!mp && kills == IRF_ALL && !is_double_shift(in) && d != X_R8)
		copy = fl_copy_input(g, d);
	shift_insn(g, in, d, mp, src);
	if (mp)
		mem_access_done(g);
	if (copy != X_NONE)
		fl_by_recipe(g, fl_recipe(in, REC_REDO, copy, X_NONE));
	else
		fl_after_op(g, kills, no_recipe);
}

/* -- multiplication, bits --------------------------------------------------------------- */

/* Flags that the host's instruction destroys: what it writes. */
static u8 host_kills(struct ir_insn *in)
{
	struct ir_insn all = *in;

	all.fdef = IRF_ALL;
	return tcg_flags_written(&all);
}

void op_imul(struct gen *g, struct ir_insn *in)
{
	u8 kills = host_kills(in);
	bool mem = in->mem == IRM_SRC, three = in->op == IR_IMUL3;
	int d, s = X_NONE, size = in->size, copy = X_NONE;
	struct xcode *c = &g->c;
	struct xmem m = { 0 };

	if (mem)
		m = mem_operand(g, 1 << size, false);
	else
		s = val_input(g, in->b);
	if (three) {
		bool small = in->imm == (s8)in->imm;

		d = size == IRS_16 ? val_def_merge(g, in->d) : val_def(g, in->d, in->b);
		fl_before_op(g, kills);
		if (!mem && d == s && d != X_R8)
			copy = fl_copy_input(g, s);
		if (mem)
			x_rm(c, small ? 0x6b : 0x69, size, d, m);
		else
			x_rr(c, small ? 0x6b : 0x69, size, d, s);
		x_imm(c, small ? IRS_8 : size, in->imm);
	} else {
		int a = val_input(g, in->a);

		if (in->d == in->a) {
			d = a;
			val_inplace(g, in->d, d);
		} else if (in->d == in->b && !mem) {
			d = s;
			s = a;
			val_inplace(g, in->d, d);
		} else {
			d = val_def(g, in->d, in->a);
			if (d != a)
				x_mov_rr(c, IRS_32, d, a);
		}
		fl_before_op(g, kills);
		if (!mem && d != s && d != X_R8 && s != X_R8)
			copy = fl_copy_input(g, d);
		if (mem)
			x_rm(c, 0x0faf, size, d, m);
		else
			x_rr(c, 0x0faf, size, d, s);
	}
	if (copy != X_NONE)
		fl_by_recipe(g, fl_recipe(in, REC_REDO, copy, three ? X_NONE : s));
	else
		fl_after_op(g, kills, no_recipe);
}

/* MULU MULS DIVU DIVS: rax and rdx are globals 0 and 2. A division that
 * faults does so on the host; its handler finds the flags as noted here. */
void op_muldiv(struct gen *g, struct ir_insn *in)
{
	static const s8 digit[IR_NOPS] = {
		[IR_MULU] = 4, [IR_MULS] = 5, [IR_DIVU] = 6, [IR_DIVS] = 7,
	};
	bool div = in->op == IR_DIVU || in->op == IR_DIVS;
	u32 op = byte_op(0xf7, in->size);
	u8 kills = host_kills(in);
	struct xmem m = { 0 };
	int s = X_NONE;

	if (div)
		esp_sync(g);
	if (in->mem == IRM_SRC)
		m = mem_operand(g, 1 << in->size, false);
	else
		s = opnd(in, IRP_B, val_input(g, in->b));
	if (div) {
		fl_show(g);
		gen_map(g, g->guest_insn);
	}
	fl_write_reg(g, X_RAX);
	fl_write_reg(g, X_RDX);
	fl_before_op(g, kills);
	if (in->mem == IRM_SRC)
		x_rm_load(&g->c, op, in->size, digit[in->op], m);
	else
		x_rd(&g->c, op, in->size, digit[in->op], s);
	fl_after_op(g, kills, no_recipe);
}

void op_bswap(struct gen *g, struct ir_insn *in)
{
	int s = val_input(g, in->b), d = val_def(g, in->d, in->b);

	if (d != s)
		x_mov_rr(&g->c, IRS_32, d, s);
	x_prefix(&g->c, in->size, (u32)d >> 3, false);
	x_u8(&g->c, 0x0f);
	x_u8(&g->c, 0xc8 | (d & 7));
}

/* BSF, BSR: host instruction, d unchanged when the source is 0. */
void op_bscan(struct gen *g, struct ir_insn *in)
{
	u32 op = in->op == IR_BSF ? 0x0fbc : 0x0fbd;
	u8 kills = host_kills(in);
	struct xmem m = { 0 };
	int d, s = X_NONE, a;

	if (in->mem == IRM_SRC)
		m = mem_operand(g, 1 << in->size, false);
	else
		s = val_input(g, in->b);
	if (in->a != IR_NONE && in->a != in->d) {
		a = val_input(g, in->a);
		d = val_def(g, in->d, in->a);
		if (d != a)
			x_mov_rr(&g->c, IRS_64, d, a);
	} else {
		d = val_def_merge(g, in->d);
	}
	fl_before_op(g, kills);
	if (in->mem == IRM_SRC)
		x_rm_load(&g->c, op, in->size, d, m);
	else
		x_rr(&g->c, op, in->size, d, s);
	fl_after_op(g, kills, no_recipe);
}

/* BT BTS BTR BTC. A bit number in a register is taken mod size by the host's
 * register form; beside memory it must be masked first, or the host would
 * reach beyond the operand. */
void op_bt(struct gen *g, struct ir_insn *in)
{
	static const s8 digit[IR_NOPS] = {
		[IR_BT] = 4, [IR_BTS] = 5, [IR_BTR] = 6, [IR_BTC] = 7,
	};
	int n = digit[in->op], size = in->size, a, b, bits = 8 << size;
	struct xcode *c = &g->c;
	u8 kills = IRF_C;
	struct xmem m;

	if (in->mem == IRM_NONE) {
		a = val_input(g, in->a);
		b = b_is_imm(in) ? X_NONE : val_input(g, in->b);
		fl_before_op(g, kills);
		if (in->op != IR_BT) {
			int d = in->d == in->a ? a : val_def(g, in->d, in->a);

			if (d != a)
				x_mov_rr(c, IRS_64, d, a);
			val_inplace(g, in->d, d);
			a = d;
		}
		if (b == X_NONE) {
			x_rd(c, 0x0fba, size, n, a);
			x_u8(c, (u8)(in->imm & (bits - 1)));
		} else {
			x_rr(c, 0x0f83 + (u32)n * 8, size, b, a);
		}
		fl_after_op(g, kills, no_recipe);
		return;
	}
	m = mem_operand(g, 1 << size, in->op != IR_BT);
	if (b_is_imm(in)) {
		fl_before_op(g, kills);
		gen_lock(g, in);
		x_rm_load(c, 0x0fba, size, n, m);
		x_u8(c, (u8)(in->imm & (bits - 1)));
	} else {
		kills = IRF_ALL;
		fl_before_op(g, kills);      /* r8 is its scratch, too      */
		b = val_input(g, in->b);
		x_mov_rr(c, IRS_32, X_R8, b);
		x_grp1_ri(c, 4, IRS_32, X_R8, bits - 1);
		gen_lock(g, in);
		x_rm(c, 0x0f83 + (u32)n * 8, size, X_R8, m);
	}
	mem_access_done(g);
	fl_after_op(g, kills, no_recipe);
}
