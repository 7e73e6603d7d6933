/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/qemu/loader.c - direct boot: the plan of what goes where, and carrying
 * it out. loader_multiboot.c and loader_linux.c know the formats. Upstream:
 * hw/core/loader.c, hw/i386/x86.c x86_load_linux.
 *
 * There is no firmware, so what kernels expect of one stands here too: the
 * memory map, and the words of the BIOS data area that they read. */
#include "qemu/loader.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "env/log.h"
#include "qemu/memory.h"

#define LOW_RAM_END 0x9fc00ull           /* then 1 KB of BIOS data, VGA      */
#define ROM_START 0xf0000ull
#define HIGH_RAM 0x100000ull
#define FLASH_START 0xfffc0000ull
#define FIRST_FREE 0x1000ull             /* above vectors and BIOS data      */

extern const u8 demo_guest_start[], demo_guest_end[];   /* demo.S           */

struct boot_state boot_state;
static struct boot_plan plan;

/* -- plans ------------------------------------------------------------------------ */

bool boot_fail(struct boot_plan *p, const char *fmt, ...)
{
	int n = snprintf(p->err, sizeof(p->err), "%.120s: ", p->kernel_name);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(p->err + n, sizeof(p->err) - (size_t)n, fmt, ap);
	va_end(ap);
	return false;
}

void *boot_alloc(u64 size)
{
	struct { void *next; u64 bytes[]; } *mem;
	static void *all;        /* in use, the sanitizer's leak check sees  */

	mem = calloc(1, sizeof(*mem) + size);
	if (!mem)
		die("out of memory");
	mem->next = all;
	all = mem;
	return mem->bytes;
}

static void add_range(struct boot_plan *p, gpa start, gpa end, u32 type)
{
	if (start < end)
		p->map[p->n_ranges++] = (struct boot_range){ start, end, type };
}

void boot_plan_init(struct boot_plan *p, u64 ram_size)
{
	memset(p, 0, sizeof(*p));
	add_range(p, 0, MIN(ram_size, LOW_RAM_END), E820_RAM);
	add_range(p, LOW_RAM_END, LOW_RAM_END + 0x400, E820_RESERVED);
	add_range(p, ROM_START, HIGH_RAM, E820_RESERVED);
	add_range(p, HIGH_RAM, ram_size, E820_RAM);
	add_range(p, FLASH_START, 1ull << 32, E820_RESERVED);
}

static const struct boot_blob *blob_at(const struct boot_plan *p, gpa addr,
				       u64 size)
{
	for (int i = 0; i < p->n_blobs; i++) {
		const struct boot_blob *b = &p->blob[i];

		if (addr < b->addr + b->mem_size && b->addr < addr + size)
			return b;
	}
	return NULL;
}

static bool in_ram(const struct boot_plan *p, gpa addr, u64 size)
{
	for (int i = 0; i < p->n_ranges; i++) {
		const struct boot_range *r = &p->map[i];

		if (r->type == E820_RAM && addr >= r->start &&
		    addr <= r->end && size <= r->end - addr)
			return true;
	}
	return false;
}

bool boot_add(struct boot_plan *p, const char *what, gpa addr, const u8 *data,
	      u64 size, u64 mem_size)
{
	mem_size = MAX(size, mem_size);
	if (!mem_size)
		return true;
	if (!in_ram(p, addr, mem_size))
		return boot_fail(p, "%s does not lie in RAM (%#llx bytes at "
				 "%#llx); see -m", what,
				 (unsigned long long)mem_size,
				 (unsigned long long)addr);
	if (blob_at(p, addr, mem_size))
		return boot_fail(p, "%s at %#llx overlaps another part of the "
				 "image", what, (unsigned long long)addr);
	if (p->n_blobs == BOOT_MAX_BLOBS)
		return boot_fail(p, "has too many parts to load");
	p->blob[p->n_blobs++] =
		(struct boot_blob){ addr, data, size, mem_size };
	return true;
}

/* -- finding a place ---------------------------------------------------------------- */

static gpa place_below(const struct boot_plan *p, const struct boot_range *r,
		       u64 size, u64 align, gpa limit)
{
	gpa start = MAX(r->start, FIRST_FREE), end = MIN(r->end, limit);

	while (end >= start && end - start >= size) {
		gpa addr = (end - size) & ~(align - 1);
		const struct boot_blob *b = blob_at(p, addr, size);

		if (addr < start)
			break;
		if (!b)
			return addr;
		end = b->addr;
	}
	return 0;
}

gpa boot_place_below(const struct boot_plan *p, u64 size, u64 align, gpa limit)
{
	for (int i = p->n_ranges - 1; i >= 0; i--) {
		gpa addr = p->map[i].type == E820_RAM ?
			place_below(p, &p->map[i], size, align, limit) : 0;

		if (addr)
			return addr;
	}
	return 0;
}

static gpa place_above(const struct boot_plan *p, const struct boot_range *r,
		       u64 size, u64 align, gpa limit)
{
	gpa at = MAX(MAX(r->start, FIRST_FREE), limit);

	for (;;) {
		const struct boot_blob *b;

		at = (at + align - 1) & ~(align - 1);
		if (at > r->end || size > r->end - at)
			return 0;
		b = blob_at(p, at, size);
		if (!b)
			return at;
		at = b->addr + b->mem_size;
	}
}

gpa boot_place_above(const struct boot_plan *p, u64 size, u64 align, gpa limit)
{
	for (int i = 0; i < p->n_ranges; i++) {
		gpa addr = p->map[i].type == E820_RAM ?
			place_above(p, &p->map[i], size, align, limit) : 0;

		if (addr)
			return addr;
	}
	return 0;
}

