/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The eviction policies and their wrapper, over pages that exist in an array only: this file is the core that the
 * contract of kmem/eviction.h speaks of.
 */
#define _GNU_SOURCE

#include "harness.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host/assert.h"
#include "host/clock.h"
#include "host/failpoint.h"
#include "host/thread.h"
#include "kernel/eviction.h"

#define PAGE ((uintptr_t)4096)
#define BASE ((uintptr_t)0x40000000)
#define FRAMES_MAX ((size_t)300)
#define PERIOD_MS 100
#define MS UINT64_C(1000000)
#define NONE SIZE_MAX

#define A KMEM_PAGE_ACCESSED
#define D KMEM_PAGE_DIRTY

static const char *const names[] = {"clock", "lru", "nru"};
#define POLICIES 3

static struct {
	struct k_mem_page_frame frames[FRAMES_MAX];
	unsigned int info[FRAMES_MAX]; /* A and D of the page in a frame */
	bool is_hostile;               /* ACCESSED comes back at once */
	unsigned int clears;           /* pages cleared one by one */
	unsigned int clear_alls;
	uint64_t clear_all_ns; /* how long that takes */
	uint64_t now;
} core;

static struct kmem_eviction eviction;

unsigned int kmem_page_info_get(void *addr, uintptr_t *location, bool clear_accessed)
{
	size_t index = ((uintptr_t)addr - BASE) / PAGE;
	unsigned int info;

	ck_assert_uint_eq((uintptr_t)addr % PAGE, 0);
	ck_assert_uint_lt(index, FRAMES_MAX);
	ck_assert(k_mem_page_frame_is_mapped(&core.frames[index]));
	info = KMEM_PAGE_LOADED | core.info[index];
	if (location != NULL) {
		*location = index * PAGE;
	}
	if (clear_accessed && (info & A) != 0 && k_mem_page_frame_is_evictable(&core.frames[index])) {
		core.clears++;
		core.info[index] &= core.is_hostile ? ~0U : ~A;
	}
	return info;
}

void kmem_page_accessed_clear_all(void)
{
	core.clear_alls++;
	core.now += core.clear_all_ns;
	for (size_t i = 0; i < FRAMES_MAX && !core.is_hostile; i++) {
		if (k_mem_page_frame_is_evictable(&core.frames[i])) {
			core.info[i] &= ~A;
		}
	}
}

static uint64_t core_clock(void)
{
	return core.now;
}

static struct kmem_eviction_params params_of(size_t count)
{
	return (struct kmem_eviction_params){
		.frames = {.first = core.frames, .count = count, .page_size = PAGE},
		.nru_period_ms = PERIOD_MS,
	};
}

static void run(const char *name, size_t count)
{
	struct kmem_eviction_params params = params_of(count);
	const struct kmem_eviction_ops *ops = kmem_eviction_find(name);

	ck_assert_ptr_nonnull(ops);
	ck_assert_int_eq(kmem_eviction_init(&eviction, ops, &params), 0);
}

/* The page in a frame comes in, as a trap would have it, and goes. */
static void page_add(size_t index, unsigned int info)
{
	core.frames[index].va_and_flags = (BASE + index * PAGE) | K_MEM_PAGE_FRAME_MAPPED;
	core.info[index] = info;
	kmem_eviction_add(&eviction, &core.frames[index]);
}

static void page_remove(size_t index)
{
	kmem_eviction_remove(&eviction, &core.frames[index]);
	core.frames[index].va_and_flags = 0;
	core.info[index] = 0;
}

static void page_pin(size_t index)
{
	kmem_eviction_remove(&eviction, &core.frames[index]);
	k_mem_page_frame_set(&core.frames[index], K_MEM_PAGE_FRAME_PINNED);
}

static void page_unpin(size_t index)
{
	k_mem_page_frame_clear(&core.frames[index], K_MEM_PAGE_FRAME_PINNED);
	kmem_eviction_add(&eviction, &core.frames[index]);
}

/* An access: a trap only if it changes anything. */
static void page_touch(size_t index, unsigned int info)
{
	if ((core.info[index] | info) == core.info[index]) {
		return;
	}
	core.info[index] |= info;
	kmem_eviction_accessed(&eviction, &core.frames[index]);
}

static size_t select_index(bool *dirty)
{
	struct k_mem_page_frame *pf = kmem_eviction_select(&eviction, dirty);

	return pf == NULL ? NONE : (size_t)(pf - core.frames);
}

static void expect_victim(size_t index, bool is_dirty)
{
	bool dirty = !is_dirty;

	ck_assert_uint_eq(select_index(&dirty), index);
	ck_assert_int_eq(dirty, is_dirty);
}

/* Select, and let the page go. */
static void expect_evicted(size_t index)
{
	bool dirty;

	ck_assert_uint_eq(select_index(&dirty), index);
	page_remove(index);
}

static void setup(void)
{
	memset(&core, 0, sizeof(core));
	core.now = 1000 * MS;
	kmem_clock_source = core_clock;
}

static void teardown(void)
{
	kmem_eviction_finish(&eviction);
	kmem_clock_source = NULL;
}

/* What is written to standard error from begin to end. */

static int capture_fd, capture_saved;

static void capture_begin(void)
{
	capture_fd = memfd_create("stderr", MFD_CLOEXEC);
	capture_saved = dup(STDERR_FILENO);
	ck_assert_int_ge(capture_fd, 0);
	ck_assert_int_ge(dup2(capture_fd, STDERR_FILENO), 0);
}

