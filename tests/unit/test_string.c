/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/test_string.c - REP string helpers against one element at a time:
 * registers, memory, flags and the fault's address must agree, for all sizes,
 * directions, overlaps, absent pages and segment limits. */
#include <check.h>
#include <stdlib.h>

#include "fake_cpu.h"

enum { AREA = 0x20000, AREA_PAGES = 8, BIG_SEED = 7 };

static u32 rnd_state, n_run, n_faults;
static u32 rnd(u32 n)
{
	rnd_state = rnd_state * 1664525 + 1013904223;
	return (rnd_state >> 8) % n;
}

/* What an instruction leaves. */
struct state { u32 ecx, esi, edi, eax, cc; int fault; u32 cr2; };

static u8 before[AREA_PAGES * 4096], expect[AREA_PAGES * 4096];
static bool absent[AREA_PAGES];
static struct seg_cache ds, es;

/* -- the model ------------------------------------------------------------------- */
enum op { MOVS, STOS, LODS, SCAS, CMPS, N_OPS };
struct model { int size, step, rep; u32 mask; struct state s; };

static bool model_check(struct model *m, const struct seg_cache *c, u32 ofs)
{
	u32 a = c->base + ofs;

	if (!seg_in_limit(c->limit, c->flags, ofs, (u32)m->size)) {
		m->s.fault = EXCP_GP;
		return false;
	}
	for (int i = 0; i < m->size; i++) {
		u32 page = (a + (u32)i - AREA) >> 12;

		if (page < AREA_PAGES && absent[page]) {
			m->s.fault = EXCP_PF;
			m->s.cr2 = i ? (a + (u32)i) & ~0xfffu : a;
			return false;
		}
	}
	return true;
}

static u32 model_read(const struct model *m, u32 a)
{
	u32 v = 0;

	memcpy(&v, expect + (a - AREA), (size_t)m->size);
	return v;
}

static u32 cmp_flags(u32 p, u32 q, int size)
{
	u32 sign = 1u << (8 * size - 1), m = sign | (sign - 1);
	u32 r = (p - q) & m, f = 0;

	f |= (p & m) < (q & m) ? EFLAGS_CF : 0;
	f |= !r ? EFLAGS_ZF : 0;
	f |= r & sign ? EFLAGS_SF : 0;
	f |= ((p ^ q) & (p ^ r)) & sign ? EFLAGS_OF : 0;
	f |= (p ^ q ^ r) & 0x10 ? EFLAGS_AF : 0;
	f |= __builtin_parity(r & 0xff) ? 0 : EFLAGS_PF;
	return f;
}

static bool model_element(struct model *m, enum op op, u32 *cc)
{
	struct state *s = &m->s;
	u32 si = s->esi & m->mask, di = s->edi & m->mask, v = s->eax, w;
	u32 mask = m->size == 4 ? ~0u : (1u << 8 * m->size) - 1;
	bool src = op == MOVS || op == LODS || op == CMPS;

	/* CMPS looks at [EDI] first, as silicon does */
	if (op == CMPS && !model_check(m, &es, di))
		return false;
	if (src && !model_check(m, &ds, si))
		return false;
	if (op != LODS && !model_check(m, &es, di))
		return false;
	if (src)
		v = model_read(m, ds.base + si);
	if (op == MOVS || op == STOS)
		memcpy(expect + (es.base + di - AREA), &v, (size_t)m->size);
	if (op == LODS)
		s->eax = (s->eax & ~mask) | v;
	if (op == SCAS || op == CMPS) {
		w = model_read(m, es.base + di);
		*cc = cmp_flags(v & mask, w, m->size);
	}
	if (src)
		s->esi = (s->esi & ~m->mask) | ((si + (u32)m->step) & m->mask);
	if (op != LODS)
		s->edi = (s->edi & ~m->mask) | ((di + (u32)m->step) & m->mask);
	s->ecx = (s->ecx & ~m->mask) | ((s->ecx - 1) & m->mask);
	return true;
}

static void model_run(struct model *m, enum op op)
{
	u32 cc = m->s.cc;

	while (m->s.ecx & m->mask) {
		if (!model_element(m, op, &cc))
			return;
		if ((op == SCAS || op == CMPS) &&
		    !(cc & EFLAGS_ZF) == (m->rep == 1))
			break;
	}
	m->s.cc = cc;
}

/* -- one random case ------------------------------------------------------------------ */
static void set_segment(int seg, struct seg_cache *c, u32 base, u32 limit)
{
	cpu_load_seg_cache(x, seg, SEL_DATA3, base, limit,
			   DESC_P | DESC_S | DESC_W | DESC_A | DESC_B | DESC_DPL);
	*c = x->seg[seg];
}

static void random_memory(void)
{
	u32 kinds = rnd(3);

	for (u32 i = 0; i < sizeof(before); i++)
		before[i] = kinds == 0 ? (u8)rnd(256) : kinds == 1 ? (u8)(rnd(40) == 0) : 0;
	for (int i = 0; i < AREA_PAGES; i++) {
		absent[i] = rnd(6) == 0;
		set_pte(AREA + (u32)i * 4096, (AREA + (u32)i * 4096) | (absent[i] ? 6 : 7));
	}
	memcpy(ram + AREA, before, sizeof(before));
	memcpy(expect, before, sizeof(before));
}

static u32 random_offset(u32 base)
{
	u32 near = rnd(3), at = rnd(AREA_PAGES * 4096 - 256) + 128;

	if (near == 0)
		at = (rnd(AREA_PAGES - 1) + 1) * 4096 + rnd(16) - 8;
	return AREA + at - base;
}

