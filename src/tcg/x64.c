/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/tcg/x64.c - from a block of IR to x86-64 code, in one pass.
 *
 * Globals are always in their host registers; temporaries get r10 or r14 when
 * they are defined and give it back after their last use, or wait in struct
 * cpu. x64_flags.c knows where the flags are, x64_mem.c makes memory operands
 * and emits the slow paths behind the hot code. */
#include "tcg/x64_gen.h"

#include "env/log.h"

/* -- temporaries -------------------------------------------------------------- */

static const u8 pool[] = { X_R10, X_R14 };

static bool is_temp(ir_val v)
{
	return v >= IR_FIRST_TEMP && v < IR_MAX_TEMPS;
}

static struct xmem spill_slot(struct gen *g, ir_val v)
{
	if (g->slot[v] < 0) {
		int s = __builtin_ctz(~g->slots_used);

		ASSERT(s < N_SPILL);
		g->slots_used |= 1u << s;
		g->slot_owner[s] = v;
		g->slot[v] = (s8)s;
	}
	return XMEM(X_ENV, tcg_layout.spill + g->slot[v] * 8);
}

int free_temp_reg(struct gen *g)
{
	for (unsigned i = ARRAY_SIZE(pool); i--; )
		if (g->owner[pool[i]] == IR_NONE && !(g->busy >> pool[i] & 1))
			return pool[i];
	return X_NONE;
}

static int take_reg(struct gen *g, ir_val v)
{
	int r = X_NONE;

	for (unsigned i = 0; i < ARRAY_SIZE(pool); i++) {
		if (g->busy >> pool[i] & 1)
			continue;
		r = pool[i];
		if (g->owner[r] == IR_NONE)
			break;
	}
	if (r == X_NONE)
		return X_NONE;
	if (g->owner[r] != IR_NONE) {
		if (!g->is_const[g->owner[r]])
			x_st(&g->c, IRS_64, spill_slot(g, g->owner[r]), r);
		g->reg[g->owner[r]] = X_NONE;
	}
	fl_write_reg_early(g, r);
	g->owner[r] = v;
	g->reg[v] = (s8)r;
	g->busy |= 1u << r;
	return r;
}

int val_use(struct gen *g, ir_val v)
{
	int r;

	if (!is_temp(v))
		return g->t->global[v].host;
	r = g->reg[v];
	if (r != X_NONE) {
		g->busy |= 1u << r;
		return r;
	}
	r = take_reg(g, v);
	if (r == X_NONE) {
		ASSERT(!(g->busy >> X_R8 & 1));
		g->busy |= 1u << X_R8;
		r = X_R8;
	}
	if (g->is_const[v])
		x_mov_ri(&g->c, r, g->value[v]);
	else
		x_ld(&g->c, IRS_64, r, spill_slot(g, v));
	return r;
}

int val_input(struct gen *g, ir_val v)
{
	if (v == g->t->stack)
		esp_sync(g);
	return val_use(g, v);
}

static bool dies_here(const struct gen *g, ir_val v)
{
	return is_temp(v) && g->last_use[v] == g->i && g->reg[v] != X_NONE && g->reg[v] != X_R8;
}

/* v takes over the register of a temporary that dies here. */
static int steal(struct gen *g, ir_val v, ir_val from)
{
	int r = g->reg[from];

	fl_write_reg(g, r);
	g->reg[from] = X_NONE;
	g->owner[r] = v;
	g->reg[v] = (s8)r;
	return r;
}

/* Host register for result v; it may share the register of an input that
 * dies here (then the caller's mov is a no-op). */
static int def(struct gen *g, ir_val v, ir_val dying)
{
	const struct ir_ea *ea = &gen_insn(g)->ea;
	int r;

	if (!is_temp(v)) {
		r = g->t->global[v].host;
		fl_write_reg(g, r);
		return r;
	}
	g->is_const[v] = false;
	r = g->reg[v];
	if (r != X_NONE) {
		fl_write_reg(g, r);
		g->busy |= 1u << r;
		return r;
	}
	if (dies_here(g, dying) && dying != v)
		return steal(g, v, dying);
	r = take_reg(g, v);
	if (r != X_NONE)
		return r;
	/* The address has been computed: its temporaries may go. */
	if (dies_here(g, ea->base) && ea->base != gen_insn(g)->a && ea->base != gen_insn(g)->b)
		return steal(g, v, ea->base);
	if (dies_here(g, ea->index) && ea->index != gen_insn(g)->a && ea->index != gen_insn(g)->b)
		return steal(g, v, ea->index);
	g->def_spill = v;
	return X_R8;
}

/* d is read and written (sizes 8 and 16 keep the rest of it). */
static int def_merge(struct gen *g, ir_val v)
{
	int r;

	if (!is_temp(v))
		return def(g, v, IR_NONE);
	if (g->reg[v] == X_NONE && !g->is_const[v] && g->slot[v] < 0)
		return def(g, v, IR_NONE);
	r = val_use(g, v);
	if (r == X_R8)
		g->def_spill = v;
	g->is_const[v] = false;
	fl_write_reg(g, r);
	return r;
}

/* Value v, in register r (perhaps its high byte), is changed in place. */
static void inplace(struct gen *g, ir_val v, int r)
{
	fl_write_reg(g, x_high(r) ? r - X_AH : r);
	if (!is_temp(v))
		return;
	g->is_const[v] = false;
	if (r == X_R8)
		g->def_spill = v;
}