static const char *capture_end(void)
{
	static char text[4096];
	ssize_t length = pread(capture_fd, text, sizeof(text) - 1, 0);

	dup2(capture_saved, STDERR_FILENO);
	close(capture_saved);
	close(capture_fd);
	ck_assert_int_ge(length, 0);
	text[length] = '\0';
	return text;
}

static unsigned int lines_in(const char *text)
{
	unsigned int lines = 0;

	for (; *text != '\0'; text++) {
		lines += *text == '\n' ? 1 : 0;
	}
	return lines;
}

/* What holds of all policies: _i is the policy. */

START_TEST(empty_has_no_victim)
{
	run(names[_i], 10);
	expect_victim(NONE, false);
	page_add(3, A);
	page_remove(3);
	expect_victim(NONE, false);
	ck_assert(kmem_eviction_is_valid(&eviction));
}
END_TEST

START_TEST(single_frame_is_the_victim)
{
	static const unsigned int infos[] = {0, A, D, A | D};

	run(names[_i], 1);
	for (size_t i = 0; i < 4; i++) {
		page_add(0, infos[i]);
		expect_victim(0, (infos[i] & D) != 0);
		expect_victim(0, (infos[i] & D) != 0);
		page_remove(0);
		expect_victim(NONE, false);
	}
}
END_TEST

START_TEST(one_frame_among_many_is_the_victim)
{
	run(names[_i], FRAMES_MAX);
	for (size_t i = 0; i < FRAMES_MAX; i++) {
		page_add(i, i % 2 == 0 ? A | D : 0);
		expect_victim(i, i % 2 == 0);
		expect_evicted(i);
	}
}
END_TEST

START_TEST(pages_go_once_each)
{
	bool dirty;

	run(names[_i], FRAMES_MAX);
	for (unsigned int cycle = 0; cycle < 3; cycle++) {
		for (size_t i = 0; i < FRAMES_MAX; i++) {
			page_add(i, A);
		}
		for (size_t i = 0; i < FRAMES_MAX; i++) {
			size_t index = select_index(&dirty);

			ck_assert_uint_ne(index, NONE);
			ck_assert(!dirty);
			page_remove(index);
			ck_assert(kmem_eviction_is_valid(&eviction));
		}
		expect_victim(NONE, false);
	}
}
END_TEST

START_TEST(pinned_page_is_passed_over)
{
	bool dirty;

	run(names[_i], 4);
	for (size_t i = 0; i < 4; i++) {
		page_add(i, 0);
	}
	page_pin(0);
	page_pin(2);
	for (unsigned int i = 0; i < 20; i++) {
		size_t index = select_index(&dirty);

		ck_assert(index == 1 || index == 3);
		page_touch(index, A);
		page_touch(0, A);
		core.info[0] = 0;
		kmem_eviction_accessed(&eviction, &core.frames[2]);
	}
	page_pin(1);
	page_pin(3);
	expect_victim(NONE, false);
	page_unpin(2);
	expect_victim(2, false);
}
END_TEST

START_TEST(everything_referenced_still_has_a_victim)
{
	bool dirty;

	run(names[_i], FRAMES_MAX);
	core.is_hostile = true;
	for (size_t i = 0; i < FRAMES_MAX; i++) {
		page_add(i, A | D);
	}
	for (size_t i = 0; i < FRAMES_MAX; i++) {
		size_t index = select_index(&dirty);

		core.now += 30 * MS;
		ck_assert_uint_ne(index, NONE);
		ck_assert_uint_le(core.clears, 32 * (i + 1));
		ck_assert(dirty);
		ck_assert(k_mem_page_frame_is_evictable(&core.frames[index]));
		page_remove(index);
	}
	expect_victim(NONE, false);
}
END_TEST

START_TEST(finish_leaves_nothing)
{
	struct harness_leaks leaks;

	harness_leaks_begin(&leaks);
	run(names[_i], FRAMES_MAX);
	page_add(0, A);
	kmem_eviction_finish(&eviction);
	kmem_eviction_finish(&eviction); /* of none: nothing */
	harness_leaks_check(&leaks);
}
END_TEST

START_TEST(failed_host_call_fails_init)
{
	struct kmem_eviction_params params = params_of(FRAMES_MAX);
	struct harness_leaks leaks;
	unsigned long n = 1;

	harness_leaks_begin(&leaks);
	for (;; n++) {
		int ret;

		(void)kmem_failpoint_arm(n, ENOMEM, false);
		ret = kmem_eviction_init(&eviction, kmem_eviction_find(names[_i]), &params);
		if (!kmem_failpoint_was_hit()) {
			ck_assert_int_eq(ret, 0);
			break;
		}
		ck_assert_int_eq(ret, -ENOMEM);
		ck_assert_ptr_null(eviction.ops);
		kmem_eviction_finish(&eviction);
	}
	(void)kmem_failpoint_arm(0, 0, false);
	ck_assert_uint_eq(n, 3);
	kmem_eviction_finish(&eviction);
	harness_leaks_check(&leaks);
}
END_TEST

/* Steps of a comparison with a model. */
static unsigned int model_steps(void)
{
	return harness_on_valgrind() ? 2000 : 50000;
}

