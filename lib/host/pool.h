/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Objects of one size out of memory of the library's own, for descriptors that must not come from malloc (which may itself
 * live in paged memory). Not locked: the owner's lock serves.
 */
#ifndef KMEM_HOST_POOL_H
#define KMEM_HOST_POOL_H

#include <stddef.h>

struct kmem_pool {
	size_t object_size; /* constant after init; a multiple of 16 */
	void *free;         /* free objects, linked through their first word */
	void *chunks;       /* memory got from the host, linked through its first word */
	size_t live;        /* objects handed out */
};

void kmem_pool_init(struct kmem_pool *pool, size_t object_size);

/* Gives all chunks back; objects handed out are gone. A zeroed pool is fine. */
void kmem_pool_finish(struct kmem_pool *pool);

/* Make sure that the next so many calls of get, puts aside, cannot fail. 0, or -errno where the host has no memory. */
int kmem_pool_reserve(struct kmem_pool *pool, size_t count);

/* A zeroed object, or NULL where the host has no memory. */
void *kmem_pool_get(struct kmem_pool *pool);
void kmem_pool_put(struct kmem_pool *pool, void *object);

#endif /* KMEM_HOST_POOL_H */
