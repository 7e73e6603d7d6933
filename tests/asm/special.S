/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A blob (case.h) written by hand: what takes more than one instruction, or an
 * exact place. Each CASE runs with several random states; ESP, ESI and EDI
 * point into the scratch pages unless kinds says otherwise.
 */
#include "case.h"

#define CODE16	SEL_LDT(1)
#define DOWN	SEL_LDT(2)
#define READ	SEL_LDT(3)
#define EXEC	SEL_LDT(4)
#define ABSENT	SEL_LDT(5)
#define STACK16	SEL_LDT(6)
#define DOWN16	SEL_LDT(7)
#define TF	0x100
#define NT	0x4000
#define ID	0x200000

	.set	scratch, SCRATCH
	.set	stack, SCRATCH + 0x800
	.set	mid, SCRATCH + 0x1000		/* between the two pages */
	.set	top, SCRATCH + SCRATCH_BYTES	/* here the read-only page is */
	.set	ro, RO
	.set	text, TEXT
	.set	ncases, 0
	.macro	CASE name, kinds=0x11010000, flags=0, states=6
	.set	ncases, ncases + 1
77:	.long	79f - 77b, \states, 0, ncases * 77, \kinds, \flags, 0
78:	.ascii	"\name"
	.skip	NAME_BYTES - (. - 78b)
	.endm

	.macro	END
	int3
79:
	.endm

	.text
blob:
	.long	BLOB_MAGIC, 0, total, 0, blob_end - blob

/* -- jumps and returns ---------------------------------------------------- */

	.irp	r, eax, ecx, edx, ebx, ebp, esi, edi
	CASE	jump
	mov	$1f, %\r
	jmp	*%\r
	ud2
1:	END
	CASE	jump
	mov	$1f, %\r
	call	*%\r
	ud2
1:	END
	CASE	jump
	mov	$scratch + 0x400, %\r
	movl	$1f, 4(%\r)
	jmp	*4(%\r)
	ud2
1:	END
	CASE	jump
	mov	$scratch + 0x400, %\r
	movl	$1f, -8(%\r)
	call	*-8(%\r)
	ud2
1:	END
	.endr

	CASE	jump			/* CALL *mem reads before it pushes */
	mov	$stack, %esp
	movl	$1f, -4(%esp)
	call	*-4(%esp)
	ud2
1:	END
	CASE	jump
	mov	$1f, %eax
	push	%eax
	ret
	ud2
1:	END
	.irp	n, 0, 4, 8, 0x7ff0, 0xfffc
	CASE	jump
	push	$1f
	ret	$\n
	ud2
1:	END
	CASE	jump
	push	%cs
	push	$1f
	lret	$\n
	ud2
1:	END
	.endr
	CASE	jump
	mov	$stack, %esp
	call	1f
	inc	%eax
	jmp	2f
1:	call	3f
	inc	%ecx
	ret
3:	inc	%edx
	ret
2:	END
	CASE	jump			/* the return address is replaced */
	mov	$stack, %esp
	call	1f
	ud2
1:	movl	$2f, (%esp)
	ret
	ud2
2:	END
	CASE	jump			/* more returns than calls */
	mov	$stack, %esp
	push	$4f
	push	$3f
	push	$2f
	call	1f
	.byte	0x40, 0x41
1:	add	$4, %esp
	ret
2:	inc	%edx
	ret
3:	inc	%ebx
	ret
4:	END
	CASE	jump			/* recursion to depth 40 */
	mov	$stack, %esp
	mov	$40, %ecx
	xor	%eax, %eax
	call	1f
	jmp	2f
1:	dec	%ecx
	je	3f
	push	%ecx
	call	1b
	pop	%ecx
	add	%ecx, %eax
3:	ret
2:	END
	CASE	jump
	ljmp	$SEL_CODE, $1f
	ud2
1:	END
	CASE	jump
	lcall	$SEL_CODE, $1f
	ud2
1:	END
	CASE	jump
	lcall	$SEL_CODE, $1f
	jmp	2f
1:	lret
2:	END
	CASE	jump
	mov	$scratch + 0x100, %ebx
	movl	$1f, (%ebx)
	movw	$SEL_CODE, 4(%ebx)
	ljmp	*(%ebx)
1:	movl	$2f, (%ebx)
	lcall	*(%ebx)
2:	END
	CASE	jump			/* IRET, same ring: flags too */
	mov	$stack, %esp
	push	$0x00204cd7
	push	%cs
	push	$1f
	iret
1:	END
	.irp	sel, 0, 3, 0x18, 0x20, 0x2b, 0x1b, 0x43, 0x83, SEL_FS, ABSENT, 0x57
	CASE	far-fault
	mov	$stack, %esp
	ljmp	$\sel, $1f
1:	END
	CASE	far-fault
	mov	$stack, %esp
	lcall	$\sel, $1f
1:	END
	CASE	far-fault
	mov	$stack, %esp
	push	$\sel
	push	$1f
	lret
1:	END
	CASE	far-fault
	mov	$stack, %esp
	push	$2
	push	$\sel
	push	$1f
	iret
1:	END
	CASE	far-fault
	mov	$\sel, %eax
	mov	%ax, %ss
	nop
1:	END
	.irp	s, ds, es, fs, gs
	CASE	far-fault
	mov	$\sel, %eax
	mov	%ax, %\s
	mov	%\s:scratch, %ecx
	END
	.endr
	.endr

	.irp	sel, 0, 2, SEL_DATA, SEL_CODE, SEL_FS, READ, EXEC, ABSENT, 0x18
	.irp	op, lds, les, lfs, lgs, lss
	CASE	far-pointer
	mov	$scratch + 0x100, %ebx
	movw	$\sel, 4(%ebx)
	\op	(%ebx), %edx
	mov	%gs:(%ebx), %eax
	END
	CASE	far-pointer
	mov	$scratch + 0x100, %ebx
	movw	$\sel, 2(%ebx)
	\op	(%ebx), %dx
	END
	.endr
	.endr

