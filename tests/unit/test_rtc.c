/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hw/rtc: time in each format, the three interrupts, CMOS memory. */
#include "fake_hw.h"

#include "child.h"
#include "hw/rtc.h"

#define SEC 1000000000ll

static struct fake_line irq;
static struct rtc *rtc;

/* 2026-11-22 18:30:15, a Sunday. */
#define START 1795372215ll

static void setup_at(s64 sec)
{
	struct irq_line l = fake_line(&irq);

	fake_now = 5 * SEC;
	rtc = rtc_new(NULL, &l, sec * SEC);
}

static void setup(void) { setup_at(START); }

static u8 get(u8 reg) { outb(0x70, reg); return inb(0x71); }
static void set(u8 reg, u8 val) { outb(0x70, reg); outb(0x71, val); }

static void check_time(const u8 *want)   /* s m h dow day mon year century  */
{
	static const u8 reg[8] = { 0, 2, 4, 6, 7, 8, 9, 0x32 };

	for (int i = 0; i < 8; i++)
		ck_assert_msg(get(reg[i]) == want[i], "register %x: %x, not %x",
			      reg[i], get(reg[i]), want[i]);
}

static const struct { u8 b; int hours; u8 want[8]; } format_rows[] = {
	{ 2, 0, { 0x15, 0x30, 0x18, 1, 0x22, 0x11, 0x26, 0x20 } },
	{ 6, 0, { 15, 30, 18, 1, 22, 11, 26, 20 } },
	{ 0, 0, { 0x15, 0x30, 0x86, 1, 0x22, 0x11, 0x26, 0x20 } },
	{ 4, 0, { 15, 30, 0x86, 1, 22, 11, 26, 20 } },
	{ 0, 6, { 0x15, 0x30, 0x12, 2, 0x23, 0x11, 0x26, 0x20 } },
	{ 4, -6, { 15, 30, 0x80 | 12, 1, 22, 11, 26, 20 } },
	{ 0, -7, { 0x15, 0x30, 0x11, 1, 0x22, 0x11, 0x26, 0x20 } },
};

START_TEST(formats)
{
	setup_at(START + format_rows[_i].hours * 3600);
	set(0x0b, format_rows[_i].b);
	check_time(format_rows[_i].want);
}
END_TEST

START_TEST(time_goes_on)
{
	static const u8 want[8] = { 0, 0, 0, 6, 1, 1, 0x27, 0x20 };

	setup();
	fake_pass((39 * 86400 + 5 * 3600 + 29 * 60 + 45) * SEC);
	check_time(want);
}
END_TEST

START_TEST(set_holds_the_clock)
{
	static const u8 want[8] = { 0x59, 0x59, 0x23, 5, 0x31, 0x12, 0x99, 0x20 };
	static const u8 reg[8] = { 0, 2, 4, 6, 7, 8, 9, 0x32 };
	static const u8 next[8] = { 0, 0, 0, 6, 1, 1, 0, 0x21 };

	setup();
	set(0x0b, 0x82);
	for (int i = 0; i < 8; i++)
		set(reg[i], want[i]);
	fake_pass(100 * SEC);
	check_time(want);
	set(0x0b, 0x02);
	check_time(want);
	fake_pass(SEC);
	check_time(next);
}
END_TEST

START_TEST(writing_while_it_runs)
{
	setup();
	set(4, 0x07);
	set(2, 0x45);
	ck_assert_uint_eq(get(4), 0x07);
	ck_assert_uint_eq(get(2), 0x45);
	ck_assert_uint_eq(get(0), 0x15);
	ck_assert_uint_eq(get(7), 0x22);
}
END_TEST

START_TEST(divider_reset_takes_half_a_second)
{
	setup();
	set(0x0a, 0x66);
	fake_pass(10 * SEC);
	ck_assert_uint_eq(get(0), 0x15);
	set(0x0a, 0x26);
	fake_pass(SEC / 2 - 1000);
	ck_assert_uint_eq(get(0), 0x15);
	fake_pass(2000);
	ck_assert_uint_eq(get(0), 0x16);
}
END_TEST

START_TEST(update_in_progress)
{
	setup();
	ck_assert_uint_eq(get(0x0a), 0x26);
	fake_pass(SEC - 244001);
	ck_assert_uint_eq(get(0x0a), 0x26);
	fake_pass(2);
	ck_assert_uint_eq(get(0x0a), 0xa6);
	fake_pass(243999);
	ck_assert_uint_eq(get(0x0a), 0x26);
	ck_assert_uint_eq(get(0), 0x16);
}
END_TEST

START_TEST(update_ended)
{
	setup();
	set(0x0b, 0x12);
	for (int i = 0; i < 5; i++) {
		fake_pass(SEC - 1);
		ck_assert_int_eq(irq.level, 0);
		fake_pass(1);
		ck_assert_int_eq(irq.level, 1);
		ck_assert_uint_eq(get(0x0c) & 0xb0, 0x90);
		ck_assert_int_eq(irq.level, 0);
	}
	fake_pass(10 * SEC);
	ck_assert_uint_eq(irq.rises, 6);       /* no read, no more          */
}
END_TEST

