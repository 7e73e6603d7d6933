/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/qemu/memory.h - memory regions, address spaces and their ld/st.
 *
 * Regions (RAM, ROM, MMIO, port I/O, alias, container; with priorities) form
 * a tree; each address space flattens its tree into an immutable table of
 * ranges. Upstream: memory.h, FlatView, memory_ldst. No RCU: a new table is
 * published with release order under the BQL, vCPUs read it with acquire
 * order inside cpu_exec, and the old one is freed in an exclusive section. */
#ifndef QEMU_MEMORY_H
#define QEMU_MEMORY_H

#include "env/lock.h"

/* Device callbacks. `size` 1, 2, 4; addresses are relative to the region.
 * Guarded by the BQL unless the region cleared global_locking. */
typedef u64 mr_read_fn(void *opaque, gpa addr, unsigned size);
typedef void mr_write_fn(void *opaque, gpa addr, u64 val, unsigned size);

struct memory_region_ops {
	mr_read_fn *read;            /* NULL: reads as all ones              */
	mr_write_fn *write;          /* NULL: ignored                        */
	u8 min_size, max_size;       /* what the callbacks take; others are
				      * split or widened (0: 1 and 4)        */
};

enum mr_type { MR_CONTAINER, MR_RAM, MR_ROM, MR_IO, MR_ALIAS };

struct memory_region {
	const char *name;
	enum mr_type type;
	u64 size;
	const struct memory_region_ops *ops;
	void *opaque;
	ram_addr ram;                        /* RAM, ROM: place in the arena  */
	struct memory_region *alias;         /* ALIAS: what it shows          */
	u64 alias_offset;
	bool enabled;
	bool global_locking;                 /* default true                  */
	/* tree, under the BQL */
	struct memory_region *parent, *first_child, *sibling;
	gpa addr;                            /* in the parent                 */
	int priority;
};

void memory_region_init(struct memory_region *mr, const char *name, u64 size);
void memory_region_init_io(struct memory_region *mr, const char *name, u64 size,
			   const struct memory_region_ops *ops, void *opaque);
/* RAM/ROM take their bytes from the arena (zeroed). Returns NULL or an error. */
const char *memory_region_init_ram(struct memory_region *mr, const char *name, u64 size);
const char *memory_region_init_rom(struct memory_region *mr, const char *name, u64 size);
/* RAM or ROM (type) in front of other RAM, from `at` in that on: it has the bytes that it
 * hides there, so that an address is at one place of the host whichever is seen. */
void memory_region_init_over(struct memory_region *mr, const char *name, u64 size,
			     enum mr_type type, const struct memory_region *ram, u64 at);
void memory_region_init_alias(struct memory_region *mr, const char *name,
			      struct memory_region *of, u64 offset, u64 size);
void memory_region_add_subregion(struct memory_region *parent, gpa addr,
				 struct memory_region *mr) REQUIRES(bql);
void memory_region_add_subregion_overlap(struct memory_region *parent, gpa addr,
				 struct memory_region *mr, int priority) REQUIRES(bql);
void memory_region_del_subregion(struct memory_region *parent,
				 struct memory_region *mr) REQUIRES(bql);
void memory_region_set_enabled(struct memory_region *mr, bool on) REQUIRES(bql);
void memory_region_clear_global_locking(struct memory_region *mr);
void memory_region_transaction_begin(void) REQUIRES(bql);
void memory_region_transaction_commit(void) REQUIRES(bql);
/* Host pointer of a RAM or ROM region's bytes. */
hva memory_region_host(struct memory_region *mr);

/* -- the arena of guest RAM -------------------------------------------------
 * One mapping holds all RAM and ROM; host = ram_arena + ram_addr. It lies
 * below 2 GB of host addresses when it fits (x64.c uses that). */
extern hva ram_arena;
extern u64 ram_arena_size;           /* bytes handed out so far            */
extern u64 ram_arena_max;            /* bytes it has: ram_arena_init's size */
extern bool ram_arena_low;           /* below 2 GB                         */
extern bool ram_arena_alone;         /* ... and WINDOW_SPAN bytes behind it are free */
/* Reserve the arena for `size` bytes. NULL, or an error text. */
const char *ram_arena_init(u64 size);
/* Of all its bytes, each with its place; for comparing two runs. */
u64 ram_arena_checksum(void);
/* Before the region for the RAM that lies at guest-physical address 0, which a window then
 * can show: RAM_GAP bytes of the arena at the most. */
enum { RAM_GAP = 4 << 20 };
void ram_arena_gap(void);

/* -- address spaces ----------------------------------------------------------- */
struct address_space { const char *name; struct memory_region *root; struct flat_view *view; };
extern struct address_space address_space_memory, address_space_io;
extern struct memory_region system_memory, system_io;   /* their roots      */

void memory_init(void) REQUIRES(bql);   /* the two address spaces, empty    */

/* The region at `addr`, its offset there through *xlat, and how many bytes
 * are contiguous through *len. NULL: nothing there. Lock: BQL or inside
 * cpu_exec. */
struct memory_region *address_space_translate(struct address_space *as, gpa addr,
					      u64 *xlat, u64 *len);
/* Where the byte at `addr` is in the host; NULL: it is not RAM (ROM is not). Lock as
 * above. */
hva address_space_host(struct address_space *as, gpa addr);
/* Dispatch one access to an MMIO/PIO region, splitting as its ops ask; takes
 * the BQL through prepare_mmio_access when needed. mr NULL: all ones. */
u64 memory_region_dispatch_read(struct memory_region *mr, gpa off, unsigned size);
void memory_region_dispatch_write(struct memory_region *mr, gpa off, u64 v, unsigned size);
/* True if it took the BQL: the caller must drop it afterwards. */
bool prepare_mmio_access(struct memory_region *mr);

/* Little-endian ld/st of all sizes, unaligned and region-crossing ones
 * included (upstream: memory_ldst). Stores into RAM invalidate translated
 * code as a CPU store does. */
u8 address_space_ldub(struct address_space *as, gpa a);
u16 address_space_lduw(struct address_space *as, gpa a);
u32 address_space_ldl(struct address_space *as, gpa a);
u64 address_space_ldq(struct address_space *as, gpa a);
void address_space_stb(struct address_space *as, gpa a, u8 v);
void address_space_stw(struct address_space *as, gpa a, u16 v);
void address_space_stl(struct address_space *as, gpa a, u32 v);
void address_space_stq(struct address_space *as, gpa a, u64 v);
void address_space_read(struct address_space *as, gpa a, void *buf, u64 n);
void address_space_write(struct address_space *as, gpa a, const void *buf, u64 n);
/* Write even into ROM (loaders). */
void address_space_write_rom(struct address_space *as, gpa a, const void *buf, u64 n);

/* Called by memory.c after each new memory map: all vCPUs flush before they
 * execute their next guest block. When a vCPU's own access caused it, none does so
 * before all have (cputlb.c). */
void tlb_memory_map_changed(void) REQUIRES(bql);
/* Called for each RAM write that did not come through a TLB: translated code
 * of [addr, addr+n) is dropped (tcg/tb.c). */
void tb_invalidate_phys_range(ram_addr addr, u64 n);

#endif
