/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/qemu/ram_window.c - see ram_window.h. */
#include "qemu/ram_window.h"

#include "env/map.h"
#include "qemu/cpu.h"
#include "qemu/cpus.h"
#include "qemu/flatview.h"

enum { MAX_HIDDEN = 8 };

static struct memory_region *shown GUARDED_BY(bql);
static u64 base;                       /* where address 0 is; constant once open */
static bool is_open;                   /* _Atomic                               */
static struct part { gpa start, end; } hidden[MAX_HIDDEN];
static int n_hidden;                   /* both: what was hidden when it opened  */

/* Parts of the RAM that other regions, or none, stand in front of. -1: too many. */
static int find_hidden(const struct memory_region *ram, struct part part[MAX_HIDDEN])
{
	const struct flat_view *v = flat_view_get(&address_space_memory);
	int n = 0;

	for (u32 i = 0; i < v->n && v->range[i].start < ram->size; i++) {
		const struct flat_range *r = &v->range[i];
		gpa end = MIN(r->last, ram->size - 1) + 1;

		if (r->host && (u64)(uintptr_t)r->host == base + r->start)
			continue;
		if (n && part[n - 1].end == r->start) {
			part[n - 1].end = end;
			continue;
		}
		if (n == MAX_HIDDEN)
			return -1;
		part[n++] = (struct part){ r->start, end };
	}
	return n;
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
	n_hidden = find_hidden(shown, hidden);
	if (n_hidden < 0)
		return;
	for (int i = 0; i < n_hidden; i++)
		map_guard((void *)(uintptr_t)(base + hidden[i].start),
			  hidden[i].end - hidden[i].start);
	__atomic_store_n(&is_open, true, __ATOMIC_RELEASE);
}

u64 ram_window(void)
{
	return __atomic_load_n(&is_open, __ATOMIC_ACQUIRE) ? base : 0;
}

bool ram_window_spans(const void *host)
{
	return base && (u64)(uintptr_t)host - (base - WINDOW_BELOW) < WINDOW_SPAN + WINDOW_BELOW;
}

/* No block relies on it any more. */
static void unhide_work(struct cpu *cpu, void *data)
{
	(void)cpu, (void)data;
	for (int i = 0; i < n_hidden; i++)
		map_unguard((void *)(uintptr_t)(base + hidden[i].start),
			    hidden[i].end - hidden[i].start);
}

void ram_window_close(void)
{
	struct cpu *cpu = current_cpu ? current_cpu : first_cpu;

	if (!__atomic_exchange_n(&is_open, false, __ATOMIC_ACQ_REL))
		return;
	if (!cpu) {
		unhide_work(NULL, NULL);
		return;
	}
	tb_flush(cpu);
	async_safe_run_on_cpu(cpu, unhide_work, NULL);
}

void ram_window_check_map(void)
{
	struct part now[MAX_HIDDEN];
	int n;

	if (!ram_window())
		return;
	n = find_hidden(shown, now);
	if (n != n_hidden)
		ram_window_close();
	for (int i = 0; i < n && n == n_hidden; i++)
		if (now[i].start != hidden[i].start || now[i].end != hidden[i].end)
			ram_window_close();
}
