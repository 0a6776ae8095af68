/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Demand paging, as a Zephyr developer tests it: an arena larger than free memory, pages out and in, pinned pages,
 * and exact numbers of faults and evictions. It holds with the built-in modules and with those of module_*.c, with
 * and without demand mapping.
 */
#include <zephyr/kernel.h>
#include <zephyr/ztest.h>
#include <zephyr/kernel/mm.h>
#include <zephyr/kernel/mm/demand_paging.h>
#include <zephyr/sys/mem_manage.h>
#include <zephyr/timing/timing.h>
#include <kernel_arch_interface.h>
#include <mmu.h>

#ifndef CONFIG_DEMAND_PAGING_THREAD_STATS
#error "build it with all of CONFIG_DEMAND_PAGING_STATS, _THREAD_STATS and _TIMING_HISTOGRAM"
#endif

#define PAGE ((size_t)CONFIG_MMU_PAGE_SIZE)
#define SLOTS ((size_t)CONFIG_BACKING_STORE_RAM_PAGES)

/* One slot is for faults alone. */
#define SPARE (SLOTS - 1U)
#define HALF (SLOTS / 2U)

BUILD_ASSERT(CONFIG_BACKING_STORE_RAM_PAGES >= 16, "the tests page that many pages out");
BUILD_ASSERT(CONFIG_DEMAND_PAGING_PAGE_FRAMES_RESERVE == 0, "the tests know how many frames are free");

/* Counters of the modules, where they are linked in. */
extern __weak unsigned long module_nru_selects;
extern __weak unsigned long module_nru_ticks;
extern __weak unsigned long module_lru_selects;
extern __weak unsigned long module_lru_adds;
extern __weak unsigned long module_ram_store_page_outs;
extern __weak unsigned long module_ram_store_page_ins;
extern __weak unsigned long module_backed_store_page_outs;

static size_t arena_pages;
static volatile uint8_t *arena;
static size_t free_at_start;

static volatile uint8_t __aligned(CONFIG_MMU_PAGE_SIZE) static_buf[4 * CONFIG_MMU_PAGE_SIZE];

/* ---- what every test uses ---- */

static void map_arena(size_t more_pages_than_free)
{
	size_t size = k_mem_free_get() + more_pages_than_free * PAGE;

	arena = k_mem_map(size, K_MEM_PERM_RW);
	zassert_not_null((void *)arena, "failed to map %zu bytes, %zu free", size, k_mem_free_get());
	arena_pages = size / PAGE;
}

/* The byte of a page that tells it from the others. */
static uint8_t mark(size_t page)
{
	return (uint8_t)(page * 7U + page / 251U + 1U);
}

static void write_pages(size_t first, size_t count)
{
	for (size_t i = first; i < first + count; i++) {
		arena[i * PAGE + i % PAGE] = mark(i);
	}
}

static void read_pages(size_t first, size_t count)
{
	for (size_t i = first; i < first + count; i++) {
		uint8_t value = arena[i * PAGE + i % PAGE];

		zassert_equal(value, mark(i), "page %zu of %zu holds %u, not %u", i, arena_pages, value, mark(i));
	}
}

/* All frames in use, nothing out: as far as the arena goes. */
static void map_and_fill_ram(void)
{
	map_arena(0);
	write_pages(0, arena_pages);
}

static size_t pages_out(volatile uint8_t *addr, size_t pages)
{
	size_t count = 0;

	for (size_t i = 0; i < pages; i++) {
		uintptr_t location;

		if (arch_page_location_get((void *)(addr + i * PAGE), &location) == ARCH_PAGE_LOCATION_PAGED_OUT) {
			count++;
		}
	}
	return count;
}

static struct k_mem_paging_stats_t stats_now(void)
{
	struct k_mem_paging_stats_t stats;

	k_mem_paging_stats_get(&stats);
	return stats;
}

static struct k_mem_paging_stats_t thread_stats_now(void)
{
	struct k_mem_paging_stats_t stats;

	k_mem_paging_thread_stats_get(k_current_get(), &stats);
	return stats;
}

static unsigned long evictions(const struct k_mem_paging_stats_t *stats)
{
	return stats->eviction.clean + stats->eviction.dirty;
}

static void print_stats(const char *scope, const struct k_mem_paging_stats_t *stats)
{
	printk("* %s: %lu faults, %lu unlocked, %lu locked; evicted %lu clean, %lu dirty\n", scope,
	       stats->pagefaults.cnt, stats->pagefaults.irq_unlocked, stats->pagefaults.irq_locked,
	       stats->eviction.clean, stats->eviction.dirty);
#ifndef CONFIG_DEMAND_PAGING_ALLOW_IRQ
	printk("* %s: %lu faults in ISRs\n", scope, stats->pagefaults.in_isr);
#endif
}

