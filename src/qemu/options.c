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
#include <stdlib.h>
#include <string.h>

#include "env/clock.h"
#include "env/log.h"
#include "qemu/optparse.h"
#include "qemu/target.h"

#define MB (1ull << 20)
#define MIN_RAM MB
#define MAX_RAM (3584 * MB)              /* then the PCI and APIC windows    */
#define DEFAULT_RAM (128 * MB)
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

/* A word of a table: what upstream knows, and whether we do. */
enum word_kind { WORD_OK, WORD_IGNORED, WORD_ABSENT, WORD_KVM };
struct word { const char *name; enum word_kind kind; const char *help; };

static bool is_help(const char *s)
{
	return !strcmp(s, "help") || !strcmp(s, "?");
}

static enum options_result words_help(const struct word *w, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (w[i].help)
			printf("%-12s %s\n", w[i].name, w[i].help);
	return OPTIONS_DONE;
}

/* Look `s` up and say what its kind asks for. */
static enum options_result word_check(struct options *o, const char *name,
				      const char *what, const char *s,
				      const struct word *w, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(w[i].name, s))
			continue;
		if (w[i].kind == WORD_IGNORED)
			option_ignored(o, name, s);
		if (w[i].kind == WORD_KVM)
			o->no_kvm = true;
		if (w[i].kind == WORD_ABSENT)
			return option_fail(o, name, "%s '%s' is not supported "
					   "yet; '%s' is", what, s, w[0].name);
		return OPTIONS_RUN;
	}
	return option_unknown(o, name, what, s, w, n, sizeof(*w));
}

/* -- memory, processors ------------------------------------------------------------- */

static enum options_result set_ram(struct options *o, const char *name,
				   const char *s)
{
	u64 bytes;

	if (!parse_size(s, MB, &bytes))
		return option_fail(o, name, "%.60s: not a size such as 128M "
				   "or 1G, or too big", s);
	if (bytes < MIN_RAM)
		return option_fail(o, name, "%.60s: a machine has at least 1 MB",
				   s);
	if (bytes > MAX_RAM)
		return option_fail(o, name, "%.60s: a machine has at most "
				   "3584 MB", s);
	machine_config.ram_size = (bytes + 4095) & ~4095ull;
	return OPTIONS_RUN;
}

static enum options_result opt_m(struct options *o, const char *name,
				 const char *arg)
{
	static const char *const keys[] = { "size", "slots", "maxmem" };
	char *list = text_keep(arg), *key, *value;
	enum options_result r = OPTIONS_RUN;

	if (!*arg)
		return set_ram(o, name, arg);
	while (!r && kv_next(&list, &key, &value)) {
		if (!value || !strcmp(key, "size"))
			r = set_ram(o, name, value ? value : key);
		else if (strcmp(key, "slots") && strcmp(key, "maxmem"))
			r = option_unknown(o, name, "property", key, keys,
					   ARRAY_SIZE(keys), sizeof(*keys));
	}
	return r;
}

static enum options_result opt_smp(struct options *o, const char *name,
				   const char *arg)
{
	static const char *const keys[] = { "cpus", "cores", "threads", "sockets",
					    "dies", "clusters", "maxcpus" };
	char *list = text_keep(arg), *key, *value;
	u64 cpus = 0, product = 1, v;

	while (kv_next(&list, &key, &value)) {
		const char *what = value ? key : "cpus";
		const char *near = nearest(what, keys, ARRAY_SIZE(keys),
					   sizeof(*keys));

		if (!near || strcmp(near, what))
			return option_unknown(o, name, "property", key, keys,
					      ARRAY_SIZE(keys), sizeof(*keys));
		if (!parse_u64(value ? value : key, &v) || !v || v > 65536)
			return option_fail(o, name, "%.60s: not a number of "
					   "vCPUs", arg);
		if (!strcmp(what, "cpus"))
			cpus = v;
		else if (strcmp(what, "maxcpus"))
			product = MIN(product * v, 65536ull);
	}
	cpus = cpus ? cpus : product;
	if (!*arg || cpus != 1)
		return option_fail(o, name, "%.60s: only one vCPU is supported "
				   "yet", arg);
	return OPTIONS_RUN;
}

