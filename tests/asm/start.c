/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The initial state of a case: registers, flags, x87 and XMM state, memory. All
 * randomness comes from the case's seed, so that the process and the guest see the
 * same.
 */
#include "case.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define EFLAGS_ARITH	0x000008d5
#define EFLAGS_DF	0x00000400
#define EFLAGS_AC	0x00040000

struct start start;
u32 template[SCRATCH_WORDS];
static u32 *const scratch = (u32 *)SCRATCH;

/* -- random numbers with a taste for edges -------------------------------- */

static u32 rnd_state = 1;

static u32 rnd(void)
{
	rnd_state ^= rnd_state << 13;
	rnd_state ^= rnd_state >> 17;
	rnd_state ^= rnd_state << 5;
	return rnd_state;
}

static void rnd_seed(u32 seed)
{
	rnd_state = seed * 0x9e3779b1u | 1;
	rnd();
	rnd();
}

static u32 rnd_value(void)
{
	static const u32 edges[] = {
		0, 1, 2, 3, 7, 8, 15, 16, 31, 32, 33, 0x7f, 0x80, 0x81, 0xff,
		0x100, 0x7fff, 0x8000, 0x8001, 0xffff, 0x10000, 0x7fffffff,
		0x80000000, 0x80000001, 0xfffffffe, 0xffffffff, 0xffffff80,
		0xffff8000, 0x55555555, 0xaaaaaaaa, 0x80008000, 0x7f7f7f7f,
	};
	u32 r = rnd(), value;

	if (r & 0x10000)
		return edges[r % ARRAY_SIZE(edges)];
	value = rnd();
	if (r & 0x20000)
		value >>= r & 31;
	if (value - TEXT < 0x40000)	/* the runner's own memory */
		value ^= 0x40000000;
	return value;
}

/* Sign and exponent, mantissa: what the x87 treats specially. */
static const struct { u16 se; u64 mant; } f80_edges[] = {
	{ 0x0000, 0 },				/* 0 */
	{ 0x3fff, 0x8000000000000000 },		/* 1 */
	{ 0x4000, 0xc90fdaa22168c235 },		/* pi */
	{ 0x3ffe, 0xb17217f7d1cf79ac },		/* ln 2 */
	{ 0x3fff, 0xc000000000000000 },		/* 1.5 */
	{ 0x4000, 0xa000000000000000 },		/* 2.5 */
	{ 0x3ffe, 0x8000000000000000 },		/* 0.5 */
	{ 0x3fbe, 0x8000000000000001 },		/* 2^-65 and a bit */
	{ 0x400c, 0xffff000000000000 },		/* 16383.5 */
	{ 0x400e, 0x8000000000000000 },		/* 2^15 */
	{ 0x401e, 0x8000000000000000 },		/* 2^31 */
	{ 0x403e, 0x8000000000000000 },		/* 2^63 */
	{ 0x403d, 0xffffffffffffffff },
	{ 0x403a, 0xde0b6b3a763fffff },		/* near 10^18 */
	{ 0x407e, 0xffffff7fffffffff },		/* about the largest float */
	{ 0x43fe, 0xfffffffffffffbff },		/* about the largest double */
	{ 0x3f80, 0x8000008000000000 },		/* near the smallest float */
	{ 0x3c00, 0x8000000000000c00 },		/* near the smallest double */
	{ 0x3bcd, 0x8000000000000000 },		/* a denormal double */
	{ 0x7ffe, 0xffffffffffffffff },		/* the largest */
	{ 0x0001, 0x8000000000000000 },		/* the smallest normal */
	{ 0x0000, 0x7fffffffffffffff },		/* denormal */
	{ 0x0000, 0x0000000000000001 },
	{ 0x0000, 0x8000000000000000 },		/* pseudo-denormal */
	{ 0x7fff, 0x8000000000000000 },		/* infinity */
	{ 0x7fff, 0xc000000000000000 },		/* the indefinite */
	{ 0x7fff, 0xc000000000001234 },		/* QNaN */
	{ 0x7fff, 0x8000000000000001 },		/* SNaN */
	{ 0x7fff, 0xa000000000004321 },		/* SNaN */
	{ 0x7fff, 0x0000000000000000 },		/* pseudo-infinity */
	{ 0x7fff, 0x4000000000000001 },		/* pseudo-NaN */
	{ 0x4000, 0x4000000000000000 },		/* unnormal */
};

static void rnd_f80(u8 *to)
{
	u32 r = rnd(), i = (r >> 8) % ARRAY_SIZE(f80_edges);
	u64 mant = f80_edges[i].mant;
	u16 se = f80_edges[i].se;

	if (r & 1) {			/* an ordinary number near 1 */
		mant = (u64)(rnd() | 0x80000000) << 32 | rnd_value();
		se = 0x3fff - 40 + (r >> 8) % 80;
	}
	*(u64 *)to = mant;
	*(u16 *)(to + 8) = se | (r & 0x8000);
}

