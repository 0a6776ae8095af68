/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lock that stands for locked interrupts: keys, exclusion between threads, paged memory under it, waiting calls,
 * forks, and what statistics say of it.
 */
#define CONFIG_DEMAND_PAGING 1
#define CONFIG_DEMAND_PAGING_STATS 1
#define CONFIG_SRAM_SIZE 32768
#define CONFIG_BACKING_STORE_RAM_PAGES 64
#define CONFIG_ASSERT 1

#include <zephyr/kernel/mm/demand_paging.h>

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <kmem/irq.h>

#include "harness.h"

#define PAGE ((size_t)CONFIG_MMU_PAGE_SIZE)
#define PAGES 8
#define THREADS 4

static uint8_t *pages;

static void setup(void)
{
	ck_assert(kmem_is_booted());
	ck_assert(!kmem_irq_is_locked());
	pages = k_mem_map(PAGES * PAGE, K_MEM_PERM_RW);
	ck_assert_ptr_nonnull(pages);
}

static void teardown(void)
{
	ck_assert(!kmem_irq_is_locked());
	ck_assert(!kmem_isr_is_in());
	k_mem_unmap(pages, PAGES * PAGE);
	ck_assert(kmem_is_valid());
}

static void start(pthread_t *thread, void *(*entry)(void *), void *arg)
{
	ck_assert_int_eq(pthread_create(thread, NULL, entry, arg), 0);
}

static void join(pthread_t thread)
{
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
}

static int wait_for(pid_t child)
{
	int status;

	ck_assert_int_eq(waitpid(child, &status, 0), child);
	return status;
}

/* ---- keys ---- */

START_TEST(locks_nest)
{
	unsigned int outer = arch_irq_lock();
	unsigned int inner;

	ck_assert(arch_irq_unlocked(outer));
	ck_assert(kmem_irq_is_locked());
	inner = arch_irq_lock();
	ck_assert(!arch_irq_unlocked(inner));
	ck_assert_uint_ne(inner, outer);
	arch_irq_unlock(inner);
	ck_assert(kmem_irq_is_locked());
	arch_irq_unlock(outer);
	ck_assert(!kmem_irq_is_locked());
}
END_TEST

/* The outer key unlocks, however deep one is: keys are states, and no count is kept. */
START_TEST(outer_key_unlocks_at_once)
{
	unsigned int outer = arch_irq_lock();

	(void)arch_irq_lock();
	(void)arch_irq_lock();
	arch_irq_unlock(outer);
	ck_assert(!kmem_irq_is_locked());
}
END_TEST

START_TEST(unlocking_what_is_unlocked_does_nothing)
{
	unsigned int key = arch_irq_lock();

	arch_irq_unlock(key);
	arch_irq_unlock(key);
	ck_assert(!kmem_irq_is_locked());
	key = arch_irq_lock();
	ck_assert(arch_irq_unlocked(key));
	arch_irq_unlock(key);
}
END_TEST

START_TEST(release_all_and_restore_are_a_pair)
{
	unsigned int was_locked = kmem_irq_release_all();
	unsigned int key;

	ck_assert_uint_eq(was_locked, 0);
	kmem_irq_restore(was_locked);
	ck_assert(!kmem_irq_is_locked());
	key = arch_irq_lock();
	(void)arch_irq_lock();
	was_locked = kmem_irq_release_all();
	ck_assert_uint_ne(was_locked, 0);
	ck_assert(!kmem_irq_is_locked());
	ck_assert_uint_eq(kmem_irq_release_all(), 0);
	kmem_irq_restore(was_locked);
	ck_assert(kmem_irq_is_locked());
	arch_irq_unlock(key);
}
END_TEST

START_TEST(handlers_are_a_state_of_the_thread)
{
	kmem_isr_enter();
	ck_assert(kmem_isr_is_in());
	ck_assert(!kmem_irq_is_locked());
	kmem_isr_leave();
	ck_assert(!kmem_isr_is_in());
}
END_TEST

/* ---- threads ---- */

struct worker {
	pthread_t thread;
	int rounds;
	volatile unsigned long *counter; /* guarded by the lock */
	volatile uint8_t *bytes;
	_Atomic bool *is_over;
	unsigned int failures;
};

/* A counter that loses increments if two count at a time. */
static void *count_locked(void *arg)
{
	struct worker *self = arg;

	for (int i = 0; i < self->rounds; i++) {
		unsigned int outer = arch_irq_lock();
		unsigned int inner = arch_irq_lock();
		unsigned long value = *self->counter;

		if (i % 64 == 0) {
			sched_yield();
		}
		*self->counter = value + 1;
		arch_irq_unlock(inner);
		if (i % 16 == 0) {
			unsigned int was_locked = kmem_irq_release_all();

			kmem_irq_restore(was_locked);
		}
		self->failures += kmem_irq_is_locked() ? 0 : 1;
		arch_irq_unlock(outer);
	}
	return NULL;
}

