/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tree a region map (kernel/region.h) keeps its stretches in: a treap by address, in which every node knows the
 * largest hole below it. Links only: nodes are the caller's, and so are the counts.
 */
#ifndef KMEM_KERNEL_HOLE_TREE_H
#define KMEM_KERNEL_HOLE_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The node of a stretch [start, end), which is a hole or taken as a whole. Everything else but is_taken is the tree's. */
struct kmem_hole {
	uintptr_t start, end; /* whoever changes these or is_taken calls kmem_hole_tree_refresh() */
	size_t largest;       /* bytes of the largest hole among this node and all below it; 0 if there is none */
	struct kmem_hole *parent, *left, *right;
	uint32_t priority; /* random; set before the node is inserted */
	bool is_taken;
};

static inline size_t kmem_hole_bytes(const struct kmem_hole *node)
{
	return node->end - node->start;
}

/* Whether there is a node, and it is a hole. */
static inline bool kmem_hole_is_free(const struct kmem_hole *node)
{
	return node != NULL && !node->is_taken;
}

/* A node's stretch, or whether it is a hole, changed. The stretches' order must not. */
void kmem_hole_tree_refresh(struct kmem_hole *node);

/* The node before or after a node, in order of address; NULL if there is none. */
struct kmem_hole *kmem_hole_tree_previous(const struct kmem_hole *node);
struct kmem_hole *kmem_hole_tree_next(const struct kmem_hole *node);

/* The node of the lowest stretch; NULL if the tree is empty. */
struct kmem_hole *kmem_hole_tree_first(struct kmem_hole *root);

/* Put a node in, right behind another; into an empty tree if that is NULL. */
void kmem_hole_tree_insert(struct kmem_hole **root, struct kmem_hole *other, struct kmem_hole *node);

void kmem_hole_tree_remove(struct kmem_hole **root, struct kmem_hole *node);

/* The stretch an address is in; the address must be in one. */
struct kmem_hole *kmem_hole_tree_at(struct kmem_hole *root, uintptr_t addr);

/* The highest hole of at least size bytes; NULL if there is none. */
struct kmem_hole *kmem_hole_tree_highest(struct kmem_hole *root, size_t size);

/* Invariants T1 to T3 (hole_tree.c) of one node and the links to its children. */
bool kmem_hole_tree_node_is_valid(const struct kmem_hole *root, const struct kmem_hole *node);

#endif /* KMEM_KERNEL_HOLE_TREE_H */
