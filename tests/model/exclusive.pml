/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/model/exclusive.pml - the exclusive protocol, queued work, kicks and
 * halting, as src/qemu/cpus-common.c, cpus-halt.c and cpus-mttcg.c have
 * them.
 *
 * Processes: N_CPUS vCPU threads and the main thread. A vCPU's guest does up
 * to BUDGET things out of the list in `acts`, each possible order of them, then
 * spins or halts until main ends it. Main runs work on each vCPU, pauses and
 * resumes them, waits for the last thing asked for, and removes them.
 *
 * What is proved, in every interleaving:
 *   safety    nobody is between cpu_exec_start and cpu_exec_end, and nobody
 *             else in a section, while one thread is in an exclusive section;
 *             each item runs once, in order, on its own vCPU, with the BQL
 *             unless it is exclusive; all vCPUs are parked when
 *             pause_all_vcpus returns; nothing is left when all has ended
 *   deadlock  every thread reaches its end (a lost wake-up is a deadlock here)
 *   liveness  ltl ends: with weak fairness every run comes to its end, although
 *             guests spin until they are asked to leave
 *
 * Sequential consistency: what the fences in cpu_exec_start and
 * start_exclusive give. That they are needed is shown by tests/unit/
 * test_fences.c on the host itself.
 *
 * The work lock is a leaf around a few plain stores: its sections are atomic
 * here, which loses no interleaving. The futex below a vCPU's sleep is modelled as
 * it is (src/env/event.c).
 *
 * Mutants (-DM_...): each must be caught; see tests/model/run.
 *   M_PENDING_FIRST  cpu_exec_start looks at pending_cpus, then sets running
 *   M_NO_WAITER      cpu_exec_end counts down without looking at has_waiter
 *   M_IDLE_ONCE      exclusive_idle does not look again after it was woken
 *   M_NO_KICK        start_exclusive does not kick those that run
 *   M_INSIDE         start_exclusive from inside cpu_exec (upstream 7.2's page
 *                    walk that sets an A bit in MMIO): waits for itself
 *   M_BQL            an exclusive item starts with the BQL held
 *   M_WAKE_UNSEEN    event_set looks whether there is a sleeper, then sets the event
 *   M_KICKED_LATE    the sleeper clears `kicked` after it has looked
 *   M_LEAVE_LATE     the vCPU forgets kicks after it has looked for work
 *   M_ORPHANS        work for a vCPU that has just ended is left in its list
 *   M_CLEAR_LATE     exit_request is cleared after the requests were read
 *   M_DONE_FIRST     an item is done before it has run
 *   M_IRQ_LATE       cpu_interrupt kicks, then sets the request
 */
#ifndef N_CPUS
#define N_CPUS 2
#endif
#ifndef BUDGET
#define BUDGET 1
#endif
#define MAIN N_CPUS                     /* the main thread's number          */
#define QUEUE 4

/* -- locks and conditions -------------------------------------------------------- */
#define FREE 255
byte bql = FREE, list_lock = FREE;
/* A bit for each thread that sleeps on the condition. */
byte exclusive_cond, exclusive_resume, work_cond, cpu_cond;

inline lock(l) { atomic { l == FREE -> l = me } }
inline unlock(l) { d_step { assert(l == me); l = FREE } }
inline cond_wait(c, l)
{
	d_step { assert(l == me); c = c | (1 << me); l = FREE }
	(!(c & (1 << me)));
	lock(l)
}
inline cond_broadcast(c) { c = 0 }
/* Where it is used, there is one sleeper at most. */
inline cond_signal(c) { d_step { assert((c & (c - 1)) == 0); c = 0 } }

/* -- state ----------------------------------------------------------------------- */
bool running[N_CPUS], has_waiter[N_CPUS];
byte pending_cpus;
bool exit_request[N_CPUS], leave[N_CPUS];
/* An event's states; who sleeps on its futex. */
#define CLEAR 0
#define SET 1
#define ASLEEP 2
byte kicked[N_CPUS];
bool on_futex[N_CPUS];
bool created[N_CPUS] = true, gone[N_CPUS];
bool halted[N_CPUS], irq[N_CPUS], stop[N_CPUS], stopped[N_CPUS], unplug[N_CPUS];
byte left[N_CPUS] = BUDGET;             /* things the guest has yet to do     */

/* Work: kind and number. Items of a vCPU are numbered as they are queued. */
mtype = { ITEM, SAFE, WAITED };
chan work[N_CPUS] = [QUEUE] of { mtype, byte };
byte queued[N_CPUS], ran[N_CPUS], done;