static void count_all(volatile unsigned long *counter, int rounds)
{
	struct worker workers[THREADS] = {0};

	*counter = 0;
	for (int i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){.rounds = rounds, .counter = counter};
		start(&workers[i].thread, count_locked, &workers[i]);
	}
	for (int i = 0; i < THREADS; i++) {
		join(workers[i].thread);
		ck_assert_uint_eq(workers[i].failures, 0);
	}
	ck_assert_uint_eq(*counter, (unsigned long)rounds * THREADS);
}

START_TEST(threads_exclude_each_other)
{
	unsigned long counter;

	count_all(&counter, harness_on_valgrind() ? 200 : 20000);
}
END_TEST

static void *throw_out(void *arg)
{
	struct worker *self = arg;

	while (!atomic_load(self->is_over)) {
		if (k_mem_page_out((void *)(uintptr_t)self->bytes, PAGE) != 0) {
			self->failures++;
		}
		sched_yield();
	}
	return NULL;
}

/* Who holds the lock may fault, also while other threads page the same page out. */
START_TEST(paged_memory_may_be_touched_under_the_lock)
{
	_Atomic bool is_over = false;
	struct worker thrower = {.bytes = pages, .is_over = &is_over};

	start(&thrower.thread, throw_out, &thrower);
	count_all((volatile unsigned long *)pages, harness_on_valgrind() ? 50 : 2000);
	atomic_store(&is_over, true);
	join(thrower.thread);
	ck_assert_uint_eq(thrower.failures, 0);
}
END_TEST

/* Faults are served while somebody else has interrupts locked. */
static void *touch(void *arg)
{
	volatile uint8_t *bytes = arg;

	bytes[0]++;
	return NULL;
}

START_TEST(others_fault_while_interrupts_are_locked)
{
	unsigned int key;
	pthread_t thread;

	pages[0] = 1;
	ck_assert_int_eq(k_mem_page_out(pages, PAGE), 0);
	key = arch_irq_lock();
	start(&thread, touch, pages);
	join(thread);
	arch_irq_unlock(key);
	ck_assert_uint_eq(pages[0], 2);
}
END_TEST

static void *try_lock(void *arg)
{
	struct worker *self = arg;
	unsigned int key = arch_irq_lock();

	*self->counter += 1;
	arch_irq_unlock(key);
	return NULL;
}

START_TEST(waiting_calls_let_others_in)
{
	unsigned long counter = 0;
	struct worker worker = {.counter = &counter};
	unsigned int key = arch_irq_lock();
	unsigned int was_locked;

	start(&worker.thread, try_lock, &worker);
	sched_yield();
	ck_assert_uint_eq(*worker.counter, 0);
	was_locked = kmem_irq_release_all();
	join(worker.thread);
	kmem_irq_restore(was_locked);
	ck_assert_uint_eq(*worker.counter, 1);
	ck_assert(kmem_irq_is_locked());
	arch_irq_unlock(key);
}
END_TEST

/* ---- signals ---- */

static volatile sig_atomic_t handled;
static volatile sig_atomic_t found_locked;

static void on_signal(int signo)
{
	unsigned int key = arch_irq_lock();

	(void)signo;
	found_locked = !arch_irq_unlocked(key);
	arch_irq_unlock(key);
	handled++;
}

START_TEST(signals_are_delivered_while_interrupts_are_locked)
{
	struct sigaction action = {.sa_handler = on_signal};
	struct sigaction former;
	unsigned int key;

	handled = 0;
	ck_assert_int_eq(sigaction(SIGUSR1, &action, &former), 0);
	key = arch_irq_lock();
	ck_assert_int_eq(raise(SIGUSR1), 0);
	ck_assert_int_eq(handled, 1);
	ck_assert_int_eq(found_locked, 1);
	ck_assert(kmem_irq_is_locked());
	arch_irq_unlock(key);
	ck_assert_int_eq(raise(SIGUSR1), 0);
	ck_assert_int_eq(handled, 2);
	ck_assert_int_eq(found_locked, 0);
	ck_assert_int_eq(sigaction(SIGUSR1, &former, NULL), 0);
}
END_TEST

/* ---- statistics ---- */

static struct k_mem_paging_stats_t stats_now(void)
{
	struct k_mem_paging_stats_t stats;

	k_mem_paging_stats_get(&stats);
	return stats;
}

