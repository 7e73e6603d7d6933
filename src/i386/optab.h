/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/i386/optab.h - the shape of an opcode map row. For optab.c, decode.c,
 * peek.c, the generators and the test of the table. */
#ifndef I386_OPTAB_H
#define I386_OPTAB_H

#include "env/types.h"

struct dis;
typedef void gen_fn(struct dis *);

/* Operands, SDM vol. 2 appendix A.2. First letter, the addressing method:
 * E modrm.rm (register or memory), G modrm.reg, I immediate, J branch offset,
 * O memory at an offset, M modrm.rm (memory only), R modrm.rm (register only),
 * S segment register, C control, D debug register by modrm.reg, Z (SDM: none)
 * register in the opcode's low 3 bits, X DS:ESI, Y ES:EDI. Second letter, the
 * size: b w d q bytes 1 2 4 8, v and z by operand size, p far pointer, a two of
 * v. sIb, sIz: sign-extended to the operand size. Capitals: a register. */
enum arg {
	None,
	Eb, Ew, Ed, Ev, Gb, Gw, Gv,
	Ib, Iw, Iz, sIb, Jb, Jz, Ob, Ov,
	M, Ma, Mp, Mq, Ap, Ew_Rv, Rd,
	Sw, Cd, Dd, Zb, Zv,
	AL, CL, DX, rAX, One,
	ES, CS, SS, DS, FS, GS,
	Xb, Xv, Yb, Yv,
	NB_ARGS
};

/* Row flags. The first ones are legality, checked once by decode(). */
enum {
	LOCKABLE = 1 << 0,       /* LOCK allowed when arg[0] is memory       */
	CPL0     = 1 << 1,       /* #GP(0) above ring 0                      */
	PROT     = 1 << 2,       /* #UD in real and virtual-8086 mode        */
	VMIOPL   = 1 << 3,       /* #GP(0) in v86 mode with IOPL < 3         */
	IOPL     = 1 << 4,       /* #GP(0) when CPL > IOPL                   */
	FPUROW   = 1 << 5,       /* #NM by CR0.EM, CR0.TS                    */
	/* what its group pointer means */
	BYRM     = 1 << 6,       /* group by modrm.rm instead of modrm.reg   */
	/* for the look-ahead of flags */
	ENDS     = 1 << 7,       /* leaves for the unknown: all flags read   */
	SHIFT    = 1 << 8,       /* arg[1 or 2] is a count; 0 keeps flags    */
	BYCC     = 1 << 9,       /* reads the flags of condition opcode & 15 */
	JCC      = 1 << 10,      /* conditional direct jump                  */
	JMP      = 1 << 11,      /* unconditional direct jump or call        */
	REPZ     = 1 << 12,      /* string compare: REP may do nothing       */
	/* 64-bit-mode column of the SDM; nothing reads it yet */
	I64      = 1 << 16,      /* invalid in 64-bit mode                   */
	O64      = 1 << 17,      /* only in 64-bit mode                      */
	D64      = 1 << 18,      /* default operand size is 64               */
	F64      = 1 << 19,      /* operand size is always 64                */
	/* the rest: 1 + the bit of CPUID.1:EDX without which it is #UD, or 0 */
	FEATURE  = 24,
	TSC = 5 << FEATURE, MSR = 6 << FEATURE, CX8 = 9 << FEATURE,
	SEP = 12 << FEATURE, CMOV = 16 << FEATURE, FXSR = 25 << FEATURE,
};

struct insn {
	const char *name;
	gen_fn *gen;
	const struct insn *group;    /* [8] or NULL                          */
	u8 arg[3];                   /* arg[0] is also the destination       */
	u8 x;                        /* for gen: IR op, condition, bytes ... */
	u8 def, use;                 /* arithmetic flags written, read       */
	u32 flags;
};

/* One-byte map, 0F map, x87: memory forms [op & 7][reg], register forms. A
 * row without name, generator and group is a hole: #UD. */
extern const struct insn optab[256], optab_0f[256];
extern const struct insn optab_fpu_mem[8][8], optab_fpu_reg[8][8];

#endif
