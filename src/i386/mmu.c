/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/i386/mmu.c - paging: the page walk for a soft TLB miss, control
 * registers 0, 3 and 4, the A20 gate. SDM vol. 3A chapter 4: 4.3 (32-bit
 * paging with 4 MB pages), 4.4 (PAE), 4.6 (rights), 4.7 (error code), 4.8
 * (accessed and dirty).
 *
 * CR4.SMEP and SMAP take rights to user pages from ring 0 to 2. What EFLAGS.AC
 * gives back for a while is in the TLB only until AC is clear again. DIFF: an
 * implicit access (to a descriptor table, say) by ring 0 code while AC is set is
 * checked as an explicit one.
 *
 * A and D are set by compare-and-exchange on the entry in guest RAM; the walk
 * starts over when the entry changed meanwhile. DIFF: with PAE the four
 * page-directory-pointer entries are read at each walk, not held in registers
 * since the last load of CR3.
 * Upstream: excp_helper.c mmu_translate, helper.c cpu_x86_update_cr0. */
#include "env/log.h"
#include "i386/cpu.h"
#include "i386/debug.h"
#include "i386/fault.h"
#include "i386/model.h"
#include "qemu/cpus.h"
#include "qemu/memory.h"
#include "qemu/ram_window.h"
#include "qemu/target.h"

enum { PTE_P = 1, PTE_W = 2, PTE_U = 4, PTE_A = 0x20, PTE_D = 0x40, PTE_PS = 0x80,
       PTE_G = 0x100 };
#define PTE_NX (1ull << 63)
enum { PF_P = 1, PF_W = 2, PF_U = 4, PF_RSVD = 8, PF_FETCH = 16 };
enum { PROT_R = 1, PROT_W = 2, PROT_X = 4 };
enum { EFER_NXE = 1 << 11 };
#define PAE_ADDR 0xffffff000ull          /* 36 bits of physical address      */
#define PSE36_ADDR 0x1e000ull            /* bits 32 to 35 in a PDE of 4 MB   */

/* One walk: what it finds, or why not. */
struct walk {
	gpa phys;                /* of the 4 KB page                         */
	u64 rights;              /* PTE_W, PTE_U of all levels; PTE_NX of any */
	gpa entry;               /* where the last entry stands              */
	u64 pte;                 /* and what it is                           */
	int width;               /* bytes of an entry                        */
	u32 size;                /* bytes of the page                        */
	u32 pf;                  /* PF_RSVD; P                               */
	const char *why;         /* the step that failed, NULL: none         */
};

/* -- page table entries in guest RAM --------------------------------------------- */
static hva phys_host(gpa addr)
{
	return address_space_host(&address_space_memory, addr);
}

static u64 pte_read(struct x86_cpu *x, gpa *addr, int width)
{
	hva h;

	*addr &= x->a20_mask | ~0xffffffffull;
	h = phys_host(*addr);
	if (!h)
		return width == 8 ? address_space_ldq(&address_space_memory, *addr)
			: address_space_ldl(&address_space_memory, *addr);
	return width == 8 ? __atomic_load_n((u64 *)h, __ATOMIC_RELAXED)
		: __atomic_load_n((u32 *)h, __ATOMIC_RELAXED);
}

/* An entry that is not in RAM: a plain access, which a device may ignore. (A
 * read-modify-write that nobody comes between would take an exclusive section,
 * and to begin one here, inside cpu_exec, is to wait for oneself: upstream 7.2's
 * ptw_setl_slow.) */
static void pte_write_mmio(gpa addr, u64 v, int width)
{
	if (width == 8)
		address_space_stq(&address_space_memory, addr, v);
	else
		address_space_stl(&address_space_memory, addr, (u32)v);
}

