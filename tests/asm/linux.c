/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The runner as a process of the host: maps the blob, removes everything else
 * from the address space (so that a wild access faults as it does in the
 * guest), and lets signals call runner_trap(). No library.
 */
#include "case.h"

enum {
	SYS_READ = 3, SYS_OPEN = 5, SYS_MMAP = 90, SYS_MUNMAP = 91,
	SYS_SETITIMER = 104,
	SYS_MODIFY_LDT = 123,
	SYS_RT_SIGACTION = 174, SYS_SIGALTSTACK = 186,
	SYS_SCHED_SETAFFINITY = 241,
};
enum {
	SIGILL = 4, SIGTRAP = 5, SIGBUS = 7, SIGFPE = 8, SIGSEGV = 11,
	SIGALRM = 14,
};

#define PROT_READ	1
#define PROT_EXEC	4
#define MAP_PRIVATE	2
#define MAP_FIXED	16
#define SA_SIGINFO	0x00000004
#define SA_RESTORER	0x04000000
#define SA_ONSTACK	0x08000000
#define SA_NODEFER	0x40000000
#define PAGE_END(a)	(((a) + 0xfff) & ~0xfffu)
#define USER_END	0xffffe000
#define DEADLINE_S	120		/* for the whole blob */

struct sigaction32 {
	void (*handler)(int, void *, void *);
	u32 flags;
	void (*restorer)(void);
	u32 mask[2];
};

struct ucontext32 {
	u32 flags, link, stack[3];
	struct frame frame;
	u32 fpstate, oldmask, cr2;
};

struct user_desc32 {
	u32 entry, base, limit, flags;
};

void linux_restorer(void);
void linux_start(u32 *args);

extern char text_end[], user_end[], signal_stack[], signal_stack_end[];

__asm__(".pushsection .text\n"
	".globl _start\n"
	"_start:\n"
	"	mov	%esp, %eax\n"
	"	mov	$runner_stack, %esp\n"
	"	push	%eax\n"
	"	call	linux_start\n"
	"linux_restorer:\n"
	"	mov	$173, %eax\n"		/* rt_sigreturn */
	"	int	$0x80\n"
	".popsection\n");

static void on_signal(int sig, void *info, void *context)
{
	struct ucontext32 *uc = context;

	(void)info;
	__asm__ volatile("push $2; popf");       /* AC off */
	if (sig == SIGALRM)
		runner_hangs(&uc->frame);
	runner_trap(&uc->frame, uc->cr2);
}

static void catch_signals(void)
{
	static const int signals[] = {
		SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV, SIGALRM,
	};
	u32 i, timer[4] = { [2] = DEADLINE_S };
	u32 stack[3] = { (u32)signal_stack, 0,
				   signal_stack_end - signal_stack };
	struct sigaction32 sa = {
		.handler = on_signal,
		.flags = SA_SIGINFO | SA_RESTORER | SA_ONSTACK | SA_NODEFER,
		.restorer = linux_restorer,
	};

	syscall3(SYS_SIGALTSTACK, (u32)stack, 0, 0);
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		syscall5(SYS_RT_SIGACTION, signals[i], (u32)&sa, 0, 8, 0);
	syscall3(SYS_SETITIMER, 0, (u32)timer, 0);
}

#define DESC(base, limit, is32, contents, ro, pages, absent) {		\
	0, base, limit,							\
	is32 | contents << 1 | ro << 3 | pages << 4 | absent << 5 | 1 << 6 },

static int make_ldt(void)
{
	static struct user_desc32 ldt[] __attribute__((section(".private"))) = {
		LDT_ENTRIES(DESC)
	};
	u32 i;

	for (i = 0; i < LDT_COUNT; i++) {
		ldt[i].entry = i;
		if (syscall3(SYS_MODIFY_LDT, 0x11, (u32)&ldt[i],
			     sizeof(ldt[i])))
			return -1;
	}
	return 0;
}

static int map_blob(const char *path)
{
	u32 map[6] = {
		BLOB, 0, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED,
	};
	struct blob head;
	int fd = syscall3(SYS_OPEN, (u32)path, 0, 0);

	if (fd < 0 || syscall3(SYS_READ, fd, (u32)&head, sizeof(head)) < 0)
		return -1;
	map[1] = head.bytes;
	map[4] = fd;
	return syscall3(SYS_MMAP, (u32)map, 0, 0) == BLOB ? 0 : -1;
}

/* Leaves only this program and the blob: no stack, no vdso. */
static void unmap_rest(void)
{
	u32 end = PAGE_END(BLOB + ((struct blob *)BLOB)->bytes);

	syscall3(SYS_MUNMAP, PAGE_END((u32)user_end),
		 BLOB - PAGE_END((u32)user_end), 0);
	syscall3(SYS_MUNMAP, end, USER_END - end, 0);
}

/* Makes pages present, or a fault's error code would depend on the past. */
static void touch(u32 from, u32 to)
{
	for (; from < to; from += 0x1000)
		(void)*(volatile u8 *)from;
}

/* LSL shows the number of the processor as the limit of one descriptor. */
static void pin_to_first_cpu(void)
{
	u32 mask = 1;

	syscall3(SYS_SCHED_SETAFFINITY, 0, sizeof(mask), (u32)&mask);
}

static void set_segments(void)
{
	__asm__ volatile("mov %0, %%gs" : : "r"(SEL_DATA));
}

static void fail(const char *why, u32 len)
{
	syscall3(SYS_WRITE, 2, (u32)why, len);
	syscall3(SYS_EXIT, 2, 0, 0);
}

#define FAIL(why) fail(why "\n", sizeof(why))

/* args: as the kernel leaves them, argc first. */
void linux_start(u32 *args)
{
	if (args[0] != 2)
		FAIL("usage: native BLOB");
	if (map_blob((const char *)args[2]))
		FAIL("native: cannot map the blob");
	if (make_ldt())
		FAIL("native: this kernel has no modify_ldt");
	catch_signals();
	unmap_rest();
	touch(TEXT, PAGE_END((u32)text_end));
	touch(RO, RO + 0x1000);
	touch(BLOB, BLOB + ((struct blob *)BLOB)->bytes);
	pin_to_first_cpu();
	set_segments();
	runner();
}
