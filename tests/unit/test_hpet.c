/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hw/hpet: the counter, comparators of each kind, lines and routes. row-04:
 * the counter takes no lock, other registers seldom the BQL. */
#include "fake_hw.h"

#include "child.h"
#include "env/lockstat.h"
#include "env/thread.h"
#include "hw/hpet.h"
#include "qemu/memory.h"

enum { ENABLE = 1, LEGACY = 2 };
enum { LEVEL = 2, INT = 4, PERIODIC = 8, SET = 0x40, W32 = 0x100 };
enum { ID = 0, CONFIG = 0x10, STATUS = 0x20, COUNTER = 0xf0 };

/* -- the machine ---------------------------------------------------------------- */
static struct fake_region { gpa at; struct memory_region *mr; } regions[2];
static int n_regions;
static struct hpet *hpet;
static int level[24], rises[24], irq0, irq8, irq0_rises, legacy;

void memory_region_init_io(struct memory_region *mr, const char *name, u64 size,
			   const struct memory_region_ops *ops, void *opaque)
{
	*mr = (struct memory_region){ .name = name, .size = size, .ops = ops,
				      .opaque = opaque, .global_locking = true };
}

void memory_region_clear_global_locking(struct memory_region *mr)
{
	mr->global_locking = false;
}

void memory_region_add_subregion(struct memory_region *parent, gpa addr,
				 struct memory_region *mr)
{
	(void)parent;
	regions[n_regions++] = (struct fake_region){ addr, mr };
}

void memory_region_add_subregion_overlap(struct memory_region *parent, gpa addr,
					 struct memory_region *mr, int priority)
{
	(void)priority;
	memory_region_add_subregion(parent, addr, mr);
}

/* The last one that was added lies on top. */
static struct fake_region *region_at(gpa addr)
{
	for (int i = n_regions - 1; i >= 0; i--)
		if (addr >= regions[i].at &&
		    addr < regions[i].at + regions[i].mr->size)
			return &regions[i];
	ck_abort_msg("nothing at %llx", (unsigned long long)addr);
	return NULL;
}

static u32 rd(u32 reg)
{
	struct fake_region *r = region_at(HPET_BASE + reg);

	return r->mr->ops->read(r->mr->opaque, HPET_BASE + reg - r->at, 4);
}

static void wr(u32 reg, u32 v)
{
	struct fake_region *r = region_at(HPET_BASE + reg);

	r->mr->ops->write(r->mr->opaque, HPET_BASE + reg - r->at, v, 4);
}

static u32 t_config(int n) { return 0x100 + 0x20 * n; }
static u32 t_value(int n) { return 0x108 + 0x20 * n; }

static void set_gsi(void *opaque, int n, int on)
{
	(void)opaque;
	rises[n] += on && !level[n];
	level[n] = on;
}

static void set_irq0(void *opaque, int n, int on)
{
	(void)opaque, (void)n;
	irq0_rises += on && !irq0;
	irq0 = on;
}

static void set_int(void *opaque, int n, int on)
{
	(void)n;
	*(int *)opaque = on;
}

static void setup(void)
{
	struct hpet_lines lines = {
		{ set_gsi, NULL, 0 }, { set_irq0, NULL, 0 },
		{ set_int, &irq8, 0 }, { set_int, &legacy, 0 },
	};

	n_regions = 0;
	memset(level, 0, sizeof(level));
	memset(rises, 0, sizeof(rises));
	bql_lock();
	hpet = hpet_new(NULL, &lines);
	bql_unlock();
}

static u32 ticks_in(s64 ns) { return (u32)(ns / HPET_TICK_NS); }

/* -- tests ------------------------------------------------------------------------ */

START_TEST(capabilities)
{
	setup();
	ck_assert_uint_eq(rd(ID), 0x8086a201);
	ck_assert_uint_eq(rd(ID + 4), 10000000);
	for (int i = 0; i < HPET_TIMERS; i++) {
		ck_assert_uint_eq(rd(t_config(i)), 0x30);
		ck_assert_uint_eq(rd(t_config(i) + 4), HPET_ROUTES);
		ck_assert_uint_eq(rd(t_value(i)), ~0u);
	}
	wr(ID, 0);
	ck_assert_uint_eq(rd(ID), 0x8086a201);
	ck_assert_uint_eq(rd(0x300), 0);
}
END_TEST

