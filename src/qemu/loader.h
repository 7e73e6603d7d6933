/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/qemu/loader.h - direct boot: from the files named on the command line
 * (or the built-in demo guest) to bytes in guest memory and a boot_state.
 *
 * Everything is checked before anything is written: boot_load() makes a plan
 * of blobs, boot_reset() carries it out at power-on and at each reset. */
#ifndef QEMU_LOADER_H
#define QEMU_LOADER_H

#include "env/file.h"
#include "env/lock.h"
#include "qemu/machine.h"

#define BOOT_MAX_BLOBS 128

/* Bytes for guest memory: `size` of `data`, then zeroes up to `mem_size`. */
struct boot_blob { gpa addr; const u8 *data; u64 size, mem_size; };

/* A range of guest memory, as kernels are told of it. */
struct boot_range { gpa start, end; u32 type; };     /* type: E820_*        */
enum { E820_RAM = 1, E820_RESERVED = 2 };
#define BOOT_MAX_RANGES 8

struct boot_plan {
	const char *kernel_name, *append, *initrd;
	struct file kernel;
	struct boot_range map[BOOT_MAX_RANGES];
	int n_ranges;
	struct boot_blob blob[BOOT_MAX_BLOBS];
	int n_blobs;
	struct boot_state state;
	char err[256];
};

/* Read and check what `c` asks for. NULL, or an error text that names the
 * file. */
const char *boot_load(const struct machine_config *c);
/* Write the image into guest memory and set boot_state; vCPUs stopped. */
void boot_reset(void) REQUIRES(bql);

/* -- for the formats, and tests ----------------------------------------------------- */
/* A plan for a machine of `ram_size` bytes, nothing in it yet. */
void boot_plan_init(struct boot_plan *p, u64 ram_size);
/* Fill the plan from p->kernel; false with p->err set. */
bool boot_plan_make(struct boot_plan *p);
/* Set p->err; returns false. */
bool boot_fail(struct boot_plan *p, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Add a blob; false with p->err when it does not lie in RAM or on another. */
bool boot_add(struct boot_plan *p, const char *what, gpa addr, const u8 *data,
	      u64 size, u64 mem_size);
/* The highest free place of `size` bytes that ends at or below `limit`, or the
 * lowest one at or above `limit`, aligned (power of two). 0: none. */
gpa boot_place_below(const struct boot_plan *p, u64 size, u64 align, gpa limit);
gpa boot_place_above(const struct boot_plan *p, u64 size, u64 align, gpa limit);
/* Zeroed memory that lives as long as the plan. */
void *boot_alloc(u64 size);

/* The formats: is it one (at *at for multiboot); if so plan it. */
bool multiboot_probe(const struct file *f, u64 *at);
bool multiboot_plan(struct boot_plan *p, u64 header);
bool linux_probe(const struct file *f);
bool linux_plan(struct boot_plan *p);
/* The segments of an ELF executable; *entry is physical. */
bool elf_plan(struct boot_plan *p, u32 *entry);
/* What an unusable file seems to be: "an ELF file for ARM", ... */
const char *boot_describe(const struct file *f);

static inline u16 get_u16(const u8 *p) { return (u16)(p[0] | p[1] << 8); }
static inline u32 get_u32(const u8 *p)
{
	return get_u16(p) | (u32)get_u16(p + 2) << 16;
}
static inline u64 get_u64(const u8 *p)
{
	return get_u32(p) | (u64)get_u32(p + 4) << 32;
}
static inline void put_u16(u8 *p, u16 v) { p[0] = (u8)v; p[1] = (u8)(v >> 8); }
static inline void put_u32(u8 *p, u32 v)
{
	put_u16(p, (u16)v);
	put_u16(p + 2, (u16)(v >> 16));
}
static inline void put_u64(u8 *p, u64 v)
{
	put_u32(p, (u32)v);
	put_u32(p + 4, (u32)(v >> 32));
}

#endif
