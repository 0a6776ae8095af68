/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads of the little kernel: how they begin and end, what ends them, and what is left of them.
 */
#define CONFIG_ASSERT 1
#define CONFIG_DEMAND_PAGING 1
#define CONFIG_DEMAND_PAGING_STATS 1
#define CONFIG_DEMAND_PAGING_THREAD_STATS 1

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <zephyr/kernel.h>

#include "../harness.h"

#define PAGE 4096UL
#define STACK_SIZE 512
#define ARG(value) ((void *)(uintptr_t)(value))

K_THREAD_STACK_DEFINE(stack, STACK_SIZE);
K_THREAD_STACK_DEFINE(other_stack, STACK_SIZE);
static struct k_thread thread;
static struct k_thread other;

K_SEM_DEFINE(ready, 0, K_SEM_MAX_LIMIT); /* given by threads that are where a test wants them */
K_SEM_DEFINE(never, 0, 1);               /* given by nobody */
static atomic_t value;

/* The program's handler of fatal errors returns if a test wants that. */
static volatile bool handler_returns;
static volatile unsigned int handler_reason;
static k_tid_t volatile handler_thread;

void k_sys_fatal_error_handler(unsigned int reason, const struct arch_esf *esf)
{
	ARG_UNUSED(esf);
	handler_reason = reason;
	handler_thread = k_current_get();
	if (!handler_returns) {
		k_fatal_halt(reason);
	}
}

static k_tid_t start(k_thread_entry_t entry, void *arg)
{
	return k_thread_create(&thread, stack, K_THREAD_STACK_SIZEOF(stack), entry, arg, NULL, NULL, 5, 0, K_NO_WAIT);
}

/* Wait until a thread waits for something. */
static void until_pending(struct k_thread *which)
{
	while ((__atomic_load_n(&which->base.thread_state, __ATOMIC_RELAXED) & _THREAD_PENDING) == 0) {
		sched_yield();
	}
}

static void sum(void *p1, void *p2, void *p3)
{
	atomic_set(&value, (long)((uintptr_t)p1 + (uintptr_t)p2 + (uintptr_t)p3));
}

START_TEST(a_thread_gets_its_arguments_and_is_joined)
{
	k_tid_t tid = k_thread_create(&thread, stack, K_THREAD_STACK_SIZEOF(stack), sum, ARG(1), ARG(20), ARG(300), 3,
				      K_USER, K_NO_WAIT);

	ck_assert_ptr_eq(tid, &thread);
	ck_assert_int_eq(k_thread_join(tid, K_FOREVER), 0);
	ck_assert_int_eq(atomic_get(&value), 321);
	ck_assert_int_eq(k_thread_join(tid, K_NO_WAIT), 0);
	ck_assert_int_eq(k_thread_join(tid, K_FOREVER), 0);
	ck_assert_uint_eq(thread.base.user_options, K_USER);
	ck_assert_ptr_eq(thread.mem_domain_info.mem_domain, k_current_get()->mem_domain_info.mem_domain);
}
END_TEST

START_TEST(a_thread_object_serves_again_at_once)
{
	for (uintptr_t i = 0; i < 500; i++) {
		(void)k_thread_create(&thread, stack, STACK_SIZE, sum, ARG(i), ARG(0), ARG(0), 0, 0, K_NO_WAIT);
		ck_assert_int_eq(k_thread_join(&thread, K_FOREVER), 0);
		ck_assert_int_eq(atomic_get(&value), (long)i);
	}
}
END_TEST

static void wait_for_ever(void *p1, void *p2, void *p3)
{
	ARG_UNUSED(p1);
	ARG_UNUSED(p2);
	ARG_UNUSED(p3);
	k_sem_take(&never, K_FOREVER);
	atomic_set(&value, -1);
}

