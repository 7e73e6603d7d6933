/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes blobs of cases on stdout:
 *	gen directed SEED	each form of forms.c alone, in all its shapes
 *	gen directed16 SEED	the same in the 16-bit code segment
 *	gen sse[16] SEED	the same for the MMX and SSE forms
 *	gen values SEED		each row of the decode tables with every immediate
 *				byte, or hundreds to thousands of operands
 *	gen random SEED COUNT	programs of 8 to 30 steps from the rows of the
 *				decode tables (rows.h), until COUNT instructions
 *	gen rows		no blob: lists the rows that no directed blob has
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "gen.h"
#include "rows.h"

struct program prog;

static struct {
	u8 *bytes;
	u32 len, room;
} made;

u32 instructions, cases_made;
static int code16;
static int marking;			/* see rows_mark() */
static int fixed_byte = -1;		/* as immediate byte */

/* -- random numbers ------------------------------------------------------- */

u64 rnd_state;

u32 rnd(void)
{
	rnd_state = rnd_state * 6364136223846793005u + 1442695040888963407u;
	return rnd_state >> 33;
}

u32 below(u32 n)
{
	return rnd() % n;
}

int one_in(u32 n)
{
	return below(n) == 0;
}

static u32 rnd_imm(void)
{
	static const u32 edges[] = {
		0, 1, 2, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff,
		0x7fffffff, 0x80000000, 0xffffffff, 7, 8, 9, 15, 16, 17, 31,
		32, 33, 10,
	};

	return below(2) ? edges[below(sizeof(edges) / 4)] : rnd() << below(2);
}

/* A bit of mask, or -1 when it is empty. */
int pick_bit(u32 mask)
{
	u32 n = __builtin_popcount(mask);

	if (!n)
		return -1;
	for (n = below(n); n; n--)
		mask &= mask - 1;
	return __builtin_ctz(mask);
}

/* -- bytes ---------------------------------------------------------------- */

void put8(u32 v)
{
	prog.code[prog.len++] = v;
}

void put(u32 v, u32 bytes)
{
	for (; bytes; bytes--, v >>= 8)
		put8(v);
}

void put_jump(u32 size, int absolute)
{
	if (prog.njumps == JUMPS)
		abort();
	prog.jumps[prog.njumps++] = (struct jump){ prog.len, size, absolute };
	put(0, size);
}

/* Lets jump n land here. */
void land(u32 n)
{
	struct jump *j = &prog.jumps[n];
	u32 to = prog.len - (j->at + j->size), i;

	if (j->absolute)
		to = prog.base + prog.len;
	else if (j->size == 1 && to > 127)
		abort();
	for (i = 0; i < j->size; i++)
		prog.code[j->at + i] = to >> i * 8;
	*j = prog.jumps[--prog.njumps];
}

void land_all(void)
{
	while (prog.njumps)
		land(0);
}

/* Before many bytes: those that reach 127 bytes only. */
void land_short(void)
{
	u32 i;

	for (i = 0; i < prog.njumps; )
		if (prog.jumps[i].size == 1)
			land(i);
		else
			i++;
}

/* -- memory operands ------------------------------------------------------ */

void set_kind(int reg, u32 kind)
{
	prog.kinds = (prog.kinds & ~(15u << reg * 4)) | kind << reg * 4;
}

static u32 small_distance(void)
{
	return one_in(4) ? below(256) - 128 : (below(16) - 8) * 16;
}

u32 absolute(const struct shape *s)
{
	u32 ofs = below(SCRATCH_BYTES - 0x100);

	if (s->align || !one_in(4))
		ofs &= ~15u;
	return s->seg == FS_PREFIX ? ofs : SCRATCH + ofs;
}

static void put_distance(const struct shape *s, u32 bytes)
{
	u32 mask = s->align ? ~15u : ~0u;

	put(s->mod == 1 ? small_distance() & mask :
	    s->mod == 2 ? (below(512) - 256) & mask : absolute(s),
	    s->mod == 1 ? 1 : bytes);
}

static void put_modrm(const struct shape *s)
{
	put8(s->mod << 6 | s->reg << 3 | s->rm);
	if (s->mod == 3)
		return;
	if (s->addr16) {
		if (s->mod || s->rm == 6)
			put_distance(s, 2);
		return;
	}
	if (s->rm == 4)
		put8(s->scale << 6 | s->index << 3 | s->base);
	if (s->mod || s->rm == 5 || (s->rm == 4 && s->base == 5))
		put_distance(s, 4);
}

/* -- one instruction ------------------------------------------------------ */

/* Reads "xx" or "xx-yy". */
static void parse_range(const char *word, int base, u32 *low, u32 *high)
{
	char *end;

	*low = *high = strtoul(word, &end, base);
	if (*end == '-')
		*high = strtoul(end + 1, NULL, base);
}

