/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/i386/decode.c - guest bytes to one struct dis: prefixes, opcode maps,
 * ModRM, SIB, displacement, immediates, and the checks that are flags of the
 * row. SDM vol. 2A chapter 2, vol. 2D appendix A.
 *
 * Bytes come straight from the page in RAM. The fetch pointer ends at the
 * page, at 15 bytes or at the segment limit, whichever is first; what then
 * happens is decided once, in refill(). */
#include "i386/dis.h"

#include <string.h>

/* -- fetch ------------------------------------------------------------------ */

enum { MAX_LEN = 15 };

static u32 consumed(const struct dis *d)
{
	return d->done + (u32)(d->cur - d->mark);
}

/* Bytes that may be taken at `at` bytes into the instruction. */
static u32 fetch_room(const struct dis *d, u32 at, u32 in_page)
{
	u32 n = MIN(in_page, MAX_LEN - at);
	u64 limit = (u64)d->cs_limit + 1;
	u64 eip = (u64)d->pc + at;

	if (eip >= limit)
		return 0;
	return (u32)MIN((u64)n, limit - eip);
}

/* Copied are whole lines. */
static void want_code(struct dis *d, u32 ofs)
{
	cpu_code_want(0, ofs, MAX_LEN);
	d->copied_from = (u16)(ofs & -COPY_LINE);
	d->copied_end = (u16)((ofs + MAX_LEN + COPY_LINE - 1) & -COPY_LINE);
}

static void fetch_begin(struct dis *d, u32 pc)
{
	u32 ofs = (d->cs_base + pc) & (PAGE_SIZE - 1);

	d->pc = pc;
	d->imm_at = 0;
	d->done = 0;
	d->straddles = false;
	d->fault = FETCH_OK;
	if (d->copied && (ofs < d->copied_from || ofs + MAX_LEN > d->copied_end))
		want_code(d, ofs);
	d->cur = d->mmio ? d->window : d->host[0] + ofs;
	d->mark = d->cur;
	d->fend = d->cur + (d->mmio ? 0 : fetch_room(d, 0, PAGE_SIZE - ofs));
}

/* The second page's bytes. False: they fault; or the instruction is not the
 * block's first, and is to have a block of its own: no link leads to one in two
 * pages. */
static bool open_second_page(struct dis *d)
{
	gva page = (u32)(d->page0 + PAGE_SIZE);

	if (d->host[1])
		return true;
	d->straddles = true;
	if (d->peek)
		return false;
	if (d->first)
		d->host[1] = cpu_code_page(d->cpu, page, &d->t->page[1]);
	else if (!d->quiet ||
		 !cpu_code_page_nofault(d->cpu, page, &d->host[1], &d->t->page[1]) ||
		 !d->host[1])
		return false;
	d->host[1] = cpu_code_copy(1, d->host[1]);
	d->mmio = !d->host[1];
	if (!d->mmio)
		cpu_code_want(1, 0, MAX_LEN);
	return true;
}

/* Make at least one more byte available at d->cur, or set d->fault. */
static void refill(struct dis *d)
{
	u32 at = consumed(d);
	int mmu = (d->flags & HF_CPL) == 3 ? MMU_USER : MMU_KERNEL;

	if (d->fault != FETCH_OK)
		return;
	if (at >= MAX_LEN)
		d->fault = FETCH_LONG;
	else if ((u64)d->pc + at > d->cs_limit)
		d->fault = FETCH_LIMIT;
	else if (!d->mmio && !open_second_page(d))
		d->fault = FETCH_STOP;
	if (d->fault != FETCH_OK)
		return;
	d->done = at;
	if (d->mmio) {
		d->window[at] = cpu_ldub(d->cpu, (u32)(d->cs_base + d->pc + at), mmu);
		d->mark = d->cur = d->window + at;
		d->fend = d->cur + 1;
	} else {
		d->mark = d->cur = d->host[1];
		d->fend = d->cur + fetch_room(d, at, PAGE_SIZE);
	}
}

static inline u8 fetch8(struct dis *d)
{
	if (d->cur == d->fend) {
		refill(d);
		if (d->fault != FETCH_OK)
			return 0;
	}
	return *d->cur++;
}

/* A 4-byte immediate has been taken. */
static void note_imm(struct dis *d)
{
	u32 end = ((d->cs_base + d->pc) & (PAGE_SIZE - 1)) + consumed(d);

	if (!d->mmio && end <= PAGE_SIZE)
		d->imm_at = (u16)(end - 4);
}

