/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks in tests. (Zephyr: ztest_assert.h)
 *
 * zassert_...() ends the test as failed, zassume_...() as skipped, and zexpect_...() marks it failed and goes on.
 * Behind its operands each takes no message, a string, or a format of printk() with arguments, which nothing checks
 * against the format: sources mix %llu with uint64_t. All of them may stand in any function of any thread, also in a
 * fatal error handler; what ending a test means there is said at ztest_test_fail(), in ztest_test.h. Operands are
 * evaluated once, but those of ..._within() and ..._between_inclusive(), which are arithmetic.
 */
#ifndef ZEPHYR_TESTSUITE_ZTEST_ASSERT_H_
#define ZEPHYR_TESTSUITE_ZTEST_ASSERT_H_

#include <kmem/kconfig.h>

#pragma GCC system_header

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

enum kmem_ztest_check {
	KMEM_ZTEST_ASSERT,
	KMEM_ZTEST_ASSUME,
	KMEM_ZTEST_EXPECT,
};

/*
 * Say that a check failed and where, and end the test unless the check is KMEM_ZTEST_EXPECT. Behind @p condition follow
 * a format, which may be NULL, and its arguments.
 */
void kmem_ztest_failed(enum kmem_ztest_check check, const char *file, int line, const char *function,
		       const char *condition, ...);

#pragma GCC visibility pop

/* The NULL is the format where the program gives none, and an argument without use where it does. */
#define KMEM_ZTEST_CHECK(check, cond, text, ...)                                                                       \
	do {                                                                                                           \
		if (!(cond)) {                                                                                         \
			kmem_ztest_failed(check, __FILE__, __LINE__, __func__, text, ##__VA_ARGS__,                    \
					  (const char *)NULL);                                                         \
		}                                                                                                      \
	} while (0)

#define zassert(cond, default_msg, ...) KMEM_ZTEST_CHECK(KMEM_ZTEST_ASSERT, cond, default_msg, ##__VA_ARGS__)
#define zassume(cond, default_msg, ...) KMEM_ZTEST_CHECK(KMEM_ZTEST_ASSUME, cond, default_msg, ##__VA_ARGS__)
#define zexpect(cond, default_msg, ...) KMEM_ZTEST_CHECK(KMEM_ZTEST_EXPECT, cond, default_msg, ##__VA_ARGS__)

