/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host room, function by function: memory, files, failure on demand, locks, threads, processes, text, environment,
 * time, pools. Signals have a file of their own, test_signals.c.
 *
 * Every test begins and ends with a snapshot of the process; what the library promises not to touch, errno, is given a
 * value that nobody else uses.
 */
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "host/assert.h"
#include "host/clock.h"
#include "host/env.h"
#include "host/failpoint.h"
#include "host/file.h"
#include "host/lock.h"
#include "host/log.h"
#include "host/memory.h"
#include "host/pool.h"
#include "host/process.h"
#include "host/signals.h"
#include "host/thread.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Descriptors of the library's own begin here, where the limit allows. */
#define DESCRIPTOR_MIN 700

/* An errno that no call sets. */
#define ERRNO_MARK 1234

/* What armed failpoints fail with: no host call in these tests does by itself. */
#define ERROR_MARK EOWNERDEAD

static struct harness_leaks leaks;
static size_t page;

/* How often to repeat something: less where everything is slow. */
static int often(int count)
{
	return harness_on_valgrind() ? count / 20 : count;
}

static void setup(void)
{
	harness_leaks_begin(&leaks);
	page = kmem_host_page_size();
	errno = ERRNO_MARK;
}

static void teardown(void)
{
	(void)kmem_failpoint_arm(0, 0, false);
	harness_leaks_check(&leaks);
}

/* Require a result, and that errno is as it was. */
static void expect_at(int line, const char *what, int got, int wanted)
{
	ck_assert_msg(got == wanted, "line %d: %s is %d, not %d", line, what, got, wanted);
	ck_assert_msg(errno == ERRNO_MARK, "line %d: %s set errno to %d", line, what, errno);
}

#define expect(call, wanted)                                                                                           \
	do {                                                                                                           \
		errno = ERRNO_MARK;                                                                                    \
		expect_at(__LINE__, #call, call, wanted);                                                              \
	} while (0)

/* Require a descriptor, and that errno is as it was. */
static int expect_descriptor_at(int line, const char *what, int got)
{
	ck_assert_msg(got >= 0, "line %d: %s is %d", line, what, got);
	ck_assert_msg(errno == ERRNO_MARK, "line %d: %s set errno to %d", line, what, errno);
	return got;
}

#define expect_descriptor(call) (errno = ERRNO_MARK, expect_descriptor_at(__LINE__, #call, call))

/* The same of a call that returns nothing. */
#define expect_quiet(call)                                                                                             \
	do {                                                                                                           \
		errno = ERRNO_MARK;                                                                                    \
		call;                                                                                                  \
		ck_assert_int_eq(errno, ERRNO_MARK);                                                                   \
	} while (0)

/* The line of /proc/self/maps about an address, up to the name; "" if nothing is mapped there. */
static const char *perms_at(uintptr_t addr)
{
	static char perms[8];
	char line[512];
	FILE *maps = fopen("/proc/self/maps", "re");

	ck_assert_ptr_nonnull(maps);
	perms[0] = '\0';
	while (fgets(line, sizeof(line), maps) != NULL) {
		uintptr_t start;
		uintptr_t end;
		char found[8];

		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %7s", &start, &end, found) == 3 && start <= addr &&
		    addr < end) {
			strcpy(perms, found);
		}
	}
	fclose(maps);
	return perms;
}

/* An address where this many bytes are free. */
static uintptr_t free_range(size_t size)
{
	void *addr = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	ck_assert_ptr_ne(addr, MAP_FAILED);
	ck_assert_int_eq(munmap(addr, size), 0);
	return (uintptr_t)addr;
}

static uintptr_t reserved_range(size_t size)
{
	uintptr_t addr = free_range(size);

	expect(kmem_host_range_reserve(addr, size), 0);
	return addr;
}

static bool has_room_for_high_descriptors(void)
{
	struct rlimit limit;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	return limit.rlim_cur > DESCRIPTOR_MIN + 8;
}

/* A descriptor of the library's: close-on-exec, and out of the way. */
static void expect_own_descriptor(int fd)
{
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	if (has_room_for_high_descriptors()) {
		ck_assert_int_ge(fd, DESCRIPTOR_MIN);
	}
}

/* Memory. */

START_TEST(page_size_is_the_hosts)
{
	ck_assert_uint_eq(kmem_host_page_size(), (size_t)getpagesize());
}
END_TEST

START_TEST(reserved_range_is_there_and_inaccessible)
{
	uintptr_t addr = reserved_range(16 * page);

	for (size_t i = 0; i < 16; i++) {
		ck_assert_str_eq(perms_at(addr + i * page), "---p");
	}
	expect(kmem_host_range_release(addr, 16 * page), 0);
	for (size_t i = 0; i < 16; i++) {
		ck_assert_str_eq(perms_at(addr + i * page), "");
	}
}
END_TEST

START_TEST(reserving_what_is_taken_fails_and_leaves_it)
{
	/* In pages: the attempt, around [4, 8), which is taken. */
	static const struct {
		size_t start, count;
	} attempts[] = {{4, 4}, {4, 1}, {7, 1}, {5, 2}, {0, 5}, {7, 5}, {0, 12}};
	size_t start = attempts[_i].start;
	size_t count = attempts[_i].count;
	uintptr_t addr = free_range(12 * page);
	uintptr_t taken = addr + 4 * page;

	expect(kmem_host_range_reserve(taken, 4 * page), 0);
	expect(kmem_host_range_protect(taken, 4 * page, KMEM_PROT_READ | KMEM_PROT_WRITE), 0);
	memset((void *)taken, 0x5a, 4 * page);
	expect(kmem_host_range_reserve(addr + start * page, count * page), -EEXIST);
	for (size_t i = 0; i < 12; i++) {
		bool is_taken = i >= 4 && i < 8;

		ck_assert_str_eq(perms_at(addr + i * page), is_taken ? "rw-p" : "");
	}
	for (size_t i = 0; i < 4 * page; i++) {
		ck_assert_uint_eq(((unsigned char *)taken)[i], 0x5a);
	}
	expect(kmem_host_range_release(taken, 4 * page), 0);
}
END_TEST

START_TEST(large_reservation_is_not_committed)
{
	size_t size = (size_t)1 << (harness_on_valgrind() ? 32 : 36);
	uintptr_t addr = reserved_range(size);

	ck_assert_str_eq(perms_at(addr), "---p");
	ck_assert_str_eq(perms_at(addr + size - page), "---p");
	expect(kmem_host_range_release(addr, size), 0);
}
END_TEST

START_TEST(reservation_beyond_the_address_space_fails)
{
	uintptr_t addr = free_range(page);
	int ret;

	errno = ERRNO_MARK;
	ret = kmem_host_range_reserve(addr, (size_t)1 << 62);
	ck_assert_int_lt(ret, 0);
	ck_assert_int_eq(errno, ERRNO_MARK);
}
END_TEST

START_TEST(release_takes_whatever_is_mapped)
{
	int fd = expect_descriptor(kmem_host_memfd_create("release", 2 * page));
	uintptr_t addr = reserved_range(6 * page);

	expect(kmem_host_file_map(addr + page, 2 * page, fd, 0, KMEM_PROT_READ), 0);
	expect(kmem_host_range_release(addr, 6 * page), 0);
	ck_assert_str_eq(perms_at(addr), "");
	ck_assert_str_eq(perms_at(addr + page), "");
	/* Nothing is there: nothing to do. */
	expect(kmem_host_range_release(addr, 6 * page), 0);
	expect(kmem_host_range_release(addr + 1, page), -EINVAL);
	kmem_host_file_close(fd);
}
END_TEST

START_TEST(concealed_range_is_inaccessible_and_its_file_keeps_the_bytes)
{
	int fd = expect_descriptor(kmem_host_memfd_create("conceal", 3 * page));
	uintptr_t addr = reserved_range(3 * page);
	char byte;

	expect(kmem_host_file_map(addr, 3 * page, fd, 0, KMEM_PROT_READ | KMEM_PROT_WRITE), 0);
	memset((void *)addr, 'x', 3 * page);
	expect(kmem_host_range_conceal(addr + page, page), 0);
	ck_assert_str_eq(perms_at(addr), "rw-s");
	ck_assert_str_eq(perms_at(addr + page), "---p");
	ck_assert_str_eq(perms_at(addr + 2 * page), "rw-s");
	ck_assert_int_eq(pread(fd, &byte, 1, (off_t)page), 1);
	ck_assert_int_eq(byte, 'x');
	/* Mapped again, it is the file's page and no copy. */
	expect(kmem_host_file_map(addr + page, page, fd, page, KMEM_PROT_READ), 0);
	ck_assert_int_eq(*(volatile char *)(addr + page), 'x');
	expect(kmem_host_range_conceal(addr, 3 * page), 0);
	ck_assert_str_eq(perms_at(addr + 2 * page), "---p");
	expect(kmem_host_range_release(addr, 3 * page), 0);
	kmem_host_file_close(fd);
}
END_TEST

START_TEST(protection_is_what_was_asked_for)
{
	static const struct {
		unsigned int prot;
		const char *perms;
	} rows[] = {
		{KMEM_PROT_NONE, "---p"},
		{KMEM_PROT_READ, "r--p"},
		{KMEM_PROT_READ | KMEM_PROT_WRITE, "rw-p"},
		{KMEM_PROT_READ | KMEM_PROT_EXEC, "r-xp"},
	};
	uintptr_t addr = reserved_range(3 * page);

	for (size_t i = 0; i < COUNT(rows); i++) {
		expect(kmem_host_range_protect(addr + page, page, rows[i].prot), 0);
		ck_assert_str_eq(perms_at(addr + page), rows[i].perms);
		ck_assert_str_eq(perms_at(addr), "---p");
		ck_assert_str_eq(perms_at(addr + 2 * page), "---p");
	}
	expect(kmem_host_range_release(addr + page, 2 * page), 0);
	expect(kmem_host_range_protect(addr + page, page, KMEM_PROT_READ), -ENOMEM);
	expect(kmem_host_range_protect(addr + 1, page, KMEM_PROT_READ), -EINVAL);
	expect(kmem_host_range_release(addr, page), 0);
}
END_TEST

/* Whether a child has something mapped at an address. */
static bool child_has(uintptr_t addr)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		_exit(perms_at(addr)[0] != '\0' ? 1 : 0);
	}
	ck_assert_int_gt(child, 0);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status) == 1;
}

START_TEST(range_is_kept_out_of_children)
{
	uintptr_t addr = reserved_range(2 * page);

	ck_assert(child_has(addr));
	expect(kmem_host_range_dontfork(addr, page, true), 0);
	ck_assert(!child_has(addr));
	ck_assert(child_has(addr + page));
	expect(kmem_host_range_dontfork(addr, page, false), 0);
	ck_assert(child_has(addr));
	expect(kmem_host_range_release(addr, 2 * page), 0);
	expect(kmem_host_range_dontfork(addr, page, true), -ENOMEM);
}
END_TEST

/* Whether the mapping that begins at an address has a flag in /proc/self/smaps. */
static bool has_vm_flag(uintptr_t addr, const char *flag)
{
	FILE *maps = fopen("/proc/self/smaps", "re");
	char line[1024];
	bool is_here = false;
	bool has = false;

	ck_assert_ptr_nonnull(maps);
	while (fgets(line, sizeof(line), maps) != NULL) {
		uintptr_t start;
		uintptr_t end;

		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " ", &start, &end) == 2) {
			is_here = start <= addr && addr < end;
		} else if (is_here && strncmp(line, "VmFlags:", 8) == 0) {
			has = strstr(line, flag) != NULL;
		}
	}
	fclose(maps);
	return has;
}

START_TEST(range_is_kept_out_of_core_files)
{
	uintptr_t addr = reserved_range(2 * page);

	ck_assert(!has_vm_flag(addr, " dd"));
	expect(kmem_host_range_dontdump(addr, page), 0);
	ck_assert(has_vm_flag(addr, " dd"));
	ck_assert(!has_vm_flag(addr + page, " dd"));
	expect(kmem_host_range_release(addr, 2 * page), 0);
	expect(kmem_host_range_dontdump(addr, page), -ENOMEM);
}
END_TEST

START_TEST(file_is_mapped_where_and_as_asked)
{
	int fd = expect_descriptor(kmem_host_memfd_create("map", 4 * page));
	uintptr_t addr = reserved_range(4 * page);
	volatile char *bytes = (char *)addr;

	for (size_t i = 0; i < 4; i++) {
		char mark = (char)('a' + i);

		ck_assert_int_eq(pwrite(fd, &mark, 1, (off_t)(i * page)), 1);
	}
	/* Pages 2 and 1 of the file in pages 0 and 3 of the range. */
	expect(kmem_host_file_map(addr, page, fd, 2 * page, KMEM_PROT_READ | KMEM_PROT_WRITE), 0);
	expect(kmem_host_file_map(addr + 3 * page, page, fd, page, KMEM_PROT_READ), 0);
	ck_assert_int_eq(bytes[0], 'c');
	ck_assert_int_eq(bytes[3 * page], 'b');
	ck_assert_str_eq(perms_at(addr), "rw-s");
	ck_assert_str_eq(perms_at(addr + page), "---p");
	ck_assert_str_eq(perms_at(addr + 3 * page), "r--s");
	bytes[1] = 'z';
	char byte;

	ck_assert_int_eq(pread(fd, &byte, 1, (off_t)(2 * page + 1)), 1);
	ck_assert_int_eq(byte, 'z');
	expect(kmem_host_file_map(addr, page, fd, 0, KMEM_PROT_NONE), 0);
	ck_assert_str_eq(perms_at(addr), "---s");

	/* Errors leave what is there. */
	expect(kmem_host_file_map(addr + 3 * page, page, -1, 0, KMEM_PROT_READ), -EBADF);
	expect(kmem_host_file_map(addr + 3 * page, page, fd, 1, KMEM_PROT_READ), -EINVAL);
	ck_assert_int_eq(bytes[3 * page], 'b');
	expect(kmem_host_range_release(addr, 4 * page), 0);
	kmem_host_file_close(fd);
}
END_TEST