void parse(const struct form *f, struct parsed *p)
{
	char text[40], *word, *save;
	int opcodes = 0;

	memset(p, 0, sizeof(*p));
	strcpy(text, f->enc);
	for (word = strtok_r(text, " ", &save); word;
	     word = strtok_r(NULL, " ", &save)) {
		if (!strcmp(word, "/r")) {
			p->modrm = 1;
		} else if (word[0] == '/') {
			p->modrm = 2;
			parse_range(word + 1, 10, &p->digit_low,
				    &p->digit_high);
		} else if (strspn(word, "0123456789abcdef-") == strlen(word)) {
			if (opcodes++)
				p->lead[p->nlead++] = p->op_low;
			parse_range(word, 16, &p->op_low, &p->op_high);
		} else {
			strcpy(p->operands[p->noperands++], word);
		}
	}
}

static void put_operand(const char *what, const struct shape *s)
{
	u32 size = s->op16 ? 2 : 4;

	if (what[0] == 'o')
		put(absolute(s), s->addr16 ? 2 : 4);
	else if (what[0] == 'j')
		put_jump(what[1] == '8' ? 1 : size, 0);
	else if (what[1] == 'b')
		put(fixed_byte < 0 ? rnd_imm() : (u32)fixed_byte, 1);
	else if (what[1] == 'w')
		put(one_in(8) ? rnd_imm() : below(64), 2);
	else if (what[1] == 'l')
		put(one_in(8) ? rnd_imm() : below(4), 1);
	else
		put(rnd_imm(), size);
}

static void put_prefixes(const struct shape *s)
{
	u8 all[5];
	u32 n = 0, i, first;

	if (s->seg)
		all[n++] = s->seg;
	if (s->op16 != code16)
		all[n++] = 0x66;
	if (s->addr16 != code16)
		all[n++] = 0x67;
	if (s->lock)
		all[n++] = 0xf0;
	if (s->rep)
		all[n++] = s->rep;
	first = n ? below(n) : 0;
	for (i = 0; i < n; i++)
		put8(all[(first + i) % n]);
}

void put_form(const struct parsed *p, const struct shape *s)
{
	u32 i, at = prog.len;

	put_prefixes(s);
	for (i = 0; i < p->nlead; i++)
		put8(p->lead[i] ^ (i == 2 ? s->vvvv << 3 : 0));
	put8(s->opcode);
	if (p->modrm)
		put_modrm(s);
	for (i = 0; i < p->noperands; i++)
		put_operand(p->operands[i], s);
	if (marking)
		rows_mark(prog.code + at, code16);
	instructions++;
}

/*
 * Zeroes the pointers that fnstenv or fnsave has left at [base + distance]: a
 * processor may lose them when the host switches tasks. By words, which are
 * aligned where the instruction's own operand was: with EFLAGS.AC a wider one
 * would fault and leave them there.
 */
void put_fenv(const struct parsed *p, struct shape *s)
{
	u32 at, i, first = s->op16 ? 6 : 12, last = s->op16 ? 12 : 26;
	struct shape mov = *s;

	s->mod = mov.mod = 2;
	s->addr16 = mov.addr16 = 0;
	mov.reg = 0;
	mov.op16 = 1;
	put_form(p, s);
	memcpy(&at, &prog.code[prog.len - 4], 4);
	for (i = first; i <= last; i += 2) {
		put_prefixes(&mov);
		put8(0xc7);
		put_modrm(&mov);
		prog.len -= 4;
		put(at + i, 4);
		put(0, 2);
	}
}

/* -- cases ---------------------------------------------------------------- */

static void out_append(const void *from, u32 bytes)
{
	if (made.len + bytes > made.room) {
		made.room = (made.len + bytes) * 2 + 0x10000;
		made.bytes = realloc(made.bytes, made.room);
		if (!made.bytes)
			abort();
	}
	memcpy(made.bytes + made.len, from, bytes);
	made.len += bytes;
}

void case_start(void)
{
	memset(&prog, 0, sizeof(prog));
	prog.base = BLOB + made.len + sizeof(struct test_case);
	prog.kinds = K_PTR << ESP * 4;
	prog.flags = code16 ? C_CODE16 : 0;
	prog.first_insn = instructions;
}

/* Jumps to case_done; that needs flat segments, which some cases lose. */
static void put_end(const char *name)
{
	if (code16 || !strcmp(name, "segment")) {
		put8(0xcc);
		return;
	}
	put8(0xe9);
	put(TEXT - (prog.base + prog.len + 4), 4);
}

