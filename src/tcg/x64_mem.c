/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/tcg/x64_mem.c - guest memory operands in host code.
 *
 * An ordinary access looks its page up in the flat table of addends:
 *
 *	lea   r8d, [base+index*s+disp]    (absent for a bare register)
 *	shrx  r9d, r8d, r11d              (r11 = 12)
 *	mov   r9, [r15 + r9*8 + table]
 *	add   r9, r8
 *	test  r9, 0xffffffff80000003      (page not present, or misaligned)
 *	jnz   slow
 *	... [r9] ...
 *
 * An absent page's addend is 1 << 63; guest RAM lies below 2 GB of host
 * addresses, so one test finds both that and a misaligned access, which might
 * cross into another page (when RAM lies higher the two are tested apart). The
 * slow path resolves what is in one page after all in a few instructions and
 * resumes the hot code with r9 set; an MMIO access or one that crosses pages
 * works on a bounce buffer. A store to a page that holds code is made in place, by
 * the slow path's copy of the instruction, and reported afterwards.
 *
 * That is seven cycles before the access. Where one addend is likely to serve all
 * pages (ir_block.direct) the access does not wait for the table: r13 is the addend
 * that the stack's page has, the table only has to agree.
 *
 *	lea   r9d, [base+index*s+disp]
 *	shrx  r8d, r9d, r11d
 *	cmp   r13, [r15 + r8*8 + table]   (r13 is never that of an absent page)
 *	jne   slow
 *	test  r9b, 3
 *	jne   slow
 *	... [r13+r9] ...
 *
 * Plain loads and stores off a guest register or at an address below 2 GB do without
 * r9: [r13+register], [r13+address]. Their slow path has copies of the access that run
 * with r13 set for them.
 *
 * Accesses off ESP at known distances share one check a stretch of code:
 *
 *	lea   r8, [r12+lo]		an address that wraps is in no page
 *	xor   r8, [r15+stack_tag]
 *	cmp   r8, 4096 - (hi - lo)
 *	ja    slow
 *	... [r13+r12+disp] ...
 *
 * r13 is the addend of the page in stack_tag, for reading and writing. The
 * slow path refills both, and the table, if the page is not there yet; or when the
 * range is not in one such page continues in the TB's variant without shared checks
 * (CF_NO_STACK). Who sets exit_request takes the tag away, so that this check is one
 * of interrupts as well. */
#include "tcg/x64_gen.h"

#include "env/log.h"
#include "tcg/opts.h"

enum { MAX_STACK_RANGE = 1024, MAX_STACK_STEP = 2048 };

void esp_sync(struct gen *g)
{
	int esp;

	if (!g->delta)
		return;
	esp = g->t->global[g->t->stack].host;
	fl_write_reg_early(g, esp, g->delta);
	x_lea(&g->c, IRS_32, esp, XMEM(esp, g->delta));
	g->delta = 0;
}

/* ea as a host memory operand over guest registers. */
struct xmem mem_ea(struct gen *g, const struct ir_ea *ea)
{
	struct xmem m = { X_NONE, X_NONE, ea->scale, ea->disp };

	if (ea->index == g->t->stack)
		esp_sync(g);
	if (ea->base != IR_NONE)
		m.base = (s8)val_use(g, ea->base);
	if (ea->index != IR_NONE)
		m.index = (s8)val_use(g, ea->index);
	if (ea->base == g->t->stack)
		m.disp += g->delta;
	return m;
}

/* -- the stack's shared check --------------------------------------------- */

int mem_access_bytes(const struct ir_insn *in)
{
	return in->op == IR_FPUM || in->op == IR_VEC ? (int)in->aux :
	       in->op == IR_CMPXCHG8 ? 8 : 1 << in->size;
}

static bool writes_stack(const struct gen *g, const struct ir_insn *in)
{
	ir_val sp = g->t->stack;

	if (in->op == IR_CALL)
		return g->t->helper[in->aux].flags & IRH_WREGS;
	if (in->d == sp && in->mem != IRM_DST)
		return true;
	if (in->op == IR_VEC && in->c == sp)
		return true;
	return (in->op == IR_XCHG || in->op == IR_XADD) && in->b == sp;
}

