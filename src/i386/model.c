/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/i386/model.c - CPU models and CPUID. SDM vol. 2 CPUID, tables 3-8, 3-11.
 *
 * A model says only what works: MMX, SSE, the APIC, MTRRs and machine checks
 * that the real chips have are left out (DIFF: upstream's models show them).
 * Upstream: cpu.c builtin_x86_defs, cpu_x86_cpuid. */
#include <stdio.h>
#include <string.h>

#include "env/log.h"
#include "i386/helper.h"
#include "i386/model.h"
#include "qemu/optparse.h"
#include "qemu/target.h"

#define F_486 (CPUID_FPU | CPUID_PSE)
#define F_PENTIUM (F_486 | CPUID_DE | CPUID_TSC | CPUID_MSR | CPUID_CX8)
#define F_P6 (F_PENTIUM | CPUID_PAE | CPUID_SEP | CPUID_PGE | CPUID_CMOV)
#define F_P2 (F_P6 | CPUID_FXSR)

/* clang-format off */
static const struct cpu_model models[] = {
	/* name       text                      fam mod st features   ext2  levels */
	{ "qemu32",   "generic 32-bit (default)", 6, 6, 3, F_P2,      0, 2, 0x80000004 },
	{ "486",      "Intel 486 DX2",            4, 8, 0, F_486,     0, 1, 0 },
	{ "pentium",  "Intel Pentium",            5, 4, 3, F_PENTIUM, 0, 1, 0 },
	{ "pentium2", "Intel Pentium II",         6, 5, 2, F_P2,      0, 2, 0 },
	{ "pentium3", "Intel Pentium III",        6, 7, 3, F_P2,      0, 2, 0 },
	{ "max",      "all that is implemented",  6, 6, 3, F_P2,      CPUID_EXT2_NX, 2, 0x80000004 },
};
/* clang-format on */

static const char brand[48] = "smew virtual CPU";

u32 cpu_model_signature(const struct x86_cpu *x)
{
	const struct cpu_model *m = x->model;

	return m->family << 8 | m->model << 4 | m->stepping;
}

void target_cpu_list(void)
{
	printf("Available CPUs:\n");
	for (size_t i = 0; i < ARRAY_SIZE(models); i++)
		printf("x86 %-20s %s\n", models[i].name, models[i].text);
	fflush(stdout);
}

static const struct cpu_model *model_find(const char *name)
{
	const char *near;

	if (strpbrk(name, ",+")) {
		error_report("-cpu %s: adding or removing features is not "
			     "supported; name a model alone", name);
		return NULL;
	}
	for (size_t i = 0; i < ARRAY_SIZE(models); i++)
		if (!strcmp(models[i].name, name))
			return &models[i];
	if (!strcmp(name, "host"))
		return model_find("max");
	near = nearest(name, &models[0].name, ARRAY_SIZE(models), sizeof(models[0]));
	error_report("-cpu %s: unknown model%s%s (-cpu help lists them)", name,
		     near ? "; did you mean " : "", near ? near : "");
	return NULL;
}

struct cpu *target_cpu_new(const char *name, int index)
{
	const struct cpu_model *m = name ? model_find(name) : &models[0];
	struct x86_cpu *x;

	if (!m)
		return NULL;
	x = x86(cpu_alloc(sizeof(struct x86_cpu)));
	x->c.cpu_index = index;
	x->model = m;
	x->features_edx = m->features_edx;
	cpu_reset_state(x);
	return &x->c;
}

/* -- CPUID -------------------------------------------------------------------------- */
struct cpuid { u32 a, b, c, d; };

static u32 word(const char *s)
{
	u32 v;

	memcpy(&v, s, 4);
	return v;
}

static struct cpuid cpuid_leaf(const struct x86_cpu *x, u32 leaf)
{
	const struct cpu_model *m = x->model;

	switch (leaf) {
	case 0:
		return (struct cpuid){ m->level, word("Genu"), word("ntel"),
				       word("ineI") };
	case 1:
		return (struct cpuid){ cpu_model_signature(x), 0,
				       x->features_ecx, x->features_edx };
	case 2:                  /* caches as a Pentium II's                 */
		return (struct cpuid){ 0x03020101, 0, 0, 0x0c040843 };
	case 0x80000000:
		return (struct cpuid){ m->xlevel, 0, 0, 0 };
	case 0x80000001:
		return (struct cpuid){ 0, 0, 0, m->ext2_edx };
	case 0x80000002: case 0x80000003: case 0x80000004: {
		const char *s = brand + 16 * (leaf - 0x80000002);

		return (struct cpuid){ word(s), word(s + 4), word(s + 8),
				       word(s + 12) };
	}
	}
	return (struct cpuid){ 0, 0, 0, 0 };
}

/* A leaf beyond the last gives the last basic one's data, as Intel's do. */
u64 helper_cpuid(struct cpu *cpu, u32 a, u32 b, u32 c)
{
	struct x86_cpu *x = x86(cpu);
	u32 leaf = cpu->regs[R_EAX];
	u32 last = leaf & 0x80000000 ? x->model->xlevel : x->model->level;
	struct cpuid r = cpuid_leaf(x, leaf > last ? x->model->level : leaf);

	(void)a, (void)b, (void)c;
	cpu->regs[R_EAX] = r.a;
	cpu->regs[R_EBX] = r.b;
	cpu->regs[R_ECX] = r.c;
	cpu->regs[R_EDX] = r.d;
	return 0;
}
