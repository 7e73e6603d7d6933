/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/ir/backend.c - runs a block through the x86-64 back end.
 *
 * The machine is that of interp.h. Of its sixteen pages most are in the soft
 * TLB's tables; IO_PAGES are not, and reach the bounce buffer as MMIO would;
 * RO_PAGES take the slow path for stores, as pages with code do; LAZY_PAGES come
 * into the tables when a shared check asks for them (fill_page). A block that
 * leaves for its variant without shared stack checks goes on with the rest of
 * the same program, translated that way. */
#define _GNU_SOURCE
#include "backend.h"

#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "tcg/x64.h"

enum { IO_PAGES = 1 << 3 | 1 << 9, RO_PAGES = 1 << 5 | 1 << 7,
       LAZY_PAGES = 1 << 2 | 1 << 10,
       CF_NO_STACK = 0x100, NO_PC = 0x6b7a5913, RETURN_STACK = 64 << 10 };

enum { WINDOW_FIRST = 0x10000000, WINDOW_STEP = 0x1000000, WINDOW_LAST = 0x70000000,
       WINDOW_BELOW = 2 << 20 };
#define WINDOW_SPAN (6ull << 30)

static struct test_cpu *cpu;
static u8 *ram, *return_stack;
static u8 *window;               /* ram once more, without IO_PAGES         */
static struct tcg_region region;
static struct tb *current_tb;
static sigjmp_buf out;
static enum end how;
static bool looked;

/* -- what translated code calls ------------------------------------------------- */
/* Where a fault in translated code is: the guest instruction of a host pc. */
static const struct tb_insn *find_insn(u64 host_pc)
{
	u32 ofs = (u32)(host_pc - (u64)(uintptr_t)current_tb->code);
	const struct tb_insn *found = NULL;

	for (int k = 0; k < current_tb->n_map; k++)
		if (current_tb->map[k].ofs <= ofs)
			found = &current_tb->map[k];
	return found;
}

/* An exit may have noted how to make them. */
static void sync_flags(void)
{
	if (cpu->c.cc >> 32)
		tcg_sync_flags(&cpu->c);
}

static void leave(enum end end, u64 host_pc)
{
	const struct tb_insn *m = find_insn(host_pc);

	how = end;
	sync_flags();
	cpu->c.pc = m ? current_tb->pc + m->pc_ofs : NO_PC;
	siglongjmp(out, 1);
}

static void backend_raise(struct cpu *c, enum end end)
{
	leave(end, c->host_pc - 1);
}

static u64 slow_probe(struct cpu *c, u32 addr, u32 size, u32 access)
{
	u32 page = addr >> 12, last = (addr + size - 1) >> 12;
	int kind = (int)(access >> 8);

	if ((u64)addr + size > MEM_SIZE)
		leave(END_FAULT, c->host_pc - 1);
	c->bounce_size = 0;
	if (page == last && !(IO_PAGES >> page & 1))
		return (u64)(uintptr_t)ram + addr;
	if (kind != ACCESS_STORE)
		memcpy(c->bounce, ram + addr, size);
	if (kind != ACCESS_READ) {
		c->bounce_gva = addr;
		c->bounce_size = size;
	}
	return (u64)(uintptr_t)c->bounce;
}

static void write_back(struct cpu *c)
{
	memcpy(ram + c->bounce_gva, c->bounce, c->bounce_size);
}

static void fill_entries(u32 page, u64 addend)
{
	for (int m = 0; m < 2; m++)
		for (int w = 0; w < 2; w++)
			cpu_tables(&cpu->c)->tlb[m][w][page] = addend;
}

static void fill_page(struct cpu *c, u32 addr, u32 mmu)
{
	(void)c, (void)mmu;
	if (addr < MEM_SIZE && LAZY_PAGES >> (addr >> 12) & 1)
		fill_entries(addr >> 12, (u64)(uintptr_t)ram);
}

static u64 lookup(struct cpu *c)
{
	(void)c;
	looked = true;
	return 0;
}

/* Host register number to its place in the signal frame. */
static u64 frame_reg(const ucontext_t *uc, int r)
{
	static const u8 place[16] = {
		REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI,
		REG_RDI, REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13,
		REG_R14, REG_R15,
	};

	return (u64)uc->uc_mcontext.gregs[place[r]];
}

/* A division that faults does so on the host. */
static void on_fpe(int sig, siginfo_t *info, void *frame)
{
	const ucontext_t *uc = frame;
	u64 pc = (u64)uc->uc_mcontext.gregs[REG_RIP];
	const struct tb_insn *m = find_insn(pc);

	(void)sig;
	(void)info;
	for (int g = 0; g < N_GLOBALS; g++)
		cpu->c.regs[g] = frame_reg(uc, test_target.global[g].host);
	if (m && m->flags_in_host)
		cpu->c.cc = cc_from_eflags((u32)uc->uc_mcontext.gregs[REG_EFL]);
	leave(END_FAULT, pc);
}

