/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/qemu/ram.c - the arena of guest RAM. Upstream: softmmu/physmem.c,
 * RAMBlock; here there is one block, and regions take pieces of it. */
#include <stdio.h>

#include "env/log.h"
#include "env/map.h"
#include "qemu/cpu.h"
#include "qemu/memory.h"

/* Where the arena is tried first: above a static program and its heap. */
#define LOW_FIRST 0x10000000ull
#define LOW_END 0x80000000ull
#define LOW_STEP 0x04000000ull

hva ram_arena;
u64 ram_arena_size, ram_arena_max;
bool ram_arena_low;

static u64 page_align(u64 n)
{
	return (n + PAGE_SIZE - 1) & ~(u64)(PAGE_SIZE - 1);
}

static hva map_low(u64 size)
{
	for (u64 at = LOW_FIRST; at + size <= LOW_END; at += LOW_STEP) {
		hva p = map_anon((void *)(uintptr_t)at, size, false);

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
		ram_arena = map_low(ram_arena_max);
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

hva memory_region_host(struct memory_region *mr)
{
	ASSERT(mr->type == MR_RAM || mr->type == MR_ROM);
	return ram_arena + mr->ram;
}

u64 ram_arena_checksum(void)
{
	const u64 *p = (const u64 *)(const void *)ram_arena;
	u64 h = 0xcbf29ce484222325;

	for (u64 i = 0; i < ram_arena_size / sizeof(*p); i++)
		h = (h ^ p[i]) * 0x100000001b3;
	return h;
}
