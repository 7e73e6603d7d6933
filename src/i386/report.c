/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/i386/report.c - keeps the last exceptions with their reasons; logs each
 * one for -d int (upstream's line), and prints them with instruction and
 * registers when the guest triple-faults.
 *
 * A reason is a format and two numbers: it costs nothing until it is shown.
 * One ring serves the machine: while one vCPU runs there is no other writer. */
#include <stdio.h>
#include <string.h>

#include "env/disas.h"
#include "env/log.h"
#include "i386/fault.h"
#include "i386/report.h"

enum { RING = 8 };

struct why { const char *fmt; u32 a, b; };
/* What this thread's vCPUs went through. */
static __thread struct record {
	int vector, during;              /* during: -1, or what was delivered */
	bool is_int, external;
	u32 err, eip, cs, cpl, cr2;
	struct why why;
} ring[RING];
static __thread u32 ring_n;              /* records ever made                */
static __thread struct why pending;

void fault_why(struct x86_cpu *x, const char *fmt, u32 a, u32 b)
{
	(void)x;
	pending = (struct why){ fmt, a, b };
}

static struct record *ring_add(struct x86_cpu *x, int vector, u32 err)
{
	struct record *r = &ring[ring_n++ % RING];

	*r = (struct record){ .vector = vector, .during = -1, .err = err,
		.eip = x->c.pc, .cs = x->seg[R_CS].selector, .cpl = cpu_cpl(x),
		.cr2 = x->cr[2], .why = pending };
	pending.fmt = NULL;
	return r;
}

static void log_event(struct x86_cpu *x, int vector, bool is_int, u32 err)
{
	static u32 count;                /* _Atomic; of all vCPUs            */
	char state[2048];

	cpu_state_text(x, state, sizeof(state));
	log_printf("%6u: v=%02x e=%04x i=%d cpl=%d IP=%04x:%08x pc=%08x "
		   "SP=%04x:%08x CR2=%08x\n%s",
		   __atomic_fetch_add(&count, 1, __ATOMIC_RELAXED), vector, err, is_int,
		   cpu_cpl(x), x->seg[R_CS].selector, (u32)x->c.pc,
		   (u32)(x->seg[R_CS].base + x->c.pc), x->seg[R_SS].selector,
		   (u32)x->c.regs[R_ESP], x->cr[2], state);
}

void report_event(struct x86_cpu *x, int vector, bool is_int, u32 err,
		  bool has_err)
{
	if (log_enabled(LOG_INT))
		log_event(x, vector, is_int, has_err ? err : 0);
	/* interrupts and system calls say nothing about a crash */
	if (vector < 32 && !is_int)
		ring_add(x, vector, has_err ? err : 0);
}

void report_record(struct x86_cpu *x, int vector, u32 err, int during)
{
	ring_add(x, vector, err)->during = during;
}

/* -- the triple fault report --------------------------------------------------------- */
static const char *vector_name(int v)
{
	static const char name[][4] = {
		"#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM", "#DF",
		"#9", "#TS", "#NP", "#SS", "#GP", "#PF", "#15", "#MF", "#AC",
		"#MC", "#XM" };

	return v >= 0 && v < (int)ARRAY_SIZE(name) ? name[v] : "int";
}

/* A page fault's error code in words. */
static void pf_text(u32 err, char *buf, size_t size)
{
	const char *access = err & 16 ? "fetch" : err & 2 ? "write" : "read";

	snprintf(buf, size, "%s %s, %s%s", err & 4 ? "user" : "supervisor",
		 access, err & 1 ? "no right to it" : "page not present",
		 err & 8 ? ", reserved bit set" : "");
}

/* An error code that is a selector, in words. */
static void selector_text(u32 err, char *buf, size_t size)
{
	const char *table = err & 2 ? "IDT" : err & 4 ? "LDT" : "GDT";

	if (!err)
		buf[0] = 0;
	else
		snprintf(buf, size, " (%s entry %02x%s)", table, err >> 3,
			 err & 1 ? ", external event" : "");
}

static void print_record(const struct record *r)
{
	char why[160] = "", code[80] = "", during[32] = "";

	if (r->why.fmt)
		snprintf(why, sizeof(why), r->why.fmt, r->why.a, r->why.b);
	if (r->during >= 0)
		snprintf(during, sizeof(during), " while delivering %s",
			 vector_name(r->during));
	if (r->vector == 14) {
		pf_text(r->err, code, sizeof(code));
		error_report("  #PF at %04x:%08x, CPL %u%s: address %08x, error "
			     "%x (%s)", r->cs, r->eip, r->cpl, during, r->cr2,
			     r->err, code);
	} else {
		selector_text(r->err, code, sizeof(code));
		error_report("  %s at %04x:%08x, CPL %u%s: error %x%s",
			     vector_name(r->vector), r->cs, r->eip, r->cpl,
			     during, r->err, code);
	}
	if (why[0])
		error_report("      because: %s", why);
}

/* Bytes at EIP as far as they can be read. */
static size_t code_bytes(struct x86_cpu *x, u8 *buf, size_t size)
{
	u32 pc = x->seg[R_CS].base + x->c.pc;

	for (size_t i = 0; i < size; i++) {
		hva p = probe_access_nofault(&x->c, (u32)(pc + i), 1,
					     MMU_DATA_LOAD, cpu_mmu_index(x));
		if (!p)
			return i;
		buf[i] = *p;
	}
	return size;
}

static void print_instruction(struct x86_cpu *x)
{
	u8 code[15];
	char text[96], hex[15 * 3 + 1] = "";
	size_t n = code_bytes(x, code, sizeof(code));
	int len = disas_one(x->hflags & HF_CS32 ? DISAS_X86_32 : DISAS_X86_16,
			    code, n, x->c.pc, text, sizeof(text));

	if (!n) {
		error_report("instruction at %04x:%08x: not readable",
			     x->seg[R_CS].selector, (u32)x->c.pc);
		return;
	}
	for (int i = 0; i < (len ? len : (int)n); i++)
		snprintf(hex + 3 * i, 4, "%02x ", code[i]);
	error_report("instruction at %04x:%08x: %s %s",
		     x->seg[R_CS].selector, (u32)x->c.pc, hex,
		     len ? text : "(no instruction)");
}

static void print_state(struct x86_cpu *x)
{
	char buf[2048];

	cpu_state_text(x, buf, sizeof(buf));
	for (char *line = strtok(buf, "\n"); line; line = strtok(NULL, "\n"))
		error_report("%s", line);
}

void report_triple_fault(struct x86_cpu *x)
{
	u32 first = ring_n > RING ? ring_n - RING : 0;

	log_item(LOG_CPU_RESET, "Triple fault\n");
	log_item(LOG_INT, "Triple fault\n");
	error_report("triple fault: the guest cannot handle an exception. "
		     "The last exceptions, oldest first:");
	for (u32 i = first; i != ring_n; i++)
		print_record(&ring[i % RING]);
	print_instruction(x);
	print_state(x);
}
