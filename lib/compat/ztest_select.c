/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line of a test program: which tests run, for how long at most, and what reports they leave. (our own)
 */
#include "ztest_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zephyr/sys/printk.h>

#define STATUS_OK 0
#define STATUS_USAGE 2
#define STATUS_GO_ON (-1)
#define DEFAULT_LIMIT_S 60.0
#define MAX_LIMIT_S 1e9
#define NS_PER_S 1e9

static struct {
	bool is_filtered;
	bool has_limit;
	bool wants_list;
	bool wants_tap;
	const char *tap_path; /* NULL: the console */
	const char *junit_path;
	uint64_t limit_ns;
} options;

static const char usage[] =
	"usage: %s [option...]\n"
	"  -list                  print the tests, one suite::test a line, and end\n"
	"  -test=SUITE::TEST,...  run these tests only; SUITE::* is all of a suite; may be repeated\n"
	"  -timeout=SECONDS       how long a test may take (default: ZTEST_TIMEOUT of the environment, or 60; 0: any)\n"
	"  -tap, -tap=FILE        report in the Test Anything Protocol, on the console or to a file\n"
	"  -junit=FILE            report in JUnit's XML to a file\n"
	"  -h, --help             print this, and end\n"
	"Status: 0 if no test failed, 1 if one did or there was none to run, 2 if the arguments were wrong.\n";

static int refuse(const char *what, const char *which)
{
	dprintf(STDERR_FILENO, "ztest: %s: %s\n", what, which);
	return STATUS_USAGE;
}

/* Seconds, or parts of them. @return whether that is what the text is */
static bool seconds_parse(const char *text, uint64_t *ns)
{
	char *end;
	double seconds = strtod(text, &end);

	if (end == text || *end != '\0' || !(seconds >= 0.0) || seconds > MAX_LIMIT_S) {
		return false;
	}
	*ns = (uint64_t)(seconds * NS_PER_S);
	return true;
}

static int limit_set(const char *text, const char *what)
{
	if (!seconds_parse(text, &options.limit_ns)) {
		return refuse(what, text);
	}
	options.has_limit = true;
	return STATUS_GO_ON;
}

/* The environment's, or the default. */
static int limit_default(void)
{
	const char *text = getenv("ZTEST_TIMEOUT");

	if (options.has_limit) {
		return STATUS_GO_ON;
	}
	if (text != NULL && *text != '\0') {
		return limit_set(text, "ZTEST_TIMEOUT is no number of seconds");
	}
	options.limit_ns = (uint64_t)(DEFAULT_LIMIT_S * NS_PER_S);
	options.has_limit = true;
	return STATUS_GO_ON;
}

uint64_t kmem_ztest_limit_get(void)
{
	if (!options.has_limit && limit_default() == STATUS_USAGE) {
		options.limit_ns = (uint64_t)(DEFAULT_LIMIT_S * NS_PER_S);
		options.has_limit = true;
	}
	return options.limit_ns;
}

bool kmem_ztest_is_filtered(void)
{
	return options.is_filtered;
}

static void filter_begin(const struct kmem_ztest_program *program)
{
	if (options.is_filtered) {
		return;
	}
	options.is_filtered = true;
	for (size_t i = 0; i < program->test_count; i++) {
		program->tests[i]->stats->kmem_deselected = true;
	}
}

/* Select what one SUITE::TEST names. */
static int test_select(const char *name)
{
	const struct kmem_ztest_program *program = kmem_ztest_program_get();
	const char *separator = strstr(name, "::");

	if (separator == NULL) {
		return refuse("no SUITE::TEST", name);
	}

	size_t suite_length = (size_t)(separator - name);
	const char *test_name = separator + strlen("::");
	bool is_found = false;

	filter_begin(program);
	for (size_t i = 0; i < program->test_count; i++) {
		const struct ztest_unit_test *test = program->tests[i];

		if (strncmp(test->test_suite_name, name, suite_length) == 0 &&
		    test->test_suite_name[suite_length] == '\0' &&
		    (strcmp(test_name, "*") == 0 || strcmp(test_name, test->name) == 0)) {
			test->stats->kmem_deselected = false;
			is_found = true;
		}
	}
	return is_found ? STATUS_GO_ON : refuse("there is no such test", name);
}

