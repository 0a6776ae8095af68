/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Demand paging, by exact counts: one fault for each page that was out, none for anything else. Words hold their own address
 * and are walked forwards, backwards and in a zigzag.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include <kmem/fatal.h>
#include <kmem/kmem.h>

#include "harness.h"
#include "state.h"

#define PAGE 4096UL
#define FRAMES 32UL
#define SLOTS 64UL

static struct harness_leaks leaks;

static void boot(struct kmem_config *config)
{
	config->struct_size = sizeof(*config);
	config->vm_size = config->vm_size != 0 ? config->vm_size : 64UL << 20;
	config->ram_size = config->ram_size != 0 ? config->ram_size : FRAMES * PAGE;
	ck_assert_msg(kmem_boot(config) == 0, "%s", kmem_boot_error());
}

static void setup(void)
{
	struct kmem_config config = {.store = "ram:64", .policy = "lru"};

	harness_leaks_begin(&leaks);
	boot(&config);
}

static void setup_eager(void)
{
	struct kmem_config config = {.store = "ram:64", .policy = "lru", .demand_mapping = KMEM_SWITCH_OFF};

	harness_leaks_begin(&leaks);
	boot(&config);
}

static void setup_none(void)
{
	harness_leaks_begin(&leaks);
}

static void teardown(void)
{
	ck_assert(kmem_is_valid());
	(void)kmem_shutdown();
	harness_leaks_check(&leaks);
}

static void *map(size_t pages)
{
	void *addr = k_mem_map(pages * PAGE, K_MEM_PERM_RW);

	ck_assert_ptr_nonnull(addr);
	return addr;
}

static void fill(uintptr_t *words, size_t pages)
{
	for (size_t i = 0; i < pages * PAGE / sizeof(*words); i++) {
		words[i] = (uintptr_t)&words[i];
	}
}

static void touch(volatile uint8_t *bytes, size_t pages)
{
	for (size_t i = 0; i < pages; i++) {
		(void)bytes[i * PAGE];
	}
}

/* Check writes a message for every assertion that it meets, and there are a million words. */
static void word_check(const uintptr_t *words, size_t i)
{
	if (words[i] != (uintptr_t)&words[i]) {
		ck_abort_msg("word %zu holds 0x%zx", i, (size_t)words[i]);
	}
}

/* Forwards, backwards, and from both ends to the middle, page by page. */
static void check(const uintptr_t *words, size_t pages)
{
	size_t count = pages * PAGE / sizeof(*words);

	for (size_t i = 0; i < count; i++) {
		word_check(words, i);
	}
	for (size_t i = count; i-- > 0;) {
		word_check(words, i);
	}
	for (size_t i = 0; i < pages / 2; i++) {
		word_check(words, i * PAGE / sizeof(*words));
		word_check(words, (pages - 1 - i) * PAGE / sizeof(*words));
	}
}

START_TEST(first_touch_of_lazy_page_faults_once)
{
	volatile uint8_t *bytes = map(4);
	unsigned long before = k_mem_num_pagefaults_get();

	ck_assert_uint_eq(bytes[0], 0);
	ck_assert_uint_eq(k_mem_num_pagefaults_get() - before, 1);
	bytes[1] = 1;
	bytes[PAGE - 1] = 1;
	ck_assert_uint_eq(k_mem_num_pagefaults_get() - before, 1);
	bytes[3 * PAGE] = 1;
	ck_assert_uint_eq(k_mem_num_pagefaults_get() - before, 2);
}
END_TEST

START_TEST(free_memory_drops_at_first_touch_not_at_map)
{
	size_t before = k_mem_free_get();
	volatile uint8_t *bytes = map(4);

	ck_assert_uint_eq(k_mem_free_get(), before);
	(void)bytes[0];
	ck_assert_uint_eq(k_mem_free_get(), before - PAGE);
	k_mem_unmap((void *)bytes, 4 * PAGE);
	ck_assert_uint_eq(k_mem_free_get(), before);
}
END_TEST

