/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/tcg/x64_gen.h - the state of code generation, shared by the x64_*.c
 * files only. */
#ifndef TCG_X64_GEN_H
#define TCG_X64_GEN_H

#include "tcg/x64.h"
#include "tcg/x64_enc.h"

enum { X_ENV = X_R15, X_STACK = X_R13, X_TWELVE = X_R11, X_EA = X_R8, X_HOST = X_R9 };

/* TBs without shared checks, without one of interrupts; qemu/target.h has the same. */
enum { CFLAG_NO_STACK = 0x100, CFLAG_NO_IRQ = 0x400 };

#define MAX_COLD 640
#define MAX_REGIONS 8
#define MAX_GROUPS 8
#define MAX_MAP 2048
#define N_SPILL 12
#define N_GROUP_SLOTS 4          /* behind them, in cpu->spill               */

/* Where the guest's arithmetic flags are. */
enum fl_state {
	FL_MEM,              /* in cpu->cc (or nobody needs them)            */
	FL_HOST,             /* in the host's EFLAGS                         */
	FL_RECIPE,           /* lost, but `rec` computes them again          */
};

/* How to compute the flags again from registers that still hold:
 *   CMP, TEST  a with b                 ADD, SUB  a is the result, b was added
 *   REDO       a is a copy of what op   LESS      a is a copy, b the result of
 *              changed, b its operand             subtracting something from it
 *   INC, DEC   a is the result; CF comes from another recipe (gen.carry), or is
 *              as cpu->cc has it
 * a_off, b_off: constants that have been added to the registers since.         */
enum rec_kind { REC_NONE, REC_CMP, REC_TEST, REC_ADD, REC_SUB, REC_REDO, REC_LESS,
		REC_INC, REC_DEC };
struct recipe { u8 kind, size; bool b_imm; s8 a, b; u8 op; s64 imm; s32 a_off, b_off; };

enum cold_kind { COLD_READ, COLD_WRITE, COLD_GUARD, COLD_EXIT, COLD_LINK,
		 COLD_IRQ, COLD_ICOUNT, COLD_STACK, COLD_GROUP, COLD_MISALIGNED,
		 COLD_ADDEND, COLD_NOTE, COLD_PARK, COLD_SYNC };

/* No way to have the flags again. */
static const struct recipe no_recipe __attribute__((unused));

/* A slow path: hot code jumps here and is resumed at `back`. */
struct cold {
	u8 kind, bytes, mmu, access;
	bool aligned;        /* READ, WRITE: misaligned is a fault           */
	bool direct;         /* ... the operand is [r13+r9]                  */
	bool plain;          /* ... it is [r13+base], [r13+disp]             */
	bool changes_base;   /* ... and the access changes its base           */
	bool window;         /* READ: the operand is [r9+window], or, plain,
			      * [base+disp+window]                           */
	bool save_flags;     /* EXIT, STACK, MISALIGNED: write host flags to
			      * cpu->cc                                      */
	bool cross;          /* EXIT: through the jump cache                 */
	bool note;           /* EXIT: the flags are noted, not saved         */
	s8 arg;              /* GUARD, ADDEND: register                      */
	int insn;            /* guest instruction's number                   */
	s32 delta;           /* pending ESP move                             */
	u8 *from;            /* rel32 of the jump that leads here            */
	u8 *from2;           /* another one, or NULL                         */
	u8 *back;            /* where the access (or what follows) starts;
			      * GROUP: where the check does                  */
	u8 *acc_end;         /* end of the access, which is copied (WRITE, plain);
			      * where an absent page is told (ADDEND)        */
	struct recipe rec;   /* flags to compute and save first, if its kind
			      * is not REC_NONE                              */
	/* -- not cleared ------------------------------------------------- */
	struct recipe carry; /* ... with CF from here (INC, DEC)             */
	int map, map_end;    /* ALIGNED, WINDOW: the host's instruction in the map */
	struct xmem ea;      /* base X_NONE: absolute                        */
	u32 aux, helper;     /* GUARD                                        */
	int link;            /* EXIT, STACK, GROUP: index of the link        */
	s32 lo, hi;          /* STACK: range, relative to r12; GROUP: to ea  */
};

/* A stretch in which ESP moves only by known amounts. Offsets count from its
 * value at the stretch's start. */
struct stack_region { int check_at; s32 lo, hi; };

/* Accesses that share a check, up to instruction `last`: x64_group.c. Displacements
 * count from what the address's registers hold at check_at. */
struct access_group {
	struct ir_ea ea;              /* base, index, scale                 */
	int check_at, last;
	s32 lo, hi;
	s32 off;                      /* how far the registers have moved   */
	int place;                    /* of the host address: r14, r10, or a slot */
	bool write, open;
};

