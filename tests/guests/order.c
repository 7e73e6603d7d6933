/* SPDX-License-Identifier: GPL-2.0-or-later */
/* run-options: -cpu max */
/* Which exception comes when several could, and its error code. SDM 3A 6.9 (table
 * 6-2), 6.13; 2 LOCK. */
#include "guest.h"

enum { DE, UD = 6, NM, TS = 10, NP, SS, GP, PF, NONE = -1 };
enum { P = 1, W = 2, U = 4, CODE = 0x900000, GONE = 0xa00000, STACK = 0x981000 };
#define ABS 0x00, 0x00, 0xa0, 0x00       /* [GONE], which no page maps       */
#define CS7 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e

/* Where the page that is not there is concerned, cr2 is looked at too. */
static const struct row { const char *name; u8 ring, n; u8 bytes[20]; s32 vector; u32 error; } rows[] = {
	{ "length-15", 0, 15, { CS7, CS7, 0x90 }, NONE, 0 },
	{ "length-16", 0, 16, { CS7, CS7, 0x2e, 0x90 }, GP, 0 },
	{ "length-16-lock", 0, 16, { 0xf0, CS7, CS7, 0x90 }, GP, 0 },
	{ "length-16-by-operand", 0, 16, { CS7, 0x2e, 0x2e, 0x2e, 0xa1, ABS, 0x90 }, PF, 0 },
	{ "length-16-operand", 0, 17, { CS7, 0x2e, 0x2e, 0x2e, 0x2e, 0x8b, 0x05, ABS }, GP, 0 },
	{ "lock-nop", 0, 2, { 0xf0, 0x90 }, UD, 0 },
	{ "lock-register", 0, 3, { 0xf0, 0x01, 0xc0 }, UD, 0 },
	{ "lock-mov", 0, 7, { 0xf0, 0x89, 0x05, ABS }, UD, 0 },
	{ "lock-cmp", 0, 7, { 0xf0, 0x39, 0x05, ABS }, UD, 0 },
	{ "lock-test", 0, 7, { 0xf0, 0x85, 0x05, ABS }, UD, 0 },
	{ "lock-source", 0, 7, { 0xf0, 0x03, 0x05, ABS }, UD, 0 },
	{ "lock-bt", 0, 8, { 0xf0, 0x0f, 0xa3, 0x05, ABS }, UD, 0 },
	{ "lock-shl", 0, 7, { 0xf0, 0xd1, 0x25, ABS }, UD, 0 },
	{ "lock-push", 0, 7, { 0xf0, 0xff, 0x35, ABS }, UD, 0 },
	{ "lock-xlat", 0, 2, { 0xf0, 0xd7 }, UD, 0 },
	{ "lock-add", 0, 7, { 0xf0, 0x01, 0x05, ABS }, PF, W },
	{ "lock-add-user", 3, 7, { 0xf0, 0x01, 0x05, ABS }, PF, W | U },
	{ "lock-xchg", 0, 7, { 0xf0, 0x87, 0x05, ABS }, PF, W },
	{ "lock-cmpxchg8b", 0, 8, { 0xf0, 0x0f, 0xc7, 0x0d, ABS }, PF, W },
	{ "lock-hlt-user", 3, 2, { 0xf0, 0xf4 }, UD, 0 },
	{ "lock-cli-user", 3, 2, { 0xf0, 0xfa }, UD, 0 },
	{ "hlt-user", 3, 1, { 0xf4 }, GP, 0 },
	{ "cli-user", 3, 1, { 0xfa }, GP, 0 },
	{ "in-user", 3, 2, { 0xe4, 0x60 }, GP, 0 },
	{ "ins-user-absent", 3, 6, { 0xbf, ABS, 0x6c }, GP, 0 },
	{ "ins-absent", 0, 10, { 0x31, 0xd2, 0xb2, 0x80, 0xbf, ABS, 0x6c }, PF, W },
	{ "lgdt-user-absent", 3, 7, { 0x0f, 0x01, 0x15, ABS }, GP, 0 },
	{ "lldt-user-absent", 3, 7, { 0x0f, 0x00, 0x15, ABS }, GP, 0 },
	{ "invlpg-user-absent", 3, 7, { 0x0f, 0x01, 0x3d, ABS }, GP, 0 },
	{ "mov-cr1-user", 3, 3, { 0x0f, 0x22, 0xc8 }, UD, 0 },
	{ "mov-from-cr5", 0, 3, { 0x0f, 0x20, 0xe8 }, UD, 0 },
	{ "mov-cr0-user", 3, 3, { 0x0f, 0x22, 0xc0 }, GP, 0 },
	{ "lgdt-register", 3, 3, { 0x0f, 0x01, 0xd7 }, UD, 0 },
	{ "group-hole", 0, 6, { 0xfe, 0x3d, ABS }, UD, 0 },
	{ "mov-cs", 0, 6, { 0x8e, 0x0d, ABS }, UD, 0 },
	{ "mov-segment-6", 0, 6, { 0x8e, 0x35, ABS }, UD, 0 },
	{ "lea-register", 0, 2, { 0x8d, 0xc0 }, UD, 0 },
	{ "cmpxchg8b-register", 0, 3, { 0x0f, 0xc7, 0xc8 }, UD, 0 },
	{ "ud1-absent", 0, 7, { 0x0f, 0xb9, 0x05, ABS }, UD, 0 },
	{ "div-absent", 0, 6, { 0xf7, 0x35, ABS }, PF, 0 },
	{ "div-zero", 0, 4, { 0x31, 0xc9, 0xf7, 0xf1 }, DE, 0 },
	{ "push-absent", 0, 6, { 0xff, 0x35, ABS }, PF, 0 },
	{ "pop-absent", 0, 7, { 0x50, 0x8f, 0x05, ABS }, PF, W },
	{ "mov-ss-absent", 0, 6, { 0x8e, 0x15, ABS }, PF, 0 },
	{ "mov-ss-null", 0, 4, { 0x31, 0xc0, 0x8e, 0xd0 }, GP, 0 },
	{ "mov-ss-rpl", 0, 7, { 0xb8, 0x23, 0, 0, 0, 0x8e, 0xd0 }, GP, 0x20 },
	{ "mov-ds-beyond", 0, 7, { 0xb8, 0xfb, 7, 0, 0, 0x8e, 0xd8 }, GP, 0x7f8 },
	{ "mov-ds-ldt", 0, 7, { 0xb8, 0x0d, 0, 0, 0, 0x8e, 0xd8 }, GP, 0x0c },
	{ "mov-ds-tss", 0, 7, { 0xb8, 0x28, 0, 0, 0, 0x8e, 0xd8 }, GP, 0x28 },
	{ "mov-ds-not-present", 0, 7, { 0xb8, 0x48, 0, 0, 0, 0x8e, 0xd8 }, NP, 0x48 },
	{ "mov-ss-not-present", 0, 7, { 0xb8, 0x48, 0, 0, 0, 0x8e, 0xd0 }, SS, 0x48 },
	{ "mov-ds-dpl-not-present", 3, 7, { 0xb8, 0x48, 0, 0, 0, 0x8e, 0xd8 }, GP, 0x48 },
	{ "int-user-gate", 3, 2, { 0xcd, 0x20 }, GP, 0x20 * 8 + 2 },
	{ "limit-absent", 0, 12, { 0xb8, 0x50, 0, 0, 0, 0x8e, 0xe0, 0x64, 0xa1, ABS }, GP, 0 },
	{ "movaps-absent", 0, 7, { 0x0f, 0x28, 0x05, 0x01, 0x00, 0xa0, 0x00 }, GP, 0 },
	{ "movaps-aligned-absent", 0, 7, { 0x0f, 0x28, 0x05, ABS }, PF, 0 },
	{ "fetch-user", 3, 5, { 0xe9, 0xfb, 0xff, 0x0f, 0x00 }, PF, U },
	{ "far-call-absent", 0, 6, { 0xff, 0x1d, ABS }, PF, 0 },
	{ "far-jump-null", 0, 7, { 0xea, 0, 0, 0, 0, 0, 0 }, GP, 0 },
	{ "far-jump-data", 0, 7, { 0xea, 0, 0, 0, 0, 0x10, 0 }, GP, 0x10 },
};

