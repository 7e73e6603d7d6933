/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/test_optab.c - the opcode maps against capstone: every opcode
 * of every map with every ModRM byte and every prefix, and random bytes, in 16-
 * and 32-bit mode. What both know must have the same length and name. Every row
 * has to come up; where capstone errs, and what it cannot tell, is in tables. */
#include <capstone/capstone.h>
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "i386/dis.h"

#ifndef RANDOM_INSNS
#define RANDOM_INSNS 300000
#endif

static csh handle[2];                /* 16, 32 bit                          */
static cs_insn *in;                  /* what capstone made of it            */
static u8 page[PAGE_SIZE];

/* -- names --------------------------------------------------------------- */

/* Where one name of ours is several of capstone's, by operand size or alias. */
static const struct { const char *ours, *theirs; } alias[] = {
	{ "cwde", "cbw" }, { "cdq", "cwd" }, { "jcxz", "jecxz" }, { "fwait", "wait" },
	{ "xchg", "nop" }, { "xchg", "pause" }, { "shl", "sal" },
	{ "pusha", "pushaw" }, { "pusha", "pushal" }, { "popa", "popaw" },
	{ "popa", "popal" }, { "pushf", "pushfd" }, { "popf", "popfd" },
	{ "iret", "iretd" }, { "ins", "insw" }, { "ins", "insd" },
	{ "outs", "outsw" }, { "outs", "outsd" }, { "movs", "movsw" },
	{ "movs", "movsd" }, { "stos", "stosw" }, { "stos", "stosd" },
	{ "lods", "lodsw" }, { "lods", "lodsd" }, { "scas", "scasw" },
	{ "scas", "scasd" }, { "cmps", "cmpsw" }, { "cmps", "cmpsd" },
	{ "nop", "prefetch" }, { "nop", "prefetchw" }, { "nop", "prefetchnta" },
	{ "nop", "prefetcht0" }, { "nop", "prefetcht1" }, { "nop", "prefetcht2" },
	{ "nop", "endbr64" }, { "nop", "endbr32" }, { "nop", "rdsspd" },
	{ "feni", "feni8087_nop" }, { "fdisi", "fdisi8087_nop" },
	{ "fcom2", "fcom" }, { "fcomp3", "fcomp" }, { "fcomp5", "fcomp" },
	{ "fxch4", "fxch" }, { "fxch7", "fxch" }, { "fstp8", "fstp" },
	{ "fstp9", "fstp" }, { "fucompi", "fucomip" }, { "fcompi", "fcomip" },
};

static bool same_name(const char *ours, const char *theirs)
{
	if (!strcmp(ours, theirs))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(alias); i++)
		if (!strcmp(ours, alias[i].ours) && !strcmp(theirs, alias[i].theirs))
			return true;
	return false;
}

/* -- one instruction ------------------------------------------------------- */

static struct translation translation;

static bool decode_at(struct dis *d, bool mode32)
{
	*d = (struct dis){
		.t = &translation, .peek = true, .host = { page },
		.flags = HF_PE | HF_CPL0_IO | HF_OSFXSR | (mode32 ? HF_CS32 | HF_SS32 : 0),
		.cs_limit = ~0u,
	};
	return decode(d, 0);
}

static unsigned long compared;

/* Is this the name of a row? Remembered by capstone's number. */
static bool in_rows(const struct insn *row, int n, const char *name)
{
	for (int i = 0; i < n; i++) {
		int n_group = row[i].flags & BYMOD ? 2 : row[i].flags & BYPFX ? 4 : 8;

		if (row[i].group && in_rows(row[i].group, n_group, name))
			return true;
		if (row[i].gen && same_name(row[i].name, name))
			return true;
	}
	return false;
}

static bool is_ours(csh h, unsigned id)
{
	static u8 known[X86_INS_ENDING];
	const char *name = cs_insn_name(h, id);

	if (!known[id])
		known[id] = 1 + (in_rows(optab, 256, name) || in_rows(optab_0f, 256, name) ||
				 in_rows(optab_38, 256, name) || in_rows(optab_3a, 256, name) ||
				 in_rows(optab_fpu_mem[0], 64, name) ||
				 in_rows(optab_fpu_reg[0], 64, name));
	return known[id] == 2;
}

