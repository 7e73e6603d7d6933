/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/smp_board.h - vCPUs with threads of their own (or one for all), 1 MB
 * of RAM and no chips. They run in real mode with all segments at 0, from an
 * address the test chooses. */
#ifndef SMP_BOARD_H
#define SMP_BOARD_H

#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "env/clock.h"
#include "env/poll.h"
#include "i386/cpu.h"
#include "qemu/cpus.h"
#include "qemu/machine.h"
#include "qemu/memory.h"
#include "qemu/target.h"

enum { BOARD_RAM = 1 << 20, CODE = 0x8000, COUNTERS = 0x20000, CTR_STEP = 0x100,
       NMI_COUNTERS = 0x30000, HANDLER = 0x7000, STACK_TOP = 0x7000 };

static hva ram;

static inline void put(u32 at, const void *bytes, size_t n)
{
	memcpy(ram + at, bytes, n);
}
#define CODE_AT(at, ...) \
	put(at, (const u8[]){ __VA_ARGS__ }, sizeof((const u8[]){ __VA_ARGS__ }))

/* With the BQL held from here on, but where the test drops it. */
static inline void board_init(int smp, bool single)
{
	static struct memory_region mr;

	machine_config.smp = smp;
	machine_config.tcg_single = single;
	main_loop_init();
	bql_lock();
	memory_init();
	ck_assert_ptr_null(ram_arena_init(BOARD_RAM));
	ck_assert_ptr_null(memory_region_init_ram(&mr, "ram", BOARD_RAM));
	memory_region_add_subregion(&system_memory, 0, &mr);
	cpu_exec_init();
	ram = memory_region_host(&mr);
}

/* A vCPU, parked, that is about to run at `ip` with BX = its counter, CX = its
 * number; `ip` 0: halted. */
static inline struct cpu *board_cpu(int index, u32 ip)
{
	struct cpu *cpu = target_cpu_new("max", index);
	struct x86_cpu *x = x86(cpu);

	for (int seg = 0; seg < NB_SEGS; seg++)
		cpu_load_seg_cache(x, seg, 0, 0, 0xffffffff, seg == R_CS ? 0x00009b00 :
				   0x00009300);
	x->idt = (struct desc_table){ 0, 0x3ff };
	x->wait_for_sipi = false;
	cpu->pc = ip;
	cpu->halted = !ip;
	cpu->regs[R_EBX] = COUNTERS + index * CTR_STEP;
	cpu->regs[R_ECX] = index;
	cpu->regs[R_ESP] = STACK_TOP - index * 0x100;
	qemu_init_vcpu(cpu);
	return cpu;
}

static inline void board_cpus(int n, u32 ip)
{
	for (int i = 0; i < n; i++)
		board_cpu(i, ip);
}

static inline u32 counter(int index)
{
	return __atomic_load_n((u32 *)(void *)(ram + COUNTERS + index * CTR_STEP),
			       __ATOMIC_SEQ_CST);
}

static inline void board_tick(void *opaque) { (void)opaque; }

/* Let the main thread do what it does, for that long. */
static inline void board_run(s64 ms)
{
	s64 end = clock_monotonic_ns() + ms * 1000000;
	struct poll_timer t;

	poll_timer_init(&t, board_tick, NULL);
	while (clock_monotonic_ns() < end) {
		poll_timer_mod(&t, end);
		main_loop_wait();
	}
	poll_timer_del(&t);
}

/* Until `cond`; a test that fails says so after a minute. */
#define BOARD_UNTIL(cond) \
	do { \
		s64 end_ = clock_monotonic_ns() + 60 * NS_PER_SEC; \
		while (!(cond)) { \
			ck_assert_msg(clock_monotonic_ns() < end_, "never: %s", #cond); \
			board_run(1); \
		} \
	} while (0)

static inline int thread_count(void)
{
	DIR *d = opendir("/proc/self/task");
	int n = 0;

	for (struct dirent *e; (e = readdir(d)); )
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

#endif
