/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bad accesses, seen by a program's own fatal error handler: what it is told, in which state it runs, and that it may leave by
 * longjmp or by returning.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <kmem/kmem.h>

#include "expect.h"
#include "harness.h"

#define PAGE 4096UL
#define FRAMES 32UL

static struct harness_leaks leaks;

static void setup(void)
{
	struct kmem_config config = {.struct_size = sizeof(config), .vm_size = 64UL << 20, .ram_size = FRAMES * PAGE};

	harness_leaks_begin(&leaks);
	memset(&fatal, 0, sizeof(fatal));
	ck_assert_msg(kmem_boot(&config) == 0, "%s", kmem_boot_error());
}

static void teardown(void)
{
	ck_assert(kmem_is_valid());
	ck_assert_int_eq(kmem_shutdown(), 0);
	harness_leaks_check(&leaks);
}

static void expect(enum kmem_fault_kind kind, enum kmem_access access, const volatile void *addr)
{
	ck_assert_uint_eq(fatal.reason, K_ERR_CPU_EXCEPTION);
	ck_assert_int_eq(fatal.esf.kind, kind);
	ck_assert_int_eq(fatal.esf.access, access);
	ck_assert_uint_eq(fatal.esf.addr, (uintptr_t)addr);
	ck_assert_int_eq(fatal.esf.signo, SIGSEGV);
	ck_assert_uint_ne(fatal.esf.pc, 0);
}

static volatile uint8_t *map(size_t pages, uint32_t flags)
{
	void *addr = k_mem_map(pages * PAGE, flags);

	ck_assert_ptr_nonnull(addr);
	return addr;
}

START_TEST(guard_pages_on_both_sides_stop_reads_and_writes)
{
	volatile uint8_t *bytes = map(2, K_MEM_PERM_RW);

	EXPECT_FATAL(bytes[2 * PAGE] = 1);
	expect(KMEM_FAULT_GUARD, KMEM_ACCESS_WRITE, bytes + 2 * PAGE);
	ck_assert_ptr_nonnull(strstr(fatal.text, "right behind the end of the region"));
	EXPECT_FATAL((void)bytes[-3]);
	expect(KMEM_FAULT_GUARD, KMEM_ACCESS_READ, bytes - 3);
	ck_assert_ptr_nonnull(strstr(fatal.text, "3 bytes before the region"));
	ck_assert_int_eq(fatal.calls, 2);
}
END_TEST

START_TEST(unmapped_memory_stops_accesses)
{
	volatile uint8_t *bytes = map(1, K_MEM_PERM_RW);
	struct kmem_layout layout;

	k_mem_unmap((void *)bytes, PAGE);
	EXPECT_FATAL(bytes[5] = 1);
	expect(KMEM_FAULT_UNMAPPED, KMEM_ACCESS_WRITE, bytes + 5);
	ck_assert_int_eq(kmem_layout_get(&layout), 0);
	bytes = (volatile uint8_t *)layout.vm_free_start;
	EXPECT_FATAL((void)bytes[0]);
	expect(KMEM_FAULT_UNMAPPED, KMEM_ACCESS_READ, bytes);
	ck_assert_ptr_nonnull(strstr(fatal.text, "nothing is mapped"));
}
END_TEST

START_TEST(read_only_pages_can_be_read_and_not_written)
{
	volatile uint8_t *bytes = map(1, 0);

	ck_assert_uint_eq(bytes[7], 0);
	EXPECT_FATAL(bytes[7] = 1);
	expect(KMEM_FAULT_READ_ONLY, KMEM_ACCESS_WRITE, bytes + 7);
}
END_TEST

START_TEST(absent_read_only_page_is_not_brought_in_for_a_write)
{
	volatile uint8_t *bytes = map(1, 0);

	EXPECT_FATAL(bytes[7] = 1);
	expect(KMEM_FAULT_READ_ONLY, KMEM_ACCESS_WRITE, bytes + 7);
	ck_assert_uint_eq(k_mem_num_pagefaults_get(), 0);
}
END_TEST

#if defined(__x86_64__)
#define RETURN_CODE "\xc3"
#elif defined(__aarch64__)
#define RETURN_CODE "\xc0\x03\x5f\xd6"
#endif

#ifdef RETURN_CODE
START_TEST(code_runs_only_from_executable_pages)
{
	volatile uint8_t *bytes = map(1, K_MEM_PERM_RW);
	void (*function)(void);

	memcpy((void *)bytes, RETURN_CODE, sizeof(RETURN_CODE));
	memcpy(&function, &bytes, sizeof(function));
	EXPECT_FATAL(function());
	expect(KMEM_FAULT_NO_EXEC, KMEM_ACCESS_EXEC, bytes);
	ck_assert_int_eq(k_mem_update_flags((void *)bytes, PAGE, K_MEM_PERM_EXEC), 0);
	function();
	EXPECT_FATAL(bytes[0] = 1);
	expect(KMEM_FAULT_READ_ONLY, KMEM_ACCESS_WRITE, bytes);
	ck_assert_int_eq(k_mem_page_out((void *)bytes, PAGE), 0);
	function();
}
END_TEST
#endif

