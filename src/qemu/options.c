/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/qemu/options.c - the command line: a table of upstream's options, and
 * what each does here. Upstream: qemu-options.hx, softmmu/vl.c.
 *
 * An option of upstream's that does nothing here is IGNORED (one warning for
 * all of them); one that asks for what is not there yet is ABSENT, an error
 * that says so. */
#include "qemu/options.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "qemu/optparse.h"

#define DEFAULT_RAM (128ull << 20)
#define VERSION "0.1"

struct machine_config machine_config;

/* -- messages ---------------------------------------------------------------------- */

enum options_result option_fail(struct options *o, const char *name,
				const char *fmt, ...)
{
	int n = snprintf(o->err, sizeof(o->err), "-%.30s: ", name);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(o->err + n, sizeof(o->err) - (size_t)n, fmt, ap);
	va_end(ap);
	return OPTIONS_ERROR;
}

enum options_result option_unknown(struct options *o, const char *name,
				   const char *what, const char *word,
				   const void *first, size_t n, size_t stride)
{
	const char *near = nearest(word, first, n, stride);

	if (near)
		return option_fail(o, name, "unknown %s '%.60s'; did you mean "
				   "%s?", what, word, near);
	return option_fail(o, name, "unknown %s '%.60s'; the first of them is "
			   "%s", what, word, *(const char *const *)first);
}

void option_ignored(struct options *o, const char *name, const char *arg)
{
	size_t n = strlen(o->ignored);

	snprintf(o->ignored + n, sizeof(o->ignored) - n, "%s-%s%s%.40s",
		 n ? ", " : "", name, arg ? " " : "", arg ? arg : "");
}

/* -- options that set one thing --------------------------------------------------------- */

static enum options_result opt_log_path(struct options *o, const char *name,
					const char *arg)
{
	(void)name;
	o->log_path = arg;
	return OPTIONS_RUN;
}

static enum options_result opt_nographic(struct options *o, const char *name,
					 const char *arg)
{
	(void)name, (void)arg;
	o->nographic = o->display_none = true;
	return OPTIONS_RUN;
}

static enum options_result opt_nodefaults(struct options *o, const char *name,
					  const char *arg)
{
	(void)name, (void)arg;
	o->nodefaults = true;
	return OPTIONS_RUN;
}

static enum options_result opt_lockstat(struct options *o, const char *name,
					const char *arg)
{
	if (arg && !*arg)
		return option_fail(o, name, "no file after the equals sign");
	o->lockstat = true;
	o->lockstat_path = arg;
	return OPTIONS_RUN;
}

static enum options_result opt_kvm(struct options *o, const char *name,
				   const char *arg)
{
	(void)name, (void)arg;
	o->no_kvm = true;
	return OPTIONS_RUN;
}

static option_fn opt_help, opt_version;

static enum options_result opt_version(struct options *o, const char *name,
				       const char *arg)
{
	(void)o, (void)name, (void)arg;
	printf("smew version " VERSION "\n");
	return OPTIONS_DONE;
}

/* -- the table ---------------------------------------------------------------------------------- */

/* OPTIONAL: its value is behind an equals sign in the same word. */
enum option_kind { FLAG, ARG, OPTIONAL, STRING, SWITCH, IGNORED, IGNORED_ARG, ABSENT,
		   ABSENT_ARG };

struct option {
	const char *name;
	enum option_kind kind;
	option_fn *fn;                   /* FLAG, ARG, OPTIONAL              */
	size_t field;                    /* STRING, SWITCH: in machine_config */
	const char *arg;                 /* in the help; ABSENT: what is not */
	const char *help;                /* NULL: not listed                 */
};

#define FIELD(f) offsetof(struct machine_config, f)

