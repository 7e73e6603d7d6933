/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/qemu/cpu.h - a vCPU: what the run loop, the soft TLB and translated
 * code know of it. Upstream: CPUState, CPUTLB, CPUJumpCache.
 *
 * Translated code addresses this struct through r15; the fields it touches
 * come first so that their offsets fit a byte. Fields are the vCPU thread's
 * own unless a comment says otherwise. */
#ifndef QEMU_CPU_H
#define QEMU_CPU_H

#include "env/event.h"
#include "env/lock.h"
#include "env/signal.h"
#include "env/thread.h"

#define PAGE_BITS 12
#define PAGE_SIZE 4096
#define PAGE_MASK (~(gva)4095)

#define NB_MMU_MODES 2
enum { MMU_KERNEL, MMU_USER };       /* CPL 0-2, CPL 3                     */

#define TLB_PAGES (1u << 20)         /* one addend a page of 4 GB          */
#define TLB_INVALID (1ull << 63)
#define TLB_FULL_SIZE 256
#define JC_SIZE 4096                 /* entries of a jump cache            */
#define JC_SETS 8                    /* jump caches a vCPU has             */
#define JC_LIST 512                  /* insertions remembered for a flush  */

enum mmu_access { MMU_DATA_LOAD, MMU_DATA_STORE, MMU_INST_FETCH };

/* cpu->interrupt_request; written under the BQL, read without. CPU_INTERRUPT_POLL
 * is never in it, see cpu_pending(). */
enum { CPU_INTERRUPT_HARD = 2, CPU_INTERRUPT_EXITTB = 4, CPU_INTERRUPT_POLL = 0x10,
       CPU_INTERRUPT_HALT = 0x20, CPU_INTERRUPT_DEBUG = 0x80, CPU_INTERRUPT_NMI = 0x200,
       CPU_INTERRUPT_INIT = 0x400, CPU_INTERRUPT_SIPI = 0x800 };

/* cpu->exception_index: a guest vector, or one of these reasons to leave. */
enum { EXCP_NONE = -1, EXCP_INTERRUPT = 0x10000, EXCP_HLT, EXCP_DEBUG,
       EXCP_HALTED, EXCP_YIELD, EXCP_ATOMIC };

struct tlb_full {                    /* what the slow path knows of a page  */
	gva page;                    /* linear page address | 1: valid     */
	gpa phys;
	struct memory_region *mr;    /* NULL: nothing there                 */
	u64 mr_offset;
	u8 prot;                     /* 1 read, 2 write, 4 execute          */
	bool mixed;                  /* mr is only that of its first bytes  */
	bool global;                 /* a load of CR3 leaves it             */
	u64 gen;                     /* holds while it is cpu->tlb_full_gen's */
};
enum { TLB_GLOBAL = 8 };             /* beside prot, for tlb_set_page       */

/* Pages of which the soft TLB has an entry; some twice, some no longer. */
struct tlb_list { u32 *page, n, max; };

/* A range that holds all large pages filled: (a & mask) == addr. */
struct tlb_large { u64 addr, mask; };

/* What a vCPU thread sleeps on; set: somebody changed what it waits for since it looked
 * last (cpus-halt.c). */
struct halt_cond {
	struct wake_event kicked;
	u16 look_us;                 /* how long it looks for a kick first */
	bool by_vcpu;                /* _Atomic; the last kick was         */
	struct idle {                /* cpus-idle.c                        */
		u64 woke;            /* host time stamp                    */
		u32 ticks;           /* _Atomic; short sleeps in turn that
				      * nobody's kick has ended            */
		bool gathered;       /* _Atomic                            */
		int host_thread;
	} idle;
	u64 kick_at;                 /* _Atomic; see lockstat_kick()       */
};

struct tb;
struct apic;
struct cpu_timer;
struct cpu_work;

