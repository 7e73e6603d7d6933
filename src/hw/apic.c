/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/hw/apic.c - local APICs: who gets an interrupt, and when its vCPU takes
 * it. Intel SDM vol. 3A chapter 10 (10.6 IPIs, 10.8 priorities, EOI, 10.11 MSI).
 * Upstream: hw/intc/apic.c, apic_common.c.
 *
 * A message travels without any lock: its sender sets the target's IRR bit, then
 * irq_poll, then pokes the vCPU (cpu_poke wakes it, too). The vCPU clears
 * irq_poll, then looks at IRR: a bit that its look missed came with an irq_poll
 * that is still set. A request that priorities hold back stays in IRR, with
 * irq_poll clear, until the vCPU itself changes them (apic_look_again). So
 * interrupt_request has no part in it, and the BQL neither; NMI, INIT, SIPI and
 * ExtINT are requests there and take the BQL.
 *
 * DIFF: an interrupt is accepted and taken at once, so the spurious vector, which
 * stands for one that lost its priority between, is never delivered.
 * DIFF: SMI is logged and dropped: there is no SMM.
 * DIFF: LINT0 in fixed mode is edge-triggered whatever its LVT entry says.
 * DIFF: the arbitration priority register shows the processor's priority. */
#include <stdlib.h>
#include <string.h>

#include "env/log.h"
#include "hw/apic_regs.h"
#include "hw/ioapic.h"

enum { SHORTHAND_NONE, SHORTHAND_SELF, SHORTHAND_ALL, SHORTHAND_OTHERS };
enum { DFR_FLAT = 0xf };
enum { CACHE_LINE = 64 };                /* the host's: no two share one      */

static bool intr_level GUARDED_BY(bql);  /* INT of the 8259A pair           */

UNCHECKED bool apic_lock(void)
{
	if (bql_held())
		return false;
	bql_lock();
	return true;
}

UNCHECKED void apic_unlock(bool locked)
{
	if (locked)
		bql_unlock();
}

/* -- 256 bits -------------------------------------------------------------------- */
static bool bit_test(const u32 *bits, int v)
{
	return reg_get(&bits[v >> 5]) >> (v & 31) & 1;
}

/* Was it set before? */
static bool bit_set(u32 *bits, int v)
{
	u32 bit = 1u << (v & 31);

	return __atomic_fetch_or(&bits[v >> 5], bit, __ATOMIC_SEQ_CST) & bit;
}

static void bit_clear(u32 *bits, int v)
{
	__atomic_fetch_and(&bits[v >> 5], ~(1u << (v & 31)), __ATOMIC_SEQ_CST);
}

static int highest(const u32 *bits)
{
	for (int i = 7; i >= 0; i--) {
		u32 w = __atomic_load_n(&bits[i], __ATOMIC_SEQ_CST);

		if (w)
			return i * 32 + 31 - __builtin_clz(w);
	}
	return -1;
}

/* -- priorities: the owner's ------------------------------------------------------- */
u32 apic_ppr(const struct apic *s)
{
	u32 tpr = reg_get(&s->tpr), isr = MAX(highest(s->isr), 0);

	return (tpr & 0xf0) >= (isr & 0xf0) ? tpr : isr & 0xf0;
}

/* Accepts it interrupts with a vector? */
static bool enabled(const struct apic *s)
{
	return (reg_get(&s->svr) & SVR_ENABLE) && (reg_get(&s->base) & APIC_BASE_ENABLE);
}

/* The request whose turn it is; -1: none. */
static int pending_vector(const struct apic *s)
{
	int v = highest(s->irr);

	if (v < 0 || !enabled(s) || (v & 0xf0) <= (int)(apic_ppr(s) & 0xf0))
		return -1;
	return v;
}

bool apic_has_interrupt(struct cpu *cpu)
{
	return cpu->apic && pending_vector(cpu->apic) >= 0;
}

int apic_get_interrupt(struct cpu *cpu)
{
	struct apic *s = cpu->apic;
	int v;

	__atomic_store_n(&cpu->irq_poll, 0, __ATOMIC_SEQ_CST);
	v = s ? pending_vector(s) : -1;
	if (v >= 0) {
		bit_set(s->isr, v);
		bit_clear(s->irr, v);
	}
	return v;
}

