/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/tcg/x64_vec.c - instructions that guest and host have in common (IR_VEC).
 *
 * The guest's XMM and MMX registers are the host's own, and its general
 * registers are in host registers: so the instruction is emitted as it is, but
 * for the registers' numbers and the address of its memory operand. Whether a
 * 16-byte operand is aligned the host's instruction finds out: the fault leads
 * to the access's slow path (struct tb_insn). SDM vol. 2 2.1 to 2.3. */
#include "tcg/x64_gen.h"

static const u8 prefix_byte[4] = { 0, 0x66, 0xf3, 0xf2 };

/* The operands' host registers. */
struct vec { int reg, rm, v; };

static bool is_mem(const struct ir_insn *in)
{
	return in->mem != IRM_NONE && !(in->imm2 & VEC_AT_B);
}

/* CRC32 of a byte: SIL and DIL need a REX prefix. */
static bool byte_source(const struct ir_insn *in)
{
	return (in->imm & 0xfff) == VEC_OPCODE(VEC_F2, VEC_0F38, 0xf0);
}

static void put_vex(struct xcode *c, const struct ir_insn *in, const struct vec *r, struct xmem m)
{
	u32 rex = is_mem(in) ? x_mem_rex(m) : (u32)r->rm >> 3;

	x_u8(c, 0xc4);
	x_u8(c, ((rex | (u32)(r->reg >> 3) << 2) << 5 ^ 0xe0) | ((in->imm >> 8 & 3) + 1));
	x_u8(c, (u32)(~r->v & 15) << 3 | (in->imm >> 10 & 3));
}

static void put_legacy(struct xcode *c, const struct ir_insn *in, const struct vec *r, struct xmem m)
{
	u32 rex = (is_mem(in) ? x_mem_rex(m) : (u32)r->rm >> 3) | (u32)(r->reg >> 3) << 2;
	int map = in->imm >> 8 & 3;
	u8 prefix = prefix_byte[in->imm >> 10 & 3];

	if (in->size == IRS_16)
		x_u8(c, 0x66);
	if (prefix)
		x_u8(c, prefix);
	if (rex || (byte_source(in) && !is_mem(in)))
		x_u8(c, 0x40 | rex);
	x_u8(c, 0x0f);
	if (map != VEC_0F)
		x_u8(c, map == VEC_0F38 ? 0x38 : 0x3a);
}

static void put_insn(struct xcode *c, const struct ir_insn *in, const struct vec *r, struct xmem m)
{
	if (in->imm & VEC_VEX)
		put_vex(c, in, r, m);
	else
		put_legacy(c, in, r, m);
	x_u8(c, (u32)in->imm & 0xff);
	if (is_mem(in))
		x_modrm_mem(c, r->reg, m);
	else
		x_u8(c, 0xc0 | (r->reg & 7) << 3 | (r->rm & 7));
	if (in->imm & VEC_IMM8)
		x_u8(c, (u32)in->imm >> 16 & 0xff);
}

/* What stands in a place: the register whose number is n, or a value's. */
static int place(const int v[5], int is, int n)
{
	return is ? v[is] : n;
}

static int result(struct gen *g, struct ir_insn *in)
{
	if (in->size < IRS_32 || in->d == in->a)
		return val_def_merge(g, in->d);
	return val_def(g, in->d, in->b);
}

/* MASKMOV stores at [rdi]: the host's address takes the place of its value.
 * MASKMOVQ's pending x87 exception is to find the value there. */
static void put_at_b(struct gen *g, struct ir_insn *in, const struct vec *r, struct xmem m, int b)
{
	if (in->imm2 & VEC_FAULTS)
		x_u8(&g->c, 0x9b);                           /* fwait       */
	x_lea(&g->c, IRS_64, X_HOST, m);
	x_rr(&g->c, 0x87, IRS_64, b, X_HOST);
	put_insn(&g->c, in, r, m);
	x_rr(&g->c, 0x87, IRS_64, b, X_HOST);
}

static void operands(struct gen *g, struct ir_insn *in, int v[5])
{
	if (in->a != IR_NONE)
		v[VECV_A] = val_input(g, in->a);
	if (in->b != IR_NONE)
		v[VECV_B] = val_input(g, in->b);
	if (in->c != IR_NONE) {              /* written: a guest register   */
		v[VECV_C] = val_input(g, in->c);
		fl_write_reg(g, v[VECV_C]);
	}
}

void op_vec(struct gen *g, struct ir_insn *in)
{
	int v[5] = { X_NONE, X_NONE, X_NONE, X_NONE, X_NONE };
	struct xmem m = { X_NONE, X_NONE, 0, 0 };
	u8 kills = in->fdef;
	struct vec r;

	if (in->imm2 & VEC_FAULTS)
		esp_sync(g);
	if (in->mem != IRM_NONE)
		m = mem_operand(g, (int)in->aux, in->mem == IRM_DST);
	operands(g, in, v);
	if (in->imm2 & VEC_FAULTS && g->fl == FL_RECIPE)
		fl_sync(g, fl_needed_before(g));
	if (kills)
		fl_before_op(g, kills);
	if (in->d != IR_NONE)
		v[VECV_D] = result(g, in);
	r.reg = place(v, in->imm2 >> 8 & 7, in->imm2 & 7);
	r.rm = place(v, in->imm2 >> 12 & 7, in->imm2 >> 4 & 7);
	r.v = place(v, in->imm2 >> 16 & 7, 0);
	if (in->mem != IRM_NONE && in->imm2 & (VEC_ALIGNED | VEC_MISALIGN))
		mem_note_alignment(g);
	if (in->imm2 & (VEC_ALIGNED | VEC_MISALIGN | VEC_FAULTS))
		gen_map(g, g->guest_insn);
	if (in->imm2 & VEC_AT_B)
		put_at_b(g, in, &r, m, v[VECV_B]);
	else
		put_insn(&g->c, in, &r, m);
	if (in->mem == IRM_DST)
		mem_access_done(g);
	if (kills)
		fl_after_op(g, kills, no_recipe);
}