struct gen {
	struct xcode c;
	u8 *start, *limit;
	struct ir_block *b;
	const struct ir_target *t;
	struct tb *tb;
	int i;                        /* instruction under way              */
	int mmu;
	int guest_insn;               /* its guest instruction's number     */
	u64 guest_pc;
	/* flags */
	enum fl_state fl;
	struct recipe rec, carry;
	bool cc_own;                  /* cpu->cc is no thunk                 */
	int step_reg;                 /* the instruction adds the constant   */
	s32 step_by;                  /* step_by to it; X_NONE: it does not  */
	bool loads_target;            /* ... is the load of an exit's target */
	bool checked;                 /* ... does not use the window         */
	/* temporaries */
	s16 last_use[IR_PLACES];
	s8 reg[IR_MAX_TEMPS];         /* host register, or X_NONE           */
	s8 slot[IR_MAX_TEMPS];        /* spill slot, or -1                  */
	bool is_const[IR_MAX_TEMPS];
	u64 value[IR_MAX_TEMPS];
	ir_val owner[16];             /* temporary in a host register       */
	u32 busy;                     /* registers this instruction uses    */
	u32 slots_used;
	ir_val slot_owner[N_SPILL];
	ir_val def_spill;             /* result that waits in r8            */
	/* stack pointer */
	s32 off;                      /* since the region's start           */
	s32 delta;                    /* of that, not yet in r12            */
	int region;                   /* current one                        */
	int n_regions;
	bool region_checked;
	struct stack_region regions[MAX_REGIONS];
	/* accesses that share a check */
	int n_groups;
	u32 reserved;                 /* r14, r10 while they serve them     */
	struct access_group groups[MAX_GROUPS];
	/* output */
	int n_cold, n_map, n_links;
	struct tb_link *links;
	struct cold cold[MAX_COLD];
	struct tb_insn map[MAX_MAP];
};

static inline struct ir_insn *gen_insn(struct gen *g) { return &g->b->insn[g->i]; }

/* Stubs (x64_stubs.c), executable view. */
extern u8 *stub_exit_main, *stub_exit_link, *stub_exit_irq, *stub_lookup,
	  *stub_lookup_pc, *stub_write_back, *stub_stack_refill[2], *stub_jump_cache,
	  *stub_group_refill[2][2],               /* [mmu][write]                */
	  *stub_sync, *stub_synced, *stub_base;
enum { N_CLASSES = 7 };
extern u8 *stub_probe[2][N_ACCESS][N_CLASSES]; /* [mmu][ACCESS_*][size class] */
extern u8 *stub_helper[256], *stub_helper_look[256];
int stub_size_class(int bytes, bool aligned);  /* 1 2 4 8 10 16, 16 aligned */

/* -- x64_flags.c ------------------------------------------------------------- */
/* Host flags are about to be destroyed. */
void fl_clobber(struct gen *g);
/* Host register r is about to change. */
void fl_write_reg(struct gen *g, int r);
/* The same before the current instruction has done anything; by: a constant that is
 * about to be added to it, or 0. */
void fl_write_reg_early(struct gen *g, int r, s32 by);
/* Make cpu->cc hold the flags in `mask` (others do not matter). */
void fl_sync(struct gen *g, u8 mask);
/* Have the flags, if they are wanted, in the host's or in cpu->cc: the host's instruction
 * that comes next may raise a fault of the guest's, whose frame shows them. */
void fl_show(struct gen *g);
/* Prepare for host condition `cc`; returns the host condition to test. */
int fl_cond(struct gen *g, int cc);
/* Have CF in the host's flags. */
void fl_load_carry(struct gen *g);
/* Have all flags but OF in the host's. */
void fl_load(struct gen *g);
/* Around an operation that destroys host flags `kills`. */
void fl_before_op(struct gen *g, u8 kills);
void fl_after_op(struct gen *g, u8 kills, struct recipe rec);
/* The current instruction leaves for where the flags in `need` may be wanted. */
void fl_leave(struct gen *g, const struct ir_insn *in);
/* May the flags be noted there, as a thunk that saves them when they are asked for? */
bool fl_can_note(struct gen *g, const struct ir_insn *in);
/* cpu->cc is a thunk: the place where fl_emit_thunk puts its offset. */
u8 *fl_emit_note(struct xcode *c);
void fl_emit_thunk(struct xcode *c, u8 *at, const struct recipe *rec, const struct recipe *carry);
/* The same for flags whose operands were stored (fl_leave). */
void fl_emit_parked(struct xcode *c, u8 *at, struct recipe rec);
/* Is what the flags are made from, if they are, in guest registers? */
bool fl_lasts(const struct gen *g);
/* Does the instruction read flags? Of exits: its own. */
bool fl_reads(const struct ir_insn *in);
/* The flags in `mask` are about to be read from cpu->cc. An exit that led here may have
 * noted them. */