/* -- the 16-bit code segment ---------------------------------------------- */

	CASE	code16
	mov	$stack, %esp
	lcall	$CODE16, $1f - blob
	jmp	2f
	.code16
1:	mov	$0x1234, %ax
	add	%eax, %ecx
	push	%cx
	push	%edx
	addw	$0x10, (%esp)
	pop	%edx
	pop	%bx
	lretl
	.code32
2:	END
	CASE	code16			/* near jumps cut EIP to 16 bits */
	ljmp	$CODE16, $1f - blob
	.code16
1:	jmp	2f
	ud2
2:	call	3f
	ud2
3:	mov	$4f - blob, %ax
	jmp	*%ax
	ud2
4:	mov	$5f - blob, %eax
	jmpl	*%eax
	ud2
	.code32
5:	END
	/* An image across offset FFFFh of a 16-bit address: from 0 on its pieces
	 * are read at the other end. */
	.macro	WRAP16 at, insn, to
	CASE	wrap16, flags=C_FPU
	mov	$stack, %esp
	mov	$CODE16, %eax
	mov	%eax, %es
	mov	$\at, %esi
	\insn	%es:(%si)\to
	END
	.endm
	.irp	at, 0xfff0, 0xffb0, 0xffa2, 0xffe6, 0xff9a, 0xfffe
	WRAP16	\at, frstor
	WRAP16	\at, "data16 frstor"
	WRAP16	\at, fldenv
	.endr
	/* Two operands side by side: each has its own offset (and its own limit). */
	.irp	at, 0xfff9, 0xfffa, 0xfffb, 0xfffc, 0xfffd, 0xfffe, 0xffff
	WRAP16	\at, "lgs", ",%cx"
	WRAP16	\at, "lfs", ",%ecx"
	WRAP16	\at, "ljmpw *"
	WRAP16	\at, "ljmpl *"
	WRAP16	\at, "lcallw *"
	WRAP16	\at, "lcalll *"
	WRAP16	\at, "bound %cx,"
	WRAP16	\at, "bound %ecx,"
	.endr
	/* Half the address space down, by distances that overflow when they are
	 * added: not off the same page. */
	CASE	stack-far
	mov	$stack, %esp
	push	$0x2b
	pop	%es
	sub	$0x7fffffff, %esp
	test	$0xac, %ch
	xor	%dh, %al
	push	$0x1f
	END
	CASE	stack-far
	mov	$stack, %esp
	pop	%eax
	add	$0x7ffffffc, %esp
	test	$0xac, %ch
	pop	%ebx
	END
	CASE	code16			/* 66h RET and JMP in 32-bit code */
	mov	$stack, %esp
	pushw	$0x1234
	retw
	END
	CASE	code16
	.byte	0x66, 0xeb, 0		/* jmpw, to the next */
	END
	CASE	code16
	mov	$stack, %esp
	.byte	0x66, 0xe8, 0, 0	/* callw, to the next */
	END

/* -- flags ---------------------------------------------------------------- */

	.irp	f, 0, 1, 4, 0x10, 0x40, 0x80, 0x400, 0x800, 0xcd5, NT, ID, \
		0x200, 0x3000, 0x10000, 0x20000, 0x180000, 0x202, 0xffe3bedf
	CASE	popf
	mov	$stack, %esp
	push	$\f
	popf
	pushf
	pop	%eax
	END
	CASE	popf
	mov	$stack, %esp
	push	$\f
	popfw
	pushfw
	pop	%ax
	END
	CASE	popf
	mov	$stack, %esp
	add	%ecx, %edx
	pushf
	xorl	$\f & 0xcd5, (%esp)
	popf
	adc	%ecx, %edx
	END
	.endr

	/* what keeps some flags, in another block, and when it faults */
	.macro	KEEPS insn
	CASE	flags-kept, kinds=0x11010000, flags=C_FPU, states=20
	cmp	%ebp, %ebx
	jmp	1f
1:	\insn
	jmp	1f
1:	END
	CASE	flags-kept, kinds=0x11010000, flags=C_FPU, states=20
	mov	$ro + 0x1000, %esi
	mov	%esi, %edi
	cmp	%ebp, %ebx
	\insn
	END
	.endm
	.irp	op, mul, imul, div, idiv, inc, dec, not, neg
	KEEPS	"\op\()l (%esi)"
	KEEPS	"\op\()b (%esi)"
	KEEPS	"\op %ecx"
	.endr
	.irp	op, bsf, bsr, bt, bts, xadd, cmpxchg, adc, add, cmp, imul, lar
	KEEPS	"\op %edx, %ecx"
	.endr
	.irp	op, bt, btc, xadd, cmpxchg, adc, sbb, add, and, test, xchg
	KEEPS	"\op %edx, (%esi)"
	.endr
	.irp	op, bsf, bsr, imul, adc, cmp, cmovc, movzbl, movswl
	KEEPS	"\op (%esi), %edx"
	.endr
	.irp	op, shl, sar, rol, rcr
	KEEPS	"\op\()l %cl, (%esi)"
	KEEPS	"\op\()l $3, (%esi)"
	KEEPS	"\op\()l (%esi)"
	.endr
	.irp	op, movsl, cmpsb, scasw, lodsl, stosb, daa, aam, aad, aas, cmc, xlatb
	KEEPS	"\op"
	.endr
	KEEPS	"shld %cl, %edx, (%esi)"
	KEEPS	"cmpxchg8b (%esi)"
	KEEPS	"fldl (%esi)"
	KEEPS	"fstpt (%esi)"
	KEEPS	"fcomi"
	KEEPS	"push (%esi); push %edx; pop (%esi)"
	/* at a jump whose target shows them in a fault's frame and does not read them, with
	 * registers that change before the fault, flags that are overwritten in part */
	.macro	SHOWN make
	.irp	between, "", "mov %eax, %ebx", "inc %ebp", "dec %ecx", "rol $3, %ecx", \
		"bt %eax, %ecx", "lea 4(%ebx), %ebx", "push %ebx", "shl %cl, %eax", \
		"rorl $5, scratch", "movb %cl, %bh", "inc %ebx; inc %ebx", "xchg %ebx, %ebp"
	CASE	flags-shown, kinds=0x11010000, states=8
	mov	$ro + 0x1000, %esi
	jmp	2f
