/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/model/timer.pml - a vCPU's own timer, as src/qemu/cpu_timer.c, cpus-mttcg.c and
 * src/env/alarm.c have it: while it runs its thread's alarm is a signal, whose handler has
 * it look; while it sleeps, the end of the sleep.
 *
 * Processes: the vCPU, which sets its timer twice and waits for the interrupt, by
 * running or in HLT, and may be woken by another interrupt (`ipi`) before it; main, which,
 * with D_STOP, stops the machine once and has it go on; time, which passes as it
 * likes for a while, and always up to the timer's, and runs the handler between any two
 * steps of the vCPU: `host` is the host's clock, host - offset the virtual one while the
 * machine runs.
 *
 * What is proved, in every interleaving:
 *   safety    the timer fires once for each setting and never before its time
 *   deadlock  none: no setting is lost (who waits for a lost one waits for ever)
 *
 * Mutants (-DM_...): each must be caught; see tests/model/run.
 *   M_NO_WATCH    a vCPU runs on without a look at its timer
 *   M_STORE_LATE  alarm_set() notes the time after the system call
 *   M_EARLY       the alarm rings, so the timer is due
 *   M_NO_UNTIL    a vCPU puts its alarm behind and sleeps without end
 *   M_BEHIND      any alarm will do for a vCPU that runs on
 */
#define SETS 2
#define FREE 6                          /* ticks that pass before they must    */
#define BEHIND 1                        /* the alarm after the sleep's end     */

byte host = 1, offset, stood;           /* stood: the virtual clock, stopped  */
bool clock_on = true;
byte alarm;                             /* the host's timer: 0: off            */
byte at;                                /* what the thread knows of it         */
byte expire;                            /* virtual time; 0: not set           */
bool irq, ipi, kicked;
bool stop, stopped;
byte sets, fired;
bool done;

#define VIRTUAL (clock_on -> host - offset : stood)
#define ALARM_NS ((expire && clock_on) -> expire + offset : 0)

inline fire()
{
	d_step {
		assert(expire <= VIRTUAL);
		expire = 0;
		fired++;
		assert(fired <= sets);
		irq = true
	}
}

/* Time, and the kernel: an alarm whose time has come sends the signal. */
active proctype time()
{
	do
	:: host < FREE || (expire && host < expire + offset) -> host++
	:: d_step { alarm && alarm <= host -> alarm = 0; at = 0; kicked = true }
	:: done -> break
	od
}

inline alarm_set(ns)
{
	if
	:: at != ns ->
#ifdef M_STORE_LATE
		alarm = ns;
		at = ns
#else
		at = ns;
		alarm = ns
#endif
	:: else
	fi
}

#ifdef M_BEHIND
#define RINGS_BY(ns) (at)
#else
#define RINGS_BY(ns) (at && at <= (ns))
#endif

inline alarm_bring_forward(ns)
{
	if
	:: ns && !RINGS_BY(ns) -> alarm_set(ns)
	:: else
	fi
}

/* cpu_timer_attend, and the alarm for what it returns. */
inline watch_timer()
{
	if
	:: ALARM_NS && !RINGS_BY(ALARM_NS) ->
		if
#ifdef M_EARLY
		:: ALARM_NS && !at -> fire()
#else
		:: ALARM_NS && expire <= VIRTUAL -> fire()
#endif
		:: else
		fi;
		due = ALARM_NS;
		alarm_bring_forward(due)
	:: else
	fi
}

#define IDLE (!stop && (stopped || (!irq && !ipi)))

/* qemu_wait_io_event, and cpu_attend when main wants it to stop. */
inline leave_guest()
{
	kicked = false;
	do
	:: IDLE ->
		parked = stopped;
		if
		:: !parked -> watch_timer()
		:: else
		fi;
		if
		:: IDLE ->                      /* halt_sleep_until_due       */
			wake = (parked -> 0 : ALARM_NS);
			due = (wake -> wake + BEHIND : 0);
			alarm_set(due);
#ifdef M_NO_UNTIL
			wake = 0;
#endif
			(kicked || wake && host >= wake)
		:: else
		fi;
		kicked = false
	:: stop -> d_step { stop = false; stopped = true }
	:: !IDLE && !stop -> break
	od;
	skip;
#ifndef M_NO_WATCH
	watch_timer()
#endif
}

/* The guest writes the timer's register: cpu_timer_mod, alarm_bring_forward. */
inline guest_sets()
{
	d_step { expire = VIRTUAL + 2; sets++ };
	due = ALARM_NS;
	alarm_bring_forward(due)
}

active proctype vcpu()
{
	byte due, wake;
	bool parked;

	do
	:: sets < SETS ->
		guest_sets();
		do
		:: irq -> irq = false; break
		:: ipi -> ipi = false
		:: kicked -> leave_guest()      /* out of guest code          */
		:: !irq && !ipi -> leave_guest() /* HLT                       */
		:: !irq && !ipi && !kicked ->   /* runs on until it is told   */
			(irq || ipi || kicked)
		od
	:: else -> break
	od;
	done = true
}

active proctype other()
{
	ipi = true;
	kicked = true
}

active proctype main_loop()
{
	skip;
#ifdef D_STOP
	stop = true;
	kicked = true;
	if
	:: stopped ->
		d_step { stood = host - offset; clock_on = false };
		skip;
		d_step { offset = host - stood; clock_on = true };
		stopped = false;
		kicked = true
	:: done
	fi
#endif
}
