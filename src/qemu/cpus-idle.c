/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/qemu/cpus-idle.c - vCPUs with nothing but ticks to do share a host processor.
 *
 * An idle guest's vCPUs wake up together, some hundred times a second, for tens of
 * microseconds. Nearly all of that is waiting for memory, as nothing is in the caches:
 * neither the host kernel's code, nor ours, nor the guest's. On one host processor, one
 * after the other, the second finds what the first has brought.
 *
 * So a vCPU's thread that for a while has been woken by its own timer alone, each time for
 * little, is bound to the processor where the first such thread was (gathered). Whoever
 * kicks it releases it, before it wakes up; so does it itself when it runs for longer, or
 * when its timer was late: the processor has something else to do. Upstream has nothing
 * like it. */
#include "qemu/cpus_accel.h"

#include "env/affinity.h"
#include "env/clock.h"
#include "env/thread.h"
#include "qemu/machine.h"

enum {
	TICKS = 10,                      /* ... until it is gathered         */
	LONG_RUN = 1 << 20,              /* host time stamps                  */
	LATE_NS = 4000000,
};

static bool gathers;                     /* _Atomic: there is a choice        */
static u64 place;                        /* _Atomic: the processor << 32 | how
					  * many are gathered there           */

void idle_init(int host_processors)
{
	gathers = host_processors > 1 && machine_config.smp > 1;
}

/* Where the others are; with none, here. */
static int place_enter(void)
{
	u64 now = __atomic_load_n(&place, __ATOMIC_RELAXED), next;

	do
		next = (u32)now ? now + 1 : (u64)affinity_here() << 32 | 1;
	while (!__atomic_compare_exchange_n(&place, &now, next, true, __ATOMIC_RELAXED,
					    __ATOMIC_RELAXED));
	return (int)(next >> 32);
}

static void place_leave(void)
{
	__atomic_fetch_sub(&place, 1, __ATOMIC_RELAXED);
}

void idle_release(struct idle *i)
{
	__atomic_store_n(&i->ticks, 0, __ATOMIC_SEQ_CST);
	if (!__atomic_exchange_n(&i->gathered, false, __ATOMIC_SEQ_CST))
		return;
	affinity_release(i->host_thread);
	place_leave();
}

/* Who kicks it before it is said to be gathered has nothing to release: then it does so
 * itself. */
static void gather(struct idle *i)
{
	i->host_thread = thread_host_id();
	if (!affinity_bind(place_enter())) {
		place_leave();
		__atomic_store_n(&gathers, false, __ATOMIC_RELAXED);
		return;
	}
	__atomic_store_n(&i->gathered, true, __ATOMIC_SEQ_CST);
	if (!__atomic_load_n(&i->ticks, __ATOMIC_SEQ_CST))
		idle_release(i);
}

void idle_woke(struct idle *i)
{
	i->woke = clock_stamp();
}

void idle_sleeps(struct idle *i)
{
	if (!__atomic_load_n(&gathers, __ATOMIC_RELAXED))
		return;
	if (clock_stamp() - i->woke > LONG_RUN)
		idle_release(i);
	else if (__atomic_add_fetch(&i->ticks, 1, __ATOMIC_SEQ_CST) == TICKS)
		gather(i);
}

void idle_late(struct idle *i, s64 ns)
{
	if (ns > LATE_NS)
		idle_release(i);
}