#define zassert_true(cond, ...) zassert(cond, #cond " is false", ##__VA_ARGS__)
#define zassert_false(cond, ...) zassert(!(cond), #cond " is true", ##__VA_ARGS__)
#define zassert_ok(cond, ...) zassert(!(cond), #cond " is not 0", ##__VA_ARGS__)
#define zassert_not_ok(cond, ...) zassert(!!(cond), #cond " is 0", ##__VA_ARGS__)
#define zassert_is_null(ptr, ...) zassert((ptr) == NULL, #ptr " is not NULL", ##__VA_ARGS__)
#define zassert_not_null(ptr, ...) zassert((ptr) != NULL, #ptr " is NULL", ##__VA_ARGS__)
#define zassert_equal(a, b, ...) zassert((a) == (b), #a " is not equal to " #b, ##__VA_ARGS__)
#define zassert_not_equal(a, b, ...) zassert((a) != (b), #a " is equal to " #b, ##__VA_ARGS__)
#define zassert_equal_ptr(a, b, ...)                                                                                   \
	zassert((const volatile void *)(a) == (const volatile void *)(b), #a " is not equal to " #b, ##__VA_ARGS__)
#define zassert_within(a, b, delta, ...)                                                                               \
	zassert(((a) >= ((b) - (delta))) && ((a) <= ((b) + (delta))), #a " is not within " #b " +/- " #delta,          \
		##__VA_ARGS__)
#define zassert_not_within(a, b, delta, ...)                                                                           \
	zassert(!(((a) >= ((b) - (delta))) && ((a) <= ((b) + (delta)))), #a " is within " #b " +/- " #delta,           \
		##__VA_ARGS__)
#define zassert_between_inclusive(a, l, u, ...)                                                                        \
	zassert(((a) >= (l)) && ((a) <= (u)), #a " is not between " #l " and " #u, ##__VA_ARGS__)
#define zassert_mem_equal(...) zassert_mem_equal__(__VA_ARGS__)
#define zassert_mem_equal__(buf, exp, size, ...)                                                                       \
	zassert(memcmp(buf, exp, size) == 0, #buf " differs from " #exp, ##__VA_ARGS__)
#define zassert_str_equal(s1, s2, ...) zassert(strcmp(s1, s2) == 0, #s1 " differs from " #s2, ##__VA_ARGS__)
#define zassert_unreachable(...) zassert(false, "this should not be reached" __VA_OPT__(, ) __VA_ARGS__)

#define zassume_true(cond, ...) zassume(cond, #cond " is false", ##__VA_ARGS__)
#define zassume_false(cond, ...) zassume(!(cond), #cond " is true", ##__VA_ARGS__)
#define zassume_ok(cond, ...) zassume(!(cond), #cond " is not 0", ##__VA_ARGS__)
#define zassume_not_ok(cond, ...) zassume(!!(cond), #cond " is 0", ##__VA_ARGS__)
#define zassume_is_null(ptr, ...) zassume((ptr) == NULL, #ptr " is not NULL", ##__VA_ARGS__)
#define zassume_not_null(ptr, ...) zassume((ptr) != NULL, #ptr " is NULL", ##__VA_ARGS__)
#define zassume_equal(a, b, ...) zassume((a) == (b), #a " is not equal to " #b, ##__VA_ARGS__)
#define zassume_not_equal(a, b, ...) zassume((a) != (b), #a " is equal to " #b, ##__VA_ARGS__)
#define zassume_equal_ptr(a, b, ...)                                                                                   \
	zassume((const volatile void *)(a) == (const volatile void *)(b), #a " is not equal to " #b, ##__VA_ARGS__)
#define zassume_within(a, b, delta, ...)                                                                               \
	zassume(((a) >= ((b) - (delta))) && ((a) <= ((b) + (delta))), #a " is not within " #b " +/- " #delta,          \
		##__VA_ARGS__)
#define zassume_not_within(a, b, delta, ...)                                                                           \
	zassume(!(((a) >= ((b) - (delta))) && ((a) <= ((b) + (delta)))), #a " is within " #b " +/- " #delta,           \
		##__VA_ARGS__)
#define zassume_between_inclusive(a, l, u, ...)                                                                        \
	zassume(((a) >= (l)) && ((a) <= (u)), #a " is not between " #l " and " #u, ##__VA_ARGS__)
#define zassume_mem_equal(...) zassume_mem_equal__(__VA_ARGS__)
#define zassume_mem_equal__(buf, exp, size, ...)                                                                       \
	zassume(memcmp(buf, exp, size) == 0, #buf " differs from " #exp, ##__VA_ARGS__)
#define zassume_str_equal(s1, s2, ...) zassume(strcmp(s1, s2) == 0, #s1 " differs from " #s2, ##__VA_ARGS__)
#define zassume_unreachable(...) zassume(false, "this should not be reached" __VA_OPT__(, ) __VA_ARGS__)

#define zexpect_true(cond, ...) zexpect(cond, #cond " is false", ##__VA_ARGS__)
#define zexpect_false(cond, ...) zexpect(!(cond), #cond " is true", ##__VA_ARGS__)
#define zexpect_ok(cond, ...) zexpect(!(cond), #cond " is not 0", ##__VA_ARGS__)
#define zexpect_not_ok(cond, ...) zexpect(!!(cond), #cond " is 0", ##__VA_ARGS__)
#define zexpect_is_null(ptr, ...) zexpect((ptr) == NULL, #ptr " is not NULL", ##__VA_ARGS__)
#define zexpect_not_null(ptr, ...) zexpect((ptr) != NULL, #ptr " is NULL", ##__VA_ARGS__)
#define zexpect_equal(a, b, ...) zexpect((a) == (b), #a " is not equal to " #b, ##__VA_ARGS__)
#define zexpect_not_equal(a, b, ...) zexpect((a) != (b), #a " is equal to " #b, ##__VA_ARGS__)
#define zexpect_equal_ptr(a, b, ...)                                                                                   \
	zexpect((const volatile void *)(a) == (const volatile void *)(b), #a " is not equal to " #b, ##__VA_ARGS__)
#define zexpect_within(a, b, delta, ...)                                                                               \
	zexpect(((a) >= ((b) - (delta))) && ((a) <= ((b) + (delta))), #a " is not within " #b " +/- " #delta,          \
		##__VA_ARGS__)
#define zexpect_not_within(a, b, delta, ...)                                                                           \
	zexpect(!(((a) >= ((b) - (delta))) && ((a) <= ((b) + (delta)))), #a " is within " #b " +/- " #delta,           \
		##__VA_ARGS__)
#define zexpect_between_inclusive(a, l, u, ...)                                                                        \
	zexpect(((a) >= (l)) && ((a) <= (u)), #a " is not between " #l " and " #u, ##__VA_ARGS__)
#define zexpect_mem_equal(...) zexpect_mem_equal__(__VA_ARGS__)
#define zexpect_mem_equal__(buf, exp, size, ...)                                                                       \
	zexpect(memcmp(buf, exp, size) == 0, #buf " differs from " #exp, ##__VA_ARGS__)
#define zexpect_str_equal(s1, s2, ...) zexpect(strcmp(s1, s2) == 0, #s1 " differs from " #s2, ##__VA_ARGS__)
#define zexpect_unreachable(...) zexpect(false, "this should not be reached" __VA_OPT__(, ) __VA_ARGS__)

#ifdef __cplusplus
}
#endif

#endif /* ZEPHYR_TESTSUITE_ZTEST_ASSERT_H_ */
