/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The runner: for each case of the blob, and each of its initial states, fill
 * the registers, run the code, and fold what it left behind into a hash, of
 * which a line is printed for each case. With blob.verbose the states are
 * printed themselves, as "side field value" lines; the scratch pages as the
 * words that differ from their initial contents.
 *
 * All randomness comes from the case's seed, so that the process and the guest
 * see the same. Not compared, because other programs of the host disturb them
 * or a processor may choose: the x87 instruction and data pointers (the hand
 * written cases compare them where they must be right), the resume flag, and
 * what mask_fault() says.
 */
#include "case.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define SCRATCH_WORDS	(SCRATCH_BYTES / 4)
#define EFLAGS_SEEN	0x00244fd5	/* ID AC NT OF DF TF SF ZF AF PF CF */
#define EFLAGS_ARITH	0x000008d5
#define EFLAGS_DF	0x00000400
#define EFLAGS_AC	0x00040000

struct start start;
u8 fpu_out[108];
u32 sse_out[1 + 8 * 4];
u32 runner_esp;

struct frame out;
static u32 out_cr2;
static u32 executed_sum;
static u32 template[SCRATCH_WORDS];
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
static void template_fill(void)
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

static void fill_start(const struct test_case *c, u32 nth)
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

/* -- the final state ------------------------------------------------------ */

void runner_trap(struct frame *f, u32 cr2)
{
	out = *f;
	out_cr2 = cr2;
	f->eip = (u32)enter_resume;
	f->cs = SEL_CODE;
	f->ss = f->ds = f->es = f->gs = SEL_DATA;
	f->fs = SEL_FS;
	f->esp = f->esp_kernel = runner_esp;	/* Linux reads the latter */
	f->eflags = 0x202;
}

/* What has faulted. A 16-bit jump may have led to another case's bytes. */
struct faulting {
	u32 opcode;		/* with 0F: 0x100 and up; 0: unknown */
	u32 rep;		/* its F2 or F3 */
	u32 op16;
};

static struct faulting faulting_insn(void)
{
	const struct blob *blob = (const struct blob *)BLOB;
	struct faulting f = { .op16 = start.cs != SEL_CODE };
	u32 at = start.cs == SEL_CODE ? out.eip : out.eip + BLOB;
	const u8 *p = (const u8 *)at;

	if (out.trap < 10 || (out.trap > 14 && out.trap != 17) || at - BLOB >= blob->bytes - 16)
		return f;
	for (;; p++) {
		switch (*p) {
		case 0xf2: case 0xf3:
			f.rep = *p;
			break;
		case 0x66:
			f.op16 = start.cs == SEL_CODE;
			break;
		case 0x26: case 0x2e: case 0x36: case 0x3e: case 0x64:
		case 0x65: case 0x67: case 0xf0:
			break;
		case 0x0f:
			f.opcode = 0x100 + p[1];
			return f;
		default:
			f.opcode = *p;
			return f;
		}
	}
}

/* Several faults compete: any of them looks like #GP(0). */
static void mask_choice(void)
{
	if (out.trap >= 12 && out.trap <= 14) {
		out.trap = 13;
		out.err = out_cr2 = 0;
	}
}

/* Does RETF find a selector of an inner ring on the stack? */
static int returns_inwards(const struct faulting *f)
{
	u32 at = out.esp + (f->op16 ? 2 : 4) - SCRATCH;

	return at < SCRATCH_BYTES && (((const u8 *)scratch)[at] & 3) != 3;
}

/*
 * What a fault in the middle of an instruction leaves is sometimes the
 * processor's choice: whether PUSHA has stored and POPA has loaded a part; the
 * flags of REPE CMPS (the SDM wants the old ones, AMD has the new ones); which of
 * its operands REPE CMPSB reads first (Zen 4: [ESI], others: [EDI]); whether RETF to
 * an inner ring is #GP before the stack is read on (SDM: yes, AMD: no); whether
 * MASKMOVQ has made the x87 state MMX's (AMD: yes); which
 * byte of the x87 state is touched first.
 */
