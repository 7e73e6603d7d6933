/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/ir/random.c - random programs from the list of operations.
 *
 * One function makes an instruction of each kind. What a front end promises is
 * kept: temporaries are written before they are read, fdef is what the
 * operation writes, flags that the processor leaves undefined are not read.
 * Most addresses are made valid by masking or by counting from EBP, the rest
 * fault, which is a way to end like others. */
#include "random.h"

#include <string.h>

u32 rng_next(struct rng *g)
{
	g->s ^= g->s >> 12;
	g->s ^= g->s << 25;
	g->s ^= g->s >> 27;
	return (u32)((g->s * 0x2545f4914f6cdd1dull) >> 32);
}

struct rb {
	struct rng *g;
	struct ir_block *b;
	u8 undef;                /* flags that must not be read now         */
	u32 pc;
	int first;               /* temporaries from here on may be used    */
	u8 size[IR_MAX_TEMPS];   /* of a temporary's value   */
};

static u32 below(struct rb *r, u32 n) { return rng_next(r->g) % n; }
static bool chance(struct rb *r, u32 in) { return below(r, in) == 0; }

static struct ir_insn *add(struct rb *r, enum ir_op op, int size)
{
	return ir_add(r->b, op, size);
}

static s64 constant(struct rb *r)
{
	static const s32 likely[] = {
		0, 1, -1, 2, 4, 8, 0x7f, 0x80, -0x80, 0xff, 0x7fff, 0x8000,
		0x7fffffff, INT32_MIN, 31, 32,
	};

	if (chance(r, 2))
		return likely[below(r, ARRAY_SIZE(likely))];
	return chance(r, 2) ? (s64)below(r, 256) - 128 : (s32)rng_next(r->g);
}

/* -- values --------------------------------------------------------------------- */
/* ESP and EBP stay in range: only small steps change them. */
static ir_val free_global(struct rb *r)
{
	static const u8 g[] = { 0, 1, 2, 3, 6, 7 };

	return g[below(r, sizeof(g))];
}

static ir_val any_val(struct rb *r, int size)
{
	int temps = r->b->n_vals - r->first;
	ir_val t;

	if (!temps || chance(r, 2))
		return (ir_val)below(r, N_GLOBALS);
	t = (ir_val)(r->b->n_vals - 1 - (int)below(r, (u32)MIN(temps, 6)));
	return r->size[t] >= size ? t : (ir_val)below(r, N_GLOBALS);
}

static ir_val new_temp(struct rb *r, int size)
{
	ir_val t = ir_temp(r->b);

	r->size[t] = (u8)size;
	return t;
}

/* Where a result of this size may go; to be called when the operands have been
 * chosen. The rest of a temporary has no value then. */
static ir_val dest(struct rb *r, int size)
{
	int temps = r->b->n_vals - r->first;

	if (chance(r, 2))
		return free_global(r);
	if (temps && chance(r, 3)) {
		r->size[r->b->n_vals - 1] = (u8)size;
		return (ir_val)(r->b->n_vals - 1);
	}
	return new_temp(r, size);
}

static int int_size(struct rb *r)
{
	static const u8 s[] = { IRS_8, IRS_16, IRS_32, IRS_32, IRS_32, IRS_32 };

	return s[below(r, sizeof(s))];
}

static struct ir_ea address(struct rb *r)
{
	struct ir_ea ea = { .base = IR_NONE, .index = IR_NONE };
	struct ir_insn *i;
	ir_val t, from;

