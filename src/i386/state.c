/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/i386/state.c - the guest processor's registers: reset (SDM vol. 3A
 * table 9-1), EFLAGS, segment caches with their guards, and hflags, which are
 * the part of the state that translation depends on.
 *
 * EFLAGS is kept in three places: CF PF AF ZF SF OF in cpu->cc, DF as +1/-1 in
 * df, the rest in eflags. RF is hflags' HF_RF, kept only while there are
 * instruction breakpoints: nothing else sees it.
 * Upstream: cpu.c x86_cpu_reset, cpu.h cpu_x86_load_seg_cache. */
#include <stdio.h>
#include <string.h>

#include "env/clock.h"
#include "env/log.h"
#include "env/strbuf.h"
#include "i386/cpu.h"
#include "i386/debug.h"
#include "i386/desc.h"
#include "i386/fault.h"
#include "i386/model.h"
#include "qemu/cpus.h"
#include "qemu/machine.h"
#include "qemu/runstate.h"
#include "qemu/target.h"
#include "qemu/timer.h"

/* -- guards and hflags ------------------------------------------------------ */
enum { HF_MODE = HF_CPL | HF_PE | HF_VM | HF_TF | HF_TS | HF_EM | HF_MP |
		 HF_IOPL | HF_PG | HF_CPL0_IO | HF_AC | HF_VIF | HF_OSFXSR |
		 HF_UMIP };

static const struct seg_guard guard_closed = { 0, 0 };

static bool protected_mode(const struct x86_cpu *x)
{
	return (x->cr[0] & CR0_PE) && !(x->eflags & EFLAGS_VM);
}

/* Offsets at which 8 bytes fit: see struct seg_guard. */
static struct seg_guard guard_of(u32 limit, u32 flags)
{
	u32 lo = 0, top = limit;

	if ((flags & (DESC_CS | DESC_E)) == DESC_E) {
		lo = limit + 1;
		top = flags & DESC_B ? 0xffffffff : 0xffff;
		if (!lo)
			return guard_closed;
	}
	if (top < lo || top - lo < 7)
		return guard_closed;
	return (struct seg_guard){ lo, top - lo - 6 };
}

static void seg_update_guards(struct x86_cpu *x, struct seg_cache *s)
{
	struct seg_guard g = guard_of(s->limit, s->flags);
	bool code = s->flags & DESC_CS;

	s->rd = s->wr = g;
	if (!protected_mode(x))
		return;
	if ((s->flags & (DESC_P | DESC_S)) != (DESC_P | DESC_S))
		s->rd = s->wr = guard_closed;
	else if (code && !(s->flags & DESC_R))
		s->rd = s->wr = guard_closed;
	else if (code || !(s->flags & DESC_W))
		s->wr = guard_closed;
}

static bool guard_full(struct seg_guard g)
{
	return g.lo == 0 && g.n == 0xfffffff9;
}

/* The hflags that one segment register decides. */
static u32 seg_hflags(const struct x86_cpu *x, int seg, u32 *mask)
{
	static const u32 flat[NB_SEGS] = {
		[R_ES] = HF_ES_FLAT, [R_CS] = HF_CS_FLAT, [R_SS] = HF_SS_FLAT,
		[R_DS] = HF_DS_FLAT, [R_FS] = HF_FS_BIG, [R_GS] = HF_GS_BIG,
	};
	static const u32 size[NB_SEGS] = { [R_CS] = HF_CS32, [R_SS] = HF_SS32 };
	const struct seg_cache *s = &x->seg[seg];
	bool full = guard_full(seg == R_CS ? s->rd : s->wr);
	u32 f = 0;

	if (full && (s->base == 0 || seg == R_FS || seg == R_GS))
		f |= flat[seg];
	if (s->flags & DESC_B)
		f |= size[seg];
	*mask = flat[seg] | size[seg];
	return f;
}

/* SDM vol. 3B 20.3.3 (VME), 20.4 (PVI). */
static bool virtual_if(const struct x86_cpu *x, u32 hflags, u32 iopl)
{
	u32 on = hflags & HF_VM ? CR4_VME : CR4_PVI;

	return iopl < 3 && (hflags & HF_CPL) == 3 && (x->cr[4] & on);
}

