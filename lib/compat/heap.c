/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Heaps: the C library's memory. That of a k_heap is counted, by what the C library says a block has, and bounded.
 *
 * Everything is a section, since a thread that ended inside malloc() would take the C library's lock with it.
 */
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <zephyr/kernel.h>

#include "compat/deadline.h"
#include "compat/wait.h"

void *k_aligned_alloc(size_t align, size_t size)
{
	void *memory = NULL;

	kmem_section_enter();
	if (posix_memalign(&memory, align < sizeof(void *) ? sizeof(void *) : align, size) != 0) {
		memory = NULL;
	}
	kmem_section_leave();
	return memory;
}

void *k_malloc(size_t size)
{
	return k_aligned_alloc(_Alignof(max_align_t), size);
}

void *k_calloc(size_t nmemb, size_t size)
{
	size_t bytes;
	void *memory;

	if (__builtin_mul_overflow(nmemb, size, &bytes)) {
		return NULL;
	}
	kmem_section_enter();
	memory = calloc(1, bytes);
	kmem_section_leave();
	return memory;
}

void *k_realloc(void *ptr, size_t size)
{
	void *memory;

	if (size == 0) {
		k_free(ptr);
		return NULL;
	}
	kmem_section_enter();
	memory = realloc(ptr, size);
	kmem_section_leave();
	return memory;
}

void k_free(void *ptr)
{
	kmem_section_enter();
	free(ptr);
	kmem_section_leave();
}

void k_heap_init(struct k_heap *heap, void *mem, size_t bytes)
{
	(void)mem;
	*heap = (struct k_heap){.size = bytes};
}

/* Lock held. NULL if it does not fit. */
static void *heap_take(struct k_heap *heap, size_t align, size_t bytes)
{
	void *memory;

	if (bytes > heap->size - heap->used) {
		return NULL;
	}
	memory = k_aligned_alloc(align, bytes);
	if (memory != NULL) {
		const size_t usable = malloc_usable_size(memory);

		/* The last block may be larger than what is left. */
		heap->used += usable < heap->size - heap->used ? usable : heap->size - heap->used;
	}
	return memory;
}

void *k_heap_aligned_alloc(struct k_heap *heap, size_t align, size_t bytes, k_timeout_t timeout)
{
	const uint64_t deadline = kmem_deadline(timeout);
	int ret = kmem_timeout_waits(timeout) ? 0 : -EAGAIN;

	for (;;) {
		unsigned int key = kmem_enter();
		void *memory = heap_take(heap, align, bytes);

		if (memory != NULL || ret != 0) {
			kmem_leave(key);
			return memory;
		}
		ret = kmem_pend_until(key, &heap->wait_q, deadline);
	}
}

void *k_heap_alloc(struct k_heap *heap, size_t bytes, k_timeout_t timeout)
{
	return k_heap_aligned_alloc(heap, _Alignof(max_align_t), bytes, timeout);
}

void *k_heap_calloc(struct k_heap *heap, size_t num, size_t size, k_timeout_t timeout)
{
	size_t bytes;
	void *memory;

	if (__builtin_mul_overflow(num, size, &bytes)) {
		return NULL;
	}
	memory = k_heap_alloc(heap, bytes, timeout);
	if (memory != NULL) {
		memset(memory, 0, bytes);
	}
	return memory;
}

void k_heap_free(struct k_heap *heap, void *mem)
{
	unsigned int key;
	size_t usable;

	if (mem == NULL) {
		return;
	}
	key = kmem_enter();
	usable = malloc_usable_size(mem);
	heap->used -= usable < heap->used ? usable : heap->used;
	free(mem);
	(void)kmem_wake_all(&heap->wait_q, 0);
	kmem_leave(key);
}

void *k_heap_realloc(struct k_heap *heap, void *ptr, size_t bytes, k_timeout_t timeout)
{
	void *memory;
	size_t usable;

	if (bytes == 0) {
		k_heap_free(heap, ptr);
		return NULL;
	}
	memory = k_heap_alloc(heap, bytes, timeout);
	if (memory == NULL || ptr == NULL) {
		return memory;
	}
	usable = malloc_usable_size(ptr);
	memcpy(memory, ptr, usable < bytes ? usable : bytes);
	k_heap_free(heap, ptr);
	return memory;
}
