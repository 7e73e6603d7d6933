/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/qemu/hmp.c - the human monitor: upstream's commands that make sense here, with
 * its prompt, so that what talks to the one can talk to the other. Upstream:
 * monitor/hmp.c, hmp-cmds.c.
 *
 * Runs in the main thread under the BQL. A line is edited with backspace only. */
#include "qemu/hmp.h"

#include <stdlib.h>
#include <string.h>

#include "env/lockstat.h"
#include "env/log.h"
#include "env/strbuf.h"
#include "qemu/chardev.h"
#include "qemu/cpus.h"
#include "qemu/lockreport.h"
#include "qemu/runstate.h"
#include "qemu/target.h"
#include "qemu/vl.h"

#define PROMPT "(qemu) "
enum { LINE = 256, BACKSPACE = 8, DELETE = 127 };

struct monitor {
	struct chardev *chr;
	char line[LINE];
	int n;
};

/* -- output -------------------------------------------------------------------- */

static void put(struct monitor *m, const char *s, size_t n) REQUIRES(bql)
{
	chardev_write(m->chr, (const u8 *)s, (int)n);
}

/* A terminal in raw mode wants both. */
static void put_text(struct monitor *m, const struct strbuf *b) REQUIRES(bql)
{
	const char *s = b->s, *end = b->s + b->n, *nl;

	while (s < end && (nl = memchr(s, '\n', (size_t)(end - s)))) {
		put(m, s, (size_t)(nl - s));
		put(m, "\r\n", 2);
		s = nl + 1;
	}
	put(m, s, (size_t)(end - s));
}

/* -- info ------------------------------------------------------------------------- */

typedef void command_fn(struct strbuf *b);
struct command {
	const char *name, *help;
	command_fn *fn;
};

static void info_locks(struct strbuf *b) REQUIRES(bql)
{
	if (lock_watch & WATCH_STATS)
		lockreport_text(b);
	else
		strbuf_printf(b, "nothing is counted: start smew with -lockstat\n");
}

static void info_translation(struct strbuf *b)
{
	info_jit(b);
}

static void info_status(struct strbuf *b)
{
	static const char *const text[] = {
		[RUN_STATE_PRELAUNCH] = "paused (prelaunch)",
		[RUN_STATE_RUNNING] = "running",
		[RUN_STATE_PAUSED] = "paused",
		[RUN_STATE_SHUTDOWN] = "paused (shutdown)",
	};

	strbuf_printf(b, "VM status: %s\n", text[runstate_get()]);
}

static void info_cpus(struct strbuf *b)
{
	struct cpu *cpu;

	CPU_FOREACH(cpu)
		strbuf_printf(b, "%c CPU #%d: %s\n", cpu == first_cpu ? '*' : ' ',
			      cpu->cpu_index,
			      __atomic_load_n(&cpu->halted, __ATOMIC_RELAXED) ? "halted" :
			      runstate_get() == RUN_STATE_RUNNING ? "running" : "stopped");
}

static void dump_registers(struct cpu *cpu, void *text)
{
	target_dump_text(cpu, text);
}

/* On each vCPU's own thread, between blocks. */
static void info_registers(struct strbuf *b) REQUIRES(bql)
{
	struct cpu *cpu;

	CPU_FOREACH(cpu) {
		strbuf_printf(b, "\nCPU#%d\n", cpu->cpu_index);
		run_on_cpu(cpu, dump_registers, b);
	}
}

static const struct command infos[] = {
	{ "cpus", "each processor, halted or running", info_cpus },
	{ "jit", "translation figures", info_translation },
	{ "locks", "what -lockstat has counted", info_locks },
	{ "registers", "of all processors", info_registers },
	{ "status", "running or stopped", info_status },
};

/* -- commands ------------------------------------------------------------------------ */

static void do_stop(struct strbuf *b) REQUIRES(bql)
{
	(void)b;
	if (runstate_get() == RUN_STATE_RUNNING)
		vm_stop(RUN_STATE_PAUSED);
}

