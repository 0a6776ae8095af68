/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Free frames: the set by itself beside an array, frames taken by index, apart and in runs, and the place that a page table full of
 * neighbours gives a page. No host memory is mapped for any page.
 */
#include <errno.h>
#include <string.h>

#include "harness.h"
#include "host/failpoint.h"
#include "kernel/frame.h"
#include "kernel/frame_place.h"
#include "kernel/frame_set.h"
#include "machine/page_table.h"

#define PAGE 4096UL
#define PHYS 0x10000000UL
#define BASE 0x400000000UL
#define CHUNK ((size_t)KMEM_FRAME_CHUNK)

/* A number that is no multiple of anything: the last chunk and the last word are short. */
#define FRAMES 203UL
#define PAGES 1024UL

/* ---- the set ---- */

#define SIZES 7

static const size_t sizes[SIZES] = {1, 63, 64, 65, 4096, 4097, 300000};

START_TEST(set_says_what_an_array_says)
{
	static bool array[300000];
	size_t size = sizes[_i];
	struct kmem_frame_set set;
	uint64_t random = harness_seed();

	memset(array, 0, sizeof(array));
	ck_assert_int_eq(kmem_frame_set_init(&set, size), 0);
	ck_assert_uint_eq(kmem_frame_set_next(&set, 0), size);
	for (int step = 0; step < 3000; step++) {
		size_t number = harness_random(&random) % size;
		size_t next;

		array[number] = !array[number];
		if (array[number]) {
			kmem_frame_set_add(&set, number);
		} else {
			kmem_frame_set_remove(&set, number);
		}
		ck_assert(kmem_frame_set_has(&set, number) == array[number]);
		number = harness_random(&random) % size;
		for (next = number; next < size && !array[next]; next++) {
		}
		ck_assert_uint_eq(kmem_frame_set_next(&set, number), next);
	}
	ck_assert(kmem_frame_set_is_valid(&set));
	ck_assert_uint_eq(kmem_frame_set_next(&set, size), size);
	kmem_frame_set_finish(&set);
	kmem_frame_set_finish(&set);
}
END_TEST

START_TEST(set_without_memory_is_none)
{
	struct kmem_frame_set set;

	(void)kmem_failpoint_arm(1, ENOMEM, false);
	ck_assert_int_eq(kmem_frame_set_init(&set, 100), -ENOMEM);
	(void)kmem_failpoint_arm(0, 0, false);
}
END_TEST

START_TEST(set_that_contradicts_itself_is_found)
{
	struct kmem_frame_set set;

	ck_assert_int_eq(kmem_frame_set_init(&set, 1000), 0);
	kmem_frame_set_add(&set, 500);
	ck_assert(kmem_frame_set_is_valid(&set));
	set.level[0][3] |= 1;
	ck_assert(!kmem_frame_set_is_valid(&set));
	set.level[0][3] = 0;
	set.level[0][500 / 64] = 0;
	ck_assert(!kmem_frame_set_is_valid(&set));
	kmem_frame_set_finish(&set);
}
END_TEST

/* ---- frames ---- */

static void setup(void)
{
	ck_assert_int_eq(kmem_frame_init(PHYS, FRAMES * PAGE, 0, PAGE, NULL), 0);
	kmem_frame_list_init();
	ck_assert(kmem_frame_is_valid());
}

static void teardown(void)
{
	ck_assert(kmem_frame_is_valid());
	kmem_frame_finish();
}

static size_t index_of(const struct k_mem_page_frame *pf)
{
	ck_assert_ptr_nonnull(pf);
	return (size_t)(pf - kmem_frame_all()->first);
}

/* Take these frames. */
static void take(size_t first, size_t count)
{
	for (size_t i = first; i < first + count; i++) {
		ck_assert_uint_eq(index_of(kmem_frame_get_at(i)), i);
	}
}

static void put(size_t index)
{
	kmem_frame_put(&kmem_frame_all()->first[index]);
}

START_TEST(frames_are_given_in_ascending_order_and_run_out)
{
	for (size_t i = 0; i < FRAMES; i++) {
		struct k_mem_page_frame *pf = kmem_frame_get();

		ck_assert_uint_eq(index_of(pf), i);
		ck_assert_uint_eq(pf->va_and_flags, 0);
		ck_assert_uint_eq(kmem_frame_free_count(), FRAMES - i - 1);
	}
	ck_assert_ptr_null(kmem_frame_get());
	ck_assert_ptr_null(kmem_frame_get_at(7));
	ck_assert_ptr_null(kmem_frame_get_apart(0, 1));
	ck_assert_ptr_null(kmem_frame_get_apart(3, CHUNK));
	put(150);
	put(7);
	ck_assert_uint_eq(index_of(kmem_frame_get()), 7);
	ck_assert_uint_eq(index_of(kmem_frame_get()), 150);
}
END_TEST

