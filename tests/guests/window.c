/* SPDX-License-Identifier: GPL-2.0-or-later */
/* image-base: 0x200000 */
/* Loads without paging: the same instruction on RAM, on a device's registers, on text
 * memory, where nothing is, across edges of these, past 4 GB, with A20 off, at a
 * data breakpoint. Flags and registers stay as they are. SDM 3A 5.3, 17.2; 2 LGS and others. */
#include "lapic.h"

enum { GP = 13, DB = 1, ARITH = 0x8d5 };
static volatile u32 word __attribute__((aligned(16))) = 0x12345678;
static volatile u8 *const text = (volatile u8 *)0xb8000;
static u32 n_cpuid;

/* Each leaves what it loaded in EAX; EBX is the address, or the address less 2 * ESI. */
#define FORMS(_)                                                          \
	_(plain,   "mov (%%ebx), %%eax", 0, ~0u)                          \
	_(disp,    "mov 0x40(%%ebx), %%eax", 0x40, ~0u)                   \
	_(below,   "mov -0x40(%%ebx), %%eax", -0x40, ~0u)                 \
	_(itself,  "mov %%ebx, %%eax; mov (%%eax), %%eax", 0, ~0u)        \
	_(index,   "mov (%%ebx,%%esi,2), %%eax", 2 * 0xfffffff0u, ~0u)    \
	_(byte,    "movzbl (%%ebx), %%eax", 0, 0xff)                      \
	_(half,    "movzwl 2(%%ebx), %%eax", 2, 0xffff)                   \
	_(or,      "xor %%eax, %%eax; or (%%ebx), %%eax", 0, ~0u)         \
	_(low,     "xor %%eax, %%eax; mov (%%ebx), %%al", 0, 0xff)        \
	_(high,    "xor %%eax, %%eax; mov (%%ebx), %%ah; shr $8, %%eax", 0, 0xff) \
	_(push,    "pushl (%%ebx); pop %%eax", 0, ~0u)                    \
	_(fild,    "fildl (%%ebx); sub $4, %%esp; fistpl (%%esp); pop %%eax", 0, ~0u) \
	_(imul,    "imul $1, (%%ebx), %%eax", 0, ~0u)

#define FORM(name, code, disp, mask)                                      \
	static NOINLINE u32 load_##name(u32 at)                           \
	{                                                                 \
		u32 v;                                                    \
		__asm__ volatile(code : "=&a"(v) : "b"(at - (disp)), "S"(0xfffffff0) : "memory", "cc"); \
		return v;                                                 \
	}
#define NOINLINE __attribute__((noinline))
FORMS(FORM)
/* These meet no device (and are no copies of another). */
FORM(watched, "nop; mov (%%ebx), %%eax", 0, ~0u)
FORM(line20, "nop; nop; mov (%%ebx), %%eax", 0, ~0u)

static const struct { const char *name; u32 (*load)(u32 at); u32 mask; } form[] = {
#define ROW(name, code, disp, mask) { #name, load_##name, mask },
	FORMS(ROW)
};

/* By code that has run on RAM first, and does after. */
static void everywhere(u32 i)
{
	u32 (*load)(u32) = form[i].load, mask = form[i].mask, wrong = 0;

	for (int n = 0; n < 3; n++) {
		wrong += load((u32)&word) != (0x12345678 & mask);
		wrong += load(0xb8000) != (0x07420741 & mask);
		wrong += load((u32)apic(A_VERSION)) != (rd(A_VERSION) & mask);
		wrong += load((u32)&word) != (0x12345678 & mask);
	}
	CHECK_EQ(form[i].name, wrong, 0);
}

/* MOV keeps the flags, whatever it loads from; a comparison makes them of what is there. */
static void flags(u32 at, u32 have)
{
	u32 before, after;

	__asm__ volatile("cmp $0x80000000, %3; pushf; mov (%2), %%eax; pushf; pop %1; pop %0"
			 : "=r"(before), "=r"(after) : "r"(at), "r"(1) : "eax", "cc", "memory");
	CHECK_EQ("mov-keeps-flags", after & ARITH, before & ARITH);
	__asm__ volatile("cmp (%1), %2; pushf; pop %0" : "=r"(after) : "r"(at), "r"(have) : "cc");
	CHECK_EQ("cmp-equal", after & ARITH, 0x44);
	__asm__ volatile("stc; adc (%1), %%edx; pushf; pop %0" : "=r"(after) : "r"(at), "d"(~have) : "cc");
	CHECK_EQ("adc-carry", after & ARITH, 0x55);
}

