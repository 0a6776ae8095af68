/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a host must give to pages that lie scattered: on engines that show a page without a mapping of the host's, a million regions with
 * their guard pages, and more resident pages than the host allows mappings, cost a handful. On the others the limit is foreseen: pages are
 * concealed, never lost.
 *
 * Words: the first word of a page that was written is its own address.
 */
#include "expect.h"
#include "harness.h"
#include "state.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <kmem/kmem.h>

#define PAGE 4096UL

/* A region of one page, two guards, and the page itself. */
#define REGION_PAGES 3UL

/* Regions, pages of them that are resident, and what all that may cost in mappings: pieces of the range that are in use. */
#define REGIONS 1000000UL
#define RESIDENT 100000UL
#define MAPPINGS_MAX 32UL

/* Guards that are tried, of which each costs a fatal error. */
#define TRIED 200UL

/* Neighbours in the order of visits are this many regions apart: prime to their number. */
#define STRIDE 777769UL

static const char *const engines[] = {"mmap", "guard", "uffd"};

#define ENGINES ((int)(sizeof(engines) / sizeof(engines[0])))

static struct harness_leaks leaks;
static void **regions;
static size_t region_count;

static size_t host_mappings(void)
{
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	char text[4096];
	size_t lines = 0;
	ssize_t length;

	ck_assert_int_ge(fd, 0);
	while ((length = read(fd, text, sizeof(text))) > 0) {
		for (ssize_t i = 0; i < length; i++) {
			lines += text[i] == '\n';
		}
	}
	close(fd);
	return lines;
}

/* A machine with room for so many regions and resident pages, on the engine of a loop's number. False where this host cannot run it. */
static bool boot(int number, size_t count, size_t frames)
{
	struct kmem_config config = {
		.struct_size = sizeof(config),
		.vm_size = (count + count / 64 + 1024) * REGION_PAGES * PAGE,
		.ram_size = frames * PAGE,
		.engine = engines[number],
	};

	unsetenv("KMEM_ENGINE"); /* whichever the test run is for */
	region_count = count;
	regions = calloc(count, sizeof(*regions));
	ck_assert_ptr_nonnull(regions);
	harness_leaks_begin(&leaks);
	if (kmem_boot(&config) != 0) {
		printf("skipped: engine %s: %s\n", engines[number], kmem_boot_error());
		return false;
	}
	return true;
}

static void finish(void)
{
	ck_assert_int_eq(kmem_shutdown(), 0);
	harness_leaks_check(&leaks);
	free(regions);
}

static size_t visited(size_t i)
{
	return i * STRIDE % region_count;
}

static void regions_map(void)
{
	size_t failed = 0;

	for (size_t i = 0; i < region_count; i++) {
		regions[i] = k_mem_map(PAGE, K_MEM_PERM_RW);
		failed += regions[i] == NULL;
	}
	ck_assert_uint_eq(failed, 0);
}

static void regions_unmap(void)
{
	for (size_t i = 0; i < region_count; i++) {
		k_mem_unmap(regions[i], PAGE);
	}
	ck_assert_uint_eq(usage_now().regions, 0);
}

static size_t regions_write(size_t count)
{
	size_t wrong = 0;

	for (size_t i = 0; i < count; i++) {
		volatile uintptr_t *word = regions[visited(i)];

		wrong += *word != 0;
		*word = (uintptr_t)word;
	}
	return wrong;
}

static size_t regions_wrong(size_t count)
{
	size_t wrong = 0;

	for (size_t i = 0; i < count; i++) {
		volatile uintptr_t *word = regions[visited(i)];

		wrong += *word != (uintptr_t)word;
	}
	return wrong;
}

static size_t scaled(size_t count)
{
	return harness_on_valgrind() || harness_on_tsan() || harness_on_asan() ? count / 100 : count;
}

__attribute__((noinline)) static void guards_check(volatile uint8_t *page)
{
	EXPECT_TRAP((void)page[-1], KMEM_FAULT_GUARD, page - 1);
	EXPECT_TRAP(page[PAGE] = 0, KMEM_FAULT_GUARD, page + PAGE);
}

START_TEST(regions_cost_no_mappings)
{
	size_t resident = scaled(RESIDENT);
	size_t before;

	if (_i == 0) {
		printf("skipped: on engine %s every page may be a mapping\n", engines[_i]);
		return;
	}
	if (!boot(_i, scaled(REGIONS), resident + 1024)) {
		return;
	}
	before = host_mappings();
	regions_map();
	ck_assert_uint_eq(regions_write(resident), 0);
	ck_assert_uint_eq(stats_now().eviction.clean + stats_now().eviction.dirty, 0);
	/* ThreadSanitizer maps something of its own for what is touched. */
	ck_assert(harness_on_tsan() || host_mappings() <= before + MAPPINGS_MAX);
	ck_assert_uint_eq(regions_wrong(resident), 0);
	/* The guards are there. */
	for (size_t i = 0; i < TRIED; i++) {
		guards_check(regions[visited(i)]);
	}
	ck_assert_uint_eq(regions_wrong(resident), 0);
	regions_unmap();
	/* ThreadSanitizer maps something of its own for what is touched. */
	ck_assert(harness_on_tsan() || host_mappings() <= before + MAPPINGS_MAX);
	finish();
}
END_TEST

/*
 * Every other page is only read: on most engines each of those is a mapping, for which the limit is too low; on all of them all have their
 * words.
 */
START_TEST(the_limit_on_mappings_costs_no_page)
{
	size_t resident = scaled(RESIDENT) * 9 / 10;
	size_t wrong = 0;

	if (!boot(_i, resident, resident + 1024)) {
		return;
	}
	regions_map();
	for (size_t i = 0; i < resident; i++) {
		volatile uintptr_t *word = regions[visited(i)];

		wrong += *word != 0;
		if (i % 2 == 0) {
			*word = (uintptr_t)word;
		}
	}
	for (size_t i = 0; i < resident; i++) {
		volatile uintptr_t *word = regions[visited(i)];

		wrong += *word != (i % 2 == 0 ? (uintptr_t)word : 0);
	}
	ck_assert_uint_eq(wrong, 0);
	ck_assert(kmem_is_valid());
	regions_unmap();
	finish();
}
END_TEST

Suite *kmem_test_suite(void)
{
	Suite *suite = suite_create("scatter");
	TCase *pages = tcase_create("pages");

	tcase_add_loop_test(pages, regions_cost_no_mappings, 0, ENGINES);
	tcase_add_loop_test(pages, the_limit_on_mappings_costs_no_page, 0, ENGINES);
	suite_add_tcase(suite, pages);
	return suite;
}