START_TEST(flags_without_interrupts)
{
	setup();
	set(0x0a, 0x20);
	ck_assert_uint_eq(get(0x0c), 0);
	fake_pass(SEC / 2);
	ck_assert_uint_eq(get(0x0c), 0);
	fake_pass(SEC);
	ck_assert_uint_eq(get(0x0c), 0x10);
	set(0x0a, 0x26);
	fake_pass(SEC / 4);
	ck_assert_uint_eq(get(0x0c), 0x40);
	ck_assert_uint_eq(irq.rises, 0);
	fake_pass(SEC / 4);
	set(0x0b, 0x42);                       /* the flag stands already   */
	ck_assert_int_eq(irq.level, 1);
}
END_TEST

START_TEST(periodic_rates)
{
	static const struct { u8 rs; int hz; } rows[] = {
		{ 1, 256 }, { 2, 128 }, { 3, 8192 }, { 6, 1024 }, { 10, 64 },
		{ 15, 2 }, { 0, 0 },
	};

	setup();
	set(0x0b, 0x42);
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		int n = 0;

		set(0x0a, 0x20 | rows[i].rs);
		get(0x0c);
		for (s64 end = fake_now + SEC; fake_now < end;) {
			fake_pass(20000);
			if (!irq.level)
				continue;
			ck_assert_uint_eq(get(0x0c) & 0xc0, 0xc0);
			n++;
		}
		ck_assert_int_ge(n, rows[i].hz - 1);
		ck_assert_int_le(n, rows[i].hz + 1);
	}
}
END_TEST

/* Alarm h m s, and after how many seconds from 18:30:15 it goes off. */
static const struct { u8 h, m, s; int after; } alarm_rows[] = {
	{ 0x18, 0x30, 0x16, 1 }, { 0x18, 0x31, 0x00, 45 },
	{ 0x18, 0x30, 0x15, 86400 }, { 0xff, 0xff, 0x15, 60 },
	{ 0xff, 0x29, 0x00, 59 * 60 - 15 }, { 0xc0, 0xff, 0xff, 1 },
	{ 0x06, 0xff, 0xff, 41385 }, { 0x00, 0x00, 0x00, 19785 },
};

START_TEST(alarms)
{
	setup();
	set(5, alarm_rows[_i].h);
	set(3, alarm_rows[_i].m);
	set(1, alarm_rows[_i].s);
	set(0x0b, 0x22);
	fake_pass(alarm_rows[_i].after * SEC - 1);
	ck_assert_msg(!irq.level, "too early");
	fake_pass(1);
	ck_assert_msg(irq.level, "too late");
	ck_assert_uint_eq(get(0x0c) & 0xa0, 0xa0);
}
END_TEST

START_TEST(no_such_alarm)
{
	setup();
	set(1, 0x75);
	set(0x0b, 0x22);
	fake_pass(3 * 86400 * SEC);
	ck_assert_uint_eq(irq.rises, 0);
	ck_assert_uint_eq(get(0x0c) & 0x20, 0);
}
END_TEST

START_TEST(memory)
{
	setup();
	for (int i = 0x0e; i < 0x80; i++)
		if (i != 0x32)
			set(i, i ^ 0x5a);
	for (int i = 0x0e; i < 0x80; i++)
		if (i != 0x32)
			ck_assert_uint_eq(get(0x80 | i), i ^ 0x5a);
	rtc_set_memory(rtc, 0x15, 0x80);
	ck_assert_uint_eq(get(0x15), 0x80);
	ck_assert_uint_eq(get(0x0d), 0x80);
	set(0x0d, 0);
	ck_assert_uint_eq(get(0x0d), 0x80);
	ck_assert_uint_eq(inb(0x70), 0xff);
}
END_TEST

START_TEST(reset_keeps_time_and_memory)
{
	setup();
	set(0x0f, 0x0a);
	set(0x0b, 0x52);
	fake_pass(SEC);
	ck_assert_int_eq(irq.level, 1);
	rtc_reset(rtc);
	ck_assert_int_eq(irq.level, 0);
	ck_assert_uint_eq(get(0x0b), 0x02);
	ck_assert_uint_eq(get(0x0f), 0x0a);
	ck_assert_uint_eq(get(0), 0x16);
}
END_TEST

START_TEST(noise)
{
	setup();
	srand(1);
	for (int i = 0; i < 100000; i++) {
		u8 reg = rand() % 8 ? rand() % 15 : 0x32;

		fake_fired = 0;
		if (rand() & 1)
			set(reg, rand());
		else
			get(reg);
		fake_pass(rand() % 10 ? rand() % 1000000 : rand() * 1000ll);
		ck_assert_uint_le(fake_fired, 8);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("hw/rtc");
	TCase *t = tcase_create("rtc");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, formats, 0, ARRAY_SIZE(format_rows));
	tcase_add_test(t, time_goes_on);
	tcase_add_test(t, set_holds_the_clock);
	tcase_add_test(t, writing_while_it_runs);
	tcase_add_test(t, divider_reset_takes_half_a_second);
	tcase_add_test(t, update_in_progress);
	tcase_add_test(t, update_ended);
	tcase_add_test(t, flags_without_interrupts);
	tcase_add_test(t, periodic_rates);
	tcase_add_loop_test(t, alarms, 0, ARRAY_SIZE(alarm_rows));
	tcase_add_test(t, no_such_alarm);
	tcase_add_test(t, memory);
	tcase_add_test(t, reset_keeps_time_and_memory);
	tcase_add_test(t, noise);
	suite_add_tcase(s, t);
	return suite_main(s);
}
