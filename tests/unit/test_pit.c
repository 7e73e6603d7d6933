/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hw/pit: counts and outputs of each mode at chosen ticks; IRQ 0's rate. */
#include "fake_hw.h"

#include "child.h"
#include "env/lockstat.h"
#include "env/thread.h"
#include "hw/pit.h"

static struct fake_line irq;
static struct pit *pit;
static u64 zero;              /* the tick at_tick() counts from              */

static int lock_free;

void memory_region_clear_global_locking(struct memory_region *mr)
{
	(void)mr;
	lock_free++;
}

static void setup(void)
{
	struct irq_line l = fake_line(&irq);

	pit = pit_new(NULL, &l);
	outb(0x61, 1);
}

static u64 tick(void) { return muldiv64(fake_now, PIT_HZ, 1000000000); }

/* To the start of the n-th tick after the last mark(). */
static void at_tick(u64 n)
{
	s64 ns = muldiv64(zero + n, 1000000000, PIT_HZ) + 1;

	ck_assert_int_ge(ns, fake_now);
	fake_pass(ns - fake_now);
	ck_assert_uint_eq(tick(), zero + n);
}

static void mark(void) { zero = tick() + 1; at_tick(0); }

static void control(int i, int mode) { outb(0x43, i << 6 | 0x30 | mode << 1); }

static void count(int i, u16 n)
{
	outb(0x40 + i, n);
	outb(0x40 + i, n >> 8);
}

static void program(int i, int mode, u16 n)
{
	mark();
	control(i, mode);
	count(i, n);
}

static u16 word(u16 port)
{
	u8 low = inb(port);

	return low | inb(port) << 8;
}

static u16 latched(int i)
{
	outb(0x43, i << 6);
	return word(0x40 + i);
}

static u8 status(int i) { outb(0x43, 0xe0 | 2 << i); return inb(0x40 + i); }
static int out(int i) { return status(i) >> 7; }

static void gate2(int on) { outb(0x61, on); }

/* A row: at this tick, counter 2 of count n in that mode shows value, out. */
START_TEST(modes)
{
	static const struct { int mode; u16 n; u32 at; u16 value; int out; } rows[] = {
		{ 0, 100, 0, 100, 0 }, { 0, 100, 99, 1, 0 }, { 0, 100, 100, 0, 1 },
		{ 0, 100, 101, 65535, 1 }, { 0, 100, 70000, 61172, 1 },
		{ 0, 0, 65535, 1, 0 }, { 0, 0, 65536, 0, 1 },
		{ 2, 10, 0, 10, 1 }, { 2, 10, 8, 2, 1 }, { 2, 10, 9, 1, 0 },
		{ 2, 10, 10, 10, 1 }, { 2, 10, 1009, 1, 0 }, { 2, 0, 1, 65535, 1 },
		{ 3, 10, 0, 10, 1 }, { 3, 10, 4, 2, 1 }, { 3, 10, 5, 10, 0 },
		{ 3, 10, 9, 2, 0 }, { 3, 10, 10, 10, 1 },
		{ 3, 5, 0, 4, 1 }, { 3, 5, 2, 0, 1 }, { 3, 5, 3, 4, 0 },
		{ 3, 5, 4, 2, 0 }, { 3, 5, 5, 4, 1 },
		{ 4, 20, 0, 20, 1 }, { 4, 20, 20, 0, 0 }, { 4, 20, 21, 65535, 1 },
	};

	setup();
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		program(2, rows[i].mode, rows[i].n);
		at_tick(rows[i].at);

		ck_assert_msg(latched(2) == rows[i].value, "row %u: value", i);
		ck_assert_msg(out(2) == rows[i].out, "row %u: out", i);
		ck_assert_msg((inb(0x61) >> 5 & 1) == rows[i].out, "row %u", i);
	}
}
END_TEST

