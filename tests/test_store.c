/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The backing stores: one suite of what the contract asks, run over each of them, the file store's cache and its file,
 * and the wrappers through which the kernel calls a store. The test plays the core: it owns the frames and keeps to the
 * order of calls of lib/kernel/paging.c and paging_out.c.
 */
#include "kernel/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <kmem/kmem.h>

#include "harness.h"
#include "host/assert.h"
#include "host/failpoint.h"
#include "host/limit.h"
#include "host/memory.h"
#include "host/thread.h"

#define FRAMES 8U
#define PAGES_MAX 32U
#define VA 0x400000000UL

/* The stores of the conformance suite: loop tests count through them. */
static const struct kmem_store_ops *const stores[] = {&kmem_store_ram, &kmem_store_file};

#define STORES ((int)(sizeof(stores) / sizeof(stores[0])))

static struct harness_leaks leaks;
static struct k_mem_page_frame frames[FRAMES];
static struct kmem_store store;
static size_t page_size;
static unsigned char *bytes; /* one page to read into or write from */
static char directory[64];
static char path[96];

static void setup(void)
{
	snprintf(directory, sizeof(directory), "/tmp/test_store.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/swap", directory);
	setenv("TMPDIR", directory, 1);
	page_size = kmem_host_page_size();
	bytes = aligned_alloc(64, 16 * page_size);
	ck_assert_ptr_nonnull(bytes);
	memset(frames, 0, sizeof(frames));
	memset(&store, 0, sizeof(store));
	harness_leaks_begin(&leaks);
}

static void teardown(void)
{
	(void)kmem_failpoint_arm(0, 0, false);
	kmem_store_finish(&store);
	harness_leaks_check(&leaks);
	free(bytes);
	unsetenv("TMPDIR");
	ck_assert_int_eq(rmdir(directory), 0); /* so it is empty */
}

/* ---- the core, as far as stores see it ---- */

static int try_start(const struct kmem_store_ops *ops, size_t capacity, const char *at)
{
	struct kmem_store_params params = {
		.frames = {.first = frames, .count = FRAMES, .page_size = page_size},
		.path = at,
		.capacity_pages = capacity,
	};

	return kmem_store_init(&store, ops, &params);
}

static void start(const struct kmem_store_ops *ops, size_t capacity)
{
	ck_assert_int_eq(try_start(ops, capacity, NULL), 0);
}

/* A frame that holds a page. */
static struct k_mem_page_frame *hold(size_t frame)
{
	frames[frame].va_and_flags = (VA + frame * page_size) | K_MEM_PAGE_FRAME_MAPPED;
	return &frames[frame];
}

static int get(size_t frame, bool is_fault, uintptr_t *location)
{
	return kmem_store_location_get(&store, &frames[frame], location, is_fault);
}

static uintptr_t must_get(size_t frame, bool is_fault)
{
	uintptr_t location;

	ck_assert_int_eq(get(frame, is_fault, &location), 0);
	return location;
}

static void fill(unsigned char *page, uint64_t value)
{
	for (size_t i = 0; i < page_size; i += sizeof(value)) {
		uint64_t word = (value + 1) * 0x9e3779b97f4a7c15U + i;

		memcpy(page + i, &word, sizeof(word));
	}
}

static bool is_filled(const unsigned char *page, uint64_t value)
{
	for (size_t i = 0; i < page_size; i += sizeof(value)) {
		uint64_t word = (value + 1) * 0x9e3779b97f4a7c15U + i;

		if (memcmp(page + i, &word, sizeof(word)) != 0) {
			return false;
		}
	}
	return true;
}

static void write_page(uintptr_t location, uint64_t value)
{
	fill(bytes, value);
	ck_assert_int_eq(kmem_store_page_out(&store, location, bytes), 0);
}

static void expect_page(uintptr_t location, uint64_t value)
{
	memset(bytes, 0xa5, page_size);
	ck_assert_int_eq(kmem_store_page_in(&store, location, bytes), 0);
	ck_assert(is_filled(bytes, value));
}

/* A page of that content goes out of the frame. */
static uintptr_t evict(size_t frame, uint64_t value, bool is_fault)
{
	uintptr_t location;

	hold(frame);
	location = must_get(frame, is_fault);
	write_page(location, value);
	frames[frame].va_and_flags = 0;
	return location;
}

/* A page comes in to the frame. */
static void fetch(size_t frame, uintptr_t location, uint64_t value)
{
	frames[frame].va_and_flags = K_MEM_PAGE_FRAME_BUSY;
	expect_page(location, value);
	hold(frame);
	k_mem_page_frame_set(&frames[frame], K_MEM_PAGE_FRAME_BUSY);
	kmem_store_page_finalize(&store, &frames[frame], location);
	k_mem_page_frame_clear(&frames[frame], K_MEM_PAGE_FRAME_BUSY);
}

static bool is_backed(size_t frame)
{
	return k_mem_page_frame_is_backed(&frames[frame]);
}

static void expect_usage(size_t used, size_t cached)
{
	struct kmem_store_usage usage;

	kmem_store_usage_get(&store, &usage);
	ck_assert_uint_eq(usage.capacity_pages, store.capacity_pages);
	ck_assert_uint_eq(usage.used_pages, used);
	ck_assert_uint_eq(usage.cached_pages, cached);
}

/* ---- conformance ---- */

static const size_t capacities[] = {1, 2, 7, 32};

#define CAPACITIES ((int)(sizeof(capacities) / sizeof(capacities[0])))

START_TEST(capacity_is_exact_and_the_last_location_is_for_faults)
{
	size_t capacity = capacities[_i % CAPACITIES];
	uintptr_t location;

	start(stores[_i / CAPACITIES], capacity);
	hold(0);
	for (size_t i = 0; i + 1 < capacity; i++) {
		(void)must_get(0, false);
	}
	ck_assert_int_eq(get(0, false, &location), -ENOMEM);
	expect_usage(capacity - 1, 0);
	(void)must_get(0, true);
	ck_assert_int_eq(get(0, true, &location), -ENOMEM);
	ck_assert_int_eq(get(0, false, &location), -ENOMEM);
	expect_usage(capacity, 0);
}
END_TEST

START_TEST(locations_are_aligned_and_unique)
{
	uintptr_t locations[PAGES_MAX];

	start(stores[_i], PAGES_MAX);
	hold(0);
	for (size_t i = 0; i < PAGES_MAX; i++) {
		locations[i] = must_get(0, true);
		ck_assert_uint_eq(locations[i] % page_size, 0);
		ck_assert_uint_lt(locations[i], (uintptr_t)1 << 48);
		for (size_t j = 0; j < i; j++) {
			ck_assert_uint_ne(locations[i], locations[j]);
		}
	}
}
END_TEST

START_TEST(contents_are_kept)
{
	uintptr_t locations[PAGES_MAX];

	page_size *= _i / STORES == 0 ? 1 : 16;
	start(stores[_i % STORES], PAGES_MAX);
	for (size_t i = 0; i < PAGES_MAX; i++) {
		locations[i] = evict(i % FRAMES, i, true);
	}
	for (size_t i = 0; i < PAGES_MAX; i += 3) {
		write_page(locations[i], 100 + i);
	}
	for (size_t i = PAGES_MAX; i-- > 0;) {
		expect_page(locations[i], i % 3 == 0 ? 100 + i : i);
	}
}
END_TEST

START_TEST(pages_come_in_out_of_order_of_writing)
{
	uintptr_t last;
	uintptr_t first;

	start(stores[_i], 4);
	hold(0);
	first = must_get(0, true);
	last = must_get(0, true);
	write_page(last, 2);
	expect_page(last, 2);
	write_page(first, 1);
	expect_page(first, 1);
	expect_page(last, 2);
}
END_TEST

START_TEST(freed_location_is_given_again)
{
	uintptr_t locations[4];

	start(stores[_i], 4);
	for (size_t i = 0; i < 4; i++) {
		locations[i] = evict(i, i, true);
	}
	kmem_store_location_free(&store, locations[2]);
	kmem_store_location_free(&store, locations[1]);
	expect_usage(2, 0);
	ck_assert_uint_eq(evict(4, 4, false), locations[1]);
	ck_assert_uint_eq(evict(4, 5, true), locations[2]);
	expect_page(locations[0], 0);
	expect_page(locations[1], 4);
	expect_page(locations[2], 5);
	expect_page(locations[3], 3);
}
END_TEST

/* Either the frame is BACKED and the location still its own, or the location is free. */
START_TEST(finalize_keeps_the_copy_or_frees_it)
{
	uintptr_t location;

	start(stores[_i], 4);
	location = evict(0, 7, false);
	fetch(1, location, 7);
	if (!is_backed(1)) {
		expect_usage(0, 0);
		return;
	}
	expect_usage(1, 1);
	ck_assert_uint_eq(must_get(1, true), location);
	ck_assert_uint_eq(must_get(1, false), location);
	expect_page(location, 7);
	expect_usage(1, 1);
}
END_TEST

START_TEST(pages_that_came_in_leave_all_locations_to_others)
{
	uintptr_t locations[4];

	start(stores[_i], 4);
	for (size_t round = 0; round < 3; round++) {
		for (size_t i = 0; i < 4; i++) {
			locations[i] = evict(4 + i, 10 * round + i, true);
		}
		for (size_t i = 0; i < 4; i++) {
			fetch(i, locations[i], 10 * round + i);
		}
	}
	for (size_t i = 0; i < 3; i++) {
		(void)evict(4 + i, i, false);
	}
	hold(7);
	ck_assert_int_eq(get(7, false, &locations[0]), -ENOMEM);
	(void)evict(7, 3, true);
	expect_usage(4, 0);
}
END_TEST

START_TEST(anonymous_locations_are_ignored)
{
	static const uintptr_t anonymous[] = {KMEM_LOCATION_ANON_ZERO, KMEM_LOCATION_ANON_UNINIT};

	start(stores[_i], 4);
	(void)evict(0, 0, false);
	for (size_t i = 0; i < 2; i++) {
		k_mem_page_frame_set(hold(1), K_MEM_PAGE_FRAME_BACKED);
		kmem_store_page_finalize(&store, &frames[1], anonymous[i]);
		ck_assert_uint_eq(frames[1].va_and_flags, (VA + page_size) | K_MEM_PAGE_FRAME_MAPPED);
		expect_usage(1, 0);
	}
}
END_TEST

