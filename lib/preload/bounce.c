/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making a system call on copies, the general way: argument by argument, as the table describes them.
 *
 * An argument gets a stand-in (room.c) if it points into the VM; any other is passed as it is, so one call may mix them. Where the
 * program's memory does not allow what the call may do with it, the stand-in is a mirror, bad in the same places: the host kernel
 * itself then returns what it returns without libkmem. A pointer whose size makes no sense, or is 0, is passed as it is by the
 * stub, for the same reason.
 */
#include "preload/bounce.h"

#include <errno.h>
#include <limits.h>
#include <net/if.h>
#include <stddef.h>
#include <string.h>

#include "host/memory.h"
#include "kernel/space.h"
#include "preload/preload.h"

/* The longest string among a program's arguments: the kernel's MAX_ARG_STRLEN, 32 pages. */
#define ARGUMENT_MAX (32UL * 4096)

/* Pointers of a vector of strings that are looked at together. */
#define STRINGS_AT_ONCE 64

long kmem_raw_call(long nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	register uint64_t r10 __asm__("r10") = d;
	register uint64_t r8 __asm__("r8") = e;
	register uint64_t r9 __asm__("r9") = f;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}

long kmem_bounce_call(const struct kmem_call_state *state, const struct kmem_call_arg *shapes, const uint64_t *args)
{
	for (unsigned int i = 0; i < KMEM_CALL_ARGS; i++) {
		if (state->call->args[i].shape != KMEM_SHAPE_VALUE || shapes[i].shape != KMEM_SHAPE_VALUE) {
			if (kmem_window_has(args[i])) {
				return kmem_stub_call(state->call->nr, args[0], args[1], args[2], args[3], args[4], args[5]);
			}
		}
	}
	return kmem_raw_call(state->call->nr, args[0], args[1], args[2], args[3], args[4], args[5]);
}

/* number times unit plus more, or the largest number. */
static size_t product(uint64_t number, size_t unit, size_t more)
{
	size_t size;

	if (__builtin_mul_overflow(number, unit, &size) || __builtin_add_overflow(size, more, &size)) {
		return SIZE_MAX;
	}
	return size;
}

/* Bits in whole longs. */
static size_t bits_size(uint64_t bits)
{
	return (size_t)((bits + (sizeof(long) * CHAR_BIT - 1)) / (sizeof(long) * CHAR_BIT) * sizeof(long));
}

/* An unsigned int of the program's, wherever it is; 0 if it cannot be read or would be negative. */
static size_t number_at(uint64_t addr)
{
	int32_t number;

	if (addr == 0 || kmem_room_copy_in(&number, addr, sizeof(number)) < sizeof(number) || number < 0) {
		return 0;
	}
	return (size_t)number;
}

/* The size of a structure that tells it itself. */
static size_t head_size(uint64_t addr, const struct kmem_call_arg *shape)
{
	size_t size = number_at(addr + shape->size_arg);

	return size < shape->unit ? shape->unit : size > KMEM_CALL_HEAD_MAX ? KMEM_CALL_HEAD_MAX : size;
}

/* How many bytes an argument points to. */
static size_t bytes_size(const struct kmem_call_state *state, const struct kmem_call_arg *shape, unsigned int arg)
{
	uint64_t value = shape->size_arg < KMEM_CALL_ARGS ? state->args[shape->size_arg] : 0;

	switch (shape->size) {
	case KMEM_SIZE_FIXED:
		return shape->unit;
	case KMEM_SIZE_ARG:
		return product(value, shape->unit, shape->more);
	case KMEM_SIZE_AT:
		return product(number_at(value), shape->unit, shape->more);
	case KMEM_SIZE_BITS:
		return (int32_t)value <= 0 ? 0 : bits_size((uint32_t)value);
	case KMEM_SIZE_NODES:
		return value <= 1 ? 0 : bits_size(value - 1);
	case KMEM_SIZE_PAGES:
		return value / kmem_host_page_size() + (value % kmem_host_page_size() != 0 ? 1 : 0);
	case KMEM_SIZE_HEAD:
		return head_size(state->args[arg], shape);
	case KMEM_SIZE_TAIL:
		return product(number_at(state->args[arg] + shape->size_arg), 1, shape->unit);
	default:
		return 0;
	}
}

