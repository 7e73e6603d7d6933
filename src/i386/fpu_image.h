/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/i386/fpu_image.h - x87 and SSE state as FXSAVE and XSAVE have it in memory,
 * for fpu.c and xsave.c. SDM vol. 1 10.5.1, 13.4. */
#ifndef I386_FPU_IMAGE_H
#define I386_FPU_IMAGE_H

#include "i386/cpu.h"

/* The layout of the host's FXSAVE64; a guest's has selectors in the upper halves
 * of fip and fdp. */
struct fx {
	u16 fcw, fsw;
	u8 ftw, reserved;
	u16 fop;
	u64 fip, fdp;
	u32 mxcsr, mxcsr_mask;
	u8 st[8][16], xmm[16][16];
	u8 rest[96];
} __attribute__((aligned(16)));

enum { FX_X87 = 1, FX_XMM = 2, FX_MXCSR = 4 };   /* parts of it             */

/* The guest's state; MXCSR fields are 0 without SSE. The vCPU's own thread, for
 * all of these. */
void fx_get(struct x86_cpu *x, struct fx *f);
/* Load those parts; MXCSR has been checked. */
void fx_put(struct x86_cpu *x, const struct fx *f, u32 parts);
/* #GP if MXCSR must not be v. */
void mxcsr_check(struct x86_cpu *x, u32 v);

/* n even bytes of guest memory at addr. fx_check_store does all checks of a store,
 * including those that restart the instruction because its own code is there. */
void fx_check_store(struct x86_cpu *x, u32 addr, u32 n);
void fx_store(struct x86_cpu *x, u32 addr, const void *from, u32 n);
void fx_load(struct x86_cpu *x, u32 addr, void *to, u32 n);

#endif