void gen_flush_def(struct gen *g)
{
	if (g->def_spill == IR_NONE)
		return;
	x_st(&g->c, IRS_64, spill_slot(g, g->def_spill), X_R8);
	g->def_spill = IR_NONE;
}

static void release_temps(struct gen *g)
{
	gen_flush_def(g);
	g->busy = 0;
	for (unsigned i = 0; i < ARRAY_SIZE(pool); i++) {
		ir_val v = g->owner[pool[i]];

		if (v == IR_NONE || g->last_use[v] > g->i)
			continue;
		g->reg[v] = X_NONE;
		g->owner[pool[i]] = IR_NONE;
	}
	for (u32 s = g->slots_used; s; s &= s - 1) {
		int i = __builtin_ctz(s);

		if (g->last_use[g->slot_owner[i]] <= g->i) {
			g->slots_used &= ~(1u << i);
			g->slot[g->slot_owner[i]] = -1;
		}
	}
}

static void note_use(struct gen *g, ir_val v, int i)
{
	if (is_temp(v))
		g->last_use[v] = (s16)i;
}

static void scan_uses(struct gen *g)
{
	for (int v = IR_FIRST_TEMP; v < g->b->n_vals; v++) {
		g->reg[v] = X_NONE;
		g->slot[v] = -1;
		g->is_const[v] = false;
		g->last_use[v] = -1;
	}
	for (int i = 0; i < g->b->n; i++) {
		const struct ir_insn *in = &g->b->insn[i];

		note_use(g, in->d, i);
		note_use(g, in->a, i);
		note_use(g, in->b, i);
		note_use(g, in->c, i);
		note_use(g, in->ea.base, i);
		note_use(g, in->ea.index, i);
	}
}

/* -- operands -------------------------------------------------------------------- */

static int part(struct ir_insn *in, int which, int r)
{
	return in->part & which ? r + X_AH : r;
}

static bool b_is_imm(const struct ir_insn *in)
{
	return in->b == IR_IMM;
}

/* Registers whose use asks for a REX prefix cannot meet a high byte. */
static bool wants_rex(int r)
{
	return r != X_NONE && !x_high(r) && r >= 4;
}

/* AH as an operand beside one that needs REX: turn its register by eight bits
 * around the operation (rorx keeps the flags). */
static void turn(struct gen *g, int high)
{
	x_rorx(&g->c, high - X_AH, high - X_AH, 8);
}

static void turn_back(struct gen *g, int high)
{
	x_rorx(&g->c, high - X_AH, high - X_AH, 24);
}

static void lock(struct gen *g, const struct ir_insn *in)
{
	if (in->xflags & IRX_LOCK)
		x_u8(&g->c, 0xf0);
}

static u32 byte_op(u32 op, int size)          /* the 8-bit form stands before */
{
	return size == IRS_8 ? op - 1 : op;
}

/* op (its non-byte opcode) between register and r/m register. */
static void op_rr(struct gen *g, u32 op, int size, int reg, int rm)
{
	int high = x_high(reg) && wants_rex(rm) ? reg : x_high(rm) && wants_rex(reg) ? rm : X_NONE;

	if (high != X_NONE) {
		turn(g, high);
		x_rr(&g->c, byte_op(op, size), size, high == reg ? high - X_AH : reg,
		     high == rm ? high - X_AH : rm);
		turn_back(g, high);
		return;
	}
	x_rr(&g->c, byte_op(op, size), size, reg, rm);
}

static void op_rm(struct gen *g, u32 op, int size, int reg, struct xmem m)
{
	if (x_high(reg) && x_mem_rex(m)) {
		turn(g, reg);
		x_rm(&g->c, byte_op(op, size), size, reg - X_AH, m);
		turn_back(g, reg);
		return;
	}
	x_rm(&g->c, byte_op(op, size), size, reg, m);
}

/* -- moves -------------------------------------------------------------------------- */

/* The indirect exit that the value loaded here goes to at once (but for a move
 * of ESP, as in RET); NULL: it is used otherwise. */
static const struct ir_insn *feeds_exit(const struct gen *g, const struct ir_insn *in)
{
	const struct ir_insn *end = &g->b->insn[g->b->n - 1];

	if (!is_temp(in->d) || in->size != IRS_32 || end->op != IR_EXITIND || end->a != in->d ||
	    end->xflags & IRX_CALL)
		return NULL;
	return end == in + 1 || (end == in + 2 && in[1].op == IR_LEA) ? end : NULL;
}

/* jmp [m], ret: the target goes straight to r8, where the exit wants it. */
static bool gen_load_target(struct gen *g, struct ir_insn *in)
{
	const struct ir_insn *exit = feeds_exit(g, in);
	struct xmem m;

	if (!exit)
		return false;
	m = mem_operand(g, 4, false);
	if (exit->fuse)
		fl_sync(g, exit->fuse);
	x_ld(&g->c, IRS_32, X_R8, m);
	g->reg[in->d] = X_R8;
	return true;
}

