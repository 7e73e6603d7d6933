/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/i386/gen_flow.c - generators: jumps, calls, returns, interrupts, and how
 * a block is left. SDM vol. 1 7.3.8, 7.3.9, chapter 6.
 *
 * A conditional jump is a side exit; the trace goes on with what follows it.
 * A block of one instruction (single step, interrupt shadow) has no links: it
 * stores the next EIP and goes to the main loop or raises the #DB trap.
 *
 * DIFF: a jump beyond CS.limit whose target is not known now faults at the
 * target, not at the jump (hardware pushes the jump's own address). */
#include "i386/dis.h"
#include "qemu/machine.h"
#include "tcg/opts.h"

gen_fn gen_jcc, gen_jmp, gen_call, gen_jmp_ind, gen_call_ind, gen_ret, gen_retf,
	gen_jmp_far, gen_call_far, gen_jmp_far_mem, gen_call_far_mem, gen_loop, gen_jcxz,
	gen_int, gen_int_fixed, gen_into, gen_iret, gen_bound, gen_nop, gen_ud;

/* -- leaving ------------------------------------------------------------------------ */

static void emit_exit(struct dis *d, enum ir_op op)
{
	struct ir_insn *i = ir_add(d->ir, op, IRS_32);

	i->fuse = IRF_ALL;
	d->end = true;
}

/* The upper half of cpu->pc is always 0. */
static void emit_set_pc(struct dis *d, ir_val pc)
{
	emit_ste(d, IRS_32, X86_OFS(c.pc), pc);
}

void gen_leave(struct dis *d, bool irq)
{
	if (d->flags & HF_TF) {
		emit_call(d, HELPER_single_step, emit_lde(d, IRS_32, X86_OFS(c.pc)),
			  IR_NONE, IR_NONE);
		d->end = true;
		return;
	}
	emit_exit(d, irq || d->single ? IR_EXITMAIN : IR_EXITLOOK);
}

void gen_leave_next(struct dis *d)
{
	emit_ste_imm(d, IRS_32, X86_OFS(c.pc), d->next);
	gen_leave(d, false);
}

void gen_leave_in_shadow(struct dis *d)
{
	emit_call(d, HELPER_set_inhibit_irq, IR_NONE, IR_NONE, IR_NONE);
	gen_leave_next(d);
}

/* The end of a block of one instruction. */
static void leave_single(struct dis *d, ir_val pc)
{
	emit_set_pc(d, pc);
	gen_leave(d, true);
}

static bool same_page(const struct dis *d, u32 target)
{
	u32 page = (d->cs_base + target) & (u32)PAGE_MASK;

	return page == d->page0 || (d->host[1] && page == (u32)d->page0 + PAGE_SIZE);
}

/* The block stops before an instruction in two pages: it has one of its own. */
static bool stops_at(const struct dis *d, u32 target)
{
	return d->straddles && !d->host[1] && target == d->next;
}

/* A way around has one such exit at the least. EIP may have come around in the block itself,
 * from FFFFFFFF to 0; a block that ends where it cannot go on has that place as its pc, and
 * so has a loop of one instruction behind a copy. */
static bool is_backward(const struct dis *d, u32 target)
{
	if (target == d->pc)
		return target != d->next || d->n_copies;
	return target < d->pc || d->pc < (u32)d->t->pc;
}

/* `i` leads to target: is it backward, elsewhere, what of the flags lives? */
static void set_exit(struct dis *d, struct ir_insn *i, u32 target, struct peek there)
{
	i->imm = target;
	i->fuse = there.live;
	i->fshow = there.shown;
	i->aux = there.shown ? there.regs : 0;
	i->xflags |= there.read ? IRX_READS : 0;
	i->xflags |= is_backward(d, target) ? IRX_BACK : 0;
	i->xflags |= same_page(d, target) && !stops_at(d, target) ? 0 : IRX_CROSS;
}

static bool beyond_limit(struct dis *d, u32 target)
{
	if (target <= d->cs_limit)
		return false;
	emit_raise(d, EXCP_GP, 0);
	return true;
}

/* -- traces that follow jumps -------------------------------------------------------- */

enum { MAX_COPIES = 8, MAX_LOOP = 40, MAX_GAP = 128 };

static bool may_follow(const struct dis *d)
{
	return !d->single && !d->mmio && !machine_config.icount &&
	       !(d->t->cflags & (CF_COUNT_MASK | CF_NO_STACK));
}

/* Does this jump close a loop over the block, which is short enough to go round
 * once more? Then one check of interrupts, of the flags at the end and of each
 * pointer serves several rounds. */
static bool goes_round(const struct dis *d, u32 target)
{
	u32 rounds = d->n_copies + 1, insns = d->t->n_insns + 1;

	return target == (u32)d->t->pc && tcg_opt(TCG_OPT_UNROLL) && may_follow(d) &&
	       rounds < MAX_COPIES && insns / rounds * (rounds + 1) <= MAX_LOOP;
}

static void go_round(struct dis *d)
{
	d->next = (u32)d->t->pc;
	d->n_copies++;
}

/* A jump forward to what is almost next: the bytes between belong to the block,
 * too, as far as stores are concerned. */
static bool is_short(const struct dis *d, u32 target)
{
	return target >= d->next && target - d->next <= MAX_GAP && tcg_opt(TCG_OPT_JUMP) &&
	       may_follow(d) && ((d->cs_base + target) & (u32)PAGE_MASK) == (u32)d->page0;
}

/* -- direct exits ---------------------------------------------------------------------- */

void gen_goto(struct dis *d, u32 target)
{
	struct peek there;

	if (d->single) {
		leave_single(d, emit_const(d, target));
		return;
	}
	there = peek_flags(d, target);
	set_exit(d, ir_add(d->ir, IR_EXIT, IRS_32), target, there);
	d->end = true;
}

void gen_goto_ind(struct dis *d, ir_val pc, int xflags, u32 ret)
{
	struct ir_insn *i;

	if (d->single) {
		leave_single(d, pc);
		return;
	}
	i = ir_add(d->ir, IR_EXITIND, IRS_32);
	i->a = pc;
	i->xflags = (u8)xflags;
	i->imm2 = ret;
	i->fuse = IRF_ALL;
	d->end = true;
}

static void side_exit(struct dis *d, enum ir_op op, int cc, int size, ir_val a, u32 target)
{
	struct peek there = peek_flags(d, target);
	struct ir_insn *i = ir_add(d->ir, op, size);

	i->cc = (u8)cc;
	i->a = a;
	set_exit(d, i, target, there);
}

/* Behind the last copy of a loop the block ends. */
static void end_rounds(struct dis *d, u32 target)
{
	if (d->n_copies && target == (u32)d->t->pc)
		gen_goto(d, d->next);
}

void gen_goto_cc(struct dis *d, enum ir_cc cc, u32 target)
{
	struct ir_insn *i;

	if (d->single) {
		ir_val pc = emit_const(d, d->next), to = emit_const(d, target);

		i = ir_add(d->ir, IR_MOVCC, IRS_32);
		i->d = i->a = pc;
		i->b = to;
		i->cc = cc;
		i->fuse = cc_flags(cc);
		leave_single(d, pc);
		return;
	}
	d->n_cond++;
	if (goes_round(d, target)) {
		side_exit(d, IR_EXITCC, cc ^ 1, IRS_32, IR_NONE, d->next);
		go_round(d);
		return;
	}
	side_exit(d, IR_EXITCC, cc, IRS_32, IR_NONE, target);
	end_rounds(d, target);
}

void gen_goto_z(struct dis *d, enum ir_op op, int size, ir_val v, u32 target)
{
	bool nz = op == IR_EXITNZ;

	if (d->single) {
		ir_val to = emit_const(d, target), on = emit_const(d, d->next);

		leave_single(d, emit_call(d, HELPER_select, emit_zx(d, size, v),
					  nz ? to : on, nz ? on : to));
		return;
	}
	d->n_cond++;
	if (goes_round(d, target)) {
		side_exit(d, nz ? IR_EXITZ : IR_EXITNZ, 0, size, v, d->next);
		go_round(d);
		return;
	}
	side_exit(d, op, 0, size, v, target);
	end_rounds(d, target);
}

/* a ? b : c, for LOOP and JCXZ in blocks of one instruction. */
u64 helper_select(struct cpu *cpu, u32 a, u32 b, u32 c)
{
	(void)cpu;
	return a ? b : c;
}

/* -- near jumps ------------------------------------------------------------------------- */

void gen_jcc(struct dis *d)
{
	gen_goto_cc(d, d->op & 15, d->target);
}

void gen_jmp(struct dis *d)
{
	if (beyond_limit(d, d->target))
		return;
	if (goes_round(d, d->target))
		go_round(d);
	else if (is_short(d, d->target))
		d->next = d->target;
	else
		gen_goto(d, d->target);
}

static struct opnd return_pc(const struct dis *d)
{
	return opnd_imm(d->osz, d->osz == IRS_16 ? (s16)d->next : (s32)d->next);
}

void gen_call(struct dis *d)
{
	struct opnd ret = return_pc(d);

	if (beyond_limit(d, d->target))
		return;
	emit_push(d, d->osz, &ret);
	gen_goto(d, d->target);
	if (!d->single) {
		struct ir_insn *i = &d->ir->insn[d->ir->n - 1];

		i->xflags |= IRX_CALL;
		i->imm2 = d->next;
	}
}

void gen_jmp_ind(struct dis *d)
{
	gen_goto_ind(d, emit_value(d, &d->arg[0]), 0, 0);
}

void gen_call_ind(struct dis *d)
{
	struct opnd ret = return_pc(d);
	ir_val to = emit_value(d, &d->arg[0]), t;

	if (to == R_ESP) {
		t = ir_temp(d->ir);
		emit_copy(d, IRS_32, t, to);
		to = t;
	}
	emit_push(d, d->osz, &ret);
	gen_goto_ind(d, to, IRX_CALL, d->next);
}

void gen_ret(struct dis *d)
{
	int n = op_bytes(d->osz);
	struct ir_ea ea = emit_stack_ea(d, 0, n, false);
	ir_val to = emit_load_zx(d, d->osz, &ea);

	emit_esp_add(d, n + (u16)d->arg[0].imm);
	gen_goto_ind(d, to, IRX_RET, 0);
}

/* LOOPE and LOOPNE (row.x 1, 2) leave to `next` first when the count is used
 * up, so that what remains is a plain condition. */
void gen_loop(struct dis *d)
{
	emit_lea(d, d->asz, R_ECX, R_ECX, IR_NONE, 0, -1);
	if (!d->row->x) {
		gen_goto_z(d, IR_EXITNZ, d->asz, R_ECX, d->target);
		return;
	}
	if (d->single) {
		enum ir_cc stop = d->row->x == 1 ? CC_NE : CC_E;
		ir_val to = emit_const(d, d->target), on = emit_const(d, d->next);
		ir_val pc = emit_call(d, HELPER_select, emit_zx(d, d->asz, R_ECX), to, on);
		struct ir_insn *i = ir_add(d->ir, IR_MOVCC, IRS_32);

		i->d = i->a = pc;
		i->b = on;
		i->cc = stop;
		i->fuse = IRF_Z;
		leave_single(d, pc);
		return;
	}
	gen_goto_z(d, IR_EXITZ, d->asz, R_ECX, d->next);
	gen_goto_cc(d, d->row->x == 1 ? CC_E : CC_NE, d->target);
}

void gen_jcxz(struct dis *d)
{
	gen_goto_z(d, IR_EXITZ, d->asz, R_ECX, d->target);
}

/* -- far transfers ----------------------------------------------------------------------- */

void gen_retf(struct dis *d)
{
	emit_call(d, HELPER_lret, emit_const(d, d->osz == IRS_32),
		  emit_const(d, (u16)d->arg[0].imm), IR_NONE);
	gen_leave(d, false);
}

void gen_iret(struct dis *d)
{
	emit_call(d, HELPER_iret, emit_const(d, d->osz == IRS_32), emit_const(d, d->next),
		  IR_NONE);
	gen_leave(d, false);
}

static void far_transfer(struct dis *d, bool call, ir_val sel, ir_val ofs)
{
	enum helper_id id = !call ? HELPER_ljmp :
		d->osz == IRS_16 ? HELPER_lcall16 : HELPER_lcall;

	emit_call(d, id, sel, ofs, emit_const(d, d->next));
	gen_leave(d, false);
}

static void far_direct(struct dis *d, bool call)
{
	ir_val sel = emit_const(d, d->far_sel);

	far_transfer(d, call, sel, emit_const(d, (u32)d->arg[0].imm));
}

static void far_memory(struct dis *d, bool call)
{
	struct opnd_pair far = emit_load_pair(d, IRS_16);

	far_transfer(d, call, far.hi, far.lo);
}

void gen_jmp_far(struct dis *d)
{
	far_direct(d, false);
}

void gen_call_far(struct dis *d)
{
	far_direct(d, true);
}

void gen_jmp_far_mem(struct dis *d)
{
	far_memory(d, false);
}

void gen_call_far_mem(struct dis *d)
{
	far_memory(d, true);
}

/* -- software interrupts -------------------------------------------------------------------- */

static void raise_int(struct dis *d, int vector, u32 kind)
{
	ir_val v = emit_const(d, (u32)vector), next = emit_const(d, d->next);

	emit_call(d, HELPER_raise_int, v, next, emit_const(d, kind));
	emit_exit(d, d->single ? IR_EXITMAIN : IR_EXITLOOK);  /* no #DB of TF */
}

void gen_int(struct dis *d)
{
	raise_int(d, (u8)d->arg[0].imm, 0);
}

/* INT3; INT1 (ICEBP) */
void gen_int_fixed(struct dis *d)
{
	raise_int(d, d->row->x, d->row->x == EXCP_BP ? 1 : 2);
}

/* Seldom taken: leaves through the exec loop. */
void gen_into(struct dis *d)
{
	emit_call(d, HELPER_into, emit_const(d, d->next), IR_NONE, IR_NONE);
}

static ir_val sign_extended(struct dis *d, ir_val v)
{
	ir_val t;

	if (d->osz == IRS_32)
		return v;
	t = ir_temp(d->ir);
	emit_conv(d, IR_SX, IRS_32, d->osz, t, v);
	return t;
}

void gen_bound(struct dis *d)
{
	struct opnd_pair bounds = emit_load_pair(d, d->osz);

	emit_call(d, HELPER_bound, sign_extended(d, d->arg[0].v),
		  sign_extended(d, bounds.lo), sign_extended(d, bounds.hi));
}

void gen_ud(struct dis *d)
{
	emit_raise(d, EXCP_UD, ~0u);
}

void gen_nop(struct dis *d)
{
	(void)d;
}
