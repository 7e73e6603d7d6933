/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/i386/model.c - CPU models and CPUID. SDM vol. 2 CPUID, tables 3-8, 3-11.
 *
 * The table has the features of the real chips; a vCPU shows those of them
 * that features.c says can be had. Upstream: cpu.c builtin_x86_defs, cpu_x86_cpuid. */
#include <stdio.h>
#include <string.h>

#include "env/clock.h"
#include "env/log.h"
#include "i386/helper.h"
#include "i386/model.h"
#include "qemu/machine.h"
#include "qemu/optparse.h"
#include "qemu/target.h"
#include "qemu/timer.h"

#define F_486 (CPUID_FPU | CPUID_VME | CPUID_PSE)
#define F_PENTIUM (F_486 | CPUID_DE | CPUID_TSC | CPUID_MSR | CPUID_MCE | CPUID_CX8 | CPUID_MMX | \
		   CPUID_APIC)
#define F_P2 (F_PENTIUM | CPUID_PAE | CPUID_SEP | CPUID_MTRR | CPUID_PGE | CPUID_MCA | CPUID_CMOV | \
	      CPUID_PAT | CPUID_PSE36 | CPUID_FXSR)
#define F_P3 (F_P2 | CPUID_SSE)
#define F_QEMU32 (CPUID_FPU | CPUID_DE | CPUID_PSE | CPUID_TSC | CPUID_MSR | CPUID_MCE | CPUID_CX8 | \
		  CPUID_PGE | CPUID_CMOV | CPUID_PAT | CPUID_FXSR | CPUID_MMX | CPUID_SSE | \
		  CPUID_SSE2 | CPUID_PAE | CPUID_SEP | CPUID_APIC)
#define F_CORE (F_P3 | CPUID_SSE2 | CPUID_CLFLUSH)
#define F_CORE32 ((F_CORE | CPUID_SS) & ~CPUID_PSE36)   /* those without 64 bits */
#define E_CORE2 (CPUID_SSE3 | CPUID_SSSE3)
#define E_NEHALEM (E_CORE2 | CPUID_SSE41 | CPUID_SSE42 | CPUID_POPCNT)
#define NX CPUID_EXT2_NX

/* clang-format off */
static const struct cpu_model models[] = {
	/* name       text                     fam mod st levels          1:EDX     1:ECX    7 ext:ECX ext:EDX */
	{ "smew32",   "qemu32 whose clocks tell their rates (default)", 6, 6, 3, 4, 0x80000004, { F_QEMU32, CPUID_SSE3, CPUID_7_TSC_ADJUST, 0, 0, 0, 0, CPUID_APM_INVTSC } },
	{ "qemu32",   "generic 32-bit",        6,  6, 3, 4, 0x80000004, { F_QEMU32, CPUID_SSE3, 0, 0, 0 } },
	{ "486",      "Intel 486 DX2",         4,  8, 0, 1,  0,          { F_486, 0, 0, 0, 0 } },
	{ "pentium",  "Intel Pentium MMX",     5,  4, 3, 1,  0,          { F_PENTIUM, 0, 0, 0, 0 } },
	{ "pentium2", "Intel Pentium II",      6,  5, 2, 2,  0,          { F_P2, 0, 0, 0, 0 } },
	{ "pentium3", "Intel Pentium III",     6,  7, 3, 3,  0,          { F_P3, 0, 0, 0, 0 } },
	{ "coreduo",  "Intel Core Duo",        6, 14, 8, 10, 0x80000008, { F_CORE32, CPUID_SSE3 | CPUID_MONITOR, 0, 0, NX } },
	{ "n270",     "Intel Atom N270",       6, 28, 2, 10, 0x80000008, { F_CORE32, E_CORE2 | CPUID_MONITOR | CPUID_MOVBE, 0, 0, NX } },
	{ "core2duo", "Intel Core 2 Duo",      6, 15, 11, 10, 0x80000008, { F_CORE | CPUID_SS, E_CORE2 | CPUID_MONITOR, 0, 0, NX } },
	{ "Conroe",   "Intel Celeron 4x0 (Conroe/Merom)", 6, 15, 3, 10, 0x80000008, { F_CORE, E_CORE2, 0, 0, NX } },
	{ "Penryn",   "Intel Core 2 Duo P9xxx (Penryn)", 6, 23, 3, 10, 0x80000008, { F_CORE, E_CORE2 | CPUID_SSE41, 0, 0, NX } },
	{ "Nehalem",  "Intel Core i7 9xx (Nehalem)", 6, 26, 3, 11, 0x80000008, { F_CORE, E_NEHALEM, 0, 0, NX } },
	{ "Westmere", "Intel Westmere",        6, 44, 1, 11, 0x80000008, { F_CORE, E_NEHALEM | CPUID_AES | CPUID_PCLMUL, 0, 0, NX } },
	{ "max",      "all that is implemented and the host has", 6, 6, 3, 13, 0x80000008, { ~0u, ~0u, ~0u, ~0u, ~0u, ~0u, ~0u, ~0u } },
};
/* clang-format on */

