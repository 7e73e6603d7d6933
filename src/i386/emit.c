/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/i386/emit.c - from operands to IR: what the generators are made of.
 *
 * Segmentation is applied here. A flat segment's address goes into the memory
 * operand as it is; a segment of which only the base matters adds one load;
 * any other has its offset checked by IR_GUARD against the limits that
 * struct seg_cache holds ready. SDM vol. 3A 3.4, 5.3. */
#include "i386/dis.h"

/* -- small pieces -------------------------------------------------------------- */

ir_val emit_const(struct dis *d, u32 v)
{
	struct ir_insn *i = ir_add(d->ir, IR_MOV, IRS_32);

	i->d = ir_temp(d->ir);
	i->b = IR_IMM;
	i->imm = v;
	return i->d;
}

void emit_copy(struct dis *d, int size, ir_val dst, ir_val src)
{
	struct ir_insn *i = ir_add(d->ir, IR_MOV, size);

	i->d = dst;
	i->b = src;
}

void emit_lea(struct dis *d, int size, ir_val dst, ir_val base, ir_val index,
	      int scale, s32 disp)
{
	struct ir_insn *i = ir_add(d->ir, IR_LEA, size);

	i->d = dst;
	i->ea = (struct ir_ea){ base, index, (u8)scale, disp };
}

void emit_conv(struct dis *d, enum ir_op op, int dsize, int size, ir_val dst, ir_val src)
{
	struct ir_insn *i = ir_add(d->ir, op, size);

	i->dsize = (u8)dsize;
	i->d = dst;
	i->b = src;
}

ir_val emit_zx(struct dis *d, int size, ir_val v)
{
	ir_val t;

	if (size == IRS_32)
		return v;
	t = ir_temp(d->ir);
	emit_conv(d, IR_ZX, IRS_32, size, t, v);
	return t;
}

ir_val emit_lde(struct dis *d, int size, size_t ofs)
{
	struct ir_insn *i = ir_add(d->ir, IR_LDE, size);

	i->d = ir_temp(d->ir);
	i->imm = (s64)ofs;
	return emit_zx(d, size, i->d);
}

void emit_ste(struct dis *d, int size, size_t ofs, ir_val v)
{
	struct ir_insn *i = ir_add(d->ir, IR_STE, size);

	i->b = v;
	i->imm = (s64)ofs;
}

void emit_ste_imm(struct dis *d, int size, size_t ofs, u32 v)
{
	emit_ste(d, size, ofs, IR_IMM);
	d->ir->insn[d->ir->n - 1].imm2 = v;
}

/* -- helpers ----------------------------------------------------------------------- */

ir_val emit_call(struct dis *d, enum helper_id id, ir_val a, ir_val b, ir_val c)
{
	struct ir_insn *i = ir_add(d->ir, IR_CALL, IRS_32);
	u8 f = target_ir.helper[id].flags;

	i->aux = id;
	i->a = a;
	i->b = b;
	i->c = c;
	i->fuse = f & IRH_RFLAGS ? IRF_ALL : 0;
	i->fdef = f & IRH_WFLAGS ? IRF_ALL : 0;
	if (!(f & IRH_NORETURN))
		i->d = ir_temp(d->ir);
	return i->d;
}

void emit_raise(struct dis *d, int vector, u32 err)
{
	ir_val v = emit_const(d, (u32)vector), e = emit_const(d, err);

	emit_call(d, HELPER_raise, v, e, IR_NONE);
	d->end = true;
}

/* -- addresses ----------------------------------------------------------------------- */

enum seg_kind { SEG_FLAT, SEG_BASE, SEG_CHECK };

static enum seg_kind seg_kind(struct dis *d, int seg, bool write)
{
	static const struct { u32 hf; u8 kind; } how[NB_SEGS] = {
		[R_ES] = { HF_ES_FLAT, SEG_FLAT }, [R_CS] = { HF_CS_FLAT, SEG_FLAT },
		[R_SS] = { HF_SS_FLAT, SEG_FLAT }, [R_DS] = { HF_DS_FLAT, SEG_FLAT },
		[R_FS] = { HF_FS_BIG, SEG_BASE }, [R_GS] = { HF_GS_BIG, SEG_BASE },
	};

