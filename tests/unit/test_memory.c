/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qemu/memory, memory_ldst, ram: what each address shows, and how accesses
 * reach RAM and devices. The soft TLB and the TB store are fakes that count. */
#include "child.h"
#include "env/log.h"
#include "qemu/cpus.h"
#include "qemu/flatview.h"
#include "qemu/memory.h"
#include "qemu/ram_window.h"

#define ARENA_BYTES (1u << 20)

struct cpu *first_cpu;
__thread struct cpu *current_cpu;

static unsigned map_changes;
static struct { unsigned calls; ram_addr addr; u64 n; } invalidated;

void tlb_memory_map_changed(void) { map_changes++; }

/* Exclusive work waits until the test says that a section has come. */
static struct { run_on_cpu_func *func; struct cpu *cpu; void *data; unsigned n; } exclusive_work;

bool in_exclusive(void) { return false; }
void tb_flush(struct cpu *cpu) { (void)cpu; }
void async_safe_run_on_cpu_at(struct cpu *cpu, run_on_cpu_func *func, void *data,
			      const char *name)
{
	(void)name;
	exclusive_work.func = func;
	exclusive_work.cpu = cpu;
	exclusive_work.data = data;
	exclusive_work.n++;
}

void tb_invalidate_phys_range(ram_addr addr, u64 n)
{
	invalidated.calls++;
	invalidated.addr = addr;
	invalidated.n = n;
}

static struct memory_region ram, rom, io;
static struct address_space *const mem = &address_space_memory;

/* -- a device that remembers its accesses ------------------------------------- */
struct access { gpa addr; u64 val; unsigned size; bool write, locked; };
static struct access seen[64];
static int n_seen;

static void see(gpa addr, u64 val, unsigned size, bool write)
{
	ck_assert_int_lt(n_seen, 64);
	seen[n_seen++] = (struct access){ addr, val, size, write, bql_held() };
}

static u64 dev_read(void *opaque, gpa addr, unsigned size)
{
	(void)opaque;
	see(addr, 0, size, false);
	return 0x8877665544332211ull >> 8 * (addr & 7);
}

static void dev_write(void *opaque, gpa addr, u64 val, unsigned size)
{
	(void)opaque;
	see(addr, val, size, true);
}

static const struct memory_region_ops any_ops = { dev_read, dev_write, 0, 0 };
static const struct memory_region_ops byte_ops = { dev_read, dev_write, 1, 1 };
static const struct memory_region_ops long_ops = { dev_read, dev_write, 4, 4 };
static const struct memory_region_ops dead_ops = { NULL, NULL, 1, 4 };

/* RAM at 0, ROM at 10000h, a device at 20000h. The BQL is held. */
static void setup(void)
{
	bql_lock();
	memory_init();
	ck_assert_ptr_null(ram_arena_init(ARENA_BYTES));
	ck_assert_ptr_null(memory_region_init_ram(&ram, "ram", 0x10000));
	ck_assert_ptr_null(memory_region_init_rom(&rom, "rom", 0x10000));
	memory_region_init_io(&io, "io", 0x100, &any_ops, NULL);
	memory_region_add_subregion(&system_memory, 0, &ram);
	memory_region_add_subregion(&system_memory, 0x10000, &rom);
	memory_region_add_subregion(&system_memory, 0x20000, &io);
}

static struct memory_region *at(gpa addr)
{
	u64 off, len;

	return address_space_translate(mem, addr, &off, &len);
}

/* -- the arena ------------------------------------------------------------------ */

START_TEST(arena_is_low_and_in_order)
{
	struct memory_region more;

	ck_assert(ram_arena_low);
	ck_assert_uint_lt((uintptr_t)ram_arena + ARENA_BYTES, 0x80000000u);
	ck_assert_uint_eq(ram.ram, 0);
	ck_assert_uint_eq(rom.ram, 0x10000);
	ck_assert_ptr_eq(memory_region_host(&rom), ram_arena + 0x10000);
	ck_assert_ptr_null(memory_region_init_ram(&more, "more", 5000));
	ck_assert_uint_eq(ram_arena_size, 0x22000);
	ck_assert_ptr_nonnull(memory_region_init_ram(&more, "too much",
						     ARENA_BYTES));
}
END_TEST

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANITIZED = true };               /* ... which has the low addresses */
#else
enum { SANITIZED = false };
#endif

