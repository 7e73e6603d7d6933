/* SPDX-License-Identifier: GPL-2.0-or-later */
/* 8254, RTC and 8259 as a kernel uses them: rates against each other,
 * interrupts, priorities, masks. Times are checked loosely: the host may be
 * busy. */
#include "guest.h"

static volatile u32 ticks, rtcs, rtc_flags;

static void on_tick(struct frame *f)
{
	(void)f;
	ticks++;
	eoi(0);
}

static void on_rtc(struct frame *f)
{
	(void)f;
	rtc_flags = cmos(0x0c);
	rtcs++;
	eoi(8);
}

static void pit_program(u8 control, u16 count)
{
	outb(0x43, control);
	outb(0x40, count);
	outb(0x40, count >> 8);
}

static int near(u32 v, u32 want, u32 percent)
{
	return v * 100 >= want * (100 - percent) && v * 100 <= want * (100 + percent);
}

static void rtc_second(void)
{
	u8 s;

	while (cmos(0x0a) & 0x80)
		;
	for (s = cmos(0); cmos(0) == s;)
		;
}

static void counts(void)
{
	u16 a, b;
	u8 status;

	pit_program(0x34, 0xffff);
	a = pit_count();
	pit_wait(1193);
	b = pit_count();
	CHECK("counts-down", (u16)(a - b) >= 1193 && (u16)(a - b) < 30000);
	outb(0x43, 0xe2);                     /* status of counter 0        */
	status = inb(0x40);
	CHECK_EQ("status", status & 0x3f, 0x34);
}

/* A second of the RTC, measured by counter 2. A busy host makes it look longer or
 * shorter: the first good one of three counts, here and below. */
enum { TRIES = 3 };

static void second_by_pit(void)
{
	u32 n = 0;

	for (int i = 0; i < TRIES && !near(n, 100, 25); i++) {
		u8 s;

		rtc_second();
		s = cmos(0);
		for (n = 0; cmos(0) == s && n < 400; n++)
			pit_wait(11932);      /* 10 ms                      */
	}
	CHECK("second-by-pit", near(n, 100, 25));
}

static void tick_rate(void)
{
	u32 n = 0;

	irq_unmask(0, on_tick);
	pit_program(0x34, 11932);             /* 100 Hz, mode 2             */
	for (int i = 0; i < TRIES && !near(n, 100, 15); i++) {
		rtc_second();
		__asm__ volatile("sti");
		n = ticks;
		rtc_second();
		n = ticks - n;
		__asm__ volatile("cli");
	}
	CHECK("100-hz", near(n, 100, 15));
	pit_program(0x36, 11932);             /* mode 3                     */
	__asm__ volatile("sti");
	n = ticks;
	rtc_second();
	n = ticks - n;
	__asm__ volatile("cli");
	CHECK("100-hz-square", n > 20);
}

static void hlt_waits(void)
{
	u32 before = ticks;

	__asm__ volatile("sti");
	for (int i = 0; i < 10; i++)
		__asm__ volatile("hlt");
	__asm__ volatile("cli");
	CHECK("hlt-ends-by-interrupt", ticks - before >= 10);
}

/* Loops that no jump closes which is direct and backward: by RET, by an indirect jump
 * and by an indirect call, each with the stack in use. */
static void loops(void)
{
	u32 before = ticks;

	__asm__ volatile("sti");
	__asm__ volatile(
		"1:	cmpl	%1, %0\n"
		"	jne	2f\n"
		"	pushl	$1b\n"
		"	ret\n"
		"2:" :: "m"(ticks), "r"(before) : "memory", "cc");
	before = ticks;
	__asm__ volatile(
		"	movl	$1f, %%eax\n"
		"1:	pushl	%%eax\n"
		"	popl	%%edx\n"
		"	cmpl	%1, %0\n"
		"	jne	2f\n"
		"	jmp	*%%edx\n"
		"2:" :: "m"(ticks), "r"(before) : "eax", "edx", "memory", "cc");
	before = ticks;
	__asm__ volatile(
		"	movl	$1f, %%eax\n"
		"	call	*%%eax\n"
		"1:	addl	$4, %%esp\n"
		"	cmpl	%1, (%0)\n"
		"	jne	2f\n"
		"	call	*%%eax\n"
		"2:" :: "S"(&ticks), "r"(before) : "eax", "memory", "cc");
	__asm__ volatile("cli");
	CHECK("loops-without-backward-jumps", 1);
}

