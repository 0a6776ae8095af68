/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The runner of ztest. (Zephyr: ztest.c)
 *
 * A test runs on thread, one object for all tests, so that what is counted by thread object goes on from test to test.
 * The runner waits for its end by joining it in short turns: between them it sees whether another thread has ended the
 * test, and whether the time is up. A test that ended early has its after functions run on a new thread in the object.
 */
#include "ztest_internal.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <kmem/irq.h>

#define TURN_MS 5
#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S UINT64_C(1000000000)

/* How long an abort may take, and by how much the watchdog leaves the runner the first word. */
#define ABORT_NS NS_PER_S

static struct k_thread thread;

/* The run of a test: written before its thread starts. */
static struct {
	const struct ztest_suite_node *suite;
	const struct ztest_unit_test *test;
	void *data;
	uint64_t started;
} run;

/* The test that runs, or the suite whose setup or teardown does, for who ends the process early. */
static _Atomic(const struct ztest_unit_test *) running_test;
static _Atomic(const struct ztest_suite_node *) called_suite;
static atomic_bool is_running;
static pid_t runner_process;
static uint64_t random_state;

struct k_thread *kmem_ztest_thread_get(void)
{
	return &thread;
}

/* The end of the process before the end of the tests. */

static void text_replace(char **text, const char *by)
{
	free(*text);
	*text = by != NULL ? strdup(by) : NULL;
}

void kmem_ztest_bail_out(const char *reason)
{
	const struct ztest_unit_test *test = atomic_exchange(&running_test, NULL);

	atomic_store(&is_running, false);

	/* No malloc() here: the thread that is stuck may be in it. */
	static char text[KMEM_ZTEST_MESSAGE_SIZE];
	const struct ztest_suite_node *suite = atomic_exchange(&called_suite, NULL);

	snprintk(text, sizeof(text), "%s", reason);
	if (test != NULL) {
		test->stats->run_count++;
		test->stats->fail_count++;
		test->stats->kmem_duration_ns = kmem_ztest_now() - run.started;
		test->stats->kmem_message = text;
		kmem_ztest_report_test_end(test, TC_FAIL, NULL);
	} else if (suite != NULL && !suite->stats->kmem_failed_itself) {
		suite->stats->kmem_failed_itself = true;
		suite->stats->kmem_message = text;
		kmem_ztest_report_suite_failure(suite);
	}
	kmem_ztest_report_error();
	kmem_ztest_report_end(reason);
	_exit(EXIT_FAILURE);
}

/* The watchdog's last word. */
static void watchdog_expired(void)
{
	static char reason[KMEM_ZTEST_MESSAGE_SIZE];
	const struct ztest_unit_test *test = atomic_load(&running_test);
	const struct ztest_suite_node *suite = atomic_load(&called_suite);
	double seconds = (double)kmem_ztest_limit_get() / NS_PER_S;

	if (test == NULL) {
		snprintk(reason, sizeof(reason), "%s() of suite %s took more than %g seconds",
			 kmem_ztest_phase_get() == TEST_PHASE_TEARDOWN ? "teardown" : "setup",
			 suite != NULL ? suite->name : "?", seconds);
	} else if (kmem_ztest_verdict_text() != NULL) {
		snprintk(reason, sizeof(reason), "%s::%s: %s; its thread could not be aborted within a second",
			 test->test_suite_name, test->name, kmem_ztest_verdict_text());
	} else {
		snprintk(reason, sizeof(reason), "%s::%s timed out after %g seconds; its thread could not be aborted",
			 test->test_suite_name, test->name, seconds);
	}
	kmem_ztest_bail_out(reason);
}

/* Somebody called exit() in a test: without this a test program would succeed by it. */
static void exit_check(void)
{
	if (getpid() == runner_process && atomic_load(&is_running)) {
		kmem_ztest_bail_out("the process ended itself during the tests");
	}
}

static void run_begin(void)
{
	static bool is_registered;

	if (!is_registered) {
		is_registered = true;
		atexit(exit_check);
	}
	runner_process = getpid();
	atomic_store(&is_running, true);
}

static void run_end(void)
{
	atomic_store(&is_running, false);
	kmem_ztest_phase_set(TEST_PHASE_FRAMEWORK);
}

static void watchdog_start(uint64_t more)
{
	uint64_t limit = kmem_ztest_limit_get();

	if (limit != 0) {
		kmem_ztest_watchdog_arm(limit + more, watchdog_expired);
	}
}

