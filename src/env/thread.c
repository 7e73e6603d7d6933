/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/env/thread.c - host threads on pthreads.
 *
 * Every thread has a number, a name and an alternate signal stack. Only the
 * main thread takes asynchronous signals: the others block all but faults, and their
 * own alarm (alarm.c). */
#define _GNU_SOURCE
#include "env/thread.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "env/log.h"
#include "env/signal.h"

/* musl's default of 128 KB is short for capstone; this is lazily backed. */
#define STACK_BYTES (2u << 20)

struct start {
	char name[16];
	void *(*fn)(void *);
	void *arg;
	sigset_t mask;
};

static u32 last_id;                       /* _Atomic; numbers given out     */
static _Thread_local u32 id;
static _Thread_local char name[16] = "main";

static u32 next_id(void)
{
	return __atomic_add_fetch(&last_id, 1, __ATOMIC_RELAXED);
}

u32 thread_id(void)
{
	if (__builtin_expect(!id, 0))
		id = next_id();
	return id;
}

int thread_host_id(void)
{
	return (int)syscall(SYS_gettid);
}

const char *thread_name(void)
{
	return name;
}

static void fault_mask(sigset_t *set)
{
	static const int faults[] = {
		SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS,
	};

	sigfillset(set);
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++)
		sigdelset(set, faults[i]);
}

static void *trampoline(void *opaque)
{
	struct start s = *(struct start *)opaque;
	void *stack, *ret;

	free(opaque);
	memcpy(name, s.name, sizeof(name));
	prctl(PR_SET_NAME, name);
	stack = signal_stack_enter();
	ret = s.fn(s.arg);
	signal_stack_leave(stack);
	return ret;
}

void thread_create(struct thread *t, const char *thread_name,
		   void *(*fn)(void *), void *arg)
{
	struct start *s = calloc(1, sizeof(*s));
	pthread_attr_t attr;
	pthread_t handle;
	sigset_t old;
	int err;

	if (!s)
		die("no memory for a thread");
	snprintf(s->name, sizeof(s->name), "%s", thread_name);
	s->fn = fn;
	s->arg = arg;
	/* The new thread starts with its creator's mask. */
	fault_mask(&s->mask);
	pthread_sigmask(SIG_SETMASK, &s->mask, &old);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	err = pthread_create(&handle, &attr, trampoline, s);
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (err)
		die("cannot start a thread: %s", strerror(err));
	t->handle = (u64)handle;
}

void *thread_join(struct thread *t)
{
	void *ret;
	int err = pthread_join((pthread_t)t->handle, &ret);

	ASSERT(!err);
	return ret;
}
