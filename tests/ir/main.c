/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/ir/main.c - runs IR through the reference interpreter, the optimiser
 * and the back end, which must agree.
 *
 * usage: irtest FILE.ir...            hand-written programs
 *        irtest -r FIRST COUNT        random programs, by seed
 *        irtest -p SEED               print one, before and after
 *        irtest -m SEED               the same, made as short as it still fails
 *        irtest -t                    time of ir_optimize
 *        irtest -O LIST ...           any of these with the optimisations of LIST
 *                                     (src/tcg/opts.h): "no-group", "none:fold"
 *
 * A file is IR text (notes/ir.md) and, on lines of their own:
 *   in NAME=VALUE ... f=FLAGS [ADDR]=VALUE env[OFS]=VALUE
 *	a state to start from; each begins a case. Registers not named hold
 *	0x01010101 * (1 + number), ESP 0x8000; memory and env are zero.
 *   out NAME=VALUE ... pc=VALUE | fault=PC | main | look | stop
 *	what the case must leave; all that is not named must be as before.
 *	Flags count when f= is given, those that are live at the exit taken
 *	(all in a fault) and that the SDM defines.
 *   opt LINE
 *	a line of the program as ir_optimize must leave it. */
#include "random.h"
#include "backend.h"
#include "tcg/opts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *const end_names[] = {
	"none", "exit", "fault", "main", "look", "stop", "unknown",
};

static int failures;
static bool opts_chosen;             /* -O: the lines `opt` do not hold      */

static void verdict(bool ok, const char *name, const char *leg, const char *why)
{
	if (ok)
		printf("ok ir/%s %s\n", name, leg);
	else
		printf("not ok ir/%s %s: %s\n", name, leg, why);
	failures += !ok;
}

/* -- comparing ------------------------------------------------------------------ */
/* First difference of two final states, NULL: none. */
static const char *compare(const struct state *want, const struct state *got)
{
	static char why[160];
	u8 count = want->live & ~want->undef;

	if (want->end != got->end || want->pc != got->pc) {
		snprintf(why, sizeof(why), "ends by %s %#x, want %s %#x",
			 end_names[got->end], got->pc,
			 end_names[want->end], want->pc);
		return why;
	}
	for (int g = 0; g < N_GLOBALS; g++) {
		if (want->global[g] == got->global[g])
			continue;
		snprintf(why, sizeof(why), "%s is %#llx, want %#llx",
			 test_target.global[g].name,
			 (unsigned long long)got->global[g],
			 (unsigned long long)want->global[g]);
		return why;
	}
	if ((want->flags ^ got->flags) & count) {
		snprintf(why, sizeof(why), "flags %02x, want %02x of %02x",
			 got->flags & count, want->flags & count, count);
		return why;
	}
	if (memcmp(want->env, got->env, ENV_SIZE))
		return "struct cpu differs";
	for (int a = 0; a < MEM_SIZE; a++) {
		if (want->mem[a] == got->mem[a])
			continue;
		snprintf(why, sizeof(why), "[%#x] is %#x, want %#x", a,
			 got->mem[a], want->mem[a]);
		return why;
	}
	return NULL;
}

/* -- random programs ---------------------------------------------------------------- */
static struct ir_block block, optimised;
static struct state start, want, got;

static void make(u64 seed)
{
	struct rng g = { seed * 0x9e3779b97f4a7c15ull + 1 };

	for (int k = 0; k < 4; k++)
		rng_next(&g);
	random_block(&g, &block, 4 + (int)(rng_next(&g) % 50));
	random_state(&g, &start);
	memcpy(&optimised, &block, sizeof(block));
	ir_optimize(&optimised);
}

static void print_block(const struct ir_block *b)
{
	static char text[1 << 18];

	ir_print(b, text, sizeof(text));
	fputs(text, stdout);
}

static bool same_insn(const struct ir_insn *x, const struct ir_insn *y)
{
	return x->op == y->op && x->size == y->size && x->dsize == y->dsize &&
	       x->cc == y->cc && x->part == y->part && x->mem == y->mem &&
	       x->xflags == y->xflags && x->fdef == y->fdef &&
	       x->fuse == y->fuse && x->flive == y->flive &&
	       x->ffault == y->ffault && x->d == y->d && x->a == y->a &&
	       x->b == y->b && x->c == y->c && x->ea.base == y->ea.base &&
	       x->ea.index == y->ea.index && x->ea.scale == y->ea.scale &&
	       x->ea.disp == y->ea.disp && x->imm == y->imm &&
	       x->imm2 == y->imm2 && x->aux == y->aux;
}

