/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qemu/options, options_device, optparse: the command line. tests/cli asks the
 * whole program; here are the values that it cannot show. */
#include <stdio.h>

#include "child.h"
#include "env/clock.h"
#include "env/log.h"
#include "qemu/options.h"
#include "qemu/optparse.h"
#include "qemu/target.h"

void target_cpu_list(void) { }

static struct options o;
static struct machine_config *const m = &machine_config;

/* Parse a line as a shell without quotes would split it. */
static enum options_result parse(const char *line)
{
	static char text[1024];
	char *argv[64] = { "smew" };
	int argc = 1;

	snprintf(text, sizeof(text), "%s", line);
	for (char *w = strtok(text, " "); w; w = strtok(NULL, " "))
		argv[argc++] = w;
	return options_parse(&o, argc, argv);
}

static void runs(const char *line)
{
	ck_assert_msg(parse(line) == OPTIONS_RUN, "%s: %s", line, o.err);
}

/* -- numbers -------------------------------------------------------------------- */
static const struct { const char *text; bool ok; u64 bytes; } sizes[] = {
	{ "128", true, 128ull << 20 }, { "0", true, 0 },
	{ "64k", true, 64 << 10 }, { "1G", true, 1 << 30 },
	{ "1.5G", true, 1536ull << 20 }, { "0.25m", true, 256 << 10 },
	{ "7B", true, 7 }, { "1T", true, 1ull << 40 },
	{ "", false, 0 }, { "x", false, 0 }, { "-1", false, 0 },
	{ " 1", false, 0 }, { "1GB", false, 0 }, { "1 G", false, 0 },
	{ "99999999999999999999", false, 0 }, { "99999999999T", false, 0 },
	{ "16383P", true, 16383ull << 50 }, { "16384P", false, 0 },
	{ "0x10", false, 0 }, { "1.", true, 1 << 20 }, { ".5", false, 0 },
};

START_TEST(size)
{
	u64 v;

	ck_assert_int_eq(parse_size(sizes[_i].text, 1 << 20, &v), sizes[_i].ok);
	if (sizes[_i].ok)
		ck_assert_uint_eq(v, sizes[_i].bytes);
}
END_TEST

START_TEST(number)
{
	u64 v;

	ck_assert(parse_u64("0xf4", &v) && v == 0xf4);
	ck_assert(parse_u64("10", &v) && v == 10);
	ck_assert(parse_u64("18446744073709551615", &v) && v == ~0ull);
	ck_assert(!parse_u64("18446744073709551616", &v));
	ck_assert(!parse_u64("-1", &v));
	ck_assert(!parse_u64("", &v));
	ck_assert(!parse_u64("0x", &v));
	ck_assert(!parse_u64("1a", &v));
}
END_TEST

START_TEST(date)
{
	s64 sec;

	ck_assert(parse_date("1970-01-01", &sec) && sec == 0);
	ck_assert(parse_date("2006-06-17T16:01:21", &sec) && sec == 1150560081);
	ck_assert(parse_date("2024-02-29", &sec));
	ck_assert(!parse_date("2023-02-29", &sec));
	ck_assert(!parse_date("2006-06-17T16:01", &sec));
	ck_assert(!parse_date("2006-06-17T24:00:00", &sec));
	ck_assert(!parse_date("2006-6-17", &sec));
	ck_assert(!parse_date("2006-06-17x", &sec));
}
END_TEST

START_TEST(lists)
{
	char text[] = "a=1,b,c=x,,y,=z,d=";
	char *list = text, *k, *v;

	ck_assert(kv_next(&list, &k, &v));
	ck_assert_str_eq(k, "a");
	ck_assert_str_eq(v, "1");
	ck_assert(kv_next(&list, &k, &v));
	ck_assert_str_eq(k, "b");
	ck_assert_ptr_null(v);
	ck_assert(kv_next(&list, &k, &v));
	ck_assert_str_eq(v, "x,y");
	ck_assert(kv_next(&list, &k, &v));
	ck_assert_str_eq(k, "");
	ck_assert(kv_next(&list, &k, &v));
	ck_assert_str_eq(v, "");
	ck_assert(!kv_next(&list, &k, &v));
}
END_TEST

