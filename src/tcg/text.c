/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/tcg/text.c - the IR as text and back; notes/ir.md is its grammar.
 *
 * A line is OP.SIZE OPERANDS ATTRIBUTES. Which fields are operands, and in
 * what order, is a string of letters per kind (or per op where a kind has
 * several shapes); printer and parser both walk it. Every other field that is
 * not as ir_add leaves it is an attribute, so that nothing is lost. */
#include "tcg/ir.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* d a b c: values, or [ea], or (b) an immediate; m: [ea]; i, j: imm, imm2;
 * x: aux as a number; h: aux as a helper's name. */
static const char *const kind_slots[] = {
	[IRK_MARK] = "ix", [IRK_ALU0] = "d", [IRK_ALU1] = "db",
	[IRK_ALU2] = "dab", [IRK_ALU3] = "dacb", [IRK_CMP] = "ab",
	[IRK_CONV] = "db", [IRK_FIX] = "b", [IRK_LEA] = "dm",
	[IRK_XCHG] = "db", [IRK_ENV] = "di", [IRK_FLAG] = "d",
	[IRK_GUARD] = "aijx", [IRK_FPU] = "i", [IRK_VEC] = "ijx", [IRK_CALL] = "dhabc",
	[IRK_EXIT] = "i",
};
static const char *const op_slots[IR_NOPS] = {
	[IR_IMUL3] = "dbi", [IR_CMPXCHG8] = "d", [IR_STE] = "ib",
	[IR_CF] = "i", [IR_SAHF] = "b", [IR_FPUM] = "mix",
	[IR_EXITZ] = "ai", [IR_EXITNZ] = "ai", [IR_EXITIND] = "a",
	[IR_EXITMAIN] = "", [IR_EXITLOOK] = "",
};
static const char size_names[][4] = { "8", "16", "32", "64", "128" };
static const char cc_names[][4] = {
	"o", "no", "b", "ae", "e", "ne", "be", "a",
	"s", "ns", "p", "np", "l", "ge", "le", "g",
};
static const char flag_letters[] = "cpazso";
static const char *const xflag_names[] = {
	"lock", "back", "cross", "call", "ret", "user", "reads",
};

static const char *slots(int op)
{
	return op_slots[op] ? op_slots[op] : kind_slots[ir_desc[op].kind];
}

static bool takes_cc(int op)
{
	return op == IR_SETCC || op == IR_MOVCC || op == IR_EXITCC;
}

static bool has_ea(const struct ir_insn *i)
{
	return i->ea.base != IR_NONE || i->ea.index != IR_NONE ||
	       i->ea.disp || i->ea.scale;
}

/* The mem value that [ea] in a slot stands for. */
static int slot_mem(char slot)
{
	return slot == 'b' ? IRM_SRC : slot == 'a' ? IRM_LHS :
	       slot == 'd' ? IRM_DST : IRM_NONE;
}

/* Is a's place taken by [ea] in d's? */
static bool skip_slot(char slot, int mem)
{
	return slot == 'a' && mem == IRM_DST;
}

/* -- printing ------------------------------------------------------------- */
struct out { char *buf; size_t size, len; };

__attribute__((format(printf, 2, 3)))
static void put(struct out *o, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	size_t room = o->len < o->size ? o->size - o->len : 0;
	int n = vsnprintf(room ? o->buf + o->len : NULL, room, fmt, ap);

	va_end(ap);
	o->len += n > 0 ? (size_t)n : 0;
}

static void put_num(struct out *o, s64 v)
{
	u64 u = v < 0 ? -(u64)v : (u64)v;

	put(o, u < 10 ? "%s%llu" : "%s0x%llx", v < 0 ? "-" : "",
	    (unsigned long long)u);
}

static void put_val(struct out *o, const struct ir_target *t, ir_val v)
{
	if (v == IR_NONE)
		put(o, "-");
	else if (v == IR_IMM)
		put(o, "imm");
	else if (v >= IR_FIRST_TEMP)
		put(o, "t%d", v - IR_FIRST_TEMP);
	else if (v < t->n_globals)
		put(o, "%s", t->global[v].name);
	else
		put(o, "g%d", v);
}

