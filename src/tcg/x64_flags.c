/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/tcg/x64_flags.c - where the guest's arithmetic flags are.
 *
 * They stay in the host's EFLAGS as long as they can. Something that destroys
 * those (a soft-TLB check) does one of three things, cheapest first: nothing,
 * when nobody needs the flags any more; note a recipe, when the registers that
 * made them still hold (a compare is issued again at its reader, the slow path
 * computes them for an exception frame); save them: LAHF and SETO, in cpu->cc.
 * PUSHF would take ten times as long.
 *
 * An exit to code that does not read the flags, but might show them in a fault's frame,
 * stores where the recipe stands as code, a thunk (fl_leave); who needs them runs it. So
 * does one to code that is not known, a return above all, but there the registers go on
 * to change: they are stored with it (parked). */
#include "tcg/x64_gen.h"

#include "env/log.h"
#include "tcg/opts.h"

u8 fl_needed_before(struct gen *g)
{
	const struct ir_insn *p;

	if (!g->i)
		return IRF_ALL;
	p = gen_insn(g) - 1;
	return p->flive | p->ffault;
}

u8 fl_needed_after(struct gen *g)
{
	return gen_insn(g)->flive | gen_insn(g)->ffault;
}

/* rax to or from where it waits while LAHF and SAHF use it. */
static void move_rax(struct xcode *c, int to, int from)
{
	struct xmem slot = XMEM(X_ENV, tcg_layout.save + 8);

	if (to == X_NONE)
		x_st(c, IRS_64, slot, from);
	else if (from == X_NONE)
		x_ld(c, IRS_64, to, slot);
	else
		x_mov_rr(c, IRS_64, to, from);
}

/* eax = the host's flags as cpu->cc holds them. */
static void emit_lahf(struct xcode *c)
{
	x_u8(c, 0x9f);                                   /* lahf           */
	x_rr(c, 0x0f90, IRS_8, 0, X_RAX);                /* seto al        */
}

void fl_emit_save(struct xcode *c, int scratch)
{
	move_rax(c, scratch, X_RAX);
	emit_lahf(c);
	x_st(c, IRS_64, XMEM(X_ENV, tcg_layout.cc), X_RAX);  /* no thunk    */
	move_rax(c, X_RAX, scratch);
}

/* The same in hot code: r8 may hold an operand. */
static void save(struct gen *g)
{
	bool taken = g->busy >> X_R8 & 1 || g->def_spill != IR_NONE;

	fl_emit_save(&g->c, taken ? X_NONE : X_R8);
	g->cc_own = true;
}

/* The upper half of cpu->cc, if it is not 0: how far from stub_base there is a thunk,
 * code that makes the flags from the guest's registers and saves them in cpu->cc. */
static struct xmem thunk_of(void)
{
	return XMEM(X_ENV, tcg_layout.cc + 4);
}

u8 *fl_emit_note(struct xcode *c)
{
	x_rm_load(c, 0xc7, IRS_32, 0, thunk_of());
	x_u32(c, 0);
	return c->p - 4;
}

void fl_emit_thunk(struct xcode *c, u8 *at, const struct recipe *rec, const struct recipe *carry)
{
	u32 ofs = (u32)(tcg_rx(c->p) - stub_base);

	memcpy(at, &ofs, sizeof(ofs));
	fl_emit_recipe(c, rec, carry->kind == REC_NONE ? NULL : carry);
	fl_emit_save(c, X_R8);
	x_jmp_to(c, tcg_rw(stub_synced));
}

/* Where the operands of a parked recipe are, and r10 while its thunk runs. */
static struct xmem parked(int n)
{
	return XMEM(X_ENV, tcg_layout.save + (4 + n) * 8);
}

/* Does the recipe need a second register? */
static bool has_b(const struct recipe *r)
{
	return !r->b_imm && r->b >= 0 && r->b != r->a;
}