static void masks(void)
{
	u32 before;

	outb(0x21, inb(0x21) | 1);
	before = ticks;
	__asm__ volatile("sti");
	pit_wait(60000);
	__asm__ volatile("cli");
	CHECK_EQ("masked", ticks, before);
	outb(0x20, 0x0a);
	CHECK_EQ("masked-pends", inb(0x20) & 1, 1);
	outb(0x21, inb(0x21) & ~1);
	__asm__ volatile("sti; nop; nop; cli");
	CHECK("unmasked-comes", ticks > before);
	before = ticks;
	pit_wait(60000);
	CHECK_EQ("if-clear-holds", ticks, before);
	outb(0x21, 0xff);
}

static void one_shot(void)
{
	u32 before;

	irq_unmask(0, on_tick);
	outb(0x43, 0x30);                     /* mode 0: once               */
	__asm__ volatile("sti; nop; nop; cli");   /* what still pends       */
	before = ticks;
	outb(0x40, 12000 & 0xff);
	outb(0x40, 12000 >> 8);
	__asm__ volatile("sti");
	pit_wait(60000);
	pit_wait(60000);
	__asm__ volatile("cli");
	CHECK_EQ("one-shot", ticks - before, 1);
	pit_program(0x38, 12000);             /* mode 4: Linux' one-shot    */
	before = ticks;
	__asm__ volatile("sti");
	pit_wait(60000);
	pit_wait(60000);
	__asm__ volatile("cli");
	CHECK_EQ("one-shot-strobe", ticks - before, 1);
	outb(0x21, 0xff);
}

static void rtc_interrupts(void)
{
	u32 n;

	cmos_set(0x0b, 0x12);
	cmos(0x0c);
	irq_unmask(8, on_rtc);
	__asm__ volatile("sti");
	n = rtcs;
	while (rtcs - n < 2)
		__asm__ volatile("hlt");
	__asm__ volatile("cli");
	CHECK_EQ("update-ended", rtc_flags & 0x90, 0x90);
	cmos_set(0x0a, 0x2a);                 /* 64 Hz                      */
	cmos_set(0x0b, 0x42);
	cmos(0x0c);
	__asm__ volatile("sti");
	n = 0;
	for (int i = 0; i < TRIES && !near(n, 64, 20); i++) {
		rtc_second();
		n = rtcs;
		rtc_second();
		n = rtcs - n;
	}
	__asm__ volatile("cli");
	CHECK("periodic-64-hz", near(n, 64, 20));
	CHECK_EQ("periodic-flag", rtc_flags & 0xc0, 0xc0);
	for (int i = 1; i <= 5; i += 2)
		cmos_set(i, 0xff);            /* every second               */
	cmos_set(0x0b, 0x22);
	cmos(0x0c);
	n = rtcs;
	__asm__ volatile("sti");
	while (rtcs == n)
		__asm__ volatile("hlt");
	__asm__ volatile("cli");
	CHECK_EQ("alarm", rtc_flags & 0xa0, 0xa0);
	cmos_set(0x0b, 0x02);
	outb(0xa1, 0xff);
}

static int bcd(u8 v) { return (v & 15) < 10 && (v >> 4) < 10; }

static void clock_is_sane(void)
{
	u8 year = cmos(9), month = cmos(8), day = cmos(7), hour = cmos(4);

	CHECK("bcd", bcd(year) && bcd(month) && bcd(day) && bcd(hour));
	CHECK("ranges", month >= 1 && month <= 0x12 && day >= 1 && day <= 0x31 &&
	      hour <= 0x23);
	CHECK_EQ("century", cmos(0x32), 0x20);
	CHECK_EQ("valid-ram", cmos(0x0d) & 0x80, 0x80);
	CHECK_EQ("base-memory", cmos(0x15) | cmos(0x16) << 8, 640);
	CHECK_EQ("extended-memory", cmos(0x17) | cmos(0x18) << 8, 31 * 1024);
	CHECK_EQ("memory-above-16m", cmos(0x34) | cmos(0x35) << 8, 16 * 16);
}

void guest_main(void)
{
	clock_is_sane();
	counts();
	second_by_pit();
	tick_rate();
	hlt_waits();
	loops();
	masks();
	one_shot();
	rtc_interrupts();
}
