/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/env/capstone_shim.c - what lets Debian's libcapstone.a be linked into a
 * small static musl binary.
 *
 * Its core names the entry points of all its architectures. Defining those we
 * do not use here keeps the linker from pulling their modules (5 MB) in: only
 * x86's is. cs_open then answers "unsupported" for the others. (The archive is
 * compiled against glibc with _FORTIFY_SOURCE, whose checking functions musl
 * lacks; the core and the x86 module call none of them.) */
#include <capstone/capstone.h>

#include "env/types.h"

#define ARCHES(_) \
	_(ARM) _(AArch64) _(Mips) _(PPC) _(Sparc) _(SystemZ) _(XCore) \
	_(M68K) _(TMS320C64x) _(M680X) _(EVM)

#define ARCH_STUB(arch) \
	cs_err arch##_global_init(void *ud); \
	cs_err arch##_option(void *ud, cs_opt_type type, size_t value); \
	cs_err arch##_global_init(void *ud) \
	{ \
		(void)ud; \
		return CS_ERR_ARCH; \
	} \
	cs_err arch##_option(void *ud, cs_opt_type type, size_t value) \
	{ \
		(void)ud; \
		(void)type; \
		(void)value; \
		return CS_ERR_OPTION; \
	}
ARCHES(ARCH_STUB)
#undef ARCH_STUB
#undef ARCHES
