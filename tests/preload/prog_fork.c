/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fork() in a program whose heap is larger than RAM: parent and child each have their own from the moment of the fork.
 *
 * Every block of the heap holds words that follow from its number and a generation. Parent and children change and check them, and a child's
 * verdict is its exit status.
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define BLOCKS 96
#define WORDS (64UL * 1024 / sizeof(uint64_t)) /* 64 KiB a block, 6 MiB in all */
#define FILES 24
#define CHILDREN 12
#define THREADS 3

static uint64_t *blocks[BLOCKS];
static _Atomic int stop;

static uint64_t word(size_t block, size_t index, uint64_t generation)
{
	return (block * WORDS + index) * 0x9e3779b97f4a7c15UL + generation;
}

static void fill(size_t block, uint64_t generation)
{
	for (size_t i = 0; i < WORDS; i++) {
		blocks[block][i] = word(block, i, generation);
	}
}

static int is_filled(size_t block, uint64_t generation)
{
	for (size_t i = 0; i < WORDS; i++) {
		if (blocks[block][i] != word(block, i, generation)) {
			return 0;
		}
	}
	return 1;
}

static int all_filled(size_t from, size_t to, uint64_t generation)
{
	for (size_t i = from; i < to; i++) {
		if (!is_filled(i, generation)) {
			return 0;
		}
	}
	return 1;
}

