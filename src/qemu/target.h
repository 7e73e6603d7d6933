/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/qemu/target.h - the one door from the machine's core to the guest
 * processor. src/i386 implements all of it; src/qemu calls it. */
#ifndef QEMU_TARGET_H
#define QEMU_TARGET_H

#include "qemu/cpu.h"
#include "tcg/ir.h"

/* -- life ------------------------------------------------------------------ */
/* Make a vCPU of the named model (NULL: default), not yet running; NULL with
 * a message when the model is unknown. The first one is the BSP. */
struct cpu *target_cpu_new(const char *model, int index) REQUIRES(bql);
void target_cpu_list(void);                       /* -cpu help               */
/* Power-on state, of a vCPU that is stopped. */
void target_cpu_reset(struct cpu *cpu) REQUIRES(bql);
/* INIT: what the SDM keeps is kept (vol. 3A table 9-1); the vCPU then waits for
 * a start-up IPI. The BSP has no firmware to start at: the machine is reset.
 * On the vCPU's own thread. Upstream: do_cpu_init, do_cpu_sipi. */
void target_cpu_init(struct cpu *cpu) EXCLUDES(bql);
/* Start in real mode at vector << 12, if it waits for that. Own thread. */
void target_cpu_sipi(struct cpu *cpu, u8 vector);
extern const struct ir_target target_ir;

/* A host thread runs several vCPUs in turn: load what of this one's state lives
 * in the host's own registers (x87), save it. Upstream: cpu_exec_enter,
 * cpu_exec_exit, which do so for EFLAGS at each run. */
void target_cpu_exec_enter(struct cpu *cpu);
void target_cpu_exec_exit(struct cpu *cpu);

/* -- translation ------------------------------------------------------------ */
enum { CF_COUNT_MASK = 0xff,      /* at most this many instructions, 0: any  */
       CF_NO_STACK = 0x100,       /* no shared checks: deoptimised variant   */
       CF_NOCACHE = 0x200,        /* run once, forget                        */
       CF_NOIRQ = 0x400,          /* no interrupt before it                  */
       CF_REFUTED = 0x3000,       /* what the target took for granted does not
				   * hold: a bit for each                    */
};

struct translation {              /* in: */
	struct cpu *cpu;
	u64 pc;                   /* guest EIP                               */
	u64 cs_base;              /* opaque: target_get_tb_state's           */
	u32 flags;                /* target's own                            */
	u32 cflags;               /* CF_*                                    */
	struct ir_block *ir;
	/* out: */
	u32 size;                 /* bytes of guest code it covers           */
	u32 n_insns;
	ram_addr page[2];         /* ram_addr of its page(s), ~0: none       */
	u32 peek_first, peek_end; /* bytes of page[0] that decided which flags
				   * its exits save; 0, 0: none. A change of
				   * them must drop the block too            */
	u16 hole[4];              /* tb->hole                                */
	u8 n_holes;
};
/* Translate from t->pc on. Raises a fetch fault only for the first
 * instruction. */
void target_translate(struct translation *t);
/* The key of the TB that would run now, and what follows from its flags. */
struct tb_state {
	u64 pc, cs_base;
	u32 flags, lasting;       /* target_lasting_flags(flags)             */
	int mode;                 /* target_mmu_index(flags)                 */
};
void target_get_tb_state(struct cpu *cpu, struct tb_state *s);
/* Which of CF_REFUTED are so now. A TB whose cflags have one of these bits does not
 * count on what it stands for; one whose cflags have not asks at its entry. */
u32 target_refuted(struct cpu *cpu);
/* TB flags without those that hold for one instruction only. */
u32 target_lasting_flags(u32 tb_flags);
gva target_linear_pc(u64 pc, u64 cs_base);        /* linear address of a pc  */
int target_mmu_index(u32 tb_flags);
int target_disas_mode(u32 tb_flags);              /* enum disas_mode         */

/* -- memory ------------------------------------------------------------------ */
/* Walk the page tables for a miss and tlb_set_page(), or raise the page fault
 * (does not return then); with `probe` true returns false instead. */
bool target_tlb_fill(struct cpu *cpu, gva addr, enum mmu_access rw, int mmu_idx,
		     bool probe);
/* An access at addr reaches past 4 GB, to address 0: raise the fault if the
 * instruction under way may not do that. */
void target_access_wraps(struct cpu *cpu, gva addr);
/* While cpu->n_watch: does this page hold a data breakpoint? Then the soft TLB
 * has no entry for it and reports each access of it, before it is made; may
 * leave by cpu_run_alone. */
bool target_page_watched(struct cpu *cpu, gva page);
void target_access_watch(struct cpu *cpu, gva addr, unsigned size, bool write);
/* Raise the fault of a 16-byte operand that is not aligned and must be. */
void target_misaligned(struct cpu *cpu, gva addr) __attribute__((noreturn));
/* For debuggers and reports: physical address, or ~0. Changes nothing. */
gpa target_debug_translate(struct cpu *cpu, gva addr);

/* -- events ------------------------------------------------------------------- */
/* Deliver cpu->exception_index (a guest vector): the state is the guest's. */
void target_do_interrupt(struct cpu *cpu);
/* Take one pending interrupt if the guest accepts it now; true if it did. */
bool target_exec_interrupt(struct cpu *cpu, u32 interrupt_request) EXCLUDES(bql);
/* cpu->trap_pending: make it cpu->exception_index. */
void target_take_trap(struct cpu *cpu);
bool target_has_work(struct cpu *cpu);       /* would HLT end?               */
/* A host SIGFPE in translated code: which guest vector is it (0 #DE, 16 #MF, 19
 * #XM or what stands for it), -1: none of the guest's. */
enum host_fpe { HOST_FPE_DIVIDE, HOST_FPE_X87, HOST_FPE_SIMD };
int target_host_fpe(struct cpu *cpu, enum host_fpe what);
void target_dump_state(struct cpu *cpu);     /* registers, to the log        */
struct strbuf;
void target_dump_text(struct cpu *cpu, struct strbuf *b);    /* the same     */
/* The board's A20 gate, for all vCPUs. Of the caller's own vCPU at once, of another's that runs
 * before its next guest block (run_on_all_cpus_synced). */
void target_set_a20(bool on) REQUIRES(bql);
bool target_get_a20(struct cpu *cpu);

#endif
