/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fork in preloaded programs, where RAM freezes instead of being copied: parent and child each have their own, however many children live
 * on, and whoever is left alone copies nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <kmem/kmem.h>

#include "harness.h"
#include "host/descriptor.h"
#include "host/failpoint.h"
#include "machine/mmu_host.h"
#include "kernel/kernel.h"

#define PAGE 4096UL
#define FRAMES 128UL
#define ARENA_PAGES (3 * FRAMES)
#define WORDS (PAGE / sizeof(uint64_t))

/* More than the files that RAM may lie in (lib/machine/ram_files.c). */
#define CHILDREN 24

static struct harness_leaks leaks;
static volatile uint64_t *arena;

static const char *const stores[] = {"ram", "file"};

static void boot(int combination)
{
	struct kmem_config config = {
		.struct_size = sizeof(config),
		.vm_size = 64UL << 20,
		.ram_size = FRAMES * PAGE,
		.store = stores[combination],
	};

	harness_leaks_begin(&leaks);
	kmem_kernel.is_preloaded = true;
	ck_assert_msg(kmem_boot(&config) == 0, "%s", kmem_boot_error());
	arena = k_mem_map(ARENA_PAGES * PAGE, K_MEM_PERM_RW);
	ck_assert(arena != NULL);
}

static void finish(void)
{
	ck_assert(kmem_is_valid());
	ck_assert_int_eq(kmem_shutdown(), 0);
	kmem_kernel.is_preloaded = false;
	harness_leaks_check(&leaks);
}

static void pages_fill(size_t first, size_t step, uint64_t generation)
{
	for (size_t i = first; i < ARENA_PAGES; i += step) {
		arena[i * WORDS] = i + generation;
		arena[i * WORDS + WORDS - 1] = generation;
	}
}

/* How many pages are not as they were filled. */
static size_t pages_wrong(size_t first, size_t step, uint64_t generation)
{
	size_t wrong = 0;

	for (size_t i = first; i < ARENA_PAGES; i += step) {
		wrong += arena[i * WORDS] != i + generation || arena[i * WORDS + WORDS - 1] != generation;
	}
	return wrong;
}

static int status_of(pid_t pid)
{
	int status;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* A descriptor's number for every open one of ours: memory files, stores, ends of pipes. */
static size_t descriptors_count(void)
{
	size_t count = 0;

	for (int fd = kmem_descriptor_next(0); fd >= 0; fd = kmem_descriptor_next(fd + 1)) {
		count++;
	}
	return count;
}

START_TEST(each_has_its_own)
{
	pid_t pid;

	boot(_i);
	pages_fill(0, 1, 1000);
	pid = fork();
	if (pid == 0) {
		size_t wrong = pages_wrong(0, 1, 1000);

		pages_fill(0, 1, 2000);
		wrong += pages_wrong(0, 1, 2000);
		_exit(wrong == 0 && kmem_is_valid() ? 0 : 1);
	}
	pages_fill(0, 2, 3000);
	ck_assert_int_eq(status_of(pid), 0);
	ck_assert_uint_eq(pages_wrong(0, 2, 3000), 0);
	ck_assert_uint_eq(pages_wrong(1, 2, 1000), 0);
	finish();
}
END_TEST

/* A child that waits until the other end of `gate` is closed, and checks that it still has what it was born with. */
static pid_t child_waiting(const int gate[2], uint64_t generation)
{
	pid_t pid = fork();
	char byte;

	if (pid == 0) {
		(void)close(gate[1]);
		(void)!read(gate[0], &byte, 1);
		_exit(pages_wrong(0, 1, generation) == 0 ? 0 : 1);
	}
	ck_assert_int_gt(pid, 0);
	return pid;
}

/* Each child is of another generation of the parent's RAM, parts of which all share. */
START_TEST(many_children_live_on)
{
	pid_t pids[CHILDREN];
	int gate[2];

	boot(_i);
	ck_assert_int_eq(pipe(gate), 0);
	for (size_t i = 0; i < CHILDREN; i++) {
		pages_fill(0, 1, 100 * i);
		pids[i] = child_waiting(gate, 100 * i);
		/* Some chunks change at once, the rest stays frozen over several forks. */
		if (i % 3 != 0) {
			ck_assert_uint_eq(pages_wrong(i % 7, 7, 100 * i), 0);
		}
	}
	pages_fill(0, 1, 7777);
	(void)close(gate[0]);
	(void)close(gate[1]);
	for (size_t i = 0; i < CHILDREN; i++) {
		ck_assert_int_eq(status_of(pids[i]), 0);
	}
	ck_assert_uint_eq(pages_wrong(0, 1, 7777), 0);
	finish();
}
END_TEST

START_TEST(untouched_pages_stay_shared_by_all)
{
	pid_t pids[CHILDREN];
	int gate[2];

	boot(_i);
	ck_assert_int_eq(pipe(gate), 0);
	pages_fill(0, 1, 5);
	for (size_t i = 0; i < CHILDREN; i++) {
		pids[i] = child_waiting(gate, 5);
		/* One page in a chunk of its own a round, and as it was again. */
		arena[(i * 16 % ARENA_PAGES) * WORDS + 1] = i;
	}
	(void)close(gate[0]);
	(void)close(gate[1]);
	for (size_t i = 0; i < CHILDREN; i++) {
		ck_assert_int_eq(status_of(pids[i]), 0);
	}
	ck_assert_uint_eq(pages_wrong(0, 1, 5), 0);
	finish();
}
END_TEST

/* When the child has ended, the parent goes on in the file that was frozen, and keeps no other. */
START_TEST(alone_again_nothing_is_copied)
{
	size_t count;

	boot(_i);
	pages_fill(0, 1, 1);
	count = descriptors_count();
	for (size_t i = 0; i < 10; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			_exit(pages_wrong(0, 1, 1 + i) == 0 ? 0 : 1);
		}
		ck_assert_int_eq(status_of(pid), 0);
		pages_fill(0, 1, 2 + i);
		ck_assert_uint_eq(descriptors_count(), count);
	}
	finish();
}
END_TEST

