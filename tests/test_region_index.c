/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The regions by address: by hand, a hundred thousand of them, a random walk beside a sorted array, and readers that
 * take no lock while descriptors come, go and are used again.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "host/failpoint.h"
#include "host/rcu.h"
#include "kernel/region_index.h"

#define PAGE 4096UL
#define BASE 0x10000000UL

static struct kmem_region_index at;

static void setup(void)
{
	kmem_region_index_init(&at);
	ck_assert(kmem_region_index_is_valid(&at));
}

static void teardown(void)
{
	ck_assert(kmem_region_index_is_valid(&at));
	kmem_region_index_finish(&at);
}

/* Regions whose every member follows from their address, so that a mixture of two is found out. */

static uint64_t mix(uint64_t value)
{
	value ^= value >> 31;
	value *= UINT64_C(0x9e3779b97f4a7c15);
	return value ^ (value >> 29);
}

static struct kmem_region region_of(uintptr_t addr, size_t pages)
{
	uint64_t random = mix(addr ^ pages << 1);

	return (struct kmem_region){
		.addr = addr,
		.size = pages * PAGE,
		.flags = (uint32_t)random,
		.kind = (enum kmem_region_kind)(random >> 32 & 3),
		.guarded = (random >> 40 & 1) != 0,
		.phys = ~random,
	};
}

static bool is_whole(const struct kmem_region_info *info)
{
	struct kmem_region expected = region_of(info->addr, info->size / PAGE);

	return info->flags == expected.flags && info->kind == expected.kind && info->guarded == expected.guarded &&
	       info->phys == expected.phys && info->name[0] == '\0';
}

/* Addresses below are in pages from BASE. */

static struct kmem_region *add(size_t page, size_t pages)
{
	struct kmem_region template = region_of(BASE + page * PAGE, pages);
	struct kmem_region *region = kmem_region_index_add(&at, &template);

	ck_assert_ptr_nonnull(region);
	return region;
}

/* Give memory of removed descriptors back, as k_mem_unmap() does. */
static void reclaim(void)
{
	struct kmem_region_batch batch = kmem_region_index_detach(&at);

	if (!kmem_region_batch_is_empty(&batch)) {
		kmem_region_batch_synchronize(&batch);
		kmem_region_index_reclaim(&at, &batch);
	}
}

/* What each() and walk() come by. */
struct visits {
	uintptr_t addrs[64];
	size_t count;
	size_t stop; /* return 7 at that visit; 0: never */
};

static int visit_addr(struct visits *visits, uintptr_t addr)
{
	ck_assert_uint_lt(visits->count, sizeof(visits->addrs) / sizeof(visits->addrs[0]));
	visits->addrs[visits->count++] = addr;
	return visits->count == visits->stop ? 7 : 0;
}

static int visit_region(const struct kmem_region *region, void *arg)
{
	return visit_addr(arg, region->addr);
}

static int visit_info(const struct kmem_region_info *info, void *arg)
{
	ck_assert(is_whole(info));
	return visit_addr(arg, info->addr);
}

START_TEST(empty_index_finds_nothing)
{
	struct kmem_region_info below = {.size = 1};
	struct kmem_region_info above = {.size = 1};
	struct visits visits = {.count = 0};

	ck_assert_ptr_null(kmem_region_index_find(&at, 0));
	ck_assert_ptr_null(kmem_region_index_find(&at, BASE));
	ck_assert_ptr_null(kmem_region_index_find(&at, UINTPTR_MAX));
	ck_assert_ptr_null(kmem_region_index_find_exact(&at, BASE, PAGE));
	kmem_region_index_nearest(&at, BASE, &below, &above);
	ck_assert_uint_eq(below.size, 0);
	ck_assert_uint_eq(above.size, 0);
	ck_assert_str_eq(below.name, "");
	ck_assert_str_eq(above.name, "");
	ck_assert_int_eq(kmem_region_index_each(&at, visit_region, &visits), 0);
	ck_assert_int_eq(kmem_region_index_walk(&at, visit_info, &visits), 0);
	ck_assert_uint_eq(visits.count, 0);
}
END_TEST

