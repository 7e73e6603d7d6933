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
 * hit.
 *
 * Other threads. The vCPU whose translation marks a page takes the page's write
 * entries out of all TLBs (tlb_code_page). The owner fills an entry under its
 * tlb_lock, after it has looked at the page's mark; the marker sets the mark, then
 * searches under that lock: so the one sees the mark, or the other the entry.
 * stack_tag is set by translated code without the lock (stub_stack_refill): it
 * stores the tag, fences, and looks at the entry again, while the marker clears
 * the entry, fences, and clears the tag.
 *
 * Every store to RAM that may hold code is either made by way of a write entry,
 * which a marker finds, or followed by a look at the granules (tb.c).
 * Upstream: accel/tcg/cputlb.c. */
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

#define STAT_INC(what) \
	__atomic_store_n(&cpu->stat.what, cpu->stat.what + 1, __ATOMIC_RELAXED)

/* When one thread runs all vCPUs nobody else comes near. UNCHECKED: a condition,
 * which does not change once there are vCPUs. */
static UNCHECKED void tlb_lock(struct cpu *cpu)
{
	if (tcg_parallel)
		lock_acquire(&cpu->tlb_lock);
}

static UNCHECKED void tlb_unlock(struct cpu *cpu)
{
	if (tcg_parallel)
		lock_release(&cpu->tlb_lock);
}

static void stack_forget(struct cpu *cpu)
{
	__atomic_store_n(&cpu->stack_tag, TLB_INVALID, __ATOMIC_RELAXED);
}

static void entry_set(struct cpu *cpu, int mode, bool write, u32 page, u64 addend)
{
	__atomic_store_n(&cpu_tables(cpu)->tlb[mode][write][page], addend, __ATOMIC_RELAXED);
}

static void entries_clear(struct cpu *cpu, int mode, u32 page)
{
	entry_set(cpu, mode, false, page, TLB_INVALID);
	entry_set(cpu, mode, true, page, TLB_INVALID);
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
		for (int g = 0; g < 2; g++)
			free(cpu->tlb_filled[m][g].page);
	map_free((u8 *)(uintptr_t)cpu->ret_top - RET_STACK_BYTES,
		 RET_STACK_BYTES + HOST_PAGE);
	map_free(cpu, cpu_map_bytes());
}

static void list_init(struct tlb_list *l)
{
	l->max = 1024;
	l->page = malloc(l->max * sizeof(*l->page));
	if (!l->page)
		die("out of memory");
}

void tlb_init(struct cpu *cpu)
{
	struct cpu_tables *t = cpu_tables(cpu);

	lock_init(&cpu->tlb_lock, "tlb", RANK_TLB);
	map_pattern(t->tlb, sizeof(t->tlb), TLB_INVALID);
	for (int m = 0; m < NB_MMU_MODES; m++)
		for (int g = 0; g < 2; g++)
			list_init(&cpu->tlb_filled[m][g]);
	cpu->stack_tag = TLB_INVALID;
	for (int g = 0; g < 2; g++)
		cpu->large[g].addr = ~0ull;
	jc_init(cpu);
}

/* -- flushes of one's own ------------------------------------------------------------
 * Entries of global pages are on lists of their own: a load of CR3 leaves them. */

static void full_forget(struct cpu *cpu, bool keep_global)
{
	cpu->tlb_full_gen[false]++;
	if (!keep_global)
		cpu->tlb_full_gen[true]++;
}

static bool full_holds(const struct cpu *cpu, const struct tlb_full *f, gva addr)
{
	return f->page == ((addr & PAGE_MASK) | 1) && f->gen == cpu->tlb_full_gen[f->global];
}

static void list_clear(struct cpu *cpu, int mode, bool global)
{
	struct tlb_list *l = &cpu->tlb_filled[mode][global];

	for (u32 i = 0; i < l->n; i++)
		entries_clear(cpu, mode, l->page[i]);
	l->n = 0;
}

/* With tlb_lock held. False: nothing was there. */
static bool tlb_flush_mode(struct cpu *cpu, int mode, bool keep_global)
{
	struct tlb_list *l = cpu->tlb_filled[mode];
	u32 n = l[false].n + (keep_global ? 0 : l[true].n);

	if (n >= MANY_FILLED) {
		map_pattern_reset(cpu_tables(cpu)->tlb[mode], sizeof(cpu_tables(cpu)->tlb[mode]));
		l[false].n = l[true].n = 0;
		return true;
	}
	list_clear(cpu, mode, false);
	if (!keep_global)
		list_clear(cpu, mode, true);
	return n;
}