static void put_ea(struct out *o, const struct ir_target *t,
		   const struct ir_ea *ea)
{
	bool any = false;

	put(o, "[");
	if (ea->base != IR_NONE) {
		put_val(o, t, ea->base);
		any = true;
	}
	if (ea->index != IR_NONE) {
		put(o, any ? "+" : "");
		put_val(o, t, ea->index);
		put(o, "<<%d", ea->scale);
		any = true;
	}
	if (ea->disp || !any) {
		put(o, any && ea->disp >= 0 ? "+" : "");
		put_num(o, ea->disp);
	}
	put(o, "]");
}

/* A value's field, in an operand's place or as an attribute. */
static ir_val *val_field(struct ir_insn *i, char slot)
{
	switch (slot) {
	case 'd': return &i->d;
	case 'a': return &i->a;
	case 'b': return &i->b;
	case 'c': return &i->c;
	}
	return NULL;
}

static s64 *imm_field(struct ir_insn *i, char slot)
{
	bool second = slot == 'j' || (slot == 'b' && i->op == IR_STE);

	return second ? &i->imm2 : &i->imm;
}

static void put_part(struct out *o, const struct ir_insn *i, char slot)
{
	int part = slot == 'd' ? IRP_D : slot == 'a' ? IRP_A :
		   slot == 'b' ? IRP_B : 0;

	if (i->part & part)
		put(o, ".h");
}

/* One operand; clears from `rest` the fields it has shown. */
static void put_slot(struct out *o, const struct ir_target *t,
		     const struct ir_insn *i, char slot, struct ir_insn *rest)
{
	if (slot == 'm' || (i->mem && i->mem == slot_mem(slot))) {
		put_ea(o, t, &i->ea);
		put_part(o, i, slot);
		rest->ea = (struct ir_ea){ .base = IR_NONE, .index = IR_NONE };
		if (slot != 'm')
			rest->mem = IRM_NONE;
	} else if (slot == 'x') {
		put(o, "%u", i->aux);
		rest->aux = 0;
	} else if (slot == 'h') {
		if (i->aux < (u32)t->n_helpers)
			put(o, "%s", t->helper[i->aux].name);
		else
			put(o, "%u", i->aux);
		rest->aux = 0;
	} else if (slot == 'i' || slot == 'j' ||
		   (slot == 'b' && i->b == IR_IMM)) {
		put_num(o, *imm_field((struct ir_insn *)i, slot));
		*imm_field(rest, slot) = 0;
	} else {
		put_val(o, t, *val_field((struct ir_insn *)i, slot));
		put_part(o, i, slot);
	}
	if (val_field(rest, slot) && !(i->mem && i->mem == slot_mem(slot)))
		*val_field(rest, slot) = IR_NONE;
}

/* How many operands to print: trailing absent ones are left out. */
static int n_slots(const struct ir_insn *i, const char *s)
{
	int n = (int)strlen(s);

	while (n > 2 && i->op == IR_CALL &&
	       *val_field((struct ir_insn *)i, s[n - 1]) == IR_NONE)
		n--;
	return n;
}

static void put_op(struct out *o, const struct ir_insn *i)
{
	int kind = ir_desc[i->op].kind;
	bool unsized = kind == IRK_MARK || kind == IRK_FLAG ||
		kind == IRK_GUARD || kind == IRK_FPU || kind == IRK_VEC ||
		kind == IRK_CALL ||
		(kind == IRK_EXIT && i->op != IR_EXITZ && i->op != IR_EXITNZ);

	for (const char *s = ir_desc[i->op].name; *s; s++)
		put(o, "%c", *s | 0x20);
	if (i->size || !unsized)
		put(o, ".%s", size_names[i->size]);
	if (kind == IRK_CONV)
		put(o, ">%s", size_names[i->dsize]);
	if (takes_cc(i->op))
		put(o, ".%s", cc_names[i->cc]);
}

static void put_flags(struct out *o, const char *key, int flags)
{
	if (!flags)
		return;
	put(o, " %s=", key);
	for (int k = 0; k < 6; k++)
		if (flags >> k & 1)
			put(o, "%c", flag_letters[k]);
}

