/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/qemu/loader_linux.c - Linux bzImages by the 32-bit boot protocol:
 * Documentation/arch/x86/boot.rst and zero-page.rst of the Linux kernel.
 *
 * We do what the kernel's own real-mode part would: fill boot_params from the
 * memory map and the screen, and enter the protected-mode part. Protocols
 * before 2.02 and zImages are refused. */
#include <string.h>

#include "qemu/loader.h"

/* Places in the setup header, which is the same in the file and boot_params. */
enum {
	SETUP_SECTS = 0x1f1, SYSSIZE = 0x1f4, VID_MODE = 0x1fa, JUMP = 0x200,
	MAGIC = 0x202, VERSION = 0x206, TYPE_OF_LOADER = 0x210,
	LOADFLAGS = 0x211, CODE32_START = 0x214, RAMDISK_IMAGE = 0x218,
	RAMDISK_SIZE = 0x21c, CMD_LINE_PTR = 0x228, INITRD_ADDR_MAX = 0x22c,
	KERNEL_ALIGNMENT = 0x230, RELOCATABLE = 0x234, CMDLINE_SIZE = 0x238,
	PREF_ADDRESS = 0x258, INIT_SIZE = 0x260, HEADER_END = 0x268,
};
/* The rest of boot_params. */
enum {
	ACPI_RSDP_ADDR = 0x070, ALT_MEM_K = 0x1e0, E820_ENTRIES = 0x1e8,
	E820_TABLE = 0x2d0, BOOT_PARAMS_SIZE = 4096,
};
enum { SECTOR = 512, LOADED_HIGH = 1, LOADER_UNDEFINED = 0xff,
       MODE_NORMAL = 0xffff, E820_ENTRY = 20 };

#define LOAD_ADDR 0x100000ull
#define LOW_END 0xa0000ull
#define OLD_INITRD_MAX 0x37ffffffull
#define OLD_CMDLINE_SIZE 255

struct image {
	const u8 *data;
	u16 version;
	u64 setup_size, size;    /* of the real- and the protected-mode part */
	u64 end;                 /* first byte the kernel may not touch      */
};

bool linux_probe(const struct file *f)
{
	return f->size >= JUMP + 2 + 4 && !memcmp(f->data + MAGIC, "HdrS", 4);
}

/* -- the image --------------------------------------------------------------------- */

static bool version_check(struct boot_plan *p, const struct image *i)
{
	if (i->version < 0x202)
		return boot_fail(p, "Linux boot protocol %d.%02d is too old; "
				 "2.02 is the oldest supported",
				 i->version >> 8, i->version & 0xff);
	if (!(i->data[LOADFLAGS] & LOADED_HIGH))
		return boot_fail(p, "is a zImage; only bzImages are supported");
	return true;
}

/* Where a kernel loaded at 1 MB will run: it moves itself to a multiple of its
 * alignment, and not below its preferred address. */
static u64 run_end(const struct image *i)
{
	u64 at = LOAD_ADDR, align;

	if (i->version < 0x20a)
		return LOAD_ADDR + i->size;
	align = get_u32(i->data + KERNEL_ALIGNMENT);
	if (i->data[RELOCATABLE] && align && !(align & (align - 1)))
		at = (at + align - 1) & ~(align - 1);
	at = MAX(at, get_u64(i->data + PREF_ADDRESS));
	if (at > UINT32_MAX)
		at = UINT32_MAX;
	return MAX(LOAD_ADDR + i->size, at + get_u32(i->data + INIT_SIZE));
}

static bool image_read(struct boot_plan *p, struct image *i)
{
	u64 file = p->kernel.size, sects;

	*i = (struct image){ .data = p->kernel.data };
	if (file < HEADER_END)
		return boot_fail(p, "ends within its Linux setup header");
	i->version = get_u16(i->data + VERSION);
	if (!version_check(p, i))
		return false;
	sects = i->data[SETUP_SECTS] ? i->data[SETUP_SECTS] : 4;
	i->setup_size = (sects + 1) * SECTOR;
	if (i->setup_size >= file)
		return boot_fail(p, "is too short: ends within its %llu setup "
				 "sectors", (unsigned long long)sects);
	i->size = file - i->setup_size;
	if (i->version >= 0x204) {           /* before, only 16 bits of it   */
		u64 size = 16ull * get_u32(i->data + SYSSIZE);

		if (!size || size > i->size + 15)
			return boot_fail(p, "is too short: it should have %llu "
					 "bytes, not %llu", (unsigned long long)
					 (size + i->setup_size),
					 (unsigned long long)file);
		i->size = MIN(i->size, size);
	}
	i->end = run_end(i);
	return true;
}

static u64 ram_end(const struct boot_plan *p)
{
	u64 end = 0;

	for (int i = 0; i < p->n_ranges; i++)
		if (p->map[i].type == E820_RAM)
			end = MAX(end, p->map[i].end);
	return end;
}

