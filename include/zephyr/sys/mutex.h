/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mutexes in the program's memory: those of the kernel. (Zephyr: sys/mutex.h)
 */
#ifndef ZEPHYR_INCLUDE_SYS_MUTEX_H_
#define ZEPHYR_INCLUDE_SYS_MUTEX_H_

#include <kmem/kconfig.h>

#include <zephyr/kernel.h>

#ifdef __cplusplus
extern "C" {
#endif

struct sys_mutex {
	struct k_mutex kernel_mutex;
};

#define KMEM_SYS_MUTEX_INITIALIZER(name)                                                                               \
	{                                                                                                              \
		Z_MUTEX_INITIALIZER((name).kernel_mutex)                                                               \
	}
#define SYS_MUTEX_DEFINE(name) struct sys_mutex name = KMEM_SYS_MUTEX_INITIALIZER(name)

static inline void sys_mutex_init(struct sys_mutex *mutex)
{
	(void)k_mutex_init(&mutex->kernel_mutex);
}

/** Nests. 0; -EBUSY with K_NO_WAIT; -EAGAIN after the timeout. Context: a thread. */
static inline int sys_mutex_lock(struct sys_mutex *mutex, k_timeout_t timeout)
{
	return k_mutex_lock(&mutex->kernel_mutex, timeout);
}

/** 0; -EPERM if another thread holds it; -EINVAL if none does. */
static inline int sys_mutex_unlock(struct sys_mutex *mutex)
{
	return k_mutex_unlock(&mutex->kernel_mutex);
}

#ifdef __cplusplus
}
#endif

#endif /* ZEPHYR_INCLUDE_SYS_MUTEX_H_ */