1:	\between
	mov	(%esi), %edx
	cmp	%ecx, %edx
	jmp	3f
2:	\make
	jmp	1b
3:	END
	.endr
	.endm
	SHOWN	"cmp %ebp, %ebx"
	SHOWN	"add %ebp, %ebx"
	SHOWN	"sub $5, %ebx"
	SHOWN	"test %ebp, %ebx"
	SHOWN	"xor %ebp, %ebx"
	SHOWN	"cmpb $7, %bl"
	SHOWN	"shl $3, %ebx"
	SHOWN	"imul %ebp, %ebx"
	SHOWN	"cmp %ebp, %ebx; inc %ebx"
	SHOWN	"cmp %ebx, %ebp; dec %ecx"
	SHOWN	"cmp %ebx, %ebp; dec %ecx; lea -3(%ebx), %ebx; jz 1b"
	SHOWN	"sub $8, %esp"
	SHOWN	"sub %ebx, %ebp; jc 1b; add $2, %ebx"

	CASE	flags-kept, flags=C_FPU	/* FCOMIP's were lost at the jump */
	push	$0x200c15
	popf
	movl	$0, 0x8f(%esp)
	fcomip
	fldl	(%esp)
	jmp	1f
1:	END

/* -- traps ---------------------------------------------------------------- */

	CASE	trap
	.byte	0xcd, 3
	END
	.irp	n, 0, 1, 2, 4, 5, 6, 13, 14, 0x20, 0x7f, 0x81, 0xff
	CASE	trap
	.byte	0xcd, \n
	END
	.endr
	CASE	trap
	mov	$0x7fffffff, %eax
	inc	%eax
	into
	END
	CASE	trap
	xor	%eax, %eax
	into
	END
	.irp	i, 4, 5, 6, 7, 8
	CASE	trap
	movl	$5, scratch + 0x10
	movl	$7, scratch + 0x14
	mov	$\i, %ecx
	bound	%ecx, scratch + 0x10
	END
	CASE	trap
	movl	$0x0006fffb, scratch + 0x10
	mov	$\i - 6, %cx
	boundw	%cx, scratch + 0x10
	END
	.endr
	CASE	trap			/* the largest signed quotients */
	mov	$-1, %edx
	mov	$0x80000000, %eax
	mov	$1, %ecx
	idiv	%ecx
	END
	CASE	trap
	mov	$-1, %edx
	mov	$0x80000000, %eax
	mov	$-1, %ecx
	idiv	%ecx
	END
	CASE	trap
	mov	$0, %edx
	mov	$0x80000000, %eax
	mov	$1, %ecx
	idiv	%ecx
	END
	CASE	trap
	mov	$0xff80, %ax
	mov	$1, %cl
	idiv	%cl
	END
	CASE	trap
	mov	$0xff80, %ax
	mov	$-1, %cl
	idiv	%cl
	END
	CASE	trap
	mov	$-1, %dx
	mov	$0x8000, %ax
	mov	$-1, %cx
	idiv	%cx
	END

	/* TF: a trap after the next instruction */
	.macro	STEP insn
	CASE	single-step
	mov	$stack, %esp
	pushf
	orl	$TF, (%esp)
	popf
	\insn
	inc	%ecx
	END
	.endm
	STEP	"inc %eax"
	STEP	"xor %eax, %eax"
	STEP	"jmp 1f; ud2; 1:"
	STEP	"call 1f; ud2; 1:"
	STEP	"push %eax"
	.irp	count, 0, 1, 2
	.irp	op, loop, loope, loopne, jecxz, loopw, loopew
	STEP	"mov $\count, %ecx; xor %edx, %edx; \op 1f; ud2; 1:"
	STEP	"mov $\count, %ecx; or $1, %edx; \op 1f; ud2; 1:"
	.endr
	.endr
	STEP	"pushf"
	STEP	"mov %ss, %eax; mov %ax, %ss; inc %edx"
	STEP	"push %ss"
	STEP	"fld1"
	STEP	"mov $5, %ecx; rep stosb"
	STEP	"cld"
	STEP	"popf"
	STEP	"lret"
	STEP	"int3"
	STEP	"ud2"
	STEP	"movl %eax, ro"
	STEP	"mov $0, %ecx"
	STEP	"bound %eax, ro"
	STEP	"loop 1f; 1:"
	CASE	single-step
	mov	$stack, %esp
	mov	%ss, %eax
	pushf
	orl	$TF, (%esp)
	mov	$5, %ecx
	popf
	rep stosb
	inc	%eax
	END
	CASE	single-step		/* MOV SS delays the trap */
	mov	$stack, %esp
	mov	%ss, %eax
	pushf
	orl	$TF, (%esp)
	popf
	mov	%ax, %ss
	inc	%ecx
	inc	%ecx
	END
	CASE	single-step		/* IRET that sets TF */
	mov	$stack, %esp
	push	$TF | 2
	push	%cs
	push	$1f
	iret
