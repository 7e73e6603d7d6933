/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The UART as drivers probe it. The text goes through the same one, so the
 * checks come when it is back to normal. */
#include "guest.h"

enum { UART = 0x3f8 };

static volatile u32 irqs, iirs[64];
static void on_uart(struct frame *f)
{
	u8 iir;

	(void)f;
	while (!((iir = inb(UART + 2)) & 1)) {
		if (irqs < 64)
			iirs[irqs] = iir & 0x0f;
		irqs++;
		if ((iir & 0x0f) == 0x0c || (iir & 0x0f) == 4)
			inb(UART);
	}
	eoi(4);
}

void guest_main(void)
{
	u8 scratch, msr, fifo, first, loop[4];
	u32 transmit, n = 0;

	outb(UART + 7, 0x5a);
	scratch = inb(UART + 7);
	outb(UART + 2, 7);
	fifo = inb(UART + 2) >> 6;
	outb(UART + 4, 0x1a);
	msr = inb(UART + 6) & 0xf0;
	outb(UART + 4, 0x10);
	for (int i = 0; i < 4; i++)
		outb(UART, 0x30 + i);
	while (n < 4 && inb(UART + 5) & 1)
		loop[n++] = inb(UART);
	outb(UART + 4, 0x0b);
	CHECK_EQ("scratch", scratch, 0x5a);
	CHECK_EQ("fifo", fifo, 3);
	CHECK_EQ("loopback-msr", msr, 0x90);
	CHECK_EQ("loopback-bytes", n, 4);
	CHECK_EQ("loopback-first", loop[0], 0x30);
	CHECK_EQ("loopback-last", loop[3], 0x33);

	irq_unmask(4, on_uart);
	outb(UART + 1, 2);                    /* transmitter empty          */
	__asm__ volatile("sti");
	for (u32 i = 0; i < 1000000 && !irqs; i++)
		inb(0x61);
	__asm__ volatile("cli");
	transmit = irqs;
	first = iirs[0];
	outb(UART + 1, 0);
	CHECK("transmit-interrupt", transmit >= 1);
	CHECK_EQ("transmit-iir", first, 2);

	/* One byte below the trigger: the time-out tells of it. */
	outb(UART + 2, 0xc7);
	outb(UART + 1, 1);
	outb(UART + 4, 0x1b);
	irqs = 0;
	outb(UART, 'x');
	__asm__ volatile("sti");
	for (u32 i = 0; i < 1000000 && !irqs; i++)
		inb(0x61);
	__asm__ volatile("cli");
	outb(UART + 1, 0);
	outb(UART + 4, 0x0b);
	CHECK_EQ("timeout-iir", iirs[0], 0x0c);
	outb(0x21, 0xff);
}
