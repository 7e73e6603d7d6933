/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ACPI as a small kernel uses it: from the RSDP to the tables, their sums and
 * entries; the MP table; the PM timer and the HPET against the PIT. By option:
 *	off	power off by S5
 *	reset	FADT's reset register; the second start ends the test
 *	button	wait for the power button, then off
 *	dump	FADT, MADT, HPET and DSDT to port E9h; "table NAME BYTES" says
 *		what comes
 *	four	there are four processors */
#include "guest.h"

#define PM_HZ 3579545u
#define PIT_HZ 1193182u
enum { PM1_TMR = 1, PM1_PWRBTN = 0x100, SCI_EN = 1, SLP_EN = 0x2000 };
enum { MARK = 0x4f, SET = 0xac };

static const u8 *facp, *apic, *hpet_table, *dsdt;

static u16 get16(const u8 *p) { return p[0] | p[1] << 8; }
static u32 get32(const u8 *p) { return get16(p) | (u32)get16(p + 2) << 16; }

static inline u16 inw(u16 port)
{
	u16 v;

	__asm__ volatile("inw %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static int same(const u8 *p, const char *s)
{
	while (*s)
		if (*p++ != (u8)*s++)
			return 0;
	return 1;
}

static int sums_to_0(const u8 *p, u32 n)
{
	u8 s = 0;

	while (n--)
		s += *p++;
	return s == 0;
}

static const u8 *find(u32 from, u32 to, u32 step, const char *sig, u32 n)
{
	for (u32 a = from; a < to; a += step)
		if (same((const u8 *)a, sig) && sums_to_0((const u8 *)a, n))
			return (const u8 *)a;
	return 0;
}

/* -- tables ----------------------------------------------------------------------- */

static void note_table(const u8 *t)
{
	if (same(t, "FACP"))
		facp = t;
	else if (same(t, "APIC"))
		apic = t;
	else if (same(t, "HPET"))
		hpet_table = t;
}

/* RSDT or XSDT; returns the number of tables whose sum is wrong. */
static u32 walk(const u8 *root, u32 width)
{
	u32 bad = !sums_to_0(root, get32(root + 4));

	for (u32 i = 36; i < get32(root + 4); i += width) {
		const u8 *t = (const u8 *)get32(root + i);

		bad += !sums_to_0(t, get32(t + 4));
		note_table(t);
	}
	return bad;
}

static void find_tables(void)
{
	const u8 *rsdp = find(0xe0000, 0x100000, 16, "RSD PTR ", 20);

	CHECK("rsdp", rsdp != 0);
	if (!rsdp)
		finish();
	CHECK_EQ("rsdt-sums", walk((const u8 *)get32(rsdp + 16), 4), 0);
	if (rsdp[15] >= 2) {
		CHECK("rsdp-long-sum", sums_to_0(rsdp, get32(rsdp + 20)));
		facp = apic = hpet_table = 0;
		CHECK_EQ("xsdt-sums", walk((const u8 *)get32(rsdp + 24), 8), 0);
	}
	CHECK("tables-found", facp && apic && hpet_table);
	dsdt = (const u8 *)get32(facp + 40);
	CHECK("dsdt", same(dsdt, "DSDT") && sums_to_0(dsdt, get32(dsdt + 4)));
	CHECK("facs", same((const u8 *)get32(facp + 36), "FACS") &&
	      !(get32(facp + 36) & 63));
}

static void madt_entries(void)
{
	u32 cpus = 0, ids = 0, ioapics = 0, pit_gsi = 0;

	for (const u8 *e = apic + 44; e < apic + get32(apic + 4); e += e[1]) {
		if (e[0] == 0 && (e[4] & 1)) {
			cpus++;
			ids |= 1u << e[3];
		} else if (e[0] == 1) {
			ioapics++;
			CHECK_EQ("ioapic-address", get32(e + 4), 0xfec00000);
		} else if (e[0] == 2 && e[3] == 0) {
			pit_gsi = get32(e + 4);
		}
	}
	CHECK_EQ("lapic-address", get32(apic + 36), 0xfee00000);
	CHECK_EQ("processors", cpus, option("four") ? 4 : 1);
	CHECK_EQ("apic-ids", ids, option("four") ? 15 : 1);
	CHECK_EQ("one-ioapic", ioapics, 1);
	CHECK_EQ("irq-0-is-gsi-2", pit_gsi, 2);
}

static void mp_table(void)
{
	const u8 *p = find(0xf0000, 0x100000, 16, "_MP_", 16), *t;
	u32 cpus = 0, boots = 0;

	CHECK("mp-pointer", p != 0);
	if (!p)
		return;
	t = (const u8 *)get32(p + 4);
	CHECK("mp-table", same(t, "PCMP") && sums_to_0(t, get16(t + 4)));
	for (const u8 *e = t + 44; e < t + get16(t + 4); e += *e ? 8 : 20) {
		if (e[0] || !(e[3] & 1))
			continue;
		cpus++;
		boots += e[3] >> 1 & 1;
	}
	/* SeaBIOS lists the packages only. */
	if (!option("four") || !upstream_lacks("mp-processors"))
		CHECK_EQ("mp-processors", cpus,
			 option("four") ? 4 : 1);
	CHECK_EQ("mp-boot-processor", boots, 1);
}

/* -- timers ------------------------------------------------------------------------- */

static u32 pm_read(void) { return inl(get32(facp + 76)); }

static volatile u32 *hpet_reg(u32 reg)
{
	return (volatile u32 *)(get32(hpet_table + 44) + reg);
}

static u32 hpet_count(void) { return *hpet_reg(0xf0); }

/* How far `read` counts in 2 ms of the PIT: the least of 40 tries, since the
 * host may be busy with others in between. */
static u32 least_in_2ms(u32 (*read)(void), u32 mask)
{
	u32 least = ~0u;

	for (int i = 0; i < 40; i++) {
		u32 a = read(), n;

		pit_wait(PIT_HZ / 500);
		n = (read() - a) & mask;
		if (n < least)
			least = n;
	}
	return least;
}

static void pm_timer(void)
{
	u32 mask = get32(facp + 112) & 1 << 8 ? ~0u : 0xffffff, last = pm_read();
	u32 backwards = 0, n;

	for (int i = 0; i < 20000; i++) {
		u32 now = pm_read();

		backwards += ((now - last) & mask) > mask / 2;
		last = now;
	}
	CHECK_EQ("pm-timer-monotonic", backwards, 0);
	n = least_in_2ms(pm_read, mask);
	CHECK("pm-timer-rate", n >= PM_HZ / 500 - 10 &&
	      n < PM_HZ / 500 + PM_HZ / 1000);
}

static volatile u32 ticks;

static void on_tick(struct frame *f)
{
	(void)f;
	ticks++;
	eoi(0);
}

static void wait_ticks(u32 n)
{
	u32 end = ticks + n;

	while ((int)(ticks - end) < 0)
		__asm__ volatile("sti; hlt; cli");
}

static void hpet(void)
{
	u32 hz = 1000000000u / (*hpet_reg(4) / 1000000), n;

	CHECK("hpet-period", *hpet_reg(4) && *hpet_reg(4) <= 100000000);
	n = hpet_count();
	pit_wait(2000);
	CHECK_EQ("hpet-stands", hpet_count(), n);
	*hpet_reg(0x10) = 1;
	n = least_in_2ms(hpet_count, ~0u);
	CHECK("hpet-rate", n >= hz / 500 - hz / 100000 && n < hz / 500 + hz / 1000);
	*hpet_reg(0x10) = 0;
	n = hpet_count();
	CHECK("hpet-has-counted", n > hz / 20);
	pit_wait(2000);
	CHECK_EQ("hpet-stands-again", hpet_count(), n);
}

/* Comparator 0 in the place of the PIT, each millisecond. */
static void hpet_legacy(void)
{
	u32 ms = 1000000000u / (*hpet_reg(4) / 1000000) / 1000, before, a, n;

	outb(0x43, 0x30);                     /* the PIT once, long ago     */
	outb(0x40, 1);
	outb(0x40, 0);
	pit_wait(2000);
	irq_unmask(0, on_tick);
	__asm__ volatile("sti; nop; nop; cli");
	*hpet_reg(0x100) = 0x4c | 0x100;      /* periodic, 32 bits          */
	*hpet_reg(0x108) = hpet_count() + ms;
	*hpet_reg(0x108) = ms;
	*hpet_reg(0x10) = 3;
	wait_ticks(2);
	a = hpet_count();
	before = ticks;
	wait_ticks(50);
	n = hpet_count() - a;
	CHECK("hpet-periodic-irq-0", n >= 48 * ms && ticks - before <= n / ms + 2);
	*hpet_reg(0x100) = 0;
	*hpet_reg(0x10) = 0;
	__asm__ volatile("sti; nop; nop; cli");
	before = ticks;
	outb(0x40, 0xff);                     /* and the PIT is back        */
	outb(0x40, 0x10);
	wait_ticks(1);
	CHECK("pit-after-hpet", ticks > before);
	outb(0x21, 0xff);
}

/* -- power ---------------------------------------------------------------------------- */

/* What upstream's firmware leaves to the kernel: ACPI mode. */
static void acpi_mode(void)
{
	u32 smi = get32(facp + 48);

	if (smi && !(inw(get32(facp + 64)) & SCI_EN))
		outb(smi, facp[52]);
	while (!(inw(get32(facp + 64)) & SCI_EN))
		;
	CHECK("acpi-mode", 1);
}

/* SLP_TYPa of \_S5: the first element of the package behind its name. */
static int slp_typ(void)
{
	for (u32 i = 36; i + 8 < get32(dsdt + 4); i++) {
		const u8 *p = dsdt + i;

		if (!same(p, "_S5_") || p[4] != 0x12)
			continue;
		p += 5 + (p[5] >> 6) + 1 + 1;  /* package, length, count     */
		return *p == 0x0a ? p[1] : *p;
	}
	return -1;
}

static void power_off(void)
{
	int typ = slp_typ();

	CHECK("s5-exists", typ >= 0 && typ < 8);
	outw(get32(facp + 64), typ << 10 | SLP_EN);
	for (;;)
		__asm__ volatile("hlt");
}

static void acpi_reset(void)
{
	if (cmos(MARK) == SET) {
		cmos_set(MARK, 0);
		return;
	}
	cmos_set(MARK, SET);
	CHECK_EQ("reset-register-is-a-port", facp[116], 1);
	outb(get16(facp + 120), facp[128]);
	for (;;)
		__asm__ volatile("hlt");
}

static volatile u32 buttons;

static void on_sci(struct frame *f)
{
	(void)f;
	buttons += (inw(get32(facp + 56)) & PM1_PWRBTN) != 0;
	outw(get32(facp + 56), PM1_PWRBTN);
	eoi(9);
}

static void button(void)
{
	outb(0x4d1, 2);                       /* IRQ 9 is a level           */
	irq_unmask(9, on_sci);
	outw(get32(facp + 56) + 2, PM1_PWRBTN);
	say("ready\n");
	while (!buttons)
		__asm__ volatile("sti; hlt; cli");
	CHECK_EQ("button-status-clears", inw(get32(facp + 56)) & PM1_PWRBTN, 0);
	CHECK_EQ("one-event", buttons, 1);
	power_off();
}

static void dump(const char *name, const u8 *t)
{
	say("table %s %u\n", name, get32(t + 4));
	for (u32 i = 0; i < get32(t + 4); i++)
		outb(0xe9, t[i]);
}

void guest_main(void)
{
	find_tables();
	if (option("reset")) {
		acpi_reset();
		return;
	}
	if (option("dump")) {
		dump("facp", facp);
		dump("apic", apic);
		dump("hpet", hpet_table);
		dump("dsdt", dsdt);
		return;
	}
	acpi_mode();
	if (option("off"))
		power_off();
	if (option("button"))
		button();
	madt_entries();
	mp_table();
	pm_timer();
	hpet();
	hpet_legacy();
}
