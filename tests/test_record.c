/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program as Zephyr's are: options as CONFIG_* macros, memory functions from Zephyr's headers, a kernel that is
 * booted before main() with these values. Its literals cannot be changed, its RAM can only be made smaller; and where
 * the environment tries otherwise, it does not start, which is seen in children that run this program again.
 *
 * Check's children are forks of a booted machine here, so all of this is true of a copy as well.
 */
#define CONFIG_KERNEL_VM_BASE 0x30000000
#define CONFIG_KERNEL_VM_SIZE 0x800000
#define CONFIG_KERNEL_VM_OFFSET 0x4000
#define CONFIG_SRAM_BASE_ADDRESS 0x90000000 /* unsigned, where the VM's is signed */
#define CONFIG_SRAM_SIZE 256
#define CONFIG_SRAM_OFFSET 0x2000
#define CONFIG_DEMAND_PAGING 1
#define CONFIG_DEMAND_PAGING_STATS 1
#define CONFIG_DEMAND_PAGING_TIMING_HISTOGRAM 1
#define CONFIG_DEMAND_PAGING_PAGE_FRAMES_RESERVE 8
#define CONFIG_EVICTION_NRU_PERIOD 20
#define CONFIG_BACKING_STORE_RAM 1
#define CONFIG_BACKING_STORE_RAM_PAGES 16
#define CONFIG_ASSERT 1

#include <zephyr/kernel/mm/demand_paging.h>
#include <zephyr/fatal.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "expect.h"
#include "harness.h"

#define PAGE ((size_t)CONFIG_MMU_PAGE_SIZE)
#define RAM_BYTES ((size_t)CONFIG_SRAM_SIZE * 1024)
#define FRAMES (RAM_BYTES / PAGE)
#define RESERVE ((size_t)CONFIG_DEMAND_PAGING_PAGE_FRAMES_RESERVE)
#define LOCATIONS ((size_t)CONFIG_BACKING_STORE_RAM_PAGES)
#define IMAGE ((uintptr_t)CONFIG_KERNEL_VM_BASE + CONFIG_KERNEL_VM_OFFSET)
#define IMAGE_PHYS ((uintptr_t)CONFIG_SRAM_BASE_ADDRESS + CONFIG_SRAM_OFFSET)

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

/* The child that runs this program again says what it found, and is not a test. Variables of this name are nobody's. */
#define CHILD "KMEM_TEST_CHILD"

/* ---- what the compiler does with the headers ---- */

#if K_MEM_VIRT_OFFSET != -0x5fffe000
#error "K_MEM_VIRT_OFFSET is a number for #if"
#endif
#if K_MEM_PHYS_ADDR(0x30004000) != 0x90002000 || K_MEM_VIRT_ADDR(0x90002000) != 0x30004000
#error "K_MEM_PHYS_ADDR() and K_MEM_VIRT_ADDR() are numbers for #if"
#endif
#ifndef K_MEM_IS_VM_KERNEL
#error "virtual and physical addresses differ"
#endif
#ifndef CONFIG_MMU
#error "CONFIG_MMU is always set"
#endif
#ifndef CONFIG_EVICTION_NRU
#error "NRU is the default policy"
#endif
#ifdef CONFIG_DEMAND_MAPPING
#error "demand mapping is off unless asked for"
#endif

static const uintptr_t phys_of_image = K_MEM_PHYS_ADDR(CONFIG_KERNEL_VM_BASE + CONFIG_KERNEL_VM_OFFSET);
static const uintptr_t virt_of_image = K_MEM_VIRT_ADDR(CONFIG_SRAM_BASE_ADDRESS + CONFIG_SRAM_OFFSET);
static uint8_t *const pointer_to_phys = K_MEM_PHYS_ADDR((uint8_t *)CONFIG_KERNEL_VM_BASE + CONFIG_KERNEL_VM_OFFSET);

_Static_assert(sizeof(((struct k_mem_paging_histogram_t *)0)->counts) == 10 * sizeof(unsigned long), "ten bins");
_Static_assert(sizeof(struct k_mem_paging_stats_t) == 6 * sizeof(unsigned long), "Zephyr's counters, and no others");

/* ---- before main() ---- */

static bool was_booted;

__attribute__((constructor)) static void note_boot(void)
{
	was_booted = kmem_is_booted();
}

/* ---- what every test uses ---- */

static struct harness_leaks leaks;
static size_t free_before;

