/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/i386/string.c - string instructions with and without REP. SDM vol. 1
 * 7.3.9, vol. 2 REP, MOVS, STOS, LODS, SCAS, CMPS, INS, OUTS.
 *
 * The work is cut into runs: as many elements as lie in one page of each
 * side, within the segments' limits and without address wrap. A run whose
 * pages are RAM is done on host memory at once; anything else one element at a
 * time through the soft TLB. ECX, ESI and EDI are brought up to date after
 * each run, so a fault finds them exact (it can only come from a run's first
 * element). Between runs cpu->exit_request lets interrupts in. Under single
 * step a call does one element.
 *
 * Flags of SCAS and CMPS are stored at the end only: a fault leaves those from
 * before the instruction (SDM vol. 2, REP). */
#include <string.h>

#include "i386/debug.h"
#include "i386/fault.h"
#include "i386/helper.h"
#include "i386/port.h"
#include "qemu/machine.h"

enum { SHORT = 96,               /* bytes below which a loop beats REP     */
       NEAR = 64 };              /* REP MOVS: see host_rep_crawls            */

struct str {
	struct x86_cpu *x;
	int size;                /* bytes of an element                      */
	int log2;
	int step;                /* +size or -size                           */
	int seg;                 /* of the source                            */
	int rep;                 /* 0, 1 REP/REPE, 2 REPNE                   */
	u32 mask;                /* address size                             */
	u32 count;               /* elements left                            */
	u32 later;               /* under single step: those of later runs   */
	int mmu;
};

/* The two memory operands. */
struct side { int seg, reg; bool write; };
#define SRC(s) (&(struct side){ (s)->seg, R_ESI, false })
#define DST    (&(struct side){ R_ES, R_EDI, true })
#define DST_RD (&(struct side){ R_ES, R_EDI, false })

static void str_init(struct str *s, struct cpu *cpu, u32 a)
{
	struct x86_cpu *x = x86(cpu);

	s->x = x;
	s->log2 = a & 15;
	s->size = 1 << s->log2;
	s->step = x->df < 0 ? -s->size : s->size;
	s->seg = a >> 4 & 15;
	s->mask = a >> 8 & 1 ? 0xffffffff : 0xffff;
	s->rep = a >> 9 & 3;
	s->count = s->rep ? cpu->regs[R_ECX] & s->mask : 1;
	s->later = 0;
	if (a >> 11 & 1 && s->count > 1) {
		s->later = s->count - 1;
		s->count = 1;
	}
	s->mmu = cpu_mmu_index(x);
}

static void reg_add(struct str *s, int reg, u32 delta)
{
	u64 *r = &s->x->c.regs[reg];

	*r = (*r & (u32)~s->mask) | (((u32)*r + delta) & s->mask);
}

/* n elements are done; `esi` and `edi` say which pointers move. */
static void advance(struct str *s, u32 n, bool esi, bool edi)
{
	if (esi)
		reg_add(s, R_ESI, n * s->step);
	if (edi)
		reg_add(s, R_EDI, n * s->step);
	if (s->rep)
		reg_add(s, R_ECX, -n);
	s->count -= n;
}

/* More to do, but somebody wants the CPU: the instruction will run again, and
 * no instruction breakpoint stops it on the way. */
static bool interrupted(const struct str *s)
{
	if (!s->count || !s->rep)
		return false;
	if (!s->x->c.trap_pending &&
	    (machine_config.icount ||        /* it is one instruction there */
	     !__atomic_load_n(&s->x->c.exit_request, __ATOMIC_RELAXED)))
		return false;
	if (s->x->hflags & HF_XBP)
		s->x->hflags |= HF_RF;
	return true;
}

/* -- addresses ---------------------------------------------------------------- */
static u32 offset_of(const struct str *s, const struct side *d)
{
	return s->x->c.regs[d->reg] & s->mask;
}

/* Elements from the present one on, in direction of DF, that stay in its page,
 * its segment and its address space. */