	switch (below(r, 9)) {
	case 8:                                  /* an array off the frame  */
		ea.base = chance(r, 4) ? IR_NONE : 4 + below(r, 2);
		ea.index = 7;
		ea.scale = (u8)below(r, 4);
		ea.disp = (s32)below(r, 256) + (ea.base == IR_NONE ? 0x9000 : 0);
		break;
	case 0:
		ea.disp = (s32)below(r, MEM_SIZE);
		break;
	case 1: case 2: case 3:
		ea.base = 4 + below(r, 2);
		ea.disp = (s32)below(r, 256) - 128;
		break;
	case 4:                                  /* anything; it may fault  */
		ea.base = any_val(r, IRS_32);
		ea.index = chance(r, 2) ? any_val(r, IRS_32) : IR_NONE;
		ea.scale = ea.index == IR_NONE ? 0 : (u8)below(r, 4);
		ea.disp = (s32)below(r, 64);
		break;
	case 5:                                  /* a sum, made before      */
		t = new_temp(r, IRS_32);
		i = add(r, IR_LEA, IRS_32);
		i->d = t;
		i->ea.base = 4 + below(r, 2);
		i->ea.disp = (s32)below(r, 256);
		ea.base = t;
		ea.disp = (s32)below(r, 64);
		break;
	default:
		from = any_val(r, IRS_32);
		t = new_temp(r, IRS_32);
		i = add(r, IR_AND, IRS_32);
		i->d = t;
		i->a = from;
		i->b = IR_IMM;
		i->imm = 0x1fff;
		ea.base = chance(r, 2) ? t : 5;
		ea.index = ea.base == t ? IR_NONE : t;
		ea.scale = ea.base == t ? 0 : (u8)below(r, 3);
		ea.disp = (s32)below(r, 128);
	}
	return ea;
}

/* -- flags ---------------------------------------------------------------------------- */
/* Make all the flags in `need` defined. */
static void need_flags(struct rb *r, u8 need)
{
	if (!(r->undef & need))
		return;
	struct ir_insn *i = add(r, IR_CMP, int_size(r));

	i->a = any_val(r, i->size);
	i->b = any_val(r, i->size);
	i->fdef = IRF_ALL;
	r->undef = 0;
}

static bool is_shift(int op) { return op >= IR_SHL && op <= IR_SHRD; }

static void flags_written(struct rb *r, const struct ir_insn *i)
{
	if (!(is_shift(i->op) && i->b != IR_IMM))        /* CL may be 0     */
		r->undef &= ~i->fdef;
	r->undef |= undefined_flags(i);
}

static u8 flags_of_op(int op)
{
	switch (op) {
	case IR_MOV: case IR_NOT: case IR_BSWAP: case IR_MOVCC:
		return 0;
	case IR_ROL: case IR_ROR: case IR_RCL: case IR_RCR:
		return IRF_C | IRF_O;
	case IR_BT: case IR_BTS: case IR_BTR: case IR_BTC:
		return IRF_C;
	}
	return IRF_ALL;
}

/* -- an instruction of each kind --------------------------------------------------------- */
static void high_bytes(struct rb *r, struct ir_insn *i)
{
	bool unary = i->op == IR_NOT || i->op == IR_NEG;

	if (i->size != IRS_8 || !chance(r, 3))
		return;
	if (i->d < 4 && (i->a == i->d || i->a == IR_NONE) &&
	    ir_desc[i->op].kind != IRK_CONV)
		i->part |= IRP_D | (i->a == IR_NONE ? 0 : IRP_A);
	if (i->a < 4 && i->d == IR_NONE && chance(r, 2))
		i->part |= IRP_A;
	if (unary && i->d == i->b)           /* in place                    */
		i->part |= i->part & IRP_D ? IRP_B : 0;
	else if (i->b < 4 && !is_shift(i->op) && chance(r, 2))
		i->part |= IRP_B;
}

static void operand_b(struct rb *r, struct ir_insn *i, bool imm)
{
	i->b = any_val(r, i->size);
	if (imm && chance(r, 3)) {
		i->b = IR_IMM;
		i->imm = constant(r);
		if (i->size == IRS_8)
			i->imm = (s8)i->imm;
		if (i->size == IRS_16)
			i->imm = (s16)i->imm;
	}
}

