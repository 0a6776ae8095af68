/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The architecture layer by itself: entries that are mapped, go out, come in and are asked for, past frames and
 * regions.
 */
#define CONFIG_DEMAND_PAGING 1
#define CONFIG_DEMAND_PAGING_STATS 1
#define CONFIG_DEMAND_MAPPING 1
#define CONFIG_SRAM_SIZE 32768
#define CONFIG_BACKING_STORE_RAM_PAGES 64
#define CONFIG_ASSERT 1

#include <mmu.h>
#include <zephyr/kernel/mm/demand_paging.h>

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <kmem/arch.h>

#include "expect.h"
#include "harness.h"

#define PAGE ((size_t)CONFIG_MMU_PAGE_SIZE)
#define PAGES 4
#define RW K_MEM_PERM_RW
#define NOWHERE ((uintptr_t)1 << 40) /* no RAM, no device */
#define UNTOUCHED ((uintptr_t)0x1234)

static uint8_t static_page[PAGE] __attribute__((aligned(CONFIG_MMU_PAGE_SIZE)));

static uint8_t *window;       /* addresses that are taken, to map what one likes */
static uint8_t *frames;       /* pages that are pinned, in frames to map there */
static uintptr_t phys[PAGES]; /* of these frames */
static struct harness_leaks leaks;

static void setup(void)
{
	struct kmem_layout layout;

	ck_assert_int_eq(kmem_layout_get(&layout), 0);
	k_mem_map_phys_bare(&window, layout.phys_ram_end - PAGES * PAGE, PAGES * PAGE, RW);
	frames = k_mem_map(PAGES * PAGE, RW | K_MEM_MAP_LOCK);
	ck_assert_ptr_nonnull(frames);
	for (size_t i = 0; i < PAGES; i++) {
		memset(frames + i * PAGE, 'a' + (int)i, PAGE);
		ck_assert_int_eq(arch_page_phys_get(frames + i * PAGE, &phys[i]), 0);
	}
}

/* A machine for the next test. */
static void teardown(void)
{
	k_mem_unmap(frames, PAGES * PAGE);
	k_mem_unmap_phys_bare(window, PAGES * PAGE);
	ck_assert(kmem_is_valid());
	ck_assert_int_eq(kmem_shutdown(), 0);
	ck_assert_msg(kmem_boot(NULL) == 0, "%s", kmem_boot_error());
}

static void check_at(void *addr, enum arch_page_location state, uintptr_t expected)
{
	uintptr_t location = UNTOUCHED;

	ck_assert_int_eq(arch_page_location_get(addr, &location), state);
	ck_assert_uint_eq(location, expected);
}

static uintptr_t info_of(void *addr)
{
	return arch_page_info_get(addr, NULL, false) &
	       (ARCH_DATA_PAGE_LOADED | ARCH_DATA_PAGE_ACCESSED | ARCH_DATA_PAGE_DIRTY | ARCH_DATA_PAGE_NOT_MAPPED);
}

/* ---- mapping ---- */

START_TEST(mapping_takes_the_place_of_what_is_there)
{
	volatile uint8_t *bytes = window;

	ck_assert_int_eq(arch_mem_map(window, phys[0], PAGE, RW), 0);
	ck_assert_uint_eq(bytes[0], 'a');
	bytes[0] = 'x';
	ck_assert_uint_eq(frames[0], 'x');
	ck_assert_int_eq(arch_mem_map(window, phys[1], PAGE, 0), 0);
	ck_assert_uint_eq(bytes[0], 'b');
	EXPECT_KIND(bytes[0] = 'y', KMEM_FAULT_READ_ONLY);
	ck_assert_uint_eq(frames[PAGE], 'b');
	check_at(window, ARCH_PAGE_LOCATION_PAGED_IN, phys[1]);
}
END_TEST

START_TEST(mappings_of_several_pages_are_contiguous_memory)
{
	struct kmem_layout layout;
	uintptr_t last;

	ck_assert_int_eq(kmem_layout_get(&layout), 0);
	last = layout.phys_ram_end - PAGES * PAGE;
	ck_assert_int_eq(arch_mem_unmap(window, PAGES * PAGE), 0);
	ck_assert_int_eq(arch_mem_map(window, last, PAGES * PAGE, RW), 0);
	for (size_t i = 0; i < PAGES; i++) {
		uintptr_t found;

		ck_assert_int_eq(arch_page_phys_get(window + i * PAGE, &found), 0);
		ck_assert_uint_eq(found, last + i * PAGE);
		window[i * PAGE] = (uint8_t)i;
	}
}
END_TEST

