/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main() of test programs that have none. (Zephyr: ztest.c)
 *
 * Alone in its archive member, so that a program with a main() of its own does not get it. test_main() is a program's
 * to define, too.
 */
#include <stdio.h>
#include <zephyr/ztest_test.h>

__attribute__((weak)) void test_main(void)
{
	ztest_run_all(NULL, false, 1, 1);
}

int main(int argc, char **argv)
{
	/* What a test prints by stdio belongs beside what it prints by printk(), and before the summary. */
	setvbuf(stdout, NULL, _IOLBF, 0);

	int status = kmem_ztest_options(argc, argv);

	if (status >= 0) {
		return status;
	}
	test_main();
	return kmem_ztest_report();
}
