/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What translation takes by itself: "make bench-translate".
 *
 * usage: translate ELF [ROUNDS [KB]]
 *
 * The code of an i386 program, KB (512) from its start, is translated from one end to
 * the other, each block where the last one ends, ROUNDS (20) times over; the
 * fastest round is printed. Nothing is run or kept, all is in the host's caches: figures
 * repeat to a hundredth, and `valgrind --tool=callgrind` counts instructions to the
 * last (one round of 64 KB is enough for that). In a guest a block takes twice as
 * long, for misses. The checksum of the code tells whether a change changed it. */
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* fake_cpu.h asks so; libcheck's own need a test that runs. */
#define ck_assert(x) ((x) ? (void)0 : (fprintf(stderr, "translate: not %s\n", #x), exit(1)))
#define ck_assert_ptr_null(p) ck_assert(!(p))
#define ck_assert_ptr_nonnull(p) ck_assert(p)

#include "../unit/fake_cpu.h"
#include "qemu/machine.h"
#include "tcg/x64.h"

enum { CODE_AT = 0x20000, MAX_CODE = 512 << 10 };

struct sums { u64 tbs, insns, bytes, sum; };

/* The first of the program's segments that can be executed, to CODE_AT. */
static void load(const char *name)
{
	FILE *f = fopen(name, "rb");
	Elf32_Ehdr e;
	Elf32_Phdr p = { 0 };

	ck_assert(f);
	ck_assert(fread(&e, sizeof(e), 1, f) == 1);
	fseek(f, (long)e.e_phoff, SEEK_SET);
	while (!(p.p_type == PT_LOAD && p.p_flags & PF_X))
		ck_assert(fread(&p, sizeof(p), 1, f) == 1);
	fseek(f, (long)p.p_offset, SEEK_SET);
	ck_assert(fread(ram + CODE_AT, 1, MIN(p.p_filesz, (u32)MAX_CODE), f) > 0);
	fclose(f);
}

/* FNV-1a */
static u64 checksum(u64 sum, const u8 *p, u32 n)
{
	for (u32 i = 0; i < n; i++)
		sum = (sum ^ p[i]) * 0x100000001b3;
	return sum;
}

/* Ring 0 with all segments flat; returns where the block ends. */
static u32 translate_one(u32 pc, struct tcg_region r, struct sums *s, bool sum)
{
	static struct ir_block block;
	struct translation t = {
		.cpu = cpu, .ir = &block, .pc = pc, .cs_base = 0xffffffffull << 32,
		.flags = HF_PE | HF_CS32 | HF_SS32 | HF_CS_FLAT | HF_DS_FLAT | HF_ES_FLAT |
			 HF_SS_FLAT | HF_FS_BIG | HF_CPL0_IO,
	};
	struct tb tb = { .pc = pc };

	target_translate(&t);
	ir_use_host_flags(&block);
	ir_optimize(&block);
	tb.n_insns = (u16)t.n_insns;
	ck_assert(tcg_gen_code(&block, &tb, &r));
	if (sum)
		s->sum = checksum(s->sum, tb.code, tb.code_size);
	s->tbs++;
	s->insns += t.n_insns;
	s->bytes += tb.code_size;
	return pc + MAX(t.size, 1u);
}

static u64 now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (u64)t.tv_sec * 1000000000 + (u64)t.tv_nsec;
}

static struct sums translate_all(struct tcg_region r, u32 end, bool sum)
{
	struct sums s = { 0 };

	for (u32 pc = CODE_AT; pc < end; )
		pc = translate_one(pc, r, &s, sum);
	return s;
}

int main(int argc, char **argv)
{
	int rounds = argc > 2 ? atoi(argv[2]) : 20;
	u32 end = CODE_AT + (argc > 3 ? MIN((u32)atoi(argv[3]) << 10, (u32)MAX_CODE) : MAX_CODE);
	struct tcg_region r = { 0 };
	u64 least = ~0ull, start;
	struct sums s;

	if (argc < 2)
		return 2;
	machine_config.smp = 1;
	fake_cpu_init();
	load(argv[1]);
	ck_assert(tcg_region_alloc(&r));
	do {
		start = now_ns();
		s = translate_all(r, end, false);
		least = MIN(least, now_ns() - start);
	} while (--rounds > 0);
	printf("%llu TBs of %llu instructions, %llu bytes: %llu ns a TB, %llu an instruction; "
	       "checksum %016llx\n",
	       (unsigned long long)s.tbs, (unsigned long long)s.insns,
	       (unsigned long long)s.bytes, (unsigned long long)(least / s.tbs),
	       (unsigned long long)(least / s.insns),
	       (unsigned long long)translate_all(r, end, true).sum);
	return 0;
}