/* Select what a list with commas names. */
static int tests_select(const char *list)
{
	char *copy = strdup(list);
	char *rest = NULL;
	int status = STATUS_GO_ON;
	bool is_empty = true;

	if (copy == NULL) {
		return refuse("no memory for", list);
	}
	for (char *name = strtok_r(copy, ", ", &rest); name != NULL && status == STATUS_GO_ON;
	     name = strtok_r(NULL, ", ", &rest)) {
		is_empty = false;
		status = test_select(name);
	}
	free(copy);
	return is_empty ? refuse("no SUITE::TEST", "-test=") : status;
}

static int list_print(void)
{
	const struct kmem_ztest_program *program = kmem_ztest_program_get();

	for (size_t i = 0; i < program->test_count; i++) {
		if (!program->tests[i]->stats->kmem_deselected) {
			printk("%s::%s\n", program->tests[i]->test_suite_name, program->tests[i]->name);
		}
	}
	return program->is_sound ? STATUS_OK : EXIT_FAILURE;
}

/* Open the reports, when all else is known to be right. */
static int reports_open(void)
{
	int error;

	if (options.wants_tap) {
		error = kmem_ztest_tap_open(options.tap_path);
		if (error != 0) {
			return refuse(strerror(-error), options.tap_path);
		}
	}
	if (options.junit_path != NULL) {
		error = kmem_ztest_junit_open(options.junit_path);
		if (error != 0) {
			return refuse(strerror(-error), options.junit_path);
		}
	}
	return STATUS_GO_ON;
}

static int path_take(const char **path, const char *value, const char *argument)
{
	if (*value == '\0') {
		return refuse("no file is named", argument);
	}
	*path = value;
	return STATUS_GO_ON;
}

/* The value of an option that is written name=value; else NULL. */
static const char *value_of(const char *argument, const char *name)
{
	size_t length = strlen(name);

	return strncmp(argument, name, length) == 0 && argument[length] == '=' ? argument + length + 1 : NULL;
}

static int option_take(const char *argument, const char *program_name)
{
	const char *option = argument + (argument[0] == '-') + (argument[0] == '-' && argument[1] == '-');
	const char *value;

	if (option == argument) {
		return refuse("unknown argument (-h prints what there is)", argument);
	}
	if (strcmp(option, "h") == 0 || strcmp(option, "help") == 0) {
		printk(usage, program_name);
		return STATUS_OK;
	}
	if (strcmp(option, "list") == 0) {
		options.wants_list = true;
		return STATUS_GO_ON;
	}
	if (strcmp(option, "tap") == 0) {
		options.wants_tap = true;
		return STATUS_GO_ON;
	}
	if ((value = value_of(option, "tap")) != NULL) {
		options.wants_tap = true;
		return path_take(&options.tap_path, value, argument);
	}
	if ((value = value_of(option, "junit")) != NULL) {
		return path_take(&options.junit_path, value, argument);
	}
	if ((value = value_of(option, "test")) != NULL) {
		return tests_select(value);
	}
	if ((value = value_of(option, "timeout")) != NULL) {
		return limit_set(value, "-timeout is no number of seconds");
	}
	return refuse("unknown option (-h prints what there is)", argument);
}

int kmem_ztest_options(int argc, char **argv)
{
	int status = STATUS_GO_ON;

	for (int i = 1; i < argc && status == STATUS_GO_ON; i++) {
		status = option_take(argv[i], argv[0]);
	}
	if (status == STATUS_GO_ON) {
		status = limit_default();
	}
	if (status != STATUS_GO_ON) {
		return status;
	}
	return options.wants_list ? list_print() : reports_open();
}
