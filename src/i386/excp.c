/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/i386/excp.c - exceptions and interrupts: raising, delivery through the
 * real-mode vector table and the IDT (gates, stack switch, from v86), double
 * and triple faults. SDM vol. 3A chapter 6 (6.12 delivery, table 6-5 double
 * faults, 6.13 error codes), vol. 2 INT n.
 *
 * A fault while an event is delivered unwinds to the exec loop, which calls
 * target_do_interrupt again with what raise_exception made of it: that is why
 * old_exception lives in struct x86_cpu. Nothing of the guest's registers is
 * changed before the last check of a delivery has passed.
 * Upstream: excp_helper.c, seg_helper.c do_interrupt_*. */
#include "env/log.h"
#include "i386/debug.h"
#include "i386/desc.h"
#include "i386/fault.h"
#include "i386/helper.h"
#include "i386/report.h"
#include "qemu/machine.h"
#include "qemu/runstate.h"
#include "qemu/target.h"

/* old_exception while an interrupt or INT n, which are benign, is delivered */
enum { DELIVERING_BENIGN = 256 };

/* One event on its way to the guest. */
struct event {
	int vector;
	bool is_int;             /* INT n, INT3, INTO: DPL is checked        */
	bool has_err;
	u32 err;
	u32 eip;                 /* to be pushed                             */
	u32 eflags;              /* to be pushed                             */
	u32 ext;                 /* EXT bit for faults on the way            */
};

/* -- raising ---------------------------------------------------------------------- */
static bool contributory(int v)
{
	return v == EXCP_DE || (v >= EXCP_TS && v <= EXCP_GP);
}

static bool makes_double_fault(int first, int second)
{
	if (first == EXCP_PF)
		return second == EXCP_PF || contributory(second);
	return first >= 0 && first < 32 && contributory(first) &&
	       contributory(second);
}

static void triple_fault(struct x86_cpu *x) __attribute__((noreturn));
static void triple_fault(struct x86_cpu *x)
{
	report_triple_fault(x);
	x->old_exception = -1;
	x->c.halted = true;
	x->c.exception_index = EXCP_HLT;
	bql_lock();
	qemu_system_triple_fault_request();
	bql_unlock();
	cpu_loop_exit(&x->c);
}

static bool vector_has_error_code(int v)
{
	return v == EXCP_DF || (v >= EXCP_TS && v <= EXCP_PF) || v == EXCP_AC;
}

/* Set exception_index and its companions for a fault; handles a fault that
 * comes while another is delivered. */
static void set_exception(struct x86_cpu *x, int vector, u32 err)
{
	int old = x->old_exception;

	debug_take_pending(x);           /* the instruction does not end     */
	if (old >= 0 && old != DELIVERING_BENIGN) {
		report_record(x, vector, err, old);
		if (old == EXCP_DF && (contributory(vector) || vector == EXCP_PF))
			triple_fault(x);
		if (makes_double_fault(old, vector)) {
			vector = EXCP_DF;
			err = 0;
		}
	}
	x->old_exception = -1;
	x->c.exception_index = vector;
	x->error_code = err;
	x->has_error_code = vector_has_error_code(vector);
}

void raise_exception_err(struct x86_cpu *x, int vector, u32 err)
{
	set_exception(x, vector, err);
	cpu_loop_exit_restore(&x->c);
}

void raise_exception(struct x86_cpu *x, int vector)
{
	raise_exception_err(x, vector, 0);
}

void fault(struct x86_cpu *x, int vector, u32 err, const char *fmt, u32 a, u32 b)
{
	fault_why(x, fmt, a, b);
	raise_exception_err(x, vector, err);
}

void raise_trap(struct x86_cpu *x, int vector)
{
	set_exception(x, vector, 0);
	cpu_loop_exit(&x->c);
}

int target_host_fpe(struct cpu *cpu, enum host_fpe what)
{
	struct x86_cpu *x = x86(cpu);
	int vector = what == HOST_FPE_DIVIDE ? EXCP_DE : what == HOST_FPE_X87 ? EXCP_MF :
		     x->cr[4] & CR4_OSXMMEXCPT ? EXCP_XM : EXCP_UD;

	x->error_code = 0;
	x->has_error_code = false;
	return vector;
}

void target_misaligned(struct cpu *cpu, gva addr)
{
	fpu_error_first(x86(cpu));
	fault(x86(cpu), EXCP_GP, 0, "16-byte operand at unaligned %08x", (u32)addr, 0);
}

