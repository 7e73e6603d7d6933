/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/qemu/cputlb.c - the soft TLB.
 *
 * A flat table per mode and direction holds, for each of the 2^20 pages of the
 * linear address space, what to add to a guest address to get the host's; an
 * absent page has TLB_INVALID. Nothing conflicts, so there is no victim TLB.
 * tlb_full, a small cache behind it, remembers what the slow path needs:
 * region and physical address of MMIO, ROM and pages with translated code.
 *
 * A page's write entry stays absent while it holds translated code: stores go
 * through cpu_slow_probe, which asks the TB store whether a byte of code is
 * hit. Upstream: accel/tcg/cputlb.c. */
#include <stdlib.h>
#include <string.h>

#include "env/log.h"
#include "env/map.h"
#include "qemu/cpus.h"
#include "qemu/memory.h"
#include "qemu/target.h"
#include "tcg/tb.h"
#include "tcg/x64.h"

enum { PROT_R = 1, PROT_W = 2, PROT_X = 4, MANY_FILLED = 1 << 16 };

static const u8 access_prot[] = {
	[MMU_DATA_LOAD] = PROT_R, [MMU_DATA_STORE] = PROT_W, [MMU_INST_FETCH] = PROT_X,
};

static void stack_forget(struct cpu *cpu)
{
	__atomic_store_n(&cpu->stack_tag, TLB_INVALID, __ATOMIC_RELAXED);
}

/* -- jump caches ------------------------------------------------------------------ */

static u64 *jc_page_word(struct cpu *cpu, gva addr, u64 *bit)
{
	u32 page = (u32)addr >> PAGE_BITS, h = page ^ page >> 10;

	*bit = 1ull << (h % 64);
	return &cpu->jc_pages[h / 64 % ARRAY_SIZE(cpu->jc_pages)];
}

/* ~0 hashes to place 0 only; 1 does not. */
static u32 jc_nothing(u32 place)
{
	return place ? ~0u : 1;
}

static void jc_clear(struct cpu *cpu, int s)
{
	u32 *pc = cpu_tables(cpu)->jc[s].pc;
	struct jc_set *set = &cpu->jc[s];

	if (set->n > JC_LIST) {
		memset(pc, 0xff, JC_SIZE * sizeof(*pc));
		pc[0] = jc_nothing(0);
	} else {
		for (u32 i = 0; i < set->n; i++)
			pc[set->list[i]] = jc_nothing(set->list[i]);
	}
	set->n = 0;
}

static void jc_clear_all(struct cpu *cpu)
{
	cpu->ret_reset = true;
	for (int s = 0; s < JC_SETS; s++)
		jc_clear(cpu, s);
	memset(cpu->jc_pages, 0, sizeof(cpu->jc_pages));
}

bool jc_claim(struct cpu *cpu, int s, u64 cs_base, u32 flags)
{
	struct jc_set *set = &cpu->jc[s];

	if (set->cs_base == cs_base && set->flags == flags)
		return false;
	jc_clear(cpu, s);
	set->cs_base = cs_base;
	set->flags = flags;
	return true;
}

void jc_insert(struct cpu *cpu, int s, u32 pc, const struct tb *tb, gva linear)
{
	struct jc_table *t = &cpu_tables(cpu)->jc[s];
	u32 h = jc_hash(pc);
	u64 bit, *word;

	for (int i = 0; i < 2; i++) {                /* its page(s)         */
		word = jc_page_word(cpu, linear + (u64)i * (tb->size - 1u), &bit);
		*word |= bit;
	}
	if (cpu->jc[s].n < JC_LIST)
		cpu->jc[s].list[cpu->jc[s].n] = (u16)h;
	if (cpu->jc[s].n <= JC_LIST)
		cpu->jc[s].n++;
	t->host[h] = (u64)(uintptr_t)tb->code;
	__atomic_store_n(&t->pc[h], pc, __ATOMIC_RELEASE);
}

void jc_remove(struct cpu *cpu, u32 pc)
{
	u32 h = jc_hash(pc);

	for (int s = 0; s < JC_SETS; s++)
		if (cpu_tables(cpu)->jc[s].pc[h] == pc)
			__atomic_store_n(&cpu_tables(cpu)->jc[s].pc[h], jc_nothing(h),
					 __ATOMIC_RELAXED);
}

/* Entries name no page: if one may lead to this page all go. */
static void jc_clear_page(struct cpu *cpu, gva addr)
{
	u64 bit, *word = jc_page_word(cpu, addr, &bit);

	if (*word & bit)
		jc_clear_all(cpu);
}

