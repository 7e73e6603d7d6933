/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/qemu/cpu_fetch.c - the bytes of guest code: where a page of it is, and the copy
 * that a translation is made of. */
#include <string.h>

#include "qemu/cpus.h"
#include "qemu/memory.h"
#include "qemu/tlb_full.h"
#include "tcg/tb.h"

static bool code_page(const struct tlb_full *f, const u8 **host, ram_addr *ram)
{
	*host = NULL;
	if (!f)
		return false;
	if (is_ram(f)) {
		*ram = full_ram(f);
		*host = ram_arena + *ram;
	}
	return true;
}

bool cpu_code_page_nofault(struct cpu *cpu, gva addr, const u8 **host, ram_addr *ram)
{
	return code_page(tlb_full_get(cpu, (u32)addr, MMU_INST_FETCH, cpu->fetch_mode, true), host, ram);
}

const u8 *cpu_code_page(struct cpu *cpu, gva addr, ram_addr *ram)
{
	const u8 *host;

	code_page(tlb_full_get(cpu, (u32)addr, MMU_INST_FETCH, cpu->fetch_mode, false), &host, ram);
	return host;
}

/* What the translation under way is made of. Others may store there meanwhile:
 * a TB is made of what was read once, and that is compared when it is published.
 * Lines are copied as they are wanted; a block is a few of its page's 64. */
static __thread struct code_copy {
	const u8 *from;
	u64 lines;                       /* those that are copied           */
	u8 bytes[PAGE_SIZE];
} code_copy[2];

const u8 *cpu_code_copy(int i, const u8 *page)
{
	code_copy[i].from = page;
	code_copy[i].lines = 0;
	return page ? code_copy[i].bytes : NULL;
}

void cpu_code_want(int i, u32 ofs, u32 n)
{
	struct code_copy *c = &code_copy[i];
	u32 last = MIN(ofs + n, (u32)PAGE_SIZE) - 1;

	for (u32 k = ofs / COPY_LINE; k <= last / COPY_LINE; k++) {
		if (c->lines >> k & 1)
			continue;
		memcpy(c->bytes + k * COPY_LINE, c->from + k * COPY_LINE, COPY_LINE);
		c->lines |= 1ull << k;
	}
}

static bool page_unchanged(const struct code_copy *c, const u8 *now, u32 first, u32 end)
{
	for (u64 m = c->lines; m; m &= m - 1) {
		u32 line = (u32)__builtin_ctzll(m) * COPY_LINE;
		u32 a = MAX(line, first), b = MIN(line + COPY_LINE, end);

		if (a < b && memcmp(c->bytes + a, now + a, b - a))
			return false;
	}
	return true;
}

bool cpu_code_unchanged(const struct tb *tb)
{
	u32 first, end;

	for (int i = 0; i < 2; i++) {
		if (tb->page[i] == ~0ull)
			continue;
		tb_range(tb, i, &first, &end);
		if (!page_unchanged(&code_copy[i], ram_arena + tb->page[i], first, end))
			return false;
	}
	return true;
}