START_TEST(any_frame_can_be_taken_once)
{
	ck_assert_uint_eq(index_of(kmem_frame_get_at(100)), 100);
	ck_assert_ptr_null(kmem_frame_get_at(100));
	ck_assert_ptr_null(kmem_frame_get_at(FRAMES));
	ck_assert_ptr_null(kmem_frame_get_at(SIZE_MAX));
	ck_assert(kmem_frame_is_valid());
	put(100);
	ck_assert_uint_eq(index_of(kmem_frame_get_at(100)), 100);
}
END_TEST

START_TEST(reserved_and_used_frames_are_never_free)
{
	kmem_frame_finish();
	ck_assert_int_eq(kmem_frame_init(PHYS, FRAMES * PAGE, 3 * PAGE, PAGE, NULL), 0);
	k_mem_page_frame_set(kmem_frame_at(PHYS + 5 * PAGE), K_MEM_PAGE_FRAME_PINNED);
	kmem_frame_list_init();
	ck_assert(kmem_frame_is_valid());
	ck_assert_uint_eq(kmem_frame_free_count(), FRAMES - 4);
	ck_assert_ptr_null(kmem_frame_get_at(5));
	ck_assert_ptr_null(kmem_frame_get_at(FRAMES - 3));
}
END_TEST

START_TEST(page_without_neighbours_has_room_for_them)
{
	/* A block that is mapped all over: its own place in a whole chunk. */
	ck_assert_uint_eq(index_of(kmem_frame_get_apart(5, CHUNK)), 5);
	ck_assert_uint_eq(index_of(kmem_frame_get_apart(0, CHUNK)), CHUNK);
	/* A few mates: the first run that is long enough, here what is behind frame 5. */
	ck_assert_uint_eq(index_of(kmem_frame_get_apart(0, 1)), 0);
	ck_assert_uint_eq(index_of(kmem_frame_get_apart(2, 10)), 6 + 2);
	ck_assert_uint_eq(index_of(kmem_frame_get_apart(0, 4)), 1);
}
END_TEST

START_TEST(page_without_neighbours_gets_what_there_is)
{
	/* Of every chunk a frame is taken: none is whole. The last frames are too few for one. */
	for (size_t chunk = 0; chunk * CHUNK < FRAMES; chunk++) {
		take(chunk * CHUNK + 3, 1);
	}
	ck_assert_uint_eq(index_of(kmem_frame_get_apart(2, 12)), 4 + 2);
	/* Nowhere are there 16: the start of the first 15, which lie in two chunks. */
	ck_assert_uint_eq(index_of(kmem_frame_get_apart(1, CHUNK)), 20);
	while (kmem_frame_free_count() > 0) {
		ck_assert_ptr_nonnull(kmem_frame_get_apart(15, CHUNK));
		ck_assert(kmem_frame_is_valid());
	}
}
END_TEST

START_TEST(runs_are_found_where_they_are)
{
	size_t index = 999;

	ck_assert(kmem_frame_run_find(FRAMES, &index));
	ck_assert_uint_eq(index, 0);
	ck_assert(!kmem_frame_run_find(FRAMES + 1, &index));
	take(0, 1);
	/* A short one at once, a long one from the next chunk. */
	ck_assert(kmem_frame_run_find(2, &index));
	ck_assert_uint_eq(index, 1);
	ck_assert(kmem_frame_run_find(100, &index));
	ck_assert_uint_eq(index, CHUNK);
	take(70, 1);
	ck_assert(kmem_frame_run_find(100, &index));
	ck_assert_uint_eq(index, 80);
	ck_assert(kmem_frame_run_find(FRAMES - 80, &index));
	ck_assert_uint_eq(index, 80);
	ck_assert(!kmem_frame_run_find(FRAMES - 80 + 1, &index));
	for (size_t i = 1; i < FRAMES; i += 2) {
		(void)kmem_frame_get_at(i);
	}
	ck_assert(!kmem_frame_run_find(2, &index));
	ck_assert(kmem_frame_run_find(1, &index));
	ck_assert_uint_eq(index, 2);
}
END_TEST