START_TEST(joins_end_as_they_should)
{
	int64_t before;

	ck_assert_int_eq(k_thread_join(k_current_get(), K_FOREVER), -EDEADLK);
	ck_assert_int_eq(k_thread_join(k_current_get(), K_NO_WAIT), -EBUSY);
	start(wait_for_ever, NULL);
	ck_assert_int_eq(k_thread_join(&thread, K_NO_WAIT), -EBUSY);
	before = k_uptime_get();
	ck_assert_int_eq(k_thread_join(&thread, K_MSEC(20)), -EAGAIN);
	ck_assert_int_ge(k_uptime_get() - before, 19);
	k_thread_abort(&thread);
	ck_assert_int_eq(k_thread_join(&thread, K_FOREVER), 0);
	ck_assert_int_eq(atomic_get(&value), 0);
}
END_TEST

static void join_it(void *target, void *p2, void *p3)
{
	ARG_UNUSED(p2);
	ARG_UNUSED(p3);
	atomic_set(&value, k_thread_join(target, K_FOREVER));
}

START_TEST(threads_do_not_join_each_other_for_ever)
{
	start(join_it, k_current_get());
	until_pending(&thread);
	ck_assert_int_eq(k_thread_join(&thread, K_FOREVER), -EDEADLK);
	k_thread_abort(&thread);
}
END_TEST

START_TEST(several_threads_join_one)
{
	start(wait_for_ever, NULL);
	atomic_set(&value, 7);
	(void)k_thread_create(&other, other_stack, STACK_SIZE, join_it, &thread, NULL, NULL, 0, 0, K_NO_WAIT);
	until_pending(&other);
	k_thread_abort(&thread);
	ck_assert_int_eq(k_thread_join(&other, K_FOREVER), 0);
	ck_assert_int_eq(atomic_get(&value), 0);
}
END_TEST

static void note_time(void *p1, void *p2, void *p3)
{
	ARG_UNUSED(p1);
	ARG_UNUSED(p2);
	ARG_UNUSED(p3);
	atomic_set(&value, (long)k_uptime_get());
}

START_TEST(a_delay_passes_before_a_thread_runs)
{
	int64_t before = k_uptime_get();

	(void)k_thread_create(&thread, stack, STACK_SIZE, note_time, NULL, NULL, NULL, 0, 0, K_MSEC(30));
	ck_assert_int_gt(k_thread_timeout_remaining_ticks(&thread), 0);
	ck_assert_int_eq(k_thread_join(&thread, K_FOREVER), 0);
	ck_assert_int_ge(atomic_get(&value) - before, 29);
}
END_TEST

START_TEST(a_thread_waits_for_its_start)
{
	char text[32];

	(void)k_thread_create(&thread, stack, STACK_SIZE, note_time, NULL, NULL, NULL, 0, 0, K_FOREVER);
	ck_assert_int_eq(k_thread_join(&thread, K_MSEC(20)), -EAGAIN);
	ck_assert_int_eq(atomic_get(&value), 0);
	ck_assert_ptr_nonnull(strstr(k_thread_state_str(&thread, text, sizeof(text)), "prestart"));
	k_thread_start(&thread);
	k_thread_start(&thread);
	ck_assert_int_eq(k_thread_join(&thread, K_FOREVER), 0);
	ck_assert_int_ne(atomic_get(&value), 0);
	ck_assert_str_eq(k_thread_state_str(&thread, text, sizeof(text)), "dead");

	/* At once, before the thread itself has come to its wait; and a delay that is cut short. */
	for (int i = 0; i < 100; i++) {
		(void)k_thread_create(&thread, stack, STACK_SIZE, note_time, NULL, NULL, NULL, 0, 0,
				      i % 2 == 0 ? K_FOREVER : K_SECONDS(1000));
		if (i % 3 == 0) {
			k_wakeup(&thread);
		} else {
			k_thread_start(&thread);
		}
		ck_assert_int_eq(k_thread_join(&thread, K_FOREVER), 0);
	}
}
END_TEST

