/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The library's own file descriptors.
 *
 * They are few, so a short table of atomic numbers does; 0 is an empty place, n + 1 stands for descriptor n. One that finds no place is
 * used all the same, and merely not known.
 */
#include "host/descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "host/failpoint.h"
#include "host/limit.h"

/* Above what select() and the habits of shells lead to, below the usual limit of 1024. */
#define DESCRIPTOR_MIN 700
#define DESCRIPTOR_LOW 3 /* behind the standard streams */

/* Memory files, a store, a report, and what forks leave (lib/machine/ram_files.c). */
#define DESCRIPTORS 128

static _Atomic int own[DESCRIPTORS];

static void place_change(int from, int to)
{
	for (size_t i = 0; i < DESCRIPTORS; i++) {
		int expected = from;

		if (atomic_compare_exchange_strong(&own[i], &expected, to)) {
			return;
		}
	}
}

int kmem_descriptor_duplicate(int fd)
{
	int copy = (int)KMEM_HOST_LIMITED(RLIMIT_NOFILE, SYS_fcntl, fd, F_DUPFD_CLOEXEC, DESCRIPTOR_MIN);

	/* The limit of open files may be lower. */
	if (copy == -EINVAL) {
		copy = (int)KMEM_HOST_LIMITED(RLIMIT_NOFILE, SYS_fcntl, fd, F_DUPFD_CLOEXEC, DESCRIPTOR_LOW);
	}
	if (copy >= 0) {
		place_change(0, copy + 1);
	}
	return copy;
}

void kmem_descriptor_close(int fd)
{
	int saved = errno;

	place_change(fd + 1, 0);
	(void)syscall(SYS_close, fd);
	errno = saved;
}

int kmem_descriptor_own(int fd)
{
	int high = kmem_descriptor_duplicate(fd);

	if (high < 0) {
		place_change(0, fd + 1);
		return fd;
	}
	kmem_descriptor_close(fd);
	return high;
}

bool kmem_descriptor_is_own(int fd)
{
	return fd >= 0 && kmem_descriptor_next(fd) == fd;
}

int kmem_descriptor_next(int fd)
{
	int next = -1;

	for (size_t i = 0; i < DESCRIPTORS; i++) {
		int at = atomic_load_explicit(&own[i], memory_order_relaxed) - 1;

		if (at >= 0 && at >= fd && (next < 0 || at < next)) {
			next = at;
		}
	}
	return next;
}

int kmem_descriptor_pipe(int *read_end, int *write_end)
{
	int ret = kmem_failpoint();
	int ends[2];

	if (ret == 0) {
		ret = (int)KMEM_HOST_LIMITED(RLIMIT_NOFILE, SYS_pipe2, (long)ends, O_CLOEXEC);
	}
	if (ret != 0) {
		return ret;
	}
	*read_end = kmem_descriptor_own(ends[0]);
	*write_end = kmem_descriptor_own(ends[1]);
	return 0;
}

bool kmem_descriptor_is_abandoned(int read_end)
{
	struct pollfd poll = {.fd = read_end};
	const struct timespec now = {.tv_sec = 0};
	int saved = errno;
	long ret = syscall(SYS_ppoll, &poll, 1, &now, NULL, sizeof(uint64_t));

	errno = saved;
	return ret == 1 && (poll.revents & POLLHUP) != 0;
}
