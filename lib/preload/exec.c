/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The exec family: everything that the next program is given is copied to resident memory, and the system call made with that.
 *
 * The search along PATH is done here, too. From the moment that the thread's mask, and which signals are ignored, have become what the
 * program wishes for its successor (kmem_signals_exec_begin()), no page may be brought in and no call trapped; the C library's execvp()
 * would read the environment then.
 *
 * These functions are called in children of vfork() as well, which share the parent's memory, and never come back to free anything
 * there. So a thread keeps its *block*, with the id of the process that made it: one that another process has left behind
 * is freed at the thread's next call, or at its end. Signal handlers may exec while the thread does: blocks are a stack.
 *
 * All are _sigsafe, as far as the C library's are. No locks.
 */
#include "preload/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <paths.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/copy.h"
#include "host/memory.h"
#include "host/process.h"
#include "host/signals.h"
#include "preload/limit.h"

#define EXPORT __attribute__((visibility("default")))

/* Where programs are looked for if there is no PATH; what confstr(_CS_PATH) says. */
#define SEARCH_DEFAULT "/bin:/usr/bin"

/* More bytes than that are never a valid argument list (resident.c), so that the host kernel needs not be asked. */
#define BLOCK_MAX (64UL * 1024 * 1024)

/* Becoming a program. */

static int run_file(const struct kmem_exec *exec, const char *file, char *const *argv)
{
	if (exec->fd == AT_FDCWD && exec->flags == 0) {
		(void)syscall(SYS_execve, file, argv, exec->envp);
	} else {
		(void)syscall(SYS_execveat, exec->fd, file, argv, exec->envp, exec->flags);
	}
	return -errno;
}

/* A file of no format that the host knows is a script. */
static int run_or_script(const struct kmem_exec *exec, const char *file)
{
	int ret = run_file(exec, file, exec->argv);

	if (ret != -ENOEXEC || exec->shell_argv == NULL) {
		return ret;
	}
	exec->shell_argv[0] = (char *)(uintptr_t)_PATH_BSHELL;
	exec->shell_argv[1] = (char *)(uintptr_t)file;
	return run_file(exec, _PATH_BSHELL, exec->shell_argv);
}

/* Whether the next directory may have what this one has not. */
static bool is_search_continued(int ret)
{
	return ret == -EACCES || ret == -ENOENT || ret == -ESTALE || ret == -ENOTDIR || ret == -ENODEV || ret == -ETIMEDOUT;
}

static int run_searched(const struct kmem_exec *exec)
{
	char path[PATH_MAX + NAME_MAX + 2];
	const char *at = exec->search;
	bool is_refused = false;
	size_t file_length;
	int ret = -ENOENT;

	if (at == NULL) {
		return run_or_script(exec, exec->file);
	}
	file_length = strlen(exec->file);
	if (file_length > NAME_MAX) {
		return -ENAMETOOLONG;
	}
	for (;;) {
		const char *end = strchrnul(at, ':');
		const size_t length = (size_t)(end - at);

		if (length < PATH_MAX) {
			memcpy(path, at, length);
			path[length] = '/';
			/* An empty directory is the current one. */
			memcpy(path + length + (length > 0), exec->file, file_length + 1);
			ret = run_or_script(exec, path);
			is_refused = is_refused || ret == -EACCES;
			if (!is_search_continued(ret)) {
				return ret;
			}
		}
		if (*end == '\0') {
			return is_refused ? -EACCES : ret;
		}
		at = end + 1;
	}
}

int kmem_exec_run(const struct kmem_exec *exec)
{
	struct kmem_limit_exec limits;
	int ret;

	kmem_limit_exec_begin(&limits);
	ret = run_searched(exec);
	kmem_limit_exec_end(&limits);
	return ret;
}

/* Copying. */

