/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/i386/features.c - CPUID's feature bits: their names on the command line,
 * which of them are implemented, and which the host must have for that, because
 * translated code uses the host's own instruction. SDM vol. 2 CPUID.
 * Upstream: cpu.c feature_word_info, TCG_FEATURES. */
#include <string.h>

#include "env/log.h"
#include "i386/model.h"
#include "qemu/machine.h"
#include "qemu/optparse.h"

enum { HOST = 1, OURS = 2, ALONE = 3 }; /* implemented: by the host; by us; for one vCPU */
static const struct feature { const char *name; u8 word, bit, how; } list[] = {
	{ "fpu", FEAT_1_EDX, 0, OURS }, { "vme", FEAT_1_EDX, 1, OURS },
	{ "de", FEAT_1_EDX, 2, OURS }, { "pse", FEAT_1_EDX, 3, OURS },
	{ "tsc", FEAT_1_EDX, 4, OURS }, { "msr", FEAT_1_EDX, 5, OURS },
	{ "pae", FEAT_1_EDX, 6, OURS }, { "mce", FEAT_1_EDX, 7, OURS },
	{ "cx8", FEAT_1_EDX, 8, OURS }, { "apic", FEAT_1_EDX, 9, OURS },
	{ "sep", FEAT_1_EDX, 11, OURS }, { "mtrr", FEAT_1_EDX, 12, OURS },
	{ "pge", FEAT_1_EDX, 13, OURS }, { "mca", FEAT_1_EDX, 14, OURS },
	{ "cmov", FEAT_1_EDX, 15, OURS }, { "pat", FEAT_1_EDX, 16, OURS },
	{ "pse36", FEAT_1_EDX, 17, OURS }, { "clflush", FEAT_1_EDX, 19, OURS },
	{ "mmx", FEAT_1_EDX, 23, HOST }, { "fxsr", FEAT_1_EDX, 24, OURS },
	{ "sse", FEAT_1_EDX, 25, HOST }, { "sse2", FEAT_1_EDX, 26, HOST },
	{ "ss", FEAT_1_EDX, 27, OURS }, { "ht", FEAT_1_EDX, 28, 0 },
	{ "pni", FEAT_1_ECX, 0, HOST }, { "sse3", FEAT_1_ECX, 0, HOST },
	{ "pclmulqdq", FEAT_1_ECX, 1, HOST }, { "monitor", FEAT_1_ECX, 3, ALONE },
	{ "ssse3", FEAT_1_ECX, 9, HOST }, { "fma", FEAT_1_ECX, 12, 0 },
	{ "cx16", FEAT_1_ECX, 13, 0 }, { "sse4.1", FEAT_1_ECX, 19, HOST },
	{ "sse4_1", FEAT_1_ECX, 19, HOST }, { "sse4.2", FEAT_1_ECX, 20, HOST },
	{ "sse4_2", FEAT_1_ECX, 20, HOST }, { "x2apic", FEAT_1_ECX, 21, OURS },
	{ "tsc-deadline", FEAT_1_ECX, 24, OURS },
	{ "movbe", FEAT_1_ECX, 22, HOST }, { "popcnt", FEAT_1_ECX, 23, HOST },
	{ "aes", FEAT_1_ECX, 25, HOST }, { "xsave", FEAT_1_ECX, 26, OURS },
	{ "avx", FEAT_1_ECX, 28, 0 }, { "f16c", FEAT_1_ECX, 29, 0 },
	{ "rdrand", FEAT_1_ECX, 30, HOST }, { "hypervisor", FEAT_1_ECX, 31, OURS },
	{ "tsc_adjust", FEAT_7_EBX, 1, OURS },
	{ "bmi1", FEAT_7_EBX, 3, HOST }, { "avx2", FEAT_7_EBX, 5, 0 },
	{ "smep", FEAT_7_EBX, 7, OURS }, { "bmi2", FEAT_7_EBX, 8, HOST },
	{ "erms", FEAT_7_EBX, 9, OURS }, { "rdseed", FEAT_7_EBX, 18, HOST },
	{ "adx", FEAT_7_EBX, 19, 0 }, { "smap", FEAT_7_EBX, 20, OURS },
	{ "clflushopt", FEAT_7_EBX, 23, OURS }, { "clwb", FEAT_7_EBX, 24, OURS },
	{ "sha-ni", FEAT_7_EBX, 29, HOST },
	{ "xsaveopt", FEAT_XSAVE, 0, OURS }, { "xgetbv1", FEAT_XSAVE, 2, OURS },
	{ "umip", FEAT_7_ECX, 2, OURS },
	{ "abm", FEAT_EXT_ECX, 5, HOST }, { "lzcnt", FEAT_EXT_ECX, 5, HOST },
	{ "sse4a", FEAT_EXT_ECX, 6, 0 }, { "3dnowprefetch", FEAT_EXT_ECX, 8, OURS },
	{ "nx", FEAT_EXT_EDX, 20, OURS }, { "mmxext", FEAT_EXT_EDX, 22, 0 },
	{ "rdtscp", FEAT_EXT_EDX, 27, OURS }, { "3dnow", FEAT_EXT_EDX, 31, 0 },
	{ "3dnowext", FEAT_EXT_EDX, 30, 0 },
	{ "invtsc", FEAT_8000_0007_EDX, 8, HOST },
};