/* Does the text of the block read back as the same block? */
static const char *round_trip(const struct ir_block *b)
{
	static char one[1 << 18], two[1 << 18];
	static struct ir_block back;
	static char why[80];

	ir_print(b, one, sizeof(one));
	ir_reset(&back, &test_target);
	int line = ir_parse(&back, one);

	if (line) {
		snprintf(why, sizeof(why), "line %d does not parse", line);
		return why;
	}
	ir_print(&back, two, sizeof(two));
	if (strcmp(one, two) || b->n != back.n)
		return "text does not round-trip";
	for (int n = 0; n < b->n; n++)
		if (!same_insn(&b->insn[n], &back.insn[n])) {
			snprintf(why, sizeof(why), "insn %d does not round-trip", n);
			return why;
		}
	return NULL;
}

static void random_leg(const char *leg, u64 first, u64 count,
		       const char *(*check)(void))
{
	char name[64], why[256];

	snprintf(name, sizeof(name), "random-%llu+%llu",
		 (unsigned long long)first, (unsigned long long)count);
	for (u64 seed = first; seed < first + count; seed++) {
		make(seed);
		const char *bad = check();

		if (!bad && !want.sloppy)
			continue;
		if (!bad)
			bad = "a program without meaning";
		snprintf(why, sizeof(why), "seed %llu: %s",
			 (unsigned long long)seed, bad);
		verdict(false, name, leg, why);
		return;
	}
	verdict(true, name, leg, NULL);
}

static const char *check_text(void)
{
	const char *bad = round_trip(&block);

	want.sloppy = false;
	return bad ? bad : round_trip(&optimised);
}

static const char *check_opt(void)
{
	want = start;
	interp(&block, &want);
	got = start;
	interp(&optimised, &got);
	return compare(&want, &got);
}

static const char *check_backend(void)
{
	want = start;
	interp(&block, &want);
	got = start;
	const char *bad = backend_run(&optimised, &got);

	return bad ? bad : compare(&want, &got);
}

static int random_main(u64 first, u64 count)
{
	random_leg("text", first, count, check_text);
	random_leg("opt", first, count, check_opt);
	if (backend_present())
		random_leg("x64", first, count, check_backend);
	return failures != 0;
}

/* Does what is left of the program still fail, and is it well-formed? */
static bool still_fails(void)
{
	memcpy(&optimised, &block, sizeof(block));
	ir_optimize(&optimised);
	if (check_opt())
		return !want.sloppy;
	return backend_present() && check_backend() && !want.sloppy;
}

static void minimise(void)
{
	static struct ir_block saved;
	bool progress = true;

	while (progress) {
		progress = false;
		for (int n = block.n - 2; n > 0; n--) {   /* not the first mark */
			memcpy(&saved, &block, sizeof(block));
			memmove(&block.insn[n], &block.insn[n + 1],
				(size_t)(block.n - n - 1) * sizeof(block.insn[0]));
			block.n--;
			if (still_fails())
				progress = true;
			else
				memcpy(&block, &saved, sizeof(block));
		}
	}
	still_fails();
}

static void print_start(void)
{
	printf("in");
	for (int g = 0; g < N_GLOBALS; g++)
		printf(" %s=%#x", test_target.global[g].name,
		       (u32)start.global[g]);
	printf(" f=");
	for (int k = 0; k < 6; k++)
		if (start.flags >> k & 1)
			putchar("cpazso"[k]);
	putchar('\n');
}

static int print_main(u64 seed, bool shorten)
{
	make(seed);
	if (shorten)
		minimise();
	print_block(&block);
	printf("# optimised\n");
	print_block(&optimised);
	if (shorten)
		print_start();
	const char *bad = check_opt();

	printf("# interpreter: %s %#x; %s\n", end_names[want.end], want.pc,
	       bad ? bad : "same");
	if (backend_present()) {
		bad = check_backend();
		printf("# back end: %s\n", bad ? bad : "same");
	}
	return 0;
}

