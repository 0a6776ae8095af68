/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which addresses are free: exact addresses by hand, then a million random calls beside a naive bitmap.
 */
#include "harness.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/hole_tree.h"
#include "kernel/region.h"

#define PAGE 4096UL
#define BASE (UINT64_C(0x10000000) * PAGE)

/* Memory for nodes that counts, and fails when it is told to. */
static struct {
	long live;
	long calls;
	long fail_at; /* the call that fails, and all after it; -1: none */
} memory;

static void *memory_get(void *arg)
{
	ck_assert_ptr_eq(arg, &memory);
	if (memory.fail_at >= 0 && memory.calls >= memory.fail_at) {
		return NULL;
	}
	memory.calls++;
	memory.live++;
	return malloc(kmem_hole_size());
}

static void memory_put(void *arg, void *hole)
{
	ck_assert_ptr_eq(arg, &memory);
	memory.live--;
	free(hole);
}

static const struct kmem_hole_memory hole_memory = {.get = memory_get, .put = memory_put, .arg = &memory};

static struct kmem_region_map map;

static void map_make(size_t pages)
{
	memory.live = 0;
	memory.calls = 0;
	memory.fail_at = -1;
	ck_assert_int_eq(kmem_region_map_init(&map, BASE, BASE + pages * PAGE, PAGE, &hole_memory), 0);
	ck_assert(kmem_region_map_is_valid(&map));
}

static void map_end(void)
{
	ck_assert(kmem_region_map_is_valid(&map));
	kmem_region_map_finish(&map);
	ck_assert_int_eq(memory.live, 0);
}

/* The next so many gets succeed, then none does. */
static void memory_left(long count)
{
	memory.fail_at = memory.calls + count;
}

static void memory_plenty(void)
{
	memory.fail_at = -1;
}

/* Sizes and addresses below are in pages, addresses from BASE. */

static int alloc(size_t size, size_t align, size_t *page)
{
	uintptr_t addr = 1;
	int ret = kmem_region_alloc(&map, size * PAGE, align * PAGE, &addr);

	if (ret != 0) {
		ck_assert_uint_eq(addr, 1);
		return ret;
	}
	ck_assert_uint_eq(addr % (align * PAGE), 0);
	*page = (addr - BASE) / PAGE;
	return 0;
}

static size_t alloc_ok(size_t size, size_t align)
{
	size_t page;

	ck_assert_int_eq(alloc(size, align, &page), 0);
	ck_assert(kmem_region_map_is_valid(&map));
	return page;
}

static int take(size_t page, size_t size)
{
	int ret = kmem_region_take(&map, BASE + page * PAGE, size * PAGE);

	ck_assert(kmem_region_map_is_valid(&map));
	return ret;
}

static int give(size_t page, size_t size)
{
	int ret = kmem_region_free(&map, BASE + page * PAGE, size * PAGE);

	ck_assert(kmem_region_map_is_valid(&map));
	return ret;
}

static void assert_free(size_t pages, size_t holes)
{
	ck_assert_uint_eq(map.free_bytes, pages * PAGE);
	ck_assert_uint_eq(map.holes, holes);
}

START_TEST(all_is_free_at_first)
{
	map_make(16);
	ck_assert_uint_eq(map.start, BASE);
	ck_assert_uint_eq(map.end, BASE + 16 * PAGE);
	assert_free(16, 1);
	map_end();
}
END_TEST

START_TEST(first_page_is_at_the_top)
{
	map_make(16);
	ck_assert_uint_eq(alloc_ok(1, 1), 15);
	ck_assert_uint_eq(alloc_ok(3, 1), 12);
	ck_assert_uint_eq(alloc_ok(12, 1), 0);
	assert_free(0, 0);
	map_end();
}
END_TEST

START_TEST(same_address_after_free)
{
	map_make(16);
	ck_assert_uint_eq(alloc_ok(2, 1), 14);
	ck_assert_uint_eq(alloc_ok(2, 1), 12);
	for (int i = 0; i < 10; i++) {
		ck_assert_int_eq(give(14, 2), 0);
		ck_assert_uint_eq(alloc_ok(2, 1), 14);
	}
	map_end();
}
END_TEST