START_TEST(capacity_must_fit_into_locations)
{
	ck_assert_int_eq(try_start(stores[_i], 0, NULL), -EINVAL);
	ck_assert_int_eq(try_start(stores[_i], ((uintptr_t)1 << 48) / page_size, NULL), -EINVAL);
	ck_assert_int_eq(try_start(stores[_i], SIZE_MAX, NULL), -EINVAL);
	ck_assert_ptr_null(store.ops);
}
END_TEST

START_TEST(failed_init_leaves_nothing)
{
	unsigned long n = 1;

	for (;; n++) {
		int ret;

		(void)kmem_failpoint_arm(n, ENFILE, true);
		ret = try_start(stores[_i], 4, NULL);
		(void)kmem_failpoint_arm(0, 0, false);
		if (ret == 0) {
			break;
		}
		ck_assert_int_eq(ret, -ENFILE);
		ck_assert_ptr_null(store.ops);
		harness_leaks_check(&leaks);
		harness_leaks_begin(&leaks);
	}
	ck_assert_uint_ge(n, 3);
}
END_TEST

/* Memory and disk are taken as pages go out, not before. */
START_TEST(large_store_costs_what_is_used)
{
	struct kmem_store_usage usage;

	start(stores[_i], (size_t)1 << 20);
	kmem_store_usage_get(&store, &usage);
	ck_assert_uint_eq(usage.host_bytes, 0);
	(void)evict(0, 1, false);
	kmem_store_usage_get(&store, &usage);
	ck_assert_uint_gt(usage.host_bytes, 0);
	ck_assert_uint_le(usage.host_bytes, 64 * page_size);
}
END_TEST

struct writer {
	pthread_t thread;
	uintptr_t location;
	uint64_t value;
	bool is_right;
};

static void *write_and_read(void *arg)
{
	struct writer *writer = arg;
	unsigned char *page = malloc(page_size);

	writer->is_right = true;
	for (uint64_t i = 0; i < 200; i++) {
		fill(page, writer->value + i);
		writer->is_right &= kmem_store_page_out(&store, writer->location, page) == 0;
		memset(page, 0, page_size);
		writer->is_right &= kmem_store_page_in(&store, writer->location, page) == 0;
		writer->is_right &= is_filled(page, writer->value + i);
	}
	free(page);
	return NULL;
}

START_TEST(threads_read_and_write_at_once)
{
	struct writer writers[4];

	start(stores[_i], 4);
	ck_assert(!kmem_store_is_serialised(&store));
	hold(0);
	for (size_t i = 0; i < 4; i++) {
		writers[i].location = must_get(0, true);
		writers[i].value = 1000 * i;
	}
	for (size_t i = 0; i < 4; i++) {
		ck_assert_int_eq(pthread_create(&writers[i].thread, NULL, write_and_read, &writers[i]), 0);
	}
	for (size_t i = 0; i < 4; i++) {
		pthread_join(writers[i].thread, NULL);
		ck_assert(writers[i].is_right);
	}
}
END_TEST

/* What the child does with its copy; its exit status. */
static int child_of_fork(uintptr_t location)
{
	kmem_store_fork_child(&store);
	if (kmem_store_page_in(&store, location, bytes) != 0 || !is_filled(bytes, 1)) {
		return 1;
	}
	fill(bytes, 2);
	if (kmem_store_page_out(&store, location, bytes) != 0) {
		return 2;
	}
	if (kmem_store_page_in(&store, location, bytes) != 0 || !is_filled(bytes, 2)) {
		return 3;
	}
	if (must_get(3, true) == location) {
		return 4;
	}
	kmem_store_finish(&store);
	return 0;
}

static void fork_and_check(uintptr_t location)
{
	int status;
	pid_t child;

	ck_assert_int_eq(kmem_store_fork_prepare(&store), 0);
	child = fork();
	if (child == 0) {
		_exit(child_of_fork(location));
	}
	ck_assert_int_gt(child, 0);
	kmem_store_fork_parent(&store);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	expect_page(location, 1);
}

START_TEST(child_of_fork_has_a_copy)
{
	uintptr_t location;

	start(stores[_i], 8);
	hold(3);
	location = evict(0, 1, false);
	fork_and_check(location);
	fork_and_check(location);
}
END_TEST

START_TEST(location_freed_twice_aborts)
{
	uintptr_t location;

	start(stores[_i], 4);
	location = evict(0, 0, false);
	kmem_store_location_free(&store, location);
	kmem_store_location_free(&store, location);
}
END_TEST

START_TEST(location_never_given_aborts)
{
	start(stores[_i], 4);
	kmem_store_location_free(&store, page_size);
}
END_TEST

START_TEST(ram_store_knows_no_backed_frames)
{
	start(&kmem_store_ram, 4);
	k_mem_page_frame_set(hold(0), K_MEM_PAGE_FRAME_BACKED);
	(void)must_get(0, true);
}
END_TEST

/* ---- the file store's cache ---- */

static const size_t cache_capacity = 3;

/* A full store: capacity pages went out of the last frames, the first `cached` of them came in to the first frames. */
static void start_full(uintptr_t *locations, size_t cached)
{
	start(&kmem_store_file, cache_capacity);
	for (size_t i = 0; i < cache_capacity; i++) {
		locations[i] = evict(7, i, true);
	}
	for (size_t i = 0; i < cached; i++) {
		fetch(i, locations[i], i);
		ck_assert(is_backed(i));
	}
}

START_TEST(backed_page_goes_out_without_a_write)
{
	uintptr_t locations[3];

	start_full(locations, 2);
	ck_assert_uint_eq(must_get(1, true), locations[1]);
	frames[1].va_and_flags = 0;
	expect_usage(3, 1);
	fetch(4, locations[1], 1);
	ck_assert(is_backed(4));
	expect_usage(3, 2);
}
END_TEST

START_TEST(slot_is_stolen_from_a_backed_frame)
{
	uintptr_t locations[3];

	start_full(locations, 1);
	ck_assert_uint_eq(evict(5, 50, true), locations[0]);
	ck_assert(!is_backed(0));
	ck_assert(k_mem_page_frame_is_mapped(&frames[0]));
	expect_usage(3, 0);
	expect_page(locations[0], 50);
	expect_page(locations[1], 1);
	expect_page(locations[2], 2);
	ck_assert_int_eq(get(0, true, &locations[0]), -ENOMEM);
}
END_TEST

START_TEST(free_slots_are_used_before_any_is_stolen)
{
	uintptr_t location;

	start(&kmem_store_file, 2);
	location = evict(7, 1, true);
	fetch(0, location, 1);
	ck_assert_uint_ne(evict(5, 50, true), location);
	ck_assert(is_backed(0));
	ck_assert_uint_eq(evict(6, 60, true), location);
	ck_assert(!is_backed(0));
}
END_TEST

START_TEST(last_slot_that_could_be_stolen_is_for_faults)
{
	uintptr_t locations[3];
	uintptr_t location;

	start_full(locations, 2);
	(void)evict(5, 50, false);
	expect_usage(3, 1);
	hold(6);
	ck_assert_int_eq(get(6, false, &location), -ENOMEM);
	expect_usage(3, 1);
	(void)evict(6, 60, true);
	expect_usage(3, 0);
}
END_TEST

/* If a page could take its own copy's slot out without a fault's need, nothing would be left for the next fault. */
START_TEST(own_copy_is_refused_if_it_is_the_last)
{
	uintptr_t locations[3];
	uintptr_t location;

	start_full(locations, 1);
	ck_assert_int_eq(get(0, false, &location), -ENOMEM);
	ck_assert(is_backed(0));
	ck_assert_uint_eq(must_get(0, true), locations[0]);
	fetch(1, locations[1], 1);
	ck_assert_uint_eq(must_get(0, false), locations[0]);
}
END_TEST

START_TEST(unmapped_backed_page_gives_its_slot_back)
{
	uintptr_t locations[3];

	start_full(locations, 2);
	kmem_store_location_free(&store, must_get(1, true));
	ck_assert(!is_backed(1));
	frames[1].va_and_flags = 0;
	expect_usage(2, 1);
	ck_assert_uint_eq(evict(5, 50, true), locations[1]);
	ck_assert(is_backed(0));
}
END_TEST

START_TEST(frame_in_transit_is_not_stolen_from)
{
	uintptr_t locations[3];
	uintptr_t location;

	start_full(locations, 1);
	k_mem_page_frame_set(&frames[0], K_MEM_PAGE_FRAME_BUSY);
	hold(5);
	ck_assert_int_eq(get(5, true, &location), -ENOMEM);
	ck_assert(is_backed(0));
	k_mem_page_frame_clear(&frames[0], K_MEM_PAGE_FRAME_BUSY);
	ck_assert_uint_eq(must_get(5, true), locations[0]);
}
END_TEST

/* The core clears BACKED while the page goes out, and sets it again if the write fails. */
START_TEST(page_on_its_way_out_keeps_its_slot)
{
	uintptr_t locations[3];
	uintptr_t location;

	start_full(locations, 1);
	ck_assert_uint_eq(must_get(0, true), locations[0]);
	k_mem_page_frame_clear(&frames[0], K_MEM_PAGE_FRAME_BACKED);
	k_mem_page_frame_set(&frames[0], K_MEM_PAGE_FRAME_BUSY);
	hold(5);
	ck_assert_int_eq(get(5, true, &location), -ENOMEM);
	k_mem_page_frame_clear(&frames[0], K_MEM_PAGE_FRAME_BUSY);
	k_mem_page_frame_set(&frames[0], K_MEM_PAGE_FRAME_BACKED);
	ck_assert_uint_eq(must_get(0, true), locations[0]);
	ck_assert_uint_eq(must_get(5, true), locations[0]);
	ck_assert(!is_backed(0));
}
END_TEST

START_TEST(free_frames_bits_mean_nothing)
{
	uintptr_t locations[3];
	uintptr_t location;

	start_full(locations, 1);
	(void)must_get(0, true);
	frames[0].va_and_flags = K_MEM_PAGE_FRAME_FREE | K_MEM_PAGE_FRAME_BACKED;
	expect_usage(3, 0);
	hold(5);
	ck_assert_int_eq(get(5, true, &location), -ENOMEM);
	kmem_store_location_free(&store, locations[0]);
	ck_assert_uint_eq(frames[0].va_and_flags, K_MEM_PAGE_FRAME_FREE | K_MEM_PAGE_FRAME_BACKED);
}
END_TEST

