/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/i386/gen_mov.c - generators: moves, exchanges, stack, segment loads.
 * SDM vol. 1 7.3.1, 7.3.10, chapter 6. */
#include "i386/dis.h"
#include "qemu/machine.h"

gen_fn gen_mov, gen_lea, gen_xchg, gen_xadd, gen_cmpxchg, gen_cmpxchg8b, gen_bswap,
	gen_movzx, gen_movsx, gen_setcc, gen_cmov, gen_push, gen_push_mem, gen_pop,
	gen_pop_mem, gen_push_seg, gen_pop_seg, gen_pusha, gen_popa, gen_pushf, gen_popf,
	gen_enter, gen_leave_frame, gen_xlat, gen_mov_from_seg, gen_mov_to_seg, gen_lxs;

/* -- moves ------------------------------------------------------------------------- */

void gen_mov(struct dis *d)
{
	emit_mov(d, &d->arg[0], &d->arg[1]);
}

void gen_lea(struct dis *d)
{
	const struct addr *m = &d->mem;
	ir_val dst = d->arg[0].v;

	if (d->osz == IRS_32 && m->asz == IRS_16)
		emit_copy(d, IRS_32, dst, emit_offset(d, m));
	else if (d->osz == IRS_32 && m->base == IR_NONE && m->index == IR_NONE)
		emit_copy(d, IRS_32, dst, emit_const(d, (u32)m->disp));
	else
		emit_lea(d, d->osz, dst, m->base, m->index, m->scale, m->disp);
}

/* The same register at the same size: only upper bits would differ. */
static void gen_extend(struct dis *d, enum ir_op op)
{
	const struct opnd *src = &d->arg[1];
	struct ir_ea ea = { IR_NONE, IR_NONE, 0, 0 };
	struct ir_insn *i;

	if (src->size == d->osz) {
		emit_mov(d, &d->arg[0], src);
		return;
	}
	if (src->kind == OPND_MEM)
		ea = emit_ea(d, &d->mem, op_bytes(src->size), false);
	i = ir_add(d->ir, op, src->size);
	i->dsize = d->osz;
	i->d = d->arg[0].v;
	i->b = src->kind == OPND_MEM ? IR_NONE : src->v;
	i->part = src->high ? IRP_B : 0;
	i->mem = src->kind == OPND_MEM ? IRM_SRC : IRM_NONE;
	i->ea = ea;
}

void gen_movzx(struct dis *d)
{
	gen_extend(d, IR_ZX);
}

void gen_movsx(struct dis *d)
{
	gen_extend(d, IR_SX);
}

void gen_setcc(struct dis *d)
{
	const struct opnd *dst = &d->arg[0];
	struct ir_ea ea = { IR_NONE, IR_NONE, 0, 0 };
	struct ir_insn *i;

	if (dst->kind == OPND_MEM)
		ea = emit_ea(d, &d->mem, 1, true);
	i = ir_add(d->ir, IR_SETCC, IRS_8);
	i->cc = d->op & 15;
	i->fuse = cc_flags(i->cc);
	i->d = dst->kind == OPND_MEM ? IR_NONE : dst->v;
	i->part = dst->high ? IRP_D : 0;
	i->mem = dst->kind == OPND_MEM ? IRM_DST : IRM_NONE;
	i->ea = ea;
}

void gen_cmov(struct dis *d)
{
	struct ir_insn *i = emit_alu2(d, IR_MOVCC, &d->arg[0], &d->arg[1]);

	i->cc = d->op & 15;
	i->fuse = cc_flags(i->cc);
}

void gen_bswap(struct dis *d)
{
	ir_val r = d->arg[0].v;
	struct ir_insn *i;

	if (d->osz == IRS_16) {              /* undefined; the P6 clears it  */
		emit_copy(d, IRS_16, r, emit_const(d, 0));
		return;
	}
	i = ir_add(d->ir, IR_BSWAP, IRS_32);
	i->d = i->b = r;
}

void gen_xlat(struct dis *d)
{
	ir_val al = emit_zx(d, IRS_8, R_EAX);
	struct addr m = addr_reg(d, d->over >= 0 ? d->over : R_DS, R_EBX, 0);
	struct ir_insn *i;
	struct ir_ea ea;

	m.index = al;
	ea = emit_ea(d, &m, 1, false);
	i = ir_add(d->ir, IR_MOV, IRS_8);
	i->d = R_EAX;
	i->mem = IRM_SRC;
	i->ea = ea;
}

/* -- exchanges --------------------------------------------------------------------------- */

