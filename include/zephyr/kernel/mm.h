/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mapping, in Zephyr's spelling. (Zephyr: kernel/mm.h) Everything is described in <kmem/mm.h>.
 */
#ifndef ZEPHYR_INCLUDE_KERNEL_MM_H
#define ZEPHYR_INCLUDE_KERNEL_MM_H

#include <kmem/kconfig.h>

#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>

#include <kmem/mm.h>
#include <zephyr/kernel/internal/mm.h>

#endif /* ZEPHYR_INCLUDE_KERNEL_MM_H */
