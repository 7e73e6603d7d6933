/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/qemu/loader_elf.c - the segments of an ELF executable, and what a file
 * that cannot be booted seems to be. System V ABI (gABI) chapters 4 and 5.
 *
 * Segments go to their physical addresses. The entry point of a kernel that
 * runs elsewhere than it is loaded is virtual: it is moved with the segment
 * that holds it. Upstream: elf_ops.h load_elf. */
#include <string.h>

#include "qemu/loader.h"

enum { ELFCLASS32 = 1, ELFCLASS64 = 2, ELFDATA2LSB = 1, ET_EXEC = 2, ET_DYN = 3,
       EM_386 = 3, EM_486 = 6, EM_X86_64 = 62, PT_LOAD = 1, MAX_PHDRS = 64 };

struct elf {
	const u8 *data;
	u64 size;
	bool is64;
	u64 entry, phoff;
	u32 phentsize, phnum;
};

struct phdr { u32 type; u64 offset, vaddr, paddr, filesz, memsz; };

static bool is_elf(const struct file *f)
{
	return f->size >= 52 && !memcmp(f->data, "\177ELF", 4);
}

static bool header_read(struct boot_plan *p, struct elf *e)
{
	const u8 *d = p->kernel.data;
	u16 machine;

	*e = (struct elf){ .data = d, .size = p->kernel.size };
	if (!is_elf(&p->kernel))
		return boot_fail(p, "has a multiboot header without load "
				 "addresses, and is not an ELF file");
	machine = get_u16(d + 18);
	e->is64 = d[4] == ELFCLASS64;
	if (d[5] != ELFDATA2LSB || (machine != EM_386 && machine != EM_486 &&
				    machine != EM_X86_64))
		return boot_fail(p, "is %s", boot_describe(&p->kernel));
	if (get_u16(d + 16) != ET_EXEC && get_u16(d + 16) != ET_DYN)
		return boot_fail(p, "is an ELF file, but no executable");
	if (e->is64 && e->size < 64)
		return boot_fail(p, "ends within its ELF header");
	e->entry = e->is64 ? get_u64(d + 24) : get_u32(d + 24);
	e->phoff = e->is64 ? get_u64(d + 32) : get_u32(d + 28);
	e->phentsize = get_u16(d + (e->is64 ? 54 : 42));
	e->phnum = get_u16(d + (e->is64 ? 56 : 44));
	return true;
}

static bool phdrs_check(struct boot_plan *p, const struct elf *e)
{
	if (!e->phnum)
		return boot_fail(p, "has no segments to load");
	if (e->phnum > MAX_PHDRS)
		return boot_fail(p, "has %u program headers; at most %d make "
				 "sense", e->phnum, MAX_PHDRS);
	if (e->phentsize < (e->is64 ? 56u : 32u))
		return boot_fail(p, "has program headers of %u bytes",
				 e->phentsize);
	if (e->phoff > e->size ||
	    (u64)e->phnum * e->phentsize > e->size - e->phoff)
		return boot_fail(p, "ends before its program headers");
	return true;
}

static struct phdr phdr_read(const struct elf *e, u32 i)
{
	const u8 *d = e->data + e->phoff + (u64)i * e->phentsize;

	if (e->is64)
		return (struct phdr){ get_u32(d), get_u64(d + 8),
			get_u64(d + 16), get_u64(d + 24), get_u64(d + 32),
			get_u64(d + 40) };
	return (struct phdr){ get_u32(d), get_u32(d + 4), get_u32(d + 8),
		get_u32(d + 12), get_u32(d + 16), get_u32(d + 20) };
}

static bool segment_add(struct boot_plan *p, const struct elf *e,
			const struct phdr *h, u32 i)
{
	char what[32] = "segment 00";

	what[8] = (char)('0' + i / 10);
	what[9] = (char)('0' + i % 10);
	if (h->filesz > h->memsz)
		return boot_fail(p, "%s has more bytes in the file than in "
				 "memory", what);
	if (h->offset > e->size || h->filesz > e->size - h->offset)
		return boot_fail(p, "is too short: %s goes on to byte %#llx",
				 what, (unsigned long long)h->offset +
				 (unsigned long long)h->filesz);
	return boot_add(p, what, h->paddr, e->data + h->offset, h->filesz,
			h->memsz);
}

static bool phdr_holds(const struct phdr *h, u64 start, u64 addr)
{
	return addr >= start && addr - start < h->memsz;
}