/* -- time -------------------------------------------------------------------------------- */
static int time_main(void)
{
	enum { BLOCKS = 200, TIMES = 50 };
	static struct ir_block b[BLOCKS];
	struct timespec t0, t1;
	u64 ns = 0, insns = 0;

	for (int k = 0; k < BLOCKS; k++) {
		make((u64)k + 1);
		memcpy(&b[k], &block, sizeof(block));
	}
	for (int k = 0; k < BLOCKS; k++) {
		size_t used = offsetof(struct ir_block, insn) +
			(size_t)b[k].n * sizeof(b[k].insn[0]);
		u64 best = ~0ull;

		for (int t = 0; t < TIMES; t++) {
			memcpy(&block, &b[k], used);
			clock_gettime(CLOCK_MONOTONIC, &t0);
			ir_optimize(&block);
			clock_gettime(CLOCK_MONOTONIC, &t1);
			best = MIN(best, (u64)((t1.tv_sec - t0.tv_sec) * 1000000000 +
					       t1.tv_nsec - t0.tv_nsec));
		}
		ns += best;
		insns += (u64)b[k].n;
	}
	printf("ir_optimize: %.1f ns an instruction (%llu of them)\n",
	       (double)ns / (double)insns, (unsigned long long)insns);
	return 0;
}

/* -- files --------------------------------------------------------------------------------- */
enum { MAX_CASES = 32 };
struct test_case { struct state in, out; bool flags_count; };
struct test {
	char name[64];
	struct ir_block block, want_opt;
	char opt_text[8192];
	int n_cases;
	struct test_case c[MAX_CASES];
};

static void default_state(struct state *s)
{
	memset(s, 0, sizeof(*s));
	for (int g = 0; g < N_GLOBALS; g++)
		s->global[g] = 0x01010101u * (u32)(1 + g);
	s->global[4] = 0x8000;
}

static u8 parse_flags(const char *p)
{
	static const char letters[] = "cpazso";
	u8 f = 0;

	for (; *p; p++)
		if (strchr(letters, *p))
			f |= 1 << (strchr(letters, *p) - letters);
	return f;
}

static bool set_end(struct state *s, const char *key, const char *value)
{
	for (int e = END_EXIT; e <= END_STOP; e++) {
		if (strcmp(key, e == END_EXIT ? "pc" : end_names[e]))
			continue;
		s->end = e;
		s->pc = value ? (u32)strtoul(value, NULL, 0) : 0;
		return true;
	}
	return false;
}

static bool set_one(struct test_case *c, struct state *s, const char *key,
		    const char *value)
{
	u32 v = value ? (u32)strtoul(value, NULL, 0) : 0;

	for (int g = 0; g < N_GLOBALS; g++)
		if (value && !strcmp(key, test_target.global[g].name)) {
			s->global[g] = v;
			return true;
		}
	if (value && !strcmp(key, "f")) {
		s->flags = parse_flags(value);
		c->flags_count |= s == &c->out;
		return true;
	}
	if (value && key[0] == '[') {
		u32 a = (u32)strtoul(key + 1, NULL, 0);

		if (a > MEM_SIZE - 4)
			return false;
		memcpy(s->mem + a, &v, 4);
		return true;
	}
	if (value && !strncmp(key, "env[", 4)) {
		u32 a = (u32)strtoul(key + 4, NULL, 0);

		if (a > ENV_SIZE - 4)
			return false;
		memcpy(s->env + a, &v, 4);
		return true;
	}
	return set_end(s, key, value);
}

/* "in ..." or "out ...": settings separated by blanks. */
static bool parse_settings(struct test *t, char *line)
{
	bool in = line[0] == 'i';
	char *save, *w = strtok_r(line, " \t", &save);
	struct test_case *c;

	if (in && t->n_cases == MAX_CASES)
		return false;
	c = &t->c[in ? t->n_cases++ : t->n_cases - 1];
	if (in) {
		default_state(&c->in);
		c->flags_count = false;
	}
	for (w = strtok_r(NULL, " \t", &save); w; w = strtok_r(NULL, " \t", &save)) {
		char *eq = strchr(w, '=');

		if (w[0] == '#')
			break;
		if (eq)
			*eq++ = 0;
		if (!set_one(c, in ? &c->in : &c->out, w, eq))
			return false;
	}
	if (in)
		c->out = c->in;
	return true;
}

/* Split a file into program, cases and expected program. Lines that are not
 * IR stay as empty ones, so that the parser's line numbers are the file's. */
static const char *parse_test(struct test *t, char *text)
{
	static char ir[1 << 16];
	static char why[80];
	char *next;
	int line = 1;

	ir[0] = 0;
	t->n_cases = 0;
	t->opt_text[0] = 0;
	for (char *p = text; p; p = next, line++) {
		next = strchr(p, '\n');
		if (next)
			*next++ = 0;
		if (!strncmp(p, "in ", 3) || !strcmp(p, "in") ||
		    (!strncmp(p, "out ", 4) && t->n_cases)) {
			if (!parse_settings(t, p)) {
				snprintf(why, sizeof(why), "line %d: bad state", line);
				return why;
			}
		} else if (!strncmp(p, "opt ", 4)) {
			strcat(strcat(t->opt_text, p + 4), "\n");
		} else {
			strcat(ir, p);
		}
		strcat(ir, "\n");
	}
	t->block.target = t->want_opt.target = &test_target;
	int bad = ir_parse(&t->block, ir);

	if (bad) {
		snprintf(why, sizeof(why), "line %d: bad IR", bad);
		return why;
	}
	bad = ir_parse(&t->want_opt, t->opt_text);
	if (bad) {
		snprintf(why, sizeof(why), "opt line %d: bad IR", bad);
		return why;
	}
	return t->n_cases ? NULL : "no case";
}

