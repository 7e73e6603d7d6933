/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The workloads of tests/bench. Each is a function of a size that returns a
 * checksum, the same wherever it runs. Those in integer.c, memory.c, x87.c and sse.c
 * need nothing but a heap: they are compiled into the bare-metal guest and,
 * from the same source with the same flags, into a 32-bit Linux process
 * (native.c). Those in system.c exist in the guest only.
 */
#ifndef BENCH_WORK_H
#define BENCH_WORK_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef int i32;

#define HEAP_BYTES (16u << 20)

struct workload {
	const char *name;
	u32 (*run)(u32 size);
};

/* Each list ends with a row without a name. */
extern const struct workload integer_works[];
extern const struct workload memory_works[];
extern const struct workload x87_works[];
extern const struct workload sse_works[];
extern const struct workload system_works[];

/* HEAP_BYTES of writable memory, page aligned; set before a workload runs. */
extern u8 *heap;

/* A wrong result inside a workload: says so and ends, not returning. */
void work_failed(const char *why) __attribute__((noreturn));

/* The next number of a linear congruential sequence; good enough here. */
static inline u32 lcg(u32 *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

static inline u32 mix(u32 sum, u32 value)
{
	return (sum ^ value) * 16777619u;
}

const struct workload *work_find(const struct workload *list,
				 const char *name);
u32 text_number(const char *text);
int text_equal(const char *a, const char *b);

#endif
