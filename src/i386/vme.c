/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/i386/vme.c - virtual-8086 mode with a virtual interrupt flag: FLAGS images
 * and software interrupts that the task's own vector table gets. SDM vol. 3B
 * 20.3.3, 20.3.3.4 (method 5 and 6), table 20-2; AMD APM vol. 3 at IRET, POPF.
 * CLI and STI are in gen_sys.c and sys.c. Upstream: helper_iret_real and the
 * like know nothing of it. */
#include "i386/desc.h"
#include "i386/fault.h"
#include "i386/helper.h"

enum { IO_MAP_BASE = 0x66, REDIRECTION_BYTES = 32 };

u32 vme_flags_image(const struct x86_cpu *x)
{
	u32 f = cpu_get_eflags(x) & ~(u32)EFLAGS_IF & 0xffff;

	return f | EFLAGS_IOPL | (x->eflags & EFLAGS_VIF ? EFLAGS_IF : 0);
}

void vme_set_flags(struct x86_cpu *x, u32 v)
{
	u32 mask = EFLAGS_ARITH | EFLAGS_TF | EFLAGS_DF | EFLAGS_NT | EFLAGS_VIF;

	if (v & EFLAGS_TF || (v & EFLAGS_IF && x->eflags & EFLAGS_VIP))
		fault(x, EXCP_GP, 0, "v86 FLAGS image %04x sets TF, or IF while "
		      "VIP is set", v & 0xffff, 0);
	v &= 0xffff;
	cpu_set_eflags(x, v | (v & EFLAGS_IF ? EFLAGS_VIF : 0), mask);
}

/* A clear bit in the 32 bytes below the TSS's I/O map. */
bool vme_redirects(struct x86_cpu *x, int vector)
{
	u32 at;

	if (!(x->cr[4] & CR4_VME))
		return false;
	if (!(x->tr.flags & DESC_P) || x->tr.limit < 103)
		fault(x, EXCP_GP, 0, "INT %02x in v86 mode: no TSS of 32 bits", vector, 0);
	at = cpu_lduw(&x->c, (u32)(x->tr.base + IO_MAP_BASE), MMU_KERNEL);
	at += (u32)vector / 8 - REDIRECTION_BYTES;
	if (at > x->tr.limit)
		fault(x, EXCP_GP, 0, "INT %02x in v86 mode: its redirection bit is "
		      "beyond the TSS", vector, 0);
	return !(cpu_ldub(&x->c, (u32)(x->tr.base + at), MMU_KERNEL) >> (vector & 7) & 1);
}

void vme_interrupt(struct x86_cpu *x, int vector, u32 next)
{
	bool vif = x->hflags & HF_VIF;
	u32 image = vif ? vme_flags_image(x) : cpu_get_eflags(x) & 0xffff;
	u32 ip = cpu_lduw(&x->c, (u32)vector * 4, MMU_USER);
	u32 cs = cpu_lduw(&x->c, (u32)vector * 4 + 2, MMU_USER);
	struct stack s;

	stack_current(&s, x);
	stack_push(&s, 2, image);
	stack_push(&s, 2, x->seg[R_CS].selector);
	stack_push(&s, 2, next);
	stack_commit(&s);
	cpu_set_eflags(x, 0, (vif ? EFLAGS_VIF : EFLAGS_IF) | EFLAGS_TF);
	seg_set_real(x, R_CS, (u16)cs);
	x->c.pc = ip;
}