bool mem_steps(const struct ir_insn *in, ir_val v, s32 *step)
{
	if (in->d != v || in->mem != IRM_NONE || in->size != IRS_32)
		return false;
	if (in->op == IR_LEA && in->ea.base == v && in->ea.index == IR_NONE)
		*step = in->ea.disp;
	else if (in->op == IR_ADD && in->a == v && in->b == IR_IMM)
		*step = (s32)in->imm;
	else if (in->op == IR_SUB && in->a == v && in->b == IR_IMM)
		*step = (s32)-in->imm;
	else
		return false;
	return true;
}

/* A move of ESP by a constant. By a large one it leaves the page, or wraps: that is a
 * new ESP. */
static bool stack_step(const struct gen *g, const struct ir_insn *in, s32 *step)
{
	return mem_steps(in, g->t->stack, step) && *step <= MAX_STACK_STEP &&
	       *step >= -MAX_STACK_STEP;
}

static bool off_stack(const struct gen *g, const struct ir_insn *in)
{
	return in->mem != IRM_NONE && in->ea.base == g->t->stack &&
	       in->ea.index == IR_NONE;
}

/* Where the access stands off the ESP that the region began with; ESP wraps. */
static s64 stack_place(s32 off, const struct ir_insn *in)
{
	return (s32)((u32)off + (u32)in->ea.disp);
}

static void region_add(struct stack_region *r, s64 lo, s64 hi, int at)
{
	if (hi > INT32_MAX)
		return;
	if (r->check_at < 0) {
		r->check_at = at;
		r->lo = (s32)lo;
		r->hi = (s32)hi;
	} else if (MAX(r->hi, hi) - MIN(r->lo, lo) <= MAX_STACK_RANGE) {
		r->lo = (s32)MIN(r->lo, lo);
		r->hi = (s32)MAX(r->hi, hi);
	}
}

void mem_scan_stack(struct gen *g)
{
	struct stack_region *r = g->regions;
	s32 off = 0, step;
	int at = 0;

	g->n_regions = 1;
	r->check_at = -1;
	r->lo = r->hi = 0;
	if (!g->b->stack_cache || !tcg_opt(TCG_OPT_STACK))
		return;
	for (int i = 0; i < g->b->n; i++) {
		const struct ir_insn *in = &g->b->insn[i];

		if (in->op == IR_INSN)
			at = i;
		if (off_stack(g, in)) {
			s64 lo = stack_place(off, in);

			region_add(r, lo, lo + mem_access_bytes(in), at);
		}
		if (stack_step(g, in, &step)) {
			off = (s32)((u32)off + (u32)step);
		} else if (writes_stack(g, in)) {
			if (g->n_regions == MAX_REGIONS)
				return;
			r = &g->regions[g->n_regions++];
			r->check_at = -1;
			off = 0;
		}
	}
}

void mem_stack_check(struct gen *g)
{
	const struct stack_region *r = &g->regions[g->region];
	int esp = g->t->global[g->t->stack].host;
	s32 bias = (s32)((u32)g->off - (u32)g->delta);       /* r12 stands here */
	struct xcode *c = &g->c;
	struct cold *k;

	fl_clobber(g);
	x_lea(c, IRS_64, X_EA, XMEM(esp, r->lo - bias));
	x_rm(c, 0x33, IRS_64, X_EA, XMEM(X_ENV, tcg_layout.stack_tag));
	x_grp1_ri(c, 7, IRS_64, X_EA, 4096 - (r->hi - r->lo));
	k = cold_add(g, COLD_STACK, x_jcc(c, CC_A));
	k->back = c->p;
	k->lo = r->lo - bias;
	k->hi = r->hi - bias - 1;
	k->link = gen_add_link(g, g->guest_pc, CFLAG_NO_STACK);
	g->region_checked = true;
}

/* Is there an instruction in the block that reads the flags of the current one? */
static bool flags_are_read(const struct gen *g)
{
	for (int i = g->i + 1; i < g->b->n; i++) {
		const struct ir_insn *in = &g->b->insn[i];

		if (fl_reads(in) || in->op == IR_CALL)
			return true;
		if (in->fdef)
			return in->fdef != IRF_ALL;
	}
	return false;
}

/* ESP moves, and the flags of that are wanted. If by faults and exits alone there is a
 * recipe for them: r12 is behind by what is pending. */
