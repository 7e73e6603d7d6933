/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Far transfers and what they find: gates to the same ring, 16-bit gates and
 * calls, IDT entries and task gates that lead nowhere, new tasks whose state
 * cannot be loaded. SDM 3A 5.8, 6.12, 6.15, 7.3 (task management), 2A CALL, JMP. */
#include "guest.h"

enum { TS = 10, NP = 11, SS = 12, GP = 13 };
enum { SEL_GATE = 0x48, SEL_NEAR = 0x50, SEL_CONF = 0x58, SEL_TSS2 = 0x60, SEL_LDT = 0x68,
       SEL_ABSENT = 0x70, SEL_TASK_GATE = 0x78, SEL_HOLE = 0x80, VECTOR = 0x40 };

volatile u32 seen_cs, seen_depth, esp_before;

/* Each notes CS and how much was pushed, and goes back to the label that the
 * caller left in EBX. */
void far_entry(void);
void far_entry_end(void);
__asm__(
	"	.text\n"
	"far_entry:\n"
	"	mov %cs, %eax\n	mov %eax, seen_cs\n"
	"	mov esp_before, %eax\n	sub %esp, %eax\n	mov %eax, seen_depth\n"
	"	mov esp_before, %esp\n"
	"	push $0x08\n	push %ebx\n	lret\n"
);

#define GO(name, text) static void name(void *p)                            \
	{ (void)p; __asm__ volatile("push %%ebp; mov %%esp, esp_before; mov $1f, %%ebx\n" \
				    text "\n1: pop %%ebp" \
				    :: "i"(SEL_GATE), "i"(SEL_NEAR) : "eax", "ebx", "memory"); }
GO(jump_gate, "ljmp %0, $0")
GO(call_gate, "lcall %0, $0")
GO(call_16, "lcallw %1, $0")
GO(jump_16, "ljmpw %1, $0")
GO(jump_near, "ljmp %1, $0")

static void go(const char *name, void (*fn)(void *), u32 cs, u32 depth)
{
	seen_cs = seen_depth = 0xdead;
	CHECK_EQ(name, trap_try(fn, 0), -1);
	CHECK_EQ(name, seen_cs, cs);
	CHECK_EQ(name, seen_depth, depth);
}

static void user_jump_gate(void) { __asm__ volatile("ljmp %0, $0" :: "i"(SEL_GATE | 3)); }

static void gates(void)
{
	u32 here = (u32)far_entry;

	gdt[SEL_NEAR / 8] = descriptor(here, 0xfffff, 0x9b, 0xc);
	gdt[SEL_CONF / 8] = descriptor(0, 0xfffff, 0x9f, 0xc);
	gdt[SEL_GATE / 8] = gate(0x08, here, 0x8c, 0);
	go("jump-gate", jump_gate, 0x08, 0);
	go("call-gate-same-ring", call_gate, 0x08, 8);
	gdt[SEL_GATE / 8] = gate(SEL_CONF, here, 0x8c, 0);
	go("jump-gate-conforming", jump_gate, SEL_CONF, 0);
	gdt[SEL_GATE / 8] = gate(SEL_NEAR, 0, 0x84, 0);
	go("jump-gate-16", jump_gate, SEL_NEAR, 0);
	go("call-gate-16", call_gate, SEL_NEAR, 4);
	gdt[SEL_GATE / 8] = gate(SEL_NEAR, 0x12340000, 0x84, 0);
	if (!upstream_lacks("call-gate-16-offset"))
		go("call-gate-16-offset", call_gate, SEL_NEAR, 4);
	go("call-16", call_16, SEL_NEAR, 4);
	go("jump-16", jump_16, SEL_NEAR, 0);
	go("jump-near", jump_near, SEL_NEAR, 0);
	gdt[SEL_GATE / 8] = gate(0x08, here, 0xec, 0);
	CHECK_EQ("jump-gate-inwards", user_try(user_jump_gate), GP);
	CHECK_EQ("jump-gate-inwards-error", trap_last.error, 0x08);
	gdt[SEL_GATE / 8] = gate(0x08, here, 0x0c, 0);
	CHECK_EQ("jump-gate-absent", trap_try(jump_gate, 0), NP);
	gdt[SEL_GATE / 8] = gate(SEL_ABSENT, here, 0x8c, 0);
	gdt[SEL_ABSENT / 8] = descriptor(0, 0xfffff, 0x1b, 0xc);
	if (!upstream_lacks("gate-code-absent")) {
		CHECK_EQ("gate-code-absent", trap_try(jump_gate, 0), NP);
		CHECK_EQ("gate-code-absent-error", trap_last.error, SEL_ABSENT);
	}
	gdt[SEL_GATE / 8] = gate(0x1f8, here, 0x8c, 0);
	gdt[0x1f8 / 8] = 0;
	CHECK_EQ("gate-code-hole", trap_try(jump_gate, 0), GP);
	CHECK_EQ("gate-code-hole-error", trap_last.error, 0x1f8);
}

