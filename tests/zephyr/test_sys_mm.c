/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The driver of system memory: every function, every error, and that nothing is changed by what fails.
 */
#define KMEM_KCONFIG_NO_RECORD /* each test boots what it needs */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <kmem/kmem.h>
#include <zephyr/drivers/mm/system_mm.h>

#include "../expect.h"
#include "../harness.h"

#define PAGE 4096UL
#define FRAMES 32UL
#define RW SYS_MM_MEM_PERM_RW
#define EXEC SYS_MM_MEM_PERM_EXEC
#define DEVICE_PHYS 0x7f0000000UL
#define DEVICE_PAGES 16UL
#define PHYS(page) (DEVICE_PHYS + (page)*PAGE)

static struct harness_leaks leaks;
static struct kmem_layout layout;
static volatile uint8_t *device; /* as the emulation sees it */
static uint8_t *base;            /* addresses that nobody uses */

static void setup(void)
{
	struct kmem_config config = {
		.struct_size = sizeof(config),
		.vm_size = 16UL << 20,
		.ram_size = FRAMES * PAGE,
		.store = "ram:64",
		.policy = "lru",
	};
	void *host;

	memset(&fatal, 0, sizeof(fatal));
	harness_leaks_begin(&leaks);
	ck_assert_msg(kmem_boot(&config) == 0, "%s", kmem_boot_error());
	ck_assert_int_eq(kmem_layout_get(&layout), 0);
	ck_assert_int_eq(kmem_device_add("memory", DEVICE_PHYS, DEVICE_PAGES * PAGE, &host), 0);
	device = host;
	for (size_t i = 0; i < DEVICE_PAGES; i++) {
		device[i * PAGE] = (uint8_t)(100 + i);
	}
	base = (uint8_t *)layout.vm_free_start + 64 * PAGE;
}

static void teardown(void)
{
	ck_assert(kmem_is_valid());
	ck_assert_int_eq(kmem_shutdown(), 0);
	harness_leaks_check(&leaks);
}

static uint8_t *at(size_t page)
{
	return base + page * PAGE;
}

/* A page is mapped to this page of the device, with these flags. */
static void check_page(size_t page, size_t device_page, uint32_t flags)
{
	uintptr_t phys = 0;
	uint32_t found = UINT32_MAX;

	ck_assert_int_eq(sys_mm_drv_page_phys_get(at(page), &phys), 0);
	ck_assert_uint_eq(phys, PHYS(device_page));
	ck_assert_int_eq(sys_mm_drv_page_flag_get(at(page), &found), 0);
	ck_assert_uint_eq(found, flags);
}

/* Valgrind would tell of the access. */
static void check_no_page(volatile uint8_t *page)
{
	struct kmem_page_status status;

	ck_assert_int_eq(kmem_page_status_get((void *)page, &status), 0);
	ck_assert_int_eq(status.state, KMEM_PAGE_STATE_UNMAPPED);
	if (!harness_on_valgrind()) {
		EXPECT_KIND(*page = 1, KMEM_FAULT_UNMAPPED);
	}
}

static void check_unmapped(size_t page, size_t pages)
{
	for (size_t i = page; i < page + pages; i++) {
		ck_assert_int_eq(sys_mm_drv_page_phys_get(at(i), NULL), -EFAULT);
		check_no_page(at(i));
	}
}

static void map(size_t page, size_t device_page, size_t pages, uint32_t flags)
{
	ck_assert_int_eq(sys_mm_drv_map_region(at(page), PHYS(device_page), pages * PAGE, flags), 0);
}

/* Mapping. */

START_TEST(pages_are_mapped_where_the_caller_says)
{
	volatile uint8_t *bytes = at(3);

	ck_assert_int_eq(sys_mm_drv_map_page(at(3), PHYS(5), RW), 0);
	check_page(3, 5, RW);
	ck_assert_uint_eq(bytes[0], 105);
	bytes[1] = 7;
	ck_assert_uint_eq(device[5 * PAGE + 1], 7);
	check_unmapped(2, 1);
	check_unmapped(4, 1);
	ck_assert_int_eq(sys_mm_drv_map_page(at(4), PHYS(5), 0), 0); /* an alias */
	ck_assert_uint_eq(at(4)[1], 7);
	EXPECT_KIND(*(volatile uint8_t *)at(4) = 1, KMEM_FAULT_READ_ONLY);
	ck_assert_int_eq(sys_mm_drv_unmap_page(at(3)), 0);
	check_unmapped(3, 1);
	check_page(4, 5, 0);
}
END_TEST