static void gen_mov(struct gen *g, struct ir_insn *in)
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
			s = part(in, IRP_B, val_input(g, in->b));
			op_rm(g, 0x89, size, s, m);
		}
		mem_access_done(g);
		return;
	}
	if (in->mem == IRM_SRC) {
		if (gen_load_target(g, in))
			return;
		m = mem_operand(g, 1 << size, false);
		d = part(in, IRP_D, size < IRS_32 ? def_merge(g, in->d) : def(g, in->d, in->ea.base));
		if (size < IRS_32 && is_temp(in->d))
			x_rm_load(c, size == IRS_8 ? 0x0fb6 : 0x0fb7, IRS_32, d, m);
		else
			op_rm(g, 0x8b, size, d, m);
		return;
	}
	if (b_is_imm(in)) {
		if (is_temp(in->d) && size >= IRS_32 && g->reg[in->d] == X_NONE) {
			g->is_const[in->d] = true;
			g->value[in->d] = size == IRS_32 ? (u32)in->imm : (u64)in->imm;
			return;
		}
		if (size >= IRS_32) {
			d = def(g, in->d, IR_NONE);
			x_mov_ri(c, d, size == IRS_32 ? (u32)in->imm : (u64)in->imm);
		} else {
			d = part(in, IRP_D, def_merge(g, in->d));
			x_rd(c, size == IRS_8 ? 0xc6 : 0xc7, size, 0, d);
			x_imm(c, size, in->imm);
		}
		return;
	}
	s = part(in, IRP_B, val_input(g, in->b));
	d = part(in, IRP_D, size < IRS_32 ? def_merge(g, in->d) : def(g, in->d, in->b));
	if (s != d)
		op_rr(g, 0x8b, size, d, s);
	else if (size == IRS_32 && is_temp(in->d))
		x_mov_rr(c, size, d, s);
}

static void gen_conv(struct gen *g, struct ir_insn *in)
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

		d = dsize == IRS_16 ? def_merge(g, in->d) : def(g, in->d, in->ea.base);
		x_rm_load(c, op, dsize, d, m);
		return;
	}
	s = part(in, IRP_B, val_input(g, in->b));
	d = dsize == IRS_16 ? def_merge(g, in->d) : def(g, in->d, in->b);
	if (x_high(s) && (d >= 8 || dsize == IRS_64)) {
		x_rorx(c, X_R8, s - X_AH, 8);
		s = X_R8;
	}
	x_rr_sized(c, op, dsize, d, s, in->size == IRS_8 && s >= 4 && s < 8);
}

static void gen_lea(struct gen *g, struct ir_insn *in)
{
	struct xmem m = mem_ea(g, &in->ea);
	int d;

	if (in->size == IRS_16) {
		d = def_merge(g, in->d);     /* may use r8 */
		x_lea(&g->c, IRS_32, X_R8, m);
		if (d != X_R8)
			x_mov_rr(&g->c, IRS_16, d, X_R8);
		return;
	}
	d = def(g, in->d, in->ea.base);
	if (in->d == in->ea.base && m.index == X_NONE && !m.disp && in->size == IRS_32)
		return;                              /* padding             */
	if (m.base == X_NONE && m.index == X_NONE)
		x_mov_ri(&g->c, d, in->size == IRS_32 ? (u32)m.disp : (u64)(s64)m.disp);
	else
		x_lea(&g->c, in->size, d, m);
}

/* -- arithmetic ----------------------------------------------------------------------- */

static const struct recipe no_recipe;

static struct recipe recipe(struct ir_insn *in, int kind, int a, int b)
{
	struct recipe r = { (u8)kind, in->size, b_is_imm(in), (s8)a, (s8)b, in->op, in->imm };

	if (in->part || in->mem != IRM_NONE)
		r.kind = REC_NONE;
	return r;
}

static const s8 group1[IR_NOPS] = {
	[IR_ADD] = 0, [IR_OR] = 1, [IR_ADC] = 2, [IR_SBB] = 3,
	[IR_AND] = 4, [IR_SUB] = 5, [IR_XOR] = 6, [IR_CMP] = 7,
};

static bool is_incdec(const struct ir_insn *in)
{
	return (in->op == IR_ADD || in->op == IR_SUB) && !(in->fdef & IRF_C) &&
	       (in->fdef & IRF_NOT_C) && b_is_imm(in) && in->imm == 1;
}

static bool commutes(int op)
{
	return op == IR_ADD || op == IR_AND || op == IR_OR || op == IR_XOR || op == IR_ADC;
}