START_TEST(counter_counts_and_stands)
{
	setup();
	ck_assert_uint_eq(rd(COUNTER), 0);
	fake_pass(1000);
	ck_assert_uint_eq(rd(COUNTER), 0);
	wr(COUNTER, 0xfffffff0);
	wr(COUNTER + 4, 7);
	wr(CONFIG, ENABLE);
	fake_pass(1000);
	ck_assert_uint_eq(rd(COUNTER), 0xfffffff0 + 100);
	ck_assert_uint_eq(rd(COUNTER + 4), 8);
	wr(COUNTER, 0);                        /* ignored while it runs     */
	ck_assert_uint_eq(rd(COUNTER), 0xfffffff0 + 100);
	wr(CONFIG, 0);
	fake_pass(1000000);
	ck_assert_uint_eq(rd(COUNTER), 0xfffffff0 + 100);
	wr(CONFIG, ENABLE);
	fake_pass(10);
	ck_assert_uint_eq(rd(COUNTER), 0xfffffff0 + 101);
}
END_TEST

static u64 taken(const char *lock) { return lockstat_count(STAT_LOCK, lock, 0); }

/* Reads all, and in a loop sets a comparator that nobody hears, as Linux does to see how
 * long that takes. */
static void *calibrate(void *arg)
{
	for (u32 i = 0; i < HPET_SIZE; i += 4)
		rd(i);
	for (int i = 0; i < 1000; i++)
		wr(t_value(2), rd(COUNTER) + 100);
	return arg;
}

/* row-04: while another thread holds the BQL. */
START_TEST(row_04_no_bql)
{
	struct thread t;
	u64 own;

	setup();
	ck_assert(!region_at(HPET_BASE + COUNTER)->mr->global_locking);
	ck_assert(!region_at(HPET_BASE + CONFIG)->mr->global_locking);
	wr(CONFIG, ENABLE);
	wr(t_config(2), W32);
	lockstat_enable(WATCH_STATS);
	bql_lock();
	thread_create(&t, "looks", calibrate, NULL);
	thread_join(&t);
	ck_assert_uint_eq(taken("bql"), 1);
	bql_unlock();
	ck_assert_uint_eq(rd(t_value(2)), rd(COUNTER) + 100);
	own = taken("hpet");
	for (int i = 0; i < 100; i++)
		rd(COUNTER);
	ck_assert_uint_eq(taken("hpet"), own);
	wr(t_config(2), W32 | INT | 8 << 9);   /* what may move a line      */
	ck_assert_uint_eq(taken("bql"), 2);
	wr(t_value(2), rd(COUNTER) + 1000);
	ck_assert_uint_eq(taken("bql"), 3);
	fake_pass(20000);
	ck_assert_int_eq(rises[8], 1);
	wr(COUNTER, 5);                        /* it runs: ignored          */
	ck_assert_uint_eq(taken("bql"), 3);
}
END_TEST

START_TEST(one_shot)
{
	for (int w = 0; w <= W32; w += W32) {
		int before;

		setup();
		wr(CONFIG, ENABLE);
		wr(t_config(1), w | INT | 8 << 9);
		before = rises[8];
		if (!w)
			wr(t_value(1) + 4, 0);
		wr(t_value(1), rd(COUNTER) + 1000);
		fake_pass(9000);
		ck_assert_int_eq(rises[8], before);
		fake_pass(2000);
		ck_assert_int_eq(rises[8], before + 1);
		fake_pass(40000000000);        /* 40 s: before 32 bits wrap */
		ck_assert_int_eq(rises[8], before + 1);
	}
}
END_TEST

/* A value that the counter has passed: not now, but when it comes by again. */
START_TEST(passed_value_waits)
{
	setup();
	wr(CONFIG, ENABLE);
	fake_pass(1000000);
	wr(t_config(2), W32 | INT | 16 << 9);
	wr(t_value(2), rd(COUNTER) - 1);
	fake_pass(42000000000);
	ck_assert_int_eq(rises[16], 0);
	fake_pass(1000000000);
	ck_assert_int_eq(rises[16], 1);
}
END_TEST