static int status_of(pid_t pid)
{
	int status;

	if (pid < 0 || waitpid(pid, &status, 0) != pid) {
		return -1;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
}

/* The child sees what was, changes all of it, and forks in turn; the parent's is as it was. */
static void test_own_memory(void)
{
	pid_t pid;

	for (size_t i = 0; i < BLOCKS; i++) {
		fill(i, 1);
	}
	pid = fork();
	if (pid == 0) {
		pid_t grandchild;

		if (!all_filled(0, BLOCKS, 1)) {
			_exit(1);
		}
		for (size_t i = 0; i < BLOCKS; i++) {
			fill(i, 2);
		}
		grandchild = fork();
		if (grandchild == 0) {
			_exit(all_filled(0, BLOCKS, 2) ? 7 : 8);
		}
		for (size_t i = 0; i < BLOCKS; i++) {
			fill(i, 3);
		}
		_exit(status_of(grandchild) == 7 && all_filled(0, BLOCKS, 3) ? 0 : 2);
	}
	for (size_t i = 0; i < BLOCKS; i += 2) {
		fill(i, 4);
	}
	printf("child %d\n", status_of(pid));
	for (size_t i = 0; i < BLOCKS; i++) {
		if (!is_filled(i, i % 2 == 0 ? 4 : 1)) {
			printf("block %zu is not the parent's\n", i);
		}
	}
}

/* Streams in the heap, locked and half full at the fork. */
static void test_streams(void)
{
	FILE *files[FILES];
	pid_t pid;

	for (size_t i = 0; i < FILES; i++) {
		files[i] = tmpfile();
		fprintf(files[i], "stream %zu, ", i);
	}
	fflush(stdout);
	pid = fork();
	for (size_t i = 0; i < FILES; i++) {
		char line[64] = "";

		fprintf(files[i], "%s", pid == 0 ? "child" : "parent");
		/* The file itself is shared: only the buffers are each one's own. */
		if (pid == 0) {
			continue;
		}
		fflush(files[i]);
		rewind(files[i]);
		if (fgets(line, sizeof(line), files[i]) == NULL || i == FILES - 1) {
			printf("%s\n", line);
		}
		fclose(files[i]);
	}
	if (pid == 0) {
		_exit(0);
	}
	printf("child %d\n", status_of(pid));
}

/* Threads page all the time; each has blocks of its own. */
static void *churn(void *arg)
{
	size_t number = (size_t)(uintptr_t)arg;
	uint64_t generation = 10;

	for (; !atomic_load(&stop); generation++) {
		for (size_t i = 1 + number; i < BLOCKS; i += THREADS + 1) {
			fill(i, generation);
			if (!is_filled(i, generation)) {
				printf("thread %zu: block %zu has changed\n", number, i);
				return NULL;
			}
		}
	}
	return NULL;
}

static void test_threads(void)
{
	pthread_t threads[THREADS];
	int bad = 0;

	for (size_t i = 0; i < BLOCKS; i += THREADS + 1) {
		fill(i, 5);
	}
	for (size_t i = 0; i < THREADS; i++) {
		pthread_create(&threads[i], NULL, churn, (void *)(uintptr_t)i);
	}
	for (size_t round = 0; round < CHILDREN; round++) {
		pid_t pid = fork();

		if (pid == 0) {
			char *more = malloc(100000);

			memset(more, 1, 100000);
			for (size_t i = 0; i < BLOCKS; i += THREADS + 1) {
				if (!is_filled(i, 5 + round)) {
					_exit(1);
				}
			}
			free(more);
			for (size_t i = 0; i < BLOCKS; i++) {
				fill(i, 99);
			}
			_exit(all_filled(0, BLOCKS, 99) ? 0 : 2);
		}
		for (size_t i = 0; i < BLOCKS; i += THREADS + 1) {
			fill(i, 6 + round);
		}
		bad += status_of(pid) != 0;
	}
	atomic_store(&stop, 1);
	for (size_t i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
	}
	for (size_t i = 0; i < BLOCKS; i += THREADS + 1) {
		bad += !is_filled(i, 5 + CHILDREN);
	}
	printf("threads: %d bad\n", bad);
}

/* vfork() shares the memory: what the child writes there is the parent's, and nothing is copied. */
static void test_vfork(void)
{
	volatile int *shared = malloc(sizeof(*shared));
	char *path = strdup("/bin/true");
	char **argv = calloc(2, sizeof(*argv));
	volatile int bad = 0;

	*shared = 0;
	argv[0] = path;
	for (int i = 0; i < 20; i++) {
		pid_t pid;

		for (size_t j = 0; j < BLOCKS; j++) {
			blocks[j][0] = (uint64_t)i;
		}
		pid = vfork();
		if (pid == 0) {
			*shared = *shared + 1;
			execv(path, argv);
			_exit(127);
		}
		bad = bad + (status_of(pid) != 0);
	}
	printf("vfork: %d, %d bad\n", *shared, bad);
	free(argv);
	free(path);
	free((void *)shared);
}

/* A fork that no library sees: the child has memory of its own, or is stopped before it takes its parent's for that. */
static void test_own_instruction(void)
{
	pid_t pid = SYS_fork;
	int status;

	for (size_t i = 0; i < BLOCKS; i++) {
		fill(i, 20);
	}
	__asm__ volatile("syscall" : "+a"(pid) : : "rcx", "r11", "memory");
	if (pid == 0) {
		if (!all_filled(0, BLOCKS, 20)) {
			_exit(1);
		}
		for (size_t i = 0; i < BLOCKS; i++) {
			fill(i, 21);
		}
		_exit(all_filled(0, BLOCKS, 21) ? 0 : 2);
	}
	status = status_of(pid);
	printf("own instruction: %s\n", (status == 0 || status == 256 + SIGSEGV) && all_filled(0, BLOCKS, 20) ? "safe" : "NOT safe");
	pid = fork();
	if (pid == 0) {
		_exit(all_filled(0, BLOCKS, 20) ? 0 : 1);
	}
	printf("and a fork: %d\n", status_of(pid));
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (size_t i = 0; i < BLOCKS; i++) {
		blocks[i] = malloc(WORDS * sizeof(uint64_t));
	}
	test_own_memory();
	test_streams();
	test_threads();
	test_vfork();
	test_own_instruction();
	for (size_t i = 0; i < BLOCKS; i++) {
		free(blocks[i]);
	}
	return 0;
}