static void do_cont(struct strbuf *b) REQUIRES(bql)
{
	if (runstate_get() == RUN_STATE_SHUTDOWN)
		strbuf_printf(b, "Error: the machine is off; quit, and start it again\n");
	else if (runstate_get() != RUN_STATE_RUNNING)
		vm_start();
}

static void do_quit(struct strbuf *b) REQUIRES(bql)
{
	(void)b;
	qemu_quit(0);
}

static void do_reset(struct strbuf *b) REQUIRES(bql)
{
	(void)b;
	qemu_system_reset_request();
}

static void do_powerdown(struct strbuf *b) REQUIRES(bql)
{
	(void)b;
	qemu_system_powerdown_request();
}

static command_fn do_help;

static const struct command commands[] = {
	{ "cont", "run on", do_cont },
	{ "help", "this list", do_help },
	{ "quit", "end the program", do_quit },
	{ "stop", "stop the processors and the clock", do_stop },
	{ "system_powerdown", "press the power button", do_powerdown },
	{ "system_reset", "reset the machine", do_reset },
};

static void list(struct strbuf *b, const char *before, const struct command *c, size_t n)
{
	for (size_t i = 0; i < n; i++)
		strbuf_printf(b, "%s%-*s -- %s\n", before, (int)(20 - strlen(before)),
			      c[i].name, c[i].help);
}

static void do_help(struct strbuf *b)
{
	list(b, "", commands, ARRAY_SIZE(commands));
	list(b, "info ", infos, ARRAY_SIZE(infos));
}

static const struct command *find(const struct command *c, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(c[i].name, name))
			return &c[i];
	return NULL;
}

/* UNCHECKED: the table's functions want the BQL, which is held. */
static UNCHECKED void run(struct strbuf *b, char *line) REQUIRES(bql)
{
	char *at = line, *name = strtok_r(line, " \t", &at), *what = strtok_r(NULL, " \t", &at);
	const struct command *c;
	bool info = name && (!strcmp(name, "info") || !strcmp(name, "i"));

	if (!name)
		return;
	if (info && !what) {
		list(b, "info ", infos, ARRAY_SIZE(infos));
		return;
	}
	c = info ? find(infos, ARRAY_SIZE(infos), what) :
		find(commands, ARRAY_SIZE(commands), strcmp(name, "c") ? name : "cont");
	if (!c)
		strbuf_printf(b, "unknown command: '%s%s'; help lists them\n",
			      info ? "info " : "", info ? what : name);
	else if (info ? strtok_r(NULL, " \t", &at) : what)
		strbuf_printf(b, "%s: takes no argument\n", name);
	else
		c->fn(b);
}

/* -- input ----------------------------------------------------------------------------- */

static void prompt(void *opaque) REQUIRES(bql)
{
	struct monitor *m = opaque;

	m->n = 0;
	put(m, "\r\n" PROMPT, sizeof("\r\n" PROMPT) - 1);
}

static void line_end(struct monitor *m) REQUIRES(bql)
{
	struct strbuf b = { 0 };

	m->line[m->n] = 0;
	put(m, "\r\n", 2);
	run(&b, m->line);
	put_text(m, &b);
	strbuf_free(&b);
	m->n = 0;
	put(m, PROMPT, sizeof(PROMPT) - 1);
}

static void key(struct monitor *m, u8 c) REQUIRES(bql)
{
	if (c == '\n' || c == '\r') {
		line_end(m);
	} else if (c == BACKSPACE || c == DELETE) {
		if (!m->n)
			return;
		m->n--;
		put(m, "\b \b", 3);
	} else if (c >= ' ' && m->n < LINE - 1) {
		m->line[m->n++] = (char)c;
		put(m, (const char *)&c, 1);
	}
}

static int can_read(void *opaque)
{
	(void)opaque;
	return LINE;
}

static void read_keys(void *opaque, const u8 *buf, int n) REQUIRES(bql)
{
	for (int i = 0; i < n; i++)
		key(opaque, buf[i]);
}

void hmp_new(struct chardev *chr)
{
	struct monitor *m = calloc(1, sizeof(*m));

	if (!m)
		die("out of memory");
	m->chr = chr;
	chardev_set_monitor(chr, can_read, read_keys, prompt, m);
}