struct cpu {
	/* -- translated code ------------------------------------------- */
	u64 stack_tag;               /* page of ESP, or TLB_INVALID        */
	u64 stack_addend;            /* host address - linear, both rights */
	u64 cc;                      /* CF PF AF ZF SF OF as LAHF, SETO AL
				      * leave them in EAX: cc_to_eflags; in
				      * translated code perhaps a thunk
				      * (upper half not 0, x64_flags.c)    */
	u32 exit_request;            /* _Atomic; any thread stores 1: leave
				      * at the next check (cpu_ask_to_leave) */
	int stack_mode;              /* mmu index stack_tag is for         */
	u64 jc_now;                  /* address of the jc_table in use     */
	u64 exit_rsp;                /* where cpu_loop_exit unwinds to      */
	u64 host_pc;                 /* return address of the helper call
				      * under way, 0: not in a TB          */
	u64 regs[16];
	u64 pc;                      /* guest EIP (not linear)             */
	u64 spill[16];               /* temporaries of the back end        */
	u64 save[16];                /* host registers across slow paths   */
	u8 bounce[32] __attribute__((aligned(32))); /* split, MMIO operands */
	u32 bounce_gva, bounce_size; /* what it stands for; bytes of a store
				      * that waits there, 0: none          */
	int bounce_mode;
	ram_addr bounce_ram;         /* it was made there, and is to be told
				      * to the TB store; ~0: not made yet  */
	u64 window_miss;             /* 1 + place in RAM of an instruction whose
				      * blocks load unchecked and must not; 0 */
	u64 window_at;               /* their load that found no RAM       */
	int fetch_mode;              /* mmu index of instruction fetches   */
	struct tb_link *exit_link;   /* exit that was taken, NULL: none    */
	u32 arg_c;                   /* third argument of a helper         */
	s32 icount_left;             /* instructions this turn may still take */
	s32 icount_budget;           /* ... at its start; 0: not in a turn  */
	u64 restored_pc;             /* host_pc of the last cpu_restore_state:
				      * that instruction is not done         */
	u8 xmm[8][16];               /* guest's registers while C runs, see
				      * XMM_IN_HOST                        */
	/* The host's return stack: frames of guest calls, see x64_exit.c.  */
	u64 c_rsp;                   /* C stack while translated code runs */
	u64 ret_sp;                  /* return stack while C runs          */
	u64 ret_top;                 /* empty return stack                 */
	bool ret_reset;              /* its frames are no longer to be trusted */

	/* -- run loop --------------------------------------------------- */
	int cpu_index;
	struct thread thread;
	int exception_index;
	u32 interrupt_request;       /* _Atomic; set under the BQL         */
	u32 irq_poll;                /* _Atomic; CPU_INTERRUPT_POLL: its local
				      * APIC may have an interrupt for it. Any
				      * thread sets it, the vCPU clears it  */
	struct apic *apic;           /* NULL: it has none                  */
	struct cpu_timer *timer;     /* the same; see cpu_timer.h          */
	bool halted;                 /* _Atomic; its own thread writes      */
	bool created, stop, stopped, unplug;   /* under the BQL            */
	bool running;                /* _Atomic; between cpu_exec_start/end */
	bool has_waiter;             /* an exclusive section waits for it;
				      * qemu_cpu_list_lock                  */
	bool in_exclusive_context;   /* its thread is in one               */
	bool leave;                  /* _Atomic; cpu_exec is to return      */
	bool synced_work;            /* leave after the instruction under way:
				      * run_on_all_cpus_synced             */
	u32 cflags_next_tb;          /* CF_* for the next TB, ~0u: default */
	bool trap_pending;           /* target_take_trap before the next insn */
	u32 n_watch;                 /* data breakpoints: target_page_watched */
	struct halt_cond own_halt, *halt_cond; /* what its thread sleeps on */
	struct lock work_lock;
	struct cpu_work *work_first, **work_last; /* work_lock; the first is
				      * read without                       */
	struct cpu *next;            /* _Atomic; CPU_FOREACH               */

