/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Doubly linked lists. (Zephyr: sys/dlist.h)
 *
 * A list is a ring of nodes, of which the list itself is one: it stands between the last and the first. Nodes are
 * members of what is listed. A node out of all lists has NULL links, once it was initialised or removed. Nothing here
 * locks or allocates; all is constant time but len and insert_at.
 */
#ifndef ZEPHYR_INCLUDE_SYS_DLIST_H_
#define ZEPHYR_INCLUDE_SYS_DLIST_H_

#include <kmem/kconfig.h>

#pragma GCC system_header

#include <stdbool.h>
#include <stddef.h>

#include <zephyr/sys/util.h>

#ifdef __cplusplus
extern "C" {
#endif

struct _dnode {
	union {
		struct _dnode *head; /* of a list: the first node, or the list */
		struct _dnode *next; /* of a node: the next one, or the list */
	};
	union {
		struct _dnode *tail; /* of a list: the last node, or the list */
		struct _dnode *prev; /* of a node: the one before, or the list */
	};
};

typedef struct _dnode sys_dlist_t;
typedef struct _dnode sys_dnode_t;

#define SYS_DLIST_STATIC_INIT(ptr_to_list)                                                                             \
	{                                                                                                              \
		{(ptr_to_list)},                                                                                       \
		{                                                                                                      \
			(ptr_to_list)                                                                                  \
		}                                                                                                      \
	}

static inline void sys_dlist_init(sys_dlist_t *list)
{
	list->head = list;
	list->tail = list;
}

static inline void sys_dnode_init(sys_dnode_t *node)
{
	node->next = NULL;
	node->prev = NULL;
}

/** Whether a node, initialised at some time, is in a list. */
static inline bool sys_dnode_is_linked(const sys_dnode_t *node)
{
	return node->next != NULL;
}

static inline bool sys_dlist_is_empty(const sys_dlist_t *list)
{
	return list->head == list;
}

static inline bool sys_dlist_is_head(const sys_dlist_t *list, const sys_dnode_t *node)
{
	return list->head == node;
}

static inline bool sys_dlist_is_tail(const sys_dlist_t *list, const sys_dnode_t *node)
{
	return list->tail == node;
}

static inline bool sys_dlist_has_multiple_nodes(const sys_dlist_t *list)
{
	return list->head != list->tail;
}

/* Look at nodes: NULL is the end. "not empty" and "no check" save the question where the answer is known. */

static inline sys_dnode_t *sys_dlist_peek_head_not_empty(const sys_dlist_t *list)
{
	return list->head;
}

static inline sys_dnode_t *sys_dlist_peek_head(const sys_dlist_t *list)
{
	return sys_dlist_is_empty(list) ? NULL : list->head;
}

static inline sys_dnode_t *sys_dlist_peek_tail(const sys_dlist_t *list)
{
	return sys_dlist_is_empty(list) ? NULL : list->tail;
}

static inline sys_dnode_t *sys_dlist_peek_next_no_check(const sys_dlist_t *list, const sys_dnode_t *node)
{
	return node == list->tail ? NULL : node->next;
}

static inline sys_dnode_t *sys_dlist_peek_next(const sys_dlist_t *list, const sys_dnode_t *node)
{
	return node != NULL ? sys_dlist_peek_next_no_check(list, node) : NULL;
}

static inline sys_dnode_t *sys_dlist_peek_prev_no_check(const sys_dlist_t *list, const sys_dnode_t *node)
{
	return node == list->head ? NULL : node->prev;
}

static inline sys_dnode_t *sys_dlist_peek_prev(const sys_dlist_t *list, const sys_dnode_t *node)
{
	return node != NULL ? sys_dlist_peek_prev_no_check(list, node) : NULL;
}

/** Put a node before another one; before the list itself, it becomes the last. */
static inline void sys_dlist_insert(sys_dnode_t *successor, sys_dnode_t *node)
{
	node->prev = successor->prev;
	node->next = successor;
	successor->prev->next = node;
	successor->prev = node;
}

static inline void sys_dlist_append(sys_dlist_t *list, sys_dnode_t *node)
{
	sys_dlist_insert(list, node);
}

static inline void sys_dlist_prepend(sys_dlist_t *list, sys_dnode_t *node)
{
	sys_dlist_insert(list->head, node);
}

/** Put a node before the first one of which @p cond says other than 0, or last. */
static inline void sys_dlist_insert_at(sys_dlist_t *list, sys_dnode_t *node, int (*cond)(sys_dnode_t *node, void *data),
				       void *data)
{
	sys_dnode_t *at = list->head;

	while (at != list && cond(at, data) == 0) {
		at = at->next;
	}
	sys_dlist_insert(at, node);
}

/** Take a node out of whatever list it is in. */
static inline void sys_dlist_remove(sys_dnode_t *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	sys_dnode_init(node);
}

static inline void sys_dlist_dequeue(sys_dnode_t *node)
{
	sys_dlist_remove(node);
}

/** Take the first node out; NULL if there is none. */
static inline sys_dnode_t *sys_dlist_get(sys_dlist_t *list)
{
	sys_dnode_t *node = sys_dlist_peek_head(list);

	if (node != NULL) {
		sys_dlist_remove(node);
	}
	return node;
}

static inline size_t sys_dlist_len(const sys_dlist_t *list)
{
	size_t count = 0;

	for (const sys_dnode_t *node = list->head; node != list; node = node->next) {
		count++;
	}
	return count;
}

#ifdef __cplusplus
}
#endif

