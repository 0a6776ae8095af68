/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Read-ahead, batches of victims, and advice, by exact counts: which faults a way through memory costs, which pages they bring along, and
 * that neither changes a word. Words hold their own address.
 */
#define _GNU_SOURCE

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <kmem/kmem.h>

#include "expect.h"
#include "harness.h"
#include "state.h"

#include "host/memory.h"
#include "host/thread.h"
#include "kernel/kernel.h"
#include "kernel/paging.h"
#include "kernel/space.h"

#define PAGE 4096UL
#define WORDS (PAGE / sizeof(uintptr_t))
#define FRAMES 1024UL /* more than most tests use: what goes out goes because they say so */
#define WINDOW 16UL
#define PAGES 64UL
#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

static struct harness_leaks leaks;

/* ---- a store of the test's own: reads and writes that fail, or wait ---- */

#define SLOTS 2048UL

static struct {
	uint8_t *bytes; /* of SLOTS pages */
	size_t next[SLOTS];
	size_t free;
	size_t used;
	_Atomic uintptr_t bad_read;  /* the page with this address in its first word cannot be read; 0: none */
	_Atomic uintptr_t bad_write; /* or written */
	_Atomic uintptr_t held;      /* is waited with */
	_Atomic bool is_waiting;
} own;

static int own_init(void **state, const struct kmem_store_params *params)
{
	(void)params;
	*state = &own;
	own.used = 0;
	own.free = 0;
	own.bad_read = 0;
	own.bad_write = 0;
	own.held = 0;
	own.is_waiting = false;
	for (size_t i = 0; i < SLOTS; i++) {
		own.next[i] = i + 1;
	}
	return 0;
}

static int own_location_get(void *state, struct k_mem_page_frame *pf, uintptr_t *location, bool page_fault)
{
	(void)state;
	(void)pf;
	if (SLOTS - own.used <= (page_fault ? 0U : 1U)) {
		return -ENOMEM;
	}
	*location = own.free * PAGE;
	own.free = own.next[own.free];
	own.used++;
	return 0;
}

static void own_location_free(void *state, uintptr_t location)
{
	(void)state;
	own.next[location / PAGE] = own.free;
	own.free = location / PAGE;
	own.used--;
}

static uintptr_t first_word(const void *page)
{
	uintptr_t word;

	memcpy(&word, page, sizeof(word));
	return word;
}

static int own_page_out(void *state, uintptr_t location, const void *page)
{
	(void)state;
	if (own.bad_write != 0 && first_word(page) == own.bad_write) {
		return -EIO;
	}
	memcpy(own.bytes + location, page, PAGE);
	return 0;
}

static int own_page_in(void *state, uintptr_t location, void *page)
{
	uintptr_t word = first_word(own.bytes + location);

	(void)state;
	if (own.bad_read != 0 && word == own.bad_read) {
		return -EIO;
	}
	while (own.held != 0 && word == own.held) {
		own.is_waiting = true;
	}
	memcpy(page, own.bytes + location, PAGE);
	return 0;
}

static void own_page_finalize(void *state, struct k_mem_page_frame *pf, uintptr_t location)
{
	k_mem_page_frame_clear(pf, K_MEM_PAGE_FRAME_BACKED);
	own_location_free(state, location);
}

static const struct kmem_store_ops own_ops = {
	.version = KMEM_STORE_VERSION,
	.name = "own",
	.flags = KMEM_STORE_CONCURRENT,
	.init = own_init,
	.location_get = own_location_get,
	.location_free = own_location_free,
	.page_out = own_page_out,
	.page_in = own_page_in,
	.page_finalize = own_page_finalize,
};

/* ---- what every test uses ---- */

static void boot(struct kmem_config *config)
{
	config->struct_size = sizeof(*config);
	config->vm_size = 64UL << 20;
	config->ram_size = config->ram_size != 0 ? config->ram_size : FRAMES * PAGE;
	ck_assert_msg(kmem_boot(config) == 0, "%s", kmem_boot_error());
}

static void setup(void)
{
	struct kmem_config config = {.readahead = WINDOW};

	harness_leaks_begin(&leaks);
	boot(&config);
}

static void setup_off(void)
{
	struct kmem_config config = {.readahead = 0};

	harness_leaks_begin(&leaks);
	boot(&config);
}

/* RAM is an eighth of what the tests go through. */
#define FEW 128UL
#define MANY (8 * FEW)