START_TEST(stealing_goes_round)
{
	uintptr_t locations[3];

	start_full(locations, 3);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_uint_eq(evict(5, 50 + i, true), locations[i]);
		ck_assert(!is_backed(i));
		fetch(4, locations[i], 50 + i);
		(void)must_get(4, true);
		frames[4].va_and_flags = 0;
	}
}
END_TEST

/* ---- vectors ---- */

/* More than the host moves in one call, and than the file store asks it to. */
#define VECTOR_MAX (IOV_MAX + 1)

static const size_t lengths[] = {1, 2, 16, VECTOR_MAX};

#define LENGTHS ((int)(sizeof(lengths) / sizeof(lengths[0])))

/* Pages in memory, and the vector that moves them. */
static struct {
	unsigned char *pages;
	struct kmem_store_io io[VECTOR_MAX];
	struct k_mem_page_frame *pfs[VECTOR_MAX];
	uintptr_t locations[VECTOR_MAX];
} vector;

static void vector_setup(void)
{
	setup();
	vector.pages = aligned_alloc(64, VECTOR_MAX * page_size);
	ck_assert_ptr_nonnull(vector.pages);
	for (size_t i = 0; i < VECTOR_MAX; i++) {
		vector.pfs[i] = hold(0);
	}
}

static void vector_teardown(void)
{
	free(vector.pages);
	teardown();
}

/* Which page of memory an element is: neighbours in memory as in the vector, or never. */
static unsigned char *vector_page(size_t i, bool is_scattered)
{
	return vector.pages + (is_scattered ? VECTOR_MAX - 1 - i : i) * page_size;
}

/* A vector over the locations given, of pages that hold i. */
static void vector_fill(size_t count, bool is_scattered)
{
	for (size_t i = 0; i < count; i++) {
		vector.io[i].location = vector.locations[i];
		vector.io[i].page = vector_page(i, is_scattered);
		fill(vector.io[i].page, i);
	}
}

static size_t get_several(size_t count, bool is_fault, int *error)
{
	return kmem_store_locations_get(&store, vector.pfs, count, vector.locations, is_fault, error);
}

static void must_get_several(size_t count)
{
	int error;

	ck_assert_uint_eq(get_several(count, false, &error), count);
	ck_assert_int_eq(error, 0);
}

static void expect_out(const struct kmem_store_io *io, size_t count, size_t done, int error)
{
	int ret;

	ck_assert_uint_eq(kmem_store_pages_out(&store, io, count, &ret), done);
	ck_assert_int_eq(ret, error);
}

static void expect_in(const struct kmem_store_io *io, size_t count, size_t done, int error)
{
	int ret;

	ck_assert_uint_eq(kmem_store_pages_in(&store, io, count, &ret), done);
	ck_assert_int_eq(ret, error);
}

/* The order of locations in a vector. */
static void reorder(size_t count, int order)
{
	for (size_t i = 0; order != 0 && i < count; i++) {
		/* 1: backwards; 2: pairs of neighbours, backwards */
		size_t other = order == 1 ? count - 1 - i : (count - 1 - i) ^ 1;

		if (i < other && other < count) {
			uintptr_t location = vector.locations[i];

			vector.locations[i] = vector.locations[other];
			vector.locations[other] = location;
		}
	}
}

#define ORDERS 3

START_TEST(vectors_keep_contents)
{
	size_t count = lengths[_i / STORES % LENGTHS];
	int order = _i / STORES / LENGTHS % ORDERS;
	bool is_scattered = _i / STORES / LENGTHS / ORDERS != 0;

	start(stores[_i % STORES], VECTOR_MAX + 1);
	must_get_several(count);
	reorder(count, order);
	vector_fill(count, is_scattered);
	expect_out(vector.io, count, count, 0);
	for (size_t i = 0; i < count; i++) {
		expect_page(vector.locations[i], i);
		memset(vector.io[i].page, 0xa5, page_size);
	}
	expect_in(vector.io, count, count, 0);
	for (size_t i = 0; i < count; i++) {
		ck_assert(is_filled(vector.io[i].page, i));
	}
	expect_usage(count, 0);
}
END_TEST

START_TEST(vector_leaves_the_last_location_to_faults)
{
	size_t capacity = capacities[_i % CAPACITIES];
	bool is_fault = _i / CAPACITIES % 2 != 0;
	size_t due = is_fault && capacity == 1 ? 1 : capacity - 1;
	uintptr_t location;
	int error;

	start(stores[_i / CAPACITIES / 2], capacity);
	ck_assert_uint_eq(get_several(capacity + 1, is_fault, &error), due);
	ck_assert_int_eq(error, -ENOMEM);
	for (size_t i = 0; i < due; i++) {
		for (size_t j = 0; j < i; j++) {
			ck_assert_uint_ne(vector.locations[i], vector.locations[j]);
		}
	}
	ck_assert_uint_eq(get_several(2, false, &error), 0);
	ck_assert_int_eq(error, -ENOMEM);
	ck_assert_int_eq(get(0, false, &location), -ENOMEM);
	expect_usage(due, 0);
	ck_assert_uint_eq(get_several(2, true, &error), capacity - due);
	ck_assert_int_eq(error, -ENOMEM);
	expect_usage(capacity, 0);
}
END_TEST

START_TEST(empty_vector_is_done)
{
	int error = -1;

	start(stores[_i], 2);
	ck_assert_uint_eq(get_several(0, false, &error), 0);
	ck_assert_int_eq(error, 0);
	expect_out(vector.io, 0, 0, 0);
	expect_in(vector.io, 0, 0, 0);
	expect_usage(0, 0);
}
END_TEST

struct vector_writer {
	pthread_t thread;
	struct kmem_store_io io[4];
	uint64_t value;
	bool is_right;
};

static void *vectors_write_and_read(void *arg)
{
	struct vector_writer *writer = arg;
	int error;

	writer->is_right = true;
	for (uint64_t i = 0; i < 200; i++) {
		for (size_t j = 0; j < 4; j++) {
			fill(writer->io[j].page, writer->value + 4 * i + j);
		}
		writer->is_right &= kmem_store_pages_out(&store, writer->io, 4, &error) == 4;
		for (size_t j = 0; j < 4; j++) {
			memset(writer->io[j].page, 0, page_size);
		}
		writer->is_right &= kmem_store_pages_in(&store, writer->io, 4, &error) == 4;
		for (size_t j = 0; j < 4; j++) {
			writer->is_right &= is_filled(writer->io[j].page, writer->value + 4 * i + j);
		}
	}
	return NULL;
}

START_TEST(threads_move_vectors_at_once)
{
	struct vector_writer writers[4];

	start(stores[_i], 17);
	must_get_several(16);
	for (size_t i = 0; i < 4; i++) {
		writers[i].value = 1000 * i;
		for (size_t j = 0; j < 4; j++) {
			/* In one half of the threads neighbours, in the other not; nobody's are another's. */
			size_t place = i < 2 ? 4 * i + j : 8 + 2 * j + i - 2;

			writers[i].io[j] = (struct kmem_store_io){vector.locations[place], vector_page(place, false)};
		}
	}
	for (size_t i = 0; i < 4; i++) {
		ck_assert_int_eq(pthread_create(&writers[i].thread, NULL, vectors_write_and_read, &writers[i]), 0);
	}
	for (size_t i = 0; i < 4; i++) {
		pthread_join(writers[i].thread, NULL);
		ck_assert(writers[i].is_right);
	}
}
END_TEST

/* That all of them are neighbours, from this slot on. */
static void expect_run(size_t from, size_t count, size_t slot)
{
	for (size_t i = 0; i < count; i++) {
		ck_assert_uint_eq(vector.locations[from + i], (slot + i) * page_size);
	}
}

static void free_slots(size_t from, size_t to)
{
	for (size_t slot = from; slot < to; slot++) {
		kmem_store_location_free(&store, slot * page_size);
	}
}

START_TEST(pages_that_go_out_together_are_neighbours)
{
	start(&kmem_store_file, 64);
	must_get_several(16);
	expect_run(0, 16, 0);
	must_get_several(16);
	expect_run(0, 16, 16);

	/* In the place of pages that are gone, in whatever order they went. */
	free_slots(4, 12);
	must_get_several(8);
	expect_run(0, 8, 4);
	free_slots(8, 12);
	free_slots(4, 8);
	must_get_several(8);
	expect_run(0, 8, 4);

	/* No more than what is asked for, and the rest stays together. */
	free_slots(4, 12);
	must_get_several(3);
	expect_run(0, 3, 9);
	must_get_several(5);
	expect_run(0, 5, 4);

	/* Several runs where none is long enough, and from the last slots on into those never used. */
	free_slots(2, 4);
	free_slots(29, 32);
	free_slots(10, 12);
	must_get_several(16);
	expect_run(0, 2, 10);
	expect_run(2, 12, 29);
	expect_run(14, 2, 41);
	must_get_several(2);
	expect_run(0, 2, 2);
}
END_TEST

/* Pages in several stretches of neighbours: all slots but every fourth one. */
static size_t vector_in_threes(size_t count)
{
	size_t used = 0;

	start(&kmem_store_file, count + 1);
	must_get_several(count);
	for (size_t i = 0; i < count; i++) {
		if (i % 4 != 3) {
			vector.locations[used++] = i * page_size;
		}
	}
	vector_fill(used, true);
	return used;
}

/* The host calls that could fail since the last time. */
static unsigned long host_calls(void)
{
	return kmem_failpoint_arm(ULONG_MAX, EIO, false);
}

START_TEST(stretch_of_neighbours_is_one_host_call)
{
	size_t count = vector_in_threes(16);

	(void)host_calls();
	expect_out(vector.io, count, 12, 0);
	ck_assert_uint_eq(host_calls(), 4);
	expect_in(vector.io, count, 12, 0);
	ck_assert_uint_eq(host_calls(), 4);
	expect_out(vector.io, 3, 3, 0);
	ck_assert_uint_eq(host_calls(), 1);
	expect_in(vector.io + 2, 2, 2, 0);
	ck_assert_uint_eq(host_calls(), 2);
}
END_TEST

