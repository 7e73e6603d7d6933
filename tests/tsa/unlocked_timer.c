/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Arms a timer of the main loop without the BQL.
 * Expect: calling function 'poll_timer_mod' requires holding */
#include "env/poll.h"

void wrong(struct poll_timer *t);
void wrong(struct poll_timer *t)
{
	poll_timer_mod(t, 0);
}