/* On the test's thread. */

static void user_options_change(uint32_t set, uint32_t clear)
{
	unsigned int key = arch_irq_lock();

	thread.base.user_options = (thread.base.user_options | set) & ~clear;
	arch_irq_unlock(key);
}

static void after_run(void)
{
	const struct kmem_ztest_program *program = kmem_ztest_program_get();

	if (run.suite->after != NULL) {
		run.suite->after(run.data);
	}
	for (size_t i = 0; i < program->rule_count; i++) {
		if (program->rules[i]->after_each != NULL) {
			program->rules[i]->after_each(run.test, run.data);
		}
	}
}

static void test_entry(void *p1, void *p2, void *p3)
{
	const struct kmem_ztest_program *program = kmem_ztest_program_get();

	ARG_UNUSED(p1);
	ARG_UNUSED(p2);
	ARG_UNUSED(p3);
	for (size_t i = 0; i < program->rule_count; i++) {
		if (program->rules[i]->before_each != NULL) {
			program->rules[i]->before_each(run.test, run.data);
		}
	}
	if (run.suite->before != NULL) {
		run.suite->before(run.data);
	}
	if (!kmem_ztest_phase_change(TEST_PHASE_BEFORE, TEST_PHASE_TEST)) {
		return;
	}
	user_options_change(run.test->thread_options, 0);
	run.test->test(run.data);
	user_options_change(0, run.test->thread_options);
	kmem_ztest_verdict_give(KMEM_ZTEST_PASS, NULL);
	if (kmem_ztest_phase_change(TEST_PHASE_TEST, TEST_PHASE_AFTER)) {
		after_run();
	}
}

static void after_entry(void *p1, void *p2, void *p3)
{
	ARG_UNUSED(p1);
	ARG_UNUSED(p2);
	ARG_UNUSED(p3);
	after_run();
}

/* On the runner's thread. */

static void thread_abort(void)
{
	kmem_ztest_watchdog_arm(ABORT_NS, watchdog_expired);
	k_thread_abort(&thread);
}

/* Keep the test's thread from going on to the after functions. @return false if it is there, or beyond */
static bool test_stop(void)
{
	return kmem_ztest_phase_change(TEST_PHASE_BEFORE, KMEM_ZTEST_PHASE_ABORT) ||
	       kmem_ztest_phase_change(TEST_PHASE_TEST, KMEM_ZTEST_PHASE_ABORT);
}

static void time_out(void)
{
	char text[KMEM_ZTEST_MESSAGE_SIZE];

	snprintk(text, sizeof(text), "timed out after %g seconds", (double)kmem_ztest_limit_get() / NS_PER_S);
	kmem_ztest_say("%s::%s %s\n", run.test->test_suite_name, run.test->name, text);
	kmem_ztest_verdict_give(KMEM_ZTEST_FAIL, text);
	(void)test_stop();
}

/* Run a function on the test's thread until that has ended. */
static void thread_run(k_thread_entry_t entry)
{
	uint64_t limit = kmem_ztest_limit_get();
	uint64_t deadline = limit != 0 ? kmem_ztest_now() + limit : UINT64_MAX;

	watchdog_start(ABORT_NS);
	k_thread_create(&thread, run.suite->kmem_stack, run.suite->kmem_stack_size, entry, NULL, NULL, NULL,
			run.suite->kmem_priority, K_INHERIT_PERMS, K_FOREVER);
	k_thread_name_set(&thread, run.test->name);
	k_thread_start(&thread);
	while (k_thread_join(&thread, K_MSEC(TURN_MS)) != 0) {
		bool is_late = kmem_ztest_now() >= deadline;

		if (is_late) {
			time_out();
		}
		if (is_late || (kmem_ztest_abort_is_wanted() && test_stop())) {
			thread_abort();
		}
	}
	kmem_ztest_watchdog_disarm();
}

