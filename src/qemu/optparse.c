/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/qemu/optparse.c - values on the command line. Upstream: qemu_strtosz,
 * qemu_strtou64, keyval.c, configure_rtc_date_offset. */
#include "qemu/optparse.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "env/clock.h"
#include "env/log.h"

enum { MAX_WORD = 64 };

/* A list, so that the sanitizer's leak check sees that it is in use. */
struct text { struct text *next; char bytes[]; };

char *text_new(size_t n)
{
	static struct text *all;
	struct text *t = malloc(sizeof(*t) + n);

	if (!t)
		die("out of memory");
	t->next = all;
	all = t;
	return t->bytes;
}

char *text_keep(const char *s)
{
	size_t n = strlen(s) + 1;

	return memcpy(text_new(n), s, n);
}

bool parse_u64(const char *s, u64 *v)
{
	char *end;

	if (!isdigit((u8)*s))                    /* strtoull takes "-1"      */
		return false;
	errno = 0;
	*v = strtoull(s, &end, 0);
	return !errno && !*end;
}

/* Digits after the point, as a fraction of `unit`. */
static u64 parse_fraction(const char **s, u64 unit)
{
	u64 num = 0, den = 1;

	for (; isdigit((u8)**s); (*s)++)
		if (den < 1000000) {
			num = num * 10 + (u64)(**s - '0');
			den *= 10;
		}
	return (u64)((unsigned __int128)num * unit / den);
}

static bool parse_suffix(const char **s, u64 *unit)
{
	static const char names[] = "BKMGTP";
	const char *at = **s ? strchr(names, toupper((u8)**s)) : NULL;

	if (at) {
		*unit = 1ull << 10 * (at - names);
		(*s)++;
	}
	return !**s;
}

bool parse_size(const char *s, u64 unit, u64 *bytes)
{
	const char *point, *fraction = "";
	char *end;
	u64 whole;

	if (!isdigit((u8)*s))
		return false;
	errno = 0;
	whole = strtoull(s, &end, 10);
	if (errno)
		return false;
	point = end;
	if (*point == '.') {
		fraction = point + 1;
		for (point++; isdigit((u8)*point); point++)
			continue;
	}
	if (!parse_suffix(&point, &unit) ||
	    __builtin_mul_overflow(whole, unit, bytes))
		return false;
	return !__builtin_add_overflow(*bytes, parse_fraction(&fraction, unit),
				       bytes);
}

/* n digits and the character after them (0: the end). */
static bool date_field(const char **s, int n, char after, int lo, int hi, int *v)
{
	*v = 0;
	for (int i = 0; i < n; i++, (*s)++) {
		if (!isdigit((u8)**s))
			return false;
		*v = *v * 10 + **s - '0';
	}
	if (**s != after || *v < lo || *v > hi)
		return false;
	*s += after != 0;
	return true;
}

bool parse_date(const char *s, s64 *sec)
{
	bool time = strchr(s, 'T') != NULL;
	struct clock_date d = { 0 }, back;

	if (!date_field(&s, 4, '-', 1970, 9999, &d.year) ||
	    !date_field(&s, 2, '-', 1, 12, &d.mon) ||
	    !date_field(&s, 2, time ? 'T' : 0, 1, 31, &d.mday))
		return false;
	if (time && (!date_field(&s, 2, ':', 0, 23, &d.hour) ||
		     !date_field(&s, 2, ':', 0, 59, &d.min) ||
		     !date_field(&s, 2, 0, 0, 59, &d.sec)))
		return false;
	d.mon--;
	*sec = clock_date_to_unix(&d);
	clock_date_from_unix(*sec, &back);
	return back.mday == d.mday;              /* no 31st of April         */
}

bool parse_on_off(const char *s, bool *v)
{
	*v = !strcmp(s, "on") || !strcmp(s, "yes");
	return *v || !strcmp(s, "off") || !strcmp(s, "no");
}

/* Cut *list at the next single comma; two become one. */
static char *cut(char **list)
{
	char *start = *list, *to = start, *s = start;

	for (; *s && (*s != ',' || s[1] == ','); s++) {
		s += *s == ',';
		*to++ = *s;
	}
	*list = *s ? s + 1 : s;
	*to = 0;
	return start;
}

bool kv_next(char **list, char **key, char **value)
{
	char *equals;

	if (!**list)
		return false;
	*key = cut(list);
	equals = strchr(*key, '=');
	*value = equals ? equals + 1 : NULL;
	if (equals)
		*equals = 0;
	return true;
}

unsigned edit_distance(const char *a, const char *b)
{
	size_t n = strnlen(b, MAX_WORD);
	unsigned row[MAX_WORD + 1];

	for (size_t j = 0; j <= n; j++)
		row[j] = (unsigned)j;
	for (unsigned i = 1; *a; a++, i++) {
		unsigned diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			unsigned swap = diagonal + (*a != b[j - 1]);

			diagonal = row[j];
			row[j] = MIN(swap, MIN(row[j], row[j - 1]) + 1);
		}
	}
	return row[n];
}

const char *nearest(const char *word, const void *first, size_t n, size_t stride)
{
	unsigned best = (unsigned)(strlen(word) + 1) / 2 + 1;
	const char *found = NULL;

	if (strlen(word) > MAX_WORD)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		const char *s = *(const char *const *)
			((const char *)first + i * stride);
		unsigned d = edit_distance(word, s);

		if (d < best) {
			best = d;
			found = s;
		}
	}
	return found;
}