void fl_sync_entry(struct gen *g, u8 mask);
/* At an instruction's start: that, if it reads flags, or merges its own with others, and
 * has a memory operand, for no jump may stand between its check and its access. */
void fl_start(struct gen *g);
/* Emit a recipe (leaves the flags in the host's; r8 is scratch). carry: see REC_INC;
 * NULL: CF as cpu->cc has it, which is no thunk. */
void fl_emit_recipe(struct xcode *c, const struct recipe *r, const struct recipe *carry);
/* The host's flags, which recipe and its carry made, from them. */
void fl_redo(struct gen *g);
/* Before `by` (1, -1) is added to register r, or its part of that size (IRS_), by INC or DEC:
 * where CF can be had from afterwards. False: from nowhere but the host's flags. */
bool fl_carry_source(struct gen *g, int r, int size, s32 by, struct recipe *carry);
/* Host flags to cpu->cc; rax waits in the register `scratch`, or in memory if that is
 * X_NONE. Without a memory operand in r9 that may be scratch. The flags are kept. */
void fl_emit_save(struct xcode *c, int scratch);
/* cpu->cc gets the bits `flags` from the host's; scratch: r8 or r9. */
void fl_emit_merge(struct xcode *c, u8 flags, int scratch);
/* The current instruction will overwrite its input r: if its flags are wanted
 * only by a later fault keep a copy for a recipe. X_NONE: not worth it, or no
 * register is free. */
int fl_copy_input(struct gen *g, int r);
/* Only a later fault wants the current instruction's flags: note the recipe,
 * which needs no host flags, and be done. */
void fl_by_recipe(struct gen *g, struct recipe rec);
bool fl_only_faults(struct gen *g);
/* A recipe of this kind for a register instruction with operands a, b (or its
 * immediate); none when it has a memory or high-byte operand. */
struct recipe fl_recipe(const struct ir_insn *in, int kind, int a, int b);
/* Flags that must survive the current instruction's start / its end. */
u8 fl_needed_before(struct gen *g);
u8 fl_needed_after(struct gen *g);

/* -- x64_mem.c ----------------------------------------------------------------- */
/* v = v + *step? (LEA, or ADD and SUB, whatever their flags.) */
bool mem_steps(const struct ir_insn *in, ir_val v, s32 *step);
void mem_scan_stack(struct gen *g);
/* Is there a shared stack check before instruction `before`, which lets interrupts in? */
bool mem_stack_asks(const struct gen *g, int before);
/* At a guest instruction's start: is a shared stack check due? It is made here. */
static inline bool mem_stack_check_is_due(const struct gen *g)
{
	return g->region < g->n_regions && g->regions[g->region].check_at == g->i;
}
void mem_stack_check(struct gen *g);
/* Keep track of ESP and of the stretch of code its shared check covers:
 * true when the instruction was a move of ESP that needs no code now. */
bool mem_track_stack(struct gen *g);
/* Check the current instruction's memory operand; the operand to use. */
struct xmem mem_operand(struct gen *g, int bytes, bool write);
/* Before gen_map of a host instruction whose operand must be aligned. */
void mem_note_alignment(struct gen *g);
/* After the access of a writing instruction has been emitted, or of one that may be
 * plain (x64_mem.c). */
void mem_access_done(struct gen *g);
struct xmem mem_ea(struct gen *g, const struct ir_ea *ea);  /* of LEA        */
int mem_access_bytes(const struct ir_insn *in);
/* Does the instruction's generator say where its access ends (mem_access_done), and change no
 * register of the address before? */
bool mem_tells_end(const struct ir_insn *in);
/* The slow path of the current instruction's access, whose hot code is about to start. */
struct cold *mem_add_access(struct gen *g, struct xmem ea, int bytes, bool write, u8 *from);
/* In a slow path: have the guest's flags saved, and the probe called with the address in r8,
 * which leaves the host's in r9 (CF: of the bounce buffer). A copy of the access. */
void cold_probe(struct gen *g, const struct cold *k);
void cold_copy(struct xcode *c, const struct cold *k);
void esp_sync(struct gen *g);           /* pending ESP move into r12          */
bool cold_emit_all(struct gen *g);
struct cold *cold_add(struct gen *g, int kind, u8 *from);

