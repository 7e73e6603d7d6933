/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a self-checking guest has: ports, text on the serial line, checks,
 * traps, descriptors, pages. Flat 32-bit ring 0, interrupts off, PICs at 20h
 * and 28h with all lines masked, no paging. */
#ifndef GUEST_H
#define GUEST_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef int s32;

#define NORETURN __attribute__((noreturn))
#define N_ELEM(a) (sizeof(a) / sizeof((a)[0]))

/* -- ports -------------------------------------------------------------------- */
static inline void outb(u16 port, u8 v) { __asm__ volatile("outb %0, %1" :: "a"(v), "Nd"(port)); }
static inline void outw(u16 port, u16 v) { __asm__ volatile("outw %0, %1" :: "a"(v), "Nd"(port)); }
static inline void outl(u16 port, u32 v) { __asm__ volatile("outl %0, %1" :: "a"(v), "Nd"(port)); }
static inline u8 inb(u16 port)
{
	u8 v;

	__asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}
static inline u32 inl(u16 port)
{
	u32 v;

	__asm__ volatile("inl %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}
static inline u8 cmos(u8 reg) { outb(0x70, reg); return inb(0x71); }
static inline void cmos_set(u8 reg, u8 v) { outb(0x70, reg); outb(0x71, v); }

/* -- registers ------------------------------------------------------------------ */
#define CR_FNS(n) \
	static inline u32 get_cr##n(void) \
	{ u32 v; __asm__ volatile("mov %%cr" #n ", %0" : "=r"(v)); return v; } \
	static inline void set_cr##n(u32 v) \
	{ __asm__ volatile("mov %0, %%cr" #n :: "r"(v) : "memory"); }
CR_FNS(0)
CR_FNS(2)
CR_FNS(3)
CR_FNS(4)
#undef CR_FNS
static inline u32 get_flags(void) { u32 v; __asm__ volatile("pushf; pop %0" : "=r"(v)); return v; }
static inline void invlpg(const volatile void *p)
{
	__asm__ volatile("invlpg (%0)" :: "r"(p) : "memory");
}
static inline u64 rdmsr(u32 nr)
{
	u32 a, d;

	__asm__ volatile("rdmsr" : "=a"(a), "=d"(d) : "c"(nr));
	return (u64)d << 32 | a;
}
static inline void wrmsr(u32 nr, u64 v)
{
	__asm__ volatile("wrmsr" :: "c"(nr), "a"((u32)v), "d"((u32)(v >> 32)) : "memory");
}
static inline u64 tsc64(void)
{
	u64 v;

	__asm__ volatile("rdtsc" : "=A"(v));
	return v;
}
static inline void cpuid(u32 leaf, u32 sub, u32 *r)
{
	__asm__ volatile("cpuid" : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3])
			 : "a"(leaf), "c"(sub));
}
static inline u32 tsc(void) { u32 v; __asm__ volatile("rdtsc" : "=a"(v) :: "edx"); return v; }
static inline void barrier(void) { __asm__ volatile("" ::: "memory"); }

/* -- saying and checking ------------------------------------------------------------ */
extern const char *command_line;
int option(const char *word);             /* is it in the command line?        */
void say(const char *fmt, ...);           /* %s %d %u %x %c                    */
/* "ok NAME", or "not ok NAME: LINE: ...". */
#define CHECK(name, cond) check_at(name, cond, #cond, __LINE__)
#define CHECK_EQ(name, a, b) check_eq_at(name, (u32)(a), (u32)(b), #a, __LINE__)
void check_at(const char *name, int good, const char *text, int line);
void check_eq_at(const char *name, u32 a, u32 b, const char *text, int line);
/* Upstream's TCG gets this wrong: true (and "skip") if we run under it. */
int upstream_lacks(const char *name);
void finish(void) NORETURN;               /* pass if no check failed            */

/* -- traps ---------------------------------------------------------------------------- */
struct frame {
	u32 cr2, gs, fs, es, ds;
	u32 edi, esi, ebp, esp0, ebx, edx, ecx, eax;
	u32 vector, error;
	u32 eip, cs, eflags;
	u32 esp, ss;                      /* when it came from ring 1-3        */
};
struct trap { int vector; u32 error, eip, cs, eflags, cr2, esp, ss; };
extern struct trap trap_last;
typedef void trap_fn(struct frame *f);
extern trap_fn *trap_handler[256];        /* called, then IRET, if set          */
/* Run fn(arg); -1, or the vector of the trap that ended it (no handler). */
int trap_try(void (*fn)(void *), void *arg);
void user_call(void (*fn)(void), u32 esp);
/* fn in ring 3 on a stack of its own: 30h if it returned, or a trap's vector. */
int user_try(void (*fn)(void));
/* The code at eip in ring 3: 30h if it did INT 30h, or another trap's vector. */
int user_jump(const volatile void *eip, u32 esp);
void own_pages(u32 set, u32 clear);       /* bits of the pages of this program */
int rdmsr_faults(u32 nr);                 /* #GP?                               */
int wrmsr_faults(u32 nr, u64 v);
void irq_unmask(int line, trap_fn *fn);   /* fn has to send the EOI             */
void eoi(int line);

/* -- descriptors, pages ------------------------------------------------------------------- */
extern u64 gdt[64];
extern u64 idt[256];
enum { SEL_TSS = 0x28, SEL_TEST = 0x40 };
/* access: P DPL S type; flags: G D 0 AVL in bits 3-0. */
u64 descriptor(u32 base, u32 limit, u8 access, u8 flags);
u64 gate(u16 sel, u32 offset, u8 access, u8 params);
void idt_set(int vector, void (*entry)(void), u8 access);
void idt_load(void);
struct tss {
	u32 link, esp0, ss0, esp1, ss1, esp2, ss2, cr3, eip, eflags;
	u32 eax, ecx, edx, ebx, esp, ebp, esi, edi, es, cs, ss, ds, fs, gs, ldt;
	u16 trap, io_base;
	u8 io_map[8193];
};
extern struct tss tss;
extern u8 vector_entries[256][16];
extern u8 stack_end[];

enum { PG_P = 1, PG_W = 2, PG_U = 4, PG_A = 0x20, PG_D = 0x40, PG_PS = 0x80 };
extern volatile u32 page_dir[1024], page_table[4][1024];   /* 16 MB, identity            */
void paging_on(void);                     /* all of it user, writable           */
void paging_off(void);
static inline volatile u32 *pte(const volatile void *p)
{
	return &page_table[(u32)p >> 22][(u32)p >> 12 & 1023];
}

void gate_a20(int on);                    /* address line 20, by port 92h and the 8042 */

/* -- time ------------------------------------------------------------------------------------ */
u16 pit_count(void);                      /* counter 0, latched                 */
void pit_wait(u32 ticks);                 /* by counter 2, polled               */

void guest_main(void);                    /* the test                           */
void *memset(void *d, int c, unsigned n);
void *memcpy(void *d, const void *s, unsigned n);

#endif
