/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hardware task switches: JMP, CALL and IRET, a task gate for the double
 * fault, busy bits, NT and the back link, checks of the new TSS. SDM 3A
 * chapter 8 (task management). */
#include "guest.h"

enum { SEL_TSS2 = 0x48, SEL_GATE = 0x50 };
enum { DF = 8, TS = 10, NP = 11, GP = 13, AVAILABLE = 0x89, BUSY = 0x8b };

static struct tss tss2;
static u8 stack2[4096] __attribute__((aligned(16)));
volatile u32 seen_eax, seen_tr, seen_flags, rounds;

/* The other task notes what it got, gives EAX back and returns; IRET goes on
 * behind itself the next time. */
void task2(void);
__asm__(
	"	.text\n"
	"task2:	mov %eax, seen_eax\n"
	"	str %eax\n"
	"	mov %eax, seen_tr\n"
	"	pushf\n"
	"	pop seen_flags\n"
	"	incl rounds\n"
	"	mov $0x66778899, %eax\n"
	"	iret\n"
	"	jmp task2\n"
	"task2_jmp:\n"
	"	incl rounds\n"
	"	ljmp $0x28, $0\n"
	"	jmp task2_jmp\n"
	"task2_fault:\n"
	"	mov (%esp), %eax\n"
	"	mov %eax, seen_eax\n"
	"	str %eax\n"
	"	mov %eax, seen_tr\n"
	"	addl $2, tss + 32\n"		/* its EIP: behind the UD2 */
	"	iret\n"
);
void task2_jmp(void);
void task2_fault(void);

static u8 access_of(u16 sel) { return gdt[sel / 8] >> 40; }

static void prepare(void (*entry)(void))
{
	memset(&tss2, 0, sizeof(tss2));
	tss2.eip = (u32)entry;
	tss2.esp = (u32)(stack2 + sizeof(stack2));
	tss2.eflags = 2;
	tss2.eax = 0x11223344;
	tss2.cs = 0x08;
	tss2.ds = tss2.es = tss2.ss = tss2.fs = tss2.gs = 0x10;
	tss2.cr3 = get_cr3();
	tss2.io_base = sizeof(tss2);
	gdt[SEL_TSS2 / 8] = descriptor((u32)&tss2, sizeof(tss2) - 1, AVAILABLE, 0);
	gdt[SEL_GATE / 8] = gate(SEL_TSS2, 0, 0xe5, 0);
	barrier();
}

static void call_task(void *p)
{
	(void)p;
	__asm__ volatile("lcall %0, $0" :: "i"(SEL_TSS2) : "memory");
}

static void jump_task(void *p)
{
	(void)p;
	__asm__ volatile("ljmp %0, $0" :: "i"(SEL_TSS2) : "memory");
}

static void call_task_gate(void)
{
	__asm__ volatile("lcall %0, $0" :: "i"(SEL_GATE) : "memory");
}

static void calls(void)
{
	u32 kept;

	prepare(task2);
	__asm__ volatile("mov $0x5555, %%ebx; lcall %1, $0; mov %%ebx, %0"
			 : "=r"(kept) : "i"(SEL_TSS2) : "ebx", "memory");
	CHECK_EQ("call", rounds, 1);
	CHECK_EQ("call-registers", seen_eax, 0x11223344);
	CHECK_EQ("call-tr", seen_tr, SEL_TSS2);
	CHECK_EQ("call-nt", seen_flags & 0x4000, 0x4000);
	CHECK_EQ("call-link", tss2.link, SEL_TSS);
	CHECK_EQ("return-keeps-ebx", kept, 0x5555);
	CHECK_EQ("return-frees-it", access_of(SEL_TSS2), AVAILABLE);
	CHECK_EQ("first-still-busy", access_of(SEL_TSS), BUSY);
	CHECK_EQ("saved-eax", tss2.eax, 0x66778899);
	CHECK_EQ("nt-is-off-here", get_flags() & 0x4000, 0);
	call_task(0);                         /* goes on behind its IRET     */
	CHECK_EQ("call-again", rounds, 2);
	CHECK_EQ("call-again-eax", seen_eax, 0x66778899);
	CHECK_EQ("ts-set", get_cr0() & 8, 8);
	__asm__ volatile("clts");
	CHECK_EQ("user-by-gate", user_try(call_task_gate), 0x30);
	CHECK_EQ("user-by-gate-round", rounds, 3);
	CHECK_EQ("user-by-gate-cs", trap_last.cs, 0x1b);
	__asm__ volatile("clts");
}

static void jumps(void)
{
	prepare(task2_jmp);
	rounds = 0;
	jump_task(0);
	CHECK_EQ("jump-and-back", rounds, 1);
	jump_task(0);
	CHECK_EQ("jump-again", rounds, 2);
	CHECK_EQ("jump-frees", access_of(SEL_TSS2), AVAILABLE);
	CHECK_EQ("jump-busy-again", access_of(SEL_TSS), BUSY);
	__asm__ volatile("clts");
}

static void checks(void)
{
	prepare(task2);
	gdt[SEL_TSS2 / 8] = descriptor((u32)&tss2, sizeof(tss2) - 1, BUSY, 0);
	CHECK_EQ("busy", trap_try(call_task, 0), GP);
	CHECK_EQ("busy-error", trap_last.error, SEL_TSS2);
	gdt[SEL_TSS2 / 8] = descriptor((u32)&tss2, sizeof(tss2) - 1, 0x09, 0);
	CHECK_EQ("absent", trap_try(call_task, 0), NP);
	CHECK_EQ("absent-error", trap_last.error, SEL_TSS2);
	gdt[SEL_TSS2 / 8] = descriptor((u32)&tss2, 0x66, AVAILABLE, 0);
	CHECK_EQ("short", trap_try(call_task, 0), TS);
	CHECK_EQ("short-error", trap_last.error, SEL_TSS2);
}

/* A double fault that a task takes, though the stack is gone: the reason why
 * kernels use a task for it. */
static void double_fault(void)
{
	u64 save = idt[DF], save_ud = idt[6], save_np = idt[NP];

	prepare(task2_fault);
	idt[DF] = gate(SEL_TSS2, 0, 0x85, 0);
	idt[6] = gate(0x08, 0, 0x0e, 0);      /* #UD cannot be delivered     */
	idt[NP] = 0;                          /* neither can that            */
	seen_tr = 0;
	__asm__ volatile("ud2" ::: "memory"); /* the task skips it           */
	idt[DF] = save;
	idt[6] = save_ud;
	idt[NP] = save_np;
	CHECK_EQ("double-fault-task", seen_tr, SEL_TSS2);
	CHECK_EQ("double-fault-error", seen_eax, 0);
	__asm__ volatile("clts");
}

void guest_main(void)
{
	calls();
	jumps();
	checks();
	double_fault();
}
