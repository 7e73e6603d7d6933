/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qemu/loader*: plans of right images, and thousands of damaged ones. The
 * damaged ones must give an error or a plan whose parts lie in RAM, apart from
 * each other; MODE=asan sees reads beyond the file. tests/cli has the error
 * messages. */
#include <stdio.h>

#include "child.h"
#include "qemu/loader.h"
#include "qemu/memory.h"

#define MB (1u << 20)
#define KERNEL_BYTES 2048

struct machine_config machine_config;
struct address_space address_space_memory;
const u8 demo_guest_start[1], demo_guest_end[1];

/* Guest memory for boot_reset(). */
static u8 memory[32 * MB];

void address_space_write_rom(struct address_space *as, gpa a, const void *buf,
			     u64 n)
{
	(void)as;
	ck_assert_uint_le(a + n, sizeof(memory));
	memcpy(memory + a, buf, n);
}

static struct boot_plan plan;

static bool make(const u8 *image, size_t size, u64 ram)
{
	/* just this size, so that asan sees its end */
	static u8 *copy;

	free(copy);
	copy = malloc(size);
	memcpy(copy, image, size);
	boot_plan_init(&plan, ram);
	plan.kernel_name = "kernel";
	plan.append = "quiet";
	plan.kernel.data = copy;
	plan.kernel.size = size;
	return boot_plan_make(&plan);
}

static void made(const u8 *image, size_t size, u64 ram)
{
	ck_assert_msg(make(image, size, ram), "%s", plan.err);
}

static const struct boot_blob *blob_of(gpa addr)
{
	for (int i = 0; i < plan.n_blobs; i++)
		if (addr >= plan.blob[i].addr &&
		    addr - plan.blob[i].addr < plan.blob[i].mem_size)
			return &plan.blob[i];
	ck_abort_msg("nothing at %#llx", (unsigned long long)addr);
	return NULL;
}

/* Bytes of the plan at a guest address. */
static const u8 *at(gpa addr)
{
	const struct boot_blob *b = blob_of(addr);

	return b->data + (addr - b->addr);
}

static void plan_is_sane(u64 ram)
{
	for (int i = 0; i < plan.n_blobs; i++) {
		const struct boot_blob *b = &plan.blob[i];
		gpa end = b->addr + b->mem_size;

		ck_assert_uint_le(b->size, b->mem_size);
		ck_assert_uint_ge(end, b->addr);
		ck_assert(end <= 0xa0000 || (b->addr >= MB && end <= ram));
		for (int k = 0; k < i; k++)
			ck_assert(plan.blob[k].addr >= end ||
				  plan.blob[k].addr + plan.blob[k].mem_size <=
				  b->addr);
	}
	ck_assert(plan.state.valid);
	blob_of(plan.state.eip);
	blob_of(plan.state.gdt_base);
}

/* -- images ------------------------------------------------------------------------ */
static u8 image[KERNEL_BYTES];

static void header_at(u32 ofs, u32 flags)
{
	put_u32(image + ofs, 0x1badb002);
	put_u32(image + ofs + 4, flags);
	put_u32(image + ofs + 8, -(0x1badb002 + flags));
}

/* Two segments; the first runs at C0100000h. */
static void make_elf(void)
{
	static const u8 ident[] = "\177ELF\1\1\1";

	memset(image, 0, sizeof(image));
	memcpy(image, ident, 7);
	put_u16(image + 16, 2);
	put_u16(image + 18, 3);
	put_u32(image + 24, 0xc0100020);
	put_u32(image + 28, 52);
	put_u16(image + 42, 32);
	put_u16(image + 44, 2);
	for (u32 i = 0; i < 2; i++) {
		u8 *ph = image + 52 + 32 * i;

		put_u32(ph, 1);
		put_u32(ph + 4, 0x200 * (i + 1));
		put_u32(ph + 8, 0xc0100000 + 0x1000 * i);
		put_u32(ph + 12, 0x100000 + 0x1000 * i);
		put_u32(ph + 16, 0x200);
		put_u32(ph + 20, 0x800);
	}
	header_at(0x200, 3);
	memset(image + 0x20c, 0x90, 0x1f4);
}