static enum options_result opt_cpu(struct options *o, const char *name,
				   const char *arg)
{
	(void)name;
	if (is_help(arg)) {
		target_cpu_list();
		return OPTIONS_DONE;
	}
	o->no_kvm |= !strcmp(arg, "host");
	machine_config.cpu_model = arg;
	return OPTIONS_RUN;
}

/* -- machine and accelerator ----------------------------------------------------------- */

static const struct word accels[] = {
	{ "tcg", WORD_OK, "translation to the host's code" },
	{ "kvm", WORD_KVM, NULL }, { "hax", WORD_ABSENT, NULL },
	{ "hvf", WORD_ABSENT, NULL }, { "whpx", WORD_ABSENT, NULL },
	{ "nvmm", WORD_ABSENT, NULL }, { "xen", WORD_ABSENT, NULL },
	{ "qtest", WORD_ABSENT, NULL },
};

static enum options_result opt_accel(struct options *o, const char *name,
				     const char *arg)
{
	static const char *const keys[] = { "thread", "tb-size", "split-wx",
					    "one-insn-per-tb", "kernel-irqchip" };
	char *list = text_keep(arg), *key, *value;
	enum options_result r;

	if (!kv_next(&list, &key, &value) || value)
		return option_fail(o, name, "tcg is the one there is");
	if (is_help(key))
		return words_help(accels, ARRAY_SIZE(accels));
	r = word_check(o, name, "accelerator", key, accels, ARRAY_SIZE(accels));
	while (!r && kv_next(&list, &key, &value)) {
		if (!value)
			value = "";
		if (!strcmp(key, "thread")) {
			if (strcmp(value, "single") && strcmp(value, "multi"))
				r = option_fail(o, name, "thread=%.60s: single "
						"or multi", value);
			continue;
		}
		if (strcmp(key, "tb-size") && strcmp(key, "split-wx") &&
		    strcmp(key, "kernel-irqchip"))
			r = option_unknown(o, name, "property", key, keys,
					   ARRAY_SIZE(keys), sizeof(*keys));
		else
			option_ignored(o, name, key);
	}
	return r;
}

static const struct word machines[] = {
	{ "pc", WORD_OK, "ISA PC (default)" },
	{ "isapc", WORD_OK, "the same" },
	{ "q35", WORD_ABSENT, NULL }, { "microvm", WORD_ABSENT, NULL },
	{ "none", WORD_ABSENT, NULL }, { "xenfv", WORD_ABSENT, NULL },
};

static const struct word machine_props[] = {
	{ "usb", WORD_IGNORED, NULL }, { "vmport", WORD_IGNORED, NULL },
	{ "smm", WORD_IGNORED, NULL }, { "hpet", WORD_IGNORED, NULL },
	{ "acpi", WORD_IGNORED, NULL }, { "pit", WORD_IGNORED, NULL },
	{ "graphics", WORD_IGNORED, NULL }, { "nvdimm", WORD_IGNORED, NULL },
	{ "kernel_irqchip", WORD_IGNORED, NULL },
	{ "kernel-irqchip", WORD_IGNORED, NULL },
	{ "dump-guest-core", WORD_IGNORED, NULL },
	{ "mem-merge", WORD_IGNORED, NULL }, { "hmat", WORD_IGNORED, NULL },
	{ "pcspk-audiodev", WORD_IGNORED, NULL },
	{ "i8042", WORD_IGNORED, NULL }, { "sata", WORD_IGNORED, NULL },
	{ "accel", WORD_OK, NULL }, { "type", WORD_OK, NULL },
};

/* Versions of upstream's default machine are all ours. */
static const char *machine_alias(const char *s)
{
	return strncmp(s, "pc-i440fx", 9) && strncmp(s, "pc-1.", 5) ? s : "pc";
}

