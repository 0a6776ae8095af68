/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cleaner: frames become free behind the program's back where RAM is short, and nothing happens where it is not; a store that
 * refuses, forks, shutdown and the end of the process. Words hold their own address.
 *
 * What a thread does by itself is waited for, for long; nothing depends on how soon it comes.
 */
#define _GNU_SOURCE

#include "harness.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <kmem/kmem.h>

#include "host/clock.h"
#include "host/helper.h"
#include "host/thread.h"
#include "kernel/kernel.h"
#include "kernel/paging_section.h"

#define PAGE 4096UL
#define WORDS (PAGE / sizeof(uintptr_t))
#define FRAMES 64UL
#define GOAL 16UL
#define PAGES 200UL /* well above RAM */

#define WAIT_S 60

/* Until a condition is true, or for so long that it never will be. */
#define WAIT_FOR(condition)                                                                                            \
	do {                                                                                                           \
		time_t end_ = time(NULL) + WAIT_S;                                                                     \
		bool is_true_ = (condition);                                                                           \
		while (!is_true_ && time(NULL) < end_) {                                                               \
			usleep(1000);                                                                                  \
			is_true_ = (condition);                                                                        \
		}                                                                                                      \
		ck_assert_msg(is_true_, "waited in vain for: %s", #condition);                                         \
	} while (0)

static uintptr_t *area;

/* ---- the machine ---- */

static struct kmem_config config_of(size_t goal)
{
	return (struct kmem_config){
		.struct_size = sizeof(struct kmem_config),
		.vm_size = 16UL << 20,
		.ram_size = FRAMES * PAGE,
		.cleaner_frames = goal,
	};
}

static void start(const struct kmem_config *config)
{
	ck_assert_int_eq(kmem_boot(config), 0);
	area = k_mem_map(PAGES * PAGE, K_MEM_PERM_RW);
	ck_assert_ptr_nonnull(area);
}

static uintptr_t *page_at(size_t page)
{
	return area + page * WORDS;
}

static void write_pages(size_t from, size_t to)
{
	for (size_t page = from; page < to; page++) {
		volatile uintptr_t *word = page_at(page);

		*word = (uintptr_t)word;
	}
}

static void check_pages(size_t from, size_t to)
{
	for (size_t page = from; page < to; page++) {
		volatile uintptr_t *word = page_at(page);

		ck_assert_uint_eq(*word, (uintptr_t)word);
	}
}

static size_t frames_free(void)
{
	struct kmem_usage usage;

	ck_assert_int_eq(kmem_usage_get(&usage), 0);
	return usage.frames_free;
}

static struct kmem_stats stats_now(void)
{
	struct kmem_stats stats;

	ck_assert_int_eq(kmem_stats_get(&stats), 0);
	return stats;
}

/* Whether so many frames become free once more were asked for than there are. Where they have run short seldom, there may be fewer. */
static bool become_free(size_t count)
{
	write_pages(0, PAGES);
	for (int look = 0; look < 20 && frames_free() < count; look++) {
		usleep(1000);
	}
	return frames_free() >= count;
}

/* ---- threads ---- */

/* The process's threads; *other is one that is not the calling one. */
static size_t threads(pid_t *other)
{
	DIR *dir = opendir("/proc/self/task");
	size_t count = 0;

	ck_assert_ptr_nonnull(dir);
	*other = 0;
	for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
		pid_t tid = atoi(entry->d_name);

		count += tid != 0 ? 1 : 0;
		*other = tid != 0 && tid != gettid() ? tid : *other;
	}
	closedir(dir);
	return count;
}

static size_t thread_count(void)
{
	pid_t other;

	return threads(&other);
}

static pid_t other_thread(void)
{
	pid_t other;

	(void)threads(&other);
	return other;
}

/* How often a thread has gone to sleep or been made to, in its life; *state is its state now. */
static unsigned long switches(pid_t tid, char *state)
{
	unsigned long sum = 0;
	char line[256];
	FILE *file;

	snprintf(line, sizeof(line), "/proc/self/task/%d/status", tid);
	file = fopen(line, "re");
	ck_assert_ptr_nonnull(file);
	while (fgets(line, sizeof(line), file) != NULL) {
		unsigned long number;

		(void)sscanf(line, "State: %c", state);
		if (sscanf(line, "voluntary_ctxt_switches: %lu", &number) == 1 ||
		    sscanf(line, "nonvoluntary_ctxt_switches: %lu", &number) == 1) {
			sum += number;
		}
	}
	fclose(file);
	return sum;
}

static bool is_asleep(pid_t tid)
{
	char state = '?';

	(void)switches(tid, &state);
	return state == 'S';
}

/* ---- with the built-in store ---- */

