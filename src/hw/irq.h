/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/hw/irq.h - an interrupt line: a level that somebody listens to. */
#ifndef HW_IRQ_H
#define HW_IRQ_H

#include "env/lock.h"

typedef void irq_fn(void *opaque, int n, int level);
struct irq_line { irq_fn *set; void *opaque; int n; };

static inline void irq_set(const struct irq_line *l, int level)
{
	if (l && l->set)
		l->set(l->opaque, l->n, level);
}

#endif
