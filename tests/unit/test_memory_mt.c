/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qemu/memory and cputlb, many threads: the memory map changes while vCPUs read
 * through it and the soft TLB (row-20, row-47), and TLBs are flushed from outside
 * (row-24). The threads stand for vCPU threads: they do what mttcg_cpu_thread_fn
 * does, with reads in place of guest code. */
#include "child.h"

#include "env/lock.h"
#include "env/thread.h"
#include "qemu/cpus_accel.h"
#include "qemu/machine.h"
#include "qemu/memory.h"
#include "qemu/target.h"

enum { CPUS = 3, ROUNDS = 250, RAM_BYTES = 1 << 20, WINDOW = 0x80000 };

static struct memory_region low, one, two;
static struct cpu *cpus[CPUS];
static u32 shown;                        /* _Atomic; the window's, 1 or 2    */
static bool over;                        /* _Atomic                          */
static u64 stale, reads;                 /* _Atomic                          */

static u64 window_read(void *opaque, gpa addr, unsigned size)
{
	(void)addr, (void)size;
	return (u64)(uintptr_t)opaque;
}

static const struct memory_region_ops window_ops = { window_read, NULL, 0, 0 };

static void make_machine(void)
{
	bql_lock();
	memory_init();
	ck_assert_ptr_null(ram_arena_init(2 * RAM_BYTES));
	ck_assert_ptr_null(memory_region_init_ram(&low, "low", RAM_BYTES));
	ck_assert_ptr_null(memory_region_init_ram(&one, "one", PAGE_SIZE));
	memory_region_init_io(&two, "two", PAGE_SIZE, &window_ops, (void *)2);
	memory_region_clear_global_locking(&two);
	memory_region_host(&one)[0] = 1;
	memory_region_add_subregion(&system_memory, 0, &low);
	memory_region_add_subregion_overlap(&system_memory, WINDOW, &one, 1);
	memory_region_add_subregion_overlap(&system_memory, WINDOW, &two, 2);
	shown = 2;
	bql_unlock();
	machine_config.smp = CPUS;
	cpu_exec_init();
	tcg_parallel = true;
	for (int i = 0; i < CPUS; i++) {
		struct cpu *cpu = target_cpu_new("max", i);

		ck_assert_ptr_nonnull(cpu);
		cpus[i] = cpu;
		lock_init(&cpu->work_lock, "cpu_work", RANK_CPU_WORK);
		cpu->halt_cond = calloc(1, sizeof(*cpu->halt_cond));
		cpu->created = true;
		cpu_list_add(cpu);
		current_cpu = cpu;
		bql_lock();
		target_cpu_reset(cpu);
		bql_unlock();
	}
	current_cpu = NULL;
}

/* `shown` is set to 0 before the map changes and to the new device after it has
 * and all have flushed; a value read before and after an access that is the same
 * says what the access must have found. */
static void read_window(struct cpu *cpu, bool by_tlb)
{
	u32 before = __atomic_load_n(&shown, __ATOMIC_SEQ_CST), after;
	u8 v = by_tlb ? cpu_ldub(cpu, WINDOW, MMU_KERNEL) :
		address_space_ldub(&address_space_memory, WINDOW);

	after = __atomic_load_n(&shown, __ATOMIC_SEQ_CST);
	__atomic_fetch_add(&reads, 1, __ATOMIC_RELAXED);
	if (before && before == after && v != before)
		__atomic_fetch_add(&stale, 1, __ATOMIC_RELAXED);
}

static void *vcpu(void *arg)
{
	struct cpu *cpu = arg;

	current_cpu = cpu;
	while (!__atomic_load_n(&over, __ATOMIC_SEQ_CST)) {
		cpu_exec_start(cpu);
		for (int i = 0; i < 64 && !__atomic_load_n(&cpu->leave, __ATOMIC_SEQ_CST); i++)
			read_window(cpu, i & 1);
		cpu_exec_end(cpu);
		__atomic_store_n(&cpu->leave, false, __ATOMIC_SEQ_CST);
		bql_lock();
		process_queued_cpu_work(cpu);
		bql_unlock();
	}
	bql_lock();
	cpu->created = false;
	process_queued_cpu_work(cpu);
	bql_unlock();
	return NULL;
}

static void start(struct thread t[CPUS], int first)
{
	over = false;
	for (int i = first; i < CPUS; i++)
		thread_create(&t[i], "vcpu", vcpu, cpus[i]);
}

static void stop(struct thread t[CPUS], int first)
{
	__atomic_store_n(&over, true, __ATOMIC_SEQ_CST);
	for (int i = first; i < CPUS; i++)
		thread_join(&t[i]);
}

static void nothing(struct cpu *cpu, void *data)
{
	(void)cpu, (void)data;
}

/* What the board does, from the main thread: the change has been made everywhere
 * when each vCPU has been through its queue. */
static void toggle(void)
{
	bql_lock();
	__atomic_store_n(&shown, 0, __ATOMIC_SEQ_CST);
	memory_region_set_enabled(&two, !two.enabled);
	for (int i = 0; i < CPUS; i++)
		run_on_cpu(cpus[i], nothing, NULL);
	__atomic_store_n(&shown, two.enabled ? 2 : 1, __ATOMIC_SEQ_CST);
	bql_unlock();
}

START_TEST(no_vcpu_reads_through_an_old_map)
{
	struct thread t[CPUS];

	make_machine();
	start(t, 0);
	for (int i = 0; i < ROUNDS; i++)
		toggle();
	stop(t, 0);
	ck_assert_uint_gt(reads, 0);
	ck_assert_uint_eq(stale, 0);
	for (int i = 0; i < CPUS; i++)
		ck_assert_uint_ge(cpus[i]->stat.remote, ROUNDS);
}
END_TEST