static void count(struct rb *r, struct ir_insn *i)
{
	i->imm = 0;
	i->b = IR_IMM;
	if (i->size == IRS_16 && (i->op == IR_SHLD || i->op == IR_SHRD)) {
		i->imm = 1 + below(r, 15);
	} else if (chance(r, 2)) {
		i->imm = 1 + below(r, 31);
	} else {
		i->b = 1;
		i->fuse |= i->fdef;
	}
}

static void gen_alu(struct rb *r, int op)
{
	int size = int_size(r), kind = ir_desc[op].kind;
	bool wide = op == IR_IMUL || op == IR_IMUL3 || op == IR_BSF ||
		    op == IR_BSR || (op >= IR_BT && op <= IR_BTC) ||
		    op == IR_SHLD || op == IR_SHRD || op == IR_MOVCC;
	bool tied = op == IR_BSF || op == IR_BSR || op == IR_MOVCC;
	bool bit = op >= IR_BT && op <= IR_BTC;
	struct ir_ea ea = { .base = IR_NONE, .index = IR_NONE };
	int mem = IRM_NONE;
	bool no_dst = tied || op == IR_BSWAP || op == IR_IMUL || op == IR_IMUL3;

	if (op == IR_BSWAP)
		size = IRS_32;
	if (wide && size == IRS_8)
		size = IRS_32;
	if (op == IR_ADC || op == IR_SBB || op == IR_RCL || op == IR_RCR)
		need_flags(r, IRF_C);
	if (op == IR_MOVCC)
		need_flags(r, IRF_ALL);
	if (op != IR_BSWAP && chance(r, 3)) {
		mem = kind == IRK_CMP ? (bit || chance(r, 2) ? IRM_LHS : IRM_SRC) :
		      no_dst ? IRM_SRC : chance(r, 2) ? IRM_DST : IRM_SRC;
		if ((is_shift(op) || bit) && mem == IRM_SRC)
			mem = IRM_DST;
		if ((op == IR_NOT || op == IR_NEG) && mem == IRM_SRC)
			mem = IRM_DST;
		ea = address(r);
	}

	struct ir_insn *i = add(r, op, size);

	i->mem = mem;
	i->ea = ea;
	i->fdef = flags_of_op(op);
	if ((op == IR_ADD || op == IR_SUB) && chance(r, 4))
		i->fdef = IRF_NOT_C;
	if (op == IR_ADC || op == IR_SBB || op == IR_RCL || op == IR_RCR)
		i->fuse = IRF_C;
	if (op == IR_MOVCC) {
		i->cc = (u8)below(r, 16);
		i->fuse = flags_of_cond(i->cc);
	}
	if (kind != IRK_ALU1 && mem != IRM_LHS && mem != IRM_DST && op != IR_IMUL3)
		i->a = any_val(r, size);
	if (is_shift(op))
		count(r, i);
	else if (mem != IRM_SRC && !((op == IR_NOT || op == IR_NEG) && mem))
		operand_b(r, i, !tied && op != IR_IMUL && op != IR_BSWAP &&
			  op != IR_IMUL3 && (kind != IRK_ALU1 || op == IR_MOV));
	if (op == IR_IMUL3)
		i->imm = size == IRS_16 ? (s16)constant(r) : constant(r);
	if (kind == IRK_ALU3)
		i->c = any_val(r, size);
	if (kind != IRK_CMP && mem != IRM_DST) {
		/* operands were chosen first: a new temporary is no operand */
		bool same = tied || (size < IRS_32 && kind != IRK_ALU1 &&
				     op != IR_IMUL3 && chance(r, 2));

		i->d = tied || same ? free_global(r) : dest(r, size);
		/* when a may be another value than d: see notes/ir.md      */
		if (same || ((is_shift(op) || bit) &&
			     (i->d == i->b || i->d == i->c)) ||
		    (size < IRS_32 && i->d < IR_FIRST_TEMP && op != IR_IMUL3 &&
		     kind != IRK_ALU1))
			i->a = i->d;
	}
	if (!is_shift(op) && mem == IRM_DST && chance(r, 4) && op != IR_MOV)
		i->xflags |= IRX_LOCK;
	high_bytes(r, i);
	if ((op == IR_ADD || op == IR_AND) && mem == IRM_NONE && chance(r, 4))
		i->fdef = 0;
	if (mem && chance(r, 8))
		i->xflags |= IRX_USER;
	flags_written(r, i);
}

