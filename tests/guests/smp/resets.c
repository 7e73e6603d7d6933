/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machine starts again and again: "resets=N" times, by the 8042, port 92h,
 * CF9h, the triple fault, ACPI's reset register, asked for by each processor in
 * turn while the others spin or sleep, with interrupts on and off.
 *
 * row-53: each start finds processor and chips as the first one did, but for
 * RAM; what the runner measures at "rss" does not grow.
 * row-34: the other processors wait for SIPI each time, and all come. */
#include "smp.h"

enum { MAGIC = 0x5e7a11ed, MAX_STATE = 512, N_WAYS = 5 };

/* In RAM that no image lies in: it survives. */
struct keep {
	u32 magic, starts, n_state, bad, bad_at, bad_is, bad_was;
	u32 state[MAX_STATE];
};
static struct keep *const keep = (struct keep *)0xc00000;
static u32 now[MAX_STATE], n_now;
static volatile u32 awake;                /* counted by whoever runs           */

/* -- the state -------------------------------------------------------------------- */

static void note(u32 v)
{
	if (n_now < MAX_STATE)
		now[n_now++] = v;
}

static void note_ports(u16 first, int n)
{
	for (int i = 0; i < n; i++)
		note(inb(first + i));
}

static void note_indexed(u16 port, u8 first, int n)
{
	for (int i = 0; i < n; i++) {
		outb(port, first + i);
		note(inb(port + 1));
	}
}

static void note_memory(u32 base, u32 first, u32 end, u32 step)
{
	for (u32 r = first; r < end; r += step)
		note(*(volatile u32 *)(base + r));
}

static void note_cpu(void)
{
	u32 dr7;

	__asm__ volatile("mov %%dr7, %0" : "=r"(dr7));
	note(get_cr0());
	note(get_cr3());
	note(get_cr4());
	note(dr7);
	note(rdmsr(0x1b));                    /* APIC base                     */
	note(get_flags());
}

static void note_chips(void)
{
	note_ports(0x21, 1);                  /* masks, edge or level          */
	note_ports(0xa1, 1);
	note_ports(0x4d0, 2);
	for (int i = 0; i < 3; i += 2) {      /* PIT: mode and format          */
		outb(0x43, 0xe0 | 2 << i);
		note(inb(0x40 + i) & 0x3f);
	}
	note(inb(0x61) & 0x0f);
	note(inb(0x92));
	note_indexed(0x70, 0x0b, 1);
	note(cmos(0x0a) & 0x7f);
	outb(0x64, 0x20);                     /* 8042: command byte            */
	note(inb(0x60));
	note(inb(0x64));
	note(inl(0xcf8));
	note_ports(0x3f9, 1);                 /* UART: IER, LCR, MCR, SCR      */
	note_ports(0x3fb, 2);
	note_ports(0x3ff, 1);
	note_indexed(0x3d4, 0, 0x19);
	note(inl(0x600) & ~1u);               /* PM1, but not the timer's bit  */
	note(inl(0x604) & 0xffff);
}

static void note_apics(void)
{
	note_memory(LAPIC_BASE, 0x20, 0x380, 0x10);
	note_memory(LAPIC_BASE, LAPIC_DIVIDE, 0x3f0, 0x10);
	for (u32 i = 0; i < 0x40; i++) {      /* I/O APIC                      */
		*(volatile u32 *)0xfec00000 = i;
		note(*(volatile u32 *)0xfec00010);
	}
	note_memory(0xfed00000, 0, 0x160, 4); /* HPET; its counter stands      */
}

static void compare(void)
{
	for (u32 i = 0; i < n_now; i++) {
		if (now[i] == keep->state[i])
			continue;
		if (!keep->bad++) {
			keep->bad_at = i;
			keep->bad_is = now[i];
			keep->bad_was = keep->state[i];
		}
	}
}

static void take_stock(void)
{
	note_cpu();
	note_chips();
	note_apics();
	if (keep->magic == MAGIC) {
		compare();
		keep->starts++;
		return;
	}
	memset(keep, 0, sizeof(*keep));
	keep->magic = MAGIC;
	keep->n_state = n_now;
	memcpy(keep->state, now, sizeof(now));
}