START_TEST(page_out_then_touch_faults_once_per_page)
{
	uintptr_t *words = map(8);
	unsigned long before;

	fill(words, 8);
	before = k_mem_num_pagefaults_get();
	ck_assert_int_eq(k_mem_page_out(words, 8 * PAGE), 0);
	ck_assert_uint_eq(k_mem_num_pagefaults_get(), before);
	touch((volatile uint8_t *)words, 8);
	ck_assert_uint_eq(k_mem_num_pagefaults_get() - before, 8);
	check(words, 8);
	ck_assert_uint_eq(k_mem_num_pagefaults_get() - before, 8);
}
END_TEST

START_TEST(writes_to_pages_read_first_count_one_fault)
{
	volatile uint8_t *bytes = map(4);
	unsigned long before;
	unsigned long minor;

	memset((void *)bytes, 7, 4 * PAGE);
	ck_assert_int_eq(k_mem_page_out((void *)bytes, 4 * PAGE), 0);
	before = k_mem_num_pagefaults_get();
	minor = stats_now().minor_faults;
	for (size_t i = 0; i < 4; i++) {
		ck_assert_uint_eq(bytes[i * PAGE], 7);
		bytes[i * PAGE] = 8;
	}
	ck_assert_uint_eq(k_mem_num_pagefaults_get() - before, 4);
	ck_assert_uint_eq(stats_now().minor_faults - minor, 4);
}
END_TEST

START_TEST(page_in_counts_faults_and_touch_counts_none)
{
	volatile uint8_t *bytes = map(8);
	unsigned long before;

	memset((void *)bytes, 1, 8 * PAGE);
	ck_assert_int_eq(k_mem_page_out((void *)bytes, 8 * PAGE), 0);
	before = k_mem_num_pagefaults_get();
	k_mem_page_in((void *)bytes, 8 * PAGE);
	ck_assert_uint_eq(k_mem_num_pagefaults_get() - before, 8);
	touch(bytes, 8);
	k_mem_page_in((void *)bytes, 8 * PAGE);
	ck_assert_uint_eq(k_mem_num_pagefaults_get() - before, 8);
}
END_TEST

START_TEST(pinned_pages_stay_in_and_never_trap)
{
	volatile uint8_t *bytes = map(8);
	uint8_t *others;
	struct kmem_stats before;
	struct kmem_stats after;

	memset((void *)bytes, 1, 8 * PAGE);
	ck_assert_int_eq(k_mem_page_out((void *)bytes, 8 * PAGE), 0);
	k_mem_pin((void *)bytes, 8 * PAGE);
	others = map(2 * FRAMES);
	memset(others, 2, 2 * FRAMES * PAGE);
	before = stats_now();
	for (size_t i = 0; i < 8; i++) {
		ck_assert_uint_eq(bytes[i * PAGE], 1);
		bytes[i * PAGE] = 2;
	}
	after = stats_now();
	ck_assert_uint_eq(after.pagefaults.cnt, before.pagefaults.cnt);
	ck_assert_uint_eq(after.minor_faults, before.minor_faults);
}
END_TEST

START_TEST(unpinned_pages_go_out_again)
{
	uint8_t *bytes = map(8);
	uint8_t *others;
	unsigned long before;

	k_mem_pin(bytes, 8 * PAGE);
	k_mem_unpin(bytes, 8 * PAGE);
	k_mem_unpin(bytes, 8 * PAGE);
	others = map(FRAMES);
	memset(others, 2, FRAMES * PAGE);
	before = k_mem_num_pagefaults_get();
	touch(bytes, 8);
	ck_assert_uint_eq(k_mem_num_pagefaults_get() - before, 8);
}
END_TEST

START_TEST(pin_is_a_flag_not_a_count)
{
	uint8_t *bytes = map(1);

	k_mem_pin(bytes, PAGE);
	k_mem_pin(bytes, PAGE);
	k_mem_unpin(bytes, PAGE);
	ck_assert_int_eq(k_mem_page_out(bytes, PAGE), 0);
}
END_TEST

