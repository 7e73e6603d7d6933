/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/tcg/x64_stubs.c - the host code that every block shares: entry and exit,
 * slow paths into C, one stub for each helper.
 *
 * A stub stores the guest's registers in struct cpu before it calls C: so C
 * may look at them, and a fault leaves by resetting rsp alone. It reloads what
 * the C ABI clobbers (all of them when the callee may have changed some). The
 * x87 state stays in the host's registers: our C does not touch it. */
#include "tcg/x64_gen.h"

#include "env/log.h"

struct tcg_layout tcg_layout;
u64 (*tcg_enter)(struct cpu *cpu, u8 *code);
void (*tcg_sync_flags)(struct cpu *cpu);
u8 *tcg_ret_empty;

u8 *stub_exit_main, *stub_exit_link, *stub_exit_irq, *stub_lookup, *stub_lookup_pc,
   *stub_write_back, *stub_stack_refill[2], *stub_group_refill[2][2], *stub_jump_cache,
   *stub_sync, *stub_synced, *stub_base;
u8 *stub_probe[2][N_ACCESS][N_CLASSES];
u8 *stub_helper[256], *stub_helper_look[256];

static u8 *lookup_saved;             /* stub_lookup_pc, the globals are in struct cpu */
static const struct ir_target *target;
static struct xcode code;

enum { STUB_BYTES = 64 * 1024 };

static const u8 class_bytes[N_CLASSES] = { 1, 2, 4, 8, 10, 16, 16 };
enum { CLASS_ALIGNED = N_CLASSES - 1 };

int stub_size_class(int bytes, bool aligned)
{
	int class = 0;

	while (class_bytes[class] != bytes)
		class++;
	return aligned ? CLASS_ALIGNED : class;
}

static u8 *here(void)
{
	x_align(&code, 16);
	return tcg_rx(code.p);
}

static struct xmem env(s32 ofs)
{
	return XMEM(X_ENV, ofs);
}

static void push(int r)
{
	if (r > 7)
		x_u8(&code, 0x41);
	x_u8(&code, 0x50 | (r & 7));
}

static void pop(int r)
{
	if (r > 7)
		x_u8(&code, 0x41);
	x_u8(&code, 0x58 | (r & 7));
}

static void ret(void)
{
	x_u8(&code, 0xc3);
}

static void save_globals(void)
{
	for (int i = 0; i < target->n_globals; i++)
		x_st(&code, IRS_64, env(target->global[i].offset), target->global[i].host);
}

static bool callee_saved(int r)
{
	return r == X_RBP || r >= X_R12;
}

static void load_globals(bool all)
{
	for (int i = 0; i < target->n_globals; i++)
		if (all || !callee_saved(target->global[i].host))
			x_ld(&code, IRS_64, target->global[i].host,
			     env(target->global[i].offset));
}

/* movups between the XMM registers and cpu->xmm: op 0x10 loads, 0x11 stores. */
static void move_xmm(int op)
{
	for (int i = 0; i < 8 && !XMM_IN_HOST; i++) {
		x_u8(&code, 0x41);
		x_u16(&code, 0x0f | (u32)op << 8);
		x_modrm_mem(&code, i, env(tcg_layout.xmm + 16 * i));
	}
}

/* Call C on its own stack; rbx is free (the guest's is saved). r10, which may
 * hold a temporary, survives. Arguments are in place. */
static void call_c(void *fn)
{
	x_mov_rr(&code, IRS_64, X_RBX, X_RSP);
	x_ld(&code, IRS_64, X_RSP, env(tcg_layout.c_rsp));
	x_st(&code, IRS_64, env(tcg_layout.save), X_R10);
	x_mov_ri(&code, X_RAX, (u64)(uintptr_t)fn);
	move_xmm(0x11);
	x_rr(&code, 0xff, IRS_32, 2, X_RAX);                 /* call rax    */
	move_xmm(0x10);
	x_mov_rr(&code, IRS_64, X_RSP, X_RBX);
	x_ld(&code, IRS_64, X_R10, env(tcg_layout.save));
	x_mov_ri(&code, X_R11, 12);
}

/* The return address tells C which guest instruction is under way. */
static void note_host_pc(void)
{
	x_ld(&code, IRS_64, X_R11, XMEM(X_RSP, 0));
	x_st(&code, IRS_64, env(tcg_layout.host_pc), X_R11);
}

