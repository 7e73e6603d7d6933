/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/qemu/cpus.h - vCPU threads, as the rest of src/qemu sees them. */
#ifndef QEMU_CPUS_H
#define QEMU_CPUS_H

#include "qemu/cpu.h"
#include "tcg/tb.h"

/* Put the vCPU on the list and start its thread, which stays parked until
 * resume_all_vcpus(). Upstream: qemu_init_vcpu. */
void qemu_init_vcpu(struct cpu *cpu) REQUIRES(bql);
/* Park all vCPUs: on return each is outside cpu_exec with its state in struct
 * cpu. Drops the BQL while it waits. Not from a vCPU thread. */
void pause_all_vcpus(void) REQUIRES(bql);
void resume_all_vcpus(void) REQUIRES(bql);
/* Have the calling vCPU stop, if a vCPU calls, before its next guest block. */
void cpu_stop_current(void) REQUIRES(bql);
/* End a vCPU: on return its thread is gone, and so are the struct and all that
 * belongs to it. Drops the BQL while it waits. Not from a vCPU thread. Upstream:
 * cpu_remove_sync. */
void cpu_remove_sync(struct cpu *cpu) REQUIRES(bql);
/* Does no other vCPU run translated code while this one does? Then an access
 * need not be atomic. */
extern bool tcg_parallel;        /* thread=multi with more than one vCPU       */
extern bool tcg_rr;              /* thread=single: one thread runs all         */
static inline bool cpu_parallel(const struct cpu *cpu)
{
	return tcg_parallel && !cpu->in_exclusive_context;
}

/* -- cpus-common.c: the list --------------------------------------------------- */
/* Guards changes of the list and of pending_cpus; rank RANK_CPU_LIST. */
extern struct lock qemu_cpu_list_lock;
/* Put a vCPU at the end of the list. */
void cpu_list_add(struct cpu *cpu) EXCLUDES(qemu_cpu_list_lock);
/* Take it off. In an exclusive section and with the BQL: a list may be walked
 * between cpu_exec_start and cpu_exec_end, under the BQL, or under the list
 * lock. */
void cpu_list_remove(struct cpu *cpu) REQUIRES(bql) EXCLUDES(qemu_cpu_list_lock);
/* The vCPU of that cpu_index; NULL: none. */
struct cpu *qemu_get_cpu(int index);
/* Its timer was so late; its own thread tells. See cpus-idle.c. */
void idle_late(struct idle *i, s64 ns);
/* Is `cpu` run by the calling thread? Not the same as current_cpu == cpu where
 * one thread runs all. Upstream: qemu_cpu_is_self. */
static inline bool qemu_cpu_is_self(const struct cpu *cpu)
{
	return current_cpu && (current_cpu == cpu || tcg_rr);
}

/* -- cpus-common.c: exclusive sections ------------------------------------------ */
/* Between these two a vCPU may run guest code and read what others publish
 * without a lock. A section that is asked for meanwhile waits for
 * cpu_exec_end; cpu_exec_start waits while another thread is in one. */
void cpu_exec_start(struct cpu *cpu) EXCLUDES(bql, qemu_cpu_list_lock);
void cpu_exec_end(struct cpu *cpu) EXCLUDES(qemu_cpu_list_lock);
/* On return no other vCPU is between cpu_exec_start and cpu_exec_end, until
 * end_exclusive(). Any thread, outside these two. Who holds a section may begin
 * another within it, which is counted. The BQL may be taken inside. -lockstat calls
 * a section by who asked for it. */
#define start_exclusive() start_exclusive_at(__func__)
void start_exclusive_at(const char *why) EXCLUDES(bql, qemu_cpu_list_lock);
void end_exclusive(void) EXCLUDES(qemu_cpu_list_lock);
bool in_exclusive(void);         /* is the calling thread in a section?        */
/* The same for the thread of a vCPU, from that thread. */
static inline bool cpu_in_exclusive_context(const struct cpu *cpu)
{
	return cpu->in_exclusive_context;
}

/* -- cpus-common.c: queued work --------------------------------------------------- */
/* Each runs func(cpu, data) on the vCPU's thread, outside guest code, items of a
 * vCPU in the order they were queued. The function's name is what -lockstat calls
 * the item. */
typedef void run_on_cpu_func(struct cpu *cpu, void *data);
/* With the BQL held, returns when it has run; drops the BQL while it waits. At
 * once when called on that thread, or when the vCPU has none (yet, any more).
 * Not in an exclusive section. */
#define run_on_cpu(cpu, func, data) run_on_cpu_at(cpu, func, data, #func)
void run_on_cpu_at(struct cpu *cpu, run_on_cpu_func *func, void *data, const char *name)
	REQUIRES(bql);
/* With the BQL held, soon: before the vCPU executes its next guest block. Returns
 * at once. Any thread, any lock of a rank below RANK_CPU_WORK. */
