/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of <zephyr/toolchain.h> that is gcc's, in Zephyr's spelling. (Zephyr: toolchain/gcc.h)
 */
#ifndef ZEPHYR_INCLUDE_TOOLCHAIN_GCC_H_
#define ZEPHYR_INCLUDE_TOOLCHAIN_GCC_H_

#include <zephyr/toolchain.h>

#endif /* ZEPHYR_INCLUDE_TOOLCHAIN_GCC_H_ */