START_TEST(locked_mapping_is_resident_and_pinned_until_unpinned)
{
	size_t before = k_mem_free_get();
	unsigned long faults = k_mem_num_pagefaults_get();
	uint8_t *bytes = k_mem_map(4 * PAGE, K_MEM_PERM_RW | K_MEM_MAP_LOCK);
	struct kmem_usage usage;

	ck_assert_ptr_nonnull(bytes);
	ck_assert_uint_eq(k_mem_free_get(), before - 4 * PAGE);
	memset(bytes, 1, 4 * PAGE);
	ck_assert_uint_eq(k_mem_num_pagefaults_get(), faults);
	ck_assert_int_eq(kmem_usage_get(&usage), 0);
	ck_assert_uint_eq(usage.frames_pinned, 4);
	k_mem_unpin(bytes, 4 * PAGE);
	ck_assert_int_eq(k_mem_page_out(bytes, 4 * PAGE), 0);
	ck_assert_uint_eq(k_mem_free_get(), before);
}
END_TEST

START_TEST(page_out_skips_pages_that_are_out)
{
	uint8_t *bytes = map(4);
	unsigned long writes;

	memset(bytes, 1, 4 * PAGE);
	ck_assert_int_eq(k_mem_page_out(bytes + PAGE, PAGE), 0);
	writes = stats_now().store_writes;
	ck_assert_int_eq(k_mem_page_out(bytes, 4 * PAGE), 0);
	ck_assert_uint_eq(stats_now().store_writes - writes, 3);
	ck_assert_int_eq(k_mem_page_out(bytes, 4 * PAGE), 0);
	ck_assert_uint_eq(stats_now().store_writes - writes, 3);
}
END_TEST

START_TEST(page_out_stops_at_the_reserved_location_and_keeps_what_went)
{
	struct kmem_config config = {.store = "ram:4", .policy = "lru"};
	volatile uint8_t *bytes;
	struct kmem_page_status status;

	boot(&config);
	bytes = map(8);
	for (size_t i = 0; i < 8; i++) {
		bytes[i * PAGE] = (uint8_t)(i + 1);
	}
	ck_assert_int_eq(k_mem_page_out((void *)bytes, 8 * PAGE), -ENOMEM);
	for (size_t i = 0; i < 8; i++) {
		ck_assert_int_eq(kmem_page_status_get((void *)(bytes + i * PAGE), &status), 0);
		ck_assert_int_eq(status.state, i < 3 ? KMEM_PAGE_STATE_OUT : KMEM_PAGE_STATE_IN);
	}
	for (size_t i = 0; i < 8; i++) {
		ck_assert_uint_eq(bytes[i * PAGE], i + 1);
	}
}
END_TEST

START_TEST(eager_memory_is_free_frames_and_all_locations_but_one)
{
	size_t pages = FRAMES + SLOTS - 1;
	uintptr_t *words;

	ck_assert_ptr_null(k_mem_map((pages + 1) * PAGE, K_MEM_PERM_RW));
	ck_assert_uint_eq(k_mem_free_get(), FRAMES * PAGE);
	ck_assert(kmem_is_valid());
	words = map(pages);
	ck_assert_ptr_null(k_mem_map(PAGE, K_MEM_PERM_RW));
	fill(words, pages);
	check(words, pages);
	k_mem_unmap(words, pages * PAGE);
	ck_assert_uint_eq(k_mem_free_get(), FRAMES * PAGE);
}
END_TEST

START_TEST(reads_after_page_in_stay_clean)
{
	uintptr_t *words = map(2 * FRAMES);
	struct kmem_stats before;
	struct kmem_stats after;

	fill(words, 2 * FRAMES);
	before = stats_now();
	touch((volatile uint8_t *)words, 2 * FRAMES);
	after = stats_now();
	/* The last FRAMES pages written are in: they go out dirty for the first half, which goes out clean for the second. */
	ck_assert_uint_eq(after.pagefaults.cnt - before.pagefaults.cnt, 2 * FRAMES);
	ck_assert_uint_eq(after.eviction.dirty - before.eviction.dirty, FRAMES);
	ck_assert_uint_eq(after.eviction.clean - before.eviction.clean, FRAMES);
	/* This store keeps no copies, so clean pages are written as well. */
	ck_assert_uint_eq(after.store_writes - before.store_writes, 2 * FRAMES);
	ck_assert_uint_eq(after.store_reads - before.store_reads, 2 * FRAMES);
}
END_TEST