void tlb_add_large_page(struct cpu *cpu, gva addr, u64 size, bool global)
{
	struct tlb_large *l = &cpu->large[global];
	u64 mask = ~(size - 1);

	if (l->addr == ~0ull) {
		l->addr = addr & mask;
		l->mask = mask;
		return;
	}
	/* Widen the range until it holds both. */
	mask &= l->mask;
	while ((l->addr ^ addr) & mask)
		mask <<= 1;
	l->addr &= mask;
	l->mask = mask;
}

static void flush_entries(struct cpu *cpu, bool keep_global)
{
	int n = 0;

	cpu->large[false].addr = ~0ull;
	if (!keep_global)
		cpu->large[true].addr = ~0ull;
	stack_forget(cpu);
	full_forget(cpu, keep_global);
	tlb_lock(cpu);
	for (int m = 0; m < NB_MMU_MODES; m++) {
		if (tlb_flush_mode(cpu, m, keep_global))
			n++;
		else
			STAT_INC(elided);
	}
	tlb_unlock(cpu);
	if (n == NB_MMU_MODES)
		STAT_INC(full);
	else
		STAT_INC(part);
}

void tlb_flush(struct cpu *cpu)
{
	flush_entries(cpu, false);
	jc_flush(cpu);
}

void tlb_flush_nonglobal(struct cpu *cpu)
{
	flush_entries(cpu, true);
	jc_flush_nonglobal(cpu);
}

static bool in_large_page(const struct cpu *cpu, gva addr)
{
	for (int g = 0; g < 2; g++)
		if ((addr & cpu->large[g].mask) == cpu->large[g].addr)
			return true;
	return false;
}

void tlb_flush_page(struct cpu *cpu, gva addr)
{
	u32 page = (u32)(addr >> PAGE_BITS);

	if (in_large_page(cpu, addr)) {
		tlb_flush(cpu);
		return;
	}
	STAT_INC(page_flushes);
	stack_forget(cpu);
	tlb_lock(cpu);
	for (int m = 0; m < NB_MMU_MODES; m++) {
		entries_clear(cpu, m, page);
		cpu->tlb_full[m][page % TLB_FULL_SIZE].page = 0;
	}
	tlb_unlock(cpu);
	jc_flush_page(cpu, addr);
}

void tlb_flush_page_mode(struct cpu *cpu, gva addr, int mode)
{
	u32 page = (u32)(addr >> PAGE_BITS);

	stack_forget(cpu);
	tlb_lock(cpu);
	entries_clear(cpu, mode, page);
	cpu->tlb_full[mode][page % TLB_FULL_SIZE].page = 0;
	tlb_unlock(cpu);
}

/* -- flushes of other vCPUs ---------------------------------------------------------
 * Each flushes its own TLB, as queued work, which it does before its next guest
 * block. The synced forms have src do nothing in an exclusive section: that begins
 * when all others have left translated code, and they do their work before they
 * come back. Upstream: tlb_flush_by_mmuidx_all_cpus and _synced. */

static void flush_work(struct cpu *cpu, void *data)
{
	(void)data;
	STAT_INC(remote);
	tlb_flush(cpu);
}

static void flush_page_work(struct cpu *cpu, void *data)
{
	STAT_INC(remote);
	tlb_flush_page(cpu, (gva)(uintptr_t)data);
}

static void nothing_more(struct cpu *cpu, void *data)
{
	(void)data;
	cpu->synced_work = false;
}

static void wait_for_others(struct cpu *src)
{
	src->synced_work = true;
	async_safe_run_on_cpu(src, nothing_more, NULL);
}

#define on_others(src, func, data) on_others_at(src, func, data, #func)
static void on_others_at(struct cpu *src, run_on_cpu_func *func, void *data,
			 const char *name)
{
	struct cpu *cpu;

	CPU_FOREACH(cpu)
		if (cpu != src && cpu->created)
			async_run_on_cpu_at(cpu, func, data, name);
		else if (cpu != src)
			func(cpu, data);     /* its thread is not there yet */
}

void tlb_flush_all_cpus(struct cpu *src)
{
	on_others(src, flush_work, NULL);
	tlb_flush(src);
}

void tlb_flush_page_all_cpus(struct cpu *src, gva addr)
{
	on_others(src, flush_page_work, (void *)(uintptr_t)addr);
	tlb_flush_page(src, addr);
}

