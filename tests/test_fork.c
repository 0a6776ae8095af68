/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fork: parent and child each have their own memory from the moment of the fork, in multithreaded programs with pages out too;
 * and where the copy cannot be made, the child is stopped, not served its parent's frames.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <kmem/kmem.h>

#include "harness.h"
#include "host/failpoint.h"
#include "machine/mmu_host.h"

#define PAGE 4096UL
#define FRAMES 64UL
#define ARENA_PAGES (4 * FRAMES)
#define WORDS (PAGE / sizeof(uintptr_t))

static struct harness_leaks leaks;
static uintptr_t *arena;

static const char *const stores[] = {"ram", "file"};

static void boot(int combination)
{
	struct kmem_config config = {
		.struct_size = sizeof(config),
		.vm_size = 64UL << 20,
		.ram_size = FRAMES * PAGE,
		.store = stores[combination % 2],
	};

	harness_leaks_begin(&leaks);
	ck_assert_msg(kmem_boot(&config) == 0, "%s", kmem_boot_error());
	arena = k_mem_map(ARENA_PAGES * PAGE, K_MEM_PERM_RW);
	ck_assert_ptr_nonnull(arena);
	for (size_t i = 0; i < ARENA_PAGES; i++) {
		arena[i * WORDS] = i;
	}
}

static void finish(void)
{
	ck_assert(kmem_is_valid());
	ck_assert_int_eq(kmem_shutdown(), 0);
	harness_leaks_check(&leaks);
}

/* Pages whose first word is not as given. */
static size_t pages_wrong(size_t offset)
{
	size_t wrong = 0;

	for (size_t i = 0; i < ARENA_PAGES; i++) {
		wrong += arena[i * WORDS] != i + offset ? 1 : 0;
	}
	return wrong;
}

static void pages_write(size_t offset)
{
	for (size_t i = 0; i < ARENA_PAGES; i++) {
		arena[i * WORDS] = i + offset;
	}
}

static int wait_for(pid_t child)
{
	int status;

	ck_assert_int_eq(waitpid(child, &status, 0), child);
	return status;
}

/* The child's own checks; its exit status says which failed. */
static int child_work(void)
{
	if (pages_wrong(0) != 0) {
		return 1;
	}
	pages_write(1000);
	if (pages_wrong(1000) != 0) {
		return 2;
	}
	if (!kmem_is_valid()) {
		return 3;
	}
	if (k_mem_map(PAGE, K_MEM_PERM_RW) == NULL) {
		return 4;
	}
	return kmem_shutdown() == 0 ? 0 : 5;
}

START_TEST(child_and_parent_have_their_own_pages)
{
	pid_t child;

	boot(_i);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		_exit(child_work());
	}
	pages_write(5);
	ck_assert_int_eq(wait_for(child), 0);
	ck_assert_uint_eq(pages_wrong(5), 0);
	finish();
}
END_TEST

/* Frames that nobody took, but that are mapped by their physical addresses, are memory as well. */
START_TEST(physically_mapped_frames_are_copied_too)
{
	struct kmem_layout layout;
	uint8_t *alias;
	pid_t child;

	boot(0);
	ck_assert_int_eq(kmem_layout_get(&layout), 0);
	k_mem_unmap(arena, ARENA_PAGES * PAGE);
	k_mem_map_phys_bare(&alias, layout.phys_ram_end - 2 * PAGE, PAGE, K_MEM_PERM_RW);
	memset(alias, 'p', PAGE);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		bool is_copy = alias[0] == 'p' && alias[PAGE - 1] == 'p';

		memset(alias, 'c', PAGE);
		_exit(is_copy && kmem_is_valid() ? 0 : 1);
	}
	ck_assert_int_eq(wait_for(child), 0);
	ck_assert_uint_eq(alias[0], 'p');
	k_mem_unmap_phys_bare(alias, PAGE);
	finish();
}
END_TEST

