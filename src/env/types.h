/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/env/types.h - fixed-width scalars and the three kinds of address. */
#ifndef ENV_TYPES_H
#define ENV_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;

typedef u64 gva;       /* guest linear address                              */
typedef u64 gpa;       /* guest physical address                            */
typedef u64 ram_addr;  /* offset in the arena that holds all guest RAM, ROM */
typedef u8 *hva;       /* host address of guest memory                      */

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define CONTAINER_OF(p, type, field) \
	((type *)((char *)(p) - offsetof(type, field)))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

#endif