/* The result of the test that has run, with what was expected of it. */
static int result_get(const struct ztest_unit_test *test, const char **remark)
{
	static const int results[] = {
		[KMEM_ZTEST_NONE] = TC_PASS,
		[KMEM_ZTEST_PASS] = TC_PASS,
		[KMEM_ZTEST_FAIL] = TC_FAIL,
		[KMEM_ZTEST_SKIP] = TC_SKIP,
	};
	int result = results[kmem_ztest_verdict_get()];
	const struct ztest_expected_result_entry *expected = kmem_ztest_expected_find(test);

	if (expected == NULL) {
		return result;
	}
	if (expected->expected_result == ZTEST_EXPECTED_RESULT_FAIL) {
		*remark = result == TC_FAIL ? "failed, as it should" : "should have failed";
		return result == TC_FAIL ? TC_PASS : TC_FAIL;
	}
	*remark = result == TC_SKIP ? "was skipped, as it should be" : "should have been skipped";
	return result == TC_SKIP ? TC_PASS : TC_FAIL;
}

static void stats_update(const struct ztest_unit_test *test, int result, uint64_t ns, const char *text)
{
	struct ztest_unit_test_stats *stats = test->stats;

	stats->run_count++;
	stats->pass_count += result == TC_PASS;
	stats->fail_count += result == TC_FAIL;
	stats->skip_count += result == TC_SKIP;
	stats->kmem_duration_ns = ns;
	if (ns / NS_PER_MS > stats->duration_worst_ms) {
		stats->duration_worst_ms = (uint32_t)(ns / NS_PER_MS);
	}
	if (result != TC_PASS) {
		text_replace(&stats->kmem_message, text);
	}
}

static int test_run(const struct ztest_suite_node *suite, const struct ztest_unit_test *test, void *data)
{
	const char *remark = NULL;

	run.suite = suite;
	run.test = test;
	run.data = data;
	run.started = kmem_ztest_now();
	kmem_ztest_verdict_reset();
	kmem_ztest_report_test_start(test);
	atomic_store(&running_test, test);
	kmem_ztest_phase_set(TEST_PHASE_BEFORE);
	thread_run(test_entry);
	if (kmem_ztest_verdict_get() == KMEM_ZTEST_NONE && thread.kmem_has_faulted && !kmem_ztest_fault_was_valid()) {
		kmem_ztest_verdict_give(KMEM_ZTEST_FAIL, "a fatal error ended the test's thread");
	}
	if (kmem_ztest_phase_get() != TEST_PHASE_AFTER) {
		kmem_ztest_phase_set(TEST_PHASE_AFTER);
		thread_run(after_entry);
	}
	kmem_ztest_phase_set(TEST_PHASE_FRAMEWORK);
	atomic_store(&running_test, NULL);

	int result = result_get(test, &remark);
	const char *text = kmem_ztest_verdict_text();

	stats_update(test, result, kmem_ztest_now() - run.started, text != NULL ? text : remark);
	kmem_ztest_report_test_end(test, result, remark);
	return result;
}

/* A test that is not run, since its suite was not set up. */
static int test_pass_over(const struct ztest_unit_test *test, int result)
{
	char text[KMEM_ZTEST_MESSAGE_SIZE];
	const char *reason = kmem_ztest_verdict_text();

	snprintk(text, sizeof(text), "setup() of the suite %s%s%s", result == TC_FAIL ? "failed" : "skipped it",
		 reason != NULL ? ": " : "", reason != NULL ? reason : "");
	kmem_ztest_report_test_start(test);
	stats_update(test, result, 0, text);
	kmem_ztest_report_test_end(test, result, NULL);
	return result;
}

/* Calls of the program's functions on the runner's thread. */

struct setup_call {
	const struct ztest_suite_node *suite;
	void *data;
};

static void setup_call(void *argument)
{
	struct setup_call *call = argument;

	call->data = call->suite->setup();
}

static void teardown_call(void *argument)
{
	struct setup_call *call = argument;

	call->suite->teardown(call->data);
}

struct predicate_call {
	const struct ztest_suite_node *suite;
	const void *state;
	bool answer;
};

static void predicate_call(void *argument)
{
	struct predicate_call *call = argument;

	call->answer = call->suite->predicate(call->state);
}

/* Call one of them with a verdict of its own. @return TC_PASS, TC_FAIL or TC_SKIP */
static int guarded_call(const struct ztest_suite_node *suite, enum ztest_phase phase, void (*function)(void *),
			void *argument)
{
	kmem_ztest_verdict_reset();
	atomic_store(&called_suite, suite);
	kmem_ztest_phase_set(phase);
	watchdog_start(0);

	bool has_returned = kmem_ztest_call(function, argument);

	kmem_ztest_watchdog_disarm();
	atomic_store(&called_suite, NULL);
	kmem_ztest_phase_set(TEST_PHASE_FRAMEWORK);
	switch (kmem_ztest_verdict_get()) {
	case KMEM_ZTEST_FAIL:
		return TC_FAIL;
	case KMEM_ZTEST_SKIP:
		return TC_SKIP;
	default:
		return has_returned || phase == TEST_PHASE_TEARDOWN ? TC_PASS : TC_FAIL;
	}
}

