/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mmap() and its kin on anonymous private memory: results, error numbers and contents, as Linux has them.
 *
 * Addresses are never printed, and neither is what depends on how much the host has, or on who runs the test.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096UL
#define PAGES 256UL
#define SIZE (PAGES * PAGE)
#define RW (PROT_READ | PROT_WRITE)

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24
#endif

static sigjmp_buf escape;
static volatile sig_atomic_t signal_code;

static void on_signal(int signo, siginfo_t *info, void *context)
{
	(void)signo;
	(void)context;
	signal_code = info->si_code;
	siglongjmp(escape, 1);
}

/* Whether a byte can be read, or written: 0, or the code of the signal. */
static int probe(volatile unsigned char *at, bool is_write)
{
	if (sigsetjmp(escape, 1) != 0) {
		return signal_code;
	}
	if (is_write) {
		*at = *at;
	} else {
		(void)*at;
	}
	return 0;
}

static void say(const char *what, bool is_so)
{
	printf("%s: %s\n", what, is_so ? "yes" : "NO");
}

static void result(const char *what, int ret)
{
	printf("%s: %d, errno %d\n", what, ret, ret == 0 ? 0 : errno);
	errno = 0;
}

static void map_result(const char *what, const void *got, const void *wanted)
{
	printf("%s: %s, errno %d\n", what, got == MAP_FAILED ? "failed" : got == wanted ? "there" : "elsewhere",
	       got == MAP_FAILED ? errno : 0);
	errno = 0;
}

static unsigned char *map_new(size_t size)
{
	unsigned char *memory = mmap(NULL, size, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED) {
		printf("mmap failed: %d\n", errno);
		exit(1);
	}
	return memory;
}

/* Every page knows its number. */
static void number(unsigned char *memory, size_t pages, unsigned int first)
{
	for (size_t i = 0; i < pages; i++) {
		unsigned int value = first + (unsigned int)i;

		memcpy(memory + i * PAGE + i % 1000, &value, sizeof(value));
	}
}

static bool is_numbered(const unsigned char *memory, size_t pages, unsigned int first, size_t skipped)
{
	for (size_t i = 0; i < pages; i++) {
		unsigned int value;

		memcpy(&value, memory + i * PAGE + (i + skipped) % 1000, sizeof(value));
		if (value != first + (unsigned int)i) {
			return false;
		}
	}
	return true;
}

static bool is_zero(const unsigned char *memory, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (memory[i] != 0) {
			return false;
		}
	}
	return true;
}