static enum options_result machine_prop(struct options *o, const char *name,
					const char *key, char *value)
{
	if (!strcmp(key, "accel") && value) {
		value[strcspn(value, ":")] = 0;  /* a list: the first        */
		return word_check(o, name, "accelerator", value, accels,
				  ARRAY_SIZE(accels));
	}
	if (!strcmp(key, "type") && value)
		return word_check(o, name, "machine", machine_alias(value),
				  machines, ARRAY_SIZE(machines));
	return word_check(o, name, "property", key, machine_props,
			  ARRAY_SIZE(machine_props));
}

static enum options_result opt_machine(struct options *o, const char *name,
				       const char *arg)
{
	char *list = text_keep(arg), *key, *value;
	enum options_result r = OPTIONS_RUN;
	bool first = true;

	if (is_help(arg))
		return words_help(machines, ARRAY_SIZE(machines));
	while (!r && kv_next(&list, &key, &value)) {
		if (first && !value)
			r = machine_prop(o, name, "type", key);
		else
			r = machine_prop(o, name, key, value);
		first = false;
	}
	return r;
}

/* -- devices without a model --------------------------------------------------------------- */

static enum options_result opt_display(struct options *o, const char *name,
				       const char *arg)
{
	static const struct word displays[] = {
		{ "none", WORD_OK, NULL }, { "gtk", WORD_IGNORED, NULL },
		{ "sdl", WORD_IGNORED, NULL }, { "curses", WORD_IGNORED, NULL },
		{ "vnc", WORD_IGNORED, NULL }, { "cocoa", WORD_IGNORED, NULL },
		{ "spice-app", WORD_IGNORED, NULL },
		{ "dbus", WORD_IGNORED, NULL },
		{ "egl-headless", WORD_IGNORED, NULL },
	};
	char *word = text_keep(arg);

	word[strcspn(word, ",=")] = 0;
	o->display_none |= !strcmp(word, "none");
	return word_check(o, name, "display", word, displays,
			  ARRAY_SIZE(displays));
}

static enum options_result opt_vga(struct options *o, const char *name,
				   const char *arg)
{
	static const struct word cards[] = {
		{ "none", WORD_IGNORED, NULL }, { "std", WORD_IGNORED, NULL },
		{ "cirrus", WORD_IGNORED, NULL }, { "vmware", WORD_IGNORED, NULL },
		{ "qxl", WORD_IGNORED, NULL }, { "virtio", WORD_IGNORED, NULL },
	};

	return word_check(o, name, "card", arg, cards, ARRAY_SIZE(cards));
}

static enum options_result opt_monitor(struct options *o, const char *name,
				       const char *arg)
{
	if (!strcmp(arg, "none") || !strcmp(arg, "null"))
		return OPTIONS_RUN;
	return option_fail(o, name, "%.60s: there is no monitor yet; "
			   "-monitor none is accepted", arg);
}

/* -net, -nic, -parallel: none is what we have. */
static enum options_result opt_none(struct options *o, const char *name,
				    const char *arg)
{
	if (strcmp(arg, "none"))
		return option_fail(o, name, "%.60s: there is no such device yet;"
				   " -%s none is accepted", arg, name);
	option_ignored(o, name, arg);
	return OPTIONS_RUN;
}

/* -- clock, log, what to do at the end ------------------------------------------------------ */

static enum options_result rtc_base(struct options *o, const char *name,
				    const char *value)
{
	struct machine_config *m = &machine_config;
	s64 now = clock_realtime_ns() / NS_PER_SEC;

	m->rtc_localtime = !strcmp(value, "localtime");
	m->rtc_base = -1;
	if (m->rtc_localtime)
		m->rtc_base = now + clock_local_offset(now);
	else if (strcmp(value, "utc") && !parse_date(value, &m->rtc_base))
		return option_fail(o, name, "base=%.60s: utc, localtime or a "
				   "date such as 2006-06-17T16:01:21", value);
	return OPTIONS_RUN;
}

