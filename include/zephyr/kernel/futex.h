/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Futexes: a word to wait on while it has a value. (Zephyr: kernel.h, which includes this one)
 *
 * The word is the program's, which changes it by the functions of <zephyr/sys/atomic.h>. Any such word serves: the
 * library knows a futex by its address, and only while a thread waits on it.
 */
#ifndef KMEM_ZEPHYR_KERNEL_FUTEX_H
#define KMEM_ZEPHYR_KERNEL_FUTEX_H

#include <kmem/kconfig.h>

#include <stdbool.h>

#include <zephyr/sys/atomic.h>
#include <zephyr/sys_clock.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

struct k_futex {
	atomic_t val;
};

/**
 * Wait until woken.
 *
 * @return 0; -EAGAIN if the value is not @p expected; -ETIMEDOUT after the timeout, and with K_NO_WAIT
 * Context: a thread.
 */
int k_futex_wait(struct k_futex *futex, int expected, k_timeout_t timeout);

/** Wake the best of those who wait, or all. How many. Context: anywhere but in a fault. */
int k_futex_wake(struct k_futex *futex, bool wake_all);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* KMEM_ZEPHYR_KERNEL_FUTEX_H */
