/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SSE2 workloads, compiled with SSE2 arithmetic (build.sh): n-body, Mandelbrot
 * and matrices in vectors, and the memcpy and strlen of a C library for SSE2.
 */
#include <emmintrin.h>

#include "nbody.h"

static inline double root(double x)
{
	return _mm_cvtsd_f64(_mm_sqrt_sd(_mm_set_sd(0), _mm_set_sd(x)));
}

/* -- sse-mandel: a 64x48 Mandelbrot set, four floats at a time ---------------- */

static u32 steps(__m128 cx, __m128 cy)
{
	__m128 x = _mm_setzero_ps(), y = x, four = _mm_set1_ps(4);
	u32 sum = 0;

	for (int n = 0; n < 200; n++) {
		__m128 xx = _mm_mul_ps(x, x), yy = _mm_mul_ps(y, y);
		int inside = _mm_movemask_ps(_mm_cmplt_ps(_mm_add_ps(xx, yy), four));

		if (!inside)
			break;
		sum += (u32)(inside & 1) + (inside >> 1 & 1) + (inside >> 2 & 1) + (inside >> 3);
		y = _mm_mul_ps(x, y);
		y = _mm_add_ps(_mm_add_ps(y, y), cy);
		x = _mm_add_ps(_mm_sub_ps(xx, yy), cx);
	}
	return sum;
}

static u32 work_mandel(u32 size)
{
	__m128 lanes = _mm_set_ps(3, 2, 1, 0);
	u32 sum = 0;

	while (size--)
		for (int row = 0; row < 48; row++)
			for (int col = 0; col < 64; col += 4) {
				__m128 c = _mm_add_ps(_mm_set1_ps((float)col), lanes);

				c = _mm_sub_ps(_mm_mul_ps(c, _mm_set1_ps(0.046875f)),
					       _mm_set1_ps(2.25f));
				sum = mix(sum, steps(c, _mm_set1_ps(row * 0.046875f -
								    1.125f)));
			}
	return sum;
}

/* -- sse-matrix: products of 64x64 matrices of floats ------------------------- */

#define DIM 64

static void multiply(float (*to)[DIM], float (*a)[DIM], float (*b)[DIM])
{
	for (int i = 0; i < DIM; i++)
		for (int j = 0; j < DIM; j += 4) {
			__m128 sum = _mm_setzero_ps();

			for (int k = 0; k < DIM; k++)
				sum = _mm_add_ps(sum, _mm_mul_ps(_mm_set1_ps(a[i][k]),
								 _mm_load_ps(&b[k][j])));
			_mm_store_ps(&to[i][j], _mm_mul_ps(sum, _mm_set1_ps(0.03125f)));
		}
}

static u32 work_matrix(u32 size)
{
	float(*a)[DIM] = (float(*)[DIM])heap;
	float(*b)[DIM] = a + DIM, (*c)[DIM] = b + DIM;
	u32 state = 11;

	for (int i = 0; i < DIM; i++)
		for (int j = 0; j < DIM; j++) {
			a[i][j] = (lcg(&state) & 1023) / 512.0f - 1;
			b[i][j] = (lcg(&state) & 1023) / 512.0f - 1;
		}
	while (size--) {
		multiply(c, a, b);
		multiply(a, c, b);
	}
	return fold(a[3][5]) ^ fold(a[30][17]);
}

/* -- sse-memcpy: 16 bytes at a time, from any to aligned addresses ------------ */

static u32 work_memcpy(u32 size)
{
	u32 sum = 0;

	for (u32 i = 0; i < 32768; i++)
		heap[i] = (u8)(i * 7 >> 3);
	while (size--) {
		const u8 *from = heap + (size & 15);
		__m128i *to = (__m128i *)(heap + 65536);

		for (u32 i = 0; i < 16384; i += 64, from += 64, to += 4) {
			__m128i a = _mm_loadu_si128((const __m128i *)from);
			__m128i b = _mm_loadu_si128((const __m128i *)(from + 16));
			__m128i c = _mm_loadu_si128((const __m128i *)(from + 32));
			__m128i d = _mm_loadu_si128((const __m128i *)(from + 48));

			_mm_store_si128(to, a);
			_mm_store_si128(to + 1, b);
			_mm_store_si128(to + 2, c);
			_mm_store_si128(to + 3, d);
		}
		sum = mix(sum, heap[65536 + (size & 16383)]);
	}
	return sum;
}

/* -- sse-strlen: 16 bytes at a time -------------------------------------------- */

static u32 length(const u8 *s)
{
	const __m128i *p = (const __m128i *)((u32)s & ~15u);
	u32 skip = (u32)s & 15;
	u32 found = (u32)_mm_movemask_epi8(_mm_cmpeq_epi8(*p, _mm_setzero_si128())) >> skip;

	if (found)
		return (u32)__builtin_ctz(found);
	do
		found = (u32)_mm_movemask_epi8(_mm_cmpeq_epi8(*++p, _mm_setzero_si128()));
	while (!found);
	return (u32)((const u8 *)p - s) + (u32)__builtin_ctz(found);
}

static u32 work_strlen(u32 size)
{
	u32 sum = 0, state = 5;

	for (u32 i = 0; i < 65536; i++)
		heap[i] = (lcg(&state) & 63) ? 'x' : 0;
	heap[65536] = 0;
	while (size--)
		for (u32 at = 0; at < 65536; ) {
			u32 n = length(heap + at);

			sum = mix(sum, n);
			at += n + 1;
		}
	return sum;
}

const struct workload sse_works[] = {
	{ "sse-nbody", work_nbody },	{ "sse-mandel", work_mandel },
	{ "sse-matrix", work_matrix },	{ "sse-memcpy", work_memcpy },
	{ "sse-strlen", work_strlen },	{ 0, 0 },
};
