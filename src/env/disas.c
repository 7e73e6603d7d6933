/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/env/disas.c - disassembly by capstone (its x86 module), Intel syntax.
 *
 * One handle a mode, opened when first asked for; a handle serves one thread
 * at a time, hence the lock. */
#include "env/disas.h"

#include <capstone/capstone.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "env/lock.h"
#include "env/log.h"

#define LINE_BYTES (sizeof(((cs_insn *)0)->mnemonic) + \
		    sizeof(((cs_insn *)0)->op_str) + 80)
#define CODE_COLUMN 24                 /* eight bytes; longer ones push on   */

static struct lock disas_lock = LOCK_INIT("disas", RANK_DISAS);
static csh handles[3] GUARDED_BY(disas_lock);
static cs_insn *insn GUARDED_BY(disas_lock);      /* cs_disasm_iter's room  */

static const cs_mode cs_mode_of[3] = {
	[DISAS_X86_16] = CS_MODE_16,
	[DISAS_X86_32] = CS_MODE_32,
	[DISAS_X86_64] = CS_MODE_64,
};

static csh handle_get(enum disas_mode mode) REQUIRES(disas_lock)
{
	if (!handles[mode]) {
		if (cs_open(CS_ARCH_X86, cs_mode_of[mode], &handles[mode]))
			die("cannot open the disassembler");
		if (!insn)
			insn = cs_malloc(handles[mode]);
	}
	return handles[mode];
}

/* Decode one instruction into `insn`. Returns its length, 0: does not decode
 * or is cut off. */
static int decode(csh h, const u8 *code, size_t n, u64 pc) REQUIRES(disas_lock)
{
	if (!cs_disasm_iter(h, &code, &n, &pc, insn))
		return 0;
	return insn->size;
}

int disas_one(enum disas_mode mode, const u8 *code, size_t n, u64 pc,
	      char *buf, size_t size)
{
	int len;

	lock_acquire(&disas_lock);
	len = decode(handle_get(mode), code, n, pc);
	if (len && size)
		snprintf(buf, size, "%s%s%s", insn->mnemonic,
			 insn->op_str[0] ? " " : "", insn->op_str);
	lock_release(&disas_lock);
	return len;
}

int disas_count(enum disas_mode mode, const u8 *code, size_t n)
{
	csh h;
	int count = 0;

	lock_acquire(&disas_lock);
	h = handle_get(mode);
	for (size_t at = 0; at < n; count++)
		at += (size_t)MAX(decode(h, code + at, n - at, 0), 1);
	lock_release(&disas_lock);
	return count;
}

/* -- listings --------------------------------------------------------------- */

/* One line at `out` (LINE_BYTES of room); returns its end. */
static char *line(char *out, enum disas_mode mode, const u8 *code, int len,
		  u64 pc, const char *text)
{
	int digits = mode == DISAS_X86_64 ? 16 : 8;
	int column = 0;

	out += sprintf(out, "0x%0*llx:  ", digits, (unsigned long long)pc);
	for (int i = 0; i < len; i++, column += 3)
		out += sprintf(out, "%02x ", code[i]);
	return out + sprintf(out, "%*s%s\n", MAX(CODE_COLUMN - column, 1), "",
			     text);
}

void disas_log(enum disas_mode mode, const u8 *code, size_t n, u64 pc)
{
	/* Every instruction has at least one byte. One log_printf for all
	 * keeps the listing in one piece. */
	char *text = malloc(n * LINE_BYTES + 1), *out = text;
	char insn_text[LINE_BYTES - 80];

	if (!text)
		return;
	*out = '\0';
	for (size_t at = 0; at < n;) {
		int len = disas_one(mode, code + at, n - at, pc + at,
				    insn_text, sizeof(insn_text));

		if (!len) {
			snprintf(insn_text, sizeof(insn_text), ".byte 0x%02x",
				 code[at]);
			len = 1;
		}
		out = line(out, mode, code + at, len, pc + at, insn_text);
		at += (size_t)len;
	}
	log_printf("%s", text);
	free(text);
}
