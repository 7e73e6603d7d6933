/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/i386/monitor.c - MONITOR, MWAIT. SDM vol. 2 at each, vol. 3A 8.10.
 *
 * DIFF: only a machine of one processor has them. There MWAIT is HLT: nobody is
 * left to store to the line while the processor waits, but for its own interrupts.
 * What was stored since MONITOR shows in the line's bytes. With more processors
 * each store of the others would have to be looked at.
 * Upstream: misc_helper.c helper_monitor, helper_mwait. */
#include "i386/fault.h"
#include "i386/helper.h"

enum { LINE = 64 };
enum { MWAIT_ANY_INTERRUPT = 1 };        /* ECX: also while IF is clear      */

static void check(struct x86_cpu *x, u32 ecx_allowed)
{
	u32 ecx = (u32)x->c.regs[R_ECX];

	if (!(x->msr.misc_enable & MISC_MONITOR))
		raise_exception(x, EXCP_UD);
	if (ecx & ~ecx_allowed)
		fault(x, EXCP_GP, 0, "MONITOR or MWAIT with ECX = %08x", ecx, 0);
}

u64 helper_monitor_enter(struct cpu *cpu, u32 a, u32 b, u32 c)
{
	(void)a, (void)b, (void)c;
	check(x86(cpu), 0);
	return 0;
}

static u64 line_word(const struct x86_cpu *x, int i)
{
	return __atomic_load_n((const u64 *)(const void *)x->monitor_host + i, __ATOMIC_RELAXED);
}

/* The byte at addr has been loaded. */
u64 helper_monitor(struct cpu *cpu, u32 addr, u32 b, u32 c)
{
	struct x86_cpu *x = x86(cpu);

	(void)b, (void)c;
	x->monitor_host = probe_access(cpu, addr & ~(LINE - 1u), LINE, MMU_DATA_LOAD,
				       cpu_mmu_index(x));
	for (int i = 0; x->monitor_host && i < LINE / 8; i++)
		x->monitor_line[i] = line_word(x, i);
	return 0;
}

/* Not armed, or no memory: it ends at once. */
static bool line_unchanged(struct x86_cpu *x)
{
	bool same = x->monitor_host;

	for (int i = 0; same && i < LINE / 8; i++)
		same = x->monitor_line[i] == line_word(x, i);
	x->monitor_host = NULL;
	return same;
}

u64 helper_mwait(struct cpu *cpu, u32 next, u32 b, u32 c)
{
	struct x86_cpu *x = x86(cpu);

	(void)b, (void)c;
	check(x, MWAIT_ANY_INTERRUPT);
	if (line_unchanged(x))
		cpu_halt(x, next, cpu->regs[R_ECX] & MWAIT_ANY_INTERRUPT);
	cpu->pc = next;
	return 0;
}
