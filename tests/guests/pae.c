/* SPDX-License-Identifier: GPL-2.0-or-later */
/* run-options: -cpu Conroe */
/* PAE: three levels of 64-bit entries, 2 MB pages, addresses above 4 GB, reserved
 * bits; execute-disable. SDM 3A 4.4, 4.6, 4.7. */
#include "guest.h"

enum { PF = 14, GP = 13, E_P = 1, E_W = 2, E_U = 4, E_R = 8, E_I = 16 };
enum { CR4_PAE = 0x20, EFER = 0xc0000080, NXE = 1 << 11, CODE = 0x900000, STACK = 0x981000 };
#define NX (1ull << 63)

static volatile u64 pdpt[4] __attribute__((aligned(32)));
static volatile u64 dir[4][512] __attribute__((aligned(4096)));
static volatile u64 table[512] __attribute__((aligned(4096)));       /* 8 to 10 MB */

static volatile u32 *const word = (u32 *)CODE;

static void read_it(void *p) { (void)*(volatile u32 *)p; }
static void write_it(void *p) { *(volatile u32 *)p = 1; }
static void call_it(void *p) { ((void (*)(void))p)(); }

static volatile u64 *entry(u32 a) { return &table[a >> 12 & 511]; }

static void set_page(u64 pte)
{
	*entry(CODE) = pte;
	invlpg(word);
}

static void pae_on(void)
{
	for (u32 i = 0; i < 4; i++)
		pdpt[i] = (u32)dir[i] | PG_P;
	for (u32 i = 0; i < 8; i++)
		dir[0][i] = (u64)i << 21 | PG_P | PG_W | PG_U | PG_PS;
	for (u32 i = 0; i < 512; i++)
		table[i] = 0x800000 + (i << 12) + (PG_P | PG_W | PG_U);
	dir[0][4] = (u32)table | PG_P | PG_W | PG_U;
	set_cr3((u32)pdpt);
	set_cr4(get_cr4() | CR4_PAE);
	set_cr0(get_cr0() | 0x80000000u);
}

static void levels(void)
{
	*word = 0xcafe;
	*(volatile u32 *)0xa00000 = 0xbeef;
	set_page(0xa00000 | PG_P | PG_W | PG_U);
	CHECK_EQ("pae-maps", *word, 0xbeef);
	CHECK_EQ("pae-a", *entry(CODE) & (PG_A | PG_D), PG_A);
	*word = 0xd00d;
	CHECK_EQ("pae-d", *entry(CODE) & (PG_A | PG_D), PG_A | PG_D);
	CHECK_EQ("pae-directory-a", dir[0][4] & PG_A, PG_A);
	set_page(CODE | PG_P | PG_W | PG_U);
	dir[1][1] = 0x800000 | PG_P | PG_W | PG_U | PG_PS;
	invlpg((void *)0x40200000);
	CHECK_EQ("pae-2mb", *(volatile u32 *)0x40300000, 0xcafe);
	*(volatile u32 *)0x40300000 = 0xf00d;
	CHECK_EQ("pae-2mb-written", *word, 0xf00d);
	CHECK_EQ("pae-2mb-a-d", dir[1][1] & (PG_A | PG_D), PG_A | PG_D);
	CHECK_EQ("pae-absent-directory", trap_try(read_it, (void *)0x40800000), PF);
	CHECK_EQ("pae-absent-directory-error", trap_last.error, 0);
	pdpt[2] = 0;
	set_cr3((u32)pdpt);
	CHECK_EQ("pae-absent-pdpte", trap_try(write_it, (void *)0x80000000), PF);
	CHECK_EQ("pae-absent-pdpte-error", trap_last.error, E_W);
}