/* -- raising helpers -------------------------------------------------------------------- */
u64 helper_raise(struct cpu *cpu, u32 vector, u32 err, u32 c)
{
	(void)c;
	raise_exception_err(x86(cpu), vector, err == ~0u ? 0 : err);
}

u64 helper_into(struct cpu *cpu, u32 next, u32 b, u32 c)
{
	(void)b, (void)c;
	if (cc_to_eflags(cpu->cc) & EFLAGS_OF) {
		helper_raise_int(cpu, EXCP_OF, next, 1);
		cpu->exception_index = EXCP_NONE;
		cpu_loop_exit(cpu);      /* from the middle of a block      */
	}
	return 0;
}

u64 helper_align_check(struct cpu *cpu, u32 addr, u32 bytes, u32 c)
{
	(void)c;
	align_check(x86(cpu), addr, bytes);
	return 0;
}

/* SDM vol. 2 BOUND: signed index, the upper bound is included. */
u64 helper_bound(struct cpu *cpu, u32 index, u32 lo, u32 hi)
{
	if ((s32)index < (s32)lo || (s32)index > (s32)hi)
		fault(x86(cpu), EXCP_BR, 0, "BOUND: index %08x, upper bound %08x", index, hi);
	return 0;
}

void cpu_halt(struct x86_cpu *x, u32 next, bool any)
{
	x->c.pc = next;
	x->hflags &= ~(u32)HF_INHIBIT_IRQ;
	x->wake_by_any = any;
	__atomic_store_n(&x->c.halted, true, __ATOMIC_RELAXED);
	x->c.exception_index = EXCP_HLT;
	cpu_loop_exit(&x->c);
}

u64 helper_hlt(struct cpu *cpu, u32 next, u32 b, u32 c)
{
	(void)b, (void)c;
	cpu_halt(x86(cpu), next, false);
}

/* One thread runs all vCPUs: whom this one waits for may have its turn. */
u64 helper_pause(struct cpu *cpu, u32 next, u32 b, u32 c)
{
	(void)b, (void)c;
	cpu->pc = next;
	x86(cpu)->hflags &= ~(u32)HF_INHIBIT_IRQ;
	cpu->exception_index = EXCP_YIELD;
	cpu_loop_exit(cpu);
}

u64 helper_single_step(struct cpu *cpu, u32 next, u32 b, u32 c)
{
	struct x86_cpu *x = x86(cpu);

	(void)b, (void)c;
	cpu->pc = next;
	x->dr[6] |= 1 << 14 | debug_take_pending(x); /* BS */
	raise_trap(x, EXCP_DB);
}

/* -- delivery: real mode ------------------------------------------------------------------- */
/* The gate at vector * size, fault when the table is too short. */
static u32 idt_entry(struct x86_cpu *x, const struct event *e, int size)
{
	u32 ofs = e->vector * size;

	if (ofs + size - 1 > x->idt.limit)
		fault(x, EXCP_GP, e->vector * 8 + 2 + e->ext,
		      "IDT entry %02x: beyond the IDT's limit %04x", e->vector,
		      x->idt.limit);
	return x->idt.base + ofs;
}

static void deliver_real(struct x86_cpu *x, const struct event *e)
{
	u32 addr = idt_entry(x, e, 4);
	u32 ip = cpu_lduw(&x->c, addr, MMU_KERNEL);
	u32 cs = cpu_lduw(&x->c, (u32)(addr + 2), MMU_KERNEL);
	struct stack s;

	stack_current(&s, x);
	stack_push(&s, 2, e->eflags);
	stack_push(&s, 2, x->seg[R_CS].selector);
	stack_push(&s, 2, e->eip);
	stack_commit(&s);
	cpu_set_eflags(x, 0, EFLAGS_IF | EFLAGS_TF | EFLAGS_AC);
	seg_set_real(x, R_CS, cs);
	x->c.pc = ip;
}

/* -- delivery: protected mode ----------------------------------------------------------------- */
static struct desc gate_fetch(struct x86_cpu *x, const struct event *e)
{
	u32 addr = idt_entry(x, e, 8), err = e->vector * 8 + 2 + e->ext;
	struct desc g = desc_load(x, addr);
	int type = g.hi >> 8 & 31;

