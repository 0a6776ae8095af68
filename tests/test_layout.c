/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory map: where its lines lie for a configuration, what the boot image holds and allows, which frames it takes.
 */
#include <errno.h>
#include <string.h>

#include <kmem/kmem.h>

#include "expect.h"
#include "harness.h"
#include "state.h"

#define PAGE 4096UL
#define FRAMES 64UL
#define RAM_BASE 0x40000000UL
#define RW K_MEM_PERM_RW

static struct harness_leaks leaks;

static void check_no_exec(const volatile uint8_t *code)
{
	void (*function)(void);

	if (harness_on_valgrind()) {
		return; /* it does not say that an access was an execution */
	}
	memcpy(&function, &code, sizeof(function));
	EXPECT_TRAP(function(), KMEM_FAULT_NO_EXEC, code);
}

static struct kmem_layout boot(struct kmem_config *config)
{
	struct kmem_layout layout;

	config->struct_size = sizeof(*config);
	config->vm_size = config->vm_size != 0 ? config->vm_size : 16UL << 20;
	config->ram_size = config->ram_size != 0 ? config->ram_size : FRAMES * PAGE;
	ck_assert_msg(kmem_boot(config) == 0, "%s", kmem_boot_error());
	ck_assert_int_eq(kmem_layout_get(&layout), 0);
	return layout;
}

static void setup(void)
{
	memset(&fatal, 0, sizeof(fatal));
	harness_leaks_begin(&leaks);
}

static void teardown(void)
{
	ck_assert(kmem_is_valid());
	ck_assert_int_eq(kmem_shutdown(), 0);
	harness_leaks_check(&leaks);
}

/* The regions, in order. */
static struct {
	struct kmem_region_info all[8];
	size_t count;
} regions;

static int region_add(const struct kmem_region_info *region, void *arg)
{
	(void)arg;
	ck_assert_uint_lt(regions.count, sizeof(regions.all) / sizeof(regions.all[0]));
	regions.all[regions.count++] = *region;
	return 0;
}

static void regions_get(void)
{
	regions.count = 0;
	ck_assert_int_eq(kmem_region_walk(region_add, NULL), 0);
}

static void check_region(size_t i, enum kmem_region_kind kind, const char *name, uintptr_t addr, size_t pages,
			 uint32_t flags)
{
	const struct kmem_region_info *region = &regions.all[i];

	ck_assert_uint_lt(i, regions.count);
	ck_assert_int_eq(region->kind, kind);
	ck_assert_str_eq(region->name, name);
	ck_assert_uint_eq(region->addr, addr);
	ck_assert_uint_eq(region->size, pages * PAGE);
	ck_assert_uint_eq(region->flags, flags);
	ck_assert_uint_eq(region->phys, kmem_phys_addr((void *)addr));
	ck_assert(!region->guarded);
}

/* Code that does nothing. */
#if defined(__x86_64__)
#define RETURN_CODE "\xc3"
#elif defined(__aarch64__)
#define RETURN_CODE "\xc0\x03\x5f\xd6"
#else
#define RETURN_CODE "" /* none that is known here */
#endif

#define HAS_RETURN_CODE (sizeof(RETURN_CODE) > 1)

static uint8_t rodata[PAGE + 100];
static uint8_t data[2 * PAGE];

/* An image of 3, 2, 2, 3 and 1 pages. */
#define IMAGE_PAGES 11UL
static const struct kmem_section sections[] = {
	{".text", 2 * PAGE + 1, K_MEM_PERM_EXEC, RETURN_CODE, sizeof(RETURN_CODE)},
	{".rodata", PAGE + 100, 0, rodata, sizeof(rodata)},
	{".data", 2 * PAGE, RW, data, sizeof(data)},
	{".bss", 2 * PAGE + 8, RW, NULL, 0},
	{".noinit", 1, RW | K_MEM_PERM_USER, NULL, 0},
};
static const size_t section_pages[] = {3, 2, 2, 3, 1};
#define SECTIONS (sizeof(sections) / sizeof(sections[0]))

