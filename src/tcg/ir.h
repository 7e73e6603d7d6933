/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/tcg/ir.h - the intermediate representation: one list of instructions.
 *
 * A block is a trace: straight-line code with side exits, no inner labels.
 *
 * Values. A value is a 64-bit container: globals 0..n_globals-1 (guest
 * registers; the back end keeps each in the host register the target asks
 * for) and temporaries from IR_FIRST_TEMP on, which die with the block. An
 * operation of size 8 or 16 reads the low bits of its inputs and replaces
 * only the low bits of d; size 32 clears the upper half of d. With the
 * part bits an 8-bit operand is bits 8..15 of its value instead ("high byte";
 * globals 0..3 only).
 *
 * Memory operands. Any ALU operation may have one of its operands in guest
 * memory at ea = base + (index << scale) + disp, computed modulo 2^32 (the
 * flat linear address; segmentation has been applied before):
 *   IRM_SRC  b is [ea]               (add eax, [m];  mov eax, [m])
 *   IRM_LHS  a is [ea], not written  (cmp [m], eax;  test [m], 1)
 *   IRM_DST  d and a are [ea]        (add [m], eax;  mov [m], eax: b stored)
 * The access is checked before anything is changed; faults are precise.
 *
 * Flags. CF PF AF ZF SF OF are one implicit variable of six bits. fdef: the
 * bits an instruction writes; fuse: the bits it reads. What of fdef nobody
 * reads is dropped by the liveness pass (flive). */
#ifndef TCG_IR_H
#define TCG_IR_H

#include "env/types.h"

typedef u16 ir_val;
#define IR_MAX_GLOBALS 16
#define IR_FIRST_TEMP IR_MAX_GLOBALS
#define IR_MAX_TEMPS  510      /* numbers of values: globals, temporaries  */
/* What is no value has a place in arrays, too: passes note operands without asking. */
#define IR_IMM        ((ir_val)IR_MAX_TEMPS)          /* operand b is imm  */
#define IR_NONE       ((ir_val)(IR_MAX_TEMPS + 1))    /* no operand        */
#define IR_PLACES     (IR_MAX_TEMPS + 2)

enum { IRS_8, IRS_16, IRS_32, IRS_64, IRS_128 };       /* log2 bytes       */

enum { IRF_C = 1, IRF_P = 2, IRF_A = 4, IRF_Z = 8, IRF_S = 16, IRF_O = 32,
       IRF_ALL = 63, IRF_NOT_C = 62, IRF_LOGIC = 63 };

enum ir_cc { CC_O, CC_NO, CC_B, CC_AE, CC_E, CC_NE, CC_BE, CC_A,
	     CC_S, CC_NS, CC_P, CC_NP, CC_L, CC_GE, CC_LE, CC_G };

enum ir_mem { IRM_NONE, IRM_SRC, IRM_LHS, IRM_DST };
enum { IRP_D = 1, IRP_A = 2, IRP_B = 4 };              /* part: high byte  */
enum { IRX_LOCK = 1,         /* atomic read-modify-write                   */
       IRX_BACK = 2,         /* exit: backward, check for interrupts       */
       IRX_CROSS = 4,        /* exit: other guest page, no direct link     */
       IRX_CHECKED = 8,      /* IR_INSN: its loads are not for the window  */
       IRX_CALL = 8,         /* exit: a call; imm2 is the return pc        */
       IRX_RET = 16,         /* exit: a return                             */
       IRX_USER = 32,        /* access with user rights (mmu index 1)      */
       IRX_READS = 64,       /* exit: there is code there that reads flags */
};

/* Kinds: how passes and the text form treat an op.
 *   ALU2 d = a op b          ALU1 d = op b          CMP  flags of (a, b)
 *   CONV d(dsize) = b(size)  FIX  fixed globals     ENV  struct cpu access
 *   FPU  x87                 CALL helper            EXIT leaves the block
 *   VEC  vector and other instructions the host has as well               */