/* For d = d op [ea]: `old` is a copy of d, or X_NONE. */
static struct recipe recipe_mem(struct ir_insn *in, int d, int old)
{
	bool logic = in->op == IR_AND || in->op == IR_OR || in->op == IR_XOR;
	struct recipe r = { REC_NONE, in->size, false, (s8)d, (s8)d, in->op, 0 };

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
		r = part(in, IRP_A, val_input(g, in->a));
		fl_before_op(g, kills);
		if (in->op == IR_ADC || in->op == IR_SBB)
			fl_load_carry(g);
		if (in->d != in->a) {
			int d = def(g, in->d, in->a);

			if (d != r)
				x_mov_rr(c, IRS_32, d, r);
			r = d;
		} else {
			inplace(g, in->d, r);
		}
		if (in->op == IR_ADD || in->op == IR_SUB)
			old = fl_copy_input(g, r);
		op_rm(g, (u32)n * 8 + 3, size, r, m);
		fl_after_op(g, kills, recipe_mem(in, r, old));
		return;
	}
	fl_before_op(g, kills);
	if (in->op == IR_ADC || in->op == IR_SBB)
		fl_load_carry(g);
	if (is_incdec(in)) {
		lock(g, in);
		x_rm_load(c, byte_op(0xff, size), size, in->op == IR_SUB, m);
	} else if (b_is_imm(in)) {
		lock(g, in);
		x_grp1_mi(c, n, size, m, in->imm);
	} else {
		r = part(in, IRP_B, val_input(g, in->b));
		if (x_high(r) && x_mem_rex(m)) {
			turn(g, r);
			lock(g, in);
			x_rm(c, (u32)n * 8, size, r - X_AH, m);
			turn_back(g, r);
		} else {
			lock(g, in);
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
	x_lea(&g->c, IRS_32, def(g, in->d, in->a), m);
	return true;
}

/* INC, DEC of a register whose flags only a fault would show: CF stays in
 * cpu->cc, the rest can be had from the result. */
static bool gen_incdec_by_recipe(struct gen *g, struct ir_insn *in)
{
	int d;

	if (!is_incdec(in) || in->d != in->a || in->part || is_temp(in->d) ||
	    !fl_only_faults(g) || (in->flive | in->fuse))
		return false;
	fl_sync(g, fl_needed_after(g) & IRF_C);
	d = val_input(g, in->d);
	fl_write_reg(g, d);
	x_rd(&g->c, byte_op(0xff, in->size), in->size, in->op == IR_SUB, d);
	fl_by_recipe(g, recipe(in, in->op == IR_ADD ? REC_INC : REC_DEC, d, X_NONE));
	return true;
}

static void gen_alu(struct gen *g, struct ir_insn *in)
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
	if (gen_incdec_by_recipe(g, in))
		return;
	a = part(in, IRP_A, val_input(g, in->a));
	if (!b_is_imm(in))
		b = part(in, IRP_B, val_input(g, in->b));
	fl_before_op(g, kills);
	if (in->op == IR_ADC || in->op == IR_SBB)
		fl_load_carry(g);
	if (in->d == in->a) {
		d = a;
		inplace(g, in->d, d);
	} else if (!b_is_imm(in) && in->d == in->b && commutes(in->op) && !in->part) {
		d = b;
		b = a;
		inplace(g, in->d, d);
	} else if (!b_is_imm(in) && in->d == in->b) {
		x_mov_rr(c, IRS_64, X_R8, a);
		op_rr(g, (u32)n * 8 + 3, size, X_R8, b);
		d = def(g, in->d, IR_NONE);
		x_mov_rr(c, size, d, X_R8);
		fl_after_op(g, kills, no_recipe);
		return;
	} else {
		d = part(in, IRP_D, size < IRS_32 ? def_merge(g, in->d) : def(g, in->d, in->a));
		if (d != a)
			op_rr(g, 0x8b, size, d, a);
	}
	if (is_incdec(in))
		x_rd(c, byte_op(0xff, size), size, in->op == IR_SUB, d);
	else if (b_is_imm(in))
		x_grp1_ri(c, n, size, d, in->imm);
	else
		op_rr(g, (u32)n * 8 + 3, size, d, b);
	if (d == X_R8 || b == X_R8 || kills != IRF_ALL)
		rec = no_recipe;
	else if (in->op == IR_AND || in->op == IR_OR || in->op == IR_XOR)
		rec = (struct recipe){ .kind = in->part ? REC_NONE : REC_TEST, .size = in->size,
				       .a = (s8)d, .b = (s8)d };
	else if ((in->op == IR_ADD || in->op == IR_SUB) && (b_is_imm(in) || b != d))
		rec = recipe(in, in->op == IR_ADD ? REC_ADD : REC_SUB, d, b);
	fl_after_op(g, kills, rec);
}

/* CMP, TEST of memory whose flags a later fault would show, too: compare a
 * copy in a free register, from which they can be had again. */
static bool gen_compare_loaded(struct gen *g, struct ir_insn *in, struct xmem m)
{
	bool test = in->op == IR_TEST;
	struct recipe rec = recipe(in, test ? REC_TEST : REC_CMP, X_NONE, X_NONE);
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
	fl_emit_recipe(c, &rec);
	fl_after_op(g, IRF_ALL, rec);
	return true;
}

/* CMP, TEST. */
static void gen_compare(struct gen *g, struct ir_insn *in)
{
	bool test = in->op == IR_TEST;
	int size = in->size, a, b = X_NONE;
	struct xcode *c = &g->c;
	struct xmem m;

	if (in->mem == IRM_NONE) {
		a = part(in, IRP_A, val_input(g, in->a));
		if (!b_is_imm(in))
			b = part(in, IRP_B, val_input(g, in->b));
		fl_before_op(g, IRF_ALL);
		if (!b_is_imm(in)) {
			op_rr(g, test ? 0x85 : 0x39, size, b, a);
		} else if (test) {
			x_rd(c, byte_op(0xf7, size), size, 0, a);
			x_imm(c, size, in->imm);
		} else {
			x_grp1_ri(c, 7, size, a, in->imm);
		}
		fl_after_op(g, IRF_ALL, a == X_R8 || b == X_R8 ? no_recipe :
			    recipe(in, test ? REC_TEST : REC_CMP, a, b));
		return;
	}
	m = mem_operand(g, 1 << size, false);
	fl_before_op(g, IRF_ALL);
	if (in->mem == IRM_LHS && gen_compare_loaded(g, in, m))
		return;
	if (in->mem == IRM_SRC) {                    /* a is a register     */
		a = part(in, IRP_A, val_input(g, in->a));
		op_rm(g, test ? 0x85 : 0x3b, size, a, m);
	} else if (b_is_imm(in)) {
		if (test) {
			x_rm_load(c, byte_op(0xf7, size), size, 0, m);
			x_imm(c, size, in->imm);
		} else {
			x_grp1_mi(c, 7, size, m, in->imm);
		}
	} else {
		b = part(in, IRP_B, val_input(g, in->b));
		op_rm(g, test ? 0x85 : 0x39, size, b, m);
	}
	fl_after_op(g, IRF_ALL, no_recipe);
}

