/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/i386/io.c - IN and OUT: the right to a port (SDM vol. 1 19.5: IOPL, the
 * I/O permission bitmap of a 32-bit TSS) and the access itself.
 * Upstream: seg_helper.c helper_check_io, misc_helper.c. */
#include "i386/debug.h"
#include "i386/desc.h"
#include "i386/dis.h"
#include "i386/fault.h"
#include "i386/helper.h"
#include "i386/port.h"
#include "qemu/cpus.h"
#include "qemu/memory.h"

/* Bits of the bitmap for `size` ports from `port` on: all must be 0. The
 * processor reads two bytes, so the map needs a byte more than its bits. */
static bool bitmap_allows(struct x86_cpu *x, u32 port, u32 size)
{
	u32 ofs, bits;

	if (!(x->tr.flags & DESC_P) || (desc_type((struct desc){ 0, x->tr.flags }) &
	    ~2) != TYPE_TSS32 || x->tr.limit < 103)
		return false;
	ofs = cpu_lduw(&x->c, (u32)(x->tr.base + 0x66), MMU_KERNEL) + (port >> 3);
	if (ofs + 1 > x->tr.limit)
		return false;
	bits = cpu_lduw(&x->c, (u32)(x->tr.base + ofs), MMU_KERNEL);
	return !(bits >> (port & 7) & ((1u << size) - 1));
}

void port_check(struct x86_cpu *x, u32 port, u32 size)
{
	port &= 0xffff;
	if (!(x->hflags & HF_CPL0_IO) && !bitmap_allows(x, port, size))
		fault(x, EXCP_GP, 0, "no right to I/O port %04x", port, 0);
}

u64 helper_check_io(struct cpu *cpu, u32 port, u32 size, u32 c)
{
	(void)c;
	port_check(x86(cpu), port, size);
	return 0;
}

u32 port_in(u32 port, u32 size)
{
	struct address_space *as = &address_space_io;
	struct memory_region *mr;
	u64 xlat, len;

	port &= 0xffff;
	mr = address_space_translate(as, port, &xlat, &len);
	if (len >= size)
		return memory_region_dispatch_read(mr, xlat, size);
	return size == 2 ? address_space_lduw(as, port)
			 : address_space_ldl(as, port);
}

void port_out(u32 port, u32 size, u32 v)
{
	struct address_space *as = &address_space_io;
	struct memory_region *mr;
	u64 xlat, len;

	port &= 0xffff;
	mr = address_space_translate(as, port, &xlat, &len);
	if (len >= size)
		memory_region_dispatch_write(mr, xlat, v, size);
	else if (size == 2)
		address_space_stw(as, port, v);
	else
		address_space_stl(as, port, v);
}

/* The instruction under way has changed something for all vCPUs, and the next is to
 * find it changed everywhere. A block of one instruction ends anyway. */
void leave_after_insn(struct x86_cpu *x)
{
	struct tb *tb = cpu_current_tb(&x->c);
	struct dis d;

	if (!tb || tb->n_insns == 1)
		return;
	cpu_restore_state(&x->c);
	if (!decode_quiet(&d, x, (u32)x->c.pc))
		return;
	x->c.pc = d.next;
	x->c.exception_index = EXCP_INTERRUPT;
	cpu_loop_exit(&x->c);
}

u64 helper_in(struct cpu *cpu, u32 port, u32 size, u32 c)
{
	(void)c;
	debug_port(x86(cpu), port, size);
	return port_in(port, size);
}

u64 helper_out(struct cpu *cpu, u32 port, u32 size, u32 v)
{
	debug_port(x86(cpu), port, size);
	port_out(port, size, v);
	if (cpu->synced_work)
		leave_after_insn(x86(cpu));
	return 0;
}
