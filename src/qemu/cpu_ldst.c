/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/qemu/cpu_ldst.c - a vCPU's loads and stores that the soft TLB's flat table does
 * not serve: device registers, two pages, stores to pages with code, breakpoints;
 * for translated code (cpu_slow_probe, cpu_write_back) and for helpers (cpu_ldl
 * and the like).
 *
 * What translated code cannot do in place it does in cpu->bounce: a load finds its
 * bytes there, a store leaves them and calls cpu_write_back.
 * Upstream: accel/tcg/cputlb.c, ldst_common.c.inc. */
#include <string.h>

#include "qemu/cpus.h"
#include "qemu/memory.h"
#include "qemu/target.h"
#include "qemu/tlb_full.h"
#include "tcg/tb.h"
#include "tcg/x64.h"

/* -- stores beside and into code ---------------------------------------------------- */

struct tb *cpu_current_tb(struct cpu *cpu)
{
	return cpu->host_pc ? tcg_tb_lookup(cpu->host_pc - 1) : NULL;
}

void cpu_run_alone(struct cpu *cpu)
{
	struct tb *tb = cpu_current_tb(cpu);

	if (!tb || tb->cflags & CF_NOCACHE)
		return;
	cpu_restore_state(cpu);
	cpu->cflags_next_tb = 1 | CF_NOCACHE | CF_NO_STACK | CF_NOIRQ;
	cpu->exception_index = EXCP_NONE;
	cpu_loop_exit(cpu);
}

/* The TB under way may have been dropped by another vCPU's store and be in no
 * page's list any more. */
static bool is_running_dropped(struct cpu *cpu, ram_addr ram, unsigned n)
{
	struct tb *tb;

	if (!cpu_parallel(cpu) || !tb_page_dropped(ram))
		return false;
	tb = cpu_current_tb(cpu);
	return tb && !tb_is_valid(tb) && tb->n_insns > 1 && tb_depends(tb, ram, n);
}

void cpu_code_store(struct cpu *cpu, ram_addr ram, unsigned n)
{
	struct tb *tb;

	if (tb_page_hit(ram, n) && tb_page_hit_exact(ram, n)) {
		if (n == HOLE_BYTES)
			smc_note_store(ram);
		tb = cpu_current_tb(cpu);
		if (tb_invalidate_range(ram, n, tb) && tb->n_insns > 1)
			cpu_run_alone(cpu);
	}
	if (is_running_dropped(cpu, ram, n))
		cpu_run_alone(cpu);
}

/* -- MMIO ------------------------------------------------------------------------------ */

/* The region at `addr` of the page, and the place in it. */
static struct memory_region *io_region(const struct tlb_full *f, gva addr, u64 *off)
{
	u64 in_page = addr & ~PAGE_MASK, len;

	if (f->mixed)
		return address_space_translate(&address_space_memory, f->phys + in_page, off,
					       &len);
	*off = f->mr_offset + in_page;
	return f->mr;
}

static u64 io_readx(struct cpu *cpu, const struct tlb_full *f, gva addr, unsigned size)
{
	u64 off;
	struct memory_region *mr = io_region(f, addr, &off);

	STAT_INC(io);
	return memory_region_dispatch_read(mr, off, size);
}

static void io_writex(struct cpu *cpu, const struct tlb_full *f, gva addr, u64 val,
		      unsigned size)
{
	u64 off;
	struct memory_region *mr = io_region(f, addr, &off);

	STAT_INC(io);
	memory_region_dispatch_write(mr, off, val, size);
}

/* Guest memory, in one access when that is one of 1, 2, 4 or 8 bytes: other
 * vCPUs must not see part of it. Two that race here are the guest's own affair,
 * which the thread sanitizer is not to report. */
