/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rows.h"

#include <stdio.h>
#include <string.h>

#include "i386/dis.h"

#define MAX_ROWS	2000
#define RING3		(HF_PE | HF_SS32 | HF_OSFXSR | 3)

struct row_form row_forms[MAX_ROWS];
unsigned row_forms_count;

/* What goes with row_forms[i]. */
static struct {
	const struct insn *row;
	u8 op, mem;
	u8 sizes, seen;		/* operand sizes it has, was marked with: 1 32, 2 16 bits */
} known[MAX_ROWS];

/* -- what is not compared, and why ---------------------------------------- */

enum { RANDOM = 1, DIRECTED = 2, BOTH = 3 };
static const char nature[] = "answers differ by nature";
static const char umip[] = "Linux emulates it for processes";
static const char xsave[] = "the host's process has more state than x87 and SSE";
static const char own[] = "random programs have a step of their own, special.S cases";
static const char wild[] = "mostly faults";
/* op: the last opcode byte; 0: any. */
static const struct { const char *name; u8 op, from; const char *why; } left_out[] = {
	{ "cpuid", 0, BOTH, nature }, { "rdtsc", 0, BOTH, nature },
	{ "rdtscp", 0, BOTH, nature }, { "rdrand", 0, BOTH, nature },
	{ "rdseed", 0, BOTH, nature },
	{ "sgdt", 0, BOTH, umip }, { "sidt", 0, BOTH, umip }, { "sldt", 0, BOTH, umip },
	{ "str", 0, BOTH, umip }, { "smsw", 0, BOTH, umip },
	{ "sysenter", 0, BOTH, "enters the host's kernel" },
	{ "xgetbv", 0, BOTH, xsave }, { "xsetbv", 0, BOTH, xsave },
	{ "xsave", 0, BOTH, xsave }, { "xsaveopt", 0, BOTH, xsave },
	{ "xrstor", 0, BOTH, xsave },
	{ "monitor", 0, RANDOM, wild }, { "mwait", 0, RANDOM, wild },
	{ "clac", 0, RANDOM, wild }, { "stac", 0, RANDOM, wild },
	{ "int1", 0, BOTH, "under KVM on AMD its trap shows a wrong EIP" },
	{ "int", 0, BOTH, "special.S; 80h enters the host's kernel" },
	{ "int3", 0, BOTH, "ends each case" }, { "into", 0, RANDOM, wild },
	{ "iret", 0, BOTH, "special.S" }, { "ret", 0, BOTH, own }, { "retf", 0, BOTH, own },
	{ "call", 0xff, BOTH, own }, { "jmp", 0xff, BOTH, own }, { "call", 0xe8, RANDOM, own },
	{ "lcall", 0, BOTH, "special.S" }, { "ljmp", 0, BOTH, "special.S" },
	{ "popf", 0, BOTH, own },
	{ "fxsave", 0, BOTH, "special.S" }, { "fxrstor", 0, BOTH, "special.S" },
	{ "ldmxcsr", 0, BOTH, "special.S: AMD has a bit in MXCSR that others have not" },
	{ "fldcw", 0, RANDOM, wild }, { "fldenv", 0, RANDOM, wild },
	{ "frstor", 0, RANDOM, wild }, { "bound", 0, RANDOM, wild },
	{ "rdpmc", 0, RANDOM, wild }, { "in", 0, RANDOM, wild }, { "out", 0, RANDOM, wild },
	{ "ins", 0, RANDOM, wild }, { "outs", 0, RANDOM, wild },
	{ "mov", 0x8e, RANDOM, own }, { "pop", 0x07, RANDOM, own },
	{ "pop", 0x17, RANDOM, own }, { "pop", 0x1f, RANDOM, own },
	{ "pop", 0xa1, RANDOM, own }, { "pop", 0xa9, RANDOM, own },
	{ "lds", 0, RANDOM, own }, { "les", 0, RANDOM, own }, { "lss", 0, RANDOM, own },
	{ "lfs", 0, RANDOM, own }, { "lgs", 0, RANDOM, own },
};

