/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/env/file.c - whole files, and plain reads and writes on descriptors. */
#define _GNU_SOURCE
#include "env/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* -- whole files ------------------------------------------------------------ */

static const char *map_fd(int fd, struct file *f)
{
	struct stat st;
	void *p;

	if (fstat(fd, &st) < 0)
		return strerror(errno);
	if (S_ISDIR(st.st_mode))
		return strerror(EISDIR);
	if (!S_ISREG(st.st_mode))
		return "Not a regular file";
	if (st.st_size == 0)
		return "The file is empty";
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return strerror(errno);
	f->data = p;
	f->size = (size_t)st.st_size;
	return NULL;
}

const char *file_map(const char *path, struct file *f)
{
	const char *reason;
	/* O_NONBLOCK: opening a pipe must not wait for its writer. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	*f = (struct file){ NULL, 0 };
	if (fd < 0)
		return strerror(errno);
	reason = map_fd(fd, f);
	close(fd);
	return reason;
}

void file_unmap(struct file *f)
{
	if (f->data)
		munmap((void *)(uintptr_t)f->data, f->size);
	*f = (struct file){ NULL, 0 };
}

/* -- descriptors ------------------------------------------------------------ */

int file_create(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

	return fd < 0 ? -errno : fd;
}

int file_write_all(int fd, const void *buf, size_t n)
{
	const u8 *p = buf;

	while (n) {
		ssize_t done = write(fd, p, n);

		if (done >= 0) {
			p += done;
			n -= (size_t)done;
		} else if (errno == EAGAIN) {
			struct pollfd pfd = { .fd = fd, .events = POLLOUT };

			poll(&pfd, 1, -1);
		} else if (errno != EINTR) {
			return errno;
		}
	}
	return 0;
}

s64 file_read(int fd, void *buf, size_t n)
{
	ssize_t got;

	do
		got = read(fd, buf, n);
	while (got < 0 && errno == EINTR);
	return got < 0 ? -errno : got;
}

s64 file_write(int fd, const void *buf, size_t n)
{
	ssize_t done;

	do
		done = write(fd, buf, n);
	while (done < 0 && errno == EINTR);
	return done < 0 ? -errno : done;
}

bool file_wait_writable(int fd, int ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLOUT };

	return poll(&pfd, 1, ms) > 0;
}

void file_open_std(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= 2);
	if (fd > 2)
		close(fd);
}

/* What fds 0-2 had before we changed it; -1: unchanged. */
static int found_flags[3] = { -1, -1, -1 };

void file_set_nonblock(int fd, bool on)
{
	int old = fcntl(fd, F_GETFL);
	int flags = on ? old | O_NONBLOCK : old & ~O_NONBLOCK;

	if (old < 0 || flags == old)
		return;
	if (fd <= 2 && found_flags[fd] < 0)
		found_flags[fd] = old;
	fcntl(fd, F_SETFL, flags);
}

void file_restore_nonblock(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (found_flags[fd] >= 0)
			fcntl(fd, F_SETFL, found_flags[fd]);
}