/* Everything at random; what is selected is evictable, *dirty its own, and there is a victim if there is a page. */
START_TEST(random_use_keeps_the_contract)
{
	unsigned int steps = harness_on_valgrind() ? 5000 : 100000;
	uint64_t seed = harness_seed();
	size_t resident = 0;

	run(names[_i], FRAMES_MAX);
	for (unsigned int step = 0; step < steps; step++) {
		size_t index = harness_random(&seed) % FRAMES_MAX;
		struct k_mem_page_frame *pf = &core.frames[index];
		unsigned int info = harness_random(&seed) % 2 == 0 ? A : A | D;
		bool has = kmem_eviction_has(&eviction, pf);
		unsigned int clears = core.clears;
		unsigned int clear_alls = core.clear_alls;
		bool dirty;

		switch (harness_random(&seed) % 8) {
		case 0:
			if (k_mem_page_frame_is_available(pf)) {
				page_add(index, info);
				resident++;
			} else if (k_mem_page_frame_is_pinned(pf)) {
				page_unpin(index);
				resident++;
			}
			break;
		case 1:
			if (has) {
				page_pin(index);
				resident--;
			}
			break;
		case 2:
			core.now += harness_random(&seed) % (PERIOD_MS * MS / 4);
			break;
		case 3:
			if (harness_random(&seed) % 50 == 0) {
				kmem_page_accessed_clear_all(); /* as the core does, short of mappings */
			}
			break;
		case 4:
			index = select_index(&dirty);
			ck_assert((index == NONE) == (resident == 0));
			ck_assert_uint_le(core.clears - clears, 32);
			ck_assert_uint_le(core.clear_alls - clear_alls, 2);
			if (index != NONE) {
				ck_assert(kmem_eviction_has(&eviction, &core.frames[index]));
				ck_assert_int_eq(dirty, (core.info[index] & D) != 0);
				if (harness_random(&seed) % 4 != 0) {
					page_remove(index);
					resident--;
				}
			}
			break;
		default:
			if (!k_mem_page_frame_is_available(pf)) {
				page_touch(index, info);
			}
			break;
		}
		if (step % 100 == 0) {
			ck_assert(kmem_eviction_is_valid(&eviction));
		}
	}
}
END_TEST

/* CLOCK. */

START_TEST(clock_goes_round_after_the_first_selection)
{
	run("clock", 4);
	for (size_t i = 0; i < 4; i++) {
		page_add(i, A | D);
	}
	expect_victim(0, true); /* cleared with all the others */
	ck_assert_uint_eq(core.clear_alls, 1);
	ck_assert_uint_eq(core.clears, 0);
	expect_victim(1, true);
	expect_victim(2, true);
	expect_victim(3, true);
	expect_victim(0, true);
	ck_assert_uint_eq(core.clear_alls, 1);
	ck_assert_uint_eq(core.clears, 0);
}
END_TEST

START_TEST(clock_gives_a_second_chance)
{
	run("clock", 5);
	for (size_t i = 0; i < 5; i++) {
		page_add(i, i == 3 ? D : 0);
	}
	expect_victim(0, false);
	page_touch(1, A);
	page_touch(2, A | D);
	expect_victim(3, true); /* over 1 and 2, which lose ACCESSED */
	ck_assert_uint_eq(core.info[1], 0);
	ck_assert_uint_eq(core.info[2], D);
	page_touch(4, A);
	page_touch(0, A);
	page_touch(1, A);
	expect_victim(2, true); /* over 4, 0 and 1 */
	ck_assert_uint_eq(core.clears, 5);
	for (size_t i = 0; i < 5; i++) {
		page_touch(i, A);
	}
	expect_victim(3, true); /* once round: it is the first that was cleared */
	ck_assert_uint_eq(core.clears, 10);
	ck_assert_uint_eq(core.clear_alls, 1);
}
END_TEST

START_TEST(clock_hand_starts_after_the_previous_victim)
{
	run("clock", 6);
	for (size_t i = 0; i < 6; i++) {
		page_add(i, 0);
	}
	expect_evicted(0);
	expect_evicted(1);
	page_add(1, 0); /* behind the hand */
	expect_evicted(2);
	page_remove(3);
	expect_evicted(4);
	expect_evicted(5);
	expect_evicted(1);
	expect_victim(NONE, false);
}
END_TEST

START_TEST(clock_clears_one_by_one_within_bounds)
{
	/* Marks in a row after the first victim, frame 0. */
	static const struct {
		size_t marked, victim;
		unsigned int clears, clear_alls;
	} cases[] = {
		{0, 1, 0, 0}, {1, 2, 1, 0}, {31, 32, 31, 0}, {32, 33, 32, 1}, {33, 33, 32, 1}, {250, 33, 32, 1},
	};

	run("clock", FRAMES_MAX);
	for (size_t i = 0; i < FRAMES_MAX; i++) {
		page_add(i, 0);
	}
	expect_victim(0, false);
	core.clear_alls = 0;
	for (size_t i = 1; i <= cases[_i].marked; i++) {
		page_touch(i, A);
	}
	expect_victim(cases[_i].victim, false);
	ck_assert_uint_eq(core.clears, cases[_i].clears);
	ck_assert_uint_eq(core.clear_alls, cases[_i].clear_alls);
}
END_TEST

/* LRU. */

START_TEST(lru_is_first_in_first_out_without_accesses)
{
	static const size_t order[] = {4, 0, 3, 1, 2};

	run("lru", 5);
	for (size_t i = 0; i < 5; i++) {
		page_add(order[i], A);
	}
	for (size_t i = 0; i < 5; i++) {
		expect_victim(order[i], false); /* not unlinked by that */
		expect_evicted(order[i]);
	}
	expect_victim(NONE, false);
}
END_TEST

