/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/i386/port.h - port I/O for IN, OUT and for INS, OUTS. io.c. */
#ifndef I386_PORT_H
#define I386_PORT_H

#include "i386/cpu.h"

/* #GP unless the guest may use `size` ports from `port` on. */
void port_check(struct x86_cpu *x, u32 port, u32 size);
/* One access of 1, 2 or 4 bytes; takes the BQL where the device needs it. */
u32 port_in(u32 port, u32 size);
void port_out(u32 port, u32 size, u32 v);
/* For helpers (in the state before the instruction but for what they did): if it
 * has set cpu->synced_work leave translated code behind it. May return. */
void leave_after_insn(struct x86_cpu *x);

#endif
