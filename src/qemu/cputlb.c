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
 * entries out of all TLBs (tlb_code_page). The owner notes for the page at which linear
 * address it will have a write entry, fences, looks at the page's mark, and fills the
 * entry, under its tlb_lock; the marker sets the mark, fences, reads the note, then
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
#include "qemu/tlb_full.h"
#include "tcg/tb.h"
#include "tcg/x64.h"

enum { MANY_FILLED = 1 << 16 };

static const u8 access_prot[] = {
	[MMU_DATA_LOAD] = PROT_R, [MMU_DATA_STORE] = PROT_W, [MMU_INST_FETCH] = PROT_X,
};

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

/* By RAM page, where its write entries are: linear page + 1; 0: there are none. A page
 * that had them at several is looked for in all that is filled. _Atomic; the
 * marker, who holds the page's lock, sets it to 0 when he has taken them. */
static const u32 AT_MANY = ~0u;
static u32 *written_at;

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

void tlb_notes_init(void)
{
	written_at = map_anon(NULL, (ram_arena_max >> PAGE_BITS) * sizeof(*written_at), false);
	if (!written_at)
		die("no memory for the soft TLB");
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

/* May the page, at this linear one, have a write entry? */
static bool may_write(const struct tlb_full *f, u32 page)
{
	u32 *note = &written_at[full_ram(f) >> PAGE_BITS], none = 0;

	if (!__atomic_compare_exchange_n(note, &none, page + 1, false, __ATOMIC_SEQ_CST,
					 __ATOMIC_SEQ_CST) && none != page + 1)
		__atomic_store_n(note, AT_MANY, __ATOMIC_SEQ_CST);
	return !tb_page_has_code(full_ram(f));
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
	write = prot & PROT_W && new.mr->type == MR_RAM && may_write(&new, page);
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

bool tlb_set_dirty(struct cpu *cpu, const struct tlb_full *f, gva addr, int mode)
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
	fast = may_write(f, page);
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

struct tlb_full *tlb_full_get(struct cpu *cpu, gva addr, enum mmu_access rw, int mode,
			      bool probe)
{
	struct tlb_full *f = full_slot(cpu, addr, mode);

	if (full_holds(cpu, f, addr) && f->prot & access_prot[rw])
		return f;
	if (!target_tlb_fill(cpu, addr, rw, mode, probe))
		return NULL;
	return f;
}

/* -- a RAM page gets code --------------------------------------------------------------- */

/* The write entry for this linear page, if it is the host address's. */
static bool take_write_entry(struct cpu *cpu, int mode, u32 page, u64 host)
{
	u64 addend = __atomic_load_n(&cpu_tables(cpu)->tlb[mode][1][page], __ATOMIC_RELAXED);

	if (addend + ((u64)page << PAGE_BITS) != host)
		return false;
	entry_set(cpu, mode, true, page, TLB_INVALID);
	return true;
}

static bool take_listed(struct cpu *cpu, int mode, const struct tlb_list *l, u64 host)
{
	bool found = false;

	for (u32 i = 0; i < l->n; i++)
		found |= take_write_entry(cpu, mode, l->page[i], host);
	return found;
}

/* Take the write entries of the page at this host address; true: there was one.
 * With tlb_lock held. */
static bool take_write_entries(struct cpu *cpu, u64 host, u32 at)
{
	bool found = false;

	for (int m = 0; m < NB_MMU_MODES; m++) {
		if (at != AT_MANY) {
			found |= take_write_entry(cpu, m, at - 1, host);
			continue;
		}
		for (int g = 0; g < 2; g++)
			found |= take_listed(cpu, m, &cpu->tlb_filled[m][g], host);
	}
	return found;
}

/* Its stores must take the slow path from now on. A vCPU that had an entry and
 * runs beside this one may have looked at it just before, or keep the host address
 * for a stretch of code (stack, groups). One that is not running looks at its
 * entries after it has set `running`, which is read here after they are gone. */
bool tlb_code_page(ram_addr ram)
{
	u32 at = __atomic_load_n(&written_at[ram >> PAGE_BITS], __ATOMIC_SEQ_CST);
	u64 host = (u64)(uintptr_t)ram_arena + ram;
	bool in_flight = false;
	struct cpu *cpu;

	if (!at)
		return false;
	CPU_FOREACH(cpu) {
		bool found;

		tlb_lock(cpu);
		found = take_write_entries(cpu, host, at);
		tlb_unlock(cpu);
		if (!found)
			continue;
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		stack_forget(cpu);
		in_flight |= tcg_parallel && !qemu_cpu_is_self(cpu) &&
			     __atomic_load_n(&cpu->running, __ATOMIC_SEQ_CST);
	}
	__atomic_store_n(&written_at[ram >> PAGE_BITS], 0, __ATOMIC_SEQ_CST);
	return in_flight;
}
