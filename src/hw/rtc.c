/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/hw/rtc.c - real-time clock and CMOS memory. Motorola MC146818A data
 * sheet (ADI 1026R1); the century at 32h as PCs have it.
 *
 * Time is the virtual clock plus an offset; the registers are made from it
 * when they are read. While the guest holds the clock (SET, or the divider in
 * reset) the registers are plain memory, and the offset follows from them
 * when it lets go. Flags of register C are found out when somebody looks: a
 * timer runs only for an interrupt that is enabled and whose flag is clear,
 * so a guest gets no more of them than it reads register C.
 *
 * Left out: square wave, daylight saving (Linux and upstream ignore it too).
 * DIFF: the day of the week follows the date while the clock runs. */
#include "hw/rtc.h"

#include <stdlib.h>

#include "env/clock.h"
#include "env/log.h"
#include "hw/ports.h"
#include "qemu/timer.h"

enum { SECONDS, SECONDS_ALARM, MINUTES, MINUTES_ALARM, HOURS, HOURS_ALARM,
       WEEKDAY, MONTHDAY, MONTH, YEAR, REG_A, REG_B, REG_C, REG_D,
       CENTURY = 0x32 };
enum { A_UIP = 0x80, A_RS = 0x0f };
enum { B_SET = 0x80, B_PIE = 0x40, B_AIE = 0x20, B_UIE = 0x10, B_DM = 4,
       B_24H = 2, B_IRQS = B_PIE | B_AIE | B_UIE };
enum { C_IRQF = 0x80, C_PF = 0x40, C_AF = 0x20, C_UF = 0x10 };
enum { D_VRT = 0x80 };
enum { HOUR_PM = 0x80, ALARM_ANY = 0xc0 };

#define NEVER INT64_MAX
#define UIP_NS 244000                /* warning time before an update        */
#define DIVIDER_HZ 32768

struct rtc {
	u8 index;                /* last write to port 70h                   */
	u8 cmos[128];
	s64 offset_ns;           /* time shown - virtual clock               */
	s64 seen_ns;             /* virtual: flags up to here are in REG_C   */
	struct irq_line irq;
	struct timer timer;
};

static s64 floor_div(s64 a, s64 b)           /* b > 0                        */
{
	return a / b - (a % b < 0);
}

/* -- what registers A and B say -------------------------------------------------- */

static bool running(const struct rtc *r)
{
	return (r->cmos[REG_A] & 0x70) <= 0x20 && !(r->cmos[REG_B] & B_SET);
}

/* Period of the periodic interrupt in cycles of 32768 Hz, 0: none. */
static u32 period(const struct rtc *r)
{
	u32 rs = r->cmos[REG_A] & A_RS;

	if (rs == 0)
		return 0;
	return 1u << ((rs <= 2 ? rs + 7 : rs) - 1);
}

static u8 encode(const struct rtc *r, int v)
{
	return r->cmos[REG_B] & B_DM ? v : v / 10 << 4 | v % 10;
}

static int decode(const struct rtc *r, u8 v)
{
	return r->cmos[REG_B] & B_DM ? v : (v >> 4) * 10 + (v & 15);
}

static u8 encode_hour(const struct rtc *r, int hour)
{
	if (r->cmos[REG_B] & B_24H)
		return encode(r, hour);
	return encode(r, hour % 12 ? hour % 12 : 12) |
		(hour >= 12 ? HOUR_PM : 0);
}

static int decode_hour(const struct rtc *r, u8 v)
{
	if (r->cmos[REG_B] & B_24H)
		return decode(r, v);
	return decode(r, v & ~HOUR_PM) % 12 + (v & HOUR_PM ? 12 : 0);
}

/* -- time and registers -------------------------------------------------------------- */

static s64 shown_ns(const struct rtc *r, s64 now) { return now + r->offset_ns; }

static s64 shown_sec(const struct rtc *r, s64 now)
{
	return floor_div(shown_ns(r, now), NS_PER_SEC);
}

static s64 shown_frac(const struct rtc *r, s64 now)
{
	return shown_ns(r, now) - shown_sec(r, now) * NS_PER_SEC;
}

