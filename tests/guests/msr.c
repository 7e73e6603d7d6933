/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Model-specific registers that kernels use: PAT, MTRRs, machine check, event
 * counters, microcode revision, IA32_MISC_ENABLE; what they keep, what they
 * refuse. SDM 3A 11.11, 11.12, 9.11.7; 3B 15.3; 4. */
#include "guest.h"

enum { PLATFORM_ID = 0x17, SIGN_ID = 0x8b, PERFCTR0 = 0xc1, MTRRCAP = 0xfe, MCG_CAP = 0x179,
       MCG_STATUS, MCG_CTL, EVNTSEL0 = 0x186, MISC_ENABLE = 0x1a0, PHYSBASE0 = 0x200,
       PHYSMASK0, FIX64K = 0x250, FIX16K = 0x258, FIX4K = 0x268, PAT = 0x277, DEF_TYPE = 0x2ff,
       MC0_CTL = 0x400 };

#define EACH 0x0101010101010101ull
static u32 features;                     /* CPUID.1:EDX                      */

/* One register: what it takes and shows again, what it refuses. */
struct use { const char *name; u32 nr; int good; u64 v; };

static void use_each(const struct use *u, u32 n)
{
	for (u32 i = 0; i < n; i++, u++) {
		u64 old = rdmsr(u->nr);

		if (!u->good) {
			CHECK(u->name, wrmsr_faults(u->nr, u->v));
			CHECK(u->name, rdmsr(u->nr) == old);
			continue;
		}
		CHECK(u->name, !wrmsr_faults(u->nr, u->v));
		CHECK(u->name, rdmsr(u->nr) == u->v);
		wrmsr(u->nr, old);
	}
}

static void pat(void)
{
	static const struct use uses[] = {
		{ "pat-all-types", PAT, 1, 0x0605040701000706 },
		{ "pat-type-2", PAT, 0, 0x0007040600070402 },
		{ "pat-type-3", PAT, 0, 0x0307040600070406 },
		{ "pat-type-8", PAT, 0, 0x0007040600080406 },
		{ "pat-high-bits", PAT, 0, 0x0007040680070406 },
	};

	if (!(features >> 16 & 1)) {
		CHECK("pat-absent", rdmsr_faults(PAT));
		return;
	}
	CHECK("pat-reset", rdmsr(PAT) == 0x0007040600070406);
	use_each(uses, N_ELEM(uses));
}

static void mtrr(void)
{
	static const struct use uses[] = {
		{ "mtrr-cap-write", MTRRCAP, 0, 0x508 },
		{ "mtrr-def-off", DEF_TYPE, 1, 0 },
		{ "mtrr-def-uc", DEF_TYPE, 1, 0xc00 },
		{ "mtrr-def-type", DEF_TYPE, 0, 0xc02 },
		{ "mtrr-def-reserved", DEF_TYPE, 0, 0x1c06 },
		{ "mtrr-def-reserved-8", DEF_TYPE, 0, 0xd06 },
		{ "mtrr-fix64k", FIX64K, 1, 0x0605040100040506 },
		{ "mtrr-fix64k-type", FIX64K, 0, 0x0605070100040506 },
		{ "mtrr-fix16k", FIX16K + 1, 1, EACH },
		{ "mtrr-fix4k", FIX4K + 7, 1, 5 * EACH },
		{ "mtrr-fix4k-type", FIX4K + 7, 0, 2 * EACH },
		{ "mtrr-base", PHYSBASE0 + 14, 1, 0xf00000006 },
		{ "mtrr-base-type", PHYSBASE0 + 14, 0, 0xf00000007 },
		{ "mtrr-base-low", PHYSBASE0 + 14, 0, 0xf00000806 },
		{ "mtrr-base-high", PHYSBASE0 + 14, 0, 1ull << 40 | 6 },
		{ "mtrr-mask", PHYSMASK0 + 14, 1, 0xff0000800 },
		{ "mtrr-mask-low", PHYSMASK0 + 14, 0, 0xff0000c00 },
		{ "mtrr-mask-high", PHYSMASK0 + 14, 0, 1ull << 40 | 0x800 },
	};
	u64 base, mask;

	if (!(features >> 12 & 1)) {
		CHECK("mtrr-absent", rdmsr_faults(MTRRCAP) && rdmsr_faults(DEF_TYPE));
		return;
	}
	CHECK_EQ("mtrr-cap", rdmsr(MTRRCAP), 0x508);
	CHECK_EQ("mtrr-def", rdmsr(DEF_TYPE), 0xc06);
	CHECK("mtrr-memory-wb", rdmsr(FIX64K) == 6 * EACH);
	CHECK("mtrr-vga-uc", rdmsr(FIX16K + 1) == 0);
	base = rdmsr(PHYSBASE0);
	mask = rdmsr(PHYSMASK0);
	CHECK("mtrr-apic-uc", (base & 0xff) == 0 && mask >> 11 & 1 &&
	      !((0xfee00000 ^ base) & mask & ~0xfffull));
	use_each(uses, N_ELEM(uses));
	CHECK("mtrr-none-beyond", rdmsr_faults(PHYSBASE0 + 16) && wrmsr_faults(PHYSBASE0 + 16, 0));
}

