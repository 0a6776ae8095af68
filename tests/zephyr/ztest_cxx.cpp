// SPDX-License-Identifier: Apache-2.0
//
// Tests in C++, in two suites, with a fixture and a rule.
//
#include <zephyr/ztest.h>

namespace
{
struct counter {
	int value;
};
} // namespace

struct cxx_fixture {
	counter count;
};

static void *cxx_setup(void)
{
	static cxx_fixture fixture;

	return &fixture;
}

static void cxx_before(void *data)
{
	static_cast<cxx_fixture *>(data)->count.value = 1;
}

static void rule(const struct ztest_unit_test *test, void *)
{
	zassert_not_null(test);
}

ZTEST_RULE(cxx, rule, nullptr);

ZTEST_F(cxx, test_fixture)
{
	zassert_equal(fixture->count.value, 1, "the value is %d", fixture->count.value);
}

ZTEST_P(cxx, test_parameter)
{
	zassert_not_null(data);
}

ZTEST(cxx, test_checks)
{
	zassert_true(true);
	zassert_str_equal("a", "a", "message");
	zassert_within(1.5, 1.0, 0.5);
	zassume_equal_ptr(&cxx_setup, &cxx_setup);
	zexpect_mem_equal("a", "a", 2);
}

ZTEST_SUITE(cxx, nullptr, cxx_setup, cxx_before, nullptr, nullptr);

ZTEST_USER(cxx_plain, test_fails)
{
	zassert_unreachable("on purpose");
}
ZTEST_EXPECT_FAIL(cxx_plain, test_fails);

ZTEST_SUITE(cxx_plain, NULL, NULL, NULL, NULL, NULL);
