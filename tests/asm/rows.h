/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The decode tables of src/i386 as forms: every row that ring 3 may execute,
 * once for memory and once for registers, found by showing all opcodes to
 * decode(). Random programs draw from these, so that no row can be forgotten;
 * rows_mark() and rows_missed() prove the same of the directed suites.
 */
#ifndef TESTS_ASM_ROWS_H
#define TESTS_ASM_ROWS_H

#include "forms.h"

struct row_form {
	struct form form;	/* chapter: "integer", "x87", "sse" or "vex" */
	char enc[28];		/* what form.enc points to */
	const char *name;
	unsigned drawn;		/* by random programs: not left out */
};

extern struct row_form row_forms[];
extern unsigned row_forms_count;

/* Fills row_forms[]. */
void rows_make(void);

/* Notes which row the instruction at code is, of at least 16 bytes. */
void rows_mark(const unsigned char *code, int code16);

/* Prints a line for each row, operand form and operand size that was not
 * marked and is not left out with a reason; their number. */
unsigned rows_missed(void);

#endif