/* -- the BIOS data area ---------------------------------------------------------------
 * As a BIOS leaves it; an image that lies there wins. */

static void bios_data(struct boot_plan *p)
{
	enum { BDA = 0x400, BDA_SIZE = 0x100 };
	static const u16 com[] = { 0x3f8, 0x2f8, 0x3e8, 0x2e8 };
	u8 *d = boot_alloc(BDA_SIZE);

	for (int i = 0, n = 0; i < MAX_SERIAL; i++)
		if (machine_config.serial[i])
			put_u16(d + 2 * n++, com[i]);
	put_u16(d + 0x0e, LOW_RAM_END >> 4);     /* segment of the EBDA      */
	put_u16(d + 0x10, 0x0026);               /* FPU, mouse, 80x25 colour */
	put_u16(d + 0x13, LOW_RAM_END >> 10);
	put_u16(d + 0x1a, 0x1e);                 /* keyboard buffer: empty   */
	put_u16(d + 0x1c, 0x1e);
	d[0x49] = 3;                             /* video mode               */
	put_u16(d + 0x4a, 80);
	put_u16(d + 0x4c, 4096);                 /* bytes a screen           */
	put_u16(d + 0x60, 0x0d0e);               /* cursor lines             */
	put_u16(d + 0x63, 0x3d4);                /* the CRTC's port          */
	put_u16(d + 0x80, 0x1e);
	put_u16(d + 0x82, 0x3e);
	d[0x84] = 24;                            /* rows - 1                 */
	put_u16(d + 0x85, 16);                   /* lines a character        */
	if (in_ram(p, BDA, BDA_SIZE) && !blob_at(p, BDA, BDA_SIZE))
		boot_add(p, "BIOS data", BDA, d, BDA_SIZE, BDA_SIZE);
}

/* A flat GDT in guest memory, selectors as Linux asks for them (boot.rst,
 * "32-bit boot protocol"). */
static bool flat_gdt(struct boot_plan *p)
{
	enum { GDT_SIZE = 32, CS = 0x10, DS = 0x18 };
	u8 *gdt = boot_alloc(GDT_SIZE);
	gpa at = boot_place_below(p, GDT_SIZE, 16, LOW_RAM_END);

	put_u64(gdt + CS, 0x00cf9b000000ffff);
	put_u64(gdt + DS, 0x00cf93000000ffff);
	if (!at)
		return boot_fail(p, "no room for a GDT below 640 KB");
	p->state.gdt_base = (u32)at;
	p->state.gdt_limit = GDT_SIZE - 1;
	p->state.cs = CS;
	p->state.ds = DS;
	return boot_add(p, "GDT", at, gdt, GDT_SIZE, GDT_SIZE);
}

/* -- making the plan --------------------------------------------------------------------- */

bool boot_plan_make(struct boot_plan *p)
{
	u64 header;
	bool ok;

	if (multiboot_probe(&p->kernel, &header))
		ok = multiboot_plan(p, header);
	else if (linux_probe(&p->kernel))
		ok = linux_plan(p);
	else
		return boot_fail(p, "is %s; -kernel takes multiboot 1 kernels "
				 "and Linux bzImages",
				 boot_describe(&p->kernel));
	if (!ok || !flat_gdt(p))
		return false;
	bios_data(p);
	p->state.valid = true;
	return true;
}

static const char *open_kernel(struct boot_plan *p, const char *path)
{
	const char *why = file_map(path, &p->kernel);

	p->kernel_name = path;
	if (!why)
		return NULL;
	snprintf(p->err, sizeof(p->err), "cannot read kernel %.150s: %s", path,
		 why);
	return p->err;
}

static const char *open_demo(struct boot_plan *p)
{
	p->kernel_name = "demo";
	p->kernel.data = demo_guest_start;
	p->kernel.size = (size_t)(demo_guest_end - demo_guest_start);
	return p->kernel.size ? NULL :
		"no -kernel given, and no demo guest was built in";
}

const char *boot_load(const struct machine_config *c)
{
	const char *why;

	if (!c->kernel && c->initrd)
		return "-initrd needs a -kernel";
	if (!c->kernel && c->append)
		return "-append needs a -kernel";
	boot_plan_init(&plan, c->ram_size);
	plan.append = c->append ? c->append : "";
	plan.initrd = c->initrd;
	why = c->kernel ? open_kernel(&plan, c->kernel) : open_demo(&plan);
	if (why)
		return why;
	return boot_plan_make(&plan) ? NULL : plan.err;
}

/* -- carrying it out ------------------------------------------------------------------------- */

static void zero_fill(gpa addr, u64 n)
{
	static const u8 zeroes[4096];

	for (u64 part; n; n -= part, addr += part) {
		part = MIN(n, (u64)sizeof(zeroes));
		address_space_write_rom(&address_space_memory, addr, zeroes,
					part);
	}
}

/* RAM is zero at power-on: what need not be touched then is not, so that the
 * host need not provide it. */
void boot_reset(void)
{
	static bool again;

	for (int i = 0; i < plan.n_blobs; i++) {
		const struct boot_blob *b = &plan.blob[i];

		address_space_write_rom(&address_space_memory, b->addr,
					b->data, b->size);
		if (again)
			zero_fill(b->addr + b->size, b->mem_size - b->size);
	}
	boot_state = plan.state;
	again = true;
}
