/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The runner as a multiboot kernel: a minimal kernel that gives ring 3 the same
 * surroundings as Linux gives a 32-bit process (selectors, descriptors, page
 * protections), hands every trap to runner_trap(), and implements write and
 * exit. The blob is the first module; output goes to COM1; the exit code goes
 * to isa-debug-exit.
 */
#include "case.h"

#define COM1		0x3f8
#define DEBUG_EXIT	0xf4
#define CR0_BITS	0x80050033	/* PG AM WP NE ET MP PE */
#define CR4_SSE		0x600	/* OSFXSR OSXMMEXCPT */
#define PTE_RO		5		/* user */
#define PTE_RW		7
#define PTE_KERNEL	3
#define PAGE_TABLES	16
#define TSS_SELECTOR	0x40
#define LDT_SELECTOR	0x50
#define GDT_COUNT	16

extern char kernel_start[], kernel_end[], text_end[], user_end[];
extern char guest_stack[];
extern const u32 guest_vectors[21];	/* 0 to 19, and 0x80 */

void guest_start(const u32 *mbi);
void guest_trap(struct frame *f);
void guest_enter_user(u32 cs, void (*entry)(void), u32 ds, void *stack);

static u32 page_dir[1024] __attribute__((aligned(4096)));
static u32 page_tables[PAGE_TABLES][1024] __attribute__((aligned(4096)));
static u32 page_tables_used;
static u32 kernel_bytes;		/* whole pages */
static u32 tss[26];
static u64 idt[256];

/* -- descriptors ---------------------------------------------------------- */

#define DESC(base, limit, type, flags)					\
	((u64)((limit) & 0xffff) | (u64)((base) & 0xffffff) << 16 |	\
	 (u64)(type) << 40 | (u64)((limit) >> 16 & 15) << 48 |		\
	 (u64)(flags) << 52 | (u64)((base) >> 24) << 56)
#define LDT_DESC(base, limit, is32, contents, ro, pages, absent)	\
	DESC((u64)(base), limit,					\
	     ((absent) ? 0x70 : 0xf0) | (contents) << 2 | !(ro) << 1 | 1, \
	     (pages) << 3 | (is32) << 2 | 1),

/* As in Linux: see its arch/x86/include/asm/segment.h for the indices. */
static u64 gdt[GDT_COUNT] = {
	[1] = DESC(0, 0xfffff, 0x9b, 12),
	[3] = DESC(0, 0xfffff, 0x93, 12),
	[4] = DESC(0, 0xfffff, 0xfb, 12),
	[5] = DESC(0, 0xfffff, 0xf3, 12),
	[6] = DESC(0, 0xfffff, 0xfb, 10),
	[15] = DESC(0, 0, 0xf5, 4),
};
static u64 ldt[LDT_COUNT] = { LDT_ENTRIES(LDT_DESC) };

static u64 gate(u32 to, u32 dpl)
{
	return (u64)(to >> 16) << 48 | (u64)(0x8e00 | dpl << 13) << 32 |
		8 << 16 | (to & 0xffff);
}

static void load_tables(void)
{
	struct { u16 limit; u32 base; } __attribute__((packed))
		gdtr = { sizeof(gdt) - 1, (u32)gdt },
		idtr = { sizeof(idt) - 1, (u32)idt };
	u32 i;

	gdt[TSS_SELECTOR / 8] = DESC((u64)(u32)tss, sizeof(tss) - 1, 0x89, 0);
	gdt[LDT_SELECTOR / 8] = DESC((u64)(u32)ldt, sizeof(ldt) - 1, 0x82, 0);
	tss[1] = (u32)guest_stack;
	tss[2] = 0x18;
	tss[25] = sizeof(tss) << 16;	/* no I/O bitmap */
	for (i = 0; i < 20; i++)
		idt[i] = gate(guest_vectors[i], i == 3 || i == 4 ? 3 : 0);
	idt[0x80] = gate(guest_vectors[20], 3);
	__asm__ volatile(
		"lgdt %0; lidt %1; ljmp $8, $1f; 1:"
		"mov %2, %%ds; mov %2, %%es; mov %2, %%ss; ltr %w3; lldt %w4"
		: : "m"(gdtr), "m"(idtr), "r"(0x18), "r"(TSS_SELECTOR),
		    "r"(LDT_SELECTOR) : "memory");
}

