/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random programs of the rows of the decode tables (rows.h).
 *
 * A program keeps track of registers that still hold a pointer into the
 * scratch pages, or a small number, and uses them for its memory operands, so
 * that it seldom faults before its end. Wrong guesses cost nothing: a fault is
 * a result like any other.
 */
#include <stdlib.h>
#include <string.h>
#include "gen.h"
#include "rows.h"

/* How often a chapter of row_forms[] is chosen, and its forms. */
static struct { const char *chapter; u32 weight, *forms, n; } chapters[] = {
	{ "integer", 54, NULL, 0 }, { "x87", 14, NULL, 0 },
	{ "sse", 28, NULL, 0 }, { "vex", 4, NULL, 0 },
};
#define CHAPTERS (sizeof(chapters) / sizeof(chapters[0]))
static struct parsed *parsed;		/* of each row_forms[] */
static u32 weight_sum;

static void random_prepare(void)
{
	u32 i, k;

	rows_make();
	parsed = calloc(row_forms_count, sizeof(*parsed));
	for (k = 0; k < CHAPTERS; k++) {
		chapters[k].forms = calloc(row_forms_count, sizeof(u32));
		weight_sum += chapters[k].weight;
	}
	for (i = 0; i < row_forms_count; i++) {
		parse(&row_forms[i].form, &parsed[i]);
		for (k = 0; k < CHAPTERS; k++)
			if (row_forms[i].drawn &&
			    !strcmp(row_forms[i].form.chapter, chapters[k].chapter))
				chapters[k].forms[chapters[k].n++] = i;
	}
}

static u32 random_form(void)
{
	u32 w = below(weight_sum), k = 0;

	while (w >= chapters[k].weight)
		w -= chapters[k++].weight;
	return chapters[k].forms[below(chapters[k].n)];
}

/* A memory operand that is probably good; rarely anything. */
static void random_memory(struct shape *s)
{
	int base = pick_bit(prog.pointers), index = pick_bit(prog.smalls);

	if (s->align)
		index = -1;

	s->mod = below(3);
	s->rm = below(8);
	s->base = below(8);
	s->index = below(8);
	s->scale = below(4);
	if (one_in(100))
		return;
	if (one_in(16)) {		/* an offset in the FS segment */
		s->seg = FS_PREFIX;
		s->mod = 0;
		s->addr16 = below(2);
		s->rm = s->addr16 ? 6 : 5;
	} else if (base < 0 || one_in(5)) {
		s->mod = 0;
		s->rm = s->base = 5;
		if (index >= 0 && index != ESP && one_in(2)) {
			s->rm = 4;
			s->index = index;
		}
	} else {
		s->rm = s->base = base;
		s->index = index < 0 ? 4 : index;
		if (base == ESP || one_in(3))
			s->rm = 4;
		if (base == EBP && !s->mod)
			s->mod = 1;
	}
}

/* The registers that a form may have written, so their use is forgotten. */
static u32 clobbers(const struct form *f, const struct parsed *p,
		    const struct shape *s)
{
	u32 mask = f->flags & F_ALL;

	if (f->flags & F_OPREG)
		mask |= BIT(s->opcode & 7) | BIT(s->opcode & 3);
	if (p->modrm && !(f->flags & F_KEEP)) {
		if (p->modrm == 1)
			mask |= BIT(s->reg) | BIT(s->reg & 3);
		if (s->mod == 3)
			mask |= BIT(s->rm) | BIT(s->rm & 3);
	}
	if (s->rep)
		mask |= BIT(ECX);
	return mask;
}

static void put_mov(int reg, u32 value)
{
	put8(0xb8 + reg);
	put(value, 4);
	instructions++;
}

