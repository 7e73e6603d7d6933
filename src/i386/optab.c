/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/i386/optab.c - the opcode maps; operand codes are those of SDM vol. 2D
 * appendix A (Eb Ev Gb Gv Ib Iz ...), so a row can be proof-read against
 * tables and A-6 (groups) and, for x87, A-7 to A-22.
 *
 * Holes are #UD. AVX and later rows are. */
#include "i386/optab.h"

#include <stddef.h>

#include "tcg/ir.h"

/* -- generators ---------------------------------------------------------------- */
gen_fn gen_alu, gen_cmp, gen_incdec, gen_unary, gen_shift, gen_shiftd, gen_imul, gen_imul3,
	gen_muldiv, gen_bt, gen_bscan, gen_bcd, gen_aam, gen_cf, gen_lahf, gen_sahf,
	gen_salc, gen_cbw, gen_cwd;
gen_fn gen_mov, gen_lea, gen_xchg, gen_xadd, gen_cmpxchg, gen_cmpxchg8b, gen_bswap,
	gen_movzx, gen_movsx, gen_setcc, gen_cmov, gen_push, gen_push_mem, gen_pop,
	gen_pop_mem, gen_push_seg, gen_pop_seg, gen_pusha, gen_popa, gen_pushf, gen_popf,
	gen_enter, gen_leave_frame, gen_xlat, gen_mov_from_seg, gen_mov_to_seg, gen_lxs;
gen_fn gen_jcc, gen_jmp, gen_call, gen_jmp_ind, gen_call_ind, gen_ret, gen_retf,
	gen_jmp_far, gen_call_far, gen_jmp_far_mem, gen_call_far_mem, gen_loop, gen_jcxz,
	gen_int, gen_int_fixed, gen_into, gen_iret, gen_bound, gen_nop, gen_ud;
gen_fn gen_movs, gen_stos, gen_lods, gen_scas, gen_cmps, gen_ins, gen_outs;
gen_fn gen_in, gen_out, gen_hlt, gen_cli, gen_sti, gen_df, gen_mov_from_cr, gen_mov_to_cr,
	gen_mov_from_dr, gen_mov_to_dr, gen_clts, gen_lmsw, gen_smsw, gen_load_dt,
	gen_store_dt, gen_invlpg, gen_helper0, gen_sldt, gen_str, gen_lldt, gen_ltr,
	gen_ver, gen_lar, gen_arpl, gen_sysenter, gen_sysexit, gen_ac, gen_monitor, gen_mwait;
gen_fn gen_fpu, gen_fpu_load, gen_fpu_store, gen_fpu_state, gen_fwait, gen_fx, gen_xsave, gen_fpu_nop,
	gen_fninit, gen_fnstsw_ax;
gen_fn gen_vec, gen_emms, gen_maskmov, gen_ldmxcsr, gen_clflush;

enum { F_CO = IRF_C | IRF_O, NOT_O = IRF_ALL & ~IRF_O };

