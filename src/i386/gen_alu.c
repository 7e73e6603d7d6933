/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/i386/gen_alu.c - generators: arithmetic, logic, shifts, bits, flags.
 * SDM vol. 1 7.3.2 to 7.3.7. Flags the manual leaves undefined are the host
 * processor's. */
#include "i386/dis.h"

gen_fn gen_alu, gen_cmp, gen_incdec, gen_unary, gen_shift, gen_shiftd, gen_imul, gen_imul3,
	gen_muldiv, gen_bt, gen_bscan, gen_bcd, gen_aam, gen_cf, gen_lahf, gen_sahf,
	gen_salc, gen_cbw, gen_cwd;

/* -- add, compare, multiply ------------------------------------------------------- */

void gen_alu(struct dis *d)
{
	emit_alu2(d, d->row->x, &d->arg[0], &d->arg[1]);
}

void gen_cmp(struct dis *d)
{
	emit_cmp(d, d->row->x, &d->arg[0], &d->arg[1]);
}

void gen_incdec(struct dis *d)
{
	struct opnd one = opnd_imm(d->arg[0].size, 1);

	emit_alu2(d, d->row->x, &d->arg[0], &one);
}

void gen_unary(struct dis *d)
{
	emit_alu1(d, d->row->x, &d->arg[0]);
}

void gen_imul(struct dis *d)
{
	emit_alu2(d, IR_IMUL, &d->arg[0], &d->arg[1]);
}

void gen_imul3(struct dis *d)
{
	const struct opnd *src = &d->arg[1];
	struct ir_ea ea = { IR_NONE, IR_NONE, 0, 0 };
	struct ir_insn *i;

	if (src->kind == OPND_MEM)
		ea = emit_ea(d, &d->mem, op_bytes(src->size), false);
	i = ir_add(d->ir, IR_IMUL3, d->arg[0].size);
	i->d = d->arg[0].v;
	i->b = src->kind == OPND_MEM ? IR_NONE : src->v;
	i->mem = src->kind == OPND_MEM ? IRM_SRC : IRM_NONE;
	i->ea = ea;
	i->imm = d->arg[2].imm;
	i->fdef = d->row->def;
}

void gen_muldiv(struct dis *d)
{
	const struct opnd *src = &d->arg[0];
	struct ir_ea ea = { IR_NONE, IR_NONE, 0, 0 };
	struct ir_insn *i;

	if (src->kind == OPND_MEM)
		ea = emit_ea(d, &d->mem, op_bytes(src->size), false);
	i = ir_add(d->ir, d->row->x, src->size);
	i->b = src->kind == OPND_MEM ? IR_NONE : src->v;
	i->part = src->high ? IRP_B : 0;
	i->mem = src->kind == OPND_MEM ? IRM_SRC : IRM_NONE;
	i->ea = ea;
	i->fdef = d->row->def;
}

/* -- sign extension in the accumulator ----------------------------------------------- */

void gen_cbw(struct dis *d)
{
	emit_conv(d, IR_SX, d->osz, d->osz - 1, R_EAX, R_EAX);
}

/* The sign by a shift that the flags do not see (fdef 0). */
void gen_cwd(struct dis *d)
{
	struct ir_insn *i = ir_add(d->ir, IR_SAR, d->osz);

	i->d = R_EDX;
	i->a = R_EAX;
	i->b = IR_IMM;
	i->imm = (8 << d->osz) - 1;
}

/* -- shifts and rotates ------------------------------------------------------------------ */

/* A count of 0 changes no flag: known now for an immediate, only at run time
 * for CL. RCL and RCR by more than one may leave OF to the host. */
static void shift_flags(struct dis *d, struct ir_insn *i, const struct opnd *count)
{
	if (count->kind == OPND_REG) {
		i->fuse = i->fdef | d->row->use;
		return;
	}
	i->imm = count->imm & 31;
	if (!i->imm)
		i->fdef = i->fuse = 0;
	else if (i->imm != 1 && d->row->use)
		i->fuse |= i->fdef;
}

static bool shifts_nothing(const struct opnd *dst, const struct opnd *count)
{
	return count->kind == OPND_IMM && !(count->imm & 31) && dst->kind == OPND_REG;
}