static u32 mode_hflags(const struct x86_cpu *x)
{
	u32 f = x->hflags & HF_CPL, iopl = x->eflags >> 12 & 3;

	if (!(x->cr[0] & CR0_PE))
		f = 0;
	else if (x->eflags & EFLAGS_VM)
		f = 3 | HF_PE | HF_VM;
	else
		f |= HF_PE;
	if (!(f & HF_VM) && (f & HF_CPL) <= iopl)
		f |= HF_CPL0_IO;
	f |= virtual_if(x, f, iopl) ? HF_VIF : 0;
	f |= iopl * (HF_IOPL & -HF_IOPL);
	f |= x->eflags & EFLAGS_TF ? HF_TF : 0;
	if ((x->cr[0] & CR0_AM) && (x->eflags & EFLAGS_AC) && (f & HF_CPL) == 3)
		f |= HF_AC;
	f |= x->cr[0] & CR0_TS ? HF_TS : 0;
	f |= x->cr[0] & CR0_EM ? HF_EM : 0;
	f |= x->cr[0] & CR0_MP ? HF_MP : 0;
	f |= x->cr[0] & (u32)CR0_PG ? HF_PG : 0;
	f |= x->cr[4] & CR4_OSFXSR ? HF_OSFXSR : 0;
	f |= x->cr[4] & CR4_UMIP ? HF_UMIP : 0;
	return f;
}

static void update_mode(struct x86_cpu *x)
{
	x->hflags = (x->hflags & ~(u32)HF_MODE) | mode_hflags(x);
}

static void update_seg(struct x86_cpu *x, int seg)
{
	u32 mask, f;

	seg_update_guards(x, &x->seg[seg]);
	f = seg_hflags(x, seg, &mask);
	x->hflags = (x->hflags & ~mask) | f;
}

void cpu_update_hflags(struct x86_cpu *x)
{
	update_mode(x);
	for (int i = 0; i < NB_SEGS; i++)
		update_seg(x, i);
}

void cpu_set_cpl(struct x86_cpu *x, int cpl)
{
	if (cpu_cpl(x) == cpl)
		return;
	x->hflags = (x->hflags & ~(u32)HF_CPL) | cpl;
	update_mode(x);
}

/* -- EFLAGS -------------------------------------------------------------------- */
enum { EFLAGS_KEPT = EFLAGS_TF | EFLAGS_IF | EFLAGS_IOPL | EFLAGS_NT | EFLAGS_VM |
		     EFLAGS_AC | EFLAGS_VIF | EFLAGS_VIP | EFLAGS_ID };

u32 cpu_get_eflags(const struct x86_cpu *x)
{
	return x->eflags | 2 | cc_to_eflags(x->c.cc) |
	       (x->hflags & HF_RF ? EFLAGS_RF : 0) |
	       (x->df < 0 ? EFLAGS_DF : 0);
}

void cpu_set_eflags(struct x86_cpu *x, u32 val, u32 mask)
{
	u32 arith = mask & EFLAGS_ARITH;
	u32 old = x->eflags;
	u32 own = mask & EFLAGS_KEPT;

	x->c.cc = cc_from_eflags((cc_to_eflags(x->c.cc) & ~arith) | (val & arith));
	if (mask & EFLAGS_DF)
		x->df = val & EFLAGS_DF ? -1 : 1;
	x->eflags = (old & ~own) | (val & own);
	if (mask & val & EFLAGS_RF && x->hflags & HF_XBP)
		x->hflags |= HF_RF;
	if (old & ~x->eflags & EFLAGS_AC)
		smap_close(x);
	if ((old ^ x->eflags) & EFLAGS_VM)
		cpu_update_hflags(x);
	else if ((old ^ x->eflags) & (EFLAGS_TF | EFLAGS_IOPL | EFLAGS_AC))
		update_mode(x);
	/* a request that waited for IF: look at it at the next check */
	if ((x->eflags & ~old & EFLAGS_IF) &&
	    cpu_pending(&x->c))
		cpu_poke(&x->c);
}

