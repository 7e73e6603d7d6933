/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/env/locktrace.c - spans and kicks by thread, written as a Chrome trace.
 *
 * The format: "Trace Event Format", Google, 2016: an object with traceEvents;
 * "X" is a complete span, "s" and "f" the ends of an arrow, "M" names a track. ts and
 * dur are microseconds, with a fraction. Spans of one thread are nested or apart. */
#include "env/locktrace.h"

#include <stdlib.h>

#include "env/clock.h"
#include "env/file.h"
#include "env/map.h"
#include "env/strbuf.h"
#include "env/thread.h"

enum { MAX_RINGS = 64, FLUSH_BYTES = 1 << 16 };

struct event {
	u64 start, end;               /* a point: its time, the kick's       */
	const char *name;
	u32 kind;
};

struct ring {
	struct ring *next;
	u32 thread;
	char thread_name[16];
	u32 n;                        /* _Atomic; events that are complete   */
	u64 dropped[TRACE_KINDS];     /* _Atomic                             */
	u64 first_dropped;            /* its time                            */
	u64 last_section;             /* its end                             */
	struct event event[];
};

static struct ring *rings;            /* _Atomic                             */
static u32 n_rings;                   /* _Atomic                             */
static u64 homeless;                  /* _Atomic; of threads without a ring  */
static u32 room = TRACE_EVENTS;
static _Thread_local struct ring *mine;

static const struct { const char *category, *what; } kinds[TRACE_KINDS] = {
	[TRACE_GUEST] = { "guest", "guest code" },
	[TRACE_IDLE] = { "idle", "" },
	[TRACE_WAIT] = { "wait", "wait: " },
	[TRACE_HOLD] = { "hold", "holds " },
	[TRACE_STOP] = { "exclusive", "stops others: " },
	[TRACE_SECTION] = { "exclusive", "exclusive: " },
	[TRACE_WORK] = { "work", "work: " },
	[TRACE_KICK] = { "kick", "kick" },
	[TRACE_REACTION] = { "kick", "kick" },
	[TRACE_REACTION_INSIDE] = { "kick", "kick" },
};

void locktrace_set_room(u32 events)
{
	room = events;
}

u32 locktrace_room(void)
{
	return room;
}

/* -- recording -------------------------------------------------------------------- */

static struct ring *ring_new(void)
{
	struct ring *r;
	const char *name = thread_name();

	if (__atomic_add_fetch(&n_rings, 1, __ATOMIC_RELAXED) > MAX_RINGS)
		return NULL;
	r = map_anon(NULL, sizeof(*r) + room * sizeof(r->event[0]), false);
	if (!r)
		return NULL;
	r->thread = thread_id();
	for (size_t i = 0; i < sizeof(r->thread_name) - 1 && name[i]; i++)
		r->thread_name[i] = name[i];
	r->next = __atomic_load_n(&rings, __ATOMIC_RELAXED);
	while (!__atomic_compare_exchange_n(&rings, &r->next, r, false, __ATOMIC_RELEASE,
					    __ATOMIC_RELAXED))
		;
	return r;
}

static void record(enum trace_kind kind, const char *name, u64 start, u64 end)
{
	struct ring *r = mine ? mine : (mine = ring_new());

	if (!r) {
		__atomic_fetch_add(&homeless, 1, __ATOMIC_RELAXED);
		return;
	}
	if (r->n == room) {
		if (!r->first_dropped)
			__atomic_store_n(&r->first_dropped, start, __ATOMIC_RELAXED);
		__atomic_store_n(&r->dropped[kind], r->dropped[kind] + 1, __ATOMIC_RELAXED);
		return;
	}
	r->event[r->n] = (struct event){ start, end, name, kind };
	__atomic_store_n(&r->n, r->n + 1, __ATOMIC_RELEASE);
}

/* Work that had an exclusive section dropped the BQL for it, whose span would cross
 * this one's beginning: the section's own spans show it. */
void locktrace_span(enum trace_kind kind, const char *name, u64 start, u64 end)
{
	if (kind == TRACE_WORK && mine && mine->last_section > start)
		return;
	record(kind, name, start, end);
	if (kind == TRACE_SECTION && mine)
		mine->last_section = end;
}

void locktrace_point(enum trace_kind kind, u64 now, u64 kick)
{
	record(kind, NULL, now, kick);
}

/* -- writing ------------------------------------------------------------------------ */

struct writer { struct strbuf b; int fd, err; u64 begin, rate; };

static void flush(struct writer *w)
{
	if (!w->err)
		w->err = file_write_all(w->fd, w->b.s, w->b.n);
	w->b.n = 0;
}

