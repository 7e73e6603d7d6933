/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/i386/debug.c - the debug registers: breakpoints on instructions, data
 * and ports. SDM vol. 3B chapter 17 (17.2 registers, 17.3 exceptions).
 *
 * A breakpoint costs nothing while none is set. While DR7 has one on
 * instructions, HF_XBP makes each translated instruction ask first. A page
 * with a data breakpoint has no entry in the soft TLB: its accesses come here
 * by the slow path. A data or port breakpoint is a trap, taken when its
 * instruction has ended; so an instruction that meets one in a longer block is
 * run again alone, and cpu->trap_pending waits for its end.
 * Upstream: bpt_helper.c. */
#include "i386/debug.h"
#include "i386/fault.h"
#include "i386/helper.h"
#include "qemu/ram_window.h"
#include "qemu/target.h"

enum { BP_EXEC, BP_WRITE, BP_IO, BP_RW };        /* DR7.R/Wn */

/* -- reading DR7 --------------------------------------------------------------- */
static bool bp_on(const struct x86_cpu *x, int n)
{
	return x->dr[7] >> 2 * n & 3;
}

static int bp_kind(const struct x86_cpu *x, int n)
{
	int kind = x->dr[7] >> (16 + 4 * n) & 3;

	/* Without CR4.DE port breakpoints are undefined: none match. */
	return kind == BP_IO && !(x->cr[4] & CR4_DE) ? -1 : kind;
}

/* Bytes that breakpoint n covers; its address is taken as aligned to them. */
static u32 bp_len(const struct x86_cpu *x, int n)
{
	static const u8 len[] = { 1, 2, 8, 4 };

	return len[x->dr[7] >> (18 + 4 * n) & 3];
}

/* Does [addr, addr + size) meet what breakpoint n covers? */
static bool bp_meets(const struct x86_cpu *x, int n, u32 addr, u32 size)
{
	u32 len = bp_len(x, n), at = x->dr[n] & -len;

	return addr - at < len || at - addr < size;
}

/* DR6's bits for the breakpoints of kinds `kinds` (a mask) that are met, 0 when
 * none of these is enabled. */
static u32 bp_hits(const struct x86_cpu *x, u32 kinds, u32 addr, u32 size)
{
	u32 hits = 0, on = 0;

	for (int n = 0; n < 4; n++) {
		int kind = bp_kind(x, n);

		if (kind < 0 || !(kinds >> kind & 1) || !bp_meets(x, n, addr, size))
			continue;
		hits |= 1u << n;
		on |= bp_on(x, n);
	}
	return on ? hits : 0;
}

static u32 bp_count(const struct x86_cpu *x, u32 kinds)
{
	u32 count = 0;

	for (int n = 0; n < 4; n++) {
		int kind = bp_kind(x, n);

		if (bp_on(x, n) && kind >= 0)
			count += kinds >> kind & 1;
	}
	return count;
}

/* -- what follows from them ------------------------------------------------------- */
void debug_update(struct x86_cpu *x)
{
	u32 data = bp_count(x, 1 << BP_WRITE | 1 << BP_RW);

	x->hflags &= ~(u32)HF_XBP;
	if (bp_count(x, 1 << BP_EXEC))
		x->hflags |= HF_XBP;
	x->port_breakpoints = bp_count(x, 1 << BP_IO);
	if (data)
		ram_window_close();
	if (data || x->c.n_watch)
		tlb_flush(&x->c);        /* pages are watched, or no longer  */
	x->c.n_watch = data;
}

bool target_page_watched(struct cpu *cpu, gva page)
{
	const struct x86_cpu *x = x86(cpu);

	for (int n = 0; n < 4; n++) {
		int kind = bp_kind(x, n);

		if (bp_on(x, n) && (kind == BP_WRITE || kind == BP_RW) &&
		    (x->dr[n] & (u32)PAGE_MASK) == (u32)page)
			return true;
	}
	return false;
}

/* -- instructions --------------------------------------------------------------------- */
u64 helper_exec_breakpoint(struct cpu *cpu, u32 addr, u32 b, u32 c)
{
	struct x86_cpu *x = x86(cpu);
	u32 hits = bp_hits(x, 1 << BP_EXEC, addr, 1);

	(void)b, (void)c;
	if (!hits)
		return 0;
	x->dr[6] |= hits;
	raise_exception(x, EXCP_DB);
}

/* -- data and ports: traps --------------------------------------------------------------- */
static void trap_later(struct x86_cpu *x, u32 hits)
{
	if (!hits)
		return;
	cpu_run_alone(&x->c);
	x->dr6_pending |= hits;
	x->c.trap_pending = true;
}

void target_access_watch(struct cpu *cpu, gva addr, unsigned size, bool write)
{
	u32 kinds = write ? 1 << BP_WRITE | 1 << BP_RW : 1 << BP_RW;

	trap_later(x86(cpu), bp_hits(x86(cpu), kinds, (u32)addr, size));
}

void debug_port(struct x86_cpu *x, u32 port, u32 size)
{
	if (x->port_breakpoints)
		trap_later(x, bp_hits(x, 1 << BP_IO, port & 0xffff, size));
}

u32 debug_take_pending(struct x86_cpu *x)
{
	u32 hits = x->dr6_pending;

	x->dr6_pending = 0;
	x->c.trap_pending = false;
	return hits;
}

void target_take_trap(struct cpu *cpu)
{
	struct x86_cpu *x = x86(cpu);

	x->dr[6] |= debug_take_pending(x);
	x->error_code = 0;
	x->has_error_code = false;
	cpu->exception_index = EXCP_DB;
}

/* -- MOV DR ---------------------------------------------------------------------------------- */
enum { DR6_BD = 1 << 13, DR7_GD = 1 << 13 };

/* DR4, DR5 are DR6, DR7 unless CR4.DE; DR7.GD guards all of them. */
static int dr_number(struct x86_cpu *x, int nr)
{
	if (nr == 4 || nr == 5) {
		if (x->cr[4] & CR4_DE)
			fault(x, EXCP_UD, 0, "DR%u with CR4.DE set", nr, 0);
		nr += 2;
	}
	if (x->dr[7] & DR7_GD) {
		x->dr[6] |= DR6_BD;
		fault(x, EXCP_DB, 0, "access to DR%u with DR7.GD set", nr, 0);
	}
	return nr;
}

u64 helper_write_dr(struct cpu *cpu, u32 nr, u32 v, u32 c)
{
	struct x86_cpu *x = x86(cpu);

	(void)c;
	nr = dr_number(x, nr);
	if (nr == 6)
		v = (v & 0xe00f) | 0xffff0ff0;
	else if (nr == 7)
		v = (v & 0xffff2fff) | 0x400;
	x->dr[nr] = v;
	if (nr != 6)
		debug_update(x);
	return 0;
}

u64 helper_read_dr(struct cpu *cpu, u32 nr, u32 b, u32 c)
{
	struct x86_cpu *x = x86(cpu);

	(void)b, (void)c;
	return x->dr[dr_number(x, nr)];
}

/* The handler may use the debug registers, and local breakpoints end with
 * their task. */
void debug_enter_handler(struct x86_cpu *x)
{
	x->dr[7] &= ~(u32)DR7_GD;
}

void debug_leave_task(struct x86_cpu *x)
{
	x->dr[7] &= ~0x155u;
	debug_update(x);
}
