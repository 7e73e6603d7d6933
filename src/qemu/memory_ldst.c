/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/qemu/memory_ldst.c - loads and stores in an address space, and the
 * dispatch of one access to a device. Upstream: memory_ldst.c.inc, and
 * memory_region_dispatch_read/write, access_with_adjusted_size.
 *
 * An access within one range of RAM is a host access. What crosses ranges goes
 * piece by piece, each naturally aligned and of at most 4 bytes at a device.
 * DIFF: upstream gives an access that crosses regions to the first one. */
#include <string.h>

#include "env/lockstat.h"
#include "env/log.h"
#include "qemu/flatview.h"
#include "qemu/memory.h"

enum { MAX_ACCESS = 4 };

/* -- one access to one region --------------------------------------------------- */

/* UNCHECKED: the lock is taken on a condition, which clang cannot follow. */
UNCHECKED bool prepare_mmio_access(struct memory_region *mr)
{
	if (!mr->global_locking || bql_held())
		return false;
	bql_lock();
	lockstat_device(mr->name);
	return true;
}

static UNCHECKED void finish_mmio_access(bool locked)
{
	if (locked)
		bql_unlock();
}

static u64 size_mask(unsigned size)
{
	return size >= 8 ? ~0ull : (1ull << 8 * size) - 1;
}

/* What the device gets for an access of `size` bytes. */
static unsigned device_size(const struct memory_region_ops *ops, unsigned size)
{
	unsigned min = ops->min_size ? ops->min_size : 1;
	unsigned max = ops->max_size ? ops->max_size : MAX_ACCESS;

	return MAX(MIN(size, max), min);
}

/* May the device get the access as it is? The commonest case by far. */
static inline bool fits(const struct memory_region *mr, gpa off, unsigned size)
{
	const struct memory_region_ops *ops = mr->ops;

	return size >= ops->min_size && size <= (ops->max_size ? ops->max_size : MAX_ACCESS) &&
	       off < mr->size;
}

static __attribute__((noinline)) u64 io_read_parts(struct memory_region *mr, gpa off,
						   unsigned size)
{
	unsigned step = device_size(mr->ops, size);
	u64 v = 0;

	for (unsigned i = 0; i < size; i += step) {
		u64 part = ~0ull;

		if (mr->ops->read && off + i < mr->size)
			part = mr->ops->read(mr->opaque, off + i, step);
		v |= (part & size_mask(step)) << 8 * i;
	}
	return v & size_mask(size);
}

static inline u64 io_read(struct memory_region *mr, gpa off, unsigned size)
{
	if (mr->ops->read && fits(mr, off, size))
		return mr->ops->read(mr->opaque, off, size) & size_mask(size);
	return io_read_parts(mr, off, size);
}

static void io_write(struct memory_region *mr, gpa off, u64 v, unsigned size)
{
	unsigned step = device_size(mr->ops, size);

	if (!mr->ops->write)
		return;
	if (fits(mr, off, size)) {
		mr->ops->write(mr->opaque, off, v & size_mask(size), size);
		return;
	}
	for (unsigned i = 0; i < size && off + i < mr->size; i += step)
		mr->ops->write(mr->opaque, off + i, v >> 8 * i & size_mask(step),
			       step);
}

static bool is_ram(const struct memory_region *mr)
{
	return mr->type == MR_RAM || mr->type == MR_ROM;
}

u64 memory_region_dispatch_read(struct memory_region *mr, gpa off, unsigned size)
{
	u64 v = 0;
	bool locked;

	if (!mr)
		return size_mask(size);
	if (is_ram(mr)) {
		memcpy(&v, memory_region_host(mr) + off, size);
		return v;
	}
	locked = prepare_mmio_access(mr);
	v = io_read(mr, off, size);
	finish_mmio_access(locked);
	return v;
}

void memory_region_dispatch_write(struct memory_region *mr, gpa off, u64 v,
				  unsigned size)
{
	bool locked;

	if (!mr || mr->type == MR_ROM)
		return;
	if (mr->type == MR_RAM) {
		memcpy(memory_region_host(mr) + off, &v, size);
		tb_invalidate_phys_range(mr->ram + off, size);
		return;
	}
	locked = prepare_mmio_access(mr);
	io_write(mr, off, v, size);
	finish_mmio_access(locked);
}

/* -- any number of bytes ----------------------------------------------------------- */

