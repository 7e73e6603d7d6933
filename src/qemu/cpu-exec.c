/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/qemu/cpu-exec.c - the exec loop: find the TB for the guest's state,
 * translate it when there is none, run it, deliver what it raised.
 *
 * cpu_exec() runs exec_loop() under cpu_exec_catch(): cpu_loop_exit() returns
 * there from any depth by resetting rsp. Upstream: accel/tcg/cpu-exec.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "env/clock.h"
#include "env/disas.h"
#include "env/lockstat.h"
#include "env/log.h"
#include "env/map.h"
#include "env/signal.h"
#include "env/strbuf.h"
#include "qemu/cpus.h"
#include "qemu/icount.h"
#include "qemu/machine.h"
#include "qemu/memory.h"
#include "qemu/ram_window.h"
#include "qemu/target.h"
#include "tcg/x64.h"

enum { CODE_BUFFER_MB = 512, HOST_RSP = 4 };

u64 cpu_exec_catch(u64 *save_rsp, u64 (*fn)(void *), void *arg);
void cpu_unwind(u64 rsp, u64 value) __attribute__((noreturn));
void cpu_fault_landing(void);

static __thread struct tcg_region region;

/* -- leaving -------------------------------------------------------------------- */

/* Put back what of its block is not executed. */
static void icount_put_back(struct cpu *cpu)
{
	u32 n = cpu_insns_left(cpu);

	if (n && cpu->restored_pc != cpu->host_pc)
		n--;
	cpu->icount_left += (s32)n;
}

/* The flags, if translated code has only noted how to make them. It has been left, at
 * an instruction's start: the registers still are what the note counts on. */
static void sync_flags(struct cpu *cpu)
{
	if (cpu->cc >> 32)
		tcg_sync_flags(cpu);
}

/* UNCHECKED: a device access may be left in its middle, with the BQL that
 * prepare_mmio_access took (cpu_exec is entered without it). */
UNCHECKED void cpu_loop_exit(struct cpu *cpu)
{
	if (bql_held())
		bql_unlock();
	if (icount_enabled())
		icount_put_back(cpu);
	sync_flags(cpu);
	cpu->host_pc = 0;
	cpu->ret_sp = cpu->ret_top;
	cpu_unwind(cpu->exit_rsp, 1);
}

/* The guest instruction that the host instruction at host_pc (in translated
 * code, a slow path perhaps) belongs to, and its TB. NULL: none. */