static void put_rest(struct out *o, const struct ir_target *t,
		     const struct ir_insn *r)
{
	for (const char *s = "dabc"; *s; s++) {
		ir_val v = *val_field((struct ir_insn *)r, *s);

		if (v != IR_NONE) {
			put(o, " %c=", *s);
			put_val(o, t, v);
		}
	}
	if (has_ea(r)) {
		put(o, " ea=");
		put_ea(o, t, &r->ea);
	}
	if (r->mem)
		put(o, " mem=%d", r->mem);
	if (r->imm) {
		put(o, " imm=");
		put_num(o, r->imm);
	}
	if (r->imm2) {
		put(o, " imm2=");
		put_num(o, r->imm2);
	}
	if (r->aux)
		put(o, " aux=%u", r->aux);
	if (r->dsize && ir_desc[r->op].kind != IRK_CONV)
		put(o, " dsize=%d", r->dsize);
	if (r->cc && !takes_cc(r->op))
		put(o, " cc=%d", r->cc);
	for (int k = 0; k < (int)ARRAY_SIZE(xflag_names); k++)
		if (r->xflags >> k & 1)
			put(o, " %s", xflag_names[k]);
}

static void put_insn(struct out *o, const struct ir_target *t,
		     const struct ir_insn *i)
{
	struct ir_insn rest = *i;
	const char *s = slots(i->op);
	int n = n_slots(i, s);
	const char *sep = " ";

	put_op(o, i);
	for (int k = 0; k < n; k++) {
		if (skip_slot(s[k], i->mem))
			continue;
		put(o, "%s", sep);
		put_slot(o, t, i, s[k], &rest);
		sep = ", ";
	}
	put_rest(o, t, &rest);
	put_flags(o, "f", i->fdef);
	put_flags(o, "u", i->fuse);
	put_flags(o, "s", i->fshow);
	put_flags(o, "l", i->flive);
	put_flags(o, "x", i->ffault);
	put(o, "\n");
}

int ir_print(const struct ir_block *b, char *buf, size_t size)
{
	struct out o = { buf, size, 0 };

	if (size)
		buf[0] = 0;
	if (b->mmu_idx || b->stack_cache || b->direct || b->window)
		put(&o, "block mmu=%d stack=%d direct=%d window=%d\n", b->mmu_idx, b->stack_cache,
		    b->direct, b->window);
	for (int i = 0; i < b->n_granted; i++)
		put(&o, "# granted: env[%d] & 0x%x, or the variant 0x%x\n", b->granted[i].ofs,
		    b->granted[i].mask, b->granted[i].cflags);
	for (int n = 0; n < b->n; n++)
		put_insn(&o, b->target, &b->insn[n]);
	return (int)o.len;
}

/* -- parsing -------------------------------------------------------------- */
/* `p` walks one line; a part that does not fit sets `bad` and nothing else
 * matters any more. */
struct in {
	struct ir_block *b;
	const char *p;
	bool bad;
};

static bool is_word(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z') || c == '_';
}

static void skip_blanks(struct in *in)
{
	while (*in->p == ' ' || *in->p == '\t')
		in->p++;
}

static bool at_end(struct in *in)
{
	skip_blanks(in);
	return *in->p == 0 || *in->p == '\n' || *in->p == '#' || *in->p == '\r';
}

static bool take(struct in *in, char c)
{
	skip_blanks(in);
	if (*in->p != c)
		return false;
	in->p++;
	return true;
}

static void need(struct in *in, char c)
{
	if (!take(in, c))
		in->bad = true;
}

/* The next run of letters, digits and _, into buf (cut to 31 letters). */
static const char *take_word(struct in *in, char buf[32])
{
	int n = 0;

	skip_blanks(in);
	for (; is_word(*in->p); in->p++)
		if (n < 31)
			buf[n++] = *in->p;
	buf[n] = 0;
	if (!n)
		in->bad = true;
	return buf;
}

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' :
	       (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 :
	       99;
}

static s64 take_num(struct in *in)
{
	bool neg = take(in, '-');
	u64 v = 0;
	u64 base = 10;

	skip_blanks(in);
	if (in->p[0] == '0' && in->p[1] == 'x') {
		in->p += 2;
		base = 16;
	}
	if ((u64)digit(*in->p) >= base)
		in->bad = true;
	for (; (u64)digit(*in->p) < base; in->p++)
		v = v * base + (u64)digit(*in->p);
	return (s64)(neg ? -v : v);
}

static int find_name(const char *w, const char (*names)[4], int n)
{
	for (int k = 0; k < n; k++)
		if (!strcmp(w, names[k]))
			return k;
	return -1;
}

static int small_num(const char *w)
{
	int v = 0;

	if (!*w)
		return -1;
	for (; *w; w++) {
		if (*w < '0' || *w > '9' || v > 9999)
			return -1;
		v = v * 10 + *w - '0';
	}
	return v;
}

