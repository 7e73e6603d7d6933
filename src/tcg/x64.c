/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/tcg/x64.c - from a block of IR to x86-64 code, in one pass.
 *
 * x64_val.c knows where values are, x64_flags.c where the flags are, x64_mem.c
 * makes memory operands and the slow paths behind the hot code; x64_mov.c,
 * x64_alu.c, x64_shift.c and x64_exit.c emit the operations. */
#include "tcg/x64_gen.h"

#include "env/log.h"

/* -- struct cpu, helpers ---------------------------------------------------------------------- */

static void op_env(struct gen *g, struct ir_insn *in)
{
	struct xmem m = XMEM(X_ENV, in->imm);
	struct xcode *c = &g->c;

	if (in->op == IR_LDE) {
		int d = val_def(g, in->d, IR_NONE);

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

static void op_guard(struct gen *g, struct ir_insn *in)
{
	struct xcode *c = &g->c;
	struct cold *k;
	int a;

	fl_clobber(g);
	a = val_input(g, in->a);
	x_mov_rr(c, IRS_32, X_R8, a);
	x_rm(c, 0x2b, IRS_32, X_R8, XMEM(X_ENV, in->imm));
	x_rm(c, 0x3b, IRS_32, X_R8, XMEM(X_ENV, in->imm + 4));
	k = cold_add(g, COLD_GUARD, x_jcc(c, CC_AE));
	k->back = c->p;
	k->arg = (s8)a;
	k->aux = in->aux;
	k->helper = (u32)in->imm2;
}

static void load_arg(struct gen *g, ir_val v, int r)
{
	if (v == IR_NONE)
		return;
	if (val_is_temp(v) && g->is_const[v])
		x_mov_ri(&g->c, r, g->value[v]);
	else if (val_is_temp(v) && g->reg[v] == X_NONE)
		x_ld(&g->c, IRS_64, r, val_slot(g, v));
	else
		x_mov_rr(&g->c, IRS_32, r, val_input(g, v));
}

static void op_call(struct gen *g, struct ir_insn *in)
{
	u8 flags = g->t->helper[in->aux].flags;
	bool look = stub_helper_look[in->aux] && in->d == IR_NONE &&
		    g->i + 1 < g->b->n && in[1].op == IR_EXITLOOK;
	int d;

	if (look || flags & (IRH_FAULTS | IRH_RREGS))
		esp_sync(g);
	if (flags & IRH_RFLAGS && g->fl == FL_MEM)
		fl_sync_entry(g, IRF_ALL);
	fl_sync(g, fl_needed_before(g));
	g->rec.kind = REC_NONE;
	if (in->c != IR_NONE) {
		load_arg(g, in->c, X_R8);
		x_st(&g->c, IRS_32, XMEM(X_ENV, tcg_layout.arg_c), X_R8);
	}
	load_arg(g, in->a, X_R8);
	load_arg(g, in->b, X_R9);
	if (look) {
		x_call_to(&g->c, tcg_rw(stub_helper_look[in->aux]));
		g->i++;                      /* it does not come back       */
		return;
	}
	x_call_to(&g->c, tcg_rw(stub_helper[in->aux]));
	if (in->d == IR_NONE)
		return;
	d = val_def(g, in->d, IR_NONE);
	if (d != X_R8)
		x_mov_rr(&g->c, IRS_32, d, X_R8);
}

/* -- x87 ------------------------------------------------------------------------------------------ */

static void op_fpu(struct gen *g, struct ir_insn *in)
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
	struct cold *k = g->n_cold ? &g->cold[g->n_cold - 1] : NULL;

	ASSERT(g->n_map < MAX_MAP);
	g->map[g->n_map++] = (struct tb_insn){
		.ofs = (u32)(g->c.p - g->start), .pc_ofs = (u16)insn & 0x1fff,
		.flags_in_host = g->fl == FL_HOST,
	};
	if (k && k->window && k->insn == insn)   /* more of its host code  */
		k->map_end = g->n_map;
}

static gen_op_fn *const gen_op[IR_NOPS] = {
	[IR_MOV] = op_mov, [IR_ZX] = op_conv, [IR_SX] = op_conv, [IR_LEA] = op_lea,
	[IR_ADD] = op_alu, [IR_ADC] = op_alu, [IR_SUB] = op_alu, [IR_SBB] = op_alu,
	[IR_AND] = op_alu, [IR_OR] = op_alu, [IR_XOR] = op_alu,
	[IR_CMP] = op_compare, [IR_TEST] = op_compare, [IR_NOT] = op_unary, [IR_NEG] = op_unary,
	[IR_SHL] = op_shift, [IR_SHR] = op_shift, [IR_SAR] = op_shift, [IR_ROL] = op_shift,
	[IR_ROR] = op_shift, [IR_RCL] = op_shift, [IR_RCR] = op_shift,
	[IR_SHLD] = op_shift, [IR_SHRD] = op_shift,
	[IR_IMUL] = op_imul, [IR_IMUL3] = op_imul, [IR_MULU] = op_muldiv, [IR_MULS] = op_muldiv,
	[IR_DIVU] = op_muldiv, [IR_DIVS] = op_muldiv, [IR_BSWAP] = op_bswap,
	[IR_BSF] = op_bscan, [IR_BSR] = op_bscan,
	[IR_BT] = op_bt, [IR_BTS] = op_bt, [IR_BTR] = op_bt, [IR_BTC] = op_bt,
	[IR_SETCC] = op_setcc, [IR_MOVCC] = op_movcc,
	[IR_CF] = op_flag, [IR_LAHF] = op_flag, [IR_SAHF] = op_flag,
	[IR_XCHG] = op_xchg, [IR_XADD] = op_xchg, [IR_CMPXCHG] = op_xchg,
	[IR_CMPXCHG8] = op_cmpxchg8, [IR_LDE] = op_env, [IR_STE] = op_env,
	[IR_GUARD] = op_guard, [IR_CALL] = op_call, [IR_FPU] = op_fpu, [IR_FPUM] = op_fpu, [IR_VEC] = op_vec,
	[IR_EXIT] = op_exit, [IR_EXITCC] = op_exit, [IR_EXITZ] = op_exit, [IR_EXITNZ] = op_exit,
	[IR_EXITIND] = op_exit, [IR_EXITMAIN] = op_exit, [IR_EXITLOOK] = op_exit,
};

/* Every loop passes a block that leaves backwards or indirectly: it asks for
 * interrupts at its entry, where no flags are at stake; unless its stack check does so
 * on the way there. */
static bool needs_irq_check(const struct gen *g)
{
	const struct ir_block *b = g->b;

	for (int i = 0; i < b->n; i++)
		if (b->insn[i].xflags & IRX_BACK || b->insn[i].op == IR_EXITIND ||
		    b->insn[i].op == IR_EXITLOOK)
			return !mem_stack_asks(g, i);
	return tcg_layout.icount_left != 0;
}

void gen_exit_request(struct xcode *c)
{
	x_rm_load(c, 0x83, IRS_32, 7, XMEM(X_ENV, tcg_layout.exit_request));
	x_u8(c, 0);
}

void gen_irq_exit(struct gen *g, u64 pc)
{
	x_mov_ri(&g->c, X_R8, (u32)pc);
	x_jmp_to(&g->c, tcg_rw(stub_exit_irq));
}

static void gen_irq_check(struct gen *g)
{
	gen_exit_request(&g->c);
	cold_add(g, COLD_IRQ, x_jcc(&g->c, CC_NE));
}

/* What the block takes for granted; no flags are at stake. It holds for all of the
 * block, and where its links lead, but for those of returns: a change leaves to the
 * exec loop. */
static void gen_granted_checks(struct gen *g)
{
	struct xcode *c = &g->c;

	for (int i = 0; i < g->b->n_granted; i++) {
		const struct ir_granted *q = &g->b->granted[i];
		int link = gen_add_link(g, g->tb->pc, q->cflags);

		x_rm_load(c, 0xf7, IRS_32, 0, XMEM(X_ENV, q->ofs));  /* test */
		x_u32(c, q->mask);
		x_align_patch(c, 2);
		g->links[link].patch = x_jcc(c, CC_E);
		g->links[link].unsure = true;        /* not all is asked yet */
		cold_add(g, COLD_LINK, NULL)->link = link;
		g->tb->granted |= q->cflags & ~g->tb->cflags;
	}
	if (g->b->n_granted)
		x_align(c, 16);
	g->tb->granted_end = (u32)(c->p - g->start);
}

/* Take the block's instructions off those that may still run; if they are too many
 * leave as it does for an interrupt. No flags are at stake here either. */
static void gen_icount_check(struct gen *g)
{
	struct xmem left = XMEM(X_ENV, tcg_layout.icount_left);

	x_rm_load(&g->c, 0x83, IRS_32, 5, left);
	x_u8(&g->c, (u8)g->tb->n_insns);
	cold_add(g, COLD_ICOUNT, x_jcc(&g->c, CC_L));
}

static void gen_guest_insn(struct gen *g, struct ir_insn *in)
{
	g->guest_pc = (u64)in->imm;
	g->guest_insn = (int)(in->imm - (s64)g->tb->pc);
	g->checked = in->xflags & IRX_CHECKED;
	gen_map(g, g->guest_insn);
	if (mem_stack_check_is_due(g))
		mem_stack_check(g);
	if (g->n_groups)
		group_check(g);
}

static int count_exits(const struct ir_block *b)
{
	int n = MAX_REGIONS + MAX_GROUPS + b->n_granted; /* variants; a call
				      * has its target and its pad  */

	for (int i = 0; i < b->n; i++)
		n += ir_desc[b->insn[i].op].kind == IRK_EXIT ? 2 : 0;
	return n;
}

/* Is the instruction an addition of a constant to a guest register? */
static void note_step(struct gen *g, const struct ir_insn *in)
{
	s32 by;

	g->step_reg = X_NONE;
	if (in->d >= g->t->n_globals || !mem_steps(in, in->d, &by))
		return;
	g->step_reg = g->t->global[in->d].host;
	g->step_by = by;
}

static bool gen_hot(struct gen *g, bool irq_check)
{
	gen_granted_checks(g);
	if (irq_check)
		gen_irq_check(g);
	if (tcg_layout.icount_left)
		gen_icount_check(g);
	for (g->i = 0; g->i < g->b->n; g->i++) {
		struct ir_insn *in = gen_insn(g);

		if (g->c.p > g->limit)
			return false;
		note_step(g, in);
		if (in->op == IR_INSN) {
			gen_guest_insn(g, in);
		} else {
			if (!mem_track_stack(g))
				fl_start(g), gen_op[in->op](g, in);
			group_leave(g);
		}
		val_release(g);
	}
	return true;
}

static void *meta_alloc(struct tcg_region *r, size_t n)
{
	u8 *p = r->meta;

	r->meta += (n + 7) & ~(size_t)7;
	return p;
}

/* Which of the block's instructions each piece of code belongs to. */
static void number_insns(const struct ir_block *b, struct tb *tb)
{
	for (int i = 0; i < tb->n_map; i++) {
		struct tb_insn *m = &tb->map[i];

		m->index = 0;
		for (int k = 0; k < b->n; k++)
			m->index += b->insn[k].op == IR_INSN &&
				    b->insn[k].imm < (s64)tb->pc + m->pc_ofs;
	}
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
	g->rec.kind = g->carry.kind = REC_NONE;
	g->cc_own = false;
	g->guest_insn = 0;
	g->guest_pc = tb->pc;
	g->busy = g->slots_used = 0;
	g->def_spill = IR_NONE;
	g->off = g->delta = g->region = 0;
	g->region_checked = g->loads_target = false;
	g->n_cold = g->n_map = g->n_links = 0;
	g->checked = false;
	g->i = 0;
	for (unsigned i = 0; i < ARRAY_SIZE(g->owner); i++)
		g->owner[i] = IR_NONE;
	g->links = meta_alloc(r, (size_t)n_exits * sizeof(struct tb_link));
	val_scan(g);
	mem_scan_stack(g);
	group_scan(g);
	if (g->start >= g->limit || !gen_hot(g, needs_irq_check(g) && !(tb->cflags & CFLAG_NO_IRQ))) {
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
	if (tcg_layout.icount_left)
		number_insns(b, tb);
	r->code = g->c.p;
	return true;
}
