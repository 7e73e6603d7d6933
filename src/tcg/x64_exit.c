/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/tcg/x64_exit.c - how a block is left.
 *
 * Direct exits inside a guest page are links: a jmp or jcc whose displacement
 * is patched to the target once that exists, and leads to a stub that reports
 * the link before. Exits to another page, whose mapping may change, and
 * indirect ones look the pc up in the vCPU's jump cache inline.
 *
 * A guest call is a host call and a guest return a host ret: the host predicts
 * the return. rsp is a return stack of its own (C runs on another); its frames
 * are landing pads, which compare the pc that the guest's return loaded (r8d)
 * with the one they stand for and look it up if it is another. The stack's top
 * holds tcg_ret_empty, below it lies a guard page; whoever changes what a pc
 * means (TLB flush, mode change) empties it. */
#include "tcg/x64_gen.h"

#include "env/log.h"

/* -- links ------------------------------------------------------------------------ */

int gen_add_link(struct gen *g, u64 pc, u32 cflags)
{
	struct tb_link *l = &g->links[g->n_links];

	*l = (struct tb_link){ .from = g->tb, .pc = pc, .cflags = cflags };
	return g->n_links++;
}

void gen_link_stub(struct gen *g, int link)
{
	struct tb_link *l = &g->links[link];

	l->stub = g->c.p;
	x_patch(l->patch, l->stub);
	x_mov_ri(&g->c, X_R8, (u64)(uintptr_t)l);
	x_jmp_to(&g->c, tcg_rw(stub_exit_link));
}

void gen_link_jump(struct gen *g, int link)
{
	x_align_patch(&g->c, 1);
	g->links[link].patch = x_jmp(&g->c);
}

/* The same in hot code. */
static void gen_hot_link(struct gen *g, u64 pc)
{
	int link = gen_add_link(g, pc, 0);

	gen_link_jump(g, link);
	cold_add(g, COLD_LINK, NULL)->link = link;
}

/* -- the jump cache ------------------------------------------------------------------ */

/* The block's own one. */
static struct xmem own_table(const struct gen *g)
{
	return XMEM(X_ENV, tcg_layout.jc[g->tb->jc_set]);
}

/* Compare r8d with the entry its hash selects: ZF; r9 is the entry's index. */
static void probe(struct xcode *c, struct xmem table)
{
	x_shrx(c, X_R9, X_R8, X_TWELVE);
	x_rr(c, 0x33, IRS_32, X_R9, X_R8);
	x_grp1_ri(c, 4, IRS_32, X_R9, tcg_layout.jc_size - 1);
	x_rm(c, 0x3b, IRS_32, X_R8, (struct xmem){ table.base, X_R9, 2, table.disp });
}

/* jmp (/4) or call (/2) through the entry r9. */
static void through(struct xcode *c, struct xmem table, int digit)
{
	x_rm_load(c, 0xff, IRS_32, digit,
		  (struct xmem){ table.base, X_R9, 3, table.disp + tcg_layout.jc_host_ofs });
}

void gen_jump_cache(struct xcode *c, struct xmem table)
{
	probe(c, table);
	x_patch(x_jcc(c, CC_NE), tcg_rw(stub_lookup));
	through(c, table, 4);
}

static s32 const_hash(u32 pc)
{
	return (s32)((pc >> 12 ^ pc) & (tcg_layout.jc_size - 1));
}

/* The entry of a known pc: its place is known too. */
static void probe_const(struct xcode *c, struct xmem table, u32 pc)
{
	table.disp += const_hash(pc) * 4;
	x_rm_load(c, 0x81, IRS_32, 7, table);
	x_u32(c, pc);
}

static void through_const(struct xcode *c, struct xmem table, u32 pc, int digit)
{
	table.disp += tcg_layout.jc_host_ofs + const_hash(pc) * 8;
	x_rm_load(c, 0xff, IRS_32, digit, table);
}

void gen_cross_jump(struct gen *g, u64 pc)
{
	struct xcode *c = &g->c;
	u8 *miss;

	probe_const(c, own_table(g), (u32)pc);
	miss = x_jcc8(c, CC_NE);
	through_const(c, own_table(g), (u32)pc, 4);
	x_patch8(miss, c->p);
	x_mov_ri(c, X_R8, (u32)pc);
	x_jmp_to(c, tcg_rw(stub_lookup));
}

static void gen_direct_jump(struct gen *g, const struct ir_insn *in)
{
	if (in->xflags & IRX_CROSS)
		gen_cross_jump(g, (u64)in->imm);
	else
		gen_hot_link(g, (u64)in->imm);
}

/* -- calls and returns ------------------------------------------------------------------ */