/* It stays open behind a region that has the RAM's own bytes, and closes behind another. */
START_TEST(window_shows_ram_in_its_place)
{
	static struct memory_region over, device;
	u64 host = (u64)(uintptr_t)memory_region_host(&ram);

	ck_assert_uint_eq(ram_window(), 0);
	ram_window_set(&ram);
	ram_window_open();
	ck_assert(ram_arena_alone || SANITIZED);
	if (!ram_arena_alone) {
		ck_assert_uint_eq(ram_window(), 0);
		return;
	}
	ck_assert_uint_eq(ram_window(), host);
	ck_assert(ram_window_spans((void *)(uintptr_t)(host + 0xfee00000)));
	ck_assert(!ram_window_spans(&host));
	memory_region_init_over(&over, "over", 0x1000, MR_ROM, &ram, 0x4000);
	memory_region_add_subregion_overlap(&system_memory, 0x4000, &over, 1);
	ck_assert_ptr_eq(at(0x4000), &over);
	ck_assert_uint_eq((u64)(uintptr_t)memory_region_host(&over), host + 0x4000);
	ck_assert_uint_eq(ram_window(), host);
	memory_region_init_io(&device, "device", 0x1000, &any_ops, NULL);
	memory_region_add_subregion_overlap(&system_memory, 0x8000, &device, 1);
	ck_assert_uint_eq(ram_window(), 0);
}
END_TEST

/* -- what an address shows ---------------------------------------------------------- */

START_TEST(ranges_and_holes)
{
	u64 off, len;

	ck_assert_ptr_eq(address_space_translate(mem, 0x1234, &off, &len), &ram);
	ck_assert_uint_eq(off, 0x1234);
	ck_assert_uint_eq(len, 0x10000 - 0x1234);
	ck_assert_ptr_eq(address_space_translate(mem, 0x200ff, &off, &len), &io);
	ck_assert_uint_eq(len, 1);
	ck_assert_ptr_null(address_space_translate(mem, 0x20100, &off, &len));
	ck_assert_uint_eq(len, ~0ull - 0x20100 + 1);
	ck_assert_ptr_null(address_space_translate(mem, ~0ull, &off, &len));
	ck_assert_uint_eq(len, 1);
	ck_assert_ptr_null(address_space_translate(&address_space_io, 5, &off,
						   &len));
}
END_TEST

START_TEST(priority_decides)
{
	struct memory_region a, b;

	memory_region_init_io(&a, "a", 0x1000, &any_ops, NULL);
	memory_region_init_io(&b, "b", 0x2000, &any_ops, NULL);
	memory_region_add_subregion_overlap(&system_memory, 0x1000, &a, 2);
	memory_region_add_subregion_overlap(&system_memory, 0x800, &b, 1);
	ck_assert_ptr_eq(at(0x7ff), &ram);
	ck_assert_ptr_eq(at(0x800), &b);
	ck_assert_ptr_eq(at(0x1000), &a);
	ck_assert_ptr_eq(at(0x2000), &b);
	ck_assert_ptr_eq(at(0x2800), &ram);
	memory_region_set_enabled(&a, false);
	ck_assert_ptr_eq(at(0x1000), &b);
	memory_region_del_subregion(&system_memory, &b);
	ck_assert_ptr_eq(at(0x1000), &ram);
}
END_TEST

START_TEST(the_newer_of_equals_wins)
{
	struct memory_region a, b;

	memory_region_init_io(&a, "a", 0x1000, &any_ops, NULL);
	memory_region_init_io(&b, "b", 0x1000, &any_ops, NULL);
	memory_region_add_subregion(&system_memory, 0x40000, &a);
	memory_region_add_subregion(&system_memory, 0x40800, &b);
	ck_assert_ptr_eq(at(0x40800), &b);
	ck_assert_ptr_eq(at(0x407ff), &a);
}
END_TEST

START_TEST(alias_shows_a_part)
{
	struct memory_region alias;
	u64 off, len;

	memory_region_init_alias(&alias, "alias", &ram, 0x8000, 0x1000);
	memory_region_add_subregion(&system_memory, 0xfffff000, &alias);
	ck_assert_ptr_eq(address_space_translate(mem, 0xfffff010, &off, &len),
			 &ram);
	ck_assert_uint_eq(off, 0x8010);
	ck_assert_uint_eq(len, 0xff0);
	address_space_stl(mem, 0x8010, 0x12345678);
	ck_assert_uint_eq(address_space_ldl(mem, 0xfffff010), 0x12345678);
	ck_assert_ptr_null(at(0x100000000));
}
END_TEST

