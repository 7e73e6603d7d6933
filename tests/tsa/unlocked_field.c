/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes a field that a file-scope lock guards, without that lock.
 * Expect: writing variable 'count' requires holding */
#include "env/lock.h"

struct device {
	int count GUARDED_BY(bql);
};

void wrong(struct device *d);
void wrong(struct device *d)
{
	d->count = 1;
}
