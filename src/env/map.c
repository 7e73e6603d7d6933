/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/env/map.c - memory from the host, by mmap(2) and memfd_create(2). */
#define _GNU_SOURCE
#include "env/map.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "env/lock.h"
#include "env/log.h"

/* Headers older than the kernel lack these. */
#ifndef MFD_EXEC
#define MFD_EXEC 0x10u
#endif
#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

#define PATTERN_BYTES (2u << 20)

/* An unlinked file of `size` zero bytes in memory; -1 on failure. */
static int memfd(const char *name, size_t size, unsigned int flags)
{
	int fd = memfd_create(name, MFD_CLOEXEC | flags);

	/* Kernels before 6.3 do not know MFD_EXEC, nor need it. */
	if (fd < 0 && errno == EINVAL && flags)
		fd = memfd_create(name, MFD_CLOEXEC);
	if (fd >= 0 && ftruncate(fd, (off_t)size) < 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* mmap at exactly `at`, or anywhere if NULL. An old kernel takes `at` for a
 * hint only, and may answer another place. */
static void *map_at(void *at, size_t size, int prot, int flags, int fd)
{
	void *p;

	if (at)
		flags |= MAP_FIXED_NOREPLACE;
	p = mmap(at, size, prot, flags | MAP_NORESERVE, fd, 0);
	if (p == MAP_FAILED)
		return NULL;
	if (at && p != at) {
		munmap(p, size);
		return NULL;
	}
	return p;
}

/* -- plain memory ----------------------------------------------------------- */

/* A shared mapping's memfd stays open, so that /proc/PID/fd names the memory;
 * map_free closes it. */
static struct shared { void *p; int fd; } shared[16];

static void shared_keep(void *p, int fd)
{
	for (size_t i = 0; i < ARRAY_SIZE(shared); i++)
		if (!shared[i].p) {
			shared[i] = (struct shared){ p, fd };
			return;
		}
	close(fd);               /* the mapping lives on without a name */
}

static void shared_drop(void *p)
{
	for (size_t i = 0; i < ARRAY_SIZE(shared); i++)
		if (shared[i].p == p) {
			close(shared[i].fd);
			shared[i].p = NULL;
		}
}

static void *map_shared(void *at, size_t size)
{
	int fd = memfd("smew-ram", size, 0);
	void *p;

	if (fd < 0)
		return NULL;
	p = map_at(at, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	if (p)
		shared_keep(p, fd);
	else
		close(fd);
	return p;
}

void *map_anon(void *at, size_t size, bool shared_by_name)
{
	if (shared_by_name)
		return map_shared(at, size);
	return map_at(at, size, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

void map_free(void *p, size_t size)
{
	shared_drop(p);
	munmap(p, size);
}

bool map_reserve(void *at, size_t size)
{
	return map_at(at, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1) != NULL;
}

static void protect(void *p, size_t size, int prot)
{
	if (mprotect(p, size, prot) < 0)
		die("cannot protect memory: %s", strerror(errno));
}

void map_guard(void *p, size_t size)
{
	protect(p, size, PROT_NONE);
}

void map_unguard(void *p, size_t size)
{
	protect(p, size, PROT_READ | PROT_WRITE);
}

void map_huge(void *p, size_t size)
{
	madvise(p, size, MADV_HUGEPAGE);
}

void map_discard(void *p, size_t size)
{
	/* A shared mapping's pages live in its file: punch a hole in that. */
	if (madvise(p, size, MADV_REMOVE) < 0)
		madvise(p, size, MADV_DONTNEED);
}

/* -- the code buffer -------------------------------------------------------- */

void map_code(size_t size, u8 **rw, u8 **rx)
{
	int fd = memfd("smew-code", size, MFD_EXEC);

	if (fd >= 0) {
		*rw = map_at(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
		*rx = map_at(NULL, size, PROT_READ | PROT_EXEC, MAP_SHARED, fd);
	}
	if (fd < 0 || !*rw || !*rx)
		die("no memory for translated code: %s", strerror(errno));
	close(fd);
}

/* -- patterns ---------------------------------------------------------------
 * A private mapping of a file that holds the pattern: a read shares the file's
 * page, a write makes a copy, MADV_DONTNEED drops the copies. The file is
 * 2 MB, mapped again and again; a table of 8 MB takes four mappings. */

static struct lock pattern_lock = LOCK_INIT("pattern", RANK_MAP);
static int pattern_fd GUARDED_BY(pattern_lock) = -1;
static u64 pattern_value GUARDED_BY(pattern_lock);

static void pattern_fill(int fd, u64 pattern)
{
	u64 *p = mmap(NULL, PATTERN_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
		      fd, 0);

	if (p == MAP_FAILED)
		die("no memory: %s", strerror(errno));
	for (size_t i = 0; i < PATTERN_BYTES / sizeof(*p); i++)
		p[i] = pattern;
	munmap(p, PATTERN_BYTES);
}

/* The last pattern's file is kept: the next table most likely has it too. */
static int pattern_file(u64 pattern) REQUIRES(pattern_lock)
{
	if (pattern_fd >= 0 && pattern_value == pattern)
		return pattern_fd;
	if (pattern_fd >= 0)
		close(pattern_fd);
	pattern_fd = memfd("smew-pattern", PATTERN_BYTES, 0);
	if (pattern_fd < 0)
		die("no memory: %s", strerror(errno));
	pattern_fill(pattern_fd, pattern);
	pattern_value = pattern;
	return pattern_fd;
}

void map_pattern(void *p, size_t size, u64 pattern)
{
	u8 *at = p, *end = at + size;
	int fd;

	lock_acquire(&pattern_lock);
	fd = pattern_file(pattern);
	while (at < end) {
		size_t part = MIN((size_t)(end - at), PATTERN_BYTES);

		if (mmap(at, part, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE, fd,
			 0) == MAP_FAILED)
			die("no memory: %s", strerror(errno));
		at += part;
	}
	lock_release(&pattern_lock);
}

void map_pattern_reset(void *p, size_t size)
{
	madvise(p, size, MADV_DONTNEED);
}