START_TEST(names_and_priorities_are_kept)
{
	char name[8];

	start(wait_for_ever, NULL);
	ck_assert_str_eq(k_thread_name_get(&thread), "");
	ck_assert_int_eq(k_thread_name_set(&thread, "worker"), 0);
	ck_assert_str_eq(k_thread_name_get(&thread), "worker");
	ck_assert_int_eq(k_thread_name_copy(&thread, name, sizeof(name)), 0);
	ck_assert_str_eq(name, "worker");
	ck_assert_int_eq(k_thread_name_copy(&thread, name, 3), -ENOSPC);
	ck_assert_int_eq(k_thread_name_set(&thread, "a name that is longer than there is room for"), 0);
	ck_assert_str_eq(k_thread_name_get(&thread), "a name that is longer than ther");
	ck_assert_int_eq(k_thread_priority_get(&thread), 5);
	k_thread_priority_set(&thread, K_PRIO_COOP(3));
	ck_assert_int_eq(k_thread_priority_get(&thread), -13);
	k_thread_abort(&thread);

	ck_assert_ptr_eq(k_current_get(), &z_main_thread);
	ck_assert_str_eq(k_thread_name_get(NULL), "main");
	ck_assert(z_is_thread_essential(&z_main_thread));
	ck_assert_int_eq(k_is_preempt_thread(), 1);
	k_sched_lock();
	ck_assert_int_eq(k_is_preempt_thread(), 0);
	k_sched_unlock();
}
END_TEST

/* Every way to wait, for abort and suspend. */

K_MUTEX_DEFINE(held_mutex);
K_MUTEX_DEFINE(own_mutex);
K_CONDVAR_DEFINE(condvar);
K_EVENT_DEFINE(event);
K_FIFO_DEFINE(fifo);
K_STACK_DEFINE(word_stack, 1);
K_MSGQ_DEFINE(msgq, sizeof(int), 1, 4);
K_MEM_SLAB_DEFINE(slab, 16, 1, 8);
K_HEAP_DEFINE(heap, 64);
K_TIMER_DEFINE(timer, NULL, NULL);

static void wait_in_sem(void)
{
	k_sem_take(&never, K_FOREVER);
}

static void wait_in_sem_with_timeout(void)
{
	k_sem_take(&never, K_SECONDS(1000));
}

static void wait_in_mutex(void)
{
	k_mutex_lock(&held_mutex, K_FOREVER);
}

static void wait_in_condvar(void)
{
	k_mutex_lock(&own_mutex, K_FOREVER);
	k_condvar_wait(&condvar, &own_mutex, K_FOREVER);
}

static void wait_in_event(void)
{
	k_event_wait(&event, 1, false, K_FOREVER);
}

static void wait_in_fifo(void)
{
	(void)k_fifo_get(&fifo, K_FOREVER);
}

static void wait_in_stack(void)
{
	stack_data_t data;

	k_stack_pop(&word_stack, &data, K_FOREVER);
}

static void wait_in_msgq(void)
{
	int message;

	k_msgq_get(&msgq, &message, K_FOREVER);
}

static void wait_in_slab(void)
{
	void *block;

	k_mem_slab_alloc(&slab, &block, K_FOREVER);
}

static void wait_in_heap(void)
{
	(void)k_heap_alloc(&heap, 1000, K_FOREVER);
}

static void wait_in_timer(void)
{
	k_timer_start(&timer, K_SECONDS(1000), K_NO_WAIT);
	k_timer_status_sync(&timer);
}

static void wait_in_sleep(void)
{
	k_sleep(K_SECONDS(1000));
}

static void wait_in_endless_sleep(void)
{
	k_sleep(K_FOREVER);
}

static void wait_in_join(void)
{
	k_thread_join(&z_main_thread, K_FOREVER);
}

static void wait_in_sched_lock(void)
{
	k_sched_lock();
}

static void wait_with_irqs_locked(void)
{
	(void)irq_lock();
	k_sem_take(&never, K_FOREVER);
}

static void wait_in_suspension(void)
{
	k_thread_suspend(k_current_get());
}

