/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/tcg/tb.c - the store of translated blocks: by key, by page, by link.
 *
 * Readers (a lookup, translated code that jumps along links) take no lock: a
 * hash chain and a link's displacement are published by one store each, and
 * the memory of a dropped TB stays as it is until tb_flush_all(), which runs
 * with every vCPU outside translated code.
 *
 * Pages. A page that holds code has a list of the TBs that depend on its bytes
 * and a bitmap of the 16-byte granules they cover: a store beside code costs one
 * bit test. Which TBs a store hits is decided by byte. Descriptors stand in one
 * array, so that the order of their addresses, in which their locks are taken, is
 * that of the pages.
 *
 * No store is missed. A page is marked before it gets a TB: from then on who
 * stores there stores first, then looks at the granules. Who publishes a TB sets
 * the granules first, then compares the bytes with those it translated. Between
 * the two steps both have a fence: so the one sees the granule, or the other the
 * bytes. A store that began before the mark (its page was found in a soft TLB)
 * does not look. It is over when its vCPU has left translated code: such a page
 * is not used until an exclusive section has passed (tb_quiesce). */
#include "tcg/tb.h"

#include <stdlib.h>
#include <string.h>

#include "env/log.h"
#include "env/map.h"
#include "tcg/region.h"
#include "tcg/tb_hash.h"
#include "tcg/x64_enc.h"

enum { PAGE_BITS = 12, PAGE = 1 << PAGE_BITS, GRANULES = PAGE / 16,
       CHUNK = 256,                   /* descriptors initialised together   */
       IDLE_STORES = 64,              /* ... until a page is fast again     */
       BATCH = 64,                    /* pages of a long range at a time    */
       SMALL = 16 };                  /* bytes of a range that is asked about
				       * by itself first                    */
static const ram_addr NO_PAGE = ~0ull;

struct lock_class page_locks;

struct page_desc {
	struct lock lock;
	struct tb *first GUARDED_BY(page_locks);
	u64 granule[GRANULES / 64];   /* _Atomic; written under the lock   */
	u64 marked;                   /* _Atomic; 0: stores are fast; else
				       * usable when <= quiet_epoch        */
	u32 idle;                     /* _Atomic; stores since it had a TB */
	bool dropped;                 /* _Atomic; tb_page_dropped          */
	struct page_desc *idle_next;  /* idle_lock                         */
	bool idle_listed;             /* idle_lock                         */
};

struct tb_stats tb_stats;

static struct page_desc *pages;       /* by RAM page                        */
static u8 *chunk_ready;               /* _Atomic; by CHUNK of them          */
static struct lock chunk_lock = LOCK_INIT("page_chunk", RANK_REGION);
static u64 n_pages;
static const struct tb_hooks *hooks;

/* Exclusive sections counted by tb_quiesce; _Atomic. */
static u64 quiet_epoch = 1;
static struct lock idle_lock = LOCK_INIT("page_idle", RANK_REGION);
static struct page_desc *idle_pages GUARDED_BY(idle_lock);

void tb_init(u64 ram, size_t code_size, int threads, const struct tb_hooks *h)
{
	hooks = h;
	n_pages = ram >> PAGE_BITS;
	pages = map_anon(NULL, (n_pages + CHUNK) * sizeof(*pages), false);
	chunk_ready = calloc(n_pages / CHUNK + 1, 1);
	if (!pages || !chunk_ready)
		die("no memory for the translator's tables");
	tb_htable_init();
	tcg_region_init(code_size, threads);
}

/* -- page descriptors ------------------------------------------------------------ */

static struct page_desc *page_find(ram_addr addr)
{
	u64 i = addr >> PAGE_BITS;

	return i < n_pages && __atomic_load_n(&chunk_ready[i / CHUNK], __ATOMIC_ACQUIRE) ?
		&pages[i] : NULL;
}

static void chunk_init(u64 chunk)
{
	lock_acquire(&chunk_lock);
	if (!chunk_ready[chunk]) {
		for (u64 i = chunk * CHUNK; i < (chunk + 1) * CHUNK; i++)
			lock_init(&pages[i].lock, "page", RANK_PAGE);
		__atomic_store_n(&chunk_ready[chunk], 1, __ATOMIC_RELEASE);
	}
	lock_release(&chunk_lock);
}

static struct page_desc *page_find_alloc(ram_addr addr)
{
	struct page_desc *p = page_find(addr);

