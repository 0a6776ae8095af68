/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waiting, over one futex a thread.
 *
 * Theory of operation. Who waits puts itself into the queue under the interrupt lock, gives that up and sleeps until
 * its `is_ready` is set. Who wakes it takes it out first, under the same lock, and stores the result. At a deadline
 * it takes itself out, and if it is there no more, it was woken in time after all. Queues are short, so they are
 * searched for the best thread when one is wanted, and priorities may change meanwhile.
 *
 * A sleeping thread looks for requests before it sleeps; the signal that brings one either acts from its handler, since
 * `is_waiting` is set, or ends the sleep.
 */
#include "compat/wait.h"

#include <errno.h>

#include <zephyr/fatal.h>

#include "compat/futex.h"
#include "compat/request.h"
#include "compat/deadline.h"

void kmem_section_enter(void)
{
	kmem_host_self()->section++;
	atomic_signal_fence(memory_order_seq_cst);
}

void kmem_section_leave(void)
{
	struct kmem_host_thread *host = kmem_host_self();

	atomic_signal_fence(memory_order_seq_cst);
	host->section--;
	if (atomic_load_explicit(&host->requests, memory_order_relaxed) != 0 && host->section == 0 &&
	    !kmem_irq_is_locked()) {
		kmem_requests_signal(host);
	}
}

unsigned int kmem_enter(void)
{
	kmem_section_enter();
	return arch_irq_lock();
}

void kmem_leave(unsigned int key)
{
	arch_irq_unlock(key);
	kmem_section_leave();
}

static void queue_append(_wait_q_t *queue, struct k_thread *thread)
{
	struct k_thread **link = &queue->kmem_first;

	while (*link != NULL) {
		link = &(*link)->base.kmem_wait_next;
	}
	thread->base.kmem_wait_next = NULL;
	*link = thread;
	thread->base.pended_on = queue;
	kmem_state_set(thread, _THREAD_PENDING);
}

void kmem_unpend(struct k_thread *thread)
{
	_wait_q_t *queue = thread->base.pended_on;
	struct k_thread **link;

	if (queue == NULL) {
		return;
	}
	link = &queue->kmem_first;
	while (*link != thread) {
		link = &(*link)->base.kmem_wait_next;
	}
	*link = thread->base.kmem_wait_next;
	thread->base.pended_on = NULL;
	kmem_state_clear(thread, _THREAD_PENDING | _THREAD_SLEEPING);
}

struct k_thread *kmem_queue_best(const _wait_q_t *queue)
{
	struct k_thread *best = queue->kmem_first;

	for (struct k_thread *thread = best; thread != NULL; thread = thread->base.kmem_wait_next) {
		if (thread->base.prio < best->base.prio) {
			best = thread;
		}
	}
	return best;
}

void kmem_ready(struct k_thread *thread, int result)
{
	struct kmem_host_thread *host = thread->kmem_host;

	host->result = result;
	atomic_store(&host->is_ready, 1);
	kmem_futex_wake(&host->is_ready);
}

struct k_thread *kmem_wake_one(_wait_q_t *queue, int result)
{
	struct k_thread *thread = kmem_queue_best(queue);

	if (thread != NULL) {
		kmem_unpend(thread);
		kmem_ready(thread, result);
	}
	return thread;
}

unsigned int kmem_wake_all(_wait_q_t *queue, int result)
{
	unsigned int count = 0;

	while (kmem_wake_one(queue, result) != NULL) {
		count++;
	}
	return count;
}

/* Sleep until ready, or until the deadline. */
static void sleep_until(struct kmem_host_thread *host, uint64_t deadline)
{
	host->is_waiting = true;
	atomic_signal_fence(memory_order_seq_cst);
	while (atomic_load(&host->is_ready) == 0) {
		if (atomic_load(&host->requests) != 0) {
			kmem_requests_serve(host);
		}
		if (kmem_futex_wait(&host->is_ready, 0, deadline) == -ETIMEDOUT) {
			break;
		}
	}
	atomic_signal_fence(memory_order_seq_cst);
	host->is_waiting = false;
}

/* The deadline has passed: out of the queue, unless another thread was quicker. */
static void give_up(struct kmem_host_thread *host)
{
	unsigned int key = arch_irq_lock();

	if (host->thread->base.pended_on != NULL) {
		kmem_unpend(host->thread);
		host->result = -EAGAIN;
	}
	arch_irq_unlock(key);
}

int kmem_pend_until(unsigned int key, _wait_q_t *queue, uint64_t deadline)
{
	struct kmem_host_thread *host = kmem_host_self();
	const unsigned int was_locked = arch_irq_unlocked(key) ? 0 : 1;
	bool was_sched_locked;
	int result;

	if (kmem_isr_is_in()) {
		kmem_leave(key);
		kmem_fatal_raise(K_ERR_KERNEL_PANIC); /* an interrupt handler cannot wait */
	}
	atomic_store(&host->is_ready, 0);
	queue_append(queue, host->thread);
	was_sched_locked = kmem_sched_give(host->thread);
	(void)kmem_irq_release_all();
	sleep_until(host, deadline);
	if (atomic_load(&host->is_ready) == 0) {
		give_up(host);
	}
	result = host->result;
	if (was_sched_locked) {
		kmem_sched_take(host->thread);
	}
	kmem_irq_restore(was_locked);
	kmem_section_leave();
	return result;
}

int kmem_pend(unsigned int key, _wait_q_t *queue, k_timeout_t timeout)
{
	return kmem_pend_until(key, queue, kmem_deadline(timeout));
}
