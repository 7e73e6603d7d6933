/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every integer and x87 instruction of a Pentium II class processor that ring 3
 * may execute, or that must fault there; the notation is in forms.h. From the
 * opcode maps of the SDM, volume 2, appendix A.
 *
 * Left out: CPUID, RDTSC (differ by nature), SYSENTER, SYSEXIT (systems differ),
 * SGDT SIDT SLDT STR SMSW (Linux emulates them for processes), INT1 (under KVM
 * on AMD its trap shows a wrong EIP), and what newer hosts made into other
 * instructions. Written by hand in special.S:
 * indirect jumps, returns, POPF, INT, FXSAVE, and programs of several steps.
 */
#include "forms.h"

#define ALU(lock, rm_r, r_rm, al, eax)			\
	{ "alu", rm_r " /r", lock },			\
	{ "alu", r_rm " /r", 0 },			\
	{ "alu", al " ib", F_A },			\
	{ "alu", eax " iv", F_A }

#define SSE	(F_SSE | F_FPU | F_PLAIN)

const struct form forms[] = {
	ALU(F_LOCK, "00-01", "02-03", "04", "05"),	/* add */
	ALU(F_LOCK, "08-09", "0a-0b", "0c", "0d"),	/* or */
	ALU(F_LOCK, "10-11", "12-13", "14", "15"),	/* adc */
	ALU(F_LOCK, "18-19", "1a-1b", "1c", "1d"),	/* sbb */
	ALU(F_LOCK, "20-21", "22-23", "24", "25"),	/* and */
	ALU(F_LOCK, "28-29", "2a-2b", "2c", "2d"),	/* sub */
	ALU(F_LOCK, "30-31", "32-33", "34", "35"),	/* xor */
	ALU(F_KEEP, "38-39", "3a-3b", "3c", "3d"),	/* cmp */
	{ "alu", "80 /0-6 ib", F_LOCK },
	{ "alu", "80 /7 ib", F_KEEP },
	{ "alu", "81 /0-6 iv", F_LOCK },
	{ "alu", "81 /7 iv", F_KEEP },
	{ "alu", "82 /0-7 ib", 0 },
	{ "alu", "83 /0-6 ib", F_LOCK },
	{ "alu", "83 /7 ib", F_KEEP },
	{ "alu", "84-85 /r", F_KEEP },			/* test */
	{ "alu", "a8 ib", 0 },
	{ "alu", "a9 iv", 0 },
	{ "alu", "f6 /0-1 ib", F_KEEP },
	{ "alu", "f7 /0-1 iv", F_KEEP },
	{ "alu", "f6-f7 /2-3", F_LOCK },		/* not, neg */
	{ "alu", "40-4f", F_OPREG },			/* inc, dec */
	{ "alu", "fe /0-1", F_LOCK },
	{ "alu", "ff /0-1", F_LOCK },

	{ "shift", "c0-c1 /0-7 ib", 0 },
	{ "shift", "d0-d1 /0-7", 0 },
	{ "shift", "d2-d3 /0-7", 0 },
	{ "shift", "0f a4 /r ib", 0 },			/* shld */
	{ "shift", "0f a5 /r", 0 },
	{ "shift", "0f ac /r ib", 0 },			/* shrd */
	{ "shift", "0f ad /r", 0 },

	{ "muldiv", "f6-f7 /4-7", F_A | F_D },
	{ "muldiv", "0f af /r", 0 },
	{ "muldiv", "69 /r iv", 0 },
	{ "muldiv", "6b /r ib", 0 },

	{ "bcd", "27", F_A },
	{ "bcd", "2f", F_A },
	{ "bcd", "37", F_A },
	{ "bcd", "3f", F_A },
	{ "bcd", "d4 ib", F_A },
	{ "bcd", "d5 ib", F_A },

	{ "bit", "0f a3 /r", F_KEEP },			/* bt, bts, btr, btc */
	{ "bit", "0f ab /r", F_LOCK },
	{ "bit", "0f b3 /r", F_LOCK },
	{ "bit", "0f bb /r", F_LOCK },
	{ "bit", "0f ba /4 ib", F_KEEP },
	{ "bit", "0f ba /5-7 ib", F_LOCK },
	{ "bit", "0f bc-bd /r", 0 },			/* bsf, bsr */

	{ "exchange", "0f b0-b1 /r", F_LOCK | F_A },	/* cmpxchg */
	{ "exchange", "0f c0-c1 /r", F_LOCK },		/* xadd */
	{ "exchange", "0f c7 /1", F_LOCK | F_MEM | F_A | F_D | F_PLAIN },
	{ "exchange", "86-87 /r", F_LOCK },
	{ "exchange", "90-97", F_OPREG | F_A },

	{ "move", "88-8b /r", 0 },
	{ "move", "a0-a1 o", F_A },
	{ "move", "a2-a3 o", 0 },
	{ "move", "b0-b7 ib", F_OPREG },
	{ "move", "b8-bf iv", F_OPREG },
	{ "move", "c6 /0 ib", 0 },
	{ "move", "c7 /0 iv", 0 },
	{ "move", "0f b6-b7 /r", 0 },			/* movzx */
	{ "move", "0f be-bf /r", 0 },			/* movsx */
	{ "move", "0f 40-4f /r", 0 },			/* cmov */
	{ "move", "0f 90-9f /0-7", 0 },			/* set */
	{ "move", "0f c8-cf", F_OPREG },		/* bswap */
	{ "move", "8d /r", F_MEM },			/* lea */
	{ "move", "8d /r", F_REG | F_WILD },
	{ "move", "d7", F_A },				/* xlat */
	{ "move", "98", F_A },				/* cbw */
	{ "move", "99", F_D },				/* cwd */
	{ "move", "0f 18-1f /0-7", F_KEEP },		/* nop, prefetch */
	{ "move", "0f 0d /0-7", F_KEEP | F_MEM },

	{ "flags", "9e", 0 },				/* sahf, lahf */
	{ "flags", "9f", F_A },
	{ "flags", "d6", F_A },				/* salc */
	{ "flags", "f5", 0 },
	{ "flags", "f8-f9", 0 },
	{ "flags", "fc-fd", 0 },

	{ "stack", "50-57", 0 },
	{ "stack", "58-5f", F_OPREG },
	{ "stack", "60", 0 },				/* pusha, popa */
	{ "stack", "61", F_ALL & ~F_SP },
	{ "stack", "68 iv", 0 },
	{ "stack", "6a ib", 0 },
	{ "stack", "8f /0", 0 },
	{ "stack", "ff /6", F_KEEP },
	{ "stack", "9c", 0 },
	{ "stack", "c8 iw il", F_BP | F_SP },		/* enter, leave */
	{ "stack", "c9", F_BP },
	{ "stack", "06", 0 },
	{ "stack", "0e", 0 },
	{ "stack", "16", 0 },
	{ "stack", "1e", 0 },
	{ "stack", "0f a0", 0 },
	{ "stack", "0f a8", 0 },

	{ "string", "a4-a5", F_STRING },		/* movs */
	{ "string", "a6-a7", F_STRING },		/* cmps */
	{ "string", "aa-ab", F_STRING },		/* stos */
	{ "string", "ac-ad", F_STRING | F_A },		/* lods */
	{ "string", "ae-af", F_STRING },		/* scas */

	{ "flow", "70-7f j8", F_FLOW },
	{ "flow", "0f 80-8f jv", F_FLOW },
	{ "flow", "e0-e2 j8", F_FLOW | F_C },		/* loop */
	{ "flow", "e3 j8", F_FLOW },			/* jecxz */
	{ "flow", "eb j8", F_FLOW },
	{ "flow", "e9 jv", F_FLOW },
	{ "flow", "e8 jv", F_FLOW },
	{ "flow", "62 /r", F_MEM | F_WILD },		/* bound */
	{ "flow", "ce", F_WILD },			/* into */

	{ "segment", "8c /0-5", 0 },
	{ "segment", "8c /6-7", F_WILD },
	{ "segment", "8e /0-7", F_WILD },
	{ "segment", "07", F_WILD },
	{ "segment", "17", F_WILD },
	{ "segment", "1f", F_WILD },
	{ "segment", "0f a1", F_WILD },
	{ "segment", "0f a9", F_WILD },
	{ "segment", "c4-c5 /r", F_MEM | F_WILD },	/* les, lds */
	{ "segment", "0f b2 /r", F_MEM | F_WILD },	/* lss, lfs, lgs */
	{ "segment", "0f b4-b5 /r", F_MEM | F_WILD },
	{ "segment", "63 /r", 0 },			/* arpl */
	{ "segment", "0f 00 /4", F_KEEP },		/* verr */
	{ "segment", "0f 00 /5", F_KEEP | F_PLAIN },	/* verw: AMD locks it */
	{ "segment", "0f 02-03 /r", 0 },		/* lar, lsl */

	{ "system", "f4", F_WILD },			/* all fault here */
	{ "system", "fa-fb", F_WILD },
	{ "system", "6c-6f", F_WILD | F_STRING },
	{ "system", "e4-e7 ib", F_WILD },
	{ "system", "ec-ef", F_WILD },
	{ "system", "0f 00 /2-3", F_WILD },
	{ "system", "0f 01 /2-3", F_WILD | F_MEM },
	{ "system", "0f 01 /6", F_WILD },
	{ "system", "0f 01 /7", F_WILD | F_MEM },
	{ "system", "0f 01 c8-cb", F_WILD },		/* monitor, mwait, clac, stac */
	{ "system", "0f 06", F_WILD },
	{ "system", "0f 08-09", F_WILD | F_PLAIN },
	{ "system", "0f 20 /0", F_WILD | F_REG | F_PLAIN },
	{ "system", "0f 20 /2-4", F_WILD | F_REG | F_PLAIN },
	{ "system", "0f 21 /0-3", F_WILD | F_REG | F_PLAIN },
	{ "system", "0f 22 /0", F_WILD | F_REG | F_PLAIN },
	{ "system", "0f 22 /2-4", F_WILD | F_REG | F_PLAIN },
	{ "system", "0f 23 /0-3", F_WILD | F_REG | F_PLAIN },
	{ "system", "0f 30", F_WILD },
	{ "system", "0f 32-33", F_WILD },

	{ "invalid", "0f 0b", F_WILD },
	{ "invalid", "0f 04", F_WILD },
	{ "invalid", "0f 0a", F_WILD },
	{ "invalid", "0f 0c", F_WILD },
	{ "invalid", "0f 36", F_WILD },
	{ "invalid", "0f a6-a7", F_WILD },
	{ "invalid", "0f ba /0-3", F_WILD },
	{ "invalid", "fe /2-7", F_WILD },
	{ "invalid", "ff /7", F_WILD },
	{ "invalid", "c6-c7 /1-6", F_WILD },
	{ "invalid", "d9 /1", F_WILD | F_MEM },
	{ "invalid", "db /4", F_WILD | F_MEM },
	{ "invalid", "db /6", F_WILD | F_MEM },
	{ "invalid", "dd /5", F_WILD | F_MEM },

	{ "x87-memory", "d8 /0-7", F_FPU | F_MEM | F_KEEP },
	{ "x87-memory", "d9 /0", F_FPU | F_MEM | F_KEEP },
	{ "x87-memory", "d9 /2-3", F_FPU | F_MEM | F_KEEP },
	{ "x87-memory", "d9 /5", F_FPU | F_MEM | F_KEEP | F_WILD },
	{ "x87-memory", "d9 /7", F_FPU | F_MEM | F_KEEP },
	{ "x87-memory", "da /0-7", F_FPU | F_MEM | F_KEEP },
	{ "x87-memory", "db /0-1", F_FPU | F_MEM | F_KEEP },
	{ "x87-memory", "db /2-3", F_FPU | F_MEM | F_KEEP },
	{ "x87-memory", "db /5", F_FPU | F_MEM | F_KEEP },
	{ "x87-memory", "db /7", F_FPU | F_MEM | F_KEEP },
	{ "x87-memory", "dc /0-7", F_FPU | F_MEM | F_KEEP },
	{ "x87-memory", "dd /0-1", F_FPU | F_MEM | F_KEEP },
	{ "x87-memory", "dd /2-3", F_FPU | F_MEM | F_KEEP },
	{ "x87-memory", "dd /7", F_FPU | F_MEM | F_KEEP },
	{ "x87-memory", "de /0-7", F_FPU | F_MEM | F_KEEP },
	{ "x87-memory", "df /0-1", F_FPU | F_MEM | F_KEEP },
	{ "x87-memory", "df /2-7", F_FPU | F_MEM | F_KEEP },
	{ "x87-register", "d8 c0-ff", F_FPU },
	{ "x87-register", "d9 c0-ff", F_FPU },
	{ "x87-register", "da c0-ff", F_FPU },
	{ "x87-register", "db c0-ff", F_FPU },
	{ "x87-register", "dc c0-ff", F_FPU },
	{ "x87-register", "dd c0-ff", F_FPU },
	{ "x87-register", "de c0-ff", F_FPU },
	{ "x87-register", "df c0-ff", F_FPU | F_A },
	{ "x87-register", "9b", F_FPU },
	{ "x87-environment", "d9 /4", F_FPU | F_MEM | F_KEEP | F_WILD },
	{ "x87-environment", "dd /4", F_FPU | F_MEM | F_KEEP | F_WILD },
	{ "x87-environment", "d9 /6", F_FPU | F_MEM | F_KEEP | F_FENV },
	{ "x87-environment", "dd /6", F_FPU | F_MEM | F_KEEP | F_FENV },

	/* Every opcode with each prefix; many are holes. Left out: SSE4A. */
	{ "sse-np", "0f 10-17 /r", SSE | F_KEEP },
	{ "sse-np", "0f 28-2f /r", SSE },
	{ "sse-np", "0f 50 /r", SSE },
	{ "sse-np", "0f 51-6f /r", SSE | F_KEEP },
	{ "sse-np", "0f 70 /r ib", SSE | F_KEEP },
	{ "sse-np", "0f 71-73 /0-7 ib", SSE | F_KEEP },
	{ "sse-np", "0f 74-76 /r", SSE | F_KEEP },
	{ "sse-np", "0f 7c-7f /r", SSE },
	{ "sse-np", "0f c2 /r ib", SSE | F_KEEP },
	{ "sse-np", "0f c4-c6 /r ib", SSE },
	{ "sse-np", "0f c3 /r", SSE | F_KEEP },
	{ "sse-np", "0f d0-fe /r", SSE },
	{ "sse-np", "0f 38 00-41 /r", SSE | F_KEEP },
	{ "sse-np", "0f 38 c8-cd /r", SSE | F_KEEP },
	{ "sse-np", "0f 38 db-df /r", SSE | F_KEEP },
	{ "sse-np", "0f 3a 08-0f /r ib", SSE | F_KEEP },
	{ "sse-np", "0f 3a 14-17 /r ib", SSE },
	{ "sse-np", "0f 3a 20-22 /r ib", SSE | F_KEEP },
	{ "sse-np", "0f 3a 40-44 /r ib", SSE | F_KEEP },
	{ "sse-np", "0f 3a 60-63 /r ib", SSE | F_KEEP | F_C },
	{ "sse-np", "0f 3a cc /r ib", SSE | F_KEEP },
	{ "sse-np", "0f 3a df /r ib", SSE | F_KEEP },
	{ "sse-66", "66 0f 10-17 /r", SSE | F_KEEP },
	{ "sse-66", "66 0f 28-2f /r", SSE },
	{ "sse-66", "66 0f 50 /r", SSE },
	{ "sse-66", "66 0f 51-6f /r", SSE | F_KEEP },
	{ "sse-66", "66 0f 70 /r ib", SSE | F_KEEP },
	{ "sse-66", "66 0f 71-73 /0-7 ib", SSE | F_KEEP },
	{ "sse-66", "66 0f 74-76 /r", SSE | F_KEEP },
	{ "sse-66", "66 0f 7c-7f /r", SSE },
	{ "sse-66", "66 0f c2 /r ib", SSE | F_KEEP },
	{ "sse-66", "66 0f c4-c6 /r ib", SSE },
	{ "sse-66", "66 0f c3 /r", SSE | F_KEEP },
	{ "sse-66", "66 0f d0-fe /r", SSE },
	{ "sse-66", "66 0f 38 00-41 /r", SSE | F_KEEP },
	{ "sse-66", "66 0f 38 c8-cd /r", SSE | F_KEEP },
	{ "sse-66", "66 0f 38 db-df /r", SSE | F_KEEP },
	{ "sse-66", "66 0f 3a 08-0f /r ib", SSE | F_KEEP },
	{ "sse-66", "66 0f 3a 14-17 /r ib", SSE },
	{ "sse-66", "66 0f 3a 20-22 /r ib", SSE | F_KEEP },
	{ "sse-66", "66 0f 3a 40-44 /r ib", SSE | F_KEEP },
	{ "sse-66", "66 0f 3a 60-63 /r ib", SSE | F_KEEP | F_C },
	{ "sse-66", "66 0f 3a cc /r ib", SSE | F_KEEP },
	{ "sse-66", "66 0f 3a df /r ib", SSE | F_KEEP },
	{ "sse-f3", "f3 0f 10-17 /r", SSE | F_KEEP },
	{ "sse-f3", "f3 0f 28-2a /r", SSE },
	{ "sse-f3", "f3 0f 2c-2f /r", SSE },
	{ "sse-f3", "f3 0f 50 /r", SSE },
	{ "sse-f3", "f3 0f 51-6f /r", SSE | F_KEEP },
	{ "sse-f3", "f3 0f 70 /r ib", SSE | F_KEEP },
	{ "sse-f3", "f3 0f 74-76 /r", SSE | F_KEEP },
	{ "sse-f3", "f3 0f 7c-7f /r", SSE },
	{ "sse-f3", "f3 0f c2 /r ib", SSE | F_KEEP },
	{ "sse-f3", "f3 0f c4-c6 /r ib", SSE },
	{ "sse-f3", "f3 0f d0-fe /r", SSE },
	{ "sse-f2", "f2 0f 10-17 /r", SSE | F_KEEP },
	{ "sse-f2", "f2 0f 28-2a /r", SSE },
	{ "sse-f2", "f2 0f 2c-2f /r", SSE },
	{ "sse-f2", "f2 0f 50 /r", SSE },
	{ "sse-f2", "f2 0f 51-6f /r", SSE | F_KEEP },
	{ "sse-f2", "f2 0f 70 /r ib", SSE | F_KEEP },
	{ "sse-f2", "f2 0f 74-76 /r", SSE | F_KEEP },
	{ "sse-f2", "f2 0f 7c-7f /r", SSE },
	{ "sse-f2", "f2 0f c2 /r ib", SSE | F_KEEP },
	{ "sse-f2", "f2 0f c4-c6 /r ib", SSE },
	{ "sse-f2", "f2 0f d0-fe /r", SSE },
	{ "sse-np", "0f 77", SSE },
	/* (LDMXCSR is in special.S: AMD has a bit in MXCSR that others have not.) */
	{ "sse-np", "0f ae /3", SSE | F_KEEP | F_MEM },
	{ "sse-np", "0f ae /5-7", SSE | F_KEEP | F_REG },
	{ "sse-np", "0f ae /7", SSE | F_KEEP | F_MEM },
	{ "sse-66", "66 0f ae /6-7", SSE | F_KEEP | F_MEM },

	{ "sse-integer", "f3 0f b8 /r", 0 },
	{ "sse-integer", "f3 0f bc-bd /r", 0 },
	{ "sse-integer", "f2 0f bc-bd /r", 0 },
	{ "sse-integer", "0f 38 f0-f1 /r", 0 },
	{ "sse-integer", "f2 0f 38 f0-f1 /r", 0 },
	{ "sse-integer", "c4 e2 78 f2-f7 /r", F_PLAIN | F_ALL },
	{ "sse-integer", "c4 e2 79 f2-f7 /r", F_PLAIN | F_ALL },
	{ "sse-integer", "c4 e2 7a f2-f7 /r", F_PLAIN | F_ALL },
	{ "sse-integer", "c4 e2 7b f2-f7 /r", F_PLAIN | F_ALL },
	{ "sse-integer", "c4 e2 40 f2-f7 /r", F_PLAIN | F_ALL },
	{ "sse-integer", "c4 e2 41 f2-f7 /r", F_PLAIN | F_ALL },
	{ "sse-integer", "c4 e2 42 f2-f7 /r", F_PLAIN | F_ALL },
	{ "sse-integer", "c4 e2 43 f2-f7 /r", F_PLAIN | F_ALL },
	{ "sse-integer", "c4 e2 08 f2-f7 /r", F_PLAIN | F_ALL },
	{ "sse-integer", "c4 e2 09 f2-f7 /r", F_PLAIN | F_ALL },
	{ "sse-integer", "c4 e2 0a f2-f7 /r", F_PLAIN | F_ALL },
	{ "sse-integer", "c4 e2 0b f2-f7 /r", F_PLAIN | F_ALL },
	{ "sse-integer", "c4 e2 50 f2-f7 /r", F_PLAIN | F_ALL },
	{ "sse-integer", "c4 e2 51 f2-f7 /r", F_PLAIN | F_ALL },
	{ "sse-integer", "c4 e2 52 f2-f7 /r", F_PLAIN | F_ALL },
	{ "sse-integer", "c4 e2 53 f2-f7 /r", F_PLAIN | F_ALL },
	{ "sse-integer", "c4 e3 7b f0 /r ib", F_PLAIN },
	/* a register where none is used; VEX.B and VEX.W, which are ignored */
	{ "sse-integer", "c4 e3 4b f0 /r ib", F_PLAIN },
	{ "sse-integer", "c4 e3 3b f0 /r ib", F_PLAIN },
	{ "sse-integer", "c4 c3 7b f0 /r ib", F_PLAIN },
	{ "sse-integer", "c4 e3 fb f0 /r ib", F_PLAIN },
	{ "sse-integer", "c4 c2 c0 f2-f7 /r", F_PLAIN | F_ALL },
	{ "sse-integer", "c4 e2 c4 f2-f7 /r", F_PLAIN | F_ALL },
};

const unsigned forms_count = sizeof(forms) / sizeof(forms[0]);
