/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The regions by address: what is mapped where, as whom.
 *
 * Changed under the kernel lock. Read without it: descriptors are published and reclaimed by RCU, so a fatal error can be
 * explained, and a report made, whoever holds the lock. Functions that read without it say so.
 */
#ifndef KMEM_KERNEL_REGION_INDEX_H
#define KMEM_KERNEL_REGION_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kmem/kmem.h>

#include "host/pool.h"

/* Levels of the skip list: with one in four nodes a level up, good for a million regions. */
#define KMEM_REGION_LEVELS 10

struct kmem_region {
	/* constant once published, but flags */
	uintptr_t addr;   /* first usable byte */
	size_t size;      /* bytes, without guards */
	uint32_t flags;   /* atomic */
	enum kmem_region_kind kind;
	bool guarded;     /* a guard page on either side */
	uintptr_t phys;   /* as in struct kmem_region_info */
	const char *name; /* never NULL in the index; lives as long as the machine */

	/* the index's own */
	unsigned int levels;
	struct kmem_region *next[KMEM_REGION_LEVELS]; /* atomic */
	struct kmem_region *retired;                  /* the next one that was removed */
};

struct kmem_region_index {
	struct kmem_region head; /* before all others; has every level */
	struct kmem_pool pool;
	size_t count;
	uint64_t seed; /* of the levels */
	struct kmem_region *retired; /* removed, and perhaps seen by readers still */
	size_t retired_count;
};

void kmem_region_index_init(struct kmem_region_index *index);

/* No reader may be left. A zeroed index is fine. */
void kmem_region_index_finish(struct kmem_region_index *index);

/* Make sure that the next so many calls of add have memory. 0 or -errno. */
int kmem_region_index_reserve(struct kmem_region_index *index, size_t count);

/* Publish a copy of the template, which overlaps none that is there. NULL where there is no memory. */
struct kmem_region *kmem_region_index_add(struct kmem_region_index *index, const struct kmem_region *template);

/* Take a region out. The descriptor stays readable until it is reclaimed. */
void kmem_region_index_remove(struct kmem_region_index *index, struct kmem_region *region);

/* The region whose usable bytes hold addr, or that is exactly [addr, addr + size); NULL if there is none. Lock held. */
struct kmem_region *kmem_region_index_find(const struct kmem_region_index *index, uintptr_t addr);
struct kmem_region *kmem_region_index_find_exact(const struct kmem_region_index *index, uintptr_t addr, size_t size);

/* The first region that ends behind addr: the one that holds it, or else the next above; NULL if there is none. Lock held. */
struct kmem_region *kmem_region_index_from(const struct kmem_region_index *index, uintptr_t addr);

void kmem_region_index_flags_set(struct kmem_region_index *index, struct kmem_region *region, uint32_t flags);

/* Call visit for each in ascending order until it returns other than 0, and return that. Lock held. */
int kmem_region_index_each(const struct kmem_region_index *index, int (*visit)(const struct kmem_region *, void *), void *arg);

/* The same with copies, and without the lock. */
int kmem_region_index_walk(const struct kmem_region_index *index, int (*visit)(const struct kmem_region_info *, void *),
			   void *arg);

/* The last region that begins at addr or below, and the first one above: size 0 if there is none. Without the lock. */
void kmem_region_index_nearest(const struct kmem_region_index *index, uintptr_t addr, struct kmem_region_info *below,
			       struct kmem_region_info *above);

/*
 * Reclaiming: take what was removed out of the index (lock held; empty until there is enough of it to be worth the wait), wait
 * for readers (no lock), give it back to the pool (lock held).
 */
struct kmem_region_batch {
	struct kmem_region *first;
};

struct kmem_region_batch kmem_region_index_detach(struct kmem_region_index *index);
bool kmem_region_batch_is_empty(const struct kmem_region_batch *batch);
void kmem_region_batch_synchronize(const struct kmem_region_batch *batch);
void kmem_region_index_reclaim(struct kmem_region_index *index, struct kmem_region_batch *batch);

/* Invariants X1 to X3 (region_index.c). Lock held. */
bool kmem_region_index_is_valid(const struct kmem_region_index *index);

#endif /* KMEM_KERNEL_REGION_INDEX_H */