static struct kmem_layout boot_image(struct kmem_config *config)
{
	struct kmem_layout layout;

	for (size_t i = 0; i < sizeof(rodata); i++) {
		rodata[i] = (uint8_t)(i * 3 + 1);
	}
	for (size_t i = 0; i < sizeof(data); i++) {
		data[i] = (uint8_t)(i * 5 + 2);
	}
	config->sections = sections;
	config->section_count = SECTIONS;
	layout = boot(config);
	/* They are read while booting only. */
	memset(rodata, 0, sizeof(rodata));
	memset(data, 0, sizeof(data));
	return layout;
}

/* First address of a section. */
static uintptr_t section_addr(const struct kmem_layout *layout, size_t section)
{
	uintptr_t addr = layout->kernel_virt_start;

	for (size_t i = 0; i < section; i++) {
		addr += section_pages[i] * PAGE;
	}
	return addr;
}

/* Lines. */

START_TEST(layout_without_machine_is_enodev)
{
	struct kmem_layout layout;

	ck_assert_int_eq(kmem_layout_get(&layout), -ENODEV);
}
END_TEST

START_TEST(plain_layout)
{
	struct kmem_config config = {.ram_base = RAM_BASE};
	struct kmem_layout layout = boot(&config);

	ck_assert_uint_eq(layout.page_size, PAGE);
	ck_assert_uint_eq(layout.phys_ram_start, RAM_BASE);
	ck_assert_uint_eq(layout.phys_ram_end, RAM_BASE + FRAMES * PAGE);
	ck_assert_uint_eq(layout.virt_ram_end - layout.virt_ram_start, 16UL << 20);
	ck_assert_uint_eq(layout.kernel_virt_start, layout.virt_ram_start);
	ck_assert_uint_eq(layout.kernel_virt_end, layout.virt_ram_start);
	ck_assert_uint_eq(layout.vm_free_start, layout.virt_ram_start);
	ck_assert_uint_eq(layout.vm_reserved, PAGE);
	ck_assert_uint_eq(layout.virt_offset, layout.virt_ram_start - RAM_BASE);
	regions_get();
	ck_assert_uint_eq(regions.count, 0);
}
END_TEST

START_TEST(ram_is_where_the_vm_range_is_by_default)
{
	struct kmem_config config = {.page_size = 0};
	struct kmem_layout layout = boot(&config);

	ck_assert_uint_eq(layout.phys_ram_start, layout.virt_ram_start);
	ck_assert_uint_eq(layout.virt_offset, 0);
}
END_TEST

START_TEST(explicit_base_is_the_base)
{
	struct kmem_layout by_default;
	struct kmem_layout layout;
	struct kmem_config config = {.vm_base = 0};

	by_default = boot(&config);
	ck_assert_int_eq(kmem_shutdown(), 0);
	config.vm_base = by_default.virt_ram_start + (1UL << 30);
	layout = boot(&config);
	ck_assert_uint_eq(layout.virt_ram_start, config.vm_base);
	ck_assert_uint_eq(layout.phys_ram_start, config.vm_base);
	*(volatile uint8_t *)k_mem_map(PAGE, RW) = 1;
}
END_TEST

START_TEST(nothing_is_reserved_without_demand_paging)
{
	struct kmem_config config = {.demand_paging = KMEM_SWITCH_OFF};

	ck_assert_uint_eq(boot(&config).vm_reserved, 0);
}
END_TEST

