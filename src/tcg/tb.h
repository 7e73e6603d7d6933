/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/tcg/tb.h - translated blocks: their store, their pages, their links,
 * and the code buffer's regions.
 *
 * Written for many vCPU threads: lookups take no lock; insertion, links and
 * invalidation take the locks named at each function (order: page locks by
 * address, TB bucket, jmp_lock, region). A TB's memory is reused only by
 * tb_flush(), with no vCPU in translated code.
 * Upstream: translate-all.c, tb-maint.c, tcg/region.c, tb-hash.h. */
#ifndef TCG_TB_H
#define TCG_TB_H

#include "env/lock.h"

#define TB_MAX_LINKS 12

struct tb;
struct cpu;

/* A direct exit. `patch` is the rel32 of a jmp or jcc in the executable view,
 * 0 when the exit is not linkable. `next` is guarded by the destination's
 * jmp_lock. */
struct tb_link {
	struct tb *from;
	u64 to;                  /* _Atomic; destination, 0: none; bit 0 set:
				  * `from` is dropped, no new destination    */
	u64 pc;                  /* guest pc it leads to                     */
	u32 cflags;              /* CF_* of the TB it wants                  */
	bool by_cache;           /* _Atomic; leads to a TB in two pages: by the
				  * jump cache, which knows if both still hold */
	bool unsure;             /* what `from` asks for (granted) need not hold
				  * where it is taken                        */
	u8 *patch, *stub;        /* place and unlinked target, writable view */
	struct tb_link *next;    /* to's incoming list                       */
};

enum { TB_OFS_BITS = 20 };               /* places in a region's code        */

/* Where each guest instruction's host code starts; hot code first, then the
 * slow paths; sorted by ofs. */
struct tb_insn {
	u64 ofs : TB_OFS_BITS,
	    slow : TB_OFS_BITS,  /* when the host finds an operand misaligned:
				  * offset of the code that says so, or 0    */
	    pc_ofs : 13,         /* in the guest's code: a page's, and some   */
	    index : 8,           /* how many instructions of the block come
				  * before it (with icount only)             */
	    flags_in_host : 1;
};
_Static_assert(sizeof(struct tb_insn) == 8, "some thirty a TB");

/* Operands that a TB reads when it runs (smc.c): offsets in page[0]. */
enum { TB_HOLES = 4, HOLE_BYTES = 4 };

struct tb {
	/* -- key -------------------------------------------------------- */
	ram_addr phys;           /* of its first byte, ~0: not in RAM        */
	u64 pc, cs_base;
	u32 flags, cflags;
	int jc_set;              /* its jump cache                           */
	struct tb *hash_next;    /* _Atomic; bucket lock. See tb_hash.c       */
	/* -- code, constant once published ------------------------------ */
	u8 *code;                /* executable view                          */
	u32 code_size, hot_size; /* all of it; without the slow paths        */
	u32 granted;             /* what it asks for first: cflags of its
				  * variants that are not its own            */
	u32 granted_end;         /* offset of what follows                   */
	u16 size, n_insns;       /* guest bytes, guest instructions          */
	u16 n_map, n_links;
	struct tb_insn *map;
	struct tb_link *link;
	u32 first, end;          /* bytes it depends on: [first, end) from
				  * the start of page[0]; may pass its end   */
	u16 hole[TB_HOLES];      /* ... but not these, HOLE_BYTES each       */
	u8 n_holes;
	/* -- store ------------------------------------------------------ */
	ram_addr page[2];        /* ~0: none                                 */
	struct tb *page_next[2]; /* page lock                                */
	struct lock jmp_lock;
	struct tb_link *incoming;/* jmp_lock                                 */
	bool invalid;            /* _Atomic; set under jmp_lock              */
};

extern struct lock_class page_locks;

/* -- set-up ----------------------------------------------------------------- */
struct tb_hooks {
	/* A RAM page is about to get its first TB (page lock held): the soft
	 * TLBs must send stores to it to the slow path from now on. True: some
	 * other vCPU could, and may be in the middle of a store that did not. */
	bool (*code_page)(ram_addr page);
	/* Are the bytes the calling thread made this TB of still there? */
	bool (*unchanged)(const struct tb *tb);
	/* A TB is invalid: no jump cache may lead to it any more. */
	void (*dropped)(struct tb *tb);
};
/* `ram` bytes of guest RAM get page descriptors; the code buffer has `size`
 * bytes, in regions enough for `threads` threads. */
void tb_init(u64 ram, size_t code_size, int threads, const struct tb_hooks *hooks);

