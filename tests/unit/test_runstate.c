/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qemu/runstate. row-54: the table of run states, every pair of them; starting
 * and stopping. row-53: what a request leads to, with -no-reboot and
 * -no-shutdown. vCPUs, loader and chips are fakes that note that they were
 * called. */
#include "child.h"
#include "env/poll.h"
#include "qemu/chardev.h"
#include "qemu/cpu.h"
#include "qemu/cpus.h"
#include "qemu/loader.h"
#include "qemu/runstate.h"
#include "qemu/target.h"
#include "qemu/timer.h"
#include "qemu/vl.h"

#define N_STATES 4
enum { EXITED = 40 };

/* -- the rest of the machine ---------------------------------------------------- */
static bool running, clock_on;
static int n_boot, n_chip[3], cpu_stops, order;
static struct cpu *cpus_reset[2];
static int n_cpus_reset;
struct machine_config machine_config;
struct cpu *first_cpu;
__thread struct cpu *current_cpu;

void pause_all_vcpus(void) { running = false; }
void resume_all_vcpus(void) { running = true; }
void cpu_stop_current(void) { cpu_stops++; }
void qemu_clock_enable(bool on) { clock_on = on; }
void boot_reset(void) { ck_assert(!running); n_boot++; }
void chardev_flush_all(void) { }
void info_jit(struct strbuf *b) { (void)b; }
void target_cpu_reset(struct cpu *c) { cpus_reset[n_cpus_reset++] = c; }

static void chip_reset(void *opaque)
{
	ck_assert(!running);
	ck_assert_int_eq(order++, (int)((int *)opaque - n_chip));
	++*(int *)opaque;
}

static void setup(void)
{
	running = clock_on = false;
	n_boot = cpu_stops = n_cpus_reset = 0;
	main_loop_init();
	bql_lock();
	for (int i = 0; i < 3; i++)
		qemu_register_reset(chip_reset, &n_chip[i]);
}

/* -- row-54 ------------------------------------------------------------------------- */

static const bool legal[N_STATES][N_STATES] = {
	/*                      PRELAUNCH RUNNING PAUSED SHUTDOWN */
	[RUN_STATE_PRELAUNCH] = { 1, 1, 0, 0 },
	[RUN_STATE_RUNNING] =   { 0, 1, 1, 1 },
	[RUN_STATE_PAUSED] =    { 0, 1, 1, 0 },
	[RUN_STATE_SHUTDOWN] =  { 0, 0, 1, 1 },
};
static enum run_state from, to;

/* By legal moves. */
static void go_to(enum run_state s)
{
	if (s != RUN_STATE_PRELAUNCH)
		runstate_set(RUN_STATE_RUNNING);
	if (s == RUN_STATE_PAUSED || s == RUN_STATE_SHUTDOWN)
		runstate_set(s);
	if (runstate_get() != s)
		_exit(1);
}

static void move(void)
{
	bql_lock();
	go_to(from);
	runstate_set(to);
	_exit(runstate_get() == to ? EXITED : 1);
}

START_TEST(every_pair_of_states)
{
	for (from = 0; from < N_STATES; from++)
		for (to = 0; to < N_STATES; to++)
			if (legal[from][to])
				child_exit(move, EXITED);
			else
				child_bug(move, "run state", "cannot become");
}
END_TEST

START_TEST(start_and_stop)
{
	setup();
	ck_assert_int_eq(runstate_get(), RUN_STATE_PRELAUNCH);
	vm_start();
	ck_assert(running && clock_on);
	ck_assert_int_eq(runstate_get(), RUN_STATE_RUNNING);
	vm_stop(RUN_STATE_PAUSED);
	ck_assert(!running && !clock_on);
	ck_assert_int_eq(runstate_get(), RUN_STATE_PAUSED);
	vm_start();
	ck_assert(running && clock_on);
}
END_TEST

/* -- row-53 ----------------------------------------------------------------------------- */