START_TEST(file_is_mapped_anywhere)
{
	int fd = expect_descriptor(kmem_host_memfd_create("anywhere", 2 * page));
	void *one;
	void *two;

	expect(kmem_host_file_map_anywhere(&one, 2 * page, fd), 0);
	expect(kmem_host_file_map_anywhere(&two, 2 * page, fd), 0);
	ck_assert_ptr_nonnull(one);
	ck_assert_ptr_ne(one, two);
	ck_assert_str_eq(perms_at((uintptr_t)one), "rw-s");
	memset(one, 'q', 2 * page);
	ck_assert_mem_eq(one, two, 2 * page);
	expect(kmem_host_range_release((uintptr_t)one, 2 * page), 0);
	expect(kmem_host_range_release((uintptr_t)two, 2 * page), 0);
	kmem_host_file_close(fd);
	expect(kmem_host_file_map_anywhere(&one, page, -1), -EBADF);
}
END_TEST

START_TEST(memory_file_has_its_size_and_no_blocks)
{
	size_t size = (size_t)1 << 33;
	int fd = expect_descriptor(kmem_host_memfd_create("sparse", size));
	struct stat status;
	char link[64];
	char name[64] = "";

	expect_own_descriptor(fd);
	ck_assert_int_eq(fstat(fd, &status), 0);
	ck_assert_uint_eq((size_t)status.st_size, size);
	ck_assert_int_eq(status.st_blocks, 0);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ck_assert_int_gt(readlink(link, name, sizeof(name) - 1), 0);
	ck_assert_str_eq(name, "/memfd:sparse (deleted)");
	kmem_host_file_close(fd);
}
END_TEST

START_TEST(memory_file_errors_leave_no_descriptor)
{
	char name[300];
	int ret;

	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	expect(kmem_host_memfd_create(name, page), -EINVAL);
	errno = ERRNO_MARK;
	ret = kmem_host_memfd_create("too large", SIZE_MAX - page + 1);
	ck_assert_int_lt(ret, 0);
	ck_assert_int_eq(errno, ERRNO_MARK);
}
END_TEST

START_TEST(descriptor_is_low_where_the_limit_is)
{
	struct rlimit before;
	struct rlimit low;
	char path[] = "/tmp/kmem-host-XXXXXX";
	int fd;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	low = before;
	low.rlim_cur = 100;
	ck_assert_ptr_nonnull(mkdtemp(path));
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &low), 0);
	fd = expect_descriptor(kmem_host_memfd_create("low", page));
	ck_assert_int_lt(fd, 100);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	kmem_host_file_close(fd);
	fd = expect_descriptor(kmem_host_file_temporary(path));
	ck_assert_int_lt(fd, 100);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	kmem_host_file_close(fd);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	ck_assert_int_eq(rmdir(path), 0);
}
END_TEST

START_TEST(populated_range_has_blocks)
{
	int fd = expect_descriptor(kmem_host_memfd_create("populate", 64 * page));
	size_t usage;
	struct stat status;

	expect(kmem_host_memfd_populate(fd, 8 * page, 4 * page), 0);
	expect(kmem_host_file_usage(fd, &usage), 0);
	ck_assert_uint_ge(usage, 4 * page);
	ck_assert_uint_lt(usage, 64 * page);
	ck_assert_int_eq(fstat(fd, &status), 0);
	ck_assert_uint_eq((size_t)status.st_size, 64 * page);
	expect(kmem_host_memfd_populate(fd, 0, 0), -EINVAL);
	kmem_host_file_close(fd);
	expect(kmem_host_memfd_populate(-1, 0, page), -EBADF);
}
END_TEST

START_TEST(memory_is_zeroed_and_writable)
{
	const size_t sizes[] = {page, 7 * page, (size_t)1 << 28};
	void *memory;
	char *bytes;

	for (size_t i = 0; i < COUNT(sizes); i++) {
		expect(kmem_host_memory_get(&memory, sizes[i]), 0);
		bytes = memory;
		ck_assert_str_eq(perms_at((uintptr_t)bytes), "rw-p");
		ck_assert_str_eq(perms_at((uintptr_t)bytes + sizes[i] - 1), "rw-p");
		for (size_t offset = 0; offset < sizes[i]; offset += 64 * page) {
			ck_assert_int_eq(bytes[offset], 0);
			bytes[offset] = 1;
		}
		bytes[sizes[i] - 1] = 1;
		expect_quiet(kmem_host_memory_free(memory, sizes[i]));
		ck_assert_str_eq(perms_at((uintptr_t)bytes), "");
	}
	ck_assert_int_lt(kmem_host_memory_get(&memory, (size_t)1 << 62), 0);
	ck_assert_int_eq(errno, ERRNO_MARK);
}
END_TEST

/* Lines of /proc/self/maps. */
static size_t mappings_count(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	size_t count = 0;
	char line[512];

	ck_assert_ptr_nonnull(maps);
	while (fgets(line, sizeof(line), maps) != NULL) {
		count++;
	}
	fclose(maps);
	return count;
}

START_TEST(spare_mappings_are_many_and_go_at_once)
{
	size_t before = mappings_count();
	void *spare;

	expect(kmem_host_spare_get(&spare), 0);
	ck_assert_ptr_nonnull(spare);
	ck_assert_uint_ge(mappings_count(), before + 8);
	expect_quiet(kmem_host_spare_free(spare));
	for (size_t i = 0; i < 16; i++) {
		ck_assert_str_eq(perms_at((uintptr_t)spare + i * page), "");
	}
}
END_TEST

/* Files. */

/* A directory of the test's own, and names in it. */
static char directory[64];

static const char *name_in(const char *name)
{
	static char path[2][128];
	static unsigned int turn;
	char *text = path[turn++ % 2];

	snprintf(text, sizeof(path[0]), "%s/%s", directory, name);
	return text;
}