#define async_run_on_cpu(cpu, func, data) \
	async_run_on_cpu_at(cpu, func, data, #func)
void async_run_on_cpu_at(struct cpu *cpu, run_on_cpu_func *func, void *data, const char *name);
/* The same in an exclusive section, without the BQL. When the calling thread is
 * in one already: now, here. */
#define async_safe_run_on_cpu(cpu, func, data) \
	async_safe_run_on_cpu_at(cpu, func, data, #func)
void async_safe_run_on_cpu_at(struct cpu *cpu, run_on_cpu_func *func, void *data, const char *name);
/* func(cpu, data) for each vCPU: the caller's own at once, the others before their
 * next guest block. When the caller is a vCPU between cpu_exec_start and
 * cpu_exec_end (a device access) cpu->synced_work is set: it has to leave after the
 * instruction under way, and executes the next one when all have done so. */
#define run_on_all_cpus_synced(func, data) run_on_all_cpus_synced_at(func, data, #func)
void run_on_all_cpus_synced_at(run_on_cpu_func *func, void *data, const char *name)
	REQUIRES(bql);
/* For the vCPU's own loop. Drops the BQL around exclusive items. */
void process_queued_cpu_work(struct cpu *cpu) REQUIRES(bql);
bool cpu_work_list_empty(struct cpu *cpu);

/* -- cpu-exec.c ------------------------------------------------------------- */
/* Code buffer, stubs, fault handlers; after the RAM arena, before vCPUs. */
void cpu_exec_init(void);
/* Run guest code until something else is to be done; returns why
 * (EXCP_INTERRUPT: kicked, EXCP_HLT, EXCP_HALTED: still so, EXCP_DEBUG,
 * EXCP_YIELD: PAUSE, EXCP_ATOMIC: an instruction is to run alone). */
int cpu_exec(struct cpu *cpu);
/* Execute one instruction in an exclusive section, after cpu_exec returned
 * EXCP_ATOMIC. Between runs, on the vCPU's thread. */
void cpu_exec_step_atomic(struct cpu *cpu) EXCLUDES(bql, qemu_cpu_list_lock);
/* Instructions of the block under way from the one on that called the helper under
 * way; 0: none is. With -icount. */
u32 cpu_insns_left(const struct cpu *cpu);
/* Drop all translated code. On the vCPU's thread, the others stopped. */
void tb_flush(struct cpu *cpu);
/* Append translation figures. Upstream: info jit. */
struct strbuf;
void info_jit(struct strbuf *b);
/* Guest EIP of an address in translated code; false: none. */
bool cpu_host_pc_to_guest(struct cpu *cpu, u64 host_pc, u32 *eip);

/* -- cputlb.c, cpu_ldst.c, cpu_fetch.c, for cpu-exec.c ---------------------------- */
u64 cpu_slow_probe(struct cpu *cpu, u32 addr, u32 size, u32 access);
void cpu_write_back(struct cpu *cpu);
void cpu_fill_page(struct cpu *cpu, u32 addr, u32 mode);
/* A store is about to hit [ram, ram + n): drop translated code there. When the
 * TB under way is among it, its instruction is run again alone (no return). */
void cpu_code_store(struct cpu *cpu, ram_addr ram, unsigned n);
bool tlb_code_page(ram_addr page);       /* tb_hooks.code_page              */
bool cpu_code_unchanged(const struct tb *tb);    /* tb_hooks.unchanged      */
/* Does the page, which was fetched from just now, outlive a load of CR3? */
bool tlb_page_global(struct cpu *cpu, gva addr);
/* Bytes of a vCPU's host return stack; it ends RET_STACK_BYTES below ret_top. */
enum { RET_STACK_BYTES = 64 << 10 };

/* -- jump-cache.c: on the vCPU's thread, but for jc_dropped ---------------------- */
/* Each serves the TBs of one cs_base and flags at a time; which
 * one that is follows from those, so that a TB knows its own. */
static inline u32 jc_hash(u32 pc) { return (pc ^ pc >> PAGE_BITS) % JC_SIZE; }
static inline int jc_set_of(u64 cs_base, u32 flags)
{
	return (int)((u32)(flags ^ cs_base ^ cs_base >> 32) * 0x9e3779b1u >> 29);
}
void jc_init(struct cpu *cpu);
void jc_flush(struct cpu *cpu);
void jc_flush_nonglobal(struct cpu *cpu);    /* but code in global pages */
/* Forget (at least) what leads to that page. */
void jc_flush_page(struct cpu *cpu, gva addr);
/* A TB is dropped: forget it in all jump caches (tb_hooks.dropped); any thread. */
void jc_dropped(struct tb *tb);
/* All vCPUs are outside cpu_exec: forget all code. */
void jc_forget_all(void);
void jc_take_over(struct cpu *cpu, int s, u64 cs_base, u32 flags);
/* Make set `s` serve these; true when it served others before. */
static inline bool jc_claim(struct cpu *cpu, int s, u64 cs_base, u32 flags)
{
	if (cpu->jc[s].cs_base == cs_base && cpu->jc[s].flags == flags)
		return false;
	jc_take_over(cpu, s, cs_base, flags);
	return true;
}
/* pc, which lies at `linear`, leads to tb. */
void jc_insert(struct cpu *cpu, int s, u32 pc, const struct tb *tb, gva linear);
/* The TB the helper call under way belongs to; NULL: none. */
struct tb *cpu_current_tb(struct cpu *cpu);

#endif
