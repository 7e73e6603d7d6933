/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Debug registers: breakpoints on instructions, data and ports, DR6, RF, GD.
 * SDM vol. 3B chapter 17. */
#include "guest.h"

enum { DB = 1, GP = 13, UD = 6, PF = 14 };
enum { EXEC, WRITE, IO, RW };
enum { LEN1, LEN2, LEN8, LEN4 };
enum { RF = 1 << 16, BS = 1 << 14, BD = 1 << 13, GD = 1 << 13, CR4_DE = 8 };

static void set_dr(int n, u32 v)
{
	switch (n) {
	case 0: __asm__ volatile("mov %0, %%dr0" :: "r"(v)); break;
	case 1: __asm__ volatile("mov %0, %%dr1" :: "r"(v)); break;
	case 2: __asm__ volatile("mov %0, %%dr2" :: "r"(v)); break;
	case 3: __asm__ volatile("mov %0, %%dr3" :: "r"(v)); break;
	case 6: __asm__ volatile("mov %0, %%dr6" :: "r"(v)); break;
	case 7: __asm__ volatile("mov %0, %%dr7" :: "r"(v)); break;
	}
}

static u32 get_dr6(void) { u32 v; __asm__ volatile("mov %%dr6, %0" : "=r"(v)); return v; }
static u32 get_dr7(void) { u32 v; __asm__ volatile("mov %%dr7, %0" : "=r"(v)); return v; }

/* Breakpoint n at addr. */
static void arm(int n, u32 addr, int kind, int len)
{
	u32 dr7 = get_dr7() & ~(0xfu << (16 + 4 * n) | 3u << 2 * n);

	set_dr(n, addr);
	set_dr(6, 0);
	set_dr(7, dr7 | (u32)(kind | len << 2) << (16 + 4 * n) | 2u << 2 * n);
}

static void disarm(void) { set_dr(7, 0); set_dr(6, 0); }

/* -- what the handler saw ---------------------------------------------------------- */
static volatile u32 hits, hit_eip[16], hit_dr6[16], hit_eflags, resume;

static void on_debug(struct frame *f)
{
	if (hits < N_ELEM(hit_eip)) {
		hit_eip[hits] = f->eip;
		hit_dr6[hits] = get_dr6();
	}
	hit_eflags = f->eflags;
	hits++;
	set_dr(6, 0);
	f->eflags |= resume;
}

static void start(u32 rf)
{
	hits = 0;
	resume = rf;
	for (unsigned i = 0; i < N_ELEM(hit_eip); i++)
		hit_eip[i] = hit_dr6[i] = 0;
}

static volatile u8 cell[64] __attribute__((aligned(64)));
static volatile u8 stk[4096] __attribute__((aligned(64)));
static volatile u8 pages[3][4096] __attribute__((aligned(4096)));
static volatile u32 at[4];

/* -- instructions -------------------------------------------------------------------- */
static void __attribute__((noinline)) run_marked(void)
{
	__asm__ volatile("xor %%eax, %%eax\n"
			 "	mov $3, %%ecx\n"
			 ".globl bp_loop, bp_next\n"
			 "bp_loop: add $1, %%eax\n"
			 "bp_next: dec %%ecx; jnz bp_loop\n"
			 "	mov %%eax, %0" : "=m"(at[0]) :: "eax", "ecx");
}
extern u8 bp_loop[], bp_next[];

static void check_exec(void)
{
	run_marked();                            /* known code, not only new */
	arm(0, (u32)bp_loop, EXEC, LEN1);
	start(RF);
	run_marked();
	CHECK_EQ("exec-hits", hits, 3);
	CHECK_EQ("exec-eip", hit_eip[0], (u32)bp_loop);
	CHECK_EQ("exec-dr6", hit_dr6[0] & 0xe00f, 1);
	CHECK_EQ("exec-runs-on", at[0], 3);
	CHECK_EQ("exec-frame-rf", hit_eflags & RF, 0);

	arm(1, (u32)bp_next, EXEC, LEN1);
	start(RF);
	run_marked();
	CHECK_EQ("exec-two-hits", hits, 6);
	CHECK_EQ("exec-two-dr6", hit_dr6[1] & 0xf, 2);
	disarm();
	start(RF);
	run_marked();
	CHECK_EQ("exec-off", hits, 0);
	arm(0, (u32)bp_loop + 1, EXEC, LEN1);    /* not where it starts */
	run_marked();
	CHECK_EQ("exec-inside", hits, 0);
	disarm();
}