1:	inc	%eax
	inc	%eax
	END

/* -- prefixes and length -------------------------------------------------- */

	.irp	n, 1, 2, 3, 8, 11, 12, 13, 14, 15
	CASE	prefix
	.fill	\n, 1, 0x66
	inc	%eax
	END
	CASE	prefix
	.fill	\n, 1, 0x3e
	add	$0x12345678, %eax
	END
	CASE	prefix
	.fill	\n, 1, 0x67
	lea	0x1234(%bx, %si), %eax
	END
	.endr
	CASE	prefix			/* the last segment prefix counts */
	.byte	0x64, 0x3e
	mov	scratch, %eax
	END
	CASE	prefix
	.byte	0x3e, 0x64
	mov	0x10, %eax
	END
	CASE	prefix			/* the last of REP and REPNE counts */
	mov	$20, %ecx
	.byte	0xf2, 0xf3
	scasb
	END
	CASE	prefix
	mov	$20, %ecx
	.byte	0xf3, 0xf2
	scasb
	END
	.irp	op, 0x90, 0x40, 0x50, 0xa4, 0xab, 0x9c, 0x98, 0xc3, 0xf4, 0xcc, 0x9b
	CASE	prefix
	.byte	0xf0, \op
	END
	.endr

/* -- pages: what is written before a fault, and what is not ---------------- */

	.irp	d, 1, 2, 3, 4, 6, 8, 10, 12, 16, 20, 31, 32, 33
	CASE	page			/* pushes into the hole below */
	mov	$scratch + \d, %esp
	push	%eax
	push	%ecx
	push	%edx
	END
	CASE	page
	mov	$scratch + \d, %esp
	pusha
	END
	CASE	page
	mov	$scratch + \d, %esp
	pushaw
	END
	CASE	page
	mov	$scratch + \d, %esp
	call	1f
1:	lcall	$SEL_CODE, $2f
2:	END
	CASE	page
	mov	$scratch + \d, %esp
	mov	$scratch + 0x40, %ebp
	enter	$16, $3
	END
	CASE	page			/* pops up to the hole above */
	mov	$ro + 0x1000 - \d, %esp
	pop	%eax
	pop	%ecx
	pop	%edx
	END
	CASE	page
	mov	$ro + 0x1000 - \d, %esp
	popa
	END
	CASE	page
	mov	$ro + 0x1000 - \d, %esp
	popf
	END
	CASE	page
	mov	$ro + 0x1000 - \d, %esp
	popl	ro + 0x1000
	END
	CASE	page			/* strings stop at the border */
	mov	$top - \d, %edi
	mov	$17, %ecx
	cld
	rep stosl
	END
	CASE	page
	mov	$top - \d, %edi
	mov	$scratch + 0x321, %esi
	mov	$40, %ecx
	cld
	rep movsb
	END
	CASE	page
	mov	$ro + 0x1000 - \d, %esi
	mov	$scratch + 0x321, %edi
	mov	$40, %ecx
	cld
	rep movsw
	END
	CASE	page
	mov	$scratch + \d, %esi
	mov	$scratch + 0x321, %edi
	mov	$40, %ecx
	std
	rep movsl
	END
	CASE	page
	mov	$scratch + \d, %edi
	mov	$40, %ecx
	std
	rep stosw
	END
	CASE	page
	mov	$ro + 0x1000 - \d, %esi
	mov	$ro + 0x1000 - \d - 8, %edi
	mov	$40, %ecx
	cld
	repe cmpsb
	END
	CASE	page
	mov	$ro + 0x1000 - \d, %edi
	mov	$0x3f800000, %eax
	mov	$40, %ecx
	cld
	repe scasl
	END
	CASE	page, flags=C_FPU
	fnsave	top - \d * 3
	END
	CASE	page, flags=C_FPU
	fstpt	top - \d
	END
	CASE	page, flags=C_FPU
	fstpl	top - \d
	END
	CASE	page, flags=C_FPU
	fbstp	top - \d
	END
	CASE	page, flags=C_FPU
	fistpll	top - \d
	END
	CASE	page, flags=C_FPU
	fldt	ro + 0x1000 - \d
	END
	CASE	page, flags=C_FPU
	frstor	ro + 0x1000 - \d * 3
	END
	CASE	page			/* across the two good pages */
	mov	$mid - \d, %edi
	mov	$scratch + 0x321, %esi
	mov	$11, %ecx
	cld
	rep movsl
	add	%eax, mid - 3
	xchg	%edx, mid - 1
	lock addl %eax, mid - 2
	lock cmpxchg %ecx, mid - 1
	mov	$mid + 2, %esp
	push	%ebx
	END
	.endr
	.macro	ON_RO insn	/* every write to a read-only page */
	CASE	page, kinds=0x00010000, flags=C_FPU
	\insn
	END
	.endm
	ON_RO	"add %eax, ro"
	ON_RO	"addl $0, ro"
	ON_RO	"cmp %eax, ro"
	ON_RO	"incl ro"
	ON_RO	"notl ro"
	ON_RO	"shll $0, ro"
	ON_RO	"shll $3, ro"
	ON_RO	"mov $0, %cl; shll %cl, ro"
	ON_RO	"mov $32, %cl; sarl %cl, ro"
	ON_RO	"mov $0, %cl; shld %cl, %edx, ro"
	ON_RO	"rcll $2, ro"
	ON_RO	"xchg %eax, ro"
	ON_RO	"xadd %eax, ro"
	ON_RO	"cmpxchg %ecx, ro"
	ON_RO	"lock cmpxchg %ecx, ro"
	ON_RO	"cmpxchg8b ro"
	ON_RO	"bt %eax, ro + 0x800"
	ON_RO	"btsl $1, ro"
	ON_RO	"btrl $1, ro"
	ON_RO	"sete ro"
	ON_RO	"mov %ds, ro"
	ON_RO	"pushf; popl ro"
	ON_RO	"fstps ro"
	ON_RO	"fnstsw ro"
	ON_RO	"fnstcw ro"
	ON_RO	"fnstenv ro"
	ON_RO	"arpl %ax, ro"
	ON_RO	"mov $ro, %edi; stosl"
	ON_RO	"movl $1, top - 2"
	ON_RO	"incl top - 1"
	ON_RO	"mov $0x3f800000, %eax; cmpxchg %ecx, ro"
	ON_RO	"mov %eax, ro + 0x1000 - 2"
	ON_RO	"mov ro + 0x1000 - 2, %eax"
	ON_RO	"mov %eax, scratch - 2"
	ON_RO	"mov scratch - 2, %eax"
	ON_RO	"incl scratch - 2"
	ON_RO	"mov %eax, text"
	ON_RO	"jmp ro + 0x1000"
	ON_RO	"jmp scratch - 1"
	ON_RO	"jmp 0"

