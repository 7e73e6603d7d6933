/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/qemu/options_value.c - options whose values are words of upstream's, most
 * of them known, some supported: memory, processors, machine, accelerator,
 * displays, clock, log. */
#include <stdio.h>
#include <string.h>

#include "env/clock.h"
#include "env/locktrace.h"
#include "env/log.h"
#include "qemu/options.h"
#include "qemu/optparse.h"
#include "qemu/target.h"
#include "tcg/opts.h"

#define MB (1ull << 20)
#define MIN_RAM MB
#define MAX_RAM (3584 * MB)              /* then the PCI and APIC windows    */

/* -- words ------------------------------------------------------------------------- */

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

/* -- memory ------------------------------------------------------------------------- */

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

enum options_result opt_m(struct options *o, const char *name, const char *arg)
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

/* -- processors (upstream: machine_parse_smp_config) ---------------------------------- */

enum smp_key { SMP_CPUS, SMP_SOCKETS, SMP_DIES, SMP_CLUSTERS, SMP_CORES, SMP_THREADS,
	       SMP_MAXCPUS, N_SMP_KEYS };
static const char *const smp_keys[N_SMP_KEYS] = {
	"cpus", "sockets", "dies", "clusters", "cores", "threads", "maxcpus",
};

static u64 smp_product(const u64 *v)
{
	return v[SMP_SOCKETS] * v[SMP_DIES] * v[SMP_CLUSTERS] * v[SMP_CORES] *
	       v[SMP_THREADS];
}

/* What was not given; cores rather than sockets. */
static void smp_complete(u64 *v)
{
	static const u8 prefer[] = { SMP_CORES, SMP_SOCKETS, SMP_THREADS };
	u64 max = v[SMP_MAXCPUS] ? v[SMP_MAXCPUS] : v[SMP_CPUS];
	int open = -1;

	v[SMP_DIES] += !v[SMP_DIES];
	v[SMP_CLUSTERS] += !v[SMP_CLUSTERS];
	for (unsigned i = 0; i < ARRAY_SIZE(prefer); i++) {
		if (v[prefer[i]])
			continue;
		v[prefer[i]] = 1;
		open = open < 0 ? prefer[i] : open;
	}
	if (max && open >= 0)
		v[open] = max / smp_product(v);
	v[SMP_MAXCPUS] = max ? max : smp_product(v);
	v[SMP_CPUS] += v[SMP_CPUS] ? 0 : v[SMP_MAXCPUS];
}

static enum options_result smp_check(struct options *o, const char *name,
				     const u64 *v)
{
	if (v[SMP_CLUSTERS] > 1)
		return option_fail(o, name, "clusters not supported by this "
				   "machine's CPU topology");
	if (smp_product(v) != v[SMP_MAXCPUS])
		return option_fail(o, name, "Invalid CPU topology: product of the "
			"hierarchy must match maxcpus: sockets (%u) * dies (%u) * "
			"cores (%u) * threads (%u) != maxcpus (%u)",
			(unsigned)v[SMP_SOCKETS], (unsigned)v[SMP_DIES],
			(unsigned)v[SMP_CORES], (unsigned)v[SMP_THREADS],
			(unsigned)v[SMP_MAXCPUS]);
	if (v[SMP_MAXCPUS] < v[SMP_CPUS])
		return option_fail(o, name, "Invalid CPU topology: maxcpus must be "
			"equal to or greater than smp: maxcpus (%u) < smp_cpus (%u)",
			(unsigned)v[SMP_MAXCPUS], (unsigned)v[SMP_CPUS]);
	if (v[SMP_CPUS] > MAX_CPUS)
		return option_fail(o, name, "Invalid SMP CPUs %u. The max CPUs "
			"supported by machine 'pc' is %d", (unsigned)v[SMP_CPUS],
			MAX_CPUS);
	return OPTIONS_RUN;
}

static enum options_result smp_set(struct options *o, const char *name,
				   const char *key, const char *value, u64 *v)
{
	const char *what = value ? key : "cpus", *number = value ? value : key;

	for (int i = 0; i < N_SMP_KEYS; i++) {
		if (strcmp(smp_keys[i], what))
			continue;
		if (!parse_u64(number, &v[i]) || v[i] > 65536)
			return option_fail(o, name, "%.60s: not a number of vCPUs",
					   number);
		if (!v[i])
			return option_fail(o, name, "Invalid CPU topology: CPU topology "
					   "parameters must be greater than zero");
		return OPTIONS_RUN;
	}
	return option_unknown(o, name, "property", key, smp_keys, N_SMP_KEYS,
			      sizeof(*smp_keys));
}

