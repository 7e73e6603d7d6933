/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/i386/gen_sys.c - generators: ports, interrupt flag, control and debug
 * registers, descriptor tables, and the other system instructions. SDM vol.
 * 3A 2.8; privilege has been checked by decode(). */
#include "i386/dis.h"

gen_fn gen_in, gen_out, gen_hlt, gen_cli, gen_sti, gen_df, gen_mov_from_cr, gen_mov_to_cr,
	gen_mov_from_dr, gen_mov_to_dr, gen_clts, gen_lmsw, gen_smsw, gen_load_dt,
	gen_store_dt, gen_invlpg, gen_helper0, gen_sldt, gen_str, gen_lldt, gen_ltr,
	gen_ver, gen_lar, gen_arpl, gen_sysenter, gen_sysexit, gen_ac, gen_monitor, gen_mwait;

/* -- ports ------------------------------------------------------------------------- */

static ir_val port_value(struct dis *d, const struct opnd *o)
{
	return o->kind == OPND_IMM ? emit_const(d, (u8)o->imm) : emit_value(d, o);
}

static ir_val emit_port_check(struct dis *d, ir_val port, int size)
{
	ir_val bytes = emit_const(d, (u32)op_bytes(size));

	if (!(d->flags & HF_CPL0_IO))
		emit_call(d, HELPER_check_io, port, bytes, IR_NONE);
	return bytes;
}

void gen_in(struct dis *d)
{
	int size = d->arg[0].size;
	ir_val port = port_value(d, &d->arg[1]);
	ir_val bytes = emit_port_check(d, port, size);

	emit_copy(d, size, R_EAX, emit_call(d, HELPER_in, port, bytes, IR_NONE));
}

void gen_out(struct dis *d)
{
	int size = d->arg[1].size;
	ir_val port = port_value(d, &d->arg[0]);
	ir_val bytes = emit_port_check(d, port, size);

	emit_call(d, HELPER_out, port, bytes, emit_value(d, &d->arg[1]));
}

/* -- interrupt flag, direction flag, halt --------------------------------------------- */

void gen_hlt(struct dis *d)
{
	emit_call(d, HELPER_hlt, emit_const(d, d->next), IR_NONE, IR_NONE);
	d->end = true;
}

/* MONITOR loads the byte at DS:EAX, so to speak. #UD above ring 0. */
void gen_monitor(struct dis *d)
{
	struct addr m = addr_reg(d, d->over >= 0 ? d->over : R_DS, R_EAX, 0);
	struct ir_ea ea;

	if (d->flags & HF_CPL) {
		emit_raise(d, EXCP_UD, ~0u);
		return;
	}
	emit_call(d, HELPER_monitor_enter, IR_NONE, IR_NONE, IR_NONE);
	ea = emit_ea(d, &m, 1, false);
	emit_load(d, IRS_8, &ea);
	emit_call(d, HELPER_monitor, emit_linear(d, &m, 1, false, 1), IR_NONE, IR_NONE);
}

void gen_mwait(struct dis *d)
{
	if (d->flags & HF_CPL) {
		emit_raise(d, EXCP_UD, ~0u);
		return;
	}
	emit_call(d, HELPER_mwait, emit_const(d, d->next), IR_NONE, IR_NONE);
	gen_leave(d, true);
}

void gen_cli(struct dis *d)
{
	ir_val t = emit_lde(d, IRS_32, X86_OFS(eflags));
	struct ir_insn *i = ir_add(d->ir, IR_AND, IRS_32);

	i->d = i->a = t;
	i->b = IR_IMM;
	i->imm = (s32)~(u32)(d->flags & HF_VIF ? EFLAGS_VIF : EFLAGS_IF);
	emit_ste(d, IRS_32, X86_OFS(eflags), t);
}

/* CLAC, STAC (row.x); no more of the translator's state depends on AC in ring 0. */
void gen_ac(struct dis *d)
{
	ir_val t;
	struct ir_insn *i;

	if (d->flags & HF_CPL) {
		emit_raise(d, EXCP_UD, ~0u);
		return;
	}
	if (!d->row->x) {
		emit_call(d, HELPER_clac, IR_NONE, IR_NONE, IR_NONE);
		return;
	}
	t = emit_lde(d, IRS_32, X86_OFS(eflags));
	i = ir_add(d->ir, IR_OR, IRS_32);
	i->d = i->a = t;
	i->b = IR_IMM;
	i->imm = EFLAGS_AC;
	emit_ste(d, IRS_32, X86_OFS(eflags), t);
}

