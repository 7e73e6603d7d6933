/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Takes two locks against their declared order.
 * Expect: must be acquired before 'inner' */
#include "env/lock.h"

extern struct lock outer;
extern struct lock inner ACQUIRED_AFTER(outer);

void wrong(void);
void wrong(void)
{
	lock_acquire(&inner);
	lock_acquire(&outer);
	lock_release(&outer);
	lock_release(&inner);
}
