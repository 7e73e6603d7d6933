/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/hw/apic_regs.c - the local APIC's registers: in memory (xAPIC), as MSRs
 * (x2APIC), and IA32_APIC_BASE. Intel SDM vol. 3A 10.4, 10.5, 10.12. Upstream:
 * apic_mem_read, apic_mem_write, cpu_set_apic_base.
 *
 * Register r stands at r * 16 in memory and at MSR 800h + r. A row of `regs` has
 * the functions for both; what is not in the table is an illegal register.
 *
 * DIFF: the window in memory stays where it is: IA32_APIC_BASE keeps a base that
 * a guest writes, but only the default one works, and the log says so. */
#include "env/log.h"
#include "hw/apic_regs.h"
#include "qemu/memory.h"

enum { R_ID = 2, R_VERSION, R_TPR = 8, R_APR, R_PPR, R_EOI, R_LDR = 0xd, R_DFR, R_SVR,
       R_ISR, R_TMR = 0x18, R_IRR = 0x20, R_ESR = 0x28, R_ICR = 0x30, R_ICR2,
       R_LVT, R_INITIAL = 0x38, R_CURRENT, R_DIVIDE = 0x3e, R_SELF_IPI, N_REGS };
enum { ICR_WRITABLE = 0xccfff };
/* LVT entries: vector, mode, polarity, trigger, mask */
static const u32 lvt_writable[N_LVT] = {
	[LVT_TIMER] = 0x700ff, [LVT_THERMAL] = 0x107ff, [LVT_PERF] = 0x107ff,
	[LVT_LINT0] = 0x1a7ff, [LVT_LINT1] = 0x1a7ff, [LVT_ERROR] = 0x100ff,
};

/* -- reading ------------------------------------------------------------------------ */
typedef u32 read_fn(const struct apic *s, int r);

static u32 read_id(const struct apic *s, int r)
{
	u32 id = reg_get(&s->id);

	(void)r;
	return apic_x2apic(s) ? id : id << 24;
}

static u32 read_version(const struct apic *s, int r) { (void)s, (void)r; return APIC_VERSION; }
static u32 read_tpr(const struct apic *s, int r) { (void)r; return reg_get(&s->tpr); }
static u32 read_ppr(const struct apic *s, int r) { (void)r; return apic_ppr(s); }
static u32 read_zero(const struct apic *s, int r) { (void)s, (void)r; return 0; }
static u32 read_ldr(const struct apic *s, int r) { (void)r; return reg_get(&s->ldr); }
static u32 read_dfr(const struct apic *s, int r) { (void)r; return reg_get(&s->dfr); }
static u32 read_svr(const struct apic *s, int r) { (void)r; return reg_get(&s->svr); }
static u32 read_isr(const struct apic *s, int r) { return reg_get(&s->isr[r - R_ISR]); }
static u32 read_tmr(const struct apic *s, int r) { return reg_get(&s->tmr[r - R_TMR]); }
static u32 read_irr(const struct apic *s, int r) { return reg_get(&s->irr[r - R_IRR]); }
static u32 read_esr(const struct apic *s, int r) { (void)r; return s->esr; }
static u32 read_icr(const struct apic *s, int r) { return s->icr[r - R_ICR]; }
static u32 read_lvt(const struct apic *s, int r) { return reg_get(&s->lvt[r - R_LVT]); }
static u32 read_initial(const struct apic *s, int r) { (void)r; return s->initial; }
static u32 read_current(const struct apic *s, int r) { (void)r; return apic_timer_current(s); }
static u32 read_divide(const struct apic *s, int r) { (void)r; return s->divide; }

/* -- writing ------------------------------------------------------------------------- */
typedef void write_fn(struct apic *s, int r, u32 v);

static void write_id(struct apic *s, int r, u32 v)
{
	(void)r;
	reg_set(&s->id, v >> 24);
}

static void write_tpr(struct apic *s, int r, u32 v)
{
	(void)r;
	reg_set(&s->tpr, v & 0xff);
	apic_look_again(s);
}

static void write_eoi(struct apic *s, int r, u32 v)
{
	(void)r, (void)v;
	apic_eoi(s);
}

static void write_ldr(struct apic *s, int r, u32 v)
{
	(void)r;
	reg_set(&s->ldr, v & 0xff000000);
}

static void write_dfr(struct apic *s, int r, u32 v)
{
	(void)r;
	reg_set(&s->dfr, v | 0x0fffffff);
}

static UNCHECKED void set_lint0(struct apic *s, u32 v)
{
	bool locked = apic_lock();

	reg_set(&s->lvt[LVT_LINT0], v);
	apic_update_intr(s);
	apic_unlock(locked);
}

static void set_lvt(struct apic *s, int lvt, u32 v)
{
	if (lvt == LVT_TIMER)
		apic_timer_set_lvt(s, v);
	else if (lvt == LVT_LINT0)
		set_lint0(s, v);
	else
		reg_set(&s->lvt[lvt], v);
}