START_TEST(lru_access_moves_to_the_tail)
{
	run("lru", 5);
	for (size_t i = 0; i < 4; i++) {
		page_add(i, 0);
	}
	page_touch(0, A); /* 1 2 3 0 */
	page_touch(2, A); /* 1 3 0 2 */
	page_touch(2, D); /* the tail stays */
	page_touch(3, A); /* 1 0 2 3 */
	page_add(4, 0);   /* 1 0 2 3 4 */
	expect_evicted(1);
	expect_evicted(0);
	expect_victim(2, true);
	expect_evicted(2);
	expect_evicted(3);
	expect_evicted(4);
}
END_TEST

START_TEST(lru_watches_the_head_alone)
{
	run("lru", 4);
	for (size_t i = 0; i < 4; i++) {
		page_add(i, A);
	}
	ck_assert_uint_eq(core.clears, 0); /* the first head was never made so by a removal */
	page_remove(2);                    /* not the head: 0 1 3 */
	ck_assert_uint_eq(core.clears, 0);
	page_remove(0); /* 1 3 */
	ck_assert_uint_eq(core.clears, 1);
	ck_assert_uint_eq(core.info[1], 0);
	ck_assert_uint_eq(core.info[3], A);
	page_add(0, A);   /* 1 3 0 */
	page_touch(1, A); /* 3 0 1: traps, moves, and the next head is watched */
	ck_assert_uint_eq(core.clears, 2);
	ck_assert_uint_eq(core.info[3], 0);
	ck_assert_uint_eq(core.info[0], A);
	ck_assert_uint_eq(core.info[1], A);
	page_pin(3); /* 0 1: a pin is a removal */
	ck_assert_uint_eq(core.info[0], 0);
	page_unpin(3); /* 0 1 3 */
	expect_evicted(0);
	expect_evicted(1);
	expect_evicted(3);
}
END_TEST

START_TEST(lru_head_that_is_alone_is_not_watched)
{
	run("lru", 3);
	page_add(0, A);
	page_add(1, A);
	page_remove(0); /* 1 alone */
	ck_assert_uint_eq(core.info[1], A);
	page_add(2, A); /* 1 2 */
	page_touch(1, D);
	ck_assert_uint_eq(core.info[2], A); /* alone when 1 left, though not for long */
	ck_assert_uint_eq(core.clears, 0);
	expect_evicted(2);
	kmem_eviction_accessed(&eviction, &core.frames[1]); /* alone */
	expect_victim(1, true);
	ck_assert_uint_eq(core.clears, 0);
	ck_assert_uint_eq(core.clear_alls, 0);
}
END_TEST

START_TEST(lru_ignores_accesses_to_what_is_not_queued)
{
	run("lru", 4);
	kmem_eviction_accessed(&eviction, &core.frames[0]);
	expect_victim(NONE, false);
	page_add(0, A);
	page_add(1, A);
	page_add(2, A);
	page_pin(1);
	kmem_eviction_accessed(&eviction, &core.frames[1]);
	kmem_eviction_accessed(&eviction, &core.frames[3]);
	expect_evicted(0);
	expect_evicted(2);
	expect_victim(NONE, false);
	kmem_eviction_accessed(&eviction, &core.frames[2]);
	expect_victim(NONE, false);
}
END_TEST

/* The model is an array in order, the head first. */

struct lru_model {
	size_t order[FRAMES_MAX];
	size_t count;
	unsigned int clears;
};

static size_t model_find(const struct lru_model *model, size_t index)
{
	for (size_t i = 0; i < model->count; i++) {
		if (model->order[i] == index) {
			return i;
		}
	}
	return NONE;
}

/* info: what core.info will be, so that the model can tell what is cleared. */
static void model_remove(struct lru_model *model, size_t at, unsigned int *info)
{
	model->count--;
	memmove(&model->order[at], &model->order[at + 1], (model->count - at) * sizeof(model->order[0]));
	if (at == 0 && model->count > 1) {
		model->clears += (info[model->order[0]] & A) != 0 ? 1 : 0;
		info[model->order[0]] &= ~A;
	}
}

START_TEST(lru_is_like_its_model)
{
	static const size_t counts[] = {1, 2, 3, 5, 40};
	struct lru_model model = {0};
	unsigned int info[FRAMES_MAX];
	uint64_t seed = harness_seed();

	run("lru", counts[_i]);
	for (unsigned int step = 0; step < model_steps(); step++) {
		size_t index = harness_random(&seed) % counts[_i];
		size_t at = model_find(&model, index);
		unsigned int touched = harness_random(&seed) % 2 == 0 ? A : A | D;
		bool dirty;

		memcpy(info, core.info, sizeof(info));
		switch (harness_random(&seed) % 4) {
		case 0:
			if (at == NONE) {
				page_add(index, touched);
				info[index] = touched;
				model.order[model.count++] = index;
			}
			break;
		case 1:
			if (at != NONE && harness_random(&seed) % 4 == 0) {
				page_remove(index);
				model_remove(&model, at, info);
				info[index] = 0;
			}
			break;
		case 2:
			index = select_index(&dirty);
			ck_assert_uint_eq(index, model.count == 0 ? NONE : model.order[0]);
			if (index != NONE) {
				ck_assert_int_eq(dirty, (core.info[index] & D) != 0);
			}
			break;
		default:
			if (at != NONE && (info[index] | touched) != info[index]) {
				page_touch(index, touched);
				info[index] |= touched;
				model_remove(&model, at, info);
				model.order[model.count++] = index;
			}
			break;
		}
		ck_assert_mem_eq(info, core.info, sizeof(info));
		ck_assert_uint_eq(core.clears, model.clears);
	}
	ck_assert_uint_eq(core.clear_alls, 0);
}
END_TEST