static void call_it(void *p) { ((void (*)(void))p)(); }

static void put(u32 at, const u8 *bytes, u32 n)
{
	for (u32 i = 0; i < n; i++)
		((volatile u8 *)at)[i] = bytes[i];
}

static void each(void)
{
	static const u8 ret[] = { 0xc3 };

	for (u32 i = 0; i < N_ELEM(rows); i++) {
		const struct row *r = &rows[i];
		s32 v;

		put(CODE, r->bytes, r->n);
		put(CODE + r->n, ret, 1);
		trap_last.error = trap_last.cr2 = 0;
		v = r->ring ? user_jump((void *)CODE, STACK) : trap_try(call_it, (void *)CODE);
		CHECK_EQ(r->name, v, r->vector);
		if (v == r->vector && v != NONE)
			CHECK_EQ(r->name, trap_last.error, r->error);
		if (v == PF)
			CHECK_EQ(r->name, trap_last.cr2, GONE);
	}
}

/* -- fetches ------------------------------------------------------------------------- */
/* The end of the page before GONE; a code segment that ends at `limit`. */
static void far_call(void *p)
{
	struct { u32 eip; u16 cs; } __attribute__((packed)) to = { (u32)p, SEL_TEST };

	__asm__ volatile("lcall *%0" :: "m"(to) : "eax", "memory");
}

