/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/qemu/runstate.c - run state; reset, shutdown, exit. Upstream:
 * softmmu/runstate.c.
 *
 * A request notes itself, stops the vCPU that made it and wakes the main
 * loop, which carries it out in main_loop_handle_requests(). Only
 * qemu_system_exit_request() ends the program at once, from any thread: what
 * the guest does after isa-debug-exit must not be seen. */
#include "qemu/runstate.h"

#include <stdlib.h>

#include "env/file.h"
#include "env/log.h"
#include "env/poll.h"
#include "env/strbuf.h"
#include "qemu/chardev.h"
#include "qemu/cpus.h"
#include "qemu/loader.h"
#include "qemu/lockreport.h"
#include "qemu/machine.h"
#include "qemu/target.h"
#include "qemu/timer.h"
#include "qemu/vl.h"

struct reset_entry {
	void (*fn)(void *);
	void *opaque;
	struct reset_entry *next;
};

static struct reset_entry *resets GUARDED_BY(bql);
static struct reset_entry powerdown GUARDED_BY(bql);
static enum run_state run_state;         /* _Atomic; written under the BQL   */
static bool reset_requested GUARDED_BY(bql);
static bool shutdown_requested GUARDED_BY(bql);
static int shutdown_code GUARDED_BY(bql);

/* -- run state ------------------------------------------------------------------ */

enum run_state runstate_get(void)
{
	return __atomic_load_n(&run_state, __ATOMIC_RELAXED);
}

void runstate_set(enum run_state s)
{
	static const u8 legal[] = {              /* bit n: may move to n     */
		[RUN_STATE_PRELAUNCH] = 1 << RUN_STATE_RUNNING,
		[RUN_STATE_RUNNING] = 1 << RUN_STATE_PAUSED |
				      1 << RUN_STATE_SHUTDOWN,
		[RUN_STATE_PAUSED] = 1 << RUN_STATE_RUNNING,
		[RUN_STATE_SHUTDOWN] = 1 << RUN_STATE_PAUSED,
	};

	if (s == run_state)
		return;
	if (!(legal[run_state] >> s & 1))
		bug("run state %d cannot become %d", run_state, s);
	__atomic_store_n(&run_state, s, __ATOMIC_RELAXED);
}

void vm_start(void)
{
	runstate_set(RUN_STATE_RUNNING);
	qemu_clock_enable(true);
	resume_all_vcpus();
}

void vm_stop(enum run_state s)
{
	if (runstate_get() == RUN_STATE_RUNNING) {
		pause_all_vcpus();
		qemu_clock_enable(false);
	}
	runstate_set(s);
}

/* -- requests --------------------------------------------------------------------- */

static void shutdown_with(int code) REQUIRES(bql)
{
	if (!shutdown_requested)
		shutdown_code = code;
	shutdown_requested = true;
	cpu_stop_current();
	main_loop_notify();
}

void qemu_system_reset_request(void)
{
	if (machine_config.no_reboot) {
		shutdown_with(0);
		return;
	}
	reset_requested = true;
	cpu_stop_current();
	main_loop_notify();
}

void qemu_system_triple_fault_request(void)
{
	if (machine_config.no_reboot)
		shutdown_with(EXIT_TRIPLE_FAULT);
	else
		qemu_system_reset_request();
}

void qemu_system_shutdown_request(void)
{
	shutdown_with(0);
}

void qemu_register_powerdown(void (*fn)(void *), void *opaque)
{
	powerdown = (struct reset_entry){ fn, opaque, NULL };
}

void qemu_system_powerdown_request(void)
{
	if (powerdown.fn)
		powerdown.fn(powerdown.opaque);
}

void qemu_system_exit_request(int code)
{
	qemu_quit(code);
}

/* -- reset -------------------------------------------------------------------------- */

void qemu_register_reset(void (*fn)(void *), void *opaque)
{
	struct reset_entry **at = &resets, *e = malloc(sizeof(*e));

	if (!e)
		die("out of memory");
	*e = (struct reset_entry){ fn, opaque, NULL };
	while (*at)
		at = &(*at)->next;
	*at = e;
}

/* The interrupt lines go first, so that what the devices raise while they
 * reset counts. */
void qemu_system_reset(void)
{
	struct cpu *cpu;

	boot_reset();
	CPU_FOREACH(cpu) {
		__atomic_store_n(&cpu->interrupt_request, 0, __ATOMIC_SEQ_CST);
		target_cpu_reset(cpu);
	}
	for (struct reset_entry *e = resets; e; e = e->next)
		e->fn(e->opaque);
}

/* -- carrying them out ---------------------------------------------------------------- */

static void do_shutdown(void) REQUIRES(bql)
{
	if (!machine_config.no_shutdown)
		qemu_quit(shutdown_code);
	if (runstate_get() == RUN_STATE_SHUTDOWN)
		return;
	vm_stop(RUN_STATE_SHUTDOWN);
	chardev_flush_all();
	error_report("the machine has stopped; -no-shutdown keeps the program");
}

void main_loop_handle_requests(void)
{
	if (shutdown_requested) {
		do_shutdown();
		shutdown_requested = reset_requested = false;
	}
	if (reset_requested) {
		reset_requested = false;
		pause_all_vcpus();
		qemu_system_reset();
		if (runstate_get() == RUN_STATE_RUNNING)
			resume_all_vcpus();
	}
}

void qemu_quit(int code)
{
	struct strbuf b = { 0 };

	chardev_flush_all();
	if (machine_config.info_jit) {
		if (machine_config.icount && !current_cpu)
			pause_all_vcpus();       /* the figures are final    */
		info_jit(&b);
		file_write_all(2, b.s, b.n);
	}
	if (lockreport_end())
		code = 1;
	env_exit(code);
}