START_TEST(failed_stretch_tells_what_was_done_before_it)
{
	size_t count = vector_in_threes(16);
	unsigned long failing = (unsigned long)_i + 1;
	size_t done = 3 * (size_t)_i;

	(void)kmem_failpoint_arm(failing, ENOSPC, false);
	expect_out(vector.io, count, done, -ENOSPC);
	for (size_t i = 0; i < done; i++) {
		expect_page(vector.locations[i], i);
	}
	expect_out(vector.io + done, count - done, count - done, 0);
	(void)kmem_failpoint_arm(failing, EIO, false);
	expect_in(vector.io, count, done, -EIO);
	for (size_t i = 0; i < count; i++) {
		ck_assert(is_filled(vector.io[i].page, i));
	}
	expect_in(vector.io + done, count - done, count - done, 0);
	for (size_t i = 0; i < count; i++) {
		ck_assert(is_filled(vector.io[i].page, i));
		expect_page(vector.locations[i], i);
	}
}
END_TEST

/* The host has room for so many bytes of the file, and then for all. */
START_TEST(host_that_stops_in_a_stretch_tells_where)
{
	static const size_t whole[] = {0, 1, 5, 15};
	size_t done = whole[_i % 4];
	size_t odd = _i / 4 == 0 ? 0 : page_size / 2 + 1;
	void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
	struct rlimit former;
	struct rlimit limit;

	start(&kmem_store_file, 20);
	must_get_several(16);
	vector_fill(16, true);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &former), 0);
	limit = former;
	limit.rlim_cur = done * page_size + odd;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	expect_out(vector.io, 16, done, -EFBIG);
	expect_out(vector.io + done, 1, 0, -EFBIG);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &former), 0);
	for (size_t i = 0; i < done; i++) {
		expect_page(vector.locations[i], i);
	}
	expect_out(vector.io + done, 16 - done, 16 - done, 0);
	for (size_t i = 0; i < 16; i++) {
		expect_page(vector.locations[i], i);
	}
	signal(SIGXFSZ, handler);
}
END_TEST

/* In a child, since lifting is for good. */
static int child_with_lifted_limit(size_t bytes_at_first)
{
	struct rlimit limit;

	signal(SIGXFSZ, SIG_IGN);
	kmem_host_limit_lift_allow();
	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = bytes_at_first;
	setrlimit(RLIMIT_FSIZE, &limit);
	expect_out(vector.io, 16, 16, 0);
	for (size_t i = 0; i < 16; i++) {
		expect_page(vector.locations[i], i);
	}
	return 0;
}

/* The host does a part, in the middle of a page or not, and then the rest. */
START_TEST(short_transfer_is_gone_on_with)
{
	int status;
	pid_t child;

	start(&kmem_store_file, 20);
	must_get_several(16);
	vector_fill(16, _i % 2 != 0);
	child = fork();
	if (child == 0) {
		_exit(child_with_lifted_limit(3 * page_size + (_i / 2 == 0 ? 0 : 1000)));
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(file_that_ends_in_a_stretch_tells_where)
{
	ck_assert_int_eq(try_start(&kmem_store_file, 20, path), 0);
	must_get_several(16);
	vector_fill(16, false);
	expect_out(vector.io, 16, 16, 0);
	ck_assert_int_eq(truncate(path, (off_t)(5 * page_size + page_size / 2)), 0);
	memset(vector.pages, 0xa5, 5 * page_size);
	expect_in(vector.io, 16, 5, -EIO);
	for (size_t i = 0; i < 5; i++) {
		ck_assert(is_filled(vector.io[i].page, i));
	}
}
END_TEST

START_TEST(vector_steals_copies_when_nothing_is_free)
{
	uintptr_t locations[3];
	int error;

	start_full(locations, 2);
	for (size_t i = 0; i < 3; i++) {
		vector.pfs[i] = hold(4 + i);
	}
	ck_assert_uint_eq(get_several(3, _i != 0, &error), 1);
	ck_assert_int_eq(error, -ENOMEM);
	ck_assert_uint_eq(vector.locations[0], locations[0]);
	ck_assert(!is_backed(0));
	ck_assert(is_backed(1));
	expect_usage(3, 1);
	ck_assert_uint_eq(get_several(3, true, &error), 1);
	ck_assert_uint_eq(vector.locations[0], locations[1]);
	expect_usage(3, 0);
}
END_TEST

/* ---- the file ---- */

START_TEST(file_at_a_path_is_private_and_removed)
{
	struct stat status;
	mode_t mask = umask(0);

	ck_assert_int_eq(try_start(&kmem_store_file, 1000, path), 0);
	umask(mask);
	ck_assert_int_eq(stat(path, &status), 0);
	ck_assert_uint_eq(status.st_mode & 07777, 0600);
	ck_assert_int_eq(status.st_size, 0);
	(void)evict(0, 0, false);
	ck_assert_int_eq(stat(path, &status), 0);
	ck_assert_int_eq(status.st_size, (off_t)page_size);
	kmem_store_finish(&store);
	ck_assert_int_eq(stat(path, &status), -1);
	ck_assert_int_eq(errno, ENOENT);
}
END_TEST

START_TEST(file_that_exists_is_left_alone)
{
	int fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0644);
	char text[8] = "";

	ck_assert_int_eq(write(fd, "mine", 4), 4);
	close(fd);
	ck_assert_int_eq(try_start(&kmem_store_file, 4, path), -EEXIST);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(read(fd, text, sizeof(text)), 4);
	ck_assert_str_eq(text, "mine");
	close(fd);
	unlink(path);
}
END_TEST

START_TEST(path_that_cannot_be_is_an_error)
{
	char bad[128];

	snprintf(bad, sizeof(bad), "%s/no/swap", directory);
	ck_assert_int_eq(try_start(&kmem_store_file, 4, bad), -ENOENT);
	ck_assert_int_eq(try_start(&kmem_store_file, 4, "/dev/null"), -EEXIST);
}
END_TEST

/* Mode of the open file in `directory`, 0 if there is none. */
static mode_t open_file_mode(void)
{
	DIR *dir = opendir("/proc/self/fd");
	mode_t mode = 0;

	for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
		char target[256] = "";
		struct stat status;

		if (readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1) > 0 &&
		    strncmp(target, directory, strlen(directory)) == 0 && fstat(atoi(entry->d_name), &status) == 0) {
			mode = status.st_mode & 07777;
		}
	}
	closedir(dir);
	return mode;
}

START_TEST(temporary_file_has_no_name)
{
	mode_t mask = umask(0);

	start(&kmem_store_file, 4);
	umask(mask);
	(void)evict(0, 0, false);
	ck_assert_uint_eq(open_file_mode(), 0600);
	ck_assert_int_eq(rmdir(directory), 0);
	ck_assert_int_eq(mkdir(directory, 0700), 0);
}
END_TEST

START_TEST(directory_gets_a_file_without_a_name)
{
	ck_assert_int_eq(unsetenv("TMPDIR"), 0);
	ck_assert_int_eq(try_start(&kmem_store_file, 4, directory), 0);
	(void)evict(0, 0, false);
	ck_assert_uint_eq(open_file_mode(), 0600);
	ck_assert_int_eq(rmdir(directory), 0);
	ck_assert_int_eq(mkdir(directory, 0700), 0);
}
END_TEST

START_TEST(disk_errors_are_returned)
{
	uintptr_t location;

	start(&kmem_store_file, 4);
	location = evict(0, 1, false);
	fill(bytes, 2);
	(void)kmem_failpoint_arm(1, ENOSPC, false);
	ck_assert_int_eq(kmem_store_page_out(&store, location, bytes), -ENOSPC);
	(void)kmem_failpoint_arm(1, EIO, false);
	ck_assert_int_eq(kmem_store_page_in(&store, location, bytes), -EIO);
	(void)kmem_failpoint_arm(0, 0, false);
	expect_page(location, 1);
	write_page(location, 2);
	expect_page(location, 2);
}
END_TEST

START_TEST(file_that_was_cut_short_is_an_error)
{
	uintptr_t location;

	ck_assert_int_eq(try_start(&kmem_store_file, 4, path), 0);
	location = evict(0, 1, false);
	ck_assert_int_eq(truncate(path, (off_t)page_size / 2), 0);
	ck_assert_int_eq(kmem_store_page_in(&store, location, bytes), -EIO);
}
END_TEST

START_TEST(child_leaves_the_parents_path)
{
	uintptr_t location;

	ck_assert_int_eq(try_start(&kmem_store_file, 8, path), 0);
	hold(3);
	location = evict(0, 1, false);
	fork_and_check(location);
	ck_assert_int_eq(access(path, F_OK), 0);
}
END_TEST

START_TEST(failed_copy_leaves_the_parent_as_it_was)
{
	uintptr_t location;
	unsigned long n = 1;

	start(&kmem_store_file, 8);
	location = evict(0, 1, false);
	for (;; n++) {
		struct harness_leaks inner;
		int ret;

		harness_leaks_begin(&inner);
		(void)kmem_failpoint_arm(n, ENOSPC, true);
		ret = kmem_store_fork_prepare(&store);
		(void)kmem_failpoint_arm(0, 0, false);
		kmem_store_fork_parent(&store);
		harness_leaks_check(&inner);
		expect_page(location, 1);
		if (ret == 0) {
			break;
		}
		ck_assert_int_eq(ret, -ENOSPC);
	}
	ck_assert_uint_ge(n, 3);
}
END_TEST

/* ---- names ---- */

START_TEST(stores_are_found_by_name)
{
	ck_assert_ptr_eq(kmem_store_find("ram"), &kmem_store_ram);
	ck_assert_ptr_eq(kmem_store_find("file"), &kmem_store_file);
	ck_assert_ptr_null(kmem_store_find("fil"));
	ck_assert_ptr_null(kmem_store_find("rams"));
	ck_assert_ptr_null(kmem_store_find(""));
	ck_assert_ptr_null(kmem_store_find(NULL));
	ck_assert_str_eq(kmem_store_names(), "file, ram");
}
END_TEST