void tlb_flush_all_cpus_synced(struct cpu *src)
{
	tlb_flush_all_cpus(src);
	wait_for_others(src);
}

void tlb_flush_page_all_cpus_synced(struct cpu *src, gva addr)
{
	tlb_flush_page_all_cpus(src, addr);
	wait_for_others(src);
}

void run_on_all_cpus_synced_at(run_on_cpu_func *func, void *data, const char *name)
{
	struct cpu *self = current_cpu, *cpu;

	CPU_FOREACH(cpu) {
		if (cpu == self || !cpu->created)
			func(cpu, data);
		else
			async_run_on_cpu_at(cpu, func, data, name);
	}
	if (self && __atomic_load_n(&self->running, __ATOMIC_RELAXED))
		wait_for_others(self);
}

static void map_work(struct cpu *cpu, void *asked_by)
{
	if (cpu != asked_by)
		STAT_INC(remote);
	tlb_flush(cpu);
}

void tlb_memory_map_changed(void)
{
	run_on_all_cpus_synced(map_work, current_cpu);
}

/* -- filling --------------------------------------------------------------------- */

static struct tlb_full *full_slot(struct cpu *cpu, gva addr, int mode)
{
	return &cpu->tlb_full[mode][(addr >> PAGE_BITS) % TLB_FULL_SIZE];
}

/* With tlb_lock held. The list is complete, for tlb_code_page: what does not fit
 * is forgotten. */
static void note_filled(struct cpu *cpu, int mode, bool global, u32 page)
{
	struct tlb_list *l = &cpu->tlb_filled[mode][global];

	if (l->n == MANY_FILLED) {
		stack_forget(cpu);
		full_forget(cpu, false);
		tlb_flush_mode(cpu, mode, false);
	}
	if (l->n == l->max) {
		l->max *= 2;
		l->page = realloc(l->page, l->max * sizeof(*l->page));
		if (!l->page)
			die("out of memory");
	}
	l->page[l->n++] = page;
}

static ram_addr full_ram(const struct tlb_full *f)
{
	return f->mr->ram + f->mr_offset;
}

static bool is_ram(const struct tlb_full *f)
{
	return f->mr && (f->mr->type == MR_RAM || f->mr->type == MR_ROM);
}

static inline bool one_page(gva a, unsigned size)
{
	return (a & ~PAGE_MASK) + size <= PAGE_SIZE;
}

static bool watched(struct cpu *cpu, gva addr)
{
	return cpu->n_watch && target_page_watched(cpu, addr & PAGE_MASK);
}

static u64 full_addend(const struct tlb_full *f, u32 page)
{
	return (u64)(uintptr_t)ram_arena + full_ram(f) - ((u64)page << PAGE_BITS);
}

/* With tlb_lock held: by which list the page is found. What is there may stand on
 * the global one alone. */
static void entry_listed(struct cpu *cpu, int mode, const struct tlb_full *old, bool global,
			 u32 page)
{
	u64 (*t)[TLB_PAGES] = cpu_tables(cpu)->tlb[mode];
	bool there = t[0][page] != TLB_INVALID || t[1][page] != TLB_INVALID;
	bool sure = global || (full_holds(cpu, old, (gva)page << PAGE_BITS) && !old->global);

	if (!there || !sure)
		note_filled(cpu, mode, global, page);
}

void tlb_set_page(struct cpu *cpu, gva addr, gpa phys, int prot, int mode)
{
	u32 page = (u32)(addr >> PAGE_BITS);
	struct tlb_full *f = full_slot(cpu, addr, mode);
	struct tlb_full new = { .page = (gva)page << PAGE_BITS | 1,
				.phys = phys & PAGE_MASK, .prot = (u8)prot,
				.global = prot & TLB_GLOBAL };
	u64 addend, len;
	bool write;

	STAT_INC(fills);
	new.mr = address_space_translate(&address_space_memory, new.phys, &new.mr_offset, &len);
	new.mixed = len < PAGE_SIZE;
	new.gen = cpu->tlb_full_gen[new.global];
	if (!is_ram(&new) || watched(cpu, addr)) {
		*f = new;
		return;
	}
	addend = full_addend(&new, page);
	tlb_lock(cpu);
	entry_listed(cpu, mode, f, new.global, page);
	new.gen = cpu->tlb_full_gen[new.global];
	*f = new;
	write = prot & PROT_W && new.mr->type == MR_RAM && !tb_page_has_code(full_ram(&new));
	entry_set(cpu, mode, false, page, prot & PROT_R ? addend : TLB_INVALID);
	entry_set(cpu, mode, true, page, write ? addend : TLB_INVALID);
	tlb_unlock(cpu);
}