static void fail_with(const struct dis *d, bool mode32)
{
	char hex[64] = "";

	for (int i = 0; i < 12; i++)
		snprintf(hex + 3 * i, 4, "%02x ", page[i]);
	ck_abort_msg("%d bit, %s: ours %s, %u bytes; capstone %s %s, %u bytes",
		     mode32 ? 32 : 16, hex, d->row->name ? d->row->name : "(hole)",
		     d->next - d->pc, in->mnemonic, in->op_str, in->size);
}

/* -- where capstone 4 is wrong ---------------------------------------------- */

/* Does the prefix that counts stand right before 0F? */
static bool prefix_is_last(const struct dis *d)
{
	static const u8 byte[] = { 0, 0x66, 0xf3, 0xf2 };
	const u8 *p = memchr(page, 0x0f, 15);

	return p > page && p[-1] == byte[d->prefix] &&
	       (p < page + 2 || !memchr("\x66\xf2\xf3", p[-2], 3));
}

static bool has_predicate(const struct dis *d)
{
	return d->op == 0xc2 && d->map == VEC_0F && !strncmp(d->row->name, "cmp", 3);
}

static bool prefix_unseen(const struct dis *d)
{
	return d->prefix && !d->vex && (!(d->flags & HF_CS32) || !prefix_is_last(d));
}

static bool branch_repeated(const struct dis *d)
{
	return d->rep && d->row->flags & F64;
}

static bool is_ud1(const struct dis *d)
{
	return d->row == &optab_0f[0xb9];
}

static bool is_vex16(const struct dis *d)
{
	return d->vex && !(d->flags & HF_CS32);
}

static bool no_such_cr(const struct dis *d)
{
	return (d->row == &optab_0f[0x20] || d->row == &optab_0f[0x22]) && !(0x1d >> d->reg & 1);
}

static const struct { bool (*here)(const struct dis *); const char *what; } capstone_errors[] = {
	{ has_predicate, "CMPPS and its like have the name of the predicate" },
	{ prefix_unseen, "66, F2, F3 that are part of the opcode: not seen in 16-bit code, nor "
			 "when another stands between" },
	{ branch_repeated, "a branch's 66 is forgotten when F2 or F3 is there too" },
	{ is_ud1, "UD1 has no ModRM byte" },
	{ no_such_cr, "CR1, CR5, CR6, CR7 are there" },
	{ is_vex16, "VEX is not known in 16-bit code" },
};

static bool capstone_errs(const struct dis *d)
{
	for (size_t i = 0; i < ARRAY_SIZE(capstone_errors); i++)
		if (capstone_errors[i].here(d))
			return true;
	return false;
}

/* -- which rows were compared ------------------------------------------------ */

static const struct insn *rows_seen[4096];

static const struct insn **seen_slot(const struct insn *row)
{
	size_t i = (uintptr_t)row / sizeof(*row) % ARRAY_SIZE(rows_seen);

	while (rows_seen[i] && rows_seen[i] != row)
		i = (i + 1) % ARRAY_SIZE(rows_seen);
	return &rows_seen[i];
}

/* Rows that cannot be compared. */
static const struct { const char *name, *why; } unknown[] = {
	{ "cmpps", "predicate" }, { "cmppd", "predicate" }, { "cmpss", "predicate" },
	{ "cmpsd", "predicate" }, { "ud1", "ModRM" },
};

/* Prints the rows of a table that were not; their number. */
static int unseen(const struct insn *row, int n)
{
	int bad = 0;

	for (int i = 0; i < n; i++, row++) {
		bool known = !row->gen || *seen_slot(row);

		if (row->group)
			bad += unseen(row->group, row->flags & BYMOD ? 2 : row->flags & BYPFX ? 4 : 8);
		for (size_t k = 0; k < ARRAY_SIZE(unknown) && !known; k++)
			known = !strcmp(row->name, unknown[k].name);
		if (!known)
			fprintf(stderr, "not compared: %s (%d of its table)\n", row->name, i);
		bad += !known;
	}
	return bad;
}

