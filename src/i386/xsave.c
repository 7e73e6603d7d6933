/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/i386/xsave.c - XSAVE, XSAVEOPT, XRSTOR, XGETBV, XSETBV, for the x87 and SSE
 * components. SDM vol. 1 chapter 13, vol. 2 at each instruction.
 *
 * Only the standard form of the area is there. A component is in use (XINUSE)
 * unless all of its registers are as the initial configuration has them: found
 * by looking, so that XSTATE_BV does not depend on the host.
 * Upstream: fpu_helper.c helper_xsave, helper_xrstor. */
#include <string.h>

#include "i386/fault.h"
#include "i386/fpu_image.h"
#include "i386/helper.h"
#include "i386/model.h"

enum { XCR0_X87 = 1, XCR0_SSE = 2 };
enum { LEGACY = 512, HEADER = 64 };      /* bytes of the area's two parts    */
enum { AT_MXCSR = 24, AT_ST = 32, AT_XMM = 160, END_XMM = 288 };

struct header { u64 xstate_bv, xcomp_bv, zero, rest[5]; };

u32 xcr0_possible(const struct x86_cpu *x)
{
	return XCR0_X87 | (x->features[FEAT_1_EDX] & CPUID_SSE ? XCR0_SSE : 0);
}

static void check_osxsave(struct x86_cpu *x)
{
	if (!(x->cr[4] & CR4_OSXSAVE))
		raise_exception(x, EXCP_UD);
}

static bool all_zero(const void *p, size_t n)
{
	const u8 *b = p;

	while (n && !*b)
		b++, n--;
	return !n;
}

/* SDM vol. 1 13.6. */
static u32 in_use(const struct fx *f)
{
	u32 used = 0;

	if (f->fcw != 0x37f || f->fsw || f->ftw || f->fop || f->fip || f->fdp ||
	    !all_zero(f->st, sizeof(f->st)))
		used |= XCR0_X87;
	if (!all_zero(f->xmm, 8 * sizeof(f->xmm[0])))
		used |= XCR0_SSE;
	return used;
}

/* Components the instruction is asked for: EDX:EAX, of those that are enabled. */
static u32 requested(const struct x86_cpu *x)
{
	return (u32)x->c.regs[R_EAX] & x->xcr0;
}

/* -- XCR0 ------------------------------------------------------------------------------- */
/* XCR1 is what XSAVEOPT would write. */
u64 helper_xgetbv(struct cpu *cpu, u32 a, u32 b, u32 c)
{
	struct x86_cpu *x = x86(cpu);
	u32 nr = (u32)cpu->regs[R_ECX], v = x->xcr0;
	struct fx f;

	(void)a, (void)b, (void)c;
	check_osxsave(x);
	if (nr > 1 || (nr == 1 && !(x->features[FEAT_XSAVE] & CPUID_XSAVE_XGETBV1)))
		fault(x, EXCP_GP, 0, "XGETBV: no XCR %08x", nr, 0);
	if (nr == 1) {
		fx_get(x, &f);
		v &= in_use(&f);
	}
	cpu->regs[R_EAX] = v;
	cpu->regs[R_EDX] = 0;
	return 0;
}

u64 helper_xsetbv(struct cpu *cpu, u32 a, u32 b, u32 c)
{
	struct x86_cpu *x = x86(cpu);
	u32 v = (u32)cpu->regs[R_EAX];

	(void)a, (void)b, (void)c;
	check_osxsave(x);
	if (cpu_cpl(x) != 0)
		fault(x, EXCP_GP, 0, "XSETBV outside ring 0", 0, 0);
	if ((u32)cpu->regs[R_ECX])
		fault(x, EXCP_GP, 0, "XSETBV: no XCR %08x", (u32)cpu->regs[R_ECX], 0);
	if (!(v & XCR0_X87) || v & ~xcr0_possible(x) || (u32)cpu->regs[R_EDX])
		fault(x, EXCP_GP, 0, "XCR0 = %08x: sets a bit the CPU has not, or x87 is not there",
		      v, 0);
	x->xcr0 = v;
	return 0;
}

