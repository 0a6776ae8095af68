/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which virtual addresses are free.
 *
 * Terms
 *
 * stretch   Addresses [start, end) that are one hole, or that were taken by one call (or are what partial frees left of
 *           that). Every stretch has a node; struct kmem_hole is a node, of whichever kind.
 * hole      A stretch that is free.
 *
 * Theory of operation
 *
 * The stretches tile the managed range; their nodes are a tree (kernel/hole_tree.h), so that whatever concerns one stretch
 * takes logarithmic time.
 *
 * What is taken has nodes too, so that giving it back whole turns a node into a hole and needs none: that cannot fail.
 * Taking costs up to two nodes, and so does freeing a part; they are got before anything is changed. One node that is no
 * longer needed is kept as the spare, so that taking and freeing in turn does not bother the caller's memory.
 *
 * Invariants
 *
 * R1  In order, each stretch starts where the one before it ends, the first at the map's start; the last ends at its end.
 *     Stretches are whole pages, and none is empty.
 * R2  No two holes are adjacent.
 * R3  The tree is valid: T1 to T3 (hole_tree.c).
 * R4  holes and free_bytes count the holes and their bytes.
 */
#include "kernel/region.h"

#include <errno.h>

#include "host/assert.h"
#include "kernel/hole_tree.h"

#define SEED UINT64_C(0x9e3779b97f4a7c15)

/* Nodes got ahead of a change. */
struct reserve {
	struct kmem_hole *nodes[2];
	size_t count;
};

size_t kmem_hole_size(void)
{
	return sizeof(struct kmem_hole);
}

/* Nodes. */

static struct kmem_hole *node_get(struct kmem_region_map *map)
{
	struct kmem_hole *node = map->spare;

	if (node == NULL) {
		return map->memory.get(map->memory.arg);
	}
	map->spare = NULL;
	return node;
}

static void node_put(struct kmem_region_map *map, struct kmem_hole *node)
{
	if (map->spare == NULL) {
		map->spare = node;
		return;
	}
	map->memory.put(map->memory.arg, node);
}

/* Get count nodes, at most two; all or none. */
static int reserve_get(struct kmem_region_map *map, struct reserve *reserve, size_t count)
{
	reserve->count = 0;
	while (reserve->count < count) {
		struct kmem_hole *node = node_get(map);

		if (node == NULL) {
			while (reserve->count > 0) {
				node_put(map, reserve->nodes[--reserve->count]);
			}
			return -ENOMEM;
		}
		reserve->nodes[reserve->count++] = node;
	}
	return 0;
}

/* xorshift64*, the upper half. */
static uint32_t random_priority(struct kmem_region_map *map)
{
	map->seed ^= map->seed >> 12;
	map->seed ^= map->seed << 25;
	map->seed ^= map->seed >> 27;
	return (uint32_t)((map->seed * UINT64_C(0x2545f4914f6cdd1d)) >> 32);
}

/* A node for a taken stretch, not in the tree yet. */
static void node_init(struct kmem_region_map *map, struct kmem_hole *node, uintptr_t start, uintptr_t end)
{
	*node = (struct kmem_hole){.start = start, .end = end, .priority = random_priority(map), .is_taken = true};
}

/* Stretches. */

static void set_taken(struct kmem_region_map *map, struct kmem_hole *node, bool is_taken)
{
	node->is_taken = is_taken;
	if (is_taken) {
		map->holes--;
		map->free_bytes -= kmem_hole_bytes(node);
	} else {
		map->holes++;
		map->free_bytes += kmem_hole_bytes(node);
	}
	kmem_hole_tree_refresh(node);
}

/* Cut a taken stretch at addr; the upper part, which has a reserved node. */
static struct kmem_hole *split(struct kmem_region_map *map, struct kmem_hole *node, uintptr_t addr,
			       struct reserve *reserve)
{
	struct kmem_hole *upper = reserve->nodes[--reserve->count];

	node_init(map, upper, addr, node->end);
	node->end = addr;
	kmem_hole_tree_insert(&map->root, node, upper);
	return upper;
}

/* Make one hole of two adjacent ones. */
static void join(struct kmem_region_map *map, struct kmem_hole *lower, struct kmem_hole *upper)
{
	kmem_hole_tree_remove(&map->root, upper);
	lower->end = upper->end;
	kmem_hole_tree_refresh(lower);
	map->holes--;
	node_put(map, upper);
}

/* Turn a taken stretch into a hole, one with its neighbours. */
static void give_back(struct kmem_region_map *map, struct kmem_hole *node)
{
	struct kmem_hole *lower = kmem_hole_tree_previous(node);
	struct kmem_hole *upper = kmem_hole_tree_next(node);

	set_taken(map, node, false);
	if (kmem_hole_is_free(upper)) {
		join(map, node, upper);
	}
	if (kmem_hole_is_free(lower)) {
		join(map, lower, node);
	}
}

/* Take [addr, end) out of the hole it is in: the hole whole, then its head and tail are given back. */
static int take_from(struct kmem_region_map *map, struct kmem_hole *hole, uintptr_t addr, uintptr_t end)
{
	bool has_head = hole->start < addr;
	bool has_tail = hole->end > end;
	struct kmem_hole *node = hole;
	struct reserve reserve;
	int ret = reserve_get(map, &reserve, (size_t)has_head + (size_t)has_tail);

	if (ret != 0) {
		return ret;
	}
	set_taken(map, hole, true);
	if (has_head) {
		node = split(map, hole, addr, &reserve);
		set_taken(map, hole, false);
	}
	if (has_tail) {
		set_taken(map, split(map, node, end, &reserve), false);
	}
	return 0;
}

