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

/* -- faults of the switch: the old task's ------------------------------------------ */
static u16 target;

static void call_target(void *p)
{
	struct { u32 eip; u16 sel; } __attribute__((packed)) to = { 0, target };

	(void)p;
	__asm__ volatile("lcall *%0" :: "m"(to) : "memory");
}

static void user_call_task(void) { call_target(0); }

static void nested_return(void *p)
{
	tss.link = (u16)(u32)p;
	__asm__ volatile("pushf; orl $0x4000, (%%esp); popf; iret" ::: "memory", "cc");
}

static void old_faults(void)
{
	static const struct { const char *name; u16 target; int vector; u32 error; } calls[] = {
		{ "call-null", 0, GP, 0 }, { "call-ldt", 0x4c, GP, 0x4c },
		{ "call-beyond", 0x7f8, GP, 0x7f8 }, { "call-data", 0x10, GP, 0x10 },
		{ "call-gate-absent", 0x58, NP, 0x58 }, { "call-gate-no-tss", 0x60, GP, 0x10 },
	}, returns[] = {
		{ "iret-null", 0, TS, 0 }, { "iret-ldt", 0x4c, TS, 0x4c },
		{ "iret-beyond", 0x7f8, TS, 0x7f8 }, { "iret-data", 0x10, TS, 0x10 },
		{ "iret-not-busy", SEL_TSS2, TS, SEL_TSS2 },
	};

	prepare(task2);
	gdt[0x58 / 8] = gate(SEL_TSS2, 0, 0x65, 0);
	gdt[0x60 / 8] = gate(0x10, 0, 0xe5, 0);
	for (u32 i = 0; i < N_ELEM(calls); i++) {
		target = calls[i].target;
		CHECK_EQ(calls[i].name, trap_try(call_target, 0), calls[i].vector);
		CHECK_EQ(calls[i].name, trap_last.error, calls[i].error);
	}
	target = SEL_TSS2;
	CHECK_EQ("call-user", user_try(user_call_task), GP);
	CHECK_EQ("call-user-error", trap_last.error, SEL_TSS2);
	for (u32 i = 0; i < N_ELEM(returns); i++) {
		CHECK_EQ(returns[i].name, trap_try(nested_return, (void *)(u32)returns[i].target),
			 returns[i].vector);
		CHECK_EQ(returns[i].name, trap_last.error, returns[i].error);
	}
	tss.link = 0;
}

/* -- ... the new task's: it runs in ring 3, its handlers on its ring 0 stack ----------- */
static u8 stack3[4096] __attribute__((aligned(16)));

/* The first task again, whatever was left. */
static void back_home(void)
{
	gdt[SEL_TSS / 8] = descriptor((u32)&tss, sizeof(tss) - 1, AVAILABLE, 0);
	__asm__ volatile("ltr %w0; lldt %w1; clts" :: "r"(SEL_TSS), "r"(0));
}

static void new_faults(void)
{
	static const struct { const char *name; u16 ldt, cs, ss, ds, fs, trap; int vector; u32 error; } rows[] = {
		{ "new-ldt-data", 0x10, 0x1b, 0x23, 0x23, 0, 0, TS, 0x10 },
		{ "new-ldt-in-ldt", 0x0c, 0x1b, 0x23, 0x23, 0, 0, TS, 0x0c },
		{ "new-cs-null", 0, 3, 0x23, 0x23, 0, 0, TS, 0 },
		{ "new-cs-data", 0, 0x23, 0x23, 0x23, 0, 0, TS, 0x20 },
		{ "new-cs-dpl", 0, 0x0b, 0x23, 0x23, 0, 0, TS, 0x08 },
		{ "new-cs-absent", 0, 0x63, 0x23, 0x23, 0, 0, NP, 0x60 },
		{ "new-ss-null", 0, 0x1b, 3, 0x23, 0, 0, TS, 0 },
		{ "new-ss-dpl", 0, 0x1b, 0x13, 0x23, 0, 0, TS, 0x10 },
		{ "new-ss-rpl", 0, 0x1b, 0x20, 0x23, 0, 0, TS, 0x20 },
		{ "new-ss-code", 0, 0x1b, 0x1b, 0x23, 0, 0, TS, 0x18 },
		{ "new-ss-absent", 0, 0x1b, 0x6b, 0x23, 0, 0, 12, 0x68 },
		{ "new-ds-dpl", 0, 0x1b, 0x23, 0x10, 0, 0, TS, 0x10 },
		{ "new-ds-tss", 0, 0x1b, 0x23, 0x28, 0, 0, TS, 0x28 },
		{ "new-fs-absent", 0, 0x1b, 0x23, 0x23, 0x6b, 0, NP, 0x68 },
		{ "new-fs-beyond", 0, 0x1b, 0x23, 0x23, 0x7fb, 0, TS, 0x7f8 },
		{ "new-eip", 0, 0x73, 0x23, 0x23, 0, 0, GP, 0 },
		{ "new-trap", 0, 0x1b, 0x23, 0x23, 0, 1, 1, 0 },
	};

	gdt[0x60 / 8] = descriptor(0, 0xfffff, 0x7b, 0xc);      /* code, not present  */
	gdt[0x68 / 8] = descriptor(0, 0xfffff, 0x73, 0xc);      /* data, not present  */
	gdt[0x70 / 8] = descriptor(0, 0xfff, 0xfb, 4);          /* code of 4 KB       */
	for (u32 i = 0; i < N_ELEM(rows); i++) {
		int v;

		prepare(task2);
		tss2.ss0 = 0x10;
		tss2.esp0 = (u32)(stack3 + sizeof(stack3));
		tss2.ldt = rows[i].ldt;
		tss2.cs = rows[i].cs;
		tss2.ss = rows[i].ss;
		tss2.ds = tss2.es = rows[i].ds;
		tss2.fs = tss2.gs = rows[i].fs;
		tss2.trap = rows[i].trap;
		v = trap_try(call_task, 0);
		CHECK_EQ(rows[i].name, v, rows[i].vector);
		CHECK_EQ(rows[i].name, trap_last.error, rows[i].error);
		CHECK_EQ(rows[i].name, trap_last.eip, (u32)task2);
		CHECK_EQ("new-is-busy", access_of(SEL_TSS2), BUSY);
		CHECK_EQ("new-link", tss2.link, SEL_TSS);
		back_home();
	}
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
	old_faults();
	new_faults();
	double_fault();
}
