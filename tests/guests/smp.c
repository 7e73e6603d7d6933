/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See smp.h. */
#include "smp.h"

enum { TRAMPOLINE = 0x8000, PIT_MS = 1193 };

u32 cpus = 1;
int round_robin;
u32 apic_of[MAX_CPUS];
struct percpu percpu[MAX_CPUS];
/* Read and written by ap.S. */
volatile u32 ap_count = 1;
u8 ap_stacks[MAX_CPUS][AP_STACK] __attribute__((aligned(4096)));
extern u8 ap_start[], ap_end[];
void ap_main(u32 cpu);

static volatile u32 ready;                /* processors that wait for work     */
static u32 tsc_per_ms, percent = 100;
static struct {
	void (*volatile fn)(u32 cpu);
	volatile u32 turn, n, done;       /* turn changes last                 */
} work;

u32 smp_self(void)
{
	u32 at = (u32)__builtin_frame_address(0) - (u32)ap_stacks;

	return at < sizeof(ap_stacks) ? at / AP_STACK : 0;
}

/* -- the command line, time -------------------------------------------------- */

u32 option_value(const char *key, u32 otherwise)
{
	for (const char *p = command_line; *p; p++) {
		u32 n = 0, v = 0;

		while (key[n] && p[n] == key[n])
			n++;
		if (key[n] || p[n] != '=' ||
		    (p != command_line && p[-1] != ' '))
			continue;
		for (p += n + 1; *p >= '0' && *p <= '9'; p++)
			v = v * 10 + *p - '0';
		return v;
	}
	return otherwise;
}

u64 tsc_in_ms(u32 ms) { return tsc64() + (u64)ms * tsc_per_ms; }

struct pace pace(u32 least, u32 most, u32 ms)
{
	u32 n = (u64)most * percent / 100;

	least = (u64)least * percent / 100;
	return (struct pace){ 0, least ? least : 1, n ? n : 1,
			      tsc_in_ms(ms * percent / 100) };
}

int pace_more(struct pace *p)
{
	if (p->done >= p->most || (p->done >= p->least && tsc64() > p->end))
		return 0;
	p->done++;
	return 1;
}

/* -- counters ------------------------------------------------------------------ */

void percpu_clear(void)
{
	memset((void *)percpu, 0, sizeof(percpu));
}

void percpu_error(u32 cpu, u32 what, u32 want)
{
	if (!percpu[cpu].errors++) {
		percpu[cpu].what = what;
		percpu[cpu].want = want;
	}
}

u32 percpu_count(void)
{
	u32 n = 0;

	for (u32 i = 0; i < cpus; i++)
		n += percpu[i].count;
	return n;
}

void check_percpu_at(const char *name, int line)
{
	for (u32 i = 0; i < cpus; i++) {
		if (!percpu[i].errors)
			continue;
		say("# cpu %u: %u errors, count %u, first 0x%x, not 0x%x\n", i,
		    percpu[i].errors, percpu[i].count, percpu[i].what,
		    percpu[i].want);
		check_at(name, 0, "a processor saw an error", line);
		return;
	}
	check_at(name, 1, "", line);
}

/* -- waiting ------------------------------------------------------------------- */

void spin_lock(struct spin *s)
{
	while (xchg(&s->held, 1))
		while (s->held)
			pause();
}

void spin_unlock(struct spin *s)
{
	barrier();
	s->held = 0;
}

void meet(struct rendezvous *r, u32 n)
{
	u32 turn = r->turn;

	if (xadd(&r->here, 1) == n - 1) {
		r->here = 0;
		barrier();
		r->turn = turn + 1;
		return;
	}
	while (r->turn == turn)
		pause();
}

/* -- local APIC ------------------------------------------------------------------ */

static void ipi_idle(void)
{
	while (lapic(LAPIC_ICR) & 0x1000)
		pause();
}

void ipi(u32 cpu, u32 command)
{
	ipi_idle();
	lapic_set(LAPIC_ICR_HIGH, apic_of[cpu] << 24);
	lapic_set(LAPIC_ICR, command | (command & 0x700 ? 0 : ICR_FIXED));
}

void ipi_others(u32 command)
{
	ipi_idle();
	lapic_set(LAPIC_ICR, command | ICR_OTHERS |
		  (command & 0x700 ? 0 : ICR_FIXED));
}

static void lapic_enable(u32 cpu)
{
	apic_of[cpu] = lapic_id();
	lapic_set(LAPIC_SVR, 0x100 | SPURIOUS);
}

/* -- paging ------------------------------------------------------------------------- */

void cpu_paging(int on)
{
	if (!on) {
		set_cr0(get_cr0() & 0x7fffffffu);
		return;
	}
	set_cr4(get_cr4() | 0x10);        /* PSE: the APIC's page              */
	set_cr3((u32)page_dir);
	set_cr0(get_cr0() | 0x80000000u);
}

void smp_paging(void)
{
	paging_on();
	page_dir[LAPIC_BASE >> 22] = (LAPIC_BASE & 0xffc00000u) | PG_PS |
		PG_P | PG_W | 0x18;
	cpu_paging(1);
}

/* -- work ------------------------------------------------------------------------------ */

static void on_work(struct frame *f)
{
	(void)f;
	ipi_eoi();
}

static void on_spurious(struct frame *f) { (void)f; }

/* The last one wakes the one that handed out the work. */
static void work_done(void)
{
	if (xadd(&work.done, 1) == work.n - 1)
		ipi(0, IPI_DONE);
}

void ap_main(u32 cpu)
{
	u32 turn = 0;

	idt_load();
	lapic_enable(cpu);
	xadd(&ready, 1);
	for (;;) {
		while (work.turn == turn)
			sti_hlt_cli();
		turn = work.turn;
		if (cpu >= work.n)
			continue;
		work.fn(cpu);
		cli();
		work_done();
	}
}

void smp_run(u32 n, void (*fn)(u32 cpu))
{
	work.fn = fn;
	work.n = n;
	work.done = 0;
	barrier();
	work.turn++;
	if (n > 1)
		ipi_others(IPI_WORK);
	fn(0);
	cli();
	xadd(&work.done, 1);
	while (work.done != n)
		sti_hlt_cli();
}

/* -- starting ------------------------------------------------------------------------------ */

static void measure_tsc(void)
{
	u64 start = tsc64();

	pit_wait(PIT_MS * 4);
	tsc_per_ms = (u32)(tsc64() - start) / 4;
}

/* INIT, then SIPI twice, to all the others at once (SDM 3A 8.4.4.1). */
static void wake_others(void)
{
	memcpy((void *)TRAMPOLINE, ap_start, ap_end - ap_start);
	ipi_others(ICR_INIT);
	pit_wait(PIT_MS);
	ipi_others(ICR_SIPI | TRAMPOLINE >> 12);
	pit_wait(PIT_MS / 5);
	ipi_others(ICR_SIPI | TRAMPOLINE >> 12);
}

void smp_start(void)
{
	u32 expected = option_value("cpus", 1);
	u64 end;

	round_robin = option("single") || expected == 1;
	percent = option_value("percent", 100);
	measure_tsc();
	trap_handler[IPI_WORK] = on_work;
	trap_handler[IPI_DONE] = on_work;
	trap_handler[SPURIOUS] = on_spurious;
	lapic_enable(0);
	if (expected > 1)
		wake_others();
	end = tsc_in_ms(20000);
	while (ready != expected - 1 && tsc64() < end)
		pause();
	cpus = ready + 1;
	if (cpus == expected)
		return;
	CHECK_EQ("start", cpus, expected);
	finish();
}