static u16 fetch16(struct dis *d)
{
	u16 v = fetch8(d);

	return v | (u16)(fetch8(d) << 8);
}

static u32 fetch32(struct dis *d)
{
	u32 v;

	if (d->fend - d->cur >= 4) {
		memcpy(&v, d->cur, 4);
		d->cur += 4;
		return v;
	}
	v = fetch16(d);
	return v | (u32)fetch16(d) << 16;
}

static s32 fetch_imm(struct dis *d, int size)
{
	switch (size) {
	case IRS_8:
		return (s8)fetch8(d);
	case IRS_16:
		return (s16)fetch16(d);
	default:
		return (s32)fetch32(d);
	}
}

/* -- ModRM -------------------------------------------------------------------- */

static void modrm16(struct dis *d)
{
	static const struct { ir_val base, index; } form[8] = {
		{ R_EBX, R_ESI }, { R_EBX, R_EDI }, { R_EBP, R_ESI }, { R_EBP, R_EDI },
		{ R_ESI, IR_NONE }, { R_EDI, IR_NONE }, { R_EBP, IR_NONE },
		{ R_EBX, IR_NONE },
	};
	struct addr *m = &d->mem;

	m->base = form[d->rm].base;
	m->index = form[d->rm].index;
	if (d->mod == 0 && d->rm == 6) {
		m->base = IR_NONE;
		m->disp = fetch16(d);
	} else if (d->mod) {
		m->disp = fetch_imm(d, d->mod == 1 ? IRS_8 : IRS_16);
	}
	if (m->base == R_EBP)
		m->seg = R_SS;
}

static void modrm32(struct dis *d)
{
	struct addr *m = &d->mem;

	m->base = d->rm;
	if (d->rm == 4) {
		u8 sib = fetch8(d);

		m->base = sib & 7;
		if ((sib >> 3 & 7) != 4) {
			m->index = sib >> 3 & 7;
			m->scale = sib >> 6;
		}
	}
	if (d->mod == 0 && m->base == R_EBP) {
		m->base = IR_NONE;
		m->disp = (s32)fetch32(d);
	} else if (d->mod) {
		m->disp = fetch_imm(d, d->mod == 1 ? IRS_8 : IRS_32);
	}
	if (m->base == R_EBP || m->base == R_ESP)
		m->seg = R_SS;
}

static void addr_init(struct dis *d)
{
	d->mem = (struct addr){ .base = IR_NONE, .index = IR_NONE,
				.asz = d->asz, .seg = R_DS };
}

/* reg_only: MOV to and from CRn, DRn ignore mod. */
static void fetch_modrm(struct dis *d, bool reg_only)
{
	d->has_modrm = true;
	d->modrm = fetch8(d);
	d->mod = reg_only ? 3 : d->modrm >> 6;
	d->reg = d->modrm >> 3 & 7;
	d->rm = d->modrm & 7;
	if (d->mod == 3)
		return;
	addr_init(d);
	if (d->asz == IRS_16)
		modrm16(d);
	else
		modrm32(d);
	if (d->over >= 0)
		d->mem.seg = (u8)d->over;
}

/* -- operands -------------------------------------------------------------------- */

enum form { F_NONE, F_E, F_G, F_M, F_R, F_NUM, F_I, F_SI, F_J, F_O, F_A, F_Z, F_REG,
	    F_FIX, F_RM, F_RN, F_V, F_W, F_U, F_B };
enum { SZ_V = 16 };                  /* by operand size                      */
enum { CONTROL_REGS = 0x1d };        /* CR0, CR2, CR3, CR4                    */

