/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Waits on a condition without the lock that guards it.
 * Expect: calling function 'cond_wait_at' requires holding */
#include "env/lock.h"

static struct lock l = LOCK_INIT("l", RANK_REGION);
static struct cond c = COND_INIT;

void wrong(void);
void wrong(void)
{
	cond_wait(&c, &l);
}
