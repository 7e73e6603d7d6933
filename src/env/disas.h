/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/env/disas.h - disassembly by capstone, for -d in_asm,out_asm. */
#ifndef ENV_DISAS_H
#define ENV_DISAS_H

#include "env/types.h"

enum disas_mode { DISAS_X86_16, DISAS_X86_32, DISAS_X86_64 };

/* Log `n` bytes of code that stand at `pc`, one instruction a line,
 * "0x00001000:  89 d8    mov eax, ebx". Bytes that do not decode are shown
 * as .byte. */
void disas_log(enum disas_mode mode, const u8 *code, size_t n, u64 pc);
/* One instruction's text into buf; returns its length in bytes, 0: none. */
int disas_one(enum disas_mode mode, const u8 *code, size_t n, u64 pc,
	      char *buf, size_t size);
/* Number of instructions in n bytes (for the statistics). */
int disas_count(enum disas_mode mode, const u8 *code, size_t n);

#endif