static void wait_on_the_host(void)
{
	for (;;) {
		/* ThreadSanitizer takes a thread that has left a call by a jump to be still in it. */
		(void)(harness_on_tsan() ? sched_yield() : pause());
	}
}

static void wait_busily(void)
{
	for (;;) {
		atomic_inc(&value);
	}
}

static void wait_inside_malloc(void)
{
	for (;;) {
		free(malloc((size_t)random() % 5000));
		free(malloc(300000));
	}
}

static void (*const waits[])(void) = {
	wait_in_sem,           wait_in_sem_with_timeout,
	wait_in_mutex,         wait_in_condvar,
	wait_in_event,         wait_in_fifo,
	wait_in_stack,         wait_in_msgq,
	wait_in_slab,          wait_in_heap,
	wait_in_timer,         wait_in_sleep,
	wait_in_endless_sleep, wait_in_join,
	wait_in_sched_lock,    wait_with_irqs_locked,
	wait_in_suspension,    wait_on_the_host,
	wait_busily,           wait_inside_malloc,
};

#define WAITS ((int)ARRAY_SIZE(waits))
#define LAST_PENDING 16

static void wait_here(void *wait, void *p2, void *p3)
{
	ARG_UNUSED(p2);
	ARG_UNUSED(p3);
	k_sem_give(&ready);
	(*(void (*const *)(void))wait)();
}

START_TEST(a_thread_is_aborted_wherever_it_waits)
{
	void *block;

	k_mutex_lock(&held_mutex, K_FOREVER);
	(void)k_mem_slab_alloc(&slab, &block, K_NO_WAIT);
	k_sched_lock();
	start(wait_here, (void *)&waits[_i]);
	k_sem_take(&ready, K_FOREVER);
	if (_i < LAST_PENDING && waits[_i] != wait_in_sched_lock) {
		until_pending(&thread);
	}
	k_thread_abort(&thread);
	ck_assert_int_eq(k_thread_join(&thread, K_NO_WAIT), 0);
	k_sched_unlock();

	/* Nothing is left behind: no lock, and nobody in a queue. */
	k_mem_slab_free(&slab, block);
	ck_assert_int_eq(k_mem_slab_alloc(&slab, &block, K_NO_WAIT), 0);
	ck_assert_int_eq(k_mutex_unlock(&held_mutex), 0);
	ck_assert_ptr_null(held_mutex.owner);
	k_sem_give(&never);
	ck_assert_int_eq(k_sem_take(&never, K_NO_WAIT), 0);
	ck_assert_int_eq(k_condvar_broadcast(&condvar), 0);
	free(malloc(100));
	irq_unlock(irq_lock());
	start(sum, NULL);
	ck_assert_int_eq(k_thread_join(&thread, K_FOREVER), 0);
}
END_TEST

START_TEST(a_thread_is_aborted_before_its_start)
{
	(void)k_thread_create(&thread, stack, STACK_SIZE, note_time, NULL, NULL, NULL, 0, 0, K_FOREVER);
	k_thread_abort(&thread);
	ck_assert_int_eq(k_thread_join(&thread, K_NO_WAIT), 0);
	k_thread_abort(&thread);
	k_thread_start(&thread);
	ck_assert_int_eq(atomic_get(&value), 0);
}
END_TEST

static void abort_self(void *depth, void *p2, void *p3)
{
	if (depth != NULL) {
		abort_self((void *)((uintptr_t)depth - 1), p2, p3);
	}
	k_sched_lock();
	(void)irq_lock();
	k_thread_abort(k_current_get());
	atomic_set(&value, -1);
}

START_TEST(a_thread_aborts_itself_and_leaves_its_locks)
{
	start(abort_self, ARG(10));
	ck_assert_int_eq(k_thread_join(&thread, K_FOREVER), 0);
	ck_assert_int_eq(atomic_get(&value), 0);
	k_sched_lock();
	k_sched_unlock();
	irq_unlock(irq_lock());
}
END_TEST

