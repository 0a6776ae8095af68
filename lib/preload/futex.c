/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Futexes in the VM.
 *
 * Threads meet at an address, so the call is made on the program's own, and the word must be there when the host kernel looks at it. It
 * is brought in before the call and, if it went out again before the kernel looked, the kernel's EFAULT is answered with another try,
 * as long as the program may access it. Nothing is pinned: who waits does not need the word.
 *
 * The VM's memory belongs to this process, and its frames move, so a futex in it is private whatever the program says: by the
 * file and offset behind the address, as the kernel finds shared ones, a page that was out would be another one.
 *
 * The call is not made by the stub, but from here, past the filter by a mark (struct kmem_call, pass_arg): cancellation of a thread that
 * waits unwinds its stack, and here there are tables for that.
 */
#include <errno.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

#include "host/thread.h"
#include "kernel/kernel.h"
#include "kernel/space.h"
#include "preload/bounce.h"
#include "preload/preload.h"

/* The private flag of the younger calls, which older headers lack; equal to the older ones'. */
#define KMEM_FUTEX2_PRIVATE FUTEX_PRIVATE_FLAG

/* The kernel's struct futex_waitv. */
struct waiter {
	uint64_t value;
	uint64_t addr;
	uint32_t flags;
	uint32_t reserved;
};

/* As many as futex_waitv() takes: FUTEX_WAITV_MAX. */
#define WAITERS_MAX 128U

#define NANOSECONDS 1000000000L

/* The words of a call. */
struct words {
	uint64_t addr[WAITERS_MAX];
	unsigned int count;
	bool is_write; /* the kernel changes them */
};

static void words_add(struct words *words, uint64_t addr)
{
	if (kmem_room_is_paged(addr, sizeof(uint32_t))) {
		words->addr[words->count++] = addr;
	}
}

/* Bring them in. False if one is not to be had: it is the kernel's to say so. */
static bool words_in(const struct words *words)
{
	const unsigned int direction = words->is_write ? KMEM_CALL_INOUT : KMEM_CALL_IN;

	for (unsigned int i = 0; i < words->count; i++) {
		uint64_t addr = words->addr[i];

		if (kmem_room_allowed(addr, sizeof(uint32_t), direction) < sizeof(uint32_t)) {
			return false;
		}
		kmem_space_page_in(kmem_page_floor(addr), kmem_page_size(), words->is_write);
	}
	return true;
}

/* Time left of a wait that began at `since`, none if it is over. */
static struct timespec left_of(const struct timespec *limit, const struct timespec *since)
{
	struct timespec now;
	struct timespec left;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	left.tv_sec = limit->tv_sec - (now.tv_sec - since->tv_sec);
	left.tv_nsec = limit->tv_nsec - (now.tv_nsec - since->tv_nsec);
	if (left.tv_nsec < 0) {
		left.tv_sec--;
		left.tv_nsec += NANOSECONDS;
	} else if (left.tv_nsec >= NANOSECONDS) {
		left.tv_sec++;
		left.tv_nsec -= NANOSECONDS;
	}
	return left.tv_sec < 0 ? (struct timespec){0} : left;
}

/* The call, until the kernel has seen the words. relative: a timeout that counts from now, with its copy for the kernel. */
static long make(const struct words *words, long nr, const uint64_t *args, const struct timespec *relative,
		 struct timespec *left)
{
	struct timespec since = {0};
	bool is_tried = false;

	if (relative != NULL) {
		(void)clock_gettime(CLOCK_MONOTONIC, &since);
	}
	for (;;) {
		bool is_there = words_in(words);
		long ret;

		if (is_tried && relative != NULL) {
			*left = left_of(relative, &since);
		}
		ret = nr == SYS_futex ? kmem_raw_call(nr, args[0], args[1], args[2], args[3], args[4], args[5])
				      : kmem_stub_call(nr, args[0], args[1], args[2], args[3], args[4], args[5]);
		if (ret != -EFAULT || !is_there) {
			return ret;
		}
		is_tried = true;
		kmem_thread_yield();
	}
}

static bool has_timeout(unsigned int command)
{
	return command == FUTEX_WAIT || command == FUTEX_WAIT_BITSET || command == FUTEX_LOCK_PI ||
	       command == FUTEX_LOCK_PI2 || command == FUTEX_WAIT_REQUEUE_PI;
}

static bool has_second(unsigned int command)
{
	return command == FUTEX_REQUEUE || command == FUTEX_CMP_REQUEUE || command == FUTEX_WAKE_OP ||
	       command == FUTEX_WAIT_REQUEUE_PI || command == FUTEX_CMP_REQUEUE_PI;
}