/* Wait until nobody holds the other end of the pipes that tell the library so. */
static void sharers_wait(void)
{
	for (int fd = kmem_descriptor_next(0); fd >= 0; fd = kmem_descriptor_next(fd + 1)) {
		struct stat status;

		ck_assert_int_eq(fstat(fd, &status), 0);
		while (S_ISFIFO(status.st_mode) && !kmem_descriptor_is_abandoned(fd)) {
			(void)usleep(1000);
		}
	}
}

/* The same where the child has become another program, which lives on. */
START_TEST(another_program_shares_nothing)
{
	size_t count;
	pid_t pid;

	boot(_i);
	pages_fill(0, 1, 1);
	count = descriptors_count();
	pid = fork();
	if (pid == 0) {
		execl("/bin/sleep", "sleep", "100", (char *)NULL);
		_exit(127);
	}
	/* Where frames are the engine's own there is nothing in the file that could be shared. */
	ck_assert(descriptors_count() > count || kmem_mmu_has_own());
	sharers_wait();
	pages_fill(0, 1, 2);
	ck_assert_uint_eq(descriptors_count(), count);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(status_of(pid), -SIGKILL);
	finish();
}
END_TEST

START_TEST(grandchildren)
{
	pid_t pid;

	boot(_i);
	pages_fill(0, 1, 10);
	pid = fork();
	if (pid == 0) {
		for (uint64_t depth = 1; depth < CHILDREN; depth++) {
			pages_fill(depth % 5, 5, 10 * depth);
			pages_fill(0, 1, 10 + depth);
			pid = fork();
			if (pid != 0) {
				int status = status_of(pid);

				_exit(pages_wrong(0, 1, 10 + depth) == 0 ? status : 1);
			}
		}
		_exit(pages_wrong(0, 1, 10 + CHILDREN - 1) == 0 ? 0 : 2);
	}
	ck_assert_int_eq(status_of(pid), 0);
	ck_assert_uint_eq(pages_wrong(0, 1, 10), 0);
	finish();
}
END_TEST

/* Whatever host call fails at the fork, either both have their memory, or the child is told and the parent has lost nothing. */
START_TEST(failing_host_calls)
{
	volatile bool *was_hit = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	boot(_i);
	for (unsigned long n = 1; n < 40; n++) {
		int status;
		pid_t pid;

		pages_fill(0, 1, n);
		(void)kmem_failpoint_arm(n, ENOMEM, false);
		*was_hit = false;
		pid = fork();
		*was_hit |= kmem_failpoint_was_hit();
		(void)kmem_failpoint_arm(0, 0, false);
		if (pid == 0) {
			signal(SIGSEGV, SIG_DFL);
			_exit(pages_wrong(0, 1, n) == 0 ? 0 : 1);
		}
		ck_assert_int_gt(pid, 0);
		ck_assert_uint_eq(pages_wrong(0, 1, n), 0);
		status = status_of(pid);
		ck_assert_msg(status == 0 || (*was_hit && status == -SIGSEGV),
			      "host call %lu: child %d", n, status);
	}
	finish();
	(void)munmap((void *)was_hit, PAGE);
}
END_TEST

Suite *kmem_test_suite(void)
{
	Suite *suite = suite_create("freeze");
	TCase *fork_case = tcase_create("fork");

	tcase_set_timeout(fork_case, 120);
	tcase_add_loop_test(fork_case, each_has_its_own, 0, 2);
	tcase_add_loop_test(fork_case, many_children_live_on, 0, 2);
	tcase_add_loop_test(fork_case, untouched_pages_stay_shared_by_all, 0, 2);
	tcase_add_loop_test(fork_case, alone_again_nothing_is_copied, 0, 2);
	tcase_add_loop_test(fork_case, another_program_shares_nothing, 0, 2);
	tcase_add_loop_test(fork_case, grandchildren, 0, 2);
	tcase_add_loop_test(fork_case, failing_host_calls, 0, 2);
	suite_add_tcase(suite, fork_case);
	return suite;
}