	/* -- soft TLB: another thread may take write entries and stack_tag
	 * away (tlb_code_page), under tlb_lock. The owner changes entries under
	 * it too, and reads them without. */
	struct lock tlb_lock;
	struct tlb_large large[2];             /* [global]                  */
	struct tlb_list tlb_filled[NB_MMU_MODES][2];   /* [global]          */
	u64 tlb_full_gen[2];                   /* [global]                  */
	struct tlb_full tlb_full[NB_MMU_MODES][TLB_FULL_SIZE];
	/* full: of both modes; part: of one, the other being empty; elided: modes
	 * that were empty; remote: asked for by others. _Atomic, relaxed. */
	struct { u64 fills, full, part, elided, page_flushes, remote, slow, io,
	     kicks; } stat;

	/* -- jump caches (their arrays: struct cpu_tables) --------------- */
	struct jc_set {
		u64 cs_base;         /* of all its entries                 */
		u32 flags;
		struct jc_list {
			u32 n;       /* insertions since it was empty      */
			u16 place[JC_LIST];      /* ... while they fit     */
		} list[2];           /* [code in global pages]             */
	} jc[JC_SETS];
	u64 jc_pages[2][64];         /* Bloom filters of pages they lead to */
};

/* The large tables of a vCPU stand CPU_TABLES_OFS bytes after its struct cpu
 * in one mapping, so that translated code reaches them from r15 too. */
#define CPU_TABLES_OFS 0x10000
struct cpu_tables {
	/* jump caches: guest EIP to host code */
	struct jc_table { u32 pc[JC_SIZE]; u64 host[JC_SIZE]; } jc[JC_SETS];
	/* flat addend tables: [mode][write][page] */
	u64 tlb[NB_MMU_MODES][2][TLB_PAGES] __attribute__((aligned(4096)));
};

/* The arithmetic flags: between their EFLAGS places and the form cpu->cc has,
 * which costs the host a tenth of what PUSHF does: SF ZF AF PF CF in bits 8..15
 * as LAHF leaves them, OF in bit 0, the other bits noise. */
static inline u32 cc_to_eflags(u64 cc)
{
	return (u32)(cc >> 8 & 0xd5) | (u32)(cc & 1) << 11;
}

static inline u64 cc_from_eflags(u64 eflags)
{
	return (eflags & 0xd5) << 8 | (eflags >> 11 & 1);
}

static inline struct cpu_tables *cpu_tables(struct cpu *cpu)
{
	return (struct cpu_tables *)((char *)cpu + CPU_TABLES_OFS);
}
/* What to add to a, for a vCPU's own thread; TLB_INVALID: take the slow path. */
static inline u64 tlb_entry(struct cpu *cpu, int mode, bool write, gva a)
{
	return __atomic_load_n(&cpu_tables(cpu)->tlb[mode][write][(u32)a >> PAGE_BITS],
			       __ATOMIC_RELAXED);
}
/* Where [a, a + size) is in the host when the soft TLB has an entry for the page and
 * it all lies in there; NULL: cpu_ldl and the like know more. For a vCPU's own
 * thread. Upstream: tlb_vaddr_to_host. */
static inline hva tlb_host(struct cpu *cpu, u32 a, u32 size, bool write, int mode)
{
	u64 addend = tlb_entry(cpu, mode, write, a);

	if (addend == TLB_INVALID || (a & (PAGE_SIZE - 1)) + size > PAGE_SIZE)
		return NULL;
	return (hva)(uintptr_t)(a + addend);
}
/* A zeroed vCPU whose target structure has `size` bytes (struct cpu first),
 * with its tables. Upstream: cpu_create. */
struct cpu *cpu_alloc(size_t size);
/* Free it: off the list, and in an exclusive section, so that nobody still looks
 * at it. */
void cpu_free(struct cpu *cpu);

