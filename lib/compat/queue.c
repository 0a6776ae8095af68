/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Queues: items linked through their first word, or through a record of the queue's own that leads to one.
 *
 * A getter that is woken looks for itself what there is, until its deadline: so nothing is lost with a thread that
 * ends.
 */
#include <errno.h>
#include <stdlib.h>

#include <zephyr/kernel.h>

#include "compat/deadline.h"
#include "compat/wait.h"

/* In `next_and_flags`: the node is a record. */
#define IS_RECORD ((uintptr_t)1)

struct record {
	struct kmem_queue_node node; /* first */
	void *data;
};

static struct kmem_queue_node *next_of(const struct kmem_queue_node *node)
{
	return (struct kmem_queue_node *)(node->next_and_flags & ~IS_RECORD);
}

static void next_set(struct kmem_queue_node *node, struct kmem_queue_node *next)
{
	node->next_and_flags = (uintptr_t)next | (node->next_and_flags & IS_RECORD);
}

static void *data_of(struct kmem_queue_node *node)
{
	return (node->next_and_flags & IS_RECORD) != 0 ? ((struct record *)(void *)node)->data : node;
}

void k_queue_init(struct k_queue *queue)
{
	*queue = (struct k_queue){.head = NULL};
}

/* Behind a node; NULL: in front of all. Lock held. */
static void node_insert(struct k_queue *queue, struct kmem_queue_node *prev, struct kmem_queue_node *node)
{
	if (prev == NULL) {
		next_set(node, queue->head);
		queue->head = node;
	} else {
		next_set(node, next_of(prev));
		next_set(prev, node);
	}
	if (queue->tail == prev) {
		queue->tail = node;
	}
	(void)kmem_wake_one(&queue->wait_q, 0);
}

/* The node in front of the one that holds this, NULL for the first. Lock held. Whether it is there. */
static bool node_find(const struct k_queue *queue, const void *data, struct kmem_queue_node **prev)
{
	*prev = NULL;
	for (struct kmem_queue_node *node = queue->head; node != NULL; node = next_of(node)) {
		if (data_of(node) == data) {
			return true;
		}
		*prev = node;
	}
	return false;
}

/* Take out the one behind a node; NULL: the first. Lock held. */
static void *node_remove(struct k_queue *queue, struct kmem_queue_node *prev)
{
	struct kmem_queue_node *node = prev != NULL ? next_of(prev) : queue->head;
	void *data = data_of(node);

	if (prev != NULL) {
		next_set(prev, next_of(node));
	} else {
		queue->head = next_of(node);
	}
	if (queue->tail == node) {
		queue->tail = prev;
	}
	if (data != node) {
		free(node);
	}
	return data;
}

static struct kmem_queue_node *node_of(void *data)
{
	struct kmem_queue_node *node = data;

	node->next_and_flags = 0;
	return node;
}

void k_queue_append(struct k_queue *queue, void *data)
{
	unsigned int key = kmem_enter();

	node_insert(queue, queue->tail, node_of(data));
	kmem_leave(key);
}

void k_queue_prepend(struct k_queue *queue, void *data)
{
	unsigned int key = kmem_enter();

	node_insert(queue, NULL, node_of(data));
	kmem_leave(key);
}

void k_queue_insert(struct k_queue *queue, void *prev, void *data)
{
	unsigned int key = kmem_enter();

	node_insert(queue, prev, node_of(data));
	kmem_leave(key);
}

static int32_t alloc_put(struct k_queue *queue, void *data, bool at_end)
{
	unsigned int key = kmem_enter();
	struct record *record = malloc(sizeof(*record));

	if (record != NULL) {
		record->node.next_and_flags = IS_RECORD;
		record->data = data;
		node_insert(queue, at_end ? queue->tail : NULL, &record->node);
	}
	kmem_leave(key);
	return record != NULL ? 0 : -ENOMEM;
}

int32_t k_queue_alloc_append(struct k_queue *queue, void *data)
{
	return alloc_put(queue, data, true);
}

int32_t k_queue_alloc_prepend(struct k_queue *queue, void *data)
{
	return alloc_put(queue, data, false);
}

int k_queue_append_list(struct k_queue *queue, void *head, void *tail)
{
	unsigned int key;

	if (head == NULL || tail == NULL) {
		return -EINVAL;
	}
	key = kmem_enter();
	for (struct kmem_queue_node *node = head, *next; node != NULL; node = next) {
		next = node == tail ? NULL : next_of(node);
		node_insert(queue, queue->tail, node_of(node));
	}
	kmem_leave(key);
	return 0;
}

int k_queue_merge_slist(struct k_queue *queue, sys_slist_t *list)
{
	int ret;

	if (sys_slist_is_empty(list)) {
		return -EINVAL;
	}
	ret = k_queue_append_list(queue, sys_slist_peek_head(list), sys_slist_peek_tail(list));
	sys_slist_init(list);
	return ret;
}

bool k_queue_unique_append(struct k_queue *queue, void *data)
{
	unsigned int key = kmem_enter();
	struct kmem_queue_node *prev;
	const bool is_there = node_find(queue, data, &prev);

	if (!is_there) {
		node_insert(queue, queue->tail, node_of(data));
	}
	kmem_leave(key);
	return !is_there;
}

bool k_queue_remove(struct k_queue *queue, void *data)
{
	unsigned int key = kmem_enter();
	struct kmem_queue_node *prev;
	const bool is_there = node_find(queue, data, &prev);

	if (is_there) {
		(void)node_remove(queue, prev);
	}
	kmem_leave(key);
	return is_there;
}

void *k_queue_get(struct k_queue *queue, k_timeout_t timeout)
{
	const uint64_t deadline = kmem_deadline(timeout);
	int ret = kmem_timeout_waits(timeout) ? 0 : -EAGAIN;

	for (;;) {
		unsigned int key = kmem_enter();

		if (queue->head != NULL || ret != 0) {
			void *data = queue->head != NULL && ret != -ECANCELED ? node_remove(queue, NULL) : NULL;

			kmem_leave(key);
			return data;
		}
		ret = kmem_pend_until(key, &queue->wait_q, deadline);
	}
}

void k_queue_cancel_wait(struct k_queue *queue)
{
	unsigned int key = kmem_enter();

	(void)kmem_wake_one(&queue->wait_q, -ECANCELED);
	kmem_leave(key);
}

int k_queue_is_empty(struct k_queue *queue)
{
	return __atomic_load_n(&queue->head, __ATOMIC_RELAXED) == NULL;
}

void *k_queue_peek_head(struct k_queue *queue)
{
	unsigned int key = kmem_enter();
	void *data = queue->head != NULL ? data_of(queue->head) : NULL;

	kmem_leave(key);
	return data;
}

void *k_queue_peek_tail(struct k_queue *queue)
{
	unsigned int key = kmem_enter();
	void *data = queue->tail != NULL ? data_of(queue->tail) : NULL;

	kmem_leave(key);
	return data;
}