static bool is_left_out(const char *name, u8 op, int from)
{
	for (size_t i = 0; i < ARRAY_SIZE(left_out); i++)
		if (!strcmp(name, left_out[i].name) && (!left_out[i].op || left_out[i].op == op))
			return left_out[i].from & from;
	return false;
}

/* -- one instruction ------------------------------------------------------ */

static struct translation translation;
static u8 page[PAGE_SIZE];

/* Decodes what is in page; false: it is none for ring 3. */
static bool look(struct dis *d, bool code16)
{
	*d = (struct dis){
		.t = &translation, .peek = true, .host = { page }, .cs_limit = ~0u,
		.flags = RING3 | (code16 ? 0 : HF_CS32),
	};
	return decode(d, 0) && d->row->gen && d->exc < 0 &&
		d->row->gen != optab_0f[0x0b].gen;
}

/* -- flags ----------------------------------------------------------------- */

/* Registers written beside the operands, by the generator of a row. */
static unsigned implicit(const struct insn *row)
{
	static const struct { const struct insn *like; unsigned regs; } some[] = {
		{ &optab[0x27], F_A }, { &optab[0xd4], F_A }, { &optab[0x9f], F_A },
		{ &optab[0xd6], F_A }, { &optab[0x98], F_A }, { &optab[0x99], F_D },
		{ &optab[0xd7], F_A }, { &optab_0f[0xb0], F_A }, { &optab[0xe2], F_C },
		{ &optab[0xa4], F_SI | F_DI }, { &optab[0xa6], F_SI | F_DI },
		{ &optab[0xaa], F_DI }, { &optab[0xae], F_DI },
		{ &optab[0xac], F_SI | F_A }, { &optab[0xc8], F_BP | F_SP },
		{ &optab[0xc9], F_BP }, { &optab[0x61], F_ALL & ~F_SP },
		{ &optab[0x58], F_OPREG },
	};

	for (size_t i = 0; i < ARRAY_SIZE(some); i++)
		if (row->gen == some[i].like->gen)
			return some[i].regs;
	if (row->gen == optab[0xf6].group[4].gen || row->flags >> FEATURE == CX8 >> FEATURE)
		return F_A | F_D;
	return row->x & X_ECX && row->flags & SSEROW ? F_C : 0;
}

static bool is_stack(const struct insn *row)
{
	const struct insn *const like[] = {
		&optab[0x06], &optab[0x07], &optab[0x50], &optab[0x58], &optab[0x60],
		&optab[0x61], &optab[0x68], &optab[0x9c], &optab[0xc8], &optab[0xc9],
		&optab[0x8f].group[0], &optab[0xff].group[6],
	};

	for (size_t i = 0; i < ARRAY_SIZE(like); i++)
		if (row->gen == like[i]->gen)
			return true;
	return false;
}

static bool is_string(const struct insn *row)
{
	return row->arg[0] >= Xb && row->arg[0] <= Yv;
}

static unsigned form_flags(const struct dis *d)
{
	const struct insn *row = d->row;
	unsigned f = implicit(row), sse = SSEROW | MMXROW;

	if (d->has_modrm)
		f |= d->mod == 3 ? F_REG : F_MEM;
	if (d->arg[0].kind != OPND_REG && d->arg[1].kind != OPND_REG)
		f |= F_KEEP;
	if (row->flags & LOCKABLE && d->arg[0].kind == OPND_MEM)
		f |= F_LOCK;
	if (row->flags & sse)
		f |= F_SSE | F_FPU | F_PLAIN;
	if (row->flags & FPUROW)
		f |= F_FPU;
	if (row->flags & SSEROW && row->x & X_FP)
		f |= F_SIMD_FP;
	if (d->vex)
		f |= F_PLAIN | F_ALL;
	if (row->flags & (JCC | JMP))
		f |= F_FLOW;
	if (row->arg[0] == Zb || row->arg[0] == Zv || row->arg[1] == Zv)
		f |= F_OPREG;
	if (is_stack(row))
		f |= F_STACK;
	if (is_string(row))
		f |= F_STRING;
	if (!strcmp(row->name, "fnstenv") || !strcmp(row->name, "fnsave"))
		f |= F_FENV;
	if (!strcmp(row->name, "verw"))
		f |= F_PLAIN;	/* AMD locks it */
	return f;
}

