/* SPDX-License-Identifier: GPL-2.0-or-later */
/* 16-bit protected code, then real mode and back. SDM 3A 9.9, 20.1.
 *
 * The blob below is copied to 20000h. It notes what it sees in the words from
 * 30000h on, which C checks afterwards. */
#include "guest.h"

enum { BLOB = 0x20000, NOTES = 0x30000 };
enum { SEL_CODE16 = 0x48, SEL_DATA16 = 0x50, GP = 13 };

void real_run(void);
extern u8 blob[], blob_end[], on_int60[], on_div[], on_gp[];

__asm__(
	"	.text\n"
	"	.globl real_run\n"
	"real_run:\n"
	"	pusha\n"
	"	mov %esp, real_esp\n"
	"	sidt real_idtr\n"
	"	ljmp $0x48, $0\n"

	"	.code16\n"
	"blob:	mov $0x10, %ax\n"		/* flat, kept: unreal mode   */
	"	mov %ax, %gs\n"
	"	mov $0x50, %ax\n"
	"	mov %ax, %ds\n	mov %ax, %es\n	mov %ax, %fs\n	mov %ax, %ss\n"
	"	mov $0xabcd7000, %esp\n"
	/* 16-bit protected: SS base 20000h, DS base 20000h */
	"	push %ax\n"
	"	addr32 mov %esp, %gs:0x30000\n"	/* 0: abcd6ffe               */
	"	pop %ax\n"
	"	pushl $0x12345678\n"
	"	addr32 mov %esp, %gs:0x30004\n"	/* 1: abcd6ffc               */
	"	popl %ecx\n"
	"	addr32 mov %ecx, %gs:0x30008\n"	/* 2: 12345678               */
	"	call 1f\n"
	"1:	pop %cx\n"
	"	sub $(1b - blob), %cx\n"
	"	movzwl %cx, %ecx\n"
	"	addr32 mov %ecx, %gs:0x3000c\n"	/* 3: 0                      */
	"	mov $0x1ffff, %ebx\n"
	"	mov $0x4321, %cx\n"
	"	mov %cx, %ds:0x6000\n"
	"	xor %ecx, %ecx\n"
	"	mov $0xffff6000, %ebx\n"	/* 16-bit address: BX only   */
	"	mov (%bx), %cx\n"
	"	addr32 mov %ecx, %gs:0x30010\n"	/* 4: 4321                   */
	"	mov $0xffff, %eax\n"
	"	inc %ax\n"
	"	addr32 mov %eax, %gs:0x30014\n"	/* 5: 0                      */
	/* real mode */
	"	lidtl %ds:(real_ivt - blob)\n"
	"	mov %cr0, %eax\n"
	"	and $0xfe, %al\n"
	"	mov %eax, %cr0\n"
	"	ljmp $0x2000, $(1f - blob)\n"
	"1:	mov $0x2000, %ax\n"
	"	mov %ax, %ss\n	mov %ax, %ds\n"
	"	mov $0x7000, %sp\n"
	"	mov %cs, %cx\n"
	"	movzwl %cx, %ecx\n"
	"	addr32 mov %ecx, %gs:0x30018\n"	/* 6: 2000                   */
	"	mov $0x3456, %ax\n"
	"	mov %ax, %es\n"
	"	movw $0x5a5a, %es:0x10\n"
	"	addr32 mov %gs:0x34570, %ecx\n"
	"	movzwl %cx, %ecx\n"
	"	addr32 mov %ecx, %gs:0x3001c\n"	/* 7: 5a5a                   */
	"	addr32 mov %gs:0x100000, %ecx\n"
	"	addr32 mov %ecx, %gs:0x30020\n"	/* 8: the multiboot magic    */
	"	xor %edx, %edx\n"
	"	stc\n"
	"	int $0x60\n"
	"	addr32 mov %edx, %gs:0x30024\n"	/* 9: 60, set by the handler */
	"	setc %cl\n"
	"	movzbl %cl, %ecx\n"
	"	addr32 mov %ecx, %gs:0x30028\n"	/* 10: carry came back: 1    */
	"	movzwl %sp, %ecx\n"
	"	addr32 mov %ecx, %gs:0x3002c\n"	/* 11: 7000                  */
	"	xor %cx, %cx\n"
	"	div %cx\n"			/* its handler skips 2 bytes */
	"	addr32 mov %edx, %gs:0x30030\n"	/* 12: d0                    */
	"	pushf\n	pop %cx\n"
	"	movzwl %cx, %ecx\n"
	"	addr32 mov %ecx, %gs:0x30034\n"	/* 13: IF still 0            */
	"	xor %edx, %edx\n"
	"	mov $0xffff, %bx\n"
	"	mov (%bx), %cx\n"		/* beyond 64 KB: 2 bytes     */
	"	addr32 mov %edx, %gs:0x30038\n"	/* 14: 9d                    */
	"	mov $0x8000, %ax\n"
	"	mov $0x7fff, %cx\n"
	"	add %cx, %ax\n"
	"	movzwl %ax, %eax\n"
	"	addr32 mov %eax, %gs:0x3003c\n"	/* 15: ffff                  */
	/* far calls push IP and CS, or EIP and CS */
	"	xor %edx, %edx\n"
	"	lcall $0x2000, $(on_far - blob)\n"
	"	lcalll $0x2000, $(on_far32 - blob)\n"
	"	addr32 mov %edx, %gs:0x30040\n"	/* 16: 22                    */
	"	movzwl %sp, %ecx\n"
	"	addr32 mov %ecx, %gs:0x30044\n"	/* 17: 7000                  */
	/* an x87 environment and its registers, and back */
	"	fninit\n	fldpi\n"
	"	fnstenv %ds:0x6100\n	fldenv %ds:0x6100\n"
	"	fnstenvl %ds:0x6120\n	fldenvl %ds:0x6120\n"
	"	fnsave %ds:0x6140\n	frstor %ds:0x6140\n"
	"	fistpl %ds:0x6100\n"
	"	mov %ds:0x6100, %ecx\n"
	"	addr32 mov %ecx, %gs:0x30048\n"	/* 18: 3                     */
	"	movzwl %ds:0x6120, %ecx\n"
	"	addr32 mov %ecx, %gs:0x3004c\n"	/* 19: 37f                   */
	/* and back */
	"	mov %cr0, %eax\n"
	"	or $1, %al\n"
	"	mov %eax, %cr0\n"
	"	ljmpl $0x08, $real_back\n"
	"on_far: inc %dx\n	inc %dx\n	lret\n"
	"on_far32: add $0x20, %dx\n	lretl\n"
	"on_int60: mov $0x60, %edx\n"
	"	clc\n"
	"	iret\n"
	"on_div: push %bp\n	mov %sp, %bp\n"
	"	addw $2, 2(%bp)\n"
	"	mov $0xd0, %edx\n	pop %bp\n	iret\n"
	"on_gp:	push %bp\n	mov %sp, %bp\n"
	"	addw $2, 2(%bp)\n"
	"	mov $0x9d, %edx\n	pop %bp\n	iret\n"
	"real_ivt: .word 0x3ff\n	.long 0\n"
	"blob_end:\n"

	"	.code32\n"
	"real_back:\n"
	"	mov $0x10, %eax\n"
	"	mov %eax, %ds\n	mov %eax, %es\n	mov %eax, %ss\n"
	"	mov %eax, %fs\n	mov %eax, %gs\n"
	"	mov real_esp, %esp\n"
	"	lidt real_idtr\n"
	"	popa\n"
	"	ret\n"
	"	.data\n"
	"real_esp: .long 0\n"
	"real_idtr: .word 0; .long 0\n"
	"	.text\n"
);