static bool image_add(struct boot_plan *p, const struct image *i)
{
	if (i->end > ram_end(p))
		return boot_fail(p, "needs %llu MB of RAM; see -m",
				 (unsigned long long)(i->end + 0xfffff) >> 20);
	return boot_add(p, "kernel", LOAD_ADDR, i->data + i->setup_size,
			i->size, 0);
}

/* -- initrd and command line ----------------------------------------------------------- */

static bool initrd_add(struct boot_plan *p, const struct image *i, u8 *params)
{
	u64 max = i->version >= 0x203 ? get_u32(i->data + INITRD_ADDR_MAX)
		: OLD_INITRD_MAX;
	const char *why;
	struct file f;
	gpa at;

	if (!p->initrd)
		return true;
	why = file_map(p->initrd, &f);
	if (why)
		return boot_fail(p, "cannot read initrd %.100s: %s", p->initrd,
				 why);
	at = boot_place_below(p, f.size, 4096, max + 1);
	if (at < i->end)
		return boot_fail(p, "initrd %.100s (%llu bytes) does not fit in"
				 " RAM; see -m", p->initrd,
				 (unsigned long long)f.size);
	put_u32(params + RAMDISK_IMAGE, (u32)at);
	put_u32(params + RAMDISK_SIZE, (u32)f.size);
	return boot_add(p, "initrd", at, f.data, f.size, f.size);
}

static bool cmdline_add(struct boot_plan *p, const struct image *i, u8 *params)
{
	u64 max = i->version >= 0x206 ? get_u32(i->data + CMDLINE_SIZE)
		: OLD_CMDLINE_SIZE;
	u64 n = strlen(p->append);
	gpa at = boot_place_below(p, n + 1, 16, LOW_END);

	if (n > max)
		return boot_fail(p, "-append has %llu characters; this kernel "
				 "takes %llu", (unsigned long long)n,
				 (unsigned long long)max);
	if (!at)
		return boot_fail(p, "no room for -append");
	put_u32(params + CMD_LINE_PTR, (u32)at);
	return boot_add(p, "command line", at, (const u8 *)p->append, n + 1, 0);
}

/* -- boot_params ------------------------------------------------------------------------- */

/* struct screen_info: VGA text, 80x25, the cursor at the top. */
static void screen_fill(u8 *params)
{
	params[0x06] = 3;                        /* video mode               */
	params[0x07] = 80;
	put_u16(params + 0x0a, 3);               /* 256 KB of video memory   */
	params[0x0e] = 25;
	params[0x0f] = 1;                        /* it is a VGA              */
	put_u16(params + 0x10, 16);              /* lines a character        */
}

static void memory_fill(const struct boot_plan *p, u8 *params)
{
	u64 kb = ram_end(p) > LOAD_ADDR ? (ram_end(p) - LOAD_ADDR) / 1024 : 0;

	put_u16(params + 0x02, (u16)MIN(kb, 0xfc00u));
	put_u32(params + ALT_MEM_K, (u32)kb);
	put_u64(params + ACPI_RSDP_ADDR, MACHINE_RSDP);
	params[E820_ENTRIES] = (u8)p->n_ranges;
	for (int i = 0; i < p->n_ranges; i++) {
		u8 *e = params + E820_TABLE + i * E820_ENTRY;

		put_u64(e, p->map[i].start);
		put_u64(e + 8, p->map[i].end - p->map[i].start);
		put_u32(e + 16, p->map[i].type);
	}
}

/* The file's setup header up to where the kernel says that it ends. */
static void header_copy(const struct image *i, u8 *params)
{
	u64 end = MAGIC + i->data[JUMP + 1];

	end = MIN(MIN(end, i->setup_size), (u64)E820_TABLE);
	if (end > SETUP_SECTS)
		memcpy(params + SETUP_SECTS, i->data + SETUP_SECTS,
		       end - SETUP_SECTS);
	params[TYPE_OF_LOADER] = LOADER_UNDEFINED;
	put_u16(params + VID_MODE, MODE_NORMAL);
	put_u32(params + CODE32_START, LOAD_ADDR);
	put_u32(params + RAMDISK_IMAGE, 0);
	put_u32(params + RAMDISK_SIZE, 0);
}

bool linux_plan(struct boot_plan *p)
{
	u8 *params = boot_alloc(BOOT_PARAMS_SIZE);
	struct image i;
	gpa at;

	if (!image_read(p, &i) || !image_add(p, &i))
		return false;
	header_copy(&i, params);
	screen_fill(params);
	memory_fill(p, params);
	if (!cmdline_add(p, &i, params) || !initrd_add(p, &i, params))
		return false;
	at = boot_place_below(p, BOOT_PARAMS_SIZE, 4096, LOW_END);
	if (!at)
		return boot_fail(p, "no room for boot_params");
	p->state.eip = LOAD_ADDR;
	p->state.esi = (u32)at;
	p->state.esp = (u32)at;
	return boot_add(p, "boot_params", at, params, BOOT_PARAMS_SIZE,
			BOOT_PARAMS_SIZE);
}
