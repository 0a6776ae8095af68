/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fork(), wrapped, for callers whose stack is paged memory.
 *
 * Parent and child share the frames of RAM until each has got its own (lib/kernel/fork.c); what the C library writes to its stack on
 * the way, each would write for both. So it forks on the alternate stack then (lib/host/stack.h), which is copied as any other
 * memory of a process is. _sigsafe as far as fork() is.
 */
#include <stddef.h>
#include <unistd.h>

#include "host/stack.h"
#include "preload/next.h"

static long fork_call(void *unused)
{
	(void)unused;
	return KMEM_NEXT(fork)();
}

__attribute__((visibility("default"))) pid_t fork(void)
{
	return (pid_t)kmem_stack_call(fork_call, NULL);
}
