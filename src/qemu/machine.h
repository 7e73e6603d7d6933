/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/qemu/machine.h - what the command line asks for, and the door from the
 * machine's core to the board. src/hw/pc.c implements the functions. */
#ifndef QEMU_MACHINE_H
#define QEMU_MACHINE_H

#include "env/lock.h"

#define MAX_SERIAL 4

struct machine_config {
	u64 ram_size;                    /* bytes                            */
	int smp;
	const char *machine;             /* "pc"                             */
	const char *cpu_model;           /* NULL: default                    */
	const char *name;
	const char *kernel, *initrd, *append;
	const char *serial[MAX_SERIAL];  /* chardev specs, NULL: absent      */
	const char *debugcon;            /* chardev spec, port E9h; NULL     */
	u16 debugcon_iobase;
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
/* Direct boot: what the loader leaves for the BSP to start with. */
struct boot_state {
	bool valid;
	u32 eip, eax, ebx, esi, esp;
	u32 gdt_base; u16 gdt_limit, cs, ds;  /* flat 32-bit segments        */
};
extern struct boot_state boot_state;

#endif
