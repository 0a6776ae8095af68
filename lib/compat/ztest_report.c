/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a run of tests leaves: Zephyr's lines on the console, TAP 13 on the console or in a file, JUnit's XML in a file.
 * (our own; the console's lines are those of Zephyr's ztest.c)
 *
 * TAP is written as the tests go, with its plan at the end; a process that dies leaves it without one. XML is written
 * at the end. Files go through stdio, the console never does.
 *
 * The last line on the console is `N passed, N failed, N skipped`. Each test counts once, however often it ran: failed,
 * if it ever did. A setup() of a suite without tests, or a teardown(), that failed counts as a failed test.
 */
#include "ztest_internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "console.h"

#define NS_PER_MS 1e6
#define NS_PER_S 1e9
#define FIRST_PRINTABLE 0x20
#define LAST_ASCII 0x7e

#define LINE "==================================================================="

static struct {
	FILE *tap;
	FILE *junit;
	bool tap_is_on_console;
	unsigned int tap_count;
	atomic_uint errors;
	atomic_flag has_ended;
} report = {.has_ended = ATOMIC_FLAG_INIT};

struct counts {
	unsigned int passed;
	unsigned int failed;
	unsigned int skipped;
	uint64_t ns;
};

const char *kmem_ztest_comment(void)
{
	return report.tap_is_on_console ? "# " : "";
}

void kmem_ztest_say(const char *fmt, ...)
{
	va_list arguments;

	va_start(arguments, fmt);
	kmem_console_vprint(kmem_ztest_comment(), "", fmt, arguments);
	va_end(arguments);
}

void kmem_ztest_report_error(void)
{
	atomic_fetch_add(&report.errors, 1);
}

/* The result of a test over all its runs. */
static int test_result(const struct ztest_unit_test *test)
{
	if (test->stats->fail_count != 0) {
		return TC_FAIL;
	}
	return test->stats->pass_count != 0 ? TC_PASS : TC_SKIP;
}

static const char *message_of(const struct ztest_unit_test *test)
{
	return test->stats->kmem_message != NULL ? test->stats->kmem_message : "";
}

static struct counts suite_count(const struct ztest_suite_node *suite)
{
	const struct kmem_ztest_program *program = kmem_ztest_program_get();
	struct counts counts = {.failed = suite->stats->kmem_failed_itself ? 1 : 0};

	for (size_t i = 0; i < program->test_count; i++) {
		const struct ztest_unit_test *test = program->tests[i];

		if (test->stats->run_count == 0 || !kmem_ztest_test_is_of(test, suite)) {
			continue;
		}
		counts.passed += test_result(test) == TC_PASS;
		counts.failed += test_result(test) == TC_FAIL;
		counts.skipped += test_result(test) == TC_SKIP;
		counts.ns += test->stats->kmem_duration_ns;
	}
	return counts;
}

static bool suite_has_run(const struct ztest_suite_node *suite)
{
	struct counts counts = suite_count(suite);

	return counts.passed + counts.failed + counts.skipped != 0;
}

/* TAP. */

static void tap_print(const char *fmt, ...)
{
	va_list arguments;

	va_start(arguments, fmt);
	if (report.tap_is_on_console) {
		va_list again;

		va_copy(again, arguments);
		kmem_console_vprint("", "", fmt, again);
		va_end(again);
	}
	if (report.tap != NULL) {
		vfprintf(report.tap, fmt, arguments);
		fflush(report.tap);
	}
	va_end(arguments);
}

/* A string for a YAML document in double quotes, cut where it gets too long. */
static void quote(char *to, size_t size, const char *from)
{
	size_t used = 0;

	for (; *from != '\0' && used + 3 < size; from++) {
		if (*from == '"' || *from == '\\') {
			to[used++] = '\\';
			to[used++] = *from;
		} else if (*from == '\n') {
			to[used++] = '\\';
			to[used++] = 'n';
		} else {
			to[used++] = (unsigned char)*from < FIRST_PRINTABLE ? ' ' : *from;
		}
	}
	to[used] = '\0';
}