static void env_clear(void)
{
	static const char *const names[] = {
		"KMEM_RAM",    "KMEM_VM_BASE", "KMEM_VM_SIZE",   "KMEM_ENGINE",
		"KMEM_POLICY", "KMEM_STORE",   "KMEM_READAHEAD", "KMEM_STATS",
	};

	for (int i = 0; i < COUNT(names); i++) {
		unsetenv(names[i]);
	}
}

/* The machine that was booted before main(). */
static void setup_running(void)
{
	ck_assert(kmem_is_booted());
	free_before = k_mem_free_get();
}

static void teardown_running(void)
{
	ck_assert(kmem_is_valid());
	ck_assert_uint_eq(k_mem_free_get(), free_before);
}

/* No machine, until the test boots one; and the one from before main() again. */
static void setup_stopped(void)
{
	ck_assert_int_eq(kmem_shutdown(), 0);
	env_clear();
	harness_leaks_begin(&leaks);
}

static void teardown_stopped(void)
{
	env_clear();
	(void)kmem_shutdown();
	harness_leaks_check(&leaks);
	ck_assert_msg(kmem_boot(NULL) == 0, "%s", kmem_boot_error());
}

static void boot(const struct kmem_config *config)
{
	ck_assert_msg(kmem_boot(config) == 0, "%s", kmem_boot_error());
	ck_assert(kmem_is_valid());
}

static uintptr_t *map(size_t pages)
{
	void *addr = k_mem_map(pages * PAGE, K_MEM_PERM_RW);

	ck_assert_ptr_nonnull(addr);
	return addr;
}

static void fill_and_check(uintptr_t *words, size_t pages)
{
	size_t count = pages * PAGE / sizeof(*words);

	for (size_t i = 0; i < count; i++) {
		words[i] = (uintptr_t)&words[i];
	}
	for (size_t i = 0; i < count; i++) {
		ck_assert_uint_eq(words[i], (uintptr_t)&words[i]);
	}
}

/* ---- the machine from before main() ---- */

START_TEST(kernel_is_booted_before_constructors_of_the_program)
{
	ck_assert(was_booted);
	ck_assert_str_eq(kmem_boot_error(), "");
	ck_assert_int_eq(kmem_boot(NULL), -EALREADY);
	ck_assert(kmem_is_booted());
}
END_TEST

static void layout_check(void)
{
	struct kmem_layout layout;

	ck_assert_int_eq(kmem_layout_get(&layout), 0);
	ck_assert_uint_eq(layout.virt_ram_start, CONFIG_KERNEL_VM_BASE);
	ck_assert_uint_eq(layout.virt_ram_end, CONFIG_KERNEL_VM_BASE + CONFIG_KERNEL_VM_SIZE);
	ck_assert_uint_eq(layout.phys_ram_start, CONFIG_SRAM_BASE_ADDRESS);
	ck_assert_uint_eq(layout.phys_ram_end, CONFIG_SRAM_BASE_ADDRESS + RAM_BYTES);
	ck_assert_uint_eq(layout.kernel_virt_start, IMAGE);
	ck_assert_uint_eq(layout.kernel_virt_end, IMAGE);
	ck_assert_uint_eq(layout.vm_free_start, IMAGE);
	ck_assert_uint_eq(layout.vm_reserved, PAGE);
	ck_assert_uint_eq(layout.virt_offset, (uintptr_t)K_MEM_VIRT_OFFSET);
	ck_assert_uint_eq(layout.page_size, PAGE);
}

START_TEST(values_of_the_program_are_in_force)
{
	struct kmem_setup running;
	struct kmem_usage usage;
	struct kmem_stats stats;

	layout_check();
	ck_assert_int_eq(kmem_setup_get(&running), 0);
	ck_assert_str_eq(running.policy, "nru");
	ck_assert_str_eq(running.store, "ram");
	ck_assert_int_eq(kmem_usage_get(&usage), 0);
	ck_assert_uint_eq(usage.frames, FRAMES);
	ck_assert_uint_eq(usage.frames_reserved, 0);
	ck_assert_uint_eq(usage.store.capacity_pages, LOCATIONS);
	ck_assert_uint_eq(k_mem_free_get(), (FRAMES - RESERVE) * PAGE);
	ck_assert_int_eq(kmem_stats_get(&stats), 0);
}
END_TEST

