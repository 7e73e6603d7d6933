/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/i386/peek.c - which arithmetic flags does the code at an exit's target
 * read? Most die within a few instructions, and an exit need not save those.
 *
 * The target is decoded, no IR is made. Only the block's own (first) page is
 * looked at, and the bytes are noted in the translation, so that a store there
 * drops the block. An instruction that may fault counts as a reader of all
 * flags: its exception frame shows them. */
#include "i386/dis.h"
#include "tcg/opts.h"

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

/* The flags it overwrites in any case: a count in CL may be 0. */
static u8 flags_written(const struct dis *p)
{
	u32 f = p->row->flags;
	const struct opnd *n = p->arg[2].kind == OPND_NONE ? &p->arg[1] : &p->arg[2];

	if (f & SHIFT && (n->kind == OPND_REG || !(n->imm & 31)))
		return 0;
	if (f & REPZ && p->rep)
		return 0;
	return p->row->def;
}

gen_fn gen_alu, gen_cmp, gen_incdec, gen_unary, gen_shift, gen_shiftd, gen_mov, gen_lea,
	gen_xchg, gen_bswap, gen_movzx, gen_movsx, gen_setcc, gen_cmov, gen_cbw, gen_cwd, gen_nop,
	gen_jcc, gen_jmp, gen_cf, gen_vec;

/* Generators whose instructions cannot fault without a memory operand. */
static bool is_plain(const struct dis *p)
{
	static gen_fn *const plain[] = {
		gen_alu, gen_cmp, gen_incdec, gen_unary, gen_shift, gen_shiftd, gen_mov,
		gen_lea, gen_xchg, gen_bswap, gen_movzx, gen_movsx, gen_setcc, gen_cmov,
		gen_cbw, gen_cwd, gen_nop, gen_jcc, gen_jmp, gen_cf,
	};

	for (int i = 0; i < 3; i++)
		if (p->arg[i].kind == OPND_MEM && p->row->gen != gen_lea)
			return false;
	if (p->row->gen == gen_vec)              /* LZCNT leaves flags undefined */
		return !vec_faults(p) && (!p->row->def || p->row->flags & SSEROW);
	for (unsigned i = 0; i < ARRAY_SIZE(plain); i++)
		if (p->row->gen == plain[i])
			return true;
	return false;
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

/* Of the flags in `want`, those that may be read from pc on. */
static u8 walk(struct dis *p, u32 pc, u8 want, int *budget)
{
	u8 live = 0;

	while (want && (*budget)-- > 0 && in_page(p, pc)) {
		u8 use, written;
		u32 next, f;

		if (!decode(p, pc) || p->exc >= 0)
			break;
		if (!is_plain(p))
			break;
		note_bytes(p);
		use = flags_read(p) & want;
		written = flags_written(p);
		live |= use;
		want &= (u8)~(use | written);
		f = p->row->flags;
		next = p->next;
		if (f & ENDS)
			break;
		if (f & JCC) {
			u8 there = walk(p, p->target, want, budget);

			live |= there;
			want &= (u8)~there;
		}
		pc = f & JMP ? p->target : next;
	}
	return live | want;
}

u8 peek_flags(struct dis *d, u32 pc)
{
	struct dis p;
	int budget = PEEK_INSNS;

	if (d->mmio || !in_page(d, pc) || !tcg_opt(TCG_OPT_PEEK))
		return IRF_ALL;
	p = (struct dis){
		.t = d->t, .cpu = d->cpu, .flags = d->flags, .cs_base = d->cs_base,
		.cs_limit = d->cs_limit, .page0 = d->page0, .host = { d->host[0], NULL },
		.copied = d->copied,
		.peek = true,
	};
	memcpy(p.absent, d->absent, sizeof(p.absent));
	return walk(&p, pc, IRF_ALL, &budget);
}