START_TEST(file_store_does_not_write_clean_pages_again)
{
	struct kmem_config config = {.store = "file", .policy = "lru"};
	struct kmem_stats before;
	struct kmem_stats after;
	uintptr_t *words;

	boot(&config);
	words = map(2 * FRAMES);
	fill(words, 2 * FRAMES);
	touch((volatile uint8_t *)words, 2 * FRAMES);
	before = stats_now();
	touch((volatile uint8_t *)words, 2 * FRAMES);
	after = stats_now();
	ck_assert_uint_eq(after.eviction.clean - before.eviction.clean, 2 * FRAMES);
	ck_assert_uint_eq(after.store_reads - before.store_reads, 2 * FRAMES);
	ck_assert_uint_eq(after.store_writes - before.store_writes, 0);
	check(words, 2 * FRAMES);
}
END_TEST

START_TEST(manual_page_out_and_eager_maps_count_no_evictions)
{
	size_t pages = 2 * FRAMES - 1; /* the store's locations but its reserved last one */
	uint8_t *bytes = map(pages);
	struct kmem_stats stats;

	ck_assert_int_eq(k_mem_page_out(bytes, pages * PAGE), 0);
	stats = stats_now();
	ck_assert_uint_eq(stats.eviction.clean + stats.eviction.dirty, 0);
	ck_assert_uint_eq(stats.pagefaults.cnt, 0);
	ck_assert_uint_eq(stats.store_writes, pages);
}
END_TEST

/* Every function that fills in a result, with the result in a page that is out. */
START_TEST(results_may_lie_in_absent_pages)
{
	union result {
		struct kmem_stats stats;
		struct kmem_histogram histogram;
		struct kmem_usage usage;
		struct kmem_layout layout;
		struct kmem_setup setup;
		struct kmem_page_status status;
		void *host;
		uint8_t *virt;
		char name[8];
	} *result = map(1);

#define ABSENT_AND(call)                                                                                               \
	do {                                                                                                           \
		ck_assert_int_eq(k_mem_page_out(result, PAGE), 0);                                                     \
		ck_assert_int_eq((call), 0);                                                                           \
	} while (false)

	memset(result, 0, PAGE);
	ABSENT_AND(kmem_stats_get(&result->stats));
	ABSENT_AND(kmem_thread_stats_get(0, &result->stats));
	ABSENT_AND(kmem_histogram_get(KMEM_HISTOGRAM_EVICTION, &result->histogram));
	ABSENT_AND(kmem_usage_get(&result->usage));
	ABSENT_AND(kmem_layout_get(&result->layout));
	ABSENT_AND(kmem_setup_get(&result->setup));
	ABSENT_AND(kmem_page_status_get(result, &result->status));
	ABSENT_AND(kmem_device_add("result", 0x10000, PAGE, &result->host));
	strcpy(result->name, "name");
	ABSENT_AND(kmem_device_add(result->name, 0x20000, PAGE, NULL));
	ABSENT_AND((k_mem_map_phys_bare(&result->virt, 0x10000, PAGE, K_MEM_PERM_RW), 0));
#undef ABSENT_AND
	ck_assert_ptr_nonnull(result->virt);
	k_mem_unmap_phys_bare(result->virt, PAGE);
}
END_TEST

START_TEST(resident_working_set_costs_nothing)
{
	volatile uint8_t *bytes = map(FRAMES);
	struct kmem_stats before;
	struct kmem_stats after;

	memset((void *)bytes, 1, FRAMES * PAGE);
	before = stats_now();
	for (int round = 0; round < 100; round++) {
		for (size_t i = 0; i < FRAMES; i++) {
			bytes[i * PAGE]++;
		}
	}
	after = stats_now();
	ck_assert_uint_eq(after.pagefaults.cnt, before.pagefaults.cnt);
	ck_assert_uint_eq(after.minor_faults, before.minor_faults);
}
END_TEST

START_TEST(evict_by_frame_sends_the_page_out)
{
	volatile uint8_t *bytes = map(1);
	struct kmem_page_status status;
	uintptr_t phys;

	bytes[0] = 42;
	ck_assert_int_eq(kmem_page_status_get((void *)bytes, &status), 0);
	phys = status.phys;
	ck_assert_int_eq(k_mem_page_frame_evict(phys), 0);
	ck_assert_int_eq(kmem_page_status_get((void *)bytes, &status), 0);
	ck_assert_int_eq(status.state, KMEM_PAGE_STATE_OUT);
	ck_assert_int_eq(k_mem_page_frame_evict(phys), 0);
	ck_assert_uint_eq(bytes[0], 42);
}
END_TEST

