/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/env/terminal.h - the host terminal in raw mode.
 *
 * Raw mode ends on every exit: normal, die(), fatal signals included. */
#ifndef ENV_TERMINAL_H
#define ENV_TERMINAL_H

#include "env/types.h"

/* Put stdin's terminal, if it is one, in raw mode; `signals` keeps Ctrl-C
 * as SIGINT. Safe to call again. */
void terminal_raw(bool signals);
bool terminal_is(int fd);             /* is fd a terminal?             */
void terminal_restore(void);          /* async-signal-safe, idempotent */

/* SIGINT, SIGTERM, SIGHUP call fn(signo) in the main thread's loop. */
void terminal_on_quit(void (*fn)(int signo));

#endif