/* -- segments ------------------------------------------------------------------- */
void cpu_load_seg_cache(struct x86_cpu *x, int seg, u16 sel, u32 base,
			u32 limit, u32 flags)
{
	struct seg_cache *s = &x->seg[seg];
	/* DPL and A change neither guards nor hflags */
	u32 differ = (s->flags ^ flags) & 0x00f0ff00 & ~(u32)(DESC_DPL | DESC_A);
	bool same = !differ && s->base == base && s->limit == limit;

	s->selector = sel;
	s->base = base;
	s->limit = limit;
	s->flags = flags & 0x00f0ff00;
	if (!same)
		update_seg(x, seg);
	if (seg == R_CS && protected_mode(x))
		cpu_set_cpl(x, sel & 3);
}

/* In real mode the limit and rights stay as they are ("big real mode"). */
void seg_set_real(struct x86_cpu *x, int seg, u16 sel)
{
	struct seg_cache *s = &x->seg[seg];
	u32 base = (u32)sel << 4;

	if (x->eflags & EFLAGS_VM)
		cpu_load_seg_cache(x, seg, sel, base, 0xffff,
				   DESC_P | DESC_S | DESC_W | DESC_A | DESC_DPL);
	else
		cpu_load_seg_cache(x, seg, sel, base, s->limit, s->flags);
}

void seg_set_null(struct x86_cpu *x, int seg, u16 sel)
{
	cpu_load_seg_cache(x, seg, sel, 0, 0, 0);
}

bool seg_in_limit(u32 limit, u32 flags, u32 offset, u32 size)
{
	u32 last = offset + size - 1;

	if ((flags & (DESC_CS | DESC_E)) == DESC_E)
		return offset > limit && last > limit && last >= offset &&
		       last <= (flags & DESC_B ? 0xffffffff : 0xffff);
	return last >= offset && last <= limit;
}

/* -- the host's registers ------------------------------------------------------------ */
/* FXRSTOR wants an image that has been saved; this is as FNINIT leaves it. */
static void fpu_image_init(struct x86_cpu *x)
{
	static const u8 fcw[] = { 0x7f, 0x03 }, mxcsr[] = { 0x80, 0x1f };

	memset(x->fpu_image, 0, sizeof(x->fpu_image));
	memcpy(x->fpu_image, fcw, sizeof(fcw));
	memcpy(x->fpu_image + 24, mxcsr, sizeof(mxcsr));
}

void target_cpu_exec_enter(struct cpu *cpu)
{
	__asm__ volatile("fxrstor64 %0" : : "m"(x86(cpu)->fpu_image));
}

void target_cpu_exec_exit(struct cpu *cpu)
{
	__asm__ volatile("fxsave64 %0" : "=m"(x86(cpu)->fpu_image));
}

/* -- reset ------------------------------------------------------------------------- */
static void reset_segments(struct x86_cpu *x)
{
	u32 rw = DESC_P | DESC_S | DESC_W | DESC_A;

	for (int i = 0; i < NB_SEGS; i++)
		cpu_load_seg_cache(x, i, 0, 0, 0xffff, rw);
	cpu_load_seg_cache(x, R_CS, 0xf000, 0xffff0000, 0xffff, rw | DESC_CS);
	x->gdt = x->idt = (struct desc_table){ 0, 0xffff };
	x->ldt = (struct seg_cache){ .limit = 0xffff,
		.flags = DESC_P | TYPE_LDT << 8 };
	x->tr = (struct seg_cache){ .limit = 0xffff,
		.flags = DESC_P | TYPE_TSS32_BUSY << 8 };
}

/* What a boot loader leaves: flat protected mode, interrupts off. */
static void reset_to_boot_state(struct x86_cpu *x)
{
	const struct boot_state *b = &boot_state;
	u32 flat = DESC_P | DESC_S | DESC_W | DESC_A | DESC_B | DESC_G;
	static const u8 data[] = { R_DS, R_ES, R_SS, R_FS, R_GS };

	x->cr[0] = CR0_PE | CR0_ET;
	x->gdt = (struct desc_table){ b->gdt_base, b->gdt_limit };
	x->idt = (struct desc_table){ 0, 0 };
	update_mode(x);
	cpu_load_seg_cache(x, R_CS, b->cs, 0, 0xffffffff, flat | DESC_CS);
	for (size_t i = 0; i < ARRAY_SIZE(data); i++)
		cpu_load_seg_cache(x, data[i], b->ds, 0, 0xffffffff, flat);
	x->c.regs[R_EAX] = b->eax;
	x->c.regs[R_EBX] = b->ebx;
	x->c.regs[R_EDX] = 0;
	x->c.regs[R_ESI] = b->esi;
	x->c.regs[R_ESP] = b->esp;
	x->c.pc = b->eip;
}

