/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What test programs say: the lines that harnesses look for, and the results they name. (Zephyr: tc_util.h)
 *
 * Everything goes through printk(), so it stands in order with what the program prints by it.
 */
#ifndef ZEPHYR_TESTSUITE_INCLUDE_TC_UTIL_H_
#define ZEPHYR_TESTSUITE_INCLUDE_TC_UTIL_H_

#include <kmem/kconfig.h>

#pragma GCC system_header

#include <string.h>
#include <zephyr/kernel.h>
#include <zephyr/sys/printk.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Results of a test. Flaky: of several runs of one test some passed and some did not. */
#define TC_PASS 0
#define TC_FAIL 1
#define TC_SKIP 2
#define TC_FLAKY 3

#define PASS "PASS"
#define FAIL "FAIL"
#define SKIP "SKIP"
#define FLAKY "FLAKY"

#ifndef PRINT_DATA
#define PRINT_DATA(fmt, ...) printk(fmt, ##__VA_ARGS__)
#endif
#define PRINT_LINE PRINT_DATA("===================================================================\n")

#ifndef TC_PRINT
#define TC_PRINT(fmt, ...) PRINT_DATA(fmt, ##__VA_ARGS__)
#endif
#define TC_ERROR(fmt, ...) PRINT_DATA(FAIL " - %s@%d. " fmt, __func__, __LINE__, ##__VA_ARGS__)
#define Z_TC_PRINT TC_PRINT

#define TC_RESULT_TO_STR(result) kmem_tc_result_name(result)

#define TC_START(name) kmem_tc_start(name)
#define TC_END(result, fmt, ...) PRINT_DATA(fmt, ##__VA_ARGS__)
#define TC_END_RESULT_CUSTOM(result, func) kmem_tc_end((result), (func))
#define TC_END_RESULT(result) kmem_tc_end((result), __func__)

#define TC_SUITE_PRINT(fmt, ...) PRINT_DATA(fmt, ##__VA_ARGS__)
#define TC_SUITE_START(name) TC_SUITE_PRINT("Running TESTSUITE %s\n", name)
#define TC_SUITE_END(name, result)                                                                                     \
	TC_SUITE_PRINT("TESTSUITE %s %s\n", name,                                                                      \
		       (result) == TC_PASS ? "succeeded" : ((result) == TC_FLAKY ? "flaky" : "failed"))

#define TC_PRINT_RUNID                                                                                                 \
	do {                                                                                                           \
	} while (0)
#define TC_END_POST(result)                                                                                            \
	do {                                                                                                           \
	} while (0)
#define TC_END_REPORT(result)                                                                                          \
	do {                                                                                                           \
		kmem_tc_end_report(result);                                                                            \
		TC_END_POST(result);                                                                                   \
	} while (0)

#pragma GCC visibility push(default)

/** @return PASS, FAIL, SKIP or FLAKY; "?" for another number */
const char *kmem_tc_result_name(int result);

/** Print that a test starts, and remember when. */
void kmem_tc_start(const char *name);

/** Print a test's result and how long it took since kmem_tc_start(). */
void kmem_tc_end(int result, const char *name);

/** Print `PROJECT EXECUTION SUCCESSFUL` or `FAILED`. The program goes on. Context: any, also a fatal error handler. */
void kmem_tc_end_report(int result);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* ZEPHYR_TESTSUITE_INCLUDE_TC_UTIL_H_ */