/* NRU. */

START_TEST(nru_takes_the_lowest_class)
{
	static const struct {
		unsigned int infos[4];
		size_t victim;
	} cases[] = {
		{{A | D, A, D, 0}, 3},
		{{A | D, A, D, D}, 2},
		{{A | D, A, A | D, A}, 1},
		{{A | D, A | D, A | D, A | D}, 0},
		{{0, 0, 0, 0}, 0},
		{{A | D, 0, 0, D}, 1},
		{{A, D, A, A | D}, 1},
		{{A | D, A | D, A | D, A}, 3},
		{{A, A, A, D}, 3},
		{{D, D, D, D}, 0},
	};

	run("nru", 4);
	for (size_t i = 0; i < 4; i++) {
		page_add(i, cases[_i].infos[i]);
	}
	expect_victim(cases[_i].victim, (cases[_i].infos[cases[_i].victim] & D) != 0);
	ck_assert_uint_eq(core.clears, 0);
	ck_assert_uint_eq(core.clear_alls, 0);
}
END_TEST

START_TEST(nru_scan_starts_after_the_previous_victim)
{
	run("nru", 200);
	page_add(10, 0);
	page_add(63, 0);
	page_add(64, D);
	page_add(70, A);
	page_add(199, 0);
	expect_victim(10, false);
	expect_victim(63, false);
	expect_victim(199, false);
	expect_victim(10, false);
	page_remove(63);
	expect_victim(199, false);
	page_remove(199);
	expect_victim(10, false);
	page_remove(10);
	expect_victim(64, true);
	expect_victim(64, true);
	page_remove(64);
	expect_victim(70, false);
}
END_TEST

START_TEST(nru_classes_follow_accesses)
{
	run("nru", 3);
	for (size_t i = 0; i < 3; i++) {
		page_add(i, 0);
	}
	page_touch(0, A);
	expect_victim(1, false);
	page_touch(2, A | D);
	expect_victim(1, false);
	page_touch(1, A | D);
	expect_victim(0, false);
	page_touch(0, D);
	expect_victim(1, true);
	page_pin(1);
	kmem_eviction_accessed(&eviction, &core.frames[1]); /* unknown here */
	expect_victim(2, true);
	core.info[1] = 0;
	page_unpin(1);
	expect_victim(1, false);
}
END_TEST

START_TEST(nru_time_counts_from_the_first_selection)
{
	run("nru", 3);
	for (size_t i = 0; i < 3; i++) {
		page_add(i, A);
	}
	core.now += 10 * PERIOD_MS * MS;
	page_touch(0, D);
	ck_assert_uint_eq(core.clear_alls, 0);
	expect_victim(1, false);
	ck_assert_uint_eq(core.clear_alls, 0);
	core.now += PERIOD_MS * MS - 1;
	expect_victim(2, false);
	page_touch(1, D);
	ck_assert_uint_eq(core.clear_alls, 0);
	core.now += 1;
	expect_victim(2, false); /* all cleared: 0 and 1 are dirty */
	ck_assert_uint_eq(core.clear_alls, 1);
	ck_assert_uint_eq(core.info[0], D);
	ck_assert_uint_eq(core.info[2], 0);
}
END_TEST

START_TEST(nru_tick_is_due_in_accessed_too)
{
	run("nru", 3);
	for (size_t i = 0; i < 3; i++) {
		page_add(i, A);
	}
	expect_victim(0, false);
	core.now += PERIOD_MS * MS;
	page_touch(2, D);
	ck_assert_uint_eq(core.clear_alls, 1);
	ck_assert_uint_eq(core.info[2], D); /* its next access traps again, and is before the next tick */
	page_touch(2, A);
	page_touch(1, A);
	ck_assert_uint_eq(core.clear_alls, 1);
	expect_victim(0, false);
	expect_victim(0, false);
	page_remove(0);
	expect_victim(1, false);
	core.now += 5 * PERIOD_MS * MS; /* ticks that were missed are one */
	expect_victim(1, false);
	ck_assert_uint_eq(core.clear_alls, 2);
	expect_victim(1, false);
	ck_assert_uint_eq(core.clear_alls, 2);
	core.now += PERIOD_MS * MS;
	kmem_eviction_accessed(&eviction, &core.frames[0]); /* of no page */
	ck_assert_uint_eq(core.clear_alls, 3);
}
END_TEST

START_TEST(nru_ticks_leave_time_for_an_access)
{
	run("nru", 2);
	page_add(0, A);
	page_add(1, A);
	expect_victim(0, false);
	core.clear_all_ns = 3 * PERIOD_MS * MS;
	core.now += PERIOD_MS * MS;
	page_touch(0, D);
	page_touch(0, A);
	page_touch(1, A);
	ck_assert_uint_eq(core.clear_alls, 1);
	ck_assert_uint_eq(core.info[0], A | D);
	ck_assert_uint_eq(core.info[1], A);
}
END_TEST

START_TEST(nru_sees_what_the_core_cleared)
{
	run("nru", 100);
	for (size_t i = 0; i < 100; i++) {
		page_add(i, i == 80 ? A : A | D);
	}
	expect_victim(80, false);
	kmem_page_accessed_clear_all();
	expect_victim(80, false);
	page_remove(80);
	expect_victim(81, true);
	page_touch(82, A);
	expect_victim(83, true);
	core.info[84] = 0; /* cannot be, but is not believed either */
	expect_victim(84, false);
}
END_TEST