START_TEST(highest_hole_that_fits)
{
	map_make(16);
	for (size_t page = 16; page > 0; page--) {
		ck_assert_uint_eq(alloc_ok(1, 1), page - 1);
	}
	ck_assert_int_eq(give(13, 1), 0);
	ck_assert_int_eq(give(8, 3), 0);
	ck_assert_int_eq(give(2, 4), 0);
	assert_free(8, 3);
	ck_assert_uint_eq(alloc_ok(4, 1), 2);
	ck_assert_uint_eq(alloc_ok(2, 1), 9);
	ck_assert_uint_eq(alloc_ok(1, 1), 13);
	ck_assert_uint_eq(alloc_ok(1, 1), 8);
	assert_free(0, 0);
	map_end();
}
END_TEST

START_TEST(no_room)
{
	size_t page;

	map_make(8);
	ck_assert_int_eq(alloc(9, 1, &page), -ENOMEM);
	ck_assert_int_eq(take(3, 1), 0);
	ck_assert_int_eq(alloc(5, 1, &page), -ENOMEM);
	assert_free(7, 2);
	ck_assert_uint_eq(alloc_ok(4, 1), 4);
	ck_assert_uint_eq(alloc_ok(3, 1), 0);
	ck_assert_int_eq(alloc(1, 1, &page), -ENOMEM);
	map_end();
}
END_TEST

/* BASE is a multiple of all these powers of two. */
START_TEST(aligned_to_a_power_of_two)
{
	map_make(16);
	/* Of the five pages 11 to 15, 12 and 13 are kept. */
	ck_assert_uint_eq(alloc_ok(2, 4), 12);
	assert_free(14, 2);
	ck_assert_uint_eq(alloc_ok(2, 1), 14);
	ck_assert_uint_eq(alloc_ok(1, 1), 11);
	/* The top is 11 now: of pages 3 to 10, 8. */
	ck_assert_uint_eq(alloc_ok(1, 8), 8);
	assert_free(10, 2);
	map_end();
}
END_TEST

START_TEST(aligned_where_no_rounding_is_needed)
{
	map_make(16);
	/* Of the seven pages 9 to 15, 12 to 15: nothing remains behind. */
	ck_assert_uint_eq(alloc_ok(4, 4), 12);
	assert_free(12, 1);
	/* Of the four pages 8 to 11, the first: the tail goes back. */
	ck_assert_uint_eq(alloc_ok(1, 4), 8);
	assert_free(11, 2);
	ck_assert_uint_eq(alloc_ok(3, 1), 9);
	map_end();
}
END_TEST

/* BASE is 0x10000000 pages, which is 3 * 89478485 + 1, and so page 2 is a multiple of three. */
START_TEST(aligned_to_what_is_no_power_of_two)
{
	map_make(16);
	/* Of the four pages 12 to 15, 14 and 15. */
	ck_assert_uint_eq(alloc_ok(2, 3), 14);
	/* Of the four pages 10 to 13, 11 and 12. */
	ck_assert_uint_eq(alloc_ok(2, 3), 11);
	assert_free(12, 2);
	ck_assert_uint_eq(alloc_ok(1, 1), 13);
	ck_assert_uint_eq(alloc_ok(1, 3), 8);
	map_end();
}
END_TEST

/* A hole that would do is passed over when it does not hold what alignment may cost, as Zephyr does. */
START_TEST(alignment_needs_room_to_spare)
{
	size_t page;

	map_make(16);
	ck_assert_int_eq(take(0, 8), 0);
	ck_assert_int_eq(take(12, 4), 0);
	/* Only pages 8 to 11 are free; 8 is aligned. */
	ck_assert_int_eq(alloc(4, 4, &page), -ENOMEM);
	ck_assert_int_eq(alloc(2, 4, &page), -ENOMEM);
	ck_assert_uint_eq(alloc_ok(1, 4), 8);
	map_end();
}
END_TEST

