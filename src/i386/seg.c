/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/i386/seg.c - far transfers: JMP, CALL, RET, IRET, call gates, SYSENTER,
 * SYSEXIT. SDM vol. 3A 5.8 (privilege and gates), 20.2 (v86), vol. 2 at each
 * instruction. Checks come in the order of the manual's pseudo-code; the CPU's
 * registers change only after the last of them. Upstream: seg_helper.c. */
#include "i386/desc.h"
#include "i386/fault.h"
#include "i386/helper.h"

static bool protected_mode(const struct x86_cpu *x)
{
	return (x->hflags & (HF_PE | HF_VM)) == HF_PE;
}

/* -- code segments ---------------------------------------------------------------- */
static struct desc fetch_code(struct x86_cpu *x, u16 sel)
{
	struct desc d;

	if (!(sel & 0xfffc))
		fault(x, EXCP_GP, 0, "far transfer to a null selector", 0, 0);
	if (!desc_fetch(x, sel, &d))
		fault(x, EXCP_GP, sel & 0xfffc,
		      "code selector %04x: beyond the table's limit", sel, 0);
	return d;
}

/* The right to run `d` at level `cpl` with this RPL, without changing level. */
static void check_code(struct x86_cpu *x, u16 sel, struct desc d, int cpl)
{
	int dpl = desc_dpl(d), rpl = sel & 3;
	bool ok = d.hi & DESC_C ? dpl <= cpl : dpl == cpl && rpl <= cpl;

	if (!desc_is_code(d) || !ok)
		fault(x, EXCP_GP, sel & 0xfffc,
		      "selector %04x: no code segment for this CPL (..%08x)",
		      sel, d.hi);
}

static void check_present(struct x86_cpu *x, u16 sel, struct desc d)
{
	if (!(d.hi & DESC_P))
		fault(x, EXCP_NP, sel & 0xfffc, "selector %04x: not present",
		      sel, 0);
}

/* The last check; marks the descriptor, which may fault too. */
static void check_eip(struct x86_cpu *x, u16 sel, struct desc *d, u32 eip)
{
	if (eip > desc_limit(*d))
		fault(x, EXCP_GP, 0, "offset %08x beyond code segment limit %08x",
		      eip, desc_limit(*d));
	desc_set_accessed(x, sel, d);
}

static void set_code(struct x86_cpu *x, u16 sel, struct desc d, int cpl, u32 eip)
{
	seg_set(x, R_CS, (sel & ~3) | cpl, d);
	x->c.pc = eip;
}

/* Real and v86 mode: the limit of CS stays in force. */
static void jump_real(struct x86_cpu *x, u16 sel, u32 eip)
{
	if (eip > x->seg[R_CS].limit)
		fault(x, EXCP_GP, 0, "offset %08x beyond CS limit %08x", eip,
		      x->seg[R_CS].limit);
	seg_set_real(x, R_CS, sel);
	x->c.pc = eip;
}

/* -- gates ------------------------------------------------------------------------ */
static void check_gate(struct x86_cpu *x, u16 sel, struct desc d)
{
	if (desc_dpl(d) < cpu_cpl(x) || desc_dpl(d) < (sel & 3))
		fault(x, EXCP_GP, sel & 0xfffc,
		      "gate %04x: DPL %u is below CPL or RPL", sel, desc_dpl(d));
	check_present(x, sel, d);
}

/* Code segment of a call gate; *cpl becomes the target's level. */
static struct desc call_gate_code(struct x86_cpu *x, struct desc gate, bool call,
				  int *cpl)
{
	u16 sel = gate.lo >> 16;
	struct desc d = fetch_code(x, sel);
	int dpl = desc_dpl(d);

	if (!desc_is_code(d) || dpl > cpu_cpl(x) ||
	    (!call && !(d.hi & DESC_C) && dpl != cpu_cpl(x)))
		fault(x, EXCP_GP, sel & 0xfffc,
		      "call gate leads to %04x: no code segment for it (..%08x)",
		      sel, d.hi);
	check_present(x, sel, d);
	*cpl = d.hi & DESC_C ? cpu_cpl(x) : dpl;
	return d;
}

static bool is_tss(int type) { return type == TYPE_TSS16 || type == TYPE_TSS32; }

/* JMP or CALL to a TSS or through a task gate; false: `d` is neither. */
static bool to_task(struct x86_cpu *x, u16 sel, struct desc d, enum task_how how,
		    u32 next)
{
	if (d.hi & DESC_S)
		return false;
	if (desc_type(d) == TYPE_TASK) {
		check_gate(x, sel, d);
		d = task_gate_tss(x, d, &sel, 0);
	} else if (is_tss(desc_type(d))) {
		check_gate(x, sel, d);
	} else {
		return false;
	}
	task_switch(x, sel, d, how, next);
	return true;
}