static int at_limit(u32 eip, u32 limit)
{
	gdt[SEL_TEST / 8] = descriptor(0, limit >> 12, 0x9b, 0xc) ;
	if ((limit & 0xfff) != 0xfff)            /* byte-granular: base high */
		gdt[SEL_TEST / 8] = descriptor(eip & ~0xfffu, limit & 0xfff, 0x9b, 4);
	return trap_try(far_call, (void *)((limit & 0xfff) != 0xfff ? eip & 0xfff : eip));
}

static void fetches(void)
{
	static const u8 mov[] = { 0xb8, 1, 2, 3, 4, 0xcb }, prefixes[] = { CS7, CS7, CS7 };
	u32 end = GONE;

	put(end - 3, mov, 3);
	CHECK_EQ("fetch-page", trap_try(call_it, (void *)(end - 3)), PF);
	CHECK_EQ("fetch-page-cr2", trap_last.cr2, end);
	CHECK_EQ("fetch-page-eip", trap_last.eip, end - 3);
	CHECK_EQ("fetch-limit-and-page", at_limit(end - 3, 0xffe), GP);
	CHECK_EQ("fetch-limit-and-page-error", trap_last.error, 0);
	CHECK_EQ("fetch-limit-later", at_limit(end - 3, end | 0xfff), PF);
	put(end - 6, mov, 6);
	CHECK_EQ("fetch-to-limit", at_limit(end - 6, 0xffe), GP);
	CHECK_EQ("fetch-to-limit-eip", trap_last.eip, 0xfff);
	put(end - 15, prefixes, 15);
	CHECK_EQ("fetch-15-prefixes", trap_try(call_it, (void *)(end - 15)), GP);
	put(end - 14, prefixes, 14);
	CHECK_EQ("fetch-14-prefixes", trap_try(call_it, (void *)(end - 14)), PF);
	CHECK_EQ("fetch-14-prefixes-cr2", trap_last.cr2, end);
}

/* -- two pages, rights ------------------------------------------------------------------- */
static void write_at(void *p) { *(volatile u32 *)p = 1; }