static const struct arg_desc { u8 form, size, modrm, n; } arg_desc[NB_ARGS] = {
	[Eb] = { F_E, IRS_8, 1, 0 }, [Ew] = { F_E, IRS_16, 1, 0 },
	[Ed] = { F_E, IRS_32, 1, 0 }, [Ev] = { F_E, SZ_V, 1, 0 },
	[Gb] = { F_G, IRS_8, 1, 0 }, [Gw] = { F_G, IRS_16, 1, 0 },
	[Gv] = { F_G, SZ_V, 1, 0 },
	[Ib] = { F_I, IRS_8, 0, 0 }, [Iw] = { F_I, IRS_16, 0, 0 },
	[Iz] = { F_I, SZ_V, 0, 0 }, [sIb] = { F_SI, IRS_8, 0, 0 },
	[Jb] = { F_J, IRS_8, 0, 0 }, [Jz] = { F_J, SZ_V, 0, 0 },
	[Ob] = { F_O, IRS_8, 0, 0 }, [Ov] = { F_O, SZ_V, 0, 0 },
	[M] = { F_M, IRS_8, 1, 0 }, [Ma] = { F_M, SZ_V, 1, 0 },
	[Mp] = { F_M, SZ_V, 1, 0 }, [Mq] = { F_M, IRS_64, 1, 0 },
	[Ap] = { F_A, SZ_V, 0, 0 },
	[Ew_Rv] = { F_E, IRS_16, 1, 1 },     /* 16-bit memory or Rv          */
	[Rd] = { F_R, IRS_32, 1, 0 },
	[Sw] = { F_NUM, IRS_16, 1, 0 }, [Cd] = { F_NUM, IRS_32, 1, 1 },
	[Dd] = { F_NUM, IRS_32, 1, 0 },
	[Zb] = { F_Z, IRS_8, 0, 0 }, [Zv] = { F_Z, SZ_V, 0, 0 },
	[AL] = { F_REG, IRS_8, 0, R_EAX }, [CL] = { F_REG, IRS_8, 0, R_ECX },
	[DX] = { F_REG, IRS_16, 0, R_EDX }, [rAX] = { F_REG, SZ_V, 0, R_EAX },
	[One] = { F_FIX, IRS_8, 0, 1 },
	[ES] = { F_FIX, IRS_16, 0, R_ES }, [CS] = { F_FIX, IRS_16, 0, R_CS },
	[SS] = { F_FIX, IRS_16, 0, R_SS }, [DS] = { F_FIX, IRS_16, 0, R_DS },
	[FS] = { F_FIX, IRS_16, 0, R_FS }, [GS] = { F_FIX, IRS_16, 0, R_GS },
	[Xb] = { F_NONE, IRS_8, 0, 0 }, [Xv] = { F_NONE, SZ_V, 0, 0 },
	[Yb] = { F_NONE, IRS_8, 0, 0 }, [Yv] = { F_NONE, SZ_V, 0, 0 },
	/* n: enum alignment */
	[Vx] = { F_V, IRS_128, 1, 0 }, [Wx] = { F_W, IRS_128, 1, ALIGN_MUST },
	[Wu] = { F_W, IRS_128, 1, ALIGN_NONE }, [Wh] = { F_W, IRS_128, 1, ALIGN_HOST }, [Wq] = { F_W, IRS_64, 1, 0 },
	[Wd] = { F_W, IRS_32, 1, 0 }, [Ww] = { F_W, IRS_16, 1, 0 },
	[Ux] = { F_U, IRS_128, 1, 0 },
	[Px] = { F_V, IRS_64, 1, 0 }, [Qx] = { F_W, IRS_64, 1, 0 },
	[Qd] = { F_W, IRS_32, 1, 0 }, [Nx] = { F_U, IRS_64, 1, 0 },
	[Mx] = { F_M, IRS_128, 1, ALIGN_MUST }, [Mu] = { F_M, IRS_128, 1, 0 },
	[Md] = { F_M, IRS_32, 1, 0 }, [Mv] = { F_M, SZ_V, 1, 0 },
	[Gd] = { F_G, IRS_32, 1, 0 }, [Rv] = { F_RN, SZ_V, 1, 0 },
	[Rd_Mb] = { F_RM, IRS_8, 1, 0 }, [Rd_Mw] = { F_RM, IRS_16, 1, 0 },
	[By] = { F_B, IRS_32, 0, 0 },
};

static void opnd_set_reg(struct opnd *o, int size, int n)
{
	o->kind = OPND_REG;
	o->size = (u8)size;
	o->high = size == IRS_8 && n >= 4;
	o->v = (ir_val)(o->high ? n - 4 : n);
	o->aligned = ALIGN_NONE;
}

static void raise_ud(struct dis *d)
{
	d->exc = EXCP_UD;
	d->exc_err = ~0u;
}

static void opnd_rm(struct dis *d, struct opnd *o, const struct arg_desc *a, int size)
{
	if (d->mod == 3 && a->form != F_M) {
		opnd_set_reg(o, a->n ? d->osz : size, d->rm);
		return;
	}
	if (d->mod == 3)
		raise_ud(d);
	*o = (struct opnd){ .kind = OPND_MEM, .size = (u8)size };
	o->aligned = size == IRS_128 ? a->n : ALIGN_NONE;
}

