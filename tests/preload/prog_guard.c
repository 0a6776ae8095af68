/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors with blocks of the heap, one a run, for test_guard.sh: prog_guard WHAT. Functions that allocate, release and access are exported,
 * so that backtraces name them. A plain run of `clean` and of `handler` prints the same as one with guards.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

/* As they are: a copy that the compiler makes for some arguments is not exported. */
#ifdef __clang__
#define NOINLINE __attribute__((noinline, visibility("default")))
#else
#define NOINLINE __attribute__((noipa, visibility("default")))
#endif

/* The last thing that a function does would otherwise be a jump that leaves no frame. */
#define NO_TAIL_CALL() __asm__ volatile("" ::: "memory")

char *block_make(size_t size);
void block_drop(char *block);
char block_read(const char *block, long offset);
void block_write(char *block, long offset);

NOINLINE char *block_make(size_t size)
{
	char *block = malloc(size);

	if (block == NULL) {
		fputs("no memory\n", stderr);
		exit(2);
	}
	NO_TAIL_CALL();
	return block;
}

NOINLINE void block_drop(char *block)
{
	free(block);
	NO_TAIL_CALL();
}

NOINLINE char block_read(const char *block, long offset)
{
	return ((const volatile char *)block)[offset];
}

NOINLINE void block_write(char *block, long offset)
{
	((volatile char *)block)[offset] = 'x';
}

/* The compiler may not know that a block is one, or what has become of it. */
static char *hide(char *block)
{
	__asm__ volatile("" : "+r"(block));
	return block;
}

static void overrun(void)
{
	block_write(block_make(32), 32);
}

static void overrun_far(void)
{
	(void)block_read(block_make(5000), 5011);
}

static void underrun(void)
{
	block_write(block_make(29), -3);
}

static void use_released_read(void)
{
	char *block = hide(block_make(40));

	block_drop(block);
	(void)block_read(block, 7);
}

/* Others come and go in between. */
static void use_released_late(void)
{
	char *block = hide(block_make(40));

	block_drop(block);
	for (size_t i = 0; i < 3000; i++) {
		block_drop(hide(block_make(40)));
	}
	(void)block_read(block, 39);
}

static void use_released_write(void)
{
	char *block = hide(block_make(10000));

	block_drop(block);
	block_write(block, 9000);
}

static void use_nothing(void)
{
	block_write(block_make(0), 0);
}

static void release_twice(void)
{
	char *block = hide(block_make(24));

	block_drop(block);
	block_drop(block);
}

static void release_inside(void)
{
	block_drop(hide(block_make(24)) + 8);
}

static void resize_released(void)
{
	char *block = hide(block_make(24));

	block_drop(block);
	(void)!realloc(block, 48);
}

static void slack_behind(void)
{
	char *block = hide(block_make(29));

	block_write(block, 30);
	block_drop(block);
}

static void slack_before(void)
{
	char *block = hide(block_make(32));

	block_write(block, -1);
	block_drop(block);
}

/* Blocks that are never released; and a status. */
static void slack_kept(void)
{
	for (int i = 0; i < 12; i++) {
		block_write(hide(block_make(29)), 30);
		(void)hide(block_make(29));
	}
	exit(3);
}

static void slack_resize(void)
{
	char *block = hide(block_make(29));

	block_write(block, 29);
	(void)!realloc(block, 48);
}

static void *drop_in_thread(void *block)
{
	block_drop(block);
	return NULL;
}

static void threads(void)
{
	char *block = hide(block_make(64));
	pthread_t thread;

	if (pthread_create(&thread, NULL, drop_in_thread, block) == 0) {
		(void)pthread_join(thread, NULL);
		(void)block_read(block, 1);
	}
}