START_TEST(larger_pages_are_larger_everywhere)
{
	struct kmem_config config = {
		.page_size = 4 * PAGE, .ram_base = RAM_BASE, .sections = sections, .section_count = SECTIONS};
	struct kmem_layout layout = boot(&config);
	uintptr_t first = (uintptr_t)k_mem_map(4 * PAGE, RW);

	ck_assert_uint_eq(layout.page_size, 4 * PAGE);
	ck_assert_uint_eq(layout.vm_reserved, 4 * PAGE);
	/* Every section takes one page now. */
	ck_assert_uint_eq(layout.kernel_virt_end, layout.kernel_virt_start + SECTIONS * 4 * PAGE);
	ck_assert_uint_eq(k_mem_free_get(), (FRAMES / 4 - SECTIONS) * 4 * PAGE);
	ck_assert_uint_eq(first, layout.virt_ram_end - 3 * 4 * PAGE);
	ck_assert_ptr_null(k_mem_map(PAGE, RW));
	*(volatile uint8_t *)(first + 4 * PAGE - 1) = 1;
}
END_TEST

START_TEST(offsets_move_the_image_and_its_translation)
{
	static const struct {
		size_t ram_offset, vm_offset;
	} cases[] = {
		{0, 0}, {0, 8 * PAGE}, {4 * PAGE, 0}, {4 * PAGE, 8 * PAGE}, {8 * PAGE, 4 * PAGE}, {3 * PAGE, 3 * PAGE}};
	struct kmem_config config = {
		.ram_base = RAM_BASE, .ram_offset = cases[_i].ram_offset, .vm_offset = cases[_i].vm_offset};
	struct kmem_layout layout = boot_image(&config);
	uintptr_t image = layout.virt_ram_start + config.vm_offset;

	ck_assert_uint_eq(layout.phys_ram_start, RAM_BASE);
	ck_assert_uint_eq(layout.phys_ram_end, RAM_BASE + FRAMES * PAGE);
	ck_assert_uint_eq(layout.kernel_virt_start, image);
	ck_assert_uint_eq(layout.kernel_virt_end, image + IMAGE_PAGES * PAGE);
	ck_assert_uint_eq(layout.vm_free_start, image + IMAGE_PAGES * PAGE);
	ck_assert_uint_eq(layout.virt_offset, image - (RAM_BASE + config.ram_offset));
	ck_assert_uint_eq(status_of((void *)image).phys, RAM_BASE + config.ram_offset);
	if (config.vm_offset != 0) {
		ck_assert_int_eq(status_of((void *)(image - PAGE)).state, KMEM_PAGE_STATE_UNMAPPED);
	}
	ck_assert_int_eq(status_of((void *)layout.kernel_virt_end).state, KMEM_PAGE_STATE_UNMAPPED);
	ck_assert_uint_eq(k_mem_free_get(), (FRAMES - IMAGE_PAGES) * PAGE);
}
END_TEST

START_TEST(mappings_stop_at_the_image)
{
	/* Image, scratch page, and room for eight pages and two guards. */
	struct kmem_config config = {.vm_size = (FRAMES + 8) * PAGE,
				     .ram_size = FRAMES * PAGE,
				     .vm_offset = (FRAMES - IMAGE_PAGES - 3) * PAGE};
	struct kmem_layout layout = boot_image(&config);
	uint8_t *bytes;

	ck_assert_uint_eq(layout.virt_ram_end - layout.vm_reserved - layout.vm_free_start, 10 * PAGE);
	ck_assert_ptr_null(k_mem_map(9 * PAGE, RW));
	bytes = k_mem_map(8 * PAGE, RW);
	ck_assert_uint_eq((uintptr_t)bytes, layout.vm_free_start + PAGE);
	memset(bytes, 1, 8 * PAGE);
	ck_assert_int_eq(memcmp((void *)section_addr(&layout, 0), RETURN_CODE, sizeof(RETURN_CODE)), 0);
}
END_TEST

/* All of RAM. */

