/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/i386/gen_string.c - generators: string instructions. SDM vol. 1 7.3.9.
 *
 * One element is done inline; a repeated one by a helper, which works through
 * as much as it can and says whether the instruction has to be run again (an
 * interrupt waits). */
#include "i386/dis.h"

gen_fn gen_movs, gen_stos, gen_lods, gen_scas, gen_cmps, gen_ins, gen_outs;

static int source_seg(const struct dis *d)
{
	return d->over >= 0 ? d->over : R_DS;
}

static struct ir_ea source(struct dis *d, int size)
{
	struct addr m = addr_reg(d, source_seg(d), R_ESI, 0);

	return emit_ea(d, &m, op_bytes(size), false);
}

static struct ir_ea dest(struct dis *d, int size, bool write)
{
	struct addr m = addr_reg(d, R_ES, R_EDI, 0);

	return emit_ea(d, &m, op_bytes(size), write);
}

/* Move index registers on by one element, in DF's direction. */
static void advance(struct dis *d, int size, ir_val r1, ir_val r2)
{
	ir_val df = emit_lde(d, IRS_32, X86_OFS(df));

	emit_lea(d, d->asz, r1, r1, df, size, 0);
	if (r2 != IR_NONE)
		emit_lea(d, d->asz, r2, r2, df, size, 0);
}

/* Helper's argument, see helper.h. Under single step one round only. */
static ir_val rep_arg(struct dis *d, int size, int rep)
{
	bool one = (d->flags & HF_TF) && rep;

	return emit_const(d, (u32)size | (u32)source_seg(d) << 4 |
			  (u32)(d->asz == IRS_32) << 8 | (u32)rep << 9 | (u32)one << 11);
}

static void rep_string(struct dis *d, enum helper_id id, int size, int rep)
{
	ir_val again = emit_call(d, id, rep_arg(d, size, rep), IR_NONE, IR_NONE);

	if (rep)
		gen_goto_z(d, IR_EXITNZ, IRS_32, again, d->pc);
}

void gen_movs(struct dis *d)
{
	int size = d->arg[0].size;
	struct ir_ea ea;
	ir_val t;

	if (d->rep) {
		rep_string(d, HELPER_rep_movs, size, 1);
		return;
	}
	ea = source(d, size);
	t = emit_load(d, size, &ea);
	ea = dest(d, size, true);
	emit_store(d, size, &ea, t);
	advance(d, size, R_ESI, R_EDI);
}

void gen_stos(struct dis *d)
{
	int size = d->arg[0].size;
	struct ir_ea ea;

	if (d->rep) {
		rep_string(d, HELPER_rep_stos, size, 1);
		return;
	}
	ea = dest(d, size, true);
	emit_store(d, size, &ea, R_EAX);
	advance(d, size, R_EDI, IR_NONE);
}

void gen_lods(struct dis *d)
{
	int size = d->arg[0].size;
	struct ir_insn *i;
	struct ir_ea ea;

	if (d->rep) {
		rep_string(d, HELPER_rep_lods, size, 1);
		return;
	}
	ea = source(d, size);
	i = ir_add(d->ir, IR_MOV, size);
	i->d = R_EAX;
	i->mem = IRM_SRC;
	i->ea = ea;
	advance(d, size, R_ESI, IR_NONE);
}

/* Flags of a - b, one of which (IR_NONE) is [ea]. */
static void compare(struct dis *d, int size, ir_val a, ir_val b, const struct ir_ea *ea)
{
	struct ir_insn *i = ir_add(d->ir, IR_CMP, size);

	i->a = a;
	i->b = b;
	i->mem = a == IR_NONE ? IRM_LHS : IRM_SRC;
	i->ea = *ea;
	i->fdef = IRF_ALL;
}

void gen_scas(struct dis *d)
{
	int size = d->arg[0].size;
	struct ir_ea ea;

	if (d->rep) {
		rep_string(d, HELPER_rep_scas, size, d->rep);
		return;
	}
	ea = dest(d, size, false);
	compare(d, size, R_EAX, IR_NONE, &ea);
	advance(d, size, R_EDI, IR_NONE);
}

void gen_cmps(struct dis *d)
{
	int size = d->arg[0].size;
	struct ir_ea ea;
	ir_val t;

	if (d->rep) {
		rep_string(d, HELPER_rep_cmps, size, d->rep);
		return;
	}
	ea = dest(d, size, false);           /* the one whose fault counts   */
	t = emit_load(d, size, &ea);
	ea = source(d, size);
	compare(d, size, IR_NONE, t, &ea);
	advance(d, size, R_ESI, R_EDI);
}

/* -- port strings: always the helper, with `rep` 0 for one element ----------------- */

static void port_string(struct dis *d, enum helper_id id, int size)
{
	size = MIN(size, IRS_32);
	if (!(d->flags & HF_CPL0_IO))
		emit_call(d, HELPER_check_io, emit_zx(d, IRS_16, R_EDX),
			  emit_const(d, (u32)op_bytes(size)), IR_NONE);
	rep_string(d, id, size, d->rep ? 1 : 0);
}

void gen_ins(struct dis *d)
{
	port_string(d, HELPER_rep_ins, d->arg[0].size);
}

void gen_outs(struct dis *d)
{
	port_string(d, HELPER_rep_outs, d->arg[0].size);
}
