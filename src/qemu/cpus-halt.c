/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/qemu/cpus-halt.c - a vCPU's thread sleeps until it is kicked.
 *
 * The sleeper clears `kicked`, then looks at everything that could end its sleep, then
 * sleeps until `kicked`. The waker changes one of those things, then sets `kicked`. So a
 * change that the sleeper's look missed came after the clearing, and its kick is seen: no
 * wake-up is lost, whatever locks the two hold.
 *
 * The host takes tens of microseconds to wake a thread up. So one whose last sleep was short
 * and ended by another vCPU's kick looks for the next one for a while before it sleeps (the
 * host's PAUSE), as long as the threads awake are no more than the host's processors. Timers
 * are nothing to wait for awake. KVM: halt_poll_ns, whoever ends the sleep. */
#include "qemu/cpus_accel.h"

#include "env/alarm.h"
#include "env/clock.h"
#include "env/lockstat.h"

/* The first look, and the longest: a longer sleep is nothing to wait for. */
enum { LEAST_LOOK_US = 8, MOST_LOOK_US = 128, US = 1000 /* ns */ };

static u32 processors;                   /* the host's, for us                */
static u32 awake;                        /* _Atomic: threads of vCPUs         */

void halt_init(int host_processors)
{
	processors = (u32)host_processors;
}

void halt_clear(struct halt_cond *h)
{
	event_reset(&h->kicked);
	lockstat_reaction(&h->kick_at, false);
}

bool halt_kicked(const struct halt_cond *h)
{
	return event_is_set(&h->kicked);
}

void halt_wake(struct halt_cond *h)
{
	lockstat_kick(&h->kick_at);
	__atomic_store_n(&h->by_vcpu, current_cpu != NULL, __ATOMIC_RELAXED);
	if (__atomic_load_n(&h->idle.ticks, __ATOMIC_SEQ_CST))
		idle_release(&h->idle);
	event_set(&h->kicked);
}

void halt_awake(bool is)
{
	__atomic_fetch_add(&awake, is ? 1 : -1u, __ATOMIC_RELAXED);
}

static bool nobody_needs_the_processor(const struct halt_cond *h)
{
	return __atomic_load_n(&awake, __ATOMIC_RELAXED) <= processors &&
	       !__atomic_load_n(&h->idle.gathered, __ATOMIC_RELAXED);
}

/* True: kicked, no sleep. */
static bool look_around(const struct halt_cond *h, s64 from_ns, s64 due_ns)
{
	s64 end = from_ns + (s64)h->look_us * US;

	if (due_ns)
		end = MIN(end, due_ns);
	while (!halt_kicked(h)) {
		if (clock_monotonic_ns() >= end || !nobody_needs_the_processor(h))
			return false;
		__builtin_ia32_pause();
	}
	return true;
}

static void learn(struct halt_cond *h, bool kicked, s64 took_ns)
{
	bool by_vcpu = kicked && __atomic_load_n(&h->by_vcpu, __ATOMIC_RELAXED);

	if (!by_vcpu || took_ns > MOST_LOOK_US * US)
		h->look_us = 0;
	else if (took_ns > h->look_us * US)
		h->look_us = (u16)MIN(MAX(2 * h->look_us, LEAST_LOOK_US), MOST_LOOK_US);
}

static bool sleep_until(struct halt_cond *h, s64 until_ns)
{
	bool kicked;

	halt_awake(false);
	kicked = event_wait(&h->kicked, until_ns);
	halt_awake(true);
	return kicked;
}

bool halt_sleep(struct halt_cond *h, s64 until_ns)
{
	u64 start = lockstat_now();
	bool kicked = sleep_until(h, until_ns);

	lockstat_idle("halted", start);
	return kicked;
}

/* A signal's frame costs more than a time in the system call that sleeps anyway: the alarm
 * is not to ring before the sleep's end. Behind it, it most often is where it may stay when
 * the guest sets its timer anew: one system call for each tick. */
void halt_sleep_until_due(struct halt_cond *h, s64 due_ns)
{
	enum { BEHIND_NS = 1000000 };
	u64 start = lockstat_now();
	s64 from = clock_monotonic_ns();
	bool kicked = look_around(h, from, due_ns);

	if (!kicked) {
		alarm_set(due_ns ? due_ns + BEHIND_NS : 0);
		kicked = sleep_until(h, due_ns);
	}
	learn(h, kicked, clock_monotonic_ns() - from);
	lockstat_idle("halted", start);
}
