/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * System workloads: what kernels do. They have no native counterpart.
 */
#include "guest.h"

u32 codedata_run(u32 rounds);
extern void user_end(void) __attribute__((noreturn));

/* -- int80: a system call from ring 3 and back, under paging ----------------- */

static u32 calls;

static void on_int80(struct frame *f)
{
	if (!f->eax)
		user_end();
	calls = mix(calls, f->eax);
	f->eax = calls;
}

static void user_calls(u32 rounds)
{
	u32 result;

	for (u32 i = rounds * 1000; i; i--)
		__asm__ volatile("int $0x80" : "=a"(result) : "0"(i)
				 : "memory");
	__asm__ volatile("int $0x80" : : "a"(0));
}

static u32 work_int80(u32 size)
{
	trap_set(0x80, on_int80);
	paging_on();
	calls = 0;
	user_run(user_calls, size);
	paging_off();
	return calls;
}

/* -- sysenter: the same by SYSENTER and SYSEXIT ------------------------------- */

extern u8 sysenter_entry[], trap_stack_top[];

static void wrmsr(u32 msr, u32 value)
{
	__asm__ volatile("wrmsr" : : "c"(msr), "a"(value), "d"(0));
}

static void user_sysenter(u32 rounds)
{
	u32 value = 1;

	for (u32 i = rounds * 1000; i; i--)
		__asm__ volatile("mov $1f, %%edx\n\t"
				 "mov %%esp, %%ecx\n\t"
				 "sysenter\n"
				 "1:" : "+a"(value) : : "ecx", "edx", "memory");
	__asm__ volatile("int $0x80" : : "a"(0), "b"(value));
}

static void on_sysenter_end(struct frame *f)
{
	calls = f->ebx;
	user_end();
}

static u32 work_sysenter(u32 size)
{
	trap_set(0x80, on_sysenter_end);
	wrmsr(0x174, 0x08);		/* IA32_SYSENTER_CS, ESP, EIP */
	wrmsr(0x175, (u32)trap_stack_top);
	wrmsr(0x176, (u32)sysenter_entry);
	paging_on();
	user_run(user_sysenter, size);
	paging_off();
	return calls;
}

/* -- fault: pages not present, mapped by the handler of #PF ------------------- */

#define WINDOW ((u8 *)0x2000000)	/* 64 pages that come and go */
#define WINDOW_PAGES 64u

static u32 faults;

static void on_page_fault(struct frame *f)
{
	u32 cr2;

	__asm__ volatile("mov %%cr2, %0" : "=r"(cr2));
	if (f->error & PG_P)
		work_failed("fault: a page that is present");
	PAGE_TABLES[cr2 >> 12] |= PG_P;
	faults++;
}

static u32 work_fault(u32 size)
{
	u32 first = (u32)WINDOW >> 12, sum = 0;

	trap_set(14, on_page_fault);
	paging_on();
	faults = 0;
	while (size--)
		for (u32 i = 0; i < WINDOW_PAGES; i++) {
			volatile u32 *at = (u32 *)(WINDOW + i * 4096);

			PAGE_TABLES[first + i] &= ~PG_P;
			invlpg(at);
			*at = size;
			sum += *at;
		}
	paging_off();
	return mix(faults, sum);
}

/* -- cr3: reload it, then touch 64 pages -------------------------------------- */

static u32 touch_window(u32 value)
{
	u32 sum = 0;

	for (u32 i = 0; i < WINDOW_PAGES; i++) {
		volatile u32 *at = (u32 *)(WINDOW + i * 4096 + i * 4);

		sum = mix(sum, *at);
		*at += value;
	}
	return sum;
}

static void clear_window(void)
{
	for (u32 i = 0; i < WINDOW_PAGES * 1024; i++)
		((volatile u32 *)WINDOW)[i] = 0;
}

static u32 work_cr3(u32 size)
{
	u32 sum = 0;

	clear_window();
	paging_on();
	while (size--) {
		__asm__ volatile("mov %0, %%cr3" : : "r"(PAGE_DIR) : "memory");
		sum = mix(sum, touch_window(size));
	}
	paging_off();
	return sum;
}

/* -- invlpg: one page, then touch it ------------------------------------------- */