START_TEST(permissions_survive_page_out)
{
	volatile uint8_t *bytes = map(1, K_MEM_PERM_RW);

	bytes[0] = 9;
	ck_assert_int_eq(k_mem_update_flags((void *)bytes, PAGE, 0), 0);
	ck_assert_int_eq(k_mem_page_out((void *)bytes, PAGE), 0);
	EXPECT_FATAL(bytes[0] = 1);
	expect(KMEM_FAULT_READ_ONLY, KMEM_ACCESS_WRITE, bytes);
	ck_assert_uint_eq(bytes[0], 9);
	EXPECT_FATAL(bytes[0] = 1);
	expect(KMEM_FAULT_READ_ONLY, KMEM_ACCESS_WRITE, bytes);
}
END_TEST

START_TEST(handler_runs_in_the_faulting_thread_with_its_mask)
{
	volatile uint8_t *bytes = map(1, K_MEM_PERM_RW);
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR1);
	ck_assert_int_eq(pthread_sigmask(SIG_BLOCK, &mask, NULL), 0);
	EXPECT_FATAL(bytes[PAGE] = 1);
	ck_assert(pthread_equal(fatal.thread, pthread_self()) != 0);
	ck_assert_int_eq(sigismember(&fatal.mask, SIGUSR1), 1);
	ck_assert_int_eq(sigismember(&fatal.mask, SIGUSR2), 0);
	ck_assert_int_eq(sigismember(&fatal.mask, SIGTERM), 0);
	ck_assert_int_eq(pthread_sigmask(SIG_UNBLOCK, &mask, NULL), 0);
}
END_TEST

START_TEST(a_thousand_longjmps_out_of_the_handler_leave_no_trace)
{
	volatile uint8_t *bytes = map(2 * FRAMES, K_MEM_PERM_RW);

	for (volatile int i = 0; i < 1000; i++) {
		EXPECT_FATAL(bytes[2 * FRAMES * PAGE] = 1);
		bytes[(size_t)i % (2 * FRAMES) * PAGE] = 1;
	}
	ck_assert_int_eq(fatal.calls, 1000);
}
END_TEST

static void *overrun(void *bytes)
{
	((volatile uint8_t *)bytes)[PAGE] = 1;
	return bytes;
}

START_TEST(thread_whose_handler_returns_ends_alone)
{
	void *bytes = (void *)map(1, K_MEM_PERM_RW);
	pthread_t thread;
	void *result = bytes;

	ck_assert_int_eq(pthread_create(&thread, NULL, overrun, bytes), 0);
	ck_assert_int_eq(pthread_join(thread, &result), 0);
	ck_assert_ptr_null(result);
	ck_assert_int_eq(fatal.calls, 1);
	expect(KMEM_FAULT_GUARD, KMEM_ACCESS_WRITE, (uint8_t *)bytes + PAGE);
	((volatile uint8_t *)bytes)[0] = 1;
}
END_TEST

START_TEST(broken_assertions_reach_the_handler_as_panics)
{
	void *bytes = (void *)map(1, K_MEM_PERM_RW);

	EXPECT_FATAL(k_mem_page_in((uint8_t *)bytes + 1, PAGE));
	ck_assert_uint_eq(fatal.reason, K_ERR_KERNEL_PANIC);
	ck_assert_int_eq(fatal.esf.kind, KMEM_FAULT_NONE);
	ck_assert_ptr_nonnull(strstr(fatal.text, "unaligned addr"));
	k_mem_pin(bytes, PAGE);
	EXPECT_FATAL((void)k_mem_page_out(bytes, PAGE));
	ck_assert_uint_eq(fatal.reason, K_ERR_KERNEL_PANIC);
	ck_assert_ptr_nonnull(strstr(fatal.text, "is pinned"));
	EXPECT_FATAL(k_mem_unpin((uint8_t *)bytes - PAGE, PAGE));
	ck_assert_ptr_nonnull(strstr(fatal.text, "is not mapped"));
}
END_TEST

START_TEST(no_frame_left_is_a_panic_in_the_thread_that_needs_one)
{
	volatile uint8_t *bytes = map(FRAMES + 1, K_MEM_PERM_RW);

	k_mem_pin((void *)bytes, FRAMES * PAGE);
	EXPECT_FATAL(bytes[FRAMES * PAGE] = 1);
	ck_assert_uint_eq(fatal.reason, K_ERR_KERNEL_PANIC);
	ck_assert_int_eq(fatal.esf.kind, KMEM_FAULT_NO_MEMORY);
	ck_assert_int_eq(fatal.esf.error, -ENOMEM);
	k_mem_unpin((void *)bytes, PAGE);
	bytes[FRAMES * PAGE] = 1;
}
END_TEST