/* ---- an arena larger than memory ---- */

ZTEST(demand_paging, test_arena_larger_than_ram)
{
	unsigned long faults;

	map_arena(SPARE);
#ifndef CONFIG_DEMAND_MAPPING
	zassert_equal(k_mem_free_get(), 0, "all memory is in use: %zu", k_mem_free_get());
	zassert_equal(pages_out(arena, arena_pages), SPARE);
	zassert_is_null(k_mem_map(PAGE, K_MEM_PERM_RW), "the last slot is for faults");
#else
	zassert_equal(k_mem_free_get(), free_at_start, "nothing is in use before it is touched");
#endif

	faults = k_mem_num_pagefaults_get();
	for (size_t i = 0; i < arena_pages * PAGE; i++) {
		arena[i] = (uint8_t)(i % 253U);
	}
	faults = k_mem_num_pagefaults_get() - faults;
	printk("%lu page faults for writing %zu pages\n", faults, arena_pages);
	zassert_true(faults >= SPARE, "%lu faults", faults);
	zassert_true(faults <= arena_pages, "%lu faults", faults);
#ifdef CONFIG_DEMAND_MAPPING
	zassert_equal(faults, arena_pages, "one fault a page");
#endif
	zassert_equal(k_mem_free_get(), 0);
	zassert_equal(pages_out(arena, arena_pages), SPARE);

	for (size_t i = 0; i < arena_pages * PAGE; i++) {
		zassert_equal(arena[i], (uint8_t)(i % 253U), "arena corrupted at index %zu: got 0x%x", i, arena[i]);
	}
	zassert_equal(pages_out(arena, arena_pages), SPARE);
}

ZTEST(demand_paging, test_each_fault_evicts_when_ram_is_full)
{
	struct k_mem_paging_stats_t before, after;

	map_arena(SPARE);
	write_pages(0, arena_pages);

	before = stats_now();
	for (int round = 0; round < 4; round++) {
		read_pages(0, arena_pages);
	}
	after = stats_now();
	zassert_true(after.pagefaults.cnt > before.pagefaults.cnt);
	zassert_equal(evictions(&after) - evictions(&before), after.pagefaults.cnt - before.pagefaults.cnt,
		      "no frame is free: one eviction a fault");
	zassert_true(after.eviction.clean > before.eviction.clean, "what was only read is clean");
	zassert_true(evictions(&after) - evictions(&before) >= 4 * SPARE, "each round misses what is out");
}

ZTEST(demand_paging, test_writes_are_evicted_dirty)
{
	struct k_mem_paging_stats_t before, after;

	map_arena(SPARE);
	write_pages(0, arena_pages);
	before = stats_now();
	for (int round = 0; round < 4; round++) {
		write_pages(0, arena_pages);
	}
	after = stats_now();
	zassert_equal(after.eviction.clean, before.eviction.clean, "every page is written to before it goes");
	zassert_true(after.eviction.dirty > before.eviction.dirty);
	read_pages(0, arena_pages);
}

#ifdef CONFIG_EVICTION_LRU
ZTEST(demand_paging, test_lru_misses_all_of_a_cycle)
{
	unsigned long faults;

	map_arena(1);
	write_pages(0, arena_pages);
	for (int round = 0; round < 3; round++) {
		write_pages(0, arena_pages);
	}
	faults = k_mem_num_pagefaults_get();
	read_pages(0, arena_pages);
	faults = k_mem_num_pagefaults_get() - faults;
	zassert_equal(faults, arena_pages, "%lu faults: the page that is needed next is the one that goes", faults);
}

/* The page at the head is watched: used, it goes to the end. */
ZTEST(demand_paging, test_lru_keeps_what_is_used)
{
	uintptr_t phys;
	unsigned long faults;

	map_arena(SPARE);
	write_pages(0, arena_pages);
	for (size_t i = 1; i < arena_pages; i++) {
		arena[0] = (uint8_t)i;
		write_pages(i, 1);
	}
	faults = k_mem_num_pagefaults_get();
	zassert_ok(arch_page_phys_get((void *)arena, &phys), "the page that was always in use is out");
	zassert_equal(k_mem_num_pagefaults_get(), faults);
}
#endif

