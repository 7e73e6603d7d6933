/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory workloads: streams, dependent loads, string instructions. In the
 * guest each exists a second time, "NAME-paged", under 4 KB pages.
 */
#include "work.h"

/* -- stream: copy, scale, add over arrays of 256 KB ------------------------- */

#define STREAM_N 65536

static u32 work_stream(u32 size)
{
	volatile u32 *a = (u32 *)heap;
	volatile u32 *b = a + STREAM_N, *c = b + STREAM_N;

	for (u32 i = 0; i < STREAM_N; i++)
		a[i] = i;
	while (size--) {
		for (int i = 0; i < STREAM_N; i++)
			b[i] = a[i];
		for (int i = 0; i < STREAM_N; i++)
			c[i] = b[i] * 3;
		for (int i = 0; i < STREAM_N; i++)
			a[i] = b[i] + c[i] + 1;
	}
	return a[12345] ^ c[54321];
}

/* -- chase: a list in random order through 2 MB ----------------------------- */

struct node {
	struct node *next;
	u32 value;
	u32 pad[14];		/* a node is a cache line */
};

#define NODES 32768u

/* One cycle through all nodes (Sattolo's shuffle). */
static void link_nodes(struct node *nodes, u32 *order)
{
	u32 state = 9;

	for (u32 i = 0; i < NODES; i++)
		order[i] = i;
	for (u32 i = NODES - 1; i > 0; i--) {
		u32 j = lcg(&state) % i, t = order[i];

		order[i] = order[j];
		order[j] = t;
	}
	for (u32 i = 0; i < NODES; i++) {
		nodes[order[i]].next = &nodes[order[(i + 1) % NODES]];
		nodes[order[i]].value = i;
	}
}

static u32 work_chase(u32 size)
{
	struct node *nodes = (struct node *)heap, *p = nodes;
	u32 sum = 0;

	link_nodes(nodes, (u32 *)(heap + NODES * sizeof *nodes));
	for (; size; size--)
		for (u32 i = 0; i < NODES; i++) {
			sum += p->value ^ i * 3;
			p = p->next;
		}
	return sum;
}

/* -- rep movs, stos, scas, cmps: short and long runs ------------------------ */

/*
 * From one buffer of 64 KB to the other: not a power of two, as upstream's
 * soft TLB would map both to the same entries, and its figures would jump.
 */
#define OTHER 0x113000

static void rep_movsl(void *to, const void *from, u32 n)
{
	__asm__ volatile("rep movsl" : "+D"(to), "+S"(from), "+c"(n)
			 : : "memory");
}

static void rep_movsb(void *to, const void *from, u32 n)
{
	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n)
			 : : "memory");
}

static void rep_stosl(void *to, u32 value, u32 n)
{
	__asm__ volatile("rep stosl" : "+D"(to), "+c"(n) : "a"(value)
			 : "memory");
}

static void rep_stosb(void *to, u32 value, u32 n)
{
	__asm__ volatile("rep stosb" : "+D"(to), "+c"(n) : "a"(value)
			 : "memory");
}

/* Bytes before the first that is `value`; n if there is none. */
static u32 scan(const void *at, u32 value, u32 n)
{
	const u8 *p = at;

	__asm__ volatile("repne scasb\n\t"
			 "jne 1f\n\t"
			 "dec %0\n"
			 "1:" : "+D"(p), "+c"(n) : "a"(value)
			 : "memory", "cc");
	return (u32)(p - (const u8 *)at);
}

/* Bytes in which two places agree, at most n. */
static u32 compare(const void *a, const void *b, u32 n)
{
	const u8 *p = a;

	__asm__ volatile("repe cmpsb\n\t"
			 "je 1f\n\t"
			 "dec %0\n"
			 "1:" : "+S"(p), "+D"(b), "+c"(n) : : "memory", "cc");
	return (u32)(p - (const u8 *)a);
}

static void fill(u8 *to, u32 n)
{
	u32 state = 10;

	for (u32 i = 0; i < n; i++)
		to[i] = (u8)(lcg(&state) | 1);
}

static u32 sum_words(const void *at, u32 n)
{
	const u32 *p = at;
	u32 sum = 0;

	while (n--)
		sum = mix(sum, *p++);
	return sum;
}

static u32 work_movs(u32 size)
{
	u8 *a = heap, *b = heap + OTHER;

	fill(a, 65536);
	fill(b, 65536);
	while (size--) {
		rep_movsl(b + 4, a, 16000);
		for (u32 i = 0; i < 32; i++)
			rep_movsl(a + i * 512, b + i * 256 + 4, 128);
		for (u32 i = 0; i < 256; i++)
			rep_movsb(b + i * 64 + 1, a + i * 32, 24);
	}
	return sum_words(a, 16384) + sum_words(b, 16384);
}

static u32 work_stos(u32 size)
{
	u8 *a = heap;

	while (size--) {
		rep_stosl(a, size, 16384);
		for (u32 i = 0; i < 64; i++)
			rep_stosl(a + i * 512, size + i, 96);
		for (u32 i = 0; i < 256; i++)
			rep_stosb(a + i * 64 + 3, i, 24);
	}
	return sum_words(a, 16384);
}

static u32 work_scas(u32 size)
{
	u8 *a = heap;
	u32 sum = 0;

	fill(a, 65536);
	for (u32 i = 100; i < 32768; i += 100)
		a[i] = 0;
	a[65535] = 0;
	while (size--) {
		sum += scan(a + 32768, 0, 32768);
		for (u32 i = 1; i < 32768; i += 100)
			sum += scan(a + i, 0, 200);
	}
	return sum;
}

static u32 work_cmps(u32 size)
{
	u8 *a = heap, *b = heap + OTHER;
	u32 sum = 0;

	fill(a, 65536);
	fill(b, 65536);
	for (u32 i = 99; i < 32768; i += 100)
		b[i] ^= 0x80;
	while (size--) {
		sum += compare(a + 32768, b + 32768, 32768);
		for (u32 i = 0; i < 32700; i += 100)
			sum += compare(a + i, b + i, 100);
	}
	return sum;
}

const struct workload memory_works[] = {
	{ "stream", work_stream },	{ "chase", work_chase },
	{ "movs", work_movs },		{ "stos", work_stos },
	{ "scas", work_scas },		{ "cmps", work_cmps },
	{ 0, 0 },
};