	if (p)
		return p;
	ASSERT(addr >> PAGE_BITS < n_pages);
	chunk_init((addr >> PAGE_BITS) / CHUNK);
	return page_find(addr);
}

static ram_addr page_address(const struct page_desc *p)
{
	return (ram_addr)(p - pages) << PAGE_BITS;
}

static void page_lock(struct page_desc *p) ACQUIRE(page_locks) UNCHECKED
{
	lock_acquire(&p->lock);
}

static void page_unlock(struct page_desc *p) RELEASE(page_locks) UNCHECKED
{
	lock_release(&p->lock);
}

/* Lock the pages of a TB (one or two) in the order of their addresses. Upstream:
 * page_lock_pair. */
static void page_lock_pair(struct page_desc *p[2]) ACQUIRE(page_locks) UNCHECKED
{
	int low = p[1] && p[1] < p[0];

	if (p[low])
		lock_acquire(&p[low]->lock);
	if (p[!low] && p[!low] != p[low])
		lock_acquire(&p[!low]->lock);
}

static void page_unlock_pair(struct page_desc *p[2]) RELEASE(page_locks) UNCHECKED
{
	lock_release(&p[0]->lock);
	if (p[1] && p[1] != p[0])
		lock_release(&p[1]->lock);
}

static void tb_pages(const struct tb *tb, struct page_desc *p[2])
{
	for (int i = 0; i < 2; i++)
		p[i] = tb->page[i] == NO_PAGE ? NULL : page_find_alloc(tb->page[i]);
}

/* -- page contents ----------------------------------------------------------------- */

static void granules_add(struct page_desc *p, u32 first, u32 end)
{
	for (u32 g = first / 16; g <= (end - 1) / 16; g++)
		__atomic_store_n(&p->granule[g / 64],
				 p->granule[g / 64] | 1ull << (g % 64), __ATOMIC_RELAXED);
}

static bool has_granules(const struct page_desc *p)
{
	u64 any = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(p->granule); i++)
		any |= __atomic_load_n(&p->granule[i], __ATOMIC_RELAXED);
	return any;
}

static int tb_page_index(const struct tb *tb, ram_addr page)
{
	return tb->page[0] != page;
}

/* Bits are set before others are cleared: who looks without the lock finds all
 * that stay. */
static void granules_rebuild(struct page_desc *p) REQUIRES(page_locks)
{
	ram_addr page = page_address(p);
	u64 g[GRANULES / 64] = { 0 };
	u32 first, end;

	for (struct tb *tb = p->first; tb; tb = tb->page_next[tb_page_index(tb, page)]) {
		tb_range(tb, tb_page_index(tb, page), &first, &end);
		for (u32 i = first / 16; i <= (end - 1) / 16; i++)
			g[i / 64] |= 1ull << (i % 64);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(g); i++)
		__atomic_store_n(&p->granule[i], g[i], __ATOMIC_RELAXED);
}

static void page_add_tb(struct page_desc *p, struct tb *tb, int n) REQUIRES(page_locks)
{
	u32 first, end;

	tb->page_next[n] = p->first;
	p->first = tb;
	__atomic_store_n(&p->idle, 0, __ATOMIC_RELAXED);
	tb_range(tb, n, &first, &end);
	granules_add(p, first, end);
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

	return p && __atomic_load_n(&p->marked, __ATOMIC_ACQUIRE);
}

bool tb_page_dropped(ram_addr addr)
{
	struct page_desc *p = page_find(addr);

	return p && __atomic_load_n(&p->dropped, __ATOMIC_ACQUIRE);
}

static bool granules_hit(const struct page_desc *p, u32 first, unsigned n)
{
	for (u32 g = first / 16; g <= (first + n - 1) / 16; g++)
		if (__atomic_load_n(&p->granule[g / 64], __ATOMIC_RELAXED) >> (g % 64) & 1)
			return true;
	return false;
}

bool tb_page_hit(ram_addr addr, unsigned n)
{
	struct page_desc *p = page_find(addr);

	return p && granules_hit(p, addr & (PAGE - 1), n);
}

/* Does the TB depend on a byte of [first, end) of its page n? */
static bool depends(const struct tb *tb, int n, u32 first, u32 end)
{
	u32 a, b;

	tb_range(tb, n, &a, &b);
	if (a >= end || first >= b)
		return false;
	for (int i = 0; i < tb->n_holes && n == 0; i++)
		if (first >= tb->hole[i] && end <= tb->hole[i] + (u32)HOLE_BYTES)
			return false;
	return true;
}

