/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/i386/desc.c - descriptor tables, the checks of data and stack segment
 * loads, and the stack an event or a far transfer pushes to or pops from.
 * SDM vol. 3A 3.4, 3.5, 5.6, 5.7; vol. 2 MOV, POP, LSS. */
#include <string.h>

#include "i386/desc.h"
#include "i386/dis.h"
#include "i386/fault.h"
#include "i386/helper.h"

/* -- descriptor tables --------------------------------------------------------- */
/* Linear address of the descriptor; false: beyond its table's limit. */
static bool desc_addr(struct x86_cpu *x, u16 sel, u32 *addr)
{
	u32 base = sel & 4 ? x->ldt.base : x->gdt.base;
	u32 limit = sel & 4 ? x->ldt.limit : x->gdt.limit;

	/* an LDTR with a null selector names no table */
	if ((sel & 4) && !(x->ldt.flags & DESC_P))
		return false;
	if ((sel | 7u) > limit)
		return false;
	*addr = base + (sel & ~7u);
	return true;
}

struct desc desc_load(struct x86_cpu *x, u32 addr)
{
	hva h = tlb_host(&x->c, addr, 8, false, MMU_KERNEL);
	struct desc d;

	if (h) {
		memcpy(&d, h, sizeof(d));
		return d;
	}
	d.lo = cpu_ldl(&x->c, addr, MMU_KERNEL);
	d.hi = cpu_ldl(&x->c, (u32)(addr + 4), MMU_KERNEL);
	return d;
}

bool desc_fetch(struct x86_cpu *x, u16 sel, struct desc *d)
{
	u32 addr;

	if (!desc_addr(x, sel, &addr))
		return false;
	*d = desc_load(x, addr);
	return true;
}

void desc_set_accessed(struct x86_cpu *x, u16 sel, struct desc *d)
{
	u32 addr;

	if ((d->hi & DESC_A) || !desc_addr(x, sel, &addr))
		return;
	d->hi |= DESC_A;
	cpu_atomic_setb(&x->c, (u32)(addr + 5), DESC_A >> 8, 0, MMU_KERNEL);
}

void desc_set_busy(struct x86_cpu *x, u16 sel, bool busy)
{
	u32 addr;

	if (desc_addr(x, sel, &addr))
		cpu_atomic_setb(&x->c, (u32)(addr + 5), busy ? 2 : 0, busy ? 0 : 2, MMU_KERNEL);
}

/* -- segment loads ----------------------------------------------------------------- */
struct desc ss_check(struct x86_cpu *x, u16 sel, int cpl, int vector, u32 ext)
{
	u32 err = (sel & 0xfffc) | ext;
	struct desc d;

	if (!(sel & 0xfffc))
		fault(x, vector, ext, "SS selector %04x is null", sel, 0);
	if (!desc_fetch(x, sel, &d))
		fault(x, vector, err, "SS selector %04x: beyond the table's limit",
		      sel, 0);
	if ((sel & 3) != cpl || desc_dpl(d) != cpl)
		fault(x, vector, err, "SS selector %04x: RPL or DPL is not CPL %u",
		      sel, cpl);
	if (!desc_is_data_rw(d))
		fault(x, vector, err,
		      "SS selector %04x: not writable data (descriptor ..%08x)",
		      sel, d.hi);
	if (!(d.hi & DESC_P))
		fault(x, EXCP_SS, err, "SS selector %04x: not present", sel, 0);
	return d;
}

static void data_check(struct x86_cpu *x, int seg, u16 sel, int cpl,
		       struct desc d)
{
	u32 err = sel & 0xfffc;
	bool code = d.hi & DESC_CS, conforming = code && (d.hi & DESC_C);

	if (!(d.hi & DESC_S) || (code && !(d.hi & DESC_R)))
		fault(x, EXCP_GP, err,
		      "data selector %04x: not readable (descriptor ..%08x)",
		      sel, d.hi);
	if (!conforming && (desc_dpl(d) < cpl || desc_dpl(d) < (sel & 3)))
		fault(x, EXCP_GP, err,
		      "data selector %04x: DPL %u is below CPL or RPL", sel,
		      desc_dpl(d));
	if (!(d.hi & DESC_P))
		fault(x, EXCP_NP, err, "data selector %04x (seg %u): not present",
		      sel, seg);
}

void seg_load_prot(struct x86_cpu *x, int seg, u16 sel, int cpl)
{
	struct desc d;

	if (seg == R_SS) {
		d = ss_check(x, sel, cpl, EXCP_GP, 0);
	} else if (!(sel & 0xfffc)) {
		seg_set_null(x, seg, sel);
		return;
	} else {
		if (!desc_fetch(x, sel, &d))
			fault(x, EXCP_GP, sel & 0xfffc,
			      "data selector %04x: beyond the table's limit",
			      sel, 0);
		data_check(x, seg, sel, cpl, d);
	}
	desc_set_accessed(x, sel, &d);
	seg_set(x, seg, sel, d);
}

