/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hw/i8042: the controller's commands, the keyboard's, and both together. */
#include "fake_hw.h"

#include "child.h"
#include "hw/i8042.h"

static struct fake_line irq, a20, reset;
static struct i8042 *kbc;

static void setup(void)
{
	struct i8042_lines l = { fake_line(&irq), fake_line(&a20),
				 fake_line(&reset) };

	kbc = i8042_new(NULL, &l);
}

static int full(void) { return inb(0x64) & 1; }

static u8 take(void)
{
	ck_assert_int_eq(full(), 1);
	return inb(0x60);
}

static u8 ask(u8 cmd) { outb(0x64, cmd); return take(); }
static void tell(u8 cmd, u8 val) { outb(0x64, cmd); outb(0x60, val); }

/* Send to the keyboard; its answer as one number, first byte highest. */
static u32 keyboard(u8 byte)
{
	u32 v = 0;

	outb(0x60, byte);
	while (full())
		v = v << 8 | inb(0x60);
	return v;
}

START_TEST(power_on)
{
	setup();
	ck_assert_uint_eq(inb(0x64) & 0x15, 0x10);
	ck_assert_int_eq(a20.level, 1);
	ck_assert_uint_eq(reset.rises, 0);
	ck_assert_uint_eq(ask(0xaa), 0x55);
	ck_assert_uint_eq(inb(0x64) & 4, 4);
	ck_assert_uint_eq(ask(0xab), 0);
}
END_TEST

START_TEST(controller_memory)
{
	setup();
	for (int i = 1; i < 32; i++)
		tell(0x60 + i, i * 7);
	for (int i = 1; i < 32; i++)
		ck_assert_uint_eq(ask(0x20 + i), i * 7);
	tell(0x60, 0x47);
	ck_assert_uint_eq(ask(0x20), 0x47);
	outb(0x64, 0xad);
	ck_assert_uint_eq(ask(0x20), 0x57);
	outb(0x64, 0xae);
	outb(0x64, 0xa7);
	ck_assert_uint_eq(ask(0x20), 0x67);
	outb(0x64, 0xa8);
	ck_assert_uint_eq(ask(0x20), 0x47);
}
END_TEST

START_TEST(keyboard_commands)
{
	setup();
	ck_assert_uint_eq(keyboard(0xff), 0xfaaa);
	ck_assert_uint_eq(keyboard(0xf2), 0xfaab83);
	ck_assert_uint_eq(keyboard(0xee), 0xee);
	ck_assert_uint_eq(keyboard(0xed), 0xfa);
	ck_assert_uint_eq(keyboard(0x07), 0xfa);
	ck_assert_uint_eq(keyboard(0xf3), 0xfa);
	ck_assert_uint_eq(keyboard(0x00), 0xfa);
	ck_assert_uint_eq(keyboard(0xf0), 0xfa);
	ck_assert_uint_eq(keyboard(0x00), 0xfa02);
	ck_assert_uint_eq(keyboard(0xf0), 0xfa);
	ck_assert_uint_eq(keyboard(0x03), 0xfe);
	ck_assert_uint_eq(keyboard(0xf0), 0xfa);
	ck_assert_uint_eq(keyboard(0x01), 0xfa);
	ck_assert_uint_eq(keyboard(0xf0), 0xfa);
	ck_assert_uint_eq(keyboard(0x00), 0xfa01);
	ck_assert_uint_eq(keyboard(0xfe), 0x01);
	ck_assert_uint_eq(keyboard(0x12), 0xfe);
	ck_assert_uint_eq(keyboard(0xf5), 0xfa);
	ck_assert_uint_eq(keyboard(0xf4), 0xfa);
	tell(0x60, 0x40);                      /* the translation sees it   */
	ck_assert_uint_eq(keyboard(0xf2), 0xfaab41);
}
END_TEST

static u32 key(u8 code, bool down)
{
	u32 v = 0;

	i8042_key(kbc, code, down);
	while (full())
		v = v << 8 | inb(0x60);
	return v;
}