static bool stack_step_flags(struct gen *g, const struct ir_insn *in, s32 step)
{
	struct recipe rec = fl_recipe(in, in->op == IR_ADD ? REC_ADD : REC_SUB,
				      g->t->global[g->t->stack].host, X_NONE);

	if (in->fdef != IRF_ALL || !tcg_opt(TCG_OPT_RECIPE) || flags_are_read(g)) {
		esp_sync(g);
		return false;
	}
	g->delta = (s32)((u32)g->delta + (u32)step);
	rec.a_off = (s32)-(u32)g->delta;
	fl_by_recipe(g, rec);
	return true;
}

bool mem_track_stack(struct gen *g)
{
	const struct ir_insn *in = gen_insn(g);
	s32 step;

	if (stack_step(g, in, &step)) {
		g->off = (s32)((u32)g->off + (u32)step);
		if (in->op != IR_LEA && (in->fdef & fl_needed_after(g)))
			return stack_step_flags(g, in, step);
		g->delta = (s32)((u32)g->delta + (u32)step);
		return true;
	}
	if (writes_stack(g, in)) {
		esp_sync(g);
		g->region++;
		g->region_checked = false;
		g->off = 0;
	}
	return false;
}

static bool stack_covers(const struct gen *g, const struct ir_insn *in, int bytes)
{
	s64 at = stack_place(g->off, in);
	const struct stack_region *r;

	if (!off_stack(g, in) || !g->region_checked || g->region >= g->n_regions)
		return false;
	r = &g->regions[g->region];
	return at >= r->lo && at + bytes <= r->hi;
}

/* -- ordinary accesses ------------------------------------------------------ */

struct cold *cold_add(struct gen *g, int kind, u8 *from)
{
	struct cold *k = &g->cold[g->n_cold++];

	ASSERT(g->n_cold <= MAX_COLD);
	memset(k, 0, offsetof(struct cold, carry));
	k->kind = (u8)kind;
	k->mmu = (u8)g->mmu;
	k->from = from;
	k->delta = g->delta;
	k->insn = g->guest_insn;
	if (g->fl == FL_RECIPE)
		k->rec = g->rec, k->carry = g->carry;
	return k;
}

/* `add r9` has just been done: SF tells an absent page. */
static u8 *check_page_and_alignment(struct gen *g, int bytes)
{
	struct xcode *c = &g->c;

	x_rr(c, 0xf7, IRS_64, 0, X_HOST);            /* test r9, imm32      */
	x_u32(c, 0x80000000u | (u32)(bytes - 1));
	return x_jcc(c, CC_NE);
}

/* Odd sizes, or RAM above 2 GB: page, then crossing. One slow path serves
 * both: the first jump goes to the second, which is taken then, for the add
 * that set SF left CF and ZF clear. */
static u8 *check_page_then_crossing(struct gen *g, struct xmem ea, int bytes)
{
	struct xcode *c = &g->c;
	u8 *bad = x_jcc8(c, CC_S);

	x_lea(c, IRS_32, X_EA, ea);
	x_grp1_ri(c, 4, IRS_32, X_EA, 4095);
	x_grp1_ri(c, 7, IRS_32, X_EA, 4096 - bytes);
	x_patch8(bad, c->p);
	return x_jcc(c, CC_A);
}

static u8 *check_access(struct gen *g, struct xmem ea, int bytes, bool aligned)
{
	if (bytes == 1 || aligned)           /* the host checks alignment   */
		return x_jcc(&g->c, CC_S);
	if (tcg_layout.ram_low && (bytes == 2 || bytes == 4 || bytes == 8))
		return check_page_and_alignment(g, bytes);
	return check_page_then_crossing(g, ea, bytes);
}

/* A store that does not need what was there. An x87 store may be suppressed
 * by its own unmasked exception: then what was there stays. */
static bool only_stores(const struct ir_insn *in)
{
	return in->op == IR_MOV || in->op == IR_SETCC ||
	       (in->op == IR_VEC && !(in->imm2 & (VEC_FAULTS | VEC_AT_B)));
}

