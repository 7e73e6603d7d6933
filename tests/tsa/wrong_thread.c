/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Touches what belongs to vCPU threads outside of one.
 * Expect: writing variable 'registers' requires holding */
#include "env/lock.h"

static int registers GUARDED_BY(vcpu_thread);

void wrong(void);
void wrong(void)
{
	registers = 1;
}