/* -- comparing ---------------------------------------------------------------- */

/* Compare at the start of the page. */
static void compare_insn(bool mode32)
{
	csh h = handle[mode32];
	const u8 *code = page;
	size_t left = 16;
	u64 address = 0;
	bool theirs;
	struct dis d;

	ck_assert(decode_at(&d, mode32));
	if (capstone_errs(&d))
		return;
	theirs = cs_disasm_iter(h, &code, &left, &address, in);
	if (d.exc >= 0) {
		/* a hole must not be an instruction that other rows have (capstone
		 * overlooks prefixes with which there is none) */
		if (theirs && !d.lock && !d.prefix && is_ours(h, in->id))
			fail_with(&d, mode32);
	} else if (!theirs) {
		/* 0F 19..1E; MOV with CRn, DRn that it deems bad */
		ck_assert(d.op == 0xae || !strcmp(d.row->name, "nop") ||
			  !strcmp(d.row->name, "mov"));
	} else {
		compared++;
		*seen_slot(d.row) = d.row;
		if (in->size != d.next - d.pc ||
		    !same_name(d.row->name, cs_insn_name(h, in->id)))
			fail_with(&d, mode32);
	}
}

/* -- tests -------------------------------------------------------------------- */

static void put_tail(size_t at)
{
	static const u8 tail[16] = { 0x12, 0x34, 0x56, 0x78, 0x1a, 0x3b, 0x5c, 0x7d };

	memcpy(page + at, tail, sizeof(tail));
}

static void all_modrm(size_t at, bool mode32)
{
	for (int modrm = 0; modrm < 256; modrm++) {
		page[at] = modrm;
		put_tail(at + 1);
		compare_insn(mode32);
	}
}

/* The maps, with what stands before the opcode, and their tables. */
static const struct {
	const char *lead;
	struct { const struct insn *rows; int n; } table[3];
} maps[] = {
	{ "", { { optab, 256 }, { optab_fpu_mem[0], 64 }, { optab_fpu_reg[0], 64 } } },
	{ "\x0f", { { optab_0f, 256 } } },
	{ "\x0f\x38", { { optab_38, 256 } } },
	{ "\x0f\x3a", { { optab_3a, 256 } } },
};

/* Every opcode of a map with every ModRM byte. */
static void walk_map(const char *prefix, const char *lead)
{
	size_t at = strlen(prefix) + strlen(lead);

	for (int op = 0; op < 256; op++) {
		memcpy(page, prefix, strlen(prefix));
		memcpy(page + strlen(prefix), lead, strlen(lead));
		page[at] = (u8)op;
		all_modrm(at + 1, false);
		all_modrm(at + 1, true);
	}
}

START_TEST(every_row)
{
	static const char *const prefix[] = { "", "\x66", "\x67", "\xf2", "\xf3", "\x2e", "\xf0" };
	int bad = 0;

	for (size_t p = 0; p < ARRAY_SIZE(prefix); p++)
		walk_map(prefix[p], maps[_i].lead);
	for (size_t t = 0; t < ARRAY_SIZE(maps[_i].table); t++)
		bad += unseen(maps[_i].table[t].rows, maps[_i].table[t].n);
	ck_assert_msg(!bad, "%d rows were not compared with capstone", bad);
}
END_TEST

/* VEX prefixes of three bytes: every register, prefix and opcode of both maps. */
START_TEST(every_vex_row)
{
	int bad = 0;

	for (int i = 0; i < 2 * 128 * 256; i++) {
		page[0] = 0xc4;
		page[1] = (u8)(0xe2 + (i & 1));
		page[2] = (u8)(i >> 9 & 0x7f & ~4);
		page[3] = (u8)(i >> 1);
		for (int modrm = 0; modrm < 256; modrm += 5) {
			page[4] = (u8)modrm;
			put_tail(5);
			compare_insn(true);
		}
	}
	for (unsigned i = 0; i < optab_vex_count; i++)
		bad += unseen(&optab_vex[i].row, 1);
	ck_assert_msg(!bad, "%d rows were not compared with capstone", bad);
}
END_TEST

