/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/qemu/icount.c - guest time counted in instructions: see icount.h.
 *
 * Each block takes its instructions off cpu->icount_left at its entry and goes
 * back to the loop, untouched, when they are more than that. Who leaves a block in
 * the middle puts back what was not executed (cpu_loop_exit). */
#include "qemu/icount.h"

#include "qemu/cpu_timer.h"
#include "qemu/cpus.h"
#include "qemu/timer.h"

static u64 executed;                     /* _Atomic; in turns that ended     */
static s64 warped_ns;                    /* _Atomic; written under the BQL   */

u64 icount_get_raw(void)
{
	u64 n = __atomic_load_n(&executed, __ATOMIC_RELAXED);
	const struct cpu *cpu = current_cpu;

	if (cpu && cpu->icount_budget)
		n += (u64)(cpu->icount_budget - cpu->icount_left) - cpu_insns_left(cpu);
	return n;
}

s64 icount_get_ns(void)
{
	return (s64)(icount_get_raw() << machine_config.icount_shift) +
	       __atomic_load_n(&warped_ns, __ATOMIC_RELAXED);
}

void icount_run_timers(void)
{
	while (icount_until_deadline() == 0) {
		timers_run_expired(icount_get_ns());
		cpu_timers_run_expired(icount_get_ns());
	}
}

s64 icount_until_deadline(void)
{
	s64 at = timers_deadline(), cpu = cpu_timers_deadline();

	if (at < 0 || (cpu >= 0 && cpu < at))
		at = cpu;
	return at < 0 ? -1 : MAX(at - icount_get_ns(), 0);
}

void icount_begin_turn(struct cpu *cpu, u32 max)
{
	s64 ns = icount_until_deadline(), one = 1ll << machine_config.icount_shift;

	if (ns >= 0)
		max = (u32)MIN((s64)max, MAX((ns + one - 1) / one, 1));
	cpu->icount_left = cpu->icount_budget = (s32)max;
}

u32 icount_end_turn(struct cpu *cpu)
{
	u32 n = (u32)(cpu->icount_budget - cpu->icount_left);

	cpu->icount_left = cpu->icount_budget = 0;
	__atomic_store_n(&executed, executed + n, __ATOMIC_RELAXED);
	return n;
}

void icount_warp(s64 ns)
{
	__atomic_store_n(&warped_ns, warped_ns + ns, __ATOMIC_RELAXED);
}

void icount_deadline_changed(void)
{
	if (!current_cpu) {
		if (first_cpu)
			qemu_cpu_kick(first_cpu);
	} else if (current_cpu->icount_budget)
		cpu_exit(current_cpu);
}
