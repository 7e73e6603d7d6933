/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/tcg/x64_group.c - accesses off the same registers share one check.
 *
 * Accesses at small distances from each other, in code without calls, are a group:
 * their addresses have the same base and index, and these change by constants at
 * most (a loop's pointer in copies of its body). Two that have r14 and no exit
 * between them pay, else it takes three. At the
 * start of the first one's instruction the page of all of them is looked up once,
 * and r14 holds the host address of the lowest byte until the last one:
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
 * r14 serves one group at a time, and so does r10 where no instruction wants it for a
 * temporary; where more overlap the smaller ones keep theirs in memory and load it into r9
 * for each access. In a block that hopes for
 * one addend (ir_block.direct) the address is r13 + r9, and the table only compared
 * with r13; where they differ a slow path loads the addend.
 *
 * The slow path has the page's entry filled, if it has none and the walk finds it, and
 * checks again. Else (a fault, MMIO, two pages, a store to a page of code or to a clean
 * one) it goes on in the TB's variant without shared checks (CF_NO_STACK). */
#include "tcg/x64_gen.h"

#include "tcg/opts.h"

/* What an access gains by a check that it shares: one that goes unchecked only the LEA before
 * it (x64_window.c). */
enum { MAX_RANGE = 1024, GAIN = 4, GAIN_LEA = 1, MIN_GAIN = 2 * GAIN, MIN_IN_SLOT = 3 * GAIN };

/* -- which instructions ------------------------------------------------------- */

static bool is_global(const struct gen *g, ir_val v)
{
	return v < g->t->n_globals;
}

static bool can_group(const struct gen *g, const struct ir_insn *in)
{
	const struct ir_ea *ea = &in->ea;

	if (in->mem == IRM_NONE || in->xflags & IRX_USER || window_is_plain(g, in) || ea->index == g->t->stack)
		return false;
	if (ea->index == IR_NONE)
		return is_global(g, ea->base) && ea->base != g->t->stack;
	return is_global(g, ea->index) && (ea->base == IR_NONE || is_global(g, ea->base));
}

static bool same_registers(const struct ir_ea *a, const struct ir_ea *b)
{
	return a->base == b->base && a->index == b->index && a->scale == b->scale;
}

/* Globals as a set: bit v is global v. What is none is in no set. */
static u32 set_of(const struct gen *g, ir_val v)
{
	return is_global(g, v) ? 1u << v : 0;
}

/* The globals that the instruction may change. */
static u32 changes(const struct gen *g, const struct ir_insn *in)
{
	u32 d = set_of(g, in->d);

	switch (ir_desc[in->op].kind) {
	case IRK_FIX:
		return 1 << 0 | 1 << 2;
	case IRK_XCHG:
		return 1 << 0 | set_of(g, in->b) | (in->mem != IRM_DST ? d : 0);
	case IRK_FPU:
		return 1 << 0;               /* fnstsw ax                   */
	case IRK_VEC:
		return d | set_of(g, in->c);
	case IRK_CALL:
		return ~0u;
	default:
		return in->mem != IRM_DST ? d : 0;
	}
}

/* How far the instruction, which changes these globals, moves the address; false:
 * nobody knows. */
static bool moves(const struct gen *g, const struct ir_insn *in, u32 changed,
		  const struct ir_ea *ea, s32 *by)
{
	s32 step;

	*by = 0;
	if (changed & set_of(g, ea->base)) {
		if (!mem_steps(in, ea->base, &step))
			return false;
		*by = step;
	}
	if (changed & set_of(g, ea->index)) {
		if (!mem_steps(in, ea->index, &step))
			return false;
		*by = (s32)((u32)*by + ((u32)step << ea->scale));
	}
	return true;
}

/* Would a copy of an operand be a recipe for the instruction's flags? */
static bool wants_copy(const struct ir_insn *in)
{
	if (!(in->fdef & in->ffault))
		return false;
	return in->mem != IRM_NONE || in->op == IR_SHL || in->op == IR_SHR || in->op == IR_SAR ||
	       in->op == IR_IMUL || in->op == IR_IMUL3;
}

/* How many of r14 and r10 does the instruction want for temporaries? A group in r14 does
 * not reach over one that needs both, nor one in r10 over one that needs any. */
static int temps_of(const struct gen *g, const struct ir_insn *in)
{
	const ir_val v[] = { in->ea.base, in->ea.index, in->a, in->b, in->c, in->d };
	ir_val first = IR_NONE;

	if (g->b->n_vals == IR_FIRST_TEMP)
		return wants_copy(in);
	for (unsigned i = 0; i < ARRAY_SIZE(v); i++) {
		if (!val_is_temp(v[i]) || v[i] == first)
			continue;
		if (first != IR_NONE)
			return 2;
		first = v[i];
	}
	return first != IR_NONE || wants_copy(in);
}

/* -- finding groups -------------------------------------------------------------- */

enum { MAX_CANDIDATES = 16, ALL_CANDIDATES = (1 << MAX_CANDIDATES) - 1 };

/* A group while the scan sees it grow. */
struct candidate {
	struct access_group g;
	s32 off;                 /* the registers have moved since check_at  */
	int gain;
	bool exit_seen;
	bool exit_between;       /* ... before the last access               */
	int temps;               /* most that an instruction among them wants */
};

struct scan {
	struct gen *g;
	u32 open;                            /* bit k: c[k] is              */
	struct candidate c[MAX_CANDIDATES];
	struct candidate done[MAX_GROUPS];   /* the best, unordered          */
	int n_done;
};

/* k = each open candidate's number. */
#define FOR_OPEN(s, k) \
	for (u32 m_ = (s)->open; k = m_ ? __builtin_ctz(m_) : 0, m_; m_ &= m_ - 1)

static void close_group(struct scan *s, int k)
{
	struct candidate *c = &s->c[k];
	int at = s->n_done;

	s->open &= ~(1u << k);
	if (c->gain < MIN_GAIN + GAIN * c->exit_between)
		return;
	if (at == MAX_GROUPS) {
		at = 0;
		for (int i = 1; i < MAX_GROUPS; i++)
			if (s->done[i].gain < s->done[at].gain)
				at = i;
		if (s->done[at].gain >= c->gain)
			return;
	} else {
		s->n_done++;
	}
	s->done[at] = *c;
}

static bool joins(const struct candidate *c, const struct ir_insn *in, s32 lo, s32 hi)
{
	return same_registers(&c->g.ea, &in->ea) &&
	       (s64)MAX(c->g.hi, hi) - MIN(c->g.lo, lo) <= MAX_RANGE &&
	       !(in->mem == IRM_DST && !c->g.write && c->exit_seen);
}

/* A free candidate, or one that has stayed alone for longest; it is open now. */
static struct candidate *fresh(struct scan *s)
{
	int old = 0;

	if (s->open != ALL_CANDIDATES) {
		old = __builtin_ctz(~s->open);
	} else {
		for (int i = 1; i < MAX_CANDIDATES; i++) {
			const struct candidate *c = &s->c[i], *o = &s->c[old];

			if (c->gain < o->gain || (c->gain == o->gain && c->g.last < o->g.last))
				old = i;
		}
		close_group(s, old);
	}
	s->open |= 1u << old;
	return &s->c[old];
}

/* `start` is the index of the guest instruction's mark. */
static void note_access(struct scan *s, const struct ir_insn *in, int i, int start)
{
	struct candidate *c = NULL;
	s32 lo = in->ea.disp, step;
	int k, temps = 0;

	FOR_OPEN(s, k) {
		lo = (s32)((u32)in->ea.disp + (u32)s->c[k].off);
		if (joins(&s->c[k], in, lo, lo + mem_access_bytes(in))) {
			c = &s->c[k];
			break;
		}
	}
	if (!c) {
		for (k = start; k < i; k++) {
			const struct ir_insn *before = &s->g->b->insn[k];

			if (!moves(s->g, before, changes(s->g, before), &in->ea, &step) || step)
				return;              /* too late for a check */
			temps = MAX(temps, temps_of(s->g, before));
		}
		c = fresh(s);
		lo = in->ea.disp;
		*c = (struct candidate){ .temps = temps, .g = {
			.ea = in->ea, .check_at = start, .lo = lo, .hi = lo } };
	}
	c->g.lo = MIN(c->g.lo, lo);
	c->g.hi = MAX(c->g.hi, lo + mem_access_bytes(in));
	c->g.write |= in->mem == IRM_DST;
	c->g.last = i;
	c->exit_between = c->exit_seen;
	c->gain += window_serves(s->g, in) ? GAIN_LEA : GAIN;
}

static void note_insn(struct scan *s, const struct ir_insn *in)
{
	bool exit = ir_desc[in->op].kind == IRK_EXIT;
	int k, temps = temps_of(s->g, in);
	u32 changed = changes(s->g, in);
	s32 step;

	FOR_OPEN(s, k) {
		struct candidate *c = &s->c[k];

		c->exit_seen |= exit;
		c->temps = MAX(c->temps, temps);
		if (ir_desc[in->op].kind == IRK_CALL)
			close_group(s, k);
		else if (!changed)
			continue;
		else if (!moves(s->g, in, changed, &c->g.ea, &step))
			close_group(s, k);
		else
			c->off = (s32)((u32)c->off + (u32)step);
	}
}

/* -- giving them places --------------------------------------------------------------- */

static bool overlap(const struct access_group *a, const struct access_group *b)
{
	return a->check_at <= b->last && b->check_at <= a->last;
}

/* What a place stands for, if not for a slot of struct cpu. */
static const u8 place_reg[] = { X_R14, X_R10 };
enum { N_REGS = ARRAY_SIZE(place_reg) };

static bool in_slot(const struct access_group *q)
{
	return q->place >= N_REGS;
}

/* A place that no group given one before needs at the same time; false: none. */
static bool find_place(const struct gen *g, const struct candidate *c, struct access_group *q)
{
	int places = c->gain < MIN_IN_SLOT ? N_REGS : N_REGS + N_GROUP_SLOTS;

	for (int place = 0; place < places; place++) {
		bool taken = place < N_REGS && place + c->temps >= N_REGS;

		for (int i = 0; i < g->n_groups; i++)
			taken |= g->groups[i].place == place && overlap(&g->groups[i], &c->g);
		q->place = place;
		if (!taken)
			return true;
	}
	return false;
}

/* The largest first: it gets a register. */
static void place_groups(struct scan *s)
{
	struct gen *g = s->g;

	for (int k = 0; k < s->n_done; k++) {
		struct candidate *best = NULL;

		for (int i = 0; i < s->n_done; i++)
			if (s->done[i].gain && (!best || s->done[i].gain > best->gain))
				best = &s->done[i];
		g->groups[g->n_groups] = best->g;
		if (find_place(g, best, &g->groups[g->n_groups]))
			g->n_groups++;
		best->gain = 0;
	}
}

/* Not where no register is the base of two accesses, or the index of two without. */
static bool may_have_groups(const struct gen *g)
{
	u32 once = 0, twice = 0;

	for (int i = 0; i < g->b->n; i++) {
		const struct ir_insn *in = &g->b->insn[i];
		const struct ir_ea *ea = &in->ea;
		u32 reg;

		if (in->mem == IRM_NONE || (ea->base == g->t->stack && ea->index == IR_NONE))
			continue;
		reg = set_of(g, ea->base == IR_NONE ? ea->index : ea->base);
		twice |= once & reg;
		once |= reg;
	}
	return twice;
}

void group_scan(struct gen *g)
{
	struct scan s;                   /* not zeroed: it is large          */
	int start = 0, k;

	s.g = g;
	s.open = 0;
	s.n_done = 0;
	g->n_groups = 0;
	g->reserved = 0;
	if (!g->b->stack_cache || !tcg_opt(TCG_OPT_GROUP) || !may_have_groups(g))
		return;
	for (int i = 0; i < g->b->n; i++) {
		const struct ir_insn *in = &g->b->insn[i];

		if (in->op == IR_INSN) {
			start = i;
			continue;
		}
		if (can_group(g, in) && ir_desc[in->op].kind != IRK_CALL)
			note_access(&s, in, i, start);
		if (s.open)
			note_insn(&s, in);
	}
	FOR_OPEN(&s, k)
		close_group(&s, k);
	place_groups(&s);
}

/* -- code ---------------------------------------------------------------------------------- */

static struct xmem slot_of(const struct access_group *q)
{
	return XMEM(X_ENV, tcg_layout.spill + (N_SPILL + q->place - N_REGS) * 8);
}

/* The host address of the lowest byte, from the table: the register that has it.
 * r8d is the guest's. *absent: a jump to be aimed at the `ja`. */
static int look_up(struct gen *g, const struct access_group *q, struct xmem ea, u8 **absent)
{
	s32 table = tcg_layout.tlb[g->mmu][q->write];
	int host = in_slot(q) ? X_HOST : place_reg[q->place];
	struct xcode *c = &g->c;

	x_lea(c, IRS_32, X_EA, ea);
	x_shrx(c, X_HOST, X_EA, X_TWELVE);
	x_ld(c, IRS_64, host, (struct xmem){ X_ENV, X_HOST, 3, table });
	x_rr(c, 0x03, IRS_64, host, X_EA);
	*absent = x_jcc8(c, CC_S);
	return host;
}

/* The same with r13 for the addend; r9d is the guest's. */
static int look_up_direct(struct gen *g, const struct access_group *q, struct xmem ea,
			  struct cold **k)
{
	s32 table = tcg_layout.tlb[g->mmu][q->write];
	int host = in_slot(q) ? X_EA : place_reg[q->place];
	struct xcode *c = &g->c;

	x_lea(c, IRS_32, X_HOST, ea);
	x_shrx(c, X_EA, X_HOST, X_TWELVE);
	x_rm(c, 0x3b, IRS_64, X_STACK, (struct xmem){ X_ENV, X_EA, 3, table });
	*k = cold_add(g, COLD_ADDEND, x_jcc(c, CC_NE));
	(*k)->ea = (struct xmem){ X_ENV, X_EA, 3, table };
	(*k)->arg = (s8)host;
	x_lea(c, IRS_64, host, (struct xmem){ X_STACK, X_HOST, 0, 0 });
	(*k)->back = c->p;
	return host;
}

void group_cold_addend(struct gen *g, const struct cold *k)
{
	struct xcode *c = &g->c;

	x_ld(c, IRS_64, k->arg, k->ea);
	x_rr(c, 0x03, IRS_64, k->arg, X_HOST);
	x_patch(x_jcc(c, CC_NS), k->back);
	x_jmp_to(c, k->acc_end);             /* CF, ZF clear: `ja` is taken  */
}

/* Back to the check if it may succeed now. */
void group_cold_refill(struct gen *g, const struct cold *k)
{
	struct xcode *c = &g->c;

	x_lea(c, IRS_32, X_R8, k->ea);
	x_lea(c, IRS_32, X_R9, XMEM(X_R8, k->hi));
	x_call_to(c, tcg_rw(stub_group_refill[k->mmu][k->access != ACCESS_READ]));
	x_patch(x_jcc(c, CC_AE), k->back);
}

static void open_group(struct gen *g, struct access_group *q)
{
	bool direct = g->b->direct && g->mmu == g->b->mmu_idx;
	int host, guest = direct ? X_HOST : X_EA;
	struct ir_ea ea = q->ea;
	struct xcode *c = &g->c;
	struct cold *k, *addend = NULL;
	u8 *absent = NULL, *start;
	struct xmem low;

	fl_clobber(g);
	if (!in_slot(q))
		fl_write_reg_early(g, place_reg[q->place], 0);
	ea.disp = q->lo;
	low = mem_ea(g, &ea);
	start = c->p;
	host = direct ? look_up_direct(g, q, low, &addend) : look_up(g, q, low, &absent);
	x_grp1_ri(c, 4, IRS_32, guest, 4095);
	x_grp1_ri(c, 7, IRS_32, guest, 4096 - (q->hi - q->lo));
	if (direct)
		addend->acc_end = c->p;
	else
		x_patch8(absent, c->p);      /* CF, ZF clear: `ja` is taken  */
	k = cold_add(g, COLD_GROUP, x_jcc(c, CC_A));
	k->back = start;
	k->ea = low;
	k->hi = q->hi - q->lo - 1;
	k->access = q->write ? ACCESS_STORE : ACCESS_READ;
	k->link = gen_add_link(g, g->guest_pc, CFLAG_NO_STACK);
	if (in_slot(q))
		x_st(c, IRS_64, slot_of(q), host);
	else
		g->reserved |= 1u << host;
	q->open = true;
	q->off = 0;
}

/* At a guest instruction's start. */
void group_check(struct gen *g)
{
	for (int i = 0; i < g->n_groups; i++)
		if (g->groups[i].check_at == g->i)
			open_group(g, &g->groups[i]);
}

static const struct access_group *find_group(const struct gen *g, const struct ir_insn *in,
					     int bytes, bool write)
{
	for (int i = 0; g->n_groups && can_group(g, in) && i < g->n_groups; i++) {
		const struct access_group *q = &g->groups[i];
		s64 at = (s32)((u32)in->ea.disp + (u32)q->off);

		if (q->open && same_registers(&q->ea, &in->ea) && at >= q->lo &&
		    at + bytes <= q->hi && (!write || q->write))
			return q;
	}
	return NULL;
}

bool group_operand(struct gen *g, const struct ir_insn *in, int bytes, bool write, struct xmem *m)
{
	const struct access_group *q = find_group(g, in, bytes, write);

	if (!q)
		return false;
	if (in_slot(q))
		x_ld(&g->c, IRS_64, X_HOST, slot_of(q));
	*m = XMEM(in_slot(q) ? X_HOST : place_reg[q->place],
		  (s32)((u32)in->ea.disp + (u32)q->off) - q->lo);
	return true;
}

/* After an instruction. */
void group_leave(struct gen *g)
{
	const struct ir_insn *in = gen_insn(g);
	u32 changed;

	if (!g->n_groups)
		return;
	changed = changes(g, in);
	for (int i = 0; i < g->n_groups; i++) {
		struct access_group *q = &g->groups[i];
		s32 step;

		if (!q->open)
			continue;
		if (g->i >= q->last) {
			q->open = false;
			if (!in_slot(q))
				g->reserved &= ~(1u << place_reg[q->place]);
		} else if (changed && moves(g, in, changed, &q->ea, &step)) {
			q->off = (s32)((u32)q->off + (u32)step);
		}
	}
}