void fl_emit_parked(struct xcode *c, u8 *at, struct recipe rec)
{
	u32 ofs = (u32)(tcg_rx(c->p) - stub_base);
	bool two = has_b(&rec);

	memcpy(at, &ofs, sizeof(ofs));
	x_ld(c, IRS_32, X_R9, parked(0));
	if (two) {
		x_st(c, IRS_64, parked(2), X_R10);
		x_ld(c, IRS_32, X_R10, parked(1));
	}
	rec.b = two ? X_R10 : rec.b == rec.a ? X_R9 : rec.b;
	rec.a = X_R9;
	fl_emit_recipe(c, &rec, NULL);
	fl_emit_save(c, X_R8);
	if (two)
		x_ld(c, IRS_64, X_R10, parked(2));
	x_jmp_to(c, tcg_rw(stub_synced));
}

/* The jump to be taken if cpu->cc is a thunk. */
static u8 *emit_noted(struct xcode *c)
{
	x_rm_load(c, 0x83, IRS_32, 7, thunk_of());
	x_u8(c, 0);
	return x_jcc(c, CC_NE);
}

void fl_start(struct gen *g)
{
	const struct ir_insn *in = gen_insn(g);
	u8 need = fl_needed_after(g);

	if (in->mem == IRM_NONE || g->fl != FL_MEM)
		return;
	if (fl_reads(in))
		fl_sync_entry(g, IRF_ALL);
	else if (in->fdef & need)
		fl_sync_entry(g, need & ~in->fdef);
}

bool fl_reads(const struct ir_insn *in)
{
	switch (in->op) {
	case IR_ADC:
	case IR_SBB:
	case IR_RCL:
	case IR_RCR:
	case IR_SETCC:
	case IR_MOVCC:
	case IR_EXITCC:
	case IR_LAHF:
		return true;
	default:
		return in->fuse && ir_desc[in->op].kind != IRK_EXIT;
	}
}

void fl_sync_entry(struct gen *g, u8 mask)
{
	if (g->cc_own || !mask || !tcg_opt(TCG_OPT_SHOW))
		return;
	cold_add(g, COLD_SYNC, emit_noted(&g->c))->back = g->c.p;
	g->cc_own = true;
}

/* All flags as cpu->cc has them into the host's. */
static void emit_load(struct xcode *c)
{
	x_mov_rr(c, IRS_64, X_R8, X_RAX);
	x_ld(c, IRS_32, X_RAX, XMEM(X_ENV, tcg_layout.cc));
	x_grp1_ri(c, 0, IRS_8, X_RAX, 0x7f);             /* OF             */
	x_u8(c, 0x9e);                                   /* sahf           */
	x_mov_rr(c, IRS_64, X_RAX, X_R8);
}

/* CF as cpu->cc has it into the host's. */
static void emit_load_carry(struct xcode *c)
{
	x_rm_load(c, 0x0fba, IRS_32, 4, XMEM(X_ENV, tcg_layout.cc));
	x_u8(c, 8);                                      /* bt [cc], 8     */
}

static void emit_op(struct xcode *c, int n, const struct recipe *r, int a)
{
	if (r->b_imm)
		x_grp1_ri(c, n, r->size, a, r->imm);
	else
		x_rr(c, (u32)n * 8 + (r->size != IRS_8), r->size, r->b, a);
}

/* A shift by a constant, or a multiplication, once more. */
static void emit_redo(struct xcode *c, const struct recipe *r)
{
	x_mov_rr(c, IRS_32, X_R8, r->a);
	if (r->op == IR_IMUL) {
		x_rr(c, 0x0faf, r->size, X_R8, r->b);
	} else if (r->op == IR_IMUL3) {
		x_rr(c, 0x69, r->size, X_R8, X_R8);
		x_imm(c, r->size, r->imm);
	} else {
		x_rd(c, r->size == IRS_8 ? 0xc0 : 0xc1, r->size, shift_digit[r->op], X_R8);
		x_u8(c, (u8)r->imm);
	}
}