/* For the assertions only. */
byte sections, ended;
bool in_exec[N_CPUS];

/* -- kicks -------------------------------------------------------------------------- */
inline halt_wake(i)
{
	assert(!gone[i]);
#ifdef M_WAKE_UNSEEN
	asleep = kicked[i] == ASLEEP;
	kicked[i] = SET;
#else
	d_step { asleep = kicked[i] == ASLEEP; kicked[i] = SET };
#endif
	if
	:: asleep -> asleep = false; on_futex[i] = false
	:: else
	fi
}

inline halt_sleep(i)
{
	if
	:: d_step { kicked[i] == CLEAR -> kicked[i] = ASLEEP }
	:: kicked[i] != CLEAR
	fi;
	do
	:: d_step { kicked[i] == ASLEEP -> on_futex[i] = true };
		(!on_futex[i])
	:: kicked[i] != ASLEEP -> break
	od
}

inline cpu_exit(i)
{
	leave[i] = true;
	exit_request[i] = true
}

inline qemu_cpu_kick(i)
{
	halt_wake(i);
	cpu_exit(i)
}

inline cpu_interrupt(i)                 /* with the BQL                       */
{
	assert(bql == me);
#ifdef M_IRQ_LATE
	halt_wake(i);
	exit_request[i] = true;
	irq[i] = true
#else
	irq[i] = true;
	halt_wake(i);
	exit_request[i] = true
#endif
}

/* -- the exclusive protocol --------------------------------------------------------- */
inline exclusive_idle()
{
#ifdef M_IDLE_ONCE
	if
	:: pending_cpus != 0 -> cond_wait(exclusive_resume, list_lock)
	:: else
	fi
#else
	do
	:: pending_cpus != 0 -> cond_wait(exclusive_resume, list_lock)
	:: else -> break
	od
#endif
}

inline start_exclusive()
{
#ifndef M_BQL
	assert(bql != me);
#endif
	lock(list_lock);
	exclusive_idle();
	pending_cpus = 1;
	n = 0;
	o = 0;
	do
	:: o < N_CPUS ->
		if
		:: running[o] ->
			has_waiter[o] = true;
			n++;
#ifndef M_NO_KICK
			qemu_cpu_kick(o)
#endif
		:: else
		fi;
		o++
	:: else -> break
	od;
	pending_cpus = n + 1;
	do
	:: pending_cpus > 1 -> cond_wait(exclusive_cond, list_lock)
	:: else -> break
	od;
	atomic { n = 0; o = 0 };
	unlock(list_lock)
}

inline end_exclusive()
{
	lock(list_lock);
	pending_cpus = 0;
	cond_broadcast(exclusive_resume);
	unlock(list_lock)
}

/* What an exclusive section relies on, while it lasts. */
inline section()
{
	d_step { sections++; assert(sections == 1) };
	d_step {
		o = 0;
		do
		:: o < N_CPUS -> assert(!in_exec[o]); o++
		:: else -> break
		od;
		o = 0
	};
	sections--
}

inline cpu_exec_start(i)
{
#ifdef M_PENDING_FIRST
	n = pending_cpus;
	running[i] = true;
	if
	:: n != 0 ->
#else
	running[i] = true;
	if
	:: pending_cpus != 0 ->
#endif
		n = 0;
		lock(list_lock);
		if
		:: !has_waiter[i] ->
			running[i] = false;
			exclusive_idle();
			running[i] = true
		:: else          /* counted: start_exclusive waits for us   */
		fi;
		unlock(list_lock)
	:: else
	fi
}

inline cpu_exec_end(i)
{
	running[i] = false;
	if
	:: pending_cpus != 0 ->
		lock(list_lock);
#ifdef M_NO_WAITER
		if
		:: pending_cpus != 0 ->
#else
		if
		:: has_waiter[i] ->
#endif
			has_waiter[i] = false;
			pending_cpus--;
			if
			:: pending_cpus == 1 -> cond_signal(exclusive_cond)
			:: else
			fi
		:: else
		fi;
		unlock(list_lock)
	:: else
	fi
}

/* -- queued work ---------------------------------------------------------------------- */
inline queue_work_on_cpu(i, kind)
{
	d_step { assert(len(work[i]) < QUEUE && !gone[i]); work[i]!kind, queued[i]; queued[i]++ };
	qemu_cpu_kick(i)
}

inline run_item(i)
{
	d_step { assert(seq == ran[i]); ran[i]++ }
}

