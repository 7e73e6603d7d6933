/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/i386/model.h - CPU models by upstream's names, and their CPUID. */
#ifndef I386_MODEL_H
#define I386_MODEL_H

#include "i386/cpu.h"

enum {                                   /* CPUID.1:EDX                      */
	CPUID_FPU = 1 << 0, CPUID_VME = 1 << 1, CPUID_DE = 1 << 2,
	CPUID_PSE = 1 << 3, CPUID_TSC = 1 << 4, CPUID_MSR = 1 << 5,
	CPUID_PAE = 1 << 6, CPUID_CX8 = 1 << 8, CPUID_APIC = 1 << 9,
	CPUID_SEP = 1 << 11, CPUID_PGE = 1 << 13, CPUID_CMOV = 1 << 15,
	CPUID_FXSR = 1 << 24, CPUID_SSE2 = 1 << 26, CPUID_HTT = 1 << 28,
};
enum { CPUID_EXT_X2APIC = 1 << 21, CPUID_EXT_TSC_DEADLINE = 1 << 24 };  /* ECX */
#define CPUID_EXT_HYPERVISOR (1u << 31)      /* ECX: no real machine        */
enum { CPUID_EXT2_NX = 1 << 20 };        /* CPUID.80000001h:EDX              */

struct cpu_model {
	const char *name, *text;
	u8 family, model, stepping;
	u32 features_edx, features_ecx;
	u32 ext2_edx;                    /* leaf 80000001h                   */
	u32 level, xlevel;               /* highest basic, extended leaf     */
};

/* EAX of CPUID.1, which EDX holds after reset too. */
u32 cpu_model_signature(const struct x86_cpu *x);

#endif
