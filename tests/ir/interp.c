/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/ir/interp.c - reference interpreter of the IR; see notes/ir.md.
 *
 * One function per kind, nothing clever. Arithmetic with flags is done by the
 * host's own instruction, so that flags the SDM calls undefined come out as
 * on this host, which is what the back end promises too. x87 operations end
 * the program with END_UNKNOWN. */
#include "interp.h"

#include <string.h>

/* -- arithmetic: the host does it -------------------------------------------- */
struct alu { u64 a, b, c; u16 fl; };       /* fl: lahf in the high byte, OF low */
typedef void alu_fn(struct alu *x);

#define FN(name, s, text) \
	static void name##_##s(struct alu *x) \
	{ \
		u16 fl = x->fl; \
		asm volatile("addb $0x7f, %%al\n\tsahf\n\t" text \
			     "\n\tlahf\n\tseto %%al" \
			     : "+b"(x->a), "+a"(fl) \
			     : "c"(x->b), "d"(x->c) : "cc"); \
		x->fl = fl; \
	}
#define FN2_WIDE(op) \
	FN(op, 16, #op "w %%cx, %%bx") FN(op, 32, #op "l %%ecx, %%ebx") \
	FN(op, 64, #op "q %%rcx, %%rbx")
#define FN2(op) FN(op, 8, #op "b %%cl, %%bl") FN2_WIDE(op)
#define FN1(op) \
	FN(op, 8, #op "b %%bl") FN(op, 16, #op "w %%bx") \
	FN(op, 32, #op "l %%ebx") FN(op, 64, #op "q %%rbx")
#define FNS(op) \
	FN(op, 8, #op "b %%cl, %%bl") FN(op, 16, #op "w %%cl, %%bx") \
	FN(op, 32, #op "l %%cl, %%ebx") FN(op, 64, #op "q %%cl, %%rbx")
#define FN3(op) \
	FN(op, 16, #op "w %%cl, %%dx, %%bx") \
	FN(op, 32, #op "l %%cl, %%edx, %%ebx") \
	FN(op, 64, #op "q %%cl, %%rdx, %%rbx")
FN2(add) FN2(adc) FN2(sub) FN2(sbb) FN2(and) FN2(or) FN2(xor) FN2(cmp) FN2(test)
FN1(not) FN1(neg)
FNS(shl) FNS(shr) FNS(sar) FNS(rol) FNS(ror) FNS(rcl) FNS(rcr) FN3(shld) FN3(shrd)
FN2_WIDE(imul) FN2_WIDE(bsf) FN2_WIDE(bsr)
FN2_WIDE(bt) FN2_WIDE(bts) FN2_WIDE(btr) FN2_WIDE(btc)

#define WIDE(op) { NULL, op##_16, op##_32, op##_64 }
#define ALL(op) { op##_8, op##_16, op##_32, op##_64 }
static alu_fn *const alu[IR_NOPS][4] = {
	[IR_ADD] = ALL(add), [IR_ADC] = ALL(adc), [IR_SUB] = ALL(sub),
	[IR_SBB] = ALL(sbb), [IR_AND] = ALL(and), [IR_OR] = ALL(or),
	[IR_XOR] = ALL(xor), [IR_CMP] = ALL(cmp), [IR_TEST] = ALL(test),
	[IR_NOT] = ALL(not), [IR_NEG] = ALL(neg),
	[IR_SHL] = ALL(shl), [IR_SHR] = ALL(shr), [IR_SAR] = ALL(sar),
	[IR_ROL] = ALL(rol), [IR_ROR] = ALL(ror), [IR_RCL] = ALL(rcl),
	[IR_RCR] = ALL(rcr), [IR_SHLD] = WIDE(shld), [IR_SHRD] = WIDE(shrd),
	[IR_IMUL] = WIDE(imul), [IR_IMUL3] = WIDE(imul),
	[IR_BSF] = WIDE(bsf), [IR_BSR] = WIDE(bsr),
	[IR_BT] = WIDE(bt), [IR_BTS] = WIDE(bts), [IR_BTR] = WIDE(btr),
	[IR_BTC] = WIDE(btc),
};

/* -- flags ----------------------------------------------------------------------- */
u32 cc_of_flags(u8 f)
{
	return (f & IRF_C ? 1 : 0) | (f & IRF_P ? 4 : 0) | (f & IRF_A ? 0x10 : 0) |
	       (f & IRF_Z ? 0x40 : 0) | (f & IRF_S ? 0x80 : 0) |
	       (f & IRF_O ? 0x800 : 0);
}

u8 flags_of_cc(u32 cc)
{
	return (cc & 1 ? IRF_C : 0) | (cc & 4 ? IRF_P : 0) | (cc & 0x10 ? IRF_A : 0) |
	       (cc & 0x40 ? IRF_Z : 0) | (cc & 0x80 ? IRF_S : 0) |
	       (cc & 0x800 ? IRF_O : 0);
}

u8 flags_of_cond(int cc)
{
	static const u8 need[8] = {
		IRF_O, IRF_C, IRF_Z, IRF_C | IRF_Z,
		IRF_S, IRF_P, IRF_S | IRF_O, IRF_S | IRF_O | IRF_Z,
	};

	return need[cc >> 1];
}

static bool cond(u8 f, int cc)
{
	bool less = !(f & IRF_S) != !(f & IRF_O);
	const bool r[8] = {
		f & IRF_O, f & IRF_C, f & IRF_Z, f & (IRF_C | IRF_Z),
		f & IRF_S, f & IRF_P, less, less || (f & IRF_Z),
	};

	return r[cc >> 1] != (cc & 1);
}

u8 undefined_flags(const struct ir_insn *i)
{
	bool one = i->b == IR_IMM && (i->imm & 31) == 1;

	switch (i->op) {
	case IR_SHL: case IR_SHR: case IR_SAR: case IR_SHLD: case IR_SHRD:
		return i->fdef & (IRF_A | (one ? 0 : IRF_O));
	case IR_ROL: case IR_ROR: case IR_RCL: case IR_RCR:
		return i->fdef & (one ? 0 : IRF_O);
	case IR_IMUL: case IR_IMUL3: case IR_MULU: case IR_MULS:
		return i->fdef & ~(IRF_C | IRF_O);
	case IR_DIVU: case IR_DIVS:
		return i->fdef;
	case IR_BSF: case IR_BSR:
		return i->fdef & ~IRF_Z;
	case IR_BT: case IR_BTS: case IR_BTR: case IR_BTC:
		return i->fdef & ~(IRF_C | IRF_Z);
	}
	return 0;
}

/* -- the run ---------------------------------------------------------------------- */
struct run {
	struct state *s;
	const struct ir_insn *i;
	u64 val[IR_MAX_TEMPS];
	u8 has_bits[IR_MAX_TEMPS];   /* low bits with a value */
	u32 pc;                          /* of the guest instruction         */
	struct test_cpu *cpu;
	jmp_buf out;
};
static struct run *current_run;
void (*test_raise)(struct cpu *cpu, enum end end);

static void finish(struct run *r, enum end end, u32 pc, u8 live)
{
	r->s->end = end;
	r->s->pc = pc;
	r->s->live = live;
	longjmp(r->out, 1);
}

static void fault(struct run *r)
{
	finish(r, END_FAULT, r->pc, IRF_ALL);
}

static u64 size_mask(int size)
{
	return size >= IRS_64 ? ~0ull : (1ull << (8 << size)) - 1;
}

static u64 get(struct run *r, ir_val v, int size, bool high)
{
	if (v == IR_IMM)
		return (u64)r->i->imm & size_mask(size);
	if (v == IR_NONE)
		return 0;
	r->s->sloppy |= r->has_bits[v] < (8 << MIN(size, IRS_32));
	return (r->val[v] >> (high ? 8 : 0)) & size_mask(size);
}

static void set(struct run *r, ir_val v, int size, bool high, u64 x)
{
	u64 m = size_mask(size) << (high ? 8 : 0);

	if (v >= IR_IMM)
		return;
	x = (x << (high ? 8 : 0)) & m;
	r->val[v] = size >= IRS_32 ? x : (r->val[v] & ~m) | x;
	if (v >= IR_FIRST_TEMP)
		r->has_bits[v] = (u8)(8 << MIN(size, IRS_32));
}

static u32 address(struct run *r)
{
	const struct ir_ea *ea = &r->i->ea;

	return (u32)get(r, ea->base, IRS_32, false) +
	       ((u32)get(r, ea->index, IRS_32, false) << ea->scale) +
	       (u32)ea->disp;
}

/* The bytes of the memory operand; faults. */
static u8 *operand(struct run *r, int size)
{
	u32 a = address(r);

	if ((u64)a + (1u << size) > MEM_SIZE)
		fault(r);
	return &r->s->mem[a];
}

static u64 load(struct run *r, int size)
{
	u64 x = 0;

	memcpy(&x, operand(r, size), 1u << size);
	return x;
}

static void store(struct run *r, int size, u64 x)
{
	memcpy(operand(r, size), &x, 1u << size);
}

static u64 get_a(struct run *r)
{
	const struct ir_insn *i = r->i;

	return i->mem == IRM_LHS || i->mem == IRM_DST ? load(r, i->size) :
	       get(r, i->a, i->size, i->part & IRP_A);
}

static u64 get_b(struct run *r)
{
	return r->i->mem == IRM_SRC ? load(r, r->i->size) :
	       get(r, r->i->b, r->i->size, r->i->part & IRP_B);
}

static void set_d(struct run *r, int size, u64 x)
{
	if (r->i->mem == IRM_DST)
		store(r, size, x);
	else
		set(r, r->i->d, size, r->i->part & IRP_D, x);
}

/* A shift by CL that is 0 leaves the flags, defined or not, as they are. */
static bool keeps_flags(struct run *r)
{
	const struct ir_insn *i = r->i;

	return i->op >= IR_SHL && i->op <= IR_SHRD && i->b != IR_IMM &&
	       (r->val[i->b] & 31) == 0;
}

static void define_flags(struct run *r, u8 f)
{
	u8 def = r->i->fdef;

	r->s->flags = (r->s->flags & ~def) | (f & def);
	r->s->undef = (r->s->undef & ~def) | undefined_flags(r->i);
}

/* op on a, b, c; the flags are left in x->fl. */
static void host_op(struct run *r, int op, struct alu *x)
{
	u8 f = r->s->flags;

	x->fl = (u16)((cc_of_flags(f) & 0xd5) << 8 | !!(f & IRF_O));
	alu[op][r->i->size](x);
}

static u8 host_flags(const struct alu *x)
{
	return flags_of_cc((x->fl >> 8 & 0xd5) | (x->fl & 1 ? 0x800 : 0));
}

/* -- one kind after the other -------------------------------------------------------- */
static void run_alu(struct run *r)
{
	const struct ir_insn *i = r->i;
	struct alu x;
	int kind = ir_desc[i->op].kind;

	x.b = get_b(r);
	x.a = i->op == IR_IMUL3 ? x.b :
	      kind == IRK_ALU1 && i->mem != IRM_DST ? x.b : get_a(r);
	if (i->op == IR_IMUL3)
		x.b = (u64)i->imm;
	if (i->op >= IR_BT && i->op <= IR_BTC)
		x.b &= (8u << i->size) - 1;
	x.c = get(r, i->c, i->size, false);
	bool keep = keeps_flags(r);

	host_op(r, i->op, &x);
	if (kind != IRK_CMP)
		set_d(r, i->size, x.a);
	if (!keep)
		define_flags(r, host_flags(&x));
}

static void run_move(struct run *r)
{
	const struct ir_insn *i = r->i;
	u64 b = get_b(r);

	switch (i->op) {
	case IR_MOV:
		set_d(r, i->size, b);
		break;
	case IR_BSWAP:
		set_d(r, i->size, __builtin_bswap32((u32)b));
		break;
	case IR_ZX:
		set_d(r, i->dsize, b);
		break;
	case IR_SX:
		set_d(r, i->dsize, (u64)((s64)(b << (64 - (8 << i->size))) >>
					 (64 - (8 << i->size))));
		break;
	case IR_LEA:
		set(r, i->d, i->size, false, address(r));
		break;
	case IR_SETCC:
		set_d(r, IRS_8, cond(r->s->flags, i->cc));
		break;
	case IR_MOVCC:
		set_d(r, i->size, cond(r->s->flags, i->cc) ? b :
		      get(r, i->a, i->size, false));
		break;
	}
}

/* The accumulator pair as one number of twice the size, and back. */
static u64 get_pair(struct run *r, int size)
{
	if (size == IRS_8)
		return r->val[0] & 0xffff;
	return (r->val[2] & size_mask(size)) << (8 << size) |
	       (r->val[0] & size_mask(size));
}

static void set_pair(struct run *r, int size, u64 lo, u64 hi)
{
	if (size == IRS_8) {
		set(r, 0, IRS_16, false, (lo & 0xff) | hi << 8);
		return;
	}
	set(r, 0, size, false, lo);
	set(r, 2, size, false, hi);
}

static s64 signed_of(u64 x, int nbits)
{
	return nbits >= 64 ? (s64)x : (s64)(x << (64 - nbits)) >> (64 - nbits);
}

static void run_mul(struct run *r)
{
	const struct ir_insn *i = r->i;
	int n = 8 << i->size;
	u64 a = get(r, 0, i->size, false), b = get_b(r), p;
	bool over;

	if (i->op == IR_MULU) {
		p = a * b;
		over = p >> n != 0;
	} else {
		p = (u64)(signed_of(a, n) * signed_of(b, n));
		over = signed_of(p, n) != (s64)p;
	}
	set_pair(r, i->size, p & size_mask(i->size), p >> n & size_mask(i->size));
	define_flags(r, over ? IRF_C | IRF_O : 0);
}

static void run_div(struct run *r)
{
	const struct ir_insn *i = r->i;
	int n = 8 << i->size;
	u64 b = get_b(r), p = get_pair(r, i->size), q, m;

	if (b == 0)
		fault(r);
	if (i->op == IR_DIVU) {
		q = p / b;
		m = p % b;
		if (q > size_mask(i->size))
			fault(r);
	} else {
		s64 sp = signed_of(p, 2 * n), sb = signed_of(b, n);

		if (sp == INT64_MIN && sb == -1)
			fault(r);
		q = (u64)(sp / sb);
		m = (u64)(sp % sb);
		if (signed_of(q, n) != (s64)q)
			fault(r);
	}
	set_pair(r, i->size, q & size_mask(i->size), m & size_mask(i->size));
	define_flags(r, 0);
}

static void run_cmpxchg8(struct run *r)
{
	u64 m = load(r, IRS_64);
	bool equal = m == get_pair(r, IRS_32);

	if (equal)
		store(r, IRS_64, r->val[1] << 32 | (u32)r->val[3]);
	else
		set_pair(r, IRS_32, (u32)m, m >> 32);
	define_flags(r, equal ? IRF_Z : 0);
}

static void run_fix(struct run *r)
{
	if (r->i->op == IR_CMPXCHG8)
		run_cmpxchg8(r);
	else if (r->i->op == IR_MULU || r->i->op == IR_MULS)
		run_mul(r);
	else
		run_div(r);
}

/* Write b and d: memory first, as b may be part of the address; else d last. */
static void swap(struct run *r, u64 b, u64 d)
{
	const struct ir_insn *i = r->i;

	if (i->mem == IRM_DST)
		store(r, i->size, d);
	set(r, i->b, i->size, i->part & IRP_B, b);
	if (i->mem != IRM_DST)
		set_d(r, i->size, d);
}

static void run_xchg(struct run *r)
{
	const struct ir_insn *i = r->i;
	bool mem = i->mem == IRM_DST;
	u64 d = mem ? load(r, i->size) : get(r, i->d, i->size, i->part & IRP_D);
	u64 b = get(r, i->b, i->size, i->part & IRP_B);
	struct alu x = { .a = d, .b = b };

	switch (i->op) {
	case IR_XCHG:
		swap(r, d, b);
		break;
	case IR_XADD:
		host_op(r, IR_ADD, &x);
		swap(r, d, x.a);
		define_flags(r, host_flags(&x));
		break;
	case IR_CMPXCHG:
		x.a = get(r, 0, i->size, false);
		x.b = d;
		host_op(r, IR_CMP, &x);
		if (get(r, 0, i->size, false) == d)
			set_d(r, i->size, b);
		else
			set(r, 0, i->size, false, d);
		define_flags(r, host_flags(&x));
		break;
	}
}

static void run_env(struct run *r)
{
	const struct ir_insn *i = r->i;
	u64 x = 0;

	if (i->op == IR_LDE) {
		memcpy(&x, r->s->env + i->imm, 1u << i->size);
		set(r, i->d, i->size, false, x);
		return;
	}
	x = i->b == IR_IMM ? (u64)i->imm2 : r->val[i->b];
	memcpy(r->s->env + i->imm, &x, 1u << i->size);
}

static void run_flag(struct run *r)
{
	const struct ir_insn *i = r->i;
	u8 *f = &r->s->flags;

	switch (i->op) {
	case IR_CF:
		define_flags(r, i->imm == 2 ? *f ^ IRF_C : i->imm ? IRF_C : 0);
		break;
	case IR_LAHF:
		set(r, i->d, IRS_8, true, (cc_of_flags(*f) & 0xd5) | 2);
		break;
	case IR_SAHF:
		define_flags(r, flags_of_cc(get(r, i->b, IRS_8, true)));
		break;
	}
}

static u64 call(struct run *r, u32 nr, u32 a, u32 b, u32 c)
{
	const struct ir_helper *h = &test_target.helper[nr];
	struct cpu *cpu = &r->cpu->c;
	u64 (*fn)(struct cpu *, u32, u32, u32) =
		(u64 (*)(struct cpu *, u32, u32, u32))h->fn;

	for (int g = 0; g < N_GLOBALS; g++)
		cpu->regs[g] = h->flags & IRH_RREGS ? r->val[g] : 0;
	cpu->cc = h->flags & IRH_RFLAGS ? cc_from_eflags(cc_of_flags(r->s->flags)) : 0;
	u64 x = fn(cpu, a, b, c);

	if (h->flags & IRH_WREGS)
		for (int g = 0; g < N_GLOBALS; g++)
			r->val[g] = cpu->regs[g];
	if (h->flags & IRH_WFLAGS) {
		r->s->flags = flags_of_cc(cc_to_eflags(cpu->cc));
		r->s->undef = 0;
	}
	return x;
}

static void run_call(struct run *r)
{
	const struct ir_insn *i = r->i;
	u64 x = call(r, i->aux, (u32)get(r, i->a, IRS_32, false),
		     (u32)get(r, i->b, IRS_32, false),
		     (u32)get(r, i->c, IRS_32, false));

	set(r, i->d, i->size, false, x);
}

static void run_guard(struct run *r)
{
	const struct ir_insn *i = r->i;
	u32 a = (u32)get(r, i->a, IRS_32, false), g[2];

	memcpy(g, r->s->env + i->imm, 8);
	if (a - g[0] >= g[1])
		call(r, (u32)i->imm2, a, i->aux, 0);
}

static void run_exit(struct run *r)
{
	const struct ir_insn *i = r->i;
	bool zero = get(r, i->a, i->size, false) == 0;

	switch (i->op) {
	case IR_EXITIND:
		finish(r, END_EXIT, (u32)get(r, i->a, IRS_32, false), i->fuse | i->fshow);
		break;
	case IR_EXITMAIN:
		finish(r, END_MAIN, 0, i->fuse);
		break;
	case IR_EXITLOOK:
		finish(r, END_LOOK, 0, i->fuse);
		break;
	}
	if ((i->op == IR_EXITCC && !cond(r->s->flags, i->cc)) ||
	    (i->op == IR_EXITZ && !zero) || (i->op == IR_EXITNZ && zero))
		return;
	finish(r, END_EXIT, (u32)i->imm, i->fuse | i->fshow);
}

static u8 flags_read(const struct ir_insn *i)
{
	bool carry = i->op == IR_ADC || i->op == IR_SBB || i->op == IR_RCL ||
		     i->op == IR_RCR || (i->op == IR_CF && i->imm == 2);

	if (i->op == IR_SETCC || i->op == IR_MOVCC || i->op == IR_EXITCC)
		return flags_of_cond(i->cc);
	if (i->op == IR_CALL)
		return test_target.helper[i->aux].flags & IRH_RFLAGS ? IRF_ALL : 0;
	return i->op == IR_LAHF ? IRF_ALL & ~IRF_O : carry ? IRF_C : 0;
}

static void run_one(struct run *r)
{
	const struct ir_insn *i = r->i;

	r->s->sloppy |= flags_read(i) & r->s->undef;
	if (i->op == IR_INSN) {
		r->pc = (u32)i->imm;
		return;
	}
	if (i->op < IR_NOPS && alu[i->op][IRS_32]) {
		run_alu(r);
		return;
	}
	switch (ir_desc[i->op].kind) {
	case IRK_ALU0: case IRK_ALU1: case IRK_ALU2: case IRK_CONV: case IRK_LEA:
		run_move(r);
		break;
	case IRK_FIX:   run_fix(r);   break;
	case IRK_XCHG:  run_xchg(r);  break;
	case IRK_ENV:   run_env(r);   break;
	case IRK_FLAG:  run_flag(r);  break;
	case IRK_GUARD: run_guard(r); break;
	case IRK_CALL:  run_call(r);  break;
	case IRK_EXIT:  run_exit(r);  break;
	default:        finish(r, END_UNKNOWN, 0, 0);
	}
}

static void interp_raise(struct cpu *cpu, enum end end)
{
	(void)cpu;
	finish(current_run, end, current_run->pc, IRF_ALL);
}

void interp(const struct ir_block *b, struct state *s)
{
	static struct test_cpu cpu;
	static struct run r;

	r.s = s;
	r.pc = 0;
	r.cpu = &cpu;
	current_run = &r;
	test_raise = interp_raise;
	memset(r.val, 0, sizeof(r.val));
	memset(r.has_bits, 0, sizeof(r.has_bits));
	memset(r.has_bits, 64, IR_FIRST_TEMP);
	memcpy(r.val, s->global, sizeof(s->global));
	s->end = END_NONE;
	s->live = 0;
	s->undef = 0;
	s->sloppy = false;
	if (!setjmp(r.out)) {
		for (int n = 0; n < b->n; n++) {
			r.i = &b->insn[n];
			run_one(&r);
		}
	}
	memcpy(s->global, r.val, sizeof(s->global));
}

/* -- helpers ------------------------------------------------------------------------- */
static u64 th_pure(struct cpu *cpu, u32 a, u32 b, u32 c)
{
	(void)cpu;
	return a + b * 3 + c * 5;
}

static u64 th_rflags(struct cpu *cpu, u32 a, u32 b, u32 c)
{
	(void)b;
	(void)c;
	return cc_to_eflags(cpu->cc) ^ a;
}

static u64 th_wflags(struct cpu *cpu, u32 a, u32 b, u32 c)
{
	(void)c;
	cpu->cc = cc_from_eflags(a);
	return b;
}

static u64 th_rregs(struct cpu *cpu, u32 a, u32 b, u32 c)
{
	(void)b;
	(void)c;
	for (int g = 0; g < N_GLOBALS; g++)
		a = a * 31 + (u32)cpu->regs[g];
	return a;
}

/* Not the stack pointer and the frame: programs address memory off them. */
static u64 th_wregs(struct cpu *cpu, u32 a, u32 b, u32 c)
{
	(void)b;
	(void)c;
	for (int g = 0; g < 4; g++)
		cpu->regs[g] = (u32)(cpu->regs[g] * 5 + a + (u32)g);
	return cpu->regs[7];
}

static u64 th_faults(struct cpu *cpu, u32 a, u32 b, u32 c)
{
	(void)c;
	if ((a & 7) == 3)
		test_raise(cpu, END_FAULT);
	return a ^ b;
}

static u64 th_guard(struct cpu *cpu, u32 a, u32 b, u32 c)
{
	(void)b;
	(void)c;
	if (a & 1)
		test_raise(cpu, END_FAULT);
	return 0;
}

static u64 th_stop(struct cpu *cpu, u32 a, u32 b, u32 c)
{
	(void)a;
	(void)b;
	(void)c;
	test_raise(cpu, END_STOP);
	return 0;
}

static const struct ir_helper helpers[N_TEST_HELPERS] = {
	[TH_PURE] = { "pure", (void *)th_pure, 3, 0 },
	[TH_RFLAGS] = { "rflags", (void *)th_rflags, 1, IRH_RFLAGS },
	[TH_WFLAGS] = { "wflags", (void *)th_wflags, 2, IRH_RFLAGS | IRH_WFLAGS },
	[TH_RREGS] = { "rregs", (void *)th_rregs, 1, IRH_RREGS },
	[TH_WREGS] = { "wregs", (void *)th_wregs, 1, IRH_RREGS | IRH_WREGS },
	[TH_FAULTS] = { "faults", (void *)th_faults, 2, IRH_FAULTS },
	[TH_GUARD] = { "guardfail", (void *)th_guard, 2, IRH_FAULTS },
	[TH_STOP] = { "stop", (void *)th_stop, 0,
		      IRH_FAULTS | IRH_RREGS | IRH_RFLAGS | IRH_NORETURN },
};

#define REGS_OFS(n) (u16)(offsetof(struct cpu, regs) + 8 * (n))
const struct ir_target test_target = {
	.n_globals = N_GLOBALS,
	.global = {
		{ "EAX", 0, REGS_OFS(0) }, { "ECX", 1, REGS_OFS(1) },
		{ "EDX", 2, REGS_OFS(2) }, { "EBX", 3, REGS_OFS(3) },
		{ "ESP", 12, REGS_OFS(4) }, { "EBP", 5, REGS_OFS(5) },
		{ "ESI", 6, REGS_OFS(6) }, { "EDI", 7, REGS_OFS(7) },
	},
	.stack = 4,
	.helper = helpers,
	.n_helpers = N_TEST_HELPERS,
};
