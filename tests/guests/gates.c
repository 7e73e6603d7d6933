/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Privilege: rings 0, 1 and 3, call gates with parameters, interrupt gates,
 * what ring 3 may not do, returns to outer rings. SDM 3A 5.8, 6.12. */
#include "guest.h"

enum { TS = 10, NP = 11, GP = 13 };
enum { SEL_GATE = 0x48, SEL_CODE1 = 0x50, SEL_DATA1 = 0x58, SEL_CONF = 0x60 };

/* Assembly below names these. */
volatile u32 seen_cs, seen_ss, seen_p0, seen_p1;
u8 stack1[4096] __attribute__((aligned(16)));

/* Entered through call gates: notes CS, SS and two parameters. */
void gate_entry(void);
void conforming_entry(void);
__asm__(
	".text\n"
	"gate_entry:\n"
	"	mov %cs, %eax\n	mov %eax, seen_cs\n"
	"	mov %ss, %eax\n	mov %eax, seen_ss\n"
	"	mov 8(%esp), %eax\n	mov %eax, seen_p0\n"
	"	mov 12(%esp), %eax\n	mov %eax, seen_p1\n"
	"	lret $8\n"
	"conforming_entry:\n"
	"	mov %cs, %eax\n	mov %eax, seen_cs\n"
	"	lret\n"
);

static void call_gate(void)
{
	__asm__ volatile("push $0x22222222; push $0x11111111; lcall %0, $0"
			 :: "i"(SEL_GATE | 3) : "eax", "memory");
}

static void check_call_gate(const char *name, u16 code, u8 access, int vector,
			    u32 error)
{
	seen_cs = seen_ss = 0;
	gdt[SEL_GATE / 8] = gate(code, (u32)gate_entry, access, 2);
	CHECK_EQ(name, user_try(call_gate), vector);
	if (vector != 0x30)
		CHECK_EQ(name, trap_last.error, error);
}

static void call_conforming(void)
{
	__asm__ volatile("lcall %0, $conforming_entry" :: "i"(SEL_CONF) : "eax", "memory");
}

static void jump_kernel(void)
{
	__asm__ volatile("ljmp $0x08, $conforming_entry");
}

static void check_call_gates(void)
{
	check_call_gate("call-gate-ring0", 0x08, 0xec, 0x30, 0);
	CHECK_EQ("call-gate-cs", seen_cs, 0x08);
	CHECK_EQ("call-gate-ss", seen_ss, 0x10);
	CHECK_EQ("call-gate-parameter", seen_p0, 0x11111111);
	CHECK_EQ("call-gate-parameter-2", seen_p1, 0x22222222);
	CHECK_EQ("call-gate-return-cs", trap_last.cs, 0x1b);
	check_call_gate("call-gate-ring1", SEL_CODE1, 0xec, 0x30, 0);
	CHECK_EQ("call-gate-ring1-cs", seen_cs, SEL_CODE1 | 1);
	CHECK_EQ("call-gate-ring1-ss", seen_ss, SEL_DATA1 | 1);
	check_call_gate("call-gate-dpl0", 0x08, 0x8c, GP, SEL_GATE);
	check_call_gate("call-gate-absent", 0x08, 0x6c, NP, SEL_GATE);
	check_call_gate("call-gate-null-code", 0, 0xec, GP, 0);
	check_call_gate("call-gate-data", 0x10, 0xec, GP, 0x10);
	tss.ss1 = 0x10;
	check_call_gate("call-gate-bad-stack", SEL_CODE1, 0xec, TS, 0x10);
	tss.ss1 = SEL_DATA1 | 1;
}

/* -- what ring 3 may not do -------------------------------------------------------------- */

