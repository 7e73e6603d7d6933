/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/hw/acpi_pm.c - ACPI fixed hardware. ACPI 6.4, section 4.8.3.
 * Upstream: hw/acpi/core.c.
 *
 * The PM timer is computed from the virtual clock, which any thread reads
 * without a lock; the rest is under the BQL. That the timer's top bit has
 * changed is found out when somebody looks; a host timer stands for it only
 * while the guest wants an interrupt.
 *
 * ACPI mode is always on: SCI_EN reads as 1. The one sleep state is S5. */
#include "hw/acpi_pm.h"

#include <stdlib.h>

#include "env/clock.h"
#include "env/log.h"
#include "hw/ports.h"
#include "qemu/runstate.h"
#include "qemu/timer.h"

enum { EVENT_TMR = 1 << 0, EVENT_GBL = 1 << 5, EVENT_PWRBTN = 1 << 8,
       EVENT_RTC = 1 << 10,
       EVENTS = EVENT_TMR | EVENT_GBL | EVENT_PWRBTN | EVENT_RTC };
enum { CNT_SCI_EN = 1, CNT_SLP_TYP = 7 << 10, CNT_SLP_EN = 1 << 13,
       CNT_KEPT = 2 | CNT_SLP_TYP };
enum { SLP_TYP_S5 = 0 };
#define HALF_PERIOD (1ull << 31)         /* ticks between TMR_STS            */

struct acpi_pm {
	u16 status, enable, control;
	u64 overflow;            /* tick at which TMR_STS sets next          */
	struct irq_line sci;
	struct timer timer;
};

static u64 ticks_now(void)
{
	return muldiv64(qemu_clock_get_ns(), PM_TIMER_HZ, NS_PER_SEC);
}

/* -- events -------------------------------------------------------------------- */

static u16 status(const struct acpi_pm *p)
{
	return p->status | (ticks_now() >= p->overflow ? EVENT_TMR : 0);
}

static void update(struct acpi_pm *p) REQUIRES(bql)
{
	u16 sts = status(p);

	irq_set(&p->sci, (sts & p->enable & EVENTS) != 0);
	if ((p->enable & EVENT_TMR) && !(sts & EVENT_TMR))
		timer_mod_ns(&p->timer, muldiv64(p->overflow, NS_PER_SEC,
						 PM_TIMER_HZ) + 1);
	else
		timer_del(&p->timer);
}

static void overflow_is_due(void *opaque) REQUIRES(bql)
{
	update(opaque);
}

void acpi_pm_power_button(void *opaque)
{
	struct acpi_pm *p = opaque;

	p->status |= EVENT_PWRBTN;
	update(p);
}

/* Status bits are cleared by writing 1. */
static void write_status(struct acpi_pm *p, u16 val)
{
	u64 now = ticks_now();

	p->status &= ~val;
	if ((val & EVENT_TMR) && now >= p->overflow)
		p->overflow = (now / HALF_PERIOD + 1) * HALF_PERIOD;
}

/* -- registers ------------------------------------------------------------------- */

/* `old` with the bytes of an access at `addr` replaced. */
static u16 merge(u16 old, gpa addr, u64 val, unsigned size)
{
	unsigned shift = 8 * (addr & 1);
	u16 mask = size == 1 ? 0xff << shift : 0xffff;

	return (old & ~mask) | (val << shift & mask);
}

static u64 event_read(void *opaque, gpa addr, unsigned size) REQUIRES(bql)
{
	struct acpi_pm *p = opaque;

	(void)size;
	return (addr < 2 ? status(p) : p->enable) >> 8 * (addr & 1);
}

static void event_write(void *opaque, gpa addr, u64 val, unsigned size)
	REQUIRES(bql)
{
	struct acpi_pm *p = opaque;

	if (addr < 2)
		write_status(p, merge(0, addr, val, size));
	else
		p->enable = merge(p->enable, addr, val, size);
	update(p);
}

static u64 control_read(void *opaque, gpa addr, unsigned size) REQUIRES(bql)
{
	struct acpi_pm *p = opaque;

	(void)size;
	return (p->control | CNT_SCI_EN) >> 8 * (addr & 1);
}

static void control_write(void *opaque, gpa addr, u64 val, unsigned size)
	REQUIRES(bql)
{
	struct acpi_pm *p = opaque;
	u16 v = merge(p->control, addr, val, size);

	p->control = v & CNT_KEPT;
	if ((v & CNT_SLP_EN) && (v & CNT_SLP_TYP) >> 10 == SLP_TYP_S5)
		qemu_system_shutdown_request();
}

/* Without the BQL. */
static u64 timer_read(void *opaque, gpa addr, unsigned size)
{
	(void)opaque, (void)size;
	return (u32)ticks_now() >> 8 * (addr & 3);
}

static const struct memory_region_ops event_ops = {
	event_read, event_write, 1, 2
};
static const struct memory_region_ops control_ops = {
	control_read, control_write, 1, 2
};
static const struct memory_region_ops timer_ops = { timer_read, NULL, 1, 4 };

/* -- life -------------------------------------------------------------------------- */

/* The timer counts on. */
void acpi_pm_reset(void *opaque)
{
	struct acpi_pm *p = opaque;

	p->status = p->enable = p->control = 0;
	p->overflow = (ticks_now() / HALF_PERIOD + 1) * HALF_PERIOD;
	update(p);
}

struct acpi_pm *acpi_pm_new(struct memory_region *io, u16 base,
			    const struct irq_line *sci)
{
	struct acpi_pm *p = calloc(1, sizeof(*p));

	if (!p)
		die("out of memory");
	p->sci = *sci;
	timer_init_ns(&p->timer, overflow_is_due, p);
	ports_map(io, "acpi-evt", base, 4, &event_ops, p);
	ports_map(io, "acpi-cnt", base + 4, 2, &control_ops, p);
	memory_region_clear_global_locking(ports_map(io, "acpi-tmr", base + 8,
						     4, &timer_ops, p));
	acpi_pm_reset(p);
	return p;
}
