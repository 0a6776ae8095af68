/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mapping: exact addresses, what pages hold at first, what is refused and leaves nothing behind, what may be unmapped;
 * physical memory and its aliases; what a store holds; permissions.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <kmem/kmem.h>

#include "expect.h"
#include "harness.h"
#include "state.h"

#define PAGE 4096UL
#define FRAMES 32UL
#define SLOTS 8UL
#define RW K_MEM_PERM_RW

static struct harness_leaks leaks;

static void boot(struct kmem_config *config)
{
	config->struct_size = sizeof(*config);
	config->vm_size = config->vm_size != 0 ? config->vm_size : 16UL << 20;
	config->ram_size = config->ram_size != 0 ? config->ram_size : FRAMES * PAGE;
	ck_assert_msg(kmem_boot(config) == 0, "%s", kmem_boot_error());
}

static void setup_none(void)
{
	memset(&fatal, 0, sizeof(fatal));
	harness_leaks_begin(&leaks);
}

/* Pages get frames at first touch. */
static void setup_lazy(void)
{
	struct kmem_config config = {.store = "ram:64", .policy = "lru"};

	setup_none();
	boot(&config);
}

/* Pages get frames when they are mapped. */
static void setup_eager(void)
{
	struct kmem_config config = {.store = "ram:8", .policy = "lru", .demand_mapping = KMEM_SWITCH_OFF};

	setup_none();
	boot(&config);
}

static void setup_unpaged(void)
{
	struct kmem_config config = {.demand_paging = KMEM_SWITCH_OFF};

	setup_none();
	boot(&config);
}

static void setup_unasserted(void)
{
	struct kmem_config config = {.store = "ram:64", .policy = "lru", .assertions = KMEM_SWITCH_OFF};

	setup_none();
	boot(&config);
}

static void teardown(void)
{
	ck_assert(kmem_is_valid());
	ck_assert_int_eq(kmem_shutdown(), 0);
	harness_leaks_check(&leaks);
}

/* The region that begins at an address; size 0 if there is none. */
static int region_find(const struct kmem_region_info *region, void *arg)
{
	struct kmem_region_info *found = arg;

	if (region->addr != found->addr) {
		return 0;
	}
	*found = *region;
	return 1;
}

static struct kmem_region_info region_at(const volatile void *addr)
{
	struct kmem_region_info region = {.addr = (uintptr_t)addr};

	(void)kmem_region_walk(region_find, &region);
	return region;
}

/* A page that can be read and not written. */
static void check_read_only(volatile uint8_t *byte, uint8_t value)
{
	ck_assert_uint_eq(*byte, value);
	expect_read_only(byte);
	ck_assert_uint_eq(*byte, value);
}

static uint8_t *map(size_t pages, uint32_t flags)
{
	void *addr = k_mem_map(pages * PAGE, flags);

	ck_assert_ptr_nonnull(addr);
	return addr;
}

static void check_state(const volatile uint8_t *bytes, size_t pages, enum kmem_page_state state)
{
	for (size_t i = 0; i < pages; i++) {
		ck_assert_int_eq(status_of(bytes + i * PAGE).state, state);
	}
}

/* Every byte, on whatever pages there are. */
static void check_bytes(const volatile uint8_t *bytes, size_t pages, uint8_t value)
{
	size_t wrong = 0;

	for (size_t i = 0; i < pages * PAGE; i++) {
		wrong += bytes[i] != value ? 1 : 0;
	}
	ck_assert_uint_eq(wrong, 0);
}

static bool is_engine(const char *name)
{
	struct kmem_setup setup;

	ck_assert_int_eq(kmem_setup_get(&setup), 0);
	return strcmp(setup.engine, name) == 0;
}

/* Pages that say which they are. */
static void number(volatile uint8_t *bytes, size_t pages)
{
	for (size_t i = 0; i < pages; i++) {
		bytes[i * PAGE] = (uint8_t)(i + 1);
	}
}

static void check_numbers(const volatile uint8_t *bytes, size_t pages)
{
	for (size_t i = 0; i < pages; i++) {
		ck_assert_uint_eq(bytes[i * PAGE], (uint8_t)(i + 1));
	}
}

/* Nothing is mapped, no frame and no location is in use, and the next address is the first one. */
static void check_untouched(void)
{
	struct kmem_usage usage = usage_now();
	struct kmem_layout layout = layout_now();
	void *addr;

	ck_assert(kmem_is_valid());
	ck_assert_uint_eq(usage.frames_free, usage.frames);
	ck_assert_uint_eq(usage.regions, 0);
	ck_assert_uint_eq(usage.region_bytes, 0);
	ck_assert_uint_eq(usage.store.used_pages, 0);
	addr = k_mem_map(PAGE, 0);
	ck_assert_uint_eq((uintptr_t)addr, layout.virt_ram_end - layout.vm_reserved - 2 * PAGE);
	k_mem_unmap(addr, PAGE);
}

/* Addresses. */

START_TEST(first_address_is_three_pages_below_the_end_with_demand_paging)
{
	ck_assert_uint_eq((uintptr_t)map(1, RW), layout_now().virt_ram_end - 3 * PAGE);
}
END_TEST

START_TEST(first_address_is_two_pages_below_the_end_without_demand_paging)
{
	ck_assert_uint_eq((uintptr_t)map(1, RW), layout_now().virt_ram_end - 2 * PAGE);
}
END_TEST

START_TEST(mappings_follow_each_other_downwards_with_two_guards_between)
{
	uint8_t *above = map(3, RW);

	ck_assert_uint_eq((uintptr_t)above, layout_now().virt_ram_end - 5 * PAGE);
	for (size_t pages = 1; pages < 9; pages++) {
		uint8_t *below = map(pages, RW);

		ck_assert_ptr_eq(below, above - (2 + pages) * PAGE);
		above = below;
	}
}
END_TEST

START_TEST(address_is_the_same_after_unmap)
{
	uint8_t *first = map(2, RW);
	uint8_t *second = map(3, RW);

	(void)map(1, RW);
	for (int round = 0; round < 100; round++) {
		k_mem_unmap(first, 2 * PAGE);
		ck_assert_ptr_eq(map(2, RW), first);
		k_mem_unmap(second, 3 * PAGE);
		ck_assert_ptr_eq(map(3, RW), second);
	}
}
END_TEST

START_TEST(highest_hole_that_fits_is_filled_from_its_top)
{
	uint8_t *four = map(4, RW);
	uint8_t *six;

	(void)map(2, RW);
	six = map(6, RW);
	(void)map(1, RW);
	k_mem_unmap(four, 4 * PAGE);
	k_mem_unmap(six, 6 * PAGE);
	/* Holes of six and of eight pages. */
	ck_assert_ptr_eq(map(5, RW), six + PAGE);
	ck_assert_ptr_eq(map(2, RW), four + 2 * PAGE);
	/* Two pages are left of the upper one: too few for a page and its guards. */
	ck_assert_ptr_eq(map(1, RW), six - 6 * PAGE);
}
END_TEST

START_TEST(joined_holes_serve_a_larger_mapping)
{
	uint8_t *upper = map(2, RW);
	uint8_t *middle = map(2, RW);
	uint8_t *lower = map(2, RW);

	(void)map(1, RW);
	k_mem_unmap(upper, 2 * PAGE);
	k_mem_unmap(lower, 2 * PAGE);
	k_mem_unmap(middle, 2 * PAGE);
	ck_assert_ptr_eq(map(10, RW), lower);
}
END_TEST

START_TEST(guards_stand_on_both_sides)
{
	uint8_t *bytes = map(3, RW);
	struct kmem_region_info region = region_at(bytes);

	ck_assert_int_eq(status_of(bytes - 2 * PAGE).state, KMEM_PAGE_STATE_UNMAPPED);
	ck_assert_int_eq(status_of(bytes - PAGE).state, KMEM_PAGE_STATE_GUARD);
	check_state(bytes, 3, KMEM_PAGE_STATE_OUT);
	ck_assert_int_eq(status_of(bytes + 3 * PAGE).state, KMEM_PAGE_STATE_GUARD);
	ck_assert_int_eq(status_of(bytes + 4 * PAGE).state, KMEM_PAGE_STATE_UNMAPPED);
	ck_assert_uint_eq(region.size, 3 * PAGE);
	ck_assert_uint_eq(region.flags, RW);
	ck_assert_int_eq(region.kind, KMEM_REGION_ANON);
	ck_assert(region.guarded);
	ck_assert_str_eq(region.name, "");
	k_mem_unmap(bytes, 3 * PAGE);
	check_state(bytes - 2 * PAGE, 7, KMEM_PAGE_STATE_UNMAPPED);
	ck_assert_uint_eq(region_at(bytes).size, 0);
}
END_TEST

START_TEST(used_up_address_space_is_null_until_something_goes)
{
	/* 63 pages but the scratch page: 21 mappings of a page and two guards. */
	struct kmem_config config = {.vm_size = 64 * PAGE};
	uint8_t *bytes[21];

	boot(&config);
	for (size_t i = 0; i < 21; i++) {
		bytes[i] = map(1, RW);
		bytes[i][0] = (uint8_t)i;
	}
	ck_assert_uint_eq((uintptr_t)bytes[20], layout_now().vm_free_start + PAGE);
	ck_assert_ptr_null(k_mem_map(PAGE, RW));
	k_mem_unmap(bytes[7], PAGE);
	ck_assert_ptr_null(k_mem_map(2 * PAGE, RW));
	ck_assert_ptr_eq(k_mem_map(PAGE, RW), bytes[7]);
	ck_assert_ptr_null(k_mem_map(PAGE, RW));
	for (size_t i = 0; i < 21; i++) {
		ck_assert_uint_eq(bytes[i][0], i == 7 ? 0 : i);
		k_mem_unmap(bytes[i], PAGE);
	}
	check_untouched();
}
END_TEST

START_TEST(one_mapping_may_take_all_address_space)
{
	struct kmem_config config = {.vm_size = 64 * PAGE};
	uint8_t *bytes;

	boot(&config);
	ck_assert_ptr_null(k_mem_map(62 * PAGE, RW));
	bytes = map(61, RW);
	ck_assert_uint_eq((uintptr_t)bytes, layout_now().vm_free_start + PAGE);
	number(bytes, 61);
	check_numbers(bytes, 61);
	k_mem_unmap(bytes, 61 * PAGE);
	check_untouched();
}
END_TEST

/* What pages hold at first. */

static void dirty_all_frames(uint8_t value)
{
	uint8_t *bytes = map(FRAMES, RW);

	memset(bytes, value, FRAMES * PAGE);
	k_mem_unmap(bytes, FRAMES * PAGE);
}

START_TEST(pages_are_zero_on_frames_that_were_dirty)
{
	uint8_t *bytes;

	dirty_all_frames(0xa5);
	bytes = map(FRAMES, RW);
	check_bytes(bytes, FRAMES, 0);
}
END_TEST

START_TEST(uninitialised_pages_are_not_zeroed)
{
	uint8_t *bytes;

	dirty_all_frames(0xa5);
	bytes = map(FRAMES, RW | K_MEM_MAP_UNINIT);
	/* What they are is undefined; there, where bytes lie by the page's address, every page is a new one. */
	check_bytes(bytes, FRAMES, is_engine("guard") ? 0 : 0xa5);
}
END_TEST

