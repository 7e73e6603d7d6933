/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/qemu/hmp.h - the human monitor: commands by a terminal or a socket. */
#ifndef QEMU_HMP_H
#define QEMU_HMP_H

#include "env/lock.h"

struct chardev;
/* Have commands read from `chr`, or after Ctrl-A c when that is multiplexed.
 * Upstream: monitor_init_hmp. */
void hmp_new(struct chardev *chr) REQUIRES(bql);

#endif