/* -- life ---------------------------------------------------------------------- */

/* Host return stack: frames grow down towards a page that faults. */
static void ret_stack_init(struct cpu *cpu)
{
	u8 *p = map_anon(NULL, RET_STACK_BYTES + HOST_PAGE, false);

	if (!p)
		die("no memory for a vCPU");
	map_guard(p, HOST_PAGE);
	cpu->ret_top = cpu->ret_sp = (u64)(uintptr_t)p + RET_STACK_BYTES;
	*(u64 *)(uintptr_t)cpu->ret_top = (u64)(uintptr_t)tcg_ret_empty;
}

static size_t cpu_map_bytes(void)
{
	size_t total = CPU_TABLES_OFS + sizeof(struct cpu_tables);

	return (total + HOST_PAGE - 1) & ~(size_t)(HOST_PAGE - 1);
}

struct cpu *cpu_alloc(size_t size)
{
	struct cpu *cpu;

	ASSERT(size <= CPU_TABLES_OFS);
	cpu = map_anon(NULL, cpu_map_bytes(), false);
	if (!cpu)
		die("no memory for a vCPU");
	tlb_init(cpu);
	ret_stack_init(cpu);
	return cpu;
}

void cpu_free(struct cpu *cpu)
{
	for (int m = 0; m < NB_MMU_MODES; m++)
		free(cpu->tlb_filled[m]);
	map_free((u8 *)(uintptr_t)cpu->ret_top - RET_STACK_BYTES,
		 RET_STACK_BYTES + HOST_PAGE);
	map_free(cpu, cpu_map_bytes());
}

void tlb_init(struct cpu *cpu)
{
	struct cpu_tables *t = cpu_tables(cpu);

	map_pattern(t->tlb, sizeof(t->tlb), TLB_INVALID);
	for (int m = 0; m < NB_MMU_MODES; m++) {
		cpu->tlb_max_filled[m] = 1024;
		cpu->tlb_filled[m] = malloc(1024 * sizeof(u32));
		if (!cpu->tlb_filled[m])
			die("out of memory");
	}
	cpu->stack_tag = TLB_INVALID;
	cpu->large_addr = ~0ull;
	for (int s = 0; s < JC_SETS; s++)
		cpu->jc[s].n = JC_LIST + 1;  /* all of it is to be cleared  */
	jc_clear_all(cpu);
}

static void tlb_flush_mode(struct cpu *cpu, int mode)
{
	struct cpu_tables *t = cpu_tables(cpu);
	u32 n = cpu->tlb_n_filled[mode];

	if (n > MANY_FILLED) {
		map_pattern_reset(t->tlb[mode], sizeof(t->tlb[mode]));
	} else {
		for (u32 i = 0; i < n; i++) {
			u32 page = cpu->tlb_filled[mode][i];

			t->tlb[mode][0][page] = TLB_INVALID;
			t->tlb[mode][1][page] = TLB_INVALID;
		}
	}
	cpu->tlb_n_filled[mode] = 0;
	for (int i = 0; i < TLB_FULL_SIZE; i++)
		cpu->tlb_full[mode][i].page = 0;
}

void tlb_add_large_page(struct cpu *cpu, gva addr, u64 size)
{
	u64 mask = ~(size - 1);

	if (cpu->large_addr == ~0ull) {
		cpu->large_addr = addr & mask;
		cpu->large_mask = mask;
		return;
	}
	/* Widen the range until it holds both. */
	mask &= cpu->large_mask;
	while ((cpu->large_addr ^ addr) & mask)
		mask <<= 1;
	cpu->large_addr &= mask;
	cpu->large_mask = mask;
}

void tlb_flush(struct cpu *cpu)
{
	cpu->stat.flushes++;
	cpu->large_addr = ~0ull;
	stack_forget(cpu);
	for (int m = 0; m < NB_MMU_MODES; m++)
		tlb_flush_mode(cpu, m);
	jc_clear_all(cpu);
}

void tlb_flush_page(struct cpu *cpu, gva addr)
{
	struct cpu_tables *t = cpu_tables(cpu);
	u32 page = (u32)(addr >> PAGE_BITS);

	if ((addr & cpu->large_mask) == cpu->large_addr) {
		tlb_flush(cpu);
		return;
	}
	cpu->stat.page_flushes++;
	stack_forget(cpu);
	for (int m = 0; m < NB_MMU_MODES; m++) {
		t->tlb[m][0][page] = TLB_INVALID;
		t->tlb[m][1][page] = TLB_INVALID;
		cpu->tlb_full[m][page % TLB_FULL_SIZE].page = 0;
	}
	jc_clear_page(cpu, addr);
}