static void setup_few(void)
{
	struct kmem_config config = {.readahead = WINDOW, .ram_size = FEW * PAGE};

	harness_leaks_begin(&leaks);
	boot(&config);
}

static void setup_own(void)
{
	struct kmem_config config = {.readahead = WINDOW, .store_ops = &own_ops, .store_pages = SLOTS};

	harness_leaks_begin(&leaks);
	own.bytes = calloc(SLOTS, PAGE);
	ck_assert_ptr_nonnull(own.bytes);
	boot(&config);
}

static void setup_own_few(void)
{
	struct kmem_config config = {.readahead = WINDOW, .store_ops = &own_ops, .store_pages = SLOTS, .ram_size = FEW * PAGE};

	harness_leaks_begin(&leaks);
	own.bytes = calloc(SLOTS, PAGE);
	ck_assert_ptr_nonnull(own.bytes);
	boot(&config);
}

static void teardown(void)
{
	ck_assert(kmem_is_valid());
	(void)kmem_shutdown();
	free(own.bytes);
	own.bytes = NULL;
	harness_leaks_check(&leaks);
}

static uintptr_t *map(size_t pages)
{
	uintptr_t *words = k_mem_map(pages * PAGE, K_MEM_PERM_RW);

	ck_assert_ptr_nonnull(words);
	return words;
}

static void fill(uintptr_t *words, size_t pages)
{
	for (size_t i = 0; i < pages * WORDS; i++) {
		words[i] = (uintptr_t)&words[i];
	}
}

static void check(const uintptr_t *words, size_t pages)
{
	for (size_t i = 0; i < pages * WORDS; i++) {
		if (words[i] != (uintptr_t)&words[i]) {
			ck_abort_msg("word %zu holds 0x%zx", i, (size_t)words[i]);
		}
	}
}

/* Pages with words in them, that are out. */
static uintptr_t *map_out(size_t pages)
{
	uintptr_t *words = map(pages);

	fill(words, pages);
	ck_assert_int_eq(k_mem_page_out(words, pages * PAGE), 0);
	return words;
}

static bool is_in(const uintptr_t *words, size_t page)
{
	return status_of(words + page * WORDS).state == KMEM_PAGE_STATE_IN;
}

static void touch(const uintptr_t *words, size_t page)
{
	const volatile uintptr_t *word = words + page * WORDS;

	if (*word != (uintptr_t)word) {
		ck_abort_msg("page %zu holds 0x%zx", page, (size_t)*word);
	}
}

/* What was counted since, by a thread that had no streams before. */
static struct kmem_stats before;

static void count_begin(void)
{
	memset(&kmem_thread_self()->streams, 0, sizeof(kmem_thread_self()->streams));
	before = stats_now();
}

#define COUNTED(member) (stats_now().member - before.member)

static void counts_check(unsigned long faults, unsigned long ahead)
{
	ck_assert_uint_eq(COUNTED(pagefaults.cnt), faults);
	ck_assert_uint_eq(COUNTED(readahead_pages), ahead);
}

/* ---- streams ---- */

/*
 * Faults of PAGES steps: two (three, where the step is not a page) before the first window, and one for each window: of 2, 4, 8 pages, and
 * of WINDOW from then on.
 */
#define STREAM_FAULTS 8UL /* 0 1 2+ 4+ 8+ 16+ 32+ 48+ */
#define STRIDED_FAULTS 9UL /* 0 1 2 3+ 5+ 9+ 17+ 33+ 49+ */

START_TEST(forwards_a_fault_a_window)
{
	uintptr_t *words = map_out(PAGES);

	count_begin();
	for (size_t i = 0; i < PAGES; i++) {
		touch(words, i);
	}
	counts_check(STREAM_FAULTS, PAGES - STREAM_FAULTS);
	ck_assert_uint_eq(COUNTED(store_reads), PAGES);
	ck_assert_uint_eq(COUNTED(minor_faults), 0);
	check(words, PAGES);
}
END_TEST

START_TEST(backwards_a_fault_a_window)
{
	uintptr_t *words = map_out(PAGES);

	count_begin();
	for (size_t i = PAGES; i-- > 0;) {
		touch(words, i);
	}
	counts_check(STREAM_FAULTS, PAGES - STREAM_FAULTS);
	check(words, PAGES);
}
END_TEST

static const long strides[] = {2, 3, 7, 16, -2, -5};