START_TEST(distance)
{
	static const char *const words[] = { "serial", "kernel", "m" };

	ck_assert_uint_eq(edit_distance("", ""), 0);
	ck_assert_uint_eq(edit_distance("abc", ""), 3);
	ck_assert_uint_eq(edit_distance("kitten", "sitting"), 3);
	ck_assert_uint_eq(edit_distance("kernel", "kernel"), 0);
	ck_assert_str_eq(nearest("seral", words, 3, sizeof(*words)), "serial");
	ck_assert_ptr_null(nearest("xyzzyx", words, 3, sizeof(*words)));
}
END_TEST

/* -- lines that are known to be used ------------------------------------------------ */
static const char *const lines[] = {
	"",
	"-kernel kernel",
	"-kernel k -initrd r -append console=ttyS0",
	"-serial stdio -display none -no-reboot -device "
		"isa-debug-exit,iobase=0xf4,iosize=0x04",
	"--no-reboot -nodefaults -device isa-debug-exit,iobase=0xf4,iosize=0x4 "
		"-display none -serial stdio -kernel k",
	"-no-reboot -no-shutdown -d int,cpu_reset -D qemu.log",
	"-serial mon:stdio", "-nographic", "-debugcon stdio",
	"-accel tcg,thread=single", "-machine accel=kvm:tcg", "-M pc,accel=tcg",
	"-chardev stdio,id=char0,signal=off -serial chardev:char0",
	"-serial chardev:char0 -chardev stdio,mux=on,id=char0",
	"-m size=1M -boot order=d", "-m 512M,slots=2,maxmem=1G",
	"--kernel k --no-reboot", "-enable-kvm -cpu host", "-accel kvm",
	"-smp 1", "-smp cpus=1,maxcpus=4", "-smp cores=1,threads=1",
	"-vga none -net none -monitor none -parallel none -usb",
	"-display gtk,gl=on -soundhw pcspk -k de", "-curses",
	"-rtc base=localtime,clock=host", "-rtc base=utc",
	"-name guest=os,debug-threads=on", "-S", "-info-jit",
	"-serial file:a -serial file:b -serial null -serial none",
	"-chardev file,id=d,path=log -device isa-debugcon,iobase=0x402,chardev=d",
	"-debugcon file:d -global isa-debugcon.iobase=0x402",
	"-action reboot=shutdown,shutdown=pause", "-M pc-i440fx-7.2",
	"-d in_asm,op,op_opt,out_asm,int,cpu_reset,exec,guest_errors",
};

START_TEST(known_line)
{
	runs(lines[_i]);
	ck_assert_int_eq(m->smp, 1);
	ck_assert_uint_ge(m->ram_size, 1 << 20);
}
END_TEST

/* -- what they set -------------------------------------------------------------------- */

START_TEST(defaults_are_set)
{
	runs("-kernel k");
	ck_assert_uint_eq(m->ram_size, 128u << 20);
	ck_assert_str_eq(m->serial[0], "stdio");
	ck_assert_ptr_null(m->serial[1]);
	ck_assert_ptr_null(m->debugcon);
	ck_assert_int_eq(m->rtc_base, -1);
	ck_assert(!m->no_reboot && !m->debug_exit && !m->start_stopped);
	ck_assert_str_eq(o.ignored, "");
	runs("");
	ck_assert(m->no_reboot);         /* the demo ends by a reset         */
}
END_TEST

