/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hw/acpi_tables, hw/mptable, hw/acpi_pm: each table's sum, links and entries;
 * iasl's opinion where it is installed; PM1 events and the PM timer. */
#include "fake_hw.h"

#include <stdio.h>

#include "child.h"
#include "hw/acpi_pm.h"
#include "hw/acpi_tables.h"
#include "qemu/runstate.h"

#define ADDR 0xf0000u
#define ROOM 0x8000u

static u8 rom[ROOM];
static struct board_info board = {
	.n_cpus = 4, .lapic_base = 0xfee00000, .ioapic_base = 0xfec00000,
	.hpet_base = 0xfed00000, .pm_base = 0x600, .sci = 9, .facs = 0x9fc40,
	.com = { 0x3f8, 0x2f8, 0, 0 }, .com_irq = { 4, 3, 4, 3 },
};

static u16 get16(const u8 *p) { return p[0] | p[1] << 8; }
static u32 get32(const u8 *p) { return get16(p) | (u32)get16(p + 2) << 16; }

static u8 sum(const u8 *p, u32 n)
{
	u8 s = 0;

	while (n--)
		s += *p++;
	return s;
}

static const u8 *at(u32 addr)
{
	ck_assert_uint_ge(addr, ADDR);
	ck_assert_uint_lt(addr, ADDR + ROOM);
	return rom + (addr - ADDR);
}

static void build(int n_cpus)
{
	board.n_cpus = n_cpus;
	memset(rom, 0xcc, sizeof(rom));
	ck_assert_uint_gt(acpi_tables_build(&board, rom, ADDR, ROOM), 0);
}

/* The table of that signature, by way of the XSDT. */
static const u8 *table(const char *signature)
{
	const u8 *xsdt = at(get32(rom + 24));

	for (u32 i = 36; i < get32(xsdt + 4); i += 8)
		if (!memcmp(at(get32(xsdt + i)), signature, 4))
			return at(get32(xsdt + i));
	if (!memcmp(signature, "DSDT", 4))
		return at(get32(table("FACP") + 40));
	ck_abort_msg("no %s", signature);
	return NULL;
}

START_TEST(root_pointer)
{
	const u8 *rsdt, *xsdt;

	build(4);
	ck_assert_int_eq(memcmp(rom, "RSD PTR ", 8), 0);
	ck_assert_uint_eq(sum(rom, 20), 0);
	ck_assert_uint_eq(sum(rom, 36), 0);
	ck_assert_uint_eq(rom[15], 2);
	rsdt = at(get32(rom + 16));
	xsdt = at(get32(rom + 24));
	ck_assert_int_eq(memcmp(rsdt, "RSDT", 4), 0);
	ck_assert_int_eq(memcmp(xsdt, "XSDT", 4), 0);
	ck_assert_uint_eq(sum(rsdt, get32(rsdt + 4)), 0);
	ck_assert_uint_eq(sum(xsdt, get32(xsdt + 4)), 0);
	ck_assert_uint_eq(get32(rsdt + 4) - 36, 3 * 4);
	ck_assert_uint_eq(get32(xsdt + 4) - 36, 3 * 8);
	for (int i = 0; i < 3; i++)
		ck_assert_uint_eq(get32(rsdt + 36 + 4 * i),
				  get32(xsdt + 36 + 8 * i));
}
END_TEST

START_TEST(sums)
{
	static const char *const names[] = { "FACP", "APIC", "HPET", "DSDT" };

	for (int n = 1; n <= 32; n++) {
		build(n);
		for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
			const u8 *t = table(names[i]);

			ck_assert_msg(sum(t, get32(t + 4)) == 0, "%s of %d",
				      names[i], n);
		}
	}
}
END_TEST