static void opnd_set_vec(struct opnd *o, int size, int n, int place)
{
	*o = (struct opnd){ .kind = OPND_VEC, .size = (u8)size, .v = (ir_val)n,
			    .place = (u8)place };
}

/* XMM and MMX registers by r/m; `only`: memory is #UD. */
static void opnd_vec_rm(struct dis *d, struct opnd *o, const struct arg_desc *a, int size)
{
	if (d->mod == 3) {
		opnd_set_vec(o, size, d->rm, PLACE_RM);
		return;
	}
	opnd_rm(d, o, a, size);
	if (a->form == F_U)
		raise_ud(d);
}

/* A general register by r/m; F_RM: or memory of another size. */
static void opnd_gpr_rm(struct dis *d, struct opnd *o, const struct arg_desc *a, int size)
{
	opnd_rm(d, o, a, size);
	if (d->mod != 3 && a->form == F_RN)
		raise_ud(d);
	if (d->mod == 3 && a->form == F_RM)
		opnd_set_reg(o, IRS_32, d->rm);
	o->place = PLACE_RM;
}

static void opnd_moffs(struct dis *d, struct opnd *o, int size)
{
	addr_init(d);
	d->mem.disp = d->asz == IRS_16 ? fetch16(d) : (s32)fetch32(d);
	d->mem.asz = IRS_32;
	if (d->over >= 0)
		d->mem.seg = (u8)d->over;
	*o = (struct opnd){ .kind = OPND_MEM, .size = (u8)size };
}

static void opnd_fill(struct dis *d, struct opnd *o, const struct arg_desc *a)
{
	int size = a->size == SZ_V ? d->osz : a->size;

	switch (a->form) {
	case F_NONE:
		*o = (struct opnd){ .kind = OPND_NONE, .size = (u8)size };
		break;
	case F_E:
	case F_M:
		opnd_rm(d, o, a, size);
		o->place = PLACE_RM;
		break;
	case F_RM:
	case F_RN:
		opnd_gpr_rm(d, o, a, size);
		break;
	case F_V:
		opnd_set_vec(o, size, d->reg, PLACE_REG);
		break;
	case F_W:
	case F_U:
		opnd_vec_rm(d, o, a, size);
		break;
	case F_B:
		opnd_set_reg(o, size, d->vvvv);
		o->place = PLACE_VEX;
		break;
	case F_R:
		opnd_set_reg(o, size, d->rm);
		break;
	case F_G:
		opnd_set_reg(o, size, d->reg);
		o->place = PLACE_REG;
		break;
	case F_NUM:
		if (a->n && !(CONTROL_REGS >> d->reg & 1))
			raise_ud(d);
		*o = opnd_imm(size, d->reg);
		break;
	case F_I:
		*o = opnd_imm(size, fetch_imm(d, size));
		if (size == IRS_32)
			note_imm(d);
		break;
	case F_SI:
		*o = opnd_imm(d->osz, (s8)fetch8(d));
		break;
	case F_J:
		*o = opnd_imm(size, fetch_imm(d, size));
		break;
	case F_O:
		opnd_moffs(d, o, size);
		break;
	case F_A:
		*o = opnd_imm(size, size == IRS_16 ? fetch16(d) : (s32)fetch32(d));
		d->far_sel = fetch16(d);
		break;
	case F_Z:
		opnd_set_reg(o, size, d->op & 7);
		break;
	case F_REG:
		opnd_set_reg(o, size, a->n);
		break;
	case F_FIX:
		*o = opnd_imm(size, a->n);
		break;
	}
}

/* -- prefixes and maps --------------------------------------------------------------- */

enum { PFX_66 = 7, PFX_67, PFX_LOCK, PFX_REP, PFX_REPNE };

/* Nonzero: a prefix; segment overrides are 1 + segment register. */
static const u8 prefix_of[256] = {
	[0x26] = 1 + R_ES, [0x2e] = 1 + R_CS, [0x36] = 1 + R_SS, [0x3e] = 1 + R_DS,
	[0x64] = 1 + R_FS, [0x65] = 1 + R_GS, [0x66] = PFX_66, [0x67] = PFX_67,
	[0xf0] = PFX_LOCK, [0xf2] = PFX_REPNE, [0xf3] = PFX_REP,
};