START_TEST(read_only_pages_are_zero)
{
	uint8_t *bytes;

	dirty_all_frames(0xa5);
	bytes = map(FRAMES, 0);
	ck_assert_uint_eq(status_of(bytes).flags, 0);
	check_bytes(bytes, FRAMES, 0);
}
END_TEST

START_TEST(locked_pages_are_zero_on_frames_that_were_dirty)
{
	uint8_t *bytes;

	dirty_all_frames(0xa5);
	bytes = map(FRAMES, RW | K_MEM_MAP_LOCK);
	check_bytes(bytes, FRAMES, 0);
}
END_TEST

START_TEST(permissions_are_recorded)
{
	static const uint32_t flags[] = {
		0, RW, K_MEM_PERM_EXEC, K_MEM_PERM_USER, RW | K_MEM_PERM_EXEC | K_MEM_PERM_USER,
	};

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		uint8_t *bytes = map(1, flags[i]);

		ck_assert_uint_eq(status_of(bytes).flags, flags[i]);
		ck_assert_uint_eq(region_at(bytes).flags, flags[i]);
	}
}
END_TEST

/* Frames. */

START_TEST(lazy_mapping_takes_frames_at_first_touch)
{
	size_t before = k_mem_free_get();
	volatile uint8_t *bytes = map(4, RW);

	ck_assert_uint_eq(k_mem_free_get(), before);
	ck_assert_uint_eq(status_of(bytes).location, KMEM_LOCATION_ANON_ZERO);
	for (size_t i = 0; i < 4; i++) {
		(void)bytes[i * PAGE];
		ck_assert_uint_eq(k_mem_free_get(), before - (i + 1) * PAGE);
	}
	k_mem_unmap((void *)bytes, 4 * PAGE);
	check_untouched();
}
END_TEST

START_TEST(lazy_mapping_may_be_larger_than_ram_and_store)
{
	uint8_t *bytes = map(1000, RW | K_MEM_MAP_UNINIT);

	ck_assert_uint_eq(k_mem_free_get(), FRAMES * PAGE);
	ck_assert_uint_eq(status_of(bytes + 999 * PAGE).location, KMEM_LOCATION_ANON_UNINIT);
	k_mem_unmap(bytes, 1000 * PAGE);
	check_untouched();
}
END_TEST

START_TEST(eager_mapping_takes_frames_at_map)
{
	volatile uint8_t *bytes = map(4, RW);
	struct kmem_stats before = stats_now();

	ck_assert_uint_eq(k_mem_free_get(), (FRAMES - 4) * PAGE);
	check_state(bytes, 4, KMEM_PAGE_STATE_IN);
	number(bytes, 4);
	check_numbers(bytes, 4);
	ck_assert_uint_eq(stats_now().pagefaults.cnt, before.pagefaults.cnt);
	ck_assert_uint_eq(stats_now().minor_faults, before.minor_faults);
	ck_assert_uint_eq(k_mem_free_get(), (FRAMES - 4) * PAGE);
	k_mem_unmap((void *)bytes, 4 * PAGE);
	check_untouched();
}
END_TEST

START_TEST(locked_mapping_is_resident_pinned_and_never_traps)
{
	struct kmem_stats before = stats_now();
	volatile uint8_t *bytes = map(4, RW | K_MEM_MAP_LOCK);

	ck_assert_uint_eq(k_mem_free_get(), (FRAMES - 4) * PAGE);
	for (size_t i = 0; i < 4; i++) {
		ck_assert_int_eq(status_of(bytes + i * PAGE).state, KMEM_PAGE_STATE_IN);
		ck_assert(status_of(bytes + i * PAGE).pinned);
	}
	number(bytes, 4);
	check_numbers(bytes, 4);
	ck_assert_uint_eq(stats_now().pagefaults.cnt, before.pagefaults.cnt);
	ck_assert_uint_eq(stats_now().minor_faults, before.minor_faults);
	ck_assert_uint_eq(usage_now().frames_pinned, 4);
	k_mem_unmap((void *)bytes, 4 * PAGE);
	check_untouched();
}
END_TEST

START_TEST(locked_mapping_that_does_not_fit_sends_pages_out_but_leaves_nothing)
{
	uint8_t *others = map(FRAMES / 2, RW);
	uint8_t *locked = map(FRAMES / 2, RW | K_MEM_MAP_LOCK);

	number(others, FRAMES / 2);
	ck_assert_ptr_null(k_mem_map((FRAMES / 2 + 1) * PAGE, RW | K_MEM_MAP_LOCK));
	ck_assert(kmem_is_valid());
	ck_assert_uint_eq(usage_now().frames_pinned, FRAMES / 2);
	check_numbers(others, FRAMES / 2);
	k_mem_unmap(locked, FRAMES / 2 * PAGE);
	k_mem_unmap(others, FRAMES / 2 * PAGE);
	check_untouched();
}
END_TEST

START_TEST(used_up_frames_without_demand_paging_are_null_and_nothing_stays)
{
	uint8_t *bytes;

	ck_assert_ptr_null(k_mem_map((FRAMES + 1) * PAGE, RW));
	check_untouched();
	bytes = map(FRAMES - 3, RW);
	number(bytes, FRAMES - 3);
	ck_assert_ptr_null(k_mem_map(4 * PAGE, RW));
	ck_assert_uint_eq(k_mem_free_get(), 3 * PAGE);
	check_state(bytes - 7 * PAGE, 6, KMEM_PAGE_STATE_UNMAPPED);
	ck_assert_ptr_eq(map(3, RW), bytes - 5 * PAGE);
	ck_assert_uint_eq(k_mem_free_get(), 0);
	ck_assert_ptr_null(k_mem_map(PAGE, RW));
	check_numbers(bytes, FRAMES - 3);
	k_mem_unmap(bytes - 5 * PAGE, 3 * PAGE);
	k_mem_unmap(bytes, (FRAMES - 3) * PAGE);
	check_untouched();
}
END_TEST

START_TEST(used_up_store_is_null_for_eager_mappings_and_nothing_stays)
{
	uint8_t *bytes = map(FRAMES - 3, RW);

	number(bytes, FRAMES - 3);
	/* Three frames are free, and all locations but the last one serve. */
	ck_assert_ptr_null(k_mem_map((3 + SLOTS) * PAGE, RW));
	ck_assert(kmem_is_valid());
	ck_assert_uint_eq(usage_now().regions, 1);
	check_state(bytes - (4 + SLOTS) * PAGE, 3 + SLOTS, KMEM_PAGE_STATE_UNMAPPED);
	check_numbers(bytes, FRAMES - 3);
	ck_assert_ptr_eq(map(2 + SLOTS, RW), bytes - (4 + SLOTS) * PAGE);
	ck_assert_ptr_null(k_mem_map(PAGE, RW));
	number(bytes - (4 + SLOTS) * PAGE, 2 + SLOTS);
	check_numbers(bytes, FRAMES - 3);
	check_numbers(bytes - (4 + SLOTS) * PAGE, 2 + SLOTS);
	k_mem_unmap(bytes - (4 + SLOTS) * PAGE, (2 + SLOTS) * PAGE);
	k_mem_unmap(bytes, (FRAMES - 3) * PAGE);
	check_untouched();
}
END_TEST

/* What is refused. */

START_TEST(user_may_not_see_uninitialised_memory)
{
	const uint32_t flags = K_MEM_PERM_USER | K_MEM_MAP_UNINIT;

	ck_assert_ptr_null(k_mem_map(PAGE, RW | flags));
	ck_assert_ptr_null(k_mem_map_phys_guard(layout_now().phys_ram_start, PAGE, flags, false));
	check_untouched();
}
END_TEST

START_TEST(sizes_that_cannot_be_are_null)
{
	static const size_t sizes[] = {
		0,
		1,
		PAGE - 1,
		PAGE + 1,
		SIZE_MAX,
		SIZE_MAX - PAGE + 1,
		SIZE_MAX - 2 * PAGE + 1,
		SIZE_MAX - 3 * PAGE + 1,
		SIZE_MAX / 2 + 1,
		16UL << 20,
	};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		ck_assert_ptr_null(k_mem_map(sizes[i], RW));
		ck_assert_ptr_null(k_mem_map_phys_guard(layout_now().phys_ram_start, sizes[i], RW, false));
	}
	check_untouched();
}
END_TEST

START_TEST(cache_modes_are_asserted_against)
{
	uintptr_t phys = layout_now().phys_ram_start;

	EXPECT_PANIC((void)k_mem_map(PAGE, RW | K_MEM_CACHE_WT), "cache mode");
	EXPECT_PANIC((void)k_mem_map(PAGE, RW | K_MEM_CACHE_NONE), "cache mode");
	EXPECT_PANIC((void)k_mem_map_phys_guard(phys, PAGE, K_MEM_CACHE_MASK, false), "cache mode");
	check_untouched();
}
END_TEST

START_TEST(cache_modes_are_ignored_without_assertions)
{
	uint8_t *bytes = map(1, RW | K_MEM_CACHE_NONE);

	ck_assert_uint_eq(status_of(bytes).flags, RW | K_MEM_CACHE_WB);
	ck_assert_uint_eq(region_at(bytes).flags, RW | K_MEM_CACHE_WB);
}
END_TEST

/* Unmapping. */

/* Put the pages of a mapping in one of the states they may be in. */
static void prepare(uint8_t *bytes, size_t pages, int way)
{
	switch (way) {
	case 0:
		return; /* as they are */
	case 1:
		number(bytes, pages);
		return;
	case 2:
		number(bytes, pages);
		ck_assert_int_eq(k_mem_page_out(bytes, pages * PAGE), 0);
		check_state(bytes, pages, KMEM_PAGE_STATE_OUT);
		return;
	case 3:
		k_mem_pin(bytes, pages * PAGE);
		ck_assert(status_of(bytes).pinned);
		return;
	case 4:
		number(bytes, pages);
		ck_assert_int_eq(k_mem_page_out(bytes + PAGE, PAGE), 0);
		k_mem_pin(bytes + 2 * PAGE, PAGE);
		return;
	default:
		number(bytes, pages);
		ck_assert_int_eq(k_mem_update_flags(bytes, pages * PAGE, 0), 0);
		return;
	}
}

/* Untouched, written, paged out, pinned, a mixture, read-only. */
#define WAYS 6

START_TEST(unmap_gives_back_pages_in_any_state)
{
	for (int round = 0; round < 3; round++) {
		uint8_t *bytes = map(5, RW);

		prepare(bytes, 5, _i);
		k_mem_unmap(bytes, 5 * PAGE);
		check_state(bytes - PAGE, 7, KMEM_PAGE_STATE_UNMAPPED);
		check_untouched();
	}
}
END_TEST

START_TEST(unmap_by_a_smaller_size_or_from_inside_is_ignored)
{
	uint8_t *bytes = map(4, RW);

	prepare(bytes, 4, _i);
	k_mem_unmap(bytes, 3 * PAGE);
	k_mem_unmap(bytes, 0);
	k_mem_unmap(bytes + PAGE, 3 * PAGE);
	k_mem_unmap(bytes + PAGE, 4 * PAGE);
	k_mem_unmap(bytes + PAGE, 2 * PAGE);
	k_mem_unmap(bytes - PAGE, 4 * PAGE);
	ck_assert_uint_eq(region_at(bytes).size, 4 * PAGE);
	ck_assert_int_eq(status_of(bytes - PAGE).state, KMEM_PAGE_STATE_GUARD);
	ck_assert_int_eq(status_of(bytes + 4 * PAGE).state, KMEM_PAGE_STATE_GUARD);
	if (_i == 1 || _i == 2 || _i == 4) {
		check_numbers(bytes, 4);
	}
	k_mem_unmap(bytes, 4 * PAGE);
	check_untouched();
}
END_TEST