const char *kmem_exec_search(const char *file)
{
	const char *search;
	char byte;

	for (size_t i = 0; kmem_copy(&byte, file + i, 1) == 1; i++) {
		if (byte == '/' || (byte == '\0' && i == 0)) {
			return NULL;
		}
		if (byte == '\0') {
			search = getenv("PATH");
			return search != NULL ? search : SEARCH_DEFAULT;
		}
	}
	return NULL;
}

/* The vector of a script's shell, but for its first two strings: the script's arguments. */
static char **shell_argv_copy(struct kmem_resident *resident, char *const *argv)
{
	const size_t count = kmem_resident_count(argv);
	const size_t arguments = count > 1 ? count - 1 : 0;
	char **shell_argv = kmem_resident_take(resident, (arguments + 3) * sizeof(shell_argv[0]));

	if (shell_argv == NULL) {
		return NULL;
	}
	for (size_t i = 0; i < arguments; i++) {
		shell_argv[2 + i] = argv[1 + i];
	}
	shell_argv[2 + arguments] = NULL;
	return shell_argv;
}

void kmem_exec_copy(struct kmem_exec *exec, struct kmem_resident *resident)
{
	char *const *argv = kmem_resident_vector(resident, exec->argv);

	exec->file = kmem_resident_string(resident, exec->file);
	exec->envp = kmem_resident_vector(resident, exec->envp);
	exec->search = kmem_resident_string(resident, exec->search);
	if (exec->is_shell_tried) {
		/* Counted by the program's vector, filled from the copy. */
		exec->shell_argv = shell_argv_copy(resident, resident->base != NULL ? argv : exec->argv);
	}
	exec->argv = argv;
}

/* Blocks. */

struct block {
	struct block *outer;
	size_t size;
	int pid;
	_Alignas(max_align_t) unsigned char bytes[];
};

static pthread_key_t block_key;
static bool has_block_key;

static void blocks_free(void *blocks)
{
	struct block *block = blocks;

	while (block != NULL) {
		struct block *outer = block->outer;

		kmem_host_memory_free(block, block->size);
		block = outer;
	}
}

__attribute__((constructor(101))) static void block_key_create(void)
{
	has_block_key = pthread_key_create(&block_key, blocks_free) == 0;
}

static struct block *block_top(void)
{
	return has_block_key ? pthread_getspecific(block_key) : NULL;
}

/* Where there is no room to remember it, a block is only not found again. */
static void block_top_set(struct block *block)
{
	if (has_block_key) {
		(void)pthread_setspecific(block_key, block);
	}
}

static void block_put(struct block *block)
{
	block_top_set(block->outer);
	kmem_host_memory_free(block, block->size);
}

/*
 * Left behind by a child, which shared this memory and is another program by now. The parent's own may be in use: it has been interrupted
 * by a signal handler in which the child was made.
 */
static bool block_is_left(const struct block *block)
{
	return block->pid != kmem_process_id() && block->pid != getppid();
}

/* A block for so many bytes; NULL if the host has no memory. */
static struct block *block_get(size_t size)
{
	struct block *block = block_top();
	void *memory;

	while (block != NULL && block_is_left(block)) {
		block_put(block);
		block = block_top();
	}
	size = kmem_host_page_round(sizeof(*block) + size);
	if (kmem_host_memory_get(&memory, size) != 0) {
		return NULL;
	}
	block = memory;
	block->outer = block_top();
	block->size = size;
	block->pid = kmem_process_id();
	block_top_set(block);
	return block;
}

/* The functions. */

/* What the thread wishes is true meanwhile: nothing may trap. */
static int exec_resident(const struct kmem_exec *exec)
{
	struct kmem_signals_exec signals;
	int ret;

	kmem_signals_exec_begin(&signals);
	ret = kmem_exec_run(exec);
	kmem_signals_exec_end(&signals);
	return ret;
}

