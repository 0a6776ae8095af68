/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clone(), and other ways to copy a process past the C library's fork(): none of them runs the handlers of pthread_atfork().
 *
 * A copy of the process needs RAM of its own, so they are made between the hooks around a _Fork() (lib/host/process.h).
 *
 * With CLONE_VM nothing is copied, and clone() is the C library's. A thread made so on a stack in the VM has no alternate stack, and is
 * killed if a page of its stack is out: the host kernel has nowhere to put the signal's frame. The size of that stack is not
 * told, so that nothing can be pinned. With CLONE_VFORK as well it keeps its parent's, and all is well.
 *
 * No locks but those of the hooks. _sigsafe.
 */
#include "preload/clone.h"

#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/syscall.h>

#include "host/process.h"
#include "preload/next.h"

#define EXPORT __attribute__((visibility("default")))

static void fork_prepare(const struct kmem_process_fork_hooks *hooks)
{
	if (hooks->prepare != NULL) {
		hooks->prepare();
	}
}

static void fork_done(const struct kmem_process_fork_hooks *hooks, long pid)
{
	const int error = errno;

	if (hooks->prepare != NULL && pid == 0) {
		hooks->child();
	} else if (hooks->prepare != NULL) {
		hooks->parent();
	}
	errno = error;
}

long kmem_clone_fork(long nr, long a, long b, long c, long d, long e)
{
	const struct kmem_process_fork_hooks hooks = kmem_process_fork_hooks;
	long pid;

	fork_prepare(&hooks);
	pid = __wrap_syscall(nr, a, b, c, d, e);
	fork_done(&hooks, pid);
	return pid;
}

/* What the child of a clone() does: the routine, on the program's stack, and the end of the thread. */
_Noreturn static void clone_enter(int (*routine)(void *arg), void *stack, void *arg)
{
	__asm__ volatile("movq %%rsi, %%rsp\n"
			 "xorl %%ebp, %%ebp\n"
			 "call *%%rax\n"
			 "movl %%eax, %%edi\n"
			 "movl %[exit], %%eax\n"
			 "syscall\n"
			 "hlt\n"
			 :
			 : "S"((uintptr_t)stack & ~(uintptr_t)15), "a"(routine), "D"(arg), [exit] "i"(SYS_exit)
			 : "memory");
	__builtin_unreachable();
}

EXPORT int clone(int (*routine)(void *), void *stack, int flags, void *arg, ...)
{
	void *parent_tid;
	void *child_tid;
	va_list args;
	void *tls;
	long pid;

	va_start(args, arg);
	parent_tid = va_arg(args, void *);
	tls = va_arg(args, void *);
	child_tid = va_arg(args, void *);
	va_end(args);
	if ((flags & CLONE_VM) != 0 || routine == NULL || stack == NULL) {
		return KMEM_NEXT(clone)(routine, stack, flags, arg, parent_tid, tls, child_tid);
	}
	/* As a fork first: the hooks run on this stack, since the other one may lie in the VM. */
	pid = kmem_clone_fork(SYS_clone, (unsigned int)flags, 0, (long)(uintptr_t)parent_tid, (long)(uintptr_t)child_tid,
			      (long)(uintptr_t)tls);
	if (pid == 0) {
		clone_enter(routine, stack, arg);
	}
	return (int)pid;
}
