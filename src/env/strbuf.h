/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/env/strbuf.h - a text that grows: reports that go to stderr, a file or a
 * monitor. */
#ifndef ENV_STRBUF_H
#define ENV_STRBUF_H

#include "env/types.h"

struct strbuf { char *s; size_t n, max; };      /* zeroed: empty            */

/* Append; fatal when there is no memory. No floating point formats. */
void strbuf_printf(struct strbuf *b, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void strbuf_free(struct strbuf *b);             /* empty again              */

#endif