static void registers_from_time(struct rtc *r, s64 now)
{
	struct clock_date d;

	clock_date_from_unix(shown_sec(r, now), &d);
	r->cmos[SECONDS] = encode(r, d.sec);
	r->cmos[MINUTES] = encode(r, d.min);
	r->cmos[HOURS] = encode_hour(r, d.hour);
	r->cmos[WEEKDAY] = encode(r, d.wday + 1);
	r->cmos[MONTHDAY] = encode(r, d.mday);
	r->cmos[MONTH] = encode(r, d.mon + 1);
	r->cmos[YEAR] = encode(r, d.year % 100);
	r->cmos[CENTURY] = encode(r, d.year / 100 % 100);
}

/* Whatever a guest wrote, each field ends up in its range. `frac` is how much
 * of the second has passed. */
static void time_from_registers(struct rtc *r, s64 now, s64 frac)
{
	int century = decode(r, r->cmos[CENTURY]);
	int year = decode(r, r->cmos[YEAR]) % 100;
	struct clock_date d = {
		.sec = decode(r, r->cmos[SECONDS]) % 60,
		.min = decode(r, r->cmos[MINUTES]) % 60,
		.hour = decode_hour(r, r->cmos[HOURS]) % 24,
		.mday = (decode(r, r->cmos[MONTHDAY]) + 30) % 31 + 1,
		.mon = (decode(r, r->cmos[MONTH]) + 11) % 12,
	};

	if (century < 19 || century > 21)    /* what s64 ns can hold */
		century = year < 70 ? 20 : 19;
	d.year = century * 100 + year;
	r->offset_ns = clock_date_to_unix(&d) * NS_PER_SEC + frac - now;
}

/* -- flags and interrupts ------------------------------------------------------------- */

static bool alarm_field(const struct rtc *r, int reg, int v)
{
	u8 alarm = r->cmos[reg];

	if (alarm >= ALARM_ANY)
		return true;
	return v == (reg == HOURS_ALARM ? decode_hour(r, alarm) :
		     decode(r, alarm));
}

/* First second after `sec` at which the alarm goes off. Fields that cannot
 * match are skipped an hour or a minute at a time: at most 25 + 60 + 60
 * steps, and never if the guest asks for a 61st minute. */
static s64 next_alarm(const struct rtc *r, s64 sec)
{
	s64 t = sec + 1;

	for (int i = 0; i < 150; i++) {
		int s = t - floor_div(t, 86400) * 86400;

		if (!alarm_field(r, HOURS_ALARM, s / 3600))
			t += 3600 - s % 3600;
		else if (!alarm_field(r, MINUTES_ALARM, s / 60 % 60))
			t += 60 - s % 60;
		else if (!alarm_field(r, SECONDS_ALARM, s % 60))
			t++;
		else
			return t;
	}
	return NEVER;
}

static u64 cycles(s64 ns) { return muldiv64(ns, DIVIDER_HZ, NS_PER_SEC); }

/* Bring register C up to date. */
static void collect(struct rtc *r, s64 now)
{
	u32 p = period(r);
	s64 seen = shown_sec(r, r->seen_ns), sec = shown_sec(r, now);

	if (p && cycles(now) / p != cycles(r->seen_ns) / p)
		r->cmos[REG_C] |= C_PF;
	if (running(r) && sec > seen) {
		r->cmos[REG_C] |= C_UF;
		if (next_alarm(r, seen) <= sec)
			r->cmos[REG_C] |= C_AF;
	}
	r->seen_ns = now;
}

/* The virtual time at which an enabled interrupt's flag will rise. */
static s64 next_event(const struct rtc *r, s64 now)
{
	u8 wanted = r->cmos[REG_B] & ~r->cmos[REG_C];
	u32 p = period(r);
	s64 sec = shown_sec(r, now), due = NEVER, at;

	if ((wanted & B_PIE) && p)
		due = muldiv64((cycles(now) / p + 1) * p, NS_PER_SEC,
			       DIVIDER_HZ) + 1;
	if (!running(r))
		return due;
	if (wanted & B_UIE)
		due = MIN(due, (sec + 1) * NS_PER_SEC - r->offset_ns);
	if (wanted & B_AIE) {
		at = next_alarm(r, sec);
		if (at != NEVER)
			due = MIN(due, at * NS_PER_SEC - r->offset_ns);
	}
	return due;
}

static void update(struct rtc *r, s64 now) REQUIRES(bql)
{
	bool irq = r->cmos[REG_C] & r->cmos[REG_B] & B_IRQS;
	s64 due;

	r->cmos[REG_C] &= ~C_IRQF;
	if (irq)
		r->cmos[REG_C] |= C_IRQF;
	irq_set(&r->irq, irq);
	due = irq ? NEVER : next_event(r, now);
	if (due == NEVER)
		timer_del(&r->timer);
	else
		timer_mod_ns(&r->timer, due);
}

