/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls a function that needs the BQL, without it.
 * Expect: calling function 'needs_bql' requires holding */
#include "env/lock.h"

void needs_bql(void) REQUIRES(bql);
void wrong(void);
void wrong(void)
{
	needs_bql();
}