/* The child finds the records of its parent's blocks; it is the parent that tells how it ended. */
static void forked(void)
{
	char *block = hide(block_make(48));
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		memset(block, 1, 48);
		block_drop(block);
		block_write(block, 0);
		_exit(0);
	}
	(void)waitpid(child, &status, 0);
	memset(block, 2, 48);
	block_drop(block);
	printf("child: signal %d\n", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

static atomic_bool is_enough;

static void *busy_work(void *arg)
{
	char *blocks[8] = {NULL};

	for (size_t i = 0; !atomic_load(&is_enough); i++) {
		free(blocks[i % 8]);
		blocks[i % 8] = block_make(i % 100);
	}
	for (size_t i = 0; i < 8; i++) {
		free(blocks[i]);
	}
	return arg;
}

/* Children of a process whose threads allocate at every moment. */
static void forks(void)
{
	pthread_t threads[3];
	int failures = 0;

	for (size_t i = 0; i < 3; i++) {
		(void)pthread_create(&threads[i], NULL, busy_work, NULL);
	}
	for (int i = 0; i < 20; i++) {
		int status = 1;
		pid_t child = fork();

		if (child == 0) {
			for (size_t k = 0; k < 50; k++) {
				block_drop(memset(block_make(k), 1, k));
			}
			_exit(0);
		}
		(void)waitpid(child, &status, 0);
		failures += status != 0;
	}
	atomic_store(&is_enough, true);
	for (size_t i = 0; i < 3; i++) {
		(void)pthread_join(threads[i], NULL);
	}
	printf("%d failures\n", failures);
}

/* A system call writes past the end: it fails, as with any bad pointer. */
static void call(void)
{
	char *block = hide(block_make(32));
	int zero = open("/dev/zero", O_RDONLY);
	ssize_t count = read(zero, block + 16, 16);

	printf("%zd\n", count);
	count = read(zero, block + 32, 16);
	printf("%zd %s\n", count, count < 0 ? strerrorname_np(errno) : "");
	block_drop(block);
}

/* Others do so, by other ways: a part is transferred, in one call and in pieces, or nothing. */
static void calls(void)
{
	char *block = hide(block_make(32));
	char *large = hide(block_make(300000));
	int zero = open("/dev/zero", O_RDONLY);
	int null = open("/dev/null", O_WRONLY);
	int pipes[2];
	struct iovec vector[2] = {{.iov_base = large, .iov_len = 10}, {.iov_base = block, .iov_len = 40}};
	ssize_t count;

	printf("%zd\n", read(zero, block + 16, 32));
	printf("%zd\n", read(zero, large, 300001));
	printf("%zd\n", readv(zero, vector, 2));
	memset(block, 'x', 32);
	count = open(block, O_RDONLY);
	printf("%zd %s\n", count, strerrorname_np(errno));
	if (pipe(pipes) == 0) {
		count = write(pipes[1], block + 32, 1);
		printf("%zd %s\n", count, strerrorname_np(errno));
	}
	/* Not looked at: this is no overrun. */
	printf("%zd\n", write(null, block, 32));
	block_drop(large);
	block_drop(block);
	count = write(null, block, 32);
	printf("%zd\n", count);
	if (pipe(pipes) == 0) {
		count = write(pipes[1], block + 1, 2);
		printf("%zd %s\n", count, strerrorname_np(errno));
	}
}

/* Of many blocks, some are guarded. */
static void sampled(void)
{
	for (int i = 0; i < 100; i++) {
		(void)block_read(block_make(32), 32);
	}
}

/*
 * Calls a function from a frame whose table is wrong: that it can be found at an address where nothing is. Who walks the stack from
 * there must not fall over that.
 */
void call_from_nowhere(void (*function)(void));
__asm__(".text\n"
	".type call_from_nowhere, @function\n"
	"call_from_nowhere:\n"
	"	.cfi_startproc\n"
	"	push %rbx\n"
	"	xor %ebx, %ebx\n"
	"	.cfi_def_cfa rbx, 64\n"
	"	call *%rdi\n"
	"	pop %rbx\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".size call_from_nowhere, . - call_from_nowhere\n");

static void make_and_drop(void)
{
	block_drop(hide(block_make(100)));
	block_drop(hide(block_make(200)));
	puts("done");
}

static void tables(void)
{
	call_from_nowhere(make_and_drop);
}

static sigjmp_buf back;

static void on_segv(int signo)
{
	siglongjmp(back, signo);
}

/* The program handles its mistake, and goes on. */
static void handler(void)
{
	char *block = hide(block_make(32));

	(void)signal(SIGSEGV, on_segv);
	for (int i = 0; i < 3; i++) {
		/* Far enough away for a plain run: past everything. */
		if (sigsetjmp(back, 1) == 0) {
			(void)block_read(getenv("KMEM_GUARD") != NULL ? block : NULL, 32);
			puts("not caught");
		} else {
			puts("caught");
		}
	}
	block_drop(block);
	block_drop(block_make(100));
	puts("done");
}

static void check(bool is_right, const char *what)
{
	if (!is_right) {
		printf("wrong: %s\n", what);
	}
}

static bool is_filled(const char *block, int value, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (block[i] != (char)value) {
			return false;
		}
	}
	return true;
}

/* What a program may do. */
static void *clean_work(void *arg)
{
	char *blocks[50] = {NULL};
	size_t sizes[50] = {0};

	for (size_t i = 0; i < 2000; i++) {
		size_t k = i * 7 % 50;
		size_t size = i * 131 % 6000;

		if (blocks[k] != NULL) {
			check(is_filled(blocks[k], (int)k, sizes[k]), "contents");
		}
		if (i % 3 == 0) {
			free(blocks[k]);
			blocks[k] = calloc(1, size);
			check(blocks[k] != NULL && is_filled(blocks[k], 0, size), "calloc");
		} else {
			blocks[k] = realloc(blocks[k], size + 1);
			check(is_filled(blocks[k], (int)k, size < sizes[k] ? size : sizes[k]) || sizes[k] == 0, "realloc");
		}
		check(malloc_usable_size(blocks[k]) >= size, "usable size");
		sizes[k] = size;
		memset(blocks[k], (int)k, size);
	}
	for (size_t k = 0; k < 50; k++) {
		free(blocks[k]);
	}
	return arg;
}

static void clean(void)
{
	pthread_t threads[4];

	for (size_t i = 0; i < 4; i++) {
		check(pthread_create(&threads[i], NULL, clean_work, NULL) == 0, "pthread_create");
	}
	(void)clean_work(NULL);
	for (size_t i = 0; i < 4; i++) {
		(void)pthread_join(threads[i], NULL);
	}
	for (size_t align = sizeof(void *); align <= 65536; align *= 2) {
		void *block = NULL;

		check(posix_memalign(&block, align, 100) == 0 && (uintptr_t)block % align == 0, "alignment");
		memset(block, 1, 100);
		free(block);
	}
	puts("done");
}

/* More blocks than a small VM has addresses for, one after the other and at the same time; some of any size. */
static void many(void)
{
	static char *blocks[12000];
	const size_t count = sizeof(blocks) / sizeof(*blocks);

	for (size_t i = 0; i < 3 * count; i++) {
		char *block = hide(block_make(i % 3000 == 0 ? i * 100 : i % 300));

		if (i % 10 == 0) {
			memset(block, 1, i % 300);
		}
		block_drop(block);
	}
	for (size_t i = 0; i < count; i++) {
		blocks[i] = block_make(8 + i % 8);
		memset(blocks[i], (int)i, 8);
	}
	for (size_t i = 0; i < count; i++) {
		check(is_filled(blocks[i], (int)i, 8), "contents");
		block_drop(blocks[i]);
	}
	puts("done");
}

/* Usable sizes are what was asked for, addresses change at realloc(). */
static void exact(void)
{
	char *block = hide(block_make(29));
	uintptr_t former = (uintptr_t)block;

	printf("%zu\n", malloc_usable_size(block));
	block = realloc(block, 28);
	printf("%zu %s\n", malloc_usable_size(block), (uintptr_t)block == former ? "stays" : "moves");
	free(block);
}

static const struct {
	const char *name;
	void (*run)(void);
} runs[] = {
	{"call", call},
	{"calls", calls},
	{"clean", clean},
	{"exact", exact},
	{"forked", forked},
	{"forks", forks},
	{"handler", handler},
	{"many", many},
	{"overrun", overrun},
	{"overrun_far", overrun_far},
	{"release_inside", release_inside},
	{"release_twice", release_twice},
	{"resize_released", resize_released},
	{"sampled", sampled},
	{"slack_before", slack_before},
	{"slack_behind", slack_behind},
	{"slack_kept", slack_kept},
	{"slack_resize", slack_resize},
	{"tables", tables},
	{"threads", threads},
	{"underrun", underrun},
	{"use_nothing", use_nothing},
	{"use_released_late", use_released_late},
	{"use_released_read", use_released_read},
	{"use_released_write", use_released_write},
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc == 2 && i < sizeof(runs) / sizeof(*runs); i++) {
		if (strcmp(argv[1], runs[i].name) == 0) {
			runs[i].run();
			return 0;
		}
	}
	fputs("usage: prog_guard WHAT\n", stderr);
	return 2;
}
