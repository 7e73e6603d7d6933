/* SPDX-License-Identifier: GPL-2.0-or-later */
/* run-options: -cpu max */
/* XSAVE, XSAVEOPT, XRSTOR, XGETBV, XSETBV: state that is kept, the header, faults.
 * SDM 1 chapter 13. */
#include "guest.h"

enum { UD = 6, NM = 7, GP = 13, PF = 14, TS = 8, CR4_FXSR = 0x600, CR4_OSXSAVE = 1 << 18 };
enum { BV = 512, COMP = 520, ZERO = 528, MXCSR = 24, XMM = 160, AREA = 576 };

static u8 area[4096] __attribute__((aligned(64)));
static u8 copy[AREA] __attribute__((aligned(64)));
static u8 *at = area;
static u32 mask = 3;

static u32 *word(u32 ofs) { return (u32 *)(area + ofs); }
static u64 xgetbv(u32 nr)
{
	u32 a, d;

	__asm__ volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(nr));
	return (u64)d << 32 | a;
}

#define OP(name, text) static void name(void *p) \
	{ (void)p; __asm__ volatile(text " (%0)" :: "r"(at), "a"(mask), "d"(0) : "memory"); }
OP(xsave, "xsave")
OP(xsaveopt, "xsaveopt")
OP(xrstor, "xrstor")
OP(locked, ".byte 0xf0; xsave")
static void get(void *p) { xgetbv((u32)p); }

struct xcr { u32 nr, a, d; };
static void set(void *p)
{
	struct xcr *x = p;

	__asm__ volatile("xsetbv" :: "c"(x->nr), "a"(x->a), "d"(x->d));
}
static void user_set(void) { set(&(struct xcr){ 0, 3, 0 }); }
static void user_get(void) { xgetbv(0); }
static void user_save(void) { xsave(0); xrstor(0); }

/* -- what may be done when --------------------------------------------------------- */
static void enabling(void)
{
	u32 r[4];

	set_cr4(get_cr4() & ~CR4_OSXSAVE);
	cpuid(1, 0, r);
	CHECK_EQ("osxsave-clear", r[2] >> 27 & 1, 0);
	CHECK_EQ("xgetbv-without", trap_try(get, 0), UD);
	CHECK_EQ("xsetbv-without", trap_try(set, &(struct xcr){ 0, 3, 0 }), UD);
	CHECK_EQ("xsave-without", trap_try(xsave, 0), UD);
	at = area + 1;
	CHECK_EQ("xsave-without-unaligned", trap_try(xsave, 0), UD);
	at = area;
	set_cr4(get_cr4() | CR4_OSXSAVE);
	cpuid(1, 0, r);
	CHECK_EQ("osxsave-set", r[2] >> 27 & 1, 1);
	CHECK_EQ("xcr0-reset", xgetbv(0), 1);
}

static void xcr(void)
{
	static const struct { const char *name; struct xcr x; int v; } rows[] = {
		{ "xcr0-no-x87", { 0, 2, 0 }, GP }, { "xcr0-zero", { 0, 0, 0 }, GP },
		{ "xcr0-high", { 0, 3, 1 }, GP }, { "xcr0-reserved", { 0, 0x80000003, 0 }, GP },
		{ "xcr1", { 1, 3, 0 }, GP }, { "xcr0-both", { 0, 3, 0 }, -1 },
	};
	u32 r[4];

	for (u32 i = 0; i < N_ELEM(rows); i++)
		CHECK_EQ(rows[i].name, trap_try(set, (void *)&rows[i].x), rows[i].v);
	CHECK_EQ("xcr0", xgetbv(0), 3);
	CHECK_EQ("xgetbv-2", trap_try(get, (void *)2), GP);
	CHECK_EQ("xsetbv-user", user_try(user_set), GP);
	CHECK_EQ("xgetbv-user", user_try(user_get), 0x30);
	cpuid(13, 0, r);
	CHECK_EQ("cpuid-components", r[0] & 3, 3);
	CHECK_EQ("cpuid-size-enabled", r[1], AREA);
	CHECK("cpuid-size-all", r[2] >= AREA);
}

/* -- saving and restoring -------------------------------------------------------------- */
static void fill(u32 seed)
{
	static u32 v[32] __attribute__((aligned(16)));

	for (u32 i = 0; i < 32; i++)
		v[i] = seed + i * 0x01010101;
	__asm__ volatile("fninit; fldpi; fld1; movups (%0), %%xmm0; movups 16(%0), %%xmm1\n"
			 "movups 32(%0), %%xmm2; movups 48(%0), %%xmm7" :: "r"(v));
}

static void clear(void)
{
	u8 *zero = copy;

	memset(zero, 0, 512);
	*(u16 *)zero = 0x37f;
	*(u32 *)(zero + MXCSR) = 0x1f80;
	__asm__ volatile("fxrstor (%0)" :: "r"(zero));
}

static int same(u32 from, u32 to)
{
	for (u32 i = from; i < to; i++)
		if (area[i] != copy[i])
			return 0;
	return 1;
}

