/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's limit of mappings, on the mmap engine: the count beside what the host says, and pages in numbers that would pass the limit, a
 * small one that the engine believes in, and the host's own.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <kmem/kmem.h>

#include "harness.h"
#include "host/mappings.h"
#include "machine/mappings.h"
#include "state.h"

#define PAGE 4096UL
#define WORDS (PAGE / sizeof(uintptr_t))
#define RW K_MEM_PERM_RW

/* A limit that leaves 448 mappings to pages. */
#define LIMIT 512UL
#define HIGH (LIMIT - LIMIT / 8)

static struct harness_leaks leaks;

static void boot(size_t limit, struct kmem_config config)
{
	harness_leaks_begin(&leaks);
	kmem_host_mappings_limit_set(limit);
	config.struct_size = sizeof(config);
	config.engine = "mmap";
	unsetenv("KMEM_ENGINE"); /* whichever the test run is for */
	ck_assert_msg(kmem_boot(&config) == 0, "%s", kmem_boot_error());
	ck_assert(kmem_mappings_is_counting());
}

static void finish(void)
{
	ck_assert(kmem_is_valid());
	ck_assert(kmem_mappings_is_valid());
	ck_assert_int_eq(kmem_shutdown(), 0);
	ck_assert(!kmem_mappings_is_counting());
	kmem_host_mappings_limit_set(0);
	harness_leaks_check(&leaks);
}

/* Mappings in the VM range, as the host says. */
static size_t host_count(void)
{
	struct kmem_layout layout = layout_now();
	FILE *file = fopen("/proc/self/maps", "r");
	size_t count = 0;
	char line[512];

	ck_assert_ptr_nonnull(file);
	while (fgets(line, sizeof(line), file) != NULL) {
		uintptr_t start;

		if (sscanf(line, "%zx-", &start) == 1 && start >= layout.virt_ram_start && start < layout.virt_ram_end) {
			count++;
		}
	}
	fclose(file);
	return count;
}

static uintptr_t *map(size_t pages, uint32_t flags)
{
	uintptr_t *words = k_mem_map(pages * PAGE, flags);

	ck_assert_ptr_nonnull(words);
	return words;
}

/* Every page's first word is its own address, so that no two can be taken for each other. */
static void write_page(volatile uintptr_t *words, size_t page)
{
	words[page * WORDS] = (uintptr_t)&words[page * WORDS];
}

static void check_page(const volatile uintptr_t *words, size_t page)
{
	if (words[page * WORDS] != (uintptr_t)&words[page * WORDS]) {
		ck_abort_msg("page %zu is wrong", page);
	}
}

/* What is written to standard error goes to a file without a name meanwhile. */
static int captured;
static int standard_error;

static void capture_begin(void)
{
	fflush(NULL);
	standard_error = dup(STDERR_FILENO);
	captured = memfd_create("capture", MFD_CLOEXEC);
	ck_assert_int_ge(captured, 0);
	ck_assert_int_eq(dup2(captured, STDERR_FILENO), STDERR_FILENO);
}

static const char *capture_end(void)
{
	static char text[4096];
	ssize_t length;

	ck_assert_int_eq(dup2(standard_error, STDERR_FILENO), STDERR_FILENO);
	close(standard_error);
	length = pread(captured, text, sizeof(text) - 1, 0);
	ck_assert_int_ge(length, 0);
	text[length] = '\0';
	close(captured);
	return text;
}

/* ---- the limit ---- */

START_TEST(limit_is_the_hosts)
{
	FILE *file = fopen("/proc/sys/vm/max_map_count", "r");
	size_t limit = 0;

	if (file != NULL) {
		ck_assert_int_eq(fscanf(file, "%zu", &limit), 1);
		fclose(file);
		ck_assert_uint_eq(kmem_host_mappings_limit(), limit);
	}
	kmem_host_mappings_limit_set(100);
	errno = 5;
	ck_assert_uint_eq(kmem_host_mappings_limit(), 100);
	kmem_host_mappings_limit_set(0);
	ck_assert_uint_ne(kmem_host_mappings_limit(), 100);
	ck_assert_int_eq(errno, 5);
}
END_TEST

