/* SPDX-License-Identifier: Apache-2.0 */
/*
 * States of threads. (Zephyr: kthread.h) Each may be out of date as soon as it is known.
 */
#ifndef ZEPHYR_KERNEL_INCLUDE_KTHREAD_H_
#define ZEPHYR_KERNEL_INCLUDE_KTHREAD_H_

#include <zephyr/kernel.h>

#ifdef __cplusplus
extern "C" {
#endif

static inline bool z_is_thread_state_set(struct k_thread *thread, uint32_t state)
{
	return (__atomic_load_n(&thread->base.thread_state, __ATOMIC_ACQUIRE) & state) != 0U;
}

static inline bool z_is_thread_dead(struct k_thread *thread)
{
	return z_is_thread_state_set(thread, _THREAD_DEAD);
}

static inline bool z_is_thread_pending(struct k_thread *thread)
{
	return z_is_thread_state_set(thread, _THREAD_PENDING);
}

static inline bool z_is_thread_suspended(struct k_thread *thread)
{
	return z_is_thread_state_set(thread, _THREAD_SUSPENDED);
}

#ifdef __cplusplus
}
#endif

#endif /* ZEPHYR_KERNEL_INCLUDE_KTHREAD_H_ */