static void mask_fault(void)
{
	struct faulting f = faulting_insn();
	u32 i;

	switch (f.opcode) {
	case 0x60:
		for (i = 0; i < 9; i++) {
			u32 at = ((out.esp - 1) & ~3u) - i * 4 - SCRATCH;

			if (at < SCRATCH_BYTES)
				scratch[at / 4] = template[at / 4];
		}
		out_cr2 = 0;
		break;
	case 0x61:
		out.eax = out.ecx = out.edx = out.ebx = 0;
		out.ebp = out.esi = out.edi = 0;
		break;
	case 0xa6:
		if (f.rep == 0xf3)
			mask_choice();
		/* fall through */
	case 0xa7: case 0xae: case 0xaf:
		if (f.rep)
			out.eflags &= ~EFLAGS_ARITH;
		break;
	case 0xca: case 0xcb:
		if (returns_inwards(&f))
			mask_choice();
		break;
	case 0x1f7:
		for (i = 0; i < sizeof(fpu_out); i++)
			fpu_out[i] = 0;
		break;
	case 0xd9: case 0xdd: case 0x1ae:
		out_cr2 &= ~0xfffu;
		break;
	}
}

/*
 * An operand that lies across the 4 GB limit of a flat segment may give #GP,
 * #SS or, as here, #PF: "implementation-specific" (SDM 3A 5.3). Where programs
 * come to that by chance, the three look the same.
 */
static void mask_wrap(void)
{
	if ((out.trap == 14 && out_cr2 >= 0xfffffff0) ||
	    ((out.trap == 12 || out.trap == 13) && !out.err)) {
		out.trap = 13;
		out.err = out_cr2 = 0;
	}
}

/* Returning from an interrupt, IRET clears the RPL of null selectors. */
static u32 mask_selector(u32 selector)
{
	return selector & 0xfffc ? selector & 0xffff : 0;
}

/* INT1, to which a jump into data may lead: under KVM on AMD its trap shows the
 * EIP of the instruction, not of the next one. */
static void mask_int1(void)
{
	const struct blob *blob = (const struct blob *)BLOB;
	u32 at = out.cs == SEL_CODE ? out.eip : out.eip + BLOB;

	if (out.trap == 1 && at - BLOB - 1 < blob->bytes - 1 && *(const u8 *)at == 0xf1)
		out.eip++;
}

/* Leaves in the frame and the x87 image only what must be equal. */
static void mask_out(const struct test_case *c)
{
	u32 i, *fpu = (u32 *)fpu_out;

	if (c->flags & C_WRAP)
		mask_wrap();
	mask_int1();
	mask_fault();
	out.eflags &= EFLAGS_SEEN;
	out.gs = mask_selector(out.gs);
	out.fs = mask_selector(out.fs);
	out.es = mask_selector(out.es);
	out.ds = mask_selector(out.ds);
	out.cs &= 0xffff;
	out.ss &= 0xffff;
	out.esp_kernel = 0;
	out.eip -= start.eip;
	if (out.trap != 14)
		out_cr2 = 0;
	if (out.trap == 14)
		out.err &= ~0x10u;	/* fetches: the guest has no NX */
	else if (out.trap < 10 || out.trap > 13)
		out.err = 0;
	for (i = 0; i < 3; i++)
		fpu[i] &= 0xffff;	/* the rest is reserved */
	for (i = 3; i < 7; i++)
		fpu[i] = 0;
}

static u32 hash(u32 h, u32 word)
{
	h = (h ^ word) * 0x01000193;
	return h ^ h >> 15;
}

static u32 hash_words(u32 h, const void *from, u32 bytes)
{
	const u32 *w = from;

	for (; bytes; bytes -= 4)
		h = hash(h, *w++);
	return h;
}

/* -- printing ------------------------------------------------------------- */

static char line[120];
static u32 line_len;

static void put(const char *s)
{
	while (*s)
		line[line_len++] = *s++;
}

static void put_hex(u32 value, u32 digits)
{
	while (digits--)
		line[line_len++] = "0123456789abcdef"[value >> digits * 4 & 15];
}

static void put_line(void)
{
	line[line_len++] = '\n';
	syscall3(SYS_WRITE, 1, (u32)line, line_len);
	line_len = 0;
}

static void put_word(const char *side, const char *field, u32 value)
{
	put(side);
	put(field);
	put(" ");
	put_hex(value, 8);
	put_line();
}

static void put_fpu(const char *side, const u8 *fpu)
{
	static const char *const words[] = { "fcw ", "fsw ", "ftw " };
	u32 i;
	int j;

	for (i = 0; i < 3; i++) {
		put(side);
		put(words[i]);
		put_hex(*(u16 *)(fpu + i * 4), 4);
		put_line();
	}
	for (i = 0; i < 8; i++) {
		put(side);
		put("st");
		put_hex(i, 1);
		put(" ");
		for (j = 9; j >= 0; j--)
			put_hex(fpu[28 + i * 10 + j], 2);
		put_line();
	}
}