static void locked_for_long(void *p1, void *p2, void *p3)
{
	unsigned int key = irq_lock();

	ARG_UNUSED(p1);
	ARG_UNUSED(p2);
	ARG_UNUSED(p3);
	atomic_set(&value, 1);
	k_busy_wait(50000);
	atomic_set(&value, 2);
	irq_unlock(key);
	for (;;) {
	}
}

START_TEST(an_abort_waits_for_the_interrupt_lock)
{
	start(locked_for_long, NULL);
	while (atomic_get(&value) == 0) {
		sched_yield();
	}
	k_thread_abort(&thread);
	ck_assert_int_eq(atomic_get(&value), 2);
}
END_TEST

static void abort_from_handler(struct k_timer *which)
{
	ARG_UNUSED(which);
	k_thread_abort(&thread);
}

START_TEST(an_interrupt_handler_aborts_a_thread)
{
	struct k_timer killer;

	start(wait_here, (void *)&waits[_i]);
	k_sem_take(&ready, K_FOREVER);
	k_timer_init(&killer, abort_from_handler, NULL);
	k_timer_start(&killer, K_MSEC(1), K_NO_WAIT);
	while (k_thread_join(&thread, K_NO_WAIT) != 0) {
		k_msleep(1);
	}
	k_timer_stop(&killer);
}
END_TEST

#ifndef __SANITIZE_THREAD__

static void count(void *p1, void *p2, void *p3)
{
	ARG_UNUSED(p1);
	ARG_UNUSED(p2);
	ARG_UNUSED(p3);
	for (;;) {
		atomic_inc(&value);
	}
}

START_TEST(a_suspended_thread_stands_still)
{
	atomic_val_t before;

	start(count, NULL);
	for (int i = 0; i < 10; i++) {
		k_thread_suspend(&thread);
		before = atomic_get(&value);
		k_usleep(500);
		ck_assert_int_eq(atomic_get(&value), before);
		k_thread_resume(&thread);
		while (atomic_get(&value) == before) {
			sched_yield();
		}
	}
	k_thread_suspend(&thread);
	k_thread_abort(&thread);
	ck_assert_int_eq(k_thread_join(&thread, K_NO_WAIT), 0);
}
END_TEST

#endif

START_TEST(a_suspended_thread_waits_on)
{
	(void)k_thread_create(&other, other_stack, STACK_SIZE, wait_for_ever, NULL, NULL, NULL, 0, 0, K_NO_WAIT);
	start(join_it, &other);
	until_pending(&other);
	k_thread_suspend(&other);
	k_sem_give(&never);
	ck_assert_int_eq(k_thread_join(&other, K_MSEC(10)), -EAGAIN);
	k_thread_resume(&other);
	ck_assert_int_eq(k_thread_join(&other, K_FOREVER), 0);
	k_thread_abort(&thread);
}
END_TEST

START_TEST(a_sleeper_is_woken)
{
	start(wait_here, (void *)&waits[12]); /* k_sleep(K_FOREVER) */
	until_pending(&thread);
	k_wakeup(&thread);
	ck_assert_int_eq(k_thread_join(&thread, K_FOREVER), 0);
	ck_assert_int_eq(k_sleep(K_MSEC(1)), 0);
	ck_assert_int_eq(k_usleep(10), 0);
	ck_assert_int_eq(k_sleep(K_NO_WAIT), 0);
}
END_TEST

/* Fatal errors. */

static void oops(void *p1, void *p2, void *p3)
{
	ARG_UNUSED(p2);
	ARG_UNUSED(p3);
	(void)irq_lock();
	if (p1 == NULL) {
		k_oops();
	}
	*(volatile char *)p1 = 1;
	atomic_set(&value, -1);
}

