/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Wait queues. (Zephyr: wait_q.h) Lock interrupts around their use.
 */
#ifndef ZEPHYR_KERNEL_INCLUDE_WAIT_Q_H_
#define ZEPHYR_KERNEL_INCLUDE_WAIT_Q_H_

#include <zephyr/kernel.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef Z_WAIT_Q_INIT
#define Z_WAIT_Q_INIT(wait_q) {NULL}
#endif

/** Visit the threads that wait, in the order in which they came; none may be woken meanwhile. */
#define _WAIT_Q_FOR_EACH(wq, thread_ptr)                                                                               \
	for ((thread_ptr) = (wq)->kmem_first; (thread_ptr) != NULL; (thread_ptr) = (thread_ptr)->base.kmem_wait_next)

static inline void z_waitq_init(_wait_q_t *wait_q)
{
	wait_q->kmem_first = NULL;
}

/** The thread to be served next; NULL if none waits. */
static inline struct k_thread *z_waitq_head(_wait_q_t *wait_q)
{
	struct k_thread *best = wait_q->kmem_first;
	struct k_thread *thread;

	_WAIT_Q_FOR_EACH(wait_q, thread) {
		if (thread->base.prio < best->base.prio) {
			best = thread;
		}
	}
	return best;
}

#ifdef __cplusplus
}
#endif

#endif /* ZEPHYR_KERNEL_INCLUDE_WAIT_Q_H_ */