START_TEST(unmap_by_a_larger_size_is_asserted_against)
{
	uint8_t *above = map(1, RW);
	uint8_t *bytes = map(4, RW);

	EXPECT_PANIC(k_mem_unmap(bytes, 5 * PAGE), "is not mapped");
	EXPECT_PANIC(k_mem_unmap(bytes - PAGE, 5 * PAGE), "is not mapped");
	EXPECT_PANIC(k_mem_unmap(bytes - PAGE, 6 * PAGE), "is not mapped");
	/* Over to the next region and all of it. */
	EXPECT_PANIC(k_mem_unmap(bytes, 7 * PAGE), "is not mapped");
	ck_assert_uint_eq(region_at(bytes).size, 4 * PAGE);
	ck_assert_uint_eq(region_at(above).size, PAGE);
	number(bytes, 4);
	number(above, 1);
}
END_TEST

START_TEST(unmap_twice_is_asserted_against)
{
	uint8_t *bytes = map(4, RW);

	k_mem_unmap(bytes, 4 * PAGE);
	EXPECT_PANIC(k_mem_unmap(bytes, 4 * PAGE), "is not mapped");
	check_untouched();
}
END_TEST

START_TEST(unmap_of_what_was_never_mapped_is_asserted_against)
{
	struct kmem_layout layout = layout_now();
	uint8_t *bytes = (uint8_t *)layout.vm_free_start;

	EXPECT_PANIC(k_mem_unmap(bytes + PAGE, PAGE), "is not mapped");
	EXPECT_PANIC(k_mem_unmap(bytes + PAGE, 0), "another function");
	/* Guards would lie outside. */
	EXPECT_PANIC(k_mem_unmap(bytes, PAGE), "not in the VM range");
	EXPECT_PANIC(k_mem_unmap((void *)(layout.virt_ram_end - PAGE), PAGE), "not in the VM range");
	check_untouched();
}
END_TEST

START_TEST(unmap_of_addresses_that_cannot_be_is_asserted_against)
{
	uint8_t *bytes = map(2, RW);
	uint8_t local = 0;

	EXPECT_PANIC(k_mem_unmap(bytes + 1, PAGE), "unaligned addr");
	EXPECT_PANIC(k_mem_unmap(bytes, 2 * PAGE - 1), "unaligned size");
	EXPECT_PANIC(k_mem_unmap(NULL, PAGE), "no room for guards");
	EXPECT_PANIC(k_mem_unmap(bytes, SIZE_MAX - PAGE + 1), "no room for guards");
	EXPECT_PANIC(k_mem_unmap(bytes, SIZE_MAX - 4 * PAGE + 1), "wraps around");
	EXPECT_PANIC(k_mem_unmap((void *)((uintptr_t)&local & ~(PAGE - 1)), PAGE), "not in the VM range");
	k_mem_unmap(bytes, 2 * PAGE);
	check_untouched();
}
END_TEST

START_TEST(unmap_as_another_kind_is_asserted_against)
{
	uintptr_t phys = layout_now().phys_ram_start;
	uint8_t *anon = map(2, RW);
	uint8_t *guarded = k_mem_map_phys_guard(phys, 2 * PAGE, RW, false);
	uint8_t *gap = map(1, RW);
	uint8_t *bare;

	ck_assert_ptr_nonnull(guarded);
	k_mem_map_phys_bare(&bare, phys, 2 * PAGE, RW);
	EXPECT_PANIC(k_mem_unmap(guarded, 2 * PAGE), "another function");
	EXPECT_PANIC(k_mem_unmap(bare, 2 * PAGE), "another function");
	EXPECT_PANIC(k_mem_unmap_phys_guard(anon, 2 * PAGE, false), "another function");
	EXPECT_PANIC(k_mem_unmap_phys_guard(bare, 2 * PAGE, false), "another function");
	EXPECT_PANIC(k_mem_unmap_phys_bare(anon, 2 * PAGE), "did not map");
	EXPECT_PANIC(k_mem_unmap_phys_bare(guarded, 2 * PAGE), "did not map");
	number(anon, 2);
	number(guarded, 2);
	check_numbers(bare, 2);
	check_numbers(anon, 2);
	k_mem_unmap(gap, PAGE);
	k_mem_unmap(anon, 2 * PAGE);
	k_mem_unmap_phys_guard(guarded, 2 * PAGE, false);
	k_mem_unmap_phys_bare(bare, 2 * PAGE);
	check_untouched();
}
END_TEST

START_TEST(wrong_unmaps_are_ignored_without_assertions)
{
	uintptr_t phys = layout_now().phys_ram_start;
	uint8_t *gone = map(3, RW);
	uint8_t *anon = map(4, RW);
	uint8_t *guarded = k_mem_map_phys_guard(phys, 2 * PAGE, RW, false);
	uint8_t *bare;
	struct kmem_usage before;
	struct kmem_usage after;

	k_mem_map_phys_bare(&bare, phys, 2 * PAGE, RW);
	number(anon, 4);
	k_mem_unmap(gone, 3 * PAGE);
	before = usage_now();

	k_mem_unmap(gone, 3 * PAGE);
	k_mem_unmap((void *)(layout_now().vm_free_start + PAGE), PAGE);
	k_mem_unmap(anon, 3 * PAGE);
	k_mem_unmap(anon, 5 * PAGE);
	k_mem_unmap(anon + PAGE, 3 * PAGE);
	k_mem_unmap(anon + 1, 4 * PAGE);
	k_mem_unmap(anon, 4 * PAGE + 1);
	k_mem_unmap(NULL, PAGE);
	k_mem_unmap(guarded, 2 * PAGE);
	k_mem_unmap(bare, 2 * PAGE);
	k_mem_unmap_phys_guard(anon, 4 * PAGE, false);
	k_mem_unmap_phys_bare(anon, 4 * PAGE);
	k_mem_unmap_phys_bare(guarded, 2 * PAGE);
	k_mem_unmap_phys_bare(bare, 3 * PAGE);
	k_mem_unmap_phys_bare(bare, 0);
	k_mem_unmap_phys_bare(NULL, PAGE);

	after = usage_now();
	ck_assert_uint_eq(after.regions, before.regions);
	ck_assert_uint_eq(after.region_bytes, before.region_bytes);
	ck_assert_uint_eq(after.frames_free, before.frames_free);
	check_numbers(anon, 4);
	k_mem_unmap(anon, 4 * PAGE);
	k_mem_unmap_phys_guard(guarded, 2 * PAGE, false);
	k_mem_unmap_phys_bare(bare, 2 * PAGE);
	check_untouched();
}
END_TEST

/* Physical memory, mapped as it is. */

/* Beyond RAM: where emulated devices may be. */
static uintptr_t device_phys(void)
{
	return layout_now().phys_ram_end + (1UL << 20);
}

static uint8_t *map_bare(uintptr_t phys, size_t size, uint32_t flags)
{
	uint8_t *virt = NULL;

	k_mem_map_phys_bare(&virt, phys, size, flags);
	ck_assert_ptr_nonnull(virt);
	ck_assert_uint_eq((uintptr_t)virt % PAGE, phys % PAGE);
	return virt;
}

START_TEST(bare_mapping_has_no_guards_and_takes_no_frames)
{
	struct kmem_layout layout = layout_now();
	uint8_t *first = map_bare(layout.phys_ram_start, 2 * PAGE, RW);
	uint8_t *second = map_bare(layout.phys_ram_start + PAGE, 3 * PAGE, RW);
	struct kmem_region_info region = region_at(second);

	ck_assert_uint_eq((uintptr_t)first, layout.virt_ram_end - layout.vm_reserved - 2 * PAGE);
	ck_assert_ptr_eq(second, first - 3 * PAGE);
	ck_assert_int_eq(status_of(second - PAGE).state, KMEM_PAGE_STATE_UNMAPPED);
	ck_assert_uint_eq(k_mem_free_get(), FRAMES * PAGE);
	ck_assert_uint_eq(region.size, 3 * PAGE);
	ck_assert_uint_eq(region.flags, RW);
	ck_assert_int_eq(region.kind, KMEM_REGION_PHYS);
	ck_assert(!region.guarded);
	ck_assert_uint_eq(region.phys, layout.phys_ram_start + PAGE);
	ck_assert_uint_eq(status_of(second + 2 * PAGE).phys, layout.phys_ram_start + 3 * PAGE);
	k_mem_unmap_phys_bare(first, 2 * PAGE);
	k_mem_unmap_phys_bare(second, 3 * PAGE);
	check_untouched();
}
END_TEST

START_TEST(aliases_of_a_frame_show_the_same_bytes)
{
	uint8_t *locked = map(1, RW | K_MEM_MAP_LOCK);
	uintptr_t phys = status_of(locked).phys;
	volatile uint8_t *one = map_bare(phys, PAGE, RW);
	volatile uint8_t *other = map_bare(phys, PAGE, RW);
	volatile uint8_t *read_only = map_bare(phys, PAGE, 0);

	ck_assert_uint_ne((uintptr_t)one, (uintptr_t)other);
	for (size_t i = 0; i < PAGE; i++) {
		one[i] = (uint8_t)i;
		ck_assert_uint_eq(other[i], (uint8_t)i);
		ck_assert_uint_eq(read_only[i], (uint8_t)i);
		ck_assert_uint_eq(locked[i], (uint8_t)i);
		locked[i] = (uint8_t)~i;
		ck_assert_uint_eq(one[i], (uint8_t)~i);
	}
	k_mem_unmap_phys_bare((uint8_t *)one, PAGE);
	other[1] = 77;
	ck_assert_uint_eq(locked[1], 77);
	ck_assert_uint_eq(status_of(locked).phys, phys);
}
END_TEST

START_TEST(read_only_alias_traps_while_writable_one_works)
{
	uintptr_t phys = layout_now().phys_ram_start;
	volatile uint8_t *writable = map_bare(phys, PAGE, RW);
	volatile uint8_t *read_only = map_bare(phys, PAGE, 0);

	for (int round = 0; round < 3; round++) {
		writable[9] = (uint8_t)round;
		check_read_only(read_only + 9, (uint8_t)round);
		ck_assert_uint_eq(writable[9], round);
	}
}
END_TEST

START_TEST(bare_mapping_of_any_address_and_size)
{
	static const struct {
		size_t offset, size, pages;
	} cases[] = {
		{0, 1, 1},
		{0, PAGE, 1},
		{0, PAGE + 1, 2},
		{1, 1, 1},
		{5, 100, 1},
		{PAGE - 1, 1, 1},
		{PAGE - 1, 2, 2},
		{1, PAGE, 2},
		{1, PAGE - 1, 1},
		{PAGE + 7, PAGE, 2},
		{3 * PAGE - 1, 2, 2},
		{0, FRAMES * PAGE, FRAMES},
		{7, 1, 1},
		{1, FRAMES * PAGE - 1, FRAMES},
		{FRAMES * PAGE - 1, 1, 1},
	};
	uintptr_t phys = layout_now().phys_ram_start;
	uint8_t *all = map_bare(phys, FRAMES * PAGE, RW);

	for (size_t i = 0; i < FRAMES * PAGE; i++) {
		all[i] = (uint8_t)(i * 7 + i / PAGE);
	}
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t *bytes = map_bare(phys + cases[i].offset, cases[i].size, RW);
		uint8_t *start = bytes - cases[i].offset % PAGE;

		ck_assert_int_eq(memcmp(bytes, all + cases[i].offset, cases[i].size), 0);
		ck_assert_uint_eq(region_at(start).size, cases[i].pages * PAGE);
		ck_assert_uint_eq(region_at(start).phys, phys + cases[i].offset / PAGE * PAGE);
		bytes[0] ^= 0xff;
		ck_assert_uint_eq(bytes[0], all[cases[i].offset]);
		k_mem_unmap_phys_bare(bytes, cases[i].size);
		check_state(start, cases[i].pages, KMEM_PAGE_STATE_UNMAPPED);
		ck_assert_uint_eq(usage_now().regions, 1);
	}
	k_mem_unmap_phys_bare(all, FRAMES * PAGE);
	check_untouched();
}
END_TEST

