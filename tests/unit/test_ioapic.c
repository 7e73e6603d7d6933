/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hw/ioapic: registers, edge and level lines, EOI by broadcast and by register,
 * destinations. Row 49. */
#include "fake_apic.h"

#include "child.h"

enum { MASKED = 0x10000, LEVEL = 0x8000, REMOTE = 0x4000, LOGICAL = 0x800, EOI = 0xb0 };

static u32 io(u32 r)
{
	u32 v;

	bql_lock();
	mem_write(0xfec00000, r);
	v = mem_read(0xfec00010);
	bql_unlock();
	return v;
}

static void io_set(u32 r, u32 v)
{
	bql_lock();
	mem_write(0xfec00000, r);
	mem_write(0xfec00010, v);
	bql_unlock();
}

static void pin(int n, u32 dest, u32 lo)
{
	io_set(0x11 + 2 * (u32)n, dest << 24);
	io_set(0x10 + 2 * (u32)n, lo);
}

static void line(int n, int level)
{
	bql_lock();
	ioapic_set_irq(NULL, n, level);
	bql_unlock();
}

static u32 entry(int n) { return io(0x10 + 2 * (u32)n); }

START_TEST(row_49_registers)
{
	fake_board();
	ck_assert_uint_eq(io(0), 0);
	io_set(0, 0xffffffff);
	ck_assert_uint_eq(io(0), 0x0f000000);
	ck_assert_uint_eq(io(1), 0x170020);
	ck_assert_uint_eq(io(2), 0x0f000000);
	for (int n = 0; n < IOAPIC_PINS; n++) {
		ck_assert_uint_eq(entry(n), MASKED);
		pin(n, 0xff, 0xffffffff);
		ck_assert_uint_eq(entry(n), 0x1afff);
		ck_assert_uint_eq(io(0x11 + 2 * (u32)n), 0xff000000);
	}
	ck_assert_uint_eq(io(0x40), 0);
	bql_lock();
	ioapic_reset(NULL);
	bql_unlock();
	ck_assert_uint_eq(entry(5), MASKED);
}
END_TEST

START_TEST(row_49_edge)
{
	fake_board();
	pin(3, 2, 0x43);
	line(3, 1);
	ck_assert_int_eq(taken(2), 0x43);
	set(2, EOI, 0);
	line(3, 1);                            /* no edge                    */
	ck_assert_int_eq(taken(2), -1);
	line(3, 0);
	line(3, 1);
	ck_assert_int_eq(taken(2), 0x43);
	set(2, EOI, 0);
	line(3, 0);
	pin(3, 2, MASKED | 0x43);
	line(3, 1);                            /* lost                       */
	pin(3, 2, 0x43);
	ck_assert_int_eq(taken(2), -1);
	ck_assert_uint_eq(entry(3), 0x43);
}
END_TEST

START_TEST(row_49_level)
{
	fake_board();
	pin(9, 1, LEVEL | MASKED | 0x59);
	line(9, 1);
	ck_assert_int_eq(taken(1), -1);
	pin(9, 1, LEVEL | 0x59);               /* unmasked: it is still high */
	ck_assert_int_eq(taken(1), 0x59);
	ck_assert_uint_eq(entry(9), LEVEL | REMOTE | 0x59);
	ck_assert_int_eq(taken(1), -1);
	set(1, EOI, 0);                        /* high: again                */
	ck_assert_int_eq(taken(1), 0x59);
	line(9, 0);
	set(1, EOI, 0);
	ck_assert_uint_eq(entry(9), LEVEL | 0x59);
	ck_assert_int_eq(taken(1), -1);
	line(9, 1);
	ck_assert_int_eq(taken(1), 0x59);
}
END_TEST

/* Another vector's EOI does not end it; two pins of one vector both end. */
START_TEST(row_49_eoi_by_vector)
{
	fake_board();
	pin(9, 0, LEVEL | 0x59);
	pin(10, 0, LEVEL | 0x6a);
	pin(11, 0, LEVEL | 0x6a);
	line(9, 1), line(10, 1), line(11, 1);
	ck_assert_int_eq(taken(0), 0x6a);
	line(10, 0), line(11, 0);
	set(0, EOI, 0);
	ck_assert_uint_eq(entry(10) & REMOTE, 0);
	ck_assert_uint_eq(entry(11) & REMOTE, 0);
	ck_assert_uint_eq(entry(9) & REMOTE, REMOTE);
}
END_TEST

START_TEST(row_49_eoi_register)
{
	fake_board();
	set(0, 0xf0, 0x11ff);                  /* no broadcasts              */
	pin(9, 0, LEVEL | 0x59);
	line(9, 1);
	ck_assert_int_eq(taken(0), 0x59);
	line(9, 0);
	set(0, EOI, 0);
	ck_assert_uint_eq(entry(9) & REMOTE, REMOTE);
	bql_lock();
	mem_write(0xfec00040, 0x58);
	bql_unlock();
	ck_assert_uint_eq(entry(9) & REMOTE, REMOTE);
	bql_lock();
	mem_write(0xfec00040, 0x59);
	bql_unlock();
	ck_assert_uint_eq(entry(9) & REMOTE, 0);
	/* or by turning to edge and back */
	line(9, 1);
	ck_assert_int_eq(taken(0), 0x59);
	line(9, 0);
	set(0, EOI, 0);
	pin(9, 0, MASKED | 0x59);
	pin(9, 0, LEVEL | 0x59);
	ck_assert_uint_eq(entry(9), LEVEL | 0x59);
}
END_TEST

START_TEST(row_49_delivery)
{
	fake_board();
	for (int i = 0; i < N_FAKE; i++)
		set(i, 0xd0, 1u << (24 + i));
	pin(4, 0x0c, LOGICAL | 0x70);
	line(4, 1);
	ck_assert_int_eq(taken(0), -1);
	ck_assert_int_eq(taken(2), 0x70);
	ck_assert_int_eq(taken(3), 0x70);
	pin(5, 1, 0x400);
	line(5, 1);
	ck_assert_uint_eq(requests(1), CPU_INTERRUPT_NMI);
	pin(6, 0, 0x700);
	line(6, 1);
	ck_assert_uint_eq(requests(0), CPU_INTERRUPT_HARD);
	/* lowest priority: one of them */
	pin(7, 0x03, LOGICAL | 0x100 | 0x71);
	line(7, 1);
	ck_assert_int_eq((taken(0) == 0x71) + (taken(1) == 0x71), 1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("hw/ioapic");
	TCase *tc = tcase_create("ioapic");

	tcase_add_test(tc, row_49_registers);
	tcase_add_test(tc, row_49_edge);
	tcase_add_test(tc, row_49_level);
	tcase_add_test(tc, row_49_eoi_by_vector);
	tcase_add_test(tc, row_49_eoi_register);
	tcase_add_test(tc, row_49_delivery);
	suite_add_tcase(s, tc);
	return suite_main(s);
}
