/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bench guest's small kernel, for system.c: flat segments, one address
 * space, interrupts by a table of C functions, one user program at a time.
 */
#ifndef BENCH_GUEST_H
#define BENCH_GUEST_H

#include "work.h"

/* Physical memory: program at 1 MB, page tables at 2 MB, heap at 4 MB. */
#define PAGE_DIR	((u32 *)0x200000)
#define PAGE_TABLES	((u32 *)0x201000)	/* 16 of them: 64 MB */
#define WORK_HEAP	((u8 *)0x400000)

#define PG_P	1u
#define PG_RW	2u
#define PG_US	4u

/* What boot.S pushes: pusha, the vector and error code, the CPU's frame. */
struct frame {
	u32 edi, esi, ebp, esp, ebx, edx, ecx, eax;
	u32 vector, error;
	u32 eip, cs, eflags;
};

typedef void trap_fn(struct frame *f);

static inline void out8(u16 port, u8 value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline u8 in8(u16 port)
{
	u8 value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

/* Sets what is called for a vector below 48 or for 0x80. */
void trap_set(u32 vector, trap_fn *fn);

/* Maps 64 MB one to one by 4 KB pages, user accessible, and turns paging on. */
void paging_on(void);
void paging_off(void);

static inline void invlpg(const volatile void *at)
{
	__asm__ volatile("invlpg (%0)" : : "r"(at) : "memory");
}

/* Runs fn(arg) in ring 3; returns when it does INT 0x80 with EAX = 0. */
void user_run(void (*fn)(u32 arg), u32 arg);

#endif