u64 helper_load_seg(struct cpu *cpu, u32 seg, u32 sel, u32 c)
{
	struct x86_cpu *x = x86(cpu);

	(void)c;
	if ((x->hflags & (HF_PE | HF_VM)) == HF_PE)
		seg_load_prot(x, seg, sel, cpu_cpl(x));
	else
		seg_set_real(x, seg, sel);
	return 0;
}

u64 helper_load_seg_on(struct cpu *cpu, u32 a, u32 sel, u32 next)
{
	struct x86_cpu *x = x86(cpu);
	u32 was = x->hflags, esp, mask = was & HF_SS32 ? ~0u : 0xffff;

	helper_load_seg(cpu, a & 7, sel, 0);
	if (x->hflags == was)
		return 0;
	esp = (u32)cpu->regs[R_ESP];
	cpu->regs[R_ESP] = (esp & ~mask) | ((esp + (a >> 4)) & mask);
	cpu->pc = next;
	cpu_loop_exit(cpu);
}

void seg_drop_inner(struct x86_cpu *x, int cpl)
{
	static const u8 data[] = { R_ES, R_DS, R_FS, R_GS };

	for (size_t i = 0; i < ARRAY_SIZE(data); i++) {
		struct seg_cache *s = &x->seg[data[i]];
		bool conforming = (s->flags & (DESC_CS | DESC_C)) ==
				  (DESC_CS | DESC_C);
		int dpl = s->flags >> 13 & 3;

		if ((s->flags & DESC_P) && !conforming && dpl < cpl)
			seg_set_null(x, data[i], 0);
	}
}

static void seg_fault(struct x86_cpu *x, int seg, const char *why, u32 sel, u32 offset)
	__attribute__((noreturn));
static void seg_fault(struct x86_cpu *x, int seg, const char *why, u32 sel, u32 offset)
{
	fpu_error_first(x);
	fault(x, seg == R_SS ? EXCP_SS : EXCP_GP, 0, why, sel, offset);
}

/* The slow path of IR_GUARD: fault, or return when the access is legal. */
u64 helper_seg_check(struct cpu *cpu, u32 offset, u32 what, u32 c)
{
	struct x86_cpu *x = x86(cpu);
	int seg = what & 15, size = what >> 4 & 0xff;
	bool write = what >> 12 & 1;
	const struct seg_cache *s = &x->seg[seg];
	bool prot = (x->hflags & (HF_PE | HF_VM)) == HF_PE;
	bool code = s->flags & DESC_CS;

	(void)c;
	if (prot && (s->flags & (DESC_P | DESC_S)) != (DESC_P | DESC_S))
		seg_fault(x, seg, "access through null selector %04x, offset %08x",
			  s->selector, offset);
	if (prot && write && (code || !(s->flags & DESC_W)))
		seg_fault(x, seg, "write to read-only segment %04x, offset %08x",
			  s->selector, offset);
	if (prot && !write && code && !(s->flags & DESC_R))
		seg_fault(x, seg, "read of execute-only segment %04x, offset %08x",
			  s->selector, offset);
	if (!seg_in_limit(s->limit, s->flags, offset, size))
		seg_fault(x, seg, "offset %08x beyond segment limit %08x",
			  offset, s->limit);
	return 0;
}

gen_fn gen_maskmov;

static bool has_memory_operand(const struct dis *d)
{
	return d->arg[0].kind == OPND_MEM || d->arg[1].kind == OPND_MEM;
}

static bool is_string(const struct insn *row)
{
	return (row->arg[0] >= Xb && row->arg[0] <= Yv) ||
	       (row->arg[1] >= Xb && row->arg[1] <= Yv);
}

/* The segment by which the instruction d reaches the linear address addr. */
static int segment_used(const struct x86_cpu *x, const struct dis *d, u32 addr)
{
	bool stack = d->row->flags & (D64 | F64) &&
		     addr - (u32)x->c.regs[R_ESP] + 8 < 16;

	if (d->row->gen == gen_maskmov)
		return d->over >= 0 ? d->over : R_DS;
	if (is_string(d->row))
		return R_DS;
	return has_memory_operand(d) && !stack ? d->mem.seg : R_SS;
}

/* Translated code checks no limit in flat segments; in those such an offset
 * is beyond it. */
void target_access_wraps(struct cpu *cpu, gva addr)
{
	struct x86_cpu *x = x86(cpu);
	struct dis d;
	int seg;

	if (!cpu->host_pc)
		return;
	cpu_restore_state(cpu);
	if (!decode_quiet(&d, x, (u32)cpu->pc))
		return;
	seg = segment_used(x, &d, (u32)addr);
	if (!x->seg[seg].base)
		seg_fault(x, seg, "segment %04x: access at %08x wraps at 4 GB",
			  x->seg[seg].selector, (u32)addr);
}

/* -- stacks ------------------------------------------------------------------------- */
void stack_current(struct stack *s, struct x86_cpu *x)
{
	const struct seg_cache *ss = &x->seg[R_SS];

	*s = (struct stack){ .x = x, .base = ss->base, .limit = ss->limit,
		.flags = ss->flags, .sp = x->c.regs[R_ESP],
		.mask = ss->flags & DESC_B ? 0xffffffff : 0xffff,
		.mmu_idx = cpu_mmu_index(x) };
}

