/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/i386/fpu.c - the instructions that move the x87's whole environment, and
 * MXCSR: FNSTENV FLDENV FNSAVE FRSTOR FXSAVE FXRSTOR LDMXCSR. SDM vol. 1 8.1.10 (figures 8-9
 * to 8-12), vol. 2 FXSAVE.
 *
 * The guest's x87 and SSE state is in the host's registers. Here it is stored to a
 * buffer by the host's FXSAVE64 and FNSTENV, and what names an instruction or
 * an operand is translated: the host's FIP is an address of translated code,
 * its FDP one of guest RAM. An environment the guest loads goes to the host
 * with FIP and FDP 0; its pointers are remembered in struct x86_cpu and shown
 * again until another x87 instruction has run.
 *
 * DIFF: FDP is 0 when the operand was in MMIO or crossed a page, or its page
 * is mapped no more; selectors are those the segment registers hold now.
 * CR0.NE = 0 behaves as NE = 1: #MF, no FERR#/IRQ 13. */
#include <string.h>

#include "i386/dis.h"
#include "i386/fault.h"
#include "i386/fpu_image.h"
#include "i386/helper.h"
#include "i386/model.h"
#include "qemu/cpus.h"
#include "qemu/memory.h"
#include "qemu/target.h"
#include "tcg/x64.h"

enum { FSW_ES = 0x80, ENV32 = 28, ENV16 = 14, REGS = 80 };

struct env32 { u32 fcw, fsw, ftw, fip, fcs_fop, fdp, fds; };

/* The guest's view. */
struct env {
	u16 fcw, fsw, ftw, fop, fcs, fds;
	u32 fip, fdp;
};

/* -- host state ------------------------------------------------------------------ */
static void host_fxsave(struct x86_cpu *x, struct fx *f)
{
	__asm__ volatile("fxsave64 %0" : "=m"(*f));
	if (!XMM_IN_HOST)
		memcpy(f->xmm, x->c.xmm, sizeof(x->c.xmm));
}

static void host_fxrstor(struct x86_cpu *x, const struct fx *f)
{
	__asm__ volatile("fxrstor64 %0" : : "m"(*f));
	if (!XMM_IN_HOST)
		memcpy(x->c.xmm, f->xmm, sizeof(x->c.xmm));
}

/* FNSTENV masks all exceptions, so the control word is loaded again (nothing
 * can be pending between the two). */
static void host_fnstenv(struct env32 *e)
{
	u16 fcw;

	__asm__ volatile("fnstcw %1\n\tfnstenv %0\n\tfldcw %1"
			 : "=m"(*e), "=m"(fcw));
}

/* -- pointers ------------------------------------------------------------------------ */
/* Guest address of a byte of guest RAM, given the low half of the host's:
 * through the present mode's translations (it takes a scan). An operand that
 * crossed pages was in the bounce buffer. */
static u32 host_to_linear(struct x86_cpu *x, u32 low)
{
	u64 arena = (u64)(uintptr_t)ram_arena, host = arena + (u32)(low - (u32)arena);
	int mode = cpu_mmu_index(x);
	u64 (*t)[TLB_PAGES] = cpu_tables(&x->c)->tlb[mode];
	u32 in_bounce = low - (u32)(uintptr_t)x->c.bounce;

	if (in_bounce < sizeof(x->c.bounce))
		return x->c.bounce_gva + in_bounce;
	for (int g = 0; g < 2; g++) {
		const struct tlb_list *l = &x->c.tlb_filled[mode][g];

		for (u32 i = 0; i < l->n; i++) {
			u32 page = l->page[i];
			u64 at = t[0][page] + ((u64)page << PAGE_BITS);

			if (t[0][page] != TLB_INVALID && at == (host & PAGE_MASK))
				return page << PAGE_BITS | (host & ~PAGE_MASK);
		}
	}
	return 0;
}

static void remember(struct x86_cpu *x, const struct env *e)
{
	x->fpu_ip = e->fip;
	x->fpu_dp = e->fdp;
	x->fpu_op = e->fop & 0x7ff;
	x->fpu_cs = e->fcs;
	x->fpu_ds = e->fds;
}

/* fip: the host's; fdp: low half of the host's, 0 when no instruction with a
 * memory operand has run since the pointers were loaded. Segment and opcode
 * are those of the guest's code at FIP; a memory operand of an earlier
 * instruction is taken to be in DS. */