/* -- XSAVE, XRSTOR ------------------------------------------------------------------------ */
/* Before the address is looked at. */
u64 helper_xsave_enter(struct cpu *cpu, u32 a, u32 b, u32 c)
{
	struct x86_cpu *x = x86(cpu);

	(void)a, (void)b, (void)c;
	check_osxsave(x);
	if (x->cr[0] & CR0_TS)
		raise_exception(x, EXCP_NM);
	return 0;
}

static void check_aligned(struct x86_cpu *x, u32 addr)
{
	if (addr & 63)
		fault(x, EXCP_GP, 0, "XSAVE or XRSTOR at unaligned %08x", addr, 0);
}

/* opt (XSAVEOPT): registers in their initial configuration are not written. MXCSR
 * is no such register. */
u64 helper_xsave(struct cpu *cpu, u32 addr, u32 opt, u32 c)
{
	struct x86_cpu *x = x86(cpu);
	u32 parts = requested(x), used, write;
	const u8 *image;
	struct fx f;
	u64 bv;

	(void)c;
	check_aligned(x, addr);
	fx_check_store(x, addr, parts ? END_XMM : 0);
	fx_check_store(x, addr + LEGACY, sizeof(bv));
	fx_get(x, &f);
	image = (const u8 *)&f;
	used = in_use(&f);
	write = opt ? parts & used : parts;
	if (write & XCR0_X87) {
		fx_store(x, addr, image, AT_MXCSR);
		fx_store(x, addr + AT_ST, image + AT_ST, AT_XMM - AT_ST);
	}
	if (parts & XCR0_SSE)
		fx_store(x, addr + AT_MXCSR, image + AT_MXCSR, AT_ST - AT_MXCSR);
	if (write & XCR0_SSE)
		fx_store(x, addr + AT_XMM, image + AT_XMM, END_XMM - AT_XMM);
	fx_load(x, addr + LEGACY, &bv, sizeof(bv));
	bv = (bv & ~(u64)parts) | (parts & used);
	fx_store(x, addr + LEGACY, &bv, sizeof(bv));
	return 0;
}

/* The header allows it, or #GP (SDM vol. 1 13.8). */
static u32 read_header(struct x86_cpu *x, u32 addr)
{
	struct header h;

	fx_load(x, addr + LEGACY, &h, sizeof(h));
	if (h.xstate_bv & ~(u64)x->xcr0 || h.xcomp_bv || h.zero)
		fault(x, EXCP_GP, 0, "XRSTOR: bad header, XSTATE_BV %08x, XCOMP_BV %08x",
		      (u32)h.xstate_bv, (u32)h.xcomp_bv);
	return (u32)h.xstate_bv;
}

/* What is asked for and not in XSTATE_BV becomes as it is initially; MXCSR is
 * loaded whenever SSE is asked for. */
u64 helper_xrstor(struct cpu *cpu, u32 addr, u32 b, u32 c)
{
	struct x86_cpu *x = x86(cpu);
	u32 parts = requested(x), from;
	u8 image[END_XMM];
	struct fx f;

	(void)b, (void)c;
	check_aligned(x, addr);
	from = read_header(x, addr) & parts;
	if (from || parts & XCR0_SSE)
		fx_load(x, addr, image, END_XMM);
	f = (struct fx){ .fcw = 0x37f };
	if (from & XCR0_X87) {
		memcpy(&f, image, AT_MXCSR);
		memcpy(f.st, image + AT_ST, sizeof(f.st));
	}
	if (parts & XCR0_SSE) {
		memcpy(&f.mxcsr, image + AT_MXCSR, sizeof(f.mxcsr));
		mxcsr_check(x, f.mxcsr);
	}
	if (from & XCR0_SSE)
		memcpy(f.xmm, image + AT_XMM, END_XMM - AT_XMM);
	fx_put(x, &f, (parts & XCR0_X87 ? FX_X87 : 0) |
		      (parts & XCR0_SSE ? FX_XMM | FX_MXCSR : 0));
	return 0;
}
