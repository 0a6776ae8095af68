/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program with a main() of its own, and a predicate that asks for the state it is given.
 */
#include <zephyr/ztest.h>

static const int state_of_the_run = 1;

static bool has_state(const void *state)
{
	return state != NULL && *(const int *)state == state_of_the_run;
}

ZTEST(own, test_1)
{
}

ZTEST_SUITE(own, has_state, NULL, NULL, NULL, NULL);

ZTEST_P(parameter, test_1)
{
	zassert_equal(data, &state_of_the_run);
}

static void *parameter_setup(void)
{
	return (void *)&state_of_the_run;
}

ZTEST_SUITE(parameter, has_state, parameter_setup, NULL, NULL, NULL);

int main(int argc, char **argv)
{
	int status = kmem_ztest_options(argc, argv);

	if (status >= 0) {
		return status;
	}
	if (ztest_run_test_suites(NULL, false, 1, 1) != 0) {
		return 3;
	}
	ztest_run_test_suite(parameter, false, 2, 2, (void *)&state_of_the_run);
	ztest_run_test_suite(own);
	ztest_run_all(NULL);
	ztest_run_all(&state_of_the_run, true, 1, 0);
	ztest_verify_all_test_suites_ran();
	return kmem_ztest_report();
}