/* While the APIC is disabled by software all entries are masked. */
static void write_lvt(struct apic *s, int r, u32 v)
{
	int lvt = r - R_LVT;

	v &= lvt_writable[lvt];
	if (!(reg_get(&s->svr) & SVR_ENABLE))
		v |= LVT_MASKED;
	set_lvt(s, lvt, v);
}

static void write_svr(struct apic *s, int r, u32 v)
{
	(void)r;
	v &= SVR_NO_EOI_BROADCAST | SVR_ENABLE | 0xff;
	reg_set(&s->svr, v);
	for (int i = 0; !(v & SVR_ENABLE) && i < N_LVT; i++)
		set_lvt(s, i, reg_get(&s->lvt[i]) | LVT_MASKED);
	apic_look_again(s);
}

/* A write shows the errors since the last one. */
static void write_esr(struct apic *s, int r, u32 v)
{
	(void)r, (void)v;
	s->esr = __atomic_exchange_n(&s->errors, 0, __ATOMIC_SEQ_CST);
}

static void write_icr(struct apic *s, int r, u32 v)
{
	(void)r;
	s->icr[0] = v & ICR_WRITABLE;
	apic_send_ipi(s);
}

static void write_icr2(struct apic *s, int r, u32 v)
{
	(void)r;
	s->icr[1] = v & 0xff000000;
}

static void write_initial(struct apic *s, int r, u32 v)
{
	(void)r;
	apic_timer_start(s, v);
}

static void write_divide(struct apic *s, int r, u32 v)
{
	(void)r;
	apic_timer_set_divide(s, v);
}

static void write_self_ipi(struct apic *s, int r, u32 v)
{
	(void)r;
	if (v < 16)
		apic_error(s, ESR_SEND_VECTOR);
	else
		apic_accept(s, v & 0xff, false);
}

/* -- the table ----------------------------------------------------------------------- */
enum { X = 1, X2 = 2, BOTH = X | X2 };   /* where the register is           */

static const struct reg {
	u8 n;                            /* registers in a row, 0: none      */
	u8 in, wr_in;                    /* to be read, written: X, X2       */
	read_fn *read;
	write_fn *write;
	u32 reserved;                    /* x2APIC: bits that give #GP       */
} regs[N_REGS] = {
	[R_ID] = { 1, BOTH, X, read_id, write_id, 0 },
	[R_VERSION] = { 1, BOTH, 0, read_version, NULL, 0 },
	[R_TPR] = { 1, BOTH, BOTH, read_tpr, write_tpr, ~0xffu },
	[R_APR] = { 1, X, 0, read_ppr, NULL, 0 },
	[R_PPR] = { 1, BOTH, 0, read_ppr, NULL, 0 },
	[R_EOI] = { 1, X, BOTH, read_zero, write_eoi, ~0u },
	[R_LDR] = { 1, BOTH, X, read_ldr, write_ldr, 0 },
	[R_DFR] = { 1, X, X, read_dfr, write_dfr, 0 },
	[R_SVR] = { 1, BOTH, BOTH, read_svr, write_svr, ~0x11ffu },
	[R_ISR] = { 8, BOTH, 0, read_isr, NULL, 0 },
	[R_TMR] = { 8, BOTH, 0, read_tmr, NULL, 0 },
	[R_IRR] = { 8, BOTH, 0, read_irr, NULL, 0 },
	[R_ESR] = { 1, BOTH, BOTH, read_esr, write_esr, ~0u },
	[R_ICR] = { 1, BOTH, BOTH, read_icr, write_icr, ~(u32)ICR_WRITABLE },
	[R_ICR2] = { 1, X, X, read_icr, write_icr2, 0 },
	[R_LVT] = { N_LVT, BOTH, BOTH, read_lvt, write_lvt, ~0x7f7ffu },
	[R_INITIAL] = { 1, BOTH, BOTH, read_initial, write_initial, 0 },
	[R_CURRENT] = { 1, BOTH, 0, read_current, NULL, 0 },
	[R_DIVIDE] = { 1, BOTH, BOTH, read_divide, write_divide, ~0xbu },
	[R_SELF_IPI] = { 1, 0, X2, NULL, write_self_ipi, ~0xffu },
};

static const struct reg *reg_find(u32 r)
{
	for (u32 first = r; first + 8 > r && first < N_REGS; first--)
		if (regs[first].n)
			return r - first < regs[first].n ? &regs[first] : NULL;
	return NULL;
}

/* -- in memory -------------------------------------------------------------------------- */
static struct apic *current_apic(void)
{
	struct apic *s = current_cpu ? current_cpu->apic : NULL;
	u32 base = s ? reg_get(&s->base) : 0;

	return (base & (APIC_BASE_ENABLE | APIC_BASE_X2APIC)) == APIC_BASE_ENABLE ? s : NULL;
}

