/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/qemu/ram_window.h - guest-physical memory as addresses of the host.
 *
 * Where the guest's RAM lies at guest-physical address 0, low in the host's address space,
 * and nothing of the host's lies in the 4 GB from there on (nor in what a displacement
 * adds), an address without paging is one of the host's after an addition of a constant.
 * Code translated for a guest without paging loads from there unchecked (tcg/x64_window.c).
 * A load from what is no RAM finds no memory of the host, and has its slow path.
 *
 * The window closes for good when what it shows would no longer be right: the map of the
 * RAM has changed, A20 is off, or a data breakpoint is set. */
#ifndef QEMU_RAM_WINDOW_H
#define QEMU_RAM_WINDOW_H

#include "qemu/memory.h"

/* 4 GB, and what a displacement adds to an address. */
#define WINDOW_SPAN (6ull << 30)
/* Below it, for displacements below zero: ram_arena_gap has so many at the least. */
enum { WINDOW_BELOW = RAM_GAP / 2 };

/* The RAM at guest-physical address 0, behind ram_arena_gap. */
void ram_window_set(struct memory_region *ram) REQUIRES(bql);
/* Open the window on it, if that can be (all of it is seen, or what has its bytes:
 * memory_region_init_over): when the map is made, before a vCPU runs. */
void ram_window_open(void) REQUIRES(bql);
/* Where guest-physical address 0 is in the host; 0: it is not open. Any thread. */
u64 ram_window(void);
/* Is it in the window, or in the free addresses around it? Async-signal-safe. */
bool ram_window_spans(const void *host);
/* Close it: blocks that rely on it are gone before a vCPU enters another one; the calling
 * vCPU must be about to leave (run_on_all_cpus_synced). Any thread. */
void ram_window_close(void);
/* The map has changed: close it if what it shows has. */
void ram_window_check_map(void) REQUIRES(bql);

#endif