static int setup_run(const struct ztest_suite_node *suite, void **data)
{
	struct setup_call call = {.suite = suite};

	if (suite->setup == NULL) {
		return TC_PASS;
	}

	int result = guarded_call(suite, TEST_PHASE_SETUP, setup_call, &call);

	*data = call.data;
	return result;
}

static int teardown_run(const struct ztest_suite_node *suite, void *data)
{
	struct setup_call call = {.suite = suite, .data = data};

	if (suite->teardown == NULL) {
		return TC_PASS;
	}
	return guarded_call(suite, TEST_PHASE_TEARDOWN, teardown_call, &call) == TC_FAIL ? TC_FAIL : TC_PASS;
}

/* A failure that no test stands for. */
static void suite_failed_itself(const struct ztest_suite_node *suite, const char *function)
{
	char text[KMEM_ZTEST_MESSAGE_SIZE];
	const char *reason = kmem_ztest_verdict_text();

	snprintk(text, sizeof(text), "%s() failed%s%s", function, reason != NULL ? ": " : "",
		 reason != NULL ? reason : "");
	text_replace(&suite->stats->kmem_message, text);
	if (!suite->stats->kmem_failed_itself) {
		suite->stats->kmem_failed_itself = true;
		kmem_ztest_report_suite_failure(suite);
	}
}