static void guest_pointers(struct x86_cpu *x, u64 fip, u32 fdp, struct env *e)
{
	struct dis d;
	u32 eip;
	int seg = R_DS;

	*e = (struct env){ .fip = x->fpu_ip, .fdp = x->fpu_dp, .fop = x->fpu_op,
			   .fcs = x->fpu_cs, .fds = x->fpu_ds };
	if (!fip || !cpu_host_pc_to_guest(&x->c, fip, &eip))
		return;
	e->fip = eip;
	e->fcs = x->seg[R_CS].selector;
	e->fop = 0;
	if (decode_quiet(&d, x, eip) && d.esc) {
		e->fop = (d.esc & 7) << 8 | d.modrm;
		seg = d.mod == 3 ? R_DS : d.mem.seg;
	}
	if (fdp) {
		e->fdp = host_to_linear(x, fdp) - x->seg[seg].base;
		e->fds = x->seg[seg].selector;
	}
}

/* All memory forms but FNSTENV FNSTCW FNSAVE FNSTSW; what uses MMX registers
 * (CVTPI2PS and CVTPI2PD from memory use none). */
static bool waits(const struct dis *d)
{
	if (!d->esc)
		return d->row->flags & MMXROW && d->op != 0x2a;
	return (d->esc != 0xd9 && d->esc != 0xdd) || d->reg < 6;
}

void fpu_error_first(struct x86_cpu *x)
{
	struct dis d;
	u16 fsw;

	__asm__ volatile("fnstsw %0" : "=m"(fsw));
	if (!(fsw & FSW_ES) || !x->c.host_pc)
		return;
	cpu_restore_state(&x->c);
	if (decode_quiet(&d, x, (u32)x->c.pc) && waits(&d))
		raise_exception(x, EXCP_MF);
}

/* -- guest memory --------------------------------------------------------------------- */
/* Page faults of an image of n bytes. Silicon looks at its first `word` bytes,
 * then at its last byte: one of them decides CR2. */
static void check_pages(struct x86_cpu *x, u32 addr, u32 word, u32 n, enum mmu_access rw)
{
	int mmu = cpu_mmu_index(x);
	u32 end = addr + word - 1;

	if (end < addr)
		target_access_wraps(&x->c, addr);
	probe_access(&x->c, addr, 1, rw, mmu);
	if (addr + n - 1 < addr)
		target_access_wraps(&x->c, addr);
	if ((addr ^ end) & (u32)PAGE_MASK)
		probe_access(&x->c, end & (u32)PAGE_MASK, 1, rw, mmu);
	probe_access(&x->c, addr + n - 1, 1, rw, mmu);
}

void fx_check_store(struct x86_cpu *x, u32 addr, u32 n)
{
	while (n) {
		u32 part = MIN(n, PAGE_SIZE - (addr & 0xfff));

		probe_access(&x->c, addr, part, MMU_DATA_STORE, cpu_mmu_index(x));
		addr += part;
		n -= part;
	}
}

void fx_store(struct x86_cpu *x, u32 addr, const void *from, u32 n)
{
	const u8 *p = from;
	int mmu = cpu_mmu_index(x);
	u64 q;
	u16 w;

	for (; n >= 8; n -= 8, addr += 8, p += 8)
		memcpy(&q, p, 8), cpu_stq(&x->c, addr, q, mmu);
	for (; n; n -= 2, addr += 2, p += 2)
		memcpy(&w, p, 2), cpu_stw(&x->c, addr, w, mmu);
}

void fx_load(struct x86_cpu *x, u32 addr, void *to, u32 n)
{
	u8 *p = to;
	int mmu = cpu_mmu_index(x);
	u64 q;
	u16 w;

	for (; n >= 8; n -= 8, addr += 8, p += 8)
		q = cpu_ldq(&x->c, addr, mmu), memcpy(p, &q, 8);
	for (; n; n -= 2, addr += 2, p += 2)
		w = cpu_lduw(&x->c, addr, mmu), memcpy(p, &w, 2);
}

/* -- layouts of the environment ---------------------------------------------------------- */
/* Real and v86 mode hold linear pointers split over two fields. */
static bool real_layout(const struct x86_cpu *x)
{
	return (x->hflags & (HF_PE | HF_VM)) != HF_PE;
}

