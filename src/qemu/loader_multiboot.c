/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/qemu/loader_multiboot.c - kernels of the Multiboot Specification 0.6.96.
 *
 * Left out: video modes, symbols, drives, APM. An ELF64 file is taken when its
 * segments and its entry lie below 4 GB: the entry is 32-bit code all the
 * same. Upstream: hw/i386/multiboot.c. */
#include <stdio.h>
#include <string.h>

#include "env/log.h"
#include "qemu/loader.h"

#define HEADER_MAGIC 0x1badb002u
#define BOOT_MAGIC 0x2badb002u
#define HEADER_SEARCH 8192u
#define LOW_END 0xa0000ull
#define HIGH_RAM 0x100000ull

/* Header flags; the low half must be understood by the loader. */
enum { HDR_PAGE_ALIGN = 1, HDR_MEMORY = 2, HDR_VIDEO = 4, HDR_ADDRESSES = 1 << 16 };
/* Info flags. */
enum { MBI_MEMORY = 1, MBI_CMDLINE = 4, MBI_MODS = 8, MBI_MMAP = 0x40,
       MBI_LOADER_NAME = 0x200 };
enum { MBI_SIZE = 116, MOD_SIZE = 16, MMAP_SIZE = 24, MAX_MODS = 64,
       STACK_BYTES = 4096 };

bool multiboot_probe(const struct file *f, u64 *at)
{
	u64 end = MIN((u64)f->size, HEADER_SEARCH);

	for (u64 i = 0; i + 12 <= end; i += 4) {
		const u8 *h = f->data + i;

		if (get_u32(h) == HEADER_MAGIC &&
		    get_u32(h) + get_u32(h + 4) + get_u32(h + 8) == 0) {
			*at = i;
			return true;
		}
	}
	return false;
}

/* -- the a.out kludge: addresses in the header ------------------------------------- */

static bool aout_plan(struct boot_plan *p, u64 header, u32 *entry)
{
	const u8 *h = p->kernel.data + header;
	u64 header_addr, load, load_end, bss_end, size, offset;

	if (header + 32 > p->kernel.size)
		return boot_fail(p, "ends within its multiboot header");
	header_addr = get_u32(h + 12);
	load = get_u32(h + 16);
	load_end = get_u32(h + 20);
	bss_end = get_u32(h + 24);
	*entry = get_u32(h + 28);
	if (load > header_addr || header_addr - load > header)
		return boot_fail(p, "multiboot header: load address %#llx does "
				 "not fit header address %#llx",
				 (unsigned long long)load,
				 (unsigned long long)header_addr);
	offset = header - (header_addr - load);
	size = load_end ? load_end - load : p->kernel.size - offset;
	if (load_end && load_end < load)
		return boot_fail(p, "multiboot header: load end lies before "
				 "its start");
	if (size > p->kernel.size - offset)
		return boot_fail(p, "is too short: %#llx bytes are to be loaded"
				 " from byte %#llx", (unsigned long long)size,
				 (unsigned long long)offset);
	if (bss_end && bss_end < load + size)
		return boot_fail(p, "multiboot header: bss end lies before its "
				 "start");
	size = MIN(size, (u64)p->kernel.size - offset);
	if (!boot_add(p, "image", load, p->kernel.data + offset, size,
		      bss_end ? bss_end - load : size))
		return false;
	if (*entry < load || *entry - load >= size)
		return boot_fail(p, "multiboot header: entry %#x lies outside "
				 "the image", *entry);
	return true;
}

static bool image_plan(struct boot_plan *p, u64 header, u32 *entry)
{
	const u8 *h = p->kernel.data + header;
	u32 flags = get_u32(h + 4);
	u32 unknown = flags & 0xffff & ~(HDR_PAGE_ALIGN | HDR_MEMORY | HDR_VIDEO);

	if (unknown)
		return boot_fail(p, "multiboot header asks for unknown features"
				 " (flags %#x)", unknown);
	if (flags & HDR_VIDEO && header + 48 <= p->kernel.size &&
	    get_u32(h + 32) == 0)
		warn("%s asks for a graphics mode; it gets text mode",
		     p->kernel_name);
	return flags & HDR_ADDRESSES ? aout_plan(p, header, entry)
		: elf_plan(p, entry);
}

/* -- modules ---------------------------------------------------------------------------- */

struct module { gpa start, end; char *text; };
struct modules { struct module mod[MAX_MODS]; int n; };

/* The next of "a args,b": a comma ends it, two stand for one. */
static char *next_module(const char **list)
{
	char *text = boot_alloc(strlen(*list) + 1), *to = text;
	const char *s = *list;

	for (; *s && (*s != ',' || s[1] == ','); s++) {
		s += *s == ',';
		*to++ = *s;
	}
	*list = *s ? s + 1 : s;
	return text;
}

static bool module_open(struct boot_plan *p, const char *text, struct file *f)
{
	char *path = boot_alloc(strlen(text) + 1);
	const char *why;

	memcpy(path, text, strcspn(text, " "));
	why = file_map(path, f);
	if (why)
		return boot_fail(p, "cannot read module %.100s: %s", path, why);
	return true;
}

