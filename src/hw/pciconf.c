/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/hw/pciconf.c - PCI configuration mechanism 1 with nothing behind it.
 * PCI 2.1, section 3.7.4.1; CF9h as in Intel 290562 (PIIX4), section 4.2.6.5.
 *
 * A dword at CF8h is the address register; CFCh-CFFh read as all ones, which
 * says "no device" whatever the address. A byte at CF9h is reset control. */
#include "hw/pciconf.h"

#include <stdlib.h>

#include "env/log.h"
#include "hw/ports.h"

#define ADDRESS_WRITABLE 0x80fffffcu
enum { RESET_CPU = 4, RESET_WRITABLE = 0x0e };

struct pciconf {
	u32 address;
	u8 reset_control;
	struct irq_line reset;
};

static u64 address_read(void *opaque, gpa addr, unsigned size) REQUIRES(bql)
{
	struct pciconf *p = opaque;

	if (size == 4)
		return p->address;
	return addr == 1 && size == 1 ? p->reset_control : ~0u;
}

static void address_write(void *opaque, gpa addr, u64 val, unsigned size)
	REQUIRES(bql)
{
	struct pciconf *p = opaque;
	bool reset;

	if (size == 4)
		p->address = val & ADDRESS_WRITABLE;
	if (addr != 1 || size != 1)
		return;
	reset = val & ~p->reset_control & RESET_CPU;
	p->reset_control = val & RESET_WRITABLE;
	if (reset) {
		irq_set(&p->reset, 1);
		irq_set(&p->reset, 0);
	}
}

static const struct memory_region_ops address_ops = {
	address_read, address_write, 1, 4
};
static const struct memory_region_ops data_ops = { NULL, NULL, 1, 4 };

void pciconf_reset(void *opaque)
{
	struct pciconf *p = opaque;

	p->address = 0;
	p->reset_control = 0;
}

struct pciconf *pciconf_new(struct memory_region *io,
			    const struct irq_line *reset)
{
	struct pciconf *p = calloc(1, sizeof(*p));

	if (!p)
		die("out of memory");
	p->reset = *reset;
	ports_map(io, "pci-address", 0xcf8, 4, &address_ops, p);
	ports_map(io, "pci-data", 0xcfc, 4, &data_ops, p);
	return p;
}
