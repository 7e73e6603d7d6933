/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/i386/sys.c - system registers: MOV CR, LMSW, LGDT, flags. SDM vol. 2 at
 * each instruction, vol. 3A chapter 2. Upstream: misc_helper.c, cc_helper.c. */
#include "i386/desc.h"
#include "i386/fault.h"
#include "i386/helper.h"
#include "qemu/memory.h"
#include "qemu/target.h"

/* -- control registers ------------------------------------------------------------- */
u64 helper_write_cr(struct cpu *cpu, u32 nr, u32 v, u32 c)
{
	struct x86_cpu *x = x86(cpu);

	(void)c;
	if (nr == 0)
		cpu_set_cr0(x, v);
	else if (nr == 2)
		x->cr[2] = v;
	else if (nr == 3)
		cpu_set_cr3(x, v);
	else if (nr == 4)
		cpu_set_cr4(x, v);
	else
		raise_exception(x, EXCP_UD);
	return 0;
}

u64 helper_read_cr(struct cpu *cpu, u32 nr, u32 b, u32 c)
{
	(void)b, (void)c;
	return nr < 5 ? x86(cpu)->cr[nr] : 0;
}

u64 helper_clts(struct cpu *cpu, u32 a, u32 b, u32 c)
{
	struct x86_cpu *x = x86(cpu);

	(void)a, (void)b, (void)c;
	x->cr[0] &= ~(u32)CR0_TS;
	x->hflags &= ~(u32)HF_TS;
	return 0;
}

/* PE MP EM TS only; PE can be set but not cleared. */
u64 helper_lmsw(struct cpu *cpu, u32 v, u32 b, u32 c)
{
	struct x86_cpu *x = x86(cpu);

	(void)b, (void)c;
	cpu_set_cr0(x, (x->cr[0] & ~0xeu) | (v & 0xf));
	return 0;
}

u64 helper_smsw(struct cpu *cpu, u32 a, u32 b, u32 c)
{
	(void)a, (void)b, (void)c;
	return x86(cpu)->cr[0];
}

/* -- descriptor tables, TLB, caches ------------------------------------------------------- */
u64 helper_lgdt(struct cpu *cpu, u32 base, u32 limit, u32 c)
{
	(void)c;
	x86(cpu)->gdt = (struct desc_table){ base, limit };
	return 0;
}

u64 helper_lidt(struct cpu *cpu, u32 base, u32 limit, u32 c)
{
	(void)c;
	x86(cpu)->idt = (struct desc_table){ base, limit };
	return 0;
}

u64 helper_invlpg(struct cpu *cpu, u32 addr, u32 b, u32 c)
{
	(void)b, (void)c;
	tlb_flush_page(cpu, addr);
	return 0;
}

u64 helper_wbinvd(struct cpu *cpu, u32 a, u32 b, u32 c)
{
	(void)cpu, (void)a, (void)b, (void)c;
	return 0;
}

/* -- EFLAGS ------------------------------------------------------------------------------- */
u64 helper_get_eflags(struct cpu *cpu, u32 a, u32 b, u32 c)
{
	(void)a, (void)b, (void)c;
	if ((x86(cpu)->hflags & (HF_VIF | HF_VM)) == (HF_VIF | HF_VM))
		return vme_flags_image(x86(cpu));
	return cpu_get_eflags(x86(cpu)) & ~(u32)(EFLAGS_RF | EFLAGS_VM);
}

/* POPF by CPL and IOPL (SDM vol. 2 table 4-16). */
u64 helper_set_eflags(struct cpu *cpu, u32 v, u32 size, u32 c)
{
	struct x86_cpu *x = x86(cpu);
	u32 mask = EFLAGS_ARITH | EFLAGS_TF | EFLAGS_DF | EFLAGS_NT;
	u32 iopl = x->eflags >> 12 & 3, cpl = cpu_cpl(x);

	(void)c;
	if ((x->hflags & (HF_VIF | HF_VM)) == (HF_VIF | HF_VM)) {
		vme_set_flags(x, v);
		return 0;
	}
	if (size == 2)
		mask |= EFLAGS_AC | EFLAGS_ID;
	if (cpl == 0)
		mask |= EFLAGS_IOPL;
	if (cpl <= iopl)
		mask |= EFLAGS_IF;
	cpu_set_eflags(x, v, mask);
	return 0;
}

/* The block goes on unless it was made for another mode, or an interrupt waited for
 * IF. */
u64 helper_popf(struct cpu *cpu, u32 v, u32 size, u32 next)
{
	u32 was = x86(cpu)->hflags;

	helper_set_eflags(cpu, v, size, 0);
	if (x86(cpu)->hflags == was &&
	    !__atomic_load_n(&cpu->exit_request, __ATOMIC_RELAXED))
		return 0;
	cpu->pc = next;
	cpu_loop_exit(cpu);
}

/* The shadow lasts for one instruction if interrupts were off. SDM vol. 2 STI
 * table 4-21. In the middle of a block nothing looks for interrupts before that
 * is done; only one that waits already has to be taken right after it. */
u64 helper_sti(struct cpu *cpu, u32 next, u32 go_on, u32 c)
{
	struct x86_cpu *x = x86(cpu);
	bool was = x->eflags & EFLAGS_IF;

	(void)c;
	if (x->hflags & HF_VIF) {
		if (x->eflags & EFLAGS_VIP)
			fault(x, EXCP_GP, 0, "STI with VIP set", 0, 0);
		cpu_set_eflags(x, EFLAGS_VIF, EFLAGS_VIF);
		return 0;
	}
	cpu_set_eflags(x, EFLAGS_IF, EFLAGS_IF);
	if (was || (go_on && !__atomic_load_n(&cpu->exit_request, __ATOMIC_RELAXED)))
		return 0;
	x->hflags |= HF_INHIBIT_IRQ;
	if (!go_on)
		return 0;
	cpu->pc = next;
	cpu_loop_exit(cpu);
}

u64 helper_clac(struct cpu *cpu, u32 a, u32 b, u32 c)
{
	struct x86_cpu *x = x86(cpu);

	(void)a, (void)b, (void)c;
	x->eflags &= ~(u32)EFLAGS_AC;
	smap_close(x);
	return 0;
}

u64 helper_set_inhibit_irq(struct cpu *cpu, u32 a, u32 b, u32 c)
{
	(void)a, (void)b, (void)c;
	x86(cpu)->hflags |= HF_INHIBIT_IRQ;
	return 0;
}

/* -- an operand of code that keeps changing --------------------------------------------------- */
__attribute__((no_sanitize("thread")))
u64 helper_code_imm(struct cpu *cpu, u32 at, u32 b, u32 c)
{
	u32 v;

	(void)cpu, (void)b, (void)c;
	__builtin_memcpy(&v, ram_arena + at, sizeof(v));
	return v;
}