START_TEST(strided_a_fault_a_window)
{
	size_t stride = (size_t)labs(strides[_i]);
	uintptr_t *words = map_out(PAGES * stride);

	count_begin();
	for (size_t i = 0; i < PAGES; i++) {
		touch(words, (strides[_i] > 0 ? i : PAGES - 1 - i) * stride);
	}
	counts_check(STRIDED_FAULTS, PAGES - STRIDED_FAULTS);
	for (size_t i = 0; i < PAGES * stride; i++) {
		ck_assert_int_eq(is_in(words, i), i % stride == 0);
	}
}
END_TEST

/* No three squares are neighbours, and no four are at equal distances. */
START_TEST(no_order_brings_nothing_along)
{
	const size_t steps = 28;
	uintptr_t *words = map_out(steps * steps);

	count_begin();
	for (size_t i = 0; i < steps; i++) {
		touch(words, i * i);
	}
	counts_check(steps, 0);
}
END_TEST

START_TEST(streams_side_by_side_are_told_apart)
{
	uintptr_t *first = map_out(PAGES);
	uintptr_t *second = map_out(PAGES);
	uintptr_t *third = map_out(PAGES);

	count_begin();
	for (size_t i = 0; i < PAGES; i++) {
		touch(first, i);
		touch(second, PAGES - 1 - i);
		touch(third, i);
	}
	counts_check(3 * STREAM_FAULTS, 3 * (PAGES - STREAM_FAULTS));
}
END_TEST

START_TEST(off_each_page_faults)
{
	uintptr_t *words = map_out(PAGES);

	count_begin();
	for (size_t i = 0; i < PAGES; i++) {
		touch(words, i);
	}
	counts_check(PAGES, 0);
	ck_assert_int_eq(k_mem_page_out(words, PAGES * PAGE), 0);
	ck_assert_int_eq(kmem_advise(words, PAGES * PAGE, KMEM_ADVICE_SEQUENTIAL), 0);
	count_begin();
	for (size_t i = 0; i < PAGES; i++) {
		touch(words, i);
	}
	counts_check(PAGES, 0);
}
END_TEST

START_TEST(pages_never_touched_come_along_as_zeroes)
{
	volatile uintptr_t *words = map(PAGES);

	count_begin();
	for (size_t i = 0; i < PAGES * WORDS; i++) {
		ck_assert_msg(words[i] == 0, "word %zu", i);
		words[i] = i;
	}
	counts_check(STREAM_FAULTS, PAGES - STREAM_FAULTS);
}
END_TEST

/* ---- what a window meets ---- */

static void out_check(const uintptr_t *words, size_t pages)
{
	for (size_t i = 0; i < pages; i++) {
		ck_assert_int_eq(status_of(words + i * WORDS).state, KMEM_PAGE_STATE_OUT);
	}
}

/* Regions are mapped from above, with two guard pages between them: fewer than the last windows have. */
START_TEST(window_ends_with_its_region)
{
	const size_t pages = 20;
	uintptr_t *above = map_out(pages);
	uintptr_t *below = map_out(pages);

	ck_assert(below < above && above - below < (ptrdiff_t)((pages + 4) * WORDS));
	count_begin();
	for (size_t i = pages; i-- > 0;) {
		touch(above, i);
	}
	/* 19 18 17+ 15+ 11+ 3+ */
	counts_check(6, pages - 6);
	out_check(below, pages);
	ck_assert_int_eq(k_mem_page_out(above, pages * PAGE), 0);
	count_begin();
	for (size_t i = 0; i < pages; i++) {
		touch(below, i);
	}
	/* 0 1 2+ 4+ 8+ 16+ */
	counts_check(6, pages - 6);
	out_check(above, pages);
}
END_TEST

START_TEST(pages_that_are_in_are_passed_over)
{
	uintptr_t *words = map_out(PAGES);

	k_mem_page_in(words + 10 * WORDS, 3 * PAGE);
	k_mem_page_in(words + 16 * WORDS, PAGE);
	count_begin();
	for (size_t i = 0; i < PAGES; i++) {
		touch(words, i);
	}
	/* 0 1 2+ 4+ 8+, behind the window and one page further 17+ 33+ 49+ */
	counts_check(8, PAGES - 4 - 8);
	check(words, PAGES);
}
END_TEST