static bool is_inside(const struct kmem_region_map *map, uintptr_t addr, size_t size)
{
	return addr >= map->start && addr <= map->end && size <= map->end - addr;
}

static bool is_whole_pages(const struct kmem_region_map *map, uintptr_t addr, size_t size)
{
	return size != 0 && size % map->page_size == 0 && (addr - map->start) % map->page_size == 0;
}

/* The interface. */

int kmem_region_map_init(struct kmem_region_map *map, uintptr_t start, uintptr_t end, size_t page_size,
			 const struct kmem_hole_memory *memory)
{
	struct kmem_hole *node = memory->get(memory->arg);

	kmem_assert(start < end && start % page_size == 0 && end % page_size == 0);
	*map = (struct kmem_region_map){
		.start = start, .end = end, .page_size = page_size, .memory = *memory, .seed = SEED};
	if (node == NULL) {
		return -ENOMEM;
	}
	node_init(map, node, start, end);
	kmem_hole_tree_insert(&map->root, NULL, node);
	set_taken(map, node, false);
	return 0;
}

void kmem_region_map_finish(struct kmem_region_map *map)
{
	while (map->root != NULL) {
		struct kmem_hole *node = map->root;

		kmem_hole_tree_remove(&map->root, node);
		map->memory.put(map->memory.arg, node);
	}
	if (map->spare != NULL) {
		map->memory.put(map->memory.arg, map->spare);
	}
	map->spare = NULL;
	map->holes = 0;
	map->free_bytes = 0;
}

int kmem_region_alloc(struct kmem_region_map *map, size_t size, size_t align, uintptr_t *addr)
{
	struct kmem_hole *hole;
	uintptr_t start;
	size_t needed;
	int ret;

	kmem_assert(is_whole_pages(map, map->start, size) && is_whole_pages(map, map->start, align));
	if (__builtin_add_overflow(size, align - map->page_size, &needed)) {
		return -ENOMEM;
	}
	hole = kmem_hole_tree_highest(map->root, needed);
	if (hole == NULL) {
		return -ENOMEM;
	}
	start = hole->end - needed;
	start += (align - start % align) % align;
	ret = take_from(map, hole, start, start + size);
	if (ret != 0) {
		return ret;
	}
	*addr = start;
	return 0;
}

int kmem_region_take(struct kmem_region_map *map, uintptr_t addr, size_t size)
{
	struct kmem_hole *node;

	if (!is_inside(map, addr, size)) {
		return -ERANGE;
	}
	kmem_assert(is_whole_pages(map, addr, size));
	node = kmem_hole_tree_at(map->root, addr);
	if (node->is_taken || node->end - addr < size) {
		return -EBUSY;
	}
	return take_from(map, node, addr, addr + size);
}

bool kmem_region_is_free(const struct kmem_region_map *map, uintptr_t addr, size_t size)
{
	const struct kmem_hole *node;

	if (!is_inside(map, addr, size)) {
		return false;
	}
	node = kmem_hole_tree_at(map->root, addr);
	return !node->is_taken && size <= node->end - addr;
}

/* The stretch the last of [from, end) is in, if from and all up to there are taken; else NULL. */
static struct kmem_hole *last_taken(struct kmem_hole *from, uintptr_t end)
{
	while (from->is_taken && from->end < end) {
		from = kmem_hole_tree_next(from);
	}
	return from->is_taken ? from : NULL;
}

int kmem_region_free(struct kmem_region_map *map, uintptr_t addr, size_t size)
{
	uintptr_t end = addr + size;
	struct kmem_hole *first;
	struct kmem_hole *last;
	struct reserve reserve;
	int ret;

	if (!is_inside(map, addr, size)) {
		return -ERANGE;
	}
	kmem_assert(is_whole_pages(map, addr, size));
	first = kmem_hole_tree_at(map->root, addr);
	last = last_taken(first, end);
	if (last == NULL) {
		return -EINVAL;
	}
	ret = reserve_get(map, &reserve, (size_t)(first->start < addr) + (size_t)(last->end > end));
	if (ret != 0) {
		return ret;
	}
	if (last->end > end) {
		split(map, last, end, &reserve);
	}
	if (first->start < addr) {
		split(map, first, addr, &reserve);
	}
	while (addr < end) {
		struct kmem_hole *node = kmem_hole_tree_at(map->root, addr);

		addr = node->end;
		give_back(map, node);
	}
	return 0;
}

bool kmem_region_map_is_valid(const struct kmem_region_map *map)
{
	const struct kmem_hole *before = NULL;
	const struct kmem_hole *node = kmem_hole_tree_first(map->root);
	uintptr_t start = map->start;
	size_t holes = 0;
	size_t free_bytes = 0;

	for (; node != NULL; before = node, node = kmem_hole_tree_next(node)) {
		if (node->start != start || node->end <= start || kmem_hole_bytes(node) % map->page_size != 0) {
			return false; /* R1 */
		}
		if (kmem_hole_is_free(before) && kmem_hole_is_free(node)) {
			return false; /* R2 */
		}
		if (!kmem_hole_tree_node_is_valid(map->root, node)) {
			return false; /* R3 */
		}
		start = node->end;
		holes += kmem_hole_is_free(node) ? 1 : 0;
		free_bytes += kmem_hole_is_free(node) ? kmem_hole_bytes(node) : 0;
	}
	return start == map->end && holes == map->holes && free_bytes == map->free_bytes; /* R1, R4 */
}
