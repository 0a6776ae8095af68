/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every test program shares: main(), leak snapshots, seeds. A test file defines kmem_test_suite(); harness.c
 * defines main(), runs the suite through Check (forked unless CK_FORK=no) and exits 0 or 1.
 */
#ifndef KMEM_TESTS_HARNESS_H
#define KMEM_TESTS_HARNESS_H

#include <check.h>
#include <stdbool.h>
#include <stdint.h>

Suite *kmem_test_suite(void);

/* The process's resources: open descriptors, mappings, dispositions of SIGSEGV and SIGBUS. */
struct harness_leaks {
	char *descriptors;
	char *mappings; /* /proc/self/maps without heap, stack and what only grew in place there */
	char *signals;
};

/* Remember the process's state, and fail the test if it differs later, printing what differs. Call in checked fixtures. */
void harness_leaks_begin(struct harness_leaks *leaks);
void harness_leaks_check(struct harness_leaks *leaks);

/* What check would print, to be freed; NULL if nothing differs. Ends what begin began. */
char *harness_leaks_end(struct harness_leaks *leaks);

/* For suites with many threads, before any snapshot: have liburcu map what it needs for them, which it keeps. */
void harness_rcu_warm_up(void);

/* What main() does with a suite: 0 if all tests passed, 1 if one failed, 77 (skipped) if none ran. */
int harness_run(Suite *suite);

/* KMEM_SEED, or a fixed default; printed once. */
uint64_t harness_seed(void);

/* A small generator: the state is the seed, never 0. */
uint64_t harness_random(uint64_t *state);

/* No core files from must-die tests. main() calls it. */
void harness_no_core(void);

/* Whether the program runs under Valgrind, AddressSanitizer or ThreadSanitizer. */
bool harness_on_valgrind(void);
bool harness_on_asan(void);
bool harness_on_tsan(void);

#endif /* KMEM_TESTS_HARNESS_H */