/* NOT, NEG. */
static void gen_unary(struct gen *g, struct ir_insn *in)
{
	u8 kills = in->op == IR_NEG ? IRF_ALL : 0;
	int n = in->op == IR_NEG ? 3 : 2, size = in->size, d, s;

	if (in->mem == IRM_DST) {
		struct xmem m = mem_operand(g, 1 << size, true);

		fl_before_op(g, kills);
		lock(g, in);
		x_rm_load(&g->c, byte_op(0xf7, size), size, n, m);
		mem_access_done(g);
		fl_after_op(g, kills, no_recipe);
		return;
	}
	s = part(in, IRP_B, val_input(g, in->b));
	fl_before_op(g, kills);
	if (in->d == in->b) {
		d = s;
		inplace(g, in->d, d);
	} else {
		d = part(in, IRP_D, size < IRS_32 ? def_merge(g, in->d) : def(g, in->d, in->b));
		if (d != s)
			op_rr(g, 0x8b, size, d, s);
	}
	x_rd(&g->c, byte_op(0xf7, size), size, n, d);
	fl_after_op(g, kills, no_recipe);
}

/* -- shifts ------------------------------------------------------------------------------ */

const s8 shift_digit[IR_NOPS] = {
	[IR_ROL] = 0, [IR_ROR] = 1, [IR_RCL] = 2, [IR_RCR] = 3,
	[IR_SHL] = 4, [IR_SHR] = 5, [IR_SAR] = 7,
};

static bool is_double_shift(const struct ir_insn *in)
{
	return in->op == IR_SHLD || in->op == IR_SHRD;
}

static void emit_shift(struct gen *g, struct ir_insn *in, int d, const struct xmem *m, int src)
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
		emit_shift(g, in, d, m, src);
		if (m)
			mem_access_done(g);
		fl_after_op(g, kills, no_recipe);
		return;
	}
	if (g->fl == FL_RECIPE) {
		fl_emit_recipe(c, &g->rec);
		g->fl = FL_HOST;
	}
	if (g->fl == FL_HOST) {
		emit_shift(g, in, d, m, src);
		if (m)
			mem_access_done(g);
		g->rec = no_recipe;
		return;
	}
	x_rd(c, 0xf6, IRS_8, 0, X_RCX);                      /* test cl, 31 */
	x_u8(c, 31);
	over = x_jcc8(c, CC_E);
	if (!carry && kills == IRF_ALL) {
		emit_shift(g, in, d, m, src);
		fl_emit_save(c);
	} else {
		if (carry)
			fl_load_carry(g);
		emit_shift(g, in, d, m, src);
		fl_emit_merge(c, IRF_C | IRF_O, m ? X_R8 : X_R9);
	}
	x_patch8(over, c->p);
	if (m)
		mem_access_done(g);
	if (in->size == IRS_32 && !m && !is_temp(in->d))
		x_mov_rr(c, IRS_32, d, d);
}

static void gen_shift(struct gen *g, struct ir_insn *in)
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
		a = part(in, IRP_A, val_input(g, in->a));
		if (in->d == in->a) {
			d = a;
			inplace(g, in->d, d);
		} else {
			d = part(in, IRP_D, in->size < IRS_32 ? def_merge(g, in->d) :
				 def(g, in->d, in->a));
			if (d != a)
				op_rr(g, 0x8b, in->size, d, a);
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
	emit_shift(g, in, d, mp, src);
	if (mp)
		mem_access_done(g);
	if (copy != X_NONE)
		fl_by_recipe(g, recipe(in, REC_REDO, copy, X_NONE));
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

static void gen_imul(struct gen *g, struct ir_insn *in)
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

		d = size == IRS_16 ? def_merge(g, in->d) : def(g, in->d, in->b);
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
			inplace(g, in->d, d);
		} else if (in->d == in->b && !mem) {
			d = s;
			s = a;
			inplace(g, in->d, d);
		} else {
			d = def(g, in->d, in->a);
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
		fl_by_recipe(g, recipe(in, REC_REDO, copy, three ? X_NONE : s));
	else
		fl_after_op(g, kills, no_recipe);
}

/* MULU MULS DIVU DIVS: rax and rdx are globals 0 and 2. A division that
 * faults does so on the host; its handler finds the flags as noted here. */