inline process_queued_cpu_work(i)       /* with the BQL                       */
{
	do
	:: len(work[i]) > 0 ->
		work[i]?k, seq;
		if
		:: k == SAFE ->
#ifndef M_BQL
			unlock(bql);
#endif
			if
			:: in_section -> run_item(i)    /* counted           */
			:: else ->
				start_exclusive();
				run_item(i);
				section();
				end_exclusive()
			fi;
#ifndef M_BQL
			lock(bql)
#endif
#ifdef M_DONE_FIRST
		:: k == WAITED ->
			done++;
			cond_broadcast(work_cond);
			unlock(bql);
			lock(bql);
			run_item(i)
#else
		:: k == WAITED ->
			run_item(i);
			done++;
			cond_broadcast(work_cond)
#endif
		:: k == ITEM -> run_item(i)
		fi;
		d_step { k = 0; seq = 0 }
	:: else -> break
	od
}

/* Main's: waits on a stack item. */
inline run_on_cpu(i)
{
	assert(bql == me);
	d_step { done = 0; want = queued[i] };
	queue_work_on_cpu(i, WAITED);
	do
	:: done == 0 -> cond_wait(work_cond, bql)
	:: else -> break
	od;
	assert(ran[i] > want);
	want = 0
}

/* -- a vCPU --------------------------------------------------------------------------- */
#define ASKED(i) (stop[i] || unplug[i] || len(work[i]) > 0)
#define IDLE(i) (!ASKED(i) && (stopped[i] || (halted[i] && !irq[i])))

inline kicks_clear(i)
{
	kicked[i] = CLEAR;
	leave[i] = false
}

inline qemu_wait_io_event(i)
{
#ifdef M_KICKED_LATE
	do
	:: IDLE(i) -> kicks_clear(i); halt_sleep(i)
	:: else -> break
	od
#else
	kicks_clear(i);
	do
	:: IDLE(i) -> halt_sleep(i); kicks_clear(i)
	:: else -> break
	od
#endif
}

inline attend(i)
{
	lock(bql);
	process_queued_cpu_work(i);
	if
	:: stop[i] ->
		d_step { stop[i] = false; stopped[i] = true };
		cond_broadcast(cpu_cond)
	:: else
	fi;
	if
	:: unplug[i] ->
		created[i] = false;
		cond_broadcast(cpu_cond);
		stays = false
	:: else
	fi;
	unlock(bql)
}

/* Outside of guest code is where the vCPU looks at its requests. */
inline handle_interrupt(i)
{
#ifdef M_CLEAR_LATE
	if
	:: leave[i] -> leave[i] = false; out = true
	:: else
	fi;
	irq[i] = false;
	exit_request[i] = false
#else
	exit_request[i] = false;
	if
	:: irq[i] -> lock(bql); irq[i] = false; unlock(bql)
	:: else
	fi;
	if
	:: leave[i] -> leave[i] = false; out = true
	:: else
	fi
#endif
}

inline guest_acts(i)
{
	left[i]--;
	if
#ifdef A_FLUSH                          /* tb_flush: safe work for itself      */
	:: queue_work_on_cpu(i, SAFE)
#endif
#ifdef A_SAFE                           /* safe work for the next vCPU         */
	:: !gone[(i + 1) % N_CPUS] -> queue_work_on_cpu((i + 1) % N_CPUS, SAFE)
#endif
#ifdef A_ASYNC                          /* a remote TLB flush                  */
	:: !gone[(i + 1) % N_CPUS] -> queue_work_on_cpu((i + 1) % N_CPUS, ITEM)
#endif
#ifdef A_IPI
	:: true ->
	   lock(bql);
	   if
	   :: !gone[(i + 1) % N_CPUS] -> cpu_interrupt((i + 1) % N_CPUS)
	   :: else
	   fi;
	   unlock(bql)
#endif
#ifdef A_ATOMIC                         /* EXCP_ATOMIC                         */
	:: d_step { atomic_step = true; out = true }
#endif
	:: gone[(i + 1) % N_CPUS]       /* nobody there: does nothing          */
#ifdef A_HLT
	:: d_step { halted[i] = true; out = true }
#endif
	fi
#ifdef M_INSIDE
	;
	start_exclusive();
	end_exclusive()
#endif
}