bool tb_depends(const struct tb *tb, ram_addr addr, unsigned n)
{
	u32 at = addr & (PAGE - 1);

	for (int i = 0; i < 2; i++)
		if (tb->page[i] != NO_PAGE && tb->page[i] == addr - at &&
		    depends(tb, i, at, at + n))
			return true;
	return false;
}

/* Some TB of the page that depends on a byte of [first, end). */
static struct tb *page_find_hit(struct page_desc *p, u32 first, u32 end)
	REQUIRES(page_locks)
{
	ram_addr page = page_address(p);

	for (struct tb *tb = p->first; tb; tb = tb->page_next[tb_page_index(tb, page)])
		if (depends(tb, tb_page_index(tb, page), first, end))
			return tb;
	return NULL;
}

bool tb_page_hit_exact(ram_addr addr, unsigned n)
{
	struct page_desc *p = page_find(addr);
	u32 first = addr & (PAGE - 1);
	bool hit;

	if (!p)
		return false;
	page_lock(p);
	hit = page_find_hit(p, first, first + n);
	page_unlock(p);
	return hit;
}

bool tb_store_beside(ram_addr addr, unsigned n)
{
	struct page_desc *p = page_find(addr);

	return p && __atomic_load_n(&p->marked, __ATOMIC_ACQUIRE) && has_granules(p) &&
	       (!granules_hit(p, addr & (PAGE - 1), n) || !tb_page_hit_exact(addr, n));
}

/* -- marks --------------------------------------------------------------------------- */

/* Send stores to the slow path. False: not yet to be relied on. The epoch is read
 * first: a section that ends it after that had everybody out of translated code
 * after the mark. */
static bool page_mark(struct page_desc *p) REQUIRES(page_locks)
{
	u64 epoch = __atomic_load_n(&quiet_epoch, __ATOMIC_SEQ_CST);

	if (!__atomic_load_n(&p->marked, __ATOMIC_RELAXED)) {
		__atomic_store_n(&p->marked, epoch + 1, __ATOMIC_SEQ_CST);
		__atomic_store_n(&p->idle, 0, __ATOMIC_RELAXED);
		if (!hooks->code_page(page_address(p)))
			__atomic_store_n(&p->marked, 1, __ATOMIC_RELEASE);
	}
	return __atomic_load_n(&p->marked, __ATOMIC_RELAXED) <= epoch;
}

bool tb_page_idle(ram_addr addr)
{
	struct page_desc *p = page_find(addr);

	if (!p || has_granules(p) || __atomic_add_fetch(&p->idle, 1, __ATOMIC_RELAXED) != IDLE_STORES)
		return false;
	page_lock(p);
	if (p->first || !p->marked) {
		__atomic_store_n(&p->idle, 0, __ATOMIC_RELAXED);
		page_unlock(p);
		return false;
	}
	page_unlock(p);
	lock_acquire(&idle_lock);
	if (!p->idle_listed) {
		p->idle_listed = true;
		p->idle_next = idle_pages;
		idle_pages = p;
	}
	lock_release(&idle_lock);
	return true;
}

static struct page_desc *idle_take(void)
{
	struct page_desc *p;

	lock_acquire(&idle_lock);
	p = idle_pages;
	if (p) {
		idle_pages = p->idle_next;
		p->idle_listed = false;
	}
	lock_release(&idle_lock);
	return p;
}

static void page_unmark(struct page_desc *p)
{
	page_lock(p);
	if (!p->first) {
		granules_rebuild(p);
		__atomic_store_n(&p->marked, 0, __ATOMIC_RELEASE);
	}
	__atomic_store_n(&p->idle, 0, __ATOMIC_RELAXED);
	page_unlock(p);
}

/* A mark that is waited for has its section now. One goes only in such a section,
 * too: a TB that was dropped may be running until then, and its vCPU must see a
 * store into it. */
void tb_quiesce(void)
{
	struct page_desc *p;

	__atomic_fetch_add(&quiet_epoch, 1, __ATOMIC_SEQ_CST);
	while ((p = idle_take()))
		page_unmark(p);
}

/* -- publishing --------------------------------------------------------------------- */

