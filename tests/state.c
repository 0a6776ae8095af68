/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a booted machine says of itself, or a test that fails.
 */
#include <check.h>
#include <string.h>

#include "state.h"

struct kmem_layout layout_now(void)
{
	struct kmem_layout layout;

	ck_assert_int_eq(kmem_layout_get(&layout), 0);
	return layout;
}

struct kmem_usage usage_now(void)
{
	struct kmem_usage usage;

	ck_assert_int_eq(kmem_usage_get(&usage), 0);
	return usage;
}

struct kmem_stats stats_now(void)
{
	struct kmem_stats stats;

	ck_assert_int_eq(kmem_stats_get(&stats), 0);
	return stats;
}

struct kmem_page_status status_of(const volatile void *addr)
{
	struct kmem_page_status status;

	memset(&status, 0x5a, sizeof(status));
	/* An assertion that is passed costs a system call, which is much in loops. */
	if (kmem_page_status_get((const void *)addr, &status) != 0) {
		ck_abort_msg("no status of %p", (const void *)addr);
	}
	return status;
}
