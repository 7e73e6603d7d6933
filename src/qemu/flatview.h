/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/qemu/flatview.h - an address space as an immutable table of ranges:
 * for memory.c, which makes it, and memory_ldst.c, which reads it.
 *
 * The ranges are sorted and cover all 2^64 addresses, holes included, so that
 * every lookup hits one. The port space also has a table with the range of
 * each port: an IN or OUT must not search. Upstream: FlatView, FlatRange. */
#ifndef QEMU_FLATVIEW_H
#define QEMU_FLATVIEW_H

#include "qemu/memory.h"

#define N_PORTS 0x10000

struct flat_range {
	gpa start, last;
	struct memory_region *mr;    /* NULL: nothing there                  */
	u64 offset;                  /* of `start` in mr                     */
	hva host;                    /* RAM, ROM: bytes at `start`           */
};

struct flat_view {
	struct flat_view *retired;   /* next on memory.c's list              */
	u16 *port;                   /* range of each port, or NULL          */
	u32 n, ram;                  /* ram: the largest range of RAM, or 0  */
	struct flat_range range[];
};

/* Valid until the caller leaves cpu_exec or drops the BQL, or calls a device:
 * a callback may change the map. */
static inline const struct flat_view *flat_view_get(struct address_space *as)
{
	return __atomic_load_n(&as->view, __ATOMIC_ACQUIRE);
}

static inline const struct flat_range *flat_view_find(const struct flat_view *v,
						      gpa a)
{
	const struct flat_range *r = &v->range[v->ram];
	u32 lo = 0, hi = v->n - 1;

	if (v->port && a < N_PORTS)
		return &v->range[v->port[a]];
	if (a - r->start <= r->last - r->start)
		return r;
	while (lo < hi) {
		u32 mid = (lo + hi + 1) / 2;

		if (v->range[mid].start <= a)
			lo = mid;
		else
			hi = mid - 1;
	}
	return &v->range[lo];
}

#endif
