/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Paging: error codes and CR2, accessed and dirty bits, WP, user pages, 4 MB
 * pages, INVLPG and CR3, accesses that cross pages. SDM 3A 4.3-4.8. */
#include "guest.h"

enum { PF = 14 };
enum { E_P = 1, E_W = 2, E_U = 4 };

static volatile u8 *const page = (u8 *)0x900000;
static volatile u32 *const word = (u32 *)0x900000;

static void read_it(void *p) { (void)*(volatile u32 *)p; }
static void write_it(void *p) { *(volatile u32 *)p = 1; }
static void user_read(void) { (void)*word; }
static void user_write(void) { *word = 1; }
static void user_nothing(void) {}

static void set_page(u32 flags)
{
	*pte(page) = ((u32)page & ~0xfffu) | flags;
	invlpg(page);
}

/* -- who may do what ------------------------------------------------------------ */

static void protection(void)
{
	static const struct {
		const char *name;
		u32 flags;
		u8 wp, user, write;
		int error;              /* -1: allowed                       */
	} rows[] = {
		{ "absent-read", 0, 0, 0, 0, 0 },
		{ "absent-write", 0, 0, 0, 1, E_W },
		{ "absent-user-read", 0, 0, 1, 0, E_U },
		{ "absent-user-write", 0, 0, 1, 1, E_U | E_W },
		{ "kernel-page-user-read", PG_P | PG_W, 0, 1, 0, E_P | E_U },
		{ "kernel-page-user-write", PG_P | PG_W, 0, 1, 1, E_P | E_U | E_W },
		{ "kernel-page-kernel-write", PG_P | PG_W, 1, 0, 1, -1 },
		{ "ro-page-user-read", PG_P | PG_U, 0, 1, 0, -1 },
		{ "ro-page-user-write", PG_P | PG_U, 0, 1, 1, E_P | E_U | E_W },
		{ "ro-page-kernel-write", PG_P | PG_U, 0, 0, 1, -1 },
		{ "ro-page-kernel-write-wp", PG_P | PG_U, 1, 0, 1, E_P | E_W },
		{ "ro-kernel-page-kernel-write-wp", PG_P, 1, 0, 1, E_P | E_W },
		{ "rw-page-user-write", PG_P | PG_W | PG_U, 1, 1, 1, -1 },
	};

	for (unsigned i = 0; i < N_ELEM(rows); i++) {
		int v;

		set_page(rows[i].flags);
		set_cr0(rows[i].wp ? get_cr0() | 0x10000 : get_cr0() & ~0x10000u);
		if (rows[i].user)
			v = user_try(rows[i].write ? user_write : user_read);
		else
			v = trap_try(rows[i].write ? write_it : read_it, (void *)word);
		if (rows[i].error < 0) {
			CHECK_EQ(rows[i].name, v, rows[i].user ? 0x30 : -1);
			continue;
		}
		CHECK_EQ(rows[i].name, v, PF);
		CHECK_EQ(rows[i].name, trap_last.error, rows[i].error);
		CHECK_EQ(rows[i].name, trap_last.cr2, (u32)word);
	}
	set_cr0(get_cr0() & ~0x10000u);
}

/* The directory's rights count too. */
static void directory_rights(void)
{
	set_page(PG_P | PG_W | PG_U);
	page_dir[2] &= ~PG_U;
	set_cr3(get_cr3());
	CHECK_EQ("directory-user", user_try(user_read), PF);
	CHECK_EQ("directory-user-error", trap_last.error, E_P | E_U);
	page_dir[2] = (page_dir[2] | PG_U) & ~PG_W;
	set_cr3(get_cr3());
	CHECK_EQ("directory-write", user_try(user_write), PF);
	CHECK_EQ("directory-write-error", trap_last.error, E_P | E_U | E_W);
	page_dir[2] = (page_dir[2] | PG_W) & ~PG_P;
	set_cr3(get_cr3());
	CHECK_EQ("directory-absent", trap_try(read_it, (void *)word), PF);
	CHECK_EQ("directory-absent-error", trap_last.error, 0);
	page_dir[2] |= PG_P;
	set_cr3(get_cr3());
}