static void file_setup(void)
{
	strcpy(directory, "/tmp/kmem-host-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	setup();
}

/* The directory must be empty by then. */
static void file_teardown(void)
{
	teardown();
	ck_assert_msg(rmdir(directory) == 0, "%s: %s", directory, strerror(errno));
}

/* Make a file with the C library. */
static void make_file(const char *name, const char *text)
{
	FILE *file = fopen(name_in(name), "we");

	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
}

static void expect_content(const char *name, const char *wanted)
{
	FILE *file = fopen(name_in(name), "re");
	char text[256];
	size_t length;

	ck_assert_ptr_nonnull(file);
	length = fread(text, 1, sizeof(text) - 1, file);
	text[length] = '\0';
	fclose(file);
	ck_assert_str_eq(text, wanted);
}

/* A descriptor's file: mode, links, and how it may be used. */
static void expect_file(int fd, mode_t mode, nlink_t links, int access)
{
	struct stat status;

	ck_assert_int_eq(fstat(fd, &status), 0);
	ck_assert(S_ISREG(status.st_mode));
	ck_assert_uint_eq(status.st_mode & 07777, mode);
	ck_assert_uint_eq(status.st_nlink, links);
	ck_assert_int_eq(status.st_size, 0);
	ck_assert_int_eq(fcntl(fd, F_GETFL) & O_ACCMODE, access);
	expect_own_descriptor(fd);
}

/* Whether a descriptor's file is, or was, in a directory. */
static bool is_in(int fd, const char *dir)
{
	char link[64];
	char name[512] = "";

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ck_assert_int_gt(readlink(link, name, sizeof(name) - 1), 0);
	return strncmp(name, dir, strlen(dir)) == 0 && name[strlen(dir)] == '/';
}

START_TEST(temporary_file_is_private_and_unlinked)
{
	/* 0: as the file system likes; 1: without O_TMPFILE, where only the name can be unlinked. */
	mode_t mask = umask(0);
	int fd;
	int other;

	(void)kmem_failpoint_arm(_i == 0 ? 0 : 1, EOPNOTSUPP, false);
	fd = expect_descriptor(kmem_host_file_temporary(directory));
	(void)kmem_failpoint_arm(_i == 0 ? 0 : 1, EISDIR, false);
	other = expect_descriptor(kmem_host_file_temporary(directory));
	(void)kmem_failpoint_arm(0, 0, false);
	umask(mask);
	ck_assert_int_ne(fd, other);
	expect_file(fd, 0600, 0, O_RDWR);
	expect_file(other, 0600, 0, O_RDWR);
	ck_assert(is_in(fd, directory));
	expect(kmem_host_file_write(fd, "one", 3, 0), 0);
	expect_file(other, 0600, 0, O_RDWR);
	kmem_host_file_close(fd);
	kmem_host_file_close(other);
}
END_TEST

START_TEST(temporary_name_that_is_taken_is_passed_over)
{
	int fd;

	/* O_TMPFILE fails, and the first names that are tried exist. */
	(void)kmem_failpoint_arm(1, EOPNOTSUPP, false);
	fd = expect_descriptor(kmem_host_file_temporary(directory));
	kmem_host_file_close(fd);
	for (unsigned int serial = 0; serial < 20; serial++) {
		char name[64];

		snprintf(name, sizeof(name), "kmem-%d-%u", (int)getpid(), serial);
		make_file(name, "mine");
	}
	(void)kmem_failpoint_arm(1, EOPNOTSUPP, false);
	fd = expect_descriptor(kmem_host_file_temporary(directory));
	(void)kmem_failpoint_arm(0, 0, false);
	expect_file(fd, 0600, 0, O_RDWR);
	kmem_host_file_close(fd);
	for (unsigned int serial = 0; serial < 20; serial++) {
		char name[64];

		snprintf(name, sizeof(name), "kmem-%d-%u", (int)getpid(), serial);
		expect_content(name, "mine");
		ck_assert_int_eq(unlink(name_in(name)), 0);
	}
}
END_TEST

START_TEST(temporary_directory_comes_from_the_environment)
{
	const char *present = getenv("TMPDIR");
	char *kept = present != NULL ? strdup(present) : NULL;
	int fd;

	ck_assert_int_eq(setenv("TMPDIR", directory, 1), 0);
	fd = expect_descriptor(kmem_host_file_temporary(NULL));
	ck_assert(is_in(fd, directory));
	kmem_host_file_close(fd);
	fd = expect_descriptor(kmem_host_file_temporary("/tmp"));
	ck_assert(!is_in(fd, directory));
	kmem_host_file_close(fd);
	ck_assert_int_eq(setenv("TMPDIR", name_in("absent"), 1), 0);
	expect(kmem_host_file_temporary(NULL), -ENOENT);

	ck_assert_int_eq(setenv("TMPDIR", "", 1), 0);
	fd = expect_descriptor(kmem_host_file_temporary(NULL));
	ck_assert(is_in(fd, "/var/tmp"));
	kmem_host_file_close(fd);
	ck_assert_int_eq(unsetenv("TMPDIR"), 0);
	fd = expect_descriptor(kmem_host_file_temporary(NULL));
	ck_assert(is_in(fd, "/var/tmp"));
	kmem_host_file_close(fd);
	/* The next best, where that cannot be used. */
	(void)kmem_failpoint_arm(1, EACCES, false);
	fd = expect_descriptor(kmem_host_file_temporary(NULL));
	ck_assert(kmem_failpoint_was_hit());
	(void)kmem_failpoint_arm(0, 0, false);
	ck_assert(is_in(fd, "/tmp"));
	kmem_host_file_close(fd);
	if (kept != NULL) {
		ck_assert_int_eq(setenv("TMPDIR", kept, 1), 0);
		free(kept);
	}
}
END_TEST

START_TEST(temporary_file_needs_a_directory)
{
	expect(kmem_host_file_temporary(name_in("absent")), -ENOENT);
	make_file("file", "");
	expect(kmem_host_file_temporary(name_in("file")), -ENOTDIR);
	ck_assert_int_eq(unlink(name_in("file")), 0);
}
END_TEST

START_TEST(created_file_is_private_and_new)
{
	mode_t mask = umask(0);
	int fd = expect_descriptor(kmem_host_file_create(name_in("new")));

	umask(mask);
	expect_file(fd, 0600, 1, O_RDWR);
	expect(kmem_host_file_write(fd, "text", 4, 0), 0);
	kmem_host_file_close(fd);
	expect_content("new", "text");
	expect_quiet(kmem_host_file_remove(name_in("new")));
}
END_TEST

START_TEST(create_refuses_what_exists)
{
	make_file("there", "theirs");
	ck_assert_int_eq(symlink("nowhere", name_in("link")), 0);
	expect(kmem_host_file_create(name_in("there")), -EEXIST);
	expect(kmem_host_file_create(name_in("link")), -EEXIST);
	expect(kmem_host_file_create(directory), -EEXIST);
	expect(kmem_host_file_create(name_in("absent/new")), -ENOENT);
	expect(kmem_host_file_create(name_in("there/new")), -ENOTDIR);
	expect_content("there", "theirs");
	ck_assert_int_eq(unlink(name_in("there")), 0);
	ck_assert_int_eq(unlink(name_in("link")), 0);
}
END_TEST

START_TEST(report_is_created_or_truncated)
{
	mode_t mask = umask(022);
	int fd = expect_descriptor(kmem_host_file_report(name_in("report")));

	umask(mask);
	expect_file(fd, 0644, 1, O_WRONLY);
	expect(kmem_host_file_append(fd, "a long report", 13), 0);
	kmem_host_file_close(fd);
	fd = expect_descriptor(kmem_host_file_report(name_in("report")));
	expect_file(fd, 0644, 1, O_WRONLY);
	expect(kmem_host_file_append(fd, "short", 5), 0);
	kmem_host_file_close(fd);
	expect_content("report", "short");
	expect(kmem_host_file_report(directory), -EISDIR);
	expect(kmem_host_file_report(name_in("absent/report")), -ENOENT);
	ck_assert_int_eq(unlink(name_in("report")), 0);
}
END_TEST

START_TEST(path_is_made_absolute)
{
	char before[4096];
	char absolute[4096];
	size_t length = strlen(directory);

	ck_assert_ptr_nonnull(getcwd(before, sizeof(before)));
	ck_assert_int_eq(chdir(directory), 0);
	expect(kmem_host_path_absolute("/a/path", absolute, sizeof(absolute)), 0);
	ck_assert_str_eq(absolute, "/a/path");
	expect(kmem_host_path_absolute("name", absolute, sizeof(absolute)), 0);
	ck_assert_str_eq(absolute, name_in("name"));
	expect(kmem_host_path_absolute("dir/name", absolute, sizeof(absolute)), 0);
	ck_assert_str_eq(absolute, name_in("dir/name"));
	/* Just enough room, and a byte less. */
	expect(kmem_host_path_absolute("name", absolute, length + 6), 0);
	ck_assert_str_eq(absolute, name_in("name"));
	expect(kmem_host_path_absolute("name", absolute, length + 5), -ENAMETOOLONG);
	expect(kmem_host_path_absolute("/a/path", absolute, 8), 0);
	expect(kmem_host_path_absolute("/a/path", absolute, 7), -ENAMETOOLONG);
	ck_assert_int_eq(chdir("/"), 0);
	expect(kmem_host_path_absolute("name", absolute, sizeof(absolute)), 0);
	ck_assert_str_eq(absolute, "/name");

	/* No working directory: as it is. */
	ck_assert_int_eq(mkdir(name_in("gone"), 0700), 0);
	ck_assert_int_eq(chdir(name_in("gone")), 0);
	ck_assert_int_eq(rmdir(name_in("gone")), 0);
	expect(kmem_host_path_absolute("name", absolute, sizeof(absolute)), 0);
	ck_assert_str_eq(absolute, "name");
	ck_assert_int_eq(chdir(before), 0);
}
END_TEST

START_TEST(removed_file_is_gone)
{
	make_file("file", "");
	expect_quiet(kmem_host_file_remove(name_in("file")));
	ck_assert_int_eq(access(name_in("file"), F_OK), -1);
	expect_quiet(kmem_host_file_remove(name_in("file")));
}
END_TEST

START_TEST(closed_descriptor_is_closed)
{
	int fd = expect_descriptor(kmem_host_file_temporary(directory));

	expect_quiet(kmem_host_file_close(fd));
	ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
	expect_quiet(kmem_host_file_close(fd));
	expect_quiet(kmem_host_file_close(-1));
}
END_TEST

START_TEST(bytes_are_read_where_they_were_written)
{
	size_t size = 5 * 1000 * 1000 + 3;
	int fd = expect_descriptor(kmem_host_file_temporary(directory));
	uint64_t state = harness_seed();
	char *written = malloc(size);
	char *got = malloc(size);

	ck_assert_ptr_nonnull(written);
	ck_assert_ptr_nonnull(got);
	for (size_t i = 0; i < size; i++) {
		written[i] = (char)harness_random(&state);
	}
	expect(kmem_host_file_write(fd, written, size, 12345), 0);
	expect(kmem_host_file_read(fd, got, size, 12345), 0);
	ck_assert(memcmp(written, got, size) == 0);
	expect(kmem_host_file_read(fd, got, 100, 12345 + 777), 0);
	ck_assert(memcmp(written + 777, got, 100) == 0);
	/* What was skipped is a hole of zeros. */
	expect(kmem_host_file_read(fd, got, 12345, 0), 0);
	for (size_t i = 0; i < 12345; i++) {
		ck_assert_int_eq(got[i], 0);
	}
	/* The descriptor's own offset is nobody's business. */
	ck_assert_int_eq(lseek(fd, 0, SEEK_CUR), 0);
	kmem_host_file_close(fd);
	free(written);
	free(got);
}
END_TEST

START_TEST(reading_past_the_end_is_an_error)
{
	int fd = expect_descriptor(kmem_host_file_temporary(directory));
	char buffer[200] = {0};

	expect(kmem_host_file_read(fd, buffer, 1, 0), -EIO);
	expect(kmem_host_file_write(fd, buffer, 100, 0), 0);
	expect(kmem_host_file_read(fd, buffer, 100, 0), 0);
	expect(kmem_host_file_read(fd, buffer, 101, 0), -EIO);
	expect(kmem_host_file_read(fd, buffer, 2, 99), -EIO);
	expect(kmem_host_file_read(fd, buffer, 1, 100), -EIO);
	expect(kmem_host_file_read(fd, buffer, 1, 1 << 20), -EIO);
	expect(kmem_host_file_read(fd, buffer, 0, 100), 0);
	kmem_host_file_close(fd);
}
END_TEST

START_TEST(transfers_tell_the_hosts_error)
{
	int full = open("/dev/full", O_RDWR | O_CLOEXEC);
	int only = open("/dev/null", O_WRONLY | O_CLOEXEC);
	int ends[2];
	char byte = 0;

	ck_assert_int_ge(full, 0);
	ck_assert_int_ge(only, 0);
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	expect(kmem_host_file_read(-1, &byte, 1, 0), -EBADF);
	expect(kmem_host_file_write(-1, &byte, 1, 0), -EBADF);
	expect(kmem_host_file_append(-1, &byte, 1), -EBADF);
	expect(kmem_host_file_append(-1, &byte, 0), 0);
	expect(kmem_host_file_read(only, &byte, 1, 0), -EBADF);
	expect(kmem_host_file_write(full, &byte, 1, 0), -ENOSPC);
	expect(kmem_host_file_append(full, &byte, 1), -ENOSPC);
	expect(kmem_host_file_write(ends[1], &byte, 1, 0), -ESPIPE);
	expect(kmem_host_file_read(ends[0], &byte, 1, 0), -ESPIPE);
	expect(kmem_host_file_read(full, &byte, 1, (size_t)1 << 63), -EINVAL);
	close(full);
	close(only);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

/* Read a pipe to its end, slowly at first; the sum of the bytes. */
static void *pipe_drain(void *arg)
{
	int fd = *(int *)arg;
	unsigned char buffer[3000];
	uintptr_t sum = 0;
	ssize_t length;

	while ((length = read(fd, buffer, sizeof(buffer))) != 0) {
		for (ssize_t i = 0; i < length; i++) {
			sum += buffer[i];
		}
		if (length < 0 && errno != EINTR) {
			break;
		}
	}
	return (void *)sum;
}

static void on_alarm(int signo)
{
	(void)signo;
}

START_TEST(all_is_appended_in_spite_of_interruptions)
{
	const struct sigaction action = {.sa_handler = on_alarm}; /* no SA_RESTART */
	const struct timeval period = {.tv_usec = harness_on_valgrind() ? 20000 : 500};
	const struct itimerval always = {.it_value = period, .it_interval = period};
	const struct itimerval never = {.it_value = {.tv_usec = 0}};
	size_t size = (size_t)often(8 << 20);
	struct sigaction old;
	unsigned char *bytes = malloc(size);
	uintptr_t sum = 0;
	pthread_t reader;
	sigset_t set;
	void *got;
	int ends[2];

	ck_assert_ptr_nonnull(bytes);
	for (size_t i = 0; i < size; i++) {
		bytes[i] = (unsigned char)(i * 7);
		sum += bytes[i];
	}
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	ck_assert_int_eq(sigaction(SIGALRM, &action, &old), 0);
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	ck_assert_int_eq(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
	ck_assert_int_eq(pthread_create(&reader, NULL, pipe_drain, &ends[0]), 0);
	ck_assert_int_eq(pthread_sigmask(SIG_UNBLOCK, &set, NULL), 0);
	ck_assert_int_eq(setitimer(ITIMER_REAL, &always, NULL), 0);
	expect(kmem_host_file_append(ends[1], bytes, size), 0);
	ck_assert_int_eq(setitimer(ITIMER_REAL, &never, NULL), 0);
	close(ends[1]);
	ck_assert_int_eq(pthread_join(reader, &got), 0);
	ck_assert_uint_eq((uintptr_t)got, sum);
	close(ends[0]);
	ck_assert_int_eq(sigaction(SIGALRM, &old, NULL), 0);
	free(bytes);
}
END_TEST

START_TEST(append_to_a_pipe_without_reader_or_room_fails)
{
	const struct sigaction ignore = {.sa_handler = SIG_IGN};
	struct sigaction old;
	char buffer[4096] = {0};
	int ret = 0;
	int ends[2];

	ck_assert_int_eq(sigaction(SIGPIPE, &ignore, &old), 0);
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	errno = ERRNO_MARK;
	for (int i = 0; i < 100000 && ret == 0; i++) {
		ret = kmem_host_file_append(ends[1], buffer, sizeof(buffer));
	}
	ck_assert_int_eq(ret, -EAGAIN);
	ck_assert_int_eq(errno, ERRNO_MARK);
	close(ends[0]);
	expect(kmem_host_file_append(ends[1], buffer, 1), -EPIPE);
	close(ends[1]);
	ck_assert_int_eq(sigaction(SIGPIPE, &old, NULL), 0);
}
END_TEST

/* Require that a file has exactly these bytes. */
static void expect_bytes(int fd, const char *bytes, size_t size)
{
	struct stat status;
	char *got = malloc(size + 1);

	ck_assert_ptr_nonnull(got);
	ck_assert_int_eq(fstat(fd, &status), 0);
	ck_assert_uint_eq((size_t)status.st_size, size);
	expect(kmem_host_file_read(fd, got, size, 0), 0);
	ck_assert(memcmp(got, bytes, size) == 0);
	free(got);
}

START_TEST(copy_keeps_the_bytes)
{
	static const size_t sizes[] = {0, 1, 100, 4095, 4096, 8191, 8192, 8193, 100000};
	size_t size = sizes[_i];
	size_t whole = size + 5000;
	int from = expect_descriptor(kmem_host_file_temporary(directory));
	int to = expect_descriptor(kmem_host_file_temporary(directory));
	uint64_t state = harness_seed();
	char *bytes = malloc(whole);

	ck_assert_ptr_nonnull(bytes);
	for (size_t i = 0; i < whole; i++) {
		bytes[i] = (char)harness_random(&state);
	}
	/* More than is to be copied stays behind. */
	expect(kmem_host_file_write(from, bytes, whole, 0), 0);
	expect(kmem_host_file_copy(from, to, size), 0);
	expect_bytes(to, bytes, size);
	expect_bytes(from, bytes, whole);
	kmem_host_file_close(from);
	kmem_host_file_close(to);
	free(bytes);
}
END_TEST

START_TEST(copy_keeps_holes)
{
	static const char mark[] = "data between holes";
	size_t size = (size_t)64 << 20;
	int from = expect_descriptor(kmem_host_memfd_create("from", size));
	int to = expect_descriptor(kmem_host_memfd_create("to", 0));
	char text[sizeof(mark)];
	struct stat status;
	size_t usage;

	for (size_t at = 100; at < size; at += size / 7) {
		expect(kmem_host_file_write(from, mark, sizeof(mark), at), 0);
	}
	expect(kmem_host_file_copy(from, to, size), 0);
	ck_assert_int_eq(fstat(to, &status), 0);
	ck_assert_uint_eq((size_t)status.st_size, size);
	expect(kmem_host_file_usage(to, &usage), 0);
	ck_assert_uint_gt(usage, 0);
	ck_assert_uint_le(usage, 8 * 2 * page);
	for (size_t at = 100; at < size; at += size / 7) {
		expect(kmem_host_file_read(to, text, sizeof(text), at), 0);
		ck_assert_str_eq(text, mark);
		expect(kmem_host_file_read(to, text, 1, at + 3 * page), 0);
		ck_assert_int_eq(text[0], 0);
	}
	kmem_host_file_close(from);
	kmem_host_file_close(to);
}
END_TEST

START_TEST(copy_replaces_what_the_other_file_had)
{
	size_t size = 8 * page;
	int from = expect_descriptor(kmem_host_memfd_create("from", size));
	int to = expect_descriptor(kmem_host_memfd_create("to", 0));
	char *old = malloc(2 * size);
	char *bytes = calloc(1, size);

	ck_assert_ptr_nonnull(old);
	ck_assert_ptr_nonnull(bytes);
	memset(old, 'o', 2 * size);
	expect(kmem_host_file_write(to, old, 2 * size, 0), 0);
	/* A hole, a page, a hole. */
	memset(bytes + 3 * page, 'n', page);
	expect(kmem_host_file_write(from, bytes + 3 * page, page, 3 * page), 0);
	expect(kmem_host_file_copy(from, to, size), 0);
	expect_bytes(to, bytes, size);
	kmem_host_file_close(from);
	kmem_host_file_close(to);
	free(old);
	free(bytes);
}
END_TEST

START_TEST(copy_tells_every_error)
{
	int from = expect_descriptor(kmem_host_file_temporary(directory));
	int to = expect_descriptor(kmem_host_file_temporary(directory));
	char *bytes = malloc(30000);
	unsigned long n;
	int ends[2];
	int ret;

	ck_assert_ptr_nonnull(bytes);
	memset(bytes, 'b', 30000);
	expect(kmem_host_file_write(from, bytes, 30000, 0), 0);
	/* Four stretches of at most 8 KiB, each read and written. */
	for (n = 1, ret = -1; ret != 0; n++) {
		(void)kmem_failpoint_arm(n, ERROR_MARK, false);
		errno = ERRNO_MARK;
		ret = kmem_host_file_copy(from, to, 30000);
		ck_assert_int_eq(errno, ERRNO_MARK);
		ck_assert_int_eq(ret, kmem_failpoint_was_hit() ? -ERROR_MARK : 0);
		ck_assert_uint_lt(n, 1000);
	}
	(void)kmem_failpoint_arm(0, 0, false);
	ck_assert_uint_gt(n, 2);
	expect_bytes(to, bytes, 30000);
	expect(kmem_host_file_copy(-1, to, 30000), -EBADF);
	expect(kmem_host_file_copy(from, -1, 30000), -EBADF);
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	expect(kmem_host_file_copy(ends[0], to, 30000), -ESPIPE);
	close(ends[0]);
	close(ends[1]);
	kmem_host_file_close(from);
	kmem_host_file_close(to);
	free(bytes);
}
END_TEST

START_TEST(punched_range_is_zero_and_given_back)
{
	size_t size = 16 * page;
	int fd = expect_descriptor(kmem_host_memfd_create("punch", 0));
	char *bytes = malloc(size);
	size_t before;
	size_t after;

	ck_assert_ptr_nonnull(bytes);
	memset(bytes, 'p', size);
	expect(kmem_host_file_write(fd, bytes, size, 0), 0);
	expect(kmem_host_file_usage(fd, &before), 0);
	ck_assert_uint_eq(before, size);
	expect(kmem_host_file_punch(fd, 4 * page, 8 * page), 0);
	memset(bytes + 4 * page, 0, 8 * page);
	expect_bytes(fd, bytes, size);
	expect(kmem_host_file_punch(fd, 12 * page, 100 * page), 0);
	memset(bytes + 12 * page, 0, 4 * page);
	expect_bytes(fd, bytes, size);
	expect(kmem_host_file_usage(fd, &after), 0);
	ck_assert_uint_eq(after, 4 * page);
	expect(kmem_host_file_punch(fd, 0, 0), -EINVAL);
	kmem_host_file_close(fd);
	expect(kmem_host_file_punch(-1, 0, page), -EBADF);
	after = 77;
	expect(kmem_host_file_usage(-1, &after), -EBADF);
	ck_assert_uint_eq(after, 77);
	free(bytes);
}
END_TEST

START_TEST(replaced_descriptor_refers_to_the_other_file)
{
	int from = expect_descriptor(kmem_host_file_temporary(directory));
	int to = expect_descriptor(kmem_host_file_temporary(directory));
	char text[4] = "";

	expect(kmem_host_file_write(from, "new", 4, 0), 0);
	expect(kmem_host_file_write(to, "old", 4, 0), 0);
	ck_assert_int_eq(fcntl(to, F_SETFD, 0), 0);
	expect(kmem_host_file_replace(from, to), 0);
	ck_assert_int_eq(fcntl(from, F_GETFD), -1);
	ck_assert_int_eq(fcntl(to, F_GETFD), FD_CLOEXEC);
	expect(kmem_host_file_read(to, text, 4, 0), 0);
	ck_assert_str_eq(text, "new");
	/* From a closed one: nothing changes. */
	expect(kmem_host_file_replace(from, to), -EBADF);
	expect(kmem_host_file_read(to, text, 4, 0), 0);
	expect(kmem_host_file_replace(to, -1), -EBADF);
	expect(kmem_host_file_read(to, text, 4, 0), 0);
	kmem_host_file_close(to);
}
END_TEST

/* Failure on demand. */

START_TEST(failpoint_is_off_until_armed)
{
	(void)kmem_failpoint_arm(0, 0, false);
	for (int i = 0; i < 10; i++) {
		expect(kmem_failpoint(), 0);
	}
	/* What passes while it is off is not counted. */
	ck_assert_uint_eq(kmem_failpoint_arm(0, 0, false), 0);
}
END_TEST

START_TEST(nth_call_fails)
{
	const bool is_sticky = _i % 2 != 0;
	unsigned long target = 1 + (unsigned long)_i / 2;

	(void)kmem_failpoint_arm(target, ERROR_MARK, is_sticky);
	ck_assert(!kmem_failpoint_was_hit());
	for (unsigned long n = 1; n <= 8; n++) {
		bool fails = n == target || (is_sticky && n > target);

		expect(kmem_failpoint(), fails ? -ERROR_MARK : 0);
		ck_assert_int_eq(kmem_failpoint_was_hit(), n >= target);
	}
	ck_assert_uint_eq(kmem_failpoint_arm(3, ENOMEM, false), 8);
	ck_assert(!kmem_failpoint_was_hit());
	expect(kmem_failpoint(), 0);
	expect(kmem_failpoint(), 0);
	expect(kmem_failpoint(), -ENOMEM);
	expect(kmem_failpoint(), 0);
	ck_assert_uint_eq(kmem_failpoint_arm(0, 0, false), 4);
	ck_assert(kmem_failpoint_was_hit());
	expect(kmem_failpoint(), 0);
}
END_TEST

static void *failpoint_pass(void *arg)
{
	uintptr_t failures = 0;

	for (int i = 0; i < 10000; i++) {
		failures += kmem_failpoint() != 0 ? 1 : 0;
	}
	(void)arg;
	return (void *)failures;
}

START_TEST(one_call_of_all_threads_fails)
{
	pthread_t threads[4];
	uintptr_t failures = 0;

	(void)kmem_failpoint_arm(23456, ERROR_MARK, false);
	for (size_t i = 0; i < COUNT(threads); i++) {
		ck_assert_int_eq(pthread_create(&threads[i], NULL, failpoint_pass, NULL), 0);
	}
	for (size_t i = 0; i < COUNT(threads); i++) {
		void *result;

		ck_assert_int_eq(pthread_join(threads[i], &result), 0);
		failures += (uintptr_t)result;
	}
	ck_assert_uint_eq(failures, 1);
	ck_assert_uint_eq(kmem_failpoint_arm(0, 0, false), 40000);
}
END_TEST

/* What the calls below work on: a reserved range of 4 pages, a file of 4 pages, and a name that is free. */
static struct {
	uintptr_t addr;
	int fd;
	int other;
	char bytes[64];
	void *memory;
} given;

static int call_reserve(void)
{
	uintptr_t addr = free_range(page);
	int ret = kmem_host_range_reserve(addr, page);

	ck_assert_str_eq(perms_at(addr), ret == 0 ? "---p" : "");
	errno = ERRNO_MARK;
	return ret != 0 ? ret : kmem_host_range_release(addr, page);
}

static int call_conceal(void)
{
	return kmem_host_range_conceal(given.addr, page);
}

static int call_protect(void)
{
	return kmem_host_range_protect(given.addr, page, KMEM_PROT_READ);
}

static int call_file_map(void)
{
	return kmem_host_file_map(given.addr, page, given.fd, 0, KMEM_PROT_READ);
}

static int call_file_map_anywhere(void)
{
	void *addr;
	int ret = kmem_host_file_map_anywhere(&addr, page, given.fd);

	return ret != 0 ? ret : kmem_host_range_release((uintptr_t)addr, page);
}

static int call_memfd_create(void)
{
	return kmem_host_memfd_create("call", page);
}

static int call_memfd_populate(void)
{
	return kmem_host_memfd_populate(given.fd, 0, page);
}

static int call_memory_get(void)
{
	void *addr;
	int ret = kmem_host_memory_get(&addr, page);

	if (ret == 0) {
		kmem_host_memory_free(addr, page);
	}
	return ret;
}

static int call_spare_get(void)
{
	void *spare;
	int ret = kmem_host_spare_get(&spare);

	if (ret == 0) {
		kmem_host_spare_free(spare);
	}
	return ret;
}

static int call_temporary(void)
{
	return kmem_host_file_temporary(directory);
}

static int call_create(void)
{
	int ret = kmem_host_file_create(name_in("call"));

	ck_assert_int_eq(access(name_in("call"), F_OK), ret >= 0 ? 0 : -1);
	errno = ERRNO_MARK;
	kmem_host_file_remove(name_in("call"));
	return ret;
}

static int call_report(void)
{
	int ret = kmem_host_file_report(name_in("call"));

	ck_assert_int_eq(access(name_in("call"), F_OK), ret >= 0 ? 0 : -1);
	errno = ERRNO_MARK;
	kmem_host_file_remove(name_in("call"));
	return ret;
}

static int call_read(void)
{
	return kmem_host_file_read(given.fd, given.bytes, sizeof(given.bytes), 0);
}

static int call_write(void)
{
	return kmem_host_file_write(given.fd, given.bytes, sizeof(given.bytes), 0);
}

static int call_copy(void)
{
	return kmem_host_file_copy(given.fd, given.other, 64);
}

static int call_pool_get(void)
{
	struct kmem_pool pool;
	void *object;

	kmem_pool_init(&pool, 32);
	object = kmem_pool_get(&pool);
	ck_assert_uint_eq(pool.live, object != NULL ? 1 : 0);
	kmem_pool_finish(&pool);
	return object != NULL ? 0 : -ERROR_MARK;
}

static const struct call {
	const char *name;
	int (*function)(void);
	bool gives_descriptor;
	unsigned long points; /* passed by a call that succeeds; 0: depends on the file system */
} calls[] = {
	{"range_reserve", call_reserve, false, 1},
	{"range_conceal", call_conceal, false, 1},
	{"range_protect", call_protect, false, 1},
	{"file_map", call_file_map, false, 1},
	{"file_map_anywhere", call_file_map_anywhere, false, 1},
	{"memfd_create", call_memfd_create, true, 1},
	{"memfd_populate", call_memfd_populate, false, 1},
	{"memory_get", call_memory_get, false, 1},
	{"spare_get", call_spare_get, false, 9},
	{"file_temporary", call_temporary, true, 0},
	{"file_create", call_create, true, 1},
	{"file_report", call_report, true, 1},
	{"file_read", call_read, false, 1},
	{"file_write", call_write, false, 1},
	{"file_copy", call_copy, false, 2},
	{"pool_get", call_pool_get, false, 1},
};

/* One call; its descriptor is closed, and 0 returned for it. */
static int call_once(const struct call *call)
{
	int ret;

	errno = ERRNO_MARK;
	ret = call->function();
	ck_assert_msg(errno == ERRNO_MARK, "%s set errno to %d", call->name, errno);
	if (ret > 0) {
		ck_assert_msg(call->gives_descriptor, "%s is %d", call->name, ret);
		kmem_host_file_close(ret);
		ret = 0;
	}
	return ret;
}

START_TEST(every_call_fails_on_demand)
{
	const struct call *call = &calls[_i];
	unsigned long counted;

	memset(given.bytes, 'g', sizeof(given.bytes));
	given.addr = reserved_range(4 * page);
	given.fd = expect_descriptor(kmem_host_memfd_create("given", 4 * page));
	given.other = expect_descriptor(kmem_host_memfd_create("other", 0));
	expect(kmem_host_file_write(given.fd, given.bytes, sizeof(given.bytes), 0), 0);
	(void)kmem_failpoint_arm(1000, ERROR_MARK, false);
	ck_assert_int_eq(call_once(call), 0);
	counted = kmem_failpoint_arm(0, 0, false);
	ck_assert_msg(counted == call->points || (call->points == 0 && counted > 0), "%s passes %lu points", call->name,
		      counted);

	for (unsigned long n = 1; n <= counted; n++) {
		char *maps = strdup(perms_at(given.addr));

		(void)kmem_failpoint_arm(n, ERROR_MARK, false);
		ck_assert_msg(call_once(call) == -ERROR_MARK, "%s did not fail at %lu", call->name, n);
		ck_assert(kmem_failpoint_was_hit());
		ck_assert_str_eq(perms_at(given.addr), maps);
		free(maps);
		/* Sticky: as often as it is tried. */
		(void)kmem_failpoint_arm(n, ERROR_MARK, true);
		ck_assert_msg(call_once(call) == -ERROR_MARK, "%s did not fail at %lu", call->name, n);
		ck_assert_msg(call_once(call) == -ERROR_MARK, "%s did not fail again", call->name);
	}
	(void)kmem_failpoint_arm(0, 0, false);
	ck_assert_int_eq(call_once(call), 0);

	expect(kmem_host_range_release(given.addr, 4 * page), 0);
	kmem_host_file_close(given.fd);
	kmem_host_file_close(given.other);
}
END_TEST

/* Locks. */

#define THREADS 4

static struct kmem_lock lock; /* zeroed: free */
static struct kmem_waitq queue;
static unsigned long counter; /* guarded by the lock */
static unsigned long rounds;
static _Atomic int holders;
static _Atomic int wrong;

static void lock_setup(void)
{
	setup();
	counter = 0;
	holders = 0;
	wrong = 0;
	rounds = harness_on_valgrind() || harness_on_tsan() ? 2000 : 50000;
}

/* The main thread's locks, with its mask as it was. */
static void locked(kmem_sigmask *saved)
{
	kmem_signals_block(saved);
	expect_quiet(kmem_lock_acquire(&lock));
}

static void unlocked(const kmem_sigmask *saved)
{
	expect_quiet(kmem_lock_release(&lock));
	kmem_signals_restore(saved);
}

START_TEST(lock_is_held_by_its_thread)
{
	unsigned int before = kmem_thread_self()->locks;
	static struct kmem_lock second;
	kmem_sigmask saved;

	ck_assert(!kmem_lock_is_held(&lock));
	for (int i = 0; i < 3; i++) {
		locked(&saved);
		ck_assert(kmem_lock_is_held(&lock));
		ck_assert(!kmem_lock_is_held(&second));
		ck_assert_uint_eq(kmem_thread_self()->locks, before + 1);
		kmem_lock_acquire(&second);
		ck_assert_uint_eq(kmem_thread_self()->locks, before + 2);
		kmem_lock_release(&second);
		unlocked(&saved);
		ck_assert(!kmem_lock_is_held(&lock));
		ck_assert_uint_eq(kmem_thread_self()->locks, before);
	}
}
END_TEST

/* Whether another thread finds the lock held by itself, and what it counts as held. */
static void *lock_look(void *arg)
{
	(void)arg;
	return (void *)(uintptr_t)(kmem_lock_is_held(&lock) || kmem_thread_self()->locks != 0);
}

START_TEST(lock_is_held_by_no_other_thread)
{
	kmem_sigmask saved;
	pthread_t thread;
	void *result;

	locked(&saved);
	ck_assert_int_eq(pthread_create(&thread, NULL, lock_look, NULL), 0);
	ck_assert_int_eq(pthread_join(thread, &result), 0);
	ck_assert_ptr_null(result);
	unlocked(&saved);
}
END_TEST

static void *lock_count(void *arg)
{
	kmem_signals_block(NULL);
	for (unsigned long i = 0; i < rounds; i++) {
		unsigned long seen;

		kmem_lock_acquire(&lock);
		if (atomic_fetch_add(&holders, 1) != 0 || !kmem_lock_is_held(&lock)) {
			wrong++;
		}
		seen = counter;
		if (i % 64 == 0) {
			sched_yield(); /* so that others queue up */
		}
		counter = seen + 1;
		atomic_fetch_sub(&holders, 1);
		kmem_lock_release(&lock);
	}
	if (kmem_thread_self()->locks != 0) {
		wrong++;
	}
	return arg;
}

static void threads_run(void *(*routine)(void *), size_t count)
{
	pthread_t threads[16];

	ck_assert_uint_le(count, COUNT(threads));
	for (size_t i = 0; i < count; i++) {
		ck_assert_int_eq(pthread_create(&threads[i], NULL, routine, (void *)i), 0);
	}
	for (size_t i = 0; i < count; i++) {
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	}
}

START_TEST(one_thread_at_a_time_holds_the_lock)
{
	threads_run(lock_count, THREADS);
	ck_assert_int_eq(wrong, 0);
	ck_assert_uint_eq(counter, THREADS * rounds);
	ck_assert_uint_eq(lock.word, 0);
}
END_TEST

/* Take the lock while the main thread holds it. */
static void *lock_wait(void *arg)
{
	kmem_signals_block(NULL);
	errno = ERRNO_MARK;
	kmem_lock_acquire(&lock);
	counter++;
	kmem_lock_release(&lock);
	if (errno != ERRNO_MARK) {
		wrong++;
	}
	return arg;
}

START_TEST(release_wakes_those_who_sleep)
{
	const struct timespec moment = {.tv_nsec = 20 * 1000 * 1000};
	pthread_t threads[THREADS];
	kmem_sigmask saved;

	locked(&saved);
	for (size_t i = 0; i < THREADS; i++) {
		ck_assert_int_eq(pthread_create(&threads[i], NULL, lock_wait, NULL), 0);
	}
	nanosleep(&moment, NULL);
	ck_assert_uint_eq(counter, 0);
	unlocked(&saved);
	for (size_t i = 0; i < THREADS; i++) {
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	}
	ck_assert_uint_eq(counter, THREADS);
	ck_assert_int_eq(wrong, 0);
	ck_assert_uint_eq(lock.word, 0);
}
END_TEST

/* Each thread adds 1 when it is its turn. */
static void *turn_take(void *arg)
{
	uintptr_t number = (uintptr_t)arg;

	kmem_signals_block(NULL);
	kmem_lock_acquire(&lock);
	for (unsigned long i = 0; i < rounds / 20; i++) {
		while (counter % THREADS != number) {
			kmem_waitq_wait(&queue, &lock);
			if (!kmem_lock_is_held(&lock) || kmem_thread_self()->locks != 1) {
				wrong++;
			}
		}
		counter++;
		kmem_waitq_wake(&queue);
	}
	kmem_lock_release(&lock);
	return NULL;
}

START_TEST(waiting_threads_take_turns)
{
	threads_run(turn_take, THREADS);
	ck_assert_int_eq(wrong, 0);
	ck_assert_uint_eq(counter, THREADS * (rounds / 20));
	ck_assert_uint_eq(queue.waiters, 0);
	ck_assert_uint_eq(lock.word, 0);
}
END_TEST

static bool is_open; /* guarded by the lock */

static void *gate_pass(void *arg)
{
	kmem_signals_block(NULL);
	errno = ERRNO_MARK;
	kmem_lock_acquire(&lock);
	while (!is_open) {
		kmem_waitq_wait(&queue, &lock);
	}
	counter++;
	kmem_lock_release(&lock);
	if (errno != ERRNO_MARK) {
		wrong++;
	}
	return arg;
}

START_TEST(wakeup_reaches_all_who_wait)
{
	pthread_t threads[THREADS];
	uint32_t waiters = 0;
	kmem_sigmask saved;

	is_open = false;
	for (size_t i = 0; i < THREADS; i++) {
		ck_assert_int_eq(pthread_create(&threads[i], NULL, gate_pass, NULL), 0);
	}
	while (waiters != THREADS) {
		locked(&saved);
		waiters = queue.waiters;
		unlocked(&saved);
		sched_yield();
	}
	ck_assert_uint_eq(counter, 0);
	locked(&saved);
	is_open = true;
	kmem_waitq_wake(&queue);
	unlocked(&saved);
	for (size_t i = 0; i < THREADS; i++) {
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	}
	ck_assert_uint_eq(counter, THREADS);
	ck_assert_int_eq(wrong, 0);
	ck_assert_uint_eq(queue.waiters, 0);
}
END_TEST

START_TEST(wakeup_of_nobody_does_nothing)
{
	kmem_sigmask saved;
	uint32_t sequence = queue.sequence;

	locked(&saved);
	expect_quiet(kmem_waitq_wake(&queue));
	unlocked(&saved);
	ck_assert_uint_eq(queue.sequence, sequence);
	ck_assert_uint_eq(queue.waiters, 0);
}
END_TEST

START_TEST(forked_child_adopts_its_locks)
{
	kmem_sigmask saved;
	int status;
	pid_t child;

	locked(&saved);
	child = fork();
	if (child == 0) {
		bool was_held;

		kmem_thread_forked();
		was_held = kmem_lock_is_held(&lock);
		kmem_lock_adopt(&lock);
		if (was_held || !kmem_lock_is_held(&lock) || kmem_thread_self()->locks != 1) {
			_exit(1);
		}
		kmem_lock_release(&lock);
		kmem_lock_acquire(&lock);
		kmem_lock_release(&lock);
		_exit(kmem_thread_self()->locks == 0 ? 0 : 2);
	}
	ck_assert_int_gt(child, 0);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 0);
	ck_assert(kmem_lock_is_held(&lock));
	unlocked(&saved);
}
END_TEST

/* The message of what must die is not for the log. */
static void silence(void)
{
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(dup2(fd, STDERR_FILENO), STDERR_FILENO);
	close(fd);
}

START_TEST(lock_taken_twice_aborts)
{
	kmem_sigmask saved;

	silence();
	locked(&saved);
	kmem_lock_acquire(&lock);
}
END_TEST

START_TEST(lock_released_unheld_aborts)
{
	silence();
	kmem_signals_block(NULL);
	kmem_lock_release(&lock);
}
END_TEST

static void *lock_release(void *arg)
{
	kmem_signals_block(NULL);
	kmem_lock_release(&lock);
	return arg;
}

START_TEST(lock_released_by_another_thread_aborts)
{
	kmem_sigmask saved;
	pthread_t thread;

	silence();
	locked(&saved);
	ck_assert_int_eq(pthread_create(&thread, NULL, lock_release, NULL), 0);
	pthread_join(thread, NULL);
}
END_TEST

/* Threads. */

/* The thread's alternate stack, taken away for a test: a sanitizer may have given it one. */
static stack_t stack_before;

static void thread_setup(void)
{
	const stack_t none = {.ss_flags = SS_DISABLE};

	setup();
	ck_assert_int_eq(sigaltstack(&none, &stack_before), 0);
}

static void thread_teardown(void)
{
	ck_assert_int_eq(sigaltstack(&stack_before, NULL), 0);
	teardown();
}

static stack_t stack_now(void)
{
	stack_t stack;

	ck_assert_int_eq(sigaltstack(NULL, &stack), 0);
	return stack;
}

static void *thread_look(void *arg)
{
	struct kmem_thread **self = arg;

	*self = kmem_thread_self();
	return (void *)(uintptr_t)(kmem_thread_id() == (uint32_t)syscall(SYS_gettid) && !kmem_thread_is_main() &&
				   (*self)->locks == 0 && (*self)->altstack == NULL);
}

START_TEST(thread_is_known_by_its_id)
{
	struct kmem_thread *self = kmem_thread_self();
	struct kmem_thread *other;
	pthread_t thread;
	void *result;

	ck_assert_ptr_eq(kmem_thread_self(), self);
	ck_assert_uint_eq(kmem_thread_id(), (uint32_t)syscall(SYS_gettid));
	ck_assert_uint_eq(self->tid, kmem_thread_id());
	ck_assert_int_eq(pthread_create(&thread, NULL, thread_look, &other), 0);
	ck_assert_int_eq(pthread_join(thread, &result), 0);
	ck_assert_ptr_nonnull(result);
	ck_assert_ptr_ne(other, self);
}
END_TEST

START_TEST(forked_thread_has_a_new_id)
{
	uint32_t before = kmem_thread_id();
	int status;
	pid_t child = fork();

	if (child == 0) {
		kmem_thread_forked();
		_exit(kmem_thread_id() == (uint32_t)syscall(SYS_gettid) && kmem_thread_id() != before ? 0 : 1);
	}
	ck_assert_int_gt(child, 0);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 0);
	ck_assert_uint_eq(kmem_thread_id(), before);
}
END_TEST

static volatile uintptr_t handler_frame;

static void on_user_signal(int signo)
{
	(void)signo;
	handler_frame = (uintptr_t)__builtin_frame_address(0);
}

START_TEST(alternate_stack_is_made_with_a_guard)
{
	const struct sigaction action = {.sa_handler = on_user_signal, .sa_flags = SA_ONSTACK};
	struct sigaction old;
	uintptr_t bottom;
	uintptr_t guard;
	stack_t stack;

	ck_assert_int_eq(stack_now().ss_flags, SS_DISABLE);
	ck_assert_int_eq(kmem_thread_altstack_create(), 0);
	stack = stack_now();
	bottom = (uintptr_t)stack.ss_sp;
	ck_assert_int_eq(stack.ss_flags, 0);
	ck_assert_uint_ge(stack.ss_size, 256 * 1024);
	ck_assert_uint_ge(stack.ss_size, (size_t)sysconf(_SC_SIGSTKSZ));
	guard = (uintptr_t)kmem_thread_self()->altstack;
	ck_assert_uint_eq(guard, bottom - (1 << 20));
	for (uintptr_t addr = guard; addr < bottom; addr += 64 * page) {
		ck_assert_str_eq(perms_at(addr), "---p");
		ck_assert(kmem_thread_altstack_is_guard(addr));
	}
	ck_assert_str_eq(perms_at(bottom - page), "---p");
	ck_assert(kmem_thread_altstack_is_guard(bottom - 1));
	ck_assert(!kmem_thread_altstack_is_guard(bottom));
	ck_assert(!kmem_thread_altstack_is_guard(guard - 1));
	ck_assert(!kmem_thread_altstack_is_guard(0));
	ck_assert_str_eq(perms_at(bottom), "rw-p");
	ck_assert_str_eq(perms_at(bottom + stack.ss_size - 1), "rw-p");

	ck_assert_int_eq(sigaction(SIGUSR1, &action, &old), 0);
	handler_frame = 0;
	ck_assert_int_eq(raise(SIGUSR1), 0);
	ck_assert_int_eq(sigaction(SIGUSR1, &old, NULL), 0);
	if (!harness_on_tsan()) {
		ck_assert_uint_ge(handler_frame, bottom);
		ck_assert_uint_lt(handler_frame, bottom + stack.ss_size);
	}

	/* It has one: nothing more is made. */
	ck_assert_int_eq(kmem_thread_altstack_create(), 0);
	ck_assert_ptr_eq(stack_now().ss_sp, stack.ss_sp);
	kmem_thread_altstack_destroy();
	ck_assert_int_eq(stack_now().ss_flags, SS_DISABLE);
	ck_assert_ptr_null(kmem_thread_self()->altstack);
	ck_assert_str_eq(perms_at(bottom), "");
	ck_assert_str_eq(perms_at(guard), "");
	ck_assert(!kmem_thread_altstack_is_guard(guard));
	/* It has none: nothing to do. */
	kmem_thread_altstack_destroy();
}
END_TEST

START_TEST(alternate_stack_of_the_programs_stays)
{
	size_t size = (size_t)sysconf(_SC_SIGSTKSZ);
	void *memory = malloc(size);
	stack_t mine = {.ss_sp = memory, .ss_size = size};
	const stack_t none = {.ss_flags = SS_DISABLE};

	ck_assert_ptr_nonnull(memory);
	/* Set before. */
	ck_assert_int_eq(sigaltstack(&mine, NULL), 0);
	ck_assert_int_eq(kmem_thread_altstack_create(), 0);
	ck_assert_ptr_eq(stack_now().ss_sp, memory);
	ck_assert_ptr_null(kmem_thread_self()->altstack);
	kmem_thread_altstack_destroy();
	ck_assert_ptr_eq(stack_now().ss_sp, memory);
	ck_assert_int_eq(sigaltstack(&none, NULL), 0);
	/* Set in place of ours. */
	ck_assert_int_eq(kmem_thread_altstack_create(), 0);
	ck_assert_int_eq(sigaltstack(&mine, NULL), 0);
	kmem_thread_altstack_destroy();
	ck_assert_ptr_eq(stack_now().ss_sp, memory);
	ck_assert_ptr_null(kmem_thread_self()->altstack);
	ck_assert_int_eq(sigaltstack(&none, NULL), 0);
	free(memory);
}
END_TEST

START_TEST(alternate_stack_fails_whole)
{
	for (unsigned long n = 1; n <= 2; n++) {
		(void)kmem_failpoint_arm(n, ERROR_MARK, false);
		ck_assert_int_eq(kmem_thread_altstack_create(), -ERROR_MARK);
		ck_assert_int_eq(stack_now().ss_flags, SS_DISABLE);
		ck_assert_ptr_null(kmem_thread_self()->altstack);
	}
	(void)kmem_failpoint_arm(3, ERROR_MARK, false);
	ck_assert_int_eq(kmem_thread_altstack_create(), 0);
	ck_assert(!kmem_failpoint_was_hit());
	(void)kmem_failpoint_arm(0, 0, false);
	kmem_thread_altstack_destroy();
}
END_TEST

static void *thread_cleanup_state;

static void cleanup_mark(void *arg)
{
	thread_cleanup_state = arg;
}

static void *thread_end(void *arg)
{
	pthread_cleanup_push(cleanup_mark, arg);
	kmem_thread_exit();
	pthread_cleanup_pop(0);
	return arg;
}

START_TEST(thread_ends_alone_with_its_cleanup)
{
	pthread_t thread;
	void *result;

	ck_assert(kmem_thread_is_main());
	thread_cleanup_state = NULL;
	ck_assert_int_eq(pthread_create(&thread, NULL, thread_end, &counter), 0);
	ck_assert_int_eq(pthread_join(thread, &result), 0);
	ck_assert_ptr_null(result);
	ck_assert_ptr_eq(thread_cleanup_state, &counter);
}
END_TEST

/* Processes. */

START_TEST(process_is_known_by_its_id)
{
	int before = kmem_process_id();
	int status;
	pid_t child;

	ck_assert_int_eq(before, getpid());
	child = fork();
	if (child == 0) {
		_exit(kmem_process_id() == getpid() && kmem_process_id() != before && kmem_thread_is_main() ? 0 : 1);
	}
	ck_assert_int_gt(child, 0);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 0);
}
END_TEST

