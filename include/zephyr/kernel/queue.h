/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Queues, fifos, lifos, stacks and message queues. (Zephyr: kernel.h, which includes this one)
 *
 * The first word of an item in a queue belongs to the queue, except for items put by k_queue_alloc_append() and its
 * kin. Timeouts and waiting as in <zephyr/kernel/sync.h>.
 */
#ifndef KMEM_ZEPHYR_KERNEL_QUEUE_H
#define KMEM_ZEPHYR_KERNEL_QUEUE_H

#include <kmem/kconfig.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zephyr/kernel_structs.h>
#include <zephyr/sys/slist.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/* A link of a queue: an item itself, or, with bit 0 set in `next`, a record that leads to it. */
struct kmem_queue_node {
	uintptr_t next_and_flags;
};

struct k_queue {
	_wait_q_t wait_q;
	struct kmem_queue_node *head;
	struct kmem_queue_node *tail;
};

#define Z_QUEUE_INITIALIZER(obj)                                                                                       \
	{                                                                                                              \
		{NULL}, NULL, NULL                                                                                     \
	}
#define K_QUEUE_DEFINE(name) struct k_queue name = Z_QUEUE_INITIALIZER(name)

void k_queue_init(struct k_queue *queue);
void k_queue_append(struct k_queue *queue, void *data);
void k_queue_prepend(struct k_queue *queue, void *data);
void k_queue_insert(struct k_queue *queue, void *prev, void *data);
int32_t k_queue_alloc_append(struct k_queue *queue, void *data); /* 0, -ENOMEM */
int32_t k_queue_alloc_prepend(struct k_queue *queue, void *data);
int k_queue_append_list(struct k_queue *queue, void *head, void *tail); /* 0, -EINVAL */
int k_queue_merge_slist(struct k_queue *queue, sys_slist_t *list);
bool k_queue_unique_append(struct k_queue *queue, void *data);
bool k_queue_remove(struct k_queue *queue, void *data);

/** The first item, or NULL after the timeout or k_queue_cancel_wait(). */
void *k_queue_get(struct k_queue *queue, k_timeout_t timeout);
void k_queue_cancel_wait(struct k_queue *queue);
int k_queue_is_empty(struct k_queue *queue);
void *k_queue_peek_head(struct k_queue *queue);
void *k_queue_peek_tail(struct k_queue *queue);

struct k_fifo {
	struct k_queue _queue;
};

#define Z_FIFO_INITIALIZER(obj)                                                                                        \
	{                                                                                                              \
		Z_QUEUE_INITIALIZER(obj)                                                                               \
	}
#define K_FIFO_DEFINE(name) struct k_fifo name = Z_FIFO_INITIALIZER(name)

#define k_fifo_init(fifo) k_queue_init(&(fifo)->_queue)
#define k_fifo_put(fifo, data) k_queue_append(&(fifo)->_queue, data)
#define k_fifo_alloc_put(fifo, data) k_queue_alloc_append(&(fifo)->_queue, data)
#define k_fifo_put_list(fifo, head, tail) k_queue_append_list(&(fifo)->_queue, head, tail)
#define k_fifo_put_slist(fifo, list) k_queue_merge_slist(&(fifo)->_queue, list)
#define k_fifo_get(fifo, timeout) k_queue_get(&(fifo)->_queue, timeout)
#define k_fifo_cancel_wait(fifo) k_queue_cancel_wait(&(fifo)->_queue)
#define k_fifo_is_empty(fifo) k_queue_is_empty(&(fifo)->_queue)
#define k_fifo_peek_head(fifo) k_queue_peek_head(&(fifo)->_queue)
#define k_fifo_peek_tail(fifo) k_queue_peek_tail(&(fifo)->_queue)

struct k_lifo {
	struct k_queue _queue;
};

#define Z_LIFO_INITIALIZER(obj) Z_FIFO_INITIALIZER(obj)
#define K_LIFO_DEFINE(name) struct k_lifo name = Z_LIFO_INITIALIZER(name)