START_TEST(page_fault_entry_tells_mapped_from_unmapped)
{
	uint8_t *bytes = map(1);
	struct kmem_page_status status;

	ck_assert(k_mem_page_fault(bytes + 123));
	ck_assert_int_eq(kmem_page_status_get(bytes, &status), 0);
	ck_assert_int_eq(status.state, KMEM_PAGE_STATE_IN);
	ck_assert(!k_mem_page_fault(bytes - 1));
	ck_assert(!k_mem_page_fault(bytes + PAGE));
	ck_assert(!k_mem_page_fault(&status));
}
END_TEST

START_TEST(histograms_count_every_store_call)
{
	uintptr_t *words = map(2 * FRAMES);
	struct kmem_histogram histogram;
	struct kmem_stats stats;
	unsigned long sum = 0;

	fill(words, 2 * FRAMES);
	check(words, 2 * FRAMES);
	stats = stats_now();
	ck_assert_int_eq(kmem_histogram_get(KMEM_HISTOGRAM_PAGE_IN, &histogram), 0);
	for (int i = 0; i < KMEM_HISTOGRAM_BINS; i++) {
		sum += histogram.counts[i];
	}
	ck_assert_uint_eq(sum, stats.store_reads);
	ck_assert_uint_eq(histogram.bounds[0], 10000);
	ck_assert_uint_eq(histogram.bounds[KMEM_HISTOGRAM_BINS - 1], ULONG_MAX);
	sum = 0;
	ck_assert_int_eq(kmem_histogram_get(KMEM_HISTOGRAM_PAGE_OUT, &histogram), 0);
	for (int i = 0; i < KMEM_HISTOGRAM_BINS; i++) {
		sum += histogram.counts[i];
	}
	ck_assert_uint_eq(sum, stats.store_writes);
	sum = 0;
	ck_assert_int_eq(kmem_histogram_get(KMEM_HISTOGRAM_EVICTION, &histogram), 0);
	for (int i = 0; i < KMEM_HISTOGRAM_BINS; i++) {
		sum += histogram.counts[i];
	}
	ck_assert_uint_eq(sum, stats.eviction.clean + stats.eviction.dirty);
	ck_assert_uint_eq(histogram.bounds[0], 1000);
	ck_assert_int_eq(kmem_histogram_get((enum kmem_histogram_kind)3, &histogram), -EINVAL);
}
END_TEST

START_TEST(unmapping_absent_pages_frees_their_locations)
{
	for (int round = 0; round < 10; round++) {
		uint8_t *bytes = map(SLOTS - 1);
		struct kmem_usage usage;

		memset(bytes, round, (SLOTS - 1) * PAGE);
		ck_assert_int_eq(k_mem_page_out(bytes, (SLOTS - 1) * PAGE), 0);
		ck_assert_int_eq(kmem_usage_get(&usage), 0);
		ck_assert_uint_eq(usage.store.used_pages, SLOTS - 1);
		k_mem_unmap(bytes, (SLOTS - 1) * PAGE);
		ck_assert_int_eq(kmem_usage_get(&usage), 0);
		ck_assert_uint_eq(usage.store.used_pages, 0);
	}
}
END_TEST

static const char *const policies[] = {"clock", "lru", "nru"};
static const char *const stores[] = {"ram", "file"};

/* Every policy over every store. */
START_TEST(words_survive_sixteen_times_ram)
{
	struct kmem_config config = {
		.policy = policies[_i % 3], .store = stores[_i / 3 % 2], .demand_mapping = _i < 6 ? KMEM_SWITCH_ON : KMEM_SWITCH_OFF};
	uintptr_t *words;
	uint64_t seed = harness_seed();
	size_t rounds = harness_on_valgrind() ? 500 : 20000;

	boot(&config);
	words = map(16 * FRAMES);
	fill(words, 16 * FRAMES);
	check(words, 16 * FRAMES);
	for (size_t i = 0; i < rounds; i++) {
		size_t word = harness_random(&seed) % (16 * FRAMES * PAGE / sizeof(*words));

		word_check(words, word);
		if (i % 3 == 0) {
			words[word] = (uintptr_t)&words[word];
		}
	}
	ck_assert(kmem_is_valid());
	k_mem_unmap(words, 16 * FRAMES * PAGE);
	ck_assert_uint_eq(k_mem_free_get(), FRAMES * PAGE);
}
END_TEST