START_TEST(values_are_set)
{
	runs("-kernel k -initrd r -append a -m 64 -d int,op -D f -S -name n "
	     "-device isa-debug-exit -no-shutdown -cpu 486 -info-jit");
	ck_assert_str_eq(m->kernel, "k");
	ck_assert_str_eq(m->initrd, "r");
	ck_assert_str_eq(m->append, "a");
	ck_assert_str_eq(m->name, "n");
	ck_assert_str_eq(m->cpu_model, "486");
	ck_assert_uint_eq(m->ram_size, 64u << 20);
	ck_assert_uint_eq(o.log_items, LOG_INT | LOG_OP);
	ck_assert_str_eq(o.log_path, "f");
	ck_assert(m->debug_exit && m->start_stopped && m->no_shutdown);
	ck_assert(m->info_jit);
	ck_assert_uint_eq(m->debug_exit_iobase, 0x501);
	ck_assert_uint_eq(m->debug_exit_iosize, 2);
}
END_TEST

START_TEST(the_last_one_counts)
{
	runs("-m 64 -m 32 -kernel a -kernel b");
	ck_assert_uint_eq(m->ram_size, 32u << 20);
	ck_assert_str_eq(m->kernel, "b");
}
END_TEST

/* -- who gets the terminal ---------------------------------------------------------------- */
static const struct { const char *line, *serial0; } consoles[] = {
	{ "", "stdio" }, { "-nographic", "mon:stdio" },
	{ "-display none", "null" }, { "-debugcon stdio", "null" },
	{ "-nodefaults", NULL }, { "-serial none", "none" },
	{ "-nographic -serial null", "null" },
	{ "-nographic -debugcon stdio", "null" },
	{ "-serial mon:stdio -display none", "mon:stdio" },
	{ "-serial chardev:x -chardev null,id=x", "null" },
	{ "-serial chardev:x -chardev stdio,id=x,mux=on", "mon:stdio" },
	{ "-chardev file,id=x,path=/a -serial chardev:x", "file:/a" },
	{ "-chardev stdio,id=x,signal=off -device isa-serial,chardev=x",
	  "stdio,signal=off" },
	{ "-serial vc", "null" },
};

START_TEST(console)
{
	runs(consoles[_i].line);
	if (consoles[_i].serial0)
		ck_assert_str_eq(m->serial[0], consoles[_i].serial0);
	else
		ck_assert_ptr_null(m->serial[0]);
}
END_TEST

START_TEST(ignored_ones_are_listed)
{
	runs("-net none -vga std -enable-kvm -cpu host");
	ck_assert_str_eq(o.ignored, "-net none, -vga std");
	ck_assert(o.no_kvm);
	for (int i = 0; i < 60; i++)
		option_ignored(&o, "vga", "std");
	ck_assert_uint_lt(strlen(o.ignored), sizeof(o.ignored));
}
END_TEST

START_TEST(rtc_bases)
{
	s64 now = clock_realtime_ns() / NS_PER_SEC;

	runs("-rtc base=2006-06-17T16:01:21");
	ck_assert_int_eq(m->rtc_base, 1150560081);
	runs("-rtc base=localtime");
	ck_assert(m->rtc_localtime);
	ck_assert_int_le(llabs(m->rtc_base - clock_local_offset(now) - now), 2);
}
END_TEST

/* -- no line makes it fall over ------------------------------------------------------------ */

START_TEST(noise)
{
	static const char *const word[] = {
		"-m", "-serial", "-device", "-chardev", "-d", "-M", "-smp",
		"-accel", "-rtc", "isa-debug-exit", ",,", "=", "id=", "stdio",
		"chardev:", "file:", "iobase=", "0x10000000000000000", "-", "--",
		"size=", "base=", "pc,", "tcg,thread=", ",", "mon:", "-name",
		"-action", "reboot=", "-global", "isa-debugcon.iobase=", "-append",
	};
	char line[1024];

	srand((unsigned)_i);
	for (int n = 0; n < 200; n++) {
		line[0] = 0;
		for (int i = rand() % 8; i >= 0; i--) {
			strcat(line, word[(size_t)rand() % ARRAY_SIZE(word)]);
			strcat(line, rand() % 3 ? " " : "");
		}
		if (parse(line) == OPTIONS_ERROR)
			ck_assert_msg(o.err[0] && !strchr(o.err, '\n'), "%s",
				      line);
	}
}
END_TEST