/* clang-format off */
static const struct option table[] = {
	{ "kernel", STRING, NULL, FIELD(kernel), "FILE", "multiboot 1 kernel or Linux bzImage (default: a demo)" },
	{ "initrd", STRING, NULL, FIELD(initrd), "FILE", "initial RAM disk; multiboot: modules \"a args,b\"" },
	{ "append", STRING, NULL, FIELD(append), "TEXT", "the kernel's command line" },
	{ "m", ARG, opt_m, 0, "SIZE", "memory, 128M by default, at most 3584M" },
	{ "smp", ARG, opt_smp, 0, "N", "vCPUs, 1 to 32; sockets=, cores=, threads= too" },
	{ "cpu", ARG, opt_cpu, 0, "MODEL", "-cpu help lists the models" },
	{ "M", ARG, opt_machine, 0, "TYPE", "-M help lists the machines" },
	{ "machine", ARG, opt_machine, 0, NULL, NULL },
	{ "accel", ARG, opt_accel, 0, "tcg", "then thread=single|multi, tb-size=MB" },
	{ "icount", ARG, opt_icount, 0, "[shift=]N", "time by instructions of 2^N ns each; sleep=off" },
	{ "serial", ARG, opt_serial, 0, "DEST", "stdio, mon:stdio, file:PATH, null, none, chardev:ID" },
	{ "chardev", ARG, opt_chardev, 0, "TYPE,id=ID", "stdio, file or null, to be named by others" },
	{ "debugcon", ARG, opt_debugcon, 0, "DEST", "debug console at port 0xe9" },
	{ "device", ARG, opt_device, 0, "NAME,...", "-device help lists them" },
	{ "nographic", FLAG, opt_nographic, 0, NULL, "serial port and Ctrl-A keys on this terminal" },
	{ "display", ARG, opt_display, 0, "none", "there is no other yet" },
	{ "monitor", ARG, opt_monitor, 0, "DEST", "commands: stdio, unix:PATH,server=on,wait=off, none" },
	{ "no-reboot", SWITCH, NULL, FIELD(no_reboot), NULL, "end when the guest resets (code 112: triple fault)" },
	{ "no-shutdown", SWITCH, NULL, FIELD(no_shutdown), NULL, "stop, but do not end" },
	{ "action", ARG, opt_action, 0, NULL, NULL },
	{ "S", SWITCH, NULL, FIELD(start_stopped), NULL, "do not start the vCPU" },
	{ "rtc", ARG, opt_rtc, 0, "base=...", "utc, localtime or a date" },
	{ "name", ARG, opt_name, 0, "TEXT", "name of the machine" },
	{ "d", ARG, opt_d, 0, "ITEM,...", "log; -d help lists the items" },
	{ "D", ARG, opt_log_path, 0, "FILE", "where the log goes (stderr)" },
	{ "lockstat", OPTIONAL, opt_lockstat, 0, "[=FILE]", "locks and waiting at the end; FILE: as JSON too" },
	{ "trace", ARG, opt_trace, 0, "locks=FILE", "what each thread did when: a Chrome trace; events=N" },
	{ "info-jit", SWITCH, NULL, FIELD(info_jit), NULL, "translation figures at the end" },
	{ "h", FLAG, opt_help, 0, NULL, "this list" },
	{ "help", FLAG, opt_help, 0, NULL, NULL },
	{ "version", FLAG, opt_version, 0, NULL, "version" },
	{ "nodefaults", FLAG, opt_nodefaults, 0, NULL, NULL },
	{ "vga", ARG, opt_vga, 0, NULL, NULL },
	{ "global", ARG, opt_global, 0, NULL, NULL },
	{ "net", ARG, opt_none, 0, NULL, NULL },
	{ "nic", ARG, opt_none, 0, NULL, NULL },
	{ "parallel", ARG, opt_none, 0, NULL, NULL },
	{ "enable-kvm", FLAG, opt_kvm, 0, NULL, NULL },
	{ "boot", IGNORED_ARG, NULL, 0, NULL, NULL },
	{ "k", IGNORED_ARG, NULL, 0, NULL, NULL },
	{ "L", IGNORED_ARG, NULL, 0, NULL, NULL },
	{ "vnc", IGNORED_ARG, NULL, 0, NULL, NULL },
	{ "spice", IGNORED_ARG, NULL, 0, NULL, NULL },
	{ "usbdevice", IGNORED_ARG, NULL, 0, NULL, NULL },
	{ "audio", IGNORED_ARG, NULL, 0, NULL, NULL },
	{ "audiodev", IGNORED_ARG, NULL, 0, NULL, NULL },
	{ "soundhw", IGNORED_ARG, NULL, 0, NULL, NULL },
	{ "uuid", IGNORED_ARG, NULL, 0, NULL, NULL },
	{ "smbios", IGNORED_ARG, NULL, 0, NULL, NULL },
	{ "msg", IGNORED_ARG, NULL, 0, NULL, NULL },
	{ "sandbox", IGNORED_ARG, NULL, 0, NULL, NULL },
	{ "overcommit", IGNORED_ARG, NULL, 0, NULL, NULL },
	{ "mem-path", IGNORED_ARG, NULL, 0, NULL, NULL },
	{ "mem-prealloc", IGNORED, NULL, 0, NULL, NULL },
	{ "usb", IGNORED, NULL, 0, NULL, NULL },
	{ "curses", IGNORED, NULL, 0, NULL, NULL },
	{ "full-screen", IGNORED, NULL, 0, NULL, NULL },
	{ "no-acpi", IGNORED, NULL, 0, NULL, NULL },
	{ "no-hpet", IGNORED, NULL, 0, NULL, NULL },
	{ "no-fd-bootchk", IGNORED, NULL, 0, NULL, NULL },
	{ "no-user-config", IGNORED, NULL, 0, NULL, NULL },
	{ "win2k-hack", IGNORED, NULL, 0, NULL, NULL },
	{ "s", ABSENT, NULL, 0, "a gdb stub", NULL },
	{ "gdb", ABSENT_ARG, NULL, 0, "a gdb stub", NULL },
	{ "hda", ABSENT_ARG, NULL, 0, "a disk", NULL },
	{ "hdb", ABSENT_ARG, NULL, 0, "a disk", NULL },
	{ "hdc", ABSENT_ARG, NULL, 0, "a disk", NULL },
	{ "hdd", ABSENT_ARG, NULL, 0, "a disk", NULL },
	{ "drive", ABSENT_ARG, NULL, 0, "a disk", NULL },
	{ "blockdev", ABSENT_ARG, NULL, 0, "a disk", NULL },
	{ "cdrom", ABSENT_ARG, NULL, 0, "a CD drive", NULL },
	{ "fda", ABSENT_ARG, NULL, 0, "a floppy drive", NULL },
	{ "fdb", ABSENT_ARG, NULL, 0, "a floppy drive", NULL },
	{ "pflash", ABSENT_ARG, NULL, 0, "flash memory", NULL },
	{ "sd", ABSENT_ARG, NULL, 0, "an SD card", NULL },
	{ "snapshot", ABSENT, NULL, 0, "a disk", NULL },
	{ "bios", ABSENT_ARG, NULL, 0, "a way to run firmware", NULL },
	{ "netdev", ABSENT_ARG, NULL, 0, "a network card", NULL },
	{ "object", ABSENT_ARG, NULL, 0, "an object model", NULL },
	{ "fw_cfg", ABSENT_ARG, NULL, 0, "a fw_cfg device", NULL },
	{ "virtfs", ABSENT_ARG, NULL, 0, "a 9p device", NULL },
	{ "fsdev", ABSENT_ARG, NULL, 0, "a 9p device", NULL },
	{ "numa", ABSENT_ARG, NULL, 0, "NUMA", NULL },
	{ "mon", ABSENT_ARG, NULL, 0, "monitors by -mon (-monitor is there)", NULL },
	{ "qmp", ABSENT_ARG, NULL, 0, "QMP", NULL },
	{ "singlestep", ABSENT, NULL, 0, "a one-instruction mode", NULL },
	{ "one-insn-per-tb", ABSENT, NULL, 0, "a one-instruction mode", NULL },
	{ "plugin", ABSENT_ARG, NULL, 0, "a plugin interface", NULL },
	{ "semihosting", ABSENT, NULL, 0, "semihosting", NULL },
	{ "loadvm", ABSENT_ARG, NULL, 0, "a way to load snapshots", NULL },
	{ "incoming", ABSENT_ARG, NULL, 0, "migration", NULL },
	{ "daemonize", ABSENT, NULL, 0, "a daemon mode", NULL },
	{ "pidfile", ABSENT_ARG, NULL, 0, "a pid file", NULL },
	{ "readconfig", ABSENT_ARG, NULL, 0, "a configuration file", NULL },
	{ "tpmdev", ABSENT_ARG, NULL, 0, "a TPM", NULL },
	{ "watchdog", ABSENT_ARG, NULL, 0, "a watchdog", NULL },
	{ "dtb", ABSENT_ARG, NULL, 0, "a device tree", NULL },
	{ "acpitable", ABSENT_ARG, NULL, 0, "ACPI", NULL },
};
/* clang-format on */