#define HYPERVISOR_LEAF 0x40000000u      /* its last one too, its name       */

static const char brand[48] = "smew virtual CPU";

u32 cpu_model_signature(const struct x86_cpu *x)
{
	const struct cpu_model *m = x->model;

	return m->model >> 4 << 16 | m->family << 8 | (m->model & 15) << 4 | m->stepping;
}

void target_cpu_list(void)
{
	printf("Available CPUs:\n");
	for (size_t i = 0; i < ARRAY_SIZE(models); i++)
		printf("x86 %-20s %s\n", models[i].name, models[i].text);
	fflush(stdout);
}

static const struct cpu_model *model_find(const char *name)
{
	const char *near;

	for (size_t i = 0; i < ARRAY_SIZE(models); i++)
		if (!strcmp(models[i].name, name))
			return &models[i];
	if (!strcmp(name, "host"))
		return model_find("max");
	near = nearest(name, &models[0].name, ARRAY_SIZE(models), sizeof(models[0]));
	error_report("-cpu %s: unknown model%s%s (-cpu help lists them)", name,
		     near ? "; did you mean " : "", near ? near : "");
	return NULL;
}

/* What follows the model's name: +f, -f, f, f=on, f=off. */
static bool set_features(struct x86_cpu *x, char *text)
{
	char *key, *value;
	bool on;

	while (kv_next(&text, &key, &value)) {
		on = true;
		if (*key == '+' || *key == '-')
			on = *key++ == '+';
		else if (value && !parse_on_off(value, &on)) {
			error_report("-cpu: %s=%s: on or off is wanted", key, value);
			return false;
		}
		if (!feature_set(x->features, key, on))
			return false;
	}
	return true;
}

/* The highest leaves follow the features; what cannot be had goes. */
static void settle(struct x86_cpu *x)
{
	features_settle(x->features);
	if (machine_config.smp > 1)
		x->features[FEAT_1_EDX] |= CPUID_HTT;
	x->level = x->model->level;
	x->xlevel = x->model->xlevel;
	if (x->features[FEAT_7_EBX] | x->features[FEAT_7_ECX])
		x->level = MAX(x->level, 7u);
	if (x->features[FEAT_1_ECX] & CPUID_XSAVE)
		x->level = MAX(x->level, 0xdu);
	if (x->features[FEAT_EXT_ECX] | x->features[FEAT_EXT_EDX])
		x->xlevel = MAX(x->xlevel, 0x80000001u);
	if (x->features[FEAT_8000_0007_EDX]) {
		x->level = MAX(x->level, 0x16u);
		x->xlevel = MAX(x->xlevel, 0x80000007u);
		clock_tsc_start();               /* for leaf 15h            */
	}
}

struct cpu *target_cpu_new(const char *name, int index)
{
	char *first = text_keep(name ? name : models[0].name);
	char *list = first + strcspn(first, ",");
	const struct cpu_model *m;
	struct x86_cpu *x;
	bool more = *list == ',';

	*list = '\0';
	m = model_find(first);
	if (!m)
		return NULL;
	x = x86(cpu_alloc(sizeof(struct x86_cpu)));
	x->c.cpu_index = index;
	x->model = m;
	memcpy(x->features, m->features, sizeof(x->features));
	x->features[FEAT_1_ECX] |= CPUID_EXT_HYPERVISOR;
	if (more && !set_features(x, list + 1))
		return NULL;
	settle(x);
	if (x->features[FEAT_1_EDX] & CPUID_APIC || machine_config.smp > 1)
		cpu_apic_create(&x->c);
	cpu_reset_state(x);
	return &x->c;
}

/* -- CPUID -------------------------------------------------------------------------- */
struct cpuid { u32 a, b, c, d; };

static u32 word(const char *s)
{
	u32 v;

	memcpy(&v, s, 4);
	return v;
}

/* Models say that they are emulated (features.c), as upstream's: kernels then look for no
 * performance counters and microcode, and do not queue for spin locks whose holder
 * may not have a host processor.
 *
 * APIC ID, number of processors in the package, CLFLUSH line of 64 bytes. A local
 * APIC that is turned off is not there (SDM vol. 3A 10.4.3). */
