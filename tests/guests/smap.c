/* SPDX-License-Identifier: GPL-2.0-or-later */
/* run-options: -cpu max */
/* CR4.SMAP: ring 0 gets at user pages only with EFLAGS.AC. STAC, CLAC. SDM 3A 4.6. */
#include "guest.h"

enum { UD = 6, PF = 14, E_P = 1, E_W = 2, E_U = 4, CR4_SMAP = 1 << 21, AC = 1 << 18 };
enum { STACK = 0x981000 };

static volatile u32 *const word = (u32 *)0x900000;
static u8 *const user = (u8 *)0x980000;

static void clac(void) { __asm__ volatile("clac" ::: "memory", "cc"); }
static void stac(void) { __asm__ volatile("stac" ::: "memory", "cc"); }
static void read_it(void *p) { (void)*(volatile u32 *)p; }
static void write_it(void *p) { *(volatile u32 *)p = 0x1234; }
static void read_ac(void *p) { stac(); read_it(p); clac(); }
static void write_ac(void *p) { stac(); write_it(p); clac(); }
static void read_after(void *p) { stac(); read_it(p); clac(); read_it(p); }

static void set_page(u32 flags)
{
	*pte(word) = (u32)word | flags;
	invlpg(word);
}

static void flags(void)
{
	stac();
	CHECK_EQ("stac", get_flags() & AC, AC);
	clac();
	CHECK_EQ("clac", get_flags() & AC, 0);
	user[0] = 0x0f, user[1] = 0x01, user[2] = 0xcb;
	CHECK_EQ("stac-user", user_jump(user, STACK), UD);
	user[2] = 0xca;
	CHECK_EQ("clac-user", user_jump(user, STACK), UD);
}

static void explicit_accesses(void)
{
	set_page(PG_P | PG_W | PG_U);
	CHECK_EQ("smap-off", trap_try(read_it, (void *)word), -1);
	set_cr4(get_cr4() | CR4_SMAP);
	CHECK_EQ("smap-read", trap_try(read_it, (void *)word), PF);
	CHECK_EQ("smap-read-error", trap_last.error, E_P);
	CHECK_EQ("smap-read-cr2", trap_last.cr2, (u32)word);
	CHECK_EQ("smap-write", trap_try(write_it, (void *)word), PF);
	CHECK_EQ("smap-write-error", trap_last.error, E_P | E_W);
	CHECK_EQ("smap-read-ac", trap_try(read_ac, (void *)word), -1);
	CHECK_EQ("smap-write-ac", trap_try(write_ac, (void *)word), -1);
	CHECK_EQ("smap-closed-again", trap_try(read_it, (void *)word), PF);
	CHECK_EQ("smap-closed-at-once", trap_try(read_after, (void *)word), PF);
	set_page(PG_P | PG_U);
	set_cr0(get_cr0() | 0x10000);
	CHECK_EQ("smap-wp", trap_try(write_ac, (void *)word), PF);
	set_cr0(get_cr0() & ~0x10000u);
	set_page(PG_P | PG_W);
	CHECK_EQ("smap-kernel-page", trap_try(write_it, (void *)word), -1);
	set_page(PG_P | PG_W | PG_U);
}

/* More pages than anyone would remember singly; POPF clears AC as well. */
static void many_pages(void)
{
	u32 open = 0;

	stac();
	for (u32 i = 0; i < 64; i++)
		write_it((void *)(0xa00000 + i * 4096));
	clac();
	for (u32 i = 0; i < 64; i++)
		open += trap_try(read_it, (void *)(0xa00000 + i * 4096)) != PF;
	CHECK_EQ("smap-64-pages", open, 0);
	stac();
	read_it((void *)word);
	__asm__ volatile("pushf; andl %0, (%%esp); popf" :: "i"(~AC) : "memory", "cc");
	CHECK_EQ("smap-popf", trap_try(read_it, (void *)word), PF);
}

/* User code is not concerned, whatever its AC; code may be fetched. */
static void user_side(void)
{
	static const u8 code[] = { 0xa1, 0, 0, 0x90, 0, 0xcd, 0x30 };

	stac();
	for (u32 i = 0; i < sizeof(code); i++)
		((volatile u8 *)user)[i] = code[i];
	clac();
	CHECK_EQ("smap-user-reads", user_jump(user, STACK), 0x30);
	CHECK_EQ("smap-still-closed", trap_try(read_it, (void *)word), PF);
}

/* What the processor reads by itself while user code runs is ring 0's access, AC
 * or not. The IDT lies so that vector 30h is the first of a user page. */
static void implicit_accesses(void)
{
	static const u8 code[] = { 0x9c, 0x81, 0x0c, 0x24, 0, 0, 4, 0, 0x9d, 0xcd, 0x30 };
	u32 base = 0xb01000 - 0x30 * 8;
	struct { u16 limit; u32 base; } __attribute__((packed)) p = { 0x40 * 8 - 1, base };

	*pte((void *)0xb00000) &= ~PG_U;
	invlpg((void *)0xb00000);
	stac();
	memcpy((void *)base, idt, 0x40 * 8);
	for (u32 i = 0; i < sizeof(code); i++)
		((volatile u8 *)user)[i] = code[i];
	clac();
	__asm__ volatile("lidt %0" :: "m"(p));
	CHECK_EQ("smap-idt", user_jump(user, STACK), PF);
	CHECK_EQ("smap-idt-error", trap_last.error, E_P);
	CHECK_EQ("smap-idt-cr2", trap_last.cr2, base + 0x30 * 8);
	CHECK_EQ("smap-idt-ac", trap_last.eflags & AC, AC);
	*pte((void *)0xb01000) &= ~PG_U;
	invlpg((void *)0xb01000);
	CHECK_EQ("smap-idt-of-kernel", user_jump(user, STACK), 0x30);
	idt_load();
}

void guest_main(void)
{
	u32 r[4];

	cpuid(7, 0, r);
	if (!(r[1] >> 20 & 1)) {
		say("skip smap: not in CPUID\n");
		return;
	}
	paging_on();
	own_pages(0, PG_U);
	flags();
	explicit_accesses();
	many_pages();
	user_side();
	implicit_accesses();
	set_cr4(get_cr4() & ~CR4_SMAP);
	CHECK_EQ("smap-off-again", trap_try(read_it, (void *)word), -1);
	paging_off();
}