static void gen_conv(struct rb *r, int op)
{
	struct ir_ea ea = { .base = IR_NONE, .index = IR_NONE };
	bool mem = chance(r, 3);

	if (mem)
		ea = address(r);
	int size = (int)below(r, 2);
	struct ir_insn *i = add(r, op, size);

	i->dsize = size == IRS_8 && chance(r, 3) ? IRS_16 : IRS_32;
	if (mem) {
		i->mem = IRM_SRC;
		i->ea = ea;
	} else {
		i->b = any_val(r, size);
	}
	i->d = dest(r, i->dsize);
	high_bytes(r, i);
}

static void gen_lea(struct rb *r)
{
	struct ir_ea ea = { .base = any_val(r, IRS_32), .index = IR_NONE };
	int size = chance(r, 4) ? IRS_16 : IRS_32;

	if (chance(r, 3)) {
		ea.index = any_val(r, IRS_32);
		ea.scale = (u8)below(r, 4);
	}
	ea.disp = (s32)constant(r);
	if (chance(r, 8))
		ea.base = IR_NONE;
	struct ir_insn *i = add(r, IR_LEA, size);

	i->ea = ea;
	i->d = dest(r, size);
}

/* A step of the array's index, by an addition; of the stack pointer or the frame. */
static void gen_step(struct rb *r)
{
	struct ir_insn *i = add(r, chance(r, 3) ? IR_ADD : IR_LEA, IRS_32);

	if (i->op == IR_ADD) {
		i->d = i->a = chance(r, 4) ? 5 : 7;
		i->b = IR_IMM;
		i->imm = (s64)below(r, 9) - 4;
		i->fdef = chance(r, 2) ? IRF_ALL : 0;
		return;
	}

	i->d = 4 + below(r, 2);
	i->ea.base = 4 + below(r, 2);
	i->ea.disp = ((s32)below(r, 9) - 4) * 4;
}

static void gen_setcc(struct rb *r)
{
	struct ir_ea ea = { .base = IR_NONE, .index = IR_NONE };
	bool mem = chance(r, 4);

	need_flags(r, IRF_ALL);
	if (mem)
		ea = address(r);
	struct ir_insn *i = add(r, IR_SETCC, IRS_8);

	i->cc = (u8)below(r, 16);
	i->fuse = flags_of_cond(i->cc);
	i->ea = ea;
	if (mem)
		i->mem = IRM_DST;
	else
		i->d = dest(r, IRS_8);
	high_bytes(r, i);
}

static void gen_fix(struct rb *r, int op)
{
	struct ir_ea ea = { .base = IR_NONE, .index = IR_NONE };
	int size = op == IR_CMPXCHG8 ? IRS_64 : int_size(r);
	bool mem = op == IR_CMPXCHG8 || chance(r, 3);
	struct ir_insn *i;

	if (mem)
		ea = address(r);
	if (op == IR_DIVU && chance(r, 2)) {     /* a quotient that fits    */
		i = add(r, IR_MOV, IRS_32);
		i->d = 2;
		i->b = IR_IMM;
	}
	i = add(r, op, size);
	i->fdef = op == IR_CMPXCHG8 ? IRF_Z : IRF_ALL;
	i->ea = ea;
	if (mem)
		i->mem = op == IR_CMPXCHG8 ? IRM_DST : IRM_SRC;
	else
		i->b = any_val(r, size);
	flags_written(r, i);
}