/* The largest aligned power of two at `off` that a device access may have. */
static unsigned io_step(u64 off, u64 left)
{
	unsigned step = MAX_ACCESS;

	while (step > left || off & (step - 1))
		step /= 2;
	return step;
}

static void read_device(struct memory_region *mr, u64 off, u8 *to, u64 n)
{
	unsigned step;

	for (; n; n -= step, off += step, to += step) {
		u64 v;

		step = io_step(off, n);
		v = memory_region_dispatch_read(mr, off, step);
		memcpy(to, &v, step);
	}
}

static void write_device(struct memory_region *mr, u64 off, const u8 *from, u64 n)
{
	unsigned step;

	for (; n; n -= step, off += step, from += step) {
		u64 v = 0;

		step = io_step(off, n);
		memcpy(&v, from, step);
		memory_region_dispatch_write(mr, off, v, step);
	}
}

/* The view is looked at anew for each range: a device may have changed it. */
void address_space_read(struct address_space *as, gpa a, void *buf, u64 n)
{
	u8 *to = buf;

	while (n) {
		u64 off, len;
		struct memory_region *mr =
			address_space_translate(as, a, &off, &len);

		len = MIN(len, n);
		if (!mr)
			memset(to, 0xff, len);
		else if (is_ram(mr))
			memcpy(to, memory_region_host(mr) + off, len);
		else
			read_device(mr, off, to, len);
		a += len, to += len, n -= len;
	}
}

static void write_ram(struct memory_region *mr, u64 off, const u8 *from, u64 n)
{
	memcpy(memory_region_host(mr) + off, from, n);
	tb_invalidate_phys_range(mr->ram + off, n);
}

void address_space_write(struct address_space *as, gpa a, const void *buf, u64 n)
{
	const u8 *from = buf;

	while (n) {
		u64 off, len;
		struct memory_region *mr =
			address_space_translate(as, a, &off, &len);

		len = MIN(len, n);
		if (mr && mr->type == MR_RAM)
			write_ram(mr, off, from, len);
		else if (mr && mr->type == MR_IO)
			write_device(mr, off, from, len);
		a += len, from += len, n -= len;
	}
}

void address_space_write_rom(struct address_space *as, gpa a, const void *buf,
			     u64 n)
{
	const u8 *from = buf;

	while (n) {
		u64 off, len;
		struct memory_region *mr =
			address_space_translate(as, a, &off, &len);

		len = MIN(len, n);
		if (mr && is_ram(mr))
			write_ram(mr, off, from, len);
		a += len, from += len, n -= len;
	}
}

/* -- 1, 2, 4, 8 bytes ------------------------------------------------------------------ */

static inline __attribute__((always_inline))
u64 load(struct address_space *as, gpa a, unsigned size)
{
	const struct flat_range *r = flat_view_find(flat_view_get(as), a);
	u64 ofs = a - r->start, v = 0;

	if (r->last - a < size - 1) {
		address_space_read(as, a, &v, size);
		return v;
	}
	if (r->host) {
		memcpy(&v, r->host + ofs, size);
		return v;
	}
	return memory_region_dispatch_read(r->mr, r->offset + ofs, size);
}

static inline __attribute__((always_inline))
void store(struct address_space *as, gpa a, u64 v, unsigned size)
{
	const struct flat_range *r = flat_view_find(flat_view_get(as), a);
	u64 ofs = a - r->start;

	if (r->last - a < size - 1) {
		address_space_write(as, a, &v, size);
	} else if (r->host && r->mr->type == MR_RAM) {
		memcpy(r->host + ofs, &v, size);
		tb_invalidate_phys_range(r->mr->ram + r->offset + ofs, size);
	} else {
		memory_region_dispatch_write(r->mr, r->offset + ofs, v, size);
	}
}

#define LDST(ld, st, type)                                                   \
	type address_space_##ld(struct address_space *as, gpa a)             \
	{                                                                    \
		return (type)load(as, a, sizeof(type));                      \
	}                                                                    \
	void address_space_##st(struct address_space *as, gpa a, type v)     \
	{                                                                    \
		store(as, a, v, sizeof(type));                               \
	}
LDST(ldub, stb, u8)
LDST(lduw, stw, u16)
LDST(ldl, stl, u32)
LDST(ldq, stq, u64)
#undef LDST