	if (seg == R_CS && write)
		return SEG_CHECK;
	return dis_has(d, how[seg].hf) ? how[seg].kind : SEG_CHECK;
}

static size_t seg_ofs(int seg)
{
	return X86_OFS(seg) + (size_t)seg * sizeof(struct seg_cache);
}

static ir_val emit_seg_base(struct dis *d, int seg)
{
	return emit_lde(d, IRS_32, seg_ofs(seg) + offsetof(struct seg_cache, base));
}

ir_val emit_offset(struct dis *d, const struct addr *m)
{
	ir_val t;

	if (m->base == IR_NONE && m->index == IR_NONE)
		return emit_const(d, m->asz == IRS_16 ? (u16)m->disp : (u32)m->disp);
	if (m->index == IR_NONE && !m->disp)
		return emit_zx(d, m->asz, m->base);
	t = ir_temp(d->ir);
	emit_lea(d, IRS_32, t, m->base, m->index, m->scale, m->disp);
	return emit_zx(d, m->asz, t);
}

static void emit_guard(struct dis *d, ir_val ofs, int seg, int bytes, bool write)
{
	struct ir_insn *i = ir_add(d->ir, IR_GUARD, IRS_32);

	i->a = ofs;
	i->imm = (s64)(seg_ofs(seg) + (write ? offsetof(struct seg_cache, wr) :
				       offsetof(struct seg_cache, rd)));
	i->imm2 = HELPER_seg_check;
	i->aux = (u32)seg | (u32)bytes << 4 | (u32)write << 12;
}

/* A guard vouches for 8 bytes: longer operands have their first and last
 * bytes checked. */
static void emit_guards(struct dis *d, ir_val ofs, int seg, int bytes, bool write)
{
	ir_val last;

	emit_guard(d, ofs, seg, MIN(bytes, 8), write);
	if (bytes <= 8)
		return;
	last = ir_temp(d->ir);
	emit_lea(d, IRS_32, last, ofs, IR_NONE, 0, bytes - 8);
	emit_guard(d, last, seg, 8, write);
}

static struct ir_ea ea_in_segment(struct dis *d, const struct addr *m, int bytes, bool write)
{
	enum seg_kind k = seg_kind(d, m->seg, write);
	ir_val ofs;

	if (m->asz == IRS_32 && k == SEG_FLAT)
		return (struct ir_ea){ m->base, m->index, m->scale, m->disp };
	if (m->asz == IRS_32 && k == SEG_BASE && m->index == IR_NONE)
		return (struct ir_ea){ emit_seg_base(d, m->seg), m->base, 0, m->disp };
	ofs = emit_offset(d, m);
	if (k == SEG_FLAT)
		return (struct ir_ea){ ofs, IR_NONE, 0, 0 };
	if (k == SEG_CHECK)
		emit_guards(d, ofs, m->seg, bytes, write);
	return (struct ir_ea){ emit_seg_base(d, m->seg), ofs, 0, 0 };
}

static ir_val emit_ea_value(struct dis *d, const struct ir_ea *ea)
{
	ir_val t = ir_temp(d->ir);

	emit_lea(d, IRS_32, t, ea->base, ea->index, ea->scale, ea->disp);
	return t;
}

struct ir_ea emit_ea_aligned(struct dis *d, const struct addr *m, int bytes, bool write,
			     int align)
{
	struct ir_ea ea = ea_in_segment(d, m, bytes, write);

	if (d->flags & HF_AC && align > 1)
		emit_call(d, HELPER_align_check, emit_ea_value(d, &ea),
			  emit_const(d, (u32)align), IR_NONE);
	return ea;
}