static const struct {
	const char *text;
	const struct kmem_store_ops *ops;
	const char *path;
	size_t pages;
} good[] = {
	{"ram", &kmem_store_ram, NULL, 0},
	{"ram:1", &kmem_store_ram, NULL, 1},
	{"ram:4096", &kmem_store_ram, NULL, 4096},
	{"ram:0x10", &kmem_store_ram, NULL, 16},
	{"ram:0xAb", &kmem_store_ram, NULL, 171},
	{"ram:18446744073709551615", &kmem_store_ram, NULL, SIZE_MAX},
	{"file", &kmem_store_file, NULL, 0},
	{"file:/tmp/swap", &kmem_store_file, "/tmp/swap", 0},
	{"file:swap", &kmem_store_file, "swap", 0},
	{"file:a:b", &kmem_store_file, "a:b", 0},
	{"file::", &kmem_store_file, ":", 0},
	{"file:12", &kmem_store_file, "12", 0},
};

START_TEST(good_text_is_parsed)
{
	const struct kmem_store_ops *ops = NULL;
	const char *at = "unset";
	size_t pages = 99;
	char error[200] = "untouched";

	ck_assert_int_eq(kmem_store_parse(good[_i].text, &ops, &at, &pages, error, sizeof(error)), 0);
	ck_assert_ptr_eq(ops, good[_i].ops);
	ck_assert_pstr_eq(at, good[_i].path);
	ck_assert_uint_eq(pages, good[_i].pages);
	ck_assert_str_eq(error, "untouched");
}
END_TEST

static const struct {
	const char *text, *error;
} bad[] = {
	{"foo", "store \"foo\": unknown; known: file, ram"},
	{"", "store \"\": unknown; known: file, ram"},
	{":", "store \":\": unknown; known: file, ram"},
	{"RAM", "store \"RAM\": unknown; known: file, ram"},
	{"ram ", "store \"ram \": unknown; known: file, ram"},
	{"ra", "store \"ra\": unknown; known: file, ram"},
	{"ram4", "store \"ram4\": unknown; known: file, ram"},
	{"foo:1", "store \"foo:1\": unknown; known: file, ram"},
	{"file:", "store \"file:\": no path; allowed: file, file:PATH"},
	{"ram:", "store \"ram:\": not a number of pages from 1; allowed: ram, ram:PAGES"},
	{"ram:0", "store \"ram:0\": not a number of pages from 1; allowed: ram, ram:PAGES"},
	{"ram:-1", "store \"ram:-1\": not a number of pages from 1; allowed: ram, ram:PAGES"},
	{"ram: 1", "store \"ram: 1\": not a number of pages from 1; allowed: ram, ram:PAGES"},
	{"ram:1 ", "store \"ram:1 \": not a number of pages from 1; allowed: ram, ram:PAGES"},
	{"ram:4K", "store \"ram:4K\": not a number of pages from 1; allowed: ram, ram:PAGES"},
	{"ram:4B", "store \"ram:4B\": not a number of pages from 1; allowed: ram, ram:PAGES"},
	{"ram:0x", "store \"ram:0x\": not a number of pages from 1; allowed: ram, ram:PAGES"},
	{"ram:1:2", "store \"ram:1:2\": not a number of pages from 1; allowed: ram, ram:PAGES"},
	{"ram:/tmp", "store \"ram:/tmp\": not a number of pages from 1; allowed: ram, ram:PAGES"},
	{"ram:18446744073709551616",
	 "store \"ram:18446744073709551616\": not a number of pages from 1; allowed: ram, ram:PAGES"},
};

START_TEST(bad_text_is_refused)
{
	const struct kmem_store_ops *ops;
	const char *at;
	size_t pages;
	char error[200] = "";
	char small[10];

	ck_assert_int_eq(kmem_store_parse(bad[_i].text, &ops, &at, &pages, error, sizeof(error)), -EINVAL);
	ck_assert_str_eq(error, bad[_i].error);
	ck_assert_int_eq(kmem_store_parse(bad[_i].text, &ops, &at, &pages, small, sizeof(small)), -EINVAL);
	ck_assert_int_eq(strncmp(small, bad[_i].error, sizeof(small) - 1), 0);
	ck_assert_uint_eq(strlen(small), sizeof(small) - 1);
}
END_TEST

/* ---- a store of the program's own ---- */

static struct {
	unsigned int calls;
	unsigned int unmarked; /* calls without in_callback */
	int ret;
	uintptr_t location;
} probe;

static int probe_call(void)
{
	probe.calls++;
	probe.unmarked += kmem_thread_self()->in_callback ? 0 : 1;
	return probe.ret;
}

static int probe_init(void **state, const struct kmem_store_params *params)
{
	ck_assert_uint_eq(params->frames.count, FRAMES);
	*state = &probe;
	return probe_call();
}

static void probe_state(void *state)
{
	ck_assert_ptr_eq(state, &probe);
	(void)probe_call();
}

static int probe_state_ret(void *state)
{
	probe_state(state);
	return probe.ret;
}

static int probe_location_get(void *state, struct k_mem_page_frame *pf, uintptr_t *location, bool page_fault)
{
	(void)pf;
	(void)page_fault;
	*location = probe.location;
	return probe_state_ret(state);
}

static void probe_location_free(void *state, uintptr_t location)
{
	ck_assert_uint_eq(location, probe.location);
	probe_state(state);
}

static int probe_location_query(void *state, void *addr, uintptr_t *location)
{
	(void)addr;
	*location = probe.location;
	return probe_state_ret(state);
}

static int probe_page_out(void *state, uintptr_t location, const void *page)
{
	ck_assert_ptr_eq(page, bytes);
	ck_assert_uint_eq(location, probe.location);
	return probe_state_ret(state);
}

static int probe_page_in(void *state, uintptr_t location, void *page)
{
	return probe_page_out(state, location, page);
}

static void probe_page_finalize(void *state, struct k_mem_page_frame *pf, uintptr_t location)
{
	ck_assert_ptr_eq(pf, &frames[2]);
	probe_location_free(state, location);
}

static void probe_usage(void *state, struct kmem_store_usage *usage)
{
	usage->used_pages = 5;
	probe_state(state);
}

static const struct kmem_store_ops probe_ops = {
	.version = KMEM_STORE_VERSION,
	.name = "probe",
	.init = probe_init,
	.finish = probe_state,
	.location_get = probe_location_get,
	.location_free = probe_location_free,
	.location_query = probe_location_query,
	.page_out = probe_page_out,
	.page_in = probe_page_in,
	.page_finalize = probe_page_finalize,
	.fork_prepare = probe_state_ret,
	.fork_parent = probe_state,
	.fork_child = probe_state,
	.usage = probe_usage,
};

static void probe_setup(void)
{
	setup();
	memset(&probe, 0, sizeof(probe));
	probe.location = 3 * page_size;
}

/* Call all there is but init and finish. */
static void probe_call_all(int ret)
{
	struct kmem_store_usage usage;
	uintptr_t location;

	probe.ret = ret;
	ck_assert_int_eq(get(0, true, &location), ret);
	ck_assert_uint_eq(location, probe.location);
	kmem_store_location_free(&store, probe.location);
	ck_assert_int_eq(kmem_store_location_query(&store, (void *)VA, &location), ret);
	ck_assert_int_eq(kmem_store_page_out(&store, probe.location, bytes), ret);
	ck_assert_int_eq(kmem_store_page_in(&store, probe.location, bytes), ret);
	kmem_store_page_finalize(&store, &frames[2], probe.location);
	ck_assert_int_eq(kmem_store_fork_prepare(&store), ret);
	kmem_store_fork_parent(&store);
	kmem_store_fork_child(&store);
	kmem_store_usage_get(&store, &usage);
	ck_assert_uint_eq(usage.used_pages, 5);
	ck_assert_uint_eq(usage.capacity_pages, 0);
	probe.ret = 0;
}

START_TEST(calls_are_passed_on_and_marked)
{
	struct kmem_thread *self = kmem_thread_self();

	self->in_callback = _i != 0;
	start(&probe_ops, 9);
	ck_assert_ptr_eq(store.ops, &probe_ops);
	ck_assert_uint_eq(store.capacity_pages, 9);
	ck_assert(kmem_store_is_serialised(&store));
	probe_call_all(0);
	probe_call_all(-ENOSPC);
	kmem_store_finish(&store);
	ck_assert_ptr_null(store.ops);
	ck_assert_uint_eq(probe.calls, 22);
	ck_assert_uint_eq(probe.unmarked, 0);
	ck_assert(self->in_callback == (_i != 0));
	self->in_callback = false;
}
END_TEST

/* What is printed to standard error meanwhile. */
struct capture {
	int saved, fd;
	char text[512];
};

static void capture_begin(struct capture *capture)
{
	fflush(stderr);
	capture->saved = dup(STDERR_FILENO);
	capture->fd = memfd_create("capture", MFD_CLOEXEC);
	ck_assert_int_ge(capture->fd, 0);
	ck_assert_int_ge(dup2(capture->fd, STDERR_FILENO), 0);
}

static void capture_end(struct capture *capture)
{
	ssize_t size = pread(capture->fd, capture->text, sizeof(capture->text) - 1, 0);

	capture->text[size < 0 ? 0 : size] = '\0';
	dup2(capture->saved, STDERR_FILENO);
	close(capture->saved);
	close(capture->fd);
}

static void expect_refusal(const struct kmem_store_ops *ops, const char *text)
{
	struct capture capture;
	int ret;

	capture_begin(&capture);
	ret = try_start(ops, 4, NULL);
	capture_end(&capture);
	ck_assert_int_eq(ret, -EINVAL);
	ck_assert_ptr_null(store.ops);
	ck_assert_uint_eq(probe.calls, 0);
	ck_assert_str_eq(capture.text, text);
}

START_TEST(wrong_version_is_refused)
{
	struct kmem_store_ops ops = probe_ops;

	ops.version = 2;
	expect_refusal(&ops, "kmem: error: backing store: version 2, must be 1\n");
	ops.version = 0;
	expect_refusal(&ops, "kmem: error: backing store: version 0, must be 1\n");
}
END_TEST

static const struct {
	const char *name;
	size_t offset;
} mandatory[] = {
	{"init", offsetof(struct kmem_store_ops, init)},
	{"location_get", offsetof(struct kmem_store_ops, location_get)},
	{"location_free", offsetof(struct kmem_store_ops, location_free)},
	{"page_out", offsetof(struct kmem_store_ops, page_out)},
	{"page_in", offsetof(struct kmem_store_ops, page_in)},
	{"page_finalize", offsetof(struct kmem_store_ops, page_finalize)},
};

