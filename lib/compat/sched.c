/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sleeping, yielding, and the scheduler lock: one recursive lock among the threads that take it.
 */
#include <sched.h>

#include <zephyr/kernel.h>

#include "compat/futex.h"
#include "compat/thread.h"
#include "compat/deadline.h"

/* How long the processor idles at a time: about a tick of an ordinary board. */
#define IDLE_NS 1000000U

static struct k_thread *holder; /* interrupt lock */
static _wait_q_t lock_queue;
static _wait_q_t idle_queue;

bool kmem_sched_give(struct k_thread *thread)
{
	if (holder != thread) {
		return false;
	}
	holder = NULL;
	(void)kmem_wake_one(&lock_queue, 0);
	return true;
}

void kmem_sched_forked(const struct k_thread *self)
{
	if (holder != self) {
		holder = NULL;
	}
	lock_queue = (_wait_q_t){.kmem_first = NULL};
}

void kmem_sched_take(struct k_thread *thread)
{
	for (;;) {
		unsigned int key = kmem_enter();

		if (holder == NULL) {
			holder = thread;
			kmem_leave(key);
			return;
		}
		(void)kmem_pend(key, &lock_queue, K_FOREVER);
	}
}

void k_sched_lock(void)
{
	struct k_thread *self = k_sched_current_thread_query();

	if (!kmem_isr_is_in() && self->base.sched_locked++ == 0) {
		kmem_sched_take(self);
	}
}

void k_sched_unlock(void)
{
	struct k_thread *self = k_sched_current_thread_query();
	unsigned int key;

	if (kmem_isr_is_in() || self->base.sched_locked == 0 || --self->base.sched_locked != 0) {
		return;
	}
	key = kmem_enter();
	(void)kmem_sched_give(self);
	kmem_leave(key);
}

/* Sleep until k_wakeup(); the ticks that are left, 0 if none are, K_TICKS_FOREVER if there was no end set. */
static k_ticks_t sleep_ticks(k_timeout_t timeout)
{
	const uint64_t deadline = kmem_deadline(timeout);
	unsigned int key;

	if (!kmem_timeout_waits(timeout)) {
		k_yield();
		return 0;
	}
	key = kmem_enter();
	kmem_state_set(k_sched_current_thread_query(), _THREAD_SLEEPING);
	return kmem_pend_until(key, &kmem_sleep_queue, deadline) == 0 ? kmem_deadline_ticks(deadline) : 0;
}

/* Ticks in another unit, rounded up. */
static int32_t left(k_ticks_t ticks, uint32_t hz)
{
	if (ticks == K_TICKS_FOREVER) {
		return -1;
	}
	return (int32_t)KMEM_TIME_CEIL((uint64_t)ticks, kmem_k_ticks_per_sec, hz);
}

int32_t k_sleep(k_timeout_t timeout)
{
	return left(sleep_ticks(timeout), MSEC_PER_SEC);
}

int32_t k_usleep(int32_t us)
{
	const uint64_t ticks = kmem_time_timeout(us, USEC_PER_SEC, kmem_k_ticks_per_sec);

	return left(sleep_ticks(K_TICKS(ticks)), USEC_PER_SEC);
}

void k_wakeup(k_tid_t thread)
{
	unsigned int key = kmem_enter();

	if (thread->base.pended_on == &kmem_sleep_queue) {
		kmem_unpend(thread);
		kmem_ready(thread, 0);
	}
	kmem_leave(key);
	k_thread_start(thread);
}

void k_yield(void)
{
	(void)sched_yield();
}

int k_is_preempt_thread(void)
{
	const struct k_thread *self = k_sched_current_thread_query();

	return !kmem_isr_is_in() && k_thread_priority_get((k_tid_t)self) >= 0 && self->base.sched_locked == 0;
}

bool k_can_yield(void)
{
	return !kmem_isr_is_in() && !k_is_pre_kernel();
}

k_ticks_t k_thread_timeout_remaining_ticks(const struct k_thread *thread)
{
	const uint32_t state = __atomic_load_n(&thread->base.thread_state, __ATOMIC_RELAXED);

	return (state & _THREAD_PRESTART) != 0 ? kmem_deadline_ticks(thread->kmem_delay) : 0;
}

static void idle(unsigned int key)
{
	(void)kmem_pend_until(key, &idle_queue, kmem_k_time_ns() + IDLE_NS);
}

void k_cpu_idle(void)
{
	idle(kmem_enter());
}

void k_cpu_atomic_idle(unsigned int key)
{
	arch_irq_unlock(key);
	k_cpu_idle();
}

void arch_cpu_idle(void)
{
	k_cpu_idle();
}

void arch_cpu_atomic_idle(unsigned int key)
{
	k_cpu_atomic_idle(key);
}
