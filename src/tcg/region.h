/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/tcg/region.h - regions of the code buffer, for tb.c; everybody else
 * finds what he needs in tb.h. */
#ifndef TCG_REGION_H
#define TCG_REGION_H

#include "tcg/tb.h"

/* `size` bytes, but a region at least for each of `threads`. */
void tcg_region_init(size_t size, int threads);
/* Forget all TBs; all vCPUs are outside translated code. */
void tcg_region_reset_all(void);

#endif