/* An exchange with memory is locked without a prefix (SDM vol. 2, XCHG). */
static u8 access_kind(const struct ir_insn *in, bool write)
{
	if (!write)
		return ACCESS_READ;
	if (in->xflags & IRX_LOCK || in->op == IR_XCHG)
		return ACCESS_LOCK;
	return only_stores(in) ? ACCESS_STORE : ACCESS_RMW;
}

static int access_mmu(const struct gen *g, const struct ir_insn *in)
{
	return in->xflags & IRX_USER ? 1 : g->mmu;
}

struct cold *mem_add_access(struct gen *g, struct xmem ea, int bytes, bool write, u8 *from)
{
	struct cold *k = cold_add(g, write ? COLD_WRITE : COLD_READ, from);

	k->ea = ea;
	k->bytes = (u8)bytes;
	k->access = access_kind(gen_insn(g), write);
	k->mmu = (u8)access_mmu(g, gen_insn(g));
	k->map = g->n_map;                   /* gen_map comes next           */
	k->back = g->c.p;
	return k;
}

/* May the access try the stack's addend? */
static bool is_direct(const struct gen *g, struct xmem ea, int bytes, int mmu)
{
	bool absolute = ea.base == X_NONE && ea.index == X_NONE;

	return g->b->direct && mmu == g->b->mmu_idx && bytes <= 8 && !(bytes & (bytes - 1)) &&
	       !(absolute && ea.disp & (bytes - 1));
}

bool mem_tells_end(const struct ir_insn *in)
{
	static const bool tells[IR_NOPS] = {
		[IR_MOV] = true, [IR_ZX] = true, [IR_SX] = true, [IR_ADD] = true,
		[IR_ADC] = true, [IR_SUB] = true, [IR_SBB] = true, [IR_AND] = true,
		[IR_OR] = true, [IR_XOR] = true, [IR_CMP] = true, [IR_TEST] = true,
	};

	return tells[in->op] && !in->part;
}

/* May the access be [r13+base] or [r13+disp]? */
static bool may_be_plain(const struct gen *g, struct xmem ea)
{
	const struct ir_insn *in = &g->b->insn[g->i];

	if (!mem_tells_end(in) || ea.index != X_NONE || g->loads_target)
		return false;
	if (ea.base == X_NONE)
		return ea.disp >= 0;
	return !ea.disp && in->ea.base < g->t->n_globals && in->ea.base != g->t->stack &&
	       (ir_desc[in->op].kind != IRK_ALU2 || in->d == in->a || in->d != in->ea.base);
}

/* The same for an access that is: k->plain. */
static struct xmem plain_operand(struct gen *g, struct xmem ea, struct cold *k, s32 table)
{
	struct xcode *c = &g->c;

	if (ea.base == X_NONE) {
		x_rm(c, 0x3b, IRS_64, X_STACK, XMEM(X_ENV, table + (ea.disp >> 12) * 8));
	} else {
		x_shrx(c, X_EA, ea.base, X_TWELVE);
		x_rm(c, 0x3b, IRS_64, X_STACK, (struct xmem){ X_ENV, X_EA, 3, table });
	}
	k->from = x_jcc(c, CC_NE);
	if (k->bytes > 1 && ea.base != X_NONE) {
		x_rd(c, 0xf6, IRS_8, 0, ea.base);
		x_u8(c, (u8)(k->bytes - 1));
		k->from2 = x_jcc(c, CC_NE);
	}
	k->plain = true;
	k->back = c->p;
	return (struct xmem){ X_STACK, ea.base, 0, ea.disp };
}

static struct xmem direct_operand(struct gen *g, struct xmem ea, struct cold *k, s32 table)
{
	struct xcode *c = &g->c;
	bool absolute = ea.base == X_NONE && ea.index == X_NONE;

