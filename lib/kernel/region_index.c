/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The regions by address: a skip list, which one writer at a time changes under the kernel lock while readers walk it.
 *
 * A node is on its levels 0 to levels - 1, and every level is a list in ascending order:
 *
 *   head ------------------------------> C ----------------> NULL     level 2
 *   head ----------> B ----------------> C ----------------> NULL     level 1
 *   head ----> A --> B ----> ..... ----> C ----> D --------> NULL     level 0
 *
 * A node is linked from the lowest level up, each link stored with release, so whoever finds it finds it filled. It is unlinked
 * from the highest level down, and keeps its own links, so a reader that stands on it walks on. Its memory is used again only
 * after a grace period: removed nodes are collected, since one wait serves many.
 *
 * Invariants: X1 every level ascends, and regions do not overlap. X2 each level's nodes are those of the level below that
 * reach it. X3 level 0 has `count` nodes, and the pool has given out those and the retired ones.
 */
#include "kernel/region_index.h"

#include "host/assert.h"
#include "host/rcu.h"

/* Removed descriptors that are worth a grace period: it costs about as much as some tens of system calls. */
#define RETIRED_MIN 64

static struct kmem_region *next_get(const struct kmem_region *region, unsigned int level)
{
	return __atomic_load_n(&region->next[level], __ATOMIC_ACQUIRE);
}

static void next_set(struct kmem_region *region, unsigned int level, struct kmem_region *next)
{
	__atomic_store_n(&region->next[level], next, __ATOMIC_RELEASE);
}

void kmem_region_index_init(struct kmem_region_index *index)
{
	*index = (struct kmem_region_index){.head = {.levels = KMEM_REGION_LEVELS}, .seed = 0x9e3779b97f4a7c15};
	kmem_pool_init(&index->pool, sizeof(struct kmem_region));
}

void kmem_region_index_finish(struct kmem_region_index *index)
{
	kmem_pool_finish(&index->pool);
	*index = (struct kmem_region_index){.count = 0};
}

/* How many levels a new node has: each one more with a chance of one in four. */
static unsigned int levels_choose(struct kmem_region_index *index)
{
	unsigned int levels = 1;
	uint64_t bits;

	index->seed ^= index->seed << 13;
	index->seed ^= index->seed >> 7;
	index->seed ^= index->seed << 17;
	for (bits = index->seed >> 20; levels < KMEM_REGION_LEVELS && (bits & 3) == 0; bits >>= 2) {
		levels++;
	}
	return levels;
}

/* The last node before addr on every level; the head counts. before may be NULL. Any reader may call it. */
static const struct kmem_region *seek(const struct kmem_region_index *index, uintptr_t addr,
				      const struct kmem_region *before[KMEM_REGION_LEVELS])
{
	const struct kmem_region *at = &index->head;

	for (unsigned int level = KMEM_REGION_LEVELS; level-- > 0;) {
		for (const struct kmem_region *next = next_get(at, level); next != NULL && next->addr < addr;
		     next = next_get(at, level)) {
			at = next;
		}
		if (before != NULL) {
			before[level] = at;
		}
	}
	return at;
}

int kmem_region_index_reserve(struct kmem_region_index *index, size_t count)
{
	return kmem_pool_reserve(&index->pool, count);
}

struct kmem_region *kmem_region_index_add(struct kmem_region_index *index, const struct kmem_region *template)
{
	const struct kmem_region *before[KMEM_REGION_LEVELS];
	struct kmem_region *region = kmem_pool_get(&index->pool);

	if (region == NULL) {
		return NULL;
	}
	*region = *template;
	region->name = template->name != NULL ? template->name : "";
	region->levels = levels_choose(index);
	region->retired = NULL;
	(void)seek(index, region->addr, before);
	for (unsigned int level = 0; level < region->levels; level++) {
		struct kmem_region *previous = (struct kmem_region *)before[level];

		next_set(region, level, next_get(previous, level));
		next_set(previous, level, region);
	}
	index->count++;
	return region;
}

void kmem_region_index_remove(struct kmem_region_index *index, struct kmem_region *region)
{
	const struct kmem_region *before[KMEM_REGION_LEVELS];

	(void)seek(index, region->addr, before);
	for (unsigned int level = region->levels; level-- > 0;) {
		kmem_assert(next_get(before[level], level) == region);
		next_set((struct kmem_region *)before[level], level, next_get(region, level));
	}
	region->retired = index->retired;
	index->retired = region;
	index->retired_count++;
	index->count--;
}

/* The last region that begins at addr or below, NULL if there is none. */
static const struct kmem_region *floor_of(const struct kmem_region_index *index, uintptr_t addr)
{
	const struct kmem_region *at = addr == UINTPTR_MAX ? seek(index, addr, NULL) : seek(index, addr + 1, NULL);

	return at == &index->head ? NULL : at;
}

struct kmem_region *kmem_region_index_find(const struct kmem_region_index *index, uintptr_t addr)
{
	const struct kmem_region *region = floor_of(index, addr);

	if (region == NULL || addr - region->addr >= region->size) {
		return NULL;
	}
	return (struct kmem_region *)region;
}