/* How many strings a vector has, or -EFAULT. */
static long strings_count(uint64_t addr)
{
	uint64_t some[STRINGS_AT_ONCE];
	long count = 0;

	for (;;) {
		size_t got = kmem_room_copy_in(some, addr + (uint64_t)count * sizeof(some[0]), sizeof(some)) / sizeof(some[0]);

		for (size_t i = 0; i < got; i++, count++) {
			if (some[i] == 0) {
				return count;
			}
		}
		if (got < STRINGS_AT_ONCE) {
			return -EFAULT;
		}
	}
}

/* argv or envp. One that cannot be read is left to the kernel, as is a string in it. */
static long strings_enter(struct kmem_call_state *state, struct kmem_stand_in *copy, uint64_t addr)
{
	long count = addr != 0 ? strings_count(addr) : -EFAULT;
	size_t size;
	uint64_t *resident;

	*copy = (struct kmem_stand_in){.addr = addr, .resident = addr};
	if (count < 0) {
		return 0;
	}
	size = ((size_t)count + 1) * sizeof(*resident);
	resident = kmem_room_get(state, size, 0);
	if (resident == NULL) {
		return -ENOMEM;
	}
	if (kmem_room_copy_in(resident, addr, size) < size) {
		return -EFAULT;
	}
	for (long i = 0; i < count; i++) {
		struct kmem_stand_in string;
		long ret = kmem_stand_in_string(state, &string, resident[i], ARGUMENT_MAX);

		if (ret != 0) {
			return ret;
		}
		resident[i] = string.resident;
	}
	resident[count] = 0;
	copy->resident = (uint64_t)(uintptr_t)resident;
	return 0;
}

/* A filter for sockets or system calls: what struct sock_fprog points to. */
static long program_enter(struct kmem_call_state *state, struct kmem_stand_in *copy, uint64_t addr)
{
	/* As struct sock_fprog: a number of instructions of eight bytes, and where they are. */
	struct {
		uint16_t count;
		uint64_t instructions;
	} *program;
	struct kmem_stand_in instructions;
	long ret;

	*copy = (struct kmem_stand_in){.addr = addr, .resident = addr};
	program = kmem_room_get(state, sizeof(*program), 0);
	if (program == NULL) {
		return -ENOMEM;
	}
	if (addr == 0 || kmem_room_copy_in(program, addr, sizeof(*program)) < sizeof(*program)) {
		return 0;
	}
	ret = kmem_stand_in_make(state, &instructions, program->instructions, program->count * 8UL, KMEM_CALL_IN);
	program->instructions = instructions.resident;
	copy->resident = (uint64_t)(uintptr_t)program;
	return ret;
}

/* A struct ifconf, with the stand-in for its buffer behind it. */
struct interfaces {
	struct ifconf list;
	struct kmem_stand_in buffer;
};

static long interfaces_enter(struct kmem_call_state *state, struct kmem_stand_in *copy, uint64_t addr)
{
	struct interfaces *interfaces = kmem_room_get(state, sizeof(*interfaces), 0);
	struct ifconf *list;
	long ret;

	*copy = (struct kmem_stand_in){.addr = addr, .resident = addr};
	if (interfaces == NULL) {
		return -ENOMEM;
	}
	list = &interfaces->list;
	if (addr == 0 || kmem_room_copy_in(list, addr, sizeof(*list)) < sizeof(*list)) {
		return 0;
	}
	ret = kmem_stand_in_make(state, &interfaces->buffer, (uint64_t)(uintptr_t)list->ifc_buf,
				 list->ifc_len > 0 ? (size_t)list->ifc_len : 0, KMEM_CALL_OUT);
	list->ifc_buf = (void *)(uintptr_t)interfaces->buffer.resident;
	copy->resident = (uint64_t)(uintptr_t)interfaces;
	return ret;
}

/* 0 or -EFAULT. */
static long interfaces_leave(const struct kmem_stand_in *copy, long result)
{
	const struct interfaces *interfaces = (const void *)(uintptr_t)copy->resident;
	const int *length = &interfaces->list.ifc_len;

	if (result < 0 || copy->resident == copy->addr) {
		return 0;
	}
	if (kmem_room_copy_out(copy->addr + offsetof(struct ifconf, ifc_len), length, sizeof(*length)) < sizeof(*length)) {
		return -EFAULT;
	}
	return kmem_stand_in_back(&interfaces->buffer, (size_t)*length);
}

long kmem_bounce_arg_enter(struct kmem_call_state *state, const struct kmem_call_arg *shapes, unsigned int arg,
			   struct kmem_stand_in *copy)
{
	const struct kmem_call_arg *shape = &shapes[arg];
	uint64_t addr = state->args[arg];

