/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads: eight of them over sixteen times their RAM, faulting, mapping, unmapping, pinning and paging at once, with every
 * word verified; cancellation in the middle of it; two threads at one page.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <kmem/kmem.h>

#include "harness.h"

#define PAGE 4096UL
#define FRAMES 64UL
#define THREADS 8UL
#define ARENA_PAGES (16 * FRAMES)
#define WORDS (PAGE / sizeof(uintptr_t))

static struct harness_leaks leaks;
static uintptr_t *arena;
static size_t rounds;
static _Atomic unsigned long wrong;
static const char *policy_name;
static const char *store_name;

static const char *const policies[] = {"clock", "lru", "nru"};
static const char *const stores[] = {"ram", "file"};

static void boot(int combination)
{
	struct kmem_config config = {
		.struct_size = sizeof(config),
		.vm_size = 64UL << 20,
		.ram_size = FRAMES * PAGE,
		.policy = policies[combination % 3],
		.store = stores[combination / 3 % 2],
		.nru_period_ms = 5,
	};

	harness_leaks_begin(&leaks);
	policy_name = config.policy;
	store_name = config.store;
	ck_assert_msg(kmem_boot(&config) == 0, "%s", kmem_boot_error());
	arena = k_mem_map(ARENA_PAGES * PAGE, K_MEM_PERM_RW);
	ck_assert_ptr_nonnull(arena);
	rounds = harness_on_valgrind() || harness_on_tsan() ? 2000 : 20000;
	wrong = 0;
}

static void finish(void)
{
	ck_assert(kmem_is_valid());
	k_mem_unmap(arena, ARENA_PAGES * PAGE);
	ck_assert_uint_eq(k_mem_free_get(), FRAMES * PAGE);
	ck_assert_int_eq(kmem_shutdown(), 0);
	harness_leaks_check(&leaks);
}

/* A word is 0 until written, then its own address; several threads may be at it. */
static void word_visit(uintptr_t *word)
{
	uintptr_t value = __atomic_load_n(word, __ATOMIC_RELAXED);

	if (value != 0 && value != (uintptr_t)word) {
		wrong++;
	}
	__atomic_store_n(word, (uintptr_t)word, __ATOMIC_RELAXED);
}

static void map_something(uint64_t random)
{
	size_t size = (1 + random % 5) * PAGE;
	uint8_t *bytes = k_mem_map(size, K_MEM_PERM_RW | (random % 7 == 0 ? K_MEM_MAP_LOCK : 0));

	if (bytes == NULL) {
		return; /* all frames may be busy or pinned just now */
	}
	for (size_t i = 0; i < size; i += PAGE) {
		if (bytes[i] != 0) {
			wrong++;
		}
		bytes[i] = 1;
	}
	k_mem_unmap(bytes, size);
}

/* Each thread has every THREADSth page, and a share of the trouble. */
static void *worker(void *arg)
{
	size_t self = (size_t)arg;
	uint64_t seed = harness_seed() + self * 0x9e3779b97f4a7c15U;

	for (size_t i = 0; i < rounds; i++) {
		uint64_t random = harness_random(&seed);
		size_t page = random % ARENA_PAGES / THREADS * THREADS + self;
		uintptr_t *words = arena + page * WORDS;

		word_visit(words + (random >> 32) % WORDS);
		switch (random >> 20 & 0xff) {
		case 0:
		case 1:
			(void)k_mem_page_out(words, PAGE);
			break;
		case 2:
			k_mem_page_in(words, PAGE);
			break;
		case 3:
			k_mem_pin(words, PAGE);
			word_visit(words);
			k_mem_unpin(words, PAGE);
			break;
		case 4:
			map_something(random >> 40);
			break;
		case 5:
			if (k_mem_update_flags(words, PAGE, 0) != 0 ||
			    k_mem_update_flags(words, PAGE, K_MEM_PERM_RW) != 0) {
				wrong++;
			}
			break;
		default:
			break;
		}
	}
	return NULL;
}

static void arena_check(void)
{
	for (size_t i = 0; i < ARENA_PAGES * WORDS; i++) {
		ck_assert_msg(arena[i] == 0 || arena[i] == (uintptr_t)&arena[i], "%s, %s: word %zu is %#zx", policy_name,
			      store_name, i, (size_t)arena[i]);
	}
}

