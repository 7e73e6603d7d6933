/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exceptions and their addresses, single step, the interrupt shadow of STI
 * and MOV SS, double fault. SDM 3A chapter 6; 17.3.1.4 for TF. */
#include "guest.h"

enum { DE, DB, NMI, BP, OF, BR, UD, NM, DF, NP = 11, GP = 13, MF = 16 };

extern u8 at_label[];
#define TRY(name, text) static void name(void *p) \
	{ (void)p; __asm__ volatile(text ::: "eax", "ecx", "edx", "memory"); }

TRY(do_div0, "xor %%ecx, %%ecx; mov $1, %%eax; cdq; div %%ecx")
TRY(do_div_big, "mov $2, %%ecx; mov $2, %%edx; div %%ecx")
TRY(do_idiv_min, "mov $0x80000000, %%eax; cdq; mov $-1, %%ecx; idiv %%ecx")
TRY(do_aam0, ".byte 0xd4, 0x00")
TRY(do_int3, "int3")
TRY(do_int, "int $0x77")
TRY(do_into, "mov $0x7f, %%al; add $1, %%al; into")
TRY(do_bound, "push $5; push $1; mov $6, %%eax; bound %%eax, (%%esp)")
TRY(do_ud2, "ud2")
TRY(do_icebp, ".byte 0xf1")
TRY(do_lock_mov, ".byte 0xf0, 0x89, 0xc0")
TRY(do_lock_add_reg, ".byte 0xf0, 0x01, 0xc0")
TRY(do_hole, ".byte 0x0f, 0xff")
TRY(do_15, ".byte 0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x90")
TRY(do_16, ".byte 0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x90")
TRY(do_lea_reg, ".byte 0x8d, 0xc0")
TRY(do_mov_cs, ".byte 0x8e, 0xc8")
TRY(do_mov_cr1, ".byte 0x0f, 0x20, 0xc8")
TRY(do_rdmsr_bad, "mov $0x12345678, %%ecx; rdmsr")
TRY(do_cr0_pg_without_pe, "mov %%cr0, %%eax; and $~1, %%eax; or $0x80000000, %%eax; mov %%eax, %%cr0")
TRY(do_cr4_reserved, "mov $0x80000000, %%eax; mov %%eax, %%cr4")

static const struct { const char *name; void (*fn)(void *); int vector, upstream_lacks; } faults[] = {
	{ "div-by-zero", do_div0, DE, 0 },
	{ "div-too-big", do_div_big, DE, 0 },
	{ "idiv-minimum", do_idiv_min, DE, 0 },
	{ "aam-zero", do_aam0, DE, 0 },
	{ "int3", do_int3, BP, 0 },
	{ "int-77", do_int, 0x77, 0 },
	{ "into", do_into, OF, 0 },
	{ "bound", do_bound, BR, 0 },
	{ "ud2", do_ud2, UD, 0 },
	{ "icebp", do_icebp, DB, 1 },
	{ "lock-mov", do_lock_mov, UD, 1 },
	{ "lock-add-register", do_lock_add_reg, UD, 0 },
	{ "hole", do_hole, UD, 0 },
	{ "15-bytes", do_15, -1, 0 },
	{ "16-bytes", do_16, GP, 0 },
	{ "lea-register", do_lea_reg, UD, 0 },
	{ "mov-to-cs", do_mov_cs, UD, 0 },
	{ "mov-cr1", do_mov_cr1, UD, 0 },
	{ "paging-without-protection", do_cr0_pg_without_pe, GP, 1 },
	{ "cr4-reserved", do_cr4_reserved, GP, 1 },
};

static void check_faults(void)
{
	for (unsigned i = 0; i < N_ELEM(faults); i++) {
		if (faults[i].upstream_lacks && upstream_lacks(faults[i].name))
			continue;
		CHECK_EQ(faults[i].name, trap_try(faults[i].fn, 0), faults[i].vector);
	}
	if (!upstream_lacks("rdmsr-unknown"))
		CHECK_EQ("rdmsr-unknown", trap_try(do_rdmsr_bad, 0), GP);
}

/* A fault's EIP is the instruction, a trap's the next one; the flags are
 * those before a fault. */