static inline u32 run_length(const struct str *s, const struct side *d)
{
	const struct seg_cache *c = &s->x->seg[d->seg];
	struct seg_guard g = d->write ? c->wr : c->rd;
	u32 ofs = offset_of(s, d), in_page = (c->base + ofs) & 0xfff;
	u64 top = (u64)g.lo + g.n + 7, n;

	/* Elements that may fault by themselves go one at a time. */
	if (!g.n || s->x->hflags & HF_AC || ofs < g.lo || ofs + (u64)s->size > top ||
	    in_page + s->size > PAGE_SIZE)
		return 0;
	if (s->step < 0)
		return (MIN(in_page, ofs - g.lo) >> s->log2) + 1;
	n = MIN(PAGE_SIZE - in_page, top - ofs);
	return MIN(n, s->mask + 1ull - ofs) >> s->log2;
}

/* Host address of the present element, of which n follow in its page; NULL
 * when it is not RAM. Raises the page fault of the first element. */
static inline hva run_host(const struct str *s, const struct side *d, u32 n)
{
	u32 a = s->x->seg[d->seg].base + offset_of(s, d);
	enum mmu_access rw = d->write ? MMU_DATA_STORE : MMU_DATA_LOAD;
	u64 addend = tlb_entry(&s->x->c, s->mmu, d->write, a);
	hva h;

	/* what probe_access does first, without the call */
	if (addend != TLB_INVALID)
		return (hva)(uintptr_t)(a + addend);
	if (s->step > 0)
		return probe_access(&s->x->c, a, n << s->log2, rw, s->mmu);
	h = probe_access(&s->x->c, a, s->size, rw, s->mmu);
	if (h && n > 1)          /* tell it about the rest of the run too */
		probe_access(&s->x->c, a - ((n - 1) << s->log2), n << s->log2,
			     rw, s->mmu);
	return h;
}

/* Linear address of the present element, its segment's rights checked. */
static u32 element(const struct str *s, const struct side *d)
{
	u32 ofs = offset_of(s, d);

	helper_seg_check(&s->x->c, ofs, d->seg | s->size << 4 | d->write << 12, 0);
	align_check(s->x, s->x->seg[d->seg].base + ofs, (u32)s->size);
	return s->x->seg[d->seg].base + ofs;
}

static u32 load_element(const struct str *s, const struct side *d)
{
	u32 a = element(s, d);
	struct cpu *c = &s->x->c;

	return s->size == 1 ? cpu_ldub(c, a, s->mmu) :
	       s->size == 2 ? cpu_lduw(c, a, s->mmu) : cpu_ldl(c, a, s->mmu);
}

static void store_element(const struct str *s, u32 v)
{
	u32 a = element(s, DST);
	struct cpu *c = &s->x->c;

	if (s->size == 1)
		cpu_stb(c, a, v, s->mmu);
	else if (s->size == 2)
		cpu_stw(c, a, v, s->mmu);
	else
		cpu_stl(c, a, v, s->mmu);
}

static u32 host_load(const u8 *p, int size)
{
	u16 h;
	u32 w;

	if (size == 1)
		return *p;
	if (size == 2)
		return memcpy(&h, p, 2), h;
	return memcpy(&w, p, 4), w;
}

static void host_store(u8 *p, int size, u32 v)
{
	u16 h = v;

	if (size == 1)
		*p = v;
	else if (size == 2)
		memcpy(p, &h, 2);
	else
		memcpy(p, &v, 4);
}

static u32 accumulator(const struct str *s)
{
	u32 eax = s->x->c.regs[R_EAX];

	return s->size == 4 ? eax : eax & ((1u << 8 * s->size) - 1);
}

/* -- MOVS, STOS, LODS ------------------------------------------------------------ */
static inline u64 word(const u8 *p, int n)
{
	u64 v;

	memcpy(&v, p + 8 * n, 8);
	return v;
}

static inline void set_words(u8 *p, u64 a, u64 b, u64 c, u64 d)
{
	memcpy(p, &a, 8);
	memcpy(p + 8, &b, 8);
	memcpy(p + 16, &c, 8);
	memcpy(p + 24, &d, 8);
}

/* Upwards in words of 8, each stored before the next is loaded. */
static void copy_words(u8 *dst, const u8 *src, size_t bytes)
{
	u64 v;

	for (; bytes >= 8; bytes -= 8, dst += 8, src += 8) {
		memcpy(&v, src, 8);
		memcpy(dst, &v, 8);
	}
	for (; bytes; bytes--)
		*dst++ = *src++;
}

