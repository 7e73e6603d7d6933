/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/hw/aml.h - writing ACPI Machine Language, the few words of it that our
 * DSDT needs. ACPI 6.4, chapter 20. Upstream: hw/acpi/aml-build.c.
 *
 * Bytes go behind each other into a fixed room; what would not fit is dropped
 * and `used` grows past `room`, which the caller checks once at the end. */
#ifndef HW_AML_H
#define HW_AML_H

#include "env/types.h"

struct aml { u8 *at; u32 used, room; };

void aml_byte(struct aml *a, u8 v);
void aml_bytes(struct aml *a, const void *from, u32 n);
void aml_u16(struct aml *a, u16 v);
void aml_u32(struct aml *a, u32 v);
/* An integer constant, in the shortest form. */
void aml_int(struct aml *a, u32 v);
void aml_string(struct aml *a, const char *s);
/* What Name(segment, ...) begins with; a data object has to follow. `segment`
 * has four characters. */
void aml_name(struct aml *a, const char *segment);
/* A PNP id ("PNP0B00") as the compressed integer of _HID. */
void aml_eisa_id(struct aml *a, const char *id);

/* Scope, Device and Package have a length in front: each of these returns what
 * aml_end() takes when all of the object has been written. `path` of a scope
 * is written as it is: four characters, or a backslash and four. */
u32 aml_scope(struct aml *a, const char *path);
u32 aml_device(struct aml *a, const char *segment);
u32 aml_package(struct aml *a, u8 n_elements);
void aml_end(struct aml *a, u32 mark);

/* Name(_CRS, ResourceTemplate() { ... }), and what may stand in it. */
u32 aml_resources(struct aml *a);
void aml_res_io(struct aml *a, u16 port, u8 count);
void aml_res_irq(struct aml *a, int irq);
void aml_res_memory(struct aml *a, u32 addr, u32 size);
void aml_resources_end(struct aml *a, u32 mark);

#endif