ZTEST(demand_paging, test_unmap_arena)
{
	map_arena(SPARE);
	write_pages(0, arena_pages);
	k_mem_unmap((void *)arena, arena_pages * PAGE);
	arena = NULL;
	zassert_equal(k_mem_free_get(), free_at_start, "%zu bytes are gone", free_at_start - k_mem_free_get());

	/* Slots, too. */
	map_arena(SPARE);
	write_pages(0, arena_pages);
	read_pages(0, arena_pages);
}

/* ---- page out, page in ---- */

ZTEST(demand_paging, test_page_out)
{
	struct k_mem_paging_stats_t before, after;
	unsigned long faults;

	map_and_fill_ram();

	before = stats_now();
	zassert_ok(k_mem_page_out((void *)arena, HALF * PAGE));
	after = stats_now();
	zassert_equal(evictions(&after), evictions(&before), "evictions by hand do not count");
	zassert_equal(k_mem_free_get(), HALF * PAGE, "their frames are free");
	zassert_equal(pages_out(arena, arena_pages), HALF);

	/* What is out already is no matter. */
	zassert_ok(k_mem_page_out((void *)arena, HALF * PAGE));

	faults = k_mem_num_pagefaults_get();
	write_pages(0, HALF);
	zassert_equal(k_mem_num_pagefaults_get() - faults, HALF, "%lu page faults for %zu pages",
		      k_mem_num_pagefaults_get() - faults, HALF);
	after = stats_now();
	zassert_equal(evictions(&after), evictions(&before), "there were free frames");
	read_pages(0, arena_pages);
	zassert_equal(k_mem_num_pagefaults_get() - faults, HALF);
}

ZTEST(demand_paging, test_page_out_with_irqs_locked)
{
	struct k_mem_paging_stats_t before, after;
	unsigned long faults;
	unsigned int key;

	map_and_fill_ram();

	before = stats_now();
	key = irq_lock();
	faults = k_mem_num_pagefaults_get();
	(void)k_mem_page_out((void *)arena, HALF * PAGE);
	write_pages(0, HALF);
	faults = k_mem_num_pagefaults_get() - faults;
	irq_unlock(key);
	after = stats_now();

	zassert_equal(faults, HALF, "unexpected num pagefaults expected %zu got %lu", HALF, faults);
	zassert_equal(after.pagefaults.irq_locked - before.pagefaults.irq_locked, HALF);
	zassert_equal(after.pagefaults.irq_unlocked, before.pagefaults.irq_unlocked);

	zassert_ok(k_mem_page_out((void *)arena, PAGE));
	read_pages(0, 1);
	before = after;
	after = stats_now();
	zassert_equal(after.pagefaults.irq_locked, before.pagefaults.irq_locked);
	zassert_equal(after.pagefaults.irq_unlocked - before.pagefaults.irq_unlocked, 1);
	zassert_equal(after.pagefaults.cnt, after.pagefaults.irq_locked + after.pagefaults.irq_unlocked);
}

ZTEST(demand_paging, test_page_out_leaves_the_last_slot)
{
	int ret;

	map_and_fill_ram();
	ret = k_mem_page_out((void *)arena, (SPARE + 4U) * PAGE);
	zassert_equal(ret, -ENOMEM, "k_mem_page_out should have failed: %d", ret);
	zassert_equal(pages_out(arena, arena_pages), SPARE, "those before the first refused one stay out");
	zassert_equal(k_mem_free_get(), SPARE * PAGE);
	ret = k_mem_page_out((void *)(arena + SPARE * PAGE), PAGE);
	zassert_equal(ret, -ENOMEM);
	read_pages(0, arena_pages);
}

ZTEST(demand_paging, test_page_in)
{
	unsigned long faults;

	map_and_fill_ram();
	zassert_ok(k_mem_page_out((void *)arena, HALF * PAGE));

	faults = k_mem_num_pagefaults_get();
	k_mem_page_in((void *)arena, HALF * PAGE);
	zassert_equal(k_mem_num_pagefaults_get() - faults, HALF, "asking for it counts as well");

	faults = k_mem_num_pagefaults_get();
	read_pages(0, HALF);
	write_pages(0, HALF);
	zassert_equal(k_mem_num_pagefaults_get(), faults, "%zu page faults when 0 expected",
		      (size_t)(k_mem_num_pagefaults_get() - faults));
	k_mem_page_in((void *)arena, arena_pages * PAGE);
	zassert_equal(k_mem_num_pagefaults_get(), faults, "resident pages");
}

