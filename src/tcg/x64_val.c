/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/tcg/x64_val.c - where values are: globals always in their host
 * registers; a temporary gets r10 or r14 when it is defined and gives it back
 * after its last use, or waits in a slot of struct cpu. */
#include "tcg/x64_gen.h"

#include "env/log.h"

static const u8 pool[] = { X_R10, X_R14 };

struct xmem val_slot(struct gen *g, ir_val v)
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
			x_st(&g->c, IRS_64, val_slot(g, g->owner[r]), r);
		g->reg[g->owner[r]] = X_NONE;
	}
	fl_write_reg_early(g, r, 0);
	g->owner[r] = v;
	g->reg[v] = (s8)r;
	g->busy |= 1u << r;
	return r;
}

int val_use(struct gen *g, ir_val v)
{
	int r;

	if (!val_is_temp(v))
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
		x_ld(&g->c, IRS_64, r, val_slot(g, v));
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
	return val_is_temp(v) && g->last_use[v] == g->i && g->reg[v] != X_NONE && g->reg[v] != X_R8;
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
int val_def(struct gen *g, ir_val v, ir_val dying)
{
	const struct ir_ea *ea = &gen_insn(g)->ea;
	int r;

	if (!val_is_temp(v)) {
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
int val_def_merge(struct gen *g, ir_val v)
{
	int r;

	if (!val_is_temp(v))
		return val_def(g, v, IR_NONE);
	if (g->reg[v] == X_NONE && !g->is_const[v] && g->slot[v] < 0)
		return val_def(g, v, IR_NONE);
	r = val_use(g, v);
	if (r == X_R8)
		g->def_spill = v;
	g->is_const[v] = false;
	fl_write_reg(g, r);
	return r;
}

/* Value v, in register r (perhaps its high byte), is changed in place. */
void val_inplace(struct gen *g, ir_val v, int r)
{
	fl_write_reg(g, x_high(r) ? r - X_AH : r);
	if (!val_is_temp(v))
		return;
	g->is_const[v] = false;
	if (r == X_R8)
		g->def_spill = v;
}

void gen_flush_def(struct gen *g)
{
	if (g->def_spill == IR_NONE)
		return;
	x_st(&g->c, IRS_64, val_slot(g, g->def_spill), X_R8);
	g->def_spill = IR_NONE;
}

static bool has_temps(const struct gen *g)
{
	return g->b->n_vals > IR_FIRST_TEMP;
}

void val_release(struct gen *g)
{
	gen_flush_def(g);
	g->busy = g->reserved;
	if (!has_temps(g))
		return;
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

void val_scan(struct gen *g)
{
	for (int v = IR_FIRST_TEMP; v < g->b->n_vals; v++) {
		g->reg[v] = X_NONE;
		g->slot[v] = -1;
		g->is_const[v] = false;
		g->last_use[v] = -1;
	}
	for (int i = 0; i < g->b->n && has_temps(g); i++) {
		const struct ir_insn *in = &g->b->insn[i];

		if (in->op == IR_INSN)
			continue;
		g->last_use[in->d] = g->last_use[in->a] = g->last_use[in->b] = (s16)i;
		g->last_use[in->c] = g->last_use[in->ea.base] = (s16)i;
		g->last_use[in->ea.index] = (s16)i;
	}
}
