/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pipes. Readers wait only while the ring is empty, and writers while it is full. So a writer first serves the readers
 * that wait, into their own memory, and puts into the ring what is left. Who is woken looks again, until its deadline.
 */
#include <errno.h>
#include <string.h>

#include <zephyr/kernel.h>

#include "compat/deadline.h"
#include "compat/wait.h"

/* What a reader wants: its thread's `swap_data` while it waits. */
struct reader {
	uint8_t *data;
	size_t len;
	size_t got;
};

void k_pipe_init(struct k_pipe *pipe, uint8_t *buffer, size_t buffer_size)
{
	*pipe = (struct k_pipe)Z_PIPE_INITIALIZER(*pipe, buffer, buffer_size);
}

/* The rest up to the next section: lock held. */

static size_t ring_put(struct k_pipe *pipe, const uint8_t *data, size_t len)
{
	const size_t count = MIN(len, pipe->kmem_size - pipe->kmem_used);
	size_t at, upper;

	if (count == 0) {
		return 0;
	}
	at = (pipe->kmem_first + pipe->kmem_used) % pipe->kmem_size;
	upper = MIN(count, pipe->kmem_size - at);
	memcpy(pipe->kmem_buffer + at, data, upper);
	memcpy(pipe->kmem_buffer, data + upper, count - upper);
	pipe->kmem_used += count;
	return count;
}

static size_t ring_get(struct k_pipe *pipe, uint8_t *data, size_t len)
{
	const size_t count = MIN(len, pipe->kmem_used);
	size_t upper;

	if (count == 0) {
		return 0;
	}
	upper = MIN(count, pipe->kmem_size - pipe->kmem_first);
	memcpy(data, pipe->kmem_buffer + pipe->kmem_first, upper);
	memcpy(data + upper, pipe->kmem_buffer, count - upper);
	pipe->kmem_first = (pipe->kmem_first + count) % pipe->kmem_size;
	pipe->kmem_used -= count;
	return count;
}

/* Give bytes to readers that wait, and wake those that have all they want. How many bytes. */
static size_t readers_serve(struct k_pipe *pipe, const uint8_t *data, size_t len)
{
	size_t given = 0;
	struct k_thread *thread;

	while (given < len && (thread = kmem_queue_best(&pipe->data)) != NULL) {
		struct reader *reader = thread->swap_data;
		const size_t count = MIN(len - given, reader->len - reader->got);

		memcpy(reader->data + reader->got, data + given, count);
		reader->got += count;
		given += count;
		if (reader->got == reader->len) {
			(void)kmem_wake_one(&pipe->data, 0);
		}
	}
	return given;
}

static void ring_drain(struct k_pipe *pipe, struct reader *reader)
{
	reader->got += ring_get(pipe, reader->data + reader->got, reader->len - reader->got);
	if (pipe->kmem_used < pipe->kmem_size || pipe->kmem_size == 0) {
		(void)kmem_wake_all(&pipe->space, 0);
	}
}

int k_pipe_write(struct k_pipe *pipe, const uint8_t *data, size_t len, k_timeout_t timeout)
{
	const uint64_t deadline = kmem_deadline(timeout);
	size_t written = 0;
	int ret = kmem_timeout_waits(timeout) ? 0 : -EAGAIN;

	while (ret != -ECANCELED) {
		unsigned int key = kmem_enter();

		if (pipe->kmem_is_closed) {
			kmem_leave(key);
			return -EPIPE;
		}
		written += readers_serve(pipe, data + written, len - written);
		written += ring_put(pipe, data + written, len - written);
		if (written == len || ret != 0) {
			kmem_leave(key);
			return written > 0 || len == 0 ? (int)written : ret;
		}
		ret = kmem_pend_until(key, &pipe->space, deadline);
	}
	return ret;
}

int k_pipe_read(struct k_pipe *pipe, uint8_t *data, size_t len, k_timeout_t timeout)
{
	const uint64_t deadline = kmem_deadline(timeout);
	struct reader reader = {.data = data, .len = len};
	int ret = kmem_timeout_waits(timeout) ? 0 : -EAGAIN;

	while (ret != -ECANCELED) {
		unsigned int key = kmem_enter();

		ring_drain(pipe, &reader);
		if (pipe->kmem_is_closed) {
			ret = -EPIPE;
		}
		if (reader.got == len || ret != 0) {
			kmem_leave(key);
			return reader.got > 0 || len == 0 ? (int)reader.got : ret;
		}
		k_sched_current_thread_query()->swap_data = &reader;
		ret = kmem_pend_until(key, &pipe->data, deadline);
	}
	return ret;
}

/* Who waits returns, or looks again if the result is 0. Lock held. */
static void everybody_wake(struct k_pipe *pipe, int result)
{
	(void)kmem_wake_all(&pipe->data, result);
	(void)kmem_wake_all(&pipe->space, result);
}

void k_pipe_reset(struct k_pipe *pipe)
{
	unsigned int key = kmem_enter();

	pipe->kmem_used = 0;
	everybody_wake(pipe, -ECANCELED);
	kmem_leave(key);
}

void k_pipe_close(struct k_pipe *pipe)
{
	unsigned int key = kmem_enter();

	pipe->kmem_is_closed = true;
	everybody_wake(pipe, 0);
	kmem_leave(key);
}
