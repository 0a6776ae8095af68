/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Transfers of data: read(), write() and their kin, and all that take a vector.
 *
 * What fits into scratch memory goes in one call on stand-ins, segment by segment, which keeps everything as it is. Of a larger
 * transfer the rest depends on what the descriptor is:
 *
 *   file    regular file, block device, and getrandom(): in pieces, until the count is reached, a piece is short or an error comes
 *   stream  pipe, stream socket: the same, but for the waiting. A read that has data never waits for more (save with MSG_WAITALL); a write
 *           goes on waiting, but a signal between two pieces ends it as one inside would
 *   device  terminals, event and timer descriptors and so on: larger pieces, of host memory
 *   message datagrams, packets, and looking ahead (MSG_PEEK): one piece, of host memory
 *
 * An error after a first piece gives the count so far, and so does memory that goes bad there; the next call finds the error again. Data of
 * an O_APPEND file, which several processes may write, goes in the larger pieces, too.
 */
#include "preload/bounce.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "host/memory.h"
#include "preload/preload.h"

enum kind {
	KIND_FILE,
	KIND_STREAM,
	KIND_DEVICE,
	KIND_MESSAGE,
};

struct transfer {
	struct kmem_call_state *state;
	const struct kmem_call_arg *shapes;
	unsigned int data; /* the argument */
	bool is_read, is_vector;
	struct kmem_vector vector; /* one segment where there is none */
	uint64_t args[KMEM_CALL_ARGS]; /* for the kernel */

	/* in pieces */
	enum kind kind;
	bool is_waiting; /* the descriptor may block */
	size_t segment, offset; /* where the next piece begins */
};

static unsigned int direction_of(const struct transfer *transfer)
{
	return transfer->is_read ? KMEM_CALL_OUT : KMEM_CALL_IN;
}

/* Tell the kernel where the data is. */
static void data_put(struct transfer *transfer, struct iovec *vector, size_t count)
{
	unsigned int size_arg = transfer->shapes[transfer->data].size_arg;

	if (transfer->is_vector) {
		transfer->args[transfer->data] = (uint64_t)(uintptr_t)vector;
		transfer->args[size_arg] = count;
	} else {
		transfer->args[transfer->data] = (uint64_t)(uintptr_t)vector->iov_base;
		transfer->args[size_arg] = vector->iov_len;
	}
}

static long make(const struct transfer *transfer)
{
	return kmem_bounce_call(transfer->state, transfer->shapes, transfer->args);
}

/* How many bytes of the segments come before the first one that nobody may access; SIZE_MAX where there is none. */
static size_t bytes_allowed(const struct kmem_vector *vector)
{
	size_t allowed = 0;

	for (size_t i = 0; i < vector->count; i++) {
		allowed += vector->copies[i].allowed;
		if (vector->copies[i].allowed < vector->copies[i].size) {
			return allowed;
		}
	}
	return SIZE_MAX;
}

/* All, or the first limit bytes, in one call. */
static long whole(struct transfer *transfer, size_t limit)
{
	long ret = kmem_vector_enter(transfer->state, &transfer->vector, direction_of(transfer), limit);
	long result;

	if (ret != 0) {
		return ret;
	}
	data_put(transfer, transfer->vector.resident, transfer->vector.count);
	result = make(transfer);
	if (transfer->state->bad != 0 && result > 0 && (size_t)result == bytes_allowed(&transfer->vector)) {
		transfer->state->is_bad_reached = true;
	}
	if (result > 0 && transfer->is_read) {
		ret = kmem_vector_leave(&transfer->vector, (size_t)result);
	}
	return ret != 0 ? ret : result;
}

static bool is_call(const struct transfer *transfer, long nr)
{
	return transfer->state->call->nr == nr;
}

/* The flags of sendto() and recvfrom(), the only ones among transfers that have MSG_*. */
static unsigned int message_flags(const struct transfer *transfer)
{
	return is_call(transfer, SYS_recvfrom) || is_call(transfer, SYS_sendto) ? (unsigned int)transfer->args[3] : 0;
}

