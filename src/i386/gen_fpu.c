/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/i386/gen_fpu.c - generators: x87. SDM vol. 1 chapter 8.
 *
 * The guest's x87 state is live in the host's x87, so an instruction is the
 * host's own; only what moves the environment as a whole goes to a helper
 * (fpu.c), because FIP and FDP are the guest's. decode() raised #NM already. */
#include "i386/dis.h"

gen_fn gen_fpu, gen_fpu_load, gen_fpu_store, gen_fpu_state, gen_fwait, gen_fx, gen_xsave, gen_fpu_nop,
	gen_fninit, gen_fnstsw_ax;

struct ir_insn *emit_fpu(struct dis *d, u32 bytes)
{
	struct ir_insn *i = ir_add(d->ir, IR_FPU, IRS_32);

	i->imm = bytes;
	return i;
}

void gen_fpu(struct dis *d)
{
	struct ir_insn *i = emit_fpu(d, (u32)d->esc << 8 | d->modrm);

	i->fdef = d->row->def;
	i->fuse = d->row->use;
}

/* It clears the pointers the guest loaded too, see fpu.c. */
void gen_fninit(struct dis *d)
{
	gen_fpu(d);
	emit_ste_imm(d, IRS_32, X86_OFS(fpu_ip), 0);
	emit_ste_imm(d, IRS_32, X86_OFS(fpu_dp), 0);
	emit_ste_imm(d, IRS_16, X86_OFS(fpu_op), 0);
	emit_ste_imm(d, IRS_16, X86_OFS(fpu_cs), 0);
	emit_ste_imm(d, IRS_16, X86_OFS(fpu_ds), 0);
}

static void gen_fpu_mem(struct dis *d, enum ir_mem mem)
{
	int bytes = d->row->x;
	struct ir_ea ea = emit_ea(d, &d->mem, bytes, mem == IRM_DST);
	struct ir_insn *i = ir_add(d->ir, IR_FPUM, IRS_32);

	i->imm = (u32)d->esc << 8 | d->modrm;
	i->aux = (u32)bytes;
	i->mem = mem;
	i->ea = ea;
}

void gen_fpu_load(struct dis *d)
{
	gen_fpu_mem(d, IRM_SRC);
}

void gen_fpu_store(struct dis *d)
{
	gen_fpu_mem(d, IRM_DST);
}

void gen_fnstsw_ax(struct dis *d)
{
	struct ir_insn *i = emit_fpu(d, 0xdfe0);

	i->size = IRS_16;
	i->d = R_EAX;
}

/* FNSTENV FLDENV FNSAVE FRSTOR: row.x 0 to 3. #AC comes after the limit of the
 * first word, before that of the rest: so on silicon. */
void gen_fpu_state(struct dis *d)
{
	static const u8 id[] = { HELPER_fnstenv, HELPER_fldenv, HELPER_fnsave, HELPER_frstor };
	int env = d->osz == IRS_32 ? 28 : 14;
	int bytes = env + (d->row->x >= 2 ? 80 : 0), word = op_bytes(d->osz);
	u32 how = (d->osz == IRS_32) | (d->mem.asz == IRS_16 ? (u32)(d->mem.seg + 1) << 1 : 0);
	bool write = !(d->row->x & 1);
	ir_val a;

	if (d->flags & HF_AC)
		emit_ea_aligned(d, &d->mem, word, write, word);
	a = emit_linear(d, &d->mem, bytes, write, 1);
	emit_call(d, id[d->row->x], a, emit_const(d, how), IR_NONE);
}

void gen_fx(struct dis *d)
{
	ir_val a = emit_linear(d, &d->mem, 512, !d->row->x, 1);

	emit_call(d, d->row->x ? HELPER_fxrstor : HELPER_fxsave, a, IR_NONE, IR_NONE);
	if (d->row->x)                           /* MXCSR has changed       */
		gen_leave_next(d);
}

/* XSAVE, XRSTOR, XSAVEOPT: row.x 0 to 2. */
void gen_xsave(struct dis *d)
{
	bool load = d->row->x == 1;
	ir_val a;

	emit_call(d, HELPER_xsave_enter, IR_NONE, IR_NONE, IR_NONE);
	a = emit_linear(d, &d->mem, XSAVE_AREA, !load, 1);
	if (!load) {
		emit_call(d, HELPER_xsave, a, emit_const(d, d->row->x == 2), IR_NONE);
		return;
	}
	emit_call(d, HELPER_xrstor, a, IR_NONE, IR_NONE);
	gen_leave_next(d);
}

/* FWAIT takes #NM only when both CR0.MP and CR0.TS are set. */
void gen_fwait(struct dis *d)
{
	if ((d->flags & (HF_MP | HF_TS)) == (HF_MP | HF_TS))
		emit_raise(d, EXCP_NM, ~0u);
	else
		emit_fpu(d, 0x9b);
}

/* FENI, FDISI, FSETPM: the 8087's and 80287's; nothing since. */
void gen_fpu_nop(struct dis *d)
{
	(void)d;
}
