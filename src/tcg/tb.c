/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/tcg/tb.c - the store of translated blocks: by key, by page, by link.
 *
 * Readers (a lookup, translated code that jumps along links) take no lock: a
 * hash chain and a link's displacement are published by one store each, and
 * the memory of a dropped TB stays as it is until tb_flush_all(), which runs
 * with every vCPU outside translated code.
 *
 * Pages. A page that holds code has a descriptor with a lock, the list of TBs
 * that depend on its bytes, and a bitmap of the 16-byte granules they cover: a
 * store beside code costs one bit test. Which TBs a store hits is decided by
 * byte. Two pages are locked in the order of their descriptors' addresses. */
#include "tcg/tb.h"

#include <stdlib.h>
#include <string.h>

#include "env/log.h"
#include "env/map.h"
#include "tcg/region.h"
#include "tcg/x64_enc.h"

enum { PAGE_BITS = 12, PAGE = 1 << PAGE_BITS, GRANULES = PAGE / 16,
       N_BUCKETS = 1 << 17, BUCKET_LOCKS = 64 };
static const ram_addr NO_PAGE = ~0ull;

struct lock_class page_locks;

struct page_desc {
	struct lock lock;
	struct tb *first GUARDED_BY(page_locks);
	u64 granule[GRANULES / 64];   /* _Atomic; written under the lock   */
};

struct tb_stats tb_stats;

static struct page_desc **pages;      /* by RAM page; _Atomic pointers      */
static u64 n_pages;
static struct tb **bucket;            /* _Atomic heads                      */
static struct lock bucket_lock[BUCKET_LOCKS];
static const struct tb_hooks *hooks;

void tb_init(u64 ram, size_t code_size, const struct tb_hooks *h)
{
	hooks = h;
	n_pages = ram >> PAGE_BITS;
	pages = map_anon(NULL, n_pages * sizeof(*pages), false);
	bucket = map_anon(NULL, N_BUCKETS * sizeof(*bucket), false);
	if (!pages || !bucket)
		die("no memory for the translator's tables");
	for (int i = 0; i < BUCKET_LOCKS; i++)
		lock_init(&bucket_lock[i], "tb_bucket", RANK_TB_BUCKET);
	tcg_region_init(code_size);
}

/* -- pages ---------------------------------------------------------------------- */

static struct page_desc *page_find(ram_addr addr)
{
	u64 i = addr >> PAGE_BITS;

	return i < n_pages ? __atomic_load_n(&pages[i], __ATOMIC_ACQUIRE) : NULL;
}

static struct page_desc *page_find_alloc(ram_addr addr)
{
	struct page_desc *p = page_find(addr), *old = NULL;