static void ivt_set(int vector, const u8 *entry)
{
	((volatile u32 *)0)[vector] = BLOB >> 4 << 16 | (u32)(entry - blob);
}

void guest_main(void)
{
	static const struct { const char *name; u32 want; } rows[] = {
		{ "protected16-push", 0xabcd6ffe },
		{ "protected16-push-dword", 0xabcd6ffc },
		{ "protected16-pop-dword", 0x12345678 },
		{ "protected16-call", 0 },
		{ "protected16-bx", 0x4321 },
		{ "protected16-inc", 0 },
		{ "real-cs", 0x2000 },
		{ "real-segment", 0x5a5a },
		{ "unreal-beyond-64k", 0x1badb002 },
		{ "real-int", 0x60 },
		{ "real-iret-flags", 1 },
		{ "real-iret-sp", 0x7000 },
		{ "real-divide-error", 0xd0 },
		{ "real-interrupts-off", 0 },
		{ "real-64k-limit", 0x9d },
		{ "real-add", 0xffff },
		{ "real-far-calls", 0x22 },
		{ "real-far-calls-sp", 0x7000 },
		{ "real-x87-environment", 3 },
		{ "real-x87-control", 0x37f },
	};
	volatile u32 *notes = (u32 *)NOTES;

	__asm__ volatile("" : "+r"(notes));
	gdt[SEL_CODE16 / 8] = descriptor(BLOB, 0xffff, 0x9b, 0);
	gdt[SEL_DATA16 / 8] = descriptor(BLOB, 0xffff, 0x93, 0);
	memcpy((void *)BLOB, blob, blob_end - blob);
	ivt_set(0, on_div);
	ivt_set(GP, on_gp);
	ivt_set(0x60, on_int60);
	real_run();
	notes[13] &= 0x200;
	for (unsigned i = 0; i < N_ELEM(rows); i++) {
		if (rows[i].want == 0x9d && upstream_lacks(rows[i].name))
			continue;
		CHECK_EQ(rows[i].name, notes[i], rows[i].want);
	}
	real_run();                           /* twice: state came back     */
	CHECK_EQ("again", notes[6], 0x2000);
}
