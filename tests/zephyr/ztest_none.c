/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A test program without any test: it fails.
 */
#include <zephyr/ztest.h>

ZTEST_SUITE(empty, NULL, NULL, NULL, NULL, NULL);