static _Atomic int own_faults;
static sigjmp_buf own_target;

static void own_handler(int signo, siginfo_t *info, void *context)
{
	(void)signo;
	(void)context;
	ck_assert_ptr_eq(info->si_addr, (void *)16);
	own_faults++;
	siglongjmp(own_target, 1);
}

START_TEST(faults_that_are_not_ours_reach_the_programs_handler)
{
	struct sigaction action = {.sa_sigaction = own_handler, .sa_flags = SA_SIGINFO};
	struct sigaction before;
	struct sigaction now;
	volatile uint8_t *bytes = map(2 * FRAMES, K_MEM_PERM_RW);
	volatile uint8_t *volatile null = (volatile uint8_t *)16;

	ck_assert_int_eq(sigaction(SIGSEGV, &action, &before), 0);
	ck_assert_int_eq(sigaction(SIGSEGV, NULL, &now), 0);
	ck_assert(now.sa_sigaction == own_handler);
	for (volatile int i = 0; i < 100; i++) {
		if (sigsetjmp(own_target, 1) == 0) {
			null[0] = 1;
		}
		bytes[(size_t)i % (2 * FRAMES) * PAGE] = 1;
	}
	ck_assert_int_eq(own_faults, 100);
	ck_assert_int_eq(fatal.calls, 0);
	ck_assert_int_eq(sigaction(SIGSEGV, &before, NULL), 0);
}
END_TEST

START_TEST(blocked_sigsegv_does_not_stop_paging)
{
	volatile uint8_t *bytes = map(2 * FRAMES, K_MEM_PERM_RW);
	sigset_t all;
	sigset_t before;
	sigset_t now;

	sigfillset(&all);
	ck_assert_int_eq(pthread_sigmask(SIG_SETMASK, &all, &before), 0);
	for (size_t i = 0; i < 2 * FRAMES; i++) {
		bytes[i * PAGE] = 1;
	}
	ck_assert_int_eq(pthread_sigmask(SIG_SETMASK, &before, &now), 0);
	ck_assert_int_eq(sigismember(&now, SIGSEGV), 1);
	ck_assert_int_eq(sigismember(&before, SIGSEGV), 0);
}
END_TEST

START_TEST(sigsegv_blocked_before_boot_is_blocked_after_shutdown)
{
	struct kmem_config config = {.struct_size = sizeof(config), .ram_size = FRAMES * PAGE};
	sigset_t set;

	ck_assert_int_eq(kmem_shutdown(), 0);
	sigemptyset(&set);
	sigaddset(&set, SIGSEGV);
	ck_assert_int_eq(sigprocmask(SIG_BLOCK, &set, NULL), 0);
	ck_assert_int_eq(kmem_boot(&config), 0);
	map(4, K_MEM_PERM_RW)[0] = 1;
	ck_assert_int_eq(sigprocmask(SIG_BLOCK, NULL, &set), 0);
	ck_assert_int_eq(sigismember(&set, SIGSEGV), 1);
	ck_assert_int_eq(kmem_shutdown(), 0);
	ck_assert_int_eq(sigprocmask(SIG_BLOCK, NULL, &set), 0);
	ck_assert_int_eq(sigismember(&set, SIGSEGV), 1);
	ck_assert_int_eq(sigprocmask(SIG_UNBLOCK, &set, NULL), 0);
	ck_assert_int_eq(kmem_boot(&config), 0);
}
END_TEST

/* A child without a copy of RAM is stopped, and its parent's words stay what they are. */
START_TEST(child_of_a_bare_fork_may_not_touch_the_vm)
{
	volatile uint8_t *bytes = map(2 * FRAMES, K_MEM_PERM_RW);
	int status;
	pid_t child;

	if (harness_on_tsan()) {
		return; /* the library is in the program there, without the wrapper */
	}
	for (size_t i = 0; i < 2 * FRAMES; i++) {
		bytes[i * PAGE] = 1;
	}
	child = _Fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		fatal.is_armed = true;
		if (sigsetjmp(fatal.target, 1) == 0) {
			bytes[(2 * FRAMES - 1) * PAGE] = 2; /* resident, in the parent */
			_exit(1);
		}
		_exit(fatal.esf.kind == KMEM_FAULT_FORK && k_mem_map(PAGE, K_MEM_PERM_RW) == NULL ? 0 : 2);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	for (size_t i = 0; i < 2 * FRAMES; i++) {
		ck_assert_uint_eq(bytes[i * PAGE], 1);
	}
}
END_TEST

