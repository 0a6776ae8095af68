/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The old name of <zephyr/kernel.h>. (Zephyr: zephyr.h)
 */
#ifndef ZEPHYR_INCLUDE_ZEPHYR_H_
#define ZEPHYR_INCLUDE_ZEPHYR_H_

#include <zephyr/kernel.h>

#endif /* ZEPHYR_INCLUDE_ZEPHYR_H_ */