static void gen_exchange(struct dis *d, enum ir_op op)
{
	struct ir_insn *i = emit_alu2(d, op, &d->arg[0], &d->arg[1]);

	i->a = IR_NONE;                      /* d is input and output        */
	i->part &= (u8)~IRP_A;
}

/* NOP, and with F3 PAUSE, which means something beside other vCPUs: on a thread of one's own it
 * is the host's, else it is their turn. */
static void gen_pause(struct dis *d)
{
	enum { HOST_PAUSE = 0xf390 };

	if (d->rep != 1 || machine_config.smp < 2)
		return;
	if (!machine_config.tcg_single) {
		emit_fpu(d, HOST_PAUSE);
		return;
	}
	if (d->flags & HF_TF)
		return;
	emit_call(d, HELPER_pause, emit_const(d, d->next), IR_NONE, IR_NONE);
	d->end = true;
}

void gen_xchg(struct dis *d)
{
	if (d->arg[0].kind == OPND_REG && d->arg[0].v == d->arg[1].v &&
	    d->arg[0].high == d->arg[1].high)
		gen_pause(d);
	else
		gen_exchange(d, IR_XCHG);
}

void gen_xadd(struct dis *d)
{
	gen_exchange(d, IR_XADD);
}

void gen_cmpxchg(struct dis *d)
{
	gen_exchange(d, IR_CMPXCHG);
}

void gen_cmpxchg8b(struct dis *d)
{
	struct ir_ea ea = emit_ea(d, &d->mem, 8, true);
	struct ir_insn *i = ir_add(d->ir, IR_CMPXCHG8, IRS_64);

	i->mem = IRM_DST;
	i->ea = ea;
	i->xflags = d->lock ? IRX_LOCK : 0;
	i->fdef = d->row->def;
}

/* -- stack ---------------------------------------------------------------------------------- */

void gen_push(struct dis *d)
{
	emit_push(d, d->osz, &d->arg[0]);
}

void gen_push_mem(struct dis *d)
{
	struct ir_ea ea;

	if (d->arg[0].kind == OPND_REG) {
		gen_push(d);
		return;
	}
	ea = emit_ea(d, &d->mem, op_bytes(d->osz), false);
	emit_push_val(d, d->osz, emit_load(d, d->osz, &ea));
}

static void emit_pop_reg(struct dis *d, int size, ir_val r)
{
	struct ir_ea ea = emit_stack_ea(d, 0, op_bytes(size), false);
	struct ir_insn *i;
	ir_val t;

	if (r == R_ESP) {                    /* the increment comes first    */
		t = emit_load(d, size, &ea);
		if (size == IRS_16)
			emit_esp_add(d, 2);
		emit_copy(d, size, R_ESP, t);
		return;
	}
	i = ir_add(d->ir, IR_MOV, size);
	i->d = r;
	i->mem = IRM_SRC;
	i->ea = ea;
	emit_esp_add(d, op_bytes(size));
}

void gen_pop(struct dis *d)
{
	emit_pop_reg(d, d->osz, d->arg[0].v);
}

/* An address off ESP is computed after the increment, which itself must wait
 * for the store. */
void gen_pop_mem(struct dis *d)
{
	int n = op_bytes(d->osz);
	struct ir_ea ea;
	ir_val t;

	if (d->arg[0].kind == OPND_REG) {
		emit_pop_reg(d, d->osz, d->arg[0].v);
		return;
	}
	ea = emit_stack_ea(d, 0, n, false);
	t = emit_load(d, d->osz, &ea);
	if (d->mem.base == R_ESP)
		d->mem.disp += n;
	ea = emit_ea(d, &d->mem, n, true);
	emit_store(d, d->osz, &ea, t);
	emit_esp_add(d, n);
}

void gen_pusha(struct dis *d)
{
	emit_call(d, HELPER_pusha, emit_const(d, d->osz), IR_NONE, IR_NONE);
}

void gen_popa(struct dis *d)
{
	emit_call(d, HELPER_popa, emit_const(d, d->osz), IR_NONE, IR_NONE);
}

/* In v86 mode with VME, PUSHF and POPF of 16 bits know VIF; others fault. */
static bool no_vme_form(struct dis *d)
{
	if ((d->flags & (HF_VM | HF_VIF)) != (HF_VM | HF_VIF) || d->osz == IRS_16)
		return false;
	emit_raise(d, EXCP_GP, 0);
	return true;
}