static bool is_call_gate(struct desc d)
{
	return !(d.hi & DESC_S) && (desc_type(d) & ~8) == TYPE_CALL16;
}

static u32 call_gate_eip(struct desc gate)
{
	return desc_type(gate) & 8 ? gate_offset(gate) : gate.lo & 0xffff;
}

/* -- JMP ------------------------------------------------------------------------------ */
static void jmp_gate(struct x86_cpu *x, u16 sel, struct desc gate)
{
	u32 eip = call_gate_eip(gate);
	struct desc d;
	int cpl;

	check_gate(x, sel, gate);
	d = call_gate_code(x, gate, false, &cpl);
	check_eip(x, gate.lo >> 16, &d, eip);
	set_code(x, gate.lo >> 16, d, cpl, eip);
}

u64 helper_ljmp(struct cpu *cpu, u32 sel, u32 eip, u32 next)
{
	struct x86_cpu *x = x86(cpu);
	struct desc d;

	if (!protected_mode(x)) {
		jump_real(x, sel, eip);
		return 0;
	}
	d = fetch_code(x, sel);
	if (is_call_gate(d)) {
		jmp_gate(x, sel, d);
	} else if (!to_task(x, sel, d, TASK_JMP, next)) {
		check_code(x, sel, d, cpu_cpl(x));
		check_present(x, sel, d);
		check_eip(x, sel, &d, eip);
		set_code(x, sel, d, cpu_cpl(x), eip);
	}
	return 0;
}

/* -- CALL ----------------------------------------------------------------------------- */
static void push_return(struct x86_cpu *x, struct stack *s, int width, u32 next)
{
	stack_push(s, width, x->seg[R_CS].selector);
	stack_push(s, width, next);
}

/* Through a gate to an inner level: new stack from the TSS, parameters copied. */
static void call_inner(struct x86_cpu *x, struct desc gate, struct desc code,
		       int cpl, u32 next)
{
	int width = desc_type(gate) & 8 ? 4 : 2, n = gate.hi & 31;
	struct stack from, to;
	struct desc sd;
	u32 esp, param[32];
	u16 ss;

	tss_stack(x, cpl, &ss, &esp, 0);
	sd = ss_check(x, ss, cpl, EXCP_TS, 0);
	stack_current(&from, x);
	stack_new(&to, x, sd, esp, cpl, ss & 0xfffc);
	for (int i = 0; i < n; i++)
		param[i] = stack_pop(&from, width);
	stack_push(&to, width, x->seg[R_SS].selector);
	stack_push(&to, width, x->c.regs[R_ESP]);
	while (n--)
		stack_push(&to, width, param[n]);
	push_return(x, &to, width, next);
	desc_set_accessed(x, ss, &sd);
	seg_set(x, R_SS, ss, sd);
	stack_commit(&to);
	set_code(x, gate.lo >> 16, code, cpl, call_gate_eip(gate));
}

static void call_gate(struct x86_cpu *x, u16 sel, struct desc gate, u32 next)
{
	u32 eip = call_gate_eip(gate);
	struct stack s;
	struct desc d;
	int cpl;

	check_gate(x, sel, gate);
	d = call_gate_code(x, gate, true, &cpl);
	check_eip(x, gate.lo >> 16, &d, eip);
	if (cpl < cpu_cpl(x)) {
		call_inner(x, gate, d, cpl, next);
		return;
	}
	stack_current(&s, x);
	push_return(x, &s, desc_type(gate) & 8 ? 4 : 2, next);
	stack_commit(&s);
	set_code(x, gate.lo >> 16, d, cpl, eip);
}

static void call_direct(struct x86_cpu *x, u16 sel, struct desc d, u32 eip,
			u32 next, int width)
{
	struct stack s;

	check_code(x, sel, d, cpu_cpl(x));
	check_present(x, sel, d);
	stack_current(&s, x);
	push_return(x, &s, width, next);
	check_eip(x, sel, &d, eip);
	stack_commit(&s);
	set_code(x, sel, d, cpu_cpl(x), eip);
}

static void far_call(struct x86_cpu *x, u16 sel, u32 eip, u32 next, int width)
{
	struct stack s;
	struct desc d;

	if (!protected_mode(x)) {
		stack_current(&s, x);
		push_return(x, &s, width, next);
		jump_real(x, sel, eip);
		stack_commit(&s);
		return;
	}
	d = fetch_code(x, sel);
	if (is_call_gate(d))
		call_gate(x, sel, d, next);
	else if (!to_task(x, sel, d, TASK_CALL, next))
		call_direct(x, sel, d, eip, next, width);
}

u64 helper_lcall(struct cpu *cpu, u32 sel, u32 eip, u32 next)
{
	far_call(x86(cpu), sel, eip, next, 4);
	return 0;
}