/* name, generator, its parameter, flags written, read, row flags, operands */
#define I(nm, g, x, def, use, f, ...) { nm, gen_##g, NULL, { __VA_ARGS__ }, x, def, use, f }
#define N(nm, g, f, ...)  I(nm, g, 0, 0, 0, f, __VA_ARGS__)      /* no flags  */
#define G(tab, ...)       { #tab, NULL, tab, { __VA_ARGS__ }, 0, 0, 0, 0 }
#define ALU(b, nm, op, use, lk)                                          \
	[(b) + 0] = I(nm, alu, IR_##op, IRF_ALL, use, lk, Eb, Gb),         \
	[(b) + 1] = I(nm, alu, IR_##op, IRF_ALL, use, lk, Ev, Gv),         \
	[(b) + 2] = I(nm, alu, IR_##op, IRF_ALL, use, 0, Gb, Eb),          \
	[(b) + 3] = I(nm, alu, IR_##op, IRF_ALL, use, 0, Gv, Ev),          \
	[(b) + 4] = I(nm, alu, IR_##op, IRF_ALL, use, 0, AL, Ib),          \
	[(b) + 5] = I(nm, alu, IR_##op, IRF_ALL, use, 0, rAX, Iz)
#define R8(b, ...)   [(b) + 0] = __VA_ARGS__, [(b) + 1] = __VA_ARGS__, \
	[(b) + 2] = __VA_ARGS__, [(b) + 3] = __VA_ARGS__,             \
	[(b) + 4] = __VA_ARGS__, [(b) + 5] = __VA_ARGS__,             \
	[(b) + 6] = __VA_ARGS__, [(b) + 7] = __VA_ARGS__
/* The sixteen conditions in their order. */
#define BY_CC(b, pre, g, f, ...)                                           \
	[(b) + 0x0] = I(pre "o", g, 0, 0, 0, f, __VA_ARGS__),               \
	[(b) + 0x1] = I(pre "no", g, 0, 0, 0, f, __VA_ARGS__),              \
	[(b) + 0x2] = I(pre "b", g, 0, 0, 0, f, __VA_ARGS__),               \
	[(b) + 0x3] = I(pre "ae", g, 0, 0, 0, f, __VA_ARGS__),              \
	[(b) + 0x4] = I(pre "e", g, 0, 0, 0, f, __VA_ARGS__),               \
	[(b) + 0x5] = I(pre "ne", g, 0, 0, 0, f, __VA_ARGS__),              \
	[(b) + 0x6] = I(pre "be", g, 0, 0, 0, f, __VA_ARGS__),              \
	[(b) + 0x7] = I(pre "a", g, 0, 0, 0, f, __VA_ARGS__),               \
	[(b) + 0x8] = I(pre "s", g, 0, 0, 0, f, __VA_ARGS__),               \
	[(b) + 0x9] = I(pre "ns", g, 0, 0, 0, f, __VA_ARGS__),              \
	[(b) + 0xa] = I(pre "p", g, 0, 0, 0, f, __VA_ARGS__),               \
	[(b) + 0xb] = I(pre "np", g, 0, 0, 0, f, __VA_ARGS__),              \
	[(b) + 0xc] = I(pre "l", g, 0, 0, 0, f, __VA_ARGS__),               \
	[(b) + 0xd] = I(pre "ge", g, 0, 0, 0, f, __VA_ARGS__),              \
	[(b) + 0xe] = I(pre "le", g, 0, 0, 0, f, __VA_ARGS__),              \
	[(b) + 0xf] = I(pre "g", g, 0, 0, 0, f, __VA_ARGS__)

#define BYRM_(tab)        { #tab, NULL, tab, { None }, 0, 0, 0, BYRM }
/* Sub-tables by mandatory prefix: none, 66, F3, F2; by memory or register. */
#define PFX(...)          { "prefix", NULL, (const struct insn[4]){ __VA_ARGS__ }, { None }, \
			    0, 0, 0, BYPFX }
#define MOD(mem, reg)     { "mod", NULL, (const struct insn[2]){ mem, reg }, { None }, \
			    0, 0, 0, BYMOD }
/* x: X_*; f: feature */
#define V(nm, x, f, ...)  I(nm, vec, x, 0, 0, (f) | SSEROW, __VA_ARGS__)
#define VM(nm, f, ...)    I(nm, vec, 0, 0, 0, (f) | MMXROW, __VA_ARGS__)
#define VB(nm, x, f, ...) I(nm, vec, x, 0, 0, (f) | SSEROW | MMXROW, __VA_ARGS__)
/* MMX's and SSE2's form of one operation; floating point in its four formats. */
#define BOTH(nm, f0, f1)  PFX([0] = VM(nm, f0, Px, Qx), [1] = V(nm, 0, f1, Vx, Wx))
#define INT(nm)           BOTH(nm, MMX, SSE2)
#define PSPD(nm, x)       PFX([0] = V(nm "ps", x, SSE, Vx, Wx), [1] = V(nm "pd", x, SSE2, Vx, Wx))
#define FP4(nm)           PFX([0] = V(nm "ps", X_FP, SSE, Vx, Wx), \
			      [1] = V(nm "pd", X_FP, SSE2, Vx, Wx), \
			      [2] = V(nm "ss", X_FP, SSE, Vx, Wd), \
			      [3] = V(nm "sd", X_FP, SSE2, Vx, Wq))
#define V66(...)          PFX([1] = V(__VA_ARGS__))

/* clang-format off */
/* -- groups ------------------------------------------------------------------------ */

static const struct insn grp1[8] = {
	[0] = I("add", alu, IR_ADD, IRF_ALL, 0, LOCKABLE, None),
	[1] = I("or",  alu, IR_OR,  IRF_ALL, 0, LOCKABLE, None),
	[2] = I("adc", alu, IR_ADC, IRF_ALL, IRF_C, LOCKABLE, None),
	[3] = I("sbb", alu, IR_SBB, IRF_ALL, IRF_C, LOCKABLE, None),
	[4] = I("and", alu, IR_AND, IRF_ALL, 0, LOCKABLE, None),
	[5] = I("sub", alu, IR_SUB, IRF_ALL, 0, LOCKABLE, None),
	[6] = I("xor", alu, IR_XOR, IRF_ALL, 0, LOCKABLE, None),
	[7] = I("cmp", cmp, IR_CMP, IRF_ALL, 0, 0, None),
};
static const struct insn grp1a[8] = {
	[0] = N("pop", pop_mem, D64, Ev),
};
static const struct insn grp2[8] = {
	[0] = I("rol", shift, IR_ROL, F_CO, 0, SHIFT, None),
	[1] = I("ror", shift, IR_ROR, F_CO, 0, SHIFT, None),
	[2] = I("rcl", shift, IR_RCL, F_CO, IRF_C, SHIFT, None),
	[3] = I("rcr", shift, IR_RCR, F_CO, IRF_C, SHIFT, None),
	[4] = I("shl", shift, IR_SHL, IRF_ALL, 0, SHIFT, None),
	[5] = I("shr", shift, IR_SHR, IRF_ALL, 0, SHIFT, None),
	[6] = I("shl", shift, IR_SHL, IRF_ALL, 0, SHIFT, None),
	[7] = I("sar", shift, IR_SAR, IRF_ALL, 0, SHIFT, None),
};
#define GRP3(e, i) {                                                      \
	[0] = I("test", cmp, IR_TEST, IRF_ALL, 0, 0, e, i),               \
	[1] = I("test", cmp, IR_TEST, IRF_ALL, 0, 0, e, i),               \
	[2] = I("not", unary, IR_NOT, 0, 0, LOCKABLE, e),                 \
	[3] = I("neg", unary, IR_NEG, IRF_ALL, 0, LOCKABLE, e),           \
	[4] = I("mul", muldiv, IR_MULU, IRF_ALL, 0, 0, e),                \
	[5] = I("imul", muldiv, IR_MULS, IRF_ALL, 0, 0, e),               \
	[6] = I("div", muldiv, IR_DIVU, IRF_ALL, 0, 0, e),                \
	[7] = I("idiv", muldiv, IR_DIVS, IRF_ALL, 0, 0, e),               \
}
static const struct insn grp3b[8] = GRP3(Eb, Ib), grp3v[8] = GRP3(Ev, Iz);
static const struct insn grp4[8] = {
	[0] = I("inc", incdec, IR_ADD, IRF_NOT_C, 0, LOCKABLE, Eb),
	[1] = I("dec", incdec, IR_SUB, IRF_NOT_C, 0, LOCKABLE, Eb),
};
static const struct insn grp5[8] = {
	[0] = I("inc", incdec, IR_ADD, IRF_NOT_C, 0, LOCKABLE, Ev),
	[1] = I("dec", incdec, IR_SUB, IRF_NOT_C, 0, LOCKABLE, Ev),
	[2] = N("call", call_ind, ENDS | F64, Ev),
	[3] = N("lcall", call_far_mem, ENDS, Mp),
	[4] = N("jmp", jmp_ind, ENDS | F64, Ev),
	[5] = N("ljmp", jmp_far_mem, ENDS, Mp),
	[6] = N("push", push_mem, D64, Ev),
};
static const struct insn grp6[8] = {
	[0] = N("sldt", sldt, PROT | UMIP, Ew_Rv),
	[1] = N("str", str, PROT | UMIP, Ew_Rv),
	[2] = N("lldt", lldt, PROT | CPL0, Ew),
	[3] = N("ltr", ltr, PROT | CPL0, Ew),
	[4] = I("verr", ver, 0, IRF_Z, 0, PROT, Ew),
	[5] = I("verw", ver, 1, IRF_Z, 0, PROT, Ew),
};
static const struct insn grp7_7[8] = { [1] = I("rdtscp", helper0, 6, 0, 0, RDTSCP, None) };
static const struct insn grp7_2[8] = {
	[0] = PFX([0] = I("xgetbv", helper0, 7, 0, 0, XSAVE, None)),
	[1] = PFX([0] = I("xsetbv", helper0, 8, 0, 0, XSAVE, None)),
};
static const struct insn grp7_1[8] = {
	[0] = PFX([0] = I("monitor", monitor, 0, 0, 0, MONITOR, None)),
	[1] = PFX([0] = I("mwait", mwait, 0, 0, 0, MONITOR | ENDS, None)),
	[2] = PFX([0] = I("clac", ac, 0, 0, 0, SMAP, None)),
	[3] = PFX([0] = I("stac", ac, 1, 0, 0, SMAP, None)),
};
static const struct insn grp7[8] = {
	[0] = I("sgdt", store_dt, 0, 0, 0, UMIP, M),
	[1] = MOD(I("sidt", store_dt, 1, 0, 0, UMIP, M), BYRM_(grp7_1)),
	[2] = MOD(I("lgdt", load_dt, 0, 0, 0, CPL0, M), BYRM_(grp7_2)),
	[3] = I("lidt", load_dt, 1, 0, 0, CPL0, M),
	[4] = N("smsw", smsw, UMIP, Ew_Rv),
	[6] = N("lmsw", lmsw, CPL0 | ENDS, Ew),
	[7] = MOD(N("invlpg", invlpg, CPL0 | ENDS, M), BYRM_(grp7_7)),
};
static const struct insn grp8[8] = {
	[4] = I("bt",  bt, IR_BT,  IRF_C, 0, 0, None),
	[5] = I("bts", bt, IR_BTS, IRF_C, 0, LOCKABLE, None),
	[6] = I("btr", bt, IR_BTR, IRF_C, 0, LOCKABLE, None),
	[7] = I("btc", bt, IR_BTC, IRF_C, 0, LOCKABLE, None),
};
static const struct insn grp9[8] = {
	[1] = I("cmpxchg8b", cmpxchg8b, 0, IRF_Z, 0, LOCKABLE | CX8, Mq),
	[6] = PFX([0] = I("rdrand", vec, X_OSZ, IRF_ALL, 0, RDRAND, Rv),
		  [1] = I("rdrand", vec, X_OSZ, IRF_ALL, 0, RDRAND, Rv)),
	[7] = PFX([0] = I("rdseed", vec, X_OSZ, IRF_ALL, 0, RDSEED, Rv),
		  [1] = I("rdseed", vec, X_OSZ, IRF_ALL, 0, RDSEED, Rv)),
};
#define SHIFTS(nm)  PFX([0] = VM(nm, MMX, Nx, Ib), [1] = V(nm, 0, SSE2, Ux, Ib))
static const struct insn grp12[8] = {
	[2] = SHIFTS("psrlw"), [4] = SHIFTS("psraw"), [6] = SHIFTS("psllw"),
};
static const struct insn grp13[8] = {
	[2] = SHIFTS("psrld"), [4] = SHIFTS("psrad"), [6] = SHIFTS("pslld"),
};
static const struct insn grp14[8] = {
	[2] = SHIFTS("psrlq"), [3] = V66("psrldq", 0, SSE2, Ux, Ib),
	[6] = SHIFTS("psllq"), [7] = V66("pslldq", 0, SSE2, Ux, Ib),
};
static const struct insn grp11b[8] = { [0] = N("mov", mov, 0, Eb, Ib) };
static const struct insn grp11v[8] = { [0] = N("mov", mov, 0, Ev, Iz) };
static const struct insn grp15[8] = {
	[0] = I("fxsave", fx, 0, 0, 0, FPUROW | FXSR, M),
	[1] = I("fxrstor", fx, 1, 0, 0, FPUROW | FXSR | ENDS, M),
	[2] = PFX([0] = N("ldmxcsr", ldmxcsr, SSE | SSEROW | ENDS, Md)),
	[3] = PFX([0] = N("stmxcsr", vec, SSE | SSEROW, Md)),
	[4] = MOD(PFX([0] = I("xsave", xsave, 0, 0, 0, XSAVE, M)), { 0 }),
	[5] = MOD(PFX([0] = I("xrstor", xsave, 1, 0, 0, XSAVE | ENDS, M)),
		  PFX([0] = N("lfence", vec, SSE2, None))),
	[6] = MOD(PFX([0] = I("xsaveopt", xsave, 2, 0, 0, XSAVEOPT, M), [1] = N("clwb", clflush, CLWB, M)), PFX([0] = N("mfence", vec, SSE2, None))),
	[7] = MOD(PFX([0] = N("clflush", clflush, CLFSH, M),
		      [1] = N("clflushopt", clflush, CLFLUSHOPT, M)),
		  PFX([0] = N("sfence", vec, SSE, None))),
};

/* -- one-byte map (table A-2) --------------------------------------------------------- */

const struct insn optab[256] = {
	ALU(0x00, "add", ADD, 0, LOCKABLE),
	[0x06] = N("push", push_seg, I64, ES), [0x07] = N("pop", pop_seg, I64 | ENDS, ES),
	ALU(0x08, "or", OR, 0, LOCKABLE),
	[0x0e] = N("push", push_seg, I64, CS),
	ALU(0x10, "adc", ADC, IRF_C, LOCKABLE),
	[0x16] = N("push", push_seg, I64, SS), [0x17] = N("pop", pop_seg, I64 | ENDS, SS),
	ALU(0x18, "sbb", SBB, IRF_C, LOCKABLE),
	[0x1e] = N("push", push_seg, I64, DS), [0x1f] = N("pop", pop_seg, I64 | ENDS, DS),
	ALU(0x20, "and", AND, 0, LOCKABLE),
	[0x27] = I("daa", bcd, 0, IRF_ALL, IRF_C | IRF_A, I64, None),
	ALU(0x28, "sub", SUB, 0, LOCKABLE),
	[0x2f] = I("das", bcd, 1, IRF_ALL, IRF_C | IRF_A, I64, None),
	ALU(0x30, "xor", XOR, 0, LOCKABLE),
	[0x37] = I("aaa", bcd, 2, IRF_ALL, IRF_A, I64, None),
	[0x38] = I("cmp", cmp, IR_CMP, IRF_ALL, 0, 0, Eb, Gb),
	[0x39] = I("cmp", cmp, IR_CMP, IRF_ALL, 0, 0, Ev, Gv),
	[0x3a] = I("cmp", cmp, IR_CMP, IRF_ALL, 0, 0, Gb, Eb),
	[0x3b] = I("cmp", cmp, IR_CMP, IRF_ALL, 0, 0, Gv, Ev),
	[0x3c] = I("cmp", cmp, IR_CMP, IRF_ALL, 0, 0, AL, Ib),
	[0x3d] = I("cmp", cmp, IR_CMP, IRF_ALL, 0, 0, rAX, Iz),
	[0x3f] = I("aas", bcd, 3, IRF_ALL, IRF_A, I64, None),
	R8(0x40, I("inc", incdec, IR_ADD, IRF_NOT_C, 0, I64, Zv)),
	R8(0x48, I("dec", incdec, IR_SUB, IRF_NOT_C, 0, I64, Zv)),
	R8(0x50, N("push", push, D64, Zv)),
	R8(0x58, N("pop", pop, D64, Zv)),
	[0x60] = N("pusha", pusha, I64, None), [0x61] = N("popa", popa, I64, None),
	[0x62] = N("bound", bound, I64, Gv, Ma),
	[0x63] = I("arpl", arpl, 0, IRF_Z, 0, PROT | I64, Ew, Gw),
	[0x68] = N("push", push, D64, Iz),
	[0x69] = I("imul", imul3, 0, IRF_ALL, 0, 0, Gv, Ev, Iz),
	[0x6a] = N("push", push, D64, sIb),
	[0x6b] = I("imul", imul3, 0, IRF_ALL, 0, 0, Gv, Ev, sIb),
	[0x6c] = N("insb", ins, 0, Yb, DX), [0x6d] = N("ins", ins, 0, Yv, DX),
	[0x6e] = N("outsb", outs, 0, Xb, DX), [0x6f] = N("outs", outs, 0, Xv, DX),
	BY_CC(0x70, "j", jcc, BYCC | JCC | F64, Jb),
	[0x80] = G(grp1, Eb, Ib), [0x81] = G(grp1, Ev, Iz),
	[0x82] = G(grp1, Eb, Ib), [0x83] = G(grp1, Ev, sIb),
	[0x84] = I("test", cmp, IR_TEST, IRF_ALL, 0, 0, Eb, Gb),
	[0x85] = I("test", cmp, IR_TEST, IRF_ALL, 0, 0, Ev, Gv),
	[0x86] = N("xchg", xchg, LOCKABLE, Eb, Gb), [0x87] = N("xchg", xchg, LOCKABLE, Ev, Gv),
	[0x88] = N("mov", mov, 0, Eb, Gb), [0x89] = N("mov", mov, 0, Ev, Gv),
	[0x8a] = N("mov", mov, 0, Gb, Eb), [0x8b] = N("mov", mov, 0, Gv, Ev),
	[0x8c] = N("mov", mov_from_seg, 0, Ew_Rv, Sw),
	[0x8d] = N("lea", lea, 0, Gv, M),
	[0x8e] = N("mov", mov_to_seg, ENDS, Sw, Ew),
	[0x8f] = G(grp1a),
	R8(0x90, N("xchg", xchg, 0, Zv, rAX)),
	[0x98] = N("cwde", cbw, 0, None), [0x99] = N("cdq", cwd, 0, None),
	[0x9a] = N("lcall", call_far, ENDS | I64, Ap),
	[0x9b] = N("fwait", fwait, 0, None),
	[0x9c] = I("pushf", pushf, 0, 0, IRF_ALL, VMIOPL | D64, None),
	[0x9d] = I("popf", popf, 0, IRF_ALL, 0, VMIOPL | D64 | ENDS, None),
	[0x9e] = I("sahf", sahf, 0, NOT_O, 0, 0, None),
	[0x9f] = I("lahf", lahf, 0, 0, NOT_O, 0, None),
	[0xa0] = N("mov", mov, 0, AL, Ob), [0xa1] = N("mov", mov, 0, rAX, Ov),
	[0xa2] = N("mov", mov, 0, Ob, AL), [0xa3] = N("mov", mov, 0, Ov, rAX),
	[0xa4] = N("movsb", movs, 0, Yb, Xb), [0xa5] = N("movs", movs, 0, Yv, Xv),
	[0xa6] = I("cmpsb", cmps, 0, IRF_ALL, 0, REPZ, Xb, Yb),
	[0xa7] = I("cmps", cmps, 0, IRF_ALL, 0, REPZ, Xv, Yv),
	[0xa8] = I("test", cmp, IR_TEST, IRF_ALL, 0, 0, AL, Ib),
	[0xa9] = I("test", cmp, IR_TEST, IRF_ALL, 0, 0, rAX, Iz),
	[0xaa] = N("stosb", stos, 0, Yb, AL), [0xab] = N("stos", stos, 0, Yv, rAX),
	[0xac] = N("lodsb", lods, 0, AL, Xb), [0xad] = N("lods", lods, 0, rAX, Xv),
	[0xae] = I("scasb", scas, 0, IRF_ALL, 0, REPZ, AL, Yb),
	[0xaf] = I("scas", scas, 0, IRF_ALL, 0, REPZ, rAX, Yv),
	R8(0xb0, N("mov", mov, 0, Zb, Ib)),
	R8(0xb8, N("mov", mov, 0, Zv, Iz)),
	[0xc0] = G(grp2, Eb, Ib), [0xc1] = G(grp2, Ev, Ib),
	[0xc2] = N("ret", ret, ENDS | F64, Iw), [0xc3] = N("ret", ret, ENDS | F64, None),
	[0xc4] = I("les", lxs, 0, 0, 0, ENDS | I64, Gv, Mp, ES),
	[0xc5] = I("lds", lxs, 3, 0, 0, ENDS | I64, Gv, Mp, DS),
	[0xc6] = G(grp11b), [0xc7] = G(grp11v),
	[0xc8] = N("enter", enter, D64, Iw, Ib), [0xc9] = N("leave", leave_frame, D64, None),
	[0xca] = N("retf", retf, ENDS, Iw), [0xcb] = N("retf", retf, ENDS, None),
	[0xcc] = I("int3", int_fixed, 3, 0, 0, ENDS, None),
	[0xcd] = N("int", int, ENDS | VMIOPL, Ib),
	[0xce] = I("into", into, 0, 0, IRF_O, ENDS | I64, None),
	[0xcf] = N("iret", iret, ENDS | VMIOPL, None),
	[0xd0] = G(grp2, Eb, One), [0xd1] = G(grp2, Ev, One),
	[0xd2] = G(grp2, Eb, CL), [0xd3] = G(grp2, Ev, CL),
	[0xd4] = I("aam", aam, 0, IRF_ALL, 0, I64, Ib),
	[0xd5] = I("aad", aam, 1, IRF_ALL, 0, I64, Ib),
	[0xd6] = I("salc", salc, 0, 0, IRF_C, I64, None),
	[0xd7] = N("xlatb", xlat, 0, None),
	/* d8 to df: optab_fpu_* */
	[0xe0] = I("loopne", loop, 2, 0, IRF_Z, JCC | F64, Jb),
	[0xe1] = I("loope", loop, 1, 0, IRF_Z, JCC | F64, Jb),
	[0xe2] = I("loop", loop, 0, 0, 0, JCC | F64, Jb),
	[0xe3] = N("jcxz", jcxz, JCC | F64, Jb),
	[0xe4] = N("in", in, 0, AL, Ib), [0xe5] = N("in", in, 0, rAX, Ib),
	[0xe6] = N("out", out, 0, Ib, AL), [0xe7] = N("out", out, 0, Ib, rAX),
	[0xe8] = N("call", call, JMP | F64, Jz), [0xe9] = N("jmp", jmp, JMP | F64, Jz),
	[0xea] = N("ljmp", jmp_far, ENDS | I64, Ap), [0xeb] = N("jmp", jmp, JMP | F64, Jb),
	[0xec] = N("in", in, 0, AL, DX), [0xed] = N("in", in, 0, rAX, DX),
	[0xee] = N("out", out, 0, DX, AL), [0xef] = N("out", out, 0, DX, rAX),
	[0xf1] = I("int1", int_fixed, 1, 0, 0, ENDS, None),
	[0xf4] = N("hlt", hlt, CPL0 | ENDS, None),
	[0xf5] = I("cmc", cf, 2, IRF_C, IRF_C, 0, None),
	[0xf6] = G(grp3b), [0xf7] = G(grp3v),
	[0xf8] = I("clc", cf, 0, IRF_C, 0, 0, None),
	[0xf9] = I("stc", cf, 1, IRF_C, 0, 0, None),
	[0xfa] = N("cli", cli, IOPL, None), [0xfb] = N("sti", sti, IOPL | ENDS, None),
	[0xfc] = I("cld", df, 0, 0, 0, 0, None), [0xfd] = I("std", df, 1, 0, 0, 0, None),
	[0xfe] = G(grp4), [0xff] = G(grp5),
};

/* -- 0F map (table A-3) ------------------------------------------------------------------ */

#define COMIS(nm)                                                          \
	PFX([0] = I(nm "s", vec, X_FP, IRF_ALL, 0, SSE | SSEROW, Vx, Wd),   \
	    [1] = I(nm "d", vec, X_FP, IRF_ALL, 0, SSE2 | SSEROW, Vx, Wq))
#define UNPACK(nm)        PFX([0] = VM(nm, MMX, Px, Qd), [1] = V(nm, 0, SSE2, Vx, Wx))
#define NOP_EV N("nop", nop, CMOV, Ev)      /* since the P6 */
#define BSCAN(nm, op, nm_f3, f)                                            \
	PFX([0] = I(nm, bscan, IR_##op, IRF_ALL, 0, 0, Gv, Ev),             \
	    [1] = I(nm, bscan, IR_##op, IRF_ALL, 0, 0, Gv, Ev),             \
	    [2] = I(nm_f3, vec, 0, IRF_ALL, 0, (f) | ELSE_NP, Gv, Ev),      \
	    [3] = I(nm, bscan, IR_##op, IRF_ALL, 0, 0, Gv, Ev))
const struct insn optab_0f[256] = {
	[0x00] = G(grp6), [0x01] = G(grp7),
	[0x02] = I("lar", lar, 0, IRF_Z, 0, PROT, Gv, Ew),
	[0x03] = I("lsl", lar, 1, IRF_Z, 0, PROT, Gv, Ew),
	[0x06] = N("clts", clts, CPL0 | ENDS, None),
	[0x08] = I("invd", helper0, 0, 0, 0, CPL0, None),
	[0x09] = I("wbinvd", helper0, 0, 0, 0, CPL0, None),
	[0x0b] = N("ud2", ud, ENDS, None),
	[0x0d] = N("nop", nop, CMOV, M),       /* prefetch hints               */
	R8(0x18, NOP_EV),
	[0x20] = N("mov", mov_from_cr, CPL0, Rd, Cd), [0x21] = N("mov", mov_from_dr, CPL0, Rd, Dd),
	[0x22] = N("mov", mov_to_cr, CPL0 | ENDS, Cd, Rd), [0x23] = N("mov", mov_to_dr, CPL0, Dd, Rd),
	[0x30] = I("wrmsr", helper0, 4, 0, 0, CPL0 | MSR, None),
	[0x31] = I("rdtsc", helper0, 1, 0, 0, TSC, None),
	[0x32] = I("rdmsr", helper0, 3, 0, 0, CPL0 | MSR, None),
	[0x33] = I("rdpmc", helper0, 2, 0, 0, MMX, None),
	[0x34] = N("sysenter", sysenter, ENDS | SEP, None),
	[0x35] = N("sysexit", sysexit, CPL0 | ENDS | SEP, None),
	[0x10] = PFX([0] = V("movups", 0, SSE, Vx, Wu), [1] = V("movupd", 0, SSE2, Vx, Wu),
		     [2] = V("movss", 0, SSE, Vx, Wd), [3] = V("movsd", 0, SSE2, Vx, Wq)),
	[0x11] = PFX([0] = V("movups", 0, SSE, Wu, Vx), [1] = V("movupd", 0, SSE2, Wu, Vx),
		     [2] = V("movss", 0, SSE, Wd, Vx), [3] = V("movsd", 0, SSE2, Wq, Vx)),
	[0x12] = PFX([0] = MOD(V("movlps", 0, SSE, Vx, Mq), V("movhlps", 0, SSE, Vx, Ux)),
		     [1] = V("movlpd", 0, SSE2, Vx, Mq), [2] = V("movsldup", 0, SSE3, Vx, Wx),
		     [3] = V("movddup", 0, SSE3, Vx, Wq)),
	[0x13] = PFX([0] = V("movlps", 0, SSE, Mq, Vx), [1] = V("movlpd", 0, SSE2, Mq, Vx)),
	[0x14] = PSPD("unpckl", 0), [0x15] = PSPD("unpckh", 0),
	[0x16] = PFX([0] = MOD(V("movhps", 0, SSE, Vx, Mq), V("movlhps", 0, SSE, Vx, Ux)),
		     [1] = V("movhpd", 0, SSE2, Vx, Mq), [2] = V("movshdup", 0, SSE3, Vx, Wx)),
	[0x17] = PFX([0] = V("movhps", 0, SSE, Mq, Vx), [1] = V("movhpd", 0, SSE2, Mq, Vx)),
	[0x28] = PFX([0] = V("movaps", 0, SSE, Vx, Wx), [1] = V("movapd", 0, SSE2, Vx, Wx)),
	[0x29] = PFX([0] = V("movaps", 0, SSE, Wx, Vx), [1] = V("movapd", 0, SSE2, Wx, Vx)),
	[0x2a] = PFX([0] = VB("cvtpi2ps", X_FP, SSE, Vx, Qx), [1] = VB("cvtpi2pd", X_FP, SSE2, Vx, Qx),
		     [2] = V("cvtsi2ss", X_FP, SSE, Vx, Ed), [3] = V("cvtsi2sd", X_FP, SSE2, Vx, Ed)),
	[0x2b] = PFX([0] = V("movntps", 0, SSE, Mx, Vx), [1] = V("movntpd", 0, SSE2, Mx, Vx)),
	[0x2c] = PFX([0] = VB("cvttps2pi", X_FP, SSE, Px, Wq), [1] = VB("cvttpd2pi", X_FP, SSE2, Px, Wx),
		     [2] = V("cvttss2si", X_FP, SSE, Gd, Wd), [3] = V("cvttsd2si", X_FP, SSE2, Gd, Wq)),
	[0x2d] = PFX([0] = VB("cvtps2pi", X_FP, SSE, Px, Wq), [1] = VB("cvtpd2pi", X_FP, SSE2, Px, Wx),
		     [2] = V("cvtss2si", X_FP, SSE, Gd, Wd), [3] = V("cvtsd2si", X_FP, SSE2, Gd, Wq)),
	[0x2e] = COMIS("ucomis"), [0x2f] = COMIS("comis"),
	BY_CC(0x40, "cmov", cmov, BYCC | CMOV, Gv, Ev),
	[0x50] = PFX([0] = V("movmskps", 0, SSE, Gd, Ux), [1] = V("movmskpd", 0, SSE2, Gd, Ux)),
	[0x51] = FP4("sqrt"),
	[0x52] = PFX([0] = V("rsqrtps", 0, SSE, Vx, Wx), [2] = V("rsqrtss", 0, SSE, Vx, Wd)),
	[0x53] = PFX([0] = V("rcpps", 0, SSE, Vx, Wx), [2] = V("rcpss", 0, SSE, Vx, Wd)),
	[0x54] = PSPD("and", 0), [0x55] = PSPD("andn", 0), [0x56] = PSPD("or", 0), [0x57] = PSPD("xor", 0),
	[0x58] = FP4("add"), [0x59] = FP4("mul"),
	[0x5a] = PFX([0] = V("cvtps2pd", X_FP, SSE2, Vx, Wq), [1] = V("cvtpd2ps", X_FP, SSE2, Vx, Wx),
		     [2] = V("cvtss2sd", X_FP, SSE2, Vx, Wd), [3] = V("cvtsd2ss", X_FP, SSE2, Vx, Wq)),
	[0x5b] = PFX([0] = V("cvtdq2ps", X_FP, SSE2, Vx, Wx), [1] = V("cvtps2dq", X_FP, SSE2, Vx, Wx),
		     [2] = V("cvttps2dq", X_FP, SSE2, Vx, Wx)),
	[0x5c] = FP4("sub"), [0x5d] = FP4("min"), [0x5e] = FP4("div"), [0x5f] = FP4("max"),
	[0x60] = UNPACK("punpcklbw"), [0x61] = UNPACK("punpcklwd"), [0x62] = UNPACK("punpckldq"),
	[0x63] = INT("packsswb"), [0x64] = INT("pcmpgtb"), [0x65] = INT("pcmpgtw"),
	[0x66] = INT("pcmpgtd"), [0x67] = INT("packuswb"), [0x68] = INT("punpckhbw"),
	[0x69] = INT("punpckhwd"), [0x6a] = INT("punpckhdq"), [0x6b] = INT("packssdw"),
	[0x6c] = V66("punpcklqdq", 0, SSE2, Vx, Wx), [0x6d] = V66("punpckhqdq", 0, SSE2, Vx, Wx),
	[0x6e] = PFX([0] = VM("movd", MMX, Px, Ed), [1] = V("movd", 0, SSE2, Vx, Ed)),
	[0x6f] = PFX([0] = VM("movq", MMX, Px, Qx), [1] = V("movdqa", 0, SSE2, Vx, Wx),
		     [2] = V("movdqu", 0, SSE2, Vx, Wu)),
	[0x70] = PFX([0] = VM("pshufw", SSE, Px, Qx, Ib), [1] = V("pshufd", 0, SSE2, Vx, Wx, Ib),
		     [2] = V("pshufhw", 0, SSE2, Vx, Wx, Ib), [3] = V("pshuflw", 0, SSE2, Vx, Wx, Ib)),
	[0x71] = G(grp12), [0x72] = G(grp13), [0x73] = G(grp14),
	[0x74] = INT("pcmpeqb"), [0x75] = INT("pcmpeqw"), [0x76] = INT("pcmpeqd"),
	[0x77] = PFX([0] = N("emms", emms, MMX | MMXROW, None)),
	[0x7c] = PFX([1] = V("haddpd", X_FP, SSE3, Vx, Wx), [3] = V("haddps", X_FP, SSE3, Vx, Wx)),
	[0x7d] = PFX([1] = V("hsubpd", X_FP, SSE3, Vx, Wx), [3] = V("hsubps", X_FP, SSE3, Vx, Wx)),
	[0x7e] = PFX([0] = VM("movd", MMX, Ed, Px), [1] = V("movd", 0, SSE2, Ed, Vx),
		     [2] = V("movq", 0, SSE2, Vx, Wq)),
	[0x7f] = PFX([0] = VM("movq", MMX, Qx, Px), [1] = V("movdqa", 0, SSE2, Wx, Vx),
		     [2] = V("movdqu", 0, SSE2, Wu, Vx)),
	BY_CC(0x80, "j", jcc, BYCC | JCC | F64, Jz),
	BY_CC(0x90, "set", setcc, BYCC, Eb),
	[0xa0] = N("push", push_seg, D64, FS), [0xa1] = N("pop", pop_seg, D64 | ENDS, FS),
	[0xa2] = I("cpuid", helper0, 5, 0, 0, 0, None),
	[0xa3] = I("bt", bt, IR_BT, IRF_C, 0, 0, Ev, Gv),
	[0xa4] = I("shld", shiftd, IR_SHLD, IRF_ALL, 0, SHIFT, Ev, Gv, Ib),
	[0xa5] = I("shld", shiftd, IR_SHLD, IRF_ALL, 0, SHIFT, Ev, Gv, CL),
	[0xa8] = N("push", push_seg, D64, GS), [0xa9] = N("pop", pop_seg, D64 | ENDS, GS),
	[0xab] = I("bts", bt, IR_BTS, IRF_C, 0, LOCKABLE, Ev, Gv),
	[0xac] = I("shrd", shiftd, IR_SHRD, IRF_ALL, 0, SHIFT, Ev, Gv, Ib),
	[0xad] = I("shrd", shiftd, IR_SHRD, IRF_ALL, 0, SHIFT, Ev, Gv, CL),
	[0xae] = G(grp15),
	[0xaf] = I("imul", imul, 0, IRF_ALL, 0, 0, Gv, Ev),
	[0xb0] = I("cmpxchg", cmpxchg, 0, IRF_ALL, 0, LOCKABLE, Eb, Gb),
	[0xb1] = I("cmpxchg", cmpxchg, 0, IRF_ALL, 0, LOCKABLE, Ev, Gv),
	[0xb2] = I("lss", lxs, 2, 0, 0, ENDS, Gv, Mp, SS),
	[0xb3] = I("btr", bt, IR_BTR, IRF_C, 0, LOCKABLE, Ev, Gv),
	[0xb4] = I("lfs", lxs, 4, 0, 0, ENDS, Gv, Mp, FS),
	[0xb5] = I("lgs", lxs, 5, 0, 0, ENDS, Gv, Mp, GS),
	[0xb6] = N("movzx", movzx, 0, Gv, Eb), [0xb7] = N("movzx", movzx, 0, Gv, Ew),
	[0xb9] = N("ud1", ud, ENDS, Gv, Ev),
	[0xba] = G(grp8, Ev, Ib),
	[0xbb] = I("btc", bt, IR_BTC, IRF_C, 0, LOCKABLE, Ev, Gv),
	[0xb8] = PFX([2] = I("popcnt", vec, 0, IRF_ALL, 0, POPCNT, Gv, Ev)),
	[0xbc] = BSCAN("bsf", BSF, "tzcnt", BMI1), [0xbd] = BSCAN("bsr", BSR, "lzcnt", ABM),
	[0xbe] = N("movsx", movsx, 0, Gv, Eb), [0xbf] = N("movsx", movsx, 0, Gv, Ew),
	[0xc0] = I("xadd", xadd, 0, IRF_ALL, 0, LOCKABLE, Eb, Gb),
	[0xc1] = I("xadd", xadd, 0, IRF_ALL, 0, LOCKABLE, Ev, Gv),
	[0xc2] = PFX([0] = V("cmpps", X_FP, SSE, Vx, Wx, Ib), [1] = V("cmppd", X_FP, SSE2, Vx, Wx, Ib),
		     [2] = V("cmpss", X_FP, SSE, Vx, Wd, Ib), [3] = V("cmpsd", X_FP, SSE2, Vx, Wq, Ib)),
	[0xc3] = PFX([0] = I("movnti", vec, 0, 0, 0, SSE2, Md, Gd)),
	[0xc4] = PFX([0] = VM("pinsrw", SSE, Px, Rd_Mw, Ib), [1] = V("pinsrw", 0, SSE2, Vx, Rd_Mw, Ib)),
	[0xc5] = PFX([0] = VM("pextrw", SSE, Gd, Nx, Ib), [1] = V("pextrw", 0, SSE2, Gd, Ux, Ib)),
	[0xc6] = PFX([0] = V("shufps", 0, SSE, Vx, Wx, Ib), [1] = V("shufpd", 0, SSE2, Vx, Wx, Ib)),
	[0xc7] = G(grp9),
	R8(0xc8, N("bswap", bswap, 0, Zv)),
	[0xd0] = PFX([1] = V("addsubpd", X_FP, SSE3, Vx, Wx), [3] = V("addsubps", X_FP, SSE3, Vx, Wx)),
	[0xd1] = INT("psrlw"), [0xd2] = INT("psrld"), [0xd3] = INT("psrlq"),
	[0xd4] = BOTH("paddq", SSE2, SSE2), [0xd5] = INT("pmullw"),
	[0xd6] = PFX([1] = V("movq", 0, SSE2, Wq, Vx), [2] = VB("movq2dq", 0, SSE2, Vx, Nx),
		     [3] = VB("movdq2q", 0, SSE2, Px, Ux)),
	[0xd7] = PFX([0] = VM("pmovmskb", SSE, Gd, Nx), [1] = V("pmovmskb", 0, SSE2, Gd, Ux)),
	[0xd8] = INT("psubusb"), [0xd9] = INT("psubusw"), [0xda] = BOTH("pminub", SSE, SSE2),
	[0xdb] = INT("pand"), [0xdc] = INT("paddusb"), [0xdd] = INT("paddusw"),
	[0xde] = BOTH("pmaxub", SSE, SSE2), [0xdf] = INT("pandn"),
	[0xe0] = BOTH("pavgb", SSE, SSE2), [0xe1] = INT("psraw"), [0xe2] = INT("psrad"),
	[0xe3] = BOTH("pavgw", SSE, SSE2), [0xe4] = BOTH("pmulhuw", SSE, SSE2), [0xe5] = INT("pmulhw"),
	[0xe6] = PFX([1] = V("cvttpd2dq", X_FP, SSE2, Vx, Wx), [2] = V("cvtdq2pd", 0, SSE2, Vx, Wq),
		     [3] = V("cvtpd2dq", X_FP, SSE2, Vx, Wx)),
	[0xe7] = PFX([0] = VM("movntq", SSE, Mq, Px), [1] = V("movntdq", 0, SSE2, Mx, Vx)),
	[0xe8] = INT("psubsb"), [0xe9] = INT("psubsw"), [0xea] = BOTH("pminsw", SSE, SSE2),
	[0xeb] = INT("por"), [0xec] = INT("paddsb"), [0xed] = INT("paddsw"),
	[0xee] = BOTH("pmaxsw", SSE, SSE2), [0xef] = INT("pxor"),
	[0xf0] = PFX([3] = V("lddqu", 0, SSE3, Vx, Mu)),
	[0xf1] = INT("psllw"), [0xf2] = INT("pslld"), [0xf3] = INT("psllq"),
	[0xf4] = BOTH("pmuludq", SSE2, SSE2), [0xf5] = INT("pmaddwd"), [0xf6] = BOTH("psadbw", SSE, SSE2),
	[0xf7] = PFX([0] = N("maskmovq", maskmov, SSE | MMXROW, Px, Nx),
		     [1] = N("maskmovdqu", maskmov, SSE2 | SSEROW, Vx, Ux)),
	[0xf8] = INT("psubb"), [0xf9] = INT("psubw"), [0xfa] = INT("psubd"),
	[0xfb] = BOTH("psubq", SSE2, SSE2), [0xfc] = INT("paddb"), [0xfd] = INT("paddw"),
	[0xfe] = INT("paddd"),
};

/* -- 0F 38 and 0F 3A maps (tables) ---------------------------------------------- */

#define S3(nm)            BOTH(nm, SSSE3, SSSE3)
#define S41(nm, ...)      V66(nm, 0, SSE41, __VA_ARGS__)
#define MOVBE_(...)       I("movbe", vec, X_OSZ, 0, 0, MOVBE, __VA_ARGS__)

const struct insn optab_38[256] = {
	[0x00] = S3("pshufb"), [0x01] = S3("phaddw"), [0x02] = S3("phaddd"), [0x03] = S3("phaddsw"),
	[0x04] = S3("pmaddubsw"), [0x05] = S3("phsubw"), [0x06] = S3("phsubd"), [0x07] = S3("phsubsw"),
	[0x08] = S3("psignb"), [0x09] = S3("psignw"), [0x0a] = S3("psignd"), [0x0b] = S3("pmulhrsw"),
	[0x10] = S41("pblendvb", Vx, Wx), [0x14] = S41("blendvps", Vx, Wx),
	[0x15] = S41("blendvpd", Vx, Wx),
	[0x17] = PFX([1] = I("ptest", vec, 0, IRF_ALL, 0, SSE41 | SSEROW, Vx, Wx)),
	[0x1c] = S3("pabsb"), [0x1d] = S3("pabsw"), [0x1e] = S3("pabsd"),
	[0x20] = S41("pmovsxbw", Vx, Wq), [0x21] = S41("pmovsxbd", Vx, Wd),
	[0x22] = S41("pmovsxbq", Vx, Ww), [0x23] = S41("pmovsxwd", Vx, Wq),
	[0x24] = S41("pmovsxwq", Vx, Wd), [0x25] = S41("pmovsxdq", Vx, Wq),
	[0x28] = S41("pmuldq", Vx, Wx), [0x29] = S41("pcmpeqq", Vx, Wx),
	[0x2a] = S41("movntdqa", Vx, Mx), [0x2b] = S41("packusdw", Vx, Wx),
	[0x30] = S41("pmovzxbw", Vx, Wq), [0x31] = S41("pmovzxbd", Vx, Wd),
	[0x32] = S41("pmovzxbq", Vx, Ww), [0x33] = S41("pmovzxwd", Vx, Wq),
	[0x34] = S41("pmovzxwq", Vx, Wd), [0x35] = S41("pmovzxdq", Vx, Wq),
	[0x37] = V66("pcmpgtq", 0, SSE42, Vx, Wx),
	[0x38] = S41("pminsb", Vx, Wx), [0x39] = S41("pminsd", Vx, Wx), [0x3a] = S41("pminuw", Vx, Wx),
	[0x3b] = S41("pminud", Vx, Wx), [0x3c] = S41("pmaxsb", Vx, Wx), [0x3d] = S41("pmaxsd", Vx, Wx),
	[0x3e] = S41("pmaxuw", Vx, Wx), [0x3f] = S41("pmaxud", Vx, Wx), [0x40] = S41("pmulld", Vx, Wx),
	[0x41] = S41("phminposuw", Vx, Wx),
	[0xc8] = PFX([0] = V("sha1nexte", 0, SHANI, Vx, Wh)),
	[0xc9] = PFX([0] = V("sha1msg1", 0, SHANI, Vx, Wh)),
	[0xca] = PFX([0] = V("sha1msg2", 0, SHANI, Vx, Wh)),
	[0xcb] = PFX([0] = V("sha256rnds2", 0, SHANI, Vx, Wh)),
	[0xcc] = PFX([0] = V("sha256msg1", 0, SHANI, Vx, Wh)),
	[0xcd] = PFX([0] = V("sha256msg2", 0, SHANI, Vx, Wh)),
	[0xdb] = V66("aesimc", 0, AESNI, Vx, Wx), [0xdc] = V66("aesenc", 0, AESNI, Vx, Wx),
	[0xdd] = V66("aesenclast", 0, AESNI, Vx, Wx), [0xde] = V66("aesdec", 0, AESNI, Vx, Wx),
	[0xdf] = V66("aesdeclast", 0, AESNI, Vx, Wx),
	[0xf0] = PFX([0] = MOVBE_(Gv, Mv), [1] = MOVBE_(Gv, Mv),
		     [3] = I("crc32", vec, X_RW, 0, 0, SSE42, Gd, Eb)),
	[0xf1] = PFX([0] = MOVBE_(Mv, Gv), [1] = MOVBE_(Mv, Gv),
		     [3] = I("crc32", vec, X_RW, 0, 0, SSE42, Gd, Ev)),
};

#define STR(nm, x)        PFX([1] = I(nm, vec, x, IRF_ALL, 0, SSE42 | SSEROW, Vx, Wu, Ib))
const struct insn optab_3a[256] = {
	[0x08] = V66("roundps", X_FP, SSE41, Vx, Wx, Ib), [0x09] = V66("roundpd", X_FP, SSE41, Vx, Wx, Ib),
	[0x0a] = V66("roundss", X_FP, SSE41, Vx, Wd, Ib), [0x0b] = V66("roundsd", X_FP, SSE41, Vx, Wq, Ib),
	[0x0c] = S41("blendps", Vx, Wx, Ib), [0x0d] = S41("blendpd", Vx, Wx, Ib),
	[0x0e] = S41("pblendw", Vx, Wx, Ib),
	[0x0f] = PFX([0] = VM("palignr", SSSE3, Px, Qx, Ib), [1] = V("palignr", 0, SSSE3, Vx, Wx, Ib)),
	[0x14] = S41("pextrb", Rd_Mb, Vx, Ib), [0x15] = S41("pextrw", Rd_Mw, Vx, Ib),
	[0x16] = S41("pextrd", Ed, Vx, Ib), [0x17] = S41("extractps", Ed, Vx, Ib),
	[0x20] = S41("pinsrb", Vx, Rd_Mb, Ib), [0x21] = S41("insertps", Vx, Wd, Ib),
	[0x22] = S41("pinsrd", Vx, Ed, Ib),
	[0x40] = V66("dpps", X_FP, SSE41, Vx, Wx, Ib), [0x41] = V66("dppd", X_FP, SSE41, Vx, Wx, Ib),
	[0x42] = S41("mpsadbw", Vx, Wx, Ib), [0x44] = V66("pclmulqdq", 0, PCLMUL, Vx, Wx, Ib),
	[0x60] = STR("pcmpestrm", X_LEN), [0x61] = STR("pcmpestri", X_LEN | X_ECX),
	[0x62] = STR("pcmpistrm", 0), [0x63] = STR("pcmpistri", X_ECX),
	[0xcc] = PFX([0] = V("sha1rnds4", 0, SHANI, Vx, Wh, Ib)),
	[0xdf] = V66("aeskeygenassist", 0, AESNI, Vx, Wx, Ib),
};

/* -- VEX-encoded: BMI1, BMI2 -------------------------------------------------------------- */

#define BMI(nm, x, def, f, ...) I(nm, vec, x, def, 0, f, __VA_ARGS__)
static const struct insn grp17[8] = {
	[1] = BMI("blsr", 0, IRF_ALL, BMI1, By, Ed), [2] = BMI("blsmsk", 0, IRF_ALL, BMI1, By, Ed),
	[3] = BMI("blsi", 0, IRF_ALL, BMI1, By, Ed),
};
const struct vex_insn optab_vex[] = {
	{ VEC_0F38, VEC_NP, 0xf2, BMI("andn", 0, IRF_ALL, BMI1, Gd, By, Ed) },
	{ VEC_0F38, VEC_NP, 0xf3, G(grp17) },
	{ VEC_0F38, VEC_NP, 0xf5, BMI("bzhi", 0, IRF_ALL, BMI2, Gd, Ed, By) },
	{ VEC_0F38, VEC_F3, 0xf5, BMI("pext", 0, 0, BMI2, Gd, By, Ed) },
	{ VEC_0F38, VEC_F2, 0xf5, BMI("pdep", 0, 0, BMI2, Gd, By, Ed) },
	{ VEC_0F38, VEC_F2, 0xf6, BMI("mulx", X_MULX, 0, BMI2, Gd, By, Ed) },
	{ VEC_0F38, VEC_NP, 0xf7, BMI("bextr", 0, IRF_ALL, BMI1, Gd, Ed, By) },
	{ VEC_0F38, VEC_66, 0xf7, BMI("shlx", 0, 0, BMI2, Gd, Ed, By) },
	{ VEC_0F38, VEC_F3, 0xf7, BMI("sarx", 0, 0, BMI2, Gd, Ed, By) },
	{ VEC_0F38, VEC_F2, 0xf7, BMI("shrx", 0, 0, BMI2, Gd, Ed, By) },
	{ VEC_0F3A, VEC_F2, 0xf0, BMI("rorx", 0, 0, BMI2, Gd, Ed, Ib) },
};
const unsigned optab_vex_count = sizeof(optab_vex) / sizeof(optab_vex[0]);

/* -- x87 (tables) ---------------------------------------------------------------- */

#define LD(nm, bytes) I(nm, fpu_load, bytes, 0, 0, FPUROW, M)
#define ST(nm, bytes) I(nm, fpu_store, bytes, 0, 0, FPUROW, M)
#define FISTTP(bytes) I("fisttp", fpu_store, bytes, 0, 0, FPUROW | SSE3, M)
#define ARITH(sfx, bytes)                                                  \
	[0] = LD("f" sfx "add", bytes), [1] = LD("f" sfx "mul", bytes),     \
	[2] = LD("f" sfx "com", bytes), [3] = LD("f" sfx "comp", bytes),    \
	[4] = LD("f" sfx "sub", bytes), [5] = LD("f" sfx "subr", bytes),    \
	[6] = LD("f" sfx "div", bytes), [7] = LD("f" sfx "divr", bytes)

const struct insn optab_fpu_mem[8][8] = {
	[0] = { ARITH("", 4) },
	[1] = { [0] = LD("fld", 4), [2] = ST("fst", 4), [3] = ST("fstp", 4),
		[4] = I("fldenv", fpu_state, 1, 0, 0, FPUROW, M), [5] = LD("fldcw", 2),
		[6] = I("fnstenv", fpu_state, 0, 0, 0, FPUROW, M), [7] = ST("fnstcw", 2) },
	[2] = { ARITH("i", 4) },
	[3] = { [0] = LD("fild", 4), [1] = FISTTP(4), [2] = ST("fist", 4), [3] = ST("fistp", 4),
		[5] = LD("fld", 10), [7] = ST("fstp", 10) },
	[4] = { ARITH("", 8) },
	[5] = { [0] = LD("fld", 8), [1] = FISTTP(8), [2] = ST("fst", 8), [3] = ST("fstp", 8),
		[4] = I("frstor", fpu_state, 3, 0, 0, FPUROW, M),
		[6] = I("fnsave", fpu_state, 2, 0, 0, FPUROW, M), [7] = ST("fnstsw", 2) },
	[6] = { ARITH("i", 2) },
	[7] = { [0] = LD("fild", 2), [1] = FISTTP(2), [2] = ST("fist", 2), [3] = ST("fistp", 2),
		[4] = LD("fbld", 10), [5] = LD("fild", 8), [6] = ST("fbstp", 10),
		[7] = ST("fistp", 8) },
};

#define FR(nm)           I(nm, fpu, 0, 0, 0, FPUROW, None)
#define FRF(nm, def, use) I(nm, fpu, 0, def, use, FPUROW | CMOV, None)
#define FG(tab)          { #tab, NULL, tab, { None }, 0, 0, 0, BYRM }

static const struct insn fpu_d9_2[8] = { [0] = FR("fnop") };
static const struct insn fpu_d9_4[8] = {
	[0] = FR("fchs"), [1] = FR("fabs"), [4] = FR("ftst"), [5] = FR("fxam"),
};
static const struct insn fpu_d9_5[8] = {
	[0] = FR("fld1"), [1] = FR("fldl2t"), [2] = FR("fldl2e"), [3] = FR("fldpi"),
	[4] = FR("fldlg2"), [5] = FR("fldln2"), [6] = FR("fldz"),
};
static const struct insn fpu_d9_6[8] = {
	[0] = FR("f2xm1"), [1] = FR("fyl2x"), [2] = FR("fptan"), [3] = FR("fpatan"),
	[4] = FR("fxtract"), [5] = FR("fprem1"), [6] = FR("fdecstp"), [7] = FR("fincstp"),
};
static const struct insn fpu_d9_7[8] = {
	[0] = FR("fprem"), [1] = FR("fyl2xp1"), [2] = FR("fsqrt"), [3] = FR("fsincos"),
	[4] = FR("frndint"), [5] = FR("fscale"), [6] = FR("fsin"), [7] = FR("fcos"),
};
static const struct insn fpu_da_5[8] = { [1] = FR("fucompp") };
static const struct insn fpu_db_4[8] = {
	[0] = N("feni", fpu_nop, FPUROW, None), [1] = N("fdisi", fpu_nop, FPUROW, None),
	[2] = FR("fnclex"), [3] = N("fninit", fninit, FPUROW, None), [4] = N("fsetpm", fpu_nop, FPUROW, None),
};
static const struct insn fpu_de_3[8] = { [1] = FR("fcompp") };
static const struct insn fpu_df_4[8] = { [0] = N("fnstsw", fnstsw_ax, FPUROW, None) };

const struct insn optab_fpu_reg[8][8] = {
	[0] = { FR("fadd"), FR("fmul"), FR("fcom"), FR("fcomp"),
		FR("fsub"), FR("fsubr"), FR("fdiv"), FR("fdivr") },
	[1] = { FR("fld"), FR("fxch"), FG(fpu_d9_2), FR("fstpnce"),
		FG(fpu_d9_4), FG(fpu_d9_5), FG(fpu_d9_6), FG(fpu_d9_7) },
	[2] = { [0] = FRF("fcmovb", 0, IRF_C), [1] = FRF("fcmove", 0, IRF_Z),
		[2] = FRF("fcmovbe", 0, IRF_C | IRF_Z), [3] = FRF("fcmovu", 0, IRF_P),
		[5] = FG(fpu_da_5) },
	[3] = { [0] = FRF("fcmovnb", 0, IRF_C), [1] = FRF("fcmovne", 0, IRF_Z),
		[2] = FRF("fcmovnbe", 0, IRF_C | IRF_Z), [3] = FRF("fcmovnu", 0, IRF_P),
		[4] = FG(fpu_db_4), [5] = FRF("fucomi", IRF_ALL, 0),
		[6] = FRF("fcomi", IRF_ALL, 0) },
	[4] = { FR("fadd"), FR("fmul"), FR("fcom2"), FR("fcomp3"),
		FR("fsubr"), FR("fsub"), FR("fdivr"), FR("fdiv") },
	[5] = { FR("ffree"), FR("fxch4"), FR("fst"), FR("fstp"),
		FR("fucom"), FR("fucomp") },
	[6] = { FR("faddp"), FR("fmulp"), FR("fcomp5"), FG(fpu_de_3),
		FR("fsubrp"), FR("fsubp"), FR("fdivrp"), FR("fdivp") },
	[7] = { [0] = FR("ffreep"), [1] = FR("fxch7"), [2] = FR("fstp8"), [3] = FR("fstp9"),
		[4] = FG(fpu_df_4), [5] = FRF("fucompi", IRF_ALL, 0),
		[6] = FRF("fcompi", IRF_ALL, 0) },
};
/* clang-format on */
