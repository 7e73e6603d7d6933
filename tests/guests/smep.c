/* SPDX-License-Identifier: GPL-2.0-or-later */
/* run-options: -cpu max */
/* CR4.SMEP: ring 0 does not execute user pages. SDM 3A 4.6. */
#include "guest.h"

enum { PF = 14, E_P = 1, E_U = 4, E_I = 16, CR4_PSE = 0x10, CR4_SMEP = 1 << 20 };

static u8 *const code = (u8 *)0x900000, *const user = code + 16;
enum { STACK = 0x981000 };

static void call_it(void *p) { ((void (*)(void))p)(); }

static void set_page(u32 flags)
{
	*pte(code) = (u32)code | flags;
	invlpg(code);
}

static void expect_fault(const char *name, u8 *at)
{
	CHECK_EQ(name, trap_try(call_it, at), PF);
	CHECK_EQ(name, trap_last.error, E_P | E_I);
	CHECK_EQ(name, trap_last.cr2, (u32)at);
	CHECK_EQ(name, trap_last.eip, (u32)at);
}

/* The code is known already, and stays in the TLB. */
static void switched_on(void)
{
	set_page(PG_P | PG_W | PG_U);
	CHECK_EQ("smep-off", trap_try(call_it, code), -1);
	set_cr4(get_cr4() | CR4_SMEP);
	expect_fault("smep-on", code);
	CHECK_EQ("smep-user-runs", user_jump(user, STACK), 0x30);
	expect_fault("smep-after-user", code);
	set_cr4(get_cr4() & ~CR4_SMEP);
	CHECK_EQ("smep-off-again", trap_try(call_it, code), -1);
	set_cr4(get_cr4() | CR4_SMEP);
}

static void rights(void)
{
	set_page(PG_P | PG_W);
	CHECK_EQ("smep-kernel-page", trap_try(call_it, code), -1);
	CHECK_EQ("smep-kernel-page-user", user_jump(code, STACK), PF);
	CHECK_EQ("smep-user-fetch-error", trap_last.error, E_P | E_U | E_I);
	set_page(PG_W | PG_U);
	CHECK_EQ("smep-absent", trap_try(call_it, code), PF);
	CHECK_EQ("smep-absent-error", trap_last.error, E_I);
	set_page(PG_P | PG_U);
	expect_fault("smep-read-only-page", code);
	CHECK_EQ("smep-data-read", *(volatile u8 *)code, 0xc3);
	page_dir[2] &= ~PG_U;                    /* the directory's U counts too */
	set_cr3(get_cr3());
	CHECK_EQ("smep-directory", trap_try(call_it, code), -1);
	page_dir[2] |= PG_U;
	set_cr3(get_cr3());
}

/* A jump over the end of a kernel page into a user page; a 4 MB page. */
static void more_pages(void)
{
	u8 *second = code + 4096, *at = second - 1;

	set_page(PG_P | PG_W);
	at[0] = 0x0f;                            /* 0F 1F C0: NOP over both   */
	second[0] = 0x1f, second[1] = 0xc0, second[2] = 0xc3;
	CHECK_EQ("smep-second-page", trap_try(call_it, at), PF);
	CHECK_EQ("smep-second-page-cr2", trap_last.cr2, (u32)second);
	CHECK_EQ("smep-second-page-eip", trap_last.eip, (u32)at);
	set_cr4(get_cr4() | CR4_PSE);
	page_dir[256] = 0x800000 | PG_P | PG_W | PG_U | PG_PS;
	set_cr3(get_cr3());
	expect_fault("smep-large-page", (u8 *)0x40100000);
	page_dir[256] &= ~PG_U;
	set_cr3(get_cr3());
	CHECK_EQ("smep-large-kernel-page", trap_try(call_it, (u8 *)0x40100000), -1);
}

void guest_main(void)
{
	u32 r[4];

	cpuid(7, 0, r);
	if (!(r[1] >> 7 & 1)) {
		say("skip smep: not in CPUID\n");
		return;
	}
	code[0] = 0xc3;
	user[0] = 0xcd, user[1] = 0x30;          /* INT 30h                 */
	paging_on();
	own_pages(0, PG_U);
	switched_on();
	rights();
	more_pages();
	set_cr4(get_cr4() & ~CR4_SMEP);
	paging_off();
}