/* Signal masks are a thread's own, also where several fork at the same time. */
static void *fork_with_mask(void *signo)
{
	sigset_t mine;
	sigset_t after;

	sigemptyset(&mine);
	if (signo != NULL) {
		sigaddset(&mine, *(int *)signo);
	}
	pthread_sigmask(SIG_SETMASK, &mine, NULL);
	for (size_t i = 0; i < 50; i++) {
		pid_t child = fork();

		pthread_sigmask(SIG_SETMASK, NULL, &after);
		if (child == 0) {
			_exit(sigismember(&after, SIGUSR1) == sigismember(&mine, SIGUSR1) &&
					      sigismember(&after, SIGUSR2) == sigismember(&mine, SIGUSR2)
				      ? 0
				      : 1);
		}
		ck_assert_int_eq(wait_for(child), 0);
		ck_assert_int_eq(sigismember(&after, SIGUSR1), sigismember(&mine, SIGUSR1));
		ck_assert_int_eq(sigismember(&after, SIGUSR2), sigismember(&mine, SIGUSR2));
	}
	return NULL;
}

START_TEST(threads_that_fork_together_keep_their_masks)
{
	int signo = SIGUSR1;
	pthread_t thread;

	boot(0);
	ck_assert_int_eq(pthread_create(&thread, NULL, fork_with_mask, &signo), 0);
	(void)fork_with_mask(NULL);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	finish();
}
END_TEST

START_TEST(grandchildren_too)
{
	pid_t child;

	boot(_i);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		pid_t grandchild = fork();
		int status = 0;

		if (grandchild == 0) {
			_exit(child_work());
		}
		pages_write(77);
		waitpid(grandchild, &status, 0);
		_exit(status != 0 ? 9 : pages_wrong(77) != 0);
	}
	ck_assert_int_eq(wait_for(child), 0);
	ck_assert_uint_eq(pages_wrong(0), 0);
	finish();
}
END_TEST

static _Atomic bool is_stopping;
static _Atomic unsigned long wrong_words;

/* Increment the words of some pages for ever. */
static void *writer(void *arg)
{
	size_t self = (size_t)arg;
	uintptr_t count = 0;

	while (!is_stopping) {
		for (size_t i = self; i < ARENA_PAGES; i += 4) {
			if (arena[i * WORDS + 1] != count) {
				wrong_words++;
			}
			arena[i * WORDS + 1] = count + 1;
		}
		count++;
	}
	return NULL;
}

START_TEST(forks_under_three_writers_lose_no_write)
{
	pthread_t threads[3];
	size_t forks = harness_on_valgrind() || harness_on_tsan() ? 5 : 50;

	boot(_i);
	is_stopping = false;
	wrong_words = 0;
	for (size_t i = 0; i < 3; i++) {
		ck_assert_int_eq(pthread_create(&threads[i], NULL, writer, (void *)i), 0);
	}
	for (size_t i = 0; i < forks; i++) {
		pid_t child = fork();

		ck_assert_int_ge(child, 0);
		if (child == 0) {
			_exit(child_work());
		}
		arena[3 * WORDS + 2] = i;
		ck_assert_int_eq(wait_for(child), 0);
		ck_assert_uint_eq(arena[3 * WORDS + 2], i);
	}
	is_stopping = true;
	for (size_t i = 0; i < 3; i++) {
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	}
	ck_assert_uint_eq(wrong_words, 0);
	ck_assert_uint_eq(pages_wrong(0), 0);
	finish();
}
END_TEST

START_TEST(child_of_a_fork_that_cannot_copy_is_stopped_and_the_parent_goes_on)
{
	int status;
	pid_t child;

	boot(_i);
	(void)kmem_failpoint_arm(1, ENOSPC, false);
	child = fork();
	if (child == 0) {
		(void)kmem_failpoint_arm(0, 0, false);
		(void)freopen("/dev/null", "w", stderr);
		_exit(arena[0] == 0 ? 0 : 1);
	}
	ck_assert(kmem_failpoint_was_hit());
	(void)kmem_failpoint_arm(0, 0, false);
	ck_assert_int_ge(child, 0);
	status = wait_for(child);
	ck_assert(WIFSIGNALED(status));
	ck_assert_uint_eq(pages_wrong(0), 0);
	pages_write(3);
	ck_assert_uint_eq(pages_wrong(3), 0);
	finish();
}
END_TEST

