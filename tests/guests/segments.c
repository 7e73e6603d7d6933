/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Segmentation: limits, types and rights of accesses; what loading a segment
 * register checks; LAR, LSL, VERR, VERW; LDT. SDM 3A 5.3-5.7. */
#include "guest.h"

enum { DATA = 0x93, DATA_RO = 0x91, DOWN = 0x97, CODE = 0x9b, CODE_XO = 0x99 };
enum { G = 8, B = 4 };
enum { GP = 13, SS = 12, NP = 11 };

static u8 area[0x3000] __attribute__((aligned(4096)));

/* -- accesses --------------------------------------------------------------------- */

static const struct access {
	const char *name;
	u32 limit;
	u8 access, flags;
	u32 offset;
	int size;               /* bytes; negative: a write                  */
	int vector;
} accesses[] = {
	{ "last-byte", 0xfff, DATA, B, 0xfff, 1, -1 },
	{ "byte-beyond", 0xfff, DATA, B, 0x1000, 1, GP },
	{ "word-across", 0xfff, DATA, B, 0xfff, 2, GP },
	{ "last-dword", 0xfff, DATA, B, 0xffc, 4, -1 },
	{ "dword-across", 0xfff, DATA, B, 0xffd, 4, GP },
	{ "dword-far-beyond", 0xfff, DATA, B, 0xfffffffe, 4, GP },
	{ "write-last", 0xfff, DATA, B, 0xffc, -4, -1 },
	{ "write-beyond", 0xfff, DATA, B, 0x1000, -4, GP },
	{ "limit-zero", 0, DATA, B, 0, 1, -1 },
	{ "limit-zero-word", 0, DATA, B, 0, 2, GP },
	{ "pages-last", 0, DATA, G | B, 0xffc, 4, -1 },
	{ "pages-beyond", 0, DATA, G | B, 0x1000, 4, GP },
	{ "two-pages-last", 1, DATA, G | B, 0x1fff, 1, -1 },
	{ "down-first", 0xfff, DOWN, B, 0x1000, 4, -1 },
	{ "down-below", 0xfff, DOWN, B, 0xfff, 1, GP },
	{ "down-across", 0xfff, DOWN, B, 0xffd, 4, GP },
	{ "down-16-last", 0xfff, DOWN, 0, 0xffff, 1, -1 },
	{ "down-16-across", 0xfff, DOWN, 0, 0xfffe, 4, GP },
	{ "down-16-beyond", 0xfff, DOWN, 0, 0x10000, 1, GP },
	{ "down-nothing", 0xfffff, DOWN, G | B, 0x1000, 1, GP },
	{ "read-only-read", 0xfff, DATA_RO, B, 0, 4, -1 },
	{ "read-only-write", 0xfff, DATA_RO, B, 0, -4, GP },
	{ "code-read", 0xfff, CODE, B, 0, 4, -1 },
	{ "code-write", 0xfff, CODE, B, 0, -4, GP },
};

static void touch(void *p)
{
	const struct access *a = p;
	u32 off = a->offset;

	__asm__ volatile("mov %0, %%fs" :: "r"(SEL_TEST));
	switch (a->size) {
	case 1: __asm__ volatile("movb %%fs:(%0), %%al" :: "r"(off) : "eax"); break;
	case 2: __asm__ volatile("movw %%fs:(%0), %%ax" :: "r"(off) : "eax"); break;
	case 4: __asm__ volatile("movl %%fs:(%0), %%eax" :: "r"(off) : "eax"); break;
	default: __asm__ volatile("movl %0, %%fs:(%0)" :: "r"(off) : "memory"); break;
	}
}

static void check_accesses(void)
{
	for (unsigned i = 0; i < N_ELEM(accesses); i++) {
		const struct access *a = &accesses[i];

		if (a->vector >= 0 && upstream_lacks(a->name))
			continue;
		gdt[SEL_TEST / 8] = descriptor((u32)area, a->limit, a->access,
					       a->flags);
		CHECK_EQ(a->name, trap_try(touch, (void *)a), a->vector);
		if (a->vector >= 0 && trap_last.error)
			CHECK_EQ(a->name, trap_last.error, 0);
	}
}

/* One piece of code with a GS of many kinds: what was translated for one that has no
 * limit must not serve another. */
static u32 by_gs;

static void gs_read(void *p)
{
	(void)p;
	__asm__ volatile("movl %%gs:0x1000, %0" : "=r"(by_gs));
}