void case_end(const char *name, u32 nstates)
{
	struct test_case c = { .nstates = nstates, .seed = rnd(),
			       .first_state = prog.first_state };

	put_end(name);
	c.bytes = sizeof(c) + prog.len;
	c.kinds = prog.kinds;
	c.flags = prog.flags;
	c.insns = instructions - prog.first_insn;
	strncpy(c.name, name, NAME_BYTES - 1);
	out_append(&c, sizeof(c));
	out_append(prog.code, prog.len);
	cases_made++;
}

/* -- directed: every form in every shape ---------------------------------- */

static void directed_case(const struct form *f, const struct parsed *p,
			  struct shape *s)
{
	case_start();
	prog.kinds |= (one_in(3) ? K_SMALL : K_VALUE) << ECX * 4;
	prog.kinds |= (one_in(3) ? K_SMALL : K_VALUE) << EDX * 4;
	if (f->flags & F_FPU)
		prog.flags |= C_FPU | C_UNMASKED;
	if (f->flags & F_SSE)
		prog.flags |= C_SSE | C_UNMASKED;
	if (f->flags & F_STRING) {
		prog.flags |= C_DF;
		set_kind(ECX, K_SMALL);
		set_kind(ESI, s->addr16 && s->seg ? K_OFS16 : K_PTR);
		set_kind(EDI, K_PTR);
	}
	if (p->modrm && s->mod != 3 && !s->addr16) {
		u32 base = s->seg == FS_PREFIX && !one_in(4) ? K_OFS : K_PTR;

		if (s->rm != 4) {
			set_kind(s->rm, base);
		} else {
			set_kind(s->index, K_SMALL);
			set_kind(s->base, base);
		}
		set_kind(ESP, K_PTR);
	} else if (p->modrm && s->mod != 3) {
		prog.kinds = 0x44404000 | (prog.kinds & 0xfff);
		set_kind(ESP, K_PTR);
	} else if (p->op_low == 0xd7) {
		set_kind(EBX, K_PTR);
	} else if (p->op_low == 0xc8 || p->op_low == 0xc9) {
		set_kind(EBP, K_PTR);
	}
	if (f->flags & F_FENV)
		put_fenv(p, s);
	else
		put_form(p, s);
	if (prog.njumps) {
		put8(0x40 + EDX);	/* skipped, or not */
		land_all();
	}
	case_end(f->chapter, f->flags & F_SSE ? 6 : f->flags & F_FPU ? 16 : 8);
}

static u32 rnd_segment(void)
{
	static const u8 all[] = { 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65 };

	return one_in(3) ? all[below(6)] : 0;
}

/* The ModRM shapes of one opcode and digit (or all registers, digit < 0). */
static void directed_modrm(const struct form *f, const struct parsed *p,
			   struct shape s, int digit)
{
	u32 mod, rm, i, n;

	for (mod = f->flags & F_REG ? 3 : 0; mod < 4; mod++) {
		if (mod == 3 && (f->flags & F_MEM))
			break;
		for (rm = 0; rm < 8; rm++) {
			n = mod == 3 && digit < 0 ? 3 : mod != 3 && rm == 4 ? 4 : 1;
			for (i = 0; i < n; i++) {
				s.mod = mod;
				s.rm = rm;
				s.reg = digit < 0 ? below(8) : (u32)digit;
				s.base = below(8);
				s.index = below(8);
				s.scale = below(4);
				s.seg = mod == 3 ? 0 : rnd_segment();
				if (s.addr16 && one_in(2))
					s.seg = FS_PREFIX;
				directed_case(f, p, &s);
			}
		}
	}
}

static void directed_shapes(const struct form *f, const struct parsed *p,
			    struct shape s)
{
	u32 digit;

	if (!p->modrm) {
		s.seg = s.addr16 ? FS_PREFIX : rnd_segment();
		directed_case(f, p, &s);
	} else if (p->modrm == 1) {
		directed_modrm(f, p, s, -1);
	} else {
		for (digit = p->digit_low; digit <= p->digit_high; digit++)
			directed_modrm(f, p, s, digit);
	}
}

static void directed_opcode(const struct form *f, const struct parsed *p,
			    u32 opcode)
{
	static const u8 reps[] = { 0, 0xf3, 0xf2 };
	struct shape s = { .opcode = opcode };
	u32 i, bits;

	for (bits = 0; bits < 4; bits++) {
		s.op16 = bits & 1;
		s.addr16 = bits >> 1;
		if ((f->flags & F_PLAIN) && s.op16 != code16)
			continue;
		if ((f->flags & F_SSE) && s.addr16 && !one_in(6))
			continue;
		for (i = 0; i < (f->flags & F_STRING ? 3 : 1); i++) {
			s.rep = reps[i];
			directed_shapes(f, p, s);
		}
	}
	if ((f->flags & F_PLAIN) && !(f->flags & F_LOCK))
		return;
	s = (struct shape){ .opcode = opcode, .lock = 1, .op16 = code16 };
	directed_shapes(f, p, s);
}

