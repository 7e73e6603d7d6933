/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tcg/tb, many threads at once: TBs are made, found, linked and dropped while
 * their bytes change. Nothing is executed: a TB remembers the byte that it was
 * "translated" from.
 *
 * The claim (row-12, row-41, row-42): when a byte has been stored and
 * tb_invalidate_range() has returned, no lookup finds a TB made of the old byte.
 * Each byte has one thread that stores to it, so that this thread knows what is
 * right; all threads translate all bytes. */
#include <sched.h>

#include "child.h"
#include "env/lockstat.h"
#include "env/map.h"
#include "env/thread.h"
#include "tcg/tb.h"
#include "tcg/tb_hash.h"

enum { PAGES = 4, PAGE = 4096, BYTES = PAGES * PAGE, THREADS = 4, ROUNDS = 20000,
       SPOTS = 32 };
static const u64 CODE = 0x1000;

static u8 ram[BYTES];
static u8 code_area[4096];               /* stands for all host code        */
static u64 dropped;

/* A TB of the byte at `at`, which was `value`. */
struct my_tb {
	struct tb tb;
	struct tb_link link[2];
	s32 patch[2] __attribute__((aligned(8)));
	ram_addr at;
	u8 value;
};

/* -- hooks ---------------------------------------------------------------------- */
static bool code_page(ram_addr page)
{
	(void)page;
	return false;
}

static bool unchanged(const struct tb *tb)
{
	const struct my_tb *m = (const struct my_tb *)tb;

	return __atomic_load_n(&ram[m->at], __ATOMIC_SEQ_CST) == m->value;
}

static void on_drop(struct tb *tb)
{
	(void)tb;
	__atomic_fetch_add(&dropped, 1, __ATOMIC_RELAXED);
}

static const struct tb_hooks hooks = { code_page, unchanged, on_drop };

/* -- TBs -------------------------------------------------------------------------- */
/* Spots lie close together, on both sides of each page's end: neighbours, and TBs
 * of two pages. */
static ram_addr spot(unsigned i)
{
	unsigned page = i % PAGES, n = i / PAGES % (SPOTS / PAGES);

	return (page * PAGE + PAGE - 16 + n * 5) % BYTES;
}

/* 4 bytes that end with the spot's: it may be the first of the next page. */
static ram_addr tb_start(ram_addr at)
{
	return at >= 3 ? at - 3 : at;
}

static struct my_tb *make_tb(ram_addr at)
{
	struct my_tb *m = calloc(1, sizeof(*m));
	ram_addr start = tb_start(at);

	m->at = at;
	m->value = __atomic_load_n(&ram[at], __ATOMIC_SEQ_CST);
	m->tb = (struct tb){
		.phys = start, .pc = CODE + start, .size = (u16)(at - start + 1), .n_insns = 1,
		.first = start % PAGE, .end = (u32)(start % PAGE + at - start + 1),
		.page = { start & ~(ram_addr)(PAGE - 1), ~0ull },
		.code = tcg_rx(code_area), .link = m->link, .n_links = 2,
	};
	if (m->tb.end > PAGE)
		m->tb.page[1] = m->tb.page[0] + PAGE;
	for (int i = 0; i < 2; i++)
		m->link[i] = (struct tb_link){ .from = &m->tb, .patch = (u8 *)&m->patch[i],
					       .stub = (u8 *)&m->patch[i] };
	return m;
}

static struct tb *find(ram_addr at)
{
	ram_addr start = tb_start(at);

	return tb_htable_lookup(start, CODE + start, 0, 0, 0);
}

/* What the exec loop does: a valid TB of the spot, made now if need be. */
static struct tb *get(ram_addr at)
{
	for (;;) {
		struct tb *tb = find(at), *there;
		bool wait;

		if (tb)
			return tb;
		tb = &make_tb(at)->tb;
		if (at & 1)
			sched_yield();           /* time for others to store   */
		there = tb_link_page(tb, &wait);
		ck_assert(!wait);
		if (there)
			return there;            /* a loser's memory stays, as in
						  * a region                  */
	}
}

/* -- threads ----------------------------------------------------------------------- */
struct worker { struct thread thread; unsigned n; u64 stale; };