START_TEST(frames_become_free_by_themselves)
{
	struct kmem_config config = config_of(GOAL);

	config.store = _i % 2 == 0 ? "ram" : "file";
	config.readahead = _i / 2 == 0 ? 0 : 8;
	start(&config);
	for (int round = 0; round < 20; round++) {
		WAIT_FOR(become_free(GOAL));
		ck_assert(kmem_is_valid());
		check_pages(0, PAGES);
	}
	ck_assert(kmem_is_valid());
	ck_assert_int_eq(kmem_shutdown(), 0);
}
END_TEST

START_TEST(goal_is_reached)
{
	static const size_t goals[] = {1, 2, 17, FRAMES / 2};
	struct kmem_config config = config_of(goals[_i]);

	start(&config);
	for (int round = 0; round < 10; round++) {
		WAIT_FOR(become_free(goals[_i]));
		ck_assert_uint_le(frames_free(), goals[_i] + KMEM_PAGING_VECTOR);
		check_pages(0, PAGES);
	}
	ck_assert_int_eq(kmem_shutdown(), 0);
}
END_TEST

START_TEST(without_it_there_is_no_thread)
{
	struct kmem_config config = config_of(_i == 0 ? 0 : GOAL);

	config.demand_paging = _i == 0 ? KMEM_SWITCH_ON : KMEM_SWITCH_OFF;
	ck_assert_int_eq(kmem_boot(&config), 0);
	area = k_mem_map(FRAMES / 2 * PAGE, K_MEM_PERM_RW);
	ck_assert_ptr_nonnull(area);
	write_pages(0, FRAMES / 2);
	ck_assert_uint_eq(thread_count(), 1);
	ck_assert_int_eq(kmem_shutdown(), 0);
}
END_TEST

/* All of RAM is used, and enough: nobody wakes, and nothing goes out. */
START_TEST(nothing_happens_without_pressure)
{
	struct kmem_config config = config_of(GOAL);
	unsigned long before;
	char state;
	pid_t cleaner;

	start(&config);
	cleaner = other_thread();
	ck_assert_int_ne(cleaner, 0);
	WAIT_FOR(is_asleep(cleaner));
	before = switches(cleaner, &state);
	write_pages(0, frames_free());
	ck_assert_uint_eq(frames_free(), 0);
	for (int round = 0; round < 20; round++) {
		check_pages(0, FRAMES);
		usleep(20000);
	}
	ck_assert_uint_eq(switches(cleaner, &state), before);
	ck_assert_uint_eq(stats_now().pagefaults.cnt, FRAMES);
	ck_assert_uint_eq(stats_now().store_writes, 0);
	ck_assert_int_eq(kmem_shutdown(), 0);
}
END_TEST

/* What the program uses fits in RAM again, but not beside the frames that are to be free. */
START_TEST(pressure_that_has_passed_costs_no_faults)
{
	struct kmem_config config = config_of(GOAL);
	unsigned int quiet = 0;

	start(&config);
	write_pages(0, PAGES);
	for (int round = 0; round < 2000 && quiet < 20; round++) {
		unsigned long faults = stats_now().pagefaults.cnt;

		check_pages(0, FRAMES - 2);
		usleep(1000);
		quiet = stats_now().pagefaults.cnt == faults ? quiet + 1 : 0;
	}
	ck_assert_uint_eq(quiet, 20);
	/* It begins again with the next shortage. */
	WAIT_FOR(become_free(GOAL));
	ck_assert_int_eq(kmem_shutdown(), 0);
}
END_TEST

static void *write_in_turn(void *arg)
{
	for (int round = 0; round < 50; round++) {
		write_pages((uintptr_t)arg, PAGES);
	}
	return NULL;
}

START_TEST(shutdown_stops_it_at_any_time)
{
	for (int round = 0; round < 30; round++) {
		struct kmem_config config = config_of(GOAL);
		pthread_t thread;

		start(&config);
		ck_assert_int_eq(pthread_create(&thread, NULL, write_in_turn, (void *)(PAGES / 2)), 0);
		write_pages(0, PAGES / 2);
		pthread_join(thread, NULL);
		ck_assert(kmem_is_valid());
		ck_assert_int_eq(kmem_shutdown(), 0);
	}
	WAIT_FOR(thread_count() == 1);
}
END_TEST

/* The C library asks every thread to change its user, and waits for each. */
START_TEST(process_can_change_its_user)
{
	struct kmem_config config = config_of(GOAL);

	start(&config);
	ck_assert_int_eq(setuid(getuid()), 0);
	ck_assert_int_eq(setgid(getgid()), 0);
	ck_assert_int_eq(kmem_shutdown(), 0);
}
END_TEST

/* ---- a store that fails for the cleaner ---- */

#define SLOTS 512UL