START_TEST(size_and_alignment_overflow)
{
	uintptr_t addr = 7;
	size_t most = SIZE_MAX / PAGE * PAGE;

	map_make(16);
	ck_assert_int_eq(kmem_region_alloc(&map, most, most, &addr), -ENOMEM);
	ck_assert_int_eq(kmem_region_alloc(&map, most, 3 * PAGE, &addr), -ENOMEM);
	ck_assert_int_eq(kmem_region_alloc(&map, 3 * PAGE, most, &addr), -ENOMEM);
	ck_assert_int_eq(kmem_region_alloc(&map, most, PAGE, &addr), -ENOMEM);
	ck_assert_int_eq(kmem_region_alloc(&map, PAGE, most, &addr), -ENOMEM);
	ck_assert_uint_eq(addr, 7);
	assert_free(16, 1);
	map_end();
}
END_TEST

START_TEST(take_exactly)
{
	map_make(16);
	ck_assert_int_eq(take(4, 4), 0);
	assert_free(12, 2);
	ck_assert_int_eq(take(0, 4), 0);
	assert_free(8, 1);
	ck_assert_int_eq(take(12, 4), 0);
	ck_assert_int_eq(take(8, 4), 0);
	assert_free(0, 0);
	map_end();
}
END_TEST

START_TEST(take_what_is_taken)
{
	map_make(16);
	ck_assert_int_eq(take(4, 4), 0);
	ck_assert_int_eq(take(4, 4), -EBUSY);
	ck_assert_int_eq(take(3, 2), -EBUSY);
	ck_assert_int_eq(take(7, 2), -EBUSY);
	ck_assert_int_eq(take(0, 16), -EBUSY);
	ck_assert_int_eq(take(5, 1), -EBUSY);
	assert_free(12, 2);
	map_end();
}
END_TEST

START_TEST(take_and_free_outside)
{
	int (*const calls[])(struct kmem_region_map *, uintptr_t, size_t) = {kmem_region_take, kmem_region_free};

	map_make(16);
	for (size_t i = 0; i < 2; i++) {
		ck_assert_int_eq(calls[i](&map, BASE - PAGE, PAGE), -ERANGE);
		ck_assert_int_eq(calls[i](&map, BASE - PAGE, 2 * PAGE), -ERANGE);
		ck_assert_int_eq(calls[i](&map, BASE + 16 * PAGE, PAGE), -ERANGE);
		ck_assert_int_eq(calls[i](&map, BASE + 15 * PAGE, 2 * PAGE), -ERANGE);
		ck_assert_int_eq(calls[i](&map, BASE, 17 * PAGE), -ERANGE);
		ck_assert_int_eq(calls[i](&map, BASE + PAGE, SIZE_MAX / PAGE * PAGE), -ERANGE);
		ck_assert_int_eq(calls[i](&map, 0, PAGE), -ERANGE);
		assert_free(16, 1);
	}
	map_end();
}
END_TEST

START_TEST(free_what_is_free)
{
	map_make(16);
	ck_assert_int_eq(give(0, 16), -EINVAL);
	ck_assert_int_eq(take(4, 4), 0);
	ck_assert_int_eq(give(3, 2), -EINVAL);
	ck_assert_int_eq(give(7, 2), -EINVAL);
	ck_assert_int_eq(give(3, 6), -EINVAL);
	ck_assert_int_eq(take(10, 2), 0);
	ck_assert_int_eq(give(4, 8), -EINVAL);
	assert_free(10, 3);
	ck_assert_int_eq(give(4, 4), 0);
	ck_assert_int_eq(give(4, 4), -EINVAL);
	assert_free(14, 2);
	map_end();
}
END_TEST

START_TEST(neighbours_coalesce)
{
	map_make(16);
	for (int i = 0; i < 4; i++) {
		alloc_ok(4, 1);
	}
	assert_free(0, 0);
	ck_assert_int_eq(give(4, 4), 0);
	assert_free(4, 1);
	ck_assert_int_eq(give(12, 4), 0);
	assert_free(8, 2);
	ck_assert_int_eq(give(8, 4), 0);
	assert_free(12, 1);
	ck_assert_int_eq(give(0, 4), 0);
	assert_free(16, 1);
	ck_assert_uint_eq(alloc_ok(16, 1), 0);
	map_end();
}
END_TEST

START_TEST(parts_are_given_back)
{
	map_make(16);
	ck_assert_uint_eq(alloc_ok(16, 1), 0);
	ck_assert_int_eq(give(6, 2), 0);
	assert_free(2, 1);
	ck_assert_int_eq(give(0, 2), 0);
	assert_free(4, 2);
	ck_assert_int_eq(give(14, 2), 0);
	assert_free(6, 3);
	ck_assert_int_eq(give(8, 6), 0);
	assert_free(12, 2);
	ck_assert_int_eq(give(2, 4), 0);
	assert_free(16, 1);
	map_end();
}
END_TEST

