/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/test_mmu.c - the page walk: rights, error codes, accessed and
 * dirty bits, large pages, PAE and NX, A20 (SDM vol. 3A 4.3 to 4.8). row-43. */
#include <check.h>
#include <stdlib.h>

#include "fake_cpu.h"

enum { AT = 0x20000 };

static u64 read_at(struct cpu *c, u32 a, u32 mode, u32 d)
{
	(void)d;
	return cpu_ldl(c, a, (int)mode);
}

static u64 write_at(struct cpu *c, u32 a, u32 mode, u32 d)
{
	(void)d;
	cpu_stl(c, a, 1, (int)mode);
	return 0;
}

static u64 fetch_at(struct cpu *c, u32 a, u32 mode, u32 d)
{
	(void)d;
	target_tlb_fill(c, a, MMU_INST_FETCH, (int)mode, false);
	return 0;
}

/* -- rights -------------------------------------------------------------------- */
static const struct {
	const char *what;
	u32 pte;
	bool wp, write;
	int mode, fault;
	u32 err;
} rights[] = {
	{ "not present", 6, false, false, MMU_KERNEL, EXCP_PF, 0 },
	{ "not present, user write", 6, false, true, MMU_USER, EXCP_PF, 6 },
	{ "user reads", 5, false, false, MMU_USER, NO_FAULT, 0 },
	{ "user writes read-only", 5, false, true, MMU_USER, EXCP_PF, 7 },
	{ "user reads supervisor's", 3, false, false, MMU_USER, EXCP_PF, 5 },
	{ "supervisor writes read-only", 5, false, true, MMU_KERNEL, NO_FAULT, 0 },
	{ "the same with WP", 5, true, true, MMU_KERNEL, EXCP_PF, 3 },
	{ "supervisor reads user's", 7, true, false, MMU_KERNEL, NO_FAULT, 0 },
};

START_TEST(page_rights)
{
	int fault;

	enter_protected(0);
	enter_paging();
	if (rights[_i].wp)
		cpu_set_cr0(x, x->cr[0] | CR0_WP);
	set_pte(AT, AT | rights[_i].pte);
	fault = run_helper(rights[_i].write ? write_at : read_at, AT + 4,
			   (u32)rights[_i].mode, 0);
	ck_assert_msg(fault == rights[_i].fault, "%s: %d", rights[_i].what, fault);
	if (fault == NO_FAULT)
		return;
	ck_assert_uint_eq(x->error_code, rights[_i].err);
	ck_assert_uint_eq(x->cr[2], AT + 4);
}
END_TEST

START_TEST(accessed_and_dirty)
{
	u32 *pte = (u32 *)(void *)(ram + PAGE_TABLE + 4 * (AT >> 12));

	enter_protected(0);
	enter_paging();
	ck_assert_int_eq(run_helper(read_at, AT, MMU_USER, 0), NO_FAULT);
	ck_assert_uint_eq(*pte, AT | 0x27);
	ck_assert_uint_eq(get32(PAGE_DIR) & 0x20, 0x20);
	ck_assert_int_eq(run_helper(write_at, AT, MMU_USER, 0), NO_FAULT);
	ck_assert_uint_eq(*pte, AT | 0x67);
}
END_TEST

/* A fault marks nothing dirty. */
START_TEST(refused_write_is_not_dirty)
{
	enter_protected(0);
	enter_paging();
	set_pte(AT, AT | 5);
	ck_assert_int_eq(run_helper(write_at, AT, MMU_USER, 0), EXCP_PF);
	ck_assert_uint_eq(get32(PAGE_TABLE + 4 * (AT >> 12)) & 0x40, 0);
}
END_TEST

START_TEST(large_pages)
{
	enter_protected(0);
	enter_paging();
	put32(PAGE_DIR + 4, 0x87);                       /* 4 MB to physical 0 */
	put32(AT + 8, 0x12345678);
	cpu_set_cr4(x, CR4_PSE);
	ck_assert_uint_eq(target_debug_translate(cpu, 0x400000 + AT), AT);
	ck_assert_int_eq(run_helper(read_at, 0x400000 + AT + 8, MMU_USER, 0), NO_FAULT);
	ck_assert_uint_eq(cpu_ldl(cpu, 0x400000 + AT + 8, MMU_USER), 0x12345678);
	ck_assert_int_eq(run_helper(write_at, 0x400000 + AT, MMU_USER, 0), NO_FAULT);
	ck_assert_uint_eq(get32(PAGE_DIR + 4), 0xe7);
	put32(PAGE_DIR + 8, 0x200087);                   /* reserved bit */
	ck_assert_int_eq(run_helper(read_at, 0x800000, MMU_USER, 0), EXCP_PF);
	ck_assert_uint_eq(x->error_code, 13);
}
END_TEST

