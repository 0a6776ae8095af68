/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls that need more than copies: what they change is undone by the handler's return, or the host kernel keeps an address beyond the
 * call, or another process's memory is meant.
 *
 *   masks                 The handler's return restores the interrupted mask, so that is what is changed. What is set for the time of a
 *                         call lacks the signals that the library needs.
 *   kept addresses        A word that the kernel writes to later (set_tid_address(), rseq(), clone()'s CLONE_CHILD_CLEARTID) is pinned for
 *                         good: absent, it would silently not be written, or the process be killed. A thread has one of each.
 *   clone(), clone3()     Must return where they were called, in two threads. They are made again by the program's own instruction once
 *                         the handler has returned, past the filter.
 *   other processes       process_vm_readv() and its kin on the own process are made on stand-ins on both sides.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <ucontext.h>

#include "host/signals.h"
#include "kernel/kernel.h"
#include "kernel/space.h"
#include "preload/bounce.h"
#include "preload/preload.h"

#ifndef RWF_NOWAIT
#define RWF_NOWAIT 8
#endif

/* splice.h is the kernel's own; the C library has it with _GNU_SOURCE only. */
#define SPLICE_NONBLOCK 2U

/* Bytes of a system call instruction. */
#define SYSCALL_SIZE 2

/* Room for clone3()'s structure: twice as much as it has today. The kernel takes what is longer if the rest is zero. */
#define CLONE_ARGS_MAX 176

/* The kernel's MAX_PID_NS_LEVEL: numbers that a new process can be given. */
#define CLONE_TIDS_MAX 32

static uint64_t number_of(const void *pointer)
{
	return (uint64_t)(uintptr_t)pointer;
}

/* A mask of the program's. 0, -EINVAL for a size that is not the kernel's, or -EFAULT. */
static long mask_load(kmem_sigmask *mask, uint64_t addr, uint64_t size)
{
	if (size != sizeof(*mask)) {
		return -EINVAL;
	}
	return kmem_room_copy_in(mask, addr, sizeof(*mask)) < sizeof(*mask) ? -EFAULT : 0;
}

/* Give back to the program's memory, wherever that is. 0 or -EFAULT. */
static long put(uint64_t addr, const void *from, size_t size)
{
	return kmem_room_copy_out(addr, from, size) < size ? -EFAULT : 0;
}

KMEM_CALL_RUN(rt_sigprocmask)
{
	kmem_sigmask mask;
	kmem_sigmask old;
	long ret;

	if (state->args[3] != sizeof(mask)) {
		return -EINVAL;
	}
	if (state->args[1] != 0 && mask_load(&mask, state->args[1], sizeof(mask)) != 0) {
		return -EFAULT;
	}
	ret = kmem_signals_mask_in(state->ucontext, (int)state->args[0], state->args[1] != 0 ? &mask : NULL, &old);
	if (ret == 0 && state->args[2] != 0) {
		ret = put(state->args[2], &old, sizeof(old));
	}
	return ret;
}

KMEM_CALL_RUN(rt_sigaction)
{
	struct kmem_signals_action action;
	struct kmem_signals_action old;
	long ret;

	if (state->args[3] != sizeof(kmem_sigmask)) {
		return -EINVAL;
	}
	if (state->args[1] != 0 && kmem_room_copy_in(&action, state->args[1], sizeof(action)) < sizeof(action)) {
		return -EFAULT;
	}
	ret = kmem_signals_action_raw((int)state->args[0], state->args[1] != 0 ? &action : NULL, &old);
	if (ret == 0 && state->args[2] != 0) {
		ret = put(state->args[2], &old, sizeof(old));
	}
	return ret;
}

KMEM_CALL_RUN(rt_sigpending)
{
	kmem_sigmask pending = kmem_signals_pending();

	/* The kernel gives as much of it as is asked for. */
	if (state->args[1] > sizeof(pending)) {
		return -EINVAL;
	}
	return put(state->args[0], &pending, state->args[1]);
}

KMEM_CALL_RUN(sigaltstack)
{
	stack_t stack;
	stack_t old;
	long ret;

	if (state->args[0] != 0 && kmem_room_copy_in(&stack, state->args[0], sizeof(stack)) < sizeof(stack)) {
		return -EFAULT;
	}
	ret = kmem_signals_altstack_in(state->ucontext, state->args[0] != 0 ? &stack : NULL, &old);
	if (ret == 0 && state->args[1] != 0) {
		ret = put(state->args[1], &old, sizeof(old));
	}
	return ret;
}

/* The general way, with the mask in an argument stripped. */
static long with_mask(struct kmem_call_state *state, unsigned int arg, unsigned int size_arg)
{
	struct kmem_call_arg shapes[KMEM_CALL_ARGS];
	kmem_sigmask mask;

	kmem_call_args_get(state->call, state->args, shapes);
	/* What cannot be a mask is left to the kernel. */
	if (state->args[arg] != 0 && mask_load(&mask, state->args[arg], state->args[size_arg]) == 0) {
		mask = kmem_signals_strip(mask);
		state->args[arg] = number_of(&mask);
	}
	return kmem_bounce_general(state, shapes);
}

KMEM_CALL_RUN(rt_sigsuspend)
{
	return with_mask(state, 0, 1);
}

KMEM_CALL_RUN(ppoll)
{
	return with_mask(state, 3, 4);
}

KMEM_CALL_RUN(epoll_pwait)
{
	return with_mask(state, 4, 5);
}

KMEM_CALL_RUN(pselect6)
{
	struct kmem_call_arg shapes[KMEM_CALL_ARGS];
	/* What the sixth argument points to. */
	struct {
		uint64_t mask;
		uint64_t size;
	} both;
	kmem_sigmask mask;

	kmem_call_args_get(state->call, state->args, shapes);
	if (state->args[5] != 0) {
		if (kmem_room_copy_in(&both, state->args[5], sizeof(both)) < sizeof(both)) {
			return -EFAULT;
		}
		if (both.mask != 0) {
			long ret = mask_load(&mask, both.mask, both.size);

			if (ret != 0) {
				return ret;
			}
			mask = kmem_signals_strip(mask);
			both.mask = number_of(&mask);
		}
		state->args[5] = number_of(&both);
		shapes[5] = (struct kmem_call_arg){.shape = KMEM_SHAPE_VALUE};
	}
	return kmem_bounce_general(state, shapes);
}

/* The next program inherits the mask and what is ignored: as this one wishes them. */
static long exec(struct kmem_call_state *state)
{
	struct kmem_call_arg shapes[KMEM_CALL_ARGS];
	struct kmem_stand_in copies[KMEM_CALL_ARGS];
	uint64_t args[KMEM_CALL_ARGS];
	struct kmem_signals_exec signals;
	long result;

	kmem_call_args_get(state->call, state->args, shapes);
	for (unsigned int i = 0; i < KMEM_CALL_ARGS; i++) {
		long ret = kmem_bounce_arg_enter(state, shapes, i, &copies[i]);

		if (ret != 0) {
			return ret;
		}
		args[i] = copies[i].resident;
	}
	kmem_signals_exec_begin(&signals);
	result = kmem_bounce_call(state, shapes, args);
	kmem_signals_exec_end(&signals);
	return result;
}

KMEM_CALL_RUN(execve)
{
	return exec(state);
}

KMEM_CALL_RUN(execveat)
{
	return exec(state);
}

/* Keep the pages of a range that the kernel will write to on its own. */
static void keep(uint64_t addr, size_t size)
{
	uintptr_t first = kmem_page_floor(addr);
	uintptr_t end = kmem_page_floor(addr + size - 1) + kmem_page_size();

	if (kmem_room_is_paged(addr, size) && kmem_space_pin(first, end - first) == 0) {
		kmem_space_page_in(first, end - first, true);
	}
}

static void bring(uint64_t addr, size_t size)
{
	uintptr_t first = kmem_page_floor(addr);
	uintptr_t end = kmem_page_floor(addr + size - 1) + kmem_page_size();

	if (kmem_room_is_paged(addr, size)) {
		kmem_space_page_in(first, end - first, true);
	}
}

static long as_it_is(const struct kmem_call_state *state)
{
	const uint64_t *args = state->args;

	return kmem_stub_call(state->call->nr, args[0], args[1], args[2], args[3], args[4], args[5]);
}

KMEM_CALL_RUN(set_tid_address)
{
	keep(state->args[0], sizeof(int));
	return as_it_is(state);
}

KMEM_CALL_RUN(set_robust_list)
{
	keep(state->args[0], state->args[1] < sizeof(void *) * 3 ? state->args[1] + 1 : sizeof(void *) * 3);
	return as_it_is(state);
}

KMEM_CALL_RUN(rseq)
{
	/* The second argument is its size. */
	keep(state->args[0], (uint32_t)state->args[1] + 1UL);
	return as_it_is(state);
}

/* Let the program's own instruction make the call when the handler has returned. What the handler puts in RAX then is the call's number. */
static long again(struct kmem_call_state *state)
{
	ucontext_t *context = state->ucontext;

	context->uc_mcontext.gregs[REG_RIP] -= SYSCALL_SIZE;
	return state->call->nr;
}

KMEM_CALL_RUN(clone)
{
	ucontext_t *context = state->ucontext;
	uint64_t flags = state->args[0];

	if ((flags & (CLONE_PARENT_SETTID | CLONE_PIDFD)) != 0) {
		bring(state->args[2], sizeof(int));
	}
	if ((flags & CLONE_CHILD_SETTID) != 0) {
		bring(state->args[3], sizeof(int));
	}
	if ((flags & CLONE_CHILD_CLEARTID) != 0) {
		keep(state->args[3], sizeof(int));
	}
	context->uc_mcontext.gregs[REG_RDI] = (greg_t)((uint32_t)flags | KMEM_MARK);
	return again(state);
}

/* clone3()'s structure as far as it has pointers: 64-bit numbers, by their place. */
enum clone_field {
	FIELD_FLAGS = 0,
	FIELD_PIDFD = 1,
	FIELD_CHILD_TID = 2,
	FIELD_PARENT_TID = 3,
	FIELD_TIDS = 8,
	FIELD_TIDS_COUNT = 9,
	FIELDS = CLONE_ARGS_MAX / 8,
};

/* What clone3() is given once the handler has returned; its stack is gone by then. */
static __thread struct {
	uint64_t fields[FIELDS];
	int tids[CLONE_TIDS_MAX];
} clone_copy __attribute__((tls_model("initial-exec")));

KMEM_CALL_RUN(clone3)
{
	ucontext_t *context = state->ucontext;
	uint64_t size = state->args[1];
	uint64_t *fields = clone_copy.fields;

	if (size > CLONE_ARGS_MAX) {
		return -E2BIG;
	}
	memset(&clone_copy, 0, sizeof(clone_copy));
	if (kmem_room_copy_in(fields, state->args[0], size) < size) {
		return -EFAULT;
	}
	if (fields[FIELD_TIDS_COUNT] <= CLONE_TIDS_MAX && kmem_window_has(fields[FIELD_TIDS])) {
		size_t tids_size = fields[FIELD_TIDS_COUNT] * sizeof(int);

		if (kmem_room_copy_in(clone_copy.tids, fields[FIELD_TIDS], tids_size) < tids_size) {
			return -EFAULT;
		}
		fields[FIELD_TIDS] = number_of(clone_copy.tids);
	}
	bring(fields[FIELD_PIDFD], sizeof(int));
	bring(fields[FIELD_PARENT_TID], sizeof(int));
	if ((fields[FIELD_FLAGS] & CLONE_CHILD_CLEARTID) != 0) {
		keep(fields[FIELD_CHILD_TID], sizeof(int));
	} else {
		bring(fields[FIELD_CHILD_TID], sizeof(int));
	}
	context->uc_mcontext.gregs[REG_RDI] = (greg_t)number_of(fields);
	return again(state);
}

/* Pages are not given to a pipe, but copied: the program's are not the kernel's to keep. */
KMEM_CALL_RUN(vmsplice)
{
	struct kmem_call_arg shapes[KMEM_CALL_ARGS];
	uint64_t fd = state->args[0];
	struct stat status;
	long flags = kmem_raw_call(SYS_fcntl, fd, F_GETFL, 0, 0, 0, 0);
	bool is_read = (flags & O_ACCMODE) == O_RDONLY;

	if (flags < 0 || kmem_raw_call(SYS_fstat, fd, number_of(&status), 0, 0, 0, 0) != 0 || !S_ISFIFO(status.st_mode)) {
		return -EBADF;
	}
	state->call = kmem_call_find(is_read ? SYS_preadv2 : SYS_pwritev2);
	state->args[5] = (state->args[3] & SPLICE_NONBLOCK) != 0 ? RWF_NOWAIT : 0;
	/* The pipe's own offset. */
	state->args[3] = UINT64_MAX;
	state->args[4] = UINT64_MAX;
	kmem_call_args_get(state->call, state->args, shapes);
	return kmem_bounce_transfer(state, shapes);
}

/* One side of process_vm_readv() or process_vm_writev(). A vector that cannot be read is left to the kernel. 0 or -errno. */
static long side_enter(struct kmem_call_state *state, struct kmem_vector *vector, unsigned int arg, unsigned int direction)
{
	long ret = kmem_vector_load(state, vector, state->args[arg], state->args[arg + 1]);

	if (ret == -ENOMEM) {
		return ret;
	}
	if (ret < 0) {
		vector->count = 0;
		return 0;
	}
	if (direction == 0) {
		state->args[arg] = number_of(vector->segments);
		vector->count = 0;
		return 0;
	}
	ret = kmem_vector_enter(state, vector, direction, KMEM_TRANSFER_MAX);
	if (vector->count > 0) {
		state->args[arg] = number_of(vector->resident);
	}
	return ret;
}

static long process_vm(struct kmem_call_state *state, bool is_read)
{
	bool is_own = state->args[0] == (uint64_t)kmem_raw_call(SYS_getpid, 0, 0, 0, 0, 0, 0);
	unsigned int written = is_read ? 1 : 3;
	unsigned int remote = is_read ? KMEM_CALL_IN : KMEM_CALL_OUT;
	struct kmem_vector local_side;
	struct kmem_vector remote_side;
	long result;
	long ret = side_enter(state, &local_side, 1, is_read ? KMEM_CALL_OUT : KMEM_CALL_IN);

	ret = ret != 0 ? ret : side_enter(state, &remote_side, 3, is_own ? remote : 0);
	if (ret != 0) {
		return ret;
	}
	result = as_it_is(state);
	if (result > 0) {
		ret = kmem_vector_leave(written == 1 ? &local_side : &remote_side, (size_t)result);
	}
	return ret != 0 ? ret : result;
}

KMEM_CALL_RUN(process_vm_readv)
{
	return process_vm(state, true);
}

KMEM_CALL_RUN(process_vm_writev)
{
	return process_vm(state, false);
}

/* The structure of a command, as large as the program says. Pointers in it are the program's to keep out of the VM. */
KMEM_CALL_RUN(bpf)
{
	struct kmem_call_arg shapes[KMEM_CALL_ARGS] = {
		[1] = {
			.shape = KMEM_SHAPE_BYTES,
			.direction = KMEM_CALL_WRITTEN_MAYBE,
			.size = KMEM_SIZE_ARG,
			.size_arg = 2,
			.unit = 1,
		},
	};

	return kmem_bounce_general(state, shapes);
}
