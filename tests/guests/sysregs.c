/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System registers by their odd ways: LMSW, LGDT and LIDT with 16-bit operands,
 * LLDT and LTR of what they must not load, DR4 and DR5, the back link of IRET, a
 * 16-bit TSS. SDM 2A LGDT, LLDT, LMSW, 2B MOV DR, 3A 2.5, 7.2, 17.2.2. */
#include "guest.h"

enum { UD = 6, TS = 10, NP = 11, GP = 13, NT = 0x4000, CR4_DE = 8 };
enum { SEL_ABSENT_TSS = 0x48, SEL_ABSENT_LDT = 0x50, SEL_TSS16 = 0x58 };

/* -- CR0 ------------------------------------------------------------------------- */

static void msw(void)
{
	static volatile u16 word = 0xfff0;       /* no bit of CR0.PE, MP, EM, TS */
	u32 before = get_cr0();

	__asm__ volatile("lmsw %w0" :: "r"(0xfffa));
	CHECK_EQ("lmsw-sets-ts-mp", get_cr0(), (before & ~0xfu) | 0xb);
	__asm__ volatile("lmsw %0" :: "m"(word));
	CHECK_EQ("lmsw-keeps-pe", get_cr0(), (before & ~0xfu) | 1);
	set_cr0(before);
	__asm__ volatile("wbinvd; invd");
	CHECK_EQ("wbinvd-invd", get_cr0(), before);
}

/* -- descriptor tables --------------------------------------------------------------- */

static struct table { u16 limit; u32 base; } __attribute__((packed)) now, wild, back;

static void tables(void)
{
	__asm__ volatile("sgdt %0" : "=m"(now));
	wild = now;
	wild.base |= 0x12000000;                 /* above the 24 bits            */
	__asm__ volatile("lgdtw %1; sgdt %0" : "=m"(back) : "m"(wild));
	CHECK_EQ("lgdt-16-base", back.base, now.base);
	CHECK_EQ("lgdt-16-limit", back.limit, now.limit);
	__asm__ volatile("sidt %0" : "=m"(now));
	wild = now;
	wild.base |= 0x34000000;
	__asm__ volatile("lidtw %1; sidt %0" : "=m"(back) : "m"(wild));
	CHECK_EQ("lidt-16-base", back.base, now.base);
}

static void load_ldt(void *sel) { __asm__ volatile("lldt %w0" :: "r"((u32)sel)); }
static void load_tr(void *sel) { __asm__ volatile("ltr %w0" :: "r"((u32)sel)); }

static void selectors(void)
{
	static const struct { const char *name; void (*fn)(void *); u16 sel; int vector; } rows[] = {
		{ "ltr-null", load_tr, 0, GP }, { "ltr-data", load_tr, 0x10, GP },
		{ "ltr-local", load_tr, SEL_TSS | 4, GP }, { "ltr-busy", load_tr, SEL_TSS, GP },
		{ "ltr-beyond", load_tr, 0x7ff8, GP },
		{ "ltr-absent", load_tr, SEL_ABSENT_TSS, NP },
		{ "lldt-data", load_ldt, 0x10, GP }, { "lldt-tss", load_ldt, SEL_TSS, GP },
		{ "lldt-beyond", load_ldt, 0x7ff8, GP },
		{ "lldt-absent", load_ldt, SEL_ABSENT_LDT, NP },
	};

	gdt[SEL_ABSENT_TSS / 8] = descriptor((u32)&tss, 103, 0x09, 0);
	gdt[SEL_ABSENT_LDT / 8] = descriptor((u32)gdt, 63, 0x02, 0);
	for (unsigned i = 0; i < N_ELEM(rows); i++) {
		CHECK_EQ(rows[i].name, trap_try(rows[i].fn, (void *)(u32)rows[i].sel),
			 rows[i].vector);
		CHECK_EQ(rows[i].name, trap_last.error, rows[i].sel & 0xfffc);
	}
	CHECK_EQ("lldt-null", trap_try(load_ldt, 0), -1);
}

/* -- debug registers 4 and 5 ------------------------------------------------------------ */

static volatile u32 dr;
static void read_dr4(void *p)
{
	(void)p;
	__asm__ volatile("mov %%db4, %%eax; mov %%eax, %0" : "=m"(dr) :: "eax");
}

static void read_dr5(void *p)
{
	(void)p;
	__asm__ volatile("mov %%db5, %%eax; mov %%eax, %0" : "=m"(dr) :: "eax");
}

static void debug_aliases(void)
{
	u32 dr6, dr7;

	__asm__ volatile("mov %%db6, %0; mov %%db7, %1" : "=r"(dr6), "=r"(dr7));
	CHECK_EQ("dr4", trap_try(read_dr4, 0), -1);
	CHECK_EQ("dr4-is-dr6", dr, dr6);
	CHECK_EQ("dr5", trap_try(read_dr5, 0), -1);
	CHECK_EQ("dr5-is-dr7", dr, dr7);
	set_cr4(get_cr4() | CR4_DE);
	CHECK_EQ("dr4-with-de", trap_try(read_dr4, 0), UD);
	CHECK_EQ("dr5-with-de", trap_try(read_dr5, 0), UD);
	set_cr4(get_cr4() & ~CR4_DE);
}

/* -- tasks --------------------------------------------------------------------------------- */

static void nested_iret(void *p)
{
	(void)p;
	__asm__ volatile("pushf; orl %0, (%%esp); popf; iret" :: "i"(NT) : "memory");
}

static void links(void)
{
	static const struct { const char *name; u16 link; int vector; } rows[] = {
		{ "link-null", 0, TS }, { "link-data", 0x10, TS },
		{ "link-beyond", 0x7ff8, TS }, { "link-absent", SEL_ABSENT_TSS, NP },
	};

	gdt[SEL_ABSENT_TSS / 8] = descriptor((u32)&tss, 103, 0x0b, 0);
	for (unsigned i = 0; i < N_ELEM(rows); i++) {
		tss.link = rows[i].link;
		barrier();
		CHECK_EQ(rows[i].name, trap_try(nested_iret, 0), rows[i].vector);
		CHECK_EQ(rows[i].name, trap_last.error, rows[i].link & 0xfffc);
	}
	tss.link = 0;
}

static void nothing(void) { }

/* The inner stack from a 16-bit TSS. */
static void task16(void)
{
	static struct { u16 link, sp0, ss0, more[19]; } tss16 = { .sp0 = 0x7000, .ss0 = 0x10 };

	gdt[SEL_TSS16 / 8] = descriptor((u32)&tss16, sizeof(tss16) - 1, 0x81, 0);
	load_tr((void *)SEL_TSS16);
	*(volatile u32 *)0x6ffc = 0;
	CHECK_EQ("tss16", user_try(nothing), 0x30);
	CHECK_EQ("tss16-ss", *(volatile u32 *)0x6ffc, 0x23);
	gdt[SEL_TSS / 8] = descriptor((u32)&tss, sizeof(tss) - 1, 0x89, 0);
	load_tr((void *)SEL_TSS);
}

void guest_main(void)
{
	msw();
	tables();
	selectors();
	debug_aliases();
	links();
	task16();
}