/* -- PAE ------------------------------------------------------------------------- */
enum { PDPT = 0x18000, PAE_DIR = 0x19000, PAE_TABLE = 0x1a000 };

static void enter_pae(void)
{
	enter_protected(0);
	memset(ram + PDPT, 0, 0x3000);
	put32(PDPT, PAE_DIR | 1);
	put32(PAE_DIR, PAE_TABLE | 7);
	put32(PAE_DIR + 8, 0x87);                        /* 2 MB to 0 */
	for (u32 i = 0; i < 256; i++)
		put32(PAE_TABLE + 8 * i, i << 12 | 7);
	cpu_set_cr3(x, PDPT);
	cpu_set_cr4(x, CR4_PAE);
	cpu_set_cr0(x, x->cr[0] | (u32)CR0_PG);
}

START_TEST(pae)
{
	enter_pae();
	ck_assert_int_eq(run_helper(write_at, AT, MMU_USER, 0), NO_FAULT);
	ck_assert_uint_eq(get32(PAE_TABLE + 8 * (AT >> 12)), AT | 0x67);
	ck_assert_uint_eq(target_debug_translate(cpu, 0x200000 + AT), AT);
	ck_assert_int_eq(run_helper(read_at, 0x40000000, MMU_USER, 0), EXCP_PF);
	ck_assert_uint_eq(x->error_code, 4);
}
END_TEST

START_TEST(no_execute)
{
	enter_pae();
	put32(PAE_TABLE + 8 * (AT >> 12) + 4, 1u << 31);
	ck_assert_int_eq(run_helper(read_at, AT, MMU_KERNEL, 0), EXCP_PF);
	ck_assert_uint_eq(x->error_code, 9);             /* reserved without NXE */
	cpu->regs[R_ECX] = 0xc0000080;
	cpu->regs[R_EAX] = 1 << 11;
	cpu->regs[R_EDX] = 0;
	ck_assert_int_eq(run_helper(helper_wrmsr, 0, 0, 0), NO_FAULT);
	ck_assert_int_eq(run_helper(read_at, AT, MMU_USER, 0), NO_FAULT);
	ck_assert_int_eq(run_helper(fetch_at, AT, MMU_USER, 0), EXCP_PF);
	ck_assert_uint_eq(x->error_code, 0x15);
}
END_TEST

/* -- control registers, A20 ---------------------------------------------------------- */
START_TEST(illegal_control_bits)
{
	enter_protected(0);
	ck_assert_int_eq(run_helper(helper_write_cr, 0, (u32)CR0_PG, 0), EXCP_GP);
	ck_assert_int_eq(run_helper(helper_write_cr, 0, CR0_PE | CR0_NW, 0), EXCP_GP);
	ck_assert_int_eq(run_helper(helper_write_cr, 4, 1 << 13, 0), EXCP_GP);
	ck_assert_int_eq(run_helper(helper_lmsw, 0, 0, 0), NO_FAULT);
	ck_assert_uint_eq(x->cr[0] & CR0_PE, CR0_PE);
}
END_TEST

START_TEST(a20)
{
	enter_protected(0);
	put32(0x1000, 0xcafe);
	bql_lock();
	target_set_a20(false);
	bql_unlock();
	ck_assert_uint_eq(cpu_ldl(cpu, 0x101000, MMU_KERNEL), 0xcafe);
	bql_lock();
	target_set_a20(true);
	bql_unlock();
	ck_assert_uint_ne(cpu_ldl(cpu, 0x101000, MMU_KERNEL), 0xcafe);
}
END_TEST

/* -- global pages ------------------------------------------------------------------------- */
/* set_pte invalidates the page; here the guest does not. */
static void change_pte(u32 a, u32 pte)
{
	put32(PAGE_TABLE + 4 * (a >> 12), pte);
}

static bool has_entry(u32 a, bool write)
{
	return tlb_entry(cpu, MMU_KERNEL, write, a) != TLB_INVALID;
}

