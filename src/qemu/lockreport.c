/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/qemu/lockreport.c - what -lockstat has counted (env/lockstat.h), as tables
 * for people and as JSON for tools/lockcmp. Times are microseconds in the first,
 * nanoseconds in the second. */
#include "qemu/lockreport.h"

#include <stdlib.h>
#include <string.h>

#include "env/file.h"
#include "env/lockstat.h"
#include "env/locktrace.h"
#include "env/log.h"
#include "qemu/cpus.h"
#include "qemu/machine.h"

static const char *json_path;
static int json_fd = -1;

int lockreport_start(const char *path)
{
	if (path) {
		json_fd = file_create(path);
		if (json_fd < 0)
			return -json_fd;
		json_path = path;
	}
	lockstat_enable(WATCH_STATS);
	return 0;
}

static const char *trace_path;
static int trace_fd = -1;

int locktrace_start(const char *path)
{
	trace_fd = file_create(path);
	if (trace_fd < 0)
		return -trace_fd;
	trace_path = path;
	lockstat_enable(WATCH_TRACE);
	return 0;
}

/* -- tables ------------------------------------------------------------------------ */

/* ns as microseconds with one digit behind the point. */
static void put_us(struct strbuf *b, int width, u64 ns)
{
	u64 tenths = (ns + 50) / 100;

	strbuf_printf(b, " %*llu.%llu", width - 3, (unsigned long long)(tenths / 10),
		      (unsigned long long)(tenths % 10));
}

#define WAIT_HEAD "   wait total    mean     p99       max"
#define HOLD_HEAD "   held total       max"

static void put_wait(struct strbuf *b, const struct lockstat_times *t)
{
	put_us(b, 13, t->total_ns);
	put_us(b, 8, t->n ? t->total_ns / t->n : 0);
	put_us(b, 8, t->p99_ns);
	put_us(b, 10, t->max_ns);
}

static void put_hold(struct strbuf *b, const struct lockstat_times *t)
{
	put_us(b, 13, t->total_ns);
	put_us(b, 10, t->max_ns);
}

/* "function file:line", the file without its folder. */
static void put_site(struct strbuf *b, const struct lock_site *s)
{
	const char *base = strrchr(s->file, '/');

	strbuf_printf(b, "  %s %s:%d", s->func, base ? base + 1 : s->file, s->line);
}

static void lock_line(struct strbuf *b, const struct lockstat_sum *s)
{
	strbuf_printf(b, "%-13s %10llu %9llu", s->name, (unsigned long long)s->n,
		      (unsigned long long)s->wait.n);
	put_wait(b, &s->wait);
	put_hold(b, &s->hold);
	put_site(b, s->site);
}

static void cond_line(struct strbuf *b, const struct lockstat_sum *s)
{
	const char *what = s->site ? s->site->what : s->name;

	strbuf_printf(b, "%-23s %10llu", *what == '&' ? what + 1 : what,
		      (unsigned long long)s->n);
	put_wait(b, &s->wait);
	if (s->site)
		put_site(b, s->site);
}

static void span_line(struct strbuf *b, const struct lockstat_sum *s)
{
	strbuf_printf(b, "%-23s %10llu", s->name, (unsigned long long)s->n);
	put_wait(b, &s->wait);
	put_hold(b, &s->hold);
}

static void device_line(struct strbuf *b, const struct lockstat_sum *s)
{
	strbuf_printf(b, "%-23s %10llu", s->name, (unsigned long long)s->n);
}

/* The index says which vCPU. */
static void event_line(struct strbuf *b, const struct lockstat_sum *s)
{
	strbuf_printf(b, "%-21s %2u %9llu", s->name, s->index, (unsigned long long)s->n);
}

