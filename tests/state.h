/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a booted machine says of itself, where asking must not fail.
 */
#ifndef KMEM_TESTS_STATE_H
#define KMEM_TESTS_STATE_H

#include <kmem/kmem.h>

struct kmem_layout layout_now(void);
struct kmem_usage usage_now(void);
struct kmem_stats stats_now(void);
struct kmem_page_status status_of(const volatile void *addr);

#endif /* KMEM_TESTS_STATE_H */