/*
 * Handlers that were registered before the library's: in the parent they run between its own and the fork, or behind it. What they touch is
 * concealed, or out.
 */
static bool is_touching;

static void early_prepare(void)
{
	for (size_t i = 0; is_touching && i < 4; i++) {
		arena[i * WORDS + 3]++;
		arena[i * WORDS + WORDS - 1] += arena[i * WORDS + 3];
	}
}

static void early_parent(void)
{
	if (is_touching) {
		arena[WORDS + 4] = 'p';
		arena[5 * WORDS + 4] = 'p';
	}
}

static void early_child(void)
{
	if (is_touching) {
		arena[WORDS + 4] += arena[WORDS + 4] == 0 ? 'c' : 0;
		arena[5 * WORDS + 4] += arena[5 * WORDS + 4] == 0 ? 'c' : 0;
	}
}

static void early_register(void)
{
	(void)pthread_atfork(early_prepare, early_parent, early_child);
}

/* Before the constructors of shared libraries, and of this program. */
static void (*const early_registration)(void) __attribute__((section(".preinit_array"), used)) = early_register;

static bool early_is_right(uintptr_t count, uintptr_t mark)
{
	bool is_right = arena[WORDS + 4] == mark && arena[5 * WORDS + 4] == mark;

	for (size_t i = 0; i < 4; i++) {
		is_right = is_right && arena[i * WORDS] == i && arena[i * WORDS + 3] == count &&
			   arena[i * WORDS + WORDS - 1] == count * (count + 1) / 2;
	}
	return is_right;
}

START_TEST(what_handlers_touch_late_belongs_to_both)
{
	boot(_i);
	(void)k_mem_page_out(arena, 2 * PAGE);
	is_touching = true;
	for (uintptr_t count = 1; count < 5; count++) {
		pid_t child = fork();

		ck_assert_int_ge(child, 0);
		if (child == 0) {
			/* Where RAM was copied before, the copy has not what came after. */
			_exit((!kmem_mmu_has_own() || early_is_right(count, 'c')) && kmem_is_valid() ? 0 : 1);
		}
		ck_assert_int_eq(wait_for(child), 0);
		ck_assert(early_is_right(count, 'p'));
		arena[WORDS + 4] = 0;
		arena[5 * WORDS + 4] = 0;
		ck_assert(kmem_is_valid());
	}
	is_touching = false;
	finish();
}
END_TEST

START_TEST(exec_and_vfork_children_are_left_alone)
{
	boot(0);
	ck_assert_int_eq(system("exit 7"), 7 << 8);
	ck_assert_uint_eq(pages_wrong(0), 0);
	finish();
}
END_TEST

Suite *kmem_test_suite(void)
{
	Suite *suite = suite_create("fork");
	TCase *tcase = tcase_create("fork");

	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, child_and_parent_have_their_own_pages, 0, 2);
	tcase_add_test(tcase, physically_mapped_frames_are_copied_too);
	tcase_add_test(tcase, threads_that_fork_together_keep_their_masks);
	tcase_add_loop_test(tcase, grandchildren_too, 0, 2);
	tcase_add_loop_test(tcase, forks_under_three_writers_lose_no_write, 0, 2);
	tcase_add_loop_test(tcase, child_of_a_fork_that_cannot_copy_is_stopped_and_the_parent_goes_on, 0, 2);
	tcase_add_loop_test(tcase, what_handlers_touch_late_belongs_to_both, 0, 2);
	tcase_add_test(tcase, exec_and_vfork_children_are_left_alone);
	suite_add_tcase(suite, tcase);
	return suite;
}