/* -- accessed and dirty -------------------------------------------------------------- */

static void accessed_dirty(void)
{
	set_page(PG_P | PG_W | PG_U);
	page_dir[2] &= ~PG_A;
	set_cr3(get_cr3());
	CHECK_EQ("fresh", *pte(page) & (PG_A | PG_D), 0);
	(void)*word;
	CHECK_EQ("read-sets-a", *pte(page) & (PG_A | PG_D), PG_A);
	CHECK_EQ("read-sets-a-of-directory", page_dir[2] & PG_A, PG_A);
	*word = 5;
	CHECK_EQ("write-sets-d", *pte(page) & (PG_A | PG_D), PG_A | PG_D);
	*pte(page) &= ~(PG_A | PG_D);
	invlpg(page);
	*word = 6;
	CHECK_EQ("write-sets-both", *pte(page) & (PG_A | PG_D), PG_A | PG_D);
	*pte(page) &= ~PG_D;
	set_cr3(get_cr3());
	*word = 7;
	CHECK_EQ("write-after-cr3", *pte(page) & PG_D, PG_D);
	set_page(PG_P | PG_U);
	set_cr0(get_cr0() | 0x10000);
	trap_try(write_it, (void *)word);
	CHECK_EQ("fault-sets-no-d", *pte(page) & PG_D, 0);
	set_cr0(get_cr0() & ~0x10000u);
}

/* -- the TLB ------------------------------------------------------------------------------ */

static void translation(void)
{
	volatile u32 *a = (u32 *)0xa00000, *b = (u32 *)0xb00000;

	*a = 0xaaaa;
	*b = 0xbbbb;
	*pte(page) = (u32)a | PG_P | PG_W | PG_U;
	invlpg(page);
	CHECK_EQ("maps-a", *word, 0xaaaa);
	*pte(page) = (u32)b | PG_P | PG_W | PG_U;
	invlpg(page);
	CHECK_EQ("invlpg-maps-b", *word, 0xbbbb);
	*word = 0x1234;
	CHECK_EQ("written-through", *b, 0x1234);
	*pte(page) = (u32)a | PG_P | PG_W | PG_U;
	set_cr3(get_cr3());
	CHECK_EQ("cr3-maps-a", *word, 0xaaaa);
	*pte(page) = 0;
	invlpg(page);
	CHECK_EQ("unmapped", trap_try(read_it, (void *)word), PF);
	set_page(PG_P | PG_W | PG_U);
}

/* An access over a page's end: the second page faults, nothing is written. */
static void crossing(void)
{
	volatile u8 *first = page, *second = page + 4096;
	u32 at = (u32)first + 4094;

	set_page(PG_P | PG_W | PG_U);
	*pte(second) = (u32)second | PG_P | PG_W | PG_U;
	invlpg(second);
	*(volatile u32 *)at = 0x11223344;
	CHECK_EQ("cross-read", *(volatile u32 *)at, 0x11223344);
	CHECK_EQ("cross-first-half", first[4095], 0x33);
	CHECK_EQ("cross-second-half", second[0], 0x22);
	*pte(second) = 0;
	invlpg(second);
	CHECK_EQ("cross-read-fault", trap_try(read_it, (void *)at), PF);
	CHECK_EQ("cross-cr2", trap_last.cr2, (u32)second);
	CHECK_EQ("cross-write-fault", trap_try(write_it, (void *)at), PF);
	CHECK_EQ("cross-write-cr2", trap_last.cr2, (u32)second);
	CHECK_EQ("cross-writes-nothing", *(volatile u16 *)at, 0x3344);
	*pte(second) = (u32)0xa00000 | PG_P | PG_W | PG_U;
	invlpg(second);
	*(volatile u32 *)at = 0x55667788;
	CHECK_EQ("cross-not-contiguous", *(volatile u16 *)0xa00000, 0x5566);
	*pte(second) = (u32)second | PG_P | PG_W | PG_U;
	invlpg(second);
}

