/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Goes on as if tryacquire had succeeded.
 * Expect: writing variable 'value' requires holding */
#include "env/lock.h"

static struct lock l = LOCK_INIT("l", RANK_PAGE);
static int value GUARDED_BY(l);

void wrong(void);
void wrong(void)
{
	if (!lock_tryacquire(&l))
		value = 1;
	else
		lock_release(&l);
}
