/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/hw/vga_text.h - enough of a VGA for guests that write text: memory at
 * B8000h and the registers, in the state of BIOS mode 3. */
#ifndef HW_VGA_TEXT_H
#define HW_VGA_TEXT_H

#include "env/lock.h"

struct memory_region;
struct vga;

/* 128 KB of memory at A0000h in `mem`, in front of `ram`; ports 3B0h-3DFh in `io`. */
struct vga *vga_new(struct memory_region *mem, struct memory_region *io,
		    const struct memory_region *ram) REQUIRES(bql);
/* Mode 3, an empty screen. */
void vga_reset(void *vga) REQUIRES(bql);

#endif