START_TEST(zeroed_index_may_be_finished)
{
	struct kmem_region_index zeroed;

	memset(&zeroed, 0, sizeof(zeroed));
	kmem_region_index_finish(&zeroed);
	kmem_region_index_finish(&zeroed);
}
END_TEST

START_TEST(added_region_is_a_copy)
{
	struct kmem_region template = region_of(BASE, 3);
	struct kmem_region *region;

	template.name = ".text";
	region = kmem_region_index_add(&at, &template);
	template.addr = 0;
	ck_assert_ptr_ne(region, &template);
	ck_assert_uint_eq(region->addr, BASE);
	ck_assert_uint_eq(region->size, 3 * PAGE);
	ck_assert_uint_eq(region->phys, template.phys);
	ck_assert_int_eq(region->kind, template.kind);
	ck_assert_str_eq(region->name, ".text");
	ck_assert_str_eq(add(10, 1)->name, "");
	ck_assert_uint_eq(at.count, 2);
}
END_TEST

START_TEST(find_looks_at_usable_bytes_alone)
{
	struct kmem_region *low = add(1, 2);
	struct kmem_region *high = add(3, 1);

	ck_assert_ptr_null(kmem_region_index_find(&at, BASE + PAGE - 1));
	ck_assert_ptr_eq(kmem_region_index_find(&at, BASE + PAGE), low);
	ck_assert_ptr_eq(kmem_region_index_find(&at, BASE + 3 * PAGE - 1), low);
	ck_assert_ptr_eq(kmem_region_index_find(&at, BASE + 3 * PAGE), high);
	ck_assert_ptr_eq(kmem_region_index_find(&at, BASE + 4 * PAGE - 1), high);
	ck_assert_ptr_null(kmem_region_index_find(&at, BASE + 4 * PAGE));
	ck_assert_ptr_null(kmem_region_index_find(&at, UINTPTR_MAX));
	ck_assert_ptr_null(kmem_region_index_find(&at, 0));
}
END_TEST

START_TEST(find_exact_wants_address_and_size)
{
	struct kmem_region *region = add(1, 2);

	ck_assert_ptr_eq(kmem_region_index_find_exact(&at, BASE + PAGE, 2 * PAGE), region);
	ck_assert_ptr_null(kmem_region_index_find_exact(&at, BASE + PAGE, PAGE));
	ck_assert_ptr_null(kmem_region_index_find_exact(&at, BASE + PAGE, 3 * PAGE));
	ck_assert_ptr_null(kmem_region_index_find_exact(&at, BASE + 2 * PAGE, PAGE));
	ck_assert_ptr_null(kmem_region_index_find_exact(&at, BASE + PAGE + 1, 2 * PAGE));
	ck_assert_ptr_null(kmem_region_index_find_exact(&at, BASE, 2 * PAGE));
}
END_TEST

START_TEST(regions_may_lie_at_the_ends_of_the_address_space)
{
	struct kmem_region first = region_of(0, 1);
	struct kmem_region last = region_of(UINTPTR_MAX - PAGE + 1, 1);
	struct kmem_region *low = kmem_region_index_add(&at, &first);
	struct kmem_region *high = kmem_region_index_add(&at, &last);

	ck_assert_ptr_eq(kmem_region_index_find(&at, 0), low);
	ck_assert_ptr_eq(kmem_region_index_find(&at, PAGE - 1), low);
	ck_assert_ptr_null(kmem_region_index_find(&at, PAGE));
	ck_assert_ptr_eq(kmem_region_index_find(&at, UINTPTR_MAX), high);
	ck_assert_ptr_eq(kmem_region_index_find(&at, UINTPTR_MAX - PAGE + 1), high);
	ck_assert_ptr_null(kmem_region_index_find(&at, UINTPTR_MAX - PAGE));
	ck_assert(kmem_region_index_is_valid(&at));
}
END_TEST