static enum options_result opt_help(struct options *o, const char *name,
				    const char *arg)
{
	(void)o, (void)name, (void)arg;
	printf("usage: smew [option...]\n"
	       "Runs a 32-bit PC; without -kernel, a demo guest.\n\n");
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (table[i].help)
			printf("  -%-11s %-11s %s\n", table[i].name,
			       table[i].arg ? table[i].arg : "", table[i].help);
	printf("\nThe names are QEMU's; two dashes do as well as one.\n");
	return OPTIONS_DONE;
}

/* *value: what follows an equals sign, where that may be. */
static const struct option *option_find(const char *word, const char **value)
{
	size_t n = strcspn(word, "=");

	*value = word[n] ? word + n + 1 : NULL;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		const struct option *opt = &table[i];

		if (opt->kind == OPTIONAL && n == strlen(opt->name) &&
		    !strncmp(opt->name, word, n))
			return opt;
		if (!strcmp(opt->name, word))
			return opt;
	}
	return NULL;
}

static bool takes_arg(const struct option *opt)
{
	return opt->kind == ARG || opt->kind == STRING ||
	       opt->kind == IGNORED_ARG || opt->kind == ABSENT_ARG;
}

static enum options_result option_apply(struct options *o,
					const struct option *opt, const char *arg)
{
	char *field = (char *)&machine_config + opt->field;

	switch (opt->kind) {
	case FLAG:
	case ARG:
	case OPTIONAL:
		return opt->fn(o, opt->name, arg);
	case STRING:
		*(const char **)(void *)field = arg;
		return OPTIONS_RUN;
	case SWITCH:
		*(bool *)field = true;
		return OPTIONS_RUN;
	case IGNORED:
	case IGNORED_ARG:
		option_ignored(o, opt->name, arg);
		return OPTIONS_RUN;
	default:
		return option_fail(o, opt->name, "this machine does not have %s"
				   " yet", opt->arg);
	}
}