static void quiesce_work(struct cpu *cpu, void *data)
{
	(void)cpu, (void)data;
	tb_quiesce();
}

/* A store to the page went the slow way and hit no code. Now and then a page that
 * has had none for long is given back; that takes an exclusive section, for which
 * there is time. */
static void idle_store(struct cpu *cpu, ram_addr ram)
{
	if (!tb_page_idle(ram))
		return;
	if (cpu_parallel(cpu))
		async_safe_run_on_cpu(cpu, quiesce_work, NULL);
	else
		tb_quiesce();
}

/* Let a store to a page of RAM, whose rights have been checked, go by a write
 * entry. False: the page is marked, there is none. Upstream: tlb_set_dirty. */
static bool tlb_set_dirty(struct cpu *cpu, const struct tlb_full *f, gva addr, int mode)
{
	u32 page = (u32)(addr >> PAGE_BITS);
	bool fast;

	if (tlb_entry(cpu, mode, true, addr) != TLB_INVALID)
		return true;
	if (watched(cpu, addr))
		return false;
	if (tb_page_has_code(full_ram(f))) {
		idle_store(cpu, full_ram(f));
		return false;
	}
	tlb_lock(cpu);
	fast = !tb_page_has_code(full_ram(f));
	if (fast) {
		u64 addend = full_addend(f, page);

		entry_listed(cpu, mode, f, f->global, page);
		entry_set(cpu, mode, true, page, addend);
	}
	tlb_unlock(cpu);
	return fast;
}

bool tlb_page_global(struct cpu *cpu, gva addr)
{
	const struct tlb_full *f = full_slot(cpu, addr, cpu->fetch_mode);

	return full_holds(cpu, f, addr) && f->global;
}

/* -- a RAM page gets code --------------------------------------------------------------- */

static bool take_write_entries_of(struct cpu *cpu, int mode, const struct tlb_list *l,
				  u64 host)
{
	const u64 *w = cpu_tables(cpu)->tlb[mode][1];
	bool found = false;

	for (u32 i = 0; i < l->n; i++) {
		u32 page = l->page[i];
		u64 addend = __atomic_load_n(&w[page], __ATOMIC_RELAXED);

		if (addend + ((u64)page << PAGE_BITS) != host)
			continue;
		entry_set(cpu, mode, true, page, TLB_INVALID);
		found = true;
	}
	return found;
}

/* Take the write entries of the page at this host address; true: there was one.
 * With tlb_lock held. */
static bool take_write_entries(struct cpu *cpu, u64 host)
{
	bool found = false;

	for (int m = 0; m < NB_MMU_MODES; m++)
		for (int g = 0; g < 2; g++)
			found |= take_write_entries_of(cpu, m, &cpu->tlb_filled[m][g], host);
	return found;
}

/* Its stores must take the slow path from now on. A vCPU that had an entry and
 * runs beside this one may have looked at it just before, or keep the host address
 * for a stretch of code (stack, groups). One that is not running looks at its
 * entries after it has set `running`, which is read here after they are gone. */
bool tlb_code_page(ram_addr ram)
{
	u64 host = (u64)(uintptr_t)ram_arena + ram;
	bool in_flight = false;
	struct cpu *cpu;

	CPU_FOREACH(cpu) {
		bool found;

		tlb_lock(cpu);
		found = take_write_entries(cpu, host);
		tlb_unlock(cpu);
		if (!found)
			continue;
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		stack_forget(cpu);
		in_flight |= tcg_parallel && !qemu_cpu_is_self(cpu) &&
			     __atomic_load_n(&cpu->running, __ATOMIC_SEQ_CST);
	}
	return in_flight;
}

/* The page's entry with the right wanted; fills it (or faults). With `probe`
 * NULL instead of a fault. */