/* What was brought in and only read is clean; a write makes it dirty. */
ZTEST(demand_paging, test_dirty_bit)
{
	uintptr_t info;

	map_and_fill_ram();
	zassert_ok(k_mem_page_out((void *)arena, PAGE));
	info = arch_page_info_get((void *)arena, NULL, false);
	zassert_equal(info & ARCH_DATA_PAGE_LOADED, 0);
	zassert_equal(info & ARCH_DATA_PAGE_NOT_MAPPED, 0);

	k_mem_page_in((void *)arena, PAGE);
	info = arch_page_info_get((void *)arena, NULL, false);
	zassert_not_equal(info & ARCH_DATA_PAGE_LOADED, 0);
	zassert_equal(info & ARCH_DATA_PAGE_DIRTY, 0, "nobody has written");

	read_pages(0, 1);
	info = arch_page_info_get((void *)arena, NULL, false);
	zassert_equal(info & ARCH_DATA_PAGE_DIRTY, 0, "nobody has written");
	zassert_not_equal(info & ARCH_DATA_PAGE_ACCESSED, 0);

	write_pages(0, 1);
	info = arch_page_info_get((void *)arena, NULL, true);
	zassert_not_equal(info & ARCH_DATA_PAGE_DIRTY, 0);
	zassert_not_equal(info & ARCH_DATA_PAGE_ACCESSED, 0, "the state before it was cleared");
	info = arch_page_info_get((void *)arena, NULL, false);
	zassert_equal(info & ARCH_DATA_PAGE_ACCESSED, 0);
	zassert_not_equal(info & ARCH_DATA_PAGE_DIRTY, 0, "clearing accessed leaves dirty alone");
	read_pages(0, 1);
	info = arch_page_info_get((void *)arena, NULL, false);
	zassert_not_equal(info & ARCH_DATA_PAGE_ACCESSED, 0, "used again");
}

/* ---- pinned pages ---- */

ZTEST(demand_paging, test_pin)
{
	struct k_mem_page_frame *pf;
	unsigned long faults;
	uintptr_t phys;

	map_arena(SPARE);
	write_pages(0, arena_pages);

	k_mem_pin((void *)arena, HALF * PAGE);
	for (size_t i = 0; i < HALF; i++) {
		zassert_ok(arch_page_phys_get((void *)(arena + i * PAGE), &phys));
		pf = k_mem_phys_to_page_frame(phys);
		zassert_true(k_mem_page_frame_is_pinned(pf));
		zassert_false(k_mem_page_frame_is_evictable(pf));
		zassert_equal(k_mem_page_frame_to_virt(pf), (void *)(arena + i * PAGE));
		zassert_equal(k_mem_page_frame_to_phys(pf), phys);
	}

	/* Enough for every other page to have gone. */
	for (int round = 0; round < 3; round++) {
		write_pages(HALF, arena_pages - HALF);
		read_pages(HALF, arena_pages - HALF);
	}
	faults = k_mem_num_pagefaults_get();
	read_pages(0, HALF);
	write_pages(0, HALF);
	zassert_equal(k_mem_num_pagefaults_get(), faults, "%zu page faults when 0 expected",
		      (size_t)(k_mem_num_pagefaults_get() - faults));

	/* A flag and no count. */
	k_mem_pin((void *)arena, HALF * PAGE);
	k_mem_unpin((void *)arena, HALF * PAGE);
	zassert_ok(arch_page_phys_get((void *)arena, &phys));
	zassert_false(k_mem_page_frame_is_pinned(k_mem_phys_to_page_frame(phys)));
}

ZTEST(demand_paging, test_unpin)
{
	unsigned long faults;

	map_and_fill_ram();
	k_mem_pin((void *)arena, HALF * PAGE);
	k_mem_unpin((void *)arena, HALF * PAGE);
	k_mem_unpin((void *)arena, arena_pages * PAGE);
	zassert_ok(k_mem_page_out((void *)arena, HALF * PAGE));
	k_mem_unpin((void *)arena, HALF * PAGE);
	zassert_equal(pages_out(arena, HALF), HALF, "unpinning brings nothing in");

	faults = k_mem_num_pagefaults_get();
	k_mem_pin((void *)arena, HALF * PAGE);
	zassert_equal(k_mem_num_pagefaults_get() - faults, HALF, "pinning does");
	k_mem_unpin((void *)arena, HALF * PAGE);
}

