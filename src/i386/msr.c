/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/i386/msr.c - time stamp counter, performance counters, model-specific
 * registers. SDM vol. 2 RDTSC, RDPMC, RDMSR, vol. 4 chapter 2 (architectural
 * MSRs, P6 family), and what msr.h names.
 *
 * Memory types are kept and checked and change nothing: the host caches. No
 * machine check happens. DIFF: performance counters read 0 and cannot be set;
 * a kernel that tries one finds that it does not count.
 * Upstream: misc_helper.c helper_rdmsr, helper_wrmsr. */
#include <string.h>

#include "env/clock.h"
#include "env/log.h"
#include "i386/fault.h"
#include "i386/helper.h"
#include "i386/model.h"
#include "i386/port.h"
#include "qemu/machine.h"
#include "qemu/target.h"
#include "qemu/timer.h"

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

/* -- model-specific registers: what may be written --------------------------------------------- */
enum {
	MSR_P5_MC_ADDR = 0, MSR_TSC = 0x10, MSR_PLATFORM_ID = 0x17, MSR_APIC_BASE = 0x1b,
	MSR_EBL_CR_POWERON = 0x2a, MSR_TSC_ADJUST = 0x3b, MSR_BIOS_UPDT_TRIG = 0x79, MSR_BIOS_SIGN_ID = 0x8b,
	MSR_PERFCTR0 = 0xc1, MSR_MTRRCAP = 0xfe, MSR_SYSENTER_CS = 0x174,
	MSR_SYSENTER_ESP = 0x175, MSR_SYSENTER_EIP = 0x176, MSR_MCG_CAP = 0x179,
	MSR_MCG_STATUS = 0x17a, MSR_MCG_CTL = 0x17b, MSR_EVENT_SELECT0 = 0x186,
	MSR_MISC_ENABLE = 0x1a0, MSR_MTRR_PHYSBASE0 = 0x200, MSR_MTRR_FIX64K = 0x250,
	MSR_MTRR_FIX16K = 0x258, MSR_MTRR_FIX4K = 0x268, MSR_PAT = 0x277,
	MSR_MTRR_DEF_TYPE = 0x2ff, MSR_MC0_CTL = 0x400, MSR_TSC_DEADLINE = 0x6e0,
	MSR_X2APIC = 0x800, MSR_X2APIC_END = 0x840, MSR_EFER = 0xc0000080,
	MSR_TSC_AUX = 0xc0000103,
};
enum { MTRR_TYPES = 0x73, PAT_TYPES = 0xf3 };  /* bit n: type n exists    */
enum { MT_UC = 0, MT_WP = 5, MT_WB = 6 };
enum { MTRR_ON = 1 << 11, MTRR_FIXED_ON = 1 << 10, MTRR_VALID = 1 << 11 };
#define PHYS_RESERVED (~0ull << PHYS_BITS)

static bool type_ok(u64 type, u32 known)
{
	return type < 8 && known >> type & 1;
}

/* Eight types, a byte each. */
static bool types_ok(u64 v, u32 known)
{
	for (int i = 0; i < 64; i += 8)
		if (!type_ok(v >> i & 0xff, known))
			return false;
	return true;
}

/* May `v` be written to register n of the row? */
static bool any_ok(u32 n, u64 v)
{
	(void)n, (void)v;
	return true;
}

static bool pat_ok(u32 n, u64 v)
{
	(void)n;
	return types_ok(v, PAT_TYPES);
}

static bool mtrr_fixed_ok(u32 n, u64 v)
{
	(void)n;
	return types_ok(v, MTRR_TYPES);
}

static bool mtrr_def_ok(u32 n, u64 v)
{
	(void)n;
	return !(v & ~(u64)(MTRR_ON | MTRR_FIXED_ON | 0xff)) && type_ok(v & 0xff, MTRR_TYPES);
}

static bool mtrr_var_ok(u32 n, u64 v)
{
	if (n & 1)                               /* PHYSMASK                */
		return !(v & (PHYS_RESERVED | 0x7ff));
	return !(v & (PHYS_RESERVED | 0xf00)) && type_ok(v & 0xff, MTRR_TYPES);
}

static bool mcg_status_ok(u32 n, u64 v)
{
	(void)n;
	return v < 8;
}

static bool mcg_ctl_ok(u32 n, u64 v)
{
	(void)n;
	return v == 0 || v == ~0ull;
}