static bool pages_mark(struct page_desc *p[2]) REQUIRES(page_locks)
{
	bool first = page_mark(p[0]);

	return (!p[1] || page_mark(p[1])) && first;
}

static void pages_add_tb(struct page_desc *p[2], struct tb *tb) REQUIRES(page_locks)
{
	for (int i = 0; i < 2; i++)
		if (p[i])
			page_add_tb(p[i], tb, i);
}

static void pages_take_back(struct page_desc *p[2], struct tb *tb) REQUIRES(page_locks)
{
	for (int i = 0; i < 2; i++) {
		if (!p[i])
			continue;
		page_remove_tb(p[i], tb, i);
		granules_rebuild(p[i]);
	}
}

/* Its pages are locked: nobody can drop the TB before it is complete. */
static struct tb *publish(struct tb *tb, struct page_desc *p[2]) REQUIRES(page_locks)
{
	struct tb *there = NULL;

	for (int i = 0; i < tb->n_links; i++)
		published(&tb->link[i]);
	pages_add_tb(p, tb);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (hooks->unchanged(tb))
		there = tb_htable_insert(tb);
	if (there != tb)
		pages_take_back(p, tb);
	return there;
}

static void count_tb(const struct tb *tb)
{
	TB_STAT_ADD(n_tb, 1);
	TB_STAT_ADD(guest_bytes, tb->size);
	TB_STAT_ADD(guest_insns, tb->n_insns);
	TB_STAT_ADD(code_bytes, tb->code_size);
}

struct tb *tb_link_page(struct tb *tb, bool *wait)
{
	struct page_desc *p[2];
	struct tb *there = NULL;

	*wait = false;
	lock_init(&tb->jmp_lock, "tb_jmp", RANK_TB_JMP);
	if (tb->page[0] == NO_PAGE) {
		count_tb(tb);
		return tb;
	}
	tb_pages(tb, p);
	page_lock_pair(p);
	if (pages_mark(p))
		there = publish(tb, p);
	else
		*wait = true;
	page_unlock_pair(p);
	if (there == tb)
		count_tb(tb);
	else
		TB_STAT_ADD(discarded, 1);
	return there;
}

/* -- links ---------------------------------------------------------------------------
 * The displacement stands within a cache line (x_align_patch) and is written by
 * one store: a processor that executes the jump meanwhile fetches the line as it
 * was before or after, and both lead to code that may run. */

enum { LINK_DEAD = 1 };

static struct tb *link_tb(u64 to)
{
	return (struct tb *)(uintptr_t)(to & ~(u64)LINK_DEAD);
}

static void link_aim(struct tb_link *l, const u8 *target)
{
	s32 rel = (s32)(target - (l->patch + 4));

	__atomic_store_n((s32 *)(void *)l->patch, rel, __ATOMIC_RELAXED);
}

/* What the one has asked for at its entry the other need not ask again. */
static const u8 *entry_for(const struct tb_link *l, const struct tb *to)
{
	bool known = !l->unsure && (l->from->granted & to->granted) == to->granted;

	return tcg_rw(to->code) + (known ? to->granted_end : 0);
}

/* `to` is claimed by compare-and-exchange: two vCPUs may follow the same link, to
 * different TBs even, whose locks are different ones. Upstream: tb_add_jump. */