ZTEST(demand_paging, test_locked_memory)
{
	unsigned long faults;
	volatile uint8_t *locked = k_mem_map(HALF * PAGE, K_MEM_PERM_RW | K_MEM_MAP_LOCK);

	zassert_not_null((void *)locked);
	map_arena(SPARE);
	for (int round = 0; round < 2; round++) {
		write_pages(0, arena_pages);
		read_pages(0, arena_pages);
	}
	faults = k_mem_num_pagefaults_get();
	for (size_t i = 0; i < HALF * PAGE; i++) {
		locked[i] = (uint8_t)(locked[i] + 1U);
	}
	zassert_equal(k_mem_num_pagefaults_get(), faults, "locked memory does not fault");

	k_mem_unpin((void *)locked, HALF * PAGE);
	write_pages(0, arena_pages);
	for (size_t i = 0; i < HALF * PAGE; i++) {
		zassert_equal(locked[i], 1);
	}
	k_mem_unmap((void *)locked, HALF * PAGE);
}

/* The assertion aborts the test, which passes by it. */
ZTEST(demand_paging, test_page_out_of_pinned_asserts)
{
	map_and_fill_ram();
	k_mem_pin((void *)arena, PAGE);
	ztest_set_fault_valid(true);
	(void)k_mem_page_out((void *)arena, PAGE);
#ifdef CONFIG_ASSERT
	ztest_test_fail();
#else
	ztest_set_fault_valid(false);
#endif
}

/* ---- frames ---- */

ZTEST(demand_paging, test_page_frame_evict)
{
	struct k_mem_page_frame *pf;
	unsigned long faults;
	uintptr_t phys;
	size_t evicted = 0;
	size_t refused = 0;

	map_and_fill_ram();
	K_MEM_PAGE_FRAME_FOREACH(phys, pf)
	{
		if (!k_mem_page_frame_is_evictable(pf)) {
			continue;
		}
		if (k_mem_page_frame_evict(phys) == 0) {
			evicted++;
			zassert_true(k_mem_page_frame_is_free(pf));
		} else {
			refused++;
			zassert_true(k_mem_page_frame_is_evictable(pf));
		}
	}
	zassert_equal(evicted, SPARE, "%zu frames", evicted);
	zassert_equal(refused, arena_pages - SPARE);
	zassert_equal(pages_out(arena, arena_pages), SPARE);
	faults = k_mem_num_pagefaults_get();
	read_pages(0, arena_pages);
	zassert_equal(k_mem_num_pagefaults_get() - faults, SPARE);

	/* A frame with no page in it. */
	k_mem_unmap((void *)arena, arena_pages * PAGE);
	arena = NULL;
	zassert_ok(k_mem_page_frame_evict(phys - PAGE));
}

ZTEST(demand_paging, test_frame_database)
{
	struct k_mem_page_frame *pf;
	uintptr_t phys;
	size_t free_frames = 0;
	size_t frames = 0;

	zassert_equal(sizeof(struct k_mem_page_frame), sizeof(void *));
	K_MEM_PAGE_FRAME_FOREACH(phys, pf)
	{
		zassert_equal(k_mem_page_frame_to_phys(pf), phys);
		zassert_equal(k_mem_phys_to_page_frame(phys), pf);
		zassert_true(k_mem_is_page_frame(phys));
		free_frames += k_mem_page_frame_is_free(pf) ? 1U : 0U;
		frames++;
	}
	zassert_equal(frames, K_MEM_NUM_PAGE_FRAMES);
	zassert_equal(phys, K_MEM_PHYS_RAM_END);
	zassert_equal(free_frames * PAGE, k_mem_free_get() + CONFIG_DEMAND_PAGING_PAGE_FRAMES_RESERVE * PAGE);
	zassert_false(k_mem_is_page_frame(phys));
	zassert_false(k_mem_is_page_frame(K_MEM_PHYS_RAM_START - PAGE));
	k_mem_page_frames_dump();
}

/* ---- counters ---- */

ZTEST(demand_paging, test_totals)
{
	struct k_mem_paging_stats_t stats = stats_now();
	struct k_mem_paging_stats_t thread = thread_stats_now();

	print_stats("kernel", &stats);
	print_stats("thread", &thread);
	zassert_equal(stats.pagefaults.cnt, stats.pagefaults.irq_locked + stats.pagefaults.irq_unlocked);
	zassert_equal(stats.pagefaults.cnt, k_mem_num_pagefaults_get());
	zassert_true(stats.pagefaults.cnt >= thread.pagefaults.cnt);
	zassert_not_equal(stats.eviction.dirty, 0, "there should be dirty pages being evicted.");
	zassert_not_equal(stats.eviction.clean, 0, "there should be clean pages being evicted.");

	/* All tests run on one thread object: what the tests before have done is in its counters. */
	zassert_not_equal(thread.pagefaults.cnt, 0);
	zassert_not_equal(thread.eviction.dirty, 0);

	k_mem_paging_stats_get(NULL);
	k_mem_paging_thread_stats_get(NULL, &thread);
	k_mem_paging_thread_stats_get(k_current_get(), NULL);
}