START_TEST(mark_leaves_an_eighth_and_relief_gives_back_a_sixteenth)
{
	struct kmem_mappings_change change = {.addr = 0x1000000, .size = PAGE};

	kmem_host_mappings_limit_set(800);
	ck_assert_int_eq(kmem_mappings_init(0x1000000, 4096 * PAGE, PAGE), 0);
	ck_assert_uint_eq(kmem_mappings_limit(), 800);
	/* Every other page: each is a cut, and so is the one behind it. */
	while (kmem_mappings_allow(&change)) {
		kmem_mappings_changed(&change);
		change.addr += 2 * PAGE;
	}
	ck_assert_uint_eq(kmem_mappings_count(), 700);
	ck_assert(kmem_mappings_is_at_mark());
	ck_assert_uint_eq(kmem_mappings_goal(16), 700 - 700 / 16);
	ck_assert_uint_eq(kmem_mappings_goal(1), 0);
	/* What leaves no more mappings than before is allowed at any time. */
	change = (struct kmem_mappings_change){.addr = 0x1000000 + PAGE, .size = PAGE};
	ck_assert(kmem_mappings_allow(&change));
	change = (struct kmem_mappings_change){.addr = 0x1000000, .size = 100 * PAGE};
	ck_assert(kmem_mappings_allow(&change));
	kmem_mappings_changed(&change);
	ck_assert_uint_eq(kmem_mappings_count(), 700 - 99);
	ck_assert_uint_eq(kmem_mappings_goal(2), 301);
	/* Where nothing can be given back, the mark goes up, and the host has the last word. */
	kmem_mappings_mark_lift();
	for (size_t i = 400; i < 500; i++) {
		change = (struct kmem_mappings_change){.addr = 0x1000000 + 2 * i * PAGE, .size = PAGE};
		ck_assert(kmem_mappings_allow(&change));
		kmem_mappings_changed(&change);
	}
	ck_assert_uint_eq(kmem_mappings_count(), 601 + 200);
	kmem_mappings_mark_set();
	ck_assert(!kmem_mappings_is_at_mark());
	ck_assert(kmem_mappings_is_valid());
	kmem_mappings_finish();
	kmem_host_mappings_limit_set(0);
}
END_TEST

START_TEST(without_counting_everything_is_allowed)
{
	struct kmem_mappings_change change = {.addr = 0x1000000, .size = PAGE};

	ck_assert(!kmem_mappings_is_counting());
	ck_assert(kmem_mappings_allow(&change));
	kmem_mappings_changed(&change);
	ck_assert_uint_eq(kmem_mappings_count(), 0);
	ck_assert(!kmem_mappings_is_at_mark());
	ck_assert(kmem_mappings_is_valid());
}
END_TEST

/* ---- the count ---- */

#define SET 300UL

/* One step of a random walk over a mapping, or two that are made and undone. */
static void step(uintptr_t *words, uint64_t *random)
{
	size_t page = harness_random(random) % SET;
	size_t pages = 1 + harness_random(random) % 20;
	uintptr_t *more;

	pages = pages < SET - page ? pages : SET - page;
	switch (harness_random(random) % 8) {
	case 0:
		ck_assert_int_eq(k_mem_page_out(&words[page * WORDS], pages * PAGE), 0);
		break;
	case 1:
		k_mem_page_in(&words[page * WORDS], pages * PAGE);
		break;
	case 2:
		ck_assert_int_eq(k_mem_update_flags(&words[page * WORDS], pages * PAGE, 0), 0);
		break;
	case 3:
		ck_assert_int_eq(k_mem_update_flags(&words[page * WORDS], pages * PAGE, RW), 0);
		break;
	case 4:
		more = map(pages, RW | K_MEM_MAP_LOCK);
		write_page(more, pages - 1);
		k_mem_unmap(more, pages * PAGE);
		break;
	default:
		while (pages-- > 0) {
			(void)*(volatile uintptr_t *)&words[(page + pages) * WORDS];
		}
		break;
	}
}

