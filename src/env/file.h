/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/env/file.h - whole files, read into memory or mapped read-only. */
#ifndef ENV_FILE_H
#define ENV_FILE_H

#include "env/types.h"

struct file { const u8 *data; size_t size; };

/* Map a regular file read-only. Returns NULL, or a reason fit to follow
 * "cannot read NAME: " (no such file, a directory, empty, ...). */
const char *file_map(const char *path, struct file *f);
void file_unmap(struct file *f);

int file_create(const char *path);            /* fd for writing, or -errno */
/* Write all; returns 0 or an errno value (full disk ...). */
int file_write_all(int fd, const void *buf, size_t n);
/* Read what is there, at most n; 0 at the end, -errno (EAGAIN: nothing). */
s64 file_read(int fd, void *buf, size_t n);
/* Write what goes at once; bytes written or -errno (EAGAIN: nothing now). */
s64 file_write(int fd, const void *buf, size_t n);
/* Wait until fd takes bytes; false after `ms` milliseconds without. */
bool file_wait_writable(int fd, int ms);
/* fds 0-2 that the parent left closed become /dev/null: nothing we open later
 * may be taken for them. main() calls it first. */
void file_open_std(void);
/* The flag belongs to the open file, which fds 0-2 share with the shell that
 * started us: file_restore_nonblock gives those back as they were found
 * (async-signal-safe; terminal_restore calls it). */
void file_set_nonblock(int fd, bool on);
void file_restore_nonblock(void);

#endif
