/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a guest with several processors has besides guest.h: it starts them,
 * hands them work, and has locks, barriers and the local APIC.
 *
 * Processors are numbered 0 (the one that boots) to cpus - 1 in the order in
 * which they came up. All run flat in ring 0 with the one GDT and IDT of the
 * machine, each on a stack of its own. One without work waits in HLT.
 *
 * The runner says how many there are and how long to work by words of the
 * command line: "cpus=4 percent=100". */
#ifndef SMP_H
#define SMP_H

#include "guest.h"

enum { MAX_CPUS = 32, AP_STACK = 8192 };

extern u32 cpus;                          /* how many came up                  */
extern int round_robin;                   /* thread=single: one runs at a time */

/* Start the others and wait for them; the guest fails if not all come. */
void smp_start(void);
/* fn(number) on the first n processors, this one included; returns when all
 * have returned. Interrupts are off when fn begins. */
void smp_run(u32 n, void (*fn)(u32 cpu));
u32 smp_self(void);                       /* our number, from the stack        */
/* One's own: paging as in paging_on, with the local APIC mapped. smp_paging
 * makes the tables and turns it on for the one that boots. */
void smp_paging(void);
void cpu_paging(int on);

u32 option_value(const char *key, u32 otherwise);   /* of "key=NUMBER"         */
/* How often: between least and most, of which the runner's percentage is
 * taken; after ms milliseconds, of which it is taken as well, least is
 * enough. for (struct pace p = pace(1, 9, 500); pace_more(&p); ) */
struct pace { u32 done, least, most; u64 end; };
struct pace pace(u32 least, u32 most, u32 ms);
int pace_more(struct pace *p);
u64 tsc_in_ms(u32 ms);                    /* what the counter says then        */

/* -- what each processor counts, on cache lines of its own ----------------------- */
struct percpu {
	volatile u32 count, errors, taken, other;
	volatile u32 what, want;          /* of the first error                */
	u32 pad[10];
} __attribute__((aligned(64)));
extern struct percpu percpu[MAX_CPUS];
void percpu_clear(void);
void percpu_error(u32 cpu, u32 what, u32 want);
u32 percpu_count(void);                   /* sums over all                     */
/* "ok NAME", or "not ok" with the first error of any processor. */
#define CHECK_PERCPU(name) check_percpu_at(name, __LINE__)
void check_percpu_at(const char *name, int line);

/* -- waiting --------------------------------------------------------------------- */
static inline void pause(void) { __asm__ volatile("pause" ::: "memory"); }
static inline void cli(void) { __asm__ volatile("cli" ::: "memory"); }
static inline void sti(void) { __asm__ volatile("sti; nop" ::: "memory"); }
/* No interrupt comes between the two, SDM 2B STI. Ends with interrupts off. */
static inline void sti_hlt_cli(void) { __asm__ volatile("sti; hlt; cli" ::: "memory"); }

struct spin { volatile u32 held; };
void spin_lock(struct spin *s);
void spin_unlock(struct spin *s);
struct rendezvous { volatile u32 here, turn; };
void meet(struct rendezvous *r, u32 n);   /* until n processors are here       */

static inline u32 xadd(volatile u32 *p, u32 v)
{
	__asm__ volatile("lock xadd %0, %1" : "+r"(v), "+m"(*p) :: "memory", "cc");
	return v;
}
static inline u32 xchg(volatile u32 *p, u32 v)
{
	__asm__ volatile("xchg %0, %1" : "+r"(v), "+m"(*p) :: "memory");
	return v;
}
static inline u32 cmpxchg(volatile u32 *p, u32 old, u32 v)
{
	__asm__ volatile("lock cmpxchg %2, %1" : "+a"(old), "+m"(*p) : "r"(v) : "memory", "cc");
	return old;
}
static inline u64 cmpxchg8b(volatile u64 *p, u64 old, u64 v)
{
	__asm__ volatile("lock cmpxchg8b %1" : "+A"(old), "+m"(*p)
			 : "b"((u32)v), "c"((u32)(v >> 32)) : "memory", "cc");
	return old;
}
static inline void mfence(void) { __asm__ volatile("lock orl $0, (%%esp)" ::: "memory", "cc"); }

/* -- local APIC, SDM 3A 10.4 ------------------------------------------------------ */
enum {
	LAPIC_ID = 0x20, LAPIC_VERSION = 0x30, LAPIC_TPR = 0x80,
	LAPIC_PPR = 0xa0, LAPIC_EOI = 0xb0, LAPIC_SVR = 0xf0,
	LAPIC_ISR = 0x100, LAPIC_IRR = 0x200, LAPIC_ICR = 0x300,
	LAPIC_ICR_HIGH = 0x310, LAPIC_LVT_TIMER = 0x320,
	LAPIC_INITIAL = 0x380, LAPIC_CURRENT = 0x390, LAPIC_DIVIDE = 0x3e0,
	ICR_INIT = 0x4500, ICR_SIPI = 0x4600, ICR_NMI = 0x4400,
	ICR_FIXED = 0x4000, ICR_SELF = 1 << 18, ICR_ALL = 2 << 18,
	ICR_OTHERS = 3 << 18,
	IPI_WORK = 0xf1, IPI_DONE = 0xf2, SPURIOUS = 0xff,
};
#define LAPIC_BASE 0xfee00000u
static inline u32 lapic(u32 reg) { return *(volatile u32 *)(LAPIC_BASE + reg); }
static inline void lapic_set(u32 reg, u32 v) { *(volatile u32 *)(LAPIC_BASE + reg) = v; }
static inline u32 lapic_id(void) { return lapic(LAPIC_ID) >> 24; }
extern u32 apic_of[MAX_CPUS];             /* number to local APIC ID           */
void ipi(u32 cpu, u32 command);           /* command: mode and vector          */
void ipi_others(u32 command);
static inline void ipi_eoi(void) { lapic_set(LAPIC_EOI, 0); }

#endif