START_TEST(missing_member_is_refused)
{
	struct kmem_store_ops ops = probe_ops;
	char text[128];

	memset((char *)&ops + mandatory[_i].offset, 0, sizeof(void *));
	snprintf(text, sizeof(text), "kmem: error: backing store \"probe\": no %s, which is mandatory\n",
		 mandatory[_i].name);
	expect_refusal(&ops, text);
}
END_TEST

START_TEST(missing_name_is_refused)
{
	struct kmem_store_ops ops = probe_ops;

	ops.name = NULL;
	expect_refusal(&ops, "kmem: error: backing store \"\": no name, which is mandatory\n");
}
END_TEST

START_TEST(error_of_init_is_passed_on)
{
	probe.ret = -EXDEV;
	ck_assert_int_eq(try_start(&probe_ops, 4, NULL), -EXDEV);
	ck_assert_ptr_null(store.ops);
	kmem_store_finish(&store);
	ck_assert_uint_eq(probe.calls, 1);
}
END_TEST

/* With a store that has mandatory members alone, and without a store. */
START_TEST(absent_members_are_no_ops)
{
	struct kmem_store_ops ops = probe_ops;
	struct kmem_store_usage usage;
	uintptr_t location;

	ops.finish = NULL;
	ops.location_query = NULL;
	ops.fork_prepare = NULL;
	ops.fork_parent = NULL;
	ops.fork_child = NULL;
	ops.usage = NULL;
	if (_i != 0) {
		start(&ops, 4);
	}
	ck_assert_int_eq(kmem_store_location_query(&store, (void *)VA, &location), -ENOENT);
	ck_assert_int_eq(kmem_store_fork_prepare(&store), 0);
	kmem_store_fork_parent(&store);
	kmem_store_fork_child(&store);
	memset(&usage, 0xff, sizeof(usage));
	kmem_store_usage_get(&store, &usage);
	ck_assert_uint_eq(usage.capacity_pages | usage.used_pages | usage.cached_pages | usage.host_bytes, 0);
	ck_assert(kmem_store_is_serialised(&store) == (_i != 0));
	kmem_store_finish(&store);
	ck_assert_ptr_null(store.ops);
	ck_assert_uint_eq(probe.calls, (unsigned int)_i);
}
END_TEST

static const uintptr_t bad_locations[] = {
	1, 8, 0xfff, (uintptr_t)1 << 48, ((uintptr_t)1 << 48) + 0x10000, ~(uintptr_t)0xffff, UINTPTR_MAX,
	KMEM_LOCATION_ANON_ZERO, KMEM_LOCATION_ANON_UNINIT,
};

START_TEST(bad_location_is_refused)
{
	struct capture capture;
	uintptr_t location;
	int ret, query;

	start(&probe_ops, 4);
	probe.location = bad_locations[_i];
	capture_begin(&capture);
	ret = get(0, true, &location);
	query = kmem_store_location_query(&store, (void *)VA, &location);
	capture_end(&capture);
	ck_assert_int_eq(ret, -EINVAL);
	ck_assert_int_eq(query, -EINVAL);
	ck_assert_ptr_nonnull(strstr(capture.text, "kmem: error: backing store \"probe\": location 0x"));
	ck_assert_ptr_nonnull(strstr(capture.text, "not a multiple of the page size below 2^48"));
	probe.location = ((uintptr_t)1 << 48) - 16 * page_size;
	ck_assert_int_eq(get(0, true, &location), 0);
}
END_TEST

/* Vectors of a store of the program's own: at most so many pages at a time, and one that fails. */
static struct {
	size_t most;
	size_t failing;   /* page that fails, counted from 0 over all calls; SIZE_MAX: none */
	size_t done;
	unsigned int calls;
	bool is_lying;    /* calls do nothing and say `lie` */
	int lie;
	size_t for_fault; /* locations asked for in a fault */
	size_t freed;
	size_t bad;       /* the location that is none, counted likewise; SIZE_MAX: none */
} own;

/* How many pages of a vector are done. */
static int own_vector(size_t count)
{
	size_t done = 0;

	ck_assert(kmem_thread_self()->in_callback);
	ck_assert_uint_gt(count, 0);
	own.calls++;
	if (own.is_lying) {
		return own.lie;
	}
	while (done < count && done < own.most && own.done != own.failing) {
		done++;
		own.done++;
	}
	return done > 0 ? (int)done : -EDQUOT;
}

static int own_pages(void *state, const struct kmem_store_io *io, size_t count)
{
	(void)state;
	ck_assert_uint_eq(io[0].location, own.done * page_size);
	ck_assert_ptr_eq(io[0].page, vector_page(own.done, false));
	return own_vector(count);
}

static int own_locations_get(void *state, struct k_mem_page_frame *const *pfs, size_t count, uintptr_t *locations,
			     bool page_fault)
{
	size_t first = own.done;
	int done = own_vector(count);

	(void)state;
	ck_assert_ptr_eq(pfs[0], &frames[0]);
	own.for_fault += page_fault ? 1 : 0;
	for (int i = 0; i < done && (size_t)i < count; i++) {
		locations[i] = first + (size_t)i == own.bad ? 1 : (first + (size_t)i) * page_size;
	}
	return done;
}

static void own_location_free(void *state, uintptr_t location)
{
	(void)state;
	ck_assert_uint_eq(location % page_size, 0);
	own.freed++;
}

static int own_page(void *state, uintptr_t location, const void *page)
{
	const struct kmem_store_io io = {location, (void *)page};
	int ret = own_pages(state, &io, 1);

	return ret < 0 ? ret : 0;
}

static int own_page_in(void *state, uintptr_t location, void *page)
{
	return own_page(state, location, page);
}

static int own_location_get(void *state, struct k_mem_page_frame *pf, uintptr_t *location, bool page_fault)
{
	int ret = own_locations_get(state, &pf, 1, location, page_fault);

	return ret < 0 ? ret : 0;
}

/* A store with vectors, or the same without. */
static const struct kmem_store_ops *own_ops(bool has_vectors)
{
	static struct kmem_store_ops ops;

	ops = probe_ops;
	ops.location_get = own_location_get;
	ops.location_free = own_location_free;
	ops.page_out = own_page;
	ops.page_in = own_page_in;
	if (has_vectors) {
		ops.locations_get = own_locations_get;
		ops.pages_out = own_pages;
		ops.pages_in = own_pages;
	}
	memset(&own, 0, sizeof(own));
	own.most = 5;
	own.failing = SIZE_MAX;
	own.bad = SIZE_MAX;
	return &ops;
}

static void own_setup(void)
{
	vector_setup();
	memset(&probe, 0, sizeof(probe));
	for (size_t i = 0; i < VECTOR_MAX; i++) {
		vector.io[i] = (struct kmem_store_io){i * page_size, vector_page(i, false)};
	}
}

/* The calls that so many pages take. */
static unsigned int calls_for(size_t count, bool has_vectors)
{
	return (unsigned int)(has_vectors ? (count + own.most - 1) / own.most : count);
}

START_TEST(vectors_go_to_any_store)
{
	size_t count = lengths[_i / 2];
	const struct kmem_store_ops *ops = own_ops(_i % 2 != 0);
	unsigned int calls = calls_for(count, _i % 2 != 0);
	int error;

	start(ops, VECTOR_MAX + 1);
	expect_out(vector.io, count, count, 0);
	ck_assert_uint_eq(own.calls, calls);
	own.done = 0;
	expect_in(vector.io, count, count, 0);
	ck_assert_uint_eq(own.calls, 2 * calls);
	own.done = 0;
	ck_assert_uint_eq(get_several(count, true, &error), count);
	ck_assert_int_eq(error, 0);
	ck_assert_uint_eq(own.calls, 3 * calls);
	ck_assert_uint_eq(own.for_fault, 1);
	expect_run(0, count, 0);
	own.done = 0;
	ck_assert_uint_eq(get_several(count, false, &error), count);
	ck_assert_uint_eq(own.for_fault, 1);
	ck_assert_uint_eq(own.freed, 0);
	ck_assert(!kmem_thread_self()->in_callback);
}
END_TEST

START_TEST(failures_of_any_store_are_told_exactly)
{
	const struct kmem_store_ops *ops = own_ops(_i % 2 != 0);
	size_t failing = (size_t)_i / 2;
	int error;

	start(ops, 20);
	own.failing = failing;
	expect_out(vector.io, 16, failing, -EDQUOT);
	own.done = 0;
	expect_in(vector.io, 16, failing, -EDQUOT);
	own.done = 0;
	ck_assert_uint_eq(get_several(16, false, &error), failing);
	ck_assert_int_eq(error, -EDQUOT);
	own.failing = SIZE_MAX;
	expect_out(vector.io + failing, 16 - failing, 16 - failing, 0);
}
END_TEST

/* What no store may say of a vector of four pages. */
static const int bad_counts[] = {0, 5, INT_MAX};

START_TEST(wrong_number_is_refused)
{
	const struct kmem_store_ops *ops = own_ops(true);
	struct capture capture;
	int error;

	start(ops, 20);
	own.is_lying = true;
	own.lie = bad_counts[_i];
	capture_begin(&capture);
	expect_out(vector.io, 4, 0, -EINVAL);
	expect_in(vector.io, 4, 0, -EINVAL);
	ck_assert_uint_eq(get_several(4, false, &error), 0);
	capture_end(&capture);
	ck_assert_int_eq(error, -EINVAL);
	ck_assert_ptr_nonnull(strstr(capture.text, "kmem: error: backing store \"probe\": "));
	ck_assert_ptr_nonnull(strstr(capture.text, "pages done of a vector, must be 1 to 4, or an error"));
}
END_TEST