static void enter_global_pages(void)
{
	enter_protected(0);
	enter_paging();
	cpu_set_cr4(x, CR4_PGE);
	set_pte(AT, AT | 0x107);
	set_pte(AT + PAGE_SIZE, (AT + PAGE_SIZE) | 7);
	for (u32 i = 0; i < 2; i++)
		ck_assert_int_eq(run_helper(read_at, AT + i * PAGE_SIZE, MMU_KERNEL, 0), NO_FAULT);
}

START_TEST(cr3_leaves_global_pages)
{
	enter_global_pages();
	cpu_set_cr3(x, x->cr[3]);
	ck_assert(has_entry(AT, false) && !has_entry(AT + PAGE_SIZE, false));
	ck_assert_uint_eq(cpu_ldl(cpu, AT, MMU_KERNEL), get32(AT));
	tlb_flush_page(cpu, AT);
	ck_assert(!has_entry(AT, false));
	ck_assert_int_eq(run_helper(read_at, AT, MMU_KERNEL, 0), NO_FAULT);
	cpu_set_cr4(x, 0);
	ck_assert(!has_entry(AT, false));
	/* without CR4.PGE the bit says nothing */
	ck_assert_int_eq(run_helper(read_at, AT, MMU_KERNEL, 0), NO_FAULT);
	cpu_set_cr3(x, x->cr[3]);
	ck_assert(!has_entry(AT, false));
}
END_TEST

/* The slow path knows no more than the table does: a page that is gone faults. */
START_TEST(cr3_forgets_what_is_not_global)
{
	enter_global_pages();
	change_pte(AT + PAGE_SIZE, 0);
	cpu_set_cr3(x, x->cr[3]);
	ck_assert_int_eq(run_helper(read_at, AT + PAGE_SIZE, MMU_KERNEL, 0), EXCP_PF);
	/* an access over its start goes the slow way */
	ck_assert_int_eq(run_helper(read_at, AT + PAGE_SIZE - 2, MMU_KERNEL, 0), EXCP_PF);
	ck_assert_uint_eq(x->cr[2], AT + PAGE_SIZE);
}
END_TEST

/* Read as a global page, then written as one that is not: its entry is on the
 * other list now. */
START_TEST(a_page_stops_being_global)
{
	enter_global_pages();
	ck_assert(!has_entry(AT, true));
	change_pte(AT, AT | 7);
	ck_assert_int_eq(run_helper(write_at, AT, MMU_KERNEL, 0), NO_FAULT);
	ck_assert(has_entry(AT, true));
	cpu_set_cr3(x, x->cr[3]);
	ck_assert(!has_entry(AT, true) && !has_entry(AT, false));
}
END_TEST

/* INVLPG anywhere in a large page takes all of it, in a global one after a load
 * of CR3 as well. */
START_TEST(invlpg_in_a_global_large_page)
{
	enter_global_pages();
	cpu_set_cr4(x, CR4_PSE | CR4_PGE);
	put32(PAGE_DIR + 4, 0x187);
	ck_assert_int_eq(run_helper(read_at, 0x400000 + AT, MMU_KERNEL, 0), NO_FAULT);
	cpu_set_cr3(x, x->cr[3]);
	ck_assert(has_entry(0x400000 + AT, false));
	tlb_flush_page(cpu, 0x700000);
	ck_assert(!has_entry(0x400000 + AT, false));
}
END_TEST

/* More pages than the list of one kind may hold: nothing is left behind. */
START_TEST(list_of_filled_pages_runs_over)
{
	enter_global_pages();
	for (u32 i = 0; i < 70000; i++) {
		tlb_flush_page(cpu, AT);
		ck_assert_int_eq(run_helper(read_at, AT, MMU_KERNEL, 0), NO_FAULT);
	}
	ck_assert_int_eq(run_helper(read_at, AT + PAGE_SIZE, MMU_KERNEL, 0), NO_FAULT);
	cpu_set_cr3(x, x->cr[3]);
	ck_assert(has_entry(AT, false) && !has_entry(AT + PAGE_SIZE, false));
	tlb_flush(cpu);
	ck_assert(!has_entry(AT, false));
}
END_TEST

/* -- tables in a device ----------------------------------------------------------------- */
/* A page directory in MMIO (a guest may put CR3 there: upstream 7.2 then waits for
 * itself for ever when it is to set an accessed bit). The walk reads and writes it
 * by plain accesses, under the BQL unless the region needs none. */