static u32 env_pack(struct x86_cpu *x, const struct env *e, bool wide, u8 *out)
{
	bool real = real_layout(x);
	u32 d[7] = { e->fcw | 0xffff0000, e->fsw | 0xffff0000,
		e->ftw | 0xffff0000, e->fip, e->fcs | (u32)e->fop << 16, e->fdp,
		e->fds | 0xffff0000 };
	u16 w[7] = { e->fcw, e->fsw, e->ftw, e->fip, e->fcs, e->fdp, e->fds };

	if (real) {
		d[3] = (e->fip & 0xffff) | 0xffff0000;
		d[4] = (e->fip >> 16) << 12 | e->fop;
		d[5] = (e->fdp & 0xffff) | 0xffff0000;
		d[6] = (e->fdp >> 16) << 12;
		w[4] = (e->fip >> 4 & 0xf000) | e->fop;
		w[6] = e->fdp >> 4 & 0xf000;
	}
	memcpy(out, wide ? (void *)d : (void *)w, wide ? ENV32 : ENV16);
	return wide ? ENV32 : ENV16;
}

static void env_unpack(struct x86_cpu *x, struct env *e, bool wide, const u8 *in)
{
	bool real = real_layout(x);
	u32 d[7];
	u16 w[7];

	memcpy(d, in, wide ? ENV32 : ENV16);
	memcpy(w, d, sizeof(w));
	for (int i = 0; !wide && i < 7; i++)
		d[i] = w[i];
	*e = (struct env){ .fcw = d[0], .fsw = d[1], .ftw = d[2], .fip = d[3],
		.fcs = d[4], .fop = wide ? d[4] >> 16 & 0x7ff : 0, .fdp = d[5],
		.fds = d[6] };
	if (!real)
		return;
	e->fop = d[4] & 0x7ff;
	e->fip = (d[3] & 0xffff) | (d[4] >> 12 & 0xffff) << 16;
	e->fdp = (d[5] & 0xffff) | (d[6] >> 12 & 0xffff) << 16;
	e->fcs = e->fds = 0;
}

/* AMD's FXSAVE64 stores FIP, FDP and FOP only while an exception is pending;
 * FNSTENV always has the low half of FIP. The high half is that of the
 * translated code that called. */
static void env_get(struct x86_cpu *x, struct env *e, struct fx *f)
{
	struct env32 h;
	u64 fip;

	host_fxsave(x, f);
	host_fnstenv(&h);
	fip = h.fip ? (x->c.host_pc & ~0xffffffffull) | h.fip : 0;
	guest_pointers(x, fip, h.fdp, e);
	e->fcw = f->fcw;
	e->fsw = f->fsw;
	e->ftw = h.ftw;
}

/* FLDENV and FRSTOR wait: an exception pending from before comes first. */
static void check_pending(struct x86_cpu *x)
{
	u16 fsw;

	__asm__ volatile("fnstsw %0" : "=m"(fsw));
	if (fsw & FSW_ES)
		raise_exception(x, EXCP_MF);
}

/* What the host loads of an environment. */
static struct env32 host_env(const struct env *e)
{
	return (struct env32){ .fcw = e->fcw, .fsw = e->fsw, .ftw = e->ftw };
}

/* An image in guest memory: an environment, and registers perhaps. By a 16-bit
 * address it is read and written in pieces, words of the environment, then 8 and
 * 2 bytes of each register; each has an offset of 16 bits, but goes on behind
 * FFFFh itself (seen on Zen 4; the SDM does not say). */
struct image { u32 addr, n, word, before; };     /* before: bytes that do not wrap */

static u32 bytes_before_wrap(const struct image *m, u32 env, u32 to_end)
{
	u32 reg;

	if (to_end <= env)
		return (to_end + m->word - 1) / m->word * m->word;
	reg = (to_end - env) % 10;
	return to_end + (reg == 0 ? 0 : reg <= 8 ? 8 - reg : 10 - reg);
}

/* `how`: bit 0 32-bit operands; from bit 1 on the segment + 1 of a 16-bit address, 0:
 * it has 32. */
static struct image image_at(struct x86_cpu *x, u32 addr, u32 how, u32 more)
{
	u32 env = how & 1 ? ENV32 : ENV16;
	struct image m = { addr, env + more, how & 1 ? 4 : 2, env + more };

	if (how >> 1) {
		u32 to_end = 0x10000 - (u16)(addr - x->seg[(how >> 1) - 1].base);

		if (to_end < m.n)
			m.before = MIN(bytes_before_wrap(&m, env, to_end), m.n);
	}
	return m;
}

static u32 image_rest(const struct image *m) { return m->addr + m->before - 0x10000; }