/* -- IDT entries ------------------------------------------------------------------ */

static void do_int(void *p)
{
	(void)p;
	__asm__ volatile("int %0" :: "i"(VECTOR) : "memory");
}

static void entry(const char *name, u64 what, int vector, u32 error)
{
	u64 save = idt[VECTOR];

	idt[VECTOR] = what;
	CHECK_EQ(name, trap_try(do_int, 0), vector);
	CHECK_EQ(name, trap_last.error, error);
	idt[VECTOR] = save;
}

static void idt_entries(void)
{
	u32 here = (u32)far_entry, self = VECTOR * 8 + 2;

	entry("idt-empty", 0, GP, self);
	entry("idt-call-gate", gate(0x08, here, 0x8c, 0), GP, self);
	entry("idt-absent", gate(0x08, here, 0x0e, 0), NP, self);
	entry("idt-null", gate(0, here, 0x8e, 0), GP, 0);
	entry("idt-beyond", gate(0x7ff8, here, 0x8e, 0), GP, 0x7ff8);
	entry("idt-data", gate(0x10, here, 0x8e, 0), GP, 0x10);
	entry("idt-code-absent", gate(SEL_ABSENT, here, 0x8e, 0), NP, SEL_ABSENT);
	entry("idt-16", gate(SEL_ABSENT, here, 0x86, 0), NP, SEL_ABSENT);
	if (!upstream_lacks("idt-task-local"))
		entry("idt-task-local", gate(SEL_TSS2 | 4, 0, 0x85, 0), GP,
		      SEL_TSS2 | 4);
	entry("idt-task-beyond", gate(0x7ff8, 0, 0x85, 0), GP, 0x7ff8);
	entry("idt-task-data", gate(0x10, 0, 0x85, 0), GP, 0x10);
	gdt[SEL_TSS2 / 8] = descriptor((u32)&tss, 103, 0x09, 0);
	entry("idt-task-absent", gate(SEL_TSS2, 0, 0x85, 0), NP, SEL_TSS2);
}

/* -- tasks ------------------------------------------------------------------------- */

static struct tss tss2;
static u8 stack2[4096] __attribute__((aligned(16)));
static u64 ldt[4];

static void jump_task(void *p)
{
	(void)p;
	__asm__ volatile("ljmp %0, $0" :: "i"(SEL_TSS2) : "memory");
}

static void jump_task_gate(void *p)
{
	(void)p;
	__asm__ volatile("ljmp %0, $0" :: "i"(SEL_TASK_GATE) : "memory");
}

/* The task at work: INT 40h says that it runs. */
void task_entry(void);
__asm__("	.text\ntask_entry: int $0x40\n");

static void prepare(void)
{
	memset(&tss2, 0, sizeof(tss2));
	tss2.eip = (u32)task_entry;
	tss2.esp = tss2.esp0 = (u32)(stack2 + sizeof(stack2));
	tss2.ss0 = 0x10;
	tss2.eflags = 2;
	tss2.cs = 0x08;
	tss2.ds = tss2.es = tss2.ss = tss2.fs = tss2.gs = 0x10;
	tss2.cr3 = get_cr3();
	tss2.io_base = sizeof(tss2);
	gdt[SEL_TSS2 / 8] = descriptor((u32)&tss2, sizeof(tss2) - 1, 0x89, 0);
	gdt[SEL_LDT / 8] = descriptor((u32)ldt, sizeof(ldt) - 1, 0x82, 0);
	ldt[0] = descriptor(0, 0xfffff, 0x93, 0xc);
	barrier();
}

/* Back to the first task, whatever has become of the other. */
static void first_task(void)
{
	gdt[SEL_TSS / 8] = descriptor((u32)&tss, sizeof(tss) - 1, 0x89, 0);
	__asm__ volatile("ltr %w0; lldt %w1; clts" :: "r"(SEL_TSS), "r"(0) : "memory");
}

