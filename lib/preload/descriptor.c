/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The C library's functions that close descriptors, wrapped: those that are libkmem's (lib/host/descriptor.h) stay open.
 *
 * A program that closes whatever it was not given (daemons, and what runs between fork() and exec()) would otherwise take RAM and store from
 * under itself. It sees what it would without us: nothing is open there.
 */
#include <errno.h>
#include <limits.h>
#include <unistd.h>

#include <linux/close_range.h>

#include "host/descriptor.h"
#include "preload/next.h"
#include "preload/preload.h"

#define EXPORT __attribute__((visibility("default")))

EXPORT int close(int fd)
{
	if (kmem_descriptor_is_own(fd)) {
		errno = EBADF;
		return -1;
	}
	return KMEM_NEXT(close)(fd);
}

EXPORT int dup2(int from, int to)
{
	if (from != to && kmem_descriptor_is_own(to)) {
		errno = EBUSY;
		return -1;
	}
	return KMEM_NEXT(dup2)(from, to);
}

EXPORT int dup3(int from, int to, int flags)
{
	if (from != to && kmem_descriptor_is_own(to)) {
		errno = EBUSY;
		return -1;
	}
	return KMEM_NEXT(dup3)(from, to, flags);
}

/* The range without ours, piece by piece. CLOSE_RANGE_CLOEXEC marks what is marked already: one call does. */
EXPORT int close_range(unsigned int first, unsigned int last, int flags)
{
	unsigned int from = first;

	if (first > last || ((unsigned int)flags & CLOSE_RANGE_CLOEXEC) != 0) {
		return KMEM_NEXT(close_range)(first, last, flags);
	}
	for (;;) {
		int own = from > INT_MAX ? -1 : kmem_descriptor_next((int)from);

		if (own < 0 || (unsigned int)own > last) {
			return from <= last ? KMEM_NEXT(close_range)(from, last, flags) : 0;
		}
		if ((unsigned int)own > from && KMEM_NEXT(close_range)(from, (unsigned int)own - 1, flags) != 0) {
			return -1;
		}
		from = (unsigned int)own + 1;
	}
}

EXPORT void closefrom(int first)
{
	int saved = errno;

	if (close_range(first < 0 ? 0 : (unsigned int)first, UINT_MAX, 0) != 0) {
		/* A host without the call. */
		for (int fd = first < 0 ? 0 : first; fd < (int)sysconf(_SC_OPEN_MAX); fd++) {
			(void)close(fd);
		}
	}
	errno = saved;
}