static void host_cpuid(u32 leaf, u32 r[4])
{
	__asm__("cpuid" : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3]) : "a"(leaf), "c"(0));
}

static void host_features(u32 f[FEATURE_WORDS])
{
	u32 r[4], last;

	memset(f, 0, FEATURE_WORDS * sizeof(f[0]));
	host_cpuid(1, r);
	f[FEAT_1_EDX] = r[3];
	f[FEAT_1_ECX] = r[2];
	host_cpuid(0, r);
	if (r[0] >= 7) {
		host_cpuid(7, r);
		f[FEAT_7_EBX] = r[1];
		f[FEAT_7_ECX] = r[2];
	}
	host_cpuid(0x80000000, r);
	last = r[0];
	if (last >= 0x80000001) {
		host_cpuid(0x80000001, r);
		f[FEAT_EXT_ECX] = r[2];
		f[FEAT_EXT_EDX] = r[3];
	}
	if (last >= 0x80000007) {
		host_cpuid(0x80000007, r);
		f[FEAT_8000_0007_EDX] = r[3];
	}
}

static void features_possible(u32 f[FEATURE_WORDS])
{
	u32 host[FEATURE_WORDS];

	host_features(host);
	memset(f, 0, FEATURE_WORDS * sizeof(f[0]));
	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		const struct feature *e = &list[i];

		if (e->how == OURS || (e->how == HOST && host[e->word] >> e->bit & 1) ||
		    (e->how == ALONE && machine_config.smp == 1))
			f[e->word] |= 1u << e->bit;
	}
}

/* What a feature is nothing without; those that are needed come first. Kernels order
 * the writes of IA32_TSC_DEADLINE by MFENCE, and do not ask for that. */
static const struct { u8 word, bit, of_word, of_bit; } needs[] = {
	{ FEAT_1_EDX, 17, FEAT_1_EDX, 3 },       /* pse36: pse              */
	{ FEAT_1_EDX, 25, FEAT_1_EDX, 24 },      /* sse: fxsr, mmx          */
	{ FEAT_1_EDX, 25, FEAT_1_EDX, 23 },
	{ FEAT_1_EDX, 26, FEAT_1_EDX, 25 },      /* sse2: sse               */
	{ FEAT_1_ECX, 0, FEAT_1_EDX, 25 },       /* sse3 and later: sse     */
	{ FEAT_1_ECX, 1, FEAT_1_EDX, 25 },
	{ FEAT_1_ECX, 9, FEAT_1_EDX, 25 },
	{ FEAT_1_ECX, 19, FEAT_1_EDX, 25 },
	{ FEAT_1_ECX, 20, FEAT_1_EDX, 25 },
	{ FEAT_1_ECX, 25, FEAT_1_EDX, 25 },
	{ FEAT_7_EBX, 29, FEAT_1_EDX, 25 },
	{ FEAT_1_ECX, 24, FEAT_1_EDX, 26 },      /* tsc-deadline            */
	{ FEAT_1_ECX, 26, FEAT_1_EDX, 24 },      /* xsave: fxsr             */
	{ FEAT_XSAVE, 0, FEAT_1_ECX, 26 },       /* xsaveopt, xgetbv1       */
	{ FEAT_XSAVE, 2, FEAT_1_ECX, 26 },
	{ FEAT_EXT_EDX, 20, FEAT_1_EDX, 6 },     /* nx: pae                 */
	{ FEAT_EXT_EDX, 27, FEAT_1_EDX, 4 },     /* rdtscp: tsc             */
	{ FEAT_7_EBX, 1, FEAT_1_EDX, 4 },        /* tsc_adjust: tsc         */
	{ FEAT_8000_0007_EDX, 8, FEAT_1_EDX, 4 },   /* invtsc: tsc          */
};

void features_settle(u32 f[FEATURE_WORDS])
{
	u32 possible[FEATURE_WORDS];

	features_possible(possible);
	for (int i = 0; i < FEATURE_WORDS; i++)
		f[i] &= possible[i];
	for (size_t i = 0; i < ARRAY_SIZE(needs); i++)
		if (!(f[needs[i].of_word] >> needs[i].of_bit & 1))
			f[needs[i].word] &= ~(1u << needs[i].bit);
}

/* Underscores and hyphens are the same. */
static bool same_name(const char *a, const char *b)
{
	for (; *a && *b; a++, b++)
		if (*a != *b && !(strchr("-_", *a) && strchr("-_", *b)))
			return false;
	return *a == *b;
}

bool feature_set(u32 f[FEATURE_WORDS], const char *name, bool on)
{
	const struct feature *e = NULL;
	u32 possible[FEATURE_WORDS], bit;

	for (size_t i = 0; i < ARRAY_SIZE(list); i++)
		if (same_name(name, list[i].name))
			e = &list[i];
	if (!e) {
		const char *near = nearest(name, &list[0].name, ARRAY_SIZE(list), sizeof(list[0]));

		error_report("-cpu: unknown feature '%s'%s%s", name, near ? "; did you mean " : "",
			     near ? near : "");
		return false;
	}
	features_possible(possible);
	bit = 1u << e->bit;
	if (on && !(possible[e->word] & bit))
		warn("-cpu: feature '%s' is not %s and stays off", name,
		     e->how == ALONE ? "there with -smp above 1" :
		     e->how ? "one of this host" : "implemented");
	f[e->word] = on ? f[e->word] | bit : f[e->word] & ~bit;
	return true;
}