ZTEST_USER(demand_paging, test_user_stats)
{
	struct k_mem_paging_stats_t stats;

	k_mem_paging_stats_get(&stats);
	zassert_equal(stats.pagefaults.cnt, stats.pagefaults.irq_locked + stats.pagefaults.irq_unlocked);
	k_mem_paging_thread_stats_get(k_current_get(), &stats);
	zassert_equal(stats.pagefaults.cnt, stats.pagefaults.irq_locked + stats.pagefaults.irq_unlocked);
}

#define WORKERS 3U

K_THREAD_STACK_ARRAY_DEFINE(worker_stacks, WORKERS, 1024);
static struct k_thread workers[WORKERS];

static void touch(void *first, void *count, void *unused)
{
	ARG_UNUSED(unused);
	write_pages((size_t)(uintptr_t)first, (size_t)(uintptr_t)count);
}

ZTEST(demand_paging, test_thread_stats)
{
	struct k_mem_paging_stats_t total, total_after, self, self_after, worker;
	size_t share = HALF / WORKERS;

	map_and_fill_ram();
	zassert_ok(k_mem_page_out((void *)arena, WORKERS * share * PAGE));
	total = stats_now();
	self = thread_stats_now();
	for (size_t i = 0; i < WORKERS; i++) {
		k_thread_create(&workers[i], worker_stacks[i], K_THREAD_STACK_SIZEOF(worker_stacks[i]), touch,
				(void *)(uintptr_t)(i * share), (void *)(uintptr_t)share, NULL, K_PRIO_PREEMPT(2), 0,
				K_NO_WAIT);
	}
	for (size_t i = 0; i < WORKERS; i++) {
		zassert_ok(k_thread_join(&workers[i], K_SECONDS(20)));
	}
	total_after = stats_now();
	self_after = thread_stats_now();
	for (size_t i = 0; i < WORKERS; i++) {
		k_mem_paging_thread_stats_get(&workers[i], &worker);
		zassert_equal(worker.pagefaults.cnt, share, "thread %zu had %lu faults", i, worker.pagefaults.cnt);
		zassert_equal(evictions(&worker), 0, "there were free frames");
	}
	zassert_equal(total_after.pagefaults.cnt - total.pagefaults.cnt, WORKERS * share);
	zassert_equal(self_after.pagefaults.cnt, self.pagefaults.cnt, "this thread had none");
	read_pages(0, arena_pages);
}

/* Threads that fault on the same pages: one fault for each page. */
ZTEST(demand_paging, test_threads_share_faults)
{
	unsigned long faults;

	map_and_fill_ram();
	zassert_ok(k_mem_page_out((void *)arena, HALF * PAGE));
	faults = k_mem_num_pagefaults_get();
	for (size_t i = 0; i < WORKERS; i++) {
		k_thread_create(&workers[i], worker_stacks[i], K_THREAD_STACK_SIZEOF(worker_stacks[i]), touch, NULL,
				(void *)(uintptr_t)HALF, NULL, K_PRIO_PREEMPT(2), 0, K_NO_WAIT);
	}
	for (size_t i = 0; i < WORKERS; i++) {
		zassert_ok(k_thread_join(&workers[i], K_SECONDS(20)));
	}
	zassert_equal(k_mem_num_pagefaults_get() - faults, HALF);
}

#ifndef CONFIG_DEMAND_PAGING_ALLOW_IRQ
K_SEM_DEFINE(expired, 0, 1);

static void touch_in_isr(struct k_timer *timer)
{
	ARG_UNUSED(timer);
	write_pages(0, 2);
	k_sem_give(&expired);
}

K_TIMER_DEFINE(isr_timer, touch_in_isr, NULL);

ZTEST(demand_paging, test_fault_in_isr)
{
	struct k_mem_paging_stats_t before, after;

	map_and_fill_ram();
	zassert_ok(k_mem_page_out((void *)arena, 2 * PAGE));
	before = stats_now();
	k_timer_start(&isr_timer, K_MSEC(5), K_NO_WAIT);
	zassert_ok(k_sem_take(&expired, K_SECONDS(10)));
	after = stats_now();
	zassert_equal(after.pagefaults.cnt - before.pagefaults.cnt, 2);
	zassert_equal(after.pagefaults.in_isr - before.pagefaults.in_isr, 2, "in_isr rose by %lu",
		      after.pagefaults.in_isr - before.pagefaults.in_isr);
}
#endif