START_TEST(several_are_given_back_at_once)
{
	map_make(16);
	for (int i = 0; i < 8; i++) {
		alloc_ok(2, 1);
	}
	ck_assert_int_eq(give(3, 10), 0);
	assert_free(10, 1);
	ck_assert_int_eq(give(2, 1), 0);
	ck_assert_int_eq(give(13, 3), 0);
	ck_assert_int_eq(give(0, 2), 0);
	assert_free(16, 1);
	map_end();
}
END_TEST

START_TEST(no_memory_at_all)
{
	memory.live = 0;
	memory.calls = 0;
	memory.fail_at = 0;
	ck_assert_int_eq(kmem_region_map_init(&map, BASE, BASE + PAGE, PAGE, &hole_memory), -ENOMEM);
	kmem_region_map_finish(&map);
	ck_assert_int_eq(memory.live, 0);
}
END_TEST

START_TEST(alloc_without_memory_changes_nothing)
{
	size_t page;

	map_make(16);
	memory_left(_i);
	/* Head and tail remain, so that two nodes are needed. */
	ck_assert_int_eq(alloc(2, 4, &page), -ENOMEM);
	ck_assert(kmem_region_map_is_valid(&map));
	assert_free(16, 1);
	ck_assert_int_eq(take(4, 4), -ENOMEM);
	assert_free(16, 1);
	/* A whole hole needs none. */
	ck_assert_uint_eq(alloc_ok(16, 1), 0);
	ck_assert_int_eq(give(0, 16), 0);
	memory_plenty();
	ck_assert_uint_eq(alloc_ok(2, 4), 12);
	map_end();
}
END_TEST

START_TEST(free_of_a_part_without_memory_changes_nothing)
{
	map_make(16);
	ck_assert_uint_eq(alloc_ok(16, 1), 0);
	memory_left(_i);
	ck_assert_int_eq(give(4, 4), -ENOMEM);
	assert_free(0, 0);
	memory_plenty();
	ck_assert_int_eq(give(4, 4), 0);
	assert_free(4, 1);
	map_end();
}
END_TEST

/* In an order that makes as many holes as there can be. */
START_TEST(free_of_what_was_handed_out_never_needs_memory)
{
	map_make(512);
	for (size_t i = 0; i < 512; i++) {
		alloc_ok(1, 1);
	}
	memory_left(0);
	for (size_t page = 0; page < 512; page += 2) {
		ck_assert_int_eq(give(page, 1), 0);
	}
	assert_free(256, 256);
	for (size_t page = 1; page < 512; page += 2) {
		ck_assert_int_eq(give(page, 1), 0);
	}
	assert_free(512, 1);
	map_end();
}
END_TEST

/* One node in the tree, one to spare: no more is held when all is free. */
START_TEST(memory_is_given_back)
{
	map_make(64);
	for (size_t i = 0; i < 64; i++) {
		alloc_ok(1, 1);
	}
	ck_assert_int_le(memory.live, 65);
	for (size_t page = 0; page < 64; page++) {
		ck_assert_int_eq(give(page, 1), 0);
	}
	ck_assert_int_le(memory.live, 2);
	map_end();
}
END_TEST

START_TEST(finish_with_much_taken)
{
	map_make(4096);
	for (size_t page = 1; page < 4096; page += 2) {
		ck_assert_int_eq(kmem_region_take(&map, BASE + page * PAGE, PAGE), 0);
	}
	assert_free(2048, 2048);
	map_end();
}
END_TEST