u64 helper_lcall16(struct cpu *cpu, u32 sel, u32 eip, u32 next)
{
	far_call(x86(cpu), sel, eip, next, 2);
	return 0;
}

/* -- RET, IRET ------------------------------------------------------------------------- */
/* The code segment a return goes to. */
static struct desc return_code(struct x86_cpu *x, u16 sel)
{
	struct desc d = fetch_code(x, sel);
	int rpl = sel & 3, dpl = desc_dpl(d);

	if (!desc_is_code(d) || rpl < cpu_cpl(x) ||
	    (d.hi & DESC_C ? dpl > rpl : dpl != rpl))
		fault(x, EXCP_GP, sel & 0xfffc,
		      "return to %04x: no code segment for its RPL (..%08x)",
		      sel, d.hi);
	check_present(x, sel, d);
	return d;
}

/* The rest of a return to outer level `rpl`: ESP and SS are next on the stack
 * (`s`, past CS:EIP and the immediate). Releases `imm` bytes of the new one. */
static void return_outer(struct x86_cpu *x, struct stack *s, int width, u16 sel,
			 struct desc code, u32 eip, u32 imm)
{
	int rpl = sel & 3;
	struct stack to;
	struct desc sd;
	u32 v[2], esp;
	u16 ss;

	stack_pop_n(s, width, v, 2);
	esp = v[0];
	ss = (u16)v[1];
	sd = ss_check(x, ss, rpl, EXCP_GP, 0);
	check_eip(x, sel, &code, eip);
	stack_new(&to, x, sd, esp, rpl, 0);
	to.sp = (to.sp & ~to.mask) | ((to.sp + imm) & to.mask);
	desc_set_accessed(x, ss, &sd);
	set_code(x, sel, code, rpl, eip);
	seg_set(x, R_SS, ss, sd);
	stack_commit(&to);
	seg_drop_inner(x, rpl);
}

static void stack_release(struct stack *s, u32 n)
{
	s->sp = (s->sp & ~s->mask) | ((s->sp + n) & s->mask);
}

u64 helper_lret(struct cpu *cpu, u32 wide, u32 imm, u32 c)
{
	struct x86_cpu *x = x86(cpu);
	int width = wide ? 4 : 2;
	struct stack s;
	struct desc d;
	u32 eip;
	u16 sel;

	(void)c;
	stack_current(&s, x);
	eip = stack_pop(&s, width);
	sel = stack_pop(&s, width);
	stack_release(&s, imm);
	if (!protected_mode(x)) {
		jump_real(x, sel, eip);
		stack_commit(&s);
		return 0;
	}
	d = return_code(x, sel);
	if ((sel & 3) != cpu_cpl(x)) {
		return_outer(x, &s, width, sel, d, eip, imm);
		return 0;
	}
	check_eip(x, sel, &d, eip);
	stack_commit(&s);
	set_code(x, sel, d, sel & 3, eip);
	return 0;
}

/* EFLAGS bits an IRET may change at this level (SDM vol. 2 IRET). */
static u32 iret_mask(const struct x86_cpu *x, bool wide)
{
	u32 m = EFLAGS_ARITH | EFLAGS_TF | EFLAGS_DF | EFLAGS_NT;

	if (wide)
		m |= EFLAGS_RF | EFLAGS_AC | EFLAGS_ID;
	if (cpu_cpl(x) == 0)
		m |= EFLAGS_IOPL | (wide ? EFLAGS_VIF | EFLAGS_VIP : 0);
	if ((u32)cpu_cpl(x) <= (x->eflags >> 12 & 3))
		m |= EFLAGS_IF;
	return m;
}

/* Real mode, and v86 with IOPL 3 (where IOPL does not change) or VME. */
static void iret_real(struct x86_cpu *x, int width)
{
	bool vif = x->hflags & HF_VIF;
	u32 mask = iret_mask(x, width == 4), eip, flags;
	struct stack s;
	u16 sel;

	if (vif && width == 4)
		fault(x, EXCP_GP, 0, "IRETD in v86 mode with IOPL below 3", 0, 0);
	stack_current(&s, x);
	eip = stack_pop(&s, width);
	sel = stack_pop(&s, width);
	flags = stack_pop(&s, width);
	if (vif)
		vme_set_flags(x, flags);
	jump_real(x, sel, eip);
	stack_commit(&s);
	if (!vif)
		cpu_set_eflags(x, flags, mask & ~(u32)(EFLAGS_VIF | EFLAGS_VIP));
}

