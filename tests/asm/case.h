/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The comparison of the emulator with the real processor: what its parts
 * share. One runner executes a blob of cases (little pieces of code, each with
 * a recipe for its initial states) in ring 3, and prints a hash of the
 * machine's state after each. It is linked twice: with linux.c as a process of
 * the host, with guest.c as a multiboot kernel. Everything that a case can see
 * (addresses, selectors, descriptors, page protections) is the same in both.
 *
 *   start.c   the initial states of cases
 *   forms.c   every instruction, in the manual's notation
 *   rows.c    the same from the decode tables of src/i386
 *   gen.c     makes blobs: each form alone ("directed"), with many operands ("values")
 *   random.c  and random programs
 *   special.S a blob written by hand: what needs more than one instruction
 *   run       builds, runs both sides, compares, explains, shrinks
 */
#ifndef TESTS_ASM_CASE_H
#define TESTS_ASM_CASE_H

/*
 * Linear addresses. The page below SCRATCH and the page after RO are holes; no
 * change of one or two bits leads from there to the runner's own memory.
 */
#define SCRATCH		0x01551000	/* two pages: read, write, execute */
#define SCRATCH_BYTES	0x2000
#define RO		0x01553000	/* one page: read only */
#define TEXT		0x02b6a000	/* no number that cases stumble over */
#define DATA		0x02b7a000
#define BLOB		0x10000000	/* read and execute */

/* Selectors, as Linux lays them out for a 32-bit process. */
#define SEL_CODE	0x23
#define SEL_DATA	0x2b
#define SEL_LDT(n)	((n) * 8 + 7)
#define SEL_FS		SEL_LDT(0)

/*
 * The LDT: base, limit, seg_32bit, contents (0 data, 1 expand-down, 2 code),
 * read_exec_only, limit_in_pages, seg_not_present.
 */
#define LDT_ENTRIES(_)							\
	_(SCRATCH, SCRATCH_BYTES - 1, 1, 0, 0, 0, 0)	/* FS */	\
	_(BLOB, 0x1fff, 0, 2, 0, 1, 0)		/* 16-bit code */	\
	_(SCRATCH, 0xfff, 1, 1, 0, 0, 0)	/* expand-down */	\
	_(SCRATCH, SCRATCH_BYTES - 1, 1, 0, 1, 0, 0)	/* read only */	\
	_(0, 0xfffff, 1, 2, 1, 1, 0)		/* execute only */	\
	_(SCRATCH, SCRATCH_BYTES - 1, 1, 0, 0, 0, 1)	/* absent */	\
	_(SCRATCH, SCRATCH_BYTES - 1, 0, 0, 0, 0, 0)	/* 16-bit stack */ \
	_(SCRATCH, 0xfff, 0, 1, 0, 0, 0)	/* 16-bit expand-down */
#define LDT_COUNT	8

/* How a register is filled: one of these in each nibble of case.kinds. */
#define K_VALUE		0	/* an edge value, or random */
#define K_PTR		1	/* points into the scratch pages */
#define K_SMALL		2	/* 0..63 */
#define K_OFS		3	/* an offset in the scratch pages */
#define K_OFS16		4	/* with a random upper half */

/* case.flags */
#define C_DF		1	/* the direction flag is random, else clear */
#define C_FPU		2	/* a random x87 state, all exceptions masked */
#define C_UNMASKED	4	/* and in one state of four unmasked ones */
#define C_CODE16	8	/* runs in the 16-bit code segment */
#define C_WRAP		16	/* operands may wrap at 4 GB, see runner.c */
#define C_SSE		32	/* random XMM registers and MXCSR; with
				 * C_UNMASKED as there */
#define C_PAIRS		64	/* floating point operands (ST(0), ST(1); XMM0,
				 * XMM1) and modes from a grid, see runner.c */
#define C_COUNT		128	/* CL, MM1 and XMM1 hold 0 to 255 in turn */

#define TRAP_NONE	0x100	/* frame.trap after a jump to TEXT */

#define BLOB_MAGIC	0x31414d53
#define NAME_BYTES	20

#ifndef __ASSEMBLER__
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

struct blob {
	u32 magic;
	u32 first;		/* the cases to run: from first */
	u32 end;		/* up to end, not included */
	u32 verbose;		/* print states, not hashes */
	u32 bytes;		/* of the whole blob */
};

/* Followed by the code, which ends in int3 or a jump to TEXT; then the next case, unaligned. */
struct test_case {
	u32 bytes;		/* of this header and the code */
	u32 nstates;		/* how often to run it */
	u32 first_state;	/* the number of the first of them */
	u32 seed;		/* of its states */
	u32 kinds;		/* EAX in the lowest nibble */
	u32 flags;
	u32 insns;		/* how many instructions it has; 0 unknown */
	char name[NAME_BYTES];	/* "chapter/name", zero padded */
};

/* What a fault leaves on the stack: Linux's 32-bit sigcontext, and guest.S. */
struct frame {
	u32 gs, fs, es, ds;
	u32 edi, esi, ebp, esp_kernel, ebx, edx, ecx, eax;
	u32 trap, err, eip, cs, eflags, esp, ss;
};

struct start {			/* enter.S knows the offsets */
	u32 gpr[8];		/* EAX ECX EDX EBX ESP EBP ESI EDI */
	u32 eflags;
	u32 eip, cs;
	u8 fpu[108];
	u32 mxcsr;
	u32 xmm[8][4];
};

/* start.c: what the scratch pages hold at first; fills them; fills start for
 * state nth of a case. */
#define SCRATCH_WORDS	(SCRATCH_BYTES / 4)
extern u32 template[SCRATCH_WORDS];
void template_fill(void);
void fill_start(const struct test_case *c, u32 nth);

/* runner.c */
void runner(void);
/* Called with every trap of the running case: notes it, and redirects. */
void runner_trap(struct frame *f, u32 cr2);

/* Tells where, and ends the program. */
void runner_hangs(const struct frame *f);

/* enter.S: runs the case described by start; leaves the x87 state in fpu_out,
 * MXCSR and the XMM registers in sse_out. */
extern struct start start;
extern struct frame out;
extern u8 fpu_out[108];
extern u32 sse_out[1 + 8 * 4];
void enter(void);
extern u32 runner_esp;		/* while a case runs */
extern u8 runner_stack[];	/* its upper end */
void enter_resume(void);

/* The system calls of a runner: Linux's, by int 0x80, in both worlds. */
static inline int syscall5(int n, u32 a, u32 b, u32 c, u32 d, u32 e)
{
	int ret;

	__asm__ volatile("int $0x80" : "=a"(ret)
			 : "a"(n), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e)
			 : "memory");
	return ret;
}

static inline int syscall3(int n, u32 a, u32 b, u32 c)
{
	return syscall5(n, a, b, c, 0, 0);
}
#define SYS_EXIT	1
#define SYS_WRITE	4
#endif
#endif
