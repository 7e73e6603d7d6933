/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/i386/report.h - the last exceptions, for -d int and for the report that
 * a triple fault makes on stderr. */
#ifndef I386_REPORT_H
#define I386_REPORT_H

#include "i386/cpu.h"

/* An event is about to be delivered (EIP and flags are current). */
void report_event(struct x86_cpu *x, int vector, bool is_int, u32 err,
		  bool has_err);
/* A fault came up while `during` was delivered. */
void report_record(struct x86_cpu *x, int vector, u32 err, int during);
/* Tell the user why the guest died: the chain of exceptions, the instruction,
 * the registers. */
void report_triple_fault(struct x86_cpu *x);

#endif
