/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pipes: streams of bytes through a ring. (Zephyr 4.1: kernel.h, which includes this one)
 *
 * Both ends wait until all of their bytes went through. With several writers, or readers, at a time their bytes may
 * alternate. A pipe without a buffer is good, too: bytes go to readers that wait.
 */
#ifndef KMEM_ZEPHYR_KERNEL_PIPE_H
#define KMEM_ZEPHYR_KERNEL_PIPE_H

#include <kmem/kconfig.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zephyr/kernel_structs.h>
#include <zephyr/sys_clock.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

struct k_pipe {
	_wait_q_t data;  /* readers: the ring is empty then */
	_wait_q_t space; /* writers: the ring is full then */
	uint8_t *kmem_buffer;
	size_t kmem_size;
	size_t kmem_first; /* index of the oldest byte */
	size_t kmem_used;
	bool kmem_is_closed;
};

#define Z_PIPE_INITIALIZER(obj, pipe_buffer, pipe_buffer_size)                                                         \
	{                                                                                                              \
		{NULL}, {NULL}, (pipe_buffer), (pipe_buffer_size), 0, 0, false                                         \
	}
#define K_PIPE_DEFINE(name, pipe_buffer_size, pipe_align)                                                              \
	static uint8_t __attribute__((aligned(pipe_align)))                                                            \
	_k_pipe_buf_##name[(pipe_buffer_size) > 0 ? (pipe_buffer_size) : 1];                                           \
	struct k_pipe name = Z_PIPE_INITIALIZER(name, _k_pipe_buf_##name, pipe_buffer_size)

void k_pipe_init(struct k_pipe *pipe, uint8_t *buffer, size_t buffer_size);

/**
 * Write, or read, @p len bytes, or as many as can be until the timeout.
 *
 * @return how many; -EAGAIN if none; -ECANCELED if the pipe was reset meanwhile; -EPIPE if it is closed (and empty, for
 *         readers)
 * Context: a thread; with K_NO_WAIT anywhere but in a fault.
 */
int k_pipe_write(struct k_pipe *pipe, const uint8_t *data, size_t len, k_timeout_t timeout);
int k_pipe_read(struct k_pipe *pipe, uint8_t *data, size_t len, k_timeout_t timeout);

/** Forget the bytes in it; who waits returns with -ECANCELED. */
void k_pipe_reset(struct k_pipe *pipe);

/** Take no more bytes, until k_pipe_init(); those in it can be read. */
void k_pipe_close(struct k_pipe *pipe);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* KMEM_ZEPHYR_KERNEL_PIPE_H */