START_TEST(regions_are_contiguous)
{
	map(0, 2, 4, RW | SYS_MM_MEM_CACHE_WT);
	for (size_t i = 0; i < 4; i++) {
		check_page(i, 2 + i, RW | SYS_MM_MEM_CACHE_WT);
		ck_assert_uint_eq(at(i)[0], 102 + i);
	}
	ck_assert_int_eq(sys_mm_drv_unmap_region(at(1), 2 * PAGE), 0);
	check_page(0, 2, RW | SYS_MM_MEM_CACHE_WT);
	check_unmapped(1, 2);
	check_page(3, 5, RW | SYS_MM_MEM_CACHE_WT);
	ck_assert_int_eq(sys_mm_drv_map_region(at(1), PHYS(0), 0, RW), 0);
	check_unmapped(1, 2);
}
END_TEST

START_TEST(arrays_are_not)
{
	uintptr_t phys[] = {PHYS(9), PHYS(0), PHYS(9), PHYS(4)};

	ck_assert_int_eq(sys_mm_drv_map_array(at(0), phys, 4, RW), 0);
	check_page(0, 9, RW);
	check_page(1, 0, RW);
	check_page(2, 9, RW);
	check_page(3, 4, RW);
	*(volatile uint8_t *)at(0) = 5;
	ck_assert_uint_eq(at(2)[0], 5);
	ck_assert_int_eq(sys_mm_drv_map_array(at(8), phys, 0, RW), 0);
	ck_assert_int_eq(sys_mm_drv_map_array(at(8), NULL, 0, RW), 0);
	check_unmapped(8, 1);
}
END_TEST

START_TEST(frames_of_ram_can_be_mapped)
{
	volatile uint8_t *bytes = k_mem_map(PAGE, RW | K_MEM_MAP_LOCK);
	struct kmem_page_status status;

	ck_assert_ptr_nonnull((void *)bytes);
	bytes[0] = 1;
	ck_assert_int_eq(kmem_page_status_get((void *)bytes, &status), 0);
	ck_assert_int_eq(sys_mm_drv_map_page(at(0), status.phys, RW), 0);
	ck_assert_uint_eq(at(0)[0], 1);
	*(volatile uint8_t *)at(0) = 2;
	ck_assert_uint_eq(bytes[0], 2);
	ck_assert_int_eq(sys_mm_drv_unmap_page(at(0)), 0);
	k_mem_unmap((void *)bytes, PAGE);
}
END_TEST

/* Addresses that cannot be, for each function that takes them. */

static const struct {
	long offset; /* of the address, from `base` */
	size_t size;
} bad_ranges[] = {
	{1, PAGE},
	{0, PAGE - 1},
	{0, PAGE + 1},
	{0, 1},
	{0, SIZE_MAX - PAGE + 1},
	{-(1L << 40), PAGE},
	{1L << 40, PAGE},
	{0, 1UL << 40},
};