START_TEST(nothing_faults_with_demand_paging_off)
{
	struct kmem_config config = {.demand_paging = KMEM_SWITCH_OFF, .demand_mapping = KMEM_SWITCH_OFF};
	uintptr_t *words;

	boot(&config);
	ck_assert_ptr_null(k_mem_map((FRAMES + 1) * PAGE, K_MEM_PERM_RW));
	words = map(FRAMES);
	ck_assert_uint_eq(k_mem_free_get(), 0);
	fill(words, FRAMES);
	check(words, FRAMES);
	ck_assert_uint_eq(k_mem_num_pagefaults_get(), 0);
}
END_TEST

START_TEST(thread_counters_are_the_threads_own)
{
	volatile uint8_t *bytes = map(4);
	struct kmem_stats stats;

	touch(bytes, 4);
	ck_assert_int_eq(kmem_thread_stats_get(0, &stats), 0);
	ck_assert_uint_eq(stats.pagefaults.cnt, 4);
	ck_assert_uint_eq(stats.pagefaults.irq_unlocked, 4);
	ck_assert_uint_eq(stats.pagefaults.irq_locked, 0);
	ck_assert_int_eq(kmem_thread_stats_get(1, &stats), -ESRCH);
}
END_TEST

Suite *kmem_test_suite(void)
{
	Suite *suite = suite_create("paging");
	TCase *lazy = tcase_create("lazy");
	TCase *eager = tcase_create("eager");
	TCase *configured = tcase_create("configured");
	TCase *matrix = tcase_create("matrix");

	tcase_add_checked_fixture(lazy, setup, teardown);
	tcase_add_test(lazy, first_touch_of_lazy_page_faults_once);
	tcase_add_test(lazy, free_memory_drops_at_first_touch_not_at_map);
	tcase_add_test(lazy, page_out_then_touch_faults_once_per_page);
	tcase_add_test(lazy, writes_to_pages_read_first_count_one_fault);
	tcase_add_test(lazy, page_in_counts_faults_and_touch_counts_none);
	tcase_add_test(lazy, pinned_pages_stay_in_and_never_trap);
	tcase_add_test(lazy, unpinned_pages_go_out_again);
	tcase_add_test(lazy, pin_is_a_flag_not_a_count);
	tcase_add_test(lazy, locked_mapping_is_resident_and_pinned_until_unpinned);
	tcase_add_test(lazy, page_out_skips_pages_that_are_out);
	tcase_add_test(lazy, reads_after_page_in_stay_clean);
	tcase_add_test(lazy, results_may_lie_in_absent_pages);
	tcase_add_test(lazy, resident_working_set_costs_nothing);
	tcase_add_test(lazy, evict_by_frame_sends_the_page_out);
	tcase_add_test(lazy, page_fault_entry_tells_mapped_from_unmapped);
	tcase_add_test(lazy, histograms_count_every_store_call);
	tcase_add_test(lazy, unmapping_absent_pages_frees_their_locations);
	tcase_add_test(lazy, thread_counters_are_the_threads_own);
	suite_add_tcase(suite, lazy);

	tcase_add_checked_fixture(eager, setup_eager, teardown);
	tcase_add_test(eager, eager_memory_is_free_frames_and_all_locations_but_one);
	tcase_add_test(eager, manual_page_out_and_eager_maps_count_no_evictions);
	suite_add_tcase(suite, eager);

	tcase_add_checked_fixture(configured, setup_none, teardown);
	tcase_add_test(configured, page_out_stops_at_the_reserved_location_and_keeps_what_went);
	tcase_add_test(configured, file_store_does_not_write_clean_pages_again);
	tcase_add_test(configured, nothing_faults_with_demand_paging_off);
	suite_add_tcase(suite, configured);

	tcase_add_checked_fixture(matrix, setup_none, teardown);
	tcase_set_timeout(matrix, 120);
	tcase_add_loop_test(matrix, words_survive_sixteen_times_ram, 0, 12);
	suite_add_tcase(suite, matrix);
	return suite;
}