static bool module_add(struct boot_plan *p, struct modules *m, char *text,
		       gpa *after)
{
	struct file f;
	gpa at;

	if (m->n == MAX_MODS)
		return boot_fail(p, "more than %d modules", MAX_MODS);
	if (!module_open(p, text, &f))
		return false;
	at = boot_place_above(p, f.size, 4096, *after);
	if (!at)
		return boot_fail(p, "module %.100s (%llu bytes) does not fit "
				 "in RAM; see -m", text,
				 (unsigned long long)f.size);
	m->mod[m->n++] = (struct module){ at, at + f.size, text };
	*after = at + f.size;
	return boot_add(p, "module", at, f.data, f.size, f.size);
}

/* Modules follow the kernel, page by page, as GRUB and upstream put them. */
static bool modules_plan(struct boot_plan *p, struct modules *m)
{
	const char *list = p->initrd ? p->initrd : "";
	gpa after = HIGH_RAM;

	m->n = 0;
	for (int i = 0; i < p->n_blobs; i++)
		after = MAX(after, p->blob[i].addr + p->blob[i].mem_size);
	while (*list)
		if (!module_add(p, m, next_module(&list), &after))
			return false;
	return true;
}

/* -- the information block ---------------------------------------------------------------- */

/* Grows from `base` on; u32 fields hold guest addresses. */
struct info { u8 *data; u32 base, used; };

static u32 info_take(struct info *i, u32 size)
{
	u32 at = i->used;

	i->used = (at + size + 3) & ~3u;
	return at;
}

static u32 info_string(struct info *i, const char *s)
{
	u32 n = (u32)strlen(s) + 1, at = info_take(i, n);

	memcpy(i->data + at, s, n);
	return i->base + at;
}

static void info_modules(struct info *i, const struct modules *m)
{
	u32 table = info_take(i, (u32)m->n * MOD_SIZE);

	for (int k = 0; k < m->n; k++) {
		u8 *e = i->data + table + k * MOD_SIZE;

		put_u32(e, (u32)m->mod[k].start);
		put_u32(e + 4, (u32)m->mod[k].end);
		put_u32(e + 8, info_string(i, m->mod[k].text));
	}
	put_u32(i->data + 20, (u32)m->n);
	put_u32(i->data + 24, i->base + table);
}

static void info_memory(struct info *i, const struct boot_plan *p)
{
	u32 table = info_take(i, (u32)p->n_ranges * MMAP_SIZE);

	for (int k = 0; k < p->n_ranges; k++) {
		const struct boot_range *r = &p->map[k];
		u8 *e = i->data + table + k * MMAP_SIZE;

		put_u32(e, MMAP_SIZE - 4);       /* size of what follows     */
		put_u64(e + 4, r->start);
		put_u64(e + 12, r->end - r->start);
		put_u32(e + 20, r->type);
		if (r->type == E820_RAM)         /* mem_lower, mem_upper     */
			put_u32(i->data + (r->start ? 8 : 4),
				(u32)((r->end - r->start) / 1024));
	}
	put_u32(i->data + 44, (u32)p->n_ranges * MMAP_SIZE);
	put_u32(i->data + 48, i->base + table);
}

static void info_fill(struct info *i, const struct boot_plan *p,
		      const struct modules *m, const char *cmdline)
{
	info_take(i, MBI_SIZE);
	put_u32(i->data, MBI_MEMORY | MBI_CMDLINE | MBI_MODS | MBI_MMAP |
		MBI_LOADER_NAME);
	info_memory(i, p);
	info_modules(i, m);
	put_u32(i->data + 16, info_string(i, cmdline));
	put_u32(i->data + 64, info_string(i, "smew"));
}

static u64 info_room(const struct boot_plan *p, const struct modules *m,
		     const char *cmdline)
{
	u64 n = MBI_SIZE + (u64)p->n_ranges * MMAP_SIZE + strlen(cmdline) + 64;

	for (int k = 0; k < m->n; k++)
		n += MOD_SIZE + strlen(m->mod[k].text) + 8;
	return n;
}

/* Upstream's command line too begins with the kernel's name. */
static char *command_line(const struct boot_plan *p)
{
	size_t n = strlen(p->kernel_name) + strlen(p->append) + 2;
	char *s = boot_alloc(n);

	snprintf(s, n, "%s%s%s", p->kernel_name, *p->append ? " " : "",
		 p->append);
	return s;
}

/* In low memory, where no module or kernel data is expected; a stack below. */
static bool info_plan(struct boot_plan *p, const struct modules *m)
{
	const char *cmdline = command_line(p);
	u64 room = info_room(p, m, cmdline);
	struct info i = { boot_alloc(room), 0, 0 };
	gpa at = boot_place_below(p, room + STACK_BYTES, 16, LOW_END);

	if (!at)
		return boot_fail(p, "no room for %llu bytes of boot information"
				 " below 640 KB", (unsigned long long)room);
	i.base = (u32)at + STACK_BYTES;
	info_fill(&i, p, m, cmdline);
	p->state.esp = i.base;
	p->state.ebx = i.base;
	return boot_add(p, "boot information", i.base, i.data, room, room);
}

bool multiboot_plan(struct boot_plan *p, u64 header)
{
	struct modules m;
	u32 entry;

	if (!image_plan(p, header, &entry) || !modules_plan(p, &m) ||
	    !info_plan(p, &m))
		return false;
	p->state.eip = entry;
	p->state.eax = BOOT_MAGIC;
	return true;
}