START_TEST(a_container_clips_its_children)
{
	struct memory_region box, child;

	memory_region_init(&box, "box", 0x1000);
	memory_region_init_io(&child, "child", 0x4000, &any_ops, NULL);
	memory_region_add_subregion(&box, 0x800, &child);
	ck_assert_ptr_null(at(0x50800));
	memory_region_add_subregion(&system_memory, 0x50000, &box);
	ck_assert_ptr_null(at(0x507ff));
	ck_assert_ptr_eq(at(0x50800), &child);
	ck_assert_ptr_eq(at(0x50fff), &child);
	ck_assert_ptr_null(at(0x51000));
}
END_TEST

/* row-47 */
START_TEST(a_transaction_changes_once)
{
	struct memory_region a, b;
	unsigned before = map_changes;

	memory_region_init_io(&a, "a", 0x1000, &any_ops, NULL);
	memory_region_init_io(&b, "b", 0x1000, &any_ops, NULL);
	memory_region_transaction_begin();
	memory_region_add_subregion(&system_memory, 0x60000, &a);
	memory_region_add_subregion(&system_memory, 0x61000, &b);
	ck_assert_ptr_null(at(0x60000));
	memory_region_transaction_commit();
	ck_assert_ptr_eq(at(0x60000), &a);
	ck_assert_uint_eq(map_changes, before + 1);
	/* what cannot be seen is no change */
	memory_region_del_subregion(&system_memory, &b);
	memory_region_add_subregion_overlap(&system_memory, 0x60000, &b, -1);
	ck_assert_uint_eq(map_changes, before + 2);
}
END_TEST

/* row-20: a view goes in an exclusive section only, all old ones at once */
START_TEST(an_old_view_outlives_its_readers)
{
	struct cpu *reader = calloc(1, sizeof(*reader));
	const struct flat_view *old = flat_view_get(mem);

	first_cpu = reader;
	reader->created = true;
	memory_region_set_enabled(&io, false);
	ck_assert_ptr_ne(flat_view_get(mem), old);
	ck_assert_ptr_eq(flat_view_find(old, 0x20000)->mr, &io);
	memory_region_set_enabled(&io, true);
	ck_assert_ptr_eq(flat_view_find(old, 0x20000)->mr, &io);
	ck_assert_uint_eq(exclusive_work.n, 1);
	ck_assert_ptr_eq(exclusive_work.cpu, reader);
	bql_unlock();
	exclusive_work.func(reader, exclusive_work.data);  /* frees: asan's job */
	bql_lock();
	first_cpu = NULL;
	free(reader);
}
END_TEST

/* Random trees: the view against a search of the tree for each address. */
enum { N_RANDOM = 12, SPACE = 64 };

static struct memory_region *resolve(struct memory_region *mr, s64 addr, s64 *off)
{
	if (!mr->enabled || addr < 0 || addr >= (s64)mr->size)
		return NULL;
	if (mr->type == MR_ALIAS)
		return resolve(mr->alias, addr + (s64)mr->alias_offset, off);
	for (struct memory_region *c = mr->first_child; c; c = c->sibling) {
		struct memory_region *found =
			resolve(c, addr - (s64)c->addr, off);

		if (found)
			return found;
	}
	if (mr->type == MR_CONTAINER)
		return NULL;
	*off = addr;
	return mr;
}

static void random_tree(struct memory_region *r)
{
	for (int i = 0; i < N_RANDOM; i++) {
		u64 size = 1 + (u64)rand() % SPACE;
		struct memory_region *parent = i && rand() % 2 ?
			&r[rand() % i] : &system_memory;

		if (rand() % 3 == 0)
			memory_region_init(&r[i], "box", size);
		else if (i && rand() % 3 == 0)
			memory_region_init_alias(&r[i], "alias", &r[rand() % i],
						 (u64)rand() % 32, size);
		else
			memory_region_init_io(&r[i], "io", size, &any_ops, NULL);
		/* a region below its own alias would never end */
		if (parent->type == MR_ALIAS || r[i].type == MR_ALIAS)
			parent = &system_memory;
		memory_region_add_subregion_overlap(parent,
			0x80000 + (u64)rand() % SPACE -
			(parent == &system_memory ? 0 : 0x80000),
			&r[i], rand() % 4);
		if (rand() % 8 == 0)
			memory_region_set_enabled(&r[i], false);
	}
}