START_TEST(fixed_table)
{
	const u8 *t;

	build(1);
	t = table("FACP");
	ck_assert_uint_eq(get32(t + 4), 244);
	ck_assert_uint_ge(t[8], 3);
	ck_assert_uint_eq(get32(t + 36), 0x9fc40);
	ck_assert_int_eq(memcmp(at(get32(t + 40)), "DSDT", 4), 0);
	ck_assert_uint_eq(get32(t + 140), get32(t + 40));
	ck_assert_uint_eq(get16(t + 46), 9);
	ck_assert_uint_eq(get32(t + 48), 0);           /* SMI_CMD           */
	ck_assert_uint_eq(get32(t + 56), 0x600);
	ck_assert_uint_eq(get32(t + 64), 0x604);
	ck_assert_uint_eq(get32(t + 76), 0x608);
	ck_assert_uint_eq(t[88], 4);
	ck_assert_uint_eq(t[89], 2);
	ck_assert_uint_eq(t[91], 4);
	ck_assert_uint_eq(get32(t + 112) >> 10 & 1, 1);
	ck_assert_uint_eq(t[116], 1);                  /* reset: port CF9h  */
	ck_assert_uint_eq(get32(t + 120), 0xcf9);
	ck_assert_uint_eq(t[128] & 4, 4);
	ck_assert_uint_eq(get32(t + 148 + 4), 0x600);
	ck_assert_uint_eq(get32(t + 172 + 4), 0x604);
	ck_assert_uint_eq(get32(t + 208 + 4), 0x608);
}
END_TEST

/* row-34: all processors are found, with APIC ids 0 to n - 1. */
START_TEST(processors)
{
	for (int n = 1; n <= 32; n++) {
		const u8 *t;
		int seen = 0, ioapics = 0;

		build(n);
		t = table("APIC");
		for (u32 i = 44; i < get32(t + 4); i += t[i + 1]) {
			ck_assert_uint_gt(t[i + 1], 1);
			if (t[i] == 0) {
				ck_assert_uint_eq(t[i + 3], (unsigned)seen);
				ck_assert_uint_eq(get32(t + i + 4), 1);
				seen++;
			} else if (t[i] == 1) {
				ck_assert_uint_eq(get32(t + i + 4), 0xfec00000);
				ck_assert_uint_eq(get32(t + i + 8), 0);
				ioapics++;
			} else if (t[i] == 2 && t[i + 3] == 0) {
				ck_assert_uint_eq(get32(t + i + 4), 2);
			} else if (t[i] == 2) {
				ck_assert_uint_eq(t[i + 3], 9);
				ck_assert_uint_eq(get16(t + i + 8), 0xd);
			}
		}
		ck_assert_int_eq(seen, n);
		ck_assert_int_eq(ioapics, 1);
	}
}
END_TEST

START_TEST(room_is_respected)
{
	u32 need;

	build(32);
	need = acpi_tables_build(&board, rom, ADDR, ROOM);
	memset(rom, 0xcc, sizeof(rom));
	ck_assert_uint_eq(acpi_tables_build(&board, rom, ADDR, need), need);
	for (u32 room = 48; room < need; room += 7) {
		memset(rom, 0xcc, sizeof(rom));
		ck_assert_uint_eq(acpi_tables_build(&board, rom, ADDR, room), 0);
		ck_assert_uint_eq(rom[room], 0xcc);
	}
}
END_TEST

START_TEST(facs)
{
	u8 f[FACS_BYTES];

	acpi_facs_build(f);
	ck_assert_int_eq(memcmp(f, "FACS", 4), 0);
	ck_assert_uint_eq(get32(f + 4), FACS_BYTES);
	ck_assert_uint_eq(get32(f + 16), 0);           /* the global lock   */
}
END_TEST

/* -- the MP table -------------------------------------------------------------------- */