/* -- code buffer regions (tcg_region) ---------------------------------------- */
struct tcg_region {
	u8 *code, *code_end;     /* writable view: next free byte, limit     */
	u8 *meta, *meta_end;     /* TBs and their tables                     */
	int index;
	u64 generation;          /* tb_flush_all takes all regions back      */
};
/* Take another region; false: none is left (tb_flush is due). */
bool tcg_region_alloc(struct tcg_region *r);
/* Is r (zeroed at first) still the caller's? */
bool tcg_region_valid(const struct tcg_region *r);
/* Distance from the writable to the executable view. */
extern intptr_t tcg_rx_offset;
static inline u8 *tcg_rx(u8 *rw) { return (u8 *)((uintptr_t)rw + (uintptr_t)tcg_rx_offset); }
static inline u8 *tcg_rw(u8 *rx) { return (u8 *)((uintptr_t)rx - (uintptr_t)tcg_rx_offset); }
/* Part of the buffer set aside before the regions (stubs); once, at start. */
u8 *tcg_code_reserve(size_t n);
bool tcg_in_code(u64 host_pc);

/* -- store ------------------------------------------------------------------- */
/* The valid TB of this key; NULL: none. No lock (tb_hash.c). */
struct tb *tb_htable_lookup(ram_addr phys, u64 pc, u64 cs_base, u32 flags, u32 cflags);
/* Publish a finished TB: takes its pages' locks and the bucket's. If the same
 * one is there already (another vCPU was faster) returns that. NULL, the TB is
 * not published: with *wait a store to its page may be under way, call
 * tb_quiesce() in an exclusive section first; without, its bytes have changed.
 * Then translate again. */
struct tb *tb_link_page(struct tb *tb, bool *wait);
/* No other thread is in translated code, or was since the last call: its pages'
 * stores have all been made. */
void tb_quiesce(void);
/* Which TB holds this host address (executable view); NULL: none. Takes no lock: any
 * thread inside cpu_exec, a signal handler of one. */
struct tb *tcg_tb_lookup(u64 host_pc);
/* Add the TB made last of the caller's region. */
void tcg_tb_insert(struct tcg_region *r, struct tb *tb);
/* Take the last one inserted, which was not published, out again. */
void tcg_tb_remove(struct tcg_region *r, struct tb *tb);
/* Call fn for each TB made since the last flush. */
void tcg_tb_foreach(void (*fn)(const struct tb *tb, void *data), void *data);
static inline bool tb_is_valid(const struct tb *tb)
{
	return !__atomic_load_n(&tb->invalid, __ATOMIC_SEQ_CST);
}
/* The bytes of its page n (0, 1) that a TB depends on. */
static inline void tb_range(const struct tb *tb, int n, u32 *first, u32 *end)
{
	*first = n ? 0 : tb->first;
	*end = n ? tb->end - 4096 : MIN(tb->end, 4096u);
}
/* -- operands that keep changing (smc.c): any thread, no lock ----------------- */
/* A store to [addr, addr + HOLE_BYTES) has dropped code. */
void smc_note_store(ram_addr addr);
/* Has that happened often? */
bool smc_keeps_changing(ram_addr addr);

/* -- loads without a check (x64_window.c): any thread, async-signal-safe ------- */
/* A load of the instruction at that place of RAM has missed the window: note it. */
void tcg_window_note_miss(ram_addr insn);
/* Has one? */
bool tcg_window_misses(ram_addr insn);

/* Does it depend on a byte of [addr, addr + n)? */
bool tb_depends(const struct tb *tb, ram_addr addr, unsigned n);

/* -- links ------------------------------------------------------------------- */
/* Make `l` jump straight to `to`. Nothing happens when either is invalid. */
void tb_add_jump(struct tb_link *l, struct tb *to);

/* -- invalidation -------------------------------------------------------------- */
/* Does any TB of the page depend on one of these bytes? Cheap bitmap test. */
bool tb_page_hit(ram_addr addr, unsigned n);
/* The same, by byte: takes the page's lock. */
bool tb_page_hit_exact(ram_addr addr, unsigned n);
/* The page has code, but none depends on these bytes: a store to them may be
 * made in place. */
bool tb_store_beside(ram_addr addr, unsigned n);
/* Must stores to the page be slow? So while it holds a TB, or may get one. */
bool tb_page_has_code(ram_addr addr);
/* Was a TB of the page dropped since the last flush? One may still run. */
bool tb_page_dropped(ram_addr addr);
/* A slow store hit no code. True now and then when the page has not had any for
 * long: tb_quiesce() lets its stores be fast again. */
bool tb_page_idle(ram_addr addr);
/* Drop all TBs that depend on bytes of [addr, addr+n), which have been stored, or
 * will be by the caller, who then calls it again. True when `current` (may be
 * NULL) was among them. */
bool tb_invalidate_range(ram_addr addr, u64 n, struct tb *current);
/* Drop everything; all vCPUs stopped outside translated code. */
void tb_flush_all(void);

/* Counters for `info jit`; relaxed atomics. `discarded`: translations that were
 * not published; `host_insns`: of TBs that a flush has dropped; `gen_ticks`: host time stamps
 * that translation took, in a thread that the host may interrupt. */
struct tb_stats { u64 n_tb, guest_bytes, guest_insns, code_bytes, host_insns,
		  gen_ticks, links, invalidated, discarded, flushes; };
extern struct tb_stats tb_stats;
#define TB_STAT_ADD(what, by) \
	((void)__atomic_fetch_add(&tb_stats.what, (u64)(by), __ATOMIC_RELAXED))

#endif
