/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/i386/gen_sse.c - generators: MMX, SSE and later instructions, and those
 * of general registers that came with them. SDM vol. 1 chapters 9 to 12.
 *
 * Nearly all are the host's own (IR_VEC): a row of optab.c says by its operands
 * where registers and memory are encoded, gen_vec only copies. */
#include "i386/dis.h"

gen_fn gen_vec, gen_emms, gen_maskmov, gen_ldmxcsr, gen_clflush;

/* MMX instructions take a pending x87 exception; SIMD exceptions exist only
 * while MXCSR leaves one unmasked (helper_ldmxcsr and its like see to it). */
bool vec_faults(const struct dis *d)
{
	return d->row->flags & MMXROW || (d->row->x & X_FP && d->flags & HF_XM);
}

static int mem_arg(const struct dis *d)
{
	for (int n = 0; n < 3; n++)
		if (d->arg[n].kind == OPND_MEM)
			return n;
	return -1;
}

static s64 stands_at(int place, int which)
{
	return place == PLACE_REG ? VEC_REG_IS(which) : place == PLACE_RM ? VEC_RM_IS(which) :
	       VEC_V_IS(which);
}

/* Argument n in a general register. */
static void put_gpr(struct dis *d, struct ir_insn *i, int n, ir_val v)
{
	const struct opnd *o = &d->arg[n];

	if (o->size == IRS_16)
		i->size = IRS_16;
	if (n == 0) {
		i->d = v;
		i->imm2 |= stands_at(o->place, VECV_D);
		if (d->row->x & X_RW)
			i->a = v;
	} else if (d->row->x & X_MULX && n == 1) {
		i->c = v;
		i->a = R_EDX;
		i->imm2 |= stands_at(o->place, VECV_C);
	} else if (o->place == PLACE_VEX) {
		i->a = v;
		i->imm2 |= stands_at(o->place, VECV_A);
	} else {
		i->b = v;
		i->imm2 |= stands_at(o->place, VECV_B);
	}
}

static void put_args(struct dis *d, struct ir_insn *i, const ir_val v[3])
{
	for (int n = 0; n < 3; n++) {
		const struct opnd *o = &d->arg[n];

		if (o->kind == OPND_REG)
			put_gpr(d, i, n, v[n]);
		else if (o->kind == OPND_IMM)
			i->imm |= VEC_IMM8 | (s64)(u8)o->imm << 16;
		else if (o->kind == OPND_MEM && o->size == IRS_16 && d->osz == IRS_16 &&
			 d->row->arg[n] != Rd_Mw && d->row->arg[n] != Ww)
			i->size = IRS_16;
	}
}

static struct ir_insn *emit_vec(struct dis *d, u32 opcode)
{
	struct ir_insn *i = ir_add(d->ir, IR_VEC, IRS_32);

	i->imm = opcode | (d->vex ? VEC_VEX : 0);
	i->imm2 = VEC_REG((s64)d->reg) | VEC_RM((s64)d->rm) | (vec_faults(d) ? VEC_FAULTS : 0);
	i->fdef = d->row->def;
	i->fuse = d->row->use;
	return i;
}

static void put_implicit(struct dis *d, struct ir_insn *i)
{
	if (d->row->x & X_LEN) {
		i->a = R_EAX;
		i->b = R_EDX;
	}
	if (d->row->x & X_ECX)
		i->d = R_ECX;
}

/* What must be aligned to 16 is #GP, not #AC, when it is not. */
static struct ir_ea vec_ea(struct dis *d, const struct opnd *o, bool write)
{
	int bytes = op_bytes(o->size);

	return emit_ea_aligned(d, &d->mem, bytes, write, o->aligned == ALIGN_MUST ? 1 : bytes);
}

void gen_vec(struct dis *d)
{
	struct ir_ea ea = { IR_NONE, IR_NONE, 0, 0 };
	int mem = mem_arg(d);
	ir_val v[3];
	struct ir_insn *i;

	if (mem >= 0)
		ea = vec_ea(d, &d->arg[mem], mem == 0);
	for (int n = 0; n < 3; n++)              /* AH has no place beside REX  */
		v[n] = d->arg[n].high ? emit_value(d, &d->arg[n]) : d->arg[n].v;
	i = emit_vec(d, (u32)VEC_OPCODE(d->row->x & X_OSZ ? VEC_NP : d->prefix, d->map, d->op));
	put_args(d, i, v);
	put_implicit(d, i);
	if (mem < 0)
		return;
	i->mem = mem ? IRM_SRC : IRM_DST;
	i->ea = ea;
	i->aux = (u32)op_bytes(d->arg[mem].size);
	i->imm2 |= d->arg[mem].aligned == ALIGN_MUST ? VEC_ALIGNED :
		   d->arg[mem].aligned == ALIGN_HOST ? VEC_MISALIGN : 0;
}

void gen_emms(struct dis *d)
{
	struct ir_insn *i = ir_add(d->ir, IR_FPU, IRS_32);

	(void)d;
	i->imm = 0x0f77;
}

/* Stores at DS:EDI what the mask selects; the rest is read and kept. */
void gen_maskmov(struct dis *d)
{
	int size = d->arg[0].size;
	struct addr m = addr_reg(d, d->over >= 0 ? d->over : R_DS, R_EDI, 0);
	struct ir_ea ea = emit_ea_aligned(d, &m, op_bytes(size), true, 8);
	struct ir_insn *i = emit_vec(d, (u32)VEC_OPCODE(d->prefix, d->map, d->op));

	i->b = R_EDI;
	i->mem = IRM_DST;
	i->ea = ea;
	i->aux = (u32)op_bytes(size);
	i->imm2 |= VEC_AT_B;
}

void gen_ldmxcsr(struct dis *d)
{
	struct ir_ea ea = emit_ea(d, &d->mem, 4, false);

	emit_call(d, HELPER_ldmxcsr, emit_load(d, IRS_32, &ea), IR_NONE, IR_NONE);
	gen_leave_next(d);
}

/* CLFLUSH and its like: only the address is of interest. */
void gen_clflush(struct dis *d)
{
	struct ir_ea ea = emit_ea(d, &d->mem, 1, false);

	emit_load(d, IRS_8, &ea);
}
