/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The harness itself: that it sees what it should, and nothing else.
 */
#define _GNU_SOURCE

#include "harness.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE ((size_t)4096)

/* Size and alignment of malloc's arenas. */
#define BLOCK ((size_t)64 << 20)

static struct harness_leaks leaks;

/* End the snapshot and require that the difference names `text`. */
static void expect_difference(const char *text)
{
	char *difference = harness_leaks_end(&leaks);

	ck_assert_ptr_nonnull(difference);
	ck_assert_msg(strstr(difference, text) != NULL, "\"%s\" is not in:\n%s", text, difference);
	free(difference);
}

/* The same, where mappings are compared at all. */
static void expect_mapping(const char *text)
{
	if (harness_on_valgrind() || harness_on_asan() || harness_on_tsan()) {
		free(harness_leaks_end(&leaks));
	} else {
		expect_difference(text);
	}
}

static void *allocate(void *arg)
{
	free(malloc(1000));
	return arg;
}

START_TEST(nothing_done_is_no_leak)
{
	harness_leaks_begin(&leaks);
	harness_leaks_check(&leaks);
}
END_TEST

START_TEST(open_descriptor_is_a_leak)
{
	int ends[2];

	harness_leaks_begin(&leaks);
	ck_assert_int_eq(pipe(ends), 0);
	expect_difference("-> pipe:");
	close(ends[0]);
	close(ends[1]);
}
END_TEST

START_TEST(closed_descriptor_is_a_leak_in_reverse)
{
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	harness_leaks_begin(&leaks);
	close(ends[0]);
	expect_difference("- ");
	close(ends[1]);
}
END_TEST

START_TEST(anonymous_mapping_is_a_leak)
{
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
	static const int prots[] = {PROT_NONE, PROT_READ | PROT_WRITE};
	static const size_t sizes[] = {PAGE, 64 * PAGE, (size_t)1 << 33};
	size_t size = sizes[_i % 3];
	char text[64];
	void *addr;

	harness_leaks_begin(&leaks);
	addr = mmap(NULL, size, prots[_i / 3], flags, -1, 0);
	ck_assert_ptr_ne(addr, MAP_FAILED);
	snprintf(text, sizeof(text), "+ mapping %lx-", (unsigned long)addr);
	expect_mapping(text);
	munmap(addr, size);
}
END_TEST

/* Blocks that lie where malloc's arenas could, but are in use to the end. */
START_TEST(aligned_mapping_is_a_leak)
{
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
	size_t size = (size_t)(_i + 1) * BLOCK;
	size_t before;
	char text[64];
	char *addr;

	harness_leaks_begin(&leaks);
	addr = mmap(NULL, size + BLOCK, PROT_READ | PROT_WRITE, flags, -1, 0);
	ck_assert_ptr_ne(addr, MAP_FAILED);
	before = -(uintptr_t)addr % BLOCK;
	if (before > 0) {
		munmap(addr, before);
	}
	addr += before;
	munmap(addr + size, BLOCK - before);
	snprintf(text, sizeof(text), "+ mapping %lx-", (unsigned long)addr);
	expect_mapping(text);
	munmap(addr, size);
}
END_TEST

START_TEST(changed_permission_is_a_leak)
{
	const int flags = MAP_SHARED | MAP_ANONYMOUS;
	void *addr = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, flags, -1, 0);

	ck_assert_ptr_ne(addr, MAP_FAILED);
	harness_leaks_begin(&leaks);
	ck_assert_int_eq(mprotect((char *)addr + PAGE, PAGE, PROT_READ), 0);
	expect_mapping(" r--s ");
	munmap(addr, 3 * PAGE);
}
END_TEST

START_TEST(vanished_file_mapping_is_a_leak_in_reverse)
{
	int fd = memfd_create("harness", MFD_CLOEXEC);
	void *addr;

	ck_assert_int_eq(ftruncate(fd, PAGE), 0);
	addr = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	ck_assert_ptr_ne(addr, MAP_FAILED);
	harness_leaks_begin(&leaks);
	munmap(addr, PAGE);
	expect_mapping("- mapping ");
	close(fd);
}
END_TEST

START_TEST(disposition_is_a_leak)
{
	const struct sigaction action = {.sa_handler = SIG_IGN};
	struct sigaction old;
	int signo = _i == 0 ? SIGSEGV : SIGBUS;

	ck_assert_int_eq(sigaction(signo, NULL, &old), 0);
	harness_leaks_begin(&leaks);
	ck_assert_int_eq(sigaction(signo, &action, NULL), 0);
	expect_difference(_i == 0 ? "SIGSEGV" : "SIGBUS");
	ck_assert_int_eq(sigaction(signo, &old, NULL), 0);
}
END_TEST