static void check_gs_kinds(void)
{
	static const struct { u32 limit; u8 flags; int vector; } kinds[] = {
		{ 0xfffff, G | B, -1 }, { 0xfff, B, GP }, { 0x1003, B, -1 }, { 0, 0, GP },
	};

	*(volatile u32 *)(area + 0x1000) = 0x5eed;
	for (unsigned i = 0; i < 4 * N_ELEM(kinds); i++) {
		unsigned k = i * 5 / 3 % N_ELEM(kinds);

		gdt[SEL_TEST / 8] = descriptor((u32)area, kinds[k].limit, DATA, kinds[k].flags);
		__asm__ volatile("mov %0, %%gs" :: "r"(kinds[k].flags ? SEL_TEST : 0));
		by_gs = 0;
		if (kinds[k].vector >= 0 && upstream_lacks("gs-kinds"))
			continue;
		CHECK_EQ("gs-kinds", trap_try(gs_read, 0), kinds[k].vector);
		CHECK_EQ("gs-kinds-value", by_gs, kinds[k].vector < 0 ? 0x5eed : 0);
	}
}

static void null_access(void *p)
{
	(void)p;
	__asm__ volatile("mov %0, %%gs; movl %%gs:0x1000, %%eax" :: "r"(0) : "eax");
}

/* What follows the POP of a segment register, in one run, has its new limit and
 * the new ESP. */
static u32 esp_before, esp_after;

static void pop_access(void *p)
{
	(void)p;
	gdt[SEL_TEST / 8] = descriptor(0, 0xfff, DATA, B);
	__asm__ volatile("movl %%esp, %0; push %2; pop %%es; movl %%esp, %1\n"
			 "movl %%es:0x1000, %%eax"
			 : "=m"(esp_before), "=m"(esp_after) : "i"(SEL_TEST) : "eax");
}

static void check_pop(void)
{
	for (int i = 0; i < 2; i++) {
		int v;

		esp_after = 0;
		v = trap_try(pop_access, 0);
		CHECK_EQ("pop-es-esp", esp_after, esp_before);
		if (!upstream_lacks("pop-es-limit"))
			CHECK_EQ("pop-es-limit", v, GP);
	}
}

/* A string instruction writes up to the limit and faults at the first element
 * beyond it. */
static void rep_across(void *p)
{
	(void)p;
	__asm__ volatile("mov %0, %%es" :: "r"(SEL_TEST));
	__asm__ volatile("mov $0xff0, %%edi; mov $100, %%ecx; mov $0x55, %%al\n"
			 "rep stosb" ::: "edi", "ecx", "eax", "memory");
}

/* The stack segment has its own vector. */
static void stack_access(void *p)
{
	u32 beyond = ((u32)stack_end | 0xfff) + 1;

	(void)p;
	gdt[SEL_TEST / 8] = descriptor(0, (u32)stack_end >> 12, DATA, G | B);
	__asm__ volatile("mov %0, %%ss; mov %%ss:0x10000(%1), %%eax"
			 :: "r"(SEL_TEST), "r"(beyond) : "eax");
}

static void code_limit(void *p)
{
	/* nop x4, then an lret that lies beyond the limit of 3. */
	static u8 code[16] = { 0x90, 0x90, 0x90, 0x90, 0xcb };

	(void)p;
	gdt[SEL_TEST / 8] = descriptor((u32)code, 3, CODE, B);
	__asm__ volatile("lcall %0, $0" :: "i"(SEL_TEST));
}

static void code_jump_beyond(void *p)
{
	(void)p;
	gdt[SEL_TEST / 8] = descriptor((u32)area, 0xff, CODE, B);
	__asm__ volatile("ljmp %0, $0x100" :: "i"(SEL_TEST));
}

/* -- loads ------------------------------------------------------------------------- */

