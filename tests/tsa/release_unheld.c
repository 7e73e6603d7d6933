/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Releases a lock it does not have.
 * Expect: 'bql' that was not held */
#include "env/lock.h"

void wrong(void);
void wrong(void)
{
	bql_unlock();
}