START_TEST(random_bytes)
{
	u64 s = 88172645463325252ull;

	for (int n = 0; n < RANDOM_INSNS; n++) {
		for (int i = 0; i < 16; i += 8) {
			s ^= s << 13;
			s ^= s >> 7;
			s ^= s << 17;
			memcpy(page + i, &s, 8);
		}
		compare_insn(n & 1);
	}
	ck_assert_uint_gt(compared, RANDOM_INSNS / 2);
}
END_TEST

/* Bytes and the exception that decode() wants for them in flags; -1: none. */
static const struct { u32 flags; s16 exc; u8 n; u8 bytes[16]; } legality[] = {
	{ 0, -1, 3, { 0xf0, 0x01, 0x03 } },              /* lock add [mem]     */
	{ 0, EXCP_UD, 3, { 0xf0, 0x01, 0xc3 } },         /* lock add reg       */
	{ 0, EXCP_UD, 3, { 0xf0, 0x03, 0x03 } },         /* lock add reg, [m]  */
	{ 0, EXCP_UD, 3, { 0xf0, 0x39, 0x03 } },         /* lock cmp [mem]     */
	{ 0, EXCP_UD, 2, { 0xf0, 0x90 } },
	{ 0, -1, 5, { 0xf0, 0x0f, 0xba, 0x28, 1 } },     /* lock bts           */
	{ 0, EXCP_UD, 5, { 0xf0, 0x0f, 0xba, 0x20, 1 } },/* lock bt            */
	{ 0, -1, 1, { 0xf4 } },                          /* hlt                */
	{ 3, EXCP_GP, 1, { 0xf4 } },
	{ 3, EXCP_GP, 1, { 0xfa } },                     /* cli                */
	{ 3 | HF_IOPL, -1, 1, { 0xfa } },
	{ 3 | HF_VM, EXCP_UD, 3, { 0x0f, 0x00, 0xc8 } }, /* str                */
	{ 3 | HF_VM, EXCP_GP, 1, { 0x9c } },             /* pushf              */
	{ 3 | HF_VM | HF_IOPL, -1, 1, { 0x9c } },
	{ HF_TS, EXCP_NM, 2, { 0xd9, 0xe8 } },
	{ HF_EM, EXCP_NM, 2, { 0xd9, 0xe8 } },
	{ HF_OSFXSR, -1, 3, { 0x0f, 0x58, 0xc1 } },      /* addps              */
	{ 0, EXCP_UD, 3, { 0x0f, 0x58, 0xc1 } },
	{ HF_OSFXSR | HF_EM, EXCP_UD, 3, { 0x0f, 0x58, 0xc1 } },
	{ HF_OSFXSR | HF_TS, EXCP_NM, 3, { 0x0f, 0x58, 0xc1 } },
	{ HF_TS, EXCP_UD, 3, { 0x0f, 0x58, 0xc1 } },
	{ 0, -1, 3, { 0x0f, 0xfc, 0xc1 } },              /* paddb mm           */
	{ HF_EM, EXCP_UD, 3, { 0x0f, 0xfc, 0xc1 } },
	{ HF_TS, EXCP_NM, 3, { 0x0f, 0xfc, 0xc1 } },
	{ HF_OSFXSR, EXCP_UD, 4, { 0xf0, 0x0f, 0x58, 0x00 } },
	{ 0, EXCP_UD, 2, { 0x8d, 0xc0 } },               /* lea of a register  */
	{ 0, EXCP_UD, 2, { 0xc5, 0xc0 } },               /* lds of a register  */
	{ 0, EXCP_UD, 2, { 0x0f, 0x0b } },               /* ud2, by its row    */
	{ 0, -1, 15, { 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
		       0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x90 } },
	{ 0, EXCP_GP, 16, { 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
			    0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x90 } },
	{ 0, EXCP_GP, 16, { 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e,
			    0x2e, 0x2e, 0x2e, 0xc7, 0x05, 1, 2, 3 } },
};

