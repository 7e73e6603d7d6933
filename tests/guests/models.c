/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A CPU model: an instruction is #UD if and only if CPUID has not its feature, and
 * so with the bits of CR4; leaves agree with each other. SDM 2 CPUID. */
#include "guest.h"

enum { UD = 6, GP = 13 };
enum word { D1, C1, B7, EXC, EXD, C7, XS, NEVER, N_WORDS };
static u32 features[N_WORDS];
static u8 data[1024] __attribute__((aligned(64)));
static u8 code[32];

/* EAX is the address of data, ECX and EDX are 0. */
static const struct { const char *name; enum word word; u8 bit, n, bytes[8]; } insn[] = {
	{ "rdtsc", D1, 4, 2, { 0x0f, 0x31 } },
	{ "rdmsr", D1, 5, 2, { 0x0f, 0x32 } },
	{ "cmpxchg8b", D1, 8, 3, { 0x0f, 0xc7, 0x08 } },
	{ "sysenter", D1, 11, 2, { 0x0f, 0x34 } },
	{ "cmov", D1, 15, 3, { 0x0f, 0x44, 0xc9 } },
	{ "fcmov", D1, 15, 2, { 0xda, 0xc0 } },
	{ "nop-modrm", D1, 15, 3, { 0x0f, 0x1f, 0xc0 } },
	{ "clflush", D1, 19, 3, { 0x0f, 0xae, 0x38 } },
	{ "pxor-mmx", D1, 23, 3, { 0x0f, 0xef, 0xc0 } },
	{ "emms", D1, 23, 2, { 0x0f, 0x77 } },
	{ "rdpmc", D1, 23, 2, { 0x0f, 0x33 } },
	{ "fxsave", D1, 24, 3, { 0x0f, 0xae, 0x00 } },
	{ "addps", D1, 25, 3, { 0x0f, 0x58, 0xc0 } },
	{ "pshufw", D1, 25, 4, { 0x0f, 0x70, 0xc0, 0 } },
	{ "sfence", D1, 25, 3, { 0x0f, 0xae, 0xf8 } },
	{ "addpd", D1, 26, 4, { 0x66, 0x0f, 0x58, 0xc0 } },
	{ "mfence", D1, 26, 3, { 0x0f, 0xae, 0xf0 } },
	{ "movnti", D1, 26, 3, { 0x0f, 0xc3, 0x08 } },
	{ "haddps", C1, 0, 4, { 0xf2, 0x0f, 0x7c, 0xc0 } },
	{ "fisttp-32", C1, 0, 2, { 0xdb, 0x08 } },
	{ "fisttp-64", C1, 0, 2, { 0xdd, 0x08 } },
	{ "fisttp-16", C1, 0, 2, { 0xdf, 0x08 } },
	{ "pclmulqdq", C1, 1, 6, { 0x66, 0x0f, 0x3a, 0x44, 0xc0, 0 } },
	{ "monitor", C1, 3, 3, { 0x0f, 0x01, 0xc8 } },
	{ "pshufb", C1, 9, 5, { 0x66, 0x0f, 0x38, 0x00, 0xc0 } },
	{ "ptest", C1, 19, 5, { 0x66, 0x0f, 0x38, 0x17, 0xc0 } },
	{ "pcmpgtq", C1, 20, 5, { 0x66, 0x0f, 0x38, 0x37, 0xc0 } },
	{ "crc32", C1, 20, 5, { 0xf2, 0x0f, 0x38, 0xf0, 0xc8 } },
	{ "movbe", C1, 22, 4, { 0x0f, 0x38, 0xf0, 0x08 } },
	{ "popcnt", C1, 23, 4, { 0xf3, 0x0f, 0xb8, 0xc8 } },
	{ "aesenc", C1, 25, 5, { 0x66, 0x0f, 0x38, 0xdc, 0xc0 } },
	{ "xgetbv", C1, 26, 3, { 0x0f, 0x01, 0xd0 } },
	{ "xsave", C1, 26, 3, { 0x0f, 0xae, 0x20 } },
	{ "rdrand", C1, 30, 3, { 0x0f, 0xc7, 0xf1 } },
	{ "andn", B7, 3, 5, { 0xc4, 0xe2, 0x70, 0xf2, 0xc8 } },
	{ "rorx", B7, 8, 6, { 0xc4, 0xe3, 0x7b, 0xf0, 0xc8, 1 } },
	{ "rdseed", B7, 18, 3, { 0x0f, 0xc7, 0xf9 } },
	{ "clac", B7, 20, 3, { 0x0f, 0x01, 0xca } },
	{ "clflushopt", B7, 23, 4, { 0x66, 0x0f, 0xae, 0x38 } },
	{ "clwb", B7, 24, 4, { 0x66, 0x0f, 0xae, 0x30 } },
	{ "sha1nexte", B7, 29, 4, { 0x0f, 0x38, 0xc8, 0xc0 } },
	{ "rdtscp", EXD, 27, 3, { 0x0f, 0x01, 0xf9 } },
	{ "xsaveopt", XS, 0, 3, { 0x0f, 0xae, 0x30 } },
	{ "vaddps", C1, 28, 4, { 0xc5, 0xfc, 0x58, 0xc0 } },
	{ "adcx", B7, 19, 5, { 0x66, 0x0f, 0x38, 0xf6, 0xc0 } },
	{ "extrq", EXC, 6, 4, { 0x66, 0x0f, 0x79, 0xc0 } },
	{ "pfadd", EXD, 31, 4, { 0x0f, 0x0f, 0xc0, 0x9e } },
	{ "rdpid", C7, 22, 4, { 0xf3, 0x0f, 0xc7, 0xf9 } },
	{ "vmcall", NEVER, 0, 3, { 0x0f, 0x01, 0xc1 } },
	{ "rsm", NEVER, 0, 2, { 0x0f, 0xaa } },
};