START_TEST(all_of_ram_is_mapped_around_the_image)
{
	struct kmem_config config = {
		.ram_base = RAM_BASE, .ram_offset = 4 * PAGE, .vm_offset = 8 * PAGE, .maps_all_ram = KMEM_SWITCH_ON};
	struct kmem_layout layout = boot_image(&config);
	uintptr_t start = layout.virt_ram_start + 4 * PAGE;

	ck_assert_uint_eq(layout.kernel_virt_start, start + 4 * PAGE);
	ck_assert_uint_eq(layout.kernel_virt_end, start + (4 + IMAGE_PAGES) * PAGE);
	ck_assert_uint_eq(layout.vm_free_start, start + FRAMES * PAGE);
	regions_get();
	ck_assert_uint_eq(regions.count, SECTIONS + 2);
	check_region(0, KMEM_REGION_RAM, "", start, 4, RW);
	check_region(1, KMEM_REGION_IMAGE, ".text", start + 4 * PAGE, 3, K_MEM_PERM_EXEC);
	check_region(SECTIONS + 1, KMEM_REGION_RAM, "", layout.kernel_virt_end, FRAMES - 4 - IMAGE_PAGES, RW);
	for (size_t i = 0; i < FRAMES; i++) {
		ck_assert_int_eq(status_of((void *)(start + i * PAGE)).state, KMEM_PAGE_STATE_IN);
		ck_assert_uint_eq(status_of((void *)(start + i * PAGE)).phys, RAM_BASE + i * PAGE);
		ck_assert_uint_eq((uintptr_t)kmem_virt_addr(RAM_BASE + i * PAGE), start + i * PAGE);
	}
	ck_assert_int_eq(status_of((void *)(start - PAGE)).state, KMEM_PAGE_STATE_UNMAPPED);
	ck_assert_int_eq(status_of((void *)layout.vm_free_start).state, KMEM_PAGE_STATE_UNMAPPED);
}
END_TEST

START_TEST(all_of_ram_is_mapped_without_an_image)
{
	struct kmem_config config = {.maps_all_ram = KMEM_SWITCH_ON};
	struct kmem_layout layout = boot(&config);

	ck_assert_uint_eq(layout.vm_free_start, layout.virt_ram_start + FRAMES * PAGE);
	regions_get();
	ck_assert_uint_eq(regions.count, 1);
	check_region(0, KMEM_REGION_RAM, "", layout.virt_ram_start, FRAMES, RW);
}
END_TEST

START_TEST(mapped_ram_takes_no_frames_and_shows_what_they_hold)
{
	struct kmem_config config = {.maps_all_ram = KMEM_SWITCH_ON};
	struct kmem_usage usage;
	uint8_t *bytes;
	uint8_t *view;

	(void)boot(&config);
	usage = usage_now();
	ck_assert_uint_eq(usage.frames_free, FRAMES);
	ck_assert_uint_eq(usage.frames_mapped, 0);
	bytes = k_mem_map(3 * PAGE, RW);
	for (size_t i = 0; i < 3; i++) {
		bytes[i * PAGE] = (uint8_t)(i + 1);
		view = kmem_virt_addr(status_of(bytes + i * PAGE).phys);
		ck_assert_uint_eq(view[0], i + 1);
		view[1] = (uint8_t)(i + 11);
		ck_assert_uint_eq(bytes[i * PAGE + 1], i + 11);
	}
	k_mem_unmap(bytes, 3 * PAGE);
	ck_assert_uint_eq(k_mem_free_get(), FRAMES * PAGE);
}
END_TEST

/* The image. */

START_TEST(sections_follow_each_other_with_names_and_flags)
{
	struct kmem_config config = {.ram_base = RAM_BASE};
	struct kmem_layout layout = boot_image(&config);

	regions_get();
	ck_assert_uint_eq(regions.count, SECTIONS);
	for (size_t i = 0; i < SECTIONS; i++) {
		uintptr_t addr = section_addr(&layout, i);

		check_region(i, KMEM_REGION_IMAGE, sections[i].name, addr, section_pages[i], sections[i].flags);
		for (size_t page = 0; page < section_pages[i]; page++) {
			ck_assert_uint_eq(status_of((void *)(addr + page * PAGE)).flags, sections[i].flags);
		}
	}
}
END_TEST