static const u32 f32_edges[] = {
	0, 0x3f800000, 0x7f800000, 0x7fc00000, 0x7f800001, 0x00000001,
	0x007fffff, 0x7f7fffff, 0x40490fdb, 0x00800000, 0x4effffff, 0x4f000000,
	0x3f7fffff, 0x34000000, 0x1f800000, 0xbfc00000,
};

static u32 rnd_f32(void)
{
	u32 r = rnd();

	if (r & 3)
		return f32_edges[(r >> 8) % ARRAY_SIZE(f32_edges)] | (r & 0x80000000);
	return (r & 0x87ffffff) + 0x3c000000;
}

/* High words of doubles; the low word is an edge value or random. */
static const u32 f64_edges[] = {
	0, 0x3ff00000, 0x7ff00000, 0x7ff80000, 0x000fffff, 0x7fefffff,
	0x400921fb, 0x41e00000, 0x43e00000, 0x3fe80000, 0x36a00000, 0x380fffff,
	0x47efffff, 0x00100000, 0x41dfffff, 0xbff80000,
};

static u32 rnd_f64(void)
{
	u32 r = rnd();

	if (r & 3)
		return f64_edges[(r >> 8) % ARRAY_SIZE(f64_edges)] | (r & 0x80000000);
	return (r & 0x83ffffff) + 0x3e000000;
}

/* Four words for an XMM register: numbers of one type, or of several. */
static void rnd_xmm(u32 w[4])
{
	u32 r = rnd(), i;

	for (i = 0; i < 4; i++) {
		switch ((r & 8 ? r >> (4 + i * 2) : r >> 4) % 3) {
		case 0:
			w[i] = rnd_value();
			break;
		case 1:
			w[i] = rnd_f32();
			break;
		default:
			w[i] = i & 1 ? rnd_f64() : rnd_value();
		}
	}
}

static u32 rnd_bcd(void)
{
	u32 r = rnd();

	return (r & 0x77777777) + (r >> 4 & 0x11111111);
}

/* -- the initial state ---------------------------------------------------- */

/* The scratch pages hold slots of 16 bytes, each of one type of operand. */
void template_fill(void)
{
	u32 i, *w;

	rnd_seed(1);
	for (i = 0; i < SCRATCH_WORDS; i += 4) {
		w = &template[i];
		w[0] = rnd_value();
		w[1] = rnd_value();
		w[2] = rnd_value();
		w[3] = rnd_value();
		switch (rnd() % 6) {
		case 0:
			rnd_f80((u8 *)w);
			break;
		case 1:
			w[0] = rnd_f32();
			w[1] = rnd_f32();
			w[2] = rnd_f32();
			break;
		case 2:
			w[0] = rnd_value() & 1 ? rnd() : 0;
			w[1] = rnd_f64();
			w[3] = rnd_f64();
			break;
		case 3:
			w[0] = rnd_bcd();
			w[1] = rnd_bcd();
			w[2] = rnd() & 1 ? rnd_bcd() : rnd();
			break;
		}
	}
	for (i = 0; i < SCRATCH_WORDS; i++)
		scratch[i] = template[i];
}

/* Mostly at a slot; sometimes anywhere; sometimes close to a page's end. */
static u32 rnd_pointer(void)
{
	u32 r = rnd();

	switch (r >> 16 & 15) {
	case 0:
		return SCRATCH + 0x1000 - 16 + r % 20;
	case 1:
		return SCRATCH + SCRATCH_BYTES - 16 + r % 20;
	case 2:
		return SCRATCH - 4 + r % 20;
	case 3:
	case 4:
		return SCRATCH + 0x100 + r % (SCRATCH_BYTES - 0x200);
	default:
		return SCRATCH + 0x100 + (r % (SCRATCH_BYTES - 0x200) & ~15u);
	}
}

static u32 rnd_gpr(u32 kind)
{
	switch (kind) {
	case K_PTR:
		return rnd_pointer();
	case K_SMALL:
		return rnd() >> 7 & 63;
	case K_OFS:
		return rnd() & (SCRATCH_BYTES / 2 - 16);
	case K_OFS16:
		return (rnd() & 0xffff0000) | (rnd() & (SCRATCH_BYTES / 2 - 16));
	default:
		return rnd_value();
	}
}

/* The image for frstor: control, status, tags, pointers, ST(0)..ST(7). */
static void fill_fpu(u32 flags, u32 nth)
{
	u16 *w = (u16 *)start.fpu;
	u32 i, r;

	for (i = 0; i < sizeof(start.fpu) / 2; i++)
		w[i] = 0;
	w[0] = 0x37f;
	w[4] = 0xffff;
	if (!(flags & C_FPU))
		return;
	r = rnd();
	if (r & 3)
		w[0] = (r & 0xf00) | 0x7f;
	if ((flags & C_UNMASKED) && nth % 4 == 3)
		w[0] ^= rnd() & 0x3f;
	w[2] = rnd() & 0x7f00;
	if (rnd() & 1)
		w[2] |= (rnd() & 0x3f) & ((flags & C_UNMASKED) ? 0x3f : w[0]);
	w[4] = r & 0x1000 ? 0 : rnd() & rnd();
	for (i = 0; i < 8; i++)
		rnd_f80(start.fpu + 28 + i * 10);
}

