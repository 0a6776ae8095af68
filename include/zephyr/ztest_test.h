/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests and suites. (Zephyr: ztest_test.h)
 *
 * Suites run in the order of their names, and tests in the order of theirs inside a suite, whatever files they come
 * from. A suite: its predicate says whether it runs; setup() returns its fixture; then the tests; then
 * teardown(fixture). Those run on the runner's thread. A test: the before_each functions of the rules, before(fixture),
 * the test, after(fixture), the after_each functions of the rules. Those run on the test's thread, which is one struct
 * k_thread for all tests. If the test ended early, what comes after it runs on a new thread in the same object.
 *
 * If setup() fails, or skips, each of the suite's tests counts as failed, or as skipped, without being run, and
 * teardown() is not called. A failure in teardown() counts as one failed test more.
 *
 * A test has a time limit: 60 seconds, or ZTEST_TIMEOUT=SECONDS in the environment, or -timeout=SECONDS on the command
 * line; 0 is no limit. What takes longer has failed, and its thread is aborted. If it cannot be aborted within a
 * second, the process ends with the summary and status 1. The limit holds for setup() and teardown() too, which cannot
 * be aborted.
 *
 * The tests are found through sections of the program: those in shared libraries are not seen.
 */
#ifndef ZEPHYR_TESTSUITE_ZTEST_TEST_H_
#define ZEPHYR_TESTSUITE_ZTEST_TEST_H_

#include <kmem/kconfig.h>

#pragma GCC system_header

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zephyr/app_memory/app_memdomain.h>
#include <zephyr/kernel.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/* What the runner is at. */
enum ztest_phase {
	TEST_PHASE_SETUP,
	TEST_PHASE_BEFORE,
	TEST_PHASE_TEST,
	TEST_PHASE_AFTER,
	TEST_PHASE_TEARDOWN,
	TEST_PHASE_FRAMEWORK,
};

enum ztest_expected_result {
	ZTEST_EXPECTED_RESULT_FAIL = 0,
	ZTEST_EXPECTED_RESULT_SKIP,
};

struct ztest_expected_result_entry {
	const char *test_suite_name;
	const char *test_name;
	enum ztest_expected_result expected_result;
};

/* How often a test ran, and what came out. The members kmem_... are the runner's own. */
struct ztest_unit_test_stats {
	uint32_t run_count;
	uint32_t skip_count;
	uint32_t fail_count;
	uint32_t pass_count;
	uint32_t duration_worst_ms;
	uint64_t kmem_duration_ns; /* of the last run */
	char *kmem_message;        /* why it failed or was skipped, the last time */
	bool kmem_deselected;      /* by -test= */
};

struct ztest_unit_test {
	const char *test_suite_name;
	const char *name;
	void (*test)(void *data);
	uint32_t thread_options;
	struct ztest_unit_test_stats *stats;
};

typedef void *(*ztest_suite_setup_t)(void);
typedef void (*ztest_suite_before_t)(void *fixture);
typedef void (*ztest_suite_after_t)(void *fixture);
typedef void (*ztest_suite_teardown_t)(void *fixture);
typedef bool (*ztest_suite_predicate_t)(const void *global_state);

/* A suite fails as a whole when a test does, or setup or teardown. */
struct ztest_suite_stats {
	uint32_t run_count;
	uint32_t skip_count;
	uint32_t fail_count;
	char *kmem_message;      /* why setup or teardown failed */
	bool kmem_failed_itself; /* setup or teardown failed, and no test counts for it */
};

struct ztest_suite_node {
	const char *name;
	ztest_suite_setup_t setup;
	ztest_suite_before_t before;
	ztest_suite_after_t after;
	ztest_suite_teardown_t teardown;
	ztest_suite_predicate_t predicate;
	struct ztest_suite_stats *stats;
	void (*kmem_prepare)(void);   /* once before the first suite, or NULL */
	k_thread_stack_t *kmem_stack; /* what its tests run on */
	size_t kmem_stack_size;
	int kmem_priority;
};

typedef void (*ztest_rule_cb)(const struct ztest_unit_test *test, void *data);

struct ztest_test_rule {
	const char *kmem_name;
	ztest_rule_cb before_each;
	ztest_rule_cb after_each;
};

/*
 * Running. The forms of older and newer Zephyrs are taken: ztest_run_all(state) or (state, shuffle, suite_iter,
 * case_iter); ztest_run_test_suite(suite), (suite, shuffle, suite_iter, case_iter) or one more, what a ZTEST_P() gets.
 */