START_TEST(bad_addresses_are_refused)
{
	uint8_t *bad = base + bad_ranges[_i].offset;
	size_t size = bad_ranges[_i].size;
	uintptr_t phys[] = {PHYS(0)};
	bool is_size = bad_ranges[_i].offset == 0;
	uint32_t flags;

	map(8, 8, 1, RW);
	ck_assert_int_eq(sys_mm_drv_map_region(bad, PHYS(0), size, RW), -EINVAL);
	ck_assert_int_eq(sys_mm_drv_unmap_region(bad, size), -EINVAL);
	ck_assert_int_eq(sys_mm_drv_update_region_flags(bad, size, RW), -EINVAL);
	ck_assert_int_eq(sys_mm_drv_remap_region(bad, size, at(10)), -EINVAL);
	ck_assert_int_eq(sys_mm_drv_move_region(bad, size, at(10), PHYS(9)), -EINVAL);
	ck_assert_int_eq(sys_mm_drv_move_array(bad, size, at(10), phys, 1), -EINVAL);
	if (is_size) {
		return;
	}
	ck_assert_int_eq(sys_mm_drv_map_page(bad, PHYS(0), RW), -EINVAL);
	ck_assert_int_eq(sys_mm_drv_map_array(bad, phys, 1, RW), -EINVAL);
	ck_assert_int_eq(sys_mm_drv_unmap_page(bad), -EINVAL);
	ck_assert_int_eq(sys_mm_drv_page_phys_get(bad, phys), -EINVAL);
	ck_assert_int_eq(sys_mm_drv_page_flag_get(bad, &flags), -EINVAL);
	ck_assert_int_eq(sys_mm_drv_update_page_flags(bad, RW), -EINVAL);
	ck_assert_int_eq(sys_mm_drv_remap_region(at(8), PAGE, bad), -EINVAL);
	ck_assert_int_eq(sys_mm_drv_move_region(at(8), PAGE, bad, PHYS(9)), -EINVAL);
	ck_assert_int_eq(sys_mm_drv_move_array(at(8), PAGE, bad, phys, 1), -EINVAL);
	check_page(8, 8, RW);
}
END_TEST

START_TEST(bad_physical_addresses_are_refused)
{
	static const uintptr_t bad[] = {
		DEVICE_PHYS + 1,        DEVICE_PHYS + DEVICE_PAGES * PAGE, DEVICE_PHYS - PAGE, 0,
		UINTPTR_MAX - PAGE + 1, (uintptr_t)1 << 48,
	};

	map(8, 8, 1, RW);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		uintptr_t phys[] = {PHYS(0), bad[i]};

		ck_assert_int_eq(sys_mm_drv_map_page(at(0), bad[i], RW), -EINVAL);
		ck_assert_int_eq(sys_mm_drv_map_region(at(0), bad[i], PAGE, RW), -EINVAL);
		ck_assert_int_eq(sys_mm_drv_map_array(at(0), phys, 2, RW), -EINVAL);
		ck_assert_int_eq(sys_mm_drv_move_region(at(8), PAGE, at(0), bad[i]), -EINVAL);
		ck_assert_int_eq(sys_mm_drv_move_array(at(8), PAGE, at(0), &phys[1], 1), -EINVAL);
		check_unmapped(0, 2);
	}
	ck_assert_int_eq(sys_mm_drv_map_region(at(0), PHYS(DEVICE_PAGES - 1), 2 * PAGE, RW), -EINVAL);
	check_unmapped(0, 2);
	ck_assert_int_eq(sys_mm_drv_map_array(at(0), NULL, 1, RW), -EINVAL);
	ck_assert_int_eq(sys_mm_drv_map_array(at(0), (uintptr_t[]){PHYS(0)}, SIZE_MAX, RW), -EINVAL);
	check_page(8, 8, RW);
	ck_assert_uint_eq(at(8)[0], 108);
}
END_TEST

START_TEST(mapping_over_a_mapping_is_refused)
{
	uintptr_t phys[] = {PHYS(0), PHYS(1), PHYS(2)};

	map(2, 8, 1, RW);
	ck_assert_int_eq(sys_mm_drv_map_page(at(2), PHYS(0), RW), -EFAULT);
	ck_assert_int_eq(sys_mm_drv_map_page(at(2), PHYS(8), RW), -EFAULT);
	ck_assert_int_eq(sys_mm_drv_map_region(at(0), PHYS(0), 3 * PAGE, RW), -EFAULT);
	ck_assert_int_eq(sys_mm_drv_map_region(at(2), PHYS(0), 3 * PAGE, RW), -EFAULT);
	ck_assert_int_eq(sys_mm_drv_map_array(at(0), phys, 3, RW), -EFAULT);
	check_unmapped(0, 2);
	check_unmapped(3, 2);
	check_page(2, 8, RW);
}
END_TEST