START_TEST(random_walk_beside_an_array)
{
	uint64_t random = harness_seed();
	bool is_free[FRAMES];
	size_t count = FRAMES;

	memset(is_free, true, sizeof(is_free));
	for (int step = 0; step < 20000; step++) {
		size_t index = harness_random(&random) % FRAMES;
		size_t mates = 1 + harness_random(&random) % CHUNK;
		struct k_mem_page_frame *pf;

		if (!is_free[index]) {
			put(index);
			is_free[index] = true;
			count++;
			continue;
		}
		pf = step % 2 == 0 ? kmem_frame_get_at(index) : kmem_frame_get_apart(harness_random(&random) % mates, mates);
		index = index_of(pf);
		ck_assert(is_free[index]);
		is_free[index] = false;
		count--;
		ck_assert_uint_eq(kmem_frame_free_count(), count);
		ck_assert(step % 100 != 0 || kmem_frame_is_valid());
	}
}
END_TEST

START_TEST(broken_invariants_are_found)
{
	struct k_mem_page_frame *all = kmem_frame_all()->first;

	take(9, 1);
	all[9].va_and_flags = K_MEM_PAGE_FRAME_FREE;
	ck_assert(!kmem_frame_is_valid());
	all[9].va_and_flags = 0;
	ck_assert(kmem_frame_is_valid());
	all[10].va_and_flags = 0;
	ck_assert(!kmem_frame_is_valid());
	all[10].va_and_flags = K_MEM_PAGE_FRAME_FREE;
}
END_TEST

START_TEST(without_memory_there_are_no_frames_and_no_leak)
{
	unsigned long n;
	int ret = -1;

	kmem_frame_finish();
	for (n = 1; ret != 0; n++) {
		struct harness_leaks leaks;

		harness_leaks_begin(&leaks);
		(void)kmem_failpoint_arm(n, ENOMEM, false);
		ret = kmem_frame_init(PHYS, FRAMES * PAGE, 0, PAGE, NULL);
		(void)kmem_failpoint_arm(0, 0, false);
		if (ret == 0) {
			kmem_frame_finish();
		}
		harness_leaks_check(&leaks);
	}
	ck_assert_uint_gt(n, 3);
	setup();
}
END_TEST

/* ---- places ---- */

static void setup_places(void)
{
	setup();
	ck_assert_int_eq(kmem_page_table_init(BASE, PAGES * PAGE, PAGE), 0);
	/* What the last test gave last is remembered, for an address that is not used here. */
	put(index_of(kmem_frame_get_for(BASE)));
}

static void teardown_places(void)
{
	kmem_page_table_finish();
	teardown();
}

static uintptr_t page(size_t number)
{
	return BASE + number * PAGE;
}

/* Pages that were never touched. */
static void map(size_t first, size_t count)
{
	kmem_pte_fill(page(first), count * PAGE, KMEM_PTE_OUT | KMEM_LOCATION_ANON_ZERO);
}

/* The page comes in, and gets a frame. */
static size_t enter(size_t number)
{
	struct k_mem_page_frame *pf = kmem_frame_get_for(page(number));

	kmem_pte_set(page(number), kmem_pte_with_state(kmem_pte_get(page(number)), KMEM_PTE_BUSY_IN));
	kmem_pte_set(page(number), kmem_pte_with_addr(kmem_pte_get(page(number)), KMEM_PTE_IN, kmem_frame_phys(pf)));
	return index_of(pf);
}

START_TEST(ascending_pages_get_ascending_frames_from_the_first)
{
	map(5, 100);
	for (size_t i = 0; i < 100; i++) {
		ck_assert_uint_eq(enter(5 + i), i);
	}
}
END_TEST

START_TEST(descending_pages_get_neighbours_too)
{
	size_t cuts = 0;
	size_t before;

	map(64, 96);
	before = enter(159);
	for (size_t i = 158; i >= 64; i--) {
		size_t index = enter(i);

		cuts += index + 1 != before ? 1 : 0;
		before = index;
	}
	/* A chunk is left where the one below it is taken. */
	ck_assert_uint_le(cuts, 96 / CHUNK);
}
END_TEST

START_TEST(pages_in_any_order_find_their_place)
{
	size_t frame_of[96];

	map(64, 96);
	for (size_t i = 0; i < 96; i++) {
		size_t number = i * 37 % 96;

		frame_of[number] = enter(64 + number);
	}
	for (size_t i = 0; i < 96; i++) {
		ck_assert_uint_eq(frame_of[i] % CHUNK, i % CHUNK);
		ck_assert(i % CHUNK == 0 || frame_of[i] == frame_of[i - 1] + 1);
	}
}
END_TEST

START_TEST(streams_side_by_side_do_not_mix)
{
	size_t cuts = 0;
	size_t before[2] = {0, 0};

	map(0, 80);
	map(512, 80);
	for (size_t i = 0; i < 80; i++) {
		for (size_t stream = 0; stream < 2; stream++) {
			size_t index = enter(stream * 512 + i);

			cuts += i != 0 && index != before[stream] + 1 ? 1 : 0;
			before[stream] = index;
		}
	}
	ck_assert_uint_le(cuts, 2 * 80 / CHUNK);
}
END_TEST

