/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/tcg/tb_hash.h - the hash table of the TBs' store (tb.c); the lookup is in tb.h.
 * Upstream: tb-hash.h, qht. */
#ifndef TCG_TB_HASH_H
#define TCG_TB_HASH_H

struct tb;

/* Make the table, once. */
void tb_htable_init(void);
/* Insert tb unless a valid one of the same key is there; returns the one that is
 * there then. Takes the bucket's lock. */
struct tb *tb_htable_insert(struct tb *tb);
/* Take it out, if it is in. A lookup under way may still find it. Takes the bucket's lock. */
void tb_htable_remove(struct tb *tb);
/* Forget all TBs; no vCPU may be looking. */
void tb_htable_reset(void);

#endif