/* r8d = register a, less `off`; the flags are kept. */
static void emit_a(struct xcode *c, const struct recipe *r, s32 off)
{
	if (off)
		x_lea(c, IRS_32, X_R8, XMEM(r->a, (s32)-(u32)off));
	else
		x_mov_rr(c, IRS_32, X_R8, r->a);
}

/* CMP and TEST: at most one register has moved, or both are the same. */
static void emit_compare(struct xcode *c, struct recipe r)
{
	if (r.a_off) {
		emit_a(c, &r, r.a_off);
		if (!r.b_imm && r.b == r.a)
			r.b = X_R8;
		r.a = X_R8;
	} else if (r.b_off) {
		x_lea(c, IRS_32, X_R8, XMEM(r.b, (s32)-(u32)r.b_off));
		r.b = X_R8;
	}
	if (r.kind == REC_CMP) {
		emit_op(c, 7, &r, r.a);
	} else if (r.b_imm) {
		x_rd(c, r.size == IRS_8 ? 0xf6 : 0xf7, r.size, 0, r.a);
		x_imm(c, r.size, r.imm);
	} else {
		x_rr(c, r.size == IRS_8 ? 0x84 : 0x85, r.size, r.b, r.a);
	}
}

/* Have no thunk in cpu->cc. Slow paths copy accesses, this perhaps with them: so the
 * jumps are within it, and the call is not relative. */
static void emit_sync(struct xcode *c)
{
	u8 *over;

	x_rm_load(c, 0x83, IRS_32, 7, thunk_of());
	x_u8(c, 0);
	over = x_jcc8(c, CC_E);
	x_mov_ri(c, X_R8, (u64)(uintptr_t)stub_sync);
	x_rr(c, 0xff, IRS_32, 2, X_R8);                  /* call r8        */
	x_patch8(over, c->p);
}

static void emit_incdec(struct xcode *c, const struct recipe *r, const struct recipe *carry)
{
	s32 by = r->kind == REC_INC ? 1 : -1;

	if (carry && carry->kind != REC_NONE) {
		fl_emit_recipe(c, carry, NULL);
	} else {
		if (carry && tcg_opt(TCG_OPT_SHOW))
			emit_sync(c);
		emit_load_carry(c);
	}
	emit_a(c, r, (s32)((u32)r->a_off + (u32)by));
	x_rd(c, r->size == IRS_8 ? 0xfe : 0xff, r->size, r->kind == REC_DEC, X_R8);
}

void fl_emit_recipe(struct xcode *c, const struct recipe *r, const struct recipe *carry)
{
	switch (r->kind) {
	case REC_CMP:
	case REC_TEST:
		emit_compare(c, *r);
		break;
	case REC_ADD:                       /* a holds the sum              */
		emit_a(c, r, r->a_off);
		emit_op(c, 5, r, X_R8);
		emit_op(c, 0, r, X_R8);
		break;
	case REC_SUB:
		emit_a(c, r, r->a_off);
		emit_op(c, 0, r, X_R8);
		emit_op(c, 5, r, X_R8);
		break;
	case REC_REDO:
		emit_redo(c, r);
		break;
	case REC_LESS:
		x_mov_rr(c, IRS_32, X_R8, r->a);
		x_rr(c, 0x28 + (r->size != IRS_8), r->size, r->b, X_R8);
		x_rr(c, 0x38 + (r->size != IRS_8), r->size, X_R8, r->a);
		break;
	case REC_INC:
	case REC_DEC:
		emit_incdec(c, r, carry);
		break;
	}
}

void fl_redo(struct gen *g)
{
	fl_emit_recipe(&g->c, &g->rec, &g->carry);
}

bool fl_only_faults(struct gen *g)
{
	const struct ir_insn *in = gen_insn(g);

	return (in->fdef & in->ffault) && !in->flive && tcg_opt(TCG_OPT_RECIPE);
}

