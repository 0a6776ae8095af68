/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this room counts, for the report: one number for the process each, begun anew in the child of a fork.
 */
#ifndef KMEM_PRELOAD_COUNT_H
#define KMEM_PRELOAD_COUNT_H

#include <stdatomic.h>
#include <stdint.h>

enum kmem_count {
	KMEM_COUNT_CALLS,             /* system calls that were trapped */
	KMEM_COUNT_GUARDED,           /* allocations with guards */
	KMEM_COUNT_GUARDED_BYTES,     /* their bytes */
	KMEM_COUNT_GUARDED_RELEASED,  /* of them, released into the quarantine */
	KMEM_COUNT_QUARANTINE_DROPPED, /* of them, gone from the quarantine for want of room */
	KMEM_COUNT_UNGUARDED,         /* allocations in guard mode that got no guards */
	KMEM_COUNT_COUNT,
};

extern _Atomic uint64_t kmem_counts[KMEM_COUNT_COUNT];

/* _sigsafe. */
static inline void kmem_count(enum kmem_count what, uint64_t n)
{
	atomic_fetch_add_explicit(&kmem_counts[what], n, memory_order_relaxed);
}

#endif /* KMEM_PRELOAD_COUNT_H */