START_TEST(macros_and_functions_translate_alike)
{
	ck_assert_uint_eq(phys_of_image, IMAGE_PHYS);
	ck_assert_uint_eq(virt_of_image, IMAGE);
	ck_assert_uint_eq((uintptr_t)pointer_to_phys, IMAGE_PHYS);
	ck_assert_uint_eq(k_mem_phys_addr((void *)IMAGE), IMAGE_PHYS);
	ck_assert_ptr_eq(k_mem_virt_addr(IMAGE_PHYS), (void *)IMAGE);
	for (uintptr_t addr = CONFIG_KERNEL_VM_BASE; addr < CONFIG_KERNEL_VM_BASE + RAM_BYTES; addr += PAGE / 2) {
		ck_assert_uint_eq(k_mem_phys_addr((void *)addr), K_MEM_PHYS_ADDR(addr));
	}
	for (uintptr_t phys = CONFIG_SRAM_BASE_ADDRESS; phys < CONFIG_SRAM_BASE_ADDRESS + RAM_BYTES; phys += PAGE / 2) {
		ck_assert_uint_eq((uintptr_t)k_mem_virt_addr(phys), K_MEM_VIRT_ADDR(phys));
	}
}
END_TEST

START_TEST(assertions_hold_the_program_to_its_layout)
{
	uint8_t *virt = NULL;

	EXPECT_PANIC((void)k_mem_phys_addr((void *)((uintptr_t)CONFIG_KERNEL_VM_BASE - 1)), "0x2fffffff");
	EXPECT_PANIC((void)k_mem_phys_addr((void *)((uintptr_t)CONFIG_KERNEL_VM_BASE + CONFIG_KERNEL_VM_SIZE)),
		     "0x30800000");
	EXPECT_PANIC((void)k_mem_virt_addr(CONFIG_SRAM_BASE_ADDRESS - 1), "0x8fffffff");
	EXPECT_PANIC((void)k_mem_virt_addr(CONFIG_SRAM_BASE_ADDRESS + RAM_BYTES), "0x90040000");
	/* CONFIG_KERNEL_DIRECT_MAP is not set. */
	EXPECT_PANIC(k_mem_map_phys_bare(&virt, IMAGE_PHYS, PAGE, K_MEM_PERM_RW | K_MEM_DIRECT_MAP),
		     "CONFIG_KERNEL_DIRECT_MAP");
	ck_assert_ptr_null(virt);
}
END_TEST

START_TEST(memory_is_given_when_it_is_mapped)
{
	unsigned long before = k_mem_num_pagefaults_get();
	uintptr_t *words = map(4);

	ck_assert_uint_eq(k_mem_free_get(), free_before - 4 * PAGE);
	fill_and_check(words, 4);
	ck_assert_uint_eq(k_mem_num_pagefaults_get(), before);
	ck_assert_uint_eq(k_mem_free_get(), free_before - 4 * PAGE);
	k_mem_unmap(words, 4 * PAGE);
}
END_TEST

/* All but one of the store's locations can be used; frames are not kept back from mappings by the reserve. */
START_TEST(pages_go_to_a_store_of_so_many_pages_and_back)
{
	size_t pages = FRAMES + LOCATIONS - 1;
	unsigned long before = k_mem_num_pagefaults_get();
	uintptr_t *words;
	struct kmem_usage usage;

	ck_assert_ptr_null(k_mem_map((pages + 1) * PAGE, K_MEM_PERM_RW));
	words = map(pages);
	ck_assert_uint_eq(k_mem_free_get(), 0);
	fill_and_check(words, pages);
	ck_assert_int_eq(kmem_usage_get(&usage), 0);
	ck_assert_uint_eq(usage.store.used_pages, LOCATIONS - 1);
	ck_assert_uint_gt(k_mem_num_pagefaults_get(), before);
	ck_assert(kmem_is_valid());
	k_mem_unmap(words, pages * PAGE);
}
END_TEST

static unsigned long sum(const struct k_mem_paging_histogram_t *histogram)
{
	unsigned long total = 0;

	for (int i = 0; i < CONFIG_DEMAND_PAGING_TIMING_HISTOGRAM_NUM_BINS; i++) {
		total += histogram->counts[i];
	}
	return total;
}

static void bounds_check(const struct k_mem_paging_histogram_t *histogram)
{
	for (int i = 1; i < CONFIG_DEMAND_PAGING_TIMING_HISTOGRAM_NUM_BINS; i++) {
		ck_assert_uint_gt(histogram->bounds[i], histogram->bounds[i - 1]);
	}
	ck_assert_uint_eq(histogram->bounds[CONFIG_DEMAND_PAGING_TIMING_HISTOGRAM_NUM_BINS - 1], ULONG_MAX);
}