static const struct part {
	enum lockstat_kind kind;
	const char *json, *head;
	void (*line)(struct strbuf *b, const struct lockstat_sum *s);
} parts[] = {
	{ STAT_LOCK, "locks", "lock            acquired contended" WAIT_HEAD HOLD_HEAD
	  "  at", lock_line },
	{ STAT_COND, "conditions", "condition                    waits" WAIT_HEAD "  at",
	  cond_line },
	{ STAT_IDLE, "idle", "nothing to do                waits" WAIT_HEAD "  at",
	  cond_line },
	{ STAT_SECTION, "sections", "exclusive section            count" WAIT_HEAD HOLD_HEAD,
	  span_line },
	{ STAT_WORK, "work", "queued work                  count" WAIT_HEAD HOLD_HEAD,
	  span_line },
	{ STAT_KICK, "kicks", "kicks                        count" WAIT_HEAD, cond_line },
	{ STAT_DEVICE, "devices", "device accesses with the BQL count", device_line },
	{ STAT_EVENT, "events", "event                        count", event_line },
};

static void part_text(struct strbuf *b, const struct part *p, const struct lockstat_sum *s,
		      size_t n)
{
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		if (s[i].kind != p->kind)
			continue;
		if (!any)
			strbuf_printf(b, "\n%s\n", p->head);
		any = true;
		p->line(b, &s[i]);
		strbuf_printf(b, "\n");
	}
}

static void tlb_text(struct strbuf *b) REQUIRES(bql)
{
	struct cpu *cpu;

	strbuf_printf(b, "\nsoft TLB flushes   full    partial     elided     a page     remote\n");
	CPU_FOREACH(cpu)
		strbuf_printf(b, "CPU %-2d      %11llu %10llu %10llu %10llu %10llu\n",
			      cpu->cpu_index, (unsigned long long)cpu->stat.full,
			      (unsigned long long)cpu->stat.part,
			      (unsigned long long)cpu->stat.elided,
			      (unsigned long long)cpu->stat.page_flushes,
			      (unsigned long long)cpu->stat.remote);
	strbuf_printf(b, "\nTBs %llu, invalidated %llu, flushes of all %llu\n",
		      (unsigned long long)tb_stats.n_tb,
		      (unsigned long long)tb_stats.invalidated,
		      (unsigned long long)tb_stats.flushes);
}

void lockreport_text(struct strbuf *b)
{
	size_t n;
	u64 lost;
	struct lockstat_sum *s = lockstat_merge(&n, &lost);

	strbuf_printf(b, "locks and waiting in %llu ms (times in microseconds; mean, p99, "
		      "max are of those that waited)\n",
		      (unsigned long long)(lockstat_elapsed_ns() / NS_PER_MS));
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		part_text(b, &parts[i], s, n);
	tlb_text(b);
	if (lost)
		strbuf_printf(b, "\nnot counted for want of room: %llu\n",
			      (unsigned long long)lost);
	free(s);
}

/* -- JSON ---------------------------------------------------------------------------- */

static void json_number(struct strbuf *b, const char *name, u64 v)
{
	strbuf_printf(b, ", \"%s\": %llu", name, (unsigned long long)v);
}

static void json_times(struct strbuf *b, const char *what, const struct lockstat_times *t,
		       bool p99)
{
	strbuf_printf(b, ", \"%s\": {\"n\": %llu", what, (unsigned long long)t->n);
	json_number(b, "total_ns", t->total_ns);
	if (p99)
		json_number(b, "p99_ns", t->p99_ns);
	json_number(b, "max_ns", t->max_ns);
	strbuf_printf(b, "}");
}

/* Names are C's: nothing in them is special to JSON. */
static void json_row(struct strbuf *b, const struct lockstat_sum *s)
{
	strbuf_printf(b, "{\"name\": \"%s\"", s->name);
	if (s->site)
		strbuf_printf(b, ", \"what\": \"%s\", \"function\": \"%s\", \"file\": \"%s\", "
			      "\"line\": %d", s->site->what, s->site->func, s->site->file,
			      s->site->line);
	if (s->kind == STAT_EVENT)
		json_number(b, "index", s->index);
	json_number(b, "count", s->n);
	if (s->wait.n || s->kind == STAT_LOCK)
		json_times(b, "wait", &s->wait, true);
	if (s->hold.n)
		json_times(b, "hold", &s->hold, false);
	strbuf_printf(b, "}");
}