START_TEST(mp_table)
{
	static const u8 bytes[] = { 20, 8, 8, 8, 8 };

	for (int n = 1; n <= 32; n++) {
		const u8 *t;
		int count[5] = { 0 }, entries = 0;

		board.n_cpus = n;
		ck_assert_uint_gt(mptable_build(&board, rom, ADDR, ROOM), 0);
		ck_assert_int_eq(memcmp(rom, "_MP_", 4), 0);
		ck_assert_uint_eq(sum(rom, 16), 0);
		t = at(get32(rom + 4));
		ck_assert_int_eq(memcmp(t, "PCMP", 4), 0);
		ck_assert_uint_eq(sum(t, get16(t + 4)), 0);
		for (u32 i = 44; i < get16(t + 4); i += bytes[t[i]]) {
			ck_assert_uint_le(t[i], 4);
			if (t[i] == 0) {
				ck_assert_int_eq(t[i + 1], count[0]);
				ck_assert_uint_eq(t[i + 3], count[0] ? 1 : 3);
			} else if (t[i] == 3) {
				ck_assert_uint_eq(t[i + 7], t[i + 5] ?
						  t[i + 5] : 2);
			}
			count[t[i]]++;
			entries++;
		}
		ck_assert_int_eq(entries, get16(t + 34));
		ck_assert_int_eq(count[0], n);
		ck_assert_int_eq(count[1], 1);
		ck_assert_int_eq(count[2], 1);
		ck_assert_int_eq(count[3], 15);
		ck_assert_int_eq(count[4], 2);
	}
}
END_TEST

/* -- PM1 and the PM timer --------------------------------------------------------------- */

enum { TMR = 1, GBL = 0x20, PWRBTN = 0x100 };
enum { STATUS = 0x600, ENABLE = 0x602, CONTROL = 0x604, TIMER = 0x608 };

static struct fake_line sci;
static struct acpi_pm *pm;
static int power_offs;

static int lock_free;

void qemu_system_shutdown_request(void) { power_offs++; }

void memory_region_clear_global_locking(struct memory_region *mr)
{
	(void)mr;
	lock_free++;
}

static u32 rd(u16 port, int size)
{
	struct fake_range *r = fake_range(port);

	return r->ops->read(r->opaque, port - r->first, size);
}

static void wr16(u16 port, u16 v)
{
	struct fake_range *r = fake_range(port);

	r->ops->write(r->opaque, port - r->first, v, 2);
}

static void pm_setup(void)
{
	struct irq_line l = fake_line(&sci);

	fake_n_ranges = 0;
	power_offs = 0;
	sci = (struct fake_line){ 0, 0 };
	pm = acpi_pm_new(NULL, 0x600, &l);
}

/* row-04: its reads take no lock. */
START_TEST(pm_timer_rate)
{
	u32 before;

	pm_setup();
	ck_assert_int_eq(lock_free, 1);
	for (int i = 0; i < 1000; i++) {
		before = rd(TIMER, 4);
		fake_pass(1000000000);
		ck_assert_uint_eq(rd(TIMER, 4) - before, PM_TIMER_HZ);
	}
	before = rd(TIMER, 4);             /* of a part: the core masks  */
	ck_assert_uint_eq(rd(TIMER, 2) & 0xffff, before & 0xffff);
	ck_assert_uint_eq(inb(TIMER + 1), before >> 8 & 0xff);
}
END_TEST

/* The top bit's change: seen by who looks, told only to who asked. */
START_TEST(pm_timer_overflow)
{
	s64 half = muldiv64(1ull << 31, 1000000000, PM_TIMER_HZ);

	pm_setup();
	ck_assert_uint_eq(rd(STATUS, 2) & TMR, 0);
	fake_pass(half + 1000000000);
	ck_assert_uint_eq(rd(STATUS, 2) & TMR, TMR);
	ck_assert_uint_eq(fake_fired, 0);
	ck_assert_uint_eq(sci.rises, 0);
	wr16(STATUS, TMR);
	ck_assert_uint_eq(rd(STATUS, 2) & TMR, 0);
	wr16(ENABLE, TMR);
	fake_pass(half);
	ck_assert_uint_eq(sci.rises, 1);
	ck_assert_int_eq(sci.level, 1);
	fake_pass(2 * half);
	ck_assert_uint_eq(fake_fired, 1);
	wr16(STATUS, TMR);
	ck_assert_int_eq(sci.level, 0);
	fake_pass(half);
	ck_assert_uint_eq(sci.rises, 2);
}
END_TEST