/* -- compare and exchange, when it does ------------------------------------ */

	.irp	w, 0, 0x120
	CASE	cmpxchg
	mov	scratch + \w, %eax
	cmpxchg	%ecx, scratch + \w
	END
	CASE	cmpxchg
	mov	scratch + \w, %al
	lock cmpxchg %ch, scratch + \w
	END
	CASE	cmpxchg
	mov	%edx, %eax
	cmpxchg	%ecx, %edx
	END
	CASE	cmpxchg
	cmpxchg	%ecx, %eax
	END
	CASE	cmpxchg
	cmpxchg	%al, %ah
	END
	.irp	lk, nop, lock
	CASE	cmpxchg
	mov	scratch + \w, %eax
	mov	scratch + \w + 4, %edx
	\lk
	cmpxchg8b scratch + \w
	END
	CASE	cmpxchg
	mov	scratch + \w, %eax
	\lk
	cmpxchg8b scratch + \w
	END
	CASE	cmpxchg
	mov	mid - 3, %eax
	mov	mid + 1, %edx
	\lk
	cmpxchg8b mid - 3
	END
	.endr
	CASE	cmpxchg
	.byte	0x0f, 0xc7, 0xc8	/* cmpxchg8b %eax */
	END
	.endr

/* -- strings -------------------------------------------------------------- */

	.irp	d, 1, 2, 3, 4, 5, 8, 15, 16, 64, -1, -2, -3, -4, -8
	.irp	op, movsb, movsw, movsl
	.irp	dir, cld, std
	CASE	string-overlap
	\dir
	mov	$mid + 5, %esi
	lea	\d(%esi), %edi
	mov	$100, %ecx
	rep \op
	END
	.endr
	.endr
	.endr
	.irp	op, movsb, movsw, movsl, stosb, stosw, stosl, lodsb, lodsw, lodsl
	.irp	n, 0, 1, 1000, 0x10000, 0xffffffff
	CASE	string-count
	cld
	mov	$scratch + 7, %esi
	mov	$scratch + 0x109, %edi
	mov	$\n, %ecx
	rep \op
	END
	CASE	string-count		/* CX counts */
	cld
	mov	$scratch + 7, %esi
	mov	$scratch + 0x109, %edi
	mov	$\n, %ecx
	addr16 rep \op
	END
	.endr
	.endr
	.irp	op, cmpsb, cmpsw, cmpsl, scasb, scasw, scasl
	.irp	rp, repe, repne
	.irp	n, 0, 1, 5, 1000
	CASE	string-count
	cld
	mov	$scratch + 0x300, %esi
	mov	$scratch + 0x500, %edi
	mov	$\n, %ecx
	\rp \op
	END
	CASE	string-count		/* equal memory, so it runs on */
	cld
	mov	$scratch + 0x300, %edi
	mov	$0x01010101, %eax
	mov	$0x100, %ecx
	rep stosl
	movb	$2, scratch + 0x6f3
	mov	$scratch + 0x300, %esi
	mov	$scratch + 0x304, %edi
	mov	$\n, %ecx
	\rp \op
	END
	.endr
	.endr
	.endr

