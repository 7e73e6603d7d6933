/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The runner as a multiboot kernel: header, entry, and trap stubs that push
 * struct frame (the layout of Linux's sigcontext) and call guest_trap().
 */
#define MAGIC	0x1badb002
#define FLAGS	1			/* modules on page boundaries */
#define KERNEL_DATA	0x18

	.section .multiboot, "a"
	.long	MAGIC, FLAGS, -(MAGIC + FLAGS)

	.text
	.globl	_start
_start:
	mov	$guest_stack, %esp
	push	%ebx
	call	guest_start

	.globl	guest_enter_user	/* (code selector, entry, data, stack) */
guest_enter_user:
	mov	12(%esp), %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %gs
	push	%eax
	push	20(%esp)
	push	$0x202
	push	16(%esp)
	push	24(%esp)
	iret

	.irp	n, 0,1,2,3,4,5,6,7,9,15,16,18,19,128
vector\n:
	push	$0
	push	$\n
	jmp	trap
	.endr
	.irp	n, 8,10,11,12,13,14,17		/* these push an error code */
vector\n:
	push	$\n
	jmp	trap
	.endr

trap:
	pusha
	push	%ds
	push	%es
	push	%fs
	push	%gs
	mov	$KERNEL_DATA, %eax
	mov	%eax, %ds
	mov	%eax, %es
	cld
	push	%esp
	call	guest_trap
	pop	%eax
	pop	%gs
	pop	%fs
	pop	%es
	pop	%ds
	popa
	add	$8, %esp
	iret

	.section .rodata
	.globl	guest_vectors		/* 0 to 19, and 0x80 */
guest_vectors:
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,128
	.long	vector\n
	.endr

	.bss
	.balign	16
	.skip	0x2000
	.globl	guest_stack
guest_stack:

	.section .note.GNU-stack, "", @progbits
