/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/qemu/memory.c - the tree of memory regions, and the flat views made of
 * it. Upstream: softmmu/memory.c.
 *
 * A view is made by walking the tree from the root: children before what they
 * lie on, higher priority before lower (the newer of two equal ones first).
 * Each region then takes those parts of its window that nobody has taken yet.
 * An alias is a walk of its target, moved and clipped to the alias's window.
 *
 * Publication: the new view is stored with release order under the BQL. A vCPU
 * reads it between cpu_exec_start and cpu_exec_end, and keeps no pointer into it
 * beyond; the main thread reads it under the BQL. So the old view is freed in an
 * exclusive section, in which nobody is between those two, under the BQL. A vCPU in
 * the middle of a slow access is between them: the section waits for it. */
#include "qemu/memory.h"

#include <stdlib.h>
#include <string.h>

#include "env/log.h"
#include "qemu/cpus.h"
#include "qemu/flatview.h"
#include "qemu/ram_window.h"

#define MEMORY_SIZE (1ull << 52)         /* the SDM's largest MAXPHYADDR     */

struct memory_region system_memory, system_io;
struct address_space address_space_memory, address_space_io;

static unsigned transaction_depth GUARDED_BY(bql);
static bool update_pending GUARDED_BY(bql);

/* -- a view under construction ------------------------------------------------ */

struct view_builder { struct flat_range *range; u32 n, room; };

static void builder_insert(struct view_builder *b, u32 at, struct flat_range r)
{
	if (b->n == b->room) {
		b->room = b->room ? b->room * 2 : 64;
		b->range = realloc(b->range, b->room * sizeof(r));
		if (!b->range)
			die("out of memory");
	}
	memmove(b->range + at + 1, b->range + at, (b->n - at) * sizeof(r));
	b->range[at] = r;
	b->n++;
}

/* [start, last] shows mr from `offset` on wherever nothing is yet. */
static void builder_fill(struct view_builder *b, gpa start, gpa last,
			 struct memory_region *mr, u64 offset)
{
	u32 i = 0;

	while (i < b->n && b->range[i].last < start)
		i++;
	for (;; i++) {
		gpa next = i < b->n ? b->range[i].start : ~0ull;
		bool bounded = i < b->n && next <= last;
		gpa end = bounded ? next - 1 : last;

		if (!bounded || next > start)
			builder_insert(b, i++, (struct flat_range){
				.start = start, .last = end, .mr = mr,
				.offset = offset });
		if (!bounded || b->range[i].last >= last)
			return;
		offset += b->range[i].last + 1 - start;
		start = b->range[i].last + 1;
	}
}

/* A window on the address space; positions are signed, because an alias's
 * target may begin before address 0. */
struct window { s64 start, end; };

static void render(struct view_builder *b, struct memory_region *mr, s64 base,
		   struct window clip)
{
	s64 start = base + (s64)mr->addr;
	struct window w = { MAX(start, clip.start),
			    MIN(start + (s64)mr->size, clip.end) };

	if (!mr->enabled || w.start >= w.end)
		return;
	if (mr->type == MR_ALIAS) {
		render(b, mr->alias, start - (s64)mr->alias_offset -
		       (s64)mr->alias->addr, w);
		return;
	}
	for (struct memory_region *c = mr->first_child; c; c = c->sibling)
		render(b, c, start, w);
	if (mr->type != MR_CONTAINER)
		builder_fill(b, (gpa)w.start, (gpa)w.end - 1, mr,
			     (u64)(w.start - start));
}

/* -- views ---------------------------------------------------------------------- */

static void range_finish(struct flat_range *r)
{
	if (r->mr && (r->mr->type == MR_RAM || r->mr->type == MR_ROM))
		r->host = memory_region_host(r->mr) + r->offset;
}

static bool ranges_join(const struct flat_range *a, const struct flat_range *b)
{
	return a->mr == b->mr && (!a->mr || a->offset + (b->start - a->start) ==
				  b->offset);
}

static u32 ranges_merge(struct flat_range *r, u32 n)
{
	u32 out = 0;

	for (u32 i = 1; i < n; i++)
		if (ranges_join(&r[out], &r[i]))
			r[out].last = r[i].last;
		else
			r[++out] = r[i];
	return out + 1;
}

static u32 largest_ram(const struct flat_view *v)
{
	gpa most = 0;
	u32 found = 0;

	for (u32 i = 0; i < v->n; i++) {
		gpa size = v->range[i].last - v->range[i].start;

		if (v->range[i].host && size > most) {
			most = size;
			found = i;
		}
	}
	return found;
}

static u16 *port_table(const struct flat_view *v)
{
	u16 *port = malloc(N_PORTS * sizeof(*port));

	if (!port)
		die("out of memory");
	for (u32 i = 0; i < v->n; i++)
		for (gpa p = v->range[i].start;
		     p <= v->range[i].last && p < N_PORTS; p++)
			port[p] = (u16)i;
	return port;
}

static struct flat_view *view_new(struct memory_region *root, bool ports)
{
	struct view_builder b = { NULL, 0, 0 };
	struct flat_view *v;

	render(&b, root, 0, (struct window){ 0, INT64_MAX });
	builder_fill(&b, 0, ~0ull, NULL, 0);
	b.n = ranges_merge(b.range, b.n);
	v = calloc(1, sizeof(*v) + b.n * sizeof(*b.range));
	if (!v)
		die("out of memory");
	v->n = b.n;
	memcpy(v->range, b.range, b.n * sizeof(*b.range));
	free(b.range);
	for (u32 i = 0; i < v->n; i++)
		range_finish(&v->range[i]);
	v->ram = largest_ram(v);
	if (ports)
		v->port = port_table(v);
	return v;
}

static void view_free(struct flat_view *v)
{
	free(v->port);
	free(v);
}