START_TEST(getters_give_what_the_machine_counted)
{
	size_t pages = FRAMES + LOCATIONS / 2;
	uintptr_t *words = map(pages);
	struct k_mem_paging_stats_t stats;
	struct k_mem_paging_histogram_t histogram;
	struct kmem_stats all;

	fill_and_check(words, pages);
	memset(&stats, 0xff, sizeof(stats));
	k_mem_paging_stats_get(&stats);
	ck_assert_int_eq(kmem_stats_get(&all), 0);
	ck_assert_uint_gt(stats.pagefaults.cnt, 0);
	ck_assert_uint_eq(stats.pagefaults.cnt, k_mem_num_pagefaults_get());
	ck_assert_uint_eq(stats.pagefaults.cnt, all.pagefaults.cnt);
	ck_assert_uint_eq(stats.pagefaults.irq_locked, all.pagefaults.irq_locked);
	ck_assert_uint_eq(stats.pagefaults.irq_unlocked, all.pagefaults.irq_unlocked);
	ck_assert_uint_eq(stats.pagefaults.in_isr, all.pagefaults.in_isr);
	ck_assert_uint_eq(stats.eviction.clean, all.eviction.clean);
	ck_assert_uint_eq(stats.eviction.dirty, all.eviction.dirty);
	ck_assert_uint_gt(stats.eviction.clean + stats.eviction.dirty, 0);

	memset(&histogram, 0xff, sizeof(histogram));
	k_mem_paging_histogram_eviction_get(&histogram);
	ck_assert_uint_eq(sum(&histogram), stats.eviction.clean + stats.eviction.dirty);
	bounds_check(&histogram);
	memset(&histogram, 0xff, sizeof(histogram));
	k_mem_paging_histogram_backing_store_page_in_get(&histogram);
	ck_assert_uint_eq(sum(&histogram), all.store_reads);
	bounds_check(&histogram);
	memset(&histogram, 0xff, sizeof(histogram));
	k_mem_paging_histogram_backing_store_page_out_get(&histogram);
	ck_assert_uint_eq(sum(&histogram), all.store_writes);
	bounds_check(&histogram);
	k_mem_unmap(words, pages * PAGE);
}
END_TEST

START_TEST(getters_ignore_null)
{
	k_mem_paging_stats_get(NULL);
	k_mem_paging_histogram_eviction_get(NULL);
	k_mem_paging_histogram_backing_store_page_in_get(NULL);
	k_mem_paging_histogram_backing_store_page_out_get(NULL);
}
END_TEST