START_TEST(a_fatal_error_ends_its_thread_alone)
{
	uint8_t *page = k_mem_map(PAGE, K_MEM_PERM_RW);

	handler_returns = true;
	(void)k_thread_create(&other, other_stack, STACK_SIZE, wait_for_ever, NULL, NULL, NULL, 0, 0, K_NO_WAIT);
	start(oops, NULL);
	ck_assert_int_eq(k_thread_join(&thread, K_FOREVER), 0);
	ck_assert_uint_eq(handler_reason, K_ERR_KERNEL_OOPS);
	ck_assert_ptr_eq(handler_thread, &thread);
	for (int i = 0; i < 50; i++) {
		start(oops, page + (i % 2 == 0 ? -1 : (int)PAGE));
		ck_assert_int_eq(k_thread_join(&thread, K_FOREVER), 0);
		ck_assert_uint_eq(handler_reason, K_ERR_CPU_EXCEPTION);
	}
	ck_assert_int_eq(atomic_get(&value), 0);
	ck_assert_int_eq(k_thread_join(&other, K_NO_WAIT), -EBUSY);
	k_thread_abort(&other);
	irq_unlock(irq_lock());
	page[0] = 1;
	k_mem_unmap(page, PAGE);
}
END_TEST

START_TEST(a_fatal_error_of_main_ends_the_process)
{
	handler_returns = true;
	k_oops();
}
END_TEST

START_TEST(a_fatal_error_of_an_essential_thread_ends_the_process)
{
	handler_returns = true;
	(void)k_thread_create(&thread, stack, STACK_SIZE, oops, NULL, NULL, NULL, 0, K_ESSENTIAL, K_NO_WAIT);
	k_thread_join(&thread, K_FOREVER);
}
END_TEST

START_TEST(the_end_of_an_essential_thread_ends_the_process)
{
	(void)k_thread_create(&thread, stack, STACK_SIZE, sum, NULL, NULL, NULL, 0, K_ESSENTIAL, K_NO_WAIT);
	k_thread_join(&thread, K_FOREVER);
}
END_TEST

static void sleep_in_handler(struct k_timer *which)
{
	ARG_UNUSED(which);
	k_sleep(K_MSEC(1));
}

START_TEST(an_interrupt_handler_that_waits_ends_the_process)
{
	struct k_timer sleeper;

	handler_returns = true;
	k_timer_init(&sleeper, sleep_in_handler, NULL);
	k_timer_start(&sleeper, K_NO_WAIT, K_NO_WAIT);
	k_sleep(K_FOREVER);
}
END_TEST

START_TEST(main_is_not_aborted)
{
	k_thread_abort(k_current_get());
}
END_TEST

static void enter_user_mode(void *p1, void *p2, void *p3)
{
	k_thread_user_mode_enter(sum, p1, p2, p3);
}

START_TEST(user_mode_is_a_call)
{
	start(enter_user_mode, ARG(9));
	ck_assert_int_eq(k_thread_join(&thread, K_FOREVER), 0);
	ck_assert_int_eq(atomic_get(&value), 9);
	ck_assert(!k_is_user_context());
}
END_TEST

static void count_them(const struct k_thread *which, void *counts)
{
	((unsigned int *)counts)[which == &thread ? 0 : which == &z_main_thread ? 1 : 2]++;
}

START_TEST(all_threads_are_visited)
{
	unsigned int counts[3] = {0};

	start(wait_for_ever, NULL);
	k_thread_foreach(count_them, counts);
	k_thread_foreach_unlocked(count_them, counts);
	ck_assert_uint_eq(counts[0], 2);
	ck_assert_uint_eq(counts[1], 2);
	ck_assert_uint_eq(counts[2], 0);
	k_thread_abort(&thread);
}
END_TEST

/* Threads that k_thread_create() did not make. */
static void *host_thread(void *unused)
{
	k_tid_t self = k_current_get();

	ARG_UNUSED(unused);
	ck_assert_ptr_ne(self, &z_main_thread);
	ck_assert_ptr_eq(self, k_current_get());
	ck_assert_int_eq(k_thread_name_set(NULL, "host"), 0);
	k_sleep(K_MSEC(1));
	ck_assert_int_eq(k_sem_take(&never, K_MSEC(1)), -EAGAIN);
	k_sem_give(&ready);
	k_thread_abort(self);
	return unused;
}