/* MCi_CTL takes all, the others zeros only (SDM vol. 3B 15.3.2). */
static bool mc_ok(u32 n, u64 v)
{
	return n % 4 == 0 || v == 0;
}

static bool low_half_ok(u32 n, u64 v)
{
	(void)n;
	return v <= ~0u;
}

/* -- the table ----------------------------------------------------------------------------------- */
/* `count` registers from nr on that go with one CPUID feature. They are kept at
 * `at`, `bytes` each; without, they read as `value` and drop what is written.
 * ok NULL: read-only. TSC, EFER, MISC_ENABLE and what belongs to the local APIC
 * have code of their own. */
static const struct msr {
	u32 nr, count, word, feature;
	u16 at, bytes;
	u64 value;
	bool (*ok)(u32 n, u64 v);
} msrs[] = {
#define KEPT(nr, n, f, field, ok) { nr, n, FEAT_1_EDX, f, offsetof(struct x86_cpu, msr.field), 8, 0, ok }
#define HALF(nr, w, f, field, ok) { nr, 1, w, f, offsetof(struct x86_cpu, field), 4, 0, ok }
#define READS(nr, n, f, v, ok) { nr, n, FEAT_1_EDX, f, 0, 0, v, ok }
	READS(MSR_P5_MC_ADDR, 2, CPUID_MCE, 0, NULL),
	READS(MSR_PLATFORM_ID, 1, CPUID_MSR, 0, NULL),
	READS(MSR_EBL_CR_POWERON, 1, CPUID_MSR, 0, any_ok),
	READS(MSR_BIOS_UPDT_TRIG, 1, CPUID_MSR, 0, any_ok),
	KEPT(MSR_BIOS_SIGN_ID, 1, CPUID_MSR, bios_sign, any_ok),
	READS(MSR_PERFCTR0, 2, CPUID_CMOV, 0, any_ok),          /* a P6 */
	KEPT(MSR_EVENT_SELECT0, 2, CPUID_CMOV, event_select, low_half_ok),
	READS(MSR_MTRRCAP, 1, CPUID_MTRR, 0x500 | MTRR_PAIRS, NULL),   /* WC, fixed ones */
	HALF(MSR_SYSENTER_CS, FEAT_1_EDX, CPUID_SEP, sysenter_cs, any_ok),
	HALF(MSR_SYSENTER_ESP, FEAT_1_EDX, CPUID_SEP, sysenter_esp, any_ok),
	HALF(MSR_SYSENTER_EIP, FEAT_1_EDX, CPUID_SEP, sysenter_eip, any_ok),
	READS(MSR_MCG_CAP, 1, CPUID_MCA, 0x100 | MC_BANKS, NULL),      /* MCG_CTL */
	KEPT(MSR_MCG_STATUS, 1, CPUID_MCA, mcg_status, mcg_status_ok),
	KEPT(MSR_MCG_CTL, 1, CPUID_MCA, mcg_ctl, mcg_ctl_ok),
	KEPT(MSR_MC0_CTL, 4 * MC_BANKS, CPUID_MCA, mc, mc_ok),
	KEPT(MSR_MTRR_PHYSBASE0, 2 * MTRR_PAIRS, CPUID_MTRR, mtrr_var, mtrr_var_ok),
	KEPT(MSR_MTRR_FIX64K, 1, CPUID_MTRR, mtrr_fixed[0], mtrr_fixed_ok),
	KEPT(MSR_MTRR_FIX16K, 2, CPUID_MTRR, mtrr_fixed[1], mtrr_fixed_ok),
	KEPT(MSR_MTRR_FIX4K, 8, CPUID_MTRR, mtrr_fixed[3], mtrr_fixed_ok),
	KEPT(MSR_MTRR_DEF_TYPE, 1, CPUID_MTRR, mtrr_def, mtrr_def_ok),
	KEPT(MSR_PAT, 1, CPUID_PAT, pat, pat_ok),
	HALF(MSR_TSC_AUX, FEAT_EXT_EDX, CPUID_EXT2_RDTSCP, tsc_aux, low_half_ok),
#undef KEPT
#undef HALF
#undef READS
};

static const struct msr *msr_find(const struct x86_cpu *x, u32 nr)
{
	for (size_t i = 0; i < ARRAY_SIZE(msrs); i++)
		if (nr - msrs[i].nr < msrs[i].count && x->features[msrs[i].word] & msrs[i].feature)
			return &msrs[i];
	return NULL;
}

