/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/tcg/tb_hash.c - TBs by key: where the code is in RAM, its pc and modes.
 *
 * Most lookups find nothing, and the table is larger than the host's caches: so a
 * bucket is one line of them, and holds with each TB's address a tag, 16 more bits of
 * the key's hash. A TB is looked at only when its tag is right. What comes to a full
 * bucket is chained behind it.
 *
 * Readers take no lock: a place is written by one store, and so is a chain's link. A
 * TB that is taken out keeps its own link: who stands on it goes on along that. */
#include "tcg/tb_hash.h"

#include "env/log.h"
#include "env/map.h"
#include "tcg/tb.h"

enum { N_BUCKETS = 1 << 19, BUCKET_LOCKS = 64, PLACES = 7, TAG_BITS = 16,
       CODE_LINE = 64 };

struct bucket {
	u64 place[PLACES];       /* _Atomic; bucket lock. TB << TAG_BITS | tag,
				  * 0: free                             */
	struct tb *more;         /* _Atomic; bucket lock. By hash_next       */
};
_Static_assert(sizeof(struct bucket) == 64, "one cache line");

static struct bucket *buckets;
static struct lock bucket_lock[BUCKET_LOCKS];

void tb_htable_init(void)
{
	buckets = map_anon(NULL, N_BUCKETS * sizeof(*buckets), false);
	if (!buckets)
		die("no memory for the TB hash");
	for (int i = 0; i < BUCKET_LOCKS; i++)
		lock_init(&bucket_lock[i], "tb_bucket", RANK_TB_BUCKET);
}

void tb_htable_reset(void)
{
	map_discard(buckets, N_BUCKETS * sizeof(*buckets));
}

/* -- hashing ---------------------------------------------------------------------- */

static u64 mix(u64 v) { return v * 0x9e3779b97f4a7c15ull; }

/* Neighbours in memory are neighbours in the table, 64 bytes of code a bucket: one mapping's
 * code has no collisions within 32 MB. What is further away, and other mappings and modes of
 * the same, go elsewhere. */
static u32 bucket_of(ram_addr phys, u64 pc, u32 flags)
{
	u64 line = phys / CODE_LINE, where = (pc - phys) ^ (u64)flags << 32 ^ line / N_BUCKETS;

	return (u32)(line + (mix(where) >> 45)) % N_BUCKETS;
}

static u64 tag_of(ram_addr phys, u64 cs_base, u32 flags, u32 cflags)
{
	return mix(phys ^ mix(cs_base ^ (u64)flags << 32 ^ cflags)) >> (64 - TAG_BITS);
}

static u64 place_value(const struct tb *tb)
{
	return (u64)(uintptr_t)tb << TAG_BITS |
	       tag_of(tb->phys, tb->cs_base, tb->flags, tb->cflags);
}

/* -- lookup ----------------------------------------------------------------------- */

static bool tb_matches(const struct tb *tb, ram_addr phys, u64 pc, u64 cs_base,
		       u32 flags, u32 cflags)
{
	return tb->phys == phys && tb->pc == pc && tb->cs_base == cs_base &&
	       tb->flags == flags && tb->cflags == cflags &&
	       !__atomic_load_n(&tb->invalid, __ATOMIC_ACQUIRE);
}

struct tb *tb_htable_lookup(ram_addr phys, u64 pc, u64 cs_base, u32 flags, u32 cflags)
{
	const struct bucket *b = &buckets[bucket_of(phys, pc, flags)];
	u64 tag = tag_of(phys, cs_base, flags, cflags), v;
	struct tb *tb;

	for (int i = 0; i < PLACES; i++) {
		v = __atomic_load_n(&b->place[i], __ATOMIC_ACQUIRE);
		if (!v || (v & ((1 << TAG_BITS) - 1)) != tag)
			continue;
		tb = (struct tb *)(uintptr_t)(v >> TAG_BITS);
		if (tb_matches(tb, phys, pc, cs_base, flags, cflags))
			return tb;
	}
	tb = __atomic_load_n(&b->more, __ATOMIC_ACQUIRE);
	while (tb && !tb_matches(tb, phys, pc, cs_base, flags, cflags))
		tb = __atomic_load_n(&tb->hash_next, __ATOMIC_ACQUIRE);
	return tb;
}

/* -- insertion and removal -------------------------------------------------------- */

static void bucket_add(struct bucket *b, struct tb *tb)
{
	for (int i = 0; i < PLACES; i++)
		if (!b->place[i]) {
			__atomic_store_n(&b->place[i], place_value(tb), __ATOMIC_RELEASE);
			return;
		}
	tb->hash_next = b->more;
	__atomic_store_n(&b->more, tb, __ATOMIC_RELEASE);
}

static void bucket_take(struct bucket *b, const struct tb *tb)
{
	u64 v = place_value(tb);
	struct tb **at = &b->more;

	for (int i = 0; i < PLACES; i++)
		if (b->place[i] == v) {
			__atomic_store_n(&b->place[i], 0, __ATOMIC_RELEASE);
			return;
		}
	while (*at && *at != tb)
		at = &(*at)->hash_next;
	if (*at)
		__atomic_store_n(at, tb->hash_next, __ATOMIC_RELEASE);
}

struct tb *tb_htable_insert(struct tb *tb)
{
	u32 h = bucket_of(tb->phys, tb->pc, tb->flags);
	struct tb *there;

	lock_acquire(&bucket_lock[h % BUCKET_LOCKS]);
	there = tb_htable_lookup(tb->phys, tb->pc, tb->cs_base, tb->flags, tb->cflags);
	if (!there)
		bucket_add(&buckets[h], tb);
	lock_release(&bucket_lock[h % BUCKET_LOCKS]);
	return there ? there : tb;
}

void tb_htable_remove(struct tb *tb)
{
	u32 h = bucket_of(tb->phys, tb->pc, tb->flags);

	lock_acquire(&bucket_lock[h % BUCKET_LOCKS]);
	bucket_take(&buckets[h], tb);
	lock_release(&bucket_lock[h % BUCKET_LOCKS]);
}
