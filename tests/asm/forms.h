/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every instruction of ring 3 as rows of opcode bytes, see forms.c. An encoding
 * is a list of words: "0f" an opcode byte, "70-7f" a range of them (the last
 * byte only), "/r" ModRM, "/4" or "/0-7" ModRM with digits, "ib" "iw" "iv"
 * immediates (v: by operand size), "il" the level of ENTER, "o" an offset of
 * the address size, "j8" "jv" the distance of a jump.
 */
#ifndef TESTS_ASM_FORMS_H
#define TESTS_ASM_FORMS_H

enum {
	/* Which registers it writes beside ModRM operands: bits 0 to 7. */
	F_A = 1, F_C = 2, F_D = 4, F_B = 8, F_SP = 16, F_BP = 32, F_SI = 64,
	F_DI = 128, F_ALL = 255,
	F_OPREG = 0x100,	/* a register in the opcode's low bits */
	F_KEEP = 0x200,		/* writes no ModRM operand that is a register */
	F_MEM = 0x400,		/* the ModRM operand is memory */
	F_REG = 0x800,		/* ... is a register */
	F_LOCK = 0x1000,	/* LOCK is legal with memory */
	F_STRING = 0x2000,	/* takes REP and REPNE */
	F_FPU = 0x4000,		/* wants a random x87 state */
	F_FENV = 0x8000,	/* stores x87 pointers, which are not compared */
	F_WILD = 0x10000,	/* mostly faults: not in random programs */
	F_PLAIN = 0x20000,	/* other prefixes make another instruction */
	F_FLOW = 0x40000,	/* jumps */
	F_STACK = 0x100000,	/* moves the stack pointer */
	F_SIMD_FP = 0x200000,	/* may raise #XM */
	F_SSE = 0x80000,	/* wants random XMM registers and MXCSR */
};

struct form {
	const char *chapter;
	const char *enc;
	unsigned flags;
};

extern const struct form forms[];
extern const unsigned forms_count;
#endif
