/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/hw/debugport.h - ports that exist only in emulators, and the POST
 * code port. */
#ifndef HW_DEBUGPORT_H
#define HW_DEBUGPORT_H

#include "env/lock.h"

struct chardev;
struct memory_region;

/* Bochs' debug console: what is written at `port` goes to `chr`; reads give
 * E9h, by which a guest knows that it is there. */
void debugcon_new(struct memory_region *io, u16 port, struct chardev *chr)
	REQUIRES(bql);
/* isa-debug-exit: a write of v ends the program with exit code (v << 1) | 1. */
void debug_exit_new(struct memory_region *io, u16 iobase, u16 iosize)
	REQUIRES(bql);
/* Port 80h: POST codes, and what kernels write to in order to wait for a
 * microsecond. Nothing looks at it; it takes no lock. */
void post_port_new(struct memory_region *io) REQUIRES(bql);

#endif