static void gen_muldiv(struct gen *g, struct ir_insn *in)
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
		s = part(in, IRP_B, val_input(g, in->b));
	if (div) {
		fl_sync(g, fl_needed_before(g));
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

static void gen_bswap(struct gen *g, struct ir_insn *in)
{
	int s = val_input(g, in->b), d = def(g, in->d, in->b);

	if (d != s)
		x_mov_rr(&g->c, IRS_32, d, s);
	x_prefix(&g->c, in->size, (u32)d >> 3, false);
	x_u8(&g->c, 0x0f);
	x_u8(&g->c, 0xc8 | (d & 7));
}

/* BSF, BSR: host instruction, d unchanged when the source is 0. */
static void gen_bscan(struct gen *g, struct ir_insn *in)
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
		d = def(g, in->d, in->a);
		if (d != a)
			x_mov_rr(&g->c, IRS_64, d, a);
	} else {
		d = def_merge(g, in->d);
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
static void gen_bt(struct gen *g, struct ir_insn *in)
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
			int d = in->d == in->a ? a : def(g, in->d, in->a);

			if (d != a)
				x_mov_rr(c, IRS_64, d, a);
			inplace(g, in->d, d);
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
		lock(g, in);
		x_rm_load(c, 0x0fba, size, n, m);
		x_u8(c, (u8)(in->imm & (bits - 1)));
	} else {
		kills = IRF_ALL;
		b = val_input(g, in->b);
		fl_before_op(g, kills);
		x_mov_rr(c, IRS_32, X_R8, b);
		x_grp1_ri(c, 4, IRS_32, X_R8, bits - 1);
		lock(g, in);
		x_rm(c, 0x0f83 + (u32)n * 8, size, X_R8, m);
	}
	mem_access_done(g);
	fl_after_op(g, kills, no_recipe);
}

/* -- conditions --------------------------------------------------------------------------- */

static void gen_setcc(struct gen *g, struct ir_insn *in)
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
	d = part(in, IRP_D, def_merge(g, in->d));
	x_rd(c, 0x0f90 | (u32)cc, IRS_8, 0, d);
}

static void gen_movcc(struct gen *g, struct ir_insn *in)
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
			d = def(g, in->d, IR_NONE);
			x_rr(c, 0x0f40 | (u32)(cc ^ 1), in->size, d, a);
			return;
		}
		d = def(g, in->d, in->a);
		if (d != a)
			x_mov_rr(c, IRS_64, d, a);
	} else {
		d = def_merge(g, in->d);
	}
	if (in->mem == IRM_SRC)
		x_rm_load(c, 0x0f40 | (u32)cc, in->size, d, m);
	else
		x_rr(c, 0x0f40 | (u32)cc, in->size, d, s);
}

static void gen_flag(struct gen *g, struct ir_insn *in)
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

static void gen_xchg(struct gen *g, struct ir_insn *in)
{
	static const u32 opcode[IR_NOPS] = {
		[IR_XCHG] = 0x87, [IR_XADD] = 0x0fc1, [IR_CMPXCHG] = 0x0fb1,
	};
	u8 kills = in->op == IR_XCHG ? 0 : IRF_ALL;
	u32 op = opcode[in->op];
	int b, d;

	if (in->mem == IRM_DST) {
		struct xmem m = mem_operand(g, 1 << in->size, true);

		b = part(in, IRP_B, val_input(g, in->b));
		if (in->op == IR_CMPXCHG)
			fl_write_reg(g, X_RAX);
		else
			inplace(g, in->b, b);
		fl_before_op(g, kills);
		/* A high byte must not meet r9's REX; CMPXCHG's may be ah
		 * itself, so its operand goes through r8. */
		if (x_high(b) && in->op == IR_CMPXCHG) {
			x_rorx(&g->c, X_R8, b - X_AH, 8);
			b = X_R8;
		}
		if (x_high(b)) {
			turn(g, b);
			lock(g, in);
			x_rm(&g->c, op - 1, IRS_8, b - X_AH, m);
			turn_back(g, b);
		} else {
			lock(g, in);
			x_rm(&g->c, byte_op(op, in->size), in->size, b, m);
		}
		mem_access_done(g);
		fl_after_op(g, kills, no_recipe);
		return;
	}
	b = part(in, IRP_B, val_input(g, in->b));
	d = part(in, IRP_D, val_input(g, in->d));
	inplace(g, in->d, d);
	if (in->op == IR_CMPXCHG)
		fl_write_reg(g, X_RAX);
	else
		inplace(g, in->b, b);
	fl_before_op(g, kills);
	op_rr(g, op, in->size, b, d);
	fl_after_op(g, kills, no_recipe);
}

static void gen_cmpxchg8(struct gen *g, struct ir_insn *in)
{
	struct xmem m = mem_operand(g, 8, true);

	fl_write_reg(g, X_RAX);
	fl_write_reg(g, X_RDX);
	fl_before_op(g, IRF_Z);
	lock(g, in);
	x_rm_load(&g->c, 0x0fc7, IRS_32, 1, m);
	mem_access_done(g);
	fl_after_op(g, IRF_Z, no_recipe);
}

/* -- struct cpu, helpers ---------------------------------------------------------------------- */

static void gen_env(struct gen *g, struct ir_insn *in)
{
	struct xmem m = XMEM(X_ENV, in->imm);
	struct xcode *c = &g->c;

	if (in->op == IR_LDE) {
		int d = def(g, in->d, IR_NONE);

		if (in->size < IRS_32)
			x_rm_load(c, in->size == IRS_8 ? 0x0fb6 : 0x0fb7, IRS_32, d, m);
		else
			x_ld(c, in->size, d, m);
	} else if (b_is_imm(in)) {
		x_rm_load(c, in->size == IRS_8 ? 0xc6 : 0xc7, in->size, 0, m);
		x_imm(c, in->size, in->imm2);
	} else {
		x_st(c, in->size, m, val_input(g, in->b));
	}
}