	if (may_be_plain(g, ea))
		return plain_operand(g, ea, k, table);
	if (absolute) {
		x_mov_ri(c, X_HOST, (u32)ea.disp);
		x_rm(c, 0x3b, IRS_64, X_STACK,
		     XMEM(X_ENV, table + (s32)((u32)ea.disp >> 12) * 8));
	} else {
		if (ea.base != X_NONE && ea.index == X_NONE && !ea.disp)
			x_mov_rr(c, IRS_32, X_HOST, ea.base);
		else
			x_lea(c, IRS_32, X_HOST, ea);
		x_shrx(c, X_EA, X_HOST, X_TWELVE);
		x_rm(c, 0x3b, IRS_64, X_STACK, (struct xmem){ X_ENV, X_EA, 3, table });
	}
	k->from = x_jcc(c, CC_NE);
	if (k->bytes > 1 && !absolute) {
		x_rd(c, 0xf6, IRS_8, 0, X_HOST);
		x_u8(c, (u8)(k->bytes - 1));
		k->from2 = x_jcc(c, CC_NE);
	}
	k->direct = true;
	k->back = c->p;
	return (struct xmem){ X_STACK, X_HOST, 0, 0 };
}

/* An address below 2 GB, where the operand is aligned: only its page is checked. */
static struct xmem absolute_operand(struct gen *g, struct xmem ea, int bytes, bool write,
				    s32 table)
{
	struct xcode *c = &g->c;

	x_ld(c, IRS_64, X_HOST, XMEM(X_ENV, table + (ea.disp >> 12) * 8));
	x_grp1_ri(c, 0, IRS_64, X_HOST, ea.disp);
	mem_add_access(g, ea, bytes, write, x_jcc(c, CC_S));
	return XMEM(X_HOST, 0);
}

struct xmem mem_operand(struct gen *g, int bytes, bool write)
{
	struct ir_insn *in = gen_insn(g);
	struct xcode *c = &g->c;
	struct xmem ea;
	struct cold *k;
	u8 *from;
	int a, mmu = access_mmu(g, in);
	s32 table = tcg_layout.tlb[mmu][write];
	bool aligned = in->op == IR_VEC && in->imm2 & VEC_ALIGNED;
	ir_val sp = g->t->stack;

	if (in->a == sp || in->b == sp || in->c == sp)
		esp_sync(g);                 /* its value is wanted, too    */
	if (stack_covers(g, in, bytes)) {
		int esp = g->t->global[g->t->stack].host;

		return (struct xmem){ X_STACK, (s8)esp, 0, in->ea.disp + g->delta };
	}
	if (group_operand(g, in, bytes, write, &ea))
		return ea;
	if (window_operand(g, in, bytes, &ea))
		return ea;
	fl_clobber(g);
	ea = mem_ea(g, &in->ea);
	if (is_direct(g, ea, bytes, mmu)) {
		k = mem_add_access(g, ea, bytes, write, NULL);
		return direct_operand(g, ea, k, table);
	}
	if (ea.base == X_NONE && ea.index == X_NONE && ea.disp >= 0 &&
	    !(ea.disp & (bytes - 1)) && bytes <= 8)
		return absolute_operand(g, ea, bytes, write, table);
	if (ea.base == X_NONE && ea.index == X_NONE) {
		x_mov_ri(c, X_EA, (u32)ea.disp);
		x_ld(c, IRS_64, X_HOST, XMEM(X_ENV, table + (s32)((u32)ea.disp >> 12) * 8));
		a = X_EA;
	} else {
		a = ea.base;
		if (ea.base == X_NONE || ea.index != X_NONE || ea.disp) {
			x_lea(c, IRS_32, X_EA, ea);
			a = X_EA;
		}
		x_shrx(c, X_HOST, a, X_TWELVE);
		x_ld(c, IRS_64, X_HOST, (struct xmem){ X_ENV, X_HOST, 3, table });
	}
	x_rr(c, 0x03, IRS_64, X_HOST, a);
	from = check_access(g, ea, bytes, aligned);
	mem_add_access(g, ea, bytes, write, from)->aligned = aligned;
	return XMEM(X_HOST, 0);
}

/* An aligned operand that a shared check covers: the way from the host's
 * alignment fault to the guest's. */
void mem_note_alignment(struct gen *g)
{
	struct ir_insn *in = gen_insn(g);
	struct cold *k = g->n_cold ? &g->cold[g->n_cold - 1] : NULL;

	if (k && k->aligned && (k->map == g->n_map || (k->window && k->insn == g->guest_insn)))
		return;                      /* it has a slow path          */
	k = cold_add(g, COLD_MISALIGNED, NULL);
	k->ea = mem_ea(g, &in->ea);
	k->bytes = (u8)in->aux;
	k->access = in->mem == IRM_DST ? ACCESS_STORE : ACCESS_READ;
	k->aligned = true;
	k->map = g->n_map;
	k->save_flags = g->fl == FL_HOST;
	k->back = g->c.p;
}