static u32 random_next(u32 *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

static bool is_stale(ram_addr at, u8 v)
{
	struct tb *tb = find(at);

	return tb && ((struct my_tb *)tb)->value != v;
}

/* Store to a spot of one's own; nobody may find what was there. */
static void change(struct worker *w, ram_addr at)
{
	u8 v = __atomic_load_n(&ram[at], __ATOMIC_RELAXED);

	w->stale += is_stale(at, v);             /* published since then     */
	__atomic_store_n(&ram[at], ++v, __ATOMIC_RELAXED);
	tb_invalidate_range(at, 1, NULL);
	w->stale += is_stale(at, v);
}

static void *work(void *arg)
{
	struct worker *w = arg;
	u32 seed = w->n + 1;

	for (int i = 0; i < ROUNDS; i++) {
		u32 r = random_next(&seed);
		unsigned own = r % (SPOTS / THREADS) * THREADS + w->n;
		struct tb *from = get(spot(r >> 4)), *to = get(spot(r >> 12));

		tb_add_jump(&from->link[r & 1], to);
		change(w, spot(own));
		if (i % 64 == 63)                /* DMA over several pages    */
			tb_invalidate_range(spot(r), 2 * PAGE - spot(r) % PAGE, NULL);
	}
	return NULL;
}

static void run_workers(struct worker w[THREADS], void *(*fn)(void *))
{
	for (unsigned i = 0; i < THREADS; i++) {
		w[i] = (struct worker){ .n = i };
		thread_create(&w[i].thread, "worker", fn, &w[i]);
	}
	for (unsigned i = 0; i < THREADS; i++)
		thread_join(&w[i].thread);
}

/* Where a link leads is what its destination knows, and what its jump says. */
static void check_links(const struct tb *tb)
{
	for (int i = 0; i < tb->n_links; i++) {
		const struct tb_link *l = &tb->link[i], *in;
		const struct tb *to = (const struct tb *)(uintptr_t)(l->to & ~1ull);
		s32 rel = *(const s32 *)(const void *)l->patch;

		if (!to) {
			ck_assert(rel == (s32)(l->stub - (l->patch + 4)) || rel == 0);
			continue;
		}
		ck_assert(tb_is_valid(to));
		ck_assert_int_eq(rel, (s32)(tcg_rw(to->code) - (l->patch + 4)));
		for (in = to->incoming; in && in != l; in = in->next)
			;
		ck_assert_ptr_eq(in, l);
	}
}

START_TEST(no_stale_tb_is_found)
{
	struct worker w[THREADS];

	run_workers(w, work);
	for (unsigned i = 0; i < THREADS; i++)
		ck_assert_uint_eq(w[i].stale, 0);
	ck_assert_uint_gt(dropped, 0);
	for (unsigned i = 0; i < SPOTS; i++)
		if (find(spot(i)))
			check_links(find(spot(i)));
	/* one store over all of it: nothing is left */
	tb_invalidate_range(0, BYTES, NULL);
	for (unsigned i = 0; i < SPOTS; i++)
		ck_assert_ptr_null(find(spot(i)));
	for (ram_addr a = 0; a < BYTES; a += PAGE)
		ck_assert(!tb_page_hit(a, PAGE));
}
END_TEST

/* row-41: stores that span pages, in opposite directions, over TBs of two pages:
 * locks out of order are tried, and taken again in order. MODE=dbg checks ranks. */
static void *span_both_ways(void *arg)
{
	struct worker *w = arg;

	for (int i = 0; i < ROUNDS; i++) {
		unsigned p = (unsigned)i % (PAGES - 1);

		get((p + 1) * PAGE + 2);         /* starts in page p          */
		if (w->n % 2)
			p = PAGES - 2 - p;
		tb_invalidate_range(p * PAGE + PAGE - 4, 8, NULL);
	}
	return NULL;
}

START_TEST(pages_lock_in_order)
{
	struct worker w[THREADS];

	run_workers(w, span_both_ways);
	tb_invalidate_range(0, BYTES, NULL);
	for (ram_addr a = 0; a < BYTES; a += PAGE)
		ck_assert(!tb_page_hit(a, PAGE));
}
END_TEST

/* -- marks ---------------------------------------------------------------------------- */
static bool in_flight;
static unsigned marks;

static bool count_mark(ram_addr page)
{
	(void)page;
	marks++;
	return in_flight;
}

static const struct tb_hooks marking = { count_mark, unchanged, on_drop };

/* A store that began before the mark must be over before the page gets a TB. */
START_TEST(a_store_under_way_is_waited_for)
{
	bool wait;
	struct my_tb *m = make_tb(0x100);

	tb_init(BYTES, 1 << 20, 1, &marking);
	marks = 0;
	in_flight = true;
	ck_assert(!tb_page_has_code(0x100));
	ck_assert_ptr_null(tb_link_page(&m->tb, &wait));
	ck_assert(wait && tb_page_has_code(0x100) && !tb_page_hit(0x100, 1));
	/* again, before the exclusive section: no */
	ck_assert_ptr_null(tb_link_page(&m->tb, &wait));
	ck_assert(wait);
	tb_quiesce();
	ck_assert_ptr_eq(tb_link_page(&m->tb, &wait), &m->tb);
	ck_assert_uint_eq(marks, 1);
	ck_assert(tb_page_hit(0x100, 1));
	/* the mark outlives the TB, until the page is idle for long */
	tb_invalidate_range(0x100, 1, NULL);
	ck_assert(tb_page_has_code(0x100) && !tb_page_hit(0x100, 1));
	ck_assert(tb_page_dropped(0x100));
	while (!tb_page_idle(0x100))
		;
	ck_assert(tb_page_has_code(0x100));
	tb_quiesce();
	ck_assert(!tb_page_has_code(0x100));
}
END_TEST

START_TEST(changed_bytes_are_not_published)
{
	struct my_tb *m = make_tb(0x200);
	bool wait = true;

	ram[0x200]++;
	ck_assert_ptr_null(tb_link_page(&m->tb, &wait));
	ck_assert(!wait && !find(0x200) && !tb_page_hit(0x1fd, 4));
}
END_TEST

/* -- the hash ------------------------------------------------------------------------- */
/* TBs of one place in several variants share a bucket: more than it has places for. */
START_TEST(full_bucket)
{
	enum { VARIANTS = 20 };
	struct my_tb *m[VARIANTS];

	for (u32 i = 0; i < VARIANTS; i++) {
		m[i] = make_tb(0x300);
		m[i]->tb.cflags = i;
		ck_assert_ptr_eq(tb_htable_insert(&m[i]->tb), &m[i]->tb);
	}
	for (u32 step = 2; step < 4; step++) {
		for (u32 i = 0; i < VARIANTS; i += step)
			tb_htable_remove(&m[i]->tb);
		for (u32 i = 0; i < VARIANTS; i++)
			ck_assert_ptr_eq(tb_htable_lookup(m[i]->tb.phys, m[i]->tb.pc, 0, 0, i),
					 i % step ? &m[i]->tb : NULL);
		for (u32 i = 0; i < VARIANTS; i += step)
			ck_assert_ptr_eq(tb_htable_insert(&m[i]->tb), &m[i]->tb);
	}
	/* another of the same key is not inserted */
	m[0] = make_tb(0x300);
	ck_assert_ptr_ne(tb_htable_insert(&m[0]->tb), &m[0]->tb);
}
END_TEST

/* -- regions (row-40) ----------------------------------------------------------------- */
static struct tcg_region region_of[THREADS * 64];
static u32 n_regions;

static void *take_regions(void *arg)
{
	struct tcg_region r = { 0 };

	(void)arg;
	while (tcg_region_alloc(&r))
		region_of[__atomic_fetch_add(&n_regions, 1, __ATOMIC_RELAXED)] = r;
	return NULL;
}

START_TEST(regions_do_not_overlap)
{
	struct worker w[THREADS];

	tb_init(BYTES, 4 << 20, THREADS, &hooks);
	run_workers(w, take_regions);
	ck_assert_uint_ge(n_regions, 2 * THREADS);
	for (u32 i = 0; i < n_regions; i++) {
		const struct tcg_region *a = &region_of[i];

		ck_assert(tcg_region_valid(a));
		for (u32 j = 0; j < i; j++) {
			const struct tcg_region *b = &region_of[j];

			ck_assert(a->code_end <= b->code || b->code_end <= a->code);
			ck_assert(a->meta_end <= b->meta || b->meta_end <= a->meta);
		}
	}
	tb_flush_all();
	ck_assert(!tcg_region_valid(&region_of[0]));
	ck_assert(tcg_region_alloc(&region_of[0]));
}
END_TEST

/* A buffer of 1 MB serves 32 threads. */
START_TEST(each_thread_gets_a_region)
{
	struct tcg_region r;

	tb_init(BYTES, 1 << 20, 32, &hooks);
	for (int i = 0; i < 32; i++) {
		ck_assert(tcg_region_alloc(&r));
		ck_assert_int_ge(r.code_end - r.code, 32 << 10);
	}
}
END_TEST

/* -- from a host address to its TB ------------------------------------------------------ */
enum { TBS = 2000, TB_BYTES = 32 };

static struct owner { struct tcg_region region; u32 n; u64 wrong; } owner[THREADS];

static struct tb *tb_of(const struct owner *o, u32 i)
{
	return (struct tb *)(void *)o->region.meta + i;
}

static void insert(struct owner *o, u32 i, u32 bytes)
{
	struct tb *tb = tb_of(o, i);

	tb->code = tcg_rx(o->region.code + i * TB_BYTES);
	tb->code_size = bytes;
	tcg_tb_insert(&o->region, tb);
}

/* One that somebody could be running by now: first, middle and last byte, and behind it. */
static bool looks_right(const struct owner *o, u32 i)
{
	u64 at = (u64)(uintptr_t)tcg_rx(o->region.code + i * TB_BYTES);
	struct tb *tb = tb_of(o, i);

	return tcg_tb_lookup(at) == tb && tcg_tb_lookup(at + 7) == tb &&
	       tcg_tb_lookup(at + TB_BYTES - 2) == tb && !tcg_tb_lookup(at + TB_BYTES - 1);
}

/* Add to one's own region, sometimes take the last one back; look for those of all. */
static void *add_and_look(void *arg)
{
	struct worker *w = arg;
	struct owner *own = &owner[w->n];
	u32 seed = w->n + 1;

	for (u32 i = 0; i < TBS; i++) {
		for (u32 again = random_next(&seed) % 3; again; again--) {
			insert(own, i, TB_BYTES - 8 * again);
			tcg_tb_remove(&own->region, tb_of(own, i));
		}
		insert(own, i, TB_BYTES - 1);
		__atomic_store_n(&own->n, i + 1, __ATOMIC_RELEASE);
		for (int k = 0; k < 16; k++) {
			const struct owner *o = &owner[random_next(&seed) % THREADS];
			u32 n = __atomic_load_n(&o->n, __ATOMIC_ACQUIRE);

			if (n)
				own->wrong += !looks_right(o, k ? random_next(&seed) % n : n - 1);
		}
	}
	return NULL;
}

/* No lock is taken for it. */
START_TEST(lookups_beside_insertions)
{
	struct worker w[THREADS];
	struct lockstat_sum *sums;
	size_t n;
	u64 lost;

	tb_init(BYTES, 8 << 20, THREADS, &hooks);
	for (int i = 0; i < THREADS; i++)
		ck_assert(tcg_region_alloc(&owner[i].region));
	lockstat_enable(WATCH_STATS);
	run_workers(w, add_and_look);
	sums = lockstat_merge(&n, &lost);
	ck_assert_uint_eq(n, 0);
	free(sums);
	for (int i = 0; i < THREADS; i++)
		ck_assert_uint_eq(owner[i].wrong, 0);
	tb_flush_all();
	ck_assert_ptr_null(tcg_tb_lookup((u64)(uintptr_t)tb_of(owner, 0)->code));
}
END_TEST

static void setup(void)
{
	tb_init(BYTES, 1 << 20, THREADS, &hooks);
}

int main(void)
{
	Suite *s = suite_create("tcg/tb, threads");
	TCase *t = tcase_create("tb_mt");

	tcase_set_timeout(t, 120);
	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, no_stale_tb_is_found);
	tcase_add_test(t, pages_lock_in_order);
	tcase_add_test(t, a_store_under_way_is_waited_for);
	tcase_add_test(t, changed_bytes_are_not_published);
	tcase_add_test(t, full_bucket);
	tcase_add_test(t, regions_do_not_overlap);
	tcase_add_test(t, each_thread_gets_a_region);
	tcase_add_test(t, lookups_beside_insertions);
	suite_add_tcase(s, t);
	return suite_main(s);
}