/* Appends one form that writes none of the registers in keep. */
static void random_step(u32 keep)
{
	const struct form *f;
	struct parsed *p;
	struct shape s;
	u32 i, lost;

	do {
		i = random_form();
		f = &row_forms[i].form;
		p = &parsed[i];
		memset(&s, 0, sizeof(s));
		s.opcode = p->op_low + below(p->op_high - p->op_low + 1);
		s.op16 = one_in(4) && !(f->flags & (F_FLOW | F_PLAIN));
		s.reg = p->modrm == 1 ? below(8) :
			p->digit_low + below(p->digit_high - p->digit_low + 1);
		s.rm = below(8);
		s.mod = 3;
		if (p->nlead == 3 && p->lead[0] == 0xc4 && (p->lead[2] & 0x78) != 0x78)
			s.vvvv = below(8);
		s.align = (f->flags & F_SSE) && !one_in(6);
		if ((f->flags & F_STRING) && one_in(2))
			s.rep = 0xf2 + below(2);
		if ((f->flags & F_MEM) ||
		    (p->modrm && !(f->flags & F_REG) && one_in(2)))
			random_memory(&s);
		if (s.mod != 3 && (f->flags & F_LOCK))
			s.lock = one_in(6);
		if (one_in(20))
			s.seg = 0x26 + below(4) * 8;
		lost = clobbers(f, p, &s);
	} while ((lost & keep) || ((lost & BIT(ESP)) && !one_in(20)) ||
		 (keep && (f->flags & (F_FLOW | F_STACK | F_FENV))));
	if (s.rep && !one_in(20))
		put_mov(ECX, below(40));
	if (f->flags & F_FENV) {
		land_short();
		put_fenv(p, &s);
	} else {
		put_form(p, &s);
	}
	prog.pointers &= ~lost;
	prog.smalls &= ~lost;
}

static void random_steps(u32 n, u32 keep)
{
	while (n--)
		random_step(keep);
}

/* A few forms repeated, by LOOP or by DEC and JNE. */
static void random_loop(void)
{
	int reg = one_in(2) ? ECX : pick_bit(BIT(EDX) | BIT(EBX) | BIT(EBP));
	u32 start;

	put_mov(reg, 1 + below(6));
	prog.pointers &= ~BIT(reg);
	prog.smalls &= ~BIT(reg);
	start = prog.len;
	random_steps(1 + below(4), BIT(reg) | BIT(ESP));
	if (reg == ECX) {
		put8(0xe0 + below(3));
	} else {
		put8(0x48 + reg);
		put8(0x75);
		instructions++;
	}
	put8(start - prog.len - 1);
	instructions++;
}

/* call sub; forms; jmp out; sub: forms; ret; out: */
static void random_call(void)
{
	u32 jumps = prog.njumps, back;

	put8(0xe8);
	put_jump(4, 0);
	back = prog.base + prog.len;
	random_steps(below(3), BIT(ESP));
	put8(0xeb);
	put_jump(1, 0);
	land(jumps);		/* the jmp takes the call's place in the list */
	random_steps(below(3), BIT(ESP));
	put(0x2404c7, 3);	/* movl $back, (%esp): it may be overwritten */
	put(back, 4);
	put8(0xc3);
	land(jumps);
	instructions += 4;
}

/* Goes on at the next instruction by way of an indirect jump or a return. */
static void random_indirect(void)
{
	int reg = pick_bit(0xff & ~BIT(ESP));
	u32 how = below(5), mem = SCRATCH + below(0x100) * 16;

	if (how == 4)
		put8(0x0e);			/* push %cs */
	if (how >= 3)
		put8(0x68);			/* push $next */
	else if (how == 2)
		put(0x05c7, 2), put(mem, 4);	/* movl $next, mem */
	else
		put8(0xb8 + reg);		/* mov $next, reg */
	put_jump(4, 1);
	if (how == 4)
		put8(0xcb);			/* lret */
	else if (how == 3)
		put8(0xc3);			/* ret */
	else if (how == 2)
		put(0x25ff, 2), put(mem, 4);	/* jmp *mem */
	else
		put8(0xff), put8((how ? 0xe0 : 0xd0) + reg);
	land(prog.njumps - 1);
	instructions += 2;
	if (how < 2) {
		prog.pointers &= ~BIT(reg);
		prog.smalls &= ~BIT(reg);
	}
}