START_TEST(names_are_the_machines_own)
{
	char name[] = ".secret";
	struct kmem_section section = {name, PAGE, RW, NULL, 0};
	struct kmem_config config = {.sections = &section, .section_count = 1};
	struct kmem_layout layout = boot(&config);

	memset(name, 'x', sizeof(name) - 1);
	section.flags = 0;
	regions_get();
	ck_assert_uint_eq(regions.count, 1);
	check_region(0, KMEM_REGION_IMAGE, ".secret", layout.kernel_virt_start, 1, RW);
}
END_TEST

static void check_contents(const struct kmem_layout *layout)
{
	const uint8_t *text = (const uint8_t *)section_addr(layout, 0);
	const uint8_t *constants = (const uint8_t *)section_addr(layout, 1);
	const uint8_t *variables = (const uint8_t *)section_addr(layout, 2);
	const uint8_t *zeros = (const uint8_t *)section_addr(layout, 3);
	size_t wrong = 0;

	ck_assert_int_eq(memcmp(text, RETURN_CODE, sizeof(RETURN_CODE)), 0);
	for (size_t i = sizeof(RETURN_CODE); i < 3 * PAGE; i++) {
		wrong += text[i] != 0 ? 1 : 0;
	}
	for (size_t i = 0; i < 2 * PAGE; i++) {
		wrong += constants[i] != (i < sizeof(rodata) ? (uint8_t)(i * 3 + 1) : 0) ? 1 : 0;
		wrong += variables[i] != (uint8_t)(i * 5 + 2) ? 1 : 0;
	}
	for (size_t i = 0; i < 4 * PAGE; i++) {
		wrong += zeros[i] != 0 ? 1 : 0;
	}
	ck_assert_uint_eq(wrong, 0);
}

START_TEST(sections_hold_their_bytes_and_zeros)
{
	struct kmem_config config = {.ram_base = RAM_BASE, .ram_offset = 5 * PAGE, .vm_offset = PAGE};
	struct kmem_layout layout = boot_image(&config);

	check_contents(&layout);
	ck_assert_uint_eq(k_mem_num_pagefaults_get(), 0);
}
END_TEST

START_TEST(a_second_boot_finds_no_traces_of_the_first)
{
	struct kmem_config config = {.ram_base = RAM_BASE};
	struct kmem_layout layout = boot_image(&config);

	memset((void *)section_addr(&layout, 2), 0xff, 6 * PAGE);
	ck_assert_int_eq(kmem_shutdown(), 0);
	layout = boot_image(&config);
	check_contents(&layout);
}
END_TEST

START_TEST(image_is_one_to_one_and_pinned)
{
	struct kmem_config config = {.ram_base = RAM_BASE, .ram_offset = 5 * PAGE, .vm_offset = PAGE};
	struct kmem_layout layout = boot_image(&config);
	struct kmem_usage usage = usage_now();

	for (uintptr_t addr = layout.kernel_virt_start; addr < layout.kernel_virt_end; addr += PAGE) {
		struct kmem_page_status status = status_of((void *)addr);

		ck_assert_int_eq(status.state, KMEM_PAGE_STATE_IN);
		ck_assert_uint_eq(status.phys, kmem_phys_addr((void *)addr));
		ck_assert_uint_eq(status.phys, addr - layout.kernel_virt_start + RAM_BASE + 5 * PAGE);
		ck_assert(status.pinned);
	}
	ck_assert_uint_eq(usage.frames, FRAMES);
	ck_assert_uint_eq(usage.frames_pinned, IMAGE_PAGES);
	ck_assert_uint_eq(usage.frames_mapped, IMAGE_PAGES);
	ck_assert_uint_eq(usage.frames_free, FRAMES - IMAGE_PAGES);
	EXPECT_FATAL((void)k_mem_page_out((void *)layout.kernel_virt_start, PAGE));
	ck_assert_uint_eq(fatal.reason, K_ERR_KERNEL_PANIC);
	ck_assert_ptr_nonnull(strstr(fatal.text, "is pinned"));
}
END_TEST

