/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Takes a lock it has.
 * Expect: 'bql' that is already held */
#include "env/lock.h"

void wrong(void);
void wrong(void)
{
	bql_lock();
	bql_lock();
	bql_unlock();
}