START_TEST(ends_of_the_address_space)
{
	uintptr_t top = UINTPTR_MAX / PAGE * PAGE;
	uintptr_t addr;

	memory.live = 0;
	memory.calls = 0;
	memory_plenty();
	ck_assert_int_eq(kmem_region_map_init(&map, 0, top, PAGE, &hole_memory), 0);
	ck_assert_int_eq(kmem_region_alloc(&map, PAGE, PAGE, &addr), 0);
	ck_assert_uint_eq(addr, top - PAGE);
	ck_assert_int_eq(kmem_region_take(&map, 0, PAGE), 0);
	ck_assert_int_eq(kmem_region_take(&map, top - PAGE, 2 * PAGE), -ERANGE);
	ck_assert_int_eq(kmem_region_free(&map, PAGE, top), -ERANGE);
	ck_assert_int_eq(kmem_region_alloc(&map, top - 2 * PAGE, PAGE, &addr), 0);
	ck_assert_uint_eq(addr, PAGE);
	ck_assert_uint_eq(map.free_bytes, 0);
	ck_assert_int_eq(kmem_region_free(&map, 0, top), 0);
	ck_assert_uint_eq(map.free_bytes, top);
	map_end();
}
END_TEST

/* The model: a byte a page, all searched from the top. */

#define MODEL_PAGES 1024UL
#define MODEL_OPERATIONS 1000000UL
#define MODEL_LIVE 512UL

static uint8_t model[MODEL_PAGES]; /* 1: taken */

static struct model_region {
	size_t page, size;
} model_live[MODEL_LIVE];

static size_t model_count;

static bool model_is_all(size_t page, size_t size, uint8_t value)
{
	for (size_t i = page; i < page + size; i++) {
		if (model[i] != value) {
			return false;
		}
	}
	return true;
}

/* The highest hole of so many pages, as its end; 0 if there is none. */
static size_t model_hole_end(size_t size)
{
	size_t run = 0;

	for (size_t i = MODEL_PAGES; i > 0; i--) {
		run = model[i - 1] == 0 ? run + 1 : 0;
		if (run == size) {
			return i - 1 + size;
		}
	}
	return 0;
}

static int model_alloc(size_t size, size_t align, size_t *page)
{
	size_t needed = size + align - 1;
	size_t end = model_hole_end(needed);

	if (end == 0) {
		return -ENOMEM;
	}
	*page = end - needed;
	while ((BASE / PAGE + *page) % align != 0) {
		++*page;
	}
	memset(model + *page, 1, size);
	return 0;
}

static int model_take(size_t page, size_t size)
{
	if (page + size > MODEL_PAGES) {
		return -ERANGE;
	}
	if (!model_is_all(page, size, 0)) {
		return -EBUSY;
	}
	memset(model + page, 1, size);
	return 0;
}

static int model_free(size_t page, size_t size)
{
	if (page + size > MODEL_PAGES) {
		return -ERANGE;
	}
	if (!model_is_all(page, size, 1)) {
		return -EINVAL;
	}
	memset(model + page, 0, size);
	return 0;
}

static void model_remember(size_t page, size_t size)
{
	if (model_count < MODEL_LIVE) {
		model_live[model_count++] = (struct model_region){page, size};
	}
}

/* Mostly small. */
static size_t random_size(uint64_t *seed)
{
	size_t limit = (size_t)1 << harness_random(seed) % 7;

	return 1 + harness_random(seed) % limit;
}

static size_t random_align(uint64_t *seed)
{
	uint64_t kind = harness_random(seed) % 8;

	if (kind < 5) {
		return 1;
	}
	return kind < 7 ? (size_t)1 << harness_random(seed) % 7 : 1 + harness_random(seed) % 40;
}

static void step_alloc(uint64_t *seed)
{
	size_t size = random_size(seed);
	size_t align = random_align(seed);
	size_t page = 0;
	size_t expected = 0;
	int ret = alloc(size, align, &page);

	ck_assert_int_eq(ret, model_alloc(size, align, &expected));
	ck_assert_uint_eq(page, expected);
	if (ret == 0) {
		model_remember(page, size);
	}
}

static void step_take(uint64_t *seed)
{
	size_t page = harness_random(seed) % MODEL_PAGES;
	size_t size = random_size(seed);
	int ret = kmem_region_take(&map, BASE + page * PAGE, size * PAGE);

	ck_assert_int_eq(ret, model_take(page, size));
	if (ret == 0) {
		model_remember(page, size);
	}
}