/* What both power-on and INIT set (SDM vol. 3A table 9-1). */
static void init_state(struct x86_cpu *x)
{
	struct cpu *cpu = &x->c;

	memset(cpu->regs, 0, sizeof(cpu->regs));
	cpu->cc = 0;
	cpu->exception_index = EXCP_NONE;
	x->eflags = 2;
	x->n_smap_pages = 0;
	x->monitor_host = NULL;
	x->wake_by_any = false;
	x->df = 1;
	x->hflags &= HF_XM;                  /* MXCSR outlives INIT         */
	memset(&x->cr[1], 0, sizeof(x->cr) - sizeof(x->cr[0]));
	memset(x->dr, 0, sizeof(x->dr));
	x->dr[6] = 0xffff0ff0;
	x->dr[7] = 0x400;
	x->has_error_code = x->nmi_blocked = false;
	debug_take_pending(x);
	x->old_exception = -1;
	x->efer = 0;
	cpu->regs[R_EDX] = cpu_model_signature(x);
	cpu->pc = 0xfff0;
	reset_segments(x);
}

/* SDM vol. 3A 9.1.1. Processors but the first wait for a start-up IPI; all have
 * the first one's time stamps. */
void cpu_reset_state(struct x86_cpu *x)
{
	struct cpu *cpu = &x->c;

	x->cr[0] = CR0_ET | CR0_NW | CR0_CD;
	init_state(x);
	x->wait_for_sipi = cpu->halted = cpu->cpu_index != 0;
	x->sysenter_cs = x->sysenter_esp = x->sysenter_eip = 0;
	x->a20_mask = ~0u;
	x->tsc_offset = cpu->cpu_index && first_cpu ? x86(first_cpu)->tsc_offset :
		cpu_get_host_ticks();
	x->fpu_ip = x->fpu_dp = 0;
	x->fpu_op = x->fpu_cs = x->fpu_ds = 0;
	fpu_image_init(x);
	x->hflags &= ~(u32)HF_XM;
	x->tsc_aux = 0;
	x->xcr0 = 1;
	msr_reset(x);
	if (boot_state.valid && cpu->cpu_index == 0)
		reset_to_boot_state(x);
	cpu_update_hflags(x);
	debug_update(x);
	tlb_flush(cpu);
}

UNCHECKED void target_cpu_init(struct cpu *cpu)
{
	struct x86_cpu *x = x86(cpu);

	bql_lock();
	if (cpu->cpu_index == 0) {
		log_item(LOG_CPU_RESET | LOG_UNIMP, "INIT of the BSP: there is no firmware "
			 "at F000:FFF0, the machine is reset\n");
		qemu_system_reset_request();
	} else {
		apic_init_reset(cpu);
	}
	bql_unlock();
	if (cpu->cpu_index == 0)
		return;
	log_item(LOG_CPU_RESET, "CPU INIT (CPU %d)\n", cpu->cpu_index);
	x->cr[0] = (x->cr[0] & (u32)(CR0_NW | CR0_CD)) | CR0_ET;
	init_state(x);
	x->wait_for_sipi = true;
	cpu_update_hflags(x);
	tlb_flush(cpu);
}

void target_cpu_sipi(struct cpu *cpu, u8 vector)
{
	struct x86_cpu *x = x86(cpu);

	if (!x->wait_for_sipi)
		return;
	x->wait_for_sipi = false;
	cpu->halted = false;
	cpu_load_seg_cache(x, R_CS, (u16)(vector << 8), (u32)vector << 12, 0xffff,
			   DESC_P | DESC_S | DESC_W | DESC_A | DESC_CS);
	cpu->pc = 0;
}

/* The guest's x87 and XMM registers are those of the vCPU's thread. */
static void fpu_reset(struct cpu *cpu, void *data)
{
	(void)data;
	fpu_power_on(x86(cpu));
}

void target_cpu_reset(struct cpu *cpu)
{
	log_item(LOG_CPU_RESET, "CPU Reset (CPU %d)\n", cpu->cpu_index);
	cpu_reset_state(x86(cpu));
	apic_reset(cpu);
	if (cpu->created)
		run_on_cpu(cpu, fpu_reset, NULL);
}