START_TEST(unmapping_tolerates_pages_that_are_not_mapped)
{
	volatile uint8_t *bytes = window;

	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(arch_mem_unmap(window, 2 * PAGE), 0);
		check_at(window, ARCH_PAGE_LOCATION_BAD, UNTOUCHED);
		ck_assert_int_eq(arch_page_phys_get(window, NULL), -EFAULT);
	}
	if (!harness_on_valgrind()) { /* which is right to complain */
		EXPECT_KIND(bytes[0] = 1, KMEM_FAULT_UNMAPPED);
	}
	ck_assert_int_eq(arch_page_phys_get(window + 2 * PAGE, NULL), 0);
}
END_TEST

START_TEST(mapping_of_no_memory_fails)
{
	ck_assert_int_eq(arch_mem_map(window, NOWHERE, PAGE, RW), -EFAULT);
}
END_TEST

START_TEST(mapping_of_wrong_addresses_is_asserted_against)
{
	EXPECT_KIND((void)arch_mem_map(window + 1, phys[0], PAGE, RW), KMEM_FAULT_NONE);
	EXPECT_KIND((void)arch_mem_map(window, phys[0], PAGE - 1, RW), KMEM_FAULT_NONE);
	EXPECT_KIND((void)arch_mem_map(window, phys[0] + 1, PAGE, RW), KMEM_FAULT_NONE);
	EXPECT_KIND((void)arch_mem_map(K_MEM_VIRT_RAM_END, phys[0], PAGE, RW), KMEM_FAULT_NONE);
	EXPECT_KIND((void)arch_mem_unmap(window + 1, PAGE), KMEM_FAULT_NONE);
}
END_TEST

START_TEST(locations_grow_by_a_page_a_page)
{
	ck_assert_int_eq(arch_mem_map(window, 0x7000, 3 * PAGE, RW | K_MEM_MAP_UNPAGED), 0);
	for (size_t i = 0; i < 3; i++) {
		check_at(window + i * PAGE, ARCH_PAGE_LOCATION_PAGED_OUT, 0x7000 + i * PAGE);
		ck_assert_int_eq(arch_page_phys_get(window + i * PAGE, NULL), -EFAULT);
	}
	ck_assert_int_eq(arch_page_phys_get(window + 3 * PAGE, NULL), 0);
}
END_TEST

START_TEST(pages_that_were_never_touched_share_a_location)
{
	static const uintptr_t locations[] = {ARCH_UNPAGED_ANON_ZERO, ARCH_UNPAGED_ANON_UNINIT};
	uint8_t *bytes = k_mem_map(2 * PAGE, RW);
	unsigned long faults;

	ck_assert_ptr_nonnull(bytes);
	check_at(bytes, ARCH_PAGE_LOCATION_PAGED_OUT, ARCH_UNPAGED_ANON_ZERO);
	ck_assert_int_eq(arch_mem_map(bytes, locations[_i], 2 * PAGE, RW | K_MEM_MAP_UNPAGED), 0);
	check_at(bytes, ARCH_PAGE_LOCATION_PAGED_OUT, locations[_i]);
	check_at(bytes + PAGE, ARCH_PAGE_LOCATION_PAGED_OUT, locations[_i]);
	faults = k_mem_num_pagefaults_get();
	bytes[PAGE] = 1;
	ck_assert(_i == 1 || bytes[PAGE + 1] == 0);
	ck_assert_uint_eq(k_mem_num_pagefaults_get(), faults + 1);
	k_mem_unmap(bytes, 2 * PAGE);
}
END_TEST

/* ---- questions ---- */

START_TEST(physical_addresses_are_of_pages_that_are_in)
{
	uint8_t *bytes = k_mem_map(PAGE, RW);
	uintptr_t found = UNTOUCHED;

	ck_assert_ptr_nonnull(bytes);
	ck_assert_int_eq(arch_page_phys_get(bytes, &found), -EFAULT);        /* never touched */
	ck_assert_int_eq(arch_page_phys_get(bytes - PAGE, &found), -EFAULT); /* a guard */
	ck_assert_int_eq(arch_page_phys_get(NULL, &found), -EFAULT);
	ck_assert_int_eq(arch_page_phys_get(K_MEM_SCRATCH_PAGE, &found), -EFAULT);
	ck_assert_int_eq(arch_page_phys_get(K_MEM_VIRT_RAM_END, &found), -EFAULT);
	ck_assert_uint_eq(found, UNTOUCHED);
	bytes[0] = 1;
	ck_assert_int_eq(arch_page_phys_get(bytes, &found), 0);
	ck_assert_ptr_eq(k_mem_page_frame_to_virt(k_mem_phys_to_page_frame(found)), bytes);
	ck_assert_int_eq(arch_page_phys_get(bytes, NULL), 0);
	ck_assert_int_eq(k_mem_page_out(bytes, PAGE), 0);
	ck_assert_int_eq(arch_page_phys_get(bytes, &found), -EFAULT);
	k_mem_unmap(bytes, PAGE);
}
END_TEST