/* Narrow reads give a part of the register; 12 of 16 bytes are nothing. */
static u64 apic_mem_read(void *opaque, gpa addr, unsigned size)
{
	struct apic *s = current_apic();
	const struct reg *reg = reg_find(addr >> 4);

	(void)opaque, (void)size;
	if (!s || addr >= 0x1000)
		return ~0ull;
	if (!reg || !(reg->in & X)) {
		apic_error(s, ESR_REGISTER);
		return 0;
	}
	return addr & 0xc ? 0 : reg->read(s, addr >> 4) >> (addr & 3) * 8;
}

/* Register 0 does not exist and MSI does not write elsewhere in this page, so
 * that both can share the window. */
static void apic_mem_write(void *opaque, gpa addr, u64 v, unsigned size)
{
	struct apic *s = current_apic();
	const struct reg *reg = reg_find(addr >> 4);

	(void)opaque;
	if (size < 4)
		return;
	if (addr >= 0x1000 || addr < 0x10 || !current_cpu) {
		apic_send_msi(APIC_DEFAULT_ADDRESS | addr, (u32)v);
		return;
	}
	if (!s || addr & 0xf)
		return;
	if (reg && (reg->wr_in & X))
		reg->write(s, addr >> 4, (u32)v);
	else if (!reg || !(reg->in & X))
		apic_error(s, ESR_REGISTER);
}

void apic_init(struct memory_region *memory)
{
	static const struct memory_region_ops ops = { apic_mem_read, apic_mem_write, 1, 4 };
	static struct memory_region mr;

	memory_region_init_io(&mr, "apic-msi", APIC_SPACE_SIZE, &ops, NULL);
	memory_region_clear_global_locking(&mr);
	memory_region_add_subregion_overlap(memory, APIC_DEFAULT_ADDRESS, &mr, 1);
}

/* -- as MSRs ------------------------------------------------------------------------------- */
bool apic_msr_read(struct cpu *cpu, u32 r, u64 *v)
{
	struct apic *s = cpu->apic;
	const struct reg *reg = reg_find(r);

	if (!s || !apic_x2apic(s) || !reg || !(reg->in & X2))
		return false;
	*v = reg->read(s, (int)r);
	if (r == R_ICR)
		*v |= (u64)s->icr[1] << 32;
	return true;
}

static u32 reserved_bits(const struct reg *reg, u32 r)
{
	return reg->write == write_lvt ? ~(lvt_writable[r - R_LVT] | 0x5000) : reg->reserved;
}

bool apic_msr_write(struct cpu *cpu, u32 r, u64 v)
{
	struct apic *s = cpu->apic;
	const struct reg *reg = reg_find(r);

	if (!s || !apic_x2apic(s) || !reg || !(reg->wr_in & X2))
		return false;
	if ((u32)v & reserved_bits(reg, r) || (v >> 32 && r != R_ICR))
		return false;
	if (r == R_ICR)
		s->icr[1] = v >> 32;
	reg->write(s, (int)r, (u32)v);
	return true;
}

/* -- IA32_APIC_BASE ---------------------------------------------------------------------------- */
u64 cpu_get_apic_base(const struct cpu *cpu)
{
	return cpu->apic ? reg_get(&cpu->apic->base) : 0;
}

/* Turned off or on again, it is as after a reset. */
static UNCHECKED void set_mode(struct apic *s, u32 base)
{
	bool locked = apic_lock(), was_on = reg_get(&s->base) & APIC_BASE_ENABLE;
	u32 id = (u32)s->cpu->cpu_index;

	reg_set(&s->base, base);
	if (!was_on || !(base & APIC_BASE_ENABLE))
		apic_init_reset(s->cpu);
	if (base & APIC_BASE_X2APIC) {
		reg_set(&s->id, id);
		reg_set(&s->ldr, (id & ~0xfu) << 12 | 1u << (id & 0xf));
	}
	apic_update_intr(s);
	apic_unlock(locked);
}

/* Modes as figure 10-27 allows them: x2APIC is left by turning off only, and not
 * entered from there. */
bool cpu_set_apic_base(struct cpu *cpu, u64 v)
{
	struct apic *s = cpu->apic;
	const u32 mode = APIC_BASE_ENABLE | APIC_BASE_X2APIC;
	u32 old = s ? reg_get(&s->base) : 0;

	if (!s || v >> 32 || v & 0x2ff)
		return false;
	if ((v & mode) == APIC_BASE_X2APIC || ((v & APIC_BASE_X2APIC) && !(old & APIC_BASE_ENABLE)) ||
	    ((old & APIC_BASE_X2APIC) && (v & mode) == APIC_BASE_ENABLE))
		return false;
	if ((v & 0xfffff000) != APIC_DEFAULT_ADDRESS)
		log_item(LOG_GUEST_ERRORS | LOG_UNIMP, "CPU %d: local APIC moved to %08x, "
			 "where it does not answer: it stays at %08x\n", cpu->cpu_index,
			 (u32)v & 0xfffff000, APIC_DEFAULT_ADDRESS);
	set_mode(s, ((u32)v & ~(u32)APIC_BASE_BSP) | (old & APIC_BASE_BSP));
	return true;
}