/* -- segments of the LDT --------------------------------------------------- */

	.macro	WITH sel, insn
	CASE	limit
	mov	$\sel, %ebp
	mov	%ebp, %es
	\insn
	END
	.endm
	.irp	ofs, 0, 0x10, 0xffd, 0xffe, 0xfff, 0x1000, 0x1ff8, 0x1ffc, 0x1ffd, \
		0x1ffe, 0x1fff, 0x2000, 0xfffc, 0xfffe, 0xffff, 0x10000, -4, -2, -1
	.irp	sel, SEL_FS, DOWN, READ, EXEC, DOWN16
	WITH	\sel, "movb %es:\ofs, %al"
	WITH	\sel, "movw %es:\ofs, %ax"
	WITH	\sel, "movl %es:\ofs, %eax"
	WITH	\sel, "movl %eax, %es:\ofs"
	WITH	\sel, "addw %ax, %es:\ofs"
	WITH	\sel, "mov $\ofs, %edi; stosl"
	WITH	\sel, "mov $\ofs, %edi; mov $9, %ecx; std; rep stosw"
	.endr
	WITH	SEL_FS, "fldl %es:\ofs"
	WITH	SEL_FS, "fstpt %es:\ofs"
	WITH	SEL_FS, "cmpxchg8b %es:\ofs"
	WITH	SEL_FS, "les %es:\ofs, %ecx"
	.irp	sel, STACK16, SEL_FS, DOWN, DOWN16
	CASE	limit
	mov	$\sel, %eax
	mov	%ax, %ss
	mov	$\ofs, %esp
	push	%ebx
	pop	%ecx
	pusha
	END
	CASE	limit
	mov	$\sel, %eax
	mov	%ax, %ss
	mov	$\ofs, %ebp
	mov	$\ofs, %esp
	mov	(%ebp), %ecx
	mov	%edx, -4(%ebp)
	pop	%eax
	END
	.endr
	.endr
	CASE	limit			/* SP wraps, ESP's upper half stays */
	mov	$STACK16, %eax
	mov	%ax, %ss
	mov	$0xabcd0010, %esp
	push	%ebx
	push	%cx
	call	1f
1:	pop	%edx
	pop	%cx
	mov	$0x12340020, %ebp
	enter	$8, $2
	leave
	END
	CASE	limit
	mov	$STACK16, %eax
	mov	%ax, %ss
	mov	$0xabcd0002, %esp
	push	%ebx
	END
	CASE	limit
	mov	$SEL_DATA, %eax
	mov	%ax, %ds
	mov	$READ, %eax
	mov	%ax, %ds
	movl	$1, 0x10
	END
	CASE	limit
	mov	$EXEC, %eax
	mov	%ax, %fs
	END
	CASE	limit
	mov	$READ, %eax
	mov	%ax, %ss
	END
	.irp	sel, 0, 3, SEL_CODE, SEL_DATA, 0x18, 0x33, 0x40, 0x47, SEL_FS, DOWN, \
		READ, EXEC, ABSENT, CODE16, 0x1000, 0x87
	CASE	descriptor
	mov	$\sel, %eax
	lar	%eax, %ecx
	lsl	%eax, %edx
	END
	CASE	descriptor
	mov	$\sel, %eax
	lar	%ax, %cx
	lsl	%ax, %dx
	END
	CASE	descriptor
	mov	$\sel, %eax
	verr	%ax
	setz	%cl
	verw	%ax
	setz	%ch
	END
	.endr

/* -- code that writes code ------------------------------------------------ */

	CASE	self-modifying
	mov	$stack, %esp
	movl	$0xc34090, scratch	/* nop; inc %eax; ret */
	mov	$scratch, %ebx
	call	*%ebx
	movb	$0x48, scratch + 1	/* dec %eax */
	call	*%ebx
	movb	$0x41, scratch + 1
	call	*%ebx
	END
	CASE	self-modifying		/* a block that rewrites itself, ahead */
	mov	$stack, %esp
	mov	$1f, %esi
	mov	$scratch + 0x200, %edi
	mov	$2f - 1f, %ecx
	cld
	rep movsb
	mov	$scratch + 0x200, %ebx
	call	*%ebx
	call	*%ebx
	jmp	2f
1:	movb	$0x43, scratch + 0x200 + 3f - 1b
	nop
3:	nop
	incl	scratch + 0x200 + 4f - 1b + 1
4:	mov	$5, %edx
	ret
2:	END
	CASE	self-modifying		/* in a loop, across the page border */
	mov	$stack, %esp
	mov	$1f, %esi
	mov	$mid - 6, %edi
	mov	$2f - 1f, %ecx
	cld
	rep movsb
	mov	$mid - 6, %ebx
	xor	%eax, %eax
	mov	$30, %ecx
	call	*%ebx
	jmp	2f
1:	add	$1, %eax
	incb	mid - 6 + 2
	mov	%eax, mid + 0x40
	dec	%ecx
	jne	1b
	ret
2:	END
	CASE	self-modifying		/* by a string instruction over itself */
	mov	$stack, %esp
	mov	$1f, %esi
	mov	$scratch + 0x200, %edi
	mov	$2f - 1f, %ecx
	cld
	rep movsb
	mov	$scratch + 0x200, %ebx
	mov	$0x40, %al
	mov	$scratch + 0x203, %edi
	call	*%ebx
	jmp	2f
1:	stosb
	stosb
	stosb
	nop
	nop
	nop
	ret
2:	END

	CASE	self-modifying		/* the return address lands on the code */
	mov	$scratch + 0x122, %esp
	movl	$0xc39041, scratch + 0x11d
	call	scratch + 0x11d
	END
	CASE	self-modifying		/* a push over itself, first in a block */
	mov	$scratch + 0x121, %esp
	movl	$0x90c34152, scratch + 0x11d
	jmp	scratch + 0x11d
	END

/* -- which fault of an x87 image is first: #AC between its first word's limit
 * and the limit of the rest ----------------------------------------------- */

	.irp	ofs, -120, -108, -107, -106, -94, -30, -28, -27, -14, -13, -4, -3, -2, -1, 0
	.irp	op, fnstenv, fldenv, fnsave, frstor
	.irp	size, , 0x66
	CASE	x87-image-fault, flags=C_FPU, states=2
	pushf
	orl	$0x40000, (%esp)		/* AC */
	popf
	.ifnb	\size
	.byte	\size
	.endif
	\op	%fs:SCRATCH_BYTES + \ofs
	END
	.endr
	.endr
	.endr