START_TEST(periodic)
{
	setup();
	wr(CONFIG, ENABLE);
	wr(t_config(2), W32 | INT | PERIODIC | SET | 8 << 9);
	wr(t_value(2), rd(COUNTER) + 300000);  /* the first at 3 ms         */
	wr(t_value(2), 100000);                /* then each ms              */
	fake_pass(2900000);
	ck_assert_int_eq(rises[8], 0);
	fake_pass(200000);
	ck_assert_int_eq(rises[8], 1);
	fake_pass(100000000);
	ck_assert_int_eq(rises[8], 101);
	wr(t_config(2), W32 | PERIODIC | 8 << 9);
	ck_assert_int_eq(level[8], 0);
	fake_pass(100000000);
	ck_assert_int_eq(rises[8], 101);
}
END_TEST

/* What a late host missed is skipped; the phase stays. */
START_TEST(periodic_skips_what_was_missed)
{
	u32 phase;

	setup();
	wr(CONFIG, ENABLE);
	wr(t_config(2), W32 | INT | PERIODIC | SET | 8 << 9);
	phase = rd(COUNTER) % 100000;
	wr(t_value(2), rd(COUNTER) + 100000);
	wr(t_value(2), 100000);
	fake_pass(5500000);
	ck_assert_int_eq(rises[8], 5);
	fake_now += 50000000;                  /* 50 ms late                */
	fake_pass(0);
	ck_assert_int_eq(rises[8], 6);
	fake_pass(10000000);
	ck_assert_int_eq(rises[8], 16);
	ck_assert_uint_eq(rd(t_value(2)) % 100000, phase);
}
END_TEST

/* Nobody sees its matches: it costs no timer, and its value moves on all the same. */
START_TEST(unseen_periodic_sleeps)
{
	u32 value;

	setup();
	wr(CONFIG, ENABLE);
	wr(t_config(2), W32 | INT | PERIODIC | SET | 8 << 9);
	wr(t_value(2), rd(COUNTER) + 100000);
	wr(t_value(2), 100000);
	fake_pass(5500000);
	value = rd(t_value(2));
	wr(t_config(2), W32 | PERIODIC | 8 << 9);
	fake_fired = 0;
	fake_pass(100000000);
	ck_assert_uint_eq(fake_fired, 0);
	ck_assert_uint_eq(rd(t_value(2)), value + 100 * 100000);
	fake_pass(50000000);
	wr(t_config(2), W32 | INT | PERIODIC | 8 << 9);
	ck_assert_uint_eq(rd(t_value(2)), value + 150 * 100000);
	rises[8] = 0;
	fake_pass(10000000);
	ck_assert_int_eq(rises[8], 10);
}
END_TEST

START_TEST(absurd_periods)
{
	setup();
	wr(CONFIG, ENABLE);
	for (u32 period = 0; period < 40; period++) {
		wr(t_config(2), W32 | INT | PERIODIC | SET | 8 << 9);
		wr(t_value(2), rd(COUNTER) + 10);
		wr(t_value(2), period);
		fake_fired = 0;
		fake_pass(10000000);
		ck_assert_uint_le(fake_fired, 501);
	}
}
END_TEST

START_TEST(level_until_acknowledged)
{
	setup();
	wr(CONFIG, ENABLE);
	wr(t_config(1), W32 | INT | LEVEL | 17 << 9);
	wr(t_value(1), rd(COUNTER) + 100);
	ck_assert_int_eq(level[17], 0);
	fake_pass(2000);
	ck_assert_int_eq(level[17], 1);
	ck_assert_uint_eq(rd(STATUS), 2);
	wr(STATUS, 5);                         /* others'                   */
	ck_assert_int_eq(level[17], 1);
	wr(STATUS, 2);
	ck_assert_int_eq(level[17], 0);
	ck_assert_uint_eq(rd(STATUS), 0);
}
END_TEST

/* A request that nobody took yet moves along with its route. */
START_TEST(route_changes_while_high)
{
	setup();
	wr(CONFIG, ENABLE);
	wr(t_config(1), W32 | INT | LEVEL | 17 << 9);
	wr(t_value(1), rd(COUNTER) + 100);
	fake_pass(2000);
	wr(t_config(1), W32 | INT | LEVEL | 18 << 9);
	ck_assert_int_eq(level[17], 0);
	ck_assert_int_eq(level[18], 1);
	wr(t_config(1), W32 | INT | LEVEL | 3 << 9);   /* no such route     */
	ck_assert_int_eq(level[18], 0);
	ck_assert_int_eq(level[3], 0);
}
END_TEST

