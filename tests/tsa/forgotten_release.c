/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One path returns with the lock held.
 * Expect: is not held on every path through here */
#include "env/lock.h"

static struct lock l = LOCK_INIT("l", RANK_PAGE);

int wrong(int x);
int wrong(int x)
{
	lock_acquire(&l);
	if (x)
		return 1;
	lock_release(&l);
	return 0;
}
