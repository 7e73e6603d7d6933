/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/env/affinity.h - which of the host's processors a thread may run on. Linux:
 * sched_setaffinity(2). */
#ifndef ENV_AFFINITY_H
#define ENV_AFFINITY_H

#include "env/types.h"

/* Remember what the program may use, as its parent has it: before there are other threads.
 * Returns how many processors that are. */
int affinity_init(void);
/* The processor the calling thread runs on. */
int affinity_here(void);
/* The calling thread runs there only. False: the host does not want that. */
bool affinity_bind(int processor);
/* That thread (thread_host_id) runs where the program may. Any thread. */
void affinity_release(int host_id);

#endif