/* Code that runs into a page that is not there, and one that crosses. */
static void call_it(void *p) { ((void (*)(void))p)(); }

static void fetches(void)
{
	volatile u8 *second = page + 4096;
	static const u8 code[] = { 0xb8, 0x78, 0x56, 0x34, 0x12, 0xc3 };
	u32 at = (u32)page + 4093;

	for (unsigned i = 0; i < sizeof(code); i++)
		((volatile u8 *)at)[i] = code[i];
	CHECK_EQ("fetch-crossing", trap_try(call_it, (void *)at), -1);
	*pte(second) = 0;
	invlpg(second);
	CHECK_EQ("fetch-crossing-fault", trap_try(call_it, (void *)at), PF);
	CHECK_EQ("fetch-cr2", trap_last.cr2, (u32)second);
	CHECK_EQ("fetch-eip", trap_last.eip, at);
	CHECK_EQ("fetch-error", trap_last.error, 0);
	*pte(second) = (u32)second | PG_P | PG_W | PG_U;
	invlpg(second);
	set_page(PG_P | PG_W);
	CHECK_EQ("fetch-kernel-page", user_try((void (*)(void))page), PF);
	CHECK_EQ("fetch-kernel-page-error", trap_last.error, E_P | E_U);
	set_page(PG_P | PG_W | PG_U);
}

/* -- global pages ------------------------------------------------------------------------ */

/* Code at two pages, called in turn; the first page is global. What a load of CR3
 * must take away is the second alone; INVLPG and CR4.PGE take the first. */
static u32 (*volatile const in_global)(void) = (u32 (*)(void))0x900000;
static u32 (*volatile const in_other)(void) = (u32 (*)(void))0x901000;
enum { PG_G = 0x100 };

static void put_code(u32 at, u32 value)
{
	*(volatile u8 *)at = 0xb8;       /* mov $value, %eax; ret            */
	*(volatile u32 *)(at + 1) = value;
	*(volatile u8 *)(at + 5) = 0xc3;
}

static u32 call_both(void)
{
	u32 v = 0;

	for (int i = 0; i < 3; i++)      /* found by C first, then cached    */
		v = in_global() << 8 | in_other();
	return v;
}

static void map_code(u32 first, u32 second)
{
	*pte((void *)0x900000) = first | PG_P | PG_W | PG_U | PG_G;
	*pte((void *)0x901000) = second | PG_P | PG_W | PG_U;
}

static int has_pge(void)
{
	u32 a = 1, d;

	__asm__ volatile("cpuid" : "+a"(a), "=d"(d) :: "ebx", "ecx");
	return d >> 13 & 1;
}

static void global_pages(void)
{
	u32 save = get_cr4(), v;

	if (!has_pge())
		return;
	for (u32 i = 0; i < 4; i++)
		put_code(0xa00000 + i * 0x1000, i + 1);
	map_code(0xa00000, 0xa01000);
	set_cr4(save | 0x80);
	CHECK_EQ("global-first", call_both(), 0x0102);
	set_cr3(get_cr3());
	CHECK_EQ("global-cr3", call_both(), 0x0102);
	map_code(0xa02000, 0xa03000);
	set_cr3(get_cr3());
	v = call_both();                 /* the first may be either          */
	CHECK_EQ("global-cr3-other", v & 0xff, 4);
	CHECK("global-cr3-either", v >> 8 == 1 || v >> 8 == 3);
	invlpg((void *)0x900000);
	CHECK_EQ("global-invlpg", call_both(), 0x0304);
	map_code(0xa00000, 0xa01000);
	set_cr4(save);
	CHECK_EQ("global-pge-off", call_both(), 0x0102);
	map_code(0xa02000, 0xa03000);
	set_cr3(get_cr3());
	CHECK_EQ("global-without-pge", call_both(), 0x0304);
	map_code(0x900000, 0x901000);
	set_cr4(save);
	set_cr3(get_cr3());
	set_page(PG_P | PG_W | PG_U);
}