/* -- disorder ------------------------------------------------------------------------- */

static void mess_cpu(u32 cpu)
{
	lapic_set(LAPIC_TPR, 0x20 + cpu);
	lapic_set(LAPIC_DIVIDE, 3);
	lapic_set(LAPIC_LVT_TIMER, 0x20000 | SPURIOUS);       /* periodic     */
	lapic_set(LAPIC_INITIAL, 100000);
	lapic_set(0x350, 0x10000);                            /* LINT0        */
	__asm__ volatile("mov %0, %%dr7" :: "r"(0x501));
	set_cr4(get_cr4() | 0x14);
	cpu_paging(1);
}

static void mess_chips(void)
{
	outb(0x4d0, 0x20);
	outb(0x43, 0x36);
	outb(0x40, 0);
	outb(0x40, 0x10);
	outb(0x61, 3);
	cmos_set(0x0b, 0x52);
	cmos_set(0x0a, 0x2f);
	outb(0x64, 0x60);
	outb(0x60, 0x74);
	outb(0x3ff, 0x77);
	outb(0x3fc, 0x0b);
	outb(0x3d4, 0x0a);
	outb(0x3d5, 0x2e);
	outl(0xcf8, 0x80001000);
	outw(0x602, 0x100);
	*(volatile u32 *)0xfec00000 = 0x12;
	*(volatile u32 *)0xfec00010 = 0x1a5a5;
	*(volatile u32 *)0xfed00010 = 3;
	*(volatile u32 *)0xfed00120 = 0x1106;
	*(volatile u32 *)0xfed00128 = 100;
}

static void triple_fault(void)
{
	struct { u16 limit; u32 base; } __attribute__((packed)) none = { 0, 0 };

	__asm__ volatile("lidt %0; int3" :: "m"(none));
}

static void do_reset(u32 way)
{
	if (way == 0)
		outb(0x64, 0xfe);
	else if (way == 1)
		outb(0x92, (inb(0x92) & ~1) | 1);
	else if (way == 2)
		outb(0xcf9, 6);
	else if (way == 3)
		triple_fault();
	else
		outb(0xcf9, 0x0e);            /* what the FADT says            */
	for (;;)
		__asm__ volatile("cli; hlt");
}

static void last_work(u32 cpu)
{
	mess_cpu(cpu);
	if (cpu == 0)
		mess_chips();
	if (cpu == keep->starts % cpus)
		do_reset(keep->starts / cpus % N_WAYS);
	for (;;) {
		xadd(&awake, 1);
		if (cpu & 1)
			sti();
		if (cpu & 2)
			__asm__ volatile("hlt");
	}
}

/* -- the runner ------------------------------------------------------------------------ */

/* It looks at us now, and then sends a byte. */
static void show_rss(void)
{
	say("rss %u\n", keep->starts);
	if (!option("rss"))
		return;
	while (!(inb(0x3fd) & 1))
		;
	inb(0x3f8);
}

void guest_main(void)
{
	u32 most = option_value("resets", 20);

	take_stock();
	awake = 0;
	pit_wait(1193);
	if (awake) {
		CHECK("others-wait-for-sipi", 0);
		return;
	}
	smp_start();
	if (keep->starts == most / 5)
		show_rss();
	if (keep->starts < most) {
		smp_paging();
		cpu_paging(0);
		smp_run(cpus, last_work);
	}
	show_rss();
	CHECK("others-wait-for-sipi", 1);
	CHECK_EQ("all-come-each-time", cpus, option_value("cpus", 1));
	CHECK_EQ("resets", keep->starts, most);
	if (upstream_lacks("state-as-at-power-on"))
		return;
	if (keep->bad)
		say("# first: value %u of %u is 0x%x, was 0x%x\n", keep->bad_at,
		    keep->n_state, keep->bad_is, keep->bad_was);
	CHECK_EQ("state-as-at-power-on", keep->bad, 0);
}