static const struct load {
	const char *name;
	u8 reg;                 /* 's' SS, 'd' DS ...                        */
	u16 sel;
	u8 access;              /* of the descriptor at SEL_TEST             */
	int vector;
	u16 error;
} loads[] = {
	{ "load-data", 'd', SEL_TEST, DATA, -1, 0 },
	{ "load-rpl3-data-of-ring0", 'd', SEL_TEST | 3, DATA, GP, SEL_TEST },
	{ "load-rpl3-data-of-ring3", 'd', SEL_TEST | 3, 0xf3, -1, 0 },
	{ "load-not-present", 'd', SEL_TEST, 0x13, NP, SEL_TEST },
	{ "load-execute-only", 'd', SEL_TEST, CODE_XO, GP, SEL_TEST },
	{ "load-readable-code", 'd', SEL_TEST, CODE, -1, 0 },
	{ "load-conforming", 'd', SEL_TEST | 3, 0x9f, -1, 0 },
	{ "load-system", 'd', SEL_TEST, 0x89, GP, SEL_TEST },
	{ "load-gate", 'd', SEL_TEST, 0x8c, GP, SEL_TEST },
	{ "load-null", 'd', 0, DATA, -1, 0 },
	{ "load-null-rpl3", 'd', 3, DATA, -1, 0 },
	{ "load-beyond-gdt", 'd', 0x200, DATA, GP, 0x200 },
	{ "load-no-ldt", 'd', 0x0c, DATA, GP, 0x0c },
	{ "load-ss-data", 's', SEL_TEST, DATA, -1, 0 },
	{ "load-ss-null", 's', 0, DATA, GP, 0 },
	{ "load-ss-read-only", 's', SEL_TEST, DATA_RO, GP, SEL_TEST },
	{ "load-ss-code", 's', SEL_TEST, CODE, GP, SEL_TEST },
	{ "load-ss-not-present", 's', SEL_TEST, 0x13, SS, SEL_TEST },
	{ "load-ss-rpl", 's', SEL_TEST | 1, DATA, GP, SEL_TEST },
	{ "load-ss-dpl", 's', SEL_TEST, 0xb3, GP, SEL_TEST },
};

static void do_load(void *p)
{
	const struct load *l = p;

	if (l->reg == 's')
		__asm__ volatile("mov %0, %%ss; mov %1, %%ss"
				 :: "r"((u32)l->sel), "r"(0x10));
	else
		__asm__ volatile("mov %0, %%ds; mov %1, %%ds"
				 :: "r"((u32)l->sel), "r"(0x10));
}

static void check_loads(void)
{
	for (unsigned i = 0; i < N_ELEM(loads); i++) {
		const struct load *l = &loads[i];
		int v;

		gdt[SEL_TEST / 8] = descriptor(0, 0xfffff, l->access, G | B);
		v = trap_try(do_load, (void *)l);
		CHECK_EQ(l->name, v, l->vector);
		if (v >= 0)
			CHECK_EQ(l->name, trap_last.error, l->error);
	}
}

static void check_accessed_bit(void)
{
	gdt[SEL_TEST / 8] = descriptor(0, 0xfffff, 0x92, G | B);
	__asm__ volatile("mov %0, %%fs" :: "r"(SEL_TEST) : "memory");
	barrier();
	CHECK_EQ("accessed-bit", (u32)(gdt[SEL_TEST / 8] >> 40) & 0xff, 0x93);
}

/* -- queries ------------------------------------------------------------------------ */

static u32 lar(u32 sel, int *zf)
{
	u32 v = 0;
	u8 z;

	__asm__ volatile("lar %2, %0; setz %1" : "+r"(v), "=q"(z) : "r"(sel));
	*zf = z;
	return v;
}

static u32 lsl(u32 sel, int *zf)
{
	u32 v = 0;
	u8 z;

	__asm__ volatile("lsl %2, %0; setz %1" : "+r"(v), "=q"(z) : "r"(sel));
	*zf = z;
	return v;
}

#define VER(op, sel) ({ u8 z_; \
	__asm__ volatile(op " %w1; setz %0" : "=q"(z_) : "r"(sel)); (int)z_; })

static void check_queries(void)
{
	int z;

	gdt[SEL_TEST / 8] = descriptor(0x12345678, 0x54321, DATA_RO, G | B);
	CHECK_EQ("lar", lar(SEL_TEST, &z) & 0xf0ff00, 0xc09100);
	CHECK_EQ("lar-zf", z, 1);
	CHECK_EQ("lsl-pages", lsl(SEL_TEST, &z), 0x54321fff);
	CHECK_EQ("verr", VER("verr", SEL_TEST), 1);
	CHECK_EQ("verw-read-only", VER("verw", SEL_TEST), 0);
	gdt[SEL_TEST / 8] = descriptor(0, 0x1234, CODE_XO, B);
	CHECK_EQ("lsl-bytes", lsl(SEL_TEST, &z), 0x1234);
	CHECK_EQ("verr-execute-only", VER("verr", SEL_TEST), 0);
	gdt[SEL_TEST / 8] = descriptor(0, 0x1234, 0x8e, 0);
	lar(SEL_TEST, &z);
	CHECK_EQ("lar-interrupt-gate", z, 0);
	lsl(0, &z);
	CHECK_EQ("lsl-null", z, 0);
	lar(0x200, &z);
	CHECK_EQ("lar-beyond-gdt", z, 0);
	lar(SEL_TSS, &z);
	CHECK_EQ("lar-tss", z, 1);
}

