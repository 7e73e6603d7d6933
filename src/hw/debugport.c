/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/hw/debugport.c - debug console, isa-debug-exit, POST codes. Upstream:
 * debugcon.c, debugexit.c, ioport80. */
#include "hw/debugport.h"

#include "hw/ports.h"
#include "qemu/chardev.h"
#include "qemu/runstate.h"

enum { DEBUGCON_ID = 0xe9, EXIT_CODE_MASK = 0xff };

static u64 debugcon_read(void *opaque, gpa addr, unsigned size)
{
	(void)opaque, (void)addr, (void)size;
	return DEBUGCON_ID;
}

static void debugcon_write(void *opaque, gpa addr, u64 val, unsigned size)
	REQUIRES(bql)
{
	u8 byte = val;

	(void)addr, (void)size;
	chardev_write(opaque, &byte, 1);
}

static const struct memory_region_ops debugcon_ops = {
	debugcon_read, debugcon_write, 1, 1
};

void debugcon_new(struct memory_region *io, u16 port, struct chardev *chr)
{
	ports_map(io, "debugcon", port, 1, &debugcon_ops, chr);
}

static u64 debug_exit_read(void *opaque, gpa addr, unsigned size)
{
	(void)opaque, (void)addr, (void)size;
	return 0;
}

static void debug_exit_write(void *opaque, gpa addr, u64 val, unsigned size)
	REQUIRES(bql)
{
	(void)opaque, (void)addr, (void)size;
	qemu_system_exit_request((int)((val << 1 | 1) & EXIT_CODE_MASK));
}

static const struct memory_region_ops debug_exit_ops = {
	debug_exit_read, debug_exit_write, 1, 4
};

void debug_exit_new(struct memory_region *io, u16 iobase, u16 iosize)
{
	ports_map(io, "isa-debug-exit", iobase, iosize, &debug_exit_ops, NULL);
}

static const struct memory_region_ops post_ops = { NULL, NULL, 1, 4 };

void post_port_new(struct memory_region *io)
{
	memory_region_clear_global_locking(ports_map(io, "post", 0x80, 1,
						     &post_ops, NULL));
}