/* Free something that was handed out, which may have been given back in parts since. */
static void step_free_known(uint64_t *seed)
{
	size_t i;
	struct model_region region;

	if (model_count == 0) {
		return;
	}
	i = harness_random(seed) % model_count;
	region = model_live[i];
	model_live[i] = model_live[--model_count];
	ck_assert_int_eq(kmem_region_free(&map, BASE + region.page * PAGE, region.size * PAGE),
			 model_free(region.page, region.size));
}

/* Free anything: parts, several, what is free. */
static void step_free_any(uint64_t *seed)
{
	size_t page = harness_random(seed) % MODEL_PAGES;
	size_t size = random_size(seed);

	ck_assert_int_eq(kmem_region_free(&map, BASE + page * PAGE, size * PAGE), model_free(page, size));
}

/* In turns of some thousand calls, taking or giving back prevails, so that the map fills and empties. */
static void step(uint64_t *seed, size_t i)
{
	uint64_t taking = i / 3000 % 2 == 0 ? 60 : 40;
	uint64_t kind = harness_random(seed) % 100;

	if (kind < taking) {
		step_alloc(seed);
	} else if (kind < taking + 5) {
		step_take(seed);
	} else if (kind < 97) {
		step_free_known(seed);
	} else {
		step_free_any(seed);
	}
}

/* The map's counts are the model's. */
static void counts_compare(void)
{
	size_t holes = 0;
	size_t pages = 0;

	for (size_t i = 0; i < MODEL_PAGES; i++) {
		pages += model[i] == 0 ? 1 : 0;
		holes += model[i] == 0 && (i == 0 || model[i - 1] == 1) ? 1 : 0;
	}
	assert_free(pages, holes);
	ck_assert(kmem_region_map_is_valid(&map));
}

static size_t operations(size_t count)
{
	return harness_on_valgrind() ? count / 50 : count;
}

START_TEST(as_a_bitmap_does)
{
	uint64_t seed = harness_seed();

	map_make(MODEL_PAGES);
	memset(model, 0, sizeof(model));
	model_count = 0;
	for (size_t i = 0; i < operations(MODEL_OPERATIONS); i++) {
		step(&seed, i);
		if (i % 2048 == 0) {
			counts_compare();
		}
	}
	counts_compare();
	map_end();
}
END_TEST

/* The same, with memory failing now and then: what fails for that must leave all as it was. */
START_TEST(as_a_bitmap_does_without_memory)
{
	uint64_t seed = harness_seed() + 1;

	map_make(MODEL_PAGES);
	memset(model, 0, sizeof(model));
	for (size_t i = 0; i < operations(100000); i++) {
		size_t size = random_size(&seed);
		size_t align = random_align(&seed);
		size_t page = harness_random(&seed) % MODEL_PAGES;
		bool is_alloc = harness_random(&seed) % 2 == 0;
		size_t expected = 0;
		int ret;

		memory_left((long)(harness_random(&seed) % 3));
		ret = is_alloc ? alloc(size, align, &page) : kmem_region_free(&map, BASE + page * PAGE, size * PAGE);
		memory_plenty();
		if (ret == -ENOMEM) {
			counts_compare();
			ret = is_alloc ? alloc(size, align, &page)
				       : kmem_region_free(&map, BASE + page * PAGE, size * PAGE);
		}
		ck_assert_int_eq(ret, is_alloc ? model_alloc(size, align, &expected) : model_free(page, size));
		if (is_alloc && ret == 0) {
			ck_assert_uint_eq(page, expected);
		}
	}
	counts_compare();
	map_end();
}
END_TEST

#define MANY 100000UL

/* Of twice as many, every second is given back and taken again, from the top; then all are given back in random order. */
START_TEST(a_hundred_thousand_at_once)
{
	size_t many = operations(MANY);
	uint64_t seed = harness_seed();
	size_t *pages = calloc(2 * many, sizeof(*pages));

	ck_assert_ptr_nonnull(pages);
	map_make(2 * many);
	for (size_t i = 0; i < 2 * many; i++) {
		ck_assert_int_eq(alloc(1, 1, &pages[i]), 0);
		ck_assert_uint_eq(pages[i], 2 * many - 1 - i);
	}
	assert_free(0, 0);
	for (size_t i = 0; i < many; i++) {
		ck_assert_int_eq(kmem_region_free(&map, BASE + 2 * i * PAGE, PAGE), 0);
	}
	assert_free(many, many);
	ck_assert(kmem_region_map_is_valid(&map));
	for (size_t i = many; i > 0; i--) {
		size_t page;

		ck_assert_int_eq(alloc(1, 1, &page), 0);
		ck_assert_uint_eq(page, 2 * (i - 1));
	}
	assert_free(0, 0);
	for (size_t i = 2 * many; i > 0; i--) {
		size_t k = harness_random(&seed) % i;

		ck_assert_int_eq(kmem_region_free(&map, BASE + pages[k] * PAGE, PAGE), 0);
		pages[k] = pages[i - 1];
		if (i % 50000 == 0) {
			ck_assert(kmem_region_map_is_valid(&map));
		}
	}
	assert_free(2 * many, 1);
	free(pages);
	map_end();
}
END_TEST