int fl_copy_input(struct gen *g, int r)
{
	int copy;

	if (!fl_only_faults(g) || r >= X_AH || (fl_needed_after(g) & ~gen_insn(g)->fdef))
		return X_NONE;
	copy = free_temp_reg(g);
	if (copy == X_NONE)
		return X_NONE;
	fl_write_reg(g, copy);
	x_mov_rr(&g->c, IRS_32, copy, r);
	return copy;
}

struct recipe fl_recipe(const struct ir_insn *in, int kind, int a, int b)
{
	struct recipe r = { .kind = (u8)kind, .size = in->size, .b_imm = b_is_imm(in),
			    .a = (s8)a, .b = (s8)b, .op = in->op, .imm = in->imm };

	if (in->part || in->mem != IRM_NONE)
		r.kind = REC_NONE;
	return r;
}

void fl_by_recipe(struct gen *g, struct recipe rec)
{
	g->fl = FL_RECIPE;
	g->rec = rec;
}

void fl_clobber(struct gen *g)
{
	if (g->fl != FL_HOST)
		return;
	if (!fl_needed_before(g)) {
		g->fl = FL_MEM;
	} else if (g->rec.kind != REC_NONE) {
		g->fl = FL_RECIPE;
	} else {
		save(g);
		g->fl = FL_MEM;
	}
}

static bool rec_uses(const struct recipe *r, int reg)
{
	if (reg >= X_AH)
		reg -= X_AH;
	return r->kind != REC_NONE &&
	       (r->a == reg || (!r->b_imm && r->b == reg));
}

bool fl_lasts(const struct gen *g)
{
	static const u8 temps[] = { X_R8, X_R9, X_R10, X_R14 };

	for (unsigned i = 0; g->fl == FL_RECIPE && i < ARRAY_SIZE(temps); i++)
		if (rec_uses(&g->rec, temps[i]) || rec_uses(&g->carry, temps[i]))
			return false;
	return true;
}

static bool has_carry(const struct recipe *r)
{
	return r->kind == REC_INC || r->kind == REC_DEC;
}

/* Register reg is about to have `by` added: can the recipe take that into account? */
static bool rec_step(struct recipe *r, int reg, s32 by)
{
	bool a = r->a == reg, b = !r->b_imm && r->b == reg;
	bool compare = r->kind == REC_CMP || r->kind == REC_TEST;

	if (!rec_uses(r, reg))
		return true;
	if (!compare && r->kind != REC_ADD && r->kind != REC_SUB && !has_carry(r))
		return false;
	if ((b && !compare) || (a && !b && r->b_off) || (b && !a && r->a_off))
		return false;
	if (a)
		r->a_off = (s32)((u32)r->a_off + (u32)by);
	if (b)
		r->b_off = (s32)((u32)r->b_off + (u32)by);
	return true;
}

/* The recipe goes on to hold behind `reg += by`. */
static bool stepped(struct gen *g, int reg, s32 by)
{
	struct recipe rec = g->rec, carry = g->carry;

	if (!rec_step(&rec, reg, by) || (has_carry(&rec) && !rec_step(&carry, reg, by)))
		return false;
	g->rec = rec;
	g->carry = carry;
	return true;
}

/* Register r changes (by the addition of `by`, if that is not 0) while the flags in
 * `need` are still wanted. */
static void reg_changes(struct gen *g, int r, u8 need, s32 by)
{
	if (!rec_uses(&g->rec, r) && !(has_carry(&g->rec) && rec_uses(&g->carry, r)))
		return;
	if (by && stepped(g, r, by))
		return;
	if (g->fl == FL_RECIPE) {
		if (need) {
			fl_redo(g);
			save(g);
		}
		g->fl = FL_MEM;
	}
	g->rec.kind = REC_NONE;
}

void fl_write_reg(struct gen *g, int r)
{
	const struct ir_insn *in = gen_insn(g);

	reg_changes(g, r, (fl_needed_after(g) & ~in->fdef) | in->fuse,
		    r == g->step_reg ? g->step_by : 0);
}

void fl_write_reg_early(struct gen *g, int r, s32 by)
{
	reg_changes(g, r, fl_needed_before(g), by);
}