static void notify(struct apic *s)
{
	__atomic_store_n(&s->cpu->irq_poll, CPU_INTERRUPT_POLL, __ATOMIC_SEQ_CST);
	cpu_poke(s->cpu);
}

void apic_look_again(struct apic *s)
{
	if (pending_vector(s) >= 0)
		notify(s);
}

void apic_eoi(struct apic *s)
{
	int v = highest(s->isr);

	if (v < 0)
		return;
	bit_clear(s->isr, v);
	if (bit_test(s->tmr, v) && !(reg_get(&s->svr) & SVR_NO_EOI_BROADCAST))
		ioapic_eoi_broadcast((u8)v);
	apic_look_again(s);
}

/* -- accepting: any thread ----------------------------------------------------------- */
void apic_accept(struct apic *s, u8 vector, bool level)
{
	if (!enabled(s))
		return;
	if (vector < 16) {
		apic_error(s, ESR_RECEIVE_VECTOR);
		return;
	}
	if (level)
		bit_set(s->tmr, vector);
	else
		bit_clear(s->tmr, vector);
	if (!bit_set(s->irr, vector))
		notify(s);
}

static UNCHECKED void request(struct apic *s, u32 mask)
{
	bool locked = apic_lock();

	cpu_interrupt(s->cpu, mask);
	apic_unlock(locked);
}

/* An INIT takes back a SIPI that came before it. */
static UNCHECKED void accept_init(struct apic *s)
{
	bool locked = apic_lock();

	cpu_reset_interrupt(s->cpu, CPU_INTERRUPT_SIPI);
	cpu_interrupt(s->cpu, CPU_INTERRUPT_INIT);
	apic_unlock(locked);
}

/* The first of several start-up IPIs counts. */
static UNCHECKED void accept_sipi(struct apic *s, u8 vector)
{
	bool locked = apic_lock();

	if (!(cpu_pending(s->cpu) & CPU_INTERRUPT_SIPI))
		s->sipi_vector = vector;
	cpu_interrupt(s->cpu, CPU_INTERRUPT_SIPI);
	apic_unlock(locked);
}

static void accept_mode(struct apic *s, u8 mode, u8 vector, bool level)
{
	switch (mode) {
	case APIC_DM_FIXED: case APIC_DM_LOWPRI:
		apic_accept(s, vector, level);
		break;
	case APIC_DM_NMI:
		request(s, CPU_INTERRUPT_NMI);
		break;
	case APIC_DM_INIT:
		accept_init(s);
		break;
	case APIC_DM_SIPI:
		accept_sipi(s, vector);
		break;
	case APIC_DM_EXTINT:
		request(s, CPU_INTERRUPT_HARD);
		break;
	default:
		log_item(LOG_UNIMP, "apic %u: delivery mode %d (SMI: 2) is not "
			 "modelled\n", reg_get(&s->id), mode);
	}
}

void apic_local_deliver(struct apic *s, int lvt)
{
	u32 v = reg_get(&s->lvt[lvt]);
	u8 mode = lvt == LVT_TIMER || lvt == LVT_ERROR ? APIC_DM_FIXED : v >> 8 & 7;

	if (!(v & LVT_MASKED))
		accept_mode(s, mode, v & 0xff, false);
}

void apic_error(struct apic *s, u32 bit)
{
	if (!(__atomic_fetch_or(&s->errors, bit, __ATOMIC_SEQ_CST) & bit))
		apic_local_deliver(s, LVT_ERROR);
}

/* -- the bus ----------------------------------------------------------------------------- */
static bool broadcast(const struct apic_message *m)
{
	return m->dest == (m->wide ? 0xffffffff : 0xff);
}

static bool match_logical(const struct apic *s, const struct apic_message *m)
{
	u32 ldr = reg_get(&s->ldr), own = ldr >> 24;

	if (apic_x2apic(s))
		return m->dest >> 16 == ldr >> 16 && (m->dest & ldr & 0xffff);
	if (reg_get(&s->dfr) >> 28 == DFR_FLAT)
		return own & m->dest & 0xff;
	return (m->dest >> 4 & 0xf) == own >> 4 && (own & m->dest & 0xf);
}

