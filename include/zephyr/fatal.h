/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fatal error handler, in Zephyr's spelling. (Zephyr: fatal.h) Described in <kmem/fatal.h>.
 */
#ifndef ZEPHYR_INCLUDE_FATAL_H_
#define ZEPHYR_INCLUDE_FATAL_H_

#include <zephyr/arch/exception.h>
#include <zephyr/fatal_types.h>

#endif /* ZEPHYR_INCLUDE_FATAL_H_ */
