/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Objects of one size, carved from chunks that grow with the pool: a chunk holds as much as all before it, within bounds, so
 * that small pools stay small and large ones make few host calls.
 */
#include "host/pool.h"

#include <string.h>

#include "host/memory.h"

#define CHUNK_MIN (16UL * 1024)
#define CHUNK_MAX (1024UL * 1024)

/* At the start of every chunk; a multiple of the objects' alignment. */
struct chunk {
	struct chunk *next;
	size_t size;
};

struct free_object {
	struct free_object *next;
};

void kmem_pool_init(struct kmem_pool *pool, size_t object_size)
{
	size_t minimum = sizeof(struct free_object);

	object_size = object_size < minimum ? minimum : object_size;
	*pool = (struct kmem_pool){.object_size = (object_size + 15) / 16 * 16};
}

void kmem_pool_finish(struct kmem_pool *pool)
{
	struct chunk *chunk = pool->chunks;

	while (chunk != NULL) {
		struct chunk *next = chunk->next;

		kmem_host_memory_free(chunk, chunk->size);
		chunk = next;
	}
	*pool = (struct kmem_pool){.object_size = pool->object_size};
}

/* One more chunk, all of it free. */
static int grow(struct kmem_pool *pool)
{
	const struct chunk *last = pool->chunks;
	size_t size = last == NULL ? CHUNK_MIN : 2 * last->size;
	struct chunk *chunk;
	void *memory;
	int ret;

	size = size > CHUNK_MAX ? CHUNK_MAX : size;
	size = size < sizeof(*chunk) + pool->object_size ? sizeof(*chunk) + pool->object_size : size;
	size = kmem_host_page_round(size);
	ret = kmem_host_memory_get(&memory, size);
	if (ret != 0) {
		return ret;
	}
	chunk = memory;
	chunk->next = pool->chunks;
	chunk->size = size;
	pool->chunks = chunk;
	for (size_t offset = sizeof(*chunk); offset + pool->object_size <= size; offset += pool->object_size) {
		struct free_object *object = (struct free_object *)((char *)memory + offset);

		object->next = pool->free;
		pool->free = object;
	}
	return 0;
}

/* Free objects, counted up to a maximum. */
static size_t free_count(const struct kmem_pool *pool, size_t max)
{
	size_t count = 0;

	for (const struct free_object *object = pool->free; object != NULL && count < max; object = object->next) {
		count++;
	}
	return count;
}

int kmem_pool_reserve(struct kmem_pool *pool, size_t count)
{
	int ret = 0;

	while (ret == 0 && free_count(pool, count) < count) {
		ret = grow(pool);
	}
	return ret;
}

void *kmem_pool_get(struct kmem_pool *pool)
{
	struct free_object *object;

	if (pool->free == NULL && grow(pool) != 0) {
		return NULL;
	}
	object = pool->free;
	pool->free = object->next;
	pool->live++;
	return memset(object, 0, pool->object_size);
}

void kmem_pool_put(struct kmem_pool *pool, void *object)
{
	struct free_object *freed = object;

	freed->next = pool->free;
	pool->free = freed;
	pool->live--;
}
