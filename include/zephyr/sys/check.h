/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks of arguments at run time. (Zephyr: sys/check.h)
 *
 * CHECKIF(error) { ... } is an if, whose condition is that something is wrong. With CONFIG_ASSERT_ON_ERRORS it is an
 * assertion and nothing follows from it; with CONFIG_NO_RUNTIME_CHECKS the block is compiled and never run, and the
 * condition is not evaluated.
 */
#ifndef ZEPHYR_INCLUDE_SYS_CHECK_H_
#define ZEPHYR_INCLUDE_SYS_CHECK_H_

#include <kmem/kconfig.h>

#pragma GCC system_header

#include <stdbool.h>

#include <zephyr/sys/__assert.h>

#if defined(CONFIG_ASSERT_ON_ERRORS)
#define CHECKIF(...)                                                                                                   \
	if (__extension__({                                                                                            \
		    __ASSERT_NO_MSG(!(__VA_ARGS__));                                                                   \
		    false;                                                                                             \
	    }))
#elif defined(CONFIG_NO_RUNTIME_CHECKS)
#define CHECKIF(...) if (false && (__VA_ARGS__))
#else
#define CHECKIF(...) if (__VA_ARGS__)
#endif

#endif /* ZEPHYR_INCLUDE_SYS_CHECK_H_ */
