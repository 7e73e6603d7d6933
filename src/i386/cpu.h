/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/i386/cpu.h - the guest processor's state beyond qemu/cpu.h. SDM vol. 3A
 * chapters 2, 3, 5, 6. Upstream: CPUX86State. */
#ifndef I386_CPU_H
#define I386_CPU_H

#include "i386/msr.h"
#include "qemu/cpu.h"

enum { R_EAX, R_ECX, R_EDX, R_EBX, R_ESP, R_EBP, R_ESI, R_EDI };
enum { R_ES, R_CS, R_SS, R_DS, R_FS, R_GS, NB_SEGS };

enum {
	EFLAGS_CF = 1 << 0, EFLAGS_PF = 1 << 2, EFLAGS_AF = 1 << 4,
	EFLAGS_ZF = 1 << 6, EFLAGS_SF = 1 << 7, EFLAGS_TF = 1 << 8,
	EFLAGS_IF = 1 << 9, EFLAGS_DF = 1 << 10, EFLAGS_OF = 1 << 11,
	EFLAGS_IOPL = 3 << 12, EFLAGS_NT = 1 << 14, EFLAGS_RF = 1 << 16,
	EFLAGS_VM = 1 << 17, EFLAGS_AC = 1 << 18, EFLAGS_VIF = 1 << 19,
	EFLAGS_VIP = 1 << 20, EFLAGS_ID = 1 << 21,
	EFLAGS_ARITH = 0x8d5,            /* CF PF AF ZF SF OF: in cpu->cc    */
};
enum { CR0_PE = 1, CR0_MP = 2, CR0_EM = 4, CR0_TS = 8, CR0_ET = 16, CR0_NE = 32,
       CR0_WP = 1 << 16, CR0_AM = 1 << 18, CR0_NW = 1 << 29, CR0_CD = 1 << 30,
       CR0_PG = (int)(1u << 31) };
enum { CR4_VME = 1, CR4_PVI = 2, CR4_TSD = 4, CR4_DE = 8, CR4_PSE = 16, CR4_PAE = 32,
       CR4_MCE = 64, CR4_PGE = 128, CR4_PCE = 256, CR4_OSFXSR = 512, CR4_OSXMMEXCPT = 1024,
       CR4_UMIP = 1 << 11, CR4_OSXSAVE = 1 << 18, CR4_SMEP = 1 << 20, CR4_SMAP = 1 << 21 };

enum { EXCP_DE = 0, EXCP_DB = 1, EXCP_NMI = 2, EXCP_BP = 3, EXCP_OF = 4, EXCP_BR = 5,
       EXCP_UD = 6, EXCP_NM = 7, EXCP_DF = 8, EXCP_TS = 10, EXCP_NP = 11, EXCP_SS = 12,
       EXCP_GP = 13, EXCP_PF = 14, EXCP_MF = 16, EXCP_AC = 17, EXCP_MC = 18, EXCP_XM = 19 };

/* Segment register with its hidden part. A guard describes what offsets are
 * legal, so that one unsigned comparison checks a translated access:
 * offset - lo < n allows an access of up to 8 bytes at offset; wr is for
 * writes. IR_GUARD's slow path (helper_seg_check) decides the rest. An
 * unusable or forbidden segment has n = 0: always slow. */
struct seg_guard { u32 lo, n; };
struct seg_cache {
	u32 base, limit;                 /* limit in bytes, inclusive        */
	u32 flags;                       /* descriptor's second dword, bits 8..23 in place */
	u16 selector;
	struct seg_guard rd, wr;
};
enum {                                   /* in flags: DESC_* of the 2nd dword */
	DESC_A = 1 << 8, DESC_W = 1 << 9, DESC_R = 1 << 9, DESC_E = 1 << 10,
	DESC_C = 1 << 10, DESC_CS = 1 << 11, DESC_S = 1 << 12, DESC_DPL = 3 << 13,
	DESC_P = 1 << 15, DESC_AVL = 1 << 20, DESC_B = 1 << 22, DESC_G = 1 << 23,
};

