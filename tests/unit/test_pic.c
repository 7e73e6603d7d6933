/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hw/pic: each mode of the 8259A pair, seen from its ports and lines. */
#include "fake_hw.h"

#include "child.h"
#include "hw/pic.h"

static struct fake_line intr;
static struct pic *pic;

static void setup(void)
{
	struct irq_line l = fake_line(&intr);

	pic = pic_new(NULL, &l);
}

static void init_one(u16 port, u8 base, u8 icw3, u8 icw4)
{
	outb(port, 0x11);
	outb(port + 1, base);
	outb(port + 1, icw3);
	outb(port + 1, icw4);
}

static void init_pair(u8 icw4)
{
	setup();
	init_one(0x20, 0x20, 4, icw4);
	init_one(0xa0, 0x28, 2, icw4);
}

static void pulse(int n)
{
	pic_set_irq(pic, n, 0);
	pic_set_irq(pic, n, 1);
}

static u8 isr(u16 port) { outb(port, 0x0b); return inb(port); }
static u8 irr(u16 port) { outb(port, 0x0a); return inb(port); }

START_TEST(mask_reads_back)
{
	init_pair(1);
	for (int v = 0; v < 256; v++) {
		outb(0x21, v);
		outb(0xa1, ~v);
		ck_assert_uint_eq(inb(0x21), v);
		ck_assert_uint_eq(inb(0xa1), (u8)~v);
	}
}
END_TEST

START_TEST(every_line_has_its_vector)
{
	init_pair(1);
	for (int n = 0; n < 16; n++) {
		if (n == 2)
			continue;
		pulse(n);
		ck_assert_int_eq(intr.level, 1);
		ck_assert_int_eq(pic_acknowledge(pic), 0x20 + n);
		ck_assert_int_eq(intr.level, 0);
		ck_assert_uint_eq(isr(0x20), n < 8 ? 1 << n : 4);
		ck_assert_uint_eq(isr(0xa0), n < 8 ? 0 : 1 << (n - 8));
		if (n >= 8)
			outb(0xa0, 0x20);
		outb(0x20, 0x20);
		ck_assert_uint_eq(isr(0x20) | isr(0xa0), 0);
		ck_assert_int_eq(pic_acknowledge(pic), -1);
		pic_set_irq(pic, n, 0);
	}
}
END_TEST

START_TEST(mask_holds_a_request)
{
	init_pair(1);
	outb(0x21, 0xff);
	pulse(3);
	ck_assert_int_eq(intr.level, 0);
	ck_assert_uint_eq(irr(0x20), 8);
	outb(0x21, 0xf7);
	ck_assert_int_eq(intr.level, 1);
	ck_assert_int_eq(pic_acknowledge(pic), 0x23);
	ck_assert_uint_eq(irr(0x20), 0);
}
END_TEST

START_TEST(priorities_nest)
{
	init_pair(1);
	pulse(4);
	ck_assert_int_eq(pic_acknowledge(pic), 0x24);
	pulse(5);                              /* lower: waits              */
	ck_assert_int_eq(intr.level, 0);
	pulse(1);                              /* higher: interrupts        */
	ck_assert_int_eq(pic_acknowledge(pic), 0x21);
	ck_assert_uint_eq(isr(0x20), 0x12);
	outb(0x20, 0x20);                      /* ends 1                    */
	ck_assert_uint_eq(isr(0x20), 0x10);
	ck_assert_int_eq(intr.level, 0);
	outb(0x20, 0x64);                      /* ends 4, by its number     */
	ck_assert_int_eq(pic_acknowledge(pic), 0x25);
}
END_TEST

START_TEST(edges)
{
	init_pair(1);
	pulse(3);
	ck_assert_int_eq(pic_acknowledge(pic), 0x23);
	outb(0x20, 0x20);
	ck_assert_int_eq(intr.level, 0);       /* still high: no new edge   */
	pulse(3);
	ck_assert_int_eq(intr.level, 1);
	pic_set_irq(pic, 3, 0);                /* gone before INTA          */
	ck_assert_int_eq(intr.level, 0);
	ck_assert_int_eq(pic_acknowledge(pic), -1);
}
END_TEST

START_TEST(levels)
{
	init_pair(1);
	outb(0x4d0, 0xff);
	outb(0x4d1, 0xff);
	ck_assert_uint_eq(inb(0x4d0), 0xf8);
	ck_assert_uint_eq(inb(0x4d1), 0xde);
	pic_set_irq(pic, 11, 1);
	ck_assert_int_eq(pic_acknowledge(pic), 0x2b);
	outb(0xa0, 0x20);
	outb(0x20, 0x20);
	ck_assert_int_eq(intr.level, 1);       /* asks until it falls       */
	pic_set_irq(pic, 11, 0);
	ck_assert_int_eq(intr.level, 0);
}
END_TEST

START_TEST(automatic_eoi)
{
	init_pair(3);
	pulse(9);
	pulse(10);
	ck_assert_int_eq(pic_acknowledge(pic), 0x29);
	ck_assert_uint_eq(isr(0x20) | isr(0xa0), 0);
	ck_assert_int_eq(intr.level, 1);
	ck_assert_int_eq(pic_acknowledge(pic), 0x2a);
	ck_assert_int_eq(intr.level, 0);
}
END_TEST