/* row-25: processors and threads as upstream's users write them. */
static const struct {
	const char *line;
	int smp, sockets, cores, threads;
	bool single;
	u32 tb_size;
} processors[] = {
	{ "-smp 1", 1, 1, 1, 1, false, 0 },
	{ "-smp 4", 4, 1, 4, 1, false, 0 },
	{ "-smp cpus=32", 32, 1, 32, 1, false, 0 },
	{ "-smp 4,sockets=2", 4, 2, 2, 1, false, 0 },
	{ "-smp 8,cores=2,threads=2", 8, 2, 2, 2, false, 0 },
	{ "-smp cores=2,threads=2", 4, 1, 2, 2, false, 0 },
	{ "-smp 4,dies=2,threads=2", 4, 1, 2, 2, false, 0 },
	{ "-smp 2,maxcpus=6", 2, 1, 6, 1, false, 0 },
	{ "-smp 4 -smp 2", 2, 1, 2, 1, false, 0 },
	{ "-accel tcg,thread=single", 1, 1, 1, 1, true, 0 },
	{ "-accel tcg,thread=multi,tb-size=1 -smp 2", 2, 1, 2, 1, false, 1 },
	{ "-accel tcg,thread=single -accel tcg,thread=multi", 1, 1, 1, 1, true, 0 },
	{ "-accel tcg -accel tcg,thread=single", 1, 1, 1, 1, false, 0 },
	{ "-accel kvm,thread=single -accel tcg,tb-size=32", 1, 1, 1, 1, false, 32 },
};

/* row-28 */
START_TEST(row_28_icount_options)
{
	runs("-icount 7");
	ck_assert(m->icount && m->icount_shift == 7 && m->icount_sleep);
	ck_assert(m->tcg_single);
	runs("-smp 4 -icount shift=0,sleep=off,align=off -accel tcg,thread=single");
	ck_assert(m->icount && m->icount_shift == 0 && !m->icount_sleep);
	ck_assert_int_eq(parse("-accel tcg,thread=multi -icount 1"), OPTIONS_ERROR);
	ck_assert_str_eq(o.err, "-accel tcg,thread=multi: No MTTCG when icount is "
			 "enabled");
	ck_assert_int_eq(parse("-icount shift=auto"), OPTIONS_ERROR);
	ck_assert_int_eq(parse("-icount 11"), OPTIONS_ERROR);
	ck_assert_int_eq(parse("-icount sleep=off"), OPTIONS_ERROR);
	runs("-smp 4");
	ck_assert(!m->icount && !m->tcg_single);
}
END_TEST

START_TEST(row_25_processors)
{
	runs(processors[_i].line);
	ck_assert_int_eq(m->smp, processors[_i].smp);
	ck_assert_int_eq(m->sockets, processors[_i].sockets);
	ck_assert_int_eq(m->cores, processors[_i].cores);
	ck_assert_int_eq(m->threads, processors[_i].threads);
	ck_assert_int_eq(m->tcg_single, processors[_i].single);
	ck_assert_uint_eq(m->tb_size, processors[_i].tb_size);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("qemu/options");
	TCase *t = tcase_create("options");

	tcase_add_loop_test(t, size, 0, (int)ARRAY_SIZE(sizes));
	tcase_add_test(t, number);
	tcase_add_test(t, date);
	tcase_add_test(t, lists);
	tcase_add_test(t, distance);
	tcase_add_loop_test(t, known_line, 0, (int)ARRAY_SIZE(lines));
	tcase_add_test(t, defaults_are_set);
	tcase_add_test(t, values_are_set);
	tcase_add_test(t, the_last_one_counts);
	tcase_add_loop_test(t, console, 0, (int)ARRAY_SIZE(consoles));
	tcase_add_test(t, ignored_ones_are_listed);
	tcase_add_test(t, rtc_bases);
	tcase_add_loop_test(t, row_25_processors, 0, (int)ARRAY_SIZE(processors));
	tcase_add_test(t, row_28_icount_options);
	tcase_add_loop_test(t, noise, 0, 20);
	suite_add_tcase(s, t);
	return suite_main(s);
}
