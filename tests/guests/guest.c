/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See guest.h. */
#include <stdarg.h>

#include "guest.h"

enum { COM1 = 0x3f8, DEBUG_EXIT = 0xf4 };

const char *command_line = "";
struct trap trap_last;
trap_fn *trap_handler[256];
u64 idt[256] __attribute__((aligned(8)));
struct tss tss;
volatile u32 page_dir[1024] __attribute__((aligned(4096)));
volatile u32 page_table[4][1024] __attribute__((aligned(4096)));
static u8 user_stack[4096] __attribute__((aligned(4096)));
static u8 kernel_stack[8192] __attribute__((aligned(4096)));
static int failures;
extern u32 trap_sp;
int trap_dispatch(struct frame *f);
void guest_start(u32 magic, const u32 *mbi);

void *memset(void *d, int c, unsigned n)
{
	for (u8 *p = d; n--;)
		*p++ = c;
	return d;
}

void *memcpy(void *d, const void *s, unsigned n)
{
	const u8 *from = s;

	for (u8 *p = d; n--;)
		*p++ = *from++;
	return d;
}

/* -- saying -------------------------------------------------------------------- */

static void put(char c)
{
	while (!(inb(COM1 + 5) & 0x20))
		;
	outb(COM1, c);
}

static void put_number(u32 v, u32 base)
{
	char buf[12];
	int n = 0;

	do
		buf[n++] = "0123456789abcdef"[v % base];
	while (v /= base);
	while (n)
		put(buf[--n]);
}

static void put_argument(char kind, va_list *ap)
{
	const char *s;
	s32 v;

	switch (kind) {
	case 's':
		for (s = va_arg(*ap, const char *); *s; s++)
			put(*s);
		break;
	case 'd':
		v = va_arg(*ap, s32);
		if (v < 0)
			put('-');
		put_number(v < 0 ? -(u32)v : (u32)v, 10);
		break;
	case 'u':
		put_number(va_arg(*ap, u32), 10);
		break;
	case 'x':
		put_number(va_arg(*ap, u32), 16);
		break;
	case 'c':
		put(va_arg(*ap, int));
		break;
	}
}

void say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	for (; *fmt; fmt++) {
		if (*fmt == '%')
			put_argument(*++fmt, &ap);
		else
			put(*fmt);
	}
	va_end(ap);
}

int option(const char *word)
{
	for (const char *p = command_line; *p; p++) {
		int n = 0;

		while (word[n] && p[n] == word[n])
			n++;
		if (!word[n] && (p[n] == ' ' || !p[n]) &&
		    (p == command_line || p[-1] == ' '))
			return 1;
	}
	return 0;
}

void check_at(const char *name, int good, const char *text, int line)
{
	if (good) {
		say("ok %s\n", name);
		return;
	}
	failures++;
	say("not ok %s: line %d: %s\n", name, line, text);
}

void check_eq_at(const char *name, u32 a, u32 b, const char *text, int line)
{
	if (a == b) {
		say("ok %s\n", name);
		return;
	}
	failures++;
	say("not ok %s: line %d: %s is 0x%x, not 0x%x\n", name, line, text, a, b);
}

int upstream_lacks(const char *name)
{
	if (!option("upstream"))
		return 0;
	say("skip %s: upstream's TCG does not do this\n", name);
	return 1;
}

void finish(void)
{
	say("done\n");
	outb(DEBUG_EXIT, failures != 0);
	for (;;)
		__asm__ volatile("cli; hlt");
}

/* -- traps ------------------------------------------------------------------------ */

int trap_dispatch(struct frame *f)
{
	int user = f->cs & 3;

	if (f->vector < 256 && trap_handler[f->vector]) {
		trap_handler[f->vector](f);
		return 0;
	}
	trap_last = (struct trap){ f->vector, f->error, f->eip, f->cs, f->eflags,
				   f->cr2, user ? f->esp : 0, user ? f->ss : 0 };
	if (trap_sp)
		return 1;
	say("not ok trap: vector %u error 0x%x at %x:%x, cr2 %x\n", f->vector,
	    f->error, f->cs, f->eip, f->cr2);
	failures++;
	finish();
}

static void enter_user(void *fn)
{
	user_call((void (*)(void))fn, (u32)(user_stack + sizeof(user_stack)));
}

int user_try(void (*fn)(void)) { return trap_try(enter_user, (void *)fn); }

static void iret_to(void *arg)
{
	const u32 *to = arg;

	__asm__ volatile("mov %2, %%ds; mov %2, %%es; mov %2, %%fs; mov %2, %%gs\n"
			 "push %2; push %1; pushf; push $0x1b; push %0; iret"
			 :: "r"(to[0]), "r"(to[1]), "r"(0x23) : "memory");
}

int user_jump(const volatile void *eip, u32 esp)
{
	return trap_try(iret_to, (u32[2]){ (u32)eip, esp });
}

void own_pages(u32 set, u32 clear)
{
	for (u32 a = 0x100000; a < 0x800000; a += 4096)
		*pte((void *)a) = (*pte((void *)a) & ~clear) | set;
	set_cr3(get_cr3());
}

struct msr { u32 nr; u64 v; };

static void try_rdmsr(void *arg) { rdmsr(((struct msr *)arg)->nr); }
static void try_wrmsr(void *arg) { wrmsr(((struct msr *)arg)->nr, ((struct msr *)arg)->v); }