static void check_part(struct x86_cpu *x, const struct image *m, u32 addr, u32 n,
		       enum mmu_access rw)
{
	check_pages(x, addr, m->word, n, rw);
	if (rw == MMU_DATA_STORE)
		fx_check_store(x, addr, n);
}

static void check_image(struct x86_cpu *x, const struct image *m, enum mmu_access rw)
{
	check_part(x, m, m->addr, m->before, rw);
	if (m->before < m->n)
		check_part(x, m, image_rest(m), m->n - m->before, rw);
}

static void image_load(struct x86_cpu *x, const struct image *m, u8 *to)
{
	fx_load(x, m->addr, to, m->before);
	fx_load(x, image_rest(m), to + m->before, m->n - m->before);
}

static void image_store(struct x86_cpu *x, const struct image *m, const u8 *from)
{
	fx_store(x, m->addr, from, m->before);
	fx_store(x, image_rest(m), from + m->before, m->n - m->before);
}

/* -- FNSTENV, FLDENV, FNSAVE, FRSTOR -------------------------------------------------------- */
u64 helper_fnstenv(struct cpu *cpu, u32 addr, u32 how, u32 c)
{
	struct x86_cpu *x = x86(cpu);
	struct env32 scratch;
	struct env e;
	struct fx f;
	struct image m = image_at(x, addr, how, 0);
	u8 image[ENV32];

	(void)c;
	check_image(x, &m, MMU_DATA_STORE);
	env_get(x, &e, &f);
	env_pack(x, &e, how & 1, image);
	image_store(x, &m, image);
	__asm__ volatile("fnstenv %0" : "=m"(scratch));  /* masks all exceptions */
	remember(x, &e);
	return 0;
}

u64 helper_fnsave(struct cpu *cpu, u32 addr, u32 how, u32 c)
{
	struct x86_cpu *x = x86(cpu);
	struct image m = image_at(x, addr, how, REGS);
	u8 image[ENV32 + REGS];
	struct env e;
	struct fx f;
	u32 n;

	(void)c;
	check_image(x, &m, MMU_DATA_STORE);
	env_get(x, &e, &f);
	n = env_pack(x, &e, how & 1, image);
	for (int i = 0; i < 8; i++, n += 10)
		memcpy(image + n, f.st[i], 10);
	image_store(x, &m, image);
	__asm__ volatile("fninit");
	remember(x, &(struct env){ 0 });
	return 0;
}

u64 helper_fldenv(struct cpu *cpu, u32 addr, u32 how, u32 c)
{
	struct x86_cpu *x = x86(cpu);
	struct image m = image_at(x, addr, how, 0);
	u8 image[ENV32];
	struct env32 h;
	struct env e;

	(void)c;
	check_pending(x);
	check_image(x, &m, MMU_DATA_LOAD);
	image_load(x, &m, image);
	env_unpack(x, &e, how & 1, image);
	h = host_env(&e);
	__asm__ volatile("fldenv %0" : : "m"(h));
	remember(x, &e);
	return 0;
}

u64 helper_frstor(struct cpu *cpu, u32 addr, u32 how, u32 c)
{
	struct x86_cpu *x = x86(cpu);
	struct image m = image_at(x, addr, how, REGS);
	u8 image[ENV32 + REGS];
	struct { struct env32 env; u8 regs[REGS]; } h;
	struct env e;

	(void)c;
	check_pending(x);
	check_image(x, &m, MMU_DATA_LOAD);
	image_load(x, &m, image);
	env_unpack(x, &e, how & 1, image);
	h.env = host_env(&e);
	memcpy(h.regs, image + m.n - REGS, REGS);
	__asm__ volatile("frstor %0" : : "m"(h));
	remember(x, &e);
	return 0;
}

/* -- FXSAVE, FXRSTOR ---------------------------------------------------------------------------- */
static void check_fx(struct x86_cpu *x, u32 addr)
{
	if (x->cr[0] & (CR0_TS | CR0_EM))
		raise_exception(x, EXCP_NM);
	if (addr & 15)
		fault(x, EXCP_GP, 0, "FXSAVE or FXRSTOR at unaligned %08x", addr, 0);
}

/* -- MXCSR --------------------------------------------------------------------------------------- */
enum { MXCSR_RESET = 0x1f80, MXCSR_MASKS = 0x1f80, MXCSR_DAZ = 0x40, MXCSR_BITS = 0xffff };

static bool has_sse(const struct x86_cpu *x)
{
	return x->features[FEAT_1_EDX] & CPUID_SSE;
}

