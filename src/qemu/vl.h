/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/qemu/vl.h - what main.c and runstate.c share. Upstream: softmmu/vl.c. */
#ifndef QEMU_VL_H
#define QEMU_VL_H

#include "env/lock.h"

/* All chips, the boot image and the vCPUs as at power-on; vCPUs stopped. */
void qemu_system_reset(void) REQUIRES(bql);
/* What has been asked for: reset, shutdown. The main loop calls it after each
 * turn. */
void main_loop_handle_requests(void) REQUIRES(bql);
/* Hand out what serial lines still hold, print what is due at the end, end
 * the program. Any thread. */
void qemu_quit(int code) REQUIRES(bql) __attribute__((noreturn));

#endif