static void task(const char *name, int vector, u32 error)
{
	barrier();
	CHECK_EQ(name, trap_try(jump_task, 0), vector);
	CHECK_EQ(name, trap_last.error, error);
	first_task();
}

/* In ring 3: then a handler's stack does not depend on what was loaded. */
static void prepare_user(void)
{
	prepare();
	tss2.cs = 0x1b;
	tss2.ds = tss2.es = tss2.ss = tss2.fs = tss2.gs = 0x23;
}

static void local_segments(void)
{
	prepare();
	tss2.ldt = SEL_LDT;
	tss2.ds = tss2.fs = 4;
	task("task-ldt", VECTOR, 0);
}

static void bad_ldt(void)
{
	prepare_user();
	tss2.ldt = 0x10;
	task("task-ldt-is-data", TS, 0x10);
	prepare_user();
	tss2.ldt = 0x7ff8;
	task("task-ldt-beyond", TS, 0x7ff8);
}

/* Segments that the new task may not have: error codes name them. */
static void bad_segments(void)
{
	static const struct { const char *name; u16 sel; int vector; } code[] = {
		{ "task-cs-null", 3, TS }, { "task-cs-data", 0x23, TS },
		{ "task-cs-absent", SEL_ABSENT | 3, NP },
	}, data[] = {
		{ "task-ds-system", SEL_TSS, TS }, { "task-ds-beyond", 0x7ff8, TS },
		{ "task-ds-absent", SEL_HOLE | 3, NP },
	}, stack[] = {
		{ "task-ss-null", 3, TS }, { "task-ss-code", 0x1b, TS },
		{ "task-ss-ring0", 0x10, TS }, { "task-ss-absent", SEL_HOLE | 3, SS },
	};

	gdt[SEL_ABSENT / 8] = descriptor(0, 0xfffff, 0x7b, 0xc);
	gdt[SEL_HOLE / 8] = descriptor(0, 0xfffff, 0x73, 0xc);
	for (unsigned i = 0; i < N_ELEM(code); i++) {
		prepare_user();
		tss2.cs = code[i].sel;
		task(code[i].name, code[i].vector, code[i].sel & 0xfffc);
	}
	for (unsigned i = 0; i < N_ELEM(data); i++) {
		prepare_user();
		tss2.ds = data[i].sel;
		task(data[i].name, data[i].vector, data[i].sel & 0xfffc);
	}
	for (unsigned i = 0; i < N_ELEM(stack); i++) {
		prepare_user();
		tss2.ss = stack[i].sel;
		task(stack[i].name, stack[i].vector, stack[i].sel & 0xfffc);
	}
}

static void tasks(void)
{
	static const struct { const char *name; u16 sel; int vector; } gates[] = {
		{ "task-gate-data", 0x10, GP }, { "task-gate-beyond", 0x7ff8, GP },
		{ "task-gate-busy", SEL_TSS, GP }, { "task-gate-local", SEL_TSS2 | 4, GP },
	};
	unsigned n = N_ELEM(gates) - !!upstream_lacks("task-gate-local");

	prepare();
	task("task-runs", VECTOR, 0);
	for (unsigned i = 0; i < n; i++) {
		gdt[SEL_TASK_GATE / 8] = gate(gates[i].sel, 0, 0x85, 0);
		CHECK_EQ(gates[i].name, trap_try(jump_task_gate, 0), gates[i].vector);
		CHECK_EQ(gates[i].name, trap_last.error, gates[i].sel & 0xfffc);
	}
	gdt[SEL_TASK_GATE / 8] = gate(SEL_TSS2, 0, 0x05, 0);
	CHECK_EQ("task-gate-absent", trap_try(jump_task_gate, 0), NP);
	CHECK_EQ("task-gate-absent-error", trap_last.error, SEL_TASK_GATE);
	local_segments();
	if (!upstream_lacks("task-bad-segments")) {
		bad_ldt();
		bad_segments();
	}
	/* a task in virtual-8086 mode: its HLT at 1000:0 is a general protection fault */
	prepare();
	*(volatile u8 *)0x10000 = 0xf4;
	tss2.eflags = 0x20002;
	tss2.cs = tss2.ss = tss2.ds = tss2.es = tss2.fs = tss2.gs = 0x1000;
	tss2.eip = 0;
	tss2.esp = 0x8000;
	task("task-v86", GP, 0);
	CHECK_EQ("task-v86-cs", trap_last.cs, 0x1000);
}

void guest_main(void)
{
	gates();
	idt_entries();
	tasks();
}
