/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Semaphores.
 */
#include <errno.h>

#include <zephyr/kernel.h>

#include "compat/wait.h"

int k_sem_init(struct k_sem *sem, unsigned int initial_count, unsigned int limit)
{
	if (limit == 0 || initial_count > limit) {
		return -EINVAL;
	}
	*sem = (struct k_sem){.count = initial_count, .limit = limit};
	return 0;
}

int k_sem_take(struct k_sem *sem, k_timeout_t timeout)
{
	unsigned int key = kmem_enter();
	int ret = 0;

	if (sem->count > 0) {
		sem->count--;
	} else if (kmem_timeout_waits(timeout)) {
		return kmem_pend(key, &sem->wait_q, timeout);
	} else {
		ret = -EBUSY;
	}
	kmem_leave(key);
	return ret;
}

void k_sem_give(struct k_sem *sem)
{
	unsigned int key = kmem_enter();

	if (kmem_wake_one(&sem->wait_q, 0) == NULL && sem->count < sem->limit) {
		sem->count++;
	}
	kmem_leave(key);
}

void k_sem_reset(struct k_sem *sem)
{
	unsigned int key = kmem_enter();

	(void)kmem_wake_all(&sem->wait_q, -EAGAIN);
	sem->count = 0;
	kmem_leave(key);
}

unsigned int k_sem_count_get(struct k_sem *sem)
{
	return __atomic_load_n(&sem->count, __ATOMIC_RELAXED);
}