/**
 * Run every suite whose predicate agrees.
 *
 * @param state what the predicates get @param shuffle suites and tests in random order; the order's seed is printed,
 * and KMEM_SEED in the environment sets it @param suite_iter how often each suite runs @param case_iter how often each
 * test runs in one run of its suite Context: the thread that runs the tests: one at a time, and not a test.
 */
void ztest_run_all(const void *state, bool shuffle, int suite_iter, int case_iter);

/** As ztest_run_all(). @return how many suites ran that had not run before */
int ztest_run_test_suites(const void *state, bool shuffle, int suite_iter, int case_iter);

/** Run one suite, by name, without asking its predicate. @return TC_PASS, TC_FAIL (also if there is none) or TC_SKIP */
int z_ztest_run_test_suite(const char *name, bool shuffle, int suite_iter, int case_iter, void *param);

/** Report every suite that has not run; then the program has failed. Suites that -test= leaves out are none of them. */
void ztest_verify_all_test_suites_ran(void);

/** What a program's own main() may do with its arguments. @return its status if it is to end, else a negative number */
int kmem_ztest_options(int argc, char **argv);

/** Print the summary, and write what -tap and -junit want. @return the program's status: 0 if nothing failed, else 1 */
int kmem_ztest_report(void);

/** Run the tests: a program may define it. Without one it is ztest_run_all(NULL, false, 1, 1). */
void test_main(void);

/*
 * Ending a test. From the test's thread, in the test or in a fatal error handler: the thread ends. From another
 * k_thread: the test ends as well as the thread that calls. None of them returns, but in an emulated interrupt handler,
 * which they cannot end. In setup() and teardown() they end that function. The first verdict on a test holds, but a
 * test for which zexpect_...() failed has failed.
 */
void ztest_test_fail(void);
void ztest_test_pass(void);
void ztest_test_skip(void);
void ztest_skip_failed_assumption(void);

/** Mark the test failed, and go on. */
void ztest_test_expect_fail(void);

/** For the before and after functions of a suite whose tests want one processor. They do nothing. */
void ztest_simple_1cpu_before(void *data);
void ztest_simple_1cpu_after(void *data);

/* Where the prepare function of a suite comes from: see struct ztest_suite_node. */
void kmem_ztest_user_prepare(void);

extern struct k_mem_partition ztest_mem_partition;

#pragma GCC visibility pop

static inline void z_test_1cpu_start(void)
{
}

static inline void z_test_1cpu_stop(void)
{
}

#ifdef CONFIG_USERSPACE
#define KMEM_ZTEST_USER_OPTIONS K_USER
#define KMEM_ZTEST_PREPARE kmem_ztest_user_prepare
#define ZTEST_DMEM K_APP_DMEM(ztest_mem_partition)
#define ZTEST_BMEM K_APP_BMEM(ztest_mem_partition)
#else
#define KMEM_ZTEST_USER_OPTIONS 0
#define KMEM_ZTEST_PREPARE NULL
#define ZTEST_DMEM
#define ZTEST_BMEM
#endif

/*
 * One pointer in the section of its kind, which becomes an array when the program is linked. Not const, so that the
 * section has the same flags in every unit; kept by the compiler, and by the linker where it collects garbage.
 */
#if defined(__has_attribute)
#if __has_attribute(retain)
#define KMEM_ZTEST_RETAIN __attribute__((retain))
#endif
#endif
#ifndef KMEM_ZTEST_RETAIN
#define KMEM_ZTEST_RETAIN
#endif
#define KMEM_ZTEST_ENTRY(kind) __attribute__((used, section("kmem_ztest_" #kind))) KMEM_ZTEST_RETAIN

/* What the tests of this unit's suites run on; nothing in a unit without suites, if the compiler optimises. */
#ifndef CONFIG_ZTEST_STACK_SIZE
#define CONFIG_ZTEST_STACK_SIZE 4096
#endif
#ifndef CONFIG_ZTEST_THREAD_PRIORITY
#define CONFIG_ZTEST_THREAD_PRIORITY -1
#endif
__attribute__((unused)) static K_THREAD_STACK_DEFINE(kmem_ztest_stack, CONFIG_ZTEST_STACK_SIZE);

