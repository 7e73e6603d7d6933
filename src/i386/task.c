/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/i386/task.c - hardware task switches through 16- and 32-bit TSSs.
 * SDM vol. 3A chapter 7: 7.2.1 and 7.5 (the TSS's layout), 7.3 (the switch).
 *
 * Order: the new TSS is checked and read, the old one is written, then the
 * new state is loaded; segment registers last. A fault in a segment load
 * belongs to the new task (#TS, #NP, #SS with the selector).
 * Upstream: seg_helper.c switch_tss. */
#include "i386/debug.h"
#include "i386/desc.h"
#include "i386/fault.h"

struct tss {                             /* what a TSS holds of a task       */
	u32 cr3, eip, eflags, reg[8];
	u16 seg[NB_SEGS], ldt;
	bool trap;
};

/* Order of segments in a TSS; a 16-bit one stops after DS. */
static const u8 seg_order[] = { R_ES, R_CS, R_SS, R_DS, R_FS, R_GS };

static u32 tss_ld(struct x86_cpu *x, u32 base, u32 ofs, bool wide)
{
	u32 a = base + ofs;

	return wide ? cpu_ldl(&x->c, a, MMU_KERNEL)
		    : cpu_lduw(&x->c, a, MMU_KERNEL);
}

static void tss_st(struct x86_cpu *x, u32 base, u32 ofs, bool wide, u32 v)
{
	u32 a = base + ofs;

	if (wide)
		cpu_stl(&x->c, a, v, MMU_KERNEL);
	else
		cpu_stw(&x->c, a, v, MMU_KERNEL);
}

/* Offsets in bytes: [0] 16-bit, [1] 32-bit TSS. */
static const u8 ofs_eip[2] = { 14, 32 }, ofs_regs[2] = { 18, 40 },
	ofs_segs[2] = { 34, 72 }, ofs_ldt[2] = { 42, 96 };

static void tss_read(struct x86_cpu *x, u32 base, bool wide, struct tss *t)
{
	int step = wide ? 4 : 2;

	*t = (struct tss){ .cr3 = x->cr[3] };
	if (wide)
		t->cr3 = tss_ld(x, base, 28, true);
	t->eip = tss_ld(x, base, ofs_eip[wide], wide);
	t->eflags = tss_ld(x, base, ofs_eip[wide] + step, wide);
	for (int i = 0; i < 8; i++) {
		u32 v = tss_ld(x, base, ofs_regs[wide] + step * i, wide);

		t->reg[i] = wide ? v : v | 0xffff0000;
	}
	for (int i = 0; i < (wide ? 6 : 4); i++)
		t->seg[seg_order[i]] = tss_ld(x, base, ofs_segs[wide] + step * i,
					      false);
	t->ldt = tss_ld(x, base, ofs_ldt[wide], false);
	t->trap = wide && (tss_ld(x, base, 100, false) & 1);
}

static void tss_write(struct x86_cpu *x, u32 base, bool wide, u32 eip, u32 eflags)
{
	int step = wide ? 4 : 2;

	tss_st(x, base, ofs_eip[wide], wide, eip);
	tss_st(x, base, ofs_eip[wide] + step, wide, eflags);
	for (int i = 0; i < 8; i++)
		tss_st(x, base, ofs_regs[wide] + step * i, wide, x->c.regs[i]);
	for (int i = 0; i < (wide ? 6 : 4); i++)
		tss_st(x, base, ofs_segs[wide] + step * i, false,
		       x->seg[seg_order[i]].selector);
}

struct desc task_gate_tss(struct x86_cpu *x, struct desc gate, u16 *sel, u32 ext)
{
	struct desc d;
	u32 err;

	*sel = gate.lo >> 16;
	err = (*sel & 0xfffc) | ext;
	if ((*sel & 4) || !desc_fetch(x, *sel, &d))
		fault(x, EXCP_GP, err, "task gate: TSS selector %04x is not in "
		      "the GDT", *sel, 0);
	if ((d.hi & DESC_S) || (desc_type(d) & ~8) != TYPE_TSS16)
		fault(x, EXCP_GP, err, "task gate: %04x is no available TSS "
		      "(..%08x)", *sel, d.hi);
	if (!(d.hi & DESC_P))
		fault(x, EXCP_NP, err, "task gate: TSS %04x: not present", *sel, 0);
	return d;
}

/* -- loading the new task ------------------------------------------------------ */
static void load_ldt(struct x86_cpu *x, u16 sel)
{
	struct desc d;

	x->ldt = (struct seg_cache){ .selector = sel };
	if (!(sel & 0xfffc))
		return;
	if ((sel & 4) || !desc_fetch(x, sel, &d) || (d.hi & DESC_S) ||
	    desc_type(d) != TYPE_LDT || !(d.hi & DESC_P))
		fault(x, EXCP_TS, sel & 0xfffc,
		      "new task: %04x is no LDT", sel, 0);
	x->ldt.base = desc_base(d);
	x->ldt.limit = desc_limit(d);
	x->ldt.flags = d.hi & 0x00f0ff00;
}

static void load_cs(struct x86_cpu *x, u16 sel)
{
	int rpl = sel & 3;
	struct desc d;

	if (!(sel & 0xfffc) || !desc_fetch(x, sel, &d) || !desc_is_code(d) ||
	    (d.hi & DESC_C ? desc_dpl(d) > rpl : desc_dpl(d) != rpl))
		fault(x, EXCP_TS, sel & 0xfffc,
		      "new task: CS %04x is no code segment for its RPL", sel, 0);
	if (!(d.hi & DESC_P))
		fault(x, EXCP_NP, sel & 0xfffc, "new task: CS %04x: not present",
		      sel, 0);
	desc_set_accessed(x, sel, &d);
	seg_set(x, R_CS, sel, d);
}

static void load_data(struct x86_cpu *x, int seg, u16 sel, int cpl)
{
	struct desc d;
	bool code, conforming;

	if (!(sel & 0xfffc))
		return;
	if (!desc_fetch(x, sel, &d) || !(d.hi & DESC_S))
		fault(x, EXCP_TS, sel & 0xfffc,
		      "new task: data selector %04x is no segment", sel, 0);
	code = d.hi & DESC_CS;
	conforming = code && (d.hi & DESC_C);
	if ((code && !(d.hi & DESC_R)) ||
	    (!conforming && (desc_dpl(d) < cpl || desc_dpl(d) < (sel & 3))))
		fault(x, EXCP_TS, sel & 0xfffc,
		      "new task: data selector %04x is not readable here", sel, 0);
	if (!(d.hi & DESC_P))
		fault(x, EXCP_NP, sel & 0xfffc,
		      "new task: data selector %04x: not present", sel, 0);
	desc_set_accessed(x, sel, &d);
	seg_set(x, seg, sel, d);
}

static void load_segments(struct x86_cpu *x, const struct tss *t)
{
	static const u8 data[] = { R_ES, R_DS, R_FS, R_GS };
	int cpl = t->seg[R_CS] & 3;
	struct desc ss;

	load_ldt(x, t->ldt);
	if (x->eflags & EFLAGS_VM) {
		for (int i = 0; i < NB_SEGS; i++)
			seg_set_real(x, i, t->seg[i]);
		return;
	}
	load_cs(x, t->seg[R_CS]);
	ss = ss_check(x, t->seg[R_SS], cpl, EXCP_TS, 0);
	desc_set_accessed(x, t->seg[R_SS], &ss);
	seg_set(x, R_SS, t->seg[R_SS], ss);
	for (size_t i = 0; i < ARRAY_SIZE(data); i++)
		load_data(x, data[i], t->seg[data[i]], cpl);
}

static void load_state(struct x86_cpu *x, const struct tss *t, bool wide)
{
	if (wide && (x->cr[0] & (u32)CR0_PG))
		cpu_set_cr3(x, t->cr3);
	/* faults from here on belong to the new task and its EIP */
	x->c.host_pc = 0;
	x->c.pc = t->eip;
	for (int i = 0; i < 8; i++)
		x->c.regs[i] = t->reg[i];
	cpu_set_eflags(x, t->eflags, wide ? 0x3f7fd5 : 0x7fd5);
	if (!(x->eflags & EFLAGS_VM))
		for (int i = 0; i < NB_SEGS; i++)
			seg_set_null(x, i, t->seg[i]);
	cpu_set_cpl(x, x->eflags & EFLAGS_VM ? 3 : t->seg[R_CS] & 3);
}

/* -- the switch ------------------------------------------------------------------- */
static void load_tr(struct x86_cpu *x, u16 sel, struct desc d)
{
	x->tr.selector = sel;
	x->tr.base = desc_base(d);
	x->tr.limit = desc_limit(d);
	x->tr.flags = (d.hi | DESC_BUSY) & 0x00f0ff00;
}

void task_switch(struct x86_cpu *x, u16 sel, struct desc d, enum task_how how,
		 u32 next)
{
	bool wide = d.hi >> 11 & 1, old_wide = x->tr.flags >> 11 & 1;
	u16 old_sel = x->tr.selector;
	u32 base = desc_base(d), flags = cpu_get_eflags(x);
	struct tss t;

	if (desc_limit(d) < (wide ? 103u : 43u))
		fault(x, EXCP_TS, sel & 0xfffc, "TSS %04x is too short (%x)", sel,
		      desc_limit(d));
	tss_read(x, base, wide, &t);
	if (how == TASK_IRET)
		flags &= ~(u32)EFLAGS_NT;
	tss_write(x, x->tr.base, old_wide, next, flags);
	if (how != TASK_CALL)
		desc_set_busy(x, old_sel, false);
	if (how == TASK_CALL) {
		tss_st(x, base, 0, false, old_sel);
		t.eflags |= EFLAGS_NT;
	}
	if (how != TASK_IRET)
		desc_set_busy(x, sel, true);
	load_tr(x, sel, d);
	x->cr[0] |= CR0_TS;
	debug_leave_task(x);
	load_state(x, &t, wide);
	load_segments(x, &t);
	if (t.eip > x->seg[R_CS].limit)
		fault(x, EXCP_GP, 0, "new task: EIP %08x beyond the limit of CS",
		      t.eip, 0);
	if (t.trap) {
		x->dr[6] |= 1 << 15;            /* BT */
		raise_trap(x, EXCP_DB);
	}
}