void mem_access_done(struct gen *g)
{
	struct cold *k = g->n_cold ? &g->cold[g->n_cold - 1] : NULL;

	if (k && (k->kind == COLD_WRITE || k->plain) && !k->acc_end && k->insn == g->guest_insn)
		k->acc_end = g->c.p;
	if (k && k->window && k->acc_end == g->c.p)
		k->back = g->c.mem;          /* without what made its registers free */
}

/* -- slow paths ---------------------------------------------------------------- */

static void cold_call(struct gen *g, const struct cold *k, u8 *stub)
{
	gen_map(g, k->insn);
	x_call_to(&g->c, tcg_rw(stub));
}

static void cold_delta(struct gen *g, s32 by)
{
	int esp = g->t->global[g->t->stack].host;

	if (by)
		x_lea(&g->c, IRS_32, esp, XMEM(esp, by));
}

static void cold_flags(struct gen *g, const struct cold *k)
{
	if (k->rec.kind == REC_NONE)
		return;
	fl_emit_recipe(&g->c, &k->rec, &k->carry);
	fl_emit_save(&g->c, X_R8);
}

/* r9 is a host address: what is to be added to r13 for it. */
static void less_addend(struct xcode *c, const struct cold *k)
{
	if (k->direct)
		x_rr(c, 0x2b, IRS_64, X_HOST, X_STACK);
}

void cold_copy(struct xcode *c, const struct cold *k)
{
	memcpy(c->p, k->back, (size_t)(k->acc_end - k->back));
	c->p += k->acc_end - k->back;
}

/* r9 is the host address of a plain access: it is done here, with another r13. */
static void cold_plain(struct gen *g, const struct cold *k)
{
	struct xmem stack = XMEM(X_ENV, tcg_layout.save + 7 * 8);
	struct xcode *c = &g->c;
	u8 *bounce = k->kind == COLD_WRITE ? x_jcc8(c, CC_B) : NULL;

	ASSERT(k->acc_end);
	for (int pass = 0; pass < (bounce ? 2 : 1); pass++) {
		if (pass)
			x_patch8(bounce, c->p);
		x_st(c, IRS_64, stack, X_STACK);
		if (k->ea.base != X_NONE)
			x_rr(c, 0x2b, IRS_64, X_HOST, k->ea.base);
		x_lea(c, IRS_64, X_STACK, XMEM(X_HOST, -k->ea.disp));
		cold_copy(c, k);
		x_ld(c, IRS_64, X_STACK, stack);
		if (pass)
			cold_call(g, k, stub_write_back);
		x_jmp_to(c, k->acc_end);
	}
}

void cold_probe(struct gen *g, const struct cold *k)
{
	struct xcode *c = &g->c;

	if (k->save_flags)
		fl_emit_save(c, X_R8);
	cold_flags(g, k);
	if (k->ea.base == X_NONE && k->ea.index == X_NONE)
		x_mov_ri(c, X_EA, (u32)k->ea.disp);
	else
		x_lea(c, IRS_32, X_EA, k->ea);
	cold_delta(g, k->delta);
	cold_call(g, k, stub_probe[k->mmu][k->access][stub_size_class(k->bytes, k->aligned)]);
	cold_delta(g, -k->delta);
}

/* The access is done by the hot code with r9 set; when r9 is the bounce
 * buffer (CF) a writing one is done by a copy here and then written back. */
static void cold_access(struct gen *g, const struct cold *k)
{
	struct xcode *c = &g->c;
	u8 *bounce;

	if (k->aligned)
		g->map[k->map].slow = (u32)(c->p - g->start);
	cold_probe(g, k);
	if (k->plain) {
		cold_plain(g, k);
		return;
	}
	if (k->kind != COLD_WRITE) {
		less_addend(c, k);
		x_jmp_to(c, k->back);
		return;
	}
	bounce = x_jcc8(c, CC_B);
	less_addend(c, k);
	x_jmp_to(c, k->back);
	x_patch8(bounce, c->p);
	less_addend(c, k);
	cold_copy(c, k);
	cold_call(g, k, stub_write_back);
	x_jmp_to(c, k->acc_end);
}
static void cold_guard(struct gen *g, const struct cold *k)
{
	struct xcode *c = &g->c;

	cold_flags(g, k);
	x_mov_rr(c, IRS_32, X_R8, k->arg);
	x_mov_ri(c, X_R9, k->aux);
	cold_delta(g, k->delta);
	cold_call(g, k, stub_helper[k->helper]);
	cold_delta(g, -k->delta);
	x_jmp_to(c, k->back);
}

