/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/env/socket.c - unix sockets that others connect to. */
#define _GNU_SOURCE
#include "env/socket.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int socket_listen_unix(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int err, fd;

	if (strlen(path) >= sizeof(at.sun_path))
		return -ENAMETOOLONG;
	strcpy(at.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	unlink(path);
	if (!bind(fd, (struct sockaddr *)&at, sizeof(at)) && !listen(fd, 1))
		return fd;
	err = errno;
	close(fd);
	return -err;
}

int socket_accept(int listener)
{
	int fd;

	do
		fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	while (fd < 0 && errno == EINTR);
	return fd < 0 ? -errno : fd;
}

void socket_close(int fd)
{
	close(fd);
}
