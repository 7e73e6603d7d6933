/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keyboard controller, keyboard, and the A20 gate it drives. */
#include "guest.h"

static int wait_full(void)
{
	for (u32 i = 0; i < 1000000; i++)
		if (inb(0x64) & 1)
			return 1;
	return 0;
}

static void wait_empty(void)
{
	for (u32 i = 0; i < 1000000 && inb(0x64) & 2; i++)
		;
}

static u32 answer(void) { return wait_full() ? inb(0x60) : 0x100; }

static void flush(void)
{
	for (int i = 0; i < 64 && inb(0x64) & 1; i++)
		inb(0x60);
}

static void command(u8 c) { wait_empty(); outb(0x64, c); }
static void data(u8 v) { wait_empty(); outb(0x60, v); }

static volatile u32 irqs;
static void on_key(struct frame *f)
{
	(void)f;
	irqs++;
	eoi(1);
}

static void controller(void)
{
	u32 ctr;

	flush();
	command(0xaa);
	CHECK_EQ("self-test", answer(), 0x55);
	command(0xab);
	CHECK_EQ("interface-test", answer(), 0);
	command(0xae);
	command(0x20);
	ctr = answer();
	command(0x60);
	data(ctr ^ 0x40);
	command(0x20);
	CHECK_EQ("command-byte", answer(), ctr ^ 0x40);
	command(0x60);
	data((ctr & ~1u) | 0x40);
}

static void keyboard(void)
{
	data(0xee);
	CHECK_EQ("echo", answer(), 0xee);
	data(0xf2);
	CHECK_EQ("id-ack", answer(), 0xfa);
	CHECK_EQ("id-1", answer(), 0xab);
	CHECK_EQ("id-2-translated", answer(), 0x41);
	data(0xed);
	CHECK_EQ("leds-ack", answer(), 0xfa);
	data(0x07);
	CHECK_EQ("leds-argument-ack", answer(), 0xfa);
	data(0xff);
	CHECK_EQ("reset-ack", answer(), 0xfa);
	CHECK_EQ("reset-passed", answer(), 0xaa);
	data(0xf4);
	CHECK_EQ("enable-ack", answer(), 0xfa);
	CHECK_EQ("then-empty", inb(0x64) & 1, 0);
}

static void interrupt(void)
{
	command(0x60);
	data(0x41);
	irq_unmask(1, on_key);
	data(0xee);
	__asm__ volatile("sti");
	for (u32 i = 0; i < 1000000 && !irqs; i++)
		inb(0x64);
	__asm__ volatile("cli");
	CHECK_EQ("irq1", irqs, 1);
	CHECK_EQ("irq1-byte", answer(), 0xee);
	outb(0x21, 0xff);
}

/* With both gates off bit 20 of every address is 0. The image lies at 1 MB
 * and its stack too, so this is copied to where bit 20 is 0 anyway, and it
 * touches no memory but the word at 100700h. */
extern u8 a20_probe[], a20_probe_end[];
__asm__(
	"	.text\n"
	"a20_probe:\n"
	"	in $0x92, %al\n	and $0xfd, %al\n	out %al, $0x92\n"
	"	mov $0xdd, %al\n	out %al, $0x64\n"
	"1:	in $0x64, %al\n	test $2, %al\n	jnz 1b\n"
	"	mov 0x100700, %ecx\n"
	"	mov $0xdf, %al\n	out %al, $0x64\n"
	"2:	in $0x64, %al\n	test $2, %al\n	jnz 2b\n"
	"	mov %ecx, %eax\n"
	"	ret\n"
	"a20_probe_end:\n"
);

static void a20(void)
{
	volatile u32 *low = (u32 *)0x700, *high = (u32 *)0x100700;
	u32 save = *high;
	u8 *copy = (u8 *)0x8000;

	*low = 0x11111111;
	*high = 0x22222222;
	CHECK_EQ("a20-on", *low, 0x11111111);
	memcpy(copy, a20_probe, a20_probe_end - a20_probe);
	CHECK_EQ("a20-off", ((u32 (*)(void))copy)(), 0x11111111);
	CHECK_EQ("a20-on-again", *high, 0x22222222);
	*high = save;
}

void guest_main(void)
{
	controller();
	keyboard();
	interrupt();
	a20();
}