START_TEST(count_is_what_the_host_says)
{
	uint64_t random = harness_seed() + (uint64_t)_i;
	uintptr_t *words;

	boot(0, (struct kmem_config){.ram_size = 128 * PAGE, .policy = _i == 0 ? "clock" : "nru"});
	ck_assert_uint_eq(kmem_mappings_count(), host_count());
	words = map(SET, RW);
	for (int i = 0; i < 2000; i++) {
		step(words, &random);
		ck_assert_uint_ge(kmem_mappings_count(), host_count());
		/* What is not known to join counts as cut, until the next call at that place. */
		ck_assert_uint_le(kmem_mappings_count(), host_count() + 16);
	}
	k_mem_unmap(words, SET * PAGE);
	ck_assert_uint_eq(kmem_mappings_count(), host_count());
	finish();
}
END_TEST

/* ---- more than there can be ---- */

/* Pages with a page between them that nobody touches take two mappings each. */
#define SPARSE 400UL

START_TEST(sparse_pages_beyond_the_limit_stay_resident)
{
	struct kmem_stats stats;
	const char *text;
	uintptr_t *words;

	boot(LIMIT, (struct kmem_config){.ram_size = 2 * SPARSE * PAGE});
	words = map(2 * SPARSE, RW);
	capture_begin();
	for (size_t i = 0; i < SPARSE; i++) {
		write_page(words, 2 * i);
		ck_assert_uint_le(kmem_mappings_count(), HIGH);
	}
	for (size_t round = 0; round < 3; round++) {
		for (size_t i = 0; i < SPARSE; i++) {
			check_page(words, 2 * (i * 37 % SPARSE));
		}
	}
	text = capture_end();
	stats = stats_now();
	ck_assert_uint_eq(stats.pagefaults.cnt, SPARSE);
	ck_assert_uint_eq(stats.eviction.clean + stats.eviction.dirty, 0);
	ck_assert_uint_gt(stats.reliefs, 1);
	ck_assert_uint_le(host_count(), HIGH);
	/* Told once, with the limit and what to do. */
	ck_assert_msg(strstr(text, "of the 512 mappings") != NULL && strstr(text, "Raise vm.max_map_count") != NULL, "%s", text);
	ck_assert_ptr_eq(strchr(text, '\n'), strrchr(text, '\n'));
	k_mem_unmap(words, 2 * SPARSE * PAGE);
	finish();
}
END_TEST

START_TEST(dense_pages_need_no_relief_in_whatever_order)
{
	uintptr_t *words;

	boot(LIMIT, (struct kmem_config){.ram_size = 2 * SPARSE * PAGE});
	words = map(SPARSE, RW);
	for (size_t round = 0; round < 2; round++) {
		for (size_t i = 0; i < SPARSE; i++) {
			write_page(words, i * 37 % SPARSE);
		}
	}
	ck_assert_uint_eq(stats_now().reliefs, 0);
	/* A mapping for a chunk's frames at most, and some for what lies around. */
	ck_assert_uint_le(host_count(), SPARSE / 16 + 8);
	k_mem_unmap(words, SPARSE * PAGE);
	finish();
}
END_TEST

/* A set a quarter larger than the mappings there are: some accesses must trap, but it is not as if all had been concealed. */
START_TEST(working_set_above_the_limit_does_not_thrash)
{
	const size_t high = 8 * HIGH;
	const size_t set = high / 2 + high / 8;
	const size_t accesses = 20000;
	uint64_t random = harness_seed();
	struct kmem_stats before;
	uintptr_t *words;
	size_t minor;

	boot(8 * LIMIT, (struct kmem_config){.ram_size = 2 * set * PAGE});
	words = map(2 * set, RW);
	for (size_t i = 0; i < set; i++) {
		write_page(words, 2 * i);
	}
	before = stats_now();
	for (size_t i = 0; i < accesses; i++) {
		check_page(words, 2 * (harness_random(&random) % set));
	}
	minor = stats_now().minor_faults - before.minor_faults;
	ck_assert_uint_eq(stats_now().pagefaults.cnt, before.pagefaults.cnt);
	/* A fifth of the set has no mapping at any time; with all concealed each time a quarter more would trap. */
	ck_assert_msg(minor < accesses * 3 / 10, "%zu of %zu", minor, accesses);
	ck_assert_uint_gt(minor, accesses / 10);
	k_mem_unmap(words, 2 * set * PAGE);
	finish();
}
END_TEST