START_TEST(image_stays_while_anonymous_pages_come_and_go)
{
	struct kmem_config config = {.ram_base = RAM_BASE, .store = "ram:256"};
	struct kmem_layout layout = boot_image(&config);
	uint8_t *bytes = k_mem_map(3 * FRAMES * PAGE, RW);

	for (int round = 0; round < 3; round++) {
		memset(bytes, round, 3 * FRAMES * PAGE);
		check_contents(&layout);
	}
	ck_assert_uint_eq(usage_now().frames_pinned, IMAGE_PAGES);
}
END_TEST

START_TEST(data_bss_and_noinit_may_be_written)
{
	struct kmem_config config = {.ram_base = RAM_BASE};
	struct kmem_layout layout = boot_image(&config);
	uint8_t *alias;

	memset((void *)section_addr(&layout, 2), 0x5a, 6 * PAGE);
	/* The physical address is the frame's. */
	k_mem_map_phys_bare(&alias, kmem_phys_addr((void *)section_addr(&layout, 2)), 6 * PAGE, 0);
	for (size_t i = 0; i < 6 * PAGE; i++) {
		ck_assert_uint_eq(alias[i], 0x5a);
	}
}
END_TEST

START_TEST(text_and_rodata_are_read_only)
{
	struct kmem_config config = {.ram_base = RAM_BASE};
	struct kmem_layout layout = boot_image(&config);

	for (uintptr_t addr = section_addr(&layout, 0); addr < section_addr(&layout, 2); addr += PAGE) {
		expect_read_only((volatile uint8_t *)addr);
		expect_read_only((volatile uint8_t *)(addr + PAGE - 1));
	}
	ck_assert_ptr_nonnull(strstr(fatal.text, ".rodata"));
	check_contents(&layout);
}
END_TEST

START_TEST(text_runs_and_nothing_else_does)
{
	struct kmem_config config = {.ram_base = RAM_BASE};
	struct kmem_layout layout = boot_image(&config);
	uintptr_t text = section_addr(&layout, 0);
	void (*function)(void);

	if (HAS_RETURN_CODE) {
		__builtin___clear_cache((char *)text, (char *)text + PAGE);
		memcpy(&function, &text, sizeof(function));
		function();
		memcpy((void *)section_addr(&layout, 3), RETURN_CODE, sizeof(RETURN_CODE));
	}
	for (size_t section = 1; section < SECTIONS; section++) {
		check_no_exec((const volatile uint8_t *)section_addr(&layout, section));
	}
}
END_TEST

START_TEST(unpinned_image_goes_out_and_comes_back_with_its_permissions)
{
	struct kmem_config config = {.ram_base = RAM_BASE, .store = "file"};
	struct kmem_layout layout = boot_image(&config);
	void *start = (void *)layout.kernel_virt_start;
	volatile uint8_t *text = start;

	k_mem_unpin(start, IMAGE_PAGES * PAGE);
	ck_assert_uint_eq(usage_now().frames_pinned, 0);
	ck_assert_int_eq(k_mem_page_out(start, IMAGE_PAGES * PAGE), 0);
	ck_assert_uint_eq(k_mem_free_get(), FRAMES * PAGE);
	ck_assert_int_eq(status_of(text).state, KMEM_PAGE_STATE_OUT);
	ck_assert(kmem_is_valid());
	if (HAS_RETURN_CODE) {
		void (*function)(void);

		memcpy(&function, &text, sizeof(function));
		function();
	}
	check_contents(&layout);
	expect_read_only(text);
	check_no_exec((const volatile uint8_t *)section_addr(&layout, 1));
	((volatile uint8_t *)section_addr(&layout, 2))[0] = 1;
	k_mem_pin(start, IMAGE_PAGES * PAGE);
	ck_assert_uint_eq(usage_now().frames_pinned, IMAGE_PAGES);
}
END_TEST