#define TRY(name, text) static void name(void) { __asm__ volatile(text ::: "eax", "memory"); }
TRY(do_cli, "cli")
TRY(do_hlt, "hlt")
TRY(do_cr0, "mov %%cr0, %%eax")
TRY(do_clts, "clts")
TRY(do_lgdt, "lgdt gdt_pointer")
TRY(do_in, "in $0x64, %%al")
TRY(do_int_dpl0, "int $0x31")
TRY(do_int_dpl3, "int $0x80")
TRY(do_int3, "int3")
TRY(do_kernel_ds, "mov $0x10, %%eax; mov %%eax, %%ds")
TRY(do_wbinvd, "wbinvd")
TRY(do_popf, "pushf; pop %%eax; or $0x3200, %%eax; push %%eax; popf; pushf; pop seen_cs")
TRY(do_smsw, "smsw %%ax")

static const struct { const char *name; void (*fn)(void); int vector; u32 error; } rows[] = {
	{ "user-cli", do_cli, GP, 0 },
	{ "user-hlt", do_hlt, GP, 0 },
	{ "user-mov-cr", do_cr0, GP, 0 },
	{ "user-clts", do_clts, GP, 0 },
	{ "user-lgdt", do_lgdt, GP, 0 },
	{ "user-wbinvd", do_wbinvd, GP, 0 },
	{ "user-in", do_in, GP, 0 },
	{ "user-int-dpl0", do_int_dpl0, GP, 0x31 * 8 + 2 },
	{ "user-int-dpl3", do_int_dpl3, 0x80, 0 },
	{ "user-int3", do_int3, 3, 0 },
	{ "user-kernel-ds", do_kernel_ds, GP, 0x10 },
	{ "user-smsw", do_smsw, 0x30, 0 },
	{ "user-jump-kernel", jump_kernel, GP, 0x08 },
};

static void check_user(void)
{
	for (unsigned i = 0; i < N_ELEM(rows); i++) {
		CHECK_EQ(rows[i].name, user_try(rows[i].fn), rows[i].vector);
		CHECK_EQ(rows[i].name, trap_last.error, rows[i].error);
		CHECK_EQ(rows[i].name, trap_last.ss, 0x23);
	}
	CHECK_EQ("user-popf", user_try(do_popf), 0x30);
	CHECK_EQ("user-popf-keeps-if-iopl", seen_cs & 0x3200, 0);
}

/* IOPL 3 opens CLI and the ports. */
static void iopl3(void *fn)
{
	__asm__ volatile("pushf; orl $0x3000, (%%esp); popf" ::: "memory");
	user_try((void (*)(void))fn);
}

static void check_iopl(void)
{
	static u32 save;

	save = get_flags();
	iopl3((void *)do_cli);
	CHECK_EQ("iopl3-cli", trap_last.vector, 0x30);
	iopl3((void *)do_in);
	CHECK_EQ("iopl3-in", trap_last.vector, 0x30);
	__asm__ volatile("push %0; popf" :: "r"(save) : "memory");
}

/* -- returns --------------------------------------------------------------------------------- */

/* LRET to ring 3 takes segments away that ring 3 may not have. */
void outer_entry(void);
__asm__(
	".text\n"
	"outer_entry:\n"
	"	mov %fs, %eax\n	mov %gs, %edx\n	int $0x30\n	int $0x31\n"
);

static struct frame int30;
static void keep_frame(struct frame *f)
{
	int30 = *f;
}

static void lret_outer(void *p)
{
	(void)p;
	__asm__ volatile("mov $0x10, %%eax; mov %%eax, %%fs\n"
			 "mov $0x23, %%eax; mov %%eax, %%gs\n"
			 "push $0x23; push $stack1 + 4096; push $0x1b\n"
			 "push $outer_entry; lret" ::: "eax", "edx", "memory");
}

static void iret_bad_ss(void *p)
{
	(void)p;
	__asm__ volatile("push $0x10; push $stack1 + 4096; pushf; push $0x1b\n"
			 "push $outer_entry; iret" ::: "memory");
}

static void iret_bad_cs(void *p)
{
	(void)p;
	__asm__ volatile("pushf; push $0x10; push $outer_entry; iret" ::: "memory");
}

