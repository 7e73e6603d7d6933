/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/i386/peek.c - which arithmetic flags does the code at an exit's target
 * read? Most die within a few instructions, and an exit need not save those.
 *
 * The target is decoded, no IR is made. Only the block's own (first) page is
 * looked at, and the bytes are noted in the translation, so that a store there
 * drops the block. An instruction that may fault shows them in its exception frame:
 * that is noted apart, with the registers that have changed by then. */
#include "i386/dis.h"
#include "tcg/opts.h"
#include "tcg/x64.h"

#include <string.h>

enum { PEEK_INSNS = 8 };

u8 cc_flags(enum ir_cc cc)
{
	static const u8 by_pair[8] = {
		IRF_O, IRF_C, IRF_Z, IRF_C | IRF_Z, IRF_S, IRF_P, IRF_S | IRF_O,
		IRF_S | IRF_O | IRF_Z,
	};

	return by_pair[cc >> 1];
}

/* -- what one instruction does to the flags ------------------------------------- */

static u8 flags_read(const struct dis *p)
{
	u8 use = p->row->use;

	return p->row->flags & BYCC ? use | cc_flags(p->op & 15) : use;
}

gen_fn gen_alu, gen_cmp, gen_incdec, gen_unary, gen_shift, gen_shiftd, gen_mov, gen_lea,
	gen_xchg, gen_bswap, gen_movzx, gen_movsx, gen_setcc, gen_cmov, gen_cbw, gen_cwd, gen_nop,
	gen_jcc, gen_jmp, gen_cf, gen_vec, gen_push, gen_pop, gen_imul, gen_imul3, gen_muldiv,
	gen_bt;

/* The multiplication or division it is, which leaves flags undefined: the back end knows
 * which of them the host writes. */
static int muldiv_op(const struct dis *p)
{
	gen_fn *gen = p->row->gen;

	if (gen == gen_imul)
		return IR_IMUL;
	if (gen == gen_imul3)
		return IR_IMUL3;
	return gen == gen_muldiv ? p->row->x : IR_MOV;
}

/* The flags it overwrites in any case: a count in CL may be 0. */
static u8 flags_written(const struct dis *p)
{
	struct ir_insn like = { .op = (u8)muldiv_op(p), .fdef = p->row->def };
	u32 f = p->row->flags;
	const struct opnd *n = p->arg[2].kind == OPND_NONE ? &p->arg[1] : &p->arg[2];

	if (f & SHIFT && (n->kind == OPND_REG || !(n->imm & 31)))
		return 0;
	if (f & REPZ && p->rep)
		return 0;
	return tcg_flags_written(&like);
}

static bool uses_stack(const struct dis *p)
{
	return p->row->gen == gen_push || p->row->gen == gen_pop;
}

static bool is_division(const struct dis *p)
{
	return p->row->gen == gen_muldiv && (p->row->x == IR_DIVU || p->row->x == IR_DIVS);
}

static bool may_fault(const struct dis *p)
{
	for (int i = 0; i < 3; i++)
		if (p->arg[i].kind == OPND_MEM && p->row->gen != gen_lea)
			return true;
	return uses_stack(p) || is_division(p);
}

/* Generators whose instructions call no helper, and fault for memory alone (or are DIV). */
static bool is_plain(const struct dis *p)
{
	static gen_fn *const plain[] = {
		gen_alu, gen_cmp, gen_incdec, gen_unary, gen_shift, gen_shiftd, gen_mov,
		gen_lea, gen_xchg, gen_bswap, gen_movzx, gen_movsx, gen_setcc, gen_cmov,
		gen_cbw, gen_cwd, gen_nop, gen_jcc, gen_jmp, gen_cf, gen_push, gen_pop,
		gen_imul, gen_imul3, gen_muldiv, gen_bt,
	};

	if (p->row->gen == gen_vec)              /* LZCNT leaves flags undefined */
		return !vec_faults(p) && (!p->row->def || p->row->flags & SSEROW);
	for (unsigned i = 0; i < ARRAY_SIZE(plain); i++)
		if (p->row->gen == plain[i])
			return true;
	return false;
}

/* The general registers a plain instruction may change; more do no harm. */
static u16 regs_written(const struct dis *p)
{
	gen_fn *gen = p->row->gen;
	u16 regs = uses_stack(p) ? 1 << R_ESP : 0;

	if (gen == gen_cmp)
		return 0;
	if (gen == gen_cbw || gen == gen_cwd || gen == gen_muldiv)
		return 1 << R_EAX | 1 << R_EDX;
	for (int i = 0; i < 3; i++)
		if (p->arg[i].kind == OPND_REG && (!i || gen == gen_xchg || gen == gen_vec))
			regs |= (u16)(1 << p->arg[i].v);
	return regs;
}

/* -- walk -------------------------------------------------------------------------- */

static bool in_page(const struct dis *p, u32 pc)
{
	return ((p->cs_base + pc) & (u32)PAGE_MASK) == (u32)p->page0;
}

static void note_bytes(struct dis *p)
{
	struct translation *t = p->t;
	u32 first = (u32)(p->cs_base + p->pc) & (PAGE_SIZE - 1);
	u32 end = first + (p->next - p->pc);

	if (!t->peek_end || first < t->peek_first)
		t->peek_first = first;
	if (end > t->peek_end)
		t->peek_end = end;
}

/* What becomes of the flags in `want` from pc on, when the registers in `regs` may have
 * changed before. */
static void walk(struct dis *p, u32 pc, u8 want, u16 regs, int *budget, struct peek *found)
{
	while (want && (*budget)-- > 0 && in_page(p, pc)) {
		u32 next, f;

		if (!decode(p, pc) || p->exc >= 0 || !is_plain(p))
			break;
		note_bytes(p);
		/* SSE that is not enabled faults: whoever comes there sees if it is */
		if (may_fault(p) || p->row->flags & SSEROW) {
			found->shown |= want;
			found->regs |= regs;
		}
		found->read |= flags_read(p) & want;
		found->live |= found->read;
		want &= (u8)~(found->live | flags_written(p));
		regs |= regs_written(p);
		f = p->row->flags;
		next = p->next;
		if (f & ENDS)
			break;
		if (f & JCC) {
			walk(p, p->target, want, regs, budget, found);
			want &= (u8)~found->live;
		}
		pc = f & JMP ? p->target : next;
	}
	found->live |= want;
}

struct peek peek_flags(struct dis *d, u32 pc)
{
	struct peek found = { 0 };
	int budget = PEEK_INSNS;
	struct dis p;

	if (d->mmio || !in_page(d, pc) || d->flags & HF_XBP || !tcg_opt(TCG_OPT_PEEK))
		return (struct peek){ .live = IRF_ALL };
	p = (struct dis){
		.t = d->t, .cpu = d->cpu, .flags = d->flags, .cs_base = d->cs_base,
		.cs_limit = d->cs_limit, .page0 = d->page0, .host = { d->host[0], NULL },
		.copied = d->copied,
		.peek = true,
	};
	memcpy(p.absent, d->absent, sizeof(p.absent));
	walk(&p, pc, IRF_ALL, 0, &budget, &found);
	if (!tcg_opt(TCG_OPT_SHOW))
		found.live |= found.shown;
	found.shown &= (u8)~found.live;
	return found;
}