int rdmsr_faults(u32 nr)
{
	struct msr m = { nr, 0 };

	return trap_try(try_rdmsr, &m) == 13;
}

int wrmsr_faults(u32 nr, u64 v)
{
	struct msr m = { nr, v };

	return trap_try(try_wrmsr, &m) == 13;
}

void eoi(int line)
{
	if (line >= 8)
		outb(0xa0, 0x20);
	outb(0x20, 0x20);
}

void irq_unmask(int line, trap_fn *fn)
{
	u16 port = line < 8 ? 0x21 : 0xa1;

	trap_handler[0x20 + line] = fn;
	if (line >= 8)
		outb(0x21, inb(0x21) & ~4);
	outb(port, inb(port) & ~(1 << (line & 7)));
}

static void pic_init(void)
{
	static const struct { u16 port; u8 val; } words[] = {
		{ 0x20, 0x11 }, { 0x21, 0x20 }, { 0x21, 4 }, { 0x21, 1 },
		{ 0xa0, 0x11 }, { 0xa1, 0x28 }, { 0xa1, 2 }, { 0xa1, 1 },
		{ 0x21, 0xff }, { 0xa1, 0xff },
	};

	for (unsigned i = 0; i < N_ELEM(words); i++)
		outb(words[i].port, words[i].val);
}

/* -- descriptors, pages --------------------------------------------------------------- */

u64 descriptor(u32 base, u32 limit, u8 access, u8 flags)
{
	u32 low = (limit & 0xffff) | base << 16;
	u32 high = (base & 0xff000000) | (u32)flags << 20 | (limit & 0xf0000) |
		(u32)access << 8 | (base >> 16 & 0xff);

	return (u64)high << 32 | low;
}

u64 gate(u16 sel, u32 offset, u8 access, u8 params)
{
	u32 low = (u32)sel << 16 | (offset & 0xffff);
	u32 high = (offset & 0xffff0000) | (u32)access << 8 | params;

	return (u64)high << 32 | low;
}

void idt_set(int vector, void (*entry)(void), u8 access)
{
	idt[vector] = gate(0x08, (u32)entry, access, 0);
}

void idt_load(void)
{
	struct { u16 limit; u32 base; } __attribute__((packed)) p = {
		sizeof(idt) - 1, (u32)idt
	};

	__asm__ volatile("lidt %0" :: "m"(p));
}

static void tables_init(void)
{
	for (int i = 0; i < 256; i++)
		idt[i] = gate(0x08, (u32)vector_entries[i],
			      i == 0x30 || i == 0x80 || i == 3 || i == 4 ?
			      0xee : 0x8e, 0);
	idt_load();
	tss.ss0 = 0x10;
	tss.esp0 = (u32)(kernel_stack + sizeof(kernel_stack));
	tss.io_base = sizeof(tss);
	gdt[SEL_TSS / 8] = descriptor((u32)&tss, sizeof(tss) - 1, 0x89, 0);
	__asm__ volatile("ltr %w0; lldt %w1" :: "r"(SEL_TSS), "r"(0));
}

void paging_on(void)
{
	for (u32 i = 0; i < 4; i++) {
		page_dir[i] = (u32)page_table[i] | PG_P | PG_W | PG_U;
		for (u32 k = 0; k < 1024; k++)
			page_table[i][k] = i << 22 | k << 12 | PG_P | PG_W | PG_U;
	}
	set_cr3((u32)page_dir);
	set_cr0(get_cr0() | 0x80000000u);
}

void paging_off(void)
{
	set_cr0(get_cr0() & 0x7fffffffu);
	set_cr3(0);
}

/* -- time ---------------------------------------------------------------------------------- */

u16 pit_count(void)
{
	u8 low;

	outb(0x43, 0);
	low = inb(0x40);
	return low | inb(0x40) << 8;
}

/* Some time, less than a tick or two, passes between looks: each takes the
 * emulator's lock, and would drown what tools/lockcmp is to show. */
static void pit_wait_short(u32 ticks)
{
	outb(0x61, (inb(0x61) & ~3) | 1);
	outb(0x43, 0xb0);
	outb(0x42, ticks);
	outb(0x42, ticks >> 8);
	while (!(inb(0x61) & 0x20))
		for (volatile u32 i = 0; i < 400; i++)
			;
}

void pit_wait(u32 ticks)
{
	for (; ticks > 60000; ticks -= 60000)
		pit_wait_short(60000);
	pit_wait_short(ticks ? ticks : 1);
}

void guest_start(u32 magic, const u32 *mbi)
{
	/* Copied: a test may use the memory it lies in. */
	static char line[256];

	if (magic == 0x2badb002 && (mbi[0] & 4))
		memcpy(line, (const char *)mbi[4], sizeof(line) - 1);
	command_line = line;
	tables_init();
	pic_init();
	guest_main();
	finish();
}

void gate_a20(int on)
{
	u8 v = inb(0x92) & 0xfc;

	outb(0x92, on ? v | 2 : v);
	outb(0x64, 0xd1);                        /* the keyboard's gate too  */
	while (inb(0x64) & 2)
		;
	outb(0x60, on ? 0xdf : 0xdd);
	while (inb(0x64) & 2)
		;
}