static void tap_diagnose(const char *message, double ms)
{
	char quoted[2 * KMEM_ZTEST_MESSAGE_SIZE];

	quote(quoted, sizeof(quoted), message);
	tap_print("  ---\n  message: \"%s\"\n  duration_ms: %.3f\n  ...\n", quoted, ms);
}

static void tap_test(const struct ztest_unit_test *test, int result)
{
	const char *ok = result == TC_FAIL ? "not ok" : "ok";

	tap_print("%s %u - %s::%s%s\n", ok, ++report.tap_count, test->test_suite_name, test->name,
		  result == TC_SKIP ? " # SKIP" : "");
	if (result == TC_FAIL || *message_of(test) != '\0') {
		tap_diagnose(message_of(test), (double)test->stats->kmem_duration_ns / NS_PER_MS);
	}
}

int kmem_ztest_tap_open(const char *path)
{
	if (path == NULL) {
		report.tap_is_on_console = true;
	} else {
		report.tap = fopen(path, "we");
		if (report.tap == NULL) {
			return -errno;
		}
	}
	return 0;
}

static void tap_begin(void)
{
	static bool has_begun;

	if (!has_begun) {
		has_begun = true;
		tap_print("TAP version 13\n");
	}
}

static void tap_end(const char *bail_out_reason)
{
	tap_begin();
	if (bail_out_reason != NULL) {
		tap_print("Bail out! %s\n", bail_out_reason);
	} else {
		tap_print("1..%u\n", report.tap_count);
	}
}

/* JUnit. */

int kmem_ztest_junit_open(const char *path)
{
	report.junit = fopen(path, "we");
	return report.junit != NULL ? 0 : -errno;
}

/* The length of the UTF-8 sequence at @p text; 0 if there is none. */
static size_t utf8_length(const unsigned char *text)
{
	static const struct {
		unsigned char mask, lead, min, max; /* of the second byte */
		size_t length;
	} kinds[] = {
		{0xff, 0xe0, 0xa0, 0xbf, 3}, {0xff, 0xed, 0x80, 0x9f, 3}, {0xff, 0xf0, 0x90, 0xbf, 4},
		{0xff, 0xf4, 0x80, 0x8f, 4}, {0xf0, 0xe0, 0x80, 0xbf, 3}, {0xfc, 0xf0, 0x80, 0xbf, 4},
		{0xe0, 0xc0, 0x80, 0xbf, 2},
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if ((text[0] & kinds[i].mask) != kinds[i].lead) {
			continue;
		}
		if (text[0] < 0xc2 || text[1] < kinds[i].min || text[1] > kinds[i].max) {
			return 0;
		}
		for (size_t j = 2; j < kinds[i].length; j++) {
			if ((text[j] & 0xc0) != 0x80) {
				return 0;
			}
		}
		return kinds[i].length;
	}
	return 0;
}

/* Text of an attribute. What XML cannot hold becomes a question mark. */
static void junit_text(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;

	while (*at != '\0') {
		size_t length = *at > LAST_ASCII ? utf8_length(at) : 1;

		if (*at == '<') {
			fputs("&lt;", report.junit);
		} else if (*at == '>') {
			fputs("&gt;", report.junit);
		} else if (*at == '&') {
			fputs("&amp;", report.junit);
		} else if (*at == '"') {
			fputs("&quot;", report.junit);
		} else if (*at == '\n') {
			fputs("&#10;", report.junit);
		} else if (length == 0 || *at < FIRST_PRINTABLE) {
			fputc('?', report.junit);
			length = 1;
		} else {
			fwrite(at, 1, length, report.junit);
		}
		at += length;
	}
}

static void junit_attribute(const char *name, const char *text)
{
	fprintf(report.junit, " %s=\"", name);
	junit_text(text);
	fputc('"', report.junit);
}