static struct {
	uint8_t bytes[SLOTS * PAGE];
	bool is_used[SLOTS];
	size_t used;
	uint32_t program; /* the thread that it works for */
	_Atomic bool is_failing;
	_Atomic bool is_full;
	_Atomic unsigned long refusals;
} own;

static bool is_cleaner(void)
{
	return kmem_thread_id() != own.program;
}

static int own_init(void **state, const struct kmem_store_params *params)
{
	(void)params;
	memset(&own.is_used, 0, sizeof(own.is_used));
	own.used = 0;
	own.program = kmem_thread_id();
	*state = &own;
	return 0;
}

static int own_location_get(void *state, struct k_mem_page_frame *pf, uintptr_t *location, bool page_fault)
{
	size_t slot = 0;

	(void)state;
	(void)pf;
	if (own.used + (page_fault ? 0 : 1) >= SLOTS || (own.is_full && is_cleaner())) {
		own.refusals += is_cleaner() ? 1 : 0;
		return -ENOMEM;
	}
	while (own.is_used[slot]) {
		slot++;
	}
	own.is_used[slot] = true;
	own.used++;
	*location = slot * PAGE;
	return 0;
}

static void own_location_free(void *state, uintptr_t location)
{
	(void)state;
	own.is_used[location / PAGE] = false;
	own.used--;
}

static int own_page_out(void *state, uintptr_t location, const void *page)
{
	(void)state;
	if (own.is_failing && is_cleaner()) {
		own.refusals++;
		return -EIO;
	}
	memcpy(own.bytes + location, page, PAGE);
	return 0;
}

static int own_page_in(void *state, uintptr_t location, void *page)
{
	(void)state;
	memcpy(page, own.bytes + location, PAGE);
	return 0;
}

static void own_page_finalize(void *state, struct k_mem_page_frame *pf, uintptr_t location)
{
	k_mem_page_frame_clear(pf, K_MEM_PAGE_FRAME_BACKED);
	own_location_free(state, location);
}

static const struct kmem_store_ops own_stores[] = {
	{
		.version = KMEM_STORE_VERSION,
		.name = "own",
		.init = own_init,
		.location_get = own_location_get,
		.location_free = own_location_free,
		.page_out = own_page_out,
		.page_in = own_page_in,
		.page_finalize = own_page_finalize,
	},
	{
		.version = KMEM_STORE_VERSION,
		.name = "own, concurrent",
		.flags = KMEM_STORE_CONCURRENT,
		.init = own_init,
		.location_get = own_location_get,
		.location_free = own_location_free,
		.page_out = own_page_out,
		.page_in = own_page_in,
		.page_finalize = own_page_finalize,
	},
};

static _Atomic uint64_t clock_now = 1000000000;

static uint64_t clock_stopped(void)
{
	return clock_now;
}

/* While the clock stands still it tries once, however much is asked of it. */
START_TEST(store_that_refuses_is_left_alone)
{
	struct kmem_config config = config_of(GOAL);
	unsigned long before;

	kmem_clock_source = clock_stopped;
	config.store_ops = &own_stores[_i % 2];
	start(&config);
	own.is_failing = _i / 2 == 0;
	own.is_full = _i / 2 != 0;
	own.refusals = 0;
	write_pages(0, PAGES);
	WAIT_FOR(own.refusals > 0);
	for (int round = 0; round < 50; round++) {
		check_pages(0, PAGES);
	}
	usleep(20000);
	ck_assert_uint_le(own.refusals, KMEM_PAGING_VECTOR);
	ck_assert_uint_lt(frames_free(), GOAL);

	/* Later again, though not before frames are asked for. */
	before = own.refusals;
	clock_now += 10000000000;
	usleep(20000);
	ck_assert_uint_eq(own.refusals, before);
	write_pages(0, PAGES);
	WAIT_FOR(own.refusals > before);

	own.is_failing = false;
	own.is_full = false;
	clock_now += 10000000000;
	WAIT_FOR(become_free(GOAL));
	check_pages(0, PAGES);
	ck_assert(kmem_is_valid());
	ck_assert_int_eq(kmem_shutdown(), 0);
}
END_TEST

/* Nothing can go out for whoever asks: all is pinned but a page or two, which the program goes through by itself. */
START_TEST(pinned_pages_stay)
{
	struct kmem_config config = config_of(GOAL);
	size_t pinned = FRAMES - 4;

	start(&config);
	write_pages(0, pinned);
	k_mem_pin(area, pinned * PAGE);
	for (int round = 0; round < 20; round++) {
		write_pages(pinned, PAGES);
	}
	ck_assert(kmem_is_valid());
	check_pages(0, PAGES);
	k_mem_unpin(area, pinned * PAGE);
	ck_assert_int_eq(kmem_shutdown(), 0);
}
END_TEST

/* ---- forks, and the end ---- */

