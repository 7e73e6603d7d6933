/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads a guarded variable without its lock.
 * Expect: reading variable 'value' requires holding */
#include "env/lock.h"

static int value GUARDED_BY(bql);

int wrong(void);
int wrong(void)
{
	return value;
}
