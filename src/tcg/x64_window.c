/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/tcg/x64_window.c - loads without paging, unchecked (qemu/ram_window.h):
 *
 *	... [base+disp+window] ...        off a guest register
 *
 *	lea   r9d, [base+index*s+disp]    else: the address has 32 bits
 *	... [r9+window] ...
 *
 * No page is looked up, operands may cross pages, host flags are kept. Where there is no
 * RAM the host has no memory: its fault leads to the slow path (tb_insn.slow), which finds
 * the operand as those of x64_mem.c do and goes on with the host's instruction that has
 * faulted, in whose way nothing may be. That costs microseconds, so the instruction is noted,
 * and its blocks are made again with a check.
 *
 * Stores are not for the window: they have to know pages of code. */
#include "tcg/x64_gen.h"

#include "env/log.h"

/* -- instructions that missed ------------------------------------------------------- */
enum { MISS_SETS = 1024, MISS_WAYS = 4 };
static u64 misses[MISS_SETS][MISS_WAYS];  /* _Atomic; 1 + address, 0: none   */

static u64 *miss_set(ram_addr insn)
{
	return misses[(insn ^ insn >> 10) % MISS_SETS];
}

bool tcg_window_misses(ram_addr insn)
{
	const u64 *set = miss_set(insn);

	for (int i = 0; i < MISS_WAYS; i++)
		if (__atomic_load_n(&set[i], __ATOMIC_RELAXED) == insn + 1)
			return true;
	return false;
}

/* The oldest of a full set goes: what is lost is noted again. */
void tcg_window_note_miss(ram_addr insn)
{
	u64 *set = miss_set(insn);

	if (tcg_window_misses(insn))
		return;
	for (int i = MISS_WAYS - 1; i > 0; i--)
		__atomic_store_n(&set[i], __atomic_load_n(&set[i - 1], __ATOMIC_RELAXED),
				 __ATOMIC_RELAXED);
	__atomic_store_n(&set[0], insn + 1, __ATOMIC_RELAXED);
}

/* -- operands -------------------------------------------------------------------------- */
static s32 window(void) { return tcg_layout.window; }

bool window_serves(const struct gen *g, const struct ir_insn *in)
{
	if (!g->b->window || g->checked || in->xflags & IRX_USER ||
	    (in->mem != IRM_SRC && in->mem != IRM_LHS))
		return false;
	if (in->part || (ir_desc[in->op].kind == IRK_ALU2 && in->d != in->a && in->d != IR_NONE))
		return false;                /* a register changes before the access */
	return in->op != IR_VEC || !(in->imm2 & VEC_MISALIGN);
}

/* Is d's register another one altogether, whatever was in it? */
static bool replaces(const struct ir_insn *in)
{
	return (in->op == IR_MOV && in->size == IRS_32) ||
	       (ir_desc[in->op].kind == IRK_CONV && in->dsize == IRS_32);
}

/* The slow path puts another address in the base's register for a copy of the access. */
bool window_is_plain(const struct gen *g, const struct ir_insn *in)
{
	ir_val base = in->ea.base;
	s32 disp = in->ea.disp;

	if (!window_serves(g, in) || !mem_tells_end(in) || in->ea.index != IR_NONE ||
	    base >= g->t->n_globals || base == g->t->stack || in->a == base || in->b == base)
		return false;
	if (in->d == base && !replaces(in))
		return false;
	return disp >= -tcg_layout.window_below && disp < INT32_MAX - window();
}

static void address_to_r9(struct xcode *c, struct xmem ea)
{
	if (ea.base == X_NONE && ea.index == X_NONE)
		x_mov_ri(c, X_HOST, (u32)ea.disp);
	else
		x_lea(c, IRS_32, X_HOST, ea);
}

bool window_operand(struct gen *g, const struct ir_insn *in, int bytes, struct xmem *at)
{
	struct xcode *c = &g->c;
	struct xmem ea;
	struct cold *k;

	if (!window_serves(g, in))
		return false;
	if (in->fdef)                        /* it may have them merged     */
		fl_clobber(g);
	if (!fl_lasts(g))
		return false;
	ea = mem_ea(g, &in->ea);
	k = mem_add_access(g, ea, bytes, false, NULL);
	k->window = true;
	k->aligned = in->op == IR_VEC && in->imm2 & VEC_ALIGNED;
	k->save_flags = g->fl == FL_HOST;
	k->plain = window_is_plain(g, in) && !g->loads_target;
	k->changes_base = in->d == in->ea.base;
	if (k->plain) {
		*at = XMEM(ea.base, ea.disp + window());
	} else {
		*at = XMEM(X_HOST, window());
		address_to_r9(c, ea);
		k->ea = XMEM(X_HOST, 0);     /* its registers may change    */
	}
	k->map = g->n_map;
	gen_map(g, g->guest_insn);
	return true;
}

/* r9 is the host's address; the base's register gets what makes the operand that. */
static void cold_plain(struct gen *g, const struct cold *k)
{
	struct xmem kept = XMEM(X_ENV, tcg_layout.save + 7 * 8);
	struct xcode *c = &g->c;

	ASSERT(k->acc_end);
	x_st(c, IRS_64, kept, k->ea.base);
	x_lea(c, IRS_64, k->ea.base, XMEM(X_HOST, -(k->ea.disp + window())));
	cold_copy(c, k);
	if (!k->changes_base)
		x_ld(c, IRS_64, k->ea.base, kept);
	x_jmp_to(c, k->acc_end);
}

void window_cold(struct gen *g, const struct cold *k)
{
	struct xcode *c = &g->c;

	for (int i = k->map; i < k->map_end; i++)
		g->map[i].slow = (u32)(c->p - g->start);
	x_u8(c, 0x9c);                       /* pushfq                      */
	x_u16(c, 0x5041);                    /* push r8                     */
	cold_probe(g, k);
	x_u16(c, 0x5841);                    /* pop r8                      */
	x_u8(c, 0x9d);                       /* popfq                       */
	if (k->plain) {
		cold_plain(g, k);
		return;
	}
	x_lea(c, IRS_64, X_HOST, XMEM(X_HOST, -window()));
	x_rm_load(c, 0xff, IRS_32, 4, XMEM(X_ENV, tcg_layout.window_at));
}
