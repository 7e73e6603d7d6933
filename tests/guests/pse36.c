/* SPDX-License-Identifier: GPL-2.0-or-later */
/* run-options: -cpu pentium3 */
/* PSE-36: bits 13 to 16 of the entry of a 4 MB page are bits 32 to 35 of its
 * address; global pages. SDM 3A 4.3, 4.10.2.4. */
#include "guest.h"

enum { PF = 14, E_P = 1, E_R = 8, PG_G = 0x100, CR4_PSE = 0x10, CR4_PGE = 0x80 };

static volatile u32 *const at = (u32 *)0x40100040;
static void read_it(void *p) { (void)*(volatile u32 *)p; }

static void map(u32 pde)
{
	page_dir[256] = pde;
	invlpg(at);
}

static void pse36(void)
{
	u32 large = PG_P | PG_W | PG_PS;

	*(volatile u32 *)0x900040 = 0xcafe;
	map(0x800000 | large);
	CHECK_EQ("pse36-low", *at, 0xcafe);
	map(0x800000 | large | 1 << 13);         /* at 4 GB there is no memory */
	CHECK("pse36-above-4g", *at != 0xcafe);
	*at = 0xdead;
	CHECK_EQ("pse36-above-4g-write", *(volatile u32 *)0x900040, 0xcafe);
	map(0x800000 | large | 1 << 16);
	CHECK("pse36-at-32g", trap_try(read_it, (void *)at) == -1 && *at != 0xcafe);
	map(0x800000 | large | 1 << 21);
	CHECK_EQ("pse36-reserved-21", trap_try(read_it, (void *)at), PF);
	CHECK_EQ("pse36-reserved-21-error", trap_last.error, E_P | E_R);
	map(0x800000 | large | 1 << 17);         /* there are 36 bits       */
	CHECK_EQ("pse36-reserved-17", trap_try(read_it, (void *)at), PF);
	CHECK_EQ("pse36-reserved-17-error", trap_last.error, E_P | E_R);
	map(0);
}

/* Global pages need not be forgotten by a load of CR3, but are by INVLPG, and by
 * a change of CR4.PGE. */
static void global(void)
{
	volatile u32 *page = (u32 *)0x900000;

	*(volatile u32 *)0x900000 = 0xaaaa;
	*(volatile u32 *)0xa00000 = 0xbbbb;
	set_cr4(get_cr4() | CR4_PGE);
	*pte(page) = 0x900000 | PG_P | PG_W | PG_G;
	invlpg(page);
	CHECK_EQ("global", *page, 0xaaaa);
	*pte(page) = 0xa00000 | PG_P | PG_W | PG_G;
	set_cr3(get_cr3());
	CHECK("global-cr3", *page == 0xaaaa || *page == 0xbbbb);
	invlpg(page);
	CHECK_EQ("global-invlpg", *page, 0xbbbb);
	*pte(page) = 0x900000 | PG_P | PG_W | PG_G;
	set_cr4(get_cr4() & ~CR4_PGE);
	CHECK_EQ("global-pge-off", *page, 0xaaaa);
	*pte(page) = 0xa00000 | PG_P | PG_W | PG_G;
	set_cr4(get_cr4() | CR4_PGE);
	CHECK_EQ("global-pge-on", *page, 0xbbbb);
	*pte(page) = 0x900000 | PG_P | PG_W;
	invlpg(page);
	*pte(page) = 0xa00000 | PG_P | PG_W;
	set_cr3(get_cr3());
	CHECK_EQ("global-others-by-cr3", *page, 0xbbbb);
	*pte(page) = 0x900000 | PG_P | PG_W | PG_U;
	invlpg(page);
}

void guest_main(void)
{
	paging_on();
	set_cr4(get_cr4() | CR4_PSE);
	pse36();
	global();
	paging_off();
}
