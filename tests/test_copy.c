/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copying from and to memory that may not be there: by the handler of traps, with a vector of this test's own, whose one page comes
 * in when it is touched.
 */
#include "harness.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host/copy.h"
#include "host/memory.h"
#include "host/signals.h"
#include "host/thread.h"
#include "machine/trap.h"

/* An address that no x86-64 has, and one of the host kernel's. */
#define NON_CANONICAL ((char *)0x4b6d200000001000UL)
#define KERNELS ((char *)0xffffffff81000000UL)

static struct harness_leaks leaks;
static size_t page;
static char *memory; /* a page; one that comes in when touched; one that never does; a read-only page; nothing */
static unsigned int served;

static char *absent(void)
{
	return memory + page;
}

static char *missing(void)
{
	return memory + 2 * page;
}

static char *read_only(void)
{
	return memory + 3 * page;
}

static bool vector(struct kmem_trap *trap)
{
	if (trap->addr - (uintptr_t)absent() >= page) {
		return false;
	}
	served++;
	return mprotect(absent(), page, PROT_READ | PROT_WRITE) == 0;
}

static void absent_hide(void)
{
	ck_assert_int_eq(mprotect(absent(), page, PROT_NONE), 0);
}

static void setup(void)
{
	harness_leaks_begin(&leaks);
	page = kmem_host_page_size();
	memory = mmap(NULL, 5 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(memory, MAP_FAILED);
	for (size_t i = 0; i < 5 * page; i++) {
		memory[i] = (char)(i % 251 + 1);
	}
	ck_assert_int_eq(mprotect(missing(), page, PROT_NONE), 0);
	ck_assert_int_eq(mprotect(read_only(), page, PROT_READ), 0);
	ck_assert_int_eq(mprotect(memory + 4 * page, page, PROT_NONE), 0);
	absent_hide();
	served = 0;
	ck_assert_int_eq(kmem_thread_altstack_create(), 0);
	ck_assert_int_eq(kmem_trap_init(vector), 0);
}

static void teardown(void)
{
	kmem_trap_finish();
	kmem_thread_altstack_destroy();
	ck_assert_int_eq(munmap(memory, 5 * page), 0);
	harness_leaks_check(&leaks);
}

START_TEST(copy_is_complete)
{
	static const size_t sizes[] = {0, 1, 2, 7, 8, 9, 63, 64, 65, 300};
	size_t size = sizes[_i];
	char to[512];

	for (size_t skew = 0; skew < 16; skew++) {
		memset(to, 0, sizeof(to));
		ck_assert_uint_eq(kmem_copy(to + 1 + skew, memory + 3 + skew / 2, size), size);
		ck_assert_int_eq(memcmp(to + 1 + skew, memory + 3 + skew / 2, size), 0);
		ck_assert_int_eq(to[skew], 0);
		ck_assert_int_eq(to[1 + skew + size], 0);
	}
	ck_assert_uint_eq(served, 0);
}
END_TEST

START_TEST(absent_page_comes_in)
{
	char bytes[64];

	ck_assert_uint_eq(kmem_copy(bytes, absent() - 32, 64), 64);
	ck_assert_uint_eq(served, 1);
	ck_assert_int_eq(memcmp(bytes, absent() - 32, 64), 0);
	absent_hide();
	memset(bytes, 'x', sizeof(bytes));
	ck_assert_uint_eq(kmem_copy(absent() - 32, bytes, 64), 64);
	ck_assert_uint_eq(served, 2);
	ck_assert_int_eq(memcmp(bytes, absent() - 32, 64), 0);
	absent_hide();
	absent()[9] = '\0';
	ck_assert_uint_eq(served, 3);
	absent_hide();
	ck_assert_int_eq(kmem_copy_strnlen(absent() - 3, 100), 12);
	ck_assert_uint_eq(served, 4);
}
END_TEST

START_TEST(copy_stops_where_memory_ends)
{
	char bytes[128] = "";

	errno = 1234;
	/* On the way through a page that comes in. */
	ck_assert_uint_eq(kmem_copy(bytes, missing() - 40, 100), 40);
	ck_assert_int_eq(memcmp(bytes, missing() - 40, 40), 0);
	ck_assert_int_eq(bytes[40], 0);
	ck_assert_uint_eq(kmem_copy(missing() - 7, bytes, 100), 7);
	ck_assert_uint_eq(kmem_copy(missing(), bytes, 1), 0);
	ck_assert_uint_eq(kmem_copy(bytes, missing(), 1), 0);
	ck_assert_uint_eq(kmem_copy(bytes, read_only() + page - 5, 100), 5);
	ck_assert_uint_eq(kmem_copy(read_only(), bytes, 8), 0);
	ck_assert_uint_eq(kmem_copy(bytes, read_only(), 8), 8);
	ck_assert_int_eq(errno, 1234);
}
END_TEST

START_TEST(addresses_that_cannot_be_are_told)
{
	char *const wrong[] = {NULL, (char *)8, NON_CANONICAL, KERNELS, (char *)UINTPTR_MAX};
	char bytes[8] = "1234567";

	ck_assert_uint_eq(kmem_copy(wrong[_i], bytes, sizeof(bytes)), 0);
	ck_assert_uint_eq(kmem_copy(bytes, wrong[_i], sizeof(bytes)), 0);
	ck_assert_int_eq(kmem_copy_strnlen(wrong[_i], 5), -EFAULT);
	ck_assert_int_eq(kmem_copy_strnlen(wrong[_i], 0), 0);
	ck_assert_uint_eq(kmem_copy(wrong[_i], bytes, 0), 0);
	ck_assert_str_eq(bytes, "1234567");
}
END_TEST

START_TEST(strings_are_measured)
{
	char *last = read_only() + page; /* behind it is nothing */

	ck_assert_int_eq(kmem_copy_strnlen("", 10), 0);
	ck_assert_int_eq(kmem_copy_strnlen("seven..", 10), 7);
	ck_assert_int_eq(kmem_copy_strnlen("seven..", 7), 7);
	ck_assert_int_eq(kmem_copy_strnlen("seven..", 6), 6);
	ck_assert_int_eq(kmem_copy_strnlen(last - 6, 6), 6);
	ck_assert_int_eq(kmem_copy_strnlen(last - 6, 7), -EFAULT);
	ck_assert_int_eq(kmem_copy_strnlen(last, 1), -EFAULT);
	ck_assert_int_eq(mprotect(read_only(), page, PROT_READ | PROT_WRITE), 0);
	last[-1] = '\0';
	ck_assert_int_eq(kmem_copy_strnlen(last - 6, 100), 5);
}
END_TEST

START_TEST(bus_error_stops_too)
{
	int fd = memfd_create("bus", MFD_CLOEXEC);
	char bytes[8];
	char *empty;

	ck_assert_int_ge(fd, 0);
	empty = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ck_assert_ptr_ne(empty, MAP_FAILED);
	ck_assert_uint_eq(kmem_copy(bytes, empty, sizeof(bytes)), 0);
	ck_assert_uint_eq(kmem_copy(empty, bytes, sizeof(bytes)), 0);
	ck_assert_int_eq(kmem_copy_strnlen(empty, 3), -EFAULT);
	ck_assert_int_eq(munmap(empty, page), 0);
	ck_assert_int_eq(close(fd), 0);
}
END_TEST

static sigjmp_buf escape;
static volatile sig_atomic_t called;

static void on_fault(int signo)
{
	called = signo;
	siglongjmp(escape, 1);
}

/* The program's accesses are the program's, and a copy does not call its handler. */
START_TEST(other_instructions_are_left_alone)
{
	const struct sigaction action = {.sa_handler = on_fault};
	char byte;

	ck_assert_int_eq(sigaction(SIGSEGV, &action, NULL), 0);
	ck_assert_uint_eq(kmem_copy(&byte, missing(), 1), 0);
	ck_assert_int_eq(called, 0);
	if (sigsetjmp(escape, 1) == 0) {
		(void)*(volatile char *)missing();
		ck_abort_msg("the page could be read");
	}
	ck_assert_int_eq(called, SIGSEGV);
	ck_assert_uint_eq(kmem_copy(&byte, missing(), 1), 0);
	ck_assert_int_eq(sigaction(SIGSEGV, &(struct sigaction){.sa_handler = SIG_DFL}, NULL), 0);
}
END_TEST

Suite *kmem_test_suite(void)
{
	Suite *suite = suite_create("copy");
	TCase *served_copies = tcase_create("served");
	TCase *ends = tcase_create("ends");

	tcase_add_checked_fixture(served_copies, setup, teardown);
	tcase_add_loop_test(served_copies, copy_is_complete, 0, 10);
	tcase_add_test(served_copies, absent_page_comes_in);
	suite_add_tcase(suite, served_copies);

	/* Elsewhere a bad access is the program's. */
#if defined(__x86_64__)
	tcase_add_checked_fixture(ends, setup, teardown);
	tcase_add_test(ends, copy_stops_where_memory_ends);
	tcase_add_loop_test(ends, addresses_that_cannot_be_are_told, 0, 5);
	tcase_add_test(ends, strings_are_measured);
	tcase_add_test(ends, bus_error_stops_too);
	tcase_add_test(ends, other_instructions_are_left_alone);
#endif
	suite_add_tcase(suite, ends);
	return suite;
}
