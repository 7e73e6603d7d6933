/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Start of every test guest: the multiboot header, descriptor tables of its
 * own, an entry for each interrupt vector, and trap_try. */

	.section .multiboot, "a"
	.balign 4
	.long 0x1badb002, 3, -(0x1badb002 + 3)

	.text
	.globl _start
_start:
	cli
	cld
	mov $stack_end, %esp
	push %ebx
	push %eax
	lgdt gdt_pointer
	ljmp $0x08, $1f
1:	mov $0x10, %ecx
	mov %ecx, %ds
	mov %ecx, %es
	mov %ecx, %ss
	mov %ecx, %fs
	mov %ecx, %gs
	call guest_start
2:	cli
	hlt
	jmp 2b

/* -- interrupt entries ------------------------------------------------------
 * All 256 are 16 bytes apart from vector_entries on. Those without an error
 * code push 0. */
	.balign 16
	.globl vector_entries
vector_entries:
	.set v, 0
	.rept 256
	.balign 16
	.if v == 8 || v == 10 || v == 11 || v == 12 || v == 13 || v == 14 || v == 17
	.else
	push $0
	.endif
	push $v
	jmp trap_common
	.set v, v + 1
	.endr

trap_common:
	pusha
	push %ds
	push %es
	push %fs
	push %gs
	mov $0x10, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %fs
	mov %eax, %gs
	cld
	mov %cr2, %eax
	push %eax
	push %esp
	call trap_dispatch		/* returns 1: unwind to trap_try */
	add $8, %esp
	test %eax, %eax
	jnz unwind
	pop %gs
	pop %fs
	pop %es
	pop %ds
	popa
	add $8, %esp
	iret

/* int trap_try(void (*fn)(void *), void *arg): run fn; -1, or the vector of
 * the trap that ended it. trap_last describes it. */
	.globl trap_try
trap_try:
	push %ebx
	push %esi
	push %edi
	push %ebp
	pushf
	mov %esp, trap_sp
	pushl 28(%esp)
	call *28(%esp)
	add $4, %esp
	mov $-1, %eax
	movl $0, trap_sp
	jmp 1f
unwind:
	mov $0x10, %eax
	mov %eax, %ss
	mov trap_sp, %esp
	movl $0, trap_sp
	mov trap_last, %eax		/* its first field: the vector */
1:	popf
	pop %ebp
	pop %edi
	pop %esi
	pop %ebx
	ret

/* void user_call(void (*fn)(void), u32 esp): to ring 3; ends by INT 30h. */
	.globl user_call
user_call:
	mov 4(%esp), %eax
	mov 8(%esp), %edx
	mov $0x23, %ecx
	mov %ecx, %ds
	mov %ecx, %es
	mov %ecx, %fs
	mov %ecx, %gs
	push $0x23
	push %edx
	pushf
	push $0x1b
	push $user_entry
	iret
user_entry:
	call *%eax
	int $0x30

	.data
	.balign 8
	.globl gdt_pointer
gdt_pointer:
	.word 64 * 8 - 1
	.long gdt
	.globl gdt
	.balign 8
gdt:	.quad 0
	.quad 0x00cf9b000000ffff	/* 08: code, ring 0 */
	.quad 0x00cf93000000ffff	/* 10: data, ring 0 */
	.quad 0x00cffb000000ffff	/* 18: code, ring 3 */
	.quad 0x00cff3000000ffff	/* 20: data, ring 3 */
	.fill 59, 8, 0			/* 28: TSS; from 40h on the test's own */
	.globl trap_sp
trap_sp: .long 0

	.bss
	.balign 4096
	.skip 32768
	.globl stack_end
stack_end:

	.section .note.GNU-stack, "", @progbits
