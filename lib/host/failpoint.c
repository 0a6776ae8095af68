/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Failure on demand: one counter, atomic, so that any thread and any handler may come by.
 */
#include "host/failpoint.h"

#include <stdatomic.h>

static struct {
	_Atomic unsigned long target; /* the call that fails; 0: off */
	_Atomic unsigned long count;  /* calls since arming */
	_Atomic int error;
	_Atomic bool is_sticky;
	_Atomic bool was_hit;
	_Atomic int holds; /* by how many */
} point;

unsigned long kmem_failpoint_arm(unsigned long n, int error, bool sticky)
{
	unsigned long counted = atomic_load(&point.count);

	atomic_store(&point.target, 0);
	atomic_store(&point.count, 0);
	atomic_store(&point.error, error);
	atomic_store(&point.is_sticky, sticky);
	if (n != 0) {
		atomic_store(&point.was_hit, false);
	}
	atomic_store(&point.target, n);
	return counted;
}

bool kmem_failpoint_was_hit(void)
{
	return atomic_load(&point.was_hit);
}

void kmem_failpoint_hold(void)
{
	(void)atomic_fetch_add(&point.holds, 1);
}

void kmem_failpoint_release(void)
{
	(void)atomic_fetch_sub(&point.holds, 1);
}

int kmem_failpoint(void)
{
	unsigned long target = atomic_load_explicit(&point.target, memory_order_relaxed);
	unsigned long count;

	if (__builtin_expect(target == 0, 1) || atomic_load(&point.holds) != 0) {
		return 0;
	}
	count = atomic_fetch_add(&point.count, 1) + 1;
	if (count == target || (count > target && atomic_load(&point.is_sticky))) {
		atomic_store(&point.was_hit, true);
		return -atomic_load(&point.error);
	}
	return 0;
}