START_TEST(pages_that_allow_nothing_stay_out)
{
	uintptr_t addr = 0;
	uintptr_t *words;

	ck_assert_int_eq(kmem_space_map(&addr, PAGES * PAGE, PAGE, KMEM_PROT_READ | KMEM_PROT_WRITE, KMEM_SPACE_ANYWHERE), 0);
	words = (uintptr_t *)addr;
	fill(words, PAGES);
	ck_assert_int_eq(k_mem_page_out(words, PAGES * PAGE), 0);
	/* One region still: its permissions are the same again, but for a page that allowed nothing in between. */
	ck_assert_int_eq(kmem_space_protect(addr + 9 * PAGE, PAGE, KMEM_PROT_NONE), 0);
	for (size_t i = 0; i < 9; i++) {
		touch(words, i);
	}
	ck_assert(!is_in(words, 9));
	ck_assert_int_eq(kmem_space_protect(addr + 9 * PAGE, PAGE, KMEM_PROT_READ | KMEM_PROT_WRITE), 0);
	check(words, PAGES);
	ck_assert_int_eq(kmem_space_unmap(addr, PAGES * PAGE), 0);
}
END_TEST

static uintptr_t *shared_words;

static void *one_page_toucher(void *arg)
{
	touch(shared_words, (size_t)(uintptr_t)arg);
	return NULL;
}

/* Another thread brings a page in that lies in the windows: they do without it. */
START_TEST(busy_pages_are_not_waited_for)
{
	uintptr_t *words = map_out(PAGES);
	pthread_t thread;

	shared_words = words;
	own.held = (uintptr_t)(words + 10 * WORDS);
	ck_assert_int_eq(pthread_create(&thread, NULL, one_page_toucher, (void *)10UL), 0);
	while (!own.is_waiting) {
	}
	count_begin();
	for (size_t i = 0; i < PAGES; i++) {
		if (i != 10) {
			touch(words, i);
		}
	}
	counts_check(STREAM_FAULTS, PAGES - 1 - STREAM_FAULTS);
	ck_assert_uint_eq(COUNTED(waits), 0);
	ck_assert_int_eq(status_of(words + 10 * WORDS).state, KMEM_PAGE_STATE_BUSY);
	own.held = 0;
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	check(words, PAGES);
}
END_TEST

/* Valgrind makes no read whose result nobody wants. */
static volatile uintptr_t seen;

START_TEST(neighbour_that_cannot_be_read_stays_out_alone)
{
	uintptr_t *words = map_out(PAGES);
	volatile uintptr_t *bad = words + 10 * WORDS;

	own.bad_read = (uintptr_t)bad;
	count_begin();
	for (size_t i = 0; i < 10; i++) {
		touch(words, i);
	}
	/* 0 1 2+ 4+ 8+ */
	counts_check(5, 16 - 5 - 1);
	ck_assert_uint_eq(COUNTED(store_errors), 1);
	ck_assert_int_eq(status_of((void *)bad).state, KMEM_PAGE_STATE_OUT);
	for (size_t i = 11; i < 16; i++) {
		ck_assert(is_in(words, i));
	}
	/* To the thread that needs it, it is fatal. */
	EXPECT_KIND(seen = *bad, KMEM_FAULT_STORE);
	ck_assert(kmem_is_valid());
	own.bad_read = 0;
	check(words, PAGES);
}
END_TEST

START_TEST(asked_page_that_cannot_be_read_leaves_its_neighbours_in)
{
	uintptr_t *words = map_out(PAGES);
	volatile uintptr_t *bad = words + 8 * WORDS;

	for (size_t i = 0; i < 8; i++) {
		touch(words, i);
	}
	own.bad_read = (uintptr_t)bad;
	EXPECT_KIND(seen = *bad, KMEM_FAULT_STORE);
	ck_assert_int_eq(status_of((void *)bad).state, KMEM_PAGE_STATE_OUT);
	ck_assert(is_in(words, 9) && is_in(words, 15) && !is_in(words, 16));
	own.bad_read = 0;
	check(words, PAGES);
}
END_TEST

/* ---- reading and writing ---- */

START_TEST(readers_pages_stay_clean)
{
	uintptr_t *words = map_out(PAGES);

	for (size_t i = 0; i < PAGES; i++) {
		touch(words, i);
	}
	for (size_t i = 0; i < PAGES; i++) {
		ck_assert(!status_of(words + i * WORDS).dirty);
	}
}
END_TEST