void tlb_memory_map_changed(void)
{
	struct cpu *cpu;

	CPU_FOREACH(cpu)
		tlb_flush(cpu);
}

/* -- filling --------------------------------------------------------------------- */

static struct tlb_full *full_slot(struct cpu *cpu, gva addr, int mode)
{
	return &cpu->tlb_full[mode][(addr >> PAGE_BITS) % TLB_FULL_SIZE];
}

static void note_filled(struct cpu *cpu, int mode, u32 page)
{
	u32 n = cpu->tlb_n_filled[mode];

	if (n == cpu->tlb_max_filled[mode]) {
		if (n > MANY_FILLED)
			return;              /* the flush drops everything  */
		cpu->tlb_max_filled[mode] = n * 2;
		cpu->tlb_filled[mode] = realloc(cpu->tlb_filled[mode], n * 2 * sizeof(u32));
		if (!cpu->tlb_filled[mode])
			die("out of memory");
	}
	cpu->tlb_filled[mode][n] = page;
	cpu->tlb_n_filled[mode] = n + 1;
}

static ram_addr full_ram(const struct tlb_full *f)
{
	return f->mr->ram + f->mr_offset;
}

static bool is_ram(const struct tlb_full *f)
{
	return f->mr && (f->mr->type == MR_RAM || f->mr->type == MR_ROM);
}

static bool watched(struct cpu *cpu, gva addr)
{
	return cpu->n_watch && target_page_watched(cpu, addr & PAGE_MASK);
}

void tlb_set_page(struct cpu *cpu, gva addr, gpa phys, int prot, int mode)
{
	u32 page = (u32)(addr >> PAGE_BITS);
	struct tlb_full *f = full_slot(cpu, addr, mode);
	u64 (*t)[TLB_PAGES] = cpu_tables(cpu)->tlb[mode], addend, len;

	cpu->stat.fills++;
	*f = (struct tlb_full){ .page = (gva)page << PAGE_BITS | 1,
				.phys = phys & PAGE_MASK, .prot = (u8)prot };
	f->mr = address_space_translate(&address_space_memory, f->phys, &f->mr_offset, &len);
	f->mixed = len < PAGE_SIZE;
	if (!is_ram(f) || watched(cpu, addr))
		return;
	if (t[0][page] == TLB_INVALID && t[1][page] == TLB_INVALID)
		note_filled(cpu, mode, page);
	addend = (u64)(uintptr_t)ram_arena + full_ram(f) - ((u64)page << PAGE_BITS);
	t[0][page] = prot & PROT_R ? addend : TLB_INVALID;
	t[1][page] = prot & PROT_W && f->mr->type == MR_RAM &&
		     !tb_page_has_code(full_ram(f)) ? addend : TLB_INVALID;
}

/* A RAM page gets code: its stores must take the slow path from now on. */
void tlb_code_page(ram_addr ram)
{
	u64 host = (u64)(uintptr_t)ram_arena + ram;
	struct cpu *cpu;

	CPU_FOREACH(cpu) {
		stack_forget(cpu);
		for (int m = 0; m < NB_MMU_MODES; m++) {
			u64 *w = cpu_tables(cpu)->tlb[m][1];

			for (u32 i = 0; i < cpu->tlb_n_filled[m]; i++) {
				u32 page = cpu->tlb_filled[m][i];

				if (w[page] + ((u64)page << PAGE_BITS) == host)
					w[page] = TLB_INVALID;
			}
		}
	}
}

/* The page's entry with the right wanted; fills it (or faults). With `probe`
 * NULL instead of a fault. */
static struct tlb_full *full_get(struct cpu *cpu, gva addr, enum mmu_access rw,
				 int mode, bool probe)
{
	struct tlb_full *f = full_slot(cpu, addr, mode);
	gva page = (addr & PAGE_MASK) | 1;

	if (f->page == page && f->prot & access_prot[rw])
		return f;
	if (!target_tlb_fill(cpu, addr, rw, mode, probe))
		return NULL;
	return f;
}

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

void cpu_code_store(struct cpu *cpu, ram_addr ram, unsigned n)
{
	struct tb *tb;

	if (!tb_page_hit(ram, n))
		return;
	tb = cpu_current_tb(cpu);
	if (tb_invalidate_range(ram, n, tb) && tb->n_insns > 1)
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

	cpu->stat.io++;
	return memory_region_dispatch_read(mr, off, size);
}

