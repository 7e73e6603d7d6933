/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sun and four planets in doubles, for x87.c and sse.c, which compile it for
 * their own arithmetic. Who includes it has a root() of his own.
 */
#ifndef BENCH_NBODY_H
#define BENCH_NBODY_H

#include "work.h"

static inline double root(double x);

/* The bits of a double, folded. */
static u32 fold(double x)
{
	union {
		double d;
		u32 w[2];
	} bits = { .d = x };

	return bits.w[0] ^ bits.w[1];
}

struct body {
	double x[3], v[3], mass;
};

#define BODIES 5
#define SOLAR (4 * 3.14159265358979323846 * 3.14159265358979323846)

static const struct body solar_system[BODIES] = {
	{ { 0, 0, 0 }, { 0, 0, 0 }, SOLAR },
	{ { 4.841, -1.160, -0.1036 }, { 0.6063, 2.812, -0.02522 },
	  9.548e-4 * SOLAR },
	{ { 8.343, 4.125, -0.4035 }, { -1.011, 1.826, 0.008416 },
	  2.859e-4 * SOLAR },
	{ { 12.89, -15.11, -0.2233 }, { 1.083, 0.8687, -0.01083 },
	  4.366e-5 * SOLAR },
	{ { 15.38, -25.92, 0.1793 }, { 0.9791, 0.5947, -0.03476 },
	  5.151e-5 * SOLAR },
};

static void attract(struct body *a, struct body *b, double dt)
{
	double d[3], r2 = 0, pull;

	for (int k = 0; k < 3; k++) {
		d[k] = a->x[k] - b->x[k];
		r2 += d[k] * d[k];
	}
	pull = dt / (r2 * root(r2));
	for (int k = 0; k < 3; k++) {
		a->v[k] -= d[k] * b->mass * pull;
		b->v[k] += d[k] * a->mass * pull;
	}
}

static u32 work_nbody(u32 size)
{
	struct body *b = (struct body *)heap;
	u32 sum = 0;

	for (int i = 0; i < BODIES; i++)
		b[i] = solar_system[i];
	for (u32 n = size * 100; n; n--) {
		for (int i = 0; i < BODIES; i++)
			for (int j = i + 1; j < BODIES; j++)
				attract(&b[i], &b[j], 0.01);
		for (int i = 0; i < BODIES; i++)
			for (int k = 0; k < 3; k++)
				b[i].x[k] += 0.01 * b[i].v[k];
	}
	for (int i = 0; i < BODIES; i++)
		sum = mix(sum, fold(b[i].x[0]));
	return sum;
}

#endif
