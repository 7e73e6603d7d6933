/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/qemu/ram.c - the arena of guest RAM. Upstream: softmmu/physmem.c,
 * RAMBlock; here there is one block, and regions take pieces of it. */
#include <stdio.h>
#include <string.h>

#include "env/log.h"
#include "env/map.h"
#include "qemu/cpu.h"
#include "qemu/flatview.h"
#include "qemu/memory.h"
#include "qemu/ram_window.h"

/* Where the arena is tried first: above a static program and its heap. */
#define LOW_FIRST 0x10000000ull
#define LOW_END 0x80000000ull
#define LOW_STEP 0x04000000ull

hva ram_arena;
u64 ram_arena_size, ram_arena_max;
bool ram_arena_low, ram_arena_alone;

static u64 page_align(u64 n)
{
	return (n + PAGE_SIZE - 1) & ~(u64)(PAGE_SIZE - 1);
}

/* The arena, with nothing of the host's mapped behind it, so that a window (ram_window.h)
 * can be open; or wherever there is room. */
static hva map_at(hva at, u64 size, bool alone)
{
	if (!alone)
		return map_anon(at, size, false);
	if (!map_reserve(at, size + WINDOW_SPAN))
		return NULL;
	map_unguard(at, size);
	return at;
}

static hva map_low(u64 size, bool alone)
{
	for (u64 at = LOW_FIRST; at + size <= LOW_END; at += LOW_STEP) {
		hva p = map_at((hva)(uintptr_t)at, size, alone);

		if (p)
			return p;
	}
	return NULL;
}

const char *ram_arena_init(u64 size)
{
	static char err[80];

	ASSERT(!ram_arena);
	ram_arena_max = page_align(size);
	if (ram_arena_max <= LOW_END - LOW_FIRST)
		ram_arena = map_low(ram_arena_max, true);
	ram_arena_alone = ram_arena != NULL;
	if (!ram_arena && ram_arena_max <= LOW_END - LOW_FIRST)
		ram_arena = map_low(ram_arena_max, false);
	ram_arena_low = ram_arena != NULL;
	if (!ram_arena)
		ram_arena = map_anon(NULL, ram_arena_max, false);
	if (ram_arena) {
		map_huge(ram_arena, ram_arena_max);
		return NULL;
	}
	snprintf(err, sizeof(err), "the host has no %llu MB for guest memory",
		 (unsigned long long)(ram_arena_max >> 20));
	return err;
}

void ram_arena_gap(void)
{
	u64 end = (ram_arena_size + RAM_GAP - 1) & ~(u64)(RAM_GAP / 2 - 1);

	ASSERT(end <= ram_arena_max);
	map_guard(ram_arena + ram_arena_size, end - ram_arena_size);
	ram_arena_size = end;
}

static const char *region_take(struct memory_region *mr, enum mr_type type)
{
	u64 size = page_align(mr->size);

	if (!ram_arena || size > ram_arena_max - ram_arena_size)
		return "the arena of guest memory is full";
	mr->type = type;
	mr->ram = ram_arena_size;
	ram_arena_size += size;
	return NULL;
}

const char *memory_region_init_ram(struct memory_region *mr, const char *name,
				   u64 size)
{
	memory_region_init(mr, name, size);
	return region_take(mr, MR_RAM);
}

const char *memory_region_init_rom(struct memory_region *mr, const char *name,
				   u64 size)
{
	memory_region_init(mr, name, size);
	return region_take(mr, MR_ROM);
}

void memory_region_init_over(struct memory_region *mr, const char *name, u64 size,
			     enum mr_type type, const struct memory_region *ram, u64 at)
{
	ASSERT(at + size <= ram->size && !((at | size) & (PAGE_SIZE - 1)));
	memory_region_init(mr, name, size);
	mr->type = type;
	mr->ram = ram->ram + at;
}

hva memory_region_host(struct memory_region *mr)
{
	ASSERT(mr->type == MR_RAM || mr->type == MR_ROM);
	return ram_arena + mr->ram;
}

static u64 checksum_of(u64 h, u64 at, u64 end)
{
	for (; at < end; at += sizeof(h)) {
		u64 v;

		memcpy(&v, ram_arena + at, sizeof(v));
		h = (h ^ v) * 0x100000001b3;
	}
	return h;
}

/* Of what a guest can reach. */
u64 ram_arena_checksum(void)
{
	const struct flat_view *v = flat_view_get(&address_space_memory);
	u64 h = 0xcbf29ce484222325;

	for (u32 i = 0; i < v->n; i++) {
		const struct flat_range *r = &v->range[i];

		if (r->host)
			h = checksum_of(h, (u64)(r->host - ram_arena),
					(u64)(r->host - ram_arena) + (r->last - r->start + 1));
	}
	return h;
}