static void make_aout(void)
{
	memset(image, 0x90, sizeof(image));
	header_at(64, 0x10003);
	put_u32(image + 76, 0x200040);
	put_u32(image + 80, 0x200000);
	put_u32(image + 84, 0x200600);
	put_u32(image + 88, 0x201000);
	put_u32(image + 92, 0x200060);
}

static void make_linux(void)
{
	memset(image, 0, sizeof(image));
	image[0x1f1] = 1;
	put_u32(image + 0x1f4, (KERNEL_BYTES - 1024) / 16);
	put_u16(image + 0x1fe, 0xaa55);
	image[0x200] = 0xeb;
	image[0x201] = 0x66;
	memcpy(image + 0x202, "HdrS", 4);
	put_u16(image + 0x206, 0x20c);
	image[0x211] = 1;
	put_u32(image + 0x214, 0x100000);
	put_u32(image + 0x22c, 0x7fffffff);
	put_u32(image + 0x230, 0x1000);
	put_u32(image + 0x238, 255);
	put_u64(image + 0x258, 0x100000);
	put_u32(image + 0x260, 0x10000);
}

/* -- right ones ---------------------------------------------------------------------- */

START_TEST(elf_segments)
{
	make_elf();
	made(image, sizeof(image), 16 * MB);
	plan_is_sane(16 * MB);
	ck_assert_uint_eq(plan.state.eip, 0x100020);
	ck_assert_uint_eq(plan.state.eax, 0x2badb002);
	ck_assert_uint_eq(plan.blob[0].addr, 0x100000);
	ck_assert_uint_eq(plan.blob[0].mem_size, 0x800);
	ck_assert_uint_eq(plan.blob[1].addr, 0x101000);
}
END_TEST

START_TEST(aout_addresses)
{
	make_aout();
	made(image, sizeof(image), 16 * MB);
	plan_is_sane(16 * MB);
	ck_assert_uint_eq(plan.state.eip, 0x200060);
	ck_assert_uint_eq(plan.blob[0].addr, 0x200000);
	ck_assert_uint_eq(plan.blob[0].size, 0x600);
	ck_assert_uint_eq(plan.blob[0].mem_size, 0x1000);
	ck_assert_mem_eq(plan.blob[0].data, image, 0x600);
}
END_TEST

START_TEST(multiboot_information)
{
	const u8 *info;
	u64 ram = 0;

	make_elf();
	made(image, sizeof(image), 16 * MB);
	info = at(plan.state.ebx);
	ck_assert_uint_eq(get_u32(info), 0x24d);
	ck_assert_uint_eq(get_u32(info + 4), 639);
	ck_assert_uint_eq(get_u32(info + 8), 15 * 1024);
	ck_assert_str_eq((const char *)at(get_u32(info + 16)), "kernel quiet");
	ck_assert_str_eq((const char *)at(get_u32(info + 64)), "smew");
	ck_assert_uint_eq(get_u32(info + 20), 0);
	for (u32 i = 0; i < get_u32(info + 44); i += 24) {
		const u8 *e = at(get_u32(info + 48) + i);

		ck_assert_uint_eq(get_u32(e), 20);
		if (get_u32(e + 20) == 1)
			ram += get_u64(e + 12);
	}
	ck_assert_uint_eq(ram, 15 * MB + 0x9fc00);
}
END_TEST

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
}

