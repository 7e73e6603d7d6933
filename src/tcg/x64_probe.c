/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/tcg/x64_probe.c - what the host's processor can do, and does to flags
 * that the manuals leave undefined.
 *
 * What multiplications, divisions and bit scans do to the flags that they do
 * not define differs between processors: some write them, some leave them. The
 * guest is to see what the host does, so the host is asked. */
#include "tcg/x64.h"

#include "env/log.h"
#include "tcg/x64_gen.h"

enum { CC_ALL = 0x8d5 };

/* Flags after `insn` on a few operands, from the flags f. */
#define FLAGS_AFTER(insn, f)                                                  \
	({                                                                    \
		u64 fl_ = (f), a_ = 6, b_ = 2, d_ = 0;                        \
		__asm__ volatile("push %0; popfq; " insn "; pushfq; pop %0"   \
				 : "+r"(fl_), "+a"(a_), "+b"(b_), "+d"(d_)    \
				 : : "cc", "memory");                         \
		(u32)fl_ & CC_ALL;                                            \
	})

/* The flags that come out the same whatever they were: written ones. */
#define WRITTEN(insn) \
	to_ir(~(FLAGS_AFTER(insn, 0x202) ^ FLAGS_AFTER(insn, 0x202 | CC_ALL)))

static u8 to_ir(u32 eflags)
{
	static const u16 bit[6] = { 0x001, 0x004, 0x010, 0x040, 0x080, 0x800 };
	u8 f = 0;

	for (int i = 0; i < 6; i++)
		if (eflags & bit[i])
			f |= (u8)(1 << i);
	return f;
}

static u8 written[IR_NOPS];          /* 0: all of fdef                      */

/* Instructions of IR_VEC that leave some flags undefined. */
static struct { u16 opcode; u8 written; } vec[] = {
	{ VEC_OPCODE(VEC_F3, VEC_0F, 0xbc), 0 }, { VEC_OPCODE(VEC_F3, VEC_0F, 0xbd), 0 },
	{ VEC_VEX | VEC_OPCODE(VEC_NP, VEC_0F38, 0xf2), 0 },
	{ VEC_VEX | VEC_OPCODE(VEC_NP, VEC_0F38, 0xf3), 0 },
	{ VEC_VEX | VEC_OPCODE(VEC_NP, VEC_0F38, 0xf5), 0 },
	{ VEC_VEX | VEC_OPCODE(VEC_NP, VEC_0F38, 0xf7), 0 },
};

/* The host has BMI2, hence all of these (LZCNT is BSR where there is none). */
static u8 probe_vec(unsigned i)
{
	switch (i) {
	case 0:
		return WRITTEN("tzcnt %%ebx, %%eax");
	case 1:
		return WRITTEN("lzcnt %%ebx, %%eax");
	case 2:
		return WRITTEN("andn %%ebx, %%eax, %%eax");
	case 3:
		return WRITTEN("blsr %%ebx, %%eax");
	case 4:
		return WRITTEN("bzhi %%ebx, %%eax, %%eax");
	default:
		return WRITTEN("bextr %%ebx, %%eax, %%eax");
	}
}

void tcg_probe_flags(void)
{
	written[IR_IMUL] = WRITTEN("imul %%ebx, %%eax");
	written[IR_IMUL3] = WRITTEN("imul $77, %%ebx, %%eax");
	written[IR_MULU] = WRITTEN("mul %%ebx");
	written[IR_MULS] = WRITTEN("imul %%ebx");
	written[IR_DIVU] = WRITTEN("div %%ebx");
	written[IR_DIVS] = WRITTEN("idiv %%ebx");
	written[IR_BSF] = WRITTEN("bsf %%ebx, %%eax");
	written[IR_BSR] = WRITTEN("bsr %%ebx, %%eax");
	for (unsigned i = 0; i < ARRAY_SIZE(vec); i++)
		vec[i].written = probe_vec(i);
}

u8 tcg_flags_written(const struct ir_insn *in)
{
	u8 w = written[in->op];

	for (unsigned i = 0; in->op == IR_VEC && i < ARRAY_SIZE(vec); i++)
		if ((in->imm & 0x1fff) == vec[i].opcode)
			w = vec[i].written;
	return w ? in->fdef & w : in->fdef;
}

void tcg_check_host(void)
{
	u32 a = 7, b, c = 0, d;

	__asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	if (!(b >> 8 & 1))
		die("this host's processor lacks BMI2, which translated code needs");
}

void ir_use_host_flags(struct ir_block *b)
{
	for (int i = 0; i < b->n; i++) {
		struct ir_insn *in = &b->insn[i];

		if (written[in->op] || in->op == IR_VEC)
			in->fdef = tcg_flags_written(in);
	}
}
