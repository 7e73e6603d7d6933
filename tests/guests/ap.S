/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the other processors of a guest start (smp.c). SIPI vector 8: real
 * mode at 0800:0000, to which smp.c copies ap_start. SDM 3A 9.4. */

#define AT 0x8000
#define STACK_SHIFT 13			/* smp.h: AP_STACK */

	.section .rodata
	.code16
	.globl ap_start, ap_end, ap_arrivals
ap_start:
	cli
	xor %ax, %ax
	mov %ax, %ds
	lock incl AT + ap_arrivals - ap_start	/* all start at once */
	lgdtl AT + ap_gdt_pointer - ap_start
	mov %cr0, %eax
	and $0x9fffffff, %eax		/* INIT left the caches off */
	or $1, %eax
	mov %eax, %cr0
	ljmpl $0x08, $ap_entry
	.balign 4
ap_arrivals:
	.long 0
ap_gdt_pointer:
	.word 64 * 8 - 1
	.long gdt
ap_end:

	.text
	.code32
ap_entry:
	mov $0x10, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	mov %eax, %fs
	mov %eax, %gs
	cld
	mov $1, %eax
	lock xadd %eax, ap_count	/* our number; the BSP is 0 */
	lea 1(%eax), %ecx
	shl $STACK_SHIFT, %ecx
	lea ap_stacks(%ecx), %esp
	push %eax
	call ap_main
1:	cli
	hlt
	jmp 1b

	.section .note.GNU-stack, "", @progbits