static void round_trip(void)
{
	memset(area, 0xaa, sizeof(area));
	*(u64 *)(area + BV) = 0;
	mask = 3;
	fill(0x11223344);
	xsave(0);
	CHECK_EQ("xsave-bv", *word(BV), 3);
	CHECK_EQ("xsave-xmm0", *word(XMM), 0x11223344);
	CHECK_EQ("xsave-fcw", *(u16 *)area, 0x37f);
	CHECK_EQ("xsave-ftw", area[4], 0xc0);
	CHECK_EQ("xsave-mxcsr", *word(MXCSR), 0x1f80);
	CHECK_EQ("xsave-header-rest", *word(COMP), 0xaaaaaaaa);
	CHECK_EQ("xsave-unused", *word(XMM + 256), 0xaaaaaaaa);
	memset(area + COMP, 0, 56);
	clear();
	__asm__ volatile("fxsave (%0)" :: "r"(copy));
	CHECK_EQ("cleared", *(u32 *)(copy + XMM), 0);
	xrstor(0);
	__asm__ volatile("fxsave (%0)" :: "r"(copy));
	CHECK("xrstor-x87", same(32, 42) && same(48, 58));
	CHECK_EQ("xrstor-ftw", copy[4], 0xc0);
	CHECK("xrstor-xmm", same(XMM, XMM + 128));
}

/* Components one by one; init optimisation of XSTATE_BV. */
static void components(void)
{
	fill(0x55667788);
	mask = 1;
	memset(area, 0xbb, 512);
	*word(BV) = 2;
	xsave(0);
	CHECK_EQ("xsave-x87-keeps-bv", *word(BV), 3);
	CHECK_EQ("xsave-x87-no-mxcsr", *word(MXCSR), 0xbbbbbbbb);
	CHECK_EQ("xsave-x87-no-xmm", *word(XMM), 0xbbbbbbbb);
	memset(area, 0xbb, 512);
	mask = 2;
	xsave(0);
	CHECK_EQ("xsave-sse-no-x87", *word(0), 0xbbbbbbbb);
	CHECK_EQ("xsave-sse-no-st", *word(32), 0xbbbbbbbb);
	CHECK_EQ("xsave-sse-mxcsr", *word(MXCSR), 0x1f80);
	CHECK_EQ("xsave-sse-xmm", *word(XMM), 0x55667788);
	mask = 0;
	memset(area, 0xbb, 512);
	xsave(0);
	CHECK_EQ("xsave-none", *word(XMM), 0xbbbbbbbb);
	mask = ~0u;
	clear();
	*word(BV) = 0;
	xsave(0);
	CHECK_EQ("xsave-initial-sse", *word(BV) & 2, 0);
	CHECK_EQ("xsave-initial-written", *word(XMM), 0);
	mask = 3;
}

/* What XSTATE_BV has not is initialised; MXCSR is loaded all the same. */
static void initialising(void)
{
	mask = 3;
	fill(0x99aabbcc);
	xsave(0);
	*word(BV) = 1;
	*word(MXCSR) = 0x1f00;                   /* IE unmasked              */
	fill(1);
	xrstor(0);
	__asm__ volatile("fxsave (%0)" :: "r"(copy));
	CHECK_EQ("xrstor-init-xmm", *(u32 *)(copy + XMM), 0);
	CHECK_EQ("xrstor-init-mxcsr", *(u32 *)(copy + MXCSR), 0x1f00);
	CHECK_EQ("xrstor-init-x87-loaded", copy[4], 0xc0);
	*word(BV) = 2;
	*word(MXCSR) = 0x1f80;
	xrstor(0);
	__asm__ volatile("fxsave (%0)" :: "r"(copy));
	CHECK_EQ("xrstor-init-ftw", copy[4], 0);
	CHECK_EQ("xrstor-init-fcw", *(u16 *)copy, 0x37f);
	CHECK_EQ("xrstor-loads-xmm", *(u32 *)(copy + XMM), 0x99aabbcc);
	fill(0x1234);
	mask = 1;
	*word(MXCSR) = ~0u;                      /* not looked at            */
	CHECK_EQ("xrstor-x87-only", trap_try(xrstor, 0), -1);
	__asm__ volatile("fxsave (%0)" :: "r"(copy));
	CHECK_EQ("xrstor-x87-keeps-xmm", *(u32 *)(copy + XMM), 0x1234);
	mask = 3;
	*word(MXCSR) = 0x1f80;
}

static void xsaveopt_(void)
{
	u32 r[4];

	cpuid(13, 1, r);
	if (!(r[0] & 1)) {
		say("skip xsaveopt: not in CPUID\n");
		return;
	}
	fill(0x77);
	memset(area, 0xcc, 512);
	*word(BV) = 0;
	xsaveopt(0);
	CHECK_EQ("xsaveopt-bv", *word(BV), 3);
	CHECK_EQ("xsaveopt-xmm", *word(XMM), 0x77);
	if (r[0] & 4)
		CHECK_EQ("xinuse", xgetbv(1) & 3, 3);
	clear();
	memset(area, 0xcc, 512);
	xsaveopt(0);
	CHECK_EQ("xsaveopt-mxcsr", *word(MXCSR), 0x1f80);
	if (!(*word(BV) & 2))
		CHECK_EQ("xsaveopt-init", *word(XMM), 0xcccccccc);
	if (r[0] & 4)
		CHECK_EQ("xinuse-clear", xgetbv(1) & 2, *word(BV) & 2);
	memset(area, 0, sizeof(area));
	xsave(0);
}

