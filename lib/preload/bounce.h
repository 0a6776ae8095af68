/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making a system call on copies: what its pointers point to is copied to resident memory, the call is made, results are copied back.
 *
 * Resident memory is the stack of the handler, so that nothing stays behind when a call is left by siglongjmp(), cancellation or
 * the end of the thread; what is too large for it comes from the host and is freed on every ordinary way out, and by the thread's next
 * call or its end on every other. No lock is held over a call.
 *
 * Words. *Stand-in*: resident memory that the host kernel gets instead of a range of the program's. *Mirror*: a stand-in with the
 * permissions of the original, page by page, for a range that does not allow all that the call may do with it: the host
 * kernel then fails, or transfers a part, exactly where it would have.
 */
#ifndef KMEM_PRELOAD_BOUNCE_H
#define KMEM_PRELOAD_BOUNCE_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "preload/call.h"

/* Bytes of the scratch memory on the handler's stack, which alternate stacks have room for several times: handlers nest. */
#define KMEM_SCRATCH_SIZE (64UL * 1024)

/* Bytes of host memory that one range is given at most. What goes in pieces goes in smaller ones. */
#define KMEM_STAND_IN_MAX (64UL * 1024 * 1024)
#define KMEM_PIECE_MAX (2UL * 1024 * 1024)

/* The host kernel cuts every transfer to this: INT_MAX in whole pages. */
#define KMEM_TRANSFER_MAX 0x7ffff000UL

/*
 * MSG_ZEROCOPY: the kernel would send from these very pages long after the call. It is answered as where the limit on such memory is
 * reached, which programs are used to: they send again without.
 */
#define KMEM_ZERO_COPY_ERROR (-ENOBUFS)

struct kmem_call_state {
	const struct kmem_call *call;
	uint64_t args[KMEM_CALL_ARGS]; /* the program's, marks taken off */
	void *ucontext;                /* of the trap: masks and alternate stacks are changed there */
	unsigned char *scratch;        /* free scratch memory, from here */
	size_t scratch_left;
	uint64_t bad;                  /* the first address that the call may come to and that nobody may access; 0: none */
	bool is_bad_written;           /* what it would do there */
	bool is_bad_reached;           /* whether it came so far, as far as it is not told by -EFAULT */
};

/* A range of the program's, and what the host kernel gets. */
struct kmem_stand_in {
	uint64_t addr;           /* the program's */
	uint64_t resident;       /* equal to addr if the range is used as it is */
	size_t size;
	size_t allowed;          /* bytes before the first one that nobody may access */
	const void *former;      /* what the kernel was given, to tell what it has changed; NULL where all of it goes back */
	bool is_mirror;
};

/* The segments of a vectored call. */
struct kmem_vector {
	size_t count;
	struct iovec *segments;        /* the program's, copied */
	struct iovec *resident;        /* what the kernel gets */
	struct kmem_stand_in *copies;
};

/*
 * Make the call. The result, or -errno as the host kernel would return it. Pointers that are not in the window are used as they are
 * where nothing behind them can be.
 */
long kmem_bounce(struct kmem_call_state *state);

/*
 * bounce.c: the general way, by descriptions of the arguments (kmem_call_args_get()), for calls without data that may go in pieces. For a
 * call's own function that has dealt with some of them: these are VALUE in shapes.
 */
long kmem_bounce_general(struct kmem_call_state *state, const struct kmem_call_arg *shapes);

/* One argument before the call: what the kernel gets is in copy->resident. 0 or -errno. */
long kmem_bounce_arg_enter(struct kmem_call_state *state, const struct kmem_call_arg *shapes, unsigned int arg,
			   struct kmem_stand_in *copy);

/* All arguments after the call, whose result this is: what the program gets is returned. */
long kmem_bounce_args_leave(const struct kmem_call_arg *shapes, const struct kmem_stand_in copies[KMEM_CALL_ARGS],
			    long result);

/* The call itself: by the stub if a pointer into the window is left. */
long kmem_bounce_call(const struct kmem_call_state *state, const struct kmem_call_arg *shapes, const uint64_t *args);

/* Any system call on resident memory: no errno, no cancellation point. */
long kmem_raw_call(long nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f);

/* room.c */

/* Remember where a call would meet a page that is not there: at its end somebody may want to know (trap.c). */
void kmem_room_bad_note(struct kmem_call_state *state, uint64_t addr, unsigned int direction);