void stack_new(struct stack *s, struct x86_cpu *x, struct desc ss, u32 sp,
	       int cpl, u32 err)
{
	*s = (struct stack){ .x = x, .base = desc_base(ss),
		.limit = desc_limit(ss), .flags = ss.hi, .sp = sp,
		.mask = ss.hi & DESC_B ? 0xffffffff : 0xffff, .err = err,
		.mmu_idx = cpl == 3 ? MMU_USER : MMU_KERNEL };
}

static void stack_check(struct stack *s, u32 offset, int width)
{
	if (!seg_in_limit(s->limit, s->flags, offset, width))
		fault(s->x, EXCP_SS, s->err,
		      "stack offset %08x beyond SS limit %08x", offset, s->limit);
}

void stack_push(struct stack *s, int width, u32 v)
{
	u32 sp = (s->sp - width) & s->mask;
	u32 addr = s->base + sp;

	stack_check(s, sp, width);
	if (s->mmu_idx == MMU_USER)
		align_check(s->x, addr, width);
	if (width == 4)
		cpu_stl(&s->x->c, addr, v, s->mmu_idx);
	else
		cpu_stw(&s->x->c, addr, v, s->mmu_idx);
	s->sp = (s->sp & ~s->mask) | sp;
}

void stack_check_write(struct stack *s, int width)
{
	u32 sp = s->sp & s->mask;

	stack_check(s, sp, width);
	if (s->mmu_idx == MMU_USER)
		align_check(s->x, s->base + sp, width);
	probe_write(&s->x->c, (u32)(s->base + sp), width, s->mmu_idx);
}

u32 stack_pop(struct stack *s, int width)
{
	u32 sp = s->sp & s->mask;
	u32 addr = s->base + sp, v;

	stack_check(s, sp, width);
	if (s->mmu_idx == MMU_USER)
		align_check(s->x, addr, width);
	v = width == 4 ? cpu_ldl(&s->x->c, addr, s->mmu_idx)
		       : cpu_lduw(&s->x->c, addr, s->mmu_idx);
	s->sp = (s->sp & ~s->mask) | ((sp + width) & s->mask);
	return v;
}

/* Host address of n dwords from stack offset `sp` up, when nothing but the soft TLB
 * stands in between and nothing can fault; else NULL. */
static hva stack_host(const struct stack *s, u32 sp, u32 n, bool write)
{
	if (s->mask != 0xffffffff || !seg_in_limit(s->limit, s->flags, sp, 4 * n) ||
	    (s->mmu_idx == MMU_USER && s->x->hflags & HF_AC))
		return NULL;
	return tlb_host(&s->x->c, s->base + sp, 4 * n, write, s->mmu_idx);
}

void stack_push_n(struct stack *s, int width, const u32 *v, u32 n)
{
	u32 sp = s->sp - 4 * n;
	hva h = width == 4 ? stack_host(s, sp, n, true) : NULL;

	if (!h) {
		for (u32 i = 0; i < n; i++)
			stack_push(s, width, v[i]);
		return;
	}
	for (u32 i = 0; i < n; i++)
		memcpy(h + 4 * (n - 1 - i), &v[i], 4);
	s->sp = sp;
}

void stack_pop_n(struct stack *s, int width, u32 *v, u32 n)
{
	hva h = width == 4 ? stack_host(s, s->sp, n, false) : NULL;

	if (!h) {
		for (u32 i = 0; i < n; i++)
			v[i] = stack_pop(s, width);
		return;
	}
	for (u32 i = 0; i < n; i++)
		memcpy(&v[i], h + 4 * i, 4);
	s->sp += 4 * n;
}

void stack_commit(const struct stack *s)
{
	u64 *esp = &s->x->c.regs[R_ESP];

	*esp = (*esp & (u32)~s->mask) | (s->sp & s->mask);
}

void tss_stack(struct x86_cpu *x, int cpl, u16 *ss, u32 *esp, u32 ext)
{
	bool wide = x->tr.flags >> 11 & 1;
	u32 ofs = wide ? 4 + 8 * cpl : 2 + 4 * cpl;
	u32 addr = x->tr.base + ofs;

	if (ofs + (wide ? 5 : 3) > x->tr.limit || !(x->tr.flags & DESC_P))
		fault(x, EXCP_TS, (x->tr.selector & 0xfffc) | ext,
		      "TSS %04x is too short for the ring %u stack",
		      x->tr.selector, cpl);
	if (wide && tlb_host(&x->c, addr, 8, false, MMU_KERNEL)) {
		struct desc d = desc_load(x, addr);

		*esp = d.lo;
		*ss = (u16)d.hi;
		return;
	}
	*esp = wide ? cpu_ldl(&x->c, addr, MMU_KERNEL)
		    : cpu_lduw(&x->c, addr, MMU_KERNEL);
	*ss = cpu_lduw(&x->c, (u32)(addr + (wide ? 4 : 2)), MMU_KERNEL);
}