static void check_nearest(size_t page, size_t below_page, size_t above_page)
{
	struct kmem_region_info below;
	struct kmem_region_info above;

	kmem_region_index_nearest(&at, BASE + page * PAGE, &below, &above);
	ck_assert_uint_eq(below.size != 0 ? (below.addr - BASE) / PAGE : SIZE_MAX, below_page);
	ck_assert_uint_eq(above.size != 0 ? (above.addr - BASE) / PAGE : SIZE_MAX, above_page);
	ck_assert(below.size == 0 || is_whole(&below));
	ck_assert(above.size == 0 || is_whole(&above));
}

START_TEST(nearest_is_below_or_at_and_above)
{
	(void)add(4, 2);
	(void)add(10, 1);
	(void)add(11, 1);
	check_nearest(0, SIZE_MAX, 4);
	check_nearest(3, SIZE_MAX, 4);
	check_nearest(4, 4, 10);
	check_nearest(5, 4, 10);
	check_nearest(9, 4, 10);
	check_nearest(10, 10, 11);
	check_nearest(11, 11, SIZE_MAX);
	check_nearest(1000, 11, SIZE_MAX);
}
END_TEST

START_TEST(each_and_walk_ascend_and_stop_when_told)
{
	static const size_t pages[] = {30, 10, 50, 20, 40, 0};
	struct visits each = {.count = 0};
	struct visits walk = {.count = 0};
	struct visits stopped = {.stop = 3};

	for (size_t i = 0; i < 6; i++) {
		(void)add(pages[i], 5);
	}
	ck_assert_int_eq(kmem_region_index_each(&at, visit_region, &each), 0);
	ck_assert_int_eq(kmem_region_index_walk(&at, visit_info, &walk), 0);
	ck_assert_uint_eq(each.count, 6);
	ck_assert_uint_eq(walk.count, 6);
	for (size_t i = 0; i < 6; i++) {
		ck_assert_uint_eq(each.addrs[i], BASE + i * 10 * PAGE);
		ck_assert_uint_eq(walk.addrs[i], BASE + i * 10 * PAGE);
	}
	ck_assert_int_eq(kmem_region_index_each(&at, visit_region, &stopped), 7);
	ck_assert_uint_eq(stopped.count, 3);
	stopped.count = 0;
	ck_assert_int_eq(kmem_region_index_walk(&at, visit_info, &stopped), 7);
	ck_assert_uint_eq(stopped.count, 3);
}
END_TEST

START_TEST(removed_region_is_not_found_but_readable)
{
	struct kmem_region *region;
	struct visits visits = {.count = 0};

	(void)add(1, 1);
	region = add(2, 1);
	(void)add(3, 1);
	kmem_region_index_remove(&at, region);
	ck_assert_ptr_null(kmem_region_index_find(&at, BASE + 2 * PAGE));
	ck_assert_int_eq(kmem_region_index_walk(&at, visit_info, &visits), 0);
	ck_assert_uint_eq(visits.count, 2);
	ck_assert_uint_eq(at.count, 2);
	/* A reader that stands on it walks on. */
	ck_assert_uint_eq(region->addr, BASE + 2 * PAGE);
	ck_assert_uint_eq(region->next[0]->addr, BASE + 3 * PAGE);
	ck_assert(kmem_region_index_is_valid(&at));
}
END_TEST

START_TEST(same_place_may_be_used_again_before_it_is_reclaimed)
{
	for (int round = 0; round < 10; round++) {
		struct kmem_region *region = add(2, 1 + (size_t)round % 3);

		ck_assert_ptr_eq(kmem_region_index_find(&at, BASE + 2 * PAGE), region);
		kmem_region_index_remove(&at, region);
		ck_assert_ptr_null(kmem_region_index_find(&at, BASE + 2 * PAGE));
	}
}
END_TEST

static int visit_flags(const struct kmem_region_info *info, void *arg)
{
	*(uint32_t *)arg = info->flags;
	return 0;
}

START_TEST(flags_may_change)
{
	struct kmem_region *region = add(1, 1);
	uint32_t flags = 0;

	kmem_region_index_flags_set(&at, region, 0x39);
	ck_assert_uint_eq(region->flags, 0x39);
	ck_assert_int_eq(kmem_region_index_walk(&at, visit_flags, &flags), 0);
	ck_assert_uint_eq(flags, 0x39);
}
END_TEST