/* -- x87 ------------------------------------------------------------------ */

	/* FIP and FDP are those of the last instruction that is no control one */
	.macro	POINTERS insn
	CASE	x87-pointers, kinds=0x11010001, flags=C_FPU
	fninit
	fldpi
	fld1
	\insn
	fnstenv	scratch + 0x100
	movw	$0, scratch + 0x110	/* FCS and FDS: zero on newer hosts */
	movl	$0, scratch + 0x118
	END
	.endm
	POINTERS	"fadd %st(1)"
	POINTERS	"flds scratch + 0x20"
	POINTERS	"fstps scratch + 0x20"
	POINTERS	"fldl scratch + 0x30; fnop"
	POINTERS	"fldl scratch + 0x30; fxch"
	POINTERS	"fldl scratch + 0x30; fnstcw scratch + 0x40"
	POINTERS	"fildl (%eax)"
	POINTERS	"fildl mid - 2"
	POINTERS	"fldt top - 4"
	POINTERS	"fstpl mid - 5"
	POINTERS	"flds %fs:0x20"
	POINTERS	"fsqrt; fnclex"
	POINTERS	"ffree %st(3)"
	POINTERS	"fincstp"
	POINTERS	"fwait"
	POINTERS	"fnstsw %ax"

	.macro	CONTROL word
	movw	$\word, scratch + 0x300
	fldcw	scratch + 0x300
	.endm
	CASE	x87-trap, flags=C_FPU	/* #MF comes at the next instruction */
	fninit
	fld1
	fldz
	CONTROL	0x37b
	fdivrp
	inc	%eax
	fnstsw	%ax
	inc	%eax
	fwait
	inc	%eax
	END
	CASE	x87-trap, flags=C_FPU
	fninit
	CONTROL	0x37a
	fldz
	fchs
	fsqrt
	fld1
	fldz
	fdivrp
	inc	%eax
	fnclex
	inc	%eax
	fld1
	fldl2e
	END
	CASE	x87-trap, flags=C_FPU	/* unmasking makes it pending */
	fninit
	fld1
	fldz
	fdivrp
	CONTROL	0x340
	inc	%eax
	fldz
	END
	CASE	x87-trap, flags=C_FPU	/* a masked-away store is not made */
	fninit
	CONTROL	0x340
	fldpi
	fistpl	scratch + 0x100
	inc	%eax
	fwait
	END
	CASE	x87-trap, flags=C_FPU	/* stack underflow, unmasked */
	fninit
	CONTROL	0x37e
	fstps	scratch + 0x100
	inc	%eax
	fwait
	END
	CASE	x87-trap, flags=C_FPU	/* #MF before #PF, and FNxx do not wait */
	fninit
	CONTROL	0x340
	fldz
	fsqrt
	fld1
	fldz
	fdivrp
	fnstcw	scratch + 0x200
	fnstsw	scratch + 0x202
	flds	ro + 0x1000
	END

	.macro	FXSAVE_CLEAN		/* what a processor may choose, or SSE */
	mov	$scratch + 0x200 + 160, %edi
	mov	$(512 - 160) / 4, %ecx
	xor	%eax, %eax
	cld
	rep stosl
	mov	$scratch + 0x200 + 8, %edi
	mov	$6, %ecx
	rep stosl
	mov	%ax, scratch + 0x206
	.endm
	CASE	fxsave, flags=C_FPU, states=24
	fxsave	scratch + 0x200
	FXSAVE_CLEAN
	END
	CASE	fxsave, flags=C_FPU, states=24
	fxsave	scratch + 0x200
	fninit
	fldpi
	fxrstor	scratch + 0x200
	FXSAVE_CLEAN
	END
	CASE	fxsave, flags=C_FPU, states=24	/* tags of an image of ours */
	fxsave	scratch + 0x200
	mov	%bl, scratch + 0x204
	mov	%cx, scratch + 0x202
	movw	$0x1234, scratch + 0x220 + 8
	fxrstor	scratch + 0x200
	FXSAVE_CLEAN
	END
	CASE	fxsave, flags=C_FPU
	fxsave	scratch + 0x208
	END
	CASE	fxsave, flags=C_FPU
	fxrstor	scratch + 0x204
	END
	CASE	fxsave, flags=C_FPU
	fxsave	scratch - 0x100
	END
	CASE	fxsave, flags=C_FPU
	fxsave	top - 0x100
	END
	CASE	fxsave, flags=C_FPU
	lock
	fxsave	scratch + 0x200
	END

	/* the same number through each control word */
	.irp	op, fcom, fucom, fld1, fldl2t, fldl2e, fldpi, fldlg2, fldln2, fldz, \
		fsqrt, frndint, fsin, fcos, fptan, fpatan, f2xm1, fyl2x, \
		fyl2xp1, fscale, fxtract, fprem, fprem1, fsincos, fxam, ftst
	CASE	x87-function, flags=C_FPU, states=200
	\op
	END
	.endr
	.irp	op, fadd, fsub, fsubr, fmul, fdiv, fdivr, fcomi, fucomi
	CASE	x87-arithmetic, flags=C_FPU, states=200
	\op	%st(1), %st
	END
	CASE	x87-arithmetic, flags=C_FPU | C_UNMASKED, states=200
	\op	%st(1), %st
	END
	.endr
	.irp	op, fstps, fstpl, fstpt, fistps, fistpl, fistpll, fbstp
	CASE	x87-convert, flags=C_FPU, states=200
	\op	scratch + 0x100
	END
	CASE	x87-convert, flags=C_FPU | C_UNMASKED, states=200
	\op	scratch + 0x100
	END
	.endr