START_TEST(locations_tell_in_from_out_from_nothing)
{
	uint8_t *bytes = k_mem_map(PAGE, RW);
	uintptr_t in;
	uintptr_t out;

	ck_assert_ptr_nonnull(bytes);
	bytes[0] = 1;
	ck_assert_int_eq(arch_page_phys_get(bytes, &in), 0);
	check_at(bytes, ARCH_PAGE_LOCATION_PAGED_IN, in);
	ck_assert_int_eq(k_mem_page_out(bytes, PAGE), 0);
	ck_assert_int_eq(arch_page_location_get(bytes, &out), ARCH_PAGE_LOCATION_PAGED_OUT);
	ck_assert_uint_eq(out % PAGE, 0);
	ck_assert_uint_ne(out, ARCH_UNPAGED_ANON_ZERO);
	check_at(bytes - PAGE, ARCH_PAGE_LOCATION_BAD, UNTOUCHED);
	check_at(bytes + PAGE, ARCH_PAGE_LOCATION_BAD, UNTOUCHED);
	check_at(NULL, ARCH_PAGE_LOCATION_BAD, UNTOUCHED);
	k_mem_unmap(bytes, PAGE);
	check_at(bytes, ARCH_PAGE_LOCATION_BAD, UNTOUCHED);
}
END_TEST

START_TEST(info_follows_the_life_of_a_page)
{
	volatile uint8_t *bytes = k_mem_map(PAGE, RW);
	uint8_t *page = (uint8_t *)(uintptr_t)bytes;
	uintptr_t location = UNTOUCHED;

	ck_assert_ptr_nonnull(page);
	ck_assert_uint_eq(arch_page_info_get(page, &location, false), 0);
	ck_assert_uint_eq(location, ARCH_UNPAGED_ANON_ZERO);
	/* A page that was never out must be written, though nobody wrote to it. */
	ck_assert_uint_eq(bytes[0], 0);
	ck_assert_uint_eq(info_of(page), ARCH_DATA_PAGE_LOADED | ARCH_DATA_PAGE_ACCESSED | ARCH_DATA_PAGE_DIRTY);
	ck_assert_int_eq(k_mem_page_out(page, PAGE), 0);
	ck_assert_uint_eq(info_of(page), 0);
	ck_assert_uint_eq(bytes[0], 0);
	ck_assert_uint_eq(info_of(page), ARCH_DATA_PAGE_LOADED | ARCH_DATA_PAGE_ACCESSED);
	/* Clearing says what was before, and the next access is seen. */
	ck_assert_uint_eq(arch_page_info_get(page, &location, true), ARCH_DATA_PAGE_LOADED | ARCH_DATA_PAGE_ACCESSED);
	ck_assert_int_eq(arch_page_phys_get(page, NULL), 0);
	check_at(page, ARCH_PAGE_LOCATION_PAGED_IN, location);
	ck_assert_uint_eq(info_of(page), ARCH_DATA_PAGE_LOADED);
	ck_assert_uint_eq(bytes[0], 0);
	ck_assert_uint_eq(info_of(page), ARCH_DATA_PAGE_LOADED | ARCH_DATA_PAGE_ACCESSED);
	bytes[0] = 1;
	ck_assert_uint_eq(info_of(page), ARCH_DATA_PAGE_LOADED | ARCH_DATA_PAGE_ACCESSED | ARCH_DATA_PAGE_DIRTY);
	(void)arch_page_info_get(page, NULL, true);
	ck_assert_uint_eq(info_of(page), ARCH_DATA_PAGE_LOADED | ARCH_DATA_PAGE_DIRTY);
	bytes[1] = 1;
	ck_assert_uint_eq(info_of(page), ARCH_DATA_PAGE_LOADED | ARCH_DATA_PAGE_ACCESSED | ARCH_DATA_PAGE_DIRTY);
	k_mem_unmap(page, PAGE);
}
END_TEST