	if (type != TYPE_TASK && (type & ~9) != TYPE_INT16)
		fault(x, EXCP_GP, err, "IDT entry %02x: not a gate (..%08x)",
		      e->vector, g.hi);
	if (e->is_int && desc_dpl(g) < cpu_cpl(x))
		fault(x, EXCP_GP, err, "IDT entry %02x: gate DPL %u is below CPL",
		      e->vector, desc_dpl(g));
	if (!(g.hi & DESC_P))
		fault(x, EXCP_NP, err, "IDT entry %02x: not present", e->vector, 0);
	return g;
}

/* The code segment a gate leads to; *cpl becomes the handler's level. */
static struct desc gate_code(struct x86_cpu *x, const struct event *e, u16 sel,
			     int *cpl)
{
	u32 err = (sel & 0xfffc) | e->ext;
	struct desc d;

	if (!(sel & 0xfffc))
		fault(x, EXCP_GP, e->ext, "IDT entry %02x: null selector",
		      e->vector, 0);
	if (!desc_fetch(x, sel, &d))
		fault(x, EXCP_GP, err,
		      "IDT entry %02x: selector %04x beyond the table's limit",
		      e->vector, sel);
	if (!desc_is_code(d) || desc_dpl(d) > cpu_cpl(x))
		fault(x, EXCP_GP, err,
		      "IDT entry %02x: selector %04x is no code segment of "
		      "CPL or below", e->vector, sel);
	if (!(d.hi & DESC_P))
		fault(x, EXCP_NP, err, "IDT entry %02x: code segment %04x: "
		      "not present", e->vector, sel);
	*cpl = d.hi & DESC_C ? cpu_cpl(x) : desc_dpl(d);
	if ((x->eflags & EFLAGS_VM) && *cpl != 0)
		fault(x, EXCP_GP, err, "IDT entry %02x: handler %04x of v86 code "
		      "is not in ring 0", e->vector, sel);
	return d;
}

/* What an event pushes, at most: GS FS DS ES of v86 code, SS, ESP, EFLAGS, CS, EIP,
 * error code. */
struct image { u32 v[10], n; };

static void image_v86_segments(struct x86_cpu *x, struct image *f)
{
	static const u8 order[] = { R_GS, R_FS, R_DS, R_ES };

	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		f->v[f->n++] = x->seg[order[i]].selector;
}

static void image_return(struct x86_cpu *x, const struct event *e, struct image *f)
{
	f->v[f->n++] = e->eflags;
	f->v[f->n++] = x->seg[R_CS].selector;
	f->v[f->n++] = e->eip;
	if (e->has_err)
		f->v[f->n++] = e->err;
}

static void set_code(struct x86_cpu *x, u16 sel, struct desc d, int cpl,
		     u32 eip)
{
	seg_set(x, R_CS, (sel & ~3) | cpl, d);
	x->c.pc = eip;
}

/* Flags that a gate clears; IF stays set through a trap gate. */
static u32 gate_clears(int type)
{
	return EFLAGS_TF | EFLAGS_NT | EFLAGS_VM |
	       (type & 1 ? 0 : EFLAGS_IF);
}

static void deliver_inner(struct x86_cpu *x, const struct event *e,
			  struct desc gate, struct desc code, int cpl)
{
	int width = desc_type(gate) & 8 ? 4 : 2;
	bool vm = x->eflags & EFLAGS_VM;
	u16 ss;
	u32 esp;
	struct image f = { .n = 0 };
	struct desc sd;
	struct stack s;

	tss_stack(x, cpl, &ss, &esp, e->ext);
	sd = ss_check(x, ss, cpl, EXCP_TS, e->ext);
	stack_new(&s, x, sd, esp, cpl, (ss & 0xfffc) | e->ext);
	if (vm)
		image_v86_segments(x, &f);
	f.v[f.n++] = x->seg[R_SS].selector;
	f.v[f.n++] = (u32)x->c.regs[R_ESP];
	image_return(x, e, &f);
	stack_push_n(&s, width, f.v, f.n);
	desc_set_accessed(x, ss, &sd);

	cpu_set_eflags(x, 0, gate_clears(desc_type(gate)));
	if (vm) {
		seg_set_null(x, R_ES, 0);
		seg_set_null(x, R_DS, 0);
		seg_set_null(x, R_FS, 0);
		seg_set_null(x, R_GS, 0);
	}
	seg_set(x, R_SS, ss, sd);
	stack_commit(&s);
	set_code(x, gate.lo >> 16, code, cpl, gate_offset(gate));
}