extern struct cpu *first_cpu;
extern __thread struct cpu *current_cpu;
/* The list as others may be changing it; who may walk it: cpu_list_remove(). */
static inline struct cpu *cpu_first(void)
{
	return __atomic_load_n(&first_cpu, __ATOMIC_ACQUIRE);
}
static inline struct cpu *cpu_next(const struct cpu *cpu)
{
	return __atomic_load_n(&cpu->next, __ATOMIC_ACQUIRE);
}
#define CPU_FOREACH(c) for ((c) = cpu_first(); (c); (c) = cpu_next(c))

/* -- run loop (cpus.c, cpu-exec.c) ------------------------------------------ */
/* Ask the vCPU's thread to look at its requests: wakes it when it sleeps, makes
 * it leave cpu_exec when it runs. After what it is to look at has been stored.
 * Any thread, no lock needed. Upstream: qemu_cpu_kick. */
void qemu_cpu_kick(struct cpu *cpu);
/* The same for what cpu_handle_interrupt looks at: a running vCPU does so without
 * leaving cpu_exec. */
void cpu_poke(struct cpu *cpu);
/* Set exit_request. Any thread, no lock. Translated code sees it there, or misses the
 * stack's page and looks then: the request first, as stub_stack_refill stores the
 * page before it looks. */
SIGNAL_SAFE_INLINE void cpu_ask_to_leave(struct cpu *cpu)
{
	__atomic_store_n(&cpu->exit_request, 1, __ATOMIC_SEQ_CST);
	__atomic_store_n(&cpu->stack_tag, TLB_INVALID, __ATOMIC_SEQ_CST);
}
/* Have cpu_exec return. Any thread, signal handlers too. Upstream: cpu_exit. */
SIGNAL_SAFE_INLINE void cpu_exit(struct cpu *cpu)
{
	__atomic_store_n(&cpu->leave, true, __ATOMIC_SEQ_CST);
	cpu_ask_to_leave(cpu);
}
/* Set / clear bits of interrupt_request; cpu_interrupt kicks. */
void cpu_interrupt(struct cpu *cpu, u32 mask) REQUIRES(bql);
void cpu_reset_interrupt(struct cpu *cpu, u32 mask) REQUIRES(bql);
/* All that waits for the vCPU: interrupt_request, and CPU_INTERRUPT_POLL, which
 * needs no BQL. */
static inline u32 cpu_pending(const struct cpu *cpu)
{
	return __atomic_load_n(&cpu->interrupt_request, __ATOMIC_SEQ_CST) |
	       __atomic_load_n(&cpu->irq_poll, __ATOMIC_SEQ_CST);
}
/* Leave translated code or the helper under way for the exec loop, at once.
 * cpu->exception_index says why. The guest state must be in struct cpu. */
void cpu_loop_exit(struct cpu *cpu) __attribute__((noreturn));
/* The same after making pc and flags those of the instruction under way
 * (cpu->host_pc). Raising helpers use this. */
void cpu_loop_exit_restore(struct cpu *cpu) __attribute__((noreturn));
/* ... so that it is run once more, alone, by cpu_exec_step_atomic: while
 * cpu_parallel(), for what the host cannot do in one access. */
void cpu_loop_exit_atomic(struct cpu *cpu) __attribute__((noreturn));
/* The instruction under way must be run in a block of its own: returns if it
 * is, or if no translated code is under way; else leaves and runs it again. */
void cpu_run_alone(struct cpu *cpu);
/* Make cpu->pc that of the instruction that called the helper under way. */
void cpu_restore_state(struct cpu *cpu);

/* -- soft TLB (cputlb.c) ------------------------------------------------------ */
/* Once, when guest RAM is there. */
void tlb_notes_init(void);
void tlb_init(struct cpu *cpu);
void tlb_flush(struct cpu *cpu);                       /* this vCPU's thread */
void tlb_flush_nonglobal(struct cpu *cpu);             /* ... but global pages */
void tlb_flush_page(struct cpu *cpu, gva addr);
/* Only what data accesses of one mode use: the right to fetch from the page must
 * be what it was. */