/* Take prefixes; returns the first byte that is none. */
static u8 fetch_prefixes(struct dis *d)
{
	u8 def = d->flags & HF_CS32 ? IRS_32 : IRS_16;
	u8 other = IRS_16 + IRS_32 - def;
	u8 b, p;

	d->lock = false;
	d->rep = 0;
	d->over = -1;
	d->osz = d->asz = def;
	for (;;) {
		b = fetch8(d);
		p = prefix_of[b];
		if (!p || d->fault != FETCH_OK)
			return b;
		if (p == PFX_66)
			d->osz = other;
		else if (p == PFX_67)
			d->asz = other;
		else if (p == PFX_LOCK)
			d->lock = true;
		else if (p >= PFX_REP)
			d->rep = (u8)(p - PFX_REP + 1);
		else
			d->over = (s8)(p - 1);
	}
}

static const struct insn *fpu_row(struct dis *d)
{
	const struct insn *row;

	d->esc = d->op;
	fetch_modrm(d, false);
	if (d->mod != 3)
		return &optab_fpu_mem[d->op & 7][d->reg];
	row = &optab_fpu_reg[d->op & 7][d->reg];
	return row->flags & BYRM ? &row->group[d->rm] : row;
}

/* The row behind 0F, and which prefix counts as part of the opcode. */
static const struct insn *row_0f(struct dis *d)
{
	u8 def = d->flags & HF_CS32 ? IRS_32 : IRS_16;

	d->prefix = d->rep == 2 ? VEC_F2 : d->rep ? VEC_F3 : d->osz != def ? VEC_66 : VEC_NP;
	d->map = VEC_0F;
	d->op = fetch8(d);
	if (d->op != 0x38 && d->op != 0x3a)
		return &optab_0f[d->op];
	d->map = d->op == 0x38 ? VEC_0F38 : VEC_0F3A;
	d->op = fetch8(d);
	return d->map == VEC_0F38 ? &optab_38[d->op] : &optab_3a[d->op];
}

static bool uses_vvvv(const struct insn *row)
{
	return row->group || row->arg[0] == By || row->arg[1] == By || row->arg[2] == By;
}

/* C4 in protected mode is a VEX prefix if what follows cannot be the ModRM
 * byte of LES. (C5 begins no instruction of general registers.) */
static const struct insn *vex_row(struct dis *d)
{
	static const struct insn hole;
	u8 b = fetch8(d), w;

	if (d->fault != FETCH_OK || (b & 0xc0) != 0xc0 || (d->flags & (HF_PE | HF_VM)) != HF_PE) {
		d->cur -= d->fault == FETCH_OK;
		return &optab[d->op];
	}
	w = fetch8(d);
	d->op = fetch8(d);
	d->vex = true;
	d->map = (u8)((b & 31) - 1);
	d->prefix = w & 3;
	d->vvvv = (u8)(~w >> 3 & 7);
	if (d->rep || d->lock || w & 4 || d->osz != (d->flags & HF_CS32 ? IRS_32 : IRS_16))
		return &hole;
	d->osz = IRS_32;
	for (unsigned i = 0; i < optab_vex_count; i++) {
		const struct vex_insn *v = &optab_vex[i];

		if (v->map == d->map && v->prefix == d->prefix && v->op == d->op)
			return uses_vvvv(&v->row) || (w & 0x78) == 0x78 ? &v->row : &hole;
	}
	return &hole;
}

static bool lacks_feature(const struct dis *d, u32 row_flags)
{
	u32 n = row_flags >> FEATURE;

	return n && d->absent[(n - 1) / 32] >> (n - 1) % 32 & 1;
}

static const struct insn *group_member(struct dis *d, const struct insn *row)
{
	if (row->flags & BYPFX) {
		row = &row->group[d->prefix];
		return row->flags & ELSE_NP && lacks_feature(d, row->flags) ? row - d->prefix : row;
	}
	if (!d->has_modrm)
		fetch_modrm(d, false);
	return &row->group[row->flags & BYMOD ? d->mod == 3 : row->flags & BYRM ? d->rm : d->reg];
}