/* -- faults -------------------------------------------------------------------------------- */
static void header_faults(void)
{
	static const struct { const char *name; u32 ofs, v; } bad[] = {
		{ "xrstor-bv-disabled", BV, 4 }, { "xrstor-bv-high", BV + 4, 0x80000000 },
		{ "xrstor-compact", COMP + 4, 0x80000000 }, { "xrstor-comp-bv", COMP, 1 },
		{ "xrstor-zero", ZERO, 1 }, { "xrstor-mxcsr", MXCSR, 0x10000 },
	};

	for (u32 i = 0; i < N_ELEM(bad); i++) {
		u32 old = *word(bad[i].ofs);

		fill(0x4321);
		*word(bad[i].ofs) = bad[i].v;
		CHECK_EQ(bad[i].name, trap_try(xrstor, 0), GP);
		*word(bad[i].ofs) = old;
		__asm__ volatile("fxsave (%0)" :: "r"(copy));
		CHECK_EQ(bad[i].name, *(u32 *)(copy + XMM), 0x4321);
	}
	*word(ZERO + 8) = 1;                     /* reserved, not looked at  */
	CHECK_EQ("xrstor-rest", trap_try(xrstor, 0), -1);
	*word(ZERO + 8) = 0;
	memset(area, 0, sizeof(area));
	set(&(struct xcr){ 0, 1, 0 });
	*word(BV) = 2;
	CHECK_EQ("xrstor-sse-disabled", trap_try(xrstor, 0), GP);
	memset(area, 0xdd, 512);
	xsave(0);
	CHECK_EQ("xsave-sse-disabled", *word(XMM), 0xdddddddd);
	set(&(struct xcr){ 0, 3, 0 });
	memset(area, 0, sizeof(area));
}

static void other_faults(void)
{
	for (u32 i = 1; i < 64; i <<= 1) {
		at = area + i;
		CHECK_EQ("xsave-unaligned", trap_try(xsave, 0), GP);
		CHECK_EQ("xrstor-unaligned", trap_try(xrstor, 0), GP);
	}
	at = area;
	CHECK_EQ("xsave-lock", trap_try(locked, 0), UD);
	set_cr0(get_cr0() | TS);
	CHECK_EQ("xsave-ts", trap_try(xsave, 0), NM);
	at = area + 1;
	CHECK_EQ("xrstor-ts-unaligned", trap_try(xrstor, 0), NM);
	at = area;
	set_cr0(get_cr0() & ~TS);
	CHECK_EQ("xsave-user", user_try(user_save), 0x30);
}

/* The legacy region in one page, the header in the next, which faults: nothing is
 * written, nothing loaded. */
static void pages(void)
{
	u8 *first = (u8 *)0x900000, *second = first + 4096;

	paging_on();
	at = second - 512;
	memset(at, 0x5a, 512);
	memset(second, 0, 64);
	*pte(second) &= ~PG_P;
	invlpg(second);
	fill(0x2468);
	CHECK_EQ("xsave-header-page", trap_try(xsave, 0), PF);
	CHECK_EQ("xsave-header-cr2", trap_last.cr2, (u32)second);
	CHECK_EQ("xsave-header-error", trap_last.error, 2);
	CHECK_EQ("xsave-writes-nothing", *(u32 *)(at + XMM), 0x5a5a5a5a);
	CHECK_EQ("xrstor-header-page", trap_try(xrstor, 0), PF);
	*pte(second) |= PG_P;
	invlpg(second);
	xsave(0);
	CHECK_EQ("xsave-two-pages", *(u32 *)(second), 3);
	*pte(first) &= ~PG_P;
	invlpg(first);
	fill(0x1357);
	CHECK_EQ("xrstor-legacy-page", trap_try(xrstor, 0), PF);
	__asm__ volatile("fxsave (%0)" :: "r"(copy));
	CHECK_EQ("xrstor-loads-nothing", *(u32 *)(copy + XMM), 0x1357);
	*pte(first) |= PG_P;
	invlpg(first);
	xrstor(0);
	__asm__ volatile("fxsave (%0)" :: "r"(copy));
	CHECK_EQ("xrstor-two-pages", *(u32 *)(copy + XMM), 0x2468);
	paging_off();
	at = area;
}

void guest_main(void)
{
	u32 r[4];

	cpuid(1, 0, r);
	if (!(r[2] >> 26 & 1)) {
		say("skip xsave: not in CPUID\n");
		return;
	}
	set_cr4(get_cr4() | CR4_FXSR);
	enabling();
	xcr();
	round_trip();
	components();
	initialising();
	xsaveopt_();
	header_faults();
	other_faults();
	pages();
}
