/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's private names, as far as code outside it uses them. (Zephyr: kernel_internal.h)
 */
#ifndef ZEPHYR_KERNEL_INCLUDE_KERNEL_INTERNAL_H_
#define ZEPHYR_KERNEL_INCLUDE_KERNEL_INTERNAL_H_

#include <zephyr/kernel.h>

#include <kernel_arch_interface.h>

#ifdef __cplusplus
extern "C" {
#endif

#define K_KERNEL_IS_SMP 0

static inline void z_thread_abort(struct k_thread *thread)
{
	k_thread_abort(thread);
}

static inline bool z_is_idle_thread_object(struct k_thread *thread)
{
	(void)thread;
	return false;
}

static inline bool z_sys_post_kernel_is_set(void)
{
	return !k_is_pre_kernel();
}

#ifdef __cplusplus
}
#endif

#endif /* ZEPHYR_KERNEL_INCLUDE_KERNEL_INTERNAL_H_ */
