/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A test whose suite nobody defines, beside one that passes; and a test_main() of the program's own.
 */
#include <zephyr/ztest.h>

ZTEST(there, test_1)
{
}

ZTEST_SUITE(there, NULL, NULL, NULL, NULL, NULL);

ZTEST(not_there, test_1)
{
}

void test_main(void)
{
	TC_PRINT("test_main\n");
	ztest_run_all(NULL);
}
