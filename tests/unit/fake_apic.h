/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What stands round local APICs and the I/O APIC in their tests: vCPUs that note
 * what they are asked, and a memory map that keeps the windows' callbacks. */
#ifndef FAKE_APIC_H
#define FAKE_APIC_H

#include "fake_hw.h"

#include "hw/apic.h"
#include "hw/ioapic.h"
#include "qemu/cpu.h"
#include "qemu/cpu_timer.h"
#include "qemu/machine.h"
#include "qemu/memory.h"

/* -- vCPUs ---------------------------------------------------------------------- */
enum { N_FAKE = 4 };
static struct cpu *fake_cpus;
struct cpu *first_cpu;
__thread struct cpu *current_cpu;
static u32 fake_pokes[N_FAKE];           /* _Atomic                          */

void cpu_poke(struct cpu *cpu)
{
	__atomic_fetch_add(&fake_pokes[cpu->cpu_index], 1, __ATOMIC_SEQ_CST);
}

void cpu_interrupt(struct cpu *cpu, u32 mask)
{
	ck_assert(bql_held());
	__atomic_fetch_or(&cpu->interrupt_request, mask, __ATOMIC_SEQ_CST);
}

void cpu_reset_interrupt(struct cpu *cpu, u32 mask)
{
	ck_assert(bql_held());
	__atomic_fetch_and(&cpu->interrupt_request, ~mask, __ATOMIC_SEQ_CST);
}

/* -- their timers, on the fake clock ---------------------------------------------- */
struct cpu_timer {
	struct timer t;
	struct cpu *cpu;
	cpu_timer_fn *cb;
};
struct lock_class cpu_timers;
static bool fake_timer_locked;

void cpu_timer_lock(struct cpu *cpu)
{
	(void)cpu;
	ck_assert(!fake_timer_locked);
	fake_timer_locked = true;
}

void cpu_timer_unlock(struct cpu *cpu)
{
	(void)cpu;
	fake_timer_locked = false;
}

static void fake_timer_fires(void *opaque)
{
	struct cpu_timer *t = opaque;

	cpu_timer_lock(t->cpu);
	t->cb(t->cpu);
	cpu_timer_unlock(t->cpu);
}

void cpu_timer_init(struct cpu *cpu, cpu_timer_fn *cb)
{
	cpu->timer = calloc(1, sizeof(*cpu->timer));
	cpu->timer->cpu = cpu;
	cpu->timer->cb = cb;
	timer_init_ns(&cpu->timer->t, fake_timer_fires, cpu->timer);
}

void cpu_timer_destroy(struct cpu *cpu) { (void)cpu; }

void cpu_timer_mod(struct cpu *cpu, s64 expire_ns)
{
	ck_assert(fake_timer_locked);
	timer_mod_ns(&cpu->timer->t, expire_ns);
}

void cpu_timer_del(struct cpu *cpu) { timer_del(&cpu->timer->t); }

s64 cpu_timer_expire(const struct cpu *cpu)
{
	return cpu->timer->t.armed ? cpu->timer->t.expire_ns : -1;
}

/* -- the memory map ---------------------------------------------------------------- */
static struct fake_window {
	gpa addr;
	struct memory_region *mr;
} fake_windows[4];
static int fake_n_windows;

void memory_region_init_io(struct memory_region *mr, const char *name, u64 size,
			   const struct memory_region_ops *ops, void *opaque)
{
	*mr = (struct memory_region){ .name = name, .size = size, .ops = ops,
				      .opaque = opaque, .global_locking = true };
}

void memory_region_clear_global_locking(struct memory_region *mr)
{
	mr->global_locking = false;
}

void memory_region_add_subregion_overlap(struct memory_region *parent, gpa addr,
					 struct memory_region *mr, int priority)
{
	(void)parent, (void)priority;
	fake_windows[fake_n_windows++] = (struct fake_window){ addr, mr };
}

static inline struct fake_window *fake_window(gpa addr)
{
	for (int i = 0; i < fake_n_windows; i++)
		if (addr - fake_windows[i].addr < fake_windows[i].mr->size)
			return &fake_windows[i];
	ck_abort_msg("nothing at %llx", (unsigned long long)addr);
	return NULL;
}

static inline u32 mem_read(gpa addr)
{
	struct fake_window *w = fake_window(addr);

	return (u32)w->mr->ops->read(w->mr->opaque, addr - w->addr, 4);
}

static inline void mem_write(gpa addr, u32 v)
{
	struct fake_window *w = fake_window(addr);

	w->mr->ops->write(w->mr->opaque, addr - w->addr, v, 4);
}

/* -- a board with N_FAKE processors, all enabled by software; CPU 0's thread -------- */
static inline void fake_board(void)
{
	fake_cpus = calloc(N_FAKE, sizeof(*fake_cpus));
	bql_lock();
	apic_init(NULL);
	ioapic_new(NULL);
	for (int i = 0; i < N_FAKE; i++) {
		struct cpu *c = &fake_cpus[i];

		c->cpu_index = i;
		c->next = i + 1 < N_FAKE ? c + 1 : NULL;
		cpu_apic_create(c);
	}
	first_cpu = fake_cpus;
	for (int i = 0; i < N_FAKE; i++)
		apic_reset(&fake_cpus[i]);
	bql_unlock();
	for (int i = 0; i < N_FAKE; i++) {
		current_cpu = &fake_cpus[i];
		mem_write(0xfee000f0, 0x1ff);
	}
	current_cpu = fake_cpus;
}

/* -- one vCPU's registers ------------------------------------------------------------- */
static inline u32 reg(int cpu, u32 r)
{
	current_cpu = &fake_cpus[cpu];
	return mem_read(0xfee00000 + r);
}

static inline void set(int cpu, u32 r, u32 v)
{
	current_cpu = &fake_cpus[cpu];
	mem_write(0xfee00000 + r, v);
}

/* The vector that the vCPU takes now; -1: none. */
static inline int taken(int cpu)
{
	current_cpu = &fake_cpus[cpu];
	return cpu_pending(current_cpu) & CPU_INTERRUPT_POLL ?
		apic_get_interrupt(current_cpu) : -1;
}

static inline u32 requests(int cpu) { return fake_cpus[cpu].interrupt_request; }

#endif