static void event_is_due(void *opaque) REQUIRES(bql)
{
	struct rtc *r = opaque;
	s64 now = qemu_clock_get_ns();

	collect(r, now);
	update(r, now);
}

/* -- ports 70h, 71h ---------------------------------------------------------------------- */

static bool is_time(u8 reg)
{
	return reg == CENTURY || (reg <= YEAR && reg != SECONDS_ALARM &&
		reg != MINUTES_ALARM && reg != HOURS_ALARM);
}

/* A and B: the clock may stop, or start from what the registers hold. */
static void write_control(struct rtc *r, u8 reg, u8 val, s64 now)
{
	bool was = running(r), reset = (r->cmos[REG_A] & 0x70) > 0x20;

	if (was)
		registers_from_time(r, now);
	if (reg == REG_A)
		val &= ~A_UIP;
	else if (val & B_SET)
		val &= ~B_UIE;
	r->cmos[reg] = val;
	if (!was && running(r))
		time_from_registers(r, now, reset ? NS_PER_SEC / 2 :
				    shown_frac(r, now));
}

static void write_time(struct rtc *r, u8 reg, u8 val, s64 now)
{
	if (running(r))
		registers_from_time(r, now);
	r->cmos[reg] = val;
	if (running(r))
		time_from_registers(r, now, shown_frac(r, now));
}

static void rtc_write(void *opaque, gpa addr, u64 val, unsigned size)
	REQUIRES(bql)
{
	struct rtc *r = opaque;
	u8 reg = r->index & 0x7f;
	s64 now = qemu_clock_get_ns();

	(void)size;
	if (!(addr & 1)) {
		r->index = val;              /* bit 7: NMI mask, no source   */
		return;
	}
	if (reg == REG_C || reg == REG_D)
		return;
	if (reg > REG_D && reg != CENTURY) {
		r->cmos[reg] = val;
		return;
	}
	collect(r, now);
	if (reg == REG_A || reg == REG_B)
		write_control(r, reg, val, now);
	else if (is_time(reg))
		write_time(r, reg, val, now);
	else
		r->cmos[reg] = val;
	r->seen_ns = now;
	update(r, now);
}

static u8 read_c(struct rtc *r, s64 now) REQUIRES(bql)
{
	u8 v;

	collect(r, now);
	update(r, now);
	v = r->cmos[REG_C];
	r->cmos[REG_C] = 0;
	update(r, now);
	return v;
}

static u64 rtc_read(void *opaque, gpa addr, unsigned size) REQUIRES(bql)
{
	struct rtc *r = opaque;
	u8 reg = r->index & 0x7f;
	s64 now = qemu_clock_get_ns();

	(void)size;
	if (!(addr & 1))
		return 0xff;                 /* write only                   */
	if (reg == REG_A && running(r) &&
	    shown_frac(r, now) >= NS_PER_SEC - UIP_NS)
		return r->cmos[REG_A] | A_UIP;
	if (reg == REG_C)
		return read_c(r, now);
	if (is_time(reg) && running(r))
		registers_from_time(r, now);
	return r->cmos[reg];
}

static const struct memory_region_ops rtc_ops = { rtc_read, rtc_write, 1, 1 };

/* -- life ---------------------------------------------------------------------------------- */

void rtc_set_memory(struct rtc *r, u8 addr, u8 val)
{
	r->cmos[addr & 0x7f] = val;
}

void rtc_reset(void *opaque)
{
	struct rtc *r = opaque;

	r->cmos[REG_B] &= ~B_IRQS;
	r->cmos[REG_C] = 0;
	r->index = 0;
	update(r, qemu_clock_get_ns());
}

struct rtc *rtc_new(struct memory_region *io, const struct irq_line *irq8,
		    s64 unix_ns)
{
	struct rtc *r = calloc(1, sizeof(*r));

	if (!r)
		die("out of memory");
	r->irq = *irq8;
	r->seen_ns = qemu_clock_get_ns();
	r->offset_ns = unix_ns - r->seen_ns;
	r->cmos[REG_A] = 0x26;               /* 32768 Hz, 1024 interrupts/s  */
	r->cmos[REG_B] = B_24H;
	r->cmos[REG_D] = D_VRT;
	timer_init_ns(&r->timer, event_is_due, r);
	ports_map(io, "rtc", 0x70, 2, &rtc_ops, r);
	return r;
}