/* -- an instruction in two pages ------------------------------------------------------------ */

enum { SUM = 0x900fe0, ADD = 0x900ffd, TIMES = 5, LOW = 0x1234 };

/* EAX = TIMES * immediate, which has two bytes in each page. The ADD is jumped to,
 * then fallen into from the NOP. */
static void put_sum(u32 first, u32 second)
{
	static const u8 head[] = {
		0xb9, TIMES, 0, 0, 0,           /* mov $TIMES, %ecx          */
		0x31, 0xc0,                     /* xor %eax, %eax            */
		0xeb, 0x14,                     /* jmp ADD                   */
	}, add[] = { 0x90, 0x05, LOW & 0xff, LOW >> 8 }, tail[] = {
		0x49,                           /* dec %ecx                  */
		0x75, 0xf7,                     /* jnz the NOP               */
		0xc3,
	};

	memcpy((void *)(first + (SUM & 0xfff)), head, sizeof(head));
	memcpy((void *)(first + (ADD & 0xfff) - 1), add, sizeof(add));
	for (u32 i = 0; i < 2; i++, second += 0x1000) {
		*(volatile u16 *)second = (u16)(i + 1);
		memcpy((void *)(second + 2), tail, sizeof(tail));
	}
}

static u32 sum(void)
{
	u32 v = 0;

	for (int i = 0; i < 3; i++)
		v = ((u32 (*volatile)(void))SUM)();
	return v;
}

static void call_sum(void *p) { *(u32 *)p = sum(); }

static void two_pages(void)
{
	u32 v;

	put_sum(0xa00000, 0xa01000);
	map_code(0xa00000, 0xa01000);
	set_cr3(get_cr3());
	CHECK_EQ("straddle", sum(), TIMES * (1u << 16 | LOW));
	map_code(0xa00000, 0xa02000);
	invlpg((void *)0x901000);
	CHECK_EQ("straddle-invlpg", sum(), TIMES * (2u << 16 | LOW));
	map_code(0xa00000, 0xa01000);
	set_cr3(get_cr3());
	CHECK_EQ("straddle-cr3", sum(), TIMES * (1u << 16 | LOW));
	*pte((void *)0x901000) = 0;
	invlpg((void *)0x901000);
	CHECK_EQ("straddle-absent", trap_try(call_sum, &v), PF);
	CHECK_EQ("straddle-absent-eip", trap_last.eip, ADD);
	CHECK_EQ("straddle-absent-cr2", trap_last.cr2, 0x901000);
	*(volatile u16 *)0xa01000 = 7;
	map_code(0xa00000, 0xa01000);
	CHECK_EQ("straddle-changed", sum(), TIMES * (7u << 16 | LOW));
	map_code(0x900000, 0x901000);
	set_cr3(get_cr3());
	set_page(PG_P | PG_W | PG_U);
}

/* -- 4 MB pages ---------------------------------------------------------------------------------- */

