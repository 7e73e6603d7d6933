/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/tcg/opt.c - the passes over a block, before the back end.
 *
 * One walk forward, one backward, one to close the gaps: linear time, no
 * allocation; translation speed is part of a guest's speed.
 *
 * Forward: what each value is known to be (struct val): a constant, and for
 * temporaries also "base + index << scale + k" of other values. A relation
 * names the version of the values it was made from, so that writing a value
 * ends all relations to it in one increment. Operands are replaced by what
 * they copy, displacements collect what was added before, and the result of
 * `t = op; G = t` is computed in G. The guest registers are always written as
 * the front end says: here they are only read elsewhere.
 *
 * Backward: which values and which flags are still needed. Two masks are kept
 * of the flags: `live` has readers in the block or behind an exit; `fault`
 * would be seen in the frame of a guest exception that a later instruction may
 * raise. A flag writer goes only when neither wants it. */
#include "tcg/ir.h"
#include "tcg/opts.h"

#include <string.h>

struct val {
	u16 ver;                 /* number of writes so far                 */
	u16 uses;                /* temporaries: reads in the whole block   */
	u16 def;                 /* 1 + index of the last write             */
	u8 kbits;                /* low bits known to be those of k: 0, 8.. */
	u8 scale;
	u32 k;
	ir_val base, index;      /* temporaries: = base + (index << scale)  */
	u16 base_ver, index_ver; /* + ofs mod 2^32; base IR_NONE: unknown   */
	u32 ofs;
};

struct opt {
	struct ir_block *b;
	int barrier;             /* 1 + index of the last insn that shows
				  * the globals: fault, helper, exit         */
	bool temps;              /* are there any?                          */
	u16 use[IR_PLACES];      /* 1 + index of the last read              */
	bool look[IR_PLACES];    /* of a global there is a constant known, or it
				  * is a temporary: forward_one() has a look */
	struct val v[IR_MAX_TEMPS];
};

/* -- what operations do beyond reading a, b, c, ea and writing d ---------- */
enum { BIMM = 1,                 /* b may be an immediate                  */
       TIED = 2,                 /* a must stay the same value as d        */
       KEEP = 4,                 /* has an effect that nothing shows       */
       COMM = 8,                 /* a and b may be swapped                 */
       SHIFT = 16,               /* b is a count, imm or CL                */
       FAULTS = 32,              /* may raise an exception of its own      */
       G0W = 64, G2W = 128,      /* writes globals                         */
       GREAD = 256,              /* reads globals 0..3                     */
       ENDS = 512,               /* nothing after it is reached            */
       USEC = 1024, USECC = 2048, USELAHF = 4096,      /* flags it reads    */
       APART = 8192,             /* d is neither b nor c unless it is a    */
       CONST = 1 << 14,          /* may be a constant, b being one, or a   */
       OUT = 1 << 15,            /* shows all globals                      */
       PART = 1 << 16,           /* always writes part of d only           */
       ASK = 1 << 17,            /* whether it may raise one: see may_fault */
       OTHER = 1 << 18,          /* writes more than d: note_other_writes  */
       USEMORE = 1 << 19 };      /* flags: see flags_used                  */