static bool match(const struct apic *s, const struct apic_message *m)
{
	if (!(reg_get(&s->base) & APIC_BASE_ENABLE))
		return false;
	if (broadcast(m))
		return true;
	return m->logical ? match_logical(s, m) : m->dest == reg_get(&s->id);
}

/* Is `a` a better target for a lowest-priority message than `b`? One that has the
 * vector already is the best. */
static bool lower(const struct apic *a, const struct apic *b, u8 vector)
{
	bool fa = bit_test(a->irr, vector) || bit_test(a->isr, vector);
	bool fb = bit_test(b->irr, vector) || bit_test(b->isr, vector);

	return fa != fb ? fa : (apic_ppr(a) & 0xf0) < (apic_ppr(b) & 0xf0);
}

/* Of those that match; turns among equals, so that they share the load. */
static void deliver_lowest(const struct apic_message *m)
{
	static u32 turn;                 /* _Atomic                          */
	struct apic *best = NULL, *list[MAX_CPUS];
	u32 n = 0, first;
	struct cpu *cpu;

	CPU_FOREACH(cpu)
		if (cpu->apic && n < MAX_CPUS && match(cpu->apic, m) && enabled(cpu->apic))
			list[n++] = cpu->apic;
	if (!n)
		return;
	first = __atomic_fetch_add(&turn, 1, __ATOMIC_RELAXED);
	for (u32 i = 0; i < n; i++) {
		struct apic *s = list[(first + i) % n];

		if (!best || lower(s, best, m->vector))
			best = s;
	}
	apic_accept(best, m->vector, m->level);
}

void apic_deliver(const struct apic_message *m)
{
	struct cpu *cpu;

	if (m->mode == APIC_DM_LOWPRI) {
		deliver_lowest(m);
		return;
	}
	CPU_FOREACH(cpu)
		if (cpu->apic && match(cpu->apic, m))
			accept_mode(cpu->apic, m->mode, m->vector, m->level);
}

void apic_send_msi(gpa addr, u32 data)
{
	struct apic_message m = {
		.dest = addr >> 12 & 0xff, .logical = addr >> 2 & 1,
		.mode = data >> 8 & 7, .vector = data & 0xff, .level = data >> 15 & 1,
	};

	if ((addr & 8) && m.mode == APIC_DM_FIXED)       /* redirection hint */
		m.mode = APIC_DM_LOWPRI;
	apic_deliver(&m);
}

/* -- IPIs ---------------------------------------------------------------------------------- */
static void send_shorthand(struct apic *self, const struct apic_message *m, bool to_self)
{
	struct cpu *cpu;

	CPU_FOREACH(cpu)
		if (cpu->apic && (to_self || cpu->apic != self) &&
		    (reg_get(&cpu->apic->base) & APIC_BASE_ENABLE))
			accept_mode(cpu->apic, m->mode, m->vector, m->level);
}

void apic_send_ipi(struct apic *s)
{
	u32 lo = s->icr[0], shorthand = lo >> 18 & 3;
	struct apic_message m = {
		.dest = apic_x2apic(s) ? s->icr[1] : s->icr[1] >> 24,
		.wide = apic_x2apic(s), .logical = lo >> 11 & 1,
		.mode = lo >> 8 & 7, .vector = lo & 0xff,
	};

	if (m.mode == APIC_DM_INIT && (lo >> 14 & 3) == 2)
		return;                  /* level de-assert: arbitration only */
	if (m.mode <= APIC_DM_LOWPRI && m.vector < 16) {
		apic_error(s, ESR_SEND_VECTOR);
		return;
	}
	if (shorthand == SHORTHAND_NONE)
		apic_deliver(&m);
	else if (shorthand == SHORTHAND_SELF)
		accept_mode(s, m.mode, m.vector, false);
	else
		send_shorthand(s, &m, shorthand == SHORTHAND_ALL);
}

u8 apic_sipi_vector(struct cpu *cpu)
{
	return cpu->apic ? cpu->apic->sipi_vector : 0;
}

