/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/model/timer.pml - a vCPU's own timer, as src/qemu/cpu_timer.c has it: the
 * vCPU watches it while it sleeps, main's alarm while it runs.
 *
 * Processes: the vCPU, which sets its timer twice and waits for the interrupt, by
 * running or in HLT, and may be woken by another interrupt (`ipi`) before it; main, which
 * runs the alarm's callback and, with D_STOP, stops the machine once and has it go on; time,
 * which passes as it likes for a while, and always up to the timer's: `host` is the host's
 * clock, host - offset the virtual one while the machine runs.
 *
 * What is proved, in every interleaving:
 *   safety    the timer fires once for each setting and never before its time
 *   deadlock  none: no setting is lost (who waits for a lost one waits for ever)
 *
 * Mutants (-DM_...): each must be caught; see tests/model/run.
 *   M_NO_RUN      a vCPU that is woken early does not have the alarm set again
 *   M_NO_UNTIL    a vCPU turns the alarm off and sleeps without end
 *   M_RUNG_ONCE   an alarm that rings too early (D_STOP) is not set again
 *   M_EARLY       main does not look at the clock when the alarm rings
 *   M_UNLOCKED    main looks and fires without the lock
 */
#define SETS 2
#define FREE 6                          /* ticks that pass before they must    */

byte host = 1, offset, stood;           /* stood: the virtual clock, stopped  */
bool clock_on = true;
byte alarm;                             /* host time it is set for; 0: off     */
bool rings;                             /* the descriptor is readable         */
byte expire;                            /* virtual time; 0: not set           */
bool watched, locked, irq, ipi, kicked;
bool stop, stopped;
byte sets, fired;
bool done;

#define VIRTUAL (clock_on -> host - offset : stood)

inline lock() { atomic { !locked -> locked = true } }
inline unlock() { locked = false }
inline watch_on()
{
	d_step { alarm = expire + offset; rings = false; watched = true }
}
inline watch_off()
{
	d_step { alarm = 0; rings = false; watched = false }
}
inline fire()
{
	d_step {
		assert(expire && expire <= VIRTUAL);
		expire = 0;
		fired++;
		assert(fired <= sets);
		irq = true;
		kicked = true
	}
}

/* The kernel: an alarm whose time has come rings. */
active proctype time()
{
	do
	:: host < FREE || (expire && host < expire + offset) -> host++
	:: d_step { alarm && alarm <= host -> alarm = 0; rings = true }
	:: done -> break
	od
}

inline cpu_timer_run()
{
	skip;
#ifndef M_NO_RUN
	if
	:: !watched && expire ->
		lock();
		if
		:: !watched && expire && clock_on -> watch_on()
		:: else
		fi;
		unlock()
	:: else
	fi
#endif
}

/* `until`: 0: without end. */
inline cpu_timer_sleep()
{
	until = 0;
	if
	:: expire && !stopped ->
		lock();
		if
		:: expire && clock_on && expire <= VIRTUAL -> fire()
		:: expire && clock_on && expire > VIRTUAL ->
			until = expire + offset;
			if
			:: watched -> watch_off()
			:: else
			fi
		:: else
		fi;
		unlock()
	:: else
	fi
#ifdef M_NO_UNTIL
	;
	until = 0
#endif
}

#define IDLE (!stop && (stopped || (!irq && !ipi)))

/* qemu_wait_io_event, and cpu_attend when main wants it to stop. */
inline idle_loop()
{
	kicked = false;
	do
	:: IDLE ->
		cpu_timer_sleep();
		if
		:: kicked
		:: until && host >= until
		fi;
		kicked = false
	:: stop -> d_step { stop = false; stopped = true }
	:: !IDLE && !stop -> break
	od;
	cpu_timer_run()
}

active proctype vcpu()
{
	byte until;

	do
	:: sets < SETS ->
		lock();
		d_step { expire = VIRTUAL + 2; sets++ };
		watch_on();
		unlock();
		do
		:: irq -> irq = false; break
		:: ipi -> ipi = false
		:: stop -> idle_loop()          /* kicked out of guest code   */
		:: !irq && !ipi -> idle_loop()  /* HLT                        */
		:: !irq && !ipi && !stop ->     /* runs on until it is told   */
			if
			:: irq || ipi || stop
			fi
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

inline alarm_rings()
{
	rings = false;
#ifndef M_UNLOCKED
	lock();
#endif
	watched = false;
	if
#ifdef M_EARLY
	:: expire -> fire()
#else
	:: expire && clock_on && expire <= VIRTUAL -> fire()
#ifndef M_RUNG_ONCE
	:: expire && clock_on && expire > VIRTUAL -> watch_on()
#endif
#endif
	:: else
	fi;
#ifndef M_UNLOCKED
	unlock()
#endif
}

active proctype main_loop()
{
	bool may_stop = true;

	do
	:: rings -> alarm_rings()
#ifdef D_STOP
	:: may_stop && !done ->
		may_stop = false;
		stop = true;
		kicked = true;
		if
		:: stopped
		:: done -> break
		fi;
		skip;
		d_step { stood = host - offset; clock_on = false };
		do
		:: rings -> alarm_rings()
		:: true -> break
		od;
		skip;
		d_step { offset = host - stood; clock_on = true };
		stopped = false;
		cpu_timer_run();
		kicked = true
#endif
	:: done -> break
	od
}