static void gen_guard(struct gen *g, struct ir_insn *in)
{
	struct xcode *c = &g->c;
	struct cold *k;
	int a;

	fl_clobber(g);
	a = val_input(g, in->a);
	x_mov_rr(c, IRS_32, X_R8, a);
	x_rm(c, 0x2b, IRS_32, X_R8, XMEM(X_ENV, in->imm));
	x_rm(c, 0x3b, IRS_32, X_R8, XMEM(X_ENV, in->imm + 4));
	k = cold_add(g, COLD_GUARD, x_jcc(c, CC_A));
	k->back = c->p;
	k->arg = (s8)a;
	k->aux = in->aux;
	k->helper = (u32)in->imm2;
}

static void load_arg(struct gen *g, ir_val v, int r)
{
	if (v == IR_NONE)
		return;
	if (is_temp(v) && g->is_const[v])
		x_mov_ri(&g->c, r, g->value[v]);
	else if (is_temp(v) && g->reg[v] == X_NONE)
		x_ld(&g->c, IRS_64, r, spill_slot(g, v));
	else
		x_mov_rr(&g->c, IRS_32, r, val_input(g, v));
}

static void gen_call(struct gen *g, struct ir_insn *in)
{
	u8 flags = g->t->helper[in->aux].flags;
	int d;

	if (flags & (IRH_FAULTS | IRH_RREGS))
		esp_sync(g);
	fl_sync(g, fl_needed_before(g));
	g->rec.kind = REC_NONE;
	if (in->c != IR_NONE) {
		load_arg(g, in->c, X_R8);
		x_st(&g->c, IRS_32, XMEM(X_ENV, tcg_layout.arg_c), X_R8);
	}
	load_arg(g, in->a, X_R8);
	load_arg(g, in->b, X_R9);
	x_call_to(&g->c, tcg_rw(stub_helper[in->aux]));
	if (in->d == IR_NONE)
		return;
	d = def(g, in->d, IR_NONE);
	if (d != X_R8)
		x_mov_rr(&g->c, IRS_32, d, X_R8);
}

/* -- x87 ------------------------------------------------------------------------------------------ */

static void gen_fpu(struct gen *g, struct ir_insn *in)
{
	struct xcode *c = &g->c;
	struct xmem m;

	if (in->op == IR_FPUM) {
		esp_sync(g);                 /* #MF may come from here      */
		m = mem_operand(g, (int)in->aux, in->mem == IRM_DST);
		if (g->fl == FL_RECIPE)
			fl_sync(g, fl_needed_before(g));
		gen_map(g, g->guest_insn);
		x_rm_load(c, (u32)in->imm >> 8, IRS_32, in->imm >> 3 & 7, m);
		if (in->mem == IRM_DST)
			mem_access_done(g);
		return;
	}
	esp_sync(g);
	if (in->fuse)
		fl_load(g);
	else if (g->fl == FL_RECIPE)
		fl_sync(g, fl_needed_before(g));
	if (in->imm == 0xdfe0)                       /* fnstsw ax           */
		fl_write_reg(g, X_RAX);
	gen_map(g, g->guest_insn);
	if (in->imm > 0xff)
		x_u8(c, (u32)in->imm >> 8);
	x_u8(c, (u32)in->imm);
	if (in->fdef)
		fl_after_op(g, IRF_ALL, no_recipe);
}

/* -- the block ------------------------------------------------------------------------------------------ */

void gen_map(struct gen *g, int insn)
{
	struct tb_insn *m = &g->map[g->n_map++];

	ASSERT(g->n_map <= MAX_MAP);
	*m = (struct tb_insn){ .ofs = (u32)(g->c.p - g->start), .flags_in_host = g->fl == FL_HOST };
	m->pc_ofs = (u16)insn;
}

typedef void gen_op_fn(struct gen *g, struct ir_insn *in);
static gen_op_fn *const gen_op[IR_NOPS] = {
	[IR_MOV] = gen_mov, [IR_ZX] = gen_conv, [IR_SX] = gen_conv, [IR_LEA] = gen_lea,
	[IR_ADD] = gen_alu, [IR_ADC] = gen_alu, [IR_SUB] = gen_alu, [IR_SBB] = gen_alu,
	[IR_AND] = gen_alu, [IR_OR] = gen_alu, [IR_XOR] = gen_alu,
	[IR_CMP] = gen_compare, [IR_TEST] = gen_compare, [IR_NOT] = gen_unary, [IR_NEG] = gen_unary,
	[IR_SHL] = gen_shift, [IR_SHR] = gen_shift, [IR_SAR] = gen_shift, [IR_ROL] = gen_shift,
	[IR_ROR] = gen_shift, [IR_RCL] = gen_shift, [IR_RCR] = gen_shift,
	[IR_SHLD] = gen_shift, [IR_SHRD] = gen_shift,
	[IR_IMUL] = gen_imul, [IR_IMUL3] = gen_imul, [IR_MULU] = gen_muldiv, [IR_MULS] = gen_muldiv,
	[IR_DIVU] = gen_muldiv, [IR_DIVS] = gen_muldiv, [IR_BSWAP] = gen_bswap,
	[IR_BSF] = gen_bscan, [IR_BSR] = gen_bscan,
	[IR_BT] = gen_bt, [IR_BTS] = gen_bt, [IR_BTR] = gen_bt, [IR_BTC] = gen_bt,
	[IR_SETCC] = gen_setcc, [IR_MOVCC] = gen_movcc,
	[IR_CF] = gen_flag, [IR_LAHF] = gen_flag, [IR_SAHF] = gen_flag,
	[IR_XCHG] = gen_xchg, [IR_XADD] = gen_xchg, [IR_CMPXCHG] = gen_xchg,
	[IR_CMPXCHG8] = gen_cmpxchg8, [IR_LDE] = gen_env, [IR_STE] = gen_env,
	[IR_GUARD] = gen_guard, [IR_CALL] = gen_call, [IR_FPU] = gen_fpu, [IR_FPUM] = gen_fpu,
	[IR_EXIT] = gen_exit, [IR_EXITCC] = gen_exit, [IR_EXITZ] = gen_exit, [IR_EXITNZ] = gen_exit,
	[IR_EXITIND] = gen_exit, [IR_EXITMAIN] = gen_exit, [IR_EXITLOOK] = gen_exit,
};