START_TEST(a_host_thread_is_a_thread)
{
	pthread_t host;

	ck_assert_int_eq(pthread_create(&host, NULL, host_thread, NULL), 0);
	ck_assert_int_eq(k_sem_take(&ready, K_FOREVER), 0);
	ck_assert_int_eq(pthread_join(host, NULL), 0);
}
END_TEST

static void exit_host_thread(void *p1, void *p2, void *p3)
{
	ARG_UNUSED(p1);
	ARG_UNUSED(p2);
	ARG_UNUSED(p3);
	pthread_exit(NULL);
}

START_TEST(a_thread_that_leaves_by_pthread_exit_is_dead)
{
	start(exit_host_thread, NULL);
	ck_assert_int_eq(k_thread_join(&thread, K_FOREVER), 0);
}
END_TEST

static void touch(void *bytes, void *p2, void *p3)
{
	ARG_UNUSED(p2);
	ARG_UNUSED(p3);
	for (size_t i = 0; i < 4; i++) {
		(void)*(volatile char *)((char *)bytes + i * PAGE);
	}
}

START_TEST(counters_stay_with_the_object)
{
	char *bytes = k_mem_map(4 * PAGE, K_MEM_PERM_RW);
	struct kmem_stats stats;

	ck_assert_ptr_nonnull(bytes);
	for (unsigned long round = 1; round <= 3; round++) {
		ck_assert_int_eq(k_mem_page_out(bytes, 4 * PAGE), 0);
		start(touch, bytes);
		ck_assert_int_eq(k_thread_join(&thread, K_FOREVER), 0);
		kmem_k_thread_stats_get(&thread, &stats);
		ck_assert_uint_eq(stats.pagefaults.cnt, 4 * round);
	}
	ck_assert_int_eq(k_mem_page_out(bytes, 4 * PAGE), 0);
	touch(bytes, NULL, NULL);
	kmem_k_thread_stats_get(k_current_get(), &stats);
	ck_assert_uint_ge(stats.pagefaults.cnt, 4);
	kmem_k_thread_stats_get(&other, &stats);
	ck_assert_uint_eq(stats.pagefaults.cnt, 0);
	k_mem_unmap(bytes, 4 * PAGE);
}
END_TEST

START_TEST(stacks_are_allocated_and_freed)
{
	k_thread_stack_t *one = k_thread_stack_alloc(1000, K_USER);

	ck_assert_ptr_nonnull(one);
	(void)k_thread_create(&thread, one, 1000, wait_for_ever, NULL, NULL, NULL, 0, 0, K_NO_WAIT);
	ck_assert_int_eq(k_thread_stack_free(one), -EBUSY);
	k_thread_abort(&thread);
	ck_assert_int_eq(k_thread_stack_free(one), 0);
	ck_assert_int_eq(k_thread_stack_free(one), -EINVAL);
	ck_assert_int_eq(k_thread_stack_free(stack), -EINVAL);
}
END_TEST

static void use_stack(void *size, void *p2, void *p3)
{
	char bytes[(uintptr_t)size];

	ARG_UNUSED(p2);
	ARG_UNUSED(p3);
	memset(bytes, 1, sizeof(bytes));
	atomic_set(&value, ((volatile char *)bytes)[sizeof(bytes) - 1]);
}

START_TEST(tiny_stacks_are_enough_and_large_ones_are_large)
{
	start(use_stack, ARG(100000));
	ck_assert_int_eq(k_thread_join(&thread, K_FOREVER), 0);
	ck_assert_int_eq(atomic_get(&value), 1);
	(void)k_thread_create(&thread, stack, 8 << 20, use_stack, ARG(8 << 20), NULL, NULL, 0, 0, K_NO_WAIT);
	ck_assert_int_eq(k_thread_join(&thread, K_FOREVER), 0);
}
END_TEST