static int forks_prepared;
static int forks_in_parent;
static int forks_in_child;

static void fork_prepare(void)
{
	forks_prepared++;
}

static void fork_parent(void)
{
	forks_in_parent++;
}

static void fork_child(void)
{
	forks_in_child++;
}

START_TEST(fork_calls_who_asked)
{
	int status;
	pid_t child;

	kmem_process_at_fork(fork_prepare, fork_parent, fork_child);
	kmem_process_at_fork(NULL, NULL, NULL);
	child = fork();
	if (child == 0) {
		_exit(forks_prepared == 1 && forks_in_child == 1 && forks_in_parent == 0 ? 0 : 1);
	}
	ck_assert_int_gt(child, 0);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 0);
	ck_assert_int_eq(forks_prepared, 1);
	ck_assert_int_eq(forks_in_parent, 1);
	ck_assert_int_eq(forks_in_child, 0);
}
END_TEST

static void exit_elsewhere(void)
{
	_exit(9);
}

START_TEST(process_ends_at_once)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		atexit(exit_elsewhere);
		kmem_process_exit(3);
	}
	ck_assert_int_gt(child, 0);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 3);
}
END_TEST

START_TEST(errors_have_names)
{
	ck_assert_str_eq(kmem_error_name(ENOMEM), "ENOMEM");
	ck_assert_str_eq(kmem_error_name(EEXIST), "EEXIST");
	ck_assert_str_eq(kmem_error_name(EIO), "EIO");
	ck_assert_str_eq(kmem_error_name(-1), "unknown error");
	ck_assert_str_eq(kmem_error_name(100000), "unknown error");
}
END_TEST

