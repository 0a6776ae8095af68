/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Functions and constants that are loaded on demand: absent at boot, read from the program's file at their first use,
 * dropped without being written, and read again; in stripped programs and forked ones, too.
 *
 * Built at KERNEL_VM_BASE. KMEM_TEST_STRIPPED: the program was stripped of its section headers (not of symbols alone),
 * and all of it is there from boot.
 */
#define CONFIG_DEMAND_PAGING 1
#define CONFIG_DEMAND_PAGING_STATS 1
#define CONFIG_SRAM_SIZE 32768
#define CONFIG_BACKING_STORE_RAM_PAGES 64
#define CONFIG_ASSERT 1

#include <mmu.h>
#include <zephyr/kernel/mm/demand_paging.h>
#include <zephyr/linker/linker-defs.h>
#include <zephyr/linker/sections.h>

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "expect.h"
#include "harness.h"
#include "state.h"

#define PAGE ((size_t)CONFIG_MMU_PAGE_SIZE)
#define WORDS 3000

__ondemand_func static int add_one(int x)
{
	return x + 1;
}

__ondemand_func static int add_two(int x)
{
	return x + 2;
}

__ondemand_rodata static const char text[] = "on demand";
__ondemand_rodata static const int table[WORDS] = {[0] = 1, [WORDS - 1] = 2};

/* What is defined is called through these: the compiler must not know. */
static int (*volatile const one)(int) = add_one;
static int (*volatile const two)(int) = add_two;
static const volatile int *const words = table;
static const volatile char *const letters = text;

static size_t free_before;
static struct kmem_stats before;

static void setup(void)
{
	ck_assert(kmem_is_booted());
	free_before = k_mem_free_get();
	before = stats_now();
}

static void teardown(void)
{
	ck_assert(kmem_is_valid());
	ck_assert_uint_eq(stats_now().store_writes, before.store_writes);
	ck_assert_uint_eq(stats_now().store_reads, before.store_reads);
	ck_assert_int_eq(kmem_shutdown(), 0);
	ck_assert_msg(kmem_boot(NULL) == 0, "%s", kmem_boot_error());
}

static void *page_of(const volatile void *addr)
{
	return (void *)((uintptr_t)addr / PAGE * PAGE);
}

static unsigned long faults(void)
{
	return stats_now().pagefaults.cnt - before.pagefaults.cnt;
}

#ifndef KMEM_TEST_STRIPPED

static void check_absent(const volatile void *addr, uint32_t flags)
{
	struct kmem_page_status status = status_of(addr);

	ck_assert_int_eq(status.state, KMEM_PAGE_STATE_OUT);
	ck_assert_uint_eq(status.flags, flags);
}

/* Use everything: two pages of code, one of text, three of numbers. */
#define ALL_PAGES 6

static void use_all(void)
{
	ck_assert_int_eq(one(1), 2);
	ck_assert_int_eq(two(1), 3);
	ck_assert_int_eq(letters[0], 'o');
	for (size_t i = 1; i < WORDS - 1; i++) {
		ck_assert_int_eq(words[i], 0);
	}
	ck_assert_int_eq(words[0], 1);
	ck_assert_int_eq(words[WORDS - 1], 2);
}

static void drop_all(void)
{
	ck_assert_int_eq(k_mem_page_out(page_of(lnkr_ondemand_text_start), 2 * PAGE), 0);
	ck_assert_int_eq(k_mem_page_out(page_of(text), PAGE), 0);
	ck_assert_int_eq(k_mem_page_out(page_of(table), 3 * PAGE), 0);
}

START_TEST(pages_are_absent_at_boot)
{
	check_absent((void *)(uintptr_t)add_one, K_MEM_PERM_EXEC);
	check_absent((void *)(uintptr_t)add_two, K_MEM_PERM_EXEC);
	check_absent(text, 0);
	for (size_t i = 0; i < 3; i++) {
		check_absent((const uint8_t *)table + i * PAGE, 0);
	}
	ck_assert_uint_eq((uintptr_t)lnkr_ondemand_text_start % PAGE, 0);
	ck_assert_uint_gt((uintptr_t)lnkr_ondemand_text_size, PAGE);
	ck_assert_uint_ge((uintptr_t)lnkr_ondemand_rodata_end, (uintptr_t)&table[WORDS]);
}
END_TEST