static enum options_result opt_rtc(struct options *o, const char *name,
				   const char *arg)
{
	static const struct word keys[] = {
		{ "base", WORD_OK, NULL }, { "clock", WORD_IGNORED, NULL },
		{ "driftfix", WORD_IGNORED, NULL },
	};
	char *list = text_keep(arg), *key, *value;
	enum options_result r = OPTIONS_RUN;

	while (!r && kv_next(&list, &key, &value))
		if (!strcmp(key, "base"))
			r = rtc_base(o, name, value ? value : "");
		else
			r = word_check(o, name, "property", key, keys,
				       ARRAY_SIZE(keys));
	return r;
}

static const struct log_name { const char *name; u32 item; const char *help; }
log_names[] = {
	{ "in_asm", LOG_IN_ASM, "guest code of each block" },
	{ "op", LOG_OP, "its intermediate code" },
	{ "op_opt", LOG_OP_OPT, "the same after the passes" },
	{ "out_asm", LOG_OUT_ASM, "host code of each block" },
	{ "int", LOG_INT, "interrupts and exceptions" },
	{ "exec", LOG_EXEC, "each block that is run" },
	{ "cpu", LOG_CPU, "registers before each block" },
	{ "cpu_reset", LOG_CPU_RESET, "registers at resets" },
	{ "guest_errors", LOG_GUEST_ERRORS, "what hardware would not forgive" },
	{ "unimp", LOG_UNIMP, "what is not modelled" },
	{ "nochain", LOG_NOCHAIN, "do not link blocks: exec and cpu show all" },
	{ "op_ind", 0, NULL }, { "mmu", 0, NULL }, { "pcall", 0, NULL },
	{ "page", 0, NULL }, { "fpu", 0, NULL }, { "plugin", 0, NULL },
	{ "strace", 0, NULL }, { "all", ~0u & ~(u32)LOG_NOCHAIN, "all of these, linked" },
};

static const struct log_name *log_find(const char *s)
{
	for (size_t i = 0; i < ARRAY_SIZE(log_names); i++)
		if (!strcmp(log_names[i].name, s))
			return &log_names[i];
	return NULL;
}

static enum options_result log_help(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(log_names); i++)
		if (log_names[i].help)
			printf("%-13s %s\n", log_names[i].name,
			       log_names[i].help);
	return OPTIONS_DONE;
}

static enum options_result opt_d(struct options *o, const char *name,
				 const char *arg)
{
	char *list = text_keep(arg), *key, *value;

	if (is_help(arg))
		return log_help();
	while (kv_next(&list, &key, &value)) {
		const struct log_name *l = log_find(key);

		if (!l)
			return option_unknown(o, name, "log item", key,
					      log_names, ARRAY_SIZE(log_names),
					      sizeof(log_names[0]));
		if (!l->item)
			option_ignored(o, name, key);
		o->log_items |= l->item;
	}
	return OPTIONS_RUN;
}

static enum options_result opt_action(struct options *o, const char *name,
				      const char *arg)
{
	static const struct word keys[] = {
		{ "reboot", WORD_OK, NULL }, { "shutdown", WORD_OK, NULL },
		{ "panic", WORD_IGNORED, NULL }, { "watchdog", WORD_IGNORED, NULL },
	};
	char *list = text_keep(arg), *key, *value;
	enum options_result r = OPTIONS_RUN;

	while (!r && kv_next(&list, &key, &value)) {
		value = value ? value : "";
		if (!strcmp(key, "reboot") && (!strcmp(value, "reset") ||
					       !strcmp(value, "shutdown")))
			machine_config.no_reboot = *value == 's';
		else if (!strcmp(key, "shutdown") && (!strcmp(value, "pause") ||
						      !strcmp(value, "poweroff")))
			machine_config.no_shutdown = value[1] == 'a';
		else if (!strcmp(key, "reboot") || !strcmp(key, "shutdown"))
			r = option_fail(o, name, "%s=%.60s: unknown value", key,
					value);
		else
			r = word_check(o, name, "event", key, keys,
				       ARRAY_SIZE(keys));
	}
	return r;
}

