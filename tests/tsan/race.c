/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A wrong program: two threads count without a lock. MODE=tsan must find it, or
 * its silence about the others says nothing. */
#include "env/thread.h"

static u32 counter;

static void *count(void *arg)
{
	(void)arg;
	for (int i = 0; i < 1000; i++)
		counter++;
	return NULL;
}

int main(void)
{
	struct thread t[2];

	for (int i = 0; i < 2; i++)
		thread_create(&t[i], "count", count, NULL);
	for (int i = 0; i < 2; i++)
		thread_join(&t[i]);
	return counter == 0;
}