static const u32 traits[IR_NOPS] = {
	[IR_INSN] = KEEP,
	[IR_MOV] = BIMM | CONST, [IR_ZX] = CONST, [IR_SX] = CONST, [IR_NOT] = CONST,
	[IR_NEG] = CONST, [IR_BSWAP] = CONST, [IR_IMUL3] = CONST, [IR_LEA] = CONST,
	[IR_ADD] = BIMM | COMM, [IR_ADC] = BIMM | COMM | USEC,
	[IR_SUB] = BIMM | CONST, [IR_SBB] = BIMM | USEC,
	[IR_AND] = BIMM | COMM, [IR_OR] = BIMM | COMM, [IR_XOR] = BIMM | COMM | CONST,
	[IR_CMP] = BIMM, [IR_TEST] = BIMM | COMM,
	[IR_SHL] = SHIFT, [IR_SHR] = SHIFT, [IR_SAR] = SHIFT,
	[IR_ROL] = SHIFT, [IR_ROR] = SHIFT,
	[IR_RCL] = SHIFT | USEC, [IR_RCR] = SHIFT | USEC,
	[IR_SHLD] = SHIFT, [IR_SHRD] = SHIFT,
	[IR_MULU] = KEEP | OTHER | G0W | G2W | GREAD,
	[IR_MULS] = KEEP | OTHER | G0W | G2W | GREAD,
	[IR_DIVU] = KEEP | OTHER | G0W | G2W | GREAD | FAULTS,
	[IR_DIVS] = KEEP | OTHER | G0W | G2W | GREAD | FAULTS,
	[IR_BSF] = TIED, [IR_BSR] = TIED,
	[IR_BT] = BIMM,
	[IR_BTS] = BIMM | APART, [IR_BTR] = BIMM | APART,
	[IR_BTC] = BIMM | APART,
	[IR_SETCC] = USECC | PART, [IR_MOVCC] = TIED | USECC,
	[IR_XCHG] = TIED | KEEP | OTHER, [IR_XADD] = TIED | KEEP | OTHER,
	[IR_CMPXCHG] = TIED | KEEP | OTHER | G0W | GREAD,
	[IR_CMPXCHG8] = KEEP | OTHER | G0W | G2W | GREAD,
	[IR_STE] = KEEP | BIMM,
	[IR_CF] = USEMORE,
	[IR_LAHF] = USELAHF | PART,
	[IR_GUARD] = KEEP | FAULTS,
	[IR_FPU] = KEEP | FAULTS | PART, [IR_FPUM] = KEEP | FAULTS | PART,
	[IR_VEC] = KEEP | TIED | ASK | OTHER,
	[IR_CALL] = KEEP | OUT | ASK | OTHER | USEMORE,
	[IR_EXIT] = KEEP | OUT | ENDS, [IR_EXITCC] = KEEP | OUT | USECC,
	[IR_EXITZ] = KEEP | OUT, [IR_EXITNZ] = KEEP | OUT,
	[IR_EXITIND] = KEEP | OUT | ENDS, [IR_EXITMAIN] = KEEP | OUT | ENDS,
	[IR_EXITLOOK] = KEEP | OUT | ENDS,
};

static const u8 cc_flags[8] = {          /* of a condition and its opposite */
	IRF_O, IRF_C, IRF_Z, IRF_C | IRF_Z,
	IRF_S, IRF_P, IRF_S | IRF_O, IRF_S | IRF_O | IRF_Z,
};

static bool is_val(ir_val v) { return v < IR_IMM; }
static bool is_temp(ir_val v) { return v >= IR_FIRST_TEMP && v < IR_IMM; }
static int bits(int size) { return 8 << size; }

/* Does the instruction write part of d only? What is left of a temporary then
 * has no value; so this is about globals. */
static bool writes_part(const struct ir_insn *i)
{
	int size = ir_desc[i->op].kind == IRK_CONV ? i->dsize : i->size;

	return size < IRS_32 || traits[i->op] & PART;
}

/* f(x, v) of each operand v it reads, by name; traits add more. */
#define EACH_READ(i, f, x) \
	(f(x, (i)->a), f(x, (i)->b), f(x, (i)->c), f(x, (i)->ea.base), f(x, (i)->ea.index))

/* b is written too: the register exchanges. */
static bool writes_b(const struct ir_insn *i)
{
	return i->op == IR_XCHG || i->op == IR_XADD;
}

static int helper_flags(const struct opt *o, const struct ir_insn *i)
{
	return o->b->target->helper[i->aux].flags;
}

static bool may_fault(const struct opt *o, const struct ir_insn *i)
{
	u32 t = traits[i->op];

	if (i->mem != IRM_NONE || t & FAULTS)
		return true;
	return t & ASK && (i->op == IR_VEC ? (i->imm2 & VEC_FAULTS) != 0 :
			   helper_flags(o, i) & IRH_FAULTS);
}

/* Must the globals be exact when it starts? */
static bool is_barrier(const struct opt *o, const struct ir_insn *i)
{
	return traits[i->op] & OUT || may_fault(o, i);
}

/* -- forward: what is known of values ------------------------------------- */
static u32 mask(int size) { return size >= IRS_32 ? ~0u : (1u << bits(size)) - 1; }

static s64 sext(u32 v, int size)
{
	int n = size >= IRS_32 ? 0 : 32 - bits(size);

	return (s32)(v << n) >> n;
}

static bool is_const(const struct opt *o, ir_val v, int size)
{
	return is_val(v) && size <= IRS_32 && o->v[v].kbits >= bits(size);
}

