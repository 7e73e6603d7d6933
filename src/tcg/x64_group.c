/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/tcg/x64_group.c - accesses off one register share one check.
 *
 * Three or more accesses at small distances from a register that does not
 * change between them, in code without calls, are a group: at the start of the
 * first one's instruction the page of all of them is looked up once, and r14
 * holds the host address of the lowest byte until the last one:
 *
 *	lea   r8d, [ebp-0x28]
 *	shrx  r9d, r8d, r11d
 *	mov   r14, [r15 + r9*8 + table]
 *	add   r14, r8
 *	js    1f                          (page not present)
 *	and   r8d, 4095
 *	cmp   r8d, 4096 - (hi - lo)
 * 1:	ja    slow
 *	... [r14+8] ... [r14+0x20] ...
 *
 * The slow path goes on in the TB's variant without shared checks
 * (CF_NO_STACK), whose accesses fill the soft TLB. Groups do not overlap. */
#include "tcg/x64_gen.h"

enum { MAX_RANGE = 1024, MIN_ACCESSES = 3 };

/* A group while the scan sees it grow. */
struct candidate {
	struct access_group g;
	int n;
	bool open, exit_seen;
	bool late;               /* changed in this guest instruction: its
				  * start is too early for a check       */
};

static void add_group(struct gen *g, const struct candidate *c)
{
	struct access_group *list = g->groups;
	int at = g->n_groups;

	if (!c->open || c->n < MIN_ACCESSES)
		return;
	for (int i = 0; i < at; i++)         /* r14 serves one at a time     */
		if (c->g.check_at <= list[i].last && list[i].check_at <= c->g.last)
			return;
	if (at == MAX_GROUPS)
		return;
	for (; at > 0 && list[at - 1].check_at > c->g.check_at; at--)
		list[at] = list[at - 1];
	list[at] = c->g;
	g->n_groups++;
}

static void close_group(struct gen *g, struct candidate *c)
{
	add_group(g, c);
	c->open = false;
}

static bool joins(const struct candidate *c, s32 lo, s32 hi, bool write)
{
	return c->open && (s64)MAX(c->g.hi, hi) - MIN(c->g.lo, lo) <= MAX_RANGE &&
	       !(write && !c->g.write && c->exit_seen);
}

static void note_access(struct gen *g, struct candidate *c, const struct ir_insn *in, int i,
			int insn)
{
	s32 lo = in->ea.disp, hi = lo + mem_access_bytes(in);
	bool write = in->mem == IRM_DST;

	if (c->late)
		return;
	if (!joins(c, lo, hi, write)) {
		close_group(g, c);
		*c = (struct candidate){ .open = true, .g = {
			.base = in->ea.base, .check_at = insn, .lo = lo, .hi = hi } };
	}
	c->g.lo = MIN(c->g.lo, lo);
	c->g.hi = MAX(c->g.hi, hi);
	c->g.write |= write;
	c->g.last = i;
	c->n++;
}

static bool can_group(const struct gen *g, const struct ir_insn *in)
{
	return in->mem != IRM_NONE && in->ea.index == IR_NONE &&
	       in->ea.base < g->t->n_globals && in->ea.base != g->t->stack &&
	       !(in->xflags & IRX_USER);
}

/* Does the instruction change global v? */
static bool changes(const struct ir_insn *in, int v)
{
	switch (ir_desc[in->op].kind) {
	case IRK_FIX:
		return v == 0 || v == 2;
	case IRK_XCHG:
		return in->b == v || v == 0 || (in->d == v && in->mem != IRM_DST);
	case IRK_FPU:
		return v == 0;               /* fnstsw ax                   */
	case IRK_VEC:
		return in->d == v || in->c == v;
	default:
		return in->d == v && in->mem != IRM_DST;
	}
}

/* With r14 taken one register is left for temporaries: no group reaches over
 * an instruction that needs two. */
static bool needs_temps(const struct ir_insn *in)
{
	const ir_val v[] = { in->ea.base, in->ea.index, in->a, in->b, in->c, in->d };
	ir_val first = IR_NONE;

	for (unsigned i = 0; i < ARRAY_SIZE(v); i++) {
		if (!val_is_temp(v[i]) || v[i] == first)
			continue;
		if (first != IR_NONE)
			return true;
		first = v[i];
	}
	return false;
}

void group_scan(struct gen *g)
{
	struct candidate c[IR_MAX_GLOBALS] = { 0 };
	int insn = 0, n = g->t->n_globals;

	g->n_groups = g->group = 0;
	g->reserved = 0;
	if (!g->b->stack_cache)
		return;
	for (int i = 0; i < g->b->n; i++) {
		const struct ir_insn *in = &g->b->insn[i];
		int kind = ir_desc[in->op].kind;
		bool ends = kind == IRK_CALL || needs_temps(in);

		if (in->op == IR_INSN) {
			insn = i;
			for (int v = 0; v < n; v++)
				c[v].late = false;
		}
		if (can_group(g, in) && !ends)
			note_access(g, &c[in->ea.base], in, i, insn);
		for (int v = 0; v < n; v++) {
			c[v].exit_seen |= kind == IRK_EXIT;
			if (!ends && !changes(in, v))
				continue;
			close_group(g, &c[v]);
			c[v].late = true;
		}
	}
	for (int v = 0; v < n; v++)
		close_group(g, &c[v]);
}

/* At a guest instruction's start. */
void group_check(struct gen *g)
{
	const struct access_group *q = &g->groups[g->group];
	struct xcode *c = &g->c;
	struct cold *k;
	u8 *absent;

	if (g->group >= g->n_groups || q->check_at != g->i)
		return;
	fl_clobber(g);
	fl_write_reg_early(g, X_GROUP);
	x_lea(c, IRS_32, X_EA, XMEM(g->t->global[q->base].host, q->lo));
	x_shrx(c, X_HOST, X_EA, X_TWELVE);
	x_ld(c, IRS_64, X_GROUP, (struct xmem){ X_ENV, X_HOST, 3, tcg_layout.tlb[g->mmu][q->write] });
	x_rr(c, 0x03, IRS_64, X_GROUP, X_EA);
	absent = x_jcc8(c, CC_S);
	x_grp1_ri(c, 4, IRS_32, X_EA, 4095);
	x_grp1_ri(c, 7, IRS_32, X_EA, 4096 - (q->hi - q->lo));
	x_patch8(absent, c->p);              /* CF, ZF clear: `ja` is taken  */
	k = cold_add(g, COLD_EXIT, x_jcc(c, CC_A));
	k->link = gen_add_link(g, g->guest_pc, CFLAG_NO_STACK);
	g->reserved = 1u << X_GROUP;
}

bool group_covers(const struct gen *g, const struct ir_insn *in, int bytes, bool write)
{
	const struct access_group *q = &g->groups[g->group];

	return g->reserved && can_group(g, in) && in->ea.base == q->base && g->i <= q->last &&
	       in->ea.disp >= q->lo && (s64)in->ea.disp + bytes <= q->hi && (!write || q->write);
}

struct xmem group_operand(const struct gen *g, const struct ir_insn *in)
{
	return XMEM(X_GROUP, in->ea.disp - g->groups[g->group].lo);
}

/* After an instruction. */
void group_leave(struct gen *g)
{
	if (g->reserved && g->i >= g->groups[g->group].last) {
		g->reserved = 0;
		g->group++;
	}
}