static unsigned long sum(const struct k_mem_paging_histogram_t *hist)
{
	unsigned long total = 0;

	for (size_t i = 0; i < ARRAY_SIZE(hist->counts); i++) {
		if (i > 0) {
			zassert_true(hist->bounds[i] > hist->bounds[i - 1], "bound %zu", i);
		}
		total += hist->counts[i];
	}
	zassert_equal(hist->bounds[ARRAY_SIZE(hist->bounds) - 1], ULONG_MAX);
	return total;
}

ZTEST_USER(demand_paging, test_user_histograms)
{
	struct k_mem_paging_histogram_t hist;

	(void)memset(&hist, 0, sizeof(hist));
	k_mem_paging_histogram_eviction_get(&hist);
	zassert_not_equal(sum(&hist), 0, "no evictions were timed");
	(void)memset(&hist, 0, sizeof(hist));
	k_mem_paging_histogram_backing_store_page_in_get(&hist);
	zassert_not_equal(sum(&hist), 0, "no reads were timed");
	(void)memset(&hist, 0, sizeof(hist));
	k_mem_paging_histogram_backing_store_page_out_get(&hist);
	zassert_not_equal(sum(&hist), 0, "no writes were timed");
	k_mem_paging_histogram_eviction_get(NULL);
	k_mem_paging_histogram_backing_store_page_in_get(NULL);
	k_mem_paging_histogram_backing_store_page_out_get(NULL);
}

ZTEST(demand_paging, test_histogram_sums)
{
	struct k_mem_paging_histogram_t eviction[2], in[2], out[2];
	struct k_mem_paging_stats_t before, after;

	map_arena(SPARE);
	write_pages(0, arena_pages);

	before = stats_now();
	k_mem_paging_histogram_eviction_get(&eviction[0]);
	k_mem_paging_histogram_backing_store_page_in_get(&in[0]);
	k_mem_paging_histogram_backing_store_page_out_get(&out[0]);
	for (int round = 0; round < 3; round++) {
		read_pages(0, arena_pages);
	}
	k_mem_paging_histogram_eviction_get(&eviction[1]);
	k_mem_paging_histogram_backing_store_page_in_get(&in[1]);
	k_mem_paging_histogram_backing_store_page_out_get(&out[1]);
	after = stats_now();

	zassert_equal(sum(&eviction[1]) - sum(&eviction[0]), evictions(&after) - evictions(&before));
	zassert_equal(sum(&in[1]) - sum(&in[0]), after.pagefaults.cnt - before.pagefaults.cnt);
	if (&module_backed_store_page_outs == NULL) {
		/* A page that came in gave its slot back: clean ones are written as well. */
		zassert_equal(sum(&out[1]) - sum(&out[0]), evictions(&after) - evictions(&before));
	}
}

/* ---- static memory ---- */

ZTEST(demand_paging, test_static_pages)
{
	size_t pages = sizeof(static_buf) / PAGE;
	size_t free_before = k_mem_free_get();
	unsigned long faults;
	uintptr_t phys;

	/* A program with a layout of its own has no pages in the VM. */
	if ((uint8_t *)static_buf < K_MEM_VIRT_RAM_START || (uint8_t *)static_buf >= K_MEM_VIRT_RAM_END) {
		ztest_test_skip();
	}
	for (size_t i = 0; i < sizeof(static_buf); i++) {
		static_buf[i] = (uint8_t)(i % 239U);
	}
	zassert_ok(arch_page_phys_get((void *)static_buf, &phys));
	zassert_equal(phys, k_mem_phys_addr((void *)static_buf), "1:1");
	zassert_true(k_mem_page_frame_is_pinned(k_mem_phys_to_page_frame(phys)), "the program is pinned");

	k_mem_unpin((void *)static_buf, sizeof(static_buf));
	zassert_false(k_mem_page_frame_is_pinned(k_mem_phys_to_page_frame(phys)));
	zassert_ok(k_mem_page_out((void *)static_buf, sizeof(static_buf)));
	zassert_equal(pages_out(static_buf, pages), pages);
	zassert_equal(k_mem_free_get(), free_before + sizeof(static_buf));

	faults = k_mem_num_pagefaults_get();
	for (size_t i = 0; i < sizeof(static_buf); i++) {
		zassert_equal(static_buf[i], (uint8_t)(i % 239U), "another byte at index %zu", i);
	}
	zassert_equal(k_mem_num_pagefaults_get() - faults, pages);
	zassert_equal(k_mem_free_get(), free_before);

	/* And under pressure. */
	map_arena(HALF);
	for (int round = 0; round < 2; round++) {
		write_pages(0, arena_pages);
		for (size_t i = 0; i < sizeof(static_buf); i++) {
			zassert_equal(static_buf[i], (uint8_t)(i % 239U), "another byte at index %zu", i);
		}
	}
	k_mem_pin((void *)static_buf, sizeof(static_buf));
	write_pages(0, arena_pages);
	faults = k_mem_num_pagefaults_get();
	for (size_t i = 0; i < sizeof(static_buf); i++) {
		zassert_equal(static_buf[i], (uint8_t)(i % 239U), "another byte at index %zu", i);
	}
	zassert_equal(k_mem_num_pagefaults_get(), faults, "pinned");
}

