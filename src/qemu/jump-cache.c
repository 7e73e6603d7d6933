/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/qemu/jump-cache.c - a vCPU's jump caches: guest EIP to host code, one for
 * each CS base and set of hflags that is in use.
 *
 * An entry holds as long as its code's pages are mapped as they were. So entries
 * in global pages are kept apart from the others, like those of the soft TLB: a
 * load of CR3 takes the others away. An entry names no page; a Bloom filter says
 * whether INVLPG of a page may concern one.
 *
 * jc_insert stores the entry, fences, and looks at tb->invalid; who drops a TB sets
 * that, fences, and searches the caches of all vCPUs. Upstream: tb-jmp-cache.h. */
#include <string.h>

#include "qemu/cpus.h"
#include "tcg/tb.h"

enum { ELSEWHERE, IN_GLOBAL };           /* jc_set.list, jc_pages            */

static u64 *page_word(struct cpu *cpu, bool global, gva addr, u64 *bit)
{
	u32 page = (u32)addr >> PAGE_BITS, h = page ^ page >> 10;

	*bit = 1ull << (h % 64);
	return &cpu->jc_pages[global][h / 64 % ARRAY_SIZE(cpu->jc_pages[0])];
}

/* ~0 hashes to place 0 only; 1 does not. */
static void set_nothing(u32 *pc, u32 place)
{
	__atomic_store_n(&pc[place], place ? ~0u : 1, __ATOMIC_RELAXED);
}

static void clear_all_places(u32 *pc)
{
	for (u32 i = 0; i < JC_SIZE; i++)
		set_nothing(pc, i);
}

static void clear_list(u32 *pc, struct jc_list *l)
{
	for (u32 i = 0; i < l->n; i++)
		set_nothing(pc, l->place[i]);
	l->n = 0;
}

/* Without IN_GLOBAL when `keep`; unless it is not known where the others are. */
static void clear_set(struct cpu *cpu, int s, bool keep)
{
	u32 *pc = cpu_tables(cpu)->jc[s].pc;
	struct jc_set *set = &cpu->jc[s];

	if (set->list[ELSEWHERE].n > JC_LIST ||
	    (!keep && set->list[IN_GLOBAL].n > JC_LIST)) {
		clear_all_places(pc);
		set->list[ELSEWHERE].n = set->list[IN_GLOBAL].n = 0;
		return;
	}
	clear_list(pc, &set->list[ELSEWHERE]);
	if (!keep)
		clear_list(pc, &set->list[IN_GLOBAL]);
}

void jc_flush(struct cpu *cpu)
{
	cpu->ret_reset = true;
	for (int s = 0; s < JC_SETS; s++)
		clear_set(cpu, s, false);
	memset(cpu->jc_pages, 0, sizeof(cpu->jc_pages));
}

void jc_flush_nonglobal(struct cpu *cpu)
{
	cpu->ret_reset = true;
	for (int s = 0; s < JC_SETS; s++)
		clear_set(cpu, s, true);
	memset(cpu->jc_pages[ELSEWHERE], 0, sizeof(cpu->jc_pages[ELSEWHERE]));
}

void jc_flush_page(struct cpu *cpu, gva addr)
{
	u64 bit, any = 0;

	for (int g = 0; g < 2; g++)
		any |= *page_word(cpu, g, addr, &bit);
	if (any & bit)
		jc_flush(cpu);
}

void jc_init(struct cpu *cpu)
{
	for (int s = 0; s < JC_SETS; s++)
		clear_all_places(cpu_tables(cpu)->jc[s].pc);
	jc_flush(cpu);
}

void jc_take_over(struct cpu *cpu, int s, u64 cs_base, u32 flags)
{
	clear_set(cpu, s, false);
	cpu->jc[s].cs_base = cs_base;
	cpu->jc[s].flags = flags;
}

void jc_insert(struct cpu *cpu, int s, u32 pc, const struct tb *tb, gva linear)
{
	struct jc_table *t = &cpu_tables(cpu)->jc[s];
	gva last = linear + tb->size - 1u;
	bool global = tlb_page_global(cpu, linear) && tlb_page_global(cpu, last);
	struct jc_list *l = &cpu->jc[s].list[global];
	u32 h = jc_hash(pc);
	u64 bit, *word;

	for (int i = 0; i < 2; i++) {                /* its page(s)         */
		word = page_word(cpu, global, i ? last : linear, &bit);
		*word |= bit;
	}
	if (l->n < JC_LIST)
		l->place[l->n] = (u16)h;
	if (l->n <= JC_LIST)
		l->n++;
	__atomic_store_n(&t->host[h], (u64)(uintptr_t)tb->code, __ATOMIC_RELAXED);
	__atomic_store_n(&t->pc[h], pc, __ATOMIC_SEQ_CST);
	if (!tb_is_valid(tb))
		set_nothing(t->pc, h);
}

/* Any thread. The entry may be a newer TB's by now: then it is found again. */
static void jc_remove(struct cpu *cpu, u32 pc)
{
	u32 h = jc_hash(pc);

	for (int s = 0; s < JC_SETS; s++)
		if (__atomic_load_n(&cpu_tables(cpu)->jc[s].pc[h], __ATOMIC_SEQ_CST) == pc)
			set_nothing(cpu_tables(cpu)->jc[s].pc, h);
}

void jc_dropped(struct tb *tb)
{
	struct cpu *cpu;

	CPU_FOREACH(cpu)
		jc_remove(cpu, (u32)tb->pc);
}

void jc_forget_all(void)
{
	struct cpu *cpu;

	CPU_FOREACH(cpu) {
		jc_flush(cpu);
		cpu->exit_link = NULL;
	}
}

