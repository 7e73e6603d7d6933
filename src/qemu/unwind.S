/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/qemu/unwind.S - leaving helpers and translated code by resetting rsp.
 *
 * u64 cpu_exec_catch(u64 *save_rsp, u64 (*fn)(void *), void *arg):
 *	calls fn(arg) and returns its value, or that of cpu_unwind().
 * void cpu_unwind(u64 rsp, u64 value): returns from the cpu_exec_catch that
 *	stored rsp.
 * cpu_fault_landing: a signal handler resumes here after a host fault in
 *	translated code (r15 = struct cpu). */
	.text
	.globl	cpu_exec_catch, cpu_unwind, cpu_fault_landing
	.type	cpu_exec_catch, @function
	.type	cpu_unwind, @function
	.type	cpu_fault_landing, @function

cpu_exec_catch:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	sub	$8, %rsp
	mov	%rsp, (%rdi)
	mov	%rdx, %rdi
	call	*%rsi
leave_catch:
	add	$8, %rsp
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret

cpu_unwind:
	mov	%rdi, %rsp
	mov	%rsi, %rax
	cld
	jmp	leave_catch

cpu_fault_landing:
	mov	%r15, %rdi
	and	$-16, %rsp
	call	cpu_loop_exit

	.section .note.GNU-stack, "", @progbits