void gen_pushf(struct dis *d)
{
	if (no_vme_form(d))
		return;
	emit_push_val(d, d->osz, emit_call(d, HELPER_get_eflags, IR_NONE, IR_NONE, IR_NONE));
}

void gen_popf(struct dis *d)
{
	int n = op_bytes(d->osz);
	struct ir_ea ea;
	ir_val v;

	if (no_vme_form(d))
		return;
	ea = emit_stack_ea(d, 0, n, false);
	v = emit_load_zx(d, d->osz, &ea);
	if (d->single || d->flags & HF_VM) {
		emit_call(d, HELPER_set_eflags, v, emit_const(d, d->osz), IR_NONE);
		emit_esp_add(d, n);
		gen_leave_next(d);
		return;
	}
	emit_esp_add(d, n);
	emit_call(d, HELPER_popf, v, emit_const(d, d->osz), emit_const(d, d->next));
}

void gen_enter(struct dis *d)
{
	ir_val alloc = emit_const(d, (u16)d->arg[0].imm);
	ir_val level = emit_const(d, d->arg[1].imm & 31);

	emit_call(d, HELPER_enter, alloc, level, emit_const(d, d->osz));
}

void gen_leave_frame(struct dis *d)
{
	int n = op_bytes(d->osz), ssz = d->flags & HF_SS32 ? IRS_32 : IRS_16;
	struct addr m = { .base = R_EBP, .index = IR_NONE, .seg = R_SS, .asz = (u8)ssz };
	struct ir_ea ea = emit_ea(d, &m, n, false);
	ir_val t = emit_load(d, d->osz, &ea);

	emit_lea(d, ssz, R_ESP, R_EBP, IR_NONE, 0, n);
	emit_copy(d, d->osz, R_EBP, t);
}

/* -- segment registers ------------------------------------------------------------------------- */

static ir_val emit_selector(struct dis *d, int seg)
{
	return emit_lde(d, IRS_16, X86_OFS(seg) + (size_t)seg * sizeof(struct seg_cache) +
			offsetof(struct seg_cache, selector));
}

static void emit_load_seg(struct dis *d, int seg, ir_val sel)
{
	emit_call(d, HELPER_load_seg, emit_const(d, (u32)seg), sel, IR_NONE);
}

/* MOV and POP of a segment register; `n`: bytes popped. The block goes on when
 * the hflags are the same after it. MOV SS and POP SS hold off interrupts and the
 * single-step trap for one instruction. */
static void load_seg(struct dis *d, int seg, ir_val sel, int n)
{
	if (seg != R_SS && !d->single) {
		emit_call(d, HELPER_load_seg_on, emit_const(d, (u32)(seg | n << 4)), sel,
			  emit_const(d, d->next));
		if (n)
			emit_esp_add(d, n);
		return;
	}
	emit_load_seg(d, seg, sel);
	if (n)
		emit_esp_add(d, n);
	if (seg == R_SS) {
		emit_call(d, HELPER_set_inhibit_irq, IR_NONE, IR_NONE, IR_NONE);
		d->flags &= ~(u32)HF_TF;
	}
	gen_leave_next(d);
}

void gen_push_seg(struct dis *d)
{
	emit_push_val(d, d->osz, emit_selector(d, d->arg[0].imm));
}

void gen_pop_seg(struct dis *d)
{
	int n = op_bytes(d->osz), seg = d->arg[0].imm;
	struct ir_ea ea = emit_stack_ea(d, 0, n, false);

	load_seg(d, seg, emit_load_zx(d, d->osz, &ea), n);
}

void gen_mov_from_seg(struct dis *d)
{
	struct opnd *dst = &d->arg[0];
	struct opnd src;

	if (d->arg[1].imm >= NB_SEGS) {
		emit_raise(d, EXCP_UD, ~0u);
		return;
	}
	src = opnd_reg(dst->size, emit_selector(d, d->arg[1].imm));
	emit_mov(d, dst, &src);
}

void gen_mov_to_seg(struct dis *d)
{
	int seg = d->arg[0].imm;

	if (seg >= NB_SEGS || seg == R_CS) {
		emit_raise(d, EXCP_UD, ~0u);
		return;
	}
	load_seg(d, seg, emit_value(d, &d->arg[1]), 0);
}

/* LDS LES LFS LGS LSS: offset, then selector. */
void gen_lxs(struct dis *d)
{
	struct opnd_pair far = emit_load_pair(d, IRS_16);

	emit_load_seg(d, d->row->x, far.hi);
	emit_copy(d, d->osz, d->arg[0].v, far.lo);
	gen_leave_next(d);
}