__attribute__((no_sanitize("thread")))
static void ram_copy(void *to, const void *from, unsigned n)
{
	u8 *d = to;
	const u8 *s = from;

	switch (n) {
	case 1: __builtin_memcpy(d, s, 1); break;
	case 2: __builtin_memcpy(d, s, 2); break;
	case 4: __builtin_memcpy(d, s, 4); break;
	case 8: __builtin_memcpy(d, s, 8); break;
	default:
		while (n--)
			*d++ = *s++;
	}
}

/* The largest power of two up to 4 that fits `left`. */
static unsigned io_step(unsigned left)
{
	return left >= 4 ? 4 : left >= 2 ? 2 : 1;
}

static void page_read(struct cpu *cpu, const struct tlb_full *f, gva addr, u8 *to, unsigned n)
{
	unsigned step;

	if (is_ram(f)) {
		ram_copy(to, ram_arena + full_ram(f) + (addr & ~PAGE_MASK), n);
		return;
	}
	for (; n; n -= step, addr += step, to += step) {
		u64 v;

		step = io_step(n);
		v = io_readx(cpu, f, addr, step);
		memcpy(to, &v, step);
	}
}

static void page_write(struct cpu *cpu, const struct tlb_full *f, gva addr, const u8 *from,
		       unsigned n)
{
	unsigned step;

	if (is_ram(f)) {
		if (f->mr->type == MR_RAM)
			ram_copy(ram_arena + full_ram(f) + (addr & ~PAGE_MASK), from, n);
		return;
	}
	for (; n; n -= step, addr += step, from += step) {
		u64 v = 0;

		step = io_step(n);
		memcpy(&v, from, step);
		io_writex(cpu, f, addr, v, step);
	}
}

/* An access of `size` bytes as its parts in one or two pages. */
struct span { gva addr; unsigned n; struct tlb_full full; };

static int span_pages(struct cpu *cpu, gva addr, unsigned size, enum mmu_access rw, int mode,
		      struct span s[2])
{
	unsigned in_first = (unsigned)(PAGE_SIZE - (addr & ~PAGE_MASK));
	int n = size > in_first ? 2 : 1;

	s[0].addr = addr;
	s[0].n = MIN(size, in_first);
	s[1].addr = (u32)(addr + in_first);
	s[1].n = size - s[0].n;
	if (n == 2 && !s[1].addr)
		target_access_wraps(cpu, addr);
	for (int i = 0; i < n; i++)
		s[i].full = *tlb_full_get(cpu, s[i].addr, rw, mode, false);
	if (cpu->n_watch)
		target_access_watch(cpu, addr, size, rw == MMU_DATA_STORE);
	return n;
}

/* Before any byte of a store is written: code under it is dropped. */
static void span_code_store(struct cpu *cpu, const struct span *s, int n)
{
	for (int i = 0; i < n; i++)
		if (is_ram(&s[i].full) && s[i].full.mr->type == MR_RAM)
			cpu_code_store(cpu, full_ram(&s[i].full) + (s[i].addr & ~PAGE_MASK), s[i].n);
}

/* After the bytes are written: code made of what was there before is dropped.
 * Nobody else translates when this vCPU runs alone. */
static void span_stored(struct cpu *cpu, const struct span *s, int n)
{
	if (!cpu_parallel(cpu))
		return;
	for (int i = 0; i < n; i++)
		if (is_ram(&s[i].full) && s[i].full.mr->type == MR_RAM)
			tb_invalidate_range(full_ram(&s[i].full) + (s[i].addr & ~PAGE_MASK),
					    s[i].n, NULL);
}

/* -- for translated code ------------------------------------------------------------------ */

/* The access can be made at its place in RAM. A store to a marked page is to be
 * told to the TB store once it is made: translated code then calls
 * cpu_write_back as for the bounce buffer. */
static u64 probe_direct(struct cpu *cpu, const struct span *s, enum mmu_access rw, int mode)
{
	ram_addr ram = full_ram(&s->full) + (s->addr & ~PAGE_MASK);

	if (rw == MMU_DATA_STORE && !tlb_set_dirty(cpu, &s->full, s->addr, mode) &&
	    cpu_parallel(cpu)) {
		cpu->bounce_ram = ram;
		cpu->bounce_size = s->n;
	}
	return (u64)(uintptr_t)ram_arena + ram;
}

