/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guest that smew runs when it is given none: it looks at the processor
 * and the memory, counts timer interrupts against the real-time clock, draws
 * a Mandelbrot set with the FPU, and ends the machine by a reset, which makes
 * the exit code 0. Everything is said on the first serial port. */
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

enum { COM1 = 0x3f8, PIT_HZ = 1193182, TIMER_HZ = 1000 };

extern volatile u32 timer_ticks, rtc_seconds;
void timer_entry(void);
void rtc_entry(void);
void demo_main(u32 magic, const u32 *mbi);

static inline void outb(u16 port, u8 v)
{
	__asm__ volatile("outb %0, %1" :: "a"(v), "Nd"(port));
}

static inline u8 inb(u16 port)
{
	u8 v;

	__asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline u64 rdtsc(void)
{
	u64 v;

	__asm__ volatile("rdtsc" : "=A"(v));
	return v;
}

static inline u8 cmos(u8 reg) { outb(0x70, reg); return inb(0x71); }

/* -- text ----------------------------------------------------------------------- */

static void put(char c)
{
	if (c == '\n')
		put('\r');
	while (!(inb(COM1 + 5) & 0x20))
		;
	outb(COM1, c);
}

static void text(const char *s)
{
	while (*s)
		put(*s++);
}

static void number(u32 v)
{
	char buf[12];
	int n = 0;

	do
		buf[n++] = '0' + v % 10;
	while (v /= 10);
	while (n)
		put(buf[--n]);
}

static void two_digits(u8 bcd)
{
	put('0' + (bcd >> 4));
	put('0' + (bcd & 15));
}

/* -- processor, memory, time of day ------------------------------------------------- */

static void cpuid(u32 leaf, u32 r[4])
{
	__asm__ volatile("cpuid" : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3])
			 : "a"(leaf), "c"(0));
}

static void features(u32 edx)
{
	static const struct { int bit; const char *name; } names[] = {
		{ 0, " fpu" }, { 3, " pse" }, { 4, " tsc" }, { 8, " cx8" },
		{ 11, " sep" }, { 13, " pge" }, { 15, " cmov" }, { 23, " mmx" },
		{ 24, " fxsr" }, { 25, " sse" }, { 26, " sse2" },
	};

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (edx >> names[i].bit & 1)
			text(names[i].name);
}

static void processor(void)
{
	u32 r[4];
	char vendor[13];

	cpuid(0, r);
	for (int i = 0; i < 4; i++) {
		vendor[i] = r[1] >> 8 * i;
		vendor[4 + i] = r[3] >> 8 * i;
		vendor[8 + i] = r[2] >> 8 * i;
	}
	vendor[12] = 0;
	cpuid(1, r);
	text("  processor   ");
	text(vendor);
	text(", family ");
	number(r[0] >> 8 & 15);
	text(" model ");
	number(r[0] >> 4 & 15);
	text(":");
	features(r[3]);
	text("\n");
}

static void memory(u32 magic, const u32 *mbi)
{
	text("  memory      ");
	if (magic != 0x2badb002 || !(mbi[0] & 1)) {
		text("the loader does not say\n");
		return;
	}
	number(mbi[1]);
	text(" KB below 1 MB, ");
	number(mbi[2]);
	text(" KB above\n");
}

static void time_of_day(void)
{
	while (cmos(0x0a) & 0x80)
		;
	text("  clock       ");
	two_digits(cmos(0x32));
	two_digits(cmos(9));
	put('-');
	two_digits(cmos(8));
	put('-');
	two_digits(cmos(7));
	put(' ');
	two_digits(cmos(4));
	put(':');
	two_digits(cmos(2));
	put(':');
	two_digits(cmos(0));
	text("\n");
}

/* -- interrupts ----------------------------------------------------------------------- */

static u64 idt[0x29];

static void vector(int n, void (*entry)(void))
{
	u32 at = (u32)entry;

	idt[n] = (u64)((at & 0xffff0000) | 0x8e00) << 32 | 0x00080000 |
		(at & 0xffff);
}

static void interrupts_on(void)
{
	struct { u16 limit; u32 base; } __attribute__((packed)) p = {
		sizeof(idt) - 1, (u32)idt
	};
	static const struct { u16 port; u8 val; } words[] = {
		{ 0x20, 0x11 }, { 0x21, 0x20 }, { 0x21, 4 }, { 0x21, 1 },
		{ 0xa0, 0x11 }, { 0xa1, 0x28 }, { 0xa1, 2 }, { 0xa1, 1 },
		{ 0x21, 0xfa }, { 0xa1, 0xfe },
		{ 0x43, 0x34 }, { 0x40, PIT_HZ / TIMER_HZ & 0xff },
		{ 0x40, PIT_HZ / TIMER_HZ >> 8 },
		{ 0x70, 0x0b }, { 0x71, 0x12 },      /* one IRQ 8 a second */
	};

	vector(0x20, timer_entry);
	vector(0x28, rtc_entry);
	__asm__ volatile("lidt %0" :: "m"(p));
	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		outb(words[i].port, words[i].val);
	cmos(0x0c);
	__asm__ volatile("sti");
}

static void interrupts_off(void)
{
	__asm__ volatile("cli");
	outb(0x70, 0x0b);
	outb(0x71, 0x02);
	outb(0x21, 0xff);
	outb(0xa1, 0xff);
}

static void next_second(void)
{
	for (u32 s = rtc_seconds; rtc_seconds == s;)
		__asm__ volatile("hlt");
}

static void timers(void)
{
	u32 ticks;
	u64 cycles;

	text("  timer       programmed for 1000 interrupts a second; ");
	interrupts_on();
	next_second();
	ticks = timer_ticks;
	cycles = rdtsc();
	next_second();
	ticks = timer_ticks - ticks;
	cycles = (rdtsc() - cycles) >> 10;
	interrupts_off();
	number(ticks);
	text(" came in one of the clock's\n              (time stamp counter: ");
	number((u32)cycles / 977);          /* 1e6 / 1024 */
	text(" MHz)\n");
}

/* -- the FPU --------------------------------------------------------------------------- */

enum { WIDTH = 72, HEIGHT = 24, DEPTH = 2000 };

static int escape(double cr, double ci)
{
	double r = 0, i = 0;
	int n = 0;

	while (n < DEPTH && r * r + i * i < 4) {
		double t = r * r - i * i + cr;

		i = 2 * r * i + ci;
		r = t;
		n++;
	}
	return n;
}

static void mandelbrot(void)
{
	static const char shade[] = " .,:;-=+ox*%#&@";

	for (int y = 0; y < HEIGHT; y++) {
		text("    ");
		for (int x = 0; x < WIDTH; x++) {
			int n = escape(-2.1 + x * 2.8 / WIDTH,
				       -1.15 + y * 2.3 / (HEIGHT - 1));

			put(n >= DEPTH ? '@' : shade[n > 13 ? 13 : n]);
		}
		text("\n");
	}
}

/* ------------------------------------------------------------------------------------------ */

void demo_main(u32 magic, const u32 *mbi)
{
	text("\nThis is the guest inside smew: 32-bit code on a PC of its own.\n\n");
	processor();
	memory(magic, mbi);
	time_of_day();
	timers();
	text("\n  The Mandelbrot set, by the x87 FPU:\n\n");
	mandelbrot();
	text("\nNow it resets the machine, which ends smew with exit code 0.\n"
	     "To run your own kernel: smew -kernel FILE\n\n");
	outb(0xcf9, 2);
	outb(0xcf9, 6);
	for (;;)
		__asm__ volatile("cli; hlt");
}