START_TEST(faults_are_counted_by_whether_interrupts_were_locked)
{
	struct k_mem_paging_stats_t before;
	struct k_mem_paging_stats_t after;
	unsigned int key;

	memset(pages, 1, PAGES * PAGE);
	ck_assert_int_eq(k_mem_page_out(pages, PAGES * PAGE), 0);
	before = stats_now();
	pages[0] = 2;
	k_mem_page_in(pages + PAGE, PAGE);
	key = arch_irq_lock();
	pages[2 * PAGE] = 2;
	k_mem_page_in(pages + 3 * PAGE, PAGE);
	k_mem_pin(pages + 4 * PAGE, PAGE);
	kmem_isr_enter();
	pages[5 * PAGE] = 2;
	kmem_isr_leave();
	arch_irq_unlock(key);
	kmem_isr_enter();
	pages[6 * PAGE] = 2;
	kmem_isr_leave();
	after = stats_now();
	ck_assert_uint_eq(after.pagefaults.cnt, before.pagefaults.cnt + 7);
	ck_assert_uint_eq(after.pagefaults.irq_locked, before.pagefaults.irq_locked + 4);
	ck_assert_uint_eq(after.pagefaults.irq_unlocked, before.pagefaults.irq_unlocked + 3);
	ck_assert_uint_eq(after.pagefaults.in_isr, before.pagefaults.in_isr + 2);
	ck_assert_uint_eq(after.pagefaults.cnt, after.pagefaults.irq_locked + after.pagefaults.irq_unlocked);
}
END_TEST

/* ---- fork ---- */

struct holder {
	pthread_barrier_t taken;
	pthread_barrier_t forked;
};

static void *hold(void *arg)
{
	struct holder *holder = arg;
	unsigned int key = arch_irq_lock();

	pthread_barrier_wait(&holder->taken);
	pthread_barrier_wait(&holder->forked);
	arch_irq_unlock(key);
	return NULL;
}

/* Nobody holds the lock in the child if it was another thread's. */
START_TEST(lock_of_another_thread_is_free_in_the_child)
{
	struct holder holder;
	pthread_t thread;
	pid_t child;
	unsigned int key;

	pthread_barrier_init(&holder.taken, NULL, 2);
	pthread_barrier_init(&holder.forked, NULL, 2);
	start(&thread, hold, &holder);
	pthread_barrier_wait(&holder.taken);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		bool was_free;

		key = arch_irq_lock();
		was_free = arch_irq_unlocked(key);
		pages[0] = 5;
		arch_irq_unlock(key);
		_exit(was_free && !kmem_irq_is_locked() && kmem_is_valid() ? 0 : 1);
	}
	pthread_barrier_wait(&holder.forked);
	join(thread);
	ck_assert_int_eq(wait_for(child), 0);
	key = arch_irq_lock();
	ck_assert(arch_irq_unlocked(key));
	arch_irq_unlock(key);
	pthread_barrier_destroy(&holder.taken);
	pthread_barrier_destroy(&holder.forked);
}
END_TEST

START_TEST(lock_of_the_forking_thread_is_held_in_the_child)
{
	unsigned int key = arch_irq_lock();
	pid_t child = fork();

	ck_assert_int_ge(child, 0);
	if (child == 0) {
		unsigned long counter = 0;
		struct worker worker = {.counter = &counter};
		bool was_held = kmem_irq_is_locked();

		pages[0] = 5;
		if (pthread_create(&worker.thread, NULL, try_lock, &worker) != 0) {
			_exit(2);
		}
		sched_yield();
		was_held = was_held && counter == 0;
		arch_irq_unlock(key);
		was_held = was_held && !kmem_irq_is_locked();
		_exit(was_held && pthread_join(worker.thread, NULL) == 0 && counter == 1 ? 0 : 1);
	}
	ck_assert(kmem_irq_is_locked());
	ck_assert_int_eq(wait_for(child), 0);
	arch_irq_unlock(key);
}
END_TEST

Suite *kmem_test_suite(void)
{
	Suite *suite = suite_create("irq");
	TCase *keys = tcase_create("keys");
	TCase *threads = tcase_create("threads");
	TCase *forks = tcase_create("forks");

	tcase_add_checked_fixture(keys, setup, teardown);
	tcase_add_test(keys, locks_nest);
	tcase_add_test(keys, outer_key_unlocks_at_once);
	tcase_add_test(keys, unlocking_what_is_unlocked_does_nothing);
	tcase_add_test(keys, release_all_and_restore_are_a_pair);
	tcase_add_test(keys, handlers_are_a_state_of_the_thread);
	tcase_add_test(keys, signals_are_delivered_while_interrupts_are_locked);
	tcase_add_test(keys, faults_are_counted_by_whether_interrupts_were_locked);
	suite_add_tcase(suite, keys);

	tcase_add_checked_fixture(threads, setup, teardown);
	tcase_set_timeout(threads, 300);
	tcase_add_test(threads, threads_exclude_each_other);
	tcase_add_test(threads, paged_memory_may_be_touched_under_the_lock);
	tcase_add_test(threads, others_fault_while_interrupts_are_locked);
	tcase_add_test(threads, waiting_calls_let_others_in);
	suite_add_tcase(suite, threads);

	tcase_add_checked_fixture(forks, setup, teardown);
	if (!harness_on_valgrind()) { /* it does not know of MADV_DONTFORK */
		tcase_add_test(forks, lock_of_another_thread_is_free_in_the_child);
		/* ThreadSanitizer does not let the child of a program with threads start any. */
		if (!harness_on_tsan()) {
			tcase_add_test(forks, lock_of_the_forking_thread_is_held_in_the_child);
		}
	}
	suite_add_tcase(suite, forks);
	return suite;
}