	switch (shape->shape) {
	case KMEM_SHAPE_BYTES:
		if (kmem_window_has(addr)) {
			return kmem_stand_in_make(state, copy, addr, bytes_size(state, shape, arg), shape->direction);
		}
		break;
	case KMEM_SHAPE_STRING:
		return kmem_stand_in_string(state, copy, addr, shape->unit != 0 ? shape->unit : PATH_MAX);
	case KMEM_SHAPE_STRINGS:
		return strings_enter(state, copy, addr);
	case KMEM_SHAPE_FPROG:
		return program_enter(state, copy, addr);
	case KMEM_SHAPE_IFCONF:
		return interfaces_enter(state, copy, addr);
	default:
		break;
	}
	*copy = (struct kmem_stand_in){.addr = addr, .resident = addr};
	return 0;
}

/* How many bytes the kernel has written to an argument, at most, in a call that succeeded. */
static size_t written_size(const struct kmem_call_arg *shape, const struct kmem_stand_in *copies, unsigned int arg,
			   long result)
{
	size_t size = copies[arg].size;

	if (shape->by_result) {
		size_t written = product((uint64_t)result, shape->unit, shape->more);

		return written < size ? written : size;
	}
	if (shape->size == KMEM_SIZE_AT && shape->size_arg < KMEM_CALL_ARGS) {
		size_t written = product(number_at(copies[shape->size_arg].resident), shape->unit, shape->more);

		return written < size ? written : size;
	}
	return size;
}

/* 0 or -EFAULT. */
static long arg_leave(const struct kmem_call_arg *shape, const struct kmem_stand_in *copies, unsigned int arg, long result)
{
	const struct kmem_stand_in *copy = &copies[arg];
	long ret;

	if (shape->shape == KMEM_SHAPE_IFCONF) {
		return interfaces_leave(copy, result);
	}
	if (shape->shape != KMEM_SHAPE_BYTES || copy->resident == copy->addr || (shape->direction & KMEM_CALL_OUT) == 0) {
		return 0;
	}
	if (result < 0) {
		return (shape->direction & KMEM_CALL_IN) != 0 ? kmem_stand_in_back(copy, copy->size) : 0;
	}
	ret = kmem_stand_in_back(copy, written_size(shape, copies, arg, result));
	return (shape->direction & KMEM_CALL_LAX) != 0 ? 0 : ret;
}

long kmem_bounce_args_leave(const struct kmem_call_arg *shapes, const struct kmem_stand_in copies[KMEM_CALL_ARGS],
			    long result)
{
	long bad = 0;

	for (unsigned int i = 0; i < KMEM_CALL_ARGS; i++) {
		long ret = arg_leave(&shapes[i], copies, i, result);

		bad = ret != 0 ? ret : bad;
	}
	return result >= 0 && bad != 0 ? bad : result;
}

long kmem_bounce_general(struct kmem_call_state *state, const struct kmem_call_arg *shapes)
{
	struct kmem_stand_in copies[KMEM_CALL_ARGS];
	uint64_t args[KMEM_CALL_ARGS];
	long result;

	for (unsigned int i = 0; i < KMEM_CALL_ARGS; i++) {
		long ret = kmem_bounce_arg_enter(state, shapes, i, &copies[i]);

		if (ret != 0) {
			return ret;
		}
		args[i] = copies[i].resident;
	}
	result = kmem_bounce_call(state, shapes, args);
	return kmem_bounce_args_leave(shapes, copies, result);
}

static bool has_shape(const struct kmem_call_arg *shapes, enum kmem_call_shape shape)
{
	for (unsigned int i = 0; i < KMEM_CALL_ARGS; i++) {
		if (shapes[i].shape == shape) {
			return true;
		}
	}
	return false;
}

static long dispatch(struct kmem_call_state *state)
{
	struct kmem_call_arg shapes[KMEM_CALL_ARGS];

	if (state->call->run != NULL) {
		return state->call->run(state);
	}
	kmem_call_args_get(state->call, state->args, shapes);
	if (state->call->is_transfer || has_shape(shapes, KMEM_SHAPE_IOVEC)) {
		return kmem_bounce_transfer(state, shapes);
	}
	if (has_shape(shapes, KMEM_SHAPE_MSGHDR) || has_shape(shapes, KMEM_SHAPE_MMSGHDR)) {
		return kmem_bounce_message(state, shapes);
	}
	return kmem_bounce_general(state, shapes);
}

long kmem_bounce(struct kmem_call_state *state)
{
	void *mark = kmem_room_enter(state);
	long result = dispatch(state);

	kmem_room_leave(mark);
	return result;
}
