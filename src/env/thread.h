/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/env/thread.h - host threads. */
#ifndef ENV_THREAD_H
#define ENV_THREAD_H

#include "env/types.h"

struct thread { u64 handle; };

/* Start fn(arg) on a new thread named `name` (15 characters show in ps).
 * Fatal on failure. Signals other than faults are blocked in it (but see env/alarm.h). */
void thread_create(struct thread *t, const char *name, void *(*fn)(void *),
		   void *arg);
void *thread_join(struct thread *t);
u32 thread_id(void);                  /* small nonzero number, this thread */
int thread_host_id(void);             /* this thread's for the host's kernel */
const char *thread_name(void);

#endif
