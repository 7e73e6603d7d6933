/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/hw/ports.h - how a chip puts its registers into the port space. The
 * unit tests put a fake in the place of ports.c. */
#ifndef HW_PORTS_H
#define HW_PORTS_H

#include "qemu/memory.h"

/* Answer for the `count` ports from `first` on in the container `io`; `ops`
 * see addresses relative to `first`. Returns the new region, which lives as
 * long as the machine. */
struct memory_region *ports_map(struct memory_region *io, const char *name,
				u16 first, unsigned count,
				const struct memory_region_ops *ops,
				void *opaque) REQUIRES(bql);

#endif