START_TEST(what_is_mapped_otherwise_is_in_the_way)
{
	volatile uint8_t *bytes = k_mem_map(2 * PAGE, RW);

	ck_assert_ptr_nonnull((void *)bytes);
	ck_assert_int_eq(sys_mm_drv_map_page((void *)bytes, PHYS(0), RW), -EFAULT); /* never touched */
	bytes[0] = 1;
	ck_assert_int_eq(sys_mm_drv_map_page((void *)bytes, PHYS(0), RW), -EFAULT);
	ck_assert_int_eq(k_mem_page_out((void *)bytes, PAGE), 0);
	ck_assert_int_eq(sys_mm_drv_map_page((void *)bytes, PHYS(0), RW), -EFAULT);
	ck_assert_int_eq(sys_mm_drv_page_phys_get((void *)bytes, NULL), -EFAULT);
	ck_assert_int_eq(sys_mm_drv_unmap_page((void *)bytes), -EFAULT);
	ck_assert_int_eq(sys_mm_drv_remap_region((void *)bytes, PAGE, at(0)), -EFAULT);
	ck_assert_int_eq(sys_mm_drv_update_page_flags((void *)bytes, 0), 0);
	ck_assert_uint_eq(bytes[0], 1);
	EXPECT_KIND(bytes[0] = 2, KMEM_FAULT_READ_ONLY);
	k_mem_unmap((void *)bytes, 2 * PAGE);
	ck_assert(kmem_is_valid());
}
END_TEST

/* Unmapping, asking. */

START_TEST(what_is_not_mapped_is_refused)
{
	uintptr_t phys[] = {PHYS(0), PHYS(1), PHYS(2)};
	uint32_t flags = 77;

	map(0, 8, 2, RW);
	ck_assert_int_eq(sys_mm_drv_unmap_page(at(2)), -EFAULT);
	ck_assert_int_eq(sys_mm_drv_unmap_region(at(0), 3 * PAGE), -EFAULT);
	ck_assert_int_eq(sys_mm_drv_page_phys_get(at(2), phys), -EFAULT);
	ck_assert_int_eq(sys_mm_drv_page_flag_get(at(2), &flags), -EFAULT);
	ck_assert_int_eq(sys_mm_drv_update_page_flags(at(2), 0), -EFAULT);
	ck_assert_int_eq(sys_mm_drv_update_region_flags(at(0), 3 * PAGE, 0), -EFAULT);
	ck_assert_int_eq(sys_mm_drv_remap_region(at(0), 3 * PAGE, at(4)), -EFAULT);
	ck_assert_int_eq(sys_mm_drv_move_region(at(0), 3 * PAGE, at(4), PHYS(0)), -EFAULT);
	ck_assert_int_eq(sys_mm_drv_move_array(at(0), 3 * PAGE, at(4), phys, 3), -EFAULT);
	ck_assert_uint_eq(phys[0], PHYS(0));
	ck_assert_uint_eq(flags, 77);
	check_page(0, 8, RW);
	check_page(1, 9, RW);
	check_unmapped(2, 5);
	ck_assert_int_eq(sys_mm_drv_unmap_region(at(2), 0), 0);
}
END_TEST

START_TEST(asking_tolerates_null_where_it_may)
{
	map(0, 8, 1, RW);
	ck_assert_int_eq(sys_mm_drv_page_phys_get(at(0), NULL), 0);
	ck_assert_int_eq(sys_mm_drv_page_flag_get(at(0), NULL), -EINVAL);
}
END_TEST

/* Flags. */

START_TEST(flags_change_and_contents_stay)
{
	map(0, 8, 3, RW);
	*(volatile uint8_t *)at(1) = 9;
	ck_assert_int_eq(sys_mm_drv_update_page_flags(at(1), SYS_MM_MEM_CACHE_NONE), 0);
	check_page(0, 8, RW);
	check_page(1, 9, SYS_MM_MEM_CACHE_NONE);
	ck_assert_uint_eq(at(1)[0], 9);
	EXPECT_KIND(*(volatile uint8_t *)at(1) = 1, KMEM_FAULT_READ_ONLY);
	ck_assert_int_eq(sys_mm_drv_update_region_flags(at(0), 3 * PAGE, RW | EXEC | SYS_MM_MEM_PERM_USER), 0);
	check_page(0, 8, RW | EXEC | SYS_MM_MEM_PERM_USER);
	check_page(1, 9, RW | EXEC | SYS_MM_MEM_PERM_USER);
	check_page(2, 10, RW | EXEC | SYS_MM_MEM_PERM_USER);
	*(volatile uint8_t *)at(1) = 10;
	ck_assert_uint_eq(device[9 * PAGE], 10);
	ck_assert_int_eq(sys_mm_drv_update_region_flags(at(0), 0, 0), 0);
	check_page(0, 8, RW | EXEC | SYS_MM_MEM_PERM_USER);
}
END_TEST