/* -- x64_group.c ---------------------------------------------------------------- */
void group_scan(struct gen *g);
void group_check(struct gen *g);
void group_cold_addend(struct gen *g, const struct cold *k);  /* COLD_ADDEND */
void group_cold_refill(struct gen *g, const struct cold *k);  /* COLD_GROUP  */
/* The instruction's memory operand, if a shared check covers it: false, else. */
bool group_operand(struct gen *g, const struct ir_insn *in, int bytes, bool write, struct xmem *m);
void group_leave(struct gen *g);

/* -- x64_window.c --------------------------------------------------------------- */
/* Is the access a load from the window? */
bool window_serves(const struct gen *g, const struct ir_insn *in);
/* ... and [base+disp+window] (but for an exit's target)? */
bool window_is_plain(const struct gen *g, const struct ir_insn *in);
/* Its operand; host flags are kept, if the instruction does not change them. False: not
 * this time. */
bool window_operand(struct gen *g, const struct ir_insn *in, int bytes, struct xmem *at);
/* Its slow path. */
void window_cold(struct gen *g, const struct cold *k);

/* -- x64_probe.c ------------------------------------------------------------- */
void tcg_check_host(void);           /* fatal if it cannot run our code        */
void tcg_probe_flags(void);

/* -- x64_exit.c -------------------------------------------------------------- */
int gen_add_link(struct gen *g, u64 pc, u32 cflags);
void gen_link_jump(struct gen *g, int link);        /* jmp rel32, linkable    */
/* The unlinked target of a link (reports it to the exec loop), here. */
void gen_link_stub(struct gen *g, int link);
void gen_cross_jump(struct gen *g, u64 pc);         /* through the jump cache */
/* The same with the pc in r8d; `table` is the jump cache's place. */
void gen_jump_cache(struct xcode *c, struct xmem table);
void op_exit(struct gen *g, struct ir_insn *in);

/* -- x64_val.c ----------------------------------------------------------------- */
static inline bool val_is_temp(ir_val v)
{
	return v >= IR_FIRST_TEMP && v < IR_MAX_TEMPS;
}
int val_use(struct gen *g, ir_val v);   /* host register that holds v         */
int val_input(struct gen *g, ir_val v); /* same; ESP with no move pending     */
/* Host register for result v; it may be that of `dying`, an input whose last
 * use this is (then a mov between them is none). */
int val_def(struct gen *g, ir_val v, ir_val dying);
/* The same when part of v stays (sizes 8 and 16). */
int val_def_merge(struct gen *g, ir_val v);
/* v, in register r (perhaps its high byte), is changed in place. */
void val_inplace(struct gen *g, ir_val v, int r);
struct xmem val_slot(struct gen *g, ir_val v);     /* where it waits           */
/* A register for temporaries that is free, but not taken; X_NONE: none. */
int free_temp_reg(struct gen *g);
/* A result that waits in r8 goes to its slot: r8 is wanted. */
void gen_flush_def(struct gen *g);
void val_scan(struct gen *g);           /* before a block: last uses          */
void val_release(struct gen *g);        /* after an instruction               */

/* -- x64_opnd.c ------------------------------------------------------------------ */
/* r, or its high byte if the instruction says so of operand `which` (IRP_*). */
int opnd(struct ir_insn *in, int which, int r);
bool b_is_imm(const struct ir_insn *in);
u32 byte_op(u32 op, int size);          /* 8-bit forms stand one before       */
void gen_lock(struct gen *g, const struct ir_insn *in);
/* Turn a register by eight bits, so that its high byte is its low one. */
void gen_turn(struct gen *g, int high);
void gen_turn_back(struct gen *g, int high);
/* op (its non-byte opcode) between a register and a register or memory. */
void gen_op_rr(struct gen *g, u32 op, int size, int reg, int rm);
void gen_op_rm(struct gen *g, u32 op, int size, int reg, struct xmem m);

/* -- the operations ---------------------------------------------------------------- */
typedef void gen_op_fn(struct gen *g, struct ir_insn *in);
gen_op_fn op_mov, op_conv, op_lea, op_setcc, op_movcc, op_flag, op_xchg,
	op_cmpxchg8;                                         /* x64_mov.c  */
gen_op_fn op_alu, op_compare, op_unary;                    /* x64_alu.c  */
gen_op_fn op_vec;                                          /* x64_vec.c  */
gen_op_fn op_shift, op_imul, op_muldiv, op_bswap, op_bscan, op_bt; /* x64_shift.c */
extern const s8 shift_digit[IR_NOPS];   /* /digit of C1, D3                   */

/* -- x64.c ------------------------------------------------------------------------ */
/* Compare exit_request with 0. */
void gen_exit_request(struct xcode *c);
void gen_irq_exit(struct gen *g, u64 pc);    /* to the exec loop, for it       */
/* Host code from here on belongs to this guest instruction. */
void gen_map(struct gen *g, int insn);

#endif