/* Is there a relation, and are the values it was made from still the same? */
static bool has_base(const struct opt *o, ir_val v)
{
	if (!is_temp(v) || o->v[v].base == IR_NONE)
		return false;
	const struct val *t = &o->v[v];

	return t->base_ver == o->v[t->base].ver &&
	       (t->index == IR_NONE || t->index_ver == o->v[t->index].ver);
}

/* v as a value of its own, or the one it was copied from. */
static ir_val copied(const struct opt *o, ir_val v)
{
	if (!has_base(o, v))
		return v;
	const struct val *t = &o->v[v];

	return t->index == IR_NONE && t->ofs == 0 ? t->base : v;
}

/* A write to v: all that is known of it, or from it, ends. `size` is the part
 * written; known low bits outlive a write to bits 8..15. */
static void val_write(struct opt *o, int n, ir_val v, bool high)
{
	struct val *t = &o->v[v];

	t->ver++;
	t->def = n + 1;
	t->base = IR_NONE;
	t->kbits = high ? MIN(t->kbits, 8) : 0;
	o->look[v] = t->kbits || is_temp(v);
}

static void val_set_const(struct opt *o, ir_val v, u8 old_kbits, u32 k, int size)
{
	struct val *t = &o->v[v];

	o->look[v] = true;
	if (old_kbits > bits(size) && size < IRS_32) {
		t->k = (t->k & ~mask(size)) | (k & mask(size));
		t->kbits = old_kbits;
	} else {
		t->k = k & mask(size);
		t->kbits = bits(MIN(size, IRS_32));
	}
}

static void val_set_base(struct opt *o, ir_val v, const struct ir_ea *ea)
{
	struct val *t = &o->v[v];

	if (!is_temp(v) || ea->base == v || ea->index == v)
		return;
	t->base = ea->base;
	t->index = ea->index;
	t->scale = ea->scale;
	t->ofs = (u32)ea->disp;
	t->base_ver = o->v[t->base].ver;
	if (t->index != IR_NONE)
		t->index_ver = o->v[t->index].ver;
}

/* -- forward: operands ---------------------------------------------------- */
static void ea_normal(struct ir_ea *ea)
{
	if (ea->base == IR_NONE && ea->scale == 0) {
		ea->base = ea->index;
		ea->index = IR_NONE;
	}
	if (ea->index == IR_NONE)
		ea->scale = 0;
}

/* Replace the base by what it was computed from. Two-part sums only where this
 * was their only use: else the sum had better be computed once. */
static bool fold_base(struct opt *o, struct ir_ea *ea)
{
	const struct val *t = &o->v[ea->base];

	if (is_temp(ea->base) && t->kbits == 32) {
		ea->disp = (s32)((u32)ea->disp + t->k);
		ea->base = IR_NONE;
		return true;
	}
	if (!has_base(o, ea->base))
		return false;
	if (t->index != IR_NONE) {
		if (ea->index != IR_NONE || t->uses > 1)
			return false;
		ea->index = t->index;
		ea->scale = t->scale;
	}
	ea->base = t->base;
	ea->disp = (s32)((u32)ea->disp + t->ofs);
	return true;
}

static bool fold_index(struct opt *o, struct ir_ea *ea)
{
	const struct val *t = &o->v[ea->index];

	if (t->kbits == 32) {
		ea->disp = (s32)((u32)ea->disp + (t->k << ea->scale));
		ea->index = IR_NONE;
		return true;
	}
	if (!has_base(o, ea->index) || t->index != IR_NONE)
		return false;
	ea->index = t->base;
	ea->disp = (s32)((u32)ea->disp + (t->ofs << ea->scale));
	return true;
}

static void fold_ea(struct opt *o, struct ir_ea *ea)
{
	ea_normal(ea);
	if (is_val(ea->index) && fold_index(o, ea))
		ea_normal(ea);
	if (is_val(ea->base) && fold_base(o, ea))
		ea_normal(ea);
}

/* Is b worth being an immediate? A global sits in a register anyway, and four
 * bytes of immediate are more code than a register's number. */
static bool imm_pays(const struct opt *o, ir_val b, int size)
{
	s64 k = sext(o->v[b].k, size);

	return is_temp(b) || k == (s8)k;
}