static void clear_host_pc(void)
{
	x_rm_load(&code, 0xc7, IRS_64, 0, env(tcg_layout.host_pc));
	x_u32(&code, 0);
}

/* -- entry and exit ----------------------------------------------------------- */

static const u8 saved[] = { X_RBX, X_RBP, X_R12, X_R13, X_R14, X_R15 };

/* What the C ABI wants back; r15 = the first argument, struct cpu. */
static void save_callers(void)
{
	for (unsigned i = 0; i < ARRAY_SIZE(saved); i++)
		push(saved[i]);
	x_grp1_ri(&code, 5, IRS_64, X_RSP, 8);
	x_mov_rr(&code, IRS_64, X_ENV, X_RDI);
}

static void return_to_c(void)
{
	x_grp1_ri(&code, 0, IRS_64, X_RSP, 8);
	for (unsigned i = ARRAY_SIZE(saved); i--; )
		pop(saved[i]);
	ret();
}

static void make_enter(void)
{
	u8 *entry = here(), *leave, *cached;

	save_callers();
	x_mov_rr(&code, IRS_64, X_HOST, X_RSI);
	load_globals(true);
	move_xmm(0x10);
	x_ld(&code, IRS_64, X_STACK, env(tcg_layout.stack_addend));
	x_mov_ri(&code, X_TWELVE, 12);
	x_st(&code, IRS_64, env(tcg_layout.c_rsp), X_RSP);
	x_ld(&code, IRS_64, X_RSP, env(tcg_layout.ret_sp));
	x_rr(&code, 0xff, IRS_32, 4, X_HOST);                /* jmp r9      */
	tcg_enter = (u64 (*)(struct cpu *, u8 *))(uintptr_t)entry;

	/* eax: reason */
	leave = here();
	move_xmm(0x11);
	x_st(&code, IRS_64, env(tcg_layout.ret_sp), X_RSP);
	x_ld(&code, IRS_64, X_RSP, env(tcg_layout.c_rsp));
	return_to_c();

	stub_exit_main = here();
	save_globals();
	x_mov_ri(&code, X_RAX, TCG_EXIT_MAIN);
	x_jmp_to(&code, tcg_rw(leave));

	stub_exit_link = here();                             /* r8: link    */
	x_rm_load(&code, 0x80, IRS_8, 7, XMEM(X_R8, offsetof(struct tb_link, by_cache)));
	x_u8(&code, 0);
	cached = x_jcc(&code, CC_NE);
	save_globals();
	x_st(&code, IRS_64, env(tcg_layout.exit_link), X_R8);
	x_mov_ri(&code, X_RAX, TCG_EXIT_LINK);
	x_jmp_to(&code, tcg_rw(leave));

	stub_exit_irq = here();                              /* r8d: pc     */
	save_globals();
	x_st(&code, IRS_64, env(tcg_layout.pc), X_R8);
	x_mov_ri(&code, X_RAX, TCG_EXIT_IRQ);
	x_jmp_to(&code, tcg_rw(leave));

	/* Find the code for a pc through C; without any, go to the loop. */
	stub_lookup = here();                                /* r8d: pc     */
	x_st(&code, IRS_64, env(tcg_layout.pc), X_R8);
	stub_lookup_pc = tcg_rx(code.p);                     /* cpu->pc     */
	save_globals();
	lookup_saved = tcg_rx(code.p);
	x_st(&code, IRS_64, env(tcg_layout.ret_sp), X_RSP);
	x_mov_rr(&code, IRS_64, X_RDI, X_ENV);
	call_c((void *)tcg_layout.lookup_tb_ptr);
	x_ld(&code, IRS_64, X_RSP, env(tcg_layout.ret_sp));
	x_rr(&code, 0x85, IRS_64, X_RAX, X_RAX);
	leave = x_jcc8(&code, CC_E);
	x_mov_rr(&code, IRS_64, X_HOST, X_RAX);
	load_globals(true);
	x_ld(&code, IRS_64, X_STACK, env(tcg_layout.stack_addend));
	x_rr(&code, 0xff, IRS_32, 4, X_HOST);
	x_patch8(leave, code.p);
	load_globals(true);
	x_jmp_to(&code, tcg_rw(stub_exit_main));

	/* A return with no frame left: r8d holds the pc, ret took the mark. */
	tcg_ret_empty = here();
	x_lea(&code, IRS_64, X_RSP, XMEM(X_RSP, -8));
	stub_jump_cache = tcg_rx(code.p);                    /* r8d: pc     */
	x_ld(&code, IRS_64, X_R10, env(tcg_layout.jc_now));
	gen_jump_cache(&code, XMEM(X_R10, 0));

	x_patch(cached, code.p);
	x_ld(&code, IRS_32, X_R8, XMEM(X_R8, offsetof(struct tb_link, pc)));
	x_jmp_to(&code, tcg_rw(stub_jump_cache));
}

