/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Singly linked lists with a tail, and two flags in each node. (Zephyr: sys/sflist.h)
 *
 * The flags are the lowest bits of the link, and nodes therefore aligned to words. Linking and unlinking keep them.
 * Nodes are members of what is listed. Nothing here locks or allocates; all is constant time but len and
 * find_and_remove.
 */
#ifndef ZEPHYR_INCLUDE_SYS_SFLIST_H_
#define ZEPHYR_INCLUDE_SYS_SFLIST_H_

#include <kmem/kconfig.h>

#pragma GCC system_header

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zephyr/sys/util.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SYS_SFLIST_FLAGS_MASK ((uintptr_t)0x3)

/* As in <kmem/frame.h>, whose page frames are listed. */
#ifndef KMEM_SFNODE_DEFINED
#define KMEM_SFNODE_DEFINED
struct _sfnode {
	uintptr_t next_and_flags;
};
#endif

struct _sflist {
	struct _sfnode *head;
	struct _sfnode *tail;
};

typedef struct _sfnode sys_sfnode_t;
typedef struct _sflist sys_sflist_t;

#define SYS_SFLIST_STATIC_INIT(ptr_to_list)                                                                            \
	{                                                                                                              \
		NULL, NULL                                                                                             \
	}

/* Flags. */

/** Clear the link and set the flags: before the first use of a node. */
static inline void sys_sfnode_init(sys_sfnode_t *node, uint8_t flags)
{
	node->next_and_flags = flags & SYS_SFLIST_FLAGS_MASK;
}

static inline uint8_t sys_sfnode_flags_get(sys_sfnode_t *node)
{
	return (uint8_t)(node->next_and_flags & SYS_SFLIST_FLAGS_MASK);
}

/** Set the flags and keep the link. */
static inline void sys_sfnode_flags_set(sys_sfnode_t *node, uint8_t flags)
{
	node->next_and_flags = (node->next_and_flags & ~SYS_SFLIST_FLAGS_MASK) | (flags & SYS_SFLIST_FLAGS_MASK);
}

static inline void kmem_sfnode_link(sys_sfnode_t *node, sys_sfnode_t *next)
{
	node->next_and_flags = (uintptr_t)next | (node->next_and_flags & SYS_SFLIST_FLAGS_MASK);
}

static inline void sys_sflist_init(sys_sflist_t *list)
{
	list->head = NULL;
	list->tail = NULL;
}

static inline bool sys_sflist_is_empty(sys_sflist_t *list)
{
	return list->head == NULL;
}

/* Look at nodes: NULL is the end. */

static inline sys_sfnode_t *sys_sflist_peek_head(sys_sflist_t *list)
{
	return list->head;
}

static inline sys_sfnode_t *sys_sflist_peek_tail(sys_sflist_t *list)
{
	return list->tail;
}

static inline sys_sfnode_t *sys_sflist_peek_next_no_check(sys_sfnode_t *node)
{
	return (sys_sfnode_t *)(node->next_and_flags & ~SYS_SFLIST_FLAGS_MASK);
}

static inline sys_sfnode_t *sys_sflist_peek_next(sys_sfnode_t *node)
{
	return node != NULL ? sys_sflist_peek_next_no_check(node) : NULL;
}

static inline size_t sys_sflist_len(sys_sflist_t *list)
{
	size_t count = 0;

	for (sys_sfnode_t *node = list->head; node != NULL; node = sys_sflist_peek_next(node)) {
		count++;
	}
	return count;
}

/* Put nodes in. */

/** Behind @p prev, or first if that is NULL. */
static inline void sys_sflist_insert(sys_sflist_t *list, sys_sfnode_t *prev, sys_sfnode_t *node)
{
	sys_sfnode_t *next = prev != NULL ? sys_sflist_peek_next_no_check(prev) : list->head;

	kmem_sfnode_link(node, next);
	if (prev != NULL) {
		kmem_sfnode_link(prev, node);
	} else {
		list->head = node;
	}
	if (next == NULL) {
		list->tail = node;
	}
}

static inline void sys_sflist_prepend(sys_sflist_t *list, sys_sfnode_t *node)
{
	sys_sflist_insert(list, NULL, node);
}

static inline void sys_sflist_append(sys_sflist_t *list, sys_sfnode_t *node)
{
	sys_sflist_insert(list, list->tail, node);
}

/** Append a chain of nodes whose last one has no successor. Nothing happens if head or tail is NULL. */
static inline void sys_sflist_append_list(sys_sflist_t *list, void *head, void *tail)
{
	if (head == NULL || tail == NULL) {
		return;
	}
	if (list->tail != NULL) {
		kmem_sfnode_link(list->tail, (sys_sfnode_t *)head);
	} else {
		list->head = (sys_sfnode_t *)head;
	}
	list->tail = (sys_sfnode_t *)tail;
}