/* The hand goes round: a page that is touched all the time is not concealed by every relief, though it is the first of all. */
START_TEST(every_page_has_its_turn)
{
	const size_t high = 8 * HIGH;
	const size_t set = high / 2 + high / 8;
	size_t first_faults = 0;
	struct kmem_stats before;
	uintptr_t *words;

	boot(8 * LIMIT, (struct kmem_config){.ram_size = 2 * set * PAGE});
	words = map(2 * set, RW);
	before = stats_now();
	for (size_t i = 0; i < 8 * set; i++) {
		struct kmem_stats stats;

		write_page(words, 2 * (i * 37 % set));
		stats = stats_now();
		write_page(words, 0);
		first_faults += stats_now().minor_faults - stats.minor_faults;
	}
	ck_assert_uint_gt(stats_now().reliefs - before.reliefs, 20);
	ck_assert_uint_lt(first_faults, (stats_now().reliefs - before.reliefs) / 4);
	k_mem_unmap(words, 2 * set * PAGE);
	finish();
}
END_TEST

/* One call that needs more than the mark allows, for pages that may not trap: every other frame is free. */
START_TEST(scattered_pages_are_locked_beyond_the_mark)
{
	const size_t frames = 3 * SPARSE;
	const size_t locked_pages = frames / 2 - 8;
	uintptr_t *others;
	uintptr_t *locked;
	size_t minor;

	boot(LIMIT, (struct kmem_config){.ram_size = frames * PAGE});
	others = map(frames - 1, RW);
	for (size_t i = 0; i < frames - 1; i++) {
		write_page(others, i);
	}
	for (size_t i = 0; i < frames - 1; i += 2) {
		ck_assert_int_eq(k_mem_page_out(&others[i * WORDS], PAGE), 0);
	}
	locked = map(locked_pages, RW | K_MEM_MAP_LOCK);
	ck_assert_uint_gt(kmem_mappings_count(), HIGH + HIGH / 4);
	minor = stats_now().minor_faults;
	for (size_t i = 0; i < locked_pages; i++) {
		write_page(locked, i);
	}
	ck_assert_uint_eq(stats_now().minor_faults, minor);
	k_mem_unmap(locked, locked_pages * PAGE);
	for (size_t i = 0; i < frames - 1; i++) {
		check_page(others, i);
	}
	k_mem_unmap(others, (frames - 1) * PAGE);
	finish();
}
END_TEST

START_TEST(pinned_pages_pass_the_mark_and_the_host_decides)
{
	uintptr_t *words;

	boot(LIMIT, (struct kmem_config){.ram_size = 2 * SPARSE * PAGE});
	words = map(2 * SPARSE, RW);
	for (size_t i = 0; i < SPARSE; i++) {
		k_mem_pin(&words[2 * i * WORDS], PAGE);
	}
	ck_assert_uint_gt(kmem_mappings_count(), LIMIT);
	for (size_t i = 0; i < SPARSE; i++) {
		size_t minor = stats_now().minor_faults;

		write_page(words, 2 * i);
		ck_assert_uint_eq(stats_now().minor_faults, minor);
	}
	/* Others have no place left but what the host gives, and go on. */
	for (size_t i = 0; i < SPARSE; i++) {
		write_page(words, 2 * i + 1);
	}
	for (size_t i = 0; i < 2 * SPARSE; i++) {
		check_page(words, i);
	}
	for (size_t i = 0; i < SPARSE; i++) {
		k_mem_unpin(&words[2 * i * WORDS], PAGE);
	}
	k_mem_unmap(words, 2 * SPARSE * PAGE);
	finish();
}
END_TEST

