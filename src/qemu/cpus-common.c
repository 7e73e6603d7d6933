/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/qemu/cpus-common.c - work that one thread asks a vCPU's thread to do.
 * Upstream: cpus-common.c. */
#include "qemu/cpus.h"

#include "env/log.h"

struct cpu_work {
	struct cpu_work *next;
	run_on_cpu_func *func;
	void *data;
	bool done;                       /* under the BQL                    */
};

/* Some work is done; with the BQL. Upstream: qemu_work_cond. */
static struct cond qemu_work_cond = COND_INIT;

static void queue_work_on_cpu(struct cpu *cpu, struct cpu_work *w)
{
	lock_acquire(&cpu->work_lock);
	if (!cpu->work_first)
		cpu->work_last = &cpu->work_first;
	*cpu->work_last = w;
	cpu->work_last = &w->next;
	lock_release(&cpu->work_lock);
	qemu_cpu_kick(cpu);
}

bool cpu_work_list_empty(struct cpu *cpu)
{
	bool empty;

	lock_acquire(&cpu->work_lock);
	empty = !cpu->work_first;
	lock_release(&cpu->work_lock);
	return empty;
}

static struct cpu_work *take_work(struct cpu *cpu)
{
	struct cpu_work *w;

	lock_acquire(&cpu->work_lock);
	w = cpu->work_first;
	if (w)
		cpu->work_first = w->next;
	lock_release(&cpu->work_lock);
	return w;
}

void process_queued_cpu_work(struct cpu *cpu)
{
	struct cpu_work *w;

	while ((w = take_work(cpu))) {
		w->func(cpu, w->data);
		w->done = true;
		cond_broadcast(&qemu_work_cond);
	}
}

void run_on_cpu(struct cpu *cpu, run_on_cpu_func *func, void *data)
{
	struct cpu_work w = { .func = func, .data = data };

	if (current_cpu == cpu) {
		func(cpu, data);
		return;
	}
	queue_work_on_cpu(cpu, &w);
	while (!w.done)
		cond_wait(&qemu_work_cond, &bql);
}
