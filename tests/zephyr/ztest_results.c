/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program whose tests end in every way: what they print and count is for the script that runs it to check.
 */
#include <zephyr/ztest.h>

#define TEST_STACK_SIZE 512
#define LONG_SLEEP_MS 20000

static struct k_thread other;
static K_THREAD_STACK_DEFINE(other_stack, TEST_STACK_SIZE);

/* results */

static void results_after(void *data)
{
	ARG_UNUSED(data);
	TC_PRINT("after\n");
}

ZTEST(results, test_assert)
{
	zassert_equal(1 + 1, 3, "the message, %llu < \"%s\" & %d%%\n", UINT64_C(18446744073709551615), "x", 7);
	TC_PRINT("not reached\n");
}

ZTEST(results, test_assume)
{
	zassume_true(false, "nothing to do");
	TC_PRINT("not reached\n");
}

ZTEST(results, test_expect)
{
	zexpect_true(false, "first");
	zexpect_true(false, "second");
	TC_PRINT("goes on\n");
}

ZTEST(results, test_expect_then_pass)
{
	zexpect_true(false);
	ztest_test_pass();
}

ZTEST(results, test_fail)
{
	ztest_test_fail();
	TC_PRINT("not reached\n");
}

ZTEST(results, test_pass)
{
}

ZTEST(results, test_skip)
{
	ztest_test_skip();
	TC_PRINT("not reached\n");
}

ZTEST_SUITE(results, NULL, NULL, NULL, results_after, NULL);

/* expected */

ZTEST(expected, test_fails)
{
	ztest_test_fail();
}
ZTEST_EXPECT_FAIL(expected, test_fails);

ZTEST(expected, test_passes)
{
}
ZTEST_EXPECT_FAIL(expected, test_passes);

ZTEST(expected, test_skips)
{
	ztest_test_skip();
}
ZTEST_EXPECT_SKIP(expected, test_skips);

ZTEST_SUITE(expected, NULL, NULL, NULL, NULL, NULL);

/* setup that fails, and that skips */

static void *setup_fails(void)
{
	zassert_true(false, "no fixture");
	TC_PRINT("not reached\n");
	return NULL;
}

static void *setup_skips(void)
{
	ztest_test_skip();
	return NULL;
}

static void teardown_unreached(void *data)
{
	ARG_UNUSED(data);
	TC_PRINT("not reached\n");
}

static void teardown_fails(void *data)
{
	ARG_UNUSED(data);
	zassert_true(false, "nothing to tear down");
}

ZTEST(setup_fails, test_1)
{
	TC_PRINT("not reached\n");
}

ZTEST(setup_fails, test_2)
{
	TC_PRINT("not reached\n");
}

ZTEST_SUITE(setup_fails, NULL, setup_fails, NULL, NULL, teardown_unreached);

ZTEST(setup_skips, test_1)
{
	TC_PRINT("not reached\n");
}

ZTEST_SUITE(setup_skips, NULL, setup_skips, NULL, NULL, teardown_unreached);

ZTEST(teardown_fails, test_1)
{
}

ZTEST_SUITE(teardown_fails, NULL, NULL, NULL, NULL, teardown_fails);

/* before and after that fail */

static void fail(void *data)
{
	ARG_UNUSED(data);
	zassert_true(false);
}

ZTEST(before_fails, test_1)
{
	TC_PRINT("not reached\n");
}

ZTEST_SUITE(before_fails, NULL, NULL, fail, NULL, NULL);

ZTEST(after_fails, test_1)
{
}

ZTEST(after_fails, test_2)
{
	ztest_test_skip();
}

ZTEST_SUITE(after_fails, NULL, NULL, NULL, fail, NULL);

/* others: verdicts from another thread */

static void (*verdict_give)(void);

static void verdict(void *p1, void *p2, void *p3)
{
	ARG_UNUSED(p1);
	ARG_UNUSED(p2);
	ARG_UNUSED(p3);
	verdict_give();
	TC_PRINT("not reached\n");
}

static void assert_false(void)
{
	zassert_true(false, "in another thread");
}

static void verdict_by_other(void (*give)(void))
{
	verdict_give = give;
	k_thread_create(&other, other_stack, K_THREAD_STACK_SIZEOF(other_stack), verdict, NULL, NULL, NULL, 0, 0,
			K_NO_WAIT);
	k_msleep(LONG_SLEEP_MS);
	TC_PRINT("not reached\n");
}

static void others_after(void *data)
{
	ARG_UNUSED(data);
	zassert_ok(k_thread_join(&other, K_SECONDS(5)), "the other thread has not ended");
}

ZTEST(others, test_assert)
{
	verdict_by_other(assert_false);
}

ZTEST(others, test_fail)
{
	verdict_by_other(ztest_test_fail);
}

ZTEST(others, test_pass)
{
	verdict_by_other(ztest_test_pass);
}

ZTEST(others, test_skip)
{
	verdict_by_other(ztest_test_skip);
}

ZTEST_SUITE(others, NULL, NULL, NULL, others_after, NULL);
