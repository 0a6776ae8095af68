/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What <zephyr/kernel.h> brings along, in Zephyr's spelling. (Zephyr: kernel_includes.h)
 */
#ifndef ZEPHYR_INCLUDE_KERNEL_INCLUDES_H_
#define ZEPHYR_INCLUDE_KERNEL_INCLUDES_H_

#include <zephyr/kernel.h>

#endif /* ZEPHYR_INCLUDE_KERNEL_INCLUDES_H_ */
