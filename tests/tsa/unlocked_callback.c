/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls through a guarded function pointer without its lock: how port and
 * memory callbacks are guarded, as REQUIRES on a pointer is not checked.
 * Expect: reading variable 'read' requires holding */
#include "env/lock.h"

struct port {
	u32 (*read)(void *opaque) GUARDED_BY(bql);
};

u32 wrong(struct port *p);
u32 wrong(struct port *p)
{
	return p->read(p);
}
