/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sendmsg(), recvmsg(), sendmmsg(), recvmmsg(): structures with addresses, vectors and control data behind them.
 *
 * A message, or all of an array of them, goes in one call on stand-ins, so that what belongs together stays together: data, addresses,
 * descriptors passed along. Only what is sent to a stream goes in pieces if it is large.
 */
#include "preload/bounce.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "preload/preload.h"

/* The kernel looks at no more messages at once (UIO_MAXIOV). */
#define MESSAGES_MAX 1024U

/* A message while it is made. */
struct message {
	uint64_t addr;           /* the program's struct msghdr */
	struct msghdr given;     /* as it was */
	struct msghdr *resident; /* what the kernel gets */
	struct kmem_stand_in name, control;
	struct kmem_vector vector;
	long total;              /* bytes of the vector, or why the kernel will refuse it */
};

static uint64_t number_of(const void *pointer)
{
	return (uint64_t)(uintptr_t)pointer;
}

/* Stand-ins for what a message points to, of its data from an offset to a limit. The header itself has been copied. 0 or -errno. */
static long message_enter(struct kmem_call_state *state, struct message *message, unsigned int direction, size_t offset,
			  size_t limit)
{
	const struct msghdr *given = &message->given;
	unsigned int both = direction | ((direction & KMEM_CALL_OUT) != 0 ? (unsigned int)KMEM_CALL_IN : 0);
	size_t name_size = (int)given->msg_namelen < 0 ? 0 : given->msg_namelen;
	long ret;

	*message->resident = *given;
	/* What is received may be less than there is room for, so the rest must be the program's own: it is read as well. */
	ret = kmem_stand_in_make(state, &message->name, number_of(given->msg_name), name_size, both);
	if (ret != 0) {
		return ret;
	}
	ret = kmem_stand_in_make(state, &message->control, number_of(given->msg_control), given->msg_controllen, both);
	if (ret != 0) {
		return ret;
	}
	message->resident->msg_name = (void *)(uintptr_t)message->name.resident;
	message->resident->msg_control = (void *)(uintptr_t)message->control.resident;
	message->total = kmem_vector_load(state, &message->vector, number_of(given->msg_iov), given->msg_iovlen);
	if (message->total < 0) {
		return message->total == -ENOMEM ? -ENOMEM : 0;
	}
	for (size_t i = 0; i < message->vector.count && offset > 0; i++) {
		struct iovec *segment = &message->vector.segments[i];
		size_t here = segment->iov_len < offset ? segment->iov_len : offset;

		segment->iov_base = (unsigned char *)segment->iov_base + here;
		segment->iov_len -= here;
		offset -= here;
	}
	ret = kmem_vector_enter(state, &message->vector, direction, limit);
	message->resident->msg_iov = message->vector.resident;
	return ret;
}

/* Give the program what was received: size bytes of data, and what the kernel wrote to the header. 0 or -EFAULT. */
static long message_leave(const struct message *message, size_t size)
{
	const struct msghdr *got = message->resident;
	struct msghdr header = message->given;
	long bad = message->total >= 0 ? kmem_vector_leave(&message->vector, size) : 0;
	long ret = kmem_stand_in_back(&message->name, got->msg_name != NULL ? got->msg_namelen : 0);

	bad = bad != 0 ? bad : ret;
	ret = kmem_stand_in_back(&message->control, got->msg_controllen);
	bad = bad != 0 ? bad : ret;
	header.msg_namelen = got->msg_namelen;
	header.msg_controllen = got->msg_controllen;
	header.msg_flags = got->msg_flags;
	if (kmem_room_copy_out(message->addr, &header, sizeof(header)) < sizeof(header)) {
		return -EFAULT;
	}
	return bad;
}

static bool is_stream(uint64_t fd)
{
	int type = 0;
	socklen_t size = sizeof(type);
	long ret = kmem_raw_call(SYS_getsockopt, fd, SOL_SOCKET, SO_TYPE, number_of(&type), number_of(&size), 0);

	return ret == 0 && type == SOCK_STREAM;
}

/* One sendmsg() or recvmsg() of what lies between an offset into its data and a limit. */
static long message_once(struct kmem_call_state *state, struct message *message, unsigned int direction, size_t offset,
			 size_t limit)
{
	const uint64_t *args = state->args;
	long ret = message_enter(state, message, direction, offset, limit);
	long result;

	if (ret != 0) {
		return ret;
	}
	result = kmem_raw_call(state->call->nr, args[0], number_of(message->resident), args[2], args[3], args[4], args[5]);
	if (result >= 0 && (direction & KMEM_CALL_OUT) != 0) {
		ret = message_leave(message, (size_t)result);
	}
	return ret != 0 ? ret : result;
}

/* More than a piece sent to a stream: whatever goes along goes with the first. Each piece gives back the memory that it took. */
static long send_pieces(struct kmem_call_state *state, struct message *message)
{
	const struct kmem_call_state before = *state;
	size_t total = (size_t)message->total;
	size_t done = 0;

	while (done < total) {
		size_t wanted = total - done < KMEM_PIECE_MAX ? total - done : KMEM_PIECE_MAX;
		void *mark = kmem_room_mark();
		long result = message_once(state, message, KMEM_CALL_IN, done, wanted);

		kmem_room_leave(mark);
		*state = before;
		if (result < 0) {
			return done > 0 ? (long)done : result;
		}
		done += (size_t)result;
		if ((size_t)result < wanted) {
			break;
		}
		message->given.msg_controllen = 0;
	}
	return (long)done;
}

