/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Vectors of calls that bounce: the program's struct iovec, copied and checked as the host kernel does, and stand-ins for its segments.
 *
 * Segments outside the VM are used where they are. No locks.
 */
#include <errno.h>
#include <limits.h>

#include "preload/bounce.h"

/* The kernel's UIO_MAXIOV. */
#define SEGMENTS_MAX 1024

long kmem_vector_load(struct kmem_call_state *state, struct kmem_vector *vector, uint64_t addr, size_t count)
{
	size_t size = count * sizeof(struct iovec);
	size_t total = 0;

	*vector = (struct kmem_vector){.count = count};
	if (count > SEGMENTS_MAX) {
		return -EINVAL;
	}
	if (count == 0) {
		return 0;
	}
	vector->segments = kmem_room_get(state, size, 0);
	if (vector->segments == NULL) {
		return -ENOMEM;
	}
	if (kmem_room_copy_in(vector->segments, addr, size) < size) {
		return -EFAULT;
	}
	for (size_t i = 0; i < count; i++) {
		if (vector->segments[i].iov_len > SSIZE_MAX) {
			return -EINVAL;
		}
		if (vector->segments[i].iov_len > KMEM_TRANSFER_MAX - total) {
			vector->segments[i].iov_len = KMEM_TRANSFER_MAX - total;
		}
		total += vector->segments[i].iov_len;
	}
	return (long)total;
}

long kmem_vector_enter(struct kmem_call_state *state, struct kmem_vector *vector, unsigned int direction, size_t limit)
{
	size_t left = limit;

	if (vector->count == 0) {
		return 0;
	}
	vector->resident = kmem_room_get(state, vector->count * sizeof(struct iovec), 0);
	vector->copies = kmem_room_get(state, vector->count * sizeof(struct kmem_stand_in), 0);
	if (vector->resident == NULL || vector->copies == NULL) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < vector->count; i++) {
		const struct iovec *segment = &vector->segments[i];
		size_t size = segment->iov_len < left ? segment->iov_len : left;
		uint64_t addr = (uint64_t)(uintptr_t)segment->iov_base;
		long ret = kmem_stand_in_make(state, &vector->copies[i], addr, size, direction);

		if (ret != 0) {
			return ret;
		}
		vector->resident[i].iov_base = (void *)(uintptr_t)vector->copies[i].resident;
		vector->resident[i].iov_len = size;
		left -= size;
	}
	return 0;
}

long kmem_vector_leave(const struct kmem_vector *vector, size_t size)
{
	for (size_t i = 0; i < vector->count && size > 0; i++) {
		const struct kmem_stand_in *copy = &vector->copies[i];
		size_t here = copy->size < size ? copy->size : size;
		long ret = kmem_stand_in_back(copy, here);

		if (ret != 0) {
			return ret;
		}
		size -= here;
	}
	return 0;
}

size_t kmem_vector_paged(const struct kmem_vector *vector)
{
	size_t size = 0;

	for (size_t i = 0; i < vector->count; i++) {
		if (kmem_room_is_paged((uint64_t)(uintptr_t)vector->segments[i].iov_base, vector->segments[i].iov_len)) {
			size += vector->segments[i].iov_len;
		}
	}
	return size;
}