/* popf of flags that ring 3 may change, less TF and AC */
static void random_popf(void)
{
	put8(0x68);
	put(rnd() & 0x00204cd5, 4);
	put8(0x9d);
	instructions += 2;
}

/* A selector into ES, FS or GS. */
static void random_segment(void)
{
	static const u16 pops[] = { 0x07, 0xa10f, 0xa90f };
	static const u8 selectors[] = {
		SEL_DATA, SEL_DATA, SEL_DATA, SEL_CODE, SEL_FS, 0, SEL_LDT(3),
	};
	u32 i = below(3);

	put8(0x6a);
	put8(selectors[i == 1 ? 4 : below(sizeof(selectors))]);
	put(pops[i], i ? 2 : 1);
	instructions += 2;
}

static void put_store(u32 at, u32 value)
{
	put(0x05c7, 2);		/* movl $value, at */
	put(at, 4);
	put(value, 4);
	instructions++;
}

/*
 * Writes an instruction and a jump back between the data, and jumps there. (No
 * call: it could push its return address onto the code.)
 */
static void random_code(void)
{
	static const u8 ops[] = {
		0x40, 0x41, 0x42, 0x43, 0x48, 0x49, 0x4f, 0xf5
	};
	u32 at = SCRATCH + 0x100 + below(SCRATCH_BYTES - 0x200);
	u32 back = prog.base + prog.len + 25, distance = back - (at + 6);

	put_store(at, ops[below(8)] | 0xe9 << 8 | distance << 16);
	put_store(at + 4, distance >> 16);
	put8(0xe9);
	put(at - back, 4);
	instructions += 3;
}

static void random_pointer(void)
{
	int reg = pick_bit(0xff & ~BIT(ESP));
	struct shape s = { 0 };

	if (one_in(3)) {
		put_mov(reg, below(64));
		prog.smalls |= BIT(reg);
		prog.pointers &= ~BIT(reg);
	} else {
		put_mov(reg, absolute(&s));
		prog.pointers |= BIT(reg);
		prog.smalls &= ~BIT(reg);
	}
}

static void random_any(void)
{
	static void (*const some[])(void) = {
		random_pointer, random_pointer, random_pointer, random_loop,
		random_call, random_indirect, random_indirect, random_popf,
		random_segment, random_code,
	};

	if (one_in(6)) {
		land_short();
		some[below(sizeof(some) / sizeof(some[0]))]();
	} else {
		random_step(0);
	}
}

/* Jumps land after one to a few steps, in any order. */
static void random_landings(void)
{
	u32 i;

	for (i = 0; i < prog.njumps; )
		if (prog.len - prog.jumps[i].at > 60 || one_in(3))
			land(i);
		else
			i++;
}

static void random_program(void)
{
	u32 steps = 8 + below(23), reg;

	case_start();
	prog.flags = C_FPU | C_DF | C_WRAP | C_SSE;
	if (one_in(8))
		prog.flags |= C_UNMASKED;
	for (reg = 0; reg < 8; reg++) {
		if (reg == ESP || (reg >= EBX && !one_in(4))) {
			set_kind(reg, K_PTR);
			prog.pointers |= BIT(reg);
		} else if (one_in(3)) {
			set_kind(reg, K_SMALL);
			prog.smalls |= BIT(reg);
		}
	}
	while (steps--) {
		random_any();
		random_landings();
	}
	land_all();
	case_end("random", one_in(8) ? 10 : 2);
}

void random_programs(u32 seed, u32 count)
{
	random_prepare();
	while (instructions < count) {
		rnd_state = (u64)seed << 32 | cases_made;
		rnd();
		rnd();
		random_program();
	}
}