/* TB flags (hflags): what translation depends on. */
enum {
	HF_CPL = 3,              /* current privilege level                  */
	HF_CS32 = 1 << 2,        /* CS.D                                     */
	HF_SS32 = 1 << 3,        /* SS.B                                     */
	HF_PE = 1 << 4,
	HF_VM = 1 << 5,          /* virtual-8086                             */
	HF_CS_FLAT = 1 << 6,     /* base 0, limit 4 GB, readable/writable as */
	HF_DS_FLAT = 1 << 7,     /* the use needs: no base, no limit check   */
	HF_ES_FLAT = 1 << 8,
	HF_SS_FLAT = 1 << 9,
	HF_FS_BIG = 1 << 10,     /* limit 4 GB, writable: base only          */
	HF_GS_BIG = 1 << 11,
	HF_TF = 1 << 12,         /* single step: one instruction, then #DB   */
	HF_INHIBIT_IRQ = 1 << 13,/* shadow of STI, MOV SS: one instruction   */
	HF_TS = 1 << 14,         /* CR0.TS                                   */
	HF_EM = 1 << 15,         /* CR0.EM                                   */
	HF_MP = 1 << 16,         /* CR0.MP                                   */
	HF_IOPL = 3 << 17,       /* EFLAGS.IOPL                              */
	HF_PG = 1 << 19,
	HF_RF = 1 << 20,         /* EFLAGS.RF, kept only with HF_XBP: one insn */
	HF_CPL0_IO = 1 << 21,    /* CPL <= IOPL and not VM: IN/OUT, CLI free  */
	HF_AC = 1 << 26,         /* CR0.AM, EFLAGS.AC, CPL 3: #AC is possible */
	HF_VIF = 1 << 28,        /* CLI and the like are for EFLAGS.VIF      */
	HF_XBP = 1 << 27,        /* DR7 has a breakpoint on instructions     */
	HF_OSFXSR = 1 << 22,     /* CR4.OSFXSR                               */
	HF_GRANTED = HF_GS_BIG | HF_OSFXSR,   /* no part of a TB's key, see translate.c */
	HF_XM = 1 << 23,         /* MXCSR leaves an exception unmasked       */
	HF_UMIP = 1 << 24,       /* CR4.UMIP                                 */
};

/* x86_cpu.features: CPUID.1:EDX, 1:ECX, 7:EBX, 80000001h:ECX, 80000001h:EDX, 7:ECX,
 * 0Dh.1:EAX, 80000007h:EDX. */
enum feature_word { FEAT_1_EDX, FEAT_1_ECX, FEAT_7_EBX, FEAT_EXT_ECX, FEAT_EXT_EDX, FEAT_7_ECX,
		    FEAT_XSAVE, FEAT_8000_0007_EDX, FEATURE_WORDS };

enum { SMAP_PAGES = 32 };

struct desc_table { u32 base; u16 limit; };

