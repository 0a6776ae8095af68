/* SPDX-License-Identifier: Apache-2.0 */
/*
 * _Fork(), wrapped: the C library's fork without handlers, which would give the child its parent's RAM.
 *
 * For the shared library only. In a static program fork() itself goes through this name, and there is no other to call.
 */
#include <dlfcn.h>
#include <errno.h>
#include <unistd.h>

#include "host/process.h"
#include "host/stack.h"

static pid_t (*next)(void);

/* _Fork() may be called in signal handlers, dlsym() may not. */
__attribute__((constructor(101))) static void find_next(void)
{
	next = __extension__(pid_t(*)(void))dlsym(RTLD_NEXT, "_Fork");
}

static long bare_fork(void *unused)
{
	const struct kmem_process_fork_hooks hooks = kmem_process_fork_hooks;
	pid_t pid;
	int error;

	(void)unused;
	if (next == NULL) {
		errno = ENOSYS;
		return -1;
	}
	if (hooks.prepare == NULL) {
		return next();
	}
	hooks.prepare();
	pid = next();
	error = errno;
	if (pid == 0) {
		hooks.child();
	} else {
		hooks.parent();
	}
	errno = error;
	return pid;
}

/* Parent and child write to the stack before each has its own frames: it may not be a paged one. */
__attribute__((visibility("default"))) pid_t _Fork(void)
{
	return (pid_t)kmem_stack_call(bare_fork, NULL);
}