/* Text. */

#define TEXT_SIZE 1200

/* Require that both formatters write the same, into buffers of several sizes; formats are made at run time. */
static void compare(const char *format, ...)
{
	static const size_t sizes[] = {TEXT_SIZE, 7, 0, 1, 2, 20};
	size_t count = harness_on_valgrind() ? 2 : COUNT(sizes);

	for (size_t i = 0; i < count; i++) {
		char wanted[TEXT_SIZE];
		char got[TEXT_SIZE];
		int wanted_length;
		int got_length;
		va_list args;

		memset(wanted, '~', sizeof(wanted));
		memset(got, '~', sizeof(got));
		va_start(args, format);
		wanted_length = vsnprintf(wanted, sizes[i], format, args);
		va_end(args);
		va_start(args, format);
		errno = ERRNO_MARK;
		got_length = kmem_vformat(got, sizes[i], format, args);
		ck_assert_int_eq(errno, ERRNO_MARK);
		va_end(args);
		ck_assert_msg(got_length == wanted_length, "\"%s\" in %zu bytes: length %d, not %d", format, sizes[i],
			      got_length, wanted_length);
		ck_assert_msg(memcmp(wanted, got, sizeof(got)) == 0, "\"%s\" in %zu bytes: \"%.*s\", not \"%.*s\"",
			      format, sizes[i], (int)sizes[i], got, (int)sizes[i], wanted);
	}
}

