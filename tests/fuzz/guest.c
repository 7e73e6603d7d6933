/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Executes random bytes: in ring 0, ring 3, virtual-8086 mode or real mode, as
 * the command line says ("ring0 seed=123"; "16": in a 16-bit code segment; "sse":
 * with CR4 as an operating system sets it that uses SSE and XSAVE). Each piece ends by a trap, or by
 * the timer; then comes the next one, with other registers. Nothing is checked
 * here: the question is what the emulator makes of it (tests/fuzz/run). */
#include "../guests/guest.h"

enum { CODE = 0x800000, CODE_LOW = 0x40000, DATA = 0x900000, AREA = 0x10000,
       PIECE = 64, TIMER_VECTOR = 0x20, VM = 0x20000, IF = 0x200,
       DEBUG_EXIT = 0xf4, PIECES = 3000 };

/* -- chance ---------------------------------------------------------------------- */
static u32 state = 1;
static u32 rnd(void)
{
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state;
}

static u32 seed_of(const char *s)
{
	u32 v = 0;

	for (; *s; s++)
		if (s[0] == '=')
			for (s++; *s >= '0' && *s <= '9'; s++)
				v = v * 10 + (u32)(*s - '0');
		else if (!s[1])
			break;
	return v * 2654435761u | 1;
}

/* Any byte, but prefixes and the second map more often than by chance. */
static u8 code_byte(void)
{
	static const u8 often[] = { 0x0f, 0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x26, 0x2e,
				    0x64, 0xc7, 0xff, 0xd9, 0xdd, 0xcd, 0x8e, 0x9c };
	u32 r = rnd();

	return r >> 24 < 56 ? often[r >> 8 & 15] : (u8)r;
}

static void fill(u8 *p)
{
	for (int i = 0; i < PIECE; i++)
		p[i] = code_byte();
	memset(p + PIECE, 0xf4, 16);             /* HLT: faults, or waits */
}

/* Addresses of data, of code, near the ends of pages; small and odd numbers. */
static u32 value(void)
{
	u32 r = rnd();

	switch (r & 7) {
	case 0: return rnd();
	case 1: return r >> 28;
	case 2: return CODE + (r >> 16 & 0x7f);
	case 3: return DATA + (r >> 8 & 0xf000) - (r >> 28);
	case 4: return -(r >> 28);
	default: return DATA + (r >> 16 & (AREA - 1));
	}
}

/* -- ways in ------------------------------------------------------------------------ */
static struct { u32 reg[8], eflags, eip, cs; } in;

static void choose(void)
{
	for (int i = 0; i < 8; i++)
		in.reg[i] = value();
	in.reg[3] = DATA + AREA / 2 + (rnd() & 0xfff) * 4;   /* ESP in POPA's order */
	in.eflags = (rnd() & (rnd() & 15 ? 0x244cd5 : 0x244dd5)) | IF | 2; /* TF: seldom */
	for (int i = 0; i < 64; i++)
		((volatile u32 *)DATA)[rnd() % (AREA / 4)] = value();
}

static void ring0(void *p)
{
	(void)p;
	__asm__ volatile("mov %1, %%eax; mov %0, %%ecx\n"
			 "mov 12(%%eax), %%edx; mov %%edx, %%esp\n"
			 "push %%ecx; push 40(%%eax); push 36(%%eax)\n"
			 "push 28(%%eax); push 24(%%eax); push 20(%%eax); push 16(%%eax)\n"
			 "push $0; push 8(%%eax); push 4(%%eax); push (%%eax)\n"
			 "popa; iret"
			 :: "r"(in.eflags), "r"(in.reg) : "memory", "eax", "ecx", "edx");
}

static void ring3(void *p)
{
	(void)p;
	__asm__ volatile("mov %1, %%eax; mov %0, %%ecx\n"
			 "push $0x23; push 12(%%eax); push %%ecx; push 40(%%eax); push 36(%%eax)\n"
			 "mov $0x23, %%edx; mov %%edx, %%ds; mov %%edx, %%es\n"
			 "mov %%edx, %%fs; mov %%edx, %%gs\n"
			 "push 28(%%eax); push 24(%%eax); push 20(%%eax); push 16(%%eax)\n"
			 "push $0; push 8(%%eax); push 4(%%eax); push (%%eax)\n"
			 "popa; iret"
			 :: "r"(in.eflags), "r"(in.reg) : "memory", "eax", "ecx", "edx");
}

