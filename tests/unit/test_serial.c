/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hw/serial: the 16550A as drivers probe and use it. */
#include "fake_hw.h"

#include <string.h>

#include "child.h"
#include "env/lockstat.h"
#include "env/thread.h"
#include "hw/serial.h"
#include "qemu/chardev.h"

enum { DATA = 0x3f8, IER, IIR, LCR, MCR, LSR, MSR, SCR };

static int lock_free;

void memory_region_clear_global_locking(struct memory_region *mr)
{
	(void)mr;
	lock_free++;
}

/* -- a character device that keeps what it is sent ---------------------------- */
static u8 sent[4096];
static int n_sent, accepts;
static chr_can_read_fn *can_read;
static chr_read_fn *deliver;
static void *reader;

void chardev_post(struct chardev *c, const u8 *buf, int n)
{
	(void)c;
	for (int i = 0; i < n; i++)
		sent[n_sent++ % sizeof(sent)] = buf[i];
}

void chardev_set_reader(struct chardev *c, chr_can_read_fn *can, chr_read_fn *rd,
			void *opaque)
{
	(void)c;
	can_read = can;
	deliver = rd;
	reader = opaque;
}

void chardev_accept_input(struct chardev *c) { (void)c, accepts++; }

/* -------------------------------------------------------------------------------- */
static struct fake_line irq;
static struct serial *serial;

static void setup(void)
{
	struct irq_line l = fake_line(&irq);

	serial = serial_new(NULL, DATA, &l, NULL);
	outb(LCR, 3);
	outb(MCR, 0x0b);
}

static void input(const char *text)
{
	deliver(reader, (const u8 *)text, strlen(text));
}

START_TEST(scratch_and_divisor)
{
	setup();
	for (int v = 0; v < 256; v++) {
		outb(SCR, v);
		ck_assert_uint_eq(inb(SCR), v);
	}
	outb(LCR, 0x83);
	outb(DATA, 0x34);
	outb(IER, 0x12);
	ck_assert_uint_eq(inb(DATA), 0x34);
	ck_assert_uint_eq(inb(IER), 0x12);
	outb(LCR, 3);
	ck_assert_uint_eq(inb(IER), 0);
	ck_assert_int_eq(n_sent, 0);
	outb(IER, 0xff);
	ck_assert_uint_eq(inb(IER), 0x0f);
}
END_TEST

/* What Linux' 8250 driver looks for, in its order. */
START_TEST(autoconfig)
{
	setup();
	outb(IER, 0);
	ck_assert_uint_eq(inb(IER) & 0x0f, 0);
	outb(IER, 0x0f);
	ck_assert_uint_eq(inb(IER) & 0x0f, 0x0f);
	outb(IER, 0);
	outb(MCR, 0x10 | 0x0a);                /* loopback, RTS, OUT2       */
	ck_assert_uint_eq(inb(MSR) & 0xf0, 0x90);
	outb(MCR, 0x0b);
	outb(IIR, 0x01);
	ck_assert_uint_eq(inb(IIR) >> 6, 3);   /* a 16550A                  */
	outb(IIR, 0);
	ck_assert_uint_eq(inb(IIR) >> 6, 0);
	outb(IIR, 0x07);
	outb(MCR, 0x10);
	outb(LCR, 0x83);
	outb(DATA, 1);
	outb(IER, 0);
	outb(LCR, 3);
	for (int i = 0; i < 256; i++)          /* size of the FIFO          */
		outb(DATA, i);
	for (int i = 0; i < 16; i++) {
		ck_assert_uint_eq(inb(LSR) & 1, 1);
		ck_assert_uint_eq(inb(DATA), i);
	}
	ck_assert_uint_eq(inb(LSR) & 1, 0);
	ck_assert_int_eq(n_sent, 0);
}
END_TEST