static int exec_any(const struct kmem_exec *wanted)
{
	struct kmem_resident resident = {.base = NULL};
	struct kmem_exec exec = *wanted;
	struct block *block = NULL;
	int ret;

	kmem_exec_copy(&exec, &resident);
	if (resident.used > BLOCK_MAX) {
		errno = E2BIG;
		return -1;
	}
	if (resident.used > 0) {
		block = block_get(resident.used);
		if (block == NULL) {
			errno = ENOMEM;
			return -1;
		}
		resident = (struct kmem_resident){.base = block->bytes, .size = resident.used};
		exec = *wanted;
		kmem_exec_copy(&exec, &resident);
	}
	ret = exec_resident(&exec);
	if (block != NULL) {
		block_put(block);
	}
	errno = -ret;
	return -1;
}

/* execve() and execvpe(). */
static int exec_file(const char *file, char *const *argv, char *const *envp, bool is_searched)
{
	struct kmem_exec exec = {.fd = AT_FDCWD, .file = file, .argv = argv, .envp = envp};

	if (is_searched) {
		exec.search = kmem_exec_search(file);
		exec.is_shell_tried = true;
	}
	return exec_any(&exec);
}

EXPORT int execve(const char *path, char *const argv[], char *const envp[])
{
	return exec_file(path, argv, envp, false);
}

EXPORT int execv(const char *path, char *const argv[])
{
	return exec_file(path, argv, environ, false);
}

EXPORT int execvpe(const char *file, char *const argv[], char *const envp[])
{
	return exec_file(file, argv, envp, true);
}

EXPORT int execvp(const char *file, char *const argv[])
{
	return exec_file(file, argv, environ, true);
}

EXPORT int execveat(int fd, const char *path, char *const argv[], char *const envp[], int flags)
{
	const struct kmem_exec exec = {.fd = fd, .flags = flags, .file = path, .argv = argv, .envp = envp};

	return exec_any(&exec);
}

static int exec_descriptor(int fd, char *const *argv, char *const *envp)
{
	const struct kmem_exec exec = {.fd = fd, .flags = AT_EMPTY_PATH, .file = "", .argv = argv, .envp = envp};

	if (fd < 0 || argv == NULL || envp == NULL) {
		errno = EINVAL;
		return -1;
	}
	return exec_any(&exec);
}

EXPORT int fexecve(int fd, char *const argv[], char *const envp[])
{
	return exec_descriptor(fd, argv, envp);
}

/* A list of arguments: its length with the NULL, and its strings. The first is a named parameter. */

static size_t list_count(const char *first, va_list *list)
{
	size_t count = 1;

	if (first == NULL) {
		return count;
	}
	while (count++ < INT_MAX && va_arg(*list, const char *) != NULL) {
	}
	return count;
}

static void list_fill(const char **argv, size_t count, const char *first, va_list *list)
{
	argv[0] = first;
	for (size_t i = 1; i < count; i++) {
		argv[i] = va_arg(*list, const char *);
	}
}

/* The vector lies on the stack of the function that was called, for as long as it runs. */
#define LIST_VECTOR(argv, first)                                                                                       \
	va_list list;                                                                                                  \
	size_t count;                                                                                                  \
                                                                                                                       \
	va_start(list, first);                                                                                         \
	count = list_count(first, &list);                                                                               \
	va_end(list);                                                                                                  \
	const char *argv[count];                                                                                       \
	va_start(list, first);                                                                                         \
	list_fill(argv, count, first, &list)

EXPORT int execl(const char *path, const char *first, ...)
{
	LIST_VECTOR(argv, first);
	va_end(list);
	return exec_file(path, (char *const *)(uintptr_t)argv, environ, false);
}

EXPORT int execlp(const char *file, const char *first, ...)
{
	LIST_VECTOR(argv, first);
	va_end(list);
	return exec_file(file, (char *const *)(uintptr_t)argv, environ, true);
}

EXPORT int execle(const char *path, const char *first, ...)
{
	char *const *envp;

	LIST_VECTOR(argv, first);
	envp = va_arg(list, char *const *);
	va_end(list);
	return exec_file(path, (char *const *)(uintptr_t)argv, envp, false);
}
