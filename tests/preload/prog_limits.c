/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that limits its own address space, data, files and descriptors, and then needs pages, forks, and becomes others.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIZE (16UL * 1024 * 1024)
#define LIMIT (8UL << 30)
#define FILE_LIMIT (64UL * 1024) /* what this program prints is less, RAM and store are more */
#define DESCRIPTOR_LIMIT 16

static unsigned char *memory;

/* More than RAM: pages go out and come in. */
static unsigned long touch(unsigned int value)
{
	unsigned long sum = 0;

	for (size_t i = 0; i < SIZE; i += 1024) {
		memory[i] = (unsigned char)(value + i / 1024);
	}
	for (size_t i = 0; i < SIZE; i += 1024) {
		sum += memory[i];
	}
	return sum;
}

static void show(const char *name, int resource)
{
	struct rlimit limit = {.rlim_cur = 1, .rlim_max = 1};
	struct rlimit again = {.rlim_cur = 2, .rlim_max = 2};

	printf("%s: %d %d", name, getrlimit(resource, &limit), prlimit(getpid(), resource, NULL, &again));
	printf(", %lu, %s\n", limit.rlim_cur, memcmp(&limit, &again, sizeof(limit)) == 0 ? "the same" : "another");
}

static void allocate(const char *name, size_t size)
{
	void *mapped = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *allocated;
	int error = errno;

	printf("%s: mapped %s", name, mapped != MAP_FAILED ? "yes" : strerror(error));
	if (mapped != MAP_FAILED) {
		(void)munmap(mapped, size);
	}
	allocated = malloc(size);
	error = errno;
	printf(", allocated %s\n", allocated != NULL ? "yes" : strerror(error));
	free(allocated);
}

static void child_report(pid_t child)
{
	int status = -1;

	(void)waitpid(child, &status, 0);
	printf("child %d\n", status);
}

static void in_fork(const char *name, int resource)
{
	pid_t child;

	(void)fflush(stdout);
	child = fork();
	if (child == 0) {
		printf("in the child %lu\n", touch(7));
		show(name, resource);
		(void)fflush(stdout);
		_exit(3);
	}
	child_report(child);
}

/* The child limits itself only. */
static void in_vfork(int resource, rlim_t most, const char *command)
{
	const struct rlimit limit = {.rlim_cur = most / 2, .rlim_max = most};
	pid_t child;

	(void)fflush(stdout);
	child = vfork();
	if (child == 0) {
		(void)setrlimit((__rlimit_resource_t)resource, &limit);
		(void)touch(9);
		(void)execlp("/nowhere/at/all", "x", (char *)NULL);
		(void)touch(11);
		(void)execlp("sh", "sh", "-c", command, (char *)NULL);
		_exit(1);
	}
	child_report(child);
	show("the parent's", resource);
}

static void limit_set(const char *name, int resource, rlim_t soft, rlim_t hard)
{
	const struct rlimit limit = {.rlim_cur = soft, .rlim_max = hard};
	const int ret = setrlimit((__rlimit_resource_t)resource, &limit);
	const int error = errno;

	printf("%s: %s\n", name, ret == 0 ? "set" : strerror(error));
	show(name, resource);
}

static volatile sig_atomic_t refusals;

static void refused(int signo)
{
	(void)signo;
	refusals++;
}

/* The limit holds for the program's own files. */
static void write_behind(void)
{
	FILE *file = tmpfile();
	const int fd = fileno(file);
	long wrote = pwrite(fd, "x", 1, FILE_LIMIT);
	int error = errno;

	printf("behind the limit: %ld %s, %d signals\n", wrote, strerror(error), (int)refusals);
	wrote = pwrite(fd, "xyz", 3, FILE_LIMIT - 2);
	printf("before the limit: %ld\n", wrote);
	wrote = ftruncate(fd, FILE_LIMIT + 1);
	error = errno;
	printf("longer: %ld %s, %d signals\n", wrote, strerror(error), (int)refusals);
	(void)fclose(file);
}

