/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Start of the demo guest: multiboot header, a GDT, the two interrupts it
 * takes. demo.c does the rest. */
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
	fninit
	call demo_main
2:	cli
	hlt
	jmp 2b

/* IRQ 0: count, end of interrupt. */
	.globl timer_entry
timer_entry:
	push %eax
	incl timer_ticks
	mov $0x20, %al
	out %al, $0x20
	pop %eax
	iret

/* IRQ 8: a second of the RTC is over. Reading register C allows the next. */
	.globl rtc_entry
rtc_entry:
	push %eax
	mov $0x0c, %al
	out %al, $0x70
	in $0x71, %al
	incl rtc_seconds
	mov $0x20, %al
	out %al, $0xa0
	out %al, $0x20
	pop %eax
	iret

	.data
	.balign 8
gdt:	.quad 0
	.quad 0x00cf9b000000ffff
	.quad 0x00cf93000000ffff
gdt_pointer:
	.word . - gdt - 1
	.long gdt
	.globl timer_ticks, rtc_seconds
	.balign 4
timer_ticks: .long 0
rtc_seconds: .long 0

	.bss
	.balign 16
	.skip 16384
stack_end:

	.section .note.GNU-stack, "", @progbits
