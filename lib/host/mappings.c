/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's limit of mappings. Raw system calls past the failpoint: nobody is told where they fail, since there is a default.
 */
#include "host/mappings.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* DEFAULT_MAX_MAP_COUNT of Linux: what the header of an ELF core file can count, and some to spare. */
#define LIMIT_DEFAULT 65530

#define DIGITS_MAX 20

static size_t limit_set;

/* The number that a file begins with; 0 where there is none. */
static size_t number_read(const char *path)
{
	char text[DIGITS_MAX + 1];
	size_t number = 0;
	long length = -1;
	long fd = syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		length = syscall(SYS_read, fd, text, DIGITS_MAX);
		(void)syscall(SYS_close, fd);
	}
	for (long i = 0; i < length && text[i] >= '0' && text[i] <= '9'; i++) {
		number = number * 10 + (size_t)(text[i] - '0');
	}
	return number;
}

size_t kmem_host_mappings_limit(void)
{
	int saved = errno;
	size_t limit = limit_set;

	if (limit == 0) {
		limit = number_read("/proc/sys/vm/max_map_count");
		errno = saved;
	}
	return limit != 0 ? limit : LIMIT_DEFAULT;
}

void kmem_host_mappings_limit_set(size_t limit)
{
	limit_set = limit;
}
