/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The runner: for each case of the blob, and each of its initial states, fill
 * the registers, run the code, and fold what it left behind into a hash, of
 * which a line is printed for each case. With blob.verbose the states are
 * printed themselves, as "side field value" lines; the scratch pages as the
 * words that differ from their initial contents.
 *
 * All randomness comes from the case's seed, so that the process and the guest
 * see the same. Not compared, because other programs of the host disturb them
 * or a processor may choose: the x87 instruction and data pointers (the hand
 * written cases compare them where they must be right), the resume flag, and
 * what mask_fault() says.
 */
#include "case.h"

#define EFLAGS_SEEN	0x00244fd5	/* ID AC NT OF DF TF SF ZF AF PF CF */
#define EFLAGS_ARITH	0x000008d5

u8 fpu_out[108];
u32 sse_out[1 + 8 * 4];
u32 runner_esp;

struct frame out;
static u32 out_cr2;
static u32 executed_sum;
static u32 *const scratch = (u32 *)SCRATCH;

/* -- the final state ------------------------------------------------------ */

void runner_trap(struct frame *f, u32 cr2)
{
	out = *f;
	out_cr2 = cr2;
	f->eip = (u32)enter_resume;
	f->cs = SEL_CODE;
	f->ss = f->ds = f->es = f->gs = SEL_DATA;
	f->fs = SEL_FS;
	f->esp = f->esp_kernel = runner_esp;	/* Linux reads the latter */
	f->eflags = 0x202;
}

/* What has faulted. A 16-bit jump may have led to another case's bytes. */
struct faulting {
	u32 opcode;		/* with 0F: 0x100 and up; 0: unknown */
	u32 rep;		/* its F2 or F3 */
	u32 op16;
};

static struct faulting faulting_insn(void)
{
	const struct blob *blob = (const struct blob *)BLOB;
	struct faulting f = { .op16 = start.cs != SEL_CODE };
	u32 at = start.cs == SEL_CODE ? out.eip : out.eip + BLOB;
	const u8 *p = (const u8 *)at;

	if (out.trap < 10 || (out.trap > 14 && out.trap != 17) || at - BLOB >= blob->bytes - 16)
		return f;
	for (;; p++) {
		switch (*p) {
		case 0xf2: case 0xf3:
			f.rep = *p;
			break;
		case 0x66:
			f.op16 = start.cs == SEL_CODE;
			break;
		case 0x26: case 0x2e: case 0x36: case 0x3e: case 0x64:
		case 0x65: case 0x67: case 0xf0:
			break;
		case 0x0f:
			f.opcode = 0x100 + p[1];
			return f;
		default:
			f.opcode = *p;
			return f;
		}
	}
}

/* Several faults compete: any of them looks like #GP(0). */
static void mask_choice(void)
{
	if (out.trap >= 12 && out.trap <= 14) {
		out.trap = 13;
		out.err = out_cr2 = 0;
	}
}

/* Does RETF find a selector of an inner ring on the stack? */
static int returns_inwards(const struct faulting *f)
{
	u32 at = out.esp + (f->op16 ? 2 : 4) - SCRATCH;

	return at < SCRATCH_BYTES && (((const u8 *)scratch)[at] & 3) != 3;
}

/*
 * What a fault in the middle of an instruction leaves is sometimes the
 * processor's choice: whether PUSHA has stored and POPA has loaded a part; the
 * flags of REPE CMPS (the SDM wants the old ones, AMD has the new ones); which of
 * its operands REPE CMPSB reads first (Zen 4: [ESI], others: [EDI]); whether RETF to
 * an inner ring is #GP before the stack is read on (SDM: yes, AMD: no); whether
 * MASKMOVQ has made the x87 state MMX's (AMD: yes); which
 * byte of the x87 state is touched first.
 */
static void mask_fault(void)
{
	struct faulting f = faulting_insn();
	u32 i;

	switch (f.opcode) {
	case 0x60:
		for (i = 0; i < 9; i++) {
			u32 at = ((out.esp - 1) & ~3u) - i * 4 - SCRATCH;

			if (at < SCRATCH_BYTES)
				scratch[at / 4] = template[at / 4];
		}
		out_cr2 = 0;
		break;
	case 0x61:
		out.eax = out.ecx = out.edx = out.ebx = 0;
		out.ebp = out.esi = out.edi = 0;
		break;
	case 0xa6:
		if (f.rep == 0xf3)
			mask_choice();
		/* fall through */
	case 0xa7: case 0xae: case 0xaf:
		if (f.rep)
			out.eflags &= ~EFLAGS_ARITH;
		break;
	case 0xca: case 0xcb:
		if (returns_inwards(&f))
			mask_choice();
		break;
	case 0x1f7:
		for (i = 0; i < sizeof(fpu_out); i++)
			fpu_out[i] = 0;
		break;
	case 0xd9: case 0xdd: case 0x1ae:
		out_cr2 &= ~0xfffu;
		break;
	}
}