/* A part of what a recipe needs wraps by itself. */
bool fl_carry_source(struct gen *g, int r, int size, s32 by, struct recipe *carry)
{
	*carry = no_recipe;
	if (!tcg_opt(TCG_OPT_RECIPE))
		return false;
	if (!(fl_needed_after(g) & IRF_C) || g->fl == FL_MEM)
		return true;
	if (g->rec.kind == REC_NONE)
		return false;
	if (has_carry(&g->rec))
		*carry = g->carry;
	else
		*carry = g->rec;
	if (rec_uses(carry, r) && size < carry->size)
		return false;
	return rec_step(carry, r, by);
}

void fl_sync(struct gen *g, u8 mask)
{
	if (mask && g->fl != FL_MEM) {
		if (g->fl == FL_RECIPE)
			fl_redo(g);
		save(g);
	}
	g->fl = FL_MEM;
}

void fl_show(struct gen *g)
{
	if (g->fl != FL_RECIPE)
		return;
	if (!fl_needed_before(g)) {
		g->fl = FL_MEM;
	} else if (g->busy >> X_R8 & 1) {
		fl_sync(g, IRF_ALL);
	} else {
		fl_redo(g);
		g->fl = FL_HOST;
	}
}

/* Is what the recipe needs in guest registers that are still the same when the flags
 * are asked for? `changed`: globals that are not. */
static bool rec_lasts(const struct gen *g, const struct recipe *r, u32 changed)
{
	u32 lasting = 0;

	for (int v = 0; v < g->t->n_globals; v++)
		if (!(changed >> v & 1))
			lasting |= 1u << g->t->global[v].host;
	return r->kind != REC_NONE && lasting >> r->a & 1 &&
	       (r->b_imm || r->b < 0 || lasting >> r->b & 1);
}

bool fl_can_note(struct gen *g, const struct ir_insn *in)
{
	if (!tcg_opt(TCG_OPT_SHOW) || g->fl == FL_MEM || in->fuse ||
	    !rec_lasts(g, &g->rec, in->aux))
		return false;
	if (!has_carry(&g->rec) || !(in->fshow & IRF_C))
		return true;
	return rec_lasts(g, &g->carry, in->aux);
}

/* May the flags be parked: what makes them is stored, and noted? Not if somebody is sure
 * to ask. */
static bool can_park(const struct gen *g, const struct ir_insn *in)
{
	return tcg_opt(TCG_OPT_SHOW) && g->fl != FL_MEM && g->rec.kind != REC_NONE &&
	       !has_carry(&g->rec) && in->op != IR_EXITMAIN && in->op != IR_EXITLOOK &&
	       !(in->xflags & IRX_READS);
}

static void park(struct gen *g)
{
	x_st(&g->c, IRS_32, parked(0), g->rec.a);
	if (has_b(&g->rec))
		x_st(&g->c, IRS_32, parked(1), g->rec.b);
}

void fl_leave(struct gen *g, const struct ir_insn *in)
{
	u8 need = in->fuse | in->fshow, *at;
	bool note = fl_can_note(g, in);

	if (!need || !(note || can_park(g, in))) {
		fl_sync(g, need);
		return;
	}
	if (!note)
		park(g);
	at = fl_emit_note(&g->c);
	g->fl = FL_RECIPE;
	cold_add(g, note ? COLD_NOTE : COLD_PARK, NULL)->back = at;
	g->fl = FL_MEM;
}

/* Conditions on the image in cpu->cc. One or two flags are a test of it,
 * whose ZF tells; those that compare flags have them all in the host's. */
