/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An ordinary program for test_run.sh: prog_run WHAT [NUMBER]. Each does one thing that a report, or kmem-run, must get right.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MIB (1UL << 20)
#define PAGE 4096UL

/* Touch more than RAM has, twice, so that pages go out and come in. */
static void touch(size_t size)
{
	volatile char *memory = malloc(size);

	if (memory == NULL) {
		exit(99);
	}
	for (int round = 0; round < 2; round++) {
		for (size_t at = 0; at < size; at += PAGE) {
			memory[at]++;
		}
	}
	free((void *)memory);
}

static void doze(unsigned int ms)
{
	struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

	while (nanosleep(&left, &left) != 0 && errno == EINTR) {
	}
}

static void *thread_main(void *arg)
{
	touch(8 * MIB);
	return arg;
}

static int threads_run(int number)
{
	pthread_t threads[16];

	for (int i = 0; i < number; i++) {
		if (pthread_create(&threads[i], NULL, thread_main, NULL) != 0) {
			return 99;
		}
	}
	for (int i = 0; i < number; i++) {
		(void)pthread_join(threads[i], NULL);
	}
	return 0;
}

static void *last_main(void *arg)
{
	doze(300);
	return arg;
}

/* The main thread goes first, and the process ends with its last thread. */
static int last_run(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, last_main, NULL) != 0) {
		return 99;
	}
	pthread_exit(NULL);
}

static int child_status(pid_t child)
{
	int status = 0;

	if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status)) {
		return 99;
	}
	return WEXITSTATUS(status);
}

static int fork_run(int number)
{
	pid_t child;

	touch(8 * MIB);
	child = fork();
	if (child == 0) {
		touch(4 * MIB);
		_exit(number);
	}
	return child_status(child);
}

static int vfork_run(int number)
{
	pid_t child = vfork();

	if (child == 0) {
		_exit(number);
	}
	/* Whose report it is. */
	(void)printf("%d\n", (int)getpid());
	return child_status(child);
}

/* What programs do that are careful with their output: standard error is closed, and the number goes to another file. */
static int closed_run(const char *path)
{
	int fd;

	(void)close(STDERR_FILENO);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd != STDERR_FILENO || write(fd, "mine\n", 5) != 5) {
		return 99;
	}
	return 0;
}

static int wild_run(void)
{
	volatile char *memory = mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED || mprotect((void *)memory, PAGE, PROT_READ) != 0) {
		return 99;
	}
	memory[0] = 1;
	return 0;
}

/* A file through a buffer that is out. */
static int read_run(const char *path)
{
	char *buffer = malloc(MIB);
	int fd = open(path, O_RDONLY);
	ssize_t got;

	if (buffer == NULL || fd < 0) {
		return 99;
	}
	got = read(fd, buffer, MIB);
	return got > 0 && write(STDOUT_FILENO, buffer, (size_t)got) == got ? 0 : 99;
}

static int wait_run(void)
{
	(void)!write(STDOUT_FILENO, "ready\n", 6);
	doze(10000);
	return 98;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	const char *text = argc > 2 ? argv[2] : "0";
	int number = atoi(text);

	if (strcmp(what, "touch") == 0) {
		touch((size_t)number * MIB);
		return 0;
	}
	if (strcmp(what, "exit") == 0) {
		exit(number);
	}
	if (strcmp(what, "_exit") == 0) {
		_exit(number);
	}
	if (strcmp(what, "_Exit") == 0) {
		_Exit(number);
	}
	if (strcmp(what, "quick_exit") == 0) {
		quick_exit(number);
	}
	if (strcmp(what, "threads") == 0) {
		return threads_run(number);
	}
	if (strcmp(what, "last") == 0) {
		return last_run();
	}
	if (strcmp(what, "fork") == 0) {
		return fork_run(number);
	}
	if (strcmp(what, "vfork") == 0) {
		return vfork_run(number);
	}
	if (strcmp(what, "closed") == 0) {
		return closed_run(text);
	}
	if (strcmp(what, "wild") == 0) {
		return wild_run();
	}
	if (strcmp(what, "read") == 0) {
		return read_run(text);
	}
	if (strcmp(what, "wait") == 0) {
		return wait_run();
	}
	if (strcmp(what, "doze") == 0) {
		doze((unsigned int)number);
		return 0;
	}
	if (strcmp(what, "kill") == 0) {
		return kill(getpid(), number) == 0 ? 98 : 99;
	}
	if (strcmp(what, "rights") == 0) {
		return getuid() == geteuid() ? 0 : 1;
	}
	return 97;
}