/* Moving. */

START_TEST(remapping_keeps_memory_and_flags)
{
	uintptr_t phys[] = {PHYS(3), PHYS(1), PHYS(7)};

	ck_assert_int_eq(sys_mm_drv_map_array(at(0), phys, 3, RW), 0);
	ck_assert_int_eq(sys_mm_drv_update_page_flags(at(1), EXEC), 0);
	*(volatile uint8_t *)at(2) = 42;
	ck_assert_int_eq(sys_mm_drv_remap_region(at(0), 3 * PAGE, at(3)), 0);
	check_unmapped(0, 3);
	check_page(3, 3, RW);
	check_page(4, 1, EXEC);
	check_page(5, 7, RW);
	ck_assert_uint_eq(at(3)[0], 103);
	ck_assert_uint_eq(at(4)[0], 101);
	ck_assert_uint_eq(at(5)[0], 42);
	ck_assert_int_eq(sys_mm_drv_remap_region(at(3), 0, at(0)), 0);
	check_page(3, 3, RW);
}
END_TEST

START_TEST(moving_copies_into_other_memory)
{
	map(0, 0, 3, RW);
	ck_assert_int_eq(sys_mm_drv_update_page_flags(at(1), EXEC | SYS_MM_MEM_CACHE_WT), 0);
	at(2)[PAGE - 1] = 77;
	ck_assert_int_eq(sys_mm_drv_move_region(at(0), 3 * PAGE, at(8), PHYS(10)), 0);
	check_unmapped(0, 3);
	check_page(8, 10, RW);
	check_page(9, 11, EXEC | SYS_MM_MEM_CACHE_WT);
	check_page(10, 12, RW);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_uint_eq(at(8 + i)[0], 100 + i);
		ck_assert_uint_eq(device[(10 + i) * PAGE], 100 + i);
		ck_assert_uint_eq(device[i * PAGE], 100 + i); /* the old memory is left as it was */
	}
	ck_assert_uint_eq(at(10)[PAGE - 1], 77);
	ck_assert_uint_eq(device[13 * PAGE], 113);
}
END_TEST

START_TEST(moving_takes_an_array)
{
	uintptr_t phys[] = {PHYS(14), PHYS(8), PHYS(11)};

	map(0, 0, 3, RW);
	ck_assert_int_eq(sys_mm_drv_move_array(at(0), 3 * PAGE, at(8), phys, 3), 0);
	check_unmapped(0, 3);
	check_page(8, 14, RW);
	check_page(9, 8, RW);
	check_page(10, 11, RW);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_uint_eq(at(8 + i)[0], 100 + i);
	}
}
END_TEST

START_TEST(moving_within_the_same_memory_keeps_bytes)
{
	uintptr_t swapped[] = {PHYS(1), PHYS(0)};

	map(0, 0, 2, RW);
	ck_assert_int_eq(sys_mm_drv_move_array(at(0), 2 * PAGE, at(8), swapped, 2), 0);
	ck_assert_uint_eq(at(8)[0], 100);
	ck_assert_uint_eq(at(9)[0], 101);
	ck_assert_uint_eq(device[0], 101);
	map(0, 4, 3, RW);
	ck_assert_int_eq(sys_mm_drv_move_region(at(0), 3 * PAGE, at(10), PHYS(5)), 0);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_uint_eq(at(10 + i)[0], 104 + i);
		ck_assert_uint_eq(device[(5 + i) * PAGE], 104 + i);
	}
}
END_TEST

