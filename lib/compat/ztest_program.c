/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the program's sections hold: suites, tests and rules, in order.
 */
#include "ztest_internal.h"

#include <stdlib.h>
#include <string.h>

/* The program's sections: absent ones are empty. */
#define SECTION(type, name)                                                                                            \
	extern type *__start_##name[] __attribute__((weak, visibility("hidden")));                                     \
	extern type *__stop_##name[] __attribute__((weak, visibility("hidden")))
SECTION(struct ztest_suite_node, kmem_ztest_suites);
SECTION(struct ztest_unit_test, kmem_ztest_tests);
SECTION(struct ztest_test_rule, kmem_ztest_rules);
SECTION(struct ztest_expected_result_entry, kmem_ztest_expected);
#define SECTION_COUNT(name) ((size_t)(((uintptr_t)__stop_##name - (uintptr_t)__start_##name) / sizeof(void *)))

static struct kmem_ztest_program program;

int kmem_ztest_suite_compare(const void *a, const void *b)
{
	const struct ztest_suite_node *const *left = a;
	const struct ztest_suite_node *const *right = b;

	return strcmp((*left)->name, (*right)->name);
}

static int test_compare(const void *a, const void *b)
{
	const struct ztest_unit_test *const *left = a;
	const struct ztest_unit_test *const *right = b;
	int by_suite = strcmp((*left)->test_suite_name, (*right)->test_suite_name);

	return by_suite != 0 ? by_suite : strcmp((*left)->name, (*right)->name);
}

static int rule_compare(const void *a, const void *b)
{
	const struct ztest_test_rule *const *left = a;
	const struct ztest_test_rule *const *right = b;

	return strcmp((*left)->kmem_name, (*right)->kmem_name);
}

/* A sorted copy of a section of pointers. */
void *kmem_ztest_sorted(const void *section, size_t count, int (*compare)(const void *, const void *))
{
	if (count == 0) {
		return NULL;
	}

	void *copy = malloc(count * sizeof(void *));

	if (copy == NULL) {
		kmem_ztest_bail_out("no memory for the list of tests");
	}
	memcpy(copy, section, count * sizeof(void *));
	qsort(copy, count, sizeof(void *), compare);
	return copy;
}

struct ztest_suite_node *kmem_ztest_suite_find(const char *name)
{
	for (size_t i = 0; i < program.suite_count; i++) {
		if (strcmp(program.suites[i]->name, name) == 0) {
			return program.suites[i];
		}
	}
	return NULL;
}

static void program_complain(const char *what, const char *suite, const char *separator, const char *name)
{
	kmem_ztest_say("ztest: %s%s%s %s\n", suite, separator, name, what);
	program.is_sound = false;
}

static void program_check(void)
{
	bool has_twins = false;

	for (size_t i = 1; i < program.suite_count; i++) {
		if (kmem_ztest_suite_compare(&program.suites[i - 1], &program.suites[i]) == 0) {
			program_complain("is defined twice", "suite ", "", program.suites[i]->name);
			has_twins = true;
		}
	}
	for (size_t i = 0; i < program.test_count; i++) {
		const struct ztest_unit_test *test = program.tests[i];

		if (i > 0 && test_compare(&program.tests[i - 1], &program.tests[i]) == 0) {
			program_complain("is defined twice", test->test_suite_name, "::", test->name);
			has_twins = true;
		}
		if (kmem_ztest_suite_find(test->test_suite_name) == NULL) {
			program_complain("belongs to a suite that is not defined", test->test_suite_name,
					 "::", test->name);
		}
	}

	/* Nobody could tell whose result is whose; Zephyr's linker refuses such programs. */
	if (has_twins) {
		kmem_ztest_bail_out("the program defines a name twice");
	}
}

const struct kmem_ztest_program *kmem_ztest_program_get(void)
{
	static bool is_read;

	if (is_read) {
		return &program;
	}
	is_read = true;
	program.is_sound = true;
	program.suite_count = SECTION_COUNT(kmem_ztest_suites);
	program.suites = kmem_ztest_sorted(__start_kmem_ztest_suites, program.suite_count, kmem_ztest_suite_compare);
	program.test_count = SECTION_COUNT(kmem_ztest_tests);
	program.tests = kmem_ztest_sorted(__start_kmem_ztest_tests, program.test_count, test_compare);
	program.rule_count = SECTION_COUNT(kmem_ztest_rules);
	program.rules = kmem_ztest_sorted(__start_kmem_ztest_rules, program.rule_count, rule_compare);
	program_check();
	if (!program.is_sound) {
		kmem_ztest_report_error();
	}
	return &program;
}

bool kmem_ztest_test_is_of(const struct ztest_unit_test *test, const struct ztest_suite_node *suite)
{
	return strcmp(test->test_suite_name, suite->name) == 0;
}

const struct ztest_expected_result_entry *kmem_ztest_expected_find(const struct ztest_unit_test *test)
{
	for (size_t i = 0; i < SECTION_COUNT(kmem_ztest_expected); i++) {
		const struct ztest_expected_result_entry *entry = __start_kmem_ztest_expected[i];

		if (strcmp(entry->test_suite_name, test->test_suite_name) == 0 &&
		    strcmp(entry->test_name, test->name) == 0) {
			return entry;
		}
	}
	return NULL;
}
