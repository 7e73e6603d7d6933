/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/i386/model.h - CPU models by upstream's names, and their CPUID. */
#ifndef I386_MODEL_H
#define I386_MODEL_H

#include "i386/cpu.h"

enum {                                   /* CPUID.1:EDX                      */
	CPUID_FPU = 1 << 0, CPUID_VME = 1 << 1, CPUID_DE = 1 << 2,
	CPUID_PSE = 1 << 3, CPUID_TSC = 1 << 4, CPUID_MSR = 1 << 5,
	CPUID_PAE = 1 << 6, CPUID_MCE = 1 << 7, CPUID_CX8 = 1 << 8,
	CPUID_APIC = 1 << 9, CPUID_SEP = 1 << 11, CPUID_MTRR = 1 << 12,
	CPUID_PGE = 1 << 13, CPUID_MCA = 1 << 14, CPUID_CMOV = 1 << 15,
	CPUID_PAT = 1 << 16, CPUID_PSE36 = 1 << 17, CPUID_CLFLUSH = 1 << 19,
	CPUID_MMX = 1 << 23, CPUID_FXSR = 1 << 24, CPUID_SSE = 1 << 25,
	CPUID_SSE2 = 1 << 26, CPUID_SS = 1 << 27, CPUID_HTT = 1 << 28,
};
enum {                                   /* CPUID.1:ECX                      */
	CPUID_SSE3 = 1 << 0, CPUID_PCLMUL = 1 << 1, CPUID_MONITOR = 1 << 3,
	CPUID_SSSE3 = 1 << 9, CPUID_SSE41 = 1 << 19, CPUID_SSE42 = 1 << 20,
	CPUID_EXT_X2APIC = 1 << 21, CPUID_MOVBE = 1 << 22, CPUID_POPCNT = 1 << 23,
	CPUID_EXT_TSC_DEADLINE = 1 << 24, CPUID_AES = 1 << 25,
	CPUID_XSAVE = 1 << 26, CPUID_OSXSAVE = 1 << 27,
};
enum { CPUID_7_TSC_ADJUST = 1 << 1,      /* CPUID.7:EBX                      */
       CPUID_7_SMEP = 1 << 7, CPUID_7_SMAP = 1 << 20 };
enum { CPUID_XSAVE_OPT = 1 << 0, CPUID_XSAVE_XGETBV1 = 1 << 2 };  /* CPUID.0Dh.1:EAX */
enum { CPUID_7_UMIP = 1 << 2 };          /* CPUID.7:ECX                      */
#define CPUID_EXT_HYPERVISOR (1u << 31)      /* ECX: no real machine        */
enum { CPUID_EXT2_NX = 1 << 20,          /* CPUID.80000001h:EDX              */
       CPUID_EXT2_RDTSCP = 1 << 27 };

enum { CPUID_APM_INVTSC = 1 << 8 };      /* CPUID.80000007h:EDX              */

struct cpu_model {
	const char *name, *text;
	u8 family, model, stepping;
	u32 level, xlevel;               /* highest basic, extended leaf     */
	u32 features[FEATURE_WORDS];     /* of the real chip                 */
};

/* -- features.c ------------------------------------------------------------------ */
/* Clear what cannot be offered: what we do not have, what lacks its host's instruction, or
 * without another feature that it needs. */
void features_settle(u32 f[FEATURE_WORDS]);
/* Set or clear a feature by its name; false with a message: there is none. */
bool feature_set(u32 f[FEATURE_WORDS], const char *name, bool on);

/* EAX of CPUID.1, which EDX holds after reset too. */
u32 cpu_model_signature(const struct x86_cpu *x);

#endif