static u32 work_invlpg(u32 size)
{
	u32 sum = 0;

	clear_window();
	paging_on();
	for (u32 n = size * 1000; n; n--) {
		volatile u32 *at = (u32 *)(WINDOW + n % WINDOW_PAGES * 4096);

		invlpg(at);
		*at += n;
		sum = mix(sum, *at);
	}
	paging_off();
	return sum;
}

/* -- port: OUT to a port nobody listens to --------------------------------------- */

static u32 work_port(u32 size)
{
	u32 n = size * 1000;

	for (u32 i = n; i; i--)
		out8(0x80, (u8)i);
	return n;
}

/* -- lapic: the local APIC's ID register ------------------------------------------- */

static u32 work_lapic(u32 size)
{
	volatile u32 *id = (u32 *)0xfee00020;
	u32 n = size * 1000, sum = 0;

	for (u32 i = n; i; i--)
		sum += *id >> 24;
	return n + sum;
}

/* -- vga: the text screen, cell by cell ------------------------------------------ */

static u32 work_vga(u32 size)
{
	volatile u16 *screen = (u16 *)0xb8000;
	u32 sum = 0;

	while (size--) {
		for (u32 i = 0; i < 2000; i++)
			screen[i] = (u16)(0x0700 | ((i + size) & 0x7f));
		sum = mix(sum, screen[size % 2000]);
	}
	return sum;
}

/* -- smc: change an operand, run it -------------------------------------------- */

static u32 work_smc(u32 size)
{
	volatile u8 *code = heap;
	u32 sum = 0;

	code[0] = 0xb8;			/* mov $imm32, %eax */
	code[5] = 0xc3;			/* ret */
	for (u32 n = size * 1000; n; n--) {
		*(volatile u32 *)(code + 1) = n;
		sum = mix(sum, ((u32 (*)(void))(u32)code)());
	}
	return sum;
}

/* -- codedata: a counter in the page of the code that counts --------------------- */

static u32 work_codedata(u32 size)
{
	return codedata_run(size * 1000);
}

/* -- pit: latch and read counter 0 ---------------------------------------------- */

static u32 pit_read(void)
{
	u32 low;

	out8(0x43, 0x00);
	low = in8(0x40);
	return low | (u32)in8(0x40) << 8;
}

static u32 work_pit(u32 size)
{
	u32 n = size * 1000, last, changes = 0;

	out8(0x43, 0x34);		/* counter 0, mode 2, 65536 */
	out8(0x40, 0);
	out8(0x40, 0);
	last = pit_read();
	for (u32 i = n; i; i--) {
		u32 now = pit_read();

		changes += now != last;
		last = now;
	}
	if (!changes)
		work_failed("pit: the counter stands still");
	return n;
}

/* -- tick: timer interrupts, waited for with HLT --------------------------------- */

static volatile u32 ticks;

/* Counter 0 fires once, a tenth of a millisecond from now. */
static void pit_arm(void)
{
	out8(0x43, 0x30);		/* mode 0 */
	out8(0x40, 119);
	out8(0x40, 0);
}

static void on_tick(struct frame *f)
{
	(void)f;
	ticks++;
	out8(0x20, 0x20);		/* end of interrupt */
}

static void pic_init(void)
{
	static const struct {
		u8 port, value;
	} writes[] = {
		{ 0x20, 0x11 }, { 0x21, 32 }, { 0x21, 4 }, { 0x21, 1 },
		{ 0xa0, 0x11 }, { 0xa1, 40 }, { 0xa1, 2 }, { 0xa1, 1 },
		{ 0x21, 0xfe }, { 0xa1, 0xff },
	};

	for (u32 i = 0; i < sizeof writes / sizeof *writes; i++)
		out8(writes[i].port, writes[i].value);
}

static u32 work_tick(u32 size)
{
	trap_set(32, on_tick);
	pic_init();
	for (ticks = 0; ticks < size;) {
		u32 before = ticks;

		pit_arm();
		while (ticks == before)
			__asm__ volatile("sti\n\thlt\n\tcli" : : : "memory");
	}
	return ticks;
}

const struct workload system_works[] = {
	{ "int80", work_int80 },	{ "sysenter", work_sysenter },
	{ "fault", work_fault },	{ "cr3", work_cr3 },
	{ "invlpg", work_invlpg },	{ "port", work_port },
	{ "lapic", work_lapic },	{ "vga", work_vga },
	{ "smc", work_smc },		{ "codedata", work_codedata },
	{ "pit", work_pit },		{ "tick", work_tick },
	{ 0, 0 },
};