START_TEST(image_cannot_be_unmapped)
{
	struct kmem_config config = {.ram_base = RAM_BASE, .vm_offset = 4 * PAGE};
	struct kmem_layout layout = boot_image(&config);
	uint8_t *start = (uint8_t *)layout.kernel_virt_start;

	/* A section has mapped neighbours, and so it is not a whole region. */
	k_mem_unmap((void *)section_addr(&layout, 1), section_pages[1] * PAGE);
	EXPECT_FATAL(k_mem_unmap(start, IMAGE_PAGES * PAGE));
	ck_assert_ptr_nonnull(strstr(fatal.text, "another function"));
	EXPECT_FATAL(k_mem_unmap_phys_bare(start, section_pages[0] * PAGE));
	ck_assert_ptr_nonnull(strstr(fatal.text, "did not map"));
	regions_get();
	ck_assert_uint_eq(regions.count, SECTIONS);
	check_contents(&layout);
}
END_TEST

START_TEST(direct_map_over_the_image_is_a_panic)
{
	struct kmem_config config = {.vm_offset = 0};
	struct kmem_layout layout = boot_image(&config);
	uint8_t *virt = NULL;

	ck_assert_uint_eq(layout.virt_offset, 0);
	EXPECT_FATAL(k_mem_map_phys_bare(&virt, layout.kernel_virt_start, PAGE, RW | K_MEM_DIRECT_MAP));
	ck_assert_uint_eq(fatal.reason, K_ERR_KERNEL_PANIC);
	EXPECT_FATAL(k_mem_map_phys_bare(&virt, layout.kernel_virt_end - PAGE, 2 * PAGE, RW | K_MEM_DIRECT_MAP));
	ck_assert_uint_eq(fatal.reason, K_ERR_KERNEL_PANIC);
	ck_assert_ptr_null(virt);
	k_mem_map_phys_bare(&virt, layout.kernel_virt_end, PAGE, RW | K_MEM_DIRECT_MAP);
	ck_assert_uint_eq((uintptr_t)virt, layout.kernel_virt_end);
	check_contents(&layout);
}
END_TEST

START_TEST(image_may_be_as_large_as_ram_leaves_it)
{
	struct kmem_section section = {".text", (FRAMES - 4) * PAGE, K_MEM_PERM_EXEC, NULL, 0};
	struct kmem_config config = {.struct_size = sizeof(config),
				     .vm_size = 16UL << 20,
				     .ram_size = FRAMES * PAGE,
				     .sections = &section,
				     .section_count = 1};
	volatile uint8_t *bytes;

	section.size++;
	ck_assert_int_eq(kmem_boot(&config), -EINVAL);
	ck_assert(!kmem_is_booted());
	section.size--;
	(void)boot(&config);
	ck_assert_uint_eq(k_mem_free_get(), 4 * PAGE);
	bytes = k_mem_map(16 * PAGE, RW);
	for (size_t i = 0; i < 16; i++) {
		bytes[i * PAGE] = (uint8_t)i;
	}
	for (size_t i = 0; i < 16; i++) {
		ck_assert_uint_eq(bytes[i * PAGE], i);
	}
}
END_TEST

/* Frames in reserve. */

START_TEST(frames_in_reserve_are_not_reported_but_serve)
{
	struct kmem_config config = {.ram_base = RAM_BASE, .frames_reserve = 10};
	volatile uint8_t *bytes;

	(void)boot_image(&config);
	ck_assert_uint_eq(k_mem_free_get(), (FRAMES - IMAGE_PAGES - 10) * PAGE);
	ck_assert_uint_eq(usage_now().frames_free, FRAMES - IMAGE_PAGES);
	bytes = k_mem_map((FRAMES - IMAGE_PAGES) * PAGE, RW);
	for (size_t i = 0; i < FRAMES - IMAGE_PAGES; i++) {
		size_t left = FRAMES - IMAGE_PAGES - i;

		ck_assert_uint_eq(k_mem_free_get(), left > 10 ? (left - 10) * PAGE : 0);
		bytes[i * PAGE] = 1;
	}
	ck_assert_uint_eq(usage_now().frames_free, 0);
	ck_assert_uint_eq(k_mem_free_get(), 0);
}
END_TEST