struct x86_cpu {
	struct cpu c;            /* must be first                            */
	u32 eflags;              /* all but ARITH (c.cc) and DF (df)         */
	s32 df;                  /* 1 forward, -1 backward                   */
	u32 hflags;              /* HF_* as they are now; see cpu_update_hflags */
	struct seg_cache seg[NB_SEGS];
	struct seg_cache ldt, tr;
	struct desc_table gdt, idt;
	u32 cr[5];
	u32 dr[8];
	u32 error_code;          /* of c.exception_index                     */
	bool has_error_code;
	int old_exception;       /* being delivered: for double faults; -1   */
	bool nmi_blocked;        /* until IRET                               */
	bool wait_for_sipi;      /* an AP before its start-up IPI            */
	u32 dr6_pending;         /* of traps that wait: c.trap_pending       */
	u32 port_breakpoints;    /* that DR7 enables                         */
	u32 sysenter_cs, sysenter_esp, sysenter_eip;
	u32 efer;                /* MSR C0000080h: NXE only                  */
	u32 xcr0;                /* XSAVE components that are enabled        */
	u32 a20_mask;            /* ~0 or ~(1 << 20)                         */
	/* User pages that ring 0 got at under EFLAGS.AC, see smap_close(). */
	u32 n_smap_pages, smap_page[SMAP_PAGES];
	u64 tsc_offset;
	/* MONITOR's line of RAM, NULL: none; its bytes then. */
	hva monitor_host;
	u64 monitor_line[8];
	bool wake_by_any;        /* halted: an interrupt wakes it, IF or not */
	u32 fpu_ip, fpu_dp;      /* see fpu.c: FIP, FDP the guest loaded     */
	u16 fpu_op, fpu_cs, fpu_ds;
	/* x87 and XMM registers, FXSAVE's format, while another vCPU has the
	 * host's (thread=single). */
	u8 fpu_image[512] __attribute__((aligned(16)));
	/* model: CPUID.1 and what follows from it */
	const struct cpu_model *model;
	u32 features[FEATURE_WORDS];     /* CPUID's, as this vCPU has them   */
	u32 level, xlevel;               /* highest leaves                   */
	u32 tsc_aux;                     /* MSR C0000103h                    */
	struct msr_state msr;
};
static inline struct x86_cpu *x86(struct cpu *cpu) { return (struct x86_cpu *)cpu; }

static inline int cpu_cpl(const struct x86_cpu *x) { return x->hflags & HF_CPL; }
static inline int cpu_mmu_index(const struct x86_cpu *x)
{
	return cpu_cpl(x) == 3 ? MMU_USER : MMU_KERNEL;
}

/* -- state (state.c) --------------------------------------------------------- */
/* Recompute hflags (and each segment's guards) after a change of segments,
 * CR0, EFLAGS.VM/TF/IOPL/RF or the mode. */
void cpu_update_hflags(struct x86_cpu *x);
u32 cpu_get_eflags(const struct x86_cpu *x);          /* whole EFLAGS        */
void cpu_set_eflags(struct x86_cpu *x, u32 val, u32 mask); /* bits in mask   */
/* Power-on values of all but the x87 state; the vCPU is not running. */
void cpu_reset_state(struct x86_cpu *x);
/* Set a segment register and its hidden part; updates hflags. */
void cpu_load_seg_cache(struct x86_cpu *x, int seg, u16 sel, u32 base, u32 limit, u32 flags);

/* -- x87 and SSE state (fpu.c) ---------------------------------------------------- */
/* Power-on values of the x87 and XMM registers; the vCPU's own thread. */
void fpu_power_on(struct x86_cpu *x);

/* -- XSAVE (xsave.c) ---------------------------------------------------------------- */
enum { XSAVE_AREA = 576 };               /* bytes, legacy region and header  */
u32 xcr0_possible(const struct x86_cpu *x);           /* bits XCR0 may have  */

/* -- exceptions (excp.c): none returns ------------------------------------------ */
/* From a helper: the instruction under way faults. */
void raise_exception(struct x86_cpu *x, int vector) __attribute__((noreturn));
void raise_exception_err(struct x86_cpu *x, int vector, u32 err) __attribute__((noreturn));
/* From a helper: stop until an interrupt comes, then go on at EIP next. any: one that
 * EFLAGS.IF keeps from being taken does, too. */
void cpu_halt(struct x86_cpu *x, u32 next, bool any) __attribute__((noreturn));

/* -- control registers (mmu.c) ---------------------------------------------------- */
void cpu_set_cr0(struct x86_cpu *x, u32 v);
void cpu_set_cr3(struct x86_cpu *x, u32 v);
void cpu_set_cr4(struct x86_cpu *x, u32 v);
/* EFLAGS.AC has become 0: with CR4.SMAP, user pages are no longer for ring 0. */
void smap_close(struct x86_cpu *x);
/* A20 gate, from the 8042 or port 92h (upstream: x86_cpu_set_a20). */
void cpu_set_a20(struct x86_cpu *x, bool on) REQUIRES(bql);

#endif