static bool is_stream_socket(uint64_t fd)
{
	int type = 0;
	socklen_t size = sizeof(type);
	long ret = kmem_raw_call(SYS_getsockopt, fd, SOL_SOCKET, SO_TYPE, (uint64_t)(uintptr_t)&type,
				 (uint64_t)(uintptr_t)&size, 0);

	return ret == 0 && type == SOCK_STREAM;
}

/* Whether a write that finds no room waits for it without an end. */
static bool socket_waits(uint64_t fd, unsigned int flags)
{
	struct timeval limit = {0};
	socklen_t size = sizeof(limit);

	(void)kmem_raw_call(SYS_getsockopt, fd, SOL_SOCKET, SO_SNDTIMEO, (uint64_t)(uintptr_t)&limit,
			    (uint64_t)(uintptr_t)&size, 0);
	return limit.tv_sec == 0 && limit.tv_usec == 0 && (flags & MSG_DONTWAIT) == 0;
}

/* What the descriptor is. -errno if it is none. */
static long classify(struct transfer *transfer)
{
	uint64_t fd = transfer->args[0];
	struct stat status;
	long file_flags;
	long ret;

	transfer->kind = KIND_FILE;
	transfer->is_waiting = false;
	if (transfer->data == 0) {
		return 0;
	}
	file_flags = kmem_raw_call(SYS_fcntl, fd, F_GETFL, 0, 0, 0, 0);
	ret = kmem_raw_call(SYS_fstat, fd, (uint64_t)(uintptr_t)&status, 0, 0, 0, 0);
	if (ret != 0 || file_flags < 0) {
		return ret != 0 ? ret : file_flags;
	}
	transfer->is_waiting = (file_flags & O_NONBLOCK) == 0;
	switch (status.st_mode & S_IFMT) {
	case S_IFREG:
		transfer->kind = !transfer->is_read && (file_flags & O_APPEND) != 0 ? KIND_DEVICE : KIND_FILE;
		transfer->is_waiting = false;
		break;
	case S_IFBLK:
		transfer->is_waiting = false;
		break;
	case S_IFIFO:
		/* A pipe of packets. */
		transfer->kind = (file_flags & O_DIRECT) != 0 ? KIND_MESSAGE : KIND_STREAM;
		break;
	case S_IFSOCK:
		transfer->kind = is_stream_socket(fd) ? KIND_STREAM : KIND_MESSAGE;
		transfer->is_waiting = transfer->is_waiting && socket_waits(fd, message_flags(transfer));
		break;
	default:
		transfer->kind = KIND_DEVICE;
		break;
	}
	if ((message_flags(transfer) & (MSG_PEEK | MSG_OOB | MSG_ERRQUEUE)) != 0) {
		transfer->kind = KIND_MESSAGE;
	}
	return 0;
}

static bool is_ready(uint64_t fd, short events, int timeout)
{
	struct pollfd ask = {.fd = (int)fd, .events = events};
	long ret = kmem_raw_call(SYS_poll, (uint64_t)(uintptr_t)&ask, 1, (uint64_t)timeout, 0, 0, 0);

	return ret == 1;
}

/* Whether there is to be another piece after a full one. */
static bool goes_on(const struct transfer *transfer)
{
	switch (transfer->kind) {
	case KIND_FILE:
		return true;
	case KIND_MESSAGE:
		return false;
	default:
		break;
	}
	if (!transfer->is_read) {
		/* A handler that runs meanwhile ends a write that has written something; poll() is never restarted. */
		return !transfer->is_waiting || is_ready(transfer->args[0], POLLOUT, -1);
	}
	if ((message_flags(transfer) & MSG_WAITALL) != 0) {
		return true;
	}
	return is_ready(transfer->args[0], POLLIN, 0);
}

/* The piece at the cursor: how many of size bytes can be transferred, to or from one contiguous buffer. */
static size_t piece_allowed(const struct transfer *transfer, size_t size)
{
	size_t offset = transfer->offset;
	size_t allowed = 0;

	for (size_t i = transfer->segment; i < transfer->vector.count && allowed < size; i++, offset = 0) {
		uint64_t at = (uint64_t)(uintptr_t)transfer->vector.segments[i].iov_base + offset;
		size_t here = transfer->vector.segments[i].iov_len - offset;
		size_t good;

		here = here < size - allowed ? here : size - allowed;
		good = kmem_room_is_paged(at, here) ? kmem_room_allowed(at, here, direction_of(transfer)) : here;
		allowed += good;
		if (good < here) {
			break;
		}
	}
	return allowed;
}

