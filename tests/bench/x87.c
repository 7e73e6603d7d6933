/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x87 workloads. All arithmetic is on the FPU's stack (-mfpmath=387), so the
 * checksums are the same bits wherever the FPU is exact.
 */
#include "nbody.h"

static inline double root(double x)
{
	__asm__("fsqrt" : "+t"(x));
	return x;
}

/* -- mandel: a 64x48 Mandelbrot set, values stay on the FPU's stack ---------- */

static u32 steps(double cx, double cy)
{
	double x = 0, y = 0;
	u32 n = 0;

	while (n < 200 && x * x + y * y < 4) {
		double t = x * x - y * y + cx;

		y = 2 * x * y + cy;
		x = t;
		n++;
	}
	return n;
}

static u32 work_mandel(u32 size)
{
	u32 sum = 0;

	while (size--)
		for (int row = 0; row < 48; row++)
			for (int col = 0; col < 64; col++)
				sum = mix(sum, steps(col * 0.046875 - 2.25,
						     row * 0.046875 - 1.125));
	return sum;
}

/* -- fmatrix: products of 32x32 matrices, loads and stores ------------------- */

#define DIM 32

static void multiply(double (*to)[DIM], double (*a)[DIM], double (*b)[DIM])
{
	for (int i = 0; i < DIM; i++)
		for (int j = 0; j < DIM; j++) {
			double sum = 0;

			for (int k = 0; k < DIM; k++)
				sum += a[i][k] * b[k][j];
			to[i][j] = sum * 0.0625;
		}
}

static u32 work_fmatrix(u32 size)
{
	double(*a)[DIM] = (double(*)[DIM])heap;
	double(*b)[DIM] = a + DIM, (*c)[DIM] = b + DIM;
	u32 state = 11;

	for (int i = 0; i < DIM; i++)
		for (int j = 0; j < DIM; j++) {
			a[i][j] = (lcg(&state) & 1023) / 512.0 - 1;
			b[i][j] = (lcg(&state) & 1023) / 512.0 - 1;
		}
	while (size--) {
		multiply(c, a, b);
		multiply(a, c, b);
	}
	return fold(a[3][5]) ^ fold(a[30][17]);
}

/*
 * -- trig: fsin, fcos, fpatan, fyl2x, f2xm1
 * Not all FPUs agree on the last bit of these, so the sum is rounded.
 */
static inline double sine(double x)
{
	__asm__("fsin" : "+t"(x));
	return x;
}

static inline double cosine(double x)
{
	__asm__("fcos" : "+t"(x));
	return x;
}

static inline double arctan(double y, double x)
{
	__asm__("fpatan" : "=t"(x) : "0"(x), "u"(y) : "st(1)");
	return x;
}

static inline double log2_of(double x)
{
	double one = 1;

	__asm__("fyl2x" : "=t"(x) : "0"(x), "u"(one) : "st(1)");
	return x;
}

static inline double exp2_less_1(double x)
{
	__asm__("f2xm1" : "+t"(x));
	return x;
}

static u32 work_trig(u32 size)
{
	double sum = 0;

	for (u32 n = size * 100; n; n--) {
		double x = (n & 1023) * 0.0009765625;

		sum += sine(x) * cosine(x) + arctan(x, 1 + x);
		sum += log2_of(1 + x) - exp2_less_1(x);
	}
	return (u32)(i32)(sum * 1000);
}

const struct workload x87_works[] = {
	{ "nbody", work_nbody },	{ "mandel", work_mandel },
	{ "fmatrix", work_fmatrix },	{ "trig", work_trig },
	{ 0, 0 },
};