START_TEST(bare_mapping_of_nothing_or_around_the_end_is_asserted_against)
{
	uintptr_t phys = layout_now().phys_ram_start;
	uint8_t *virt = NULL;

	EXPECT_PANIC(k_mem_map_phys_bare(&virt, phys, 0, RW), "0-length");
	EXPECT_PANIC(k_mem_map_phys_bare(&virt, phys + 1, 0, RW), "0-length");
	EXPECT_PANIC(k_mem_map_phys_bare(&virt, UINTPTR_MAX - 5, 100, RW), "wraparound");
	EXPECT_PANIC(k_mem_map_phys_bare(&virt, phys, UINTPTR_MAX - phys + 2, RW), "wraparound");
	EXPECT_PANIC(k_mem_map_phys_bare(&virt, phys + 1, SIZE_MAX, RW), "");
	EXPECT_PANIC(k_mem_unmap_phys_bare((uint8_t *)phys, 0), "0-length");
	ck_assert_ptr_null(virt);
	check_untouched();
}
END_TEST

START_TEST(direct_map_is_at_the_physical_address)
{
	uintptr_t phys = layout_now().phys_ram_start + 3 * PAGE;
	uint8_t *direct = map_bare(phys + 5, PAGE, RW | K_MEM_DIRECT_MAP);
	uint8_t *alias = map_bare(phys, 2 * PAGE, RW);
	uint8_t *beyond;

	ck_assert_uint_eq((uintptr_t)direct, phys + 5);
	ck_assert_uint_eq(region_at((void *)phys).size, 2 * PAGE);
	direct[0] = 1;
	ck_assert_uint_eq(alias[5], 1);
	ck_assert_int_eq(kmem_device_add("uart", device_phys(), PAGE, NULL), 0);
	beyond = map_bare(device_phys(), PAGE, RW | K_MEM_DIRECT_MAP);
	ck_assert_uint_eq((uintptr_t)beyond, device_phys());
	beyond[0] = 2;
	k_mem_unmap_phys_bare(direct, PAGE);
	k_mem_unmap_phys_bare(alias, 2 * PAGE);
	k_mem_unmap_phys_bare(beyond, PAGE);
	check_untouched();
}
END_TEST

START_TEST(colliding_direct_map_is_a_panic)
{
	struct kmem_layout layout = layout_now();
	uintptr_t phys = layout.phys_ram_start + 3 * PAGE;
	uint8_t *direct = map_bare(phys, 2 * PAGE, RW | K_MEM_DIRECT_MAP);
	uint8_t *virt = NULL;

	EXPECT_PANIC(k_mem_map_phys_bare(&virt, phys, 2 * PAGE, RW | K_MEM_DIRECT_MAP), "k_mem_map_phys_bare");
	EXPECT_PANIC(k_mem_map_phys_bare(&virt, phys + PAGE, 2 * PAGE, RW | K_MEM_DIRECT_MAP), "k_mem_map_phys_bare");
	EXPECT_PANIC(k_mem_map_phys_bare(&virt, phys - PAGE, 4 * PAGE, RW | K_MEM_DIRECT_MAP), "k_mem_map_phys_bare");
	ck_assert_ptr_null(virt);
	ck_assert_uint_eq(usage_now().regions, 1);
	direct[0] = 1;
	/* Neighbours do not collide. */
	virt = map_bare(phys - PAGE, PAGE, RW | K_MEM_DIRECT_MAP);
	k_mem_unmap_phys_bare(virt, PAGE);
	virt = map_bare(phys + 2 * PAGE, PAGE, RW | K_MEM_DIRECT_MAP);
	k_mem_unmap_phys_bare(virt, PAGE);
	k_mem_unmap_phys_bare(direct, 2 * PAGE);
	check_untouched();
}
END_TEST

START_TEST(direct_map_outside_the_vm_range_is_a_panic)
{
	struct kmem_layout layout;
	struct kmem_config config = {.ram_base = 1UL << 20};
	uint8_t *virt = NULL;

	boot(&config);
	layout = layout_now();
	EXPECT_PANIC(k_mem_map_phys_bare(&virt, layout.phys_ram_start, PAGE, RW | K_MEM_DIRECT_MAP),
		     "k_mem_map_phys_bare");
	ck_assert_int_eq(kmem_device_add("end", layout.virt_ram_end - PAGE, 2 * PAGE, NULL), 0);
	EXPECT_PANIC(k_mem_map_phys_bare(&virt, layout.virt_ram_end - PAGE, 2 * PAGE, RW | K_MEM_DIRECT_MAP),
		     "k_mem_map_phys_bare");
	/* The scratch page is not for mapping either. */
	EXPECT_PANIC(k_mem_map_phys_bare(&virt, layout.virt_ram_end - PAGE, PAGE, RW | K_MEM_DIRECT_MAP),
		     "k_mem_map_phys_bare");
	ck_assert_ptr_null(virt);
	check_untouched();
}
END_TEST

START_TEST(direct_map_without_the_option_is_asserted_against)
{
	struct kmem_config config = {.direct_map = KMEM_SWITCH_OFF};
	uint8_t *virt = NULL;
	uintptr_t phys;

	boot(&config);
	phys = layout_now().phys_ram_start;
	EXPECT_PANIC(k_mem_map_phys_bare(&virt, phys, PAGE, RW | K_MEM_DIRECT_MAP), "CONFIG_KERNEL_DIRECT_MAP");
	ck_assert_ptr_null(virt);
	check_untouched();
}
END_TEST

START_TEST(direct_map_without_the_option_is_ignored_without_assertions)
{
	struct kmem_config config = {.direct_map = KMEM_SWITCH_OFF, .assertions = KMEM_SWITCH_OFF};
	struct kmem_layout layout;
	uint8_t *bytes;

	boot(&config);
	layout = layout_now();
	bytes = map_bare(layout.phys_ram_start + 5, PAGE, RW | K_MEM_DIRECT_MAP);
	ck_assert_uint_eq((uintptr_t)bytes, layout.virt_ram_end - 3 * PAGE + 5);
	bytes[0] = 1;
	k_mem_unmap_phys_bare(bytes, PAGE);
	check_untouched();
}
END_TEST

START_TEST(bare_mapping_of_nothing_is_ignored_without_assertions)
{
	uintptr_t phys = layout_now().phys_ram_start;
	uint8_t *virt = NULL;

	k_mem_map_phys_bare(&virt, phys, 0, RW);
	k_mem_map_phys_bare(&virt, UINTPTR_MAX - 5, 100, RW);
	ck_assert_ptr_null(virt);
	check_untouched();
}
END_TEST

START_TEST(bare_mapping_out_of_address_space_is_a_panic)
{
	/* RAM fits once beside the scratch page, and again but for one page. */
	struct kmem_config config = {.vm_size = 64 * PAGE, .ram_size = 32 * PAGE};
	uint8_t *virt = NULL;
	uintptr_t phys;
	uint8_t *all;
	uint8_t *rest;

	boot(&config);
	phys = layout_now().phys_ram_start;
	all = map_bare(phys, 32 * PAGE, RW);
	EXPECT_PANIC(k_mem_map_phys_bare(&virt, phys, 32 * PAGE, RW), "k_mem_map_phys_bare");
	EXPECT_PANIC(k_mem_map_phys_bare(&virt, phys + 1, 32 * PAGE - 1, RW), "k_mem_map_phys_bare");
	ck_assert_ptr_null(virt);
	rest = map_bare(phys, 31 * PAGE, RW);
	ck_assert_uint_eq((uintptr_t)rest, layout_now().vm_free_start);
	EXPECT_PANIC(k_mem_map_phys_bare(&virt, phys, 1, RW), "k_mem_map_phys_bare");
	k_mem_unmap_phys_bare(all, 32 * PAGE);
	k_mem_unmap_phys_bare(rest, 31 * PAGE);
	check_untouched();
}
END_TEST

START_TEST(unknown_physical_memory_is_a_panic)
{
	struct kmem_layout layout = layout_now();
	uint8_t *virt = NULL;

	EXPECT_PANIC(k_mem_map_phys_bare(&virt, layout.phys_ram_end, PAGE, RW), "k_mem_map_phys_bare");
	EXPECT_PANIC(k_mem_map_phys_bare(&virt, layout.phys_ram_end - 1, 2, RW), "k_mem_map_phys_bare");
	EXPECT_PANIC(k_mem_map_phys_bare(&virt, layout.phys_ram_start - 1, 2, RW), "k_mem_map_phys_bare");
	EXPECT_PANIC(k_mem_map_phys_bare(&virt, 0, PAGE, RW), "k_mem_map_phys_bare");
	EXPECT_PANIC(k_mem_map_phys_bare(&virt, 1UL << 48, PAGE, RW), "k_mem_map_phys_bare");
	EXPECT_PANIC(k_mem_map_phys_bare(&virt, UINTPTR_MAX - PAGE + 1, PAGE, RW), "k_mem_map_phys_bare");
	EXPECT_PANIC(k_mem_map_phys_bare(&virt, device_phys(), PAGE, RW | K_MEM_DIRECT_MAP), "k_mem_map_phys_bare");
	ck_assert_ptr_null(virt);
	check_untouched();
}
END_TEST

START_TEST(device_memory_is_shared_with_the_emulation)
{
	volatile uint8_t *registers;
	volatile uint8_t *read_only;
	volatile uint8_t *host;
	void *memory;

	ck_assert_int_eq(kmem_device_add("uart", device_phys(), 2 * PAGE, &memory), 0);
	host = memory;
	host[PAGE + 4] = 42;
	registers = map_bare(device_phys() + PAGE + 4, 4, RW | K_MEM_CACHE_NONE);
	read_only = map_bare(device_phys() + PAGE, PAGE, K_MEM_CACHE_NONE);
	ck_assert_uint_eq(registers[0], 42);
	registers[1] = 43;
	ck_assert_uint_eq(host[PAGE + 5], 43);
	host[PAGE + 5] = 44;
	ck_assert_uint_eq(registers[1], 44);
	ck_assert_uint_eq(read_only[5], 44);
	ck_assert_uint_eq(k_mem_free_get(), FRAMES * PAGE);
	ck_assert_uint_eq(status_of(registers).phys, device_phys() + PAGE);
	ck_assert(!status_of(registers).pinned);
	k_mem_unmap_phys_bare((uint8_t *)registers, 4);
	k_mem_unmap_phys_bare((uint8_t *)read_only, PAGE);
	ck_assert_uint_eq(host[PAGE + 5], 44);
	check_untouched();
}
END_TEST