START_TEST(transmit_interrupts)
{
	setup();
	outb(IIR, 7);
	outb(IER, 2);
	ck_assert_int_eq(irq.level, 1);        /* THR is empty              */
	ck_assert_uint_eq(inb(IIR), 0xc2);
	ck_assert_int_eq(irq.level, 0);        /* said once                 */
	ck_assert_uint_eq(inb(IIR), 0xc1);
	for (int i = 0; i < 10; i++) {
		outb(DATA, 'a' + i);
		ck_assert_int_eq(irq.level, 1);
		ck_assert_uint_eq(inb(LSR), 0x60);
	}
	ck_assert_uint_eq(irq.rises, 11);
	ck_assert_uint_eq(inb(IIR), 0xc2);
	outb(IER, 0);
	outb(IER, 2);                          /* asked again: empty still  */
	ck_assert_uint_eq(inb(IIR), 0xc2);
	ck_assert_int_eq(n_sent, 10);
	ck_assert_mem_eq(sent, "abcdefghij", 10);
}
END_TEST

START_TEST(receive_without_fifo)
{
	setup();
	outb(IER, 1);
	ck_assert_int_eq(can_read(reader), 1);
	input("x");
	ck_assert_int_eq(can_read(reader), 0);
	ck_assert_int_eq(irq.level, 1);
	ck_assert_uint_eq(inb(IIR), 0x04);
	accepts = 0;
	ck_assert_uint_eq(inb(DATA), 'x');
	ck_assert_int_eq(irq.level, 0);
	ck_assert_int_eq(accepts, 1);
	ck_assert_int_eq(can_read(reader), 1);
}
END_TEST

START_TEST(trigger_levels)
{
	static const int level[4] = { 1, 4, 8, 14 };

	setup();
	outb(IER, 1);
	for (int i = 0; i < 4; i++) {
		outb(IIR, 0x07 | i << 6);
		for (int n = 1; n <= 16; n++) {
			input("q");
			ck_assert_int_eq(irq.level, n >= level[i]);
			ck_assert_uint_eq(inb(IIR),
					  n >= level[i] ? 0xc4 : 0xc1);
		}
		ck_assert_int_eq(can_read(reader), 0);
		for (int n = 15; n >= 0; n--) {
			ck_assert_uint_eq(inb(DATA), 'q');
			ck_assert_int_eq(irq.level, n >= level[i]);
		}
	}
}
END_TEST

START_TEST(character_timeout)
{
	setup();
	outb(IIR, 0xc7);
	outb(IER, 1);
	input("abc");
	ck_assert_int_eq(irq.level, 0);
	fake_pass(1000000);
	ck_assert_int_eq(irq.level, 1);
	ck_assert_uint_eq(inb(IIR), 0xcc);
	ck_assert_uint_eq(inb(DATA), 'a');
	ck_assert_int_eq(irq.level, 0);
	fake_pass(1000000);
	ck_assert_int_eq(irq.level, 1);
	inb(DATA);
	inb(DATA);
	fake_pass(1000000);
	ck_assert_int_eq(irq.level, 0);
}
END_TEST

START_TEST(overrun_in_loopback)
{
	setup();
	outb(IIR, 7);
	outb(IER, 4);
	outb(MCR, 0x10);
	for (int i = 0; i < 16; i++)
		outb(DATA, i);
	ck_assert_int_eq(irq.level, 0);
	outb(DATA, 99);
	ck_assert_uint_eq(inb(IIR), 0xc6);
	ck_assert_uint_eq(inb(LSR), 0x63);
	ck_assert_int_eq(irq.level, 0);
	ck_assert_uint_eq(inb(LSR), 0x61);
	ck_assert_uint_eq(inb(DATA), 0);
}
END_TEST

START_TEST(modem_status)
{
	setup();
	inb(MSR);
	outb(IER, 8);
	ck_assert_uint_eq(inb(MSR), 0xb0);
	outb(MCR, 0x10);                       /* everything falls          */
	ck_assert_int_eq(irq.level, 1);
	ck_assert_uint_eq(inb(IIR), 0x00);
	ck_assert_uint_eq(inb(MSR), 0x0b);
	ck_assert_int_eq(irq.level, 0);
	outb(MCR, 0x14);                       /* RI rises: no delta        */
	ck_assert_uint_eq(inb(MSR), 0x40);
	outb(MCR, 0x10);                       /* and falls                 */
	ck_assert_uint_eq(inb(MSR), 0x04);
}
END_TEST

