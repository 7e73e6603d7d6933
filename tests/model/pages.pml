/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/model/pages.pml - code pages: page_lock_pair, page_collection_lock with
 * its try-and-restart, and stores against translations, as src/tcg/tb.c has
 * them.
 *
 * Processes: N_TBS translators and N_STORES stores, at once. Translator t reads
 * the bytes of its TB's two pages, locks them, puts the TB on their lists and
 * publishes it if the bytes are what it read. A store changes the bytes of one
 * page or two (DMA), then looks for code there without a lock, and if there is
 * some collects the locks of all pages that are concerned, and drops the TBs.
 * The TBs' pages: (0,1) (2,1) (0,2): a second page may lie below the first.
 *
 * What is proved, in every interleaving:
 *   safety    a page's list changes only with its lock held; a TB is on the
 *             lists of both its pages or of none when they are not locked; in
 *             the end no valid TB has bytes that are not memory's
 *   deadlock  none
 *   liveness  ltl ends: restarts come to an end (weak fairness)
 *
 * A byte stands for the bytes of a page, its list for the page's granules.
 * The two fences (store, then look; add, then compare) are what makes
 * sequential consistency right here.
 *
 * Mutants (-DM_...): each must be caught; see tests/model/run.
 *   M_WAIT        page_trylock_add waits for a page that is out of order
 *   M_KEEP        a restart keeps the locks it has
 *   M_NO_RESTART  page_trylock_add goes on without the lock that it missed
 *   M_NO_RELOOK   a restart does not look at the lists again
 *   M_NOT_LOOKED   drops TBs of a page of the range that had no mark at its turn
 *                 and came into the set by a TB of another
 *   M_ONE_PAGE    page_collection_lock forgets the TBs' other pages
 *   M_PAIR        page_lock_pair locks in the TB's order
 *   M_LOOK_FIRST  a store looks for code, then stores
 *   M_NO_COMPARE  a TB is published without a second look at its bytes
 */
#ifndef N_TBS
#define N_TBS 3
#endif
#ifndef N_STORES
#define N_STORES 2
#endif
#define N_PAGES 3
#define FREE 255

#define FIRST(t)  (2 * ((t) == 1))
#define SECOND(t) (1 + ((t) == 2))
#define LOW(t)    ((t) == 1)
#define HIGH(t)   (1 + ((t) > 0))
#define BIT(n)    (1 << (n))

byte page_lock[N_PAGES] = FREE;
byte list[N_PAGES];                     /* a bit for each TB                  */
bool marked[N_PAGES];
byte mem[N_PAGES];
byte seen1[N_TBS], seen2[N_TBS];        /* bytes as they were translated      */
bool valid[N_TBS];
byte ended;

inline lock(p) { atomic { page_lock[p] == FREE -> page_lock[p] = me } }
inline unlock(p) { d_step { assert(page_lock[p] == me); page_lock[p] = FREE } }
inline list_add(p, t)
{
	d_step { assert(page_lock[p] == me); list[p] = list[p] | BIT(t) }
}
inline list_remove(p, t)
{
	d_step { assert(page_lock[p] == me); list[p] = list[p] & ~BIT(t) }
}

inline page_lock_pair(t)
{
#ifdef M_PAIR
	lock(FIRST(t));
	lock(SECOND(t))
#else
	lock(LOW(t));
	lock(HIGH(t))
#endif
}

proctype translator(byte t)
{
	byte me = t;

	seen1[t] = mem[FIRST(t)];
	seen2[t] = mem[SECOND(t)];
	page_lock_pair(t);
	marked[FIRST(t)] = true;
	marked[SECOND(t)] = true;
	list_add(FIRST(t), t);
	list_add(SECOND(t), t);
	if
#ifdef M_NO_COMPARE
	:: true -> valid[t] = true
#else
	:: mem[FIRST(t)] == seen1[t] && mem[SECOND(t)] == seen2[t] ->
		valid[t] = true
	:: else ->
		list_remove(FIRST(t), t);
		list_remove(SECOND(t), t)
#endif
	fi;
	unlock(FIRST(t));
	unlock(SECOND(t));
	ended++
}

inline page_collection_unlock()
{
	i = 0;
	do
	:: i < N_PAGES ->
		if
		:: set & BIT(i) -> unlock(i)
		:: else
		fi;
		i++
	:: else -> break
	od;
	i = 0
}

inline set_lock_all()
{
	i = 0;
	do
	:: i < N_PAGES ->
		if
		:: set & BIT(i) && page_lock[i] != me -> lock(i)
		:: else
		fi;
		i++
	:: else -> break
	od;
	i = 0
}

