/* SPDX-License-Identifier: GPL-2.0-or-later */
/* env/thread: numbers, names, signal masks. */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "child.h"
#include "env/thread.h"

struct seen { u32 id; char name[32], comm[32]; bool int_blocked, segv_blocked; };

static void *look(void *arg)
{
	struct seen *s = arg;
	sigset_t set;
	FILE *f = fopen("/proc/thread-self/comm", "r");

	s->id = thread_id();
	snprintf(s->name, sizeof(s->name), "%s", thread_name());
	if (f) {
		ck_assert_ptr_nonnull(fgets(s->comm, sizeof(s->comm), f));
		s->comm[strcspn(s->comm, "\n")] = '\0';
		fclose(f);
	}
	pthread_sigmask(SIG_BLOCK, NULL, &set);
	s->int_blocked = sigismember(&set, SIGINT);
	s->segv_blocked = sigismember(&set, SIGSEGV);
	return s;
}

START_TEST(thread_knows_itself)
{
	struct seen a, b;
	struct thread t, u;

	thread_create(&t, "first", look, &a);
	thread_create(&u, "a name too long for ps", look, &b);
	ck_assert_ptr_eq(thread_join(&t), &a);
	ck_assert_ptr_eq(thread_join(&u), &b);
	ck_assert_uint_ne(a.id, 0);
	ck_assert_uint_ne(a.id, b.id);
	ck_assert_uint_ne(a.id, thread_id());
	ck_assert_uint_eq(thread_id(), thread_id());
	ck_assert_str_eq(a.name, "first");
	ck_assert_str_eq(a.comm, "first");
	ck_assert_str_eq(b.name, "a name too long");
	ck_assert_str_eq(thread_name(), "main");
}
END_TEST

START_TEST(only_faults_reach_a_thread)
{
	struct seen s;
	struct thread t;
	sigset_t before, after;

	pthread_sigmask(SIG_BLOCK, NULL, &before);
	thread_create(&t, "thread", look, &s);
	pthread_sigmask(SIG_BLOCK, NULL, &after);
	thread_join(&t);
	ck_assert(s.int_blocked);
	ck_assert(!s.segv_blocked);
	ck_assert_int_eq(sigismember(&before, SIGINT),
			 sigismember(&after, SIGINT));
}
END_TEST

/* Deeper than musl's default stack. */
static void *deep(void *arg)
{
	volatile u8 big[1 << 20];

	big[0] = 1;
	big[sizeof(big) - 1] = 2;
	return big[0] + big[sizeof(big) - 1] == 3 ? arg : NULL;
}

START_TEST(stack_is_ample)
{
	struct thread t;

	thread_create(&t, "deep", deep, &t);
	ck_assert_ptr_eq(thread_join(&t), &t);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("env/thread");
	TCase *t = tcase_create("thread");

	tcase_add_test(t, thread_knows_itself);
	tcase_add_test(t, only_faults_reach_a_thread);
	tcase_add_test(t, stack_is_ample);
	suite_add_tcase(s, t);
	return suite_main(s);
}
