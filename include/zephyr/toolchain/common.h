/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of <zephyr/toolchain.h> that every compiler has, in Zephyr's spelling. (Zephyr: toolchain/common.h)
 */
#ifndef ZEPHYR_INCLUDE_TOOLCHAIN_COMMON_H_
#define ZEPHYR_INCLUDE_TOOLCHAIN_COMMON_H_

#include <zephyr/toolchain.h>

#endif /* ZEPHYR_INCLUDE_TOOLCHAIN_COMMON_H_ */
