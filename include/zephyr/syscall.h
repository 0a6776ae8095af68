/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System calls: there are none, since there is no user mode; they are plain calls. (Zephyr: syscall.h)
 */
#ifndef ZEPHYR_INCLUDE_SYSCALL_H_
#define ZEPHYR_INCLUDE_SYSCALL_H_

#include <kmem/kconfig.h>

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

static inline bool k_is_user_context(void)
{
	return false;
}

#ifdef __cplusplus
}
#endif

#endif /* ZEPHYR_INCLUDE_SYSCALL_H_ */