START_TEST(small_mappings_lie_close)
{
	for (size_t i = 0; i < 20; i++) {
		map(4 * i, 2);
		ck_assert_uint_eq(enter(4 * i), 2 * i);
		ck_assert_uint_eq(enter(4 * i + 1), 2 * i + 1);
	}
}
END_TEST

START_TEST(pages_on_their_way_in_are_remembered)
{
	struct k_mem_page_frame *pfs[4];

	map(100, 4);
	(void)kmem_frame_get_at(0);
	for (size_t i = 0; i < 4; i++) {
		kmem_pte_set(page(100 + i), kmem_pte_with_state(kmem_pte_get(page(100 + i)), KMEM_PTE_BUSY_IN));
	}
	for (size_t i = 0; i < 4; i++) {
		pfs[i] = kmem_frame_get_for(page(100 + i));
		ck_assert_uint_eq(index_of(pfs[i]), 1 + i);
	}
}
END_TEST

START_TEST(prepared_run_is_one)
{
	/* Frames 1, 21 and 41 are taken: the first run of 60 is behind them. */
	for (size_t i = 1; i < 60; i += 20) {
		take(i, 1);
	}
	kmem_frame_run_prepare(page(200), 60);
	for (size_t i = 0; i < 60; i++) {
		ck_assert_uint_eq(index_of(kmem_frame_get_for(page(200 + i))), 48 + i);
		kmem_pte_set(page(200 + i), KMEM_PTE_IN | (PHYS + (48 + i) * PAGE));
	}
	/* Where there is no such run, there is nothing to prepare. */
	kmem_frame_run_prepare(page(400), FRAMES);
	ck_assert_ptr_nonnull(kmem_frame_get_for(page(400)));
}
END_TEST

START_TEST(first_and_last_page_of_the_table_get_frames)
{
	map(0, 1);
	map(PAGES - 1, 1);
	ck_assert_uint_eq(enter(0), 0);
	ck_assert_uint_eq(enter(PAGES - 1), 1);
}
END_TEST

START_TEST(every_frame_can_be_used_up)
{
	uint64_t random = harness_seed();

	map(0, PAGES);
	for (size_t i = 0; i < FRAMES; i++) {
		size_t number = harness_random(&random) % PAGES;

		while (kmem_pte_state(kmem_pte_get(page(number))) == KMEM_PTE_IN) {
			number = (number + 1) % PAGES;
		}
		(void)enter(number);
	}
	ck_assert_uint_eq(kmem_frame_free_count(), 0);
	ck_assert_ptr_null(kmem_frame_get_for(page(7)));
}
END_TEST

Suite *kmem_test_suite(void)
{
	Suite *suite = suite_create("frame");
	TCase *set = tcase_create("set");
	TCase *frames = tcase_create("frames");
	TCase *places = tcase_create("places");

	tcase_add_loop_test(set, set_says_what_an_array_says, 0, SIZES);
	tcase_add_test(set, set_without_memory_is_none);
	tcase_add_test(set, set_that_contradicts_itself_is_found);
	suite_add_tcase(suite, set);

	tcase_add_checked_fixture(frames, setup, teardown);
	tcase_add_test(frames, frames_are_given_in_ascending_order_and_run_out);
	tcase_add_test(frames, any_frame_can_be_taken_once);
	tcase_add_test(frames, reserved_and_used_frames_are_never_free);
	tcase_add_test(frames, page_without_neighbours_has_room_for_them);
	tcase_add_test(frames, page_without_neighbours_gets_what_there_is);
	tcase_add_test(frames, runs_are_found_where_they_are);
	tcase_add_test(frames, random_walk_beside_an_array);
	tcase_add_test(frames, broken_invariants_are_found);
	tcase_add_test(frames, without_memory_there_are_no_frames_and_no_leak);
	suite_add_tcase(suite, frames);

	tcase_add_checked_fixture(places, setup_places, teardown_places);
	tcase_add_test(places, ascending_pages_get_ascending_frames_from_the_first);
	tcase_add_test(places, descending_pages_get_neighbours_too);
	tcase_add_test(places, pages_in_any_order_find_their_place);
	tcase_add_test(places, streams_side_by_side_do_not_mix);
	tcase_add_test(places, small_mappings_lie_close);
	tcase_add_test(places, pages_on_their_way_in_are_remembered);
	tcase_add_test(places, prepared_run_is_one);
	tcase_add_test(places, first_and_last_page_of_the_table_get_frames);
	tcase_add_test(places, every_frame_can_be_used_up);
	suite_add_tcase(suite, places);
	return suite;
}
