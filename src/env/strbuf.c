/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/env/strbuf.c - a text that grows. */
#include "env/strbuf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "env/log.h"

static void make_room(struct strbuf *b, size_t n)
{
	if (b->max - b->n > n)
		return;
	while (b->max - b->n <= n)
		b->max = b->max ? 2 * b->max : 256;
	b->s = realloc(b->s, b->max);
	if (!b->s)
		die("out of memory");
}

void strbuf_printf(struct strbuf *b, const char *fmt, ...)
{
	va_list ap, again;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	ASSERT(n >= 0);
	make_room(b, (size_t)n);
	vsnprintf(b->s + b->n, b->max - b->n, fmt, again);
	b->n += (size_t)n;
	va_end(again);
	va_end(ap);
}

void strbuf_free(struct strbuf *b)
{
	free(b->s);
	*b = (struct strbuf){ NULL, 0, 0 };
}