/* A kernel turns the banks on and clears what is left of the last boot. */
static void machine_check(void)
{
	static const struct use uses[] = {
		{ "mcg-status", MCG_STATUS, 1, 4 },
		{ "mcg-status-reserved", MCG_STATUS, 0, 8 },
		{ "mcg-ctl-some", MCG_CTL, 0, 1 },
		{ "mc-ctl", MC0_CTL, 1, ~0ull },
		{ "mc-status-clear", MC0_CTL + 1, 1, 0 },
		{ "mc-status", MC0_CTL + 1, 0, 1 },
		{ "mc-addr", MC0_CTL + 2, 0, 0x1000 },
	};
	u64 cap;
	u32 end;

	if (features >> 7 & 1) {
		set_cr4(get_cr4() | 0x40);
		CHECK_EQ("cr4-mce", get_cr4() & 0x40, 0x40);
		CHECK("p5-mc", !rdmsr_faults(0) && !rdmsr_faults(1));
	}
	if (!(features >> 14 & 1)) {
		CHECK("mca-absent", rdmsr_faults(MCG_CAP));
		return;
	}
	cap = rdmsr(MCG_CAP);
	end = MC0_CTL + 4 * (u32)(cap & 0xff);
	CHECK("mcg-cap", (cap & 0xff) > 0 && cap >> 8 & 1);
	CHECK("mcg-cap-write", wrmsr_faults(MCG_CAP, cap));
	CHECK_EQ("mcg-no-check-in-progress", rdmsr(MCG_STATUS), 0);
	use_each(uses, N_ELEM(uses));
	for (u32 nr = MC0_CTL + 1; nr < end; nr += 4)
		if (rdmsr(nr) >> 63)
			CHECK_EQ("mc-valid", nr, 0);
	CHECK("mc-last-bank", !rdmsr_faults(end - 4) && rdmsr_faults(end));
}

static void counters(void)
{
	u32 a, d;

	if (!(features >> 15 & 1))               /* no P6                   */
		return;
	wrmsr(EVNTSEL0, 0x00430079);
	CHECK_EQ("event-select", rdmsr(EVNTSEL0), 0x00430079);
	wrmsr(EVNTSEL0, 0);
	CHECK("counter", !rdmsr_faults(PERFCTR0) && !wrmsr_faults(PERFCTR0 + 1, 5));
	__asm__ volatile("rdpmc" : "=a"(a), "=d"(d) : "c"(0));
	CHECK("rdpmc-is-the-msr", a == (u32)rdmsr(PERFCTR0));
}

/* Write 0, CPUID.1, read: the high half is the revision. */
static void microcode(void)
{
	u32 r[4];

	wrmsr(SIGN_ID, 0);
	cpuid(1, 0, r);
	CHECK("microcode-revision", rdmsr(SIGN_ID) >> 32);
	CHECK("platform-id", !rdmsr_faults(PLATFORM_ID));
	CHECK("platform-id-write", wrmsr_faults(PLATFORM_ID, 0));
}

static void misc_enable(void)
{
	u64 old = rdmsr(MISC_ENABLE);
	u32 r[4];

	CHECK("misc-fast-strings", old & 1);
	CHECK_EQ("misc-no-bts-no-pebs", old >> 11 & 3, 3);
	wrmsr(MISC_ENABLE, old & ~1ull);
	CHECK("misc-fast-strings-off", !(rdmsr(MISC_ENABLE) & 1));
	cpuid(0, 0, r);
	if (r[0] > 3) {
		wrmsr(MISC_ENABLE, old | 1 << 22);
		cpuid(0, 0, r);
		CHECK_EQ("misc-limit-cpuid", r[0], 3);
		wrmsr(MISC_ENABLE, old);
		cpuid(0, 0, r);
		CHECK("misc-limit-cpuid-off", r[0] > 3);
	}
	wrmsr(MISC_ENABLE, old);
}

static void user_rdmsr(void) { rdmsr(SIGN_ID); }
static void user_wrmsr(void) { wrmsr(SIGN_ID, 0); }

void guest_main(void)
{
	u32 r[4];

	cpuid(1, 0, r);
	features = r[3];
	pat();
	mtrr();
	machine_check();
	counters();
	microcode();
	misc_enable();
	CHECK("none", rdmsr_faults(0x12345678) && wrmsr_faults(0x12345678, 0));
	CHECK_EQ("user-rdmsr", user_try(user_rdmsr), 13);
	CHECK_EQ("user-wrmsr", user_try(user_wrmsr), 13);
}
