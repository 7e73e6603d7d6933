/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/qemu/chardev.h - where serial ports and the debug console send their
 * bytes and get them from: stdio, file:PATH, unix:PATH, null, none. */
#ifndef QEMU_CHARDEV_H
#define QEMU_CHARDEV_H

#include "env/lock.h"

struct chardev;
typedef int chr_can_read_fn(void *opaque);            /* bytes it takes now */
typedef void chr_read_fn(void *opaque, const u8 *buf, int n);
typedef void chr_open_fn(void *opaque);

/* From "stdio", "mon:stdio" (both may end in ",signal=on" or "=off": what
 * Ctrl-C does), "file:PATH", "unix:PATH,server=on,wait=off", "null", "none"; the same "stdio" twice is an
 * error. NULL with *err set, to a text that names the spec, on failure; "none"
 * gives NULL with no error. */
struct chardev *chardev_open(const char *spec, const char **err) REQUIRES(bql);
/* Who receives input. */
void chardev_set_reader(struct chardev *c, chr_can_read_fn *can, chr_read_fn *rd,
			void *opaque) REQUIRES(bql);
/* The monitor is to receive it: always, or with a multiplexer after Ctrl-A c. `opened` is
 * called whenever that begins (a client connects, the key). */
void chardev_set_monitor(struct chardev *c, chr_can_read_fn *can, chr_read_fn *rd,
			 chr_open_fn *opened, void *opaque) REQUIRES(bql);
/* The one with a multiplexer; NULL: there is none. */
struct chardev *chardev_mux(void) REQUIRES(bql);
void chardev_accept_input(struct chardev *c) REQUIRES(bql);  /* room again  */
/* Write n bytes; order is kept; never blocks the guest for long. NULL c: lost. */
void chardev_write(struct chardev *c, const u8 *buf, int n) REQUIRES(bql);
/* The same from any thread, the BQL not needed: for ports that do without. It takes the
 * BQL itself when a line is complete, or 256 bytes are; other bytes go on after a
 * moment, or before what is written later. The caller holds no device's lock. */
void chardev_post(struct chardev *c, const u8 *buf, int n);
/* At the end: hand out what is queued; gives up on a reader that takes nothing
 * for two seconds. */
void chardev_flush_all(void) REQUIRES(bql);

#endif