START_TEST(view_is_what_the_tree_says)
{
	struct memory_region r[N_RANDOM];

	srand((unsigned)_i);
	random_tree(r);
	for (gpa a = 0x80000 - 4; a < 0x80000 + 3 * SPACE; a++) {
		u64 off, len;
		s64 want = 0;
		struct memory_region *mr =
			address_space_translate(mem, a, &off, &len);

		ck_assert_ptr_eq(mr, resolve(&system_memory, (s64)a, &want));
		if (mr)
			ck_assert_uint_eq(off, (u64)want);
		ck_assert_uint_ge(len, 1);
	}
}
END_TEST

START_TEST(ports_are_found_by_their_table)
{
	struct memory_region port[8];
	static const u16 first[] = { 0, 0x20, 0x60, 0x61, 0x3f8, 0xcf8, 0xff00,
				     0xffff };
	const struct flat_view *v;

	for (int i = 0; i < 8; i++) {
		memory_region_init_io(&port[i], "port", 1, &any_ops, NULL);
		memory_region_add_subregion(&system_io, first[i], &port[i]);
	}
	v = flat_view_get(&address_space_io);
	ck_assert_ptr_nonnull(v->port);
	for (u32 p = 0; p < 0x10000; p++) {
		const struct flat_range *r = flat_view_find(v, p);

		ck_assert(r->start <= p && p <= r->last);
	}
	ck_assert_ptr_eq(flat_view_find(v, 0x61)->mr, &port[3]);
	ck_assert_ptr_null(flat_view_find(v, 0x62)->mr);
	ck_assert_ptr_null(flat_view_find(v, 0x10000)->mr);
	ck_assert_uint_eq(address_space_lduw(&address_space_io, 0xffff) >> 8,
			  0xff);
}
END_TEST

/* -- loads and stores ---------------------------------------------------------------- */

/* row-46 */
START_TEST(all_sizes_everywhere_in_ram)
{
	for (gpa a = 0; a < 40; a++) {
		address_space_stq(mem, a, 0x1122334455667788ull);
		ck_assert_uint_eq(address_space_ldq(mem, a),
				  0x1122334455667788ull);
		ck_assert_uint_eq(address_space_ldl(mem, a + 1), 0x44556677u);
		ck_assert_uint_eq(address_space_lduw(mem, a + 3), 0x4455);
		ck_assert_uint_eq(address_space_ldub(mem, a + 7), 0x11);
		address_space_stb(mem, a + 7, 0xaa);
		address_space_stw(mem, a + 5, 0xbbcc);
		address_space_stl(mem, a, 0xddeeff00);
		ck_assert_uint_eq(address_space_ldq(mem, a),
				  0xaabbcc44ddeeff00ull);
		ck_assert_uint_eq(invalidated.addr, a);
		ck_assert_uint_eq(invalidated.n, 4);
	}
}
END_TEST

START_TEST(rom_keeps_its_bytes)
{
	static const u8 bytes[] = { 1, 2, 3, 4 };

	address_space_write_rom(mem, 0x10000, bytes, 4);
	ck_assert_uint_eq(invalidated.addr, 0x10000);
	address_space_stl(mem, 0x10000, 0);
	address_space_write(mem, 0x10000, "zzzz", 4);
	memory_region_dispatch_write(&rom, 0, 0, 4);
	ck_assert_uint_eq(address_space_ldl(mem, 0x10000), 0x04030201);
	/* RAM to ROM: the half in RAM is written */
	address_space_stl(mem, 0xfffe, 0xaabbccdd);
	ck_assert_uint_eq(address_space_ldl(mem, 0xfffe), 0x0201ccdd);
}
END_TEST

START_TEST(nothing_reads_as_ones)
{
	u8 buf[4] = { 0 };

	ck_assert_uint_eq(address_space_ldq(mem, 0x30000), ~0ull);
	ck_assert_uint_eq(address_space_ldub(mem, 0x30000), 0xff);
	address_space_stl(mem, 0x30000, 1);
	address_space_read(mem, 0x30000, buf, 4);
	ck_assert_uint_eq(buf[3], 0xff);
	ck_assert_uint_eq(memory_region_dispatch_read(NULL, 0, 2), 0xffff);
	memory_region_dispatch_write(NULL, 0, 0, 2);
	/* ROM's end and nothing */
	address_space_write_rom(mem, 0x1ffff, "\x12", 1);
	ck_assert_uint_eq(address_space_lduw(mem, 0x1ffff),
			  0x12 | 0x11 << 8);      /* the device follows      */
	ck_assert_uint_eq(address_space_ldl(mem, 0x200fe) >> 16, 0xffff);
}
END_TEST