START_TEST(moves_that_cannot_be_change_nothing)
{
	uintptr_t phys[] = {PHYS(10), PHYS(11), PHYS(11)};

	map(0, 0, 3, RW);
	map(9, 9, 1, RW);
	for (size_t to = 0; to < 3; to++) { /* onto itself */
		ck_assert_int_eq(sys_mm_drv_remap_region(at(0), 3 * PAGE, at(to)), -EINVAL);
		ck_assert_int_eq(sys_mm_drv_move_region(at(0), 3 * PAGE, at(to), PHYS(10)), -EINVAL);
		ck_assert_int_eq(sys_mm_drv_move_array(at(0), 3 * PAGE, at(to), phys, 3), -EINVAL);
	}
	for (size_t to = 7; to < 10; to++) { /* onto another */
		ck_assert_int_eq(sys_mm_drv_remap_region(at(0), 3 * PAGE, at(to)), -EFAULT);
		ck_assert_int_eq(sys_mm_drv_move_region(at(0), 3 * PAGE, at(to), PHYS(10)), -EFAULT);
	}
	ck_assert_int_eq(sys_mm_drv_move_array(at(0), 2 * PAGE, at(8), phys, 2), -EFAULT);
	ck_assert_int_eq(sys_mm_drv_move_array(at(0), 3 * PAGE, at(4), phys, 2), -EINVAL);
	ck_assert_int_eq(sys_mm_drv_move_array(at(0), 2 * PAGE, at(4), phys, 3), -EINVAL);
	ck_assert_int_eq(sys_mm_drv_move_array(at(0), 2 * PAGE, at(4), NULL, 2), -EINVAL);
	ck_assert_int_eq(sys_mm_drv_move_array(at(0), 3 * PAGE, at(4), phys, 3), -EINVAL); /* one page twice */
	ck_assert_int_eq(sys_mm_drv_move_region(at(0), 3 * PAGE, at(4), PHYS(DEVICE_PAGES - 2)), -EINVAL);
	for (size_t i = 0; i < 3; i++) {
		check_page(i, i, RW);
		ck_assert_uint_eq(at(i)[0], 100 + i);
	}
	check_page(9, 9, RW);
	check_unmapped(4, 3);
	for (size_t i = 0; i < DEVICE_PAGES; i++) {
		ck_assert_uint_eq(device[i * PAGE], 100 + i);
	}
	ck_assert_int_eq(sys_mm_drv_move_array(at(0), 0, at(4), NULL, 0), 0);
	ck_assert_int_eq(sys_mm_drv_remap_region(at(0), 2 * PAGE, at(7)), 0); /* neighbours are fine */
}
END_TEST

/* Free addresses. */

START_TEST(free_regions_are_told)
{
	const struct sys_mm_drv_region *regions = sys_mm_drv_query_memory_regions();
	const struct sys_mm_drv_region *iter;
	uintptr_t end = layout.virt_ram_end - layout.vm_reserved;
	uint8_t *mapped;

	ck_assert_ptr_nonnull(regions);
	ck_assert_ptr_eq(regions[0].addr, (void *)layout.vm_free_start);
	ck_assert_uint_eq(regions[0].size, end - layout.vm_free_start);
	ck_assert_ptr_null(regions[1].addr);
	ck_assert_uint_eq(regions[1].size, 0);
	sys_mm_drv_query_memory_regions_free(regions);

	mapped = k_mem_map(PAGE, RW);
	for (size_t i = 0; i < 20; i++) {
		map(2 * i, 0, 1, RW);
	}
	regions = sys_mm_drv_query_memory_regions();
	ck_assert_ptr_nonnull(regions);
	ck_assert_ptr_eq(regions[0].addr, (void *)layout.vm_free_start);
	ck_assert_uint_eq(regions[0].size, (uintptr_t)base - layout.vm_free_start);
	for (size_t i = 1; i < 20; i++) {
		ck_assert_ptr_eq(regions[i].addr, at(2 * i - 1));
		ck_assert_uint_eq(regions[i].size, PAGE);
	}
	ck_assert_ptr_eq(regions[20].addr, at(39));
	ck_assert_uint_eq(regions[20].size, (size_t)(mapped - PAGE - at(39)));
	ck_assert_uint_eq(regions[21].size, 0);
	SYS_MM_DRV_MEMORY_REGION_FOREACH(regions, iter) {
		ck_assert_int_eq(sys_mm_drv_map_page(iter->addr, PHYS(1), RW), 0);
	}
	sys_mm_drv_query_memory_regions_free(regions);
	sys_mm_drv_query_memory_regions_free(NULL);
}
END_TEST

