/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Singly linked lists with a tail. (Zephyr: sys/slist.h)
 *
 * Nodes are members of what is listed. Nothing here locks or allocates; all is constant time but len and what has to
 * find a node.
 */
#ifndef ZEPHYR_INCLUDE_SYS_SLIST_H_
#define ZEPHYR_INCLUDE_SYS_SLIST_H_

#include <kmem/kconfig.h>

#pragma GCC system_header

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zephyr/sys/util.h>

#ifdef __cplusplus
extern "C" {
#endif

struct _snode {
	struct _snode *next;
};

struct _slist {
	struct _snode *head;
	struct _snode *tail;
};

typedef struct _snode sys_snode_t;
typedef struct _slist sys_slist_t;

#define SYS_SLIST_STATIC_INIT(ptr_to_list)                                                                             \
	{                                                                                                              \
		NULL, NULL                                                                                             \
	}

static inline void kmem_snode_link(sys_snode_t *node, sys_snode_t *next)
{
	node->next = next;
}

static inline void sys_slist_init(sys_slist_t *list)
{
	list->head = NULL;
	list->tail = NULL;
}

static inline bool sys_slist_is_empty(sys_slist_t *list)
{
	return list->head == NULL;
}

/* Look at nodes: NULL is the end. */

static inline sys_snode_t *sys_slist_peek_head(sys_slist_t *list)
{
	return list->head;
}

static inline sys_snode_t *sys_slist_peek_tail(sys_slist_t *list)
{
	return list->tail;
}

static inline sys_snode_t *sys_slist_peek_next_no_check(sys_snode_t *node)
{
	return node->next;
}

static inline sys_snode_t *sys_slist_peek_next(sys_snode_t *node)
{
	return node != NULL ? sys_slist_peek_next_no_check(node) : NULL;
}

static inline size_t sys_slist_len(sys_slist_t *list)
{
	size_t count = 0;

	for (sys_snode_t *node = list->head; node != NULL; node = sys_slist_peek_next(node)) {
		count++;
	}
	return count;
}

/* Put nodes in. */

/** Behind @p prev, or first if that is NULL. */
static inline void sys_slist_insert(sys_slist_t *list, sys_snode_t *prev, sys_snode_t *node)
{
	sys_snode_t *next = prev != NULL ? sys_slist_peek_next_no_check(prev) : list->head;

	kmem_snode_link(node, next);
	if (prev != NULL) {
		kmem_snode_link(prev, node);
	} else {
		list->head = node;
	}
	if (next == NULL) {
		list->tail = node;
	}
}

static inline void sys_slist_prepend(sys_slist_t *list, sys_snode_t *node)
{
	sys_slist_insert(list, NULL, node);
}

static inline void sys_slist_append(sys_slist_t *list, sys_snode_t *node)
{
	sys_slist_insert(list, list->tail, node);
}

/** Append a chain of nodes whose last one has no successor. Nothing happens if head or tail is NULL. */
static inline void sys_slist_append_list(sys_slist_t *list, void *head, void *tail)
{
	if (head == NULL || tail == NULL) {
		return;
	}
	if (list->tail != NULL) {
		kmem_snode_link(list->tail, (sys_snode_t *)head);
	} else {
		list->head = (sys_snode_t *)head;
	}
	list->tail = (sys_snode_t *)tail;
}

/** Append all nodes of another list, which is empty then. */
static inline void sys_slist_merge_slist(sys_slist_t *list, sys_slist_t *list_to_append)
{
	sys_slist_append_list(list, list_to_append->head, list_to_append->tail);
	sys_slist_init(list_to_append);
}

/* Take nodes out. */

/** @p prev is what stands before @p node: NULL if it is the first. */
static inline void sys_slist_remove(sys_slist_t *list, sys_snode_t *prev_node, sys_snode_t *node)
{
	sys_snode_t *next = sys_slist_peek_next_no_check(node);

	if (prev_node != NULL) {
		kmem_snode_link(prev_node, next);
	} else {
		list->head = next;
	}
	if (list->tail == node) {
		list->tail = prev_node;
	}
	kmem_snode_link(node, NULL);
}

/** The first node, of a list that has one. */
static inline sys_snode_t *sys_slist_get_not_empty(sys_slist_t *list)
{
	sys_snode_t *node = list->head;

	sys_slist_remove(list, NULL, node);
	return node;
}

/** The first node, or NULL. */
static inline sys_snode_t *sys_slist_get(sys_slist_t *list)
{
	return sys_slist_is_empty(list) ? NULL : sys_slist_get_not_empty(list);
}

/**
 * Find a node. @p prev, unless it is NULL, gets what stands before it, and the last node if it is not found.
 * @return whether it is in the list
 */
static inline bool sys_slist_find(sys_slist_t *list, sys_snode_t *node, sys_snode_t **prev)
{
	sys_snode_t *before = NULL;
	sys_snode_t *at = list->head;

	while (at != NULL && at != node) {
		before = at;
		at = sys_slist_peek_next(at);
	}
	if (prev != NULL) {
		*prev = before;
	}
	return at != NULL;
}

/** Take a node out if it is in the list. @return whether it was */
static inline bool sys_slist_find_and_remove(sys_slist_t *list, sys_snode_t *node)
{
	sys_snode_t *prev = NULL;

	for (sys_snode_t *at = list->head; at != NULL; prev = at, at = sys_slist_peek_next(at)) {
		if (at == node) {
			sys_slist_remove(list, prev, node);
			return true;
		}
	}
	return false;
}

#ifdef __cplusplus
}
#endif