static void gen_xchg(struct rb *r, int op)
{
	struct ir_ea ea = { .base = IR_NONE, .index = IR_NONE };
	int size = int_size(r);
	bool mem = chance(r, 2);

	if (mem)
		ea = address(r);
	struct ir_insn *i = add(r, op, size);

	i->fdef = op == IR_XCHG ? 0 : IRF_ALL;
	i->ea = ea;
	i->b = free_global(r);
	if (mem)
		i->mem = IRM_DST;
	else
		i->d = free_global(r);
	if (mem && op != IR_XCHG && chance(r, 2))
		i->xflags |= IRX_LOCK;
	flags_written(r, i);
}

static void gen_env(struct rb *r, int op)
{
	int size = int_size(r);
	struct ir_insn *i = add(r, op, size);

	i->imm = below(r, GUARD_OFS / 8) * 8;
	if (op == IR_LDE) {
		i->d = size < IRS_32 ? new_temp(r, size) : dest(r, size);
	} else if (chance(r, 2)) {
		i->b = IR_IMM;
		i->imm2 = constant(r);
	} else {
		i->b = any_val(r, size);
	}
}

static void gen_flag(struct rb *r, int op)
{
	struct ir_insn *i;
	u8 def = op == IR_CF ? IRF_C : op == IR_SAHF ? IRF_ALL & ~IRF_O : 0;

	if (op != IR_SAHF)
		need_flags(r, IRF_ALL);
	i = add(r, op, op == IR_CF ? 0 : IRS_8);
	i->fdef = def;
	if (op == IR_CF) {
		i->imm = below(r, 3);
		i->fuse = i->imm == 2 ? IRF_C : 0;
	} else if (op == IR_LAHF) {
		i->fuse = IRF_ALL & ~IRF_O;
		i->d = 0;
	} else {
		i->b = 0;
	}
	flags_written(r, i);
}

static void gen_guard(struct rb *r)
{
	struct ir_insn *i = add(r, IR_GUARD, IRS_32);

	i->a = any_val(r, IRS_32);
	i->imm = GUARD_OFS;
	i->imm2 = TH_GUARD;
	i->aux = below(r, 1000);
}

static void gen_call(struct rb *r)
{
	int nr = (int)below(r, TH_GUARD);

	if (test_target.helper[nr].flags & IRH_RFLAGS)
		need_flags(r, IRF_ALL);
	struct ir_insn *i = add(r, IR_CALL, IRS_32);
	int n = test_target.helper[nr].nargs;

	i->aux = (u32)nr;
	i->a = n > 0 ? any_val(r, IRS_32) : IR_NONE;
	i->b = n > 1 ? any_val(r, IRS_32) : IR_NONE;
	i->c = n > 2 ? any_val(r, IRS_32) : IR_NONE;
	if (chance(r, 2) || (test_target.helper[nr].flags & IRH_FAULTS))
		i->d = dest(r, IRS_32);
	if (nr == TH_WFLAGS)
		r->undef = 0;
}

static void exit_marks(struct rb *r, struct ir_insn *i)
{
	if (chance(r, 4))
		i->xflags |= IRX_CROSS;
	if (chance(r, 4))
		i->xflags |= IRX_BACK;
	if (chance(r, 2))
		return;
	i->fshow = (u8)(rng_next(r->g) & IRF_ALL);
	i->fuse = chance(r, 2) ? 0 : i->fuse & (u8)~i->fshow;
	i->aux = chance(r, 2) ? 0 : (u32)rng_next(r->g) & 0xff;
}

static void gen_side_exit(struct rb *r, int op)
{
	struct ir_insn *i;

	if (op == IR_EXITCC)
		need_flags(r, IRF_ALL);
	i = add(r, op, int_size(r));
	i->fuse = chance(r, 2) ? IRF_ALL : (u8)(rng_next(r->g) & IRF_ALL);
	i->imm = (s64)(0x1000 + below(r, 100));
	exit_marks(r, i);
	if (op == IR_EXITCC)
		i->cc = (u8)below(r, 16);
	else
		i->a = any_val(r, i->size);
}