/* What #AC asks of an operand of so many bytes (SDM vol. 3A table 6-7): m80 is
 * aligned to 8, far pointers and table registers of 6 bytes to 4. */
static int alignment(int bytes)
{
	int n = 1;

	while (n * 2 <= bytes && n < 16)
		n *= 2;
	return n;
}

struct ir_ea emit_ea(struct dis *d, const struct addr *m, int bytes, bool write)
{
	return emit_ea_aligned(d, m, bytes, write, alignment(bytes));
}

ir_val emit_linear(struct dis *d, const struct addr *m, int bytes, bool write, int align)
{
	struct ir_ea ea = emit_ea_aligned(d, m, bytes, write, align);

	return emit_ea_value(d, &ea);
}

struct addr addr_reg(struct dis *d, int seg, ir_val base, s32 disp)
{
	return (struct addr){ .base = base, .index = IR_NONE, .asz = d->asz,
			      .seg = (u8)seg, .disp = disp };
}

/* -- loads and stores -------------------------------------------------------------------- */

ir_val emit_load(struct dis *d, int size, const struct ir_ea *ea)
{
	struct ir_insn *i = ir_add(d->ir, IR_MOV, size);

	i->d = ir_temp(d->ir);
	i->mem = IRM_SRC;
	i->ea = *ea;
	return i->d;
}

ir_val emit_load_zx(struct dis *d, int size, const struct ir_ea *ea)
{
	struct ir_insn *i;

	if (size == IRS_32)
		return emit_load(d, size, ea);
	i = ir_add(d->ir, IR_ZX, size);
	i->dsize = IRS_32;
	i->d = ir_temp(d->ir);
	i->mem = IRM_SRC;
	i->ea = *ea;
	return i->d;
}

struct opnd_pair emit_load_pair(struct dis *d, int hi_size)
{
	int n = op_bytes(d->osz);
	struct addr second = d->mem;
	struct opnd_pair pair;
	struct ir_ea ea = emit_ea(d, &d->mem, n, false);

	pair.lo = emit_load_zx(d, d->osz, &ea);
	second.disp = (s32)((u32)second.disp + (u32)n);
	ea = emit_ea(d, &second, op_bytes(hi_size), false);
	pair.hi = emit_load_zx(d, hi_size, &ea);
	return pair;
}

void emit_store(struct dis *d, int size, const struct ir_ea *ea, ir_val v)
{
	struct ir_insn *i = ir_add(d->ir, IR_MOV, size);

	i->b = v;
	i->mem = IRM_DST;
	i->ea = *ea;
}

/* -- operations on decoded operands --------------------------------------------------------- */

static void put_dst(struct dis *d, struct ir_insn *i, const struct opnd *o,
		    const struct ir_ea *ea, bool reads)
{
	if (o->kind == OPND_MEM) {
		i->mem = IRM_DST;
		i->ea = *ea;
		i->xflags |= d->lock ? IRX_LOCK : 0;
		return;
	}
	i->d = o->v;
	i->part |= o->high ? IRP_D : 0;
	if (!reads)
		return;
	i->a = o->v;
	i->part |= o->high ? IRP_A : 0;
}

static void put_src(struct ir_insn *i, const struct opnd *o, const struct ir_ea *ea)
{
	if (o->kind == OPND_MEM) {
		i->mem = IRM_SRC;
		i->ea = *ea;
	} else if (o->kind == OPND_IMM) {
		i->b = IR_IMM;
		i->imm = o->imm;
	} else {
		i->b = o->v;
		i->part |= o->high ? IRP_B : 0;
	}
}

static void row_flags(struct dis *d, struct ir_insn *i)
{
	i->fdef = d->row->def;
	i->fuse = d->row->use;
}

/* The address of whichever operand is in memory. */
static struct ir_ea ea_of(struct dis *d, const struct opnd *dst, const struct opnd *src)
{
	if (dst->kind == OPND_MEM)
		return emit_ea(d, &d->mem, op_bytes(dst->size), true);
	if (src && src->kind == OPND_MEM)
		return emit_ea(d, &d->mem, op_bytes(src->size), false);
	return (struct ir_ea){ IR_NONE, IR_NONE, 0, 0 };
}