/* The forms whose chapters begin with sse, or all others. */
static void directed(int sse)
{
	struct parsed p;
	u32 i, opcode;

	for (i = 0; i < forms_count; i++) {
		if ((strncmp(forms[i].chapter, "sse", 3) == 0) != sse)
			continue;
		parse(&forms[i], &p);
		for (opcode = p.op_low; opcode <= p.op_high; opcode++)
			directed_opcode(&forms[i], &p, opcode);
	}
}

/* -- values: every row of the tables with many operands ------------------- */

#define STATES	512		/* of one case: so that it can be shown */

static void values_case(const struct row_form *r, const struct parsed *p, u32 op16,
			u32 first, u32 n)
{
	struct shape s = { .opcode = p->op_low, .op16 = op16, .rm = 1, .mod = 3 };
	u32 f = r->form.flags;

	if (p->modrm == 2)
		s.reg = p->digit_low;
	if (f & F_MEM) {
		s.mod = 0;
		s.rm = ESI;
	}
	case_start();
	prog.first_state = first;
	prog.flags = C_FPU | C_SSE;
	prog.flags |= (f & F_SIMD_FP) || !strcmp(r->form.chapter, "x87") ? C_PAIRS : C_COUNT;
	set_kind(EBX, K_PTR);
	set_kind(EDI, K_PTR);
	put_form(p, &s);
	case_end(r->form.chapter, n);
}

/* How many states make the grid of C_PAIRS, or all counts in both halves. */
static u32 values_states(const struct row_form *r)
{
	if (r->form.flags & F_SIMD_FP)
		return 8192;
	if (strcmp(r->form.chapter, "x87"))
		return STATES;
	return r->form.flags & F_MEM ? 3072 : 12288;
}

static void values_row(const struct row_form *r, u32 op16)
{
	u32 first, n = values_states(r);
	struct parsed p;

	parse(&r->form, &p);
	if (p.noperands == 1 && !strcmp(p.operands[0], "ib")) {
		for (fixed_byte = 0; fixed_byte < 256; fixed_byte++)
			values_case(r, &p, op16, fixed_byte * 8, 8);
		fixed_byte = -1;
		return;
	}
	for (first = 0; first < n; first += STATES)
		values_case(r, &p, op16, first, STATES);
}

static void values(void)
{
	u32 i, skip = F_FLOW | F_STACK | F_STRING | F_FENV;

	rows_make();
	for (i = 0; i < row_forms_count; i++) {
		if (!row_forms[i].drawn || (row_forms[i].form.flags & skip))
			continue;
		values_row(&row_forms[i], 0);
		if (!strcmp(row_forms[i].form.chapter, "integer"))
			values_row(&row_forms[i], 1);
	}
}

/* Makes all directed blobs to see which rows they have. */
static int rows_check(void)
{
	u32 i, missed;

	rows_make();
	marking = 1;
	for (i = 0; i < 4; i++) {
		code16 = i & 1;
		directed(i >> 1);
	}
	missed = rows_missed();
	printf("%u of %u rows missed\n", missed, row_forms_count);
	return missed != 0;
}

int main(int argc, char **argv)
{
	struct blob head = { .magic = BLOB_MAGIC };

	out_append(&head, sizeof(head));
	if (argc == 3 && !strncmp(argv[1], "directed", 8)) {
		code16 = argv[1][8] != 0;
		rnd_state = strtoul(argv[2], NULL, 0);
		directed(0);
	} else if (argc == 3 && !strncmp(argv[1], "sse", 3)) {
		code16 = argv[1][3] != 0;
		rnd_state = strtoul(argv[2], NULL, 0);
		directed(1);
	} else if (argc == 3 && !strcmp(argv[1], "values")) {
		rnd_state = strtoul(argv[2], NULL, 0);
		values();
	} else if (argc == 4 && !strcmp(argv[1], "random")) {
		random_programs(strtoul(argv[2], NULL, 0),
				strtoul(argv[3], NULL, 0));
	} else if (argc == 2 && !strcmp(argv[1], "rows")) {
		return rows_check();
	} else {
		fprintf(stderr, "usage: gen directed[16] SEED | sse[16] SEED | values SEED | random SEED COUNT | rows\n");
		return 1;
	}
	head.end = cases_made;
	head.bytes = made.len;
	memcpy(made.bytes, &head, sizeof(head));
	if (fwrite(made.bytes, 1, made.len, stdout) != made.len || fflush(stdout)) {
		perror("gen");
		return 1;
	}
	fprintf(stderr, "%u cases, %u instructions\n", cases_made, instructions);
	return 0;
}