struct kmem_region *kmem_region_index_find_exact(const struct kmem_region_index *index, uintptr_t addr, size_t size)
{
	const struct kmem_region *region = floor_of(index, addr);

	if (region == NULL || region->addr != addr || region->size != size) {
		return NULL;
	}
	return (struct kmem_region *)region;
}

struct kmem_region *kmem_region_index_from(const struct kmem_region_index *index, uintptr_t addr)
{
	const struct kmem_region *region = floor_of(index, addr);

	if (region != NULL && addr - region->addr < region->size) {
		return (struct kmem_region *)region;
	}
	return next_get(region != NULL ? region : &index->head, 0);
}

void kmem_region_index_flags_set(struct kmem_region_index *index, struct kmem_region *region, uint32_t flags)
{
	(void)index;
	__atomic_store_n(&region->flags, flags, __ATOMIC_RELAXED);
}

int kmem_region_index_each(const struct kmem_region_index *index, int (*visit)(const struct kmem_region *, void *), void *arg)
{
	int ret = 0;

	for (struct kmem_region *region = next_get(&index->head, 0); region != NULL && ret == 0;
	     region = next_get(region, 0)) {
		ret = visit(region, arg);
	}
	return ret;
}

static struct kmem_region_info info_of(const struct kmem_region *region)
{
	return (struct kmem_region_info){
		.addr = region->addr,
		.size = region->size,
		.flags = __atomic_load_n(&region->flags, __ATOMIC_RELAXED),
		.kind = region->kind,
		.guarded = region->guarded,
		.phys = region->phys,
		.name = region->name,
	};
}

int kmem_region_index_walk(const struct kmem_region_index *index, int (*visit)(const struct kmem_region_info *, void *),
			   void *arg)
{
	int ret = 0;

	kmem_rcu_read_lock();
	for (const struct kmem_region *region = next_get(&index->head, 0); region != NULL && ret == 0;
	     region = next_get(region, 0)) {
		const struct kmem_region_info info = info_of(region);

		ret = visit(&info, arg);
	}
	kmem_rcu_read_unlock();
	return ret;
}

void kmem_region_index_nearest(const struct kmem_region_index *index, uintptr_t addr, struct kmem_region_info *below,
			       struct kmem_region_info *above)
{
	const struct kmem_region *region;
	const struct kmem_region *next;

	*below = (struct kmem_region_info){.name = ""};
	*above = (struct kmem_region_info){.name = ""};
	kmem_rcu_read_lock();
	region = floor_of(index, addr);
	next = next_get(region != NULL ? region : &index->head, 0);
	/* One may have been added in between since. */
	while (next != NULL && next->addr <= addr) {
		region = next;
		next = next_get(next, 0);
	}
	if (region != NULL) {
		*below = info_of(region);
	}
	if (next != NULL) {
		*above = info_of(next);
	}
	kmem_rcu_read_unlock();
}

struct kmem_region_batch kmem_region_index_detach(struct kmem_region_index *index)
{
	struct kmem_region_batch batch = {.first = NULL};

	if (index->retired_count >= RETIRED_MIN) {
		batch.first = index->retired;
		index->retired = NULL;
		index->retired_count = 0;
	}
	return batch;
}

bool kmem_region_batch_is_empty(const struct kmem_region_batch *batch)
{
	return batch->first == NULL;
}

void kmem_region_batch_synchronize(const struct kmem_region_batch *batch)
{
	(void)batch;
	kmem_rcu_synchronize();
}

void kmem_region_index_reclaim(struct kmem_region_index *index, struct kmem_region_batch *batch)
{
	while (batch->first != NULL) {
		struct kmem_region *region = batch->first;

		batch->first = region->retired;
		kmem_pool_put(&index->pool, region);
	}
}

/* X1 and X2 for one level; its number of nodes, or SIZE_MAX. */
static size_t level_check(const struct kmem_region_index *index, unsigned int level)
{
	const struct kmem_region *before = &index->head;
	const struct kmem_region *below = level > 0 ? next_get(&index->head, level - 1) : NULL;
	size_t nodes = 0;

	for (const struct kmem_region *at = next_get(before, level); at != NULL; at = next_get(at, level)) {
		if (at->levels <= level || (before != &index->head && before->addr + before->size > at->addr)) {
			return SIZE_MAX;
		}
		while (level > 0 && below != at) {
			if (below == NULL || below->levels > level) {
				return SIZE_MAX;
			}
			below = next_get(below, level - 1);
		}
		below = level > 0 ? next_get(below, level - 1) : NULL;
		before = at;
		nodes++;
	}
	for (; below != NULL; below = next_get(below, level - 1)) {
		if (below->levels > level) {
			return SIZE_MAX;
		}
	}
	return nodes;
}

bool kmem_region_index_is_valid(const struct kmem_region_index *index)
{
	for (unsigned int level = 0; level < KMEM_REGION_LEVELS; level++) {
		size_t nodes = level_check(index, level);

		if (nodes == SIZE_MAX || (level == 0 && nodes != index->count)) {
			return false; /* X1, X2, X3 */
		}
	}
	return index->pool.live >= index->count + index->retired_count; /* X3; batches that wait are in neither */
}
