/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Three ways to die. */
#include "guest.h"

void guest_main(void)
{
	if (option("idt")) {                  /* no handler for anything      */
		memset(idt, 0, sizeof(idt));
		__asm__ volatile("ud2");
	}
	if (option("limit")) {                /* an IDT of no length          */
		struct { u16 limit; u32 base; } __attribute__((packed)) p = { 0, 0 };

		__asm__ volatile("lidt %0; int3" :: "m"(p));
	}
	/* A stack that is not there, found while delivering. */
	paging_on();
	*pte((void *)0x800000) = 0;
	__asm__ volatile("mov $0x800800, %%esp; push %%eax" ::: "memory");
}