static struct { u32 entry, n_writes; bool locked, leave; } device;

static u64 device_read(void *o, gpa addr, unsigned size)
{
	(void)o, (void)size;
	device.locked = bql_held();
	if (device.leave)
		cpu_loop_exit(cpu);
	return addr == 0 ? device.entry : 0;
}

static void device_write(void *o, gpa addr, u64 val, unsigned size)
{
	(void)o;
	ck_assert(addr == 0 && size == 4);
	device.n_writes++;
	device.entry = (u32)val;
	device.locked = bql_held();
}

static const struct memory_region_ops device_ops = { device_read, device_write, 0, 0 };
static struct memory_region device_mr;
enum { DEVICE = 0xfee00000 };

static void add_device(void)
{
	memory_region_init_io(&device_mr, "device", PAGE_SIZE, &device_ops, NULL);
	bql_lock();
	memory_region_add_subregion(&system_memory, DEVICE, &device_mr);
	bql_unlock();
	memset(&device, 0, sizeof(device));
}

static void remove_device(void)
{
	bql_lock();
	memory_region_del_subregion(&system_memory, &device_mr);
	bql_unlock();
}

START_TEST(page_directory_in_mmio)
{
	add_device();
	device.entry = PAGE_TABLE | 7;
	enter_protected(0);
	enter_paging();
	cpu_set_cr3(x, DEVICE);
	ck_assert_int_eq(run_helper(read_at, AT, MMU_KERNEL, 0), NO_FAULT);
	ck_assert_uint_eq(device.entry, PAGE_TABLE | 0x27);
	ck_assert_uint_eq(device.n_writes, 1);
	ck_assert(device.locked && !bql_held());
	/* a region of its own lock is reached without the BQL (row-04) */
	memory_region_clear_global_locking(&device_mr);
	tlb_flush(cpu);
	ck_assert_int_eq(run_helper(read_at, AT, MMU_KERNEL, 0), NO_FAULT);
	ck_assert(!device.locked && device.n_writes == 1);
	remove_device();
}
END_TEST

/* row-05: an access that leaves by cpu_loop_exit leaves no lock behind. */
START_TEST(a_device_that_raises_leaves_no_lock)
{
	enter_protected(0);
	add_device();
	device.leave = true;
	run_helper(read_at, DEVICE + 4, MMU_KERNEL, 0);
	ck_assert(device.locked && !bql_held());
	device.leave = false;
	ck_assert_int_eq(run_helper(read_at, DEVICE + 4, MMU_KERNEL, 0), NO_FAULT);
	ck_assert(device.locked && !bql_held());
	remove_device();
}
END_TEST

/* Descriptors' accessed and busy bits go on top of what another vCPU stores. */
START_TEST(bits_of_a_byte_in_one_step)
{
	enter_protected(0);
	put32(AT, 0x8900);
	ck_assert_uint_eq(cpu_atomic_setb(cpu, AT + 1, 2, 0, MMU_KERNEL), 0x89);
	ck_assert_uint_eq(get32(AT), 0x8b00);
	ck_assert_uint_eq(cpu_atomic_setb(cpu, AT + 1, 0, 2, MMU_KERNEL), 0x8b);
	ck_assert_uint_eq(get32(AT), 0x8900);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("i386/mmu");
	TCase *t = tcase_create("paging");

	tcase_add_unchecked_fixture(t, fake_cpu_init, NULL);
	tcase_add_loop_test(t, page_rights, 0, (int)ARRAY_SIZE(rights));
	tcase_add_test(t, accessed_and_dirty);
	tcase_add_test(t, refused_write_is_not_dirty);
	tcase_add_test(t, large_pages);
	tcase_add_test(t, pae);
	tcase_add_test(t, no_execute);
	tcase_add_test(t, illegal_control_bits);
	tcase_add_test(t, a20);
	tcase_add_test(t, cr3_leaves_global_pages);
	tcase_add_test(t, cr3_forgets_what_is_not_global);
	tcase_add_test(t, a_page_stops_being_global);
	tcase_add_test(t, invlpg_in_a_global_large_page);
	tcase_add_test(t, list_of_filled_pages_runs_over);
	tcase_add_test(t, page_directory_in_mmio);
	tcase_add_test(t, a_device_that_raises_leaves_no_lock);
	tcase_add_test(t, bits_of_a_byte_in_one_step);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