START_TEST(info_of_nothing_leaves_the_location_alone)
{
	uintptr_t location = UNTOUCHED;

	ck_assert_int_eq(arch_mem_unmap(window, PAGE), 0);
	ck_assert_uint_eq(arch_page_info_get(window, &location, true), ARCH_DATA_PAGE_NOT_MAPPED);
	ck_assert_uint_eq(arch_page_info_get(NULL, &location, false), ARCH_DATA_PAGE_NOT_MAPPED);
	ck_assert_uint_eq(arch_page_info_get(frames - PAGE, &location, false), ARCH_DATA_PAGE_NOT_MAPPED);
	ck_assert_uint_eq(location, UNTOUCHED);
}
END_TEST

/* ---- out and in ---- */

static const uint32_t permissions[] = {0, RW, RW | K_MEM_PERM_EXEC | K_MEM_PERM_USER};
static const uintptr_t locations[] = {0, 0x5000, (uintptr_t)1 << 46};

START_TEST(permissions_and_location_survive_going_out)
{
	uint32_t flags = permissions[_i];
	struct kmem_page_status status;

	ck_assert_int_eq(arch_mem_map(window, phys[0], PAGE, flags), 0);
	arch_mem_page_out(window, locations[_i]);
	check_at(window, ARCH_PAGE_LOCATION_PAGED_OUT, locations[_i]);
	ck_assert_int_eq(arch_page_phys_get(window, NULL), -EFAULT);
	ck_assert_uint_eq(info_of(window), 0);
	arch_mem_page_in(window, phys[1]);
	check_at(window, ARCH_PAGE_LOCATION_PAGED_IN, phys[1]);
	ck_assert_int_eq(kmem_page_status_get(window, &status), 0);
	ck_assert_uint_eq(status.flags, flags);
	ck_assert_uint_eq(((volatile uint8_t *)window)[0], 'b');
}
END_TEST

START_TEST(page_that_comes_in_is_neither_accessed_nor_dirty)
{
	volatile uint8_t *bytes = frames;

	arch_mem_page_out(frames, 0x5000);
	arch_mem_page_in(frames, phys[0]);
	ck_assert_uint_eq(info_of(frames), ARCH_DATA_PAGE_LOADED);
	ck_assert_uint_eq(bytes[0], 'a');
	ck_assert_uint_eq(info_of(frames), ARCH_DATA_PAGE_LOADED | ARCH_DATA_PAGE_ACCESSED);
	bytes[0] = 'x';
	ck_assert_uint_eq(info_of(frames), ARCH_DATA_PAGE_LOADED | ARCH_DATA_PAGE_ACCESSED | ARCH_DATA_PAGE_DIRTY);
}
END_TEST

START_TEST(static_pages_keep_their_bytes_out_and_in)
{
	volatile uint8_t *bytes = static_page;
	uintptr_t frame = k_mem_phys_addr(static_page);

	bytes[0] = 's';
	check_at(static_page, ARCH_PAGE_LOCATION_PAGED_IN, frame);
	arch_mem_page_out(static_page, 0x5000);
	check_at(static_page, ARCH_PAGE_LOCATION_PAGED_OUT, 0x5000);
	arch_mem_page_in(static_page, frame);
	ck_assert_uint_eq(bytes[0], 's');
	bytes[0] = 't';
	ck_assert_int_eq(kmem_shutdown(), 0);
	ck_assert_uint_eq(bytes[0], 't');
	ck_assert_msg(kmem_boot(NULL) == 0, "%s", kmem_boot_error());
	setup();
}
END_TEST

/* ---- the scratch page ---- */

START_TEST(scratch_page_shows_one_frame_after_another)
{
	volatile uint8_t *scratch = K_MEM_SCRATCH_PAGE;

	ck_assert_ptr_eq((uint8_t *)K_MEM_SCRATCH_PAGE, (uint8_t *)K_MEM_VIRT_RAM_END - PAGE);
	for (size_t i = 0; i < PAGES; i++) {
		arch_mem_scratch(phys[i]);
		ck_assert_uint_eq(scratch[PAGE - 1], 'a' + i);
		scratch[0] = 'A';
		ck_assert_uint_eq(frames[i * PAGE], 'A');
	}
	/* It is no mapping that others see. */
	check_at(K_MEM_SCRATCH_PAGE, ARCH_PAGE_LOCATION_BAD, UNTOUCHED);
}
END_TEST

START_TEST(scratch_page_can_be_written_where_the_page_cannot)
{
	volatile uint8_t *scratch = K_MEM_SCRATCH_PAGE;

	ck_assert_int_eq(k_mem_update_flags(frames, PAGE, 0), 0);
	arch_mem_scratch(phys[0]);
	scratch[3] = 'S';
	ck_assert_uint_eq(frames[3], 'S');
}
END_TEST