/* ---- modules ---- */

ZTEST(demand_paging, test_modules)
{
	struct k_mem_paging_stats_t before, after;
	unsigned long selects = 0, outs = 0, ins = 0;

	map_arena(SPARE);
	write_pages(0, arena_pages);
	before = stats_now();
	if (&module_nru_selects != NULL) {
		selects = module_nru_selects;
	}
	if (&module_lru_selects != NULL) {
		selects = module_lru_selects;
	}
	if (&module_ram_store_page_outs != NULL) {
		outs = module_ram_store_page_outs;
		ins = module_ram_store_page_ins;
	}
	read_pages(0, arena_pages);
	after = stats_now();
	if (&module_nru_selects != NULL) {
		zassert_equal(module_nru_selects - selects, evictions(&after) - evictions(&before));
		zassert_not_equal(module_nru_ticks, 0, "its timer has not run");
	}
	if (&module_lru_selects != NULL) {
		zassert_equal(module_lru_selects - selects, evictions(&after) - evictions(&before));
		zassert_not_equal(module_lru_adds, 0);
	}
	if (&module_ram_store_page_outs != NULL) {
		zassert_equal(module_ram_store_page_outs - outs, evictions(&after) - evictions(&before));
		zassert_equal(module_ram_store_page_ins - ins, after.pagefaults.cnt - before.pagefaults.cnt);
	}
}

/* A store that keeps copies: what is clean and has one goes out without being written. */
ZTEST(demand_paging, test_backed_pages)
{
	unsigned long outs;

	if (&module_backed_store_page_outs == NULL) {
		ztest_test_skip();
	}
	map_and_fill_ram();
	outs = module_backed_store_page_outs;
	zassert_ok(k_mem_page_out((void *)arena, HALF * PAGE));
	zassert_equal(module_backed_store_page_outs - outs, HALF, "these were dirty");
	read_pages(0, HALF);
	zassert_ok(k_mem_page_out((void *)arena, HALF * PAGE));
	zassert_equal(module_backed_store_page_outs - outs, HALF, "these have copies");
	read_pages(0, HALF);
	write_pages(0, 2);
	zassert_ok(k_mem_page_out((void *)arena, HALF * PAGE));
	zassert_equal(module_backed_store_page_outs - outs, HALF + 2, "two of the copies were out of date");
	read_pages(0, arena_pages);
}

/* ---- around all of them ---- */

static void before(void *fixture)
{
	ARG_UNUSED(fixture);
	free_at_start = k_mem_free_get();
}

/* Whatever a test has mapped costs nothing afterwards: frames or slots. */
static void after(void *fixture)
{
	ARG_UNUSED(fixture);
	if (arena != NULL) {
		k_mem_unmap((void *)arena, arena_pages * PAGE);
		arena = NULL;
	}
	zassert_equal(k_mem_free_get(), free_at_start, "%zu bytes were free, and now %zu", free_at_start,
		      k_mem_free_get());
}

/* Enough evictions of both kinds for the tests that look at sums, whatever the order. */
static void *setup(void)
{
	TC_PRINT("%zu KiB of RAM, %zu KiB free, %zu slots\n", K_MEM_PHYS_RAM_SIZE / 1024, k_mem_free_get() / 1024,
		 SLOTS);
	map_arena(SPARE);
	write_pages(0, arena_pages);
	for (int round = 0; round < 3; round++) {
		read_pages(0, arena_pages);
	}
	k_mem_unmap((void *)arena, arena_pages * PAGE);
	arena = NULL;
	return NULL;
}

ZTEST_SUITE(demand_paging, NULL, setup, before, after, NULL);
