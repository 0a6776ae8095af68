/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that closes every descriptor it finds, in every way there is, and goes on with more memory than RAM.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/close_range.h>

#define SIZE (8UL * 1024 * 1024)

static unsigned char *memory;

static void fill(unsigned char value)
{
	for (size_t i = 0; i < SIZE; i += 512) {
		memory[i] = (unsigned char)(value + i / 512);
	}
}

static int is_filled(unsigned char value)
{
	for (size_t i = 0; i < SIZE; i += 512) {
		if (memory[i] != (unsigned char)(value + i / 512)) {
			return 0;
		}
	}
	return 1;
}

static void one_by_one(void)
{
	for (int fd = 3; fd < 1100; fd++) {
		(void)close(fd);
	}
}

static void all_from(void)
{
	closefrom(3);
}

static void all_in_range(void)
{
	printf("close_range %d\n", close_range(3, UINT_MAX, 0));
}

static void none_over_exec(void)
{
	printf("close_range %d\n", close_range(3, UINT_MAX, CLOSE_RANGE_CLOEXEC));
}

static void bad_ranges(void)
{
	int ret = close_range(9, 3, 0);

	printf("close_range %d %s\n", ret, strerrorname_np(errno));
	errno = 0;
	ret = close_range(3, 9, 1 << 20);
	printf("close_range %d %s\n", ret, strerrorname_np(errno));
}

static void duplicates(void)
{
	int ret;

	/* Where nothing of the library's can be. */
	for (int fd = 10; fd < 100; fd++) {
		(void)dup2(1, fd);
	}
	ret = dup3(1, 1, 0);
	printf("dup3 %d %s\n", ret, strerrorname_np(errno));
	ret = dup2(99, 99);
	printf("dup2 %d\n", ret);
	closefrom(10);
	ret = dup2(99, 5);
	printf("dup2 %d %s\n", ret, strerrorname_np(errno));
}

int main(void)
{
	static void (*const ways[])(void) = {one_by_one, all_from, all_in_range, none_over_exec, bad_ranges, duplicates};

	memory = malloc(SIZE);
	for (unsigned char way = 0; way < sizeof(ways) / sizeof(ways[0]); way++) {
		pid_t pid;
		int status;

		fill(way);
		fflush(stdout);
		pid = fork();
		if (pid == 0) {
			ways[way]();
			fflush(stdout);
			fill((unsigned char)(way + 100));
			_exit(is_filled((unsigned char)(way + 100)) ? 0 : 1);
		}
		ways[way]();
		printf("parent %d\n", is_filled(way));
		waitpid(pid, &status, 0);
		printf("child %d\n", status);
	}
	free(memory);
	return 0;
}
