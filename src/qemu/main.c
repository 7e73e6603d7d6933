/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/qemu/main.c - from the command line to a running machine, and the main
 * loop. Upstream: softmmu/vl.c qemu_init, main.c.
 *
 * What can be wrong with the arguments and the files they name is found
 * before the terminal is touched and before anything is written. */
#include <string.h>

#include "env/file.h"
#include "env/locktrace.h"
#include "env/log.h"
#include "env/poll.h"
#include "env/signal.h"
#include "env/terminal.h"
#include "qemu/chardev.h"
#include "qemu/cpus.h"
#include "qemu/hmp.h"
#include "qemu/loader.h"
#include "qemu/lockreport.h"
#include "qemu/memory.h"
#include "qemu/ram_window.h"
#include "qemu/options.h"
#include "qemu/runstate.h"
#include "qemu/target.h"
#include "qemu/vl.h"

enum { EXIT_SIGNALLED = 128 };

static void on_quit(int signo) REQUIRES(bql)
{
	terminal_restore();
	error_report("terminating on signal %d", signo);
	qemu_quit(EXIT_SIGNALLED + signo);
}

static void die_if(const char *err)
{
	if (err)
		die("%s", err);
}

static void read_options(int argc, char **argv)
{
	static struct options o;
	enum options_result r = options_parse(&o, argc, argv);
	int err;

	if (r == OPTIONS_DONE)
		env_exit(0);
	if (r == OPTIONS_ERROR)
		die("%s", o.err);
	if (o.ignored[0])
		warn("no effect here: %s", o.ignored);
	if (o.no_kvm)
		warn("no KVM here, translating");
	err = log_open(o.log_path);
	if (err)
		die("cannot write the log %s: %s", o.log_path, strerror(err));
	log_mask = o.log_items;
	err = o.lockstat ? lockreport_start(o.lockstat_path) : 0;
	if (err)
		die("cannot write %s: %s", o.lockstat_path, strerror(err));
	if (o.trace_events)
		locktrace_set_room(o.trace_events);
	err = o.trace_path ? locktrace_start(o.trace_path) : 0;
	if (err)
		die("cannot write %s: %s", o.trace_path, strerror(err));
}

static void machine_build(void) REQUIRES(bql)
{
	struct cpu *cpu;

	memory_init();
	memory_region_transaction_begin();
	die_if(machine_init());
	memory_region_transaction_commit();
	ram_window_open();
	cpu_exec_init();
	for (int i = 0; i < machine_config.smp; i++) {
		cpu = target_cpu_new(machine_config.cpu_model, i);
		if (!cpu)
			env_exit(1);     /* it has said why                  */
		qemu_init_vcpu(cpu);
	}
	qemu_system_reset();
}

static struct chardev *monitor_open(void) REQUIRES(bql)
{
	const char *err = NULL;
	struct chardev *chr = NULL;

	if (machine_config.monitor)
		chr = chardev_open(machine_config.monitor, &err);
	die_if(err);
	return chr;
}

/* That one, and the one behind a multiplexer's Ctrl-A c. */
static void monitors_new(struct chardev *chr) REQUIRES(bql)
{
	if (chardev_mux())
		hmp_new(chardev_mux());
	if (chr)
		hmp_new(chr);
}

int main(int argc, char **argv)
{
	struct chardev *chr;

	file_open_std();
	signal_init();
	read_options(argc, argv);
	die_if(boot_load(&machine_config));
	main_loop_init();
	bql_lock();
	terminal_on_quit(on_quit);
	chr = monitor_open();
	machine_build();
	monitors_new(chr);
	if (!machine_config.start_stopped)
		vm_start();
	for (;;) {
		main_loop_wait();
		main_loop_handle_requests();
	}
}