/* -- encodings --------------------------------------------------------------- */

/* What follows ModRM, n bytes, in the notation of forms.h. */
static const char *tail_text(const struct dis *d, u32 n)
{
	bool enter = d->row->gen == optab[0xc8].gen;

	if (d->row->flags & (JCC | JMP))
		return n == 1 ? " j8" : " jv";
	if (!d->has_modrm && (d->arg[0].kind == OPND_MEM || d->arg[1].kind == OPND_MEM))
		return " o";
	return n == 0 ? "" : n == 1 ? " ib" : n == 2 ? " iw" : enter ? " iw il" : " iv";
}

/* The form of d, whose opcode has n bytes, ModRM not counted. regs, rms: which
 * values of its fields lead to this row. */
static void put_form(struct row_form *r, const struct dis *d, u32 n, u32 regs, u32 rms)
{
	const char *tail = tail_text(d, d->next - n - d->has_modrm);
	char *to = r->enc;

	if (d->has_modrm && d->mod == 3 && rms != 0xff)
		n++;
	for (u32 i = 0; i < n; i++)
		to += sprintf(to, "%s%02x", i ? " " : "", page[i]);
	if (d->has_modrm && !(d->mod == 3 && rms != 0xff)) {
		u32 low = (u32)__builtin_ctz(regs), high = 31 - (u32)__builtin_clz(regs);

		if (regs == 0xff)
			to += sprintf(to, " /r");
		else
			to += sprintf(to, " /%u-%u", low, high);
	}
	sprintf(to, "%s", tail);
	r->form.enc = r->enc;
}

/* -- all opcodes -------------------------------------------------------------- */

/* An opcode: prefix, map, last byte. */
struct opcode { u8 prefix, map, op, vex; };		/* vex: vvvv, or 0 */
enum { ONE_BYTE = 3 };		/* a map beside VEC_0F ... VEC_0F3A */

/* The field vvvv of a VEX prefix: one register, or that of rows that use none. */
enum { VEX_REG = 0x48, VEX_NONE = 0x78 };

/* Puts it into page, followed by what decodes as small operands. */
static u32 put_opcode(const struct opcode *o)
{
	static const u8 prefix[] = { 0, 0x66, 0xf3, 0xf2 };
	u32 n = 0;

	memset(page, 0, 32);
	if (o->vex) {
		page[n++] = 0xc4;
		page[n++] = (u8)(0xe1 + o->map);
		page[n++] = o->vex | o->prefix;
	} else {
		if (o->prefix)
			page[n++] = prefix[o->prefix];
		if (o->map != ONE_BYTE)
			page[n++] = 0x0f;
		if (o->map == VEC_0F38 || o->map == VEC_0F3A)
			page[n++] = o->map == VEC_0F38 ? 0x38 : 0x3a;
	}
	page[n++] = o->op;
	return n;
}

static int find(const struct dis *d)
{
	for (unsigned i = 0; i < row_forms_count; i++)
		if (known[i].row == d->row && known[i].op == d->op &&
		    known[i].mem == (d->has_modrm && d->mod != 3))
			return (int)i;
	return -1;
}

static const char *chapter(const struct dis *d)
{
	return d->vex ? "vex" : d->row->flags & (SSEROW | MMXROW) ? "sse" :
		d->row->flags & FPUROW ? "x87" : "integer";
}