/* Walks over nodes. The safe forms bear the removal of the node they are at; s has the next one. */

#define SYS_SLIST_FOR_EACH_NODE(list, node)                                                                            \
	for ((node) = sys_slist_peek_head(list); (node) != NULL; (node) = sys_slist_peek_next(node))

/** The rest of a list behind @p node, or all of it if that is NULL. */
#define SYS_SLIST_ITERATE_FROM_NODE(list, node)                                                                        \
	for ((node) = (node) != NULL ? sys_slist_peek_next_no_check(node) : sys_slist_peek_head(list); (node) != NULL; \
	     (node) = sys_slist_peek_next(node))

#define SYS_SLIST_FOR_EACH_NODE_SAFE(list, node, s)                                                                    \
	for ((node) = sys_slist_peek_head(list), (s) = sys_slist_peek_next(node); (node) != NULL;                      \
	     (node) = (s), (s) = sys_slist_peek_next(node))

/* Walks over what the nodes are members of; cn is a pointer to it, n the member's name. */

#define SYS_SLIST_CONTAINER(node, cn, n) ((node) != NULL ? CONTAINER_OF(node, __typeof__(*(cn)), n) : NULL)

#define SYS_SLIST_PEEK_HEAD_CONTAINER(list, cn, n) SYS_SLIST_CONTAINER(sys_slist_peek_head(list), cn, n)

#define SYS_SLIST_PEEK_TAIL_CONTAINER(list, cn, n) SYS_SLIST_CONTAINER(sys_slist_peek_tail(list), cn, n)

#define SYS_SLIST_PEEK_NEXT_CONTAINER(cn, n)                                                                           \
	((cn) != NULL ? SYS_SLIST_CONTAINER(sys_slist_peek_next(&((cn)->n)), cn, n) : NULL)

#define SYS_SLIST_FOR_EACH_CONTAINER(list, cn, n)                                                                      \
	for ((cn) = SYS_SLIST_PEEK_HEAD_CONTAINER(list, cn, n); (cn) != NULL;                                          \
	     (cn) = SYS_SLIST_PEEK_NEXT_CONTAINER(cn, n))

#define SYS_SLIST_FOR_EACH_CONTAINER_SAFE(list, cn, cns, n)                                                            \
	for ((cn) = SYS_SLIST_PEEK_HEAD_CONTAINER(list, cn, n), (cns) = SYS_SLIST_PEEK_NEXT_CONTAINER(cn, n);          \
	     (cn) != NULL; (cn) = (cns), (cns) = SYS_SLIST_PEEK_NEXT_CONTAINER(cn, n))

#endif /* ZEPHYR_INCLUDE_SYS_SLIST_H_ */