START_TEST(many_small_regions_pass_the_limit)
{
	static uintptr_t *regions[SPARSE];

	boot(LIMIT, (struct kmem_config){.ram_size = 2 * SPARSE * PAGE, .demand_mapping = KMEM_SWITCH_OFF});
	for (size_t i = 0; i < SPARSE; i++) {
		regions[i] = map(1, RW);
		write_page(regions[i], 0);
	}
	ck_assert_uint_gt(stats_now().reliefs, 0);
	for (size_t i = 0; i < SPARSE; i++) {
		check_page(regions[i], 0);
		k_mem_unmap(regions[i], PAGE);
	}
	ck_assert_uint_eq(kmem_mappings_count(), host_count());
	finish();
}
END_TEST

/* ---- the host's own limit ---- */

/* More than that cannot be filled in the time of a test. */
#define LIMIT_MAX 200000UL

/* Mappings of the program's own: every other page of a range has another permission. */
static uint8_t *own_mappings(size_t count)
{
	uint8_t *own = mmap(NULL, count * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	ck_assert_ptr_ne(own, MAP_FAILED);
	for (size_t i = 0; i < count; i += 2) {
		ck_assert_int_eq(mprotect(own + i * PAGE, PAGE, PROT_READ), 0);
	}
	return own;
}

/* Twice: with a program that needs few mappings, and with one that has far more than are left to it. */
START_TEST(sparse_pages_beyond_the_hosts_limit_stay_resident)
{
	size_t limit = kmem_host_mappings_limit();
	size_t pages = limit * 3 / 5;
	size_t own_count = _i == 0 ? 0 : limit / 3;
	uint8_t *own = NULL;
	struct kmem_stats stats;
	uintptr_t *words;

	if (limit > LIMIT_MAX) {
		return;
	}
	boot(0, (struct kmem_config){.ram_size = (pages + 16) * PAGE});
	words = map(2 * pages, RW);
	if (own_count != 0) {
		own = own_mappings(own_count);
	}
	for (size_t i = 0; i < pages; i++) {
		write_page(words, 2 * (i * 40009 % pages));
	}
	for (size_t i = 0; i < pages; i++) {
		check_page(words, 2 * (i * 40009 % pages));
	}
	stats = stats_now();
	ck_assert_uint_eq(stats.pagefaults.cnt, pages);
	ck_assert_uint_gt(stats.reliefs, 0);
	if (own != NULL) {
		ck_assert_int_eq(munmap(own, own_count * PAGE), 0);
	}
	k_mem_unmap(words, 2 * pages * PAGE);
	finish();
}
END_TEST

Suite *kmem_test_suite(void)
{
	Suite *suite = suite_create("mappings");
	TCase *count = tcase_create("count");
	TCase *small = tcase_create("small limit");
	TCase *host = tcase_create("the host's limit");

	tcase_add_test(count, limit_is_the_hosts);
	tcase_add_test(count, mark_leaves_an_eighth_and_relief_gives_back_a_sixteenth);
	tcase_add_test(count, without_counting_everything_is_allowed);
	/* A memory checker has mappings of its own in the range, or cuts others. */
	if (!harness_on_valgrind() && !harness_on_asan() && !harness_on_tsan()) {
		tcase_add_loop_test(count, count_is_what_the_host_says, 0, 2);
	}
	suite_add_tcase(suite, count);

	tcase_set_timeout(small, 60);
	tcase_add_test(small, sparse_pages_beyond_the_limit_stay_resident);
	tcase_add_test(small, dense_pages_need_no_relief_in_whatever_order);
	tcase_add_test(small, working_set_above_the_limit_does_not_thrash);
	tcase_add_test(small, every_page_has_its_turn);
	tcase_add_test(small, scattered_pages_are_locked_beyond_the_mark);
	tcase_add_test(small, pinned_pages_pass_the_mark_and_the_host_decides);
	tcase_add_test(small, many_small_regions_pass_the_limit);
	suite_add_tcase(suite, small);

	tcase_set_timeout(host, 120);
	if (!harness_on_valgrind() && !harness_on_asan() && !harness_on_tsan()) {
		tcase_add_loop_test(host, sparse_pages_beyond_the_hosts_limit_stay_resident, 0, 2);
	}
	suite_add_tcase(suite, host);
	return suite;
}
