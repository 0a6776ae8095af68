/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mutexes and condition variables. An unlock hands the mutex to the thread that waits best; priorities are not
 * inherited, since nobody is preempted.
 */
#include <errno.h>

#include <zephyr/kernel.h>

#include "compat/wait.h"

int k_mutex_init(struct k_mutex *mutex)
{
	*mutex = (struct k_mutex){.owner = NULL};
	return 0;
}

int k_mutex_lock(struct k_mutex *mutex, k_timeout_t timeout)
{
	struct k_thread *self = k_sched_current_thread_query();
	unsigned int key = kmem_enter();
	int ret = 0;

	if (mutex->owner == NULL || mutex->owner == self) {
		mutex->owner = self;
		mutex->lock_count++;
	} else if (kmem_timeout_waits(timeout)) {
		return kmem_pend(key, &mutex->wait_q, timeout);
	} else {
		ret = -EBUSY;
	}
	kmem_leave(key);
	return ret;
}

/* Lock held, and the mutex the caller's. */
static void unlock(struct k_mutex *mutex)
{
	if (--mutex->lock_count == 0) {
		mutex->owner = kmem_queue_best(&mutex->wait_q);
		mutex->lock_count = mutex->owner != NULL ? 1 : 0;
		(void)kmem_wake_one(&mutex->wait_q, 0);
	}
}

static int unlock_check(const struct k_mutex *mutex)
{
	if (mutex->owner == NULL) {
		return -EINVAL;
	}
	return mutex->owner == k_sched_current_thread_query() ? 0 : -EPERM;
}

int k_mutex_unlock(struct k_mutex *mutex)
{
	unsigned int key = kmem_enter();
	int ret = unlock_check(mutex);

	if (ret == 0) {
		unlock(mutex);
	}
	kmem_leave(key);
	return ret;
}

int k_condvar_init(struct k_condvar *condvar)
{
	*condvar = (struct k_condvar){.wait_q = {NULL}};
	return 0;
}

int k_condvar_signal(struct k_condvar *condvar)
{
	unsigned int key = kmem_enter();

	(void)kmem_wake_one(&condvar->wait_q, 0);
	kmem_leave(key);
	return 0;
}

int k_condvar_broadcast(struct k_condvar *condvar)
{
	unsigned int key = kmem_enter();
	int count = (int)kmem_wake_all(&condvar->wait_q, 0);

	kmem_leave(key);
	return count;
}

int k_condvar_wait(struct k_condvar *condvar, struct k_mutex *mutex, k_timeout_t timeout)
{
	unsigned int key = kmem_enter();
	int ret;

	if (unlock_check(mutex) == 0) {
		unlock(mutex);
	}
	if (kmem_timeout_waits(timeout)) {
		ret = kmem_pend(key, &condvar->wait_q, timeout);
	} else {
		kmem_leave(key);
		ret = -EAGAIN;
	}
	(void)k_mutex_lock(mutex, K_FOREVER);
	return ret;
}
