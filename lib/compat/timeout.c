/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Timeouts: a list in the order of their deadlines, and the thread that sleeps until the first of them.
 *
 * The thread takes the interrupt lock before it looks what is due, and calls one function under it: so a timeout that
 * was aborted under that lock is neither running nor going to run. The thread is made when it is first needed, with
 * all signals blocked but those of page faults, and it is an essential thread named "timer".
 */
#include "compat/timeout.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include <zephyr/kernel.h>

#include "compat/futex.h"
#include "compat/wait.h"

static struct kmem_timeout *first; /* interrupt lock */
static bool is_running;            /* interrupt lock */
static _Atomic uint32_t changes;   /* of the first deadline */

/* Call what is due first. When to look again. */
static uint64_t expire_one(void)
{
	unsigned int key = arch_irq_lock();
	struct kmem_timeout *timeout = first;
	uint64_t next = KMEM_DEADLINE_NEVER;

	if (timeout != NULL && timeout->deadline > kmem_k_time_ns()) {
		next = timeout->deadline;
	} else if (timeout != NULL) {
		first = timeout->next;
		timeout->is_active = false;
		kmem_isr_enter();
		timeout->expire(timeout);
		kmem_isr_leave();
		next = 0;
	}
	arch_irq_unlock(key);
	return next;
}

__attribute__((noreturn)) static void *timer_thread(void *unused)
{
	(void)unused;
	(void)k_thread_name_set(NULL, "timer");
	z_thread_essential_set(k_current_get());
	for (;;) {
		const uint32_t seen = atomic_load(&changes);
		const uint64_t next = expire_one();

		if (next != 0) {
			(void)kmem_futex_wait(&changes, seen, next);
		}
	}
}

static void thread_start(void)
{
	pthread_attr_t attr;
	pthread_t thread;
	sigset_t all;
	sigset_t before;
	int ret;

	(void)sigfillset(&all);
	(void)sigdelset(&all, SIGSEGV); /* a page fault in a handler, also of a thread that boot makes */
	(void)sigdelset(&all, SIGBUS);
	(void)pthread_attr_init(&attr);
	(void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	(void)pthread_sigmask(SIG_BLOCK, &all, &before);
	ret = pthread_create(&thread, &attr, timer_thread, NULL);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	(void)pthread_attr_destroy(&attr);
	is_running = ret == 0;
}

void kmem_timeout_add(struct kmem_timeout *timeout, uint64_t deadline, void (*expire)(struct kmem_timeout *timeout))
{
	struct kmem_timeout **link = &first;

	if (deadline == KMEM_DEADLINE_NEVER) {
		return;
	}
	while (*link != NULL && (*link)->deadline <= deadline) {
		link = &(*link)->next;
	}
	timeout->deadline = deadline;
	timeout->expire = expire;
	timeout->is_active = true;
	timeout->next = *link;
	*link = timeout;
	if (!is_running) {
		thread_start();
	}
	if (first == timeout) {
		atomic_fetch_add(&changes, 1);
		kmem_futex_wake(&changes);
	}
}

bool kmem_timeout_abort(struct kmem_timeout *timeout)
{
	struct kmem_timeout **link = &first;

	if (!timeout->is_active) {
		return false;
	}
	while (*link != timeout) {
		link = &(*link)->next;
	}
	*link = timeout->next;
	timeout->is_active = false;
	return true;
}

void kmem_timeout_forked(void)
{
	is_running = false;
	if (first != NULL) {
		thread_start();
	}
}
