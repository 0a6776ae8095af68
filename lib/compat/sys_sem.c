/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Giving a semaphore that may be at its limit, and telling so.
 */
#include <errno.h>

#include <zephyr/sys/sem.h>

#include "compat/wait.h"

int kmem_sys_sem_give(struct sys_sem *sem)
{
	unsigned int key = kmem_enter();
	const bool is_at_limit = sem->kernel_sem.count == sem->kernel_sem.limit;

	if (!is_at_limit) {
		k_sem_give(&sem->kernel_sem);
	}
	kmem_leave(key);
	return is_at_limit ? -EAGAIN : 0;
}
