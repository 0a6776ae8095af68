/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sleeping on a word, over the host's futexes.
 */
#include "compat/futex.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_SEC 1000000000U

int kmem_futex_wait(_Atomic uint32_t *word, uint32_t value, uint64_t deadline)
{
	const int saved = errno;
	const struct timespec time = {
		.tv_sec = (time_t)(deadline / NS_PER_SEC),
		.tv_nsec = (long)(deadline % NS_PER_SEC),
	};
	int ret = 0;

	if (syscall(SYS_futex, word, FUTEX_WAIT_BITSET_PRIVATE, value, deadline == KMEM_DEADLINE_NEVER ? NULL : &time,
		    NULL, FUTEX_BITSET_MATCH_ANY) != 0) {
		ret = -errno;
	}
	errno = saved;
	return ret;
}

void kmem_futex_wake(_Atomic uint32_t *word)
{
	const int saved = errno;

	(void)syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
	errno = saved;
}
