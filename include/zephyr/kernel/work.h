/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Work: functions that a thread of a queue calls, one after the other. (Zephyr: kernel.h, which includes this one)
 *
 * k_sys_work_q is there from the start; its thread is made when work is first submitted to it.
 */
#ifndef KMEM_ZEPHYR_KERNEL_WORK_H
#define KMEM_ZEPHYR_KERNEL_WORK_H

#include <kmem/kconfig.h>

#include <stdbool.h>
#include <stdint.h>

#include <zephyr/kernel/sync.h>
#include <zephyr/kernel/thread.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

struct k_work;
struct k_work_q;

typedef void (*k_work_handler_t)(struct k_work *work);

/* States of work, as bits. */
#define K_WORK_RUNNING 0x01
#define K_WORK_CANCELING 0x02
#define K_WORK_QUEUED 0x04
#define K_WORK_DELAYED 0x08
#define K_WORK_FLUSHING 0x10

struct k_work {
	/* Guarded by the interrupt lock. */
	struct k_work *kmem_next;
	k_work_handler_t handler;
	struct k_work_q *queue;
	uint32_t flags;
	_wait_q_t kmem_waiters; /* for its end */
};

struct k_work_delayable {
	struct k_work work; /* first */
	struct kmem_timeout timeout;
	struct k_work_q *queue;
};

struct k_work_queue_config {
	const char *name;
	bool no_yield;
	bool essential;
};

struct k_work_q {
	struct k_thread thread; /* first */
	struct k_work *kmem_first;
	struct k_work *kmem_running;
	_wait_q_t kmem_idle;   /* its thread, when there is no work */
	_wait_q_t kmem_drains; /* threads in k_work_queue_drain() */
	bool kmem_is_started;
	bool kmem_is_plugged;
};

struct k_work_sync {
	void *kmem_unused;
};

extern struct k_work_q k_sys_work_q;

#define Z_WORK_INITIALIZER(work_handler)                                                                               \
	{                                                                                                              \
		NULL, (work_handler), NULL, 0,                                                                         \
		{                                                                                                      \
			NULL                                                                                           \
		}                                                                                                      \
	}
#define K_WORK_DEFINE(work, work_handler) struct k_work work = Z_WORK_INITIALIZER(work_handler)
#define Z_WORK_DELAYABLE_INITIALIZER(work_handler)                                                                     \
	{                                                                                                              \
		Z_WORK_INITIALIZER(work_handler), {NULL, NULL, 0, false}, NULL                                         \
	}
#define K_WORK_DELAYABLE_DEFINE(work, work_handler)                                                                    \
	struct k_work_delayable work = Z_WORK_DELAYABLE_INITIALIZER(work_handler)

void k_work_init(struct k_work *work, k_work_handler_t handler);

/** 0 if it was queued already; 1 if it has been queued; 2 if it was running and will run again; -EBUSY, -ENODEV. */
int k_work_submit(struct k_work *work);
int k_work_submit_to_queue(struct k_work_q *queue, struct k_work *work);

/**
 * States that are left: K_WORK_*; sync waits for the end of the work, and says whether there was anything to cancel.
 */
int k_work_cancel(struct k_work *work);
bool k_work_cancel_sync(struct k_work *work, struct k_work_sync *sync);
int k_work_busy_get(const struct k_work *work);

/** Wait for the end of the work. Whether there was anything to wait for. */
bool k_work_flush(struct k_work *work, struct k_work_sync *sync);

static inline bool k_work_is_pending(const struct k_work *work)
{
	return k_work_busy_get(work) != 0;
}

void k_work_queue_init(struct k_work_q *queue);
void k_work_queue_start(struct k_work_q *queue, k_thread_stack_t *stack, size_t stack_size, int prio,
			const struct k_work_queue_config *cfg);

/** Wait until the queue is empty; with @p plug it takes no more until unplugged. 0. */
int k_work_queue_drain(struct k_work_q *queue, bool plug);
int k_work_queue_unplug(struct k_work_q *queue); /* 0; -EALREADY */

static inline k_tid_t k_work_queue_thread_get(struct k_work_q *queue)
{
	return &queue->thread;
}

void k_work_init_delayable(struct k_work_delayable *dwork, k_work_handler_t handler);

static inline struct k_work_delayable *k_work_delayable_from_work(struct k_work *work)
{
	return (struct k_work_delayable *)(void *)work;
}

/** As k_work_submit(), after a delay. Schedule leaves a delay that runs as it is; reschedule begins anew. */
int k_work_schedule(struct k_work_delayable *dwork, k_timeout_t delay);
int k_work_schedule_for_queue(struct k_work_q *queue, struct k_work_delayable *dwork, k_timeout_t delay);
int k_work_reschedule(struct k_work_delayable *dwork, k_timeout_t delay);
int k_work_reschedule_for_queue(struct k_work_q *queue, struct k_work_delayable *dwork, k_timeout_t delay);
int k_work_cancel_delayable(struct k_work_delayable *dwork);
bool k_work_cancel_delayable_sync(struct k_work_delayable *dwork, struct k_work_sync *sync);
bool k_work_flush_delayable(struct k_work_delayable *dwork, struct k_work_sync *sync);
int k_work_delayable_busy_get(const struct k_work_delayable *dwork);
k_ticks_t k_work_delayable_remaining_get(const struct k_work_delayable *dwork);

static inline bool k_work_delayable_is_pending(const struct k_work_delayable *dwork)
{
	return k_work_delayable_busy_get(dwork) != 0;
}

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* KMEM_ZEPHYR_KERNEL_WORK_H */