static ir_val val_of_name(struct in *in, const char *w)
{
	const struct ir_target *t = in->b->target;

	for (int g = 0; g < t->n_globals; g++)
		if (!strcmp(w, t->global[g].name))
			return (ir_val)g;
	if (!strcmp(w, "imm"))
		return IR_IMM;
	int n = small_num(w + 1);

	if (w[0] == 'g' && n >= 0 && n < IR_MAX_GLOBALS)
		return (ir_val)n;
	if (w[0] != 't' || n < 0 ||
	    n >= IR_MAX_TEMPS - IR_FIRST_TEMP) {
		in->bad = true;
		return IR_NONE;
	}
	in->b->n_vals = MAX(in->b->n_vals, IR_FIRST_TEMP + n + 1);
	return (ir_val)(IR_FIRST_TEMP + n);
}

static ir_val take_val(struct in *in)
{
	char w[32];

	skip_blanks(in);
	if (*in->p == '-') {
		in->p++;
		return IR_NONE;
	}
	take_word(in, w);
	return in->bad ? IR_NONE : val_of_name(in, w);
}

/* One term of an address, after its sign. */
static void take_term(struct in *in, struct ir_ea *ea, bool neg)
{
	skip_blanks(in);
	if (digit(*in->p) < 10) {
		u32 v = (u32)take_num(in);

		ea->disp = (s32)((u32)ea->disp + (neg ? -v : v));
		return;
	}
	ir_val v = take_val(in);

	if (neg)
		in->bad = true;
	if (take(in, '<')) {
		need(in, '<');
		ea->index = v;
		ea->scale = (u8)take_num(in);
		if (ea->scale > 3)
			in->bad = true;
	} else if (ea->base == IR_NONE) {
		ea->base = v;
	} else {
		ea->index = v;
	}
}

static struct ir_ea take_ea(struct in *in)
{
	struct ir_ea ea = { .base = IR_NONE, .index = IR_NONE };

	need(in, '[');
	take_term(in, &ea, take(in, '-'));
	while (!in->bad && !take(in, ']')) {
		bool neg = take(in, '-');

		if (!neg)
			need(in, '+');
		take_term(in, &ea, neg);
	}
	return ea;
}

static u32 take_helper(struct in *in)
{
	const struct ir_target *t = in->b->target;
	char w[32];

	take_word(in, w);
	for (int k = 0; k < t->n_helpers; k++)
		if (!strcmp(w, t->helper[k].name))
			return (u32)k;
	int n = small_num(w);

	if (n < 0)
		in->bad = true;
	return (u32)n;
}

static void take_part(struct in *in, struct ir_insn *i, char slot)
{
	if (in->p[0] != '.' || in->p[1] != 'h')
		return;
	in->p += 2;
	i->part |= slot == 'd' ? IRP_D : slot == 'a' ? IRP_A : IRP_B;
}

static void take_slot(struct in *in, struct ir_insn *i, char slot)
{
	skip_blanks(in);
	char c = *in->p;
	bool num = digit(c) < 10 || (c == '-' && digit(in->p[1]) < 10);

	if (c == '[' && (slot == 'm' || slot_mem(slot))) {
		i->ea = take_ea(in);
		i->mem = slot_mem(slot);
		take_part(in, i, slot);
	} else if (slot == 'x') {
		i->aux = (u32)take_num(in);
	} else if (slot == 'h') {
		i->aux = take_helper(in);
	} else if (slot == 'i' || slot == 'j') {
		*imm_field(i, slot) = take_num(in);
	} else if (slot == 'b' && num) {
		i->b = IR_IMM;
		*imm_field(i, slot) = take_num(in);
	} else if (slot != 'm') {
		*val_field(i, slot) = take_val(in);
		take_part(in, i, slot);
	} else {
		in->bad = true;
	}
}

static u8 take_flags(struct in *in)
{
	u8 f = 0;

	for (; is_word(*in->p); in->p++) {
		const char *l = strchr(flag_letters, *in->p);

		if (!l)
			in->bad = true;
		else
			f |= 1 << (l - flag_letters);
	}
	return f;
}