START_TEST(reserve_of_all_frames_reports_none)
{
	struct kmem_config config = {.frames_reserve = FRAMES};

	(void)boot(&config);
	ck_assert_uint_eq(k_mem_free_get(), 0);
	*(volatile uint8_t *)k_mem_map(PAGE, RW) = 1;
}
END_TEST

START_TEST(reserve_means_nothing_without_demand_paging)
{
	struct kmem_config config = {.frames_reserve = 10, .demand_paging = KMEM_SWITCH_OFF};

	(void)boot(&config);
	ck_assert_uint_eq(k_mem_free_get(), FRAMES * PAGE);
}
END_TEST

Suite *kmem_test_suite(void)
{
	Suite *suite = suite_create("layout");
	TCase *lines = tcase_create("lines");
	TCase *ram = tcase_create("ram");
	TCase *image = tcase_create("image");
	TCase *traps = tcase_create("traps");
	TCase *reserve = tcase_create("reserve");

	tcase_add_test(lines, layout_without_machine_is_enodev);
	suite_add_tcase(suite, lines);

	tcase_add_checked_fixture(ram, setup, teardown);
	tcase_add_test(ram, plain_layout);
	tcase_add_test(ram, ram_is_where_the_vm_range_is_by_default);
	tcase_add_test(ram, explicit_base_is_the_base);
	tcase_add_test(ram, nothing_is_reserved_without_demand_paging);
	tcase_add_test(ram, larger_pages_are_larger_everywhere);
	tcase_add_loop_test(ram, offsets_move_the_image_and_its_translation, 0, 6);
	tcase_add_test(ram, mappings_stop_at_the_image);
	tcase_add_test(ram, all_of_ram_is_mapped_around_the_image);
	tcase_add_test(ram, all_of_ram_is_mapped_without_an_image);
	tcase_add_test(ram, mapped_ram_takes_no_frames_and_shows_what_they_hold);
	suite_add_tcase(suite, ram);

	tcase_add_checked_fixture(image, setup, teardown);
	tcase_add_test(image, sections_follow_each_other_with_names_and_flags);
	tcase_add_test(image, names_are_the_machines_own);
	tcase_add_test(image, sections_hold_their_bytes_and_zeros);
	tcase_add_test(image, a_second_boot_finds_no_traces_of_the_first);
	tcase_add_test(image, image_is_one_to_one_and_pinned);
	tcase_add_test(image, image_stays_while_anonymous_pages_come_and_go);
	tcase_add_test(image, data_bss_and_noinit_may_be_written);
	tcase_add_test(image, image_cannot_be_unmapped);
	tcase_add_test(image, direct_map_over_the_image_is_a_panic);
	tcase_add_test(image, image_may_be_as_large_as_ram_leaves_it);
	suite_add_tcase(suite, image);

	tcase_add_checked_fixture(traps, setup, teardown);
	tcase_add_test(traps, text_and_rodata_are_read_only);
	tcase_add_test(traps, text_runs_and_nothing_else_does);
	tcase_add_test(traps, unpinned_image_goes_out_and_comes_back_with_its_permissions);
	suite_add_tcase(suite, traps);

	tcase_add_checked_fixture(reserve, setup, teardown);
	tcase_add_test(reserve, frames_in_reserve_are_not_reported_but_serve);
	tcase_add_test(reserve, reserve_of_all_frames_reports_none);
	tcase_add_test(reserve, reserve_means_nothing_without_demand_paging);
	suite_add_tcase(suite, reserve);
	return suite;
}