static void ldt_load(void *p)
{
	(void)p;
	__asm__ volatile("mov %0, %%fs; movl %%fs:0, %%eax" :: "r"(0x0c) : "eax");
}

static void check_ldt(void)
{
	static u64 ldt[4];

	*(volatile u32 *)area = 0xfeedf00d;
	ldt[1] = descriptor((u32)area, 0xfff, DATA, B);
	gdt[SEL_TEST / 8] = descriptor((u32)ldt, sizeof(ldt) - 1, 0x82, 0);
	__asm__ volatile("lldt %w0" :: "r"(SEL_TEST));
	CHECK_EQ("ldt-load", trap_try(ldt_load, 0), -1);
	gdt[SEL_TEST / 8] = descriptor((u32)ldt, 7, 0x82, 0);
	__asm__ volatile("lldt %w0" :: "r"(SEL_TEST));
	CHECK_EQ("ldt-limit", trap_try(ldt_load, 0), GP);
	CHECK_EQ("ldt-limit-error", trap_last.error, 0x0c);
	__asm__ volatile("lldt %w0" :: "r"(0));
	CHECK_EQ("ldt-null", trap_try(ldt_load, 0), GP);
}

/* A stack pointer just below 4 GB: 1Ch above it is address 10h. Translated code that
 * shared one check between the two accesses went on at 4 GB + 10h, and the emulator
 * died. */
static void check_stack_wraps(void)
{
	volatile u32 *low = (u32 *)0x10;
	u32 keep[2] = { low[0], low[1] }, read;

	low[0] = 0x1234;
	__asm__ volatile("mov %%esp, %%esi; mov $0xfffffff4, %%esp\n\t"
			 "mov 0x1c(%%esp), %%eax; lea 1(%%eax), %%ecx\n\t"
			 "mov %%ecx, 0x20(%%esp); mov %%esi, %%esp"
			 : "=a"(read) :: "ecx", "esi", "memory");
	CHECK_EQ("stack-wraps-load", read, 0x1234);
	CHECK_EQ("stack-wraps-store", low[1], 0x1235);
	/* from 10h down past 0, and up again by a displacement */
	__asm__ volatile("mov %%esp, %%esi; mov $0x10, %%esp\n\t"
			 "mov (%%esp), %%eax; sub $0x20, %%esp; sbb %%ecx, %%ecx\n\t"
			 "add 0x20(%%esp), %%eax; add %%ecx, %%eax; mov %%esi, %%esp"
			 : "=a"(read) :: "ecx", "esi", "memory");
	CHECK_EQ("stack-wraps-between", read, 2 * 0x1234 - 1);
	low[0] = keep[0];
	low[1] = keep[1];
}

void guest_main(void)
{
	check_stack_wraps();
	check_accesses();
	check_gs_kinds();
	check_loads();
	check_pop();
	check_accessed_bit();
	check_queries();
	check_ldt();
	CHECK_EQ("jump-beyond-limit", trap_try(code_jump_beyond, 0), GP);
	if (!upstream_lacks("null-selector"))
		CHECK_EQ("null-selector", trap_try(null_access, 0), GP);
	if (!upstream_lacks("stack-limit")) {
		CHECK_EQ("stack-limit", trap_try(stack_access, 0), SS);
		CHECK_EQ("stack-limit-error", trap_last.error, 0);
	}
	if (!upstream_lacks("code-limit")) {
		CHECK_EQ("code-limit", trap_try(code_limit, 0), GP);
		CHECK_EQ("code-limit-eip", trap_last.eip, 4);
	}
	gdt[SEL_TEST / 8] = descriptor((u32)area, 0xfff, DATA, B);
	if (!upstream_lacks("rep-across-limit")) {
		memset(area, 0, sizeof(area));
		CHECK_EQ("rep-across-limit", trap_try(rep_across, 0), GP);
		CHECK_EQ("rep-wrote-up-to-it", area[0xfff], 0x55);
		CHECK_EQ("rep-not-beyond", area[0x1000], 0);
	}
}
