/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/hw/rtc.h - MC146818 real-time clock with the PC's CMOS memory. */
#ifndef HW_RTC_H
#define HW_RTC_H

#include "hw/irq.h"

struct memory_region;
struct rtc;

/* A clock that shows `unix_ns` (ns since 1970, in the time zone the guest is
 * to see) and runs with the virtual clock. Ports 70h, 71h in `io`; `irq8`
 * follows the inverse of its IRQ pin. */
struct rtc *rtc_new(struct memory_region *io, const struct irq_line *irq8,
		    s64 unix_ns) REQUIRES(bql);
/* A byte of CMOS memory as firmware would set it. */
void rtc_set_memory(struct rtc *r, u8 addr, u8 val) REQUIRES(bql);
/* The RESET pin: time and memory stay. */
void rtc_reset(void *rtc) REQUIRES(bql);

#endif
