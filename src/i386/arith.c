/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/i386/arith.c - decimal adjustments, which the host lacks in 64-bit mode.
 * SDM vol. 2 AAA AAD AAM AAS DAA DAS.
 *
 * The flags that the manual calls undefined are the host family's: those of
 * the addition or subtraction that makes the adjustment (8 bits wide for DAA,
 * DAS and AAD, 16 for AAA and AAS). Checked against silicon for all inputs. */
#include "i386/fault.h"
#include "i386/helper.h"

/* d op= v, and the EFLAGS bits that leaves. */
#define FLAGS_OP(name, insn, type)                                          \
	static u32 name(type *d, type v)                                    \
	{                                                                   \
		u32 ax;                                                     \
		__asm__(insn " %2, %1\n\tlahf\n\tseto %%al"                 \
			: "=&a"(ax), "+&d"(*d) : "c"(v) : "cc");            \
		return (ax >> 8 & 0xd5) | (ax & 1) << 11;                   \
	}
FLAGS_OP(add8, "addb", u8)
FLAGS_OP(sub8, "subb", u8)
FLAGS_OP(add16, "addw", u16)
FLAGS_OP(sub16, "subw", u16)
#undef FLAGS_OP

static void set_al(struct cpu *cpu, u8 al)
{
	cpu->regs[R_EAX] = (cpu->regs[R_EAX] & 0xffffff00) | al;
}

static void set_ax(struct cpu *cpu, u16 ax)
{
	cpu->regs[R_EAX] = (cpu->regs[R_EAX] & 0xffff0000) | ax;
}

/* The adjustment of DAA and DAS for AL, and CF and AF after it. */
static u8 decimal_adjust(u8 al, u32 cc, u32 *cf_af)
{
	bool low = (al & 15) > 9 || (cc & EFLAGS_AF);
	bool high = al > 0x99 || (cc & EFLAGS_CF);

	*cf_af = (low ? EFLAGS_AF : 0) | (high ? EFLAGS_CF : 0);
	return (low ? 6 : 0) + (high ? 0x60 : 0);
}

u64 helper_daa(struct cpu *cpu, u32 a, u32 b, u32 c)
{
	u8 al = cpu->regs[R_EAX];
	u32 cf_af, f;
	u8 by = decimal_adjust(al, cc_to_eflags(cpu->cc), &cf_af);

	(void)a, (void)b, (void)c;
	f = add8(&al, by);
	cpu->cc = cc_from_eflags((f & ~(u32)(EFLAGS_CF | EFLAGS_AF)) | cf_af);
	set_al(cpu, al);
	return 0;
}

/* CF is also set when the low digit's adjustment borrows. */
u64 helper_das(struct cpu *cpu, u32 a, u32 b, u32 c)
{
	u8 al = cpu->regs[R_EAX], old = al;
	u32 cf_af, f;
	u8 by = decimal_adjust(al, cc_to_eflags(cpu->cc), &cf_af);

	(void)a, (void)b, (void)c;
	f = sub8(&al, by);
	if ((cf_af & EFLAGS_AF) && old < 6)
		cf_af |= EFLAGS_CF;
	cpu->cc = cc_from_eflags((f & ~(u32)(EFLAGS_CF | EFLAGS_AF)) | cf_af);
	set_al(cpu, al);
	return 0;
}

/* AAA, AAS: the whole of AX changes by 0106h, then AL keeps its low digit. */
static void ascii_adjust(struct cpu *cpu, u32 (*op)(u16 *, u16))
{
	u16 ax = cpu->regs[R_EAX];
	bool adjust = (ax & 15) > 9 || (cc_to_eflags(cpu->cc) & EFLAGS_AF);
	u32 f = op(&ax, adjust ? 0x106 : 0);

	cpu->cc = cc_from_eflags((f & ~(u32)(EFLAGS_CF | EFLAGS_AF)) |
				 (adjust ? EFLAGS_CF | EFLAGS_AF : 0));
	set_ax(cpu, ax & 0xff0f);
}

u64 helper_aaa(struct cpu *cpu, u32 a, u32 b, u32 c)
{
	(void)a, (void)b, (void)c;
	ascii_adjust(cpu, add16);
	return 0;
}

u64 helper_aas(struct cpu *cpu, u32 a, u32 b, u32 c)
{
	(void)a, (void)b, (void)c;
	ascii_adjust(cpu, sub16);
	return 0;
}

u64 helper_aam(struct cpu *cpu, u32 base, u32 b, u32 c)
{
	u8 al = cpu->regs[R_EAX], low;

	(void)b, (void)c;
	base &= 0xff;
	if (!base)
		fault(x86(cpu), EXCP_DE, 0, "AAM by zero", 0, 0);
	low = al % base;
	set_ax(cpu, al / base << 8 | low);
	cpu->cc = cc_from_eflags(add8(&low, 0));
	return 0;
}

u64 helper_aad(struct cpu *cpu, u32 base, u32 b, u32 c)
{
	u16 ax = cpu->regs[R_EAX];
	u8 al = ax;

	(void)b, (void)c;
	cpu->cc = cc_from_eflags(add8(&al, (ax >> 8) * base));
	set_ax(cpu, al);
	return 0;
}