/* -- what the run loop asks ---------------------------------------------------------- */
u32 target_lasting_flags(u32 tb_flags)
{
	return tb_flags & ~(u32)(HF_INHIBIT_IRQ | HF_RF);
}

int target_mmu_index(u32 tb_flags)
{
	return (tb_flags & HF_CPL) == 3 ? MMU_USER : MMU_KERNEL;
}

void target_get_tb_state(struct cpu *cpu, struct tb_state *s)
{
	const struct x86_cpu *x = x86(cpu);

	s->pc = cpu->pc;
	s->cs_base = x->seg[R_CS].base | (u64)x->seg[R_CS].limit << 32;
	s->flags = x->hflags & ~(u32)HF_GRANTED;
	s->lasting = target_lasting_flags(s->flags);
	s->mode = target_mmu_index(x->hflags);
}

gva target_linear_pc(u64 pc, u64 cs_base)
{
	return (u32)(pc + cs_base);
}

/* -- text ----------------------------------------------------------------------------- */
static int seg_text(const struct seg_cache *s, const char *name, char *buf,
		    size_t size)
{
	return snprintf(buf, size, "%s=%04x %08x %08x %08x\n", name,
			s->selector, s->base, s->limit, s->flags);
}

static int regs_text(struct x86_cpu *x, char *buf, size_t size)
{
	const u64 *r = x->c.regs;
	u32 f = cpu_get_eflags(x);

	return snprintf(buf, size,
		"EAX=%08x EBX=%08x ECX=%08x EDX=%08x\n"
		"ESI=%08x EDI=%08x EBP=%08x ESP=%08x\n"
		"EIP=%08x EFL=%08x [%c%c%c%c%c%c%c] CPL=%d II=%d A20=%d HLT=%d\n",
		(u32)r[R_EAX], (u32)r[R_EBX], (u32)r[R_ECX], (u32)r[R_EDX],
		(u32)r[R_ESI], (u32)r[R_EDI], (u32)r[R_EBP], (u32)r[R_ESP],
		(u32)x->c.pc, f,
		f & EFLAGS_DF ? 'D' : '-', f & EFLAGS_OF ? 'O' : '-',
		f & EFLAGS_SF ? 'S' : '-', f & EFLAGS_ZF ? 'Z' : '-',
		f & EFLAGS_AF ? 'A' : '-', f & EFLAGS_PF ? 'P' : '-',
		f & EFLAGS_CF ? 'C' : '-', cpu_cpl(x),
		!!(x->hflags & HF_INHIBIT_IRQ), !!(x->a20_mask & 1 << 20),
		x->c.halted);
}

static int system_text(struct x86_cpu *x, char *buf, size_t size)
{
	return snprintf(buf, size,
		"GDT=     %08x %08x\n"
		"IDT=     %08x %08x\n"
		"CR0=%08x CR2=%08x CR3=%08x CR4=%08x\n"
		"DR0=%08x DR1=%08x DR2=%08x DR3=%08x\n"
		"DR6=%08x DR7=%08x\n",
		x->gdt.base, x->gdt.limit, x->idt.base, x->idt.limit,
		x->cr[0], x->cr[2], x->cr[3], x->cr[4],
		x->dr[0], x->dr[1], x->dr[2], x->dr[3], x->dr[6], x->dr[7]);
}

int cpu_state_text(struct x86_cpu *x, char *buf, size_t size)
{
	static const char name[NB_SEGS][4] = { "ES ", "CS ", "SS ", "DS ",
					       "FS ", "GS " };
	int n = regs_text(x, buf, size);

	for (int i = 0; i < NB_SEGS; i++)
		n += seg_text(&x->seg[i], name[i], buf + n, size - n);
	n += seg_text(&x->ldt, "LDT", buf + n, size - n);
	n += seg_text(&x->tr, "TR ", buf + n, size - n);
	return n + system_text(x, buf + n, size - n);
}

void target_dump_state(struct cpu *cpu)
{
	char buf[2048];

	cpu_state_text(x86(cpu), buf, sizeof(buf));
	log_printf("%s", buf);
}

void target_dump_text(struct cpu *cpu, struct strbuf *b)
{
	char buf[2048];

	cpu_state_text(x86(cpu), buf, sizeof(buf));
	strbuf_printf(b, "%s", buf);
}