/* The same in blocks of 32, each loaded before the one before it is stored, for a load
 * waits for stores shortly before it that look alike in their low twelve bits. The
 * destination is 64 bytes above the source, or below it; there are 32 to copy. */
static void copy_blocks(u8 *dst, const u8 *src, size_t bytes)
{
	u64 a = word(src, 0), b = word(src, 1), c = word(src, 2), d = word(src, 3);

	for (; bytes >= 64; bytes -= 32, dst += 32) {
		u64 a2, b2, c2, d2;

		src += 32;
		a2 = word(src, 0), b2 = word(src, 1), c2 = word(src, 2), d2 = word(src, 3);
		set_words(dst, a, b, c, d);
		a = a2, b = b2, c = c2, d = d2;
	}
	set_words(dst, a, b, c, d);
	copy_words(dst + 32, src + 32, bytes - 32);
}

/* Hosts take a destination up to 63 bytes above the source, modulo 4 KB, for an
 * overlap and go byte by byte: measured 1150 ns for 4 KB on an AMD EPYC 9004, where
 * words of 8 take 150 and any other distance 45. */
static bool host_rep_crawls(const u8 *dst, const u8 *src)
{
	size_t above = (size_t)(dst - src) % PAGE_SIZE;

	return above && above < NEAR;
}

/* Byte by byte upwards: the same as by elements unless the destination starts
 * inside the source's first element; words of 8 need 8 bytes between them. */
static void copy_run(const struct str *s, u8 *dst, const u8 *src, u32 n)
{
	size_t bytes = (size_t)n << s->log2, apart = (size_t)(dst - src);

	if (s->step > 0 && apart >= 8 && (bytes < SHORT || host_rep_crawls(dst, src))) {
		(bytes >= 32 && apart >= 64 ? copy_blocks : copy_words)(dst, src, bytes);
		return;
	}
	if (s->step > 0 && apart >= (size_t)s->size) {
		__asm__ volatile("rep movsb" : "+D"(dst), "+S"(src), "+c"(bytes)
				 : : "memory");
		return;
	}
	for (; n; n--, dst += s->step, src += s->step)
		host_store(dst, s->size, host_load(src, s->size));
}

static void fill_run(const struct str *s, u8 *dst, u32 v, u32 n)
{
	size_t bytes = (size_t)n << s->log2;
	u64 v8 = s->size == 1 ? (v & 0xff) * 0x0101010101010101ull :
		 s->size == 2 ? (v & 0xffff) * 0x0001000100010001ull :
				v * 0x0000000100000001ull;

	if (s->step < 0)         /* any order gives the same bytes */
		dst -= bytes - s->size;
	if (bytes >= SHORT && v8 == (v8 & 0xff) * 0x0101010101010101ull) {
		__asm__ volatile("rep stosb" : "+D"(dst), "+c"(bytes)
				 : "a"(v8) : "memory");
		return;
	}
	size_t q = bytes / 8;
	if (bytes >= SHORT) {
		__asm__ volatile("rep stosq" : "+D"(dst), "+c"(q)
				 : "a"(v8) : "memory");
		bytes &= 7;
	}
	for (; bytes >= 8; bytes -= 8, dst += 8)
		memcpy(dst, &v8, 8);
	for (; bytes; bytes -= s->size, dst += s->size)
		host_store(dst, s->size, v8);
}

u64 helper_rep_movs(struct cpu *cpu, u32 a, u32 b, u32 c)
{
	struct str s;

	(void)b, (void)c;
	for (str_init(&s, cpu, a); s.count; ) {
		u32 n = MIN(run_length(&s, SRC(&s)), run_length(&s, DST));
		hva src = NULL, dst = NULL;

		n = MIN(n, s.count);
		if (n && (src = run_host(&s, SRC(&s), n)))
			dst = run_host(&s, DST, n);
		if (src && dst) {
			copy_run(&s, dst, src, n);
		} else {
			store_element(&s, load_element(&s, SRC(&s)));
			n = 1;
		}
		advance(&s, n, true, true);
		if (interrupted(&s))
			return 1;
	}
	return s.later != 0;
}

