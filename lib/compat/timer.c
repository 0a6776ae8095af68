/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Timers.
 */
#include <stddef.h>

#include <zephyr/kernel.h>

#include "compat/futex.h"
#include "compat/deadline.h"
#include "compat/timeout.h"
#include "compat/wait.h"

/* A periodic timer that is later than this has been stopped with the process, and does not catch up. */
#define CATCH_UP_NS 1000000000U

void k_timer_init(struct k_timer *timer, k_timer_expiry_t expiry_fn, k_timer_stop_t stop_fn)
{
	*timer = (struct k_timer){.expiry_fn = expiry_fn, .stop_fn = stop_fn};
}

static bool is_periodic(const struct k_timer *timer)
{
	return kmem_timeout_waits(timer->period) && !K_TIMEOUT_EQ(timer->period, K_FOREVER);
}

static void expire(struct kmem_timeout *timeout)
{
	struct k_timer *timer = (struct k_timer *)(void *)timeout;

	if (is_periodic(timer)) {
		const uint64_t now = kmem_k_time_ns();
		const uint64_t last = now - timeout->deadline < CATCH_UP_NS ? timeout->deadline : now;

		kmem_timeout_add(timeout, last + kmem_ticks_to_ns((uint64_t)timer->period.ticks), expire);
	}
	timer->status++;
	if (timer->expiry_fn != NULL) {
		timer->expiry_fn(timer);
	}
	(void)kmem_wake_one(&timer->wait_q, 0);
}

void k_timer_start(struct k_timer *timer, k_timeout_t duration, k_timeout_t period)
{
	unsigned int key = kmem_enter();

	(void)kmem_timeout_abort(&timer->timeout);
	timer->period = period;
	timer->status = 0;
	kmem_timeout_add(&timer->timeout, kmem_deadline(duration), expire);
	kmem_leave(key);
}

void k_timer_stop(struct k_timer *timer)
{
	unsigned int key = kmem_enter();

	if (kmem_timeout_abort(&timer->timeout)) {
		if (timer->stop_fn != NULL) {
			timer->stop_fn(timer);
		}
		(void)kmem_wake_one(&timer->wait_q, 0);
	}
	kmem_leave(key);
}

uint32_t k_timer_status_get(struct k_timer *timer)
{
	unsigned int key = kmem_enter();
	const uint32_t status = timer->status;

	timer->status = 0;
	kmem_leave(key);
	return status;
}

uint32_t k_timer_status_sync(struct k_timer *timer)
{
	unsigned int key = kmem_enter();

	if (timer->status == 0 && timer->timeout.is_active) {
		(void)kmem_pend(key, &timer->wait_q, K_FOREVER);
	} else {
		kmem_leave(key);
	}
	return k_timer_status_get(timer);
}

k_ticks_t k_timer_remaining_ticks(const struct k_timer *timer)
{
	unsigned int key = kmem_enter();
	const k_ticks_t ticks = timer->timeout.is_active ? kmem_deadline_ticks(timer->timeout.deadline) : 0;

	kmem_leave(key);
	return ticks;
}

k_ticks_t k_timer_expires_ticks(const struct k_timer *timer)
{
	return sys_clock_tick_get() + k_timer_remaining_ticks(timer);
}
