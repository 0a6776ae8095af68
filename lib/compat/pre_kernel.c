/* SPDX-License-Identifier: Apache-2.0 */
/*
 * k_is_pre_kernel(), for programs with and without SYS_INIT().
 */
#include <zephyr/kernel.h>

#include "compat/init.h"

static bool is_pre;

void kmem_pre_kernel_set(bool is_pre_kernel)
{
	__atomic_store_n(&is_pre, is_pre_kernel, __ATOMIC_RELAXED);
}

bool k_is_pre_kernel(void)
{
	return __atomic_load_n(&is_pre, __ATOMIC_RELAXED);
}
