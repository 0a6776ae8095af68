/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A little heap in memory of the host's, for what may not be paged: see heap_resident.c. None of these faults in the VM or touches
 * errno.
 */
#ifndef KMEM_PRELOAD_HEAP_RESIDENT_H
#define KMEM_PRELOAD_HEAP_RESIDENT_H

#include <stdbool.h>
#include <stddef.h>

/* Memory, aligned to at least 16 bytes; align is a power of two. NULL if the host has none. */
void *kmem_heap_resident_alloc(size_t size, size_t align);

/* Bytes that a piece of it can be used for, 0 if a pointer is none of its pieces. */
size_t kmem_heap_resident_size(const void *pointer);

/* Give a piece back. */
void kmem_heap_resident_free(void *pointer);

/* Register handlers of fork(): no other thread is in here meanwhile. */
void kmem_heap_resident_fork_init(void);

/* In a thread whose allocations must all be resident, for as long as it is set (locale.c). */
extern __thread bool kmem_heap_resident_wanted __attribute__((tls_model("initial-exec")));

#endif /* KMEM_PRELOAD_HEAP_RESIDENT_H */