static struct tlb_full *full_get(struct cpu *cpu, gva addr, enum mmu_access rw,
				 int mode, bool probe)
{
	struct tlb_full *f = full_slot(cpu, addr, mode);

	if (full_holds(cpu, f, addr) && f->prot & access_prot[rw])
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
static const struct tlb_full *io_page(struct cpu *cpu, gva addr, unsigned size, int prot,
				      int mode)
{
	const struct tlb_full *f = full_slot(cpu, addr, mode);

	return full_holds(cpu, f, addr) && f->prot & prot && one_page(addr, size) &&
	       size <= 4 && !cpu->n_watch && !f->mixed && f->mr && f->mr->type == MR_IO ?
		f : NULL;
}

/* A load, or what a store is made on: see the bounce buffer. False: it is not that. */
static bool probe_io(struct cpu *cpu, u32 addr, u32 size, int kind, int mode)
{
	const struct tlb_full *f = io_page(cpu, addr, size, kind == ACCESS_READ ? PROT_R : PROT_W,
					   mode);
	u64 v;

	if (!f || (kind != ACCESS_READ && kind != ACCESS_STORE))
		return false;
	cpu->bounce_size = 0;
	if (kind == ACCESS_READ) {
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
	full_get(cpu, addr, rw, mode, false);
	addend = tlb_entry(cpu, mode, rw == MMU_DATA_STORE, addr);
	if (addend == TLB_INVALID)
		return 0;
	cpu->bounce_size = 0;
	return addr + addend;
}

/* LOCK: what is not one access to RAM is done with all other vCPUs stopped. */
u64 cpu_slow_probe(struct cpu *cpu, u32 addr, u32 size, u32 access)
{
	int mode = access >> 4 & 15, kind = access >> 8 & 15;
	enum mmu_access rw = kind == ACCESS_READ ? MMU_DATA_LOAD : MMU_DATA_STORE;
	u8 *to = cpu->bounce;
	struct span s[2];
	bool direct;
	u64 at;
	int n;

	if (access & ACCESS_ALIGNED && addr & (size - 1))
		target_misaligned(cpu, addr);
	STAT_INC(slow);
	at = rw == MMU_DATA_STORE ? probe_beside_code(cpu, addr, size, mode) : 0;
	if (at)
		return at;
	if (probe_io(cpu, addr, size, kind, mode))
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

/* As for a load, whatever the access will be: that sets no D bit too early. */
void cpu_fill_page(struct cpu *cpu, u32 addr, u32 mode)
{
	full_get(cpu, addr, MMU_DATA_LOAD, (int)mode, true);
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
	f = full_get(cpu, a, rw, mode, quiet);
	if (!f || (!quiet && watched(cpu, a)) || !is_ram(f) || (rw == MMU_DATA_STORE && f->mr->type != MR_RAM))
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

/* What the translation under way is made of. Others may store there meanwhile:
 * a TB is made of what was read once, and that is compared when it is published.
 * Lines are copied as they are wanted; a block is a few of its page's 64. */
enum { CODE_LINE = PAGE_SIZE / 64 };
static __thread struct code_copy {
	const u8 *from;
	u64 lines;                       /* those that are copied           */
	u8 bytes[PAGE_SIZE];
} code_copy[2];

const u8 *cpu_code_copy(int i, const u8 *page)
{
	code_copy[i].from = page;
	code_copy[i].lines = 0;
	return page ? code_copy[i].bytes : NULL;
}

void cpu_code_want(int i, u32 ofs, u32 n)
{
	struct code_copy *c = &code_copy[i];
	u32 last = MIN(ofs + n, (u32)PAGE_SIZE) - 1;

	for (u32 k = ofs / CODE_LINE; k <= last / CODE_LINE; k++) {
		if (c->lines >> k & 1)
			continue;
		memcpy(c->bytes + k * CODE_LINE, c->from + k * CODE_LINE, CODE_LINE);
		c->lines |= 1ull << k;
	}
}

static bool page_unchanged(const struct code_copy *c, const u8 *now, u32 first, u32 end)
{
	for (u64 m = c->lines; m; m &= m - 1) {
		u32 line = (u32)__builtin_ctzll(m) * CODE_LINE;
		u32 a = MAX(line, first), b = MIN(line + CODE_LINE, end);

		if (a < b && memcmp(c->bytes + a, now + a, b - a))
			return false;
	}
	return true;
}

bool cpu_code_unchanged(const struct tb *tb)
{
	u32 first, end;

	for (int i = 0; i < 2; i++) {
		if (tb->page[i] == ~0ull)
			continue;
		tb_range(tb, i, &first, &end);
		if (!page_unchanged(&code_copy[i], ram_arena + tb->page[i], first, end))
			return false;
	}
	return true;
}

/* -- DMA and the like -------------------------------------------------------------------------- */

void tb_invalidate_phys_range(ram_addr addr, u64 n)
{
	tb_invalidate_range(addr, n, NULL);
}