START_TEST(multiboot_modules)
{
	char a[64], list[256];
	const u8 *info, *mod;

	snprintf(a, sizeof(a), "/tmp/smew-module-%d", (int)getpid());
	write_file(a, "first");
	snprintf(list, sizeof(list), "%s x,,y z,%s", a, a);
	make_elf();
	boot_plan_init(&plan, 16 * MB);
	plan.kernel_name = "k";
	plan.append = "";
	plan.initrd = list;
	plan.kernel = (struct file){ image, sizeof(image) };
	ck_assert_msg(boot_plan_make(&plan), "%s", plan.err);
	unlink(a);
	info = at(plan.state.ebx);
	ck_assert_uint_eq(get_u32(info + 20), 2);
	mod = at(get_u32(info + 24));
	ck_assert_uint_eq(get_u32(mod), 0x102000);
	ck_assert_uint_eq(get_u32(mod + 4), 0x102005);
	ck_assert_mem_eq(at(get_u32(mod)), "first", 5);
	ck_assert_ptr_nonnull(strstr((const char *)at(get_u32(mod + 8)),
				     " x,y z"));
	ck_assert_uint_eq(get_u32(mod + 16), 0x103000);
}
END_TEST

START_TEST(linux_boot_params)
{
	const u8 *p;

	make_linux();
	made(image, sizeof(image), 16 * MB);
	plan_is_sane(16 * MB);
	ck_assert_uint_eq(plan.state.eip, 0x100000);
	ck_assert_uint_eq(plan.state.cs, 0x10);
	ck_assert_uint_eq(plan.state.ds, 0x18);
	p = at(plan.state.esi);
	ck_assert_mem_eq(p + 0x202, "HdrS", 4);
	ck_assert_uint_eq(p[0x210], 0xff);
	ck_assert_str_eq((const char *)at(get_u32(p + 0x228)), "quiet");
	ck_assert_uint_eq(p[0x1e8], 5);
	ck_assert_uint_eq(get_u64(p + 0x2d0 + 8), 0x9fc00);
	ck_assert_uint_eq(get_u32(p + 0x1e0), 15 * 1024);
	ck_assert_uint_eq(p[7], 80);
	ck_assert_uint_eq(p[14], 25);
	ck_assert_uint_eq(get_u64(at(plan.state.gdt_base) + 0x10),
			  0x00cf9b000000ffff);
}
END_TEST

START_TEST(linux_initrd_is_high)
{
	char path[64];
	const u8 *p;

	snprintf(path, sizeof(path), "/tmp/smew-initrd-%d", (int)getpid());
	write_file(path, "initrd");
	make_linux();
	boot_plan_init(&plan, 16 * MB);
	plan.kernel_name = "k";
	plan.append = "";
	plan.initrd = path;
	plan.kernel = (struct file){ image, sizeof(image) };
	ck_assert_msg(boot_plan_make(&plan), "%s", plan.err);
	unlink(path);
	p = at(plan.state.esi);
	ck_assert_uint_eq(get_u32(p + 0x218), 16 * MB - 4096);
	ck_assert_uint_eq(get_u32(p + 0x21c), 6);
	ck_assert_mem_eq(at(16 * MB - 4096), "initrd", 6);
}
END_TEST

START_TEST(places)
{
	boot_plan_init(&plan, 4 * MB);
	plan.kernel_name = "k";
	ck_assert_uint_eq(boot_place_below(&plan, 4096, 4096, ~0u), 4 * MB - 4096);
	ck_assert_uint_eq(boot_place_below(&plan, 4096, 4096, 0xa0000), 0x9e000);
	ck_assert_uint_eq(boot_place_below(&plan, 1, 1, 0x1001), 0x1000);
	ck_assert_uint_eq(boot_place_below(&plan, 2, 1, 0x1001), 0);
	ck_assert_uint_eq(boot_place_above(&plan, 1, 4096, MB), MB);
	ck_assert_uint_eq(boot_place_above(&plan, 4 * MB, 1, 0), 0);
	ck_assert(boot_add(&plan, "x", MB, image, 100, 5000));
	ck_assert(!boot_add(&plan, "y", MB + 4999, image, 1, 1));
	ck_assert_uint_eq(boot_place_above(&plan, 1, 4096, MB), MB + 8192);
	ck_assert(boot_add(&plan, "z", 4 * MB - 4096, image, 1, 4096));
	ck_assert_uint_eq(boot_place_below(&plan, 1, 1, ~0u), 4 * MB - 4097);
	ck_assert(!boot_add(&plan, "end", 4 * MB - 1, image, 2, 2));
	ck_assert(!boot_add(&plan, "wrap", ~0ull, image, 2, 2));
}
END_TEST