/* The validator sees what is wrong. */
START_TEST(damage_is_seen)
{
	uint32_t priority;

	map_make(16);
	alloc_ok(2, 4);
	map.holes++;
	ck_assert(!kmem_region_map_is_valid(&map));
	map.holes--;
	map.free_bytes -= PAGE;
	ck_assert(!kmem_region_map_is_valid(&map));
	map.free_bytes += PAGE;
	map.end += PAGE;
	ck_assert(!kmem_region_map_is_valid(&map));
	map.end -= PAGE;
	map.start -= PAGE;
	ck_assert(!kmem_region_map_is_valid(&map));
	map.start += PAGE;
	map.root->largest++;
	ck_assert(!kmem_region_map_is_valid(&map));
	map.root->largest--;
	map.root->is_taken = !map.root->is_taken;
	ck_assert(!kmem_region_map_is_valid(&map));
	map.root->is_taken = !map.root->is_taken;
	priority = map.root->priority;
	map.root->priority = 0;
	ck_assert(!kmem_region_map_is_valid(&map));
	map.root->priority = priority;
	map_end();
}
END_TEST

Suite *kmem_test_suite(void)
{
	Suite *suite = suite_create("region");
	TCase *tcase = tcase_create("addresses");

	tcase_add_test(tcase, all_is_free_at_first);
	tcase_add_test(tcase, first_page_is_at_the_top);
	tcase_add_test(tcase, same_address_after_free);
	tcase_add_test(tcase, highest_hole_that_fits);
	tcase_add_test(tcase, no_room);
	tcase_add_test(tcase, aligned_to_a_power_of_two);
	tcase_add_test(tcase, aligned_where_no_rounding_is_needed);
	tcase_add_test(tcase, aligned_to_what_is_no_power_of_two);
	tcase_add_test(tcase, alignment_needs_room_to_spare);
	tcase_add_test(tcase, size_and_alignment_overflow);
	tcase_add_test(tcase, ends_of_the_address_space);
	suite_add_tcase(suite, tcase);

	tcase = tcase_create("take and free");
	tcase_add_test(tcase, take_exactly);
	tcase_add_test(tcase, take_what_is_taken);
	tcase_add_test(tcase, take_and_free_outside);
	tcase_add_test(tcase, free_what_is_free);
	tcase_add_test(tcase, neighbours_coalesce);
	tcase_add_test(tcase, parts_are_given_back);
	tcase_add_test(tcase, several_are_given_back_at_once);
	tcase_add_test(tcase, damage_is_seen);
	suite_add_tcase(suite, tcase);

	tcase = tcase_create("memory");
	tcase_add_test(tcase, no_memory_at_all);
	tcase_add_loop_test(tcase, alloc_without_memory_changes_nothing, 0, 2);
	tcase_add_loop_test(tcase, free_of_a_part_without_memory_changes_nothing, 0, 2);
	tcase_add_test(tcase, free_of_what_was_handed_out_never_needs_memory);
	tcase_add_test(tcase, memory_is_given_back);
	tcase_add_test(tcase, finish_with_much_taken);
	suite_add_tcase(suite, tcase);

	tcase = tcase_create("model");
	tcase_set_timeout(tcase, 300);
	tcase_add_test(tcase, as_a_bitmap_does);
	tcase_add_test(tcase, as_a_bitmap_does_without_memory);
	tcase_add_test(tcase, a_hundred_thousand_at_once);
	suite_add_tcase(suite, tcase);
	return suite;
}