/* A load found no page in the window: its slow path goes on. */
static void on_segv(int sig, siginfo_t *info, void *frame)
{
	ucontext_t *uc = frame;
	const struct tb_insn *m = current_tb ? find_insn((u64)uc->uc_mcontext.gregs[REG_RIP]) : NULL;
	u64 at = (u64)(uintptr_t)info->si_addr - (u64)(uintptr_t)(window - WINDOW_BELOW);

	if (!m || !m->slow || at >= WINDOW_SPAN) {
		signal(sig, SIG_DFL);
		return;
	}
	cpu->c.window_at = (u64)uc->uc_mcontext.gregs[REG_RIP];
	uc->uc_mcontext.gregs[REG_RIP] = (greg_t)((u64)(uintptr_t)current_tb->code + m->slow);
}

/* -- set-up ------------------------------------------------------------------------- */
static bool no_page(ram_addr page) { (void)page; return false; }
static bool no_change(const struct tb *tb) { (void)tb; return true; }
static void no_drop(struct tb *tb) { (void)tb; }

static void layout(void)
{
	struct tcg_layout *l = &tcg_layout;

#define AT(field) .field = (s32)offsetof(struct cpu, field)
#define TABLE(field) (s32)(CPU_TABLES_OFS + offsetof(struct cpu_tables, field))
	*l = (struct tcg_layout){
		AT(stack_tag), AT(stack_addend), AT(cc), AT(exit_request),
		AT(host_pc), AT(pc), AT(regs), AT(spill), AT(save), AT(arg_c),
		AT(bounce_size), AT(exit_link), AT(c_rsp), AT(ret_sp), AT(xmm),
		AT(jc_now),
		.jc_host_ofs = (s32)offsetof(struct jc_table, host),
		.jc_size = JC_SIZE, .ram_low = true,
		.window = (s32)(uintptr_t)window, .window_below = WINDOW_BELOW,
		AT(window_at),
		.slow_probe = slow_probe, .write_back = write_back,
		.fill_page = fill_page, .lookup_tb_ptr = lookup,
	};
	for (int m = 0; m < 2; m++)
		for (int w = 0; w < 2; w++)
			l->tlb[m][w] = TABLE(tlb[m][w]);
	for (int i = 0; i < JC_SETS; i++)
		l->jc[i] = TABLE(jc[i]);
#undef AT
#undef TABLE
}

static void fill_tables(struct cpu_tables *t)
{
	for (u32 page = 0; page < TLB_PAGES; page++) {
		bool ok = page < MEM_SIZE >> 12 && !(IO_PAGES >> page & 1);
		u64 addend = (u64)(uintptr_t)ram;

		for (int m = 0; m < 2; m++) {
			t->tlb[m][0][page] = ok ? addend : TLB_INVALID;
			ok = ok && !(RO_PAGES >> page & 1);
			t->tlb[m][1][page] = ok ? addend : TLB_INVALID;
		}
	}
	/* Empty: no pc is the one that hashes where it stands. */
	for (u32 h = 0; h < JC_SIZE; h++)
		for (int i = 0; i < JC_SETS; i++)
			t->jc[i].pc[h] = h ? 0 : 1;
}