START_TEST(reset_resets_all)
{
	struct cpu *a = calloc(2, sizeof(*a)), *b = a + 1;

	setup();
	first_cpu = a;
	a->next = b;
	a->interrupt_request = b->interrupt_request = 0x82;
	vm_start();
	qemu_system_reset_request();
	ck_assert_int_eq(cpu_stops, 1);
	ck_assert_int_eq(n_boot, 0);           /* the main loop does it     */
	main_loop_handle_requests();
	ck_assert_int_eq(n_boot, 1);
	ck_assert_int_eq(n_cpus_reset, 2);
	ck_assert_ptr_eq(cpus_reset[0], a);
	ck_assert_ptr_eq(cpus_reset[1], b);
	ck_assert_uint_eq(a->interrupt_request | b->interrupt_request, 0);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(n_chip[i], 1);
	ck_assert(running);
	ck_assert_int_eq(runstate_get(), RUN_STATE_RUNNING);
	main_loop_handle_requests();           /* once                      */
	ck_assert_int_eq(n_boot, 1);
}
END_TEST

START_TEST(reset_while_paused)
{
	setup();
	vm_start();
	vm_stop(RUN_STATE_PAUSED);
	qemu_system_reset_request();
	main_loop_handle_requests();
	ck_assert_int_eq(n_boot, 1);
	ck_assert(!running);
}
END_TEST

/* Rows: what is asked for, the options, the exit code (-1: none). */
static const struct request {
	const char *name;
	void (*ask)(void);
	bool no_reboot, no_shutdown;
	int code;
} requests[] = {
	{ "reset", qemu_system_reset_request, 0, 0, -1 },
	{ "reset, -no-reboot", qemu_system_reset_request, 1, 0, 0 },
	{ "reset, both", qemu_system_reset_request, 1, 1, -1 },
	{ "triple fault", qemu_system_triple_fault_request, 0, 0, -1 },
	{ "triple fault, -no-reboot", qemu_system_triple_fault_request, 1, 0,
	  EXIT_TRIPLE_FAULT },
	{ "triple fault, both", qemu_system_triple_fault_request, 1, 1, -1 },
	{ "power off", qemu_system_shutdown_request, 0, 0, 0 },
	{ "power off, -no-shutdown", qemu_system_shutdown_request, 0, 1, -1 },
};
static const struct request *request;

static void carry_out(void)
{
	bool stops = request->no_shutdown &&
		(request->no_reboot || request->ask == qemu_system_shutdown_request);

	setup();
	machine_config.no_reboot = request->no_reboot;
	machine_config.no_shutdown = request->no_shutdown;
	vm_start();
	request->ask();
	main_loop_handle_requests();
	if (stops && (running || clock_on || n_boot ||
		      runstate_get() != RUN_STATE_SHUTDOWN))
		_exit(1);
	if (!stops && (!running || n_boot != 1))
		_exit(2);
	main_loop_handle_requests();
	_exit(EXITED);
}

START_TEST(options_decide)
{
	for (unsigned i = 0; i < ARRAY_SIZE(requests); i++) {
		struct child c;

		request = &requests[i];
		c = child_run(carry_out);
		ck_assert_msg(WIFEXITED(c.status), "%s", request->name);
		ck_assert_msg(WEXITSTATUS(c.status) ==
			      (request->code < 0 ? EXITED : request->code),
			      "%s: code %d", request->name,
			      WEXITSTATUS(c.status));
	}
}
END_TEST

/* The first of two requests to end has its exit code. */
static void fault_then_off(void)
{
	setup();
	machine_config.no_reboot = true;
	vm_start();
	qemu_system_triple_fault_request();
	qemu_system_shutdown_request();
	main_loop_handle_requests();
}

START_TEST(first_request_counts)
{
	child_exit(fault_then_off, EXIT_TRIPLE_FAULT);
}
END_TEST

static void pressed(void *opaque) { ++*(int *)opaque; }

START_TEST(power_button_is_told)
{
	int n = 0;

	setup();
	qemu_system_powerdown_request();       /* nobody listens            */
	qemu_register_powerdown(pressed, &n);
	vm_start();
	qemu_system_powerdown_request();
	ck_assert_int_eq(n, 1);
	main_loop_handle_requests();
	ck_assert(running);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("qemu/runstate");
	TCase *t = tcase_create("runstate");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, every_pair_of_states);
	tcase_add_test(t, start_and_stop);
	tcase_add_test(t, reset_resets_all);
	tcase_add_test(t, reset_while_paused);
	tcase_add_test(t, options_decide);
	tcase_add_test(t, first_request_counts);
	tcase_add_test(t, power_button_is_told);
	suite_add_tcase(s, t);
	return suite_main(s);
}