START_TEST(fifo_reset)
{
	setup();
	outb(IIR, 0x81);
	input("abcd");
	outb(IIR, 0x83);
	ck_assert_uint_eq(inb(LSR) & 1, 0);
	ck_assert_int_eq(can_read(reader), 16);
	input("abcd");
	outb(IIR, 0);                          /* off: cleared too          */
	ck_assert_uint_eq(inb(LSR) & 1, 0);
	ck_assert_int_eq(can_read(reader), 1);
}
END_TEST

START_TEST(noise)
{
	setup();
	srand(1);
	for (int i = 0; i < 300000; i++) {
		int n;

		if (rand() & 1)
			outb(DATA + rand() % 8, rand());
		else
			inb(DATA + rand() % 8);
		n = can_read(reader);
		ck_assert_int_ge(n, 0);
		ck_assert_int_le(n, 16);
		if (n && rand() % 4 == 0)
			input(n > 3 ? "abc" : "a");
		fake_pass(rand() % 100000);
	}
}
END_TEST

static u64 bql_taken(void) { return lockstat_count(STAT_LOCK, "bql", 0); }

/* As a kernel writes its messages: interrupts off meanwhile, LSR before each byte. */
static void *poll_out(void *arg)
{
	for (int line = 0; line < 10; line++) {
		u8 ier = inb(IER);

		outb(IER, 0);
		for (int i = 0; i < 100; i++) {
			while (!(inb(LSR) & 0x20))
				;
			outb(DATA, i);
		}
		outb(IER, ier);
	}
	for (int i = 0; i < 100; i++) {
		outb(SCR, i);
		inb(SCR), inb(LCR), inb(MCR), inb(MSR), inb(IIR);
	}
	return arg;
}

/* row-04: while another thread holds the BQL one may send, and look. */
START_TEST(row_04_polled)
{
	u64 before;
	struct thread t;

	setup();
	outb(IIR, 7);
	outb(IER, 5);                          /* received data, errors     */
	lockstat_enable(WATCH_STATS);
	ck_assert_int_eq(lock_free, 1);
	bql_lock();
	before = bql_taken();
	thread_create(&t, "polls", poll_out, NULL);
	thread_join(&t);
	ck_assert_uint_eq(bql_taken(), before);
	ck_assert_int_eq(n_sent, 1000);
	ck_assert_uint_eq(inb(LSR), 0x60);
	/* LSR is read without the port's own lock */
	ck_assert_uint_eq(lockstat_count(STAT_LOCK, "serial", 0), 10 * 103 + 100 * 6);
	bql_unlock();
}
END_TEST

/* What moves the line or the timer takes the BQL once. */
START_TEST(row_04_with_interrupts)
{
	setup();
	outb(IIR, 7);
	lockstat_enable(WATCH_STATS);
	outb(IER, 2);
	ck_assert_uint_eq(bql_taken(), 1);
	ck_assert_uint_eq(inb(IIR), 0xc2);     /* the line falls            */
	ck_assert_uint_eq(bql_taken(), 2);
	inb(IIR);
	ck_assert_uint_eq(bql_taken(), 2);
	outb(DATA, 'a');                       /* it rises                  */
	ck_assert_uint_eq(bql_taken(), 3);
	outb(DATA, 'b');                       /* falls and rises           */
	ck_assert_uint_eq(bql_taken(), 4);
	ck_assert_uint_eq(irq.rises, 3);
	inb(DATA);                             /* the timer                 */
	ck_assert_uint_eq(bql_taken(), 5);
	bql_lock();
	outb(DATA, 'c');                       /* comes with it             */
	bql_unlock();
	ck_assert_uint_eq(bql_taken(), 6);
	ck_assert_uint_eq(irq.rises, 4);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("hw/serial");
	TCase *t = tcase_create("serial");

	tcase_set_timeout(t, 30);
	tcase_add_test(t, scratch_and_divisor);
	tcase_add_test(t, autoconfig);
	tcase_add_test(t, transmit_interrupts);
	tcase_add_test(t, receive_without_fifo);
	tcase_add_test(t, trigger_levels);
	tcase_add_test(t, character_timeout);
	tcase_add_test(t, overrun_in_loopback);
	tcase_add_test(t, modem_status);
	tcase_add_test(t, fifo_reset);
	tcase_add_test(t, noise);
	tcase_add_test(t, row_04_polled);
	tcase_add_test(t, row_04_with_interrupts);
	suite_add_tcase(s, t);
	return suite_main(s);
}