static void junit_counts(struct counts counts)
{
	fprintf(report.junit, " tests=\"%u\" failures=\"%u\" errors=\"0\" skipped=\"%u\" time=\"%.6f\">\n",
		counts.passed + counts.failed + counts.skipped, counts.failed, counts.skipped,
		(double)counts.ns / NS_PER_S);
}

static void junit_case(const char *suite, const char *name, int result, uint64_t ns, const char *message)
{
	fputs("\t\t<testcase", report.junit);
	junit_attribute("classname", suite);
	junit_attribute("name", name);
	fprintf(report.junit, " time=\"%.6f\"", (double)ns / NS_PER_S);
	if (result == TC_PASS) {
		fputs("/>\n", report.junit);
		return;
	}
	fprintf(report.junit, ">\n\t\t\t<%s", result == TC_FAIL ? "failure" : "skipped");
	if (*message != '\0') {
		junit_attribute("message", message);
	}
	fputs("/>\n\t\t</testcase>\n", report.junit);
}

static void junit_suite(const struct ztest_suite_node *suite)
{
	const struct kmem_ztest_program *program = kmem_ztest_program_get();

	fputs("\t<testsuite", report.junit);
	junit_attribute("name", suite->name);
	junit_counts(suite_count(suite));
	for (size_t i = 0; i < program->test_count; i++) {
		const struct ztest_unit_test *test = program->tests[i];

		if (test->stats->run_count != 0 && kmem_ztest_test_is_of(test, suite)) {
			junit_case(suite->name, test->name, test_result(test), test->stats->kmem_duration_ns,
				   message_of(test));
		}
	}
	if (suite->stats->kmem_failed_itself) {
		junit_case(suite->name, "(suite)", TC_FAIL, 0,
			   suite->stats->kmem_message != NULL ? suite->stats->kmem_message : "");
	}
	fputs("\t</testsuite>\n", report.junit);
}

static void junit_write(struct counts total)
{
	const struct kmem_ztest_program *program = kmem_ztest_program_get();

	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites", report.junit);
	junit_counts(total);
	for (size_t i = 0; i < program->suite_count; i++) {
		if (suite_has_run(program->suites[i])) {
			junit_suite(program->suites[i]);
		}
	}
	fputs("</testsuites>\n", report.junit);
}

/* Files. */

static void file_close(FILE **file, const char *what)
{
	if (*file == NULL) {
		return;
	}

	bool has_failed = ferror(*file) != 0;

	if (fclose(*file) != 0 || has_failed) {
		kmem_ztest_say("ztest: the %s report could not be written\n", what);
		kmem_ztest_report_error();
	}
	*file = NULL;
}

/* What the program printed by stdio comes before the summary, unless an aborted thread keeps it. */
static void stdout_flush(void)
{
	if (ftrylockfile(stdout) == 0) {
		fflush(stdout);
		funlockfile(stdout);
	}
}

/* The lines of the console. */

void kmem_ztest_report_suite_start(const struct ztest_suite_node *suite)
{
	tap_begin();
	kmem_ztest_say("Running TESTSUITE %s\n", suite->name);
	kmem_ztest_say(LINE "\n");
}

void kmem_ztest_report_suite_end(const struct ztest_suite_node *suite, int result)
{
	static const char *const ends[] = {
		[TC_PASS] = "succeeded",
		[TC_FAIL] = "failed",
		[TC_SKIP] = "skipped",
	};

	kmem_ztest_say("TESTSUITE %s %s\n", suite->name, ends[result]);
}

void kmem_ztest_report_suite_failure(const struct ztest_suite_node *suite)
{
	kmem_ztest_say("suite %s: %s\n", suite->name, suite->stats->kmem_message);
	tap_begin();
	tap_print("not ok %u - %s::(suite)\n", ++report.tap_count, suite->name);
	tap_diagnose(suite->stats->kmem_message, 0.0);
}