/* A shared check that fails, and one that lets interrupts in, leaves the block: not
 * before the instruction behind STI. So a block with STI has none. */
void gen_sti(struct dis *d)
{
	d->ir->stack_cache = false;
	emit_call(d, HELPER_sti, emit_const(d, d->next), emit_const(d, !d->single), IR_NONE);
	if (d->single)
		gen_leave_next(d);
	else
		d->shadow = true;
}

void gen_df(struct dis *d)
{
	emit_ste_imm(d, IRS_32, X86_OFS(df), d->row->x ? ~0u : 1);
}

/* -- control and debug registers -------------------------------------------------------- */

void gen_mov_from_cr(struct dis *d)
{
	ir_val n = emit_const(d, (u32)d->arg[1].imm);

	emit_copy(d, IRS_32, d->arg[0].v, emit_call(d, HELPER_read_cr, n, IR_NONE, IR_NONE));
}

void gen_mov_to_cr(struct dis *d)
{
	ir_val n = emit_const(d, (u32)d->arg[0].imm);

	emit_call(d, HELPER_write_cr, n, d->arg[1].v, IR_NONE);
	gen_leave_next(d);
}

void gen_mov_from_dr(struct dis *d)
{
	ir_val n = emit_const(d, (u32)d->arg[1].imm);

	emit_copy(d, IRS_32, d->arg[0].v, emit_call(d, HELPER_read_dr, n, IR_NONE, IR_NONE));
}

void gen_mov_to_dr(struct dis *d)
{
	ir_val n = emit_const(d, (u32)d->arg[0].imm);

	emit_call(d, HELPER_write_dr, n, d->arg[1].v, IR_NONE);
	gen_leave_next(d);
}

void gen_clts(struct dis *d)
{
	emit_call(d, HELPER_clts, IR_NONE, IR_NONE, IR_NONE);
	gen_leave_next(d);
}

void gen_lmsw(struct dis *d)
{
	emit_call(d, HELPER_lmsw, emit_value(d, &d->arg[0]), IR_NONE, IR_NONE);
	gen_leave_next(d);
}

static void store_result(struct dis *d, ir_val v)
{
	struct opnd src = opnd_reg(d->arg[0].size, v);

	emit_mov(d, &d->arg[0], &src);
}

void gen_smsw(struct dis *d)
{
	store_result(d, emit_call(d, HELPER_smsw, IR_NONE, IR_NONE, IR_NONE));
}

void gen_invlpg(struct dis *d)
{
	/* The address is not accessed, so no limit is checked. */
	ir_val ofs = emit_offset(d, &d->mem), t = ir_temp(d->ir);
	ir_val base = emit_lde(d, IRS_32, X86_OFS(seg) + d->mem.seg * sizeof(struct seg_cache) +
			       offsetof(struct seg_cache, base));

	emit_lea(d, IRS_32, t, base, ofs, 0, 0);
	emit_call(d, HELPER_invlpg, t, IR_NONE, IR_NONE);
	gen_leave_next(d);
}

/* Helpers without arguments: RDTSC, CPUID and the like. */
/* SDM vol. 3A 9.3. What follows such an instruction may have been written by
 * another processor just before: it is not to be part of a block whose code was
 * fetched earlier. (The others of them end their block for other reasons.) */
static bool is_serializing(int helper)
{
	return helper == HELPER_wbinvd || helper == HELPER_wrmsr || helper == HELPER_cpuid ||
	       helper == HELPER_xsetbv;
}

void gen_helper0(struct dis *d)
{
	static const u8 id[] = { HELPER_wbinvd, HELPER_rdtsc, HELPER_rdpmc, HELPER_rdmsr,
				 HELPER_wrmsr, HELPER_cpuid, HELPER_rdtscp, HELPER_xgetbv,
				 HELPER_xsetbv };

	emit_call(d, id[d->row->x], IR_NONE, IR_NONE, IR_NONE);
	if (is_serializing(id[d->row->x]))
		gen_goto(d, d->next);
}