/* A copy of the machine is as good as the machine, and each goes its own way. */
START_TEST(forked_machine_keeps_its_values)
{
	size_t pages = FRAMES + LOCATIONS / 2;
	uintptr_t *words;
	int status;
	pid_t pid;

	if (harness_on_valgrind()) {
		return; /* it does not know of MADV_DONTFORK, and keeps the child's range taken */
	}
	words = map(pages);
	fill_and_check(words, pages);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		bool is_same = kmem_is_booted() && words[5] == (uintptr_t)&words[5] &&
			       words[pages * PAGE / sizeof(*words) - 1] ==
				       (uintptr_t)&words[pages * PAGE / sizeof(*words) - 1];

		words[5] = 0;
		_exit(is_same && kmem_is_valid() ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	ck_assert_uint_eq(words[5], (uintptr_t)&words[5]);
	k_mem_unmap(words, pages * PAGE);
}
END_TEST

/* ---- booted again, with a configuration over the record ---- */

START_TEST(record_is_the_default_of_every_boot)
{
	struct kmem_config config = {.struct_size = sizeof(config)};
	struct k_mem_paging_stats_t stats;
	struct k_mem_paging_histogram_t histogram;

	/* Nothing has been counted while nothing is booted. */
	memset(&stats, 0x55, sizeof(stats));
	memset(&histogram, 0x55, sizeof(histogram));
	k_mem_paging_stats_get(&stats);
	k_mem_paging_histogram_eviction_get(&histogram);
	ck_assert_uint_eq(stats.pagefaults.cnt, 0);
	ck_assert_uint_eq(histogram.counts[9], 0);
	ck_assert(!kmem_is_booted());

	boot(NULL);
	layout_check();
	ck_assert_int_eq(kmem_shutdown(), 0);
	boot(&config);
	layout_check();
	ck_assert_int_eq(kmem_shutdown(), 0);
	/* So is it of the boot at the first use. */
	ck_assert_uint_eq(k_mem_free_get(), (FRAMES - RESERVE) * PAGE);
	layout_check();
}
END_TEST

static const struct {
	struct kmem_config config;
	const char *name, *value; /* of the environment, in place of config */
	const char *texts[4];     /* who says so and what, against what */
} literals[] = {
	{.config = {.vm_base = 0x40000000}, .texts = {"vm_base", "0x40000000", "CONFIG_KERNEL_VM_BASE", "0x30000000"}},
	{.config = {.vm_size = 0x1000000}, .texts = {"vm_size", "0x1000000", "CONFIG_KERNEL_VM_SIZE", "0x800000"}},
	{.config = {.vm_size = 0x400000}, .texts = {"vm_size", "0x400000", "CONFIG_KERNEL_VM_SIZE", "0x800000"}},
	{.config = {.vm_offset = 0x5000}, .texts = {"vm_offset", "0x5000", "CONFIG_KERNEL_VM_OFFSET", "0x4000"}},
	{.config = {.ram_base = 0x20000000},
	 .texts = {"ram_base", "0x20000000", "CONFIG_SRAM_BASE_ADDRESS", "0x90000000"}},
	{.config = {.ram_offset = 0x1000}, .texts = {"ram_offset", "0x1000", "CONFIG_SRAM_OFFSET", "0x2000"}},
	{.config = {.page_size = 0x2000}, .texts = {"page_size", "0x2000", "CONFIG_MMU_PAGE_SIZE", "0x1000"}},
	{.config = {.ram_size = 0x41000}, .texts = {"ram_size", "266240", "CONFIG_SRAM_SIZE", "262144"}},
	{.name = "KMEM_VM_BASE",
	 .value = "0x40000000",
	 .texts = {"KMEM_VM_BASE", "0x40000000", "CONFIG_KERNEL_VM_BASE", "0x30000000"}},
	{.name = "KMEM_VM_SIZE",
	 .value = "16M",
	 .texts = {"KMEM_VM_SIZE", "0x1000000", "CONFIG_KERNEL_VM_SIZE", "0x800000"}},
	{.name = "KMEM_VM_SIZE",
	 .value = "4M",
	 .texts = {"KMEM_VM_SIZE", "0x400000", "CONFIG_KERNEL_VM_SIZE", "0x800000"}},
	{.name = "KMEM_RAM", .value = "260K", .texts = {"KMEM_RAM", "266240", "CONFIG_SRAM_SIZE", "262144"}},
	{.name = "KMEM_RAM", .value = "1G", .texts = {"KMEM_RAM", "1073741824", "CONFIG_SRAM_SIZE", "262144"}},
};

START_TEST(literals_cannot_be_changed)
{
	struct kmem_config config = literals[_i].config;

	config.struct_size = sizeof(config);
	if (literals[_i].name != NULL) {
		setenv(literals[_i].name, literals[_i].value, 1);
	}
	ck_assert_int_eq(kmem_boot(&config), -EINVAL);
	for (int i = 0; i < COUNT(literals[_i].texts); i++) {
		ck_assert_msg(strstr(kmem_boot_error(), literals[_i].texts[i]) != NULL, "no \"%s\" in: %s",
			      literals[_i].texts[i], kmem_boot_error());
	}
	ck_assert(!kmem_is_booted());
	env_clear();
	boot(NULL);
}
END_TEST

START_TEST(literals_may_be_repeated)
{
	struct kmem_config config = {
		.struct_size = sizeof(config),
		.vm_base = CONFIG_KERNEL_VM_BASE,
		.vm_size = CONFIG_KERNEL_VM_SIZE,
		.vm_offset = CONFIG_KERNEL_VM_OFFSET,
		.ram_base = CONFIG_SRAM_BASE_ADDRESS,
		.ram_size = RAM_BYTES,
		.ram_offset = CONFIG_SRAM_OFFSET,
		.page_size = CONFIG_MMU_PAGE_SIZE,
	};

	setenv("KMEM_VM_BASE", "0x30000000", 1);
	setenv("KMEM_VM_SIZE", "8M", 1);
	setenv("KMEM_RAM", "256K", 1);
	boot(&config);
	layout_check();
	ck_assert_uint_eq(k_mem_free_get(), (FRAMES - RESERVE) * PAGE);
}
END_TEST

/* As many frames as this are usable; the others are there, and reserved. */
static void smaller_check(size_t frames)
{
	size_t pages = frames + LOCATIONS - 1;
	struct kmem_usage usage;
	uintptr_t *words;

	layout_check();
	ck_assert_int_eq(kmem_usage_get(&usage), 0);
	ck_assert_uint_eq(usage.frames, FRAMES);
	ck_assert_uint_eq(usage.frames_reserved, FRAMES - frames);
	ck_assert_uint_eq(usage.frames_free, frames);
	ck_assert_uint_eq(k_mem_free_get(), (frames > RESERVE ? frames - RESERVE : 0) * PAGE);
	ck_assert_ptr_null(k_mem_map((pages + 1) * PAGE, K_MEM_PERM_RW));
	words = map(pages);
	fill_and_check(words, pages);
	ck_assert(kmem_is_valid());
}

START_TEST(ram_can_be_made_smaller)
{
	struct kmem_config config = {.struct_size = sizeof(config), .ram_size = 128 * 1024};

	boot(&config);
	smaller_check(32);
	ck_assert_int_eq(kmem_shutdown(), 0);
	/* Once more by the environment, which has the last word: less, or more again. */
	setenv("KMEM_RAM", "64K", 1);
	boot(&config);
	smaller_check(16);
	ck_assert_int_eq(kmem_shutdown(), 0);
	setenv("KMEM_RAM", "192K", 1);
	boot(&config);
	smaller_check(48);
	ck_assert_int_eq(kmem_shutdown(), 0);
	setenv("KMEM_RAM", "16K", 1);
	boot(NULL);
	smaller_check(4);
	ck_assert_int_eq(kmem_shutdown(), 0);
	setenv("KMEM_RAM", "12K", 1);
	ck_assert_int_eq(kmem_boot(NULL), -EINVAL);
	ck_assert_ptr_nonnull(strstr(kmem_boot_error(), "RAM of 12288 bytes (KMEM_RAM, ram_size, CONFIG_SRAM_SIZE)"));
}
END_TEST

START_TEST(what_is_no_literal_can_be_changed)
{
	struct kmem_config config = {
		.struct_size = sizeof(config),
		.policy = "lru",
		.store = "ram:32",
		.demand_mapping = KMEM_SWITCH_ON,
		.stats = KMEM_SWITCH_OFF,
		.assertions = KMEM_SWITCH_OFF,
		.frames_reserve = 2,
	};
	struct k_mem_paging_stats_t stats = {.pagefaults = {.cnt = 77}};
	struct kmem_setup running;
	struct kmem_usage usage;
	uintptr_t *words;

	boot(&config);
	layout_check();
	ck_assert_int_eq(kmem_setup_get(&running), 0);
	ck_assert_str_eq(running.policy, "lru");
	ck_assert_int_eq(kmem_usage_get(&usage), 0);
	ck_assert_uint_eq(usage.store.capacity_pages, 32);
	ck_assert_uint_eq(k_mem_free_get(), (FRAMES - 2) * PAGE);
	words = map(4);
	ck_assert_uint_eq(k_mem_free_get(), (FRAMES - 2) * PAGE);
	words[0] = 1;
	ck_assert_uint_eq(k_mem_free_get(), (FRAMES - 3) * PAGE);
	/* Statistics are off, so nothing was counted; assertions are off, so this does not panic. */
	k_mem_paging_stats_get(&stats);
	ck_assert_uint_eq(stats.pagefaults.cnt, 0);
	ck_assert_uint_eq(k_mem_phys_addr(NULL), (uintptr_t)0 - K_MEM_VIRT_OFFSET);
	ck_assert_int_eq(kmem_shutdown(), 0);

	setenv("KMEM_POLICY", "clock", 1);
	setenv("KMEM_STORE", "file", 1);
	boot(&config);
	ck_assert_int_eq(kmem_setup_get(&running), 0);
	ck_assert_str_eq(running.policy, "clock");
	ck_assert_str_eq(running.store, "file");
	ck_assert_int_eq(kmem_shutdown(), 0);
	/* No pages were asked for, and those of the record are another store's. */
	boot(NULL);
	ck_assert_int_eq(kmem_usage_get(&usage), 0);
	ck_assert_uint_eq(usage.store.capacity_pages, CONFIG_KERNEL_VM_SIZE / PAGE);
}
END_TEST

START_TEST(without_demand_paging_the_record_asks_for_nothing_else)
{
	struct kmem_config config = {.struct_size = sizeof(config), .demand_paging = KMEM_SWITCH_OFF};
	struct kmem_layout layout;
	uintptr_t *words;

	boot(&config);
	ck_assert_int_eq(kmem_layout_get(&layout), 0);
	ck_assert_uint_eq(layout.vm_reserved, 0);
	ck_assert_ptr_null(k_mem_map((FRAMES + 1) * PAGE, K_MEM_PERM_RW));
	words = map(FRAMES);
	fill_and_check(words, FRAMES);
	ck_assert_uint_eq(k_mem_num_pagefaults_get(), 0);
}
END_TEST

/* ---- run again, with another environment ---- */

static _Noreturn void child_main(void)
{
	struct kmem_setup running;
	size_t pages = 20;
	uintptr_t *words = k_mem_map(pages * PAGE, K_MEM_PERM_RW);

	if (!was_booted || words == NULL || kmem_setup_get(&running) != 0) {
		exit(2);
	}
	for (size_t i = 0; i < pages * PAGE / sizeof(*words); i++) {
		words[i] = (uintptr_t)&words[i];
	}
	for (size_t i = 0; i < pages * PAGE / sizeof(*words); i++) {
		if (words[i] != (uintptr_t)&words[i]) {
			exit(3);
		}
	}
	k_mem_unmap(words, pages * PAGE);
	printf("main: free %zu policy %s store %s\n", k_mem_free_get(), running.policy, running.store);
	exit(0);
}

struct run {
	int status; /* of exit; -1: a signal */
	char out[4096];
	char err[16384];
};

static void read_all(int fd, char *text, size_t size)
{
	ssize_t length = pread(fd, text, size - 1, 0);

	ck_assert_int_ge(length, 0);
	text[length] = '\0';
	close(fd);
}

/* Run this program as a child with a variable set ("NAME=VALUE", or NULL). */
static void run_again(struct run *run, const char *variable)
{
	int out = memfd_create("out", MFD_CLOEXEC);
	int err = memfd_create("err", MFD_CLOEXEC);
	char program[PATH_MAX] = "";
	int status;
	pid_t pid;

	ck_assert_int_ge(out, 0);
	ck_assert_int_ge(err, 0);
	ck_assert_int_gt(readlink("/proc/self/exe", program, sizeof(program) - 1), 0);
	fflush(NULL);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		env_clear();
		setenv(CHILD, "1", 1);
		if (variable != NULL) {
			putenv(strdup(variable));
		}
		dup2(out, STDOUT_FILENO);
		dup2(err, STDERR_FILENO);
		execl(program, program, (char *)NULL);
		_exit(127);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	run->status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	read_all(out, run->out, sizeof(run->out));
	read_all(err, run->err, sizeof(run->err));
}

static const struct {
	const char *variable;
	const char *out; /* of main() */
} starts[] = {
	{NULL, "main: free 229376 policy nru store ram\n"},
	{"KMEM_RAM=128K", "main: free 98304 policy nru store ram\n"},
	{"KMEM_RAM=262144", "main: free 229376 policy nru store ram\n"},
	{"KMEM_VM_BASE=0x30000000", "main: free 229376 policy nru store ram\n"},
	{"KMEM_VM_SIZE=8M", "main: free 229376 policy nru store ram\n"},
	{"KMEM_POLICY=lru", "main: free 229376 policy lru store ram\n"},
	{"KMEM_STORE=ram:64", "main: free 229376 policy nru store ram\n"},
	{"KMEM_STORE=file", "main: free 229376 policy nru store file\n"},
	{"KMEM_READAHEAD=0", "main: free 229376 policy nru store ram\n"},
	{"KMEM_READAHEAD=16", "main: free 229376 policy nru store ram\n"},
	{"KMEM_ENGINE=mmap", "main: free 229376 policy nru store ram\n"},
};

START_TEST(program_starts_with_the_environments_wishes)
{
	struct run run;

	run_again(&run, starts[_i].variable);
	ck_assert_msg(run.status == 0, "status %d: %s", run.status, run.err);
	ck_assert_str_eq(run.out, starts[_i].out);
	ck_assert_str_eq(run.err, "");
}
END_TEST

START_TEST(unknown_variable_is_warned_of_once)
{
	struct run run;

	run_again(&run, "KMEM_FOO=bar");
	ck_assert_int_eq(run.status, 0);
	ck_assert_str_eq(run.out, starts[0].out);
	ck_assert_str_eq(run.err, "kmem: warning: unknown variable KMEM_FOO in the environment\n");
}
END_TEST

START_TEST(report_is_printed_at_exit_on_request)
{
	struct run run;

	run_again(&run, "KMEM_STATS=-");
	ck_assert_int_eq(run.status, 0);
	ck_assert_str_eq(run.out, starts[0].out);
	ck_assert_ptr_nonnull(strstr(run.err, "nru"));
}
END_TEST

static const struct {
	const char *variable;
	const char *texts[4];
} refusals[] = {
	{"KMEM_RAM=1G", {"KMEM_RAM", "1073741824", "CONFIG_SRAM_SIZE", "262144"}},
	{"KMEM_RAM=260K", {"KMEM_RAM", "266240", "CONFIG_SRAM_SIZE", "262144"}},
	{"KMEM_RAM=8K", {"KMEM_RAM", "8192", "too small", "4 frames"}},
	{"KMEM_RAM=100000", {"KMEM_RAM", "0x186a0", "page size", "4096"}},
	{"KMEM_RAM=banana", {"KMEM_RAM=banana", "", "", ""}},
	{"KMEM_RAM=-1", {"KMEM_RAM=-1", "", "", ""}},
	{"KMEM_VM_BASE=0x40000000", {"KMEM_VM_BASE", "0x40000000", "CONFIG_KERNEL_VM_BASE", "0x30000000"}},
	{"KMEM_VM_SIZE=1G", {"KMEM_VM_SIZE", "0x40000000", "CONFIG_KERNEL_VM_SIZE", "0x800000"}},
	{"KMEM_POLICY=mru", {"KMEM_POLICY", "mru", "clock, lru, nru", ""}},
	{"KMEM_STORE=tape", {"KMEM_STORE", "tape", "file, ram", ""}},
	{"KMEM_STORE=ram:0", {"KMEM_STORE", "ram:0", "ram:PAGES", ""}},
	{"KMEM_READAHEAD=33", {"KMEM_READAHEAD", "33", "32", ""}},
	{"KMEM_ENGINE=warp", {"warp", "auto, guard, mmap, uffd", "", ""}},
};

START_TEST(program_does_not_start_where_a_variable_is_wrong)
{
	struct run run;

	run_again(&run, refusals[_i].variable);
	ck_assert_msg(run.status == 1, "status %d: %s", run.status, run.err);
	ck_assert_str_eq(run.out, "");
	ck_assert_int_eq(strncmp(run.err, "kmem: error: ", strlen("kmem: error: ")), 0);
	for (int i = 0; i < COUNT(refusals[_i].texts); i++) {
		ck_assert_msg(strstr(run.err, refusals[_i].texts[i]) != NULL, "no \"%s\" in: %s", refusals[_i].texts[i],
			      run.err);
	}
	/* One line. */
	ck_assert_ptr_eq(strchr(run.err, '\n'), run.err + strlen(run.err) - 1);
}
END_TEST

Suite *kmem_test_suite(void)
{
	Suite *suite;
	TCase *running, *stopped, *again;

	if (getenv(CHILD) != NULL) {
		child_main();
	}
	suite = suite_create("record");
	running = tcase_create("running");
	stopped = tcase_create("stopped");
	again = tcase_create("again");

	tcase_add_checked_fixture(running, setup_running, teardown_running);
	tcase_add_test(running, kernel_is_booted_before_constructors_of_the_program);
	tcase_add_test(running, values_of_the_program_are_in_force);
	tcase_add_test(running, macros_and_functions_translate_alike);
	tcase_add_test(running, assertions_hold_the_program_to_its_layout);
	tcase_add_test(running, memory_is_given_when_it_is_mapped);
	tcase_add_test(running, pages_go_to_a_store_of_so_many_pages_and_back);
	tcase_add_test(running, getters_give_what_the_machine_counted);
	tcase_add_test(running, getters_ignore_null);
	tcase_add_test(running, forked_machine_keeps_its_values);
	suite_add_tcase(suite, running);

	tcase_add_checked_fixture(stopped, setup_stopped, teardown_stopped);
	tcase_add_test(stopped, record_is_the_default_of_every_boot);
	tcase_add_loop_test(stopped, literals_cannot_be_changed, 0, COUNT(literals));
	tcase_add_test(stopped, literals_may_be_repeated);
	tcase_add_test(stopped, ram_can_be_made_smaller);
	tcase_add_test(stopped, what_is_no_literal_can_be_changed);
	tcase_add_test(stopped, without_demand_paging_the_record_asks_for_nothing_else);
	suite_add_tcase(suite, stopped);

	tcase_set_timeout(again, 60);
	tcase_add_loop_test(again, program_starts_with_the_environments_wishes, 0, COUNT(starts));
	tcase_add_test(again, unknown_variable_is_warned_of_once);
	tcase_add_test(again, report_is_printed_at_exit_on_request);
	tcase_add_loop_test(again, program_does_not_start_where_a_variable_is_wrong, 0, COUNT(refusals));
	suite_add_tcase(suite, again);
	return suite;
}
