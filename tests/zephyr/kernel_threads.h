/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A few threads of the little kernel, for tests of what they wait for. All static: what a thread is depends on the
 * options of the program.
 */
#ifndef KMEM_TESTS_KERNEL_THREADS_H
#define KMEM_TESTS_KERNEL_THREADS_H

#include <check.h>
#include <sched.h>

#include <zephyr/kernel.h>

#define STACK_SIZE 1024
#define THREADS 4
#define SHORT K_MSEC(5)

K_THREAD_STACK_ARRAY_DEFINE(stacks, THREADS, STACK_SIZE);
static struct k_thread threads[THREADS];

/* A thread gets the argument, and its number. */
static inline void start(int i, k_thread_entry_t entry, void *arg, int prio)
{
	(void)k_thread_create(&threads[i], stacks[i], K_THREAD_STACK_SIZEOF(stacks[i]), entry, arg, (void *)(intptr_t)i,
			      NULL, prio, 0, K_NO_WAIT);
}

static inline void start_all(k_thread_entry_t entry)
{
	for (int i = 0; i < THREADS; i++) {
		start(i, entry, NULL, i);
	}
}

static inline void join_all(void)
{
	for (int i = 0; i < THREADS && threads[i].stack_obj != NULL; i++) {
		ck_assert_int_eq(k_thread_join(&threads[i], K_FOREVER), 0);
	}
}

/* Wait until a thread waits for something. */
static inline void until_pending(int i)
{
	while ((__atomic_load_n(&threads[i].base.thread_state, __ATOMIC_RELAXED) & _THREAD_PENDING) == 0) {
		sched_yield();
	}
}

/* What took no less than a time, whatever it was. */
#define TAKES(ms, expression)                                                                                          \
	do {                                                                                                           \
		int64_t kmem_before = k_uptime_ticks();                                                                \
		expression;                                                                                            \
		ck_assert_int_ge(k_uptime_ticks() - kmem_before, K_MSEC(ms).ticks - 1);                                \
	} while (0)

#endif /* KMEM_TESTS_KERNEL_THREADS_H */