/*
 * An operand that lies across the 4 GB limit of a flat segment may give #GP,
 * #SS or, as here, #PF: "implementation-specific" (SDM 3A 5.3). Where programs
 * come to that by chance, the three look the same.
 */
static void mask_wrap(void)
{
	if ((out.trap == 14 && out_cr2 >= 0xfffffff0) ||
	    ((out.trap == 12 || out.trap == 13) && !out.err)) {
		out.trap = 13;
		out.err = out_cr2 = 0;
	}
}

/* Returning from an interrupt, IRET clears the RPL of null selectors. */
static u32 mask_selector(u32 selector)
{
	return selector & 0xfffc ? selector & 0xffff : 0;
}

/* INT1, to which a jump into data may lead: under KVM on AMD its trap shows the
 * EIP of the instruction, not of the next one. */
static void mask_int1(void)
{
	const struct blob *blob = (const struct blob *)BLOB;
	u32 at = out.cs == SEL_CODE ? out.eip : out.eip + BLOB;

	if (out.trap == 1 && at - BLOB - 1 < blob->bytes - 1 && *(const u8 *)at == 0xf1)
		out.eip++;
}

/* Leaves in the frame and the x87 image only what must be equal. */
static void mask_out(const struct test_case *c)
{
	u32 i, *fpu = (u32 *)fpu_out;

	if (c->flags & C_WRAP)
		mask_wrap();
	mask_int1();
	mask_fault();
	out.eflags &= EFLAGS_SEEN;
	out.gs = mask_selector(out.gs);
	out.fs = mask_selector(out.fs);
	out.es = mask_selector(out.es);
	out.ds = mask_selector(out.ds);
	out.cs &= 0xffff;
	out.ss &= 0xffff;
	out.esp_kernel = 0;
	out.eip -= start.eip;
	if (out.trap != 14)
		out_cr2 = 0;
	if (out.trap == 14)
		out.err &= ~0x10u;	/* fetches: the guest has no NX */
	else if (out.trap < 10 || out.trap > 13)
		out.err = 0;
	for (i = 0; i < 3; i++)
		fpu[i] &= 0xffff;	/* the rest is reserved */
	for (i = 3; i < 7; i++)
		fpu[i] = 0;
}

static u32 hash(u32 h, u32 word)
{
	h = (h ^ word) * 0x01000193;
	return h ^ h >> 15;
}

static u32 hash_words(u32 h, const void *from, u32 bytes)
{
	const u32 *w = from;

	for (; bytes; bytes -= 4)
		h = hash(h, *w++);
	return h;
}

/* -- printing ------------------------------------------------------------- */

static char line[120];
static u32 line_len;

static void put(const char *s)
{
	while (*s)
		line[line_len++] = *s++;
}

static void put_hex(u32 value, u32 digits)
{
	while (digits--)
		line[line_len++] = "0123456789abcdef"[value >> digits * 4 & 15];
}

static void put_line(void)
{
	line[line_len++] = '\n';
	syscall3(SYS_WRITE, 1, (u32)line, line_len);
	line_len = 0;
}

static void put_word(const char *side, const char *field, u32 value)
{
	put(side);
	put(field);
	put(" ");
	put_hex(value, 8);
	put_line();
}

static void put_fpu(const char *side, const u8 *fpu)
{
	static const char *const words[] = { "fcw ", "fsw ", "ftw " };
	u32 i;
	int j;

	for (i = 0; i < 3; i++) {
		put(side);
		put(words[i]);
		put_hex(*(u16 *)(fpu + i * 4), 4);
		put_line();
	}
	for (i = 0; i < 8; i++) {
		put(side);
		put("st");
		put_hex(i, 1);
		put(" ");
		for (j = 9; j >= 0; j--)
			put_hex(fpu[28 + i * 10 + j], 2);
		put_line();
	}
}