static void high_and_reserved(void)
{
	static const struct { const char *name; u64 bits; } bad[] = {
		{ "pae-reserved-62", 1ull << 62 }, { "pae-reserved-52", 1ull << 52 },
		{ "pae-reserved-51", 1ull << 51 }, { "pae-nx-without-nxe", NX },
	};

	*word = 0x1234;
	set_page(1ull << 32 | CODE | PG_P | PG_W | PG_U);
	CHECK("pae-above-4g", *word != 0x1234);
	*word = 5;
	set_page(1ull << 35 | CODE | PG_P | PG_W | PG_U);
	CHECK("pae-at-32g", trap_try(read_it, (void *)word) == -1);
	for (u32 i = 0; i < N_ELEM(bad); i++) {
		set_page(bad[i].bits | CODE | PG_P | PG_W | PG_U);
		CHECK_EQ(bad[i].name, trap_try(read_it, (void *)word), PF);
		CHECK_EQ(bad[i].name, trap_last.error, E_P | E_R);
	}
	set_page(bad[0].bits);                   /* nothing counts where P is 0 */
	CHECK_EQ("pae-absent-reserved", trap_try(read_it, (void *)word), PF);
	CHECK_EQ("pae-absent-reserved-error", trap_last.error, 0);
	set_page(CODE | PG_P | PG_W | PG_U);
	CHECK_EQ("pae-low-untouched", *word, 0x1234);
	dir[1][1] = 0x800000 | 1 << 13 | PG_P | PG_W | PG_U | PG_PS;
	invlpg((void *)0x40200000);
	CHECK_EQ("pae-2mb-reserved", trap_try(read_it, (void *)0x40300000), PF);
	CHECK_EQ("pae-2mb-reserved-error", trap_last.error, E_P | E_R);
}

static void execute_disable(void)
{
	*(volatile u8 *)CODE = 0xc3;
	CHECK_EQ("pae-fetch", trap_try(call_it, (void *)CODE), -1);
	set_page(PG_W | PG_U);
	CHECK_EQ("pae-fetch-absent", trap_try(call_it, (void *)CODE), PF);
	CHECK_EQ("pae-fetch-error-without-nxe", trap_last.error, 0);
	CHECK("efer-reserved", wrmsr_faults(EFER, 1 << 12));
	wrmsr(EFER, NXE);
	CHECK_EQ("efer", rdmsr(EFER), NXE);
	CHECK_EQ("nx-fetch-absent", trap_try(call_it, (void *)CODE), PF);
	CHECK_EQ("nx-fetch-absent-error", trap_last.error, E_I);
	set_page(NX | CODE | PG_P | PG_W | PG_U);
	CHECK_EQ("nx-reads", *(volatile u8 *)word, 0xc3);
	CHECK_EQ("nx-fetch", trap_try(call_it, (void *)CODE), PF);
	CHECK_EQ("nx-fetch-error", trap_last.error, E_P | E_I);
	CHECK_EQ("nx-fetch-cr2", trap_last.cr2, CODE);
	CHECK_EQ("nx-fetch-eip", trap_last.eip, CODE);
	CHECK_EQ("nx-user-fetch", user_jump((void *)CODE, STACK), PF);
	CHECK_EQ("nx-user-fetch-error", trap_last.error, E_P | E_U | E_I);
	set_page(CODE | PG_P | PG_W | PG_U);
	dir[0][4] |= NX;
	set_cr3((u32)pdpt);
	CHECK_EQ("nx-directory", trap_try(call_it, (void *)CODE), PF);
	dir[0][4] &= ~NX;
	set_cr3((u32)pdpt);
	CHECK_EQ("nx-directory-off", trap_try(call_it, (void *)CODE), -1);
	dir[1][1] = NX | 0x800000 | PG_P | PG_W | PG_U | PG_PS;
	invlpg((void *)0x40200000);
	CHECK_EQ("nx-2mb", trap_try(call_it, (void *)0x40300000), PF);
	set_page(NX | CODE | PG_P | PG_W | PG_U);
	wrmsr(EFER, 0);
	CHECK_EQ("nxe-off", trap_try(read_it, (void *)word), PF);
	CHECK_EQ("nxe-off-error", trap_last.error, E_P | E_R);
	set_page(CODE | PG_P | PG_W | PG_U);
}

void guest_main(void)
{
	pae_on();
	levels();
	high_and_reserved();
	execute_disable();
	set_cr0(get_cr0() & 0x7fffffffu);
	set_cr4(get_cr4() & ~CR4_PAE);
}