/* -- descriptor tables ----------------------------------------------------------------------- */

/* Base as the operand size has it: 24 bits with 16-bit operands. */
static ir_val dt_base(struct dis *d, ir_val v)
{
	struct ir_insn *i;

	if (d->osz == IRS_32)
		return v;
	i = ir_add(d->ir, IR_AND, IRS_32);
	i->d = i->a = v;
	i->b = IR_IMM;
	i->imm = 0xffffff;
	return v;
}

void gen_load_dt(struct dis *d)
{
	struct ir_ea ea = emit_ea(d, &d->mem, 6, false);
	ir_val limit = emit_load_zx(d, IRS_16, &ea), base;

	ea.disp += 2;
	base = dt_base(d, emit_load(d, IRS_32, &ea));
	emit_call(d, d->row->x ? HELPER_lidt : HELPER_lgdt, base, limit, IR_NONE);
	gen_goto(d, d->next);
}

void gen_store_dt(struct dis *d)
{
	size_t dt = d->row->x ? X86_OFS(idt) : X86_OFS(gdt);
	struct ir_ea ea = emit_ea(d, &d->mem, 6, true), hi = ea;
	ir_val base = emit_lde(d, IRS_32, dt + offsetof(struct desc_table, base));
	ir_val limit = emit_lde(d, IRS_16, dt + offsetof(struct desc_table, limit));

	hi.disp += 2;
	emit_store(d, IRS_32, &hi, base);
	emit_store(d, IRS_16, &ea, limit);
}

void gen_sldt(struct dis *d)
{
	store_result(d, emit_lde(d, IRS_16, X86_OFS(ldt.selector)));
}

void gen_str(struct dis *d)
{
	store_result(d, emit_lde(d, IRS_16, X86_OFS(tr.selector)));
}

void gen_lldt(struct dis *d)
{
	emit_call(d, HELPER_lldt, emit_value(d, &d->arg[0]), IR_NONE, IR_NONE);
	gen_goto(d, d->next);
}

void gen_ltr(struct dis *d)
{
	emit_call(d, HELPER_ltr, emit_value(d, &d->arg[0]), IR_NONE, IR_NONE);
	gen_goto(d, d->next);
}

/* -- looking at selectors -------------------------------------------------------------------- */

void gen_ver(struct dis *d)
{
	emit_call(d, d->row->x ? HELPER_verw : HELPER_verr, emit_value(d, &d->arg[0]),
		  IR_NONE, IR_NONE);
}

/* LAR, LSL: the result counts only when ZF came back set. */
void gen_lar(struct dis *d)
{
	ir_val r = emit_call(d, d->row->x ? HELPER_lsl : HELPER_lar,
			     emit_value(d, &d->arg[1]), IR_NONE, IR_NONE);
	struct ir_insn *i = ir_add(d->ir, IR_MOVCC, d->osz);

	i->d = i->a = d->arg[0].v;
	i->b = r;
	i->cc = CC_E;
	i->fuse = IRF_Z;
}

void gen_arpl(struct dis *d)
{
	const struct opnd *dst = &d->arg[0];
	ir_val src = emit_value(d, &d->arg[1]), r;

	if (dst->kind == OPND_MEM) {
		emit_call(d, HELPER_arpl_mem, emit_offset(d, &d->mem), src,
			  emit_const(d, d->mem.seg));
		return;
	}
	r = emit_call(d, HELPER_arpl, emit_zx(d, IRS_16, dst->v), src, IR_NONE);
	emit_copy(d, IRS_16, dst->v, r);
}

/* -- fast system calls ------------------------------------------------------------------------- */

void gen_sysenter(struct dis *d)
{
	emit_call(d, HELPER_sysenter, IR_NONE, IR_NONE, IR_NONE);
	gen_leave(d, false);
}

void gen_sysexit(struct dis *d)
{
	emit_call(d, HELPER_sysexit, IR_NONE, IR_NONE, IR_NONE);
	gen_leave(d, false);
}
