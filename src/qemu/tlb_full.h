/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/qemu/tlb_full.h - what the slow path knows of a page (cputlb.c), for those that
 * make the access (cpu_ldst.c, cpu_fetch.c). The vCPU's own thread. */
#ifndef QEMU_TLB_FULL_H
#define QEMU_TLB_FULL_H

#include "qemu/cpu.h"
#include "qemu/memory.h"
#include "qemu/target.h"

enum { PROT_R = 1, PROT_W = 2, PROT_X = 4 };

#define STAT_INC(what) \
	__atomic_store_n(&cpu->stat.what, cpu->stat.what + 1, __ATOMIC_RELAXED)

/* The place of the page's entry, which may hold another page. */
static inline struct tlb_full *full_slot(struct cpu *cpu, gva addr, int mode)
{
	return &cpu->tlb_full[mode][(addr >> PAGE_BITS) % TLB_FULL_SIZE];
}

static inline bool full_holds(const struct cpu *cpu, const struct tlb_full *f, gva addr)
{
	return f->page == ((addr & PAGE_MASK) | 1) && f->gen == cpu->tlb_full_gen[f->global];
}

static inline ram_addr full_ram(const struct tlb_full *f)
{
	return f->mr->ram + f->mr_offset;
}

static inline bool is_ram(const struct tlb_full *f)
{
	return f->mr && (f->mr->type == MR_RAM || f->mr->type == MR_ROM);
}

static inline bool one_page(gva a, unsigned size)
{
	return (a & ~PAGE_MASK) + size <= PAGE_SIZE;
}

/* Does the page have a data breakpoint? */
static inline bool watched(struct cpu *cpu, gva addr)
{
	return cpu->n_watch && target_page_watched(cpu, addr & PAGE_MASK);
}

/* The page's entry with the right wanted; fills it, or raises the fault. With `probe`
 * NULL instead of a fault. */
struct tlb_full *tlb_full_get(struct cpu *cpu, gva addr, enum mmu_access rw, int mode,
			      bool probe);
/* Let a store to a page of RAM, whose rights have been checked, go by a write
 * entry. False: the page is marked, there is none. Upstream: tlb_set_dirty. */
bool tlb_set_dirty(struct cpu *cpu, const struct tlb_full *f, gva addr, int mode);

#endif