START_TEST(devices_that_cannot_be_are_refused)
{
	struct kmem_layout layout = layout_now();
	uintptr_t phys = device_phys();
	void *host = NULL;

	ck_assert_int_eq(kmem_device_add("d", phys, 0, &host), -EINVAL);
	ck_assert_int_eq(kmem_device_add("d", phys + 1, PAGE, &host), -EINVAL);
	ck_assert_int_eq(kmem_device_add("d", phys, PAGE + 1, &host), -EINVAL);
	ck_assert_int_eq(kmem_device_add("d", 1UL << 48, PAGE, &host), -EINVAL);
	ck_assert_int_eq(kmem_device_add("d", (1UL << 48) - PAGE, 2 * PAGE, &host), -EINVAL);
	ck_assert_int_eq(kmem_device_add("d", layout.phys_ram_end - PAGE, 2 * PAGE, &host), -EEXIST);
	ck_assert_int_eq(kmem_device_add("d", layout.phys_ram_start - PAGE, 2 * PAGE, &host), -EEXIST);
	ck_assert_ptr_null(host);
	for (size_t i = 0; i < KMEM_DEVICES_MAX; i++) {
		ck_assert_int_eq(kmem_device_add("d", phys + i * PAGE, PAGE, &host), 0);
		ck_assert_int_eq(kmem_device_add("d", phys + i * PAGE, PAGE, &host), -EEXIST);
	}
	ck_assert_int_eq(kmem_device_add("d", phys + KMEM_DEVICES_MAX * PAGE, PAGE, &host), -ENOSPC);
	/* Neighbours, but not one memory. */
	EXPECT_PANIC(k_mem_map_phys_bare((uint8_t **)&host, phys, 2 * PAGE, RW), "k_mem_map_phys_bare");
}
END_TEST

START_TEST(cache_modes_of_bare_mappings_are_recorded)
{
	static const uint32_t flags[] = {
		K_MEM_CACHE_WB,
		K_MEM_CACHE_WT,
		K_MEM_CACHE_NONE,
		K_MEM_CACHE_WT | RW,
		K_MEM_CACHE_NONE | RW,
		5 | RW,
		K_MEM_CACHE_MASK | RW | K_MEM_PERM_EXEC | K_MEM_PERM_USER,
	};
	uintptr_t phys = layout_now().phys_ram_start;

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		uint8_t *bytes = map_bare(phys, 2 * PAGE, flags[i]);

		ck_assert_uint_eq(region_at(bytes).flags, flags[i]);
		ck_assert_uint_eq(status_of(bytes).flags, flags[i]);
		ck_assert_uint_eq(status_of(bytes + PAGE).flags, flags[i]);
	}
}
END_TEST

START_TEST(part_of_a_bare_mapping_may_be_unmapped)
{
	uintptr_t phys = layout_now().phys_ram_start;
	uint8_t *bytes = map_bare(phys, 6 * PAGE, RW | K_MEM_CACHE_WT);

	number(bytes, 6);
	k_mem_unmap_phys_bare(bytes + 2 * PAGE + 100, PAGE);
	ck_assert_uint_eq(usage_now().regions, 2);
	ck_assert_uint_eq(region_at(bytes).size, 2 * PAGE);
	ck_assert_uint_eq(region_at(bytes).phys, phys);
	ck_assert_uint_eq(region_at(bytes + 4 * PAGE).size, 2 * PAGE);
	ck_assert_uint_eq(region_at(bytes + 4 * PAGE).phys, phys + 4 * PAGE);
	ck_assert_uint_eq(region_at(bytes + 4 * PAGE).flags, RW | K_MEM_CACHE_WT);
	check_state(bytes, 2, KMEM_PAGE_STATE_IN);
	check_state(bytes + 2 * PAGE, 2, KMEM_PAGE_STATE_UNMAPPED);
	check_state(bytes + 4 * PAGE, 2, KMEM_PAGE_STATE_IN);
	ck_assert_uint_eq(bytes[PAGE], 2);
	ck_assert_uint_eq(bytes[4 * PAGE], 5);
	EXPECT_PANIC(k_mem_unmap_phys_bare(bytes + 2 * PAGE, PAGE), "did not map");
	EXPECT_PANIC(k_mem_unmap_phys_bare(bytes, 6 * PAGE), "did not map");
	/* The hole is the highest that fits. */
	ck_assert_ptr_eq(map_bare(phys, 2 * PAGE, 0), bytes + 2 * PAGE);
	k_mem_unmap_phys_bare(bytes + 2 * PAGE, 2 * PAGE);
	k_mem_unmap_phys_bare(bytes + 5 * PAGE, 1);
	k_mem_unmap_phys_bare(bytes, 1);
	k_mem_unmap_phys_bare(bytes + PAGE, PAGE);
	k_mem_unmap_phys_bare(bytes + 4 * PAGE, PAGE);
	check_untouched();
}
END_TEST

/* Physical memory between guards. */

START_TEST(guarded_physical_memory_is_zeroed_through_the_mapping)
{
	uint8_t *guarded;
	void *memory;

	ck_assert_int_eq(kmem_device_add("frame buffer", device_phys(), 4 * PAGE, &memory), 0);
	memset(memory, 0xa5, 4 * PAGE);
	guarded = k_mem_map_phys_guard(device_phys() + PAGE, 2 * PAGE, 0, false);
	ck_assert_ptr_nonnull(guarded);
	ck_assert_int_eq(status_of(guarded - PAGE).state, KMEM_PAGE_STATE_GUARD);
	ck_assert_int_eq(status_of(guarded + 2 * PAGE).state, KMEM_PAGE_STATE_GUARD);
	ck_assert(region_at(guarded).guarded);
	ck_assert_int_eq(region_at(guarded).kind, KMEM_REGION_PHYS);
	ck_assert_uint_eq(region_at(guarded).phys, device_phys() + PAGE);
	check_bytes(guarded, 2, 0);
	check_bytes(memory, 1, 0xa5);
	check_bytes((uint8_t *)memory + PAGE, 2, 0);
	check_bytes((uint8_t *)memory + 3 * PAGE, 1, 0xa5);
	ck_assert_uint_eq(k_mem_free_get(), FRAMES * PAGE);
	k_mem_unmap_phys_guard(guarded, 2 * PAGE, false);
	check_state(guarded - PAGE, 4, KMEM_PAGE_STATE_UNMAPPED);
	check_untouched();
}
END_TEST

START_TEST(uninitialised_guarded_physical_memory_is_left_as_it_is)
{
	uint8_t *locked = map(2, RW | K_MEM_MAP_LOCK);
	uint8_t *guarded;

	memset(locked, 0xa5, 2 * PAGE);
	guarded = k_mem_map_phys_guard(status_of(locked).phys, PAGE, RW | K_MEM_MAP_UNINIT, false);
	ck_assert_ptr_nonnull(guarded);
	check_bytes(guarded, 1, 0xa5);
	guarded[3] = 4;
	ck_assert_uint_eq(locked[3], 4);
	k_mem_unmap_phys_guard(guarded, PAGE, false);
	ck_assert_uint_eq(locked[3], 4);
	k_mem_unmap(locked, 2 * PAGE);
	check_untouched();
}
END_TEST

START_TEST(guarded_physical_memory_that_cannot_be_is_null)
{
	struct kmem_layout layout = layout_now();

	ck_assert_ptr_null(k_mem_map_phys_guard(layout.phys_ram_start + 1, PAGE, RW, false));
	ck_assert_ptr_null(k_mem_map_phys_guard(layout.phys_ram_end, PAGE, RW, false));
	ck_assert_ptr_null(k_mem_map_phys_guard(layout.phys_ram_end - PAGE, 2 * PAGE, RW, false));
	ck_assert_ptr_null(k_mem_map_phys_guard(layout.phys_ram_start - PAGE, 2 * PAGE, RW, false));
	ck_assert_ptr_null(k_mem_map_phys_guard(0, PAGE, RW, false));
	ck_assert_ptr_null(k_mem_map_phys_guard(1UL << 48, PAGE, RW, false));
	ck_assert_ptr_null(k_mem_map_phys_guard(device_phys(), PAGE, RW, false));
	check_untouched();
}
END_TEST

/* What a store holds. */

#define OWN 8UL /* the first locations are the program's */
#define LOCATIONS 64UL

/* A store that a program fills and maps. It keeps what is the program's; with `keeps`, a copy of all that came in. */
static struct {
	uint8_t bytes[LOCATIONS][PAGE];
	bool is_used[LOCATIONS];
	uintptr_t cached[FRAMES]; /* of each BACKED frame */
	struct k_mem_page_frame *frames;
	size_t used;
	bool keeps;
	unsigned int reads[LOCATIONS];
	unsigned int writes[LOCATIONS];
	unsigned int own_freed;
	unsigned int wrong; /* calls that break the contract */
} disk;

static int disk_init(void **state, const struct kmem_store_params *params)
{
	bool keeps = disk.keeps;

	memset(&disk, 0, sizeof(disk));
	disk.keeps = keeps;
	disk.frames = params->frames.first;
	for (size_t i = 0; i < OWN; i++) {
		memset(disk.bytes[i], (int)i + 1, PAGE);
	}
	*state = &disk;
	return 0;
}

static int disk_location_get(void *state, struct k_mem_page_frame *pf, uintptr_t *location, bool page_fault)
{
	(void)state;
	if (k_mem_page_frame_is_backed(pf)) {
		*location = disk.cached[pf - disk.frames];
		return 0;
	}
	if (LOCATIONS - OWN - disk.used <= (page_fault ? 0U : 1U)) {
		return -ENOMEM;
	}
	for (size_t i = OWN; i < LOCATIONS; i++) {
		if (!disk.is_used[i]) {
			disk.is_used[i] = true;
			disk.used++;
			*location = i * PAGE;
			return 0;
		}
	}
	return -ENOMEM;
}

static void disk_location_free(void *state, uintptr_t location)
{
	size_t i = location / PAGE;

	(void)state;
	if (i < OWN) {
		disk.own_freed++;
		return;
	}
	disk.wrong += i >= LOCATIONS || !disk.is_used[i] ? 1 : 0;
	disk.is_used[i] = false;
	disk.used--;
}

static int disk_page_out(void *state, uintptr_t location, const void *page)
{
	(void)state;
	disk.writes[location / PAGE]++;
	memcpy(disk.bytes[location / PAGE], page, PAGE);
	return 0;
}

static int disk_page_in(void *state, uintptr_t location, void *page)
{
	(void)state;
	disk.reads[location / PAGE]++;
	memcpy(page, disk.bytes[location / PAGE], PAGE);
	return 0;
}

static void disk_page_finalize(void *state, struct k_mem_page_frame *pf, uintptr_t location)
{
	if (disk.keeps) {
		disk.cached[pf - disk.frames] = location;
		k_mem_page_frame_set(pf, K_MEM_PAGE_FRAME_BACKED);
		return;
	}
	k_mem_page_frame_clear(pf, K_MEM_PAGE_FRAME_BACKED);
	if (location / PAGE >= OWN) {
		disk_location_free(state, location);
	}
}

static const struct kmem_store_ops disk_ops = {
	.version = KMEM_STORE_VERSION,
	.name = "disk",
	.init = disk_init,
	.location_get = disk_location_get,
	.location_free = disk_location_free,
	.page_out = disk_page_out,
	.page_in = disk_page_in,
	.page_finalize = disk_page_finalize,
};