/* Whether the kernel writes to a word. */
static bool is_writing(unsigned int command)
{
	return command == FUTEX_WAKE_OP || command == FUTEX_LOCK_PI || command == FUTEX_LOCK_PI2 ||
	       command == FUTEX_UNLOCK_PI || command == FUTEX_TRYLOCK_PI || command == FUTEX_WAIT_REQUEUE_PI ||
	       command == FUTEX_CMP_REQUEUE_PI;
}

KMEM_CALL_RUN(futex)
{
	unsigned int command = (unsigned int)state->args[1] & (unsigned int)FUTEX_CMD_MASK;
	struct words words = {.is_write = is_writing(command)};
	struct timespec given;
	struct timespec limit;
	bool is_limited = has_timeout(command) && state->args[3] != 0;
	uint64_t args[KMEM_CALL_ARGS];

	memcpy(args, state->args, sizeof(args));
	if (is_limited) {
		if (kmem_room_copy_in(&given, args[3], sizeof(given)) < sizeof(given)) {
			return -EFAULT;
		}
		limit = given;
		args[3] = (uint64_t)(uintptr_t)&limit;
	}
	words_add(&words, args[0]);
	if (has_second(command)) {
		words_add(&words, args[4]);
	}
	args[1] = (uint32_t)args[1] | (words.count > 0 ? (unsigned int)FUTEX_PRIVATE_FLAG : 0) | KMEM_MARK;
	return make(&words, SYS_futex, args, is_limited && command == FUTEX_WAIT ? &given : NULL, &limit);
}

/* Copy an array of waiters, making those in the VM private. 0 or -EFAULT. */
static long waiters_load(struct waiter *waiters, uint64_t addr, unsigned int count, struct words *words)
{
	if (kmem_room_copy_in(waiters, addr, count * sizeof(*waiters)) < count * sizeof(*waiters)) {
		return -EFAULT;
	}
	for (unsigned int i = 0; i < count; i++) {
		unsigned int before = words->count;

		words_add(words, waiters[i].addr);
		waiters[i].flags |= words->count > before ? KMEM_FUTEX2_PRIVATE : 0;
	}
	return 0;
}

KMEM_CALL_RUN(futex_waitv)
{
	struct waiter waiters[WAITERS_MAX];
	struct words words = {0};
	struct timespec limit;
	uint64_t args[KMEM_CALL_ARGS];

	memcpy(args, state->args, sizeof(args));
	if ((uint32_t)args[1] == 0 || (uint32_t)args[1] > WAITERS_MAX) {
		return -EINVAL;
	}
	if (waiters_load(waiters, args[0], (uint32_t)args[1], &words) != 0) {
		return -EFAULT;
	}
	args[0] = (uint64_t)(uintptr_t)waiters;
	if (args[3] != 0) {
		if (kmem_room_copy_in(&limit, args[3], sizeof(limit)) < sizeof(limit)) {
			return -EFAULT;
		}
		args[3] = (uint64_t)(uintptr_t)&limit;
	}
	return make(&words, state->call->nr, args, NULL, NULL);
}

KMEM_CALL_RUN(futex_requeue)
{
	struct waiter waiters[2];
	struct words words = {0};
	uint64_t args[KMEM_CALL_ARGS];

	memcpy(args, state->args, sizeof(args));
	if (waiters_load(waiters, args[0], 2, &words) != 0) {
		return -EFAULT;
	}
	args[0] = (uint64_t)(uintptr_t)waiters;
	return make(&words, state->call->nr, args, NULL, NULL);
}

/* futex_wake() and futex_wait(): one word, flags in the fourth argument, and a time in the fifth of the second. */
KMEM_CALL_RUN(futex_one)
{
	struct words words = {0};
	struct kmem_call_arg shapes[KMEM_CALL_ARGS];
	struct kmem_stand_in limit;
	uint64_t args[KMEM_CALL_ARGS];
	long ret;

	memcpy(args, state->args, sizeof(args));
	memcpy(shapes, state->call->args, sizeof(shapes));
	ret = kmem_bounce_arg_enter(state, shapes, 4, &limit);
	if (ret != 0) {
		return ret;
	}
	args[4] = limit.resident;
	if (args[4] != 0 && kmem_window_has(args[4])) {
		return -EFAULT;
	}
	words_add(&words, args[0]);
	args[3] |= words.count > 0 ? KMEM_FUTEX2_PRIVATE : 0;
	return make(&words, state->call->nr, args, NULL, NULL);
}
