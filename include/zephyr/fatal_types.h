/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reasons of fatal errors, in Zephyr's spelling. (Zephyr: fatal.h)
 */
#ifndef ZEPHYR_INCLUDE_FATAL_TYPES_H
#define ZEPHYR_INCLUDE_FATAL_TYPES_H

#include <kmem/kconfig.h>

#include <kmem/fatal.h>

#endif /* ZEPHYR_INCLUDE_FATAL_TYPES_H */