void gen_shift(struct dis *d)
{
	if (shifts_nothing(&d->arg[0], &d->arg[1]))
		return;
	shift_flags(d, emit_alu2(d, d->row->x, &d->arg[0], &d->arg[1]), &d->arg[1]);
}

void gen_shiftd(struct dis *d)
{
	struct ir_insn *i;

	if (shifts_nothing(&d->arg[0], &d->arg[2]))
		return;
	i = emit_alu2(d, d->row->x, &d->arg[0], &d->arg[2]);
	i->c = d->arg[1].v;
	shift_flags(d, i, &d->arg[2]);
}

/* -- bits ------------------------------------------------------------------------------------ */

/* Bit strings: the register's value also selects the operand in memory, its
 * upper bits being a signed number of operands. One temporary is enough. */
static void bt_string_address(struct dis *d)
{
	struct addr *m = &d->mem;
	const struct opnd *bit = &d->arg[1];
	ir_val t = ir_temp(d->ir), v = bit->v;
	struct ir_insn *i;

	if (bit->size == IRS_16) {
		v = ir_temp(d->ir);
		emit_conv(d, IR_SX, IRS_32, IRS_16, v, bit->v);
	}
	i = ir_add(d->ir, IR_SAR, IRS_32);
	i->d = t;
	i->a = v;
	i->b = IR_IMM;
	i->imm = 3 + bit->size;
	if (m->index == IR_NONE) {
		m->index = t;
		m->scale = bit->size;
		return;
	}
	emit_lea(d, IRS_32, t, m->base, t, bit->size, m->disp);
	m->base = t;
	m->disp = 0;
}

void gen_bt(struct dis *d)
{
	struct opnd *bit = &d->arg[1];

	if (d->arg[0].kind == OPND_MEM && bit->kind == OPND_REG)
		bt_string_address(d);
	if (bit->kind == OPND_IMM)
		bit->imm &= (8 << d->osz) - 1;
	if (d->row->x == IR_BT)
		emit_cmp(d, IR_BT, &d->arg[0], bit);
	else
		emit_alu2(d, d->row->x, &d->arg[0], bit);
}

void gen_bscan(struct dis *d)
{
	emit_alu2(d, d->row->x, &d->arg[0], &d->arg[1]);
}

/* -- decimal ----------------------------------------------------------------------------------- */

void gen_bcd(struct dis *d)
{
	static const u8 id[] = { HELPER_daa, HELPER_das, HELPER_aaa, HELPER_aas };

	emit_call(d, id[d->row->x], IR_NONE, IR_NONE, IR_NONE);
}

void gen_aam(struct dis *d)
{
	ir_val base = emit_const(d, (u8)d->arg[0].imm);

	emit_call(d, d->row->x ? HELPER_aad : HELPER_aam, base, IR_NONE, IR_NONE);
}

/* -- flags ------------------------------------------------------------------------------------- */

void gen_cf(struct dis *d)
{
	struct ir_insn *i = ir_add(d->ir, IR_CF, IRS_32);

	i->imm = d->row->x;
	i->fdef = d->row->def;
	i->fuse = d->row->use;
}

void gen_lahf(struct dis *d)
{
	struct ir_insn *i = ir_add(d->ir, IR_LAHF, IRS_8);

	i->d = R_EAX;
	i->part = IRP_D;
	i->fuse = d->row->use;
}

void gen_sahf(struct dis *d)
{
	struct ir_insn *i = ir_add(d->ir, IR_SAHF, IRS_8);

	i->b = R_EAX;
	i->part = IRP_B;
	i->fdef = d->row->def;
}

/* SALC, undocumented: AL = CF ? FFh : 0. */
void gen_salc(struct dis *d)
{
	ir_val zero = emit_const(d, 0), ones = emit_const(d, 0xff);
	struct ir_insn *i = ir_add(d->ir, IR_MOVCC, IRS_32);

	i->d = i->a = zero;
	i->b = ones;
	i->cc = CC_B;
	i->fuse = d->row->use;
	emit_copy(d, IRS_8, R_EAX, zero);
}
