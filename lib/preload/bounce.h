/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making a system call on copies: what its pointers point to is copied to resident memory, the call is made, results are copied back.
 *
 * Resident memory is the stack of the handler, so that nothing stays behind when a call is left by siglongjmp(), cancellation or
 * the end of the thread; what is too large for it comes from the host and is freed on every ordinary way out. No lock is held over a call.
 */
#ifndef KMEM_PRELOAD_BOUNCE_H
#define KMEM_PRELOAD_BOUNCE_H

#include <stddef.h>
#include <stdint.h>

#include "preload/call.h"

/* Bytes of the scratch memory on the handler's stack, which alternate stacks have room for several times: handlers nest. */
#define KMEM_SCRATCH_SIZE (64UL * 1024)

struct kmem_call_state {
	const struct kmem_call *call;
	uint64_t args[KMEM_CALL_ARGS]; /* the program's, marks taken off */
	void *ucontext;                /* of the trap: masks and alternate stacks are changed there */
	unsigned char *scratch;        /* free scratch memory, from here */
	size_t scratch_left;
};

/*
 * Make the call. The result, or -errno as the host kernel would return it. Pointers that are not in the window are used as they are
 * where nothing behind them can be.
 */
long kmem_bounce(struct kmem_call_state *state);

/* identity.c: calls of their own, named run_ and the call's name. */
#define KMEM_CALL_RUN(name) long kmem_call_run_##name(struct kmem_call_state *state)

#endif /* KMEM_PRELOAD_BOUNCE_H */