START_TEST(what_the_c_library_keeps_is_no_leak)
{
	pthread_t threads[5];
	char *blocks[1000];

	harness_leaks_begin(&leaks);
	for (size_t i = 0; i < 5; i++) {
		ck_assert_int_eq(pthread_create(&threads[i], NULL, allocate, NULL), 0);
	}
	for (size_t i = 0; i < 5; i++) {
		pthread_join(threads[i], NULL);
	}
	for (size_t i = 0; i < 1000; i++) {
		blocks[i] = malloc(1000 + i);
		ck_assert_ptr_nonnull(blocks[i]);
	}
	for (size_t i = 0; i < 1000; i += 2) {
		free(blocks[i]);
	}
	harness_leaks_check(&leaks);
	for (size_t i = 1; i < 1000; i += 2) {
		free(blocks[i]);
	}
}
END_TEST

START_TEST(seed_comes_from_the_environment)
{
	unsetenv("KMEM_SEED");
	uint64_t usual = harness_seed();

	setenv("KMEM_SEED", "0x1234", 1);
	ck_assert_uint_eq(harness_seed(), 0x1234);
	setenv("KMEM_SEED", "0", 1);
	ck_assert_uint_eq(harness_seed(), usual);
	ck_assert_uint_ne(usual, 0);
	unsetenv("KMEM_SEED");
}
END_TEST

START_TEST(random_numbers_repeat_and_spread)
{
	uint64_t a = 7;
	uint64_t b = 7;
	unsigned int counts[16] = {0};

	for (int i = 0; i < 16000; i++) {
		uint64_t number = harness_random(&a);

		ck_assert_uint_eq(number, harness_random(&b));
		ck_assert_uint_ne(a, 0);
		counts[number % 16]++;
	}
	for (int i = 0; i < 16; i++) {
		ck_assert_uint_gt(counts[i], 800);
		ck_assert_uint_lt(counts[i], 1200);
	}
}
END_TEST

START_TEST(cores_are_off)
{
	struct rlimit limit;

	ck_assert_int_eq(getrlimit(RLIMIT_CORE, &limit), 0);
	ck_assert_uint_eq(limit.rlim_cur, 0);
}
END_TEST

START_TEST(always_passes)
{
}
END_TEST

START_TEST(always_fails)
{
	ck_abort_msg("on purpose");
}
END_TEST

/* Run a suite in a child, silently; its exit status. */
static int status_of_run(const TTest *test)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		Suite *suite = suite_create("inner");
		TCase *tcase = tcase_create("inner");

		setenv("CK_VERBOSITY", "silent", 1);
		setenv("CK_FORK", "yes", 1);
		if (test != NULL) {
			tcase_add_test(tcase, test);
		}
		suite_add_tcase(suite, tcase);
		_exit(harness_run(suite));
	}
	ck_assert_int_gt(child, 0);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

START_TEST(exit_status_tells_the_result)
{
	ck_assert_int_eq(status_of_run(always_passes), 0);
	ck_assert_int_eq(status_of_run(always_fails), 1);
	ck_assert_int_eq(status_of_run(NULL), 77);
}
END_TEST

START_TEST(bad_access_dies)
{
	*(volatile int *)(uintptr_t)PAGE = 1;
}
END_TEST

Suite *kmem_test_suite(void)
{
	Suite *suite = suite_create("harness");
	TCase *tcase = tcase_create("leaks");

	tcase_add_test(tcase, nothing_done_is_no_leak);
	tcase_add_test(tcase, open_descriptor_is_a_leak);
	tcase_add_test(tcase, closed_descriptor_is_a_leak_in_reverse);
	tcase_add_loop_test(tcase, anonymous_mapping_is_a_leak, 0, 6);
	tcase_add_loop_test(tcase, aligned_mapping_is_a_leak, 0, 2);
	tcase_add_test(tcase, changed_permission_is_a_leak);
	tcase_add_test(tcase, vanished_file_mapping_is_a_leak_in_reverse);
	tcase_add_loop_test(tcase, disposition_is_a_leak, 0, 2);
	tcase_add_test(tcase, what_the_c_library_keeps_is_no_leak);
	suite_add_tcase(suite, tcase);

	tcase = tcase_create("main");
	tcase_add_test(tcase, seed_comes_from_the_environment);
	tcase_add_test(tcase, random_numbers_repeat_and_spread);
	tcase_add_test(tcase, cores_are_off);
	if (!harness_on_valgrind()) {
		tcase_add_test(tcase, exit_status_tells_the_result);
		tcase_add_test_raise_signal(tcase, bad_access_dies, SIGSEGV);
	}
	suite_add_tcase(suite, tcase);
	return suite;
}
