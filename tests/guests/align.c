/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Alignment checks: CR0.AM, EFLAGS.AC, ring 3. SDM 3A 6.15, interrupt 17. */
#include "guest.h"

enum { GP = 13, PF = 14, AC = 17, NONE = 0x30, CODE = 0x900000, STACK = 0x981000, AM = 1 << 18 };

/* Run in ring 3 with EFLAGS.AC, plain: without; 0x905000 is mapped, 0xa00000 is not. */
static const struct row { const char *name; u8 n, bytes[12]; int vector, plain; } rows[] = {
	{ "dword-aligned", 5, { 0xa1, 0x04, 0x50, 0x90, 0 }, NONE, NONE },
	{ "dword-1", 5, { 0xa1, 0x01, 0x50, 0x90, 0 }, AC, NONE },
	{ "dword-2", 5, { 0xa1, 0x02, 0x50, 0x90, 0 }, AC, NONE },
	{ "word-even", 6, { 0x66, 0xa1, 0x02, 0x50, 0x90, 0 }, NONE, NONE },
	{ "word-odd", 6, { 0x66, 0xa1, 0x03, 0x50, 0x90, 0 }, AC, NONE },
	{ "byte", 5, { 0xa0, 0x03, 0x50, 0x90, 0 }, NONE, NONE },
	{ "store", 5, { 0xa3, 0x01, 0x50, 0x90, 0 }, AC, NONE },
	{ "add", 6, { 0x01, 0x05, 0x02, 0x50, 0x90, 0 }, AC, NONE },
	{ "lock-add", 7, { 0xf0, 0x01, 0x05, 0x02, 0x50, 0x90, 0 }, AC, NONE },
	{ "push", 3, { 0x4c, 0x50, 0x44 }, AC, NONE },             /* DEC ESP; PUSH       */
	{ "movs", 12, { 0xbe, 0x01, 0x50, 0x90, 0, 0xbf, 0x10, 0x50, 0x90, 0, 0xa5, 0x90 }, AC, NONE },
	{ "fld-double", 6, { 0xdd, 0x05, 0x04, 0x50, 0x90, 0 }, AC, NONE },
	{ "fld-double-aligned", 6, { 0xdd, 0x05, 0x08, 0x50, 0x90, 0 }, NONE, NONE },
	{ "page-end", 5, { 0xa1, 0xfe, 0x4f, 0x90, 0 }, AC, NONE },
	{ "absent-unaligned", 5, { 0xa1, 0x01, 0x00, 0xa0, 0 }, AC, PF },
	{ "absent-aligned", 5, { 0xa1, 0x00, 0x00, 0xa0, 0 }, PF, PF },
};

static int run(const struct row *r, int with_ac)
{
	static const u8 set[] = { 0x9c, 0x81, 0x0c, 0x24, 0, 0, 4, 0, 0x9d },
			clear[] = { 0x9c, 0x81, 0x24, 0x24, 0xff, 0xff, 0xfb, 0xff, 0x9d },
			end[] = { 0xcd, 0x30 };
	u8 *p = (u8 *)CODE;

	memcpy(p, with_ac ? set : clear, 9);
	memcpy(p + 9, r->bytes, r->n);
	memcpy(p + 9 + r->n, end, 2);
	__asm__ volatile("fninit");
	return user_jump(p, STACK);
}

static void read_odd(void *p) { (void)p; __asm__ volatile("mov 0x905001, %%eax" ::: "eax"); }
static void kernel_ac(void *p)
{
	__asm__ volatile("pushf; orl $0x40000, (%%esp); popf" ::: "cc", "memory");
	read_odd(p);
	__asm__ volatile("pushf; andl $~0x40000, (%%esp); popf" ::: "cc", "memory");
}

void guest_main(void)
{
	paging_on();
	*pte((void *)0xa00000) = 0;
	invlpg((void *)0xa00000);
	for (u32 i = 0; i < N_ELEM(rows); i++) {
		const struct row *r = &rows[i];

		CHECK_EQ(r->name, run(r, 1), r->plain);           /* without AM  */
		set_cr0(get_cr0() | AM);
		CHECK_EQ(r->name, run(r, 0), r->plain);
		CHECK_EQ(r->name, run(r, 1), r->vector);
		if (r->vector == AC && trap_last.vector == AC) {
			CHECK_EQ("ac-error", trap_last.error, 0);
			CHECK("ac-eip", trap_last.eip >= CODE + 9u && trap_last.eip < CODE + 9u + r->n);
		}
		set_cr0(get_cr0() & ~AM);
	}
	set_cr0(get_cr0() | AM);
	CHECK_EQ("ac-not-in-ring-0", trap_try(kernel_ac, 0), -1);
	set_cr0(get_cr0() & ~AM);
	paging_off();
}