/* The RAM, and the window of it; nothing is around that. */
static bool make_ram(void)
{
	int fd = memfd_create("ram", 0), prot = PROT_READ | PROT_WRITE;
	u8 *at = MAP_FAILED;

	if (fd < 0 || ftruncate(fd, MEM_SIZE))
		return false;
	ram = mmap(NULL, MEM_SIZE, prot, MAP_SHARED | MAP_32BIT, fd, 0);
	for (u64 a = WINDOW_FIRST; a < WINDOW_LAST && at == MAP_FAILED; a += WINDOW_STEP)
		at = mmap((void *)(uintptr_t)a, WINDOW_SPAN, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS |
			  MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
	if (ram == MAP_FAILED || at == MAP_FAILED)
		return false;
	window = at + WINDOW_BELOW;
	if (mmap(window, MEM_SIZE, prot, MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED)
		return false;
	for (u32 page = 0; page < MEM_SIZE >> 12; page++)
		if (IO_PAGES >> page & 1)
			mprotect(window + (page << 12), 4096, PROT_NONE);
	return true;
}

/* The stack that translated code calls and returns on; a signal meanwhile
 * needs another. */
static void make_stacks(void)
{
	static u8 signal_stack[64 << 10];
	stack_t ss = { .ss_sp = signal_stack, .ss_size = sizeof(signal_stack) };
	u64 *top;

	return_stack = mmap(NULL, RETURN_STACK, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (return_stack == MAP_FAILED || sigaltstack(&ss, NULL)) {
		perror("stack");
		exit(2);
	}
	top = (u64 *)(void *)(return_stack + RETURN_STACK / 2);
	*top = (u64)(uintptr_t)tcg_ret_empty;
	cpu->c.ret_top = (u64)(uintptr_t)top;
}

static void init(void)
{
	static const struct tb_hooks hooks = { no_page, no_change, no_drop };
	size_t size = CPU_TABLES_OFS + sizeof(struct cpu_tables);
	struct sigaction sa = { .sa_sigaction = on_fpe,
				.sa_flags = SA_SIGINFO | SA_NODEFER |
					    SA_ONSTACK };

	_Static_assert(sizeof(struct test_cpu) <= CPU_TABLES_OFS, "tables follow");
	cpu = mmap(NULL, size, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (cpu == MAP_FAILED || !make_ram()) {
		perror("mmap");
		exit(2);
	}
	layout();
	fill_tables(cpu_tables(&cpu->c));
	tb_init(MEM_SIZE, 4 << 20, 1, &hooks);
	tcg_prologue_init(&test_target);
	make_stacks();
	if (!tcg_region_alloc(&region)) {
		fprintf(stderr, "no region\n");
		exit(2);
	}
	sigaction(SIGFPE, &sa, NULL);
	sa.sa_sigaction = on_segv;
	sigaction(SIGSEGV, &sa, NULL);
}

/* -- the run -------------------------------------------------------------------------- */
/* Offsets in the block are those of struct state's env. */
static void relocate(struct ir_block *b)
{
	for (int n = 0; n < b->n; n++)
		if (ir_desc[b->insn[n].op].kind == IRK_ENV ||
		    b->insn[n].op == IR_GUARD)
			b->insn[n].imm += (s64)offsetof(struct test_cpu, env);
}

/* The program from the instruction at pc on, without shared stack checks. */
static bool tail(struct ir_block *b, u64 pc)
{
	int n = 0;

	while (n < b->n && !(b->insn[n].op == IR_INSN && (u64)b->insn[n].imm == pc))
		n++;
	if (n == b->n)
		return false;
	b->n -= n;
	memmove(b->insn, b->insn + n, (size_t)b->n * sizeof(b->insn[0]));
	b->stack_cache = false;
	return true;
}

static const char *run_block(struct ir_block *b, u64 pc, u32 cflags)
{
	struct tcg_region r = region;    /* the same place each time         */
	struct tb tb = { .pc = pc, .cflags = cflags };
	u64 reason;

	current_tb = &tb;
	/* both forms of the check, whatever the memory is: */
	tcg_layout.ram_low = b->n & 1;
	if (!tcg_gen_code(b, &tb, &r))
		return "region full";
	how = END_NONE;
	looked = false;
	cpu->c.pc = NO_PC;
	cpu->c.host_pc = 0;
	cpu->c.ret_sp = cpu->c.ret_top;
	cpu->c.jc_now = (u64)(uintptr_t)&cpu_tables(&cpu->c)->jc[0];
	if (sigsetjmp(out, 1))
		return NULL;
	reason = tcg_enter(&cpu->c, tb.code);
	sync_flags();
	if (reason == TCG_EXIT_LINK) {
		cpu->c.pc = cpu->c.exit_link->pc;
		if (!(cpu->c.exit_link->cflags & CF_NO_STACK)) {
			how = END_EXIT;
			return NULL;
		}
		if (cflags & CF_NO_STACK || !tail(b, cpu->c.pc))
			return "leaves for a variant that is not there";
		return run_block(b, cpu->c.pc, CF_NO_STACK);
	}
	if (reason != TCG_EXIT_MAIN)
		return "asks for an interrupt";
	how = !looked ? END_MAIN : cpu->c.pc == NO_PC ? END_LOOK : END_EXIT;
	return NULL;
}

bool backend_present(void) { return true; }

const char *backend_run(const struct ir_block *b, struct state *s)
{
	static struct ir_block copy;
	const char *bad;
	u64 pc = 0;

	if (!cpu)
		init();
	test_raise = backend_raise;
	memcpy(&copy, b, offsetof(struct ir_block, insn) +
	       (size_t)b->n * sizeof(b->insn[0]));
	relocate(&copy);
	for (int n = b->n - 1; n >= 0; n--)
		if (b->insn[n].op == IR_INSN)
			pc = (u64)b->insn[n].imm;
	memcpy(cpu->c.regs, s->global, sizeof(s->global));
	memcpy(cpu->env, s->env, ENV_SIZE);
	memcpy(ram, s->mem, MEM_SIZE);
	cpu->c.cc = cc_from_eflags(cc_of_flags(s->flags));
	cpu->c.stack_tag = TLB_INVALID;
	for (u32 page = 0; page < MEM_SIZE >> 12; page++)
		if (LAZY_PAGES >> page & 1)
			fill_entries(page, TLB_INVALID);
	/* what ir_block.direct hopes for, or not */
	cpu->c.stack_addend = b->n & 2 ? (u64)(uintptr_t)ram : 0;
	bad = run_block(&copy, pc, 0);
	memcpy(s->global, cpu->c.regs, sizeof(s->global));
	memcpy(s->env, cpu->env, ENV_SIZE);
	memcpy(s->mem, ram, MEM_SIZE);
	s->flags = flags_of_cc(cc_to_eflags(cpu->c.cc));
	s->end = how;
	s->pc = how == END_MAIN || how == END_LOOK ? 0 : (u32)cpu->c.pc;
	return bad;
}