struct ir_insn *emit_alu2(struct dis *d, enum ir_op op, const struct opnd *dst,
			  const struct opnd *src)
{
	struct ir_ea ea = ea_of(d, dst, src);
	struct ir_insn *i = ir_add(d->ir, op, dst->size);

	row_flags(d, i);
	put_dst(d, i, dst, &ea, true);
	put_src(i, src, &ea);
	return i;
}

struct ir_insn *emit_mov(struct dis *d, const struct opnd *dst, const struct opnd *src)
{
	struct ir_ea ea = ea_of(d, dst, src);
	struct ir_insn *i = ir_add(d->ir, IR_MOV, dst->size);

	put_dst(d, i, dst, &ea, false);
	put_src(i, src, &ea);
	return i;
}

struct ir_insn *emit_alu1(struct dis *d, enum ir_op op, const struct opnd *dst)
{
	struct ir_ea ea = ea_of(d, dst, NULL);
	struct ir_insn *i = ir_add(d->ir, op, dst->size);

	row_flags(d, i);
	put_dst(d, i, dst, &ea, false);
	if (dst->kind == OPND_REG)
		put_src(i, dst, &ea);
	return i;
}

struct ir_insn *emit_cmp(struct dis *d, enum ir_op op, const struct opnd *a,
			 const struct opnd *b)
{
	struct ir_ea ea = { IR_NONE, IR_NONE, 0, 0 };
	struct ir_insn *i;

	if (a->kind == OPND_MEM || b->kind == OPND_MEM)
		ea = emit_ea(d, &d->mem, op_bytes(a->size), false);
	i = ir_add(d->ir, op, a->size);
	row_flags(d, i);
	put_src(i, b, &ea);
	if (a->kind == OPND_MEM) {
		i->mem = IRM_LHS;
		i->ea = ea;
	} else {
		i->a = a->v;
		i->part |= a->high ? IRP_A : 0;
	}
	return i;
}

ir_val emit_value(struct dis *d, const struct opnd *o)
{
	struct ir_insn *i;
	struct ir_ea ea;

	if (o->kind == OPND_IMM)
		return emit_const(d, (u32)o->imm);
	if (o->kind == OPND_MEM) {
		ea = emit_ea(d, &d->mem, op_bytes(o->size), false);
		return emit_load_zx(d, o->size, &ea);
	}
	if (o->size == IRS_32)
		return o->v;
	i = ir_add(d->ir, IR_ZX, o->size);
	i->dsize = IRS_32;
	i->d = ir_temp(d->ir);
	put_src(i, o, NULL);
	return i->d;
}

/* -- stack --------------------------------------------------------------------------------- */

struct ir_ea emit_stack_ea(struct dis *d, s32 disp, int bytes, bool write)
{
	struct addr m = {
		.base = R_ESP, .index = IR_NONE, .disp = disp, .seg = R_SS,
		.asz = d->flags & HF_SS32 ? IRS_32 : IRS_16,
	};

	return emit_ea(d, &m, bytes, write);
}

void emit_esp_add(struct dis *d, s32 n)
{
	emit_lea(d, d->flags & HF_SS32 ? IRS_32 : IRS_16, R_ESP, R_ESP, IR_NONE, 0, n);
}

void emit_push(struct dis *d, int size, const struct opnd *src)
{
	struct ir_ea ea = emit_stack_ea(d, -op_bytes(size), op_bytes(size), true);
	struct ir_insn *i = ir_add(d->ir, IR_MOV, size);

	put_src(i, src, NULL);
	i->mem = IRM_DST;
	i->ea = ea;
	emit_esp_add(d, -op_bytes(size));
}

void emit_push_val(struct dis *d, int size, ir_val v)
{
	struct opnd o = opnd_reg(size, v);

	emit_push(d, size, &o);
}