START_TEST(without_a_machine_there_is_nothing)
{
	static char page[2 * PAGE] __attribute__((aligned(PAGE)));
	const struct sys_mm_drv_region *regions;
	uintptr_t phys = 0;
	uint32_t flags;

	ck_assert_int_eq(sys_mm_drv_map_page(page, 0, RW), -ENODEV);
	ck_assert_int_eq(sys_mm_drv_map_region(page, 0, PAGE, RW), -ENODEV);
	ck_assert_int_eq(sys_mm_drv_map_array(page, &phys, 1, RW), -ENODEV);
	ck_assert_int_eq(sys_mm_drv_unmap_page(page), -ENODEV);
	ck_assert_int_eq(sys_mm_drv_unmap_region(page, PAGE), -ENODEV);
	ck_assert_int_eq(sys_mm_drv_page_phys_get(page, &phys), -ENODEV);
	ck_assert_int_eq(sys_mm_drv_page_flag_get(page, &flags), -ENODEV);
	ck_assert_int_eq(sys_mm_drv_update_page_flags(page, RW), -ENODEV);
	ck_assert_int_eq(sys_mm_drv_update_region_flags(page, PAGE, RW), -ENODEV);
	ck_assert_int_eq(sys_mm_drv_remap_region(page, PAGE, page + PAGE), -ENODEV);
	ck_assert_int_eq(sys_mm_drv_move_region(page, PAGE, page + PAGE, 0), -ENODEV);
	ck_assert_int_eq(sys_mm_drv_move_array(page, PAGE, page + PAGE, &phys, 1), -ENODEV);
	regions = sys_mm_drv_query_memory_regions();
	ck_assert_ptr_nonnull(regions);
	ck_assert_uint_eq(regions[0].size, 0);
	sys_mm_drv_query_memory_regions_free(regions);
	ck_assert(!kmem_is_booted());
}
END_TEST

Suite *kmem_test_suite(void)
{
	Suite *suite = suite_create("sys_mm");
	TCase *mapping = tcase_create("mapping");
	TCase *moving = tcase_create("moving");
	TCase *query = tcase_create("query");
	TCase *unbooted = tcase_create("unbooted");

	tcase_add_checked_fixture(mapping, setup, teardown);
	tcase_add_test(mapping, pages_are_mapped_where_the_caller_says);
	tcase_add_test(mapping, regions_are_contiguous);
	tcase_add_test(mapping, arrays_are_not);
	tcase_add_test(mapping, frames_of_ram_can_be_mapped);
	tcase_add_loop_test(mapping, bad_addresses_are_refused, 0, sizeof(bad_ranges) / sizeof(bad_ranges[0]));
	tcase_add_test(mapping, bad_physical_addresses_are_refused);
	tcase_add_test(mapping, mapping_over_a_mapping_is_refused);
	tcase_add_test(mapping, what_is_mapped_otherwise_is_in_the_way);
	tcase_add_test(mapping, what_is_not_mapped_is_refused);
	tcase_add_test(mapping, asking_tolerates_null_where_it_may);
	tcase_add_test(mapping, flags_change_and_contents_stay);
	suite_add_tcase(suite, mapping);

	tcase_add_checked_fixture(moving, setup, teardown);
	tcase_add_test(moving, remapping_keeps_memory_and_flags);
	tcase_add_test(moving, moving_copies_into_other_memory);
	tcase_add_test(moving, moving_takes_an_array);
	tcase_add_test(moving, moving_within_the_same_memory_keeps_bytes);
	tcase_add_test(moving, moves_that_cannot_be_change_nothing);
	suite_add_tcase(suite, moving);

	tcase_add_checked_fixture(query, setup, teardown);
	tcase_add_test(query, free_regions_are_told);
	suite_add_tcase(suite, query);

	tcase_add_test(unbooted, without_a_machine_there_is_nothing);
	suite_add_tcase(suite, unbooted);
	return suite;
}