static void setup_disk(void)
{
	struct kmem_config config = {.store_ops = &disk_ops, .store_pages = LOCATIONS, .policy = "lru"};

	setup_none();
	disk.keeps = false;
	boot(&config);
}

static void setup_disk_keeping(void)
{
	struct kmem_config config = {.store_ops = &disk_ops, .store_pages = LOCATIONS, .policy = "lru"};

	setup_none();
	disk.keeps = true;
	boot(&config);
}

static void teardown_disk(void)
{
	ck_assert_uint_eq(disk.wrong, 0);
	ck_assert_uint_eq(disk.own_freed, 0);
	ck_assert_uint_eq(disk.used, 0);
	teardown();
}

static uint8_t *map_own(size_t first, size_t pages, uint32_t flags)
{
	uint8_t *bytes = k_mem_map_unpaged(first * PAGE, pages * PAGE, flags);

	ck_assert_ptr_nonnull(bytes);
	return bytes;
}

START_TEST(unpaged_pages_are_read_at_first_touch)
{
	uint8_t *bytes = map_own(2, 5, RW | K_MEM_MAP_UNINIT);
	struct kmem_region_info region = region_at(bytes);

	ck_assert_int_eq(region.kind, KMEM_REGION_UNPAGED);
	ck_assert_uint_eq(region.phys, 2 * PAGE);
	ck_assert(region.guarded);
	ck_assert_uint_eq(k_mem_free_get(), FRAMES * PAGE);
	for (size_t i = 0; i < 5; i++) {
		ck_assert_int_eq(status_of(bytes + i * PAGE).state, KMEM_PAGE_STATE_OUT);
		ck_assert_uint_eq(status_of(bytes + i * PAGE).location, (i + 2) * PAGE);
		ck_assert_uint_eq(disk.reads[i + 2], 0);
		check_bytes(bytes + i * PAGE, 1, (uint8_t)(i + 3));
		ck_assert_uint_eq(disk.reads[i + 2], 1);
		ck_assert_uint_eq(k_mem_num_pagefaults_get(), i + 1);
	}
	ck_assert_uint_eq(k_mem_free_get(), (FRAMES - 5) * PAGE);
	k_mem_unmap_phys_guard(bytes, 5 * PAGE, false);
	check_untouched();
}
END_TEST

START_TEST(unpaged_mapping_without_uninit_is_zeroed)
{
	uint8_t *bytes = map_own(0, OWN, RW);

	check_bytes(bytes, OWN, 0);
	for (size_t i = 0; i < OWN; i++) {
		ck_assert_uint_eq(disk.reads[i], 1);
	}
	k_mem_unmap(bytes, OWN * PAGE);
	check_untouched();
}
END_TEST

START_TEST(unpaged_pages_may_go_out_and_come_back_changed)
{
	uint8_t *bytes = map_own(0, OWN, RW | K_MEM_MAP_UNINIT);

	for (size_t i = 0; i < OWN; i++) {
		ck_assert_uint_eq(bytes[i * PAGE + 7], i + 1);
		bytes[i * PAGE] = (uint8_t)(100 + i);
	}
	ck_assert_int_eq(k_mem_page_out(bytes, OWN * PAGE), 0);
	for (size_t i = 0; i < OWN; i++) {
		ck_assert_uint_eq(bytes[i * PAGE], 100 + i);
		ck_assert_uint_eq(bytes[i * PAGE + 7], i + 1);
		/* Where copies are kept, the page has gone back to where it came from. */
		ck_assert_uint_eq(disk.bytes[i][0], disk.keeps ? 100 + i : i + 1);
	}
	k_mem_unmap(bytes, OWN * PAGE);
	check_untouched();
}
END_TEST

START_TEST(clean_unpaged_pages_are_written_only_if_no_copy_is_kept)
{
	uint8_t *bytes = map_own(0, OWN, RW | K_MEM_MAP_UNINIT);
	unsigned int writes = 0;

	k_mem_page_in(bytes, OWN * PAGE);
	ck_assert_int_eq(k_mem_page_out(bytes, OWN * PAGE), 0);
	for (size_t i = 0; i < LOCATIONS; i++) {
		writes += disk.writes[i];
	}
	ck_assert_uint_eq(writes, disk.keeps ? 0 : OWN);
	k_mem_unmap(bytes, OWN * PAGE);
	check_untouched();
}
END_TEST

/* 0 never touched, 1 resident, 2 written, 3 out clean, 4 out dirty, 5 out and in again, 6 pinned. */
START_TEST(locations_that_the_program_named_stay_the_programs)
{
	for (int round = 0; round < 3; round++) {
		uint8_t *bytes = map_own(1, 3, RW | K_MEM_MAP_UNINIT);

		if (_i == 1 || _i == 3) {
			k_mem_page_in(bytes, 3 * PAGE);
		}
		if (_i == 2 || _i == 4 || _i == 5) {
			number(bytes, 3);
		}
		if (_i == 3 || _i == 4 || _i == 5) {
			ck_assert_int_eq(k_mem_page_out(bytes, 3 * PAGE), 0);
		}
		if (_i == 5) {
			check_numbers(bytes, 3);
		}
		if (_i == 6) {
			k_mem_pin(bytes, 3 * PAGE);
		}
		k_mem_unmap(bytes, 3 * PAGE);
		ck_assert_uint_eq(disk.own_freed, 0);
		ck_assert_uint_eq(disk.used, 0);
		check_untouched();
	}
}
END_TEST

START_TEST(unpaged_mapping_may_be_read_only)
{
	volatile uint8_t *bytes = map_own(3, 1, K_MEM_MAP_UNINIT);

	check_read_only(bytes + 5, 4);
	k_mem_unmap((void *)bytes, PAGE);
}
END_TEST

START_TEST(unpaged_mappings_that_cannot_be_are_null)
{
	ck_assert_ptr_null(k_mem_map_unpaged(0, PAGE, 0));
	ck_assert_ptr_null(k_mem_map_unpaged(1, PAGE, RW | K_MEM_MAP_UNINIT));
	ck_assert_ptr_null(k_mem_map_unpaged(0, 0, RW | K_MEM_MAP_UNINIT));
	ck_assert_ptr_null(k_mem_map_unpaged(0, PAGE - 1, RW | K_MEM_MAP_UNINIT));
	ck_assert_ptr_null(k_mem_map_unpaged(0, PAGE, RW | K_MEM_PERM_USER | K_MEM_MAP_UNINIT));
	ck_assert_ptr_null(k_mem_map_unpaged(1UL << 48, PAGE, RW | K_MEM_MAP_UNINIT));
	ck_assert_ptr_null(k_mem_map_unpaged((1UL << 48) - PAGE, 2 * PAGE, RW | K_MEM_MAP_UNINIT));
	check_untouched();
}
END_TEST

START_TEST(unpaged_mapping_without_demand_paging_is_null)
{
	ck_assert_ptr_null(k_mem_map_unpaged(0, PAGE, RW | K_MEM_MAP_UNINIT));
	check_untouched();
}
END_TEST

/* Permissions. */

START_TEST(flags_may_change_and_change_back_while_contents_stay)
{
	volatile uint8_t *bytes = map(4, RW);

	number(bytes, 4);
	for (int round = 0; round < 3; round++) {
		ck_assert_int_eq(k_mem_update_flags((void *)bytes, 4 * PAGE, 0), 0);
		ck_assert_uint_eq(region_at(bytes).flags, 0);
		for (size_t i = 0; i < 4; i++) {
			ck_assert_uint_eq(status_of(bytes + i * PAGE).flags, 0);
			check_read_only(bytes + i * PAGE, (uint8_t)(i + 1));
		}
		ck_assert_int_eq(k_mem_update_flags((void *)bytes, 4 * PAGE, RW), 0);
		ck_assert_uint_eq(region_at(bytes).flags, RW);
		check_numbers(bytes, 4);
		bytes[PAGE + 1] = (uint8_t)round;
		ck_assert_uint_eq(bytes[PAGE + 1], round);
	}
}
END_TEST

/*
 * Number pages, each of which takes the only frame that is free: one lower than the page before. `others` fill RAM, and are out at the end.
 */
static void number_scattered(volatile uint8_t *bytes, size_t pages, uint8_t *others)
{
	number(others, FRAMES);
	for (size_t i = 0; i < pages; i++) {
		ck_assert_int_eq(k_mem_page_out(others + (FRAMES - 1 - i) * PAGE, PAGE), 0);
		bytes[i * PAGE] = (uint8_t)(i + 1);
	}
}

START_TEST(flags_of_pages_on_scattered_frames_may_change)
{
	uint8_t *others = map(FRAMES, RW);
	volatile uint8_t *bytes = map(FRAMES / 2, RW);

	number_scattered(bytes, FRAMES / 2, others);
	ck_assert_uint_gt(status_of(bytes).phys, status_of(bytes + PAGE).phys);
	ck_assert_int_eq(k_mem_update_flags((void *)bytes, FRAMES / 2 * PAGE, 0), 0);
	check_numbers(bytes, FRAMES / 2);
	ck_assert_int_eq(k_mem_update_flags((void *)bytes, FRAMES / 2 * PAGE, RW), 0);
	check_numbers(bytes, FRAMES / 2);
	number(bytes, FRAMES / 2);
}
END_TEST

START_TEST(flags_of_absent_pages_may_change)
{
	volatile uint8_t *bytes = map(4, RW);

	number(bytes, 3);
	ck_assert_int_eq(k_mem_page_out((void *)bytes, 2 * PAGE), 0);
	/* Out, out, in, never touched. */
	ck_assert_int_eq(k_mem_update_flags((void *)bytes, 4 * PAGE, 0), 0);
	ck_assert_int_eq(status_of(bytes).state, KMEM_PAGE_STATE_OUT);
	ck_assert_int_eq(status_of(bytes + 3 * PAGE).state, KMEM_PAGE_STATE_OUT);
	EXPECT_TRAP(bytes[0] = 99, KMEM_FAULT_READ_ONLY, bytes);
	ck_assert_int_eq(status_of(bytes).state, KMEM_PAGE_STATE_OUT);
	for (size_t i = 0; i < 4; i++) {
		check_read_only(bytes + i * PAGE, (uint8_t)(i < 3 ? i + 1 : 0));
	}
	ck_assert_int_eq(k_mem_page_out((void *)bytes, 4 * PAGE), 0);
	ck_assert_int_eq(k_mem_update_flags((void *)bytes, 4 * PAGE, RW), 0);
	check_numbers(bytes, 3);
	number(bytes, 4);
	check_numbers(bytes, 4);
}
END_TEST

START_TEST(flags_of_a_part_may_change)
{
	volatile uint8_t *bytes = map(4, RW);

	number(bytes, 4);
	ck_assert_int_eq(k_mem_update_flags((void *)(bytes + PAGE), 2 * PAGE, 0), 0);
	ck_assert_uint_eq(region_at(bytes).flags, RW);
	ck_assert_uint_eq(status_of(bytes).flags, RW);
	ck_assert_uint_eq(status_of(bytes + PAGE).flags, 0);
	bytes[0] = 9;
	bytes[3 * PAGE] = 9;
	check_read_only(bytes + PAGE, 2);
	check_read_only(bytes + 3 * PAGE - 1, 0);
}
END_TEST

