/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/i386/dis.h - one instruction on its way from bytes to IR: shared by
 * decode.c, peek.c, translate.c, emit.c, the generators gen_*.c, and fpu.c,
 * which looks back at what was executed.
 *
 * decode() fills in the instruction part of struct dis from the bytes at a
 * pc; it emits nothing. Its row's generator then appends the IR, with the
 * functions of emit.c. */
#ifndef I386_DIS_H
#define I386_DIS_H

#include "i386/cpu.h"
#include "i386/helper.h"
#include "i386/optab.h"
#include "qemu/target.h"
#include "tcg/ir.h"

/* An address: base + (index << scale) + disp in a segment, computed modulo
 * 2^16 or 2^32. */
struct addr {
	ir_val base, index;
	u8 scale, asz;               /* asz: IRS_16 or IRS_32                */
	u8 seg;
	s32 disp;
};

enum opnd_kind { OPND_NONE, OPND_REG, OPND_MEM, OPND_IMM, OPND_VEC };
/* Must 16 bytes be aligned? Of SHA's operands AMD's processors do not ask it. */
enum alignment { ALIGN_NONE, ALIGN_MUST, ALIGN_HOST };
enum place { PLACE_NONE, PLACE_REG, PLACE_RM, PLACE_VEX };  /* where it is encoded */
struct opnd {
	u8 kind, size;               /* size: IRS_*                          */
	bool high;                   /* bits 8..15 of v (AH CH DH BH)        */
	u8 aligned;                  /* OPND_MEM of 16 bytes                 */
	u8 place;                    /* enum place                           */
	ir_val v;                    /* OPND_REG; OPND_VEC: its number       */
	s32 imm;                     /* OPND_IMM; also number of a Sw, Cd, Dd */
};

enum fetch { FETCH_OK,
	     FETCH_STOP,             /* the next byte would fault            */
	     FETCH_LIMIT,            /* ... is beyond CS.limit               */
	     FETCH_LONG };           /* more than 15 bytes                   */

struct dis {
	/* -- the block ---------------------------------------------------- */
	struct translation *t;
	struct ir_block *ir;
	struct cpu *cpu;
	u32 flags;                   /* HF_*                                 */
	u32 absent[FEATURE_WORDS];   /* features the CPU has not             */
	u32 cs_base, cs_limit;
	gva page0;                   /* linear address of the first page     */
	const u8 *host[2];           /* its bytes, the second page's         */
	bool mmio;                   /* not RAM: bytes come by cpu_ldub      */
	bool copied;                 /* `host` is a copy: cpu_code_want      */
	u16 copied_from, copied_end; /* ... these bytes of the first page are there */
	bool peek;                   /* look-ahead: no second page           */
	bool quiet;                  /* outside a block: no fetch faults     */
	bool first;                  /* fetch faults are raised              */
	bool end;                    /* nothing follows this instruction     */
	bool single;                 /* one instruction, then the main loop  */
	bool shadow;                 /* the last one was STI                 */
	u8 n_cond;                   /* conditional exits so far             */
	u8 n_copies;                 /* of the loop that the block is, so far,
				      * beyond the first                     */
	/* -- fetch ---------------------------------------------------------- */
	const u8 *cur, *fend, *mark; /* next byte; limit; where `done` counts from */
	u32 done;                    /* bytes of this instruction before mark */
	u8 fault;                    /* enum fetch                           */
	bool straddles;              /* has bytes of the second page         */
	u8 window[16];
	/* -- the instruction -------------------------------------------------- */
	u32 pc, next;                /* EIP of it, of what follows           */
	const struct insn *row;
	u8 op;                       /* last opcode byte                     */
	u8 esc;                      /* D8..DF of an x87 instruction         */
	bool lock;
	u8 rep;                      /* 0, 1 F3, 2 F2                        */
	u8 prefix, map;              /* VEC_*: of a 0F instruction           */
	bool vex;                    /* VEX prefix, and its vvvv             */
	u8 vvvv;
	s8 over;                     /* segment override, -1: none           */
	u8 osz, asz;                 /* IRS_16 or IRS_32                     */
	bool has_modrm;
	u8 modrm, mod, reg, rm;
	struct addr mem;             /* of the E, M or O operand             */
	struct opnd arg[3];
	u16 imm_at;                  /* where in the first page a 4-byte
				      * immediate stands, 0: none            */
	u32 target;                  /* of a J operand                       */
	u16 far_sel;                 /* of an Ap operand                     */
	s16 exc;                     /* vector it raises instead, -1: none   */
	u32 exc_err;                 /* error code, ~0: none                 */
};

