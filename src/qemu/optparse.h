/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/qemu/optparse.h - values on the command line: numbers, sizes, dates,
 * lists "key=value,...", and the known word nearest to a wrong one. */
#ifndef QEMU_OPTPARSE_H
#define QEMU_OPTPARSE_H

#include "env/types.h"

/* Each returns false when the text is not wholly such a value, or too big. */
bool parse_u64(const char *s, u64 *v);               /* 10, 0x10, 010       */
/* "128", "1.5G", "64k": suffix B K M G T P; without one times `unit`. */
bool parse_size(const char *s, u64 unit, u64 *bytes);
/* "2006-06-17T16:01:21" or "2006-06-17", UTC, to unix seconds. */
bool parse_date(const char *s, s64 *sec);
bool parse_on_off(const char *s, bool *v);           /* on off yes no       */

/* Text that lives as long as the program: n bytes, a copy of s. */
char *text_new(size_t n);
char *text_keep(const char *s);

/* The next of "key=value,key,..." in *list, which is changed; value is NULL
 * when there is no '='. Two commas stand for one in a value. False: no more. */
bool kv_next(char **list, char **key, char **value);

/* Levenshtein's distance. */
unsigned edit_distance(const char *a, const char *b);
/* The nearest of n strings that lie `stride` bytes apart, the first pointer
 * at `first`; NULL when none is near. */
const char *nearest(const char *word, const void *first, size_t n, size_t stride);

#endif