/* A store beside code, the commonest that comes here: where it is to be made, 0
 * when it is not that. */
static u64 probe_beside_code(struct cpu *cpu, u32 addr, u32 size, int mode)
{
	const struct tlb_full *f = full_slot(cpu, addr, mode);
	ram_addr ram;

	if (!full_holds(cpu, f, addr) || !(f->prot & PROT_W) ||
	    !one_page(addr, size) || cpu->n_watch || f->mixed || !is_ram(f) ||
	    f->mr->type != MR_RAM)
		return 0;
	ram = full_ram(f) + (addr & ~PAGE_MASK);
	if (!tb_store_beside(ram, size))
		return 0;
	cpu->bounce_size = 0;
	if (cpu_parallel(cpu)) {
		cpu->bounce_ram = ram;
		cpu->bounce_size = size;
	}
	return (u64)(uintptr_t)ram_arena + ram;
}

/* A device register, the next commonest: one page, of one region. */
static inline const struct tlb_full *io_page(struct cpu *cpu, gva addr, unsigned size, int prot,
					     int mode)
{
	const struct tlb_full *f = full_slot(cpu, addr, mode);

	return full_holds(cpu, f, addr) && f->prot & prot && one_page(addr, size) &&
	       size <= 4 && !cpu->n_watch && !f->mixed && f->mr && f->mr->type == MR_IO ?
		f : NULL;
}

/* A load, or what a store is made on: see the bounce buffer. False: it is not that. */
static inline bool probe_io(struct cpu *cpu, u32 addr, u32 size, int prot, int mode)
{
	const struct tlb_full *f = io_page(cpu, addr, size, prot, mode);
	u64 v;

	if (!f)
		return false;
	cpu->bounce_size = 0;
	if (prot == PROT_R) {
		v = io_readx(cpu, f, addr, size);
		memcpy(cpu->bounce, &v, sizeof(v));
	} else {
		cpu->bounce_size = size;
		cpu->bounce_mode = mode;
		cpu->bounce_ram = ~0ull;
	}
	cpu->bounce_gva = addr;
	return true;
}

/* RAM whose entry was only not there yet: filled, or the fault raised. 0: it is
 * something else. */
static u64 probe_fill(struct cpu *cpu, u32 addr, u32 size, enum mmu_access rw, int mode)
{
	u64 addend;

	if (!one_page(addr, size) || cpu->n_watch)
		return 0;
	tlb_full_get(cpu, addr, rw, mode, false);
	addend = tlb_entry(cpu, mode, rw == MMU_DATA_STORE, addr);
	if (addend == TLB_INVALID)
		return 0;
	cpu->bounce_size = 0;
	return addr + addend;
}

/* LOCK: what is not one access to RAM is done with all other vCPUs stopped. */
static __attribute__((noinline)) u64 probe_any(struct cpu *cpu, u32 addr, u32 size, u32 access)
{
	int mode = access >> 4 & 15, kind = access >> 8 & 15;
	enum mmu_access rw = kind == ACCESS_READ ? MMU_DATA_LOAD : MMU_DATA_STORE;
	u8 *to = cpu->bounce;
	struct span s[2];
	bool direct;
	u64 at;
	int n;

	if (kind == ACCESS_STORE && probe_io(cpu, addr, size, PROT_W, mode))
		return (u64)(uintptr_t)cpu->bounce;
	at = probe_fill(cpu, addr, size, rw, mode);
	if (at)
		return at;
	n = span_pages(cpu, addr, size, rw, mode, s);
	direct = n == 1 && is_ram(&s[0].full) &&
		 (rw == MMU_DATA_LOAD || s[0].full.mr->type == MR_RAM);
	cpu->bounce_size = 0;
	if (kind == ACCESS_LOCK && !direct && cpu_parallel(cpu))
		cpu_loop_exit_atomic(cpu);
	if (rw == MMU_DATA_STORE)
		span_code_store(cpu, s, n);
	if (direct)
		return probe_direct(cpu, s, rw, mode);
	if (kind != ACCESS_STORE)
		for (int i = 0; i < n; to += s[i].n, i++)
			page_read(cpu, &s[i].full, s[i].addr, to, s[i].n);
	cpu->bounce_gva = addr;
	if (rw == MMU_DATA_STORE) {
		cpu->bounce_size = size;
		cpu->bounce_mode = mode;
		cpu->bounce_ram = ~0ull;
	}
	return (u64)(uintptr_t)cpu->bounce;
}