/* sse: MXCSR and eight registers, as sse_out. */
static void put_sse(const char *side, const u32 *sse)
{
	u32 i;
	int j;

	put_word(side, "mxcsr", *sse++);
	for (i = 0; i < 8; i++, sse += 4) {
		put(side);
		put("xmm");
		put_hex(i, 1);
		put(" ");
		for (j = 3; j >= 0; j--)
			put_hex(sse[j], 8);
		put_line();
	}
}

static void put_gprs(const char *side, const u32 *const gpr[8])
{
	static const char *const names[] = {
		"eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"
	};
	u32 i;

	for (i = 0; i < 8; i++)
		put_word(side, names[i], *gpr[i]);
}

static void put_state(u32 nth, u32 flags)
{
	const u32 *in[8], *const after[8] = {
		&out.eax, &out.ecx, &out.edx, &out.ebx,
		&out.esp, &out.ebp, &out.esi, &out.edi
	};
	u32 i;

	for (i = 0; i < 8; i++)
		in[i] = &start.gpr[i];
	put_word("state ", "number", nth);
	put_gprs("in ", in);
	put_word("in ", "eflags", start.eflags);
	if (flags & C_FPU)
		put_fpu("in ", start.fpu);
	if (flags & C_SSE)
		put_sse("in ", &start.mxcsr);
	put_word("out ", "trap", out.trap);
	put_word("out ", "err", out.err);
	put_word("out ", "cr2", out_cr2);
	put_word("out ", "eip", out.eip);
	put_gprs("out ", after);
	put_word("out ", "eflags", out.eflags);
	put_word("out ", "cs_ss", out.cs << 16 | out.ss);
	put_word("out ", "ds_es", out.ds << 16 | out.es);
	put_word("out ", "fs_gs", out.fs << 16 | out.gs);
	put_fpu("out ", fpu_out);
	put_sse("out ", sse_out);
}

static void put_memory(u32 at, u32 old, u32 new)
{
	put("out mem");
	put_hex(at, 8);
	put(" ");
	put_hex(new, 8);
	put(" was ");
	put_hex(old, 8);
	put_line();
}

void runner_hangs(const struct frame *f)
{
	put("hangs at ");
	put_hex(f->eip, 8);
	put(" started at ");
	put_hex(start.eip, 8);
	put(" eflags ");
	put_hex(f->eflags, 8);
	put(" eax ");
	put_hex(f->eax, 8);
	put_line();
	syscall3(SYS_EXIT, 3, 0, 0);
}

/* -- running -------------------------------------------------------------- */

/* Folds the changes of the scratch pages into the hash, and undoes them. */
static u32 memory_check(u32 h, u32 verbose)
{
	u32 i;

	for (i = 0; i < SCRATCH_WORDS; i++) {
		if (scratch[i] == template[i])
			continue;
		if (verbose)
			put_memory(SCRATCH + i * 4, template[i], scratch[i]);
		h = hash(hash(h, i), scratch[i]);
		scratch[i] = template[i];
	}
	return h;
}

/* About how many instructions the state has executed, by where it has ended. */
static u32 executed(const struct test_case *c)
{
	u32 code = c->bytes - sizeof(*c);

	if (out.trap == TRAP_NONE)
		return c->insns;
	return out.eip < code ? c->insns * out.eip / code : 0;
}

static u32 run_state(const struct test_case *c, u32 nth, u32 h, u32 verbose)
{
	fill_start(c, nth);
	enter();
	mask_out(c);
	if (verbose)
		put_state(nth, c->flags);
	executed_sum += executed(c);
	h = hash(hash_words(h, &out, sizeof(out)), out_cr2);
	h = hash_words(h, fpu_out, sizeof(fpu_out));
	h = hash_words(h, sse_out, sizeof(sse_out));
	return memory_check(h, verbose);
}

static const struct test_case *next_case(const struct test_case *c)
{
	return (const struct test_case *)((const u8 *)c + c->bytes);
}

void runner(void)
{
	const struct blob *blob = (const struct blob *)BLOB;
	const struct test_case *c = (const struct test_case *)(blob + 1);
	u32 i, n, h;

	template_fill();
	for (n = 0; n < blob->end; n++, c = next_case(c)) {
		h = 0;
		for (i = 0; i < c->nstates && n >= blob->first; i++)
			h = run_state(c, c->first_state + i, h, blob->verbose);
		if (n >= blob->first) {
			put_hex(h, 8);
			put_line();
		}
	}
	put("executed ");
	put_hex(executed_sum, 8);
	put_line();
	put("end");
	put_line();
	syscall3(SYS_EXIT, 0, 0, 0);
}