enum options_result opt_smp(struct options *o, const char *name,
			    const char *arg)
{
	char *list = text_keep(arg), *key, *value;
	enum options_result r = OPTIONS_RUN;
	u64 v[N_SMP_KEYS] = { 0 };

	if (!*arg)
		return option_fail(o, name, "not a number of vCPUs");
	while (!r && kv_next(&list, &key, &value))
		r = smp_set(o, name, key, value, v);
	if (r)
		return r;
	smp_complete(v);
	r = smp_check(o, name, v);
	machine_config.smp = (int)v[SMP_CPUS];
	machine_config.sockets = (int)v[SMP_SOCKETS];
	machine_config.cores = (int)(v[SMP_DIES] * v[SMP_CORES]);
	machine_config.threads = (int)v[SMP_THREADS];
	return r;
}

enum options_result opt_cpu(struct options *o, const char *name,
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

static enum options_result accel_thread(struct options *o, const char *name,
					const char *value)
{
	bool single = !strcmp(value, "single");

	if (!single && strcmp(value, "multi"))
		return option_fail(o, name, "Invalid 'thread' setting %.60s: single "
				   "or multi", value);
	machine_config.tcg_single = single;
	o->thread_multi = !single;
	return OPTIONS_RUN;
}

static enum options_result accel_tb_size(struct options *o, const char *name,
					 const char *value)
{
	u64 mb;

	if (!parse_u64(value, &mb) || mb > ~0u)
		return option_fail(o, name, "tb-size=%.60s: not a number of MB", value);
	machine_config.tb_size = (u32)mb;
	return OPTIONS_RUN;
}

/* For tests: notes/ir.md. */
static enum options_result accel_opt(struct options *o, const char *name, const char *value)
{
	if (!tcg_opts_parse(value))
		return option_fail(o, name, "opt=%.60s: not a list of optimisations", value);
	return OPTIONS_RUN;
}

static enum options_result accel_prop(struct options *o, const char *name,
				      const char *key, const char *value)
{
	static const char *const keys[] = { "thread", "tb-size", "opt", "split-wx",
					    "one-insn-per-tb", "kernel-irqchip" };

	if (!strcmp(key, "thread"))
		return accel_thread(o, name, value);
	if (!strcmp(key, "tb-size"))
		return accel_tb_size(o, name, value);
	if (!strcmp(key, "opt"))
		return accel_opt(o, name, value);
	if (strcmp(key, "split-wx") && strcmp(key, "kernel-irqchip"))
		return option_unknown(o, name, "property", key, keys,
				      ARRAY_SIZE(keys), sizeof(*keys));
	option_ignored(o, name, key);
	return OPTIONS_RUN;
}

/* Several are tried in their order: the first tcg is taken, with its properties;
 * what follows it is only looked at. */
enum options_result opt_accel(struct options *o, const char *name,
			      const char *arg)
{
	struct machine_config before = machine_config;
	char *list = text_keep(arg), *key, *value;
	bool multi = o->thread_multi, tcg;
	enum options_result r;

	if (!kv_next(&list, &key, &value) || value)
		return option_fail(o, name, "tcg is the one there is");
	if (is_help(key))
		return words_help(accels, ARRAY_SIZE(accels));
	tcg = !strcmp(key, "tcg");
	r = word_check(o, name, "accelerator", key, accels, ARRAY_SIZE(accels));
	while (!r && kv_next(&list, &key, &value))
		r = accel_prop(o, name, key, value ? value : "");
	if (!tcg || o->tcg_chosen) {
		machine_config = before;
		o->thread_multi = multi;
	}
	o->tcg_chosen |= tcg;
	return r;
}

/* -- instruction counting (upstream: icount_configure) ---------------------------------- */

static enum options_result icount_shift(struct options *o, const char *name,
					const char *value)
{
	u64 n;

	if (!strcmp(value, "auto"))
		return option_fail(o, name, "shift=auto is not supported; give a "
				   "number from 0 to 10");
	if (!parse_u64(value, &n) || n > 10)
		return option_fail(o, name, "Invalid shift value '%.60s': 0 to 10",
				   value);
	machine_config.icount_shift = (u8)n;
	machine_config.icount = true;
	return OPTIONS_RUN;
}

static enum options_result icount_set(struct options *o, const char *name,
				      const char *key, const char *value)
{
	static const char *const keys[] = { "shift", "sleep", "align", "rr", "rrfile",
					    "rrsnapshot" };
	bool on;

	if (!value || !strcmp(key, "shift"))
		return icount_shift(o, name, value ? value : key);
	if (!strncmp(key, "rr", 2))
		return option_fail(o, name, "record and replay is not supported yet");
	if (strcmp(key, "sleep") && strcmp(key, "align"))
		return option_unknown(o, name, "property", key, keys,
				      ARRAY_SIZE(keys), sizeof(*keys));
	if (!parse_on_off(value, &on))
		return option_fail(o, name, "%s=%.60s: on or off", key, value);
	if (!strcmp(key, "sleep"))
		machine_config.icount_sleep = on;
	else if (on)
		return option_fail(o, name, "align=on is not supported yet");
	return OPTIONS_RUN;
}

enum options_result opt_icount(struct options *o, const char *name,
			       const char *arg)
{
	char *list = text_keep(arg), *key, *value;
	enum options_result r = OPTIONS_RUN;

	machine_config.icount_sleep = true;
	while (!r && kv_next(&list, &key, &value))
		r = icount_set(o, name, key, value);
	if (!r && !machine_config.icount)
		return option_fail(o, name, "shift option is required");
	return r;
}

enum options_result icount_finish(struct options *o)
{
	if (!machine_config.icount)
		return OPTIONS_RUN;
	if (o->thread_multi)
		return option_fail(o, "accel tcg,thread=multi",
				   "No MTTCG when icount is enabled");
	machine_config.tcg_single = true;
	return OPTIONS_RUN;
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

enum options_result opt_machine(struct options *o, const char *name,
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

enum options_result opt_display(struct options *o, const char *name,
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

enum options_result opt_vga(struct options *o, const char *name,
			    const char *arg)
{
	static const struct word cards[] = {
		{ "none", WORD_IGNORED, NULL }, { "std", WORD_IGNORED, NULL },
		{ "cirrus", WORD_IGNORED, NULL }, { "vmware", WORD_IGNORED, NULL },
		{ "qxl", WORD_IGNORED, NULL }, { "virtio", WORD_IGNORED, NULL },
	};

	return word_check(o, name, "card", arg, cards, ARRAY_SIZE(cards));
}

/* locks=FILE[,events=N] */
enum options_result opt_trace(struct options *o, const char *name, const char *arg)
{
	char *list = text_keep(arg), *key, *value;
	u64 n;

	while (kv_next(&list, &key, &value)) {
		if (!strcmp(key, "locks") && value && *value)
			o->trace_path = value;
		else if (!strcmp(key, "events") && value && parse_u64(value, &n) && n &&
			 n <= TRACE_EVENTS_MAX)
			o->trace_events = (u32)n;
		else
			return option_fail(o, name, "%.60s: neither locks=FILE nor events=N, "
					   "N at most %d", key, TRACE_EVENTS_MAX);
	}
	if (!o->trace_path)
		return option_fail(o, name, "locks=FILE is what there is");
	return OPTIONS_RUN;
}

enum options_result opt_monitor(struct options *o, const char *name,
				const char *arg)
{
	bool none = !strcmp(arg, "none") || !strcmp(arg, "null");

	if (!none && strcmp(arg, "stdio") && strncmp(arg, "unix:", 5))
		return option_fail(o, name, "%.60s: none of stdio, unix:PATH,server=on,"
				   "wait=off, none", arg);
	machine_config.monitor = none ? NULL : arg;
	return OPTIONS_RUN;
}

/* -net, -nic, -parallel: none is what we have. */
enum options_result opt_none(struct options *o, const char *name,
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

enum options_result opt_rtc(struct options *o, const char *name,
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

enum options_result opt_d(struct options *o, const char *name, const char *arg)
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

enum options_result opt_action(struct options *o, const char *name,
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

enum options_result opt_name(struct options *o, const char *name,
			     const char *arg)
{
	char *list = text_keep(arg), *key, *value;

	(void)o, (void)name;
	while (kv_next(&list, &key, &value))
		if (!value || !strcmp(key, "guest"))
			machine_config.name = value ? value : key;
	return OPTIONS_RUN;
}