void tb_add_jump(struct tb_link *l, struct tb *to)
{
	u64 none = 0;

	lock_acquire(&to->jmp_lock);
	if (l->patch && !to->invalid &&
	    __atomic_compare_exchange_n(&l->to, &none, (u64)(uintptr_t)to, false,
					__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
		l->next = to->incoming;
		to->incoming = l;
		link_aim(l, entry_for(l, to));
		TB_STAT_ADD(links, 1);
	}
	lock_release(&to->jmp_lock);
}

/* `from` is dropped. From the mark on nobody aims the link; whom it led to may be
 * dropped meanwhile, and have forgotten it. Upstream: tb_remove_from_jmp_list. */
static void link_remove(struct tb_link *l)
{
	u64 was = __atomic_fetch_or(&l->to, LINK_DEAD, __ATOMIC_SEQ_CST);
	struct tb *to = link_tb(was);
	struct tb_link **at;

	if (!to)
		return;
	lock_acquire(&to->jmp_lock);
	if (link_tb(__atomic_load_n(&l->to, __ATOMIC_SEQ_CST)) == to) {
		for (at = &to->incoming; *at != l; at = &(*at)->next)
			;
		*at = l->next;
		link_aim(l, l->stub);        /* a return may still land here */
		__atomic_store_n(&l->to, LINK_DEAD, __ATOMIC_SEQ_CST);
	}
	lock_release(&to->jmp_lock);
}

/* -- invalidation ------------------------------------------------------------------------ */

static void incoming_reset(struct tb *tb)
{
	struct tb_link *next;

	for (struct tb_link *l = tb->incoming; l; l = next) {
		next = l->next;
		link_aim(l, l->stub);
		/* from here on another thread may aim it elsewhere */
		__atomic_fetch_and(&l->to, LINK_DEAD, __ATOMIC_SEQ_CST);
	}
	tb->incoming = NULL;
}

/* Upstream: do_tb_phys_invalidate. All pages of the TB are locked. `invalid` is
 * set before the jump caches are searched (hooks->dropped): who put the TB into
 * one looks at `invalid` afterwards. */
static void tb_drop(struct tb *tb) REQUIRES(page_locks)
{
	struct page_desc *p[2];

	tb_pages(tb, p);
	lock_acquire(&tb->jmp_lock);
	__atomic_store_n(&tb->invalid, true, __ATOMIC_SEQ_CST);
	incoming_reset(tb);
	lock_release(&tb->jmp_lock);
	tb_htable_remove(tb);
	for (int i = 0; i < 2; i++) {
		if (!p[i])
			continue;
		__atomic_store_n(&p[i]->dropped, true, __ATOMIC_RELEASE);
		page_remove_tb(p[i], tb, i);
	}
	for (int i = 0; i < tb->n_links; i++)
		link_remove(&tb->link[i]);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	hooks->dropped(tb);
	TB_STAT_ADD(invalidated, 1);
}

/* -- many pages ----------------------------------------------------------------------------
 * Dropping a TB needs the locks of all its pages, and which those are shows only
 * under the lock of one. So pages are locked as they are found; one that lies
 * below a page already locked must not be waited for: it is tried, and if that
 * fails all are released and locked again in order, with it among them. The set
 * only grows, so this ends. Upstream: page_collection_lock, page_trylock_add. */

struct page_set {
	struct page_desc **p;            /* ascending                        */
	int n, max;
	u64 looked;                      /* pages of the range whose TBs'
					  * pages are in the set, too        */
	struct page_desc *few[16];
};

static int set_place(const struct page_set *s, const struct page_desc *p)
{
	int i = s->n;

	while (i && s->p[i - 1] >= p)
		i--;
	return i;
}

static void set_grow(struct page_set *s)
{
	struct page_desc **more;

	s->max *= 2;
	more = malloc((size_t)s->max * sizeof(*more));
	if (!more)
		die("out of memory");
	memcpy(more, s->p, (size_t)s->n * sizeof(*more));
	if (s->p != s->few)
		free(s->p);
	s->p = more;
}

static void set_insert(struct page_set *s, int at, struct page_desc *p)
{
	if (s->n == s->max)
		set_grow(s);
	memmove(s->p + at + 1, s->p + at, (size_t)(s->n - at) * sizeof(*s->p));
	s->p[at] = p;
	s->n++;
}

/* Add a page, locked. False: it is in the set, but to lock it now would be to
 * wait out of order. */
static UNCHECKED bool page_trylock_add(struct page_set *s, struct page_desc *p)
{
	int at = set_place(s, p);
	bool last = at == s->n;

	if (!last && s->p[at] == p)
		return true;
	if (last) {
		lock_acquire(&p->lock);
		set_insert(s, at, p);
		return true;
	}
	if (lock_tryacquire(&p->lock)) {
		set_insert(s, at, p);
		return true;
	}
	for (int i = 0; i < s->n; i++)
		lock_release(&s->p[i]->lock);
	set_insert(s, at, p);
	return false;
}

/* Add the pages of all TBs of page p, which is locked. */
static bool add_tb_pages(struct page_set *s, struct page_desc *p) REQUIRES(page_locks)
{
	ram_addr page = page_address(p);
	struct page_desc *of[2];

	for (struct tb *tb = p->first; tb; tb = tb->page_next[tb_page_index(tb, page)]) {
		tb_pages(tb, of);
		for (int i = 0; i < 2; i++)
			if (of[i] && !page_trylock_add(s, of[i]))
				return false;
	}
	return true;
}

static u64 page_bit(ram_addr start, ram_addr addr)
{
	return 1ull << ((addr >> PAGE_BITS) - (start >> PAGE_BITS));
}

static void page_collection_lock(struct page_set *s, ram_addr addr, u64 n)
	ACQUIRE(page_locks) UNCHECKED
{
	ram_addr page, end = addr + n;

	s->p = s->few;
	s->max = ARRAY_SIZE(s->few);
	s->n = 0;
again:
	s->looked = 0;
	for (int i = 0; i < s->n; i++)
		lock_acquire(&s->p[i]->lock);
	for (page = addr & ~(ram_addr)(PAGE - 1); page < end; page += PAGE) {
		struct page_desc *p = page_find(page);

		/* a page without a mark has no TB */
		if (!p || !__atomic_load_n(&p->marked, __ATOMIC_ACQUIRE))
			continue;
		if (!page_trylock_add(s, p) || !add_tb_pages(s, p))
			goto again;
		s->looked |= page_bit(addr, page);
	}
}

static void page_collection_unlock(struct page_set *s) RELEASE(page_locks) UNCHECKED
{
	for (int i = 0; i < s->n; i++)
		lock_release(&s->p[i]->lock);
	if (s->p != s->few)
		free(s->p);
}

static bool invalidate_in_page(struct page_desc *p, u32 first, u32 end, struct tb *current)
	REQUIRES(page_locks)
{
	bool hit = false;
	struct tb *tb;

	while ((tb = page_find_hit(p, first, end))) {
		tb_drop(tb);
		hit |= tb == current;
	}
	granules_rebuild(p);
	return hit;
}

/* A page that had no mark when its turn came is left alone, even if it has come
 * into the set since, by a TB of another page: the pages of its own TBs are not
 * locked. These TBs were published after the store, and compare their bytes. */
static bool invalidate_batch(ram_addr addr, u64 n, struct tb *current)
{
	const ram_addr start = addr;
	struct page_set set;
	bool hit = false;

	page_collection_lock(&set, addr, n);
	while (n) {
		u32 first = addr & (PAGE - 1), here = (u32)MIN(n, (u64)(PAGE - first));
		struct page_desc *p = page_find(addr);

		if (set.looked & page_bit(start, addr) && tb_page_hit(addr, here))
			hit |= invalidate_in_page(p, first, first + here, current);
		addr += here;
		n -= here;
	}
	page_collection_unlock(&set);
	return hit;
}

/* Bytes from addr on, up to n, that end with a page and hit nothing. */
static u64 skip_clean(ram_addr addr, u64 n)
{
	u64 done = 0;

	while (done < n) {
		u32 here = (u32)MIN(n - done, (u64)(PAGE - ((addr + done) & (PAGE - 1))));

		if (tb_page_hit(addr + done, here))
			break;
		done += here;
	}
	return done;
}

bool tb_invalidate_range(ram_addr addr, u64 n, struct tb *current)
{
	bool hit = false;

	/* after the caller's store, before the look at the granules */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	while (n) {
		u64 clean = skip_clean(addr, n), batch;

		addr += clean;
		n -= clean;
		batch = MIN(n, (u64)(BATCH * PAGE) - (addr & (PAGE - 1)));
		/* the usual store: into one page, a hole perhaps */
		if (batch && (batch > SMALL || (addr & (PAGE - 1)) + batch > PAGE ||
			      tb_page_hit_exact(addr, (unsigned)batch)))
			hit |= invalidate_batch(addr, batch, current);
		addr += batch;
		n -= batch;
	}
	return hit;
}

static void page_forget(struct page_desc *p)
{
	page_lock(p);
	p->first = NULL;
	granules_rebuild(p);
	__atomic_store_n(&p->marked, 0, __ATOMIC_RELEASE);
	__atomic_store_n(&p->dropped, false, __ATOMIC_RELEASE);
	page_unlock(p);
}

void tb_flush_all(void)
{
	for (u64 i = 0; i < n_pages; i++) {
		struct page_desc *p = page_find(i << PAGE_BITS);

		if (!p)
			i |= CHUNK - 1;
		else if (__atomic_load_n(&p->marked, __ATOMIC_RELAXED))
			page_forget(p);
	}
	tb_htable_reset();
	tcg_region_reset_all();
	TB_STAT_ADD(flushes, 1);
}