u64 cpu_slow_probe(struct cpu *cpu, u32 addr, u32 size, u32 access)
{
	int mode = access >> 4 & 15;
	u64 at = 0;

	STAT_INC(slow);
	if (cpu->window_miss) {
		tb_invalidate_range(cpu->window_miss - 1, 1, NULL);
		cpu->window_miss = 0;
	}
	if (access & ACCESS_ALIGNED && addr & (size - 1))
		target_misaligned(cpu, addr);
	if ((access >> 8 & 15) != ACCESS_READ)
		at = probe_beside_code(cpu, addr, size, mode);
	else if (probe_io(cpu, addr, size, PROT_R, mode))
		at = (u64)(uintptr_t)cpu->bounce;
	return at ? at : probe_any(cpu, addr, size, access);
}

/* As for a load, whatever the access will be: that sets no D bit too early. */
void cpu_fill_page(struct cpu *cpu, u32 addr, u32 mode)
{
	tlb_full_get(cpu, addr, MMU_DATA_LOAD, (int)mode, true);
}

static void span_write(struct cpu *cpu, const struct span *s, int n, const u8 *from)
{
	for (int i = 0; i < n; from += s[i].n, i++)
		page_write(cpu, &s[i].full, s[i].addr, from, s[i].n);
	span_stored(cpu, s, n);
}

void cpu_write_back(struct cpu *cpu)
{
	const struct tlb_full *f;
	struct span s[2];
	u64 v = 0;
	int n;

	if (cpu->bounce_ram != ~0ull) {
		tb_invalidate_range(cpu->bounce_ram, cpu->bounce_size, NULL);
		return;
	}
	f = io_page(cpu, cpu->bounce_gva, cpu->bounce_size, PROT_W, cpu->bounce_mode);
	if (f) {
		memcpy(&v, cpu->bounce, cpu->bounce_size);
		io_writex(cpu, f, cpu->bounce_gva, v, cpu->bounce_size);
		return;
	}
	n = span_pages(cpu, cpu->bounce_gva, cpu->bounce_size, MMU_DATA_STORE,
		       cpu->bounce_mode, s);
	span_write(cpu, s, n, cpu->bounce);
}

/* -- for helpers ------------------------------------------------------------------------------ */

static void load_slow(struct cpu *cpu, gva a, void *to, unsigned size, int mode)
{
	struct span s[2];
	int n = span_pages(cpu, a, size, MMU_DATA_LOAD, mode, s);

	for (int i = 0; i < n; to = (u8 *)to + s[i].n, i++)
		page_read(cpu, &s[i].full, s[i].addr, to, s[i].n);
}

static inline void load(struct cpu *cpu, gva a, void *to, unsigned size, int mode)
{
	u64 addend;

	a = (u32)a;
	addend = tlb_entry(cpu, mode, false, a);
	if (addend != TLB_INVALID && one_page(a, size))
		memcpy(to, (const void *)(uintptr_t)(a + addend), size);
	else
		load_slow(cpu, a, to, size, mode);
}

static void store_slow(struct cpu *cpu, gva a, const void *from, unsigned size, int mode)
{
	struct span s[2];
	int n = span_pages(cpu, a, size, MMU_DATA_STORE, mode, s);

	span_code_store(cpu, s, n);
	span_write(cpu, s, n, from);
}

