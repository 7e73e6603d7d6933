/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/env/signal.c - fatal signals, and faults of generated code. */
#define _GNU_SOURCE
#include "env/signal.h"

#include <signal.h>
#include <stdlib.h>
#include <ucontext.h>
#include <unistd.h>

#include "env/log.h"
#include "env/terminal.h"

/* Room for the kernel's frame (3 KB with AVX-512) and our handlers' C code. */
#define STACK_BYTES (64u << 10)

static fault_hook *hook;
static _Thread_local int depth;        /* faults being handled               */

/* -- the interrupted context ------------------------------------------------ */

static const u8 greg_of[16] = {
	REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
	REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15,
};

static greg_t *greg(const struct host_context *ctx, int n)
{
	return &((ucontext_t *)ctx)->uc_mcontext.gregs[n];
}

u64 host_context_pc(const struct host_context *ctx)
{
	return (u64)*greg(ctx, REG_RIP);
}

void host_context_set_pc(struct host_context *ctx, u64 pc)
{
	*greg(ctx, REG_RIP) = (greg_t)pc;
}

u64 host_context_reg(const struct host_context *ctx, int reg)
{
	return (u64)*greg(ctx, greg_of[reg]);
}

void host_context_set_reg(struct host_context *ctx, int reg, u64 val)
{
	*greg(ctx, greg_of[reg]) = (greg_t)val;
}

u64 host_context_eflags(const struct host_context *ctx)
{
	return (u64)*greg(ctx, REG_EFL);
}

void host_context_set_eflags(struct host_context *ctx, u64 eflags)
{
	*greg(ctx, REG_EFL) = (greg_t)eflags;
}

int host_context_trap(struct host_context *ctx)
{
	return (int)*greg(ctx, REG_TRAPNO);
}

u8 *host_context_fpu(struct host_context *ctx)
{
	return (u8 *)((ucontext_t *)ctx)->uc_mcontext.fpregs;
}

/* -- alternate stacks ------------------------------------------------------- */

struct alt_stack {
	stack_t old;                   /* a sanitizer's, put back at the end  */
	u8 bytes[];
};

static void stack_use(void *bytes, stack_t *old)
{
	stack_t s = { .ss_sp = bytes, .ss_size = STACK_BYTES };

	sigaltstack(&s, old);
}

void *signal_stack_enter(void)
{
	struct alt_stack *s = malloc(sizeof(*s) + STACK_BYTES);

	if (!s)
		die("no memory for a thread");
	stack_use(s->bytes, &s->old);
	return s;
}

void signal_stack_leave(void *stack)
{
	struct alt_stack *s = stack;

	sigaltstack(&s->old, NULL);
	free(s);
}

/* -- handlers --------------------------------------------------------------- */

static void fault(int signo, siginfo_t *info, void *ucontext)
{
	struct host_context *ctx = ucontext;

	/* A fault inside the hook is a bug of ours, not a guest's doing. */
	if (depth++ == 0 && hook && hook(signo, info->si_addr, ctx)) {
		depth--;
		return;
	}
	bug("signal %d at pc %#llx, address %#llx", signo,
	    (unsigned long long)host_context_pc(ctx),
	    (unsigned long long)(uintptr_t)info->si_addr);
}

/* Die of the signal, as our parent expects, with the terminal as it was. */
static void killed(int signo)
{
	terminal_restore();
	signal(signo, SIG_DFL);
	raise(signo);
}

static void catch_fault(int signo)
{
	struct sigaction sa = {
		.sa_sigaction = fault,
		.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER,
	};

	sigaction(signo, &sa, NULL);
}

/* A signal that our parent had us ignore (nohup) stays ignored. */
static void catch_death(int signo)
{
	struct sigaction sa = { .sa_handler = killed, .sa_flags = SA_ONSTACK };
	struct sigaction old;

	if (!sigaction(signo, NULL, &old) && old.sa_handler != SIG_IGN)
		sigaction(signo, &sa, NULL);
}

void signal_init(void)
{
	static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL };
	static const int deaths[] = { SIGABRT, SIGQUIT, SIGINT, SIGTERM, SIGHUP };
	static u8 main_stack[STACK_BYTES];
	static bool done;

	if (done)
		return;
	done = true;
	stack_use(main_stack, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++)
		catch_fault(faults[i]);
	for (size_t i = 0; i < ARRAY_SIZE(deaths); i++)
		catch_death(deaths[i]);
	signal(SIGPIPE, SIG_IGN);
	/* A read from the background is to fail, not to stop the machine. */
	signal(SIGTTIN, SIG_IGN);
}

void signal_set_fault_hook(fault_hook *fn)
{
	signal_init();
	hook = fn;
}
