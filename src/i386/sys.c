/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/i386/sys.c - system registers: MOV CR, LMSW, LGDT, flags, time
 * stamp counter, model-specific registers. SDM vol. 2 at each instruction,
 * vol. 3A chapter 2, vol. 4 (MSRs). Upstream: misc_helper.c, cc_helper.c. */
#include "env/clock.h"
#include "env/log.h"
#include "i386/desc.h"
#include "i386/fault.h"
#include "i386/helper.h"
#include "i386/model.h"
#include "i386/port.h"
#include "qemu/machine.h"
#include "qemu/target.h"
#include "qemu/timer.h"

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

/* The shadow lasts for one instruction if interrupts were off. SDM vol. 2 STI
 * table 4-21. */
u64 helper_sti(struct cpu *cpu, u32 a, u32 b, u32 c)
{
	struct x86_cpu *x = x86(cpu);

	(void)a, (void)b, (void)c;
	if (x->hflags & HF_VIF) {
		if (x->eflags & EFLAGS_VIP)
			fault(x, EXCP_GP, 0, "STI with VIP set", 0, 0);
		cpu_set_eflags(x, EFLAGS_VIF, EFLAGS_VIF);
		return 0;
	}
	if (!(x->eflags & EFLAGS_IF))
		x->hflags |= HF_INHIBIT_IRQ;
	cpu_set_eflags(x, EFLAGS_IF, EFLAGS_IF);
	return 0;
}

u64 helper_set_inhibit_irq(struct cpu *cpu, u32 a, u32 b, u32 c)
{
	(void)a, (void)b, (void)c;
	x86(cpu)->hflags |= HF_INHIBIT_IRQ;
	return 0;
}

/* -- time stamp counter ------------------------------------------------------------------------ */
static u64 tsc_read(const struct x86_cpu *x)
{
	return cpu_get_host_ticks() - x->tsc_offset;
}

u64 helper_rdtsc(struct cpu *cpu, u32 a, u32 b, u32 c)
{
	struct x86_cpu *x = x86(cpu);
	u64 t;

	(void)a, (void)b, (void)c;
	if ((x->cr[4] & CR4_TSD) && cpu_cpl(x) != 0)
		fault(x, EXCP_GP, 0, "RDTSC with CR4.TSD outside ring 0", 0, 0);
	t = tsc_read(x);
	cpu->regs[R_EAX] = (u32)t;
	cpu->regs[R_EDX] = t >> 32;
	return 0;
}

/* The same, and the number the system gave this processor. */
u64 helper_rdtscp(struct cpu *cpu, u32 a, u32 b, u32 c)
{
	helper_rdtsc(cpu, a, b, c);
	cpu->regs[R_ECX] = x86(cpu)->tsc_aux;
	return 0;
}

/* Two counters as on a P6; they stand still. */
u64 helper_rdpmc(struct cpu *cpu, u32 a, u32 b, u32 c)
{
	struct x86_cpu *x = x86(cpu);

	(void)a, (void)b, (void)c;
	if (!(x->cr[4] & CR4_PCE) && cpu_cpl(x) != 0)
		fault(x, EXCP_GP, 0, "RDPMC without CR4.PCE outside ring 0", 0, 0);
	if ((u32)cpu->regs[R_ECX] > 1)
		fault(x, EXCP_GP, 0, "RDPMC: no counter %08x",
		      cpu->regs[R_ECX], 0);
	cpu->regs[R_EAX] = cpu->regs[R_EDX] = 0;
	return 0;
}

/* -- model-specific registers ------------------------------------------------------------------- */
enum {
	MSR_TSC = 0x10, MSR_PLATFORM_ID = 0x17, MSR_APIC_BASE = 0x1b, MSR_EBL_CR_POWERON = 0x2a,
	MSR_UPDATE_TRIGGER = 0x79, MSR_UCODE_REV = 0x8b, MSR_SYSENTER_CS = 0x174,
	MSR_SYSENTER_ESP = 0x175, MSR_SYSENTER_EIP = 0x176,
	MSR_MISC_ENABLE = 0x1a0, MSR_TSC_DEADLINE = 0x6e0,
	MSR_X2APIC = 0x800, MSR_X2APIC_END = 0x840, MSR_EFER = 0xc0000080,
	MSR_TSC_AUX = 0xc0000103,
};

/* A row: the register, the CPUID feature it needs, where it is kept (NULL: it
 * reads as `fixed`, writes are ignored). TSC, EFER and what
 * belongs to the local APIC have code of their own. */
#define AT(field) (offsetof(struct x86_cpu, field))
static const struct msr { u32 nr, feature, at, fixed; } msrs[] = {
	{ MSR_PLATFORM_ID, CPUID_MSR, 0, 0 },
	{ MSR_EBL_CR_POWERON, CPUID_MSR, 0, 0 },
	{ MSR_UPDATE_TRIGGER, CPUID_MSR, 0, 0 },
	{ MSR_UCODE_REV, CPUID_MSR, 0, 0 },
	{ MSR_SYSENTER_CS, CPUID_SEP, AT(sysenter_cs), 0 },
	{ MSR_SYSENTER_ESP, CPUID_SEP, AT(sysenter_esp), 0 },
	{ MSR_SYSENTER_EIP, CPUID_SEP, AT(sysenter_eip), 0 },
	{ MSR_MISC_ENABLE, CPUID_MSR, 0, 1 },      /* fast strings */
};
#undef AT

