/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/fake_cpu.h - a vCPU with 1 MB of RAM at 0 and nothing else, for
 * tests that call the guest processor's helpers. The soft TLB, the memory map
 * and the page walk are the real ones. */
#ifndef FAKE_CPU_H
#define FAKE_CPU_H

#include <string.h>

#include "i386/desc.h"
#include "i386/helper.h"
#include "qemu/cpus.h"
#include "qemu/memory.h"
#include "qemu/target.h"

u64 cpu_exec_catch(u64 *save_rsp, u64 (*fn)(void *), void *arg);

enum { RAM_SIZE = 1 << 20, NO_FAULT = -1 };

static struct x86_cpu *x;
static struct cpu *cpu;
static hva ram;

static inline void fake_cpu_init(void)
{
	static struct memory_region mr;
	const char *err;

	bql_lock();
	memory_init();
	err = ram_arena_init(RAM_SIZE);
	if (!err)
		err = memory_region_init_ram(&mr, "ram", RAM_SIZE);
	ck_assert_ptr_null(err);
	memory_region_add_subregion(&system_memory, 0, &mr);
	bql_unlock();
	cpu_exec_init();
	cpu = target_cpu_new("max", 0);
	ck_assert_ptr_nonnull(cpu);
	current_cpu = first_cpu = cpu;
	x = x86(cpu);
	ram = memory_region_host(&mr);
}

/* -- a helper that may raise ------------------------------------------------- */
typedef u64 helper_fn(struct cpu *, u32, u32, u32);
struct helper_call { helper_fn *fn; u32 a, b, c; u64 result; };

static inline u64 helper_thunk(void *arg)
{
	struct helper_call *h = arg;

	h->result = h->fn(cpu, h->a, h->b, h->c);
	return 2;
}

/* Run it; NO_FAULT, or the vector it raised. */
static inline int run_helper(helper_fn *fn, u32 a, u32 b, u32 c)
{
	struct helper_call h = { fn, a, b, c, 0 };
	u64 r;

	cpu->exception_index = EXCP_NONE;
	r = cpu_exec_catch(&cpu->exit_rsp, helper_thunk, &h);
	return r == 2 ? NO_FAULT : cpu->exception_index;
}

static inline u64 deliver_thunk(struct cpu *c, u32 a, u32 b, u32 d)
{
	(void)a, (void)b, (void)d;
	target_do_interrupt(c);
	return 0;
}

/* Deliver an event as the exec loop does; NO_FAULT, or what came of it. */
static inline int deliver_event(int vector, bool has_err, u32 err)
{
	struct helper_call h = { deliver_thunk, 0, 0, 0, 0 };

	cpu->exception_index = vector;
	x->has_error_code = has_err;
	x->error_code = err;
	return cpu_exec_catch(&cpu->exit_rsp, helper_thunk, &h) == 2 ?
		NO_FAULT : cpu->exception_index;
}

/* -- guest memory ---------------------------------------------------------------- */
static inline void put32(u32 at, u32 v) { memcpy(ram + at, &v, 4); }
static inline u32 get32(u32 at) { u32 v; memcpy(&v, ram + at, 4); return v; }

/* -- protected mode ---------------------------------------------------------------- */
enum { GDT = 0x1000, IDT = 0x1800, TSS = 0x2000,
       SEL_CODE0 = 0x08, SEL_DATA0 = 0x10, SEL_CODE3 = 0x1b, SEL_DATA3 = 0x23,
       SEL_TSS = 0x28, SEL_FREE = 0x30 };

/* access: byte 5 of the descriptor; flags: G D bits as 0xc. */
static inline void put_desc(u16 sel, u32 base, u32 limit, u32 access, u32 flags)
{
	put32(GDT + (sel & ~7), (limit & 0xffff) | base << 16);
	put32(GDT + (sel & ~7) + 4, (base >> 16 & 0xff) | access << 8 |
	      (limit & 0xf0000) | flags << 20 | (base & 0xff000000));
}

static inline void put_gate(int vector, u16 sel, u32 offset, u32 access)
{
	put32(IDT + 8 * vector, (offset & 0xffff) | (u32)sel << 16);
	put32(IDT + 8 * vector + 4, (offset & 0xffff0000) | access << 8);
}

/* Flat ring 0 and 3, a 32-bit TSS whose ring 0 stack is 10h:8000h, in ring
 * `cpl` with ESP 7000h. */
static inline void enter_protected(int cpl)
{
	memset(ram, 0, RAM_SIZE);
	target_cpu_reset(cpu);
	put_desc(SEL_CODE0, 0, 0xfffff, 0x9b, 0xc);
	put_desc(SEL_DATA0, 0, 0xfffff, 0x93, 0xc);
	put_desc(SEL_CODE3, 0, 0xfffff, 0xfb, 0xc);
	put_desc(SEL_DATA3, 0, 0xfffff, 0xf3, 0xc);
	put_desc(SEL_TSS, TSS, 0x67, 0x89, 0);
	put32(TSS + 4, 0x8000);
	put32(TSS + 8, SEL_DATA0);
	put32(TSS + 0x64, 0x68 << 16);
	x->gdt = (struct desc_table){ GDT, 0x7f };
	x->idt = (struct desc_table){ IDT, 0x7ff };
	cpu_set_cr0(x, x->cr[0] | CR0_PE);
	run_helper(helper_ljmp, SEL_CODE0, 0x5000, 0);
	for (int seg = 0; seg < NB_SEGS; seg++)
		if (seg != R_CS)
			run_helper(helper_load_seg, seg, SEL_DATA0, 0);
	run_helper(helper_ltr, SEL_TSS, 0, 0);
	cpu->regs[R_ESP] = 0x7000;
	if (cpl == 0)
		return;
	/* IRET frame of a return to ring 3 */
	cpu->regs[R_ESP] = 0x6fec;
	put32(0x6fec, 0x5000), put32(0x6ff0, SEL_CODE3);
	put32(0x6ff4, 0x202), put32(0x6ff8, 0x7000), put32(0x6ffc, SEL_DATA3);
	run_helper(helper_iret, 1, 0, 0);
	for (int seg = R_DS; seg <= R_GS; seg++)
		run_helper(helper_load_seg, seg, SEL_DATA3, 0);
	run_helper(helper_load_seg, R_ES, SEL_DATA3, 0);
}

/* -- paging: identity map of the first 4 MB at page directory 10000h ----------------- */
enum { PAGE_DIR = 0x10000, PAGE_TABLE = 0x11000 };

static inline void enter_paging(void)
{
	memset(ram + PAGE_DIR, 0, 4096);
	put32(PAGE_DIR, PAGE_TABLE | 7);
	for (u32 i = 0; i < 1024; i++)
		put32(PAGE_TABLE + 4 * i, i << 12 | 7);
	cpu_set_cr3(x, PAGE_DIR);
	cpu_set_cr0(x, x->cr[0] | (u32)CR0_PG);
}

static inline void set_pte(u32 linear, u32 pte)
{
	put32(PAGE_TABLE + 4 * (linear >> 12), pte);
	tlb_flush(cpu);
}

#endif