/* Copy between the segments and a buffer, moving the cursor. How many bytes were copied. */
static size_t piece_copy(struct transfer *transfer, unsigned char *buffer, size_t size)
{
	size_t done = 0;

	while (done < size) {
		const struct iovec *segment = &transfer->vector.segments[transfer->segment];
		uint64_t at = (uint64_t)(uintptr_t)segment->iov_base + transfer->offset;
		size_t here = segment->iov_len - transfer->offset;
		size_t copied;

		here = here < size - done ? here : size - done;
		copied = transfer->is_read ? kmem_room_copy_out(at, buffer + done, here)
					   : kmem_room_copy_in(buffer + done, at, here);
		done += copied;
		transfer->offset += copied;
		if (copied < here) {
			break;
		}
		if (transfer->offset == segment->iov_len) {
			transfer->segment++;
			transfer->offset = 0;
		}
	}
	return done;
}

/* One piece by way of a buffer. How many bytes, or -errno. */
static long piece(struct transfer *transfer, unsigned char *buffer, size_t size)
{
	struct iovec vector = {.iov_base = buffer, .iov_len = size};
	long result;
	size_t copied;

	if (!transfer->is_read) {
		size_t got = piece_copy(transfer, buffer, size);

		if (got == 0) {
			return -EFAULT;
		}
		vector.iov_len = got;
	}
	data_put(transfer, &vector, 1);
	result = make(transfer);
	if (result <= 0 || !transfer->is_read) {
		return result;
	}
	copied = piece_copy(transfer, buffer, (size_t)result);
	return copied > 0 ? (long)copied : -EFAULT;
}

/* The file offset, if it is an argument: -1 stands for the file's own. */
static void offset_add(struct transfer *transfer, size_t size)
{
	unsigned int arg = transfer->state->call->offset_arg;

	if (arg != 0 && transfer->args[arg - 1] != UINT64_MAX) {
		transfer->args[arg - 1] += size;
	}
}

/* What has been transferred is all that there was memory for. */
static long end_at_bad(struct transfer *transfer, size_t done)
{
	const struct iovec *segment = &transfer->vector.segments[transfer->segment];

	kmem_room_bad_note(transfer->state, (uint64_t)(uintptr_t)segment->iov_base + transfer->offset, direction_of(transfer));
	transfer->state->is_bad_reached = true;
	return (long)done;
}

/* Of what the program's memory would not take, or give, the host kernel shall decide, at the first piece. */
static long in_pieces(struct transfer *transfer, size_t total, unsigned char *buffer, size_t buffer_size)
{
	size_t done = 0;

	while (done < total) {
		size_t wanted = total - done < buffer_size ? total - done : buffer_size;
		size_t size = piece_allowed(transfer, wanted);
		long result;

		if (size == 0) {
			return done > 0 ? end_at_bad(transfer, done) : whole(transfer, wanted);
		}
		result = piece(transfer, buffer, size);
		if (result < 0) {
			return done > 0 ? (long)done : result;
		}
		done += (size_t)result;
		if ((size_t)result < size || done == total || !goes_on(transfer)) {
			break;
		}
		offset_add(transfer, (size_t)result);
	}
	return (long)done;
}

/* What is left of scratch memory, in whole pages as files that bypass the page cache want them; host memory where that is too little. */
static size_t scratch_pages(const struct kmem_call_state *state)
{
	size_t page_size = kmem_host_page_size();
	size_t skip = (size_t)(-(uintptr_t)state->scratch & (page_size - 1));

	return state->scratch_left < skip + page_size ? KMEM_PIECE_MAX : (state->scratch_left - skip) / page_size * page_size;
}

/* More than fits into scratch memory. */
static long large(struct transfer *transfer, size_t total)
{
	struct kmem_call_state *state = transfer->state;
	size_t size = KMEM_PIECE_MAX;
	unsigned char *buffer;
	long ret = classify(transfer);

	if (ret != 0) {
		return ret;
	}
	if (transfer->kind == KIND_MESSAGE) {
		return whole(transfer, KMEM_STAND_IN_MAX);
	}
	if (transfer->kind != KIND_DEVICE) {
		size = scratch_pages(state);
	}
	size = size < total ? size : total;
	buffer = kmem_room_get(state, size, (uint64_t)(uintptr_t)transfer->vector.segments[0].iov_base);
	return buffer != NULL ? in_pieces(transfer, total, buffer, size) : -ENOMEM;
}

