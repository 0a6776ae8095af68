/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of ztest share.
 *
 * ztest.c runs; ztest_result.c keeps the verdict on the current test, and is what tests call; ztest_select.c knows the
 * command line; ztest_report.c prints; ztest_watchdog.c ends the process when the runner cannot.
 *
 * Threads: the runner's thread calls everything in here, but for what is marked "any thread". The verdict is made of
 * atomics, without a lock: a fatal error handler must be able to give one, and threads are aborted while they do.
 */
#ifndef KMEM_COMPAT_ZTEST_INTERNAL_H
#define KMEM_COMPAT_ZTEST_INTERNAL_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zephyr/kernel.h>
#include <zephyr/tc_util.h>
#include <zephyr/ztest_test.h>

#define KMEM_ZTEST_MESSAGE_SIZE 1024U

/* One phase more: the test is over, and its thread is being aborted. */
#define KMEM_ZTEST_PHASE_ABORT (TEST_PHASE_FRAMEWORK + 1)

enum kmem_ztest_verdict {
	KMEM_ZTEST_NONE,
	KMEM_ZTEST_PASS,
	KMEM_ZTEST_FAIL,
	KMEM_ZTEST_SKIP,
};

/* Everything that the program's sections hold, sorted by name. */
struct kmem_ztest_program {
	struct ztest_suite_node **suites;
	size_t suite_count;
	struct ztest_unit_test **tests; /* by suite, then by name */
	size_t test_count;
	struct ztest_test_rule **rules;
	size_t rule_count;
	bool is_sound; /* no name twice, no test without its suite */
};

/* ztest.c */
const struct kmem_ztest_program *kmem_ztest_program_get(void);

/* A sorted copy of pointers, by malloc(), NULL if there are none; the order of suites; one by name, or NULL; what a test is expected to end in, or NULL. */
void *kmem_ztest_sorted(const void *section, size_t count, int (*compare)(const void *, const void *));
int kmem_ztest_suite_compare(const void *a, const void *b);
struct ztest_suite_node *kmem_ztest_suite_find(const char *name);
const struct ztest_expected_result_entry *kmem_ztest_expected_find(const struct ztest_unit_test *test);
bool kmem_ztest_test_is_of(const struct ztest_unit_test *test, const struct ztest_suite_node *suite);

/* The one thread object of all tests. Any thread. */
struct k_thread *kmem_ztest_thread_get(void);

/* Print the summary with a reason, and end the process with status 1. Any thread; does not return. */
__attribute__((noreturn)) void kmem_ztest_bail_out(const char *reason);

/* ztest_result.c */

/* Forget the verdict: a new test, or suite. */
void kmem_ztest_verdict_reset(void);

/* Give the verdict, unless there is one; @p text is kept as the reason. Any thread. */
void kmem_ztest_verdict_give(enum kmem_ztest_verdict verdict, const char *text);

/* What it is: failed, as soon as a check that goes on has failed. Any thread. */
enum kmem_ztest_verdict kmem_ztest_verdict_get(void);

/* Why; NULL if nobody said. For as long as the verdict. */
const char *kmem_ztest_verdict_text(void);

void kmem_ztest_phase_set(enum ztest_phase phase);
enum ztest_phase kmem_ztest_phase_get(void);

/* Go from one phase to another. @return false if the phase is not @p from */
bool kmem_ztest_phase_change(enum ztest_phase from, int to);

/* Call a function of the program's on the runner's thread. @return false if it left by a verdict */
bool kmem_ztest_call(void (*function)(void *argument), void *argument);

/* Whether the test's thread is to be aborted, since another one has given the verdict. */
bool kmem_ztest_abort_is_wanted(void);

/* Whether a fatal error that ended the test's thread was announced. */
bool kmem_ztest_fault_was_valid(void);

/* Take back the announcement of a fatal error. @return whether there was one. Any thread. */
bool kmem_ztest_fault_take(void);

/* The same for a failed assertion. Any thread. */
bool kmem_ztest_assert_take(void);

/* ztest_select.c */

/* The time limit of a test in nanoseconds; 0: none. */
uint64_t kmem_ztest_limit_get(void);
bool kmem_ztest_is_filtered(void);

/* ztest_report.c */

/* Where reports go: @p path NULL is the console. @return 0 or -errno */
int kmem_ztest_tap_open(const char *path);
int kmem_ztest_junit_open(const char *path);

/* Print on the console, as a comment where the console has TAP. Any thread. */
void kmem_ztest_say(const char *fmt, ...);

/* What begins a line of a comment there, or nothing. Any thread. */
const char *kmem_ztest_comment(void);

void kmem_ztest_report_suite_start(const struct ztest_suite_node *suite);
void kmem_ztest_report_suite_end(const struct ztest_suite_node *suite, int result);
void kmem_ztest_report_test_start(const struct ztest_unit_test *test);
void kmem_ztest_report_test_end(const struct ztest_unit_test *test, int result, const char *remark);

/* A failure that belongs to the suite: of teardown(). */
void kmem_ztest_report_suite_failure(const struct ztest_suite_node *suite);

/* The summary, and the end of the reports; once. @return the program's status. Any thread. */
int kmem_ztest_report_end(const char *bail_out_reason);

/* Something failed that is no test: the program fails. */
void kmem_ztest_report_error(void);

/* ztest_watchdog.c */

/* Call @p expired in a thread of its own, once, if kmem_ztest_watchdog_disarm() does not come in time. */
void kmem_ztest_watchdog_arm(uint64_t ns, void (*expired)(void));
void kmem_ztest_watchdog_disarm(void);
void kmem_ztest_watchdog_stop(void);

/* Nanoseconds of the monotonic clock. Any thread. */
uint64_t kmem_ztest_now(void);

#endif /* KMEM_COMPAT_ZTEST_INTERNAL_H */