static inline void store(struct cpu *cpu, gva a, const void *from, unsigned size, int mode)
{
	u64 addend;

	a = (u32)a;
	addend = tlb_entry(cpu, mode, true, a);
	if (addend != TLB_INVALID && one_page(a, size))
		memcpy((void *)(uintptr_t)(a + addend), from, size);
	else
		store_slow(cpu, a, from, size, mode);
}

#define LDST(_) _(b, ub, u8) _(w, uw, u16) _(l, l, u32) _(q, q, u64)
#define LDST_FNS(s, l, type)                                                   \
	type cpu_ld##l(struct cpu *cpu, gva a, int mode)                       \
	{                                                                      \
		type v;                                                        \
		load(cpu, a, &v, sizeof(v), mode);                             \
		return v;                                                      \
	}                                                                      \
	void cpu_st##s(struct cpu *cpu, gva a, type v, int mode)               \
	{                                                                      \
		store(cpu, a, &v, sizeof(v), mode);                            \
	}
LDST(LDST_FNS)

static hva probe(struct cpu *cpu, gva a, int size, enum mmu_access rw, int mode, bool quiet)
{
	struct tlb_full *f;
	u64 addend;

	a = (u32)a;
	if (!one_page(a, (unsigned)size))
		return NULL;
	addend = tlb_entry(cpu, mode, rw == MMU_DATA_STORE, a);
	if (addend != TLB_INVALID && rw != MMU_INST_FETCH)
		return (hva)(uintptr_t)(a + addend);
	f = tlb_full_get(cpu, a, rw, mode, quiet);
	if (!f || (!quiet && watched(cpu, a)) || !is_ram(f) ||
	    (rw == MMU_DATA_STORE && f->mr->type != MR_RAM))
		return NULL;
	if (rw == MMU_DATA_STORE) {
		cpu_code_store(cpu, full_ram(f) + (a & ~PAGE_MASK), (unsigned)size);
		if (!tlb_set_dirty(cpu, f, a, mode) && cpu_parallel(cpu))
			return NULL;         /* each store is to be told    */
	}
	return ram_arena + full_ram(f) + (a & ~PAGE_MASK);
}

hva probe_access(struct cpu *cpu, gva a, int size, enum mmu_access rw, int mode)
{
	return probe(cpu, a, size, rw, mode, false);
}

hva probe_access_nofault(struct cpu *cpu, gva a, int size, enum mmu_access rw, int mode)
{
	return probe(cpu, a, size, rw, mode, true);
}

void probe_write(struct cpu *cpu, gva a, int size, int mode)
{
	struct span s[2];

	span_pages(cpu, (u32)a, (unsigned)size, MMU_DATA_STORE, mode, s);
}

u8 cpu_atomic_setb(struct cpu *cpu, gva a, u8 set, u8 clear, int mode)
{
	struct span s[2];
	u8 old, *p;

	span_pages(cpu, (u32)a, 1, MMU_DATA_STORE, mode, s);
	if (!is_ram(&s->full) || s->full.mr->type != MR_RAM) {
		page_read(cpu, &s->full, s->addr, &old, 1);
		page_write(cpu, &s->full, s->addr, &(u8){ (old & ~clear) | set }, 1);
		return old;
	}
	span_code_store(cpu, s, 1);
	p = ram_arena + full_ram(&s->full) + (s->addr & ~PAGE_MASK);
	old = __atomic_load_n(p, __ATOMIC_RELAXED);
	while (!__atomic_compare_exchange_n(p, &old, (u8)((old & ~clear) | set), false,
					    __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
		;
	span_stored(cpu, s, 1);
	return old;
}

/* -- stores that no vCPU makes ------------------------------------------------------------------ */

void tb_invalidate_phys_range(ram_addr addr, u64 n)
{
	tb_invalidate_range(addr, n, NULL);
}