/* Note where the thread's host memory stands, at a call's beginning freeing what abandoned ones left; free all that was had since. */
void *kmem_room_enter(const struct kmem_call_state *state);
void *kmem_room_mark(void);
void kmem_room_leave(void *mark);

/* Free what the calling thread's abandoned calls left: it ends. */
void kmem_room_thread_leave(void);

/* Resident memory until the call is over, aligned as `like` is, up to a page, for transfers past the page cache. NULL if there is none. */
void *kmem_room_get(struct kmem_call_state *state, size_t size, uint64_t like);

/* Whether a range lies in the VM, so that it needs a stand-in. */
bool kmem_room_is_paged(uint64_t addr, size_t size);

/* How many bytes of a range, from its beginning, allow an access (enum kmem_call_direction). */
size_t kmem_room_allowed(uint64_t addr, size_t size, unsigned int direction);

/* Copies by kmem_copy() that bring absent pages in without a trap each. How many bytes were copied. */
size_t kmem_room_copy_in(void *to, uint64_t from, size_t size);
size_t kmem_room_copy_out(uint64_t to, const void *from, size_t size);

/* A stand-in, with the contents if the kernel reads them. 0, -EFAULT if they went bad meanwhile, -ENOMEM. */
long kmem_stand_in_make(struct kmem_call_state *state, struct kmem_stand_in *copy, uint64_t addr, size_t size,
			unsigned int direction);

/* The same for a string of at most max bytes with its NUL; of a longer one there are max bytes without a NUL. */
long kmem_stand_in_string(struct kmem_call_state *state, struct kmem_stand_in *copy, uint64_t addr, size_t max);

/* Write the first size bytes back. 0 or -EFAULT. */
long kmem_stand_in_back(const struct kmem_stand_in *copy, size_t size);

/* transfer.c: read(), write() and their kin, in pieces where they are large; every call with a vector. */
long kmem_bounce_transfer(struct kmem_call_state *state, const struct kmem_call_arg *shapes);

/* vector.c */

/*
 * A vector from the program's memory. The bytes of all segments, or -EFAULT if it cannot be read, -EINVAL if the kernel would not take it
 * for the number or the lengths of its segments, -ENOMEM. Lengths are cut as the kernel does.
 */
long kmem_vector_load(struct kmem_call_state *state, struct kmem_vector *vector, uint64_t addr, size_t count);

/* Stand-ins for its segments, at most limit bytes: segments behind these are left out. 0 or -errno. */
long kmem_vector_enter(struct kmem_call_state *state, struct kmem_vector *vector, unsigned int direction, size_t limit);

/* Write the first size bytes back to its segments. 0 or -EFAULT. */
long kmem_vector_leave(const struct kmem_vector *vector, size_t size);

/* Bytes of its segments that need stand-ins. */
size_t kmem_vector_paged(const struct kmem_vector *vector);

/* message.c: sendmsg(), recvmsg(), sendmmsg(), recvmmsg(). */
long kmem_bounce_message(struct kmem_call_state *state, const struct kmem_call_arg *shapes);

/* identity.c, futex.c: calls of their own, named run_ and the call's name. */
#define KMEM_CALL_RUN(name) long kmem_call_run_##name(struct kmem_call_state *state)

KMEM_CALL_RUN(bpf);
KMEM_CALL_RUN(clone);
KMEM_CALL_RUN(clone3);
KMEM_CALL_RUN(epoll_pwait); /* and epoll_pwait2() */
KMEM_CALL_RUN(execve);
KMEM_CALL_RUN(execveat);
KMEM_CALL_RUN(futex);
KMEM_CALL_RUN(futex_one); /* futex_wait(), futex_wake() */
KMEM_CALL_RUN(futex_requeue);
KMEM_CALL_RUN(futex_waitv);
KMEM_CALL_RUN(ppoll);
KMEM_CALL_RUN(process_vm_readv);
KMEM_CALL_RUN(process_vm_writev);
KMEM_CALL_RUN(pselect6);
KMEM_CALL_RUN(rseq);
KMEM_CALL_RUN(rt_sigaction);
KMEM_CALL_RUN(rt_sigpending);
KMEM_CALL_RUN(rt_sigprocmask);
KMEM_CALL_RUN(rt_sigsuspend);
KMEM_CALL_RUN(set_robust_list);
KMEM_CALL_RUN(set_tid_address);
KMEM_CALL_RUN(sigaltstack);
KMEM_CALL_RUN(vmsplice);

#endif /* KMEM_PRELOAD_BOUNCE_H */
