/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/env/affinity.c - the processors of a thread. */
#define _GNU_SOURCE
#include "env/affinity.h"

#include <sched.h>

static cpu_set_t all;

int affinity_init(void)
{
	if (sched_getaffinity(0, sizeof(all), &all))
		CPU_ZERO(&all);
	return CPU_COUNT(&all);
}

int affinity_here(void)
{
	return sched_getcpu();
}

bool affinity_bind(int processor)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	if (processor < 0 || processor >= CPU_SETSIZE || !CPU_ISSET(processor, &all))
		return false;
	CPU_SET(processor, &one);
	return !sched_setaffinity(0, sizeof(one), &one);
}

void affinity_release(int host_id)
{
	sched_setaffinity(host_id, sizeof(all), &all);
}
