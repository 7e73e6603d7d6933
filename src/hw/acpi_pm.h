/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/hw/acpi_pm.h - ACPI fixed hardware: PM1 event and control registers, PM
 * timer. */
#ifndef HW_ACPI_PM_H
#define HW_ACPI_PM_H

#include "hw/irq.h"

#define PM_TIMER_HZ 3579545
#define ACPI_PM_BASE 0x600       /* where upstream's SeaBIOS puts a PIIX4's  */

struct memory_region;
struct acpi_pm;

/* The registers at `base` in the port space `io`: 0 PM1a status and enable, 4
 * PM1a control, 8 the PM timer, whose reads take no lock. `sci` is a level:
 * an enabled status bit is set. */
struct acpi_pm *acpi_pm_new(struct memory_region *io, u16 base,
			    const struct irq_line *sci) REQUIRES(bql);
/* The power button was pressed; what follows is the guest's to decide.
 * Upstream: acpi_pm1_evt_power_down. */
void acpi_pm_power_button(void *pm) REQUIRES(bql);
void acpi_pm_reset(void *pm) REQUIRES(bql);

#endif