/* -- reading it ----------------------------------------------------------------------------------- */

static void defaults(struct options *o)
{
	*o = (struct options){ 0 };
	machine_config = (struct machine_config){
		.ram_size = DEFAULT_RAM, .smp = 1, .sockets = 1, .cores = 1,
		.threads = 1, .machine = "pc",
		.debugcon_iobase = 0xe9, .rtc_base = -1,
	};
}

static enum options_result unknown_option(struct options *o, const char *word)
{
	const char *near = nearest(word, table, ARRAY_SIZE(table),
				   sizeof(table[0]));

	snprintf(o->err, sizeof(o->err), "-%.60s: unknown option; %s%s", word,
		 near ? "did you mean -" : "-h lists them", near ? near : "");
	if (near)
		strncat(o->err, "?", sizeof(o->err) - strlen(o->err) - 1);
	return OPTIONS_ERROR;
}

static enum options_result no_option(struct options *o, const char *word)
{
	snprintf(o->err, sizeof(o->err), "%.80s: disk images are not supported "
		 "yet; -kernel loads a kernel", word);
	return OPTIONS_ERROR;
}

/* argv[*i] and, when it takes one, its argument. */
static enum options_result option_read(struct options *o, int argc, char **argv,
				       int *i)
{
	const char *word = argv[*i], *value;
	const struct option *opt;

	if (word[0] != '-' || !word[1])
		return no_option(o, word);
	word += word[1] == '-' ? 2 : 1;
	opt = option_find(word, &value);
	if (!opt)
		return unknown_option(o, word);
	if (opt->kind == OPTIONAL)
		return option_apply(o, opt, value);
	if (!takes_arg(opt))
		return option_apply(o, opt, NULL);
	if (*i + 1 >= argc)
		return option_fail(o, opt->name, "needs a value");
	return option_apply(o, opt, argv[++*i]);
}

enum options_result options_parse(struct options *o, int argc, char **argv)
{
	enum options_result r = OPTIONS_RUN;

	defaults(o);
	for (int i = 1; i < argc && r == OPTIONS_RUN; i++)
		r = option_read(o, argc, argv, &i);
	if (r == OPTIONS_RUN)
		r = serials_finish(o);
	if (r == OPTIONS_RUN)
		r = icount_finish(o);
	if (!machine_config.kernel)              /* the demo ends by a reset */
		machine_config.no_reboot = true;
	fflush(stdout);
	return r;
}
