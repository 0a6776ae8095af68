/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which virtual addresses are free: top-down, the highest hole that fits. (Zephyr: kernel/mmu.c)
 * Integers only; no system call, no memory but what the caller's functions give. Not locked: the kernel lock serves.
 */
#ifndef KMEM_KERNEL_REGION_H
#define KMEM_KERNEL_REGION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kmem_hole; /* hole_tree.h: a node of the tree, for what is free and for what is taken */

/* Where memory for holes comes from. */
struct kmem_hole_memory {
	void *(*get)(void *arg); /* kmem_hole_size() bytes, aligned for pointers; NULL if there are none */
	void (*put)(void *arg, void *hole);
	void *arg;
};

struct kmem_region_map {
	uintptr_t start, end; /* [start, end) is managed; constant after init */
	size_t page_size;
	struct kmem_hole_memory memory;
	struct kmem_hole *root;  /* tree by address, each node knows the largest hole below it */
	struct kmem_hole *spare; /* a node kept, so that taking and freeing in turn needs no memory */
	size_t free_bytes;
	size_t holes;
	uint64_t seed; /* of the tree's priorities */
};

size_t kmem_hole_size(void);

/* Manage [start, end), all free. 0 or -ENOMEM. start, end: multiples of page_size. */
int kmem_region_map_init(struct kmem_region_map *map, uintptr_t start, uintptr_t end, size_t page_size,
			 const struct kmem_hole_memory *memory);
void kmem_region_map_finish(struct kmem_region_map *map);

/*
 * Take size bytes aligned to align (both multiples of the page size; align any multiple, not only powers of two), out of
 * the highest hole that holds size + align - page_size bytes, at its top; when that is more than asked for, the start is
 * rounded up to align and the rest given back, as Zephyr does. 0; -ENOMEM if no hole is large enough (or no memory for
 * bookkeeping).
 */
int kmem_region_alloc(struct kmem_region_map *map, size_t size, size_t align, uintptr_t *addr);

/* Take exactly [addr, addr + size). 0; -EBUSY if any of it is taken, -ERANGE if it is not all inside, -ENOMEM. */
int kmem_region_take(struct kmem_region_map *map, uintptr_t addr, size_t size);

/*
 * Give [addr, addr + size) back. 0; -ERANGE if it is not inside, -EINVAL if not all of it is taken, -ENOMEM (only possible
 * for a part of what was taken at once): nothing is changed then.
 */
int kmem_region_free(struct kmem_region_map *map, uintptr_t addr, size_t size);

/* Whether all of [addr, addr + size) is inside and free. */
bool kmem_region_is_free(const struct kmem_region_map *map, uintptr_t addr, size_t size);

/* Invariants R1.. (region.c). */
bool kmem_region_map_is_valid(const struct kmem_region_map *map);

#endif /* KMEM_KERNEL_REGION_H */
