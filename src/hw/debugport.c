/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/hw/debugport.c - debug console, isa-debug-exit, POST codes. Upstream:
 * debugcon.c, debugexit.c, ioport80.
 *
 * None of them has state, so their ports take no lock: bytes of the console go
 * to chardev_post(). Only the write that ends the program takes the BQL. */
#include "hw/debugport.h"

#include "hw/ports.h"
#include "qemu/chardev.h"
#include "qemu/runstate.h"

enum { DEBUGCON_ID = 0xe9, EXIT_CODE_MASK = 0xff };

/* One range of ports that takes no lock. */
static void map_lock_free(struct memory_region *io, const char *name, u16 port,
			  u16 count, const struct memory_region_ops *ops,
			  void *opaque) REQUIRES(bql)
{
	memory_region_clear_global_locking(ports_map(io, name, port, count, ops,
						     opaque));
}

static u64 debugcon_read(void *opaque, gpa addr, unsigned size)
{
	(void)opaque, (void)addr, (void)size;
	return DEBUGCON_ID;
}

static void debugcon_write(void *opaque, gpa addr, u64 val, unsigned size)
{
	u8 byte = val;

	(void)addr, (void)size;
	chardev_post(opaque, &byte, 1);
}

static const struct memory_region_ops debugcon_ops = {
	debugcon_read, debugcon_write, 1, 1
};

void debugcon_new(struct memory_region *io, u16 port, struct chardev *chr)
{
	map_lock_free(io, "debugcon", port, 1, &debugcon_ops, chr);
}

static u64 debug_exit_read(void *opaque, gpa addr, unsigned size)
{
	(void)opaque, (void)addr, (void)size;
	return 0;
}

/* UNCHECKED: the lock is taken on a condition, and kept: there is no return. */
static UNCHECKED void debug_exit_write(void *opaque, gpa addr, u64 val,
				       unsigned size)
{
	(void)opaque, (void)addr, (void)size;
	if (!bql_held())
		bql_lock();
	qemu_system_exit_request((int)((val << 1 | 1) & EXIT_CODE_MASK));
}

static const struct memory_region_ops debug_exit_ops = {
	debug_exit_read, debug_exit_write, 1, 4
};

void debug_exit_new(struct memory_region *io, u16 iobase, u16 iosize)
{
	map_lock_free(io, "isa-debug-exit", iobase, iosize, &debug_exit_ops,
		      NULL);
}

static const struct memory_region_ops post_ops = { NULL, NULL, 1, 4 };

void post_port_new(struct memory_region *io)
{
	map_lock_free(io, "post", 0x80, 1, &post_ops, NULL);
}
