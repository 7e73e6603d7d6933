/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Accessed and dirty bits that several processors set in the same entries,
 * while others change other bits of them (SDM 3A 4.8: the processor sets them
 * with locked cycles). Each bit has one processor that clears it and expects it
 * set after its next access; nobody's change may be lost. */
/* run-options: -m 512 */
#include "smp.h"

enum { PAGES = 4 };

static u8 area[PAGES * 4096] __attribute__((aligned(4096)));
static struct pace pace_of;
static volatile u32 left;

static void lock_set(volatile u32 *p, u32 bits)
{
	__asm__ volatile("lock orl %1, %0" : "+m"(*p) : "r"(bits) : "memory", "cc");
}

static void lock_clear(volatile u32 *p, u32 bits)
{
	__asm__ volatile("lock andl %1, %0" : "+m"(*p) : "r"(~bits) : "memory", "cc");
}

static void touch(volatile u32 *word, int store)
{
	if (store)
		*word = 1;
	else
		(void)*word;
}

/* One's bit of one entry: 0 clears A, 1 clears D, 2 to 4 own an ignored bit,
 * the rest only use the page. */
static void one_turn(u32 cpu, u32 page, u32 turn)
{
	volatile u32 *word = (volatile u32 *)(area + page * 4096) + cpu;
	volatile u32 *entry = pte(word);
	u32 bit = cpu == 0 ? PG_A : cpu == 1 ? PG_D : 1u << (7 + cpu);
	u32 mine = cpu >= 2 && cpu < 5;

	if (cpu < 2)
		lock_clear(entry, bit);
	else if (mine && (turn & 1))
		lock_clear(entry, bit);
	else if (mine)
		lock_set(entry, bit);
	invlpg(word);
	touch(word, cpu == 1 || (cpu > 4 && (turn & 1)));
	if (cpu < 2 && !(*entry & bit))
		percpu_error(cpu, *entry, bit);
	if (mine && (*entry & bit ? 0 : 1) != (turn & 1))
		percpu_error(cpu, *entry, bit);
	if ((*entry & 0xfffff007) != ((u32)area + page * 4096 + 7))
		percpu_error(cpu, *entry, (u32)area + page * 4096 + 7);
	percpu[cpu].count++;
}

static void bits(u32 cpu)
{
	struct pace mine = pace_of;

	cpu_paging(1);
	while (pace_more(&mine))
		one_turn(cpu, mine.done % PAGES, mine.done / PAGES);
	xadd(&left, -1u);
	while (left)
		pause();
	cpu_paging(0);
}

/* -- a directory with a bit of each processor, in one entry of it ------------------------ */

/* All turn paging on at once, with a directory whose A bits are clear: each
 * entry gets its A, and nothing else. */
static void directory(u32 cpu)
{
	struct pace mine = pace_of;

	while (pace_more(&mine)) {
		lock_clear(&page_dir[2], PG_A);
		cpu_paging(1);
		touch((volatile u32 *)0x800000 + cpu, 1);
		if ((page_dir[2] & ~(PG_A | PG_D)) !=
		    ((u32)page_table[2] | PG_P | PG_W | PG_U))
			percpu_error(cpu, page_dir[2], (u32)page_table[2]);
		cpu_paging(0);
	}
}

/* -- the page directory in the local APIC ----------------------------------------------- */

/* CR3 = FEE00000h: the entry for F000000h is the spurious vector register, whose
 * bit 5 is A and clear. The walk has to set it there, in a device: upstream 7.2
 * waits for itself for ever. What a store to that register leaves is seen in
 * it; the page (of 4 MB, at 0) holds the code, too, that goes on when paging is
 * on, so it is at F000000h + N and at N. */
enum { CODE_AT = 0xa000, HIGH = 0x0f000000 };
extern u8 walk_start[], walk_end[];
__asm__(
"	.section .rodata\n"
"walk_start:\n"
"	mov %cr4, %eax\n"
"	or $0x10, %eax\n"
"	mov %eax, %cr4\n"
"	mov $0xfee00000, %eax\n"
"	mov %eax, %cr3\n"
"	mov %cr0, %eax\n"
"	mov %eax, %ecx\n"
"	or $0x80000000, %eax\n"
"	mov %eax, %cr0\n"
"	nop\n"
"	mov %ecx, %cr0\n"
"	ret\n"
"walk_end:\n"
"	.text\n");

static void put_walk(void)
{
	memcpy((void *)CODE_AT, walk_start, walk_end - walk_start);
	memcpy((void *)(HIGH + CODE_AT), walk_start, walk_end - walk_start);
}

static void walk_in_apic(u32 cpu)
{
	u32 svr = lapic(LAPIC_SVR);

	for (u32 i = 0; i < 20; i++) {
		lapic_set(LAPIC_SVR, 0x1df);
		((void (*)(void))(HIGH + CODE_AT))();
		percpu[cpu].count++;
	}
	if ((lapic(LAPIC_SVR) & ~PG_A) != 0x1df)
		percpu_error(cpu, lapic(LAPIC_SVR), 0x1df);
	lapic_set(LAPIC_SVR, svr);
}

void guest_main(void)
{
	smp_start();
	smp_paging();
	cpu_paging(0);
	percpu_clear();
	left = cpus;
	pace_of = pace(500, 100000, 250);
	smp_run(cpus, bits);
	CHECK_PERCPU("accessed-and-dirty");
	percpu_clear();
	pace_of = pace(100, 10000, 150);
	smp_run(cpus, directory);
	CHECK_PERCPU("directory");
	if (upstream_lacks("row-09/page-directory-in-apic"))
		return;
	put_walk();
	percpu_clear();
	smp_run(cpus, walk_in_apic);
	CHECK_PERCPU("row-09/page-directory-in-apic");
	CHECK_EQ("row-09/walks-ended", percpu_count(), cpus * 20);
}