/* Every loop passes a block that leaves backwards or indirectly: it asks for
 * interrupts at its entry, where no flags are at stake. */
static bool needs_irq_check(const struct ir_block *b)
{
	for (int i = 0; i < b->n; i++)
		if (b->insn[i].xflags & IRX_BACK || b->insn[i].op == IR_EXITIND ||
		    b->insn[i].op == IR_EXITLOOK)
			return true;
	return false;
}

static void gen_irq_check(struct gen *g)
{
	x_rm_load(&g->c, 0x83, IRS_32, 7, XMEM(X_ENV, tcg_layout.exit_request));
	x_u8(&g->c, 0);
	cold_add(g, COLD_IRQ, x_jcc(&g->c, CC_NE));
}

static void gen_guest_insn(struct gen *g, struct ir_insn *in)
{
	g->guest_pc = (u64)in->imm;
	g->guest_insn = (int)(in->imm - (s64)g->tb->pc);
	gen_map(g, g->guest_insn);
	mem_stack_check(g);
}

static int count_exits(const struct ir_block *b)
{
	int n = MAX_REGIONS;         /* the stack checks' variants; a call
				      * has its target and its pad  */

	for (int i = 0; i < b->n; i++)
		n += ir_desc[b->insn[i].op].kind == IRK_EXIT ? 2 : 0;
	return n;
}

static bool gen_hot(struct gen *g, bool irq_check)
{
	if (irq_check)
		gen_irq_check(g);
	for (g->i = 0; g->i < g->b->n; g->i++) {
		struct ir_insn *in = gen_insn(g);

		if (g->c.p > g->limit)
			return false;
		if (in->op == IR_INSN)
			gen_guest_insn(g, in);
		else if (!mem_track_stack(g))
			gen_op[in->op](g, in);
		release_temps(g);
	}
	return true;
}

static void *meta_alloc(struct tcg_region *r, size_t n)
{
	u8 *p = r->meta;

	r->meta += (n + 7) & ~(size_t)7;
	return p;
}

bool tcg_gen_code(struct ir_block *b, struct tb *tb, struct tcg_region *r)
{
	static __thread struct gen gen;
	struct gen *g = &gen;
	u8 *meta = r->meta;
	int n_exits = count_exits(b);

	if (r->meta_end - r->meta < (s64)(n_exits * sizeof(struct tb_link) +
					  MAX_MAP * sizeof(struct tb_insn)))
		return false;
	g->c.p = r->code;
	x_align(&g->c, 16);
	g->start = g->c.p;
	g->limit = r->code_end - 1024;
	g->b = b;
	g->t = b->target;
	g->tb = tb;
	g->mmu = b->mmu_idx;
	g->fl = FL_MEM;
	g->rec.kind = REC_NONE;
	g->guest_insn = 0;
	g->guest_pc = tb->pc;
	g->busy = g->slots_used = 0;
	g->def_spill = IR_NONE;
	g->off = g->delta = g->region = 0;
	g->region_checked = false;
	g->n_cold = g->n_map = g->n_links = 0;
	g->i = 0;
	for (unsigned i = 0; i < ARRAY_SIZE(g->owner); i++)
		g->owner[i] = IR_NONE;
	g->links = meta_alloc(r, (size_t)n_exits * sizeof(struct tb_link));
	scan_uses(g);
	mem_scan_stack(g);
	if (g->start >= g->limit || !gen_hot(g, needs_irq_check(b) && !(tb->cflags & 0x400))) {
		r->meta = meta;
		return false;
	}
	tb->hot_size = (u32)(g->c.p - g->start);
	if (!cold_emit_all(g)) {
		r->meta = meta;
		return false;
	}
	tb->code = tcg_rx(g->start);
	tb->code_size = (u32)(g->c.p - g->start);
	tb->link = g->links;
	tb->n_links = (u16)g->n_links;
	tb->n_map = (u16)g->n_map;
	r->meta = (u8 *)(g->links + g->n_links);     /* give back the rest  */
	tb->map = meta_alloc(r, (size_t)g->n_map * sizeof(struct tb_insn));
	memcpy(tb->map, g->map, (size_t)g->n_map * sizeof(struct tb_insn));
	r->code = g->c.p;
	return true;
}
