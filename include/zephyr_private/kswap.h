/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Switching to another thread: to give up the lock and to yield, since all run in parallel. (Zephyr: kswap.h)
 */
#ifndef ZEPHYR_KERNEL_INCLUDE_KSWAP_H_
#define ZEPHYR_KERNEL_INCLUDE_KSWAP_H_

#include <zephyr/kernel.h>

#include <ksched.h>

#ifdef __cplusplus
extern "C" {
#endif

static inline void z_swap_unlocked(void)
{
	k_yield();
}

static inline int z_swap_irqlock(unsigned int key)
{
	irq_unlock(key);
	k_yield();
	return 0;
}

static inline int z_swap(struct k_spinlock *lock, k_spinlock_key_t key)
{
	k_spin_unlock(lock, key);
	k_yield();
	return 0;
}

#ifdef __cplusplus
}
#endif

#endif /* ZEPHYR_KERNEL_INCLUDE_KSWAP_H_ */