/* The segments of the data. Their bytes, or -errno. */
static long data_load(struct transfer *transfer, struct iovec *single)
{
	const struct kmem_call_arg *shape = &transfer->shapes[transfer->data];
	uint64_t addr = transfer->state->args[transfer->data];
	uint64_t count = transfer->state->args[shape->size_arg];

	if (transfer->is_vector) {
		return kmem_vector_load(transfer->state, &transfer->vector, addr, count);
	}
	single->iov_base = (void *)(uintptr_t)addr;
	single->iov_len = count;
	transfer->vector = (struct kmem_vector){.count = 1, .segments = single};
	if (count > SSIZE_MAX && transfer->data != 0) {
		return -EINVAL;
	}
	single->iov_len = count < KMEM_TRANSFER_MAX ? count : KMEM_TRANSFER_MAX;
	return (long)single->iov_len;
}

static long data_transfer(struct transfer *transfer)
{
	struct iovec single;
	long total = data_load(transfer, &single);
	size_t paged;

	if (total == -ENOMEM) {
		return total;
	}
	/* What the kernel would refuse, it is asked to. */
	paged = total > 0 ? kmem_vector_paged(&transfer->vector) : 0;
	if (paged == 0 && !transfer->is_vector) {
		return make(transfer);
	}
	if (total < 0) {
		return make(transfer);
	}
	/* Behind the data in scratch memory there are the vector for the kernel, and what alignment takes. */
	if (!transfer->state->call->is_transfer) {
		return whole(transfer, KMEM_TRANSFER_MAX);
	}
	if (paged + transfer->vector.count * (sizeof(struct iovec) + sizeof(struct kmem_stand_in) + 64) <=
	    transfer->state->scratch_left - transfer->state->scratch_left / 16) {
		return whole(transfer, KMEM_TRANSFER_MAX);
	}
	return large(transfer, (size_t)total);
}

/* The argument that is data. */
static unsigned int data_arg(const struct kmem_call_arg *shapes)
{
	for (unsigned int i = 0; i < KMEM_CALL_ARGS; i++) {
		if (shapes[i].shape == KMEM_SHAPE_IOVEC) {
			return i;
		}
	}
	for (unsigned int i = 0; i < KMEM_CALL_ARGS; i++) {
		if (shapes[i].shape == KMEM_SHAPE_BYTES && shapes[i].size == KMEM_SIZE_ARG) {
			return i;
		}
	}
	return KMEM_CALL_ARGS;
}

long kmem_bounce_transfer(struct kmem_call_state *state, const struct kmem_call_arg *shapes)
{
	struct transfer transfer = {.state = state, .shapes = shapes, .data = data_arg(shapes)};
	struct kmem_stand_in copies[KMEM_CALL_ARGS];
	struct kmem_call_arg others[KMEM_CALL_ARGS];
	long result;

	if (transfer.data == KMEM_CALL_ARGS) {
		return kmem_bounce_general(state, shapes);
	}
	if (state->call->nr == SYS_sendto && (state->args[3] & MSG_ZEROCOPY) != 0) {
		return KMEM_ZERO_COPY_ERROR;
	}
	transfer.is_read = (shapes[transfer.data].direction & KMEM_CALL_OUT) != 0;
	transfer.is_vector = shapes[transfer.data].shape == KMEM_SHAPE_IOVEC;
	memcpy(others, shapes, sizeof(others));
	others[transfer.data] = (struct kmem_call_arg){.shape = KMEM_SHAPE_VALUE};
	for (unsigned int i = 0; i < KMEM_CALL_ARGS; i++) {
		long ret = kmem_bounce_arg_enter(state, others, i, &copies[i]);

		if (ret != 0) {
			return ret;
		}
		transfer.args[i] = copies[i].resident;
	}
	result = data_transfer(&transfer);
	return kmem_bounce_args_leave(others, copies, result);
}