static void deliver_same(struct x86_cpu *x, const struct event *e,
			 struct desc gate, struct desc code)
{
	int width = desc_type(gate) & 8 ? 4 : 2;
	struct image f = { .n = 0 };
	struct stack s;

	stack_current(&s, x);
	s.err = e->ext;
	image_return(x, e, &f);
	stack_push_n(&s, width, f.v, f.n);
	stack_commit(&s);
	cpu_set_eflags(x, 0, gate_clears(desc_type(gate)));
	set_code(x, gate.lo >> 16, code, cpu_cpl(x), gate_offset(gate));
}

static void deliver_task(struct x86_cpu *x, const struct event *e,
			 struct desc gate)
{
	u16 sel;
	struct desc tss = task_gate_tss(x, gate, &sel, e->ext);
	bool wide = tss.hi >> 11 & 1;
	struct stack s;

	task_switch(x, sel, tss, TASK_CALL, e->eip);
	if (!e->has_err)
		return;
	stack_current(&s, x);
	stack_push(&s, wide ? 4 : 2, e->err);
	stack_commit(&s);
}

static void deliver_protected(struct x86_cpu *x, const struct event *e)
{
	struct desc gate = gate_fetch(x, e), code;
	u32 eip = gate_offset(gate);
	int cpl;

	if (desc_type(gate) == TYPE_TASK) {
		deliver_task(x, e, gate);
		return;
	}
	if (!(desc_type(gate) & 8))
		gate.hi &= 0xffff, eip &= 0xffff;
	code = gate_code(x, e, gate.lo >> 16, &cpl);
	if (eip > desc_limit(code))
		fault(x, EXCP_GP, e->ext, "IDT entry %02x: offset %08x beyond "
		      "the code segment's limit", e->vector, eip);
	desc_set_accessed(x, gate.lo >> 16, &code);
	if (cpl < cpu_cpl(x))
		deliver_inner(x, e, gate, code, cpl);
	else
		deliver_same(x, e, gate, code);
}

static void deliver(struct x86_cpu *x, const struct event *e)
{
	report_event(x, e->vector, e->is_int, e->err, e->has_err);
	if (x->cr[0] & CR0_PE)
		deliver_protected(x, e);
	else
		deliver_real(x, e);
	x->old_exception = -1;
	x->hflags &= ~(u32)(HF_INHIBIT_IRQ | HF_RF);
	if (e->vector == EXCP_DB)
		debug_enter_handler(x);
}

/* -- INT n ------------------------------------------------------------------------------------- */
/* INT n in v86 mode without IOPL 3 faults; INT3, INTO do not (SDM 20.3).
 * Delivered on the spot: a fault on the way restores EIP to this instruction. */
u64 helper_raise_int(struct cpu *cpu, u32 vector, u32 next, u32 kind)
{
	struct x86_cpu *x = x86(cpu);

	if (kind == 0 && (x->eflags & EFLAGS_VM) && vme_redirects(x, vector)) {
		vme_interrupt(x, vector, next);
		return 0;
	}
	if (kind == 0 && (x->eflags & EFLAGS_VM) &&
	    (x->eflags & EFLAGS_IOPL) != EFLAGS_IOPL)
		fault(x, EXCP_GP, 0, "INT %02x in v86 mode with IOPL below 3",
		      vector, 0);
	if (kind == 2) {
		cpu->pc = next;
		raise_trap(x, EXCP_DB);
	}
	if (log_enabled(LOG_INT))
		cpu_restore_state(cpu);
	x->old_exception = DELIVERING_BENIGN;
	deliver(x, &(struct event){ .vector = vector, .is_int = true, .eip = next,
				    .eflags = cpu_get_eflags(x) });
	return 0;
}

/* -- doors from the exec loop ------------------------------------------------------------------ */
/* Faults push EFLAGS with RF set (SDM 17.3.1.1), traps and interrupts not. */
static bool is_fault(int vector)
{
	return vector != EXCP_DB && vector != EXCP_DF && vector != EXCP_BP &&
	       vector != EXCP_OF && vector != EXCP_NMI && vector != EXCP_MC;
}

