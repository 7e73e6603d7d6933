/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/tcg/opts.c - which optimisations are on. */
#include "tcg/opts.h"

#include <string.h>

enum { ALL = (1u << N_TCG_OPTS) - 1 };

u32 tcg_opts = ALL;

static const char *const names[N_TCG_OPTS] = {
#define TCG_OPT_NAME(id, name) [TCG_OPT_##id] = name,
	TCG_OPTS(TCG_OPT_NAME)
#undef TCG_OPT_NAME
};

static bool is(const char *word, size_t n, const char *name)
{
	return strlen(name) == n && !strncmp(word, name, n);
}

static bool parse_word(const char *word, size_t n, u32 *opts)
{
	bool off = n > 3 && !strncmp(word, "no-", 3);

	if (is(word, n, "all") || is(word, n, "none")) {
		*opts = is(word, n, "all") ? ALL : 0;
		return true;
	}
	for (int i = 0; i < N_TCG_OPTS; i++) {
		if (!is(word + 3 * off, n - 3 * off, names[i]))
			continue;
		*opts = off ? *opts & ~(1u << i) : *opts | 1u << i;
		return true;
	}
	return false;
}

bool tcg_opts_parse(const char *list)
{
	u32 opts = tcg_opts;
	size_t n;

	do {
		n = strcspn(list, ":");
		if (!parse_word(list, n, &opts))
			return false;
		list += n + 1;
	} while (list[-1]);
	tcg_opts = opts;
	return true;
}