/* Those behind a location that is none are given back: the caller does not learn of them. */
START_TEST(bad_location_in_a_vector_ends_it)
{
	const struct kmem_store_ops *ops = own_ops(_i % 2 != 0);
	size_t bad_at = (size_t)_i / 2;
	size_t end = (bad_at / own.most + 1) * own.most; /* of what is given with it */
	struct capture capture;
	int error;

	start(ops, 20);
	own.bad = bad_at;
	capture_begin(&capture);
	ck_assert_uint_eq(get_several(16, false, &error), bad_at);
	capture_end(&capture);
	ck_assert_int_eq(error, -EINVAL);
	ck_assert_ptr_nonnull(strstr(capture.text, "location 0x1 is not a multiple"));
	ck_assert_uint_eq(own.freed, _i % 2 == 0 ? 0 : (end < 16 ? end : 16) - bad_at - 1);
	expect_run(0, bad_at, 0);
}
END_TEST

/* ---- against a model ---- */

enum state {
	FRESH, /* never touched, or unmapped since */
	OUT,
	IN,
};

/* A plain array of pages: what each is known to hold, and where. */
static struct model {
	struct page {
		enum state state;
		uint64_t value;
		uintptr_t location; /* OUT */
		size_t frame;       /* IN */
		bool is_dirty;
	} pages[PAGES_MAX];
	size_t page_of[FRAMES]; /* PAGES_MAX: none */
	unsigned char *ram;
	size_t capacity;
	size_t out; /* pages OUT */
	uint64_t seed, last_value;
	unsigned long failures;
} model;

static unsigned char *frame_bytes(size_t frame)
{
	return model.ram + frame * page_size;
}

/* Whether the store must give a location for the frame. */
static bool is_due(size_t frame, bool is_fault)
{
	size_t left = model.capacity - model.out;

	return is_fault ? is_backed(frame) || left >= 1 : left >= 2;
}

/* A page on its way out. */
struct leaving {
	size_t frame;
	uintptr_t location;
	bool was_backed;
};

/* It has a location, and is in transit. */
static void model_leave(struct leaving *leaving)
{
	k_mem_page_frame_clear(&frames[leaving->frame], K_MEM_PAGE_FRAME_BACKED);
	k_mem_page_frame_set(&frames[leaving->frame], K_MEM_PAGE_FRAME_BUSY);
	model.out++;
}

static void model_leave_undo(const struct leaving *leaving)
{
	model.failures++;
	model.out--;
	k_mem_page_frame_clear(&frames[leaving->frame], K_MEM_PAGE_FRAME_BUSY);
	k_mem_page_frame_set(&frames[leaving->frame], leaving->was_backed ? K_MEM_PAGE_FRAME_BACKED : 0);
	if (!leaving->was_backed) {
		kmem_store_location_free(&store, leaving->location);
	}
}

static void model_left(const struct leaving *leaving)
{
	struct page *page = &model.pages[model.page_of[leaving->frame]];

	page->state = OUT;
	page->location = leaving->location;
	model.page_of[leaving->frame] = PAGES_MAX;
	frames[leaving->frame].va_and_flags = K_MEM_PAGE_FRAME_FREE | (harness_random(&model.seed) & K_MEM_PAGE_FRAME_BACKED);
}

static bool is_to_be_written(const struct leaving *leaving)
{
	return model.pages[model.page_of[leaving->frame]].is_dirty || !leaving->was_backed;
}

/* Ask for a page's location: false if it stays. */
static bool model_ask(struct leaving *leaving, size_t frame, bool is_fault)
{
	bool is_due_now = is_due(frame, is_fault);
	int ret;

	*leaving = (struct leaving){.frame = frame, .was_backed = is_backed(frame)};
	ret = get(frame, is_fault, &leaving->location);
	ck_assert_int_eq(ret, is_due_now ? 0 : -ENOMEM);
	if (ret == 0) {
		model_leave(leaving);
	}
	return ret == 0;
}

/* lib/kernel/paging_out.c, evict(): false if the page stays. */
static bool model_evict(size_t frame, bool is_fault)
{
	struct leaving leaving;

	if (!model_ask(&leaving, frame, is_fault)) {
		return false;
	}
	if (is_to_be_written(&leaving) && kmem_store_page_out(&store, leaving.location, frame_bytes(frame)) != 0) {
		model_leave_undo(&leaving);
		return false;
	}
	model_left(&leaving);
	return true;
}

/* Those that have no copy ask together: how many of them go. */
static size_t model_ask_several(struct leaving *leaving, const size_t *fresh, size_t count, bool is_fault)
{
	struct k_mem_page_frame *pfs[FRAMES];
	uintptr_t locations[FRAMES];
	size_t left = model.capacity - model.out;
	size_t reserve = is_fault ? 0 : 1; /* what the first must leave; the others leave one */
	size_t due = left <= reserve ? 0 : is_fault && left == 1 ? 1 : left - 1;
	size_t given;
	int error;

	for (size_t i = 0; i < count; i++) {
		pfs[i] = &frames[fresh[i]];
	}
	given = kmem_store_locations_get(&store, pfs, count, locations, is_fault, &error);
	ck_assert_uint_eq(given, due < count ? due : count);
	ck_assert_int_eq(error, given < count ? -ENOMEM : 0);
	for (size_t i = 0; i < given; i++) {
		leaving[i] = (struct leaving){.frame = fresh[i], .location = locations[i]};
		model_leave(&leaving[i]);
	}
	return given;
}

/* Several pages go out together: those that must be written, by one vector. */
static void model_write(const struct leaving *leaving, size_t count)
{
	const struct leaving *written[FRAMES];
	struct kmem_store_io io[FRAMES];
	size_t used = 0;
	size_t done = 0;

	for (size_t i = 0; i < count; i++) {
		if (is_to_be_written(&leaving[i])) {
			written[used] = &leaving[i];
			io[used++] = (struct kmem_store_io){leaving[i].location, frame_bytes(leaving[i].frame)};
		} else {
			model_left(&leaving[i]);
		}
	}
	while (done < used) {
		int error;
		size_t more = kmem_store_pages_out(&store, io + done, used - done, &error);

		ck_assert_int_eq(error, done + more < used ? -EIO : 0);
		for (size_t i = 0; i < more; i++) {
			model_left(written[done + i]);
		}
		done += more;
		if (done < used) {
			model_leave_undo(written[done++]);
		}
	}
}

static void model_evict_several(bool is_fault)
{
	struct leaving leaving[FRAMES];
	size_t fresh[FRAMES];
	size_t wanted = harness_random(&model.seed) % FRAMES;
	size_t fresh_count = 0;
	size_t count = 0;

	for (size_t frame = 0; frame < FRAMES && count + fresh_count < wanted; frame++) {
		if (model.page_of[frame] == PAGES_MAX) {
			continue;
		}
		if (!is_backed(frame)) {
			fresh[fresh_count++] = frame;
		} else if (model_ask(&leaving[count], frame, false)) {
			count++;
		}
	}
	count += model_ask_several(leaving + count, fresh, fresh_count, is_fault);
	model_write(leaving, count);
}

/* A frame for a page that comes in, FRAMES if there is none. */
static size_t model_frame(void)
{
	size_t start_at = harness_random(&model.seed) % FRAMES;

	for (size_t i = 0; i < FRAMES; i++) {
		if (model.page_of[i] == PAGES_MAX) {
			return i;
		}
	}
	for (size_t i = 0; i < FRAMES; i++) {
		size_t frame = (start_at + i) % FRAMES;

		if (model_evict(frame, true)) {
			return frame;
		}
	}
	return FRAMES;
}

static void model_hold(size_t number, size_t frame)
{
	struct page *page = &model.pages[number];

	frames[frame].va_and_flags = (VA + number * page_size) | K_MEM_PAGE_FRAME_MAPPED;
	if (page->state == OUT) {
		kmem_store_page_finalize(&store, &frames[frame], page->location);
		page->is_dirty = false;
		model.out--;
	} else {
		page->is_dirty = true;
	}
	page->state = IN;
	page->frame = frame;
	model.page_of[frame] = number;
}

static void model_fault(size_t number)
{
	struct page *page = &model.pages[number];
	size_t frame = model_frame();

	if (frame == FRAMES) {
		return;
	}
	frames[frame].va_and_flags = K_MEM_PAGE_FRAME_BUSY;
	memset(frame_bytes(frame), 0xa5, page_size);
	if (page->state == FRESH) {
		page->value = ++model.last_value;
		fill(frame_bytes(frame), page->value);
	} else if (kmem_store_page_in(&store, page->location, frame_bytes(frame)) != 0) {
		model.failures++;
		frames[frame].va_and_flags = K_MEM_PAGE_FRAME_FREE;
		return;
	}
	model_hold(number, frame);
}

/* Several pages come in together, as far as there are free frames. */
static void model_fetch_several(void)
{
	struct kmem_store_io io[FRAMES];
	size_t numbers[FRAMES];
	size_t in[FRAMES];
	size_t count = 0;
	size_t number = harness_random(&model.seed) % PAGES_MAX;
	size_t done = 0;

	for (size_t frame = 0; frame < FRAMES; frame++) {
		while (number < PAGES_MAX && model.pages[number].state != OUT) {
			number++;
		}
		if (number < PAGES_MAX && model.page_of[frame] == PAGES_MAX) {
			frames[frame].va_and_flags = K_MEM_PAGE_FRAME_BUSY;
			in[count] = frame;
			io[count] = (struct kmem_store_io){model.pages[number].location, frame_bytes(frame)};
			numbers[count++] = number++;
		}
	}
	while (done < count) {
		int error;
		size_t more = kmem_store_pages_in(&store, io + done, count - done, &error);

		ck_assert_int_eq(error, done + more < count ? -EIO : 0);
		for (; more > 0; more--, done++) {
			model_hold(numbers[done], in[done]);
		}
		if (done < count) {
			model.failures++;
			frames[in[done++]].va_and_flags = K_MEM_PAGE_FRAME_FREE;
		}
	}
}

static void model_touch(size_t number, bool is_write)
{
	struct page *page = &model.pages[number];

	if (page->state != IN) {
		model_fault(number);
	}
	if (page->state != IN) {
		return;
	}
	ck_assert(is_filled(frame_bytes(page->frame), page->value));
	if (is_write) {
		page->value = ++model.last_value;
		page->is_dirty = true;
		fill(frame_bytes(page->frame), page->value);
	}
}