/* -- the 8259A pair ---------------------------------------------------------------------------- */
static bool takes_intr(const struct cpu *cpu)
{
	const struct apic *s = cpu->apic;
	u32 lint0;

	if (!s || !(reg_get(&s->base) & APIC_BASE_ENABLE))
		return cpu->cpu_index == 0;
	lint0 = reg_get(&s->lvt[LVT_LINT0]);
	return !(lint0 & LVT_MASKED) && (lint0 >> 8 & 7) == APIC_DM_EXTINT;
}

static void update_intr(struct cpu *cpu) REQUIRES(bql)
{
	if (intr_level && takes_intr(cpu))
		cpu_interrupt(cpu, CPU_INTERRUPT_HARD);
	else
		cpu_reset_interrupt(cpu, CPU_INTERRUPT_HARD);
}

void apic_update_intr(struct apic *s)
{
	update_intr(s->cpu);
}

/* Other modes of LINT0 than ExtINT see an edge. */
static void lint0_rises(struct apic *s)
{
	u32 lint0 = reg_get(&s->lvt[LVT_LINT0]);

	if ((reg_get(&s->base) & APIC_BASE_ENABLE) && (lint0 >> 8 & 7) != APIC_DM_EXTINT)
		apic_local_deliver(s, LVT_LINT0);
}

void apic_set_intr(int level)
{
	bool rises = level && !intr_level;
	struct cpu *cpu;

	intr_level = level;
	CPU_FOREACH(cpu) {
		update_intr(cpu);
		if (rises && cpu->apic)
			lint0_rises(cpu->apic);
	}
}

/* -- life --------------------------------------------------------------------------------------- */
/* All that INIT sets; 10.4.7.3. */
void apic_init_reset(struct cpu *cpu)
{
	struct apic *s = cpu->apic;

	if (!s)
		return;
	for (int i = 0; i < 8; i++) {
		reg_set(&s->irr[i], 0);
		reg_set(&s->isr[i], 0);
		reg_set(&s->tmr[i], 0);
	}
	__atomic_store_n(&cpu->irq_poll, 0, __ATOMIC_SEQ_CST);
	for (int i = 0; i < N_LVT; i++)
		reg_set(&s->lvt[i], LVT_MASKED);
	reg_set(&s->tpr, 0);
	reg_set(&s->svr, 0xff);
	reg_set(&s->dfr, 0xffffffff);
	if (!apic_x2apic(s))
		reg_set(&s->ldr, 0);
	s->icr[0] = s->icr[1] = s->esr = 0;
	reg_set(&s->errors, 0);
	apic_timer_reset(s);
	update_intr(cpu);
}

void apic_reset(struct cpu *cpu)
{
	struct apic *s = cpu->apic;

	if (!s)
		return;
	reg_set(&s->id, (u32)cpu->cpu_index);
	reg_set(&s->base, APIC_DEFAULT_ADDRESS | APIC_BASE_ENABLE |
		(cpu->cpu_index ? 0 : APIC_BASE_BSP));
	apic_init_reset(cpu);
}

void apic_hand_over(struct cpu *bsp)
{
	struct apic *s = bsp->apic;

	if (!s)
		return;
	reg_set(&s->svr, SVR_ENABLE | 0xff);
	reg_set(&s->lvt[LVT_LINT0], 1 << 15 | APIC_DM_EXTINT << 8);
	reg_set(&s->lvt[LVT_LINT1], 1 << 15 | APIC_DM_NMI << 8);
	update_intr(bsp);
}

void cpu_apic_create(struct cpu *cpu)
{
	size_t size = (sizeof(struct apic) + CACHE_LINE - 1) & ~(size_t)(CACHE_LINE - 1);
	struct apic *s = aligned_alloc(CACHE_LINE, size);

	if (!s)
		die("out of memory");
	memset(s, 0, size);
	s->cpu = cpu;
	cpu->apic = s;
	apic_timer_init(s);
}

void cpu_apic_destroy(struct cpu *cpu)
{
	if (!cpu->apic)
		return;
	cpu_timer_destroy(cpu);
	free(cpu->apic);
	cpu->apic = NULL;
}