static const struct tb_insn *find_insn(u64 host_pc, struct tb **tb)
{
	const struct tb_insn *map;
	int lo = 0, hi;
	u32 ofs;

	*tb = tcg_tb_lookup(host_pc);
	if (!*tb)
		return NULL;
	map = (*tb)->map;
	ofs = (u32)(host_pc - (u64)(uintptr_t)(*tb)->code);
	for (hi = (*tb)->n_map; lo < hi; ) {
		int mid = (lo + hi) / 2;

		if (map[mid].ofs <= ofs)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo ? &map[lo - 1] : NULL;
}

u32 cpu_insns_left(const struct cpu *cpu)
{
	const struct tb_insn *m;
	struct tb *tb;

	if (!cpu->host_pc)
		return 0;
	m = find_insn(cpu->host_pc - 1, &tb);
	return m ? (u32)(tb->n_insns - m->index) : 0;
}

void cpu_restore_state(struct cpu *cpu)
{
	const struct tb_insn *m;
	struct tb *tb;

	if (!cpu->host_pc)
		return;
	m = find_insn(cpu->host_pc - 1, &tb);        /* the call itself     */
	if (m)
		cpu->pc = tb->pc + m->pc_ofs;
	cpu->restored_pc = cpu->host_pc;
}

void cpu_loop_exit_atomic(struct cpu *cpu)
{
	cpu_restore_state(cpu);
	cpu->exception_index = EXCP_ATOMIC;
	cpu_loop_exit(cpu);
}

void cpu_loop_exit_restore(struct cpu *cpu)
{
	cpu_restore_state(cpu);
	cpu_loop_exit(cpu);
}

bool cpu_host_pc_to_guest(struct cpu *cpu, u64 host_pc, u32 *eip)
{
	const struct tb_insn *m;
	struct tb *tb;

	(void)cpu;
	if (!tcg_in_code(host_pc))
		return false;
	m = find_insn(host_pc, &tb);
	if (!m)
		return false;
	*eip = (u32)(tb->pc + m->pc_ofs);
	return true;
}

/* -- host faults in translated code -------------------------------------------------- */

enum { FXSAVE_XMM = 160 };               /* place in the FXSAVE image   */

/* The host's exceptions that a guest's instruction may raise. */
enum { HOST_TRAP_DE = 0, HOST_TRAP_GP = 13, HOST_TRAP_PF = 14, HOST_TRAP_MF = 16,
       HOST_TRAP_XM = 19 };

static int fpe_vector(struct cpu *cpu, int trap)
{
	switch (trap) {
	case HOST_TRAP_DE:
		return target_host_fpe(cpu, HOST_FPE_DIVIDE);
	case HOST_TRAP_MF:
		return target_host_fpe(cpu, HOST_FPE_X87);
	case HOST_TRAP_XM:
		return target_host_fpe(cpu, HOST_FPE_SIMD);
	default:
		return -1;
	}
}

/* The return stack is full of frames that nobody returned to: start anew. */
static bool ret_stack_guard(const struct cpu *cpu, const void *addr)
{
	u64 low = cpu->ret_top - RET_STACK_BYTES, a = (u64)(uintptr_t)addr;

	return a >= low - HOST_PAGE && a < low + HOST_PAGE;
}

/* A load found no RAM in the window: what is to have a check from now on. */
static void window_missed(struct cpu *cpu, const struct tb *tb, const struct tb_insn *m)
{
	ram_addr at = (tb->page[0] & (ram_addr)PAGE_MASK) + (tb->phys & ~(ram_addr)PAGE_MASK) +
		      m->pc_ofs;

	if (at - tb->page[0] >= PAGE_SIZE)
		at += tb->page[1] - tb->page[0] - PAGE_SIZE;
	tcg_window_note_miss(at);
	cpu->window_miss = at + 1;
}

static bool host_fault(int signo, void *addr, struct host_context *ctx)
{
	u64 pc = host_context_pc(ctx);
	struct cpu *cpu = current_cpu;
	const struct tb_insn *m;
	struct tb *tb;
	int vector, trap;

	(void)signo;
	if (!cpu || !tcg_in_code(pc))
		return false;
	m = find_insn(pc, &tb);
	if (m && ret_stack_guard(cpu, addr)) {
		host_context_set_reg(ctx, HOST_RSP, cpu->ret_top);
		return true;
	}
	trap = host_context_trap(ctx);
	if (m && m->slow && trap == HOST_TRAP_GP) {
		/* an unaligned operand: its slow path raises the fault */
		host_context_set_pc(ctx, (u64)(uintptr_t)tb->code + m->slow);
		return true;
	}
	if (m && m->slow && trap == HOST_TRAP_PF && ram_window_spans(addr)) {
		window_missed(cpu, tb, m);
		cpu->window_at = pc;
		host_context_set_pc(ctx, (u64)(uintptr_t)tb->code + m->slow);
		return true;
	}
	vector = m ? fpe_vector(cpu, trap) : -1;
	if (vector < 0)
		return false;
	for (int i = 0; i < target_ir.n_globals; i++)
		*(u64 *)(void *)((char *)cpu + target_ir.global[i].offset) =
			host_context_reg(ctx, target_ir.global[i].host);
	if (m->flags_in_host)
		cpu->cc = cc_from_eflags(host_context_eflags(ctx));
	cpu->pc = tb->pc + m->pc_ofs;
	if (icount_enabled())
		cpu->icount_left += tb->n_insns - m->index;
	cpu->exception_index = vector;
	if (!XMM_IN_HOST)
		memcpy(cpu->xmm, host_context_fpu(ctx) + FXSAVE_XMM, sizeof(cpu->xmm));
	host_context_set_pc(ctx, (u64)(uintptr_t)cpu_fault_landing);
	return true;
}

/* -- translation ------------------------------------------------------------------------ */

static void log_text(const char *title, const struct ir_block *b)
{
	enum { TEXT_BYTES = 1 << 18 };
	char *text = malloc(TEXT_BYTES);

	if (!text)
		die("out of memory");
	ir_print(b, text, TEXT_BYTES);
	log_printf("%s:\n%s\n", title, text);
	free(text);
}

static void log_guest_code(const struct translation *t)
{
	gva at = target_linear_pc(t->pc, t->cs_base);
	u8 bytes[PAGE_SIZE];
	u32 n = MIN(t->size, (u32)sizeof(bytes));

	for (u32 i = 0; i < n; i++) {
		const u8 *p;
		ram_addr ram;

		if (!cpu_code_page_nofault(t->cpu, (at + i) & PAGE_MASK, &p, &ram) || !p)
			return;
		bytes[i] = p[(at + i) & ~PAGE_MASK];
	}
	log_printf("IN: 0x%08x\n", (u32)t->pc);
	disas_log(target_disas_mode(t->flags), bytes, n, t->pc);
}

static void log_host_code(const struct tb *tb)
{
	log_printf("OUT: [size=%u, hot=%u]\n", tb->code_size, tb->hot_size);
	disas_log(DISAS_X86_64, tb->code, tb->code_size, (u64)(uintptr_t)tb->code);
}

/* Memory for one; not cleared. NULL: the region is full. */
static struct tb *tb_alloc(void)
{
	struct tb *tb;

	if (region.meta_end - region.meta < (s64)sizeof(*tb))
		return NULL;
	tb = (struct tb *)(void *)region.meta;
	region.meta += (sizeof(*tb) + 7) & ~7ul;
	return tb;
}

_Static_assert(sizeof(((struct translation *)0)->hole) == sizeof(((struct tb *)0)->hole),
	       "as many holes");

static void tb_describe(struct tb *tb, const struct translation *t, ram_addr phys)
{
	*tb = (struct tb){
		.phys = phys, .pc = t->pc, .cs_base = t->cs_base, .flags = t->flags,
		.cflags = t->cflags, .jc_set = jc_set_of(t->cs_base, target_lasting_flags(t->flags)),
		.size = (u16)t->size, .n_insns = (u16)t->n_insns,
		.page = { t->page[0], t->page[1] },
	};
	tb->first = phys & ~PAGE_MASK;
	tb->end = tb->first + tb->size;
	if (t->peek_end) {
		tb->first = MIN(tb->first, t->peek_first);
		tb->end = MAX(tb->end, t->peek_end);
	}
	tb->n_holes = t->n_holes;
	memcpy(tb->hole, t->hole, sizeof(tb->hole));
	/* the page lists hold a TB once: not one whose pages are the same */
	if (phys == ~0ull || t->cflags & CF_NOCACHE || t->page[0] == t->page[1])
		tb->phys = tb->page[0] = tb->page[1] = ~0ull;
}

static struct ir_block *translate(struct translation *t)
{
	static __thread struct ir_block block;

	t->ir = &block;
	ir_reset(&block, &target_ir);
	target_translate(t);
	if (log_enabled(LOG_IN_ASM))
		log_guest_code(t);
	if (log_enabled(LOG_OP))
		log_text("OP", &block);
	ir_use_host_flags(&block);
	ir_optimize(&block);
	if (log_enabled(LOG_OP_OPT))
		log_text("OP after optimization", &block);
	return &block;
}

/* By disassembly: when all is done, for it takes longer than to translate. */
static void count_host_insns(const struct tb *tb, void *sum)
{
	*(u64 *)sum += (u64)disas_count(DISAS_X86_64, tb->code, tb->hot_size);
}

/* All vCPUs are outside translated code, this thread's own at the least about to
 * leave it: their code, jump caches and return stacks are forgotten, their regions
 * taken back. Several may have asked: once is enough. */
static void do_tb_flush(struct cpu *cpu, void *data)
{
	(void)cpu;
	if (__atomic_load_n(&tb_stats.flushes, __ATOMIC_RELAXED) != (u64)(uintptr_t)data)
		return;
	if (machine_config.info_jit)
		tcg_tb_foreach(count_host_insns, &tb_stats.host_insns);
	tb_flush_all();
	/* a vCPU between its runs may be flushing its own, under the BQL */
	bql_lock();
	jc_forget_all();
	bql_unlock();
}

void tb_flush(struct cpu *cpu)
{
	u64 n = __atomic_load_n(&tb_stats.flushes, __ATOMIC_RELAXED);

	async_safe_run_on_cpu(cpu, do_tb_flush, (void *)(uintptr_t)n);
}

static void do_tb_quiesce(struct cpu *cpu, void *data)
{
	(void)cpu, (void)data;
	tb_quiesce();
}

/* Exclusive work has been queued that must be done before this TB can be made.
 * Come back for it. */
static void leave_for_work(struct cpu *cpu, u32 cflags)
{
	if (cpu_in_exclusive_context(cpu))           /* it is done already  */
		return;
	if (cflags)
		cpu->cflags_next_tb = cflags;
	cpu->exception_index = EXCP_INTERRUPT;
	cpu_loop_exit(cpu);
}

/* Code for the block; takes another region when one is full, and has all code
 * flushed when none is left. `mark`: the region before. */
static struct tb *generate(struct cpu *cpu, struct ir_block *b, const struct translation *t,
			   ram_addr phys, struct tcg_region *mark)
{
	for (;;) {
		struct tb *tb;

		*mark = region;
		tb = tcg_region_valid(&region) ? tb_alloc() : NULL;
		if (tb) {
			tb_describe(tb, t, phys);
			if (tcg_gen_code(b, tb, &region))
				return tb;
		}
		if (tcg_region_alloc(&region))
			continue;
		tb_flush(cpu);
		leave_for_work(cpu, t->cflags);
	}
}

/* A TB whose bytes changed while it was made, or whose page had to be waited for,
 * is made again; when another vCPU was faster its TB serves. */
static struct tb *tb_gen_code(struct cpu *cpu, u64 pc, u64 cs_base, u32 flags, u32 cflags,
			      ram_addr phys)
{
	for (;;) {
		struct translation t = { .cpu = cpu, .pc = pc, .cs_base = cs_base,
					 .flags = flags, .cflags = cflags };
		u64 start = clock_stamp();
		struct tcg_region mark;
		struct tb *tb = generate(cpu, translate(&t), &t, phys, &mark), *there;
		bool wait;

		TB_STAT_ADD(gen_ticks, clock_stamp() - start);
		if (log_enabled(LOG_OUT_ASM))
			log_host_code(tb);
		tcg_tb_insert(&region, tb);
		there = tb_link_page(tb, &wait);
		if (there == tb)
			return tb;
		tcg_tb_remove(&region, tb);
		region = mark;
		if (there)
			return there;
		if (wait) {
			async_safe_run_on_cpu(cpu, do_tb_quiesce, NULL);
			leave_for_work(cpu, cflags);
		}
	}
}

/* -- finding the TB --------------------------------------------------------------------------- */

struct tb_key { struct tb_state s; u32 cflags; int jc; };

static bool is_lasting(const struct tb_key *k)
{
	return k->s.lasting == k->s.flags;
}

/* The key, and what goes with it: the stack cache, the jump cache and the
 * return stack are of the mode that is about to run. */
static void get_key(struct cpu *cpu, struct tb_key *k)
{
	struct jc_table *table;

	target_get_tb_state(cpu, &k->s);
	k->jc = jc_set_of(k->s.cs_base, k->s.lasting);
	k->cflags = 0;
	if (cpu->cflags_next_tb != ~0u) {
		k->cflags = cpu->cflags_next_tb;
		cpu->cflags_next_tb = ~0u;
	}
	if (k->cflags & (CF_COUNT_MASK | CF_NOCACHE))        /* no way round   */
		k->cflags |= target_refuted(cpu);
	cpu->fetch_mode = k->s.mode;
	if (cpu->stack_mode != k->s.mode) {
		cpu->stack_mode = k->s.mode;
		cpu->stack_tag = TLB_INVALID;
		cpu->ret_reset = true;
	}
	table = &cpu_tables(cpu)->jc[k->jc];
	if (jc_claim(cpu, k->jc, k->s.cs_base, k->s.lasting) ||
	    cpu->jc_now != (u64)(uintptr_t)table) {
		cpu->jc_now = (u64)(uintptr_t)table;
		cpu->ret_reset = true;
	}
	if (cpu->ret_reset) {
		cpu->ret_reset = false;
		cpu->ret_sp = cpu->ret_top;
	}
}

/* A TB in two pages is right only while the second is mapped as it was. */
static bool second_page_holds(struct cpu *cpu, const struct tb *tb, gva linear)
{
	const u8 *host;
	ram_addr ram = ~0ull;

	if (tb->page[1] == ~0ull)
		return true;
	return cpu_code_page_nofault(cpu, (linear & PAGE_MASK) + PAGE_SIZE, &host, &ram) &&
	       host && ram == tb->page[1];
}

static struct tb *tb_find(struct cpu *cpu, const struct tb_key *k)
{
	gva linear = target_linear_pc(k->s.pc, k->s.cs_base);
	ram_addr phys = ~0ull;
	struct tb *tb = NULL;

	if (cpu_code_page(cpu, linear, &phys))
		phys += linear & ~PAGE_MASK;
	else
		phys = ~0ull;
	if (phys != ~0ull && !(k->cflags & CF_NOCACHE))
		tb = tb_htable_lookup(phys, k->s.pc, k->s.cs_base, k->s.flags, k->cflags);
	if (tb && !second_page_holds(cpu, tb, linear)) {
		tb_invalidate_range(phys, 1, NULL);
		tb = NULL;
	}
	if (!tb)
		tb = tb_gen_code(cpu, k->s.pc, k->s.cs_base, k->s.flags, k->cflags, phys);
	if (!tb->cflags && tb->phys != ~0ull && is_lasting(k))
		jc_insert(cpu, k->jc, (u32)k->s.pc, tb, linear);
	return tb;
}

/* The same by way of the jump cache, when the code alone is wanted. */
static u8 *find_code(struct cpu *cpu, const struct tb_key *k)
{
	const struct jc_table *t = &cpu_tables(cpu)->jc[k->jc];
	u32 h = jc_hash((u32)k->s.pc);

	if (__atomic_load_n(&t->pc[h], __ATOMIC_RELAXED) == (u32)k->s.pc && !k->cflags &&
	    is_lasting(k))
		return (u8 *)(uintptr_t)t->host[h];
	return tb_find(cpu, k)->code;
}

/* For translated code: where the code for cpu->pc is; 0: go to the loop. A request
 * that could not be served when it came does not send it there: what lets it be
 * served (IF, the end of a shadow or of an NMI's handler) asks for the loop. */
static u64 lookup_tb_ptr(struct cpu *cpu)
{
	struct tb_key k;

	cpu->host_pc = 0;
	if (__atomic_load_n(&cpu->exit_request, __ATOMIC_RELAXED) ||
	    log_enabled(LOG_EXEC | LOG_NOCHAIN | LOG_CPU))
		return 0;
	get_key(cpu, &k);
	return (u64)(uintptr_t)find_code(cpu, &k);
}

/* -- the loop ------------------------------------------------------------------------------------ */

/* True: leave cpu_exec with *ret. Upstream: cpu_handle_exception. */
static bool cpu_handle_exception(struct cpu *cpu, int *ret)
{
	if (cpu->exception_index < 0)
		return false;
	if (cpu->exception_index >= EXCP_INTERRUPT) {
		*ret = cpu->exception_index;
		cpu->exception_index = EXCP_NONE;
		return true;
	}
	target_do_interrupt(cpu);
	cpu->exception_index = EXCP_NONE;
	return false;
}

/* True: leave the inner loop (exception_index says why). The requests are read
 * after exit_request has been cleared: who sets one sets exit_request after
 * it. Upstream: cpu_handle_interrupt. */
static bool cpu_handle_interrupt(struct cpu *cpu)
{
	u32 pending;

	if (icount_enabled() && cpu->icount_left <= 0) {
		cpu->exception_index = EXCP_INTERRUPT;
		return true;
	}
	if (cpu->cflags_next_tb != ~0u && cpu->cflags_next_tb & CF_NOIRQ)
		return false;
	if (cpu->trap_pending) {
		target_take_trap(cpu);
		return true;
	}
	if (__atomic_load_n(&cpu->exit_request, __ATOMIC_SEQ_CST)) {
		__atomic_store_n(&cpu->exit_request, 0, __ATOMIC_SEQ_CST);
		lockstat_reaction(&cpu->halt_cond->kick_at, true);
	}
	pending = cpu_pending(cpu);
	if (pending && target_exec_interrupt(cpu, pending))
		cpu->exit_link = NULL;
	if (cpu->exception_index != EXCP_NONE)
		return true;
	if (__atomic_load_n(&cpu->leave, __ATOMIC_SEQ_CST) &&
	    __atomic_exchange_n(&cpu->leave, false, __ATOMIC_SEQ_CST)) {
		__atomic_store_n(&cpu->stat.kicks, cpu->stat.kicks + 1,
				 __ATOMIC_RELAXED);
		cpu->exception_index = EXCP_INTERRUPT;
		return true;
	}
	return false;
}

/* A block had more instructions than may still run: a shorter one, then. If there
 * was another reason to leave, this comes back here. */
static void fit_budget(struct cpu *cpu)
{
	if (cpu->icount_left > 0 && !__atomic_load_n(&cpu->exit_request, __ATOMIC_SEQ_CST))
		cpu->cflags_next_tb = (u32)MIN(cpu->icount_left, (s32)CF_COUNT_MASK);
}

static void run_code(struct cpu *cpu, const struct tb_key *k, u8 *code)
{
	u64 why;

	log_item(LOG_EXEC, "Trace %d: 0x%llx [0x%08x/0x%08x/%x]\n", cpu->cpu_index,
		 (unsigned long long)(uintptr_t)code, (u32)k->s.cs_base, (u32)k->s.pc, k->s.flags);
	if (log_enabled(LOG_CPU))
		target_dump_state(cpu);
	why = tcg_enter(cpu, code);
	sync_flags(cpu);
	if (why == TCG_EXIT_IRQ && icount_enabled())
		fit_budget(cpu);
	if (why != TCG_EXIT_LINK) {
		cpu->exit_link = NULL;
		return;
	}
	came_to(cpu->exit_link);
	cpu->pc = cpu->exit_link->pc;
	if (cpu->exit_link->cflags)
		cpu->cflags_next_tb = cpu->exit_link->cflags;
}

static bool may_link(const struct tb_link *l, const struct tb *to)
{
	return l && to->phys != ~0ull && l->from->phys != ~0ull &&
	       l->cflags == to->cflags && !log_enabled(LOG_NOCHAIN | LOG_EXEC | LOG_CPU);
}

static void aim_link(struct tb_link *l, struct tb *to)
{
	if (to->page[1] == ~0ull)
		tb_add_jump(l, to);
	else if (!l->cflags)
		__atomic_store_n(&l->by_cache, true, __ATOMIC_RELAXED);
}

/* A link was taken that leads nowhere yet: from now on it does. */
static u8 *follow_link(struct cpu *cpu, const struct tb_key *k)
{
	struct tb *tb = tb_find(cpu, k);
	struct tb_link *link = cpu->exit_link;       /* a flush clears it   */

	if (may_link(link, tb))
		aim_link(link, tb);
	cpu->exit_link = NULL;
	return tb->code;
}

static u64 exec_loop(void *arg)
{
	struct cpu *cpu = arg;
	struct tb_key k;
	int ret;

	cpu->exit_link = NULL;
	while (!cpu_handle_exception(cpu, &ret)) {
		while (!cpu_handle_interrupt(cpu)) {
			get_key(cpu, &k);
			run_code(cpu, &k, cpu->exit_link ? follow_link(cpu, &k) :
				 find_code(cpu, &k));
		}
	}
	return (u64)(u32)ret << 1;
}

/* One TB of one instruction. CF_NO_STACK: no way round it into another TB. An
 * instruction that changes itself is run again, by cflags_next_tb. */
static u64 step_once(void *arg)
{
	struct cpu *cpu = arg;
	struct tb_key k;

	if (cpu->cflags_next_tb == ~0u)
		cpu->cflags_next_tb = 1 | CF_NO_STACK | CF_NOIRQ;
	/* should it end in a jump through the jump cache: not further than to the
	 * next loop */
	cpu_ask_to_leave(cpu);
	cpu->exit_link = NULL;
	get_key(cpu, &k);
	run_code(cpu, &k, find_code(cpu, &k));
	cpu->exit_link = NULL;
	return 0;
}

/* What it raises waits in exception_index for the next cpu_exec. Queued work goes
 * first, and the instruction comes here again: another vCPU may have queued a TLB
 * flush, and had the section before this one to be sure that all see it. */
void cpu_exec_step_atomic(struct cpu *cpu)
{
	u64 again;

	start_exclusive();
	if (cpu_work_list_empty(cpu)) {
		__atomic_store_n(&cpu->running, true, __ATOMIC_SEQ_CST);
		do
			again = cpu_exec_catch(&cpu->exit_rsp, step_once, cpu);
		while (again && cpu->exception_index == EXCP_NONE);
		__atomic_store_n(&cpu->running, false, __ATOMIC_SEQ_CST);
	}
	end_exclusive();
}

static bool cpu_handle_halt(struct cpu *cpu)
{
	if (!cpu->halted)
		return false;
	if (!target_has_work(cpu))
		return true;
	__atomic_store_n(&cpu->halted, false, __ATOMIC_RELAXED);
	return false;
}

int cpu_exec(struct cpu *cpu)
{
	u64 r;

	current_cpu = cpu;
	if (cpu_handle_halt(cpu))
		return EXCP_HALTED;
	do
		r = cpu_exec_catch(&cpu->exit_rsp, exec_loop, cpu);
	while (r & 1);                               /* cpu_loop_exit       */
	return (int)(r >> 1);
}

/* -- set-up ------------------------------------------------------------------------------------------ */

static void layout_init(void)
{
	struct tcg_layout *l = &tcg_layout;

#define AT(field) ((s32)offsetof(struct cpu, field))
#define TABLE(field) ((s32)(CPU_TABLES_OFS + offsetof(struct cpu_tables, field)))
	*l = (struct tcg_layout){
		.stack_tag = AT(stack_tag), .stack_addend = AT(stack_addend), .cc = AT(cc),
		.exit_request = AT(exit_request), .host_pc = AT(host_pc), .pc = AT(pc),
		.regs = AT(regs), .spill = AT(spill), .save = AT(save), .arg_c = AT(arg_c),
		.bounce_size = AT(bounce_size), .exit_link = AT(exit_link),
		.c_rsp = AT(c_rsp), .xmm = AT(xmm), .ret_sp = AT(ret_sp),
		.icount_left = icount_enabled() ? AT(icount_left) : 0,
		.jc_now = AT(jc_now), .jc_host_ofs = offsetof(struct jc_table, host),
		.jc_size = JC_SIZE, .ram_low = ram_arena_low,
		.window = (s32)ram_window(), .window_below = WINDOW_BELOW,
		AT(window_at),
		.slow_probe = cpu_slow_probe, .write_back = cpu_write_back,
		.fill_page = cpu_fill_page, .lookup_tb_ptr = lookup_tb_ptr,
	};
	for (int m = 0; m < NB_MMU_MODES; m++)
		for (int w = 0; w < 2; w++)
			l->tlb[m][w] = TABLE(tlb) + (m * 2 + w) * (s32)(TLB_PAGES * sizeof(u64));
	for (int i = 0; i < JC_SETS; i++)
		l->jc[i] = TABLE(jc) + i * (s32)sizeof(struct jc_table);
#undef AT
#undef TABLE
}

void cpu_exec_init(void)
{
	static const struct tb_hooks hooks = { tlb_code_page, cpu_code_unchanged, jc_dropped };
	u32 mb = machine_config.tb_size ? machine_config.tb_size : CODE_BUFFER_MB;

	tlb_notes_init();
	tb_init(ram_arena_max, (size_t)mb << 20, MAX(machine_config.smp, 1), &hooks);
	layout_init();
	tcg_prologue_init(&target_ir);
	signal_set_fault_hook(host_fault);
}

/* -- statistics ---------------------------------------------------------------------------------------- */

static unsigned long long hundredths(u64 a, u64 b)
{
	return b ? (a * 100 + b / 2) / b : 0;
}

void info_jit(struct strbuf *b)
{
	const struct tb_stats *s = &tb_stats;
	unsigned long long e = hundredths(s->code_bytes, s->guest_bytes);
	u64 host = s->host_insns;
	unsigned long long h;
	struct cpu *cpu;

	if (machine_config.info_jit)
		tcg_tb_foreach(count_host_insns, &host);
	h = hundredths(host, s->guest_insns);

	if (icount_enabled())
		strbuf_printf(b, "instructions        %llu, RAM checksum %016llx\n",
			(unsigned long long)icount_get_raw(),
			(unsigned long long)ram_arena_checksum());
	strbuf_printf(b, "TB count            %llu\n", (unsigned long long)s->n_tb);
	strbuf_printf(b, "guest code          %llu bytes, %llu instructions\n",
		(unsigned long long)s->guest_bytes, (unsigned long long)s->guest_insns);
	strbuf_printf(b, "host code           %llu bytes, %llu.%02llu per guest byte\n",
		(unsigned long long)s->code_bytes, e / 100, e % 100);
	strbuf_printf(b, "host/guest insns    %llu.%02llu (hot path, translated once)\n", h / 100, h % 100);
	strbuf_printf(b, "translation         %llu ns per TB\n", (unsigned long long)
		(s->n_tb ? (u64)clock_tsc_to_ns(s->gen_ticks) / s->n_tb : 0));
	strbuf_printf(b, "TB links            %llu\n", (unsigned long long)s->links);
	strbuf_printf(b, "TB invalidate count %llu\n", (unsigned long long)s->invalidated);
	strbuf_printf(b, "TB discard count    %llu\n", (unsigned long long)s->discarded);
	strbuf_printf(b, "TB flush count      %llu\n", (unsigned long long)s->flushes);
	CPU_FOREACH(cpu) {
		const unsigned long long v[] = { cpu->stat.fills, cpu->stat.full,
			cpu->stat.part, cpu->stat.elided, cpu->stat.page_flushes,
			cpu->stat.remote, cpu->stat.slow, cpu->stat.io };

		strbuf_printf(b, "CPU %d: TLB fills %llu, full flushes %llu, partial %llu, "
			"elided %llu, of a page %llu, remote %llu, slow accesses %llu, "
			"MMIO accesses %llu\n", cpu->cpu_index, v[0], v[1], v[2], v[3], v[4],
			v[5], v[6], v[7]);
	}
}