static struct cpuid cpuid_1(const struct x86_cpu *x)
{
	u32 c = x->features[FEAT_1_ECX], d = x->features[FEAT_1_EDX];
	u32 n = machine_config.smp > 1 ? machine_config.smp : 0;

	if (!(x->msr.misc_enable & MISC_MONITOR))
		c &= ~(u32)CPUID_MONITOR;
	if (!(cpu_get_apic_base(&x->c) & APIC_BASE_ENABLE))
		d &= ~(u32)CPUID_APIC;
	return (struct cpuid){ cpu_model_signature(x),
		(u32)x->c.cpu_index << 24 | n << 16 | 8 << 8,
		c | (x->cr[4] & CR4_OSXSAVE ? CPUID_OSXSAVE : 0), d };
}

/* Bits of the APIC ID that number the cores of the one package. */
static u32 core_bits(void)
{
	u32 n = 0;

	while (1 << n < machine_config.smp)
		n++;
	return n;
}

/* Deterministic cache parameters, a row a cache: those of upstream's generic CPUs.
 * 64-byte lines; the third level serves all cores. */
static struct cpuid cpuid_4(u32 i)
{
	static const struct { u16 type, ways, sets; u8 edx; bool shared; } cache[] = {
		{ 0x121, 8, 64, 1, false }, { 0x122, 8, 64, 1, false },
		{ 0x143, 16, 4096, 1, false }, { 0x163, 16, 16384, 6, true },
	};
	u32 sharing;

	if (i >= ARRAY_SIZE(cache))
		return (struct cpuid){ 0, 0, 0, 0 };
	sharing = cache[i].shared ? (1u << core_bits()) - 1 : 0;
	return (struct cpuid){
		cache[i].type | sharing << 14 | ((u32)machine_config.smp - 1) << 26,
		63 | (cache[i].ways - 1u) << 22, cache[i].sets - 1u, cache[i].edx };
}

/* Descriptors of TLBs and caches: a Pentium II's, or those of leaf 4. */
static struct cpuid cpuid_2(const struct x86_cpu *x)
{
	if (x->level < 4)
		return (struct cpuid){ 0x03020101, 0, 0, 0x0c040843 };
	return (struct cpuid){ 0x03020101, 0, 0x4d, 0x2c3049 };
}

/* The highest basic leaf; IA32_MISC_ENABLE hides those that old kernels stumble on. */
static u32 basic_level(const struct x86_cpu *x)
{
	return x->msr.misc_enable & MISC_LIMIT_CPUID ? MIN(x->level, 3u) : x->level;
}

/* Extended topology: one thread a core, all cores in one package. */
static struct cpuid cpuid_b(const struct x86_cpu *x, u32 i)
{
	u32 id = (u32)x->c.cpu_index;

	if (i == 0)
		return (struct cpuid){ 0, 1, 1 << 8, id };
	if (i == 1)
		return (struct cpuid){ core_bits(), (u32)machine_config.smp,
				       2 << 8 | 1, id };
	return (struct cpuid){ 0, 0, i & 0xff, id };
}

/* The components of XSAVE, sizes of its area; what else there is of it. */
static struct cpuid cpuid_d(const struct x86_cpu *x, u32 i)
{
	if (!(x->features[FEAT_1_ECX] & CPUID_XSAVE) || i > 1)
		return (struct cpuid){ 0, 0, 0, 0 };
	if (i == 1)
		return (struct cpuid){ x->features[FEAT_XSAVE], 0, 0, 0 };
	return (struct cpuid){ xcr0_possible(x), XSAVE_AREA, XSAVE_AREA, 0 };
}

/* The time stamp counter's rate is ECX, the crystal's, times EBX over EAX; the crystal drives
 * the local APIC's timer. Of all ratios with (crystal in kHz) * EBX in 32 bits (Linux for
 * i386 computes it so) and a crystal within 10 ppm of that timer's clock, the best one. */
static struct cpuid cpuid_15(const struct x86_cpu *x)
{
	enum { CRYSTAL_KHZ = APIC_TIMER_HZ / 1000, MAX_OFF = CRYSTAL_KHZ / 100000 };
	u64 hz = cpu_ticks_hz(), least = ~0ull;
	struct cpuid best = { 1, (u32)((hz + APIC_TIMER_HZ / 2) / APIC_TIMER_HZ), APIC_TIMER_HZ, 0 };

