/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/i386/msr.h - model-specific registers: what is kept of them. SDM vol. 4;
 * vol. 3A 11.11 (MTRRs), 11.12 (PAT), vol. 3B 15.3 (machine check). */
#ifndef I386_MSR_H
#define I386_MSR_H

#include "env/types.h"

struct x86_cpu;

enum { MTRR_PAIRS = 8, MC_BANKS = 10, PHYS_BITS = 36 };

/* Those that are no more than storage, with checks of what is written. */
struct msr_state {
	u64 pat;
	u64 mtrr_def;                    /* default type, enable bits        */
	u64 mtrr_fixed[11];              /* 64K, two of 16K, eight of 4K     */
	u64 mtrr_var[2 * MTRR_PAIRS];    /* PHYSBASEn, PHYSMASKn             */
	u64 mcg_status, mcg_ctl;
	u64 mc[4 * MC_BANKS];            /* MCi_CTL, STATUS, ADDR, MISC      */
	u64 event_select[2];
	u64 misc_enable;
	u64 bios_sign;                   /* microcode revision, see CPUID.1  */
	u64 tsc_adjust;                  /* what software has added to the TSC */
};

enum { MISC_FAST_STRINGS = 1 << 0, MISC_NO_BTS = 1 << 11, MISC_NO_PEBS = 1 << 12,
       MISC_MONITOR = 1 << 18, MISC_LIMIT_CPUID = 1 << 22 };

/* IA32_BIOS_SIGN_ID after CPUID.1. */
#define UCODE_REVISION (1ull << 32)

/* Values as the firmware leaves them, for a kernel finds MTRRs set up. */
void msr_reset(struct x86_cpu *x);

#endif