/* The optimised program against the one the file gives. Lines of it that
 * say nothing of live flags accept any. */
static const char *check_expected(const struct test *t, const struct ir_block *o)
{
	static char a[8192], b[8192], why[8300];
	static struct ir_block x;

	memcpy(&x, o, sizeof(x));
	x.mmu_idx = 0;
	x.stack_cache = x.direct = x.window = false;
	for (int n = 0; n < x.n; n++) {
		const struct ir_insn *w = &t->want_opt.insn[n];
		bool any = n >= t->want_opt.n || (!w->flive && !w->ffault);

		if (any)
			x.insn[n].flive = x.insn[n].ffault = 0;
	}
	ir_print(&x, a, sizeof(a));
	ir_print(&t->want_opt, b, sizeof(b));
	if (!strcmp(a, b))
		return NULL;
	for (char *p = a; (p = strchr(p, '\n')); )
		*p = ';';
	snprintf(why, sizeof(why), "optimised to: %s", a);
	return why;
}

static const char *run_cases(const struct test *t, const struct ir_block *b,
			     const char *(*run)(const struct ir_block *,
						struct state *))
{
	static char why[200];

	for (int k = 0; k < t->n_cases; k++) {
		const struct test_case *c = &t->c[k];

		/* which flags count is for the exit taken to say           */
		got = c->in;
		interp(&t->block, &got);
		want = c->out;
		want.live = c->flags_count ? got.live : 0;
		want.undef = got.undef;
		got = c->in;
		const char *bad = run(b, &got);

		if (!bad)
			bad = compare(&want, &got);
		if (bad) {
			snprintf(why, sizeof(why), "case %d: %s", k + 1, bad);
			return why;
		}
	}
	return NULL;
}

static const char *run_interp(const struct ir_block *b, struct state *s)
{
	interp(b, s);
	return NULL;
}

static void file_main(const char *path)
{
	static struct test t;
	static char text[1 << 16];
	const char *slash = strrchr(path, '/'), *bad;
	FILE *f = fopen(path, "r");
	size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;

	snprintf(t.name, sizeof(t.name), "%s", slash ? slash + 1 : path);
	t.name[strcspn(t.name, ".")] = 0;
	if (!f) {
		verdict(false, t.name, "read", "cannot open");
		return;
	}
	fclose(f);
	text[n] = 0;
	bad = parse_test(&t, text);
	if (bad) {
		verdict(false, t.name, "read", bad);
		return;
	}
	bad = run_cases(&t, &t.block, run_interp);
	verdict(!bad, t.name, "interp", bad);
	memcpy(&optimised, &t.block, sizeof(optimised));
	ir_optimize(&optimised);
	bad = run_cases(&t, &optimised, run_interp);
	if (!bad && t.opt_text[0] && !opts_chosen)
		bad = check_expected(&t, &optimised);
	if (!bad)
		bad = round_trip(&t.block);
	verdict(!bad, t.name, "opt", bad);
	if (!backend_present())
		return;
	bad = run_cases(&t, &optimised, backend_run);
	verdict(!bad, t.name, "x64", bad);
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 2 && !strcmp(argv[1], "-O")) {
		if (!tcg_opts_parse(argv[2])) {
			fprintf(stderr, "irtest: -O %s: unknown\n", argv[2]);
			return 2;
		}
		opts_chosen = true;
		argv += 2;
		argc -= 2;
	}
	if (argc == 4 && !strcmp(argv[1], "-r"))
		return random_main(strtoull(argv[2], NULL, 0),
				   strtoull(argv[3], NULL, 0));
	if (argc == 3 && (!strcmp(argv[1], "-p") || !strcmp(argv[1], "-m")))
		return print_main(strtoull(argv[2], NULL, 0), argv[1][1] == 'm');
	if (argc == 2 && !strcmp(argv[1], "-t"))
		return time_main();
	for (int k = 1; k < argc; k++)
		file_main(argv[k]);
	return failures != 0;
}