START_TEST(descriptors_are_detached_only_when_there_are_many)
{
	struct kmem_region_batch batch;
	size_t removed = 0;

	do {
		batch = kmem_region_index_detach(&at);
		ck_assert_uint_lt(removed, 10000);
		if (kmem_region_batch_is_empty(&batch)) {
			kmem_region_index_remove(&at, add(removed++, 1));
		}
	} while (kmem_region_batch_is_empty(&batch));
	ck_assert_uint_gt(removed, 1);
	ck_assert_uint_eq(at.pool.live, removed);
	ck_assert_uint_eq(at.retired_count, 0);
	/* While the batch waits, others come and go. */
	kmem_region_index_remove(&at, add(0, 1));
	(void)add(1, 1);
	ck_assert(kmem_region_index_is_valid(&at));
	kmem_region_batch_synchronize(&batch);
	kmem_region_index_reclaim(&at, &batch);
	ck_assert(kmem_region_batch_is_empty(&batch));
	ck_assert_uint_eq(at.pool.live, 2);
	ck_assert_uint_eq(at.retired_count, 1);
}
END_TEST

START_TEST(reclaimed_descriptors_are_used_again)
{
	size_t most = 0;

	for (size_t i = 0; i < 10000; i++) {
		kmem_region_index_remove(&at, add(i, 1));
		reclaim();
		most = at.pool.live > most ? at.pool.live : most;
	}
	ck_assert_uint_lt(most, 200);
}
END_TEST

START_TEST(without_memory_nothing_is_added)
{
	struct kmem_region template = region_of(BASE, 1);

	(void)kmem_failpoint_arm(1, ENOMEM, true);
	ck_assert_ptr_null(kmem_region_index_add(&at, &template));
	(void)kmem_failpoint_arm(0, 0, false);
	ck_assert_uint_eq(at.count, 0);
	ck_assert(kmem_region_index_is_valid(&at));
	ck_assert_ptr_null(kmem_region_index_find(&at, BASE));
	(void)add(0, 1);
}
END_TEST

START_TEST(validation_finds_what_is_wrong)
{
	struct kmem_region *low = add(1, 1);
	struct kmem_region *high = add(5, 1);
	unsigned int levels = low->levels;
	size_t live;

	at.count++;
	ck_assert(!kmem_region_index_is_valid(&at)); /* X3 */
	at.count--;
	low->size = 5 * PAGE;
	ck_assert(!kmem_region_index_is_valid(&at)); /* X1: they overlap */
	low->size = PAGE;
	high->addr = BASE;
	ck_assert(!kmem_region_index_is_valid(&at)); /* X1: they descend */
	high->addr = BASE + 5 * PAGE;
	low->levels = KMEM_REGION_LEVELS;
	ck_assert(!kmem_region_index_is_valid(&at)); /* X2: a level misses one */
	low->levels = 0;
	ck_assert(!kmem_region_index_is_valid(&at)); /* X2: a level has one that does not reach it */
	low->levels = levels;
	live = at.pool.live;
	at.pool.live = 1;
	ck_assert(!kmem_region_index_is_valid(&at)); /* X3 */
	at.pool.live = live;
}
END_TEST

/* Many. */

#define MANY 100000UL

/* A permutation of 0 to MANY - 1. */
static size_t scattered(size_t i)
{
	return (i * 77773 + 12345) % MANY;
}

static int count_level(const struct kmem_region *region, void *arg)
{
	size_t *levels = arg;

	for (unsigned int level = 0; level < region->levels; level++) {
		levels[level]++;
	}
	return 0;
}

/* Whether every way to look for the ith region, which has neighbours, finds it. */
static bool is_found(size_t i)
{
	uintptr_t addr = BASE + i * 4 * PAGE;
	struct kmem_region *region = kmem_region_index_find(&at, addr + PAGE);
	struct kmem_region_info below;
	struct kmem_region_info above;

	kmem_region_index_nearest(&at, addr + 3 * PAGE, &below, &above);
	return region != NULL && region->addr == addr && kmem_region_index_find_exact(&at, addr, 2 * PAGE) == region &&
	       kmem_region_index_find(&at, addr + 2 * PAGE) == NULL && below.addr == addr &&
	       above.addr == (i + 1 < MANY ? addr + 4 * PAGE : 0);
}