START_TEST(flags_of_what_is_not_mapped_fail_and_nothing_changes)
{
	volatile uint8_t *bytes = map(3, RW);

	number(bytes, 3);
	ck_assert_int_eq(k_mem_update_flags((void *)bytes, 4 * PAGE, 0), -EFAULT);
	ck_assert_int_eq(k_mem_update_flags((void *)(bytes - PAGE), 2 * PAGE, 0), -EFAULT);
	ck_assert_int_eq(k_mem_update_flags((void *)(bytes - 2 * PAGE), PAGE, 0), -EFAULT);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_uint_eq(status_of(bytes + i * PAGE).flags, RW);
	}
	ck_assert_uint_eq(region_at(bytes).flags, RW);
	number(bytes, 3);
}
END_TEST

START_TEST(flags_of_addresses_that_cannot_be_are_asserted_against)
{
	uint8_t *bytes = map(1, RW);

	EXPECT_PANIC((void)k_mem_update_flags(bytes + 1, PAGE, 0), "unaligned addr");
	EXPECT_PANIC((void)k_mem_update_flags(bytes, PAGE + 1, 0), "unaligned size");
	EXPECT_PANIC((void)k_mem_update_flags(NULL, PAGE, 0), "not in the VM range");
	EXPECT_PANIC((void)k_mem_update_flags(bytes, SIZE_MAX - PAGE + 1, 0), "wraps around");
	ck_assert_int_eq(k_mem_update_flags(bytes, 0, 0), 0);
	ck_assert_uint_eq(status_of(bytes).flags, RW);
}
END_TEST

START_TEST(flags_of_addresses_that_cannot_be_fail_without_assertions)
{
	uint8_t *bytes = map(1, RW);

	ck_assert_int_eq(k_mem_update_flags(bytes + 1, PAGE, 0), -EINVAL);
	ck_assert_int_eq(k_mem_update_flags(bytes, PAGE + 1, 0), -EINVAL);
	ck_assert_int_eq(k_mem_update_flags(NULL, PAGE, 0), -EINVAL);
	ck_assert_uint_eq(status_of(bytes).flags, RW);
}
END_TEST

START_TEST(pinned_pages_that_become_writable_never_trap)
{
	volatile uint8_t *bytes = map(2, RW);
	unsigned long minor;

	number(bytes, 2);
	ck_assert_int_eq(k_mem_page_out((void *)bytes, 2 * PAGE), 0);
	ck_assert_int_eq(k_mem_update_flags((void *)bytes, 2 * PAGE, 0), 0);
	k_mem_pin((void *)bytes, 2 * PAGE);
	ck_assert_int_eq(k_mem_update_flags((void *)bytes, 2 * PAGE, RW), 0);
	minor = stats_now().minor_faults;
	check_numbers(bytes, 2);
	number(bytes, 2);
	check_numbers(bytes, 2);
	ck_assert_uint_eq(stats_now().minor_faults, minor);
	ck_assert(status_of(bytes).pinned);
}
END_TEST

START_TEST(flags_of_physical_memory_may_change)
{
	uintptr_t phys = layout_now().phys_ram_start;
	volatile uint8_t *bytes = map_bare(phys, 2 * PAGE, K_MEM_CACHE_WT);
	volatile uint8_t *alias = map_bare(phys, 2 * PAGE, 0);

	ck_assert_int_eq(k_mem_update_flags((void *)bytes, 2 * PAGE, RW | K_MEM_CACHE_NONE), 0);
	ck_assert_uint_eq(status_of(bytes).flags, RW | K_MEM_CACHE_NONE);
	ck_assert_uint_eq(region_at(bytes).flags, RW | K_MEM_CACHE_NONE);
	number(bytes, 2);
	check_numbers(alias, 2);
	ck_assert_uint_eq(region_at(alias).flags, 0);
	ck_assert_int_eq(k_mem_update_flags((void *)bytes, 2 * PAGE, 0), 0);
	check_read_only(bytes, 1);
	check_numbers(bytes, 2);
}
END_TEST

#if defined(__x86_64__)
#define RETURN_CODE "\xc3"
#elif defined(__aarch64__)
#define RETURN_CODE "\xc0\x03\x5f\xd6"
#endif

#ifdef RETURN_CODE
START_TEST(code_runs_while_its_page_is_executable)
{
	volatile uint8_t *bytes = map(1, RW);
	void (*function)(void);

	memcpy((void *)bytes, RETURN_CODE, sizeof(RETURN_CODE));
	__builtin___clear_cache((char *)bytes, (char *)bytes + PAGE);
	memcpy(&function, &bytes, sizeof(function));
	EXPECT_TRAP(function(), KMEM_FAULT_NO_EXEC, bytes);
	ck_assert_int_eq(k_mem_update_flags((void *)bytes, PAGE, RW | K_MEM_PERM_EXEC), 0);
	function();
	bytes[PAGE - 1] = 1;
	function();
	ck_assert_int_eq(k_mem_update_flags((void *)bytes, PAGE, K_MEM_PERM_EXEC), 0);
	function();
	EXPECT_TRAP(bytes[0] = 1, KMEM_FAULT_READ_ONLY, bytes);
	ck_assert_int_eq(k_mem_update_flags((void *)bytes, PAGE, 0), 0);
	EXPECT_TRAP(function(), KMEM_FAULT_NO_EXEC, bytes);
}
END_TEST
#endif

/* Arithmetic. */

START_TEST(regions_are_aligned_outwards)
{
	static const struct {
		uintptr_t addr;
		size_t size, align;
		uintptr_t aligned_addr;
		size_t aligned_size, offset;
	} cases[] = {
		{0, 0, PAGE, 0, 0, 0},
		{0, 1, PAGE, 0, PAGE, 0},
		{0, PAGE, PAGE, 0, PAGE, 0},
		{0, PAGE + 1, PAGE, 0, 2 * PAGE, 0},
		{1, 0, PAGE, 0, PAGE, 1},
		{1, PAGE - 1, PAGE, 0, PAGE, 1},
		{1, PAGE, PAGE, 0, 2 * PAGE, 1},
		{0x12345, 0x10, PAGE, 0x12000, PAGE, 0x345},
		{0x12fff, 1, PAGE, 0x12000, PAGE, 0xfff},
		{0x12fff, 2, PAGE, 0x12000, 2 * PAGE, 0xfff},
		{0x12345, 0x10, 1, 0x12345, 0x10, 0},
		{0x12345, 0x10, 0x10000, 0x10000, 0x10000, 0x2345},
		{100, 10, 3, 99, 12, 1},
		{100, 10, 7, 98, 14, 2},
		{100, 5, 105, 0, 105, 100},
		{99, 12, 3, 99, 12, 0},
		{10000, 1, 12288, 0, 12288, 10000},
		{12288, 12289, 12288, 12288, 24576, 0},
		{UINTPTR_MAX, 0, PAGE, UINTPTR_MAX - PAGE + 1, PAGE, PAGE - 1},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uintptr_t addr = 1;
		size_t size = 1;

		ck_assert_uint_eq(k_mem_region_align(&addr, &size, cases[i].addr, cases[i].size, cases[i].align),
				  cases[i].offset);
		ck_assert_uint_eq(addr, cases[i].aligned_addr);
		ck_assert_uint_eq(size, cases[i].aligned_size);
	}
	ck_assert(!kmem_is_booted());
}
END_TEST

START_TEST(boot_addresses_are_translated_by_the_offset)
{
	struct kmem_config config = {.ram_base = 0x1000000, .ram_offset = 4 * PAGE, .vm_offset = 8 * PAGE};
	struct kmem_layout layout;

	boot(&config);
	layout = layout_now();
	ck_assert_uint_eq(layout.virt_offset, layout.virt_ram_start + 4 * PAGE - 0x1000000);
	ck_assert_uint_eq(kmem_phys_addr((void *)layout.kernel_virt_start), 0x1000000 + 4 * PAGE);
	ck_assert_uint_eq(kmem_phys_addr((void *)(layout.kernel_virt_start + 123)), 0x1000000 + 4 * PAGE + 123);
	ck_assert_uint_eq((uintptr_t)kmem_virt_addr(0x1000000 + 4 * PAGE), layout.kernel_virt_start);
	ck_assert_uint_eq((uintptr_t)kmem_virt_addr(0x1000000), layout.kernel_virt_start - 4 * PAGE);
	for (uintptr_t phys = layout.phys_ram_start; phys < layout.phys_ram_end; phys += PAGE / 4) {
		ck_assert_uint_eq(kmem_phys_addr(kmem_virt_addr(phys)), phys);
	}
}
END_TEST

START_TEST(translation_ends_where_vm_range_and_ram_end)
{
	struct kmem_layout layout = layout_now();

	ck_assert_uint_eq(layout.virt_offset, 0);
	ck_assert_uint_eq(kmem_phys_addr((void *)layout.virt_ram_start), layout.virt_ram_start);
	ck_assert_uint_eq(kmem_phys_addr((void *)(layout.virt_ram_end - 1)), layout.virt_ram_end - 1);
	ck_assert_uint_eq((uintptr_t)kmem_virt_addr(layout.phys_ram_start), layout.phys_ram_start);
	ck_assert_uint_eq((uintptr_t)kmem_virt_addr(layout.phys_ram_end - 1), layout.phys_ram_end - 1);
	EXPECT_PANIC((void)kmem_phys_addr((void *)(layout.virt_ram_start - 1)), "not in the VM range");
	EXPECT_PANIC((void)kmem_phys_addr((void *)layout.virt_ram_end), "not in the VM range");
	EXPECT_PANIC((void)kmem_phys_addr(NULL), "not in the VM range");
	EXPECT_PANIC((void)kmem_phys_addr(&layout), "not in the VM range");
	EXPECT_PANIC((void)kmem_virt_addr(layout.phys_ram_start - 1), "not in RAM");
	EXPECT_PANIC((void)kmem_virt_addr(layout.phys_ram_end), "not in RAM");
	EXPECT_PANIC((void)kmem_virt_addr(0), "not in RAM");
}
END_TEST

START_TEST(translation_of_mapped_addresses_is_arithmetic_alone)
{
	uint8_t *bytes = map(1, RW | K_MEM_MAP_LOCK);

	ck_assert_uint_eq(kmem_phys_addr(bytes), (uintptr_t)bytes - layout_now().virt_offset);
	ck_assert_uint_ne(kmem_phys_addr(bytes), status_of(bytes).phys);
}
END_TEST

START_TEST(translation_without_assertions_never_complains)
{
	uintptr_t offset = layout_now().virt_offset;

	ck_assert_uint_eq(kmem_phys_addr(NULL), 0 - offset);
	ck_assert_uint_eq(kmem_phys_addr((void *)UINTPTR_MAX), UINTPTR_MAX - offset);
	ck_assert_uint_eq((uintptr_t)kmem_virt_addr(0), offset);
}
END_TEST

/* Mappings of the host's. */

static size_t host_mappings(void)
{
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	char text[4096];
	size_t lines = 0;
	ssize_t length;

	ck_assert_int_ge(fd, 0);
	while ((length = read(fd, text, sizeof(text))) > 0) {
		for (ssize_t i = 0; i < length; i++) {
			lines += text[i] == '\n' ? 1 : 0;
		}
	}
	ck_assert_int_eq(length, 0);
	ck_assert_int_eq(close(fd), 0);
	return lines;
}