START_TEST(scratch_page_shows_static_pages)
{
	volatile uint8_t *scratch = K_MEM_SCRATCH_PAGE;

	static_page[7] = '7';
	arch_mem_scratch(k_mem_phys_addr(static_page));
	ck_assert_uint_eq(scratch[7], '7');
	scratch[8] = '8';
	ck_assert_uint_eq(((volatile uint8_t *)static_page)[8], '8');
}
END_TEST

/* ---- the rest ---- */

START_TEST(nothing_is_aligned_and_nothing_is_reserved)
{
	size_t free_before = k_mem_free_get();

	arch_reserved_pages_update();
	ck_assert_uint_eq(k_mem_free_get(), free_before);
	ck_assert_uint_eq(arch_virt_region_align(phys[0], PAGE), PAGE);
	ck_assert_uint_eq(arch_virt_region_align(0, (size_t)1 << 30), PAGE);
}
END_TEST

START_TEST(nothing_is_there_before_boot)
{
	uintptr_t location = UNTOUCHED;

	ck_assert_int_eq(kmem_shutdown(), 0);
	harness_leaks_begin(&leaks);
	ck_assert_int_eq(arch_mem_map(window, phys[0], PAGE, RW), -ENODEV);
	ck_assert_int_eq(arch_mem_unmap(window, PAGE), -ENODEV);
	ck_assert_int_eq(arch_page_phys_get(window, &location), -EFAULT);
	ck_assert_int_eq(arch_page_location_get(window, &location), ARCH_PAGE_LOCATION_BAD);
	ck_assert_uint_eq(arch_page_info_get(window, &location, false), ARCH_DATA_PAGE_NOT_MAPPED);
	ck_assert_uint_eq(location, UNTOUCHED);
	arch_mem_scratch(phys[0]);
	arch_mem_page_out(window, 0);
	arch_mem_page_in(window, phys[0]);
	ck_assert(!kmem_is_booted());
	harness_leaks_check(&leaks);
	ck_assert_msg(kmem_boot(NULL) == 0, "%s", kmem_boot_error());
	setup();
}
END_TEST

START_TEST(forked_machine_has_its_own)
{
	volatile uint8_t *bytes = window;
	int status;
	pid_t child;

	ck_assert_int_eq(arch_mem_map(window, phys[0], PAGE, RW), 0);
	ck_assert_int_eq(arch_mem_map(window + PAGE, phys[1], PAGE, 0), 0);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		bool is_same = bytes[0] == 'a' && bytes[PAGE] == 'b';

		bytes[0] = 'c';
		_exit(is_same && frames[0] == 'c' ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	ck_assert_uint_eq(bytes[0], 'a');
}
END_TEST

Suite *kmem_test_suite(void)
{
	Suite *suite = suite_create("arch");
	TCase *arch = tcase_create("arch");

	tcase_add_checked_fixture(arch, setup, teardown);
	tcase_add_test(arch, mapping_takes_the_place_of_what_is_there);
	tcase_add_test(arch, mappings_of_several_pages_are_contiguous_memory);
	tcase_add_test(arch, unmapping_tolerates_pages_that_are_not_mapped);
	tcase_add_test(arch, mapping_of_no_memory_fails);
	tcase_add_test(arch, mapping_of_wrong_addresses_is_asserted_against);
	tcase_add_test(arch, locations_grow_by_a_page_a_page);
	tcase_add_loop_test(arch, pages_that_were_never_touched_share_a_location, 0, 2);
	tcase_add_test(arch, physical_addresses_are_of_pages_that_are_in);
	tcase_add_test(arch, locations_tell_in_from_out_from_nothing);
	tcase_add_test(arch, info_follows_the_life_of_a_page);
	tcase_add_test(arch, info_of_nothing_leaves_the_location_alone);
	tcase_add_loop_test(arch, permissions_and_location_survive_going_out, 0, 3);
	tcase_add_test(arch, page_that_comes_in_is_neither_accessed_nor_dirty);
	if (!harness_on_tsan()) { /* the library is in the program then, and such pages stay */
		tcase_add_test(arch, static_pages_keep_their_bytes_out_and_in);
	}
	tcase_add_test(arch, scratch_page_shows_one_frame_after_another);
	tcase_add_test(arch, scratch_page_can_be_written_where_the_page_cannot);
	tcase_add_test(arch, scratch_page_shows_static_pages);
	tcase_add_test(arch, nothing_is_aligned_and_nothing_is_reserved);
	tcase_add_test(arch, nothing_is_there_before_boot);
	if (!harness_on_valgrind()) { /* it does not know of MADV_DONTFORK */
		tcase_add_test(arch, forked_machine_has_its_own);
	}
	suite_add_tcase(suite, arch);
	return suite;
}