/* -- decode.c ----------------------------------------------------------------- */
/* Decode the instruction at EIP pc. False: a byte of it cannot be had (fault
 * is FETCH_STOP or FETCH_LIMIT); for the first instruction of a block the
 * fault is raised instead. */
bool decode(struct dis *d, u32 pc);
/* The instruction at eip as the CPU stands now; *d needs no preparation. False:
 * its bytes cannot be had from RAM. Raises nothing, emits nothing. */
bool decode_quiet(struct dis *d, struct x86_cpu *x, u32 eip);

/* -- translate.c ----------------------------------------------------------------- */
/* Does the mode have this flag (HF_*)? Of HF_GRANTED: the block counts on the answer. */
bool dis_has(struct dis *d, u32 hf);

/* -- peek.c -------------------------------------------------------------------- */
/* What code at pc does with the arithmetic flags before it overwrites them. */
struct peek {
	u8 live;                     /* it may read these                     */
	u8 read;                     /* ... and is seen to do so              */
	u8 shown;                    /* a fault would show these              */
	u16 regs;                    /* ... when these registers may have changed */
};
/* Notes the bytes looked at in d->t. */
struct peek peek_flags(struct dis *d, u32 pc);
u8 cc_flags(enum ir_cc cc);          /* the flags a condition reads          */

/* -- emit.c: addresses ---------------------------------------------------------- */
/* Linear address of `bytes` bytes at m: segmentation applied and checked. */
struct ir_ea emit_ea(struct dis *d, const struct addr *m, int bytes, bool write);
/* The same for an operand that #AC wants aligned to `align` bytes. */
struct ir_ea emit_ea_aligned(struct dis *d, const struct addr *m, int bytes, bool write,
			     int align);
/* Offset of m in its segment as a 32-bit value. */
ir_val emit_offset(struct dis *d, const struct addr *m);
/* Linear address as a value, for helpers. */
ir_val emit_linear(struct dis *d, const struct addr *m, int bytes, bool write, int align);
struct addr addr_reg(struct dis *d, int seg, ir_val base, s32 disp);

/* -- emit.c: operations ----------------------------------------------------------- */
/* dst = dst op src with the row's flags; one of them may be in memory. */
struct ir_insn *emit_alu2(struct dis *d, enum ir_op op, const struct opnd *dst,
			  const struct opnd *src);
/* Flags of a and b. */
struct ir_insn *emit_cmp(struct dis *d, enum ir_op op, const struct opnd *a,
			 const struct opnd *b);
/* dst = op src, without flags (MOV). */
struct ir_insn *emit_mov(struct dis *d, const struct opnd *dst, const struct opnd *src);
/* dst = op dst, in place. */
struct ir_insn *emit_alu1(struct dis *d, enum ir_op op, const struct opnd *dst);
ir_val emit_const(struct dis *d, u32 v);              /* temporary           */
void emit_copy(struct dis *d, int size, ir_val dst, ir_val src);
ir_val emit_load(struct dis *d, int size, const struct ir_ea *ea);
ir_val emit_load_zx(struct dis *d, int size, const struct ir_ea *ea); /* to 32 */
/* Two operands side by side at d->mem, zero-extended: the first has d's operand size, the
 * second hi_size (far pointers, BOUND). Each has its own offset, which wraps round at 64 KB
 * where addresses have 16 bits, and its own check of the segment's limit: so on silicon. */