	if (!(x->features[FEAT_8000_0007_EDX] & CPUID_APM_INVTSC))
		return (struct cpuid){ 0, 0, 0, 0 };
	for (u64 n = 1; n * hz / 1000 < 0xfff00000; n++) {
		u64 times = (n * hz + APIC_TIMER_HZ / 2) / APIC_TIMER_HZ;
		u64 khz = times ? (n * hz / times + 500) / 1000 : 0;
		s64 off = (s64)(khz * 1000 * times - n * hz) * 1000 / (s64)n;

		if (khz - CRYSTAL_KHZ + MAX_OFF > 2 * MAX_OFF || (u64)(off < 0 ? -off : off) >= least)
			continue;
		least = (u64)(off < 0 ? -off : off);
		best = (struct cpuid){ (u32)n, (u32)times, (u32)khz * 1000, 0 };
	}
	return best;
}

/* The processor's rate is that of its counter, in MHz; the bus has a tenth of a GHz. (Who asks
 * for a leaf that is not there gets this one, early: cpu_ticks_hz would settle for that.) */
static struct cpuid cpuid_16(const struct x86_cpu *x)
{
	u64 ns;
	u32 mhz;

	if (!(x->features[FEAT_8000_0007_EDX] & CPUID_APM_INVTSC))
		return (struct cpuid){ 0, 0, 0, 0 };
	ns = (u64)cpu_ticks_to_ns(NS_PER_SEC);
	mhz = (u32)((NS_PER_SEC * 1000 + ns / 2) / ns);
	return (struct cpuid){ mhz, mhz, 100, 0 };
}

static struct cpuid cpuid_leaf(const struct x86_cpu *x, u32 leaf, u32 sub)
{
	switch (leaf) {
	case 0:
		return (struct cpuid){ basic_level(x), word("Genu"), word("ntel"),
				       word("ineI") };
	case 1:
		return cpuid_1(x);
	case 2:
		return cpuid_2(x);
	case 4:
		return cpuid_4(sub);
	case 5:                  /* MONITOR's line; MWAIT: ECX bits, C1     */
		if (!(x->features[FEAT_1_ECX] & CPUID_MONITOR))
			break;
		return (struct cpuid){ 64, 64, 3, 0x10 };
	case 7:
		return (struct cpuid){ 0, sub ? 0 : x->features[FEAT_7_EBX],
				       sub ? 0 : x->features[FEAT_7_ECX], 0 };
	case 0xb:
		return cpuid_b(x, sub);
	case 0xd:
		return cpuid_d(x, sub);
	case 0x15:
		return cpuid_15(x);
	case 0x16:
		return cpuid_16(x);
	case HYPERVISOR_LEAF:
		return (struct cpuid){ HYPERVISOR_LEAF, word("smew"),
				       word("smew"), word("smew") };
	case 0x80000000:
		return (struct cpuid){ x->xlevel, 0, 0, 0 };
	case 0x80000001:
		return (struct cpuid){ 0, 0, x->features[FEAT_EXT_ECX],
				       x->features[FEAT_EXT_EDX] };
	case 0x80000002: case 0x80000003: case 0x80000004: {
		const char *s = brand + 16 * (leaf - 0x80000002);

		return (struct cpuid){ word(s), word(s + 4), word(s + 8),
				       word(s + 12) };
	}
	case 0x80000006:         /* L2: 4 MB, 16 ways, lines of 64 bytes    */
		return (struct cpuid){ 0, 0, 0x1000 << 16 | 8 << 12 | 64, 0 };
	case 0x80000007:
		return (struct cpuid){ 0, 0, 0, x->features[FEAT_8000_0007_EDX] };
	case 0x80000008:         /* bits of a linear and a physical address  */
		return (struct cpuid){ 32 << 8 | PHYS_BITS, 0, 0, 0 };
	}
	return (struct cpuid){ 0, 0, 0, 0 };
}

/* A leaf beyond the last gives the last basic one's data, as Intel's do. Leaf 1
 * tells the microcode's revision too (SDM vol. 3A 9.11.7.1). */
u64 helper_cpuid(struct cpu *cpu, u32 a, u32 b, u32 c)
{
	struct x86_cpu *x = x86(cpu);
	u32 leaf = cpu->regs[R_EAX];
	u32 last = leaf & 0x80000000 ? x->xlevel : basic_level(x);
	bool there = leaf <= last || leaf == HYPERVISOR_LEAF;
	struct cpuid r = cpuid_leaf(x, there ? leaf : basic_level(x), (u32)cpu->regs[R_ECX]);

	(void)a, (void)b, (void)c;
	if (leaf == 1)
		x->msr.bios_sign = UCODE_REVISION;
	cpu->regs[R_EAX] = r.a;
	cpu->regs[R_EBX] = r.b;
	cpu->regs[R_ECX] = r.c;
	cpu->regs[R_EDX] = r.d;
	return 0;
}