START_TEST(scan_codes)
{
	setup();
	ck_assert_uint_eq(key(0x1e, true), 0x1c);           /* A, set 2     */
	ck_assert_uint_eq(key(0x1e, false), 0xf01c);
	ck_assert_uint_eq(key(0x41, true), 0x83);           /* F7           */
	ck_assert_uint_eq(key(0xc8, true), 0xe075);         /* arrow up     */
	ck_assert_uint_eq(key(0xc8, false), 0xe0f075);
	tell(0x60, 0x40);
	for (int code = 1; code <= 0x58; code++) {          /* set 1        */
		if (code == 0x54 || (code >= 0x55 && code <= 0x56))
			continue;
		ck_assert_uint_eq(key(code, true), code);
		ck_assert_uint_eq(key(code, false), code | 0x80);
	}
	ck_assert_uint_eq(key(0xc8, true), 0xe048);
	ck_assert_uint_eq(key(0xc8, false), 0xe0c8);
	keyboard(0xf5);
	ck_assert_uint_eq(key(0x1e, true), 0);
	keyboard(0xf4);
	tell(0x60, 0);
	keyboard(0xf0);
	keyboard(1);
	ck_assert_uint_eq(key(0x1e, true), 0x1e);
	ck_assert_uint_eq(key(0x1e, false), 0x9e);
}
END_TEST

START_TEST(interrupt)
{
	setup();
	tell(0x60, 0x41);
	i8042_key(kbc, 0x1e, true);
	ck_assert_int_eq(irq.level, 1);
	i8042_key(kbc, 0x1e, false);
	ck_assert_uint_eq(take(), 0x1e);
	ck_assert_int_eq(irq.level, 1);        /* the next one: a new edge  */
	ck_assert_uint_eq(irq.rises, 2);
	ck_assert_uint_eq(take(), 0x9e);
	ck_assert_int_eq(irq.level, 0);
	ck_assert_uint_eq(ask(0xaa), 0x55);    /* the controller's own      */
	ck_assert_uint_eq(irq.rises, 2);
	tell(0x60, 0x40);
	i8042_key(kbc, 0x1e, true);
	ck_assert_int_eq(irq.level, 0);
	tell(0x60, 0x41);
	ck_assert_int_eq(irq.level, 1);
}
END_TEST

START_TEST(disabled_keyboard_waits)
{
	setup();
	outb(0x64, 0xad);
	i8042_key(kbc, 0x1e, true);
	ck_assert_int_eq(full(), 0);
	outb(0x64, 0xae);
	ck_assert_uint_eq(take(), 0x1c);
}
END_TEST

START_TEST(queue_is_bounded)
{
	int n = 0;

	setup();
	for (int i = 0; i < 1000; i++)
		i8042_key(kbc, 0xc8, i & 1);
	for (; full(); n++)
		inb(0x60);
	ck_assert_int_le(n, 17);
}
END_TEST

START_TEST(a20_and_reset)
{
	setup();
	outb(0x64, 0xdd);
	ck_assert_int_eq(a20.level, 0);
	ck_assert_uint_eq(ask(0xd0) & 2, 0);
	outb(0x64, 0xdf);
	ck_assert_int_eq(a20.level, 1);
	tell(0xd1, 0xdd);
	ck_assert_int_eq(a20.level, 0);
	tell(0xd1, 0xdf);
	ck_assert_int_eq(a20.level, 1);
	outb(0x64, 0xff);                      /* pulses nothing            */
	ck_assert_uint_eq(reset.rises, 0);
	outb(0x64, 0xfe);
	ck_assert_uint_eq(reset.rises, 1);
	tell(0xd1, 0xde);
	ck_assert_uint_eq(reset.rises, 2);
}
END_TEST

/* Linux finds no mouse by this, and without waiting for a time-out. */
START_TEST(no_second_port)
{
	setup();
	tell(0xd3, 0x5a);
	ck_assert_uint_eq(inb(0x64) & 0x21, 0x01);
	ck_assert_uint_ne(take(), 0x5a);
	ck_assert_uint_ne(ask(0xa9), 0);
	tell(0xd4, 0xf2);
	ck_assert_uint_eq(inb(0x64) & 0x61, 0x61);
	ck_assert_uint_eq(take(), 0xfe);
	ck_assert_uint_eq(inb(0x64) & 0x61, 0);
}
END_TEST

START_TEST(noise)
{
	setup();
	srand(1);
	for (int i = 0; i < 300000; i++) {
		u16 port = rand() & 1 ? 0x60 : 0x64;

		if (rand() & 1)
			outb(port, rand());
		else
			inb(port);
		if (rand() % 4 == 0)
			i8042_key(kbc, rand(), rand() & 1);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("hw/i8042");
	TCase *t = tcase_create("i8042");

	tcase_add_test(t, power_on);
	tcase_add_test(t, controller_memory);
	tcase_add_test(t, keyboard_commands);
	tcase_add_test(t, scan_codes);
	tcase_add_test(t, interrupt);
	tcase_add_test(t, disabled_keyboard_waits);
	tcase_add_test(t, queue_is_bounded);
	tcase_add_test(t, a20_and_reset);
	tcase_add_test(t, no_second_port);
	tcase_add_test(t, noise);
	suite_add_tcase(s, t);
	return suite_main(s);
}