/* -- guest memory --------------------------------------------------------------- */

/* r8d: guest address. Out: r9 host address; CF: it is the bounce buffer. */
static void make_probe(int mmu, int access, int class)
{
	int bytes = class_bytes[class];
	u8 *absent, *crosses = NULL;

	stub_probe[mmu][access][class] = here();
	x_shrx(&code, X_HOST, X_EA, X_TWELVE);
	x_ld(&code, IRS_64, X_HOST, (struct xmem){ X_ENV, X_HOST, 3,
	     tcg_layout.tlb[mmu][access != ACCESS_READ] });
	x_rr(&code, 0x03, IRS_64, X_HOST, X_EA);
	absent = x_jcc8(&code, CC_S);
	if (class == CLASS_ALIGNED) {            /* also called to raise the fault */
		x_rd(&code, 0xf6, IRS_8, 0, X_EA);
		x_u8(&code, 15);
		crosses = x_jcc8(&code, CC_NE);
	} else if (bytes > 1) {
		x_lea(&code, IRS_32, X_R11, XMEM(X_EA, bytes - 1));
		x_rr(&code, 0x33, IRS_32, X_R11, X_EA);
		x_rr(&code, 0xf7, IRS_32, 0, X_R11);         /* test r11d   */
		x_u32(&code, 0xfffff000u);
		x_mov_ri(&code, X_R11, 12);
		crosses = x_jcc8(&code, CC_NE);
	} else {
		x_u8(&code, 0xf8);                           /* clc         */
	}
	ret();
	x_patch8(absent, code.p);
	if (crosses)
		x_patch8(crosses, code.p);
	note_host_pc();
	save_globals();
	x_mov_rr(&code, IRS_64, X_RDI, X_ENV);
	x_mov_rr(&code, IRS_32, X_RSI, X_EA);
	x_mov_ri(&code, X_RDX, (u64)bytes);
	x_mov_ri(&code, X_RCX, (u64)(mmu << 4 | access << 8 |
				     (class == CLASS_ALIGNED ? ACCESS_ALIGNED : 0)));
	call_c((void *)tcg_layout.slow_probe);
	x_mov_rr(&code, IRS_64, X_HOST, X_RAX);
	load_globals(false);
	clear_host_pc();
	/* CF = bounce_size != 0 */
	x_mov_ri(&code, X_R8, 0);
	x_rm(&code, 0x3b, IRS_32, X_R8, env(tcg_layout.bounce_size));
	ret();
}

/* Keeps the host's flags. */
static void make_write_back(void)
{
	stub_write_back = here();
	note_host_pc();
	save_globals();
	x_u8(&code, 0x9f);                                   /* lahf        */
	x_rr(&code, 0x0f90, IRS_8, 0, X_RAX);                /* seto al     */
	x_st(&code, IRS_32, env(tcg_layout.save + 8), X_RAX);
	x_mov_rr(&code, IRS_64, X_RDI, X_ENV);
	call_c((void *)tcg_layout.write_back);
	x_ld(&code, IRS_32, X_RAX, env(tcg_layout.save + 8));
	x_grp1_ri(&code, 0, IRS_8, X_RAX, 0x7f);             /* OF again    */
	x_u8(&code, 0x9e);                                   /* sahf        */
	load_globals(false);
	clear_host_pc();
	ret();
}

/* r8d, r9d: first and last byte. The jump that is taken when they lie in two pages. */
static u8 *jump_if_apart(void)
{
	x_mov_rr(&code, IRS_32, X_R11, X_R8);
	x_rr(&code, 0x33, IRS_32, X_R11, X_R9);
	x_rr(&code, 0xf7, IRS_32, 0, X_R11);
	x_u32(&code, 0xfffff000u);
	x_mov_ri(&code, X_R11, 12);
	return x_jcc(&code, CC_NE);
}

