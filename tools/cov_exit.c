/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/cov_exit.c - linked into MODE=cov programs, with -Wl,--wrap=_exit:
 * smew ends by _exit, which would lose gcov's counters. */
void __gcov_dump(void);
void __wrap__exit(int code);
_Noreturn void __real__exit(int code);

void __wrap__exit(int code)
{
	__gcov_dump();
	__real__exit(code);
}
