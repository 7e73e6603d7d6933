/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/hw/ports.c - registers of a chip in the port space. */
#include "hw/ports.h"

#include <stdlib.h>

#include "env/log.h"

struct memory_region *ports_map(struct memory_region *io, const char *name,
				u16 first, unsigned count,
				const struct memory_region_ops *ops,
				void *opaque)
{
	struct memory_region *mr = calloc(1, sizeof(*mr));

	if (!mr)
		die("out of memory");
	memory_region_init_io(mr, name, count, ops, opaque);
	memory_region_add_subregion(io, first, mr);
	return mr;
}