static void model_unmap(size_t number)
{
	struct page *page = &model.pages[number];

	if (page->state == OUT) {
		kmem_store_location_free(&store, page->location);
		model.out--;
	} else if (page->state == IN) {
		if (is_backed(page->frame)) {
			kmem_store_location_free(&store, must_get(page->frame, true));
		}
		frames[page->frame].va_and_flags = K_MEM_PAGE_FRAME_FREE;
		model.page_of[page->frame] = PAGES_MAX;
	}
	page->state = FRESH;
}

static void model_check_usage(void)
{
	size_t cached = 0;

	for (size_t i = 0; i < FRAMES; i++) {
		cached += model.page_of[i] != PAGES_MAX && is_backed(i) ? 1 : 0;
	}
	expect_usage(model.out + cached, cached);
}

static void model_step(void)
{
	uint64_t random = harness_random(&model.seed);
	size_t number = (random >> 8) % PAGES_MAX;
	struct page *page = &model.pages[number];

	(void)kmem_failpoint_arm((random >> 16) % 16 == 0 ? 1 : 0, EIO, (random >> 20) % 2 == 0);
	switch (random % 8) {
	case 0:
		model_unmap(number);
		break;
	case 1:
		if (page->state == IN) {
			(void)model_evict(page->frame, false);
		}
		break;
	case 2:
	case 3:
		model_touch(number, true);
		break;
	case 4:
		model_evict_several((random >> 24) % 2 == 0);
		break;
	case 5:
		model_fetch_several();
		break;
	default:
		model_touch(number, false);
		break;
	}
	(void)kmem_failpoint_arm(0, 0, false);
	model_check_usage();
}

static const size_t model_capacities[] = {1, 2, 4, PAGES_MAX - FRAMES, PAGES_MAX - FRAMES + 2, PAGES_MAX + 1};

#define MODEL_CAPACITIES ((int)(sizeof(model_capacities) / sizeof(model_capacities[0])))

START_TEST(random_use_agrees_with_an_array)
{
	const struct kmem_store_ops *ops = stores[_i % STORES];
	int steps = harness_on_valgrind() ? 1000 : 20000;

	memset(&model, 0, sizeof(model));
	model.capacity = model_capacities[_i / STORES];
	model.seed = harness_seed() + (uint64_t)_i;
	model.ram = malloc(FRAMES * page_size);
	for (size_t i = 0; i < FRAMES; i++) {
		model.page_of[i] = PAGES_MAX;
		frames[i].va_and_flags = K_MEM_PAGE_FRAME_FREE;
	}
	start(ops, model.capacity);
	for (int i = 0; i < steps; i++) {
		model_step();
	}
	for (size_t i = 0; i < PAGES_MAX; i++) {
		model_touch(i, false);
		model_unmap(i);
	}
	expect_usage(0, 0);
	ck_assert(ops == &kmem_store_ram || model.capacity < PAGES_MAX / 2 || model.failures > 0);
	free(model.ram);
}
END_TEST

/* ---- the suite ---- */

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

static TCase *tcase_add(Suite *suite, const char *name, void (*begin)(void))
{
	TCase *tcase = tcase_create(name);

	tcase_add_checked_fixture(tcase, begin, teardown);
	tcase_set_timeout(tcase, 60);
	suite_add_tcase(suite, tcase);
	return tcase;
}

static void add_conformance(Suite *suite)
{
	TCase *tcase = tcase_add(suite, "conformance", setup);

	tcase_add_loop_test(tcase, capacity_is_exact_and_the_last_location_is_for_faults, 0, STORES * CAPACITIES);
	tcase_add_loop_test(tcase, locations_are_aligned_and_unique, 0, STORES);
	tcase_add_loop_test(tcase, contents_are_kept, 0, 2 * STORES);
	tcase_add_loop_test(tcase, pages_come_in_out_of_order_of_writing, 0, STORES);
	tcase_add_loop_test(tcase, freed_location_is_given_again, 0, STORES);
	tcase_add_loop_test(tcase, finalize_keeps_the_copy_or_frees_it, 0, STORES);
	tcase_add_loop_test(tcase, pages_that_came_in_leave_all_locations_to_others, 0, STORES);
	tcase_add_loop_test(tcase, anonymous_locations_are_ignored, 0, STORES);
	tcase_add_loop_test(tcase, capacity_must_fit_into_locations, 0, STORES);
	tcase_add_loop_test(tcase, failed_init_leaves_nothing, 0, STORES);
	tcase_add_loop_test(tcase, large_store_costs_what_is_used, 0, STORES);
	tcase_add_loop_test(tcase, threads_read_and_write_at_once, 0, STORES);
	tcase_add_loop_test(tcase, child_of_fork_has_a_copy, 0, STORES);
	tcase_add_loop_test(tcase, random_use_agrees_with_an_array, 0, STORES * MODEL_CAPACITIES);
}

/* What these leave behind is removed by nobody: no fixture, no temporary directory. */
static void setup_to_die(void)
{
	page_size = kmem_host_page_size();
	bytes = aligned_alloc(64, page_size);
	memset(frames, 0, sizeof(frames));
}

static void add_deaths(Suite *suite)
{
	TCase *tcase = tcase_create("deaths");

	tcase_add_checked_fixture(tcase, setup_to_die, NULL);
	tcase_add_loop_test_raise_signal(tcase, location_freed_twice_aborts, SIGABRT, 0, STORES);
	tcase_add_loop_test_raise_signal(tcase, location_never_given_aborts, SIGABRT, 0, STORES);
	tcase_add_test_raise_signal(tcase, ram_store_knows_no_backed_frames, SIGABRT);
	suite_add_tcase(suite, tcase);
}

static void add_cache(Suite *suite)
{
	TCase *tcase = tcase_add(suite, "cache", setup);

	tcase_add_test(tcase, backed_page_goes_out_without_a_write);
	tcase_add_test(tcase, slot_is_stolen_from_a_backed_frame);
	tcase_add_test(tcase, free_slots_are_used_before_any_is_stolen);
	tcase_add_test(tcase, last_slot_that_could_be_stolen_is_for_faults);
	tcase_add_test(tcase, own_copy_is_refused_if_it_is_the_last);
	tcase_add_test(tcase, unmapped_backed_page_gives_its_slot_back);
	tcase_add_test(tcase, frame_in_transit_is_not_stolen_from);
	tcase_add_test(tcase, page_on_its_way_out_keeps_its_slot);
	tcase_add_test(tcase, free_frames_bits_mean_nothing);
	tcase_add_test(tcase, stealing_goes_round);
}

static void add_vectors(Suite *suite)
{
	TCase *tcase = tcase_create("vectors");

	tcase_add_checked_fixture(tcase, vector_setup, vector_teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, vectors_keep_contents, 0, STORES * LENGTHS * ORDERS * 2);
	tcase_add_loop_test(tcase, vector_leaves_the_last_location_to_faults, 0, STORES * CAPACITIES * 2);
	tcase_add_loop_test(tcase, empty_vector_is_done, 0, STORES);
	tcase_add_loop_test(tcase, threads_move_vectors_at_once, 0, STORES);
	tcase_add_test(tcase, pages_that_go_out_together_are_neighbours);
	tcase_add_test(tcase, stretch_of_neighbours_is_one_host_call);
	tcase_add_loop_test(tcase, failed_stretch_tells_what_was_done_before_it, 0, 4);
	tcase_add_loop_test(tcase, host_that_stops_in_a_stretch_tells_where, 0, 8);
	tcase_add_loop_test(tcase, short_transfer_is_gone_on_with, 0, 4);
	tcase_add_test(tcase, file_that_ends_in_a_stretch_tells_where);
	tcase_add_loop_test(tcase, vector_steals_copies_when_nothing_is_free, 0, 2);
	suite_add_tcase(suite, tcase);
}

static void add_own(Suite *suite)
{
	TCase *tcase = tcase_create("vectors of others");

	tcase_add_checked_fixture(tcase, own_setup, vector_teardown);
	tcase_add_loop_test(tcase, vectors_go_to_any_store, 0, 2 * LENGTHS);
	tcase_add_loop_test(tcase, failures_of_any_store_are_told_exactly, 0, 2 * 16);
	tcase_add_loop_test(tcase, wrong_number_is_refused, 0, COUNT(bad_counts));
	tcase_add_loop_test(tcase, bad_location_in_a_vector_ends_it, 0, 2 * 16);
	suite_add_tcase(suite, tcase);
}

static void add_file(Suite *suite)
{
	TCase *tcase = tcase_add(suite, "file", setup);

	tcase_add_test(tcase, file_at_a_path_is_private_and_removed);
	tcase_add_test(tcase, file_that_exists_is_left_alone);
	tcase_add_test(tcase, path_that_cannot_be_is_an_error);
	tcase_add_test(tcase, directory_gets_a_file_without_a_name);
	tcase_add_test(tcase, temporary_file_has_no_name);
	tcase_add_test(tcase, disk_errors_are_returned);
	tcase_add_test(tcase, file_that_was_cut_short_is_an_error);
	tcase_add_test(tcase, child_leaves_the_parents_path);
	tcase_add_test(tcase, failed_copy_leaves_the_parent_as_it_was);
}

static void add_calls(Suite *suite)
{
	TCase *tcase = tcase_add(suite, "calls", probe_setup);

	tcase_add_test(tcase, stores_are_found_by_name);
	tcase_add_loop_test(tcase, good_text_is_parsed, 0, COUNT(good));
	tcase_add_loop_test(tcase, bad_text_is_refused, 0, COUNT(bad));
	tcase_add_loop_test(tcase, calls_are_passed_on_and_marked, 0, 2);
	tcase_add_test(tcase, wrong_version_is_refused);
	tcase_add_loop_test(tcase, missing_member_is_refused, 0, COUNT(mandatory));
	tcase_add_test(tcase, missing_name_is_refused);
	tcase_add_test(tcase, error_of_init_is_passed_on);
	tcase_add_loop_test(tcase, absent_members_are_no_ops, 0, 2);
	tcase_add_loop_test(tcase, bad_location_is_refused, 0, COUNT(bad_locations));
}

Suite *kmem_test_suite(void)
{
	Suite *suite = suite_create("store");

	add_conformance(suite);
	add_cache(suite);
	add_vectors(suite);
	add_file(suite);
	add_calls(suite);
	add_own(suite);
	if (!harness_on_valgrind() && KMEM_DEBUG_LEVEL >= 1) {
		add_deaths(suite);
	}
	return suite;
}
