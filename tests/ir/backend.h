/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/ir/backend.h - the x86-64 back end, run on a test's state. */
#ifndef TESTS_IR_BACKEND_H
#define TESTS_IR_BACKEND_H

#include "interp.h"

/* Is there one to test? */
bool backend_present(void);
/* Translate the (optimised) block, run it on s; NULL or what went wrong. */
const char *backend_run(const struct ir_block *b, struct state *s);

#endif
