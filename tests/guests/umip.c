/* SPDX-License-Identifier: GPL-2.0-or-later */
/* run-options: -cpu max */
/* CR4.UMIP: SGDT, SIDT, SLDT, SMSW, STR are ring 0's. SDM 3A 2.5. */
#include "guest.h"

enum { GP = 13, CR4_UMIP = 1 << 11 };
u8 buffer[8];

#define TRY(name, text) static void name(void) \
	{ __asm__ volatile(text ::: "eax", "memory"); }
TRY(try_sgdt, "sgdt buffer")
TRY(try_sidt, "sidt buffer")
TRY(try_sldt, "sldt %%eax")
TRY(try_smsw, "smsw %%eax")
TRY(try_str, "str %%eax")
TRY(try_smsw_mem, "smsw buffer")
TRY(try_str_mem, "str buffer")

static const struct { const char *name; void (*fn)(void); } insn[] = {
	{ "sgdt", try_sgdt }, { "sidt", try_sidt }, { "sldt", try_sldt }, { "smsw", try_smsw },
	{ "str", try_str }, { "smsw-memory", try_smsw_mem }, { "str-memory", try_str_mem },
};

static void as_kernel(void *p) { ((void (*)(void))p)(); }

void guest_main(void)
{
	u32 r[4];

	cpuid(7, 0, r);
	if (!(r[2] >> 2 & 1)) {
		say("skip umip: not in CPUID\n");
		return;
	}
	for (u32 i = 0; i < N_ELEM(insn); i++) {
		CHECK_EQ(insn[i].name, user_try(insn[i].fn), 0x30);
		set_cr4(get_cr4() | CR4_UMIP);
		CHECK_EQ(insn[i].name, trap_try(as_kernel, insn[i].fn), -1);
		buffer[0] = 0x55;
		CHECK_EQ(insn[i].name, user_try(insn[i].fn), GP);
		CHECK_EQ(insn[i].name, trap_last.error, 0);
		CHECK_EQ("umip-stores-nothing", buffer[0], 0x55);
		set_cr4(get_cr4() & ~CR4_UMIP);
	}
	CHECK_EQ("umip-off-again", user_try(try_str), 0x30);
}