static void fold_operands(struct opt *o, struct ir_insn *i)
{
	u32 t = traits[i->op];

	if (i->ea.base != IR_NONE || i->ea.index != IR_NONE)
		fold_ea(o, &i->ea);
	if (i->size > IRS_32 || i->part)
		return;
	/* d = d op b in part keeps the rest of d: nothing would be saved */
	if (!(t & TIED) && !(writes_part(i) && i->a == i->d))
		i->a = copied(o, i->a);
	/* d = a op d where d is not a is simple arithmetic's privilege */
	if (!writes_b(i) && (i->a == i->d || copied(o, i->b) != i->d ||
			     !(t & APART)))
		i->b = copied(o, i->b);
	if (i->a == i->d || copied(o, i->c) != i->d)
		i->c = copied(o, i->c);
	if ((t & COMM) && i->mem == IRM_NONE && is_val(i->b) &&
	    is_temp(i->a) && is_const(o, i->a, i->size)) {
		ir_val a = i->a;

		i->a = i->b;
		i->b = a;
	}
	if (!(t & BIMM) || !is_const(o, i->b, i->size) ||
	    !imm_pays(o, i->b, i->size))
		return;
	*(i->op == IR_STE ? &i->imm2 : &i->imm) = sext(o->v[i->b].k, i->size);
	i->b = IR_IMM;
}

/* -- forward: results ----------------------------------------------------- */
/* Turn the instruction into d = b. */
static void become_mov(struct ir_insn *i, int size, ir_val b, s64 imm)
{
	i->op = IR_MOV;
	i->size = size;
	i->dsize = 0;
	i->part = (i->part & IRP_D) | (i->part & IRP_A ? IRP_B : 0);
	i->fdef = i->fuse = 0;
	i->a = i->c = IR_NONE;
	i->b = b;
	i->imm = imm;
	i->ea = (struct ir_ea){ .base = IR_NONE, .index = IR_NONE };
}

/* A count in CL that is known: flags then follow the rules of a constant. */
static void fold_count(struct opt *o, struct ir_insn *i)
{
	if (!is_val(i->b) || o->v[i->b].kbits < 8)
		return;
	int n = o->v[i->b].k & 31;

	if (n == 0) {
		if (i->mem == IRM_NONE)
			become_mov(i, i->size, i->a, 0);
		return;
	}
	i->b = IR_IMM;
	i->imm = n;
	i->fuse = traits[i->op] & USEC ? IRF_C : 0;
}

/* The value of operand v, b also being IR_IMM; false: not known. */
static bool known(const struct opt *o, const struct ir_insn *i, ir_val v, u32 *k)
{
	if (v == IR_IMM)
		*k = (u32)i->imm & mask(i->size);
	else if (is_const(o, v, i->size))
		*k = o->v[v].k & mask(i->size);
	else
		return false;
	return true;
}

static bool eval1(const struct ir_insn *i, u32 b, u32 *r)
{
	switch (i->op) {
	case IR_MOV: case IR_ZX: *r = b; return true;
	case IR_SX:    *r = (u32)sext(b, i->size); return true;
	case IR_NOT:   *r = ~b; return true;
	case IR_NEG:   *r = -b; return true;
	case IR_BSWAP: *r = __builtin_bswap32(b); return i->size == IRS_32;
	case IR_IMUL3: *r = b * (u32)i->imm; return true;
	}
	return false;
}

static bool eval2(const struct ir_insn *i, u32 a, u32 b, u32 *r)
{
	switch (i->op) {
	case IR_ADD: *r = a + b; return true;
	case IR_SUB: *r = a - b; return true;
	case IR_AND: *r = a & b; return true;
	case IR_OR:  *r = a | b; return true;
	case IR_XOR: *r = a ^ b; return true;
	case IR_SHL: *r = a << (b & 31); return true;
	case IR_SHR: *r = a >> (b & 31); return true;
	case IR_SAR: *r = (u32)(sext(a, i->size) >> (b & 31)); return true;
	}
	return false;
}

/* Is d a constant? `size` gets the size of d. */
static bool eval(const struct opt *o, const struct ir_insn *i, u32 *r, int *size)
{
	int kind = ir_desc[i->op].kind;
	u32 a, b;

	*size = kind == IRK_CONV ? i->dsize : i->size;
	if (!is_val(i->d) || i->mem != IRM_NONE || i->part ||
	    i->size > IRS_32 || *size > IRS_32)
		return false;
	if (i->op == IR_LEA) {
		*r = (u32)i->ea.disp;
		return i->ea.base == IR_NONE && i->ea.index == IR_NONE;
	}
	if ((i->op == IR_XOR || i->op == IR_SUB) && i->a == i->b) {
		*r = 0;
		return true;
	}
	if (!known(o, i, i->b, &b))
		return false;
	if (kind == IRK_ALU1 || kind == IRK_CONV || i->op == IR_IMUL3)
		return eval1(i, b, r);
	return kind == IRK_ALU2 && known(o, i, i->a, &a) && eval2(i, a, b, r);
}