/* -- pages ---------------------------------------------------------------- */

static void map(u32 linear, u32 physical, u32 bytes, u32 bits)
{
	u32 end = linear + bytes, *pde;

	for (; linear < end; linear += 0x1000, physical += 0x1000) {
		pde = &page_dir[linear >> 22];
		if (!*pde)
			*pde = (u32)page_tables[page_tables_used++] | PTE_RW;
		((u32 *)(*pde & ~0xfffu))[linear >> 12 & 1023] =
			physical | bits;
	}
}

static void start_paging(u32 blob, u32 blob_bytes)
{
	u32 cr0, cr4;

	kernel_bytes = (kernel_end - kernel_start + 0xfff) & ~0xfff;
	map((u32)kernel_start, (u32)kernel_start, kernel_bytes, PTE_KERNEL);
	map(TEXT, TEXT, (u32)text_end - TEXT, PTE_RO);
	map(DATA, DATA, (u32)user_end - DATA, PTE_RW);
	map(SCRATCH, SCRATCH, SCRATCH_BYTES, PTE_RW);
	map(RO, RO, 0x1000, PTE_RO);
	map(BLOB, blob, blob_bytes, PTE_RO);
	__asm__ volatile("mov %0, %%cr3" : : "r"(page_dir) : "memory");
	__asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
	cr0 = (cr0 & ~0x6000000c) | CR0_BITS;
	__asm__ volatile("mov %0, %%cr0" : : "r"(cr0) : "memory");
	__asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
	__asm__ volatile("mov %0, %%cr4; fninit" : : "r"(cr4 | CR4_SSE));
}

/* -- ports and system calls ----------------------------------------------- */

static void out8(u16 port, u8 value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static u8 in8(u16 port)
{
	u8 value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static void write_com1(const char *s, u32 n)
{
	while (n--) {
		while (!(in8(COM1 + 5) & 0x20))
			;
		out8(COM1, *s++);
	}
}

static void exit_with(u8 code)
{
	out8(DEBUG_EXIT, code);
	for (;;)
		__asm__ volatile("cli; hlt");
}

static void system_call(struct frame *f)
{
	if (f->eax == SYS_WRITE)
		write_com1((const char *)f->ecx, f->edx);
	if (f->eax == SYS_EXIT)
		exit_with(f->ebx);
}

/* A trap in the kernel or in the runner itself would repeat for ever. */
static void die(const struct frame *f)
{
	static const char message[] = "died: trap in the runner\n";

	(void)f;
	write_com1(message, sizeof(message) - 1);
	exit_with(1);
}

void guest_trap(struct frame *f)
{
	u32 cr2;

	__asm__ volatile("mov %%cr2, %0" : "=r"(cr2));
	if (f->trap == 0x80) {
		system_call(f);
	} else if (!(f->cs & 3) || runner_esp == 0) {
		die(f);
	} else {
		if (cr2 - (u32)kernel_start < kernel_bytes)
			f->err &= ~1u;	/* the process has nothing there */
		runner_trap(f, cr2);
	}
}

/* mbi: the multiboot information; the module is its words 5 and 6. */
void guest_start(const u32 *mbi)
{
	const u32 *module = (const u32 *)mbi[6];

	out8(0x21, 0xff);
	out8(0xa1, 0xff);
	if (!(mbi[0] & 8) || !mbi[5])
		exit_with(2);
	load_tables();
	start_paging(module[0], module[1] - module[0]);
	guest_enter_user(SEL_CODE, runner, SEL_DATA, runner_stack);
}
