/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Zephyr's test framework: everything that a test program needs. (Zephyr: ztest.h)
 *
 * The library brings main(): see kmem_ztest_options() for what it takes on the command line. A program may define
 * test_main(), or main() itself.
 */
#ifndef ZEPHYR_TESTSUITE_ZTEST_H_
#define ZEPHYR_TESTSUITE_ZTEST_H_

#include <kmem/kconfig.h>

#pragma GCC system_header

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zephyr/app_memory/app_memdomain.h>
#include <zephyr/fatal.h>
#include <zephyr/init.h>
#include <zephyr/kernel.h>
#include <zephyr/sys/__assert.h>
#include <zephyr/sys/printk.h>
#include <zephyr/sys/util.h>
#include <zephyr/tc_util.h>
#include <zephyr/toolchain.h>
#include <zephyr/ztest_assert.h>
#include <zephyr/ztest_error_hook.h>
#include <zephyr/ztest_test.h>

#endif /* ZEPHYR_TESTSUITE_ZTEST_H_ */