/* Walks over nodes. The safe forms bear the removal of the node they are at; s has the next one. */

#define SYS_DLIST_FOR_EACH_NODE(list, node)                                                                            \
	for ((node) = sys_dlist_peek_head(list); (node) != NULL; (node) = sys_dlist_peek_next(list, node))

/** The rest of a list behind @p node, or all of it if that is NULL. */
#define SYS_DLIST_ITERATE_FROM_NODE(list, node)                                                                        \
	for ((node) = (node) != NULL ? sys_dlist_peek_next_no_check(list, node) : sys_dlist_peek_head(list);           \
	     (node) != NULL; (node) = sys_dlist_peek_next(list, node))

#define SYS_DLIST_FOR_EACH_NODE_SAFE(list, node, s)                                                                    \
	for ((node) = sys_dlist_peek_head(list), (s) = sys_dlist_peek_next(list, node); (node) != NULL;                \
	     (node) = (s), (s) = sys_dlist_peek_next(list, node))

/* Walks over what the nodes are members of; cn is a pointer to it, n the member's name. */

#define SYS_DLIST_CONTAINER(node, cn, n) ((node) != NULL ? CONTAINER_OF(node, __typeof__(*(cn)), n) : NULL)

#define SYS_DLIST_PEEK_HEAD_CONTAINER(list, cn, n) SYS_DLIST_CONTAINER(sys_dlist_peek_head(list), cn, n)

#define SYS_DLIST_PEEK_NEXT_CONTAINER(list, cn, n)                                                                     \
	((cn) != NULL ? SYS_DLIST_CONTAINER(sys_dlist_peek_next(list, &((cn)->n)), cn, n) : NULL)

#define SYS_DLIST_FOR_EACH_CONTAINER(list, cn, n)                                                                      \
	for ((cn) = SYS_DLIST_PEEK_HEAD_CONTAINER(list, cn, n); (cn) != NULL;                                          \
	     (cn) = SYS_DLIST_PEEK_NEXT_CONTAINER(list, cn, n))

#define SYS_DLIST_FOR_EACH_CONTAINER_SAFE(list, cn, cns, n)                                                            \
	for ((cn) = SYS_DLIST_PEEK_HEAD_CONTAINER(list, cn, n), (cns) = SYS_DLIST_PEEK_NEXT_CONTAINER(list, cn, n);    \
	     (cn) != NULL; (cn) = (cns), (cns) = SYS_DLIST_PEEK_NEXT_CONTAINER(list, cn, n))

#endif /* ZEPHYR_INCLUDE_SYS_DLIST_H_ */