static void iret_inner(void)
{
	__asm__ volatile("pushf; push $0x08; push $outer_entry; iret" ::: "memory");
}

static void check_returns(void)
{
	CHECK_EQ("lret-outer", trap_try(lret_outer, 0), 0x30);
	CHECK_EQ("lret-outer-cs", trap_last.cs, 0x1b);
	CHECK_EQ("lret-outer-ss", trap_last.ss, 0x23);
	CHECK_EQ("iret-bad-ss", trap_try(iret_bad_ss, 0), GP);
	CHECK_EQ("iret-bad-ss-error", trap_last.error, 0x10);
	CHECK_EQ("iret-bad-cs", trap_try(iret_bad_cs, 0), GP);
	CHECK_EQ("iret-bad-cs-error", trap_last.error, 0x10);
	CHECK_EQ("iret-to-inner", user_try(iret_inner), GP);
	CHECK_EQ("iret-to-inner-error", trap_last.error, 0x08);
}

/* The registers ring 3 saw: a handler of INT 30h keeps them and returns; then
 * INT 31h ends it. */
static void check_nulled(void)
{
	trap_handler[0x31] = 0;
	idt[0x31] |= 0x6000ull << 32;         /* DPL 3                        */
	trap_handler[0x30] = keep_frame;
	CHECK_EQ("lret-outer-again", trap_try(lret_outer, 0), 0x31);
	CHECK_EQ("lret-nulls-fs", int30.eax & 0xffff, 0);
	CHECK_EQ("lret-keeps-gs", int30.edx & 0xffff, 0x23);
	trap_handler[0x30] = 0;
	idt[0x31] &= ~(0x6000ull << 32);
}

/* -- SYSENTER, SYSEXIT ------------------------------------------------------------------------- */

void sysenter_entry(void);
__asm__(
	".text\n"
	"sysenter_entry:\n"
	"	mov %cs, %eax\n	mov %eax, seen_cs\n"
	"	mov %ss, %eax\n	mov %eax, seen_ss\n"
	"	sysexit\n"
);

static void do_sysenter(void)
{
	__asm__ volatile("mov $1f, %%edx; mov %%esp, %%ecx; sysenter; 1:"
			 ::: "eax", "ecx", "edx", "memory");
}

static void check_sysenter(void)
{
	u32 a = 1, b, c, d;

	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(d));
	if (!(d >> 11 & 1))
		return;
	wrmsr(0x174, 0);
	CHECK_EQ("sysenter-unset", user_try(do_sysenter), GP);
	wrmsr(0x174, 0x08);
	wrmsr(0x175, tss.esp0);
	wrmsr(0x176, (u32)sysenter_entry);
	seen_cs = seen_ss = 0;
	CHECK_EQ("sysenter-and-back", user_try(do_sysenter), 0x30);
	CHECK_EQ("sysenter-cs", seen_cs, 0x08);
	CHECK_EQ("sysenter-ss", seen_ss, 0x10);
	CHECK_EQ("sysexit-cs", trap_last.cs, 0x1b);
	CHECK_EQ("sysexit-ss", trap_last.ss, 0x23);
}

void guest_main(void)
{
	gdt[SEL_CODE1 / 8] = descriptor(0, 0xfffff, 0xbb, 0xc);
	gdt[SEL_DATA1 / 8] = descriptor(0, 0xfffff, 0xb3, 0xc);
	gdt[SEL_CONF / 8] = descriptor(0, 0xfffff, 0x9f, 0xc);
	tss.ss1 = SEL_DATA1 | 1;
	tss.esp1 = (u32)(stack1 + sizeof(stack1));
	check_call_gates();
	CHECK_EQ("conforming", user_try(call_conforming), 0x30);
	CHECK_EQ("conforming-cpl", seen_cs, SEL_CONF | 3);
	check_user();
	check_iopl();
	check_returns();
	check_nulled();
	check_sysenter();
}