static const struct { const char *name; u8 cr4; enum word word; u8 bit; } bits[] = {
	{ "cr4-vme", 0, D1, 1 }, { "cr4-pvi", 1, D1, 1 }, { "cr4-tsd", 2, D1, 4 },
	{ "cr4-de", 3, D1, 2 }, { "cr4-pse", 4, D1, 3 }, { "cr4-pae", 5, D1, 6 },
	{ "cr4-mce", 6, D1, 7 }, { "cr4-pge", 7, D1, 13 }, { "cr4-osfxsr", 9, D1, 24 },
	{ "cr4-osxmmexcpt", 10, D1, 25 }, { "cr4-umip", 11, C7, 2 }, { "cr4-12", 12, NEVER, 0 },
	{ "cr4-vmxe", 13, NEVER, 0 }, { "cr4-smxe", 14, NEVER, 0 }, { "cr4-pcide", 17, NEVER, 0 },
	{ "cr4-osxsave", 18, C1, 26 }, { "cr4-smep", 20, B7, 7 }, { "cr4-smap", 21, B7, 20 },
	{ "cr4-pke", 22, C7, 3 }, { "cr4-31", 31, NEVER, 0 },
};

static int has(enum word word, int bit) { return features[word] >> bit & 1; }

static void read_features(void)
{
	u32 r[4], last, ext;

	cpuid(0, 0, r);
	last = r[0];
	cpuid(1, 0, r);
	features[C1] = r[2];
	features[D1] = r[3];
	if (last >= 7) {
		cpuid(7, 0, r);
		features[B7] = r[1];
		features[C7] = r[2];
	}
	if (last >= 13) {
		cpuid(13, 1, r);
		features[XS] = r[0];
	}
	cpuid(0x80000000, 0, r);
	ext = r[0];
	if (ext >> 31 && ext >= 0x80000001) {
		cpuid(0x80000001, 0, r);
		features[EXC] = r[2];
		features[EXD] = r[3];
	}
}

static void set_bit(void *p) { set_cr4(get_cr4() | 1u << (u32)p); }

static void cr4_bits(void)
{
	for (u32 i = 0; i < N_ELEM(bits); i++) {
		u32 old = get_cr4();

		CHECK_EQ(bits[i].name, trap_try(set_bit, (void *)(u32)bits[i].cr4),
			 has(bits[i].word, bits[i].bit) ? -1 : GP);
		set_cr4(old);
	}
}

static void run(void *p)
{
	(void)p;
	__asm__ volatile("call *%%esi" :: "S"(code), "a"(data), "c"(0), "d"(0)
			 : "ebx", "memory", "cc");
}

static void instructions(void)
{
	set_cr4(get_cr4() | (has(D1, 24) ? 0x200 : 0) | (has(C1, 26) ? 1 << 18 : 0));
	for (u32 i = 0; i < N_ELEM(insn); i++) {
		__asm__ volatile("fninit");
		memcpy(code, insn[i].bytes, insn[i].n);
		code[insn[i].n] = 0xc3;
		__asm__ volatile("push %%ebx; cpuid; pop %%ebx" ::: "eax", "ecx", "edx", "memory");
		CHECK(insn[i].name, (trap_try(run, 0) != UD) == has(insn[i].word, insn[i].bit));
	}
}

/* Without their feature these are BSF and BSR, which keep their destination here. */
static void scans(void)
{
	u32 t = 77, l = 77;

	__asm__ volatile(".byte 0xf3; bsf %1, %0" : "+r"(t) : "r"(0) : "cc");
	__asm__ volatile(".byte 0xf3; bsr %1, %0" : "+r"(l) : "r"(0) : "cc");
	CHECK_EQ("tzcnt", t, has(B7, 3) ? 32 : 77);
	CHECK_EQ("lzcnt", l, has(EXC, 5) ? 32 : 77);
}

/* Features that need others; what leaves say of one thing. */
static void agreement(void)
{
	u32 r[4], r4[4], sig;

	CHECK("family", has(D1, 0) && has(D1, 3));
	CHECK("sse-has-fxsr-and-mmx", !has(D1, 25) || (has(D1, 24) && has(D1, 23)));
	CHECK("sse2-has-sse", !has(D1, 26) || has(D1, 25));
	CHECK("sse3-has-sse2", !has(C1, 0) || has(D1, 26));
	CHECK("nx-has-pae", !has(EXD, 20) || has(D1, 6));
	CHECK("xsave-has-fxsr", !has(C1, 26) || has(D1, 24));
	CHECK("xsaveopt-has-xsave", !features[XS] || has(C1, 26));
	cpuid(1, 0, r);
	sig = r[0];
	CHECK("signature", (sig >> 8 & 15) >= 4 && (sig >> 8 & 15) <= 6 && !(sig >> 20));
	cpuid(0, 0, r);
	if (r[0] >= 4) {
		cpuid(4, 0, r4);
		CHECK_EQ("cache-lines", (r4[1] & 0xfff) + 1, 64);
	}
	cpuid(0x80000000, 0, r);
	if (r[0] >> 31 && r[0] >= 0x80000008) {
		cpuid(0x80000008, 0, r);
		CHECK("physical-bits", (r[0] & 255) >= 32 && (r[0] & 255) <= 52);
	}
}

void guest_main(void)
{
	read_features();
	cr4_bits();
	instructions();
	scans();
	agreement();
}