/* -- data ------------------------------------------------------------------------------ */
static void check_data(void)
{
	volatile u32 *w = (u32 *)cell;
	u32 v;

	arm(0, (u32)cell, WRITE, LEN4);
	start(0);
	v = w[0];
	barrier();
	CHECK_EQ("write-read", hits, 0);
	__asm__ volatile("movl $1f, %0; movl $7, %1; 1: nop; nop" : "=m"(at[0]), "=m"(w[0]));
	CHECK_EQ("write-hits", hits, 1);
	CHECK_EQ("write-eip", hit_eip[0], at[0]);
	CHECK_EQ("write-dr6", hit_dr6[0] & 0xe00f, 1);
	CHECK_EQ("write-done", w[0], 7);
	w[1] = 1;
	cell[4] = 2;
	CHECK_EQ("write-beside", hits, 1);
	cell[3] = 1;
	CHECK_EQ("write-byte", hits, 2);
	*(volatile u32 *)(cell + 3) = v;
	CHECK_EQ("write-overlap", hits, 3);
	__asm__ volatile("incl %0" : "+m"(w[0]));
	CHECK_EQ("write-rmw", hits, 4);
	__asm__ volatile("lock; xaddl %1, %0" : "+m"(w[0]), "+r"(v));
	CHECK_EQ("write-lock", hits, 5);
	disarm();

	arm(2, (u32)cell + 8, RW, LEN2);
	start(0);
	v = w[2];
	barrier();
	CHECK_EQ("rw-read", hits, 1);
	CHECK_EQ("rw-dr6", hit_dr6[0] & 0xf, 4);
	w[2] = v;
	CHECK_EQ("rw-write", hits, 2);
	v = cell[10];
	barrier();
	CHECK_EQ("rw-beside", hits, 2);
	disarm();
	w[2] = v;
	CHECK_EQ("data-off", hits, 2);
}

/* In ring 3: the handler's frame goes to another stack than the watched one. */
static void push_pop(void)
{
	__asm__ volatile("mov %%esp, %%ecx; lea %1, %%esp; push $5\n"
			 "1: pop %%eax\n"
			 "2: nop; mov %%ecx, %%esp; movl $1b, %0; movl $2b, %2"
			 : "=m"(at[0]), "=m"(stk[4036]), "=m"(at[1]) :: "eax", "ecx");
}

/* RET from a watched slot: the trap comes at the target. */
static void call_ret(void)
{
	__asm__ volatile("mov %%esp, %%ecx; lea %1, %%esp; movl $1f, %0; call 2f\n"
			 "1: mov %%ecx, %%esp; jmp 3f\n"
			 "2: movl $2b, %2; ret\n"
			 "3:" : "=m"(at[0]), "=m"(stk[4036]), "=m"(at[1]) :: "eax", "ecx");
}

static void check_stack(void)
{
	arm(3, (u32)&stk[4032], RW, LEN4);
	start(0);
	user_try(push_pop);
	CHECK_EQ("stack-hits", hits, 2);
	CHECK_EQ("stack-push", hit_eip[0], at[0]);
	CHECK_EQ("stack-pop", hit_eip[1], at[1]);
	start(0);
	user_try(call_ret);
	CHECK_EQ("ret-hits", hits, 2);
	CHECK_EQ("call-trap", hit_eip[0], at[1]);
	CHECK_EQ("ret-trap", hit_eip[1], at[0]);
	disarm();
}

