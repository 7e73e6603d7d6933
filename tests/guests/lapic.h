/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the guests about APICs share: registers, MSRs, time. */
#ifndef LAPIC_H
#define LAPIC_H

#include "guest.h"

enum { A_ID = 0x20, A_VERSION = 0x30, A_TPR = 0x80, A_PPR = 0xa0, A_EOI = 0xb0,
       A_LDR = 0xd0, A_DFR = 0xe0, A_SVR = 0xf0, A_ISR = 0x100, A_TMR = 0x180,
       A_IRR = 0x200, A_ESR = 0x280, A_ICR = 0x300, A_ICR2 = 0x310, A_TIMER = 0x320,
       A_THERMAL = 0x330, A_PERF = 0x340, A_LINT0 = 0x350, A_LINT1 = 0x360,
       A_ERROR = 0x370, A_INITIAL = 0x380, A_CURRENT = 0x390, A_DIVIDE = 0x3e0 };
enum { MASKED = 0x10000, PERIODIC = 0x20000, DEADLINE = 0x40000, BY_1 = 0xb };
enum { SELF = 0x40000, ALL = 0x80000, OTHERS = 0xc0000, LOGICAL = 0x800 };
enum { MSR_APIC_BASE = 0x1b, BASE_BSP = 0x100, BASE_X2 = 0x400, BASE_ON = 0x800 };

static inline volatile u32 *apic(u32 reg) { return (volatile u32 *)(0xfee00000 + reg); }
static inline u32 rd(u32 reg) { return *apic(reg); }
static inline void wr(u32 reg, u32 v) { *apic(reg) = v; }
static inline int bit(u32 reg, int v) { return rd(reg + (v >> 5) * 16) >> (v & 31) & 1; }
static inline void apic_eoi(void) { wr(A_EOI, 0); }

static inline void cli(void) { __asm__ volatile("cli" ::: "memory"); }
static inline void sti(void) { __asm__ volatile("sti; nop" ::: "memory"); }
/* Give what is pending a chance, with interrupts on for some instructions. */
static inline void window(void)
{
	sti();
	for (volatile int i = 0; i < 100; i++)
		;
	cli();
}

enum { MS = 1193 };                      /* PIT ticks a millisecond          */

/* Wait for *n >= want, at most `ms`; interrupts on meanwhile. */
static inline int wait_for(volatile u32 *n, u32 want, u32 ms)
{
	sti();
	while (ms-- && *n < want)
		pit_wait(MS);
	cli();
	return *n >= want;
}

#endif