START_TEST(one_shot_by_gate)
{
	static const int mode[] = { 1, 5 };

	setup();
	for (int i = 0; i < 2; i++) {
		gate2(0);
		program(2, mode[i], 50);
		at_tick(200);
		ck_assert_int_eq(out(2), 1);
		ck_assert_int_eq(status(2) & 0x40, 0x40);
		mark();
		gate2(1);
		ck_assert_int_eq(status(2) & 0x40, 0);
		ck_assert_int_eq(out(2), mode[i] == 5);
		at_tick(30);
		ck_assert_uint_eq(latched(2), 20);
		gate2(0);
		gate2(1);                      /* retriggered               */
		at_tick(79);
		ck_assert_int_eq(out(2), mode[i] == 5);
		at_tick(80);
		ck_assert_int_eq(out(2), mode[i] == 1);
		at_tick(81);
		ck_assert_int_eq(out(2), 1);
	}
}
END_TEST

START_TEST(gate_holds_and_resumes)
{
	setup();
	program(2, 0, 100);
	at_tick(40);
	gate2(0);
	at_tick(500);
	ck_assert_uint_eq(latched(2), 60);
	gate2(1);
	at_tick(559);
	ck_assert_int_eq(out(2), 0);
	at_tick(560);
	ck_assert_int_eq(out(2), 1);
}
END_TEST

START_TEST(gate_restarts_a_rate)
{
	for (int mode = 2; mode <= 3; mode++) {
		setup();
		program(2, mode, 100);
		at_tick(70);
		gate2(0);
		ck_assert_int_eq(out(2), 1);
		at_tick(500);
		ck_assert_int_eq(out(2), 1);
		gate2(1);
		ck_assert_uint_eq(latched(2), 100);
		at_tick(510);
		ck_assert_uint_eq(latched(2), mode == 2 ? 90 : 80);
	}
}
END_TEST

START_TEST(new_count_waits_for_the_period)
{
	setup();
	program(2, 2, 100);
	at_tick(230);
	count(2, 10);
	ck_assert_int_eq(status(2) & 0x40, 0x40);
	at_tick(299);
	ck_assert_uint_eq(latched(2), 1);
	at_tick(303);
	ck_assert_uint_eq(latched(2), 7);
	ck_assert_int_eq(status(2) & 0x40, 0);
	at_tick(319);
	ck_assert_int_eq(out(2), 0);

	program(2, 3, 100);                    /* mode 3: half a period     */
	at_tick(20);
	count(2, 40);
	at_tick(49);
	ck_assert_int_eq(out(2), 1);
	at_tick(50);
	ck_assert_int_eq(out(2), 0);
	at_tick(69);
	ck_assert_int_eq(out(2), 0);
	at_tick(70);
	ck_assert_int_eq(out(2), 1);
}
END_TEST

START_TEST(bcd)
{
	setup();
	mark();
	outb(0x43, 0xb5);                      /* counter 2, mode 2, BCD    */
	count(2, 0x1234);
	ck_assert_uint_eq(latched(2), 0x1234);
	at_tick(235);
	ck_assert_uint_eq(latched(2), 0x0999);
	at_tick(1234);
	ck_assert_uint_eq(latched(2), 0x1234);
	mark();
	outb(0x43, 0xb1);
	count(2, 0);
	at_tick(1);
	ck_assert_uint_eq(latched(2), 0x9999);
	at_tick(10000);
	ck_assert_int_eq(out(2), 1);
}
END_TEST

START_TEST(one_byte_formats)
{
	setup();
	mark();
	outb(0x43, 0x90 | 2 << 1);             /* LSB only                  */
	outb(0x42, 200);
	at_tick(50);
	ck_assert_uint_eq(inb(0x42), 150);
	ck_assert_uint_eq(inb(0x42), 150);
	mark();
	outb(0x43, 0xa0 | 2 << 1);             /* MSB only                  */
	outb(0x42, 4);
	at_tick(256);
	ck_assert_uint_eq(inb(0x42), 3);
	outb(0x43, 0x80);
	at_tick(600);
	ck_assert_uint_eq(inb(0x42), 3);       /* the latch                 */
	ck_assert_uint_eq(inb(0x42), 1);
}
END_TEST