static void expect_exit(pid_t child, int expected)
{
	int status;

	ck_assert_int_gt(child, 0);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == expected, "status 0x%x", status);
}

static int child_of_fork(void)
{
	void *map;

	if (thread_count() != 1) {
		return 1;
	}
	check_pages(0, PAGES);
	write_pages(0, PAGES);
	if (thread_count() != 1) {
		return 2; /* made in a trap */
	}
	map = k_mem_map(PAGE, K_MEM_PERM_RW);
	if (map == NULL || thread_count() != 2) {
		return 3;
	}
	k_mem_unmap(map, PAGE);
	if (thread_count() != 2) {
		return 4;
	}
	WAIT_FOR(become_free(GOAL));
	check_pages(0, PAGES);
	return kmem_is_valid() && kmem_shutdown() == 0 ? 0 : 5;
}

START_TEST(child_of_a_fork_makes_its_own)
{
	struct kmem_config config = config_of(GOAL);

	config.store = _i == 0 ? "ram" : "file";
	start(&config);
	for (int round = 0; round < 5; round++) {
		pid_t child;

		write_pages(0, PAGES);
		child = fork();
		if (child == 0) {
			_exit(child_of_fork());
		}
		check_pages(0, PAGES);
		expect_exit(child, 0);
	}
	WAIT_FOR(become_free(GOAL));
	ck_assert_int_eq(kmem_shutdown(), 0);
}
END_TEST

static int child_without_need(void)
{
	void *map = k_mem_map(PAGE, K_MEM_PERM_RW);

	return map != NULL && thread_count() == 1 ? 0 : 1;
}

START_TEST(child_without_pressure_has_no_thread)
{
	struct kmem_config config = config_of(GOAL);
	pid_t child;

	start(&config);
	write_pages(0, FRAMES / 2);
	child = fork();
	if (child == 0) {
		_exit(child_without_need());
	}
	expect_exit(child, 0);
	ck_assert_int_eq(kmem_shutdown(), 0);
}
END_TEST

static bool tick_never(void)
{
	return true;
}

static struct kmem_helper interval = {.tick = tick_never, .period_ms = 10};

static void *outlive_main(void *arg)
{
	(void)arg;
	usleep(50000);
	write_pages(0, PAGES);
	return NULL;
}

static void shut_down(void)
{
	if (kmem_shutdown() != 0) {
		_exit(3);
	}
}

/* The last thing of all: what a sanitizer finds lost with the main thread's stack is the test's own. */
static void end(void)
{
	_exit(0);
}

/* A process whose main thread ends before the others. Whichever is the last one shuts down. */
static void child_without_main(int which)
{
	struct kmem_config config = config_of(GOAL);
	pthread_t thread;

	(void)atexit(end);
	start(&config);
	write_pages(0, PAGES);
	if (which % 2 != 0 && pthread_create(&thread, NULL, outlive_main, NULL) != 0) {
		_exit(1);
	}
	if (which / 4 != 0) {
		(void)atexit(shut_down);
	}
	if (which / 2 % 2 != 0 && kmem_helper_start(&interval) != 0) {
		_exit(2);
	}
	pthread_exit(NULL);
}

START_TEST(it_does_not_keep_the_process_alive)
{
	pid_t child = fork();

	if (child == 0) {
		/* Not the streams of the test's own. */
		fclose(stdout);
		child_without_main(_i);
	}
	expect_exit(child, 0);
}
END_TEST

Suite *kmem_test_suite(void)
{
	Suite *suite = suite_create("cleaner");
	TCase *tcase = tcase_create("cleaner");

	tcase_set_timeout(tcase, 2 * WAIT_S);
	tcase_add_loop_test(tcase, frames_become_free_by_themselves, 0, 4);
	tcase_add_loop_test(tcase, goal_is_reached, 0, 4);
	tcase_add_test(tcase, nothing_happens_without_pressure);
	tcase_add_test(tcase, pressure_that_has_passed_costs_no_faults);
	tcase_add_test(tcase, process_can_change_its_user);
	tcase_add_loop_test(tcase, store_that_refuses_is_left_alone, 0, 4);
	tcase_add_test(tcase, pinned_pages_stay);
	tcase_add_loop_test(tcase, it_does_not_keep_the_process_alive, 0, 8);
	/* ThreadSanitizer has threads of its own, which these would count. */
	if (!harness_on_tsan()) {
		tcase_add_loop_test(tcase, without_it_there_is_no_thread, 0, 2);
		tcase_add_test(tcase, shutdown_stops_it_at_any_time);
		tcase_add_loop_test(tcase, child_of_a_fork_makes_its_own, 0, 2);
		tcase_add_test(tcase, child_without_pressure_has_no_thread);
	}
	suite_add_tcase(suite, tcase);
	return suite;
}
