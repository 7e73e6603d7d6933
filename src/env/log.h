/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/env/log.h - messages to the user, the -d log, one fatal-error path.
 *
 * All our text goes to stderr with the program's name before it; nothing but
 * guest output ever goes to stdout. */
#ifndef ENV_LOG_H
#define ENV_LOG_H

#include "env/types.h"

#define PRINTF(f, a) __attribute__((format(printf, f, a)))

/* -d items, upstream's names. */
enum log_item {
	LOG_IN_ASM = 1 << 0, LOG_OP = 1 << 1, LOG_OP_OPT = 1 << 2,
	LOG_OUT_ASM = 1 << 3, LOG_INT = 1 << 4, LOG_CPU_RESET = 1 << 5,
	LOG_EXEC = 1 << 6, LOG_GUEST_ERRORS = 1 << 7, LOG_UNIMP = 1 << 8,
	LOG_NOCHAIN = 1 << 9, LOG_CPU = 1 << 10,
};
extern u32 log_mask;
#define log_enabled(item) __builtin_expect((log_mask & (item)) != 0, 0)

/* Open the log file (NULL: stderr). Returns 0 or an errno value. */
int log_open(const char *path);
void log_close(void);
void log_printf(const char *fmt, ...) PRINTF(1, 2);   /* one line or more, atomic */
/* printf to the log if `item` is on. No floating point formats. */
#define log_item(item, ...) \
	do { if (log_enabled(item)) log_printf(__VA_ARGS__); } while (0)

void warn(const char *fmt, ...) PRINTF(1, 2);         /* "smew: warning: ..." */
void error_report(const char *fmt, ...) PRINTF(1, 2); /* "smew: ..."          */
/* A user error: report, restore the terminal, exit 1. */
void die(const char *fmt, ...) PRINTF(1, 2) __attribute__((noreturn));
/* An internal error (a bug in smew): report, restore the terminal, exit 116
 * (abort under MODE=dbg). */
void bug(const char *fmt, ...) PRINTF(1, 2) __attribute__((noreturn));
#define ASSERT(c) \
	do { if (!(c)) bug("%s:%d: %s", __FILE__, __LINE__, #c); } while (0)
/* End the program from any thread: restores the terminal, flushes, _exit. */
void env_exit(int code) __attribute__((noreturn));

#endif
