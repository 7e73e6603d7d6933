/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/hw/pciconf.h - the PCI configuration ports CF8h-CFFh of a machine
 * without PCI devices, and the reset control register CF9h among them. */
#ifndef HW_PCICONF_H
#define HW_PCICONF_H

#include "hw/irq.h"

struct memory_region;
struct pciconf;

/* Ports CF8h-CFFh in `io`; `reset` pulses high when CF9h asks for it. */
struct pciconf *pciconf_new(struct memory_region *io,
			    const struct irq_line *reset) REQUIRES(bql);
void pciconf_reset(void *pciconf) REQUIRES(bql);

#endif
