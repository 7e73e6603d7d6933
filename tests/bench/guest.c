/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bench guest: a multiboot 1 kernel that runs one workload, named on its
 * command line ("sort 100"), prints "NAME SIZE CHECKSUM" on the first serial
 * port and ends by isa-debug-exit with 16, so exit status 33; 35 when a
 * workload failed, 37 on an exception nobody expected. Without a workload it
 * prints "hello": the empty run that is subtracted from the others.
 */
#include "guest.h"

#define EXIT_PORT	0xf4
#define SERIAL		0x3f8

void guest_main(const u32 *info) __attribute__((noreturn));
void user_end(void) __attribute__((noreturn));
extern trap_fn *trap_handlers[49];
extern u8 trap_entries[], trap_0x80[];

trap_fn *trap_handlers[49];		/* 48 is vector 0x80 */

/* -- serial line and the end ------------------------------------------------ */

static void put_char(char c)
{
	while (!(in8(SERIAL + 5) & 0x20))
		;
	out8(SERIAL, (u8)c);
}

static void put(const char *text)
{
	while (*text)
		put_char(*text++);
}

static void put_hex(u32 value)
{
	for (int shift = 28; shift >= 0; shift -= 4)
		put_char("0123456789abcdef"[value >> shift & 15]);
}

static void __attribute__((noreturn)) quit(u8 code)
{
	out8(EXIT_PORT, code);
	for (;;)
		__asm__ volatile("cli\n\thlt");
}

void work_failed(const char *why)
{
	put(why);
	put("\n");
	quit(17);
}

/* -- traps ------------------------------------------------------------------ */

struct gate {
	u16 low, selector, flags, high;
};

static struct gate idt[129];

static void trap_unexpected(struct frame *f)
{
	put("exception ");
	put_hex(f->vector);
	put(" error ");
	put_hex(f->error);
	put(" at ");
	put_hex(f->eip);
	put("\n");
	quit(18);
}

static void gate_set(u32 vector, const u8 *entry, u16 flags)
{
	idt[vector] = (struct gate){
		(u16)(u32)entry, 0x08, flags, (u16)((u32)entry >> 16),
	};
}

void trap_set(u32 vector, trap_fn *fn)
{
	trap_handlers[vector == 0x80 ? 48 : vector] = fn;
}

static void traps_init(void)
{
	struct {
		u16 limit;
		u32 base;
	} __attribute__((packed)) pointer = { sizeof idt - 1, (u32)idt };

	for (u32 i = 0; i < 48; i++)
		gate_set(i, trap_entries + i * 16, 0x8e00);
	gate_set(0x80, trap_0x80, 0xee00);
	for (u32 i = 0; i < 49; i++)
		trap_handlers[i] = trap_unexpected;
	__asm__ volatile("lidt %0" : : "m"(pointer));
}

/* -- paging ----------------------------------------------------------------- */

void paging_on(void)
{
	for (u32 i = 0; i < 16 * 1024; i++)
		PAGE_TABLES[i] = i << 12 | PG_P | PG_RW | PG_US;
	for (u32 i = 0; i < 1024; i++)
		PAGE_DIR[i] = i < 16 ? (u32)(PAGE_TABLES + i * 1024) |
				       PG_P | PG_RW | PG_US : 0;
	__asm__ volatile("mov %0, %%cr3\n\t"
			 "mov %%cr0, %%eax\n\t"
			 "or $0x80000000, %%eax\n\t"
			 "mov %%eax, %%cr0\n\t"
			 "jmp 1f\n"
			 "1:" : : "r"(PAGE_DIR) : "eax", "memory");
}

void paging_off(void)
{
	__asm__ volatile("mov %%cr0, %%eax\n\t"
			 "and $0x7fffffff, %%eax\n\t"
			 "mov %%eax, %%cr0\n\t"
			 "jmp 1f\n"
			 "1:" : : : "eax", "memory");
}

/* -- the command line ------------------------------------------------------- */

#define INFO_CMDLINE 4u			/* a bit of the first word */

/*
 * Splits off the last word of `text`, in place; returns it, or an empty one
 * when there is none. The first words are the kernel's own name.
 */
static char *last_word(char *text)
{
	char *end = text;

	while (*end)
		end++;
	while (end > text && end[-1] == ' ')
		*--end = 0;
	while (end > text && end[-1] != ' ')
		end--;
	if (end > text)
		end[-1] = 0;
	return end;
}

/* Cuts "-paged" off the end of a name; says whether it was there. */
static int cut_paged(char *name)
{
	char *end = name;

	while (*end)
		end++;
	if (end - name < 6 || !text_equal(end - 6, "-paged"))
		return 0;
	end[-6] = 0;
	return 1;
}

static const struct workload *find(const char *name)
{
	const struct workload *w = work_find(integer_works, name);

	w = w ? w : work_find(memory_works, name);
	w = w ? w : work_find(x87_works, name);
	w = w ? w : work_find(sse_works, name);
	return w ? w : work_find(system_works, name);
}

static void run(char *name, const char *number)
{
	const struct workload *w;
	u32 sum;
	int paged;

	put(name);
	paged = cut_paged(name);
	w = find(name);
	if (!w)
		work_failed(": no such workload");
	heap = WORK_HEAP;
	if (paged)
		paging_on();
	sum = w->run(text_number(number));
	if (paged)
		paging_off();
	put(" ");
	put(number);
	put(" ");
	put_hex(sum);
	put("\n");
}

void guest_main(const u32 *info)
{
	static char line[256];
	char *name, *number;
	u32 i = 0;

	traps_init();
	if (info[0] & INFO_CMDLINE)
		for (const char *s = (const char *)info[4]; *s && i < 255; i++)
			line[i] = *s++;
	line[i] = 0;
	number = last_word(line);
	name = last_word(line);
	if (*number >= '0' && *number <= '9' && *name)
		run(name, number);
	else
		put("hello\n");
	quit(16);
}