static void json_part(struct strbuf *b, const struct part *p, const struct lockstat_sum *s,
		      size_t n)
{
	bool any = false;

	strbuf_printf(b, ",\n\"%s\": [", p->json);
	for (size_t i = 0; i < n; i++) {
		if (s[i].kind != p->kind)
			continue;
		strbuf_printf(b, any ? ",\n" : "\n");
		any = true;
		json_row(b, &s[i]);
	}
	strbuf_printf(b, "]");
}

static void json_tlb(struct strbuf *b) REQUIRES(bql)
{
	const char *comma = "\n";
	struct cpu *cpu;

	strbuf_printf(b, ",\n\"tlb\": [");
	CPU_FOREACH(cpu) {
		strbuf_printf(b, "%s{\"cpu\": %d", comma, cpu->cpu_index);
		json_number(b, "full", cpu->stat.full);
		json_number(b, "partial", cpu->stat.part);
		json_number(b, "elided", cpu->stat.elided);
		json_number(b, "page", cpu->stat.page_flushes);
		json_number(b, "remote", cpu->stat.remote);
		json_number(b, "fills", cpu->stat.fills);
		json_number(b, "kicks", cpu->stat.kicks);
		json_number(b, "io", cpu->stat.io);
		strbuf_printf(b, "}");
		comma = ",\n";
	}
	strbuf_printf(b, "]");
}

void lockreport_json(struct strbuf *b)
{
	size_t n;
	u64 lost;
	struct lockstat_sum *s = lockstat_merge(&n, &lost);

	strbuf_printf(b, "{\"program\": \"smew\", \"smp\": %d, \"thread\": \"%s\"",
		      machine_config.smp, machine_config.tcg_single ? "single" : "multi");
	json_number(b, "elapsed_ns", (u64)lockstat_elapsed_ns());
	json_number(b, "lost", lost);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		json_part(b, &parts[i], s, n);
	json_tlb(b);
	strbuf_printf(b, ",\n\"tb\": {\"count\": %llu", (unsigned long long)tb_stats.n_tb);
	json_number(b, "invalidated", tb_stats.invalidated);
	json_number(b, "discarded", tb_stats.discarded);
	json_number(b, "flushes", tb_stats.flushes);
	json_number(b, "links", tb_stats.links);
	strbuf_printf(b, "}}\n");
	free(s);
}

/* -- at the end ------------------------------------------------------------------------ */

static int cannot_write(const char *path, int err)
{
	if (err)
		error_report("cannot write %s: %s", path, strerror(err));
	return err;
}

static int stats_end(void) REQUIRES(bql)
{
	struct strbuf b = { 0 };
	int err;

	lockreport_text(&b);
	file_write_all(2, b.s, b.n);
	strbuf_free(&b);
	if (json_fd < 0)
		return 0;
	lockreport_json(&b);
	err = file_write_all(json_fd, b.s, b.n);
	strbuf_free(&b);
	return cannot_write(json_path, err);
}

static int trace_end(void)
{
	u64 dropped;
	int err = locktrace_write(trace_fd, lockstat_begin(), &dropped);

	if (dropped)
		warn("%s lacks %llu events: it holds %u a thread", trace_path,
		     (unsigned long long)dropped, locktrace_room());
	return cannot_write(trace_path, err);
}

int lockreport_end(void)
{
	int err = 0;

	if (lock_watch & WATCH_STATS)
		err = stats_end();
	if (lock_watch & WATCH_TRACE)
		err |= trace_end();
	return err;
}
