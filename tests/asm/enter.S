/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * enter(): loads the state of a case from start and jumps into it. A case ends
 * in a jump to case_done, which is at TEXT, or in a trap: runner_trap() notes
 * the registers and makes the trap return to enter_resume. Both ways save the
 * x87 and XMM state and return from enter().
 */
#include "case.h"
	.section .text.first, "ax"
	.globl	case_done		/* struct frame gives the offsets */
case_done:
	mov	%eax, out + 44
	mov	%ecx, out + 40
	mov	%edx, out + 36
	mov	%ebx, out + 32
	mov	%ebp, out + 24
	mov	%esi, out + 20
	mov	%edi, out + 16
	mov	%esp, out + 68
	mov	runner_esp, %esp
	pushfl
	popl	out + 64
	pushl	$0x202
	popfl
	mov	%gs, out
	mov	%fs, out + 4
	mov	%es, out + 8
	mov	%ds, out + 12
	mov	%cs, out + 60
	mov	%ss, out + 72
	movl	$TRAP_NONE, out + 48
	mov	$SEL_DATA, %eax
	mov	%eax, %es
	mov	%eax, %gs
	jmp	enter_resume

	.text
	.globl	enter, enter_resume
enter:
	push	%ebp
	push	%ebx
	push	%esi
	push	%edi
	mov	%esp, runner_esp
	frstor	start + 44
	ldmxcsr	start + 152
	.irp	n, 0,1,2,3,4,5,6,7
	movups	start + 156 + 16 * \n, %xmm\n
	.endr
	mov	$SEL_FS, %eax
	mov	%eax, %fs
	pushl	start + 32
	popfl
	mov	start, %eax
	mov	start + 4, %ecx
	mov	start + 8, %edx
	mov	start + 12, %ebx
	mov	start + 16, %esp
	mov	start + 20, %ebp
	mov	start + 24, %esi
	mov	start + 28, %edi
	ljmp	*start + 36
enter_resume:
	fnsave	fpu_out
	stmxcsr	sse_out
	.irp	n, 0,1,2,3,4,5,6,7
	movups	%xmm\n, sse_out + 4 + 16 * \n
	.endr
	pop	%edi
	pop	%esi
	pop	%ebx
	pop	%ebp
	ret

/* The pages that cases read and write, and the read-only one behind them. */
	.section .scratch, "awx", @nobits
	.skip	SCRATCH_BYTES
	.section .ro, "a"
	.fill	0x1000 / 4, 4, 0x3f800000

	.bss
	.balign	16
	.skip	0x4000
	.globl	runner_stack, signal_stack, signal_stack_end
runner_stack:
signal_stack:			/* used by the process only */
	.skip	0x10000
signal_stack_end:

	.section .note.GNU-stack, "", @progbits