START_TEST(power_button)
{
	pm_setup();
	acpi_pm_power_button(pm);
	ck_assert_uint_eq(rd(STATUS, 2), PWRBTN);
	ck_assert_int_eq(sci.level, 0);
	wr16(ENABLE, PWRBTN);
	ck_assert_int_eq(sci.level, 1);
	wr16(STATUS, GBL);                     /* another bit               */
	ck_assert_int_eq(sci.level, 1);
	outb(STATUS + 1, PWRBTN >> 8);
	ck_assert_int_eq(sci.level, 0);
	ck_assert_uint_eq(rd(STATUS, 2), 0);
	outb(ENABLE + 1, 0);
	ck_assert_uint_eq(rd(ENABLE, 2), 0);
	ck_assert_int_eq(power_offs, 0);
}
END_TEST

START_TEST(soft_off)
{
	pm_setup();
	ck_assert_uint_eq(rd(CONTROL, 2), 1);  /* SCI_EN                    */
	wr16(CONTROL, 0x1c00);
	ck_assert_uint_eq(rd(CONTROL, 2), 0x1c01);
	wr16(CONTROL, 0x3c00);                 /* no such sleep state       */
	ck_assert_int_eq(power_offs, 0);
	wr16(CONTROL, 0x2000);
	ck_assert_int_eq(power_offs, 1);
	ck_assert_uint_eq(rd(CONTROL, 2), 1);  /* SLP_EN reads as 0         */
}
END_TEST

/* row-53 */
START_TEST(reset_is_power_on)
{
	pm_setup();
	wr16(ENABLE, PWRBTN | TMR);
	wr16(CONTROL, 0x0402);
	acpi_pm_power_button(pm);
	ck_assert_int_eq(sci.level, 1);
	acpi_pm_reset(pm);
	ck_assert_int_eq(sci.level, 0);
	ck_assert_uint_eq(rd(STATUS, 2) | rd(ENABLE, 2), 0);
	ck_assert_uint_eq(rd(CONTROL, 2), 1);
	fake_fired = 0;
	fake_pass(2000000000000);
	ck_assert_uint_eq(fake_fired, 0);
}
END_TEST

/* -- iasl ------------------------------------------------------------------------------- */

static bool has_iasl(void)
{
	return system("iasl -v >/dev/null 2>&1") == 0;
}

static void save(const char *dir, const char *name)
{
	const u8 *t = table(name);
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "wb");
	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(t, 1, get32(t + 4), f), get32(t + 4));
	ck_assert_int_eq(fclose(f), 0);
}

/* What the disassembler writes must compile again without a complaint. */
START_TEST(iasl)
{
	static const char *const names[] = { "DSDT", "FACP", "APIC", "HPET" };
	static const int cpus[] = { 1, 32 };
	char dir[] = "/tmp/smew-acpi-XXXXXX", cmd[1024];

	ck_assert_ptr_nonnull(mkdtemp(dir));
	for (unsigned k = 0; k < ARRAY_SIZE(cpus); k++) {
		build(cpus[k]);
		for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
			save(dir, names[i]);
			snprintf(cmd, sizeof(cmd), "cd %s && iasl -d %s "
				 ">out 2>&1 && ! grep -iE 'warning|error|"
				 "invalid|incorrect' out %s.dsl &&"
				 "iasl -ve %s.dsl >out 2>&1 && "
				 "grep -q '0 Errors' out", dir, names[i],
				 names[i], names[i]);
			ck_assert_msg(system(cmd) == 0, "%s, %d vCPUs: see %s",
				      names[i], cpus[k], dir);
		}
	}
	snprintf(cmd, sizeof(cmd), "rm -r %s", dir);
	ck_assert_int_eq(system(cmd), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("hw/acpi");
	TCase *t = tcase_create("acpi");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, root_pointer);
	tcase_add_test(t, sums);
	tcase_add_test(t, fixed_table);
	tcase_add_test(t, processors);
	tcase_add_test(t, room_is_respected);
	tcase_add_test(t, facs);
	tcase_add_test(t, mp_table);
	tcase_add_test(t, pm_timer_rate);
	tcase_add_test(t, pm_timer_overflow);
	tcase_add_test(t, power_button);
	tcase_add_test(t, soft_off);
	tcase_add_test(t, reset_is_power_on);
	if (has_iasl())
		tcase_add_test(t, iasl);
	else
		puts("skip unit/acpi/iasl: no iasl (Debian: acpica-tools)");
	suite_add_tcase(s, t);
	return suite_main(s);
}