/* Zephyr's loop, frame by frame. */
static size_t nru_model_select(size_t count, size_t *next)
{
	size_t victim = NONE;
	unsigned int lowest = 4;

	for (size_t i = 0; i < count; i++) {
		size_t index = (*next + i) % count;
		unsigned int info = core.info[index];
		unsigned int class = ((info & D) != 0 ? 1 : 0) + ((info & A) != 0 ? 2 : 0);

		if (k_mem_page_frame_is_evictable(&core.frames[index]) && class < lowest) {
			lowest = class;
			victim = index;
		}
	}
	if (victim != NONE) {
		*next = (victim + 1) % count;
	}
	return victim;
}

START_TEST(nru_is_like_its_model)
{
	static const size_t counts[] = {1, 2, 63, 64, 65, FRAMES_MAX};
	size_t count = counts[_i];
	uint64_t seed = harness_seed();
	uint64_t tick = 0;
	unsigned int ticks = 0;
	size_t next = 0;

	run("nru", count);
	for (unsigned int step = 0; step < model_steps(); step++) {
		size_t index = harness_random(&seed) % count;
		struct k_mem_page_frame *pf = &core.frames[index];
		unsigned int info = (unsigned int)(harness_random(&seed) % 4) * 2;
		unsigned int touched = info == 0 ? A : info | A;
		bool is_due = tick != 0 && core.now - tick >= PERIOD_MS * MS;
		bool dirty;

		switch (harness_random(&seed) % 8) {
		case 0:
			if (k_mem_page_frame_is_available(pf)) {
				page_add(index, info);
			}
			break;
		case 1:
			if (k_mem_page_frame_is_pinned(pf)) {
				page_unpin(index);
			} else if (kmem_eviction_has(&eviction, pf)) {
				page_pin(index);
			}
			break;
		case 2:
			core.now += harness_random(&seed) % (PERIOD_MS * MS / 8);
			break;
		case 3:
		case 4:
			index = select_index(&dirty);
			if (tick == 0 || is_due) {
				ticks += is_due ? 1 : 0;
				tick = core.now;
			}
			ck_assert_uint_eq(index, nru_model_select(count, &next));
			if (index != NONE) {
				ck_assert_int_eq(dirty, (core.info[index] & D) != 0);
				if (harness_random(&seed) % 2 == 0) {
					page_remove(index);
				}
			}
			break;
		default:
			if (!k_mem_page_frame_is_available(pf) && (core.info[index] | touched) != core.info[index]) {
				page_touch(index, touched);
				if (is_due) {
					ticks++;
					tick = core.now;
				}
			}
			break;
		}
		ck_assert_uint_eq(core.clear_alls, ticks);
	}
	ck_assert_uint_gt(ticks, 10);
	ck_assert_uint_eq(core.clears, 0);
}
END_TEST

/* The wrapper. */

static struct {
	struct k_mem_page_frame *answer;
	int init_result;
	unsigned int calls;
	void *arg;
} own;

static void own_called(void)
{
	ck_assert(kmem_thread_self()->in_callback);
	own.calls++;
}

static int own_init(void **state, const struct kmem_eviction_params *params)
{
	own_called();
	own.arg = params->arg;
	*state = &own;
	return own.init_result;
}

static void own_finish(void *state)
{
	own_called();
	ck_assert_ptr_eq(state, &own);
}

static struct k_mem_page_frame *own_select(void *state, bool *dirty)
{
	own_called();
	ck_assert_ptr_eq(state, &own);
	*dirty = true;
	return own.answer;
}

static void own_frame(void *state, struct k_mem_page_frame *pf)
{
	own_called();
	ck_assert_ptr_eq(state, &own);
	ck_assert_ptr_eq(pf, &core.frames[2]);
}

static const struct kmem_eviction_ops own_ops = {
	.version = KMEM_EVICTION_VERSION,
	.name = "own",
	.init = own_init,
	.finish = own_finish,
	.select = own_select,
	.add = own_frame,
	.remove = own_frame,
	.accessed = own_frame,
};

static const struct kmem_eviction_ops least_ops = {
	.version = KMEM_EVICTION_VERSION,
	.name = "least",
	.init = own_init,
	.select = own_select,
};

static int run_own(const struct kmem_eviction_ops *ops)
{
	struct kmem_eviction_params params = params_of(5);

	memset(&own, 0, sizeof(own));
	params.arg = &own.calls;
	return kmem_eviction_init(&eviction, ops, &params);
}

START_TEST(names_are_found)
{
	char list[64] = "";

	for (size_t i = 0; i < POLICIES; i++) {
		ck_assert_ptr_nonnull(kmem_eviction_find(names[i]));
		ck_assert_str_eq(kmem_eviction_find(names[i])->name, names[i]);
		strcat(strcat(list, i > 0 ? ", " : ""), names[i]);
	}
	ck_assert_str_eq(kmem_eviction_names(), list);
	ck_assert_ptr_null(kmem_eviction_find(""));
	ck_assert_ptr_null(kmem_eviction_find("LRU"));
	ck_assert_ptr_null(kmem_eviction_find("lru2"));
}
END_TEST