START_TEST(a_hundred_thousand_regions)
{
	size_t levels[KMEM_REGION_LEVELS] = {0};
	size_t found = 0;

	for (size_t i = 0; i < MANY; i++) {
		(void)add(scattered(i) * 4, 2);
	}
	ck_assert_uint_eq(at.count, MANY);
	ck_assert(kmem_region_index_is_valid(&at));
	for (size_t i = 0; i < MANY; i++) {
		found += is_found(i) ? 1 : 0;
	}
	ck_assert_uint_eq(found, MANY);
	/* One in four is a level up, as long as there are enough for the law of large numbers. */
	ck_assert_int_eq(kmem_region_index_each(&at, count_level, levels), 0);
	for (size_t level = 0; levels[level] >= 1000; level++) {
		ck_assert_uint_gt(levels[level + 1], levels[level] / 5);
		ck_assert_uint_lt(levels[level + 1], levels[level] / 3);
	}
	/* Every other one goes. */
	for (size_t i = 0; i < MANY; i++) {
		if (scattered(i) % 2 == 0) {
			kmem_region_index_remove(&at, kmem_region_index_find(&at, BASE + scattered(i) * 4 * PAGE));
			reclaim();
		}
	}
	ck_assert_uint_eq(at.count, MANY / 2);
	ck_assert(kmem_region_index_is_valid(&at));
	found = 0;
	for (size_t i = 0; i < MANY; i++) {
		struct kmem_region *region = kmem_region_index_find(&at, BASE + i * 4 * PAGE);

		found += region != NULL && region->addr == BASE + i * 4 * PAGE && i % 2 != 0 ? 1 : 0;
		found += region == NULL && i % 2 == 0 ? 1 : 0;
	}
	ck_assert_uint_eq(found, MANY);
}
END_TEST

/* Beside a model: a sorted array of regions that do not overlap. */

#define MODEL_PAGES 4096UL
#define MODEL_MAX 512UL

static struct {
	struct {
		size_t page, pages;
	} regions[MODEL_MAX];
	size_t count;
} model;