START_TEST(legacy_replacement)
{
	setup();
	wr(t_config(0), W32 | INT | PERIODIC | SET);
	wr(t_value(0), 100000);
	wr(t_value(0), 100000);
	wr(CONFIG, ENABLE | LEGACY);
	ck_assert_int_eq(legacy, 1);
	fake_pass(10050000);
	ck_assert_int_eq(irq0_rises, 10);
	ck_assert_int_eq(irq8, 0);
	wr(t_config(1), W32 | INT);
	wr(t_value(1), rd(COUNTER) + 100);
	fake_pass(2000);
	ck_assert_int_eq(irq8, 1);
	wr(CONFIG, ENABLE);
	ck_assert_int_eq(legacy, 0);
	ck_assert_int_eq(irq0, 0);
	ck_assert_int_eq(irq8, 0);
}
END_TEST

START_TEST(enabled_only_when_asked)
{
	setup();
	wr(CONFIG, ENABLE);
	wr(t_config(1), W32 | 8 << 9);
	wr(t_value(1), rd(COUNTER) + 100);
	fake_pass(5000);
	ck_assert_int_eq(rises[8], 0);
	wr(CONFIG, 0);                         /* the counter stands        */
	wr(t_config(1), W32 | INT | 8 << 9);
	wr(t_value(1), rd(COUNTER) + 100);
	fake_pass(5000);
	ck_assert_int_eq(rises[8], 0);
}
END_TEST

/* row-53: after a reset all registers are those of a new one. */
START_TEST(reset_is_power_on)
{
	u32 fresh[HPET_SIZE / 4];

	setup();
	for (u32 i = 0; i < HPET_SIZE; i += 4)
		fresh[i / 4] = rd(i);
	wr(COUNTER, 12345);
	wr(t_config(0), W32 | INT | PERIODIC | SET);
	wr(t_value(0), 13000);
	wr(t_config(1), INT | LEVEL | 17 << 9);
	wr(t_value(1) + 4, 0);
	wr(t_value(1), 13000);
	wr(CONFIG, ENABLE | LEGACY);
	fake_pass(100000);
	ck_assert_int_eq(irq0, 1);
	bql_lock();
	hpet_reset(hpet);
	bql_unlock();
	for (u32 i = 0; i < HPET_SIZE; i += 4)
		ck_assert_msg(rd(i) == fresh[i / 4], "register %x", i);
	ck_assert_int_eq(irq0 | irq8 | legacy | level[17], 0);
	fake_fired = 0;
	fake_pass(1000000000);
	ck_assert_uint_eq(fake_fired, 0);
}
END_TEST

/* Random writes and times: no crash, no busy loop. */
START_TEST(noise)
{
	setup();
	srand(1);
	fake_fired = 0;
	for (int i = 0; i < 200000; i++) {
		u32 reg = rand() % 2 ? (u32)rand() % 0x180 & ~3u : CONFIG;

		if (rand() & 1)
			wr(reg, rand() & 1 ? (u32)rand() : (u32)rand() % 1024);
		else
			rd(reg);
		fake_pass(rand() % 3 ? rand() % 2000 : rand() % 200000);
	}
	ck_assert_uint_le(fake_fired, ticks_in(fake_now) / 500);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("hw/hpet");
	TCase *t = tcase_create("hpet");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, capabilities);
	tcase_add_test(t, counter_counts_and_stands);
	tcase_add_test(t, row_04_no_bql);
	tcase_add_test(t, one_shot);
	tcase_add_test(t, passed_value_waits);
	tcase_add_test(t, periodic);
	tcase_add_test(t, periodic_skips_what_was_missed);
	tcase_add_test(t, unseen_periodic_sleeps);
	tcase_add_test(t, absurd_periods);
	tcase_add_test(t, level_until_acknowledged);
	tcase_add_test(t, route_changes_while_high);
	tcase_add_test(t, legacy_replacement);
	tcase_add_test(t, enabled_only_when_asked);
	tcase_add_test(t, reset_is_power_on);
	tcase_add_test(t, noise);
	suite_add_tcase(s, t);
	return suite_main(s);
}