/* The state at the instruction, for another block to go on with. */
static void cold_state(struct gen *g, const struct cold *k)
{
	if (k->save_flags)
		fl_emit_save(&g->c, X_R8);
	cold_flags(g, k);
	cold_delta(g, k->delta);
}

static void cold_link(struct gen *g, const struct cold *k)
{
	gen_link_jump(g, k->link);
	gen_link_stub(g, k->link);
}

static void cold_exit(struct gen *g, const struct cold *k)
{
	u8 *at = NULL;

	if (k->note) {
		at = fl_emit_note(&g->c);
		cold_delta(g, k->delta);
	} else {
		cold_state(g, k);
	}
	if (k->cross)
		gen_cross_jump(g, g->links[k->link].pc);
	else
		cold_link(g, k);
	if (at)
		fl_emit_thunk(&g->c, at, &k->rec, &k->carry);
}

static void cold_stack(struct gen *g, const struct cold *k)
{
	int esp = g->t->global[g->t->stack].host;
	struct xcode *c = &g->c;
	u8 *asked;

	x_lea(c, IRS_64, X_R8, XMEM(esp, k->lo));
	x_lea(c, IRS_64, X_R9, XMEM(esp, k->hi));
	x_call_to(c, tcg_rw(stub_stack_refill[k->mmu]));
	x_patch(x_jcc(c, CC_AE), k->back);
	cold_state(g, k);
	gen_exit_request(c);
	asked = x_jcc8(c, CC_NE);
	cold_link(g, k);
	x_patch8(asked, c->p);
	gen_irq_exit(g, g->links[k->link].pc);
}

bool mem_stack_asks(const struct gen *g, int before)
{
	for (int i = 0; i < g->n_regions && tcg_opt(TCG_OPT_IRQ); i++)
		if (g->regions[i].check_at >= 0 && g->regions[i].check_at < before)
			return true;
	return false;
}

bool cold_emit_all(struct gen *g)
{
	g->fl = FL_MEM;                      /* slow paths save the flags   */
	for (int i = 0; i < g->n_cold; i++) {
		struct cold *k = &g->cold[i];

		if (g->c.p > g->limit)
			return false;
		if (k->from)
			x_patch(k->from, g->c.p);
		if (k->from2)
			x_patch(k->from2, g->c.p);
		switch (k->kind) {
		case COLD_READ:
		case COLD_WRITE:
		case COLD_MISALIGNED:
			if (k->window)
				window_cold(g, k);
			else
				cold_access(g, k);
			break;
		case COLD_GROUP:
			group_cold_refill(g, k);
			cold_exit(g, k);
			break;
		case COLD_ADDEND:
			group_cold_addend(g, k);
			break;
		case COLD_GUARD:
			cold_guard(g, k);
			break;
		case COLD_EXIT:
			cold_exit(g, k);
			break;
		case COLD_LINK:
			gen_link_stub(g, k->link);
			break;
		case COLD_ICOUNT:
			x_rm_load(&g->c, 0x83, IRS_32, 0,
				  XMEM(X_ENV, tcg_layout.icount_left));
			x_u8(&g->c, (u8)g->tb->n_insns);
			/* fall through */
		case COLD_IRQ:
			gen_irq_exit(g, g->tb->pc);
			break;
		case COLD_STACK:
			cold_stack(g, k);
			break;
		case COLD_NOTE:
			fl_emit_thunk(&g->c, k->back, &k->rec, &k->carry);
			break;
		case COLD_PARK:
			fl_emit_parked(&g->c, k->back, k->rec);
			break;
		case COLD_SYNC:
			x_call_to(&g->c, tcg_rw(stub_sync));
			x_jmp_to(&g->c, k->back);
			break;
		}
	}
	return true;
}