static long as_it_is(const struct kmem_call_state *state)
{
	const uint64_t *args = state->args;

	return kmem_stub_call(state->call->nr, args[0], args[1], args[2], args[3], args[4], args[5]);
}

static long single(struct kmem_call_state *state, unsigned int direction)
{
	struct msghdr resident;
	struct message message = {.addr = state->args[1], .resident = &resident};
	struct kmem_vector vector;

	if (kmem_room_copy_in(&message.given, message.addr, sizeof(message.given)) < sizeof(message.given)) {
		/* The kernel finds the same. */
		return as_it_is(state);
	}
	message.total = kmem_vector_load(state, &vector, number_of(message.given.msg_iov), message.given.msg_iovlen);
	if ((direction & KMEM_CALL_OUT) == 0 && message.total > (long)KMEM_PIECE_MAX && is_stream(state->args[0])) {
		return send_pieces(state, &message);
	}
	return message_once(state, &message, direction, 0, KMEM_TRANSFER_MAX);
}

static long array_make(struct kmem_call_state *state, struct mmsghdr *array, struct message *messages, unsigned int count,
		       unsigned int direction)
{
	for (unsigned int i = 0; i < count; i++) {
		struct message *message = &messages[i];
		long ret;

		*message = (struct message){.addr = state->args[1] + i * sizeof(*array), .given = array[i].msg_hdr};
		message->resident = &array[i].msg_hdr;
		ret = message_enter(state, message, direction, 0, KMEM_TRANSFER_MAX);
		if (ret != 0) {
			return ret;
		}
	}
	return 0;
}

/* The array, as far as it can be read and, if the kernel writes to it, written. */
static unsigned int array_count(const struct kmem_call_state *state, unsigned int count)
{
	uint64_t addr = state->args[1];
	size_t size = count * sizeof(struct mmsghdr);

	/* Both directions write: to msg_len. */
	if (!kmem_room_is_paged(addr, size)) {
		return count;
	}
	return (unsigned int)(kmem_room_allowed(addr, size, KMEM_CALL_INOUT) / sizeof(struct mmsghdr));
}

static long array_leave(const struct mmsghdr *array, const struct message *messages, long count, unsigned int direction)
{
	long done;

	for (done = 0; done < count; done++) {
		uint64_t length_at = messages[done].addr + offsetof(struct mmsghdr, msg_len);
		const unsigned int *length = &array[done].msg_len;

		if ((direction & KMEM_CALL_OUT) != 0 && message_leave(&messages[done], array[done].msg_len) != 0) {
			break;
		}
		if (kmem_room_copy_out(length_at, length, sizeof(*length)) < sizeof(*length)) {
			break;
		}
	}
	return done > 0 || count == 0 ? done : -EFAULT;
}

static long several(struct kmem_call_state *state, const struct kmem_call_arg *shapes, unsigned int direction)
{
	struct kmem_stand_in copies[KMEM_CALL_ARGS];
	struct kmem_call_arg others[KMEM_CALL_ARGS];
	uint64_t args[KMEM_CALL_ARGS];
	unsigned int wanted = (unsigned int)state->args[2];
	unsigned int count = array_count(state, wanted < MESSAGES_MAX ? wanted : MESSAGES_MAX);
	struct mmsghdr *array = kmem_room_get(state, (count + 1) * sizeof(*array), 0);
	struct message *messages = kmem_room_get(state, (count + 1) * sizeof(*messages), 0);
	long result;
	long ret;

	if (array == NULL || messages == NULL) {
		return -ENOMEM;
	}
	if (count == 0 || kmem_room_copy_in(array, state->args[1], count * sizeof(*array)) < count * sizeof(*array)) {
		return as_it_is(state);
	}
	memcpy(others, shapes, sizeof(others));
	others[1] = (struct kmem_call_arg){.shape = KMEM_SHAPE_VALUE};
	for (unsigned int i = 0; i < KMEM_CALL_ARGS; i++) {
		ret = kmem_bounce_arg_enter(state, others, i, &copies[i]);
		if (ret != 0) {
			return ret;
		}
		args[i] = copies[i].resident;
	}
	ret = array_make(state, array, messages, count, direction);
	if (ret != 0) {
		return ret;
	}
	args[1] = number_of(array);
	args[2] = count;
	result = kmem_raw_call(state->call->nr, args[0], args[1], args[2], args[3], args[4], args[5]);
	if (result >= 0) {
		result = array_leave(array, messages, result, direction);
	}
	return kmem_bounce_args_leave(others, copies, result);
}

long kmem_bounce_message(struct kmem_call_state *state, const struct kmem_call_arg *shapes)
{
	const bool is_zero_copy = (shapes[1].direction & KMEM_CALL_OUT) == 0 &&
				  ((state->call->nr == SYS_sendmsg ? state->args[2] : state->args[3]) & MSG_ZEROCOPY) != 0;

	if (is_zero_copy) {
		return KMEM_ZERO_COPY_ERROR;
	}
	if (shapes[1].shape == KMEM_SHAPE_MMSGHDR) {
		return several(state, shapes, shapes[1].direction);
	}
	return single(state, shapes[1].direction);
}
