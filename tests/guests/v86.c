/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Virtual-8086 mode: plain, with IOPL 3, and with the virtual interrupt flag
 * of CR4.VME; and CR4.PVI in ring 3. SDM vol. 3B chapter 20.
 *
 * Each piece of 16-bit code below is copied to 20000h and entered by IRET. HLT
 * ends it (#GP at its address); what it saw is in the words from 20800h on. */
#include "guest.h"

enum { BP = 3, UD = 6, GP = 13, CODE = 0x20000, NOTES = 0x800, STACK = 0x3000 };
enum { TF = 0x100, IF = 0x200, IOPL3 = 0x3000, NT = 0x4000, VM = 0x20000,
       VIF = 0x80000, VIP = 0x100000, CR4_VME = 1, CR4_PVI = 2 };

#define PIECE(name, text) \
	extern u8 name[], name##_end[]; \
	__asm__(".text\n.code16\n" #name ": " text "\n" #name "_end:\n.code32\n")

PIECE(p_plain, "mov $0x1234, %ax; push %ax; pop %bx; mov %bx, 0x800\n"
	"mov %cs, 0x802; mov %ss, 0x804; mov $0x4000, %ax; mov %ax, %es\n"
	"mov %bx, %es:0; mov %es, 0x806; sldt %ax; hlt");
PIECE(p_hlt, "mov $0x1234, %ax; push %ax; pop %bx; mov %bx, 0x800\n"
	"mov %cs, 0x802; mov %ss, 0x804; mov $0x4000, %ax; mov %ax, %es\n"
	"mov %bx, %es:0; mov %es, 0x806; hlt");
PIECE(p_cli, "nop; cli; hlt");
PIECE(p_sti, "nop; sti; hlt");
PIECE(p_pushf, "pushf; popw 0x800; hlt");
PIECE(p_pushfd, "pushfl; hlt");
PIECE(p_popf, "push $0x202; popf; hlt");
PIECE(p_popf_off, "push $0x2; popf; hlt");
PIECE(p_popf_tf, "push $0x102; popf; hlt");
PIECE(p_popfd, "pushl $0x202; popfl; hlt");
PIECE(p_int, "int $0x77; mov $1, %ax; mov %ax, 0x802; hlt");
PIECE(p_int3, "int3; hlt");
PIECE(p_iret, "push $0x203; push %cs; push $(1f - p_iret); iret; hlt; 1: pushf; popw 0x800; hlt");
PIECE(p_iretd, "pushl $0x202; push $0; push %cs; pushl $0; iretl; hlt");
PIECE(p_in, "in $0x80, %al; hlt");
PIECE(p_limit, "mov 0xffff, %ax; hlt");
/* for INT 77h: what FLAGS it got, in its frame and now */
PIECE(p_handler, "push %bp; mov %sp, %bp; mov 6(%bp), %ax; mov %ax, %cs:0x800\n"
	"pushf; popw %cs:0x804; pop %bp; iret");

static volatile u16 *note(int i) { return (u16 *)(CODE + NOTES) + i; }

static struct { u32 flags; } run_arg;
static void enter(void *p)
{
	(void)p;
	__asm__ volatile("pushl $0; pushl $0; pushl $0x2000; pushl $0x2000\n"
			 "pushl $0x3000; pushl $0x1000\n"
			 "pushl %0; pushl $0x2000; pushl $0; iret"
			 :: "r"(run_arg.flags | VM | 2));
}

/* Run a piece with these EFLAGS; the vector that ended it. */
static int run(const u8 *from, const u8 *end, u32 flags)
{
	for (int i = 0; i < 8; i++)
		*note(i) = 0xdead;
	memcpy((void *)CODE, from, (unsigned)(end - from));
	run_arg.flags = flags;
	return trap_try(enter, 0);
}
#define RUN(piece, flags) run(piece, piece##_end, flags)
#define AT_HLT(piece) (u32)(piece##_end - piece - 1)

/* -- without VME ------------------------------------------------------------------- */
static void check_plain(void)
{
	CHECK_EQ("v86-sldt", RUN(p_plain, 0), UD);
	CHECK_EQ("v86-hlt", RUN(p_hlt, 0), GP);
	CHECK_EQ("v86-eip", trap_last.eip, AT_HLT(p_hlt));
	CHECK_EQ("v86-cs", trap_last.cs, 0x2000);
	CHECK_EQ("v86-error", trap_last.error, 0);
	CHECK_EQ("v86-eflags", trap_last.eflags & (VM | IF | IOPL3), VM);
	CHECK_EQ("v86-data", *note(0), 0x1234);
	CHECK_EQ("v86-sees-cs", *note(1), 0x2000);
	CHECK_EQ("v86-es", *(volatile u16 *)0x40000, 0x1234);
	if (!upstream_lacks("v86-limit")) {
		RUN(p_limit, 0);
		CHECK_EQ("v86-limit", trap_last.eip, 0);
	}
}

static void check_iopl(void)
{
	static const struct { const char *name; const u8 *from, *end; u32 eip; } bad[] = {
#define BAD(piece, eip) { #piece, piece, piece##_end, eip }
		BAD(p_cli, 1), BAD(p_sti, 1), BAD(p_pushf, 0), BAD(p_popf, 3), BAD(p_int, 0),
		BAD(p_iret, 7), BAD(p_pushfd, 0),
	};

	for (unsigned i = 0; i < N_ELEM(bad); i++) {
		CHECK_EQ(bad[i].name, run(bad[i].from, bad[i].end, IF), GP);
		CHECK_EQ(bad[i].name, trap_last.eip, bad[i].eip);
	}
	RUN(p_cli, IF | IOPL3);
	CHECK_EQ("iopl3-cli", trap_last.eflags & IF, 0);
	CHECK_EQ("iopl3-cli-eip", trap_last.eip, AT_HLT(p_cli));
	RUN(p_pushf, IF | IOPL3);
	CHECK_EQ("iopl3-pushf", *note(0) & 0x7fff, 0x3202);
	RUN(p_popf_off, IF | IOPL3);
	CHECK_EQ("iopl3-popf", trap_last.eflags & (IF | IOPL3), IOPL3);
	RUN(p_iret, IOPL3);
	CHECK_EQ("iopl3-iret", *note(0), 0x3203);
	CHECK_EQ("iopl3-int", RUN(p_int, IOPL3), GP);
	CHECK_EQ("iopl3-int-error", trap_last.error, 0x77 * 8 + 2);
	CHECK_EQ("int3", RUN(p_int3, 0), BP);        /* whatever IOPL is   */
	CHECK_EQ("v86-in", RUN(p_in, IOPL3), GP);    /* the bitmap decides */
	CHECK_EQ("v86-in-eip", trap_last.eip, AT_HLT(p_in));
}

/* -- with it ----------------------------------------------------------------------------- */
static void check_vif(void)
{
	if (upstream_lacks("vme"))
		return;
	RUN(p_sti, 0);
	CHECK_EQ("vme-sti", trap_last.eflags & (VIF | IF), VIF);
	CHECK_EQ("vme-sti-eip", trap_last.eip, AT_HLT(p_sti));
	RUN(p_cli, VIF | IF);
	CHECK_EQ("vme-cli", trap_last.eflags & (VIF | IF), IF);
	RUN(p_sti, VIP);
	CHECK_EQ("vme-sti-vip", trap_last.eip, 1);
	RUN(p_pushf, VIF);
	CHECK_EQ("vme-pushf-on", *note(0) & 0x7fff, 0x3202);
	RUN(p_pushf, IF);
	CHECK_EQ("vme-pushf-off", *note(0) & 0x7fff, 0x3002);
	RUN(p_pushfd, 0);
	CHECK_EQ("vme-pushfd", trap_last.eip, 0);
	RUN(p_popf, 0);
	CHECK_EQ("vme-popf", trap_last.eflags & (VIF | IF | IOPL3), VIF);
	RUN(p_popf_off, VIF | IF);
	CHECK_EQ("vme-popf-off", trap_last.eflags & (VIF | IF | IOPL3), IF);
	RUN(p_popf, VIP);
	CHECK_EQ("vme-popf-vip", trap_last.eip, 3);
	RUN(p_popf_tf, 0);
	CHECK_EQ("vme-popf-tf", trap_last.eip, 3);
	RUN(p_popfd, 0);
	CHECK_EQ("vme-popfd", trap_last.eip, 6);
}

static void check_iret(void)
{
	RUN(p_iretd, 0);
	CHECK_EQ("vme-iretd", trap_last.vector, GP);
	if (upstream_lacks("vme-iret"))
		return;
	RUN(p_iret, 0);
	CHECK_EQ("vme-iret", *note(0) & 0x7fff, 0x3203);
	CHECK_EQ("vme-iret-vif", trap_last.eflags & (VIF | IF | IOPL3), VIF);
}

static void check_redirect(void)
{
	volatile u16 *ivt = (u16 *)(0x77 * 4);

	memcpy((void *)0x21000, p_handler, (unsigned)(p_handler_end - p_handler));
	ivt[0] = 0x1000;
	ivt[1] = 0x2000;
	if (upstream_lacks("vme-int"))
		return;
	CHECK_EQ("vme-int", RUN(p_int, VIF), GP);
	CHECK_EQ("vme-int-eip", trap_last.eip, AT_HLT(p_int));
	CHECK_EQ("vme-int-came-back", *note(1), 1);
	CHECK_EQ("vme-int-image", *note(0) & 0x7fff, 0x3202);
	CHECK_EQ("vme-int-handler-off", *note(2) & 0x7fff, 0x3002);
	CHECK_EQ("vme-int-vif-back", trap_last.eflags & (VIF | IF), VIF);
	RUN(p_int, IF | IOPL3);
	CHECK_EQ("vme-int-iopl3", *note(0) & 0x7fff, 0x3202);
	CHECK_EQ("vme-int-iopl3-off", *note(2) & 0x7fff, 0x3002);
	tss.io_map[0x77 / 8] = 1 << (0x77 & 7);
	RUN(p_int, VIF);
	CHECK_EQ("vme-int-monitor", trap_last.eip << 16 | trap_last.error, 0);
}

/* -- ring 3 with PVI ---------------------------------------------------------------------- */
static u32 pvi_flags;
static void pvi_toggle(void)
{
	__asm__ volatile("sti; pushf; pop %0; cli" : "=m"(pvi_flags));
}

static void check_pvi(void)
{
	if (upstream_lacks("pvi"))
		return;
	CHECK_EQ("pvi-off", user_try(pvi_toggle), GP);
	set_cr4(get_cr4() | CR4_PVI);
	CHECK_EQ("pvi", user_try(pvi_toggle), 0x30);
	CHECK_EQ("pvi-flags", pvi_flags & (VIF | IF), VIF);
	CHECK_EQ("pvi-cli", trap_last.eflags & (VIF | IF), 0);
	set_cr4(get_cr4() & ~(u32)CR4_PVI);
}

void guest_main(void)
{
	memset(tss.io_map, 0, sizeof(tss.io_map) - 1);
	tss.io_base = (u16)((u32)tss.io_map + 32 - (u32)&tss);
	check_plain();
	check_iopl();
	set_cr4(get_cr4() | CR4_VME);
	check_vif();
	check_iret();
	check_redirect();
	set_cr4(get_cr4() & ~(u32)CR4_VME);
	check_plain();
	check_pvi();
	paging_on();
	check_plain();
	finish();
}