inline guest(i)
{
	d_step { out = false; in_exec[i] = true };
	if
	:: halted[i] && !irq[i] -> out = true
	:: else -> halted[i] = false
	fi;
	do
	:: out -> break
	:: else ->
		handle_interrupt(i);
		if
		:: out
		:: !out && left[i] > 0 -> guest_acts(i)
		:: !out && left[i] == 0 -> exit_request[i]   /* spins        */
		fi
	od;
	atomic { out = false; in_exec[i] = false }
}

proctype vcpu(byte me)
{
	byte n, o, seq;
	mtype k;
	bool out, atomic_step, asleep, stays, in_section;

	stays = true;
	do
	:: stays ->
		qemu_wait_io_event(me);
		if
		:: !ASKED(me) ->
#ifdef M_LEAVE_LATE
			kicks_clear(me);
#endif
			cpu_exec_start(me);
			guest(me);
			cpu_exec_end(me);
			if
			:: atomic_step ->
				start_exclusive();
				section();
				end_exclusive();
				atomic_step = false
			:: else
			fi
		:: else -> attend(me)
		fi
	:: else -> break
	od;
	ended++
}

/* -- the main thread -------------------------------------------------------------------- */
#define EACH(i, what) \
	i = 0; do :: i < N_CPUS -> what; i++ :: else -> i = 0; break od

inline all_stopped(i, yes)
{
	d_step {
		yes = true;
		i = 0;
		do
		:: i < N_CPUS -> yes = yes && stopped[i]; i++
		:: else -> break
		od;
		i = 0
	}
}

inline pause_all_vcpus(i)
{
	EACH(i, stop[i] = true; qemu_cpu_kick(i));
	do
	:: all_stopped(i, yes);
		if
		:: yes -> break
		:: else -> cond_wait(cpu_cond, bql)
		fi
	od;
	atomic {
		yes = false;
		do
		:: i < N_CPUS -> assert(!in_exec[i] && !running[i]); i++
		:: else -> break
		od;
		i = 0
	}
}

inline resume_all_vcpus(i)
{
	EACH(i, d_step { stop[i] = false; stopped[i] = false }; qemu_cpu_kick(i))
}

/* Work that was queued after the thread's last look runs here. */
inline cpu_remove_sync(i)
{
	unplug[i] = true;
	qemu_cpu_kick(i);
	do
	:: created[i] -> cond_wait(cpu_cond, bql)
	:: else -> break
	od;
	unlock(bql);
	start_exclusive();
	in_section = true;
	lock(bql);
#ifndef M_ORPHANS
	process_queued_cpu_work(i);
#endif
	gone[i] = true;
	assert(len(work[i]) == 0 && ran[i] == queued[i]);
	unlock(bql);
	in_section = false;
	end_exclusive();
	lock(bql)
}

/* Not part of the code: devices that wake the vCPUs which halt before they have
 * done all they have to. */
inline all_asked(i)
{
	i = 0;
	do
	:: i < N_CPUS ->
		if
		:: left[i] == 0 || gone[i] -> i++
		:: left[i] > 0 && halted[i] && !irq[i] ->
			lock(bql);
			cpu_interrupt(i);
			unlock(bql)
		fi
	:: else -> break
	od;
	i = 0
}

active proctype io_thread()
{
	byte me = MAIN, i, o, n, seq, want;
	mtype k;
	bool yes, asleep, in_section;

	atomic {
		do
		:: i < N_CPUS -> run vcpu(i); i++
		:: else -> i = 0; break
		od
	};
#ifdef D_RUN
	lock(bql);
	EACH(i, run_on_cpu(i));
	unlock(bql);
#endif
#ifdef D_PAUSE
	lock(bql);
	pause_all_vcpus(i);
	resume_all_vcpus(i);
	unlock(bql);
#endif
	all_asked(i);
#ifdef D_REMOVE
	lock(bql);
	cpu_remove_sync(1);
	unlock(bql);
#endif
#ifdef D_EXCLUSIVE
	start_exclusive();
	section();
	end_exclusive();
#endif
	/* Whoever is left has seen what it was asked, interrupts as well. */
	lock(bql);
	EACH(i, if :: !gone[i] -> run_on_cpu(i) :: else fi);
	unlock(bql);
	EACH(i, (gone[i] || !irq[i] && len(work[i]) == 0));
	lock(bql);
	EACH(i, if :: !gone[i] -> cpu_remove_sync(i) :: else fi);
	unlock(bql);
	(ended == N_CPUS);
	assert(pending_cpus == 0 && sections == 0);
	ended++
}

#ifdef LIVENESS
ltl ends { <> (ended == N_CPUS + 1) }
#endif