/* The physical address of the entry point; ~0: no segment holds it. */
static u64 entry_of(const struct elf *e)
{
	u64 found = ~0ull;

	for (u32 i = 0; i < e->phnum; i++) {
		struct phdr h = phdr_read(e, i);

		if (h.type != PT_LOAD)
			continue;
		if (phdr_holds(&h, h.vaddr, e->entry))
			return e->entry - h.vaddr + h.paddr;
		if (phdr_holds(&h, h.paddr, e->entry))
			found = e->entry;
	}
	return found;
}

bool elf_plan(struct boot_plan *p, u32 *entry)
{
	struct elf e;
	u64 at;

	if (!header_read(p, &e) || !phdrs_check(p, &e))
		return false;
	for (u32 i = 0; i < e.phnum; i++) {
		struct phdr h = phdr_read(&e, i);

		if (h.type == PT_LOAD && !segment_add(p, &e, &h, i))
			return false;
	}
	at = entry_of(&e);
	if (at > UINT32_MAX)
		return boot_fail(p, "entry point %#llx lies in no segment that "
				 "is loaded below 4 GB",
				 (unsigned long long)e.entry);
	*entry = (u32)at;
	return true;
}

/* -- what is this file? ----------------------------------------------------------- */

static const char *describe_x86(const struct file *f)
{
	bool is64 = f->data[4] == ELFCLASS64;

	for (u64 i = 0; i + 12 <= MIN(f->size, 32768u); i += 4)
		if (get_u32(f->data + i) == 0xe85250d6)
			return "a multiboot 2 kernel, which is not supported";
	for (u64 i = 0; i + 12 <= MIN(f->size, 8192u); i += 4)
		if (get_u32(f->data + i) == 0x1badb002)
			return "an ELF file whose multiboot header has a wrong "
			       "checksum";
	return is64 ? "a 64-bit x86 ELF file without a multiboot header"
		: "a 32-bit x86 ELF file without a multiboot header in its "
		  "first 8192 bytes";
}

static const char *describe_elf(const struct file *f)
{
	static const struct { u16 machine; const char *text; } other[] = {
		{ 2, "an ELF file for SPARC" }, { 4, "an ELF file for 68000" },
		{ 8, "an ELF file for MIPS" }, { 20, "an ELF file for PowerPC" },
		{ 21, "an ELF file for 64-bit PowerPC" },
		{ 22, "an ELF file for S/390" }, { 40, "an ELF file for ARM" },
		{ 183, "an ELF file for AArch64" },
		{ 243, "an ELF file for RISC-V" },
		{ 258, "an ELF file for LoongArch" },
	};
	u16 machine = get_u16(f->data + 18);

	if (f->data[5] != ELFDATA2LSB)
		return "an ELF file for a big-endian machine";
	if (machine == EM_386 || machine == EM_486 || machine == EM_X86_64)
		return describe_x86(f);
	for (size_t i = 0; i < ARRAY_SIZE(other); i++)
		if (other[i].machine == machine)
			return other[i].text;
	return "an ELF file for an unknown machine";
}

static bool has_at(const struct file *f, u64 at, const char *magic, size_t n)
{
	return f->size >= at + n && !memcmp(f->data + at, magic, n);
}

static bool is_text(const struct file *f)
{
	for (size_t i = 0; i < MIN(f->size, (size_t)512); i++)
		if (f->data[i] < 9 || f->data[i] == 127)
			return false;
	return true;
}

const char *boot_describe(const struct file *f)
{
	static const struct { u32 at, n; const char *magic, *text; } known[] = {
		{ 0x8001, 5, "CD001", "a CD image" },
		{ 0, 2, "\x1f\x8b", "a gzip-compressed file" },
		{ 0, 6, "\xfd" "7zXZ\0", "an xz-compressed file" },
		{ 0, 3, "BZh", "a bzip2-compressed file" },
		{ 0, 4, "\x28\xb5\x2f\xfd", "a zstd-compressed file" },
		{ 0, 4, "PK\3\4", "a zip archive" },
		{ 0, 4, "QFI\xfb", "a qcow disk image" },
		{ 0, 2, "MZ", "a DOS, Windows or EFI program" },
		{ 0, 8, "!<arch>\n", "an archive of object files" },
		{ 510, 2, "\x55\xaa", "a boot sector or disk image" },
	};

	if (is_elf(f))
		return describe_elf(f);
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (has_at(f, known[i].at, known[i].magic, known[i].n))
			return known[i].text;
	if (f->size < 512)
		return "too short for a kernel";
	return is_text(f) ? "a text file" : "in no known format";
}