u64 helper_rep_stos(struct cpu *cpu, u32 a, u32 b, u32 c)
{
	struct str s;

	(void)b, (void)c;
	for (str_init(&s, cpu, a); s.count; ) {
		u32 n = MIN(run_length(&s, DST), s.count);
		hva dst = n ? run_host(&s, DST, n) : NULL;

		if (dst) {
			fill_run(&s, dst, accumulator(&s), n);
		} else {
			store_element(&s, accumulator(&s));
			n = 1;
		}
		advance(&s, n, false, true);
		if (interrupted(&s))
			return 1;
	}
	return s.later != 0;
}

/* Only the last element of a run is seen. */
u64 helper_rep_lods(struct cpu *cpu, u32 a, u32 b, u32 c)
{
	struct str s;

	(void)b, (void)c;
	for (str_init(&s, cpu, a); s.count; ) {
		u32 n = MIN(run_length(&s, SRC(&s)), s.count), v;
		hva src = n ? run_host(&s, SRC(&s), n) : NULL;
		u64 *eax = &cpu->regs[R_EAX];

		if (src) {
			v = host_load(src + (s64)(n - 1) * s.step, s.size);
		} else {
			v = load_element(&s, SRC(&s));
			n = 1;
		}
		*eax = s.size == 4 ? v : s.size == 2 ? (*eax & 0xffff0000) | v
				       : (*eax & 0xffffff00) | v;
		advance(&s, n, true, false);
		if (interrupted(&s))
			return 1;
	}
	return s.later != 0;
}

/* -- SCAS, CMPS -------------------------------------------------------------------- */
/* cpu->cc as after SUB x - y of this size. */
static u32 sub_flags(u32 x, u32 y, int size)
{
	u32 ax;

	if (size == 1)
		__asm__("cmpb %b2, %b1\n\tlahf\n\tseto %%al"
			: "=&a"(ax) : "c"(x), "d"(y) : "cc");
	else if (size == 2)
		__asm__("cmpw %w2, %w1\n\tlahf\n\tseto %%al"
			: "=&a"(ax) : "c"(x), "d"(y) : "cc");
	else
		__asm__("cmpl %2, %1\n\tlahf\n\tseto %%al"
			: "=&a"(ax) : "c"(x), "d"(y) : "cc");
	return ax;
}

/* High bit of each element of v that is zero; exact for the lowest one. */
static u64 zero_elements(u64 v, int size)
{
	u64 one = size == 1 ? 0x0101010101010101ull :
		  size == 2 ? 0x0001000100010001ull : 0x0000000100000001ull;

	return (v - one) & ~v & one << (8 * size - 1);
}

/* The first of n elements, upwards, at which p and q are equal (`equal`) or
 * differ; n if there is none. With q NULL they are compared with v8. */
static u32 find_run(const struct str *s, const u8 *p, const u8 *q, u64 v8,
		    u32 n, bool equal)
{
	size_t bytes = (size_t)n << s->log2, i = 0;
	u64 a, b = v8;

	for (; i + 8 <= bytes; i += 8) {
		memcpy(&a, p + i, 8);
		if (q)
			memcpy(&b, q + i, 8);
		a ^= b;
		u64 hit = equal ? zero_elements(a, s->size) : a;
		if (hit)
			return (i + __builtin_ctzll(hit) / 8) >> s->log2;
	}
	for (; i < bytes; i += s->size) {
		u32 x = host_load(p + i, s->size);
		u32 y = q ? host_load(q + i, s->size)
			  : host_load((u8 *)&v8, s->size);
		if ((x == y) == equal)
			return i >> s->log2;
	}
	return n;
}

/* The same downwards. */
static u32 find_run_down(const struct str *s, const u8 *p, const u8 *q, u32 v,
			 u32 n, bool equal)
{
	for (u32 i = 0; i < n; i++) {
		u32 x = host_load(p - (size_t)i * s->size, s->size);
		u32 y = q ? host_load(q - (size_t)i * s->size, s->size) : v;

		if ((x == y) == equal)
			return i;
	}
	return n;
}