/* -- power-on and reset ------------------------------------------------------------------- */

/* The image and its zeroes come back; other memory keeps what it had. */
START_TEST(reset_restores_the_image)
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/tmp/smew-kernel-%d", (int)getpid());
	make_aout();
	f = fopen(path, "w");
	fwrite(image, 1, sizeof(image), f);
	fclose(f);
	machine_config.ram_size = 16 * MB;
	machine_config.kernel = path;
	ck_assert_ptr_null(boot_load(&machine_config));
	unlink(path);
	bql_lock();
	boot_reset();
	ck_assert_mem_eq(memory + 0x200000, image, 0x600);
	ck_assert_uint_eq(boot_state.eip, 0x200060);
	memset(memory + 0x200000, 0x55, 0x2000);
	boot_state.eip = 0;
	boot_reset();
	ck_assert_mem_eq(memory + 0x200000, image, 0x600);
	ck_assert_uint_eq(memory[0x200600], 0);
	ck_assert_uint_eq(memory[0x200fff], 0);
	ck_assert_uint_eq(memory[0x201000], 0x55);
	ck_assert_uint_eq(boot_state.eip, 0x200060);
}
END_TEST

/* -- small memory ---------------------------------------------------------------------- */

START_TEST(one_megabyte)
{
	make_elf();
	ck_assert(!make(image, sizeof(image), MB));
	made(image, sizeof(image), 2 * MB);
	plan_is_sane(2 * MB);
}
END_TEST

/* -- damage ------------------------------------------------------------------------------ */
static void (*const makers[])(void) = { make_elf, make_aout, make_linux };

/* Values at which comparisons and additions go wrong. */
static u32 nasty(void)
{
	static const u32 v[] = { 0, 1, 0x7fffffff, 0x80000000, 0xffffffff,
				 0xfffff000, 0x100000, 0xfffff, 0x1000000 };

	return rand() % 4 ? v[(size_t)rand() % ARRAY_SIZE(v)] + (u32)(rand() % 5)
		- 2 : (u32)rand();
}

static void damage(u32 header, u32 len)
{
	for (int n = 1 + rand() % 4; n; n--) {
		u32 at = header + (u32)rand() % len;

		if (rand() % 2)
			image[at] = (u8)rand();
		else
			put_u32(image + (at & ~3u), nasty());
	}
	/* keep what the search looks for, most of the time */
	if (header == 0x200 || header == 64)
		header_at(header, get_u32(image + header + 4));
}

START_TEST(damaged_images)
{
	/* where each format's fields stand: ELF, header, Linux */
	static const struct { int maker; u32 at, len; } where[] = {
		{ 0, 0, 116 }, { 0, 0x200, 32 }, { 1, 64, 32 },
		{ 2, 0x1f0, 0x78 },
	};

	srand((unsigned)_i + 1);
	for (int n = 0; n < 500; n++) {
		size_t w = (size_t)rand() % ARRAY_SIZE(where);
		size_t size = rand() % 4 ? sizeof(image) :
			1 + (size_t)rand() % sizeof(image);
		u64 ram = (u64)(1 + rand() % 32) * MB;

		makers[where[w].maker]();
		damage(where[w].at, where[w].len);
		if (make(image, size, ram))
			plan_is_sane(ram);
		else
			ck_assert(plan.err[0] && !strchr(plan.err, '\n'));
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("qemu/loader");
	TCase *t = tcase_create("loader");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, elf_segments);
	tcase_add_test(t, aout_addresses);
	tcase_add_test(t, multiboot_information);
	tcase_add_test(t, multiboot_modules);
	tcase_add_test(t, linux_boot_params);
	tcase_add_test(t, linux_initrd_is_high);
	tcase_add_test(t, places);
	tcase_add_test(t, reset_restores_the_image);
	tcase_add_test(t, one_megabyte);
	tcase_add_loop_test(t, damaged_images, 0, 40);
	suite_add_tcase(s, t);
	return suite_main(s);
}