static enum options_result opt_name(struct options *o, const char *name,
				    const char *arg)
{
	char *list = text_keep(arg), *key, *value;

	(void)o, (void)name;
	while (kv_next(&list, &key, &value))
		if (!value || !strcmp(key, "guest"))
			machine_config.name = value ? value : key;
	return OPTIONS_RUN;
}

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

enum option_kind { FLAG, ARG, STRING, SWITCH, IGNORED, IGNORED_ARG, ABSENT,
		   ABSENT_ARG };

struct option {
	const char *name;
	enum option_kind kind;
	option_fn *fn;                   /* FLAG, ARG                        */
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
	{ "smp", ARG, opt_smp, 0, "N", "number of vCPUs: 1" },
	{ "cpu", ARG, opt_cpu, 0, "MODEL", "-cpu help lists the models" },
	{ "M", ARG, opt_machine, 0, "TYPE", "-M help lists the machines" },
	{ "machine", ARG, opt_machine, 0, NULL, NULL },
	{ "accel", ARG, opt_accel, 0, "tcg", "thread=single|multi may follow" },
	{ "serial", ARG, opt_serial, 0, "DEST", "stdio, mon:stdio, file:PATH, null, none, chardev:ID" },
	{ "chardev", ARG, opt_chardev, 0, "TYPE,id=ID", "stdio, file or null, to be named by others" },
	{ "debugcon", ARG, opt_debugcon, 0, "DEST", "debug console at port 0xe9" },
	{ "device", ARG, opt_device, 0, "NAME,...", "-device help lists them" },
	{ "nographic", FLAG, opt_nographic, 0, NULL, "serial port and Ctrl-A keys on this terminal" },
	{ "display", ARG, opt_display, 0, "none", "there is no other yet" },
	{ "monitor", ARG, opt_monitor, 0, "none", "there is no other yet" },
	{ "no-reboot", SWITCH, NULL, FIELD(no_reboot), NULL, "end when the guest resets (code 112: triple fault)" },
	{ "no-shutdown", SWITCH, NULL, FIELD(no_shutdown), NULL, "stop, but do not end" },
	{ "action", ARG, opt_action, 0, NULL, NULL },
	{ "S", SWITCH, NULL, FIELD(start_stopped), NULL, "do not start the vCPU" },
	{ "rtc", ARG, opt_rtc, 0, "base=...", "utc, localtime or a date" },
	{ "name", ARG, opt_name, 0, "TEXT", "name of the machine" },
	{ "d", ARG, opt_d, 0, "ITEM,...", "log; -d help lists the items" },
	{ "D", ARG, opt_log_path, 0, "FILE", "where the log goes (stderr)" },
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
	{ "mon", ABSENT_ARG, NULL, 0, "a monitor", NULL },
	{ "qmp", ABSENT_ARG, NULL, 0, "a monitor", NULL },
	{ "icount", ABSENT_ARG, NULL, 0, "instruction counting", NULL },
	{ "singlestep", ABSENT, NULL, 0, "a one-instruction mode", NULL },
	{ "one-insn-per-tb", ABSENT, NULL, 0, "a one-instruction mode", NULL },
	{ "trace", ABSENT_ARG, NULL, 0, "tracing", NULL },
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
			printf("  -%-10s %-11s %s\n", table[i].name,
			       table[i].arg ? table[i].arg : "", table[i].help);
	printf("\nThe names are QEMU's; two dashes do as well as one.\n");
	return OPTIONS_DONE;
}

static const struct option *option_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (!strcmp(table[i].name, name))
			return &table[i];
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
		.ram_size = DEFAULT_RAM, .smp = 1, .machine = "pc",
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
	const char *word = argv[*i];
	const struct option *opt;

	if (word[0] != '-' || !word[1])
		return no_option(o, word);
	word += word[1] == '-' ? 2 : 1;
	opt = option_find(word);
	if (!opt)
		return unknown_option(o, word);
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
	if (!machine_config.kernel)              /* the demo ends by a reset */
		machine_config.no_reboot = true;
	fflush(stdout);
	return r;
}