START_TEST(automatic_eoi_rotates)
{
	static const int want[] = { 0x20, 0x21, 0x20, 0x21 };

	init_pair(3);
	outb(0x20, 0x80);
	for (int i = 0; i < 4; i++) {
		pulse(0);
		pulse(1);
		ck_assert_int_eq(pic_acknowledge(pic), want[i]);
	}
	outb(0x20, 0x00);
}
END_TEST

START_TEST(rotation)
{
	init_pair(1);
	outb(0x20, 0xc3);                      /* 3 lowest, 4 highest       */
	pulse(3);
	pulse(4);
	ck_assert_int_eq(pic_acknowledge(pic), 0x24);
	outb(0x20, 0xa0);                      /* EOI, and 4 is lowest      */
	pulse(5);
	pulse(4);
	ck_assert_int_eq(pic_acknowledge(pic), 0x25);
	outb(0x20, 0xe5);                      /* EOI of 5, 5 lowest        */
	ck_assert_int_eq(pic_acknowledge(pic), 0x23);
	outb(0x20, 0x63);
	ck_assert_int_eq(pic_acknowledge(pic), 0x24);
}
END_TEST

START_TEST(special_mask_lets_lower_ones_in)
{
	init_pair(1);
	pulse(1);
	ck_assert_int_eq(pic_acknowledge(pic), 0x21);
	pulse(6);
	ck_assert_int_eq(intr.level, 0);
	outb(0x21, 0x02);
	outb(0x20, 0x68);                      /* special mask mode         */
	ck_assert_int_eq(pic_acknowledge(pic), 0x26);
	outb(0x20, 0x20);                      /* spares the masked ISR bit */
	ck_assert_uint_eq(isr(0x20), 0x02);
	outb(0x20, 0x48);
	outb(0x20, 0x20);
	ck_assert_uint_eq(isr(0x20), 0);
}
END_TEST

START_TEST(special_fully_nested)
{
	init_pair(0x11);
	pulse(12);
	ck_assert_int_eq(pic_acknowledge(pic), 0x2c);
	pulse(9);                              /* same master line, higher  */
	ck_assert_int_eq(intr.level, 1);
	ck_assert_int_eq(pic_acknowledge(pic), 0x29);
}
END_TEST

START_TEST(polling)
{
	init_pair(1);
	outb(0x20, 0x0c);
	ck_assert_uint_eq(inb(0x20), 0);
	pulse(6);
	outb(0x20, 0x0c);
	ck_assert_uint_eq(inb(0x20), 0x86);
	ck_assert_uint_eq(isr(0x20), 0x40);
	ck_assert_int_eq(intr.level, 0);
}
END_TEST

/* The words that ICW1 says do not come are not waited for. */
START_TEST(short_initialisation)
{
	setup();
	outb(0x20, 0x12);                      /* single, no ICW4           */
	outb(0x21, 0x47);
	outb(0x21, 0xa5);
	ck_assert_uint_eq(inb(0x21), 0xa5);
	outb(0x21, 0);
	pulse(0);
	ck_assert_int_eq(pic_acknowledge(pic), 0x40);
}
END_TEST

START_TEST(initialisation_forgets)
{
	init_pair(1);
	outb(0x21, 0xfe);
	pulse(0);
	pulse(1);
	pic_acknowledge(pic);
	init_one(0x20, 0x30, 4, 1);
	ck_assert_uint_eq(inb(0x21), 0);
	ck_assert_uint_eq(irr(0x20) | isr(0x20), 0);
	ck_assert_int_eq(intr.level, 0);       /* lines are high: no edge   */
	pulse(1);
	ck_assert_int_eq(pic_acknowledge(pic), 0x31);
}
END_TEST

START_TEST(reset)
{
	init_pair(3);
	outb(0x4d0, 0xff);
	pulse(5);
	pic_reset(pic);
	ck_assert_int_eq(intr.level, 0);
	ck_assert_uint_eq(inb(0x4d0), 0);
	ck_assert_int_eq(pic_acknowledge(pic), -1);
}
END_TEST

/* Random port traffic: nothing but sane vectors comes out. */
START_TEST(noise)
{
	init_pair(1);
	srand(1);
	for (int i = 0; i < 300000; i++) {
		static const u16 port[] = { 0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1 };
		int n = rand() % 16, v;

		pic_set_irq(pic, n == 2 ? 3 : n, rand() & 1);
		if (rand() & 1)
			outb(port[rand() % 6], rand());
		else
			inb(port[rand() % 6]);
		if (rand() % 4)
			continue;
		v = pic_acknowledge(pic);
		ck_assert_int_ge(v, -1);
		ck_assert_int_lt(v, 256);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("hw/pic");
	TCase *t = tcase_create("pic");

	tcase_add_test(t, mask_reads_back);
	tcase_add_test(t, every_line_has_its_vector);
	tcase_add_test(t, mask_holds_a_request);
	tcase_add_test(t, priorities_nest);
	tcase_add_test(t, edges);
	tcase_add_test(t, levels);
	tcase_add_test(t, automatic_eoi);
	tcase_add_test(t, automatic_eoi_rotates);
	tcase_add_test(t, rotation);
	tcase_add_test(t, special_mask_lets_lower_ones_in);
	tcase_add_test(t, special_fully_nested);
	tcase_add_test(t, polling);
	tcase_add_test(t, short_initialisation);
	tcase_add_test(t, initialisation_forgets);
	tcase_add_test(t, reset);
	tcase_add_test(t, noise);
	suite_add_tcase(s, t);
	return suite_main(s);
}
