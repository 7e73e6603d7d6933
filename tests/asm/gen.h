/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What gen.c (bytes, encodings, cases; directed blobs) offers to random.c (random
 * programs): the program that is being made.
 */
#ifndef TESTS_ASM_GEN_H
#define TESTS_ASM_GEN_H

#include "case.h"
#include "forms.h"

enum { EAX, ECX, EDX, EBX, ESP, EBP, ESI, EDI };

#define FS_PREFIX	0x64
#define CODE_BYTES	1024
#define JUMPS		16
#define BIT(r)		(1u << (r))

/* One encoding, chosen. */
struct shape {
	u8 opcode;		/* the last opcode byte */
	u8 mod, reg, rm;
	u8 base, index, scale;	/* of a SIB byte, when rm says so */
	u8 op16, addr16, lock, rep, seg;
	u8 vvvv;		/* changes that field of a VEX prefix */
	u8 align;		/* distances are multiples of 16 */
};

/* A distance still unknown: filled in at a later instruction. */
struct jump {
	u32 at, size;
	int absolute;
};

struct program {
	u8 code[CODE_BYTES];
	u32 len;
	u32 base;		/* linear address of code[0] */
	u32 kinds;
	u32 flags;
	u32 first_insn;		/* of all instructions made */
	u32 first_state;
	u8 pointers, smalls;	/* random programs: registers that hold one */
	struct jump jumps[JUMPS];
	u32 njumps;
};

/* A form of forms.h, taken apart. */
struct parsed {
	u8 lead[4];		/* opcode bytes before the last */
	u32 nlead;
	u32 op_low, op_high;
	int modrm;		/* 0 none, 1 /r, 2 digits */
	u32 digit_low, digit_high;
	char operands[3][4];
	u32 noperands;
};

extern struct program prog;
extern u32 instructions, cases_made;	/* so far */
extern u64 rnd_state;

/* Random numbers: any, below n, whether 1 in n; a bit of mask or -1. */
u32 rnd(void);
u32 below(u32 n);
int one_in(u32 n);
int pick_bit(u32 mask);

/* Appends to prog: bytes, little endian; a jump's distance, filled in when it
 * lands (n: which of prog.jumps). */
void put8(u32 v);
void put(u32 v, u32 bytes);
void put_jump(u32 size, int absolute);
void land(u32 n);
void land_all(void);
void land_short(void);

/* The kind of a register; an address in the scratch pages. */
void set_kind(int reg, u32 kind);
u32 absolute(const struct shape *s);

/* A form's encoding; one in the shape s; one that leaves x87 pointers, zeroed. */
void parse(const struct form *f, struct parsed *p);
void put_form(const struct parsed *p, const struct shape *s);
void put_fenv(const struct parsed *p, struct shape *s);

/* Begins a case in prog; appends it to the blob, to run from nstates states. */
void case_start(void);
void case_end(const char *name, u32 nstates);

/* random.c: programs until there are count instructions. */
void random_programs(u32 seed, u32 count);

#endif