static u32 eip_at, eip_next;
static void div_labelled(void *p)
{
	(void)p;
	__asm__ volatile("movl $1f, %0; movl $2f, %1; xor %%ecx, %%ecx; stc\n"
			 "1: div %%ecx; 2:" : "=m"(eip_at), "=m"(eip_next)
			 :: "eax", "ecx", "edx");
}

static void int3_labelled(void *p)
{
	(void)p;
	__asm__ volatile("movl $1f, %0; movl $2f, %1\n"
			 "1: int3; 2:" : "=m"(eip_at), "=m"(eip_next));
}

static void check_addresses(void)
{
	trap_try(div_labelled, 0);
	CHECK_EQ("fault-eip", trap_last.eip, eip_at);
	CHECK_EQ("fault-carry", trap_last.eflags & 1, 1);
	trap_try(int3_labelled, 0);
	CHECK_EQ("trap-eip", trap_last.eip, eip_next);
}

/* -- single step -------------------------------------------------------------------- */

static u32 steps, step_eip[32];
static void on_step(struct frame *f)
{
	if (steps < 32)
		step_eip[steps] = f->eip;
	steps++;
}

static void check_step(void)
{
	u32 dr6;

	trap_handler[DB] = on_step;
	steps = 0;
	__asm__ volatile("xor %%eax, %%eax; mov %%eax, %%dr6" ::: "eax");
	__asm__ volatile("	pushf; orl $0x100, (%%esp); popf\n"
			 "	nop\n"                        /* 1  */
			 "	mov $3, %%ecx\n"              /* 2  */
			 "1:	dec %%ecx\n"                  /* 3 5 7 */
			 "	jnz 1b\n"                     /* 4 6 8 */
			 "	pushf\n"                      /* 9  */
			 "	andl $~0x100, (%%esp)\n"      /* 10 */
			 "	popf\n"                       /* 11 */
			 "	nop" ::: "ecx", "memory");
	CHECK_EQ("steps", steps, 11);
	CHECK_EQ("step-length", step_eip[1] - step_eip[0], 5);
	__asm__ volatile("mov %%dr6, %0" : "=r"(dr6));
	CHECK_EQ("dr6-bs", dr6 & 0x4000, 0x4000);

	/* REP: a step for each turn. */
	steps = 0;
	__asm__ volatile("	mov $5, %%ecx\n"
			 "	pushf; orl $0x100, (%%esp); popf\n"
			 "	rep lodsb\n"
			 "	pushf; andl $~0x100, (%%esp); popf"
			 : : "S"(0x100000) : "eax", "ecx", "memory");
	CHECK_EQ("rep-steps", steps, 5 + 3);

	/* INT clears TF for its handler: no step inside. */
	steps = 0;
	trap_handler[0x77] = on_step;
	__asm__ volatile("	pushf; orl $0x100, (%%esp); popf\n"
			 "	int $0x77\n"
			 "	pushf; andl $~0x100, (%%esp); popf"
			 ::: "memory");
	CHECK("int-under-tf", steps >= 4 && steps <= 6);
	trap_handler[0x77] = 0;

	/* MOV SS holds the trap back by one instruction. */
	steps = 0;
	__asm__ volatile("	mov %%ss, %%ecx\n"
			 "	pushf; orl $0x100, (%%esp); popf\n"
			 "	mov %%ecx, %%ss\n"
			 "1:	nop\n"
			 "2:	pushf; andl $~0x100, (%%esp); popf\n"
			 "	movl $2b, %0"
			 : "=m"(eip_at) :: "ecx", "memory");
	CHECK_EQ("mov-ss-holds-step", step_eip[0], eip_at);
	trap_handler[DB] = 0;
}

/* -- interrupt shadow ------------------------------------------------------------------- */

static u32 irq_eip, irqs;
static void on_irq(struct frame *f)
{
	irq_eip = f->eip;
	irqs++;
	f->eflags &= ~0x200;
	eoi(0);
}

/* Make IRQ 0 pending: counter 0 in mode 0 runs out. */
static void pend(void)
{
	outb(0x43, 0x30);
	outb(0x40, 10);
	outb(0x40, 0);
	outb(0x20, 0x0a);
	while (!(inb(0x20) & 1))
		;
	/* The emulator's own thread may need a moment to carry it over. */
	pit_wait(5000);
}