void tlb_flush_page_mode(struct cpu *cpu, gva addr, int mmu_idx);
/* The same for all vCPUs: `src`, the calling thread's, at once; each other one
 * before it executes its next guest block. */
void tlb_flush_all_cpus(struct cpu *src);
void tlb_flush_page_all_cpus(struct cpu *src, gva addr);
/* The same, and no vCPU executes its next guest block before all have done so:
 * src has to leave translated code after the instruction under way
 * (cpu_exit() has been called). */
void tlb_flush_all_cpus_synced(struct cpu *src);
void tlb_flush_page_all_cpus_synced(struct cpu *src, gva addr);
/* Install a translation of one 4 KB page: called by the target's tlb fill.
 * `prot` bits 1 read, 2 write, 4 execute, TLB_GLOBAL. */
void tlb_set_page(struct cpu *cpu, gva addr, gpa phys, int prot, int mmu_idx);
/* That page is part of a large one of `size` bytes: flushing any of it flushes
 * all. Upstream: tlb_add_large_page. */
void tlb_add_large_page(struct cpu *cpu, gva addr, u64 size, bool global);
/* -- a vCPU's accesses (cpu_ldst.c) ------------------------------------------------ */
/* Guest memory for C helpers: faults leave through cpu_loop_exit_restore. */
u8 cpu_ldub(struct cpu *cpu, gva a, int mmu_idx);
u16 cpu_lduw(struct cpu *cpu, gva a, int mmu_idx);
u32 cpu_ldl(struct cpu *cpu, gva a, int mmu_idx);
u64 cpu_ldq(struct cpu *cpu, gva a, int mmu_idx);
void cpu_stb(struct cpu *cpu, gva a, u8 v, int mmu_idx);
void cpu_stw(struct cpu *cpu, gva a, u16 v, int mmu_idx);
void cpu_stl(struct cpu *cpu, gva a, u32 v, int mmu_idx);
void cpu_stq(struct cpu *cpu, gva a, u64 v, int mmu_idx);
/* Set and clear bits of a byte in one step, as a LOCKed instruction does; at MMIO
 * by a read and a write. Returns what was there. */
u8 cpu_atomic_setb(struct cpu *cpu, gva a, u8 set, u8 clear, int mmu_idx);
/* Host address of [a, a+size) for reading (or writing: then dirty and code
 * tracking are done) if it is RAM within one page; NULL: use the functions
 * above. Faults as they do. Upstream: probe_access. */
hva probe_access(struct cpu *cpu, gva a, int size, enum mmu_access rw, int mmu_idx);
/* Same without faulting: NULL also when not mapped (debugger, reports). */
hva probe_access_nofault(struct cpu *cpu, gva a, int size, enum mmu_access rw, int mmu_idx);
/* Fault-check a store of `size` bytes before any byte is written. */
void probe_write(struct cpu *cpu, gva a, int size, int mmu_idx);
/* -- instruction fetch (cpu_fetch.c) ------------------------------------------------- */
/* Code bytes for the translator: host address of the bytes of addr's page and
 * its ram_addr (through *ram); NULL: not RAM (then read it by the functions
 * above). Raises the instruction fetch fault. */
const u8 *cpu_code_page(struct cpu *cpu, gva addr, ram_addr *ram);
/* A copy of it for the translator (i: 0, 1 the block's page), which the calling
 * thread keeps to compare when it publishes the TB; NULL of NULL. What is to be read
 * there, [ofs, ofs + n) as far as it lies in the page, is asked for first. */
const u8 *cpu_code_copy(int i, const u8 *page);
enum { COPY_LINE = PAGE_SIZE / 64 };     /* ... in whole lines of so many */
void cpu_code_want(int i, u32 ofs, u32 n);
/* Same without raising: false when a fetch would fault. */
bool cpu_code_page_nofault(struct cpu *cpu, gva addr, const u8 **host, ram_addr *ram);

#endif
