/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/env/xmm.c - library functions that leave the XMM registers alone.
 *
 * A guest's XMM registers are live in the host's while our C runs in a vCPU's
 * thread. Our own code uses none; of the C library and capstone the functions
 * here would. The linker's --wrap (Makefile) sends every call of one of them
 * here, from within the library too. tools/xmm finds those that are missing.
 * Where the C library is
 * another, translated code saves the registers around its calls (tcg/x64.h,
 * XMM_IN_HOST). MXCSR may be the guest's: none of them computes in floating point. */
#ifdef XMM_WRAP                        /* the static binary, not the tests */
#include <capstone/capstone.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "env/types.h"

struct xmm { u8 reg[8][16]; };

static inline void save(struct xmm *x)
{
	__asm__ volatile("movups %%xmm0, (%1)\n\tmovups %%xmm1, 16(%1)\n\t"
			 "movups %%xmm2, 32(%1)\n\tmovups %%xmm3, 48(%1)\n\t"
			 "movups %%xmm4, 64(%1)\n\tmovups %%xmm5, 80(%1)\n\t"
			 "movups %%xmm6, 96(%1)\n\tmovups %%xmm7, 112(%1)"
			 : "=m"(*x) : "r"(x));
}

static inline void restore(const struct xmm *x)
{
	__asm__ volatile("movups (%1), %%xmm0\n\tmovups 16(%1), %%xmm1\n\t"
			 "movups 32(%1), %%xmm2\n\tmovups 48(%1), %%xmm3\n\t"
			 "movups 64(%1), %%xmm4\n\tmovups 80(%1), %%xmm5\n\t"
			 "movups 96(%1), %%xmm6\n\tmovups 112(%1), %%xmm7"
			 : : "m"(*x), "r"(x));
}

/* The linker makes the __real_ names. */
#define WRAP(type, name, params, args)                                        \
	type __real_##name params;                                            \
	type __wrap_##name params;                                            \
	type __wrap_##name params                                             \
	{                                                                     \
		struct xmm x;                                                 \
		type r;                                                       \
									      \
		save(&x);                                                     \
		r = __real_##name args;                                       \
		restore(&x);                                                  \
		return r;                                                     \
	}

WRAP(void *, malloc, (size_t n), (n))
WRAP(void *, calloc, (size_t n, size_t size), (n, size))
WRAP(void *, realloc, (void *p, size_t n), (p, n))
WRAP(int, vfprintf, (FILE *f, const char *fmt, va_list ap), (f, fmt, ap))
WRAP(int, pthread_cond_init, (pthread_cond_t *c, const pthread_condattr_t *a), (c, a))
WRAP(int, pthread_mutex_init, (pthread_mutex_t *m, const pthread_mutexattr_t *a), (m, a))
WRAP(int, pthread_cond_timedwait,
     (pthread_cond_t *c, pthread_mutex_t *m, const struct timespec *t), (c, m, t))
WRAP(cs_err, cs_open, (cs_arch arch, cs_mode mode, csh *h), (arch, mode, h))
WRAP(bool, cs_disasm_iter,
     (csh h, const uint8_t **code, size_t *n, uint64_t *pc, cs_insn *insn),
     (h, code, n, pc, insn))

void __real_free(void *p);
void __wrap_free(void *p);
void __wrap_free(void *p)
{
	struct xmm x;

	save(&x);
	__real_free(p);
	restore(&x);
}
#endif
