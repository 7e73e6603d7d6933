/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/tcg/region.c - the code buffer: host code and the TBs' own data.
 *
 * The buffer is cut into regions; a vCPU fills one at a time without a lock and
 * asks for another under the tcg_region lock. Each region has room for code
 * (mapped twice: writable and executable) and, apart from it, for the structs
 * that describe its TBs: data stores never fall into cache lines of code.
 *
 * tcg_region_reset_all() takes all regions back at once, in an exclusive section:
 * a thread finds by the generation that the one it has is no longer its own.
 *
 * Which TB a host address belongs to is asked by any vCPU, about any region; so
 * its list takes no lock: only the region's owner adds, at the end, and takes the
 * last one off again while nobody has run it. A search that meets this place, in
 * either state, goes on to the left of it all the same.
 * Upstream: tcg/region.c, where the list is a tree with a lock. */
#include "tcg/region.h"

#include "env/log.h"
#include "env/map.h"

enum { MIN_REGION = 64 << 10, MAX_REGION = 1 << TB_OFS_BITS, MAX_REGIONS = 512,
       STUB_AREA = 256 << 10 };

/* TBs of one region, in the order of their code. */
struct region_tree {
	struct place { u64 code; struct tb *tb; } *place;    /* _Atomic      */
	u32 n;                      /* _Atomic; released when place[n-1] is set */
};

intptr_t tcg_rx_offset;

static struct lock region_lock = LOCK_INIT("tcg_region", RANK_REGION);
static u8 *buffer, *meta;           /* writable view: stubs, then regions   */
static size_t reserved, region_bytes, meta_bytes;
static u32 max_places;              /* TBs that a region has room for        */
static int n_regions;
static int next_region GUARDED_BY(region_lock);
static u64 generation = 1;          /* _Atomic; changes in exclusive sections */
static struct region_tree tree[MAX_REGIONS];

/* Two regions a thread, so that one that fills its own soon gets another, if they
 * are not too small for a TB then. */
static void choose_size(size_t size, size_t threads)
{
	region_bytes = size / (2 * threads) & ~(size_t)(HOST_PAGE - 1);
	region_bytes = MAX(MIN(region_bytes, (size_t)MAX_REGION), (size_t)MIN_REGION);
	meta_bytes = 2 * region_bytes;
	max_places = (u32)(meta_bytes / sizeof(struct tb));
	n_regions = (int)MIN(MAX(size / region_bytes, threads), (size_t)MAX_REGIONS);
}

void tcg_region_init(size_t size, int threads)
{
	struct place *places;
	u8 *rx;

	ASSERT(threads > 0 && threads <= MAX_REGIONS);
	choose_size(size, (size_t)threads);
	map_code(STUB_AREA + (size_t)n_regions * region_bytes, &buffer, &rx);
	tcg_rx_offset = rx - buffer;
	meta = map_anon(NULL, (size_t)n_regions * meta_bytes, false);
	places = map_anon(NULL, (size_t)n_regions * max_places * sizeof(*places), false);
	if (!meta || !places)
		die("no memory for the code buffer");
	for (int i = 0; i < n_regions; i++)
		tree[i].place = places + (size_t)i * max_places;
}

u8 *tcg_code_reserve(size_t n)
{
	u8 *p = buffer + reserved;

	reserved += n;
	ASSERT(reserved <= STUB_AREA);
	return p;
}

static u8 *region_code(int i)
{
	return buffer + STUB_AREA + (size_t)i * region_bytes;
}

bool tcg_region_alloc(struct tcg_region *r)
{
	int i;

	lock_acquire(&region_lock);
	i = next_region < n_regions ? next_region++ : -1;
	lock_release(&region_lock);
	if (i < 0)
		return false;
	r->index = i;
	r->code = region_code(i);
	r->code_end = r->code + region_bytes;
	r->meta = meta + (size_t)i * meta_bytes;
	r->meta_end = r->meta + meta_bytes;
	r->generation = __atomic_load_n(&generation, __ATOMIC_RELAXED);
	return true;
}

bool tcg_region_valid(const struct tcg_region *r)
{
	return r->generation == __atomic_load_n(&generation, __ATOMIC_RELAXED);
}

void tcg_region_reset_all(void)
{
	lock_acquire(&region_lock);
	next_region = 0;
	__atomic_fetch_add(&generation, 1, __ATOMIC_RELAXED);
	lock_release(&region_lock);
	for (int i = 0; i < n_regions; i++)
		__atomic_store_n(&tree[i].n, 0, __ATOMIC_RELEASE);
}

bool tcg_in_code(u64 host_pc)
{
	u64 start = (u64)(uintptr_t)tcg_rx(buffer);

	return host_pc >= start && host_pc < start + STUB_AREA + (u64)n_regions * region_bytes;
}

void tcg_tb_insert(struct tcg_region *r, struct tb *tb)
{
	struct region_tree *t = &tree[r->index];
	u32 n = __atomic_load_n(&t->n, __ATOMIC_RELAXED);

	ASSERT(n < max_places);
	__atomic_store_n(&t->place[n].code, (u64)(uintptr_t)tb->code, __ATOMIC_RELAXED);
	__atomic_store_n(&t->place[n].tb, tb, __ATOMIC_RELAXED);
	__atomic_store_n(&t->n, n + 1, __ATOMIC_RELEASE);
}

void tcg_tb_remove(struct tcg_region *r, struct tb *tb)
{
	struct region_tree *t = &tree[r->index];
	u32 n = __atomic_load_n(&t->n, __ATOMIC_RELAXED);

	ASSERT(n && t->place[n - 1].tb == tb);
	__atomic_store_n(&t->n, n - 1, __ATOMIC_RELEASE);
}

/* The last TB whose code starts at or before pc. */
static struct tb *tree_find(const struct region_tree *t, u64 pc)
{
	u32 lo = 0, hi = __atomic_load_n(&t->n, __ATOMIC_ACQUIRE);
	struct tb *tb;

	while (lo < hi) {
		u32 mid = (lo + hi) / 2;

		if (__atomic_load_n(&t->place[mid].code, __ATOMIC_RELAXED) <= pc)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (!lo)
		return NULL;
	tb = __atomic_load_n(&t->place[lo - 1].tb, __ATOMIC_RELAXED);
	return pc < (u64)(uintptr_t)tb->code + tb->code_size ? tb : NULL;
}

struct tb *tcg_tb_lookup(u64 host_pc)
{
	s64 ofs = (s64)(host_pc - (u64)(uintptr_t)tcg_rx(region_code(0)));

	if (ofs < 0 || ofs >= (s64)((size_t)n_regions * region_bytes))
		return NULL;
	return tree_find(&tree[(size_t)ofs / region_bytes], host_pc);
}

void tcg_tb_foreach(void (*fn)(const struct tb *tb, void *data), void *data)
{
	for (int i = 0; i < n_regions; i++) {
		u32 n = __atomic_load_n(&tree[i].n, __ATOMIC_ACQUIRE);

		for (u32 k = 0; k < n; k++)
			fn(__atomic_load_n(&tree[i].place[k].tb, __ATOMIC_RELAXED), data);
	}
}
