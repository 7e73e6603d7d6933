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
 * register in the opcode's low 3 bits, X DS:ESI, Y ES:EDI, V W U an XMM
 * register by modrm.reg, r/m, r/m (register only), P Q N an MMX register
 * likewise, B a general register by VEX.vvvv. Second letter, the
 * size: b w d q bytes 1 2 4 8, v and z by operand size, p far pointer, a two of
 * v, x 16 bytes that must be aligned, u 16 that need not be, h 16 as the host
 * has it (P Q N: always 8
 * bytes). sIb, sIz: sign-extended to the operand size. Capitals: a register. */
enum arg {
	None,
	Eb, Ew, Ed, Ev, Gb, Gw, Gv,
	Ib, Iw, Iz, sIb, Jb, Jz, Ob, Ov,
	M, Ma, Mp, Mq, Ap, Ew_Rv, Rd,
	Sw, Cd, Dd, Zb, Zv,
	AL, CL, DX, rAX, One,
	ES, CS, SS, DS, FS, GS,
	Xb, Xv, Yb, Yv,
	Vx, Wx, Wu, Wh, Wq, Wd, Ww, Ux, Px, Qx, Qd, Nx, Mx, Mu, Md, Mv,
	Gd, Rv, Rd_Mb, Rd_Mw, By,
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
	BYMOD    = 1 << 13,      /* by memory (0) or register (1)            */
	BYPFX    = 1 << 14,      /* by prefix: none, 66, F3, F2              */
	SSEROW   = 1 << 15,      /* XMM state: #UD by CR0.EM, CR4.OSFXSR; #NM by CR0.TS */
	MMXROW   = 1 << 20,      /* MMX state: #UD by CR0.EM, #NM by CR0.TS  */
	ELSE_NP  = 1 << 21,      /* without its feature: as with no prefix   */
	UMIP     = 1 << 22,      /* #GP(0) above ring 0 by CR4.UMIP          */
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
	/* the rest: 1 + 32 * word + bit of the CPUID feature without which it
	 * is #UD, or 0; words are those of enum feature_word */
	FEATURE  = 24,
};
#define FEAT(word, bit) ((1u + 32 * (word) + (bit)) << FEATURE)
#define TSC       FEAT(0, 4)
#define MSR       FEAT(0, 5)
#define CX8       FEAT(0, 8)
#define SEP       FEAT(0, 11)
#define CMOV      FEAT(0, 15)
#define CLFSH     FEAT(0, 19)
#define MMX       FEAT(0, 23)
#define FXSR      FEAT(0, 24)
#define SSE       FEAT(0, 25)
#define SSE2      FEAT(0, 26)
#define SSE3      FEAT(1, 0)
#define PCLMUL    FEAT(1, 1)
#define MONITOR   FEAT(1, 3)
#define SSSE3     FEAT(1, 9)
#define SSE41     FEAT(1, 19)
#define SSE42     FEAT(1, 20)
#define MOVBE     FEAT(1, 22)
#define POPCNT    FEAT(1, 23)
#define AESNI     FEAT(1, 25)
#define XSAVE     FEAT(1, 26)
#define RDRAND    FEAT(1, 30)
#define BMI1      FEAT(2, 3)
#define BMI2      FEAT(2, 8)
#define XSAVEOPT  FEAT(6, 0)
#define SMAP      FEAT(2, 20)
#define RDSEED    FEAT(2, 18)
#define CLFLUSHOPT FEAT(2, 23)
#define CLWB      FEAT(2, 24)
#define SHANI     FEAT(2, 29)
#define ABM       FEAT(3, 5)
#define RDTSCP    FEAT(4, 27)

/* For gen_vec: what an instruction does beside its operands. */
enum {
	X_FP = 1,                /* raises SIMD floating point exceptions    */
	X_RW = 2,                /* arg[0], a general register, is also read */
	X_MULX = 4,              /* two results                              */
	X_LEN = 8,               /* reads EAX and EDX                        */
	X_ECX = 16,              /* result in ECX                            */
	X_OSZ = 32,              /* 66 is no part of the opcode              */
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

/* VEX-encoded instructions of general registers. */
extern const struct vex_insn { u8 map, prefix, op; struct insn row; } optab_vex[];
extern const unsigned optab_vex_count;

/* One-byte map, 0F map, x87: memory forms [op & 7][reg], register forms. A
 * row without name, generator and group is a hole: #UD. */
extern const struct insn optab[256], optab_0f[256], optab_38[256], optab_3a[256];
extern const struct insn optab_fpu_mem[8][8], optab_fpu_reg[8][8];

#endif