void kmem_ztest_report_test_start(const struct ztest_unit_test *test)
{
	kmem_ztest_say("START - %s\n", test->name);
}

void kmem_ztest_report_test_end(const struct ztest_unit_test *test, int result, const char *remark)
{
	kmem_ztest_say(" %s - %s in %.3f seconds%s%s%s\n", kmem_tc_result_name(result), test->name,
		       (double)test->stats->kmem_duration_ns / NS_PER_S, remark != NULL ? " (" : "",
		       remark != NULL ? remark : "", remark != NULL ? ")" : "");
	kmem_ztest_say(LINE "\n");
	tap_test(test, result);
}

static void summary_of_suite(const struct ztest_suite_node *suite, struct counts counts)
{
	const struct kmem_ztest_program *program = kmem_ztest_program_get();
	const char *result = counts.failed != 0 ? FAIL : (counts.passed != 0 ? PASS : SKIP);

	kmem_ztest_say("SUITE %s - [%s]: %u passed, %u failed, %u skipped in %.3f seconds\n", result, suite->name,
		       counts.passed, counts.failed, counts.skipped, (double)counts.ns / NS_PER_S);
	for (size_t i = 0; i < program->test_count; i++) {
		const struct ztest_unit_test *test = program->tests[i];

		if (test->stats->run_count != 0 && kmem_ztest_test_is_of(test, suite) && test_result(test) != TC_PASS) {
			kmem_ztest_say(" - %s - [%s::%s]%s%s\n", kmem_tc_result_name(test_result(test)), suite->name,
				       test->name, *message_of(test) != '\0' ? " " : "", message_of(test));
		}
	}
	if (suite->stats->kmem_failed_itself) {
		kmem_ztest_say(" - %s - [%s] %s\n", FAIL, suite->name, suite->stats->kmem_message);
	}
}

static struct counts summary(void)
{
	const struct kmem_ztest_program *program = kmem_ztest_program_get();
	struct counts total = {0};

	kmem_ztest_say("\n");
	kmem_ztest_say("------ TESTSUITE SUMMARY START ------\n");
	for (size_t i = 0; i < program->suite_count; i++) {
		struct counts counts = suite_count(program->suites[i]);

		if (counts.passed + counts.failed + counts.skipped != 0) {
			summary_of_suite(program->suites[i], counts);
		}
		total.passed += counts.passed;
		total.failed += counts.failed;
		total.skipped += counts.skipped;
		total.ns += counts.ns;
	}
	kmem_ztest_say("------ TESTSUITE SUMMARY END ------\n");
	kmem_ztest_say("\n");
	return total;
}

int kmem_ztest_report_end(const char *bail_out_reason)
{
	if (atomic_flag_test_and_set(&report.has_ended)) {
		return EXIT_FAILURE;
	}
	stdout_flush();
	tap_end(bail_out_reason);

	struct counts total = summary();

	if (report.junit != NULL) {
		junit_write(total);
	}
	file_close(&report.tap, "TAP");
	file_close(&report.junit, "JUnit");
	if (total.passed + total.failed + total.skipped == 0 && bail_out_reason == NULL) {
		kmem_ztest_say("ztest: no test has run\n");
		kmem_ztest_report_error();
	}
	if (bail_out_reason != NULL) {
		kmem_ztest_say("ztest: ended early: %s\n", bail_out_reason);
	}

	bool has_failed = total.failed != 0 || atomic_load(&report.errors) != 0;

	kmem_ztest_say(LINE "\n");
	kmem_ztest_say("PROJECT EXECUTION %s\n", has_failed ? "FAILED" : "SUCCESSFUL");
	kmem_ztest_say("%u passed, %u failed, %u skipped\n", total.passed, total.failed, total.skipped);
	return has_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

int kmem_ztest_report(void)
{
	int status = kmem_ztest_report_end(NULL);

	kmem_ztest_watchdog_stop();
	return status;
}