/* How many regions begin at a page or below. */
static size_t model_rank(size_t page)
{
	size_t low = 0;
	size_t high = model.count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (model.regions[middle].page <= page) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

static bool model_has_room(size_t page, size_t pages)
{
	size_t rank = model_rank(page);

	return model.count < MODEL_MAX &&
	       (rank == 0 || model.regions[rank - 1].page + model.regions[rank - 1].pages <= page) &&
	       (rank == model.count || page + pages <= model.regions[rank].page);
}

static void model_add(size_t page, size_t pages)
{
	size_t rank = model_rank(page);

	memmove(&model.regions[rank + 1], &model.regions[rank], (model.count - rank) * sizeof(model.regions[0]));
	model.regions[rank].page = page;
	model.regions[rank].pages = pages;
	model.count++;
}

static void model_remove(size_t i)
{
	model.count--;
	memmove(&model.regions[i], &model.regions[i + 1], (model.count - i) * sizeof(model.regions[0]));
}

/* Add or remove something, in both. */
static void model_change(uint64_t random)
{
	size_t page = random % MODEL_PAGES;
	size_t pages = 1 + (random >> 20) % 8;
	size_t rank;

	if ((random >> 32) % 5 < 3) {
		if (model_has_room(page, pages)) {
			(void)add(page, pages);
			model_add(page, pages);
		}
		return;
	}
	rank = model_rank(page);
	if (rank > 0) {
		uintptr_t addr = BASE + model.regions[rank - 1].page * PAGE;
		struct kmem_region *region = kmem_region_index_find_exact(&at, addr,
									  model.regions[rank - 1].pages * PAGE);

		ck_assert_ptr_nonnull(region);
		kmem_region_index_remove(&at, region);
		model_remove(rank - 1);
		reclaim();
	}
}

/* Look an address up in both. */
static void model_compare(uint64_t random)
{
	size_t page = random % MODEL_PAGES;
	size_t rank = model_rank(page);
	size_t below = rank > 0 ? model.regions[rank - 1].page : SIZE_MAX;
	size_t above = rank < model.count ? model.regions[rank].page : SIZE_MAX;
	bool is_inside = rank > 0 && page - below < model.regions[rank - 1].pages;
	struct kmem_region *region = kmem_region_index_find(&at, BASE + page * PAGE + random % PAGE);

	check_nearest(page, below, above);
	ck_assert_uint_eq(at.count, model.count);
	ck_assert_int_eq(region != NULL, is_inside);
	ck_assert(!is_inside || region->addr == BASE + below * PAGE);
}

struct comparison {
	size_t i;
};

static int compare_next(const struct kmem_region_info *info, void *arg)
{
	struct comparison *comparison = arg;

	ck_assert_uint_lt(comparison->i, model.count);
	ck_assert_uint_eq(info->addr, BASE + model.regions[comparison->i].page * PAGE);
	ck_assert_uint_eq(info->size, model.regions[comparison->i].pages * PAGE);
	ck_assert(is_whole(info));
	comparison->i++;
	return 0;
}

START_TEST(random_walk_beside_a_sorted_array)
{
	uint64_t seed = harness_seed() + (uint64_t)_i;
	size_t steps = harness_on_valgrind() ? 5000 : 30000;

	model.count = 0;
	for (size_t i = 0; i < steps; i++) {
		model_change(harness_random(&seed));
		model_compare(harness_random(&seed));
		if (i % 1000 == 0) {
			struct comparison comparison = {.i = 0};

			ck_assert(kmem_region_index_is_valid(&at));
			ck_assert_int_eq(kmem_region_index_walk(&at, compare_next, &comparison), 0);
			ck_assert_uint_eq(comparison.i, model.count);
		}
	}
	ck_assert_uint_gt(model.count, MODEL_MAX / 4);
	while (model.count > 0) {
		kmem_region_index_remove(&at, kmem_region_index_find(&at, BASE + model.regions[0].page * PAGE));
		model_remove(0);
	}
	ck_assert_uint_eq(at.count, 0);
}
END_TEST

/*
 * Readers. Every PERMANENTth place has a region that stays; the others come and go. Descriptors follow from addresses,
 * so one that is overwritten while it is read is noticed.
 */

#define PLACES 1024UL
#define PLACE_PAGES 8UL
#define PERMANENT 16UL
#define READERS 2

static struct {
	_Atomic bool is_over;
	_Atomic unsigned long walks;
	_Atomic unsigned long wrong;
} race;

/* One walk of a reader. */
struct walk {
	uintptr_t before;
	size_t permanent;
};

static int walk_next(const struct kmem_region_info *info, void *arg)
{
	struct walk *walk = arg;
	size_t place = (info->addr - BASE) / PAGE / PLACE_PAGES;

	if (info->addr <= walk->before || place >= PLACES || !is_whole(info)) {
		race.wrong++;
	}
	walk->before = info->addr;
	walk->permanent += place % PERMANENT == 0 ? 1 : 0;
	return 0;
}

/* There is always one at or below a place: the last that stays, if no other one. */
static void look_around(size_t place)
{
	uintptr_t addr = BASE + place * PLACE_PAGES * PAGE;
	uintptr_t permanent = BASE + place / PERMANENT * PERMANENT * PLACE_PAGES * PAGE;
	struct kmem_region_info below;
	struct kmem_region_info above;

	kmem_region_index_nearest(&at, addr, &below, &above);
	race.wrong += below.addr < permanent || below.addr > addr || !is_whole(&below) ? 1 : 0;
	race.wrong += above.size != 0 && (above.addr <= addr || !is_whole(&above)) ? 1 : 0;
}

static void *reader(void *arg)
{
	uint64_t seed = harness_seed() + (uintptr_t)arg;

	while (!race.is_over) {
		struct walk walk = {.before = 0};

		(void)kmem_region_index_walk(&at, walk_next, &walk);
		race.wrong += walk.permanent != PLACES / PERMANENT ? 1 : 0;
		for (size_t i = 0; i < 1000; i++) {
			look_around(harness_random(&seed) % PLACES);
		}
		race.walks++;
	}
	return NULL;
}

/* Change one place that may be changed. */
static void place_change(struct kmem_region **places, uint64_t random)
{
	size_t place = random % PLACES;

	if (place % PERMANENT == 0) {
		return;
	}
	if (places[place] != NULL) {
		kmem_region_index_remove(&at, places[place]);
		places[place] = NULL;
		reclaim();
		return;
	}
	places[place] = add(place * PLACE_PAGES, 1 + (random >> 32) % PLACE_PAGES);
}

START_TEST(readers_walk_while_descriptors_come_and_go)
{
	static struct kmem_region *places[PLACES];
	uint64_t seed = harness_seed() + (uint64_t)_i;
	size_t steps = harness_on_valgrind() || harness_on_tsan() ? 10000 : 100000;
	pthread_t threads[READERS];

	memset(places, 0, sizeof(places));
	memset(&race, 0, sizeof(race));
	for (size_t place = 0; place < PLACES; place += PERMANENT) {
		places[place] = add(place * PLACE_PAGES, PLACE_PAGES);
	}
	for (size_t i = 0; i < READERS; i++) {
		ck_assert_int_eq(pthread_create(&threads[i], NULL, reader, (void *)(i + 1)), 0);
	}
	while (race.walks < READERS) {
		place_change(places, harness_random(&seed));
	}
	for (size_t i = 0; i < steps; i++) {
		place_change(places, harness_random(&seed));
	}
	race.is_over = true;
	for (size_t i = 0; i < READERS; i++) {
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	}
	ck_assert_uint_eq(race.wrong, 0);
	/* Reclaimed, or waiting to be: not one descriptor a change. */
	ck_assert_uint_eq(at.pool.live, at.count + at.retired_count);
	ck_assert_uint_lt(at.pool.live, 2 * PLACES);
}
END_TEST

Suite *kmem_test_suite(void)
{
	Suite *suite = suite_create("region index");
	TCase *few = tcase_create("few");
	TCase *many = tcase_create("many");
	TCase *readers = tcase_create("readers");

	tcase_add_checked_fixture(few, setup, teardown);
	tcase_add_test(few, empty_index_finds_nothing);
	tcase_add_test(few, zeroed_index_may_be_finished);
	tcase_add_test(few, added_region_is_a_copy);
	tcase_add_test(few, find_looks_at_usable_bytes_alone);
	tcase_add_test(few, find_exact_wants_address_and_size);
	tcase_add_test(few, regions_may_lie_at_the_ends_of_the_address_space);
	tcase_add_test(few, nearest_is_below_or_at_and_above);
	tcase_add_test(few, each_and_walk_ascend_and_stop_when_told);
	tcase_add_test(few, removed_region_is_not_found_but_readable);
	tcase_add_test(few, same_place_may_be_used_again_before_it_is_reclaimed);
	tcase_add_test(few, flags_may_change);
	tcase_add_test(few, descriptors_are_detached_only_when_there_are_many);
	tcase_add_test(few, reclaimed_descriptors_are_used_again);
	tcase_add_test(few, without_memory_nothing_is_added);
	tcase_add_test(few, validation_finds_what_is_wrong);
	suite_add_tcase(suite, few);

	tcase_add_checked_fixture(many, setup, teardown);
	tcase_set_timeout(many, 60);
	tcase_add_test(many, a_hundred_thousand_regions);
	tcase_add_loop_test(many, random_walk_beside_a_sorted_array, 0, 3);
	suite_add_tcase(suite, many);

	tcase_add_checked_fixture(readers, setup, teardown);
	tcase_set_timeout(readers, 60);
	tcase_add_loop_test(readers, readers_walk_while_descriptors_come_and_go, 0, 3);
	suite_add_tcase(suite, readers);
	return suite;
}
