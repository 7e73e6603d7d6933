/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A lock inside many objects is checked by its class.
 * Expect: writing variable 'tbs' requires holding lock class */
#include "env/lock.h"

struct lock_class page_locks;

struct page {
	struct lock lock;
	int tbs GUARDED_BY(page_locks);
};

void page_lock(struct page *p) ACQUIRE(page_locks);
void page_unlock(struct page *p) RELEASE(page_locks);

void wrong(struct page *p);
void wrong(struct page *p)
{
	page_lock(p);
	page_unlock(p);
	p->tbs = 1;
}