/* Half of a load on each side of an edge. */
static void edges(void)
{
	volatile u8 *below = (volatile u8 *)0x9fffe;

	below[0] = 0x11;
	below[1] = 0x22;
	CHECK_EQ("edge-of-ram", load_plain(0x9fffe) & 0xffff, 0x2211);
	CHECK_EQ("edge-of-ram", load_plain(0x9fffe), load_plain(0x9fffe));
	CHECK_EQ("edge-of-text", load_plain(0xb7ffe) >> 16, 0x0741);
	CHECK_EQ("nothing", load_byte(0xf0000000), 0xff);
}

static void wrapping(void *p) { (void)p; load_plain(0xfffffffe); }
static void misaligned(void *p) { __asm__ volatile("movaps 4(%0), %%xmm0" :: "r"(p)); }
static void aligned(void *p) { __asm__ volatile("movaps (%0), %%xmm0" :: "r"(p)); }

static void faults(void)
{
	for (int n = 0; n < 2; n++) {
		trap_try(wrapping, 0);           /* may wrap: must come back */
		CHECK_EQ("after-wrap", load_plain((u32)&word), 0x12345678);
	}
	if (!(n_cpuid >> 25 & 1))
		return;
	__asm__ volatile("mov %%cr4, %%eax; or $0x200, %%eax; mov %%eax, %%cr4" ::: "eax");
	CHECK_EQ("movaps", trap_try(aligned, (void *)&word), -1);
	CHECK_EQ("movaps-misaligned", trap_try(misaligned, (void *)&word), GP);
	CHECK_EQ("movaps-text", trap_try(aligned, (void *)text), -1);
}

static volatile u32 breaks;
static void on_debug(struct frame *f)
{
	(void)f;
	breaks++;
	__asm__ volatile("mov %0, %%dr6" :: "r"(0));
}

static void breakpoint(void)
{
	trap_handler[DB] = on_debug;
	breaks = 0;
	CHECK_EQ("watched-before", load_watched((u32)&word), 0x12345678);
	__asm__ volatile("mov %0, %%dr0; mov %1, %%dr7" :: "r"(&word), "r"(0x000f0001));
	CHECK_EQ("watched", load_watched((u32)&word), 0x12345678);
	CHECK_EQ("watched-breaks", breaks, 1);
	__asm__ volatile("mov %0, %%dr7" :: "r"(0));
	CHECK_EQ("watched-after", load_watched((u32)&word), 0x12345678);
	CHECK_EQ("watched-after-breaks", breaks, 1);
}

/* Without the line 1 MB is 0 once more. */
static void a20(void)
{
	volatile u32 *low = (volatile u32 *)0x7c00, *high = (volatile u32 *)0x107c00;

	*low = 1;
	*high = 2;
	CHECK_EQ("a20-on", load_line20((u32)high), 2);
	gate_a20(0);
	CHECK_EQ("a20-off", load_line20((u32)high), 1);
	gate_a20(1);
	CHECK_EQ("a20-on-again", load_line20((u32)high), 2);
}

void guest_main(void)
{
	u32 r[4];

	cpuid(1, 0, r);
	n_cpuid = r[3];
	text[0] = 'A';
	text[1] = text[3] = 7;
	text[2] = 'B';
	for (u32 i = 0; i < N_ELEM(form); i++)
		everywhere(i);
	for (int n = 0; n < 2; n++) {
		flags((u32)&word, word);
		flags(0xb8000, 0x07420741);
		flags((u32)apic(A_VERSION), rd(A_VERSION));
	}
	edges();
	faults();
	if (option("breakpoint"))                /* first: it closes the window, too */
		breakpoint();
	a20();
	breakpoint();
	for (u32 i = 0; i < N_ELEM(form); i++)
		everywhere(i);
}