/* Where the callee's return comes back, r8d being the guest's target. */
static void landing_pad(struct gen *g, const struct ir_insn *in)
{
	struct xcode *c = &g->c;
	u32 pc = (u32)in->imm2;
	int link;

	x_grp1_ri(c, 7, IRS_32, X_R8, (s32)pc);
	if (((gva)pc ^ g->guest_pc) & ~4095ull) {
		x_patch(x_jcc(c, CC_NE), tcg_rw(stub_jump_cache));
		gen_cross_jump(g, pc);
		return;
	}
	link = gen_add_link(g, pc, 0);
	g->links[link].unsure = true;
	x_align_patch(c, 2);
	g->links[link].patch = x_jcc(c, CC_E);
	cold_add(g, COLD_LINK, NULL)->link = link;
	x_jmp_to(c, tcg_rw(stub_jump_cache));
}

static u8 *call_rel(struct xcode *c)
{
	x_u8(c, 0xe8);
	x_u32(c, 0);
	return c->p - 4;
}

/* A call that the jump cache does not know (r8d: pc); it comes back to the
 * landing pad as well. */
static void call_lookup(struct xcode *c, u8 *pad)
{
	x_call_to(c, tcg_rw(stub_lookup));
	x_jmp_to(c, pad);
}

static void gen_call_direct(struct gen *g, const struct ir_insn *in)
{
	struct xcode *c = &g->c;
	u32 pc = (u32)in->imm;
	u8 *miss, *pad;

	if (!(in->xflags & IRX_CROSS)) {
		int link = gen_add_link(g, pc, 0);

		x_align_patch(c, 1);
		g->links[link].patch = call_rel(c);
		cold_add(g, COLD_LINK, NULL)->link = link;
		landing_pad(g, in);
		return;
	}
	probe_const(c, own_table(g), pc);
	miss = x_jcc(c, CC_NE);
	through_const(c, own_table(g), pc, 2);
	pad = c->p;
	landing_pad(g, in);
	x_patch(miss, c->p);
	x_mov_ri(c, X_R8, pc);
	call_lookup(c, pad);
}

static void gen_call_indirect(struct gen *g, const struct ir_insn *in)
{
	struct xcode *c = &g->c;
	u8 *miss, *pad;

	probe(c, own_table(g));
	miss = x_jcc(c, CC_NE);
	through(c, own_table(g), 2);
	pad = c->p;
	landing_pad(g, in);
	x_patch(miss, c->p);
	call_lookup(c, pad);
}

static void gen_indirect(struct gen *g, struct ir_insn *in)
{
	int a = val_input(g, in->a);

	if (a != X_R8)
		x_mov_rr(&g->c, IRS_32, X_R8, a);
	if (in->xflags & IRX_RET)
		x_u8(&g->c, 0xc3);
	else if (in->xflags & IRX_CALL)
		gen_call_indirect(g, in);
	else
		gen_jump_cache(&g->c, own_table(g));
}

/* -- conditional exits --------------------------------------------------------------------- */

/* The taken side of an exit whose condition the host's flags hold. */
static void gen_side_exit(struct gen *g, struct ir_insn *in, int cc)
{
	bool save = (in->fuse | in->fshow) && g->fl == FL_HOST && in->op == IR_EXITCC;
	bool note = save && !g->delta && fl_can_note(g, in);
	bool cross = in->xflags & IRX_CROSS;
	struct xcode *c = &g->c;
	int link = gen_add_link(g, (u64)in->imm, 0);
	struct cold *k;

	if (!save && !cross && !g->delta && g->fl != FL_RECIPE) {
		x_align_patch(c, 2);
		g->links[link].patch = x_jcc(c, cc);
		cold_add(g, COLD_LINK, NULL)->link = link;
		return;
	}
	if (note)
		g->fl = FL_RECIPE;                   /* for cold_add        */
	k = cold_add(g, COLD_EXIT, x_jcc(c, cc));
	g->fl = note ? FL_HOST : g->fl;
	k->note = note;
	k->save_flags = save && !note;
	k->link = link;
	k->cross = cross;
}

static void gen_exit_if_zero(struct gen *g, struct ir_insn *in)
{
	int a;

	fl_sync(g, fl_needed_before(g));
	a = val_input(g, in->a);
	x_rr(&g->c, in->size == IRS_8 ? 0x84 : 0x85, in->size, a, a);
	gen_side_exit(g, in, in->op == IR_EXITZ ? CC_E : CC_NE);
}

void op_exit(struct gen *g, struct ir_insn *in)
{
	switch (in->op) {
	case IR_EXITCC:
		gen_side_exit(g, in, fl_cond(g, in->cc));
		return;
	case IR_EXITZ:
	case IR_EXITNZ:
		gen_exit_if_zero(g, in);
		return;
	}
	esp_sync(g);
	fl_leave(g, in);
	switch (in->op) {
	case IR_EXIT:
		if (in->xflags & IRX_CALL)
			gen_call_direct(g, in);
		else
			gen_direct_jump(g, in);
		break;
	case IR_EXITIND:
		gen_indirect(g, in);
		break;
	case IR_EXITMAIN:
		x_jmp_to(&g->c, tcg_rw(stub_exit_main));
		break;
	case IR_EXITLOOK:
		x_jmp_to(&g->c, tcg_rw(stub_lookup_pc));
		break;
	}
}
