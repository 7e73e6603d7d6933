/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Entry of the bench guest (Multiboot Specification 0.6.96, section 3), its
 * descriptor tables, trap entries and the way to ring 3 and back.
 */
	.section .multiboot, "ax"
	.balign 4
	.long 0x1badb002, 0x00000002, -(0x1badb002 + 0x00000002)

	.text
	.globl start
start:
	lgdt gdt_pointer
	ljmp $0x08, $1f
1:	mov $0x10, %ax
	mov %ax, %ds
	mov %ax, %es
	mov %ax, %fs
	mov %ax, %gs
	mov %ax, %ss
	mov $stack_top, %esp
	mov $trap_stack_top, %eax
	mov %eax, tss + 4
	movl $0x10, tss + 8
	movw $104, tss + 102		/* no I/O bitmap */
	mov $tss, %eax			/* its base into the descriptor */
	mov %ax, gdt + 0x28 + 2
	shr $16, %eax
	mov %al, gdt + 0x28 + 4
	mov %ah, gdt + 0x28 + 7
	mov $0x28, %ax
	ltr %ax
	fninit
	mov	%cr4, %eax
	or	$0x600, %eax		/* OSFXSR OSXMMEXCPT */
	mov	%eax, %cr4
	push %ebx			/* the multiboot information */
	call guest_main
1:	hlt
	jmp 1b

/* -- traps: vectors 0 to 47 and 0x80 --------------------------------------- */

	.macro ENTRY vector
	.balign 16
	.if (\vector == 8) || (\vector >= 10 && \vector <= 14) || (\vector == 17)
	.else
	push $0
	.endif
	push $\vector
	jmp trap_common
	.endm

	.globl trap_entries
	.balign 16
trap_entries:
	.altmacro
	.set nr, 0
	.rept 48
	ENTRY %nr
	.set nr, nr + 1
	.endr
	.noaltmacro

	.globl trap_0x80
	.balign 16
trap_0x80:
	push $0
	push $0x80
trap_common:
	pusha
	push %ds
	push %es
	mov $0x10, %eax
	mov %eax, %ds
	mov %eax, %es
	lea 8(%esp), %edx
	mov 32(%edx), %eax		/* the vector; 48 stands for 0x80 */
	cmp $0x80, %eax
	jne 1f
	mov $48, %eax
1:	push %edx
	call *trap_handlers(, %eax, 4)
	add $4, %esp
	pop %es
	pop %ds
	popa
	add $8, %esp
	iret

/* SYSENTER comes here: EDX is where to return to, ECX the user's ESP. */
	.globl sysenter_entry
	.balign 16
sysenter_entry:
	lea 1(%eax, %eax, 2), %eax
	sysexit

/* -- ring 3 ----------------------------------------------------------------- */

	.globl user_run
user_run:				/* (fn, arg) */
	mov 4(%esp), %eax
	mov 8(%esp), %ecx
	push %ebp
	push %ebx
	push %esi
	push %edi
	mov %esp, kernel_esp
	mov $user_stack_top - 8, %edx
	mov %ecx, 4(%edx)		/* its argument */
	mov $0x23, %ebx
	mov %ebx, %ds
	mov %ebx, %es
	push $0x23
	push %edx
	push $2				/* EFLAGS: all clear */
	push $0x1b
	push %eax
	iret

	.globl user_end			/* called in a trap: back to the caller */
user_end:
	mov $0x10, %eax
	mov %eax, %ds
	mov %eax, %es
	mov kernel_esp, %esp
	pop %edi
	pop %esi
	pop %ebx
	pop %ebp
	ret

/* -- code and data in one page: codedata_run(rounds) ------------------------ */

	.balign 4096
	.globl codedata_run
codedata_run:
	mov 4(%esp), %ecx
	xor %eax, %eax
1:	incl codedata_counter
	add codedata_counter, %eax
	mov %eax, codedata_counter + 4
	dec %ecx
	jnz 1b
	ret
	.balign 256
codedata_counter:
	.long 0, 0
	.balign 4096

	.data
	.balign 8
gdt:	.quad 0
	.quad 0x00cf9a000000ffff	/* 08 ring 0 code */
	.quad 0x00cf92000000ffff	/* 10 ring 0 data */
	.quad 0x00cffa000000ffff	/* 18 ring 3 code */
	.quad 0x00cff2000000ffff	/* 20 ring 3 data */
	.quad 0x0000890000000067	/* 28 TSS */
gdt_pointer:
	.word 6 * 8 - 1
	.long gdt

	.bss
	.balign 16
kernel_esp:
	.skip 4
	.balign 16
tss:	.skip 104
	.balign 16
	.skip 16384
stack_top:
	.skip 8192
	.globl trap_stack_top
trap_stack_top:
	.skip 8192
user_stack_top:
	.skip 16

	.section .note.GNU-stack, "", @progbits
