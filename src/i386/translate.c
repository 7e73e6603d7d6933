/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/i386/translate.c - from a guest EIP to a block of IR, and what the
 * back end is told of the guest. Upstream: gen_intermediate_code.
 *
 * A block is a trace: it goes on past conditional jumps and short jumps forward,
 * holds a short loop several times, and ends at any other jump that is always
 * taken, at an instruction after which the mode may be another, at the end of its
 * first page (the last instruction may reach into a second one), or when it is
 * long enough. */
#include "env/disas.h"
#include "i386/dis.h"
#include "qemu/machine.h"
#include "qemu/memory.h"
#include "qemu/ram_window.h"
#include "tcg/opts.h"
#include "tcg/tb.h"

enum {
	MAX_INSNS = 48,
	MAX_COND = 4,                /* side exits; with icount 1, at the end */
	MAX_COND_LOOP = 8,           /* ... of a loop's copies               */
	MAX_TEMPS_USED = IR_MAX_TEMPS - 64,
	MIN_ROOM = 128,              /* more than one instruction can need   */
};

/* -- the target ---------------------------------------------------------------- */

static const struct ir_helper helpers[N_HELPERS] = {
#define HELPER_ROW(nm, n, f) [HELPER_##nm] = { #nm, (void *)helper_##nm, n, f },
	HELPERS(HELPER_ROW)
#undef HELPER_ROW
};

#define GLOBAL(nm, hostreg) [R_##nm] = { #nm, hostreg, offsetof(struct cpu, regs[R_##nm]) }
const struct ir_target target_ir = {
	.n_globals = 8,
	.global = {
		GLOBAL(EAX, 0), GLOBAL(ECX, 1), GLOBAL(EDX, 2), GLOBAL(EBX, 3),
		GLOBAL(ESP, 12), GLOBAL(EBP, 5), GLOBAL(ESI, 6), GLOBAL(EDI, 7),
	},
	.stack = R_ESP,
	.helper = helpers,
	.n_helpers = N_HELPERS,
};
#undef GLOBAL

/* -- what is taken for granted ------------------------------------------------------- */

/* Few instructions depend on these flags, and kernels run the same code with them and
 * without: before and after they have enabled SSE, with the GS of each process.
 * They are no part of a TB's key. A block that has such an instruction takes the flag
 * for set and asks at its entry; where it is not, a variant goes on. */
static const struct { u32 hf, cf; } granted[] = {
	{ HF_GS_BIG, 0x1000 }, { HF_OSFXSR, 0x2000 },
};
_Static_assert((HF_GS_BIG | HF_OSFXSR) == HF_GRANTED && (0x1000 | 0x2000) == CF_REFUTED &&
	       ARRAY_SIZE(granted) == IR_MAX_GRANTED, "each of them");

u32 target_refuted(struct cpu *cpu)
{
	u32 cf = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(granted); i++)
		cf |= x86(cpu)->hflags & granted[i].hf ? 0 : granted[i].cf;
	return cf;
}

static u32 flags_granted(u32 cflags)
{
	u32 hf = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(granted); i++)
		hf |= cflags & granted[i].cf ? 0 : granted[i].hf;
	return hf;
}

static void grant(struct dis *d, u32 hf)
{
	struct ir_granted *q;
	u32 cf = 0;

	for (int i = 0; i < d->ir->n_granted; i++)
		if (d->ir->granted[i].mask == hf)
			return;
	for (unsigned i = 0; i < ARRAY_SIZE(granted); i++)
		cf |= granted[i].hf == hf ? granted[i].cf : 0;
	q = &d->ir->granted[d->ir->n_granted++];
	*q = (struct ir_granted){ X86_OFS(hflags), hf, d->t->cflags | cf };
}

bool dis_has(struct dis *d, u32 hf)
{
	if (!(d->flags & hf))
		return false;
	if (hf & HF_GRANTED && d->ir)
		grant(d, hf);
	return true;
}

/* -- a block --------------------------------------------------------------------- */

static void open_first_page(struct dis *d)
{
	d->host[0] = cpu_code_copy(0, cpu_code_page(d->cpu, d->page0, &d->t->page[0]));
	d->mmio = !d->host[0];
	d->copied = !d->mmio;
}

/* In a kernel whose memory is mapped in one piece (or without paging) all pages have
 * one addend. The code's and the stack's stand for the others. User programs' pages
 * lie anywhere. */
static bool one_addend(const struct dis *d)
{
	u64 code = (u64)(uintptr_t)ram_arena + d->t->page[0] - d->page0;

	return !d->ir->mmu_idx && !d->mmio && code == d->cpu->stack_addend &&
	       tcg_opt(TCG_OPT_DIRECT);
}

/* Without paging (and with all address lines) memory is where the window shows it. */
static bool in_window(const struct dis *d)
{
	return !(d->flags & HF_PG) && !d->ir->mmu_idx && !d->mmio && ram_window() &&
	       tcg_opt(TCG_OPT_WINDOW);
}

/* Is the instruction at d->pc one that has missed it? */
static bool misses_window(const struct dis *d)
{
	u32 at = d->cs_base + (u32)d->pc;
	int page = (at & (u32)PAGE_MASK) != d->page0;

	return d->ir->window && d->t->page[page] != ~(ram_addr)0 &&
	       tcg_window_misses(d->t->page[page] + (at & ~(u32)PAGE_MASK));
}

