/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/hw/apic_regs.h - what apic.c (priorities, messages), apic_regs.c (the
 * registers) and apic_timer.c share.
 *
 * Who may touch what: the registers belong to the vCPU's own thread, which reads
 * and writes them without a lock. Others read some of them (marked _Atomic:
 * relaxed), to know whom a message is for and what its timer does. irr and tmr
 * bits are set by any thread. The timer's registers are written, and it fires, under
 * cpu_timer_lock. */
#ifndef HW_APIC_REGS_H
#define HW_APIC_REGS_H

#include "hw/apic.h"
#include "qemu/cpu.h"
#include "qemu/cpu_timer.h"
#include "qemu/machine.h"
#include "qemu/timer.h"

enum { LVT_TIMER, LVT_THERMAL, LVT_PERF, LVT_LINT0, LVT_LINT1, LVT_ERROR, N_LVT };
enum { LVT_MASKED = 1 << 16, LVT_PERIODIC = 1 << 17, LVT_DEADLINE = 1 << 18,
       LVT_TIMER_MODE = 3 << 17 };
enum { SVR_ENABLE = 1 << 8, SVR_NO_EOI_BROADCAST = 1 << 12 };
enum { ESR_SEND_VECTOR = 1 << 5, ESR_RECEIVE_VECTOR = 1 << 6, ESR_REGISTER = 1 << 7 };
/* 6 LVT entries, EOI broadcasts can be turned off */
#define APIC_VERSION (0x14u | (N_LVT - 1) << 16 | 1u << 24)

struct apic {
	struct cpu *cpu;
	u32 irr[8], tmr[8];      /* _Atomic; any thread sets bits            */
	u32 isr[8];              /* _Atomic                                  */
	u32 id, base, svr, tpr, ldr, dfr;      /* _Atomic; id as a number    */
	u32 lvt[N_LVT];          /* _Atomic                                  */
	u32 icr[2];
	u32 esr;                 /* as read                                  */
	u32 errors;              /* _Atomic; since the last write of ESR     */
	/* timer: written under cpu_timer_lock, by the owner                 */
	u32 initial, divide;
	s64 start_ns;
	u64 deadline;            /* _Atomic; host's time stamp, 0: none; also
				  * written when it fires                    */
	u8 sipi_vector GUARDED_BY(bql);
};

static inline u32 reg_get(const u32 *r) { return __atomic_load_n(r, __ATOMIC_RELAXED); }
static inline void reg_set(u32 *r, u32 v) { __atomic_store_n(r, v, __ATOMIC_RELAXED); }

static inline bool apic_x2apic(const struct apic *s)
{
	return reg_get(&s->base) & APIC_BASE_X2APIC;
}

/* -- apic.c -------------------------------------------------------------------- */
/* Take the BQL unless this thread has it (a device's access has); apic_unlock
 * gets the result. Who uses them is UNCHECKED: clang cannot follow a condition. */
bool apic_lock(void);
void apic_unlock(bool locked);
/* Own thread: priorities changed, perhaps an interrupt may pass now. */
void apic_look_again(struct apic *s);
u32 apic_ppr(const struct apic *s);
void apic_eoi(struct apic *s);
void apic_send_ipi(struct apic *s);          /* what icr says                */
void apic_error(struct apic *s, u32 bit);    /* note it, raise LVT error     */
void apic_local_deliver(struct apic *s, int lvt);     /* any thread          */
void apic_accept(struct apic *s, u8 vector, bool level);      /* any thread  */
void apic_update_intr(struct apic *s) REQUIRES(bql);  /* LINT0 changed       */

/* -- apic_timer.c ---------------------------------------------------------------- */
void apic_timer_init(struct apic *s) REQUIRES(bql);
/* All registers of the timer to 0; stops it. */
void apic_timer_reset(struct apic *s) EXCLUDES(cpu_timers);
/* Own thread, with or without the BQL: writes of the initial count, the divide
 * configuration and the LVT entry. */
void apic_timer_start(struct apic *s, u32 initial) EXCLUDES(cpu_timers);
void apic_timer_set_divide(struct apic *s, u32 divide) EXCLUDES(cpu_timers);
void apic_timer_set_lvt(struct apic *s, u32 lvt) EXCLUDES(cpu_timers);
u32 apic_timer_current(const struct apic *s);

#endif