START_TEST(eight_threads_over_sixteen_times_their_ram)
{
	pthread_t threads[THREADS];
	struct kmem_stats all;

	boot(_i);
	for (size_t i = 0; i < THREADS; i++) {
		ck_assert_int_eq(pthread_create(&threads[i], NULL, worker, (void *)i), 0);
	}
	for (size_t i = 0; i < THREADS; i++) {
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	}
	ck_assert_uint_eq(wrong, 0);
	arena_check();
	ck_assert_int_eq(kmem_stats_get(&all), 0);
	ck_assert_uint_eq(all.store_errors, 0);
	ck_assert_uint_eq(all.pagefaults.cnt, all.pagefaults.irq_locked + all.pagefaults.irq_unlocked);
	finish();
}
END_TEST

static pthread_barrier_t barrier;

/* Touch the same pages at the same time as the other one. */
static void *same_pages(void *unused)
{
	(void)unused;
	for (size_t i = 0; i < FRAMES / 2; i++) {
		pthread_barrier_wait(&barrier);
		word_visit(arena + i * WORDS);
	}
	return NULL;
}

START_TEST(two_threads_at_one_page_count_one_fault)
{
	pthread_t other;

	boot(0);
	ck_assert_int_eq(pthread_barrier_init(&barrier, NULL, 2), 0);
	ck_assert_int_eq(pthread_create(&other, NULL, same_pages, NULL), 0);
	(void)same_pages(NULL);
	ck_assert_int_eq(pthread_join(other, NULL), 0);
	ck_assert_uint_eq(wrong, 0);
	ck_assert_uint_eq(k_mem_num_pagefaults_get(), FRAMES / 2);
	pthread_barrier_destroy(&barrier);
	finish();
}
END_TEST

/* Fault for ever, until cancelled, at any instruction. */
static void *cancelled(void *arg)
{
	size_t self = (size_t)arg;

	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	for (size_t i = self;; i += THREADS) {
		uintptr_t *word = arena + i % ARENA_PAGES * WORDS;

		__atomic_store_n(word, (uintptr_t)word, __ATOMIC_RELAXED);
	}
	return NULL;
}

START_TEST(cancellation_in_faults_leaves_no_lock_and_loses_nothing)
{
	boot(_i);
	for (size_t round = 0; round < rounds / 200; round++) {
		pthread_t threads[2];

		for (size_t i = 0; i < 2; i++) {
			ck_assert_int_eq(pthread_create(&threads[i], NULL, cancelled, (void *)i), 0);
		}
		for (size_t i = 0; i < 20; i++) {
			word_visit(arena + (round * 37 + i * 11) % ARENA_PAGES * WORDS);
			sched_yield();
		}
		for (size_t i = 0; i < 2; i++) {
			ck_assert_int_eq(pthread_cancel(threads[i]), 0);
			ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
		}
	}
	ck_assert_uint_eq(wrong, 0);
	arena_check();
	finish();
}
END_TEST

static void *touch_some(void *arg)
{
	struct kmem_stats *stats = arg;

	for (size_t i = 0; i < 5; i++) {
		word_visit(arena + i * WORDS);
	}
	(void)kmem_thread_stats_get(0, stats);
	return NULL;
}

START_TEST(counters_go_to_the_thread_that_faults)
{
	struct kmem_stats theirs = {.waits = 0};
	struct kmem_stats mine;
	pthread_t thread;

	boot(0);
	ck_assert_int_eq(pthread_create(&thread, NULL, touch_some, &theirs), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	word_visit(arena + 10 * WORDS);
	ck_assert_int_eq(kmem_thread_stats_get(0, &mine), 0);
	ck_assert_uint_eq(theirs.pagefaults.cnt, 5);
	ck_assert_uint_eq(mine.pagefaults.cnt, 1);
	ck_assert_uint_eq(k_mem_num_pagefaults_get(), 6);
	finish();
}
END_TEST

Suite *kmem_test_suite(void)
{
	Suite *suite = suite_create("threads");
	TCase *stress = tcase_create("stress");
	TCase *exact = tcase_create("exact");

	harness_rcu_warm_up();
	tcase_set_timeout(stress, 240);
	tcase_add_loop_test(stress, eight_threads_over_sixteen_times_their_ram, 0, 6);
	tcase_add_loop_test(stress, cancellation_in_faults_leaves_no_lock_and_loses_nothing, 0, 6);
	suite_add_tcase(suite, stress);

	tcase_set_timeout(exact, 60);
	tcase_add_test(exact, two_threads_at_one_page_count_one_fault);
	tcase_add_test(exact, counters_go_to_the_thread_that_faults);
	suite_add_tcase(suite, exact);
	return suite;
}