static void v86(void *p)
{
	(void)p;
	__asm__ volatile("mov %1, %%eax; mov %0, %%ecx\n"
			 "push $0x3000; push $0x3000; push $0x3000; push $0x3000\n"
			 "push $0x3000; push $0x8000; push %%ecx; push $0x4000; push $0\n"
			 "push 28(%%eax); push 24(%%eax); push 20(%%eax); push 16(%%eax)\n"
			 "push $0; push 8(%%eax); push 4(%%eax); push (%%eax)\n"
			 "popa; iret"
			 :: "r"(in.eflags | VM), "r"(in.reg) : "memory", "eax", "ecx", "edx");
}

/* -- real mode: one piece, no way back ------------------------------------------------ */
extern u8 real_start[], real_end[], real_trap[];
__asm__(".text\n"
	"real_enter: ljmp $0x40, $0\n"
	".code16\n"
	"real_start: mov %cr0, %eax; and $0xfe, %al; mov %eax, %cr0\n"
	"	ljmp $0x2000, $(1f - real_start)\n"
	"1:	mov $0x3000, %ax; mov %ax, %ds; mov %ax, %es; mov %ax, %ss; mov $0x8000, %sp\n"
	"	lidtl %cs:(real_idt - real_start)\n"
	"	sti; ljmp $0x4000, $0\n"
	"real_trap: mov $0x20, %al; out %al, $0x20; out %al, $0xf4; 1: hlt; jmp 1b\n"
	"	.balign 4\n"
	"real_idt: .word 0x3ff; .long 0\n"
	"real_end:\n"
	".code32\n");
void real_enter(void);

static void real(void)
{
	memcpy((void *)0x20000, real_start, (unsigned)(real_end - real_start));
	for (int v = 0; v < 256; v++)
		((volatile u32 *)0)[v] = 0x20000000 | (u32)(real_trap - real_start);
	gdt[8] = descriptor(0x20000, 0xffff, 0x9b, 0);
	fill((u8 *)CODE_LOW);
	real_enter();
}

/* -- on and on ---------------------------------------------------------------------------- */
static void arm_timer(void)
{
	outb(0x43, 0x30);
	outb(0x40, 0xff);
	outb(0x40, 0x01);                        /* 511 ticks: 0.4 ms */
}

/* Where pieces start, by ring and size of the code segment. */
static void choose_segment(int user)
{
	in.cs = user ? 0x1b : 0x08;
	in.eip = CODE;
	if (option("16")) {
		gdt[8] = descriptor(CODE, 0xffff, user ? 0xfb : 0x9b, 0);
		in.cs = user ? 0x43 : 0x40;
		in.eip = 0;
	}
}

/* OSFXSR and OSXMMEXCPT; OSXSAVE where there is XSAVE. */
static void use_sse(void)
{
	u32 a = 1, b, c, d, cr4;

	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(d));
	__asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
	cr4 |= 0x600 | (c >> 26 & 1) << 18;
	__asm__ volatile("mov %0, %%cr4" :: "r"(cr4));
}

void guest_main(void)
{
	void (*enter)(void *) = option("ring0") ? ring0 : option("v86") ? v86 : ring3;
	u8 *code = (u8 *)(enter == v86 ? CODE_LOW : CODE);

	state = seed_of(command_line);
	outb(0x21, 0xfe);
	arm_timer();
	if (option("sse"))
		use_sse();
	choose_segment(enter == ring3);
	if (option("real"))
		real();
	paging_on();
	for (int i = 0; i < PIECES; i++) {
		fill(code);
		choose();
		arm_timer();
		if (trap_try(enter, 0) == TIMER_VECTOR)
			eoi(0);
	}
	finish();
}