/* What is wrong in the child; 0 if nothing is. */
static int child_check(void)
{
	if (k_thread_join(&thread, K_NO_WAIT) != 0 || k_current_get() != &z_main_thread) {
		return 1;
	}
	k_sem_give(&never);
	if (k_sem_take(&never, K_NO_WAIT) != 0) {
		return 2;
	}
	if (harness_on_asan() || harness_on_tsan()) {
		return 0; /* to them the parent's threads are there still, on the stacks that new ones get */
	}
	k_timer_start(&timer, K_MSEC(1), K_NO_WAIT);
	if (k_timer_status_sync(&timer) != 1) {
		return 3;
	}
	start(sum, NULL);
	return k_thread_join(&thread, K_FOREVER) == 0 ? 0 : 4;
}

START_TEST(the_child_of_a_fork_has_one_thread)
{
	pid_t child;
	int status;

	start(wait_for_ever, NULL);
	k_timer_start(&timer, K_SECONDS(1000), K_NO_WAIT);
	until_pending(&thread);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		_exit(child_check());
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	k_thread_abort(&thread);
	k_timer_stop(&timer);
}
END_TEST

Suite *kmem_test_suite(void)
{
	Suite *suite = suite_create("kernel threads");
	TCase *life = tcase_create("life");
	TCase *end = tcase_create("end");

	tcase_set_timeout(life, 60);
	tcase_add_test(life, a_thread_gets_its_arguments_and_is_joined);
	tcase_add_test(life, a_thread_object_serves_again_at_once);
	tcase_add_test(life, joins_end_as_they_should);
	tcase_add_test(life, threads_do_not_join_each_other_for_ever);
	tcase_add_test(life, several_threads_join_one);
	tcase_add_test(life, a_delay_passes_before_a_thread_runs);
	tcase_add_test(life, a_thread_waits_for_its_start);
	tcase_add_test(life, names_and_priorities_are_kept);
	tcase_add_test(life, a_sleeper_is_woken);
	tcase_add_test(life, user_mode_is_a_call);
	tcase_add_test(life, all_threads_are_visited);
	tcase_add_test(life, a_host_thread_is_a_thread);
	tcase_add_test(life, counters_stay_with_the_object);
	tcase_add_test(life, stacks_are_allocated_and_freed);
	tcase_add_test(life, tiny_stacks_are_enough_and_large_ones_are_large);
	tcase_add_test(life, the_child_of_a_fork_has_one_thread);
	suite_add_tcase(suite, life);

	tcase_set_timeout(end, 60);
	tcase_add_loop_test(end, a_thread_is_aborted_wherever_it_waits, 0, WAITS);
	tcase_add_loop_test(end, an_interrupt_handler_aborts_a_thread, 0, WAITS);
	tcase_add_test(end, a_thread_is_aborted_before_its_start);
	tcase_add_test(end, a_thread_aborts_itself_and_leaves_its_locks);
	tcase_add_test(end, an_abort_waits_for_the_interrupt_lock);
#ifndef __SANITIZE_THREAD__ /* it keeps signals back until its own code runs */
	tcase_add_test(end, a_suspended_thread_stands_still);
#endif
	tcase_add_test(end, a_suspended_thread_waits_on);
	tcase_add_test(end, a_thread_that_leaves_by_pthread_exit_is_dead);
	tcase_add_test(end, a_fatal_error_ends_its_thread_alone);
	tcase_add_test_raise_signal(end, a_fatal_error_of_main_ends_the_process, SIGABRT);
	tcase_add_test_raise_signal(end, a_fatal_error_of_an_essential_thread_ends_the_process, SIGABRT);
	tcase_add_test_raise_signal(end, the_end_of_an_essential_thread_ends_the_process, SIGABRT);
	tcase_add_test_raise_signal(end, an_interrupt_handler_that_waits_ends_the_process, SIGABRT);
	tcase_add_test_raise_signal(end, main_is_not_aborted, SIGABRT);
	suite_add_tcase(suite, end);
	return suite;
}