/* -- copies ------------------------------------------------------------------- */

	/* from one place to another near it, or as near in another page, with or without overlap */
	.irp	d, 1, 4, 8, 31, 32, 33, 60, 63, 64, 65, 96, -4, -33, -64, 0xf04, 0x1004, 0x103f
	.irp	n, 7, 31, 32, 33, 63, 64, 65, 95, 96, 97, 128, 150
	CASE	copy, states=2
	mov	$scratch + 0x200, %esi
	lea	\d(%esi), %edi
	mov	$\n, %ecx
	cld
	rep movsb
	END
	CASE	copy, states=2
	mov	$scratch + 0x203, %esi
	lea	\d(%esi), %edi
	mov	$\n, %ecx
	cld
	rep movsl
	END
	.endr
	.endr

/* -- flags behind a jump, where a product or a quotient is next ------------------- */

	/* What those leave of the flags is seen; so is what a division by 0 shows. */
	.macro	PRODUCT make
	.irp	next, "imul $77, %ebp, %ebx", "imul %ebp, %ebx", "imulw $5, (%esi), %bx", \
		"mul %ecx", "imulb %cl", "mull scratch", "xor %ecx, %ecx; div %ecx", \
		"mul %ebx; idiv %ecx", "mov %edi, %eax; idivb %cl", "bt %eax, %ebp", \
		"btsl %eax, scratch", "btc $7, %edx", "bt $3, %edx; jc 2f; imul %edx, %edx"
	.irp	read, "pushf; pop %eax", "setp %cl", "mov $0, %ecx; add %eax, %eax; div %ecx"
	CASE	flags-product, kinds=0x11010000, flags=C_FPU, states=3
	mov	$stack, %esp
	mov	$scratch, %esi
	mov	$0, %ecx
	\make
	js	1f
	jns	1f
	ud2
1:	\next
	\read
2:	END
	.endr
	.endr
	.endm
	PRODUCT "cmp %ebp, %ebx"
	PRODUCT "cmp %eax, %edx"
	PRODUCT "add %edx, %eax"
	PRODUCT "xor %ebx, %ebx"
	PRODUCT "dec %edx"

/* -- CF behind INC and DEC of a part ---------------------------------------- */

	/* of what CF came from: the part wraps, the whole does not */
	.macro	PART start, change, whole
	.irp	make, "cmp $8, \whole", "cmp %dx, %ax", "cmp %eax, %ebp", "sub $8, \whole", \
		"add %ebp, %eax", "test %eax, %eax"
	.irp	read, "setc %dl", "adc %ebp, %edx", "pushf; pop %edx", "fld1; fstps scratch", \
		"jc 1f; inc %edi", "inc %edi; setc %dl"
	CASE	carry-part, kinds=0x11010000, flags=C_FPU, states=4
	mov	$stack, %esp
	\start
	\make
	\change
	\read
1:	END
	.endr
	.endr
	.endm
	PART "mov $0, %al", "dec %al", "%ax"
	PART "mov $0, %al", "dec %al", "%eax"
	PART "mov $-1, %al", "inc %al", "%eax"
	PART "mov $0, %ax", "dec %ax", "%eax"
	PART "mov $-1, %ax", "inc %ax", "%eax"

/* -- flags behind a return ------------------------------------------------- */

	/* at a return, to code that reads them when the registers that made them have changed */
	.macro	RETURNED make
	.irp	read, "pushf; pop %eax", "adc %ebx, %ecx", "sbbl $3, scratch", "setl scratch + 1", \
		"cmovbe scratch, %edx", "cmovs %ecx, %edx", "lahf", "rcll scratch", "rcr $3, %edx", \
		"jb 2f; inc %edi", "jo 2f; inc %edi", "inc %edi; jc 2f; dec %edi", \
		"rol $3, %edx; jz 2f; inc %edi", "shl %cl, %edx", "mov 0xe0000000, %edx", "cmc", \
		"fcmovb %st(1), %st", "cmpxchg8b scratch", "call 3f; setb %cl", "div %ecx", "into", \
		"cmp %esi, %edi; ja 2f; inc %edi", "rep cmpsb", "daa", "bsf %edx, %edi; setc %dl"
	CASE	flags-returned, kinds=0x11010000, flags=C_FPU, states=6
	mov	$stack, %esp
	call	1f
	mov	%edi, %ebx
	lea	5(%eax), %ebp
	mov	$0, %ecx
	\read
	jmp	2f
1:	\make
	ret
3:	mov	$1, %ebp
	ret
2:	END
	.endr
	.endm
	RETURNED "cmp %ebp, %ebx"
	RETURNED "cmpw $-5, %bp"
	RETURNED "cmpb %bl, %cl"
	RETURNED "add %ebp, %ebx"
	RETURNED "subb $5, %bl"
	RETURNED "test %ebp, %ebx"
	RETURNED "xor %ebx, %ebx"
	RETURNED "sub scratch, %ebp; mov $3, %ebp"
	RETURNED "shl $3, %ebx"
	RETURNED "imul $77, %ebp, %ebx"
	RETURNED "imul %ebp, %ebx; mov (%esi), %edx"
	RETURNED "cmp %ebp, %ebx; inc %ebp; lea (%ebx, %ebx), %ebx"
	RETURNED "cmp %ebx, %ebp; inc %ebx"
	RETURNED "sub $8, %esp; push %ebx; pop %ecx; add $8, %esp"
	RETURNED "push %ebx; add $4, %esp; pop %ecx; lea -4(%esp), %esp"

	.set	total, ncases
blob_end:
