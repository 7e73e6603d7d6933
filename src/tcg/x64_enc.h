/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/tcg/x64_enc.h - x86-64 instruction encoding (SDM vol. 2, chapter 2).
 *
 * Bytes go to the writable view of the code buffer. Opcodes are written as
 * they stand in the manual: 0x01, 0x0faf; mandatory prefixes go apart. */
#ifndef TCG_X64_ENC_H
#define TCG_X64_ENC_H

#include <string.h>

#include "env/types.h"
#include "tcg/ir.h"

enum { X_RAX, X_RCX, X_RDX, X_RBX, X_RSP, X_RBP, X_RSI, X_RDI, X_R8, X_R9,
       X_R10, X_R11, X_R12, X_R13, X_R14, X_R15,
       X_AH = 16, X_CH, X_DH, X_BH,            /* bits 8..15 of rax..rbx */
       X_NONE = -1 };

struct xmem { s8 base, index; u8 scale; s32 disp; };

/* p: the next byte; mem: where the last instruction with a memory operand starts. */
struct xcode { u8 *p, *mem; };

#define XMEM(b, d) ((struct xmem){ (b), X_NONE, 0, (s32)(d) })

static inline void x_u8(struct xcode *c, u32 v) { *c->p++ = (u8)v; }
static inline void x_u16(struct xcode *c, u32 v) { memcpy(c->p, &(u16){ (u16)v }, 2); c->p += 2; }
static inline void x_u32(struct xcode *c, u32 v) { memcpy(c->p, &v, 4); c->p += 4; }
static inline void x_u64(struct xcode *c, u64 v) { memcpy(c->p, &v, 8); c->p += 8; }

static inline void x_opcode(struct xcode *c, u32 op)
{
	if (op > 0xffff)
		x_u8(c, op >> 16);
	if (op > 0xff)
		x_u8(c, op >> 8);
	x_u8(c, op);
}

static inline bool x_high(int r) { return r >= X_AH; }
/* A register's 3-bit number plus, in bit 3, its REX bit. */
static inline int x_num(int r) { return x_high(r) ? r - X_AH + 4 : r; }
/* Byte operands in spl..dil exist only with a REX prefix. */
static inline bool x_byte_rex(int size, int r)
{
	return size == IRS_8 && r >= 4 && r <= 7;
}

static inline void x_prefix(struct xcode *c, int size, u32 rex, bool force)
{
	if (size == IRS_16)
		x_u8(c, 0x66);
	if (size == IRS_64)
		rex |= 8;
	if (rex || force)
		x_u8(c, 0x40 | rex);
}

/* op with a register and a register r/m. `bsize` is the size that decides
 * about byte registers of rm (movzx: that of the source). */
static inline void x_rr_sized(struct xcode *c, u32 op, int size, int reg, int rm,
			      bool force)
{
	int r = x_num(reg), m = x_num(rm);

	x_prefix(c, size, (u32)((r >> 3) << 2 | m >> 3), force);
	x_opcode(c, op);
	x_u8(c, 0xc0 | (r & 7) << 3 | (m & 7));
}

static inline void x_rr(struct xcode *c, u32 op, int size, int reg, int rm)
{
	x_rr_sized(c, op, size, reg, rm,
		   x_byte_rex(size, reg) || x_byte_rex(size, rm));
}

/* op /digit with a register. */
static inline void x_rd(struct xcode *c, u32 op, int size, int digit, int rm)
{
	x_rr_sized(c, op, size, digit, rm, x_byte_rex(size, rm));
}

static inline void x_modrm_mem(struct xcode *c, int reg, struct xmem m)
{
	int r = (reg & 7) << 3, b = m.base & 7, mod;

	if (m.base == X_NONE) {              /* [index*scale + disp32]     */
		x_u8(c, r | 4);
		x_u8(c, m.scale << 6 | (m.index == X_NONE ? 4 : m.index & 7) << 3 | 5);
		x_u32(c, (u32)m.disp);
		return;
	}
	mod = !m.disp && b != 5 ? 0 : m.disp == (s8)m.disp ? 1 : 2;
	if (m.index != X_NONE || b == 4) {
		x_u8(c, mod << 6 | r | 4);
		x_u8(c, m.scale << 6 | (m.index == X_NONE ? 4 : m.index & 7) << 3 | b);
	} else {
		x_u8(c, mod << 6 | r | b);
	}
	if (mod == 1)
		x_u8(c, (u8)m.disp);
	else if (mod == 2)
		x_u32(c, (u32)m.disp);
}

static inline u32 x_mem_rex(struct xmem m)
{
	return (m.base == X_NONE ? 0 : (u32)m.base >> 3) |
	       (m.index == X_NONE ? 0 : ((u32)m.index >> 3) << 1);
}

/* op with a register (or /digit) and a memory operand. */
static inline void x_rm(struct xcode *c, u32 op, int size, int reg, struct xmem m)
{
	int r = x_num(reg);

	c->mem = c->p;
	x_prefix(c, size, (u32)(r >> 3) << 2 | x_mem_rex(m), x_byte_rex(size, reg));
	x_opcode(c, op);
	x_modrm_mem(c, r, m);
}

/* movzx, movsx from memory: no byte register takes part. */
static inline void x_rm_load(struct xcode *c, u32 op, int size, int reg, struct xmem m)
{
	c->mem = c->p;
	x_prefix(c, size, (u32)(reg >> 3) << 2 | x_mem_rex(m), false);
	x_opcode(c, op);
	x_modrm_mem(c, reg, m);
}

static inline void x_mov_rr(struct xcode *c, int size, int d, int s)
{
	x_rr(c, size == IRS_8 ? 0x8a : 0x8b, size, d, s);
}

static inline void x_mov_ri(struct xcode *c, int d, u64 v)     /* flags kept */
{
	if (v > 0xffffffffu) {
		x_u8(c, 0x48 | d >> 3);
		x_u8(c, 0xb8 | (d & 7));
		x_u64(c, v);
	} else {
		if (d > 7)
			x_u8(c, 0x41);
		x_u8(c, 0xb8 | (d & 7));
		x_u32(c, (u32)v);
	}
}

static inline void x_ld(struct xcode *c, int size, int d, struct xmem m)
{
	x_rm(c, 0x8b, size, d, m);
}

static inline void x_st(struct xcode *c, int size, struct xmem m, int s)
{
	x_rm(c, size == IRS_8 ? 0x88 : 0x89, size, s, m);
}

static inline void x_lea(struct xcode *c, int size, int d, struct xmem m)
{
	x_rm_load(c, 0x8d, size, d, m);
}

static inline void x_imm(struct xcode *c, int size, s64 v)
{
	if (size == IRS_8)
		x_u8(c, (u8)v);
	else if (size == IRS_16)
		x_u16(c, (u16)v);
	else
		x_u32(c, (u32)v);
}

/* Group 1 arithmetic (`n`: /0 add ... /7 cmp) with an immediate. */
static inline void x_grp1_ri(struct xcode *c, int n, int size, int d, s64 v)
{
	bool small = size != IRS_8 && v == (s8)v;

	x_rd(c, size == IRS_8 ? 0x80 : small ? 0x83 : 0x81, size, n, d);
	x_imm(c, small ? IRS_8 : size, v);
}

static inline void x_grp1_mi(struct xcode *c, int n, int size, struct xmem m, s64 v)
{
	bool small = size != IRS_8 && v == (s8)v;

	x_rm_load(c, size == IRS_8 ? 0x80 : small ? 0x83 : 0x81, size, n, m);
	x_imm(c, small ? IRS_8 : size, v);
}

/* shrx d32 = s32 >> (by & 31): flags kept. rorx likewise. */
static inline void x_shrx(struct xcode *c, int d, int s, int by)
{
	x_u8(c, 0xc4);
	x_u8(c, (d < 8 ? 0x80 : 0) | 0x40 | (s < 8 ? 0x20 : 0) | 2);
	x_u8(c, (u32)(~by & 15) << 3 | 3);
	x_u8(c, 0xf7);
	x_u8(c, 0xc0 | (d & 7) << 3 | (s & 7));
}

static inline void x_rorx(struct xcode *c, int d, int s, int by)
{
	x_u8(c, 0xc4);
	x_u8(c, (d < 8 ? 0x80 : 0) | 0x40 | (s < 8 ? 0x20 : 0) | 3);
	x_u8(c, 0x7b);
	x_u8(c, 0xf0);
	x_u8(c, 0xc0 | (d & 7) << 3 | (s & 7));
	x_u8(c, (u8)by);
}

/* Jumps with a 32-bit displacement; the address of the displacement is
 * returned, x_patch aims it. */
static inline u8 *x_jmp(struct xcode *c)
{
	x_u8(c, 0xe9);
	x_u32(c, 0);
	return c->p - 4;
}

static inline u8 *x_jcc(struct xcode *c, int cc)
{
	x_u8(c, 0x0f);
	x_u8(c, 0x80 | cc);
	x_u32(c, 0);
	return c->p - 4;
}

static inline u8 *x_jcc8(struct xcode *c, int cc)
{
	x_u8(c, 0x70 | cc);
	x_u8(c, 0);
	return c->p - 1;
}

static inline void x_patch(u8 *at, const u8 *target)
{
	s32 rel = (s32)(target - (at + 4));

	memcpy(at, &rel, 4);
}

static inline void x_patch8(u8 *at, const u8 *target)
{
	*at = (u8)(target - (at + 1));
}

static inline void x_call_to(struct xcode *c, const u8 *target)
{
	x_u8(c, 0xe8);
	x_u32(c, 0);
	x_patch(c->p - 4, target);
}

static inline void x_jmp_to(struct xcode *c, const u8 *target)
{
	x_patch(x_jmp(c), target);
}

static inline void x_nops(struct xcode *c, unsigned n)
{
	static const u8 nop[3][3] = { { 0x90 }, { 0x66, 0x90 }, { 0x0f, 0x1f, 0x00 } };

	for (; n; n -= MIN(n, 3u)) {
		memcpy(c->p, nop[MIN(n, 3u) - 1], 3);
		c->p += MIN(n, 3u);
	}
}

static inline void x_align(struct xcode *c, unsigned align)
{
	x_nops(c, (unsigned)(-(uintptr_t)c->p % align));
}

/* A displacement that is patched while others run it must not straddle a
 * cache line: make room so that the 4 bytes `ahead` of here do not. */
static inline void x_align_patch(struct xcode *c, unsigned ahead)
{
	unsigned at = (unsigned)((uintptr_t)c->p + ahead) % 64;

	if (at > 60)
		x_nops(c, 64 - at);
}

#endif
