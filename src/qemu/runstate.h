/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/qemu/runstate.h - run state, requests to reset and shut down, exit
 * codes. Requests may come from any thread that holds the BQL; the main loop
 * carries them out. Upstream: runstate.c, shutdown/reset requests. */
#ifndef QEMU_RUNSTATE_H
#define QEMU_RUNSTATE_H

#include "env/lock.h"

enum run_state { RUN_STATE_PRELAUNCH, RUN_STATE_RUNNING, RUN_STATE_PAUSED,
		 RUN_STATE_SHUTDOWN };
enum { EXIT_TRIPLE_FAULT = 112, EXIT_INTERNAL = 116 };

enum run_state runstate_get(void);
void runstate_set(enum run_state s) REQUIRES(bql);     /* legal moves only  */

/* The guest asked for a reset (8042, CF9h): honours -no-reboot (exit 0). */
void qemu_system_reset_request(void) REQUIRES(bql);
/* A triple fault: like a reset, but exit code 112 under -no-reboot. */
void qemu_system_triple_fault_request(void) REQUIRES(bql);
/* End the program with this code soon (isa-debug-exit). -no-shutdown does not
 * hold it. */
void qemu_system_exit_request(int code) REQUIRES(bql);
/* Guest power-off: exit 0, or stop when -no-shutdown. */
void qemu_system_shutdown_request(void) REQUIRES(bql);
/* Somebody presses the power button: tells the board, which tells the guest.
 * Upstream: qemu_system_powerdown_request. */
void qemu_system_powerdown_request(void) REQUIRES(bql);
/* The one who is told. */
void qemu_register_powerdown(void (*fn)(void *), void *opaque) REQUIRES(bql);
/* Devices register how they return to their power-on state; called in order
 * of registration, with all vCPUs stopped. */
void qemu_register_reset(void (*fn)(void *), void *opaque) REQUIRES(bql);

void vm_start(void) REQUIRES(bql);
void vm_stop(enum run_state s) REQUIRES(bql);

#endif