static void gen_mark(struct rb *r)
{
	struct ir_insn *i = add(r, IR_INSN, 0);

	i->aux = 1 + below(r, 5);
	i->imm = r->pc;
	r->pc += i->aux;
	/* A shared stack check may leave the block here and come back by
	 * another: no temporary outlives a guest instruction then. */
	if (r->b->stack_cache)
		r->first = r->b->n_vals;
}

static void gen_end(struct rb *r)
{
	static const u8 ends[] = {
		IR_EXIT, IR_EXIT, IR_EXITIND, IR_EXITMAIN, IR_EXITLOOK, IR_CALL,
	};
	int op = ends[below(r, sizeof(ends))];

	if (op == IR_CALL)
		need_flags(r, IRF_ALL);
	struct ir_insn *i = add(r, op, IRS_32);

	i->fuse = op == IR_CALL ? 0 : chance(r, 2) ? IRF_ALL :
		  (u8)(rng_next(r->g) & IRF_ALL);
	if (op == IR_EXIT) {
		i->imm = 0x2000;
		exit_marks(r, i);
	}
	if (op == IR_EXITIND) {
		i->a = any_val(r, IRS_32);
		i->xflags = chance(r, 2) ? IRX_RET : 0;
	}
	if (op == IR_CALL)
		i->aux = TH_STOP;
}

static void gen_one(struct rb *r)
{
	int op = chance(r, 5) ? IR_MOV : (int)below(r, IR_NOPS);

	switch (ir_desc[op].kind) {
	case IRK_ALU1: case IRK_ALU2: case IRK_ALU3: case IRK_CMP:
		gen_alu(r, op);
		break;
	case IRK_ALU0:  gen_setcc(r);     break;
	case IRK_CONV:  gen_conv(r, op);  break;
	case IRK_FIX:   gen_fix(r, op);   break;
	case IRK_XCHG:  gen_xchg(r, op);  break;
	case IRK_ENV:   gen_env(r, op);   break;
	case IRK_FLAG:  gen_flag(r, op);  break;
	case IRK_MARK: case IRK_FPU: gen_step(r); break;
	case IRK_LEA:   gen_lea(r);       break;
	case IRK_GUARD:
		if (chance(r, 3))
			gen_guard(r);
		break;
	case IRK_CALL:  gen_call(r);      break;
	case IRK_EXIT:
		if (op >= IR_EXITCC && op <= IR_EXITNZ && chance(r, 4))
			gen_side_exit(r, op);
		break;
	}
}

void random_block(struct rng *g, struct ir_block *b, int n)
{
	struct rb r = { .g = g, .b = b, .pc = 0x100, .first = IR_FIRST_TEMP };

	ir_reset(b, &test_target);
	b->stack_cache = chance(&r, 2);
	b->direct = chance(&r, 2);
	b->window = chance(&r, 2);
	b->mmu_idx = chance(&r, 4);
	gen_mark(&r);
	while (n--) {
		if (chance(&r, 2))
			gen_mark(&r);
		gen_one(&r);
	}
	gen_end(&r);
}

void random_state(struct rng *g, struct state *s)
{
	struct rb r = { .g = g };
	u32 guard[2] = { 0, 0xffffff };

	memset(s, 0, sizeof(*s));
	for (int k = 0; k < N_GLOBALS; k++)
		s->global[k] = chance(&r, 3) ? below(&r, MEM_SIZE) :
			       (u32)constant(&r);
	s->global[4] = 0x6000 + below(&r, 0x400) * 4;
	s->global[5] = 0x8000 + below(&r, 0x400) * 4;
	if (chance(&r, 2))
		s->global[7] = below(&r, 64);
	s->flags = (u8)(rng_next(g) & IRF_ALL);
	for (int k = 0; k < ENV_SIZE; k++)
		s->env[k] = (u8)rng_next(g);
	memcpy(s->env + GUARD_OFS, guard, sizeof(guard));
	for (int k = 0; k < MEM_SIZE; k += 4) {
		u32 x = rng_next(g);

		memcpy(s->mem + k, &x, 4);
	}
}