/** Append all nodes of another list, which is empty then. */
static inline void sys_sflist_merge_sflist(sys_sflist_t *list, sys_sflist_t *list_to_append)
{
	sys_sflist_append_list(list, list_to_append->head, list_to_append->tail);
	sys_sflist_init(list_to_append);
}

/* Take nodes out. */

/** @p prev is what stands before @p node: NULL if it is the first. */
static inline void sys_sflist_remove(sys_sflist_t *list, sys_sfnode_t *prev_node, sys_sfnode_t *node)
{
	sys_sfnode_t *next = sys_sflist_peek_next_no_check(node);

	if (prev_node != NULL) {
		kmem_sfnode_link(prev_node, next);
	} else {
		list->head = next;
	}
	if (list->tail == node) {
		list->tail = prev_node;
	}
	kmem_sfnode_link(node, NULL);
}

/** The first node, of a list that has one. */
static inline sys_sfnode_t *sys_sflist_get_not_empty(sys_sflist_t *list)
{
	sys_sfnode_t *node = list->head;

	sys_sflist_remove(list, NULL, node);
	return node;
}

/** The first node, or NULL. */
static inline sys_sfnode_t *sys_sflist_get(sys_sflist_t *list)
{
	return sys_sflist_is_empty(list) ? NULL : sys_sflist_get_not_empty(list);
}

/** Take a node out if it is in the list. @return whether it was */
static inline bool sys_sflist_find_and_remove(sys_sflist_t *list, sys_sfnode_t *node)
{
	sys_sfnode_t *prev = NULL;

	for (sys_sfnode_t *at = list->head; at != NULL; prev = at, at = sys_sflist_peek_next(at)) {
		if (at == node) {
			sys_sflist_remove(list, prev, node);
			return true;
		}
	}
	return false;
}

#ifdef __cplusplus
}
#endif

/* Walks over nodes. The safe forms bear the removal of the node they are at; s has the next one. */

#define SYS_SFLIST_FOR_EACH_NODE(list, node)                                                                           \
	for ((node) = sys_sflist_peek_head(list); (node) != NULL; (node) = sys_sflist_peek_next(node))

/** The rest of a list behind @p node, or all of it if that is NULL. */
#define SYS_SFLIST_ITERATE_FROM_NODE(list, node)                                                                       \
	for ((node) = (node) != NULL ? sys_sflist_peek_next_no_check(node) : sys_sflist_peek_head(list);               \
	     (node) != NULL; (node) = sys_sflist_peek_next(node))

#define SYS_SFLIST_FOR_EACH_NODE_SAFE(list, node, s)                                                                   \
	for ((node) = sys_sflist_peek_head(list), (s) = sys_sflist_peek_next(node); (node) != NULL;                    \
	     (node) = (s), (s) = sys_sflist_peek_next(node))

/* Walks over what the nodes are members of; cn is a pointer to it, n the member's name. */

#define SYS_SFLIST_CONTAINER(node, cn, n) ((node) != NULL ? CONTAINER_OF(node, __typeof__(*(cn)), n) : NULL)

#define SYS_SFLIST_PEEK_HEAD_CONTAINER(list, cn, n) SYS_SFLIST_CONTAINER(sys_sflist_peek_head(list), cn, n)

#define SYS_SFLIST_PEEK_TAIL_CONTAINER(list, cn, n) SYS_SFLIST_CONTAINER(sys_sflist_peek_tail(list), cn, n)

#define SYS_SFLIST_PEEK_NEXT_CONTAINER(cn, n)                                                                          \
	((cn) != NULL ? SYS_SFLIST_CONTAINER(sys_sflist_peek_next(&((cn)->n)), cn, n) : NULL)

#define SYS_SFLIST_FOR_EACH_CONTAINER(list, cn, n)                                                                     \
	for ((cn) = SYS_SFLIST_PEEK_HEAD_CONTAINER(list, cn, n); (cn) != NULL;                                         \
	     (cn) = SYS_SFLIST_PEEK_NEXT_CONTAINER(cn, n))

#define SYS_SFLIST_FOR_EACH_CONTAINER_SAFE(list, cn, cns, n)                                                           \
	for ((cn) = SYS_SFLIST_PEEK_HEAD_CONTAINER(list, cn, n), (cns) = SYS_SFLIST_PEEK_NEXT_CONTAINER(cn, n);        \
	     (cn) != NULL; (cn) = (cns), (cns) = SYS_SFLIST_PEEK_NEXT_CONTAINER(cn, n))

#endif /* ZEPHYR_INCLUDE_SYS_SFLIST_H_ */