START_TEST(incomplete_policy_is_refused)
{
	static const struct {
		const char *text;
		unsigned int version;
		bool has_name, has_init, has_select;
	} cases[] = {
		{"version 0", 0, true, true, true},
		{"version 2", 2, true, true, true},
		{"no name", KMEM_EVICTION_VERSION, false, true, true},
		{"no init", KMEM_EVICTION_VERSION, true, false, true},
		{"no select", KMEM_EVICTION_VERSION, true, true, false},
	};
	struct kmem_eviction_ops ops = own_ops;
	const char *text;

	ops.version = cases[_i].version;
	ops.name = cases[_i].has_name ? ops.name : NULL;
	ops.init = cases[_i].has_init ? own_init : NULL;
	ops.select = cases[_i].has_select ? own_select : NULL;
	capture_begin();
	ck_assert_int_eq(run_own(&ops), -EINVAL);
	text = capture_end();
	ck_assert_uint_eq(lines_in(text), 1);
	if (ops.version == KMEM_EVICTION_VERSION && ops.name != NULL) {
		ck_assert_ptr_nonnull(strstr(text, "\"own\""));
	}
	ck_assert_ptr_nonnull(strstr(text, cases[_i].text));
	ck_assert_uint_eq(own.calls, 0);
	ck_assert_ptr_null(eviction.ops);
}
END_TEST

START_TEST(own_init_may_fail)
{
	struct kmem_eviction_params params = params_of(5);
	struct harness_leaks leaks;

	harness_leaks_begin(&leaks);
	memset(&own, 0, sizeof(own));
	own.init_result = -EPROTO;
	ck_assert_int_eq(kmem_eviction_init(&eviction, &own_ops, &params), -EPROTO);
	ck_assert_ptr_null(eviction.ops);
	ck_assert(kmem_eviction_is_valid(&eviction));
	kmem_eviction_finish(&eviction);
	ck_assert_uint_eq(own.calls, 1); /* no finish after an init that failed */
	harness_leaks_check(&leaks);
}
END_TEST

START_TEST(own_policy_is_called)
{
	bool dirty = false;

	ck_assert_int_eq(run_own(&own_ops), 0);
	ck_assert_ptr_eq(own.arg, &own.calls);
	page_add(2, 0);
	own.answer = &core.frames[2];
	ck_assert_ptr_eq(kmem_eviction_select(&eviction, &dirty), &core.frames[2]);
	ck_assert(dirty);
	page_touch(2, A);
	page_remove(2);
	ck_assert(!kmem_thread_self()->in_callback);
	kmem_eviction_finish(&eviction);
	ck_assert_uint_eq(own.calls, 6);
	ck_assert(!kmem_thread_self()->in_callback);
	ck_assert_ptr_null(eviction.ops);
}
END_TEST

START_TEST(in_callback_is_put_back)
{
	bool dirty;

	kmem_thread_self()->in_callback = true;
	ck_assert_int_eq(run_own(&own_ops), 0);
	page_add(2, 0);
	(void)kmem_eviction_select(&eviction, &dirty);
	page_touch(2, A);
	page_remove(2);
	kmem_eviction_finish(&eviction);
	ck_assert(kmem_thread_self()->in_callback);
	kmem_thread_self()->in_callback = false;
}
END_TEST

START_TEST(optional_functions_may_be_missing)
{
	ck_assert_int_eq(run_own(&least_ops), 0);
	page_add(1, 0);
	ck_assert(kmem_eviction_has(&eviction, &core.frames[1]));
	ck_assert(!kmem_eviction_has(&eviction, &core.frames[0]));
	page_touch(1, A);
	page_remove(1);
	ck_assert(!kmem_eviction_has(&eviction, &core.frames[1]));
	kmem_eviction_finish(&eviction);
	ck_assert_uint_eq(own.calls, 1);
}
END_TEST

START_TEST(wrong_victim_is_none)
{
	struct k_mem_page_frame foreign = core.frames[0];
	struct k_mem_page_frame *const answers[] = {
		&foreign,
		(struct k_mem_page_frame *)((uintptr_t)core.frames - sizeof(foreign)),
		&core.frames[5],
		(struct k_mem_page_frame *)((uintptr_t)&core.frames[1] + 1),
		(struct k_mem_page_frame *)(uintptr_t)8,
		&core.frames[0], /* pinned */
		&core.frames[2], /* free */
		&core.frames[3], /* reserved */
		&core.frames[4], /* in transit */
	};
	const char *text;
	bool dirty;

	ck_assert_int_eq(run_own(&least_ops), 0);
	page_add(0, 0);
	page_pin(0);
	page_add(1, 0);
	core.frames[2].va_and_flags = K_MEM_PAGE_FRAME_FREE | K_MEM_PAGE_FRAME_MAPPED;
	core.frames[3].va_and_flags = K_MEM_PAGE_FRAME_RESERVED;
	core.frames[4].va_and_flags = BASE | K_MEM_PAGE_FRAME_MAPPED | K_MEM_PAGE_FRAME_BUSY;
	foreign = core.frames[1];
	own.answer = answers[_i];
	capture_begin();
	ck_assert_ptr_null(kmem_eviction_select(&eviction, &dirty));
	text = capture_end();
	ck_assert_uint_eq(lines_in(text), 1);
	ck_assert_ptr_nonnull(strstr(text, "kmem: error: eviction policy \"least\" selects "));
	ck_assert((strstr(text, "which is no frame") != NULL) == (_i < 5));
	own.answer = &core.frames[1];
	ck_assert_ptr_eq(kmem_eviction_select(&eviction, &dirty), &core.frames[1]);
	own.answer = NULL;
	ck_assert_ptr_null(kmem_eviction_select(&eviction, &dirty));
}
END_TEST