void target_do_interrupt(struct cpu *cpu)
{
	struct x86_cpu *x = x86(cpu);
	struct event e = { .vector = cpu->exception_index,
		.has_err = x->has_error_code && (x->cr[0] & CR0_PE),
		.err = x->error_code, .eip = cpu->pc,
		.eflags = cpu_get_eflags(x), .ext = 1 };

	cpu->exception_index = EXCP_NONE;
	x->has_error_code = false;
	x->old_exception = e.vector;
	if (is_fault(e.vector))
		e.eflags |= EFLAGS_RF;
	deliver(x, &e);
}

static void deliver_external(struct x86_cpu *x, int vector)
{
	struct event e = { .vector = vector, .eip = x->c.pc,
		.eflags = cpu_get_eflags(x), .ext = 1 };

	x->old_exception = DELIVERING_BENIGN;
	deliver(x, &e);
}

static bool accepts_irq(const struct x86_cpu *x)
{
	return (x->eflags & EFLAGS_IF) && !(x->hflags & HF_INHIBIT_IRQ);
}

/* INTA cycle of the 8259A pair, which lowers or keeps its line as it answers. */
static int take_intr(struct cpu *cpu)
{
	int vector;

	bql_lock();
	vector = pic_read_irq();
	if (vector < 0)
		cpu_reset_interrupt(cpu, CPU_INTERRUPT_HARD);
	bql_unlock();
	return vector;
}

/* The 8259A's request first: the local APIC's priorities do not concern it. -1:
 * there is none. Upstream: cpu_get_pic_interrupt. */
static int take_irq(struct cpu *cpu, u32 request)
{
	int vector = request & CPU_INTERRUPT_HARD ? take_intr(cpu) : -1;

	if (vector < 0 && (request & CPU_INTERRUPT_POLL))
		vector = apic_get_interrupt(cpu);
	return vector;
}

static void take_init(struct cpu *cpu)
{
	bql_lock();
	cpu_reset_interrupt(cpu, CPU_INTERRUPT_INIT);
	bql_unlock();
	target_cpu_init(cpu);
}

static void take_sipi(struct cpu *cpu)
{
	u8 vector;

	bql_lock();
	cpu_reset_interrupt(cpu, CPU_INTERRUPT_SIPI);
	vector = apic_sipi_vector(cpu);
	bql_unlock();
	target_cpu_sipi(cpu, vector);
}

/* INIT, then SIPI: a processor that gets both has got them in this order. */
static bool take_start_up(struct x86_cpu *x, u32 request)
{
	if (request & CPU_INTERRUPT_INIT)
		take_init(&x->c);
	if (request & CPU_INTERRUPT_SIPI)
		take_sipi(&x->c);
	if (x->wait_for_sipi) {
		x->c.halted = true;
		x->c.exception_index = EXCP_HLT;
	}
	return true;
}

bool target_exec_interrupt(struct cpu *cpu, u32 interrupt_request)
{
	struct x86_cpu *x = x86(cpu);
	int vector = -1;

	if (interrupt_request & (CPU_INTERRUPT_INIT | CPU_INTERRUPT_SIPI))
		return take_start_up(x, interrupt_request);
	if ((interrupt_request & CPU_INTERRUPT_NMI) && !x->nmi_blocked &&
	    !(x->hflags & HF_INHIBIT_IRQ)) {
		bql_lock();
		cpu_reset_interrupt(cpu, CPU_INTERRUPT_NMI);
		bql_unlock();
		x->nmi_blocked = true;
		vector = EXCP_NMI;
	} else if (accepts_irq(x)) {
		vector = take_irq(cpu, interrupt_request);
	}
	if (vector < 0)
		return false;
	deliver_external(x, vector);
	return true;
}

/* A processor that waits for SIPI hears nothing else (SDM vol. 3A 8.4). */
bool target_has_work(struct cpu *cpu)
{
	struct x86_cpu *x = x86(cpu);
	u32 r = cpu_pending(cpu);

	if (x->wait_for_sipi)
		return r & (CPU_INTERRUPT_INIT | CPU_INTERRUPT_SIPI);
	if (r & (CPU_INTERRUPT_INIT | CPU_INTERRUPT_NMI))
		return true;
	return (x->eflags & EFLAGS_IF || x->wake_by_any) &&
		((r & CPU_INTERRUPT_HARD) ||
		 ((r & CPU_INTERRUPT_POLL) && apic_has_interrupt(cpu)));
}