START_TEST(each_page_is_one_fault)
{
	ck_assert_int_eq(one(1), 2);
	ck_assert_uint_eq(faults(), 1);
	ck_assert_int_eq(one(5), 6);
	ck_assert_uint_eq(faults(), 1);
	ck_assert_int_eq(two(1), 3);
	ck_assert_uint_eq(faults(), 2);
	ck_assert_int_eq(letters[3], 'd');
	ck_assert_uint_eq(faults(), 3);
	ck_assert_int_eq(words[0], 1);
	ck_assert_int_eq(words[WORDS - 1], 2);
	ck_assert_uint_eq(faults(), 5);
	ck_assert_uint_eq(k_mem_free_get(), free_before - 5 * PAGE);
	ck_assert_uint_eq(stats_now().eviction.clean + stats_now().eviction.dirty,
			  before.eviction.clean + before.eviction.dirty);
}
END_TEST

START_TEST(pages_are_dropped_and_read_again)
{
	for (unsigned long round = 1; round <= 3; round++) {
		use_all();
		ck_assert_uint_eq(faults(), round * ALL_PAGES);
		ck_assert_uint_eq(k_mem_free_get(), free_before - ALL_PAGES * PAGE);
		drop_all();
		ck_assert_uint_eq(k_mem_free_get(), free_before);
		check_absent((void *)(uintptr_t)add_one, K_MEM_PERM_EXEC);
		check_absent(text, 0);
	}
}
END_TEST

/* With few frames left, they come and go by themselves, and cost the store nothing. */
START_TEST(pages_are_victims_like_others)
{
	size_t bytes = k_mem_free_get() - 3 * PAGE;
	void *rest = k_mem_map(bytes, K_MEM_PERM_RW | K_MEM_MAP_LOCK);

	ck_assert_ptr_nonnull(rest);
	for (int round = 0; round < 10; round++) {
		use_all();
	}
	ck_assert_uint_ge(faults(), ALL_PAGES + 9 * (ALL_PAGES - 3));
	ck_assert_uint_eq(stats_now().eviction.clean - before.eviction.clean, faults() - 3);
	k_mem_unmap(rest, bytes);
}
END_TEST

START_TEST(pages_may_be_brought_in_and_pinned)
{
	void *page = page_of(text);

	k_mem_page_in(page, PAGE);
	ck_assert_uint_eq(faults(), 1);
	ck_assert(!status_of(page).pinned);
	k_mem_pin(page, PAGE);
	ck_assert_uint_eq(faults(), 1);
	ck_assert(status_of(page).pinned);
	ck_assert_int_eq(letters[0], 'o');
	k_mem_unpin(page, PAGE);
	ck_assert_int_eq(k_mem_page_out(page, PAGE), 0);
	k_mem_pin(page, PAGE);
	ck_assert_uint_eq(faults(), 2);
	ck_assert_int_eq(letters[1], 'n');
	k_mem_unpin(page, PAGE);
}
END_TEST

/* In or out, they cannot be written. */
START_TEST(pages_cannot_be_written)
{
	volatile char *writable = (volatile char *)(uintptr_t)text;

	EXPECT_TRAP(*writable = 'x', KMEM_FAULT_READ_ONLY, writable);
	ck_assert_int_eq(letters[0], 'o');
	EXPECT_TRAP(*writable = 'x', KMEM_FAULT_READ_ONLY, writable);
	ck_assert_int_eq(letters[0], 'o');
}
END_TEST

/* Constants that are made writable, and written to, are not what the file has: they come back from the store. */
START_TEST(changed_pages_go_to_the_store)
{
	volatile char *writable = (volatile char *)(uintptr_t)text;
	void *page = page_of(text);

	ck_assert_int_eq(letters[0], 'o');
	ck_assert_int_eq(k_mem_update_flags(page, PAGE, K_MEM_PERM_RW), 0);
	writable[0] = 'O';
	ck_assert_int_eq(k_mem_page_out(page, PAGE), 0);
	ck_assert_uint_eq(stats_now().store_writes, before.store_writes + 1);
	ck_assert_int_eq(letters[0], 'O');
	ck_assert_uint_eq(stats_now().store_reads, before.store_reads + 1);
	writable[0] = 'o';
	before = stats_now();
}
END_TEST

