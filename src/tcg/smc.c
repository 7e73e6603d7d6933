/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/tcg/smc.c - places in code that keep changing.
 *
 * Code that patches an operand of its own over and over loses a TB each time, and
 * each new one costs a translation and the host's own penalty for fresh code. So
 * stores of 4 bytes that hit code are counted by place; where one has hit often,
 * the translator reads an immediate operand when the instruction runs, and its
 * TB does not depend on these bytes (tb->hole).
 *
 * A count is a guess: places share entries, and a place that has other code by now
 * only costs a load where a constant would do. */
#include "tcg/tb.h"

enum { PLACES = 256, OFTEN = 4 };

static u64 place[PLACES];        /* _Atomic; address << 8 | count           */

static u64 *entry(ram_addr addr)
{
	return &place[(addr ^ addr >> 8) % PLACES];
}

void smc_note_store(ram_addr addr)
{
	u64 was = __atomic_load_n(entry(addr), __ATOMIC_RELAXED);

	if (was >> 8 != addr)
		was = addr << 8;
	if ((was & 0xff) < OFTEN)
		__atomic_store_n(entry(addr), was + 1, __ATOMIC_RELAXED);
}

bool smc_keeps_changing(ram_addr addr)
{
	return __atomic_load_n(entry(addr), __ATOMIC_RELAXED) == (addr << 8 | OFTEN);
}
