/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory slabs and heaps. (Zephyr: kernel.h, which includes this one)
 *
 * A slab's free blocks are linked through themselves. k_mem_slab_alloc() with K_NO_WAIT and k_mem_slab_free() take
 * nothing but a spin lock of the slab's own, so a backing store may call them where the library serves a fault.
 *
 * Heaps are the C library's memory. k_malloc() has no bound; a k_heap is bounded by the size it was given.
 */
#ifndef KMEM_ZEPHYR_KERNEL_ALLOC_H
#define KMEM_ZEPHYR_KERNEL_ALLOC_H

#include <kmem/kconfig.h>

#include <stddef.h>
#include <stdint.h>

#include <zephyr/kernel_structs.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

struct k_mem_slab_info {
	uint32_t num_blocks;
	size_t block_size;
	uint32_t num_used;
	uint32_t max_used;
};

struct k_mem_slab {
	_wait_q_t wait_q;
	uint32_t kmem_lock;        /* 1 while held */
	uint32_t kmem_has_waiters; /* 1 if a thread waits, or has waited */
	uint32_t kmem_touched;     /* blocks that were ever used; the free list is laid as they come back */
	char *buffer;
	char *free_list;
	struct k_mem_slab_info info;
};

#define KMEM_SLAB_ROUND(size) (((size_t)(size) + sizeof(void *) - 1U) & ~(sizeof(void *) - 1U))

#define Z_MEM_SLAB_INITIALIZER(slab, slab_buffer, slab_block_size, slab_num_blocks)                                    \
	{                                                                                                              \
		{NULL}, 0, 0, 0, (slab_buffer), NULL,                                                                  \
		{                                                                                                      \
			(slab_num_blocks), (slab_block_size), 0, 0                                                     \
		}                                                                                                      \
	}

#define KMEM_SLAB_BUFFER(name, block_size, num_blocks, align)                                                          \
	static char __attribute__((aligned(align))) _k_mem_slab_buf_##name[(num_blocks)*KMEM_SLAB_ROUND(block_size)]

/**
 * A slab of @p slab_num_blocks blocks of @p slab_block_size bytes, rounded up to words, the buffer aligned to @p
 * slab_align.
 */
#define K_MEM_SLAB_DEFINE(name, slab_block_size, slab_num_blocks, slab_align)                                          \
	KMEM_SLAB_BUFFER(name, slab_block_size, slab_num_blocks, slab_align);                                          \
	struct k_mem_slab name = Z_MEM_SLAB_INITIALIZER(name, _k_mem_slab_buf_##name,                                  \
							KMEM_SLAB_ROUND(slab_block_size), slab_num_blocks)
#define K_MEM_SLAB_DEFINE_STATIC(name, slab_block_size, slab_num_blocks, slab_align)                                   \
	KMEM_SLAB_BUFFER(name, slab_block_size, slab_num_blocks, slab_align);                                          \
	static struct k_mem_slab name = Z_MEM_SLAB_INITIALIZER(name, _k_mem_slab_buf_##name,                           \
							       KMEM_SLAB_ROUND(slab_block_size), slab_num_blocks)

/** 0; -EINVAL if the buffer or the block size is no multiple of a word. */
int k_mem_slab_init(struct k_mem_slab *slab, void *buffer, size_t block_size, uint32_t num_blocks);

/** 0; -ENOMEM with K_NO_WAIT, -EAGAIN after the timeout, *mem is NULL then. */
int k_mem_slab_alloc(struct k_mem_slab *slab, void **mem, k_timeout_t timeout);
void k_mem_slab_free(struct k_mem_slab *slab, void *mem);

static inline uint32_t k_mem_slab_num_used_get(struct k_mem_slab *slab)
{
	return slab->info.num_used;
}

static inline uint32_t k_mem_slab_num_free_get(struct k_mem_slab *slab)
{
	return slab->info.num_blocks - slab->info.num_used;
}

static inline uint32_t k_mem_slab_max_used_get(struct k_mem_slab *slab)
{
	return slab->info.max_used;
}

struct k_heap {
	_wait_q_t wait_q;
	size_t size; /* bytes that may be allocated together */
	size_t used;
};

#define KMEM_HEAP_INITIALIZER(bytes)                                                                                   \
	{                                                                                                              \
		{NULL}, (bytes), 0                                                                                     \
	}
#define K_HEAP_DEFINE(name, bytes) struct k_heap name = KMEM_HEAP_INITIALIZER(bytes)
#define K_HEAP_DEFINE_NOCACHE(name, bytes) K_HEAP_DEFINE(name, bytes)

void k_heap_init(struct k_heap *heap, void *mem, size_t bytes); /* the memory itself is not used */

/** NULL if that much is not free, after the timeout. */
void *k_heap_alloc(struct k_heap *heap, size_t bytes, k_timeout_t timeout);
void *k_heap_calloc(struct k_heap *heap, size_t num, size_t size, k_timeout_t timeout);
void *k_heap_aligned_alloc(struct k_heap *heap, size_t align, size_t bytes, k_timeout_t timeout);
void *k_heap_realloc(struct k_heap *heap, void *ptr, size_t bytes, k_timeout_t timeout);
void k_heap_free(struct k_heap *heap, void *mem);

void *k_malloc(size_t size);
void *k_calloc(size_t nmemb, size_t size);
void *k_realloc(void *ptr, size_t size);
void *k_aligned_alloc(size_t align, size_t size);
void k_free(void *ptr);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* KMEM_ZEPHYR_KERNEL_ALLOC_H */