static u64 spread(u32 v, int size)
{
	return size == 1 ? v * 0x0101010101010101ull :
	       size == 2 ? v * 0x0001000100010001ull : v * 0x0000000100000001ull;
}

/* SCAS (`cmps` false: the accumulator with [EDI]) or CMPS ([ESI], [EDI]; where
 * both fault it is [EDI] that does, as on silicon). */
static inline __attribute__((always_inline))
u64 scan(struct cpu *cpu, u32 arg, bool cmps)
{
	struct str s;
	u32 flags = 0;
	bool any = false, stop = false, equal;

	str_init(&s, cpu, arg);
	equal = s.rep != 1;              /* REPE looks for a difference */
	while (s.count && !stop) {
		u32 n = MIN(run_length(&s, DST_RD), s.count), x, y, at;
		hva p = NULL, q = NULL;

		if (cmps)
			n = MIN(n, run_length(&s, SRC(&s)));
		if (n)
			q = run_host(&s, DST_RD, n);
		if (q && cmps)
			p = run_host(&s, SRC(&s), n);
		if (q && (p || !cmps)) {
			u32 acc = accumulator(&s);

			at = s.step < 0 ? find_run_down(&s, q, p, acc, n, equal)
				: find_run(&s, q, p, spread(acc, s.size), n, equal);
			stop = at < n;
			at = stop ? at : n - 1;
			x = p ? host_load(p + (s64)at * s.step, s.size) : acc;
			y = host_load(q + (s64)at * s.step, s.size);
			n = at + 1;
		} else {
			y = load_element(&s, DST_RD);
			x = cmps ? load_element(&s, SRC(&s)) : accumulator(&s);
			stop = (x == y) == equal;
			n = 1;
		}
		flags = sub_flags(x, y, s.size);
		any = true;
		advance(&s, n, cmps, true);
		if (!stop && interrupted(&s)) {
			cpu->cc = flags;
			return 1;
		}
	}
	if (any)
		cpu->cc = flags;
	return !stop && s.later;
}

u64 helper_rep_scas(struct cpu *cpu, u32 a, u32 b, u32 c)
{
	(void)b, (void)c;
	return scan(cpu, a, false);
}

u64 helper_rep_cmps(struct cpu *cpu, u32 a, u32 b, u32 c)
{
	(void)b, (void)c;
	return scan(cpu, a, true);
}

/* -- INS, OUTS ------------------------------------------------------------------------ */
/* The destination is checked before the port is read: reading may have effects. */
static void ins_one(const struct str *s, u32 port)
{
	u32 a = element(s, DST);

	probe_write(&s->x->c, a, s->size, s->mmu);
	debug_port(s->x, port, s->size);
	store_element(s, port_in(port, s->size));
}

u64 helper_rep_ins(struct cpu *cpu, u32 a, u32 b, u32 c)
{
	u32 port = (u16)cpu->regs[R_EDX];
	struct str s;

	(void)b, (void)c;
	str_init(&s, cpu, a);
	port_check(s.x, port, s.size);
	while (s.count) {
		u32 n = MIN(run_length(&s, DST), s.count);
		bool fast = n && !s.x->port_breakpoints;
		hva dst = fast ? run_host(&s, DST, n) : NULL;

		if (dst) {
			for (u32 i = 0; i < n; i++, dst += s.step)
				host_store(dst, s.size, port_in(port, s.size));
		} else {
			ins_one(&s, port);
			n = 1;
		}
		advance(&s, n, false, true);
		if (interrupted(&s))
			return 1;
	}
	return s.later != 0;
}

u64 helper_rep_outs(struct cpu *cpu, u32 a, u32 b, u32 c)
{
	u32 port = (u16)cpu->regs[R_EDX];
	struct str s;

	(void)b, (void)c;
	str_init(&s, cpu, a);
	port_check(s.x, port, s.size);
	while (s.count) {
		u32 v = load_element(&s, SRC(&s));

		debug_port(s.x, port, s.size);
		port_out(port, s.size, v);
		advance(&s, 1, true, false);
		if (interrupted(&s))
			return 1;
	}
	return s.later != 0;
}
