/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A test suite for demand paging, as one would write it for a board.
 *
 * What pages out, comes back, and costs a fault is counted exactly. A test that must end in a CPU exception says so
 * to the fatal error handler, which passes it; any other exception fails the test that ran into it.
 */
#include <zephyr/kernel/mm.h>
#include <zephyr/kernel/mm/demand_paging.h>
#include <zephyr/ztest.h>
#include <kernel_arch_interface.h>
#include <mmu.h>

#define PAGE_SIZE CONFIG_MMU_PAGE_SIZE
#define PAGES 16
#define SIZE (PAGES * PAGE_SIZE)
#define WORDS_IN_PAGE (PAGE_SIZE / sizeof(uintptr_t))

/* In the test that overcommits: how much more than what is free. */
#define EXTRA_PAGES 32

static uintptr_t *arena;
static volatile bool expect_exception;

void k_sys_fatal_error_handler(unsigned int reason, const struct arch_esf *esf)
{
	ARG_UNUSED(esf);

	if (expect_exception && reason == K_ERR_CPU_EXCEPTION) {
		expect_exception = false;
		printk("the exception that was expected\n");
		ztest_test_pass();
	}
	printk("an exception that was not expected, reason %u\n", reason);
	ztest_test_fail();
}

/* Every word holds its own address. */
static void fill(uintptr_t *words, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		words[i] = (uintptr_t)&words[i];
	}
}

static void check(const uintptr_t *words, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		zassert_equal(words[i], (uintptr_t)&words[i], "word %zu at %p holds 0x%lx", i, &words[i], words[i]);
	}
}

/* One word of every page. */
static uintptr_t touch(const volatile uintptr_t *words, size_t count)
{
	uintptr_t sum = 0;

	for (size_t i = 0; i < count; i += WORDS_IN_PAGE) {
		sum += words[i];
	}
	return sum;
}

static void before(void *fixture)
{
	ARG_UNUSED(fixture);

	expect_exception = false;
	arena = k_mem_map(SIZE, K_MEM_PERM_RW);
	zassert_not_null(arena, "cannot map %d bytes", (int)SIZE);
}

static void after(void *fixture)
{
	ARG_UNUSED(fixture);

	if (arena != NULL) {
		k_mem_unmap(arena, SIZE);
		arena = NULL;
	}
}

ZTEST(paging_suite, test_map_gives_zeroed_frames)
{
	size_t free_before = k_mem_free_get();
	uint8_t *page = k_mem_map(PAGE_SIZE, K_MEM_PERM_RW);

	zassert_not_null(page);
	zassert_equal(free_before - k_mem_free_get(), PAGE_SIZE, "a page is not a frame");
	for (size_t i = 0; i < PAGE_SIZE; i++) {
		zassert_equal(page[i], 0, "byte %zu is %u", i, page[i]);
	}
	k_mem_unmap(page, PAGE_SIZE);
	zassert_equal(k_mem_free_get(), free_before, "unmapping gives the frame back");
}

ZTEST(paging_suite, test_paged_out_page_faults_once)
{
	size_t free_before = k_mem_free_get();
	unsigned long faults;

	fill(arena, PAGES * WORDS_IN_PAGE);
	zassert_ok(k_mem_page_out(arena, SIZE));
	zassert_equal(k_mem_free_get() - free_before, SIZE, "pages that are out hold no frames");

	faults = k_mem_num_pagefaults_get();
	check(arena, PAGES * WORDS_IN_PAGE);
	fill(arena, PAGES * WORDS_IN_PAGE);
	zassert_equal(k_mem_num_pagefaults_get() - faults, PAGES, "reads and writes of a page are one fault");
}