static void check_shadow(void)
{
	irq_unmask(0, on_irq);
	pend();
	__asm__ volatile("movl $1f, %0\n"
			 "sti; nop; 1: nop; nop; nop; nop; cli"
			 : "=m"(eip_at) :: "memory");
	CHECK_EQ("sti-shadow", irq_eip, eip_at);
	CHECK_EQ("sti-irqs", irqs, 1);
	pend();
	__asm__ volatile("sti; cli; nop" ::: "memory");
	CHECK_EQ("sti-cli", irqs, 1);
	/* Two shadows in a row: the second one is not promised. */
	__asm__ volatile("mov %%ss, %%eax; movl $1f, %0; sti\n"
			 "mov %%eax, %%ss; 1: nop; nop; nop; cli"
			 : "=m"(eip_at) :: "eax", "memory");
	CHECK("sti-mov-ss", irq_eip == eip_at || irq_eip == eip_at + 1);
	CHECK_EQ("sti-mov-ss-irqs", irqs, 2);
	pend();
	__asm__ volatile("movl $1f, %0; sti; hlt; 1: cli" : "=m"(eip_at) :: "memory");
	CHECK_EQ("sti-hlt", irq_eip, eip_at);
	pend();
	__asm__ volatile("movl $1f, %0; push $0x202; popf; 1: nop; cli"
			 : "=m"(eip_at) :: "memory");
	CHECK_EQ("popf-no-shadow", irq_eip, eip_at);
	outb(0x21, 0xff);
}

/* -- the FPU's two vectors, double fault ------------------------------------------------------ */

TRY(do_fpu, "fld1; fstp %%st(0)")
TRY(do_wait, "fwait")
TRY(do_fpu_error, "fninit; push $0x337b; fldcw (%%esp); pop %%eax; fld1; fldz; fdivrp; fwait")

static void check_fpu(void)
{
	u32 cr0 = get_cr0();

	set_cr0((cr0 & ~6u) | 8);
	CHECK_EQ("ts-nm", trap_try(do_fpu, 0), NM);
	CHECK_EQ("ts-wait", trap_try(do_wait, 0), -1);
	set_cr0(get_cr0() | 2);
	CHECK_EQ("ts-mp-wait", trap_try(do_wait, 0), NM);
	__asm__ volatile("clts");
	CHECK_EQ("clts", trap_try(do_fpu, 0), -1);
	set_cr0((cr0 & ~0xeu) | 4);
	CHECK_EQ("em-nm", trap_try(do_fpu, 0), NM);
	set_cr0((cr0 & ~0xeu) | 0x20);
	CHECK_EQ("unmasked-zero-divide", trap_try(do_fpu_error, 0), MF);
	__asm__ volatile("fnclex; fninit");
}

static void check_double(void)
{
	u64 save = idt[UD], save_np = idt[NP];
	u32 ext = option("upstream") ? 0 : 1;  /* upstream forgets EXT       */

	idt[UD] = 0;                          /* no gate: #GP                */
	CHECK_EQ("no-gate", trap_try(do_ud2, 0), GP);
	CHECK_EQ("no-gate-error", trap_last.error, UD * 8 + 2 + ext);
	idt[UD] = gate(0x08, 0, 0x0e, 0);     /* absent: #NP                 */
	CHECK_EQ("absent-gate", trap_try(do_ud2, 0), NP);
	CHECK_EQ("absent-gate-error", trap_last.error, UD * 8 + 2 + ext);
	CHECK_EQ("absent-gate-eip", trap_last.eip, (u32)do_ud2);
	idt[NP] = 0;                          /* and #NP's is none: #DF      */
	CHECK_EQ("double-fault", trap_try(do_ud2, 0), DF);
	CHECK_EQ("double-fault-error", trap_last.error, 0);
	idt[UD] = save;
	idt[NP] = save_np;
}

void guest_main(void)
{
	check_faults();
	check_addresses();
	check_step();
	check_shadow();
	check_fpu();
	check_double();
}