START_TEST(errno_survives_faults)
{
	volatile uint8_t *bytes = map(2 * FRAMES, K_MEM_PERM_RW);

	for (size_t i = 0; i < 4 * FRAMES; i++) {
		errno = (int)i + 1;
		bytes[i % (2 * FRAMES) * PAGE] = 1;
		ck_assert_int_eq(errno, (int)i + 1);
	}
}
END_TEST

START_TEST(pinned_buffers_may_be_given_to_system_calls)
{
	volatile uint8_t *bytes = map(4, K_MEM_PERM_RW);
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(write(ends[1], "abcd", 4), 4);
	ck_assert_int_eq(read(ends[0], (void *)bytes, 4), -1);
	ck_assert_int_eq(errno, EFAULT);
	k_mem_pin((void *)bytes, PAGE);
	ck_assert_int_eq(read(ends[0], (void *)bytes, 4), 4);
	ck_assert_int_eq(memcmp((void *)bytes, "abcd", 4), 0);
	ck_assert_int_eq(close(ends[0]), 0);
	ck_assert_int_eq(close(ends[1]), 0);
}
END_TEST

/* A thread whose own stack is paged memory, and which overflows it page by page. */
static void *deep(void *arg)
{
	volatile uint8_t frame[PAGE];
	size_t depth = *(size_t *)arg;

	memset((void *)frame, (int)depth, sizeof(frame));
	__asm__ volatile("" : : "r"(frame) : "memory"); /* all of it, not only the byte that is looked at below */
	if (depth > 0) {
		size_t next = depth - 1;

		(void)deep(&next);
	}
	ck_assert_uint_eq(frame[PAGE - 1], (uint8_t)depth);
	return NULL;
}

START_TEST(thread_stacks_may_be_paged_memory)
{
	size_t size = 128 * PAGE;
	uint8_t *stack = (uint8_t *)map(128, K_MEM_PERM_RW);
	size_t depth = 3 * FRAMES / 2;
	pthread_attr_t attr;
	pthread_t thread;

	if (harness_on_tsan()) {
		return; /* whose thread-local data is larger than what is kept resident of a stack */
	}
	ck_assert_int_eq(pthread_attr_init(&attr), 0);
	ck_assert_int_eq(pthread_attr_setstack(&attr, stack, size), 0);
	ck_assert_int_eq(pthread_create(&thread, &attr, deep, &depth), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_int_eq(pthread_attr_destroy(&attr), 0);
	ck_assert_uint_ge(k_mem_num_pagefaults_get(), FRAMES);
}
END_TEST

Suite *kmem_test_suite(void)
{
	Suite *suite = suite_create("fault");
	TCase *access = tcase_create("access");
	TCase *handler = tcase_create("handler");
	TCase *signals = tcase_create("signals");

	tcase_add_checked_fixture(access, setup, teardown);
	tcase_add_test(access, guard_pages_on_both_sides_stop_reads_and_writes);
	tcase_add_test(access, unmapped_memory_stops_accesses);
	tcase_add_test(access, read_only_pages_can_be_read_and_not_written);
	tcase_add_test(access, absent_read_only_page_is_not_brought_in_for_a_write);
#ifdef RETURN_CODE
	tcase_add_test(access, code_runs_only_from_executable_pages);
#endif
	tcase_add_test(access, permissions_survive_page_out);
	suite_add_tcase(suite, access);

	tcase_add_checked_fixture(handler, setup, teardown);
	tcase_add_test(handler, handler_runs_in_the_faulting_thread_with_its_mask);
	tcase_add_test(handler, a_thousand_longjmps_out_of_the_handler_leave_no_trace);
	tcase_add_test(handler, thread_whose_handler_returns_ends_alone);
	tcase_add_test(handler, broken_assertions_reach_the_handler_as_panics);
	tcase_add_test(handler, no_frame_left_is_a_panic_in_the_thread_that_needs_one);
	suite_add_tcase(suite, handler);

	tcase_add_checked_fixture(signals, setup, teardown);
	tcase_add_test(signals, faults_that_are_not_ours_reach_the_programs_handler);
	tcase_add_test(signals, blocked_sigsegv_does_not_stop_paging);
	tcase_add_test(signals, sigsegv_blocked_before_boot_is_blocked_after_shutdown);
	tcase_add_test(signals, child_of_a_bare_fork_may_not_touch_the_vm);
	tcase_add_test(signals, errno_survives_faults);
	tcase_add_test(signals, pinned_buffers_may_be_given_to_system_calls);
	tcase_add_test(signals, thread_stacks_may_be_paged_memory);
	suite_add_tcase(suite, signals);
	return suite;
}
