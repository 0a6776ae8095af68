/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Work that is submitted after a delay, by the timer thread.
 */
#include <stddef.h>

#include "compat/deadline.h"
#include "compat/timeout.h"
#include "compat/wait.h"
#include "compat/work.h"

void k_work_init_delayable(struct k_work_delayable *dwork, k_work_handler_t handler)
{
	*dwork = (struct k_work_delayable){.work = {.handler = handler}};
}

static void expire(struct kmem_timeout *timeout)
{
	struct k_work_delayable *dwork =
		(struct k_work_delayable *)(void *)((char *)timeout - offsetof(struct k_work_delayable, timeout));

	dwork->work.flags &= ~(uint32_t)K_WORK_DELAYED;
	(void)kmem_work_submit(dwork->queue, &dwork->work);
}

/* Lock held. */
static bool delay_end(struct k_work_delayable *dwork)
{
	dwork->work.flags &= ~(uint32_t)K_WORK_DELAYED;
	return kmem_timeout_abort(&dwork->timeout);
}

/* Lock held, and no delay running. */
static int delay_begin(struct k_work_q *queue, struct k_work_delayable *dwork, k_timeout_t delay)
{
	if (!kmem_timeout_waits(delay)) {
		return kmem_work_submit(queue, &dwork->work);
	}
	dwork->queue = queue;
	dwork->work.flags |= K_WORK_DELAYED;
	kmem_timeout_add(&dwork->timeout, kmem_deadline(delay), expire);
	return 1;
}

int k_work_schedule_for_queue(struct k_work_q *queue, struct k_work_delayable *dwork, k_timeout_t delay)
{
	unsigned int key = kmem_enter();
	int ret = 0;

	if ((dwork->work.flags & (K_WORK_DELAYED | K_WORK_QUEUED)) == 0) {
		ret = delay_begin(queue, dwork, delay);
	}
	kmem_leave(key);
	return ret;
}

int k_work_schedule(struct k_work_delayable *dwork, k_timeout_t delay)
{
	return k_work_schedule_for_queue(&k_sys_work_q, dwork, delay);
}

int k_work_reschedule_for_queue(struct k_work_q *queue, struct k_work_delayable *dwork, k_timeout_t delay)
{
	unsigned int key = kmem_enter();
	int ret;

	(void)delay_end(dwork);
	ret = delay_begin(queue, dwork, delay);
	kmem_leave(key);
	return ret;
}

int k_work_reschedule(struct k_work_delayable *dwork, k_timeout_t delay)
{
	return k_work_reschedule_for_queue(&k_sys_work_q, dwork, delay);
}

int k_work_cancel_delayable(struct k_work_delayable *dwork)
{
	unsigned int key = kmem_enter();
	int ret;

	(void)delay_end(dwork);
	ret = kmem_work_cancel(&dwork->work);
	kmem_leave(key);
	return ret;
}

bool k_work_cancel_delayable_sync(struct k_work_delayable *dwork, struct k_work_sync *sync)
{
	unsigned int key = kmem_enter();
	const bool was_busy = k_work_busy_get(&dwork->work) != 0;

	(void)sync;
	(void)delay_end(dwork);
	(void)kmem_work_cancel(&dwork->work);
	kmem_work_wait(key, &dwork->work, K_WORK_RUNNING);
	return was_busy;
}

bool k_work_flush_delayable(struct k_work_delayable *dwork, struct k_work_sync *sync)
{
	unsigned int key = kmem_enter();
	const bool was_busy = k_work_busy_get(&dwork->work) != 0;

	(void)sync;
	if (delay_end(dwork)) {
		(void)kmem_work_submit(dwork->queue, &dwork->work);
	}
	kmem_work_wait(key, &dwork->work, K_WORK_QUEUED | K_WORK_RUNNING);
	return was_busy;
}

int k_work_delayable_busy_get(const struct k_work_delayable *dwork)
{
	return k_work_busy_get(&dwork->work);
}

k_ticks_t k_work_delayable_remaining_get(const struct k_work_delayable *dwork)
{
	unsigned int key = kmem_enter();
	const k_ticks_t ticks = dwork->timeout.is_active ? kmem_deadline_ticks(dwork->timeout.deadline) : 0;

	kmem_leave(key);
	return ticks;
}
