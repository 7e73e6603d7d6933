/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/env/alarm.c - a timer that sends its thread a signal.
 *
 * The system calls are made without the C library's wrappers: a sanitizer's would hold the
 * signal back until the thread calls its library, which translated code never does; and
 * musl's timer_create() does not know SIGEV_THREAD_ID in every version. */
#define _GNU_SOURCE
#include "env/alarm.h"

#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "env/clock.h"
#include "env/log.h"
#include "env/signal.h"
#include "env/thread.h"

/* What the kernel's interface looks like. */
enum { NOTIFY_THREAD_ID = 4, FLAG_RESTORER = 0x04000000 };
struct kernel_sigevent { u64 value; int signo, notify, tid, unused[11]; };
struct kernel_sigaction { void (*handler)(int); u64 flags; void (*restorer)(void); u64 mask; };

static _Thread_local struct {
	void (*rings)(void);             /* NULL: the thread has no alarm     */
	int timer;
	s64 at;                          /* the handler clears it             */
} own;

/* rt_sigreturn, number 15. */
void alarm_handler_returns(void);
__asm__(".pushsection .text\n"
	"alarm_handler_returns: mov $15, %eax\n"
	"syscall\n"
	".popsection");

static SIGNAL_SAFE void handler(int signo)
{
	(void)signo;
	__atomic_store_n(&own.at, 0, __ATOMIC_RELAXED);
	if (own.rings)
		own.rings();
}

static void unblock(bool on)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	pthread_sigmask(on ? SIG_UNBLOCK : SIG_BLOCK, &set, NULL);
}

/* The first thread's does it for all. Sent by others the signal does nothing. */
static void handler_install(void)
{
	const struct kernel_sigaction sa = {
		handler, SA_ONSTACK | SA_RESTART | FLAG_RESTORER, alarm_handler_returns, 0,
	};

	if (syscall(SYS_rt_sigaction, SIGALRM, &sa, NULL, sizeof(sa.mask)))
		bug("rt_sigaction");
}

void alarm_open(void (*rings)(void))
{
	struct kernel_sigevent ev = {
		.signo = SIGALRM, .notify = NOTIFY_THREAD_ID, .tid = thread_host_id(),
	};

	handler_install();
	own.at = 0;
	if (syscall(SYS_timer_create, CLOCK_MONOTONIC, &ev, &own.timer))
		die("cannot make a timer");
	own.rings = rings;
	unblock(true);
}

void alarm_close(void)
{
	unblock(false);
	own.rings = NULL;
	syscall(SYS_timer_delete, own.timer);
}

s64 alarm_at(void)
{
	return __atomic_load_n(&own.at, __ATOMIC_RELAXED);
}

/* The time is stored first: should the alarm ring at once, that clears it. */
void alarm_set(s64 expire_ns)
{
	const struct itimerspec at = {
		.it_value = { expire_ns / NS_PER_SEC, expire_ns % NS_PER_SEC },
	};

	if (alarm_at() == expire_ns)
		return;
	__atomic_store_n(&own.at, expire_ns, __ATOMIC_RELAXED);
	if (syscall(SYS_timer_settime, own.timer, TIMER_ABSTIME, &at, NULL))
		bug("timer_settime(%lld)", (long long)expire_ns);
}

bool alarm_rings_by(s64 ns)
{
	s64 at = alarm_at();

	return at && at <= ns;
}

void alarm_bring_forward(s64 expire_ns)
{
	if (own.rings && expire_ns && !alarm_rings_by(expire_ns))
		alarm_set(expire_ns);
}
