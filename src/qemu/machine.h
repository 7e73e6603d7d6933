/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/qemu/machine.h - what the command line asks for, and the door from the
 * machine's core to the board. src/hw/pc.c implements the functions. */
#ifndef QEMU_MACHINE_H
#define QEMU_MACHINE_H

#include "env/lock.h"

#define MAX_SERIAL 4
#define MAX_CPUS 32

struct machine_config {
	u64 ram_size;                    /* bytes                            */
	int smp;                         /* vCPUs                            */
	int sockets, cores, threads;     /* their product is at least smp    */
	bool tcg_single;                 /* thread=single                    */
	u32 tb_size;                     /* code buffer, MB; 0: default      */
	bool icount;                     /* time is counted in instructions, */
	bool icount_sleep;               /* idle time passes in real time    */
	u8 icount_shift;                 /* ... of 2^shift ns                */
	const char *machine;             /* "pc"                             */
	const char *cpu_model;           /* NULL: default                    */
	const char *name;
	const char *kernel, *initrd, *append;
	const char *serial[MAX_SERIAL];  /* chardev specs, NULL: absent      */
	const char *debugcon;            /* chardev spec, port E9h; NULL     */
	u16 debugcon_iobase;
	const char *monitor;             /* chardev spec; NULL: none         */
	bool debug_exit;                 /* -device isa-debug-exit           */
	u16 debug_exit_iobase, debug_exit_iosize;
	bool no_reboot, no_shutdown;
	bool start_stopped;              /* -S                               */
	bool rtc_localtime; s64 rtc_base;/* unix seconds, -1: now            */
	bool info_jit;                   /* print JIT statistics at exit     */
};
extern struct machine_config machine_config;

/* Build the board: memory map, chips, their wiring; RAM size and the rest
 * from machine_config. NULL, or an error text for the user. */
const char *machine_init(void) REQUIRES(bql);
/* The board's interrupt controller: acknowledge and return the vector of the
 * highest pending request (INTA cycle), -1: none. */
int pic_read_irq(void) REQUIRES(bql);
/* Where the board's ACPI tables begin (the RSDP), for loaders that say so. */
#define MACHINE_RSDP 0xf0000u

/* -- local APICs (hw/apic*.c) ----------------------------------------------------
 * "Own thread": the vCPU's, without any lock, or anybody's while it is parked. */
struct cpu;
/* Give the vCPU a local APIC. Upstream: x86_cpu_apic_create. */
void cpu_apic_create(struct cpu *cpu) REQUIRES(bql);
/* Take it away, from a vCPU that is off the list. */
void cpu_apic_destroy(struct cpu *cpu) REQUIRES(bql);
/* Power-on state; the INIT state, which keeps the ID and IA32_APIC_BASE (SDM vol.
 * 3A 10.4.7). Own thread. No effect on a vCPU without one. */
void apic_reset(struct cpu *cpu) REQUIRES(bql);
void apic_init_reset(struct cpu *cpu) REQUIRES(bql);
/* Is there an interrupt that its priority lets through? Own thread. */
bool apic_has_interrupt(struct cpu *cpu);
/* Acknowledge and return its vector; -1: there is none. Own thread. */
int apic_get_interrupt(struct cpu *cpu);
/* Vector of the last start-up IPI. */
u8 apic_sipi_vector(struct cpu *cpu) REQUIRES(bql);
/* IA32_APIC_BASE; 0: no local APIC. Setting returns false for a value that is to
 * raise #GP. Own thread. */
enum { APIC_BASE_BSP = 1 << 8, APIC_BASE_X2APIC = 1 << 10, APIC_BASE_ENABLE = 1 << 11 };
u64 cpu_get_apic_base(const struct cpu *cpu);
bool cpu_set_apic_base(struct cpu *cpu, u64 v);
/* x2APIC registers, MSR 800h + reg; false: #GP. Own thread. */
bool apic_msr_read(struct cpu *cpu, u32 reg, u64 *v);
bool apic_msr_write(struct cpu *cpu, u32 reg, u64 v);
/* IA32_TSC_DEADLINE in the host's time stamps; 0: not armed. Own thread. */
u64 apic_get_tsc_deadline(const struct cpu *cpu);
enum { APIC_TIMER_HZ = 1000000000 };     /* the timer's input clock, as upstream's */
void apic_set_tsc_deadline(struct cpu *cpu, u64 host_tsc);

/* Direct boot: what the loader leaves for the BSP to start with. */
struct boot_state {
	bool valid;
	u32 eip, eax, ebx, esi, esp;
	u32 gdt_base; u16 gdt_limit, cs, ds;  /* flat 32-bit segments        */
};
extern struct boot_state boot_state;

#endif