/* d = a + imm as an address; false: it is not one. */
static bool as_ea(const struct ir_insn *i, struct ir_ea *ea)
{
	bool sum = (i->op == IR_ADD || i->op == IR_SUB) && i->b == IR_IMM;

	if (i->size != IRS_32 || i->mem != IRM_NONE || !is_val(i->d))
		return false;
	*ea = (struct ir_ea){ .base = i->a, .index = IR_NONE };
	if (i->op == IR_LEA)
		*ea = i->ea;
	else if (i->op == IR_MOV && is_val(i->b))
		ea->base = i->b;
	else if (sum)
		ea->disp = (s32)(i->op == IR_ADD ? i->imm : -i->imm);
	else
		return false;
	return true;
}

/* An address computation without flags collects what its base was made of. */
static void fold_sum(struct opt *o, struct ir_insn *i, struct ir_ea *ea)
{
	ir_val base = ea->base;

	if (is_val(ea->base) && is_temp(ea->base))
		fold_base(o, ea);
	if (ea->base == base || i->op == IR_LEA || i->fdef)
		return;
	if (ea->base == IR_NONE)
		return;                          /* a constant: see eval */
	i->op = IR_LEA;
	i->a = i->b = IR_NONE;
	i->imm = 0;
	i->ea = *ea;
}

/* `t = op ...` and here `MOV G = t`: let op write G, and this be `MOV t = G`,
 * which goes when t is not used again. Nothing in between may see G, change
 * it, or read t; op itself may fault, which it does before it writes. */
static void compute_in_place(struct opt *o, int n)
{
	struct ir_insn *i = &o->b->insn[n], *p;
	ir_val g = i->d, t = i->b;

	if (i->op != IR_MOV || i->mem != IRM_NONE || i->part || !is_val(g) ||
	    is_temp(g) || !is_temp(t) || i->size > IRS_32)
		return;
	int def = o->v[t].def;

	if (def == 0 || def < o->barrier || o->use[t] > def ||
	    o->use[g] > def || o->v[g].def >= def)
		return;
	p = &o->b->insn[def - 1];
	int kind = ir_desc[p->op].kind;
	bool one = kind == IRK_ALU1 || kind == IRK_CONV || kind == IRK_LEA ||
		   p->op == IR_IMUL3;

	if (p->d != t || (p->part & IRP_D) || (traits[p->op] & (TIED | KEEP)) ||
	    p->op == IR_LAHF || (p->op == IR_LDE && i->size < IRS_32) ||
	    (kind == IRK_CONV ? p->dsize : p->size) != i->size)
		return;
	/* d = d op b in part again, or d = a op d: more work in a back end    */
	if (!one && is_val(p->a) && p->a != g && i->size < IRS_32)
		return;
	if (!one && (p->b == g || p->c == g || p->ea.base == g ||
		     p->ea.index == g))
		return;
	p->d = g;
	i->d = t;
	i->b = g;
	u8 kbits = o->v[g].kbits;

	val_write(o, def - 1, g, false);
	if (o->v[t].kbits >= bits(i->size))
		val_set_const(o, g, kbits, o->v[t].k, i->size);
}

/* -- forward: the walk ---------------------------------------------------- */
static void note_uses(struct opt *o, const struct ir_insn *i, int n)
{
#define NOTE_USE(n, v) (o->use[v] = (u16)(n))
	EACH_READ(i, NOTE_USE, n + 1);
	if (ir_desc[i->op].kind == IRK_XCHG)
		NOTE_USE(n + 1, i->d);
#undef NOTE_USE
	if (traits[i->op] & GREAD)
		for (int g = 0; g < 4; g++)
			o->use[g] = (u16)(n + 1);
	if (is_barrier(o, i))
		o->barrier = n + 1;
}

