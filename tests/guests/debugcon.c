/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The debug console at E9h. */
#include "guest.h"

void guest_main(void)
{
	static const char text[] = "hello, debug console";

	CHECK_EQ("reads-back", inb(0xe9), 0xe9);
	for (const char *p = text; *p; p++)
		outb(0xe9, *p);
}