START_TEST(forked_programs_load_their_own)
{
	int status;
	pid_t child;

	ck_assert_int_eq(one(1), 2);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		bool is_right = one(2) == 3 && two(2) == 4 && letters[0] == 'o' && words[WORDS - 1] == 2;

		drop_all();
		is_right = is_right && one(3) == 4 && words[0] == 1;
		_exit(is_right && kmem_is_valid() && kmem_shutdown() == 0 && two(3) == 5 ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	ck_assert_uint_eq(faults(), 1);
	use_all();
	ck_assert_uint_eq(faults(), ALL_PAGES);
}
END_TEST

START_TEST(everything_is_there_after_shutdown)
{
	ck_assert_int_eq(one(1), 2);
	ck_assert_int_eq(kmem_shutdown(), 0);
	use_all();
	ck_assert_msg(kmem_boot(NULL) == 0, "%s", kmem_boot_error());
	before = stats_now();
	check_absent((void *)(uintptr_t)add_one, K_MEM_PERM_EXEC);
	check_absent(text, 0);
	use_all();
	ck_assert_uint_eq(faults(), ALL_PAGES);
}
END_TEST

/* A boot that comes to nothing, after the pages were taken away, gives them back. */
START_TEST(everything_is_there_after_a_boot_that_failed)
{
	struct kmem_config config = {.struct_size = sizeof(config), .store = "file:/nonexistent/store"};

	ck_assert_int_eq(kmem_shutdown(), 0);
	ck_assert_int_lt(kmem_boot(&config), 0);
	use_all();
	ck_assert_msg(kmem_boot(NULL) == 0, "%s", kmem_boot_error());
	before = stats_now();
	use_all();
	ck_assert_uint_eq(faults(), ALL_PAGES);
}
END_TEST

/* Without demand paging all of it is the image's. */
START_TEST(everything_is_there_without_demand_paging)
{
	struct kmem_config config = {.struct_size = sizeof(config), .demand_paging = KMEM_SWITCH_OFF};

	ck_assert_int_eq(kmem_shutdown(), 0);
	ck_assert_msg(kmem_boot(&config) == 0, "%s", kmem_boot_error());
	ck_assert_int_eq(status_of(text).state, KMEM_PAGE_STATE_IN);
	ck_assert_int_eq(status_of((void *)(uintptr_t)add_one).state, KMEM_PAGE_STATE_IN);
	use_all();
	ck_assert_int_eq(kmem_shutdown(), 0);
	ck_assert_msg(kmem_boot(NULL) == 0, "%s", kmem_boot_error());
	before = stats_now();
}
END_TEST

#else

START_TEST(program_without_section_headers_is_all_there)
{
	ck_assert_int_eq(status_of(page_of(text)).state, KMEM_PAGE_STATE_IN);
	ck_assert_int_eq(one(1), 2);
	ck_assert_int_eq(two(1), 3);
	ck_assert_int_eq(words[WORDS - 1], 2);
	ck_assert_int_eq(letters[0], 'o');
	ck_assert_uint_eq(faults(), 0);
	ck_assert_uint_eq(k_mem_free_get(), free_before);
}
END_TEST

#endif /* KMEM_TEST_STRIPPED */

Suite *kmem_test_suite(void)
{
	Suite *suite = suite_create("ondemand");
	TCase *ondemand = tcase_create("ondemand");

	tcase_add_checked_fixture(ondemand, setup, teardown);
#ifdef KMEM_TEST_STRIPPED
	tcase_add_test(ondemand, program_without_section_headers_is_all_there);
#else
	tcase_add_test(ondemand, pages_are_absent_at_boot);
	tcase_add_test(ondemand, each_page_is_one_fault);
	tcase_add_test(ondemand, pages_are_dropped_and_read_again);
	tcase_add_test(ondemand, pages_are_victims_like_others);
	tcase_add_test(ondemand, pages_may_be_brought_in_and_pinned);
	tcase_add_test(ondemand, pages_cannot_be_written);
	tcase_add_test(ondemand, changed_pages_go_to_the_store);
	tcase_add_test(ondemand, everything_is_there_after_shutdown);
	tcase_add_test(ondemand, everything_is_there_after_a_boot_that_failed);
	tcase_add_test(ondemand, everything_is_there_without_demand_paging);
	if (!harness_on_valgrind()) { /* it does not know of MADV_DONTFORK */
		tcase_add_test(ondemand, forked_programs_load_their_own);
	}
#endif
	suite_add_tcase(suite, ondemand);
	return suite;
}
