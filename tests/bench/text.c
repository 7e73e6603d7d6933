/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What both programs need of a C library, and the search for a workload. Also
 * memcpy and memset, which gcc may call on its own.
 */
#include "work.h"

void *memcpy(void *to, const void *from, unsigned long n);
void *memset(void *to, int byte, unsigned long n);

u8 *heap;

void *memcpy(void *to, const void *from, unsigned long n)
{
	u8 *d = to;
	const u8 *s = from;

	while (n--)
		*d++ = *s++;
	return to;
}

void *memset(void *to, int byte, unsigned long n)
{
	u8 *d = to;

	while (n--)
		*d++ = (u8)byte;
	return to;
}

int text_equal(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

u32 text_number(const char *text)
{
	u32 n = 0;

	while (*text >= '0' && *text <= '9')
		n = n * 10 + (u32)(*text++ - '0');
	return n;
}

const struct workload *work_find(const struct workload *list,
				 const char *name)
{
	for (; list->name; list++)
		if (text_equal(list->name, name))
			return list;
	return 0;
}