static u64 ticks_to_ns(const struct writer *w, u64 ticks)
{
	return (u64)((unsigned __int128)ticks * w->rate >> 30);
}

/* Another thread's stamp may be a little before the beginning. */
static u64 since_begin(const struct writer *w, u64 stamp)
{
	return stamp > w->begin ? ticks_to_ns(w, stamp - w->begin) : 0;
}

static void put_us(struct writer *w, const char *key, u64 ns)
{
	strbuf_printf(&w->b, ", \"%s\": %llu.%03llu", key, (unsigned long long)(ns / 1000),
		      (unsigned long long)(ns % 1000));
}

static void put_event(struct writer *w, const struct ring *r, const struct event *e)
{
	static const char *const phase[TRACE_KINDS] = {
		[TRACE_KICK] = "s", [TRACE_REACTION] = "f", [TRACE_REACTION_INSIDE] = "f",
	};
	u64 start = since_begin(w, e->start);

	strbuf_printf(&w->b, ",\n{\"name\": \"%s%s\", \"cat\": \"%s\", \"ph\": \"%s\", "
		      "\"pid\": 1, \"tid\": %u", kinds[e->kind].what,
		      e->name ? e->name + (*e->name == '&') : "", kinds[e->kind].category,
		      phase[e->kind] ? phase[e->kind] : "X", r->thread);
	put_us(w, "ts", start);
	if (!phase[e->kind])
		put_us(w, "dur", since_begin(w, e->end) - start);
	else
		strbuf_printf(&w->b, ", \"id\": \"%llx\"", (unsigned long long)e->end);
	if (e->kind == TRACE_REACTION_INSIDE)
		strbuf_printf(&w->b, ", \"bp\": \"e\"");
	strbuf_printf(&w->b, "}");
	if (w->b.n >= FLUSH_BYTES)
		flush(w);
}

static void put_ring(struct writer *w, const struct ring *r)
{
	u32 n = __atomic_load_n(&r->n, __ATOMIC_ACQUIRE);

	strbuf_printf(&w->b, ",\n{\"name\": \"thread_name\", \"ph\": \"M\", \"pid\": 1, "
		      "\"tid\": %u, \"args\": {\"name\": \"%s\"}}", r->thread,
		      r->thread_name);
	strbuf_printf(&w->b, ",\n{\"name\": \"thread_sort_index\", \"ph\": \"M\", "
		      "\"pid\": 1, \"tid\": %u, \"args\": {\"sort_index\": %u}}", r->thread,
		      r->thread);
	for (u32 i = 0; i < n; i++)
		put_event(w, r, &r->event[i]);
}

static u64 put_dropped(struct writer *w, const struct ring *r, const char *comma)
{
	u64 sum = 0;

	strbuf_printf(&w->b, "%s{\"tid\": %u", comma, r->thread);
	for (int i = 0; i < TRACE_KINDS; i++) {
		u64 n = __atomic_load_n(&r->dropped[i], __ATOMIC_RELAXED);

		if (n)
			strbuf_printf(&w->b, ", \"%s%d\": %llu", kinds[i].category, i,
				      (unsigned long long)n);
		sum += n;
	}
	if (sum)
		put_us(w, "from_us", since_begin(w, __atomic_load_n(&r->first_dropped,
								   __ATOMIC_RELAXED)));
	strbuf_printf(&w->b, "}");
	return sum;
}

int locktrace_write(int fd, u64 begin, u64 *dropped)
{
	struct writer w = { .fd = fd, .begin = begin,
			    .rate = (u64)clock_tsc_to_ns(1ull << 30) };
	struct ring *first = __atomic_load_n(&rings, __ATOMIC_ACQUIRE);

	strbuf_printf(&w.b, "{\"displayTimeUnit\": \"ns\", \"traceEvents\": [\n"
		      "{\"name\": \"process_name\", \"ph\": \"M\", \"pid\": 1, \"tid\": 0, "
		      "\"args\": {\"name\": \"smew\"}}");
	for (struct ring *r = first; r; r = r->next)
		put_ring(&w, r);
	*dropped = __atomic_load_n(&homeless, __ATOMIC_RELAXED);
	strbuf_printf(&w.b, "],\n\"otherData\": {\"events_a_thread\": %u, \"of_threads_beyond\": "
		      "%llu, \"dropped\": [", room, (unsigned long long)*dropped);
	for (struct ring *r = first; r; r = r->next)
		*dropped += put_dropped(&w, r, r == first ? "" : ", ");
	strbuf_printf(&w.b, "]}}\n");
	flush(&w);
	strbuf_free(&w.b);
	return w.err;
}