/* Have C fill the entries of r8d's page; r8 is kept. */
static void call_fill(int mmu)
{
	x_st(&code, IRS_64, env(tcg_layout.save + 8), X_R8);
	save_globals();
	x_mov_rr(&code, IRS_64, X_RDI, X_ENV);
	x_mov_rr(&code, IRS_32, X_RSI, X_R8);
	x_mov_ri(&code, X_RDX, (u64)mmu);
	call_c((void *)tcg_layout.fill_page);
	load_globals(false);
	x_ld(&code, IRS_64, X_R8, env(tcg_layout.save + 8));
}

/* r9: the entry of r8d's page; SF: it is absent. (A guest address above the host's has a
 * negative addend: it is the sum that tells.) */
static void load_entry(int mmu, bool write)
{
	x_shrx(&code, X_R9, X_R8, X_TWELVE);
	x_ld(&code, IRS_64, X_R9, (struct xmem){ X_ENV, X_R9, 3, tcg_layout.tlb[mmu][write] });
	x_lea(&code, IRS_64, X_R11, (struct xmem){ X_R9, X_R8, 0, 0 });
	x_rr(&code, 0x85, IRS_64, X_R11, X_R11);
	x_mov_ri(&code, X_R11, 12);
}

/* The same; a page that has no entry at all is filled. The jumps no[0], no[1] are taken
 * when there is none after that, or one for reading only. */
static void find_entry(int mmu, bool write, u8 *no[2])
{
	u8 *there;

	load_entry(mmu, write);
	there = x_jcc(&code, CC_NS);
	load_entry(mmu, false);
	no[0] = x_jcc(&code, CC_NS);
	call_fill(mmu);
	load_entry(mmu, write);
	no[1] = x_jcc(&code, CC_S);
	x_patch(there, code.p);
}

static void fail_here(u8 *const no[], int n)
{
	for (int i = 0; i < n; i++)
		x_patch(no[i], code.p);
	x_u8(&code, 0xf9);                                   /* stc         */
	ret();
}

/* r8, r9: first and last byte, not wrapped. CF clear: r13 and stack_tag serve them. Another
 * vCPU may take the entry, then the tag, at any moment (tlb_code_page), or set
 * exit_request and take the tag (cpu_ask_to_leave): so the tag is stored with a fence
 * (xchg), and counts only if the entry is still there and nobody asks. The first page and
 * the last are none of it: ESP may wrap between two accesses, and r12 + r13 does not. */
static void make_stack_refill(int mmu)
{
	u8 *no[5], *gone, *asked;

	stub_stack_refill[mmu] = here();
	x_mov_rr(&code, IRS_32, X_R11, X_R8);
	x_rr(&code, 0x3b, IRS_64, X_R11, X_R8);
	x_mov_ri(&code, X_R11, 12);
	no[0] = x_jcc(&code, CC_NE);                         /* wraps       */
	no[1] = jump_if_apart();
	x_lea(&code, IRS_32, X_R9, XMEM(X_R8, -4096));
	x_grp1_ri(&code, 7, IRS_32, X_R9, -8192);
	no[2] = x_jcc(&code, CC_AE);
	find_entry(mmu, true, no + 3);
	x_mov_rr(&code, IRS_64, X_STACK, X_R9);
	x_st(&code, IRS_64, env(tcg_layout.stack_addend), X_STACK);
	x_grp1_ri(&code, 4, IRS_32, X_R8, -4096);
	x_mov_rr(&code, IRS_32, X_R9, X_R8);
	x_rm(&code, 0x87, IRS_64, X_R9, env(tcg_layout.stack_tag));  /* xchg */
	x_shrx(&code, X_R9, X_R8, X_TWELVE);
	x_rm(&code, 0x3b, IRS_64, X_STACK,
	     (struct xmem){ X_ENV, X_R9, 3, tcg_layout.tlb[mmu][1] });
	gone = x_jcc8(&code, CC_NE);
	x_rm_load(&code, 0x83, IRS_32, 7, env(tcg_layout.exit_request));
	x_u8(&code, 0);
	asked = x_jcc8(&code, CC_NE);
	x_u8(&code, 0xf8);
	ret();
	x_patch8(gone, code.p);
	x_patch8(asked, code.p);
	x_mov_ri(&code, X_R9, 1ull << 63);                   /* no page     */
	x_st(&code, IRS_64, env(tcg_layout.stack_tag), X_R9);
	fail_here(no, 5);
}