static bool views_equal(const struct flat_view *a, const struct flat_view *b)
{
	if (!a || a->n != b->n)
		return false;
	for (u32 i = 0; i < a->n; i++)
		if (a->range[i].start != b->range[i].start ||
		    a->range[i].mr != b->range[i].mr ||
		    a->range[i].offset != b->range[i].offset ||
		    a->range[i].host != b->range[i].host)
			return false;
	return true;
}

static struct flat_view *retired GUARDED_BY(bql);

static void free_retired(void) REQUIRES(bql)
{
	while (retired) {
		struct flat_view *next = retired->retired;

		view_free(retired);
		retired = next;
	}
}

static void free_retired_work(struct cpu *cpu, void *data)
{
	(void)cpu, (void)data;
	bql_lock();
	free_retired();
	bql_unlock();
}

/* No vCPU can be inside cpu_exec but the caller's own, who looks at the view anew
 * after each device access. */
static bool nobody_reads(void)
{
	struct cpu *cpu;

	if (in_exclusive())
		return true;
	CPU_FOREACH(cpu)
		if (cpu->created)
			return false;
	return true;
}

static void view_retire(struct flat_view *v) REQUIRES(bql)
{
	bool queued = retired != NULL;

	if (v) {
		v->retired = retired;
		retired = v;
	}
	if (nobody_reads())
		free_retired();
	else if (!queued && retired)
		async_safe_run_on_cpu(current_cpu ? current_cpu : first_cpu,
				      free_retired_work, NULL);
}

/* True if the address space looks different now. */
static bool address_space_update(struct address_space *as) REQUIRES(bql)
{
	struct flat_view *old = as->view;
	struct flat_view *v = view_new(as->root, as == &address_space_io);

	if (views_equal(old, v)) {
		view_free(v);
		return false;
	}
	__atomic_store_n(&as->view, v, __ATOMIC_SEQ_CST);
	view_retire(old);
	return true;
}

void memory_region_transaction_begin(void)
{
	transaction_depth++;
}

void memory_region_transaction_commit(void)
{
	ASSERT(transaction_depth);
	if (--transaction_depth || !update_pending)
		return;
	update_pending = false;
	address_space_update(&address_space_io);
	if (address_space_update(&address_space_memory)) {
		ram_window_check_map();
		tlb_memory_map_changed();
	}
}

static void tree_changed(void) REQUIRES(bql)
{
	memory_region_transaction_begin();
	update_pending = true;
	memory_region_transaction_commit();
}

/* -- regions ----------------------------------------------------------------------- */

static void region_init(struct memory_region *mr, const char *name, u64 size,
			enum mr_type type)
{
	ASSERT(size && size <= MEMORY_SIZE);
	*mr = (struct memory_region){
		.name = name, .type = type, .size = size, .enabled = true,
		.global_locking = true,
	};
}

void memory_region_init(struct memory_region *mr, const char *name, u64 size)
{
	region_init(mr, name, size, MR_CONTAINER);
}

void memory_region_init_io(struct memory_region *mr, const char *name, u64 size,
			   const struct memory_region_ops *ops, void *opaque)
{
	region_init(mr, name, size, MR_IO);
	mr->ops = ops;
	mr->opaque = opaque;
}

void memory_region_init_alias(struct memory_region *mr, const char *name,
			      struct memory_region *of, u64 offset, u64 size)
{
	region_init(mr, name, size, MR_ALIAS);
	mr->alias = of;
	mr->alias_offset = offset;
}

void memory_region_add_subregion_overlap(struct memory_region *parent, gpa addr,
					 struct memory_region *mr, int priority)
{
	struct memory_region **at = &parent->first_child;

	ASSERT(!mr->parent && addr < MEMORY_SIZE);
	mr->parent = parent;
	mr->addr = addr;
	mr->priority = priority;
	while (*at && (*at)->priority > priority)
		at = &(*at)->sibling;
	mr->sibling = *at;
	*at = mr;
	tree_changed();
}

void memory_region_add_subregion(struct memory_region *parent, gpa addr,
				 struct memory_region *mr)
{
	memory_region_add_subregion_overlap(parent, addr, mr, 0);
}

void memory_region_del_subregion(struct memory_region *parent,
				 struct memory_region *mr)
{
	struct memory_region **at = &parent->first_child;

	ASSERT(mr->parent == parent);
	while (*at != mr)
		at = &(*at)->sibling;
	*at = mr->sibling;
	mr->parent = mr->sibling = NULL;
	tree_changed();
}

void memory_region_set_enabled(struct memory_region *mr, bool on)
{
	if (mr->enabled == on)
		return;
	mr->enabled = on;
	tree_changed();
}

void memory_region_clear_global_locking(struct memory_region *mr)
{
	mr->global_locking = false;
}

void memory_init(void)
{
	memory_region_init(&system_memory, "system", MEMORY_SIZE);
	memory_region_init(&system_io, "io", N_PORTS);
	address_space_memory = (struct address_space){
		"memory", &system_memory, NULL };
	address_space_io = (struct address_space){ "I/O", &system_io, NULL };
	tree_changed();
}

struct memory_region *address_space_translate(struct address_space *as, gpa addr,
					      u64 *xlat, u64 *len)
{
	const struct flat_range *r = flat_view_find(flat_view_get(as), addr);

	*xlat = r->offset + (addr - r->start);
	*len = r->last - addr + 1;
	if (!*len)                       /* all 2^64 bytes                   */
		*len = ~0ull;
	return r->mr;
}

hva address_space_host(struct address_space *as, gpa addr)
{
	const struct flat_range *r = flat_view_find(flat_view_get(as), addr);

	return r->host && r->mr->type == MR_RAM ? r->host + (addr - r->start) : NULL;
}
