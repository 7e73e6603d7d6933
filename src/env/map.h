/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/env/map.h - memory from the host: guest RAM, code buffer, tables. */
#ifndef ENV_MAP_H
#define ENV_MAP_H

#include "env/types.h"

#define HOST_PAGE 4096

/* `size` bytes of zeroed, lazily backed, read-write memory at exactly `at`
 * (nothing there yet) or anywhere (at = NULL). NULL on failure. A memfd backs
 * it when `shared`, so that it can be mapped again by name. */
void *map_anon(void *at, size_t size, bool shared);
void map_free(void *p, size_t size);
/* Give the pages back: they read as zero again. */
void map_discard(void *p, size_t size);

/* Addresses of the host without memory, at exactly `at`; false: they are taken. */
bool map_reserve(void *at, size_t size);
/* Pages of a reservation: read-write memory. */
void map_unguard(void *p, size_t size);
/* Let every access to these pages of a mapping fault. */
void map_guard(void *p, size_t size);

/* The same memory mapped twice: *rw writable, *rx executable, never both.
 * Anywhere in the address space. Fatal if the host has no memory. */
void map_code(size_t size, u8 **rw, u8 **rx);

/* The mapping is used densely: let the host back it by large pages where it
 * can. A hint; costs memory at the edges of what is touched. */
void map_huge(void *p, size_t size);
/* Fill [p, p+size) (page aligned, inside a mapping made by map_anon) with
 * copies of `pattern`, lazily: host pages are only made when written.
 * map_pattern_reset makes them all read as the pattern again. */
void map_pattern(void *p, size_t size, u64 pattern);
void map_pattern_reset(void *p, size_t size);

#endif