static const char *const flags[] = {"", "-", "0", "-0", "0-", "00"};
static const char *const widths[] = {"", "1", "3", "12", "30"};

static const uint64_t numbers[] = {
	0, 1, 9, 10, 15, 16, 99, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 0x7fffffff, 0x80000000, 0xffffffff,
	0x100000000, 0xdeadbeef, INT64_MAX, (uint64_t)INT64_MAX + 1, UINT64_MAX, UINT64_MAX - 1, 0x0123456789abcdef,
};

/* One number as an argument of the type that a length says. */
static void compare_number(const char *format, const char *length, uint64_t number)
{
	switch (length[0]) {
	case 'l':
		if (length[1] == 'l') {
			compare(format, (unsigned long long)number);
		} else {
			compare(format, (unsigned long)number);
		}
		break;
	case 'z':
		compare(format, (size_t)number);
		break;
	case 't':
		compare(format, (ptrdiff_t)number);
		break;
	case 'j':
		compare(format, (uintmax_t)number);
		break;
	default:
		compare(format, (unsigned int)number);
		break;
	}
}

START_TEST(numbers_are_formatted_as_by_the_c_library)
{
	static const char *const lengths[] = {"", "h", "hh", "l", "ll", "z", "j", "t"};
	static const char letters[] = "diuxX";

	for (size_t f = 0; f < (harness_on_valgrind() ? 3 : COUNT(flags)); f++) {
		for (size_t w = 0; w < COUNT(widths); w += harness_on_valgrind() ? 3 : 1) {
			for (const char *letter = letters; *letter != '\0'; letter++) {
				char format[32];

				snprintf(format, sizeof(format), "<%%%s%s%s%c>", flags[f], widths[w], lengths[_i],
					 *letter);
				for (size_t n = 0; n < COUNT(numbers); n++) {
					compare_number(format, lengths[_i], numbers[n]);
				}
			}
		}
	}
}
END_TEST

START_TEST(random_numbers_are_formatted_as_by_the_c_library)
{
	uint64_t state = harness_seed();

	for (int i = 0; i < often(3000); i++) {
		uint64_t number = harness_random(&state) >> harness_random(&state) % 64;

		compare("%llu %llx %lld %u %d %hhx", (unsigned long long)number, (unsigned long long)number,
			(unsigned long long)number, (unsigned int)number, (unsigned int)number, (unsigned int)number);
		compare("%-*llX|%0*zd|%*u", (int)(number % 23), (unsigned long long)number, (int)(number % 31),
			(size_t)number, (int)(number % 41) - 20, (unsigned int)number);
	}
}
END_TEST

START_TEST(strings_are_formatted_as_by_the_c_library)
{
	static const char *const texts[] = {"", "a", "word", "two words", "caf\xc3\xa9 \x01\x7f%d"};
	static const char *const precisions[] = {"", ".", ".0", ".1", ".3", ".100"};

	for (size_t w = 0; w < COUNT(widths); w++) {
		for (size_t t = 0; t < COUNT(texts); t++) {
			for (size_t p = 0; p < COUNT(precisions); p++) {
				char format[32];

				snprintf(format, sizeof(format), "<%%%s%ss>", widths[w], precisions[p]);
				compare(format, texts[t]);
				snprintf(format, sizeof(format), "<%%-%s%ss>", widths[w], precisions[p]);
				compare(format, texts[t]);
			}
			compare("<%*s>", atoi(widths[w]), texts[t]);
			compare("<%*s>", -atoi(widths[w]), texts[t]);
			compare("<%-*s>", atoi(widths[w]), texts[t]);
			compare("<%.*s>", atoi(widths[w]), texts[t]);
			compare("<%.*s>", -1, texts[t]);
			compare("<%*.*s>", atoi(widths[w]), 2, texts[t]);
		}
	}
}
END_TEST

START_TEST(other_formats_are_as_by_the_c_library)
{
	compare("%s", "");
	compare("plain text, nothing else");
	compare("100%%, %d%% or %%d", 5);
	for (int c = 0; c < 256; c++) {
		compare("<%c>", c);
	}
	compare("<%5c|%-5c|%*c>", 'a', 'b', 7, 'c');
	compare("%p", (void *)&lock);
	compare("<%30p|%-30p>", (void *)&lock, (void *)UINTPTR_MAX);
	compare("%s=%lu (%x), %c, %p, %5d|%-5d|%05d", "all", 1UL, 2U, 'c', (void *)1, 3, 4, 5);
	compare("%s", (char *)NULL);
	compare("<%20s|%-20s>", (char *)NULL, (char *)NULL);
}
END_TEST

START_TEST(text_is_cut_with_an_end)
{
	char buffer[8];

	memset(buffer, '~', sizeof(buffer));
	expect(kmem_format(buffer, 5, "%s", "abcdefghij"), 10);
	ck_assert_mem_eq(buffer, "abcd\0~~~", 8);
	expect(kmem_format(buffer, 4, "%d", 123), 3);
	ck_assert_str_eq(buffer, "123");
	memset(buffer, '~', sizeof(buffer));
	expect(kmem_format(buffer, 1, "%s", "text"), 4);
	ck_assert_mem_eq(buffer, "\0~~~", 4);
	expect(kmem_format(NULL, 0, "%d and %s", 12, "text"), 11);
	expect(kmem_format(buffer, sizeof(buffer), "%p", NULL), 3);
	ck_assert_str_eq(buffer, "0x0");
}
END_TEST

/* Standard error goes into a pipe meanwhile. */
static int error_before;
static int error_pipe;

static void error_begin(void)
{
	int ends[2];

	fflush(stderr);
	error_before = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
	ck_assert_int_ge(error_before, 0);
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	close(ends[1]);
	error_pipe = ends[0];
}

/* One packet, as written by one call: nothing was in the pipe before. */
static const char *error_text(void)
{
	static char text[4096];
	ssize_t length = read(error_pipe, text, sizeof(text) - 1);

	text[length > 0 ? length : 0] = '\0';
	errno = ERRNO_MARK;
	return text;
}

static void error_end(void)
{
	ck_assert_int_eq(dup2(error_before, STDERR_FILENO), STDERR_FILENO);
	close(error_before);
	close(error_pipe);
}

START_TEST(log_lines_have_a_level)
{
	char *kept = getenv("KMEM_LOG") != NULL ? strdup(getenv("KMEM_LOG")) : NULL;

	ck_assert_int_eq(unsetenv("KMEM_LOG"), 0);
	error_begin();
	expect_quiet(kmem_log(KMEM_LOG_ERROR, "%d %s", 3, "things"));
	ck_assert_str_eq(error_text(), "kmem: error: 3 things\n");
	expect_quiet(kmem_log(KMEM_LOG_WARNING, "mind"));
	ck_assert_str_eq(error_text(), "kmem: warning: mind\n");
	expect_quiet(kmem_log(KMEM_LOG_INFO, "not seen"));
	ck_assert_str_eq(error_text(), "");
	ck_assert_int_eq(setenv("KMEM_LOG", "more", 1), 0);
	expect_quiet(kmem_log(KMEM_LOG_INFO, "not seen"));
	ck_assert_str_eq(error_text(), "");
	ck_assert_int_eq(setenv("KMEM_LOG", "info", 1), 0);
	expect_quiet(kmem_log(KMEM_LOG_INFO, "seen"));
	ck_assert_str_eq(error_text(), "kmem: info: seen\n");
	error_end();
	ck_assert_int_eq(unsetenv("KMEM_LOG"), 0);
	if (kept != NULL) {
		ck_assert_int_eq(setenv("KMEM_LOG", kept, 1), 0);
		free(kept);
	}
}
END_TEST

START_TEST(log_line_is_cut)
{
	char text[1000];

	memset(text, 'l', sizeof(text));
	error_begin();
	for (size_t length = 480; length < 520; length++) {
		size_t whole = strlen("kmem: error: ") + length + 1;
		const char *got;

		text[length] = '\0';
		expect_quiet(kmem_log(KMEM_LOG_ERROR, "%s", text));
		got = error_text();
		ck_assert_uint_eq(strlen(got), whole < 511 ? whole : 511);
		ck_assert_int_eq(got[strlen(got) - 1], '\n');
		ck_assert_int_eq(got[strlen(got) - 2], 'l');
		text[length] = 'l';
	}
	error_end();
}
END_TEST

START_TEST(print_adds_nothing)
{
	error_begin();
	expect_quiet(kmem_print("%s-%d", "as it is", 7));
	ck_assert_str_eq(error_text(), "as it is-7");
	expect_quiet(kmem_print("%s", ""));
	ck_assert_str_eq(error_text(), "");
	error_end();
}
END_TEST

START_TEST(text_survives_a_closed_standard_error)
{
	error_begin();
	close(STDERR_FILENO);
	expect_quiet(kmem_log(KMEM_LOG_ERROR, "to nobody"));
	expect_quiet(kmem_print("to nobody"));
	error_end();
}
END_TEST

START_TEST(report_goes_out_in_order)
{
	size_t size = 100000;
	int fd = expect_descriptor(kmem_host_memfd_create("report", 0));
	struct kmem_out out = {.fd = fd};
	uint64_t state = harness_seed();
	char *wanted = malloc(size + 1000);
	size_t length = 0;

	ck_assert_ptr_nonnull(wanted);
	for (unsigned int i = 0; length < size; i++) {
		int width = (int)(harness_random(&state) % 500);

		length += (size_t)sprintf(wanted + length, "%*u,", width, i);
		expect_quiet(kmem_out(&out, "%*u,", width, i));
	}
	expect(kmem_out_finish(&out), 0);
	expect_bytes(fd, wanted, length);
	/* Nothing more to write. */
	expect(kmem_out_finish(&out), 0);
	expect_bytes(fd, wanted, length);
	kmem_host_file_close(fd);
	free(wanted);
}
END_TEST