static void files(void)
{
	(void)signal(SIGXFSZ, refused);
	in_vfork(RLIMIT_FSIZE, 2 * FILE_LIMIT, "ulimit -S -f");
	limit_set("soft", RLIMIT_FSIZE, FILE_LIMIT, RLIM_INFINITY);
	printf("%lu\n", touch(3));
	write_behind();
	in_fork("in the child", RLIMIT_FSIZE);
	limit_set("hard", RLIMIT_FSIZE, FILE_LIMIT, FILE_LIMIT + 1);
	limit_set("soft above hard", RLIMIT_FSIZE, FILE_LIMIT + 2, FILE_LIMIT + 1);
	printf("%lu\n", touch(4));
	in_fork("in the child", RLIMIT_FSIZE);
	write_behind();
	(void)fflush(stdout);
	printf("system %d\n", system("ulimit -S -f; (echo in a child); cat /dev/null"));
	printf("%d signals\n", (int)refusals);
}

static void descriptors(void)
{
	int opened[DESCRIPTOR_LIMIT];
	int count = 0;
	int error;

	in_vfork(RLIMIT_NOFILE, DESCRIPTOR_LIMIT, "ulimit -S -n");
	limit_set("soft", RLIMIT_NOFILE, DESCRIPTOR_LIMIT, 2UL * DESCRIPTOR_LIMIT);
	while (count < DESCRIPTOR_LIMIT && (opened[count] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0) {
		count++;
	}
	error = errno;
	printf("opened %d: %s\n", count, strerror(error));
	printf("%lu\n", touch(5));
	in_fork("in the child", RLIMIT_NOFILE);
	in_fork("in another child", RLIMIT_NOFILE);
	limit_set("hard", RLIMIT_NOFILE, DESCRIPTOR_LIMIT, DESCRIPTOR_LIMIT);
	in_fork("in the child", RLIMIT_NOFILE);
	error = open("/dev/null", O_RDONLY) < 0 ? errno : 0;
	printf("one more: %s\n", strerror(error));
	(void)fflush(stdout);
	printf("system %d\n", system("ulimit -S -n; (echo in a child); cat /dev/null"));
	while (count > 0) {
		(void)close(opened[--count]);
	}
	limit_set("higher again", RLIMIT_NOFILE, DESCRIPTOR_LIMIT, DESCRIPTOR_LIMIT + 1);
}

/* One that may not raise a hard limit, whoever started it. */
static void unprivileged(void)
{
	pid_t child;

	(void)fflush(stdout);
	child = fork();
	if (child == 0) {
		limit_set("lower", RLIMIT_FSIZE, FILE_LIMIT, FILE_LIMIT);
		(void)setuid(getuid() == 0 ? 1 : getuid());
		limit_set("higher", RLIMIT_FSIZE, FILE_LIMIT, FILE_LIMIT + 1);
		(void)fflush(stdout);
		_exit(0);
	}
	child_report(child);
}

int main(void)
{
	struct rlimit limit = {.rlim_cur = LIMIT, .rlim_max = LIMIT + 1};

	memory = malloc(SIZE);
	printf("%lu\n", touch(1));
	printf("address space %d\n", setrlimit(RLIMIT_AS, &limit));
	show("address space", RLIMIT_AS);
	printf("%lu\n", touch(2));
	allocate("less", LIMIT / 8);
	allocate("more", LIMIT * 2);
	allocate("much more", LIMIT * 200);
	in_fork("its limit", RLIMIT_AS);
	in_vfork(RLIMIT_AS, LIMIT, "ulimit -S -v");
	(void)fflush(stdout);
	printf("system %d\n", system("ulimit -S -v; cat /dev/null"));
	limit.rlim_cur = LIMIT + 2;
	printf("soft above hard: %d %s\n", setrlimit(RLIMIT_AS, &limit), strerror(errno));
	limit = (struct rlimit){.rlim_cur = LIMIT / 2, .rlim_max = LIMIT / 2};
	printf("data %d\n", prlimit(0, RLIMIT_DATA, &limit, NULL));
	show("data", RLIMIT_DATA);
	allocate("less", LIMIT / 8);
	allocate("more", LIMIT);
	in_fork("its limit", RLIMIT_AS);
	in_vfork(RLIMIT_AS, LIMIT, "ulimit -S -v");
	unprivileged();
	files();
	descriptors();
	(void)fflush(stdout);
	return system("ulimit -S -d; cat /dev/null");
}