/* Find the row; *args is whose operand list counts. */
static const struct insn *find_row(struct dis *d, const struct insn **args)
{
	const struct insn *row;

	d->has_modrm = d->vex = false;
	d->prefix = VEC_NP;
	d->op = fetch_prefixes(d);
	if ((d->op & 0xf8) == 0xd8)
		return *args = fpu_row(d);
	row = d->op == 0x0f ? row_0f(d) : d->op == 0xc4 ? vex_row(d) : &optab[d->op];
	*args = row;
	while (row->group) {
		row = group_member(d, row);
		if (row->arg[0] != None)
			*args = row;
	}
	return row;
}

/* -- checks -------------------------------------------------------------------------- */

static void raise_gp0(struct dis *d)
{
	d->exc = EXCP_GP;
	d->exc_err = 0;
}

static void check_privilege(struct dis *d, u32 f)
{
	u32 cpl = d->flags & HF_CPL, iopl = dis_iopl(d);

	if (f & (IOPL | VMIOPL) && d->flags & HF_VIF)
		return;          /* the generator knows */
	if ((f & CPL0 && cpl) || (f & IOPL && cpl > iopl) ||
	    (f & VMIOPL && d->flags & HF_VM && iopl < 3) || (f & UMIP && cpl && d->flags & HF_UMIP))
		raise_gp0(d);
}

/* Flags of rows that there is anything to check about. */
enum { CHECKED = PROT | SSEROW | MMXROW | FPUROW | CPL0 | IOPL | VMIOPL | UMIP | -(1 << FEATURE) };

static void check_row(struct dis *d)
{
	const struct insn *row = d->row;
	u32 f = row->flags;

	if (d->fault == FETCH_OK && row->gen && !d->lock && !(f & CHECKED))
		return;
	if (d->fault == FETCH_LONG) {
		raise_gp0(d);
		return;
	}
	if (!row->gen)
		raise_ud(d);
	if (d->lock && (!(f & LOCKABLE) || d->arg[0].kind != OPND_MEM))
		raise_ud(d);
	if (f & PROT && (!(d->flags & HF_PE) || d->flags & HF_VM))
		raise_ud(d);
	if (lacks_feature(d, f))
		raise_ud(d);
	if ((f & (SSEROW | MMXROW) && d->flags & HF_EM) ||
	    (f & SSEROW && !dis_has(d, HF_OSFXSR)))
		raise_ud(d);
	if (d->exc >= 0)
		return;
	if (f & (CPL0 | IOPL | VMIOPL | UMIP))
		check_privilege(d, f);
	if ((f & FPUROW && d->flags & (HF_TS | HF_EM)) ||
	    (f & (SSEROW | MMXROW) && d->flags & HF_TS)) {
		d->exc = EXCP_NM;
		d->exc_err = ~0u;
	}
}

static void set_target(struct dis *d)
{
	d->target = d->next + (u32)d->arg[0].imm;
	if (d->osz == IRS_16)
		d->target &= 0xffff;
}

bool decode(struct dis *d, u32 pc)
{
	const struct insn *args;
	const struct arg_desc *a[3];

	d->exc = -1;
	fetch_begin(d, pc);
	d->row = find_row(d, &args);
	for (int i = 0; i < 3; i++)
		a[i] = &arg_desc[args->arg[i]];
	if (!d->has_modrm && (a[0]->modrm | a[1]->modrm))
		fetch_modrm(d, a[0]->form == F_R || a[1]->form == F_R);
	for (int i = 0; i < 3; i++) {
		if (args->arg[i] == None)
			d->arg[i] = (struct opnd){ .kind = OPND_NONE };
		else
			opnd_fill(d, &d->arg[i], a[i]);
	}
	d->next = d->pc + consumed(d);
	if (a[0]->form == F_J)
		set_target(d);
	if (d->fault == FETCH_LIMIT && d->first)
		raise_exception_err(x86(d->cpu), EXCP_GP, 0);
	if (d->fault == FETCH_STOP || d->fault == FETCH_LIMIT)
		return false;
	check_row(d);
	return true;
}

bool decode_quiet(struct dis *d, struct x86_cpu *x, u32 eip)
{
	struct translation t;
	bool ok;

	*d = (struct dis){ .t = &t, .cpu = &x->c, .flags = x->hflags,
			   .cs_base = x->seg[R_CS].base, .cs_limit = x->seg[R_CS].limit,
			   .quiet = true };
	d->page0 = (d->cs_base + eip) & (u32)PAGE_MASK;
	ok = cpu_code_page_nofault(d->cpu, d->page0, &d->host[0], &t.page[0]) &&
	     d->host[0] && decode(d, eip);
	d->t = NULL;
	return ok;
}