/* sse: MXCSR and eight registers, as sse_out. */
static void put_sse(const char *side, const u32 *sse)
{
	u32 i;
	int j;

	put_word(side, "mxcsr", *sse++);
	for (i = 0; i < 8; i++, sse += 4) {
		put(side);
		put("xmm");
		put_hex(i, 1);
		put(" ");
		for (j = 3; j >= 0; j--)
			put_hex(sse[j], 8);
		put_line();
	}
}

static void put_gprs(const char *side, const u32 *const gpr[8])
{
	static const char *const names[] = {
		"eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"
	};
	u32 i;

	for (i = 0; i < 8; i++)
		put_word(side, names[i], *gpr[i]);
}

static void put_state(u32 nth, u32 flags)
{
	const u32 *in[8], *const after[8] = {
		&out.eax, &out.ecx, &out.edx, &out.ebx,
		&out.esp, &out.ebp, &out.esi, &out.edi
	};
	u32 i;

	for (i = 0; i < 8; i++)
		in[i] = &start.gpr[i];
	put_word("state ", "number", nth);
	put_gprs("in ", in);
	put_word("in ", "eflags", start.eflags);
	if (flags & C_FPU)
		put_fpu("in ", start.fpu);
	if (flags & C_SSE)
		put_sse("in ", &start.mxcsr);
	put_word("out ", "trap", out.trap);
	put_word("out ", "err", out.err);
	put_word("out ", "cr2", out_cr2);
	put_word("out ", "eip", out.eip);
	put_gprs("out ", after);
	put_word("out ", "eflags", out.eflags);
	put_word("out ", "cs_ss", out.cs << 16 | out.ss);
	put_word("out ", "ds_es", out.ds << 16 | out.es);
	put_word("out ", "fs_gs", out.fs << 16 | out.gs);
	put_fpu("out ", fpu_out);
	put_sse("out ", sse_out);
}

static void put_memory(u32 at, u32 old, u32 new)
{
	put("out mem");
	put_hex(at, 8);
	put(" ");
	put_hex(new, 8);
	put(" was ");
	put_hex(old, 8);
	put_line();
}

void runner_hangs(const struct frame *f)
{
	put("hangs at ");
	put_hex(f->eip, 8);
	put(" started at ");
	put_hex(start.eip, 8);
	put(" eflags ");
	put_hex(f->eflags, 8);
	put(" eax ");
	put_hex(f->eax, 8);
	put_line();
	syscall3(SYS_EXIT, 3, 0, 0);
}

/* -- running -------------------------------------------------------------- */

/* Folds the changes of the scratch pages into the hash, and undoes them. */
static u32 memory_check(u32 h, u32 verbose)
{
	u32 i;

	for (i = 0; i < SCRATCH_WORDS; i++) {
		if (scratch[i] == template[i])
			continue;
		if (verbose)
			put_memory(SCRATCH + i * 4, template[i], scratch[i]);
		h = hash(hash(h, i), scratch[i]);
		scratch[i] = template[i];
	}
	return h;
}

/* About how many instructions the state has executed, by where it has ended. */
static u32 executed(const struct test_case *c)
{
	u32 code = c->bytes - sizeof(*c);

	if (out.trap == TRAP_NONE)
		return c->insns;
	return out.eip < code ? c->insns * out.eip / code : 0;
}

static u32 run_state(const struct test_case *c, u32 nth, u32 h, u32 verbose)
{
	fill_start(c, nth);
	enter();
	mask_out(c);
	if (verbose)
		put_state(nth, c->flags);
	executed_sum += executed(c);
	h = hash(hash_words(h, &out, sizeof(out)), out_cr2);
	h = hash_words(h, fpu_out, sizeof(fpu_out));
	h = hash_words(h, sse_out, sizeof(sse_out));
	return memory_check(h, verbose);
}

static const struct test_case *next_case(const struct test_case *c)
{
	return (const struct test_case *)((const u8 *)c + c->bytes);
}

void runner(void)
{
	const struct blob *blob = (const struct blob *)BLOB;
	const struct test_case *c = (const struct test_case *)(blob + 1);
	u32 i, n, h;

	template_fill();
	for (n = 0; n < blob->end; n++, c = next_case(c)) {
		h = 0;
		for (i = 0; i < c->nstates && n >= blob->first; i++)
			h = run_state(c, c->first_state + i, h, blob->verbose);
		if (n >= blob->first) {
			put_hex(h, 8);
			put_line();
		}
	}
	put("executed ");
	put_hex(executed_sum, 8);
	put_line();
	put("end");
	put_line();
	syscall3(SYS_EXIT, 0, 0, 0);
}
