/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Futexes of the kernel. All threads that wait on any share a queue, and each says on which in its `swap_data`: a futex
 * is but a word of the program.
 */
#include <errno.h>

#include <zephyr/kernel.h>

#include "compat/wait.h"

static _wait_q_t queue;

int k_futex_wait(struct k_futex *futex, int expected, k_timeout_t timeout)
{
	struct k_thread *self = k_sched_current_thread_query();
	unsigned int key = kmem_enter();
	int ret = 0;

	if (atomic_get(&futex->val) != expected) {
		ret = -EAGAIN;
	} else if (!kmem_timeout_waits(timeout)) {
		ret = -ETIMEDOUT;
	}
	if (ret != 0) {
		kmem_leave(key);
		return ret;
	}
	self->swap_data = futex;
	return kmem_pend(key, &queue, timeout) == 0 ? 0 : -ETIMEDOUT;
}

/* The thread that is next among those that wait on a futex, NULL if there is none. Lock held. */
static struct k_thread *best_on(const struct k_futex *futex)
{
	struct k_thread *best = NULL;

	for (struct k_thread *thread = queue.kmem_first; thread != NULL; thread = thread->base.kmem_wait_next) {
		if (thread->swap_data == futex && (best == NULL || thread->base.prio < best->base.prio)) {
			best = thread;
		}
	}
	return best;
}

/* Whether one was there. Lock held. */
static bool wake_one(const struct k_futex *futex)
{
	struct k_thread *thread = best_on(futex);

	if (thread == NULL) {
		return false;
	}
	kmem_unpend(thread);
	kmem_ready(thread, 0);
	return true;
}

int k_futex_wake(struct k_futex *futex, bool wake_all)
{
	unsigned int key = kmem_enter();
	int woken = 0;

	while ((wake_all || woken == 0) && wake_one(futex)) {
		woken++;
	}
	kmem_leave(key);
	return woken;
}
