/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A page directory in MMIO: CR3 points at the local APIC's registers, and the
 * spurious-vector register is a page directory entry, of a 4 MB page. The processor
 * reads it for each walk and is to set A, then D in it.
 *
 * row-11: that is a read-modify-write of a device, inside the run of translated
 * code: upstream 7.2 begins an exclusive section for it (ptw_setl_slow) and waits
 * for ever for itself. Needs 256 MB: the entry stands for linear 0f000000. */
#include "lapic.h"

enum { LINEAR = 0xf000000, CODE = 0x3f0000, DATA = 0x3f0800,
       ENTRY = 0x187 };          /* APIC on; P W U, PS; A and D clear        */

/* Runs at LINEAR + CODE, where the same bytes stand with paging off and, in the
 * 4 MB page at physical 0, with paging on. No stack. */
__asm__(
	"walk_code:\n"
	"	mov %eax, %cr3\n"
	"	mov %ebx, %cr0\n"
	"	jmp 1f\n"
	"1:	mov 0xf3f0800, %edx\n"
	"	incl 0xf3f0804\n"
	"	mov %ecx, %cr0\n"
	"	jmp 1f\n"
	"1:	ret\n"
	"walk_code_end:\n");
extern const u8 walk_code[], walk_code_end[];

static void put_code(u32 at)
{
	volatile u8 *to = (volatile u8 *)at;

	for (const u8 *p = walk_code; p < walk_code_end; p++)
		*to++ = *p;
}

static u32 walk(u32 cr3)
{
	u32 off = get_cr0(), read;

	__asm__ volatile("call *%%esi" : "=d"(read)
			 : "a"(cr3), "b"(off | 0x80000000), "c"(off), "S"(LINEAR + CODE)
			 : "memory");
	return read;
}

void guest_main(void)
{
	volatile u32 *data = (volatile u32 *)DATA;

	if (upstream_lacks("page-directory-in-mmio"))
		return;
	put_code(CODE);
	put_code(LINEAR + CODE);
	data[0] = 0x600df00d;
	data[1] = 41;
	set_cr4(get_cr4() | 0x10);               /* PSE                      */
	wr(A_SVR, ENTRY);
	CHECK_EQ("reads-through-it", walk(0xfee00000), 0x600df00d);
	CHECK_EQ("writes-through-it", data[1], 42);
	CHECK_EQ("accessed-and-dirty", rd(A_SVR) & 0x1e0, 0x1e0);
	wr(A_SVR, 0x1ff);
	set_cr4(get_cr4() & ~0x10u);
}
