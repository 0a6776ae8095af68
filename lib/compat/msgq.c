/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Message queues: a ring of messages of one size. Readers wait while it is empty and writers while it is full, so one
 * queue serves both. Who is woken looks for itself, until its deadline; -ECANCELED is for those whom a purge sends
 * away.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <zephyr/kernel.h>

#include "compat/deadline.h"
#include "compat/wait.h"

#define IS_ALLOCATED 1U

void k_msgq_init(struct k_msgq *msgq, char *buffer, size_t msg_size, uint32_t max_msgs)
{
	*msgq = (struct k_msgq)Z_MSGQ_INITIALIZER(*msgq, buffer, msg_size, max_msgs);
}

int k_msgq_alloc_init(struct k_msgq *msgq, size_t msg_size, uint32_t max_msgs)
{
	size_t size;
	char *buffer;

	if (__builtin_mul_overflow(msg_size, (size_t)max_msgs, &size)) {
		return -EINVAL;
	}
	buffer = k_malloc(size);
	if (buffer == NULL) {
		return -ENOMEM;
	}
	k_msgq_init(msgq, buffer, msg_size, max_msgs);
	msgq->flags = IS_ALLOCATED;
	return 0;
}

int k_msgq_cleanup(struct k_msgq *msgq)
{
	unsigned int key = kmem_enter();
	const bool is_used = msgq->wait_q.kmem_first != NULL;

	if (!is_used && (msgq->flags & IS_ALLOCATED) != 0) {
		free(msgq->buffer_start);
		msgq->flags = 0;
	}
	kmem_leave(key);
	return is_used ? -EBUSY : 0;
}

static char *ring_next(const struct k_msgq *msgq, char *at)
{
	at += msgq->msg_size;
	return at == msgq->buffer_end ? msgq->buffer_start : at;
}

/* Put, or get, one message if that can be done. Lock held. */
static bool put_try(struct k_msgq *msgq, const void *data)
{
	if (msgq->used_msgs == msgq->max_msgs) {
		return false;
	}
	memcpy(msgq->write_ptr, data, msgq->msg_size);
	msgq->write_ptr = ring_next(msgq, msgq->write_ptr);
	msgq->used_msgs++;
	return true;
}

static bool get_try(struct k_msgq *msgq, void *data)
{
	if (msgq->used_msgs == 0) {
		return false;
	}
	memcpy(data, msgq->read_ptr, msgq->msg_size);
	msgq->read_ptr = ring_next(msgq, msgq->read_ptr);
	msgq->used_msgs--;
	return true;
}

static int transfer(struct k_msgq *msgq, const void *from, void *to, k_timeout_t timeout)
{
	const uint64_t deadline = kmem_deadline(timeout);
	int ret = kmem_timeout_waits(timeout) ? 0 : -ENOMSG;

	for (;;) {
		unsigned int key = kmem_enter();

		if (ret != -ECANCELED && (from != NULL ? put_try(msgq, from) : get_try(msgq, to))) {
			(void)kmem_wake_one(&msgq->wait_q, 0);
			kmem_leave(key);
			return 0;
		}
		if (ret != 0) {
			kmem_leave(key);
			return ret == -ECANCELED ? -ENOMSG : ret;
		}
		ret = kmem_pend_until(key, &msgq->wait_q, deadline);
	}
}

int k_msgq_put(struct k_msgq *msgq, const void *data, k_timeout_t timeout)
{
	return transfer(msgq, data, NULL, timeout);
}

int k_msgq_get(struct k_msgq *msgq, void *data, k_timeout_t timeout)
{
	return transfer(msgq, NULL, data, timeout);
}

int k_msgq_peek_at(struct k_msgq *msgq, void *data, uint32_t idx)
{
	unsigned int key = kmem_enter();
	const bool is_there = idx < msgq->used_msgs;
	char *at = msgq->read_ptr;

	if (is_there) {
		while (idx-- > 0) {
			at = ring_next(msgq, at);
		}
		memcpy(data, at, msgq->msg_size);
	}
	kmem_leave(key);
	return is_there ? 0 : -ENOMSG;
}

int k_msgq_peek(struct k_msgq *msgq, void *data)
{
	return k_msgq_peek_at(msgq, data, 0);
}

void k_msgq_purge(struct k_msgq *msgq)
{
	unsigned int key = kmem_enter();

	(void)kmem_wake_all(&msgq->wait_q, -ECANCELED);
	msgq->used_msgs = 0;
	msgq->read_ptr = msgq->write_ptr;
	kmem_leave(key);
}

uint32_t k_msgq_num_used_get(struct k_msgq *msgq)
{
	return __atomic_load_n(&msgq->used_msgs, __ATOMIC_RELAXED);
}

uint32_t k_msgq_num_free_get(struct k_msgq *msgq)
{
	return msgq->max_msgs - k_msgq_num_used_get(msgq);
}

void k_msgq_get_attrs(struct k_msgq *msgq, struct k_msgq_attrs *attrs)
{
	*attrs = (struct k_msgq_attrs){
		.msg_size = msgq->msg_size,
		.max_msgs = msgq->max_msgs,
		.used_msgs = k_msgq_num_used_get(msgq),
	};
}