/* The values of ModRM's reg and rm fields, each a bit, that lead to d's row. */
static void fields(const struct dis *d, u32 n, u32 *regs, u32 *rms)
{
	struct dis e;

	*regs = *rms = 0;
	for (u32 i = 0; i < 64; i++) {
		page[n] = (u8)(d->modrm & 0xc0) | (u8)i;
		if (look(&e, false) && e.row == d->row) {
			*regs |= 1u << (i >> 3);
			*rms |= 1u << (i & 7);
		}
	}
	page[n] = d->modrm;
}

/* A row met for the first time. */
static void add(const struct dis *d, u32 n)
{
	struct row_form *r = &row_forms[row_forms_count];
	u32 regs = 0, rms = 0;

	if (d->has_modrm)
		fields(d, n, &regs, &rms);
	put_form(r, d, n, regs, rms);
	r->form.chapter = chapter(d);
	r->form.flags = form_flags(d);
	r->name = d->row->name;
	r->drawn = !is_left_out(d->row->name, d->op, RANDOM);
	known[row_forms_count].row = d->row;
	known[row_forms_count].op = d->op;
	known[row_forms_count].mem = d->has_modrm && d->mod != 3;
	row_forms_count++;
}

static u8 size_bit(const struct dis *d)
{
	return d->osz == IRS_32 ? 1 : 2;
}

/* All ModRM bytes behind an opcode, or none. */
static void walk(const struct opcode *o)
{
	u32 n = put_opcode(o);
	struct dis d;
	int i;

	if (o->map == VEC_0F && (o->op == 0x38 || o->op == 0x3a))
		return;		/* the other maps */
	for (int modrm = 0; modrm < 256; modrm += modrm == 0x3f ? 0x81 : 1) {
		page[n] = (u8)modrm;
		if (!look(&d, false) || d.op != o->op)
			continue;
		i = find(&d);
		if (i < 0) {
			add(&d, n);
			i = (int)row_forms_count - 1;
		}
		known[i].sizes |= size_bit(&d);
		if (!d.has_modrm)
			break;
	}
}

void rows_make(void)
{
	struct opcode o = { 0 };

	row_forms_count = 0;
	for (o.prefix = VEC_NP; o.prefix <= VEC_F2; o.prefix++)
		for (o.map = VEC_0F; o.map <= ONE_BYTE; o.map++)
			for (u32 op = 0; op < 256; op++) {
				o.op = (u8)op;
				walk(&o);
			}
	for (unsigned i = 0; i < optab_vex_count; i++) {
		o.prefix = optab_vex[i].prefix;
		o.map = optab_vex[i].map;
		o.op = optab_vex[i].op;
		o.vex = VEX_REG;
		walk(&o);
		o.vex = VEX_NONE;
		walk(&o);
	}
}

/* -- are all of them executed? ------------------------------------------------- */

void rows_mark(const unsigned char *code, int code16)
{
	struct dis d;
	int i;

	memcpy(page, code, 16);
	if (!look(&d, code16))
		return;
	i = find(&d);
	if (i >= 0)
		known[i].seen |= size_bit(&d);
}

static unsigned missed(unsigned i, u8 size)
{
	if (!(known[i].sizes & size) || known[i].seen & size)
		return 0;
	printf("no directed case: %s (%s), %s, %d bit\n", row_forms[i].name, row_forms[i].enc,
	       known[i].mem ? "memory" : "registers", size == 1 ? 32 : 16);
	return 1;
}

unsigned rows_missed(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < row_forms_count; i++) {
		if (!is_left_out(row_forms[i].name, known[i].op, DIRECTED))
			n += missed(i, 1) + missed(i, 2);
	}
	for (unsigned i = 0, k; i < ARRAY_SIZE(left_out); i++) {
		for (k = 0; k < row_forms_count; k++)
			if (!strcmp(row_forms[k].name, left_out[i].name))
				break;
		if (k == row_forms_count)
			n += printf("left out, but no row: %s\n", left_out[i].name) > 0;
	}
	return n;
}