START_TEST(writers_pages_need_no_second_trap)
{
	uintptr_t *words = map_out(PAGES);

	count_begin();
	fill(words, PAGES);
	counts_check(STREAM_FAULTS, PAGES - STREAM_FAULTS);
	ck_assert_uint_eq(COUNTED(minor_faults), 0);
}
END_TEST

/* Who reads first and writes then is found out: of each window one page traps twice. */
START_TEST(who_reads_and_writes_traps_twice_a_window)
{
	uintptr_t *words = map_out(PAGES);

	count_begin();
	for (size_t i = 0; i < PAGES; i++) {
		touch(words, i);
		words[i * WORDS + 1] = (uintptr_t)&words[i * WORDS + 1];
	}
	counts_check(STREAM_FAULTS, PAGES - STREAM_FAULTS);
	/* The neighbour in the first window was read-only still. */
	ck_assert_uint_eq(COUNTED(minor_faults), STREAM_FAULTS + 1);
	check(words, PAGES);
}
END_TEST

/* ---- threads ---- */

#define THREADS 4

struct walker {
	pthread_t thread;
	uintptr_t *words;
	struct kmem_stats stats;
};

static void *walk(void *arg)
{
	struct walker *walker = arg;

	for (size_t i = 0; i < PAGES; i++) {
		touch(walker->words, i);
	}
	(void)kmem_thread_stats_get(0, &walker->stats);
	return NULL;
}

