/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/tcg/region.c - the code buffer: host code and the TBs' own data.
 *
 * The buffer is cut into regions; a vCPU fills one at a time without a lock and
 * asks for another under the tcg_region lock. Each region has room for code
 * (mapped twice: writable and executable) and, apart from it, for the structs
 * that describe its TBs: data stores never fall into cache lines of code.
 * Upstream: tcg/region.c. */
#include "tcg/region.h"

#include <stdlib.h>
#include <string.h>

#include "env/log.h"
#include "env/map.h"

enum { REGION_BYTES = 1 << 20, META_BYTES = 2 << 20, MAX_REGIONS = 256 };

/* TBs of one region, in the order of their code. */
struct region_tree {
	struct lock lock;
	struct tb **tb;
	int n, max;
};

intptr_t tcg_rx_offset;

static struct lock region_lock = LOCK_INIT("tcg_region", RANK_REGION);
static u8 *buffer, *meta;           /* writable view; after the stubs       */
static size_t reserved;
static int n_regions;
static int next_region GUARDED_BY(region_lock);
static struct region_tree tree[MAX_REGIONS];

void tcg_region_init(size_t size)
{
	u8 *rx;

	n_regions = (int)MIN(size / REGION_BYTES, (size_t)MAX_REGIONS);
	map_code((size_t)(n_regions + 1) * REGION_BYTES, &buffer, &rx);
	tcg_rx_offset = rx - buffer;
	meta = map_anon(NULL, (size_t)n_regions * META_BYTES, false);
	if (!meta)
		die("no memory for the code buffer");
	for (int i = 0; i < n_regions; i++)
		lock_init(&tree[i].lock, "region_tree", RANK_REGION_TREE);
}

u8 *tcg_code_reserve(size_t n)
{
	u8 *p = buffer + reserved;

	reserved += n;
	ASSERT(reserved <= REGION_BYTES);
	return p;
}

static u8 *region_code(int i)
{
	return buffer + (size_t)(i + 1) * REGION_BYTES;
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
	r->code_end = r->code + REGION_BYTES;
	r->meta = meta + (size_t)i * META_BYTES;
	r->meta_end = r->meta + META_BYTES;
	return true;
}

void tcg_region_reset_all(void)
{
	lock_acquire(&region_lock);
	next_region = 0;
	lock_release(&region_lock);
	for (int i = 0; i < n_regions; i++)
		tree[i].n = 0;
}

bool tcg_in_code(u64 host_pc)
{
	u64 start = (u64)(uintptr_t)tcg_rx(buffer);

	return host_pc >= start && host_pc < start + (u64)(n_regions + 1) * REGION_BYTES;
}

void tcg_tb_insert(struct tcg_region *r, struct tb *tb)
{
	struct region_tree *t = &tree[r->index];

	lock_acquire(&t->lock);
	if (t->n == t->max) {
		t->max = t->max ? t->max * 2 : 1024;
		t->tb = realloc(t->tb, (size_t)t->max * sizeof(*t->tb));
		if (!t->tb)
			die("out of memory");
	}
	t->tb[t->n++] = tb;
	lock_release(&t->lock);
}

/* The last TB whose code starts at or before pc. */
static struct tb *tree_find(const struct region_tree *t, u64 pc)
{
	int lo = 0, hi = t->n;
	struct tb *tb;

	while (lo < hi) {
		int mid = (lo + hi) / 2;

		if ((u64)(uintptr_t)t->tb[mid]->code <= pc)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (!lo)
		return NULL;
	tb = t->tb[lo - 1];
	return pc < (u64)(uintptr_t)tb->code + tb->code_size ? tb : NULL;
}

struct tb *tcg_tb_lookup(u64 host_pc)
{
	s64 ofs = (s64)(host_pc - (u64)(uintptr_t)tcg_rx(region_code(0)));
	struct region_tree *t;
	struct tb *tb;

	if (ofs < 0 || ofs >= (s64)n_regions * REGION_BYTES)
		return NULL;
	t = &tree[ofs / REGION_BYTES];
	lock_acquire(&t->lock);
	tb = tree_find(t, host_pc);
	lock_release(&t->lock);
	return tb;
}