START_TEST(eager_mapping_costs_a_few_host_mappings_whatever_its_size)
{
	static const size_t pages[] = {1, 16, 256, 2048};
	struct kmem_config config = {.ram_size = 4096 * PAGE, .demand_mapping = KMEM_SWITCH_OFF};
	size_t before;

	boot(&config);
	(void)map(1, RW); /* the first mapping costs the library some memory of its own */
	before = host_mappings();
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		uint8_t *bytes = map(pages[i], RW);

		number(bytes, pages[i]);
		/* The mapping itself, and one more because it cuts the reservation in two. */
		ck_assert_uint_le(host_mappings(), before + 2 * (i + 1));
	}
}
END_TEST

START_TEST(unmapping_gives_host_mappings_back)
{
	struct kmem_config config = {.policy = "lru"};
	uint8_t *others;
	size_t before;

	boot(&config);
	/* The first mappings cost the library some memory of its own. */
	others = map(FRAMES, RW);
	number(map(FRAMES, RW), FRAMES);
	k_mem_unmap(others - (FRAMES + 2) * PAGE, FRAMES * PAGE);
	before = host_mappings();
	for (int round = 0; round < 20; round++) {
		uint8_t *bytes = map(FRAMES, RW);

		/* No frame is where its neighbour's page is. */
		number_scattered(bytes, FRAMES, others);
		if (is_engine("mmap")) {
			ck_assert_uint_ge(host_mappings(), before + FRAMES);
		} else {
			ck_assert_uint_le(host_mappings(), before + 1);
		}
		k_mem_unmap(bytes, FRAMES * PAGE);
		ck_assert_uint_eq(host_mappings(), before);
	}
}
END_TEST

Suite *kmem_test_suite(void)
{
	Suite *suite = suite_create("map");
	TCase *lazy = tcase_create("lazy");
	TCase *eager = tcase_create("eager");
	TCase *unpaged = tcase_create("unpaged");
	TCase *unasserted = tcase_create("unasserted");
	TCase *configured = tcase_create("configured");
	TCase *physical = tcase_create("physical");
	TCase *store = tcase_create("store");
	TCase *keeping = tcase_create("keeping store");
	TCase *flags = tcase_create("flags");
	TCase *host = tcase_create("host");
	TCase *arithmetic = tcase_create("arithmetic");

	tcase_add_checked_fixture(lazy, setup_lazy, teardown);
	tcase_add_test(lazy, first_address_is_three_pages_below_the_end_with_demand_paging);
	tcase_add_test(lazy, mappings_follow_each_other_downwards_with_two_guards_between);
	tcase_add_test(lazy, address_is_the_same_after_unmap);
	tcase_add_test(lazy, highest_hole_that_fits_is_filled_from_its_top);
	tcase_add_test(lazy, joined_holes_serve_a_larger_mapping);
	tcase_add_test(lazy, guards_stand_on_both_sides);
	tcase_add_test(lazy, pages_are_zero_on_frames_that_were_dirty);
	tcase_add_test(lazy, uninitialised_pages_are_not_zeroed);
	tcase_add_test(lazy, read_only_pages_are_zero);
	tcase_add_test(lazy, locked_pages_are_zero_on_frames_that_were_dirty);
	tcase_add_test(lazy, permissions_are_recorded);
	tcase_add_test(lazy, lazy_mapping_takes_frames_at_first_touch);
	tcase_add_test(lazy, lazy_mapping_may_be_larger_than_ram_and_store);
	tcase_add_test(lazy, locked_mapping_is_resident_pinned_and_never_traps);
	tcase_add_test(lazy, locked_mapping_that_does_not_fit_sends_pages_out_but_leaves_nothing);
	tcase_add_test(lazy, user_may_not_see_uninitialised_memory);
	tcase_add_test(lazy, sizes_that_cannot_be_are_null);
	tcase_add_test(lazy, cache_modes_are_asserted_against);
	tcase_add_loop_test(lazy, unmap_gives_back_pages_in_any_state, 0, WAYS);
	tcase_add_loop_test(lazy, unmap_by_a_smaller_size_or_from_inside_is_ignored, 0, WAYS);
	tcase_add_test(lazy, unmap_by_a_larger_size_is_asserted_against);
	tcase_add_test(lazy, unmap_twice_is_asserted_against);
	tcase_add_test(lazy, unmap_of_what_was_never_mapped_is_asserted_against);
	tcase_add_test(lazy, unmap_of_addresses_that_cannot_be_is_asserted_against);
	tcase_add_test(lazy, unmap_as_another_kind_is_asserted_against);
	tcase_add_test(lazy, translation_ends_where_vm_range_and_ram_end);
	tcase_add_test(lazy, translation_of_mapped_addresses_is_arithmetic_alone);
	suite_add_tcase(suite, lazy);

	tcase_add_checked_fixture(eager, setup_eager, teardown);
	tcase_add_test(eager, pages_are_zero_on_frames_that_were_dirty);
	tcase_add_test(eager, uninitialised_pages_are_not_zeroed);
	tcase_add_test(eager, read_only_pages_are_zero);
	tcase_add_test(eager, permissions_are_recorded);
	tcase_add_test(eager, eager_mapping_takes_frames_at_map);
	tcase_add_test(eager, used_up_store_is_null_for_eager_mappings_and_nothing_stays);
	tcase_add_test(eager, sizes_that_cannot_be_are_null);
	tcase_add_loop_test(eager, unmap_gives_back_pages_in_any_state, 0, WAYS);
	tcase_add_loop_test(eager, unmap_by_a_smaller_size_or_from_inside_is_ignored, 0, WAYS);
	suite_add_tcase(suite, eager);

	tcase_add_checked_fixture(unpaged, setup_unpaged, teardown);
	tcase_add_test(unpaged, first_address_is_two_pages_below_the_end_without_demand_paging);
	tcase_add_test(unpaged, pages_are_zero_on_frames_that_were_dirty);
	tcase_add_test(unpaged, eager_mapping_takes_frames_at_map);
	tcase_add_test(unpaged, locked_mapping_is_resident_pinned_and_never_traps);
	tcase_add_test(unpaged, used_up_frames_without_demand_paging_are_null_and_nothing_stays);
	tcase_add_test(unpaged, sizes_that_cannot_be_are_null);
	tcase_add_test(unpaged, unpaged_mapping_without_demand_paging_is_null);
	suite_add_tcase(suite, unpaged);

	tcase_add_checked_fixture(unasserted, setup_unasserted, teardown);
	tcase_add_test(unasserted, cache_modes_are_ignored_without_assertions);
	tcase_add_test(unasserted, wrong_unmaps_are_ignored_without_assertions);
	tcase_add_test(unasserted, bare_mapping_of_nothing_is_ignored_without_assertions);
	tcase_add_test(unasserted, flags_of_addresses_that_cannot_be_fail_without_assertions);
	tcase_add_test(unasserted, translation_without_assertions_never_complains);
	suite_add_tcase(suite, unasserted);

	tcase_add_checked_fixture(configured, setup_none, teardown);
	tcase_add_test(configured, used_up_address_space_is_null_until_something_goes);
	tcase_add_test(configured, one_mapping_may_take_all_address_space);
	tcase_add_test(configured, direct_map_outside_the_vm_range_is_a_panic);
	tcase_add_test(configured, direct_map_without_the_option_is_asserted_against);
	tcase_add_test(configured, direct_map_without_the_option_is_ignored_without_assertions);
	tcase_add_test(configured, bare_mapping_out_of_address_space_is_a_panic);
	tcase_add_test(configured, boot_addresses_are_translated_by_the_offset);
	suite_add_tcase(suite, configured);

	tcase_add_checked_fixture(physical, setup_lazy, teardown);
	tcase_add_test(physical, bare_mapping_has_no_guards_and_takes_no_frames);
	tcase_add_test(physical, aliases_of_a_frame_show_the_same_bytes);
	tcase_add_test(physical, read_only_alias_traps_while_writable_one_works);
	tcase_add_test(physical, bare_mapping_of_any_address_and_size);
	tcase_add_test(physical, bare_mapping_of_nothing_or_around_the_end_is_asserted_against);
	tcase_add_test(physical, direct_map_is_at_the_physical_address);
	tcase_add_test(physical, colliding_direct_map_is_a_panic);
	tcase_add_test(physical, unknown_physical_memory_is_a_panic);
	tcase_add_test(physical, device_memory_is_shared_with_the_emulation);
	tcase_add_test(physical, devices_that_cannot_be_are_refused);
	tcase_add_test(physical, cache_modes_of_bare_mappings_are_recorded);
	tcase_add_test(physical, part_of_a_bare_mapping_may_be_unmapped);
	tcase_add_test(physical, guarded_physical_memory_is_zeroed_through_the_mapping);
	tcase_add_test(physical, uninitialised_guarded_physical_memory_is_left_as_it_is);
	tcase_add_test(physical, guarded_physical_memory_that_cannot_be_is_null);
	suite_add_tcase(suite, physical);

	tcase_add_checked_fixture(store, setup_disk, teardown_disk);
	tcase_add_test(store, unpaged_pages_are_read_at_first_touch);
	tcase_add_test(store, unpaged_mapping_without_uninit_is_zeroed);
	tcase_add_test(store, unpaged_pages_may_go_out_and_come_back_changed);
	tcase_add_test(store, clean_unpaged_pages_are_written_only_if_no_copy_is_kept);
	tcase_add_loop_test(store, locations_that_the_program_named_stay_the_programs, 0, 7);
	tcase_add_test(store, unpaged_mapping_may_be_read_only);
	tcase_add_test(store, unpaged_mappings_that_cannot_be_are_null);
	suite_add_tcase(suite, store);

	tcase_add_checked_fixture(keeping, setup_disk_keeping, teardown_disk);
	tcase_add_test(keeping, unpaged_pages_are_read_at_first_touch);
	tcase_add_test(keeping, unpaged_mapping_without_uninit_is_zeroed);
	tcase_add_test(keeping, unpaged_pages_may_go_out_and_come_back_changed);
	tcase_add_test(keeping, clean_unpaged_pages_are_written_only_if_no_copy_is_kept);
	tcase_add_loop_test(keeping, locations_that_the_program_named_stay_the_programs, 0, 7);
	suite_add_tcase(suite, keeping);

	tcase_add_checked_fixture(flags, setup_lazy, teardown);
	tcase_add_test(flags, flags_may_change_and_change_back_while_contents_stay);
	tcase_add_test(flags, flags_of_pages_on_scattered_frames_may_change);
	tcase_add_test(flags, flags_of_absent_pages_may_change);
	tcase_add_test(flags, flags_of_a_part_may_change);
	tcase_add_test(flags, flags_of_what_is_not_mapped_fail_and_nothing_changes);
	tcase_add_test(flags, flags_of_addresses_that_cannot_be_are_asserted_against);
	tcase_add_test(flags, pinned_pages_that_become_writable_never_trap);
	tcase_add_test(flags, flags_of_physical_memory_may_change);
#ifdef RETURN_CODE
	if (!harness_on_valgrind()) { /* which does not say that an access was an execution */
		tcase_add_test(flags, code_runs_while_its_page_is_executable);
	}
#endif
	suite_add_tcase(suite, flags);

	/* Memory checkers have mappings of their own. */
	tcase_add_checked_fixture(host, setup_none, teardown);
	if (!harness_on_valgrind() && !harness_on_asan() && !harness_on_tsan()) {
		tcase_add_test(host, eager_mapping_costs_a_few_host_mappings_whatever_its_size);
		tcase_add_test(host, unmapping_gives_host_mappings_back);
	}
	suite_add_tcase(suite, host);

	tcase_add_test(arithmetic, regions_are_aligned_outwards);
	suite_add_tcase(suite, arithmetic);
	return suite;
}
