/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/i386/desc.h - segment descriptors, gates and stacks as the C side of
 * the guest processor handles them. SDM vol. 3A 3.4.5, 5.8, 7.2. Used by
 * seg.c, excp.c and task.c. Upstream: seg_helper.c's static functions. */
#ifndef I386_DESC_H
#define I386_DESC_H

#include "i386/cpu.h"

struct desc { u32 lo, hi; };             /* as in the table                  */

enum { DESC_TYPE = 0xf << 8, DESC_BUSY = 2 << 8 };
enum { TYPE_TSS16 = 1, TYPE_LDT = 2, TYPE_TSS16_BUSY = 3, TYPE_CALL16 = 4,
       TYPE_TASK = 5, TYPE_INT16 = 6, TYPE_TRAP16 = 7, TYPE_TSS32 = 9,
       TYPE_TSS32_BUSY = 11, TYPE_CALL32 = 12, TYPE_INT32 = 14,
       TYPE_TRAP32 = 15 };

static inline u32 desc_base(struct desc d)
{
	return d.lo >> 16 | (d.hi & 0xff) << 16 | (d.hi & 0xff000000);
}
static inline u32 desc_limit(struct desc d)
{
	u32 limit = (d.lo & 0xffff) | (d.hi & 0xf0000);

	return d.hi & DESC_G ? limit << 12 | 0xfff : limit;
}
static inline int desc_dpl(struct desc d) { return d.hi >> 13 & 3; }
static inline int desc_type(struct desc d) { return d.hi >> 8 & 15; }
static inline bool desc_is_code(struct desc d)
{
	return (d.hi & (DESC_S | DESC_CS)) == (DESC_S | DESC_CS);
}
static inline bool desc_is_data_rw(struct desc d)
{
	return (d.hi & (DESC_S | DESC_CS | DESC_W)) == (DESC_S | DESC_W);
}
static inline u32 gate_offset(struct desc d)
{
	return (d.lo & 0xffff) | (d.hi & 0xffff0000);
}

/* The two dwords of a descriptor or gate at a linear address. */
struct desc desc_load(struct x86_cpu *x, u32 addr);
/* Can [offset, offset + size) be accessed as far as the limit goes? */
bool seg_in_limit(u32 limit, u32 flags, u32 offset, u32 size);

/* Read the descriptor `sel` names; false when it lies outside its table. */
bool desc_fetch(struct x86_cpu *x, u16 sel, struct desc *d);
/* The accessed bit in the table, when it is still clear. */
void desc_set_accessed(struct x86_cpu *x, u16 sel, struct desc *d);
void desc_set_busy(struct x86_cpu *x, u16 sel, bool busy);

/* Load a segment register from a checked descriptor. */
static inline void seg_set(struct x86_cpu *x, int seg, u16 sel, struct desc d)
{
	cpu_load_seg_cache(x, seg, sel, desc_base(d), desc_limit(d), d.hi);
}
/* Real or virtual-8086 mode: base = 16 * sel (state.c). */
void seg_set_real(struct x86_cpu *x, int seg, u16 sel);
/* An unusable data segment with this null selector. */
void seg_set_null(struct x86_cpu *x, int seg, u16 sel);
/* Load DS ES FS GS or SS in protected mode with all checks; `cpl` is the
 * level the segment will be used at. Faults: GP, NP, SS. */
void seg_load_prot(struct x86_cpu *x, int seg, u16 sel, int cpl);
/* Checks of a new SS at level `cpl`; the fault is `vector` (TS or GP) with
 * the selector, or SS when it is not present; `ext` is the EXT bit. */
struct desc ss_check(struct x86_cpu *x, u16 sel, int cpl, int vector, u32 ext);
void cpu_set_cpl(struct x86_cpu *x, int cpl);
/* Data segments a return to outer level `cpl` must not keep become null. */
void seg_drop_inner(struct x86_cpu *x, int cpl);

/* -- stacks: nothing of the CPU changes until stack_commit ----------------- */
struct stack {
	struct x86_cpu *x;
	u32 base, limit, flags;  /* of the segment                           */
	u32 sp, mask;            /* mask: 0xffff or all ones by SS.B         */
	u32 err;                 /* error code of its #SS                    */
	int mmu_idx;
};
void stack_current(struct stack *s, struct x86_cpu *x);
void stack_new(struct stack *s, struct x86_cpu *x, struct desc ss, u32 sp,
	       int cpl, u32 err);
/* width: 2 or 4 bytes */
void stack_push(struct stack *s, int width, u32 v);
u32 stack_pop(struct stack *s, int width);
/* The same for n of them, v[0] first. */
void stack_push_n(struct stack *s, int width, const u32 *v, u32 n);
void stack_pop_n(struct stack *s, int width, u32 *v, u32 n);
/* Fault as a write of `width` bytes at the stack pointer would. */
void stack_check_write(struct stack *s, int width);
/* ESP = the stack's pointer (only its low half when SS.B is clear). */
void stack_commit(const struct stack *s);

/* The SS:ESP that the current TSS holds for level `cpl`. #TS(TR) when the TSS
 * is too short. */
void tss_stack(struct x86_cpu *x, int cpl, u16 *ss, u32 *esp, u32 ext);

/* -- v86 mode with a virtual IF (vme.c); only while HF_VIF and EFLAGS.VM ------ */
/* The FLAGS image that PUSHF and INT n push: VIF for IF, IOPL 3. */
u32 vme_flags_image(const struct x86_cpu *x);
/* POPF, IRET with 16-bit operands: #GP if VIP waits and IF is to be set, or TF
 * is; else IF goes to VIF, IOPL stays. */
void vme_set_flags(struct x86_cpu *x, u32 v);
/* INT n in v86 mode with CR4.VME: is it for the task's own vector table? */
bool vme_redirects(struct x86_cpu *x, int vector);
/* ... then go there, `next` being the return address. */
void vme_interrupt(struct x86_cpu *x, int vector, u32 next);

/* -- tasks (task.c) --------------------------------------------------------- */
enum task_how { TASK_JMP, TASK_CALL, TASK_IRET };
/* Switch to the task whose TSS `sel` names (`d` is its descriptor), leaving
 * EIP `next` in the old one. SDM vol. 3A 7.3. */
void task_switch(struct x86_cpu *x, u16 sel, struct desc d, enum task_how how,
		 u32 next);
/* The TSS a task gate names, checked; faults GP, NP. */
struct desc task_gate_tss(struct x86_cpu *x, struct desc gate, u16 *sel, u32 ext);

#endif
