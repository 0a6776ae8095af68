/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Work queues.
 *
 * A queue is a list of work, and a thread that takes the first item, calls its function without a lock, and tells
 * those who wait for it. Work that is submitted while it runs is queued again.
 */
#include "compat/work.h"

#include <errno.h>

#include "compat/wait.h"

struct k_work_q k_sys_work_q;

#define SYSTEM_STACK_SIZE 4096
#define SYSTEM_PRIORITY (-1)

static K_THREAD_STACK_DEFINE(system_stack, SYSTEM_STACK_SIZE);

void k_work_init(struct k_work *work, k_work_handler_t handler)
{
	*work = (struct k_work){.handler = handler};
}

/* Lock held. */
static void list_append(struct k_work_q *queue, struct k_work *work)
{
	struct k_work **link = &queue->kmem_first;

	while (*link != NULL) {
		link = &(*link)->kmem_next;
	}
	work->kmem_next = NULL;
	*link = work;
	work->queue = queue;
	work->flags |= K_WORK_QUEUED;
	(void)kmem_wake_one(&queue->kmem_idle, 0);
}

static void list_remove(struct k_work *work)
{
	struct k_work **link = &work->queue->kmem_first;

	while (*link != work) {
		link = &(*link)->kmem_next;
	}
	*link = work->kmem_next;
	work->flags &= ~(uint32_t)K_WORK_QUEUED;
}

/* The next work, which then counts as running. Waits for it. */
static struct k_work *next_get(struct k_work_q *queue)
{
	for (;;) {
		unsigned int key = kmem_enter();
		struct k_work *work = queue->kmem_first;

		if (work != NULL) {
			list_remove(work);
			work->flags |= K_WORK_RUNNING;
			queue->kmem_running = work;
			kmem_leave(key);
			return work;
		}
		(void)kmem_wake_all(&queue->kmem_drains, 0);
		(void)kmem_pend(key, &queue->kmem_idle, K_FOREVER);
	}
}

static void running_end(struct k_work_q *queue, struct k_work *work)
{
	unsigned int key = kmem_enter();

	queue->kmem_running = NULL;
	work->flags &= ~(uint32_t)(K_WORK_RUNNING | K_WORK_CANCELING | K_WORK_FLUSHING);
	(void)kmem_wake_all(&work->kmem_waiters, 0);
	kmem_leave(key);
}

static void queue_thread(void *arg, void *unused1, void *unused2)
{
	struct k_work_q *queue = arg;

	(void)unused1;
	(void)unused2;
	for (;;) {
		struct k_work *work = next_get(queue);

		work->handler(work);
		running_end(queue, work);
	}
}

void k_work_queue_init(struct k_work_q *queue)
{
	*queue = (struct k_work_q){.kmem_first = NULL};
}

void k_work_queue_start(struct k_work_q *queue, k_thread_stack_t *stack, size_t stack_size, int prio,
			const struct k_work_queue_config *cfg)
{
	unsigned int key = kmem_enter();

	(void)k_thread_create(&queue->thread, stack, stack_size, queue_thread, queue, NULL, NULL, prio, 0, K_NO_WAIT);
	queue->kmem_is_started = true;
	if (cfg != NULL && cfg->name != NULL) {
		(void)k_thread_name_set(&queue->thread, cfg->name);
	}
	if (cfg != NULL && cfg->essential) {
		z_thread_essential_set(&queue->thread);
	}
	kmem_leave(key);
}

/* Lock held. */
static void system_start(void)
{
	static const struct k_work_queue_config config = {.name = "sysworkq"};

	if (!k_sys_work_q.kmem_is_started) {
		k_work_queue_start(&k_sys_work_q, system_stack, K_THREAD_STACK_SIZEOF(system_stack), SYSTEM_PRIORITY,
				   &config);
	}
}

int kmem_work_submit(struct k_work_q *queue, struct k_work *work)
{
	const bool was_running = (work->flags & K_WORK_RUNNING) != 0;

	if ((work->flags & K_WORK_QUEUED) != 0) {
		return 0;
	}
	if ((work->flags & K_WORK_CANCELING) != 0 || queue == NULL) {
		return queue == NULL ? -EINVAL : -EBUSY;
	}
	if (queue == &k_sys_work_q) {
		system_start();
	}
	if (!queue->kmem_is_started) {
		return -ENODEV;
	}
	if (queue->kmem_is_plugged) {
		return -EBUSY;
	}
	/* What runs goes on in the queue where it runs, so that it never runs twice at a time. */
	list_append(was_running ? work->queue : queue, work);
	return was_running ? 2 : 1;
}

int k_work_submit_to_queue(struct k_work_q *queue, struct k_work *work)
{
	unsigned int key = kmem_enter();
	const int ret = kmem_work_submit(queue, work);

	kmem_leave(key);
	return ret;
}

int k_work_submit(struct k_work *work)
{
	return k_work_submit_to_queue(&k_sys_work_q, work);
}

int k_work_busy_get(const struct k_work *work)
{
	return (int)(__atomic_load_n(&work->flags, __ATOMIC_RELAXED) &
		     (K_WORK_RUNNING | K_WORK_CANCELING | K_WORK_QUEUED | K_WORK_DELAYED));
}

int kmem_work_cancel(struct k_work *work)
{
	if ((work->flags & K_WORK_QUEUED) != 0) {
		list_remove(work);
		(void)kmem_wake_all(&work->kmem_waiters, 0);
	}
	if ((work->flags & K_WORK_RUNNING) != 0) {
		work->flags |= K_WORK_CANCELING;
	}
	return k_work_busy_get(work);
}

int k_work_cancel(struct k_work *work)
{
	unsigned int key = kmem_enter();
	const int ret = kmem_work_cancel(work);

	kmem_leave(key);
	return ret;
}

void kmem_work_wait(unsigned int key, struct k_work *work, uint32_t states)
{
	while ((work->flags & states) != 0 && &work->queue->thread != k_sched_current_thread_query()) {
		(void)kmem_pend(key, &work->kmem_waiters, K_FOREVER);
		key = kmem_enter();
	}
	kmem_leave(key);
}

bool k_work_cancel_sync(struct k_work *work, struct k_work_sync *sync)
{
	unsigned int key = kmem_enter();
	const bool was_busy = k_work_busy_get(work) != 0;

	(void)sync;
	(void)kmem_work_cancel(work);
	kmem_work_wait(key, work, K_WORK_RUNNING);
	return was_busy;
}

bool k_work_flush(struct k_work *work, struct k_work_sync *sync)
{
	unsigned int key = kmem_enter();
	const bool was_busy = (work->flags & (K_WORK_QUEUED | K_WORK_RUNNING)) != 0;

	(void)sync;
	kmem_work_wait(key, work, K_WORK_QUEUED | K_WORK_RUNNING);
	return was_busy;
}

int k_work_queue_drain(struct k_work_q *queue, bool plug)
{
	unsigned int key = kmem_enter();

	queue->kmem_is_plugged = queue->kmem_is_plugged || plug;
	while (queue->kmem_first != NULL || queue->kmem_running != NULL) {
		(void)kmem_pend(key, &queue->kmem_drains, K_FOREVER);
		key = kmem_enter();
	}
	kmem_leave(key);
	return 0;
}

int k_work_queue_unplug(struct k_work_q *queue)
{
	unsigned int key = kmem_enter();
	const int ret = queue->kmem_is_plugged ? 0 : -EALREADY;

	queue->kmem_is_plugged = false;
	kmem_leave(key);
	return ret;
}