/* Add a page to the set; bad: nothing is locked any more, p is in the set. */
inline page_trylock_add(p)
{
	if
	:: set & BIT(p)
	:: !(set & BIT(p)) && (set >> p) == 0 ->
		lock(p);
		set = set | BIT(p)
	:: else ->
#ifdef M_WAIT
		lock(p);
		set = set | BIT(p)
#else
		if
		:: atomic { page_lock[p] == FREE -> page_lock[p] = me };
			set = set | BIT(p)
		:: atomic { page_lock[p] != FREE -> skip };
#ifdef M_NO_RESTART
			set = set | BIT(p)
#else
#ifndef M_KEEP
			page_collection_unlock();
#endif
			d_step { set = set | BIT(p); bad = true }
#endif
		fi
#endif
	fi
}

/* The pages of all TBs of page p. */
inline add_tb_pages(p)
{
	k = 0;
	do
	:: k < N_TBS && !bad ->
		if
		:: list[p] & BIT(k) ->
			page_trylock_add(FIRST(k));
			if
			:: !bad -> page_trylock_add(SECOND(k))
			:: else
			fi
		:: else
		fi;
		k++
	:: else -> break
	od;
	k = 0
}

inline page_collection_lock()
{
	skip;
again:	bad = false;
	looked = 0;
	set_lock_all();
	p = first;
	do
	:: p <= last && !bad ->
		if
		:: marked[p] ->
			looked = looked | BIT(p);
			page_trylock_add(p);
			if
#ifndef M_ONE_PAGE
			:: !bad -> add_tb_pages(p)
#endif
			:: else
			fi
		:: else
		fi;
		p++
	:: else -> break
	od;
	if
#ifdef M_NO_RELOOK
	:: bad -> bad = false; set_lock_all()
#else
	:: bad -> goto again
#endif
	:: else
	fi;
	p = 0
}

inline tb_drop(t)
{
	assert(page_lock[FIRST(t)] == me && page_lock[SECOND(t)] == me);
	assert(list[FIRST(t)] & BIT(t) && list[SECOND(t)] & BIT(t));
	valid[t] = false;
	list_remove(FIRST(t), t);
	list_remove(SECOND(t), t)
}

inline invalidate_in_page(p)
{
	k = 0;
	do
	:: k < N_TBS ->
		if
		:: list[p] & BIT(k) -> tb_drop(k)
		:: else
		fi;
		k++
	:: else -> break
	od;
	k = 0
}

inline store()
{
	mem[first]++;
	if
	:: last > first -> mem[last]++
	:: else
	fi
}

inline look()
{
	hit = list[first] != 0;
	if
	:: !hit && last > first -> hit = list[last] != 0
	:: else
	fi
}

proctype storer(byte me)
{
	byte first, last, set, looked, p, i, k;
	bool bad, hit;

	if
	:: last = 0
	:: last = 1
	:: last = 2
	:: d_step { first = 0; last = 1 }
	:: d_step { first = 1; last = 2 }
	fi;
	if
	:: first == 0 && last != 1 -> first = last
	:: else
	fi;
#ifdef M_LOOK_FIRST
	look();
	store();
#else
	store();
	look();
#endif
	if
	:: hit ->
		page_collection_lock();
		p = first;
		do
		:: p <= last ->
			if
#ifdef M_NOT_LOOKED
			:: set & BIT(p) -> invalidate_in_page(p)
#else
			:: looked & BIT(p) -> invalidate_in_page(p)
#endif
			:: else
			fi;
			p++
		:: else -> break
		od;
		page_collection_unlock()
	:: else
	fi;
	ended++
}

init {
	byte n;

	atomic {
		do
		:: n < N_TBS -> run translator(n); n++
		:: n >= N_TBS && n < N_TBS + N_STORES -> run storer(n); n++
		:: else -> n = 0; break
		od
	};
	(ended == N_TBS + N_STORES);
	d_step {
		do
		:: n < N_TBS ->
			assert(!valid[n] || (seen1[n] == mem[FIRST(n)] &&
					     seen2[n] == mem[SECOND(n)]));
			assert(valid[n] == ((list[FIRST(n)] >> n) & 1));
			assert(valid[n] == ((list[SECOND(n)] >> n) & 1));
			n++
		:: else -> break
		od
	};
	ended++
}

#ifdef LIVENESS
ltl ends { <> (ended == N_TBS + N_STORES + 1) }
#endif