static void test_plain(void)
{
	unsigned char *memory = map_new(8 * SIZE);
	unsigned char *other;

	say("fresh memory is zero", is_zero(memory, 8 * SIZE));
	number(memory, 8 * PAGES, 1);
	say("contents stay", is_numbered(memory, 8 * PAGES, 1, 0));
	result("munmap", munmap(memory, 8 * SIZE));
	other = mmap(NULL, SIZE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	say("read-only memory is zero", is_zero(other, SIZE));
	printf("write to it: %d\n", probe(other, true));
	result("munmap", munmap(other, SIZE));
	other = mmap(NULL, SIZE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	say("populated memory is zero", is_zero(other, SIZE));
	result("munmap", munmap(other, SIZE));
	other = mmap(NULL, SIZE - 100, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	printf("last byte: %d\n", probe(other + SIZE - 1, true));
	result("munmap", munmap(other, SIZE - 200));
}

static void test_errors(void)
{
	unsigned char *memory = map_new(SIZE);

	map_result("mmap size 0", mmap(NULL, 0, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), NULL);
	map_result("mmap without type", mmap(NULL, SIZE, RW, MAP_ANONYMOUS, -1, 0), NULL);
	map_result("mmap odd offset", mmap(NULL, SIZE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 100), NULL);
	map_result("mmap too large", mmap(NULL, SIZE_MAX - 10, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), NULL);
	map_result("mmap bad descriptor", mmap(NULL, SIZE, RW, MAP_PRIVATE, -1, 0), NULL);
	map_result("mmap odd fixed", mmap(memory + 1, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0), NULL);
	map_result("mmap fixed without type", mmap(memory, PAGE, RW, MAP_ANONYMOUS | MAP_FIXED, -1, 0), NULL);
	result("munmap odd", munmap(memory + 1, PAGE));
	result("munmap size 0", munmap(memory, 0));
	result("munmap too large", munmap(memory, SIZE_MAX - 2 * PAGE));
	result("mprotect odd", mprotect(memory + 1, PAGE, PROT_READ));
	result("mprotect size 0", mprotect(memory, 0, PROT_READ));
	result("mprotect bad bits", mprotect(memory, PAGE, 0x100));
	result("madvise odd", madvise(memory + 1, PAGE, MADV_NORMAL));
	result("madvise size 0", madvise(memory, 0, MADV_DONTNEED));
	result("madvise unknown", madvise(memory, PAGE, 12345));
	result("madvise remove", madvise(memory, PAGE, MADV_REMOVE));
	result("madvise too large", madvise(memory, SIZE_MAX - 10, MADV_DONTNEED));
	result("msync odd", msync(memory + 1, PAGE, MS_SYNC));
	result("msync both", msync(memory, PAGE, MS_SYNC | MS_ASYNC));
	result("msync unknown", msync(memory, PAGE, 0x100));
	result("msync", msync(memory, SIZE, MS_SYNC));
	result("munmap", munmap(memory, SIZE));
	result("munmap again", munmap(memory, SIZE));
	result("mprotect unmapped", mprotect(memory, SIZE, PROT_READ));
	result("madvise unmapped", madvise(memory, SIZE, MADV_DONTNEED));
	result("msync unmapped", msync(memory, SIZE, MS_SYNC));
	printf("read unmapped: %d\n", probe(memory, false));
}

static void test_holes(void)
{
	unsigned char *memory = map_new(SIZE);

	number(memory, PAGES, 100);
	result("munmap of a part", munmap(memory + 10 * PAGE, 20 * PAGE));
	result("munmap of a hole", munmap(memory + 15 * PAGE, 5 * PAGE));
	result("munmap over a hole", munmap(memory + 5 * PAGE, 20 * PAGE));
	printf("before, in, behind: %d %d %d\n", probe(memory + 4 * PAGE, true), probe(memory + 5 * PAGE, false),
	       probe(memory + 30 * PAGE, true));
	say("the rest stays", is_numbered(memory, 5, 100, 0) && is_numbered(memory + 30 * PAGE, PAGES - 30, 130, 30));
	result("mprotect over a hole", mprotect(memory, SIZE, PROT_READ));
	printf("before it: %d\n", probe(memory, true));
	result("mprotect of the rest", mprotect(memory, 5 * PAGE, RW));
	result("madvise over a hole", madvise(memory, SIZE, MADV_DONTNEED));
	say("forgotten before and behind", is_zero(memory, 5 * PAGE) && is_zero(memory + 30 * PAGE, (PAGES - 30) * PAGE));
	result("munmap of all", munmap(memory, SIZE));
}

static void test_fixed(void)
{
	unsigned char *memory = map_new(SIZE);
	int flags = MAP_PRIVATE | MAP_ANONYMOUS;

	number(memory, PAGES, 7);
	map_result("fixed over", mmap(memory + 8 * PAGE, 4 * PAGE, RW, flags | MAP_FIXED, -1, 0), memory + 8 * PAGE);
	say("zero there, the rest stays", is_zero(memory + 8 * PAGE, 4 * PAGE) && is_numbered(memory, 8, 7, 0) &&
						  is_numbered(memory + 12 * PAGE, PAGES - 12, 19, 12));
	map_result("noreplace over", mmap(memory, PAGE, RW, flags | MAP_FIXED_NOREPLACE, -1, 0), memory);
	result("hole", munmap(memory + 20 * PAGE, PAGE));
	map_result("noreplace in a hole", mmap(memory + 20 * PAGE, PAGE, RW, flags | MAP_FIXED_NOREPLACE, -1, 0), memory + 20 * PAGE);
	map_result("noreplace partly over", mmap(memory + 20 * PAGE, 2 * PAGE, RW, flags | MAP_FIXED_NOREPLACE, -1, 0),
		   memory + 20 * PAGE);
	map_result("none over", mmap(memory, PAGE, PROT_NONE, flags | MAP_FIXED, -1, 0), memory);
	printf("read of it: %d\n", probe(memory, false));
	result("mprotect of it", mprotect(memory, PAGE, RW));
	say("it is zero", is_zero(memory, PAGE));
	result("munmap", munmap(memory, SIZE));
}

static void test_file(void)
{
	static const char text[] = "what the file holds\n";
	char path[] = "/tmp/prog_mmap.XXXXXX";
	unsigned char *memory = map_new(SIZE);
	int fd = mkstemp(path);
	int unreadable, zeroes;
	void *shared;

	(void)unlink(path);
	if (fd < 0 || write(fd, text, sizeof(text)) != sizeof(text)) {
		exit(1);
	}
	number(memory, PAGES, 1);
	map_result("private file over", mmap(memory + PAGE, PAGE, RW, MAP_PRIVATE | MAP_FIXED, fd, 0), memory + PAGE);
	say("its bytes", memcmp(memory + PAGE, text, sizeof(text)) == 0 && is_zero(memory + PAGE + sizeof(text), PAGE - sizeof(text)));
	memory[PAGE] = 'W';
	map_result("again read-only", mmap(memory + PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0), memory + PAGE);
	say("its bytes", memcmp(memory + PAGE, text, sizeof(text)) == 0);
	printf("write to it: %d\n", probe(memory + PAGE, true));
	map_result("bad descriptor", mmap(memory, PAGE, RW, MAP_PRIVATE | MAP_FIXED, -1, 0), memory);
	unreadable = open("/dev/null", O_WRONLY);
	map_result("unreadable", mmap(memory, PAGE, RW, MAP_PRIVATE | MAP_FIXED, unreadable, 0), memory);
	(void)close(unreadable);
	zeroes = open("/dev/zero", O_RDWR);
	map_result("zeroes", mmap(memory + 3 * PAGE, 2 * PAGE, RW, MAP_PRIVATE | MAP_FIXED, zeroes, 0), memory + 3 * PAGE);
	say("zero there only", is_zero(memory + 3 * PAGE, 2 * PAGE) && is_numbered(memory + 2 * PAGE, 1, 3, 2) &&
				       is_numbered(memory + 5 * PAGE, PAGES - 5, 6, 5));
	memory[3 * PAGE] = 'Z';
	(void)close(zeroes);
	shared = mmap(memory + 8 * PAGE, PAGE, RW, MAP_SHARED | MAP_FIXED, fd, 0);
	say("a shared file is there, or nothing has changed",
	    shared == MAP_FAILED ? is_numbered(memory + 5 * PAGE, PAGES - 5, 6, 5) : memcmp(shared, text, sizeof(text)) == 0);
	(void)close(fd);
	result("munmap", munmap(memory, SIZE));
}

static void test_protect(void)
{
	unsigned char *memory = map_new(SIZE);

	number(memory, PAGES, 3);
	result("none in the middle", mprotect(memory + 4 * PAGE, 4 * PAGE, PROT_NONE));
	printf("around: %d %d %d %d\n", probe(memory + 3 * PAGE, true), probe(memory + 4 * PAGE, false),
	       probe(memory + 7 * PAGE, true), probe(memory + 8 * PAGE, true));
	result("read-only, across borders", mprotect(memory + 2 * PAGE, 4 * PAGE, PROT_READ));
	printf("read %d, write %d\n", probe(memory + 4 * PAGE, false), probe(memory + 4 * PAGE, true));
	result("all again", mprotect(memory, SIZE, RW));
	say("contents stay", is_numbered(memory, PAGES, 3, 0));
	result("write-only", mprotect(memory, PAGE, PROT_WRITE));
	printf("read %d, write %d\n", probe(memory, false), probe(memory, true));
	result("munmap", munmap(memory, SIZE));
}

#ifdef __x86_64__
static void test_code(void)
{
	/* mov $42, %eax; ret */
	static const unsigned char code[] = {0xb8, 42, 0, 0, 0, 0xc3};
	unsigned char *memory = map_new(SIZE);
	int (*function)(void);

	memcpy(memory + 5 * PAGE, code, sizeof(code));
	result("executable", mprotect(memory + 5 * PAGE, PAGE, PROT_READ | PROT_EXEC));
	number(memory + 6 * PAGE, PAGES - 6, 1);
	(void)madvise(memory + 5 * PAGE, PAGE, MADV_PAGEOUT);
	memcpy(&function, &(void *){memory + 5 * PAGE}, sizeof(function));
	printf("code returns %d\n", function());
	result("munmap", munmap(memory, SIZE));
}
#else
static void test_code(void)
{
}
#endif

/* A page behind which there is nothing. */
static void test_remap(void)
{
	unsigned char *memory = map_new(2 * SIZE);
	unsigned char *moved, *to;

	number(memory, PAGES, 50);
	map_result("in place into nothing", mremap(memory, SIZE, SIZE + PAGE, 0), memory);
	result("hole behind", munmap(memory + SIZE, SIZE));
	map_result("grow in place", mremap(memory, SIZE, SIZE + 4 * PAGE, 0), memory);
	say("new part is zero", is_zero(memory + SIZE, 4 * PAGE) && is_numbered(memory, PAGES, 50, 0));
	map_result("shrink", mremap(memory, SIZE + 4 * PAGE, SIZE, 0), memory);
	printf("behind: %d\n", probe(memory + SIZE, false));
	map_result("as it is", mremap(memory, SIZE, SIZE, 0), memory);
	moved = mmap(memory + SIZE, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	map_result("wall", moved, memory + SIZE);
	result("of another kind", mprotect(moved, PAGE, PROT_READ));
	map_result("cannot grow", mremap(memory, SIZE, 2 * SIZE, 0), memory);
	moved = mremap(memory, SIZE, 4 * SIZE, MREMAP_MAYMOVE);
	map_result("may move", moved, memory);
	say("contents move", is_numbered(moved, PAGES, 50, 0) && is_zero(moved + SIZE, 3 * SIZE));
	printf("where it was: %d\n", probe(memory, false));
	to = map_new(4 * SIZE);
	number(to, PAGES, 1000);
	map_result("fixed", mremap(moved, 4 * SIZE, 2 * SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, to + SIZE), to + SIZE);
	say("contents move", is_numbered(to + SIZE, PAGES, 50, 0) && is_zero(to + 2 * SIZE, SIZE) && is_numbered(to, PAGES, 1000, 0));
	printf("where it was: %d, behind: %d\n", probe(moved, false), probe(to + 3 * SIZE, true));
	map_result("overlap", mremap(to, 2 * SIZE, 2 * SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, to + SIZE), NULL);
	map_result("fixed odd", mremap(to, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, to + 2 * SIZE + 1), NULL);
	map_result("fixed without maymove", mremap(to, SIZE, SIZE, MREMAP_FIXED, to + 2 * SIZE), NULL);
	map_result("bad flags", mremap(to, SIZE, SIZE, 0x100), NULL);
	map_result("odd", mremap(to + 1, SIZE, SIZE, 0), NULL);
	map_result("new size 0", mremap(to, SIZE, 0, 0), NULL);
	result("two kinds", mprotect(to, PAGE, PROT_READ));
	map_result("cannot grow", mremap(to, SIZE, 2 * SIZE, MREMAP_MAYMOVE), NULL);
	printf("and stays: %d %d\n", probe(to, false), probe(to + SIZE - 1, true));
	result("one kind", mprotect(to, PAGE, RW));
	map_result("unmapped", mremap(moved, SIZE, 2 * SIZE, MREMAP_MAYMOVE), NULL);
	result("munmap", munmap(to, 4 * SIZE));
	result("munmap", munmap(memory + SIZE, PAGE));
}

static void test_remap_kept(void)
{
	unsigned char *memory = map_new(SIZE);
	unsigned char *moved;

	number(memory, PAGES, 9);
	map_result("dontunmap of another size", mremap(memory, SIZE, 2 * SIZE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL), NULL);
	moved = mremap(memory, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
	map_result("dontunmap", moved, memory);
	say("contents move, zeroes stay", is_numbered(moved, PAGES, 9, 0) && is_zero(memory, SIZE));
	result("munmap", munmap(memory, SIZE));
	result("munmap", munmap(moved, SIZE));
}

/* To and from memory that is not like the rest: a reservation. */
static void test_remap_reserved(void)
{
	unsigned char *reserved = mmap(NULL, 4 * SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	unsigned char *memory = map_new(SIZE);

	number(memory, PAGES, 77);
	map_result("into a reservation", mremap(memory, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, reserved + SIZE), reserved + SIZE);
	say("contents move", is_numbered(reserved + SIZE, PAGES, 77, 0));
	map_result("fixed in a reservation", mmap(reserved, SIZE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0), reserved);
	number(reserved, PAGES, 5);
	result("opened up", mprotect(reserved + 2 * SIZE, SIZE, RW));
	number(reserved + 2 * SIZE, PAGES, 6);
	say("contents", is_numbered(reserved, PAGES, 5, 0) && is_numbered(reserved + 2 * SIZE, PAGES, 6, 0));
	result("munmap", munmap(reserved, 4 * SIZE));
}

static void test_advice(void)
{
	static const struct {
		const char *name;
		int advice;
	} harmless[] = {
		{"normal", MADV_NORMAL}, {"random", MADV_RANDOM}, {"sequential", MADV_SEQUENTIAL}, {"willneed", MADV_WILLNEED},
		{"dontdump", MADV_DONTDUMP}, {"dodump", MADV_DODUMP}, {"dontfork", MADV_DONTFORK}, {"dofork", MADV_DOFORK},
		{"cold", MADV_COLD}, {"pageout", MADV_PAGEOUT}, {"populate read", MADV_POPULATE_READ},
		{"populate write", MADV_POPULATE_WRITE},
	};
	unsigned char *memory = map_new(SIZE);

	number(memory, PAGES, 21);
	for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++) {
		result(harmless[i].name, madvise(memory, SIZE, harmless[i].advice));
		say("contents stay", is_numbered(memory, PAGES, 21, 0));
	}
	result("dontneed", madvise(memory + PAGE, PAGE, MADV_DONTNEED));
	say("zero there only", is_zero(memory + PAGE, PAGE) && is_numbered(memory, 1, 21, 0) &&
				       is_numbered(memory + 2 * PAGE, PAGES - 2, 23, 2));
	result("free", madvise(memory, SIZE, MADV_FREE));
	number(memory, PAGES, 22);
	say("what is written after it stays", is_numbered(memory, PAGES, 22, 0));
	printf("posix_madvise: %d %d %d\n", posix_madvise(memory, SIZE, POSIX_MADV_WILLNEED),
	       posix_madvise(memory, SIZE, POSIX_MADV_DONTNEED), posix_madvise(memory + 1, SIZE, POSIX_MADV_WILLNEED));
	say("contents stay", is_numbered(memory, PAGES, 22, 0));
	result("read-only", mprotect(memory, PAGE, PROT_READ));
	result("populate write of it", madvise(memory, SIZE, MADV_POPULATE_WRITE));
	result("hole", munmap(memory + 3 * PAGE, PAGE));
	result("populate read over a hole", madvise(memory, SIZE, MADV_POPULATE_READ));
	result("willneed over a hole", madvise(memory, SIZE, MADV_WILLNEED));
	result("munmap", munmap(memory, SIZE));
}

static void test_locks(void)
{
	unsigned char *memory = map_new(SIZE);
	unsigned char vector[PAGES];
	bool is_in = true;

	result("mlock", mlock(memory + 10, 16 * PAGE));
	number(memory + 32 * PAGE, PAGES - 32, 1);
	result("mincore", mincore(memory, 16 * PAGE, vector));
	for (size_t i = 0; i < 16; i++) {
		is_in = is_in && (vector[i] & 1) != 0;
	}
	say("what is locked is in", is_in);
	result("mincore odd", mincore(memory + 1, PAGE, vector));
	result("munlock", munlock(memory + 10, 16 * PAGE));
	result("mlock of many", mlock(memory, 64 * PAGE));
	result("munlockall", munlockall());
	result("mlock again", mlock(memory + 64 * PAGE, 64 * PAGE));
	result("munlockall", munlockall());
	number(memory, PAGES, 1);
	say("contents stay", is_numbered(memory, PAGES, 1, 0));
	result("mlock size 0", mlock(memory, 0));
	result("mlock2 bad flags", mlock2(memory, PAGE, 0x100));
	result("hole", munmap(memory + 20 * PAGE, PAGE));
	result("mlock over a hole", mlock(memory + 18 * PAGE, 4 * PAGE));
	result("munlock over a hole", munlock(memory + 18 * PAGE, 4 * PAGE));
	result("mincore over a hole", mincore(memory, SIZE, vector));
	result("mlock too large", mlock(memory, SIZE_MAX - 10));
	result("munmap", munmap(memory, SIZE));
}

/* What is locked is cleared where it is, and only on demand. */
static void test_locked_advice(void)
{
	unsigned char *memory = map_new(SIZE);

	number(memory, PAGES, 40);
	result("mlock", mlock(memory + 4 * PAGE, 8 * PAGE));
	result("mlock", mlock(memory + 20 * PAGE, PAGE));
	result("read-only", mprotect(memory + 5 * PAGE, PAGE, PROT_READ));
	result("nothing allowed", mprotect(memory + 6 * PAGE, PAGE, PROT_NONE));
	result("dontneed", madvise(memory + 10 * PAGE, 4 * PAGE, MADV_DONTNEED));
	result("free", madvise(memory + 10 * PAGE, PAGE, MADV_FREE));
	result("cold", madvise(memory + 10 * PAGE, PAGE, MADV_COLD));
	result("pageout", madvise(memory + 10 * PAGE, PAGE, MADV_PAGEOUT));
	say("contents stay", is_numbered(memory, 5, 40, 0) && is_numbered(memory + 7 * PAGE, PAGES - 7, 47, 7));
	result("dontneed locked", madvise(memory + 2 * PAGE, 22 * PAGE, MADV_DONTNEED_LOCKED));
	result("allowed", mprotect(memory + 5 * PAGE, 2 * PAGE, RW));
	say("zero there only", is_zero(memory + 2 * PAGE, 22 * PAGE) && is_numbered(memory, 2, 40, 0) &&
				       is_numbered(memory + 24 * PAGE, PAGES - 24, 64, 24));
	result("still locked", madvise(memory + 4 * PAGE, PAGE, MADV_DONTNEED));
	result("munlock", munlock(memory, SIZE));
	result("not any more", madvise(memory + 4 * PAGE, PAGE, MADV_DONTNEED));
	number(memory + 24 * PAGE, PAGES - 24, 90);
	say("zeroes stay", is_zero(memory + 2 * PAGE, 22 * PAGE));
	result("munmap", munmap(memory, SIZE));
}

/* Locks are not inherited. */
static void test_locks_of_child(void)
{
	unsigned char *memory = map_new(SIZE);
	int status = -1;
	pid_t pid;

	number(memory, PAGES, 1);
	result("mlock", mlock(memory, 100 * PAGE));
	(void)fflush(stdout);
	pid = fork();
	if (pid == 0) {
		bool ok = is_numbered(memory, PAGES, 1, 0);

		ok = mlock(memory + 100 * PAGE, 100 * PAGE) == 0 && ok;
		ok = madvise(memory, 100 * PAGE, MADV_DONTNEED) == 0 && is_zero(memory, 100 * PAGE) && ok;
		ok = madvise(memory + 100 * PAGE, PAGE, MADV_DONTNEED_LOCKED) == 0 && is_zero(memory + 100 * PAGE, PAGE) && ok;
		_exit(ok ? 0 : 1);
	}
	(void)waitpid(pid, &status, 0);
	printf("child: %d\n", status);
	result("the parent's stay", madvise(memory, PAGE, MADV_DONTNEED));
	result("and are cleared", madvise(memory, PAGE, MADV_DONTNEED_LOCKED));
	say("zero there only", is_zero(memory, PAGE) && is_numbered(memory + PAGE, PAGES - 1, 2, 1));
	result("munmap", munmap(memory, SIZE));
}

/* Parent and child have memory of their own. */
static void test_fork(void)
{
	unsigned char *memory = map_new(8 * SIZE);
	int status = -1;
	pid_t pid;

	number(memory, 8 * PAGES, 500);
	(void)mprotect(memory + PAGE, PAGE, PROT_READ);
	(void)fflush(stdout);
	pid = fork();
	if (pid == 0) {
		bool ok = is_numbered(memory, 8 * PAGES, 500, 0);

		number(memory + 2 * PAGE, 8 * PAGES - 2, 900);
		ok = is_numbered(memory + 2 * PAGE, 8 * PAGES - 2, 900, 0) && ok;
		ok = probe(memory + PAGE, true) != 0 && munmap(memory, 4 * SIZE) == 0 && ok;
		_exit(ok ? 0 : 1);
	}
	(void)waitpid(pid, &status, 0);
	printf("child: %d\n", status);
	say("the parent's stays", is_numbered(memory, 8 * PAGES, 500, 0));
	result("munmap", munmap(memory, 8 * SIZE));
}

/* Many pieces, cut and joined. */
static void test_churn(void)
{
	static unsigned char *pieces[64];
	static size_t sizes[64];
	uint32_t state = 5;
	bool ok = true;

	for (unsigned int i = 0; i < 1500; i++) {
		unsigned int which;

		state = state * 1664525u + 1013904223u;
		which = (state >> 8) % 64;
		if (pieces[which] == NULL) {
			sizes[which] = (32 + (state >> 16) % 64) * PAGE;
			pieces[which] = map_new(sizes[which]);
			pieces[which][0] = (unsigned char)which;
			pieces[which][sizes[which] - 1] = (unsigned char)which;
			continue;
		}
		ok = pieces[which][0] == (unsigned char)which && pieces[which][sizes[which] - 1] == (unsigned char)which && ok;
		if (state % 3 == 0) {
			size_t size = (32 + (state >> 10) % 128) * PAGE;
			unsigned char *piece = mremap(pieces[which], sizes[which], size, MREMAP_MAYMOVE);

			ok = piece != MAP_FAILED && piece[0] == (unsigned char)which && ok;
			piece[size - 1] = (unsigned char)which;
			pieces[which] = piece;
			sizes[which] = size;
		} else {
			ok = munmap(pieces[which], sizes[which]) == 0 && ok;
			pieces[which] = NULL;
		}
	}
	for (unsigned int i = 0; i < 64; i++) {
		ok = (pieces[i] == NULL || munmap(pieces[i], sizes[i]) == 0) && ok;
	}
	say("churn", ok);
}

/* Pages that move, and leave zeroes behind, while other threads look for room. */
static void *mover(void *failures)
{
	const size_t pages = 40;

	for (unsigned int i = 0; i < 100; i++) {
		unsigned char *memory = map_new(pages * PAGE);
		unsigned char *moved, *grown;
		bool ok;

		number(memory, pages, i);
		moved = mremap(memory, pages * PAGE, pages * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
		ok = moved != MAP_FAILED && is_numbered(moved, pages, i, 0) && is_zero(memory, pages * PAGE);
		number(memory, pages, i + 1);
		grown = mremap(moved, pages * PAGE, 2 * pages * PAGE, MREMAP_MAYMOVE);
		ok = ok && grown != MAP_FAILED && is_numbered(grown, pages, i, 0);
		ok = ok && mremap(grown, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, memory + PAGE) == memory + PAGE;
		ok = ok && is_numbered(memory, 1, i + 1, 0) && is_numbered(memory + PAGE, 1, i, 0);
		ok = ok && munmap(memory, pages * PAGE) == 0 && munmap(grown + PAGE, (2 * pages - 1) * PAGE) == 0;
		if (!ok) {
			atomic_fetch_add((atomic_int *)failures, 1);
		}
	}
	return NULL;
}

static void test_movers(void)
{
	pthread_t threads[4];
	atomic_int failures = 0;

	for (size_t i = 0; i < 4; i++) {
		(void)pthread_create(&threads[i], NULL, mover, &failures);
	}
	for (size_t i = 0; i < 4; i++) {
		(void)pthread_join(threads[i], NULL);
	}
	printf("moves that failed among threads: %d\n", atomic_load(&failures));
}

static void test_huge(void)
{
	size_t size = (size_t)1 << 38;
	unsigned char *memory = mmap(NULL, size, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	say("256 GiB can be reserved", memory != MAP_FAILED);
	if (memory != MAP_FAILED) {
		memory[size - 1] = 1;
		result("munmap", munmap(memory, size));
	}
}

int main(void)
{
	static void (*const tests[])(void) = {
		test_plain, test_errors, test_holes, test_fixed, test_file, test_protect, test_code, test_remap, test_remap_kept,
		test_remap_reserved, test_advice, test_locks, test_locked_advice, test_locks_of_child, test_fork, test_churn, test_movers, test_huge,
	};
	struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};

	(void)sigaction(SIGSEGV, &action, NULL);
	(void)sigaction(SIGBUS, &action, NULL);
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		printf("-- %zu\n", i);
		errno = 0;
		tests[i]();
	}
	return 0;
}