START_TEST(report_tells_its_first_error)
{
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	struct kmem_out out = {.fd = full};

	ck_assert_int_ge(full, 0);
	expect_quiet(kmem_out(&out, "%s", "short"));
	ck_assert_int_eq(out.error, 0);
	for (size_t length = 0; length <= sizeof(out.buffer); length += 300) {
		expect_quiet(kmem_out(&out, "%300s", "long"));
	}
	ck_assert_int_eq(out.error, -ENOSPC);
	out.fd = -1;
	expect_quiet(kmem_out(&out, "%s", "more"));
	expect(kmem_out_finish(&out), -ENOSPC);
	close(full);
	out = (struct kmem_out){.fd = -1};
	expect(kmem_out_finish(&out), 0);
	expect_quiet(kmem_out(&out, "%s", "text"));
	expect(kmem_out_finish(&out), -EBADF);
}
END_TEST

/* The environment. */

START_TEST(empty_variable_is_none)
{
	ck_assert_int_eq(unsetenv("KMEM_TEST_ONE"), 0);
	ck_assert_ptr_null(kmem_env_get("KMEM_TEST_ONE"));
	ck_assert_int_eq(setenv("KMEM_TEST_ONE", "", 1), 0);
	ck_assert_ptr_null(kmem_env_get("KMEM_TEST_ONE"));
	ck_assert_int_eq(setenv("KMEM_TEST_ONE", " ", 1), 0);
	ck_assert_str_eq(kmem_env_get("KMEM_TEST_ONE"), " ");
	ck_assert_int_eq(unsetenv("KMEM_TEST_ONE"), 0);
}
END_TEST

/* What a walk found: "name=value;" of each that has TEST in its name. */
static void env_note(const char *name, const char *value, void *arg)
{
	char *text = arg;

	ck_assert_int_eq(strncmp(name, "KMEM_", 5), 0);
	if (strstr(name, "TEST") != NULL) {
		ck_assert_uint_lt(strlen(text) + strlen(name) + strlen(value), 200);
		sprintf(text + strlen(text), "%s=%s;", name, value);
	}
}

START_TEST(walk_visits_the_librarys_variables)
{
	char text[256] = "";

	ck_assert_int_eq(setenv("KMEM_TEST_ONE", "1", 1), 0);
	ck_assert_int_eq(setenv("KMEM_TEST_TWO", "a=b", 1), 0);
	ck_assert_int_eq(setenv("KMEM_TEST_THREE", "", 1), 0);
	ck_assert_int_eq(setenv("KMEMTEST", "x", 1), 0);
	ck_assert_int_eq(setenv("XKMEM_TEST", "x", 1), 0);
	ck_assert_int_eq(setenv("kmem_TEST", "x", 1), 0);
	kmem_env_walk(env_note, text);
	ck_assert_ptr_nonnull(strstr(text, "KMEM_TEST_ONE=1;"));
	ck_assert_ptr_nonnull(strstr(text, "KMEM_TEST_TWO=a=b;"));
	ck_assert_ptr_nonnull(strstr(text, "KMEM_TEST_THREE=;"));
	ck_assert_uint_eq(strlen(text), strlen("KMEM_TEST_ONE=1;KMEM_TEST_TWO=a=b;KMEM_TEST_THREE=;"));
	ck_assert_int_eq(unsetenv("KMEM_TEST_ONE"), 0);
	ck_assert_int_eq(unsetenv("KMEM_TEST_TWO"), 0);
	ck_assert_int_eq(unsetenv("KMEM_TEST_THREE"), 0);
	ck_assert_int_eq(unsetenv("KMEMTEST"), 0);
	ck_assert_int_eq(unsetenv("XKMEM_TEST"), 0);
	ck_assert_int_eq(unsetenv("kmem_TEST"), 0);
}
END_TEST