static void large_pages(void)
{
	volatile u32 *big = (u32 *)0x40000000, *at = (u32 *)(0x40000000 + 0x100040);
	u32 save = get_cr4();

	set_cr4(save | 0x10);
	*(volatile u32 *)0x900040 = 0xcafe;
	page_dir[256] = 0x800000 | PG_P | PG_W | PG_U | PG_PS;
	set_cr3(get_cr3());
	CHECK_EQ("large-maps", *at, 0xcafe);
	CHECK_EQ("large-a", page_dir[256] & (PG_A | PG_D), PG_A);
	*at = 0xbeef;
	CHECK_EQ("large-d", page_dir[256] & (PG_A | PG_D), PG_A | PG_D);
	CHECK_EQ("large-written", *(volatile u32 *)0x900040, 0xbeef);
	page_dir[256] = 0xc00000 | PG_P | PG_W | PG_U | PG_PS;
	invlpg(big + 1000);
	*(volatile u32 *)0xd00040 = 0xd00d;
	CHECK_EQ("large-invlpg", *at, 0xd00d);
	page_dir[256] &= ~PG_W;
	set_cr0(get_cr0() | 0x10000);
	set_cr3(get_cr3());
	CHECK_EQ("large-ro", trap_try(write_it, (void *)at), PF);
	CHECK_EQ("large-ro-error", trap_last.error, E_P | E_W);
	set_cr0(get_cr0() & ~0x10000u);
	page_dir[256] = 0;
	set_cr3(get_cr3());
	CHECK_EQ("large-gone", trap_try(read_it, (void *)at), PF);
	set_cr4(save);
}

/* -- a fault in the middle -------------------------------------------------------------------------- */

static volatile u32 faults;
static void map_on_fault(struct frame *f)
{
	faults++;
	*pte((void *)f->cr2) = (f->cr2 & ~0xfffu) | PG_P | PG_W | PG_U;
	invlpg((void *)f->cr2);
}

/* REP MOVSD over four absent pages: each faults once and it goes on. */
static void restart(void)
{
	u32 ecx = 3072, esi = 0x900000, edi = 0x980000;
	int same = 1;

	for (u32 i = 0; i < 3072; i++)
		((volatile u32 *)0x900000)[i] = i * 3;
	for (u32 i = 0; i < 4; i++) {
		*pte((void *)(edi + i * 4096)) = 0;
		invlpg((void *)(edi + i * 4096));
	}
	faults = 0;
	trap_handler[PF] = map_on_fault;
	__asm__ volatile("rep movsl" : "+c"(ecx), "+S"(esi), "+D"(edi) :: "memory");
	trap_handler[PF] = 0;
	CHECK_EQ("rep-restarts", faults, 3);
	CHECK_EQ("rep-ecx", ecx, 0);
	CHECK_EQ("rep-edi", edi, 0x980000 + 3072 * 4);
	for (u32 i = 0; i < 3072; i++)
		same &= ((volatile u32 *)0x980000)[i] == i * 3;
	CHECK("rep-copied", same);
}

/* A PUSH that faults leaves ESP alone. */
static u32 push_esp;
static void push_fault(void *p)
{
	(void)p;
	__asm__ volatile("mov %%esp, %%edx; mov %1, %%esp; push %%eax\n"
			 "mov %%esp, %0; mov %%edx, %%esp"
			 : "=m"(push_esp) : "r"(0x901000) : "edx", "memory");
}

static void fault_in_ring3_stack(void)
{
	/* The handler's own stack is ring 0's: a user PUSH may fault. */
	__asm__ volatile("mov $0x901004, %%esp; push %%eax; push %%eax; int $0x30"
			 ::: "memory");
}

static void pushes(void)
{
	set_page(0);
	CHECK_EQ("user-push-fault", user_try(fault_in_ring3_stack), PF);
	CHECK_EQ("user-push-esp", trap_last.esp, 0x901000);
	CHECK_EQ("user-push-cr2", trap_last.cr2, 0x900ffc);
	CHECK_EQ("user-push-error", trap_last.error, E_U | E_W);
	set_page(PG_P | PG_W | PG_U);
	CHECK_EQ("push", trap_try(push_fault, 0), -1);
	CHECK_EQ("push-esp", push_esp, 0x900ffc);
}

void guest_main(void)
{
	paging_on();
	protection();
	directory_rights();
	accessed_dirty();
	translation();
	crossing();
	fetches();
	global_pages();
	two_pages();
	large_pages();
	restart();
	pushes();
	CHECK_EQ("ring3-still-works", user_try(user_nothing), 0x30);
	paging_off();
	CHECK_EQ("paging-off", *(volatile u32 *)0x100000, 0x1badb002);
}