START_TEST(read_back)
{
	setup();
	program(0, 2, 1000);
	control(2, 3);
	count(2, 500);
	at_tick(100);
	outb(0x43, 0xca);                      /* status and count: 0 and 2 */
	at_tick(333);
	ck_assert_uint_eq(inb(0x40), 0x80 | 0x34);
	ck_assert_uint_eq(word(0x40), 900);
	ck_assert_uint_eq(inb(0x42), 0x80 | 0x36);
	ck_assert_uint_eq(word(0x42), 300);
	ck_assert_uint_eq(latched(0), 667);
	control(2, 0);
	ck_assert_uint_eq(status(2), 0x40 | 0x30);
}
END_TEST

/* A second latch command does not replace the first one's count. */
START_TEST(first_latch_stays)
{
	setup();
	program(2, 2, 1000);
	outb(0x43, 0x80);
	at_tick(100);
	ck_assert_uint_eq(latched(2), 1000);
	ck_assert_uint_eq(latched(2), 900);
}
END_TEST

START_TEST(irq0_rate)
{
	static const int mode[] = { 2, 3 };

	setup();
	for (int i = 0; i < 2; i++) {
		program(0, mode[i], 11932);    /* 100 Hz                    */
		irq.rises = 0;
		fake_pass(10000000000);
		ck_assert_uint_ge(irq.rises, 999);
		ck_assert_uint_le(irq.rises, 1001);
	}
}
END_TEST

START_TEST(irq0_once)
{
	setup();
	program(0, 0, 1000);
	ck_assert_int_eq(irq.level, 0);
	irq.rises = 0;
	at_tick(999);
	ck_assert_int_eq(irq.level, 0);
	at_tick(1001);
	ck_assert_int_eq(irq.level, 1);
	fake_pass(1000000000);
	ck_assert_uint_eq(irq.rises, 1);
	mark();
	count(0, 500);                         /* again                     */
	ck_assert_int_eq(irq.level, 0);
	at_tick(501);
	ck_assert_uint_eq(irq.rises, 2);
	program(0, 4, 100);                    /* Linux' one-shot mode      */
	irq.rises = 0;
	at_tick(99);
	ck_assert_uint_eq(irq.rises, 0);
	fake_pass(1000000000);
	ck_assert_uint_eq(irq.rises, 1);
}
END_TEST

/* Counts of 1 and 2 must not keep the main loop busy. */
START_TEST(absurd_rates)
{
	setup();
	for (int mode = 0; mode <= 5; mode++) {
		for (int n = 1; n <= 2; n++) {
			program(0, mode, n);
			fake_fired = 0;
			fake_pass(100000000);
			ck_assert_uint_le(fake_fired, 5000);
			latched(0);
			status(0);
		}
	}
}
END_TEST

/* The main loop was away: edges are made up for, but not all of a minute's. */
START_TEST(arrears_are_bounded)
{
	setup();
	program(0, 2, 1193);                   /* 1 kHz                     */
	fake_pass(100000000);
	irq.rises = 0;
	fake_now += 10000000;                  /* 10 ms late                */
	fake_pass(50000000);
	ck_assert_uint_ge(irq.rises, 59);
	ck_assert_uint_le(irq.rises, 61);
	irq.rises = 0;
	fake_now += 60000000000;
	fake_pass(100000000);
	ck_assert_uint_ge(irq.rises, 100);
	ck_assert_uint_le(irq.rises, 120);
}
END_TEST

START_TEST(refresh_toggles)
{
	int changes = 0, last = 0;

	setup();
	for (int i = 0; i < 1000; i++) {
		int now = inb(0x61) >> 4 & 1;

		changes += now != last;
		last = now;
		fake_pass(1000);
	}
	ck_assert_int_ge(changes, 60);
	ck_assert_int_le(changes, 70);
	outb(0x61, 0xff);
	ck_assert_uint_eq(inb(0x61) & 0xcf, 0x0f);
}
END_TEST

/* Random writes and times: no crash, and the counter stays in its range. */
START_TEST(noise)
{
	setup();
	srand(1);
	for (int i = 0; i < 300000; i++) {
		u16 port = rand() % 5 ? 0x40 + rand() % 4 : 0x61;

		if (rand() & 1)
			outb(port, rand());
		else
			inb(port);
		fake_pass(rand() % 3 ? rand() % 2000 : rand() % 2000000);
	}
}
END_TEST