static void note_other_writes(struct opt *o, const struct ir_insn *i, int n)
{
	u32 t = traits[i->op];

	if (!(t & OTHER))
		return;
	if (t & G0W)
		val_write(o, n, 0, false);
	if (t & G2W)
		val_write(o, n, 2, false);
	if (writes_b(i) && is_val(i->b))
		val_write(o, n, i->b, i->part & IRP_B);
	if (i->op == IR_VEC && is_val(i->c))
		val_write(o, n, i->c, false);
	if (i->op == IR_CALL && (helper_flags(o, i) & IRH_WREGS))
		for (int g = 0; g < IR_MAX_GLOBALS; g++)
			val_write(o, n, g, false);
}

/* What the walk makes of the instruction; true: d is the constant k in `size`. *ea: what
 * d is the sum of; its base is IR_NONE when nobody knows. */
static bool fold(struct opt *o, int n, struct ir_ea *ea, u32 *k, int *size)
{
	struct ir_insn *i = &o->b->insn[n];
	bool constant;

	fold_operands(o, i);
	if (traits[i->op] & SHIFT)
		fold_count(o, i);
	compute_in_place(o, n);
	constant = eval(o, i, k, size);
	if (constant && i->fdef == 0 && (i->op != IR_MOV || is_temp(i->b)))
		become_mov(i, *size, IR_IMM, sext(*k, *size));
	if (constant || i->part || !as_ea(i, ea))
		ea->base = IR_NONE;
	else
		fold_sum(o, i, ea);
	return constant;
}

/* Is there nothing known of what it reads and writes, nor to be learnt? Most are such. */
static bool is_plain(const struct opt *o, const struct ir_insn *i)
{
	const bool *look = o->look;

	if (look[i->d] | look[i->a] | look[i->b] | look[i->c] | look[i->ea.base] |
	    look[i->ea.index])
		return false;
	if (i->op == IR_LEA)
		return i->ea.base != IR_NONE || i->ea.index != IR_NONE;
	return !(traits[i->op] & CONST) || (i->a != i->b && i->b != IR_IMM);
}

static void forward_one(struct opt *o, int n)
{
	struct ir_insn *i = &o->b->insn[n];
	struct ir_ea ea = { .base = IR_NONE };
	bool constant = false;
	int size = IRS_32;
	u32 k = 0;

	if (!is_plain(o, i))
		constant = fold(o, n, &ea, &k, &size);
	else if (i->ea.index != IR_NONE || i->ea.scale)
		ea_normal(&i->ea);
	if (o->temps)
		note_uses(o, i, n);
	note_other_writes(o, i, n);
	if (!is_val(i->d))
		return;
	u8 kbits = o->v[i->d].kbits;

	/* the version that val_set_base takes is that after this write */
	val_write(o, n, i->d, (i->part & IRP_D) || i->op == IR_LAHF);
	if (constant)
		val_set_const(o, i->d, kbits, k, size);
	else if (ea.base != IR_NONE)
		val_set_base(o, i->d, &ea);
}

static void count_use(struct opt *o, ir_val v)
{
	if (is_temp(v))
		o->v[v].uses++;
}

/* Values start unknown; count how often each temporary is read. */
static void opt_init(struct opt *o, struct ir_block *b)
{
	int n_temps = b->n_vals - IR_FIRST_TEMP;

	o->b = b;
	o->barrier = 0;
	o->temps = n_temps > 0;
	memset(o->look, false, IR_FIRST_TEMP);
	memset(o->look + IR_FIRST_TEMP, true, n_temps);
	o->look[IR_IMM] = o->look[IR_NONE] = false;
	memset(o->use, 0, b->n_vals * sizeof(o->use[0]));
	memset(o->v, 0, b->n_vals * sizeof(o->v[0]));
	for (int v = 0; v < b->n_vals; v++)
		o->v[v].base = IR_NONE;
	for (int n = 0; n < b->n && o->temps; n++) {
		const struct ir_insn *i = &b->insn[n];

		if (i->op != IR_INSN)
			EACH_READ(i, count_use, o);
	}
}

static void forward(struct opt *o)
{
	struct ir_block *b = o->b;
	bool folds = tcg_opt(TCG_OPT_FOLD);

	for (int n = 0; n < b->n; n++) {
		if (b->insn[n].op == IR_INSN)
			continue;
		if (folds)
			forward_one(o, n);
		if (traits[b->insn[n].op] & ENDS)
			b->n = n + 1;
	}
}

/* -- backward ------------------------------------------------------------- */
struct live {
	u8 flags, fault;
	bool val[IR_PLACES];
};

