/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Semaphores in the program's memory: those of the kernel, with results of their own. (Zephyr: sys/sem.h)
 */
#ifndef ZEPHYR_INCLUDE_SYS_SEM_H_
#define ZEPHYR_INCLUDE_SYS_SEM_H_

#include <kmem/kconfig.h>

#include <errno.h>
#include <limits.h>
#include <stddef.h>

#include <zephyr/kernel.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

struct sys_sem {
	struct k_sem kernel_sem;
};

#define KMEM_SYS_SEM_INITIALIZER(name, initial_count, count_limit)                                                     \
	{                                                                                                              \
		Z_SEM_INITIALIZER((name).kernel_sem, initial_count, count_limit)                                       \
	}
#define SYS_SEM_DEFINE(_name, _initial_count, _count_limit)                                                            \
	struct sys_sem _name = KMEM_SYS_SEM_INITIALIZER(_name, _initial_count, _count_limit)

/** Give, or return -EAGAIN at the limit; else 0. Our own: what sys_sem_give() is where there is user mode. */
int kmem_sys_sem_give(struct sys_sem *sem);

/** 0; -EINVAL for NULL, a limit that is not in 1 to INT_MAX, or one below the count. */
static inline int sys_sem_init(struct sys_sem *sem, unsigned int initial_count, unsigned int limit)
{
	if (sem == NULL || limit > INT_MAX) {
		return -EINVAL;
	}
	return k_sem_init(&sem->kernel_sem, initial_count, limit);
}

/** 0. At the limit it stays there: -EAGAIN with CONFIG_USERSPACE, else 0 too. Context: anywhere but in a fault. */
static inline int sys_sem_give(struct sys_sem *sem)
{
#ifdef CONFIG_USERSPACE
	return kmem_sys_sem_give(sem);
#else
	k_sem_give(&sem->kernel_sem);
	return 0;
#endif
}

/** 0; -ETIMEDOUT after the timeout, and with K_NO_WAIT. */
static inline int sys_sem_take(struct sys_sem *sem, k_timeout_t timeout)
{
	return k_sem_take(&sem->kernel_sem, timeout) == 0 ? 0 : -ETIMEDOUT;
}

static inline unsigned int sys_sem_count_get(struct sys_sem *sem)
{
	return k_sem_count_get(&sem->kernel_sem);
}

#define SYS_SEM_LOCK_BREAK continue

/* The block behind SYS_SEM_LOCK(sem) has the semaphore. SYS_SEM_LOCK_BREAK ends it; break, goto and return must not. */
#define KMEM_SYS_SEM_LOCK(sem, taken)                                                                                  \
	for (int taken = sys_sem_take((sem), K_FOREVER) == 0; taken != 0; taken = (sys_sem_give(sem), 0))
#define KMEM_SYS_SEM_LOCK_LINE(sem, line) KMEM_SYS_SEM_LOCK(sem, kmem_sys_sem_taken_##line)
#define KMEM_SYS_SEM_LOCK_AT(sem, line) KMEM_SYS_SEM_LOCK_LINE(sem, line)
#define SYS_SEM_LOCK(sem) KMEM_SYS_SEM_LOCK_AT(sem, __LINE__)

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* ZEPHYR_INCLUDE_SYS_SEM_H_ */
