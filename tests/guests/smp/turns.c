/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who runs when: processors that wait for each other, with and without PAUSE,
 * while there are more of them than the host has.
 *
 * row-22: a spin lock under thread=single goes round; time is shared fairly.
 * row-10: nobody is left behind.
 * row-18, row-30: each has its own registers, flags and x87 stack, whoever runs
 * before it in the same thread. */
#include "smp.h"

static struct spin lock;
static volatile u32 turn, guarded, inside, stop;
static u32 rounds;

/* -- a lock that is waited for without PAUSE ------------------------------------------ */

static void plain_lock(u32 cpu)
{
	for (u32 i = 0; i < rounds; i++) {
		while (xchg(&lock.held, 1))
			;
		if (inside)
			percpu_error(cpu, inside, 0);
		inside = cpu + 1;
		guarded++;
		if (inside != cpu + 1)
			percpu_error(cpu, inside, cpu + 1);
		inside = 0;
		spin_unlock(&lock);
	}
}

static void pause_lock(u32 cpu)
{
	for (u32 i = 0; i < rounds; i++) {
		spin_lock(&lock);
		if (inside)
			percpu_error(cpu, inside, 0);
		inside = cpu + 1;
		guarded++;
		inside = 0;
		spin_unlock(&lock);
	}
}

/* Strictly in turn: each PAUSE must let the next one run. */
static void in_turn(u32 cpu)
{
	for (u32 i = 0; i < rounds; i++) {
		while (turn % cpus != cpu)
			pause();
		guarded++;
		turn++;
	}
}

/* The same without PAUSE: a slice of time each. */
static void in_turn_plain(u32 cpu)
{
	for (u32 i = 0; i < rounds; i++) {
		while (turn % cpus != cpu)
			;
		guarded++;
		turn++;
	}
}

static void guard(const char *name, void (*fn)(u32), u32 n)
{
	percpu_clear();
	turn = guarded = inside = lock.held = 0;
	n = n * option_value("percent", 100) / 100;
	rounds = n ? n : 1;
	smp_run(cpus, fn);
	if (guarded != rounds * cpus)
		percpu_error(0, guarded, rounds * cpus);
	CHECK_PERCPU(name);
}

static void pauses(u32 cpu)
{
	for (u32 i = 0; i < rounds; i++) {
		pause();
		percpu[cpu].count++;
	}
	xadd(&guarded, rounds);
}

/* -- fair shares ------------------------------------------------------------------------- */

enum { SHARES_MS = 800, LEAST_MS = 400 };  /* some turns of 10 ms for each of 8 */

static void count_up(u32 cpu)
{
	u32 ms = SHARES_MS * option_value("percent", 100) / 100;
	u64 end = tsc_in_ms(ms < LEAST_MS ? LEAST_MS : ms);

	while (tsc64() < end)
		for (u32 i = 0; i < 100; i++)
			percpu[cpu].count++;
}

/* One of three times good: the host may have other work. */
static void shares(void)
{
	u32 least = 0, most = 0;

	for (u32 i = 0; i < 3; i++) {
		percpu_clear();
		smp_run(cpus, count_up);
		least = most = percpu[0].count;
		for (u32 k = 1; k < cpus; k++) {
			least = percpu[k].count < least ? percpu[k].count : least;
			most = percpu[k].count > most ? percpu[k].count : most;
		}
		if (most / 2 <= least)
			break;
	}
	say("# shares from %u to %u\n", least, most);
	CHECK("row-22/fair-shares", most / 2 <= least);
}

/* -- everybody's own registers ------------------------------------------------------------ */

/* Registers, flags and the x87 stack hold what only this processor knows,
 * while others run; counts the turns in which something was lost. */
static u32 keep(u32 seed, u32 times)
{
	u32 bad = 0;

	__asm__ volatile(
	"	push %%ebp\n"
	"	push %[seed]\n"
	"	fninit\n"
	"	fildl (%%esp)\n"
	"	fildl (%%esp)\n"
	"	fildl (%%esp)\n"
	"	mov %[seed], %%ebx\n"
	"	mov %[seed], %%esi\n"
	"	not %%esi\n"
	"	lea 5(%%ebx), %%ebp\n"
	"1:	cmp %%ebx, (%%esp)\n"
	"	std\n"
	"	stc\n"
	"	pause\n"
	"	jnc 2f\n"
	"	jnz 2f\n"
	"	cld\n"
	"	sub $4, %%esp\n"
	"	fistl (%%esp)\n"
	"	pop %%edx\n"
	"	cmp %%edx, (%%esp)\n"
	"	jne 2f\n"
	"	lea 5(%%edx), %%edx\n"
	"	cmp %%edx, %%ebp\n"
	"	jne 2f\n"
	"	lea -5(%%edx), %%edx\n"
	"	not %%edx\n"
	"	cmp %%edx, %%esi\n"
	"	jne 2f\n"
	"	fxch %%st(2)\n"
	"	jmp 3f\n"
	"2:	inc %%eax\n"
	"3:	cld\n"
	"	dec %%ecx\n"
	"	jnz 1b\n"
	"	fninit\n"
	"	add $4, %%esp\n"
	"	pop %%ebp\n"
	: "+a"(bad), "+c"(times) : [seed] "D"(seed)
	: "ebx", "edx", "esi", "memory", "cc");
	return bad;
}

static void registers(u32 cpu)
{
	u32 bad = keep(0x1234567 + cpu * 0x111111, rounds);

	if (bad)
		percpu_error(cpu, bad, 0);
}

void guest_main(void)
{
	smp_start();
	guard("row-22/lock-without-pause", plain_lock, round_robin ? 20000 : 4000);
	guard("row-22/lock", pause_lock, 5000);
	guard("row-22/in-turn", in_turn, round_robin ? 2000 : 40);
	guard("row-22/in-turn-without-pause", in_turn_plain, 2);
	guard("pause", pauses, round_robin ? 20000 : 100000);
	percpu_clear();
	rounds = option_value("percent", 100) * 40 + 1;
	smp_run(cpus, registers);
	CHECK_PERCPU("row-30/own-registers");
	if (round_robin && cpus > 1 && !option("upstream"))
		shares();
}
