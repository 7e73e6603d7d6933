/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/qemu/options.h - the command line, as QEMU's users know it.
 *
 * options_parse() checks everything that needs no file and fills
 * machine_config. It prints nothing but lists that were asked for (-h,
 * -M help, ...: on stdout). */
#ifndef QEMU_OPTIONS_H
#define QEMU_OPTIONS_H

#include "qemu/machine.h"

#define MAX_CHARDEVS 8

struct named_chardev { const char *id; char *spec; };

struct options {
	u32 log_items;                   /* -d: enum log_item                */
	const char *log_path;            /* -D, NULL: stderr                 */
	bool lockstat;                   /* -lockstat                        */
	const char *lockstat_path;       /* ... =FILE; NULL: none            */
	const char *trace_path;          /* -trace locks=FILE; NULL: none    */
	u32 trace_events;                /* ... ,events=N; 0: default        */
	bool no_kvm;                     /* KVM was asked for                */
	char ignored[256];               /* options without effect, listed   */
	char err[256];
	/* until all is read */
	bool nographic, display_none, nodefaults;
	bool tcg_chosen, thread_multi;   /* -accel tcg, ... thread=multi     */
	int n_serials, n_chardevs;
	struct named_chardev chardev[MAX_CHARDEVS];
};

enum options_result { OPTIONS_RUN, OPTIONS_DONE, OPTIONS_ERROR };
/* OPTIONS_DONE: only a list was wanted. OPTIONS_ERROR: o->err says why. */
enum options_result options_parse(struct options *o, int argc, char **argv);

/* -- between options.c, options_value.c and options_device.c ---------------------- */
typedef enum options_result option_fn(struct options *o, const char *name,
				      const char *arg);
/* Set o->err to "-NAME: ..."; returns OPTIONS_ERROR. */
enum options_result option_fail(struct options *o, const char *name,
				const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* "unknown WHAT 'WORD'", with the nearest of the n words at `first`. */
enum options_result option_unknown(struct options *o, const char *name,
				   const char *what, const char *word,
				   const void *first, size_t n, size_t stride);
void option_ignored(struct options *o, const char *name, const char *arg);

option_fn opt_icount, opt_m, opt_smp, opt_cpu, opt_accel, opt_machine, opt_display, opt_vga,
	opt_monitor, opt_none, opt_rtc, opt_d, opt_action, opt_name, opt_trace;
option_fn opt_device, opt_serial, opt_debugcon, opt_chardev, opt_global;
/* What the serial ports are when all options are read. */
enum options_result serials_finish(struct options *o);
/* Instructions are counted in one thread. */
enum options_result icount_finish(struct options *o);

#endif