/*      name     kind  what it does */
#define IR_OPS(_) \
	_(INSN,    MARK)  /* guest instruction at imm starts; aux: its length */ \
	_(MOV,     ALU1)  /* d = b                                            */ \
	_(ADD,     ALU2)  /* d = a + b; without IRF_C in fdef: CF kept (INC)  */ \
	_(ADC,     ALU2)  /* d = a + b + CF                                   */ \
	_(SUB,     ALU2)  /* d = a - b; without IRF_C in fdef: CF kept (DEC)  */ \
	_(SBB,     ALU2)  /* d = a - b - CF                                   */ \
	_(AND,     ALU2)  /* d = a & b                                        */ \
	_(OR,      ALU2)  /* d = a | b                                        */ \
	_(XOR,     ALU2)  /* d = a ^ b                                        */ \
	_(CMP,     CMP)   /* flags of a - b                                   */ \
	_(TEST,    CMP)   /* flags of a & b                                   */ \
	_(NOT,     ALU1)  /* d = ~b                    (IRM_DST: [ea] = ~[ea]) */ \
	_(NEG,     ALU1)  /* d = -b, flags of 0 - b    (IRM_DST: in place)    */ \
	_(SHL,     ALU2)  /* shifts, rotates: d = a by b, b = imm or global 1 */ \
	_(SHR,     ALU2)  /* (CL); count mod 32; count 0 keeps the flags, so  */ \
	_(SAR,     ALU2)  /* by CL they also have fuse = fdef                 */ \
	_(ROL,     ALU2) \
	_(ROR,     ALU2) \
	_(RCL,     ALU2)  /* through CF: fuse has IRF_C                       */ \
	_(RCR,     ALU2) \
	_(SHLD,    ALU3)  /* d = a:c shifted left by b, upper part            */ \
	_(SHRD,    ALU3)  /* d = c:a shifted right by b, lower part           */ \
	_(IMUL,    ALU2)  /* d = a * b signed, low part; CF OF on overflow    */ \
	_(IMUL3,   ALU2)  /* d = b * imm, b register or IRM_SRC (imul r,m,i)  */ \
	_(MULU,    FIX)   /* G2:G0 = G0 * b (8 bit: AX = AL * b), unsigned    */ \
	_(MULS,    FIX)   /* same, signed                                     */ \
	_(DIVU,    FIX)   /* G0, G2 = G2:G0 / b, rest; #DE leaves all as was  */ \
	_(DIVS,    FIX) \
	_(BSWAP,   ALU1)  /* d = bytes of b reversed (32 bit)                 */ \
	_(BSF,     ALU2)  /* d = lowest set bit of b, or a (= d) if b is 0    */ \
	_(BSR,     ALU2)  /* d = highest set bit of b, or a                   */ \
	_(BT,      CMP)   /* CF = bit b of a (b mod size)                     */ \
	_(BTS,     ALU2)  /* CF = bit b of a; d = a with it set               */ \
	_(BTR,     ALU2)  /* ... cleared                                      */ \
	_(BTC,     ALU2)  /* ... inverted                                     */ \
	_(ZX,      CONV)  /* d (dsize) = b (size) zero-extended               */ \
	_(SX,      CONV)  /* d (dsize) = b (size) sign-extended               */ \
	_(LEA,     LEA)   /* d = ea, no memory access; size 16 or 32          */ \
	_(SETCC,   ALU0)  /* d (8 bit, or [ea]) = cc ? 1 : 0                  */ \
	_(MOVCC,   ALU2)  /* d = cc ? b : a       (a = d; [ea] always read)   */ \
	_(XCHG,    XCHG)  /* d <-> b; IRM_DST: b <-> [ea], always atomic      */ \
	_(XADD,    XCHG)  /* b, d = d, d + b;     IRM_DST: with [ea]          */ \
	_(CMPXCHG, XCHG)  /* d == G0 ? d = b : G0 = d; flags of cmp G0, d     */ \
	_(CMPXCHG8, FIX)  /* 64 bit [ea] == G2:G0 ? [ea] = G1:G3 (hi:lo)      */ \
	_(LDE,     ENV)   /* d = struct cpu field at offset imm (size)        */ \
	_(STE,     ENV)   /* field at offset imm = b, or imm2 if b is IR_IMM  */ \
	_(CF,      FLAG)  /* CF = imm: 0 clear, 1 set, 2 complement           */ \
	_(LAHF,    FLAG)  /* d high byte = SF ZF 0 AF 0 PF 1 CF               */ \
	_(SAHF,    FLAG)  /* flags but OF = high byte of b                    */ \
	_(GUARD,   GUARD) /* segment check of offset a; see ir_guard          */ \
	_(FPU,     FPU)   /* x87, register form: opcode bytes imm (D8..DF, modrm); */ \
			  /* FWAIT; PAUSE                                     */ \
	_(FPUM,    FPU)   /* x87 with [ea]: imm as above (modrm.reg counts),  */ \
			  /* aux: bytes; IRM_SRC reads, IRM_DST writes        */ \
	_(VEC,     VEC)   /* a host instruction as it is, see VEC_*           */ \
	_(CALL,    CALL)  /* d = helper aux (args a, b, c)                    */ \
	_(EXIT,    EXIT)  /* to pc imm                                        */ \
	_(EXITCC,  EXIT)  /* to pc imm if cc                                  */ \
	_(EXITZ,   EXIT)  /* to pc imm if a (size) == 0; flags not changed    */ \
	_(EXITNZ,  EXIT)  /* to pc imm if a (size) != 0; flags not changed    */ \
	_(EXITIND, EXIT)  /* to the pc in a                                   */ \
	_(EXITMAIN, EXIT) /* to the main loop; cpu->pc has been stored        */ \
	_(EXITLOOK, EXIT) /* to cpu->pc (stored), through a TB lookup         */