/* The change comes from a vCPU, in the middle of a device access: when its exclusive
 * work has run, which is before its next instruction, nobody uses the old map. */
static void change_as_vcpu(struct cpu *cpu)
{
	cpu_exec_start(cpu);
	bql_lock();
	__atomic_store_n(&shown, 0, __ATOMIC_SEQ_CST);
	memory_region_set_enabled(&two, !two.enabled);
	bql_unlock();
	ck_assert(cpu->synced_work);
	ck_assert(__atomic_load_n(&cpu->leave, __ATOMIC_SEQ_CST));
	read_window(cpu, true);
	cpu_exec_end(cpu);
	__atomic_store_n(&cpu->leave, false, __ATOMIC_SEQ_CST);
	bql_lock();
	process_queued_cpu_work(cpu);
	bql_unlock();
	ck_assert(!cpu->synced_work);
	__atomic_store_n(&shown, two.enabled ? 2 : 1, __ATOMIC_SEQ_CST);
}

START_TEST(a_vcpus_change_is_everywhere_before_it_goes_on)
{
	struct thread t[CPUS];

	make_machine();
	start(t, 1);
	current_cpu = cpus[0];
	for (int i = 0; i < ROUNDS; i++)
		change_as_vcpu(cpus[0]);
	stop(t, 1);
	ck_assert_uint_gt(reads, 0);
	ck_assert_uint_eq(stale, 0);
}
END_TEST

/* row-24: a flush of all, asked for by one. */
START_TEST(flushes_reach_all_vcpus)
{
	struct thread t[CPUS];

	make_machine();
	start(t, 1);
	current_cpu = cpus[0];
	for (int i = 0; i < 100; i++) {
		struct cpu *cpu = cpus[0];

		cpu_exec_start(cpu);
		if (i & 1)
			tlb_flush_page_all_cpus_synced(cpu, WINDOW);
		else
			tlb_flush_all_cpus_synced(cpu);
		cpu_exec_end(cpu);
		bql_lock();
		process_queued_cpu_work(cpu);
		bql_unlock();
		/* exclusive: theirs has been done, or is before they go on */
		ck_assert(!cpu->synced_work);
	}
	stop(t, 1);
	for (int i = 1; i < CPUS; i++)
		ck_assert_uint_eq(cpus[i]->stat.remote, 100);
	ck_assert_uint_eq(cpus[0]->stat.remote, 0);
}
END_TEST

/* row-41: a page gets code while others have it in their TLBs. */
START_TEST(write_entries_are_taken_from_all)
{
	ram_addr page;

	make_machine();
	page = low.ram + 0x3000;
	for (int i = 0; i < CPUS; i++) {
		current_cpu = cpus[i];
		cpu_stb(cpus[i], 0x3000, 1, MMU_KERNEL);
		ck_assert_uint_ne(tlb_entry(cpus[i], MMU_KERNEL, true, 0x3000), TLB_INVALID);
		cpus[i]->stack_tag = 0x3000;
	}
	current_cpu = cpus[0];
	ck_assert(!tlb_code_page(page));             /* nobody runs         */
	for (int i = 0; i < CPUS; i++) {
		ck_assert_uint_eq(tlb_entry(cpus[i], MMU_KERNEL, true, 0x3000), TLB_INVALID);
		ck_assert_uint_ne(tlb_entry(cpus[i], MMU_KERNEL, false, 0x3000), TLB_INVALID);
		ck_assert_uint_eq(cpus[i]->stack_tag, TLB_INVALID);
		current_cpu = cpus[i];
		ck_assert_ptr_nonnull(probe_access(cpus[i], 0x3000, 1, MMU_DATA_STORE,
						   MMU_KERNEL));
	}
	current_cpu = cpus[0];
	cpus[1]->running = true;
	ck_assert(tlb_code_page(page));              /* it may be storing   */
	ck_assert(!tlb_code_page(page));             /* its entry is gone   */
}
END_TEST

/* ... at several linear addresses. */
START_TEST(write_entries_at_all_addresses)
{
	static const gva at[] = { 0x5000, 0x94000, 0x5000 };
	ram_addr page;

	make_machine();
	page = low.ram + 0x5000;
	for (int n = 1; n <= CPUS; n++) {
		for (int i = 0; i < n; i++) {
			current_cpu = cpus[i];
			tlb_set_page(cpus[i], at[i], 0x5000, 7, MMU_KERNEL);
			ck_assert_uint_ne(tlb_entry(cpus[i], MMU_KERNEL, true, at[i]), TLB_INVALID);
		}
		tlb_code_page(page);
		for (int i = 0; i < n; i++)
			ck_assert_uint_eq(tlb_entry(cpus[i], MMU_KERNEL, true, at[i]), TLB_INVALID);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("qemu/memory, threads");
	TCase *t = tcase_create("memory_mt");

	tcase_set_timeout(t, 120);
	tcase_add_test(t, no_vcpu_reads_through_an_old_map);
	tcase_add_test(t, a_vcpus_change_is_everywhere_before_it_goes_on);
	tcase_add_test(t, flushes_reach_all_vcpus);
	tcase_add_test(t, write_entries_are_taken_from_all);
	tcase_add_test(t, write_entries_at_all_addresses);
	suite_add_tcase(s, t);
	return suite_main(s);
}