/* Set bits in the entry; false: it is no longer `old`. */
static bool pte_set(gpa addr, u64 old, u64 bits, int width)
{
	u64 v8 = old;
	u32 v4 = old;
	bool done;
	hva h;

	if (!(~old & bits))
		return true;
	h = phys_host(addr);
	if (!h) {
		pte_write_mmio(addr, old | bits, width);
		return true;
	}
	if (width == 8)
		done = __atomic_compare_exchange_n((u64 *)h, &v8, old | bits,
			false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	else
		done = __atomic_compare_exchange_n((u32 *)h, &v4, (u32)(old | bits),
			false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	tb_invalidate_phys_range((ram_addr)(h - ram_arena), (u64)width);
	return done;
}

/* -- the walk -------------------------------------------------------------------------- */
static bool walk_fail(struct walk *w, const char *why, u32 pf)
{
	w->why = why;
	w->pf = pf;
	return false;
}

/* Read the entry at `addr`, combine rights; not the last level: set A. */
static bool walk_entry(struct x86_cpu *x, struct walk *w, gpa addr, u64 rsvd,
		       const char *absent, const char *bad)
{
	w->entry = addr;
	w->pte = pte_read(x, &w->entry, w->width);
	if (!(w->pte & PTE_P))
		return walk_fail(w, absent, 0);
	if (w->pte & rsvd)
		return walk_fail(w, bad, PF_RSVD | PF_P);
	w->rights = (w->rights & (w->pte | PTE_NX)) | (w->pte & PTE_NX);
	return true;
}

static bool walk_32(struct x86_cpu *x, struct walk *w, u32 addr, bool touch)
{
	u64 pse = x->cr[4] & CR4_PSE ? PTE_PS : 0, high = 0;

	if (x->features[FEAT_1_EDX] & CPUID_PSE36)
		high = PSE36_ADDR;

again:
	w->width = 4;
	w->rights = PTE_W | PTE_U;
	if (!walk_entry(x, w, (x->cr[3] & 0xfffff000) + (addr >> 22) * 4, 0,
			"page walk: PDE of %08x is not present", ""))
		return false;
	if (w->pte & pse) {
		w->size = 4 << 20;
		w->phys = (w->pte & 0xffc00000) | (addr & 0x3ff000) | (w->pte & high) << 19;
		if (w->pte & 0x3fe000 & ~high)
			return walk_fail(w, "page walk: PDE of %08x (4 MB) has a "
					 "reserved bit set", PF_RSVD | PF_P);
		return true;
	}
	if (touch && !pte_set(w->entry, w->pte, PTE_A, 4))
		goto again;
	if (!walk_entry(x, w, (w->pte & 0xfffff000) + (addr >> 12 & 0x3ff) * 4, 0,
			"page walk: PTE of %08x is not present", ""))
		return false;
	w->phys = w->pte & 0xfffff000;
	return true;
}

static bool walk_pae(struct x86_cpu *x, struct walk *w, u32 addr, bool touch)
{
	u64 rsvd = ~(PAE_ADDR | 0xfff) & ~PTE_NX;

	if (!(x->efer & EFER_NXE))
		rsvd |= PTE_NX;
again:
	w->width = 8;
	w->rights = PTE_W | PTE_U;
	w->entry = (x->cr[3] & 0xffffffe0) + (addr >> 30) * 8;
	w->pte = pte_read(x, &w->entry, 8);
	if (!(w->pte & PTE_P))
		return walk_fail(w, "page walk: PDPTE of %08x is not present", 0);
	if (!walk_entry(x, w, (w->pte & PAE_ADDR) + (addr >> 21 & 0x1ff) * 8, rsvd,
			"page walk: PDE of %08x is not present",
			"page walk: PDE of %08x has a reserved bit set"))
		return false;
	if (w->pte & PTE_PS) {
		w->size = 2 << 20;
		w->phys = (w->pte & PAE_ADDR & ~0x1fffffull) | (addr & 0x1ff000);
		if (w->pte & 0x1fe000)
			return walk_fail(w, "page walk: PDE of %08x (2 MB) has a "
					 "reserved bit set", PF_RSVD | PF_P);
		return true;
	}
	if (touch && !pte_set(w->entry, w->pte, PTE_A, 8))
		goto again;
	if (!walk_entry(x, w, (w->pte & PAE_ADDR) + (addr >> 12 & 0x1ff) * 8, rsvd,
			"page walk: PTE of %08x is not present",
			"page walk: PTE of %08x has a reserved bit set"))
		return false;
	w->phys = w->pte & PAE_ADDR;
	return true;
}

static bool walk(struct x86_cpu *x, struct walk *w, u32 addr, bool touch)
{
	w->size = PAGE_SIZE;
	return x->cr[4] & CR4_PAE ? walk_pae(x, w, addr, touch)
				  : walk_32(x, w, addr, touch);
}

/* -- rights ----------------------------------------------------------------------------- */
void smap_close(struct x86_cpu *x)
{
	if (x->n_smap_pages > SMAP_PAGES)
		tlb_flush(&x->c);
	else
		for (u32 i = 0; i < x->n_smap_pages; i++)
			tlb_flush_page_mode(&x->c, x->smap_page[i], MMU_KERNEL);
	x->n_smap_pages = 0;
}

static void smap_note(struct x86_cpu *x, u32 page)
{
	if (x->n_smap_pages < SMAP_PAGES)
		x->smap_page[x->n_smap_pages++] = page;
	else
		x->n_smap_pages = SMAP_PAGES + 1;
}

/* Accesses of ring 0 to 2 that happen at CPL 3 are implicit: AC is not for them. */
static bool smap_open(const struct x86_cpu *x)
{
	return x->eflags & EFLAGS_AC && cpu_cpl(x) < 3;
}

/* What the entry's bits allow (SDM 4.6), as PROT_*. */
static int walk_prot(const struct x86_cpu *x, const struct walk *w, bool user)
{
	int prot = w->rights & PTE_NX ? PROT_R : PROT_R | PROT_X;

	if (user && !(w->rights & PTE_U))
		return 0;
	if ((w->rights & PTE_W) || (!user && !(x->cr[0] & CR0_WP)))
		prot |= PROT_W;
	if (user || !(w->rights & PTE_U))
		return prot;
	if (x->cr[4] & CR4_SMEP)
		prot &= ~PROT_X;
	if (x->cr[4] & CR4_SMAP && !smap_open(x))
		prot &= PROT_X;
	return prot;
}

static void page_fault(struct x86_cpu *x, u32 addr, enum mmu_access rw, bool user,
		       u32 pf, const char *why) __attribute__((noreturn));
static void page_fault(struct x86_cpu *x, u32 addr, enum mmu_access rw, bool user,
		       u32 pf, const char *why)
{
	bool nx = ((x->cr[4] & CR4_PAE) && (x->efer & EFER_NXE)) || x->cr[4] & CR4_SMEP;

	if (rw != MMU_INST_FETCH)
		fpu_error_first(x);
	if (rw == MMU_DATA_STORE)
		pf |= PF_W;
	if (user)
		pf |= PF_U;
	if (rw == MMU_INST_FETCH && nx)
		pf |= PF_FETCH;
	x->cr[2] = addr;
	fault(x, EXCP_PF, pf, why, addr, 0);
}

/* The page may be written through the TLB only once its D bit is set. */
static bool fill_paged(struct x86_cpu *x, u32 addr, enum mmu_access rw,
		       int mmu_idx, bool probe)
{
	static const u8 need[] = { [MMU_DATA_LOAD] = PROT_R,
		[MMU_DATA_STORE] = PROT_W, [MMU_INST_FETCH] = PROT_X };
	bool user = mmu_idx == MMU_USER;
	struct walk w;
	u64 bits;
	int prot;

	do {
		if (!walk(x, &w, addr, true)) {
			if (probe)
				return false;
			page_fault(x, addr, rw, user, w.pf, w.why);
		}
		prot = walk_prot(x, &w, user);
		if (!(prot & need[rw])) {
			if (probe)
				return false;
			page_fault(x, addr, rw, user, PF_P,
				   "page walk: no right to %08x at this level");
		}
		bits = PTE_A | (rw == MMU_DATA_STORE ? PTE_D : 0);
	} while (!pte_set(w.entry, w.pte, bits, w.width));
	if (!((w.pte | bits) & PTE_D))
		prot &= ~PROT_W;
	if (x->cr[4] & CR4_SMAP && !user && w.rights & PTE_U && prot & PROT_R)
		smap_note(x, addr & 0xfffff000);
	if (w.pte & PTE_G && x->cr[4] & CR4_PGE)
		prot |= TLB_GLOBAL;
	if (w.size > PAGE_SIZE)
		tlb_add_large_page(&x->c, addr, w.size, prot & TLB_GLOBAL);
	tlb_set_page(&x->c, addr & 0xfffff000,
		     w.phys & (x->a20_mask | ~0xffffffffull), prot, mmu_idx);
	return true;
}

bool target_tlb_fill(struct cpu *cpu, gva addr, enum mmu_access rw, int mmu_idx,
		     bool probe)
{
	struct x86_cpu *x = x86(cpu);
	u32 page = (u32)addr & 0xfffff000;

	if (x->cr[0] & (u32)CR0_PG)
		return fill_paged(x, (u32)addr, rw, mmu_idx, probe);
	tlb_set_page(cpu, page, page & x->a20_mask, PROT_R | PROT_W | PROT_X,
		     mmu_idx);
	return true;
}

gpa target_debug_translate(struct cpu *cpu, gva addr)
{
	struct x86_cpu *x = x86(cpu);
	struct walk w;

	if (!(x->cr[0] & (u32)CR0_PG))
		return (u32)addr & x->a20_mask;
	if (!walk(x, &w, (u32)addr, false))
		return ~0ull;
	return (w.phys & (x->a20_mask | ~0xffffffffull)) | (addr & 0xfff);
}

/* -- control registers ------------------------------------------------------------------ */
/* SDM vol. 3A 2.5, vol. 2 MOV CR. */
void cpu_set_cr0(struct x86_cpu *x, u32 v)
{
	u32 pg = (u32)CR0_PG;
	u32 known = CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_ET | CR0_NE | CR0_WP |
		    CR0_AM | CR0_NW | CR0_CD | pg;
	u32 old = x->cr[0];

	if ((v & pg) && !(v & CR0_PE))
		fault(x, EXCP_GP, 0, "CR0 = %08x: PG without PE", v, 0);
	if ((v & CR0_NW) && !(v & CR0_CD))
		fault(x, EXCP_GP, 0, "CR0 = %08x: NW without CD", v, 0);
	v = (v & known) | CR0_ET;
	x->cr[0] = v;
	if ((old ^ v) & (pg | CR0_PE | CR0_WP))
		tlb_flush(&x->c);
	cpu_update_hflags(x);
}

void cpu_set_cr3(struct x86_cpu *x, u32 v)
{
	x->cr[3] = v;
	if (x->cr[0] & (u32)CR0_PG)
		tlb_flush_nonglobal(&x->c);
}

/* The bits this model has; setting another one is #GP. */
static u32 cr4_known(const struct x86_cpu *x)
{
	u32 f = x->features[FEAT_1_EDX], m = CR4_PCE;

	m |= f & CPUID_TSC ? CR4_TSD : 0;
	m |= f & CPUID_VME ? CR4_VME | CR4_PVI : 0;
	m |= f & CPUID_DE ? CR4_DE : 0;
	m |= f & CPUID_PSE ? CR4_PSE : 0;
	m |= f & CPUID_PAE ? CR4_PAE : 0;
	m |= f & CPUID_MCE ? CR4_MCE : 0;
	m |= f & CPUID_PGE ? CR4_PGE : 0;
	m |= f & CPUID_FXSR ? CR4_OSFXSR : 0;
	m |= f & CPUID_SSE ? CR4_OSXMMEXCPT : 0;
	m |= x->features[FEAT_1_ECX] & CPUID_XSAVE ? CR4_OSXSAVE : 0;
	m |= x->features[FEAT_7_EBX] & CPUID_7_SMEP ? CR4_SMEP : 0;
	m |= x->features[FEAT_7_EBX] & CPUID_7_SMAP ? CR4_SMAP : 0;
	m |= x->features[FEAT_7_ECX] & CPUID_7_UMIP ? CR4_UMIP : 0;
	return m;
}

void cpu_set_cr4(struct x86_cpu *x, u32 v)
{
	u32 old = x->cr[4];

	if (v & ~cr4_known(x))
		fault(x, EXCP_GP, 0, "CR4 = %08x: sets a bit the CPU has not", v, 0);
	x->cr[4] = v;
	if ((old ^ v) & (CR4_VME | CR4_PVI))
		cpu_update_hflags(x);
	if ((old ^ v) & CR4_DE)
		debug_update(x);
	if ((old ^ v) & (CR4_PSE | CR4_PAE | CR4_PGE | CR4_SMEP | CR4_SMAP))
		tlb_flush(&x->c);
	cpu_update_hflags(x);
}

/* -- A20 ------------------------------------------------------------------------------------ */
void cpu_set_a20(struct x86_cpu *x, bool on)
{
	u32 mask = on ? ~0u : ~(1u << 20);

	if (mask == x->a20_mask)
		return;
	x->a20_mask = mask;
	tlb_flush(&x->c);
}

static void a20_work(struct cpu *cpu, void *on) REQUIRES(bql)
{
	cpu_set_a20(x86(cpu), on != NULL);
}

void target_set_a20(bool on)
{
	static char yes;

	if (!on)
		ram_window_close();
	run_on_all_cpus_synced(a20_work, on ? &yes : NULL);
}

bool target_get_a20(struct cpu *cpu)
{
	return x86(cpu)->a20_mask == ~0u;
}