/* Bits that may be set: the Pentium III has no DAZ. */
static u32 mxcsr_mask(const struct x86_cpu *x)
{
	return x->features[FEAT_1_EDX] & CPUID_SSE2 ? MXCSR_BITS : MXCSR_BITS & ~MXCSR_DAZ;
}

/* Translated code depends on whether an exception is unmasked. */
static void mxcsr_changed(struct x86_cpu *x, u32 v)
{
	x->hflags &= ~(u32)HF_XM;
	if ((v & MXCSR_MASKS) != MXCSR_MASKS)
		x->hflags |= HF_XM;
}

void mxcsr_check(struct x86_cpu *x, u32 v)
{
	if (v & ~mxcsr_mask(x))
		fault(x, EXCP_GP, 0, "MXCSR = %08x: sets a reserved bit", v, 0);
}

u64 helper_ldmxcsr(struct cpu *cpu, u32 v, u32 b, u32 c)
{
	struct x86_cpu *x = x86(cpu);

	(void)b, (void)c;
	mxcsr_check(x, v);
	__asm__ volatile("ldmxcsr %0" : : "m"(v));
	mxcsr_changed(x, v);
	return 0;
}

void fpu_power_on(struct x86_cpu *x)
{
	struct fx f = { .fcw = 0x37f, .mxcsr = MXCSR_RESET };

	host_fxrstor(x, &f);
	mxcsr_changed(x, MXCSR_RESET);
}

void fx_get(struct x86_cpu *x, struct fx *f)
{
	struct env e;

	host_fxsave(x, f);
	guest_pointers(x, f->fip, f->fdp, &e);
	f->fop = e.fop;
	f->fip = e.fip | (u64)e.fcs << 32;
	f->fdp = e.fdp | (u64)e.fds << 32;
	f->mxcsr_mask = has_sse(x) ? mxcsr_mask(x) : 0;
	if (!has_sse(x))
		f->mxcsr = 0;
	f->reserved = 0;
}

void fx_put(struct x86_cpu *x, const struct fx *g, u32 parts)
{
	struct fx f;

	host_fxsave(x, &f);
	if (parts & FX_X87) {
		f.fcw = g->fcw;
		f.fsw = g->fsw;
		f.ftw = g->ftw;
		f.fop = 0;
		f.fip = f.fdp = 0;
		memcpy(f.st, g->st, sizeof(f.st));
	}
	if (parts & FX_MXCSR) {
		f.mxcsr = g->mxcsr;
		mxcsr_changed(x, g->mxcsr);
	}
	if (parts & FX_XMM)
		memcpy(f.xmm, g->xmm, 8 * sizeof(f.xmm[0]));
	host_fxrstor(x, &f);
	if (parts & FX_X87)
		remember(x, &(struct env){ .fop = g->fop, .fip = (u32)g->fip,
			.fcs = g->fip >> 32, .fdp = (u32)g->fdp, .fds = g->fdp >> 32 });
}

/* The XMM area is written only when the system has said that it knows of it
 * (CR4.OSFXSR). */
u64 helper_fxsave(struct cpu *cpu, u32 addr, u32 b, u32 c)
{
	struct x86_cpu *x = x86(cpu);
	struct fx f;
	u32 n;

	(void)b, (void)c;
	check_fx(x, addr);
	check_pages(x, addr, 4, sizeof(f), MMU_DATA_STORE);
	n = x->cr[4] & CR4_OSFXSR && has_sse(x) ? 160 + 8 * 16 : 160;
	fx_check_store(x, addr, n);
	fx_get(x, &f);
	fx_store(x, addr, &f, n);
	return 0;
}

/* MXCSR comes with the XMM registers, as CR4.OSFXSR says. */
u64 helper_fxrstor(struct cpu *cpu, u32 addr, u32 b, u32 c)
{
	struct x86_cpu *x = x86(cpu);
	struct fx f;
	bool sse;

	(void)b, (void)c;
	check_fx(x, addr);
	check_pages(x, addr, 4, sizeof(f), MMU_DATA_LOAD);
	sse = x->cr[4] & CR4_OSFXSR && has_sse(x);
	fx_load(x, addr, &f, sse ? 160 + 8 * 16 : 160);
	if (sse)
		mxcsr_check(x, f.mxcsr);
	fx_put(x, &f, FX_X87 | (sse ? FX_XMM | FX_MXCSR : 0));
	return 0;
}