static void check_string(void)
{
	u32 n, d;

	arm(0, (u32)&cell[18], WRITE, LEN2);
	start(0);
	__asm__ volatile("1: rep stosb; 2: nop; movl $1b, %2; movl $2b, %3"
			 : "=D"(d), "=c"(n), "=m"(at[0]), "=m"(at[1])
			 : "0"(&cell[16]), "1"(8), "a"(0x55) : "memory");
	CHECK_EQ("rep-hits", hits, 2);
	CHECK_EQ("rep-eip", hit_eip[0], at[0]);
	CHECK_EQ("rep-done", d, (u32)&cell[24]);
	CHECK_EQ("rep-data", cell[23], 0x55);
	start(0);
	__asm__ volatile("rep stosb; 2: nop; movl $2b, %2"
			 : "=D"(d), "=c"(n), "=m"(at[1])
			 : "0"(&cell[16]), "1"(4), "a"(0x66) : "memory");
	if (!upstream_lacks("rep-last"))
		CHECK_EQ("rep-last", hit_eip[1], at[1]);
	disarm();
}

/* One access meets two breakpoints; across a page; and one that faults. */
static void check_pages(void)
{
	arm(0, (u32)&pages[0][4094], WRITE, LEN2);
	arm(1, (u32)&pages[1][0], WRITE, LEN1);
	start(0);
	*(volatile u32 *)&pages[0][4094] = 1;
	CHECK_EQ("pages-hits", hits, 1);
	if (!upstream_lacks("pages-dr6"))
		CHECK_EQ("pages-dr6", hit_dr6[0] & 0xf, 3);
	disarm();
	/* code in the watched page goes on */
	arm(0, (u32)&pages[2][100], WRITE, LEN1);
	start(0);
	for (int i = 0; i < 1000; i++)
		((volatile u8 *)pages[2])[i] = (u8)i;
	CHECK_EQ("page-beside", hits, 1);
	CHECK_EQ("page-data", pages[2][999], 999 & 0xff);
	disarm();
}

/* -- ports --------------------------------------------------------------------------------- */
static void check_ports(void)
{
	u32 cr4 = get_cr4();

	arm(0, 0x80, IO, LEN1);
	start(0);
	outb(0x80, 1);
	if (!upstream_lacks("io-without-de"))
		CHECK_EQ("io-without-de", hits, 0);
	set_cr4(cr4 | CR4_DE);
	arm(0, 0x80, IO, LEN1);
	start(0);
	__asm__ volatile("movl $1f, %0; outb %%al, $0x80; 1: nop; nop" : "=m"(at[0]));
	CHECK_EQ("io-hits", hits, 1);
	CHECK_EQ("io-eip", hit_eip[0], at[0]);
	inb(0x81);
	CHECK_EQ("io-beside", hits, 1);
	outw(0x7f, 0);
	CHECK_EQ("io-overlap", hits, 2);
	disarm();
	set_cr4(cr4);
}

/* -- general detect, single step ---------------------------------------------------------------- */
static void read_dr0(void *p)
{
	(void)p;
	__asm__ volatile("mov %%dr0, %%eax" ::: "eax");
}

static void check_detect(void)
{
	if (upstream_lacks("general-detect"))
		return;
	set_dr(7, GD);
	start(0);
	trap_handler[DB] = 0;
	CHECK_EQ("gd-vector", trap_try(read_dr0, 0), DB);
	CHECK_EQ("gd-dr6", get_dr6() & 0xe00f, BD);
	CHECK_EQ("gd-off-in-handler", get_dr7() & GD, 0);
	trap_handler[DB] = on_debug;
	disarm();
}

static void check_both(void)
{
	volatile u32 *w = (u32 *)cell;

	arm(0, (u32)cell, WRITE, LEN4);
	start(0);
	__asm__ volatile("pushf; orl $0x100, (%%esp); popf\n"
			 "movl $1, %0\n"
			 "pushf; andl $~0x100, (%%esp); popf" : "=m"(w[0]) :: "memory");
	CHECK_EQ("step-and-data", hit_dr6[0] & 0xe00f, BS | 1);
	if (!upstream_lacks("step-hits"))
		CHECK_EQ("step-hits", hits, 4);
	disarm();
}

void guest_main(void)
{
	trap_handler[DB] = on_debug;
	check_exec();
	check_data();
	check_stack();
	check_string();
	check_pages();
	check_ports();
	check_detect();
	check_both();
	paging_on();
	check_exec();
	check_data();
	check_pages();
	paging_off();
	finish();
}
