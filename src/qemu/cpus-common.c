/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/qemu/cpus-common.c - the list of vCPUs, exclusive sections, and work that
 * one thread asks a vCPU's thread to do.
 *
 * An exclusive section has no vCPU between cpu_exec_start() and cpu_exec_end(),
 * and is therefore the time to free what those read without a lock. Who wants
 * one announces it (pending_cpus), counts the vCPUs that run, kicks them, and
 * waits until the last of them has left; who comes to cpu_exec_start() meanwhile
 * waits outside. Announcing and running are a store of one's own followed by a
 * load of the other's, both sequentially consistent: of two that meet, one at
 * least sees the other.
 *
 * Upstream: cpus-common.c (cpu-common.c). */
#include "qemu/cpus.h"

#include <stdlib.h>

#include "env/lockstat.h"
#include "env/log.h"

struct cpu_work {
	struct cpu_work *next;
	run_on_cpu_func *func;
	const char *name;                /* of func                          */
	void *data;
	u64 queued;                      /* lockstat_now()                   */
	bool exclusive;                  /* runs in an exclusive section     */
	bool free;                       /* nobody waits: ours to free       */
	bool done;                       /* under the BQL                    */
};

struct cpu *first_cpu;
__thread struct cpu *current_cpu;

struct lock qemu_cpu_list_lock = LOCK_INIT("cpu_list", RANK_CPU_LIST);
/* The last vCPU that runs has left; a section has ended. With the list lock. */
static struct cond exclusive_cond = COND_INIT, exclusive_resume = COND_INIT;
/* 0: no section is asked for; else 1 + vCPUs it still waits for. Written under
 * the list lock, read without. Upstream: pending_cpus. */
static u32 pending_cpus;
/* Sections this thread is in, one within the other; why, since when. */
static __thread u32 exclusive_depth;
static __thread struct { const char *why; u64 asked, since; } section;

/* Some work is done; with the BQL. Upstream: qemu_work_cond. */
static struct cond qemu_work_cond = COND_INIT;

/* -- the list ------------------------------------------------------------------------ */

void cpu_list_add(struct cpu *cpu)
{
	struct cpu **at = &first_cpu;

	lock_acquire(&qemu_cpu_list_lock);
	while (*at)
		at = &(*at)->next;
	__atomic_store_n(at, cpu, __ATOMIC_RELEASE);
	lock_release(&qemu_cpu_list_lock);
}

void cpu_list_remove(struct cpu *cpu)
{
	struct cpu **at = &first_cpu;

	ASSERT(exclusive_depth);
	lock_acquire(&qemu_cpu_list_lock);
	while (*at && *at != cpu)
		at = &(*at)->next;
	if (*at)
		__atomic_store_n(at, cpu->next, __ATOMIC_RELEASE);
	lock_release(&qemu_cpu_list_lock);
}

struct cpu *qemu_get_cpu(int index)
{
	struct cpu *cpu;

	CPU_FOREACH(cpu)
		if (cpu->cpu_index == index)
			return cpu;
	return NULL;
}

/* -- exclusive sections ----------------------------------------------------------------- */

static u32 pending(void)
{
	return __atomic_load_n(&pending_cpus, __ATOMIC_SEQ_CST);
}

static void set_pending(u32 n) REQUIRES(qemu_cpu_list_lock)
{
	__atomic_store_n(&pending_cpus, n, __ATOMIC_SEQ_CST);
}

static void set_running(struct cpu *cpu, bool on)
{
	__atomic_store_n(&cpu->running, on, __ATOMIC_SEQ_CST);
}

/* Wait until nobody is in a section, nor about to be. Several may be waiting:
 * each looks again, as another may have begun the next section. */
static void exclusive_idle(void) REQUIRES(qemu_cpu_list_lock)
{
	while (pending())
		cond_wait(&exclusive_resume, &qemu_cpu_list_lock);
}

/* Mark and kick the vCPUs that run; their number. */
static u32 count_running(void) REQUIRES(qemu_cpu_list_lock)
{
	struct cpu *cpu;
	u32 n = 0;

	CPU_FOREACH(cpu) {
		if (!__atomic_load_n(&cpu->running, __ATOMIC_SEQ_CST))
			continue;
		cpu->has_waiter = true;
		n++;
		lockstat_event("section waits for vCPU", (u32)cpu->cpu_index);
		qemu_cpu_kick(cpu);
	}
	return n;
}

void start_exclusive_at(const char *why)
{
	struct cpu *self = current_cpu;

	if (exclusive_depth++)
		return;
	section.why = why;
	section.asked = lockstat_now();
	if (self && __atomic_load_n(&self->running, __ATOMIC_RELAXED))
		bug("start_exclusive between cpu_exec_start and cpu_exec_end: "
		    "CPU %d would wait for itself", self->cpu_index);
	lock_acquire(&qemu_cpu_list_lock);
	exclusive_idle();
	set_pending(1);
	set_pending(1 + count_running());
	while (pending() > 1)
		cond_wait(&exclusive_cond, &qemu_cpu_list_lock);
	lock_release(&qemu_cpu_list_lock);
	section.since = lockstat_now();
	if (self)
		self->in_exclusive_context = true;
}