struct opnd_pair {
	ir_val lo, hi;
};
struct opnd_pair emit_load_pair(struct dis *d, int hi_size);
void emit_store(struct dis *d, int size, const struct ir_ea *ea, ir_val v);
void emit_lea(struct dis *d, int size, ir_val dst, ir_val base, ir_val index,
	      int scale, s32 disp);
ir_val emit_zx(struct dis *d, int size, ir_val v);    /* to 32 bits          */
ir_val emit_value(struct dis *d, const struct opnd *o); /* zero-extended     */
/* dst (dsize) = src zero- or sign-extended (op: IR_ZX, IR_SX). */
void emit_conv(struct dis *d, enum ir_op op, int dsize, int size, ir_val dst, ir_val src);
ir_val emit_lde(struct dis *d, int size, size_t ofs); /* zero-extended       */
void emit_ste_imm(struct dis *d, int size, size_t ofs, u32 v);
void emit_ste(struct dis *d, int size, size_t ofs, ir_val v);
/* result = helper(a, b, c); IR_NONE for arguments it has not. */
ir_val emit_call(struct dis *d, enum helper_id id, ir_val a, ir_val b, ir_val c);
/* Raise an exception; ends the block. err ~0: no error code. */
void emit_raise(struct dis *d, int vector, u32 err);

/* -- gen_fpu.c ---------------------------------------------------------------------- */
/* A host's instruction without operands in memory: its one or two bytes. */
struct ir_insn *emit_fpu(struct dis *d, u32 bytes);

/* -- emit.c: stack ------------------------------------------------------------------ */
void emit_push(struct dis *d, int size, const struct opnd *src);  /* not memory */
void emit_push_val(struct dis *d, int size, ir_val v);
struct ir_ea emit_stack_ea(struct dis *d, s32 disp, int bytes, bool write);
void emit_esp_add(struct dis *d, s32 n);

/* -- gen_sse.c ------------------------------------------------------------------------- */
/* May the instruction (of generator gen_vec) raise an exception of its own? */
bool vec_faults(const struct dis *d);

/* -- gen_flow.c: leaving the block ----------------------------------------------------- */
void gen_goto(struct dis *d, u32 target);
/* xflags: IRX_CALL (then ret is the return pc) or IRX_RET or 0. */
void gen_goto_ind(struct dis *d, ir_val pc, int xflags, u32 ret);
void gen_goto_cc(struct dis *d, enum ir_cc cc, u32 target);
/* To target if v (low bits) is zero (op IR_EXITZ) or not (IR_EXITNZ). */
void gen_goto_z(struct dis *d, enum ir_op op, int size, ir_val v, u32 target);
/* The helper stored the new EIP in cpu->pc. irq: interrupts may have become
 * possible. */
void gen_leave(struct dis *d, bool irq);
void gen_leave_next(struct dis *d);                /* stores next first      */
void gen_leave_in_shadow(struct dis *d);           /* no interrupt before next */

static inline int op_bytes(int size) { return 1 << size; }
static inline ir_val reg_val(int reg) { return (ir_val)reg; }
static inline struct opnd opnd_reg(int size, ir_val v)
{
	return (struct opnd){ .kind = OPND_REG, .size = (u8)size, .v = v };
}
static inline struct opnd opnd_imm(int size, s32 imm)
{
	return (struct opnd){ .kind = OPND_IMM, .size = (u8)size, .imm = imm };
}

static inline u32 dis_iopl(const struct dis *d)
{
	return d->flags / (HF_IOPL & -HF_IOPL) & 3;
}

#define X86_OFS(field) offsetof(struct x86_cpu, field)

#endif