/* size asked for, ops, and the accesses a device sees */
static const struct split {
	const struct memory_region_ops *ops;
	unsigned size, calls, call_size;
} splits[] = {
	{ &any_ops, 1, 1, 1 }, { &any_ops, 2, 1, 2 }, { &any_ops, 4, 1, 4 },
	{ &any_ops, 8, 2, 4 }, { &byte_ops, 1, 1, 1 }, { &byte_ops, 4, 4, 1 },
	{ &byte_ops, 8, 8, 1 }, { &long_ops, 1, 1, 4 }, { &long_ops, 2, 1, 4 },
	{ &long_ops, 8, 2, 4 },
};

START_TEST(devices_get_the_sizes_they_take)
{
	const struct split *s = &splits[_i];
	u64 mask = s->size == 8 ? ~0ull : (1ull << 8 * s->size) - 1;

	io.ops = s->ops;
	ck_assert_uint_eq(memory_region_dispatch_read(&io, 0, s->size),
			  0x8877665544332211ull & mask);
	memory_region_dispatch_write(&io, 0, 0x8877665544332211ull, s->size);
	ck_assert_int_eq(n_seen, (int)(2 * s->calls));
	for (int i = 0; i < n_seen; i++) {
		ck_assert_uint_eq(seen[i].size, s->call_size);
		ck_assert_uint_eq(seen[i].addr,
				  (unsigned)i % s->calls * s->call_size);
	}
	ck_assert_uint_eq(seen[s->calls].val & 0xff, 0x11);
}
END_TEST

START_TEST(a_device_without_callbacks)
{
	io.ops = &dead_ops;
	ck_assert_uint_eq(address_space_ldl(mem, 0x20000), 0xffffffff);
	address_space_stl(mem, 0x20000, 5);
}
END_TEST

START_TEST(blocks_reach_devices_aligned)
{
	u8 buf[16];

	address_space_read(mem, 0x20001, buf, 11);
	ck_assert_int_eq(n_seen, 4);              /* 1 + 2 + 4 + 4           */
	ck_assert_uint_eq(seen[0].size, 1);
	ck_assert_uint_eq(seen[1].size, 2);
	ck_assert_uint_eq(seen[2].size, 4);
	ck_assert_uint_eq(seen[3].addr, 8);
	ck_assert_uint_eq(buf[0], 0x22);
	n_seen = 0;
	address_space_write(mem, 0x1fffe, "abcdef", 6);
	ck_assert_int_eq(n_seen, 1);
	ck_assert_uint_eq(seen[0].val, 'c' | 'd' << 8 | 'e' << 16 | 'f' << 24);
}
END_TEST

/* -- the BQL ------------------------------------------------------------------------- */

/* row-03, row-06 */
START_TEST(callbacks_have_the_lock)
{
	bql_unlock();
	address_space_stl(mem, 0x20000, 1);
	address_space_ldl(mem, 0x20000);
	ck_assert(!bql_held());
	memory_region_clear_global_locking(&io);
	address_space_ldl(mem, 0x20000);
	bql_lock();
	address_space_ldl(mem, 0x20000);
	ck_assert(bql_held());
	ck_assert(seen[0].locked && seen[1].locked && !seen[2].locked);
	ck_assert(prepare_mmio_access(&io) == false);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("qemu/memory");
	TCase *t = tcase_create("memory");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, arena_is_low_and_in_order);
	tcase_add_test(t, window_shows_ram_in_its_place);
	tcase_add_test(t, ranges_and_holes);
	tcase_add_test(t, priority_decides);
	tcase_add_test(t, the_newer_of_equals_wins);
	tcase_add_test(t, alias_shows_a_part);
	tcase_add_test(t, a_container_clips_its_children);
	tcase_add_test(t, a_transaction_changes_once);
	tcase_add_test(t, an_old_view_outlives_its_readers);
	tcase_add_loop_test(t, view_is_what_the_tree_says, 0, 100);
	tcase_add_test(t, ports_are_found_by_their_table);
	tcase_add_test(t, all_sizes_everywhere_in_ram);
	tcase_add_test(t, rom_keeps_its_bytes);
	tcase_add_test(t, nothing_reads_as_ones);
	tcase_add_loop_test(t, devices_get_the_sizes_they_take, 0,
			    (int)ARRAY_SIZE(splits));
	tcase_add_test(t, a_device_without_callbacks);
	tcase_add_test(t, blocks_reach_devices_aligned);
	tcase_add_test(t, callbacks_have_the_lock);
	suite_add_tcase(s, t);
	return suite_main(s);
}