static void crossing(void)
{
	u32 first = GONE - 4096;

	set_cr0(get_cr0() | 0x10000);
	*pte((void *)first) &= ~PG_W;
	invlpg((void *)first);
	CHECK_EQ("cross-both", trap_try(write_at, (void *)(GONE - 2)), PF);
	CHECK_EQ("cross-both-first", trap_last.error, P | W);
	CHECK_EQ("cross-both-cr2", trap_last.cr2, GONE - 2);
	*pte((void *)first) |= PG_W;
	invlpg((void *)first);
	CHECK_EQ("cross-second", trap_try(write_at, (void *)(GONE - 2)), PF);
	CHECK_EQ("cross-second-error", trap_last.error, W);
	CHECK_EQ("cross-second-cr2", trap_last.cr2, GONE);
	set_cr0(get_cr0() & ~0x10000u);
}

/* -- #UD, #NM, #GP of vector instructions -------------------------------------------------- */
static void movaps_odd(void *p) { (void)p; __asm__ volatile("movaps 0xa00001, %xmm0"); }
static void fld_absent(void *p) { (void)p; __asm__ volatile("flds 0xa00000"); }

/* Flags that are overwritten behind an SSE instruction: its #UD shows them. */
static void flags_before_sse(void *p)
{
	(void)p;
	__asm__ volatile("cmp %%eax, %%eax; jz 1f; .skip 200, 0x90; 1: xorps %%xmm0, %%xmm0\n\t"
			 "test %%esp, %%esp" ::: "cc");
}

/* One piece of code while SSE is enabled, and not. */
static void sse_on_and_off(void)
{
	u32 cr4 = get_cr4();

	for (int i = 0; i < 6; i++) {
		int on = i % 3 != 1;

		set_cr4(on ? cr4 : cr4 & ~0x200u);
		CHECK_EQ("sse-on-and-off", trap_try(flags_before_sse, 0), on ? -1 : UD);
		if (!on)
			CHECK_EQ("sse-off-flags", trap_last.eflags & 0x8d5, 0x44);
	}
	set_cr4(cr4);
}

/* CR4 is loaded by a call between two SSE instructions. */
static void cr4_across_call(void *cr4)
{
	__asm__ volatile("jmp 2f; 1: mov %0, %%cr4; ret\n"
			 "2: xorps %%xmm0, %%xmm0; call 1b; xorps %%xmm0, %%xmm0" :: "r"(cr4));
}

static void sse_across_call(void)
{
	u32 cr4 = get_cr4();

	for (int i = 0; i < 8; i++) {
		int on = i % 4 != 3;

		CHECK_EQ("sse-across-call",
			 trap_try(cr4_across_call, (void *)(on ? cr4 : cr4 & ~0x200u)),
			 on ? -1 : UD);
		set_cr4(cr4);
	}
}

static void vectors(void)
{
	u32 cr0 = get_cr0(), cr4 = get_cr4();

	set_cr0(cr0 | 8);
	CHECK_EQ("ts-before-gp", trap_try(movaps_odd, 0), NM);
	CHECK_EQ("ts-before-pf", trap_try(fld_absent, 0), NM);
	set_cr0(cr0 | 12);
	CHECK_EQ("em-before-ts", trap_try(movaps_odd, 0), UD);
	CHECK_EQ("em-x87", trap_try(fld_absent, 0), NM);
	set_cr0(cr0 | 8);
	set_cr4(cr4 & ~0x200u);
	CHECK_EQ("osfxsr-before-ts", trap_try(movaps_odd, 0), UD);
	set_cr4(cr4);
	set_cr0(cr0);
	CHECK_EQ("gp-before-pf", trap_try(movaps_odd, 0), GP);
}

void guest_main(void)
{
	set_cr4(get_cr4() | 0x600);
	gdt[0x48 / 8] = descriptor(0, 0xfffff, 0x13, 0xc);      /* data, not present */
	gdt[0x50 / 8] = descriptor(0, 0x8fffff >> 12, 0x93, 0xc);  /* ends at CODE   */
	paging_on();
	*pte((void *)GONE) = 0;
	invlpg((void *)GONE);
	each();
	fetches();
	crossing();
	vectors();
	sse_on_and_off();
	sse_across_call();
	paging_off();
}
