/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/i386/segquery.c - instructions that ask about selectors (LAR, LSL, VERR,
 * VERW, ARPL), load LDTR and TR, and build stack frames (ENTER, PUSHA, POPA).
 * SDM vol. 2 at each instruction. Upstream: seg_helper.c. */
#include "i386/desc.h"
#include "i386/fault.h"
#include "i386/helper.h"

static void set_zf(struct x86_cpu *x, bool on)
{
	cpu_set_eflags(x, on ? EFLAGS_ZF : 0, EFLAGS_ZF);
}

/* -- LAR, LSL, VERR, VERW ------------------------------------------------------- */
/* Types of system descriptors that LAR and LSL accept, one bit each. */
enum { LAR_TYPES = 1 << TYPE_TSS16 | 1 << TYPE_LDT | 1 << TYPE_TSS16_BUSY |
		   1 << TYPE_CALL16 | 1 << TYPE_TASK | 1 << TYPE_TSS32 |
		   1 << TYPE_TSS32_BUSY | 1 << TYPE_CALL32,
       LSL_TYPES = 1 << TYPE_TSS16 | 1 << TYPE_LDT | 1 << TYPE_TSS16_BUSY |
		   1 << TYPE_TSS32 | 1 << TYPE_TSS32_BUSY };

/* The descriptor, if the selector may be seen from here. */
static bool visible(struct x86_cpu *x, u16 sel, u32 system_types, struct desc *d)
{
	int rpl = sel & 3;

	if (!(sel & 0xfffc) || !desc_fetch(x, sel, d))
		return false;
	if (!(d->hi & DESC_S) && !(system_types >> desc_type(*d) & 1))
		return false;
	if (desc_is_code(*d) && (d->hi & DESC_C))
		return true;
	return desc_dpl(*d) >= cpu_cpl(x) && desc_dpl(*d) >= rpl;
}

/* Bits 16 to 19, undefined in the manual, are the descriptor's everywhere. */
u64 helper_lar(struct cpu *cpu, u32 sel, u32 b, u32 c)
{
	struct x86_cpu *x = x86(cpu);
	struct desc d = { 0, 0 };
	bool ok = visible(x, sel, LAR_TYPES, &d);

	(void)b, (void)c;
	set_zf(x, ok);
	return ok ? d.hi & 0x00ffff00 : 0;
}

u64 helper_lsl(struct cpu *cpu, u32 sel, u32 b, u32 c)
{
	struct x86_cpu *x = x86(cpu);
	struct desc d = { 0, 0 };
	bool ok = visible(x, sel, LSL_TYPES, &d);

	(void)b, (void)c;
	set_zf(x, ok);
	return ok ? desc_limit(d) : 0;
}

u64 helper_verr(struct cpu *cpu, u32 sel, u32 b, u32 c)
{
	struct x86_cpu *x = x86(cpu);
	struct desc d;
	bool ok = visible(x, sel, 0, &d);

	(void)b, (void)c;
	set_zf(x, ok && (!(d.hi & DESC_CS) || (d.hi & DESC_R)));
	return 0;
}

u64 helper_verw(struct cpu *cpu, u32 sel, u32 b, u32 c)
{
	struct x86_cpu *x = x86(cpu);
	struct desc d;
	bool ok = visible(x, sel, 0, &d);

	(void)b, (void)c;
	set_zf(x, ok && desc_is_data_rw(d));
	return 0;
}

u64 helper_arpl(struct cpu *cpu, u32 dest, u32 src, u32 c)
{
	bool raise = (dest & 3) < (src & 3);

	(void)c;
	set_zf(x86(cpu), raise);
	return raise ? (dest & ~3u) | (src & 3) : dest;
}

/* In memory it is only written, and only checked for that, when it changes. */
u64 helper_arpl_mem(struct cpu *cpu, u32 offset, u32 src, u32 seg)
{
	struct x86_cpu *x = x86(cpu);
	int mmu = cpu_mmu_index(x);
	u32 addr = x->seg[seg].base + offset, what = seg | 2 << 4;
	u16 dest;
	bool raise;

	helper_seg_check(cpu, offset, what, 0);
	align_check(x, addr, 2);
	dest = cpu_lduw(cpu, addr, mmu);
	raise = (dest & 3) < (src & 3);
	if (raise) {
		helper_seg_check(cpu, offset, what | 1 << 12, 0);
		cpu_stw(cpu, addr, (dest & ~3u) | (src & 3), mmu);
	}
	set_zf(x, raise);
	return 0;
}

/* -- LLDT, LTR ------------------------------------------------------------------------ */
static void set_system_seg(struct seg_cache *s, u16 sel, struct desc d)
{
	s->selector = sel;
	s->base = desc_base(d);
	s->limit = desc_limit(d);
	s->flags = d.hi & 0x00f0ff00;
}

