/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A treap of stretches: a search tree by address and a heap by priority. As priorities are random, its depth is
 * logarithmic, in whatever order addresses come. Nothing recurses: nodes know their parents.
 *
 * Following `largest` from the root, right side first, leads to the highest hole that fits.
 *
 * Invariants
 *
 * T1  A node's parent is the node it is a child of, the root's is NULL.
 * T2  No node's priority is above its parent's.
 * T3  A node's `largest` is right.
 */
#include "kernel/hole_tree.h"

static size_t largest_below(const struct kmem_hole *node)
{
	return node == NULL ? 0 : node->largest;
}

static size_t largest_of(const struct kmem_hole *node)
{
	size_t largest = node->is_taken ? 0 : kmem_hole_bytes(node);
	size_t left = largest_below(node->left);
	size_t right = largest_below(node->right);

	largest = left > largest ? left : largest;
	return right > largest ? right : largest;
}

/* Correct `largest` from a node upwards, as far as it differs. */
void kmem_hole_tree_refresh(struct kmem_hole *node)
{
	for (; node != NULL; node = node->parent) {
		size_t largest = largest_of(node);

		if (largest == node->largest) {
			return;
		}
		node->largest = largest;
	}
}

struct kmem_hole *kmem_hole_tree_previous(const struct kmem_hole *node)
{
	struct kmem_hole *other = node->left;

	if (other != NULL) {
		while (other->right != NULL) {
			other = other->right;
		}
		return other;
	}
	other = node->parent;
	while (other != NULL && other->left == node) {
		node = other;
		other = node->parent;
	}
	return other;
}

struct kmem_hole *kmem_hole_tree_first(struct kmem_hole *root)
{
	while (root != NULL && root->left != NULL) {
		root = root->left;
	}
	return root;
}

struct kmem_hole *kmem_hole_tree_next(const struct kmem_hole *node)
{
	struct kmem_hole *other = node->right;

	if (other != NULL) {
		while (other->left != NULL) {
			other = other->left;
		}
		return other;
	}
	other = node->parent;
	while (other != NULL && other->right == node) {
		node = other;
		other = node->parent;
	}
	return other;
}

/* Put another node, or NULL, where a node hangs. */
static void replace(struct kmem_hole **root, const struct kmem_hole *node, struct kmem_hole *other)
{
	struct kmem_hole *parent = node->parent;

	if (parent == NULL) {
		*root = other;
	} else if (parent->left == node) {
		parent->left = other;
	} else {
		parent->right = other;
	}
	if (other != NULL) {
		other->parent = parent;
	}
}

/* Swap the levels of a node and its parent; the order stays. */
static void rotate_up(struct kmem_hole **root, struct kmem_hole *node)
{
	struct kmem_hole *parent = node->parent;
	struct kmem_hole *moved;

	replace(root, parent, node);
	if (parent->left == node) {
		moved = node->right;
		parent->left = moved;
		node->right = parent;
	} else {
		moved = node->left;
		parent->right = moved;
		node->left = parent;
	}
	if (moved != NULL) {
		moved->parent = parent;
	}
	parent->parent = node;
	parent->largest = largest_of(parent);
	node->largest = largest_of(node);
}

/* Hang a node into the tree as a leaf, right behind another. */
static void hang(struct kmem_hole *other, struct kmem_hole *node)
{
	struct kmem_hole *parent = other->right;

	if (parent == NULL) {
		other->right = node;
		node->parent = other;
		return;
	}
	while (parent->left != NULL) {
		parent = parent->left;
	}
	parent->left = node;
	node->parent = parent;
}

void kmem_hole_tree_insert(struct kmem_hole **root, struct kmem_hole *other, struct kmem_hole *node)
{
	node->left = NULL;
	node->right = NULL;
	node->parent = NULL;
	node->largest = largest_of(node);
	if (other == NULL) {
		*root = node;
		return;
	}
	hang(other, node);
	while (node->parent != NULL && node->priority > node->parent->priority) {
		rotate_up(root, node);
	}
	kmem_hole_tree_refresh(node->parent);
}

void kmem_hole_tree_remove(struct kmem_hole **root, struct kmem_hole *node)
{
	while (node->left != NULL && node->right != NULL) {
		rotate_up(root, node->left->priority > node->right->priority ? node->left : node->right);
	}
	replace(root, node, node->left != NULL ? node->left : node->right);
	kmem_hole_tree_refresh(node->parent);
}

struct kmem_hole *kmem_hole_tree_at(struct kmem_hole *root, uintptr_t addr)
{
	while (addr < root->start || addr >= root->end) {
		root = addr < root->start ? root->left : root->right;
	}
	return root;
}

struct kmem_hole *kmem_hole_tree_highest(struct kmem_hole *root, size_t size)
{
	if (largest_below(root) < size) {
		return NULL;
	}
	/* The root is large enough or has such a hole below it: the highest is to the right, else itself, else to the left. */
	for (;;) {
		if (largest_below(root->right) >= size) {
			root = root->right;
		} else if (kmem_hole_is_free(root) && kmem_hole_bytes(root) >= size) {
			return root;
		} else {
			root = root->left;
		}
	}
}

static bool is_child_valid(const struct kmem_hole *node, const struct kmem_hole *child)
{
	return child == NULL || (child->parent == node && child->priority <= node->priority); /* T1, T2 */
}

bool kmem_hole_tree_node_is_valid(const struct kmem_hole *root, const struct kmem_hole *node)
{
	return (node->parent == NULL) == (node == root) && is_child_valid(node, node->left) &&
	       is_child_valid(node, node->right) && node->largest == largest_of(node); /* T1, T2, T3 */
}