START_TEST(walk_visits_an_empty_environment)
{
	char *empty[] = {NULL};
	char **before = environ;
	char text[256] = "";

	environ = empty;
	kmem_env_walk(env_note, text);
	environ = NULL;
	kmem_env_walk(env_note, text);
	environ = before;
	ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(sanitizer_is_known)
{
	ck_assert_int_eq(kmem_env_is_asan(), harness_on_asan());
}
END_TEST

static const struct {
	const char *text;
	int ret;
	size_t size;
} size_rows[] = {
	{"0", 0, 0},
	{"1", 0, 1},
	{"4096", 0, 4096},
	{"007", 0, 7},
	{"1B", 0, 1},
	{"12b", 0, 12},
	{"1K", 0, 1024},
	{"1k", 0, 1024},
	{"1KB", 0, 1024},
	{"1kb", 0, 1024},
	{"1Kb", 0, 1024},
	{"1KiB", 0, 1024},
	{"1kib", 0, 1024},
	{"1KIB", 0, 1024},
	{"64M", 0, (size_t)64 << 20},
	{"64m", 0, (size_t)64 << 20},
	{"64MiB", 0, (size_t)64 << 20},
	{"3G", 0, (size_t)3 << 30},
	{"3GB", 0, (size_t)3 << 30},
	{"3gib", 0, (size_t)3 << 30},
	{"2T", 0, (size_t)2 << 40},
	{"2tb", 0, (size_t)2 << 40},
	{"0T", 0, 0},
	{"0x0", 0, 0},
	{"0x10", 0, 16},
	{"0X10", 0, 16},
	{"0xfF", 0, 255},
	{"0xB", 0, 11},
	{"0x1b", 0, 27},
	{"0x10K", 0, 16384},
	{"0x10MiB", 0, (size_t)16 << 20},
	{"0xffffffffffffffff", 0, SIZE_MAX},
	{"18446744073709551615", 0, SIZE_MAX},
	{"16777215T", 0, (size_t)16777215 << 40},
	{"18014398509481983K", 0, (size_t)18014398509481983 << 10},
	{"000000000000000000000000000001", 0, 1},

	{"", -EINVAL, 0},
	{" ", -EINVAL, 0},
	{" 1", -EINVAL, 0},
	{"1 ", -EINVAL, 0},
	{"1 K", -EINVAL, 0},
	{"1K ", -EINVAL, 0},
	{"1\n", -EINVAL, 0},
	{"-1", -EINVAL, 0},
	{"+1", -EINVAL, 0},
	{"K", -EINVAL, 0},
	{"B", -EINVAL, 0},
	{"iB", -EINVAL, 0},
	{"x", -EINVAL, 0},
	{"0x", -EINVAL, 0},
	{"0xK", -EINVAL, 0},
	{"0x-1", -EINVAL, 0},
	{"x10", -EINVAL, 0},
	{"00x10", -EINVAL, 0},
	{"1x10", -EINVAL, 0},
	{"0xg", -EINVAL, 0},
	{"ff", -EINVAL, 0},
	{"1f", -EINVAL, 0},
	{"1Ki", -EINVAL, 0},
	{"1Kx", -EINVAL, 0},
	{"1KK", -EINVAL, 0},
	{"1MK", -EINVAL, 0},
	{"1BK", -EINVAL, 0},
	{"1BB", -EINVAL, 0},
	{"1KBB", -EINVAL, 0},
	{"1KiBB", -EINVAL, 0},
	{"1KiBi", -EINVAL, 0},
	{"1P", -EINVAL, 0},
	{"1E", -EINVAL, 0},
	{"1.5G", -EINVAL, 0},
	{"1,000", -EINVAL, 0},
	{"1e3", -EINVAL, 0},
	{"1\xc3\xa9", -EINVAL, 0},
	{"lots", -EINVAL, 0},

	{"18446744073709551616", -ERANGE, 0},
	{"18446744073709551620", -ERANGE, 0},
	{"99999999999999999999999999", -ERANGE, 0},
	{"0x10000000000000000", -ERANGE, 0},
	{"16777216T", -ERANGE, 0},
	{"17179869184G", -ERANGE, 0},
	{"17592186044416M", -ERANGE, 0},
	{"18014398509481984K", -ERANGE, 0},
	{"18014398509481984KiB", -ERANGE, 0},
	{"0xffffffffffffffffK", -ERANGE, 0},
};

START_TEST(size_is_parsed)
{
	size_t size = 0x5a5a;
	int ret = kmem_size_parse(size_rows[_i].text, &size);

	ck_assert_msg(ret == size_rows[_i].ret, "\"%s\": %d, not %d", size_rows[_i].text, ret, size_rows[_i].ret);
	ck_assert_msg(size == (ret == 0 ? size_rows[_i].size : 0x5a5a), "\"%s\": %zu", size_rows[_i].text, size);
	ck_assert_int_eq(errno, ERRNO_MARK);
}
END_TEST

static const struct {
	const char *text;
	int ret;
	unsigned int ms;
} seconds_rows[] = {
	{"0", 0, 0},
	{"1", 0, 1000},
	{"0.25", 0, 250},
	{"0.001", 0, 1},
	{"12.3", 0, 12300},
	{"7.", 0, 7000},
	{"4294967.295", 0, 4294967295U},
	{"4294967.296", -ERANGE, 0},
	{"18446744073709551616", -ERANGE, 0},
	{"18446744073709552", -ERANGE, 0},
	{"", -EINVAL, 0},
	{".5", -EINVAL, 0},
	{"-1", -EINVAL, 0},
	{"0x10", -EINVAL, 0},
	{"1.2345", -EINVAL, 0},
	{"1,5", -EINVAL, 0},
	{"1.x", -EINVAL, 0},
	{"1s", -EINVAL, 0},
};

START_TEST(seconds_are_parsed)
{
	unsigned int ms = 0x5a5a;
	int ret = kmem_seconds_parse(seconds_rows[_i].text, &ms);

	ck_assert_msg(ret == seconds_rows[_i].ret, "\"%s\": %d", seconds_rows[_i].text, ret);
	ck_assert_uint_eq(ms, ret == 0 ? seconds_rows[_i].ms : 0x5a5a);
}
END_TEST

START_TEST(signals_are_parsed)
{
	static const char *const bad[] = {"", "0", "65", "-1", "USR", "USR22", "SIG", "usr2", "RTMIN+", "RTMIN-1", "RTMIN+99", "12x"};

	ck_assert_int_eq(kmem_signal_parse("USR2"), SIGUSR2);
	ck_assert_int_eq(kmem_signal_parse("SIGUSR2"), SIGUSR2);
	ck_assert_int_eq(kmem_signal_parse("KILL"), SIGKILL);
	ck_assert_int_eq(kmem_signal_parse("10"), 10);
	ck_assert_int_eq(kmem_signal_parse("64"), 64);
	ck_assert_int_eq(kmem_signal_parse("RTMIN"), SIGRTMIN);
	ck_assert_int_eq(kmem_signal_parse("SIGRTMIN+2"), SIGRTMIN + 2);
	for (size_t i = 0; i < COUNT(bad); i++) {
		ck_assert_msg(kmem_signal_parse(bad[i]) == -EINVAL, "\"%s\"", bad[i]);
	}
}
END_TEST

START_TEST(random_sizes_are_parsed)
{
	static const char *const units[] = {"", "K", "M", "G", "T"};
	uint64_t state = harness_seed();

	for (int i = 0; i < often(20000); i++) {
		size_t number = harness_random(&state) >> harness_random(&state) % 64;
		size_t unit = harness_random(&state) % COUNT(units);
		bool fits = number << 10 * unit >> 10 * unit == number;
		size_t size = 0;
		char text[64];

		snprintf(text, sizeof(text), i % 2 == 0 ? "%zu%s" : "0x%zx%s", number, units[unit]);
		ck_assert_msg(kmem_size_parse(text, &size) == (fits ? 0 : -ERANGE), "%s", text);
		ck_assert_msg(size == (fits ? number << 10 * unit : 0), "%s", text);
	}
}
END_TEST

/* Time. */

static uint64_t clock_of_ours(void)
{
	return 42;
}

START_TEST(clock_goes_on)
{
	const struct timespec moment = {.tv_nsec = 2000000};
	uint64_t before = kmem_clock_ns();
	struct timespec now;
	uint64_t after;

	nanosleep(&moment, NULL);
	after = kmem_clock_ns();
	ck_assert_uint_ge(after - before, 2000000);
	ck_assert_int_eq(clock_gettime(CLOCK_MONOTONIC, &now), 0);
	ck_assert_uint_ge((uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec, after);
	ck_assert_uint_lt((uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec - after, UINT64_C(60000000000));
	for (int i = 0; i < 1000; i++) {
		before = after;
		after = kmem_clock_ns();
		ck_assert_uint_ge(after, before);
	}
}
END_TEST

START_TEST(clock_may_be_replaced)
{
	kmem_clock_source = clock_of_ours;
	ck_assert_uint_eq(kmem_clock_ns(), 42);
	kmem_clock_source = NULL;
	ck_assert_uint_gt(kmem_clock_ns(), 42);
}
END_TEST

/* Pools. */

static const size_t object_sizes[] = {1, 8, 16, 17, 40, 100, 1000, 4096, 16384, 16400, 100000, (size_t)3 << 20};

static void fill(void *object, size_t size, size_t number)
{
	memset(object, (int)(number % 255 + 1), size);
}

static bool is_filled(const unsigned char *object, size_t size, size_t number)
{
	for (size_t i = 0; i < size; i++) {
		if (object[i] != number % 255 + 1) {
			return false;
		}
	}
	return true;
}

static bool is_zeroed(const unsigned char *object, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (object[i] != 0) {
			return false;
		}
	}
	return true;
}

START_TEST(objects_are_aligned_zeroed_and_apart)
{
	size_t size = object_sizes[_i];
	size_t count = size > 10000 ? 20 : 3000;
	unsigned char **objects = calloc(count, sizeof(*objects));
	struct kmem_pool pool;

	ck_assert_ptr_nonnull(objects);
	kmem_pool_init(&pool, size);
	ck_assert_uint_eq(pool.object_size, size <= 16 ? 16 : (size + 15) / 16 * 16);
	ck_assert_uint_eq(pool.live, 0);
	ck_assert_ptr_null(pool.chunks);
	for (size_t i = 0; i < count; i++) {
		expect_quiet(objects[i] = kmem_pool_get(&pool));
		ck_assert_ptr_nonnull(objects[i]);
		ck_assert_uint_eq((uintptr_t)objects[i] % 16, 0);
		ck_assert(is_zeroed(objects[i], pool.object_size));
		fill(objects[i], pool.object_size, i);
		ck_assert_uint_eq(pool.live, i + 1);
	}
	for (size_t i = 0; i < count; i++) {
		ck_assert(is_filled(objects[i], pool.object_size, i));
	}
	kmem_pool_finish(&pool);
	ck_assert_uint_eq(pool.live, 0);
	/* And again. */
	objects[0] = kmem_pool_get(&pool);
	ck_assert_ptr_nonnull(objects[0]);
	ck_assert(is_zeroed(objects[0], pool.object_size));
	kmem_pool_finish(&pool);
	free(objects);
}
END_TEST

START_TEST(objects_are_used_again)
{
	static unsigned char *objects[500];
	static bool seen[500];
	struct kmem_pool pool;
	unsigned long counted;

	kmem_pool_init(&pool, 64);
	for (size_t i = 0; i < 500; i++) {
		objects[i] = kmem_pool_get(&pool);
		ck_assert_ptr_nonnull(objects[i]);
		fill(objects[i], 64, i);
	}
	for (size_t i = 0; i < 500; i++) {
		expect_quiet(kmem_pool_put(&pool, objects[(i * 7 + 3) % 500]));
		ck_assert_uint_eq(pool.live, 499 - i);
	}
	/* The same five hundred, each once, zeroed, without a host call. */
	(void)kmem_failpoint_arm(1, ENOMEM, true);
	memset(seen, 0, sizeof(seen));
	for (size_t i = 0; i < 500; i++) {
		unsigned char *object = kmem_pool_get(&pool);
		size_t k = 0;

		ck_assert_ptr_nonnull(object);
		ck_assert(is_zeroed(object, 64));
		fill(object, 64, 254);
		while (k < 500 && objects[k] != object) {
			k++;
		}
		ck_assert_uint_lt(k, 500);
		ck_assert(!seen[k]);
		seen[k] = true;
	}
	counted = kmem_failpoint_arm(0, 0, false);
	ck_assert_uint_eq(counted, 0);
	kmem_pool_finish(&pool);
}
END_TEST

START_TEST(random_use_of_a_pool)
{
	static unsigned char *objects[300];
	uint64_t state = harness_seed();
	struct kmem_pool pool;
	size_t live = 0;

	memset(objects, 0, sizeof(objects));
	kmem_pool_init(&pool, 48);
	for (int i = 0; i < often(50000); i++) {
		size_t k = harness_random(&state) % 300;

		if (objects[k] == NULL) {
			objects[k] = kmem_pool_get(&pool);
			ck_assert_ptr_nonnull(objects[k]);
			ck_assert(is_zeroed(objects[k], 48));
			fill(objects[k], 48, k);
			live++;
		} else {
			ck_assert(is_filled(objects[k], 48, k));
			kmem_pool_put(&pool, objects[k]);
			objects[k] = NULL;
			live--;
		}
		ck_assert_uint_eq(pool.live, live);
	}
	kmem_pool_finish(&pool);
}
END_TEST

START_TEST(large_pools_make_few_host_calls)
{
	struct kmem_pool pool;

	kmem_pool_init(&pool, 64);
	(void)kmem_failpoint_arm(1000000, ENOMEM, false);
	for (int i = 0; i < 100; i++) {
		ck_assert_ptr_nonnull(kmem_pool_get(&pool));
	}
	ck_assert_uint_eq(kmem_failpoint_arm(1000000, ENOMEM, false), 1);
	for (int i = 0; i < 100000; i++) {
		ck_assert_ptr_nonnull(kmem_pool_get(&pool));
	}
	ck_assert_uint_le(kmem_failpoint_arm(0, 0, false), 16);
	kmem_pool_finish(&pool);
}
END_TEST

START_TEST(pool_without_memory_gives_none_and_recovers)
{
	struct kmem_pool pool;
	size_t live;

	kmem_pool_init(&pool, 1000);
	(void)kmem_failpoint_arm(1, ENOMEM, true);
	ck_assert_ptr_null(kmem_pool_get(&pool));
	ck_assert_ptr_null(kmem_pool_get(&pool));
	ck_assert_uint_eq(pool.live, 0);
	(void)kmem_failpoint_arm(2, ENOMEM, true);
	while (kmem_pool_get(&pool) != NULL) {
		ck_assert_uint_lt(pool.live, 1000);
	}
	live = pool.live;
	ck_assert_uint_gt(live, 0);
	ck_assert_int_eq(errno, ERRNO_MARK);
	(void)kmem_failpoint_arm(0, 0, false);
	ck_assert_ptr_nonnull(kmem_pool_get(&pool));
	ck_assert_uint_eq(pool.live, live + 1);
	kmem_pool_finish(&pool);
}
END_TEST

START_TEST(zeroed_pool_may_be_finished)
{
	struct kmem_pool pool = {0};

	kmem_pool_finish(&pool);
	ck_assert_uint_eq(pool.live, 0);
	kmem_pool_init(&pool, 16);
	kmem_pool_finish(&pool);
	kmem_pool_finish(&pool);
}
END_TEST

static TCase *case_add(Suite *suite, const char *name, void (*begin)(void), void (*end)(void))
{
	TCase *tcase = tcase_create(name);

	tcase_add_checked_fixture(tcase, begin, end);
	tcase_set_timeout(tcase, 60);
	suite_add_tcase(suite, tcase);
	return tcase;
}

/* Whether tests may die: each must have a process of its own, and Valgrind none. */
static bool may_die(void)
{
	const char *mode = getenv("CK_FORK");

	return !harness_on_valgrind() && (mode == NULL || strcmp(mode, "no") != 0);
}

Suite *kmem_test_suite(void)
{
	Suite *suite = suite_create("host");
	TCase *tcase = case_add(suite, "memory", setup, teardown);

	tcase_add_test(tcase, page_size_is_the_hosts);
	tcase_add_test(tcase, reserved_range_is_there_and_inaccessible);
	tcase_add_loop_test(tcase, reserving_what_is_taken_fails_and_leaves_it, 0, 7);
	tcase_add_test(tcase, large_reservation_is_not_committed);
	tcase_add_test(tcase, reservation_beyond_the_address_space_fails);
	tcase_add_test(tcase, release_takes_whatever_is_mapped);
	tcase_add_test(tcase, concealed_range_is_inaccessible_and_its_file_keeps_the_bytes);
	tcase_add_test(tcase, protection_is_what_was_asked_for);
	tcase_add_test(tcase, range_is_kept_out_of_children);
	tcase_add_test(tcase, range_is_kept_out_of_core_files);
	tcase_add_test(tcase, file_is_mapped_where_and_as_asked);
	tcase_add_test(tcase, file_is_mapped_anywhere);
	tcase_add_test(tcase, memory_file_has_its_size_and_no_blocks);
	tcase_add_test(tcase, memory_file_errors_leave_no_descriptor);
	tcase_add_test(tcase, descriptor_is_low_where_the_limit_is);
	tcase_add_test(tcase, populated_range_has_blocks);
	tcase_add_test(tcase, memory_is_zeroed_and_writable);
	tcase_add_test(tcase, spare_mappings_are_many_and_go_at_once);

	tcase = case_add(suite, "file", file_setup, file_teardown);
	tcase_add_loop_test(tcase, temporary_file_is_private_and_unlinked, 0, 2);
	tcase_add_test(tcase, temporary_name_that_is_taken_is_passed_over);
	tcase_add_test(tcase, temporary_directory_comes_from_the_environment);
	tcase_add_test(tcase, temporary_file_needs_a_directory);
	tcase_add_test(tcase, created_file_is_private_and_new);
	tcase_add_test(tcase, create_refuses_what_exists);
	tcase_add_test(tcase, report_is_created_or_truncated);
	tcase_add_test(tcase, path_is_made_absolute);
	tcase_add_test(tcase, removed_file_is_gone);
	tcase_add_test(tcase, closed_descriptor_is_closed);
	tcase_add_test(tcase, bytes_are_read_where_they_were_written);
	tcase_add_test(tcase, reading_past_the_end_is_an_error);
	tcase_add_test(tcase, transfers_tell_the_hosts_error);
	tcase_add_test(tcase, all_is_appended_in_spite_of_interruptions);
	tcase_add_test(tcase, append_to_a_pipe_without_reader_or_room_fails);
	tcase_add_loop_test(tcase, copy_keeps_the_bytes, 0, 9);
	tcase_add_test(tcase, copy_keeps_holes);
	tcase_add_test(tcase, copy_replaces_what_the_other_file_had);
	tcase_add_test(tcase, copy_tells_every_error);
	tcase_add_test(tcase, punched_range_is_zero_and_given_back);
	tcase_add_test(tcase, replaced_descriptor_refers_to_the_other_file);

	tcase = case_add(suite, "failpoint", file_setup, file_teardown);
	tcase_add_test(tcase, failpoint_is_off_until_armed);
	tcase_add_loop_test(tcase, nth_call_fails, 0, 12);
	tcase_add_test(tcase, one_call_of_all_threads_fails);
	tcase_add_loop_test(tcase, every_call_fails_on_demand, 0, (int)COUNT(calls));

	tcase = case_add(suite, "lock", lock_setup, teardown);
	tcase_add_test(tcase, lock_is_held_by_its_thread);
	tcase_add_test(tcase, lock_is_held_by_no_other_thread);
	tcase_add_test(tcase, one_thread_at_a_time_holds_the_lock);
	tcase_add_test(tcase, release_wakes_those_who_sleep);
	tcase_add_test(tcase, waiting_threads_take_turns);
	tcase_add_test(tcase, wakeup_reaches_all_who_wait);
	tcase_add_test(tcase, wakeup_of_nobody_does_nothing);
	tcase_add_test(tcase, forked_child_adopts_its_locks);

	tcase = case_add(suite, "thread", thread_setup, thread_teardown);
	tcase_add_test(tcase, thread_is_known_by_its_id);
	tcase_add_test(tcase, forked_thread_has_a_new_id);
	tcase_add_test(tcase, alternate_stack_is_made_with_a_guard);
	tcase_add_test(tcase, alternate_stack_of_the_programs_stays);
	tcase_add_test(tcase, alternate_stack_fails_whole);
	tcase_add_test(tcase, thread_ends_alone_with_its_cleanup);

	tcase = case_add(suite, "process", setup, teardown);
	tcase_add_test(tcase, process_is_known_by_its_id);
	tcase_add_test(tcase, fork_calls_who_asked);
	tcase_add_test(tcase, process_ends_at_once);
	tcase_add_test(tcase, errors_have_names);

	tcase = case_add(suite, "log", setup, teardown);
	tcase_add_loop_test(tcase, numbers_are_formatted_as_by_the_c_library, 0, 8);
	tcase_add_test(tcase, random_numbers_are_formatted_as_by_the_c_library);
	tcase_add_test(tcase, strings_are_formatted_as_by_the_c_library);
	tcase_add_test(tcase, other_formats_are_as_by_the_c_library);
	tcase_add_test(tcase, text_is_cut_with_an_end);
	tcase_add_test(tcase, log_lines_have_a_level);
	tcase_add_test(tcase, log_line_is_cut);
	tcase_add_test(tcase, print_adds_nothing);
	tcase_add_test(tcase, text_survives_a_closed_standard_error);
	tcase_add_test(tcase, report_goes_out_in_order);
	tcase_add_test(tcase, report_tells_its_first_error);

	tcase = case_add(suite, "env", setup, teardown);
	tcase_add_test(tcase, empty_variable_is_none);
	tcase_add_test(tcase, walk_visits_the_librarys_variables);
	tcase_add_test(tcase, walk_visits_an_empty_environment);
	tcase_add_test(tcase, sanitizer_is_known);
	tcase_add_loop_test(tcase, size_is_parsed, 0, (int)COUNT(size_rows));
	tcase_add_test(tcase, random_sizes_are_parsed);
	tcase_add_loop_test(tcase, seconds_are_parsed, 0, COUNT(seconds_rows));
	tcase_add_test(tcase, signals_are_parsed);

	tcase = case_add(suite, "clock", setup, teardown);
	tcase_add_test(tcase, clock_goes_on);
	tcase_add_test(tcase, clock_may_be_replaced);

	tcase = case_add(suite, "pool", setup, teardown);
	tcase_add_loop_test(tcase, objects_are_aligned_zeroed_and_apart, 0, (int)COUNT(object_sizes));
	tcase_add_test(tcase, objects_are_used_again);
	tcase_add_test(tcase, random_use_of_a_pool);
	tcase_add_test(tcase, large_pools_make_few_host_calls);
	tcase_add_test(tcase, pool_without_memory_gives_none_and_recovers);
	tcase_add_test(tcase, zeroed_pool_may_be_finished);

	if (may_die() && KMEM_DEBUG_LEVEL >= 1) {
		tcase = case_add(suite, "abort", setup, teardown);
		tcase_add_test_raise_signal(tcase, lock_taken_twice_aborts, SIGABRT);
		tcase_add_test_raise_signal(tcase, lock_released_unheld_aborts, SIGABRT);
		tcase_add_test_raise_signal(tcase, lock_released_by_another_thread_aborts, SIGABRT);
	}
	return suite;
}