	if (p)
		return p;
	ASSERT(addr >> PAGE_BITS < n_pages);
	p = calloc(1, sizeof(*p));
	if (!p)
		die("out of memory");
	lock_init(&p->lock, "page", RANK_PAGE);
	if (__atomic_compare_exchange_n(&pages[addr >> PAGE_BITS], &old, p, false,
					__ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return p;
	lock_destroy(&p->lock);
	free(p);
	return old;
}

static void page_lock(struct page_desc *p) ACQUIRE(page_locks) UNCHECKED
{
	lock_acquire(&p->lock);
}

static void page_unlock(struct page_desc *p) RELEASE(page_locks) UNCHECKED
{
	lock_release(&p->lock);
}

/* Lock the pages of a TB (one or two) in the order of their descriptors.
 * Upstream: page_lock_pair. */
static void page_lock_pair(struct page_desc *p[2]) ACQUIRE(page_locks) UNCHECKED
{
	int low = p[1] && p[1] < p[0];

	if (p[low])
		lock_acquire(&p[low]->lock);
	if (p[!low])
		lock_acquire(&p[!low]->lock);
}

static void page_unlock_pair(struct page_desc *p[2]) RELEASE(page_locks) UNCHECKED
{
	for (int i = 0; i < 2; i++)
		if (p[i])
			lock_release(&p[i]->lock);
}

/* The bytes of page n that a TB depends on. */
static void tb_range(const struct tb *tb, int n, u32 *first, u32 *end)
{
	*first = n ? 0 : tb->first;
	*end = n ? tb->end - PAGE : MIN(tb->end, (u32)PAGE);
}

static void granules_add(struct page_desc *p, u32 first, u32 end)
{
	for (u32 g = first / 16; g <= (end - 1) / 16; g++)
		__atomic_store_n(&p->granule[g / 64],
				 p->granule[g / 64] | 1ull << (g % 64), __ATOMIC_RELAXED);
}

static int tb_page_index(const struct tb *tb, ram_addr page)
{
	return tb->page[0] != page;
}

static void granules_rebuild(struct page_desc *p, ram_addr page) REQUIRES(page_locks)
{
	u32 first, end;

	for (unsigned i = 0; i < ARRAY_SIZE(p->granule); i++)
		__atomic_store_n(&p->granule[i], 0, __ATOMIC_RELAXED);
	for (struct tb *tb = p->first; tb; tb = tb->page_next[tb_page_index(tb, page)]) {
		tb_range(tb, tb_page_index(tb, page), &first, &end);
		granules_add(p, first, end);
	}
}

static void page_add_tb(struct page_desc *p, struct tb *tb, int n) REQUIRES(page_locks)
{
	bool was_empty = !p->first;
	u32 first, end;

	tb->page_next[n] = p->first;
	p->first = tb;
	tb_range(tb, n, &first, &end);
	granules_add(p, first, end);
	if (was_empty)
		hooks->code_page(tb->page[n]);
}

static void page_remove_tb(struct page_desc *p, struct tb *tb, int n) REQUIRES(page_locks)
{
	struct tb **at = &p->first;

	while (*at && *at != tb)
		at = &(*at)->page_next[tb_page_index(*at, tb->page[n])];
	if (*at)
		*at = tb->page_next[n];
}

bool tb_page_has_code(ram_addr addr)
{
	struct page_desc *p = page_find(addr);
	u64 any = 0;

	for (unsigned i = 0; p && i < ARRAY_SIZE(p->granule); i++)
		any |= __atomic_load_n(&p->granule[i], __ATOMIC_RELAXED);
	return any;
}

bool tb_page_hit(ram_addr addr, unsigned n)
{
	struct page_desc *p = page_find(addr);
	u32 first = addr & (PAGE - 1);

	if (!p)
		return false;
	for (u32 g = first / 16; g <= (first + n - 1) / 16; g++)
		if (__atomic_load_n(&p->granule[g / 64], __ATOMIC_RELAXED) >> (g % 64) & 1)
			return true;
	return false;
}

/* -- by key ----------------------------------------------------------------------- */

static u32 tb_hash(ram_addr phys, u64 pc, u32 flags)
{
	u64 h = (phys ^ pc << 7 ^ (u64)flags << 32) * 0x9e3779b97f4a7c15ull;

	return (u32)(h >> 47);
}

static bool tb_matches(const struct tb *tb, ram_addr phys, u64 pc, u64 cs_base,
		       u32 flags, u32 cflags)
{
	return tb->phys == phys && tb->pc == pc && tb->cs_base == cs_base &&
	       tb->flags == flags && tb->cflags == cflags &&
	       !__atomic_load_n(&tb->invalid, __ATOMIC_ACQUIRE);
}

struct tb *tb_htable_lookup(ram_addr phys, u64 pc, u64 cs_base, u32 flags, u32 cflags)
{
	struct tb *tb = __atomic_load_n(&bucket[tb_hash(phys, pc, flags)], __ATOMIC_ACQUIRE);

	while (tb && !tb_matches(tb, phys, pc, cs_base, flags, cflags))
		tb = __atomic_load_n(&tb->hash_next, __ATOMIC_ACQUIRE);
	return tb;
}

/* Insert unless the same one is there; returns the one that is there. */
static struct tb *bucket_insert(struct tb *tb)
{
	u32 h = tb_hash(tb->phys, tb->pc, tb->flags);
	struct tb *there;

	lock_acquire(&bucket_lock[h % BUCKET_LOCKS]);
	there = tb_htable_lookup(tb->phys, tb->pc, tb->cs_base, tb->flags, tb->cflags);
	if (!there) {
		tb->hash_next = bucket[h];
		__atomic_store_n(&bucket[h], tb, __ATOMIC_RELEASE);
	}
	lock_release(&bucket_lock[h % BUCKET_LOCKS]);
	return there ? there : tb;
}

static void bucket_remove(struct tb *tb)
{
	u32 h = tb_hash(tb->phys, tb->pc, tb->flags);
	struct tb **at = &bucket[h];

	lock_acquire(&bucket_lock[h % BUCKET_LOCKS]);
	while (*at && *at != tb)
		at = &(*at)->hash_next;
	if (*at)
		__atomic_store_n(at, tb->hash_next, __ATOMIC_RELEASE);
	lock_release(&bucket_lock[h % BUCKET_LOCKS]);
}

static void tb_pages(const struct tb *tb, struct page_desc *p[2])
{
	for (int i = 0; i < 2; i++)
		p[i] = tb->page[i] == NO_PAGE ? NULL : page_find_alloc(tb->page[i]);
}

struct tb *tb_link_page(struct tb *tb)
{
	struct page_desc *p[2];
	struct tb *there;

	lock_init(&tb->jmp_lock, "tb_jmp", RANK_TB_JMP);
	tb_stats.n_tb++;
	tb_stats.guest_bytes += tb->size;
	tb_stats.guest_insns += tb->n_insns;
	tb_stats.code_bytes += tb->code_size;
	if (tb->page[0] == NO_PAGE)
		return tb;
	tb_pages(tb, p);
	page_lock_pair(p);
	there = bucket_insert(tb);
	if (there == tb)
		for (int i = 0; i < 2; i++)
			if (p[i])
				page_add_tb(p[i], tb, i);
	page_unlock_pair(p);
	return there;
}

/* -- links --------------------------------------------------------------------------- */

static void link_aim(struct tb_link *l, const u8 *target)
{
	s32 rel = (s32)(target - (l->patch + 4));

	__atomic_store_n((s32 *)(void *)l->patch, rel, __ATOMIC_RELAXED);
}

void tb_add_jump(struct tb_link *l, struct tb *to)
{
	lock_acquire(&to->jmp_lock);
	if (!l->to && l->patch && !to->invalid &&
	    !__atomic_load_n(&l->from->invalid, __ATOMIC_ACQUIRE)) {
		l->to = to;
		l->next = to->incoming;
		to->incoming = l;
		link_aim(l, tcg_rw(to->code));
		tb_stats.links++;
	}
	lock_release(&to->jmp_lock);
}

static void link_remove(struct tb_link *l)
{
	struct tb *to = __atomic_load_n(&l->to, __ATOMIC_ACQUIRE);
	struct tb_link **at;

	if (!to)
		return;
	lock_acquire(&to->jmp_lock);
	for (at = &to->incoming; *at && *at != l; at = &(*at)->next)
		;
	if (*at) {
		*at = l->next;
		link_aim(l, l->stub);        /* a return may still land here */
		l->to = NULL;
	}
	lock_release(&to->jmp_lock);
}

/* -- invalidation ------------------------------------------------------------------------ */

/* Upstream: do_tb_phys_invalidate. All pages of the TB are locked. */
static void tb_drop(struct tb *tb, struct page_desc *p[2]) REQUIRES(page_locks)
{
	lock_acquire(&tb->jmp_lock);
	__atomic_store_n(&tb->invalid, true, __ATOMIC_RELEASE);
	for (struct tb_link *l = tb->incoming; l; l = l->next) {
		link_aim(l, l->stub);
		__atomic_store_n(&l->to, NULL, __ATOMIC_RELEASE);
	}
	tb->incoming = NULL;
	lock_release(&tb->jmp_lock);
	bucket_remove(tb);
	for (int i = 0; i < 2; i++)
		if (p[i])
			page_remove_tb(p[i], tb, i);
	for (int i = 0; i < tb->n_links; i++)
		link_remove(&tb->link[i]);
	hooks->dropped(tb);
	tb_stats.invalidated++;
}

/* Some TB of the page that depends on a byte of [first, end). */
static struct tb *page_find_hit(struct page_desc *p, ram_addr page, u32 first, u32 end)
	REQUIRES(page_locks)
{
	u32 a, b;

	for (struct tb *tb = p->first; tb; tb = tb->page_next[tb_page_index(tb, page)]) {
		tb_range(tb, tb_page_index(tb, page), &a, &b);
		if (a < end && first < b)
			return tb;
	}
	return NULL;
}

static bool invalidate_in_page(ram_addr addr, u32 n, struct tb *current)
{
	ram_addr page = addr & ~(ram_addr)(PAGE - 1);
	struct page_desc *p = page_find(addr), *both[2];
	u32 first = addr & (PAGE - 1);
	bool hit = false;
	struct tb *tb;

	for (;;) {
		page_lock(p);
		tb = page_find_hit(p, page, first, first + n);
		if (!tb)
			break;
		page_unlock(p);
		/* Lock all its pages in order; it may be gone by then. */
		tb_pages(tb, both);
		page_lock_pair(both);
		if (!tb->invalid) {
			tb_drop(tb, both);
			hit |= tb == current;
		}
		page_unlock_pair(both);
	}
	granules_rebuild(p, page);
	page_unlock(p);
	return hit;
}

bool tb_invalidate_range(ram_addr addr, u64 n, struct tb *current)
{
	bool hit = false;

	while (n) {
		u32 here = (u32)MIN(n, (u64)(PAGE - (addr & (PAGE - 1))));

		if (tb_page_hit(addr, here))
			hit |= invalidate_in_page(addr, here, current);
		addr += here;
		n -= here;
	}
	return hit;
}

void tb_flush_all(void)
{
	for (u64 i = 0; i < n_pages; i++) {
		struct page_desc *p = pages[i];

		if (!p)
			continue;
		page_lock(p);
		p->first = NULL;
		granules_rebuild(p, i << PAGE_BITS);
		page_unlock(p);
	}
	memset(bucket, 0, N_BUCKETS * sizeof(*bucket));
	tcg_region_reset_all();
	tb_stats.flushes++;
}