static uint64_t random_next(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static void random_begin(void)
{
	const char *seed = getenv("KMEM_SEED");

	random_state = seed != NULL ? strtoull(seed, NULL, 0) : kmem_ztest_now();
	random_state |= random_state == 0;
	kmem_ztest_say("ztest: shuffled; KMEM_SEED=%llu gives this order again\n", (unsigned long long)random_state);
}

static void shuffle_pointers(void **pointers, size_t count)
{
	for (size_t i = count; i > 1; i--) {
		size_t j = (size_t)(random_next() % i);
		void *swapped = pointers[i - 1];

		pointers[i - 1] = pointers[j];
		pointers[j] = swapped;
	}
}

/* The selected tests of a suite, in the order in which they run. @return an array to free, NULL if there are none */
static struct ztest_unit_test **tests_of(const struct ztest_suite_node *suite, bool shuffle, size_t *count)
{
	const struct kmem_ztest_program *program = kmem_ztest_program_get();
	struct ztest_unit_test **tests = malloc((program->test_count + 1) * sizeof(struct ztest_unit_test *));

	*count = 0;
	if (tests == NULL) {
		kmem_ztest_bail_out("no memory for the list of tests");
	}
	for (size_t i = 0; i < program->test_count; i++) {
		struct ztest_unit_test *test = program->tests[i];

		if (kmem_ztest_test_is_of(test, suite) && !test->stats->kmem_deselected) {
			tests[(*count)++] = test;
		}
	}
	if (shuffle) {
		shuffle_pointers((void **)tests, *count);
	}
	return tests;
}

static int worse(int a, int b)
{
	if (a == TC_FAIL || b == TC_FAIL) {
		return TC_FAIL;
	}
	return a == TC_PASS || b == TC_PASS ? TC_PASS : TC_SKIP;
}

static int tests_run(const struct ztest_suite_node *suite, bool shuffle, int case_iter, int setup, void *data)
{
	size_t count;
	struct ztest_unit_test **tests = tests_of(suite, shuffle, &count);
	int result = count != 0 ? TC_SKIP : setup;

	for (size_t i = 0; i < count; i++) {
		for (int turn = 0; turn < (case_iter > 1 ? case_iter : 1); turn++) {
			result = worse(result, setup == TC_PASS ? test_run(suite, tests[i], data)
								: test_pass_over(tests[i], setup));
		}
	}
	free(tests);
	if (count == 0 && setup == TC_FAIL) {
		suite_failed_itself(suite, "setup");
	}
	return result;
}

static bool suite_is_selected(const struct ztest_suite_node *suite)
{
	const struct kmem_ztest_program *program = kmem_ztest_program_get();

	if (!kmem_ztest_is_filtered()) {
		return true;
	}
	for (size_t i = 0; i < program->test_count; i++) {
		if (kmem_ztest_test_is_of(program->tests[i], suite) && !program->tests[i]->stats->kmem_deselected) {
			return true;
		}
	}
	return false;
}

static int suite_run(const struct ztest_suite_node *suite, bool shuffle, int case_iter, void *param)
{
	void *data = NULL;

	kmem_ztest_report_suite_start(suite);

	int setup = setup_run(suite, &data);
	int result = tests_run(suite, shuffle, case_iter, setup, param != NULL ? param : data);

	if (setup == TC_PASS && teardown_run(suite, data) != TC_PASS) {
		suite_failed_itself(suite, "teardown");
		result = TC_FAIL;
	}
	suite->stats->run_count++;
	suite->stats->fail_count += result == TC_FAIL;
	suite->stats->skip_count += result == TC_SKIP;
	kmem_ztest_report_suite_end(suite, result);
	return result;
}

static int suite_repeat(const struct ztest_suite_node *suite, bool shuffle, int suite_iter, int case_iter, void *param)
{
	int result = TC_SKIP;

	for (int turn = 0; turn < (suite_iter > 1 ? suite_iter : 1); turn++) {
		result = worse(result, suite_run(suite, shuffle, case_iter, param));
	}
	return result;
}

static bool predicate_asks(const struct ztest_suite_node *suite, const void *state)
{
	struct predicate_call call = {.suite = suite, .state = state};

	if (suite->predicate == NULL) {
		return true;
	}
	if (guarded_call(suite, TEST_PHASE_SETUP, predicate_call, &call) != TC_PASS) {
		suite_failed_itself(suite, "predicate");
		return false;
	}
	return call.answer;
}

/* What the suites of the program want done first: CONFIG_USERSPACE has the test partition in the default domain. */
static void prepare(void)
{
	const struct kmem_ztest_program *program = kmem_ztest_program_get();
	static bool is_done;

	for (size_t i = 0; i < program->suite_count && !is_done; i++) {
		if (program->suites[i]->kmem_prepare != NULL) {
			is_done = true;
			program->suites[i]->kmem_prepare();
		}
	}
}

int(ztest_run_test_suites)(const void *state, bool shuffle, int suite_iter, int case_iter)
{
	const struct kmem_ztest_program *program = kmem_ztest_program_get();
	int first_runs = 0;

	kmem_ztest_program_get();
	prepare();

	struct ztest_suite_node **order = kmem_ztest_sorted(program->suites, program->suite_count,
							    kmem_ztest_suite_compare);

	if (shuffle) {
		random_begin();
		shuffle_pointers((void **)order, program->suite_count);
	}
	run_begin();
	for (size_t i = 0; i < program->suite_count; i++) {
		struct ztest_suite_node *suite = order[i];

		if (suite_is_selected(suite) && predicate_asks(suite, state)) {
			first_runs += suite->stats->run_count == 0;
			suite_repeat(suite, shuffle, suite_iter, case_iter, NULL);
		}
	}
	run_end();
	free(order);
	return first_runs;
}

void(ztest_run_all)(const void *state, bool shuffle, int suite_iter, int case_iter)
{
	(ztest_run_test_suites)(state, shuffle, suite_iter, case_iter);
}

int z_ztest_run_test_suite(const char *name, bool shuffle, int suite_iter, int case_iter, void *param)
{
	kmem_ztest_program_get();
	prepare();

	const struct ztest_suite_node *suite = kmem_ztest_suite_find(name);

	if (suite == NULL) {
		kmem_ztest_say("ztest: there is no suite %s\n", name);
		kmem_ztest_report_error();
		return TC_FAIL;
	}
	if (!suite_is_selected(suite)) {
		return TC_SKIP;
	}
	if (shuffle) {
		random_begin();
	}
	run_begin();

	int result = suite_repeat(suite, shuffle, suite_iter, case_iter, param);

	run_end();
	return result;
}

void ztest_verify_all_test_suites_ran(void)
{
	const struct kmem_ztest_program *program = kmem_ztest_program_get();

	kmem_ztest_program_get();
	for (size_t i = 0; i < program->suite_count; i++) {
		const struct ztest_suite_node *suite = program->suites[i];

		if (suite->stats->run_count == 0 && suite_is_selected(suite)) {
			kmem_ztest_say("ztest: suite %s did not run\n", suite->name);
			kmem_ztest_report_error();
		}
	}
}