#define k_lifo_init(lifo) k_queue_init(&(lifo)->_queue)
#define k_lifo_put(lifo, data) k_queue_prepend(&(lifo)->_queue, data)
#define k_lifo_alloc_put(lifo, data) k_queue_alloc_prepend(&(lifo)->_queue, data)
#define k_lifo_get(lifo, timeout) k_queue_get(&(lifo)->_queue, timeout)

typedef uintptr_t stack_data_t;

struct k_stack {
	_wait_q_t wait_q;
	stack_data_t *base, *next, *top;
	uint8_t flags;
};

#define Z_STACK_INITIALIZER(obj, buffer, entries)                                                                      \
	{                                                                                                              \
		{NULL}, (buffer), (buffer), (buffer) + (entries), 0                                                    \
	}
#define K_STACK_DEFINE(name, entries)                                                                                  \
	stack_data_t _k_stack_buf_##name[entries];                                                                     \
	struct k_stack name = Z_STACK_INITIALIZER(name, _k_stack_buf_##name, entries)

void k_stack_init(struct k_stack *stack, stack_data_t *buffer, uint32_t num_entries);
int32_t k_stack_alloc_init(struct k_stack *stack, uint32_t num_entries);         /* 0, -ENOMEM */
int k_stack_cleanup(struct k_stack *stack);                                      /* 0; -EAGAIN while a thread waits */
int k_stack_push(struct k_stack *stack, stack_data_t data);                      /* 0, -ENOMEM when full */
int k_stack_pop(struct k_stack *stack, stack_data_t *data, k_timeout_t timeout); /* 0, -EBUSY, -EAGAIN */

struct k_msgq {
	_wait_q_t wait_q;
	size_t msg_size;
	uint32_t max_msgs;
	uint32_t used_msgs;
	char *buffer_start, *buffer_end;
	char *read_ptr, *write_ptr;
	uint8_t flags;
};

struct k_msgq_attrs {
	size_t msg_size;
	uint32_t max_msgs;
	uint32_t used_msgs;
};

#define Z_MSGQ_INITIALIZER(obj, q_buffer, q_msg_size, q_max_msgs)                                                      \
	{                                                                                                              \
		{NULL}, (q_msg_size), (q_max_msgs), 0, (q_buffer), (q_buffer) + (q_msg_size) * (q_max_msgs),           \
			(q_buffer), (q_buffer), 0                                                                      \
	}
#define K_MSGQ_DEFINE(name, q_msg_size, q_max_msgs, q_align)                                                           \
	static char __attribute__((aligned(q_align))) _k_fifo_buf_##name[(q_max_msgs) * (q_msg_size)];                 \
	struct k_msgq name = Z_MSGQ_INITIALIZER(name, _k_fifo_buf_##name, (size_t)(q_msg_size), q_max_msgs)

void k_msgq_init(struct k_msgq *msgq, char *buffer, size_t msg_size, uint32_t max_msgs);
int k_msgq_alloc_init(struct k_msgq *msgq, size_t msg_size, uint32_t max_msgs); /* 0, -ENOMEM, -EINVAL */
int k_msgq_cleanup(struct k_msgq *msgq);                                        /* 0; -EBUSY while a thread waits */

/** Put or get a copy: 0; -ENOMSG with K_NO_WAIT, or when purged meanwhile; -EAGAIN after the timeout. */
int k_msgq_put(struct k_msgq *msgq, const void *data, k_timeout_t timeout);
int k_msgq_get(struct k_msgq *msgq, void *data, k_timeout_t timeout);

/** Copy the first message, or the one at an index: 0, -ENOMSG. */
int k_msgq_peek(struct k_msgq *msgq, void *data);
int k_msgq_peek_at(struct k_msgq *msgq, void *data, uint32_t idx);
void k_msgq_purge(struct k_msgq *msgq);
uint32_t k_msgq_num_free_get(struct k_msgq *msgq);
uint32_t k_msgq_num_used_get(struct k_msgq *msgq);
void k_msgq_get_attrs(struct k_msgq *msgq, struct k_msgq_attrs *attrs);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* KMEM_ZEPHYR_KERNEL_QUEUE_H */