ZTEST(paging_suite, test_paged_in_and_pinned_pages_do_not_fault)
{
	unsigned long faults;

	fill(arena, PAGES * WORDS_IN_PAGE);
	zassert_ok(k_mem_page_out(arena, SIZE));
	k_mem_page_in(arena, SIZE / 2);
	k_mem_pin((uint8_t *)arena + SIZE / 2, SIZE / 2);

	faults = k_mem_num_pagefaults_get();
	check(arena, PAGES * WORDS_IN_PAGE);
	zassert_equal(k_mem_num_pagefaults_get() - faults, 0);

	k_mem_unpin((uint8_t *)arena + SIZE / 2, SIZE / 2);
	zassert_ok(k_mem_page_out(arena, SIZE), "unpinned pages may go");
}

ZTEST(paging_suite, test_more_memory_than_ram)
{
	size_t pages = k_mem_free_get() / PAGE_SIZE + EXTRA_PAGES;
	struct k_mem_paging_stats_t start, stats;
	uintptr_t *memory;

	zassert_true(pages <= K_MEM_NUM_PAGE_FRAMES + EXTRA_PAGES);
	k_mem_paging_stats_get(&start);
	memory = k_mem_map(pages * PAGE_SIZE, K_MEM_PERM_RW);
	zassert_not_null(memory, "%zu pages", pages);
	fill(memory, pages * WORDS_IN_PAGE);
	check(memory, pages * WORDS_IN_PAGE);
	k_mem_paging_stats_get(&stats);
	k_mem_unmap(memory, pages * PAGE_SIZE);

	zassert_true(stats.pagefaults.cnt - start.pagefaults.cnt >= EXTRA_PAGES);
	zassert_equal(stats.pagefaults.cnt, stats.pagefaults.irq_locked + stats.pagefaults.irq_unlocked);
	zassert_true(stats.eviction.dirty > start.eviction.dirty, "what was written goes out dirty");
}

ZTEST(paging_suite, test_pinned_pages_outlast_pressure)
{
	size_t pages;
	uintptr_t *memory;
	unsigned long faults;

	fill(arena, PAGES * WORDS_IN_PAGE);
	k_mem_pin(arena, SIZE);
	pages = k_mem_free_get() / PAGE_SIZE + EXTRA_PAGES;
	memory = k_mem_map(pages * PAGE_SIZE, K_MEM_PERM_RW);
	zassert_not_null(memory);
	fill(memory, pages * WORDS_IN_PAGE);

	faults = k_mem_num_pagefaults_get();
	check(arena, PAGES * WORDS_IN_PAGE);
	zassert_equal(k_mem_num_pagefaults_get() - faults, 0);
	k_mem_unmap(memory, pages * PAGE_SIZE);
}

ZTEST(paging_suite, test_pages_that_are_only_read_stay_clean)
{
	uintptr_t info;

	fill(arena, PAGES * WORDS_IN_PAGE);
	zassert_ok(k_mem_page_out(arena, SIZE));
	zassert_not_equal(touch(arena, PAGES * WORDS_IN_PAGE), 0);

	info = arch_page_info_get(arena, NULL, false);
	zassert_equal(info & ARCH_DATA_PAGE_DIRTY, 0, "read, not written");
	arena[0] = 1;
	info = arch_page_info_get(arena, NULL, false);
	zassert_not_equal(info & ARCH_DATA_PAGE_DIRTY, 0, "written");
}

ZTEST(paging_suite, test_guard_page_behind_the_mapping)
{
	expect_exception = true;
	arena[PAGES * WORDS_IN_PAGE] = 1;
	zassert_unreachable("a write right behind the mapping went through");
}

ZTEST(paging_suite, test_guard_page_before_the_mapping)
{
	const volatile uintptr_t *last = arena - 1;

	expect_exception = true;
	zassert_unreachable("a read right before the mapping gave %lu", *last);
}

ZTEST(paging_suite, test_read_only_page_cannot_be_written)
{
	fill(arena, WORDS_IN_PAGE);
	zassert_ok(k_mem_update_flags(arena, PAGE_SIZE, 0));
	check(arena, WORDS_IN_PAGE);

	expect_exception = true;
	arena[0] = 1;
	zassert_unreachable("a write to a read-only page went through");
}

ZTEST_SUITE(paging_suite, NULL, NULL, before, after, NULL);