enum ir_op {
#define IR_ENUM(name, kind) IR_##name,
	IR_OPS(IR_ENUM)
#undef IR_ENUM
	IR_NOPS
};

enum ir_kind { IRK_MARK, IRK_ALU0, IRK_ALU1, IRK_ALU2, IRK_ALU3, IRK_CMP,
	IRK_CONV, IRK_FIX, IRK_LEA, IRK_XCHG, IRK_ENV, IRK_FLAG, IRK_GUARD,
	IRK_FPU, IRK_VEC, IRK_CALL, IRK_EXIT };

struct ir_desc { const char *name; u8 kind; };
extern const struct ir_desc ir_desc[IR_NOPS];

struct ir_ea { ir_val base, index; u8 scale; s32 disp; };

struct ir_insn {
	u8 op;                   /* enum ir_op                              */
	u8 size;                 /* IRS_*                                   */
	u8 dsize;                /* ZX, SX: size of d                       */
	u8 cc;                   /* enum ir_cc                              */
	u8 part;                 /* IRP_*                                   */
	u8 mem;                  /* enum ir_mem                             */
	u8 xflags;               /* IRX_*                                   */
	u8 fdef, fuse;           /* flags written, flags read               */
	u8 flive;                /* of the flags after it, those still read */
	u8 ffault;               /* ... those a later fault would show      */
	u8 fshow;                /* exits: flags that a fault there would show,
				  * before they are overwritten unread; aux has
				  * the globals that may have changed by then */
	ir_val d, a, b, c;
	struct ir_ea ea;
	s64 imm, imm2;
	u32 aux;
};

/* What IR_GUARD needs: it computes t = a - lo and, unless t < n (unsigned, 32
 * bit), calls the helper with (a, aux). imm is the offset in struct cpu of
 * { u32 lo; u32 n; }, imm2 the helper's number. The helper raises the
 * fault or returns when the access is allowed after all. */

/* IR_VEC is an instruction that guest and host have in common: vector
 * registers are the host's own, as the x87's are. imm is its opcode, imm2 its
 * operands: what stands in ModRM.reg, ModRM.rm (without memory) and VEX.vvvv,
 * either a vector register (or digit) or one of the values d (written), a, b, c.
 * With memory, aux is its bytes; IRM_SRC reads, IRM_DST writes. Values that are
 * named but stand nowhere are read implicitly; c in vvvv is written. */