/* A system descriptor of the GDT whose type is in `types`. */
static struct desc system_desc(struct x86_cpu *x, u16 sel, u32 types)
{
	struct desc d;

	if ((sel & 4) || !desc_fetch(x, sel, &d))
		fault(x, EXCP_GP, sel & 0xfffc,
		      "system selector %04x: not in the GDT", sel, 0);
	if ((d.hi & DESC_S) || !(types >> desc_type(d) & 1))
		fault(x, EXCP_GP, sel & 0xfffc,
		      "selector %04x: wrong type for LLDT or LTR (..%08x)", sel,
		      d.hi);
	if (!(d.hi & DESC_P))
		fault(x, EXCP_NP, sel & 0xfffc,
		      "system selector %04x: not present", sel, 0);
	return d;
}

u64 helper_lldt(struct cpu *cpu, u32 sel, u32 b, u32 c)
{
	struct x86_cpu *x = x86(cpu);

	(void)b, (void)c;
	sel &= 0xffff;
	if (!(sel & 0xfffc))
		x->ldt = (struct seg_cache){ .selector = sel };
	else
		set_system_seg(&x->ldt, sel, system_desc(x, sel, 1 << TYPE_LDT));
	return 0;
}

u64 helper_ltr(struct cpu *cpu, u32 sel, u32 b, u32 c)
{
	struct x86_cpu *x = x86(cpu);
	struct desc d;

	(void)b, (void)c;
	sel &= 0xffff;
	if (!(sel & 0xfffc))
		fault(x, EXCP_GP, 0, "LTR with a null selector", 0, 0);
	d = system_desc(x, sel, 1 << TYPE_TSS16 | 1 << TYPE_TSS32);
	desc_set_busy(x, sel, true);
	d.hi |= DESC_BUSY;
	set_system_seg(&x->tr, sel, d);
	return 0;
}

/* -- ENTER, PUSHA, POPA ----------------------------------------------------------------- */
/* EBP's low part becomes `v`. */
static void set_ebp(struct x86_cpu *x, int width, u32 v)
{
	u32 old = x->c.regs[R_EBP];

	x->c.regs[R_EBP] = width == 4 ? v : (old & 0xffff0000) | (v & 0xffff);
}

/* SDM vol. 2 ENTER: the frame's display is copied from the outer frame. */
u64 helper_enter(struct cpu *cpu, u32 alloc, u32 level, u32 size)
{
	struct x86_cpu *x = x86(cpu);
	int width = size == 1 ? 2 : 4;
	struct stack s, from;
	u32 frame;

	level &= 31;
	stack_current(&s, x);
	from = s;
	from.sp = cpu->regs[R_EBP];
	stack_push(&s, width, cpu->regs[R_EBP]);
	frame = s.sp;
	for (u32 i = 1; i < level; i++) {
		from.sp = (from.sp & ~s.mask) | ((from.sp - width) & s.mask);
		struct stack at = from;
		stack_push(&s, width, stack_pop(&at, width));
	}
	if (level)
		stack_push(&s, width, frame);
	s.sp = (s.sp & ~s.mask) | ((s.sp - (alloc & 0xffff)) & s.mask);
	/* the new top must be writable: the manual's last check */
	if (s.mmu_idx == MMU_USER)
		align_check(x, s.base + (s.sp & s.mask), (u32)width);
	stack_check_write(&s, 1);
	set_ebp(x, width, frame);
	stack_commit(&s);
	return 0;
}

/* Eight pushes: what precedes the one that faults stays written. */
u64 helper_pusha(struct cpu *cpu, u32 size, u32 b, u32 c)
{
	struct x86_cpu *x = x86(cpu);
	struct stack s;
	u32 v[8];

	(void)b, (void)c;
	for (int r = R_EAX; r <= R_EDI; r++)
		v[r] = (u32)cpu->regs[r];
	stack_current(&s, x);
	stack_push_n(&s, size == 1 ? 2 : 4, v, 8);
	stack_commit(&s);
	return 0;
}

u64 helper_popa(struct cpu *cpu, u32 size, u32 b, u32 c)
{
	struct x86_cpu *x = x86(cpu);
	int width = size == 1 ? 2 : 4;
	struct stack s;
	u32 v[8];

	(void)b, (void)c;
	stack_current(&s, x);
	stack_pop_n(&s, width, v, 8);            /* EDI first               */
	for (int r = R_EAX; r <= R_EDI; r++)
		if (r != R_ESP)
			cpu->regs[r] = width == 4 ? v[R_EDI - r] :
				(cpu->regs[r] & 0xffff0000) | v[R_EDI - r];
	stack_commit(&s);
	return 0;
}