static u64 row_read(struct x86_cpu *x, const struct msr *m, u32 nr)
{
	u64 v = m->value;

	if (m->at)
		memcpy(&v, (u8 *)x + m->at + (nr - m->nr) * m->bytes, m->bytes);
	return v;
}

static bool row_write(struct x86_cpu *x, const struct msr *m, u32 nr, u64 v)
{
	if (!m->ok || !m->ok(nr - m->nr, v))
		return false;
	if (m->at)
		memcpy((u8 *)x + m->at + (nr - m->nr) * m->bytes, &v, m->bytes);
	return true;
}

/* As SeaBIOS leaves them: memory is write-back, but for VGA, ROMs and what is
 * above 3.5 GB. */
void msr_reset(struct x86_cpu *x)
{
	struct msr_state *m = &x->msr;
	static const u8 fixed[11] = { MT_WB, MT_WB, MT_UC, MT_WP, MT_WP, MT_WP, MT_WP, MT_WP,
				      MT_WP, MT_WP, MT_WP };

	*m = (struct msr_state){ .pat = 0x0007040600070406,
		.mtrr_def = MTRR_ON | MTRR_FIXED_ON | MT_WB,
		.mtrr_var = { 0xe0000000 | MT_UC, (~0xdfffffffull & ~PHYS_RESERVED) | MTRR_VALID },
		.misc_enable = MISC_FAST_STRINGS | MISC_NO_BTS | MISC_NO_PEBS,
		.bios_sign = UCODE_REVISION };
	for (size_t i = 0; i < ARRAY_SIZE(fixed); i++)
		m->mtrr_fixed[i] = fixed[i] * 0x0101010101010101ull;
	if (x->features[FEAT_1_ECX] & CPUID_MONITOR)
		m->misc_enable |= MISC_MONITOR;
}

/* -- those with code of their own ------------------------------------------------------------------- */
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

/* SDM vol. 3B 17.17.3: IA32_TSC_ADJUST has the sum of all moves. A deadline stays where
 * it is on the guest's counter. */
static void tsc_move(struct x86_cpu *x, u64 by)
{
	u64 deadline = deadline_read(x);

	x->tsc_offset -= by;
	x->msr.tsc_adjust += by;
	if (deadline)
		deadline_write(x, deadline);
}

static bool has_tsc_adjust(const struct x86_cpu *x)
{
	return x->features[FEAT_7_EBX] & CPUID_7_TSC_ADJUST;
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

/* The other bits tell what is not there. */
static void misc_enable_write(struct x86_cpu *x, u64 v)
{
	u64 can = MISC_FAST_STRINGS | MISC_LIMIT_CPUID |
		  (x->features[FEAT_1_ECX] & CPUID_MONITOR ? MISC_MONITOR : 0);

	x->msr.misc_enable = (x->msr.misc_enable & ~can) | (v & can);
}

static bool msr_read(struct x86_cpu *x, u32 nr, u64 *v)
{
	const struct msr *m = msr_find(x, nr);

	if (m)
		*v = row_read(x, m, nr);
	else if (nr == MSR_TSC && (x->features[FEAT_1_EDX] & CPUID_TSC))
		*v = tsc_read(x);
	else if (nr == MSR_TSC_ADJUST && has_tsc_adjust(x))
		*v = x->msr.tsc_adjust;
	else if (nr == MSR_MISC_ENABLE)
		*v = x->msr.misc_enable;
	else if (nr == MSR_EFER && has_nx(x))
		*v = x->efer;
	else
		return apic_read(x, nr, v);
	return true;
}

static bool msr_write(struct x86_cpu *x, u32 nr, u64 v)
{
	const struct msr *m = msr_find(x, nr);

	if (m)
		return row_write(x, m, nr, v);
	if (nr == MSR_TSC && (x->features[FEAT_1_EDX] & CPUID_TSC)) {
		tsc_move(x, v - tsc_read(x));
	} else if (nr == MSR_TSC_ADJUST && has_tsc_adjust(x)) {
		tsc_move(x, v - x->msr.tsc_adjust);
	} else if (nr == MSR_MISC_ENABLE) {
		misc_enable_write(x, v);
	} else if (nr == MSR_EFER && has_nx(x) && !(v & ~(1ull << 11))) {
		x->efer = v;
		tlb_flush(&x->c);
	} else {
		return apic_write(x, nr, v);
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