void end_exclusive(void)
{
	ASSERT(exclusive_depth);
	if (--exclusive_depth)
		return;
	if (current_cpu)
		current_cpu->in_exclusive_context = false;
	lockstat_done(STAT_SECTION, section.why, section.asked, section.since);
	lock_acquire(&qemu_cpu_list_lock);
	set_pending(0);
	cond_broadcast(&exclusive_resume);
	lock_release(&qemu_cpu_list_lock);
}

bool in_exclusive(void)
{
	return exclusive_depth;
}

/* A section is asked for: one that counted this vCPU waits for cpu_exec_end, so
 * go on; one that did not has this vCPU wait for its end. */
static void start_slow(struct cpu *cpu)
{
	lock_acquire(&qemu_cpu_list_lock);
	if (!cpu->has_waiter) {
		set_running(cpu, false);
		exclusive_idle();
		set_running(cpu, true);
	}
	lock_release(&qemu_cpu_list_lock);
}

void cpu_exec_start(struct cpu *cpu)
{
	set_running(cpu, true);
	if (__builtin_expect(pending() != 0, 0))
		start_slow(cpu);
}

static void end_slow(struct cpu *cpu)
{
	lock_acquire(&qemu_cpu_list_lock);
	if (cpu->has_waiter) {
		cpu->has_waiter = false;
		set_pending(pending() - 1);
		if (pending() == 1) {
			lockstat_event("last to leave is vCPU", (u32)cpu->cpu_index);
			cond_signal(&exclusive_cond);
		}
	}
	lock_release(&qemu_cpu_list_lock);
}

/* The store of `running` comes before the load of pending_cpus: a section that
 * began before the store and counted this vCPU is seen by the load. */
void cpu_exec_end(struct cpu *cpu)
{
	set_running(cpu, false);
	if (__builtin_expect(pending() != 0, 0))
		end_slow(cpu);
}

/* -- queued work --------------------------------------------------------------------------- */

static void queue_work_on_cpu(struct cpu *cpu, struct cpu_work *w)
{
	w->queued = lockstat_now();
	lock_acquire(&cpu->work_lock);
	if (!cpu->work_first)
		cpu->work_last = &cpu->work_first;
	__atomic_store_n(cpu->work_last, w, __ATOMIC_SEQ_CST);
	cpu->work_last = &w->next;
	lock_release(&cpu->work_lock);
	qemu_cpu_kick(cpu);
}

/* Without the lock: work is queued before its kick, and a kick is never lost. */
bool cpu_work_list_empty(struct cpu *cpu)
{
	return !__atomic_load_n(&cpu->work_first, __ATOMIC_SEQ_CST);
}

static struct cpu_work *take_work(struct cpu *cpu)
{
	struct cpu_work *w;

	if (cpu_work_list_empty(cpu))
		return NULL;
	lock_acquire(&cpu->work_lock);
	w = cpu->work_first;
	if (w)
		__atomic_store_n(&cpu->work_first, w->next, __ATOMIC_SEQ_CST);
	lock_release(&cpu->work_lock);
	return w;
}

/* A vCPU that is to leave may be waiting for the BQL: who waits for all to
 * leave must not hold it. */
static void run_exclusively(struct cpu *cpu, const struct cpu_work *w) REQUIRES(bql)
{
	bql_unlock();
	start_exclusive_at(w->name);
	w->func(cpu, w->data);
	end_exclusive();
	bql_lock();
}

void process_queued_cpu_work(struct cpu *cpu)
{
	struct cpu_work *w;

	while ((w = take_work(cpu))) {
		u64 taken = lockstat_now();

		if (w->exclusive)
			run_exclusively(cpu, w);
		else
			w->func(cpu, w->data);
		lockstat_done(STAT_WORK, w->name, w->queued, taken);
		if (w->free) {
			free(w);
			continue;
		}
		w->done = true;                  /* from now on the waiter's */
		cond_broadcast(&qemu_work_cond);
	}
}

static void do_run_on_cpu(struct cpu *cpu, run_on_cpu_func *func, void *data,
			  const char *name) REQUIRES(bql)
{
	struct cpu_work w = { .func = func, .data = data, .name = name };

	queue_work_on_cpu(cpu, &w);
	while (!w.done)
		cond_wait(&qemu_work_cond, &bql);
}

void run_on_cpu_at(struct cpu *cpu, run_on_cpu_func *func, void *data,
		   const char *name)
{
	if (qemu_cpu_is_self(cpu) || !cpu->created) {
		func(cpu, data);
		return;
	}
	if (exclusive_depth)
		bug("run_on_cpu in an exclusive section: CPU %d waits for its "
		    "end", cpu->cpu_index);
	do_run_on_cpu(cpu, func, data, name);
}

static void queue_async(struct cpu *cpu, run_on_cpu_func *func, void *data,
			const char *name, bool exclusive)
{
	struct cpu_work *w = malloc(sizeof(*w));

	if (!w)
		die("out of memory");
	*w = (struct cpu_work){ .func = func, .data = data, .name = name,
				.free = true, .exclusive = exclusive };
	queue_work_on_cpu(cpu, w);
}

void async_run_on_cpu_at(struct cpu *cpu, run_on_cpu_func *func, void *data,
			 const char *name)
{
	queue_async(cpu, func, data, name, false);
}

void async_safe_run_on_cpu_at(struct cpu *cpu, run_on_cpu_func *func, void *data,
			      const char *name)
{
	if (exclusive_depth)
		func(cpu, data);
	else
		queue_async(cpu, func, data, name, true);
}
