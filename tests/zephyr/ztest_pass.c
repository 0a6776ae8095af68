/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program whose tests all pass: order, fixtures, rules, threads, every check in its good case, and every way to pass.
 */
#include <zephyr/ztest.h>

#define TEST_STACK_SIZE 512

/* Suites run by name, not in the order of the file. */
static int suites_seen;

/* zebra: the last one. */

ZTEST(zebra, test_runs_last)
{
	zassert_equal(suites_seen, 3);
}

ZTEST_SUITE(zebra, NULL, NULL, NULL, NULL, NULL);

/* fixtures */

struct fixtures_fixture {
	k_tid_t setup_thread;
	int before, after, tests;
};

static struct fixtures_fixture the_fixture;
static k_tid_t test_thread;
static int rule_before, rule_after;

static void *fixtures_setup(void)
{
	suites_seen++;
	the_fixture.setup_thread = k_current_get();
	return &the_fixture;
}

static void fixtures_before(void *data)
{
	struct fixtures_fixture *fixture = data;

	zassert_equal_ptr(fixture, &the_fixture);
	zassert_not_equal(k_current_get(), fixture->setup_thread);
	zassert_true(rule_before > rule_after, "the rule comes first");
	fixture->before++;
}

static void fixtures_after(void *data)
{
	struct fixtures_fixture *fixture = data;

	zassert_equal(k_current_get(), test_thread, "after runs in the test's thread object");
	fixture->after++;
	zassert_equal(fixture->before, fixture->after);
}

static void fixtures_teardown(void *data)
{
	struct fixtures_fixture *fixture = data;

	zassert_equal(k_current_get(), fixture->setup_thread);
	zassert_equal(fixture->tests, 4);
	zassert_equal(fixture->after, 4);
}

static void count_before(const struct ztest_unit_test *test, void *data)
{
	zassert_not_null(test->name);
	ARG_UNUSED(data);
	rule_before++;
}

static void count_after(const struct ztest_unit_test *test, void *data)
{
	zassert_not_null(test->test_suite_name);
	ARG_UNUSED(data);
	rule_after++;
}

ZTEST_RULE(count, count_before, count_after);

/* Tests run by name. */
ZTEST_F(fixtures, test_b)
{
	zassert_equal(fixture->tests++, 1);
	zassert_equal(k_current_get(), test_thread);
}

ZTEST_F(fixtures, test_a)
{
	zassert_equal(fixture->tests++, 0);
	test_thread = k_current_get();
}

ZTEST_USER_F(fixtures, test_c)
{
	zassert_equal(fixture->tests++, 2);
	zassert_equal(k_current_get(), test_thread);
}

ZTEST_P(fixtures, test_d)
{
	struct fixtures_fixture *fixture = data;

	zassert_equal(fixture->tests++, 3);
}

ZTEST_SUITE(fixtures, NULL, fixtures_setup, fixtures_before, fixtures_after, fixtures_teardown);

/* checks: all of them, with no message, a message, and arguments. */

static ZTEST_BMEM int in_bmem;
ZTEST_DMEM static int in_dmem = 1;

static int counted;

static int count(void)
{
	return ++counted;
}

static void *checks_setup(void)
{
	suites_seen++;
	return NULL;
}

ZTEST(checks, test_operands_are_evaluated_once)
{
	zassert_equal(count(), 1);
	zassert_true(count() == 2, "count");
	zassume_not_equal(count(), 0, "count %d", counted);
	zexpect_ok(count() - 4);
	zassert_equal(counted, 4);
}

ZTEST(checks, test_all_checks_hold)
{
	static const char text[] = "text";
	uint64_t wide = UINT64_C(1) << 40;

	zassert_true(true);
	zassert_true(true, NULL);
	zassert_true(true, "a message with 100%% of a percent sign");
	zassert_true(wide > 1, "wide is %llu", wide);
	zassert_false(false);
	zassert_ok(0);
	zassert_not_ok(-EINVAL);
	zassert_is_null(NULL);
	zassert_not_null(text);
	zassert_equal(wide, wide, "wide is %llu", wide);
	zassert_not_equal(1, 2);
	zassert_equal_ptr(text, &text[0]);
	zassert_within(10, 12, 2);
	zassert_not_within(10, 13, 2);
	zassert_between_inclusive(1, 1, 2);
	zassert_mem_equal(text, "text", sizeof(text));
	zassert_mem_equal(text, "text", sizeof(text), "message %d", 1);
	zassert_str_equal(text, "text");
	zassume_true(true);
	zassume_str_equal(text, "text");
	zexpect_within(10, 12, 2, "message");
	zassert_equal(in_bmem, 0);
	zassert_equal(in_dmem, 1);
	if (wide == 0) {
		zassert_unreachable();
		zassert_unreachable("message");
		zexpect_unreachable("message %d", 1);
	}
}

ZTEST_SUITE(checks, NULL, checks_setup, NULL, NULL, NULL);

/* ways: to pass. */

static struct k_thread other;
static K_THREAD_STACK_DEFINE(other_stack, TEST_STACK_SIZE);
static bool other_exists;

static void *ways_setup(void)
{
	suites_seen++;
	return NULL;
}

static void ways_after(void *data)
{
	ARG_UNUSED(data);
	if (other_exists) {
		zassert_ok(k_thread_join(&other, K_SECONDS(5)), "the other thread has not ended");
	}
}

static void other_pass(void *p1, void *p2, void *p3)
{
	ARG_UNUSED(p1);
	ARG_UNUSED(p2);
	ARG_UNUSED(p3);
	ztest_test_pass();
	zassert_unreachable("ztest_test_pass() came back");
}

ZTEST(ways, test_pass_here)
{
	ztest_test_pass();
	zassert_unreachable("ztest_test_pass() came back");
}

ZTEST(ways, test_pass_from_another_thread)
{
	other_exists = true;
	k_thread_create(&other, other_stack, K_THREAD_STACK_SIZEOF(other_stack), other_pass, NULL, NULL, NULL, 0, 0,
			K_NO_WAIT);
	k_sleep(K_FOREVER);
	zassert_unreachable("the test goes on");
}

static void timer_pass(struct k_timer *timer)
{
	ARG_UNUSED(timer);
	ztest_test_pass();
}

static K_TIMER_DEFINE(timer, timer_pass, NULL);

ZTEST(ways, test_pass_from_an_interrupt)
{
	k_timer_start(&timer, K_MSEC(1), K_NO_WAIT);
	k_sleep(K_FOREVER);
	zassert_unreachable("the test goes on");
}

ZTEST(ways, test_end_the_thread)
{
	k_thread_abort(k_current_get());
}

ZTEST_SUITE(ways, NULL, ways_setup, NULL, ways_after, NULL);

/* never: its predicate says no. */

static bool never(const void *state)
{
	return state != NULL;
}

ZTEST(never, test_does_not_run)
{
	zassert_unreachable();
}

ZTEST_SUITE(never, never, NULL, NULL, NULL, NULL);