/* Rounding and denormal modes, flags; with C_UNMASKED some exceptions. */
static void fill_sse(u32 flags, u32 nth)
{
	u32 i, j, r;

	start.mxcsr = 0x1f80;
	for (i = 0; i < 8; i++)
		for (j = 0; j < 4; j++)
			start.xmm[i][j] = 0x3f80c0d5 + i * 0x11 + j * 0x1100;
	if (!(flags & C_SSE))
		return;
	r = rnd();
	if (r & 3)
		start.mxcsr |= r >> 8 & 0xe07f;
	if ((flags & C_UNMASKED) && nth % 4 == 2)
		start.mxcsr ^= (r >> 16 & 0x3f) << 7;
	for (i = 0; i < 8; i++)
		rnd_xmm(start.xmm[i]);
}

static void put_f80(u32 st, u32 i, u32 negative)
{
	u8 *to = start.fpu + 28 + st * 10;

	*(u64 *)to = f80_edges[i % ARRAY_SIZE(f80_edges)].mant;
	*(u16 *)(to + 8) = f80_edges[i % ARRAY_SIZE(f80_edges)].se | (negative ? 0x8000 : 0);
}

/*
 * State by state all pairs of edge values: 32 x 32 for the x87, then rounding
 * modes, then precisions (12288 states); for XMM0 and XMM1 16 x 16 in both signs
 * (1024), then rounding modes (4096), then the same as doubles (8192), with
 * varied denormal modes. One state of eight has an exception unmasked.
 */
static void fill_pairs(u32 nth)
{
	static const u8 precision[] = { 3, 2, 0 };
	u16 *w = (u16 *)start.fpu;
	u32 i, e[2];

	w[0] = 0x7f | (nth >> 10 & 3) << 10 | precision[(nth >> 12) % 3] << 8;
	w[2] = w[4] = 0;
	put_f80(0, nth, nth >> 3 & 1);
	put_f80(1, nth >> 5, nth >> 6 & 1);
	start.mxcsr = 0x1f80 | (nth >> 10 & 3) << 13;
	start.mxcsr |= (nth * 0x9e3779b1u >> 31) << 15 | (nth * 0x9e3779b1u >> 30 & 1) << 6;
	if (nth % 8 == 7) {
		w[0] ^= 1u << (nth >> 3) % 6;
		start.mxcsr ^= 0x80u << (nth >> 3) % 6;
	}
	for (i = 0; i < 4; i++) {
		e[0] = (nth + (i >> (nth >> 12 & 1)) * 5) % 32;
		e[1] = ((nth >> 5) + (i >> (nth >> 12 & 1)) * 7) % 32;
		if (nth >> 12 & 1) {
			start.xmm[0][i] = i & 1 ? f64_edges[e[0] & 15] | e[0] >> 4 << 31 :
				e[1] & 1;
			start.xmm[1][i] = i & 1 ? f64_edges[e[1] & 15] | e[1] >> 4 << 31 :
				e[0] & 1;
		} else {
			start.xmm[0][i] = f32_edges[e[0] & 15] | e[0] >> 4 << 31;
			start.xmm[1][i] = f32_edges[e[1] & 15] | e[1] >> 4 << 31;
		}
	}
}

/* A count in CL, in MM1 and in the low half of XMM1. */
static void fill_count(u32 nth)
{
	u16 *w = (u16 *)start.fpu;

	start.gpr[1] = (start.gpr[1] & ~0xffu) | (nth & 0xff);
	w[2] &= ~0x3800;		/* TOP: ST(1) is MM1 */
	*(u64 *)(start.fpu + 28 + 10) = nth & 0xff;
	start.xmm[1][0] = nth & 0xff;
	start.xmm[1][1] = 0;
}

void fill_start(const struct test_case *c, u32 nth)
{
	u32 i;

	rnd_seed(c->seed + nth * 0x10001);
	for (i = 0; i < 8; i++)
		start.gpr[i] = rnd_gpr(c->kinds >> i * 4 & 15);
	start.eflags = 0x202 | (rnd() & EFLAGS_ARITH);
	if ((c->seed + nth) % 11 == 0)
		start.eflags |= EFLAGS_AC;
	if (c->flags & C_DF)
		start.eflags |= rnd() & EFLAGS_DF;
	out.eip = start.eip = (u32)(c + 1);
	start.cs = SEL_CODE;
	if (c->flags & C_CODE16) {
		start.eip -= BLOB;
		start.cs = SEL_LDT(1);
	}
	fill_fpu(c->flags, nth);
	fill_sse(c->flags, nth);
	if (c->flags & C_PAIRS)
		fill_pairs(nth);
	if (c->flags & C_COUNT)
		fill_count(nth);
	if (c->flags & (C_PAIRS | C_COUNT))	/* each slot in turn */
		start.gpr[6] = SCRATCH + 0x100 + (nth & 0xff) * 16;
}