#define KMEM_ZTEST_STRING_(x) #x
#define KMEM_ZTEST_STRING(x) KMEM_ZTEST_STRING_(x)
#define KMEM_ZTEST_CAT_(a, b) a##b
#define KMEM_ZTEST_CAT(a, b) KMEM_ZTEST_CAT_(a, b)

#define ZTEST_SUITE(SUITE_NAME, PREDICATE, setup_fn, before_fn, after_fn, teardown_fn)                                 \
	static struct ztest_suite_stats KMEM_ZTEST_CAT(kmem_ztest_suite_stats_, SUITE_NAME);                           \
	static struct ztest_suite_node KMEM_ZTEST_CAT(kmem_ztest_suite_, SUITE_NAME) = {                               \
		KMEM_ZTEST_STRING(SUITE_NAME),                                                                         \
		setup_fn,                                                                                              \
		before_fn,                                                                                             \
		after_fn,                                                                                              \
		teardown_fn,                                                                                           \
		PREDICATE,                                                                                             \
		&KMEM_ZTEST_CAT(kmem_ztest_suite_stats_, SUITE_NAME),                                                  \
		KMEM_ZTEST_PREPARE,                                                                                    \
		kmem_ztest_stack,                                                                                      \
		K_THREAD_STACK_SIZEOF(kmem_ztest_stack),                                                               \
		CONFIG_ZTEST_THREAD_PRIORITY,                                                                          \
	};                                                                                                             \
	KMEM_ZTEST_ENTRY(suites)                                                                                       \
	static struct ztest_suite_node *KMEM_ZTEST_CAT(kmem_ztest_suite_entry_, SUITE_NAME) =                          \
		&KMEM_ZTEST_CAT(kmem_ztest_suite_, SUITE_NAME)

/* A test, up to its body: what the body takes, and how it is called with the data. */
#define KMEM_ZTEST_TEST(suite, fn, options, parameters, call)                                                          \
	static void suite##_##fn parameters;                                                                           \
	static void kmem_ztest_run_##suite##__##fn(void *kmem_ztest_data)                                              \
	{                                                                                                              \
		(void)kmem_ztest_data;                                                                                 \
		suite##_##fn call;                                                                                     \
	}                                                                                                              \
	static struct ztest_unit_test_stats kmem_ztest_stats_##suite##__##fn;                                          \
	static struct ztest_unit_test kmem_ztest_test_##suite##__##fn = {                                              \
		KMEM_ZTEST_STRING(suite),                                                                              \
		KMEM_ZTEST_STRING(fn),                                                                                 \
		kmem_ztest_run_##suite##__##fn,                                                                        \
		options,                                                                                               \
		&kmem_ztest_stats_##suite##__##fn,                                                                     \
	};                                                                                                             \
	KMEM_ZTEST_ENTRY(tests)                                                                                        \
	static struct ztest_unit_test *kmem_ztest_entry_##suite##__##fn = &kmem_ztest_test_##suite##__##fn;            \
	static void suite##_##fn parameters

