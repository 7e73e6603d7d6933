/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interprocessor interrupts (SDM 3A 10.6): none is lost and none comes twice.
 *
 * row-02: ping-pong between processors, sent = taken.
 * row-31: a processor in HLT is woken by each of them.
 * row-38: interrupt_request is set by others while the processor runs. */
#include "smp.h"

enum { BALL = 0x60, RING = 0x61, CAST = 0x62 };

static volatile u32 sent, stop;
static u32 players;
static int by_hlt;

/* Each takes the ball and passes it on; the sender stops at the end. */
static struct pace game;

static void on_ball(struct frame *f)
{
	u32 self = smp_self();

	(void)f;
	percpu[self].taken++;
	ipi_eoi();
	if (!pace_more(&game)) {
		stop = 1;
		barrier();
		ipi_others(IPI_WORK);
		return;
	}
	sent++;
	ipi((self + 1) % players, BALL);
}

static void wait_for_stop(void)
{
	while (!stop) {
		if (by_hlt) {
			sti_hlt_cli();
		} else {
			sti();
			pause();
			cli();
		}
	}
}

static void spin_for_stop(void)
{
	sti();
	while (!stop)
		pause();
	cli();
}

static void play(u32 cpu)
{
	if (!cpu) {
		sent++;
		ipi(1 % players, BALL);
	}
	if (by_hlt)
		wait_for_stop();
	else
		spin_for_stop();
	sti();                            /* what came last                    */
	cli();
}

static u32 taken(void)
{
	u32 n = 0;

	for (u32 i = 0; i < cpus; i++)
		n += percpu[i].taken;
	return n;
}

static void pass_round(const char *name, u32 n, int hlt, u32 most)
{
	percpu_clear();
	sent = stop = 0;
	players = n;
	by_hlt = hlt;
	game = pace(200, most, 150);
	smp_run(n, play);
	CHECK_EQ(name, taken(), sent);
}

/* -- every processor to every other, all at once ----------------------------------- */

/* A vector that is pending already stays one: so each sender has one of its
 * own, and sends the next when the other has said that it took the last. */
enum { FROM = 0x70 };
static volatile u32 answered[MAX_CPUS];   /* by how many, of the last round    */
static struct pace crowd;
static volatile u32 crowd_left;

static void on_from(struct frame *f)
{
	percpu[smp_self()].taken++;
	xadd(&answered[f->vector - FROM], 1);
	ipi_eoi();
}

static void send_crowd(u32 cpu, u32 round)
{
	answered[cpu] = 0;
	barrier();
	if (round & 1) {
		ipi_others(FROM + cpu);
	} else {
		for (u32 i = 0; i < cpus; i++)
			if (i != cpu)
				ipi(i, FROM + cpu);
	}
	while (answered[cpu] != cpus - 1)
		pause();
	percpu[cpu].count += cpus - 1;
}

static void crowded(u32 cpu)
{
	struct pace mine = crowd;

	sti();
	while (pace_more(&mine))
		send_crowd(cpu, mine.done);
	xadd(&crowd_left, -1u);
	while (crowd_left)
		pause();
	cli();
}

static void everybody(void)
{
	percpu_clear();
	crowd = pace(10, 20000 / cpus, 150);
	crowd_left = cpus;
	smp_run(cpus, crowded);
	CHECK_EQ("row-02/all-to-all", taken(), percpu_count());
}

/* -- to oneself, to all, NMI --------------------------------------------------------- */

static void on_cast(struct frame *f)
{
	percpu[smp_self()].taken++;
	if (f->vector != 2)
		ipi_eoi();
}

static void take(u32 cpu)
{
	sti();
	if (cpu) {
		while (!stop)
			pause();
	} else {
		for (u32 i = 1; i <= 100; i++) {
			lapic_set(LAPIC_ICR, ICR_FIXED | ICR_ALL | CAST);
			for (u32 k = 0; k < cpus; k++)
				while (percpu[k].taken != i)
					pause();
		}
		stop = 1;
	}
	cli();
}

static void to_all(void)
{
	percpu_clear();
	stop = 0;
	smp_run(cpus, take);
	CHECK_EQ("all-with-self", taken(), 100 * cpus);
}

static void to_self(u32 cpu)
{
	for (u32 i = 0; i < 1000; i++) {
		lapic_set(LAPIC_ICR, ICR_FIXED | ICR_SELF | CAST);
		if (percpu[cpu].taken != i)
			percpu_error(cpu, percpu[cpu].taken, i);
		sti();
		cli();
		if (percpu[cpu].taken != i + 1)
			percpu_error(cpu, percpu[cpu].taken, i + 1);
	}
}

/* Not maskable: taken with IF = 0. */
static void nmi_each(u32 cpu)
{
	if (cpu) {
		while (percpu[cpu].taken != 50)
			pause();
		return;
	}
	for (u32 i = 1; i < cpus; i++)
		for (u32 k = 1; k <= 50; k++) {
			ipi(i, ICR_NMI);
			while (percpu[i].taken != k)
				pause();
		}
}

/* Ends HLT. One may come just before HLT, so they are sent until then. */
static void nmi_hlt(u32 cpu)
{
	if (cpu) {
		for (u32 i = 0; i < 20; i++)
			__asm__ volatile("hlt" ::: "memory");
		percpu[cpu].count = 1;
		return;
	}
	for (u32 i = 1; i < cpus; i++)
		while (!percpu[i].count) {
			ipi(i, ICR_NMI);
			for (u32 k = 0; k < 1000; k++)
				pause();
		}
}

static void nmis(void)
{
	percpu_clear();
	smp_run(cpus, nmi_each);
	CHECK_EQ("nmi", taken(), 50 * (cpus - 1));
	percpu_clear();
	smp_run(cpus, nmi_hlt);
	CHECK_EQ("nmi-ends-hlt", percpu_count(), cpus - 1);
}

/* -- priority: what TPR holds back comes when it falls (SDM 3A 10.8.3) ----------------- */

static void held_back(u32 cpu)
{
	u32 was = percpu[cpu].taken;

	lapic_set(LAPIC_TPR, CAST & 0xf0);
	lapic_set(LAPIC_ICR, ICR_FIXED | ICR_SELF | CAST);
	sti();
	for (u32 i = 0; i < 100; i++)
		pause();
	if (percpu[cpu].taken != was)
		percpu_error(cpu, percpu[cpu].taken, was);
	lapic_set(LAPIC_TPR, 0);
	for (u32 i = 0; i < 100 && percpu[cpu].taken == was; i++)
		pause();
	cli();
	if (percpu[cpu].taken != was + 1)
		percpu_error(cpu, percpu[cpu].taken, was + 1);
}

void guest_main(void)
{
	smp_start();
	trap_handler[BALL] = on_ball;
	trap_handler[CAST] = on_cast;
	trap_handler[2] = on_cast;
	for (u32 i = 0; i < MAX_CPUS; i++)
		trap_handler[FROM + i] = on_from;
	pass_round("row-02/two-spinning", cpus < 2 ? cpus : 2, 0, 1000000);
	pass_round("row-31/two-in-hlt", cpus < 2 ? cpus : 2, 1, 1000000);
	pass_round("row-02/round-spinning", cpus, 0, 1000000);
	pass_round("row-31/round-in-hlt", cpus, 1, 1000000);
	everybody();
	to_all();
	percpu_clear();
	smp_run(cpus, to_self);
	CHECK_PERCPU("self");
	percpu_clear();
	smp_run(cpus, held_back);
	CHECK_PERCPU("held-back-by-tpr");
	nmis();
}
