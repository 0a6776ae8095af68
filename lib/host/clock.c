/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time.
 */
#include "host/clock.h"

#include <stddef.h>
#include <time.h>

uint64_t (*kmem_clock_source)(void);

uint64_t kmem_clock_ns(void)
{
	struct timespec now;

	if (kmem_clock_source != NULL) {
		return kmem_clock_source();
	}
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}