#define Z_TEST(suite, fn, options) KMEM_ZTEST_TEST(suite, fn, options, (void), ())
#define Z_TEST_F(suite, fn, options)                                                                                   \
	KMEM_ZTEST_TEST(suite, fn, options, (struct suite##_fixture * fixture),                                        \
			((struct suite##_fixture *)kmem_ztest_data))
#define Z_TEST_P(suite, fn, options) KMEM_ZTEST_TEST(suite, fn, options, (void *data), (kmem_ztest_data))

/*
 * Tests. The body of ZTEST_F() has the suite's fixture as `struct <suite>_fixture *fixture`, that of ZTEST_P() the
 * parameter of the run, or else the suite's fixture, as `void *data`. Without CONFIG_USERSPACE the user forms are the
 * plain ones.
 */
#define ZTEST(suite, fn) Z_TEST(suite, fn, 0)
#define ZTEST_USER(suite, fn) Z_TEST(suite, fn, KMEM_ZTEST_USER_OPTIONS)
#define ZTEST_F(suite, fn) Z_TEST_F(suite, fn, 0)
#define ZTEST_USER_F(suite, fn) Z_TEST_F(suite, fn, KMEM_ZTEST_USER_OPTIONS)
#define ZTEST_P(suite, fn) Z_TEST_P(suite, fn, 0)
#define ZTEST_USER_P(suite, fn) Z_TEST_P(suite, fn, KMEM_ZTEST_USER_OPTIONS)

/* Functions that run around every test of the program, in the order of their names. */
#define ZTEST_RULE(name, before_each_fn, after_each_fn)                                                                \
	static struct ztest_test_rule KMEM_ZTEST_CAT(kmem_ztest_rule_, name) = {                                       \
		KMEM_ZTEST_STRING(name),                                                                               \
		before_each_fn,                                                                                        \
		after_each_fn,                                                                                         \
	};                                                                                                             \
	KMEM_ZTEST_ENTRY(rules)                                                                                        \
	static struct ztest_test_rule *KMEM_ZTEST_CAT(kmem_ztest_rule_entry_, name) =                                  \
		&KMEM_ZTEST_CAT(kmem_ztest_rule_, name)

/* A test that must fail, or must be skipped: then it counts as passed, and otherwise as failed. */
#define KMEM_ZTEST_EXPECT_RESULT(suite, fn, result)                                                                    \
	static struct ztest_expected_result_entry kmem_ztest_expected_##suite##__##fn = {                              \
		KMEM_ZTEST_STRING(suite),                                                                              \
		KMEM_ZTEST_STRING(fn),                                                                                 \
		result,                                                                                                \
	};                                                                                                             \
	KMEM_ZTEST_ENTRY(expected)                                                                                     \
	static struct ztest_expected_result_entry *kmem_ztest_expected_entry_##suite##__##fn =                         \
		&kmem_ztest_expected_##suite##__##fn
#define ZTEST_EXPECT_FAIL(suite, fn) KMEM_ZTEST_EXPECT_RESULT(suite, fn, ZTEST_EXPECTED_RESULT_FAIL)
#define ZTEST_EXPECT_SKIP(suite, fn) KMEM_ZTEST_EXPECT_RESULT(suite, fn, ZTEST_EXPECTED_RESULT_SKIP)

/* Skip the test if an option is set, or is not. */
#define Z_TEST_SKIP_IFDEF(config) COND_CODE_1(config, (ztest_test_skip()), ())
#define Z_TEST_SKIP_IFNDEF(config) COND_CODE_1(config, (), (ztest_test_skip()))

/* The shorter forms: chosen by the number of arguments. */
#define KMEM_ZTEST_SIXTH(a, b, c, d, e, macro, ...) macro
#define KMEM_ZTEST_ALL_4(state, shuffle, suite_iter, case_iter) (ztest_run_all)(state, shuffle, suite_iter, case_iter)
#define KMEM_ZTEST_ALL_1(state) (ztest_run_all)(state, false, 1, 1)
#define ztest_run_all(...)                                                                                             \
	KMEM_ZTEST_SIXTH(__VA_ARGS__, 0, KMEM_ZTEST_ALL_4, 0, 0, KMEM_ZTEST_ALL_1, 0)(__VA_ARGS__)
#define KMEM_ZTEST_SUITES_4(state, shuffle, suite_iter, case_iter)                                                     \
	(ztest_run_test_suites)(state, shuffle, suite_iter, case_iter)
#define KMEM_ZTEST_SUITES_1(state) (ztest_run_test_suites)(state, false, 1, 1)
#define ztest_run_test_suites(...)                                                                                     \
	KMEM_ZTEST_SIXTH(__VA_ARGS__, 0, KMEM_ZTEST_SUITES_4, 0, 0, KMEM_ZTEST_SUITES_1, 0)(__VA_ARGS__)
#define KMEM_ZTEST_SUITE_5(suite, shuffle, suite_iter, case_iter, param)                                               \
	z_ztest_run_test_suite(KMEM_ZTEST_STRING(suite), shuffle, suite_iter, case_iter, param)
#define KMEM_ZTEST_SUITE_4(suite, shuffle, suite_iter, case_iter)                                                      \
	KMEM_ZTEST_SUITE_5(suite, shuffle, suite_iter, case_iter, NULL)
#define KMEM_ZTEST_SUITE_1(suite) KMEM_ZTEST_SUITE_5(suite, false, 1, 1, NULL)
#define ztest_run_test_suite(...)                                                                                      \
	KMEM_ZTEST_SIXTH(__VA_ARGS__, KMEM_ZTEST_SUITE_5, KMEM_ZTEST_SUITE_4, 0, 0, KMEM_ZTEST_SUITE_1, 0)(__VA_ARGS__)

#ifdef __cplusplus
}
#endif

#endif /* ZEPHYR_TESTSUITE_ZTEST_TEST_H_ */