#define VEC_OPCODE(prefix, map, op) ((prefix) << 10 | (map) << 8 | (op))
enum { VEC_NP, VEC_66, VEC_F3, VEC_F2 };               /* prefix           */
enum { VEC_0F, VEC_0F38, VEC_0F3A };                   /* map              */
enum { VEC_VEX = 1 << 12,        /* in imm: VEX-encoded, 128 bit, W 0      */
       VEC_IMM8 = 1 << 13 };     /* ... bits 16..23 are an immediate       */
enum { VECV_NONE, VECV_D, VECV_A, VECV_B, VECV_C };
#define VEC_REG(n) (n)           /* in imm2: register numbers ...          */
#define VEC_RM(n) ((n) << 4)
#define VEC_REG_IS(v) ((v) << 8) /* ... or which value stands there        */
#define VEC_RM_IS(v) ((v) << 12)
#define VEC_V_IS(v) ((v) << 16)
enum { VEC_FAULTS = 1 << 20,     /* may raise an exception of its own      */
       VEC_ALIGNED = 1 << 21,    /* memory must be naturally aligned       */
       VEC_MISALIGN = 1 << 23,   /* ... if the host thinks so               */
       VEC_AT_B = 1 << 22 };     /* memory is addressed by b, implicitly   */

/* -- helpers --------------------------------------------------------------
 * u64 fn(cpu, u32, u32, u32): C functions that translated code calls. */
enum { IRH_FAULTS = 1,       /* may raise a guest exception                */
       IRH_RREGS = 2,        /* reads guest registers in struct cpu        */
       IRH_WREGS = 4,        /* ... and writes them                        */
       IRH_RFLAGS = 8,       /* reads cpu->cc                              */
       IRH_WFLAGS = 16,      /* ... writes it                              */
       IRH_NORETURN = 32,
       IRH_FPU = 64,         /* touches the host's x87 state knowingly     */
};
struct ir_helper { const char *name; void *fn; u8 nargs; u8 flags; };

/* -- what the translator knows of the guest ------------------------------- */
struct ir_target {
	int n_globals;
	struct { const char *name; u8 host; u16 offset; } global[IR_MAX_GLOBALS];
	ir_val stack;                  /* the global that is the stack pointer */
	const struct ir_helper *helper;
	int n_helpers;
};

/* -- a block under construction ------------------------------------------- */
#define IR_MAX_INSNS 2048
/* What a block takes for granted of struct cpu: the u32 at ofs has the bits of mask.
 * Where it has not the block goes on, from its start, in the variant `cflags`. */
enum { IR_MAX_GRANTED = 2 };
struct ir_granted { s32 ofs; u32 mask, cflags; };
struct ir_block {
	const struct ir_target *target;
	int n, n_vals;                 /* instructions; next free value        */
	u8 mmu_idx;                    /* default mmu index of its accesses    */
	bool stack_cache;              /* SS is flat: ESP accesses may share a
					* check, see x64.c                     */
	u8 n_granted;
	struct ir_granted granted[IR_MAX_GRANTED];
	bool direct;                   /* its accesses are likely to have the
				* addend that the stack has, see x64_mem.c */
	bool window;                   /* loads may go unchecked, see x64_window.c */
	struct ir_insn insn[IR_MAX_INSNS];
};

void ir_reset(struct ir_block *b, const struct ir_target *t);
ir_val ir_temp(struct ir_block *b);               /* a new temporary         */
/* Append a zeroed instruction with no operands; the caller fills it in. Never
 * NULL: the translator ends blocks long before IR_MAX_INSNS. */
struct ir_insn *ir_add(struct ir_block *b, enum ir_op op, int size);
/* How much room is left, in instructions; and in temporaries. */
static inline int ir_room(const struct ir_block *b)
{
	return MIN(IR_MAX_INSNS - b->n, IR_MAX_TEMPS - b->n_vals);
}

/* -- passes (opt.c) --------------------------------------------------------- */
void ir_optimize(struct ir_block *b);   /* constants, copies, dead code, flags */

/* -- text (text.c): one instruction a line, notes/ir.md --------------------- */
/* Write the block into buf; returns the length it has (snprintf's rule). */
int ir_print(const struct ir_block *b, char *buf, size_t size);
/* Parse text into b; returns 0, or the number of the line that is wrong. */
int ir_parse(struct ir_block *b, const char *text);

#endif