static void io_writex(struct cpu *cpu, const struct tlb_full *f, gva addr, u64 val,
		      unsigned size)
{
	u64 off;
	struct memory_region *mr = io_region(f, addr, &off);

	cpu->stat.io++;
	memory_region_dispatch_write(mr, off, val, size);
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
		memcpy(to, ram_arena + full_ram(f) + (addr & ~PAGE_MASK), n);
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
			memcpy(ram_arena + full_ram(f) + (addr & ~PAGE_MASK), from, n);
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
		s[i].full = *full_get(cpu, s[i].addr, rw, mode, false);
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

/* -- for translated code ------------------------------------------------------------------ */

u64 cpu_slow_probe(struct cpu *cpu, u32 addr, u32 size, u32 access)
{
	int mode = access >> 4 & 15, kind = access >> 8;
	enum mmu_access rw = kind == ACCESS_READ ? MMU_DATA_LOAD : MMU_DATA_STORE;
	struct span s[2];
	int n = span_pages(cpu, addr, size, rw, mode, s);
	u8 *to = cpu->bounce;

	cpu->stat.slow++;
	cpu->bounce_size = 0;
	if (rw == MMU_DATA_STORE)
		span_code_store(cpu, s, n);
	if (n == 1 && is_ram(&s[0].full) &&
	    (rw == MMU_DATA_LOAD || s[0].full.mr->type == MR_RAM))
		return (u64)(uintptr_t)ram_arena + full_ram(&s[0].full) + (addr & ~PAGE_MASK);
	if (kind != ACCESS_STORE)
		for (int i = 0; i < n; to += s[i].n, i++)
			page_read(cpu, &s[i].full, s[i].addr, to, s[i].n);
	cpu->bounce_gva = addr;
	if (rw == MMU_DATA_STORE) {
		cpu->bounce_size = size;
		cpu->bounce_mode = mode;
	}
	return (u64)(uintptr_t)cpu->bounce;
}

static void span_write(struct cpu *cpu, const struct span *s, int n, const u8 *from)
{
	for (int i = 0; i < n; from += s[i].n, i++)
		page_write(cpu, &s[i].full, s[i].addr, from, s[i].n);
}

void cpu_write_back(struct cpu *cpu)
{
	struct span s[2];
	int n = span_pages(cpu, cpu->bounce_gva, cpu->bounce_size, MMU_DATA_STORE,
			   cpu->bounce_mode, s);

	span_write(cpu, s, n, cpu->bounce);
}

/* -- for helpers ------------------------------------------------------------------------------ */

static inline bool one_page(gva a, unsigned size)
{
	return (a & ~PAGE_MASK) + size <= PAGE_SIZE;
}

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
	addend = cpu_tables(cpu)->tlb[mode][0][a >> PAGE_BITS];
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
	addend = cpu_tables(cpu)->tlb[mode][1][a >> PAGE_BITS];
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
	addend = cpu_tables(cpu)->tlb[mode][rw == MMU_DATA_STORE][a >> PAGE_BITS];
	if (addend != TLB_INVALID && rw != MMU_INST_FETCH)
		return (hva)(uintptr_t)(a + addend);
	f = full_get(cpu, a, rw, mode, quiet);
	if (!f || (!quiet && watched(cpu, a)) || !is_ram(f) || (rw == MMU_DATA_STORE && f->mr->type != MR_RAM))
		return NULL;
	if (rw == MMU_DATA_STORE)
		cpu_code_store(cpu, full_ram(f) + (a & ~PAGE_MASK), (unsigned)size);
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

/* -- instruction fetch ---------------------------------------------------------------------- */

static bool code_page(const struct tlb_full *f, const u8 **host, ram_addr *ram)
{
	*host = NULL;
	if (!f)
		return false;
	if (is_ram(f)) {
		*ram = full_ram(f);
		*host = ram_arena + *ram;
	}
	return true;
}

bool cpu_code_page_nofault(struct cpu *cpu, gva addr, const u8 **host, ram_addr *ram)
{
	return code_page(full_get(cpu, (u32)addr, MMU_INST_FETCH, cpu->fetch_mode, true), host, ram);
}

const u8 *cpu_code_page(struct cpu *cpu, gva addr, ram_addr *ram)
{
	const u8 *host;

	code_page(full_get(cpu, (u32)addr, MMU_INST_FETCH, cpu->fetch_mode, false), &host, ram);
	return host;
}

/* -- DMA and the like -------------------------------------------------------------------------- */

void tb_invalidate_phys_range(ram_addr addr, u64 n)
{
	tb_invalidate_range(addr, n, NULL);
}