/* Shifts by CL leave the flags alone when CL is 0. */
static bool may_keep_flags(const struct ir_insn *i)
{
	return (traits[i->op] & SHIFT) && i->b != IR_IMM;
}

static u8 flags_used(const struct opt *o, const struct ir_insn *i)
{
	u32 t = traits[i->op];
	u8 use = may_keep_flags(i) ? 0 : i->fuse;

	if (!(t & (USEC | USECC | USELAHF | USEMORE)))
		return use;
	if (t & USEC)
		use |= IRF_C;
	if (t & USECC)
		use |= cc_flags[i->cc >> 1];
	if (t & USELAHF)
		use |= IRF_ALL & ~IRF_O;
	if (i->op == IR_CF && i->imm == 2)
		use |= IRF_C;
	if (i->op == IR_CALL && (helper_flags(o, i) & IRH_RFLAGS))
		use = IRF_ALL;
	return use;
}

static bool is_dead(const struct ir_insn *i, const struct live *l)
{
	return !(traits[i->op] & KEEP) && i->mem == IRM_NONE &&
	       !(i->fdef & (l->flags | l->fault)) &&
	       !(is_val(i->d) && l->val[i->d]);
}

/* SUB and AND that are done for their flags alone, a helper for its effect. */
static void drop_result(struct ir_insn *i)
{
	if (i->op == IR_CALL && is_temp(i->d))
		i->d = IR_NONE;
	if ((i->op != IR_SUB && i->op != IR_AND) ||
	    i->fdef != IRF_ALL || (i->part & IRP_D))
		return;
	i->op = i->op == IR_SUB ? IR_CMP : IR_TEST;
	i->d = IR_NONE;
}

static void note_live(struct live *l, ir_val v)
{
	l->val[v] = true;
}

/* What is live before the instruction, from what is live after it. */
static void live_before(const struct opt *o, const struct ir_insn *i,
			struct live *l)
{
	u8 kill = may_keep_flags(i) ? 0 : i->fdef;
	bool faults = may_fault(o, i);
	u32 t = traits[i->op];

	l->flags = (l->flags & ~kill) | flags_used(o, i);
	l->fault = (l->fault & ~kill) | (faults ? IRF_ALL : i->fshow);
	l->val[i->d] = ir_desc[i->op].kind == IRK_XCHG || (writes_part(i) && l->val[i->d]);
	EACH_READ(i, note_live, l);
	if (t & GREAD)
		memset(l->val, true, 4);
	if (faults || t & OUT)
		memset(l->val, true, IR_MAX_GLOBALS);
}

/* True: the instruction is dead. */
static bool backward_one(const struct opt *o, struct ir_insn *i, struct live *l)
{
	if (traits[i->op] & ENDS || (i->op == IR_CALL && helper_flags(o, i) & IRH_NORETURN))
		l->flags = l->fault = 0;
	if (is_dead(i, l) && tcg_opt(TCG_OPT_DEAD)) {
		i->op = IR_NOPS;
		return true;
	}
	if (is_val(i->d) && !l->val[i->d])
		drop_result(i);
	i->flive = l->flags;
	i->ffault = l->fault;
	live_before(o, i, l);
	return false;
}

/* True: some are dead now. */
static bool backward(struct opt *o, struct live *l)
{
	struct ir_block *b = o->b;
	bool gaps = false;

	l->flags = l->fault = IRF_ALL;
	l->val[IR_IMM] = l->val[IR_NONE] = false;
	memset(l->val, true, IR_MAX_GLOBALS);
	memset(l->val + IR_FIRST_TEMP, false, b->n_vals - IR_FIRST_TEMP);
	for (int n = b->n - 1; n >= 0; n--) {
		struct ir_insn *i = &b->insn[n];

		if (i->op == IR_INSN) {
			i->flive = l->flags;
			i->ffault = l->fault;
		} else {
			gaps |= backward_one(o, i, l);
		}
	}
	return gaps;
}

static void close_gaps(struct ir_block *b)
{
	int m = 0;

	for (int n = 0; n < b->n; n++)
		if (b->insn[n].op != IR_NOPS)
			b->insn[m++] = b->insn[n];
	b->n = m;
}

void ir_optimize(struct ir_block *b)
{
	struct opt o;
	struct live l;

	opt_init(&o, b);
	forward(&o);
	if (backward(&o, &l))
		close_gaps(b);
}