/* r8d, r9d: first and last byte. CF clear: the table has the page now. */
static void make_group_refill(int mmu, bool write)
{
	u8 *no[3];

	stub_group_refill[mmu][write] = here();
	no[0] = jump_if_apart();
	find_entry(mmu, write, no + 1);
	x_u8(&code, 0xf8);                                   /* clc         */
	ret();
	fail_here(no, 3);
}

/* -- helpers -------------------------------------------------------------------- */

static void call_helper(const struct ir_helper *h)
{
	note_host_pc();
	save_globals();
	x_mov_rr(&code, IRS_64, X_RDI, X_ENV);
	x_mov_rr(&code, IRS_32, X_RSI, X_R8);
	x_mov_rr(&code, IRS_32, X_RDX, X_R9);
	x_ld(&code, IRS_32, X_RCX, env(tcg_layout.arg_c));
	call_c(h->fn);
}

/* r8d, r9d and arg_c: arguments. r8: result. The second stub does not return: it goes on
 * at cpu->pc. It is for helpers that load one, in the main; they write everything. */
enum { CHANGES_ALL = IRH_WREGS | IRH_WFLAGS };

static void make_helper(int n)
{
	const struct ir_helper *h = &target->helper[n];

	stub_helper[n] = here();
	call_helper(h);
	x_mov_rr(&code, IRS_64, X_R8, X_RAX);
	load_globals(h->flags & IRH_WREGS);
	clear_host_pc();
	ret();

	if ((h->flags & CHANGES_ALL) != CHANGES_ALL)
		return;
	stub_helper_look[n] = here();
	call_helper(h);
	clear_host_pc();
	x_lea(&code, IRS_64, X_RSP, XMEM(X_RSP, 8));
	x_jmp_to(&code, tcg_rw(lookup_saved));
}

/* cpu->cc is a thunk (x64_flags.c): run it. All registers are kept, the host's flags
 * are not. No call in between: the return stack may be full. */
static void make_sync(void)
{
	u8 *entry;

	stub_sync = here();
	x_st(&code, IRS_64, env(tcg_layout.save + 16), X_R8);
	x_st(&code, IRS_64, env(tcg_layout.save + 24), X_R9);
	x_ld(&code, IRS_32, X_R8, env(tcg_layout.cc + 4));
	x_mov_ri(&code, X_R9, (u64)(uintptr_t)stub_base);
	x_rr(&code, 0x03, IRS_64, X_R8, X_R9);
	x_rr(&code, 0xff, IRS_32, 4, X_R8);                  /* jmp r8      */
	stub_synced = tcg_rx(code.p);
	x_ld(&code, IRS_64, X_R8, env(tcg_layout.save + 16));
	x_ld(&code, IRS_64, X_R9, env(tcg_layout.save + 24));
	ret();

	entry = here();
	save_callers();
	load_globals(true);
	x_call_to(&code, tcg_rw(stub_sync));
	return_to_c();
	tcg_sync_flags = (void (*)(struct cpu *))(uintptr_t)entry;
}

void tcg_prologue_init(const struct ir_target *t)
{
	u8 *start = tcg_code_reserve(STUB_BYTES);

	tcg_check_host();
	tcg_probe_flags();
	target = t;
	code.p = start;
	ASSERT(t->n_helpers <= (int)ARRAY_SIZE(stub_helper));
	stub_base = tcg_rx(start);
	make_sync();
	make_enter();
	for (int mmu = 0; mmu < 2; mmu++) {
		for (int access = 0; access < N_ACCESS; access++)
			for (int class = 0; class < N_CLASSES; class++)
				make_probe(mmu, access, class);
		make_stack_refill(mmu);
		make_group_refill(mmu, false);
		make_group_refill(mmu, true);
	}
	make_write_back();
	for (int i = 0; i < t->n_helpers; i++)
		make_helper(i);
	ASSERT(code.p <= start + STUB_BYTES);
}
