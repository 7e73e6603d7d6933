/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The native program of tests/bench: the user-level workloads as a 32-bit
 * Linux process without a C library.
 *
 * usage: native NAME SIZE [TIMES]	prints "NAME SIZE CHECKSUM"
 *
 * TIMES repeats the workload from its start, to lengthen what is measured.
 */
#include "work.h"

void native_main(int argc, char **argv) __attribute__((noreturn));

static u8 memory[HEAP_BYTES] __attribute__((aligned(4096)));

static int system_call(int nr, int a, int b, int c)
{
	int result;

	__asm__ volatile("int $0x80" : "=a"(result)
			 : "a"(nr), "b"(a), "c"(b), "d"(c) : "memory");
	return result;
}

static void put(const char *text)
{
	int n = 0;

	while (text[n])
		n++;
	system_call(4, 1, (int)text, n);	/* write */
}

static void put_hex(u32 value)
{
	char text[9];

	for (int i = 7; i >= 0; i--, value >>= 4)
		text[i] = "0123456789abcdef"[value & 15];
	text[8] = 0;
	put(text);
}

static void __attribute__((noreturn)) quit(int status)
{
	for (;;)
		system_call(1, status, 0, 0);	/* exit */
}

void work_failed(const char *why)
{
	put(why);
	put("\n");
	quit(1);
}

void native_main(int argc, char **argv)
{
	const struct workload *w;
	u32 times = argc == 4 ? text_number(argv[3]) : 1, sum = 0;

	if (argc < 3 || argc > 4)
		work_failed("usage: native NAME SIZE [TIMES]");
	heap = memory;
	w = work_find(integer_works, argv[1]);
	w = w ? w : work_find(memory_works, argv[1]);
	w = w ? w : work_find(x87_works, argv[1]);
	w = w ? w : work_find(sse_works, argv[1]);
	if (!w)
		work_failed("no such workload");
	while (times--)
		sum = w->run(text_number(argv[2]));
	put(argv[1]);
	put(" ");
	put(argv[2]);
	put(" ");
	put_hex(sum);
	put("\n");
	quit(0);
}

__asm__(".globl _start\n"
	"_start:\n\t"
	"mov (%esp), %eax\n\t"
	"lea 4(%esp), %edx\n\t"
	"and $-16, %esp\n\t"
	"sub $8, %esp\n\t"
	"push %edx\n\t"
	"push %eax\n\t"
	"call native_main\n");