START_TEST(illegal_uses)
{
	struct dis d = {
		.t = &translation, .peek = true, .host = { page }, .cs_limit = ~0u,
		.flags = HF_PE | HF_CS32 | HF_SS32 | legality[_i].flags,
	};

	memset(page, 0, 32);
	memcpy(page, legality[_i].bytes, 16);
	ck_assert(decode(&d, 0));
	ck_assert_int_eq(d.row->gen == optab_0f[0x0b].gen ? EXCP_UD : d.exc, legality[_i].exc);
	if (d.exc < 0)
		ck_assert_uint_eq(d.next, legality[_i].n);
}
END_TEST

/* Bytes beyond CS.limit, or on a page that cannot be had, are not decoded. */
START_TEST(fetch_ends)
{
	struct dis d = {
		.t = &translation, .peek = true, .host = { page }, .cs_limit = 0x102,
		.flags = HF_PE | HF_CS32,
	};

	page[0x100] = 0xb8;                              /* mov eax, imm32     */
	ck_assert(!decode(&d, 0x100));
	ck_assert_int_eq(d.fault, FETCH_LIMIT);
	d.cs_limit = 0x104;
	ck_assert(decode(&d, 0x100));
	d.cs_limit = ~0u;
	page[0xffd] = 0xb8;
	ck_assert(!decode(&d, 0xffd));
	ck_assert_int_eq(d.fault, FETCH_STOP);
}
END_TEST

static void setup(void)
{
	cs_open(CS_ARCH_X86, CS_MODE_16, &handle[0]);
	cs_open(CS_ARCH_X86, CS_MODE_32, &handle[1]);
	in = cs_malloc(handle[1]);
}

/* -- what a CPU model has not ---------------------------------------------- */

static const struct { u8 code[4]; int bit; } optional[] = {
	{ { 0x0f, 0x31 }, 4 }, { { 0x0f, 0x30 }, 5 }, { { 0x0f, 0x32 }, 5 },
	{ { 0x0f, 0xc7, 0x08 }, 8 }, { { 0x0f, 0x34 }, 11 }, { { 0x0f, 0x35 }, 11 },
	{ { 0x0f, 0x44, 0xc1 }, 15 }, { { 0xda, 0xc9 }, 15 }, { { 0xdb, 0xf1 }, 15 },
	{ { 0x0f, 0xae, 0x00 }, 24 }, { { 0x0f, 0xae, 0x08 }, 24 },
	{ { 0x0f, 0xfc, 0xc1 }, 23 }, { { 0x0f, 0x58, 0xc1 }, 25 }, { { 0x66, 0x0f, 0x58, 0xc1 }, 26 },
	{ { 0xf2, 0x0f, 0x7c, 0xc1 }, 32 }, { { 0x66, 0x0f, 0xdb, 0xc1 }, 26 },
	{ { 0x0f, 0xae, 0xf8 }, 25 }, { { 0x0f, 0xae, 0x20 }, 58 }, { { 0x0f, 0xae, 0x28 }, 58 },
	{ { 0x0f, 0x01, 0xd0 }, 58 }, { { 0x0f, 0xae, 0x30 }, 192 }, { { 0x0f, 0x01, 0xca }, 84 },
};

START_TEST(absent_features)
{
	struct dis d;

	memcpy(page, optional[_i].code, 4);
	ck_assert(decode_at(&d, true));
	ck_assert_int_eq(d.exc, -1);
	d.absent[optional[_i].bit / 32] = 1u << optional[_i].bit % 32;
	ck_assert(decode(&d, 0));
	ck_assert_int_eq(d.exc, EXCP_UD);
	for (int i = 0; i < FEATURE_WORDS; i++)
		d.absent[i] = ~d.absent[i];
	ck_assert(decode(&d, 0));
	ck_assert_int_eq(d.exc, -1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("i386/optab");
	TCase *t = tcase_create("capstone");

	setup();
	tcase_set_timeout(t, 240);
	tcase_add_loop_test(t, every_row, 0, ARRAY_SIZE(maps));
	tcase_add_test(t, every_vex_row);
	tcase_add_test(t, random_bytes);
	tcase_add_loop_test(t, illegal_uses, 0, ARRAY_SIZE(legality));
	tcase_add_test(t, fetch_ends);
	tcase_add_loop_test(t, absent_features, 0, ARRAY_SIZE(optional));
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
