/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/env/socket.h - unix sockets that others connect to. */
#ifndef ENV_SOCKET_H
#define ENV_SOCKET_H

/* Listen at `path`; what was there is removed. fd that does not block, or -errno. */
int socket_listen_unix(const char *path);
/* Take a connection: fd that does not block, or -errno (EAGAIN: there is none). */
int socket_accept(int listener);
void socket_close(int fd);

#endif