START_TEST(validity_is_that_of_the_frames)
{
	ck_assert(kmem_eviction_is_valid(&eviction)); /* not running */
	run("lru", 70);
	page_add(69, 0);
	ck_assert(kmem_eviction_is_valid(&eviction));
	k_mem_page_frame_set(&core.frames[69], K_MEM_PAGE_FRAME_BUSY);
	ck_assert(!kmem_eviction_is_valid(&eviction));
	k_mem_page_frame_clear(&core.frames[69], K_MEM_PAGE_FRAME_BUSY);
	core.frames[0].va_and_flags = BASE | K_MEM_PAGE_FRAME_MAPPED;
	ck_assert(!kmem_eviction_is_valid(&eviction));
	core.frames[0].va_and_flags = 0;
	ck_assert(kmem_eviction_is_valid(&eviction));
	eviction.added[1] |= UINT64_C(1) << 6;
	ck_assert(!kmem_eviction_is_valid(&eviction));
}
END_TEST

/* Breaches of the protocol by the kernel. */

START_TEST(frame_added_twice_dies)
{
	run("lru", 3);
	page_add(1, 0);
	page_add(1, 0);
}
END_TEST

START_TEST(frame_removed_before_it_was_added_dies)
{
	run("nru", 3);
	page_remove(1);
}
END_TEST

START_TEST(pinned_frame_added_dies)
{
	run("clock", 3);
	core.frames[1].va_and_flags = (BASE + PAGE) | K_MEM_PAGE_FRAME_MAPPED | K_MEM_PAGE_FRAME_PINNED;
	kmem_eviction_add(&eviction, &core.frames[1]);
}
END_TEST

START_TEST(frame_of_nobody_dies)
{
	run("lru", 3);
	kmem_eviction_accessed(&eviction, &core.frames[3]);
}
END_TEST

static TCase *tcase_new(Suite *suite, const char *name)
{
	TCase *tcase = tcase_create(name);

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	suite_add_tcase(suite, tcase);
	return tcase;
}

Suite *kmem_test_suite(void)
{
	Suite *suite = suite_create("eviction");
	TCase *tcase = tcase_new(suite, "all");

	tcase_add_loop_test(tcase, empty_has_no_victim, 0, POLICIES);
	tcase_add_loop_test(tcase, single_frame_is_the_victim, 0, POLICIES);
	tcase_add_loop_test(tcase, one_frame_among_many_is_the_victim, 0, POLICIES);
	tcase_add_loop_test(tcase, pages_go_once_each, 0, POLICIES);
	tcase_add_loop_test(tcase, pinned_page_is_passed_over, 0, POLICIES);
	tcase_add_loop_test(tcase, everything_referenced_still_has_a_victim, 0, POLICIES);
	tcase_add_loop_test(tcase, finish_leaves_nothing, 0, POLICIES);
	tcase_add_loop_test(tcase, failed_host_call_fails_init, 0, POLICIES);
	tcase_add_loop_test(tcase, random_use_keeps_the_contract, 0, POLICIES);

	tcase = tcase_new(suite, "clock");
	tcase_add_test(tcase, clock_goes_round_after_the_first_selection);
	tcase_add_test(tcase, clock_gives_a_second_chance);
	tcase_add_test(tcase, clock_hand_starts_after_the_previous_victim);
	tcase_add_loop_test(tcase, clock_clears_one_by_one_within_bounds, 0, 6);

	tcase = tcase_new(suite, "lru");
	tcase_add_test(tcase, lru_is_first_in_first_out_without_accesses);
	tcase_add_test(tcase, lru_access_moves_to_the_tail);
	tcase_add_test(tcase, lru_watches_the_head_alone);
	tcase_add_test(tcase, lru_head_that_is_alone_is_not_watched);
	tcase_add_test(tcase, lru_ignores_accesses_to_what_is_not_queued);
	tcase_add_loop_test(tcase, lru_is_like_its_model, 0, 5);

	tcase = tcase_new(suite, "nru");
	tcase_add_loop_test(tcase, nru_takes_the_lowest_class, 0, 10);
	tcase_add_test(tcase, nru_scan_starts_after_the_previous_victim);
	tcase_add_test(tcase, nru_classes_follow_accesses);
	tcase_add_test(tcase, nru_time_counts_from_the_first_selection);
	tcase_add_test(tcase, nru_tick_is_due_in_accessed_too);
	tcase_add_test(tcase, nru_ticks_leave_time_for_an_access);
	tcase_add_test(tcase, nru_sees_what_the_core_cleared);
	tcase_add_loop_test(tcase, nru_is_like_its_model, 0, 6);

	tcase = tcase_new(suite, "wrapper");
	tcase_add_test(tcase, names_are_found);
	tcase_add_loop_test(tcase, incomplete_policy_is_refused, 0, 5);
	tcase_add_test(tcase, own_init_may_fail);
	tcase_add_test(tcase, own_policy_is_called);
	tcase_add_test(tcase, in_callback_is_put_back);
	tcase_add_test(tcase, optional_functions_may_be_missing);
	tcase_add_loop_test(tcase, wrong_victim_is_none, 0, 9);
	tcase_add_test(tcase, validity_is_that_of_the_frames);
	if (!harness_on_valgrind() && KMEM_DEBUG_LEVEL >= 1) {
		tcase_add_test_raise_signal(tcase, frame_added_twice_dies, SIGABRT);
		tcase_add_test_raise_signal(tcase, frame_removed_before_it_was_added_dies, SIGABRT);
		tcase_add_test_raise_signal(tcase, pinned_frame_added_dies, SIGABRT);
		tcase_add_test_raise_signal(tcase, frame_of_nobody_dies, SIGABRT);
	}
	return suite;
}
