/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/env/lock.h - pthread locks with a name, a rank and an owner.
 *
 * clang checks the annotations (make tsa); MODE=dbg checks rank order and
 * ownership on each acquire and aborts with both call sites.
 *
 * C rules, measured on clang 14: GUARDED_BY(file_scope_token) works on a
 * global and on a struct field; REQUIRES/ACQUIRE(x->lock) work on functions;
 * a sibling field cannot be named. Hence a lock that lives in many objects
 * gets one file-scope lock_class token, and fields name the token. */
#ifndef ENV_LOCK_H
#define ENV_LOCK_H

#include <pthread.h>

#include "env/types.h"

#ifdef __clang__
#define TSA(x) __attribute__((x))
#else
#define TSA(x)
#endif

#define GUARDED_BY(l)       TSA(guarded_by(l))
#define PT_GUARDED_BY(l)    TSA(pt_guarded_by(l))
#define REQUIRES(...)       TSA(requires_capability(__VA_ARGS__))
#define EXCLUDES(...)       TSA(locks_excluded(__VA_ARGS__))
#define ACQUIRE(...)        TSA(acquire_capability(__VA_ARGS__))
#define TRY_ACQUIRE(...)    TSA(try_acquire_capability(__VA_ARGS__))
#define RELEASE(...)        TSA(release_capability(__VA_ARGS__))
#define ASSERT_HELD(l)      TSA(assert_capability(l))
#define ACQUIRED_AFTER(...) TSA(acquired_after(__VA_ARGS__))
#define UNCHECKED           TSA(no_thread_safety_analysis)

/* Outermost first: a thread that holds rank r may take only ranks > r.
 * Locks of the same rank that are held together (two page locks) are taken
 * in address order. notes/locks.md says what each guards. */
enum lock_rank {
	RANK_BQL = 10,        /* device state, memory map, run state        */
	RANK_PIT = 12,        /* the PIT's counters, port 61h               */
	RANK_HPET = 13,       /* the HPET's registers                       */
	RANK_SERIAL = 14,     /* one serial port's registers and FIFO       */
	RANK_CPU_LIST = 20,   /* vCPU list, exclusive protocol              */
	RANK_CPU_WORK = 30,   /* one vCPU's queued work                     */
	RANK_CPU_TIMER = 32,  /* one vCPU's timer                           */
	RANK_PAGE = 40,       /* one guest page's list of TBs               */
	RANK_TB_BUCKET = 50,  /* one bucket of the TB hash                  */
	RANK_TB_JMP = 60,     /* one TB's incoming links                    */
	RANK_REGION = 70,     /* regions of the code buffer                 */
	RANK_TLB = 80,        /* one vCPU's soft TLB                        */
	RANK_CHARDEV = 84,    /* one chardev's output from lock-free ports  */
	RANK_POLL = 85,       /* bottom halves of the main loop             */
	RANK_MAP = 86,        /* the file of map_pattern                    */
	RANK_DISAS = 88,      /* capstone's handles                         */
	RANK_TSC = 89,        /* start of measuring the host's time stamps  */
	RANK_LOG = 90,        /* the log file                               */
};

/* A place in the code that takes a lock or waits on a condition. */
struct lock_site {
	const char *what;       /* the lock or condition, as written there  */
	const char *func, *file;
	int line;
};
#define LOCK_SITE(what) \
	__extension__ ({ static const struct lock_site site_ = \
		{ #what, __func__, __FILE__, __LINE__ }; &site_; })

struct TSA(capability("lock")) lock {
	pthread_mutex_t mutex;
	const char *name;
	int rank;               /* enum lock_rank                           */
	u32 owner;              /* _Atomic use; thread_id() of the holder, 0 */
	const struct lock_site *site; /* of the last acquire                */
	u64 since;              /* host time stamp of that, when watched    */
#ifdef LOCKDEP
	struct lock *outer;     /* holder's next lock outwards              */
#endif
};

struct TSA(capability("lock class")) lock_class { char unused; };
struct TSA(capability("thread")) thread_role { char unused; };

/* `ready`: c waits on CLOCK_MONOTONIC (set by cond_init or the first wait;
 * a static initialiser cannot choose the clock). */
struct cond { pthread_cond_t c; u32 ready; };

#define LOCK_INIT(n, r) { .mutex = PTHREAD_MUTEX_INITIALIZER, .name = n, .rank = r }
#define COND_INIT { PTHREAD_COND_INITIALIZER, 0 }

void lock_init(struct lock *l, const char *name, int rank);
void lock_destroy(struct lock *l);

/* Acquire l; aborts on recursion (always) and on a rank violation (dbg). */
#define lock_acquire(l) lock_acquire_at(l, LOCK_SITE(l))
#define lock_tryacquire(l) lock_tryacquire_at(l, LOCK_SITE(l))
void lock_acquire_at(struct lock *l, const struct lock_site *site) ACQUIRE(*l);
bool lock_tryacquire_at(struct lock *l, const struct lock_site *site)
	TRY_ACQUIRE(true, *l);
void lock_release(struct lock *l) RELEASE(*l);
void lock_assert_held(struct lock *l) ASSERT_HELD(*l);   /* aborts if not */
bool lock_held(const struct lock *l);     /* does this thread hold l?       */

/* Condition variables on CLOCK_MONOTONIC. cond_timedwait returns false when
 * `ns` nanoseconds passed without a wake-up. */
void cond_init(struct cond *c);
#define cond_wait(c, l) cond_wait_at(c, l, LOCK_SITE(c))
#define cond_timedwait(c, l, ns) cond_timedwait_at(c, l, ns, LOCK_SITE(c))
void cond_wait_at(struct cond *c, struct lock *l, const struct lock_site *site)
	REQUIRES(*l);
bool cond_timedwait_at(struct cond *c, struct lock *l, s64 ns,
		       const struct lock_site *site) REQUIRES(*l);
void cond_signal(struct cond *c);
void cond_broadcast(struct cond *c);

/* The Big QEMU Lock: device state, memory map changes, run state. Upstream:
 * qemu_mutex_lock_iothread, later bql_lock. */
extern struct lock bql;
#define bql_lock() lock_acquire(&bql)
#define bql_unlock() lock_release(&bql)
#define bql_held() lock_held(&bql)

/* What one thread published and another comes to by translated code alone (a
 * patched jump: a store, then an instruction fetch). The thread sanitizer does not
 * see that code, and is told here. Nothing in other builds. */
#ifdef __SANITIZE_THREAD__
void __tsan_release(void *p);
void __tsan_acquire(void *p);
#define published(p) __tsan_release(p)
#define came_to(p) __tsan_acquire(p)
#else
#define published(p) ((void)(p))
#define came_to(p) ((void)(p))
#endif

/* Thread roles: who may touch a thread-confined structure. */
extern struct thread_role vcpu_thread;    /* guest registers, soft TLB      */
void thread_role_enter(struct thread_role *r) ACQUIRE(*r);
void thread_role_leave(struct thread_role *r) RELEASE(*r);
void thread_role_assert(struct thread_role *r) ASSERT_HELD(*r);

#endif