static void iret_to_v86(struct x86_cpu *x, struct stack *s, u16 cs, u32 eip,
			u32 flags)
{
	static const u8 order[] = { R_ES, R_DS, R_FS, R_GS };
	u32 esp = stack_pop(s, 4);
	u16 ss = stack_pop(s, 4), sel[4];

	for (int i = 0; i < 4; i++)
		sel[i] = stack_pop(s, 4);
	cpu_set_eflags(x, flags, ~0u);
	seg_set_real(x, R_CS, cs);
	seg_set_real(x, R_SS, ss);
	for (int i = 0; i < 4; i++)
		seg_set_real(x, order[i], sel[i]);
	x->c.regs[R_ESP] = esp;
	x->c.pc = eip & 0xffff;
}

static void iret_task(struct x86_cpu *x, u32 next)
{
	u16 sel = cpu_lduw(&x->c, x->tr.base, MMU_KERNEL);
	struct desc d;

	if ((sel & 4) || !desc_fetch(x, sel, &d) || (d.hi & DESC_S) ||
	    (desc_type(d) & ~8) != TYPE_TSS16_BUSY)
		fault(x, EXCP_TS, sel & 0xfffc,
		      "IRET with NT set: back link %04x is no busy TSS", sel, 0);
	if (!(d.hi & DESC_P))
		fault(x, EXCP_NP, sel & 0xfffc, "back link %04x: not present",
		      sel, 0);
	task_switch(x, sel, d, TASK_IRET, next);
}

static void iret_protected(struct x86_cpu *x, int width)
{
	u32 mask = iret_mask(x, width == 4), v[3], eip, flags;
	struct stack s;
	struct desc d;
	u16 sel;

	stack_current(&s, x);
	stack_pop_n(&s, width, v, 3);
	eip = v[0];
	sel = (u16)v[1];
	flags = v[2];
	if (width == 4 && (flags & EFLAGS_VM) && cpu_cpl(x) == 0) {
		iret_to_v86(x, &s, sel, eip, flags);
		return;
	}
	d = return_code(x, sel);
	if ((sel & 3) != cpu_cpl(x)) {
		return_outer(x, &s, width, sel, d, eip, 0);
	} else {
		check_eip(x, sel, &d, eip);
		stack_commit(&s);
		set_code(x, sel, d, sel & 3, eip);
	}
	cpu_set_eflags(x, flags, mask & ~(u32)EFLAGS_VM);
}

u64 helper_iret(struct cpu *cpu, u32 wide, u32 next, u32 c)
{
	struct x86_cpu *x = x86(cpu);

	(void)c;
	if (!protected_mode(x))
		iret_real(x, wide ? 4 : 2);
	else if (x->eflags & EFLAGS_NT)
		iret_task(x, next);
	else
		iret_protected(x, wide ? 4 : 2);
	if (x->nmi_blocked) {
		x->nmi_blocked = false;
		if (cpu_pending(cpu))
			cpu_poke(cpu);   /* an NMI may have waited          */
	}
	return 0;
}

/* -- SYSENTER, SYSEXIT -------------------------------------------------------------------- */
static void set_flat(struct x86_cpu *x, int seg, u16 sel, int dpl)
{
	u32 flags = DESC_P | DESC_S | DESC_W | DESC_A | DESC_B | DESC_G |
		    dpl << 13;

	if (seg == R_CS)
		flags |= DESC_CS;
	cpu_load_seg_cache(x, seg, sel, 0, 0xffffffff, flags);
}

u64 helper_sysenter(struct cpu *cpu, u32 a, u32 b, u32 c)
{
	struct x86_cpu *x = x86(cpu);
	u16 cs = x->sysenter_cs & 0xfffc;

	(void)a, (void)b, (void)c;
	if (!(x->cr[0] & CR0_PE) || !cs)
		fault(x, EXCP_GP, 0, "SYSENTER in real mode or with a null "
		      "SYSENTER_CS", 0, 0);
	cpu_set_eflags(x, 0, EFLAGS_VM | EFLAGS_IF);
	set_flat(x, R_CS, cs, 0);
	set_flat(x, R_SS, cs + 8, 0);
	cpu->regs[R_ESP] = x->sysenter_esp;
	cpu->pc = x->sysenter_eip;
	return 0;
}

u64 helper_sysexit(struct cpu *cpu, u32 a, u32 b, u32 c)
{
	struct x86_cpu *x = x86(cpu);
	u16 cs = x->sysenter_cs & 0xfffc;

	(void)a, (void)b, (void)c;
	if (!cs || !protected_mode(x) || cpu_cpl(x) != 0)
		fault(x, EXCP_GP, 0, "SYSEXIT outside ring 0 or with a null "
		      "SYSENTER_CS", 0, 0);
	set_flat(x, R_CS, (cs + 16) | 3, 3);
	set_flat(x, R_SS, (cs + 24) | 3, 3);
	cpu->regs[R_ESP] = (u32)cpu->regs[R_ECX];
	cpu->pc = (u32)cpu->regs[R_EDX];
	return 0;
}
