/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Zephyr's kernel and its C library share. (Zephyr: sys/libc-hooks.h)
 *
 * The C library is the host's, whose data no memory domain guards: there are no partitions for it and for its malloc().
 */
#ifndef ZEPHYR_INCLUDE_SYS_LIBC_HOOKS_H_
#define ZEPHYR_INCLUDE_SYS_LIBC_HOOKS_H_

#include <kmem/kconfig.h>

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <zephyr/toolchain.h>

#define Z_MALLOC_PARTITION_EXISTS 0
#define Z_LIBC_PARTITION_EXISTS 0

#endif /* ZEPHYR_INCLUDE_SYS_LIBC_HOOKS_H_ */
