/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processes and the ends of threads: thin covers of what the host has for them.
 */
#include "host/process.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/file.h"

struct kmem_process_fork_hooks kmem_process_fork_hooks;

int kmem_process_id(void)
{
	return (int)syscall(SYS_getpid);
}

void kmem_process_name(char *name, size_t size)
{
	int fd = kmem_host_file_open("/proc/self/comm");
	long length = 0;

	if (fd >= 0) {
		int saved = errno;

		length = syscall(SYS_pread64, fd, name, size - 1, 0);
		errno = saved;
		kmem_host_file_close(fd);
	}
	name[length > 0 ? length : 0] = '\0';
	name[strcspn(name, "\n")] = '\0';
}

void kmem_process_at_fork(void (*prepare)(void), void (*parent)(void), void (*child)(void))
{
	(void)pthread_atfork(prepare, parent, child);
}

bool kmem_thread_is_main(void)
{
	return syscall(SYS_gettid) == syscall(SYS_getpid);
}

void kmem_thread_exit(void)
{
	pthread_exit(NULL);
}

void kmem_process_exit(int status)
{
	_exit(status);
}

const char *kmem_error_name(int error)
{
	const char *name = strerrorname_np(error);

	return name != NULL ? name : "unknown error";
}