static void begin_block(struct dis *d, struct translation *t)
{
	*d = (struct dis){
		.t = t, .ir = t->ir, .cpu = t->cpu,
		.flags = t->flags | flags_granted(t->cflags),
		.cs_base = (u32)t->cs_base, .cs_limit = (u32)(t->cs_base >> 32),
		.first = true,
		.single = (t->flags & (HF_TF | HF_INHIBIT_IRQ | HF_RF)) != 0 ||
			  (t->cflags & CF_COUNT_MASK) == 1,
	};
	for (int i = 0; i < FEATURE_WORDS; i++)
		d->absent[i] = ~x86(t->cpu)->features[i];
	d->page0 = (d->cs_base + (u32)t->pc) & (u32)PAGE_MASK;
	t->page[0] = t->page[1] = ~(ram_addr)0;
	t->n_insns = 0;
	t->peek_first = t->peek_end = 0;
	t->n_holes = 0;
	ir_reset(d->ir, &target_ir);
	d->ir->mmu_idx = (u8)target_mmu_index(t->flags);
	d->ir->stack_cache = (t->flags & HF_SS_FLAT) && (t->flags & HF_SS32) &&
			     !(t->cflags & CF_NO_STACK) && !machine_config.icount;
	if ((u32)t->pc > d->cs_limit)
		raise_exception_err(x86(d->cpu), EXCP_GP, 0);
	open_first_page(d);
	d->ir->direct = one_addend(d);
	d->ir->window = in_window(d);
}

static void mark_insn(struct dis *d)
{
	struct ir_insn *i = ir_add(d->ir, IR_INSN, IRS_32);

	i->imm = d->pc;
	i->aux = d->next - d->pc;
	i->xflags = misses_window(d) ? IRX_CHECKED : 0;
}

gen_fn gen_mov, gen_alu, gen_cmp;

/* An immediate that code keeps changing is a register operand here, with what
 * stands there when the instruction runs. */
static void load_changing_imm(struct dis *d)
{
	struct translation *t = d->t;
	bool plain = d->row->gen == gen_mov || d->row->gen == gen_alu || d->row->gen == gen_cmp;
	ram_addr at = t->page[0] + d->imm_at;

	if (!d->imm_at || !plain || t->n_holes == ARRAY_SIZE(t->hole) || at > UINT32_MAX ||
	    !tcg_opt(TCG_OPT_HOLE) || !smc_keeps_changing(at))
		return;
	t->hole[t->n_holes++] = d->imm_at;
	d->arg[1] = opnd_reg(IRS_32, emit_call(d, HELPER_code_imm, emit_const(d, (u32)at),
					       IR_NONE, IR_NONE));
}

/* These end with the first instruction, whatever becomes of it. */
static void end_passing_flags(struct dis *d)
{
	ir_val t = emit_lde(d, IRS_32, X86_OFS(hflags));
	struct ir_insn *i = ir_add(d->ir, IR_AND, IRS_32);

	i->d = i->a = t;
	i->b = IR_IMM;
	i->imm = (s32)~(u32)(HF_INHIBIT_IRQ | HF_RF);
	emit_ste(d, IRS_32, X86_OFS(hflags), t);
}

static void gen_insn(struct dis *d)
{
	mark_insn(d);
	if (d->first && d->flags & (HF_INHIBIT_IRQ | HF_RF))
		end_passing_flags(d);
	if ((d->flags & (HF_XBP | HF_RF)) == HF_XBP)
		emit_call(d, HELPER_exec_breakpoint, emit_const(d, d->cs_base + d->pc),
			  IR_NONE, IR_NONE);
	if (d->exc >= 0) {
		emit_raise(d, d->exc, d->exc_err);
	} else {
		load_changing_imm(d);
		d->row->gen(d);
	}
}

static int max_cond(const struct dis *d)
{
	if (machine_config.icount || !tcg_opt(TCG_OPT_TRACE))
		return 1;
	return d->n_copies ? MAX_COND_LOOP : MAX_COND;
}

static bool is_full(const struct dis *d)
{
	u32 max = d->t->cflags & CF_COUNT_MASK;

	return d->t->n_insns >= (max ? MIN(max, (u32)MAX_INSNS) : MAX_INSNS) ||
	       d->n_cond >= max_cond(d) || d->single || d->mmio ||
	       d->ir->n_vals >= IR_FIRST_TEMP + MAX_TEMPS_USED ||
	       ir_room(d->ir) < MIN_ROOM ||
	       ((d->cs_base + d->next) & (u32)PAGE_MASK) != (u32)d->page0;
}

/* A hole's bytes may be something else as well: in an instruction decoded from
 * the middle of another, or where flags were looked for. */
static bool holes_are_safe(const struct translation *t, bool straight)
{
	for (int i = 0; i < t->n_holes; i++)
		if (t->hole[i] < t->peek_end && t->hole[i] + (u32)HOLE_BYTES > t->peek_first)
			return false;
	return straight;
}

void target_translate(struct translation *t)
{
	struct dis d;
	u32 pc = (u32)t->pc, end = pc;
	bool straight = true;

	begin_block(&d, t);
	do {
		if (!decode(&d, pc))
			break;
		if (d.straddles)
			d.ir->stack_cache = false;   /* would need another one */
		straight &= pc == end;
		end = MAX(end, d.next);
		d.shadow = false;
		gen_insn(&d);
		t->n_insns++;
		pc = d.next;
		d.first = false;
	} while (!d.end && !is_full(&d));
	if (!d.end) {
		d.next = pc;
		if (d.shadow)
			gen_leave_in_shadow(&d);
		else
			gen_goto(&d, pc);
	}
	t->size = end - (u32)t->pc;
	if (!holes_are_safe(t, straight))
		t->n_holes = 0;
	if (d.mmio)
		t->page[0] = t->page[1] = ~(ram_addr)0;
}

int target_disas_mode(u32 tb_flags)
{
	return tb_flags & HF_CS32 ? DISAS_X86_32 : DISAS_X86_16;
}