static void run_case(u32 seed)
{
	static helper_fn *const fn[N_OPS] = { helper_rep_movs, helper_rep_stos,
		helper_rep_lods, helper_rep_scas, helper_rep_cmps };
	struct model m;
	enum op op;
	u32 log2, base = 0;
	int fault;

	rnd_state = seed;
	op = rnd(N_OPS);
	log2 = rnd(3);
	m = (struct model){ .size = 1 << log2, .rep = op >= SCAS ? 1 + (int)rnd(2) : 1,
		.mask = rnd(4) ? ~0u : 0xffff };
	x->df = rnd(4) ? 1 : -1;
	m.step = x->df * m.size;
	random_memory();
	if (m.mask == 0xffff)
		base = AREA;
	set_segment(R_DS, &ds, base, rnd(4) ? ~0u : AREA + 0x5000 - base);
	set_segment(R_ES, &es, base, rnd(4) ? ~0u : AREA + 0x6000 - base);
	m.s = (struct state){ .fault = NO_FAULT, .esi = random_offset(base),
		.edi = random_offset(base), .eax = rnd(3) ? 0 : rnd(1 << 24) * 257,
		.cc = EFLAGS_CF | EFLAGS_SF, .cr2 = 0 };
	if (rnd(3) == 0)
		m.s.edi = m.s.esi + rnd(17) - 8;
	else if (rnd(4) == 0)                    /* near, modulo 4 KB   */
		m.s.edi = m.s.esi + rnd(160) - 80 + 4096 * rnd(2);
	m.s.ecx = rnd(3) ? rnd(64) : rnd(2000);
	if (m.mask == 0xffff)
		m.s.ecx |= 0x50000;
	/* the model's memory is only the area */
	if (m.s.ecx % 0x10000 * (u32)m.size + 256 > AREA_PAGES * 4096)
		m.s.ecx &= ~0xfff0u;
	for (int i = 0; i < 2; i++) {
		u32 o = ((i ? m.s.esi : m.s.edi) & m.mask) + base - AREA;
		u32 span = (m.s.ecx & 0xffff) * (u32)m.size + 8;

		if (o >= sizeof(expect) ||
		    (m.step > 0 ? o + span > sizeof(expect) : o < span))
			return;
	}
	cpu->regs[R_ECX] = m.s.ecx;
	cpu->regs[R_ESI] = m.s.esi;
	cpu->regs[R_EDI] = m.s.edi;
	cpu->regs[R_EAX] = m.s.eax;
	cpu->cc = cc_from_eflags(m.s.cc);
	x->cr[2] = 0;
	fault = run_helper(fn[op], log2 | R_DS << 4 | (m.mask == ~0u) << 8 | (u32)m.rep << 9, 0, 0);
	model_run(&m, op);
	n_run++;
	n_faults += fault != NO_FAULT;
	ck_assert_msg(fault == m.s.fault, "seed %u op %d: fault %d, not %d", seed, op, fault,
		      m.s.fault);
	ck_assert_msg((u32)cpu->regs[R_ECX] == m.s.ecx, "seed %u op %d ECX", seed, op);
	ck_assert_msg((u32)cpu->regs[R_ESI] == m.s.esi, "seed %u op %d ESI", seed, op);
	ck_assert_msg((u32)cpu->regs[R_EDI] == m.s.edi, "seed %u op %d EDI", seed, op);
	ck_assert_msg((u32)cpu->regs[R_EAX] == m.s.eax, "seed %u op %d EAX", seed, op);
	ck_assert_msg(cc_to_eflags(cpu->cc) == m.s.cc, "seed %u op %d flags %x, not %x", seed,
		      op, cc_to_eflags(cpu->cc), m.s.cc);
	ck_assert_msg(x->cr[2] == m.s.cr2, "seed %u op %d CR2 %x, not %x", seed, op, x->cr[2],
		      m.s.cr2);
	ck_assert_msg(!memcmp(ram + AREA, expect, sizeof(expect)), "seed %u op %d memory", seed,
		      op);
}

START_TEST(as_one_element_at_a_time)
{
	enter_protected(3);
	enter_paging();
	for (u32 i = 0; i < 3000; i++)
		run_case(i * 2654435761u + BIG_SEED);
	ck_assert_uint_gt(n_run, 1500);          /* the others left the area */
	ck_assert_uint_gt(n_faults, 300);
}
END_TEST

/* A request for attention ends the instruction between runs, to be resumed. */
START_TEST(lets_interrupts_in)
{
	enter_protected(0);
	cpu->regs[R_ECX] = 0x3000;
	cpu->regs[R_EDI] = 0x20000;
	cpu->regs[R_EAX] = 0x5a;
	cpu->exit_request = 1;
	ck_assert_int_eq(helper_rep_stos(cpu, 0 | R_DS << 4 | 1 << 8 | 1 << 9, 0, 0), 1);
	ck_assert_uint_eq(cpu->regs[R_ECX], 0x2000);
	ck_assert_uint_eq(cpu->regs[R_EDI], 0x21000);
	cpu->exit_request = 0;
	ck_assert_int_eq(helper_rep_stos(cpu, 0 | R_DS << 4 | 1 << 8 | 1 << 9, 0, 0), 0);
	ck_assert_uint_eq(ram[0x22fff], 0x5a);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("i386/string");
	TCase *t = tcase_create("rep");

	tcase_set_timeout(t, 60);
	tcase_add_unchecked_fixture(t, fake_cpu_init, NULL);
	tcase_add_test(t, as_one_element_at_a_time);
	tcase_add_test(t, lets_interrupts_in);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