static int cond_from_mem(struct gen *g, int cc)
{
	static const struct { u8 byte, mask; } flags[8] = {
		[CC_O >> 1] = { 0, 1 },    [CC_B >> 1] = { 1, 0x01 },
		[CC_E >> 1] = { 1, 0x40 }, [CC_BE >> 1] = { 1, 0x41 },
		[CC_S >> 1] = { 1, 0x80 }, [CC_P >> 1] = { 1, 0x04 },
	};
	u8 mask = flags[cc >> 1].mask;

	fl_sync_entry(g, IRF_ALL);
	if (!mask) {
		emit_load(&g->c);
		return cc;
	}
	x_rm_load(&g->c, 0xf6, IRS_8, 0, XMEM(X_ENV, tcg_layout.cc + flags[cc >> 1].byte));
	x_u8(&g->c, mask);                               /* test byte      */
	return cc & 1 ? CC_E : CC_NE;
}

int fl_cond(struct gen *g, int cc)
{
	if (g->fl == FL_RECIPE) {
		fl_redo(g);
		g->fl = FL_HOST;
	}
	return g->fl == FL_HOST ? cc : cond_from_mem(g, cc);
}

void fl_load_carry(struct gen *g)
{
	if (g->fl == FL_RECIPE) {
		fl_redo(g);
		g->fl = FL_HOST;
	} else if (g->fl == FL_MEM) {
		fl_sync_entry(g, IRF_C);
		emit_load_carry(&g->c);
	}
}

void fl_load(struct gen *g)
{
	if (g->fl == FL_RECIPE) {
		fl_redo(g);
		g->fl = FL_HOST;
	} else if (g->fl == FL_MEM) {
		fl_sync_entry(g, IRF_ALL);
		emit_load(&g->c);
	}
}

/* Flags that outlive this instruction although it does not write them. */
static u8 passing(struct gen *g)
{
	return fl_needed_after(g) & ~gen_insn(g)->fdef;
}

void fl_before_op(struct gen *g, u8 kills)
{
	u8 pass = passing(g), fdef = gen_insn(g)->fdef;

	if (!pass)
		return;
	if (g->fl == FL_MEM && (fdef & fl_needed_after(g)))
		fl_sync_entry(g, pass);      /* to be merged                */
	if (pass & kills) {
		if (g->fl == FL_RECIPE && !(fdef & fl_needed_after(g)))
			return;                  /* the recipe outlives it  */
		fl_sync(g, pass);
		return;
	}
	/* The host's operation keeps exactly what passes: have it there. */
	if (!(fdef & fl_needed_after(g)))
		return;
	if (g->fl == FL_RECIPE || (g->fl == FL_MEM && pass == IRF_C))
		fl_load_carry(g), g->fl = FL_HOST;
}

void fl_emit_merge(struct xcode *c, u8 flags, int scratch)
{
	static const u16 bit[6] = { 0x100, 0x400, 0x1000, 0x4000, 0x8000, 1 };
	struct xmem cc = XMEM(X_ENV, tcg_layout.cc);
	u32 mask = 0;

	for (int i = 0; i < 6; i++)
		if (flags >> i & 1)
			mask |= bit[i];
	move_rax(c, scratch, X_RAX);
	emit_lahf(c);
	x_grp1_ri(c, 4, IRS_32, X_RAX, mask);
	x_grp1_mi(c, 4, IRS_32, cc, (s32)~mask);
	x_rm(c, 0x09, IRS_32, X_RAX, cc);
	move_rax(c, X_RAX, scratch);
}

void fl_after_op(struct gen *g, u8 kills, struct recipe rec)
{
	u8 pass = passing(g), fdef = gen_insn(g)->fdef, need = fl_needed_after(g);

	if (!(fdef & need)) {
		/* Nothing new is wanted; what passes is where it was, unless
		 * it was in the host's flags (then `kills` spares it). */
		if (!pass && kills)
			g->fl = FL_MEM, g->rec.kind = REC_NONE;
		else if (g->fl == FL_HOST && kills)
			g->rec.kind = REC_NONE;
		return;
	}
	if (pass && g->fl == FL_MEM) {
		gen_flush_def(g);
		fl_emit_merge(&g->c, fdef, X_R8);
		g->rec.kind = REC_NONE;
		return;
	}
	g->fl = FL_HOST;
	g->rec = pass || !tcg_opt(TCG_OPT_RECIPE) ? no_recipe : rec;
}