START_TEST(each_thread_has_streams_of_its_own)
{
	struct walker walkers[THREADS];

	for (int i = 0; i < THREADS; i++) {
		walkers[i].words = map_out(PAGES);
	}
	for (int i = 0; i < THREADS; i++) {
		ck_assert_int_eq(pthread_create(&walkers[i].thread, NULL, walk, &walkers[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		ck_assert_int_eq(pthread_join(walkers[i].thread, NULL), 0);
		ck_assert_uint_eq(walkers[i].stats.pagefaults.cnt, STREAM_FAULTS);
		ck_assert_uint_eq(walkers[i].stats.readahead_pages, PAGES - STREAM_FAULTS);
	}
}
END_TEST

/* ---- short of frames ---- */

START_TEST(streams_go_on_where_victims_make_room)
{
	uintptr_t *words = map(MANY);
	struct kmem_usage usage;

	fill(words, MANY);
	for (int round = 0; round < 2; round++) {
		count_begin();
		check(words, MANY);
		ck_assert_uint_ge(COUNTED(readahead_pages), MANY / 2);
		ck_assert_uint_eq(COUNTED(pagefaults.cnt) + COUNTED(readahead_pages), COUNTED(store_reads));
		ck_assert_uint_ge(COUNTED(eviction.dirty) + COUNTED(eviction.clean), MANY - 2 * FEW);
	}
	usage = usage_now();
	/* A batch leaves a few frames free, no more. */
	ck_assert_uint_le(usage.frames_free, FEW / 8);
}
END_TEST

START_TEST(pages_that_cannot_be_written_stay_in_and_others_go)
{
	uintptr_t *words = map(MANY);

	fill(words, FEW / 2);
	own.bad_write = (uintptr_t)(words + 5 * WORDS);
	fill(words, MANY);
	check(words, MANY);
	ck_assert(is_in(words, 5));
	ck_assert_uint_gt(stats_now().store_errors, 0);
	ck_assert(kmem_is_valid());
	own.bad_write = 0;
	check(words, MANY);
}
END_TEST

START_TEST(cleaning_frees_frames)
{
	uintptr_t *words = map(MANY);
	bool is_done;
	kmem_sigmask saved;

	fill(words, MANY);
	count_begin();
	kmem_kernel_lock(&saved);
	is_done = kmem_paging_clean(FEW / 2);
	kmem_kernel_unlock(&saved);
	ck_assert(is_done);
	ck_assert_uint_ge(usage_now().frames_free, FEW / 2);
	/* Nobody's faults. */
	ck_assert_uint_eq(COUNTED(eviction.dirty) + COUNTED(eviction.clean), 0);
	check(words, MANY);
	k_mem_pin(words, FEW / 2 * PAGE);
	kmem_kernel_lock(&saved);
	is_done = kmem_paging_clean(FEW);
	kmem_kernel_unlock(&saved);
	ck_assert(!is_done);
	check(words, MANY);
}
END_TEST

/* ---- advice ---- */

START_TEST(sequential_begins_with_the_largest_window)
{
	uintptr_t *words = map_out(PAGES);

	ck_assert_int_eq(kmem_advise(words, PAGES * PAGE, KMEM_ADVICE_SEQUENTIAL), 0);
	count_begin();
	for (size_t i = 0; i < PAGES; i++) {
		touch(words, i);
	}
	counts_check(PAGES / WINDOW, PAGES - PAGES / WINDOW);
	/* Until something else is said. */
	ck_assert_int_eq(kmem_advise(words, PAGES * PAGE, KMEM_ADVICE_NORMAL), 0);
	ck_assert_int_eq(k_mem_page_out(words, PAGES * PAGE), 0);
	count_begin();
	touch(words, 0);
	counts_check(1, 0);
}
END_TEST

START_TEST(sequential_lets_go_what_is_behind)
{
	uintptr_t *kept = map(FEW / 2);
	uintptr_t *words = map(MANY);

	ck_assert_int_eq(kmem_advise(words, MANY * PAGE, KMEM_ADVICE_SEQUENTIAL), 0);
	fill(kept, FEW / 2);
	fill(words, MANY);
	check(words, MANY);
	/* All the way through eight times RAM, and what was there before is there still. */
	for (size_t i = 0; i < FEW / 2; i++) {
		ck_assert_msg(is_in(kept, i), "page %zu", i);
	}
	check(kept, FEW / 2);
}
END_TEST

START_TEST(random_brings_nothing_along)
{
	uintptr_t *words = map_out(PAGES);

	/* A part of a region. */
	ck_assert_int_eq(kmem_advise(words, PAGES / 2 * PAGE, KMEM_ADVICE_RANDOM), 0);
	count_begin();
	for (size_t i = 0; i < PAGES / 2; i++) {
		touch(words, i);
	}
	counts_check(PAGES / 2, 0);
	for (size_t i = PAGES / 2; i < PAGES; i++) {
		touch(words, i);
	}
	ck_assert_uint_gt(COUNTED(readahead_pages), 0);
}
END_TEST

START_TEST(will_need_brings_in)
{
	uintptr_t *words = map_out(PAGES);

	count_begin();
	ck_assert_int_eq(kmem_advise(words, PAGES * PAGE, KMEM_ADVICE_WILL_NEED), 0);
	counts_check(0, PAGES);
	for (size_t i = 0; i < PAGES; i++) {
		touch(words, i);
	}
	counts_check(0, PAGES);
	ck_assert_uint_eq(COUNTED(minor_faults), 0);
}
END_TEST

/* Never touched, no use. */
START_TEST(will_need_leaves_new_pages_alone)
{
	uintptr_t *words = map(PAGES);

	count_begin();
	ck_assert_int_eq(kmem_advise(words, PAGES * PAGE, KMEM_ADVICE_WILL_NEED), 0);
	counts_check(0, 0);
	ck_assert_int_eq(k_mem_page_out(words, PAGES * PAGE), 0);
}
END_TEST

START_TEST(will_need_ends_where_it_would_cost_others)
{
	uintptr_t *words = map(MANY);

	fill(words, MANY);
	count_begin();
	ck_assert_int_eq(kmem_advise(words, MANY * PAGE, KMEM_ADVICE_WILL_NEED), 0);
	ck_assert_uint_le(COUNTED(readahead_pages), FEW / 8 + FEW / 8);
	ck_assert_uint_ge(COUNTED(readahead_pages), FEW / 8);
	check(words, MANY);
}
END_TEST

START_TEST(will_not_need_keeps_contents_and_pinned_pages)
{
	uintptr_t *words = map(PAGES);

	fill(words, PAGES);
	k_mem_pin(words + 7 * WORDS, PAGE);
	count_begin();
	ck_assert_int_eq(kmem_advise(words, PAGES * PAGE, KMEM_ADVICE_WILL_NOT_NEED), 0);
	ck_assert_uint_eq(COUNTED(store_writes), PAGES - 1);
	for (size_t i = 0; i < PAGES; i++) {
		ck_assert_int_eq(is_in(words, i), i == 7);
	}
	check(words, PAGES);
}
END_TEST

START_TEST(will_not_need_tells_what_could_not_be_written)
{
	uintptr_t *words = map(PAGES);

	fill(words, PAGES);
	own.bad_write = (uintptr_t)(words + 9 * WORDS);
	ck_assert_int_eq(kmem_advise(words, PAGES * PAGE, KMEM_ADVICE_WILL_NOT_NEED), -EIO);
	for (size_t i = 0; i < PAGES; i++) {
		ck_assert_int_eq(is_in(words, i), i == 9);
	}
	check(words, PAGES);
}
END_TEST

START_TEST(cold_pages_go_first)
{
	uintptr_t *words = map(FEW / 2);
	uintptr_t *cold = map(FEW / 4);
	uintptr_t *more = map(FEW / 4);

	fill(words, FEW / 2);
	fill(cold, FEW / 4);
	ck_assert_int_eq(kmem_advise(cold, FEW / 4 * PAGE, KMEM_ADVICE_COLD), 0);
	for (size_t i = 0; i < FEW / 4; i++) {
		ck_assert(is_in(cold, i) && !status_of(cold + i * WORDS).accessed);
	}
	ck_assert(status_of(words).accessed);
	fill(more, FEW / 4);
	check(cold, FEW / 4);
	check(words, FEW / 2);
}
END_TEST

START_TEST(advice_is_checked)
{
	uintptr_t *words = map(4);
	char *bytes = (char *)words;
	const enum kmem_advice all[] = {
		KMEM_ADVICE_NORMAL,    KMEM_ADVICE_SEQUENTIAL,    KMEM_ADVICE_RANDOM,
		KMEM_ADVICE_WILL_NEED, KMEM_ADVICE_WILL_NOT_NEED, KMEM_ADVICE_COLD,
	};

	fill(words, 4);
	for (int i = 0; i < COUNT(all); i++) {
		ck_assert_int_eq(kmem_advise(bytes, 4 * PAGE, all[i]), 0);
		/* The page is meant, of which a byte is said. */
		ck_assert_int_eq(kmem_advise(bytes, 1, all[i]), 0);
		ck_assert_int_eq(kmem_advise(bytes, 3 * PAGE + 1, all[i]), 0);
		ck_assert_int_eq(kmem_advise(bytes, 0, all[i]), 0);
		ck_assert_int_eq(kmem_advise(bytes + 1, PAGE, all[i]), -EINVAL);
		ck_assert_int_eq(kmem_advise(bytes, SIZE_MAX, all[i]), -EINVAL);
		ck_assert_int_eq(kmem_advise(NULL, PAGE, all[i]), -EINVAL);
		/* With a guard page on either side. */
		ck_assert_int_eq(kmem_advise(bytes - PAGE, 2 * PAGE, all[i]), -ENOMEM);
		ck_assert_int_eq(kmem_advise(bytes, 5 * PAGE, all[i]), -ENOMEM);
		check(words, 4);
	}
	ck_assert_int_eq(kmem_advise(words, PAGE, (enum kmem_advice)99), -EINVAL);
	ck_assert(kmem_is_valid());
}
END_TEST

/* ---- all of it at once ---- */

#define STRESS_PAGES 256UL
#define STRESS_STEPS 1000UL
#define STRESS_STEPS_SLOW 50UL /* under Valgrind */

struct worker {
	pthread_t thread;
	uintptr_t *words;
	uint64_t state;
};

static void stress_step(struct worker *worker)
{
	uint64_t random = harness_random(&worker->state);
	size_t first = random % STRESS_PAGES;
	size_t count = 1 + (random >> 16) % (STRESS_PAGES - first);
	uintptr_t *words = worker->words + first * WORDS;

	count = count > 48 ? 48 : count;
	switch ((random >> 32) % 12) {
	case 0:
		(void)kmem_advise(words, count * PAGE, (enum kmem_advice)((random >> 40) % (KMEM_ADVICE_COLD + 1)));
		break;
	case 1:
		(void)k_mem_page_out(words, (count & 7) * PAGE);
		break;
	case 2:
		k_mem_page_in(words, (count & 15) * PAGE);
		break;
	case 3:
		k_mem_pin(words, (count & 3) * PAGE);
		k_mem_unpin(words, (count & 3) * PAGE);
		break;
	case 4:
	case 5:
		fill(words, count);
		break;
	case 6:
	case 7:
		for (size_t i = count; i-- > 0;) {
			check(words + i * WORDS, 1);
		}
		break;
	default:
		check(words, count);
		break;
	}
}

static void *stress(void *arg)
{
	const size_t steps = harness_on_valgrind() ? STRESS_STEPS_SLOW : STRESS_STEPS;
	struct worker *worker = arg;

	for (size_t i = 0; i < steps; i++) {
		stress_step(worker);
	}
	check(worker->words, STRESS_PAGES);
	return NULL;
}

static const struct {
	const char *policy, *store;
	size_t cleaner_frames;
} mixes[] = {
	{"clock", "ram", 0},
	{"lru", "ram", 0},
	{"nru", "file", 0},
	{"clock", "file", 16},
};

START_TEST(words_survive_all_of_it_at_once)
{
	struct kmem_config config = {
		.readahead = WINDOW,
		.ram_size = 192 * PAGE,
		.policy = mixes[_i].policy,
		.store = mixes[_i].store,
		.cleaner_frames = mixes[_i].cleaner_frames,
	};
	struct worker workers[THREADS];

	boot(&config);
	for (int i = 0; i < THREADS; i++) {
		workers[i].words = map(STRESS_PAGES);
		workers[i].state = harness_seed() + (uint64_t)i;
		fill(workers[i].words, STRESS_PAGES);
	}
	for (int i = 0; i < THREADS; i++) {
		ck_assert_int_eq(pthread_create(&workers[i].thread, NULL, stress, &workers[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		ck_assert_int_eq(pthread_join(workers[i].thread, NULL), 0);
	}
	ck_assert(kmem_is_valid());
}
END_TEST

/* Without a look at what is left behind: the C library keeps some stacks of threads that have ended. */
static void teardown_stress(void)
{
	ck_assert(kmem_is_valid());
	(void)kmem_shutdown();
}

static void case_add(Suite *suite, const char *name, void (*begin)(void), const TTest *const *tests, size_t count)
{
	TCase *tcase = tcase_create(name);

	tcase_add_checked_fixture(tcase, begin, teardown);
	for (size_t i = 0; i < count; i++) {
		tcase_add_test(tcase, tests[i]);
	}
	suite_add_tcase(suite, tcase);
}

#define CASE(suite, begin, ...)                                                                                        \
	do {                                                                                                           \
		const TTest *const tests_[] = {__VA_ARGS__};                                                           \
		case_add(suite, #begin, begin, tests_, sizeof(tests_) / sizeof(tests_[0]));                            \
	} while (0)

Suite *kmem_test_suite(void)
{
	Suite *suite = suite_create("readahead");
	TCase *tcase;

	CASE(suite, setup, forwards_a_fault_a_window, backwards_a_fault_a_window, no_order_brings_nothing_along,
	     streams_side_by_side_are_told_apart, pages_never_touched_come_along_as_zeroes, window_ends_with_its_region,
	     pages_that_are_in_are_passed_over, pages_that_allow_nothing_stay_out, readers_pages_stay_clean,
	     writers_pages_need_no_second_trap, who_reads_and_writes_traps_twice_a_window, each_thread_has_streams_of_its_own,
	     sequential_begins_with_the_largest_window, random_brings_nothing_along, will_need_brings_in,
	     will_need_leaves_new_pages_alone, will_not_need_keeps_contents_and_pinned_pages, advice_is_checked);
	CASE(suite, setup_off, off_each_page_faults, will_need_brings_in, will_not_need_keeps_contents_and_pinned_pages, advice_is_checked);
	CASE(suite, setup_few, streams_go_on_where_victims_make_room, cleaning_frees_frames, sequential_lets_go_what_is_behind,
	     will_need_ends_where_it_would_cost_others, cold_pages_go_first);
	CASE(suite, setup_own, busy_pages_are_not_waited_for, neighbour_that_cannot_be_read_stays_out_alone,
	     asked_page_that_cannot_be_read_leaves_its_neighbours_in, will_not_need_tells_what_could_not_be_written);
	CASE(suite, setup_own_few, pages_that_cannot_be_written_stay_in_and_others_go);

	tcase = tcase_create("strides");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, strided_a_fault_a_window, 0, COUNT(strides));
	suite_add_tcase(suite, tcase);

	tcase = tcase_create("stress");
	tcase_add_checked_fixture(tcase, NULL, teardown_stress);
	/* Valgrind takes a thread's stack and its alternate stack for one. */
	if (!harness_on_valgrind()) {
		tcase_add_loop_test(tcase, words_survive_all_of_it_at_once, 0, COUNT(mixes));
	}
	tcase_set_timeout(tcase, 240);
	suite_add_tcase(suite, tcase);
	return suite;
}
