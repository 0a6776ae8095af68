/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Semaphores, mutexes, condition variables and events. (Zephyr: kernel.h, which includes this one)
 *
 * Timeouts are K_NO_WAIT, a time or K_FOREVER; an emulated interrupt handler may use K_NO_WAIT only. Who waits gives
 * up the interrupt lock and the scheduler lock meanwhile. The waiting thread of the highest priority is served first,
 * then the one that came first. Every object is in static memory or given by the caller; zeroed members are valid.
 */
#ifndef KMEM_ZEPHYR_KERNEL_SYNC_H
#define KMEM_ZEPHYR_KERNEL_SYNC_H

#include <kmem/kconfig.h>

#include <limits.h>
#include <stdint.h>

#include <zephyr/kernel/thread.h>
#include <zephyr/kernel_structs.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

struct k_sem {
	_wait_q_t wait_q;
	unsigned int count;
	unsigned int limit;
};

#define K_SEM_MAX_LIMIT UINT_MAX

#define Z_SEM_INITIALIZER(obj, initial_count, count_limit)                                                             \
	{                                                                                                              \
		{NULL}, (initial_count), (count_limit)                                                                 \
	}
#define K_SEM_DEFINE(name, initial_count, count_limit)                                                                 \
	struct k_sem name = Z_SEM_INITIALIZER(name, initial_count, count_limit)

/** 0; -EINVAL for a limit of 0, or one below the count. */
int k_sem_init(struct k_sem *sem, unsigned int initial_count, unsigned int limit);

/** 0; -EBUSY with K_NO_WAIT; -EAGAIN after the timeout, or if it was reset meanwhile. */
int k_sem_take(struct k_sem *sem, k_timeout_t timeout);

/** Context: anywhere but in a fault. */
void k_sem_give(struct k_sem *sem);

/** Count 0; who waits returns with -EAGAIN. */
void k_sem_reset(struct k_sem *sem);
unsigned int k_sem_count_get(struct k_sem *sem);

struct k_mutex {
	_wait_q_t wait_q;
	struct k_thread *owner;
	uint32_t lock_count;
	int owner_orig_prio;
};

#define Z_MUTEX_INITIALIZER(obj)                                                                                       \
	{                                                                                                              \
		{NULL}, NULL, 0, 0                                                                                     \
	}
#define K_MUTEX_DEFINE(name) struct k_mutex name = Z_MUTEX_INITIALIZER(name)

int k_mutex_init(struct k_mutex *mutex);

/** Nests. 0; -EBUSY with K_NO_WAIT; -EAGAIN after the timeout. Context: a thread. */
int k_mutex_lock(struct k_mutex *mutex, k_timeout_t timeout);

/** 0; -EPERM if another thread holds it; -EINVAL if none does. */
int k_mutex_unlock(struct k_mutex *mutex);

struct k_condvar {
	_wait_q_t wait_q;
};

#define Z_CONDVAR_INITIALIZER(obj)                                                                                     \
	{                                                                                                              \
		{                                                                                                      \
			NULL                                                                                           \
		}                                                                                                      \
	}
#define K_CONDVAR_DEFINE(name) struct k_condvar name = Z_CONDVAR_INITIALIZER(name)

int k_condvar_init(struct k_condvar *condvar);
int k_condvar_signal(struct k_condvar *condvar);

/** How many threads were waiting. */
int k_condvar_broadcast(struct k_condvar *condvar);

/** Unlock the mutex, wait, and lock it again whatever the result: 0, or -EAGAIN after the timeout. */
int k_condvar_wait(struct k_condvar *condvar, struct k_mutex *mutex, k_timeout_t timeout);

struct k_event {
	_wait_q_t wait_q;
	uint32_t events;
};

#define Z_EVENT_INITIALIZER(obj)                                                                                       \
	{                                                                                                              \
		{NULL}, 0                                                                                              \
	}
#define K_EVENT_DEFINE(name) struct k_event name = Z_EVENT_INITIALIZER(name)

void k_event_init(struct k_event *event);

/** Add events; set them; set those of a mask; clear some. Each returns what of it was set before. */
uint32_t k_event_post(struct k_event *event, uint32_t events);
uint32_t k_event_set(struct k_event *event, uint32_t events);
uint32_t k_event_set_masked(struct k_event *event, uint32_t events, uint32_t events_mask);
uint32_t k_event_clear(struct k_event *event, uint32_t events);

/**
 * Wait for any, or for all, of these; with @p reset all events are cleared first. What was found, or 0 after the
 * timeout.
 */
uint32_t k_event_wait(struct k_event *event, uint32_t events, bool reset, k_timeout_t timeout);
uint32_t k_event_wait_all(struct k_event *event, uint32_t events, bool reset, k_timeout_t timeout);

/** Which of a mask are set. */
uint32_t k_event_test(struct k_event *event, uint32_t events_mask);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* KMEM_ZEPHYR_KERNEL_SYNC_H */
