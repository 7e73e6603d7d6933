/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/qemu/ram_window.c - see ram_window.h. */
#include "qemu/ram_window.h"

#include "qemu/cpu.h"
#include "qemu/cpus.h"
#include "qemu/flatview.h"

static struct memory_region *shown GUARDED_BY(bql);
static u64 base;                       /* where address 0 is; constant once open */
static bool is_open;                   /* _Atomic                               */

/* Does each address of the RAM show its bytes, whichever region is seen there? */
static bool in_place(void) REQUIRES(bql)
{
	const struct flat_view *v = flat_view_get(&address_space_memory);

	for (u32 i = 0; i < v->n && v->range[i].start < shown->size; i++) {
		const struct flat_range *r = &v->range[i];

		if (!r->host || (u64)(uintptr_t)r->host != base + r->start)
			return false;
	}
	return true;
}

void ram_window_set(struct memory_region *ram)
{
	shown = ram;
}

void ram_window_open(void)
{
	if (!ram_arena_alone || !shown)
		return;
	base = (u64)(uintptr_t)memory_region_host(shown);
	__atomic_store_n(&is_open, in_place(), __ATOMIC_RELEASE);
}

u64 ram_window(void)
{
	return __atomic_load_n(&is_open, __ATOMIC_ACQUIRE) ? base : 0;
}

bool ram_window_spans(const void *host)
{
	return base && (u64)(uintptr_t)host - (base - WINDOW_BELOW) < WINDOW_SPAN + WINDOW_BELOW;
}

void ram_window_close(void)
{
	struct cpu *cpu = current_cpu ? current_cpu : first_cpu;

	if (__atomic_exchange_n(&is_open, false, __ATOMIC_ACQ_REL) && cpu)
		tb_flush(cpu);
}

void ram_window_check_map(void)
{
	if (ram_window() && !in_place())
		ram_window_close();
}