/* What a guest does that waits for a time: nothing that concerns IRQ 0. */
static void *look(void *arg)
{
	for (int i = 0; i < 100; i++) {
		outb(0x61, i & 1);
		inb(0x61);
		outb(0x43, 0x00);                /* latch counter 0         */
		inb(0x40);
		inb(0x40);
		outb(0x43, 0xb0);                /* a count for counter 2   */
		outb(0x42, 0xff);
		outb(0x42, 0xff);
		outb(0x43, 0xe2);                /* status of counter 0     */
		inb(0x40);
	}
	return arg;
}

static void *write_counter_0(void *arg)
{
	outb(0x43, 0x34);
	outb(0x40, 0x00);
	outb(0x40, 0x10);
	return arg;
}

static u64 bql_taken(void) { return lockstat_count(STAT_LOCK, "bql", 0); }

/* row-04: while one thread holds the BQL another one may look; each write that
 * concerns IRQ 0 takes it, once, unless it comes with it. */
START_TEST(row_04_no_bql)
{
	struct thread t;

	setup();
	ck_assert_int_eq(lock_free, 2);
	lockstat_enable(WATCH_STATS);
	bql_lock();
	thread_create(&t, "looks", look, NULL);
	thread_join(&t);
	ck_assert_uint_eq(bql_taken(), 1);
	write_counter_0(NULL);
	ck_assert_uint_eq(bql_taken(), 1);
	bql_unlock();
	thread_create(&t, "writes", write_counter_0, NULL);
	thread_join(&t);
	ck_assert_uint_eq(bql_taken(), 4);
	/* each access but reads of port 61h */
	ck_assert_uint_eq(lockstat_count(STAT_LOCK, "pit", 0), 100 * 9 + 2 * 3);
}
END_TEST

static bool turns_over;                          /* _Atomic */

/* Port 61h and a count, again and again; time stands, so OUT 2 stays low. */
static void *turn_counter_2(void *arg)
{
	for (int i = 0; i < 20000; i++) {
		outb(0x61, i & 1 ? 0x0d : 1);
		outb(0x42, 0xff);
		outb(0x42, 0xff);
	}
	__atomic_store_n(&turns_over, true, __ATOMIC_SEQ_CST);
	return arg;
}

/* row-04: port 61h is read under no lock, and what it shows belongs together. */
START_TEST(row_04_port61)
{
	struct thread t;
	u64 own;

	setup();
	control(2, 0);
	lockstat_enable(WATCH_STATS);
	thread_create(&t, "turns", turn_counter_2, NULL);
	while (!__atomic_load_n(&turns_over, __ATOMIC_SEQ_CST)) {
		u8 v = inb(0x61) & 0x2f;

		ck_assert_msg(v == 0x0d || v == 1, "%x", v);
	}
	thread_join(&t);
	own = lockstat_count(STAT_LOCK, "pit", 0);
	for (int i = 0; i < 100; i++)
		inb(0x61);
	ck_assert_uint_eq(lockstat_count(STAT_LOCK, "pit", 0), own);
	fake_pass(60000000);
	ck_assert_uint_eq(inb(0x61) & 0x2f, 0x2d);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("hw/pit");
	TCase *t = tcase_create("pit");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, modes);
	tcase_add_test(t, one_shot_by_gate);
	tcase_add_test(t, gate_holds_and_resumes);
	tcase_add_test(t, gate_restarts_a_rate);
	tcase_add_test(t, new_count_waits_for_the_period);
	tcase_add_test(t, bcd);
	tcase_add_test(t, one_byte_formats);
	tcase_add_test(t, read_back);
	tcase_add_test(t, first_latch_stays);
	tcase_add_test(t, irq0_rate);
	tcase_add_test(t, irq0_once);
	tcase_add_test(t, absurd_rates);
	tcase_add_test(t, arrears_are_bounded);
	tcase_add_test(t, refresh_toggles);
	tcase_add_test(t, noise);
	tcase_add_test(t, row_04_no_bql);
	tcase_add_test(t, row_04_port61);
	suite_add_tcase(s, t);
	return suite_main(s);
}