static const struct msr *msr_find(const struct x86_cpu *x, u32 nr)
{
	for (size_t i = 0; i < ARRAY_SIZE(msrs); i++)
		if (msrs[i].nr == nr && (x->features[FEAT_1_EDX] & msrs[i].feature))
			return &msrs[i];
	return NULL;
}

static bool has_nx(const struct x86_cpu *x)
{
	return x->features[FEAT_EXT_EDX] & CPUID_EXT2_NX;
}

/* IA32_TSC_DEADLINE is kept in the host's time stamps; 0 means not armed. */
static u64 deadline_read(struct x86_cpu *x)
{
	u64 t = apic_get_tsc_deadline(&x->c);

	return t ? t - x->tsc_offset : 0;
}

static void deadline_write(struct x86_cpu *x, u64 v)
{
	apic_set_tsc_deadline(&x->c, v ? v + x->tsc_offset : 0);
}

static bool is_x2apic(u32 nr)
{
	return nr >= MSR_X2APIC && nr < MSR_X2APIC_END;
}

/* false: not one of the local APIC's, or it refuses. */
static bool apic_read(struct x86_cpu *x, u32 nr, u64 *v)
{
	if (is_x2apic(nr) && (x->features[FEAT_1_ECX] & CPUID_EXT_X2APIC))
		return apic_msr_read(&x->c, nr - MSR_X2APIC, v);
	if (nr == MSR_APIC_BASE && x->c.apic)
		*v = cpu_get_apic_base(&x->c);
	else if (nr == MSR_TSC_DEADLINE && (x->features[FEAT_1_ECX] & CPUID_EXT_TSC_DEADLINE))
		*v = deadline_read(x);
	else
		return false;
	return true;
}

static bool apic_write(struct x86_cpu *x, u32 nr, u64 v)
{
	bool x2 = x->features[FEAT_1_ECX] & CPUID_EXT_X2APIC;

	if (is_x2apic(nr) && x2)
		return apic_msr_write(&x->c, nr - MSR_X2APIC, v);
	if (nr == MSR_APIC_BASE)
		return (x2 || !(v & APIC_BASE_X2APIC)) && cpu_set_apic_base(&x->c, v);
	if (nr != MSR_TSC_DEADLINE || !(x->features[FEAT_1_ECX] & CPUID_EXT_TSC_DEADLINE))
		return false;
	deadline_write(x, v);
	return true;
}

static bool has_rdtscp(const struct x86_cpu *x)
{
	return x->features[FEAT_EXT_EDX] & CPUID_EXT2_RDTSCP;
}

static bool msr_read(struct x86_cpu *x, u32 nr, u64 *v)
{
	const struct msr *m = msr_find(x, nr);

	if (m)
		*v = m->at ? *(u32 *)((char *)x + m->at) : m->fixed;
	else if (nr == MSR_TSC && (x->features[FEAT_1_EDX] & CPUID_TSC))
		*v = tsc_read(x);
	else if (nr == MSR_EFER && has_nx(x))
		*v = x->efer;
	else if (nr == MSR_TSC_AUX && has_rdtscp(x))
		*v = x->tsc_aux;
	else
		return apic_read(x, nr, v);
	return true;
}

static bool msr_write(struct x86_cpu *x, u32 nr, u64 v)
{
	const struct msr *m = msr_find(x, nr);

	if (m && m->at) {
		*(u32 *)((char *)x + m->at) = v;
	} else if (nr == MSR_TSC && (x->features[FEAT_1_EDX] & CPUID_TSC)) {
		x->tsc_offset = cpu_get_host_ticks() - v;
	} else if (nr == MSR_TSC_AUX && has_rdtscp(x) && v <= ~0u) {
		x->tsc_aux = (u32)v;
	} else if (nr == MSR_EFER && has_nx(x) && !(v & ~(1ull << 11))) {
		x->efer = v;
		tlb_flush(&x->c);
	} else {
		return m || apic_write(x, nr, v);
	}
	return true;
}

static void msr_check(struct x86_cpu *x)
{
	if (cpu_cpl(x) != 0)
		fault(x, EXCP_GP, 0, "RDMSR or WRMSR outside ring 0", 0, 0);
}

u64 helper_rdmsr(struct cpu *cpu, u32 a, u32 b, u32 c)
{
	struct x86_cpu *x = x86(cpu);
	u32 nr = cpu->regs[R_ECX];
	u64 v;

	(void)a, (void)b, (void)c;
	msr_check(x);
	if (!msr_read(x, nr, &v)) {
		log_item(LOG_GUEST_ERRORS, "rdmsr of unknown MSR %08x\n", nr);
		fault(x, EXCP_GP, 0, "RDMSR: no MSR %08x", nr, 0);
	}
	cpu->regs[R_EAX] = (u32)v;
	cpu->regs[R_EDX] = v >> 32;
	return 0;
}

u64 helper_wrmsr(struct cpu *cpu, u32 a, u32 b, u32 c)
{
	struct x86_cpu *x = x86(cpu);
	u32 nr = cpu->regs[R_ECX];
	u64 v = (u32)cpu->regs[R_EAX] | cpu->regs[R_EDX] << 32;

	(void)a, (void)b, (void)c;
	msr_check(x);
	if (!msr_write(x, nr, v)) {
		log_item(LOG_GUEST_ERRORS, "wrmsr of unknown MSR %08x\n", nr);
		fault(x, EXCP_GP, 0, "WRMSR: no MSR %08x, or a bad value", nr, 0);
	}
	if (cpu->synced_work)
		leave_after_insn(x);
	return 0;
}