static void take_attribute(struct in *in, struct ir_insn *i)
{
	char w[32];

	take_word(in, w);
	if (in->bad)
		return;
	if (!take(in, '=')) {
		int k = 0;

		while (k < (int)ARRAY_SIZE(xflag_names) &&
		       strcmp(w, xflag_names[k]))
			k++;
		if (k == (int)ARRAY_SIZE(xflag_names))
			in->bad = true;
		else
			i->xflags |= 1 << k;
	} else if (!w[1] && strchr("dabc", w[0])) {
		*val_field(i, w[0]) = take_val(in);
	} else if (!strcmp(w, "f")) {
		i->fdef = take_flags(in);
	} else if (!strcmp(w, "u")) {
		i->fuse = take_flags(in);
	} else if (!strcmp(w, "s")) {
		i->fshow = take_flags(in);
	} else if (!strcmp(w, "l")) {
		i->flive = take_flags(in);
	} else if (!strcmp(w, "x")) {
		i->ffault = take_flags(in);
	} else if (!strcmp(w, "ea")) {
		i->ea = take_ea(in);
	} else {
		s64 v = take_num(in);

		if (!strcmp(w, "imm"))
			i->imm = v;
		else if (!strcmp(w, "imm2"))
			i->imm2 = v;
		else if (!strcmp(w, "mem") && v >= 0 && v <= IRM_DST)
			i->mem = (u8)v;
		else if (!strcmp(w, "aux"))
			i->aux = (u32)v;
		else if (!strcmp(w, "dsize") && v >= 0 && v <= IRS_128)
			i->dsize = (u8)v;
		else if (!strcmp(w, "cc") && v >= 0 && v < 16)
			i->cc = (u8)v;
		else
			in->bad = true;
	}
}

/* OP, then .SIZE, .SIZE>SIZE and .CC as they come. */
static int take_op(struct in *in, struct ir_insn *i)
{
	char w[32];
	int op = 0, k;

	take_word(in, w);
	for (char *s = w; *s; s++)
		*s &= *s >= 'a' ? ~0x20 : ~0;
	while (op < IR_NOPS && strcmp(w, ir_desc[op].name))
		op++;
	if (op == IR_NOPS)
		in->bad = true;
	while (!in->bad && *in->p == '.') {
		in->p++;
		take_word(in, w);
		k = find_name(w, size_names, ARRAY_SIZE(size_names));
		if (k >= 0) {
			i->size = (u8)k;
		} else {
			k = find_name(w, cc_names, ARRAY_SIZE(cc_names));
			i->cc = (u8)k;
		}
		if (*in->p == '>') {
			in->p++;
			take_word(in, w);
			k = find_name(w, size_names, ARRAY_SIZE(size_names));
			i->dsize = (u8)k;
		}
		if (k < 0)
			in->bad = true;
	}
	return op;
}

static void take_block(struct in *in)
{
	char w[32];

	take_word(in, w);
	while (!in->bad && !at_end(in)) {
		take_word(in, w);
		need(in, '=');
		s64 v = take_num(in);

		if (!strcmp(w, "mmu"))
			in->b->mmu_idx = (u8)v;
		else if (!strcmp(w, "stack"))
			in->b->stack_cache = v != 0;
		else if (!strcmp(w, "direct"))
			in->b->direct = v != 0;
		else if (!strcmp(w, "window"))
			in->b->window = v != 0;
		else
			in->bad = true;
	}
}

static void take_insn(struct in *in)
{
	struct ir_insn head = { 0 };
	int op = take_op(in, &head);

	if (in->bad || !ir_room(in->b)) {
		in->bad = true;
		return;
	}
	struct ir_insn *i = ir_add(in->b, op, head.size);
	const char *s = slots(op);

	i->dsize = head.dsize;
	i->cc = head.cc;
	for (bool more = *s; more && !in->bad; more = take(in, ',')) {
		while (*s && skip_slot(*s, i->mem))
			s++;
		if (!*s) {
			in->bad = true;
			return;
		}
		take_slot(in, i, *s++);
	}
	while (!in->bad && !at_end(in))
		take_attribute(in, i);
}

int ir_parse(struct ir_block *b, const char *text)
{
	struct in in = { b, text, false };

	ir_reset(b, b->target);
	for (int line = 1; *in.p; line++) {
		if (!at_end(&in)) {
			if (!strncmp(in.p, "block ", 6))
				take_block(&in);
			else
				take_insn(&in);
		}
		if (in.bad)
			return line;
		in.p += strcspn(in.p, "\n");
		in.p += *in.p == '\n';
	}
	return 0;
}
